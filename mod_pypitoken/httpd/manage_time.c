/* manage_time.c - see manage_time.h. */
#include "httpd/private.h"
#include "httpd/manage_time.h"

#include <apr_strings.h>
#include <apr_time.h>

static const struct {
    apr_int64_t seconds;
    const char *one, *many;
} manage_time_units[] = {
    {365 * 86400, "a year", "years"}, {30 * 86400, "a month", "months"}, {86400, "a day", "days"},
    {3600, "an hour", "hours"},       {60, "a minute", "minutes"},
};

static const char *manage_time_words(apr_int64_t distance, apr_pool_t *pool)
{
    apr_int64_t size = distance < 0 ? -distance : distance, n;
    apr_size_t i;

    for (i = 0; i < sizeof(manage_time_units) / sizeof(*manage_time_units); i++) {
        n = size / manage_time_units[i].seconds;
        if (n) {
            const char *length = n == 1 ? manage_time_units[i].one
                                        : apr_psprintf(pool, "%" APR_INT64_T_FMT " %s", n,
                                                       manage_time_units[i].many);

            return distance < 0 ? apr_pstrcat(pool, length, " ago", NULL)
                                : apr_pstrcat(pool, "in ", length, NULL);
        }
    }
    return distance < 0 ? "just now" : "in a moment";
}

json_t *manage_time(const manage_t *m, apr_int64_t at, apr_int64_t now)
{
    apr_pool_t *pool = m->r->pool;
    apr_time_exp_t t;

    if (!at || apr_time_exp_gmt(&t, apr_time_from_sec(at)) != APR_SUCCESS) {
        return json_false();
    }
    return json_pack("{s:s, s:s}", "iso",
                     apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d:%02dZ", t.tm_year + 1900,
                                  t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec),
                     "words", manage_time_words(at - now, pool));
}
