/* caveat_text.c - JSON to caveat, with PyPI's strict types; see caveat_text.h for the contract. */
#include "core/caveat_text.h"

#include "core/caveat_private.h"

#include <apr_strings.h>
#include <jansson.h>
#include <string.h>

/* The texts are PyPI's where PyPI has one. */
static const char caveat_text_fields[] = "invalid values for fields";

/* ---- before jansson sees it ---- */

/* One pass over the bytes outside of strings, which jansson would refuse or take too far. */
typedef struct caveat_text_scan_t {
    const char *p, *end;
    char *to;
    int depth;
} caveat_text_scan_t;

static int caveat_text_is_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* 1 when s is a JSON integer that no int64 holds. */
static int caveat_text_is_huge(slice_t s, int negative)
{
    apr_size_t i;

    if (s.n < 19 || s.p[0] == '0') {
        return 0;
    }
    for (i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return 0;
        }
    }
    return s.n > 19 ||
           memcmp(s.p, negative ? "9223372036854775808" : "9223372036854775807", 19) > 0;
}

/* jansson refuses integers beyond 64 bits, PyPI takes them: they become the nearest that fits. */
static void caveat_text_number(caveat_text_scan_t *scan)
{
    const char *begin = scan->p;
    int negative = *begin == '-';
    slice_t digits;

    while (scan->p < scan->end && caveat_text_is_number(*scan->p)) {
        scan->p++;
    }
    digits = slice_make(begin + negative, (apr_size_t)(scan->p - begin) - (apr_size_t)negative);
    if (caveat_text_is_huge(digits, negative)) {
        digits = slice_of(negative ? "9223372036854775808" : "9223372036854775807");
    }
    if (negative) {
        *scan->to++ = '-';
    }
    if (digits.n) {
        memcpy(scan->to, digits.p, digits.n);
        scan->to += digits.n;
    }
}

/* A string as it stands, up to and with its closing quote. */
static void caveat_text_string(caveat_text_scan_t *scan)
{
    int escaped = 0;

    *scan->to++ = *scan->p++;
    while (scan->p < scan->end) {
        char c = *scan->p++;

        *scan->to++ = c;
        if (escaped) {
            escaped = 0;
        } else if (c == '\\') {
            escaped = 1;
        } else if (c == '"') {
            break;
        }
    }
}

/* A copy of text with integers saturated, or NULL when it is nested too deeply. */
static const char *caveat_text_prepare(slice_t *text, apr_pool_t *pool)
{
    caveat_text_scan_t scan = {text->p, text->p + text->n, NULL, 0};
    /* nothing becomes longer; one more so that it is never 0 bytes */
    char *copy = apr_palloc(pool, text->n + 1);

    scan.to = copy;
    while (scan.p < scan.end) {
        char c = *scan.p;

        if (c == '"') {
            caveat_text_string(&scan);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            caveat_text_number(&scan);
        } else {
            scan.depth += (c == '[' || c == '{') - (c == ']' || c == '}');
            if (scan.depth > CAVEAT_TEXT_MAX_DEPTH) {
                return NULL;
            }
            *scan.to++ = c;
            scan.p++;
        }
    }
    text->p = copy;
    text->n = (apr_size_t)(scan.to - copy);
    return copy;
}

/* ---- fields ---- */

static slice_t caveat_text_slice(const json_t *string, apr_pool_t *pool)
{
    apr_size_t n = json_string_length(string);

    return slice_make(apr_pstrmemdup(pool, json_string_value(string), n), n);
}

static const char *caveat_text_dates(caveat_text_t *out, const json_t *expires,
                                     const json_t *not_before)
{
    /* json_is_integer: 5.0, 1e9 and true are none */
    if (!json_is_integer(expires) || !json_is_integer(not_before)) {
        return caveat_text_fields;
    }
    out->kind = CAVEAT_EXPIRATION;
    out->expires = json_integer_value(expires);
    out->not_before = json_integer_value(not_before);
    return NULL;
}

const char *caveat_text_list(caveat_text_t *out, caveat_kind_t kind, const json_t *array,
                             apr_pool_t *pool)
{
    apr_size_t n = json_array_size(array), i;
    slice_t *list;

    if (!json_is_array(array)) {
        return caveat_text_fields;
    }
    list = apr_palloc(pool, (n ? n : 1) * sizeof(*list));
    for (i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);

        if (!json_is_string(item)) {
            return caveat_text_fields;
        }
        list[i] = caveat_text_slice(item, pool);
    }
    out->kind = kind;
    out->list = list;
    out->n = n;
    return NULL;
}

static const char *caveat_text_user(caveat_text_t *out, const json_t *user, apr_pool_t *pool)
{
    slice_t *list = apr_palloc(pool, sizeof(*list));

    if (!json_is_string(user)) {
        return caveat_text_fields;
    }
    *list = caveat_text_slice(user, pool);
    out->kind = CAVEAT_USER;
    out->list = list;
    out->n = 1;
    return NULL;
}

/* ---- [tag, field, ...] ---- */

static const char *caveat_text_tag_0(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    (void)pool;
    return caveat_text_dates(out, json_array_get(array, 1), json_array_get(array, 2));
}

static const char *caveat_text_tag_1(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    return caveat_text_list(out, CAVEAT_PROJECT_NAMES, json_array_get(array, 1), pool);
}

static const char *caveat_text_tag_2(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    return caveat_text_list(out, CAVEAT_PROJECT_IDS, json_array_get(array, 1), pool);
}

static const char *caveat_text_tag_3(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    return caveat_text_user(out, json_array_get(array, 1), pool);
}

/* By tag. Fields after the known ones are for later readers and ignored, as PyPI does; a tag that
 * is neither here nor a private one denies, 4 (OIDC publishers) among them. */
static const struct {
    apr_size_t fields;
    const char *(*read)(caveat_text_t *out, const json_t *array, apr_pool_t *pool);
} caveat_text_tags[] = {
    {2, caveat_text_tag_0},
    {1, caveat_text_tag_1},
    {1, caveat_text_tag_2},
    {1, caveat_text_tag_3},
};

#define CAVEAT_TEXT_TAGS (sizeof(caveat_text_tags) / sizeof(caveat_text_tags[0]))

static const char *caveat_text_array(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    const json_t *tag = json_array_get(array, 0);
    json_int_t number = json_integer_value(tag);
    caveat_private_read_fn *private;

    if (!tag) {
        return "caveat array cannot be empty";
    }
    if (!json_is_integer(tag)) {
        return "caveat has unknown tag";
    }
    private = caveat_private_reader(number);
    if (private) {
        return private(out, array, pool);
    }
    if (number < 0 || number >= (json_int_t)CAVEAT_TEXT_TAGS) {
        return apr_psprintf(pool, "caveat has unknown tag: %" APR_INT64_T_FMT, (apr_int64_t)number);
    }
    if (json_array_size(array) < caveat_text_tags[number].fields + 1) {
        return "Not enough values";
    }
    return caveat_text_tags[number].read(out, array, pool);
}

/* ---- the three objects ---- */

enum { CAVEAT_TEXT_VERSION = 1, CAVEAT_TEXT_DATES = 2, CAVEAT_TEXT_IDS = 4 };

static const struct {
    const char *key;
    int kind;
} caveat_text_keys[] = {
    {"version", CAVEAT_TEXT_VERSION}, {"permissions", CAVEAT_TEXT_VERSION},
    {"exp", CAVEAT_TEXT_DATES},       {"nbf", CAVEAT_TEXT_DATES},
    {"project_ids", CAVEAT_TEXT_IDS},
};

/* {"version": 1, "permissions": "user" or {"projects": [...]}} */
static const char *caveat_text_permissions(caveat_text_t *out, const json_t *object,
                                           apr_pool_t *pool)
{
    const json_t *version = json_object_get(object, "version");
    const json_t *permissions = json_object_get(object, "permissions");
    const json_t *projects = json_object_get(permissions, "projects");

    /* 0 for whatever is not an integer */
    if (json_integer_value(version) != 1) {
        return "caveat must be an array";
    }
    if (json_is_string(permissions) &&
        slice_is(slice_make(json_string_value(permissions), json_string_length(permissions)),
                 "user")) {
        out->kind = CAVEAT_ANY_USER;
        return NULL;
    }
    /* a key beside the projects was meant to restrict something */
    if (!projects || json_object_size(permissions) != 1) {
        return caveat_text_fields;
    }
    return caveat_text_list(out, CAVEAT_PROJECT_NAMES, projects, pool);
}

/* PyPI enforces the first kind that it recognises in an object and ignores the others. Nobody ever
 * emitted two in one, so here they deny. */
static const char *caveat_text_object(caveat_text_t *out, const json_t *object, apr_pool_t *pool)
{
    apr_size_t i;
    int kinds = 0;

    for (i = 0; i < sizeof(caveat_text_keys) / sizeof(caveat_text_keys[0]); i++) {
        if (json_object_get(object, caveat_text_keys[i].key)) {
            kinds |= caveat_text_keys[i].kind;
        }
    }
    switch (kinds) {
    case CAVEAT_TEXT_VERSION:
        return caveat_text_permissions(out, object, pool);
    case CAVEAT_TEXT_DATES:
        return caveat_text_dates(out, json_object_get(object, "exp"),
                                 json_object_get(object, "nbf"));
    case CAVEAT_TEXT_IDS:
        if (json_object_size(object) != 1) {
            return "caveat has unexpected keys";
        }
        return caveat_text_list(out, CAVEAT_PROJECT_IDS, json_object_get(object, "project_ids"),
                                pool);
    case 0:
        return "caveat must be an array";
    default:
        return "caveat mixes kinds of restrictions";
    }
}

const char *caveat_text_read(caveat_text_t *out, slice_t text, apr_pool_t *pool)
{
    const char *why;
    json_t *root;

    memset(out, 0, sizeof(*out));
    if (text.n == 0) {
        return "caveat is empty";
    }
    if (!caveat_text_prepare(&text, pool)) {
        return "caveat is nested too deeply";
    }
    /* trailing bytes, BOM, bad UTF-8, lone surrogates, NaN: all refused by jansson */
    root =
        json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    if (json_is_array(root)) {
        why = caveat_text_array(out, root, pool);
    } else if (json_is_object(root)) {
        why = caveat_text_object(out, root, pool);
    } else {
        why = root ? "caveat must be an array" : "caveat is not JSON";
    }
    json_decref(root);
    return why;
}
