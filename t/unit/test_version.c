/* test_version.c - versions: normal forms, refusals, equality. More of them in t/version.t. */
#include "core/version.h"
#include "tap.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

/* What is written, and its normal form. */
static const char *const version_good[][2] = {
    {"1", "1"},
    {"1.0", "1.0"},
    {"1.0.0", "1.0.0"},
    {"01.002.0", "1.2.0"},
    {"0", "0"},
    {"000", "0"},
    {"2024.11.24", "2024.11.24"},
    {"0!1.0", "1.0"},
    {"00!1", "1"},
    {"1!2.0", "1!2.0"},
    {"01!2", "1!2"},
    {"1.0a1", "1.0a1"},
    {"1.0A1", "1.0a1"},
    {"1.0alpha1", "1.0a1"},
    {"1.0-alpha.1", "1.0a1"},
    {"1.0b", "1.0b0"},
    {"1.0.beta_2", "1.0b2"},
    {"1.0c3", "1.0rc3"},
    {"1.0.RC-1", "1.0rc1"},
    {"1.0pre4", "1.0rc4"},
    {"1.0preview", "1.0rc0"},
    {"1.0Preview04", "1.0rc4"},
    {"1.0a.", "1.0a0"},
    {"1.0-1", "1.0.post1"},
    {"1.0-007", "1.0.post7"},
    {"1.0post", "1.0.post0"},
    {"1.0.post2", "1.0.post2"},
    {"1.0-rev3", "1.0.post3"},
    {"1.0_r4", "1.0.post4"},
    {"1.0.post-", "1.0.post0"},
    {"1.0a1-1", "1.0a1.post1"},
    {"1.0a-1-1", "1.0a1.post1"},
    {"1.0a--1", "1.0a0.post1"},
    {"1.0rcr1", "1.0rc0.post1"},
    {"1.0.prerev1", "1.0rc0.post1"},
    {"1.0dev", "1.0.dev0"},
    {"1.0.dev5", "1.0.dev5"},
    {"1.0-DEV_05", "1.0.dev5"},
    {"1.0a1.post2.dev3", "1.0a1.post2.dev3"},
    {"1.0a1post2dev3", "1.0a1.post2.dev3"},
    {"1.0+abc", "1.0+abc"},
    {"1.0+ABC-1_02.x", "1.0+abc.1.2.x"},
    {"1.0+0001", "1.0+1"},
    {"1.0+1a", "1.0+1a"},
    {"1.0+01a", "1.0+01a"},
    {"1.0.dev-+x", "1.0.dev0+x"},
    {"3!0.0.1rc2.post3.dev4+l.5", "3!0.0.1rc2.post3.dev4+l.5"},
    {"99999999999999999999999999999999", "99999999999999999999999999999999"},
};

static const char *const version_bad[] = {
    "",
    " ",
    "v1",
    "V1.0",
    " 1.0",
    "1.0 ",
    "1.0\n",
    "1. 0",
    "\t1",
    "dog",
    "a1",
    ".1",
    "1.",
    "1..0",
    "-1",
    "_1",
    "!1",
    "1!",
    "1!!2",
    "1!2!3",
    "a!1",
    "1.0_1",
    "1.0-",
    "1.0--1",
    "1.0-1-1",
    "1.0-1a1",
    "1.0a1a2",
    "1.0alph1",
    "1.0al",
    "1.0x",
    "1.0x1",
    "1.0rv1",
    "1.0pos1",
    "1.0postt",
    "1.0dev1dev2",
    "1.0dev1a1",
    "1.0.dev.a1",
    "1.0a..1",
    "1.0a1.",
    "1.0a---1",
    "1.0.dev1.",
    "1.0+",
    "1.0+.",
    "1.0+a.",
    "1.0+.a",
    "1.0+a..b",
    "1.0+a+b",
    "1.0+a b",
    "1.0+a!b",
    "+a",
    "1/2",
    "../1",
    "1.0/x",
    "1:0",
    "1,0",
    "1.0*",
    "1.0\x7f",
    "1.0\xc2\xa0",
    "\xef\xbc\x91",
    "1.0a\xc4\xb1",
    "1.0+\xe2\x84\xaa",
};

/* Normal forms, and whether they mean the same version. */
static const struct {
    const char *a, *b;
    int equal;
} version_pairs[] = {
    {"1", "1", 1},
    {"1", "1.0", 1},
    {"1.0.0", "1", 1},
    {"1.0", "1.0.0.0", 1},
    {"0", "0.0", 1},
    {"1.0rc1", "1rc1", 1},
    {"1.0.post1", "1.post1", 1},
    {"1.dev0", "1.0.0.dev0", 1},
    {"1.0+a", "1+a", 1},
    {"2!1", "2!1.0", 1},
    {"1", "2", 0},
    {"1.0", "1.0.1", 0},
    {"1.0.1", "1.1", 0},
    {"1", "10", 0},
    {"10", "1.0", 0},
    {"1", "0!1", 0},
    {"1!1", "2!1", 0},
    {"1!1", "11!1", 0},
    {"1!1", "1", 0},
    {"1rc1", "1rc10", 0},
    {"1rc1", "1", 0},
    {"1a1", "1b1", 0},
    {"1.post1", "1.post2", 0},
    {"1.post1", "1.dev1", 0},
    {"1.post0", "1", 0},
    {"1+a", "1", 0},
    {"1+a", "1+a.0", 0},
    {"1+1.0", "1+1", 0},
    {"1.0.post1", "1.0.1", 0},
};

static void version_tables(apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < sizeof(version_good) / sizeof(*version_good); i++) {
        const char *got = version_normalize(slice_of(version_good[i][0]), pool);

        tap_ok(got && strcmp(got, version_good[i][1]) == 0, "\"%s\" is \"%s\" (%s)",
               version_good[i][0], version_good[i][1], got ? got : "refused");
    }
    for (i = 0; i < sizeof(version_bad) / sizeof(*version_bad); i++) {
        tap_ok(!version_normalize(slice_of(version_bad[i]), pool), "refused, number %d", (int)i);
    }
    for (i = 0; i < sizeof(version_pairs) / sizeof(*version_pairs); i++) {
        const char *a = version_pairs[i].a, *b = version_pairs[i].b;

        tap_ok(version_equal(a, b) == version_pairs[i].equal &&
                   version_equal(b, a) == version_pairs[i].equal,
               "%s %s %s", a, version_pairs[i].equal ? "is" : "is not", b);
    }
}

static void version_limits(apr_pool_t *pool)
{
    char text[VERSION_MAX + 1];
    char *exact;
    int i;

    memset(text, '1', sizeof(text));
    tap_ok(version_normalize(slice_make(text, VERSION_MAX), pool) != NULL, "128 bytes");
    tap_ok(!version_normalize(slice_make(text, VERSION_MAX + 1), pool), "not 129");
    tap_ok(!version_normalize(slice_make("1.0\0", 4), pool), "not with a NUL behind");
    tap_ok(!version_normalize(slice_make("1\0002", 3), pool), "nor inside");
    tap_ok(!version_normalize(slice_make(NULL, 0), pool), "nor nothing at no address");
    /* the forms that grow most; a sanitizer sees what runs over */
    memcpy(text, "0-1rdev+", 8);
    memset(text + 8, 'x', sizeof(text) - 8);
    tap_ok(!version_normalize(slice_make(text, VERSION_MAX), pool), "two words for post");
    memcpy(text, "0c-1dev+", 8);
    tap_ok(version_normalize(slice_make(text, VERSION_MAX), pool) != NULL, "the longest growth");
    for (i = 8; i < VERSION_MAX - 1; i += 2) {
        memcpy(text + i, "0.", 2);
    }
    text[VERSION_MAX - 1] = '0';
    tap_ok(version_normalize(slice_make(text, VERSION_MAX), pool) != NULL, "60 local parts");
    /* nothing behind the slice is looked at */
    for (i = 1; i <= 6; i++) {
        exact = malloc((size_t)i);
        if (!exact) {
            abort();
        }
        memcpy(exact, "1.0rc1", (size_t)i);
        tap_ok((version_normalize(slice_make(exact, (apr_size_t)i), pool) != NULL) ==
                   (i != 2), /* "1.0r" is a post-release */
               "the first %d bytes of 1.0rc1", i);
        free(exact);
    }
}

/* A normal form is its own normal form, and equal to itself with zeros at the end of the release.
 */
static void version_random(apr_pool_t *parent)
{
    static const char *const pieces[] = {"0", "1",   "12", ".",    "-",   "_",    "!",
                                         "+", "a",   "rc", "post", "dev", "rev",  "r",
                                         "c", "pre", "01", "B",    "x",   "alpha"};
    unsigned state = 1;
    int i, k, good = 0, bad = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < 200000; i++) {
        char text[64] = "1";
        char *normal, *again;
        int n;

        state = state * 1103515245u + 12345u;
        n = (int)(state >> 16) % 8;
        for (k = 0; k < n; k++) {
            state = state * 1103515245u + 12345u;
            strncat(text, pieces[(state >> 16) % (sizeof(pieces) / sizeof(*pieces))], 7);
        }
        normal = version_normalize(slice_of(text), pool);
        if (normal) {
            good++;
            again = version_normalize(slice_of(normal), pool);
            bad += !again || strcmp(again, normal) != 0 || !version_equal(normal, again);
        }
        apr_pool_clear(pool);
    }
    tap_ok(bad == 0 && good > 20000, "%d random versions: the normal form stays as it is", good);
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    version_tables(pool);
    version_limits(pool);
    version_random(pool);
    apr_terminate();
    return tap_done();
}
