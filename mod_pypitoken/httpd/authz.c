/* authz.c - Require lines on what the guard decided; see authz.h. They only look, never read. */
#include "httpd/private.h"
#include "httpd/authz.h"
#include "httpd/guard_state.h"

#include <apr_strings.h>
#include <mod_auth.h>

static const guard_state_t *authz_state(request_rec *r)
{
    const guard_state_t *g = guard_state(r);

    return g && (g->stage == GUARD_PERMITTED || g->stage == GUARD_ALLOWED) ? g : NULL;
}

/* Names are normalised when the configuration is read. */
static const char *authz_parse_project(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_array_header_t *names = apr_array_make(cmd->pool, 4, sizeof(const char *));
    const char *word;

    while (*(word = ap_getword_conf(cmd->pool, &line))) {
        if (!project_name_valid(slice_of(word))) {
            return apr_pstrcat(cmd->pool, "Require pypi-project: ", word, " is not a project name",
                               NULL);
        }
        APR_ARRAY_PUSH(names, const char *) = project_normalize(slice_of(word), cmd->pool);
    }
    *parsed = names;
    return names->nelts ? NULL : "Require pypi-project needs at least one project name";
}

static authz_status authz_project(request_rec *r, const char *line, const void *parsed)
{
    const apr_array_header_t *names = parsed;
    const guard_state_t *g = authz_state(r);
    int i;

    (void)line;
    if (!r->user) {
        return AUTHZ_DENIED_NO_USER;
    }
    for (i = 0; g && i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), g->permit.form->project) == 0) {
            return AUTHZ_GRANTED;
        }
    }
    return AUTHZ_DENIED;
}

static const char *authz_parse_role(cmd_parms *cmd, const char *line, const void **parsed)
{
    static const store_role_t roles[] = {STORE_ROLE_OWNER, STORE_ROLE_MAINTAINER};
    const char *word = ap_getword_conf(cmd->pool, &line);

    if (*line || (strcmp(word, "owner") != 0 && strcmp(word, "maintainer") != 0)) {
        return "Require pypi-role takes owner or maintainer";
    }
    *parsed = &roles[word[0] == 'o' ? 0 : 1];
    return NULL;
}

static authz_status authz_role(request_rec *r, const char *line, const void *parsed)
{
    const guard_state_t *g = authz_state(r);

    (void)line;
    if (!r->user) {
        return AUTHZ_DENIED_NO_USER;
    }
    return g && g->permit.role >= *(const store_role_t *)parsed ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

static const authz_provider authz_provider_project = {authz_project, authz_parse_project};
static const authz_provider authz_provider_role = {authz_role, authz_parse_role};

void authz_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "pypi-project", AUTHZ_PROVIDER_VERSION,
                              &authz_provider_project, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "pypi-role", AUTHZ_PROVIDER_VERSION,
                              &authz_provider_role, AP_AUTH_INTERNAL_PER_CONF);
}
