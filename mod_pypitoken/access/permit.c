/* permit.c - may this bearer upload this form; see permit.h. */
#include "access/permit.h"

#include <apr_strings.h>
#include <string.h>

static verdict_code_t permit_refuse(verdict_t *v, verdict_code_t code, const upload_form_t *form,
                                    apr_pool_t *pool)
{
    return verdict_set(v, code, slice_of(form->name), pool);
}

/* The project and the owner's role on it. */
static store_rc_t permit_lookup(permit_t *out, store_t *store, apr_pool_t *pool)
{
    store_rc_t rc = store_project_role(store, out->form->project, out->user_id, &out->project,
                                       &out->role, pool);

    if (rc != STORE_OK) {
        memset(&out->project, 0, sizeof(out->project));
        out->role = STORE_ROLE_NONE;
    }
    return rc;
}

static verdict_code_t permit_scope(const permit_t *permit, const seam_t *seam,
                                   const bearer_t *bearer, verdict_t *v, apr_pool_t *pool)
{
    caveat_context_t context = {0};

    context.now = seam->now();
    context.user_id = slice_of(bearer->token.user_id);
    context.project = slice_of(permit->form->project);
    context.project_id = slice_of(permit->project.id);
    context.shown = permit->form->name;
    context.address = bearer->address;
    context.version = permit->form->file.normal;
    context.filename = permit->form->filename;
    context.filetype = permit->form->file.kind == PROJECT_WHEEL ? "bdist_wheel" : "sdist";
    context.sha256 = slice_of(permit->form->content_sha256);
    context.fresh = !permit->project.id || !permit->project.confirmed;
    return caveat_set_check(bearer->set, &context, CAVEAT_PHASE_UPLOAD, v, pool);
}

verdict_code_t permit_upload(permit_t *out, store_t *store, const seam_t *seam, bearer_t *bearer,
                             const upload_form_t *form, const permit_policy_t *policy, verdict_t *v,
                             apr_pool_t *pool)
{
    verdict_code_t code = bearer_still(bearer, store, seam, v, pool);
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    out->user_id = bearer->token.user_id;
    out->form = form;
    out->bearer = bearer;
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    rc = permit_lookup(out, store, pool);
    if (rc != STORE_OK && rc != STORE_NOTFOUND) {
        return permit_refuse(v, VERDICT_STORE_DOWN, form, pool);
    }
    code = permit_scope(out, seam, bearer, v, pool);
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (rc == STORE_NOTFOUND) {
        if (!policy->new_projects) {
            return permit_refuse(v, VERDICT_PROJECT_NEW_REFUSED, form, pool);
        }
        out->role = STORE_ROLE_OWNER;
    } else if (out->role == STORE_ROLE_NONE) {
        return permit_refuse(v, VERDICT_ROLE_MISSING, form, pool);
    }
    return verdict_set(v, VERDICT_ALLOWED, slice_of(NULL), pool);
}

/* Makes the project, or finds that somebody was faster. */
static verdict_code_t permit_claim(permit_t *permit, store_t *store, verdict_t *v, apr_pool_t *pool)
{
    const upload_form_t *form = permit->form;
    store_rc_t rc = store_project_add(store, form->name, form->project, permit->user_id, 0,
                                      &permit->project, pool);

    if (rc == STORE_OK) {
        permit->fresh = 1;
        permit->role = STORE_ROLE_OWNER;
        return VERDICT_ALLOWED;
    }
    if (rc == STORE_CONFLICT) {
        rc = permit_lookup(permit, store, pool);
        if (rc == STORE_OK) {
            return permit->role == STORE_ROLE_NONE
                       ? permit_refuse(v, VERDICT_ROLE_MISSING, form, pool)
                       : VERDICT_ALLOWED;
        }
    }
    return permit_refuse(v, VERDICT_STORE_DOWN, form, pool);
}

/* A caveat that asks for a new project was judged when there was none; now there is. */
static verdict_code_t permit_second(permit_t *permit, const seam_t *seam, verdict_t *v,
                                    apr_pool_t *pool)
{
    return permit->fresh ? VERDICT_ALLOWED : permit_scope(permit, seam, permit->bearer, v, pool);
}

/* One use from each counter of the token. */
static verdict_code_t permit_take(permit_t *permit, store_t *store, verdict_t *v, apr_pool_t *pool)
{
    const bearer_t *b = permit->bearer;
    apr_size_t spent = 0;
    store_rc_t rc = b->n_counts
                        ? store_uses_take(store, b->token.id, b->counts, b->n_counts, &spent)
                        : STORE_OK;

    if (rc == STORE_OK) {
        permit->held = b->n_counts > 0;
        return VERDICT_ALLOWED;
    }
    if (rc == STORE_CONFLICT) {
        const char *why = apr_psprintf(
            pool, "its uses caveat allows %" APR_INT64_T_FMT " in all, and none is left",
            b->counts[spent].limit);

        return verdict_set(v, VERDICT_TOKEN_CAVEAT, slice_of(why), pool);
    }
    return permit_refuse(v, VERDICT_STORE_DOWN, permit->form, pool);
}

/* The project was there, but an upload that failed may have taken it along since it was looked up,
 * and somebody else may have it now; or another upload has arrived, and it is no new one any more.
 * The event is written: from here on nothing takes it along. The caveats were held against what it
 * was before. */
static verdict_code_t permit_still(permit_t *permit, store_t *store, const seam_t *seam,
                                   verdict_t *v, apr_pool_t *pool)
{
    store_rc_t rc = permit_lookup(permit, store, pool);
    verdict_code_t code = VERDICT_ALLOWED;

    if (rc == STORE_NOTFOUND) {
        code = permit_claim(permit, store, v, pool);
    } else if (rc != STORE_OK) {
        code = permit_refuse(v, VERDICT_STORE_DOWN, permit->form, pool);
    } else if (permit->role == STORE_ROLE_NONE) {
        code = permit_refuse(v, VERDICT_ROLE_MISSING, permit->form, pool);
    }
    return code == VERDICT_ALLOWED ? permit_scope(permit, seam, permit->bearer, v, pool) : code;
}

verdict_code_t permit_commit(permit_t *permit, store_t *store, const seam_t *seam,
                             const store_event_t *event, verdict_t *v, apr_pool_t *pool)
{
    verdict_code_t code = permit_take(permit, store, v, pool);

    if (code == VERDICT_ALLOWED && !permit->project.id) {
        code = permit_claim(permit, store, v, pool);
        if (code == VERDICT_ALLOWED) {
            code = permit_second(permit, seam, v, pool);
        }
    }
    if (code == VERDICT_ALLOWED) {
        permit->recorded = store_use(store, event, &permit->bearer->token) == STORE_OK;
        code = permit->recorded ? VERDICT_ALLOWED
                                : permit_refuse(v, VERDICT_STORE_DOWN, permit->form, pool);
    }
    if (code == VERDICT_ALLOWED && !permit->fresh && !permit->project.confirmed) {
        code = permit_still(permit, store, seam, v, pool);
    }
    if (code != VERDICT_ALLOWED) {
        (void)permit_settle(store, permit, PERMIT_REFUSED, pool);
    }
    return code;
}

static store_rc_t permit_settle_project(store_t *store, const permit_t *permit, permit_end_t end,
                                        apr_pool_t *pool)
{
    store_project_t again;
    store_rc_t rc;

    if (!permit->project.id || permit->project.confirmed || permit->role == STORE_ROLE_NONE ||
        end == PERMIT_UNKNOWN) {
        return STORE_OK;
    }
    if (end == PERMIT_REFUSED) {
        /* another upload is making it, and this one has not come so far: not ours to forget */
        rc = permit->fresh || permit->recorded
                 ? store_project_abandon(store, permit->project.id, permit->recorded)
                 : STORE_OK;
        return rc == STORE_NOTFOUND ? STORE_OK : rc;
    }
    rc = store_project_confirm(store, permit->project.id);
    if (rc == STORE_NOTFOUND) {
        /* removed while the upload was under way, by the operator: it arrived all the same */
        rc = store_project_add(store, permit->form->name, permit->form->project, permit->user_id, 1,
                               &again, pool);
    }
    return rc == STORE_CONFLICT ? STORE_OK : rc;
}

store_rc_t permit_settle(store_t *store, permit_t *permit, permit_end_t end, apr_pool_t *pool)
{
    store_rc_t rc, given = STORE_OK;

    if (permit->settled) {
        return STORE_OK;
    }
    permit->settled = 1;
    if (permit->held && end == PERMIT_REFUSED) {
        given = store_uses_give(store, permit->bearer->counts, permit->bearer->n_counts);
    }
    rc = permit_settle_project(store, permit, end, pool);
    return rc == STORE_OK ? given : rc;
}
