/* cmd_leak.c - "token revoke --from-file": every token of ours that a text holds. */
#include "ctl/cmd.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "access/leak.h"
#include "core/scan.h"

#define CMD_LEAK_CHUNK 65536

typedef struct cmd_leak_t {
    ctl_t *ctl;
    const char *place;
    table_t *table;
    int found, revoked, down;
} cmd_leak_t;

static void cmd_leak_found(void *baton, slice_t token)
{
    cmd_leak_t *l = baton;
    ctl_t *ctl = l->ctl;
    store_token_t row;
    leak_t leak = leak_revoke(ctl->store, token, ctl_actor(ctl), l->place, NULL, &row, ctl->pool);

    l->found++;
    l->down += leak == LEAK_DOWN;
    l->revoked += leak == LEAK_REVOKED;
    if (leak == LEAK_REVOKED || leak == LEAK_BEFORE) {
        const table_cell_t cells[] = {TABLE_STRING(row.id), TABLE_STRING(row.user_name),
                                      TABLE_STRING(row.name),
                                      TABLE_STRING(leak == LEAK_REVOKED ? "revoked" : "before")};

        table_add(l->table, cells);
    }
}

static int cmd_leak_read(ctl_t *ctl, const char *path, scan_t *scan)
{
    char *chunk = apr_palloc(ctl->pool, CMD_LEAK_CHUNK), why[120];
    apr_size_t n = CMD_LEAK_CHUNK;
    apr_file_t *file;
    ctl_caller_t caller;
    apr_status_t rv;

    ctl_caller_begin(&caller); /* a log is often root's alone */
    rv = strcmp(path, "-") == 0
             ? apr_file_open_stdin(&file, ctl->pool)
             : apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, ctl->pool);
    ctl_caller_end(&caller);
    while (rv == APR_SUCCESS && (rv = apr_file_read(file, chunk, &n)) == APR_SUCCESS) {
        scan_feed(scan, chunk, n);
        n = CMD_LEAK_CHUNK;
    }
    scan_end(scan);
    sodium_memzero(chunk, CMD_LEAK_CHUNK);
    return rv == APR_EOF ? CTL_DONE
                         : ctl_fail(CTL_REFUSED, "%s cannot be read: %s.", path,
                                    apr_strerror(rv, why, sizeof(why)));
}

int cmd_leak_run(ctl_t *ctl)
{
    static const table_column_t columns[] = {{"TOKEN", "id", TABLE_TEXT, 0},
                                             {"USER", "user", TABLE_TEXT, 0},
                                             {"NAME", "name", TABLE_TEXT, 0},
                                             {"STATE", "state", TABLE_TEXT, 0}};
    cmd_leak_t l = {ctl, apr_pstrcat(ctl->pool, "found in ", ctl->from_file, NULL), NULL, 0, 0, 0};
    int code = ctl_open(ctl, CTL_KEYS_NEEDED);

    if (code != CTL_DONE) {
        return code;
    }
    l.table = table_make(columns, 4, ctl->json, ctl->pool);
    code = cmd_leak_read(ctl, ctl->from_file, scan_create(cmd_leak_found, &l, ctl->pool));
    table_print(l.table, stdout);
    ctl_remark(ctl, "%d that look like tokens, %d of them revoked now.", l.found, l.revoked);
    return l.down ? ctl_fail(CTL_DOWN, "The store failed for %d of them: run this again.", l.down)
                  : code;
}

int cmd_leak_pattern(ctl_t *ctl)
{
    static const table_column_t columns[] = {{NULL, "service", TABLE_TEXT, 0},
                                             {NULL, "pattern", TABLE_TEXT, 0}};
    int code = ctl_configure(ctl);
    char *pattern;

    if (code != CTL_DONE) {
        return code;
    }
    if (!ctl->service) {
        return ctl_fail(CTL_USAGE, "No service is named: use --service NAME, PYPITOKEN_SERVICE or "
                                   "'service =' in " CTL_CONFIG ".");
    }
    pattern = token_pattern(slice_of(ctl->service), ctl->pool);
    if (!pattern) {
        return ctl_fail(CTL_REFUSED, "No token can be of that service: its name is too long.");
    }
    {
        const table_cell_t cells[] = {TABLE_STRING(ctl->service), TABLE_STRING(pattern)};

        ctl_say(ctl, columns, 2, cells, "%s", pattern);
    }
    return CTL_DONE;
}
