/*
 * cmd_completion.c - "completion": what a shell needs to complete our commands, from their tables.
 *
 * The scripts of all three do the same: the words before the cursor, without options and the values
 * of options, say which command it is; offered are the next word of a command, the options that it
 * takes, and what an operand or an option's value can be. bash and zsh share what is made of the
 * tables, three functions of plain sh; fish has a line for each thing, with its help.
 */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"

/* What is called like this has one of these words, or is a file. */
static const struct {
    const char *name, *words;
} cmd_completion_values[] = {
    {"FILE", "FILE"},
    {"DIST", "FILE"},
    {"HTPASSWD", "FILE"},
    {"KIND", "sdist wheel"},
};

/* The words, "FILE", or NULL when nothing is known. An alternative is its own. */
static const char *cmd_completion_value(const char *name, apr_pool_t *pool)
{
    char *words, *bar;
    apr_size_t i;

    for (i = 0; name && i < sizeof(cmd_completion_values) / sizeof(*cmd_completion_values); i++) {
        if (strcmp(cmd_completion_values[i].name, name) == 0) {
            return cmd_completion_values[i].words;
        }
    }
    if (!name || !strchr(name, '|')) {
        return NULL;
    }
    words = apr_pstrdup(pool, name);
    while ((bar = strchr(words, '|')) != NULL) {
        *bar = ' ';
    }
    return words;
}

/* The operands of a command: how its usage begins, before options and remarks. */
static const char *cmd_completion_operands(const commands_row_t *c, apr_pool_t *pool)
{
    const char *out = "";
    char *rest, *word;
    apr_size_t n;

    for (word = apr_strtok(apr_pstrdup(pool, c->usage), " ", &rest);
         word && !strchr("[-<", word[0]) && strcmp(word, "or") != 0;
         word = apr_strtok(NULL, " ", &rest)) {
        n = strcspn(word, ",");
        word[n] = '\0';
        out = apr_pstrcat(pool, out, *out ? " " : "", word, NULL);
    }
    return out;
}

static int cmd_completion_takes(unsigned options, const commands_option_t *o)
{
    return o->bit == COMMANDS_ALL || (o->bit & options) != 0;
}

static const char *cmd_completion_options(unsigned options, apr_pool_t *pool)
{
    const char *out = "--help";
    size_t i;

    for (i = 0; i < commands_n_options; i++) {
        if (cmd_completion_takes(options, &commands_options[i])) {
            out = apr_pstrcat(pool, out, " --", commands_options[i].name, NULL);
        }
    }
    return out;
}

/* The options that have a value, with something between them. */
static const char *cmd_completion_valued(const char *between, apr_pool_t *pool)
{
    const char *out = "";
    size_t i;

    for (i = 0; i < commands_n_options; i++) {
        if (commands_options[i].value) {
            out = apr_pstrcat(pool, out, *out ? between : "", "--", commands_options[i].name, NULL);
        }
    }
    return out;
}

/* The words that may come next: behind first, or at the beginning (NULL). */
static const char *cmd_completion_next(const char *first, apr_pool_t *pool)
{
    const char *out = " ";
    size_t i;

    for (i = 0; i < commands_n_rows; i++) {
        const commands_row_t *c = &commands_rows[i];
        const char *word = first ? c->words[1] : c->words[0];

        if (word && (!first || strcmp(first, c->words[0]) == 0) &&
            !strstr(out, apr_pstrcat(pool, " ", word, " ", NULL))) {
            out = apr_pstrcat(pool, out, word, " ", NULL);
        }
    }
    return apr_pstrmemdup(pool, out + 1, strlen(out) > 1 ? strlen(out) - 2 : 0);
}

/* 1 when no row before this one begins with the same word. */
static int cmd_completion_first(size_t i)
{
    size_t k = 0;

    while (k < i && strcmp(commands_rows[k].words[0], commands_rows[i].words[0]) != 0) {
        k++;
    }
    return k == i;
}

/* ---- bash and zsh ---- */

/* Commands of two words before those of one, which match whatever follows. */
static void cmd_completion_rows(int words, apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < commands_n_rows; i++) {
        const commands_row_t *c = &commands_rows[i];

        if ((c->words[1] ? 2 : 1) == words) {
            printf("    '%s %s'%s) n=%d operands='%s' options='%s' ;;\n", c->words[0],
                   c->words[1] ? c->words[1] : "", c->words[1] ? "" : "*", words,
                   cmd_completion_operands(c, pool), cmd_completion_options(c->options, pool));
        }
    }
}

static void cmd_completion_tables(apr_pool_t *pool)
{
    const char *next, *words;
    size_t i;

    printf("# Which options have a value.\n"
           "_pypitokenctl_valued() {\n    case $1 in\n    %s) return 0 ;;\n    esac\n"
           "    return 1\n}\n\n"
           "# What a value can be: words, or FILE. $1: the option, or how an operand is called.\n"
           "_pypitokenctl_value() {\n    case $1 in\n",
           cmd_completion_valued(" | ", pool));
    for (i = 0; i < commands_n_options; i++) {
        words = cmd_completion_value(commands_options[i].value, pool);
        if (words) {
            printf("    --%s) offer='%s' ;;\n", commands_options[i].name, words);
        }
    }
    for (i = 0; i < sizeof(cmd_completion_values) / sizeof(*cmd_completion_values); i++) {
        printf("    %s) offer='%s' ;;\n", cmd_completion_values[i].name,
               cmd_completion_values[i].words);
    }
    printf("    *'|'*) offer=$(echo \"$1\" | tr '|' ' ') ;;\n    esac\n}\n\n"
           "# The command of the words $1 $2: which may come next, of how many words it is, its\n"
           "# operands and options.\n"
           "_pypitokenctl_row() {\n    next= n=0 operands= options='%s'\n"
           "    case $1 in\n    '') next='%s' ;;\n",
           cmd_completion_options(0, pool), cmd_completion_next(NULL, pool));
    for (i = 0; i < commands_n_rows; i++) {
        next = cmd_completion_next(commands_rows[i].words[0], pool);
        if (cmd_completion_first(i) && *next) {
            printf("    %s) next='%s' ;;\n", commands_rows[i].words[0], next);
        }
    }
    fputs("    esac\n    case \"$1 $2\" in\n", stdout);
    cmd_completion_rows(2, pool);
    cmd_completion_rows(1, pool);
    fputs("    esac\n}\n\n", stdout);
}

static const char cmd_completion_bash[] =
    "_pypitokenctl() {\n"
    "    local cur piece line=$COMP_LINE next n operands options offer= value= word i\n"
    "    local -a words=() plain=() rest=()\n"
    "    # readline cuts words at ':' and '=', too, of which an URL has one: what has no space "
    "before it\n"
    "    # belongs together\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        piece=${COMP_WORDS[i]}\n"
    "        if ((i == 0)) || [[ $line = [[:space:]]* ]]; then\n"
    "            line=${line#\"${line%%[![:space:]]*}\"}\n"
    "            words+=(\"$piece\")\n"
    "        else\n"
    "            words[${#words[@]} - 1]+=$piece\n"
    "        fi\n"
    "        line=${line:${#piece}}\n"
    "    done\n"
    "    cur=${words[${#words[@]} - 1]}\n"
    "    for ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
    "        word=${words[i]}\n"
    "        if [[ -n $value ]]; then\n"
    "            value=\n"
    "        elif [[ $word != -* ]]; then\n"
    "            plain+=(\"$word\")\n"
    "        elif _pypitokenctl_valued \"$word\"; then\n"
    "            value=$word\n"
    "        fi\n"
    "    done\n"
    "    if [[ -z $value && $cur = --*=* ]]; then\n"
    "        value=${cur%%=*} cur=${cur#*=}\n"
    "    fi\n"
    "    _pypitokenctl_row \"${plain[0]}\" \"${plain[1]}\"\n"
    "    if [[ -n $value ]]; then\n"
    "        _pypitokenctl_value \"$value\"\n"
    "    elif [[ $cur = -* ]]; then\n"
    "        offer=$options\n"
    "    elif ((${#plain[@]} < 2)) && [[ -n $next ]]; then\n"
    "        offer=$next\n"
    "    else\n"
    "        rest=($operands)\n"
    "        _pypitokenctl_value \"${rest[${#plain[@]} - n]}\"\n"
    "    fi\n"
    "    if [[ $offer = FILE ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "    else\n"
    "        COMPREPLY=($(compgen -W \"$offer\" -- \"$cur\"))\n"
    "    fi\n"
    "}\n"
    "complete -F _pypitokenctl pypitokenctl\n";

static const char cmd_completion_zsh[] =
    "_pypitokenctl() {\n"
    "    local next n operands options offer= value= word i\n"
    "    local -a plain rest\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        word=${words[i]}\n"
    "        if [[ -n $value ]]; then\n"
    "            value=\n"
    "        elif [[ $word != -* ]]; then\n"
    "            plain+=(\"$word\")\n"
    "        elif _pypitokenctl_valued \"$word\"; then\n"
    "            value=$word\n"
    "        fi\n"
    "    done\n"
    "    _pypitokenctl_row \"${plain[1]}\" \"${plain[2]}\"\n"
    "    if [[ -z $value && ${words[CURRENT]} = --*=* ]]; then\n"
    "        value=${words[CURRENT]%%=*}\n"
    "        compset -P '*='\n"
    "    fi\n"
    "    if [[ -n $value ]]; then\n"
    "        _pypitokenctl_value \"$value\"\n"
    "    elif [[ ${words[CURRENT]} = -* ]]; then\n"
    "        offer=$options\n"
    "    elif ((${#plain} < 2)) && [[ -n $next ]]; then\n"
    "        offer=$next\n"
    "    else\n"
    "        rest=(${=operands})\n"
    "        _pypitokenctl_value \"${rest[${#plain} - n + 1]}\"\n"
    "    fi\n"
    "    if [[ $offer = FILE ]]; then\n"
    "        _files\n"
    "    else\n"
    "        compadd -- ${=offer}\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] = _pypitokenctl ]]; then\n"
    "    _pypitokenctl \"$@\"\n"
    "else\n"
    "    compdef _pypitokenctl pypitokenctl\n"
    "fi\n";

/* ---- fish ---- */

static const char cmd_completion_fish_head[] =
    "function __pypitokenctl_words\n"
    "    set -l value\n"
    "    for word in (commandline -opc)[2..-1]\n"
    "        if test -n \"$value\"\n"
    "            set value\n"
    "            continue\n"
    "        end\n"
    "        switch $word\n"
    "            case %s\n"
    "                set value $word\n"
    "            case '-*'\n"
    "            case '*'\n"
    "                echo $word\n"
    "        end\n"
    "    end\n"
    "end\n"
    "# the command begins with these words / consists of them, and $argv[1] operands\n"
    "function __pypitokenctl_is\n"
    "    set -l have (__pypitokenctl_words)\n"
    "    test \"$have[1..\"(count $argv)\"]\" = \"$argv\" 2>/dev/null\n"
    "end\n"
    "function __pypitokenctl_at\n"
    "    set -l have (__pypitokenctl_words)\n"
    "    test (count $have) = (math (count $argv) - 1 + $argv[1])\n"
    "    or return 1\n"
    "    test (count $argv) = 1\n"
    "    or __pypitokenctl_is $argv[2..-1]\n"
    "end\n"
    "complete -c pypitokenctl -f\n";

/* In single quotes; text of our own tables, without backslashes. */
static const char *cmd_completion_quoted(const char *text, apr_pool_t *pool)
{
    const char *out = "'", *quote;

    for (; (quote = strchr(text, '\'')) != NULL; text = quote + 1) {
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(quote - text)), "\\'",
                          NULL);
    }
    return apr_pstrcat(pool, out, text, "'", NULL);
}

/* -F: files; -a: these words. */
static const char *cmd_completion_fish_value(const char *words, apr_pool_t *pool)
{
    return !words                       ? ""
           : strcmp(words, "FILE") == 0 ? " -F"
                                        : apr_pstrcat(pool, " -a '", words, "'", NULL);
}

static void cmd_completion_fish_option(const char *when, const commands_option_t *o,
                                       apr_pool_t *pool)
{
    const char *words = cmd_completion_value(o->value, pool);
    int file = words && strcmp(words, "FILE") == 0;

    printf("complete -c pypitokenctl%s -l %s%s%s -d %s\n", when, o->name,
           !o->value ? ""
           : file    ? " -r"
                     : " -x",
           cmd_completion_fish_value(words, pool), cmd_completion_quoted(o->help, pool));
}

static void cmd_completion_fish_row(const commands_row_t *c, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, c->words[0], c->words[1] ? " " : "",
                                   c->words[1] ? c->words[1] : "", NULL);
    char *rest, *word = apr_pstrdup(pool, cmd_completion_operands(c, pool));
    const char *words, *when;
    size_t i;
    int n = 0;

    if (c->words[1]) {
        printf("complete -c pypitokenctl -n '__pypitokenctl_at 0 %s' -a %s -d %s\n", c->words[0],
               c->words[1], cmd_completion_quoted(c->help, pool));
    }
    when = apr_pstrcat(pool, " -n '__pypitokenctl_is ", name, NULL);
    for (i = 0; !c->words[1] && i < commands_n_rows; i++) { /* "events", but not "events prune" */
        if (commands_rows[i].words[1] && strcmp(commands_rows[i].words[0], name) == 0) {
            when = apr_pstrcat(pool, when, "; and not __pypitokenctl_is ", name, " ",
                               commands_rows[i].words[1], NULL);
        }
    }
    when = apr_pstrcat(pool, when, "'", NULL);
    for (i = 0; i < commands_n_options; i++) {
        if (commands_options[i].bit != COMMANDS_ALL &&
            cmd_completion_takes(c->options, &commands_options[i])) {
            cmd_completion_fish_option(when, &commands_options[i], pool);
        }
    }
    for (word = apr_strtok(word, " ", &rest); word; word = apr_strtok(NULL, " ", &rest), n++) {
        words = cmd_completion_value(word, pool);
        if (words) {
            printf("complete -c pypitokenctl -n '__pypitokenctl_at %d %s'%s\n", n, name,
                   cmd_completion_fish_value(words, pool));
        }
    }
}

static void cmd_completion_fish(apr_pool_t *pool)
{
    size_t i;

    printf(cmd_completion_fish_head, cmd_completion_valued(" ", pool));
    for (i = 0; i < commands_n_options; i++) {
        if (commands_options[i].bit == COMMANDS_ALL) {
            cmd_completion_fish_option("", &commands_options[i], pool);
        }
    }
    fputs("complete -c pypitokenctl -l help -d 'explain a command'\n", stdout);
    printf("complete -c pypitokenctl -n '__pypitokenctl_at 0' -a '%s'\n",
           cmd_completion_next(NULL, pool));
    for (i = 0; i < commands_n_rows; i++) {
        cmd_completion_fish_row(&commands_rows[i], pool);
    }
}

int cmd_completion_run(ctl_t *ctl)
{
    const char *shell = ctl->argv[0];

    if (strcmp(shell, "zsh") == 0) {
        puts("#compdef pypitokenctl");
        cmd_completion_tables(ctl->pool);
        fputs(cmd_completion_zsh, stdout);
    } else if (strcmp(shell, "bash") == 0) {
        puts("# bash completion for pypitokenctl");
        cmd_completion_tables(ctl->pool);
        fputs(cmd_completion_bash, stdout);
    } else if (strcmp(shell, "fish") == 0) {
        puts("# fish completion for pypitokenctl");
        cmd_completion_fish(ctl->pool);
    } else {
        return ctl_fail(CTL_USAGE, "The shell is bash, zsh or fish.");
    }
    return CTL_DONE;
}
