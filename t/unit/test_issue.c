/* test_issue.c - new tokens over a real SQLite store: what they say, and who does not get one. */
#include "access/issue.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/keyring.h"
#include "tap.h"

#define NOW  APR_INT64_C(1700000000)
#define MANY 180

static int random_fails; /* which of the next calls of the generator fails; 0: none */

static apr_int64_t test_now(void)
{
    return NOW;
}

static int test_random(void *p, apr_size_t n)
{
    if (random_fails && --random_fails == 0) {
        memset(p, 0, n);
        return -1;
    }
    randombytes_buf(p, n);
    return 0;
}

static const seam_t test_seam = {test_now, test_random};

typedef struct world_t {
    apr_pool_t *pool;
    store_t *store, *keyless;
    store_user_t alice, bob;
    store_project_t sample, second;
    const char *dir;
} world_t;

static store_rc_t add_project(world_t *w, const char *name, const char *norm, const char *owner,
                              int confirmed, store_project_t *out)
{
    return store_project_add(w->store, name, norm, owner, confirmed, out, w->pool);
}

static int world_fill(world_t *w)
{
    store_project_t other;

    return store_user_add(w->store, "alice", NULL, &w->alice, w->pool) == STORE_OK &&
           store_user_add(w->store, "bob", NULL, &w->bob, w->pool) == STORE_OK &&
           store_user_set_disabled(w->store, w->bob.id, 1) == STORE_OK &&
           add_project(w, "Sample.Project", "sample-project", w->alice.id, 1, &w->sample) ==
               STORE_OK &&
           add_project(w, "second", "second", NULL, 1, &w->second) == STORE_OK &&
           store_role_set(w->store, w->second.id, w->alice.id, STORE_ROLE_MAINTAINER) == STORE_OK &&
           add_project(w, "foreign", "foreign", w->bob.id, 1, &other) == STORE_OK &&
           add_project(w, "pending", "pending", w->alice.id, 0, &other) == STORE_OK;
}

static int world_open(world_t *w)
{
    char *dir = apr_pstrdup(w->pool, "/tmp/pypitoken-issue-XXXXXX");
    store_config_t config = {0};
    const char *wrong;

    if (!mkdtemp(dir)) {
        return 0;
    }
    w->dir = dir;
    config.url = apr_pstrcat(w->pool, "sqlite:", dir, "/store.db", NULL);
    config.keyring = apr_pstrcat(w->pool, dir, "/keyring", NULL);
    config.seam = &seam_system;
    wrong = keyring_create(config.keyring, &seam_system, w->pool);
    wrong = wrong ? wrong : store_open_any(&w->store, &config, 1, w->pool);
    wrong = wrong ? wrong : store_migrate(w->store, w->pool);
    config.keyring = NULL;
    wrong = wrong ? wrong : store_open(&w->keyless, &config, w->pool);
    tap_ok(!wrong, "a store: %s", wrong ? wrong : "open");
    return !wrong && world_fill(w);
}

static void world_close(world_t *w)
{
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm", "keyring"};
    char dir[64];
    char path[128];
    size_t i;

    apr_cpystrn(dir, w->dir ? w->dir : "", sizeof(dir));
    apr_pool_destroy(w->pool);
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        apr_snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int count_row(void *baton, const store_token_t *row)
{
    (void)row;
    ++*(int *)baton;
    return 0;
}

static int count_tokens(world_t *w)
{
    int n = 0;

    return store_token_list(w->store, NULL, NULL, count_row, &n) == STORE_OK ? n : -1;
}

static issue_request_t request_of(const char *user, const char *const *projects, apr_size_t n)
{
    issue_request_t r = {"index.test", user, "laptop", projects, n, 0, NULL, NULL};

    return r;
}

/* Makes the token, holds it against its row and key, and its caveats against those expected. */
static void expect_token(world_t *w, const issue_request_t *request, const char *scope,
                         const char *caveats, const char *what)
{
    unsigned char key[MACAROON_KEY_BYTES] = {0};
    const char *wrong, *said = "";
    issue_t made;
    store_token_t row = {0};
    macaroon_t *m = NULL;
    store_rc_t rc;
    char *text = NULL;
    apr_size_t i;

    wrong = issue_token(&text, &made, w->store, &test_seam, request, &rc, w->pool);
    if (!tap_ok(!wrong && rc == STORE_OK && text && made.id, "%s: %s", what,
                wrong ? wrong : "made")) {
        return;
    }
    tap_ok(strncmp(text, "pypi-", 5) == 0 &&
               token_parse(&m, slice_of(text), NULL, w->pool) == VERDICT_ALLOWED,
           "%s: it is a token", what);
    tap_ok(m && slice_is(m->location, "index.test") && slice_is(m->identifier, made.id),
           "%s: service and identifier stand in it", what);
    for (i = 0; m && i < m->n_caveats; i++) {
        said = apr_pstrcat(w->pool, said, i ? " " : "", slice_dup(m->caveats[i], w->pool), NULL);
    }
    if (!tap_ok(strcmp(said, caveats) == 0, "%s: its caveats", what)) {
        printf("# have %s\n# want %s\n", said, caveats);
    }
    rc = store_token_find(w->store, slice_of(made.id), &row, key, w->pool);
    tap_ok(rc == STORE_OK && m && macaroon_verify(m, slice_make((char *)key, sizeof(key))),
           "%s: the stored key signed it", what);
    tap_ok(rc == STORE_OK && strcmp(row.scope, scope) == 0 && strcmp(row.name, "laptop") == 0 &&
               strcmp(row.user_name, "alice") == 0 && row.expires == made.expires &&
               row.n_caveats == 0 && row.revoked == 0,
           "%s: its row", what);
    sodium_memzero(key, sizeof(key));
}

static void test_made(world_t *w)
{
    static const char *const one[] = {"sample_PROJECT"};
    static const char *const two[] = {"second", "Sample.Project", "SECOND"};
    issue_request_t r = request_of("alice", NULL, 0);

    expect_token(w, &r, STORE_SCOPE_ALL, apr_psprintf(w->pool, "[3,\"%s\"]", w->alice.id),
                 "for a user");
    r.expires = NOW + 1;
    expect_token(w, &r, STORE_SCOPE_ALL,
                 apr_psprintf(w->pool, "[3,\"%s\"] [0,1700000001,1699999940]", w->alice.id),
                 "with an end");
    r = request_of("alice", one, 1);
    expect_token(w, &r, "sample-project",
                 apr_psprintf(w->pool, "[1,[\"sample-project\"]] [2,[\"%s\"]]", w->sample.id),
                 "for a project");
    r = request_of("alice", two, 3);
    r.expires = NOW + 3600;
    expect_token(w, &r, "second sample-project",
                 apr_psprintf(w->pool,
                              "[1,[\"second\",\"sample-project\"]] [2,[\"%s\",\"%s\"]] "
                              "[0,1700003600,1699999940]",
                              w->second.id, w->sample.id),
                 "for two projects, one named twice");
}

static void expect_refused(world_t *w, store_t *store, const issue_request_t *r, int kind,
                           const char *says, const char *what)
{
    char *text = apr_pstrdup(w->pool, "?");
    const char *wrong;
    issue_t made = {"?", 0};
    int before = count_tokens(w);
    store_rc_t rc = STORE_OK;

    wrong = issue_token(&text, &made, store, &test_seam, r, &rc, w->pool);
    tap_ok(wrong && strstr(wrong, says), "%s: %s", what, wrong ? wrong : "made");
    tap_ok(kind < 0 ? rc != STORE_OK : (int)rc == kind, "%s: kind %d", what, (int)rc);
    tap_ok(!text && !made.id && before >= 0 && count_tokens(w) == before, "%s: nothing is left",
           what);
}

static void test_people_and_projects(world_t *w)
{
    static const char *const foreign[] = {"second", "foreign"};
    static const char *const missing[] = {"nowhere"};
    static const char *const pending[] = {"pending"};
    static const char *const bad[] = {"-bad-"};
    issue_request_t r = request_of("carol", NULL, 0);

    expect_refused(w, w->store, &r, STORE_NOTFOUND, "no user 'carol'", "an unknown user");
    r = request_of("bob", NULL, 0);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "disabled", "a disabled user");
    r = request_of(NULL, NULL, 0);
    expect_refused(w, w->store, &r, STORE_NOTFOUND, "no user ''", "no user");
    r = request_of("alice", foreign, 2);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "no role on the project 'foreign'", "no role");
    r = request_of("alice", missing, 1);
    expect_refused(w, w->store, &r, STORE_NOTFOUND, "no project 'nowhere'", "no project");
    r = request_of("alice", pending, 1);
    expect_refused(w, w->store, &r, STORE_NOTFOUND, "no project 'pending'", "a project on its way");
    r = request_of("alice", bad, 1);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "not a valid project name", "a bad name");
}

static void test_bounds(world_t *w)
{
    issue_request_t r = request_of("alice", NULL, 0);
    char *name = apr_pcalloc(w->pool, 300);

    r.expires = NOW;
    expect_refused(w, w->store, &r, STORE_CONFLICT, "expired", "an end now");
    r.expires = -1;
    expect_refused(w, w->store, &r, STORE_CONFLICT, "expired", "an end before all time");
    r = request_of("alice", NULL, 0);
    r.name = "a\tb";
    expect_refused(w, w->store, &r, STORE_CONFLICT, "control characters", "a tab in the name");
    r.name = "\xc3(";
    expect_refused(w, w->store, &r, STORE_CONFLICT, "UTF-8", "a name that is not UTF-8");
    r.name = memset(name, 'n', ISSUE_NAME_MAX + 1);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "100 bytes", "a name that is too long");
    r = request_of("alice", NULL, 0);
    r.service = "";
    expect_refused(w, w->store, &r, STORE_CONFLICT, "service", "no service");
    r.service = memset(name, 's', MACAROON_MAX_LOCATION + 1);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "service", "a service that is too long");
}

static void test_failures(world_t *w)
{
    issue_request_t r = request_of("alice", NULL, 0);

    random_fails = 1;
    expect_refused(w, w->store, &r, STORE_DOWN, "random", "no random key");
    random_fails = 2;
    expect_refused(w, w->store, &r, STORE_DOWN, "random", "no random identifier");
    random_fails = 0;
    expect_refused(w, w->keyless, &r, -1, "", "no keyring");
}

static void test_many(world_t *w)
{
    const char **names = apr_palloc(w->pool, MANY * sizeof(*names));
    issue_request_t r = request_of("alice", names, MANY);
    store_project_t p;
    int i, added = 0;

    for (i = 0; i < MANY; i++) {
        names[i] = apr_psprintf(w->pool, "p%099d", i);
        added += add_project(w, names[i], names[i], w->alice.id, 1, &p) == STORE_OK;
    }
    tap_ok(added == MANY, "%d projects with long names", MANY);
    expect_refused(w, w->store, &r, STORE_CONFLICT, "too many projects", "more than a token holds");
}

int main(void)
{
    world_t w = {0};

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&w.pool, NULL);
    if (tap_ok(world_open(&w), "users and projects")) {
        test_made(&w);
        test_people_and_projects(&w);
        test_bounds(&w);
        test_failures(&w);
        test_many(&w);
    }
    world_close(&w);
    apr_terminate();
    return tap_done();
}
