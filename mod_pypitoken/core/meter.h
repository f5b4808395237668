/*
 * meter.h - counters over a block of memory that many processes share, and their text.
 *
 * Plain data and atomic words, no lock and no pointer: a child that is killed leaves nothing half
 * done, and one count costs one addition. Each word only grows while the block lives. Bytes of zero
 * are a new block; meter_made gives it its layout, and a block of another layout (other words of
 * verdict.h, other buckets) is never written.
 *
 * The text is what Prometheus reads (text exposition format 0.0.4). Any thread of any process.
 */
#ifndef PYPITOKEN_METER_H
#define PYPITOKEN_METER_H

#include <apr_pools.h>
#include <apr_time.h>

#include "core/verdict.h"

typedef struct meter_t meter_t;

/* Bytes of a block; it must be aligned for 64 bits. */
apr_size_t meter_size(void);

/* A new block in memory (zero). */
meter_t *meter_make(void *memory, apr_int64_t now);

/* The block that meter_make made there, or NULL: not of this layout. */
meter_t *meter_map(void *memory, apr_size_t size);

/* ---- counting ---- */

/* One request that was decided so. */
void meter_verdict(meter_t *m, verdict_code_t code);

typedef enum meter_upload_t {
    METER_ARRIVED, /* the handler answered 2xx */
    METER_REFUSED, /* 4xx */
    METER_UNKNOWN, /* anything else: it may have it all the same */
    METER_UPLOADS
} meter_upload_t;

/* An upload that the guard let through, what became of it, and its size. */
void meter_upload(meter_t *m, meter_upload_t end, apr_int64_t bytes);

/* A body that did not fit into memory: so many bytes went to a file. */
void meter_spooled(meter_t *m, apr_int64_t bytes);

typedef enum meter_store_t {
    METER_DONE,   /* whatever the answer was */
    METER_FAILED, /* unreachable, lost, busy for too long */
    METER_SHUT,   /* not tried: it failed a moment ago */
    METER_STORES
} meter_store_t;

/* One use of the database, and how long it took, waiting for a connection included. */
void meter_store(meter_t *m, meter_store_t end, apr_interval_time_t took, apr_int64_t now);

/* ---- reading ---- */

/* What is known elsewhere, at this moment. */
typedef struct meter_gauges_t {
    int spools, spools_max; /* uploads that are read; how many may be */
    int drains, drains_max; /* refused ones that are read to be thrown away */
} meter_gauges_t;

/* All of it as text, in pool. */
const char *meter_text(const meter_t *m, const meter_gauges_t *gauges, apr_pool_t *pool);

/* A few of them, for a status page. */
typedef struct meter_summary_t {
    apr_int64_t decided, allowed, uploads[METER_UPLOADS], bytes, spooled, store[METER_STORES];
    int store_up;     /* 0: the last use failed */
    int breaker_open; /* it is left alone at the moment */
} meter_summary_t;

void meter_summary(const meter_t *m, meter_summary_t *out);

#endif
