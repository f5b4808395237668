/* manage_search.c - a token by its id, or by itself, for administrators; see manage_search.h. */
#include "httpd/private.h"
#include "httpd/manage_search.h"

#include <apr_strings.h>

#include "access/admin.h"
#include "core/scan.h"
#include "httpd/manage_confirm.h"
#include "httpd/manage_token.h"
#include "httpd/words.h"

/* What one paste is looked through for: each takes some reads of the store. */
#define MANAGE_SEARCH_MAX 50

typedef struct manage_search_t {
    manage_t *m;
    json_t *rows;
    int revoke, found, strange, down;
} manage_search_t;

static const char *manage_search_words(leak_t leak, int revoke)
{
    return leak == LEAK_BEFORE ? T_("was revoked before")
           : revoke            ? T_("is revoked now")
                               : T_("is good");
}

static void manage_search_each(void *baton, slice_t token)
{
    manage_search_t *s = baton;
    store_token_t row;
    leak_t leak;
    json_t *o;

    if (s->found++ >= MANAGE_SEARCH_MAX) {
        return;
    }
    leak = admin_leak(&s->m->mine, token, s->revoke, &row, s->m->r->pool);
    s->strange += leak == LEAK_STRANGE;
    s->down |= leak == LEAK_DOWN;
    if (leak == LEAK_STRANGE || leak == LEAK_DOWN) {
        return;
    }
    o = manage_token_data(s->m, &row, 0);
    json_object_set_new(o, "now", manage_words(s->m, manage_search_words(leak, s->revoke)));
    json_array_append_new(s->rows, o);
}

static int manage_search_page(manage_t *m, int status, json_t *data, const char *problem)
{
    json_object_set_new(data, "problem", manage_words(m, problem));
    manage_confirm_data(m, data);
    return manage_page(m, status, "admin-tokens", T_("Find a token"), data);
}

int manage_search_form(manage_t *m)
{
    return manage_search_page(m, HTTP_OK, json_object(), NULL);
}

static int manage_search_text(manage_t *m, slice_t what, int revoke)
{
    manage_search_t s = {.m = m, .rows = json_array(), .revoke = revoke};
    scan_t *scan = scan_create(manage_search_each, &s, m->r->pool);
    json_t *data = json_object();

    scan_feed(scan, what.p, what.n);
    scan_end(scan);
    if (s.down) {
        json_decref(s.rows);
        json_decref(data);
        return manage_failed(m, STORE_DOWN);
    }
    json_object_set_new(data, "searched", json_true());
    json_object_set_new(data, "found", json_integer(s.found));
    json_object_set_new(data, "strange", s.strange ? json_integer(s.strange) : json_false());
    json_object_set_new(data, "rows", s.rows);
    return manage_search_page(m, HTTP_OK, data,
                              s.found > MANAGE_SEARCH_MAX
                                  ? T_("There are more tokens in this text than are looked at in "
                                       "one go: use pypitokenctl token revoke --from-file.")
                                  : NULL);
}

int manage_search(manage_t *m)
{
    slice_t what = slice_trim(form_get(&m->form, "what")), act = form_get(&m->form, "act");
    const char *problem = NULL;
    store_token_t row;
    store_rc_t rc;
    verdict_t v;

    if (!m->store) {
        return manage_failed(m, STORE_DOWN);
    }
    rc = admin_token(&m->mine, what, &row, m->r->pool);
    if (rc == STORE_OK) {
        return manage_go(m, apr_pstrcat(m->r->pool, "admin/tokens/", row.id, NULL));
    }
    if (rc == STORE_DOWN) {
        return manage_failed(m, rc);
    }
    if (token_is_uuid(what)) {
        return manage_search_page(m, HTTP_NOT_FOUND, json_object(),
                                  T_("There is no token of that id."));
    }
    if (slice_is(act, "revoke") && manage_confirm(m, &v, &problem) != VERDICT_ALLOWED) {
        return manage_search_page(m, verdict_status(v.code), json_object(), problem);
    }
    return manage_search_text(m, what, slice_is(act, "revoke"));
}
