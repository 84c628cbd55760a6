# SPDX-License-Identifier: MIT
"""Workers in other languages: Node's, which comes with schedd, and one in Perl made from WORKER.md alone."""
import json
import pathlib
import unittest

import e2e
from test_workers import APP, WorkerCase


class Node(WorkerCase):
    def pool(self, **settings):
        rows = {"type": "worker", "language": "node", "cwd": str(APP), "processes": 1, **settings}
        self.schedd = self.daemon(config=json.dumps({"executors": {"python": rows}}))
        self.rpc = self.schedd.client()

    def add(self, job, function, *args, **fields):
        call = {"function": f"./calls.js:{function}", "args": list(args)}
        if "kwargs" in fields:
            call["kwargs"] = fields.pop("kwargs")
        self.rpc.call("job.add", id=job, executor="python", trigger={"type": "manual"}, call=call, store="memory",
                      **fields)

    def test_calls_arguments_results_and_output(self):
        self.pool()
        self.add("says", "says", "q3")
        self.assertEqual(self.run_to_end("says")["state"], "success")
        self.assertEqual(self.output("says/1"), "to stdout q3\nto stderr\nhalf a line")
        self.add("fails", "fails")
        run = self.run_to_end("fails")
        self.assertEqual((run["state"], run["reason"], run["exit_code"]),
                         ("failed", "RangeError: it is broken", 1))
        self.assertIn("calls.js", self.output("fails/1"))
        self.add("rejects", "rejects")
        self.assertEqual(self.run_to_end("rejects")["reason"], "Error: later")
        self.add("missing", "no_such")
        self.assertEqual(self.run_to_end("missing")["reason"], "TypeError: ./calls.js:no_such is not a function")
        self.add("huge", "huge", 1 << 20)
        self.assertEqual(self.run_to_end("huge")["state"], "success")

    def test_ends(self):
        self.pool()
        self.add("rests", "rests", 60, timeout=0.3)
        run = self.run_to_end("rests")
        self.assertEqual((run["state"], run["reason"]), ("timeout", "timeout after 0.3s"))
        self.add("ends", "ends", 3)
        run = self.run_to_end("ends")
        self.assertEqual((run["state"], run["reason"]), ("failed", "its worker exited with 3 during the call"))
        self.add("told", "told")
        self.assertEqual(self.run_to_end("told")["state"], "success")

    def test_lines_of_calls_do_not_mix(self):
        self.pool(concurrency=10)
        for i in range(10):
            self.add(f"task{i}", "says_slowly", 0.05, f"task {i}")
        runs = [self.rpc.call("job.run", id=f"task{i}")["run"] for i in range(10)]
        for i, run in enumerate(runs):
            self.assertEqual(self.ended(run)["state"], "success")
            self.assertEqual(self.output(run), "".join(f"task {i} {n}, done\n" for n in range(3)))
        self.assertEqual(self.executor()["processes"], 1)


class Perl(WorkerCase):
    def pool(self, **settings):
        worker = str(pathlib.Path(__file__).with_name("worker.pl"))
        rows = {"type": "worker", "command": ["/usr/bin/perl", worker], "cwd": str(APP), "processes": 1, **settings}
        self.schedd = self.daemon(config=json.dumps({"executors": {"python": rows}}))
        self.rpc = self.schedd.client()

    def add(self, job, function, *args, **fields):
        call = {"function": f"Jobs::Report:{function}", "args": list(args)}
        if "kwargs" in fields:
            call["kwargs"] = fields.pop("kwargs")
        self.rpc.call("job.add", id=job, executor="python", trigger={"type": "manual"}, call=call, store="memory",
                      **fields)

    def test_it_does_what_the_others_do(self):
        self.pool()
        self.add("add", "add", 2, 3, kwargs={"factor": 10})
        run = self.run_to_end("add")
        self.assertEqual((run["state"], run["reason"]), ("success", None))
        self.add("says", "says", "q3")
        self.assertEqual(self.run_to_end("says")["state"], "success")
        self.assertEqual(self.output("says/1"), "to stdout q3\nto stderr\n")
        self.add("fails", "fails")
        run = self.run_to_end("fails")
        self.assertEqual((run["state"], run["reason"]), ("failed", "die: it is broken"))
        self.add("sleeps", "sleeps", 60, timeout=0.3)
        self.assertEqual(self.run_to_end("sleeps")["state"], "timeout")
        self.assertEqual(self.executor()["starts"], 1)

    def test_it_ends_with_schedd(self):
        self.pool()
        self.add("sleeps", "sleeps", 60)
        self.rpc.call("job.run", id="sleeps")
        pid = e2e.wait_until("it runs", lambda: self.rpc.call("run.get", job="sleeps", run=1)["pid"])
        self.schedd.process.kill()
        self.schedd.process.wait()
        e2e.wait_until("it ended too", lambda: not pathlib.Path(f"/proc/{pid}").exists())


if __name__ == "__main__":
    unittest.main()
