"""The integration harness: a real httpd, a real client, TAP. See t/README."""

import os

SRCDIR = os.path.abspath(os.environ.get("srcdir", "."))
BUILDDIR = os.path.abspath(os.environ.get("builddir", "."))
