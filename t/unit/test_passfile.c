/* test_passfile.c - the file with the database's password: what is taken, what is refused, and that
 * no sentence quotes it. */
#include "store/passfile.h"
#include "store_kit.h"

#include <sys/resource.h>
#include <sys/wait.h>

static const char *text, *path;
static kit_t kit;

static const char *with(const char *bytes, apr_size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || fchmod(fd, mode)) {
        abort();
    }
    close(fd);
    return passfile_read(&text, path, kit.pool);
}

static const char *line(const char *bytes)
{
    return with(bytes, strlen(bytes), 0600);
}

static void taken(void)
{
    char longest[PASSFILE_MAX + 4];

    tap_ok(!line("secret\n") && kit_is(text, "secret"), "a line");
    tap_ok(!line("secret") && kit_is(text, "secret"), "without its end");
    tap_ok(!line("secret\r\n") && kit_is(text, "secret"), "with an end of another system");
    tap_ok(!line(" a b: c \n") && kit_is(text, " a b: c "), "blanks belong to it");
    tap_ok(!line("p\xc3\xa4sswort\n") && kit_is(text, "p\xc3\xa4sswort"), "so do other characters");
    tap_ok(!with("x\n", 2, 0400), "a file that its owner may not write");
    memset(longest, 'x', sizeof(longest));
    longest[PASSFILE_MAX] = '\n';
    tap_ok(!with(longest, PASSFILE_MAX + 1, 0600) && strlen(text) == PASSFILE_MAX, "the longest");
    longest[PASSFILE_MAX] = 'x';
    longest[PASSFILE_MAX + 1] = '\n';
    tap_ok(kit_has(with(longest, PASSFILE_MAX + 2, 0600), "one line of 1 to") && !text,
           "a longer one is refused");
}

static void refused(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0610, 0601, 0660, 0644};
    const char *wrong;
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(modes); i++) {
        wrong = with("secret\n", 7, modes[i]);
        tap_ok(kit_has(wrong, path) && kit_has(wrong, "run chmod 600") &&
                   !kit_has(wrong, "secret") && !text,
               "mode %o: refused", (unsigned)modes[i]);
    }
    tap_ok(kit_has(line(""), "one line") && kit_has(line("\n"), "one line"), "nothing in it");
    tap_ok(kit_has(line("one\nsecret\n"), "one line") && !text, "two lines");
    tap_ok(kit_has(with("a\0b\n", 4, 0600), "one line") && kit_has(line("a\tb\n"), "one line"),
           "control characters");
    unlink(path);
    tap_ok(kit_has(passfile_read(&text, path, kit.pool), "No such file") && !text, "no file");
    tap_ok(kit_has(passfile_read(&text, kit.dir, kit.pool), "not a regular file"), "a directory");
    if (mkfifo(path, 0600)) {
        abort();
    }
    tap_ok(kit_has(passfile_read(&text, path, kit.pool), "not a regular file"),
           "a pipe, without waiting for its other end");
    unlink(path);
}

/* What must kill: the memory is not to be written, and nothing lies beside it. */
static int kills(apr_size_t offset, int writes)
{
    const struct rlimit none = {0, 0};
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        volatile char *p = (volatile char *)(apr_uintptr_t)text + offset, c;

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        if (writes) {
            *p = 'x';
        }
        c = *p;
        (void)c;
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

static void guarded(void)
{
    tap_ok(!line("secret\n"), "a password");
    tap_ok(!kills(0, 0) && kills(0, 1), "is in memory that can be read, and not written");
    tap_ok(kills(PASSFILE_MAX + 3, 0), "  with nothing behind it");
    unlink(path);
}

int main(void)
{
    kit_begin(&kit);
    path = apr_pstrcat(kit.pool, kit.dir, "/password", NULL);
    taken();
    refused();
    guarded();
    return kit_end(&kit);
}
