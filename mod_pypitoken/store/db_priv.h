/*
 * db_priv.h - a connection and its pool, between db.c (statements) and db_pool.c (slots).
 */
#ifndef PYPITOKEN_DB_PRIV_H
#define PYPITOKEN_DB_PRIV_H

#include "store/breaker.h"
#include "store/db.h"

#include <pthread.h>

struct db_conn_t {
    db_t *db;
    void *handle; /* the driver's; NULL while closed */
    int taken;
    unsigned int epoch; /* that of the pool when it was opened */
    apr_time_t idle;    /* since then; this and all times here by db_pool_now */
    /* since it was borrowed */
    db_rc_t last; /* of the last call that failed */
    int begun, broken, committing, tries, renewed;
    apr_time_t asked, borrowed;
    char why[DB_WHY_MAX];
};

struct db_t {
    const db_driver_t *driver;
    db_target_t target;
    db_welcome_fn *welcome;
    db_meter_fn *meter;
    void *baton;
    apr_interval_time_t wait, stall;
    pid_t pid;
    pthread_mutex_t mutex; /* guards what follows, and taken of all slots */
    pthread_cond_t freed;  /* of the clock of db_pool_now, which APR's are not */
    breaker_t breaker;
    apr_time_t moved;   /* a slot was taken or given back */
    unsigned int epoch; /* goes up when a connection is lost: those of before are not trusted */
    atomic_int failing; /* the breaker has seen a failure, and no success since */
    atomic_uint grown;
    atomic_ulong statements;
    atomic_flag tidying;
    int n;
    db_conn_t slots[]; /* the rest belongs to whoever has taken the slot */
};

/* Microseconds by a clock that nobody sets: with the one on the wall, set back by an hour (a
 * machine that starts before it has asked for the time), a pause would last an hour. For
 * differences. */
apr_time_t db_pool_now(void);

/* A statement has come to its end, or the connection was lost in it after that time. */
void db_pool_good(db_t *db);
void db_pool_lost(db_conn_t *conn, apr_interval_time_t after);

#endif
