/* cmd_status.c - what httpd has counted, read from its SetHandler pypitoken-metrics. */
#include "ctl/cmd.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <stdlib.h>
#include <string.h>

#define CMD_STATUS_URL     "http://127.0.0.1/pypitoken-metrics"
#define CMD_STATUS_MAX     (1024 * 1024) /* of an answer */
#define CMD_STATUS_TIMEOUT apr_time_from_sec(5)

static const table_column_t cmd_status_columns[] = {
    {"METRIC", "metric", TABLE_TEXT, 0},
    {"OF", "label", TABLE_TEXT, 0},
    {"VALUE", "value", TABLE_TEXT, 0},
};

static apr_status_t cmd_status_open(apr_socket_t **out, apr_sockaddr_t *address, apr_pool_t *pool)
{
    apr_status_t rv = apr_socket_create(out, address->family, SOCK_STREAM, APR_PROTO_TCP, pool);

    if (rv != APR_SUCCESS) {
        *out = NULL;
        return rv;
    }
    (void)apr_socket_timeout_set(*out, CMD_STATUS_TIMEOUT);
    rv = apr_socket_connect(*out, address);
    if (rv != APR_SUCCESS) {
        (void)apr_socket_close(*out);
        *out = NULL;
    }
    return rv;
}

/* Plain HTTP: it is meant for the machine itself, whose name may have addresses where httpd does
 * not listen. *out is NULL on failure; why is the last address's. */
static apr_status_t cmd_status_connect(apr_socket_t **out, const apr_uri_t *uri, apr_pool_t *pool)
{
    apr_port_t port = uri->port_str ? uri->port : 80;
    apr_sockaddr_t *address = NULL;
    apr_status_t rv = apr_sockaddr_info_get(&address, uri->hostname, APR_UNSPEC, port, 0, pool);

    *out = NULL;
    for (; address && !*out; address = address->next) {
        rv = cmd_status_open(out, address, pool);
    }
    return rv;
}

static apr_status_t cmd_status_send(apr_socket_t *socket, const char *text)
{
    apr_size_t left = strlen(text), n;
    apr_status_t rv = APR_SUCCESS;

    while (left && rv == APR_SUCCESS) {
        n = left;
        rv = apr_socket_send(socket, text, &n);
        text += n;
        left -= n;
    }
    return rv;
}

static apr_status_t cmd_status_receive(apr_socket_t *socket, char **out, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, CMD_STATUS_MAX + 1);
    apr_size_t have = 0, n;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && have < CMD_STATUS_MAX) {
        n = CMD_STATUS_MAX - have;
        rv = apr_socket_recv(socket, text + have, &n);
        have += n;
    }
    text[have] = '\0';
    *out = text;
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* As it stands in the URL, brackets and port included, but for a user before it. */
static const char *cmd_status_host(const apr_uri_t *uri)
{
    const char *at = strrchr(uri->hostinfo, '@');

    return at ? at + 1 : uri->hostinfo;
}

/* The body, or NULL after a complaint. */
static const char *cmd_status_get(const char *url, apr_pool_t *pool)
{
    apr_socket_t *socket = NULL;
    char why[120], *text = NULL, *body;
    apr_status_t rv;
    apr_uri_t uri;

    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        strcmp(uri.scheme, "http") != 0) {
        (void)ctl_fail(0, "%s is no http:// URL", url);
        return NULL;
    }
    rv = cmd_status_connect(&socket, &uri, pool);
    if (rv == APR_SUCCESS) {
        rv = cmd_status_send(socket, apr_pstrcat(pool, "GET ", uri.path ? uri.path : "/",
                                                 " HTTP/1.0\r\nHost: ", cmd_status_host(&uri),
                                                 "\r\nUser-Agent: pypitokenctl\r\n\r\n", NULL));
    }
    if (rv == APR_SUCCESS) {
        rv = cmd_status_receive(socket, &text, pool);
    }
    if (socket) {
        (void)apr_socket_close(socket);
    }
    if (rv != APR_SUCCESS) {
        (void)ctl_fail(0, "%s: %s", url, apr_strerror(rv, why, sizeof(why)));
        return NULL;
    }
    body = strstr(text, "\r\n\r\n");
    if (strncmp(text, "HTTP/1.", 7) != 0 || strncmp(text + 8, " 200 ", 5) != 0 || !body) {
        text[strcspn(text, "\r\n")] = '\0';
        (void)ctl_fail(0,
                       "%s answers '%s': is there a SetHandler pypitoken-metrics, and may this "
                       "machine read it?",
                       url, table_clean(slice_of(text), pool));
        return NULL;
    }
    return body + 4;
}

/* name{label="value"} number. For people what is zero, and the shape of the histogram, is left
 * out. */
static void cmd_status_line(const ctl_t *ctl, table_t *table, char *line)
{
    char *value = strrchr(line, ' '), *label = strchr(line, '{'), *end;

    if (*line == '#' || !value || strncmp(line, "pypitoken_", 10) != 0) {
        return;
    }
    *value++ = '\0';
    if (!ctl->json && (strcmp(value, "0") == 0 || strstr(line, "_bucket{"))) {
        if (!strstr(line, "_up")) {
            return;
        }
    }
    if (label) {
        *label = '\0';
        label = strchr(label + 1, '"');
        end = label ? strchr(label + 1, '"') : NULL;
        if (end) {
            *end = '\0';
        }
    }
    {
        const table_cell_t cells[] = {TABLE_STRING(line + 10),
                                      TABLE_STRING(label ? label + 1 : NULL), TABLE_STRING(value)};

        table_add(table, cells);
    }
}

int cmd_status_run(ctl_t *ctl)
{
    const char *body = cmd_status_get(ctl->url ? ctl->url : CMD_STATUS_URL, ctl->pool);
    table_t *table = table_make(cmd_status_columns, 3, ctl->json, ctl->pool);
    char *line, *state = NULL, *copy;

    if (!body) {
        return CTL_DOWN;
    }
    copy = apr_pstrdup(ctl->pool, body);
    for (line = apr_strtok(copy, "\r\n", &state); line; line = apr_strtok(NULL, "\r\n", &state)) {
        cmd_status_line(ctl, table, line);
    }
    table_print(table, stdout);
    return CTL_DONE;
}
