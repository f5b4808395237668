/* narrow.c - words into caveats; see narrow.h. */
#include "access/narrow.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "core/project.h"

/* The list restrictions: what a wrong item is told, with its text for the "{}". */
typedef struct narrow_row_t {
    int tag;
    size_t offset;
    const char *before, *after;
} narrow_row_t;

static const narrow_row_t narrow_rows[] = {
    {CAVEAT_TAG_GLOBS, offsetof(narrow_t, globs), "'",
     "' is no pattern of project names: write a normalised name, or its beginning and a *."},
    {CAVEAT_TAG_VERSIONS, offsetof(narrow_t, versions), "'",
     "' is no version: write one like 2.0, or the beginning of some like 1.2.*."},
    {CAVEAT_TAG_NETWORKS, offsetof(narrow_t, networks), "'",
     "' is no network: write an address, or one like 192.0.2.0/24 without bits behind its length."},
    {CAVEAT_TAG_FILE_KINDS, offsetof(narrow_t, kinds), "'", "' is no kind: use sdist or wheel."},
    {CAVEAT_TAG_FILE_NAMES, offsetof(narrow_t, filenames), "'", "' is no file name."},
    {CAVEAT_TAG_DIGESTS, offsetof(narrow_t, digests), "'",
     "' is no SHA-256: it has 64 hexadecimal digits in lower case."},
};
#define NARROW_ROWS (sizeof(narrow_rows) / sizeof(narrow_rows[0]))

static const apr_array_header_t *narrow_list(const narrow_t *narrow, const narrow_row_t *row)
{
    return *(const apr_array_header_t *const *)(const void *)((const char *)narrow + row->offset);
}

static int narrow_some(const apr_array_header_t *list)
{
    return list && list->nelts > 0;
}

/* ---- files ---- */

/* The same text twice in a list says nothing more. */
static void narrow_files_put(apr_array_header_t **list, const char *text, apr_pool_t *pool)
{
    int i;

    if (!*list) {
        *list = apr_array_make(pool, 4, sizeof(const char *));
    }
    for (i = 0; i < (*list)->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(*list, i, const char *), text) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(*list, const char *) = text;
}

const char *narrow_files_add(narrow_files_t *files, const char *name, const char *sha256,
                             apr_pool_t *pool)
{
    project_file_t parts;

    if (project_file_parse(&parts, slice_of(name), 0, pool) != VERDICT_ALLOWED) {
        return apr_psprintf(pool, "%s is named neither as a wheel nor as a source distribution.",
                            name);
    }
    narrow_files_put(&files->projects, parts.project, pool);
    narrow_files_put(&files->versions, parts.normal, pool);
    narrow_files_put(&files->filenames, name, pool);
    narrow_files_put(&files->digests, sha256, pool);
    return NULL;
}

narrow_t narrow_files_all(const narrow_files_t *files)
{
    narrow_t narrow = {.projects = files->projects,
                       .versions = files->versions,
                       .filenames = files->filenames,
                       .digests = files->digests};

    return narrow;
}

/* ---- caveats ---- */

static const char *narrow_push(apr_array_header_t *caveats, slice_t caveat)
{
    if (caveat.n == 0) {
        return "There is no memory for another restriction.";
    }
    APR_ARRAY_PUSH(caveats, slice_t) = caveat;
    return NULL;
}

static const char *narrow_projects(apr_array_header_t *caveats, const narrow_t *narrow,
                                   apr_pool_t *pool)
{
    const apr_array_header_t *list = narrow->projects;
    slice_t *names;
    int i;

    if (!narrow_some(list)) {
        return NULL;
    }
    names = apr_palloc(pool, (apr_size_t)list->nelts * sizeof(*names));
    for (i = 0; i < list->nelts; i++) {
        slice_t name = slice_of(APR_ARRAY_IDX(list, i, const char *));

        if (!project_name_valid(name)) {
            return apr_psprintf(pool, "'%s' is not a valid project name.", name.p ? name.p : "");
        }
        names[i] = slice_of(project_normalize(name, pool));
    }
    return narrow_push(caveats, caveat_projects(names, (apr_size_t)list->nelts, pool));
}

static const char *narrow_expires(apr_array_header_t *caveats, const narrow_t *narrow,
                                  apr_int64_t now, apr_pool_t *pool)
{
    if (!narrow->expires) {
        return NULL;
    }
    if (narrow->expires <= now) {
        return "The token would be expired from the start.";
    }
    return narrow_push(caveats, caveat_expiration(narrow->expires, now - CAVEAT_BACKDATE, pool));
}

/* What people call a wheel, the upload form calls bdist_wheel. */
static slice_t narrow_item(const narrow_row_t *row, const char *text)
{
    return slice_of(row->tag == CAVEAT_TAG_FILE_KINDS && strcmp(text, "wheel") == 0 ? "bdist_wheel"
                                                                                    : text);
}

static const char *narrow_items(apr_array_header_t *caveats, const narrow_t *narrow,
                                const narrow_row_t *row, apr_pool_t *pool)
{
    const apr_array_header_t *list = narrow_list(narrow, row);
    slice_t *items;
    int i;

    if (!narrow_some(list)) {
        return NULL;
    }
    items = apr_palloc(pool, (apr_size_t)list->nelts * sizeof(*items));
    for (i = 0; i < list->nelts; i++) {
        const char *text = APR_ARRAY_IDX(list, i, const char *);

        items[i] = narrow_item(row, text);
        if (caveat_fault(caveat_list(row->tag, &items[i], 1, pool), pool)) {
            return apr_pstrcat(pool, row->before, text, row->after, NULL);
        }
    }
    return narrow_push(caveats, caveat_list(row->tag, items, (apr_size_t)list->nelts, pool));
}

static const char *narrow_numbers(apr_array_header_t *caveats, const narrow_t *narrow,
                                  apr_pool_t *pool)
{
    const char *wrong = NULL;

    if (narrow->uses < 0 || narrow->uses > CAVEAT_USES_MAX) {
        return "A token can be limited to between 1 and 1000000 uploads.";
    }
    if (narrow->only_new && narrow->only_existing) {
        return "A token for new projects only and for existing ones only would be good for none.";
    }
    if (narrow->uses) {
        wrong = narrow_push(caveats, caveat_number(CAVEAT_TAG_USES, narrow->uses, pool));
    }
    if (!wrong && (narrow->only_new || narrow->only_existing)) {
        wrong = narrow_push(caveats,
                            caveat_word(CAVEAT_TAG_CREATION,
                                        slice_of(narrow->only_new ? "new" : "existing"), pool));
    }
    return wrong;
}

const char *narrow_caveats(apr_array_header_t *caveats, const narrow_t *narrow, apr_int64_t now,
                           apr_pool_t *pool)
{
    int before = caveats->nelts;
    const char *wrong = narrow_projects(caveats, narrow, pool);
    apr_size_t i;

    for (i = 0; i < NARROW_ROWS && !wrong; i++) {
        wrong = narrow_items(caveats, narrow, &narrow_rows[i], pool);
    }
    if (!wrong) {
        wrong = narrow_numbers(caveats, narrow, pool);
    }
    if (!wrong) {
        wrong = narrow_expires(caveats, narrow, now, pool);
    }
    if (wrong) {
        caveats->nelts = before;
    }
    return wrong;
}
