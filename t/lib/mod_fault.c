/*
 * mod_fault.c - an httpd module with faults, so that a test knows that they are found.
 *
 * GET /fault/NAME commits one: over (a byte past a piece of a pool), after (reads what a pool
 * held), leak, race (threads write one int unlocked), none.
 */
#include <apr_strings.h>
#include <http_protocol.h>
#include <httpd.h>
#include <http_config.h>
#include <pthread.h>
#include <stdlib.h>

static int fault_shared;
static char *volatile fault_lost;

static void *fault_writer(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 1000; i++) {
        fault_shared++;
    }
    return NULL;
}

static void fault_race(void)
{
    pthread_t threads[2];
    int i;

    for (i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, fault_writer, NULL);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static int fault_after(request_rec *r)
{
    apr_pool_t *pool;
    volatile char *p;

    apr_pool_create(&pool, r->pool);
    p = apr_pcalloc(pool, 100);
    apr_pool_destroy(pool);
    return p[50];
}

static int fault_handler(request_rec *r)
{
    volatile char *p = apr_pcalloc(r->pool, 24);
    const char *name = strrchr(r->uri, '/') + 1;

    if (!r->handler || strcmp(r->handler, "fault") != 0) {
        return DECLINED;
    }
    if (strcmp(name, "over") == 0) {
        ap_rprintf(r, "%d ", p[24]);
    } else if (strcmp(name, "after") == 0) {
        ap_rprintf(r, "%d ", fault_after(r));
    } else if (strcmp(name, "leak") == 0) {
        fault_lost = malloc(1234);
        fault_lost = malloc(1234);
    } else if (strcmp(name, "race") == 0) {
        fault_race();
    }
    ap_rputs("done\n", r);
    return OK;
}

static void fault_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(fault_handler, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA fault_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, fault_hooks, AP_MODULE_FLAG_NONE};
