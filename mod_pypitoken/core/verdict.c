/* verdict.c - the table of verdicts and how they are rendered; see verdict.h. */
#include "core/verdict.h"

#include <apr_strings.h>
#include <string.h>

#define VERDICT_DETAIL_MAX 100

/* What twine, poetry, pdm and maturin take, whatever the case, for "the file is there, go on":
 * the upload is skipped and its user never reads that it was refused. */
static const char *const verdict_phrases[] = {"already exist",      "updating asset",
                                              "cannot be updated",  "already been taken",
                                              "overwrite artifact", "was ever registered"};

typedef struct verdict_row_t {
    const char *word;
    int status;
    const char *sentence;
} verdict_row_t;

static const verdict_row_t verdict_rows[VERDICT_COUNT] = {
#define VERDICT_ROW(code, word, status, sentence) {word, status, sentence},
    VERDICT_TABLE(VERDICT_ROW)
#undef VERDICT_ROW
};

static const verdict_row_t *verdict_row(verdict_code_t code)
{
    return &verdict_rows[(unsigned)code < VERDICT_COUNT ? code : VERDICT_INTERNAL];
}

const char *verdict_word(verdict_code_t code)
{
    return verdict_row(code)->word;
}

int verdict_status(verdict_code_t code)
{
    return verdict_row(code)->status;
}

verdict_code_t verdict_of_word(const char *word)
{
    int i;

    for (i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(verdict_rows[i].word, word) == 0) {
            break;
        }
    }
    return (verdict_code_t)i;
}

verdict_code_t verdict_set(verdict_t *v, verdict_code_t code, slice_t detail, apr_pool_t *pool)
{
    v->code = code;
    v->detail = detail.n ? slice_printable(detail, VERDICT_DETAIL_MAX, pool) : NULL;
    v->log = NULL;
    v->retry_after = 0;
    return code;
}

verdict_code_t verdict_set_wait(verdict_t *v, verdict_code_t code, unsigned seconds,
                                apr_pool_t *pool)
{
    const char *words = seconds == 1     ? "a second"
                        : seconds < 120  ? apr_psprintf(pool, "%u seconds", seconds)
                        : seconds < 7200 ? apr_psprintf(pool, "%u minutes", (seconds + 59) / 60)
                                         : apr_psprintf(pool, "%u hours", (seconds + 3599) / 3600);

    verdict_set(v, code, slice_of(words), pool);
    v->retry_after = seconds;
    return code;
}

static int verdict_misleads(const char *text)
{
    apr_size_t i, k, n = strlen(text);

    for (k = 0; k < sizeof(verdict_phrases) / sizeof(*verdict_phrases); k++) {
        apr_size_t length = strlen(verdict_phrases[k]);

        for (i = 0; i + length <= n; i++) {
            if (slice_is_nocase(slice_make(text + i, length), verdict_phrases[k])) {
                return 1;
            }
        }
    }
    return 0;
}

static const char *verdict_fill(const char *text, const char *detail, apr_pool_t *pool)
{
    const char *hole = strstr(text, "{}");

    if (hole) {
        text = apr_psprintf(pool, "%.*s%s%s", (int)(hole - text), text, detail ? detail : "?",
                            hole + 2);
    }
    return slice_printable(slice_of(text), VERDICT_REASON_MAX - 3, pool);
}

const char *verdict_sentence(const verdict_t *v, apr_pool_t *pool)
{
    const verdict_row_t *row = verdict_row(v->code);
    const char *text = verdict_fill(row->sentence, v->detail, pool);

    return v->code != VERDICT_FILE_EXISTS && verdict_misleads(text)
               ? verdict_fill(row->sentence, NULL, pool)
               : text;
}

const char *verdict_logline(const verdict_t *v, apr_pool_t *pool)
{
    const char *line =
        apr_psprintf(pool, "%s: %s", verdict_word(v->code), verdict_sentence(v, pool));

    if (v->log) {
        line =
            apr_pstrcat(pool, line, " (", slice_printable(slice_of(v->log), 500, pool), ")", NULL);
    }
    return line;
}
