/* test_follow.c - rows that come to light in another order than that of their numbers. */
#include "ctl/follow.h"

#include <apr_general.h>
#include <string.h>

#include "tap.h"

#define NOW 1700000000

static apr_pool_t *p;

/* One reading of these rows (0 ends them), all of now. The text of those that were new. */
static const char *reading(follow_t *f, apr_int64_t now, const int *ids)
{
    static char text[200];
    apr_size_t n = 0;

    text[0] = '\0';
    for (; *ids; ids++) {
        if (*ids > follow_after(f) && follow_new(f, *ids, now, now)) {
            n += (apr_size_t)snprintf(text + n, sizeof(text) - n, "%d ", *ids);
        }
    }
    follow_settle(f, now);
    return text;
}

#define READ(f, now, ...) reading(f, now, (const int[]){__VA_ARGS__, 0})

static void in_order(void)
{
    follow_t *f = follow_make(p);

    tap_ok(!strcmp(READ(f, NOW, 1, 2, 3), "1 2 3 ") && follow_after(f) == 3, "one after the other");
    tap_ok(!strcmp(READ(f, NOW + 1, 4), "4 ") && follow_after(f) == 4, "  is read once");
    tap_ok(!strcmp(READ(f, NOW + 1, 4, 3), "") && follow_after(f) == 4, "  and told once");
}

static void gaps(void)
{
    follow_t *f = follow_make(p);

    tap_ok(!strcmp(READ(f, NOW, 1, 2, 5, 7), "1 2 5 7 ") && follow_after(f) == 2,
           "after a gap the reading goes on below it");
    tap_ok(!strcmp(READ(f, NOW + 1, 5, 7), "") && follow_after(f) == 2, "  without telling again");
    tap_ok(!strcmp(READ(f, NOW + 2, 4, 5, 7, 8), "4 8 ") && follow_after(f) == 2,
           "what comes to light is told");
    tap_ok(!strcmp(READ(f, NOW + 3, 3, 4, 5, 7, 8), "3 ") && follow_after(f) == 5,
           "  and closes the gap");
    tap_ok(!strcmp(READ(f, NOW + FOLLOW_GRACE - 1, 7, 8), "") && follow_after(f) == 5,
           "a gap is waited for");
    tap_ok(!strcmp(READ(f, NOW + FOLLOW_GRACE, 7, 8), "") && follow_after(f) == 8,
           "  so long, and what is above it goes along");
    tap_ok(!strcmp(READ(f, NOW + FOLLOW_GRACE, 6), ""), "  and then not any more");
}

static void history(void)
{
    follow_t *f = follow_make(p);
    int i, told = 0;

    for (i = 1; i <= 1000; i++) {
        told += follow_new(f, 3 * i, NOW - 1000000 + i, NOW);
    }
    told += follow_new(f, 3003, NOW, NOW);
    follow_settle(f, NOW);
    tap_ok(told == 1001 && follow_after(f) == 3000, "old rows are not read again, whatever gaps");
}

/* Numbers in any order: each is told once. */
static void any_order(void)
{
    follow_t *f = follow_make(p);
    char told[301];
    int i, round, again = 0, never = 0;

    memset(told, 0, sizeof(told));
    for (round = 0; round < 60; round++) {
        for (i = 1; i <= 300; i++) {
            /* visible from a round on that is its own, at most 20 rounds late */
            if (round >= i / 10 + (i * 7919) % 20 && i > follow_after(f) &&
                follow_new(f, i, NOW + round, NOW + round)) {
                again += told[i];
                told[i] = 1;
            }
        }
        follow_settle(f, NOW + round);
    }
    for (i = 1; i <= 300; i++) {
        never += !told[i];
    }
    tap_ok(!again && !never, "in any order each is told, and told once (%d, %d)", again, never);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&p, NULL);
    in_order();
    gaps();
    history();
    any_order();
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
