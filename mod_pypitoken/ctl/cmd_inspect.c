/* cmd_inspect.c - what is done to the text of a token: read it to people, narrow it. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <string.h>

#include "access/bearer.h"
#include "ctl/secret.h"

/* White space around a token is forgiven, up to here. */
#define CMD_INSPECT_MAX (TOKEN_MAX_CHARS + 1024)

/* Lines of one caveat are cut for people, never for programs. */
#define CMD_INSPECT_SHOWN 200

/* Reads and parses the token on stdin; what is wrong with it is said. */
static int cmd_inspect_read(ctl_t *ctl, slice_t *text, macaroon_t **m)
{
    const char *why = NULL;
    verdict_t v = {0};

    if (secret_all("Token", CMD_INSPECT_MAX, text, ctl->pool)) {
        return CTL_REFUSED;
    }
    v.code = token_parse(m, *text, &why, ctl->pool);
    if (v.code != VERDICT_ALLOWED) {
        v.log = why;
        return ctl_fail(CTL_REFUSED, "%s", verdict_logline(&v, ctl->pool));
    }
    return CTL_DONE;
}

/* ---- inspect ---- */

/* What the store says; code is VERDICT_COUNT when it was not asked. */
typedef struct cmd_inspect_answer_t {
    verdict_code_t code;
    verdict_t verdict;
    bearer_t bearer;
} cmd_inspect_answer_t;

static json_t *cmd_inspect_caveats_json(const macaroon_t *m, apr_pool_t *pool)
{
    json_t *list = json_array(), *one;
    apr_size_t i;

    for (i = 0; i < m->n_caveats; i++) {
        one = json_object();
        json_object_set_new(one, "raw", table_json_text(m->caveats[i], pool));
        json_object_set_new(one, "words",
                            table_json_text(slice_of(caveat_describe(m->caveats[i], pool)), pool));
        json_array_append_new(list, one);
    }
    return list;
}

static void cmd_inspect_json(const macaroon_t *m, const cmd_inspect_answer_t *answer,
                             apr_pool_t *pool)
{
    const store_token_t *row = &answer->bearer.token;
    json_t *o = json_object();

    json_object_set_new(o, "location", table_json_text(m->location, pool));
    json_object_set_new(o, "identifier", table_json_text(m->identifier, pool));
    json_object_set_new(o, "caveats", cmd_inspect_caveats_json(m, pool));
    if (answer->code != VERDICT_COUNT) {
        json_object_set_new(o, "verdict", json_string(verdict_word(answer->code)));
        json_object_set_new(o, "sentence", json_string(verdict_sentence(&answer->verdict, pool)));
        json_object_set_new(o, "user", table_json_text(slice_of(row->user_name), pool));
        json_object_set_new(o, "name", table_json_text(slice_of(row->name), pool));
    }
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

static void cmd_inspect_people(const macaroon_t *m, const cmd_inspect_answer_t *answer,
                               apr_pool_t *pool)
{
    const store_token_t *row = &answer->bearer.token;
    apr_size_t i;

    printf("Location:   %s\n", slice_printable(m->location, MACAROON_MAX_LOCATION, pool));
    printf("Identifier: %s\n", slice_printable(m->identifier, MACAROON_MAX_IDENTIFIER, pool));
    printf("Caveats:    %lu\n", (unsigned long)m->n_caveats);
    for (i = 0; i < m->n_caveats; i++) {
        printf("  %s\n      %s\n", caveat_describe(m->caveats[i], pool),
               slice_printable(m->caveats[i], CMD_INSPECT_SHOWN, pool));
    }
    if (answer->code == VERDICT_COUNT) {
        return;
    }
    if (row->id) {
        printf("User:       %s\n", table_clean(slice_of(row->user_name), pool));
        printf("Name:       %s\n", table_clean(slice_of(row->name), pool));
    }
    printf("Verdict:    %s: %s\n", verdict_word(answer->code),
           verdict_sentence(&answer->verdict, pool));
}

/* Asks the store as an upload would, before its project is known. */
static int cmd_inspect_verify(ctl_t *ctl, slice_t text, cmd_inspect_answer_t *answer)
{
    int code = ctl_open(ctl, CTL_KEYS_NEEDED);

    if (code == CTL_DONE) {
        answer->code = bearer_verify(&answer->bearer, ctl->store, ctl->seam, text, slice_of(NULL),
                                     &answer->verdict, ctl->pool);
        answer->verdict.code = answer->code;
    }
    return code;
}

int cmd_inspect_run(ctl_t *ctl)
{
    cmd_inspect_answer_t answer = {.code = VERDICT_COUNT};
    macaroon_t *m;
    slice_t text;
    int code = cmd_inspect_read(ctl, &text, &m);

    if (code == CTL_DONE && ctl->verify) {
        code = cmd_inspect_verify(ctl, text, &answer);
    }
    if (code != CTL_DONE) {
        return code;
    }
    if (ctl->json) {
        cmd_inspect_json(m, &answer, ctl->pool);
    } else {
        cmd_inspect_people(m, &answer, ctl->pool);
    }
    if (answer.code == VERDICT_STORE_DOWN) {
        return CTL_DOWN;
    }
    return answer.code == VERDICT_COUNT || answer.code == VERDICT_ALLOWED ? CTL_DONE : CTL_REFUSED;
}

/* ---- restrict ---- */

/* The new token on stdout, alone or as {"token": ...}; it holds no byte that JSON escapes. */
static int cmd_inspect_put(const ctl_t *ctl, const char *text)
{
    static const char before[] = "{\"token\":\"", after[] = "\"}";

    if ((ctl->json && secret_put(before, sizeof(before) - 1)) || secret_put(text, strlen(text)) ||
        (ctl->json && secret_put(after, sizeof(after) - 1)) || secret_put("\n", 1)) {
        return ctl_fail(CTL_REFUSED, "The token could not be written to standard output.");
    }
    return CTL_DONE;
}

int cmd_inspect_restrict(ctl_t *ctl)
{
    apr_array_header_t *caveats = apr_array_make(ctl->pool, 8, sizeof(slice_t));
    narrow_t narrow = {.projects = ctl->projects};
    slice_t text;
    macaroon_t *m = NULL;
    int i, code = cmd_narrow_expires(ctl, &narrow.expires);

    if (code == CTL_DONE) {
        code = cmd_narrow_options(ctl, caveats, &narrow, 0);
    }
    if (code == CTL_DONE && caveats->nelts == 0) {
        code =
            ctl_fail(CTL_USAGE, "Restrict it to what? Use --project NAME or --expires WHEN, or one "
                                "of the restrictions that --help lists.");
    }
    if (code == CTL_DONE) {
        code = cmd_inspect_read(ctl, &text, &m);
    }
    for (i = 0; i < caveats->nelts && code == CTL_DONE; i++) {
        if (macaroon_append(m, APR_ARRAY_IDX(caveats, i, slice_t), ctl->pool)) {
            code = ctl_fail(CTL_REFUSED, "The token has no room for more restrictions.");
        }
    }
    return code == CTL_DONE ? cmd_inspect_put(ctl, token_format(m, ctl->pool)) : code;
}
