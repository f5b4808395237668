/* store_open.c - from a URL to a store; see store.h. */
#include "store/store_priv.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

static const db_driver_t *const store_open_drivers[] = {&db_sqlite_driver, &db_mysql_driver};

struct store_place_t {
    const db_driver_t *driver;
    db_target_t target;
};

static const db_driver_t *store_open_driver(slice_t url, const char **place)
{
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(store_open_drivers); i++) {
        slice_t scheme = slice_of(store_open_drivers[i]->scheme);

        if (slice_starts(url, scheme.p) && url.n > scheme.n + 1 && url.p[scheme.n] == ':') {
            *place = url.p + scheme.n + 1;
            return store_open_drivers[i];
        }
    }
    return NULL;
}

const char *store_place_read(store_place_t **out, const store_config_t *config, apr_pool_t *pool)
{
    store_place_t *place = apr_pcalloc(pool, sizeof(*place));
    const char *url = apr_pstrdup(pool, config->url ? config->url : ""), *wrong;

    *out = NULL;
    place->driver = store_open_driver(slice_of(url), &place->target.place);
    if (!place->driver) {
        return apr_psprintf(pool,
                            "'%s' names no store that this program knows; write "
                            "sqlite:/path/file.db or mysql://user@host/database",
                            url);
    }
    place->target.secret = config->secret ? apr_pstrdup(pool, config->secret) : NULL;
    wrong = place->driver->plan ? place->driver->plan(&place->target, pool) : NULL;
    *out = wrong ? NULL : place;
    return wrong;
}

/* The end of a front end. Not where a signal has cut off a thread that is in the middle of things
 * (prefork): it would wait for itself. */
static apr_status_t store_open_end(void *data)
{
    store_t *s = data;

    if (getpid() == s->pid && db_idle(s->db) && trail_idle(s->trail)) {
        (void)store_flush(s);
        store_front_gone(s);
    }
    return APR_SUCCESS;
}

/* db_meter_fn: what was answered does not matter here, only whether there was an answer. */
static void store_open_meter(void *baton, db_rc_t rc, apr_interval_time_t took)
{
    const store_t *s = baton;

    s->meter(s->baton,
             rc == DB_DOWN                                      ? STORE_WENT_NOT
             : rc == DB_LOST || rc == DB_BUSY || rc == DB_ERROR ? STORE_WENT_WRONG
                                                                : STORE_WENT_WELL,
             took);
}

/* Everything but connecting. */
static const char *store_open_make(store_t **out, const store_config_t *config,
                                   const db_driver_t *driver, store_mode_t mode, apr_pool_t *pool)
{
    store_t *s = apr_pcalloc(pool, sizeof(*s));
    const store_place_t *place = config->place;
    store_place_t *own = NULL;
    const char *wrong = NULL;
    keyring_t *keys = NULL;
    db_config_t db = {0};

    s->seam = config->seam ? config->seam : &seam_system;
    s->log = config->log;
    s->told = config->told;
    s->meter = config->meter;
    s->baton = config->baton;
    s->keys = config->keys;
    if (!place) {
        wrong = store_place_read(&own, config, pool);
        place = own;
    }
    if (!wrong && !s->keys && config->keyring) {
        wrong = keyring_open(&keys, config->keyring, s->seam, pool);
        s->keys = keys;
    }
    if (wrong || !place) {
        return wrong ? wrong : "cannot open the store: it has no place";
    }
    s->place = place->target.place;
    s->driver = driver ? driver : place->driver;
    db.driver = s->driver;
    db.target = place->target;
    db.target.create = mode == STORE_MODE_CREATE;
    db.target.patient = mode != STORE_MODE_SERVE;
    db.welcome = mode == STORE_MODE_SERVE ? store_schema_welcome : NULL;
    db.meter = config->meter ? store_open_meter : NULL;
    db.baton = s;
    s->db = db_make(&db, pool);
    if (config->serve) {
        s->trail = trail_make(pool);
        s->group = store_group_make(pool);
    }
    if (!s->db || (config->serve && !(s->trail && s->group))) {
        return "cannot open the store: no mutex is to be had";
    }
    if (config->serve) {
        s->pid = getpid();
        apr_pool_cleanup_register(pool, s, store_open_end, apr_pool_cleanup_null);
    }
    *out = s;
    return NULL;
}

store_rc_t store_try(store_t *s, const char **why, apr_pool_t *pool)
{
    char reason[DB_WHY_MAX];
    db_conn_t *conn;
    db_rc_t rc = db_borrow(s->db, &conn, reason);

    db_return(conn);
    *why = rc == DB_OK ? NULL : apr_pstrdup(pool, reason);
    return rc == DB_OK ? STORE_OK : rc == DB_ERROR ? STORE_CONFLICT : STORE_DOWN;
}

const char *store_open_with(store_t **out, const store_config_t *config, const db_driver_t *driver,
                            store_mode_t mode, apr_pool_t *pool)
{
    store_t *s = NULL;
    const char *wrong = store_open_make(&s, config, driver, mode, pool);

    *out = NULL;
    if (!wrong && store_try(s, &wrong, pool) == STORE_OK) {
        db_created(s->db);
        *out = s;
    }
    return wrong;
}

const char *store_open(store_t **out, const store_config_t *config, apr_pool_t *pool)
{
    return store_open_with(out, config, NULL, STORE_MODE_SERVE, pool);
}

const char *store_open_later(store_t **out, const store_config_t *config, apr_pool_t *pool)
{
    const char *wrong = store_open_make(out, config, NULL, STORE_MODE_SERVE, pool);

    *out = wrong ? NULL : *out;
    return wrong;
}

const char *store_open_any(store_t **out, const store_config_t *config, int create,
                           apr_pool_t *pool)
{
    return store_open_with(out, config, NULL, create ? STORE_MODE_CREATE : STORE_MODE_ANY, pool);
}
