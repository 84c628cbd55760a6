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

    def test_what_json_cannot_say_is_shown_and_what_is_long_is_cut(self):
        self.pool()
        for name, kept in (("nan", {"repr": "NaN"}), ("list", {"repr": "[ 1, Infinity ]"}),
                           ("big", {"repr": "1" + "0" * 30 + "n"}), ("map", {"repr": "Map(1) { 1 => 2 }"}),
                           ("inside", {"repr": "{ data: <Buffer 78> }"}), ("circle", {"repr": "<ref *1> [ [Circular *1] ]"}),
                           ("date", {"value": "1970-01-01T00:00:00.000Z"}), ("left_out", {"value": {"b": 1}})):
            with self.subTest(name=name):
                self.add(name, "odd", name)
                run = self.run_to_end(name)
                self.assertEqual((run["state"], run["result"]), ("success", kept.get("value", kept.get("repr"))))
        for name, beginning in (("buffer", "<Buffer 00 00"), ("strings", '["zzz'), ("rows", "[7,7,7")):
            with self.subTest(name=name):
                self.add(name, "odd", name)
                run = self.run_to_end(name)
                self.assertTrue(run["result"].startswith(beginning), run["result"][:80])
                self.assertLessEqual(len(run["result"]), 65536)
        self.assertEqual(self.executor()["starts"], 1)

    def test_what_cannot_be_printed_or_is_too_long_is_named(self):
        self.pool()
        self.add("unprintable", "unprintable")
        self.assertEqual(self.run_to_end("unprintable")["reason"], "object: an error that cannot be printed")
        for i, (what, reason) in enumerate(((None, "object: null"), ("a text", "string: a text"), ({"name": "Odd", "message": "m"}, "Odd: m"))):
            self.add(f"throws{i}", "throws", what)
            self.assertEqual(self.run_to_end(f"throws{i}")["reason"], reason)
        self.add("much", "throws_much")
        self.assertEqual(len(self.run_to_end("much")["reason"]), len("Error: ") + 4096)
        self.assertEqual(self.executor()["starts"], 1)

    def test_what_a_call_breaks_is_its_own(self):
        self.pool()
        self.add("nothing", "nothing")
        for name, args, words in (("kills_itself", ["SIGSEGV"], "ended by signal 11 (SIGSEGV)"), ("kills_itself", ["SIGKILL"], "signal 9"),
                                  ("nobody_catches", [], "exited with 1 during the call"), ("garbage", [], "byte 0xc1"),
                                  ("closes", [], "it closed its connection to schedd")):
            with self.subTest(name=name, args=args):
                self.add(name + "".join(args), name, *args)
                run = self.run_to_end(name + "".join(args))
                self.assertEqual((run["state"], words in run["reason"]), ("failed", True), run["reason"])
                self.assertEqual(self.run_to_end("nothing")["state"], "success")
        self.add("later", "dies_later", 0.1)
        self.assertEqual(self.run_to_end("later")["state"], "success")
        e2e.wait_until("it died", lambda: not self.executor()["pids"])
        self.assertEqual(self.run_to_end("nothing")["state"], "success")
        self.assertFalse(self.executor()["failing"])

    def test_descriptors_are_as_elsewhere(self):
        self.pool()
        self.add("flood", "floods_past_node", 5000, output_max="64K")
        run = self.run_to_end("flood")
        self.assertEqual((run["state"], run["output_bytes"]), ("success", 5000 << 10), run["reason"])
        self.add("child", "has_a_child")
        self.assertEqual(self.run_to_end("child")["state"], "success")
        self.assertEqual(self.output("child/1"), "from a child\n")
        self.add("bytes", "writes_bytes")
        self.run_to_end("bytes")
        self.assertEqual(self.output("bytes/1"), "hi\n")
        self.assertEqual(self.executor()["starts"], 1)

    def test_modules_of_every_kind_wherever_a_function_went(self):
        app = self.schedd_app()
        for name, text in (("plain.js", "exports.f = () => 1;"), ("module.mjs", "export const f = () => 2;"), ("null.js", "throw null;"),
                           ("waits.mjs", "await null; export const f = () => 3;"),
                           ("hangs.mjs", "await new Promise(() => setInterval(() => {}, 1000)); export const f = () => 4;")):
            (app / name).write_text(text)
        self.add("away", "goes_away")
        self.assertEqual(self.run_to_end("away")["state"], "success")
        for name, result in (("plain.js", 1), ("module.mjs", 2), ("waits.mjs", 3)):
            with self.subTest(name=name):
                self.assertEqual(self.of_module(name)["result"], result)
        self.assertEqual(self.of_module("null.js")["reason"], "object: null")
        self.assertIn("Cannot find module", self.of_module("none.js")["reason"])
        starts = self.executor()["starts"]
        self.assertEqual(self.of_module("hangs.mjs", timeout=0.3)["state"], "timeout")
        self.assertEqual(self.of_module("plain.js")["result"], 1)
        self.assertEqual(self.executor()["starts"], starts, "a cancel was enough")

    def schedd_app(self):
        """A folder of modules beside calls.js, which the executor's cwd is."""
        self.pool(cwd="/")
        app = self.schedd.dir / "app"
        app.mkdir()
        (app / "calls.js").write_text((APP / "calls.js").read_text())
        self.schedd.stop()
        self.schedd.config.write_text(json.dumps({"executors": {"python": {
            "type": "worker", "language": "node", "cwd": str(app), "processes": 1}}}))
        self.schedd.start()
        self.rpc = self.schedd.client()
        return app

    def of_module(self, name, **fields):
        job = name.replace(".", "-") + str(len(fields))
        if not any(each["id"] == job for each in self.rpc.call("job.list")["jobs"]):
            self.rpc.call("job.add", id=job, executor="python", trigger={"type": "manual"}, store="memory",
                          call={"function": f"./{name}:f"}, **fields)
        return self.run_to_end(job)


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
