/* test_session.c - sealed cookies: nothing opens but what was sealed for this, and until its end.
 */
#include "tap.h"

#include "core/session.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

static const unsigned char key[SESSION_KEY] = "0123456789abcdef0123456789abcdef";
static const unsigned char other[SESSION_KEY] = "0123456789abcdef0123456789abcdeF";
static apr_pool_t *pool;

static int broken(void *bytes, apr_size_t n)
{
    (void)bytes;
    (void)n;
    return -1;
}

static session_t person(void)
{
    session_t s = {slice_of("alice"), 7, 1000, 2000, 2, {0}};

    (void)session_id(&s, &seam_system);
    return s;
}

static int opens(const char *text, session_kind_t kind, const char *service,
                 const unsigned char *with, apr_int64_t now)
{
    session_t s;

    return session_open(&s, slice_of(text), kind, slice_of(service), with, now, pool) == 0;
}

static void whole(void)
{
    session_t s = person(), back;
    const char *text =
        session_seal(&s, SESSION_PERSON, slice_of("pypi.org"), key, &seam_system, pool);

    tap_ok(session_open(&back, slice_of(text), SESSION_PERSON, slice_of("pypi.org"), key, 1500,
                        pool) == 0 &&
               slice_is(back.user, "alice") && back.epoch == 7 && back.issued == 1000 &&
               back.expires == 2000 && back.factors == 2 && memcmp(back.id, s.id, SESSION_ID) == 0,
           "what was sealed is opened");
    tap_ok(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               strlen(text),
           "  and fits a cookie");
    tap_ok(!strstr(text, "alice"), "  and tells nothing");
    tap_ok(!opens(text, SESSION_DEVICE, "pypi.org", key, 1500), "another kind: not opened");
    tap_ok(!opens(text, SESSION_PERSON, "test.org", key, 1500), "another service");
    tap_ok(!opens(text, SESSION_PERSON, "", key, 1500), "no service");
    tap_ok(!opens(text, SESSION_PERSON, "pypi.org", other, 1500), "another key");
    tap_ok(!opens(text, SESSION_PERSON, "pypi.org", key, 999), "before its time");
    tap_ok(opens(text, SESSION_PERSON, "pypi.org", key, 1000), "  at its beginning it is good");
    tap_ok(opens(text, SESSION_PERSON, "pypi.org", key, 1999), "  and in its last second");
    tap_ok(!opens(text, SESSION_PERSON, "pypi.org", key, 2000), "  not at its end");
    tap_ok(strcmp(text, session_seal(&s, SESSION_PERSON, slice_of("pypi.org"), key, &seam_system,
                                     pool)) != 0,
           "sealed twice: two texts");
}

static void damaged(void)
{
    session_t s = person();
    const char *text =
        session_seal(&s, SESSION_PERSON, slice_of("pypi.org"), key, &seam_system, pool);
    apr_size_t i, n = strlen(text);
    int opened = 0;

    for (i = 0; i < n; i++) {
        char *bad = apr_pstrdup(pool, text);

        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        opened += opens(bad, SESSION_PERSON, "pypi.org", key, 1500);
        bad = apr_pstrmemdup(pool, text, i);
        opened += opens(bad, SESSION_PERSON, "pypi.org", key, 1500);
    }
    opened += opens(apr_pstrcat(pool, text, "A", NULL), SESSION_PERSON, "pypi.org", key, 1500);
    opened +=
        opens(apr_pstrcat(pool, text, text, text, text, text, text, text, text, text, text, NULL),
              SESSION_PERSON, "pypi.org", key, 1500);
    opened += opens("", SESSION_PERSON, "pypi.org", key, 1500);
    opened += opens("\"'<>", SESSION_PERSON, "pypi.org", key, 1500);
    tap_ok(opened == 0, "one letter changed, cut off or added, at each of %d places: never opened",
           (int)n);
}

static void names(void)
{
    session_t s = person(), back;
    char name[SESSION_NAME_MAX + 1];
    seam_t mute = seam_system;
    const char *text;

    memset(name, 'x', sizeof(name));
    s.user = slice_make(name, SESSION_NAME_MAX);
    text = session_seal(&s, SESSION_PERSON, slice_of("s"), key, &seam_system, pool);
    tap_ok(text && strlen(text) < 1200 &&
               session_open(&back, slice_of(text), SESSION_PERSON, slice_of("s"), key, 1500,
                            pool) == 0 &&
               slice_equal(back.user, s.user),
           "the longest name");
    s.user = slice_make(name, sizeof(name));
    tap_ok(!session_seal(&s, SESSION_PERSON, slice_of("s"), key, &seam_system, pool),
           "one byte more is refused, not cut");
    s.user = slice_make(NULL, 0);
    text = session_seal(&s, SESSION_FORM, slice_of("s"), key, &seam_system, pool);
    tap_ok(opens(text, SESSION_FORM, "s", key, 1500), "no name");
    mute.random = broken;
    tap_ok(!session_seal(&s, SESSION_FORM, slice_of("s"), key, &mute, pool) &&
               session_id(&s, &mute) == -1,
           "no random bytes: nothing is sealed");
}

static void forgery(void)
{
    slice_t ab[] = {slice_of("ab"), slice_of("c")}, a_bc[] = {slice_of("a"), slice_of("bc")};
    const char *token = session_csrf(key, ab, 2, pool);

    tap_ok(strlen(token) == 32 && session_csrf_is(slice_of(token), session_csrf(key, ab, 2, pool)),
           "a token against forged requests is the same each time");
    tap_ok(!session_csrf_is(slice_of(token), session_csrf(key, a_bc, 2, pool)) &&
               !session_csrf_is(slice_of(token), session_csrf(key, ab, 1, pool)) &&
               !session_csrf_is(slice_of(token), session_csrf(other, ab, 2, pool)),
           "  and another for anything else");
    tap_ok(!session_csrf_is(slice_of(NULL), token) &&
               !session_csrf_is(slice_make(token, 31), token),
           "  none, or a part of it, is not it");
}

int main(void)
{
    if (apr_initialize() || sodium_init() < 0) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    whole();
    damaged();
    names();
    forgery();
    return tap_done();
}
