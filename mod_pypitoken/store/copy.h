/*
 * copy.h - all that one store remembers, into another, of the same engine or a different one.
 *
 * The source is read in one state, beside those who use it, and nobody waits for that. The target
 * must be empty. It is written in one transaction, read back within it, and that transaction is
 * only committed when both sides have the same rows: an end at any point, also that of the process
 * or the machine, leaves the target as it was. Rows go one by one; memory is constant.
 *
 * What is sealed is copied as it is: the keyring of the one opens the other. The list of front ends
 * (the processes that serve from the source) and the schema's version are not copied.
 *
 * For pypitokenctl, not for requests: one thread.
 */
#ifndef PYPITOKEN_COPY_H
#define PYPITOKEN_COPY_H

#include "store/query.h"
#include "store/store.h"

#define COPY_TABLES 10
#define COPY_DIGEST 32

/* In an order that no reference minds. */
typedef struct copy_table_t {
    const char *name;
    query_id_t read, write;
} copy_table_t;

extern const copy_table_t copy_tables[COPY_TABLES];

/* BLAKE2b-256 over the rows in the order of their key, each column as its type, its length and its
 * bytes: the same for every engine. */
typedef struct copy_sum_t {
    apr_int64_t rows;
    unsigned char digest[COPY_DIGEST];
} copy_sum_t;

/* Called every COPY_STEP rows; reading_back: the second pass. */
#define COPY_STEP 500
typedef void copy_progress_fn(void *baton, const char *table, apr_int64_t rows, int reading_back);

/* sums: one for each of copy_tables. event is added to the target as the last row of its trail; it
 * may be NULL, and so may fn. On anything but STORE_OK nothing was changed and *why is a sentence
 * in pool: CONFLICT, somebody must mend something (the target is not empty, a schema is not this
 * program's, a row does not fit); DOWN, one of the two could not be reached or used. */
store_rc_t copy_run(store_t *from, store_t *to, const store_event_t *event, copy_sum_t *sums,
                    copy_progress_fn *fn, void *baton, const char **why, apr_pool_t *pool);

#endif
