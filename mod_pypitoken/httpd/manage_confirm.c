/* manage_confirm.c - see manage_confirm.h. */
#include "httpd/private.h"
#include "httpd/manage_confirm.h"

#include "httpd/manage_session.h"
#include "httpd/words.h"

static int manage_confirm_old(const manage_t *m)
{
    return m->by == MANAGE_BY_SESSION &&
           seam_system.now() - m->session.issued > MANAGE_CONFIRM_FRESH;
}

void manage_confirm_data(const manage_t *m, json_t *data)
{
    json_object_set_new(data, "again", json_boolean(manage_confirm_old(m)));
    json_object_set_new(data, "coded", json_boolean(m->factors > 1));
    json_object_set_new(data, "wrong_password", manage_words(m, m->again));
}

verdict_code_t manage_confirm(manage_t *m, verdict_t *v, const char **problem)
{
    login_typed_t typed = {.user = slice_of(m->user),
                           .password = form_get(&m->form, "password"),
                           .code = form_get(&m->form, "code"),
                           .code_field = 1,
                           .door = "confirm"};
    login_t login;
    verdict_code_t code =
        manage_confirm_old(m) ? manage_session_login(m, &login, &typed, v) : VERDICT_ALLOWED;

    *problem = NULL;
    if (code != VERDICT_ALLOWED) {
        manage_note(m, v);
        *problem = code == VERDICT_LOGIN_FAILED
                       ? T_("That was not your password, or not a fresh code.")
                       : verdict_sentence(v, m->r->pool);
        m->again = *problem;
    }
    return code;
}
