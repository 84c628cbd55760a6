# SPDX-License-Identifier: MIT
"""The same tables under Debian's cron and under schedd: one minute of what tests/reference/compare_cron.py
does for as long as one likes."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import e2e

COMPARE = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "tests/reference/compare_cron.py"
CRON = shutil.which("cron", path="/usr/sbin")


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", e2e.SCHEDD], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ["CLOCK_PRELOAD"]])


def can_start_cron():
    return CRON and os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(can_start_cron(), "needs root, a mount namespace and Debian's cron")
class AsCron(unittest.TestCase):
    def test_the_same_lines_in_the_same_world(self):
        done = subprocess.run([sys.executable, COMPARE, CRON, e2e.SCHEDD, "0"], capture_output=True, text=True, check=False, timeout=1100,
                              env={**os.environ, "CLOCK_PRELOAD": preload()})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(int(done.stdout.split()[0]), 35, done.stdout)


if __name__ == "__main__":
    unittest.main()
