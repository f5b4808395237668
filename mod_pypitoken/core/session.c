/* session.c - sealed cookies; see session.h. */
#include "core/session.h"

#include <sodium.h>
#include <string.h>

#include "core/base64.h"

#define SESSION_NONCE   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SESSION_TAG     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SESSION_VERSION 1
/* version, factors, epoch, issued, expires, id; the name follows */
#define SESSION_HEAD     (2 + 3 * 8 + SESSION_ID)
#define SESSION_SEALED   (SESSION_NONCE + SESSION_HEAD + SESSION_NAME_MAX + SESSION_TAG)
#define SESSION_ENCODED  sodium_base64_ENCODED_LEN(SESSION_SEALED, SESSION_BASE64)
#define SESSION_BASE64   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SESSION_LABEL    "pypitoken session"
#define SESSION_CSRF_USE "pypitoken csrf"

int session_id(session_t *s, const seam_t *seam)
{
    return seam->random(s->id, sizeof(s->id)) ? -1 : 0;
}

static void session_put(unsigned char *p, apr_int64_t n)
{
    int i;

    for (i = 0; i < 8; i++) {
        p[i] = (unsigned char)((apr_uint64_t)n >> (8 * i));
    }
}

static apr_int64_t session_get(const unsigned char *p)
{
    apr_uint64_t n = 0;
    int i;

    for (i = 8; i-- > 0;) {
        n = n << 8 | p[i];
    }
    return (apr_int64_t)n;
}

/* Label, kind and service; the service comes last and may hold anything. */
static slice_t session_place(session_kind_t kind, slice_t service, apr_pool_t *pool)
{
    apr_size_t n = sizeof(SESSION_LABEL);
    char *p = apr_palloc(pool, n + 1 + service.n);

    memcpy(p, SESSION_LABEL, n);
    p[n] = (char)kind;
    if (service.n) {
        memcpy(p + n + 1, service.p, service.n);
    }
    return slice_make(p, n + 1 + service.n);
}

const char *session_seal(const session_t *s, session_kind_t kind, slice_t service,
                         const unsigned char key[SESSION_KEY], const seam_t *seam, apr_pool_t *pool)
{
    unsigned char plain[SESSION_HEAD + SESSION_NAME_MAX], sealed[SESSION_SEALED];
    slice_t place = session_place(kind, service, pool);
    unsigned long long n = 0;
    char *text;

    if (s->user.n > SESSION_NAME_MAX || seam->random(sealed, SESSION_NONCE)) {
        return NULL;
    }
    plain[0] = SESSION_VERSION;
    plain[1] = (unsigned char)s->factors;
    session_put(plain + 2, s->epoch);
    session_put(plain + 10, s->issued);
    session_put(plain + 18, s->expires);
    memcpy(plain + 26, s->id, SESSION_ID);
    if (s->user.n) {
        memcpy(plain + SESSION_HEAD, s->user.p, s->user.n);
    }
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + SESSION_NONCE, &n, plain, SESSION_HEAD + s->user.n, (const unsigned char *)place.p,
        place.n, NULL, sealed, key);
    text = apr_palloc(pool, SESSION_ENCODED);
    return sodium_bin2base64(text, SESSION_ENCODED, sealed, SESSION_NONCE + (apr_size_t)n,
                             SESSION_BASE64);
}

int session_open(session_t *out, slice_t value, session_kind_t kind, slice_t service,
                 const unsigned char key[SESSION_KEY], apr_int64_t now, apr_pool_t *pool)
{
    unsigned char plain[SESSION_HEAD + SESSION_NAME_MAX];
    slice_t place = session_place(kind, service, pool), sealed;
    const unsigned char *bytes;
    apr_size_t n;

    memset(out, 0, sizeof(*out));
    if (value.n > SESSION_ENCODED || !base64_decode(&sealed, value, BASE64_URL, pool) ||
        sealed.n < SESSION_NONCE + SESSION_HEAD + SESSION_TAG || sealed.n > SESSION_SEALED) {
        return -1;
    }
    bytes = (const unsigned char *)sealed.p;
    n = sealed.n - SESSION_NONCE - SESSION_TAG;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + SESSION_NONCE,
                                                   n + SESSION_TAG, (const unsigned char *)place.p,
                                                   place.n, bytes, key) != 0 ||
        plain[0] != SESSION_VERSION) {
        return -1;
    }
    out->issued = session_get(plain + 10);
    out->expires = session_get(plain + 18);
    if (now < out->issued || now >= out->expires) {
        memset(out, 0, sizeof(*out));
        return -1;
    }
    out->factors = plain[1];
    out->epoch = session_get(plain + 2);
    memcpy(out->id, plain + 26, SESSION_ID);
    n -= SESSION_HEAD;
    out->user = slice_make(slice_dup(slice_make((const char *)plain + SESSION_HEAD, n), pool), n);
    return 0;
}

const char *session_csrf(const unsigned char key[SESSION_KEY], const slice_t *bound, apr_size_t n,
                         apr_pool_t *pool)
{
    char *text = apr_palloc(pool, sodium_base64_ENCODED_LEN(SESSION_CSRF, SESSION_BASE64));
    unsigned char mac[SESSION_CSRF];
    crypto_generichash_state state;
    apr_size_t i;

    crypto_generichash_init(&state, key, SESSION_KEY, sizeof(mac));
    crypto_generichash_update(&state, (const unsigned char *)SESSION_CSRF_USE,
                              sizeof(SESSION_CSRF_USE));
    for (i = 0; i < n; i++) {
        unsigned char length[8];

        session_put(length, (apr_int64_t)bound[i].n);
        crypto_generichash_update(&state, length, sizeof(length));
        if (bound[i].n) {
            crypto_generichash_update(&state, (const unsigned char *)bound[i].p, bound[i].n);
        }
    }
    crypto_generichash_final(&state, mac, sizeof(mac));
    return sodium_bin2base64(text, sodium_base64_ENCODED_LEN(SESSION_CSRF, SESSION_BASE64), mac,
                             sizeof(mac), SESSION_BASE64);
}

int session_csrf_is(slice_t text, const char *token)
{
    return text.n == strlen(token) && sodium_memcmp(text.p, token, text.n) == 0;
}
