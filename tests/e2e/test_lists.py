# SPDX-License-Identifier: MIT
"""What lists show people: what is next, how long it is until then, what is waited for, what is gone; and that it fits."""
import json
import re
import subprocess
import unittest

import e2e

LOCAL = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


class Lists(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out

    def row(self, job, *argv):
        return dict(line.split(None, 1) for line in self.ctl("list", *argv, "--no-headers").splitlines())[job]

    def test_next_and_what_is_left(self):
        self.ctl("add", "--id", "a", "--in", "90m", "--", "true")
        self.assertRegex(self.row("a"), rf"^waiting  {LOCAL}  1h(29|30)m  ")
        self.assertEqual(self.ctl("list", "-o", "tsv").splitlines()[0].split("\t")[:5], ["id", "name", "state", "next", "trigger"])
        self.assertRegex(self.ctl("list", "-o", "tsv", "--columns", "next"), r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

    def test_what_jobs_without_a_time_wait_for(self):
        self.ctl("add", "--id", "m", "--manual", "--", "true")
        self.ctl("add", "--id", "s", "--on-start", "--", "true")
        self.ctl("add", "--id", "b", "--on-boot", "--after", "m:fail", "--", "true")
        self.ctl("add", "--id", "after", "--after", "m", "--after", "s:any", "--", "true")
        self.ctl("add", "--id", "both", "--every", "1h", "--after", "m", "--", "true")
        for job, words in (("m", "by hand  "), ("s", "a start of schedd  "), ("b", "a boot, after m "), ("after", "after m, s ")):
            self.assertIn(words, self.row(job), job)
        self.assertIn("After m succeeds or s ends", self.row("after"))
        self.assertIn("Every hour, and after m succeeds", self.row("both"))
        self.assertRegex(self.row("both"), LOCAL)
        for argv in (("show", "after"), ("why", "after"), ("next", "after")):
            code, out, err = self.d.ctl(*argv)
            self.assertEqual(code, 0, err)
            self.assertIn("After m succeeds or s ends", out + err, argv)
            self.assertNotIn("by hand", out + err, argv)
        self.assertEqual(json.loads(self.ctl("show", "after", "--json"))["waits_for"], "after m, s")
        _, _, err = self.d.ctl("add", "--id", "more", "--after", "m", "--", "true")
        self.assertIn("After m succeeds.", err)
        self.assertNotIn("by hand", err)

    def test_what_is_waited_for_may_be_gone(self):
        for job in ("m", "n"):
            self.ctl("add", "--id", job, "--manual", "--", "true")
        self.ctl("add", "--id", "one", "--after", "m", "--", "true")
        self.ctl("add", "--id", "two", "--after", "m", "--after", "n", "--", "true")
        self.ctl("rm", "-y", "m")
        self.assertIn("after m (no job m) ", self.row("one"))
        self.assertIn("after m, n (no job m) ", self.row("two"))
        self.assertIn("it runs after m, and there is no such job", self.ctl("why", "one"))
        self.ctl("add", "--id", "m", "--manual", "--", "true")
        self.assertNotIn("no job", self.row("one") + self.row("two"))
        self.assertNotIn("no such job", self.ctl("why", "one"))

    def test_the_end_of_a_pause(self):
        for job in ("p", "q"):
            self.ctl("add", "--id", job, "--every", "1h", "--", "true")
        self.ctl("pause", "p", "--for", "2h")
        self.ctl("pause", "q")
        self.assertRegex(self.row("p"), rf"paused +until {LOCAL}  (1h59m|2h00m)  ")
        self.assertRegex(self.row("q"), r"paused +its resume +-  ")

    def test_a_store_that_cannot_be_reached(self):
        err = self.d.ctl("stores", "add", "nowhere", "postgresql://127.0.0.1:1/ops", "--option", "connect_timeout=1s")[2]
        self.assertRegex(err, r"It is connecting(; |: \S)")
        row = next(line for line in self.ctl("stores").splitlines() if line.startswith("nowhere"))
        self.assertRegex(row, rf"connecting since {LOCAL}  ")
        e2e.wait_until("it is said why", lambda: "refused" in self.ctl("stores"))
        # The states of stores that are well have no time.
        self.assertRegex(self.ctl("stores"), r"default  sqlite +ok  ")
        self.assertIn("nowhere\tconnecting\n", self.ctl("stores", "-o", "tsv", "--columns", "name,state"))

    def test_ids_that_are_not_there(self):
        self.ctl("add", "--id", "backup", "--manual", "--", "true")
        code, out, err = self.d.ctl("list", "bakcup")
        self.assertEqual((code, out.count("\n")), (0, 1))
        self.assertIn("no job 'bakcup', did you mean 'backup'?", err)
        _, out, err = self.d.ctl("list", "backup", "nosuch")
        self.assertIn("no job 'nosuch'", err)
        self.assertIn("backup", out)
        _, _, err = self.d.ctl("list", "nosuch*")
        self.assertNotIn("no job", err)
        _, _, err = self.d.ctl("list", "backup")
        self.assertEqual(err, "")

    def test_a_finished_one_shot_points_to_its_history(self):
        self.ctl("add", "--id", "once", "--at", "now", "-w", "--", "true")
        e2e.wait_until("it is gone", lambda: self.d.ctl("list", "-o", "name")[1] == "")
        for argv, status in ((("list", "once"), 0), (("show", "once"), 4), (("pause", "once"), 4), (("next", "once"), 4),
                             (("rm", "-y", "once"), 4)):
            code, _, err = self.d.ctl(*argv)
            self.assertEqual(code, status, argv)
            self.assertIn("schedctl history once", err, argv)
        _, _, err = self.d.ctl("show", "never")
        self.assertNotIn("history", err)

    def test_tables_fit_by_leaving_columns_out(self):
        self.ctl("add", "--id", "a-job-with-quite-a-long-id", "--cron", "30 2 * * mon-fri", "--tag", "a=b", "--", "true")
        for width in (160, 100, 80, 60, 40):
            for verb in (("list",), ("list", "-o", "wide"), ("history",)):
                text = self.d.terminal(*verb, columns=width)
                self.assertLessEqual(max((len(line) for line in text.splitlines()), default=0), width, f"{verb} {width}: {text}")
        self.assertIn("LAST", self.d.terminal("list", columns=160))
        self.assertNotIn("LAST", self.d.terminal("list", columns=60))
        self.assertIn("NEXT", self.d.terminal("list", columns=60))
        self.assertIn("OWNER", self.d.terminal("list", "--columns", "id,next,owner,updated", columns=40), "asked for by name")

    def test_a_row_that_stands_for_several_shows_its_count(self):
        self.ctl("add", "--id", "a", "--every", "1s", "--", "sleep", "30")
        e2e.wait_until("it is skipped again and again", lambda: [
            run for run in self.d.client().call("run.list")["runs"] if run["count"] > 1])
        self.ctl("pause", "a")
        self.ctl("kill", "a")
        lines = self.ctl("history", "a").splitlines()
        self.assertIn("COUNT", lines[0])
        self.assertRegex([line for line in lines if "skipped" in line][0], r"skipped .* [2-9] ")
        self.ctl("add", "--id", "b", "--manual", "--", "true")
        self.ctl("run", "-w", "b")
        self.assertNotIn("COUNT", self.ctl("history", "b"))

    def test_people_get_local_times_also_on_a_pipe(self):
        self.ctl("add", "--id", "a", "--cron", "0 12 * * *", "--tz", "Asia/Tokyo", "--", "true")
        self.ctl("run", "-w", "a")
        for argv in (("list",), ("show", "a"), ("history",), ("status",), ("next", "a"), ("next", "--all"), ("why", "a")):
            out = self.ctl(*argv)
            self.assertRegex(out, LOCAL, argv)
            self.assertNotRegex(out, r"\dT\d\d:\d\d", argv)
            self.assertRegex(self.ctl(*argv, "--time", "iso"), r"\dT\d\d:\d\d:\d\d", argv)
        self.assertRegex(self.ctl("next", "a", "-n", "1"), rf"{LOCAL} \({LOCAL} Asia/Tokyo\)")
        self.assertRegex(self.ctl("next", "a", "-n", "1", "--time", "iso"), r"T12:00:00\+09:00")
        self.assertRegex(self.ctl("next", "a", "-n", "1", "-o", "tsv"), r"T12:00:00\+09:00")
        self.assertRegex(self.ctl("show", "a", "--field", "next_run_time"), r"^\d{4}-\d\d-\d\dT\d\d:")

    def test_a_time_that_comes_twice_says_which(self):
        out = self.ctl("next", "--every", "30m", "--start", "2026-10-25T00:00:00Z", "--from", "2026-10-25T00:00:00Z", "-n", "4")
        berlin = subprocess.run([e2e.SCHEDCTL, "next", "--every", "30m", "--start", "2026-10-25T00:00:00Z", "--from", "2026-10-25T00:00:00Z",
                                 "-n", "4", "--no-headers"], env={**self.d.environment(), "TZ": "Europe/Berlin"}, capture_output=True,
                                text=True, timeout=60, check=True).stdout
        self.assertEqual(re.findall(r"02:\d\d:\d\d\S*", berlin), ["02:00:00+02:00", "02:30:00+02:00", "02:00:00+01:00", "02:30:00+01:00"])
        self.assertNotIn("+0", out, "this machine's clock never changes")


if __name__ == "__main__":
    unittest.main()
