#!/usr/bin/python3
"""wsgi.py NAME - one of the Python readers of forms: cgi, bottle, webob, werkzeug, django, multipart.

A record on standard input is three 32-bit numbers, highest byte first (flags, length of the
Content-Type, length of the body), then the two. For each one line of JSON on standard output: what an
application that reads the form in the plain way is given. The first line is the reader's version.
"""
import hashlib
import io
import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def answer(name, version, action, filename, data, fields):
    return {"name": name, "version": version, "action": action, "filename": filename,
            "sha256": None if data is None else hashlib.sha256(data).hexdigest(),
            "fields": sorted(set(fields))}


def environ(ctype, body):
    return {"REQUEST_METHOD": "POST", "CONTENT_TYPE": ctype, "CONTENT_LENGTH": str(len(body)), "QUERY_STRING": "",
            "PATH_INFO": "/", "SCRIPT_NAME": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
            "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr}


def reader_cgi():
    import cgi

    def read(ctype, body):
        form = cgi.FieldStorage(io.BytesIO(body), environ=environ(ctype, body), keep_blank_values=True)
        content = form["content"] if "content" in form else None
        alone = content is not None and not isinstance(content, list)
        return answer(form.getvalue("name"), form.getvalue("version"), form.getvalue(":action"),
                      content.filename if alone else None, content.file.read() if alone and content.file else None,
                      form.keys())
    return read, "%s of Python %s" % (cgi.__version__, sys.version.split()[0])


def reader_bottle():
    import bottle

    def read(ctype, body):
        request = bottle.BaseRequest(environ(ctype, body))
        content = request.files.get("content")
        return answer(request.forms.get("name"), request.forms.get("version"), request.forms.get(":action"),
                      content and content.raw_filename, content.file.read() if content else None, request.POST.keys())
    return read, bottle.__version__


def reader_webob():
    import webob
    from importlib.metadata import version

    def read(ctype, body):
        post = webob.Request(environ(ctype, body)).POST
        content = post.get("content")
        file = content if hasattr(content, "filename") else None
        return answer(post.get("name"), post.get("version"), post.get(":action"), file is not None and file.filename,
                      file.file.read() if file is not None else None, post.keys())
    return read, version("WebOb")


def reader_werkzeug():
    import werkzeug

    def read(ctype, body):
        request = werkzeug.Request(environ(ctype, body))
        content = request.files.get("content")
        return answer(request.form.get("name"), request.form.get("version"), request.form.get(":action"),
                      content and content.filename, content.read() if content else None,
                      list(request.form) + list(request.files))
    return read, werkzeug.__version__


def reader_django():
    import django
    from django.conf import settings
    settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], DEBUG=False)
    django.setup()
    from django.core.handlers.wsgi import WSGIRequest

    def read(ctype, body):
        request = WSGIRequest(environ(ctype, body))
        content = request.FILES.get("content")
        return answer(request.POST.get("name"), request.POST.get("version"), request.POST.get(":action"),
                      content and content.name, content.read() if content else None,
                      list(request.POST) + list(request.FILES))
    return read, django.get_version()


def reader_multipart():
    import multipart

    def read(ctype, body):
        fields, files, opened = {}, {}, []

        def on_file(f):
            f.file_object.seek(0)
            files[f.field_name.decode()] = f.file_name.decode("latin-1"), f.file_object.read()
            opened.append(f)
        multipart.parse_form({"Content-Type": ctype.encode("latin-1"), "Content-Length": str(len(body)).encode()},
                             io.BytesIO(body),
                             lambda f: fields.__setitem__(f.field_name.decode(), (f.value or b"").decode("latin-1")),
                             on_file)
        for f in opened:
            f.close()
        name, data = files.get("content", (None, None))
        return answer(fields.get("name"), fields.get("version"), fields.get(":action"), name, data,
                      list(fields) + list(files))
    return read, multipart.__version__


def records(stream):
    while True:
        head = stream.read(12)
        if len(head) < 12:
            return
        n = [int.from_bytes(head[i:i + 4], "big") for i in (4, 8)]
        ctype = stream.read(n[0]).decode("latin-1")
        yield ctype, stream.read(n[1])


def main(name):
    read, version = globals()["reader_" + name]()
    print(json.dumps({"reader": version}), flush=True)
    for ctype, body in records(sys.stdin.buffer):
        try:
            said = read(ctype, body)
        except Exception as why:  # what it makes of the form is that it refuses it
            said = {"error": "%s: %s" % (type(why).__name__, why)}
        print(json.dumps(said, default=repr), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
