/* store_scope.c - the projects of a token, one a row, for finding tokens by project; see
 * store_priv.h. */
#include "store/store_priv.h"

/* The next word of a scope, and what follows it. */
static slice_t store_scope_word(slice_t *rest)
{
    slice_t word;
    apr_size_t n = 0;

    *rest = slice_trim(*rest);
    while (n < rest->n && rest->p[n] != ' ') {
        n++;
    }
    word = slice_make(rest->p, n);
    *rest = slice_make(rest->n ? rest->p + n : NULL, rest->n - n);
    return word;
}

/* 1 when the word stands in the scope before the place where rest begins. */
static int store_scope_named(const char *scope, slice_t word)
{
    slice_t before = slice_make(scope, (apr_size_t)(word.p - scope)), seen;

    while ((seen = store_scope_word(&before)).n && !slice_equal(seen, word)) {
    }
    return seen.n != 0;
}

store_rc_t store_scope_add(db_conn_t *conn, const store_token_t *token)
{
    slice_t rest = slice_of(token->scope), word;
    store_rc_t rc = STORE_OK;

    if (slice_is(rest, STORE_SCOPE_ALL)) {
        return STORE_OK;
    }
    while (rc == STORE_OK && (word = store_scope_word(&rest)).n) {
        const db_value_t row[] = {db_cstr(token->id), db_text(word)};

        if (!store_scope_named(token->scope, word)) {
            rc = store_exec(conn, QUERY_TOKEN_ADD_PROJECT, row, STORE_COUNT(row), NULL);
        }
    }
    return rc;
}
