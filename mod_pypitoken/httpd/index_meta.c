/* index_meta.c - reads, believes, renews and writes metadata; see index_meta.h. */
#include "httpd/index_meta.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_META_DIR         ".meta"
#define INDEX_META_MAX         4096
#define INDEX_META_REQUIRES    512
#define INDEX_META_NANOSECONDS APR_INT64_C(1000000000)

static apr_int64_t index_meta_mtime(const struct stat *info)
{
    return (apr_int64_t)info->st_mtim.tv_sec * INDEX_META_NANOSECONDS + info->st_mtim.tv_nsec;
}

/* A version specifier is short and printable; anything else would only harm readers. */
static const char *index_meta_plain(const char *text, apr_pool_t *pool)
{
    slice_t s = slice_trim(slice_of(text));
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        if (s.p[i] < 0x20 || s.p[i] > 0x7e) {
            return "";
        }
    }
    return s.n <= INDEX_META_REQUIRES ? slice_dup(s, pool) : "";
}

void index_meta_set(index_meta_t *m, const struct stat *info, const unsigned char *sum,
                    const char *requires_python, apr_pool_t *pool)
{
    m->size = info->st_size;
    m->mtime = index_meta_mtime(info);
    m->uploaded = info->st_mtim.tv_sec;
    m->requires_python = index_meta_plain(requires_python, pool);
    index_digest_hex(m->sha256, sum);
}

apr_status_t index_meta_prepare(index_disk_temp_t **out, const char *packages,
                                const index_meta_t *m, apr_pool_t *pool)
{
    json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:s}", "size", (json_int_t)m->size, "mtime",
                          (json_int_t)m->mtime, "uploaded", (json_int_t)m->uploaded, "sha256",
                          m->sha256, "requires_python", m->requires_python);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    apr_status_t rv = text ? index_disk_temp(out, packages, pool) : APR_ENOMEM;

    if (rv == APR_SUCCESS) {
        rv = index_disk_write(*out, text, strlen(text));
    }
    if (rv == APR_SUCCESS) {
        rv = index_disk_sync(*out, NULL);
    }
    free(text);
    json_decref(o);
    return rv;
}

apr_status_t index_meta_publish(index_disk_temp_t *t, int dir, const char *filename,
                                apr_pool_t *pool)
{
    int below;
    apr_status_t rv = index_disk_below(&below, dir, INDEX_META_DIR, pool);

    if (rv == APR_SUCCESS) {
        rv = index_disk_replace(t, below, filename);
    }
    return rv == APR_SUCCESS ? index_disk_flush(below) : rv;
}

static int index_meta_parse(index_meta_t *m, slice_t text, apr_pool_t *pool)
{
    json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    json_int_t size, mtime, uploaded;
    const char *sha256, *requires;
    int good =
        o && json_unpack(o, "{s:I, s:I, s:I, s:s, s:s}", "size", &size, "mtime", &mtime, "uploaded",
                         &uploaded, "sha256", &sha256, "requires_python", &requires) == 0;

    if (good && strlen(sha256) == INDEX_DIGEST_HEX - 1 &&
        strspn(sha256, "0123456789abcdef") == INDEX_DIGEST_HEX - 1) {
        m->size = size;
        m->mtime = mtime;
        m->uploaded = uploaded;
        m->requires_python = index_meta_plain(requires, pool);
        memcpy(m->sha256, sha256, INDEX_DIGEST_HEX);
    } else {
        good = 0;
    }
    json_decref(o);
    return good;
}

static int index_meta_load(index_meta_t *m, int dir, const char *filename, apr_pool_t *pool)
{
    /* A path with the directory in it, so that a page of many files opens nothing twice. Of the two
     * steps only the last must not be a link; .meta is a directory that we made. */
    const char *path = apr_pstrcat(pool, INDEX_META_DIR "/", filename, NULL);
    slice_t text;

    return index_disk_read(&text, dir, path, INDEX_META_MAX, pool) == APR_SUCCESS &&
           index_meta_parse(m, text, pool);
}

/* Keeps m unless the file changed under our hands: an upload may have put a new one there. */
static void index_meta_keep(const index_meta_t *m, const char *packages, int dir,
                            const char *filename, apr_pool_t *pool)
{
    index_disk_temp_t *t;
    struct stat now;

    if (index_meta_prepare(&t, packages, m, pool) != APR_SUCCESS) {
        return;
    }
    index_disk_lock(dir);
    if (fstatat(dir, filename, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_size == m->size &&
        index_meta_mtime(&now) == m->mtime) {
        (void)index_meta_publish(t, dir, filename, pool);
    }
    index_disk_unlock(dir);
}

apr_status_t index_meta_get(index_meta_t *m, const char *packages, int dir, const char *filename,
                            const struct stat *info, apr_pool_t *pool)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    index_meta_t old;
    struct stat now;
    apr_pool_t *scratch;
    apr_status_t rv;
    int known = index_meta_load(&old, dir, filename, pool);

    if (known && old.size == info->st_size && old.mtime == index_meta_mtime(info)) {
        *m = old;
        return APR_SUCCESS;
    }
    rv = index_disk_sum(dir, filename, sum, &now);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    index_meta_set(m, &now, sum, "", pool);
    if (known && strcmp(old.sha256, m->sha256) == 0) {
        /* the same file with another date, from a backup for example */
        m->requires_python = old.requires_python;
        m->uploaded = old.uploaded;
    }
    apr_pool_create(&scratch, pool);
    index_meta_keep(m, packages, dir, filename, scratch);
    apr_pool_destroy(scratch);
    return APR_SUCCESS;
}
