/*
 * spool.h - where a body waits until it is judged: in memory, then in an unlinked file.
 *
 * First in, first out: spool_add at one end, spool_take at the other. One thread at a time; it
 * lives in the request's pool and so does the file, which no name leads to at any time where the
 * system can make such files, and none after spool_add where it cannot.
 */
#ifndef PYPITOKEN_SPOOL_H
#define PYPITOKEN_SPOOL_H

#include <httpd.h>
#include <apr_buckets.h>

typedef struct spool_t spool_t;

/* Up to memory bytes are kept in memory; dir NULL: the system's temporary directory. */
spool_t *spool_create(request_rec *r, apr_off_t memory, const char *dir);

/* The next bytes, copied. APR_SUCCESS, APR_ENOSPC and its like (then the spool is spoiled). */
apr_status_t spool_add(spool_t *s, const char *p, apr_size_t n);

/* Several pieces, bytes in all, at once. */
apr_status_t spool_add_all(spool_t *s, const struct iovec *pieces, int n, apr_size_t bytes);

/* What comes from the position at on is somebody's file, who would keep it in the directory
 * packages: should memory not be enough, the file begins with that byte, and is there. For a spool
 * that is sealed before anything is taken. Without effect when the file is there already, when not
 * all before at was added by then, or where the system cannot give a file a name later. */
void spool_offer(spool_t *s, apr_int64_t at, const char *packages);

/* The descriptor of a file that became so: the body from at on, to its end. It stays open, and the
 * spool's, as long as the request. -1: there is none. */
int spool_offered(const spool_t *s);

/* How many bytes were added since the beginning, and how many of them were not taken yet. */
apr_int64_t spool_length(const spool_t *s);
apr_int64_t spool_waiting(const spool_t *s);

/* 1 when memory was not enough. */
int spool_filed(const spool_t *s);

/* Nothing will be added any more: what is in the file is from here on read through file buckets,
 * mapped where the system can do that. Before it is copied out in pieces. */
void spool_seal(spool_t *s);

/* Moves up to max bytes, in order, to the end of bb, which must be empty; what is taken is not
 * kept. At least one byte if any is waiting.
 *
 * Never a file bucket itself, but what it is mapped to. Where a file cannot be mapped, a file
 * bucket that is read grows a second bucket behind it, and there are handlers that lose that one:
 * mod_fcgid 2.3.9 moves a bucket first and reads it then, loses 192 bytes of 8192 and answers 200
 * (t/spool.t, unmapped). Nor is there anything to win: handlers read 8 to 64 KiB at a time, and
 * with file buckets of that size mod_proxy_http with EnableSendfile On took as much processor time
 * for 200 MiB as with mapped ones (0.46 and 0.45 s; EnableSendfile is Off by default, and over TLS
 * to the back end there is none). */
apr_status_t spool_take(spool_t *s, apr_bucket_brigade *bb, apr_off_t max);

#endif
