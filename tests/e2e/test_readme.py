# SPDX-License-Identifier: MIT
"""The tour in the README, typed as printed, gives what it says."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import e2e

README = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "README.md"


def tour():
    """The commands of the tour's blocks, in order."""
    text = README.read_text()
    begin = text.index("## A tour in five minutes")
    section = text[begin:text.index("\n## ", begin)]
    return "\n".join(re.findall(r"```\n(.*?)```", section, re.S))


class Tour(unittest.TestCase):
    def test_every_command_of_the_tour_works(self):
        with tempfile.TemporaryDirectory(prefix="schedd-e2e.") as place:
            script = tour().replace("/tmp/tour", f"{place}/tour")
            path = os.pathsep.join([os.path.dirname(e2e.SCHEDD), os.path.dirname(e2e.SCHEDCTL), os.environ["PATH"]])
            env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SCHEDD_"))}
            env.update(PATH=path, HOME=place)
            done = subprocess.run(["sh", "-e"], input=script, env=env, text=True, timeout=120, cwd=place,
                                  capture_output=True, check=False)
            shown = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, shown)
            for expected in ("hello from hello/", "it said 3", "report/1", "flaky/1", "schedd has ended."):
                self.assertIn(expected, shown)
            self.assertFalse(os.path.exists(f"{place}/tour.sock"), "the daemon is still there")


if __name__ == "__main__":
    unittest.main()
