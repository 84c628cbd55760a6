# SPDX-License-Identifier: MIT
"""Workers that crash, hang, lie, flood and vanish: a call may fail, the pool and the daemon may not."""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import time
import unittest

import e2e
import test_workers
from test_workers import APP, WorkerCase, config


class Faults(WorkerCase):
    def works(self):
        """The pool is none the worse for it."""
        if not any(job["id"] == "works" for job in self.rpc.call("job.list")["jobs"]):
            self.add("works", "nothing")
        run = self.run_to_end("works")
        self.assertEqual(run["state"], "success", run)
        self.assertLess(run["duration"], 5)

    def test_a_crash_fails_its_call_with_the_signal(self):
        self.pool(processes=1)
        self.add("crashes", "crashes")
        run = self.run_to_end("crashes")
        self.assertEqual((run["state"], run["exit_code"], run["signal"]), ("failed", None, signal.SIGSEGV))
        self.assertEqual(run["reason"], "ended by signal 11 (SIGSEGV)")
        self.works()
        self.add("oom", "kills_itself", int(signal.SIGKILL))
        run = self.run_to_end("oom")
        self.assertEqual((run["state"], run["signal"]), ("failed", signal.SIGKILL))
        self.works()
        for code in (0, 3):
            self.add(f"ends{code}", "ends", code)
            run = self.run_to_end(f"ends{code}")
            self.assertEqual((run["state"], run["reason"]),
                             ("failed", f"its worker exited with {code} during the call"))
            self.works()

    def test_a_crash_may_be_tried_again(self):
        self.pool(processes=1)
        self.add("crashes", "crashes", retry={"limit": 1, "delay": 0})
        run = self.run_to_end("crashes")
        self.assertEqual((run["state"], run["attempt"]), ("failed", 2))
        self.works()

    def test_a_crash_between_calls_harms_none(self):
        self.pool(processes=1)
        self.add("later", "dies_later", 0.2)
        self.run_to_end("later")
        e2e.wait_until("it died", lambda: not self.executor()["pids"])
        self.works()

    def test_many_crashes_in_a_row_leave_the_pool_usable(self):
        self.pool(processes=2)
        self.add("crashes", "crashes", max_instances=10)
        for _ in range(7):
            self.assertEqual(self.run_to_end("crashes")["state"], "failed")
        self.works()
        self.assertFalse(self.executor()["failing"])

    def test_garbage_on_the_socket_fails_the_call(self):
        self.pool(processes=1)
        self.add("garbage", "garbage")
        run = self.run_to_end("garbage")
        self.assertEqual(run["state"], "failed")
        self.assertIn("its worker was killed: byte 0xc1", run["reason"])
        self.works()

    def test_a_closed_socket_fails_the_call(self):
        self.pool(processes=1)
        self.add("closes", "closes")
        run = self.run_to_end("closes")
        self.assertEqual((run["state"], run["reason"]),
                         ("failed", "its worker was killed: it closed its connection to schedd"))
        self.works()

    def test_floods_are_cut_and_hold_nobody_up(self):
        self.pool(processes=2)
        self.add("flood", "floods", 200000, output_max="64K")
        self.add("raw", "floods_past_python", 20000, output_max="64K")
        runs = [self.rpc.call("job.run", id=job)["run"] for job in ("flood", "raw")]
        slowest = 0
        while any(self.rpc.call("run.get", job=j, run=1)["ended_at"] is None for j in ("flood", "raw")):
            began = time.monotonic()
            self.rpc.call("server.ping")
            slowest = max(slowest, time.monotonic() - began)
        self.assertLess(slowest, 2)
        flood, raw = (self.ended(run) for run in runs)
        self.assertEqual((flood["state"], raw["state"]), ("success", "success"))
        self.assertEqual(raw["output_bytes"], 20000 * 1024)
        self.assertEqual(flood["output_bytes"] - flood["output_dropped"], 65536)
        if not os.environ.get("SCHEDD_SANITIZE"):  # which keeps what was freed
            self.assertLess(self.schedd.memory(), 200 << 20)

    def test_floods_between_calls_do_not_fill_the_log(self):
        self.pool(processes=1, concurrency=2)
        self.add("raw", "floods_past_python", 20000)
        self.assertEqual(self.run_to_end("raw")["state"], "success")
        self.assertLess(self.schedd.log.stat().st_size, 1 << 20)

    def test_a_forked_child_is_not_heard(self):
        self.pool(processes=1)
        self.add("forks", "forks")
        run = self.run_to_end("forks")
        self.assertEqual(run["state"], "success")
        self.works()
        self.assertEqual(self.executor()["processes"], 1)
        self.add("leaves", "leaves_a_child")
        self.assertEqual(self.run_to_end("leaves")["state"], "success")
        self.works()

    def test_a_gigabyte_is_not_sent(self):
        self.pool(processes=1)
        before = self.schedd.memory()
        self.add("huge", "huge", 1 << 30)
        self.assertEqual(self.run_to_end("huge")["state"], "success")
        self.add("list", "huge_list", 1 << 20)
        self.assertEqual(self.run_to_end("list")["state"], "success")
        self.assertLess(self.schedd.memory() - before, 64 << 20)
        self.works()

    def test_what_cannot_be_printed_is_named(self):
        self.pool(processes=1)
        self.add("raises", "raises_unprintable")
        run = self.run_to_end("raises")
        self.assertEqual((run["state"], run["reason"]),
                         ("failed", "calls.Unprintable: (a Unprintable that cannot be printed)"))
        self.add("returns", "returns_unprintable")
        self.assertEqual(self.run_to_end("returns")["state"], "success")
        self.add("hostile", "raises_hostile")
        self.assertEqual(self.run_to_end("hostile")["reason"], "calls.Hostile: (a Hostile that cannot be printed)")
        self.add("shown", "returns_hostile")
        self.assertEqual(self.run_to_end("shown")["result"], "<a Hostile that cannot be shown>")
        self.works()
        self.assertEqual(self.executor()["starts"], 1)

    def test_a_worker_that_hangs_between_calls_is_replaced_and_the_call_is_not_lost(self):
        self.pool(processes=1, ready_timeout=1)
        self.works()
        pid = self.executor()["pids"][0]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.2)  # schedd asks what was silent for a second
        run = self.run_to_end("works")
        self.assertEqual(run["state"], "success")
        self.assertNotEqual(run["pid"], pid)


class Circuit(WorkerCase):
    def failing(self):
        return self.executor()["failing"]

    def test_a_worker_that_cannot_start_opens_the_circuit_and_a_cure_closes_it(self):
        self.pool(start=False, processes=2)
        app = self.schedd.dir / "app"
        app.mkdir()
        module = app / "calls.py"
        module.write_text("import nothing_that_is_there\n")
        self.schedd.config.write_text(config(cwd=str(app), preload=["calls"], env={"PYTHONDONTWRITEBYTECODE": "1"}))
        self.schedd.start()
        self.rpc = self.schedd.client()
        events = self.schedd.client()
        events.call("event.subscribe", events=["executor_failed", "executor_recovered"])
        self.add("waits", "nothing")
        self.add("impatient", "nothing", misfire_grace_time=1)
        run = self.rpc.call("job.run", id="waits")["run"]
        e2e.wait_until("the circuit opens", self.failing)
        why = "preload: ModuleNotFoundError: No module named 'nothing_that_is_there'"
        self.assertIn(why, self.executor()["reason"])
        told = events.notification()[1]
        self.assertEqual(told["event"], "executor_failed")
        self.assertIn(why, told["error"])
        self.assertTrue(told["error"].startswith("python: "))
        self.assertIn(why, self.schedd.ctl("executors", "-o", "wide")[1])
        self.assertLess(self.executor()["starts"], 10)
        self.assertEqual(self.rpc.call("run.get", job="waits", run=1)["state"], "queued")
        # Runs with a grace time fail by it.
        self.rpc.call("job.reschedule", id="impatient", trigger={"type": "date", "run_at": "now + 100ms"})
        late = e2e.wait_until("it is given up", lambda: [
            r for r in self.rpc.call("run.list", jobs=["impatient"])["runs"] if r["ended_at"]])[0]
        self.assertEqual(late["state"], "failed")
        self.assertIn("misfire_grace_time", late["reason"])
        self.assertIn(why, late["reason"])
        # The cure: at the latest with the next try, at once by a restart of the executor.
        module.write_text("def nothing():\n    pass\n")
        self.assertEqual(self.schedd.ctl("executors", "restart", "python")[0], 0)
        self.assertEqual(self.ended(run)["state"], "success")
        self.assertFalse(self.failing())
        self.assertEqual(events.notification()[1]["event"], "executor_recovered")

    def test_a_worker_that_does_not_get_ready_opens_it_too(self):
        self.pool(command=["/bin/sleep", "60"], ready_timeout=0.3)
        self.add("waits", "nothing")
        self.rpc.call("job.run", id="waits")
        e2e.wait_until("the circuit opens", self.failing)
        self.assertIn("it was not ready after ready_timeout, 0.3 s", self.executor()["reason"])
        self.rpc.call("run.kill", job="waits", run=1)
        self.assertEqual(self.ended("waits/1")["state"], "cancelled")

    def test_a_module_that_crashes_at_its_import(self):
        """In a call it fails that call, beforehand the worker: the next one that can be imported works."""
        self.pool(start=False)
        app = self.schedd.dir / "app"
        app.mkdir()
        (app / "good.py").write_text("def nothing():\n    pass\n")
        crash = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
        (app / "bad.py").write_text(crash)
        (app / "odd.py").write_text("raise SystemExit(7)\n")
        self.schedd.config.write_text(config(cwd=str(app), processes=1, env={"PYTHONDONTWRITEBYTECODE": "1"}))
        self.schedd.start()
        self.rpc = self.schedd.client()
        for name, function in (("good", "good:nothing"), ("bad", "bad:nothing"), ("odd", "odd:nothing"), ("none", "none:nothing")):
            self.rpc.call("job.add", id=name, executor="python", trigger={"type": "manual"}, call={"function": function})
        for _ in range(2):
            run = self.run_to_end("bad")
            self.assertEqual((run["state"], run["signal"]), ("failed", signal.SIGSEGV))
            self.assertEqual(self.run_to_end("good")["state"], "success")
        run = self.run_to_end("odd")
        self.assertEqual((run["state"], run["exit_code"]), ("failed", 7), run)
        self.assertIn("ModuleNotFoundError: No module named 'none'", self.run_to_end("none")["reason"])
        self.assertEqual(self.run_to_end("good")["state"], "success")
        self.assertFalse(self.failing())
        # As a preload it is the executor's failure.
        self.schedd.config.write_text(config(cwd=str(app), preload=["bad"], env={"PYTHONDONTWRITEBYTECODE": "1"}))
        self.schedd.stop()
        self.schedd.start()
        self.rpc = self.schedd.client()
        run = self.rpc.call("job.run", id="good")["run"]
        e2e.wait_until("the circuit opens", self.failing)
        self.assertIn("signal 11 (SIGSEGV) before it was ready", self.executor()["reason"])
        (app / "bad.py").write_text("")
        self.assertEqual(self.schedd.ctl("executors", "restart", "python")[0], 0)
        self.assertEqual(self.ended(run)["state"], "success")

    def test_a_command_that_is_not_there_says_so(self):
        self.pool(command=["/nonexistent/worker"])
        self.add("waits", "nothing")
        self.rpc.call("job.run", id="waits")
        e2e.wait_until("the circuit opens", self.failing)
        self.assertIn("/nonexistent/worker", self.executor()["reason"])


class NotBegun(WorkerCase):
    """A call that waits for a worker has not begun, whatever holds the worker up."""

    def broken(self, **options):
        """An executor whose workers cannot start until cure(); its function adds a line to self.mark."""
        self.pool(start=False)
        self.mark = self.schedd.dir / "mark"
        self.app = self.schedd.dir / "app"
        self.app.mkdir()
        (self.app / "calls.py").write_text("import nothing_that_is_there\n")
        self.schedd.config.write_text(config(cwd=str(self.app), preload=["calls"], env={"PYTHONDONTWRITEBYTECODE": "1"}, **options))
        self.schedd.start()
        self.rpc = self.schedd.client()

    def cure(self):
        (self.app / "calls.py").write_text(f"def note(name):\n    with open({str(self.mark)!r}, 'a') as f:\n        f.write(name + '\\n')\n")
        self.assertEqual(self.schedd.ctl("executors", "restart", "python")[0], 0)

    def waiting(self, name, trigger=None):
        self.rpc.call("job.add", id=name, executor="python", store="default", trigger=trigger or {"type": "manual"},
                      call={"function": "calls:note", "args": [name]})
        if not trigger:
            self.rpc.call("job.run", id=name)
        e2e.wait_until("it waits for a worker", lambda: [
            r for r in self.rpc.call("run.list", jobs=[name])["runs"] if r["state"] == "queued"])

    def again(self):
        self.schedd.start()
        self.rpc = self.schedd.client()
        states = {r["id"]: r["state"] for r in self.rpc.call("run.list")["runs"]}
        self.assertEqual(set(states.values()), {"queued"}, states)

    def ran(self, *names):
        for name in names:
            self.assertEqual(self.ended(f"{name}/1")["state"], "success")
        self.assertEqual(sorted(self.mark.read_text().split()), sorted(names))

    def test_it_outlives_a_crash_a_stop_and_a_take_over(self):
        self.broken(processes=2)
        self.waiting("by_hand")
        self.waiting("once", {"type": "date", "run_at": "now"})
        self.waiting("third")
        status = {r["id"]: r for r in self.rpc.call("run.list")["runs"]}
        self.assertIsNone(status["once/1"]["started_at"])
        # Its row, which is written in the background, is what a crash leaves.
        e2e.wait_until("its row says so", lambda: self.rows() == {"queued"})
        self.schedd.process.kill()
        self.schedd.process.wait()
        self.again()
        e2e.wait_until("it failed again", lambda: self.executor()["reason"])
        begun = time.monotonic()
        self.assertEqual(self.schedd.stop(), 0)
        self.assertLess(time.monotonic() - begun, 25, "a stop waited for what had not begun")
        self.again()
        e2e.wait_until("it failed again", lambda: self.executor()["reason"])
        self.assertEqual(self.schedd.ctl("reload", "--exec")[0], 0)
        self.assertEqual(self.schedd.ctl("ping", "--wait-ready", "20s")[0], 0)
        self.rpc = self.schedd.client()
        self.cure()
        self.ran("by_hand", "once", "third")

    def rows(self):
        """What its runs are in the database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.schedd.state}/default.db?mode=ro", uri=True)) as db:
            return {state for state, in db.execute("select state from run_list")}

    def test_it_is_removed_and_held_as_what_waits_elsewhere(self):
        self.broken(processes=4)
        for name in ("gone", "held", "killed", "goes"):
            self.waiting(name)
        self.rpc.call("job.pause", id="held")
        self.rpc.call("run.kill", run="killed/1")
        self.rpc.call("job.remove", id="gone")
        self.assertEqual(self.ended("killed/1")["state"], "cancelled")
        self.assertEqual(self.ended("gone/1")["state"], "cancelled")
        self.assertIn("held: paused", self.rpc.call("run.get", run="held/1")["waits_for"])
        self.cure()
        self.ran("goes")
        self.rpc.call("job.resume", id="held")
        self.ran("goes", "held")

    def test_it_waits_while_the_scheduler_is_paused(self):
        self.broken(processes=2)
        self.waiting("one")
        self.waiting("two")
        self.rpc.call("scheduler.pause")
        self.cure()
        self.assertIn("the scheduler to be resumed", self.rpc.call("run.get", run="one/1")["waits_for"])
        self.rpc.call("scheduler.resume")
        self.ran("one", "two")


class Death(WorkerCase):
    def test_kill_9_of_schedd_during_a_hundred_calls(self):
        self.pool(processes=4, concurrency=25)
        mark = self.schedd.dir / "mark"
        for i in range(100):
            self.add(f"long{i}", "sleeps", 30, str(mark), store="default", recover=i < 10)
        for i in range(100):
            self.rpc.call("job.run", id=f"long{i}")
        e2e.wait_until("all of them run", lambda: mark.exists() and len(mark.read_text().split()) == 100, 60)
        pids = self.executor()["pids"]
        self.schedd.process.kill()
        self.schedd.process.wait()
        e2e.wait_until("the workers end themselves", lambda: not any(os.path.exists(f"/proc/{p}") for p in pids))
        self.schedd.start()
        self.rpc = self.schedd.client()
        runs = self.rpc.call("run.list", limit=1000)["runs"]
        lost = [r for r in runs if r["state"] == "lost"]
        self.assertEqual(len(lost), 100)
        self.assertEqual(len({r["job"] for r in lost}), 100, "each is lost once")
        e2e.wait_until("those that recover run again", lambda: len(mark.read_text().split()) == 110, 60)
        again = [r for r in self.rpc.call("run.list", limit=1000)["runs"] if r["state"] == "running"]
        self.assertEqual({r["job"] for r in again}, {f"long{i}" for i in range(10)})
        self.assertEqual(self.schedd.ctl("kill", *(r["id"] for r in again))[0], 0)

    def test_what_is_in_a_loop_ends_with_schedd_too(self):
        """Neither Node nor the interpreter can look at a socket then."""
        rows = {"type": "worker", "cwd": str(APP), "processes": 1}
        self.schedd = self.daemon(config=json.dumps({"executors": {
            "python": rows, "threads": {**rows, "concurrency": 2}, "node": {**rows, "language": "node"}}}))
        self.rpc = self.schedd.client()
        mark = self.schedd.dir / "mark"
        for executor, function in (("python", "calls:counts_in_c"), ("threads", "calls:counts_in_c"), ("node", "./calls.js:spins")):
            self.rpc.call("job.add", id=executor, executor=executor, trigger={"type": "manual"},
                          call={"function": function, "args": [str(mark)]})
            self.rpc.call("job.run", id=executor)
        e2e.wait_until("all of them run", lambda: mark.exists() and len(mark.read_text().split()) == 3, 60)
        # A new program in the old process is no death.
        self.assertEqual(self.schedd.ctl("reload", "--exec")[0], 0)
        self.rpc = self.schedd.client()
        pids = mark.read_text().split()
        for executor in ("python", "threads", "node"):
            self.assertEqual(self.rpc.call("run.get", job=executor, run=1)["state"], "running")
        self.assertTrue(all(os.path.exists(f"/proc/{pid}") for pid in pids))
        self.schedd.process.kill()
        self.schedd.process.wait()
        e2e.wait_until("they end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))


if __name__ == "__main__":
    unittest.main()
