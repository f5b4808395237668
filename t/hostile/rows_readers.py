"""R: what the differential test found that some reader takes otherwise (t/diff); none of it was refused before."""
from form import CD, CONTENT, FILE, NAME, body, fields, file_head, form, join, part, raw, splice

LOWER = "content-disposition: form-data; name="


def cases():
    name = part("name", "aaa")
    rows = [
        ("R01", "python-multipart writes this value into the name, the field before", "part-header",
         splice(NAME, [name, raw(LOWER + '"description"', b"bbb")])),
        ("R02", "the same, and the action becomes another", "part-header",
         join([fields()[0], raw(LOWER + '"description"', b"remove_pkg")] + fields()[1:])),
        ("R03", "the same, and the name of the file becomes a name of nothing", "part-header",
         splice(CONTENT, [raw(LOWER + '"content"; filename="aaa-1.0.tar.gz"', FILE)])),
        ("R04", "CGI.pm knows no header of this spelling", "part-header",
         splice(NAME, [raw('CONTENT-DISPOSITION: form-data; name="name"', b"aaa")])),
        ("R05", "Content-disposition", "part-header", splice(NAME, [raw('Content-disposition: form-data; name="name"', b"aaa")])),
        ("R06", "formidable takes a field of a type for a file", "part-type", splice(NAME, [part("name", "aaa", ctype="text/plain")])),
        ("R07", "the same with a charset", "part-type", splice(NAME, [part("name", "aaa", ctype="text/plain; charset=utf-8")])),
        ("R08", "the same on a field of no meaning", "part-type", body(before=[part("summary", "x", ctype="text/plain")])),
        ("R09", "cgi.FieldStorage reads such a file to the end of the body", "part-type",
         splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "application/x-www-form-urlencoded")])),
        ("R10", "the same, and name and action stand behind it", "part-type",
         join([part("content", "name=bbb", "aaa-1.0.tar.gz", "Application/X-WWW-Form-Urlencoded")] + fields()[:CONTENT])),
        ("R11", "the same as a signature", "part-type",
         body(before=[part("gpg_signature", "x", "aaa-1.0.tar.gz.asc", "application/x-www-form-urlencoded")])),
        ("R12", "content-type in lower case", "part-header",
         file_head('filename="aaa-1.0.tar.gz"\r\ncontent-type: application/octet-stream')),
        ("R13", "formidable gives a form up for an empty file", "field-value", body(extra=[part("gpg_signature", "", "aaa-1.0.tar.gz.asc")])),
    ]
    for cid, what, verdict, data in rows:
        yield form(cid, "R", what, verdict, data)
    yield form("R14", "R", "CGI.pm takes the boundary 0 for none", "boundary", join(fields(), "0"), "multipart/form-data; boundary=0")
    yield form("R15", "R", "CGI.pm wants a blank before filename=, distutils of Python 2.7 sends none", "allowed",
               splice(CONTENT, [raw(CD + 'name="content";filename="aaa-1.0.tar.gz"', FILE)]))
    yield form("R16", "R", "formidable takes a file of no type for a field, flit and uv send none", "allowed",
               splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz")]))
