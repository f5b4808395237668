/* issue.c - a new token: minted, stored, told once; see issue.h. */
#include "access/issue.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/caveat.h"
#include "core/project.h"
#include "core/utf8.h"

/* The projects of a token: as the caveats and as people want them. */
typedef struct issue_scope_t {
    slice_t *names;
    slice_t *ids;
    apr_size_t n;
    const char *text;
    store_role_t role; /* the least on them; NONE when there are none */
} issue_scope_t;

static const char *issue_refuse(store_rc_t *rc, store_rc_t kind, const char *sentence)
{
    *rc = kind;
    return sentence;
}

static const char *issue_down(store_rc_t *rc)
{
    return issue_refuse(rc, STORE_DOWN, "The token database cannot be used at the moment.");
}

/* A text that no later reader can stumble over. */
static int issue_name_valid(slice_t name)
{
    apr_size_t i;

    for (i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f) {
            return 0;
        }
    }
    return name.n <= ISSUE_NAME_MAX && utf8_valid(name);
}

static const char *issue_check(const issue_request_t *request, apr_int64_t now, store_rc_t *rc)
{
    apr_size_t service = request->service ? strlen(request->service) : 0;

    if (service == 0 || service > MACAROON_MAX_LOCATION) {
        return issue_refuse(rc, STORE_CONFLICT,
                            "The service that the token is for must have 1 to 255 bytes.");
    }
    if (!issue_name_valid(slice_of(request->name))) {
        return issue_refuse(rc, STORE_CONFLICT,
                            "The token's name must be UTF-8 text of at most 100 bytes, without "
                            "control characters.");
    }
    if (request->expires < 0 || (request->expires && request->expires <= now)) {
        return issue_refuse(rc, STORE_CONFLICT, "The token would be expired from the start.");
    }
    return NULL;
}

static const char *issue_user(store_user_t *user, store_t *store, const char *name, store_rc_t *rc,
                              apr_pool_t *pool)
{
    *rc = store_user_find(store, slice_of(name), user, pool);
    if (*rc == STORE_NOTFOUND) {
        return apr_psprintf(pool, "There is no user '%s'.", name ? name : "");
    }
    if (*rc != STORE_OK) {
        return issue_down(rc);
    }
    if (user->disabled) {
        *rc = STORE_CONFLICT;
        return apr_psprintf(pool, "The user '%s' is disabled.", user->name);
    }
    return NULL;
}

static int issue_scope_has(const issue_scope_t *scope, slice_t name)
{
    apr_size_t i;

    for (i = 0; i < scope->n; i++) {
        if (slice_equal(scope->names[i], name)) {
            return 1;
        }
    }
    return 0;
}

static const char *issue_project(issue_scope_t *scope, store_t *store, const store_user_t *user,
                                 const char *written, store_rc_t *rc, apr_pool_t *pool)
{
    store_role_t role = STORE_ROLE_NONE;
    store_project_t project = {0};
    const char *norm;

    if (!project_name_valid(slice_of(written))) {
        *rc = STORE_CONFLICT;
        return apr_psprintf(pool, "'%s' is not a valid project name.", written);
    }
    norm = project_normalize(slice_of(written), pool);
    if (issue_scope_has(scope, slice_of(norm))) {
        return NULL;
    }
    *rc = store_project_role(store, norm, user->id, &project, &role, pool);
    if (*rc == STORE_NOTFOUND || (*rc == STORE_OK && !project.confirmed)) {
        /* one that is not confirmed may vanish, and its id in the token would fit no other */
        *rc = STORE_NOTFOUND;
        return apr_psprintf(pool, "There is no project '%s'.", written);
    }
    if (*rc != STORE_OK) {
        return issue_down(rc);
    }
    if (role == STORE_ROLE_NONE) {
        *rc = STORE_CONFLICT;
        return apr_psprintf(pool, "The user '%s' has no role on the project '%s'.", user->name,
                            written);
    }
    if (scope->role == STORE_ROLE_NONE || role < scope->role) {
        scope->role = role;
    }
    scope->names[scope->n] = slice_of(norm);
    scope->ids[scope->n++] = slice_of(project.id);
    return NULL;
}

static const char *issue_scope(issue_scope_t *scope, store_t *store, const store_user_t *user,
                               const issue_request_t *request, store_rc_t *rc, apr_pool_t *pool)
{
    const char *wrong = NULL;
    apr_size_t i;

    scope->n = 0;
    scope->role = STORE_ROLE_NONE;
    scope->text = STORE_SCOPE_ALL;
    scope->names = apr_pcalloc(pool, (request->n_projects + 1) * sizeof(slice_t));
    scope->ids = apr_pcalloc(pool, (request->n_projects + 1) * sizeof(slice_t));
    for (i = 0; i < request->n_projects && !wrong; i++) {
        wrong = issue_project(scope, store, user, request->projects[i], rc, pool);
    }
    for (i = 0; i < scope->n && !wrong; i++) {
        scope->text =
            i ? apr_pstrcat(pool, scope->text, " ", scope->names[i].p, NULL) : scope->names[i].p;
    }
    return wrong;
}

/* The macaroon around a fresh key and its row. The key leaves this function sealed, or not at all.
 */
static const char *issue_make(char **text, store_token_t *row, store_t *store, const seam_t *seam,
                              const issue_request_t *request, const issue_scope_t *scope,
                              store_rc_t *rc, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES], uuid[16];
    token_grant_t grant = {0};
    const char *wrong = NULL;
    macaroon_t *m;
    apr_size_t i;

    if (seam->random(key, sizeof(key)) || seam->random(uuid, sizeof(uuid))) {
        wrong = issue_refuse(rc, STORE_DOWN, "No random bytes are to be had; try again.");
        goto out;
    }
    row->id = token_uuid(uuid, pool);
    grant.service = slice_of(request->service);
    grant.identifier = slice_of(row->id);
    grant.key = slice_make((const char *)key, sizeof(key));
    grant.user_id = slice_of(row->user_id);
    grant.projects = scope->names;
    grant.project_ids = scope->ids;
    grant.n_projects = scope->n;
    grant.expires = row->expires;
    grant.not_before = seam->now() - CAVEAT_BACKDATE;
    m = token_mint(&grant, pool);
    for (i = 0; m && i < row->n_caveats; i++) {
        m = macaroon_append(m, row->caveats[i], pool) == 0 ? m : NULL;
    }
    *text = m ? token_format(m, pool) : NULL;
    if (!*text) {
        wrong = issue_refuse(rc, STORE_CONFLICT,
                             "These are too many projects or restrictions for one token. Make "
                             "several tokens.");
        goto out;
    }
    *rc = store_token_add(store, row, key, pool);
    if (*rc == STORE_SEALED) {
        wrong = "The token's key cannot be sealed: no keyring is open.";
    } else if (*rc != STORE_OK) {
        wrong = issue_down(rc);
    }

out:
    sodium_memzero(key, sizeof(key));
    sodium_memzero(uuid, sizeof(uuid));
    return wrong;
}

/* The policy's word; *expires may be set by it. */
static const char *issue_policy(const issue_request_t *request, const issue_scope_t *scope,
                                apr_int64_t now, apr_int64_t *expires, store_rc_t *rc,
                                apr_pool_t *pool)
{
    int i, restricted = scope->n > 0;
    const char *wrong;

    for (i = 0; request->caveats && i < request->caveats->nelts && !restricted; i++) {
        restricted = caveat_confines(APR_ARRAY_IDX(request->caveats, i, slice_t), pool);
    }
    wrong = policy_apply(request->policy, scope->role, restricted, now, expires, pool);
    return wrong ? issue_refuse(rc, STORE_CONFLICT, wrong) : NULL;
}

const char *issue_token(char **text, issue_t *made, store_t *store, const seam_t *seam,
                        const issue_request_t *request, store_rc_t *rc, apr_pool_t *pool)
{
    store_token_t row = {0};
    issue_scope_t scope;
    store_user_t user = {0};
    const char *wrong;

    *rc = STORE_OK;
    *text = NULL;
    memset(made, 0, sizeof(*made));
    wrong = issue_check(request, seam->now(), rc);
    if (!wrong) {
        wrong = issue_user(&user, store, request->user, rc, pool);
    }
    if (!wrong) {
        wrong = issue_scope(&scope, store, &user, request, rc, pool);
    }
    if (!wrong) {
        row.user_id = user.id;
        row.user_name = user.name;
        row.name = request->name ? request->name : "";
        row.scope = scope.text;
        row.expires = request->expires;
        wrong = issue_policy(request, &scope, seam->now(), &row.expires, rc, pool);
    }
    if (!wrong) {
        if (request->caveats) {
            row.caveats = (slice_t *)request->caveats->elts;
            row.n_caveats = (apr_size_t)request->caveats->nelts;
        }
        wrong = issue_make(text, &row, store, seam, request, &scope, rc, pool);
    }
    if (wrong) {
        *text = NULL;
        return wrong;
    }
    made->id = row.id;
    made->expires = row.expires;
    return NULL;
}
