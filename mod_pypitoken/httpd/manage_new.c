/* manage_new.c - the form for a new token; see manage_new.h. */
#include "httpd/private.h"
#include "httpd/manage_new.h"

#include <apr_strings.h>
#include <string.h>

#include "access/narrow.h"
#include "core/duration.h"
#include "httpd/config.h"
#include "httpd/manage_files.h"
#include "httpd/manage_list.h"
#include "httpd/manage_made.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

/* Projects that are listed at most, besides those chosen. */
#define MANAGE_NEW_SHOWN 100

/* How long a token may live: what the form offers. */
static const struct {
    const char *value, *words;
    apr_int64_t seconds;
} manage_new_lives[] = {{"1d", T_("1 day"), 86400},          {"7d", T_("7 days"), 7 * 86400},
                        {"30d", T_("30 days"), 30 * 86400},  {"90d", T_("90 days"), 90 * 86400},
                        {"1y", T_("one year"), 365 * 86400}, {"", T_("no end"), 0}};
#define MANAGE_NEW_LIVES   (sizeof(manage_new_lives) / sizeof(manage_new_lives[0]))
#define MANAGE_NEW_DEFAULT "90d"

/* ---- the form ---- */

typedef struct manage_new_scan_t {
    const manage_t *m;
    json_t *rows, *picked;
    slice_t q;
    int hidden, more;
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

    if (!chosen && !manage_list_has(row->norm, scan->q) && !manage_list_has(row->name, scan->q)) {
        scan->hidden++;
        return 0;
    }
    if (!chosen && json_array_size(scan->rows) >= MANAGE_NEW_SHOWN) {
        scan->more++;
        return 0;
    }
    o = json_object();
    json_object_set_new(o, "norm", json_string(row->norm));
    json_object_set_new(o, "project", manage_string(scan->m, row->name));
    json_object_set_new(o, "owner", json_boolean(role == STORE_ROLE_OWNER));
    json_array_append_new(chosen ? scan->picked : scan->rows, o);
    return 0;
}

/* What was typed and chosen is in the form again. */
static void manage_new_typed(const manage_t *m, json_t *data)
{
    static const char *const texts[] = {"name",  "until", "networks", "versions",
                                        "globs", "uses",  "files"};
    static const char *const choices[][2] = {
        {"kind", "sdist"}, {"kind", "wheel"}, {"creation", "existing"}, {"creation", "new"}};
    apr_pool_t *pool = m->r->pool;
    int open = 0;
    apr_size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        slice_t value = form_get(&m->form, texts[i]);

        open |= i > 1 && value.n;
        json_object_set_new(data, apr_pstrcat(pool, "typed_", texts[i], NULL),
                            manage_string(m, slice_dup(value, pool)));
    }
    for (i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
        int chosen = slice_is(form_get(&m->form, choices[i][0]), choices[i][1]);

        open |= chosen;
        json_object_set_new(data, apr_pstrcat(pool, choices[i][0], "_", choices[i][1], NULL),
                            json_boolean(chosen));
    }
    json_object_set_new(data, "open", json_boolean(open));
    json_object_set_new(data, "some", json_boolean(!slice_is(form_get(&m->form, "scope"), "all")));
}

/* Ends that the policy lets nobody have are not offered. */
static json_t *manage_new_life_rows(const manage_t *m, policy_limits_t limits)
{
    slice_t asked = form_get(&m->form, "life");
    json_t *rows = json_array();
    apr_size_t i;

    asked = m->form.n ? asked : slice_of(MANAGE_NEW_DEFAULT);
    for (i = 0; i < MANAGE_NEW_LIVES; i++) {
        if (limits.longest >= 0 && (manage_new_lives[i].seconds > limits.longest ||
                                    (!manage_new_lives[i].seconds && limits.standard < 0))) {
            continue;
        }
        json_array_append_new(
            rows, json_pack("{s:s, s:o, s:b}", "value", manage_new_lives[i].value, "words",
                            manage_words(m, !manage_new_lives[i].seconds && limits.standard >= 0
                                                ? T_("as this index has it")
                                                : manage_new_lives[i].words),
                            "chosen", slice_is(asked, manage_new_lives[i].value)));
    }
    return rows;
}

static json_t *manage_new_days(const manage_t *m, apr_int64_t seconds)
{
    const char *words = seconds < 86400
                            ? manage_time_fill(T_("%s hours"), seconds / 3600, m->r->pool)
                            : manage_time_fill(T_("%s days"), seconds / 86400, m->r->pool);

    return seconds < 0 ? json_false() : manage_words(m, words);
}

/* What the site's policy says, for owners and maintainers where it tells them apart. */
static json_t *manage_new_policy(const manage_t *m)
{
    static const char *const names[] = {NULL, T_("projects that you maintain"),
                                        T_("projects that you own")};
    json_t *rows = json_array();
    policy_limits_t all = policy_limits(config_dir(m->r)->policy, STORE_ROLE_NONE);
    int role;

    for (role = STORE_ROLE_NONE; role <= STORE_ROLE_OWNER; role++) {
        policy_limits_t l = policy_limits(config_dir(m->r)->policy, (store_role_t)role);

        if (role != STORE_ROLE_NONE && l.longest == all.longest && l.standard == all.standard) {
            continue;
        }
        if (l.longest >= 0 || l.standard >= 0 || l.unrestricted == 0) {
            json_array_append_new(rows, json_pack("{s:o, s:o, s:o, s:b}", "of",
                                                  manage_words(m, names[role]), "longest",
                                                  manage_new_days(m, l.longest), "standard",
                                                  manage_new_days(m, l.standard), "restricted",
                                                  role == STORE_ROLE_NONE && l.unrestricted == 0));
        }
    }
    return rows;
}

/* field: the one that is wrong, by its id; NULL for none. */
static int manage_new_page(manage_t *m, int status, const char *field, const char *problem)
{
    const form_t *query = m->form.n ? &m->form : manage_list_query(m);
    manage_new_scan_t scan = {.m = m, .rows = json_array(), .picked = json_array()};
    store_rc_t rc = STORE_DOWN;
    json_t *data;

    scan.q = slice_trim(form_get(query, "q"));
    if (m->store) {
        rc = mine_projects(&m->mine, manage_new_project, &scan, m->r->pool);
    }
    if (rc != STORE_OK) {
        json_decref(scan.rows);
        json_decref(scan.picked);
        return manage_failed(m, rc);
    }
    data = json_object();
    json_object_set_new(data, "problem", manage_words(m, problem));
    json_object_set_new(data, "field", json_string(field ? field : "name"));
    if (field) {
        json_object_set_new(data, apr_pstrcat(m->r->pool, "wrong_", field, NULL),
                            manage_words(m, problem));
    }
    json_object_set_new(data, "none",
                        json_boolean(!json_array_size(scan.rows) && !json_array_size(scan.picked)));
    json_object_set_new(data, "projects", scan.rows);
    json_object_set_new(data, "picked", scan.picked);
    json_object_set_new(data, "hidden", scan.hidden ? json_integer(scan.hidden) : json_false());
    json_object_set_new(data, "more", scan.more ? json_integer(scan.more) : json_false());
    json_object_set_new(data, "q", manage_list_field(m, query, "q"));
    json_object_set_new(
        data, "lives",
        manage_new_life_rows(m, policy_limits(config_dir(m->r)->policy, STORE_ROLE_NONE)));
    json_object_set_new(data, "policy", manage_new_policy(m));
    manage_new_typed(m, data);
    return manage_page(m, status, "token-new", T_("Add a token"), data);
}

int manage_new_form(manage_t *m)
{
    return manage_new_page(m, HTTP_OK, NULL, NULL);
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

static const char *manage_new_uses(const manage_t *m, apr_int64_t *uses)
{
    slice_t typed = slice_trim(form_get(&m->form, "uses"));
    char *end;

    if (typed.n) {
        *uses = apr_strtoi64(slice_dup(typed, m->r->pool), &end, 10);
        if (*end || *uses < 1) {
            return T_("The number of uploads must be a number, or left empty.");
        }
    }
    return NULL;
}

/* Field by field, so that a fault is told beside its own. */
static const char *manage_new_narrow(const manage_t *m, apr_array_header_t *caveats,
                                     const char **field)
{
    static const char *const names[] = {"networks", "versions", "globs", "kind",
                                        "uses",     "creation", "files"};
    slice_t creation = form_get(&m->form, "creation");
    const char *wrong = NULL;
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names) && !wrong; i++) {
        const apr_array_header_t *words = manage_new_words(m, names[i]);
        narrow_t narrow = {.networks = i == 0 ? words : NULL,
                           .versions = i == 1 ? words : NULL,
                           .globs = i == 2 ? words : NULL,
                           .kinds = i == 3 ? words : NULL,
                           .only_new = i == 5 && slice_is(creation, "new"),
                           .only_existing = i == 5 && slice_is(creation, "existing")};

        wrong = i == 4 ? manage_new_uses(m, &narrow.uses) : NULL;
        if (i == 6) {
            wrong = manage_files_read(&narrow, form_get(&m->form, names[i]), m->r->pool);
        }
        wrong = wrong ? wrong : narrow_caveats(caveats, &narrow, seam_system.now(), m->r->pool);
        *field = wrong ? names[i] : *field;
    }
    return wrong;
}

static const char *manage_new_end(const manage_t *m, apr_int64_t *expires, const char **field)
{
    slice_t life = form_get(&m->form, "life"), until = slice_trim(form_get(&m->form, "until"));
    apr_int64_t now = seam_system.now();

    *field = until.n ? "until" : "life";
    if (until.n) {
        return duration_point(until, expires) ? T_("The date must be like 2030-01-31.") : NULL;
    }
    return life.n && duration_ahead(life, now, expires) ? T_("That is no span of time.") : NULL;
}

static const char *manage_new_projects(const manage_t *m, issue_request_t *request)
{
    apr_array_header_t *names = apr_array_make(m->r->pool, 8, sizeof(const char *));
    int i;

    if (!slice_is(form_get(&m->form, "scope"), "projects")) {
        return slice_is(form_get(&m->form, "scope"), "all")
                   ? NULL
                   : T_("Choose what the token is good for.");
    }
    for (i = 0; i < m->form.n; i++) {
        if (slice_is(m->form.fields[i].name, "project[]")) {
            APR_ARRAY_PUSH(names, const char *) = slice_dup(m->form.fields[i].value, m->r->pool);
        }
    }
    request->projects = (const char *const *)names->elts;
    request->n_projects = (apr_size_t)names->nelts;
    return names->nelts ? NULL : T_("Choose at least one project, or all of them.");
}

/* Which field a sentence of access/issue.h is about. */
static const char *manage_new_about(const char *sentence, const char *end)
{
    return strstr(sentence, "'s name")                                        ? "name"
           : strstr(sentence, "earlier end") || strstr(sentence, "the start") ? end
                                                                              : "scope";
}

int manage_new_make(manage_t *m)
{
    apr_array_header_t *caveats = apr_array_make(m->r->pool, 8, sizeof(slice_t));
    issue_request_t request = {.service = config_service(m->r->server),
                               .name =
                                   slice_dup(slice_trim(form_get(&m->form, "name")), m->r->pool),
                               .caveats = caveats,
                               .policy = config_dir(m->r)->policy};
    const char *wrong, *field = "name", *end;
    store_rc_t rc = STORE_CONFLICT;
    issue_t made;
    char *text;

    if (!m->store) {
        return manage_failed(m, STORE_DOWN);
    }
    if (slice_is(form_get(&m->form, "act"), "find")) {
        return manage_new_page(m, HTTP_OK, NULL, NULL);
    }
    wrong = *request.name ? NULL : T_("Give the token a name, to know it again.");
    if (!wrong) {
        field = "scope";
        wrong = manage_new_projects(m, &request);
    }
    if (!wrong) {
        wrong = manage_new_end(m, &request.expires, &field);
    }
    end = field;
    wrong = wrong ? wrong : manage_new_narrow(m, caveats, &field);
    if (!wrong) {
        wrong = mine_issue(&m->mine, &text, &made, &request,
                           caveat_describe_all((const slice_t *)caveats->elts,
                                               (apr_size_t)caveats->nelts, m->r->pool),
                           &rc, m->r->pool);
        field = wrong ? manage_new_about(wrong, end) : field;
    }
    if (wrong) {
        return rc == STORE_DOWN ? manage_failed(m, rc)
                                : manage_new_page(m, HTTP_UNPROCESSABLE_ENTITY, field, wrong);
    }
    return manage_made(m, text, &made);
}
