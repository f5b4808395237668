/* manage_time.c - see manage_time.h. */
#include "httpd/private.h"
#include "httpd/manage_time.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

#include "httpd/words.h"

/* Months are no measure for what is near: 90 days are not "2 months". */
static const struct {
    apr_int64_t from, seconds;
    const char *one_ago, *ago, *in_one, *in;
} manage_time_units[] = {
    {365 * 86400, 365 * 86400, T_("a year ago"), T_("%s years ago"), T_("in a year"),
     T_("in %s years")},
    {120 * 86400, 30 * 86400, NULL, T_("%s months ago"), NULL, T_("in %s months")},
    {86400, 86400, T_("a day ago"), T_("%s days ago"), T_("in a day"), T_("in %s days")},
    {3600, 3600, T_("an hour ago"), T_("%s hours ago"), T_("in an hour"), T_("in %s hours")},
    {60, 60, T_("a minute ago"), T_("%s minutes ago"), T_("in a minute"), T_("in %s minutes")},
};

const char *manage_time_fill(const char *pattern, apr_int64_t n, apr_pool_t *pool)
{
    const char *hole = strstr(pattern, "%s");

    return apr_psprintf(pool, "%.*s%" APR_INT64_T_FMT "%s", (int)(hole - pattern), pattern, n,
                        hole + 2);
}

static const char *manage_time_words(apr_int64_t distance, apr_pool_t *pool)
{
    apr_int64_t size = distance < 0 ? -distance : distance, n;
    apr_size_t i;

    for (i = 0; i < sizeof(manage_time_units) / sizeof(*manage_time_units); i++) {
        n = size >= manage_time_units[i].from ? size / manage_time_units[i].seconds : 0;
        if (n == 1) {
            return distance < 0 ? manage_time_units[i].one_ago : manage_time_units[i].in_one;
        }
        if (n) {
            return manage_time_fill(
                distance < 0 ? manage_time_units[i].ago : manage_time_units[i].in, n, pool);
        }
    }
    return distance < 0 ? T_("just now") : T_("in a moment");
}

json_t *manage_time(const manage_t *m, apr_int64_t at, apr_int64_t now)
{
    apr_pool_t *pool = m->r->pool;
    apr_time_exp_t t;

    if (!at || apr_time_exp_gmt(&t, apr_time_from_sec(at)) != APR_SUCCESS) {
        return json_false();
    }
    return json_pack("{s:s, s:o}", "iso",
                     apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d:%02dZ", t.tm_year + 1900,
                                  t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec),
                     "words", manage_words(m, manage_time_words(at - now, pool)));
}
