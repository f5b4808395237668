/* disclose.c - tokens that a code host has found; see disclose.h. */
#include "access/disclose.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

#include "access/leak.h"
#include "core/base64.h"
#include "core/signed.h"

#define DISCLOSE_FILE_MAX (256 * 1024)

typedef struct disclose_key_t {
    const char *id, *pem;
    signed_key_t *key;
} disclose_key_t;

struct disclose_keys_t {
    apr_array_header_t *rows; /* of disclose_key_t */
};

/* ---- keys ---- */

static const disclose_key_t *disclose_find(const disclose_keys_t *keys, slice_t id)
{
    int i;

    for (i = 0; i < keys->rows->nelts; i++) {
        const disclose_key_t *row = &APR_ARRAY_IDX(keys->rows, i, disclose_key_t);

        if (slice_is(id, row->id)) {
            return row;
        }
    }
    return NULL;
}

/* NULL, or what is wrong with one of the list. */
static const char *disclose_key(disclose_keys_t *keys, const json_t *row, apr_pool_t *pool)
{
    const char *id = json_string_value(json_object_get(row, "key_identifier"));
    const char *pem = json_string_value(json_object_get(row, "key"));
    const disclose_key_t *there;
    disclose_key_t *key;

    if (!id || !*id || !pem) {
        return "has a key without key_identifier or key";
    }
    there = disclose_find(keys, slice_of(id));
    if (there) {
        return strcmp(there->pem, pem) == 0 ? NULL
                                            : "has a key_identifier that stands for another key";
    }
    key = apr_array_push(keys->rows);
    key->id = apr_pstrdup(pool, id);
    key->pem = apr_pstrdup(pool, pem);
    key->key = signed_key_read(slice_of(pem), pool);
    return key->key ? NULL : "has a key that is no public key on the curve P-256, in PEM";
}

static const char *disclose_list(disclose_keys_t *keys, const json_t *list, apr_pool_t *pool)
{
    const char *wrong = json_array_size(list) ? NULL : "is not {\"public_keys\": [...]} with a key";
    size_t i;

    for (i = 0; i < json_array_size(list) && !wrong; i++) {
        wrong = disclose_key(keys, json_array_get(list, i), pool);
    }
    return wrong;
}

/* The bytes of the file, or a sentence's end. */
static const char *disclose_file(slice_t *text, const char *path, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, DISCLOSE_FILE_MAX + 1), why[120];
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t n = 0;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, 0, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, bytes, DISCLOSE_FILE_MAX + 1, &n);
        rv = APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
        if (rv == APR_SUCCESS) {
            rv = apr_file_info_get(&info, APR_FINFO_PROT, file);
        }
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "cannot be read: %s", apr_strerror(rv, why, sizeof(why)));
    }
    if (info.protection & APR_FPROT_WWRITE) {
        return "can be written by everybody; chmod o-w it";
    }
    *text = slice_make(bytes, n);
    return n > DISCLOSE_FILE_MAX ? "is too long for a file of public keys" : NULL;
}

const char *disclose_keys_read(disclose_keys_t **keys, const char *path, apr_pool_t *pool)
{
    const char *wrong;
    json_error_t error;
    json_t *root;
    slice_t text = {NULL, 0};

    if (!*keys) {
        *keys = apr_palloc(pool, sizeof(**keys));
        (*keys)->rows = apr_array_make(pool, 4, sizeof(disclose_key_t));
    }
    wrong = disclose_file(&text, path, pool);
    if (!wrong) {
        root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
        wrong = disclose_list(*keys, json_object_get(root, "public_keys"), pool);
        json_decref(root);
    }
    return wrong ? apr_psprintf(pool, "%s %s", path, wrong) : NULL;
}

int disclose_known(const disclose_keys_t *keys, slice_t id)
{
    return disclose_find(keys, id) != NULL;
}

int disclose_signed(const disclose_keys_t *keys, slice_t id, slice_t signature, slice_t body,
                    apr_pool_t *pool)
{
    const disclose_key_t *key = disclose_find(keys, id);
    slice_t der;

    return key && base64_decode(&der, slice_trim(signature), BASE64_STANDARD, pool) &&
           signed_holds(key->key, body, der);
}

/* ---- reports ---- */

/* For the event: the place, but not the token, should the place have it in its name. */
static const char *disclose_place(const json_t *row, apr_pool_t *pool)
{
    const char *url = json_string_value(json_object_get(row, "url"));
    const char *source = json_string_value(json_object_get(row, "source")), *cut;
    char *place = apr_pstrcat(pool, "found", url && *url ? " at " : "", url ? url : "",
                              source && *source ? ", source " : "", source ? source : "", NULL);

    cut = strstr(place, TOKEN_PREFIX "AgE");
    return cut ? apr_pstrcat(pool, apr_pstrmemdup(pool, place, (apr_size_t)(cut - place)), "...",
                             NULL)
               : place;
}

/* NULL, or what the body is not. */
static const char *disclose_form(const json_t *list)
{
    size_t i;

    if (!json_is_array(list)) {
        return "it is no list in JSON";
    }
    for (i = 0; i < json_array_size(list); i++) {
        if (!json_is_string(json_object_get(json_array_get(list, i), "token"))) {
            return "it has something else than objects with a token";
        }
    }
    return NULL;
}

/* How many the store failed for. */
static int disclose_each(store_t *store, const json_t *list, const char *address, int *revoked,
                         apr_pool_t *pool)
{
    apr_pool_t *each;
    int down = 0;
    size_t i;

    apr_pool_create(&each, pool);
    for (i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        leak_t leak = leak_revoke(store, slice_of(json_string_value(json_object_get(row, "token"))),
                                  "leak", disclose_place(row, each), address, NULL, each);

        down += leak == LEAK_DOWN;
        *revoked += leak == LEAK_REVOKED;
        apr_pool_clear(each);
    }
    apr_pool_destroy(each);
    return down;
}

verdict_code_t disclose_revoke(store_t *store, slice_t body, const char *address, int *revoked,
                               verdict_t *v, apr_pool_t *pool)
{
    json_error_t error;
    json_t *list = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);
    const char *wrong = disclose_form(list);
    verdict_code_t code = VERDICT_ALLOWED;

    *revoked = 0;
    if (wrong) {
        code = verdict_set(v, VERDICT_API_BODY, slice_of(wrong), pool);
    } else if (json_array_size(list) > DISCLOSE_RECORDS) {
        code = verdict_set(v, VERDICT_API_SIZE, slice_of("1000 tokens"), pool);
    } else if (disclose_each(store, list, address, revoked, pool)) {
        code = verdict_set(v, VERDICT_STORE_DOWN, slice_of(NULL), pool);
    }
    json_decref(list);
    return code;
}
