#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""schedd-time(7) says what schedctl does: every duration and time of its tables is read, its expressions are, and
the table of daylight saving is what comes out.

MANUALS is the folder of the pages, SCHEDCTL the program.
"""
import json
import os
import pathlib
import re
import subprocess
import unittest

ENVIRONMENT = {**os.environ, "TZ": "Europe/Berlin"}


def section(title):
    """The lines of a section without the roff of quotes and dashes."""
    text = pathlib.Path(os.environ["MANUALS"], "schedd-time.7").read_text()
    for source, plain in (("\\-", "-"), ("\\(aq", "'"), ("\\(ti", "~"), ("\\(ha", "^"), ("\\&", "")):
        text = text.replace(source, plain)
    return text.split(f".SH {title}\n")[1].split("\n.SH ")[0].splitlines()


def columns(lines):
    """The lines between .nf and .fi, split where two blanks or more stand."""
    inside = False
    for line in lines:
        if line in (".nf", ".fi"):
            inside = line == ".nf"
        elif inside and not line.startswith("."):
            yield re.split(r"\s{2,}", line)


class TimePage(unittest.TestCase):
    def next(self, *argv, status=0):
        done = subprocess.run([os.environ["SCHEDCTL"], "next", *argv, "--json"], env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, f"{argv}: {done.stderr}")
        return json.loads(done.stdout)["fire_times"] if status == 0 else done.stderr

    def test_durations(self):
        seen = 0
        for cells in columns(section("DURATIONS")):
            for example in cells[::2] if cells[0] != "w d h m s ms us" else []:
                seen += 1
                self.assertEqual(len(self.next("--every", example, "-n", "2")), 2, example)
        self.assertGreaterEqual(seen, 10)
        for refused in ("5M", "1h30", "1mo", "-5s", "1.5h30m"):
            self.assertIn("duration", self.next(f"--every={refused}", status=2))

    def test_times(self):
        seen = 0
        for cells in columns(section("TIMES")):
            if cells[0].startswith(("time '", "from ", "03:00 to")):
                continue
            first = cells if re.search(r"America|UTC$|Z$|Asia", cells[0]) else cells[:1]
            for example in [part for cell in first for part in cell.split(", ")]:
                seen += 1
                example = example.replace("[TIME]", "9am")
                self.assertEqual(len(self.next("--cron", "* * * * *", f"--from={example}", "-n", "1")), 1, example)
        self.assertGreater(seen, 20)
        for refused in ("1764576000", "2026-12-01T23:59:60Z", "2026-12-01 9:30 UTC+2"):
            self.next("--cron", "* * * * *", f"--from={refused}", status=2)

    def test_errors_of_times_that_do_not_exist_or_come_twice(self):
        text = " ".join(" ".join(cells) for cells in columns(section("TIMES")) if cells[0].startswith(("time '", "from ", "03:00 to")))
        sentences = re.findall(r"time '.*?(?= time '|$)", text)
        self.assertEqual(len(sentences), 2)
        for sentence in sentences:
            typed = re.match(r"time '([^']*)'", sentence).group(1)
            self.assertIn(sentence, self.next("--cron", "* * * * *", "--from", typed, status=2).replace("\n", " "))

    def test_expressions(self):
        lines = [re.sub(r"^\.[BI] ?|^\.IR ", "", line) for line in section("CRON EXPRESSIONS")]
        for field, item in [(4, "0"), (4, "7"), (4, "fri-mon"), (2, "22-2"), (3, "nov-feb"), (2, "L"), (2, "L-3"), (2, "LW"), (4, "5L"),
                            (2, "15W"), (4, "5#2"), (0, "H"), (0, "H/7"), (0, "H(3-9)"), (0, "H(3-39)/7"), (0, "3~9")]:
            words = ["0", "0", "*", "*", "*"]
            words[1 if item == "22-2" else field] = item
            self.assertEqual(len(self.next("--cron", " ".join(words), "-n", "3")), 3, words)
        macros = re.findall(r"@[a-z]+", " ".join(lines))
        self.assertIn("@hourly", macros)
        for macro in macros:
            refused = macro in ("@reboot", "@every")
            self.next("--cron", macro, "-n", "1", status=2 if refused else 0)

    def test_table_of_daylight_saving(self):
        rows = [cells for cells in columns(section("DAYLIGHT SAVING")) if len(cells) == 7 and cells[0] != "expression"]
        self.assertEqual(len(rows), 5)
        for expression, day, here, *_ in rows:
            date = {"29 Mar": "2026-03-29", "30 Mar": "2026-03-30", "25 Oct": "2026-10-25"}[day]
            fires = self.next("--cron", expression, "--from", date, "--until", f"{date} 23:59:59")
            clocks = [fire[11:] for fire in fires]
            if here == "yes":
                self.assertEqual(clocks[0][:5], "00:00")
            elif here in ("first", "both"):
                half = [clock for clock in clocks if clock.startswith("02:30")]
                self.assertEqual(half, ["02:30:00+02:00", "02:30:00+01:00"][:1 if here == "first" else 2])
            else:
                self.assertEqual(next(clock for clock in clocks if clock[:5] != "00:00")[:5], here)


if __name__ == "__main__":
    unittest.main()
