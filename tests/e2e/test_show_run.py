# SPDX-License-Identifier: MIT
"""A run in full from the command line: its record in words, its attempts, what of its output is there."""
import json
import unittest

import e2e

FIELDS = ("id state reason trigger actor job run scheduled_at started_at ended_at attempt exit_code signal duration max_rss "
          "cpu_seconds output_bytes output_dropped coalesced count until pid").split()


class ShowRun(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {err}")
        return out

    def add(self, name, line, *options):
        self.ctl("add", "--id", name, "--manual", *options, "--sh", line)

    def page(self, run):
        """The fields of the page by name, and the words of each attempt's line."""
        fields, attempts = self.ctl("show", run, "--time", "iso").split("\n\nLast lines")[0].split("\nAttempts\n")
        return dict(line.split(":", 1) for line in fields.splitlines()), [line.split(None, 6) for line in attempts.splitlines()[1:]]

    def retried(self):
        self.add("flaky", "echo attempt; test $SCHEDD_ATTEMPT = 3 || exit $SCHEDD_ATTEMPT", "--retry", "2", "--retry-delay", "20ms")
        self.ctl("run", "flaky", "-w")

    def test_attempts_that_failed_and_the_one_that_did_not(self):
        self.retried()
        fields, attempts = self.page("flaky/1")
        self.assertEqual([name for name in FIELDS if name not in fields], [])
        self.assertEqual((fields["state"].strip(), fields["attempt"].strip(), fields["exit_code"].strip()), ("success", "3", "0"))
        self.assertIn("somebody asked", fields["trigger"])
        self.assertRegex(fields["actor"], r"uid \d+ pid \d+ job.run")
        self.assertIn("all 24B kept", fields["output"])
        self.assertIn("until its first attempt began", fields["waited"])
        self.assertEqual([(line[0], line[1], line[4], line[6]) for line in attempts],
                         [("1", "failed", "1", "exit code 1"), ("2", "failed", "2", "exit code 2"), ("3", "success", "0", "-")])
        times = [time for line in attempts for time in line[2:4]]
        self.assertEqual(times, sorted(times))

    def test_it_is_the_same_after_a_restart(self):
        self.retried()
        before = self.ctl("show", "flaky/1")
        self.d.stop()
        self.d.start()
        self.assertEqual(self.ctl("show", "flaky/1"), before)

    def test_an_attempt_that_goes_on_and_one_that_waits_for_its_delay(self):
        self.add("slow", "test $SCHEDD_ATTEMPT = 2 && exec sleep 100; exit 7", "--retry", "3", "--retry-delay", "20ms")
        self.ctl("run", "slow")
        e2e.wait_until("the second attempt", lambda: len(self.page("slow/1")[1]) == 2)
        self.assertEqual(self.page("slow/1")[1][1][1:4:2], ["running", "-"])
        self.ctl("kill", "slow/1")
        self.ctl("wait", "slow/1", status=10)
        self.assertEqual([line[1] for line in self.page("slow/1")[1]], ["failed", "killed"])
        self.add("later", "exit 7", "--retry", "3", "--retry-delay", "1h")
        self.ctl("run", "later")
        e2e.wait_until("it waits", lambda: self.page("later/1")[0]["state"].strip() == "retrying")
        self.assertEqual([line[:2] for line in self.page("later/1")[1]], [["1", "failed"]])

    def test_what_it_waits_for_and_what_never_began(self):
        self.add("one", "sleep 100", "--overlap", "queue")
        self.ctl("run", "one")
        self.ctl("run", "one")
        fields = dict(line.split(":", 1) for line in self.ctl("show", "one/2").splitlines() if ":" in line)
        self.assertIn("run one/1 to end", fields["waits_for"])
        self.assertIn("None began", self.ctl("show", "one/2"))
        self.assertEqual(self.ctl("show", "one/2", "--field", "waits_for").strip(), fields["waits_for"].strip())
        self.ctl("kill", "one")

    def test_output_that_was_dropped_and_that_was_cleared_away(self):
        self.add("loud", "seq 1 100000", "--output-max", "10K")
        self.ctl("run", "loud", "-w")
        self.assertRegex(self.page("loud/1")[0]["output"], "9.8K kept, 565K from the middle dropped|K kept, .* from the middle dropped")
        for path in self.d.state.glob("output/loud/*"):
            path.unlink()
        self.assertIn("cleared away", self.page("loud/1")[0]["output"])

    def test_programs_get_what_the_daemon_says(self):
        self.retried()
        got = json.loads(self.ctl("show", "flaky/1", "--json"))
        raw = self.d.client().call("run.get", run="flaky/1")
        self.assertEqual(list(got), list(raw))
        self.assertEqual({key: value for key, value in got.items() if not key.endswith("_at") and key != "attempts"},
                         {key: value for key, value in raw.items() if not key.endswith("_at") and key != "attempts"})
        self.assertEqual([attempt["exit_code"] for attempt in got["attempts"]], [1, 2, 0])
        self.assertRegex(got["attempts"][0]["started_at"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual(self.ctl("show", "flaky/1", "--field", "started_at").strip(), got["started_at"])
        self.assertEqual(json.loads(self.ctl("show", "flaky/1", "--field", "attempts")), got["attempts"])
        self.assertEqual(self.ctl("show", "flaky/1", "--field", "reason"), "\n")
        self.assertEqual(self.ctl("show", "flaky/1", "-o", "name"), "flaky/1\n")
        self.assertEqual(json.loads(self.ctl("show", "flaky/1", "-o", "jsonl")), got)
        self.assertEqual(self.ctl("show", "flaky/1", "-o", "tsv").splitlines()[1].split("\t")[:2], ["flaky/1", "success"])

    def test_jobs_and_runs_together(self):
        self.retried()
        self.assertEqual(self.ctl("show", "flaky/1", "flaky", "-o", "name"), "flaky/1\nflaky\n")
        self.assertEqual([row["id"] for row in json.loads(self.ctl("show", "flaky", "flaky/1", "--json"))], ["flaky", "flaky/1"])
        self.assertEqual([line.split("\t")[0] for line in self.ctl("show", "flaky", "flaky/1", "-o", "tsv").splitlines()],
                         ["id", "flaky", "run", "flaky/1"])
        self.assertEqual(self.ctl("show", "flaky", "flaky/1", "--field", "id"), "flaky\nflaky/1\n")
        self.ctl("show", "flaky", "flaky/1", "--columns", "id", status=2)
        self.ctl("show", "flaky", "flaky/1", "--field", "signal", status=2)
        self.ctl("show", "-t", "x", "flaky/1", status=2)

    def test_runs_that_are_not_there(self):
        self.retried()
        for argv in (("show", "flaky/2"), ("show", "nosuch/1"), ("history", "flaky/2"), ("history", "nosuch/1")):
            with self.subTest(argv=argv):
                self.ctl(*argv, status=4)
        self.ctl("show", "flaky/0", status=2)
        self.ctl("history", "flaky/x", status=2)
        self.assertEqual(self.ctl("show", "flaky/2", "flaky/1", "-o", "name", status=1), "flaky/1\n")
        self.ctl("rm", "flaky")
        self.assertIn("Attempts", self.ctl("show", "flaky/1"))

    def test_history_of_one_run(self):
        self.retried()
        self.ctl("run", "flaky", "-w")
        self.assertEqual(self.ctl("history", "flaky/1", "-o", "name"), "flaky/1\n")
        self.assertEqual(self.ctl("history", "flaky/1", "flaky/2", "-o", "name"), "flaky/1\nflaky/2\n")
        self.assertEqual(self.ctl("history", "flaky/1", "--state", "failed", "-o", "name"), "")
        self.assertEqual(self.ctl("history", "flaky/3", "flaky/1", "-o", "name", status=1), "flaky/1\n")
        client = self.d.client()
        self.assertEqual([run["id"] for run in client.call("run.list", jobs=["flaky/2"])["runs"]], ["flaky/2"])
        with self.assertRaises(e2e.RpcError) as caught:
            client.call("run.list", jobs=["flaky/2", "flaky"])
        self.assertEqual(caught.exception.name, "invalid_argument")


if __name__ == "__main__":
    unittest.main()
