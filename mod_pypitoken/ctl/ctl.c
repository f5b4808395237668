/* ctl.c - settings, store and output of pypitokenctl; see ctl.h. */
#include "ctl/ctl.h"

#include <sys/stat.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <pwd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/project.h"
#include "store/keyring.h"

#define CTL_LINE_MAX 4096

/* One setting: where it is kept, how the environment and the file call it. */
typedef struct ctl_setting_t {
    size_t offset;
    const char *variable;
    const char *key;
} ctl_setting_t;

static const ctl_setting_t ctl_settings[] = {
    {offsetof(ctl_t, store_url), "PYPITOKEN_STORE", "store"},
    {offsetof(ctl_t, store_secret), "PYPITOKEN_STORE_SECRET", "store-secret"},
    {offsetof(ctl_t, keyring), "PYPITOKEN_KEYRING", "keyring"},
    {offsetof(ctl_t, service), "PYPITOKEN_SERVICE", "service"},
    {offsetof(ctl_t, policy), "PYPITOKEN_POLICY", "policy"},
};
#define CTL_SETTINGS (sizeof(ctl_settings) / sizeof(ctl_settings[0]))

/* ---- output ---- */

static void ctl_put(FILE *out, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* A sentence, made fit for a terminal like the cells of a table: it may repeat what a database, a
 * server or a file says. Lines are the sentence's own. */
static void ctl_put(FILE *out, const char *fmt, va_list ap)
{
    char *text = NULL, *line, *end;
    apr_pool_t *pool;

    if (vasprintf(&text, fmt, ap) < 0) {
        return;
    }
    apr_pool_create(&pool, NULL);
    for (line = text; line; line = end) {
        end = strchr(line, '\n');
        if (end) {
            *end++ = '\0';
        }
        fputs(table_clean(slice_of(line), pool), out);
        fputc('\n', out);
    }
    apr_pool_destroy(pool);
    free(text);
}

static void ctl_stderr(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void ctl_stderr(const char *fmt, va_list ap)
{
    fflush(stdout);
    fputs("pypitokenctl: ", stderr);
    ctl_put(stderr, fmt, ap);
}

int ctl_fail(int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ctl_stderr(fmt, ap);
    va_end(ap);
    return code;
}

void ctl_remark(const ctl_t *ctl, const char *fmt, ...)
{
    va_list ap;

    if (!ctl->json) {
        va_start(ap, fmt);
        ctl_stderr(fmt, ap);
        va_end(ap);
    }
}

void ctl_say(const ctl_t *ctl, const table_column_t *columns, apr_size_t n,
             const table_cell_t *cells, const char *fmt, ...)
{
    va_list ap;

    if (ctl->json) {
        table_record(table_make(columns, n, 1, ctl->pool), cells, stdout);
        return;
    }
    va_start(ap, fmt);
    ctl_put(stdout, fmt, ap);
    va_end(ap);
}

int ctl_answer(store_rc_t rc, const char *thing)
{
    switch (rc) {
    case STORE_OK:
        return CTL_DONE;
    case STORE_NOTFOUND:
        return ctl_fail(CTL_REFUSED, "There is no %s.", thing);
    case STORE_CONFLICT:
        return ctl_fail(CTL_REFUSED, "There is a %s already.", thing);
    case STORE_SEALED:
        return ctl_fail(CTL_REFUSED, "The keyring does not open the secret of %s.", thing);
    case STORE_DOWN:
        break;
    }
    return ctl_fail(CTL_DOWN, "The store cannot be used at the moment.");
}

/* ---- settings ---- */

static const char **ctl_field(ctl_t *ctl, const ctl_setting_t *setting)
{
    return (const char **)((char *)ctl + setting->offset);
}

/* One line of the settings file. 0, or -1 when it is neither a comment nor a setting. */
static int ctl_config_line(ctl_t *ctl, slice_t line)
{
    const char *equals;
    slice_t key, value;
    size_t i;

    line = slice_trim(line);
    if (line.n == 0 || *line.p == '#') {
        return 0;
    }
    equals = memchr(line.p, '=', line.n);
    if (!equals) {
        return -1;
    }
    key = slice_trim(slice_make(line.p, (apr_size_t)(equals - line.p)));
    value = slice_trim(slice_make(equals + 1, line.n - (apr_size_t)(equals + 1 - line.p)));
    for (i = 0; i < CTL_SETTINGS; i++) {
        if (slice_is(key, ctl_settings[i].key)) {
            if (value.n && !*ctl_field(ctl, &ctl_settings[i])) {
                *ctl_field(ctl, &ctl_settings[i]) = slice_dup(value, ctl->pool);
            }
            return 0;
        }
    }
    return -1;
}

static int ctl_config_file(ctl_t *ctl)
{
    const char *path = ctl->config ? ctl->config : CTL_CONFIG;
    char line[CTL_LINE_MAX];
    apr_file_t *file;
    apr_status_t rv;
    int number = 0;

    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, ctl->pool);
    if (APR_STATUS_IS_ENOENT(rv) && !ctl->config) {
        return CTL_DONE;
    }
    if (rv != APR_SUCCESS) {
        return ctl_fail(CTL_USAGE, "%s cannot be read: %s.", path,
                        apr_strerror(rv, line, sizeof(line)));
    }
    while ((rv = apr_file_gets(line, sizeof(line), file)) == APR_SUCCESS) {
        /* a line that is too long comes in pieces, which are no lines */
        int whole = strchr(line, '\n') || apr_file_eof(file) == APR_EOF;

        number++;
        if (!whole || ctl_config_line(ctl, slice_of(line))) {
            apr_file_close(file);
            return ctl_fail(CTL_USAGE,
                            "%s line %d is no setting: use store, store-secret, keyring, "
                            "service or policy, then '=' and the value%s.",
                            path, number, whole ? "" : ", in fewer than 4095 bytes");
        }
    }
    apr_file_close(file);
    return rv == APR_EOF ? CTL_DONE
                         : ctl_fail(CTL_USAGE, "%s cannot be read: %s.", path,
                                    apr_strerror(rv, line, sizeof(line)));
}

int ctl_configure(ctl_t *ctl)
{
    const char *value;
    size_t i;

    for (i = 0; i < CTL_SETTINGS; i++) {
        value = getenv(ctl_settings[i].variable);
        if (value && *value && !*ctl_field(ctl, &ctl_settings[i])) {
            *ctl_field(ctl, &ctl_settings[i]) = apr_pstrdup(ctl->pool, value);
        }
    }
    return ctl_config_file(ctl);
}

/* ---- store ---- */

static void ctl_log(void *baton, const char *line)
{
    (void)baton;
    (void)ctl_fail(0, "%s", line);
}

/* SQLite would make the files beside the database as root first and hand them over then: a child of
 * httpd that opens them in between cannot write. */
const char *ctl_become_owner(ctl_t *ctl, store_config_t *config)
{
    keyring_t *keys = NULL;
    const char *wrong, *path = config->url + strlen("sqlite:");
    struct stat st;

    if (geteuid() != 0 || strncmp(config->url, "sqlite:/", 8) != 0 || stat(path, &st) != 0 ||
        st.st_uid == 0) {
        return NULL;
    }
    if (config->keyring) {
        wrong = keyring_open(&keys, config->keyring, ctl->seam, ctl->pool);
        if (wrong) {
            return wrong;
        }
        config->keys = keys;
    }
    return setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0
               ? apr_psprintf(ctl->pool, "cannot act as the owner of %s", path)
               : NULL;
}

/* What was given up for the owner's sake can be taken back: the real ids are the caller's still. */
void ctl_caller_begin(ctl_caller_t *saved)
{
    saved->uid = (unsigned long)geteuid();
    saved->gid = (unsigned long)getegid();
    if (seteuid(getuid()) != 0 || setegid(getgid()) != 0) {
        (void)ctl_fail(0, "cannot act as the caller again");
    }
}

void ctl_caller_end(const ctl_caller_t *saved)
{
    if (setegid((gid_t)saved->gid) != 0 || seteuid((uid_t)saved->uid) != 0) {
        (void)ctl_fail(0, "cannot act as the owner of the store again");
    }
}

static int ctl_open_with(ctl_t *ctl, const char *keyring, int any, int create)
{
    store_config_t config = {0};
    const char *wrong;

    if (!ctl->store_url) {
        return ctl_fail(CTL_USAGE, "No store is named: use --store URL, PYPITOKEN_STORE or 'store "
                                   "=' in " CTL_CONFIG ".");
    }
    config.url = ctl->store_url;
    config.secret = ctl->store_secret;
    config.keyring = keyring;
    config.seam = ctl->seam;
    config.log = ctl_log;
    wrong = ctl_become_owner(ctl, &config);
    if (!wrong) {
        wrong = any ? store_open_any(&ctl->store, &config, create, ctl->pool)
                    : store_open(&ctl->store, &config, ctl->pool);
    }
    if (wrong) {
        ctl->store = NULL;
        return ctl_fail(CTL_DOWN, "%s", wrong);
    }
    return CTL_DONE;
}

int ctl_open(ctl_t *ctl, ctl_keys_t keys)
{
    int code = ctl_configure(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    if (keys == CTL_KEYS_NEEDED && !ctl->keyring) {
        return ctl_fail(CTL_USAGE, "No keyring is named: use --keyring FILE, PYPITOKEN_KEYRING or "
                                   "'keyring =' in " CTL_CONFIG ".");
    }
    return ctl_open_with(ctl, keys == CTL_KEYS_NEEDED ? ctl->keyring : NULL, 0, 0);
}

int ctl_open_any(ctl_t *ctl, int create)
{
    int code = ctl_configure(ctl);

    return code == CTL_DONE ? ctl_open_with(ctl, NULL, 1, create) : code;
}

/* Opened last, it decides as whom root works on: as its owner if it is SQLite's. */
int ctl_open_other(ctl_t *ctl, const char *url, const char *secret, store_t **out)
{
    store_config_t config = {0};
    ctl_caller_t before;
    const char *wrong;

    config.url = url;
    config.secret = secret;
    config.seam = ctl->seam;
    config.log = ctl_log;
    ctl_caller_begin(&before);
    wrong = ctl_become_owner(ctl, &config);
    if (!wrong) {
        wrong = store_open_any(out, &config, 0, ctl->pool);
    }
    if (geteuid() == getuid()) {
        ctl_caller_end(&before);
    }
    return wrong ? ctl_fail(CTL_DOWN, "%s", wrong) : CTL_DONE;
}

/* ---- who did what ---- */

const char *ctl_actor(ctl_t *ctl)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];
    char login[64];

    if (getlogin_r(login, sizeof(login)) == 0 && login[0]) {
        return apr_pstrcat(ctl->pool, "cli:", slice_printable(slice_of(login), 60, ctl->pool),
                           NULL);
    }
    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found) {
        return apr_pstrcat(ctl->pool,
                           "cli:", slice_printable(slice_of(found->pw_name), 60, ctl->pool), NULL);
    }
    return apr_psprintf(ctl->pool, "cli:%lu", (unsigned long)getuid());
}

int ctl_record(ctl_t *ctl, const char *kind, const char *token_id, const char *project,
               const char *detail)
{
    store_event_t event = {0};

    event.at = ctl->seam->now();
    event.kind = kind;
    event.user = ctl_actor(ctl);
    event.token_id = token_id;
    event.project = project;
    event.detail = detail;
    if (store_event_add(ctl->store, &event) != STORE_OK) {
        return ctl_fail(CTL_DOWN, "It was done, but the event '%s' could not be recorded.", kind);
    }
    return CTL_DONE;
}

int ctl_find_user(ctl_t *ctl, const char *name, store_user_t *out)
{
    return ctl_answer(store_user_find(ctl->store, slice_of(name), out, ctl->pool),
                      apr_psprintf(ctl->pool, "user '%s'", name));
}

int ctl_find_project(ctl_t *ctl, const char *name, store_project_t *out)
{
    if (!project_name_valid(slice_of(name))) {
        return ctl_fail(CTL_REFUSED, "'%s' is not a valid project name.", name);
    }
    return ctl_answer(store_project_find(ctl->store, project_normalize(slice_of(name), ctl->pool),
                                         out, ctl->pool),
                      apr_psprintf(ctl->pool, "project '%s'", name));
}

int ctl_project_filter(ctl_t *ctl, const char **norm)
{
    slice_t name;

    *norm = NULL;
    if (ctl->projects->nelts > 1) {
        return ctl_fail(-1, "Only one --project can be listed at a time.");
    }
    if (ctl->projects->nelts == 1) {
        name = slice_of(APR_ARRAY_IDX(ctl->projects, 0, const char *));
        if (!project_name_valid(name)) {
            return ctl_fail(-1, "'%" SLICE_FMT "' is not a valid project name.", SLICE_ARG(name));
        }
        *norm = project_normalize(name, ctl->pool);
    }
    return 0;
}
