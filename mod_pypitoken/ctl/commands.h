/*
 * commands.h - the tables of pypitokenctl: its options and its commands. Parsing, dispatch and help
 * are all read off them. Constant data.
 */
#ifndef PYPITOKEN_COMMANDS_H
#define PYPITOKEN_COMMANDS_H

#include <stddef.h>

#include "ctl/ctl.h"

typedef enum commands_kind_t {
    COMMANDS_TEXT, /* const char * */
    COMMANDS_LIST, /* apr_array_header_t * of const char * */
    COMMANDS_FLAG  /* int */
} commands_kind_t;

/* Bits: which of the options a command takes. The first group is for all of them. */
#define COMMANDS_ALL       0u
#define COMMANDS_USER      (1u << 0)
#define COMMANDS_PROJECT   (1u << 1)
#define COMMANDS_OWNER     (1u << 2)
#define COMMANDS_NAME      (1u << 3)
#define COMMANDS_EXPIRES   (1u << 4)
#define COMMANDS_SINCE     (1u << 5)
#define COMMANDS_FOLLOW    (1u << 6)
#define COMMANDS_VERIFY    (1u << 7)
#define COMMANDS_NOPASS    (1u << 8)
#define COMMANDS_HTTPDCONF (1u << 9)
#define COMMANDS_TOTP      (1u << 10) /* --svg, --digits, --algorithm */
#define COMMANDS_URL       (1u << 11)
#define COMMANDS_OFFLINE   (1u << 20)
#define COMMANDS_PRUNE     (1u << 21) /* --before, --keep */
#define COMMANDS_OVERLAP   (1u << 22)
#define COMMANDS_TO        (1u << 23) /* --to, --to-secret, --force */
#define COMMANDS_FROMFILE  (1u << 25)
#define COMMANDS_NARROW    (1u << 24) /* --network, --version, --file and their like */

typedef struct commands_option_t {
    const char *name, *value; /* value: how help calls it; NULL: takes none */
    unsigned bit;
    commands_kind_t kind;
    size_t offset; /* of the field in ctl_t */
    const char *help;
} commands_option_t;

typedef struct commands_row_t {
    const char *words[2]; /* the second may be NULL */
    unsigned options;
    int least, most; /* operands */
    ctl_run_fn *run;
    const char *usage; /* operands and options */
    const char *help;
} commands_row_t;

extern const commands_option_t commands_options[];
extern const commands_row_t commands_rows[];
extern const size_t commands_n_options, commands_n_rows;

#endif
