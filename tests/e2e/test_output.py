# SPDX-License-Identifier: MIT
"""What schedctl prints in which form, and what becomes of it where it cannot be printed."""
import json
import os
import pty
import signal
import subprocess
import unittest

import e2e


class Output(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out

    def add(self, name, line="true", *options):
        self.ctl("add", "--id", name, "--manual", *options, "--sh", line)

    def call(self, line, **options):
        """A line for the shell, with schedctl as $S."""
        done = subprocess.run(["/bin/bash", "-c", line], env={**self.d.environment(), "S": e2e.SCHEDCTL}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False, **options)
        return done.returncode, done.stdout, done.stderr

    def test_an_error_is_one_line_of_json_also_for_words_that_make_no_sense(self):
        for argv in (("lst", "--json"), ("--json", "list", "--nosuch"), ("list", "-Z", "-o", "json"), ("list", "--output=jsonl", "x", "--sort"),
                     ("--json",), ("show", "nosuch", "--json"), ("list", "--columns", "idd", "--json"), ("help", "lst", "--json")):
            with self.subTest(argv=argv):
                code, out, err = self.d.ctl(*argv)
                self.assertEqual((out, err.count("\n"), json.loads(err)["error"]["exit"]), ("", 1, code))

    def test_acts_answer_with_what_became_of_the_jobs(self):
        self.add("a")
        self.add("b")
        self.assertEqual(json.loads(self.ctl("pause", "a", "--json"))["state"], "paused")
        self.assertEqual([job["id"] for job in json.loads(self.ctl("resume", "a", "b", "--json"))], ["a", "b"])
        self.assertEqual([row["run"] for row in json.loads(self.ctl("run", "--all", "--json"))], ["a/1", "b/1"])
        self.assertEqual(json.loads(self.ctl("pause", "a*", "--json"))[0]["id"], "a")
        self.assertEqual(json.loads(self.ctl("rm", "-y", "nosuch*", "--json")), [])
        code, out, err = self.d.ctl("pause", "a", "nosuch", "--json")
        self.assertEqual((code, len(json.loads(out)), json.loads(err)["error"]["code"]), (1, 1, "not_found"))
        self.assertEqual(json.loads(self.ctl("modify", "a", "--priority", "3", "--json"))["priority"], 3)
        self.assertEqual([len(json.loads(line)) > 9 for line in self.ctl("show", "a", "b", "-o", "jsonl").splitlines()], [True, True])

    def test_columns_choose_the_members_of_json(self):
        self.add("a")
        self.assertEqual(json.loads(self.ctl("list", "--json", "--columns", "id,next,tags")), [{"id": "a", "next_run_time": None, "tags": {}}])
        self.assertEqual(json.loads(self.ctl("show", "a", "--json", "--columns", "id")), [{"id": "a"}])
        self.assertEqual(self.ctl("show", "a", "-o", "name"), "a\n")
        self.assertEqual(self.ctl("status", "-o", "tsv", "--columns", "jobs,state"), "state\trunning\njobs\t1\n")
        self.ctl("status", "--columns", "nosuch", status=2)

    def test_unix_times_are_seconds(self):
        self.ctl("add", "--id", "a", "--at", "2030-01-01T00:00:00Z", "--", "true")
        self.assertEqual(self.ctl("show", "a", "--field", "next_run_time", "--time", "unix"), "1893456000\n")
        self.assertEqual(json.loads(self.ctl("list", "--json", "--time", "unix"))[0]["next_run_time"], 1893456000)
        created = json.loads(self.ctl("show", "a", "--json", "--time", "unix"))["created_at"]
        self.assertTrue(1.6e9 < created < 4e9, created)

    def test_the_last_of_several_global_options_counts(self):
        self.add("a")
        self.assertEqual(self.ctl("-o", "wide", "list", "-o", "name"), "a\n")
        self.ctl("add", "--id", "b", "--id", "c", "--manual", "--", "true", status=2)

    def test_events_are_an_array_or_lines(self):
        self.add("a")
        self.assertIn("job_added", [event["event"] for event in json.loads(self.ctl("events", "--json"))])
        self.assertIn("job_added", [json.loads(line)["event"] for line in self.ctl("events", "-o", "jsonl").splitlines()])

    def test_what_a_job_wrote_commands_no_terminal(self):
        self.add("evil", r"printf '\033[31mred\r\n\302\233x\302\351 \342\200\256'; printf '\303'; sleep 0.2; printf '\251'")
        text = "\\x1b[31mred\r\n\\x9bx\\xc2\\xe9 \\u202e\u00e9"
        shown = subprocess.run([e2e.SCHEDCTL, "run", "-f", "evil"], env=self.d.environment(), capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(shown.decode(), "evil/1\n" + text)
        shown = subprocess.run([e2e.SCHEDCTL, "logs", "evil"], env=self.d.environment(), capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(shown.decode(), text)
        raw = subprocess.run([e2e.SCHEDCTL, "logs", "evil", "--raw"], env=self.d.environment(), capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(raw, b"\x1b[31mred\r\n\xc2\x9bx\xc2\xe9 \xe2\x80\xae\xc3\xa9")

    def test_the_id_is_there_while_the_run_goes_on(self):
        self.add("slow", "exec sleep 60")
        with subprocess.Popen([e2e.SCHEDCTL, "run", "slow", "-w"], env=self.d.environment(), stdout=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "slow/1\n")
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(20), 130)
        self.ctl("kill", "slow")

    def test_a_full_disk_and_a_closed_output_are_failures(self):
        self.add("a")
        for verb in ("list", "list --json", "show a", "version", "help", "run --force a", "completion bash", "status", "next --every 1h", "history"):
            for where, part in ((">/dev/full", "standard output"), (">&-", "standard output")):
                with self.subTest(verb=verb, where=where):
                    code, _, err = self.call(f"$S {verb} {where}")
                    self.assertEqual(code, 1, err)
                    self.assertIn(part, err)
        self.assertEqual(self.call("$S list <&- 2>&-")[0], 0)
        self.assertEqual(self.call("$S rm -y - <&-")[0], 0)

    def test_a_closed_pipe_is_quiet(self):
        code, out, err = self.call("$S completion bash | head -1 >/dev/null; echo ${PIPESTATUS[0]}; yes | head -c 300000 | tr -d '\\n' >f; "
                                   "for i in 1 2; do $S add -q --id p$i --manual --script f; done; $S list --json | true; echo ${PIPESTATUS[0]}", cwd=self.d.dir)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.split()[-1], "141")

    def test_who_follows_ends_with_the_reader(self):
        self.add("slow", "echo begun; exec sleep 60")
        self.assertEqual(self.call("$S run -f slow | head -2; echo ${PIPESTATUS[0]}")[1].split(), ["slow/1", "begun", "141"])
        self.assertEqual(self.call("$S events -f --since 0 | head -1 >/dev/null; echo ${PIPESTATUS[0]}")[1], "141\n")
        self.ctl("kill", "slow")

    def test_colour_and_questions_on_a_terminal(self):
        self.add("a")
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with subprocess.Popen([e2e.SCHEDCTL, "rm", "--all"], env={**self.d.environment(), "TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave) as child:
            os.close(slave)
            text = b""
            while not text.endswith(b"[y/N] "):
                text += os.read(master, 100)
            self.assertIn(b"Remove 1 job?", text)
            os.write(master, b"n\n")
            self.assertEqual(child.wait(20), 1)
        self.assertEqual(self.ctl("ls", "-o", "name"), "a\n")
        self.assertIn("\033[", self.call("FORCE_COLOR=1 TERM=xterm $S list")[1])
        self.assertNotIn("\033[", self.call("FORCE_COLOR=1 NO_COLOR=1 $S list")[1])
        self.assertNotIn("\033[", self.call("$S list")[1])
        self.assertIn("\033[", self.call("NO_COLOR=1 $S list --color always")[1])

    def test_next_of_several_jobs(self):
        for name in ("report-a", "report-b"):
            self.ctl("add", "--id", name, "--cron", "0 0 * * *", "--", "true")
        self.assertEqual([one["job"] for one in json.loads(self.ctl("next", "report-*", "-n", "2", "--json"))], ["report-a", "report-b"])
        self.assertIn("report-b: ", self.d.ctl("next", "report-*")[2])
        self.assertEqual(len(json.loads(self.ctl("next", "report-a", "-n", "2", "--json"))["fire_times"]), 2)
        self.assertEqual(json.loads(self.ctl("next", "nosuch*", "--json")), [])
        code, out, _ = self.d.ctl("next", "report-a", "nosuch", "--json")
        self.assertEqual((code, len(json.loads(out))), (1, 1))
        self.assertIn("did you mean 'report-a'?", self.d.ctl("kill", "reprot-a")[2])

    def test_runs_that_do_not_exist_among_others(self):
        self.add("a")
        self.ctl("run", "a", "-w")
        code, out, err = self.d.ctl("history", "a", "nosuch", "-o", "name")
        self.assertEqual((code, out), (1, "a/1\n"))
        self.assertIn("nosuch", err)
        self.ctl("why", "nosuch", status=4)
        self.ctl("rm", "a")
        self.assertEqual(self.ctl("history", "a", "-o", "name"), "a/1\n")
        self.ctl("why", "a")


if __name__ == "__main__":
    unittest.main()
