/*
 * cmd.h - the commands of pypitokenctl. Each returns its exit code (ctl_exit_t) and has told people
 * or programs what came of it. Their options and operands are described, and counted, by the table
 * in pypitokenctl.c.
 */
#ifndef PYPITOKEN_CMD_H
#define PYPITOKEN_CMD_H

#include "ctl/ctl.h"

/* cmd_init.c */
ctl_run_fn cmd_init_run, cmd_init_status, cmd_init_migrate;

/* cmd_user.c */
ctl_run_fn cmd_user_add, cmd_user_list, cmd_user_passwd, cmd_user_disable, cmd_user_enable,
    cmd_user_remove;

/* cmd_project.c: projects and the roles on them */
ctl_run_fn cmd_project_add, cmd_project_list, cmd_project_remove;
ctl_run_fn cmd_project_role_add, cmd_project_role_remove, cmd_project_role_list;

/* cmd_token.c */
ctl_run_fn cmd_token_create, cmd_token_list, cmd_token_show, cmd_token_revoke;

/* cmd_inspect.c: what is done to the text of a token */
ctl_run_fn cmd_inspect_run, cmd_inspect_restrict;

/* cmd_events.c, cmd_doctor.c */
ctl_run_fn cmd_events_run, cmd_doctor_run;

#endif
