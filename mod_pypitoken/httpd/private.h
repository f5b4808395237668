/*
 * private.h - what every file of httpd/ needs: the module record and its log index.
 */
#ifndef PYPITOKEN_PRIVATE_H
#define PYPITOKEN_PRIVATE_H

/* First: APR takes offsetof only if it is there, and else reaches through a null pointer. */
#include <stddef.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

/* The one symbol that is not hidden: httpd looks it up by name. */
extern module AP_MODULE_DECLARE_DATA pypitoken_module __attribute__((visibility("default")));
APLOG_USE_MODULE(pypitoken);

#endif
