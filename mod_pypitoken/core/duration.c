/* duration.c - spans and points of time as people write them; see duration.h. */
#include "core/duration.h"

#include <apr_strings.h>

#define DURATION_DAY 86400

/* How far a reader has got. */
typedef struct duration_reader_t {
    const char *p;
    const char *end;
} duration_reader_t;

typedef struct duration_unit_t {
    char letter;
    apr_int64_t seconds;
} duration_unit_t;

static const duration_unit_t duration_units[] = {
    {'s', 1},
    {'m', 60},
    {'h', 3600},
    {'d', DURATION_DAY},
    {'w', 7 * DURATION_DAY},
    {'y', (apr_int64_t)365 * DURATION_DAY},
};

static int duration_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int duration_span(slice_t s, apr_int64_t *seconds)
{
    apr_int64_t count = 0;
    apr_size_t i;

    if (s.n < 2) {
        return -1;
    }
    for (i = 0; i + 1 < s.n; i++) {
        if (!duration_is_digit(s.p[i])) {
            return -1;
        }
        count = count * 10 + (s.p[i] - '0');
        if (count > DURATION_LATEST) {
            return -1;
        }
    }
    for (i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
        if (duration_units[i].letter == s.p[s.n - 1]) {
            if (count == 0 || count > DURATION_LATEST / duration_units[i].seconds) {
                return -1;
            }
            *seconds = count * duration_units[i].seconds;
            return 0;
        }
    }
    return -1;
}

/* Exactly n digits whose value lies between low and high. */
static int duration_digits(duration_reader_t *r, int n, int low, int high, int *value)
{
    *value = 0;
    for (; n > 0; n--, r->p++) {
        if (r->p == r->end || !duration_is_digit(*r->p)) {
            return -1;
        }
        *value = *value * 10 + (*r->p - '0');
    }
    return *value >= low && *value <= high ? 0 : -1;
}

/* One byte of a set. */
static int duration_byte(duration_reader_t *r, const char *set)
{
    for (; r->p != r->end && *set; set++) {
        if (*r->p == *set) {
            r->p++;
            return 0;
        }
    }
    return -1;
}

static int duration_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int duration_month_days(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && duration_is_leap(year));
}

/* Days from 1970-01-01 to the first of January of year. */
static apr_int64_t duration_year_days(int year)
{
    int y = year - 1;

    return (apr_int64_t)365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (492 - 19 + 4);
}

static int duration_date(duration_reader_t *r, apr_int64_t *days)
{
    int year, month, day, m;

    if (duration_digits(r, 4, 1970, 9999, &year) || duration_byte(r, "-") ||
        duration_digits(r, 2, 1, 12, &month) || duration_byte(r, "-") ||
        duration_digits(r, 2, 1, duration_month_days(year, month), &day)) {
        return -1;
    }
    *days = duration_year_days(year) + day - 1;
    for (m = 1; m < month; m++) {
        *days += duration_month_days(year, m);
    }
    return 0;
}

static int duration_clock(duration_reader_t *r, apr_int64_t *seconds)
{
    int hour, minute, second = 0;

    if (duration_digits(r, 2, 0, 23, &hour) || duration_byte(r, ":") ||
        duration_digits(r, 2, 0, 59, &minute)) {
        return -1;
    }
    if (duration_byte(r, ":") == 0 && duration_digits(r, 2, 0, 59, &second)) {
        return -1;
    }
    *seconds = (apr_int64_t)hour * 3600 + minute * 60 + second;
    return 0;
}

/* "Z", "+02:00", "-0330", or nothing for UTC; what has to be added to get UTC. */
static int duration_zone(duration_reader_t *r, apr_int64_t *seconds)
{
    int hour, minute, sign;

    *seconds = 0;
    if (r->p == r->end || duration_byte(r, "Zz") == 0) {
        return 0;
    }
    sign = *r->p == '+' ? -1 : 1;
    if (duration_byte(r, "+-") || duration_digits(r, 2, 0, 14, &hour)) {
        return -1;
    }
    (void)duration_byte(r, ":");
    if (duration_digits(r, 2, 0, 59, &minute)) {
        return -1;
    }
    *seconds = (apr_int64_t)sign * (hour * 3600 + minute * 60);
    return 0;
}

int duration_point(slice_t s, apr_int64_t *at)
{
    duration_reader_t r = {s.p, s.n ? s.p + s.n : s.p};
    apr_int64_t days, clock = 0, zone = 0, sum;

    if (duration_date(&r, &days)) {
        return -1;
    }
    if (r.p != r.end &&
        (duration_byte(&r, "Tt ") || duration_clock(&r, &clock) || duration_zone(&r, &zone))) {
        return -1;
    }
    sum = days * DURATION_DAY + clock + zone;
    if (r.p != r.end || sum < 0 || sum > DURATION_LATEST) {
        return -1;
    }
    *at = sum;
    return 0;
}

int duration_ahead(slice_t s, apr_int64_t now, apr_int64_t *at)
{
    apr_int64_t span;

    if (duration_span(s, &span)) {
        return duration_point(s, at);
    }
    if (now > DURATION_LATEST || span > DURATION_LATEST - now) {
        return -1;
    }
    *at = now + span;
    return 0;
}

int duration_back(slice_t s, apr_int64_t now, apr_int64_t *at)
{
    apr_int64_t span;

    if (duration_span(s, &span)) {
        return duration_point(s, at);
    }
    if (span > now) {
        return -1;
    }
    *at = now - span;
    return 0;
}

char *duration_iso(apr_int64_t at, apr_pool_t *pool)
{
    apr_int64_t days = at / DURATION_DAY;
    int rest = (int)(at % DURATION_DAY);
    int year, month = 1;

    if (at < 0 || at > DURATION_LATEST) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, at);
    }
    year = 1970 + (int)(days / 366); /* never too late, at most 22 years too early */
    while (duration_year_days(year + 1) <= days) {
        year++;
    }
    days -= duration_year_days(year);
    while (days >= duration_month_days(year, month)) {
        days -= duration_month_days(year, month);
        month++;
    }
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, (int)days + 1,
                        rest / 3600, rest / 60 % 60, rest % 60);
}
