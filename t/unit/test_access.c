/* test_access.c - bearer and permit over a real SQLite store: who may upload what. */
#include "access/bearer.h"
#include "access/issue.h"
#include "access/permit.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/keyring.h"
#include "tap.h"

static apr_int64_t test_time = 1700000000;

static apr_int64_t test_now(void)
{
    return test_time;
}

static int test_random(void *p, apr_size_t n)
{
    randombytes_buf(p, n);
    return 0;
}

static const seam_t test_seam = {test_now, test_random};

typedef struct world_t {
    apr_pool_t *pool;
    store_t *store;
    store_user_t alice, bob;
    const char *dir;
} world_t;

static int world_open(world_t *w)
{
    char *dir = apr_pstrdup(w->pool, "/tmp/pypitoken-access-XXXXXX");
    store_config_t config = {0};
    const char *err;

    if (!mkdtemp(dir)) {
        return 0;
    }
    w->dir = dir;
    config.url = apr_pstrcat(w->pool, "sqlite:", dir, "/store.db", NULL);
    config.keyring = apr_pstrcat(w->pool, dir, "/keyring", NULL);
    config.seam = &test_seam;
    err = keyring_create(config.keyring, &test_seam, w->pool);
    if (!err) {
        err = store_open_any(&w->store, &config, 1, w->pool);
    }
    if (!err) {
        err = store_migrate(w->store, w->pool);
    }
    tap_ok(err == NULL, "a store: %s", err ? err : "open");
    return !err && store_user_add(w->store, "alice", NULL, &w->alice, w->pool) == STORE_OK &&
           store_user_add(w->store, "bob", NULL, &w->bob, w->pool) == STORE_OK;
}

static char *mint(world_t *w, const char *user, const char *project, apr_int64_t expires,
                  const char **id)
{
    issue_request_t request = {0};
    store_rc_t rc;
    char *text = NULL;
    const char *err;
    issue_t made;

    request.service = "test";
    request.user = user;
    request.name = "t";
    request.projects = &project;
    request.n_projects = project ? 1 : 0;
    request.expires = expires;
    err = issue_token(&text, &made, w->store, &test_seam, &request, &rc, w->pool);
    if (err) {
        printf("# issue_token: %s\n", err);
    }
    if (id) {
        *id = made.id;
    }
    return err ? NULL : text;
}

static verdict_code_t bear(world_t *w, bearer_t *b, const char *text)
{
    verdict_t v;

    return bearer_verify(b, w->store, &test_seam, slice_of(text), slice_of("192.0.2.7"), &v,
                         w->pool);
}

static void expect_bearer(world_t *w, const char *text, verdict_code_t want, const char *what)
{
    bearer_t b;
    verdict_code_t got = bear(w, &b, text ? text : "");

    tap_ok(got == want, "%s: %s", what, verdict_word(got));
}

#define UNDER_WAY (-1)

/* One upload in its steps. */
typedef struct act_t {
    upload_form_t form;
    store_event_t event;
    permit_t permit;
    bearer_t bearer;
    verdict_t verdict;
} act_t;

static verdict_code_t act_bear(world_t *w, act_t *a, const char *text, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->form.name = name;
    a->form.project = project_normalize(slice_of(name), w->pool);
    a->form.filename = "f-1.0.tar.gz";
    return bear(w, &a->bearer, text);
}

static verdict_code_t act_judge(world_t *w, act_t *a, int anyone)
{
    permit_policy_t policy = {anyone};

    return permit_upload(&a->permit, w->store, &test_seam, &a->bearer, &a->form, &policy,
                         &a->verdict, w->pool);
}

static verdict_code_t act_permit(world_t *w, act_t *a, const char *text, const char *name,
                                 int anyone)
{
    verdict_code_t code = act_bear(w, a, text, name);

    return code != VERDICT_ALLOWED ? code : act_judge(w, a, anyone);
}

static verdict_code_t act_commit(world_t *w, act_t *a)
{
    a->event.at = test_time;
    a->event.kind = "upload";
    a->event.user = a->bearer.token.user_name;
    a->event.token_id = a->bearer.token.id;
    a->event.project = a->form.project;
    a->event.file = a->form.filename;
    a->event.address = "127.0.0.1";
    a->event.verdict = "allowed";
    return permit_commit(&a->permit, w->store, &test_seam, &a->event, &a->verdict, w->pool);
}

/* As httpd does it: settled, and written down when it failed. */
static void act_settle(world_t *w, act_t *a, permit_end_t end)
{
    permit_settle(w->store, &a->permit, end, w->pool);
    a->event.kind = "upload-failed";
    a->event.verdict = "backend-failed";
    a->event.detail = end == PERMIT_REFUSED ? "400 Bad Request" : "504 Gateway Timeout";
    if (end != PERMIT_ARRIVED) {
        store_event_add(w->store, &a->event);
    }
}

static verdict_code_t upload(world_t *w, const char *text, const char *name, int anyone, int settle)
{
    act_t a;
    verdict_code_t code = act_permit(w, &a, text, name, anyone);

    if (code == VERDICT_ALLOWED) {
        code = act_commit(w, &a);
    }
    if (code == VERDICT_ALLOWED && settle >= 0) {
        act_settle(w, &a, (permit_end_t)settle);
    }
    return code;
}

static void test_bearer(world_t *w)
{
    const char *id;
    char *text = mint(w, "alice", NULL, 0, &id), *bad;
    bearer_t b;
    unsigned char key[MACAROON_KEY_BYTES];

    expect_bearer(w, text, VERDICT_ALLOWED, "a fresh token");
    expect_bearer(w, apr_pstrcat(w->pool, " \t", text, "\r\n", NULL), VERDICT_ALLOWED,
                  "white space around it");
    bad = apr_pstrdup(w->pool, text);
    bad[strlen(bad) - 4] = bad[strlen(bad) - 4] == 'A' ? 'B' : 'A';
    expect_bearer(w, bad, VERDICT_TOKEN_SIGNATURE, "a damaged signature");
    tap_ok(bear(w, &b, bad) != VERDICT_ALLOWED && b.token.id == NULL,
           "nothing of the row is told before the signature held");
    expect_bearer(w, "pypi-AgEIcHlwaS5vcmc", VERDICT_TOKEN_MALFORMED, "half a token");
    expect_bearer(w, "secret", VERDICT_TOKEN_MALFORMED, "no token at all");
    expect_bearer(w, mint(w, "alice", NULL, test_time + 60, NULL), VERDICT_ALLOWED, "not expired");
    bad = mint(w, "alice", NULL, test_time + 60, NULL);
    test_time += 60;
    expect_bearer(w, bad, VERDICT_TOKEN_EXPIRED, "expired to the second");
    store_user_set_disabled(w->store, w->alice.id, 1);
    expect_bearer(w, text, VERDICT_USER_DISABLED, "its owner disabled");
    store_user_set_disabled(w->store, w->alice.id, 0);
    tap_ok(store_token_find(w->store, slice_of(id), &b.token, key, w->pool) == STORE_OK &&
               store_token_revoke(w->store, slice_of(id), "alice") == STORE_OK,
           "revoked");
    expect_bearer(w, text, VERDICT_TOKEN_REVOKED, "the very next use after revocation");
}

static void test_outage(world_t *w)
{
    store_t *store = w->store;
    char *text = mint(w, "alice", NULL, 0, NULL);

    w->store = NULL;
    expect_bearer(w, text, VERDICT_STORE_DOWN, "a store that could not be opened");
    w->store = store;
}

static void test_permit(world_t *w)
{
    char *alice = mint(w, "alice", NULL, 0, NULL), *bob = mint(w, "bob", NULL, 0, NULL);
    char *narrow;
    store_project_t project;
    store_role_t role;

    tap_ok(upload(w, alice, "Fresh.Name", 0, PERMIT_ARRIVED) == VERDICT_PROJECT_NEW_REFUSED,
           "new projects can be forbidden");
    tap_ok(upload(w, alice, "Fresh.Name", 1, PERMIT_REFUSED) == VERDICT_ALLOWED &&
               store_project_find(w->store, "fresh-name", &project, w->pool) == STORE_NOTFOUND,
           "a first upload that failed behind the guard leaves no project");
    tap_ok(upload(w, alice, "Fresh.Name", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED &&
               store_project_role(w->store, "fresh-name", w->alice.id, &project, &role, w->pool) ==
                   STORE_OK &&
               role == STORE_ROLE_OWNER && project.confirmed,
           "a first upload makes the owner");
    tap_ok(upload(w, bob, "fresh_NAME", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "another spelling is the same project");
    store_role_set(w->store, project.id, w->bob.id, STORE_ROLE_MAINTAINER);
    tap_ok(upload(w, bob, "fresh-name", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED,
           "a maintainer uploads");
    store_role_remove(w->store, project.id, w->bob.id);
    tap_ok(upload(w, bob, "fresh-name", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "until the role is taken");
    narrow = mint(w, "alice", "fresh-name", 0, NULL);
    tap_ok(narrow && upload(w, narrow, "Fresh-Name", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED,
           "a project token uploads to its project");
    tap_ok(narrow && upload(w, narrow, "other", 1, PERMIT_ARRIVED) == VERDICT_TOKEN_SCOPE &&
               store_project_find(w->store, "other", &project, w->pool) == STORE_NOTFOUND,
           "to no other, and makes none");
    tap_ok(mint(w, "bob", "fresh-name", 0, NULL) == NULL,
           "nobody gets a token for a project without a role on it");
}

static void test_pending(world_t *w)
{
    char *alice = mint(w, "alice", NULL, 0, NULL), *bob = mint(w, "bob", NULL, 0, NULL);
    store_project_t project;

    tap_ok(upload(w, alice, "slow", 1, UNDER_WAY) == VERDICT_ALLOWED, "an upload under way");
    tap_ok(upload(w, bob, "slow", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING, "holds its name");
    tap_ok(upload(w, alice, "slow", 1, PERMIT_REFUSED) == VERDICT_ALLOWED &&
               store_project_find(w->store, "slow", &project, w->pool) == STORE_OK,
           "a second one that fails does not take it away");
    tap_ok(upload(w, alice, "slow", 1, PERMIT_UNKNOWN) == VERDICT_ALLOWED &&
               upload(w, alice, "timeout", 1, PERMIT_UNKNOWN) == VERDICT_ALLOWED,
           "nor one of which nobody knows what became");
    test_time += 400 * 86400;
    tap_ok(upload(w, bob, "slow", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING &&
               upload(w, bob, "timeout", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "waiting gives nobody a project in which a file of another may be");
    tap_ok(upload(w, alice, "slow", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED &&
               store_project_find(w->store, "slow", &project, w->pool) == STORE_OK &&
               project.confirmed,
           "its owner's next upload that arrives confirms it");
}

/* Several uploads make one project; the one that claimed it fails. */
static void test_together(world_t *w)
{
    char *alice = mint(w, "alice", NULL, 0, NULL), *bob = mint(w, "bob", NULL, 0, NULL);
    store_project_t project;
    act_t first, second;

    tap_ok(act_permit(w, &first, alice, "both", 1) == VERDICT_ALLOWED &&
               act_commit(w, &first) == VERDICT_ALLOWED &&
               act_permit(w, &second, alice, "both", 1) == VERDICT_ALLOWED &&
               act_commit(w, &second) == VERDICT_ALLOWED,
           "two uploads to a new project");
    act_settle(w, &first, PERMIT_REFUSED);
    tap_ok(upload(w, bob, "both", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "the first is refused while the second is under way: nobody else gets the project");
    act_settle(w, &second, PERMIT_REFUSED);
    tap_ok(store_project_find(w->store, "both", &project, w->pool) == STORE_NOTFOUND,
           "both are refused: it is forgotten");
    tap_ok(upload(w, alice, "both", 1, PERMIT_REFUSED) == VERDICT_ALLOWED &&
               upload(w, bob, "both", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED,
           "a third is, too: somebody else may have it");

    tap_ok(act_permit(w, &first, alice, "late", 1) == VERDICT_ALLOWED &&
               act_commit(w, &first) == VERDICT_ALLOWED &&
               act_permit(w, &second, alice, "late", 1) == VERDICT_ALLOWED,
           "an upload is judged while another one makes the project");
    act_settle(w, &first, PERMIT_REFUSED);
    tap_ok(upload(w, bob, "late", 1, PERMIT_ARRIVED) == VERDICT_ALLOWED &&
               act_commit(w, &second) == VERDICT_ROLE_MISSING,
           "that one fails and somebody else is faster: no file gets into his project");
    tap_ok(store_project_find(w->store, "late", &project, w->pool) == STORE_OK && project.confirmed,
           "  and he keeps it");

    tap_ok(act_permit(w, &first, alice, "again", 1) == VERDICT_ALLOWED &&
               act_commit(w, &first) == VERDICT_ALLOWED &&
               act_permit(w, &second, alice, "again", 1) == VERDICT_ALLOWED,
           "the same");
    act_settle(w, &first, PERMIT_REFUSED);
    tap_ok(act_commit(w, &second) == VERDICT_ALLOWED &&
               upload(w, bob, "again", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "that one fails and nobody is faster: the project is made once more");
    act_settle(w, &second, PERMIT_ARRIVED);
    tap_ok(store_project_find(w->store, "again", &project, w->pool) == STORE_OK &&
               project.confirmed,
           "  and confirmed when the file has arrived");

    tap_ok(upload(w, alice, "perhaps", 1, PERMIT_UNKNOWN) == VERDICT_ALLOWED &&
               upload(w, alice, "perhaps", 1, PERMIT_REFUSED) == VERDICT_ALLOWED &&
               upload(w, bob, "perhaps", 1, PERMIT_ARRIVED) == VERDICT_ROLE_MISSING,
           "a refusal after a timeout does not forget the file that may be there");
}

/* What changes between the head of an upload and the end of its body. */
static void test_meanwhile(world_t *w)
{
    static const slice_t other = {"[2,[\"other\"]]", 13};
    char *alice = mint(w, "alice", NULL, 0, NULL);
    verdict_code_t got;
    const char *id;
    act_t a;

    tap_ok(act_bear(w, &a, mint(w, "alice", NULL, test_time + 60, NULL), "slow") == VERDICT_ALLOWED,
           "a token that lives for a minute");
    test_time += 59;
    got = act_judge(w, &a, 1);
    tap_ok(got == VERDICT_ALLOWED, "  still good behind a long body: %s", verdict_word(got));
    test_time++;
    tap_ok(act_judge(w, &a, 1) == VERDICT_TOKEN_EXPIRED && a.bearer.token.id,
           "  not behind a longer one, and it is known whose that was");

    tap_ok(act_bear(w, &a, alice, "slow") == VERDICT_ALLOWED, "one without an end");
    store_user_set_disabled(w->store, w->alice.id, 1);
    test_time -= 3600;
    tap_ok(act_judge(w, &a, 1) == VERDICT_USER_DISABLED,
           "its owner disabled, and a clock that was set back");
    store_user_set_disabled(w->store, w->alice.id, 0);
    test_time += 3600;

    tap_ok(act_bear(w, &a, mint(w, "alice", NULL, 0, &id), "slow") == VERDICT_ALLOWED &&
               store_token_narrow(w->store, slice_of(id), &other, 1, w->pool) == STORE_OK,
           "a token that is narrowed meanwhile");
    test_time++;
    tap_ok(act_judge(w, &a, 1) == VERDICT_TOKEN_SCOPE, "  is as narrow as it is now");
}

int main(void)
{
    world_t w = {0};

    apr_initialize();
    if (sodium_init() < 0) {
        return 1;
    }
    apr_pool_create(&w.pool, NULL);
    if (tap_ok(world_open(&w), "two users")) {
        test_bearer(&w);
        test_outage(&w);
        test_permit(&w);
        test_pending(&w);
        test_together(&w);
        test_meanwhile(&w);
    }
    apr_pool_destroy(w.pool);
    apr_terminate();
    return tap_done();
}
