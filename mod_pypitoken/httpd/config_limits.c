/* config_limits.c - the directives about failed logins, hashes and times; see config.h. */
#include "httpd/private.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <unistd.h>

#include "access/linger.h"
#include "access/policy.h"

#define CONFIG_LINGER      600
#define CONFIG_SESSION     (12 * 3600)
#define CONFIG_SESSION_MAX (30 * 86400)
#define CONFIG_QUEUE       16
#define CONFIG_HASHES      16 /* the most by default, however many processors there are */
#define CONFIG_FLUSH       apr_time_from_sec(5)

const throttle_figures_t *config_throttle(server_rec *s)
{
    const throttle_figures_t *f = config_server(s)->throttle;

    return f ? f : &throttle_defaults;
}

apr_uint32_t config_linger(const config_dir_t *c)
{
    return c->linger == CONFIG_UNSET ? CONFIG_LINGER : (apr_uint32_t)c->linger;
}

int config_session(const config_dir_t *c)
{
    return c->session == CONFIG_UNSET ? CONFIG_SESSION : c->session;
}

/* One hash a processor: more at a time only takes memory, 64 MiB each. */
void config_hashes(const config_server_t *c, int *hashes, int *queue)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    *hashes = c->hashes              ? c->hashes
              : cpus < 2             ? 2
              : cpus > CONFIG_HASHES ? CONFIG_HASHES
                                     : (int)cpus;
    *queue = c->hashes ? c->hash_queue : CONFIG_QUEUE;
}

apr_interval_time_t config_flush(server_rec *main_server)
{
    const config_server_t *c = config_server(main_server);

    return c->flush ? c->flush : CONFIG_FLUSH;
}

/* ---- setters ---- */

const char *config_set_flush(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_interval_time_t t;

    (void)dir;
    if (err) {
        return err;
    }
    if (ap_timeout_parameter_parse(arg, &t, "s") != APR_SUCCESS || t < apr_time_from_sec(1) ||
        t > apr_time_from_sec(600)) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " must be a time from 1s to 10min", NULL);
    }
    config_server(cmd->server)->flush = t;
    return NULL;
}

const char *config_set_throttle(cmd_parms *cmd, void *dir, const char *name, const char *rates)
{
    const char *err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    config_server_t *c = config_server(cmd->server);

    (void)dir;
    if (err) {
        return err;
    }
    if (!c->throttle) {
        c->throttle = apr_pmemdup(cmd->pool, &throttle_defaults, sizeof(throttle_defaults));
    }
    err = throttle_parse(c->throttle, name, rates, cmd->pool);
    return err ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", err, NULL) : NULL;
}

/* A number from least to most, -1 for anything else. */
static int config_limits_number(const char *text, int least, int most)
{
    char *end;
    apr_int64_t n = apr_strtoi64(text, &end, 10);

    return end != text && !*end && n >= least && n <= most ? (int)n : -1;
}

const char *config_set_hashes(cmd_parms *cmd, void *dir, const char *hashes, const char *queue)
{
    const char *err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    config_server_t *c = config_server(cmd->server);

    (void)dir;
    if (err) {
        return err;
    }
    c->hashes = config_limits_number(hashes, 1, SHARED_HASHES_MAX);
    c->hash_queue = queue ? config_limits_number(queue, 0, SHARED_QUEUE_MAX) : CONFIG_QUEUE;
    if (c->hashes < 0 || c->hash_queue < 0) {
        return apr_psprintf(cmd->pool,
                            "%s must be how many passwords are hashed at the same time, 1 to %d, "
                            "and how many logins may wait for that, 0 to %d",
                            cmd->cmd->name, SHARED_HASHES_MAX, SHARED_QUEUE_MAX);
    }
    return NULL;
}

/* A time from least to most seconds. */
static const char *config_limits_time(cmd_parms *cmd, const char *arg, int least, int most,
                                      const char *words, int *out)
{
    apr_interval_time_t t;

    if (ap_timeout_parameter_parse(arg, &t, "s") != APR_SUCCESS || t < apr_time_from_sec(least) ||
        t > apr_time_from_sec(most)) {
        return apr_psprintf(cmd->pool, "%s must be a time such as 10min or 600, %s", cmd->cmd->name,
                            words);
    }
    *out = (int)apr_time_sec(t);
    return NULL;
}

const char *config_set_linger(cmd_parms *cmd, void *dir, const char *arg)
{
    return config_limits_time(cmd, arg, 0, LINGER_MAX, "0 for never, and at most a day",
                              &((config_dir_t *)dir)->linger);
}

const char *config_set_session(cmd_parms *cmd, void *dir, const char *arg)
{
    return config_limits_time(cmd, arg, 1, CONFIG_SESSION_MAX, "and at most 30 days",
                              &((config_dir_t *)dir)->session);
}

/* Read here, in the parent: a mistake stops httpd, and the file may be root's alone. */
const char *config_set_policy(cmd_parms *cmd, void *dir, const char *path)
{
    config_dir_t *c = dir;
    policy_t *policy;
    const char *full = ap_server_root_relative(cmd->pool, path);
    const char *wrong = full ? policy_read(&policy, full, cmd->pool) : "the path is not valid";

    if (wrong) {
        return apr_psprintf(cmd->pool, "PyPITokenPolicy: %s", wrong);
    }
    c->policy = policy;
    return NULL;
}
