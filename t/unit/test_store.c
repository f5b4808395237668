/* test_store.c - every operation of the store, over SQLite or a server. */
#include "store_kit.h"

#define ID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define NONE "00000000-0000-4000-8000-000000000000"

static store_t *s;
static apr_pool_t *p;
static char names[4096]; /* what a list yielded */

static void note(const char *what)
{
    apr_size_t n = strlen(names);

    apr_snprintf(names + n, sizeof(names) - n, "%s;", what);
}

static int listed(const char *expected)
{
    int same = kit_is(names, expected);

    if (!same) {
        printf("# %s\n# %s\n", names, expected);
    }
    names[0] = '\0';
    return same;
}

static int on_user(void *baton, const store_user_t *row)
{
    note(row->name);
    return baton != NULL;
}

static int on_project(void *baton, const store_project_t *row)
{
    (void)baton;
    note(row->norm);
    return 0;
}

static int on_role(void *baton, const char *user, store_role_t role)
{
    (void)baton;
    note(user);
    note(role == STORE_ROLE_OWNER ? "owner" : role == STORE_ROLE_MAINTAINER ? "maintainer" : "?");
    return 0;
}

static int on_token(void *baton, const store_token_t *row)
{
    note(row->name);
    return baton != NULL;
}

static int on_event(void *baton, const store_event_t *row)
{
    note(row->kind);
    *(apr_int64_t *)baton = row->id;
    return 0;
}

/* ---- opening and schema ---- */

static void opening(kit_t *kit)
{
    static const char *const urls[] = {"", "sqlite", "sqlite:", "oracle:x", "/x.db", NULL};
    store_config_t config = kit->config;
    store_schema_t schema;
    store_t *t;
    int i;

    for (i = 0; i < 6; i++) {
        config.url = urls[i];
        tap_ok(kit_has(store_open(&t, &config, p), "write sqlite:/path") && !t, "URL '%s'",
               urls[i] ? urls[i] : "(null)");
    }
    config = kit->init;
    tap_ok(kit_has(store_open(&t, &config, p), kit->keyring), "the keyring is looked at first");
    config.keyring = NULL;
    tap_ok(kit_has(store_open(&t, &config, p), "pypitokenctl init"), "no database");
    tap_ok(kit_mysql || store_open_any(&t, &config, 0, p) != NULL,
           "  and open_any makes none unasked");
    tap_ok(!store_open_any(&t, &config, 1, p), "  but if asked");
    tap_ok(store_schema(t, &schema) == STORE_OK && schema.have == 0 && schema.want > 0,
           "it is empty");
    tap_ok(kit_has(store_open(&t, &config, p), "is empty; run 'pypitokenctl init'"),
           "  and serves nobody");
    kit_make(kit);
    tap_ok(!store_open_any(&t, &config, 0, p) && store_schema(t, &schema) == STORE_OK &&
               schema.have == schema.want && !store_migrate(t, p),
           "the schema is there, migrating again does nothing");
    kit_edit(kit->db, "INSERT INTO schema_version VALUES (1000, 1000, 0)");
    tap_ok(kit_has(store_open(&t, &config, p), "newer version"), "a newer schema is refused");
    tap_ok(!store_open_any(&t, &config, 0, p) && kit_has(store_migrate(t, p), "newer version"),
           "  and not migrated");
    kit_edit(kit->db, "DELETE FROM schema_version WHERE version > 900; "
                      "UPDATE schema_version SET version = -version "
                      "WHERE version = (SELECT MAX(version) FROM schema_version)");
    tap_ok(kit_has(store_open(&t, &config, p), "run 'pypitokenctl "), "an older schema is refused");
    kit_edit(kit->db, "UPDATE schema_version SET version = -version WHERE version < 0");
    s = kit_open(kit, NULL, p);
}

/* ---- people and projects ---- */

static void users(void)
{
    store_token_t token;
    store_user_t a, u;

    tap_ok(store_user_add(s, "bob", NULL, NULL, p) == STORE_OK &&
               store_user_add(s, "alice", "$hash$", &a, p) == STORE_OK && a.has_password &&
               a.created == kit_time && strlen(a.id) == 36 && a.id[14] == '4',
           "two users");
    tap_ok(store_user_add(s, "bob", NULL, &u, p) == STORE_CONFLICT && !u.id, "a name twice");
    tap_ok(store_user_find(s, slice_of("alice"), &u, p) == STORE_OK && kit_is(u.id, a.id) &&
               kit_is(u.name, "alice") && !u.disabled && u.has_password && u.created == kit_time,
           "find");
    tap_ok(store_user_find(s, slice_of("Alice"), &u, p) == STORE_NOTFOUND && !u.id, "by case");
    tap_ok(store_user_find(s, slice_make("alice\0x", 7), &u, p) == STORE_NOTFOUND &&
               store_user_find(s, slice_make("alice", 0), &u, p) == STORE_NOTFOUND,
           "bytes count, and their number");
    tap_ok(store_user_find(s, slice_of("x' OR '1' = '1"), &u, p) == STORE_NOTFOUND, "quotes");
    tap_ok(store_user_find(s, slice_of("alice "), &u, p) == STORE_NOTFOUND &&
               store_user_find(s, slice_of("al\xcc\x81ice"), &u, p) == STORE_NOTFOUND &&
               store_user_find(s, slice_of("\xc3\xa1lice"), &u, p) == STORE_NOTFOUND,
           "blanks and accents count");
    tap_ok(store_user_find(s, slice_of("alice\xff"), &u, p) == STORE_NOTFOUND && !u.id &&
               store_user_set_disabled(s, "\xff", 1) == STORE_NOTFOUND &&
               store_token_find(s, slice_of("\xc3("), &token, NULL, p) == STORE_NOTFOUND,
           "what is no text is nobody's name, and no outage");
    tap_ok(store_user_add(s, "\xf0\x9f\x90\x8d", NULL, NULL, p) == STORE_OK &&
               store_user_find(s, slice_of("\xf0\x9f\x90\x8d"), &u, p) == STORE_OK &&
               kit_is(u.name, "\xf0\x9f\x90\x8d") && store_user_remove(s, u.id) == STORE_OK,
           "every character can be stored");
    tap_ok(store_user_list(s, on_user, NULL) == STORE_OK && listed("alice;bob;"), "list");
    tap_ok(store_user_list(s, on_user, s) == STORE_OK && listed("alice;"), "  can be stopped");
    tap_ok(kit_is(kit_hash(s, a.name, p), "$hash$"), "hash");
    tap_ok(store_user_set_hash(s, a.id, NULL) == STORE_OK && !kit_hash(s, a.name, p), "  removed");
    tap_ok(store_user_set_hash(s, a.id, "2") == STORE_OK && kit_is(kit_hash(s, a.name, p), "2"),
           "  replaced");
    tap_ok(store_user_set_hash(s, NONE, "x") == STORE_NOTFOUND &&
               store_user_set_disabled(s, NONE, 1) == STORE_NOTFOUND &&
               store_user_remove(s, NONE) == STORE_NOTFOUND,
           "nobody");
    tap_ok(store_user_set_disabled(s, a.id, 5) == STORE_OK &&
               store_user_find(s, slice_of("alice"), &u, p) == STORE_OK && u.disabled == 1 &&
               store_user_set_disabled(s, a.id, 0) == STORE_OK &&
               store_user_find(s, slice_of("alice"), &u, p) == STORE_OK && !u.disabled,
           "disabled and enabled");
    kit_random_fails = 1;
    tap_ok(store_user_add(s, "carol", NULL, &u, p) == STORE_DOWN && kit_has(kit_line, "random"),
           "no random bytes, no user");
    kit_random_fails = 0;
    tap_ok(store_user_find(s, slice_of("carol"), &u, p) == STORE_NOTFOUND, "  none at all");
}

static void projects(void)
{
    store_user_t alice, bob;
    store_project_t x, y, got;
    store_role_t role;

    (void)store_user_find(s, slice_of("alice"), &alice, p);
    (void)store_user_find(s, slice_of("bob"), &bob, p);
    tap_ok(store_project_add(s, "My.Project", "my-project", alice.id, 1, &x, p) == STORE_OK &&
               kit_is(x.name, "My.Project") && x.confirmed && x.created == kit_time,
           "a project");
    tap_ok(store_project_add(s, "my_project", "my-project", bob.id, 1, &got, p) == STORE_CONFLICT &&
               !got.id,
           "  of that normalised name there is one");
    tap_ok(store_project_add(s, "z", "z", NONE, 1, NULL, p) == STORE_CONFLICT &&
               store_project_find(s, "z", &got, p) == STORE_NOTFOUND,
           "an owner that is not there: no project at all");
    tap_ok(store_project_add(s, "Free", "free", NULL, 1, NULL, p) == STORE_OK, "without owner");
    tap_ok(store_project_add(s, "new", "new", bob.id, 0, &y, p) == STORE_OK && !y.confirmed,
           "one that an upload claims");
    tap_ok(store_project_find(s, "my-project", &got, p) == STORE_OK && kit_is(got.id, x.id) &&
               kit_is(got.name, "My.Project") && kit_is(got.norm, "my-project"),
           "find");
    tap_ok(store_project_role(s, "my-project", alice.id, &got, &role, p) == STORE_OK &&
               role == STORE_ROLE_OWNER && kit_is(got.id, x.id),
           "its owner");
    tap_ok(store_project_role(s, "my-project", bob.id, &got, &role, p) == STORE_OK &&
               role == STORE_ROLE_NONE && got.id &&
               store_project_role(s, "my-project", NULL, &got, &role, p) == STORE_OK &&
               role == STORE_ROLE_NONE,
           "somebody else, nobody");
    tap_ok(store_project_role(s, "nope", bob.id, &got, &role, p) == STORE_NOTFOUND && !got.id,
           "no project");
    tap_ok(store_project_list(s, NULL, on_project, NULL) == STORE_OK &&
               listed("free;my-project;new;") &&
               store_project_list(s, bob.id, on_project, NULL) == STORE_OK && listed("new;"),
           "list");
    tap_ok(store_role_set(s, x.id, bob.id, STORE_ROLE_MAINTAINER) == STORE_OK &&
               store_role_list(s, x.id, on_role, NULL) == STORE_OK &&
               listed("alice;owner;bob;maintainer;"),
           "a maintainer");
    tap_ok(store_project_list(s, bob.id, on_project, NULL) == STORE_OK && listed("new;"),
           "  owns nothing by that");
    tap_ok(store_role_set(s, x.id, bob.id, STORE_ROLE_OWNER) == STORE_OK &&
               store_project_role(s, "my-project", bob.id, &got, &role, p) == STORE_OK &&
               role == STORE_ROLE_OWNER,
           "  becomes an owner");
    tap_ok(store_role_set(s, NONE, bob.id, STORE_ROLE_OWNER) == STORE_CONFLICT &&
               store_role_set(s, x.id, NONE, STORE_ROLE_OWNER) == STORE_CONFLICT,
           "roles need both sides");
    tap_ok(store_role_remove(s, x.id, bob.id) == STORE_OK &&
               store_role_remove(s, x.id, bob.id) == STORE_NOTFOUND,
           "a role goes once");
    tap_ok(store_project_abandon(s, x.id, 1) == STORE_NOTFOUND, "a confirmed project stays");
    tap_ok(store_project_abandon(s, y.id, 1) == STORE_OK &&
               store_project_find(s, "new", &got, p) == STORE_NOTFOUND &&
               store_project_confirm(s, y.id) == STORE_NOTFOUND,
           "a claimed one can be abandoned");
    tap_ok(store_project_add(s, "new", "new", bob.id, 0, &y, p) == STORE_OK &&
               store_project_confirm(s, y.id) == STORE_OK &&
               store_project_confirm(s, y.id) == STORE_OK &&
               store_project_abandon(s, y.id, 1) == STORE_NOTFOUND &&
               store_project_find(s, "new", &got, p) == STORE_OK && got.confirmed,
           "  or confirmed");
    tap_ok(store_user_remove(s, bob.id) == STORE_CONFLICT, "an owner stays");
    tap_ok(store_project_remove(s, y.id) == STORE_OK &&
               store_project_remove(s, y.id) == STORE_NOTFOUND,
           "a project goes with its roles, once");
    tap_ok(store_role_set(s, x.id, bob.id, STORE_ROLE_MAINTAINER) == STORE_OK &&
               store_user_remove(s, bob.id) == STORE_OK &&
               store_role_list(s, x.id, on_role, NULL) == STORE_OK && listed("alice;owner;"),
           "a maintainer can go");
    tap_ok(store_user_add(s, "bob", NULL, NULL, p) == STORE_OK, "bob comes back");
}

/* ---- tokens ---- */

static const slice_t caveats[] = {SLICE("[1,[\"a\"]]"), SLICE("\0bin\xff\0"), SLICE("")};

static store_token_t token_of(const char *id, const char *user_id, const char *name,
                              const char *scope)
{
    store_token_t t = {0};

    t.id = id;
    t.user_id = user_id;
    t.name = name;
    t.scope = scope;
    return t;
}

static void tokens(void)
{
    unsigned char key[MACAROON_KEY_BYTES], got[MACAROON_KEY_BYTES];
    store_user_t alice, bob;
    store_token_t t, row;

    (void)store_user_find(s, slice_of("alice"), &alice, p);
    (void)store_user_find(s, slice_of("bob"), &bob, p);
    randombytes_buf(key, sizeof(key));
    t = token_of(ID_A, alice.id, "ci", "a  b a");
    t.caveats = (slice_t *)caveats;
    t.n_caveats = 3;
    t.expires = kit_time + 100;
    t.created = 5;
    tap_ok(store_token_add(s, &t, key, p) == STORE_OK, "a token");
    tap_ok(store_token_add(s, &t, key, p) == STORE_CONFLICT, "  of that id there is one");
    kit_time++;
    t = token_of(ID_B, bob.id, "all", STORE_SCOPE_ALL);
    tap_ok(store_token_add(s, &t, key, p) == STORE_OK, "another");
    t = token_of(NONE, NONE, "", STORE_SCOPE_ALL);
    tap_ok(store_token_add(s, &t, key, p) == STORE_CONFLICT, "nobody's");
    tap_ok(store_token_find(s, slice_of(ID_A), &row, got, p) == STORE_OK &&
               sodium_memcmp(key, got, sizeof(key)) == 0,
           "its key comes back");
    tap_ok(kit_is(row.id, ID_A) && kit_is(row.user_id, alice.id) &&
               kit_is(row.user_name, "alice") && kit_is(row.name, "ci") &&
               kit_is(row.scope, "a  b a") && row.created == kit_time - 1 &&
               row.expires == kit_time + 99 && !row.revoked && !row.revoked_by && !row.used &&
               !row.used_address && !row.used_agent && !row.used_file && !row.user_disabled,
           "  and all else");
    tap_ok(row.n_caveats == 3 && slice_equal(row.caveats[0], caveats[0]) &&
               slice_equal(row.caveats[1], caveats[1]) && slice_equal(row.caveats[2], caveats[2]),
           "  and its caveats, byte by byte");
    tap_ok(store_token_find(s, slice_of(ID_B), &row, NULL, p) == STORE_OK && row.n_caveats == 0,
           "without the key");
    memset(got, 'x', sizeof(got));
    tap_ok(store_token_find(s, slice_of(NONE), &row, got, p) == STORE_NOTFOUND && !row.id &&
               sodium_is_zero(got, sizeof(got)) &&
               store_token_find(s, slice_make(ID_A, 35), &row, got, p) == STORE_NOTFOUND &&
               store_token_find(s, slice_make(ID_A "\0", 37), &row, got, p) == STORE_NOTFOUND &&
               store_token_find(s, slice_make(NULL, 0), &row, got, p) == STORE_NOTFOUND,
           "ids that are not there");
    tap_ok(store_token_list(s, NULL, NULL, on_token, NULL) == STORE_OK && listed("all;ci;"),
           "newest first");
    tap_ok(store_token_list(s, NULL, NULL, on_token, s) == STORE_OK && listed("all;"), "stopped");
    tap_ok(store_token_list(s, "alice", NULL, on_token, NULL) == STORE_OK && listed("ci;") &&
               store_token_list(s, NULL, "b", on_token, NULL) == STORE_OK && listed("ci;") &&
               store_token_list(s, "bob", "b", on_token, NULL) == STORE_OK && listed("") &&
               store_token_list(s, NULL, STORE_SCOPE_ALL, on_token, NULL) == STORE_OK && listed(""),
           "by user and project");
    tap_ok(store_user_set_disabled(s, bob.id, 1) == STORE_OK &&
               store_token_find(s, slice_of(ID_B), &row, got, p) == STORE_OK && row.user_disabled,
           "a disabled owner shows");
    tap_ok(store_user_remove(s, bob.id) == STORE_CONFLICT, "an owner of live tokens stays");
    tap_ok(store_token_revoke(s, slice_of(ID_B), "cli:root") == STORE_OK &&
               store_token_find(s, slice_of(ID_B), &row, got, p) == STORE_OK &&
               row.revoked == kit_time && kit_is(row.revoked_by, "cli:root"),
           "a revocation");
    tap_ok(store_token_revoke(s, slice_of(ID_B), "x") == STORE_NOTFOUND &&
               store_token_revoke(s, slice_of(NONE), "x") == STORE_NOTFOUND,
           "  happens once");
    tap_ok(store_user_remove(s, bob.id) == STORE_OK &&
               store_token_find(s, slice_of(ID_B), &row, got, p) == STORE_NOTFOUND,
           "  and then the user can go, with dead tokens");
    kit_random_fails = 1;
    t = token_of(ID_B, alice.id, "", STORE_SCOPE_ALL);
    tap_ok(store_token_add(s, &t, key, p) == STORE_DOWN &&
               store_token_find(s, slice_of(ID_B), &row, NULL, p) == STORE_NOTFOUND,
           "no random bytes, no token");
    kit_random_fails = 0;
}

/* ---- events ---- */

static void events(void)
{
    static char longer[300];
    store_event_t e = {0};
    apr_int64_t last = 0, first, two;
    store_token_t row;

    e.kind = "one";
    e.user = "alice";
    e.project = "a";
    tap_ok(store_event_add(s, &e) == STORE_OK, "an event");
    e.kind = "two";
    e.at = kit_time + 10;
    e.user = NULL;
    tap_ok(store_event_add(s, &e) == STORE_OK, "  of another time");
    tap_ok(store_event_list(s, NULL, NULL, 0, 0, on_event, &last) == STORE_OK && listed("one;two;"),
           "oldest first");
    two = last;
    tap_ok(store_event_list(s, NULL, NULL, kit_time + 1, 0, on_event, &last) == STORE_OK &&
               listed("two;") &&
               store_event_list(s, NULL, NULL, 0, two - 1, on_event, &last) == STORE_OK &&
               listed("two;") &&
               store_event_list(s, NULL, NULL, 0, two, on_event, &last) == STORE_OK && listed("") &&
               store_event_list(s, NULL, NULL, kit_time + 11, 0, on_event, &last) == STORE_OK &&
               listed(""),
           "since and after");
    tap_ok(store_event_list(s, "alice", NULL, 0, 0, on_event, &last) == STORE_OK &&
               listed("one;") &&
               store_event_list(s, NULL, "a", 0, 0, on_event, &last) == STORE_OK &&
               listed("one;two;") &&
               store_event_list(s, "alice", "b", 0, 0, on_event, &last) == STORE_OK && listed(""),
           "by user and project");
    e = (store_event_t){.at = kit_time + 50,
                        .kind = "upload",
                        .token_id = ID_A,
                        .file = "f",
                        .address = "::1",
                        .agent = "twine"};
    tap_ok(store_use(s, &e, NULL) == STORE_OK &&
               store_token_find(s, slice_of(ID_A), &row, NULL, p) == STORE_OK &&
               row.used == kit_time + 50 && kit_is(row.used_address, "::1") &&
               kit_is(row.used_agent, "twine") && kit_is(row.used_file, "f"),
           "a use");
    e.at = kit_time + 49;
    e.file = "g";
    e.kind = "late";
    tap_ok(store_use(s, &e, NULL) == STORE_OK &&
               store_token_find(s, slice_of(ID_A), &row, NULL, p) == STORE_OK &&
               row.used == kit_time + 50 && kit_is(row.used_file, "f"),
           "an older use does not replace it");
    e = (store_event_t){.kind = "plain"};
    memset(longer, 'x', 254);
    memcpy(longer + 254, "\xc3\xa4z", 4);
    e.agent = longer;
    first = last = 0;
    tap_ok(store_use(s, &e, NULL) == STORE_OK && store_cut(longer).s.n == 254,
           "a use without token");
    tap_ok(store_event_list(s, NULL, NULL, 0, first, on_event, &last) == STORE_OK &&
               listed("one;two;upload;late;plain;") && last > two,
           "all are among the events");
}

static void tidy(kit_t *kit)
{
    const char *wal = apr_pstrcat(kit->pool, kit->db, "-wal", NULL);
    store_event_t e = {.kind = "filler", .detail = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    struct stat before, after, db, full;
    int i;

    stat(kit->db, &db);
    /* more than a log that is tidied, less than one that is cut (16 MiB) */
    for (i = 0; i < 700; i++) {
        (void)store_event_add(s, &e);
    }
    tap_ok(!stat(wal, &before) && before.st_size > 4000000 && !stat(kit->db, &full) &&
               full.st_size == db.st_size && full.st_mtime == db.st_mtime,
           "commits touch the log only");
    store_tick(s);
    tap_ok(!stat(kit->db, &full) && full.st_size > db.st_size, "tidying moves it");
    for (i = 0; i < 300; i++) {
        (void)store_event_add(s, &e);
    }
    tap_ok(!stat(wal, &after) && after.st_size == before.st_size, "  and the log begins anew");
    store_tick(s);
}

/* Where a list goes on is the client's word. */
static void cursors(void)
{
    static const char *const none[] = {"",      "-",   "1",    "1-",   "-1",    "--1", "1--2",
                                       "1-2-3", "1 2", "1-2 ", "+1-2", "1-0x2", "a-b", "1-2\n"};
    const store_cursor_t here = {1795576894, 42};
    store_cursor_t read;
    apr_size_t i;

    tap_ok(store_cursor_read(&read, slice_of(store_cursor_text(&here, p)), p) == 0 &&
               read.at == here.at && read.id == here.id,
           "a cursor is read as it was written");
    for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
        tap_ok(store_cursor_read(&read, slice_of(none[i]), p) == -1, "no cursor: row %d", (int)i);
    }
    tap_ok(store_cursor_read(&read, slice_make("1-2\0", 4), p) == -1, "nor one with a NUL");
    tap_ok(store_cursor_read(&read, slice_of("99999999999999999999-1"), p) == 0 &&
               read.at == APR_INT64_MAX,
           "a time beyond all times is the last");
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    apr_pool_create(&p, kit.pool);
    opening(&kit);
    users();
    projects();
    tokens();
    events();
    cursors();
    if (!kit_mysql) {
        tidy(&kit);
    }
    apr_pool_destroy(p);
    return kit_end(&kit);
}
