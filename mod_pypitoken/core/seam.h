/*
 * seam.h - the places where the outside gets in: time and randomness, replaceable in tests.
 *
 * A const table is handed down from httpd/, ctl/ or a test; nobody below them asks the system.
 */
#ifndef PYPITOKEN_SEAM_H
#define PYPITOKEN_SEAM_H

#include <apr.h>

typedef struct seam_t {
    apr_int64_t (*now)(void);                 /* Unix seconds */
    int (*random)(void *bytes, apr_size_t n); /* 0, or -1: then nothing may be minted */
} seam_t;

/* The system's clock and libsodium's generator. sodium_init() must have been called. */
extern const seam_t seam_system;

#endif
