/* cmd_doctor.c - looks for what is wrong with an installation, and says what to do about it. */
#include "ctl/cmd.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/duration.h"
#include "core/token.h"
#include "ctl/mistake.h"

#define CMD_DOCTOR_SQLITE "sqlite:"

/* No machine that runs this has a clock before 2025: it has lost its battery. */
#define CMD_DOCTOR_EARLIEST APR_INT64_C(1735689600)

/* Events of other machines may be this far ahead. */
#define CMD_DOCTOR_SKEW 60

/* httpd's own limit when LimitRequestFieldSize is not set, and what fits into it. */
#define CMD_DOCTOR_FIELD_SIZE 8190

typedef enum cmd_doctor_state_t {
    CMD_DOCTOR_OK,
    CMD_DOCTOR_WARN,
    CMD_DOCTOR_FAIL
} cmd_doctor_state_t;

static const char *const cmd_doctor_words[] = {"ok", "warning", "failed"};

static const table_column_t cmd_doctor_columns[] = {
    {"STATE", "state", TABLE_TEXT, 0},
    {"CHECK", "check", TABLE_TEXT, 0},
    {"FINDING", "finding", TABLE_TEXT, 0},
};

typedef struct cmd_doctor_t {
    ctl_t *ctl;
    table_t *table;
    cmd_doctor_state_t worst;
    int down;
} cmd_doctor_t;

static void cmd_doctor_note(cmd_doctor_t *d, cmd_doctor_state_t state, const char *check,
                            const char *finding)
{
    const table_cell_t cells[] = {TABLE_STRING(cmd_doctor_words[state]), TABLE_STRING(check),
                                  TABLE_STRING(finding)};

    table_add(d->table, cells);
    d->worst = state > d->worst ? state : d->worst;
}

/* ---- settings and files ---- */

static void cmd_doctor_service(cmd_doctor_t *d)
{
    if (d->ctl->service && *d->ctl->service) {
        cmd_doctor_note(d, CMD_DOCTOR_OK, "service", d->ctl->service);
        return;
    }
    cmd_doctor_note(
        d, CMD_DOCTOR_FAIL, "service",
        "not set: tokens cannot be made. Use what PyPITokenService or ServerName says.");
}

/* The file is for its owner alone. */
static void cmd_doctor_mode(cmd_doctor_t *d, const char *check, const char *path)
{
    apr_pool_t *pool = d->ctl->pool;
    apr_finfo_t info;
    char why[120];
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_PROT | APR_FINFO_TYPE, pool);

    if (rv != APR_SUCCESS) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, check,
                        apr_psprintf(pool, "%s: %s", path, apr_strerror(rv, why, sizeof(why))));
    } else if (info.protection & 0x0ff) {
        cmd_doctor_note(d, CMD_DOCTOR_WARN, check,
                        apr_psprintf(pool, "%s can be read by others (mode %03x): chmod 600 '%s'",
                                     path, (unsigned)info.protection & 0xfff, path));
    } else {
        cmd_doctor_note(d, CMD_DOCTOR_OK, check, apr_pstrcat(pool, path, " is private", NULL));
    }
}

static void cmd_doctor_keyring(cmd_doctor_t *d)
{
    const char *path = d->ctl->keyring, *wrong;
    keyring_t *keys;

    if (!path) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "keyring",
                        "not set: use --keyring, PYPITOKEN_KEYRING or the settings file.");
        return;
    }
    wrong = keyring_open(&keys, path, d->ctl->seam, d->ctl->pool);
    if (wrong) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "keyring", wrong);
        d->ctl->keyring = NULL; /* so that the store is looked at nevertheless */
        return;
    }
    cmd_doctor_note(d, CMD_DOCTOR_OK, "keyring",
                    apr_psprintf(d->ctl->pool, "%s opens and is private, seals with key %s", path,
                                 keyring_current(keys)));
}

/* ---- the store ---- */

static void cmd_doctor_log(void *baton, const char *line)
{
    cmd_doctor_t *d = baton;

    cmd_doctor_note(d, CMD_DOCTOR_WARN, "store", line);
}

static int cmd_doctor_open(cmd_doctor_t *d)
{
    ctl_t *ctl = d->ctl;
    store_config_t config = {0};
    const char *wrong;

    if (!ctl->store_url) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "store",
                        "not set: use --store, PYPITOKEN_STORE or the settings file.");
        return -1;
    }
    config.url = ctl->store_url;
    config.secret = ctl->store_secret;
    config.keyring = ctl->keyring;
    config.seam = ctl->seam;
    config.log = cmd_doctor_log;
    config.baton = d;
    wrong = ctl_become_owner(ctl, &config);
    if (!wrong) {
        wrong = store_open_any(&ctl->store, &config, 0, ctl->pool);
    }
    d->down = wrong != NULL;
    cmd_doctor_note(d, wrong ? CMD_DOCTOR_FAIL : CMD_DOCTOR_OK, "store",
                    wrong ? wrong : apr_pstrcat(ctl->pool, ctl->store_url, " opens", NULL));
    return wrong ? -1 : 0;
}

/* 0 when the rest of the store can be looked at. */
static int cmd_doctor_schema(cmd_doctor_t *d)
{
    store_schema_t schema;
    const char *wrong;

    if (store_schema(d->ctl->store, &schema) != STORE_OK) {
        d->down = 1;
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "schema", "cannot be read");
        return -1;
    }
    wrong = store_schema_fits(&schema, d->ctl->pool);
    cmd_doctor_note(d, wrong ? CMD_DOCTOR_FAIL : CMD_DOCTOR_OK, "schema",
                    wrong ? apr_pstrcat(d->ctl->pool, "the store ", wrong, NULL)
                          : apr_psprintf(d->ctl->pool, "version %d%s", schema.have,
                                         schema.have > schema.want
                                             ? ", newer than this program, which may use it"
                                             : ""));
    return wrong ? -1 : 0;
}

typedef struct cmd_doctor_newest_t {
    char id[TOKEN_UUID_CHARS + 1];
    apr_int64_t created;
} cmd_doctor_newest_t;

static int cmd_doctor_newest(void *baton, const store_token_t *row)
{
    cmd_doctor_newest_t *newest = baton;

    apr_cpystrn(newest->id, row->id, sizeof(newest->id));
    newest->created = row->created;
    return 1;
}

static int cmd_doctor_future(void *baton, const store_event_t *row)
{
    *(apr_int64_t *)baton = row->at;
    return 1;
}

/* Whether the keyring is the one that the newest token was sealed with. */
static void cmd_doctor_seal(cmd_doctor_t *d, const cmd_doctor_newest_t *newest)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_token_t row = {0};
    store_rc_t rc;

    if (!newest->id[0]) {
        cmd_doctor_note(d, CMD_DOCTOR_OK, "tokens", "none yet");
        return;
    }
    if (!d->ctl->keyring) {
        return; /* complained about already */
    }
    rc = store_token_find(d->ctl->store, slice_of(newest->id), &row, key, d->ctl->pool);
    sodium_memzero(key, sizeof(key));
    cmd_doctor_note(d, rc == STORE_OK ? CMD_DOCTOR_OK : CMD_DOCTOR_FAIL, "tokens",
                    rc == STORE_OK ? "the keyring opens the newest token"
                                   : "the keyring does not open the newest token: another keyring "
                                     "sealed it");
}

/* A clock that was set back makes expired tokens live again. */
static void cmd_doctor_clock(cmd_doctor_t *d, const cmd_doctor_newest_t *newest)
{
    apr_int64_t now = d->ctl->seam->now(), ahead = 0;
    const char *iso = duration_iso(now, d->ctl->pool);

    if (now < CMD_DOCTOR_EARLIEST) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "clock",
                        apr_psprintf(d->ctl->pool, "it is not %s: set the clock", iso));
        return;
    }
    if (newest && newest->created > now + CMD_DOCTOR_SKEW) {
        ahead = newest->created;
    } else if (newest) {
        (void)store_event_list(d->ctl->store, NULL, NULL, now + CMD_DOCTOR_SKEW, 0,
                               cmd_doctor_future, &ahead);
    }
    if (ahead) {
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "clock",
                        apr_psprintf(d->ctl->pool,
                                     "it is %s here, but the store knows of %s: set the clock", iso,
                                     duration_iso(ahead, d->ctl->pool)));
        return;
    }
    cmd_doctor_note(d, CMD_DOCTOR_OK, "clock", iso);
}

static void cmd_doctor_store(cmd_doctor_t *d)
{
    const char *url = d->ctl->store_url;
    cmd_doctor_newest_t newest = {{0}, 0};

    if (cmd_doctor_open(d)) {
        cmd_doctor_clock(d, NULL);
        return;
    }
    if (strncmp(url, CMD_DOCTOR_SQLITE, strlen(CMD_DOCTOR_SQLITE)) == 0) {
        cmd_doctor_mode(d, "store", url + strlen(CMD_DOCTOR_SQLITE));
    }
    if (cmd_doctor_schema(d)) {
        cmd_doctor_clock(d, NULL);
        return;
    }
    if (store_token_list(d->ctl->store, NULL, NULL, cmd_doctor_newest, &newest) != STORE_OK) {
        d->down = 1;
        cmd_doctor_note(d, CMD_DOCTOR_FAIL, "tokens", "cannot be read");
        return;
    }
    cmd_doctor_seal(d, &newest);
    cmd_doctor_clock(d, &newest);
}

/* ---- httpd's configuration ---- */

/* A setting that httpd and this program should share. */
static void cmd_doctor_same(cmd_doctor_t *d, const char *directive, const char *theirs,
                            const char *ours)
{
    if (theirs && ours && strcmp(theirs, ours) != 0) {
        cmd_doctor_note(
            d, CMD_DOCTOR_WARN, "httpd",
            apr_psprintf(d->ctl->pool, "%s is %s there, and %s here", directive, theirs, ours));
    }
}

static void cmd_doctor_field_size(cmd_doctor_t *d, const char *value)
{
    apr_int64_t size = *value ? apr_atoi64(value) : CMD_DOCTOR_FIELD_SIZE;

    if (size < CMD_DOCTOR_FIELD_SIZE) {
        return; /* a mistake, and said as such */
    }
    cmd_doctor_note(d, CMD_DOCTOR_OK, "httpd",
                    apr_psprintf(d->ctl->pool,
                                 "LimitRequestFieldSize is %" APR_INT64_T_FMT
                                 "%s: tokens of up to %" APR_INT64_T_FMT " characters get through",
                                 size, *value ? "" : " (not set)", (size - 64) / 4 * 3));
}

static void cmd_doctor_mistake(void *baton, mistake_weight_t weight, const char *word,
                               const char *finding)
{
    cmd_doctor_note(baton, weight == MISTAKE_FAIL ? CMD_DOCTOR_FAIL : CMD_DOCTOR_WARN, word,
                    finding);
}

/* The last of a directive in the whole configuration; what it says, or NULL. */
static const char *cmd_doctor_says(const httpdconf_node_t *root, const char *name)
{
    const httpdconf_node_t *n, *found = NULL;

    for (n = root; n; n = httpdconf_walk(n)) {
        found = httpdconf_is(n, name) ? n : found;
    }
    return found ? httpdconf_arg(found, 0) : NULL;
}

static int cmd_doctor_loaded(const httpdconf_node_t *root)
{
    const httpdconf_node_t *n;

    for (n = root; n; n = httpdconf_walk(n)) {
        if (httpdconf_is(n, "LoadModule") && mistake_says(n, "pypitoken_module")) {
            return 1;
        }
    }
    return 0;
}

/* What stands in the usual places is looked at unasked when it loads the module. */
static const char *const cmd_doctor_places[] = {"/etc/apache2/apache2.conf",
                                                "/etc/httpd/conf/httpd.conf"};

static const httpdconf_node_t *cmd_doctor_find(cmd_doctor_t *d)
{
    const char *wrong, *path = d->ctl->httpd_conf;
    httpdconf_node_t *root;
    apr_size_t i;

    if (path) {
        wrong = httpdconf_read(&root, path, d->ctl->pool);
        if (wrong) {
            cmd_doctor_note(d, CMD_DOCTOR_FAIL, "httpd", wrong);
        }
        return wrong ? NULL : root;
    }
    for (i = 0; i < sizeof(cmd_doctor_places) / sizeof(*cmd_doctor_places); i++) {
        if (!httpdconf_read(&root, cmd_doctor_places[i], d->ctl->pool) && cmd_doctor_loaded(root)) {
            return root;
        }
    }
    return NULL;
}

static void cmd_doctor_httpd(cmd_doctor_t *d)
{
    const httpdconf_node_t *root = cmd_doctor_find(d);
    const char *field;
    ctl_t *ctl = d->ctl;

    if (!root) {
        return;
    }
    cmd_doctor_note(d, cmd_doctor_loaded(root) ? CMD_DOCTOR_OK : CMD_DOCTOR_FAIL, "httpd",
                    cmd_doctor_loaded(root)
                        ? "LoadModule pypitoken_module is there"
                        : "there is no LoadModule pypitoken_module in this configuration: nothing "
                          "is guarded");
    field = cmd_doctor_says(root, "LimitRequestFieldSize");
    cmd_doctor_field_size(d, field ? field : "");
    cmd_doctor_same(d, "PyPITokenStore", cmd_doctor_says(root, "PyPITokenStore"), ctl->store_url);
    cmd_doctor_same(d, "PyPITokenKeyring", cmd_doctor_says(root, "PyPITokenKeyring"), ctl->keyring);
    cmd_doctor_same(d, "PyPITokenService", cmd_doctor_says(root, "PyPITokenService"), ctl->service);
    if (!mistake_look(root, cmd_doctor_mistake, d, ctl->pool)) {
        cmd_doctor_note(d, CMD_DOCTOR_OK, "httpd", "none of the known mistakes is in it");
    }
}

int cmd_doctor_run(ctl_t *ctl)
{
    cmd_doctor_t d = {ctl, NULL, CMD_DOCTOR_OK, 0};
    int code = ctl_configure(ctl);
    ctl_caller_t owner;

    if (code != CTL_DONE) {
        return code;
    }
    d.table = table_make(cmd_doctor_columns, 3, ctl->json, ctl->pool);
    cmd_doctor_service(&d);
    cmd_doctor_keyring(&d);
    cmd_doctor_store(&d);
    ctl_caller_begin(&owner);
    cmd_doctor_httpd(&d);
    ctl_caller_end(&owner);
    table_print(d.table, stdout);
    return d.down ? CTL_DOWN : d.worst == CMD_DOCTOR_FAIL ? CTL_REFUSED : CTL_DONE;
}
