/* pypitokenctl.c - the command line: options, commands, help, all from two tables. */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ctl/commands.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

/* apr_getopt's number of --help; that of option i follows. Above 255: no letters. */
#define PYPITOKENCTL_HELP  256
#define PYPITOKENCTL_FIRST 257

/* ---- help ---- */

static void pypitokenctl_help_options(unsigned options, FILE *out)
{
    const commands_option_t *o;
    char left[40];
    size_t i;

    for (i = 0; i < commands_n_options; i++) {
        o = &commands_options[i];
        if (options ? (o->bit & options) != 0 : o->bit == COMMANDS_ALL) {
            apr_snprintf(left, sizeof(left), "--%s %s", o->name, o->value ? o->value : "");
            fprintf(out, "  %-20s %s\n", left, o->help);
        }
    }
}

static void pypitokenctl_help_command(const commands_row_t *c, FILE *out)
{
    fprintf(out, "Usage: pypitokenctl %s%s%s%s%s\n%s\n", c->words[0], c->words[1] ? " " : "",
            c->words[1] ? c->words[1] : "", *c->usage ? " " : "", c->usage, c->help);
    if (c->options) {
        fputs("\nOptions:\n", out);
        pypitokenctl_help_options(c->options, out);
    }
    fputs("\nOptions of every command:\n", out);
    pypitokenctl_help_options(COMMANDS_ALL, out);
}

/* All commands, or those that begin with word. */
static void pypitokenctl_help_all(const char *word, FILE *out)
{
    const commands_row_t *c;
    size_t i;

    fputs("Usage: pypitokenctl COMMAND [OPTION]...\n"
          "Users, projects and upload tokens of a package index.\n\nCommands:\n",
          out);
    for (i = 0; i < commands_n_rows; i++) {
        c = &commands_rows[i];
        if (!word || strcmp(word, c->words[0]) == 0) {
            fprintf(out, "  %s%s%s%s%s\n      %s\n", c->words[0], c->words[1] ? " " : "",
                    c->words[1] ? c->words[1] : "", *c->usage ? " " : "", c->usage, c->help);
        }
    }
    fputs("\nOptions of every command:\n", out);
    pypitokenctl_help_options(COMMANDS_ALL, out);
    fputs("  --help               this text, or that of a command\n"
          "  --version            the version of this program\n\n"
          "What no option sets is taken from the environment variable in brackets, then "
          "from\n" CTL_CONFIG " ('store = ...', 'store-secret =', 'keyring =', 'service =', "
          "'policy =').\n"
          "Secrets are read from standard input, a terminal or a file, never from an argument.\n"
          "Exit: 0 done, 1 refused or not found, 2 usage, 3 store not available.\n",
          out);
}

/* ---- parsing ---- */

/* "-" is standard input, but to apr_getopt it is a mistake: this goes by instead of it. */
static const char pypitokenctl_input[] = "-", pypitokenctl_hidden[] = "standard input";

static const char *const *pypitokenctl_hide(int argc, const char *const *argv, apr_pool_t *pool)
{
    const char **out = apr_palloc(pool, ((apr_size_t)argc + 1) * sizeof(*out));
    int i;

    for (i = 0; i < argc; i++) {
        out[i] = strcmp(argv[i], pypitokenctl_input) == 0 ? pypitokenctl_hidden : argv[i];
    }
    out[i] = NULL;
    return out;
}

static const char *pypitokenctl_shown(const char *word)
{
    return word == pypitokenctl_hidden ? pypitokenctl_input : word;
}

static void pypitokenctl_take(ctl_t *ctl, const commands_option_t *option, const char *value)
{
    char *field = (char *)ctl + option->offset;

    value = pypitokenctl_shown(value);
    switch (option->kind) {
    case COMMANDS_TEXT:
        *(const char **)field = value;
        break;
    case COMMANDS_LIST:
        if (!*(apr_array_header_t **)field) {
            *(apr_array_header_t **)field = apr_array_make(ctl->pool, 4, sizeof(const char *));
        }
        APR_ARRAY_PUSH(*(apr_array_header_t **)field, const char *) = value;
        break;
    case COMMANDS_FLAG:
        *(int *)field = 1;
        break;
    }
}

static const apr_getopt_option_t *pypitokenctl_getopt_table(apr_pool_t *pool)
{
    apr_getopt_option_t *table = apr_pcalloc(pool, (commands_n_options + 2) * sizeof(*table));
    size_t i;

    for (i = 0; i < commands_n_options; i++) {
        table[i].name = commands_options[i].name;
        table[i].optch = PYPITOKENCTL_FIRST + (int)i;
        table[i].has_arg = commands_options[i].value != NULL;
    }
    table[i].name = "help";
    table[i].optch = PYPITOKENCTL_HELP;
    return table;
}

/* What the options ask for besides their own values. */
typedef struct pypitokenctl_asked_t {
    unsigned options; /* bits of those that were given */
    int help;
} pypitokenctl_asked_t;

/* Fills ctl from the options and leaves the rest in ctl->argv. 0, or -1 after a complaint. */
static int pypitokenctl_parse(ctl_t *ctl, pypitokenctl_asked_t *asked, int argc,
                              const char *const *argv)
{
    const apr_getopt_option_t *table = pypitokenctl_getopt_table(ctl->pool);
    apr_status_t rv;
    apr_getopt_t *os;
    const char *value, **words;
    int option, i;

    apr_getopt_init(&os, ctl->pool, argc, pypitokenctl_hide(argc, argv, ctl->pool));
    os->interleave = 1;
    while ((rv = apr_getopt_long(os, table, &option, &value)) == APR_SUCCESS) {
        if (option == PYPITOKENCTL_HELP) {
            asked->help = 1;
        } else {
            asked->options |= commands_options[option - PYPITOKENCTL_FIRST].bit;
            pypitokenctl_take(ctl, &commands_options[option - PYPITOKENCTL_FIRST], value);
        }
    }
    ctl->argc = argc - os->ind;
    words = apr_palloc(ctl->pool, ((apr_size_t)ctl->argc + 1) * sizeof(*words));
    for (i = 0; i < ctl->argc; i++) {
        words[i] = pypitokenctl_shown(os->argv[os->ind + i]);
    }
    words[i] = NULL;
    ctl->argv = words;
    return rv == APR_EOF ? 0 : -1;
}

/* The command that the first words name; takes them off the operands. */
static const commands_row_t *pypitokenctl_find(ctl_t *ctl)
{
    const commands_row_t *c;
    size_t i;
    int words;

    for (i = 0; i < commands_n_rows; i++) {
        c = &commands_rows[i];
        words = c->words[1] ? 2 : 1;
        if (ctl->argc >= words && strcmp(ctl->argv[0], c->words[0]) == 0 &&
            (words == 1 || strcmp(ctl->argv[1], c->words[1]) == 0)) {
            ctl->argc -= words;
            ctl->argv += words;
            return c;
        }
    }
    return NULL;
}

static int pypitokenctl_run(ctl_t *ctl, int argc, const char *const *argv)
{
    pypitokenctl_asked_t asked = {0};
    const commands_row_t *c;

    /* with something behind it, it is the version of a package */
    if (argc > 1 && strcmp(argv[argc - 1], "--version") == 0) {
        printf("pypitokenctl %s\n", PACKAGE_VERSION);
        return CTL_DONE;
    }
    if (pypitokenctl_parse(ctl, &asked, argc, argv)) {
        return ctl_fail(CTL_USAGE, "Try 'pypitokenctl --help'.");
    }
    c = pypitokenctl_find(ctl);
    if (asked.help) {
        if (c) {
            pypitokenctl_help_command(c, stdout);
        } else {
            pypitokenctl_help_all(ctl->argc ? ctl->argv[0] : NULL, stdout);
        }
        return CTL_DONE;
    }
    if (!c) {
        if (ctl->argc == 0) {
            pypitokenctl_help_all(NULL, stderr);
            return CTL_USAGE;
        }
        /* not repeated: people do paste tokens into the wrong place */
        return ctl_fail(CTL_USAGE, "There is no such command. Try 'pypitokenctl --help'.");
    }
    if ((asked.options & ~c->options) || ctl->argc < c->least || ctl->argc > c->most) {
        ctl_fail(CTL_USAGE, "%s",
                 asked.options & ~c->options ? "This command does not take one of these options."
                 : ctl->argc < c->least      ? "Something is missing."
                                             : "There is too much.");
        pypitokenctl_help_command(c, stderr);
        return CTL_USAGE;
    }
    return c->run(ctl);
}

int main(int argc, const char *const *argv)
{
    static const struct rlimit no_core = {0, 0};
    ctl_t ctl = {0};
    int code;

    if (apr_initialize() != APR_SUCCESS || sodium_init() < 0) {
        fputs("pypitokenctl: The libraries could not be started.\n", stderr);
        return CTL_REFUSED;
    }
    apr_pool_create(&ctl.pool, NULL);
    ctl.seam = &seam_system;
    ctl.projects = apr_array_make(ctl.pool, 4, sizeof(const char *));
    /* secrets pass through here: no files for others, no dumps, no death before the wiping */
    umask(077);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_IGN);

    code = pypitokenctl_run(&ctl, argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && code == CTL_DONE) {
        code = ctl_fail(CTL_REFUSED, "Not all of the answer could be written.");
    }
    apr_pool_destroy(ctl.pool);
    apr_terminate();
    return code;
}
