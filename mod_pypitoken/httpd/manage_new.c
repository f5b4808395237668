/* manage_new.c - the form for a new token, and the token; see manage_new.h. */
#include "httpd/private.h"
#include "httpd/manage_new.h"

#include <apr_strings.h>
#include <string.h>

#include "access/narrow.h"
#include "core/duration.h"
#include "httpd/config.h"
#include "httpd/manage_time.h"
#include "httpd/manage_token.h"

/* How long a token may live: what the form offers. */
static const struct {
    const char *value, *words;
} manage_new_lives[] = {
    {"7d", "7 days"}, {"30d", "30 days"}, {"90d", "90 days"}, {"1y", "one year"}, {"", "no end"}};
#define MANAGE_NEW_LIVES   (sizeof(manage_new_lives) / sizeof(manage_new_lives[0]))
#define MANAGE_NEW_DEFAULT 2

/* ---- the form ---- */

typedef struct manage_new_scan_t {
    const manage_t *m;
    json_t *rows;
    slice_t q;
    int hidden;
} manage_new_scan_t;

static int manage_new_chosen(const form_t *form, const char *norm)
{
    int i;

    for (i = 0; i < form->n; i++) {
        if (slice_is(form->fields[i].name, "project[]") && slice_is(form->fields[i].value, norm)) {
            return 1;
        }
    }
    return 0;
}

static int manage_new_project(void *baton, const store_project_t *row, store_role_t role)
{
    manage_new_scan_t *scan = baton;
    int chosen = manage_new_chosen(&scan->m->form, row->norm);
    json_t *o;

    if (scan->q.n && !chosen && !memmem(row->norm, strlen(row->norm), scan->q.p, scan->q.n)) {
        scan->hidden++;
        return 0;
    }
    o = json_object();
    json_object_set_new(o, "norm", json_string(row->norm));
    json_object_set_new(o, "project", manage_string(scan->m, row->name));
    json_object_set_new(o, "owner", json_boolean(role == STORE_ROLE_OWNER));
    json_object_set_new(o, "chosen", json_boolean(chosen));
    json_array_append_new(scan->rows, o);
    return 0;
}

/* Words that are in the form again when it was not right. */
static void manage_new_typed(const manage_t *m, json_t *data)
{
    static const char *const names[] = {"name", "until", "networks", "versions", "globs", "uses"};
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        slice_t value = form_get(&m->form, names[i]);

        json_object_set_new(data, apr_pstrcat(m->r->pool, "typed_", names[i], NULL),
                            manage_string(m, slice_dup(value, m->r->pool)));
    }
}

static json_t *manage_new_life_rows(const manage_t *m)
{
    slice_t asked = form_get(&m->form, "life");
    json_t *rows = json_array();
    apr_size_t i;

    for (i = 0; i < MANAGE_NEW_LIVES; i++) {
        int chosen =
            m->form.n ? slice_is(asked, manage_new_lives[i].value) : i == MANAGE_NEW_DEFAULT;

        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:b}", "value", manage_new_lives[i].value,
                                        "words", manage_new_lives[i].words, "chosen", chosen));
    }
    return rows;
}

static int manage_new_page(manage_t *m, int status, const char *problem)
{
    form_t *query = apr_pcalloc(m->r->pool, sizeof(*query));
    const char *args = m->r->args ? m->r->args : "";
    manage_new_scan_t scan = {.m = m, .rows = json_array()};
    mine_t mine = manage_token_mine(m);
    store_rc_t rc = STORE_DOWN;
    json_t *data;

    if (form_parse(query, apr_pstrdup(m->r->pool, args), strlen(args))) {
        query->n = 0;
    }
    scan.q = slice_trim(form_get(query, "q"));
    if (m->store) {
        rc = mine_projects(&mine, manage_new_project, &scan, m->r->pool);
    }
    if (rc != STORE_OK) {
        json_decref(scan.rows);
        return manage_token_failed(m, rc);
    }
    data = json_object();
    json_object_set_new(data, "problem", problem ? manage_string(m, problem) : json_false());
    json_object_set_new(data, "projects", scan.rows);
    json_object_set_new(data, "hidden", scan.hidden ? json_integer(scan.hidden) : json_false());
    json_object_set_new(data, "q", manage_string(m, slice_dup(scan.q, m->r->pool)));
    json_object_set_new(data, "lives", manage_new_life_rows(m));
    json_object_set_new(data, "some",
                        json_boolean(slice_is(form_get(&m->form, "scope"), "projects")));
    json_object_set_new(data, "open",
                        json_boolean(problem && !slice_is(form_get(&m->form, "narrow"), "")));
    manage_new_typed(m, data);
    return manage_page(m, status, "token-new", "Add a token", data);
}

int manage_new_form(manage_t *m)
{
    return manage_new_page(m, HTTP_OK, NULL);
}

/* ---- what was asked for ---- */

/* The words of a field, separated by white space or commas. */
static const apr_array_header_t *manage_new_words(const manage_t *m, const char *field)
{
    apr_array_header_t *words = apr_array_make(m->r->pool, 4, sizeof(const char *));
    char *text = slice_dup(form_get(&m->form, field), m->r->pool), *word, *rest;

    for (word = apr_strtok(text, " \t\r\n,", &rest); word;
         word = apr_strtok(NULL, " \t\r\n,", &rest)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    return words;
}

static const char *manage_new_narrow(const manage_t *m, apr_array_header_t *caveats)
{
    slice_t kind = form_get(&m->form, "kind"), creation = form_get(&m->form, "creation");
    slice_t uses = slice_trim(form_get(&m->form, "uses"));
    apr_array_header_t *kinds = apr_array_make(m->r->pool, 1, sizeof(const char *));
    narrow_t narrow = {.networks = manage_new_words(m, "networks"),
                       .versions = manage_new_words(m, "versions"),
                       .globs = manage_new_words(m, "globs"),
                       .kinds = kinds,
                       .only_new = slice_is(creation, "new"),
                       .only_existing = slice_is(creation, "existing")};
    char *end;

    if (kind.n) {
        APR_ARRAY_PUSH(kinds, const char *) = slice_dup(kind, m->r->pool);
    }
    if (uses.n) {
        narrow.uses = apr_strtoi64(slice_dup(uses, m->r->pool), &end, 10);
        if (*end || narrow.uses < 1) {
            return "The number of uploads must be a number, or left empty.";
        }
    }
    return narrow_caveats(caveats, &narrow, seam_system.now(), m->r->pool);
}

static const char *manage_new_end(const manage_t *m, apr_int64_t *expires)
{
    slice_t life = form_get(&m->form, "life"), until = slice_trim(form_get(&m->form, "until"));
    apr_int64_t now = seam_system.now();

    if (until.n) {
        return duration_point(until, expires) ? "The date must be like 2030-01-31." : NULL;
    }
    return life.n && duration_ahead(life, now, expires) ? "That is no span of time." : NULL;
}

static const char *manage_new_projects(const manage_t *m, issue_request_t *request)
{
    apr_array_header_t *names = apr_array_make(m->r->pool, 8, sizeof(const char *));
    int i;

    if (!slice_is(form_get(&m->form, "scope"), "projects")) {
        return NULL;
    }
    for (i = 0; i < m->form.n; i++) {
        if (slice_is(m->form.fields[i].name, "project[]")) {
            APR_ARRAY_PUSH(names, const char *) = slice_dup(m->form.fields[i].value, m->r->pool);
        }
    }
    request->projects = (const char *const *)names->elts;
    request->n_projects = (apr_size_t)names->nelts;
    return names->nelts ? NULL : "Choose at least one project, or all of them.";
}

/* ---- the token ---- */

static json_t *manage_new_data(const manage_t *m, const char *text, const issue_t *made)
{
    json_t *data = json_object();
    const char *path = config_server(m->r->server)->guard_path;

    json_object_set_new(data, "token", json_string(text));
    json_object_set_new(data, "id", json_string(made->id));
    json_object_set_new(data, "expires", manage_time(m, made->expires, seam_system.now()));
    json_object_set_new(
        data, "url",
        manage_string(m, path ? ap_construct_url(m->r->pool, path, m->r) : "THE-UPLOAD-URL"));
    return data;
}

int manage_new_make(manage_t *m)
{
    apr_array_header_t *caveats = apr_array_make(m->r->pool, 8, sizeof(slice_t));
    issue_request_t request = {.service = config_service(m->r->server),
                               .name =
                                   slice_dup(slice_trim(form_get(&m->form, "name")), m->r->pool),
                               .caveats = caveats,
                               .policy = config_dir(m->r)->policy};
    mine_t mine = manage_token_mine(m);
    const char *wrong = *request.name ? NULL : "Give the token a name, to know it again.";
    store_rc_t rc = STORE_CONFLICT;
    issue_t made;
    char *text;

    if (!m->store) {
        return manage_token_failed(m, STORE_DOWN);
    }
    wrong = wrong ? wrong : manage_new_projects(m, &request);
    wrong = wrong ? wrong : manage_new_end(m, &request.expires);
    wrong = wrong ? wrong : manage_new_narrow(m, caveats);
    if (!wrong) {
        wrong = mine_issue(&mine, &text, &made, &request,
                           caveat_describe_all((const slice_t *)caveats->elts,
                                               (apr_size_t)caveats->nelts, m->r->pool),
                           &rc, m->r->pool);
    }
    if (wrong) {
        return rc == STORE_DOWN ? manage_token_failed(m, rc)
                                : manage_new_page(m, HTTP_UNPROCESSABLE_ENTITY, wrong);
    }
    return manage_page(m, HTTP_OK, "token-made", "Your new token", manage_new_data(m, text, &made));
}
