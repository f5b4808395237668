/*
 * api.h - the JSON API, beside the pages for people: api/1/... and secrets/... below the mount
 * point.
 *
 * doc/openapi.json describes it; a test holds the two against each other. Before a function of the
 * route table runs it was seen to that
 *   - credentials do not travel in clear text (PyPITokenRequireTLS),
 *   - the method is one that the address has, the query string has known names only,
 *   - a body is there where one is taken and nowhere else: application/json, at most API_BODY
 *     bytes, one JSON object without a name twice,
 *   - whoever asks is who the route wants. People sign in with Basic in every request, throttled
 *     like everywhere; cookies count for nothing. A token (__token__) can burn itself, no more,
 *   - no page of another site makes a browser send what changes something: a browser repeats Basic
 *     by itself.
 * Every answer is JSON and no-store. Errors are {"code", "message"}: the stable word of a verdict,
 * and a sentence.
 *
 * One thread: the request's. Everything is in its pool.
 */
#ifndef PYPITOKEN_API_H
#define PYPITOKEN_API_H

#include "access/bearer.h"
#include "access/mine.h"
#include "httpd/manage.h"

#define API_BODY MANAGE_BODY

typedef struct api_t {
    manage_t *m;
    request_rec *r;
    slice_t id;      /* what stands in the place of the route's '*' */
    json_t *body;    /* an object; empty without a body; freed with the pool */
    form_t *query;   /* never NULL */
    bearer_t bearer; /* of a route for tokens: the row of a token whose signature holds */
} api_t;

/* 1 when a path below the mount point is one of the API's. */
int api_here(const char *path);

/* Answers; the handler's return value. m->route is the path. */
int api_run(manage_t *m);

/* ---- for the functions of the routes ---- */

/* Answers with data (stolen). */
int api_answer(api_t *a, int status, json_t *data);

/* The same with a new token as its first member, "token": it is in no copy that is not wiped. */
int api_answer_token(api_t *a, const char *token, json_t *data);

/* Nothing to say: 204. */
int api_done(api_t *a);

/* Refuses. message: another sentence than the verdict's own, or NULL. */
int api_refuse(api_t *a, const verdict_t *v, const char *message);
int api_refuse_code(api_t *a, verdict_code_t code, const char *detail);

/* What a store's failure means here: api-unknown or store-down. */
int api_failed(api_t *a, store_rc_t rc);

/* Who acts. */
mine_t api_mine(const api_t *a);

#endif
