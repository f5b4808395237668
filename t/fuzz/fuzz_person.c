/*
 * fuzz_person.c - what a browser and whoever sits before it may send: a form, a cookie, a name, a
 * password with a code behind it.
 *
 * Properties: a form that parses is, written anew, the same form, and has no name twice and no
 * control character; a stranger's cookie is never opened, ours only for what it was sealed for and
 * with no bit turned over; a password and its code are what was typed, cut once; what is folded or
 * normalised is so already the next time.
 */
#include "core/form.h"
#include "core/person.h"
#include "core/session.h"
#include "core/utf8.h"

#include "fuzz.h"

#define FUZZ_NOW 1700000000

static const unsigned char fuzz_key[SESSION_KEY] = "a key that no stranger can know";
static const slice_t fuzz_service = SLICE("index.test");

/* ---- a form ---- */

static char *fuzz_escape(char *to, slice_t s)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        *to++ = '%';
        *to++ = digits[(unsigned char)s.p[i] >> 4];
        *to++ = digits[(unsigned char)s.p[i] & 15];
    }
    return to;
}

static void fuzz_text(slice_t s)
{
    apr_size_t i;

    FUZZ_HOLDS(utf8_valid(s));
    for (i = 0; i < s.n; i++) {
        FUZZ_HOLDS((unsigned char)s.p[i] >= 0x20 || strchr("\t\r\n", s.p[i]));
    }
}

static void fuzz_form(slice_t body, apr_pool_t *pool)
{
    char *copy = fuzz_copy(body), *text = apr_palloc(pool, 3 * body.n + 2 * FORM_MAX), *to = text;
    form_t form, again;
    int i, k;

    if (form_parse(&form, copy, body.n) == 0) {
        for (i = 0; i < form.n; i++) {
            fuzz_text(form.fields[i].name);
            fuzz_text(form.fields[i].value);
            for (k = 0; k < i; k++) {
                FUZZ_HOLDS(!slice_equal(form.fields[i].name, form.fields[k].name));
            }
            to = fuzz_escape(to, form.fields[i].name);
            *to++ = '=';
            to = fuzz_escape(to, form.fields[i].value);
            *to++ = '&';
        }
        FUZZ_HOLDS(form_parse(&again, text, (apr_size_t)(to - text)) == 0 && again.n == form.n);
        for (i = 0; i < form.n; i++) {
            FUZZ_HOLDS(slice_equal(form.fields[i].name, again.fields[i].name) &&
                       slice_equal(form.fields[i].value, again.fields[i].value));
        }
    }
    free(copy);
}

/* ---- a cookie ---- */

static int fuzz_opens(session_t *out, slice_t value, session_kind_t kind, apr_int64_t now,
                      apr_pool_t *pool)
{
    char *copy = fuzz_copy(value);
    int opened =
        session_open(out, slice_make(copy, value.n), kind, fuzz_service, fuzz_key, now, pool) == 0;

    free(copy);
    return opened;
}

static void fuzz_cookie(slice_t s, apr_pool_t *pool)
{
    session_t ours = {{NULL, 0}, 7, FUZZ_NOW, FUZZ_NOW + 60, 2, {0}}, got;
    const char *sealed;
    char *bent;
    size_t at;

    FUZZ_HOLDS(!fuzz_opens(&got, s, SESSION_PERSON, FUZZ_NOW, pool));
    ours.user = s;
    sealed = session_seal(&ours, SESSION_PERSON, fuzz_service, fuzz_key, &seam_system, pool);
    FUZZ_HOLDS(!sealed == (s.n > SESSION_NAME_MAX));
    if (!sealed) {
        return;
    }
    FUZZ_HOLDS(fuzz_opens(&got, slice_of(sealed), SESSION_PERSON, FUZZ_NOW, pool));
    FUZZ_HOLDS(slice_equal(got.user, s) && got.epoch == 7 && got.factors == 2);
    FUZZ_HOLDS(!fuzz_opens(&got, slice_of(sealed), SESSION_DEVICE, FUZZ_NOW, pool));
    FUZZ_HOLDS(!fuzz_opens(&got, slice_of(sealed), SESSION_PERSON, FUZZ_NOW + 60, pool));
    FUZZ_HOLDS(!fuzz_opens(&got, slice_of(sealed), SESSION_PERSON, FUZZ_NOW - 1, pool));
    bent = apr_pstrdup(pool, sealed);
    at = (s.n ? (unsigned char)s.p[0] : 0) % strlen(bent);
    bent[at] = bent[at] == 'A' ? 'B' : 'A';
    FUZZ_HOLDS(!fuzz_opens(&got, slice_of(bent), SESSION_PERSON, FUZZ_NOW, pool));
}

/* ---- a name, a password ---- */

static void fuzz_split(slice_t typed, int digits)
{
    slice_t password;
    person_code_t code;
    char *copy = fuzz_copy(typed);

    person_split(&password, &code, slice_make(copy, typed.n), digits);
    FUZZ_HOLDS(password.n <= typed.n && (!password.n || password.p == copy));
    FUZZ_HOLDS(strlen(code.text) == code.n);
    if (code.kind == PERSON_CODE_NONE) {
        FUZZ_HOLDS(password.n == typed.n);
    } else {
        FUZZ_HOLDS(code.n == (code.kind == PERSON_CODE_TOTP ? (apr_size_t)digits
                                                            : (apr_size_t)RECOVERY_LETTERS));
        FUZZ_HOLDS(typed.n - password.n >= code.n);
        FUZZ_HOLDS(person_coded(typed) || digits == 7);
    }
    free(copy);
}

static void fuzz_names(slice_t s, apr_pool_t *pool)
{
    const char *folded = person_fold(s, pool);
    slice_t normal = person_normal(s, pool);

    FUZZ_HOLDS(!utf8_valid(s) || !strcmp(person_fold(slice_of(folded), pool), folded));
    FUZZ_HOLDS(slice_equal(person_normal(normal, pool), normal));
    if (person_name_valid(s)) {
        char *name = slice_dup(s, pool);

        FUZZ_HOLDS(strlen(name) == s.n && fuzz_printable(name) && !strpbrk(name, ": /\"<>&"));
        FUZZ_HOLDS(s.n <= PERSON_NAME_MAX && strcmp(name, "__token__") != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t s = slice_make((const char *)data, size);
    apr_pool_t *pool = fuzz_pool();

    fuzz_form(s, pool);
    fuzz_cookie(s, pool);
    fuzz_split(s, 6);
    fuzz_split(s, 8);
    fuzz_names(s, pool);
    apr_pool_destroy(pool);
    return 0;
}
