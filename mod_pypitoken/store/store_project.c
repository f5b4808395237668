/* store_project.c - projects and who may do what to them; see store.h. */
#include "store/store_priv.h"

#include <string.h>

typedef struct store_project_scan_t {
    store_project_t *out; /* the one that is looked for, copied into pool */
    store_role_t *role;
    apr_pool_t *pool;
    int found;
    store_project_fn *fn; /* or the one that gets them all */
    store_project_role_fn *with_role;
    store_role_fn *role_fn;
    void *baton;
} store_project_scan_t;

/* By QUERY_PROJECT_COLUMNS. */
static void store_project_fill(store_project_t *project, const db_value_t *row, apr_pool_t *pool)
{
    project->id = store_copy(&row[0], pool);
    project->name = store_copy(&row[1], pool);
    project->norm = store_copy(&row[2], pool);
    project->created = row[3].i;
    project->confirmed = row[4].i != 0;
}

/* A number that is no role gives no rights. */
static store_role_t store_role_of(apr_int64_t number)
{
    return number == STORE_ROLE_OWNER        ? STORE_ROLE_OWNER
           : number == STORE_ROLE_MAINTAINER ? STORE_ROLE_MAINTAINER
                                             : STORE_ROLE_NONE;
}

static int store_project_one(void *baton, const db_value_t *row)
{
    store_project_scan_t *scan = baton;

    store_project_fill(scan->out, row, scan->pool);
    if (scan->role) {
        *scan->role = store_role_of(row[5].i);
    }
    scan->found = 1;
    return 1;
}

static int store_project_each(void *baton, const db_value_t *row)
{
    store_project_scan_t *scan = baton;
    store_project_t project = {0};

    apr_pool_clear(scan->pool);
    store_project_fill(&project, row, scan->pool);
    return scan->fn ? scan->fn(scan->baton, &project)
                    : scan->with_role(scan->baton, &project, store_role_of(row[5].i));
}

/* Within a transaction: the project, and its owner if it has one. */
static store_rc_t store_project_insert(db_conn_t *conn, const store_project_t *project,
                                       const char *owner)
{
    const db_value_t row[] = {db_cstr(project->id), db_cstr(project->name), db_cstr(project->norm),
                              db_int(project->confirmed), db_int(project->created)};
    const db_value_t role[] = {db_cstr(project->id), db_cstr(owner), db_int(STORE_ROLE_OWNER)};
    store_rc_t rc = store_exec(conn, QUERY_PROJECT_ADD, row, STORE_COUNT(row), NULL);

    if (rc == STORE_OK && owner) {
        rc = store_exec(conn, QUERY_ROLE_ADD, role, STORE_COUNT(role), NULL);
    }
    return rc;
}

/* A project that an upload claims need not outlive a power cut: the upload does not either. */
store_rc_t store_project_add(store_t *s, const char *name, const char *norm, const char *owner,
                             int confirmed, store_project_t *out, apr_pool_t *pool)
{
    store_project_t project = {0};
    db_conn_t *conn = NULL;
    store_rc_t rc;

    project.id = store_uuid(s, pool);
    if (!project.id) {
        return STORE_DOWN;
    }
    project.name = slice_dup(slice_of(name), pool);
    project.norm = slice_dup(slice_of(norm), pool);
    project.created = store_now(s);
    project.confirmed = confirmed != 0;
    do {
        rc = store_begin(s, confirmed ? DB_DURABLE : DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_project_insert(conn, &project, owner);
        }
    } while (store_end(s, &conn, &rc));
    if (out) {
        *out = rc == STORE_OK ? project : (store_project_t){0};
    }
    return rc;
}

store_rc_t store_project_find(store_t *s, const char *norm, store_project_t *out, apr_pool_t *pool)
{
    const db_value_t params[] = {db_text(slice_of(norm))};
    store_project_scan_t scan = {.out = out, .pool = pool};
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    rc = store_read(s, QUERY_PROJECT_BY_NORM, params, 1, store_project_one, &scan);
    return rc == STORE_OK && !scan.found ? STORE_NOTFOUND : rc;
}

store_rc_t store_project_role(store_t *s, const char *norm, const char *user_id,
                              store_project_t *out, store_role_t *role, apr_pool_t *pool)
{
    const db_value_t params[] = {db_cstr(user_id), db_text(slice_of(norm))};
    store_project_scan_t scan = {.out = out, .role = role, .pool = pool};
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    *role = STORE_ROLE_NONE;
    rc = store_read(s, QUERY_PROJECT_ROLE, params, STORE_COUNT(params), store_project_one, &scan);
    return rc == STORE_OK && !scan.found ? STORE_NOTFOUND : rc;
}

store_rc_t store_project_list(store_t *s, const char *owner, store_project_fn *fn, void *baton)
{
    const db_value_t params[] = {db_cstr(owner), db_cstr(owner)};
    store_project_scan_t scan = {.fn = fn, .baton = baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_PROJECT_LIST, params, STORE_COUNT(params), store_project_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

store_rc_t store_project_of(store_t *s, const char *user_id, store_project_role_fn *fn, void *baton)
{
    const db_value_t params[] = {db_cstr(user_id)};
    store_project_scan_t scan = {.with_role = fn, .baton = baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_PROJECT_OF, params, STORE_COUNT(params), store_project_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

static store_rc_t store_project_change(store_t *s, query_id_t query, const char *id)
{
    const db_value_t params[] = {db_text(slice_of(id))};

    return store_change(s, query, params, 1);
}

store_rc_t store_project_remove(store_t *s, const char *id)
{
    return store_project_change(s, QUERY_PROJECT_REMOVE, id);
}

store_rc_t store_project_confirm(store_t *s, const char *id)
{
    return store_project_change(s, QUERY_PROJECT_CONFIRM, id);
}

store_rc_t store_project_abandon(store_t *s, const char *id, int recorded)
{
    const db_value_t params[] = {db_text(slice_of(id)), db_int(recorded != 0)};

    return store_change(s, QUERY_PROJECT_ABANDON, params, STORE_COUNT(params));
}

/* ---- roles ---- */

store_rc_t store_role_set(store_t *s, const char *project_id, const char *user_id,
                          store_role_t role)
{
    const db_value_t change[] = {db_int(role), db_text(slice_of(project_id)),
                                 db_text(slice_of(user_id))};
    const db_value_t row[] = {change[1], change[2], change[0]};
    apr_int64_t changed = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    if (role == STORE_ROLE_NONE) {
        return store_role_remove(s, project_id, user_id);
    }
    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_ROLE_UPDATE, change, STORE_COUNT(change), &changed);
        }
        if (rc == STORE_OK && changed == 0) {
            rc = store_exec(conn, QUERY_ROLE_ADD, row, STORE_COUNT(row), NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

store_rc_t store_role_remove(store_t *s, const char *project_id, const char *user_id)
{
    const db_value_t params[] = {db_text(slice_of(project_id)), db_text(slice_of(user_id))};

    return store_change(s, QUERY_ROLE_REMOVE, params, STORE_COUNT(params));
}

/* Within a transaction that holds the project. */
static store_rc_t store_role_put(db_conn_t *conn, const char *project_id, const char *user_id,
                                 store_role_t role)
{
    const db_value_t set[] = {db_int(role), db_text(slice_of(project_id)),
                              db_text(slice_of(user_id))};
    const db_value_t add[] = {set[1], set[2], set[0]};
    apr_int64_t changed = 0;
    store_rc_t rc;

    if (role == STORE_ROLE_NONE) {
        rc = store_exec(conn, QUERY_ROLE_REMOVE, add, 2, &changed);
        return rc == STORE_OK && !changed ? STORE_NOTFOUND : rc;
    }
    rc = store_exec(conn, QUERY_ROLE_UPDATE, set, STORE_COUNT(set), &changed);
    if (rc == STORE_OK && !changed) {
        rc = store_exec(conn, QUERY_ROLE_ADD, add, STORE_COUNT(add), NULL);
    }
    return rc;
}

store_rc_t store_role_change(store_t *s, const char *project_id, const char *user_id,
                             store_role_t role)
{
    const db_value_t project[] = {db_text(slice_of(project_id))};
    apr_int64_t there = 0, before = 0, owners = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_PROJECT_HOLD, project, 1, &there);
        }
        if (rc == STORE_OK) {
            rc = there ? store_fetch(conn, QUERY_ROLE_OWNERS, project, 1, &before) : STORE_NOTFOUND;
        }
        if (rc == STORE_OK) {
            rc = store_role_put(conn, project_id, user_id, role);
        }
        if (rc == STORE_OK) {
            rc = store_fetch(conn, QUERY_ROLE_OWNERS, project, 1, &owners);
        }
        if (rc == STORE_OK && before && !owners) {
            rc = STORE_CONFLICT;
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

static int store_role_each(void *baton, const db_value_t *row)
{
    store_project_scan_t *scan = baton;

    apr_pool_clear(scan->pool);
    return scan->role_fn(scan->baton, store_copy(&row[0], scan->pool), store_role_of(row[1].i));
}

store_rc_t store_role_list(store_t *s, const char *project_id, store_role_fn *fn, void *baton)
{
    const db_value_t params[] = {db_text(slice_of(project_id))};
    store_project_scan_t scan = {.role_fn = fn, .baton = baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_ROLE_LIST, params, 1, store_role_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}
