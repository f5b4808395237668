/* seam.c - the system's own clock and random generator; see seam.h. */
#include "core/seam.h"

#include <apr_time.h>
#include <sodium.h>

static apr_int64_t seam_now(void)
{
    return apr_time_sec(apr_time_now());
}

static int seam_random(void *bytes, apr_size_t n)
{
    randombytes_buf(bytes, n);
    return 0;
}

const seam_t seam_system = {seam_now, seam_random};
