"""A: the Content-Type of the request, and what it says of the boundary."""
from form import BASE, BOUNDARY, TYPE, fields, form, join

B = BOUNDARY
TWO = join(fields(), "AAA") + join(fields(name="bbb"), "BBB")
REMOVE = b":action=remove_pkg&name=bbb&version=1.0"
PUSH = b'{"name":"bbb","version":"1.0","targetindex":"root/prod"}'

ROWS = [  # id, what, Content-Type, verdict, body
    ("A01", "two boundaries, good first", "multipart/form-data; boundary=AAA; boundary=BBB", "boundary", TWO),
    ("A02", "two boundaries, evil first", "multipart/form-data; boundary=BBB; boundary=AAA", "boundary", TWO),
    ("A03", "boundary*0 and boundary*1", "multipart/form-data; boundary*0=BOUND; boundary*1=9f3c2a", "boundary", BASE),
    ("A04", "boundary*=", "multipart/form-data; boundary*=utf-8''" + B, "boundary", BASE),
    ("A05", "boundary and boundary*", "multipart/form-data; boundary=AAA; boundary*=utf-8''BBB", "boundary", TWO),
    ("A06", "boundary and boundary*0", "multipart/form-data; boundary=AAA; boundary*0=BBB", "boundary", TWO),
    ("A07", "quoted boundary", 'multipart/form-data; boundary="%s"' % B, "allowed", BASE),
    ("A08", "backslash in a quoted boundary", 'multipart/form-data; boundary="BO\\UND9f3c2a"', "boundary", BASE),
    ("A08b", "the same, two readings", 'multipart/form-data; boundary="BO\\UND"', "boundary",
     join(fields(), "BOUND") + join(fields(name="bbb"), "BO\\UND")),
    ("A09", "single quotes", "multipart/form-data; boundary='%s'" % B, "boundary", BASE),
    ("A10", "blank at the end", "multipart/form-data; boundary=%s " % B, "allowed-http", BASE),
    ("A10b", "blank inside the quotes", 'multipart/form-data; boundary="%s "' % B, "boundary", BASE),
    ("A11", "blanks around =", "multipart/form-data; boundary = " + B, "boundary", BASE),
    ("A12", "comma in the boundary", "multipart/form-data; boundary=%s,x" % B, "boundary", BASE),
    ("A13", "quoted semicolon", 'multipart/form-data; boundary="%s;x"' % B, "boundary", BASE),
    ("A14", "quote without end", 'multipart/form-data; boundary="' + B, "boundary", BASE),
    ("A15", "BOUNDARY=", "multipart/form-data; BOUNDARY=" + B, "boundary", BASE),
    ("A16", "Multipart/Form-Data", "Multipart/Form-Data; boundary=" + B, "content-type", BASE),
    ("A17", "no boundary", "multipart/form-data", "boundary", BASE),
    ("A18", "empty boundary", "multipart/form-data; boundary=", "boundary", BASE),
    ("A18b", "empty quoted boundary", 'multipart/form-data; boundary=""', "boundary", BASE),
    ("A19", "71 characters", "multipart/form-data; boundary=" + "x" * 71, "boundary", join(fields(), "x" * 71)),
    ("A19b", "70 characters", "multipart/form-data; boundary=" + "x" * 70, "allowed", join(fields(), "x" * 70)),
    ("A20", "300 characters", "multipart/form-data; boundary=" + "x" * 300, "boundary", join(fields(), "x" * 300)),
    ("A21", "5200 characters", "multipart/form-data; boundary=" + "x" * 5200, "boundary", join(fields(), "x" * 5200)),
    ("A22", "tab before boundary", "multipart/form-data;\tboundary=" + B, "boundary", BASE),
    ("A23", "no blank before boundary", "multipart/form-data;boundary=" + B, "allowed", BASE),
    ("A23b", "two blanks before boundary", "multipart/form-data;  boundary=" + B, "boundary", BASE),
    ("A24", "no semicolon", "multipart/form-data boundary=" + B, "content-type", BASE),
    ("A24b", "blank before the semicolon", "multipart/form-data ; boundary=" + B, "content-type", BASE),
    ("A25", "multipart/mixed", "multipart/mixed; boundary=" + B, "content-type", BASE),
    ("A26", "multipart/related", "multipart/related; boundary=" + B, "content-type", BASE),
    ("A27", "multipart/form-dataX", "multipart/form-dataX; boundary=" + B, "content-type", BASE),
    ("A28", "urlencoded type, multipart body", "application/x-www-form-urlencoded", "content-type", BASE),
    ("A29", "urlencoded", "application/x-www-form-urlencoded", "content-type", REMOVE),
    ("A29b", "text/plain", "text/plain", "content-type", REMOVE),
    ("A29c", "JSON that devpi takes for a push", "application/json", "content-type", PUSH),
    ("A30", "two types joined, multipart first", TYPE + ", application/x-www-form-urlencoded", "boundary", BASE),
    ("A31", "two types joined, urlencoded first", "application/x-www-form-urlencoded, " + TYPE, "content-type", BASE),
    ("A32", "charset before the boundary", "multipart/form-data; charset=utf-8; boundary=" + B, "boundary", BASE),
    ("A33", "charset utf-16 after it", TYPE + "; charset=utf-16le", "boundary", BASE),
    ("A33b", "charset utf-8 after it", TYPE + "; charset=utf-8", "boundary", BASE),
    ("A34", "xboundary first", "multipart/form-data; xboundary=AAA; boundary=BBB", "boundary", TWO),
    ("A35", "boundary inside a quoted parameter", 'multipart/form-data; x="; boundary=AAA"; boundary=BBB', "boundary", TWO),
    ("A36", "8-bit byte", "multipart/form-data; boundary=BO\xe9UND", "boundary", join(fields(), b"BO\xe9UND")),
    ("A37", "blank inside", "multipart/form-data; boundary=BO UND", "boundary", join(fields(), "BO")),
    ("A38", "percent encoding", "multipart/form-data; boundary=BO%55ND", "boundary", join(fields(), "BO%55ND")),
    ("A39", "empty parameter", "multipart/form-data;; boundary=" + B, "boundary", BASE),
    ("A40", "semicolon at the end", TYPE + ";", "boundary", BASE),
    ("A41", "junk parameter", TYPE + "; foo", "boundary", BASE),
    ("A42", "two blanks before the type", " multipart/form-data; boundary=" + B, "allowed-http", BASE),
    ("A43", "comment", TYPE + " (x)", "boundary", BASE),
    ("A44", "braces", "multipart/form-data; boundary=BO{}UND", "boundary", join(fields(), "BO{}UND")),
    ("A45", "NUL", "multipart/form-data; boundary=BO\0UND", "httpd-400", BASE),
    ("A46", "boundary with a colon", "multipart/form-data; boundary=BO:UND", "boundary", join(fields(), "BO:UND")),
    ("A47", "boundary with a slash", "multipart/form-data; boundary=BO/UND", "boundary", join(fields(), "BO/UND")),
    ("A48", "boundary with a dot", "multipart/form-data; boundary=BO.UND", "boundary", join(fields(), "BO.UND")),
    ("A49", "boundary with a plus", "multipart/form-data; boundary=BO+UND", "boundary", join(fields(), "BO+UND")),
    ("A50", "no Content-Type", None, "content-type", BASE),
    ("A51", "empty Content-Type", "", "content-type", BASE),
    ("A52", "boundary quoted twice", 'multipart/form-data; boundary=""%s""' % B, "boundary", BASE),
    ("A53", "quote at the end alone", 'multipart/form-data; boundary=%s"' % B, "boundary", BASE),
    ("A54", "one quote", 'multipart/form-data; boundary="', "boundary", BASE),
    ("A55", "quoted, then junk", 'multipart/form-data; boundary="%s"x' % B, "boundary", BASE),
    ("A56", "a star for the type", "*/*; boundary=" + B, "content-type", BASE),
    ("A57", "multipart alone", "multipart; boundary=" + B, "content-type", BASE),
    ("A58", "type twice", "multipart/form-data; multipart/form-data; boundary=" + B, "boundary", BASE),
    ("A59", "the body's boundary is the longer one", "multipart/form-data; boundary=BOUND", "form-delimiter", BASE),
    ("A60", "the header's boundary is the longer one", TYPE + "X", "form-start", BASE),
    ("A61", "the boundary in another case", TYPE.replace("BOUND", "bound"), "form-start", BASE),
    ("A62", "encoded word", "multipart/form-data; boundary==?utf-8?Q?%s?=" % B, "boundary", BASE),
]

SURVEY = [
    ("60", "two boundaries", "multipart/form-data; boundary=AAA; boundary=BBB", "boundary", TWO),
    ("61", "backslash in a quoted boundary", 'multipart/form-data; boundary="B\\OUND"', "boundary",
     join(fields(), "BOUND") + join(fields(name="bbb"), "B\\OUND")),
    ("62", "comma", "multipart/form-data; boundary=AAA,BBB", "boundary", join(fields(), "AAA") + join(fields(name="bbb"), "AAA,BBB")),
    ("63", "boundary*=", "multipart/form-data; boundary=AAA; boundary*=us-ascii'en'BBB", "boundary", TWO),
    ("64", "the parameter in upper case", "multipart/form-data; BOUNDARY=BBB; boundary=AAA", "boundary", TWO),
    ("65", "multipart/mixed", "multipart/mixed; boundary=" + B, "content-type", BASE),
    ("66", "urlencoded, removes bbb", "application/x-www-form-urlencoded", "content-type", REMOVE),
    ("67", "no Content-Type, removes bbb", None, "content-type", REMOVE),
    ("68", "text/plain, removes bbb", "text/plain", "content-type", REMOVE),
    ("N9", "JSON: devpi's push", "application/json", "content-type", PUSH),
    ("a4", "two boundaries, evil file under the last", "multipart/form-data; boundary=AAA; boundary=BBB", "boundary",
     join(fields(), "AAA") + join(fields(filename="bbb-1.0.tar.gz"), "BBB")),
    ("a5", "quoted first, bare last", 'multipart/form-data; boundary="AAA"; boundary=BBB', "boundary", TWO),
    ("a6", "blank behind the quoted", 'multipart/form-data; boundary="AAA" ; boundary=BBB', "boundary", TWO),
    ("a7", "xboundary=", "multipart/form-data; xboundary=BBB; boundary=AAA", "boundary", TWO),
    ("a8", 'x="boundary=..."', 'multipart/form-data; x="boundary=BBB"; boundary=AAA', "boundary", TWO),
    ("a9", "boundary =", "multipart/form-data; boundary =BBB; boundary=AAA", "boundary", TWO),
    ("b0", "boundary= with a blank behind", "multipart/form-data; boundary= BBB; boundary=AAA", "boundary", TWO),
    ("b1", "a comma between parameters", "multipart/form-data, boundary=BBB; boundary=AAA", "content-type", TWO),
    ("b3", "charset=utf-16", "multipart/form-data; charset=utf-16; boundary=" + B, "boundary", BASE),
]


def cases():
    for cid, what, ctype, verdict, data in ROWS + SURVEY:
        case = form(cid, "A", what, verdict, data, ctype)
        if verdict == "allowed-http":  # httpd takes white space off the ends of a value
            case.verdict, case.http_only = "allowed", True
        if verdict.startswith("httpd-"):
            case.http_only = True
        yield case
