/* config_people.c - the directives about people; see config.h. */
#include "httpd/private.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <string.h>

#include "core/person.h"

/* A detail of a verdict has room for this much of a URL. */
#define CONFIG_PEOPLE_URL 90

typedef struct config_people_word_t {
    const char *word;
    int value;
} config_people_word_t;

static const char *config_people_set(cmd_parms *cmd, int *field, const config_people_word_t *words,
                                     const char *arg, const char *all)
{
    int i;

    for (i = 0; words[i].word; i++) {
        if (strcasecmp(arg, words[i].word) == 0) {
            *field = words[i].value;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s must be %s", cmd->cmd->name, all);
}

const char *config_people_factor(cmd_parms *cmd, void *dir, const char *arg)
{
    static const config_people_word_t words[] = {{"Off", LOGIN_FACTOR_OFF},
                                                 {"IfEnrolled", LOGIN_FACTOR_IF_ENROLLED},
                                                 {"Required", LOGIN_FACTOR_REQUIRED},
                                                 {NULL, 0}};
    config_dir_t *c = dir;

    c->factor_here = cmd->path != NULL;
    return config_people_set(cmd, &c->factor, words, arg, "Required, IfEnrolled or Off");
}

const char *config_people_upload(cmd_parms *cmd, void *dir, const char *arg)
{
    static const config_people_word_t words[] = {{"Never", CONFIG_UPLOAD_NEVER},
                                                 {"Without2FA", CONFIG_UPLOAD_WITHOUT_2FA},
                                                 {"Always", CONFIG_UPLOAD_ALWAYS},
                                                 {NULL, 0}};

    return config_people_set(cmd, &((config_dir_t *)dir)->password_upload, words, arg,
                             "Never, Without2FA or Always");
}

/* A name that no account can have is a mistake; were it not told, somebody would rely on it. */
const char *config_people_admin(cmd_parms *cmd, void *dir, const char *name)
{
    config_dir_t *c = dir;

    if (!person_name_valid(slice_of(name))) {
        return apr_psprintf(cmd->pool, "PyPITokenAdmins: '%s' is not the name of an account", name);
    }
    c->admins = c->admins ? c->admins : apr_array_make(cmd->pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH(c->admins, const char *) = name;
    return NULL;
}

const char *config_people_url(cmd_parms *cmd, void *dir, const char *url)
{
    if ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) ||
        strpbrk(url, " \t\"'<>\\`$")) {
        return "PyPITokenUploadURL must be a URL such as https://pypi.example/legacy/";
    }
    (void)cmd;
    ((config_dir_t *)dir)->upload_url = url;
    return NULL;
}

login_factor_t config_factor(const config_dir_t *c)
{
    return c->factor == CONFIG_UNSET ? LOGIN_FACTOR_IF_ENROLLED : (login_factor_t)c->factor;
}

config_upload_t config_password_upload(const config_dir_t *c)
{
    return c->password_upload == CONFIG_UNSET ? CONFIG_UPLOAD_WITHOUT_2FA
                                              : (config_upload_t)c->password_upload;
}

const char *config_token_page(request_rec *r)
{
    const char *path = config_server(r->server)->manage_path;
    const char *url = path ? ap_construct_url(r->pool, path, r) : NULL;

    if (!path) {
        return "(ask the operator of this index how)";
    }
    return apr_pstrcat(r->pool, "on ", strlen(url) <= CONFIG_PEOPLE_URL ? url : path, NULL);
}
