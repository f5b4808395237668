/*
 * duration.h - spans and points of time, as people write them on a command line.
 *
 * Spans: a whole number and one unit letter of s, m, h, d, w, y (a year is 365 days): "10m", "30d".
 * Points: ISO 8601 dates and times, "2026-01-31", "2026-01-31T12:00", "2026-01-31 12:00:05Z",
 * "2026-01-31T12:00+02:00". Without a zone they are UTC: the result must not depend on where the
 * command is run. Years 1970 to 9999. Pure; any thread.
 */
#ifndef PYPITOKEN_DURATION_H
#define PYPITOKEN_DURATION_H

#include "core/slice.h"

/* The last second that a point may name: 9999-12-31T23:59:59Z. */
#define DURATION_LATEST APR_INT64_C(253402300799)

/* A span in seconds, > 0. 0, or -1 when s is none (or longer than 9999 years). */
int duration_span(slice_t s, apr_int64_t *seconds);

/* A point in Unix seconds. 0, or -1 when s is none. */
int duration_point(slice_t s, apr_int64_t *at);

/* A point, or a span counted from now on. 0, or -1 when s is neither or ends after year 9999. */
int duration_ahead(slice_t s, apr_int64_t now, apr_int64_t *at);

/* A point, or a span counted back from now. 0, or -1 when s is neither or begins before 1970. */
int duration_back(slice_t s, apr_int64_t now, apr_int64_t *at);

/* "2026-01-31T12:00:05Z", in pool; for times outside the years above the bare number. */
char *duration_iso(apr_int64_t at, apr_pool_t *pool);

#endif
