/* recovery.c - recovery codes; see recovery.h. */
#include "core/recovery.h"

#include <sodium.h>
#include <string.h>

static const char recovery_alphabet[] = "bcdfghjkmnpqrstvwxyz";
#define RECOVERY_BASE (sizeof(recovery_alphabet) - 1)

/* The greatest multiple of the alphabet's size that a byte can count: what is above is drawn again,
 * so that all letters are as likely. */
#define RECOVERY_FAIR (256 - 256 % RECOVERY_BASE)

int recovery_make(const seam_t *seam, char text[RECOVERY_TEXT + 1])
{
    unsigned char byte;
    int i;

    memset(text, 0, RECOVERY_TEXT + 1);
    for (i = 0; i < RECOVERY_TEXT; i++) {
        if (i % (RECOVERY_GROUP + 1) == RECOVERY_GROUP) {
            text[i] = '-';
            continue;
        }
        do {
            if (seam->random(&byte, 1)) {
                sodium_memzero(text, RECOVERY_TEXT + 1);
                return -1;
            }
        } while (byte >= RECOVERY_FAIR);
        text[i] = recovery_alphabet[byte % RECOVERY_BASE];
    }
    sodium_memzero(&byte, 1);
    return 0;
}

/* The letter in lower case, 0 for what is none of ours. */
static char recovery_letter(char c)
{
    char lower = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);

    return lower && strchr(recovery_alphabet, lower) ? lower : 0;
}

apr_size_t recovery_tail(slice_t s, char letters[RECOVERY_LETTERS + 1])
{
    apr_size_t at = s.n;
    int left = RECOVERY_LETTERS;

    memset(letters, 0, RECOVERY_LETTERS + 1);
    while (left && at) {
        char c = s.p[at - 1], letter = recovery_letter(c);

        if (letter) {
            letters[--left] = letter;
        } else if ((c != '-' && c != ' ') || left == RECOVERY_LETTERS ||
                   left % RECOVERY_GROUP != 0 || !recovery_letter(s.p[at])) {
            break;
        }
        at--;
    }
    if (left) {
        sodium_memzero(letters, RECOVERY_LETTERS + 1);
        return 0;
    }
    return s.n - at;
}

void recovery_hash(unsigned char hash[RECOVERY_HASH], slice_t user_id,
                   const char letters[RECOVERY_LETTERS + 1])
{
    static const unsigned char purpose[] = "pypitoken recovery code";
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, RECOVERY_HASH);
    crypto_generichash_update(&state, purpose, sizeof(purpose));
    crypto_generichash_update(&state, (const unsigned char *)user_id.p, user_id.n);
    crypto_generichash_update(&state, (const unsigned char *)"", 1);
    crypto_generichash_update(&state, (const unsigned char *)letters, RECOVERY_LETTERS);
    crypto_generichash_final(&state, hash, RECOVERY_HASH);
    sodium_memzero(&state, sizeof(state));
}
