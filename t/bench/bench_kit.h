/*
 * bench_kit.h - what the programs that measure have in common: a clock, a line of JSON, a way out.
 *
 * One thread.
 */
#ifndef PYPITOKEN_BENCH_KIT_H
#define PYPITOKEN_BENCH_KIT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of this thread alone, whatever else the machine does; but a disk is waited for. */
static clockid_t bench_clock = CLOCK_THREAD_CPUTIME_ID;

static double bench_now(void)
{
    struct timespec t;

    clock_gettime(bench_clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void bench_say(const char *variant, double count, double start)
{
    printf("{\"variant\": \"%s\", \"count\": %.0f, \"seconds\": %.9f}\n", variant, count,
           bench_now() - start);
    fflush(stdout);
}

static void bench_check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
        exit(1);
    }
}

#endif
