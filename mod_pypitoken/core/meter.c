/* meter.c - shared counters and their text; see meter.h. */
#include "core/meter.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <stdatomic.h>
#include <string.h>

/* Raise it with every change of what stands where. */
#define METER_LAYOUT 1

typedef _Atomic(apr_int64_t) meter_word_t;

/* Upper bounds of the histogram's buckets, in microseconds, and how they are written. */
typedef struct meter_bound_t {
    apr_interval_time_t us;
    const char *seconds;
} meter_bound_t;

static const meter_bound_t meter_bounds[] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"},
    {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},
    {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},
};

#define METER_BOUNDS (sizeof(meter_bounds) / sizeof(meter_bounds[0]))

struct meter_t {
    apr_uint64_t layout;
    apr_int64_t started;
    meter_word_t verdicts[VERDICT_COUNT];
    meter_word_t uploads[METER_UPLOADS];
    meter_word_t bytes;
    meter_word_t spool_files, spool_bytes;
    meter_word_t stores[METER_STORES];
    meter_word_t buckets[METER_BOUNDS + 1]; /* not cumulative; the last is all that took longer */
    meter_word_t took;                      /* microseconds */
    meter_word_t seen[METER_STORES];        /* when each was last, in seconds */
};

static const char *const meter_upload_words[] = {"arrived", "refused", "unknown"};
static const char *const meter_store_words[] = {"done", "failed", "shut"};

/* FNV-1a over the words: a module with others must not count in their places. */
static apr_uint64_t meter_layout(void)
{
    apr_uint64_t h = APR_UINT64_C(14695981039346656037) + METER_LAYOUT;
    const char *p;
    int i;

    for (i = 0; i < VERDICT_COUNT; i++) {
        for (p = verdict_word((verdict_code_t)i); *p; p++) {
            h = (h ^ (unsigned char)*p) * APR_UINT64_C(1099511628211);
        }
        h = (h ^ ',') * APR_UINT64_C(1099511628211);
    }
    return h;
}

apr_size_t meter_size(void)
{
    return sizeof(meter_t);
}

meter_t *meter_make(void *memory, apr_int64_t now)
{
    meter_t *m = memory;

    memset(memory, 0, sizeof(*m));
    m->started = now;
    m->layout = meter_layout();
    return m;
}

meter_t *meter_map(void *memory, apr_size_t size)
{
    meter_t *m = memory;

    return size == sizeof(*m) && m->layout == meter_layout() ? m : NULL;
}

/* ---- counting ---- */

static void meter_add(meter_word_t *word, apr_int64_t n)
{
    (void)atomic_fetch_add_explicit(word, n, memory_order_relaxed);
}

static apr_int64_t meter_get(const meter_word_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

void meter_verdict(meter_t *m, verdict_code_t code)
{
    if (code < VERDICT_COUNT) {
        meter_add(&m->verdicts[code], 1);
    }
}

void meter_upload(meter_t *m, meter_upload_t end, apr_int64_t bytes)
{
    meter_add(&m->uploads[end], 1);
    meter_add(&m->bytes, bytes);
}

void meter_spooled(meter_t *m, apr_int64_t bytes)
{
    meter_add(&m->spool_files, 1);
    meter_add(&m->spool_bytes, bytes);
}

void meter_store(meter_t *m, meter_store_t end, apr_interval_time_t took, apr_int64_t now)
{
    apr_size_t i = 0;

    meter_add(&m->stores[end], 1);
    atomic_store_explicit(&m->seen[end], now, memory_order_relaxed);
    if (end == METER_SHUT) {
        return; /* nobody waited */
    }
    while (i < METER_BOUNDS && took > meter_bounds[i].us) {
        i++;
    }
    meter_add(&m->buckets[i], 1);
    meter_add(&m->took, took > 0 ? took : 0);
}

/* ---- reading ---- */

/* 1 while the database is being left alone: the breaker has answered since it last worked. A child
 * that found it well again ends this for all, as far as can be told from here. */
static int meter_open(const meter_t *m)
{
    return meter_get(&m->seen[METER_SHUT]) > meter_get(&m->seen[METER_DONE]);
}

static int meter_up(const meter_t *m)
{
    return meter_get(&m->seen[METER_FAILED]) <= meter_get(&m->seen[METER_DONE]) && !meter_open(m);
}

void meter_summary(const meter_t *m, meter_summary_t *out)
{
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < VERDICT_COUNT; i++) {
        out->decided += meter_get(&m->verdicts[i]);
    }
    out->allowed = meter_get(&m->verdicts[VERDICT_ALLOWED]);
    for (i = 0; i < METER_UPLOADS; i++) {
        out->uploads[i] = meter_get(&m->uploads[i]);
    }
    for (i = 0; i < METER_STORES; i++) {
        out->store[i] = meter_get(&m->stores[i]);
    }
    out->bytes = meter_get(&m->bytes);
    out->spooled = meter_get(&m->spool_files);
    out->store_up = meter_up(m);
    out->breaker_open = meter_open(m);
}

/* A text that grows. */
typedef struct meter_out_t {
    apr_array_header_t *parts;
    apr_pool_t *pool;
} meter_out_t;

static void meter_put(meter_out_t *o, const char *text)
{
    APR_ARRAY_PUSH(o->parts, const char *) = text;
}

static void meter_head(meter_out_t *o, const char *name, const char *type, const char *help)
{
    meter_put(o, apr_psprintf(o->pool, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type));
}

static void meter_line(meter_out_t *o, const char *name, const char *label, const char *value,
                       apr_int64_t n)
{
    meter_put(o, label ? apr_psprintf(o->pool, "%s{%s=\"%s\"} %" APR_INT64_T_FMT "\n", name, label,
                                      value, n)
                       : apr_psprintf(o->pool, "%s %" APR_INT64_T_FMT "\n", name, n));
}

static void meter_one(meter_out_t *o, const char *name, const char *type, const char *help,
                      apr_int64_t n)
{
    meter_head(o, name, type, help);
    meter_line(o, name, NULL, NULL, n);
}

static void meter_histogram(meter_out_t *o, const meter_t *m)
{
    static const char *const name = "pypitoken_store_seconds";
    const char *bucket = apr_pstrcat(o->pool, name, "_bucket", NULL);
    apr_int64_t sum = 0, took = meter_get(&m->took);
    apr_size_t i;

    meter_head(o, name, "histogram", "How long uses of the database took.");
    for (i = 0; i < METER_BOUNDS; i++) {
        sum += meter_get(&m->buckets[i]);
        meter_line(o, bucket, "le", meter_bounds[i].seconds, sum);
    }
    sum += meter_get(&m->buckets[METER_BOUNDS]);
    meter_line(o, bucket, "le", "+Inf", sum);
    meter_put(o, apr_psprintf(o->pool, "%s_sum %" APR_INT64_T_FMT ".%06d\n", name, took / 1000000,
                              (int)(took % 1000000)));
    meter_line(o, apr_pstrcat(o->pool, name, "_count", NULL), NULL, NULL, sum);
}

static void meter_uploads(meter_out_t *o, const meter_t *m)
{
    int i;

    meter_head(o, "pypitoken_uploads_total", "counter",
               "Uploads that the guard let through, by what the back end answered.");
    for (i = 0; i < METER_UPLOADS; i++) {
        meter_line(o, "pypitoken_uploads_total", "end", meter_upload_words[i],
                   meter_get(&m->uploads[i]));
    }
    meter_one(o, "pypitoken_upload_bytes_total", "counter", "Bytes of these uploads.",
              meter_get(&m->bytes));
    meter_one(o, "pypitoken_spool_files_total", "counter",
              "Bodies that did not fit into PyPITokenMemory.", meter_get(&m->spool_files));
    meter_one(o, "pypitoken_spool_bytes_total", "counter",
              "Bytes of these bodies, in PyPITokenSpoolDir for a while.",
              meter_get(&m->spool_bytes));
}

static void meter_gauges(meter_out_t *o, const meter_t *m, const meter_gauges_t *g)
{
    meter_one(o, "pypitoken_spools", "gauge", "Uploads that are being read now.", g->spools);
    meter_one(o, "pypitoken_spools_max", "gauge", "How many may be; more get 503.", g->spools_max);
    meter_one(o, "pypitoken_drains", "gauge", "Refused uploads that are being thrown away now.",
              g->drains);
    meter_one(o, "pypitoken_drains_max", "gauge", "How many may be; more see a closed connection.",
              g->drains_max);
    meter_one(o, "pypitoken_store_up", "gauge", "1 when the last use of the database went well.",
              meter_up(m));
    meter_one(o, "pypitoken_store_breaker_open", "gauge",
              "1 while the database is left alone after failures.", meter_open(m));
    meter_one(o, "pypitoken_start_time_seconds", "gauge", "Since when this counts, Unix time.",
              m->started);
}

const char *meter_text(const meter_t *m, const meter_gauges_t *gauges, apr_pool_t *pool)
{
    meter_out_t o = {apr_array_make(pool, 256, sizeof(const char *)), pool};
    int i;

    meter_head(&o, "pypitoken_verdicts_total", "counter",
               "Requests by PYPITOKEN_VERDICT; allowed is an upload that passed.");
    for (i = 0; i < VERDICT_COUNT; i++) {
        meter_line(&o, "pypitoken_verdicts_total", "verdict", verdict_word((verdict_code_t)i),
                   meter_get(&m->verdicts[i]));
    }
    meter_uploads(&o, m);
    meter_head(&o, "pypitoken_store_operations_total", "counter",
               "Uses of the database; shut: not tried, for it had failed a moment ago.");
    for (i = 0; i < METER_STORES; i++) {
        meter_line(&o, "pypitoken_store_operations_total", "end", meter_store_words[i],
                   meter_get(&m->stores[i]));
    }
    meter_histogram(&o, m);
    meter_gauges(&o, m, gauges);
    return apr_array_pstrcat(pool, o.parts, 0);
}
