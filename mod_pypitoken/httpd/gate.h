/*
 * gate.h - the request around the form: DESIGN section 6, rule 1.
 */
#ifndef PYPITOKEN_GATE_H
#define PYPITOKEN_GATE_H

#include <httpd.h>

#include "core/verdict.h"

/* 1 when r asks for exactly path, byte for byte as the client wrote it: no alias of it (//, /./,
 * %2e, ;x) that a back end might route elsewhere. */
int gate_exact(request_rec *r, const char *path);

/* Checks query, Connection, Content-*, Transfer-Encoding and the header names of a POST; *boundary
 * gets the form's. VERDICT_ALLOWED or a verdict in *v. */
verdict_code_t gate_check(request_rec *r, apr_off_t max_upload, slice_t *boundary, verdict_t *v);

#endif
