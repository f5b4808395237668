/*
 * guard_stream.h - PyPITokenStream On: the handler takes the file while it is still being checked.
 *
 * What goes on before the verdict is the form up to the headers of content and then the file's
 * bytes, never the delimiter that ends them: a handler or back end that refuses a form without its
 * end (or a body shorter than announced) has no file in its hands. At the end of the body the form
 * is judged, the upload written down, and the rest released; or the handler's read fails, the
 * client gets the denial, once, and nothing that the handler says after that.
 *
 * A handler that answers below 400 before it has read everything is made to wait for the verdict.
 *
 * The built-in index names nothing before the whole verdict, so it takes fields in any order. Where
 * it is configured (PyPITokenPackages) it alone is streamed to: it has to ask (guard_taken), and
 * whoever else reads gets nothing before the verdict.
 */
#ifndef PYPITOKEN_GUARD_STREAM_H
#define PYPITOKEN_GUARD_STREAM_H

#include "httpd/guard_state.h"

/* 1 when the handler that r is going to can take the body piece by piece. The built-in
 * index; where it is configured nobody else. Not, when the client has not told the length
 * (chunked), anything but the index and an HTTP server: some answer 411 (uwsgi, scgi), and a CGI or
 * FastCGI program without CONTENT_LENGTH takes the body for an empty one and says that all is well.
 */
int guard_stream_possible(request_rec *r, const guard_state_t *g);

/* Begins: r reads from here on through the guard. APR_SUCCESS or what replay_insert says. What is
 * read before GUARD_STREAMING is judged as well, but not written down. */
apr_status_t guard_stream_begin(request_rec *r, guard_state_t *g);

/* The built-in index has asked for what is safe; g is GUARD_STREAMING. */
void guard_stream_take(guard_state_t *g);

/* Reads the rest of the body at once and judges it, for a handler that cannot wait:
 * g->verdict.code, or g->body->answered. */
verdict_code_t guard_stream_rest(request_rec *r, guard_state_t *g);

/* The upload is refused: GUARD_REFUSED, and what is left of the body is only drained. */
void guard_stream_stop(guard_state_t *g);

void guard_stream_register(apr_pool_t *p);

#endif
