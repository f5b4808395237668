/* field.c - the table of fields; see field.h. */
#include "core/field.h"

#include <string.h>

#include "core/project.h"
#include "core/upload.h"
#include "core/version.h"

#define FIELD_SHORT 256

/* By field_id_t. gpg_signature may repeat as text: pdm sends two, of no meaning
 * to anybody. */
static const field_t field_table[FIELD_KNOWN] = {
    {":action", FIELD_ACTION, FIELD_SHORT, 0, 1},
    {"protocol_version", FIELD_PROTOCOL, FIELD_SHORT, 0, 1},
    {"name", FIELD_NAME, FIELD_SHORT, 0, 1},
    {"version", FIELD_VERSION, FIELD_SHORT, 0, 1},
    {"metadata_version", FIELD_METADATA_VERSION, FIELD_SHORT, 0, 1},
    {"filetype", FIELD_FILETYPE, FIELD_SHORT, 0, 1},
    {"pyversion", FIELD_PYVERSION, FIELD_SHORT, 0, 1},
    {"md5_digest", FIELD_MD5, FIELD_SHORT, 0, 1},
    {"sha256_digest", FIELD_SHA256, FIELD_SHORT, 0, 1},
    {"blake2_256_digest", FIELD_BLAKE2, FIELD_SHORT, 0, 1},
    {"requires_python", FIELD_REQUIRES_PYTHON, 1024, 0, 1},
    {"summary", FIELD_SUMMARY, UPLOAD_TEXT_MAX, 0, 0},
    {"description", FIELD_DESCRIPTION, UPLOAD_DESCRIPTION_MAX, 0, 0},
    {"content", FIELD_CONTENT, 0, 0, 0},
    {"gpg_signature", FIELD_SIGNATURE, UPLOAD_TEXT_MAX, 1, 0}};

static const field_t field_other = {"", FIELD_OTHER, UPLOAD_TEXT_MAX, 1, 0};

static int field_char(char c, int first)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (!first && c == '_');
}

const field_t *field_find(slice_t name)
{
    apr_size_t i, start = name.n && name.p[0] == ':' ? 1 : 0;

    if (name.n == start || name.n > FIELD_NAME_MAX) {
        return NULL;
    }
    for (i = start; i < name.n; i++) {
        if (!field_char(name.p[i], i == start)) {
            return NULL;
        }
    }
    for (i = 0; i < FIELD_KNOWN; i++) {
        if (slice_is(name, field_table[i].name)) {
            return &field_table[i];
        }
    }
    return &field_other;
}
