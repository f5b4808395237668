/* guard_person.c - uploads with user name and password; see guard_person.h. */
#include "httpd/private.h"
#include "httpd/guard_person.h"

#include <apr_strings.h>

#include "httpd/entry.h"

/* The sentence says where tokens are made. */
static verdict_code_t guard_person_refuse(request_rec *r, guard_state_t *g, verdict_code_t code)
{
    return verdict_set(&g->verdict, code, slice_of(config_token_page(r)), r->pool);
}

verdict_code_t guard_person(request_rec *r, guard_state_t *g, const credential_t *person)
{
    config_upload_t policy = config_password_upload(config_dir(r));
    apr_int64_t asked = seam_system.now();
    entry_t entry = {0};
    login_t login;
    verdict_code_t code;

    if (policy == CONFIG_UPLOAD_NEVER) {
        return guard_person_refuse(r, g, VERDICT_PASSWORD_REFUSED);
    }
    entry.user = person->user;
    entry.password = person->password;
    entry.door = "upload";
    code = entry_check(r, &entry, &login, &g->verdict);
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (!login.user_id) {
        verdict_set(&g->verdict, VERDICT_LOGIN_FAILED, slice_of(NULL), r->pool);
        g->verdict.log = "another provider knows this user, but there is no account here";
        return g->verdict.code;
    }
    g->bearer.token.user_id = apr_pstrdup(r->pool, login.user_id);
    g->bearer.token.user_name = apr_pstrdup(r->pool, login.user_name);
    g->bearer.address = slice_of(r->useragent_ip);
    g->bearer.asked = asked;
    g->bearer.epoch = login.epoch;
    if (policy == CONFIG_UPLOAD_WITHOUT_2FA && login.enrolled) {
        return guard_person_refuse(r, g, VERDICT_PASSWORD_2FA);
    }
    return VERDICT_ALLOWED;
}
