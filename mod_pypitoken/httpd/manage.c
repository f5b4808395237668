/* manage.c - the handler of the pages for people: routes, checks before a page, answers; see
 * manage.h. */
#include "httpd/private.h"
#include "httpd/manage.h"

#include <apr_strings.h>
#include <string.h>

#include "access/admin.h"
#include "core/template.h"
#include "core/utf8.h"
#include "httpd/api.h"
#include "httpd/config.h"
#include "httpd/entry.h"
#include "httpd/manage_route.h"
#include "httpd/manage_session.h"
#include "httpd/pages.h"
#include "httpd/tls.h"
#include "httpd/words.h"

/* ---- answers ---- */

static void manage_headers(const manage_t *m)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "
                                    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Referrer-Policy", "same-origin"},
        {"Vary", "Accept-Language"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        apr_table_setn(m->r->err_headers_out, rows[i].name, rows[i].value);
    }
}

json_t *manage_string(const manage_t *m, const char *text)
{
    slice_t s = slice_of(text);

    return json_string(utf8_valid(s) ? text : slice_printable(s, s.n, m->r->pool));
}

json_t *manage_text(const manage_t *m, const char *text)
{
    return text && *text ? manage_string(m, text) : json_false();
}

json_t *manage_words(const manage_t *m, const char *english)
{
    return english ? manage_string(m, words_say(m->language, english, m->r->pool)) : json_false();
}

int manage_page(manage_t *m, int status, const char *template, const char *title, json_t *data)
{
    request_rec *r = m->r;
    const char *wrong;
    slice_t page;

    data = data ? data : json_object();
    if (m->language != WORDS_ENGLISH) {
        template = apr_pstrcat(r->pool, words_tag(m->language), "/", template, NULL);
    }
    manage_route_where(m, data);
    json_object_set_new(data, "lang", json_string(words_tag(m->language)));
    if (title) {
        json_object_set_new(data, "title", manage_words(m, title));
    }
    json_object_set_new(data, "service", manage_string(m, config_service(r->server)));
    json_object_set_new(data, "version", json_string(PYPITOKEN_VERSION));
    json_object_set_new(data, "root", json_string(m->root));
    json_object_set_new(data, "user", m->user ? manage_string(m, m->user) : json_null());
    json_object_set_new(data, "csrf", m->csrf ? json_string(m->csrf) : json_null());
    wrong = template_render(&page, template, data, pages_find, r->pool);
    json_decref(data);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, r, "pypitoken: page %s: %s", template, wrong);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    r->status = status;
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)page.n);
    (void)ap_rwrite(page.p, (int)page.n, r);
    return OK;
}

int manage_go(manage_t *m, const char *route)
{
    apr_table_setn(m->r->err_headers_out, "Location",
                   apr_pstrcat(m->r->pool, m->root, route, NULL));
    return HTTP_SEE_OTHER;
}

/* As for refused uploads: trouble of ours is an error, a stray visitor not worth a notice. */
static int manage_level(int status)
{
    return status >= 500                                             ? APLOG_ERR
           : status == HTTP_NOT_FOUND || status == HTTP_UNAUTHORIZED ? APLOG_INFO
                                                                     : APLOG_NOTICE;
}

void manage_note(manage_t *m, const verdict_t *v)
{
    int status = verdict_status(v->code);

    apr_table_setn(m->r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(v->code));
    ap_log_rerror(APLOG_MARK, manage_level(status), 0, m->r, "pypitoken: refused, %s",
                  verdict_logline(v, m->r->pool));
    if (v->retry_after || status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(m->r->err_headers_out, "Retry-After",
                       apr_psprintf(m->r->pool, "%u", v->retry_after ? v->retry_after : 30));
    }
}

void manage_challenge(manage_t *m)
{
    apr_table_setn(m->r->err_headers_out, "WWW-Authenticate",
                   apr_psprintf(m->r->pool, "Basic realm=\"%s\", charset=\"UTF-8\"",
                                ap_escape_quotes(m->r->pool, config_service(m->r->server))));
}

/* Who came with Basic gets 401, or else the browser would repeat what was wrong for ever. */
int manage_refuse(manage_t *m, const verdict_t *v)
{
    int status = verdict_status(v->code);
    int again = v->code == VERDICT_LOGIN_FAILED || v->code == VERDICT_LOGIN_NEEDED ||
                v->code == VERDICT_CREDENTIALS_MALFORMED || v->code == VERDICT_TOKEN_UPLOADS_ONLY;
    json_t *data = json_object();

    manage_note(m, v);
    if (again) {
        status = HTTP_UNAUTHORIZED;
        manage_challenge(m);
    }
    json_object_set_new(data, "problem", json_true());
    json_object_set_new(data, "message", manage_words(m, verdict_sentence(v, m->r->pool)));
    json_object_set_new(data, "again",
                        json_boolean(status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN));
    return manage_page(m, status, "message",
                       status >= 500              ? T_("Not now")
                       : status == HTTP_NOT_FOUND ? T_("Not found")
                                                  : T_("Refused"),
                       data);
}

int manage_refuse_code(manage_t *m, verdict_code_t code)
{
    verdict_t v;

    verdict_set(&v, code, slice_of(NULL), m->r->pool);
    return manage_refuse(m, &v);
}

int manage_failed(manage_t *m, store_rc_t rc)
{
    return manage_refuse_code(m, rc == STORE_NOTFOUND ? VERDICT_PAGE_UNKNOWN : VERDICT_STORE_DOWN);
}

int manage_style(manage_t *m)
{
    const char *text = pages_style();

    apr_table_setn(m->r->err_headers_out, "Cache-Control", "public, max-age=86400");
    ap_set_content_type(m->r, "text/css; charset=utf-8");
    ap_set_content_length(m->r, (apr_off_t)strlen(text));
    ap_rputs(text, m->r);
    return OK;
}

/* ---- before a page ---- */

/* The host of an Origin is the one that was asked for, under whatever name a proxy passes that on.
 */
static int manage_origin(request_rec *r, const char *origin)
{
    static const char *const names[] = {"Host", "X-Forwarded-Host"};
    const char *host = strstr(origin, "://");
    apr_size_t i;

    for (i = 0; host && i < sizeof(names) / sizeof(*names); i++) {
        const char *asked = apr_table_get(r->headers_in, names[i]);

        if (asked && strcasecmp(asked, host + 3) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A browser says itself where a form comes from; an old one at least its origin. */
int manage_own_page(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");

    if (site) {
        return strcmp(site, "same-origin") == 0;
    }
    return !origin || manage_origin(r, origin);
}

verdict_code_t manage_read(request_rec *r, apr_size_t max, char **body, apr_size_t *n)
{
    long got = 1;

    *body = macaroon_secret(max + 1, r->pool);
    *n = 0;
    if (ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK) != OK) {
        r->connection->keepalive = AP_CONN_CLOSE;
        return VERDICT_BODY_BROKEN;
    }
    if (ap_should_client_block(r)) {
        while (got > 0 && *n <= max) {
            got = ap_get_client_block(r, *body + *n, max + 1 - *n);
            *n += got > 0 ? (apr_size_t)got : 0;
        }
    }
    if (got < 0 || *n > max) {
        r->connection->keepalive = AP_CONN_CLOSE;
        return got < 0 ? VERDICT_BODY_BROKEN : VERDICT_API_SIZE;
    }
    return VERDICT_ALLOWED;
}

/* Reads the form into m->form. 0, or the verdict. */
static verdict_code_t manage_body(manage_t *m)
{
    const char *type = apr_table_get(m->r->headers_in, "Content-Type");
    verdict_code_t code;
    apr_size_t n;
    char *body;

    if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
        (type[33] && type[33] != ';')) {
        return VERDICT_PAGE_FORM;
    }
    code = manage_read(m->r, MANAGE_BODY, &body, &n);
    if (code == VERDICT_ALLOWED) {
        code = form_parse(&m->form, body, n) ? VERDICT_PAGE_FORM : VERDICT_ALLOWED;
    }
    return code == VERDICT_API_SIZE ? VERDICT_PAGE_FORM : code;
}

/* What must be so before a POST reaches its page. */
static verdict_code_t manage_post(manage_t *m, const manage_route_t *route)
{
    verdict_code_t code;

    if (!manage_own_page(m->r)) {
        return VERDICT_PAGE_FORGED;
    }
    code = manage_body(m);
    if (code == VERDICT_ALLOWED && route->acts != MANAGE_OPEN && m->by != MANAGE_NOBODY &&
        (!m->csrf || !session_csrf_is(form_get(&m->form, "csrf"), m->csrf))) {
        code = VERDICT_PAGE_FORGED;
    }
    return code;
}

/* The path below the mount point, NULL for the mount point without its slash. */
static const char *manage_path(request_rec *r, const char *base)
{
    apr_size_t n = strlen(base);

    n -= n && base[n - 1] == '/' ? 1 : 0;
    if (strncmp(r->uri, base, n) != 0 || r->uri[n] != '/') {
        return NULL;
    }
    return r->uri + n + 1;
}

static const char *manage_root(request_rec *r, const char *path)
{
    const char *root = "./", *slash;

    for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        root = strcmp(root, "./") == 0 ? "../" : apr_pstrcat(r->pool, root, "../", NULL);
    }
    return root;
}

mine_t manage_mine(const manage_t *m)
{
    const char *agent = apr_table_get(m->r->headers_in, "User-Agent");

    return (mine_t){.store = m->store,
                    .seam = &seam_system,
                    .user = m->user,
                    .address = m->r->useragent_ip,
                    .agent = agent ? slice_printable(slice_of(agent), 200, m->r->pool) : NULL,
                    .admin = admin_named(config_dir(m->r)->admins, m->user)};
}

/* Whether whoever is signed in may, by the word of the route. */
static verdict_code_t manage_may(manage_t *m, manage_who_t who)
{
    store_rc_t rc = STORE_OK;

    if (who >= MANAGE_OWN_TOKEN && !m->store) {
        return VERDICT_STORE_DOWN;
    }
    if (who == MANAGE_OWN_TOKEN) {
        rc = mine_token(&m->mine, manage_route_last(m), &m->token, m->r->pool);
    } else if (who == MANAGE_MAINTAINER || who == MANAGE_OWNER) {
        rc = team_find(&m->team, &m->mine, manage_route_last(m), m->r->pool);
    } else if (who == MANAGE_ADMIN) {
        rc = m->mine.admin ? STORE_OK : STORE_NOTFOUND;
    }
    if (rc != STORE_OK) {
        return rc == STORE_NOTFOUND ? VERDICT_PAGE_UNKNOWN : VERDICT_STORE_DOWN;
    }
    return who == MANAGE_OWNER && !m->team.rules ? VERDICT_PAGE_DENIED : VERDICT_ALLOWED;
}

static int manage_run(manage_t *m, const manage_route_t *route)
{
    int post = m->r->method_number == M_POST;
    manage_who_t who = post ? route->acts : route->sees;
    verdict_code_t code;
    verdict_t v;

    if (who != MANAGE_OPEN && manage_session_who(m, &v) != VERDICT_ALLOWED) {
        return manage_refuse(m, &v);
    }
    if (who > MANAGE_ASKED && m->by == MANAGE_NOBODY) {
        return manage_go(m, "sign-in");
    }
    if (m->by != MANAGE_NOBODY) {
        m->mine = manage_mine(m);
    }
    code = manage_may(m, who);
    if (code == VERDICT_ALLOWED && post) {
        code = manage_post(m, route);
    }
    return code == VERDICT_ALLOWED ? (post ? route->post : route->get)(m)
                                   : manage_refuse_code(m, code);
}

/* In clear text: who has sent what opens an account is told to change it, others where to go. */
static int manage_clear(manage_t *m)
{
    request_rec *r = m->r;
    verdict_t v = {0};

    if (r->method_number != M_POST && !apr_table_get(r->headers_in, "Authorization") &&
        !manage_session_sent(r)) {
        return manage_refuse_code(m, VERDICT_TLS_NEEDED);
    }
    (void)entry_clear(r, "pages", &v);
    return manage_refuse(m, &v);
}

/* What a page costs, for whoever wants it in a log: %{pypitoken-statements}n. Requests beside this
 * one are in the number, too. */
static int manage_counted(manage_t *m, const manage_route_t *route)
{
    apr_uint64_t before = m->store ? store_statements(m->store) : 0;
    int answer = manage_run(m, route);

    if (m->store) {
        apr_table_setn(
            m->r->notes, "pypitoken-statements",
            apr_psprintf(m->r->pool, "%" APR_UINT64_T_FMT, store_statements(m->store) - before));
    }
    return answer;
}

static int manage_handler(request_rec *r)
{
    manage_t *m;
    const manage_route_t *route;
    const char *base, *path;

    if (!r->handler || strcasecmp(r->handler, CONFIG_MANAGE) != 0 || r->main) {
        return DECLINED;
    }
    base = config_dir(r)->manage_base;
    if (!base) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "pypitoken: the handler " CONFIG_MANAGE " is set by other means than "
                      "SetHandler in a <Location>");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    m = apr_pcalloc(r->pool, sizeof(*m));
    m->r = r;
    path = manage_path(r, base);
    m->route = path ? path : "";
    m->root =
        path ? manage_root(r, path) : apr_pstrcat(r->pool, strrchr(r->uri, '/') + 1, "/", NULL);
    m->language = words_choose(apr_table_get(r->headers_in, "Accept-Language"));
    manage_headers(m);
    if (!path) {
        return manage_go(m, "");
    }
    if (api_here(path)) {
        return api_run(m);
    }
    route = manage_route_find(path);
    if (!route) {
        return manage_refuse_code(m, VERDICT_PAGE_UNKNOWN);
    }
    if (!(r->method_number == M_POST  ? route->post
          : r->method_number == M_GET ? route->get
                                      : NULL)) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, route->get ? M_GET : M_POST,
                                  route->post ? M_POST : M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (tls_clear(r)) {
        return manage_clear(m);
    }
    m->store = config_store(r->server);
    return manage_counted(m, route);
}

/* ---- other handlers ---- */

/* __Host- cookies go to the whole host; a back end beside us is not to have them. */
static int manage_strip(request_rec *r)
{
    if (!r->handler || strcasecmp(r->handler, CONFIG_MANAGE) != 0) {
        manage_session_strip(r);
    }
    return DECLINED;
}

void manage_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(manage_strip, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(manage_handler, NULL, NULL, APR_HOOK_MIDDLE);
}
