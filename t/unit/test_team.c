/* test_team.c - a project among its people, and administrators: who sees and does what, and that a
 * project keeps an owner whatever happens at the same time. */
#include "access/admin.h"
#include "access/team.h"
#include "core/caveat.h"
#include "store_kit.h"

#include <apr_thread_proc.h>

#define ROUNDS 30

static store_user_t user_of(store_t *s, const char *name, apr_pool_t *pool)
{
    store_user_t user = {0};

    if (store_user_add(s, name, NULL, &user, pool) != STORE_OK) {
        abort();
    }
    return user;
}

static mine_t mine_of(store_t *s, const char *name, int admin)
{
    return (mine_t){s, &kit_seam, name, "192.0.2.1", "test/1", admin};
}

/* ---- what each sees ---- */

static int gather(void *baton, const store_token_t *row)
{
    char *names = baton;

    apr_snprintf(names + strlen(names), 400 - strlen(names), "%s,", row->name);
    return 0;
}

static void add_token(store_t *s, const store_user_t *user, const char *name, const char *scope,
                      apr_int64_t expires, slice_t caveat, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES] = {0};
    store_token_t token = {.id = store_uuid(s, pool),
                           .user_id = user->id,
                           .user_name = user->name,
                           .name = name,
                           .scope = scope,
                           .expires = expires,
                           .caveats = &caveat,
                           .n_caveats = caveat.n ? 1 : 0};

    if (store_token_add(s, &token, key, pool) != STORE_OK) {
        abort();
    }
}

/* Which tokens can upload to "demo", by their names. */
static void tokens(store_t *s, const store_user_t *owner, const store_user_t *other,
                   const store_user_t *stranger, apr_pool_t *pool)
{
    static const slice_t none = {NULL, 0};
    const slice_t glob = SLICE("[1003,[\"team-*\"]]"), fits = SLICE("[1003,[\"de*\"]]");
    const slice_t fresh = SLICE("[1006,\"new\"]"), bad = SLICE("[99]"),
                  versions = SLICE("[1001,[\"2.*\"]]");
    mine_t mine = mine_of(s, "owner", 0);
    char names[400] = "";
    team_t team;

    add_token(s, owner, "a-all", STORE_SCOPE_ALL, 0, none, pool);
    add_token(s, owner, "b-demo", "demo", 0, none, pool);
    add_token(s, owner, "c-two", "demo else", 0, none, pool);
    add_token(s, owner, "x-else", "else", 0, none, pool);
    add_token(s, owner, "x-over", STORE_SCOPE_ALL, kit_time, none, pool);
    add_token(s, owner, "x-team", STORE_SCOPE_ALL, 0, glob, pool);
    add_token(s, owner, "d-de", STORE_SCOPE_ALL, kit_time + 1, fits, pool);
    add_token(s, owner, "x-new", STORE_SCOPE_ALL, 0, fresh, pool);
    add_token(s, owner, "x-bad", STORE_SCOPE_ALL, 0, bad, pool);
    add_token(s, owner, "e-version", STORE_SCOPE_ALL, 0, versions, pool);
    add_token(s, other, "f-other", STORE_SCOPE_ALL, 0, none, pool);
    add_token(s, stranger, "x-stranger", STORE_SCOPE_ALL, 0, none, pool);
    add_token(s, stranger, "x-former", "demo", 0, none, pool);
    tap_ok(team_find(&team, &mine, slice_of("demo"), pool) == STORE_OK &&
               team_tokens(&mine, &team, gather, names, pool) == STORE_OK,
           "the tokens that can upload to it are told");
    tap_ok(!strchr(names, 'x'), "none that cannot: %s", names);
    tap_ok(strstr(names, "a-all") && strstr(names, "b-demo") && strstr(names, "c-two") &&
               strstr(names, "d-de") && strstr(names, "e-ver") && strstr(names, "f-other"),
           "each that can: %s", names);
    store_user_set_disabled(s, other->id, 1);
    names[0] = '\0';
    tap_ok(team_tokens(&mine, &team, gather, names, pool) == STORE_OK && !strstr(names, "f-other"),
           "not those of an account that is disabled");
    store_user_set_disabled(s, other->id, 0);
}

/* ---- roles ---- */

static void roles(store_t *s, apr_pool_t *pool)
{
    mine_t owner = mine_of(s, "owner", 0), other = mine_of(s, "other", 0);
    mine_t stranger = mine_of(s, "stranger", 0), root = mine_of(s, "stranger", 1);
    mine_t nobody = mine_of(s, "no-account", 1);
    store_rc_t rc = STORE_OK;
    team_t team;

    tap_ok(team_find(&team, &stranger, slice_of("demo"), pool) == STORE_NOTFOUND &&
               !team.project.id,
           "for who has no role there is no such project");
    tap_ok(team_find(&team, &nobody, slice_of("demo"), pool) == STORE_NOTFOUND,
           "nor for a name without an account");
    tap_ok(team_find(&team, &other, slice_of("demo"), pool) == STORE_OK && !team.rules &&
               team.role == STORE_ROLE_MAINTAINER,
           "a maintainer sees it");
    tap_ok(team_set(&other, &team, slice_of("other"), STORE_ROLE_OWNER, &rc, pool) &&
               rc == STORE_CONFLICT,
           "  and gives no roles, not to himself either");
    tap_ok(team_find(&team, &root, slice_of("demo"), pool) == STORE_OK && team.rules &&
               team.role == STORE_ROLE_NONE,
           "an administrator may, without a role");
    tap_ok(team_find(&team, &owner, slice_of("waiting"), pool) == STORE_NOTFOUND,
           "a project whose first upload is under way is not there yet");
    tap_ok(team_find(&team, &owner, slice_of("demo"), pool) == STORE_OK && team.rules,
           "an owner may");
    tap_ok(team_set(&owner, &team, slice_of("owner"), STORE_ROLE_NONE, &rc, pool) &&
               rc == STORE_CONFLICT &&
               team_set(&owner, &team, slice_of("owner"), STORE_ROLE_MAINTAINER, &rc, pool) &&
               rc == STORE_CONFLICT,
           "  but the last owner stays one");
    tap_ok(!team_set(&owner, &team, slice_of("other"), STORE_ROLE_OWNER, &rc, pool) &&
               !team_set(&owner, &team, slice_of("owner"), STORE_ROLE_MAINTAINER, &rc, pool),
           "  until there is another");
    tap_ok(team_find(&team, &owner, slice_of("demo"), pool) == STORE_OK && !team.rules,
           "  then he is a maintainer, and may not any more");
    tap_ok(team_find(&team, &other, slice_of("demo"), pool) == STORE_OK &&
               !team_set(&other, &team, slice_of("owner"), STORE_ROLE_OWNER, &rc, pool) &&
               !team_set(&other, &team, slice_of("other"), STORE_ROLE_MAINTAINER, &rc, pool),
           "  and back");
    tap_ok(team_set(&root, &team, slice_of("nobody"), STORE_ROLE_OWNER, &rc, pool) &&
               rc == STORE_NOTFOUND,
           "no role for nobody");
}

/* ---- two owners who take each other's role in the same moment ---- */

typedef struct duel_t {
    store_t *s;
    const char *project, *victim;
    store_rc_t rc;
} duel_t;

static void *APR_THREAD_FUNC duel_run(apr_thread_t *thread, void *data)
{
    duel_t *duel = data;

    (void)thread;
    duel->rc = store_role_change(duel->s, duel->project, duel->victim, STORE_ROLE_NONE);
    return NULL;
}

static int owners(void *baton, const char *name, store_role_t role)
{
    (void)name;
    *(int *)baton += role == STORE_ROLE_OWNER;
    return 0;
}

static void duels(store_t *s, const store_project_t *project, const store_user_t *a,
                  const store_user_t *b, apr_pool_t *pool)
{
    int i, left, bad = 0;

    for (i = 0; i < ROUNDS; i++) {
        duel_t one = {s, project->id, a->id, STORE_DOWN}, two = {s, project->id, b->id, STORE_DOWN};
        apr_thread_t *first, *second;
        apr_status_t rv;

        store_role_set(s, project->id, a->id, STORE_ROLE_OWNER);
        store_role_set(s, project->id, b->id, STORE_ROLE_OWNER);
        apr_thread_create(&first, NULL, duel_run, &one, pool);
        apr_thread_create(&second, NULL, duel_run, &two, pool);
        apr_thread_join(&rv, first);
        apr_thread_join(&rv, second);
        left = 0;
        store_role_list(s, project->id, owners, &left);
        bad += left != 1 || (one.rc == STORE_OK) == (two.rc == STORE_OK) ||
               (one.rc != STORE_OK && one.rc != STORE_CONFLICT) ||
               (two.rc != STORE_OK && two.rc != STORE_CONFLICT);
    }
    tap_ok(bad == 0, "two owners who take each other's role at the same time: one stays, %d times",
           ROUNDS);
    store_role_set(s, project->id, a->id, STORE_ROLE_OWNER);
    store_role_set(s, project->id, b->id, STORE_ROLE_MAINTAINER);
}

/* ---- the record, backwards ---- */

typedef struct walk_t {
    int n, wrong;
    store_cursor_t last;
} walk_t;

static int walk(void *baton, const store_event_t *row)
{
    walk_t *w = baton;

    w->wrong += row->at > w->last.at || (row->at == w->last.at && row->id >= w->last.id);
    w->last = (store_cursor_t){row->at, row->id};
    w->n++;
    return 0;
}

static void record(store_t *s, apr_pool_t *pool)
{
    mine_t mine = mine_of(s, "walker", 0), root = mine_of(s, "walker", 1);
    store_event_t e = {.user = "walker", .address = "::1"};
    walk_t w = {0, 0, {APR_INT64_MAX, APR_INT64_MAX}}, u = w, other = w, all = w;
    int i, pages = 0, before;

    (void)pool;
    for (i = 0; i < 40; i++) {
        e.kind = i % 4 == 0 ? "upload" : i % 4 == 1 ? "upload-failed" : "login";
        e.project = i % 2 ? "walked" : NULL;
        e.at = kit_time + i / 7 * 10 -
               (i % 7 == 3 ? 25 : 0); /* many of a second, clocks that go back */
        store_event_add(s, &e);
    }
    do {
        before = w.n;
        mine_events(&mine, w.n ? &w.last : NULL, 7, walk, &w);
        pages++;
    } while (w.n > before && pages < 50);
    tap_ok(w.n == 40 && !w.wrong, "his record, seven at a time, the last first: %d of 40", w.n);
    store_event_recent(s, NULL, "walked", 1, NULL, 100, walk, &u);
    tap_ok(u.n == 10 && !u.wrong, "uploads of a project: %d", u.n);
    tap_ok(admin_events(&mine, NULL, NULL, NULL, 100, walk, &other) == STORE_NOTFOUND && !other.n,
           "everybody's record is not for everybody");
    tap_ok(admin_events(&root, NULL, NULL, NULL, 1000, walk, &all) == STORE_OK && all.n >= 40 &&
               !all.wrong,
           "  but for administrators");
}

/* ---- administrators ---- */

static int any(void *baton, const store_user_t *row)
{
    (void)row;
    ++*(int *)baton;
    return 0;
}

static int any_project(void *baton, const store_project_t *row)
{
    (void)row;
    ++*(int *)baton;
    return 0;
}

static void admins(store_t *s, const store_user_t *other, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
    mine_t mine = mine_of(s, "owner", 0), root = mine_of(s, "owner", 1);
    store_user_t user, self;
    store_token_t row;
    store_rc_t rc;
    int seen = 0;

    APR_ARRAY_PUSH(names, const char *) = "root";
    tap_ok(admin_named(names, "root") && !admin_named(names, "Root") &&
               !admin_named(names, "roo") && !admin_named(names, "root ") &&
               !admin_named(names, NULL) && !admin_named(NULL, "root"),
           "an administrator is who is named, letter for letter");
    tap_ok(admin_users(&mine, any, &seen) == STORE_NOTFOUND &&
               admin_projects(&mine, any_project, &seen) == STORE_NOTFOUND &&
               admin_user(&mine, slice_of("other"), &user, pool) == STORE_NOTFOUND &&
               admin_disable(&mine, other, 1) == STORE_NOTFOUND &&
               admin_reset_factor(&mine, other) == STORE_NOTFOUND &&
               admin_logout(&mine, other) == STORE_NOTFOUND &&
               admin_token(&mine, slice_of("x"), &row, pool) == STORE_NOTFOUND &&
               admin_leak(&mine, slice_of("pypi-x"), 1, &row, pool) == LEAK_STRANGE && !seen,
           "nobody else does any of it");
    tap_ok(store_user_find(s, slice_of("other"), &user, pool) == STORE_OK && !user.disabled,
           "  and nothing was changed");
    rc = admin_users(&root, any, &seen);
    tap_ok(rc == STORE_OK && seen == 3, "he sees accounts: %d", seen);
    self = *other;
    self.name = "owner";
    tap_ok(admin_disable(&root, &self, 1) == STORE_CONFLICT &&
               admin_reset_factor(&root, &self) == STORE_CONFLICT,
           "he does nothing of it to himself");
    tap_ok(admin_disable(&root, other, 1) == STORE_OK &&
               store_user_find(s, slice_of("other"), &user, pool) == STORE_OK && user.disabled &&
               admin_disable(&root, other, 0) == STORE_OK,
           "he disables an account, and enables it");
    tap_ok(admin_reset_factor(&root, other) == STORE_NOTFOUND, "no second factor to take off");
}

static void left(store_t *s, const store_project_t *demo, const store_user_t *other,
                 apr_pool_t *pool)
{
    mine_t mine = mine_of(s, "other", 0);
    team_t team;

    tap_ok(store_role_set(s, demo->id, other->id, STORE_ROLE_MAINTAINER) == STORE_OK &&
               team_find(&team, &mine, slice_of("demo"), pool) == STORE_OK &&
               store_role_set(s, demo->id, other->id, STORE_ROLE_NONE) == STORE_OK &&
               team_find(&team, &mine, slice_of("demo"), pool) == STORE_NOTFOUND,
           "to be given no role is to have none");
}

int main(void)
{
    store_user_t owner, other, stranger;
    store_project_t demo;
    store_t *s;
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    s = kit_open(&kit, NULL, kit.pool);
    owner = user_of(s, "owner", kit.pool);
    other = user_of(s, "other", kit.pool);
    stranger = user_of(s, "stranger", kit.pool);
    store_project_add(s, "demo", "demo", owner.id, 1, &demo, kit.pool);
    store_project_add(s, "else", "else", owner.id, 1, NULL, kit.pool);
    store_project_add(s, "waiting", "waiting", owner.id, 0, NULL, kit.pool);
    store_role_set(s, demo.id, other.id, STORE_ROLE_MAINTAINER);
    roles(s, kit.pool);
    tokens(s, &owner, &other, &stranger, kit.pool);
    duels(s, &demo, &owner, &other, kit.pool);
    record(s, kit.pool);
    admins(s, &other, kit.pool);
    left(s, &demo, &other, kit.pool);
    return kit_end(&kit);
}
