"""tap.py - the Test Anything Protocol, for prove."""

import os
import re
import signal
import sys
import traceback


class Bail(Exception):
    """The rest of this script makes no sense."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0
        self.finished = False

    def ok(self, good, name, diag=""):
        self.count += 1
        if not good:
            self.failed += 1
        # a '#' would begin a TAP directive
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, str(name).replace("#", "(hash)")),
              flush=True)
        if not good:
            caller = sys._getframe(1)
            while caller.f_code.co_filename == __file__ and caller.f_back:
                caller = caller.f_back
            self.diag("failed at %s:%d" % (os.path.basename(caller.f_code.co_filename), caller.f_lineno))
            if diag != "":
                self.diag(diag)
        return bool(good)

    def is_(self, got, want, name, diag=""):
        return self.ok(got == want, name, "got  %r\nwant %r\n%s" % (got, want, diag))

    def like(self, text, pattern, name, diag=""):
        return self.ok(re.search(pattern, text), name, "text %r\nlacks /%s/\n%s" % (text, pattern, diag))

    def unlike(self, text, pattern, name, diag=""):
        return self.ok(not re.search(pattern, text), name, "text %r\nhas /%s/\n%s" % (text, pattern, diag))

    def has(self, text, part, name, diag=""):
        return self.ok(part in text, name, "text %r\nlacks %r\n%s" % (text, part, diag))

    def skip(self, name, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, why), flush=True)

    def note(self, text):
        for line in str(text).rstrip("\n").split("\n"):
            print("# " + line, flush=True)

    def diag(self, text):
        for line in str(text).rstrip("\n").split("\n"):
            # stderr: prove shows it without being asked
            print("# " + line[:2000], file=sys.stderr, flush=True)

    def skip_all(self, why):
        print("1..0 # SKIP %s" % why, flush=True)
        self.finished = True
        raise SystemExit(0)

    def done_testing(self):
        self.finished = True
        print("1..%d" % self.count, flush=True)

    def status(self):
        return 0 if self.finished and not self.failed else 1


def run(main):
    """Runs main(tap) and exits; an exception is a failed test, never a plan that fits."""
    # Started by a shell in the background it is ignored, and would be in all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tap = Tap()
    try:
        main(tap)
        tap.done_testing()
    except Bail as why:
        print("Bail out! %s" % why, flush=True)
    except SystemExit:
        if not tap.finished:
            raise
    except BaseException:
        tap.ok(False, "the script came to its end", traceback.format_exc())
        tap.done_testing()
    sys.exit(tap.status())
