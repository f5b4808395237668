"""poll.py - waiting for something to become true, without sleeping longer than needed."""

import time

from . import under

LIMIT = 20.0 * under.slower()


def until(what, limit=LIMIT):
    """Calls what() until it gives something true; that, or None when the time is up."""
    end = time.monotonic() + limit
    pause = 0.005
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
