/*
 * index_store.h - keeps a guarded upload.
 */
#ifndef PYPITOKEN_INDEX_STORE_H
#define PYPITOKEN_INDEX_STORE_H

#include <httpd.h>

#include "httpd/guard.h"

/* Reads the body of r, which is an upload that the guard passed, and stores file and signature in
 * the directory packages. Answers 200 when they are stored or were there already, byte for byte;
 * otherwise nothing of them is stored. The value of the handler. */
int index_store(request_rec *r, const guard_pass_t *pass, const char *packages);

#endif
