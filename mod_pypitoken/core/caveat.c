/* caveat.c - caveats judged, told, and written; see caveat.h for the contract. */
#include "core/caveat.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <jansson.h>

#include "core/caveat_private.h"
#include "core/caveat_text.h"
#include "core/duration.h"

/* ---- judging ---- */

/* What one caveat says about the request. detail is for the uploader, log for the operator. */
typedef struct caveat_finding_t {
    verdict_code_t code;
    const char *detail;
    const char *log;
} caveat_finding_t;

static const caveat_finding_t caveat_fine = {VERDICT_ALLOWED, NULL, NULL};

static caveat_finding_t caveat_finding(verdict_code_t code, const char *detail, const char *log)
{
    caveat_finding_t f = {code, detail, log};

    return f;
}

/* An empty value is one that the request does not have: it is in no list, not even in [""]. */
static int caveat_holds(const caveat_text_t *caveat, slice_t value)
{
    apr_size_t i;

    for (i = 0; i < caveat->n && value.n; i++) {
        if (slice_equal(caveat->list[i], value)) {
            return 1;
        }
    }
    return 0;
}

/* PyPI says "expired" for both ends; the uploader is helped more by the difference. */
static caveat_finding_t caveat_judge_dates(const caveat_text_t *caveat, apr_int64_t now)
{
    if (now >= caveat->expires) {
        return caveat_finding(VERDICT_TOKEN_EXPIRED, NULL, "token is expired");
    }
    if (now < caveat->not_before) {
        return caveat_finding(VERDICT_TOKEN_NOT_YET, NULL, "token is not valid yet");
    }
    return caveat_fine;
}

static caveat_finding_t caveat_judge_project(const caveat_text_t *caveat, slice_t value,
                                             const caveat_context_t *context, apr_pool_t *pool)
{
    static const char nowhere[] = "project-scoped token used outside of a project context";
    const char *shown = context->shown;

    if (context->project.n == 0) {
        return caveat_finding(VERDICT_TOKEN_CAVEAT, nowhere, nowhere);
    }
    if (caveat_holds(caveat, value)) {
        return caveat_fine;
    }
    if (!shown) {
        shown = slice_dup(context->project, pool);
    }
    return caveat_finding(
        VERDICT_TOKEN_SCOPE, shown,
        apr_psprintf(pool, "project-scoped token is not valid for project: '%s'", shown));
}

static caveat_finding_t caveat_judge_user(int match, slice_t user)
{
    if (user.n == 0) {
        return caveat_finding(VERDICT_TOKEN_USER, NULL,
                              "token with user restriction without a user");
    }
    if (!match) {
        return caveat_finding(VERDICT_TOKEN_USER, NULL,
                              "current user does not match user restriction in token");
    }
    return caveat_fine;
}

typedef struct caveat_read_t {
    caveat_text_t text;
    const char *fault; /* NULL: text is filled */
} caveat_read_t;

struct caveat_set_t {
    apr_size_t n;
    caveat_read_t caveats[];
};

caveat_set_t *caveat_set(const slice_t *caveats, apr_size_t n, apr_pool_t *pool)
{
    caveat_set_t *set = apr_pcalloc(pool, sizeof(*set) + n * sizeof(set->caveats[0]));

    for (set->n = 0; set->n < n; set->n++) {
        caveat_read_t *read = &set->caveats[set->n];

        read->fault = caveat_text_read(&read->text, caveats[set->n], pool);
    }
    return set;
}

static caveat_finding_t caveat_judge(const caveat_read_t *read, const caveat_context_t *context,
                                     caveat_phase_t phase, apr_pool_t *pool)
{
    const caveat_text_t *caveat = &read->text;
    const char *why = read->fault;

    if (why) {
        return caveat_finding(VERDICT_TOKEN_CAVEAT, why, why);
    }
    switch (caveat->kind) {
    case CAVEAT_EXPIRATION:
        return caveat_judge_dates(caveat, context->now);
    case CAVEAT_PROJECT_NAMES:
        return phase == CAVEAT_PHASE_BEARER
                   ? caveat_fine
                   : caveat_judge_project(caveat, context->project, context, pool);
    case CAVEAT_PROJECT_IDS:
        return phase == CAVEAT_PHASE_BEARER
                   ? caveat_fine
                   : caveat_judge_project(caveat, context->project_id, context, pool);
    case CAVEAT_USER:
        return caveat_judge_user(caveat_holds(caveat, context->user_id), context->user_id);
    case CAVEAT_ANY_USER:
        return caveat_judge_user(1, context->user_id);
    default:
        why = caveat_private_judge(caveat, context, phase, pool);
        return why ? caveat_finding(VERDICT_TOKEN_CAVEAT, why, why) : caveat_fine;
    }
}

verdict_code_t caveat_set_check(const caveat_set_t *set, const caveat_context_t *context,
                                caveat_phase_t phase, verdict_t *v, apr_pool_t *pool)
{
    caveat_finding_t first = caveat_fine;
    apr_array_header_t *log = apr_array_make(pool, 4, sizeof(const char *));
    apr_size_t i;

    for (i = 0; set && i < set->n; i++) {
        caveat_finding_t f = caveat_judge(&set->caveats[i], context, phase, pool);

        if (f.code == VERDICT_ALLOWED) {
            continue;
        }
        if (first.code == VERDICT_ALLOWED) {
            first = f;
        }
        /* apr_array_pstrcat puts one character between, so the space comes from here */
        APR_ARRAY_PUSH(log, const char *) =
            log->nelts ? apr_pstrcat(pool, " ", f.log, NULL) : f.log;
    }
    (void)verdict_set(v, first.code, slice_of(first.detail), pool);
    if (log->nelts) {
        v->log = apr_array_pstrcat(pool, log, ',');
    }
    return first.code;
}

verdict_code_t caveat_check(const slice_t *caveats, apr_size_t n, const caveat_context_t *context,
                            caveat_phase_t phase, verdict_t *v, apr_pool_t *pool)
{
    return caveat_set_check(caveat_set(caveats, n, pool), context, phase, v, pool);
}

int caveat_of_project(slice_t caveat, apr_pool_t *pool)
{
    caveat_text_t read;

    if (caveat_text_read(&read, caveat, pool)) {
        return 1;
    }
    return read.kind <= CAVEAT_ANY_USER || read.kind == CAVEAT_GLOBS ||
           read.kind == CAVEAT_CREATION;
}

/* ---- telling ---- */

static const char *caveat_time(apr_int64_t when, apr_pool_t *pool)
{
    return when < 0 || when > DURATION_LATEST ? apr_psprintf(pool, "second %" APR_INT64_T_FMT, when)
                                              : duration_iso(when, pool);
}

static const char *caveat_tell_dates(const caveat_text_t *caveat, apr_pool_t *pool)
{
    const char *until = caveat_time(caveat->expires, pool);

    if (caveat->expires > DURATION_LATEST) {
        until = "further notice";
    }
    if (caveat->not_before <= 0) {
        return apr_pstrcat(pool, "until ", until, NULL);
    }
    return apr_pstrcat(pool, "from ", caveat_time(caveat->not_before, pool), " until ", until,
                       NULL);
}

static const char *caveat_tell_list(const caveat_text_t *caveat, const char *one, const char *many,
                                    apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, (int)caveat->n + 1, sizeof(const char *));
    apr_size_t i;

    if (caveat->n == 0) {
        return apr_psprintf(pool, "no %s at all", many);
    }
    for (i = 0; i < caveat->n; i++) {
        const char *word = slice_printable(caveat->list[i], caveat->list[i].n, pool);

        APR_ARRAY_PUSH(words, const char *) = i ? apr_pstrcat(pool, " ", word, NULL) : word;
    }
    return apr_psprintf(pool, "only the %s %s", caveat->n == 1 ? one : many,
                        apr_array_pstrcat(pool, words, ','));
}

const char *caveat_describe(slice_t caveat, apr_pool_t *pool)
{
    caveat_text_t read;
    const char *why = caveat_text_read(&read, caveat, pool);

    if (why) {
        return apr_psprintf(pool, "denies everything (%s)", why);
    }
    switch (read.kind) {
    case CAVEAT_EXPIRATION:
        return caveat_tell_dates(&read, pool);
    case CAVEAT_PROJECT_NAMES:
        return caveat_tell_list(&read, "project", "projects", pool);
    case CAVEAT_PROJECT_IDS:
        return caveat_tell_list(&read, "project id", "project ids", pool);
    case CAVEAT_USER:
        return caveat_tell_list(&read, "user id", "user ids", pool);
    case CAVEAT_ANY_USER:
        return "only its owner";
    default:
        return caveat_private_describe(&read, pool);
    }
}

const char *caveat_describe_all(const slice_t *caveats, apr_size_t n, apr_pool_t *pool)
{
    const char *text = NULL;
    apr_size_t i;

    for (i = 0; i < n; i++) {
        const char *one = caveat_describe(caveats[i], pool);

        text = text ? apr_pstrcat(pool, text, "; ", one, NULL) : one;
    }
    return text;
}

const char *caveat_fault(slice_t caveat, apr_pool_t *pool)
{
    caveat_text_t read;

    return caveat_text_read(&read, caveat, pool);
}

apr_int64_t caveat_set_uses(const caveat_set_t *set, apr_size_t i)
{
    const caveat_read_t *read = &set->caveats[i];

    return read->fault || read->text.kind != CAVEAT_USES ? 0 : read->text.uses;
}

int caveat_confines(slice_t caveat, apr_pool_t *pool)
{
    caveat_text_t read;
    apr_size_t i;

    if (caveat_text_read(&read, caveat, pool)) {
        return 0;
    }
    for (i = 0; read.kind == CAVEAT_GLOBS && i < read.n; i++) {
        if (slice_is(read.list[i], "*")) {
            return 0;
        }
    }
    return read.kind == CAVEAT_PROJECT_NAMES || read.kind == CAVEAT_PROJECT_IDS ||
           read.kind == CAVEAT_GLOBS || read.kind == CAVEAT_DIGESTS ||
           read.kind == CAVEAT_FILE_NAMES;
}

int caveat_set_wants_digest(const caveat_set_t *set)
{
    apr_size_t i;

    for (i = 0; set && i < set->n; i++) {
        if (!set->caveats[i].fault && set->caveats[i].text.kind == CAVEAT_DIGESTS) {
            return 1;
        }
    }
    return 0;
}

/* ---- writing ---- */

/* Takes array over. What cannot be written (not UTF-8, no memory) comes out empty, and an empty
 * caveat denies. */
static slice_t caveat_write(json_t *array, int whole, apr_pool_t *pool)
{
    const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
    size_t n = array && whole ? json_dumpb(array, NULL, 0, flags) : 0;
    char *text = apr_palloc(pool, n + 1);

    if (n && json_dumpb(array, text, n, flags) != n) {
        n = 0;
    }
    text[n] = '\0';
    json_decref(array);
    return slice_make(text, n);
}

slice_t caveat_expiration(apr_int64_t exp, apr_int64_t nbf, apr_pool_t *pool)
{
    json_t *array = json_array();
    int whole = json_array_append_new(array, json_integer(0)) == 0 &&
                json_array_append_new(array, json_integer(exp)) == 0 &&
                json_array_append_new(array, json_integer(nbf)) == 0;

    return caveat_write(array, whole, pool);
}

slice_t caveat_list(int tag, const slice_t *items, apr_size_t n, apr_pool_t *pool)
{
    json_t *array = json_array(), *list = json_array();
    int whole = json_array_append_new(array, json_integer(tag)) == 0;
    apr_size_t i;

    for (i = 0; i < n; i++) {
        json_t *item = json_stringn(items[i].n ? items[i].p : "", items[i].n);

        whole = json_array_append_new(list, item) == 0 && whole;
    }
    whole = json_array_append_new(array, list) == 0 && whole;
    return caveat_write(array, whole, pool);
}

slice_t caveat_projects(const slice_t *names, apr_size_t n, apr_pool_t *pool)
{
    return caveat_list(1, names, n, pool);
}

slice_t caveat_project_ids(const slice_t *ids, apr_size_t n, apr_pool_t *pool)
{
    return caveat_list(2, ids, n, pool);
}

slice_t caveat_word(int tag, slice_t word, apr_pool_t *pool)
{
    json_t *array = json_array();
    int whole = json_array_append_new(array, json_integer(tag)) == 0 &&
                json_array_append_new(array, json_stringn(word.n ? word.p : "", word.n)) == 0;

    return caveat_write(array, whole, pool);
}

slice_t caveat_number(int tag, apr_int64_t n, apr_pool_t *pool)
{
    json_t *array = json_array();
    int whole = json_array_append_new(array, json_integer(tag)) == 0 &&
                json_array_append_new(array, json_integer(n)) == 0;

    return caveat_write(array, whole, pool);
}

slice_t caveat_user(slice_t user_id, apr_pool_t *pool)
{
    return caveat_word(3, user_id, pool);
}
