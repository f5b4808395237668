/* shm.c - memory for the shared block, its clock, and who is who among the children; see shm.h. */
#include "httpd/private.h"
#include "httpd/shm.h"
#include "httpd/config.h"

#include <apr_shm.h>
#include <errno.h>
#include <http_main.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHM_RETAINED "pypitoken-shared"
#define SHM_ALIGN    64

/* What outlives a configuration: plain data only. */
typedef struct shm_retained_t {
    void *memory;
    apr_size_t size;
} shm_retained_t;

const shm_t *shm_of(server_rec *s)
{
    return config_server(s)->shm;
}

static apr_int64_t shm_clock(void)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (apr_int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

apr_uint32_t shm_now(const shm_t *m)
{
    return shared_tick(&m->view, shm_clock());
}

/* ---- the block ---- */

static const char *shm_create(shm_retained_t *kept)
{
    apr_size_t size = shared_size();
    apr_shm_t *shm;
    uintptr_t base;

    if (apr_shm_create(&shm, size + SHM_ALIGN, NULL, ap_pglobal) != APR_SUCCESS) {
        return "there is no shared memory for counting failed logins";
    }
    base = (uintptr_t)apr_shm_baseaddr_get(shm);
    base = (base + SHM_ALIGN - 1) / SHM_ALIGN * SHM_ALIGN;
    if (shared_make((void *)base, &seam_system, shm_clock())) {
        return "there are no random bytes";
    }
    kept->memory = (void *)base;
    kept->size = size;
    return NULL;
}

static int shm_configured(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    shm_retained_t *kept = ap_retained_data_get(SHM_RETAINED);
    shm_t *m = apr_pcalloc(pconf, sizeof(*m));
    const char *err = NULL;
    int hashes, queue;
    server_rec *s;

    (void)plog;
    (void)ptemp;
    for (s = main; s && !config_server(s)->store; s = s->next) {
    }
    if (!s || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    config_hashes(config_server(main), &hashes, &queue);
    if (!kept) {
        kept = ap_retained_data_create(SHM_RETAINED, sizeof(*kept));
    }
    if (!kept->memory || shared_map(&m->view, kept->memory, kept->size, hashes, queue)) {
        err = shm_create(kept);
        if (!err) {
            (void)shared_map(&m->view, kept->memory, kept->size, hashes, queue);
        }
    }
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, main, "pypitoken: %s", err);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (s = main; s; s = s->next) {
        config_server(s)->shm = m;
    }
    return OK;
}

/* ---- processes ---- */

/* State and start time of a process, as the kernel tells; 0 where it does not. */
static int shm_stat(pid_t pid, char *state, apr_uint32_t *start)
{
    char path[64], text[1024];
    const char *at;
    apr_size_t n;
    FILE *f;
    int i;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    f = fopen(path, "re");
    if (!f) {
        return 0;
    }
    n = fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    /* "pid (any name) S ...", the start time is the 20th field from the state on */
    at = strrchr(text, ')');
    if (!at || at[1] != ' ') {
        return 0;
    }
    *state = at[2];
    for (i = 0, at += 2; at && i < 19; i++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    *start = at ? (apr_uint32_t)strtoull(at, NULL, 10) : 0;
    return at != NULL;
}

/* A zombie, and another process that got the number, do not live. */
int shm_alive(apr_uint64_t holder)
{
    pid_t pid = (pid_t)slots_pid(holder);
    apr_uint32_t start = 0;
    char state = ' ';

    if (kill(pid, 0) != 0 && errno == ESRCH) {
        return 0;
    }
    if (!shm_stat(pid, &state, &start)) {
        return 1;
    }
    return state != 'Z' && state != 'X' && slots_holder((apr_uint32_t)pid, start) == holder;
}

apr_uint64_t shm_self(void)
{
    apr_uint32_t start = 0;
    char state;

    (void)shm_stat(getpid(), &state, &start);
    return slots_holder((apr_uint32_t)getpid(), start);
}

static void shm_child(apr_pool_t *pchild, server_rec *main)
{
    shm_t *m = config_server(main)->shm;

    (void)pchild;
    if (m) {
        m->self = shm_self();
    }
}

void shm_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(shm_configured, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(shm_child, NULL, NULL, APR_HOOK_MIDDLE);
}
