/*
 * multipart.c - the push parser; the grammar of a part's header block is
 * part.c's.
 *
 * States: START (an optional CRLF, then the first delimiter), TAIL (what
 * follows "--B": CRLF or
 * "--"), HEADERS (one block, collected), DATA, END (an optional CRLF, then
 * nothing).
 *
 * In DATA the dash-boundary "--B" is looked for anywhere, not only after CRLF:
 * some readers split at it in mid-line, so an occurrence that is no delimiter
 * is refused. The last |--B| + 1 bytes of the data are held back between calls:
 * a delimiter, and the CRLF before it, may begin there.
 */
#include "core/multipart.h"

#include <string.h>

#include "core/part.h"
#include "core/search.h"

#define MULTIPART_DASH_MAX (MULTIPART_BOUNDARY_MAX + 2)
#define MULTIPART_HELD_MAX (MULTIPART_DASH_MAX + 1)
_Static_assert(MULTIPART_DASH_MAX <= SEARCH_MAX, "every delimiter can be searched for");

typedef enum multipart_state_t {
    MULTIPART_START,
    MULTIPART_TAIL,
    MULTIPART_HEADERS,
    MULTIPART_DATA,
    MULTIPART_END,
    MULTIPART_FAILED
} multipart_state_t;

struct multipart_t {
    const multipart_calls_t *calls;
    void *baton;
    verdict_t *v;
    apr_pool_t *pool;
    multipart_state_t state;
    int parts;
    apr_int64_t offset; /* of the next byte of the body */
    char dash[MULTIPART_DASH_MAX];
    apr_size_t dash_n;
    search_t search; /* for dash */
    char held[MULTIPART_HEADERS_MAX +
              4]; /* START, TAIL, HEADERS: the bytes so far; DATA: the tail */
    apr_size_t held_n;
};

static const slice_t multipart_nothing = {NULL, 0};

static verdict_code_t multipart_fail(multipart_t *m, verdict_code_t code)
{
    m->state = MULTIPART_FAILED;
    return verdict_set(m->v, code, multipart_nothing, m->pool);
}

/* A callback or part.c has filled in the verdict itself. */
static verdict_code_t multipart_pass(multipart_t *m, verdict_code_t code)
{
    if (code != VERDICT_ALLOWED) {
        m->state = MULTIPART_FAILED;
    }
    return code;
}

multipart_t *multipart_create(slice_t boundary, const multipart_calls_t *calls, void *baton,
                              verdict_t *v, apr_pool_t *pool)
{
    multipart_t *m = apr_pcalloc(pool, sizeof(*m));

    m->calls = calls;
    m->baton = baton;
    m->v = v;
    m->pool = pool;
    verdict_set(v, VERDICT_ALLOWED, multipart_nothing, pool);
    if (boundary.n == 0 || boundary.n > MULTIPART_BOUNDARY_MAX) {
        multipart_fail(m, VERDICT_BOUNDARY);
        return m;
    }
    memcpy(m->dash, "--", 2);
    memcpy(m->dash + 2, boundary.p, boundary.n);
    m->dash_n = boundary.n + 2;
    (void)search_make(&m->search, slice_make(m->dash, m->dash_n));
    return m;
}

static void multipart_enter(multipart_t *m, multipart_state_t state)
{
    m->state = state;
    m->held_n = 0;
}

/* One byte of what must be [CRLF] --B. */
static verdict_code_t multipart_start(multipart_t *m, char c)
{
    const char *dash = m->held + (m->held_n > 0 && m->held[0] == '\r' ? 2 : 0);
    apr_size_t skip = (apr_size_t)(dash - m->held);

    if (m->held_n == 0 && c == '\r') {
        m->held[m->held_n++] = c;
        return VERDICT_ALLOWED;
    }
    if (skip && m->held_n == 1) {
        if (c != '\n') {
            return multipart_fail(m, VERDICT_FORM_START);
        }
        m->held[m->held_n++] = c;
        return VERDICT_ALLOWED;
    }
    if (c != m->dash[m->held_n - skip]) {
        return multipart_fail(m, VERDICT_FORM_START);
    }
    m->held[m->held_n++] = c;
    if (m->held_n - skip == m->dash_n) {
        multipart_enter(m, MULTIPART_TAIL);
    }
    return VERDICT_ALLOWED;
}

/* One byte of what follows --B: CRLF goes on, "--" ends, anything else is no
 * delimiter. */
static verdict_code_t multipart_tail(multipart_t *m, char c)
{
    if (m->held_n == 0) {
        if (c != '\r' && c != '-') {
            return multipart_fail(m, VERDICT_FORM_DELIMITER);
        }
        m->held[m->held_n++] = c;
        return VERDICT_ALLOWED;
    }
    if (c != (m->held[0] == '\r' ? '\n' : '-')) {
        return multipart_fail(m, VERDICT_FORM_DELIMITER);
    }
    if (c == '-') {
        multipart_enter(m, MULTIPART_END);
        return VERDICT_ALLOWED;
    }
    if (m->parts == MULTIPART_PARTS_MAX) {
        m->state = MULTIPART_FAILED;
        return verdict_set(m->v, VERDICT_FORM_PARTS, slice_of("1000"), m->pool);
    }
    m->parts++;
    multipart_enter(m, MULTIPART_HEADERS);
    return VERDICT_ALLOWED;
}

static verdict_code_t multipart_end(multipart_t *m, char c)
{
    if (m->held_n >= 2 || c != "\r\n"[m->held_n]) {
        return multipart_fail(m, VERDICT_FORM_EPILOGUE);
    }
    m->held[m->held_n++] = c;
    return VERDICT_ALLOWED;
}

/* The block is complete: its last four bytes are CRLF CRLF, which are not
 * handed on. */
static verdict_code_t multipart_block(multipart_t *m, apr_int64_t offset)
{
    multipart_part_t part;
    verdict_code_t code;

    if (memmem(m->held, m->held_n, m->dash, m->dash_n)) {
        return multipart_fail(m, VERDICT_FORM_DELIMITER);
    }
    code = part_parse(&part, slice_make(m->held, m->held_n - 2), m->v, m->pool);
    if (code == VERDICT_ALLOWED) {
        code = m->calls->part_begin(m->baton, &part, offset);
    }
    if (code != VERDICT_ALLOWED) {
        return multipart_pass(m, code);
    }
    multipart_enter(m, MULTIPART_DATA);
    return VERDICT_ALLOWED;
}

/* 1 when the bytes so far end with these; the last one is looked at first, it seldom fits. */
static int multipart_ends(const multipart_t *m, const char *p, apr_size_t n)
{
    return m->held_n >= n && m->held[m->held_n - 1] == p[n - 1] &&
           memcmp(m->held + m->held_n - n, p, n) == 0;
}

static verdict_code_t multipart_header(multipart_t *m, char c, apr_int64_t offset)
{
    m->held[m->held_n++] = c;
    if (multipart_ends(m, m->dash, m->dash_n)) {
        return multipart_fail(m, VERDICT_FORM_DELIMITER);
    }
    if (m->held_n > MULTIPART_HEADERS_MAX) {
        return multipart_fail(m, VERDICT_PART_HEADER_SIZE);
    }
    if (multipart_ends(m, "\r\n\r\n", 4)) {
        return multipart_block(m, offset);
    }
    if (m->held_n == 2 && multipart_ends(m, "\r\n", 2)) {
        m->state = MULTIPART_FAILED;
        return verdict_set(m->v, VERDICT_PART_HEADER, slice_of("there is none"), m->pool);
    }
    return VERDICT_ALLOWED;
}

static verdict_code_t multipart_emit(multipart_t *m, const char *p, apr_size_t n)
{
    return n ? multipart_pass(m, m->calls->part_data(m->baton, slice_make(p, n))) : VERDICT_ALLOWED;
}

/* "--B" stands at p[pos]; the data before it ends with the delimiter's CRLF, or it is none. What
 * lies before those two bytes goes out first either way: in smaller pieces it would be out already,
 * and a field that is too long must get the same verdict. */
static verdict_code_t multipart_found(multipart_t *m, const char *p, apr_size_t pos)
{
    verdict_code_t code = pos < 2 ? VERDICT_ALLOWED : multipart_emit(m, p, pos - 2);

    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (pos < 2 || p[pos - 2] != '\r' || p[pos - 1] != '\n') {
        return multipart_fail(m, VERDICT_FORM_DELIMITER);
    }
    code = multipart_pass(m, m->calls->part_end(m->baton));
    if (code == VERDICT_ALLOWED) {
        multipart_enter(m, MULTIPART_TAIL);
    }
    return code;
}

/* All but the last |--B| + 1 bytes go out; those are held. */
static verdict_code_t multipart_hold(multipart_t *m, const char *p, apr_size_t n)
{
    apr_size_t keep = n < m->dash_n + 1 ? n : m->dash_n + 1;
    char last[MULTIPART_HELD_MAX];
    verdict_code_t code;

    memcpy(last, p + n - keep, keep);
    code = multipart_emit(m, p, n - keep);
    memcpy(m->held, last, keep);
    m->held_n = keep;
    return code;
}

/* The seam: what is held and the first bytes of the new piece, looked at
 * together. *used gets how many of the new bytes are dealt with; 0 when the
 * seam is clear and what was held is out. */
static verdict_code_t multipart_seam(multipart_t *m, const char *p, apr_size_t n, apr_size_t *used)
{
    char seam[2 * MULTIPART_HELD_MAX];
    apr_size_t held = m->held_n, take = n < m->dash_n + 1 ? n : m->dash_n + 1;
    const char *at;

    memcpy(seam, m->held, held);
    memcpy(seam + held, p, take);
    at = search_find(&m->search, seam, held + take);
    if (at) {
        *used = (apr_size_t)(at - seam) + m->dash_n - held;
        return multipart_found(m, seam, (apr_size_t)(at - seam));
    }
    if (take == n) {
        *used = n;
        return multipart_hold(m, seam, held + take);
    }
    *used = 0;
    m->held_n = 0;
    return multipart_emit(m, seam, held);
}

static verdict_code_t multipart_data(multipart_t *m, const char *p, apr_size_t n, apr_size_t *used)
{
    verdict_code_t code;
    const char *at;

    if (m->held_n) {
        code = multipart_seam(m, p, n, used);
        if (code != VERDICT_ALLOWED || *used) {
            return code;
        }
    }
    at = search_find(&m->search, p, n);
    if (at) {
        *used = (apr_size_t)(at - p) + m->dash_n;
        return multipart_found(m, p, (apr_size_t)(at - p));
    }
    *used = n;
    return multipart_hold(m, p, n);
}

static verdict_code_t multipart_byte(multipart_t *m, char c)
{
    switch (m->state) {
    case MULTIPART_START:
        return multipart_start(m, c);
    case MULTIPART_TAIL:
        return multipart_tail(m, c);
    case MULTIPART_HEADERS:
        return multipart_header(m, c, m->offset + 1);
    case MULTIPART_END:
        return multipart_end(m, c);
    case MULTIPART_DATA:
    case MULTIPART_FAILED:
        break;
    }
    return m->v->code;
}

verdict_code_t multipart_feed(multipart_t *m, const char *p, apr_size_t n)
{
    while (n && m->state != MULTIPART_FAILED) {
        apr_size_t used = 1;

        if (m->state == MULTIPART_DATA) {
            (void)multipart_data(m, p, n, &used);
        } else {
            (void)multipart_byte(m, *p);
        }
        p += used;
        n -= used;
        m->offset += (apr_int64_t)used;
    }
    return m->state == MULTIPART_FAILED ? m->v->code : VERDICT_ALLOWED;
}

verdict_code_t multipart_finish(multipart_t *m)
{
    if (m->state == MULTIPART_FAILED) {
        return m->v->code;
    }
    if (m->state != MULTIPART_END || m->held_n == 1) {
        return multipart_fail(m, VERDICT_FORM_TRUNCATED);
    }
    return VERDICT_ALLOWED;
}

static int multipart_boundary_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

verdict_code_t multipart_boundary(slice_t value, slice_t *boundary)
{
    static const slice_t type = SLICE("multipart/form-data"), name = SLICE("boundary=");
    slice_t b;
    apr_size_t i;

    /* In lower case only: there are readers that see no form at all in another spelling. */
    if (value.n < type.n || !slice_equal(slice_make(value.p, type.n), type) ||
        (value.n > type.n && value.p[type.n] != ';')) {
        return VERDICT_CONTENT_TYPE;
    }
    i = type.n + 1;
    if (i < value.n && value.p[i] == ' ') {
        i++;
    }
    if (value.n < i + name.n || !slice_equal(slice_make(value.p + i, name.n), name)) {
        return VERDICT_BOUNDARY;
    }
    i += name.n;
    b = slice_make(value.p + i, value.n - i);
    if (b.n >= 2 && b.p[0] == '"' && b.p[b.n - 1] == '"') {
        b = slice_make(b.p + 1, b.n - 2);
    }
    for (i = 0; i < b.n && multipart_boundary_char(b.p[i]); i++) {
    }
    /* "0" is no boundary at all to CGI.pm, which then looks for one of its own */
    if (i < b.n || b.n == 0 || b.n > MULTIPART_BOUNDARY_MAX || slice_is(b, "0")) {
        return VERDICT_BOUNDARY;
    }
    *boundary = b;
    return VERDICT_ALLOWED;
}
