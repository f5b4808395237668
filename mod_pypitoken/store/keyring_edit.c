/* keyring_edit.c - a new keyring, and new keys in one that is in use; see keyring.h. */
#include "store/keyring_priv.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char keyring_edit_head[] =
    "# Keys that seal the token database: the first one seals, all open.\n# Without them every "
    "token is lost; keep a copy, but not where the database's copies are.\n";

#define KEYRING_EDIT_LINE (sizeof("k-00000000  " KEYRING_PREPARED "\n") + KEYRING_BASE64)

/* ---- files ---- */

static int keyring_edit_write(int fd, const char *p, apr_size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR) {
            return -1;
        }
        if (done > 0) {
            p += done;
            n -= (apr_size_t)done;
        }
    }
    return 0;
}

/* A file whose name did not reach the disk would be lost with all tokens at a power cut. */
static void keyring_edit_sync_directory(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *directory = !slash ? "."
                            : slash == path
                                ? "/"
                                : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* "k-XXXXXXXX BASE64[ prepared]\n" with a random name and key, into line, which is wiped by the
 * caller. 0, or -1 without random bytes. */
static int keyring_edit_line(char line[KEYRING_EDIT_LINE], int prepared, const seam_t *seam)
{
    unsigned char key[KEYRING_KEY], name[4];
    char text[KEYRING_BASE64], hex[2 * sizeof(name) + 1];
    int rc = seam->random(key, sizeof(key)) || seam->random(name, sizeof(name)) ? -1 : 0;

    if (rc == 0) {
        sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
        sodium_bin2hex(hex, sizeof(hex), name, sizeof(name));
        (void)snprintf(line, KEYRING_EDIT_LINE, "k-%s %s%s\n", hex, text,
                       prepared ? " " KEYRING_PREPARED : "");
    }
    sodium_memzero(key, sizeof(key));
    sodium_memzero(text, sizeof(text));
    return rc;
}

const char *keyring_create(const char *path, const seam_t *seam, apr_pool_t *pool)
{
    char line[KEYRING_EDIT_LINE];
    const char *wrong = NULL;
    int fd = -1;

    if (keyring_edit_line(line, 0, seam)) {
        return apr_psprintf(pool, "cannot create the keyring %s: no random bytes", path);
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        wrong = apr_psprintf(pool, "cannot create the keyring %s: %s", path, strerror(errno));
        goto out;
    }
    if (fchmod(fd, S_IRUSR | S_IWUSR) ||
        keyring_edit_write(fd, keyring_edit_head, strlen(keyring_edit_head)) ||
        keyring_edit_write(fd, line, strlen(line)) || fsync(fd)) {
        wrong = apr_psprintf(pool, "cannot create the keyring %s: %s", path, strerror(errno));
        (void)unlink(path);
        goto out;
    }
    keyring_edit_sync_directory(path, pool);

out:
    if (fd >= 0) {
        close(fd);
    }
    sodium_memzero(line, sizeof(line));
    return wrong;
}

/* ---- changing the text ---- */

typedef enum keyring_edit_kind_t {
    KEYRING_EDIT_PREPARE,
    KEYRING_EDIT_PROMOTE,
    KEYRING_EDIT_REMOVE
} keyring_edit_kind_t;

/* What is to be done, and the text before and after, both in guarded memory. */
typedef struct keyring_edit_t {
    keyring_edit_kind_t kind;
    const char *id;   /* of an old key */
    const char *line; /* of a new one */
    char *before, *after;
    apr_size_t n, m;
} keyring_edit_t;

/* The result is never longer than what was there and one line. */
#define KEYRING_EDIT_ROOM (KEYRING_FILE_MAX + 2 + KEYRING_EDIT_LINE)

static void keyring_edit_put(keyring_edit_t *e, slice_t s, const char *end)
{
    if (s.n) {
        memcpy(e->after + e->m, s.p, s.n);
    }
    memcpy(e->after + e->m + s.n, end, strlen(end));
    e->m += s.n + strlen(end);
}

/* The line of a prepared key without that word. */
static slice_t keyring_edit_plain(slice_t line)
{
    apr_size_t n = sizeof(KEYRING_PREPARED) - 1;

    if (line.n > n && memcmp(line.p + line.n - n, KEYRING_PREPARED, n) == 0) {
        line.n -= n;
    }
    return slice_trim(line);
}

static slice_t keyring_edit_find(const keyring_edit_t *e)
{
    slice_t text = slice_make(e->before, e->n), line = {NULL, 0};

    while (text.n) {
        line = keyring_next_line(&text);
        if (slice_is(keyring_line_id(line), e->id)) {
            return line;
        }
    }
    return slice_make(NULL, 0);
}

static void keyring_edit_apply(keyring_edit_t *e)
{
    slice_t text = slice_make(e->before, e->n), line, id;
    int promote = e->kind == KEYRING_EDIT_PROMOTE;

    while (text.n) {
        line = keyring_next_line(&text);
        id = keyring_line_id(line);
        if (id.n && promote) {
            keyring_edit_put(e, keyring_edit_plain(keyring_edit_find(e)), "\n");
            promote = 0;
        }
        if (!id.n || e->kind == KEYRING_EDIT_PREPARE || !slice_is(id, e->id)) {
            keyring_edit_put(e, line, "\n");
        }
    }
    if (e->kind == KEYRING_EDIT_PREPARE) {
        keyring_edit_put(e, slice_of(e->line), "");
    }
}

/* Whether this may be done to that keyring. */
static const char *keyring_edit_may(const keyring_edit_t *e, const keyring_t *k, const char *path,
                                    apr_pool_t *pool)
{
    apr_size_t i = 0;

    if (e->kind == KEYRING_EDIT_PREPARE) {
        return keyring_prepared(k) ? apr_psprintf(pool, "the keyring %s has a prepared key: %s",
                                                  path, keyring_prepared(k))
                                   : NULL;
    }
    while (i < k->n && strcmp(k->keys[i].id, e->id) != 0) {
        i++;
    }
    if (i == k->n) {
        return apr_psprintf(pool, "the keyring %s has no key of that name", path);
    }
    if (e->kind == KEYRING_EDIT_PROMOTE) {
        return i && i == k->prepared
                   ? NULL
                   : apr_psprintf(pool, "the key %s of the keyring %s is not prepared", e->id,
                                  path);
    }
    return i ? NULL
             : apr_psprintf(pool, "the key %s of the keyring %s is the one that seals", e->id,
                            path);
}

/* ---- changing the file ---- */

/* The text becomes a file of the same mode and owner beside the old one, and takes its place. The
 * lock is held, so a leftover is nobody's. */
static const char *keyring_edit_replace(const keyring_edit_t *e, const char *path,
                                        const struct stat *old, apr_pool_t *pool)
{
    const char *temporary = apr_pstrcat(pool, path, ".tmp", NULL);
    int fd, ok;

    (void)unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ok = fd >= 0 && (old->st_uid == geteuid() || !fchown(fd, old->st_uid, old->st_gid)) &&
         !fchmod(fd, old->st_mode & 07777) && !keyring_edit_write(fd, e->after, e->m) &&
         !fsync(fd) && !rename(temporary, path);
    if (!ok) {
        const char *why = strerror(errno);

        if (fd >= 0) {
            close(fd);
            (void)unlink(temporary);
        }
        return apr_psprintf(pool, "cannot change the keyring %s: %s", path, why);
    }
    close(fd);
    keyring_edit_sync_directory(path, pool);
    return NULL;
}

/* Holds the lock by fd, if path still is that file. */
static const char *keyring_edit_lock(int fd, const char *path, struct stat *st, apr_pool_t *pool)
{
    struct stat now;

    if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, st) || stat(path, &now) ||
        st->st_ino != now.st_ino || st->st_dev != now.st_dev) {
        return apr_psprintf(pool,
                            "cannot change the keyring %s: somebody else is changing it at this "
                            "moment",
                            path);
    }
    return NULL;
}

static const char *keyring_edit_locked(keyring_edit_t *e, int fd, const char *path,
                                       const seam_t *seam, apr_pool_t *pool)
{
    apr_pool_t *once;
    struct stat st = {0};
    keyring_t *k;
    const char *wrong = keyring_edit_lock(fd, path, &st, pool);
    ssize_t n = wrong ? -1 : keyring_read(fd, e->before);

    if (n < 0) {
        return wrong ? wrong : apr_psprintf(pool, "cannot read the keyring %s", path);
    }
    e->n = (apr_size_t)n;
    apr_pool_create(&once, pool);
    wrong = keyring_load(&k, path, slice_make(e->before, e->n), seam, once);
    wrong = wrong ? wrong : keyring_edit_may(e, k, path, once);
    if (!wrong) {
        keyring_edit_apply(e);
        wrong = e->m > KEYRING_FILE_MAX
                    ? apr_psprintf(once, "the keyring %s would become too large", path)
                    : keyring_load(&k, path, slice_make(e->after, e->m), seam, once);
    }
    wrong = wrong ? wrong : keyring_edit_replace(e, path, &st, once);
    wrong = wrong ? apr_pstrdup(pool, wrong) : NULL;
    apr_pool_destroy(once);
    return wrong;
}

static const char *keyring_edit(keyring_edit_t *e, const char *path, const seam_t *seam,
                                apr_pool_t *pool)
{
    char *real = realpath(path, NULL); /* a link stays one */
    const char *file = real ? apr_pstrdup(pool, real) : path, *wrong;
    int fd = -1;

    free(real);
    wrong = keyring_file(&fd, file, pool);
    if (!wrong) {
        e->before = sodium_malloc(KEYRING_FILE_MAX + 1);
        e->after = sodium_malloc(KEYRING_EDIT_ROOM);
        wrong = e->before && e->after
                    ? keyring_edit_locked(e, fd, file, seam, pool)
                    : apr_psprintf(pool, "cannot change the keyring %s: no guarded memory is left",
                                   file);
    }
    if (fd >= 0) {
        close(fd); /* ends the lock */
    }
    sodium_free(e->before);
    sodium_free(e->after);
    return wrong;
}

const char *keyring_prepare(const char *path, const seam_t *seam, const char **id, apr_pool_t *pool)
{
    keyring_edit_t e = {KEYRING_EDIT_PREPARE, NULL, NULL, NULL, NULL, 0, 0};
    char line[KEYRING_EDIT_LINE];
    const char *wrong;

    *id = NULL;
    if (keyring_edit_line(line, 1, seam)) {
        return apr_psprintf(pool, "cannot change the keyring %s: no random bytes", path);
    }
    e.line = line;
    wrong = keyring_edit(&e, path, seam, pool);
    if (!wrong) {
        *id = slice_dup(keyring_line_id(slice_of(line)), pool);
    }
    sodium_memzero(line, sizeof(line));
    return wrong;
}

const char *keyring_promote(const char *path, const char *id, apr_pool_t *pool)
{
    keyring_edit_t e = {KEYRING_EDIT_PROMOTE, id, NULL, NULL, NULL, 0, 0};

    return keyring_edit(&e, path, &seam_system, pool);
}

const char *keyring_remove(const char *path, const char *id, apr_pool_t *pool)
{
    keyring_edit_t e = {KEYRING_EDIT_REMOVE, id, NULL, NULL, NULL, 0, 0};

    return keyring_edit(&e, path, &seam_system, pool);
}
