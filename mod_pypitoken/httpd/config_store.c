/*
 * config_store.c - the store behind the directives: checked in the parent, opened in each child.
 *
 * The keyring is read once in the parent, while that is still root, so that the file can stay
 * root's alone; children inherit the guarded memory. Database connections never cross a fork. A
 * thread in each child writes down what the store has gathered.
 */
#include "httpd/private.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>
#include <unixd.h>

#include "httpd/asuser.h"
#include "httpd/config_probe.h"
#include "httpd/metrics.h"
#include "httpd/notify.h"
#include "httpd/ticker.h"
#include "store/keyring.h"

/* A child that cannot open its store tries again after this long. */
#define CONFIG_STORE_RETRY apr_time_from_sec(1)

struct config_store_t {
    config_store_t *next;
    store_config_t config;
    server_rec *server;
    /* of the child */
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    store_t *store;
    apr_time_t retry;
};

static void config_store_log(void *baton, const char *line)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, (server_rec *)baton, "%s", line);
}

static int config_store_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The parent is root, its children are not: they need the file and, for its log, the directory. */
static const char *config_store_owner(const char *url, apr_pool_t *pool)
{
    const char *path = url + strlen("sqlite:"), *dir = ap_make_dirstr_parent(pool, path);
    const char *bad = !asuser_may(dir, R_OK | W_OK)    ? dir
                      : !asuser_may(path, R_OK | W_OK) ? path
                                                       : NULL;

    return bad ? apr_psprintf(pool,
                              "httpd's user (uid %ld) may not write %s, which the store needs: "
                              "chown it",
                              (long)ap_unixd_config.user_id, bad)
               : NULL;
}

/* An SQLite file is opened here and now, and closed again. */
static const char *config_store_file(const store_config_t *config, apr_pool_t *ptemp)
{
    store_t *store;
    apr_pool_t *once;
    const char *err;

    apr_pool_create(&once, ptemp);
    err = store_open(&store, config, once);
    err = err ? apr_pstrdup(ptemp, err) : NULL;
    apr_pool_destroy(once);
    return err ? err : config_store_owner(config->url, ptemp);
}

/* A server that is away at the moment does not keep httpd from starting: its children find it when
 * it is back. What nobody but the operator can mend does. The first of httpd's two passes over its
 * configuration leaves the question to the second. */
static const char *config_store_server(const store_config_t *config, server_rec *s,
                                       apr_pool_t *ptemp)
{
    const char *why = NULL;
    store_rc_t rc;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
        ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) {
        return NULL;
    }
    rc = config_probe(config, &why, ptemp);
    if (rc == STORE_DOWN) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, s,
                     "pypitoken: %s; starting all the same, with 503 for every upload until it is "
                     "there",
                     why);
    }
    return rc == STORE_CONFLICT ? why : NULL;
}

/* NULL, or what is wrong with the store that link names. Keys and the password are read here, while
 * this process is root. */
static const char *config_store_check(config_store_t *link, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    keyring_t *keys = NULL;
    store_place_t *place = NULL;
    store_config_t config;
    const char *err = keyring_open(&keys, link->config.keyring, &seam_system, pconf);

    err = err ? err : store_place_read(&place, &link->config, pconf);
    if (err) {
        return err;
    }
    link->config.keys = keys;
    link->config.place = place;
    config = link->config;
    config.serve = 0;
    config.told = NULL;
    return strncmp(config.url, "sqlite:", 7) == 0
               ? config_store_file(&config, ptemp)
               : config_store_server(&config, link->server, ptemp);
}

static config_store_t *config_store_find(config_store_t *all, const config_server_t *c)
{
    while (all && !(config_store_same(all->config.url, c->store_url) &&
                    config_store_same(all->config.secret, c->store_secret) &&
                    config_store_same(all->config.keyring, c->keyring))) {
        all = all->next;
    }
    return all;
}

static const char *config_store_missing(const config_server_t *c)
{
    if (!c->store_url) {
        return c->guarded ? "PyPITokenGuard is on, but no PyPITokenStore says where the tokens "
                            "are: add PyPITokenStore sqlite:/path/file.db or "
                            "mysql://user@host/database"
                          : "There is a SetHandler " CONFIG_MANAGE ", but no PyPITokenStore says "
                            "where the accounts are: add PyPITokenStore sqlite:/path/file.db or "
                            "mysql://user@host/database";
    }
    if (!c->keyring) {
        return "PyPITokenStore is set, but no PyPITokenKeyring names the file with its keys: add "
               "PyPITokenKeyring /path/keyring";
    }
    return NULL;
}

/* The check at start, in "httpd -t" too: no guard without a store that works. */
static int config_store_configured(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                                   server_rec *main_server)
{
    config_store_t *all = NULL, *link;
    server_rec *s;

    (void)plog;
    if (sodium_init() < 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, main_server, "libsodium does not start");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (s = main_server; s; s = s->next) {
        config_server_t *c = config_server(s);
        const char *err;

        if (!c->guarded && !c->managed && !c->store_url) {
            continue;
        }
        err = config_store_missing(c);
        link = err ? NULL : config_store_find(all, c);
        if (!err && !link) {
            link = apr_pcalloc(pconf, sizeof(*link));
            link->config.url = c->store_url;
            link->config.secret = c->store_secret;
            link->config.keyring = c->keyring;
            link->config.serve = 1;
            link->config.seam = &seam_system;
            link->config.log = config_store_log;
            link->config.told = notify_told;
            link->config.meter = metrics_store;
            link->config.baton = link->server = s;
            err = config_store_check(link, pconf, ptemp);
            link->next = all;
            all = link;
        }
        if (err) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "pypitoken: %s", err);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        c->store = link;
    }
    return OK;
}

static void config_store_tick(void *baton)
{
    const apr_array_header_t *links = baton;
    int i;

    for (i = 0; i < links->nelts; i++) {
        store_t *store = config_store(APR_ARRAY_IDX(links, i, config_store_t *)->server);

        if (store) {
            store_tick(store);
        }
    }
}

/* Without the thread nothing is gathered. */
static void config_store_ticker(apr_pool_t *pchild, apr_array_header_t *links, server_rec *s)
{
    apr_status_t rv = ticker_start(pchild, config_flush(s), config_store_tick, links);
    int i;

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "pypitoken: no thread is to be had; last uses are written at once");
        for (i = 0; i < links->nelts; i++) {
            APR_ARRAY_IDX(links, i, config_store_t *)->config.serve = 0;
        }
    }
}

static void config_store_child(apr_pool_t *pchild, server_rec *main_server)
{
    apr_array_header_t *links = apr_array_make(pchild, 1, sizeof(config_store_t *));
    server_rec *s;
    int i;

    for (s = main_server; s; s = s->next) {
        config_store_t *link = config_server(s)->store;

        if (link && !link->mutex) {
            link->pool = pchild;
            apr_thread_mutex_create(&link->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
            APR_ARRAY_PUSH(links, config_store_t *) = link;
        }
    }
    if (links->nelts) {
        config_store_ticker(pchild, links, main_server);
    }
    for (i = 0; i < links->nelts; i++) {
        (void)config_store(APR_ARRAY_IDX(links, i, config_store_t *)->server);
    }
}

static void config_store_open(config_store_t *link)
{
    apr_pool_t *pool;
    const char *err;

    if (apr_time_now() < link->retry) {
        return;
    }
    apr_pool_create(&pool, link->pool);
    err = store_open_later(&link->store, &link->config, pool);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, link->server, "pypitoken: %s", err);
        link->store = NULL;
        apr_pool_destroy(pool);
        link->retry = apr_time_now() + CONFIG_STORE_RETRY;
    }
}

store_t *config_store(server_rec *s)
{
    config_store_t *link = config_server(s)->store;
    store_t *store = NULL;

    if (link && link->mutex) {
        apr_thread_mutex_lock(link->mutex);
        if (!link->store) {
            config_store_open(link);
        }
        store = link->store;
        apr_thread_mutex_unlock(link->mutex);
    }
    return store;
}

const keyring_t *config_keys(server_rec *s)
{
    const config_store_t *link = config_server(s)->store;

    return link ? link->config.keys : NULL;
}

void config_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_config(config_store_configured, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(config_store_child, NULL, NULL, APR_HOOK_MIDDLE);
}
