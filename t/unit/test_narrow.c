/* test_narrow.c - narrower tokens over a store: words into caveats, counted uses, caveats put on a
 * token that is in the field. */
#include "store_kit.h"

#include <apr_thread_proc.h>

#include "access/issue.h"
#include "access/narrow.h"
#include "access/policy.h"
#include "access/permit.h"
#include "core/project.h"

#define THREADS 50

typedef struct world_t {
    kit_t kit;
    store_t *s;
    apr_pool_t *pool;
} world_t;

static const apr_array_header_t *list(world_t *w, const char *a, const char *b)
{
    apr_array_header_t *l = apr_array_make(w->pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(l, const char *) = a;
    if (b) {
        APR_ARRAY_PUSH(l, const char *) = b;
    }
    return l;
}

/* The caveats of narrow, one a line; or the complaint. */
static const char *caveats_of(world_t *w, const narrow_t *narrow)
{
    apr_array_header_t *caveats = apr_array_make(w->pool, 8, sizeof(slice_t));
    const char *wrong = narrow_caveats(caveats, narrow, kit_time, w->pool), *text = "";
    int i;

    for (i = 0; i < caveats->nelts; i++) {
        text = apr_psprintf(w->pool, "%s%" SLICE_FMT "\n", text,
                            SLICE_ARG(APR_ARRAY_IDX(caveats, i, slice_t)));
    }
    return wrong ? apr_pstrcat(w->pool, "!", caveats->nelts ? "left some" : "", wrong, NULL) : text;
}

static void expect(world_t *w, narrow_t narrow, const char *want, const char *what)
{
    const char *got = caveats_of(w, &narrow);

    if (!tap_ok(strcmp(got, want) == 0, "%s", what)) {
        printf("# got  %s\n# want %s\n", got, want);
    }
}

static void words(world_t *w)
{
    narrow_t n = {0};

    expect(w, n, "", "nothing");
    n.projects = list(w, "Team.App", "b");
    n.networks = list(w, "192.0.2.0/24", "::1");
    n.versions = list(w, "1.2.*", NULL);
    n.globs = list(w, "team-*", NULL);
    n.kinds = list(w, "wheel", "sdist");
    n.filenames = list(w, "a-1.tar.gz", NULL);
    n.uses = 3;
    n.only_existing = 1;
    n.expires = kit_time + 600;
    expect(w, n,
           "[1,[\"team-app\",\"b\"]]\n[1003,[\"team-*\"]]\n[1001,[\"1.2.*\"]]\n"
           "[1000,[\"192.0.2.0/24\",\"::1\"]]\n[1005,[\"bdist_wheel\",\"sdist\"]]\n"
           "[1007,[\"a-1.tar.gz\"]]\n[1004,3]\n[1006,\"existing\"]\n[0,1700000600,1699999940]\n",
           "everything at once");
    expect(w, (narrow_t){.only_new = 1}, "[1006,\"new\"]\n", "new only");
    expect(w, (narrow_t){.projects = list(w, "b", "-x")}, "!'-x' is not a valid project name.",
           "a name that is none");
    expect(w, (narrow_t){.projects = list(w, "b", NULL), .networks = list(w, "10.0.0.1/8", NULL)},
           "!'10.0.0.1/8' is no network: write an address, or one like 192.0.2.0/24 without bits "
           "behind its length.",
           "a network with bits behind its length: nothing is left of the rest");
    expect(w, (narrow_t){.versions = list(w, ">=1.0", NULL)},
           "!'>=1.0' is no version: write one like 2.0, or the beginning of some like 1.2.*.",
           "a range is no version");
    expect(w, (narrow_t){.kinds = list(w, "egg", NULL)}, "!'egg' is no kind: use sdist or wheel.",
           "a kind that is none");
    expect(w, (narrow_t){.only_new = 1, .only_existing = 1},
           "!A token for new projects only and for existing ones only would be good for none.",
           "new and existing");
    expect(w, (narrow_t){.expires = kit_time}, "!The token would be expired from the start.",
           "an end that is over");
    expect(w, (narrow_t){.uses = CAVEAT_USES_MAX + 1},
           "!A token can be limited to between 1 and 1000000 uploads.", "too many uses");
}

/* ---- uses ---- */

static verdict_code_t judge(world_t *w, const char *text, const char *name, permit_t *out,
                            verdict_t *v)
{
    permit_policy_t policy = {1};
    upload_form_t *form = apr_pcalloc(w->pool, sizeof(*form));
    bearer_t *b = apr_pcalloc(w->pool, sizeof(*b));
    verdict_code_t code =
        bearer_verify(b, w->s, &kit_seam, slice_of(text), slice_of("192.0.2.7"), v, w->pool);

    form->name = name;
    form->project = project_normalize(slice_of(name), w->pool);
    form->filename = "f-1.0.tar.gz";
    form->file.normal = "1.0";
    return code == VERDICT_ALLOWED
               ? permit_upload(out, w->s, &kit_seam, b, form, &policy, v, w->pool)
               : code;
}

static verdict_code_t commit(world_t *w, permit_t *permit, verdict_t *v)
{
    store_event_t event = {.at = kit_time,
                           .kind = "upload",
                           .verdict = "allowed",
                           .token_id = permit->bearer->token.id,
                           .project = permit->form->project};

    return permit_commit(permit, w->s, &kit_seam, &event, v, w->pool);
}

static verdict_code_t upload(world_t *w, const char *text, const char *name, int settle,
                             permit_t *out, verdict_t *v)
{
    verdict_code_t code = judge(w, text, name, out, v);

    if (code == VERDICT_ALLOWED) {
        code = commit(w, out, v);
    }
    if (code == VERDICT_ALLOWED && settle >= 0) {
        (void)permit_settle(w->s, out, (permit_end_t)settle, w->pool);
    }
    return code;
}

static const char *token(world_t *w, const narrow_t *narrow, const char **id)
{
    apr_array_header_t *caveats = apr_array_make(w->pool, 8, sizeof(slice_t));
    issue_request_t r = {.service = "test", .user = "alice", .name = "t", .caveats = caveats};
    const char *wrong = narrow ? narrow_caveats(caveats, narrow, kit_time, w->pool) : NULL;
    store_rc_t rc;
    issue_t made;
    char *text;

    wrong = wrong ? wrong : issue_token(&text, &made, w->s, &kit_seam, &r, &rc, w->pool);
    if (wrong) {
        tap_ok(0, "a token: %s", wrong);
        exit(1);
    }
    *id = made.id;
    return text;
}

/* A token narrowed offline. */
static const char *derive(world_t *w, const char *text, slice_t caveat)
{
    macaroon_t *m;

    if (token_parse(&m, slice_of(text), NULL, w->pool) != VERDICT_ALLOWED ||
        macaroon_append(m, caveat, w->pool)) {
        exit(1);
    }
    return token_format(m, w->pool);
}

static void uses(world_t *w)
{
    static const slice_t one = SLICE("[1004,1]"), two = SLICE("[1004,2]"),
                         other = SLICE("[1003,[\"x*\"]]");
    const char *id, *all = token(w, NULL, &id), *once = derive(w, all, one);
    const char *twice = derive(w, all, two), *sub = derive(w, twice, one);
    permit_t p;
    verdict_t v;

    tap_ok(upload(w, once, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "a token for one upload: the first");
    tap_ok(upload(w, once, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT &&
               kit_is(v.detail, "its uses caveat allows 1 in all, and none is left"),
           "  not the second");
    tap_ok(upload(w, derive(w, once, other), "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT,
           "  nor what is derived from it");
    tap_ok(upload(w, all, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED, "  its parent goes on");
    tap_ok(upload(w, twice, "xa", PERMIT_REFUSED, &p, &v) == VERDICT_ALLOWED,
           "one for two: the handler refuses");
    tap_ok(permit_settle(w->s, &p, PERMIT_REFUSED, w->pool) == STORE_OK &&
               permit_settle(w->s, &p, PERMIT_REFUSED, w->pool) == STORE_OK,
           "  which gives the use back once, however often it is said");
    tap_ok(upload(w, sub, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "  a child with its own limit: the first");
    tap_ok(upload(w, sub, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT,
           "  not the second");
    tap_ok(upload(w, twice, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "  the refused second took nothing from the parent's counter");
    tap_ok(upload(w, twice, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT,
           "  which has none left then");
    tap_ok(upload(w, derive(w, all, slice_of("[1004, 1]")), "xa", -1, &p, &v) == VERDICT_ALLOWED,
           "another spelling of the limit is another counter");
    tap_ok(upload(w, derive(w, all, slice_of("[1004, 1]")), "xa", PERMIT_ARRIVED, &p, &v) ==
               VERDICT_TOKEN_CAVEAT,
           "a use that was never settled (the process died) stays taken");
}

typedef struct crowd_t {
    world_t *w;
    const char *text;
    atomic_int won, refused, strange;
} crowd_t;

static void *APR_THREAD_FUNC crowd_run(apr_thread_t *thread, void *data)
{
    crowd_t *c = data;
    world_t mine = *c->w;
    permit_t p;
    verdict_t v;
    verdict_code_t code;

    (void)thread;
    apr_pool_create(&mine.pool, NULL);
    code = upload(&mine, c->text, "xa", PERMIT_ARRIVED, &p, &v);
    atomic_fetch_add(code == VERDICT_ALLOWED        ? &c->won
                     : code == VERDICT_TOKEN_CAVEAT ? &c->refused
                                                    : &c->strange,
                     1);
    apr_pool_destroy(mine.pool);
    return NULL;
}

static void crowd(world_t *w)
{
    const char *id;
    crowd_t c = {.w = w, .text = derive(w, token(w, NULL, &id), slice_of("[1004,1]"))};
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    int i;

    for (i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, crowd_run, &c, w->pool) != APR_SUCCESS) {
            exit(1);
        }
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    tap_ok(c.won == 1 && c.refused == THREADS - 1 && c.strange == 0,
           "%d at once with a token for one upload: one (%d won, %d refused, %d strange)", THREADS,
           c.won, c.refused, c.strange);
}

static void creation(world_t *w)
{
    const char *id, *fresh = token(w, &(narrow_t){.only_new = 1}, &id);
    const char *old = token(w, &(narrow_t){.only_existing = 1}, &id);
    permit_t p, q;
    verdict_t v;

    tap_ok(upload(w, old, "new-one", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT,
           "a token for existing projects makes none");
    tap_ok(upload(w, fresh, "new-one", -1, &p, &v) == VERDICT_ALLOWED, "one for new projects does");
    tap_ok(upload(w, fresh, "new-one", -1, &q, &v) == VERDICT_ALLOWED,
           "  a second file beside it, while the first is under way");
    (void)permit_settle(w->s, &p, PERMIT_ARRIVED, w->pool);
    tap_ok(upload(w, fresh, "new-one", PERMIT_ARRIVED, &q, &v) == VERDICT_TOKEN_CAVEAT,
           "  not any more when the first has arrived");
    tap_ok(upload(w, old, "new-one", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "now the other may");
}

/* What is refused for its caveats is no upload to a project that another upload is making. */
static void a_refusal_that_takes_a_project_along(world_t *w)
{
    const char *id, *all = token(w, NULL, &id), *once = derive(w, all, slice_of("[1004,1]"));
    const char *fresh = token(w, &(narrow_t){.only_new = 1}, &id);
    store_project_t project;
    permit_t p, q;
    verdict_t v;

    tap_ok(upload(w, once, "xa", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED &&
               upload(w, all, "claimed", -1, &p, &v) == VERDICT_ALLOWED &&
               upload(w, once, "claimed", PERMIT_ARRIVED, &q, &v) == VERDICT_TOKEN_CAVEAT,
           "the first upload to a project is under way, another one's uses are spent");
    tap_ok(store_project_find(w->s, "claimed", &project, w->pool) == STORE_OK,
           "  the project stays: a file of its owner may arrive");

    tap_ok(upload(w, all, "second", -1, &p, &v) == VERDICT_ALLOWED &&
               judge(w, fresh, "second", &q, &v) == VERDICT_ALLOWED,
           "a token for new projects is judged while the first upload is under way");
    (void)permit_settle(w->s, &p, PERMIT_ARRIVED, w->pool);
    tap_ok(commit(w, &q, &v) == VERDICT_TOKEN_CAVEAT,
           "  that one arrives first: no file more by this token");
    tap_ok(store_project_find(w->s, "second", &project, w->pool) == STORE_OK && project.confirmed,
           "  and the project stays");

    tap_ok(upload(w, all, "third", -1, &p, &v) == VERDICT_ALLOWED &&
               store_project_find(w->s, "third", &project, w->pool) == STORE_OK &&
               judge(w, derive(w, all, caveat_project_ids(&(slice_t){project.id, 36}, 1, w->pool)),
                     "third", &q, &v) == VERDICT_ALLOWED,
           "a token for one project by its id is judged while its first upload is under way");
    (void)permit_settle(w->s, &p, PERMIT_REFUSED, w->pool);
    (void)store_event_add(w->s, &(store_event_t){.kind = "upload-failed",
                                                 .project = "third",
                                                 .verdict = "backend-failed",
                                                 .detail = "400 Bad Request"});
    tap_ok(commit(w, &q, &v) == VERDICT_TOKEN_SCOPE,
           "  that one is refused: what would be made now is another project");
    tap_ok(store_project_find(w->s, "third", &project, w->pool) == STORE_NOTFOUND,
           "  and it is not made");
}

/* ---- stored caveats ---- */

static void field(world_t *w)
{
    static const slice_t more[] = {SLICE("[1003,[\"team-*\"]]"), SLICE("[1004,1]")};
    const char *id, *text = token(w, &(narrow_t){.networks = list(w, "192.0.2.0/24", NULL)}, &id);
    const char *child = derive(w, text, slice_of("[1001,[\"1.*\"]]"));
    unsigned char key[MACAROON_KEY_BYTES];
    slice_t many[STORE_CAVEATS_MAX];
    store_token_t row;
    permit_t p;
    verdict_t v;
    int i;

    tap_ok(store_token_find(w->s, slice_of(id), &row, NULL, w->pool) == STORE_OK &&
               row.n_caveats == 1 && slice_is(row.caveats[0], "[1000,[\"192.0.2.0/24\"]]"),
           "what a token is made with stands in its row, too");
    tap_ok(upload(w, child, "other", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "a child of a token in the field");
    tap_ok(store_token_narrow(w->s, slice_of(id), more, 2, w->pool) == STORE_OK,
           "the token is narrowed");
    tap_ok(upload(w, child, "other", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT &&
               kit_is(v.detail, "its name caveat does not allow other"),
           "  its child as well, on the next upload");
    tap_ok(upload(w, text, "team-a", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "  what it still may");
    tap_ok(upload(w, child, "team-a", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_CAVEAT,
           "  a stored limit counts for all of them together");
    tap_ok(store_token_find(w->s, slice_of(id), &row, key, w->pool) == STORE_OK &&
               row.n_caveats == 3 && slice_equal(row.caveats[2], more[1]),
           "  and stands in the row, in order");
    kit_edit(w->kit.db, "DELETE FROM token_caveats WHERE seq = 2");
    tap_ok(store_token_find(w->s, slice_of(id), &row, key, w->pool) == STORE_SEALED,
           "a stored caveat deleted in the database: the token opens no more");
    tap_ok(store_token_narrow(w->s, slice_of(id), more, 1, w->pool) == STORE_SEALED,
           "  and is not sealed anew");
    tap_ok(store_token_narrow(w->s, slice_of("no such"), more, 1, w->pool) == STORE_NOTFOUND,
           "no such token");
    (void)token(w, NULL, &id);
    for (i = 0; i < STORE_CAVEATS_MAX; i++) {
        many[i] = more[0];
    }
    tap_ok(store_token_narrow(w->s, slice_of(id), many, STORE_CAVEATS_MAX, w->pool) == STORE_OK &&
               store_token_narrow(w->s, slice_of(id), many, 1, w->pool) == STORE_CONFLICT,
           "there is an end to stored caveats");
    sodium_memzero(key, sizeof(key));
}

/* ---- an earlier end ---- */

static void end(world_t *w)
{
    static const slice_t more[] = {SLICE("[1004,9]")};
    apr_int64_t soon = seam_system.now() + 100;
    const char *id, *text = token(w, NULL, &id);
    unsigned char key[MACAROON_KEY_BYTES];
    store_token_t old, row;
    permit_t p;
    verdict_t v;

    (void)store_token_find(w->s, slice_of(id), &old, NULL, w->pool);
    tap_ok(store_token_end(w->s, &old, soon, w->pool) == STORE_OK &&
               store_token_find(w->s, slice_of(id), &row, key, w->pool) == STORE_OK &&
               row.expires == soon,
           "a token without an end gets one, and its row still opens");
    tap_ok(upload(w, text, "one", PERMIT_ARRIVED, &p, &v) == VERDICT_ALLOWED,
           "  it is good until then");
    tap_ok(store_token_end(w->s, &old, soon - 50, w->pool) == STORE_CONFLICT,
           "what was read before does not count any more");
    tap_ok(store_token_end(w->s, &row, soon + 50, w->pool) == STORE_OK &&
               store_token_find(w->s, slice_of(id), &row, NULL, w->pool) == STORE_OK &&
               row.expires == soon,
           "no end becomes a later one");
    tap_ok(store_token_end(w->s, &row, 1, w->pool) == STORE_OK &&
               upload(w, text, "one", PERMIT_ARRIVED, &p, &v) == VERDICT_TOKEN_EXPIRED,
           "an end that is past is the end");
    (void)store_token_find(w->s, slice_of(id), &old, NULL, w->pool);
    tap_ok(store_token_narrow(w->s, slice_of(id), more, 1, w->pool) == STORE_OK &&
               store_token_end(w->s, &old, 1, w->pool) == STORE_CONFLICT,
           "nor does it after the token was narrowed");
    (void)store_token_find(w->s, slice_of(id), &old, NULL, w->pool);
    tap_ok(store_token_revoke(w->s, slice_of(id), "me") == STORE_OK &&
               store_token_end(w->s, &old, 1, w->pool) == STORE_CONFLICT,
           "nor after it was revoked");
    old.id = "no such";
    tap_ok(store_token_end(w->s, &old, 1, w->pool) == STORE_NOTFOUND, "no such token");
    sodium_memzero(key, sizeof(key));
}

/* ---- policy ---- */

static void write_file(world_t *w, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        tap_ok(0, "%s can be written", path);
    }
    close(fd);
    (void)w;
}

static policy_t *policy_of(world_t *w, const char *text, const char *says)
{
    const char *path = apr_pstrcat(w->pool, w->kit.dir, "/policy", NULL);
    const char *wrong;
    policy_t *policy;

    write_file(w, path, text);
    wrong = policy_read(&policy, path, w->pool);
    unlink(path);
    tap_ok(says ? kit_has(wrong, says) && !policy : !wrong && policy, "a policy: %s",
           wrong ? wrong : "taken");
    return policy;
}

static void applied(world_t *w, const policy_t *policy, store_role_t role, int restricted,
                    apr_int64_t asked, apr_int64_t want, const char *says, const char *what)
{
    apr_int64_t expires = asked;
    const char *wrong = policy_apply(policy, role, restricted, kit_time, &expires, w->pool);

    if (!tap_ok(says ? kit_has(wrong, says) : !wrong && expires == want, "%s", what)) {
        printf("# %s, expires %" APR_INT64_T_FMT "\n", wrong ? wrong : "allowed", expires);
    }
}

/* What stands behind 1023 bytes of a comment is no line of its own. */
static const char *long_line(world_t *w, const char *before, const char *behind)
{
    return apr_psprintf(w->pool, "%s%*s%s", before, 1022, "", behind);
}

static void policies(world_t *w)
{
    static const store_role_t none = STORE_ROLE_NONE, less = STORE_ROLE_MAINTAINER,
                              owner = STORE_ROLE_OWNER;
    apr_int64_t now = kit_time;
    policy_t *p = policy_of(w,
                            "# ours\n\n longest-life = 30d\ndefault-life=7d\nunrestricted = no\n"
                            "maintainer.longest-life = 1d\r\nmaintainer.default-life = 2h\n"
                            "owner.unrestricted = yes\n",
                            NULL);

    applied(w, NULL, none, 0, 0, 0, NULL, "without a policy everything goes");
    applied(w, p, none, 0, 0, 0, "name them", "no token for everything");
    applied(w, p, none, 1, 0, now + 7 * 86400, NULL, "one for certain files gets the usual life");
    applied(w, p, none, 1, now + 30 * 86400, now + 30 * 86400, NULL, "the longest there is");
    applied(w, p, none, 1, now + 30 * 86400 + 1, 0, "30 days and 0 hours", "a second longer");
    applied(w, p, less, 1, 0, now + 7200, NULL, "a maintainer's gets another");
    applied(w, p, less, 1, now + 86401, 0, "1 days", "  and may live for less");
    applied(w, p, owner, 1, now + 86401, now + 86401, NULL, "an owner's has the general limit");
    p = policy_of(w, "longest-life = 1d\n", NULL);
    applied(w, p, none, 0, 0, 0, "at most", "no end, where there must be one");
    applied(w, p, none, 0, now + 60, now + 60, NULL, "an early end");
    p = policy_of(w, "", NULL);
    applied(w, p, none, 0, 0, 0, NULL, "an empty policy allows everything");
    policy_of(w, "longest-life = 30\n", "Line 1");
    policy_of(w, "\nunrestricted = maybe\n", "must be yes or no");
    policy_of(w, "longest_life = 30d\n", "Line 1");
    policy_of(w, "admin.longest-life = 30d\n", "Line 1");
    policy_of(w, "maintainer. longest-life = 30d\n", "Line 1");
    policy_of(w, "unrestricted\n", "a setting, '=' and a value");
    p = policy_of(w, "longest-life = 30d\n# the end", NULL);
    applied(w, p, none, 0, 0, 0, "30 days", "  and needs no line break at its end");
    policy_of(w, long_line(w, "unrestricted = no\n#", "unrestricted = yes\n"),
              "Line 2 of the policy");
    policy_of(w, long_line(w, "unrestricted = no\n#", "unrestricted = yes"),
              "Line 2 of the policy");
    tap_ok(kit_has(policy_read(&p, "/", w->pool), "cannot be read"), "a directory is no policy");
    tap_ok(kit_has(policy_read(&p, "/nowhere/policy", w->pool), "cannot be read"),
           "a policy that is not there");
}

int main(void)
{
    world_t w;
    store_user_t alice;

    kit_begin(&w.kit);
    kit_make(&w.kit);
    w.pool = w.kit.pool;
    w.s = kit_open(&w.kit, NULL, w.pool);
    if (store_user_add(w.s, "alice", NULL, &alice, w.pool) != STORE_OK) {
        return 1;
    }
    words(&w);
    uses(&w);
    crowd(&w);
    creation(&w);
    a_refusal_that_takes_a_project_along(&w);
    field(&w);
    end(&w);
    policies(&w);
    return kit_end(&w.kit);
}
