/* crowd.c - places for uploads, over all children; see crowd.h. */
#include "httpd/private.h"
#include "httpd/crowd.h"
#include "httpd/config.h"

#include <ap_mpm.h>
#include <apr_shm.h>

#include "httpd/shm.h"

#define CROWD_KEY "pypitoken-crowd"

/* The places are everybody's, and old children's after a restart. */
struct crowd_t {
    _Atomic(apr_uint64_t) *places[CROWD_KINDS];
    unsigned int workers;
    apr_uint64_t self; /* this process as a holder; set in each child */
};

typedef struct crowd_place_t {
    slots_t slots;
    int place;
    apr_uint64_t holder;
} crowd_place_t;

/* ---- start ---- */

/* Zeroed once and kept in the process' own pool: a restart throws pconf away, but not the children
 * that were forked before. */
static void *crowd_share(server_rec *s)
{
    apr_size_t size = CROWD_KINDS * CROWD_MAX * sizeof(apr_uint64_t);
    void **kept = ap_retained_data_get(CROWD_KEY);
    apr_shm_t *shm;
    apr_status_t rv;

    if (!kept) {
        rv = apr_shm_create(&shm, size, NULL, s->process->pool);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "pypitoken: no shared memory");
            return NULL;
        }
        memset(apr_shm_baseaddr_get(shm), 0, size);
        kept = ap_retained_data_create(CROWD_KEY, sizeof(*kept));
        *kept = apr_shm_baseaddr_get(shm);
    }
    return *kept;
}

static int crowd_configured(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                            server_rec *main_server)
{
    _Atomic(apr_uint64_t) *places = crowd_share(main_server);
    crowd_t *crowd = apr_pcalloc(pconf, sizeof(*crowd));
    int daemons = 0, threads = 0, kind;
    server_rec *s;

    (void)plog;
    (void)ptemp;
    if (!places) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (kind = 0; kind < CROWD_KINDS; kind++) {
        crowd->places[kind] = places + kind * CROWD_MAX;
    }
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    crowd->workers = (unsigned int)daemons * (unsigned int)(threads > 0 ? threads : 1);
    for (s = main_server; s; s = s->next) {
        config_server(s)->crowd = crowd;
    }
    return OK;
}

/* Not shm_t's: an index that only reads has no store, and so no shared block. */
static void crowd_child(apr_pool_t *pchild, server_rec *main_server)
{
    (void)pchild;
    config_server(main_server)->crowd->self = shm_self();
}

/* ---- requests ---- */

static apr_status_t crowd_leave(void *data)
{
    const crowd_place_t *place = data;

    slots_leave(&place->slots, place->place, place->holder);
    return APR_SUCCESS;
}

static int crowd_limit(const crowd_t *crowd, const config_dir_t *c, crowd_kind_t kind)
{
    unsigned int spools =
        c->max_spools != CONFIG_UNSET ? (unsigned int)c->max_spools : (crowd->workers * 3 + 3) / 4;
    unsigned int n = kind == CROWD_SPOOL       ? spools
                     : spools < crowd->workers ? (crowd->workers - spools + 1) / 2
                                               : crowd->workers;

    return (int)(n < CROWD_MAX ? n : CROWD_MAX);
}

int crowd_enter(request_rec *r, crowd_kind_t kind)
{
    crowd_t *crowd = config_server(r->server)->crowd;
    void *have = NULL;
    crowd_place_t *place;

    apr_pool_userdata_get(&have, CROWD_KEY, r->pool);
    if (have) {
        return 1;
    }
    place = apr_palloc(r->pool, sizeof(*place));
    place->slots.places = crowd->places[kind];
    place->slots.n = crowd_limit(crowd, config_dir(r), kind);
    place->holder = crowd->self;
    place->place = slots_take(&place->slots, place->holder, shm_alive);
    if (place->place < 0) {
        return 0;
    }
    apr_pool_userdata_setn(place, CROWD_KEY, NULL, r->pool);
    apr_pool_cleanup_register(r->pool, place, crowd_leave, apr_pool_cleanup_null);
    return 1;
}

int crowd_taken(request_rec *r, crowd_kind_t kind, int *most)
{
    const crowd_t *crowd = config_server(r->server)->crowd;
    slots_t all = {crowd->places[kind], CROWD_MAX};

    *most = crowd_limit(crowd, config_dir(r), kind);
    return slots_taken(&all);
}

void crowd_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(crowd_configured, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(crowd_child, NULL, NULL, APR_HOOK_MIDDLE);
}
