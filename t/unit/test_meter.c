/* test_meter.c - counters that are shared, and the text they become. */
#include "tap.h"

#include "core/meter.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const meter_gauges_t none = {0, 0, 0, 0};

/* 1 when the text has exactly this line. */
static int has(const char *text, const char *line)
{
    apr_size_t n = strlen(line);
    const char *at = text;

    while ((at = strstr(at, line))) {
        if ((at == text || at[-1] == '\n') && at[n] == '\n') {
            return 1;
        }
        at += n;
    }
    return 0;
}

static void layout(void)
{
    void *memory = calloc(1, meter_size());
    meter_t *m;

    tap_ok(meter_map(memory, meter_size()) == NULL, "zeros are no block");
    m = meter_make(memory, 1700000000);
    tap_ok(meter_map(memory, meter_size()) == m, "one that was made is");
    tap_ok(meter_map(memory, meter_size() - 8) == NULL, "one of another size is not");
    ((unsigned char *)memory)[0] ^= 1;
    tap_ok(meter_map(memory, meter_size()) == NULL, "nor one of another layout");
    free(memory);
}

static void counting(apr_pool_t *pool)
{
    meter_t *m = meter_make(calloc(1, meter_size()), 1700000000);
    meter_gauges_t gauges = {3, 36, 1, 6};
    meter_summary_t s;
    const char *text;

    meter_verdict(m, VERDICT_ALLOWED);
    meter_verdict(m, VERDICT_TOKEN_EXPIRED);
    meter_verdict(m, VERDICT_TOKEN_EXPIRED);
    meter_verdict(m, VERDICT_COUNT); /* a word of another version: counted nowhere */
    meter_upload(m, METER_ARRIVED, 1000);
    meter_upload(m, METER_UNKNOWN, 24);
    meter_spooled(m, 1000);
    text = meter_text(m, &gauges, pool);
    tap_ok(has(text, "pypitoken_verdicts_total{verdict=\"allowed\"} 1"), "one was allowed");
    tap_ok(has(text, "pypitoken_verdicts_total{verdict=\"token-expired\"} 2"), "two were too late");
    tap_ok(has(text, "pypitoken_verdicts_total{verdict=\"internal\"} 0"), "every word has a line");
    tap_ok(has(text, "pypitoken_uploads_total{end=\"arrived\"} 1") &&
               has(text, "pypitoken_uploads_total{end=\"refused\"} 0") &&
               has(text, "pypitoken_uploads_total{end=\"unknown\"} 1") &&
               has(text, "pypitoken_upload_bytes_total 1024"),
           "uploads and their bytes");
    tap_ok(has(text, "pypitoken_spool_files_total 1") &&
               has(text, "pypitoken_spool_bytes_total 1000"),
           "what went to files");
    tap_ok(has(text, "pypitoken_spools 3") && has(text, "pypitoken_spools_max 36") &&
               has(text, "pypitoken_drains 1") && has(text, "pypitoken_drains_max 6"),
           "gauges");
    tap_ok(has(text, "pypitoken_start_time_seconds 1700000000"), "since when");
    meter_summary(m, &s);
    tap_ok(s.decided == 3 && s.allowed == 1 && s.bytes == 1024 && s.uploads[METER_UNKNOWN] == 1,
           "the summary says the same");
    free(m);
}

static void histogram(apr_pool_t *pool)
{
    meter_t *m = meter_make(calloc(1, meter_size()), 0);
    const char *text;

    meter_store(m, METER_DONE, 100, 10);
    meter_store(m, METER_DONE, 101, 10);
    meter_store(m, METER_DONE, 999, 10);
    meter_store(m, METER_DONE, -5, 10); /* the clock was set back */
    meter_store(m, METER_FAILED, 7000000, 10);
    text = meter_text(m, &none, pool);
    tap_ok(has(text, "pypitoken_store_seconds_bucket{le=\"0.0001\"} 2"),
           "a bound belongs to its bucket");
    tap_ok(has(text, "pypitoken_store_seconds_bucket{le=\"0.00025\"} 3") &&
               has(text, "pypitoken_store_seconds_bucket{le=\"0.0005\"} 3") &&
               has(text, "pypitoken_store_seconds_bucket{le=\"0.001\"} 4") &&
               has(text, "pypitoken_store_seconds_bucket{le=\"5\"} 4"),
           "buckets hold all that is below");
    tap_ok(has(text, "pypitoken_store_seconds_bucket{le=\"+Inf\"} 5") &&
               has(text, "pypitoken_store_seconds_count 5"),
           "the last holds everything");
    tap_ok(has(text, "pypitoken_store_seconds_sum 7.001200"), "the sum, in seconds");
    free(m);
}

static void breaker(apr_pool_t *pool)
{
    meter_t *m = meter_make(calloc(1, meter_size()), 0);
    meter_summary_t s;
    int i;
    static const struct {
        meter_store_t end;
        apr_int64_t at;
        int up, open;
        const char *what;
    } story[] = {{METER_DONE, 10, 1, 0, "it works"},
                 {METER_FAILED, 12, 0, 0, "it fails"},
                 {METER_SHUT, 13, 0, 1, "it is left alone"},
                 {METER_FAILED, 15, 0, 1, "it was tried, and fails"},
                 {METER_DONE, 16, 1, 0, "it works again"}};

    meter_summary(m, &s);
    tap_ok(s.store_up && !s.breaker_open, "before its first use it is taken for well");
    for (i = 0; i < 5; i++) {
        meter_store(m, story[i].end, 10, story[i].at);
        meter_summary(m, &s);
        tap_ok(s.store_up == story[i].up && s.breaker_open == story[i].open, "%s", story[i].what);
    }
    tap_ok(has(meter_text(m, &none, pool), "pypitoken_store_operations_total{end=\"shut\"} 1") &&
               has(meter_text(m, &none, pool), "pypitoken_store_seconds_count 4"),
           "who was turned away has not waited");
    free(m);
}

static void *crowd(void *data)
{
    int i;

    for (i = 0; i < 50000; i++) {
        meter_verdict(data, VERDICT_ALLOWED);
        meter_store(data, METER_DONE, i, 1);
    }
    return NULL;
}

static void threads(apr_pool_t *pool)
{
    meter_t *m = meter_make(calloc(1, meter_size()), 0);
    pthread_t all[4];
    const char *text;
    int i;

    for (i = 0; i < 4; i++) {
        pthread_create(&all[i], NULL, crowd, m);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(all[i], NULL);
    }
    text = meter_text(m, &none, pool);
    tap_ok(has(text, "pypitoken_verdicts_total{verdict=\"allowed\"} 200000") &&
               has(text, "pypitoken_store_seconds_count 200000"),
           "four threads, and no count is lost");
    free(m);
}

/* Each line is a comment, or a name with at most one label and a number; each name was announced.
 */
static void form(apr_pool_t *pool)
{
    meter_t *m = meter_make(calloc(1, meter_size()), 0);
    char *text = apr_pstrdup(pool, meter_text(m, &none, pool)), *state = NULL, *line;
    int bad = 0, lines = 0;

    for (line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        const char *value = strrchr(line, ' ');

        lines++;
        bad += strncmp(line, "# HELP pypitoken_", 17) != 0 &&
               strncmp(line, "# TYPE pypitoken_", 17) != 0 &&
               (strncmp(line, "pypitoken_", 10) != 0 || !value ||
                value[1 + strspn(value + 1, "0123456789.")] != '\0');
    }
    tap_ok(lines > 100 && !bad, "every line has the form (%d lines, %d bad)", lines, bad);
    free(m);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    layout();
    counting(pool);
    histogram(pool);
    breaker(pool);
    threads(pool);
    form(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
