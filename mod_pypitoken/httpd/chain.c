/* chain.c - the providers behind ours; see chain.h. */
#include "httpd/private.h"
#include "httpd/chain.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <ap_provider.h>
#include <mod_auth.h>
#include <string.h>

#include "httpd/authn.h"

#define CHAIN_ALIASES "pypitoken-aliases"

/* ---- configuration ---- */

/* Names of aliases of ours, in the configuration's pool: as old as the providers they name. NULL
 * while there is none. */
static apr_array_header_t *chain_aliases(apr_pool_t *pconf)
{
    void *names = NULL;

    apr_pool_userdata_get(&names, CHAIN_ALIASES, pconf);
    return names;
}

static void chain_aliases_add(apr_pool_t *pconf, const char *alias)
{
    apr_array_header_t *names = chain_aliases(pconf);

    if (!names) {
        names = apr_array_make(pconf, 2, sizeof(const char *));
        apr_pool_userdata_set(names, CHAIN_ALIASES, NULL, pconf);
    }
    APR_ARRAY_PUSH(names, const char *) = alias;
}

/* Reads only: the lists of a .htaccess file come while requests run, in many threads. */
static int chain_ours(apr_pool_t *pconf, const char *name)
{
    const apr_array_header_t *names = chain_aliases(pconf);
    int i;

    if (strcmp(name, AUTHN_PROVIDER_NAME) == 0) {
        return 1;
    }
    for (i = 0; names && i < names->nelts; i++) {
        if (strcmp(name, APR_ARRAY_IDX(names, i, const char *)) == 0) {
            return 1;
        }
    }
    return 0;
}

/* What follows a directive's name when its own module is not there: nobody would act on it. */
static const char *chain_owner(cmd_parms *cmd, const char *module)
{
    return ap_find_linked_module(module)
               ? NULL
               : apr_psprintf(cmd->pool, "%s needs %s, which is not loaded", cmd->cmd->name,
                              module);
}

static const char *chain_add(cmd_parms *cmd, apr_array_header_t **list, const char *name)
{
    chain_link_t *link;

    if (!*list) {
        *list = apr_array_make(cmd->pool, 3, sizeof(chain_link_t));
    }
    link = apr_array_push(*list);
    link->name = name;
    link->ours = chain_ours(cmd->server->process->pconf, name);
    if (link->ours && (*list)->nelts > 1) {
        return apr_psprintf(
            cmd->pool,
            "%s: %s must be the first provider; one before it would see API tokens, "
            "and let people in without their second factor",
            cmd->cmd->name, name);
    }
    return DECLINE_CMD;
}

const char *chain_set_basic(cmd_parms *cmd, void *dir, const char *name)
{
    const char *wrong = chain_owner(cmd, "mod_auth_basic.c");

    return wrong ? wrong : chain_add(cmd, &((config_dir_t *)dir)->basic_chain, name);
}

const char *chain_set_form(cmd_parms *cmd, void *dir, const char *name)
{
    const char *wrong = chain_owner(cmd, "mod_auth_form.c");

    return wrong ? wrong : chain_add(cmd, &((config_dir_t *)dir)->form_chain, name);
}

/* "PROVIDER ALIAS>" */
const char *chain_set_alias(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *wrong = chain_owner(cmd, "mod_authn_core.c"), *end = strrchr(arg, '>'), *args;
    const char *provider, *alias;

    (void)dir;
    if (wrong || !end) {
        return wrong ? wrong : DECLINE_CMD;
    }
    args = apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(end - arg));
    provider = ap_getword_conf(cmd->pool, &args);
    alias = ap_getword_conf(cmd->pool, &args);
    if (*alias && chain_ours(cmd->server->process->pconf, provider)) {
        chain_aliases_add(cmd->server->process->pconf, alias);
    }
    return DECLINE_CMD;
}

/* ---- a request ---- */

/* The pages for people read Basic by themselves, without an AuthType. */
static const apr_array_header_t *chain_of(request_rec *r)
{
    const config_dir_t *c = config_dir(r);
    const char *type = ap_auth_type(r);

    return type && strcasecmp(type, "form") == 0     ? c->form_chain
           : !type || strcasecmp(type, "Basic") == 0 ? c->basic_chain
                                                     : NULL;
}

int chain_has_us(request_rec *r)
{
    const apr_array_header_t *list = chain_of(r);

    return list && list->nelts && APR_ARRAY_IDX(list, 0, chain_link_t).ours;
}

static authn_status chain_ask_one(request_rec *r, const char *name, const char *user,
                                  const char *password)
{
    const authn_provider *provider =
        ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
    const char *note = apr_table_get(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    authn_status status;

    if (!provider || !provider->check_password) {
        return AUTH_GENERAL_ERROR;
    }
    /* aliases look there who they are */
    apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, name);
    status = provider->check_password(r, user, password);
    if (note) {
        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, note);
    } else {
        apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    }
    return status;
}

/* As mod_auth_basic does: only one that does not know the user leaves it to the next. */
static login_elsewhere_t chain_ask(void *baton, const char *user, const char *password,
                                   const char **name)
{
    request_rec *r = baton;
    const apr_array_header_t *list = chain_of(r);
    char *before = r->user;
    authn_status status = AUTH_USER_NOT_FOUND;
    int i;

    r->user = apr_pstrdup(r->pool, user);
    for (i = 0; list && i < list->nelts && status == AUTH_USER_NOT_FOUND; i++) {
        const chain_link_t *link = &APR_ARRAY_IDX(list, i, chain_link_t);

        if (!link->ours) {
            status = chain_ask_one(r, link->name, user, password);
        }
    }
    *name = r->user && strcmp(r->user, user) != 0 ? r->user : NULL;
    r->user = before;
    return status == AUTH_GRANTED          ? LOGIN_ELSEWHERE_GOOD
           : status == AUTH_DENIED         ? LOGIN_ELSEWHERE_WRONG
           : status == AUTH_USER_NOT_FOUND ? LOGIN_ELSEWHERE_UNKNOWN
                                           : LOGIN_ELSEWHERE_DOWN;
}

void chain_hooks(request_rec *r, login_hooks_t *hooks)
{
    const apr_array_header_t *list = chain_of(r);

    if (chain_has_us(r) && list->nelts > 1) {
        hooks->elsewhere = chain_ask;
        hooks->elsewhere_baton = r;
    }
}
