/*
 * token_tool.c - tokens made, narrowed, read and judged, one request a line: the driver that
 * t/oracle.t holds against another implementation. Not installed.
 *
 * Words of a line are separated by one space; bytes are in hexadecimal, "-" for none.
 *   mint KEY LOCATION IDENTIFIER [CAVEAT...]   -> ok TOKEN
 *   grant KEY SERVICE IDENTIFIER USER EXPIRES NOT_BEFORE [NAME:ID...]   -> ok TOKEN
 *   restrict TOKEN [CAVEAT...]                 -> ok TOKEN
 *   parse TOKEN         -> ok LOCATION IDENTIFIER SIGNATURE [CAVEAT...]
 *   verify TOKEN KEY NOW USER PROJECT PROJECT_ID   -> allowed
 * A refusal is answered with the verdict's word, a bad request with "usage".
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/caveat.h"
#include "core/token.h"

#define TOOL_LINE  (1 << 20)
#define TOOL_WORDS 256

typedef struct tool_t {
    apr_pool_t *pool;
    char *words[TOOL_WORDS];
    int n;
} tool_t;

static int tool_bytes(slice_t *out, const char *hex, apr_pool_t *pool)
{
    size_t n = strlen(hex), got = 0;
    unsigned char *p = apr_palloc(pool, n / 2 + 1);

    if (strcmp(hex, "-") == 0) {
        n = 0;
    }
    if (sodium_hex2bin(p, n / 2 + 1, hex, n, NULL, &got, NULL) != 0 || got != n / 2 || n % 2) {
        return 0;
    }
    *out = slice_make((const char *)p, got);
    return 1;
}

static void tool_hex(slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        printf("%02x", (unsigned char)s.p[i]);
    }
    if (s.n == 0) {
        putchar('-');
    }
}

/* Appends the caveats from word i on, and answers. */
static int tool_answer(tool_t *t, macaroon_t *m, int i)
{
    for (; m && i < t->n; i++) {
        slice_t caveat;

        if (!tool_bytes(&caveat, t->words[i], t->pool)) {
            return 0;
        }
        if (macaroon_append(m, caveat, t->pool) != 0) {
            m = NULL;
        }
    }
    printf(m ? "ok %s\n" : "refused\n", m ? token_format(m, t->pool) : "");
    return 1;
}

static int tool_mint(tool_t *t)
{
    slice_t key, location, identifier;

    if (t->n < 4 || !tool_bytes(&key, t->words[1], t->pool) ||
        !tool_bytes(&location, t->words[2], t->pool) ||
        !tool_bytes(&identifier, t->words[3], t->pool)) {
        return 0;
    }
    return tool_answer(t, macaroon_create(location, identifier, key, t->pool), 4);
}

static int tool_grant(tool_t *t)
{
    slice_t names[TOOL_WORDS], ids[TOOL_WORDS];
    token_grant_t g = {0};
    int i;

    if (t->n < 7 || !tool_bytes(&g.key, t->words[1], t->pool) ||
        !tool_bytes(&g.service, t->words[2], t->pool) ||
        !tool_bytes(&g.identifier, t->words[3], t->pool) ||
        !tool_bytes(&g.user_id, t->words[4], t->pool)) {
        return 0;
    }
    g.expires = apr_strtoi64(t->words[5], NULL, 10);
    g.not_before = apr_strtoi64(t->words[6], NULL, 10);
    for (i = 7; i < t->n; i++) {
        char *colon = strchr(t->words[i], ':');

        if (!colon) {
            return 0;
        }
        *colon = '\0';
        if (!tool_bytes(&names[i - 7], t->words[i], t->pool) ||
            !tool_bytes(&ids[i - 7], colon + 1, t->pool)) {
            return 0;
        }
    }
    g.projects = names;
    g.project_ids = ids;
    g.n_projects = (apr_size_t)(t->n - 7);
    return tool_answer(t, token_mint(&g, t->pool), t->n);
}

/* The macaroon in word 1; without one the answer has been given. */
static macaroon_t *tool_read(tool_t *t)
{
    macaroon_t *m;
    verdict_code_t code = token_parse(&m, slice_of(t->words[1]), NULL, t->pool);

    if (code != VERDICT_ALLOWED) {
        puts(verdict_word(code));
    }
    return m;
}

static int tool_restrict(tool_t *t)
{
    macaroon_t *m = t->n >= 2 ? tool_read(t) : NULL;

    return m ? tool_answer(t, m, 2) : t->n >= 2;
}

static int tool_parse(tool_t *t)
{
    macaroon_t *m;
    apr_size_t i;

    if (t->n != 2) {
        return 0;
    }
    m = tool_read(t);
    if (!m) {
        return 1;
    }
    printf("ok ");
    tool_hex(m->location);
    putchar(' ');
    tool_hex(m->identifier);
    putchar(' ');
    tool_hex(slice_make((const char *)m->signature, sizeof(m->signature)));
    for (i = 0; i < m->n_caveats; i++) {
        putchar(' ');
        tool_hex(m->caveats[i]);
    }
    putchar('\n');
    return 1;
}

static int tool_verify(tool_t *t)
{
    caveat_context_t context = {0};
    macaroon_t *m;
    verdict_t v;
    slice_t key;

    if (t->n != 7 || !tool_bytes(&key, t->words[2], t->pool) ||
        !tool_bytes(&context.user_id, t->words[4], t->pool) ||
        !tool_bytes(&context.project, t->words[5], t->pool) ||
        !tool_bytes(&context.project_id, t->words[6], t->pool)) {
        return 0;
    }
    m = tool_read(t);
    if (!m) {
        return 1;
    }
    if (!macaroon_verify(m, key)) {
        puts(verdict_word(VERDICT_TOKEN_SIGNATURE));
        return 1;
    }
    context.now = apr_strtoi64(t->words[3], NULL, 10);
    puts(verdict_word(
        caveat_check(m->caveats, m->n_caveats, &context, CAVEAT_PHASE_UPLOAD, &v, t->pool)));
    return 1;
}

static const struct {
    const char *word;
    int (*run)(tool_t *t); /* 0 when the request is not understood; nothing was said then */
} tool_requests[] = {
    {"mint", tool_mint},   {"grant", tool_grant},   {"restrict", tool_restrict},
    {"parse", tool_parse}, {"verify", tool_verify},
};

static void tool_line(tool_t *t, char *line)
{
    size_t i;

    line[strcspn(line, "\n")] = '\0';
    t->n = 0;
    for (;;) {
        t->words[t->n++] = line;
        line = strchr(line, ' ');
        if (!line || t->n == TOOL_WORDS) {
            break;
        }
        *line++ = '\0';
    }
    for (i = 0; i < sizeof(tool_requests) / sizeof(tool_requests[0]); i++) {
        if (strcmp(t->words[0], tool_requests[i].word) == 0 && tool_requests[i].run(t)) {
            return;
        }
    }
    puts("usage");
}

int main(void)
{
    char *line = malloc(TOOL_LINE);
    apr_pool_t *root;
    tool_t t;

    if (!line || sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&root, NULL) != APR_SUCCESS ||
        apr_pool_create(&t.pool, root) != APR_SUCCESS) {
        return 1;
    }
    while (fgets(line, TOOL_LINE, stdin)) {
        tool_line(&t, line);
        apr_pool_clear(t.pool);
    }
    free(line);
    apr_pool_destroy(root);
    apr_terminate();
    return 0;
}
