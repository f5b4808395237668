/* rotate.c - a new secret in the place of an old one; see rotate.h. */
#include "access/rotate.h"

#include <apr_strings.h>
#include <string.h>

#include "core/duration.h"

static const char *rotate_refuse(store_rc_t *rc, store_rc_t kind, const char *sentence)
{
    *rc = kind;
    return sentence;
}

/* *seconds of overlap, or a sentence. */
static const char *rotate_overlap(const char *asked, apr_int64_t *seconds)
{
    *seconds = ROTATE_OVERLAP;
    if (asked && strcmp(asked, "0") == 0) {
        *seconds = 0;
    } else if (asked &&
               (duration_span(slice_of(asked), seconds) || *seconds > ROTATE_OVERLAP_MAX)) {
        return "The overlap is a span like 10m or 2h, at most 30d, or 0.";
    }
    return NULL;
}

/* The names of the row's scope. */
static void rotate_projects(issue_request_t *request, const char *scope, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    char *text = apr_pstrdup(pool, scope), *word, *rest;

    if (strcmp(scope, STORE_SCOPE_ALL) == 0) {
        return;
    }
    for (word = apr_strtok(text, " ", &rest); word; word = apr_strtok(NULL, " ", &rest)) {
        APR_ARRAY_PUSH(names, const char *) = word;
    }
    request->projects = (const char *const *)names->elts;
    request->n_projects = (apr_size_t)names->nelts;
}

static const char *rotate_issue(rotate_t *made, store_t *store, const seam_t *seam,
                                const store_token_t *old, const rotate_request_t *asked,
                                store_rc_t *rc, apr_pool_t *pool)
{
    apr_array_header_t *caveats = apr_array_make(pool, 8, sizeof(slice_t));
    issue_request_t request = {.service = asked->service,
                               .user = old->user_name,
                               .name = old->name,
                               .expires = asked->expires,
                               .caveats = caveats,
                               .policy = asked->policy};
    apr_size_t i;

    for (i = 0; i < old->n_caveats; i++) {
        APR_ARRAY_PUSH(caveats, slice_t) = old->caveats[i];
    }
    if (!request.expires && old->expires) {
        request.expires = seam->now() + old->expires - old->created;
    }
    rotate_projects(&request, old->scope, pool);
    return issue_token(&made->text, &made->issued, store, seam, &request, rc, pool);
}

/* The end of the old one. CONFLICT: somebody else was here. */
static store_rc_t rotate_end(rotate_t *made, store_t *store, const store_token_t *old,
                             const rotate_request_t *asked, apr_pool_t *pool)
{
    store_rc_t rc;

    if (!made->until) {
        rc = store_token_revoke(store, slice_of(old->id), asked->by);
        return rc == STORE_NOTFOUND ? STORE_CONFLICT : rc;
    }
    if (old->expires && old->expires < made->until) {
        made->until = old->expires;
    }
    return store_token_end(store, old, made->until, pool);
}

const char *rotate_token(rotate_t *made, store_t *store, const seam_t *seam,
                         const store_token_t *old, const rotate_request_t *request, store_rc_t *rc,
                         apr_pool_t *pool)
{
    apr_int64_t now = seam->now(), overlap;
    const char *wrong = rotate_overlap(request->overlap, &overlap);

    memset(made, 0, sizeof(*made));
    if (wrong) {
        return rotate_refuse(rc, STORE_CONFLICT, wrong);
    }
    if (old->revoked || (old->expires && now >= old->expires)) {
        return rotate_refuse(rc, STORE_CONFLICT,
                             "The token is not in force any more: make a new one.");
    }
    made->until = overlap ? now + overlap : 0;
    wrong = rotate_issue(made, store, seam, old, request, rc, pool);
    if (wrong) {
        return wrong;
    }
    *rc = rotate_end(made, store, old, request, pool);
    if (*rc == STORE_OK) {
        return NULL;
    }
    /* nobody has seen it */
    (void)store_token_revoke(store, slice_of(made->issued.id), request->by);
    made->text = NULL;
    if (*rc == STORE_SEALED) {
        return "The keyring does not open the old token: another one sealed it, or it was edited "
               "in the database. Make a new token.";
    }
    return *rc == STORE_CONFLICT || *rc == STORE_NOTFOUND
               ? "Somebody else has changed the token in this moment. Look at it, and try again."
               : "The token database cannot be used at the moment.";
}

const char *rotate_detail_new(const store_token_t *old, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "in place of ", old->id, NULL);
}

const char *rotate_detail_old(const rotate_t *made, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "by ", made->issued.id,
                       made->until ? ", good until " : ", revoked at once",
                       made->until ? duration_iso(made->until, pool) : "", NULL);
}
