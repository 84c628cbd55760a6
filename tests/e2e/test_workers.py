# SPDX-License-Identifier: MIT
"""Calls of Python functions in workers: what they get, what they give, how they end."""
import json
import os
import pathlib
import pwd
import subprocess
import tempfile
import time
import unittest

import e2e

APP = pathlib.Path(__file__).with_name("worker_app")


def config(**settings):
    rows = {"type": "worker", "cwd": str(APP), "processes": 2, **settings}
    return json.dumps({"executors": {"python": rows}})


class WorkerCase(e2e.TestCase):
    def pool(self, start=True, **settings):
        self.schedd = self.daemon(start=start, config=config(**settings))
        if start:
            self.rpc = self.schedd.client()
        return self.schedd

    def add(self, job, function, *args, rpc=None, **fields):
        """Adds a job that calls it by hand; kwargs are for the function."""
        call = {"function": f"calls:{function}", "args": list(args)}
        if "kwargs" in fields:
            call["kwargs"] = fields.pop("kwargs")
        (rpc or self.rpc).call("job.add", id=job, executor="python", trigger={"type": "manual"}, call=call,
                               store=fields.pop("store", "memory"), **fields)

    def run_to_end(self, job, rpc=None):
        rpc = rpc or self.rpc
        run = rpc.call("job.run", id=job)["run"]
        return self.ended(run, rpc)

    def ended(self, run, rpc=None):
        rpc = rpc or self.rpc
        job, number = run.rsplit("/", 1)
        rpc.call("run.wait", job=job, run=int(number), timeout=60)
        return rpc.call("run.get", job=job, run=int(number))

    def output(self, run):
        """Of a run, as `schedctl logs` shows it."""
        done = subprocess.run([e2e.SCHEDCTL, "logs", "--raw", run], env=self.schedd.environment(), timeout=60,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode("utf-8", "surrogateescape")

    def executor(self):
        return next(e for e in self.rpc.call("executor.list") if e["name"] == "python")


class Calls(WorkerCase):
    def test_arguments_reach_the_function_and_its_output_the_run(self):
        self.pool()
        self.add("sum", "add", 1, 2, 3, kwargs={"factor": 10})
        run = self.run_to_end("sum")
        self.assertEqual((run["state"], run["exit_code"], run["reason"]), ("success", 0, None))
        self.add("says", "says", "q3")
        run = self.run_to_end("says")
        self.assertEqual(self.output("says/1").split("\n"), [
            "to stdout q3", "to stderr", "to the log", "as bytes \udcff", "half a line"])
        self.add("past", "past_python")
        self.run_to_end("past")
        self.assertEqual(self.output("past/1"), "written past Python\nfrom a child\n")

    def test_streams_are_kept_apart_where_the_job_says_so(self):
        self.pool()
        self.add("split", "says", capture="split")
        self.run_to_end("split")
        self.assertIn("to stdout", self.schedd.ctl("logs", "split/1", "--stdout")[1])
        self.assertNotIn("to stderr", self.schedd.ctl("logs", "split/1", "--stdout")[1])
        self.add("none", "says", capture="none")
        self.assertEqual(self.run_to_end("none")["output_bytes"], 0)

    def test_an_exception_is_the_reason_and_its_traceback_the_output(self):
        self.pool()
        self.add("bad", "fails", "no such customer")
        run = self.run_to_end("bad")
        self.assertEqual((run["state"], run["exit_code"]), ("failed", 1))
        self.assertEqual(run["reason"], "ValueError: no such customer")
        self.assertIn('calls.py", line', self.output("bad/1"))
        self.assertNotIn("schedd_worker", self.output("bad/1"))
        self.add("gone", "no_such_function")
        self.assertEqual(self.run_to_end("gone")["reason"],
                         "AttributeError: module 'calls' has no attribute 'no_such_function'")
        self.rpc.call("job.modify", id="gone", call={"function": "no_such_module:f"})
        self.assertEqual(self.run_to_end("gone")["reason"], "ModuleNotFoundError: No module named 'no_such_module'")
        self.add("leaves", "leaves", 7)
        run = self.run_to_end("leaves")
        self.assertEqual((run["state"], run["exit_code"]), ("failed", 7))
        self.rpc.call("job.modify", id="leaves", success_codes=[0, 7])
        self.assertEqual(self.run_to_end("leaves")["state"], "success")
        self.assertEqual(len({p for p in self.executor()["pids"]}), 1)

    def test_coroutines_are_awaited_with_a_concurrency_of_one_too(self):
        self.pool()
        self.add("rests", "rests", 0.01)
        self.assertEqual(self.run_to_end("rests")["state"], "success")
        self.assertEqual(self.run_to_end("rests")["state"], "success")

    def test_jobs_that_ask_for_what_a_worker_cannot_give_are_refused(self):
        self.pool()
        for fields, words in (
                ({"cwd": "/tmp"}, "cwd: calls of executor 'python' share its processes"),
                ({"env": {"A": "1"}}, "executors.python.env"),
                ({"nice": 5}, "nice"), ({"umask": "077"}, "umask"), ({"stdin": {"text": "x"}}, "stdin")):
            with self.subTest(fields=fields), self.assertRaises(e2e.RpcError) as caught:
                self.add("own", "nothing", **fields)
            self.assertIn(words, str(caught.exception))
        for call, words in (("nothing", "a worker needs module:function"),
                            ({"function": "calls:nothing", "args": {"a": 1}}, "needs a list of arguments"),
                            ({"function": "calls:nothing", "kwargs": [1]}, "kwargs")):
            with self.subTest(call=call), self.assertRaises(e2e.RpcError) as caught:
                self.rpc.call("job.add", id="own", executor="python", trigger={"type": "manual"}, call=call)
            self.assertIn(words, str(caught.exception))
        with self.assertRaises(e2e.RpcError) as caught:
            self.rpc.call("job.add", id="own", executor="python", trigger={"type": "manual"}, command=["true"])
        self.assertIn("cannot do a command", str(caught.exception))
        with self.assertRaises(e2e.RpcError) as caught:
            self.rpc.call("job.add", id="own", executor="function", trigger={"type": "manual"},
                          call={"function": "f", "kwargs": {"a": 1}})
        self.assertIn("kwargs", str(caught.exception))

    def test_a_call_for_which_there_is_no_c_function_goes_to_the_only_worker_executor(self):
        self.pool()
        self.assertEqual(self.schedd.ctl("add", "--id", "plain", "--manual", "--call", "calls:add", "--args", "[1]",
                                         "--kwargs", '{"b": 2}')[0], 0)
        self.assertEqual(self.rpc.call("job.get", id="plain")["executor"], "python")
        self.assertEqual(self.schedd.ctl("run", "-w", "plain")[0], 0)
        code, out, _ = self.schedd.ctl("export", "plain", "--as", "yaml")
        self.assertEqual(code, 0)
        self.assertIn("kwargs:", out)
        (self.schedd.dir / "jobs.yaml").write_text(out)
        code, out, err = self.schedd.ctl("diff", "-f", str(self.schedd.dir / "jobs.yaml"))
        self.assertEqual((code, out), (0, ""), err)

    def test_a_worker_s_world_is_as_of_a_job(self):
        os.environ["OF_SCHEDD_ALONE"] = "1"
        self.addCleanup(os.environ.pop, "OF_SCHEDD_ALONE")
        user = {"user": "nobody"} if os.getuid() == 0 else {}
        worker = f"{os.environ['SCHEDD_BINARY_DIR']}/worker"
        folder = tempfile.TemporaryDirectory()  # that the other account may read
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        pathlib.Path(folder.name, "calls.py").write_text((APP / "calls.py").read_text())
        for language in ("python", None):
            with self.subTest(language=language):
                self.pool(nice=3, umask="027", rlimits={"nofile": 77}, env={"APP": "x", "PYTHONPATH": "/tmp"}, cwd="/", **user,
                          **({"language": language} if language else {}))
                self.rpc.call("job.add", id="world", executor="python", trigger={"type": "manual"}, store="memory",
                              call={"function": f"{folder.name}/calls:world"})
                world = self.run_to_end("world")["result"]
                self.assertEqual((world["umask"], world["nice"] - os.nice(0), world["nofile"]), (0o27, 3, 77))
                if user:
                    self.assertEqual(world["uid"], pwd.getpwnam("nobody").pw_uid)
                self.assertEqual((world["env"]["APP"], world["env"]["SCHEDD_WORKER_EXECUTOR"]), ("x", "python"))
                self.assertNotIn("OF_SCHEDD_ALONE", world["env"])
                self.assertEqual(world["env"]["PYTHONPATH"], f"{worker}:/tmp")
                self.assertLess(world["path"].index(worker), world["path"].index("/tmp"))

    def test_the_config_says_what_does_not_go_together(self):
        daemon = self.daemon(start=False)
        for settings, words in (
                ({"min": 3}, "min: 3 is more than the 2 of processes"),
                ({"language": "cobol"}, "there is no worker of schedd's own for 'cobol'"),
                ({"concurrency": 0}, "concurrency"), ({"preload": ["a:b"]}, "preload"),
                ({"cwd": "relative"}, "cwd"), ({"nice": 99}, "nice"), ({"proceses": 1}, "did you mean 'processes'"),
                ({"type": "subprocess"}, "is for executors of type worker")):
            with self.subTest(settings=settings):
                daemon.config.write_text(config(**settings))
                code, err = daemon.run("--check-config")
                self.assertEqual(code, 7, err)
                self.assertIn(words, err)


class Results(WorkerCase):
    def returned(self, function, *args, store="memory"):
        job = f"{function}-{store}"
        self.add(job, function, *args, store=store)
        run = self.run_to_end(job)
        return run["result"], run["result_form"]

    def test_what_a_call_returned_is_kept_with_its_run(self):
        self.pool()
        for store in ("memory", "default"):
            with self.subTest(store=store):
                self.assertEqual(self.returned("add", 1, 2, store=store), (3, "json"))
                self.assertEqual(self.returned("nothing", store=store), (None, None))
                told, form = self.returned("told", store=store)
                self.assertEqual((told["job"], told["run"], form), (f"told-{store}", 1, "json"))
                self.assertEqual(told["cwd"], str(APP))
                value, form = self.returned("an_object", store=store)
                self.assertEqual(form, "repr")
                self.assertTrue(value.startswith("<object object at 0x"), value)
                self.assertEqual(self.returned("not_a_number", store=store), ("nan", "repr"))
                self.assertEqual(self.returned("returns_unprintable", store=store),
                                 ("<a Unprintable that cannot be shown>", "repr"))
                value, form = self.returned("huge", 65000, store=store)
                self.assertEqual((len(value), form), (65000, "json"))
        self.add("cut", "huge", 1 << 20)
        run = self.run_to_end("cut")
        self.assertEqual(run["result_form"], "cut")
        self.assertLessEqual(len(run["result"]), 65536)
        self.assertNotIn("result", self.rpc.call("run.list", jobs=["cut"])["runs"][0], "lists stay small")

    def test_schedctl_shows_it(self):
        self.pool()
        self.add("sum", "add", 1, kwargs={"b": 41}, store="default")
        code, out, err = self.schedd.ctl("run", "--result", "sum")
        self.assertEqual((code, out), (0, "42\n"), err)
        self.assertIn("returned:", self.schedd.ctl("show", "sum/1")[1])
        self.assertEqual(self.schedd.ctl("show", "sum/1", "--field", "result")[1], "42\n")
        self.add("bad", "fails")
        code, out, err = self.schedd.ctl("run", "--result", "bad")
        self.assertEqual((code, out), (10, ""))
        self.assertIn("ValueError: it is broken", err)
        self.add("object", "an_object")
        code, out, err = self.schedd.ctl("run", "--result", "object")
        self.assertEqual(code, 0)
        self.assertIn("<object object", json.loads(out))
        self.assertIn("JSON cannot say", err)

    def test_what_looks_like_a_time_in_it_is_none(self):
        self.pool()
        self.add("echo", "echo", {"time": 1, "started_at": 2})
        self.run_to_end("echo")
        shown = json.loads(self.schedd.ctl("show", "echo/1", "--json")[1])
        self.assertEqual(shown["result"], {"time": 1, "started_at": 2})
        self.assertEqual(json.loads(self.schedd.ctl("show", "echo", "--json")[1])["call"]["args"],
                         [{"time": 1, "started_at": 2}])

    def test_a_result_outlives_a_restart(self):
        self.pool()
        self.add("told", "told", name="Tell me", store="default")
        told = self.rpc.call("run.get", run=self.rpc.call("job.run", id="told", env={"A": "1"})["run"])
        told = self.ended("told/1")["result"]
        self.assertEqual((told["name"], told["env"], told["attempt"], told["deadline"]), ("Tell me", {"A": "1"}, 1, None))
        self.schedd.stop()
        self.schedd.start()
        self.assertEqual(self.schedd.client().call("run.get", run="told/1")["result"], told)


class Ends(WorkerCase):
    def test_a_timeout_interrupts_the_function(self):
        self.pool()
        mark = self.schedd.dir / "cleaned"
        self.add("warm", "nothing")
        self.run_to_end("warm")
        self.add("slow", "cleans_up", str(mark), timeout=0.3)
        run = self.run_to_end("slow")
        self.assertEqual((run["state"], run["reason"]), ("timeout", "timeout after 0.3s"))
        self.assertEqual(mark.read_text(), "KeyboardInterrupt")
        self.assertLess(run["duration"], 5)
        # The process goes on.
        self.add("pid", "nothing")
        self.assertEqual(self.run_to_end("pid")["pid"], run["pid"])

    def test_the_time_of_a_call_begins_when_its_worker_is_ready(self):
        self.pool(processes=1, command=["/bin/sh", "-c", "sleep 1; exec python3 -m schedd_worker"])
        self.add("quick", "nothing", timeout=0.7)
        self.assertEqual(self.run_to_end("quick")["state"], "success")

    def test_kill_cancels_a_coroutine_and_a_function_may_watch_the_event(self):
        self.pool()
        for job, function, args in (("rests", "rests", [60]), ("watches", "sleeps", [60])):
            self.add(job, function, *args)
            run = self.rpc.call("job.run", id=job)["run"]
            e2e.wait_until("it runs", lambda j=job: self.rpc.call("run.get", job=j, run=1)["pid"])
            self.assertEqual(self.schedd.ctl("kill", run)[0], 0)
            ended = self.ended(run)
            self.assertEqual(ended["state"], "killed")
            self.assertLess(ended["duration"], 8)

    def test_what_ignores_a_cancel_is_killed_after_kill_after(self):
        self.pool(processes=1)
        mark = self.schedd.dir / "mark"
        self.add("stubborn", "stubborn", str(mark), kill_after=0.5)
        run = self.rpc.call("job.run", id="stubborn")["run"]
        e2e.wait_until("it begins", mark.exists)
        self.rpc.call("run.kill", job="stubborn", run=1)
        ended = self.ended(run)
        self.assertEqual((ended["state"], ended["signal"]), ("killed", 9))
        self.add("next", "nothing")
        after = self.run_to_end("next")
        self.assertEqual(after["state"], "success")
        self.assertNotEqual(after["pid"], ended["pid"])
        self.assertFalse(self.executor()["failing"])

    def test_a_call_that_waits_for_a_worker_can_be_killed_and_times_out(self):
        self.pool(processes=1, command=["/bin/sleep", "60"])
        self.add("waits", "nothing")
        run = self.rpc.call("job.run", id="waits")["run"]
        self.rpc.call("run.kill", job="waits", run=1)
        self.assertIn(self.ended(run)["state"], ("killed", "cancelled"))

    def test_processes_end_when_idle_and_are_replaced_by_count_age_and_memory(self):
        self.pool(processes=1, idle=0.5)
        self.add("pid", "nothing")
        self.run_to_end("pid")
        e2e.wait_until("the idle worker is gone", lambda: self.executor()["processes"] == 0)
        self.pool(processes=1, max_calls=2)
        self.add("pid", "nothing")
        pids = [self.run_to_end("pid")["pid"] for _ in range(4)]
        self.assertEqual(pids[0], pids[1])
        self.assertEqual(pids[2], pids[3])
        self.assertNotEqual(pids[0], pids[2])
        self.pool(processes=1, max_age=0.3)
        self.add("pid", "nothing")
        first = self.run_to_end("pid")["pid"]
        e2e.wait_until("the old worker is gone", lambda: first not in self.executor()["pids"])
        self.pool(processes=1, max_rss="120M")
        self.add("grows", "grows", 60)
        first = self.run_to_end("grows")["pid"]

        def replaced():
            return self.run_to_end("grows")["pid"] != first
        e2e.wait_until("the worker that grew is replaced", replaced)

    def test_min_processes_are_there_at_once_and_stay(self):
        self.pool(processes=3, min=2, idle=0.2)
        e2e.wait_until("two are ready", lambda: self.executor()["idle"] == 2)
        pids = set(self.executor()["pids"])
        self.add("pid", "nothing")
        self.assertIn(self.run_to_end("pid")["pid"], pids)
        self.assertEqual(self.executor()["starts"], 2)

    def test_a_stop_ends_the_workers(self):
        self.pool(min=2)
        e2e.wait_until("two are ready", lambda: self.executor()["idle"] == 2)
        pids = self.executor()["pids"]
        self.assertEqual(self.schedd.stop(), 0)
        for pid in pids:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), pid)


class Changes(WorkerCase):
    def test_reload_and_restart_bring_new_code_after_the_calls(self):
        self.pool(start=False, processes=1)
        app = self.schedd.dir / "app"
        app.mkdir()
        (app / "calls.py").write_text("import time\ndef which():\n    print('old')\n    time.sleep(0.5)\n")
        self.schedd.config.write_text(config(cwd=str(app), processes=1, env={"PYTHONDONTWRITEBYTECODE": "1"}))
        self.schedd.start()
        self.rpc = self.schedd.client()
        self.add("which", "which")
        run = self.rpc.call("job.run", id="which")["run"]
        e2e.wait_until("it runs", lambda: self.output(run) == "old\n")
        (app / "calls.py").write_text("def which():\n    print('newer code')\n")
        self.assertEqual(self.schedd.ctl("reload")[0], 0)
        self.assertEqual(self.ended(run)["state"], "success")
        self.assertEqual(self.output(run), "old\n")
        self.run_to_end("which")
        self.assertEqual(self.output("which/2"), "newer code\n")
        before = self.rpc.call("run.get", job="which", run=2)["pid"]
        code, out, err = self.schedd.ctl("executors", "restart", "python")
        self.assertEqual((code, out), (0, ""), err)
        self.assertNotEqual(self.run_to_end("which")["pid"], before)
        self.assertEqual(self.schedd.ctl("executors", "restart", "default")[0], 2)
        self.assertEqual(self.schedd.ctl("executors", "restart", "nope")[0], 4)

    def test_reload_exec_leaves_calls_alone(self):
        self.pool(processes=2)
        mark = self.schedd.dir / "mark"
        for i in range(3):
            self.add(f"long{i}", "sleeps", 2, str(mark), store="default")
        runs = [self.rpc.call("job.run", id=f"long{i}")["run"] for i in range(3)]
        e2e.wait_until("two of them run", lambda: mark.exists() and len(mark.read_text().split()) >= 2)
        code, _, err = self.schedd.ctl("reload", "--exec")
        self.assertEqual(code, 0, err)
        rpc = e2e.wait_until("it answers again", self._client)
        for run in runs:
            ended = self.ended(run, rpc)
            self.assertEqual((ended["state"], ended["exit_code"]), ("success", 0), ended)
        self.assertEqual(len(mark.read_text().split()), 3, "each ran once")
        # They were of the program before: the next call has a new worker.
        old = {int(pid) for pid in mark.read_text().split()[:2]}
        self.add("pid", "nothing", rpc=rpc)
        e2e.wait_until("a new worker", lambda: self.run_to_end("pid", rpc)["pid"] not in old)

    def _client(self):
        try:
            client = self.schedd.client()
            client.call("server.ping")
            return client
        except OSError:
            return None
        except EOFError:
            return None


class Together(WorkerCase):
    def test_a_thousand_coroutines_rest_at_one_time(self):
        self.pool(processes=1, concurrency=1000)
        self.add("warm", "nothing")
        self.run_to_end("warm")
        self.add("rests", "rests", 1, max_instances=1000)
        began = time.monotonic()
        asked = [self.rpc.send("job.run", id="rests") for _ in range(1000)]
        runs = [self.rpc.receive(msgid)["run"] for msgid in asked]
        for run in runs:
            self.rpc.call("run.wait", job="rests", run=int(run.split("/")[1]), timeout=30)
        took = time.monotonic() - began
        self.assertEqual(self.executor()["processes"], 1)
        self.assertLess(took, 10 * e2e.patience())
        print(f"a thousand coroutines of 1 s: {took:.2f} s")

    def test_lines_of_calls_do_not_mix(self):
        self.pool(processes=1, concurrency=20)
        for i in range(10):
            self.add(f"task{i}", "rests_and_says", 0.05, f"task {i}")
            self.add(f"thread{i}", "says_slowly", 0.05, f"thread {i}")
        runs = [self.rpc.call("job.run", id=f"{kind}{i}")["run"] for kind in ("task", "thread") for i in range(10)]
        for run in runs:
            self.assertEqual(self.ended(run)["state"], "success")
            kind, number = run.split("/")[0][:-1], run.split("/")[0][-1]
            self.assertEqual(self.output(run), "".join(f"{kind} {number} {i}, done\n" for i in range(3)))

    def test_what_is_written_past_python_goes_to_the_log_marked_with_the_process(self):
        self.pool(processes=1, concurrency=5)
        self.add("past", "past_python")
        run = self.run_to_end("past")
        e2e.wait_until("the log has it", lambda: "written past Python" in self.schedd.log.read_text())
        line = next(line for line in self.schedd.log.read_text().splitlines() if "written past Python" in line)
        self.assertIn(f"executor python, worker 1 (pid {run['pid']})", line)
        self.assertEqual(run["output_bytes"], 0)

    def test_threads_are_interrupted_and_those_that_share_a_killed_worker_are_lost_or_tried_again(self):
        self.pool(processes=1, concurrency=10)
        mark = self.schedd.dir / "mark"
        self.add("bystander", "sleeps", 30)
        self.add("again", "sleeps", 3, retry={"limit": 1, "delay": 0})
        self.add("stubborn", "stubborn", str(mark), kill_after=0.5)
        lost = self.rpc.call("job.run", id="bystander")["run"]
        tried = self.rpc.call("job.run", id="again")["run"]
        self.rpc.call("job.run", id="stubborn")
        e2e.wait_until("it begins", mark.exists)
        self.rpc.call("run.kill", job="stubborn", run=1)
        self.assertEqual(self.ended("stubborn/1")["state"], "killed")
        ended = self.ended(lost)
        self.assertEqual(ended["state"], "lost")
        self.assertIn("run stubborn/1", ended["reason"])
        ended = self.ended(tried)
        self.assertEqual((ended["state"], ended["attempt"]), ("success", 2))

    def test_a_coroutine_is_cancelled_alone(self):
        self.pool(processes=1, concurrency=10)
        self.add("one", "rests", 30)
        self.add("two", "rests", 1)
        self.rpc.call("job.run", id="one")
        two = self.rpc.call("job.run", id="two")["run"]
        e2e.wait_until("it runs", lambda: self.rpc.call("run.get", job="one", run=1)["pid"])
        self.rpc.call("run.kill", job="one", run=1)
        self.assertEqual(self.ended("one/1")["state"], "killed")
        self.assertEqual(self.ended(two)["state"], "success")


if __name__ == "__main__":
    unittest.main()
