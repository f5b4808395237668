/* caveat_private.c - tags 1000 to 1007, read, judged and told; see caveat_private.h. */
#include "core/caveat_private.h"

#include <apr_strings.h>
#include <string.h>

#include "core/network.h"
#include "core/project.h"
#include "core/version_clause.h"

#define CAVEAT_PRIVATE_SHA256 64 /* hexadecimal digits */

static const char caveat_private_fields[] = "invalid values for fields";

/* ---- lists: what an item may be, and whether it allows the request ---- */

static int caveat_private_network(slice_t item, apr_pool_t *pool)
{
    network_t network;

    (void)pool;
    return network_parse(&network, item);
}

static int caveat_private_from(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    network_t network;

    (void)pool;
    return network_parse(&network, item) && network_holds(&network, context->address);
}

static int caveat_private_version(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    return context->version && version_clause_match(item, context->version, pool);
}

static int caveat_private_digest(slice_t item, apr_pool_t *pool)
{
    apr_size_t i;

    (void)pool;
    for (i = 0; i < item.n; i++) {
        if (!(item.p[i] >= '0' && item.p[i] <= '9') && !(item.p[i] >= 'a' && item.p[i] <= 'f')) {
            return 0;
        }
    }
    return item.n == CAVEAT_PRIVATE_SHA256;
}

static int caveat_private_bytes(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->sha256.n == CAVEAT_PRIVATE_SHA256 && slice_equal(item, context->sha256);
}

/* A normalised name, or the beginning of one and "*", or "*". */
static int caveat_private_glob(slice_t item, apr_pool_t *pool)
{
    apr_size_t i, n = item.n && item.p[item.n - 1] == '*' ? item.n - 1 : item.n;

    (void)pool;
    for (i = 0; i < n; i++) {
        char c = item.p[i];
        int hyphen = c == '-' && i > 0 && item.p[i - 1] != '-' && (i + 1 < n || n < item.n);

        if (!hyphen && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
            return 0;
        }
    }
    return item.n > 0 && item.n <= PROJECT_NAME_MAX;
}

static int caveat_private_name(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    slice_t project = context->project, start = item;

    (void)pool;
    if (item.p[item.n - 1] == '*') {
        start.n--;
        project.n = project.n < start.n ? project.n : start.n;
    }
    return context->project.n && slice_equal(start, project);
}

static int caveat_private_kind(slice_t item, apr_pool_t *pool)
{
    (void)pool;
    return slice_is(item, "sdist") || slice_is(item, "bdist_wheel");
}

static int caveat_private_type(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->filetype && slice_is(item, context->filetype);
}

static int caveat_private_file(slice_t item, apr_pool_t *pool)
{
    (void)pool;
    return item.n > 0 && item.n <= PROJECT_FILENAME_MAX && !memchr(item.p, '\0', item.n);
}

static int caveat_private_filename(slice_t item, const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->filename && slice_is(item, context->filename);
}

/* What a refusal shows: the client's own words, and what it knows of itself. */
static const char *caveat_private_address(const caveat_context_t *context, apr_pool_t *pool)
{
    return context->address.n ? slice_dup(context->address, pool) : "this address";
}

static const char *caveat_private_shown_version(const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->version ? context->version : "this version";
}

static const char *caveat_private_shown_file(const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->filename ? context->filename : "this file";
}

static const char *caveat_private_shown_project(const caveat_context_t *context, apr_pool_t *pool)
{
    return context->project.n ? slice_dup(context->project, pool) : "this project";
}

static const char *caveat_private_shown_kind(const caveat_context_t *context, apr_pool_t *pool)
{
    (void)pool;
    return context->filetype ? context->filetype : "this kind of file";
}

typedef struct caveat_private_row_t {
    int tag;
    caveat_phase_t phase; /* from here on the request is known well enough */
    int (*valid)(slice_t item, apr_pool_t *pool); /* NULL: not a list */
    int (*match)(slice_t item, const caveat_context_t *context, apr_pool_t *pool);
    const char *(*shown)(const caveat_context_t *context, apr_pool_t *pool);
    const char *refused; /* before what shown says */
    const char *one, *many;
} caveat_private_row_t;

/* By kind, from CAVEAT_NETWORKS on. */
static const caveat_private_row_t caveat_private_rows[] = {
    {CAVEAT_TAG_NETWORKS, CAVEAT_PHASE_BEARER, caveat_private_network, caveat_private_from,
     caveat_private_address, "its network caveat does not allow ", "from the network",
     "from the networks"},
    {CAVEAT_TAG_VERSIONS, CAVEAT_PHASE_FORM, version_clause_valid, caveat_private_version,
     caveat_private_shown_version, "its version caveat does not allow ", "only the version",
     "only the versions"},
    {CAVEAT_TAG_DIGESTS, CAVEAT_PHASE_UPLOAD, caveat_private_digest, caveat_private_bytes,
     caveat_private_shown_file, "its digest caveat is not for the bytes of ",
     "only the file with the SHA-256", "only the files with the SHA-256"},
    {CAVEAT_TAG_GLOBS, CAVEAT_PHASE_FORM, caveat_private_glob, caveat_private_name,
     caveat_private_shown_project, "its name caveat does not allow ", "only projects named",
     "only projects named"},
    {CAVEAT_TAG_USES, CAVEAT_PHASE_UPLOAD, NULL, NULL, NULL, NULL, NULL, NULL},
    {CAVEAT_TAG_FILE_KINDS, CAVEAT_PHASE_FORM, caveat_private_kind, caveat_private_type,
     caveat_private_shown_kind, "its kind caveat does not allow ", "only files of the kind",
     "only files of the kinds"},
    {CAVEAT_TAG_CREATION, CAVEAT_PHASE_FORM, NULL, NULL, NULL, NULL, NULL, NULL},
    {CAVEAT_TAG_FILE_NAMES, CAVEAT_PHASE_FORM, caveat_private_file, caveat_private_filename,
     caveat_private_shown_file, "its file caveat does not allow ", "only the file",
     "only the files"},
};

#define CAVEAT_PRIVATE_ROWS (sizeof(caveat_private_rows) / sizeof(caveat_private_rows[0]))

/* ---- reading ---- */

static const char *caveat_private_list(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    apr_size_t at =
        (apr_size_t)(json_integer_value(json_array_get(array, 0)) - CAVEAT_TAG_NETWORKS);
    const char *why = caveat_text_list(out, (caveat_kind_t)(CAVEAT_NETWORKS + (int)at),
                                       json_array_get(array, 1), pool);
    apr_size_t i;

    if (why || json_array_size(array) != 2 || out->n == 0) {
        return caveat_private_fields;
    }
    for (i = 0; i < out->n; i++) {
        if (!caveat_private_rows[at].valid(out->list[i], pool)) {
            return caveat_private_fields;
        }
    }
    return NULL;
}

static const char *caveat_private_uses(caveat_text_t *out, const json_t *array, apr_pool_t *pool)
{
    const json_t *uses = json_array_get(array, 1);

    (void)pool;
    out->kind = CAVEAT_USES;
    out->uses = json_integer_value(uses);
    return json_array_size(array) == 2 && json_is_integer(uses) && out->uses > 0 &&
                   out->uses <= CAVEAT_USES_MAX
               ? NULL
               : caveat_private_fields;
}

static const char *caveat_private_creation(caveat_text_t *out, const json_t *array,
                                           apr_pool_t *pool)
{
    const json_t *word = json_array_get(array, 1);
    slice_t *list = apr_palloc(pool, sizeof(*list));

    if (json_array_size(array) != 2 || !json_is_string(word)) {
        return caveat_private_fields;
    }
    *list = slice_make(apr_pstrmemdup(pool, json_string_value(word), json_string_length(word)),
                       json_string_length(word));
    out->kind = CAVEAT_CREATION;
    out->list = list;
    out->n = 1;
    return slice_is(*list, "new") || slice_is(*list, "existing") ? NULL : caveat_private_fields;
}

caveat_private_read_fn *caveat_private_reader(apr_int64_t tag)
{
    if (tag == CAVEAT_TAG_USES) {
        return caveat_private_uses;
    }
    if (tag == CAVEAT_TAG_CREATION) {
        return caveat_private_creation;
    }
    return tag >= CAVEAT_TAG_NETWORKS &&
                   tag < CAVEAT_TAG_NETWORKS + (apr_int64_t)CAVEAT_PRIVATE_ROWS
               ? caveat_private_list
               : NULL;
}

/* ---- judging ---- */

static const char *caveat_private_judge_creation(const caveat_text_t *caveat,
                                                 const caveat_context_t *context, apr_pool_t *pool)
{
    int fresh = slice_is(caveat->list[0], "new");

    if (context->project.n && !fresh == !context->fresh) {
        return NULL;
    }
    return apr_psprintf(pool, "its creation caveat is for %s projects only, and %s is %s",
                        fresh ? "new" : "existing", caveat_private_shown_project(context, pool),
                        context->fresh ? "new" : "there");
}

const char *caveat_private_judge(const caveat_text_t *caveat, const caveat_context_t *context,
                                 caveat_phase_t phase, apr_pool_t *pool)
{
    const caveat_private_row_t *row = &caveat_private_rows[caveat->kind - CAVEAT_NETWORKS];
    apr_size_t i;

    if (phase < row->phase || caveat->kind == CAVEAT_USES ||
        (phase == CAVEAT_PHASE_BEARER && !context->address.n)) {
        return NULL;
    }
    if (caveat->kind == CAVEAT_CREATION) {
        return caveat_private_judge_creation(caveat, context, pool);
    }
    for (i = 0; i < caveat->n; i++) {
        if (row->match(caveat->list[i], context, pool)) {
            return NULL;
        }
    }
    return apr_pstrcat(pool, row->refused, row->shown(context, pool), NULL);
}

/* ---- telling ---- */

const char *caveat_private_describe(const caveat_text_t *caveat, apr_pool_t *pool)
{
    const caveat_private_row_t *row = &caveat_private_rows[caveat->kind - CAVEAT_NETWORKS];
    const char *text = "";
    apr_size_t i;

    if (caveat->kind == CAVEAT_USES) {
        return apr_psprintf(pool, "at most %" APR_INT64_T_FMT " accepted upload%s", caveat->uses,
                            caveat->uses == 1 ? "" : "s");
    }
    if (caveat->kind == CAVEAT_CREATION) {
        return slice_is(caveat->list[0], "new") ? "only the first file of a new project"
                                                : "only projects that exist";
    }
    for (i = 0; i < caveat->n; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "",
                           slice_printable(caveat->list[i], caveat->list[i].n, pool), NULL);
    }
    return apr_pstrcat(pool, caveat->n == 1 ? row->one : row->many, " ", text, NULL);
}
