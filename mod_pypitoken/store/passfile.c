/* passfile.c - see passfile.h. */
#include "store/passfile.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static apr_status_t passfile_free(void *text)
{
    sodium_free(text);
    return APR_SUCCESS;
}

/* Opens without waiting for anything and sees to it that nobody else can read it. */
static const char *passfile_file(int *fd, const char *path, apr_pool_t *pool)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &st)) {
        return apr_psprintf(pool, "cannot read the password file %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return apr_psprintf(pool, "cannot use the password file %s: it is not a regular file",
                            path);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return apr_psprintf(pool,
                            "cannot use the password file %s: others than its owner have access "
                            "to it; run chmod 600 %s",
                            path, path);
    }
    return NULL;
}

/* The length of the password in text, or 0 when the text is not one line. */
static apr_size_t passfile_line(const char *text, apr_size_t n)
{
    apr_size_t i;

    n -= n && text[n - 1] == '\n';
    n -= n && text[n - 1] == '\r';
    for (i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return 0;
        }
    }
    return n;
}

ssize_t passfile_fill(int fd, char *text, apr_size_t size)
{
    apr_size_t n = 0;
    ssize_t got = 1;

    while (got > 0 && n < size) {
        got = read(fd, text + n, size - n);
        if (got < 0 && errno == EINTR) {
            got = 1;
        } else if (got > 0) {
            n += (apr_size_t)got;
        }
    }
    return got < 0 ? -1 : (ssize_t)n;
}

const char *passfile_read(const char **text, const char *path, apr_pool_t *pool)
{
    const apr_size_t size = PASSFILE_MAX + 3; /* a line's end, and one byte too many */
    const char *wrong;
    char *bytes = NULL;
    apr_size_t n;
    ssize_t got;
    int fd = -1;

    *text = NULL;
    wrong = passfile_file(&fd, path, pool);
    if (wrong) {
        goto out;
    }
    bytes = sodium_malloc(size);
    if (!bytes) {
        wrong = apr_psprintf(pool, "cannot use the password file %s: no locked memory", path);
        goto out;
    }
    got = passfile_fill(fd, bytes, size);
    n = got < 0 ? 0 : passfile_line(bytes, (apr_size_t)got);
    if (!n || n > PASSFILE_MAX) {
        wrong = apr_psprintf(pool,
                             "cannot use the password file %s: it must hold one line of 1 to %d "
                             "bytes, the password and nothing else",
                             path, PASSFILE_MAX);
        goto out;
    }
    bytes[n] = '\0';
    (void)sodium_mprotect_readonly(bytes);
    apr_pool_cleanup_register(pool, bytes, passfile_free, apr_pool_cleanup_null);
    *text = bytes;

out:
    if (fd >= 0) {
        close(fd);
    }
    if (wrong) {
        sodium_free(bytes);
    }
    return wrong;
}
