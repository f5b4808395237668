/* cmd_events.c - what happened, and what is happening. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <apr_time.h>

#include "core/duration.h"
#include "ctl/follow.h"

/* How long --follow waits before it looks again. */
#define CMD_EVENTS_PAUSE apr_time_from_sec(1)

static const table_column_t cmd_events_columns[] = {
    {NULL, "id", TABLE_NUMBER, 0},          {"TIME", "at", TABLE_TIME, 20},
    {"KIND", "kind", TABLE_TEXT, 16},       {"USER", "user", TABLE_TEXT, 12},
    {"PROJECT", "project", TABLE_TEXT, 16}, {NULL, "token", TABLE_TEXT, 0},
    {"FILE", "file", TABLE_TEXT, 28},       {"ADDRESS", "address", TABLE_TEXT, 15},
    {NULL, "agent", TABLE_TEXT, 0},         {"TIMES", "times", TABLE_NUMBER, 5},
    {"VERDICT", "verdict", TABLE_TEXT, 13}, {"DETAIL", "detail", TABLE_TEXT, 0},
};
#define CMD_EVENTS_N (sizeof(cmd_events_columns) / sizeof(cmd_events_columns[0]))

typedef struct cmd_events_t {
    table_t *table;
    apr_pool_t *line; /* cleared after every row: --follow has no end */
    follow_t *follow; /* NULL: one reading */
    apr_int64_t now;  /* of this reading */
} cmd_events_t;

static int cmd_events_row(void *baton, const store_event_t *row)
{
    const table_cell_t cells[] = {
        TABLE_INT(row->id),      TABLE_INT(row->at),         TABLE_STRING(row->kind),
        TABLE_STRING(row->user), TABLE_STRING(row->project), TABLE_STRING(row->token_id),
        TABLE_STRING(row->file), TABLE_STRING(row->address), TABLE_STRING(row->agent),
        TABLE_INT(row->times),   TABLE_STRING(row->verdict), TABLE_STRING(row->detail),
    };
    cmd_events_t *events = baton;

    if (!events->follow || follow_new(events->follow, row->id, row->at, events->now)) {
        table_line(events->table, cells, stdout, events->line);
        apr_pool_clear(events->line);
    }
    return 0;
}

/* Where to begin. 0, or -1 after a complaint. */
static int cmd_events_since(ctl_t *ctl, apr_int64_t *since)
{
    apr_int64_t now = ctl->seam->now();

    *since = ctl->follow ? now : 0;
    if (ctl->since && duration_back(slice_of(ctl->since), now, since)) {
        return ctl_fail(-1, "--since takes a span like 10m, 2h, 30d or a time like "
                            "2030-01-31T12:00Z.");
    }
    return 0;
}

int cmd_events_run(ctl_t *ctl)
{
    cmd_events_t events = {0};
    const char *project;
    apr_int64_t since;
    store_rc_t rc;
    int code;

    if (ctl_project_filter(ctl, &project) || cmd_events_since(ctl, &since)) {
        return CTL_USAGE;
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code != CTL_DONE) {
        return code;
    }
    apr_pool_create(&events.line, ctl->pool);
    events.follow = ctl->follow ? follow_make(ctl->pool) : NULL;
    events.table = table_make(cmd_events_columns, CMD_EVENTS_N, ctl->json, ctl->pool);
    table_heading(events.table, stdout);
    for (;;) {
        events.now = ctl->seam->now();
        rc = store_event_list(ctl->store, ctl->user, project, since,
                              events.follow ? follow_after(events.follow) : 0, cmd_events_row,
                              &events);
        if (rc != STORE_OK || !events.follow || fflush(stdout)) {
            return ctl_answer(rc, "event");
        }
        follow_settle(events.follow, events.now);
        apr_sleep(CMD_EVENTS_PAUSE);
    }
}

/* ---- prune ---- */

/* So many events are removed in one transaction, with a pause after each for those who wait. */
#define CMD_EVENTS_BATCH 1000
#define CMD_EVENTS_REST  apr_time_from_msec(20)

/* Which events go: those before *before. 0, or -1 after a complaint. */
static int cmd_events_before(ctl_t *ctl, apr_int64_t *before)
{
    apr_int64_t now = ctl->seam->now(), span;

    if (!ctl->before == !ctl->keep) {
        return ctl_fail(-1, "Say either --before or --keep.");
    }
    if (ctl->before && (duration_point(slice_of(ctl->before), before) || *before > now)) {
        return ctl_fail(-1, "--before takes a time that is past, like 2026-01-31.");
    }
    if (ctl->keep) {
        if (duration_span(slice_of(ctl->keep), &span) || span > now) {
            return ctl_fail(-1, "--keep takes a span like 90d or 1y.");
        }
        *before = now - span;
    }
    return 0;
}

int cmd_events_prune(ctl_t *ctl)
{
    static const table_column_t columns[] = {{"Removed", "removed", TABLE_NUMBER, 0},
                                             {"Before", "before", TABLE_TIME, 0}};
    apr_int64_t before = 0, removed = 0, sum = 0;
    const char *iso;
    int code;

    if (cmd_events_before(ctl, &before)) {
        return CTL_USAGE;
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    iso = duration_iso(before, ctl->pool);
    if (code == CTL_DONE) { /* first of all: also what is cut off leaves a trace */
        code = ctl_record(ctl, "events-pruned", NULL, NULL,
                          apr_pstrcat(ctl->pool, "before ", iso, NULL));
    }
    while (code == CTL_DONE) {
        code =
            ctl_answer(store_event_prune(ctl->store, before, CMD_EVENTS_BATCH, &removed), "event");
        sum += removed;
        if (code != CTL_DONE || removed == 0) {
            break;
        }
        apr_sleep(CMD_EVENTS_REST);
    }
    if (code == CTL_DONE || sum) {
        const table_cell_t cells[] = {TABLE_INT(sum), TABLE_INT(before)};

        ctl_say(ctl, columns, 2, cells, "%" APR_INT64_T_FMT " events from before %s are removed.",
                sum, iso);
    }
    return code;
}
