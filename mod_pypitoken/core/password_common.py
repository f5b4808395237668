#!/usr/bin/python3
"""password_common.py - writes password_common.h: which passwords are the commonest.

    /usr/bin/python3 password_common.py > password_common.h

Reads the ranking of leaked passwords in Debian's python3-zxcvbn (EPEL: python3-zxcvbn). Of its first ten
thousand, those that are long enough to be set at all are kept, as the first 40 bits of their BLAKE2b-128:
enough to know one again (one in 300 million others is refused with them), and nobody has to read them.
"""
import hashlib

from zxcvbn.frequency_lists import FREQUENCY_LISTS

LEAST = 8  # PASSWORD_MIN
RANKS = 10000
LINE = 9

HEAD = """\
/* password_common.h - made by password_common.py; change that. %d of the ten thousand commonest
 * passwords, sorted. */
#ifndef PYPITOKEN_PASSWORD_COMMON_H
#define PYPITOKEN_PASSWORD_COMMON_H

#define PASSWORD_COMMON_WIDTH 10
#define PASSWORD_COMMON_COUNT %d

/* clang-format off */
static const char password_common[] ="""

if __name__ == "__main__":
    common = [p for p in FREQUENCY_LISTS["passwords"][:RANKS] if len(p) >= LEAST]
    hashes = sorted({hashlib.blake2b(p.encode(), digest_size=16).hexdigest()[:10] for p in common})
    print(HEAD % (len(common), len(hashes)))
    lines = ["".join(hashes[at:at + LINE]) for at in range(0, len(hashes), LINE)]
    print("\n".join('    "%s"' % line for line in lines) + ";")
    print("/* clang-format on */\n\n#endif")
