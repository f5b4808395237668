/*
 * upload.h - the meaning of an upload form: DESIGN section 6, rules 4-7.
 *
 * upload_create, upload_feed with the body in any pieces, upload_finish; then the fields may be
 * read. Pure; one thread at a time; constant memory but for the values it keeps.
 */
#ifndef PYPITOKEN_UPLOAD_H
#define PYPITOKEN_UPLOAD_H

#include "core/multipart.h"
#include "core/project.h"

#define UPLOAD_TEXT_MAX        65536
#define UPLOAD_DESCRIPTION_MAX 2097152

/* Whether it is to be known before the file whose it is. */
enum { UPLOAD_NAME_ANY, UPLOAD_NAME_FIRST, UPLOAD_NAME_EARLY };

typedef struct upload_options_t {
    int legacy_names; /* PyPITokenLegacyNames */
    int sha256;       /* make content_sha256: a token asks for it, or the built-in index will */
    int name_first; /* UPLOAD_NAME_FIRST (PyPITokenStream): what tells it must stand before content;
                       UPLOAD_NAME_EARLY (and the built-in index): it may, and what is wrong
                       with it is said in the end */
} upload_options_t;

/* What is known once upload_finish said VERDICT_ALLOWED. All strings live in the pool. */
typedef struct upload_form_t {
    const char *name;      /* as sent */
    const char *project;   /* normalised */
    const char *version;   /* as sent */
    const char *filename;  /* of content */
    const char *filetype;  /* sdist, bdist_wheel; derived from the file name if absent */
    const char *pyversion; /* "" if absent */
    const char *metadata_version, *requires_python; /* "" if absent */
    const char *md5, *sha256, *blake2;              /* as sent, "" if absent */
    project_file_t file;
    apr_int64_t content_offset; /* where the file's bytes start in the body */
    apr_int64_t content_length; /* -1 until content has ended */
    const char *content_sha256; /* of the bytes received, 64 digits; NULL unless asked for, and
                                   when OpenSSL would not */
    apr_int64_t signature_offset, signature_length; /* of gpg_signature; length -1 if absent */
} upload_form_t;

typedef struct upload_t upload_t;

upload_t *upload_create(slice_t boundary, const upload_options_t *options, apr_pool_t *pool);
verdict_code_t upload_feed(upload_t *u, const char *p, apr_size_t n);
verdict_code_t upload_finish(upload_t *u);

/* The verdict of the last feed or finish. */
const verdict_t *upload_verdict(const upload_t *u);

/* Where content begins in the body, as soon as it has begun; -1 before. */
apr_int64_t upload_content_at(const upload_t *u);

/* The form; NULL unless upload_finish allowed it. */
const upload_form_t *upload_form(const upload_t *u);

/* With name_first, from the headers of content on: a form of which name, project, version, filename
 * and file are known and right, the digests and the signature if they came before content, and
 * everything else is not known yet; NULL before, and with UPLOAD_NAME_EARLY for a form that does
 * not tell it. The same record that upload_form gives in the end. */
const upload_form_t *upload_named(const upload_t *u);

/* What a form has told so far, or before it was refused, for the record: the normalised name of a
 * project and the name of a file, each NULL when it did not come or is none. Nothing says that the
 * one belongs to the other. */
void upload_told(const upload_t *u, const char **project, const char **filename);

/* With name_first: how many bytes from the start of the body may go on to a back end that is known
 * to refuse a form without its end. 0 until upload_named; after that all that is certainly not part
 * of the delimiter that ends content. That one, and what follows it, is never among them: a form
 * that turns out bad had no file in it for whoever got these bytes alone. */
apr_int64_t upload_safe(const upload_t *u);

#endif
