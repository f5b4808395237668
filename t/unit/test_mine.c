/* test_mine.c - one's own tokens, their rotation, and what administrators do with others': what is
 * done, what is on record of it, and what a stranger gets. Over a real SQLite store. */
#include "access/admin.h"
#include "access/disclose.h"
#include "access/enroll.h"
#include "access/team.h"
#include "store_kit.h"

#include <sys/resource.h>

typedef struct world_t {
    store_t *store;
    store_user_t alice, bob;
    mine_t a, b, root; /* root: bob's account, as an administrator */
    apr_pool_t *pool;
} world_t;

static void world_make(world_t *w, kit_t *kit)
{
    w->pool = kit->pool;
    w->store = kit_open(kit, NULL, kit->pool);
    if (store_user_add(w->store, "alice", NULL, &w->alice, w->pool) != STORE_OK ||
        store_user_add(w->store, "bob", NULL, &w->bob, w->pool) != STORE_OK ||
        store_project_add(w->store, "Demo", "demo", w->alice.id, 1, NULL, w->pool) != STORE_OK ||
        store_project_add(w->store, "two", "two", w->alice.id, 1, NULL, w->pool) != STORE_OK ||
        store_project_add(w->store, "third", "third", w->bob.id, 1, NULL, w->pool) != STORE_OK) {
        abort();
    }
    w->a = (mine_t){w->store, &kit_seam, "alice", "192.0.2.1", "test/1", 0};
    w->b = (mine_t){w->store, &kit_seam, "bob", "192.0.2.2", "test/2", 0};
    w->root = w->b;
    w->root.admin = 1;
}

/* ---- the record ---- */

static char last_text[400];

static int last_row(void *baton, const store_event_t *row)
{
    (void)baton;
    apr_snprintf(last_text, sizeof(last_text), "%s %s %s %s %s", row->kind, row->user,
                 row->token_id ? row->token_id : "-", row->address,
                 row->detail ? row->detail : "-");
    return 1;
}

/* The last event of an account: kind, who, token, address, detail. */
static const char *last(const mine_t *mine)
{
    last_text[0] = '\0';
    (void)mine_events(mine, NULL, 1, last_row, NULL);
    return last_text;
}

static int last_is(const world_t *w, const mine_t *mine, const char *kind, const char *id,
                   const char *detail)
{
    const char *want = apr_psprintf(w->pool, "%s %s %s %s %s", kind, mine->user, id, mine->address,
                                    detail ? detail : "-");

    if (strcmp(last(mine), want) == 0) {
        return 1;
    }
    printf("# have %s\n# want %s\n", last_text, want);
    return 0;
}

/* ---- making ---- */

static const char *make(const world_t *w, const mine_t *mine, const char *name,
                        const char *const *projects, apr_size_t n, apr_int64_t expires, char **text)
{
    issue_request_t request = {"index.test", NULL, name, projects, n, expires, NULL, NULL};
    issue_t made = {0};
    store_rc_t rc;
    const char *wrong = mine_issue(mine, text, &made, &request, NULL, &rc, w->pool);

    if (wrong) {
        printf("# %s\n", wrong);
        abort();
    }
    return made.id;
}

static void made(const world_t *w)
{
    static const char *const foreign[] = {"third"};
    issue_request_t request = {"index.test", "bob", "laptop", NULL, 0, 0, NULL, NULL};
    issue_t made = {0};
    store_token_t row;
    store_rc_t rc;
    char *text;

    tap_ok(!mine_issue(&w->a, &text, &made, &request, "versions 2.*", &rc, w->pool) &&
               mine_token(&w->a, slice_of(made.id), &row, w->pool) == STORE_OK &&
               strcmp(row.user_name, "alice") == 0,
           "a token is for who asks, whoever the request names");
    tap_ok(last_is(w, &w->a, "token-created", made.id, "name laptop, versions 2.*"),
           "  and on record, with what it may");
    request.name = "";
    tap_ok(!mine_issue(&w->a, &text, &made, &request, "words", &rc, w->pool) &&
               last_is(w, &w->a, "token-created", made.id, "words"),
           "  without a name, too");
    request.projects = foreign;
    request.n_projects = 1;
    tap_ok(mine_issue(&w->a, &text, &made, &request, NULL, &rc, w->pool) && rc == STORE_CONFLICT &&
               strncmp(last(&w->a), "token-created", 13) == 0 && !made.id,
           "none for a project of somebody else");
}

/* ---- one's own and not ---- */

static void revoked(const world_t *w)
{
    char *text;
    const char *id = make(w, &w->a, "mine", NULL, 0, 0, &text);
    store_token_t row;

    memset(&row, 'x', sizeof(row));
    tap_ok(mine_token(&w->b, slice_of(id), &row, w->pool) == STORE_NOTFOUND && !row.id && !row.name,
           "another's token is as one that is not there, and nothing of it is told");
    tap_ok(mine_token(&w->a, slice_of("no-uuid"), &row, w->pool) == STORE_NOTFOUND,
           "so is what is no id");
    tap_ok(mine_revoke(&w->b, slice_of(id), &row, w->pool) == STORE_NOTFOUND &&
               mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK && !row.revoked &&
               !*last(&w->b),
           "  it is not revoked, and that is no event");
    tap_ok(mine_revoke(&w->a, slice_of(id), &row, w->pool) == STORE_OK && !row.revoked &&
               last_is(w, &w->a, "token-revoked", id, NULL),
           "one's own is revoked");
    tap_ok(mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK && row.revoked &&
               kit_is(row.revoked_by, "alice"),
           "  by its owner");
    tap_ok(mine_revoke(&w->a, slice_of(id), &row, w->pool) == STORE_CONFLICT, "  once");
    id = make(w, &w->a, "burnt", NULL, 0, 0, &text);
    tap_ok(mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK &&
               mine_burn(&w->a, &row) == STORE_OK &&
               last_is(w, &w->a, "token-revoked", id, "by the token itself"),
           "a token ends itself");
    tap_ok(mine_burn(&w->a, &row) == STORE_CONFLICT, "  once");
}

static void states(void)
{
    store_token_t row = {.expires = kit_time};

    tap_ok(kit_is(mine_state(&row, kit_time - 1), "live") &&
               kit_is(mine_state(&row, kit_time), "expired"),
           "a token is good until the second of its end");
    row.user_disabled = 1;
    tap_ok(kit_is(mine_state(&row, kit_time - 1), "disabled"), "not while its owner is disabled");
    row.revoked = 1;
    tap_ok(kit_is(mine_state(&row, kit_time - 1), "revoked"), "nor when it was revoked");
}

static int count_projects(void *baton, const store_project_t *row, store_role_t role)
{
    *(int *)baton += role == STORE_ROLE_OWNER && strcmp(row->norm, "third") != 0 ? 1 : 100;
    return 0;
}

static void projects(const world_t *w)
{
    mine_t nobody = w->a;
    int n = 0;

    tap_ok(mine_projects(&w->a, count_projects, &n, w->pool) == STORE_OK && n == 2,
           "the projects are those with a role");
    nobody.user = "of the other login alone";
    n = 0;
    tap_ok(mine_projects(&nobody, count_projects, &n, w->pool) == STORE_OK && n == 0,
           "without an account there are none, and that is no error");
}

/* ---- rotation ---- */

static const char *turn(const world_t *w, const mine_t *mine, const char *id, const char *overlap,
                        rotate_t *made, store_rc_t *rc)
{
    rotate_request_t request = {.service = "index.test", .by = mine->user, .overlap = overlap};
    store_token_t old;

    return mine_rotate(mine, slice_of(id), &old, made, &request, rc, w->pool);
}

static void rotated(const world_t *w)
{
    static const char *const names[] = {"Demo", "two"};
    char *text;
    const char *id = make(w, &w->a, "ci", names, 2, kit_time + 7200, &text);
    store_token_t old, row;
    rotate_t made;
    store_rc_t rc;

    tap_ok(turn(w, &w->b, id, NULL, &made, &rc) && rc == STORE_NOTFOUND,
           "another's token is not rotated");
    kit_time += 3600;
    tap_ok(!turn(w, &w->a, id, "10m", &made, &rc) && rc == STORE_OK && strcmp(made.text, text) &&
               made.until == kit_time + 600,
           "one's own is, and the old one is good for the overlap");
    tap_ok(mine_token(&w->a, slice_of(made.issued.id), &row, w->pool) == STORE_OK &&
               kit_is(row.name, "ci") && kit_is(row.scope, "demo two") &&
               row.expires == kit_time + 7200,
           "  the new one has its name, its projects and its span");
    tap_ok(mine_token(&w->a, slice_of(id), &old, w->pool) == STORE_OK &&
               old.expires == kit_time + 600 && !old.revoked,
           "  the old one's end is in its row");
    tap_ok(last_is(w, &w->a, "token-rotated", id, rotate_detail_old(&made, w->pool)),
           "  and on record");
    id = made.issued.id;
    tap_ok(!turn(w, &w->a, id, "0", &made, &rc) && !made.until &&
               mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK && row.revoked &&
               kit_has(rotate_detail_old(&made, w->pool), "revoked at once"),
           "without an overlap the old one is revoked");
    tap_ok(turn(w, &w->a, id, NULL, &made, &rc) && rc == STORE_CONFLICT && !made.text,
           "  and not rotated any more");
    kit_time += 600;
    tap_ok(turn(w, &w->a, old.id, NULL, &made, &rc) && rc == STORE_CONFLICT,
           "nor is one whose time is over");
    id = make(w, &w->a, "short", NULL, 0, kit_time + 60, &text);
    tap_ok(!turn(w, &w->a, id, "2h", &made, &rc) && made.until == kit_time + 60,
           "an overlap does not make a token live longer");
    id = make(w, &w->a, "spans", NULL, 0, 0, &text);
    tap_ok(turn(w, &w->a, id, "31d", &made, &rc) && turn(w, &w->a, id, "-1h", &made, &rc) &&
               turn(w, &w->a, id, "", &made, &rc) && turn(w, &w->a, id, "soon", &made, &rc) &&
               rc == STORE_CONFLICT && mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK &&
               !row.expires,
           "what is no span of at most 30 days changes nothing");
}

static int count_live(void *baton, const store_token_t *row)
{
    *(int *)baton += !row->revoked;
    return 0;
}

/* The row changed after it was read: whoever comes second has made nothing. */
static void raced(const world_t *w)
{
    rotate_request_t request = {.service = "index.test", .by = "alice"};
    char *text;
    const char *id = make(w, &w->a, "raced", NULL, 0, 0, &text);
    store_token_t seen;
    rotate_t made;
    store_rc_t rc;
    int before = 0, after = 0;

    if (mine_token(&w->a, slice_of(id), &seen, w->pool) != STORE_OK ||
        rotate_token(&made, w->store, &kit_seam, &seen, &request, &rc, w->pool)) {
        abort();
    }
    store_token_list(w->store, "alice", NULL, count_live, &before);
    tap_ok(kit_has(rotate_token(&made, w->store, &kit_seam, &seen, &request, &rc, w->pool),
                   "Somebody else") &&
               rc == STORE_CONFLICT && !made.text,
           "of two that read the same row one rotates it");
    store_token_list(w->store, "alice", NULL, count_live, &after);
    tap_ok(before == after, "  and the other leaves no live token: %d, %d", before, after);
    request.overlap = "0";
    rotate_token(&made, w->store, &kit_seam, &seen, &request, &rc, w->pool);
    tap_ok(rotate_token(&made, w->store, &kit_seam, &seen, &request, &rc, w->pool) &&
               rc == STORE_CONFLICT && !made.text,
           "  without an overlap, too");
}

/* ---- use ---- */

/* What a client says of itself is bytes. */
static void used(const world_t *w)
{
    char *text;
    const char *id = make(w, &w->a, "used", NULL, 0, 0, &text);
    store_event_t event = {.kind = "upload",
                           .user = "alice",
                           .token_id = id,
                           .address = "192.0.2.7",
                           .agent = "t\xffwine",
                           .file = "demo-1.0.tar.gz"};
    store_token_t row;

    tap_ok(mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK && !row.used &&
               store_use(w->store, &event, &row) == STORE_OK && store_flush(w->store) == STORE_OK &&
               mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK && row.used &&
               kit_is(row.used_agent, "t?wine") && kit_is(row.used_address, "192.0.2.7"),
           "a token is told with its last use, whatever the client called itself");
}

/* ---- found in public ---- */

/* One whose text ends in a character of a word's or a line's end: every 32nd does. */
static const char *make_ending(const world_t *w, char **text)
{
    const char *id;

    do {
        id = make(w, &w->a, "ends so", NULL, 0, 0, text);
    } while (!strchr("-_", (*text)[strlen(*text) - 1]));
    return id;
}

static leak_t looked(const world_t *w, const char *text, const char *id)
{
    store_token_t row = {0};
    leak_t leak = leak_look(w->store, slice_of(text), &row, w->pool);

    return leak == LEAK_REVOKED && !kit_is(row.id, id) ? LEAK_STRANGE : leak;
}

static long peak_kb(void)
{
    struct rusage used;

    return getrusage(RUSAGE_SELF, &used) == 0 ? used.ru_maxrss : -1;
}

/* Underlines, arrows and padding behind a token, more than a token can be long. */
static void tails(const world_t *w)
{
    static const char *const ends[] = {"", "-", "=", "==", "--", "__ ", "-=-_=", "_-_-_-_-_-_-\n"};
    char *text, *dashes = apr_palloc(w->pool, 50001);
    const char *id = make_ending(w, &text);
    apr_size_t i;
    long before, after;

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        tap_ok(looked(w, apr_pstrcat(w->pool, text, ends[i], NULL), id) == LEAK_REVOKED,
               "a token that ends in %c is found before tail %d", text[strlen(text) - 1], (int)i);
    }
    memset(dashes, '-', 50000);
    dashes[50000] = '\0';
    tap_ok(looked(w, apr_pstrcat(w->pool, text, dashes, NULL), id) == LEAK_REVOKED,
           "  and before 50,000 dashes");
    before = peak_kb();
    dashes[TOKEN_MAX_CHARS] = '\0';
    memcpy(dashes, TOKEN_PREFIX, strlen(TOKEN_PREFIX));
    tap_ok(looked(w, dashes, "") == LEAK_STRANGE, "  dashes alone are none");
    after = peak_kb();
    tap_ok(after - before < 20000,
           "  and do not cost as many parsings as there are of them: %ld KB", after - before);
}

/* ---- administrators ---- */

static void administered(const world_t *w)
{
    char *text, *bare;
    const char *id = make(w, &w->a, "found", NULL, 0, 0, &text);
    const char *other = make(w, &w->a, "seen", NULL, 0, 0, &bare);
    store_token_t row;
    store_user_t user;

    tap_ok(admin_user(&w->root, slice_of("alice"), &user, w->pool) == STORE_OK &&
               strcmp(user.id, w->alice.id) == 0,
           "an administrator sees an account");
    tap_ok(admin_token(&w->root, slice_of(id), &row, w->pool) == STORE_OK &&
               kit_is(row.user_name, "alice") &&
               admin_token(&w->root, slice_of("no-uuid"), &row, w->pool) == STORE_NOTFOUND,
           "and a token of anybody's");
    tap_ok(admin_leak(&w->root, slice_of(text), 0, &row, w->pool) == LEAK_REVOKED &&
               kit_is(row.id, id) &&
               admin_token(&w->root, slice_of(id), &row, w->pool) == STORE_OK && !row.revoked,
           "one that was found is looked up without being revoked");
    tap_ok(admin_leak(&w->root, slice_of(text), 1, &row, w->pool) == LEAK_REVOKED &&
               admin_token(&w->root, slice_of(id), &row, w->pool) == STORE_OK && row.revoked &&
               kit_is(row.revoked_by, "bob"),
           "or revoked, by the administrator");
    tap_ok(admin_leak(&w->root, slice_of(text), 1, &row, w->pool) == LEAK_BEFORE, "  once");
    tap_ok(admin_revoke(&w->b, slice_of(other), &row, w->pool) == STORE_NOTFOUND &&
               mine_token(&w->a, slice_of(other), &row, w->pool) == STORE_OK && !row.revoked,
           "nobody else revokes another's");
    tap_ok(admin_revoke(&w->root, slice_of(other), &row, w->pool) == STORE_OK &&
               last_is(w, &w->root, "token-revoked", other, "of alice"),
           "an administrator does, and is on record");
    tap_ok(admin_revoke(&w->root, slice_of(other), &row, w->pool) == STORE_CONFLICT, "  once");
    tap_ok(admin_logout(&w->root, &w->alice) == STORE_OK &&
               last_is(w, &w->root, "user-logout", "-", "user alice"),
           "and ends what a person is signed in to");
    last_text[0] = '\0';
    tap_ok(admin_events(&w->root, "alice", NULL, NULL, 1, last_row, NULL) == STORE_OK &&
               kit_has(last_text, " alice "),
           "and reads the record of anybody");
    last_text[0] = '\0';
    tap_ok(admin_events(&w->b, "alice", NULL, NULL, 1, last_row, NULL) == STORE_NOTFOUND &&
               !*last_text,
           "  which nobody else does");
}

/* ---- what code hosts send ---- */

static void disclosed(const world_t *w)
{
    static const char *const bodies[] = {
        "", "{}", "[1]", "[{}]", "[{\"token\":1}]", "[{\"token\":\"a\"},{\"url\":\"b\"}]"};
    const char *id, *body, *many = "";
    verdict_t v = {0};
    store_token_t row;
    char *text;
    size_t i;
    int n = 0, revoked = 0;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        n += disclose_revoke(w->store, slice_of(bodies[i]), NULL, &revoked, &v, w->pool) ==
             VERDICT_API_BODY;
    }
    tap_ok(n == (int)i && !revoked, "a disclosure that is no list of tokens is refused: %d", n);
    id = make(w, &w->a, "told", NULL, 0, 0, &text);
    for (i = 0; i < DISCLOSE_RECORDS; i++) {
        many = apr_pstrcat(w->pool, many, "{\"token\":\"x\"},", NULL);
    }
    body = apr_pstrcat(w->pool, "[", many, "{\"token\":\"", text, "\"}]", NULL);
    tap_ok(disclose_revoke(w->store, slice_of(body), NULL, &revoked, &v, w->pool) ==
                   VERDICT_API_SIZE &&
               !revoked && mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK &&
               !row.revoked,
           "so is one of too many, whole");
    body = apr_psprintf(w->pool, "[{\"token\":\"%s\",\"source\":\"content\"}]", text);
    tap_ok(disclose_revoke(w->store, slice_of(body), "192.0.2.9", &revoked, &v, w->pool) ==
                   VERDICT_ALLOWED &&
               revoked == 1 && mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_OK &&
               row.revoked,
           "one of ours is revoked");
}

/* ---- the database is away, or there are no random bytes ---- */

static void unlucky(const world_t *w)
{
    enroll_codes_t codes, none;

    memset(none, 0, sizeof(none));
    memset(codes, 'x', sizeof(codes));
    kit_random_fails = 1;
    tap_ok(enroll_recovery(codes, w->store, &kit_seam, w->alice.id) == ENROLL_DOWN &&
               memcmp(codes, none, sizeof(codes)) == 0,
           "without random bytes there are no recovery codes, and none are shown");
    kit_random_fails = 0;
}

static store_rc_t not_made(const world_t *w, apr_size_t n)
{
    static const char *const names[] = {"demo"};
    issue_request_t request = {"index.test", NULL, "", names, n, 0, NULL, NULL};
    issue_t made = {0};
    store_rc_t rc;
    char *text = NULL;

    return mine_issue(&w->a, &text, &made, &request, NULL, &rc, w->pool) && !text ? rc : STORE_OK;
}

static void down(const world_t *w, const kit_t *kit)
{
    char *text;
    const char *id = make(w, &w->a, "last", NULL, 0, 0, &text);
    store_token_t row;
    rotate_t made;
    store_rc_t rc;
    team_t team;

    kit_edit(kit->db, "ALTER TABLE tokens RENAME TO gone");
    tap_ok(mine_token(&w->a, slice_of(id), &row, w->pool) == STORE_DOWN &&
               mine_revoke(&w->a, slice_of(id), &row, w->pool) == STORE_DOWN &&
               admin_revoke(&w->root, slice_of(id), &row, w->pool) == STORE_DOWN,
           "a database that does not answer is not taken for a token that is not there");
    tap_ok(turn(w, &w->a, id, NULL, &made, &rc) && rc == STORE_DOWN && !made.text,
           "  nor in a rotation");
    tap_ok(admin_leak(&w->root, slice_of(text), 1, &row, w->pool) == LEAK_DOWN,
           "  nor is a token that was found said to be a stranger's");
    tap_ok(not_made(w, 0) == STORE_DOWN, "no token is told that could not be written");
    if (team_find(&team, &w->a, slice_of("demo"), w->pool) != STORE_OK) {
        abort();
    }
    kit_edit(kit->db, "ALTER TABLE projects RENAME TO away");
    tap_ok(not_made(w, 1) == STORE_DOWN, "nor when its project cannot be looked up");
    kit_edit(kit->db, "ALTER TABLE users RENAME TO nobody");
    tap_ok(not_made(w, 0) == STORE_DOWN, "nor when its owner cannot");
    tap_ok(kit_has(team_set(&w->a, &team, slice_of("bob"), STORE_ROLE_OWNER, &rc, w->pool),
                   "cannot be used") &&
               rc == STORE_DOWN,
           "and nobody is said to be no user");
}

int main(void)
{
    world_t w = {0};
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    world_make(&w, &kit);
    made(&w);
    revoked(&w);
    states();
    projects(&w);
    rotated(&w);
    raced(&w);
    used(&w);
    tails(&w);
    administered(&w);
    disclosed(&w);
    unlucky(&w);
    down(&w, &kit);
    return kit_end(&kit);
}
