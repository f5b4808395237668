/*
 * config.h - the module's directives, what they set, and the store that they name.
 */
#ifndef PYPITOKEN_CONFIG_H
#define PYPITOKEN_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "access/throttle.h"
#include "store/store.h"

#define CONFIG_UNSET (-1)

/* The handler of the pages for people. */
#define CONFIG_MANAGE "pypitoken-manage"

typedef enum config_backend_t {
    CONFIG_BACKEND_NONE,
    CONFIG_BACKEND_SERVICE,
    CONFIG_BACKEND_KEEP
} config_backend_t;

/* PyPITokenPasswordUpload */
typedef enum config_upload_t {
    CONFIG_UPLOAD_NEVER,
    CONFIG_UPLOAD_WITHOUT_2FA, /* who has a second factor uploads with tokens alone */
    CONFIG_UPLOAD_ALWAYS       /* who has one needs its code */
} config_upload_t;

typedef struct config_store_t config_store_t;
typedef struct crowd_t crowd_t; /* crowd.c */
struct meter_t;

/* Server or virtual host. */
typedef struct config_server_t {
    const char *store_url, *store_secret, *keyring, *service;
    const char *manage_path;         /* where SetHandler pypitoken-manage stands, or NULL */
    int guarded;                     /* a PyPITokenGuard On stands in this server's sections */
    apr_array_header_t *guard_paths; /* const char *: of all of them, then of the main server's */
    apr_array_header_t *errors;      /* int: the statuses of guard_error.c, from post_config on */
    apr_interval_time_t flush;       /* PyPITokenFlush, of the main server; 0: not set */
    crowd_t *crowd;                  /* one for all servers, from post_config on */
    const char *notify_program;      /* PyPITokenNotify, of the main server; NULL: none */
    int notify_seconds;
    struct notify_t *notify; /* one for all servers of a child; NULL without a program */
    int managed;             /* so does a SetHandler pypitoken-manage */
    config_store_t *store;   /* shared by all servers that name the same store; NULL without one */
    struct meter_t *meter;   /* of all servers; NULL before the configuration is complete */
    struct shm_t *shm;       /* shared by all servers; NULL without any store */
    throttle_figures_t *throttle; /* of the main server; NULL: the defaults */
    int hashes, hash_queue;       /* of the main server; hashes 0: the defaults */
} config_server_t;

/* Directory (in fact: Location). */
typedef struct config_dir_t {
    int guard;
    const char *guard_path; /* the Location that PyPITokenGuard On stands in */
    int new_projects;
    apr_off_t max_upload, memory, drain;
    int max_spools; /* PyPITokenMaxSpools */
    const char *spool_dir;
    int legacy_names;
    int stream;                 /* PyPITokenStream */
    int backend;                /* config_backend_t */
    const char *backend_header; /* "Basic ..." of Service FILE */
    int require_tls;
    int linger;                                   /* seconds */
    int factor;                                   /* login_factor_t */
    int factor_here;                              /* it stands in a section, not at server level */
    int password_upload;                          /* config_upload_t */
    apr_array_header_t *basic_chain, *form_chain; /* of chain_link_t; NULL: not set */
    int session;                                  /* seconds */
    const char *manage_base;       /* the Location that SetHandler pypitoken-manage stands in */
    const char *packages;          /* PyPITokenPackages */
    const char *packages_base;     /* the Location it stands in, NULL at server level */
    const struct policy_t *policy; /* PyPITokenPolicy; NULL: none */
    struct disclose_keys_t *disclosure; /* PyPITokenDisclosureKeys; NULL: none */
    apr_array_header_t *admins;         /* PyPITokenAdmins, of const char *; NULL: none */
    const char *upload_url;             /* PyPITokenUploadURL; NULL: worked out */
} config_dir_t;

config_dir_t *config_dir(request_rec *r);
config_server_t *config_server(server_rec *s);

/* Effective values, defaults filled in. */
apr_off_t config_max_upload(const config_dir_t *c);
apr_off_t config_memory(const config_dir_t *c);
apr_off_t config_drain(const config_dir_t *c);

apr_uint32_t config_linger(const config_dir_t *c); /* seconds, 0: never */
int config_session(const config_dir_t *c);         /* seconds */
void config_hashes(const config_server_t *c, int *hashes, int *queue);

login_factor_t config_factor(const config_dir_t *c);
config_upload_t config_password_upload(const config_dir_t *c);

/* Where people make tokens, as it stands in a sentence behind "Create an API token". */
const char *config_token_page(request_rec *r);

/* What PyPITokenThrottle says, or the defaults. */
const throttle_figures_t *config_throttle(server_rec *s);

/* The service identifier: PyPITokenService or the server's name. */
const char *config_service(server_rec *s);

/* How long the last use of a token may wait in memory. */
apr_interval_time_t config_flush(server_rec *main_server);

/* The store of this server, opened in this child at first need; NULL while it cannot be opened (the
 * reason is in the error log, and it is tried again after a second). Any thread of a child. */
store_t *config_store(server_rec *s);

/* The keys that seal what is secret in that store; NULL without one. Any thread. */
const struct keyring_t *config_keys(server_rec *s);

/* The directives, for the module record. */
extern const command_rec config_commands[];
const char *config_people_factor(cmd_parms *cmd, void *dir, const char *arg);
const char *config_people_upload(cmd_parms *cmd, void *dir, const char *arg);
const char *config_people_admin(cmd_parms *cmd, void *dir, const char *name);
const char *config_people_url(cmd_parms *cmd, void *dir, const char *url);
const char *config_set_throttle(cmd_parms *cmd, void *dir, const char *name, const char *rates);
const char *config_set_flush(cmd_parms *cmd, void *dir, const char *arg);
const char *config_set_hashes(cmd_parms *cmd, void *dir, const char *hashes, const char *queue);
const char *config_set_linger(cmd_parms *cmd, void *dir, const char *arg);
const char *config_set_policy(cmd_parms *cmd, void *dir, const char *path);
const char *config_set_notify(cmd_parms *cmd, void *dir, const char *path, const char *seconds);
const char *config_set_disclosure(cmd_parms *cmd, void *dir, const char *path);
const char *config_set_session(cmd_parms *cmd, void *dir, const char *arg);
void *config_dir_create(apr_pool_t *p, char *path);
void *config_dir_merge(apr_pool_t *p, void *base, void *add);
void *config_server_create(apr_pool_t *p, server_rec *s);
void *config_server_merge(apr_pool_t *p, void *base, void *add);

/* Hooks: the check at start (stops httpd with a sentence), opening in the child. */
void config_register(apr_pool_t *p);

#endif
