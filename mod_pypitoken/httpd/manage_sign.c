/* manage_sign.c - signing in, with the form or by Basic, and out; see manage_sign.h. */
#include "httpd/private.h"
#include "httpd/manage_sign.h"

#include "httpd/manage_session.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

int manage_sign_home(manage_t *m)
{
    json_t *data = json_object();

    json_object_set_new(data, "factors", json_boolean(m->factors > 1));
    if (m->by == MANAGE_BY_SESSION) {
        json_object_set_new(data, "session", json_true());
        json_object_set_new(data, "since", manage_time(m, m->session.issued, seam_system.now()));
        json_object_set_new(data, "until", manage_time(m, m->session.expires, seam_system.now()));
    } else {
        json_object_set_new(data, "basic", json_true());
    }
    return manage_page(m, HTTP_OK, "home", T_("Your account"), data);
}

/* ---- the form ---- */

/* The form, bound to this browser by a cookie that it has or is given. in_fields: the problem is
 * what was typed, and is told beside all fields alike: nobody learns which one it was. */
static int manage_sign_form(manage_t *m, int status, const char *problem, int in_fields,
                            const char *typed)
{
    apr_int64_t now = seam_system.now();
    json_t *data = json_object();
    session_t form;

    if (manage_session_read(m, SESSION_FORM, &form) ||
        form.expires - now < MANAGE_FORM_SECONDS / 2) {
        form = (session_t){.issued = now, .expires = now + MANAGE_FORM_SECONDS};
        if (session_id(&form, &seam_system) || manage_session_write(m, SESSION_FORM, &form, 0)) {
            json_decref(data);
            return manage_refuse_code(m, VERDICT_INTERNAL);
        }
    }
    m->csrf = manage_session_csrf(m, form.id);
    json_object_set_new(data, in_fields ? "wrong" : "problem", manage_words(m, problem));
    json_object_set_new(data, "typed", manage_string(m, typed));
    json_object_set_new(data, "fresh", json_boolean(!*typed));
    return manage_page(m, status, "sign-in", T_("Sign in"), data);
}

int manage_sign_in_form(manage_t *m)
{
    return manage_sign_form(m, HTTP_OK, NULL, 0, "");
}

/* NULL, or why this form cannot have come from our page in this browser. */
static const char *manage_sign_bound(manage_t *m)
{
    session_t form;

    if (manage_session_read(m, SESSION_FORM, &form)) {
        return apr_table_get(m->r->headers_in, "Cookie")
                   ? T_("The form was too old. Please try again.")
                   : T_("Your browser did not send back the cookie of this form. Allow cookies for "
                        "this site, or sign in with the browser's own dialog.");
    }
    return session_csrf_is(form_get(&m->form, "csrf"), manage_session_csrf(m, form.id))
               ? NULL
               : T_("The form was too old. Please try again.");
}

static const char *manage_sign_problem(const manage_t *m, const verdict_t *v)
{
    return v->code == VERDICT_LOGIN_FAILED ? T_("Wrong user name, password or code. A code is good "
                                                "once, and only for a minute.")
                                           : verdict_sentence(v, m->r->pool);
}

int manage_sign_in(manage_t *m)
{
    const char *problem = manage_sign_bound(m);
    slice_t user = form_get(&m->form, "user");
    login_typed_t typed = {.user = user,
                           .password = form_get(&m->form, "password"),
                           .code = form_get(&m->form, "code"),
                           .code_field = 1,
                           .door = "form"};
    const char *name = slice_dup(user, m->r->pool);
    verdict_code_t code;
    login_t login;
    verdict_t v;

    if (problem) {
        return manage_sign_form(m, HTTP_FORBIDDEN, problem, 0, name);
    }
    code = manage_session_login(m, &login, &typed, &v);
    if (code == VERDICT_ALLOWED) {
        if (manage_session_begin(m, &login)) {
            return manage_refuse_code(m, VERDICT_INTERNAL);
        }
        manage_session_drop(m, SESSION_FORM);
        return manage_go(m, "");
    }
    manage_note(m, &v);
    return manage_sign_form(m, verdict_status(code), manage_sign_problem(m, &v),
                            code == VERDICT_LOGIN_FAILED || code == VERDICT_TOKEN_UPLOADS_ONLY,
                            name);
}

/* ---- Basic ---- */

/* Whoever comes here signed in goes on; all others get the challenge. */
int manage_sign_basic(manage_t *m)
{
    return m->by == MANAGE_BY_BASIC ? manage_go(m, "")
                                    : manage_refuse_code(m, VERDICT_LOGIN_NEEDED);
}

/* ---- out ---- */

static int manage_sign_gone(manage_t *m, int status, const char *words)
{
    json_t *data = json_object();

    m->by = MANAGE_NOBODY;
    m->user = NULL;
    json_object_set_new(data, "problem", json_false());
    json_object_set_new(data, "message", manage_words(m, words));
    json_object_set_new(data, "again", json_true());
    return manage_page(m, status, "message", T_("Signed out"), data);
}

int manage_sign_out(manage_t *m)
{
    if (m->by == MANAGE_BY_BASIC) {
        /* the challenge makes a browser forget what it repeats */
        manage_challenge(m);
        return manage_sign_gone(m, HTTP_UNAUTHORIZED,
                                T_("Your browser was told to forget your password. If it still "
                                   "knows it, close it."));
    }
    manage_session_end(m);
    return manage_go(m, "signed-out");
}

int manage_sign_done(manage_t *m)
{
    return manage_sign_gone(m, HTTP_OK, T_("You are signed out."));
}
