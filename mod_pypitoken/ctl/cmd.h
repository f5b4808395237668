/*
 * cmd.h - the commands of pypitokenctl. Each returns its exit code (ctl_exit_t) and has told people
 * or programs what came of it. Their options and operands are described, and counted, by the table
 * in pypitokenctl.c.
 */
#ifndef PYPITOKEN_CMD_H
#define PYPITOKEN_CMD_H

#include "access/narrow.h"
#include "access/policy.h"
#include "ctl/ctl.h"

/* cmd_init.c */
ctl_run_fn cmd_init_run, cmd_init_status, cmd_init_migrate;

/* cmd_user.c */
ctl_run_fn cmd_user_add, cmd_user_list, cmd_user_passwd, cmd_user_disable, cmd_user_enable,
    cmd_user_remove, cmd_user_logout;

/* cmd_import.c */
ctl_run_fn cmd_import_users, cmd_import_projects;

/* cmd_totp.c: second factors and recovery codes */
ctl_run_fn cmd_totp_enroll, cmd_totp_confirm, cmd_totp_disable, cmd_totp_recovery;

/* cmd_project.c: projects and the roles on them */
ctl_run_fn cmd_project_add, cmd_project_list, cmd_project_remove;
ctl_run_fn cmd_project_role_add, cmd_project_role_remove, cmd_project_role_list;

/* cmd_token.c */
ctl_run_fn cmd_token_create, cmd_token_list, cmd_token_show, cmd_token_revoke;

/* What the site says of new tokens: ctl->service must be there, *policy may be NULL. */
int cmd_token_site(ctl_t *ctl, const policy_t **policy);

/* A new token on stdout: it alone, or an object with it and the cells. One that could not be
 * written is revoked. */
int cmd_token_tell(ctl_t *ctl, const char *text, const char *id, const table_column_t *columns,
                   apr_size_t n, const table_cell_t *cells);

/* Opens the store and finds the token whose id is the first operand. */
int cmd_token_find(ctl_t *ctl, store_token_t *row, ctl_keys_t keys);

/* cmd_completion.c */
ctl_run_fn cmd_completion_run;

/* cmd_rotate.c */
ctl_run_fn cmd_rotate_run;

/* cmd_leak.c */
ctl_run_fn cmd_leak_run, cmd_leak_pattern;

/* cmd_narrow.c */
ctl_run_fn cmd_narrow_run;

/* The options that narrow, as caveats behind those of *narrow, which may hold projects and an end
 * already. skip: how many operands are not files. An exit code, after a complaint. */
int cmd_narrow_options(ctl_t *ctl, apr_array_header_t *caveats, narrow_t *narrow, int skip);
/* --expires as a point of time; *at is left alone when it was not given. */
int cmd_narrow_expires(ctl_t *ctl, apr_int64_t *at);

/* cmd_inspect.c: what is done to the text of a token */
ctl_run_fn cmd_inspect_run, cmd_inspect_restrict;

/* cmd_keyring.c */
ctl_run_fn cmd_keyring_rotate, cmd_keyring_remove, cmd_keyring_status;

/* cmd_store.c */
ctl_run_fn cmd_store_copy;

/* cmd_events.c, cmd_doctor.c, cmd_status.c */
ctl_run_fn cmd_status_run, cmd_events_run, cmd_events_prune, cmd_doctor_run;

#endif
