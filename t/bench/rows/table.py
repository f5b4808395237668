"""table.py - figures of several rounds, ratios within a round, and the lines that they make.

A ratio is taken between two figures of the same round, which were measured one after the other; its median
over the rounds is what counts, with the least and the greatest. Machines have moods: a figure alone says
little, a ratio within a round more.
"""

import statistics


class Result:
    def __init__(self, machine, asked):
        self.machine, self.asked = machine, asked
        self.figures, self.lines, self.seconds, self.series = {}, [], {}, {}
        self.failed = False
        self.headed = False

    def rounds(self, usual):
        return self.asked.rounds or (1 if self.asked.quick else usual)

    def size(self, quick, usual, full=None):
        """How much of something: by --quick, --full or neither."""
        return quick if self.asked.quick else full if self.asked.full and full is not None else usual

    def add(self, row, variant, **figures):
        """What one variant made of one round."""
        for name, value in figures.items():
            self.figures.setdefault(row, {}).setdefault(variant, {}).setdefault(name, []).append(value)

    def values(self, row, variant, name):
        return self.figures[row][variant][name]

    def median(self, row, variant, name):
        return statistics.median(self.values(row, variant, name))

    # ---- lines ----

    def line(self, row, what, values, unit="", target=None, note=""):
        """target: (">=", 0.85) and its like, or None."""
        if not self.headed:
            print("%-13s %-58s %9s  %-19s %-10s %s" % ("row", "what", "median", "(min .. max)", "target", ""))
            self.headed = True
        values = list(values)
        middle = statistics.median(values)
        verdict = ""
        if target:
            met = middle >= target[1] if target[0] == ">=" else middle <= target[1]
            verdict = "met" if met else "MISSED"
        self.lines.append({"row": row, "what": what, "median": middle, "min": min(values), "max": max(values),
                           "unit": unit, "target": "%s %g" % target if target else "", "verdict": verdict,
                           "note": note})
        print("%-13s %-58s %9s  %-19s %-10s %s %s" % (
            row, what, _short(middle) + unit, "(%s .. %s)" % (_short(min(values)), _short(max(values))),
            "%s %g" % target if target else "", verdict, note), flush=True)

    def ratio(self, row, what, a, b, name, target=None, of=None):
        """a's figure over b's, round by round, of this row's figures or of another's."""
        pairs = zip(self.values(of or row, a, name), self.values(of or row, b, name))
        self.line(row, what, [x / y for x, y in pairs], target=target)

    def figure(self, row, what, variant, name, unit, scale=1.0, target=None, of=None):
        self.line(row, what, [v * scale for v in self.values(of or row, variant, name)], unit, target)

    def fail(self, row, why):
        self.failed = True
        print("%-13s FAILED: %s" % (row, why), flush=True)

    def skip(self, row, why):
        print("%-13s not measured: %s" % (row, why), flush=True)

    def raw(self):
        return {"machine": self.machine, "quick": self.asked.quick, "full": self.asked.full, "lines": self.lines,
                "figures": self.figures, "series": self.series, "seconds": self.seconds}


def _short(value):
    if value == 0:
        return "0"
    return "%.0f" % value if abs(value) >= 1000 else "%.3g" % value


def turns(variants, rounds):
    """Each variant once in every round, every round beginning with another one."""
    variants = list(variants)
    for i in range(rounds):
        at = i % len(variants)
        for variant in variants[at:] + variants[:at]:
            yield i, variant
