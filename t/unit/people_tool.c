/*
 * people_tool.c - codes computed and matched, passwords judged, one request a line: the driver that
 * t/people.t holds against oathtool and a list of passwords. Not installed.
 *
 *   code HASH DIGITS SEED COUNTER          -> the code (SEED in hexadecimal)
 *   match HASH DIGITS SEED TIME CODE       -> the counter, or -1
 *   password NAME PASSWORD                 -> ok, or no (both in hexadecimal)
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/password_rule.h"
#include "core/totp.h"

#define TOOL_LINE  20000
#define TOOL_WORDS 6

static slice_t tool_bytes(const char *hex, apr_pool_t *pool)
{
    size_t n = strlen(hex), got = 0;
    unsigned char *p = apr_palloc(pool, n / 2 + 1);

    if (sodium_hex2bin(p, n / 2 + 1, hex, n, NULL, &got, NULL) != 0) {
        got = 0;
    }
    return slice_make((const char *)p, got);
}

static void tool_answer(char **w, int n, apr_pool_t *pool)
{
    char code[TOTP_DIGITS_MAX + 1];
    totp_t t;

    if (n == 3 && strcmp(w[0], "password") == 0) {
        puts(password_rule_check(tool_bytes(w[2], pool), tool_bytes(w[1], pool), pool) ? "no"
                                                                                       : "ok");
        return;
    }
    if (n < 5) {
        puts("usage");
        return;
    }
    t.hash = totp_hash_of(slice_of(w[1]));
    t.digits = (int)strtol(w[2], NULL, 10);
    t.period = TOTP_PERIOD;
    t.seed = tool_bytes(w[3], pool);
    if (strcmp(w[0], "code") == 0) {
        (void)totp_code(&t, strtoll(w[4], NULL, 10), code);
        puts(code);
    } else {
        printf("%lld\n", (long long)totp_match(&t, slice_of(w[5]), strtoll(w[4], NULL, 10)));
    }
}

int main(void)
{
    static char line[TOOL_LINE];
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    while (fgets(line, sizeof(line), stdin)) {
        char *w[TOOL_WORDS] = {"", "", "", "", "", ""}, *rest = line, *word;
        int n = 0;

        while (n < TOOL_WORDS && (word = strsep(&rest, " \n")) && *word) {
            w[n++] = word;
        }
        tool_answer(w, n, pool);
        apr_pool_clear(pool);
    }
    apr_terminate();
    return 0;
}
