/* manage_factor.c - the pages of a second factor; see manage_factor.h. */
#include "httpd/private.h"
#include "httpd/manage_factor.h"

#include <sodium.h>
#include <string.h>

#include "access/mine_enroll.h"
#include "core/qr.h"
#include "httpd/config.h"
#include "httpd/manage_session.h"
#include "httpd/words.h"

#define MANAGE_FACTOR "second-factor"

/* ---- what there is ---- */

/* 1, or 0 and *answer is the handler's return value: no store, no such account. */
static int manage_factor_account(manage_t *m, mine_t *mine, store_user_t *user, int *answer)
{
    store_rc_t rc;

    memset(user, 0, sizeof(*user));
    *mine = m->mine;
    rc = m->store ? mine_enroll_account(mine, user, m->r->pool) : STORE_DOWN;
    *answer = rc == STORE_OK ? OK : manage_failed(m, rc);
    return rc == STORE_OK;
}

/* in_fields: the problem is what was typed. */
static int manage_factor_page(manage_t *m, int status, const store_user_t *user,
                              const char *problem, int in_fields)
{
    json_t *data = json_object();

    json_object_set_new(data, "on", json_boolean(user->second_factor));
    json_object_set_new(data, "codes", json_integer(user->recovery_codes));
    json_object_set_new(data, in_fields ? "wrong" : "problem", manage_words(m, problem));
    return manage_page(m, status, MANAGE_FACTOR, T_("Your second factor"), data);
}

int manage_factor_show(manage_t *m)
{
    store_user_t user;
    mine_t mine;
    int answer;

    return manage_factor_account(m, &mine, &user, &answer)
               ? manage_factor_page(m, HTTP_OK, &user, NULL, 0)
               : answer;
}

static int manage_factor_failed(manage_t *m, enroll_rc_t rc)
{
    verdict_t v;

    verdict_set(&v, rc == ENROLL_SEALED ? VERDICT_LOGIN_DOWN : VERDICT_STORE_DOWN, slice_of(NULL),
                m->r->pool);
    v.log = rc == ENROLL_SEALED ? "a second factor does not open with this keyring" : NULL;
    return manage_refuse(m, &v);
}

/* ---- the password again ---- */

static verdict_code_t manage_factor_again(manage_t *m, verdict_t *v)
{
    login_typed_t typed = {.user = slice_of(m->user),
                           .password = form_get(&m->form, "password"),
                           .code = form_get(&m->form, "code"),
                           .code_field = 1,
                           .door = "confirm"};
    login_t login;

    return manage_session_login(m, &login, &typed, v);
}

/* ---- recovery codes, shown once ---- */

/* made: the second factor is new. The strings of the page's data die with it. */
static int manage_factor_codes(manage_t *m, const mine_t *mine, const store_user_t *user, int made)
{
    json_t *data, *list;
    enroll_codes_t codes;
    enroll_rc_t rc = mine_enroll_recovery(codes, mine, user);
    int i;

    if (rc != ENROLL_OK) {
        return manage_factor_failed(m, rc);
    }
    data = json_object();
    list = json_array();
    for (i = 0; i < RECOVERY_CODES; i++) {
        json_array_append_new(list, json_string(codes[i]));
    }
    sodium_memzero(codes, sizeof(codes));
    json_object_set_new(data, "list", list);
    json_object_set_new(data, "made", json_boolean(made));
    return manage_page(m, HTTP_OK, "recovery-codes", T_("Your recovery codes"), data);
}

/* ---- acts ---- */

static int manage_factor_begin(manage_t *m, const mine_t *mine, const store_user_t *user)
{
    enroll_rc_t rc = mine_enroll_begin(mine, user, config_service(m->r->server), m->r->pool);

    return rc == ENROLL_OK ? manage_go(m, MANAGE_FACTOR "/new") : manage_factor_failed(m, rc);
}

static int manage_factor_remove(manage_t *m, const mine_t *mine, const store_user_t *user)
{
    enroll_rc_t rc = mine_enroll_remove(mine, user);

    return rc == ENROLL_OK || rc == ENROLL_NONE ? manage_go(m, MANAGE_FACTOR)
                                                : manage_factor_failed(m, rc);
}

int manage_factor_act(manage_t *m)
{
    slice_t act = form_get(&m->form, "act");
    store_user_t user;
    verdict_t v;
    mine_t mine;
    int answer;

    if (!manage_factor_account(m, &mine, &user, &answer)) {
        return answer;
    }
    if (manage_factor_again(m, &v) != VERDICT_ALLOWED) {
        manage_note(m, &v);
        return manage_factor_page(m, verdict_status(v.code), &user,
                                  v.code == VERDICT_LOGIN_FAILED
                                      ? T_("That was not your password, or not a fresh code.")
                                      : verdict_sentence(&v, m->r->pool),
                                  v.code == VERDICT_LOGIN_FAILED);
    }
    if (slice_is(act, "begin")) {
        return manage_factor_begin(m, &mine, &user);
    }
    if (slice_is(act, "codes") && user.second_factor) {
        return manage_factor_codes(m, &mine, &user, 0);
    }
    if (slice_is(act, "remove")) {
        return manage_factor_remove(m, &mine, &user);
    }
    return manage_refuse_code(m, VERDICT_PAGE_FORM);
}

/* ---- the one that waits ---- */

/* 1 and *e filled, or 0 and *answer as above. */
static int manage_factor_waiting(manage_t *m, mine_t *mine, store_user_t *user, enroll_t *e,
                                 int *answer)
{
    enroll_rc_t rc;

    memset(e, 0, sizeof(*e));
    if (!manage_factor_account(m, mine, user, answer)) {
        return 0;
    }
    rc = enroll_waiting(e, m->store, slice_of(config_service(m->r->server)), user, m->r->pool);
    if (rc != ENROLL_OK) {
        *answer = rc == ENROLL_NONE ? manage_go(m, MANAGE_FACTOR) : manage_factor_failed(m, rc);
    }
    return rc == ENROLL_OK;
}

static int manage_factor_new_page(manage_t *m, int status, const enroll_t *e, const char *problem)
{
    json_t *data = json_object();

    json_object_set_new(data, "secret", json_string(e->secret));
    json_object_set_new(data, "problem", manage_words(m, problem));
    return manage_page(m, status, "second-factor-new", T_("A new second factor"), data);
}

int manage_factor_new(manage_t *m)
{
    store_user_t user;
    mine_t mine;
    enroll_t e;
    int answer;

    return manage_factor_waiting(m, &mine, &user, &e, &answer)
               ? manage_factor_new_page(m, HTTP_OK, &e, NULL)
               : answer;
}

int manage_factor_qr(manage_t *m)
{
    const char *svg;
    store_user_t user;
    mine_t mine;
    enroll_t e;
    int answer;

    if (!manage_factor_waiting(m, &mine, &user, &e, &answer)) {
        return answer;
    }
    svg = qr_svg(slice_of(e.uri), m->r->pool);
    if (!svg) {
        return manage_refuse_code(m, VERDICT_INTERNAL);
    }
    ap_set_content_type(m->r, "image/svg+xml");
    ap_set_content_length(m->r, (apr_off_t)strlen(svg));
    ap_rputs(svg, m->r);
    return OK;
}

int manage_factor_confirm(manage_t *m)
{
    store_user_t user;
    mine_t mine;
    enroll_t e;
    enroll_rc_t rc;
    int answer;

    if (!manage_factor_waiting(m, &mine, &user, &e, &answer)) {
        return answer;
    }
    rc = mine_enroll_confirm(&mine, &user, form_get(&m->form, "code"), m->r->pool);
    if (rc == ENROLL_WRONG) {
        return manage_factor_new_page(m, HTTP_UNPROCESSABLE_ENTITY, &e,
                                      T_("That is not the code that your app shows now. Try the "
                                         "next one, and look at the clock of your device."));
    }
    return rc == ENROLL_OK     ? manage_factor_codes(m, &mine, &user, 1)
           : rc == ENROLL_NONE ? manage_go(m, MANAGE_FACTOR)
                               : manage_factor_failed(m, rc);
}
