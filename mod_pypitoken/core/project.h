/*
 * project.h - project names and the file names of distributions.
 *
 * Pure; any thread. Sources: PEP 508 (names), PEP 503 (normalisation), PEP 427 (wheels), PEP 625
 * (sdists).
 */
#ifndef PYPITOKEN_PROJECT_H
#define PYPITOKEN_PROJECT_H

#include "core/slice.h"
#include "core/verdict.h"

#define PROJECT_NAME_MAX     100
#define PROJECT_FILENAME_MAX 255

typedef enum project_kind_t { PROJECT_SDIST, PROJECT_WHEEL } project_kind_t;

typedef struct project_file_t {
    project_kind_t kind;
    slice_t name;    /* the name part as it stands in the file name */
    slice_t version; /* the version part as it stands */
    char *project;   /* normalised name, in pool */
    char *normal;    /* normalised version, in pool */
} project_file_t;

/* 1 when s is a PEP 508 name of at most PROJECT_NAME_MAX bytes, byte for byte: no trimming. */
int project_name_valid(slice_t s);

/* The PEP 503 form: lower case, runs of "-", "_", "." as one "-". NUL-terminated, in pool. */
char *project_normalize(slice_t name, apr_pool_t *pool);

/* Takes a file name apart. legacy != 0 also takes sdists of old setuptools with dashes in the name,
 * where no reader can split them differently (PyPITokenLegacyNames).
 * VERDICT_ALLOWED or FILENAME_INVALID. */
verdict_code_t project_file_parse(project_file_t *out, slice_t filename, int legacy,
                                  apr_pool_t *pool);

#endif
