/* api_token.c - a person's tokens by JSON; see api_token.h. */
#include "httpd/private.h"
#include "httpd/api_token.h"

#include <apr_strings.h>
#include <string.h>

#include "access/narrow.h"
#include "core/duration.h"
#include "core/project.h"
#include "httpd/api_json.h"
#include "httpd/config.h"

/* ---- one token as data ---- */

static json_t *api_token_text(const api_t *a, const char *text)
{
    return text ? manage_string(a->m, text) : json_null();
}

static json_t *api_token_time(apr_int64_t at)
{
    return at ? json_integer(at) : json_null();
}

/* null: everything that the owner may upload to. */
static json_t *api_token_projects(const char *scope)
{
    json_t *list;
    apr_size_t n;

    if (strcmp(scope, STORE_SCOPE_ALL) == 0) {
        return json_null();
    }
    list = json_array();
    for (; *scope; scope += n + (scope[n] != '\0')) {
        n = strcspn(scope, " ");
        json_array_append_new(list, json_stringn(scope, n));
    }
    return list;
}

static json_t *api_token_data(const api_t *a, const store_token_t *row, apr_int64_t now)
{
    json_t *o = json_object(), *words = json_array();
    apr_size_t i;

    for (i = 0; i < row->n_caveats; i++) {
        json_array_append_new(words,
                              manage_string(a->m, caveat_describe(row->caveats[i], a->r->pool)));
    }
    json_object_set_new(o, "id", json_string(row->id));
    json_object_set_new(o, "name", manage_string(a->m, row->name));
    json_object_set_new(o, "project", api_token_projects(row->scope));
    json_object_set_new(o, "restrictions", words);
    json_object_set_new(o, "state", json_string(mine_state(row, now)));
    json_object_set_new(o, "created", json_integer(row->created));
    json_object_set_new(o, "expires", api_token_time(row->expires));
    json_object_set_new(o, "revoked", api_token_time(row->revoked));
    json_object_set_new(o, "revoked_by", api_token_text(a, row->revoked_by));
    json_object_set_new(o, "used", api_token_time(row->used));
    json_object_set_new(o, "used_address", api_token_text(a, row->used_address));
    json_object_set_new(o, "used_agent", api_token_text(a, row->used_agent));
    json_object_set_new(o, "used_file", api_token_text(a, row->used_file));
    return o;
}

/* ---- reading ---- */

typedef struct api_token_scan_t {
    const api_t *a;
    json_t *rows;
    slice_t state;
    apr_int64_t now;
} api_token_scan_t;

static int api_token_row(void *baton, const store_token_t *row)
{
    api_token_scan_t *scan = baton;

    if (!scan->state.n || slice_is(scan->state, mine_state(row, scan->now))) {
        json_array_append_new(scan->rows, api_token_data(scan->a, row, scan->now));
    }
    return 0;
}

/* NULL, or which name of the query string has no good value. */
static const char *api_token_filter(api_t *a, slice_t *state, const char **project)
{
    static const char *const states[] = {"live", "expired", "revoked", "disabled"};
    slice_t name = form_get(a->query, "project");
    apr_size_t i;

    *state = form_get(a->query, "state");
    *project = name.n ? project_normalize(name, a->r->pool) : NULL;
    for (i = 0; state->n && i < sizeof(states) / sizeof(*states); i++) {
        if (slice_is(*state, states[i])) {
            break;
        }
    }
    return state->n && i == sizeof(states) / sizeof(*states) ? "state"
           : name.n && !project_name_valid(name)             ? "project"
                                                             : NULL;
}

int api_token_list(api_t *a)
{
    api_token_scan_t scan = {.a = a, .now = seam_system.now()};
    const char *project, *wrong = api_token_filter(a, &scan.state, &project);
    store_rc_t rc;

    if (wrong) {
        return api_refuse_code(a, VERDICT_API_QUERY, wrong);
    }
    scan.rows = json_array();
    rc = store_token_list(a->m->store, a->m->user, project, api_token_row, &scan);
    if (rc != STORE_OK) {
        json_decref(scan.rows);
        return api_failed(a, rc);
    }
    return api_answer(a, HTTP_OK, json_pack("{s:o}", "tokens", scan.rows));
}

int api_token_show(api_t *a)
{
    mine_t mine = api_mine(a);
    store_token_t row;
    store_rc_t rc = mine_token(&mine, a->id, &row, a->r->pool);

    return rc == STORE_OK ? api_answer(a, HTTP_OK, api_token_data(a, &row, seam_system.now()))
                          : api_failed(a, rc);
}

/* ---- the end ---- */

/* What is revoked already is as it was asked for. */
int api_token_revoke(api_t *a)
{
    mine_t mine = api_mine(a);
    store_token_t row;
    store_rc_t rc = mine_revoke(&mine, a->id, &row, a->r->pool);

    return rc == STORE_OK || rc == STORE_CONFLICT ? api_done(a) : api_failed(a, rc);
}

int api_token_burn(api_t *a)
{
    mine_t mine = api_mine(a);
    store_rc_t rc = mine_burn(&mine, &a->bearer.token);

    return rc == STORE_OK || rc == STORE_CONFLICT ? api_done(a) : api_failed(a, rc);
}

/* ---- new ones ---- */

/* What a request may have; the names are those of pypitokenctl's options. */
typedef struct api_token_asked_t {
    const char *name, *expires, *overlap;
    apr_array_header_t *project, *network, *version, *glob, *kind;
    const json_t *file;
    apr_int64_t uses;
    int only_new, only_existing;
} api_token_asked_t;

#define API_TOKEN_AT(field) offsetof(api_token_asked_t, field)

static const api_json_member_t api_token_create_members[] = {
    {"name", API_JSON_TEXT, API_TOKEN_AT(name)},
    {"project", API_JSON_TEXTS, API_TOKEN_AT(project)},
    {"expires", API_JSON_TEXT, API_TOKEN_AT(expires)},
    {"network", API_JSON_TEXTS, API_TOKEN_AT(network)},
    {"version", API_JSON_TEXTS, API_TOKEN_AT(version)},
    {"glob", API_JSON_TEXTS, API_TOKEN_AT(glob)},
    {"kind", API_JSON_TEXTS, API_TOKEN_AT(kind)},
    {"file", API_JSON_LIST, API_TOKEN_AT(file)},
    {"uses", API_JSON_NUMBER, API_TOKEN_AT(uses)},
    {"new-only", API_JSON_FLAG, API_TOKEN_AT(only_new)},
    {"existing-only", API_JSON_FLAG, API_TOKEN_AT(only_existing)},
};

static const api_json_member_t api_token_rotate_members[] = {
    {"expires", API_JSON_TEXT, API_TOKEN_AT(expires)},
    {"overlap", API_JSON_TEXT, API_TOKEN_AT(overlap)},
};

typedef struct api_token_file_t {
    const char *name, *sha256;
} api_token_file_t;

static const api_json_member_t api_token_file_members[] = {
    {"name", API_JSON_TEXT, offsetof(api_token_file_t, name)},
    {"sha256", API_JSON_TEXT, offsetof(api_token_file_t, sha256)},
};

#define API_TOKEN_READ(out, body, table, pool)                                                     \
    api_json_read(out, body, table, sizeof(table) / sizeof((table)[0]), pool)

/* The sentence repeats what was sent: it goes to who sent it, and into no log. */
static int api_token_impossible(api_t *a, const char *sentence)
{
    verdict_t v;

    verdict_set(&v, VERDICT_API_REFUSED, slice_of(NULL), a->r->pool);
    return api_refuse(a, &v, sentence);
}

/* *wrong is about the form of it, what is returned a sentence for who asked. */
static const char *api_token_files(const api_t *a, const json_t *list, narrow_files_t *files,
                                   const char **wrong)
{
    const char *sentence = NULL;
    size_t i;

    for (i = 0; i < json_array_size(list) && !sentence && !*wrong; i++) {
        api_token_file_t file = {NULL, NULL};

        *wrong = API_TOKEN_READ(&file, json_array_get(list, i), api_token_file_members, a->r->pool);
        if (!*wrong && (!file.name || !file.sha256)) {
            *wrong = "each of 'file' must have name and sha256";
        }
        if (!*wrong) {
            sentence = narrow_files_add(files, file.name, file.sha256, a->r->pool);
        }
    }
    return sentence;
}

/* The restrictions, as pypitokenctl makes them. NULL, or a sentence; *wrong as above. */
static const char *api_token_narrow(const api_t *a, const api_token_asked_t *asked,
                                    apr_array_header_t *caveats, const char **wrong)
{
    narrow_files_t files = {NULL, NULL, NULL, NULL};
    narrow_t narrow = {.networks = asked->network,
                       .versions = asked->version,
                       .globs = asked->glob,
                       .kinds = asked->kind,
                       .uses = asked->uses,
                       .only_new = asked->only_new,
                       .only_existing = asked->only_existing};
    apr_int64_t now = seam_system.now();
    const char *sentence = api_token_files(a, asked->file, &files, wrong);

    if (!sentence && !*wrong) {
        sentence = narrow_caveats(caveats, &narrow, now, a->r->pool);
    }
    narrow = narrow_files_all(&files);
    return sentence || *wrong ? sentence : narrow_caveats(caveats, &narrow, now, a->r->pool);
}

static const char *api_token_end(const api_token_asked_t *asked, apr_int64_t *expires)
{
    return asked->expires && duration_ahead(slice_of(asked->expires), seam_system.now(), expires)
               ? "expires is a span like 30d or a time like 2030-01-31T12:00Z."
               : NULL;
}

/* NOTFOUND here is a project, not the address. */
static int api_token_not_made(api_t *a, store_rc_t rc, const char *sentence)
{
    return rc == STORE_DOWN ? api_failed(a, rc) : api_token_impossible(a, sentence);
}

int api_token_create(api_t *a)
{
    apr_array_header_t *caveats = apr_array_make(a->r->pool, 8, sizeof(slice_t));
    api_token_asked_t asked = {0};
    issue_request_t request = {.service = config_service(a->r->server),
                               .caveats = caveats,
                               .policy = config_dir(a->r)->policy};
    mine_t mine = api_mine(a);
    const char *sentence = NULL,
               *wrong = API_TOKEN_READ(&asked, a->body, api_token_create_members, a->r->pool);
    store_rc_t rc = STORE_CONFLICT;
    issue_t made;
    char *text;

    if (!wrong) {
        sentence = api_token_narrow(a, &asked, caveats, &wrong);
    }
    if (wrong) {
        return api_refuse_code(a, VERDICT_API_BODY, wrong);
    }
    request.name = asked.name ? asked.name : "";
    if (asked.project) {
        request.projects = (const char *const *)asked.project->elts;
        request.n_projects = (apr_size_t)asked.project->nelts;
    }
    sentence = sentence ? sentence : api_token_end(&asked, &request.expires);
    if (!sentence) {
        sentence = mine_issue(&mine, &text, &made, &request,
                              caveat_describe_all((const slice_t *)caveats->elts,
                                                  (apr_size_t)caveats->nelts, a->r->pool),
                              &rc, a->r->pool);
    }
    if (sentence) {
        return api_token_not_made(a, rc, sentence);
    }
    return api_answer_token(a, text,
                            json_pack("{s:s, s:o, s:o}", "id", made.id, "name",
                                      manage_string(a->m, request.name), "expires",
                                      api_token_time(made.expires)));
}

int api_token_rotate(api_t *a)
{
    api_token_asked_t asked = {0};
    rotate_request_t request = {.service = config_service(a->r->server),
                                .policy = config_dir(a->r)->policy,
                                .by = a->m->user};
    mine_t mine = api_mine(a);
    const char *wrong = API_TOKEN_READ(&asked, a->body, api_token_rotate_members, a->r->pool),
               *sentence;
    store_rc_t rc = STORE_CONFLICT;
    store_token_t old = {0};
    rotate_t made;

    if (wrong) {
        return api_refuse_code(a, VERDICT_API_BODY, wrong);
    }
    request.overlap = asked.overlap;
    sentence = api_token_end(&asked, &request.expires);
    if (!sentence) {
        sentence = mine_rotate(&mine, a->id, &old, &made, &request, &rc, a->r->pool);
        if (sentence && !old.id) {
            return api_failed(a, rc);
        }
    }
    if (sentence) {
        return api_token_not_made(a, rc, sentence);
    }
    return api_answer_token(a, made.text,
                            json_pack("{s:s, s:o, s:o, s:{s:s, s:o}}", "id", made.issued.id, "name",
                                      manage_string(a->m, old.name), "expires",
                                      api_token_time(made.issued.expires), "old", "id", old.id,
                                      "expires", api_token_time(made.until)));
}
