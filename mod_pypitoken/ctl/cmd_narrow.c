/* cmd_narrow.c - the options that narrow a token, and the narrowing of one that is in use. */
#include "ctl/cmd.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

#include "access/narrow.h"
#include "core/digest.h"
#include "core/duration.h"
#include "core/token.h"
#include "ctl/secret.h"

#define CMD_NARROW_CHUNK 65536

static const char *cmd_narrow_read_file(char hex[DIGEST_HEX], const char *path, apr_pool_t *pool)
{
    unsigned char sum[DIGEST_BYTES];
    char *chunk = apr_palloc(pool, CMD_NARROW_CHUNK), why[120];
    digest_t state;
    apr_file_t *file;
    apr_size_t n = CMD_NARROW_CHUNK;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool);

    if (rv != APR_SUCCESS) {
        return apr_pstrdup(pool, apr_strerror(rv, why, sizeof(why)));
    }
    digest_open(&state);
    while ((rv = apr_file_read(file, chunk, &n)) == APR_SUCCESS) {
        digest_update(&state, chunk, n);
        n = CMD_NARROW_CHUNK;
    }
    apr_file_close(file);
    digest_finish(&state, sum);
    digest_close(&state);
    digest_hex(hex, sum);
    return rv == APR_EOF ? NULL : apr_pstrdup(pool, apr_strerror(rv, why, sizeof(why)));
}

static int cmd_narrow_file(ctl_t *ctl, narrow_files_t *files, const char *path)
{
    char *hex = apr_palloc(ctl->pool, DIGEST_HEX);
    const char *slash = strrchr(path, '/'), *why;

    if (token_looks_like(slice_of(path))) {
        /* not repeated */
        return ctl_fail(CTL_USAGE, "This is a token, not a file, and now it stands in the list of "
                                   "processes and in the shell's history: revoke it.");
    }
    why = cmd_narrow_read_file(hex, path, ctl->pool);
    if (why) {
        return ctl_fail(CTL_REFUSED, "%s cannot be read: %s.", path, why);
    }
    why = narrow_files_add(files, slash ? slash + 1 : path, hex, ctl->pool);
    return why ? ctl_fail(CTL_REFUSED, "%s", why) : CTL_DONE;
}

/* --file and what a shell made of its pattern: the operands behind the first skip ones. */
static int cmd_narrow_files(ctl_t *ctl, narrow_t *narrow, int skip)
{
    narrow_files_t files = {NULL, NULL, NULL, NULL};
    int i, code = CTL_DONE;

    if (!ctl->files) {
        return ctl->argc > skip
                   ? ctl_fail(CTL_USAGE, "There is too much. Secrets are read from standard input.")
                   : CTL_DONE;
    }
    for (i = 0; i < ctl->files->nelts && code == CTL_DONE; i++) {
        code = cmd_narrow_file(ctl, &files, APR_ARRAY_IDX(ctl->files, i, const char *));
    }
    for (i = skip; i < ctl->argc && code == CTL_DONE; i++) {
        code = cmd_narrow_file(ctl, &files, ctl->argv[i]);
    }
    *narrow = narrow_files_all(&files);
    return code;
}

static int cmd_narrow_uses(ctl_t *ctl, apr_int64_t *uses)
{
    char *end;

    if (!ctl->uses) {
        return CTL_DONE;
    }
    *uses = apr_strtoi64(ctl->uses, &end, 10);
    return *end || *uses < 1 || *uses > CAVEAT_USES_MAX
               ? ctl_fail(CTL_USAGE, "--uses takes a number from 1 to %d.", CAVEAT_USES_MAX)
               : CTL_DONE;
}

int cmd_narrow_expires(ctl_t *ctl, apr_int64_t *at)
{
    if (ctl->expires && duration_ahead(slice_of(ctl->expires), ctl->seam->now(), at)) {
        return ctl_fail(CTL_USAGE, "--expires takes a span like 10m, 2h, 30d, 1y or a time like "
                                   "2030-01-31T12:00Z.");
    }
    return CTL_DONE;
}

int cmd_narrow_options(ctl_t *ctl, apr_array_header_t *caveats, narrow_t *narrow, int skip)
{
    narrow_t files = {0};
    apr_int64_t now = ctl->seam->now();
    const char *wrong;
    int code = cmd_narrow_uses(ctl, &narrow->uses);

    narrow->networks = ctl->networks;
    narrow->versions = ctl->versions;
    narrow->globs = ctl->globs;
    narrow->kinds = ctl->kinds;
    narrow->only_new = ctl->only_new;
    narrow->only_existing = ctl->only_existing;
    if (code == CTL_DONE) {
        code = cmd_narrow_files(ctl, &files, skip);
    }
    if (code != CTL_DONE) {
        return code;
    }
    wrong = narrow_caveats(caveats, narrow, now, ctl->pool);
    if (!wrong) {
        wrong = narrow_caveats(caveats, &files, now, ctl->pool);
    }
    return wrong ? ctl_fail(CTL_USAGE, "%s", wrong) : CTL_DONE;
}

int cmd_narrow_run(ctl_t *ctl)
{
    static const table_column_t columns[] = {{"Token", "id", TABLE_TEXT, 0},
                                             {"Restrictions", "restrictions", TABLE_TEXT, 0}};
    apr_array_header_t *caveats = apr_array_make(ctl->pool, 8, sizeof(slice_t));
    narrow_t narrow = {.projects = ctl->projects};
    store_token_t row = {0};
    store_rc_t rc;
    int code = cmd_narrow_expires(ctl, &narrow.expires);

    if (code == CTL_DONE) {
        code = cmd_narrow_options(ctl, caveats, &narrow, 1);
    }
    if (code == CTL_DONE && caveats->nelts == 0) {
        code = ctl_fail(CTL_USAGE, "Narrow it to what? See --help.");
    }
    if (code == CTL_DONE) {
        code = cmd_token_find(ctl, &row, CTL_KEYS_NEEDED);
    }
    if (code != CTL_DONE) {
        return code;
    }
    rc = store_token_narrow(ctl->store, slice_of(row.id), (const slice_t *)caveats->elts,
                            (apr_size_t)caveats->nelts, ctl->pool);
    if (rc == STORE_CONFLICT) {
        return ctl_fail(CTL_REFUSED,
                        "The token was changed by somebody else in this moment, or has "
                        "too many restrictions. Look at it with 'token show'.");
    }
    code = ctl_answer(rc, "token");
    if (code == CTL_DONE) {
        const char *words = caveat_describe_all((const slice_t *)caveats->elts,
                                                (apr_size_t)caveats->nelts, ctl->pool);
        const table_cell_t cells[] = {TABLE_STRING(row.id), TABLE_STRING(words)};

        ctl_say(ctl, columns, 2, cells, "Token %s of user %s is narrower now: %s.", row.id,
                row.user_name, words);
        code = ctl_record(ctl, "token-narrowed", row.id, NULL, words);
    }
    return code;
}
