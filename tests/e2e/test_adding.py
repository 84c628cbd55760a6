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
        code, out, err = self.d.ctl(*argv, cwd=self.d.dir)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out + err

    def runs(self, job):
        """Those that succeeded: beside one that goes on the next would be skipped, and those skipped are one row."""
        return [row["id"] for row in json.loads(self.d.ctl("history", job, "--state", "success", "--json")[1])]

    def test_now_runs_at_once_and_then_by_the_interval(self):
        self.ctl("add", "--id", "a", "--every", "1h", "--now", "--", "true")
        e2e.wait_until("the first run", lambda: self.runs("a") == ["a/1"])
        for verb, number in (("modify", 2), ("reschedule", 3)):
            self.ctl(verb, "a", "--every", f"{number}h", "--now")
            e2e.wait_until(verb, lambda: self.runs("a")[:1] == [f"a/{number}"])
        self.ctl("add", "--id", "b", "--cron", "0 0 1 1 *", "--every", "1h", "--now", "--", "true")
        e2e.wait_until("one of two triggers", lambda: self.runs("b") == ["b/1"])

    def test_options_that_would_do_nothing_are_refused(self):
        for argv, part in (
                (("--every", "1h", "--retry-delay", "1s", "--", "true"), "--retry-delay needs --retry"),
                (("--every", "1h", "--shell", "/bin/sh", "--", "true"), "--shell goes with --sh"),
                (("--every", "1h", "--id", "a", "--replace", "--if-absent", "--", "true"), "contradict"),
                (("--manual", "--wait", "--", "true"), "schedctl run"),
                (("--every", "1h", "--paused", "--follow", "--", "true"), "--paused"),
                (("--every", "1h", "--dry-run", "--wait", "--", "true"), "--dry-run")):
            with self.subTest(argv=argv):
                self.assertIn(part, self.ctl("add", *argv, status=2))
        self.assertEqual(self.ctl("list", "-o", "name"), "")

    def test_errors_name_the_option_once_and_point_at_the_text(self):
        for argv in (("--priority", "x"), ("-e", "X"), ("--secret", "X")):
            with self.subTest(argv=argv):
                self.assertEqual(self.ctl("add", "--manual", *argv, "--", "true", status=2).count("--"), 1)
        text = self.ctl("add", "--cron", "0 0 * * *", "--tz", "Europe/Berlin", "--start", "2027-03-28 02:30", "--", "true", status=2)
        self.assertIn("2027-03-28T03:30:00+02:00 or 2027-03-28T01:30:00+01:00", text)
        self.assertTrue(text.endswith("\n  2027-03-28 02:30\n  ^\n"), text)
        # The sentence has 1h30m as an example; that is not the option's 1h.
        text = self.ctl("add", "--every", "1h", "--splay", "x", "--", "true", status=2)
        self.assertTrue(text.endswith("\n  x\n  ^\n"), text)

    def test_accounts_and_secrets_that_are_not_there(self):
        self.ctl("add", "--id", "a", "--manual", "--", "true")
        for option in (("-u", "nosuchuser"), ("-u", "root:nosuchgroup"), ("--secret", "PW=/missing"), ("--hook", "/missing")):
            with self.subTest(option=option):
                self.assertRegex(self.ctl("add", "--manual", *option, "--", "true", status=2), "no such|No such")
                self.ctl("add", "--manual", *option, "--dry-run", "--", "true", status=2)
                self.ctl("modify", "a", *option, status=2)
        path = self.d.dir / "jobs.yaml"
        path.write_text("version: 1\njobs:\n  b:\n    shell: 'true'\n    user: nosuchuser\n    trigger: {every: 1h}\n")
        self.assertIn("jobs.yaml:3: job b: user 'nosuchuser': no such user", self.ctl("apply", "-f", str(path), status=7))
        self.assertEqual(self.ctl("list", "-o", "name"), "a\n")

    def test_paths_are_those_of_the_caller(self):
        (self.d.dir / "token").write_text("t")
        self.ctl("add", "--id", "a", "--manual", "-C", ".", "--secret", "TOKEN=token", "--hook", "token", "--stdin", "input", "--", "true")
        here = self.d.dir.resolve()
        job = json.loads(self.d.ctl("show", "a", "--json")[1])
        self.assertEqual((job["cwd"], job["secrets"], job["stdin"]), (str(here), {"TOKEN": f"{here}/token"}, f"{here}/input"))
        self.assertEqual(job["hook"], {"secret_file": f"{here}/token"})

    def test_modify_sets_tags_and_groups_and_leaves_what_a_job_must_have(self):
        for name in ("a1", "a2", "b"):
            self.ctl("add", "--id", name, "--manual", "-g", "old", "--", "true")
        self.assertIn("-y", self.ctl("modify", "a*", "-g", "new", status=2))
        self.ctl("modify", "a*", "-g", "new", "-y")
        self.assertEqual(self.ctl("list", "-g", "new", "-o", "name").split(), ["a1", "a2"])
        self.ctl("modify", "--state", "waiting,paused", "-t", "k=v", "-y")
        self.assertEqual(len(self.ctl("list", "-t", "k=v", "-o", "name").split()), 3)
        self.ctl("reschedule", "-g", "new", "--every", "1h", "-y")
        self.assertEqual(self.ctl("list", "--columns", "trigger", "--no-headers", "a1").strip(), "Every hour")
        self.assertIn("rename", self.ctl("modify", "b", "--id", "c", status=2))
        self.assertIn("--manual", self.ctl("modify", "b", "--unset", "trigger", status=2))
        self.ctl("modify", "b", "--unset", "id", status=2)
        self.ctl("modify", "b", "--retry", "3")
        self.ctl("modify", "b", "--retry-delay", "5s")
        self.assertEqual(json.loads(self.ctl("show", "b", "--field", "retry"))["delay"], 5)


if __name__ == "__main__":
    unittest.main()
