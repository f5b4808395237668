/* manage_list.c - see manage_list.h. */
#include "httpd/private.h"
#include "httpd/manage_list.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>

const form_t *manage_list_query(const manage_t *m)
{
    const char *args = m->r->args ? m->r->args : "";
    form_t *query = apr_pcalloc(m->r->pool, sizeof(*query));

    if (form_parse(query, apr_pstrdup(m->r->pool, args), strlen(args))) {
        query->n = 0;
    }
    return query;
}

const char *manage_list_link(const manage_t *m, const form_t *query, const char *field,
                             const char *value)
{
    apr_pool_t *pool = m->r->pool;
    const char *link =
        apr_pstrcat(pool, m->route, "?", field, "=", apr_pescape_urlencoded(pool, value), NULL);
    int i;

    for (i = 0; i < query->n; i++) {
        const char *name = slice_dup(query->fields[i].name, pool);

        if (query->fields[i].value.n && strcmp(name, field) != 0) {
            link = apr_pstrcat(
                pool, link, "&", apr_pescape_urlencoded(pool, name), "=",
                apr_pescape_urlencoded(pool, slice_dup(query->fields[i].value, pool)), NULL);
        }
    }
    return link;
}

json_t *manage_list_pager(const manage_t *m, const form_t *query, int total, int each, int *first,
                          int *end)
{
    apr_int64_t asked = apr_strtoi64(slice_dup(form_get(query, "page"), m->r->pool), NULL, 10);
    int pages = total ? (total + each - 1) / each : 1;
    int page = asked < 1 ? 1 : asked > pages ? pages : (int)asked;
    json_t *pager;

    *first = (page - 1) * each;
    *end = *first + each < total ? *first + each : total;
    if (pages == 1) {
        return json_false();
    }
    pager = json_pack("{s:i, s:i, s:i}", "from", *first + 1, "to", *end, "total", total);
    json_object_set_new(
        pager, "prev",
        page > 1 ? json_string(manage_list_link(m, query, "page", apr_itoa(m->r->pool, page - 1)))
                 : json_false());
    json_object_set_new(pager, "next",
                        page < pages ? json_string(manage_list_link(m, query, "page",
                                                                    apr_itoa(m->r->pool, page + 1)))
                                     : json_false());
    return pager;
}

int manage_list_has(const char *text, slice_t part)
{
    const char *p;

    for (p = text ? text : ""; part.n; p++) {
        if (strlen(p) < part.n) {
            return 0;
        }
        if (strncasecmp(p, part.p, part.n) == 0) {
            return 1;
        }
    }
    return 1;
}

json_t *manage_list_field(const manage_t *m, const form_t *query, const char *field)
{
    return manage_string(m, slice_dup(slice_trim(form_get(query, field)), m->r->pool));
}
