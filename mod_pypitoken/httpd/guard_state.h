/*
 * guard_state.h - the state of one guarded upload, shared by the guard's own files.
 *
 * It hangs at the request that came in (request_config) and is found from internal redirects and
 * sub-requests through r->prev and r->main. One thread at a time: the request's.
 */
#ifndef PYPITOKEN_GUARD_STATE_H
#define PYPITOKEN_GUARD_STATE_H

#include "httpd/private.h"

#include "access/bearer.h"
#include "access/permit.h"
#include "httpd/config.h"
#include "httpd/guard.h"
#include "httpd/replay.h"

typedef enum guard_stage_t {
    GUARD_NEW,       /* nothing is known */
    GUARD_BEARER,    /* the token is good */
    GUARD_PERMITTED, /* so are body and role; nothing is written yet */
    GUARD_STREAMING, /* a handler may see what is safe; the rest of the body is to come */
    GUARD_ALLOWED,   /* written; a handler may see the body */
    GUARD_REFUSED    /* verdict tells */
} guard_stage_t;

typedef struct guard_body_t guard_body_t;

typedef struct guard_state_t {
    guard_stage_t stage;
    int asked; /* the URL that came over the wire is guarded, whatever it is rewritten to */
    request_rec *request; /* the one that holds this state */
    verdict_t verdict;
    const char *authorization; /* taken out of the request once it was good, for Keep */
    apr_table_t *headers;      /* the others as the client sent them, for the log */
    bearer_t bearer;
    permit_t permit;
    spool_t *spool;
    guard_body_t *body;
    guard_pass_t pass;
    /* PyPITokenStream */
    replay_t *replay;
    int taken;   /* guard_taken was here */
    int spoken;  /* the handler is about to send an error of its own */
    int aborted; /* the status with which its reading ended; 0 if it did not */
} guard_state_t;

/* The state of r or of a request it came from; NULL if there is none. */
guard_state_t *guard_state(request_rec *r);

/* The same, made at r if there is none; a sub-request gets one of its own, for what it is refused
 * says nothing about the request that it belongs to. */
guard_state_t *guard_state_make(request_rec *r);

/* 1 when a handler may run: allowed, or streaming. */
int guard_going(const guard_state_t *g);

/* Marks the upload refused by code (detail may be empty, log NULL) and sends the denial. */
int guard_refuse(request_rec *r, guard_state_t *g, verdict_code_t code, slice_t detail,
                 const char *log);

/* As guard_refuse for a verdict that stands in g->verdict already. */
int guard_refuse_verdict(request_rec *r, guard_state_t *g);

#endif
