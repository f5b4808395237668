#!/usr/bin/python3
"""lint.t - each rule of the project's checker can fail, and the tree passes them all."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
top = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(top, "t/lib"))

from pypt import tap  # noqa: E402

HEAD = "/* x.c - a file. */\n"
LINT = os.path.join(top, "t/lint.py")
CASES = [
    ("core includes store", "core/x.c", HEAD + '#include "store/store.h"\n', "may not include"),
    ("core includes httpd's header", "core/x.c", HEAD + "#include <httpd.h>\n", "below httpd/"),
    ("core calls httpd", "core/x.c", HEAD + "int x_f(void)\n{\n    return ap_rputs(0);\n}\n", "below httpd/"),
    ("store uses the form", "store/x.c", HEAD + '#include "core/upload.h"\n', "may not use"),
    ("access includes httpd", "access/x.c", HEAD + '#include "httpd/guard.h"\n', "may not include"),
    ("ctl includes httpd", "ctl/x.c", HEAD + '#include "httpd/guard.h"\n', "may not include"),
    ("a wrong prefix", "core/x.c", HEAD + "static int y_f(void)\n{\n    return 0;\n}\n", "does not begin"),
    ("a banned function", "core/x.c", HEAD + "int x_f(char *a)\n{\n    return atoi(a);\n}\n", "is banned"),
    ("a long function", "core/x.c", HEAD + "int x_f(void)\n{\n" + "    ;\n" * 90 + "}\n", "lines long"),
    ("a long file", "core/x.c", HEAD + "int a;\n" * 500, "lines ("),
    ("a long line", "core/x.c", HEAD + "int " + "a" * 100 + ";\n", "columns"),
    ("a tab", "core/x.c", HEAD + "\tint a;\n", "a tab"),
    ("no head", "core/x.c", "int a;\n", "no comment at its head"),
    ("a phrase", "core/verdict.h", HEAD + 'X(OTHER, "other", 400, "It already exists.")\n', "holds \""),
    ("a script", "httpd/pages/x.html", "<p><script>1</script></p>\n", "forbidden element"),
    ("an inline style", "httpd/pages/x.html", '<p style="color: red">{{a}}</p>\n', "forbidden attribute"),
    ("an event handler", "httpd/pages/x.html", '<p onclick="x()">{{a}}</p>\n', "forbidden attribute"),
    ("a page elsewhere", "httpd/pages/x.html", '<p title="//elsewhere">\n', "elsewhere"),
    ("a value without quotes", "httpd/pages/x.html", "<p id={{a}}>\n", "outside of quotes"),
    ("a value in a tag", "httpd/pages/x.html", "<p {{a}}>\n", "outside of quotes"),
    ("an address out of a value", "httpd/pages/x.html", '<a href="{{a}}">x</a>\n', "does not begin with"),
    ("a machine's path", "core/x.c", HEAD + "/* /wo" + "rk/main */\n", "holds the word"),
]
ELSEWHERE = [
    ("a test without a head", "t/x.t", 0o755, "#!/usr/bin/python3\nimport os\n", "no head"),
    ("a test that cannot be run", "t/x.t", 0o644, '#!/usr/bin/python3\n"""x.t - a test."""\n', "not executable"),
    ("a unit test without a head", "t/unit/test_x.c", 0o644, "int a;\n", "no head"),
    ("a shell script without a head", "t/x", 0o755, "#!/bin/sh\nset -eu\n", "no head"),
    ("an example without a head", "conf/examples/x.conf", 0o644, "<VirtualHost *:443>\n", "no head"),
    ("an example with another one's", "conf/examples/x.conf", 0o644, "# y.conf - an example.\n", "no head"),
    ("statements without a head", "schema/x.sql", 0o644, "SELECT 1;\n", "no head"),
]
GOOD = [
    ("a file of the right kind", "core/x.c", HEAD + "int x_f(void)\n{\n    return 0;\n}\n"),
    ("a banned name in a comment or string", "core/x.c", HEAD + '/* atoi(a) */\nconst char *x = "atoi(a)";\n'),
    ("a template", "httpd/pages/x.html", '<p{{#a}} class="x"{{/a}} id="{{b}}"><a href="{{root}}x">{{c}}</a></p>\n'),
    ("the family's prefix", "core/a_b.c", HEAD + "int a_f(void)\n{\n    return 0;\n}\n"),
]


def lint(name, text, mode=0o644):
    with tempfile.TemporaryDirectory() as tree:
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        done = subprocess.run([sys.executable, LINT, tree], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def main(t):
    for what, name, text, fault in CASES:
        code, said = lint("mod_pypitoken/" + name, text)
        t.ok(code == 1 and fault in said and len(said.splitlines()) == 1, what + " is found, once", said)
    for what, name, mode, text, fault in ELSEWHERE:
        code, said = lint(name, text, mode)
        t.ok(code == 1 and fault in said and len(said.splitlines()) == 1, what + " is found, once", said)
    for what, name, text in GOOD:
        code, said = lint("mod_pypitoken/" + name, text)
        t.ok(code == 0 and not said, what + " passes", said)
    done = subprocess.run([sys.executable, LINT, top], stdout=subprocess.PIPE, text=True, check=False)
    t.is_(done.returncode, 0, "this tree passes", done.stdout)


tap.run(main)
