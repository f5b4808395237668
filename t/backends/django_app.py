"""django_app.py - an index that decides as Pulp does: a file belongs to the project that the
archive's own metadata names; the form's name and version are not looked at.

As bottle_app.py, from the environment: PYPT_DATA, PYPT_SEEN.
"""

import hashlib
import io
import json
import os
import re
import tarfile
import zipfile
from email.parser import BytesParser

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseNotFound, JsonResponse
from django.urls import path

DATA, SEEN = os.environ["PYPT_DATA"], os.environ["PYPT_SEEN"]

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of a test", MIDDLEWARE=[],
                   LOGGING_CONFIG=None)


def metadata(filename, data):
    """(Name, Version) of the archive; ValueError when it has none."""
    try:
        if filename.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
                text = archive.read(name)
        else:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                name = next(n for n in archive.getnames() if n.count("/") == 1 and n.endswith("/PKG-INFO"))
                text = archive.extractfile(name).read()
    except (StopIteration, OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as why:
        raise ValueError(str(why)) from why
    head = BytesParser().parsebytes(text)
    if not head["Name"] or not head["Version"]:
        raise ValueError("no Name or Version")
    return head["Name"], head["Version"]


def did(request, what, project):
    with open(SEEN, "a") as f:
        f.write(json.dumps({"case": request.headers.get("User-Agent", ""), "did": what, "project": project}) + "\n")


def upload(request):
    if request.method != "POST":
        return HttpResponseBadRequest("POST")
    content = request.FILES.get("content")
    if request.POST.get(":action") != "file_upload" or content is None:
        did(request, "nothing", None)
        return HttpResponseBadRequest("not an upload")
    data = content.read()
    try:
        name, version = metadata(content.name, data)
    except ValueError as why:
        did(request, "unreadable", None)
        return HttpResponseBadRequest("not a distribution: %s" % why)
    project = re.sub(r"[-_.]+", "-", name).lower()
    did(request, "stored", project)
    with open(os.path.join(DATA, "packages", os.path.basename(content.name)), "wb") as f:
        f.write(data)
    row = {"name": name, "version": version, "filename": content.name, "sha256": hashlib.sha256(data).hexdigest(),
           "summary": request.POST.get("summary")}
    os.makedirs(os.path.join(DATA, "meta", project), exist_ok=True)
    with open(os.path.join(DATA, "meta", project, os.path.basename(content.name)), "w") as f:
        json.dump(row, f)
    return HttpResponse("stored")


def listing(request, project=None):
    del request
    if project is None:
        return JsonResponse(sorted(os.listdir(os.path.join(DATA, "meta"))), safe=False)
    rows = {}
    for name in sorted(os.listdir(os.path.join(DATA, "meta", project))):
        with open(os.path.join(DATA, "meta", project, name)) as f:
            rows[name] = json.load(f)
    return JsonResponse(rows)


def file(request, name):
    del request
    try:
        with open(os.path.join(DATA, "packages", name), "rb") as f:
            return HttpResponse(f.read(), content_type="application/octet-stream")
    except OSError:
        return HttpResponseNotFound("no such file")


urlpatterns = [path("", upload), path("list", listing), path("list/<project>", listing), path("file/<name>", file)]
django.setup()
application = get_wsgi_application()
