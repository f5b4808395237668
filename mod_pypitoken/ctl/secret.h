/*
 * secret.h - secrets on their way in, from stdin or a terminal, and out to stdout.
 *
 * Nothing here goes through stdio, whose buffers nobody wipes. One thread.
 */
#ifndef PYPITOKEN_SECRET_H
#define PYPITOKEN_SECRET_H

#include "core/slice.h"

/* 1 when stdin is a terminal. */
int secret_interactive(void);

/* One line without its end, 1 to max bytes: from a terminal prompted for and without echo, else
 * from stdin, where everything behind the line is left alone.
 * 0 and *out in pool, wiped with it; or -1 after a complaint on stderr. */
int secret_line(const char *prompt, apr_size_t max, slice_t *out, apr_pool_t *pool);

/* As secret_line, but all of stdin when that is no terminal. */
int secret_all(const char *prompt, apr_size_t max, slice_t *out, apr_pool_t *pool);

/* Writes n bytes to stdout, after what stdio still holds. 0, or -1: not all of it went out. */
int secret_put(const char *bytes, apr_size_t n);

#endif
