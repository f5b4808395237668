/*
 * version_clause.h - "is this version one of those": the "==" clause of PEP 440.
 *
 * A clause is a version ("2.0": the same version, whatever local part the candidate has, unless the
 * clause has one itself), or a release followed by ".*" ("1.2.*": every version whose epoch and
 * first release numbers are these, pre-, post- and development releases among them; missing numbers
 * of the candidate count as 0). Pure; any thread.
 */
#ifndef PYPITOKEN_VERSION_CLAUSE_H
#define PYPITOKEN_VERSION_CLAUSE_H

#include "core/version.h"

/* 1 when the text is a clause at all. */
int version_clause_valid(slice_t clause, apr_pool_t *pool);

/* 1 when the version (a normal form of version_normalize) is one that the clause means; 0 also for
 * a clause that is none. */
int version_clause_match(slice_t clause, const char *version, apr_pool_t *pool);

#endif
