/* tap.h - the few lines that a unit test needs to speak TAP. */
#ifndef PYPITOKEN_TAP_H
#define PYPITOKEN_TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static int tap_ok(int pass, const char *fmt, ...)
{
    va_list ap;

    printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    tap_failed += !pass;
    return pass;
}

/* Ends the test; the value of main. A test without a single check fails. */
__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed || tap_count == 0;
}

#endif
