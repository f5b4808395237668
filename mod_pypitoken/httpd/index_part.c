/* index_part.c - bytes of a form into a file and its digests; see index_part.h. */
#include "httpd/index_part.h"

#include <string.h>

static apr_status_t index_part_write(index_part_t *part, const char *p, apr_size_t n)
{
    index_digest_update(&part->digest, p, n);
    return index_disk_write(part->temp, p, n);
}

apr_status_t index_part_flush(index_part_t *part)
{
    apr_status_t rv = part->held ? index_part_write(part, part->block, part->held) : APR_SUCCESS;

    part->held = 0;
    return rv;
}

static apr_status_t index_part_add(index_part_t *part, const char *p, apr_size_t n)
{
    apr_status_t rv = APR_SUCCESS;

    part->got += (apr_int64_t)n;
    if (part->kept) {
        return APR_SUCCESS;
    }
    if (!part->block) {
        return index_part_write(part, p, n);
    }
    while (rv == APR_SUCCESS && n > 0) {
        apr_size_t room = INDEX_PART_BLOCK - part->held, now = n < room ? n : room;

        memcpy(part->block + part->held, p, now);
        part->held += now;
        p += now;
        n -= now;
        if (part->held == INDEX_PART_BLOCK) {
            rv = index_part_flush(part);
        }
    }
    return rv;
}

apr_status_t index_part_take(index_part_t *part, apr_int64_t at, const char *p, apr_size_t n)
{
    apr_int64_t from = part->offset - at, to = part->offset + part->length - at;

    if (part->length < 0) {
        to = (apr_int64_t)n;
    }
    if (!part->name || to <= 0 || from >= (apr_int64_t)n) {
        return APR_SUCCESS;
    }
    from = from < 0 ? 0 : from;
    to = to > (apr_int64_t)n ? (apr_int64_t)n : to;
    return index_part_add(part, p + from, (apr_size_t)(to - from));
}

static void index_part_hash(void *digest, const char *p, apr_size_t n)
{
    index_digest_update(digest, p, n);
}

apr_status_t index_part_again(index_part_t *part)
{
    return index_disk_again(part->temp, index_part_hash, &part->digest);
}

apr_status_t index_part_adopt(index_part_t *part, int fd, apr_pool_t *pool)
{
    apr_status_t rv = index_disk_adopt(&part->temp, fd, part->length, pool);

    return rv == APR_SUCCESS && index_digest_wanted(&part->digest) ? index_part_again(part) : rv;
}
