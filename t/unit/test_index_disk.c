/*
 * test_index_disk.c - files appear complete or not at all, and nothing stays behind.
 *
 * The program's own open, fsync and linkat stand before the C library's: they make the file system
 * one without O_TMPFILE, and kill the process (a child of this one) at the chosen call.
 */
#include "httpd/index_disk.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "httpd/index_meta.h"
#include "tap.h"

static apr_pool_t *test_pool;
static const char *test_root;
static int test_named;         /* no O_TMPFILE here */
static int test_kill;          /* calls until death, 0: never */
static int test_errno;         /* what linkat fails with, 0: does not */
static const char *test_stays; /* a file that must be there at every call, NULL: none */
static int test_gone;          /* how often it was not */
static const char test_data[] = "some bytes that belong together";

static void test_step(void)
{
    if (test_stays && access(test_stays, F_OK) != 0) {
        test_gone++;
    }
    if (test_kill > 0 && --test_kill == 0) {
        kill(getpid(), SIGKILL);
    }
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    int mode = 0;

    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_start(ap, flags);
        mode = va_arg(ap, int);
        va_end(ap);
    }
    if (test_named && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fsync(int fd)
{
    test_step();
    return (int)syscall(SYS_fsync, fd);
}

int linkat(int from, const char *path, int to, const char *name, int flags)
{
    test_step();
    if (test_errno) {
        errno = test_errno;
        return -1;
    }
    return (int)syscall(SYS_linkat, from, path, to, name, flags);
}

/* The number of files below path, dot files too. */
static int test_count(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;
    int n = 0;

    while (dir && (e = readdir(dir))) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            n += e->d_type == DT_DIR
                     ? test_count(apr_pstrcat(test_pool, path, "/", e->d_name, NULL))
                     : 1;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

static void test_fresh(void)
{
    const char *tmp = "";
    char *path;

    (void)apr_temp_dir_get(&tmp, test_pool);
    path = apr_pstrcat(test_pool, tmp, "/pypitoken-test-XXXXXX", NULL);
    test_root = mkdtemp(path) ? path : "/nonexistent";
}

static void test_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        const char *child = apr_pstrcat(test_pool, path, "/", e->d_name, NULL);

        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            if (e->d_type == DT_DIR) {
                test_remove(child);
            } else {
                unlink(child);
            }
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

/* A file without a name that holds data. */
static apr_status_t test_temp(index_disk_temp_t **t, const char *data, apr_pool_t *pool)
{
    apr_status_t rv = index_disk_temp(t, test_root, pool);

    return rv == APR_SUCCESS ? index_disk_write(*t, data, strlen(data)) : rv;
}

/* The way of an upload; 0 when it is stored. */
static int test_store(const char *name, const char *data, apr_pool_t *pool)
{
    index_disk_temp_t *t;
    int dir;
    apr_status_t rv = test_temp(&t, data, pool);

    if (rv == APR_SUCCESS) {
        rv = index_disk_sync(t, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = index_disk_open(&dir, test_root, "aaa", 1, pool);
    }
    if (rv == APR_SUCCESS) {
        index_disk_lock(dir);
        rv = index_disk_publish(t, dir, name);
        index_disk_unlock(dir);
    }
    if (rv == APR_SUCCESS) {
        rv = index_disk_flush(dir);
    }
    index_disk_done(t, pool);
    return rv;
}

static const char *test_content(const char *name, apr_pool_t *pool)
{
    slice_t s;
    int dir;

    return index_disk_open(&dir, test_root, "aaa", 0, pool) == APR_SUCCESS &&
                   index_disk_read(&s, dir, name, 4096, pool) == APR_SUCCESS
               ? slice_dup(s, pool)
               : NULL;
}

static void test_names(void)
{
    const char *how = test_named ? "named" : "nameless";
    const char *got;

    test_fresh();
    tap_ok(test_store("a", test_data, test_pool) == APR_SUCCESS, "%s: stored", how);
    got = test_content("a", test_pool);
    tap_ok(got && strcmp(got, test_data) == 0, "%s: with its bytes", how);
    tap_ok(APR_STATUS_IS_EEXIST(test_store("a", "other", test_pool)), "%s: a name is taken once",
           how);
    got = test_content("a", test_pool);
    tap_ok(got && strcmp(got, test_data) == 0, "%s: and keeps its bytes", how);
    test_errno = ENOSPC;
    tap_ok(test_store("b", test_data, test_pool) == ENOSPC, "%s: errors come through", how);
    test_errno = 0;
    tap_ok(test_count(test_root) == 1, "%s: one file and no temporary, got %d", how,
           test_count(test_root));
    test_remove(test_root);
}

/* Dies at every call of ours in turn; then somebody else looks. */
static void test_crash(void)
{
    const char *how = test_named ? "named" : "nameless";
    int at, status, left, died = 1;

    for (at = 1; died && at < 20; at++) {
        const char *got;
        pid_t pid;

        test_fresh();
        pid = fork();
        if (pid == 0) {
            apr_pool_t *pool;

            apr_pool_create(&pool, NULL);
            test_kill = at;
            _exit(test_store("a", test_data, pool) != APR_SUCCESS);
        }
        waitpid(pid, &status, 0);
        died = WIFSIGNALED(status);
        index_disk_tidy(test_root);
        got = test_content("a", test_pool);
        left = test_count(test_root);
        tap_ok(died || WEXITSTATUS(status) == 0, "%s, step %d: killed or done", how, at);
        tap_ok(!got || strcmp(got, test_data) == 0, "%s, step %d: whole or not there", how, at);
        tap_ok(left == (got != NULL), "%s, step %d: nothing else, got %d files", how, at, left);
        tap_ok(got ? APR_STATUS_IS_EEXIST(test_store("a", test_data, test_pool))
                   : test_store("a", test_data, test_pool) == APR_SUCCESS,
               "%s, step %d: can be repeated", how, at);
        test_remove(test_root);
    }
    tap_ok(at > 4 && !died, "%s: %d steps to die at", how, at - 2);
}

/* Puts data in the place of "a". */
static apr_status_t test_replace_once(const char *data, apr_pool_t *pool)
{
    index_disk_temp_t *t;
    int dir;
    apr_status_t rv = test_temp(&t, data, pool);

    if (rv == APR_SUCCESS) {
        rv = index_disk_open(&dir, test_root, "aaa", 1, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = index_disk_replace(t, dir, "a");
    }
    index_disk_done(t, pool);
    return rv;
}

/* Who reads meanwhile, or after a death in the midst of it, would take a file for one without
 * metadata, and what only the upload knew (Requires-Python) would be lost for good. */
static void test_replace(void)
{
    const char *how = test_named ? "named" : "nameless", *got;
    int at, status, died = 1;

    test_fresh();
    tap_ok(test_replace_once(test_data, test_pool) == APR_SUCCESS, "%s: what is not there", how);
    test_stays = apr_pstrcat(test_pool, test_root, "/aaa/a", NULL);
    tap_ok(test_replace_once("second", test_pool) == APR_SUCCESS, "%s: what is there", how);
    tap_ok(test_replace_once("third", test_pool) == APR_SUCCESS, "%s: once more", how);
    got = test_content("a", test_pool);
    tap_ok(got && strcmp(got, "third") == 0, "%s: is replaced", how);
    tap_ok(test_gone == 0, "%s: at no moment nothing is there (%d times)", how, test_gone);
    test_stays = NULL;
    for (at = 1; died && at < 10; at++) {
        pid_t pid = fork();

        if (pid == 0) {
            apr_pool_t *pool;

            apr_pool_create(&pool, NULL);
            test_kill = at;
            _exit(test_replace_once("fourth", pool) != APR_SUCCESS);
        }
        waitpid(pid, &status, 0);
        died = WIFSIGNALED(status);
        got = test_content("a", test_pool);
        tap_ok(got && strcmp(got, died ? "third" : "fourth") == 0, "%s: killed at call %d: %s", how,
               at, got ? got : "nothing is left");
    }
    index_disk_tidy(test_root);
    tap_ok(at > 2 && !died && test_count(test_root) == 1,
           "%s: and nothing else stays, got %d files", how, test_count(test_root));
    test_remove(test_root);
}

/* A temporary in use, of this process or another, is nobody's to remove. */
static void test_tidy(void)
{
    index_disk_temp_t *t;
    const char *tmp, *other, *old;
    int dir;

    test_fresh();
    test_named = 1;
    tmp = apr_pstrcat(test_pool, test_root, "/.tmp", NULL);
    tap_ok(index_disk_temp(&t, test_root, test_pool) == APR_SUCCESS && test_count(tmp) == 1,
           "a named temporary is in .tmp");
    index_disk_tidy(test_root);
    tap_ok(test_count(tmp) == 1, "and stays while it is in use");
    other = apr_pstrcat(test_pool, tmp, "/somebody-elses", NULL);
    old = apr_pstrcat(test_pool, tmp, "/pypitoken-0123456789abcdef0123456789abcdef", NULL);
    close(open(other, O_WRONLY | O_CREAT, 0600));
    close(open(old, O_WRONLY | O_CREAT, 0600));
    index_disk_tidy(test_root);
    tap_ok(access(other, F_OK) == 0, "other files in .tmp are not ours");
    tap_ok(access(old, F_OK) != 0, "a temporary that nobody holds goes");
    tap_ok(index_disk_write(t, test_data, strlen(test_data)) == APR_SUCCESS &&
               index_disk_sync(t, NULL) == APR_SUCCESS &&
               index_disk_open(&dir, test_root, "aaa", 1, test_pool) == APR_SUCCESS &&
               index_disk_publish(t, dir, "a") == APR_SUCCESS,
           "the one in use is published after all that");
    index_disk_done(t, test_pool);
    tap_ok(test_count(tmp) == 1, "its temporary name is gone");
    index_disk_tidy("/nonexistent");
    test_named = 0;
    test_remove(test_root);
}

/* What is not a plain file below PACKAGES is not opened. */
static void test_links(void)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    struct stat info;
    slice_t s;
    int dir, below;

    test_fresh();
    tap_ok(APR_STATUS_IS_ENOENT(index_disk_open(&dir, test_root, "aaa", 0, test_pool)),
           "a project that is not there");
    tap_ok(test_store("a", test_data, test_pool) == APR_SUCCESS &&
               index_disk_open(&dir, test_root, "aaa", 0, test_pool) == APR_SUCCESS,
           "one that is");
    tap_ok(symlinkat("a", dir, "link") == 0, "a link to a file");
    tap_ok(symlinkat("/tmp", dir, "away") == 0, "a link away");
    (void)mkfifo(apr_pstrcat(test_pool, test_root, "/aaa/fifo", NULL), 0600);
    tap_ok(symlink("aaa", apr_pstrcat(test_pool, test_root, "/bbb", NULL)) == 0,
           "a link between projects");
    tap_ok(index_disk_sum(dir, "a", sum, &info) == APR_SUCCESS &&
               info.st_size == (off_t)strlen(test_data),
           "a file is summed");
    tap_ok(index_disk_sum(dir, "link", sum, &info) == EINVAL, "a link to a file is not");
    tap_ok(index_disk_sum(dir, "fifo", sum, &info) == EINVAL, "nor a FIFO, without waiting");
    tap_ok(index_disk_sum(dir, ".", sum, &info) == EINVAL, "nor a directory");
    tap_ok(APR_STATUS_IS_ENOENT(index_disk_sum(dir, "none", sum, &info)), "nor nothing");
    tap_ok(index_disk_below(&below, dir, "away", test_pool) != APR_SUCCESS, "no link is entered");
    tap_ok(index_disk_open(&below, test_root, "bbb", 1, test_pool) != APR_SUCCESS,
           "not as a project either");
    tap_ok(index_disk_read(&s, dir, "a", 5, test_pool) == EFBIG, "no more is read than wanted");
    test_remove(test_root);
}

/* Another file under the name: the metadata is not believed, by size or by date. */
static void test_meta_stale(int dir, const struct stat *was)
{
    const char *path = apr_pstrcat(test_pool, test_root, "/aaa/a", NULL);
    struct timespec times[2] = {was->st_mtim, was->st_mtim};
    unsigned char sum[crypto_hash_sha256_BYTES];
    char hex[INDEX_DIGEST_HEX];
    struct stat info;
    index_meta_t got;
    int fd;

    fd = open(path, O_WRONLY);
    tap_ok(ftruncate(fd, was->st_size - 1) == 0 && futimens(fd, times) == 0 &&
               fstat(fd, &info) == 0,
           "another size, the same date");
    tap_ok(index_meta_get(&got, test_root, dir, "a", &info, test_pool) == APR_SUCCESS &&
               got.size == was->st_size - 1 && !*got.requires_python,
           "is seen");
    times[1].tv_sec--;
    tap_ok(pwrite(fd, "S", 1, 0) == 1 && futimens(fd, times) == 0 && fstat(fd, &info) == 0,
           "the same size, another date");
    close(fd);
    index_disk_sum(dir, "a", sum, &info);
    index_digest_hex(hex, sum);
    tap_ok(index_meta_get(&got, test_root, dir, "a", &info, test_pool) == APR_SUCCESS &&
               strcmp(got.sha256, hex) == 0,
           "is seen");
}

static void test_meta(void)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    index_disk_temp_t *t;
    index_meta_t m, got;
    struct stat info;
    int dir, twice;

    test_fresh();
    test_store("a", test_data, test_pool);
    index_disk_open(&dir, test_root, "aaa", 0, test_pool);
    index_disk_sum(dir, "a", sum, &info);
    index_meta_set(&m, &info, sum, " >=3.8 ", test_pool);
    tap_ok(strcmp(m.requires_python, ">=3.8") == 0, "requires_python is trimmed");
    for (twice = 0; twice < 2; twice++) {
        tap_ok(index_meta_prepare(&t, test_root, &m, test_pool) == APR_SUCCESS &&
                   index_meta_publish(t, dir, "a", test_pool) == APR_SUCCESS,
               "written, time %d", twice + 1);
        index_disk_done(t, test_pool);
    }
    tap_ok(index_meta_get(&got, test_root, dir, "a", &info, test_pool) == APR_SUCCESS &&
               got.size == m.size && got.mtime == m.mtime && got.uploaded == m.uploaded &&
               strcmp(got.sha256, m.sha256) == 0 && strcmp(got.requires_python, ">=3.8") == 0,
           "and read again");
    test_meta_stale(dir, &info);
    index_meta_set(&m, &info, sum, ">=3\n<script>", test_pool);
    tap_ok(!*m.requires_python, "a requires_python with control characters is dropped");
    index_meta_set(&m, &info, sum, ">=\xc3\xa4", test_pool);
    tap_ok(!*m.requires_python, "and one beyond ASCII");
    tap_ok(index_meta_get(&got, test_root, dir, "none", &info, test_pool) != APR_SUCCESS,
           "no metadata of nothing");
    test_remove(test_root);
}

int main(void)
{
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&test_pool, NULL);
    for (test_named = 0; test_named < 2; test_named++) {
        test_names();
        test_crash();
        test_replace();
    }
    test_tidy();
    test_links();
    test_meta();
    apr_pool_destroy(test_pool);
    return tap_done();
}
