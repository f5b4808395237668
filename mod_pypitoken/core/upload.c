/*
 * upload.c - the meaning of the form. Parts come from multipart.c, policies
 * from field.c; what is judged when the last part is in stands in upload_finish
 * and below.
 */
#include "core/upload.h"

#include <apr_strings.h>
#include <string.h>

#include "core/digest.h"
#include "core/field.h"
#include "core/utf8.h"
#include "core/version.h"

#define UPLOAD_KEEP_MAX 1024

struct upload_t {
    apr_pool_t *pool;
    upload_options_t options;
    multipart_t *parser;
    verdict_t verdict;
    upload_form_t form;
    int done;
    int named;            /* upload_named */
    apr_int64_t released; /* bytes of content that are no delimiter */
    /* the part under way */
    const field_t *field;
    const char *field_name;
    int file;
    apr_int64_t length;
    char kept[UPLOAD_KEEP_MAX];
    digest_t *sha256; /* NULL unless asked for */
    /* all parts */
    int seen[FIELD_KNOWN];
    const char *value[FIELD_KNOWN]; /* NULL: absent */
    const char *signature_name;
};

static verdict_code_t upload_refuse(upload_t *u, verdict_code_t code, const char *detail)
{
    return verdict_set(&u->verdict, code, slice_of(detail), u->pool);
}

/* content is a file, gpg_signature a file or (pdm) text, everything else text.
 */
static verdict_code_t upload_shape(upload_t *u, const multipart_part_t *part)
{
    field_id_t id = u->field->id;
    int first = id == FIELD_KNOWN || !u->seen[id];

    if (part->has_filename ? id != FIELD_CONTENT && id != FIELD_SIGNATURE : id == FIELD_CONTENT) {
        return upload_refuse(u, VERDICT_FIELD_FILE, u->field_name);
    }
    if (!first && (!u->field->repeat || part->has_filename || u->signature_name)) {
        return upload_refuse(u, VERDICT_FIELD_DUPLICATE, u->field_name);
    }
    return VERDICT_ALLOWED;
}

static verdict_code_t upload_early(upload_t *u);

static verdict_code_t upload_begin(void *baton, const multipart_part_t *part, apr_int64_t offset)
{
    upload_t *u = baton;
    verdict_code_t code;
    const char *name;

    u->field = field_find(part->name);
    if (!u->field) {
        return verdict_set(&u->verdict, VERDICT_FIELD_NAME, part->name, u->pool);
    }
    u->field_name = u->field->name[0] ? u->field->name : "of this name";
    u->file = part->has_filename;
    u->length = 0;
    code = upload_shape(u, part);
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (u->field->id < FIELD_KNOWN) {
        u->seen[u->field->id] = 1;
    }
    if (u->field->id == FIELD_CONTENT) {
        name = slice_dup(part->filename, u->pool); /* form.file points into it */
        u->form.content_offset = offset;
        if (project_file_parse(&u->form.file, slice_of(name), u->options.legacy_names, u->pool) !=
            VERDICT_ALLOWED) {
            return verdict_set(&u->verdict, VERDICT_FILENAME_INVALID, part->filename, u->pool);
        }
        u->form.filename = name;
        return u->options.name_first ? upload_early(u) : VERDICT_ALLOWED;
    } else if (u->file) {
        u->signature_name = slice_dup(part->filename, u->pool);
        u->form.signature_offset = offset;
    }
    return VERDICT_ALLOWED;
}

static verdict_code_t upload_data(void *baton, slice_t data)
{
    upload_t *u = baton;

    if (u->field->id != FIELD_CONTENT &&
        u->length + (apr_int64_t)data.n > (apr_int64_t)u->field->max) {
        return upload_refuse(u, VERDICT_FIELD_SIZE, u->field_name);
    }
    if (u->field->keep) {
        memcpy(u->kept + u->length, data.p, data.n);
    }
    if (u->field->id == FIELD_CONTENT && u->sha256) {
        digest_update(u->sha256, data.p, data.n);
    }
    u->length += (apr_int64_t)data.n;
    if (u->field->id == FIELD_CONTENT) {
        u->released = u->length;
    }
    return VERDICT_ALLOWED;
}

static const char *upload_sha256(upload_t *u)
{
    unsigned char sum[DIGEST_BYTES];
    char *hex = apr_palloc(u->pool, DIGEST_HEX);

    digest_finish(u->sha256, sum);
    digest_hex(hex, sum);
    return u->sha256->failed ? NULL : hex;
}

static verdict_code_t upload_end(void *baton)
{
    upload_t *u = baton;
    slice_t value = slice_make(u->kept, (apr_size_t)u->length);

    if (u->field->id == FIELD_CONTENT) {
        u->form.content_length = u->length;
        if (u->sha256) {
            u->form.content_sha256 = upload_sha256(u);
        }
    } else if (u->file) {
        u->form.signature_length = u->length;
    }
    if (u->file) {
        /* an empty file is no file, or an error, to some readers */
        return u->length ? VERDICT_ALLOWED : upload_refuse(u, VERDICT_FIELD_VALUE, u->field_name);
    }
    if (!u->field->keep) {
        return VERDICT_ALLOWED;
    }
    if (value.n && (memchr(value.p, '\0', value.n) || !utf8_valid(value))) {
        return upload_refuse(u, VERDICT_FIELD_VALUE, u->field_name);
    }
    u->value[u->field->id] = slice_dup(value, u->pool);
    return VERDICT_ALLOWED;
}

static const multipart_calls_t upload_calls = {upload_begin, upload_data, upload_end};

upload_t *upload_create(slice_t boundary, const upload_options_t *options, apr_pool_t *pool)
{
    upload_t *u = apr_pcalloc(pool, sizeof(*u));

    u->pool = pool;
    u->options = *options;
    u->form.content_length = u->form.signature_length = -1;
    u->sha256 = options->sha256 ? digest_make(pool) : NULL;
    u->parser = multipart_create(boundary, &upload_calls, u, &u->verdict, pool);
    return u;
}

verdict_code_t upload_feed(upload_t *u, const char *p, apr_size_t n)
{
    return multipart_feed(u->parser, p, n);
}

static const char *upload_value(const upload_t *u, field_id_t id)
{
    return u->value[id] ? u->value[id] : "";
}

static verdict_code_t upload_required(upload_t *u)
{
    static const field_id_t required[] = {FIELD_ACTION, FIELD_NAME, FIELD_VERSION, FIELD_CONTENT};
    static const char *const names[] = {":action", "name", "version", "content"};
    apr_size_t i;

    for (i = 0; i < sizeof(required) / sizeof(*required); i++) {
        if (!u->seen[required[i]]) {
            return upload_refuse(u, VERDICT_FIELD_MISSING, names[i]);
        }
    }
    return strcmp(upload_value(u, FIELD_ACTION), "file_upload") == 0
               ? VERDICT_ALLOWED
               : upload_refuse(u, VERDICT_ACTION, NULL);
}

/* Hex digits, or what base64 is written in (PyPI documents md5 so). Whether a digest is the right
 * one, or has the right length, is for who stores the file: there are clients that send "00". */
static int upload_digest(const char *text)
{
    static const char chars[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=";
    apr_size_t n = strlen(text);

    return n <= 128 && strspn(text, chars) == n;
}

static void upload_declared(upload_t *u)
{
    u->form.md5 = upload_value(u, FIELD_MD5);
    u->form.sha256 = upload_value(u, FIELD_SHA256);
    u->form.blake2 = upload_value(u, FIELD_BLAKE2);
}

static verdict_code_t upload_digests(upload_t *u)
{
    static const field_id_t ids[] = {FIELD_MD5, FIELD_SHA256, FIELD_BLAKE2};
    static const char *const names[] = {"md5_digest", "sha256_digest", "blake2_256_digest"};
    apr_size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        if (!upload_digest(upload_value(u, ids[i]))) {
            return upload_refuse(u, VERDICT_FIELD_VALUE, names[i]);
        }
    }
    upload_declared(u);
    return VERDICT_ALLOWED;
}

/* name and version in their own grammar, and the same in the file name. */
static verdict_code_t upload_names(upload_t *u)
{
    upload_form_t *f = &u->form;
    const char *normal;

    f->name = upload_value(u, FIELD_NAME);
    f->version = upload_value(u, FIELD_VERSION);
    if (!project_name_valid(slice_of(f->name))) {
        return upload_refuse(u, VERDICT_NAME_INVALID, f->name[0] ? f->name : " ");
    }
    normal = version_normalize(slice_of(f->version), u->pool);
    if (!normal) {
        return upload_refuse(u, VERDICT_VERSION_INVALID, f->version[0] ? f->version : " ");
    }
    f->project = project_normalize(slice_of(f->name), u->pool);
    if (strcmp(f->project, f->file.project) != 0) {
        return upload_refuse(u, VERDICT_FILENAME_PROJECT, f->filename);
    }
    return version_equal(normal, f->file.normal)
               ? VERDICT_ALLOWED
               : upload_refuse(u, VERDICT_FILENAME_VERSION, f->filename);
}

/* At the headers of content: what decides whose file this is must be there by now. */
static verdict_code_t upload_early(upload_t *u)
{
    verdict_code_t code = upload_required(u);

    if (code == VERDICT_FIELD_MISSING) {
        u->verdict.code = code = VERDICT_FIELD_ORDER;
    }
    if (code == VERDICT_ALLOWED) {
        code = upload_names(u);
    }
    u->named = code == VERDICT_ALLOWED;
    upload_declared(u);
    if (u->options.name_first == UPLOAD_NAME_EARLY) {
        code = verdict_set(&u->verdict, VERDICT_ALLOWED, slice_of(NULL), u->pool);
    }
    return code;
}

/* filetype is one of the two that there are. It is not held against the file name: there are
 * scripts that get it wrong, and no reader goes by it. */
static verdict_code_t upload_rest(upload_t *u)
{
    upload_form_t *f = &u->form;
    const char *type = f->file.kind == PROJECT_WHEEL ? "bdist_wheel" : "sdist";
    const char *signature = apr_pstrcat(u->pool, f->filename, ".asc", NULL);

    f->filetype = u->value[FIELD_FILETYPE] ? u->value[FIELD_FILETYPE] : type;
    f->pyversion = upload_value(u, FIELD_PYVERSION);
    f->metadata_version = upload_value(u, FIELD_METADATA_VERSION);
    f->requires_python = upload_value(u, FIELD_REQUIRES_PYTHON);
    if (strcmp(f->filetype, "sdist") != 0 && strcmp(f->filetype, "bdist_wheel") != 0) {
        return upload_refuse(u, VERDICT_FILETYPE, f->filename);
    }
    if (u->signature_name && strcmp(u->signature_name, signature) != 0) {
        return upload_refuse(u, VERDICT_SIGNATURE_NAME, signature);
    }
    return VERDICT_ALLOWED;
}

verdict_code_t upload_finish(upload_t *u)
{
    static verdict_code_t (*const steps[])(upload_t *) = {upload_required, upload_names,
                                                          upload_digests, upload_rest};
    verdict_code_t code = multipart_finish(u->parser);
    apr_size_t i;

    for (i = 0; code == VERDICT_ALLOWED && i < sizeof(steps) / sizeof(*steps); i++) {
        code = steps[i](u);
    }
    u->done = code == VERDICT_ALLOWED;
    return code;
}

const verdict_t *upload_verdict(const upload_t *u)
{
    return &u->verdict;
}

apr_int64_t upload_content_at(const upload_t *u)
{
    return u->seen[FIELD_CONTENT] ? u->form.content_offset : -1;
}

const upload_form_t *upload_form(const upload_t *u)
{
    return u->done ? &u->form : NULL;
}

const upload_form_t *upload_named(const upload_t *u)
{
    return u->named ? &u->form : NULL;
}

void upload_told(const upload_t *u, const char **project, const char **filename)
{
    slice_t name = slice_of(u->value[FIELD_NAME]);

    *project = project_name_valid(name) ? project_normalize(name, u->pool) : NULL;
    *filename = u->form.filename;
}

apr_int64_t upload_safe(const upload_t *u)
{
    return u->named ? u->form.content_offset + u->released : 0;
}
