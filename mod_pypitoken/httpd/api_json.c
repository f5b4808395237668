/* api_json.c - members of an object by a table; see api_json.h. */
#include "httpd/api_json.h"

#include <apr_strings.h>
#include <string.h>

static const char *const api_json_types[] = {
    [API_JSON_TEXT] = "a text",
    [API_JSON_NUMBER] = "an integer from 1 on",
    [API_JSON_FLAG] = "true or false",
    [API_JSON_TEXTS] = "a list of at least one text",
    [API_JSON_LIST] = "a list of at least one object",
};

#define API_JSON_NAME "abcdefghijklmnopqrstuvwxyz_-"

const char *api_json_name(const char *name, apr_pool_t *pool)
{
    apr_size_t n = strspn(name, API_JSON_NAME);

    return n && n <= 20 && !name[n] ? apr_pstrcat(pool, "'", name, "'", NULL) : "of that name";
}

static int api_json_texts(void *field, const json_t *value, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    size_t i;

    for (i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));

        if (!text) {
            return -1;
        }
        APR_ARRAY_PUSH(list, const char *) = apr_pstrdup(pool, text);
    }
    *(apr_array_header_t **)field = list;
    return list->nelts ? 0 : -1;
}

static int api_json_list(void *field, const json_t *value)
{
    size_t i, n = json_array_size(value);

    for (i = 0; i < n && json_is_object(json_array_get(value, i)); i++) {
    }
    *(const json_t **)field = value;
    return n && i == n ? 0 : -1;
}

/* 0, or -1: not of its type. */
static int api_json_take(void *field, const json_t *value, api_json_kind_t kind, apr_pool_t *pool)
{
    switch (kind) {
    case API_JSON_TEXT:
        *(const char **)field = apr_pstrdup(pool, json_string_value(value));
        return json_is_string(value) ? 0 : -1;
    case API_JSON_NUMBER:
        *(apr_int64_t *)field = json_integer_value(value);
        return json_integer_value(value) > 0 ? 0 : -1;
    case API_JSON_FLAG:
        *(int *)field = json_is_true(value);
        return json_is_boolean(value) ? 0 : -1;
    case API_JSON_TEXTS:
        return api_json_texts(field, value, pool);
    case API_JSON_LIST:
        break;
    }
    return api_json_list(field, value);
}

const char *api_json_read(void *out, json_t *body, const api_json_member_t *members, size_t n,
                          apr_pool_t *pool)
{
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach(body, name, value)
    {
        for (i = 0; i < n && strcmp(members[i].name, name) != 0; i++) {
        }
        if (i == n) {
            return apr_pstrcat(pool, "there is no member ", api_json_name(name, pool), NULL);
        }
        if (api_json_take((char *)out + members[i].offset, value, members[i].kind, pool)) {
            return apr_psprintf(pool, "'%s' must be %s", name, api_json_types[members[i].kind]);
        }
    }
    return NULL;
}
