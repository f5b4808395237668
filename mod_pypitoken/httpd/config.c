/*
 * config.c - the directives: records, setters, merging, the command table.
 * Opening and checking the store they name is config_store.c's.
 */
#include "httpd/private.h"
#include "httpd/chain.h"
#include "httpd/config.h"
#include "httpd/crowd.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#define CONFIG_MAX_UPLOAD ((apr_off_t)1024 * 1024 * 1024)
#define CONFIG_MEMORY     ((apr_off_t)128 * 1024)

config_dir_t *config_dir(request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &pypitoken_module);
}

config_server_t *config_server(server_rec *s)
{
    return ap_get_module_config(s->module_config, &pypitoken_module);
}

void *config_dir_create(apr_pool_t *p, char *path)
{
    config_dir_t *c = apr_pcalloc(p, sizeof(*c));

    (void)path;
    c->guard = c->new_projects = c->legacy_names = c->stream = CONFIG_UNSET;
    c->backend = c->require_tls = c->linger = c->session = c->max_spools = CONFIG_UNSET;
    c->max_upload = c->memory = c->drain = CONFIG_UNSET;
    c->factor = c->password_upload = CONFIG_UNSET;
    return c;
}

void *config_dir_merge(apr_pool_t *p, void *base_, void *add_)
{
    const config_dir_t *base = base_, *add = add_;
    config_dir_t *c = apr_pmemdup(p, add, sizeof(*c));

#define CONFIG_INHERIT(field, unset)                                                               \
    if (add->field == (unset)) {                                                                   \
        c->field = base->field;                                                                    \
    }
    CONFIG_INHERIT(guard, CONFIG_UNSET)
    CONFIG_INHERIT(guard_path, NULL)
    CONFIG_INHERIT(new_projects, CONFIG_UNSET)
    CONFIG_INHERIT(max_upload, CONFIG_UNSET)
    CONFIG_INHERIT(memory, CONFIG_UNSET)
    CONFIG_INHERIT(drain, CONFIG_UNSET)
    CONFIG_INHERIT(max_spools, CONFIG_UNSET)
    CONFIG_INHERIT(spool_dir, NULL)
    CONFIG_INHERIT(legacy_names, CONFIG_UNSET)
    CONFIG_INHERIT(stream, CONFIG_UNSET)
    CONFIG_INHERIT(backend, CONFIG_UNSET)
    CONFIG_INHERIT(require_tls, CONFIG_UNSET)
    CONFIG_INHERIT(linger, CONFIG_UNSET)
    CONFIG_INHERIT(session, CONFIG_UNSET)
    CONFIG_INHERIT(policy, NULL)
    CONFIG_INHERIT(disclosure, NULL)
    CONFIG_INHERIT(admins, NULL)
    CONFIG_INHERIT(upload_url, NULL)
    CONFIG_INHERIT(manage_base, NULL)
    CONFIG_INHERIT(password_upload, CONFIG_UNSET)
    CONFIG_INHERIT(basic_chain, NULL)
    CONFIG_INHERIT(form_chain, NULL)
    CONFIG_INHERIT(packages, NULL)
#undef CONFIG_INHERIT
    if (add->backend == CONFIG_UNSET) {
        c->backend_header = base->backend_header;
    }
    if (add->factor == CONFIG_UNSET) {
        c->factor = base->factor;
        c->factor_here = base->factor_here;
    }
    if (!add->packages) {
        c->packages_base = base->packages_base;
    }
    return c;
}

void *config_server_create(apr_pool_t *p, server_rec *s)
{
    config_server_t *c = apr_pcalloc(p, sizeof(*c));

    (void)s;
    c->guard_paths = apr_array_make(p, 1, sizeof(const char *));
    return c;
}

void *config_server_merge(apr_pool_t *p, void *base_, void *add_)
{
    const config_server_t *base = base_, *add = add_;
    config_server_t *c = apr_pcalloc(p, sizeof(*c));

    c->store_url = add->store_url ? add->store_url : base->store_url;
    c->store_secret = add->store_url ? add->store_secret : base->store_secret;
    if (!c->store_secret) {
        c->store_secret = add->store_secret ? add->store_secret : base->store_secret;
    }
    c->keyring = add->keyring ? add->keyring : base->keyring;
    c->service = add->service ? add->service : base->service;
    c->manage_path = add->manage_path ? add->manage_path : base->manage_path;
    c->guarded = add->guarded || base->guarded;
    c->guard_paths = apr_array_append(p, add->guard_paths, base->guard_paths);
    c->managed = add->managed || base->managed;
    c->throttle = base->throttle; /* add's cannot have any: GLOBAL_ONLY */
    return c;
}

apr_off_t config_max_upload(const config_dir_t *c)
{
    return c->max_upload == CONFIG_UNSET ? CONFIG_MAX_UPLOAD : c->max_upload;
}

apr_off_t config_memory(const config_dir_t *c)
{
    return c->memory == CONFIG_UNSET ? CONFIG_MEMORY : c->memory;
}

apr_off_t config_drain(const config_dir_t *c)
{
    return c->drain == CONFIG_UNSET ? config_max_upload(c) : c->drain;
}

const char *config_service(server_rec *s)
{
    const config_server_t *c = config_server(s);

    return c->service ? c->service : s->server_hostname ? s->server_hostname : "localhost";
}

/* ---- setters ---- */

static const char *config_set_store(cmd_parms *cmd, void *dir, const char *arg)
{
    store_config_t config = {0};
    store_place_t *place;

    (void)dir;
    if (strncmp(arg, "mysql://", 8) == 0) {
        config.url = config_server(cmd->server)->store_url = arg;
        return store_place_read(&place, &config, cmd->temp_pool);
    }
    if (strncmp(arg, "sqlite:/", 8) != 0) {
        return "PyPITokenStore must be sqlite:/absolute/path/to/file.db or "
               "mysql://user@host/database";
    }
    config_server(cmd->server)->store_url = arg;
    return NULL;
}

/* A server-level string; cmd->info is the offset in config_server_t, 1 in the top bit for a path.
 */
static const char *config_set_path(cmd_parms *cmd, void *dir, const char *arg)
{
    char *c = (char *)config_server(cmd->server) + (apr_size_t)cmd->info;
    const char *path = ap_server_root_relative(cmd->pool, arg);

    (void)dir;
    if (!path) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": the path is not valid", NULL);
    }
    *(const char **)(void *)c = path;
    return NULL;
}

static const char *config_set_service(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    if (!*arg || strlen(arg) > MACAROON_MAX_LOCATION) {
        return "PyPITokenService must be a name of 1 to 255 bytes";
    }
    config_server(cmd->server)->service = arg;
    return NULL;
}

/* 1 when the directive stands in a <Location> with a plain path, which is cmd->path. */
static int config_location(const cmd_parms *cmd)
{
    const ap_directive_t *parent = cmd->directive->parent;

    return cmd->path && cmd->path[0] == '/' && parent &&
           strcasecmp(parent->directive, "<Location") == 0 && parent->args[0] != '~' &&
           !strpbrk(cmd->path, "*?[");
}

/* The guard compares whole paths, so it must know its path: an exact Location. */
static const char *config_set_guard(cmd_parms *cmd, void *dir, int on)
{
    config_dir_t *c = dir;

    c->guard = on;
    if (!on) {
        return NULL;
    }
    if (!config_location(cmd)) {
        return "PyPITokenGuard On must stand in a <Location \"/path/\"> with the exact path of the "
               "upload URL, not in a pattern, a <Directory> or a .htaccess file";
    }
    c->guard_path = cmd->path;
    config_server(cmd->server)->guarded = 1;
    APR_ARRAY_PUSH(config_server(cmd->server)->guard_paths, const char *) = cmd->path;
    return NULL;
}

/* httpd gives SetHandler to every module that has it in its table: we only look where our pages are
 * to be. They link to each other, so they must know where they are. */
static const char *config_set_handler(cmd_parms *cmd, void *dir, const char *arg)
{
    if (strcasecmp(arg, CONFIG_MANAGE) != 0) {
        return NULL;
    }
    if (!config_location(cmd)) {
        return "SetHandler " CONFIG_MANAGE " must stand in a <Location \"/path/\">, not in a "
               "pattern, a <Directory> or a .htaccess file";
    }
    ((config_dir_t *)dir)->manage_base = cmd->path;
    config_server(cmd->server)->manage_path = cmd->path;
    config_server(cmd->server)->managed = 1;
    return NULL;
}

static const char *config_set_new_projects(cmd_parms *cmd, void *dir, const char *arg)
{
    config_dir_t *c = dir;

    (void)cmd;
    if (strcasecmp(arg, "Anyone") == 0) {
        c->new_projects = 1;
    } else if (strcasecmp(arg, "Nobody") == 0) {
        c->new_projects = 0;
    } else {
        return "PyPITokenNewProjects must be Anyone or Nobody";
    }
    return NULL;
}

/* A size: digits, then K, M or G or nothing. */
static const char *config_set_size(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_off_t *field = (apr_off_t *)(void *)((char *)dir + (apr_size_t)cmd->info);
    static const char units[] = "KMGkmg";
    apr_off_t n;
    char *end;

    if (apr_strtoff(&n, arg, &end, 10) == APR_SUCCESS && end != arg && n >= 0 && arg[0] >= '0' &&
        arg[0] <= '9') {
        const char *unit = *end ? strchr(units, *end) : NULL;
        int shift = unit ? 10 * (int)((unit - units) % 3 + 1) : 0;

        if ((unit ? end[1] : *end) == '\0' && n <= (APR_INT64_MAX >> shift)) {
            *field = n << shift;
            return NULL;
        }
    }
    return apr_pstrcat(cmd->pool, cmd->cmd->name, " must be a size such as 65536, 128K, 500M or 1G",
                       NULL);
}

static const char *config_set_spools(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_int64_t n;
    char *end;

    n = apr_strtoi64(arg, &end, 10);
    if (arg[0] < '0' || arg[0] > '9' || *end || n < 1 || n > CROWD_MAX) {
        return apr_psprintf(cmd->pool, "%s must be a number from 1 to %d", cmd->cmd->name,
                            CROWD_MAX);
    }
    ((config_dir_t *)dir)->max_spools = (int)n;
    return NULL;
}

static const char *config_need_directory(cmd_parms *cmd, const char *arg, const char **path)
{
    apr_finfo_t info;

    *path = ap_server_root_relative(cmd->pool, arg);
    if (!*path || apr_stat(&info, *path, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return apr_psprintf(cmd->pool, "%s: %s is not a directory; create it first", cmd->cmd->name,
                            arg);
    }
    return NULL;
}

static const char *config_set_spool(cmd_parms *cmd, void *dir, const char *arg)
{
    return config_need_directory(cmd, arg, &((config_dir_t *)dir)->spool_dir);
}

static const char *config_set_packages(cmd_parms *cmd, void *dir, const char *arg)
{
    config_dir_t *c = dir;

    c->packages_base = cmd->path && cmd->path[0] == '/' ? cmd->path : NULL;
    return config_need_directory(cmd, arg, &c->packages);
}

/* "user:password" on the first line of a file that only its owner reads. */
static const char *config_read_service(cmd_parms *cmd, const char *file, const char **header)
{
    char line[1024] = "", *encoded;
    const char *err = NULL, *path = ap_server_root_relative(cmd->pool, file);
    apr_file_t *f = NULL;
    apr_finfo_t info;
    apr_size_t n;

    if (!path || apr_file_open(&f, path, APR_FOPEN_READ, 0, cmd->temp_pool) != APR_SUCCESS) {
        return apr_pstrcat(cmd->pool, "PyPITokenBackendAuth: cannot read ", file, NULL);
    }
    if (apr_file_info_get(&info, APR_FINFO_PROT, f) != APR_SUCCESS ||
        (info.protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE | APR_FPROT_GWRITE))) {
        err =
            apr_psprintf(cmd->pool, "PyPITokenBackendAuth: others may read %s; chmod 600 it", path);
        goto out;
    }
    if (apr_file_gets(line, sizeof(line), f) != APR_SUCCESS || !strchr(line, ':') ||
        strlen(line) == sizeof(line) - 1) {
        err = apr_psprintf(cmd->pool,
                           "PyPITokenBackendAuth: %s must hold one line user:password of less than "
                           "1000 bytes",
                           path);
        goto out;
    }
    n = strcspn(line, "\r\n");
    encoded = apr_palloc(cmd->pool, (apr_size_t)apr_base64_encode_len((int)n));
    apr_base64_encode(encoded, line, (int)n);
    *header = apr_pstrcat(cmd->pool, "Basic ", encoded, NULL);
out:
    apr_file_close(f);
    sodium_memzero(line, sizeof(line));
    return err;
}

static const char *config_set_backend(cmd_parms *cmd, void *dir, const char *arg, const char *file)
{
    config_dir_t *c = dir;

    if (strcasecmp(arg, "Service") == 0 && file) {
        c->backend = CONFIG_BACKEND_SERVICE;
        return config_read_service(cmd, file, &c->backend_header);
    }
    if (strcasecmp(arg, "None") == 0 && !file) {
        c->backend = CONFIG_BACKEND_NONE;
    } else if (strcasecmp(arg, "Keep") == 0 && !file) {
        c->backend = CONFIG_BACKEND_KEEP;
    } else {
        return "PyPITokenBackendAuth must be None, Keep, or Service and a file with user:password";
    }
    return NULL;
}

#define CONFIG_SERVER(field) (void *)APR_OFFSETOF(config_server_t, field)
#define CONFIG_DIR(field)    (void *)APR_OFFSETOF(config_dir_t, field)

const command_rec config_commands[] = {
    AP_INIT_TAKE1("PyPITokenStore", config_set_store, NULL, RSRC_CONF,
                  "where users, projects and tokens are kept: sqlite:/path/file.db or "
                  "mysql://user@host/database"),
    AP_INIT_TAKE1("PyPITokenStoreSecret", config_set_path, CONFIG_SERVER(store_secret), RSRC_CONF,
                  "a file with the password of the database"),
    AP_INIT_TAKE1("PyPITokenKeyring", config_set_path, CONFIG_SERVER(keyring), RSRC_CONF,
                  "the file with the keys that seal secrets in the store, mode 0600"),
    AP_INIT_TAKE1("PyPITokenService", config_set_service, NULL, RSRC_CONF,
                  "the service identifier written into tokens; default ServerName"),
    AP_INIT_TAKE1("PyPITokenFlush", config_set_flush, NULL, RSRC_CONF,
                  "how long the last use of a token may wait in memory, default 5s"),
    AP_INIT_FLAG("PyPITokenGuard", config_set_guard, NULL, ACCESS_CONF,
                 "On: this Location takes uploads with API tokens and nothing else"),
    AP_INIT_TAKE1("PyPITokenNewProjects", config_set_new_projects, NULL, ACCESS_CONF | RSRC_CONF,
                  "Anyone: the first upload of a new project makes its owner; Nobody"),
    AP_INIT_TAKE1("PyPITokenMaxUpload", config_set_size, CONFIG_DIR(max_upload),
                  ACCESS_CONF | RSRC_CONF, "the largest upload, default 1G"),
    AP_INIT_TAKE1("PyPITokenMemory", config_set_size, CONFIG_DIR(memory), ACCESS_CONF | RSRC_CONF,
                  "how much of an upload is held in memory, default 128K"),
    AP_INIT_TAKE1("PyPITokenSpoolDir", config_set_spool, NULL, ACCESS_CONF | RSRC_CONF,
                  "where the rest of an upload waits, default the system's temporary directory"),
    AP_INIT_TAKE1("PyPITokenMaxSpools", config_set_spools, NULL, ACCESS_CONF | RSRC_CONF,
                  "how many uploads are read at the same time, over all children; default three "
                  "quarters of MaxRequestWorkers"),
    AP_INIT_TAKE1("PyPITokenDrain", config_set_size, CONFIG_DIR(drain), ACCESS_CONF | RSRC_CONF,
                  "how much of a refused upload is read and thrown away, default the largest "
                  "upload"),
    AP_INIT_FLAG("PyPITokenLegacyNames", ap_set_flag_slot, CONFIG_DIR(legacy_names),
                 ACCESS_CONF | RSRC_CONF, "On: take sdists with dashes in the name"),
    AP_INIT_FLAG("PyPITokenStream", ap_set_flag_slot, CONFIG_DIR(stream), ACCESS_CONF | RSRC_CONF,
                 "On: the file goes on while it is still being checked, all but its end; only for "
                 "back ends that refuse a form without its end"),
    AP_INIT_TAKE12("PyPITokenBackendAuth", config_set_backend, NULL, ACCESS_CONF | RSRC_CONF,
                   "what the back end gets as Authorization: None, Keep, or Service FILE"),
    AP_INIT_FLAG("PyPITokenRequireTLS", ap_set_flag_slot, CONFIG_DIR(require_tls),
                 ACCESS_CONF | RSRC_CONF,
                 "On (default): credentials over clear text are refused, except on loopback"),
    AP_INIT_TAKE1("PyPITokenLinger", config_set_linger, NULL, ACCESS_CONF | RSRC_CONF,
                  "how long an accepted code stays good for the same user, address and agent; "
                  "default 10min"),
    AP_INIT_TAKE1("PyPITokenSession", config_set_session, NULL, ACCESS_CONF | RSRC_CONF,
                  "how long somebody stays signed in to the pages, default 12h"),
    AP_INIT_TAKE1("PyPITokenSecondFactor", config_people_factor, NULL, ACCESS_CONF | RSRC_CONF,
                  "whether a code of our second factor is asked for on top of any provider's "
                  "password: Required, IfEnrolled (default), Off"),
    AP_INIT_TAKE1("PyPITokenPasswordUpload", config_people_upload, NULL, ACCESS_CONF | RSRC_CONF,
                  "uploads with user name and password: Never, Without2FA (default), Always"),
    AP_INIT_TAKE2("PyPITokenThrottle", config_set_throttle, NULL, RSRC_CONF,
                  "a limit on failures and how many of them in which time, such as account 10/5m"),
    AP_INIT_TAKE12("PyPITokenHashes", config_set_hashes, NULL, RSRC_CONF,
                   "how many passwords are hashed at the same time, and how many logins may wait "
                   "for that; default one a processor, and 16"),
    AP_INIT_TAKE1("PyPITokenPolicy", config_set_policy, NULL, ACCESS_CONF | RSRC_CONF,
                  "a file with what this site allows of new tokens"),
    AP_INIT_TAKE12(
        "PyPITokenNotify", config_set_notify, NULL, RSRC_CONF,
        "a program that is told what happens to tokens and projects, and how long it may "
        "take, default 10s"),
    AP_INIT_ITERATE("PyPITokenDisclosureKeys", config_set_disclosure, NULL, ACCESS_CONF | RSRC_CONF,
                    "files with the public keys of code hosts that report leaked tokens"),
    AP_INIT_ITERATE("PyPITokenAdmins", config_people_admin, NULL, ACCESS_CONF | RSRC_CONF,
                    "the accounts that administer the others on the pages; default none"),
    AP_INIT_TAKE1("PyPITokenUploadURL", config_people_url, NULL, ACCESS_CONF | RSRC_CONF,
                  "the upload URL that the pages tell people, where it cannot be worked out"),
    AP_INIT_TAKE1("PyPITokenPackages", config_set_packages, NULL, ACCESS_CONF | RSRC_CONF,
                  "the directory of the built-in index"),
    /* directives of other modules, read here too: config_set_handler, chain.h */
    AP_INIT_TAKE1("SetHandler", config_set_handler, NULL, OR_FILEINFO,
                  CONFIG_MANAGE ": the pages for people"),
    AP_INIT_ITERATE("AuthBasicProvider", chain_set_basic, NULL, OR_AUTHCFG,
                    "the providers of a location; pypitoken must be the first"),
    AP_INIT_ITERATE("AuthFormProvider", chain_set_form, NULL, OR_AUTHCFG,
                    "the providers of a location; pypitoken must be the first"),
    AP_INIT_RAW_ARGS("<AuthnProviderAlias", chain_set_alias, NULL, RSRC_CONF,
                     "a provider under another name"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
