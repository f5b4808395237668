/*
 * index_store.h - keeps a guarded upload.
 */
#ifndef PYPITOKEN_INDEX_STORE_H
#define PYPITOKEN_INDEX_STORE_H

#include <httpd.h>

#include "httpd/guard.h"

/* Reads the body of r, which is an upload that the guard passed or is about to (guard_taken), and
 * stores file and signature in the directory packages. Answers 200 when they are stored or were
 * there already, byte for byte; otherwise nothing of them is stored, and nothing has a name before
 * the guard has passed all of it. The value of the handler; AP_FILTER_ERROR when the client has had
 * the guard's refusal. */
int index_store(request_rec *r, const guard_pass_t *pass, const char *packages);

#endif
