# SPDX-License-Identifier: MIT
"""What runs wrote: tails, times, several runs, those to come; and why a run failed, in its own words."""
import json
import re
import signal
import subprocess
import unittest

import e2e


class Logs(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out

    def add(self, name, line, *options):
        self.ctl("add", "--id", name, "--manual", *options, "--sh", line)

    def refused(self, *argv, status=2):
        code, _, err = self.d.ctl(*argv)
        self.assertEqual(code, status, err)
        return err

    def test_the_tail_of_a_run(self):
        self.add("a", "seq 30; printf end")
        self.ctl("run", "-w", "a")
        self.assertEqual(self.ctl("logs", "a", "-n", "3"), "29\n30\nend")
        self.assertEqual(self.ctl("logs", "--tail", "1", "a/1"), "end")
        self.assertEqual(self.ctl("logs", "--tail", "0", "a/1"), "")
        self.assertEqual(len(self.ctl("logs", "--tail", "99", "a/1").splitlines()), 31)
        self.assertIn("--tail", self.refused("logs", "a", "--tail", "-1"))
        self.assertIn("--tail", self.refused("logs", "a", "--tail", "x"))

    def test_the_tail_of_one_stream(self):
        self.add("a", "echo one; echo two; echo oops >&2; sleep 0.2; echo three", "--capture", "split")
        self.ctl("run", "-w", "a")
        self.assertEqual(self.ctl("logs", "a", "-n", "2", "--stdout"), "two\nthree\n")
        self.assertEqual(self.ctl("logs", "a", "-n", "2", "--stderr"), "oops\n")

    def test_each_line_with_its_time(self):
        self.add("a", "printf one; printf 'two\\nthree\\n'; sleep 1.1; echo four")
        self.ctl("run", "-w", "a")
        lines = self.ctl("logs", "--timestamps", "--time", "iso", "a").splitlines()
        times = [re.fullmatch(r"(\d{4}-\d\d-\d\dT[\d:.+Z-]+) (.*)", line).groups() for line in lines]
        self.assertEqual([text for _, text in times], ["onetwo", "three", "four"])
        self.assertLess(times[0][0], times[2][0])
        self.assertRegex(self.ctl("logs", "--timestamps", "a", "-n", "1"), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d four\n$")
        self.assertIn("--raw", self.refused("logs", "--timestamps", "--raw", "a"))

    def test_several_runs_stand_under_their_names(self):
        self.add("a", "echo $SCHEDD_RUN")
        self.add("b", "echo b; exit 1")
        for _ in range(3):
            self.ctl("run", "-w", "a")
        self.ctl("run", "-w", "b", status=10)
        self.assertEqual(self.ctl("logs", "a/3", "a/1"), "==> a/3 <==\na/3\n\n==> a/1 <==\na/1\n")
        self.assertEqual(self.ctl("logs", "--runs", "2", "a"), "==> a/2 <==\na/2\n\n==> a/3 <==\na/3\n")
        self.assertEqual(self.ctl("logs", "a", "b"), "==> a <==\na/3\n\n==> b <==\nb\n")
        self.assertIn("--runs", self.refused("logs", "--runs", "0", "a"))
        self.assertIn("nosuch", self.refused("logs", "nosuch", "b", status=4))

    def test_what_was_written_since(self):
        self.add("a", "echo $SCHEDD_RUN; sleep 0.6; echo late")
        self.ctl("run", "-w", "a")
        self.assertEqual(self.ctl("logs", "a", "--since", "1 hour ago"), "==> a/1 <==\na/1\nlate\n")
        half = json.loads(self.ctl("show", "a/1", "--json"))["started_at"]
        client = self.d.client()
        late = [piece["time"] for piece in client.call("run.log", run="a/1")["pieces"] if b"late" in
                (piece["data"] if isinstance(piece["data"], bytes) else piece["data"].encode())][0]
        self.assertEqual(self.ctl("logs", "a", "--since", f"@{late // 1000000}.{late % 1000000:06d}"), "==> a/1 <==\nlate\n")
        self.assertEqual(self.ctl("logs", "a", "--since", half), "==> a/1 <==\na/1\nlate\n")
        self.assertIn("--since", self.refused("logs", "a", "--since", "nonsense"))

    def test_following_goes_on_with_the_runs_to_come(self):
        self.add("a", "echo $SCHEDD_RUN; sleep 0.2; echo done")
        self.ctl("run", "-w", "a")
        with subprocess.Popen([e2e.SCHEDCTL, "logs", "-f", "--forever", "a"], env=self.d.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as follower:
            try:
                lines = [follower.stdout.readline() for _ in range(3)]
                for _ in range(2):
                    self.ctl("run", "-w", "a")
                lines += [follower.stdout.readline() for _ in range(8)]
            finally:
                follower.send_signal(signal.SIGINT)
                follower.wait()  # before nobody reads any more
        self.assertEqual("".join(lines), "==> a/1 <==\na/1\ndone\n\n==> a/2 <==\na/2\ndone\n\n==> a/3 <==\na/3\ndone\n")
        self.assertEqual(follower.returncode, 130)

    def follow(self, run):
        follower = subprocess.Popen([e2e.SCHEDCTL, "logs", "-f", run], env=self.d.environment(), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.terminate)
        return follower

    def test_following_a_run_that_waits_says_for_what(self):
        self.add("a", "echo first", "-g", "io")
        self.add("r", "echo try $SCHEDD_ATTEMPT; exit 1", "--retry", "1", "--retry-delay", "1h")
        client = self.d.client()
        client.call("scheduler.pause")
        run = client.call("job.run", id="a")["run"]
        for name in ("a", run):
            follower = self.follow(name)
            self.assertRegex(follower.stderr.readline(), "^schedctl: a/1 waits for the scheduler to be resumed")
        client.call("scheduler.resume")
        out, err = follower.communicate(timeout=60)
        self.assertEqual((out, err, follower.returncode), ("first\n", "", 0))
        run = client.call("job.run", id="r")["run"]
        e2e.wait_until("it waits for its next attempt", lambda: client.call("run.get", run=run)["state"] == "retrying")
        follower = self.follow(run)
        self.assertRegex(follower.stderr.readline(), "^schedctl: r/1 waits for its next attempt")
        self.assertEqual(follower.stdout.readline(), "try 1\n")
        client.call("run.kill", run=run)
        follower.communicate(timeout=60)

    def test_following_a_job_that_never_ran_waits_for_it(self):
        self.add("a", "echo first")
        with subprocess.Popen([e2e.SCHEDCTL, "logs", "-f", "--forever", "a"], env=self.d.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as follower:
            try:
                e2e.wait_until("it asks", lambda: self.d.client().call("server.status")["subscriptions"])
                self.ctl("run", "-w", "a")
                lines = [follower.stdout.readline() for _ in range(2)]
            finally:
                follower.send_signal(signal.SIGINT)
        self.assertEqual(lines, ["==> a/1 <==\n", "first\n"])

    def test_options_that_contradict_each_other(self):
        self.add("a", "true")
        for argv in (("--forever", "a"), ("-f", "a", "b"), ("-f", "--forever", "a/1"), ("--stdout", "--stderr", "a")):
            with self.subTest(argv=argv):
                self.refused("logs", *argv)

    def test_why_and_show_tell_the_last_lines(self):
        self.add("a", "seq 30; printf 'cannot \\033[1mopen\\n'; exit 3")
        self.ctl("run", "-w", "a", status=10)
        for argv in (("why", "a"), ("show", "a/1"), ("why", "a/1")):
            out = self.ctl(*argv)
            self.assertIn("Last lines of a/1 (all: schedctl logs a/1)\n  22\n", out, argv)
            self.assertTrue(out.endswith("  30\n  cannot \\x1b[1mopen\n"), out)
        self.ctl("modify", "a", "--sh", "echo fine")
        self.ctl("run", "-w", "a")
        self.assertNotIn("Last lines", self.ctl("why", "a"), "it went well")
        self.assertIn("Last lines of a/2\n  fine\n", self.ctl("show", "a/2"))
        self.assertIn("--at", self.refused("why", "a/1", "--at", "now"))
        self.assertEqual(json.loads(self.ctl("why", "a/1", "--json"))["exit_code"], 3)


if __name__ == "__main__":
    unittest.main()
