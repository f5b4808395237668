/* test_breaker.c - the states of a breaker, one call after the other. */
#include "store/breaker.h"
#include "tap.h"

#define PAUSE 1000

static breaker_t b;

static int fail(int times, apr_time_t now)
{
    int entered = 0;

    while (times--) {
        entered += breaker_enter(&b, now);
        breaker_bad(&b, now);
    }
    return entered;
}

static void opens(void)
{
    breaker_init(&b, PAUSE);
    tap_ok(fail(BREAKER_FAILURES - 1, 10) == BREAKER_FAILURES - 1 && breaker_enter(&b, 10),
           "a few failures do not open it");
    breaker_good(&b);
    tap_ok(fail(BREAKER_FAILURES - 1, 10) == BREAKER_FAILURES - 1 && breaker_enter(&b, 10),
           "nor do more, with a success between");
    breaker_bad(&b, 10);
    tap_ok(!breaker_enter(&b, 10) && !breaker_enter(&b, 10 + PAUSE - 1),
           "as many in a row do: nobody enters for a pause");
    tap_ok(breaker_enter(&b, 10 + PAUSE), "then one may try");
    tap_ok(!breaker_enter(&b, 10 + PAUSE) && !breaker_enter(&b, 9 + 2 * PAUSE), "  and only one");
}

static void tries(void)
{
    breaker_init(&b, PAUSE);
    (void)fail(BREAKER_FAILURES, 0);
    (void)breaker_enter(&b, PAUSE);
    breaker_bad(&b, PAUSE + 5);
    tap_ok(!breaker_enter(&b, 2 * PAUSE + 4) && breaker_enter(&b, 2 * PAUSE + 5),
           "one that fails: another pause from there");
    breaker_good(&b);
    tap_ok(breaker_enter(&b, 2 * PAUSE + 6) && breaker_enter(&b, 2 * PAUSE + 6),
           "one that succeeds lets all in");
    tap_ok(fail(BREAKER_FAILURES - 1, 0) == BREAKER_FAILURES - 1 && breaker_enter(&b, 0),
           "  and is counted from nothing again");
    breaker_init(&b, PAUSE);
    (void)fail(BREAKER_FAILURES, 0);
    (void)breaker_enter(&b, PAUSE);
    breaker_neither(&b, PAUSE + 1);
    tap_ok(breaker_enter(&b, PAUSE + 1), "one that did not come to it leaves the try to the next");
    tap_ok(!breaker_enter(&b, 2 * PAUSE) && breaker_enter(&b, 2 * PAUSE + 1),
           "one that is never heard of again is waited for as long as a pause");
}

static void late(void)
{
    breaker_init(&b, PAUSE);
    (void)fail(BREAKER_FAILURES, 0);
    breaker_bad(&b, 500);
    tap_ok(!breaker_enter(&b, PAUSE) && breaker_enter(&b, 500 + PAUSE),
           "the failure of one who was in before puts it off");
    breaker_good(&b);
    breaker_neither(&b, 500 + PAUSE);
    tap_ok(breaker_enter(&b, 500 + PAUSE), "a closed one is not opened by who did not come to it");
    breaker_init(&b, 0);
    tap_ok(fail(100, 0) == 100 && breaker_enter(&b, 0), "without a pause it never opens");
}

int main(void)
{
    opens();
    tries();
    late();
    return tap_done();
}
