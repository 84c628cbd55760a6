# SPDX-License-Identifier: MIT
"""What add, modify and reschedule do with their options, on a real daemon."""
import json
import unittest

import e2e


class Adding(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        """What came on both outputs; the status has to be this one."""
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out + err

    def runs(self, job):
        return [row["id"] for row in json.loads(self.d.ctl("history", job, "--json")[1])]

    def test_now_runs_at_once_and_then_by_the_interval(self):
        self.ctl("add", "--id", "a", "--every", "1h", "--now", "--", "true")
        e2e.wait_until("the first run", lambda: self.runs("a") == ["a/1"])
        for verb, number in (("modify", 2), ("reschedule", 3)):
            self.ctl(verb, "a", "--every", f"{number}h", "--now")
            e2e.wait_until(verb, lambda: self.runs("a")[0] == f"a/{number}")
        self.ctl("add", "--id", "b", "--cron", "0 0 1 1 *", "--every", "1h", "--now", "--", "true")
        e2e.wait_until("one of two triggers", lambda: self.runs("b") == ["b/1"])


if __name__ == "__main__":
    unittest.main()
