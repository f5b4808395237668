/* person.c - names, passwords and codes as people type them; see person.h. */
#include "core/person.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/macaroon.h"
#include "core/utf8.h"

/* ---- names ---- */

static int person_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int person_name_valid(slice_t name)
{
    apr_size_t i;

    for (i = 0; i < name.n; i++) {
        if (!person_alnum(name.p[i]) && (i == 0 || !name.p[i] || !strchr("._@+-", name.p[i]))) {
            return 0;
        }
    }
    return name.n >= 1 && name.n <= PERSON_NAME_MAX;
}

/* s without spaces and control characters, ASCII letters in lower case; *s has room for a NUL. */
static void person_squeeze(char *s, apr_size_t n)
{
    apr_size_t i, k = 0;

    for (i = 0; i < n; i++) {
        if ((unsigned char)s[i] > ' ' && s[i] != 0x7f) {
            s[k++] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
        }
    }
    s[k] = '\0';
}

const char *person_fold(slice_t name, apr_pool_t *pool)
{
    static const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STRIPMARK |
                                         UTF8PROC_STRIPCC | UTF8PROC_LUMP;
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t n = -1;
    char *out;

    if (name.n && utf8_valid(name)) {
        n = utf8proc_map((const utf8proc_uint8_t *)name.p, (utf8proc_ssize_t)name.n, &mapped, how);
    }
    out = n >= 0 ? slice_dup(slice_make((const char *)mapped, (apr_size_t)n), pool)
                 : slice_dup(name, pool);
    free(mapped);
    person_squeeze(out, n >= 0 ? (apr_size_t)n : name.n);
    return out;
}

/* ---- passwords ---- */

slice_t person_normal(slice_t password, apr_pool_t *pool)
{
    static const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)password.p;
    utf8proc_ssize_t i, n, bytes = (utf8proc_ssize_t)password.n;
    utf8proc_int32_t *points;

    if (!password.n || !utf8_valid(password) ||
        (n = utf8proc_decompose(p, bytes, NULL, 0, how)) < 0) {
        return password;
    }
    points =
        (utf8proc_int32_t *)(void *)macaroon_secret(((apr_size_t)n + 1) * sizeof(*points), pool);
    if (utf8proc_decompose(p, bytes, points, n, how) != n) {
        return password;
    }
    for (i = 0; i < n; i++) {
        if (utf8proc_category(points[i]) == UTF8PROC_CATEGORY_ZS) {
            points[i] = ' ';
        }
    }
    n = utf8proc_reencode(points, n, how); /* in place */
    return n < 0 ? password : slice_make((const char *)points, (apr_size_t)n);
}

/* ---- codes ---- */

/* The length of the digits that s ends with, in one run or two halves with a space between, and
 * those in text; 0: it does not. */
static apr_size_t person_tail(slice_t s, apr_size_t digits, char *text)
{
    apr_size_t i, half = digits / 2, n = digits;

    if (s.n > digits && s.p[s.n - half - 1] == ' ') {
        n++;
    }
    if (s.n < n) {
        return 0;
    }
    s = slice_make(s.p + s.n - n, n);
    for (i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (n > digits && i == half) {
            continue;
        }
        if (c < '0' || c > '9') {
            return 0;
        }
        *text++ = c;
    }
    *text = '\0';
    return n;
}

static apr_size_t person_take(person_code_t *code, slice_t typed, int digits)
{
    apr_size_t n = 0;

    memset(code, 0, sizeof(*code));
    if (digits > 0 && digits <= RECOVERY_LETTERS) {
        n = person_tail(typed, (apr_size_t)digits, code->text);
    }
    if (n) {
        code->kind = PERSON_CODE_TOTP;
    } else {
        n = recovery_tail(typed, code->text);
        code->kind = n ? PERSON_CODE_RECOVERY : PERSON_CODE_NONE;
    }
    if (!n) {
        sodium_memzero(code->text, sizeof(code->text));
    }
    code->n = strlen(code->text);
    return n;
}

void person_split(slice_t *password, person_code_t *code, slice_t typed, int digits)
{
    apr_size_t n = person_take(code, typed, digits);

    *password = slice_make(typed.p, typed.n - n);
    if (n && password->n &&
        (password->p[password->n - 1] == ',' || password->p[password->n - 1] == ' ')) {
        password->n--;
    }
}

void person_code(person_code_t *code, slice_t field, int digits)
{
    char text[2 * RECOVERY_TEXT + 1];
    apr_size_t i, n = 0;

    for (i = 0; i < field.n && n < sizeof(text); i++) {
        if (field.p[i] != ' ' && field.p[i] != '\t') {
            text[n++] = field.p[i];
        }
    }
    if (i < field.n || person_take(code, slice_make(text, n), digits) != n) {
        sodium_memzero(code, sizeof(*code));
    }
    sodium_memzero(text, sizeof(text));
}

int person_coded(slice_t typed)
{
    char text[RECOVERY_LETTERS + 1];
    int coded =
        person_tail(typed, 6, text) || person_tail(typed, 8, text) || recovery_tail(typed, text);

    sodium_memzero(text, sizeof(text));
    return coded;
}
