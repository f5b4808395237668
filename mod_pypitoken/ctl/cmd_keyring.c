/*
 * cmd_keyring.c - other keys for what is sealed, while everything runs.
 *
 * Children of httpd have their keyring from the parent, which reads the file when it starts or is
 * reloaded, and only then. So nothing may be sealed with a key that one of them does not have:
 * 'rotate' takes one step, says what is to be done before the next, and looks in the store which
 * keys each living front end has; when there is none on the list it wants to be told that this is
 * so (--offline). Where it stands is read off the file and the rows, so it can be
 * cut off anywhere and run again.
 */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

/* Between transactions, so that uploads get their turn. */
#define CMD_KEYRING_PAUSE apr_time_from_msec(10)

/* ---- what there is ---- */

typedef struct cmd_keyring_rows_t {
    const keyring_t *keys;
    const char *id;       /* the key that rows are counted of, or NULL */
    apr_int64_t of_id;    /* rows sealed by it */
    apr_int64_t old;      /* rows sealed by a key that is here, but not the current one */
    apr_int64_t *per_key; /* by place in the keyring, then those of keys that are not here */
} cmd_keyring_rows_t;

static void cmd_keyring_count(void *baton, const char *table, const char *key_id, apr_int64_t rows)
{
    cmd_keyring_rows_t *r = baton;
    apr_size_t i = 0, n = keyring_count(r->keys);

    (void)table;
    while (i < n && strcmp(keyring_id(r->keys, i), key_id) != 0) {
        i++;
    }
    r->per_key[i] += rows;
    r->old += i > 0 && i < n ? rows : 0;
    r->of_id += r->id && strcmp(r->id, key_id) == 0 ? rows : 0;
}

/* Rows by key. CTL_DONE or CTL_DOWN. */
static int cmd_keyring_rows(ctl_t *ctl, const keyring_t *keys, const char *id,
                            cmd_keyring_rows_t *out)
{
    memset(out, 0, sizeof(*out));
    out->keys = keys;
    out->id = id;
    out->per_key = apr_pcalloc(ctl->pool, (keyring_count(keys) + 1) * sizeof(*out->per_key));
    return ctl_answer(store_seal_count(ctl->store, cmd_keyring_count, out), "row");
}

/* Front ends that lack a key, or that still seal with it. */
typedef struct cmd_keyring_fronts_t {
    const char *id;
    int seals, quiet;
    int alive, bad;
} cmd_keyring_fronts_t;

static int cmd_keyring_front(void *baton, const store_front_t *row)
{
    cmd_keyring_fronts_t *f = baton;
    int knows = store_front_knows(row, f->id, f->seals);

    f->alive++;
    f->bad += knows == f->seals;
    if (knows == f->seals && !f->quiet) {
        (void)ctl_fail(0, "httpd on %s (pid %" APR_INT64_T_FMT ") %s %s.", row->host, row->pid,
                       f->seals ? "still seals with the key" : "does not have the key", f->id);
    }
    return 0;
}

/* seals 0: who does not have the key; 1: who seals with it. Complains of each unless quiet. */
static int cmd_keyring_fronts(ctl_t *ctl, const char *id, int seals, int quiet,
                              cmd_keyring_fronts_t *out)
{
    const cmd_keyring_fronts_t none = {id, seals, quiet, 0, 0};

    *out = none;
    return ctl_answer(store_front_list(ctl->store, cmd_keyring_front, out), "front end");
}

/* ---- opening ---- */

/* The keyring is the caller's, the store perhaps somebody else's: see ctl_caller_begin. */
static int cmd_keyring_open(ctl_t *ctl, keyring_t **keys)
{
    int code = ctl_open(ctl, CTL_KEYS_NEEDED);
    ctl_caller_t caller;
    const char *wrong;

    if (code != CTL_DONE) {
        return code;
    }
    ctl_caller_begin(&caller);
    wrong = keyring_open(keys, ctl->keyring, ctl->seam, ctl->pool);
    ctl_caller_end(&caller);
    return wrong ? ctl_fail(CTL_REFUSED, "%s", wrong) : CTL_DONE;
}

/* The store once more, with the keyring as it is now. */
static int cmd_keyring_again(ctl_t *ctl, keyring_t **keys)
{
    ctl_caller_t caller;

    ctl_caller_begin(&caller);
    return cmd_keyring_open(ctl, keys); /* which is the store's owner again in the end */
}

/* ---- rotate ---- */

static const table_column_t cmd_keyring_columns[] = {
    {"Step", "step", TABLE_TEXT, 0},
    {"Key", "key", TABLE_TEXT, 0},
    {"Rows sealed anew", "resealed", TABLE_NUMBER, 0},
    {"Rows that no key opens", "unopened", TABLE_NUMBER, 0},
    {"Front ends in the way", "waiting", TABLE_NUMBER, 0},
};
#define CMD_KEYRING_N (sizeof(cmd_keyring_columns) / sizeof(cmd_keyring_columns[0]))

static void cmd_keyring_say(ctl_t *ctl, const char *step, const char *key, const store_reseal_t *r,
                            int waiting, const char *sentence)
{
    const table_cell_t cells[] = {TABLE_STRING(step), TABLE_STRING(key),
                                  TABLE_INT(r ? r->resealed : 0), TABLE_INT(r ? r->unopened : 0),
                                  TABLE_INT(waiting)};

    ctl_say(ctl, cmd_keyring_columns, CMD_KEYRING_N, cells, "%s", sentence);
}

/* The current key is known to all: what others have sealed is sealed anew. */
static int cmd_keyring_reseal(ctl_t *ctl, const keyring_t *keys)
{
    const char *key = keyring_current(keys), *detail;
    store_reseal_t r = {0};
    int code = ctl_answer(store_reseal(ctl->store, CMD_KEYRING_PAUSE, &r), "row");

    if (code != CTL_DONE) {
        return ctl_fail(code,
                        "%" APR_INT64_T_FMT " rows are sealed with the key %s; run "
                        "'pypitokenctl keyring rotate' again for the others.",
                        r.resealed, key);
    }
    detail = apr_psprintf(ctl->pool, "key %s, %" APR_INT64_T_FMT " rows", key, r.resealed);
    code = ctl_record(ctl, "keyring-rotated", NULL, NULL, detail);
    cmd_keyring_say(ctl, "rotated", key, &r, 0,
                    apr_psprintf(ctl->pool,
                                 "%" APR_INT64_T_FMT " rows are sealed with the key %s now.\n"
                                 "Next: copy the keyring to the other front ends if there are any "
                                 "and reload every httpd,\nso that what is new is sealed with it "
                                 "too, then 'pypitokenctl keyring remove' the old key;\n"
                                 "'pypitokenctl keyring status' shows them.",
                                 r.resealed, key));
    if (r.unopened) {
        return ctl_fail(CTL_REFUSED,
                        "%" APR_INT64_T_FMT " rows are opened by no key of this keyring: another "
                        "keyring sealed them, or they were edited.",
                        r.unopened);
    }
    return code;
}

/* Some front end lacks the key: nothing is done. */
static int cmd_keyring_wait(ctl_t *ctl, const char *id, int bad)
{
    if (ctl->json) {
        cmd_keyring_say(ctl, "waiting", id, NULL, bad, "");
    }
    return ctl_fail(CTL_REFUSED,
                    "Nothing was sealed anew. Copy the keyring to those machines, reload httpd "
                    "there (apachectl graceful), and run this again when old uploads have ended.");
}

static int cmd_keyring_promote(ctl_t *ctl, const char *id)
{
    cmd_keyring_fronts_t fronts = {0};
    ctl_caller_t caller;
    const char *wrong;
    keyring_t *keys;
    int code = cmd_keyring_fronts(ctl, id, 0, 0, &fronts);

    if (code == CTL_DONE && !fronts.alive && !ctl->offline) {
        return ctl_fail(CTL_REFUSED,
                        "Nothing was sealed anew: no httpd tells that it uses this store. Start it "
                        "and run this again a moment later; or say --offline if really none runs, "
                        "on no machine.");
    }
    if (code != CTL_DONE || fronts.bad) {
        return code != CTL_DONE ? code : cmd_keyring_wait(ctl, id, fronts.bad);
    }
    ctl_caller_begin(&caller);
    wrong = keyring_promote(ctl->keyring, id, ctl->pool);
    ctl_caller_end(&caller);
    if (wrong) {
        return ctl_fail(CTL_REFUSED, "%s", wrong);
    }
    code = cmd_keyring_again(ctl, &keys);
    return code == CTL_DONE ? cmd_keyring_reseal(ctl, keys) : code;
}

static int cmd_keyring_prepare(ctl_t *ctl)
{
    cmd_keyring_fronts_t fronts = {0};
    ctl_caller_t caller;
    const char *wrong, *id;
    int code;

    ctl_caller_begin(&caller);
    wrong = keyring_prepare(ctl->keyring, ctl->seam, &id, ctl->pool);
    ctl_caller_end(&caller);
    if (wrong) {
        return ctl_fail(CTL_REFUSED, "%s", wrong);
    }
    code = ctl_record(ctl, "keyring-prepared", NULL, NULL, apr_psprintf(ctl->pool, "key %s", id));
    if (code == CTL_DONE) {
        code = cmd_keyring_fronts(ctl, id, 0, 1, &fronts);
    }
    if (code != CTL_DONE || (!fronts.alive && ctl->offline)) {
        return code != CTL_DONE ? code : cmd_keyring_promote(ctl, id);
    }
    cmd_keyring_say(ctl, "prepared", id, NULL, fronts.alive,
                    apr_psprintf(ctl->pool,
                                 "The key %s is in the keyring; nothing is sealed with it yet.\n"
                                 "Next: copy the keyring to the other front ends if there are any, "
                                 "reload every httpd\n(apachectl graceful), then run 'pypitokenctl "
                                 "keyring rotate' again.",
                                 id));
    return CTL_DONE;
}

int cmd_keyring_rotate(ctl_t *ctl)
{
    cmd_keyring_fronts_t fronts = {0};
    cmd_keyring_rows_t rows = {0};
    keyring_t *keys;
    int code = cmd_keyring_open(ctl, &keys);

    if (code == CTL_DONE && keyring_prepared(keys)) {
        return cmd_keyring_promote(ctl, keyring_prepared(keys));
    }
    if (code == CTL_DONE) {
        code = cmd_keyring_rows(ctl, keys, NULL, &rows);
    }
    if (code != CTL_DONE || !rows.old) {
        return code == CTL_DONE ? cmd_keyring_prepare(ctl) : code;
    }
    code = cmd_keyring_fronts(ctl, keyring_current(keys), 0, 0, &fronts);
    if (code != CTL_DONE || fronts.bad) {
        return code != CTL_DONE ? code : cmd_keyring_wait(ctl, keyring_current(keys), fronts.bad);
    }
    return cmd_keyring_reseal(ctl, keys);
}

/* ---- remove ---- */

int cmd_keyring_remove(ctl_t *ctl)
{
    const char *id = ctl->argv[0], *wrong;
    cmd_keyring_fronts_t fronts = {0};
    cmd_keyring_rows_t rows = {0};
    ctl_caller_t caller;
    keyring_t *keys;
    int code = cmd_keyring_open(ctl, &keys);

    if (code == CTL_DONE) {
        code = cmd_keyring_rows(ctl, keys, id, &rows);
    }
    if (code == CTL_DONE && rows.of_id) {
        return ctl_fail(CTL_REFUSED,
                        "%" APR_INT64_T_FMT " rows are sealed with this key: run 'pypitokenctl "
                        "keyring rotate' first.",
                        rows.of_id);
    }
    if (code == CTL_DONE) {
        code = cmd_keyring_fronts(ctl, id, 1, 0, &fronts);
    }
    if (code == CTL_DONE && fronts.bad) {
        return ctl_fail(CTL_REFUSED, "Reload httpd there first (apachectl graceful).");
    }
    if (code != CTL_DONE) {
        return code;
    }
    ctl_caller_begin(&caller);
    wrong = keyring_remove(ctl->keyring, id, ctl->pool);
    ctl_caller_end(&caller);
    if (wrong) {
        return ctl_fail(CTL_REFUSED, "%s", wrong);
    }
    code = ctl_record(ctl, "keyring-removed", NULL, NULL, apr_psprintf(ctl->pool, "key %s", id));
    cmd_keyring_say(ctl, "removed", id, NULL, 0,
                    "The key is out of this keyring. Remove it on the other front ends too.");
    return code;
}

/* ---- status ---- */

static const table_column_t cmd_keyring_key_columns[] = {
    {"KEY", "key", TABLE_TEXT, 0},
    {"STATE", "state", TABLE_TEXT, 0},
    {"ROWS", "rows", TABLE_NUMBER, 0},
};
static const table_column_t cmd_keyring_front_columns[] = {
    {"HOST", "host", TABLE_TEXT, 0}, {"PID", "pid", TABLE_NUMBER, 0},
    {"KEYS", "keys", TABLE_TEXT, 0}, {"SCHEMA", "schema", TABLE_NUMBER, 0},
    {"SEEN", "seen", TABLE_TIME, 0},
};

typedef struct cmd_keyring_lists_t {
    table_t *keys, *fronts;
} cmd_keyring_lists_t;

static int cmd_keyring_front_row(void *baton, const store_front_t *row)
{
    const table_cell_t cells[] = {TABLE_STRING(row->host), TABLE_INT(row->pid),
                                  TABLE_STRING(row->key_ids), TABLE_INT(row->schema),
                                  TABLE_INT(row->seen)};

    table_add(baton, cells);
    return 0;
}

static void cmd_keyring_key_rows(const keyring_t *keys, const cmd_keyring_rows_t *rows, table_t *t)
{
    const char *prepared = keyring_prepared(keys) ? keyring_prepared(keys) : "";
    apr_size_t i, n = keyring_count(keys);

    for (i = 0; i < n; i++) {
        const char *id = keyring_id(keys, i);
        const table_cell_t cells[] = {TABLE_STRING(id),
                                      TABLE_STRING(i == 0                      ? "seals"
                                                   : strcmp(id, prepared) == 0 ? "prepared"
                                                                               : "opens"),
                                      TABLE_INT(rows->per_key[i])};

        table_add(t, cells);
    }
    if (rows->per_key[n]) {
        const table_cell_t cells[] = {TABLE_STRING("others"), TABLE_STRING("missing"),
                                      TABLE_INT(rows->per_key[n])};

        table_add(t, cells);
    }
}

int cmd_keyring_status(ctl_t *ctl)
{
    cmd_keyring_lists_t lists;
    cmd_keyring_rows_t rows = {0};
    keyring_t *keys;
    int code = cmd_keyring_open(ctl, &keys);

    if (code == CTL_DONE) {
        code = cmd_keyring_rows(ctl, keys, NULL, &rows);
    }
    if (code != CTL_DONE) {
        return code;
    }
    lists.keys = table_make(cmd_keyring_key_columns, 3, ctl->json, ctl->pool);
    lists.fronts = table_make(cmd_keyring_front_columns, 5, ctl->json, ctl->pool);
    cmd_keyring_key_rows(keys, &rows, lists.keys);
    code = ctl_answer(store_front_list(ctl->store, cmd_keyring_front_row, lists.fronts), "row");
    if (code == CTL_DONE) {
        fputs(ctl->json ? "{\"keys\": " : "", stdout);
        table_print(lists.keys, stdout);
        fputs(ctl->json ? ", \"front_ends\": " : "\nhttpd's processes that use the store:\n",
              stdout);
        table_print(lists.fronts, stdout);
        fputs(ctl->json ? "}\n" : "", stdout);
    }
    return code;
}
