#!/usr/bin/python3
"""The corpus of hostile uploads: every case a request and the verdict it must get.

A token for the project "aaa" sends each of these; "bbb" is the project that it must not reach.
By class; the letters and numbers are those of two catalogues that the grammar was made from (their ids
stand in the file ids, which hostile.t holds against this):
A request type and boundary, B delimiters, C part headers, names and values, D query, E what a file is
called, F other actions, H the HTTP layer, P paths, R readers that were found to differ, U letters,
boundaries and limits, Z resources.

    corpus.py            a table of the cases
    corpus.py --write D  every case as one file D/<id>.bin

cases() gives Case objects (form.py): head lines and body are separate, so that a test can put its own
Authorization into them, send the body chunked, or feed it to a parser; throw.py sends them.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rows_beyond  # noqa: E402
import rows_file  # noqa: E402
import rows_framing  # noqa: E402
import rows_http  # noqa: E402
import rows_part  # noqa: E402
import rows_readers  # noqa: E402
import rows_size  # noqa: E402
import rows_type  # noqa: E402
import rows_value  # noqa: E402
from form import BASE, FILE, TYPE, Case  # noqa: E402,F401 - for those who use the corpus

CLASSES = {
    "A": "Content-Type and boundary", "B": "delimiters, shape of the body", "C": "part headers, field names and values",
    "D": "query strings", "E": "file names and versions", "F": "other actions, missing fields", "H": "the HTTP layer", "P": "paths",
    "R": "found by the differential test", "U": "letters, boundaries, limits", "Z": "resources",
}


def cases():
    """All cases, ids unique."""
    seen = set()
    for rows in (rows_type, rows_framing, rows_part, rows_value, rows_file, rows_readers, rows_beyond, rows_size, rows_http):
        for case in rows.cases():
            assert case.id not in seen, case.id
            seen.add(case.id)
            yield case


def main(argv):
    everything = list(cases())
    if argv[:1] == ["--write"]:
        os.makedirs(argv[1], exist_ok=True)
        for c in everything:
            head = "".join("%s: %s\r\n" % h for h in c.headers)
            with open(os.path.join(argv[1], c.id + ".bin"), "wb") as f:
                f.write(head.encode("latin-1") + b"\r\n" + c.body)
        return 0
    for c in everything:
        print("%-6s %-22s %8d  %s" % (c.id, c.verdict, len(c.body), c.what))
    print("%d cases" % len(everything))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
