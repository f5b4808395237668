"""clients.py - the upload clients of Debian and pip, each in a home of its own and without a network
but ours. Every function returns the finished process with stdout and stderr in one text."""

import os
import shutil
import subprocess
import time

PYTHON = "/usr/bin/python3"
LIMIT = 90

PYPIRC = """\
[distutils]
index-servers = x
[x]
repository = %s
username = %s
password = %s
"""

SETUP = """\
from distutils.core import setup
setup(name=%r, version=%r, %s, author="A. Person", author_email="a@example.org",
      url="https://example.org/", description="A tiny package")
"""

FLIT = """\
[build-system]
requires = ["flit_core >=3.2,<4"]
build-backend = "flit_core.buildapi"
[project]
name = "%s"
version = "%s"
description = "A tiny package"
authors = [{name = "A. Person", email = "a@example.org"}]
[tool.flit.module]
name = "%s"
"""

POETRY = """\
[tool.poetry]
name = "%s"
version = "%s"
description = "A tiny package"
authors = ["A. Person <a@example.org>"]
packages = [{include = "%s"}]
[tool.poetry.dependencies]
python = "^3.8"
[build-system]
requires = ["poetry-core>=1.0.0"]
build-backend = "poetry.core.masonry.api"
"""


class Done:
    def __init__(self, code, text, seconds):
        self.code, self.text, self.seconds = code, text, seconds

    @property
    def flat(self):
        """One line: clients break lines where they like."""
        return " ".join(self.text.split())

    def __repr__(self):
        return "exit %s after %.1f s: %s" % (self.code, self.seconds, self.text[-1500:])


def run(home, argv, cwd=None, typed=b"", **env):
    os.makedirs(home, exist_ok=True)
    full = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LC_ALL": "C.UTF-8", "COLUMNS": "1000",
            "TMPDIR": home, "NO_COLOR": "1", "no_proxy": "*", "PIP_CONFIG_FILE": "/dev/null",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "SOURCE_DATE_EPOCH": "1600000000", **env}
    start, limit = time.monotonic(), int(full.pop("LIMIT", LIMIT))
    try:
        done = subprocess.run(argv, cwd=cwd or home, env=full, input=typed, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit, check=False)
        code, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, out = "timeout", late.stdout or b""
    return Done(code, out.decode("utf-8", "replace"), time.monotonic() - start)


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def module(name):
    return name.replace("-", "_").replace(".", "_").lower()


def source(home, name, data):
    """What is to be packed: a module; or, with a file of data (a path), a package that holds it. The name of
    what is there."""
    top = module(name)
    if not data:
        write(os.path.join(home, top + ".py"), '"""A tiny package"""\n')
        return top + ".py"
    os.makedirs(os.path.join(home, top))
    write(os.path.join(home, top, "__init__.py"), '"""A big package"""\n')
    os.link(data, os.path.join(home, top, "data.bin"))
    return top


def saved(home, package):
    """The path of a Dist, or of a file that is there already."""
    return package.path if hasattr(package, "path") else package.save(home)


def twine(home, url, user, package, *options, **env):
    path = saved(fresh(home), package)
    return run(home, ["twine", "upload", "--non-interactive", "--disable-progress-bar", "--repository-url", url,
                      *options, path], TWINE_USERNAME=user[0], TWINE_PASSWORD=user[1], **env)


def curl(home, url, user, package, *options, **env):
    path = saved(fresh(home), package)
    write(os.path.join(home, "netrc"), 'user = "%s:%s"\n' % user, 0o600)
    argv = ["curl", "-sS", "-K", os.path.join(home, "netrc"), "-w", "\nstatus=%{http_code}\n", *options]
    for name, value in (("action", "file_upload"), ("protocol_version", "1"), ("name", package.name),
                        ("version", package.version), ("filetype", package.filetype),
                        ("pyversion", package.pyversion), ("metadata_version", "2.1"),
                        ("sha256_digest", package.sha256)):
        argv += ["-F", (":" if name == "action" else "") + "%s=%s" % (name, value)]
    done = run(home, argv + ["-F", "content=@" + path, url], **env)
    # curl -f would hide the body with the sentence: the exit code follows from the status
    if done.code == 0 and "status=200" not in done.text:
        done.code = 22
    return done


def flit(home, url, user, name, version, form="wheel", data=None, **env):
    fresh(home)
    write(os.path.join(home, "pyproject.toml"), FLIT % (name, version, module(name)))
    source(home, name, data)
    return run(home, ["flit", "publish", "--format", form], FLIT_INDEX_URL=url, FLIT_USERNAME=user[0],
               FLIT_PASSWORD=user[1], **env)


def poetry(home, url, user, name, version, form="wheel", data=None, **env):
    fresh(home)
    write(os.path.join(home, "pyproject.toml"), POETRY % (name, version, source(home, name, data)))
    env = {"POETRY_VIRTUALENVS_CREATE": "false", "POETRY_REPOSITORIES_FOO_URL": url,
           "POETRY_HTTP_BASIC_FOO_USERNAME": user[0], "POETRY_HTTP_BASIC_FOO_PASSWORD": user[1],
           "POETRY_CACHE_DIR": os.path.join(home, "cache"), **env}
    built = run(home, ["poetry", "build", "-n", "-f", form], **env)
    return built if built.code != 0 else run(home, ["poetry", "publish", "-n", "-r", "foo"], **env)


def distutils(home, url, user, name, version, form="sdist", data=None, **env):
    fresh(home)
    write(os.path.join(home, ".pypirc"), PYPIRC % (url, *user), 0o600)
    top = source(home, name, data)
    what = "packages=[%r], package_data={%r: ['data.bin']}" % (top, top) if data else "py_modules=[%r]" % top[:-3]
    write(os.path.join(home, "setup.py"), SETUP % (name, version, what))
    return run(home, [PYTHON, "setup.py", form, "upload", "-r", "x"], SETUPTOOLS_USE_DISTUTILS="stdlib", **env)


def pip(home, *argv, **env):
    return run(home, [PYTHON, "-m", "pip", *argv, "--disable-pip-version-check", "--no-cache-dir",
                      "--root-user-action=ignore"] if argv[0] == "install" else
               [PYTHON, "-m", "pip", *argv, "--disable-pip-version-check", "--no-cache-dir"], **env)
