/*
 * test_upload.c - the meaning of the form: an ordinary upload with one thing changed in it, and the
 * verdict that this must get, whole and at every cut.
 */
#include "upload_kit.h"

#include <apr_strings.h>

#define B  "BOUND9f3c2a"
#define D  "--" B
#define CD "Content-Disposition: form-data; name="

/* What a row changes. a and b are its texts. */
typedef enum change_t {
    NOTHING,
    FIXED,     /* of a field that no row changes */
    HEADER,    /* a further part with the header block a and the value b */
    TEXT,      /* a further text field a with the value b, before all others */
    AFTER,     /* the same behind all others */
    FILE_PART, /* a further file named b in the field a */
    ACTION,    /* the value of :action is a; b is not used; and so on */
    NAME,
    VERSION,
    FILENAME,
    FILETYPE,
    CONTENT,
    CONTENT_HEAD, /* the header block of content is a */
    DROP,         /* the field a is left out */
    INSIDE,       /* the text of a field holds a, the delimiter, b and a field "name" */
    IN_FILE,      /* the same in the file, with another file */
    BOTH,         /* name is a, and the file name is b */
    BOTH_VERSION  /* version is a, and the file name is b */
} change_t;

typedef struct row_t {
    verdict_code_t code;
    change_t change;
    slice_t a, b;
} row_t;

#define T(literal) SLICE(literal)
#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static const row_t upload_rows[] = {
    {VERDICT_ALLOWED, NOTHING, NONE, NONE},
    /* delimiters inside a text: B06-B37 */
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T(" \r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\t\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("x\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T(";x\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("-\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\r")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\r\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\0\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\x0b\x0c\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n"), T("\x85\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\n"), T("\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\n"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\n\r"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T(""), T("\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n "), T("\r\n")},
    {VERDICT_FORM_DELIMITER, INSIDE, T("\r\n-"), T("\r\n")},
    {VERDICT_FORM_EPILOGUE, INSIDE, T("\r\n"), T("--\r\n")},
    {VERDICT_FORM_EPILOGUE, INSIDE, T("\r\n"), T("-- \r\n")},
    {VERDICT_FORM_EPILOGUE, INSIDE, T("\r\n"), T("--X\r\n")},
    {VERDICT_FIELD_DUPLICATE, INSIDE, T("\r\n"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, IN_FILE, T("\n"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, IN_FILE, T("\r"), T("\r\n")},
    {VERDICT_FORM_DELIMITER, IN_FILE, T(""), T("\r\n")},
    {VERDICT_FORM_DELIMITER, IN_FILE, T("\r\n"), T("  \r\n")},
    {VERDICT_FORM_DELIMITER, IN_FILE, T("\r\n"), T("junk\r\n")},
    {VERDICT_FIELD_DUPLICATE, IN_FILE, T("\r\n"), T("\r\n")},
    {VERDICT_ALLOWED, CONTENT, T("\r\n-" B "\r\n--bound9f3c2a\r\n"), NONE},
    {VERDICT_ALLOWED, CONTENT, T("\r\n--BOUND9f3c2\r\n--BOUND9f3c2\r\n--"), NONE},
    {VERDICT_FORM_DELIMITER, CONTENT, T(D), NONE},
    {VERDICT_FORM_DELIMITER, CONTENT, T("x" D), NONE},
    {VERDICT_FIELD_VALUE, CONTENT, T(""), NONE},
    {VERDICT_ALLOWED, CONTENT, T("\0"), NONE},
    {VERDICT_ALLOWED, CONTENT, T("\r\n"), NONE},
    /* header blocks: C01-C63 */
    {VERDICT_ALLOWED, HEADER, T(CD "\"description\""), T("x")},
    {VERDICT_PART_HEADER, HEADER, T("CONTENT-disposition: form-data; name=\"description\""),
     T("x")},
    {VERDICT_PART_HEADER, HEADER, T("content-disposition: form-data; name=\"description\""),
     T("x")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"description\"\r\nContent-Type: text/plain"), T("x")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"x\"\r\ncontent-type: TEXT/plain; charset=UTF-8"), T("x")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"description\"\r\n" CD "\"name\""), T("bbb")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"name\"\r\n" CD "\"description\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\"; name=\"name\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"name\"; name=\"description\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\"; name*=utf-8''name"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data; name*=utf-8''name"),
     T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER,
     T("Content-Disposition: form-data; name*0=\"na\"; name*1=\"me\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "name"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "'name'"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"na\\me\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"name\\\"x\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"a\\\"; name=\"name\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data name=\"name\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data;name=\"name\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data;; name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data;  name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data; NAME=\"name\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data; name = \"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data; xname=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"name"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description; filename=\"name"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"name\"x"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"na\"\"me\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\";"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\"; foo=\"bar\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\"; filename"), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T(CD "\"description\";  filename=\"x\""), T("bbb")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: attachment; name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: FORM-DATA; name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-datax; name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: ; name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data"), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data (x); name=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: \"form-data\"; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition: form-data;\tname=\"x\""), T("b")},
    {VERDICT_PART_DISPOSITION, HEADER, T("Content-Disposition: form-data;\r\n name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"description\"\r\n ; name=\"name\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition : form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(" Content-Disposition: form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition:form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition:  form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition:\t form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition: "), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition:"), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("junk\r\n" CD "\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Dis\0position: form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"name\0x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"name\"\0"), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disp\xf6sition: form-data; name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Disposition: form-data;\xa0name=\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER,
     T(CD "\"\xef\xbb\xbf"
          "name\""),
     T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"na\x7fme\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"na\nme\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"na\rme\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("X-A: b\r" CD "\"name\"\r\n" CD "\"description\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Type: text/plain"), T("b")},
    {VERDICT_PART_HEADER, HEADER, T("Content-Type: text/plain\r\n" CD "\"x\""), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"x\"\r\nContent-Length: 68"), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"x\"\r\nContent-Transfer-Encoding: base64"), T("b")},
    {VERDICT_PART_HEADER, HEADER, T(CD "\"x\"\r\nContent-Encoding: gzip"), T("b")},
    {VERDICT_FORM_DELIMITER, HEADER, T(CD "\"x\"; filename=\"x" D "y\""), T("b")},
    {VERDICT_FORM_DELIMITER, HEADER, T(D ": x\r\n" CD "\"x\""), T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: text/plain; charset=utf-7"), T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: text/plain; charset=utf-8; a=b"),
     T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: text/html"), T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: application/octet-stream"), T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: multipart/mixed; boundary=I"), T("b")},
    {VERDICT_PART_TYPE, HEADER, T(CD "\"x\"\r\nContent-Type: message/rfc822"), T("b")},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: multipart/mixed"), NONE},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: Message/rfc822"), NONE},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: a/b; charset=utf-8"), NONE},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: gzip"), NONE},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: "
          "application/X-WWW-Form-Urlencoded"),
     NONE},
    {VERDICT_PART_TYPE, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: a/"), NONE},
    {VERDICT_ALLOWED, CONTENT_HEAD,
     T(CD "\"content\";filename=\"aaa-1.0.tar.gz\"\r\nContent-Type: application/x-gzip"), NONE},
    {VERDICT_ALLOWED, CONTENT_HEAD, T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\""), NONE},
    /* file names in the header: C05-C08, C47, E50-E64 */
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD,
     T("Content-Disposition: form-data; filename=\"aaa-1.0.tar.gz\"; name=\"content\""), NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"; filename=\"bbb-1.0.tar.gz\""), NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\"; filename*=utf-8''bbb-1.0.tar.gz"), NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD, T(CD "\"content\"; filename*=utf-8''aaa-1.0.tar.gz"),
     NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD, T(CD "\"content\"; FileName=\"aaa-1.0.tar.gz\""),
     NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD, T(CD "\"content\"; filename=aaa-1.0.tar.gz"), NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD, T(CD "\"content\"; filename=\"aaa-1.0\\\".tar.gz\""),
     NONE},
    {VERDICT_PART_DISPOSITION, CONTENT_HEAD, T(CD "\"content\"; filename=\"aaa-1.0.tar.gz"), NONE},
    {VERDICT_PART_HEADER, CONTENT_HEAD,
     T(CD "\"content\"; filename=\"aaa-1.0.tar.gz\0bbb-1.0.tar.gz\""), NONE},
    {VERDICT_FIELD_FILE, CONTENT_HEAD, T(CD "\"content\""), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T(""), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("../bbb-1.0.tar.gz"), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("x; name=name; .tar.gz"), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("aaa-1.0.tar.gz "), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("%62%62%62-1.0.tar.gz"), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("aaa-1-2.tar.gz"), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("aaa-1.0.exe"), NONE},
    {VERDICT_FILENAME_INVALID, FILENAME, T("aaa-v1-1.0-py3-none-any.whl"), NONE},
    {VERDICT_FILENAME_PROJECT, FILENAME, T("bbb-1.0.tar.gz"), NONE},
    {VERDICT_FILENAME_PROJECT, FILENAME, T("aaab-1.0.tar.gz"), NONE},
    {VERDICT_FILENAME_PROJECT, FILENAME, T("bbb-1.0-py3-none-any.whl"), NONE},
    {VERDICT_FILENAME_VERSION, FILENAME, T("aaa-2.0.tar.gz"), NONE},
    {VERDICT_FILENAME_VERSION, FILENAME, T("aaa-1.0rc1.tar.gz"), NONE},
    {VERDICT_FILENAME_VERSION, FILENAME, T("aaa-1.0+x-py3-none-any.whl"), NONE},
    {VERDICT_ALLOWED, FILENAME, T("aaa-1.0.0.zip"), NONE},
    {VERDICT_ALLOWED, FILENAME, T("AAA-1.tar.bz2"), NONE},
    {VERDICT_ALLOWED, BOTH, T("Demo.Pkg_Test"), T("demo_pkg_test-1.0.tar.gz")},
    {VERDICT_ALLOWED, BOTH, T("demo-pkg-test"), T("Demo.Pkg_Test-1.0.tar.gz")},
    {VERDICT_FILENAME_INVALID, BOTH, T("aaa-1.0"), T("aaa-1.0-1.0.tar.gz")},
    {VERDICT_ALLOWED, BOTH_VERSION, T("1.0.RC-1"), T("aaa-1.0rc1.tar.gz")},
    {VERDICT_ALLOWED, BOTH_VERSION, T("1.0-1"), T("aaa-1.0.post1-py3-none-any.whl")},
    {VERDICT_ALLOWED, BOTH_VERSION, T("1.0+a-b"), T("aaa-1.0+a_b-py3-none-any.whl")},
    {VERDICT_FILENAME_VERSION, BOTH_VERSION, T("1!1.0"), T("aaa-1.0.tar.gz")},
    /* field names: C12, C28, C39-C40, C54, C55 */
    {VERDICT_FIELD_NAME, TEXT, T(""), T("x")},
    {VERDICT_FIELD_NAME, TEXT, T(":"), T("x")},
    {VERDICT_FIELD_NAME, TEXT, T("Name"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("NAME"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T(":ACTION"), T("remove_pkg")},
    {VERDICT_FIELD_NAME, TEXT, T("::action"), T("remove_pkg")},
    {VERDICT_FIELD_NAME, TEXT, T("Content"), T("x")},
    {VERDICT_FIELD_NAME, TEXT, T("name "), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T(" name"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("name[]"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("name[0"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("n%61me"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("md5.digest"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("md5-digest"), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("=?utf-8?B?bmFtZQ==?="), T("bbb")},
    {VERDICT_FIELD_NAME, TEXT, T("MAX_FILE_SIZE"), T("1")},
    {VERDICT_FIELD_NAME, TEXT, T("_method"), T("DELETE")},
    {VERDICT_FIELD_NAME, TEXT, T("_charset_"), T("utf-16le")},
    {VERDICT_FIELD_NAME, TEXT, T(":_x"), T("x")},
    {VERDICT_FIELD_NAME, TEXT,
     T("a1234567890123456789012345678901234567890123456789012345678901234"), T("x")},
    {VERDICT_ALLOWED, TEXT, T("a123456789012345678901234567890123456789012345678901234567890123"),
     T("x")},
    {VERDICT_ALLOWED, TEXT, T("protcol_version"), T("1")},
    {VERDICT_ALLOWED, TEXT, T("attestations"), T("[{}]")},
    {VERDICT_ALLOWED, AFTER, T("description"), T("x\0\xff\r\n")},
    /* what may be a file: C41, C42, E75, E76 */
    {VERDICT_FIELD_FILE, FILE_PART, T("name"), T("x")},
    {VERDICT_FIELD_FILE, FILE_PART, T("name"), T("")},
    {VERDICT_FIELD_FILE, FILE_PART, T("docs"), T("bbb-1.0.tar.gz")},
    {VERDICT_FIELD_FILE, FILE_PART, T(":action"), T("x")},
    {VERDICT_FIELD_NAME, FILE_PART, T("content[]"), T("bbb-1.0.tar.gz")},
    {VERDICT_FIELD_DUPLICATE, FILE_PART, T("content"), T("bbb-1.0.tar.gz")},
    {VERDICT_ALLOWED, FILE_PART, T("gpg_signature"), T("aaa-1.0.tar.gz.asc")},
    {VERDICT_SIGNATURE_NAME, FILE_PART, T("gpg_signature"), T("bbb-1.0.tar.gz.asc")},
    {VERDICT_SIGNATURE_NAME, FILE_PART, T("gpg_signature"), T("aaa-1.0.tar.gz")},
    {VERDICT_SIGNATURE_NAME, FILE_PART, T("gpg_signature"), T("")},
    {VERDICT_ALLOWED, TEXT, T("gpg_signature"), T("aaa-1.0.tar.gz.asc")},
    /* twice: C43-C46 */
    {VERDICT_FIELD_DUPLICATE, AFTER, T("name"), T("bbb")},
    {VERDICT_FIELD_DUPLICATE, TEXT, T("name"), T("bbb")},
    {VERDICT_FIELD_DUPLICATE, TEXT, T("name"), T("")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T("name"), T("aaa")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T(":action"), T("doc_upload")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T("version"), T("2.0")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T("filetype"), T("bdist_wheel")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T("protocol_version"), T("1")},
    {VERDICT_FIELD_DUPLICATE, AFTER, T("metadata_version"), T("1.0")},
    {VERDICT_FIELD_FILE, AFTER, T("content"), T("x")},
    /* values: C50, C51, E20-E29, F */
    {VERDICT_ACTION, ACTION, T(""), NONE},
    {VERDICT_ACTION, ACTION, T("remove_pkg"), NONE},
    {VERDICT_ACTION, ACTION, T("doc_upload"), NONE},
    {VERDICT_ACTION, ACTION, T("submit"), NONE},
    {VERDICT_ACTION, ACTION, T("FILE_UPLOAD"), NONE},
    {VERDICT_ACTION, ACTION, T(" file_upload"), NONE},
    {VERDICT_ACTION, ACTION, T("file_upload "), NONE},
    {VERDICT_ACTION, ACTION, T("file_upload\r\n"), NONE},
    {VERDICT_FIELD_VALUE, ACTION, T("file_upload\0"), NONE},
    {VERDICT_NAME_INVALID, NAME, T(""), NONE},
    {VERDICT_NAME_INVALID, NAME, T(" aaa "), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa\n"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa\r"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa\r\nbbb"), NONE},
    {VERDICT_NAME_INVALID, NAME,
     T("\xef\xbb\xbf"
       "aaa"),
     NONE},
    {VERDICT_NAME_INVALID, NAME, T("\xef\xbd\x82\xef\xbd\x82"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa\xe2\x84\xaa"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa!bbb"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("aaa/bbb"), NONE},
    {VERDICT_NAME_INVALID, NAME, T("-aaa"), NONE},
    {VERDICT_FIELD_VALUE, NAME, T("aaa\0bbb"), NONE},
    {VERDICT_FILENAME_PROJECT, NAME, T("bbb"), NONE},
    {VERDICT_FILENAME_PROJECT, NAME, T("a-a-a"), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T(""), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T("v1.0"), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T(" 1.0"), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T("1.0\n"), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T("../bbb/1.0"), NONE},
    {VERDICT_VERSION_INVALID, VERSION, T("dog"), NONE},
    {VERDICT_FIELD_VALUE, VERSION, T("1.0\0"), NONE},
    {VERDICT_FILENAME_VERSION, VERSION, T("2.0"), NONE},
    {VERDICT_ALLOWED, VERSION, T("1.0.0"), NONE},
    {VERDICT_ALLOWED, FILETYPE, T("bdist_wheel"), NONE}, /* recorded clients do that */
    {VERDICT_FILETYPE, FILETYPE, T("bdist_egg"), NONE},
    {VERDICT_FILETYPE, FILETYPE, T("SDIST"), NONE},
    {VERDICT_ALLOWED, TEXT, T("md5_digest"), T("1B2M2Y8AsgTpgAmY7PhCfg==")},
    {VERDICT_ALLOWED, TEXT, T("sha256_digest"), T("00")},
    {VERDICT_FIELD_VALUE, TEXT, T("sha256_digest"), T("not a digest")},
    {VERDICT_FIELD_VALUE, TEXT, T("md5_digest"), T("<script>")},
    {VERDICT_FIELD_VALUE, TEXT, T("blake2_256_digest"), T("00\r\n")},
    {VERDICT_FIELD_VALUE, TEXT, T("requires_python"), T(">=3.8\0")},
    /* left out: F20-F23 */
    {VERDICT_FIELD_MISSING, DROP, T(":action"), NONE},
    {VERDICT_FIELD_MISSING, DROP, T("name"), NONE},
    {VERDICT_FIELD_MISSING, DROP, T("version"), NONE},
    {VERDICT_FIELD_MISSING, DROP, T("content"), NONE},
    {VERDICT_ALLOWED, DROP, T("filetype"), NONE},
    {VERDICT_ALLOWED, DROP, T("protocol_version"), NONE},
};

static void upload_part(kit_buf_t *b, slice_t head, slice_t value)
{
    kit_str(b, D "\r\n");
    kit_add(b, head);
    kit_str(b, "\r\n\r\n");
    kit_add(b, value);
    kit_str(b, "\r\n");
}

/* A text field, or a file when filename is not NULL. */
static void upload_field(kit_buf_t *b, slice_t name, const slice_t *filename, slice_t value)
{
    kit_buf_t head = {NULL, 0, 0};

    kit_str(&head, CD "\"");
    kit_add(&head, name);
    kit_str(&head, "\"");
    if (filename) {
        kit_str(&head, "; filename=\"");
        kit_add(&head, *filename);
        kit_str(&head, "\"");
    }
    upload_part(b, kit_slice(&head), value);
    free(head.p);
}

/* One of the ordinary fields, unless the row leaves it out or gives it another value. */
static void upload_usual(kit_buf_t *b, const row_t *row, const char *name, change_t change,
                         const char *value)
{
    int other = row->change == change || (row->change == BOTH && change == NAME) ||
                (row->change == BOTH_VERSION && change == VERSION);

    if (row->change != DROP || !slice_is(row->a, name)) {
        upload_field(b, slice_of(name), NULL, other ? row->a : slice_of(value));
    }
}

static void upload_smuggle(kit_buf_t *b, const row_t *row)
{
    kit_add(b, row->a);
    kit_str(b, D);
    kit_add(b, row->b);
    kit_str(b, row->change == INSIDE ? CD "\"name\"\r\n\r\nbbb"
                                     : CD "\"content\"; filename=\"bbb-1.0.tar.gz\"\r\n\r\nEVIL");
}

static void upload_content(kit_buf_t *b, const row_t *row)
{
    slice_t file = slice_of("aaa-1.0.tar.gz");
    kit_buf_t data = {NULL, 0, 0};

    if (row->change == DROP && slice_is(row->a, "content")) {
        return;
    }
    kit_add(&data, row->change == CONTENT ? row->a : KIT_S("FILE\r\nof \0\xff"));
    if (row->change == IN_FILE) {
        upload_smuggle(&data, row);
    }
    file = row->change == FILENAME                              ? row->a
           : row->change == BOTH || row->change == BOTH_VERSION ? row->b
                                                                : file;
    if (row->change == CONTENT_HEAD) {
        upload_part(b, row->a, kit_slice(&data));
    } else {
        upload_field(b, slice_of("content"), &file, kit_slice(&data));
    }
    free(data.p);
}

static void upload_body(kit_buf_t *b, const row_t *row)
{
    kit_buf_t evil = {NULL, 0, 0};

    b->n = 0;
    if (row->change == HEADER) {
        upload_part(b, row->a, row->b);
    } else if (row->change == TEXT) {
        upload_field(b, row->a, NULL, row->b);
    } else if (row->change == INSIDE) {
        kit_str(&evil, "x");
        upload_smuggle(&evil, row);
        upload_field(b, slice_of("description"), NULL, kit_slice(&evil));
    }
    upload_usual(b, row, ":action", ACTION, "file_upload");
    upload_usual(b, row, "protocol_version", FIXED, "1");
    upload_usual(b, row, "name", NAME, "aaa");
    upload_usual(b, row, "version", VERSION, "1.0");
    upload_usual(b, row, "filetype", FILETYPE, "sdist");
    upload_usual(b, row, "metadata_version", FIXED, "2.1");
    upload_content(b, row);
    if (row->change == AFTER) {
        upload_field(b, row->a, NULL, row->b);
    } else if (row->change == FILE_PART) {
        upload_field(b, row->a, &row->b, slice_of("FILE"));
    }
    kit_str(b, D "--\r\n");
    free(evil.p);
}

static void upload_table(apr_pool_t *parent)
{
    kit_buf_t b = {NULL, 0, 0};
    apr_pool_t *pool;
    apr_size_t i;

    apr_pool_create(&pool, parent);
    for (i = 0; i < sizeof(upload_rows) / sizeof(*upload_rows); i++) {
        const row_t *row = &upload_rows[i];
        const upload_t *u;
        verdict_code_t code;
        long at;

        upload_body(&b, row);
        u = kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool);
        code = upload_verdict(u)->code;
        tap_ok(code == row->code && !upload_form(u) == (code != VERDICT_ALLOWED),
               "%d, %d %s: %s, not %s", (int)i, row->change, slice_printable(row->a, 40, pool),
               verdict_word(row->code),
               code == row->code ? "otherwise" : verdict_logline(upload_verdict(u), pool));
        at = kit_differs(slice_of(B), kit_slice(&b), 0, 1, pool);
        tap_ok(at < 0, "  the same in pieces (%ld)", at);
        apr_pool_clear(pool);
    }
    free(b.p);
    apr_pool_destroy(pool);
}

static void upload_fields(apr_pool_t *pool)
{
    static const row_t row = {VERDICT_ALLOWED, NOTHING, NONE, NONE};
    static const slice_t asc = SLICE("aaa-1.0.tar.gz.asc");
    kit_buf_t b = {NULL, 0, 0}, end = {NULL, 0, 0};
    const upload_form_t *f;

    upload_body(&b, &row);
    b.n -= strlen(D "--\r\n");
    upload_field(&b, slice_of("gpg_signature"), &asc, slice_of("SIGNATURE"));
    upload_field(&b, slice_of("md5_digest"), NULL, slice_of("d41d8cd98f00b204e9800998ecf8427e"));
    upload_field(&b, slice_of("sha256_digest"), NULL, slice_of("abCD"));
    upload_field(&b, slice_of("blake2_256_digest"), NULL, slice_of("01"));
    upload_field(&b, slice_of("requires_python"), NULL, slice_of(">=3.8, <4"));
    upload_field(&b, slice_of("pyversion"), NULL, slice_of("source"));
    kit_str(&b, D "--");
    f = upload_form(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool));
    if (!tap_ok(f != NULL, "all fields")) {
        return;
    }
    tap_ok(strcmp(f->name, "aaa") == 0 && strcmp(f->project, "aaa") == 0 &&
               strcmp(f->version, "1.0") == 0 && strcmp(f->filename, "aaa-1.0.tar.gz") == 0 &&
               f->file.kind == PROJECT_SDIST && slice_is(f->file.name, "aaa") &&
               strcmp(f->filetype, "sdist") == 0,
           "name, version, file");
    tap_ok(strcmp(f->md5, "d41d8cd98f00b204e9800998ecf8427e") == 0 &&
               strcmp(f->sha256, "abCD") == 0 && strcmp(f->blake2, "01") == 0,
           "digests as sent");
    tap_ok(strcmp(f->requires_python, ">=3.8, <4") == 0 && strcmp(f->pyversion, "source") == 0 &&
               strcmp(f->metadata_version, "2.1") == 0,
           "metadata");
    tap_ok(f->content_length == 11 && memcmp(b.p + f->content_offset, "FILE\r\nof \0\xff", 11) == 0,
           "%d bytes of content at %d", (int)f->content_length, (int)f->content_offset);
    tap_ok(f->signature_length == 9 && memcmp(b.p + f->signature_offset, "SIGNATURE", 9) == 0,
           "the signature");
    upload_body(&end, &row);
    f = upload_form(kit_upload(slice_of(B), kit_slice(&end), 0, kit_whole, pool));
    tap_ok(f && f->signature_length == -1 && !*f->md5 && !*f->sha256 && !*f->blake2 &&
               !*f->requires_python && !*f->pyversion,
           "what is absent is empty");
    end.n -= strlen(D "--\r\n");
    upload_field(&end, slice_of("gpg_signature"), &asc, slice_of(""));
    kit_str(&end, D "--");
    tap_ok(upload_verdict(kit_upload(slice_of(B), kit_slice(&end), 0, kit_whole, pool))->code ==
               VERDICT_FIELD_VALUE,
           "formidable gave a form up for its empty signature");
    free(b.p);
    free(end.p);
}

/* The parts in another order, and pairs of signatures. */
static void upload_orders(apr_pool_t *pool)
{
    static const slice_t file = SLICE("aaa-1.0.tar.gz"), asc = SLICE("aaa-1.0.tar.gz.asc");
    kit_buf_t b = {NULL, 0, 0};
    verdict_code_t code;
    int i;

    upload_field(&b, slice_of("content"), &file, slice_of("x"));
    upload_field(&b, slice_of("version"), NULL, slice_of("1.0"));
    upload_field(&b, slice_of(":action"), NULL, slice_of("file_upload"));
    upload_field(&b, slice_of("name"), NULL, slice_of("aaa"));
    kit_str(&b, D "--\r\n");
    code = upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool))->code;
    tap_ok(code == VERDICT_ALLOWED, "content first: %s", verdict_word(code));
    for (i = 0; i < 4; i++) {
        b.n -= strlen(D "--\r\n");
        if (i == 0) { /* pdm's two texts */
            upload_field(&b, slice_of("gpg_signature"), NULL, asc);
            upload_field(&b, slice_of("gpg_signature"), NULL, slice_of("SIG"));
        } else { /* never mixed, never two files */
            b.n = 0;
            upload_field(&b, slice_of("content"), &file, slice_of("x"));
            upload_field(&b, slice_of("gpg_signature"), i == 1 ? NULL : &asc, slice_of("SIG"));
            upload_field(&b, slice_of("gpg_signature"), i == 2 ? NULL : &asc, slice_of("SIG"));
        }
        kit_str(&b, D "--\r\n");
        code = upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool))->code;
        tap_ok(code == (i == 0 ? VERDICT_ALLOWED : VERDICT_FIELD_DUPLICATE),
               "signatures, pair %d: %s", i, verdict_word(code));
    }
    free(b.p);
}

/* The most that a field may hold, and one byte more. */
static void upload_sizes(apr_pool_t *parent)
{
    static const struct {
        const char *name;
        apr_size_t most;
    } rows[] = {{"summary", UPLOAD_TEXT_MAX},
                {"attestations", UPLOAD_TEXT_MAX},
                {"classifiers", UPLOAD_TEXT_MAX},
                {"gpg_signature", UPLOAD_TEXT_MAX},
                {"requires_python", 1024},
                {"pyversion", 256},
                {"description", UPLOAD_DESCRIPTION_MAX}};
    static const row_t usual = {VERDICT_ALLOWED, NOTHING, NONE, NONE};
    kit_buf_t b = {NULL, 0, 0}, value = {NULL, 0, 0};
    apr_pool_t *pool;
    apr_size_t i, more;

    apr_pool_create(&pool, parent);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (more = 0; more < 2; more++) {
            verdict_code_t code, pieces;

            value.n = 0;
            kit_fill(&value, 'x', rows[i].most + more);
            upload_body(&b, &usual);
            b.n -= strlen(D "--\r\n");
            upload_field(&b, slice_of(rows[i].name), NULL, kit_slice(&value));
            kit_str(&b, D "--\r\n");
            code = upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool))->code;
            pieces = upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_random(5), pool))
                         ->code;
            tap_ok(code == (more ? VERDICT_FIELD_SIZE : VERDICT_ALLOWED) && code == pieces,
                   "%s, %d bytes: %s", rows[i].name, (int)(rows[i].most + more),
                   verdict_word(code));
            apr_pool_clear(pool);
        }
    }
    free(b.p);
    free(value.p);
    apr_pool_destroy(pool);
}

/* A field too long, and a false delimiter after it: what comes first is what is said, even when
 * both are in one piece. */
static void upload_first_wrong(apr_pool_t *pool)
{
    static const row_t usual = {VERDICT_ALLOWED, NOTHING, NONE, NONE};
    kit_buf_t b = {NULL, 0, 0}, value = {NULL, 0, 0};
    apr_size_t more;

    for (more = 0; more < 4; more++) {
        verdict_code_t code;
        long at;

        value.n = 0;
        kit_fill(&value, 'x', 256 + more);
        kit_str(&value, more % 2 ? "\n" D : D);
        upload_body(&b, &usual);
        b.n -= strlen(D "--\r\n");
        upload_field(&b, slice_of("pyversion"), NULL, kit_slice(&value));
        kit_str(&b, D "--\r\n");
        code = upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool))->code;
        at = kit_differs(slice_of(B), kit_slice(&b), 0, 1, pool);
        tap_ok(code == VERDICT_FORM_DELIMITER || code == VERDICT_FIELD_SIZE, "%d bytes: %s",
               (int)value.n, verdict_word(code));
        tap_ok(at < 0, "  the same in pieces (%ld)", at);
    }
    free(b.p);
    free(value.p);
}

/* How a sentence names what is wrong. */
static void upload_sentences(apr_pool_t *pool)
{
    static const struct {
        row_t row;
        const char *has;
    } rows[] = {
        {{VERDICT_FIELD_NAME, TEXT, T("Na\"e"), NONE}, "Content-Disposition"},
        {{VERDICT_FIELD_NAME, TEXT, T("Name"), NONE}, "'Name'"},
        {{VERDICT_FIELD_DUPLICATE, AFTER, T("version"), T("1")}, "'version'"},
        {{VERDICT_NAME_INVALID, NAME, T("a b"), NONE}, "'a b'"},
        {{VERDICT_VERSION_INVALID, VERSION, T("v1.0"), NONE}, "'v1.0'"},
        {{VERDICT_FILENAME_INVALID, FILENAME, T("x.exe"), NONE}, "'x.exe'"},
        {{VERDICT_FILENAME_PROJECT, FILENAME, T("b-1.0.zip"), NONE}, "'b-1.0.zip'"},
        {{VERDICT_FIELD_MISSING, DROP, T("version"), NONE}, "'version'"},
        {{VERDICT_SIGNATURE_NAME, FILE_PART, T("gpg_signature"), T("x")}, "'aaa-1.0.tar.gz.asc'"},
        {{VERDICT_FIELD_VALUE, NAME, T("a\0b"), NONE}, "'name'"},
        {{VERDICT_PART_HEADER, HEADER, T("X: y"), NONE}, "must come first"},
    };
    kit_buf_t b = {NULL, 0, 0};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *said;

        upload_body(&b, &rows[i].row);
        said = verdict_sentence(
            upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool)), pool);
        tap_ok(strstr(said, rows[i].has) != NULL, "\"%s\"", said);
    }
    free(b.p);
}

static void upload_legacy(apr_pool_t *pool)
{
    static const row_t row = {VERDICT_ALLOWED, BOTH, T("aaa-bbb"), T("aaa-bbb-1.0.tar.gz")};
    kit_buf_t b = {NULL, 0, 0};

    upload_body(&b, &row);
    tap_ok(upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 0, kit_whole, pool))->code ==
               VERDICT_FILENAME_INVALID,
           "a dash in the name of an sdist is refused");
    tap_ok(upload_verdict(kit_upload(slice_of(B), kit_slice(&b), 1, kit_whole, pool))->code ==
               VERDICT_ALLOWED,
           "and taken under PyPITokenLegacyNames");
    free(b.p);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    upload_table(pool);
    upload_fields(pool);
    upload_orders(pool);
    upload_sizes(pool);
    upload_first_wrong(pool);
    upload_sentences(pool);
    upload_legacy(pool);
    apr_terminate();
    return tap_done();
}
