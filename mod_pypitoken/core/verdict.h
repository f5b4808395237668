/*
 * verdict.h - the one error vocabulary.
 *
 * Whoever refuses something says so with a verdict: a code with a stable word, an HTTP status and
 * a sentence for the uploader, and a detail filled in where the decision falls. Status line,
 * response body, log line, environment and command line all render the same verdict.
 *
 * The words are public (PYPITOKEN_VERDICT in logs and environment): never rename one.
 * Sentences say what to do next; they contain at most one "{}" that the detail replaces. No
 * sentence may hold a phrase that an upload client takes for "the file exists already"
 * (shared knowledge of twine, poetry, pdm and maturin), except that of VERDICT_FILE_EXISTS.
 * No status is a redirect or 409, and 5xx only says "not your fault, try again": twine repeats an
 * upload five times on 5xx. A detail may come from the uploader: one that would complete such a
 * phrase is left out.
 */
#ifndef PYPITOKEN_VERDICT_H
#define PYPITOKEN_VERDICT_H

#include "core/slice.h"

/* The longest reason phrase that is sent, in bytes; details are cut to fit. */
#define VERDICT_REASON_MAX 240

/* code, word, HTTP status, sentence */
#define VERDICT_TABLE(X)                                                                           \
    X(ALLOWED, "allowed", 200, "Allowed.")                                                         \
    /* credentials */                                                                              \
    X(NO_CREDENTIALS, "no-credentials", 401,                                                       \
      "Authentication needed. Use __token__ as the user name and an API token as the password.")   \
    X(CREDENTIALS_MALFORMED, "credentials-malformed", 403,                                         \
      "The Authorization header could not be read. Use Basic with __token__ as the user name and " \
      "an API token as the password.")                                                             \
    X(TLS_REQUIRED, "tls-required", 403,                                                           \
      "TLS is required. These credentials crossed the network in clear: replace them, then use "   \
      "https.")                                                                                    \
    X(USER_NOT_TOKEN, "user-not-token", 403,                                                       \
      "An API token was sent with an account name. Use __token__ as the user name and keep the "   \
      "token as the password.")                                                                    \
    X(PASSWORD_REFUSED, "password-refused", 403,                                                   \
      "User name and password are not accepted for uploads. Create an API token {} and use it as " \
      "the password, with __token__ as the user name.")                                            \
    X(PASSWORD_2FA, "password-2fa", 403,                                                           \
      "This account has a second factor and uploads with API tokens only. Create one {} and use "  \
      "it as the password, with __token__ as the user name.")                                      \
    X(LOGIN_FAILED, "login-failed", 403,                                                           \
      "Wrong user name, password or code. If the account has a second factor, its code stands "    \
      "right behind the password, and uploads need an API token.")                                 \
    X(THROTTLED, "throttled", 429, "Too many failed attempts. Wait {} before the next one.")       \
    X(TOKEN_MALFORMED, "token-malformed", 403,                                                     \
      "Invalid API Token: it is incomplete or damaged. Copy it again, from pypi- to its end.")     \
    X(TOKEN_VERSION, "token-version", 403,                                                         \
      "Invalid API Token: it is in an old macaroon format. Create a new one.")                     \
    X(TOKEN_TOO_LONG, "token-too-long", 403,                                                       \
      "Invalid API Token: it is too long or carries too many restrictions.")                       \
    X(TOKEN_UNKNOWN, "token-unknown", 403,                                                         \
      "Invalid API Token: this index does not know it. Check that it was made for this index and " \
      "that it was not deleted.")                                                                  \
    X(TOKEN_SIGNATURE, "token-signature", 403,                                                     \
      "Invalid API Token: signatures do not match. Copy the token again, complete.")               \
    X(TOKEN_REVOKED, "token-revoked", 403, "Invalid API Token: it was revoked. Create a new one.") \
    X(TOKEN_EXPIRED, "token-expired", 403, "Invalid API Token: token is expired. Use a new one.")  \
    X(TOKEN_NOT_YET, "token-not-yet-valid", 403,                                                   \
      "Invalid API Token: token is not valid yet. Check the clocks of both machines.")             \
    X(TOKEN_SCOPE, "token-scope", 403,                                                             \
      "Invalid API Token: project-scoped token is not valid for project: '{}'. Use a token for "   \
      "this project.")                                                                             \
    X(TOKEN_USER, "token-user", 403,                                                               \
      "Invalid API Token: current user does not match user restriction in token.")                 \
    X(TOKEN_CAVEAT, "token-caveat", 403, "Invalid API Token: {}.")                                 \
    X(TOKEN_UPLOADS_ONLY, "token-uploads-only", 403, "API tokens are valid for uploads only.")     \
    X(USER_DISABLED, "user-disabled", 403,                                                         \
      "The account that owns this API token is disabled. Ask the operator of this index.")         \
    X(ROLE_MISSING, "role-missing", 403,                                                           \
      "This account isn't allowed to upload to project '{}'. Ask an owner of the project for a "   \
      "role, or choose another name.")                                                             \
    X(PROJECT_NEW_REFUSED, "project-new-refused", 403,                                             \
      "Project '{}' is not known here and new projects are not made by uploading. Ask the "        \
      "operator of this index to add it.")                                                         \
    X(REQUIRE, "require-failed", 403,                                                              \
      "The rules of this server do not allow this upload. Ask the operator of this index.")        \
    /* the request around the form */                                                              \
    X(NOT_FOUND, "not-found", 404, "There is nothing here. Uploads go to the upload URL itself.")  \
    X(MOVED, "moved", 404, "Uploads do not follow redirects. Use {} as the repository URL.")       \
    X(METHOD, "method", 405, "Only uploads are possible here: POST a multipart form.")             \
    X(QUERY, "query-string", 400,                                                                  \
      "The upload URL must not have a query string. Send all fields in the form.")                 \
    X(LENGTH_REQUIRED, "length-required", 411,                                                     \
      "The upload has no body: send Content-Length or chunked.")                                   \
    X(TRANSFER_ENCODING, "transfer-encoding", 400,                                                 \
      "The only Transfer-Encoding that is accepted is chunked, with HTTP/1.1.")                    \
    X(CONTENT_TYPE, "content-type", 415, "The upload must be multipart/form-data.")                \
    X(CONTENT_ENCODING, "content-encoding", 415, "The upload must not have a Content-Encoding.")   \
    X(BOUNDARY, "boundary", 400,                                                                   \
      "The Content-Type must be multipart/form-data with a boundary of 1 to 70 letters, digits, "  \
      "'-' or '_', and nothing else.")                                                             \
    X(HEADER_REFUSED, "header-refused", 400,                                                       \
      "The request header '{}' is not accepted on the upload URL.")                                \
    X(UPLOAD_TOO_LARGE, "upload-too-large", 413, "The upload is larger than {} allowed here.")     \
    X(BODY_BROKEN, "body-broken", 400, "The upload broke off before its end. Try again.")          \
    X(BODY_TIMEOUT, "body-timeout", 408, "The upload was too slow and was given up.")              \
    /* the form */                                                                                 \
    X(FORM_START, "form-start", 400, "The form must start with its boundary.")                     \
    X(FORM_DELIMITER, "form-delimiter", 400,                                                       \
      "The form's boundary occurs where it is not a boundary line. Choose another boundary.")      \
    X(FORM_TRUNCATED, "form-truncated", 400, "The form ends before its closing boundary.")         \
    X(FORM_EPILOGUE, "form-epilogue", 400, "There are bytes after the form's closing boundary.")   \
    X(FORM_PARTS, "form-parts", 413, "The form has more than {} parts.")                           \
    X(PART_HEADER, "part-header", 400, "A part of the form has a header that is malformed: {}.")   \
    X(PART_HEADER_SIZE, "part-header-size", 400,                                                   \
      "A part of the form has more than 1000 bytes of headers.")                                   \
    X(PART_DISPOSITION, "part-disposition", 400,                                                   \
      "A part of the form has an unacceptable Content-Disposition: {}.")                           \
    X(PART_TYPE, "part-type", 400, "A part of the form has an unacceptable Content-Type: {}.")     \
    X(FIELD_NAME, "field-name", 400, "The form has a field with an unacceptable name: '{}'.")      \
    X(FIELD_DUPLICATE, "field-duplicate", 400, "The form has the field '{}' more than once.")      \
    X(FIELD_FILE, "field-file", 400,                                                               \
      "The field '{}' must be a file if it is content or gpg_signature, and plain text if not.")   \
    X(FIELD_SIZE, "field-size", 413, "The field '{}' is too large.")                               \
    X(FIELD_VALUE, "field-value", 400, "The field '{}' has an unacceptable value.")                \
    X(FIELD_MISSING, "field-missing", 400, "The form has no field '{}'.")                          \
    X(FIELD_ORDER, "field-order", 400, "The field '{}' must stand before the file in the form.")   \
    X(ACTION, "action", 400, "The only :action that is accepted is file_upload.")                  \
    X(NAME_INVALID, "name-invalid", 400, "'{}' is not a valid project name.")                      \
    X(VERSION_INVALID, "version-invalid", 400,                                                     \
      "'{}' is not a version that PEP 440 knows (and no leading v, please).")                      \
    X(FILENAME_INVALID, "filename-invalid", 400,                                                   \
      "'{}' is neither a wheel (PEP 427) nor a source distribution (PEP 625).")                    \
    X(FILENAME_PROJECT, "filename-project", 400,                                                   \
      "The file name '{}' belongs to another project than the field 'name' says.")                 \
    X(FILENAME_VERSION, "filename-version", 400,                                                   \
      "The file name '{}' has another version than the field 'version' says.")                     \
    X(FILETYPE, "filetype", 400, "The field 'filetype' must be sdist or bdist_wheel.")             \
    X(SIGNATURE_NAME, "signature-name", 400,                                                       \
      "The signature must be named '{}', after the file it signs.")                                \
    /* the pages for people */                                                                     \
    X(LOGIN_NEEDED, "login-needed", 401,                                                           \
      "Sign in with your user name and password. If the account has a second factor, its code "    \
      "stands right behind the password.")                                                         \
    X(TLS_NEEDED, "tls-needed", 403,                                                               \
      "These pages are there over TLS only. Put https:// in front of their address.")              \
    X(PAGE_UNKNOWN, "page-unknown", 404, "There is no such page.")                                 \
    X(PAGE_FORM, "page-form", 400,                                                                 \
      "The form could not be read. Reload the page it was on and try again.")                      \
    X(PAGE_FORGED, "page-forged", 403,                                                             \
      "The form did not come from a page of this site. Reload the page it was on and try again.")  \
    X(PAGE_DENIED, "page-denied", 403, "Only an owner of the project may do that.")                \
    /* the API (doc/openapi.json) */                                                               \
    X(API_UNKNOWN, "api-unknown", 404, "There is nothing of that name here.")                      \
    X(API_METHOD, "api-method", 405, "This address does not take that method.")                    \
    X(API_QUERY, "api-query", 400, "The query string is not one that is known here: {}.")          \
    X(API_TYPE, "api-type", 415, "The body must be application/json.")                             \
    X(API_SIZE, "api-size", 413, "The body is larger than {} allowed here.")                       \
    X(API_BODY, "api-body", 400, "The body is not what this address takes: {}.")                   \
    X(API_REFUSED, "api-refused", 422, "What was asked for cannot be.")                            \
    X(DISCLOSURE_SIGNATURE, "disclosure-signature", 400,                                           \
      "The body is not signed with a key that is known here.")                                     \
    /* the built-in index */                                                                       \
    X(DIGEST_MISMATCH, "digest-mismatch", 400,                                                     \
      "The file received does not have the {} that the form names. Upload it again.")              \
    X(FILE_EXISTS, "file-exists", 400,                                                             \
      "File already exists: '{}' was uploaded before with other content. Use a new version.")      \
    /* not the uploader's fault */                                                                 \
    X(STORE_DOWN, "store-down", 503,                                                               \
      "The token database cannot be reached at the moment. Try again in a little while.")          \
    X(LOGIN_DOWN, "login-down", 503,                                                               \
      "Passwords cannot be checked at the moment. Try again in a little while.")                   \
    X(BUSY, "busy", 503, "Too much at the same time. Try again in a little while.")                \
    X(BACKEND, "backend-failed", 502,                                                              \
      "The package index behind this server did not take the upload: {}. Ask its operator.")       \
    X(SPOOL_FULL, "spool-full", 507, "This server has no room for the upload at the moment.")      \
    X(INTERNAL, "internal", 500, "This server could not decide on the upload.")

typedef enum verdict_code_t {
#define VERDICT_ENUM(code, word, status, sentence) VERDICT_##code,
    VERDICT_TABLE(VERDICT_ENUM)
#undef VERDICT_ENUM
        VERDICT_COUNT
} verdict_code_t;

typedef struct verdict_t {
    verdict_code_t code;
    const char *detail;   /* replaces "{}": printable ASCII, never a secret; NULL for none */
    const char *log;      /* what only the operator may read; NULL for none */
    unsigned retry_after; /* seconds for Retry-After; 0: what goes with the status */
} verdict_t;

/* The stable word, the HTTP status. Constant data; any thread. */
const char *verdict_word(verdict_code_t code);
int verdict_status(verdict_code_t code);

/* The code of a word, or VERDICT_COUNT. */
verdict_code_t verdict_of_word(const char *word);

/* Fills *v and returns code, so that a check can end with "return verdict_set(v, ...)".
 * detail is made printable, cut to 100 bytes, and copied into pool; an empty slice means none. */
verdict_code_t verdict_set(verdict_t *v, verdict_code_t code, slice_t detail, apr_pool_t *pool);

/* verdict_set for a refusal that ends by itself: the detail says how long, and Retry-After too.
 * seconds is at least 1. */
verdict_code_t verdict_set_wait(verdict_t *v, verdict_code_t code, unsigned seconds,
                                apr_pool_t *pool);

/* The sentence for the uploader: printable ASCII, at most VERDICT_REASON_MAX bytes, in pool. */
const char *verdict_sentence(const verdict_t *v, apr_pool_t *pool);

/* "word: sentence (log)" for the error log, printable ASCII, in pool. */
const char *verdict_logline(const verdict_t *v, apr_pool_t *pool);

#endif
