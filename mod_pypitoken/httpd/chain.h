/*
 * chain.h - the other providers of a location: AuthBasicProvider pypitoken ldap file.
 *
 * mod_auth_basic and mod_auth_form ask one provider after the other with the password as it was
 * typed. Those behind ours must get it without the code of our second factor, and only when ours
 * says so. So ours asks them itself, and has to know the list: this module takes the directives
 * AuthBasicProvider, AuthFormProvider and <AuthnProviderAlias> too, besides the modules that own
 * them (httpd hands a directive to every module that has it), and notes what they say.
 *
 * pypitoken, or an alias of it, must be the first: a provider before it would see tokens, and let
 * people in without their second factor. Anything else stops httpd with a sentence that says so.
 */
#ifndef PYPITOKEN_CHAIN_H
#define PYPITOKEN_CHAIN_H

#include <httpd.h>
#include <http_config.h>

#include "access/login.h"

/* One name of a list. */
typedef struct chain_link_t {
    const char *name;
    int ours; /* pypitoken or an alias of it */
} chain_link_t;

/* 1 when the location of r lists our provider for its AuthType. */
int chain_has_us(request_rec *r);

/* Puts the providers behind ours into hooks->elsewhere; leaves it NULL when there are none. */
void chain_hooks(request_rec *r, login_hooks_t *hooks);

/* Setters of the directives, for the command table. */
const char *chain_set_basic(cmd_parms *cmd, void *dir, const char *name);
const char *chain_set_form(cmd_parms *cmd, void *dir, const char *name);
const char *chain_set_alias(cmd_parms *cmd, void *dir, const char *arg);

#endif
