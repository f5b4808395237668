/* api.c - the JSON API: routes, checks before a function, answers; see api.h. */
#include "httpd/private.h"
#include "httpd/api.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "core/credential.h"
#include "core/utf8.h"
#include "httpd/api_disclose.h"
#include "httpd/api_json.h"
#include "httpd/api_read.h"
#include "httpd/api_token.h"
#include "httpd/config.h"
#include "httpd/entry.h"
#include "httpd/limits.h"
#include "httpd/manage_session.h"
#include "httpd/tls.h"

#include "httpd/api_data.h"

typedef enum api_who_t {
    API_ANYBODY,
    API_PERSON, /* user name, password and code */
    API_BEARER, /* a token, for itself */
} api_who_t;

typedef enum api_takes_t {
    API_NOTHING,
    API_OBJECT,
    API_ITSELF /* the function reads the body */
} api_takes_t;

typedef struct api_route_t {
    const char *method, *path; /* one '*' stands for one segment */
    api_who_t who;
    api_takes_t takes;
    const char *query; /* names that the query string may have, with spaces between */
    int (*run)(api_t *a);
} api_route_t;

static int api_description(api_t *a);

static const api_route_t api_routes[] = {
    {"GET", "api/1/openapi.json", API_ANYBODY, API_NOTHING, "", api_description},
    {"GET", "api/1/tokens", API_PERSON, API_NOTHING, "state project", api_token_list},
    {"POST", "api/1/tokens", API_PERSON, API_OBJECT, "", api_token_create},
    {"DELETE", "api/1/tokens/current", API_BEARER, API_NOTHING, "", api_token_burn},
    {"GET", "api/1/tokens/*", API_PERSON, API_NOTHING, "", api_token_show},
    {"DELETE", "api/1/tokens/*", API_PERSON, API_NOTHING, "", api_token_revoke},
    {"POST", "api/1/tokens/*/rotate", API_PERSON, API_OBJECT, "", api_token_rotate},
    {"GET", "api/1/projects", API_PERSON, API_NOTHING, "", api_read_projects},
    {"GET", "api/1/events", API_PERSON, API_NOTHING, "before", api_read_events},
    {"POST", "secrets/disclose-token", API_ANYBODY, API_ITSELF, "", api_disclose_run},
};
#define API_ROUTES (sizeof(api_routes) / sizeof(api_routes[0]))

/* ---- answers ---- */

static int api_send(api_t *a, int status, const char *text, apr_size_t n)
{
    a->r->status = status;
    ap_set_content_type(a->r, "application/json");
    ap_set_content_length(a->r, (apr_off_t)n);
    (void)ap_rwrite(text, (int)n, a->r);
    return OK;
}

int api_answer(api_t *a, int status, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    int rc;

    json_decref(data);
    if (!text) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, a->r, "pypitoken: an answer is no JSON");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = api_send(a, status, text, strlen(text));
    free(text);
    return rc;
}

int api_answer_token(api_t *a, const char *token, json_t *data)
{
    static const char head[] = "{\"token\":\"", middle[] = "\",";
    char *rest = json_dumps(data, JSON_COMPACT), *text, *p;
    apr_size_t n = strlen(token), n_rest = rest ? strlen(rest) : 0;
    int rc = HTTP_INTERNAL_SERVER_ERROR;

    json_decref(data);
    if (n_rest > 2) { /* a token holds nothing that JSON escapes */
        text = p = macaroon_secret(sizeof(head) + n + sizeof(middle) + n_rest, a->r->pool);
        memcpy(p, head, sizeof(head) - 1);
        p += sizeof(head) - 1;
        memcpy(p, token, n);
        p += n;
        memcpy(p, middle, sizeof(middle) - 1);
        p += sizeof(middle) - 1;
        memcpy(p, rest + 1, n_rest - 1);
        rc = api_send(a, HTTP_CREATED, text, (apr_size_t)(p - text) + n_rest - 1);
    }
    free(rest);
    return rc;
}

int api_done(api_t *a)
{
    a->r->status = HTTP_NO_CONTENT;
    return OK;
}

/* Credentials that are no good, or none, are asked for again; for uploads they are 403. */
static int api_status(verdict_code_t code)
{
    return code == VERDICT_LOGIN_FAILED || code == VERDICT_CREDENTIALS_MALFORMED
               ? HTTP_UNAUTHORIZED
               : verdict_status(code);
}

int api_refuse(api_t *a, const verdict_t *v, const char *message)
{
    int status = api_status(v->code);
    json_t *data = json_object();

    manage_note(a->m, v);
    if (status == HTTP_UNAUTHORIZED) {
        manage_challenge(a->m);
    }
    json_object_set_new(data, "code", json_string(verdict_word(v->code)));
    json_object_set_new(data, "message",
                        manage_string(a->m, message ? message : verdict_sentence(v, a->r->pool)));
    return api_answer(a, status, data);
}

int api_refuse_code(api_t *a, verdict_code_t code, const char *detail)
{
    verdict_t v;

    verdict_set(&v, code, slice_of(detail), a->r->pool);
    return api_refuse(a, &v, NULL);
}

int api_failed(api_t *a, store_rc_t rc)
{
    return api_refuse_code(a, rc == STORE_NOTFOUND ? VERDICT_API_UNKNOWN : VERDICT_STORE_DOWN,
                           NULL);
}

mine_t api_mine(const api_t *a)
{
    return manage_mine(a->m);
}

static int api_description(api_t *a)
{
    return api_send(a, HTTP_OK, api_data, sizeof(api_data) - 1);
}

/* ---- which route ---- */

/* 1 when the path is of that pattern; *id is what stands for the '*'. */
static int api_fits(const char *pattern, const char *path, slice_t *id)
{
    const char *star = strchr(pattern, '*');
    apr_size_t head = star ? (apr_size_t)(star - pattern) : 0;

    if (!star) {
        return strcmp(pattern, path) == 0;
    }
    if (strncmp(pattern, path, head) != 0) {
        return 0;
    }
    *id = slice_make(path + head, strcspn(path + head, "/"));
    return id->n && strcmp(id->p + id->n, star + 1) == 0;
}

/* The route, or NULL: *allowed then holds the methods that the address has, NULL when it is none.
 * An address is that of the first pattern that it fits. */
static const api_route_t *api_find(api_t *a, const char **allowed)
{
    const char *path = a->m->route, *method = a->r->header_only ? "GET" : a->r->method;
    const char *pattern = NULL;
    apr_size_t i;

    *allowed = NULL;
    for (i = 0; i < API_ROUTES; i++) {
        const api_route_t *route = &api_routes[i];

        if (pattern ? strcmp(pattern, route->path) != 0 : !api_fits(route->path, path, &a->id)) {
            continue;
        }
        if (strcmp(route->method, method) == 0) {
            return route;
        }
        pattern = route->path;
        *allowed =
            *allowed ? apr_pstrcat(a->r->pool, *allowed, ", ", route->method, NULL) : route->method;
    }
    return NULL;
}

/* ---- before a function runs ---- */

/* NULL, or what the query string has that is not known. */
static const char *api_query(api_t *a, const api_route_t *route)
{
    const char *args = a->r->args ? a->r->args : "";
    int i;

    if (form_parse(a->query, apr_pstrdup(a->r->pool, args), strlen(args))) {
        return "it is malformed";
    }
    for (i = 0; i < a->query->n; i++) {
        const char *name = slice_dup(a->query->fields[i].name, a->r->pool);

        if (!*name || strchr(name, ' ') ||
            !strstr(apr_pstrcat(a->r->pool, " ", route->query, " ", NULL),
                    apr_pstrcat(a->r->pool, " ", name, " ", NULL))) {
            return apr_pstrcat(a->r->pool, "it has nothing ", api_json_name(name, a->r->pool),
                               NULL);
        }
    }
    return NULL;
}

static int api_is_json(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t n = type ? strcspn(type, ";") : 0;

    return n && slice_is_nocase(slice_trim(slice_make(type, n)), "application/json") &&
           (!type[n] || slice_is_nocase(slice_trim(slice_of(type + n + 1)), "charset=utf-8"));
}

static apr_status_t api_forget(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

static verdict_code_t api_body(api_t *a, const api_route_t *route, verdict_t *v)
{
    verdict_code_t code;
    json_error_t error;
    apr_size_t n;
    char *text;

    code = manage_read(a->r, route->takes == API_NOTHING ? 0 : API_BODY, &text, &n);
    if (code != VERDICT_ALLOWED) {
        return verdict_set(v, code, slice_of(route->takes == API_NOTHING ? "0 bytes" : "64 KiB"),
                           a->r->pool);
    }
    if (route->takes == API_NOTHING) {
        return VERDICT_ALLOWED;
    }
    if (!api_is_json(a->r)) {
        return verdict_set(v, VERDICT_API_TYPE, slice_of(NULL), a->r->pool);
    }
    a->body = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (a->body) {
        apr_pool_cleanup_register(a->r->pool, a->body, api_forget, apr_pool_cleanup_null);
    }
    /* what jansson says may quote the body */
    return json_is_object(a->body)
               ? VERDICT_ALLOWED
               : verdict_set(v, VERDICT_API_BODY,
                             slice_of(a->body ? "it is JSON, but no object" : "it is not JSON"),
                             a->r->pool);
}

/* A token whose signature holds, whatever else there is against it. */
static verdict_code_t api_bearer(api_t *a, verdict_t *v)
{
    slice_t header = slice_of(apr_table_get(a->r->headers_in, "Authorization"));
    credential_t credential;
    verdict_code_t code;

    if (!header.n) {
        return verdict_set(v, VERDICT_NO_CREDENTIALS, header, a->r->pool);
    }
    code = credential_read(&credential, header, a->r->pool);
    if (code == VERDICT_ALLOWED && credential.kind != CREDENTIAL_TOKEN) {
        code = VERDICT_NO_CREDENTIALS; /* a password is not looked at */
    }
    if (code != VERDICT_ALLOWED) {
        return verdict_set(v, code, slice_of(NULL), a->r->pool);
    }
    code = limits_bearer(a->r, &a->bearer, credential.token, v);
    a->m->user = a->bearer.token.user_name;
    if (!a->bearer.token.id) {
        store_event_t event = {
            .kind = "token-refused", .address = a->r->useragent_ip, .verdict = verdict_word(code)};

        (void)store_note(a->m->store, &event);
        return code;
    }
    return VERDICT_ALLOWED;
}

static verdict_code_t api_person(api_t *a, verdict_t *v)
{
    verdict_code_t code = manage_session_asks(a->m, v);

    if (code == VERDICT_ALLOWED && a->m->by == MANAGE_NOBODY) {
        code = verdict_set(v, VERDICT_LOGIN_NEEDED, slice_of(NULL), a->r->pool);
    }
    return code;
}

static verdict_code_t api_who(api_t *a, const api_route_t *route, verdict_t *v)
{
    if (route->who == API_ANYBODY) {
        return VERDICT_ALLOWED;
    }
    if (strcmp(route->method, "GET") != 0 && !manage_own_page(a->r)) {
        return verdict_set(v, VERDICT_PAGE_FORGED, slice_of(NULL), a->r->pool);
    }
    if (!a->m->store) {
        return verdict_set(v, VERDICT_STORE_DOWN, slice_of(NULL), a->r->pool);
    }
    return route->who == API_BEARER ? api_bearer(a, v) : api_person(a, v);
}

int api_here(const char *path)
{
    return strncmp(path, "api/", 4) == 0 || strncmp(path, "secrets/", 8) == 0;
}

int api_run(manage_t *m)
{
    api_t *a = apr_pcalloc(m->r->pool, sizeof(*a));
    const api_route_t *route;
    const char *allowed, *wrong;
    verdict_t v;

    a->m = m;
    a->r = m->r;
    a->query = apr_pcalloc(m->r->pool, sizeof(*a->query));
    route = api_find(a, &allowed);
    if (!route) {
        if (allowed) {
            apr_table_setn(a->r->err_headers_out, "Allow", allowed);
        }
        return api_refuse_code(a, allowed ? VERDICT_API_METHOD : VERDICT_API_UNKNOWN, NULL);
    }
    if (route->who != API_ANYBODY && tls_clear(a->r)) {
        if (apr_table_get(a->r->headers_in, "Authorization")) {
            (void)entry_clear(a->r, "api", &v); /* it is on record */
        }
        return api_refuse_code(a, VERDICT_TLS_REQUIRED, NULL);
    }
    wrong = api_query(a, route);
    if (wrong) {
        return api_refuse_code(a, VERDICT_API_QUERY, wrong);
    }
    m->store = config_store(a->r->server);
    if (api_who(a, route, &v) != VERDICT_ALLOWED ||
        (route->takes != API_ITSELF && api_body(a, route, &v) != VERDICT_ALLOWED)) {
        return api_refuse(a, &v, NULL);
    }
    return route->run(a);
}
