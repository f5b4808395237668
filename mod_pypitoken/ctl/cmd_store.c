/* cmd_store.c - moving house: all that one store remembers, into another. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "store/copy.h"

/* ---- who else is there ---- */

typedef struct cmd_store_fronts_t {
    const char *where;
    int alive;
} cmd_store_fronts_t;

static int cmd_store_front(void *baton, const store_front_t *row)
{
    cmd_store_fronts_t *f = baton;

    f->alive++;
    (void)ctl_fail(0, "httpd on %s (pid %" APR_INT64_T_FMT ") uses %s.", row->host, row->pid,
                   f->where);
    return 0;
}

/* What a front end writes to the source after this would be missing in the target: a revocation, a
 * use of a token that is good for one. What it writes to the target would be in the way. */
static int cmd_store_alone(const ctl_t *ctl, store_t *s, const char *where)
{
    cmd_store_fronts_t fronts = {where, 0};
    int code = ctl->force ? CTL_DONE
                          : ctl_answer(store_front_list(s, cmd_store_front, &fronts), "front end");

    if (code != CTL_DONE || !fronts.alive) {
        return code;
    }
    return ctl_fail(CTL_REFUSED,
                    "Nothing was copied: stop httpd there first (one that was killed is on the "
                    "list for %d minutes more). With --force it is copied all the same, and what "
                    "httpd writes from now on, such as revocations, is not.",
                    STORE_FRONT_ALIVE / 60);
}

/* A target without any schema: how it gets one. */
static int cmd_store_made(ctl_t *ctl, store_t *to)
{
    store_schema_t schema;
    int code = ctl_answer(store_schema(to, &schema), "schema");

    return code != CTL_DONE || schema.have > 0
               ? code
               : ctl_fail(CTL_REFUSED,
                          "The store %s has no tables yet: run 'pypitokenctl init' with --store "
                          "and --store-secret naming it, and with the keyring of the other one.",
                          ctl->to);
}

/* ---- what people see meanwhile ---- */

static void cmd_store_progress(void *baton, const char *table, apr_int64_t rows, int reading_back)
{
    (void)baton;
    fprintf(stderr, "\r%-10s %-16s %12" APR_INT64_T_FMT, reading_back ? "comparing" : "copying",
            table, rows);
    fflush(stderr);
}

static void cmd_store_progress_end(int shown)
{
    if (shown) {
        fprintf(stderr, "\r%-40s\r", "");
        fflush(stderr);
    }
}

/* ---- what came of it ---- */

static const table_column_t cmd_store_columns[] = {
    {"TABLE", "table", TABLE_TEXT, 0},
    {"ROWS", "rows", TABLE_NUMBER, 0},
    {NULL, "digest", TABLE_TEXT, 0},
};

static const char *cmd_store_hex(const unsigned char *digest, apr_pool_t *pool)
{
    char *hex = apr_palloc(pool, 2 * COPY_DIGEST + 1);

    return sodium_bin2hex(hex, 2 * COPY_DIGEST + 1, digest, COPY_DIGEST);
}

/* One digest over those of the tables. */
static const char *cmd_store_digest(const copy_sum_t *sums, apr_int64_t *rows, apr_pool_t *pool)
{
    unsigned char digest[COPY_DIGEST];
    crypto_generichash_state hash;
    int i;

    *rows = 0;
    crypto_generichash_init(&hash, NULL, 0, COPY_DIGEST);
    for (i = 0; i < COPY_TABLES; i++) {
        *rows += sums[i].rows;
        crypto_generichash_update(&hash, sums[i].digest, COPY_DIGEST);
    }
    crypto_generichash_final(&hash, digest, COPY_DIGEST);
    return cmd_store_hex(digest, pool);
}

static void cmd_store_say(const ctl_t *ctl, const copy_sum_t *sums)
{
    table_t *table = table_make(cmd_store_columns, 3, ctl->json, ctl->pool);
    json_t *o = json_object(), *list = json_array();
    apr_int64_t rows;
    const char *digest = cmd_store_digest(sums, &rows, ctl->pool);
    int i;

    for (i = 0; i < COPY_TABLES; i++) {
        const table_cell_t cells[] = {TABLE_STRING(copy_tables[i].name), TABLE_INT(sums[i].rows),
                                      TABLE_STRING(cmd_store_hex(sums[i].digest, ctl->pool))};

        table_add(table, cells);
        json_array_append_new(list, table_json(table, cells, ctl->pool));
    }
    json_object_set_new(o, "from", table_json_text(slice_of(ctl->store_url), ctl->pool));
    json_object_set_new(o, "to", table_json_text(slice_of(ctl->to), ctl->pool));
    json_object_set_new(o, "rows", json_integer(rows));
    json_object_set_new(o, "digest", json_string(digest));
    json_object_set_new(o, "tables", list);
    if (ctl->json) {
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        table_print(table, stdout);
        printf("\nAll %" APR_INT64_T_FMT " rows are in %s, the same as in %s\n(BLAKE2b %s).\n"
               "Next: let PyPITokenStore of every httpd name it, and the settings of pypitokenctl "
               "too;\nthe keyring stays the same. Then put the old one away: its tokens are good "
               "wherever it is used.\n",
               rows, ctl->to, ctl->store_url, digest);
    }
    json_decref(o);
}

/* ---- the command ---- */

static int cmd_store_work(ctl_t *ctl, store_t *to)
{
    int shown = !ctl->json && isatty(STDERR_FILENO);
    copy_sum_t sums[COPY_TABLES];
    store_event_t event = {0};
    const char *why = NULL;
    store_rc_t rc;

    event.at = ctl->seam->now();
    event.kind = "store-copied";
    event.user = ctl_actor(ctl);
    event.detail = apr_pstrcat(ctl->pool, "from ", ctl->store_url, NULL);
    rc = copy_run(ctl->store, to, &event, sums, shown ? cmd_store_progress : NULL, NULL, &why,
                  ctl->pool);
    cmd_store_progress_end(shown);
    if (rc != STORE_OK) {
        return ctl_fail(rc == STORE_DOWN ? CTL_DOWN : CTL_REFUSED, "%s", why ? why : "");
    }
    cmd_store_say(ctl, sums);
    return CTL_DONE;
}

int cmd_store_copy(ctl_t *ctl)
{
    store_t *to = NULL;
    int code;

    if (!ctl->to) {
        return ctl_fail(CTL_USAGE, "Say with --to which store it is to be copied to.");
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code == CTL_DONE) {
        code = cmd_store_alone(ctl, ctl->store, ctl->store_url);
    }
    if (code == CTL_DONE) {
        code = ctl_open_other(ctl, ctl->to, ctl->to_secret, &to);
    }
    if (code == CTL_DONE) {
        code = cmd_store_made(ctl, to);
    }
    if (code == CTL_DONE) {
        code = cmd_store_alone(ctl, to, ctl->to);
    }
    return code == CTL_DONE ? cmd_store_work(ctl, to) : code;
}
