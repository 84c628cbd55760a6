# SPDX-License-Identifier: MIT
"""The life of a run from outside: what its record says, which events tell of it, what is refused."""
import os
import unittest

import e2e

# The record of a run, in this order, and what the server knows besides.
RECORD = ("job run id state scheduled_at started_at ended_at trigger attempt exit_code signal reason duration max_rss "
          "cpu_seconds output_bytes output_dropped coalesced count until").split()
EVENT = "seq time event code job store run scheduled_at exit_code signal error uid pid method".split()
# APScheduler's numbers.
CODES = {name: 1 << bit for bit, name in enumerate(
    "scheduler_started scheduler_shutdown scheduler_paused scheduler_resumed executor_added executor_removed "
    "jobstore_added jobstore_removed all_jobs_removed job_added job_removed job_modified job_executed job_error "
    "job_missed job_submitted job_max_instances".split())}


class Runs(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()

    def add(self, name, **fields):
        fields = {"trigger": {"type": "manual"}, **fields}
        if not {"shell", "command"} & set(fields):
            fields["shell"] = "true"
        return self.client.call("job.add", id=name, **fields)

    def begin(self, name, **params):
        return self.client.call("job.run", id=name, **params)["run"]

    def run_job(self, name, **params):
        run = self.begin(name, **params)
        self.client.call("run.wait", run=run)
        return self.client.call("run.get", run=run)

    def test_its_record(self):
        self.add("a", shell="echo out; exit 3")
        run = self.run_job("a")
        self.assertEqual([key for key in run if key in RECORD], RECORD)
        self.assertEqual({key: run[key] for key in ("job", "run", "id", "state", "trigger", "attempt", "exit_code", "signal",
                                                    "reason", "output_bytes", "output_dropped", "coalesced", "count", "until")},
                         {"job": "a", "run": 1, "id": "a/1", "state": "failed", "trigger": "manual", "attempt": 1,
                          "exit_code": 3, "signal": None, "reason": "exit code 3", "output_bytes": 4, "output_dropped": 0,
                          "coalesced": 0, "count": 1, "until": None})
        self.assertLessEqual(run["scheduled_at"], run["started_at"])
        self.assertLessEqual(run["started_at"], run["ended_at"])
        self.assertAlmostEqual(run["duration"], (run["ended_at"] - run["started_at"]) / 1e6, 5)
        self.assertGreater(run["max_rss"], 0)
        self.assertEqual(run["attempts"], [{key: run[key] for key in ("attempt", "state", "started_at", "ended_at", "exit_code", "signal", "reason")}])

    def test_attempts_of_one_run(self):
        self.add("a", shell="exit $((SCHEDD_ATTEMPT + 1))", retry={"limit": 2, "delay": 0.5})
        run = self.begin("a")
        e2e.wait_until("it waits for its next attempt", lambda: self.client.call("run.get", run=run)["state"] == "retrying")
        self.assertIn("retrying", self.refused("conflict", self.client.call, "run.retry", run=run))
        self.assertEqual(self.client.call("run.wait", run=run)["state"], "failed")
        got = self.client.call("run.get", run=run)
        self.assertEqual([(a["attempt"], a["exit_code"], a["state"]) for a in got["attempts"]], [(1, 2, "failed"), (2, 3, "failed"), (3, 4, "failed")])
        self.assertEqual((got["attempt"], got["exit_code"]), (3, 4))
        again = self.client.call("run.retry", run=run)["run"]
        self.assertEqual((again, self.client.call("run.get", run=again)["trigger"]), ("a/2", "retry"))

    def test_why_it_could_not_start(self):
        plain, missing = self.server.dir / "plain", self.server.dir / "missing"
        plain.write_text("echo hi\n")
        missing.write_text("#!/no/interpreter\n")
        for path in (plain, missing):
            path.chmod(0o755)
        cases = [
            ("No such file or directory", {"command": ["/no/such/command"]}),
            ("No such file or directory", {"command": ["no-such-command"]}),
            ("No such file or directory", {"command": [str(missing)]}),
            ("Exec format error", {"command": [str(plain)]}),
            ("Permission denied", {"command": ["/etc/passwd"]}),
            ("Permission denied", {"command": ["/tmp"]}),
            ("No such file or directory", {"shell": "true", "shell_path": "/no/shell"}),
            ("No such file or directory", {"shell": "true", "cwd": "/no/directory"}),
            ("No such file or directory", {"command": ["cat"], "stdin": {"path": "/no/file"}}),
            ("Argument list too long", {"command": ["true"] + ["x" * 100_000] * 30}),
        ]
        for number, (reason, fields) in enumerate(cases):
            self.add(f"bad-{number}", **fields)
            run = self.run_job(f"bad-{number}")
            self.assertEqual((run["state"], run["exit_code"], run["signal"]), ("failed", None, None), run)
            self.assertTrue(run["reason"].endswith(reason), run["reason"])
            # Nothing ran that could have been measured.
            self.assertEqual((run["max_rss"], run["cpu_seconds"]), (None, None))
        # What no program can ever be given is refused at once.
        self.assertIn("BIG", self.refused(
            "invalid_argument", self.add, "big", command=["true"], env={"BIG": "x" * 200_000}))
        for field in ("cwd", "shell_path", "command", "stdin"):
            path = "/" + "x/" * 2500
            value = {"command": [path], "stdin": {"path": path}}.get(field, path)
            fields = {"command": ["true"], **{field: value}} if field != "shell_path" else {"shell": "true", field: path}
            self.assertIn(field, self.refused("invalid_argument", self.add, "long", **fields))

    def test_variables_of_one_run_that_no_program_can_be_given(self):
        self.add("a", command=["true"])
        self.add("full", command=["true"], env={f"OWN{i}": "x" * 100_000 for i in range(32)})
        for job, env, word in (("a", {"BIG": "x" * 200_000}, "BIG"), ("a", {"N" * 200_000: ""}, "NNN"),
                               ("full", {f"V{i}": "x" * 100_000 for i in range(32)}, "6291456")):
            message = self.refused("invalid_argument", self.client.call, "job.run", id=job, env=env)
            self.assertIn(word, message)
        run = self.run_job("a")
        self.assertEqual((run["state"], run["run"]), ("success", 1), "nothing was begun, or counted")
        status, _, text = self.server.ctl("run", "a", "-e", "BIG=" + "x" * 130_900, "-w")
        self.assertEqual(status, 0, text)

    def test_an_account_that_is_not_here(self):
        """Refused where it is named; a job from another scheduler is taken and told of, and its runs say why."""
        for user, reason in (("nosuchuser", "no such user"), (f"{os.getuid()}:nosuchgroup", "no such group")):
            self.assertIn(reason, self.refused("invalid_argument", self.add, "a", user=user))
            job = {"id": "a", "command": ["true"], "trigger": {"type": "manual"}, "user": user}
            self.assertIn(reason, self.refused("invalid_argument", self.client.call, "job.apply", jobs=[job]))
            row = self.client.call("job.import", jobs=[job])[0]
            self.assertEqual(row["action"], "added")
            self.assertIn(reason, row["warning"])
            run = self.run_job("a")
            self.assertEqual((run["state"], run["exit_code"], run["signal"]), ("failed", None, None), run)
            self.assertTrue(run["reason"].endswith(reason), run["reason"])
            # What it names already is in nobody's way.
            self.assertEqual(self.client.call("job.modify", id="a", priority=3)["priority"], 3)
            self.assertIn("nosuch", self.refused("invalid_argument", self.client.call, "job.modify", id="a", user="nosuch"))
            self.assertIsNone(self.client.call("job.modify", id="a", user=None)["user"])
            self.client.call("job.remove", id="a")

    def test_a_secret_that_cannot_be_read(self):
        large, there = self.server.dir / "large", self.server.dir / "there"
        there.write_text("secret")
        with open(large, "wb") as file:
            file.truncate((1 << 20) + 1)
        for path, reason in (("/missing", "No such file or directory"), (str(self.server.dir), "Is a directory"), (str(large), "File too large")):
            message = self.refused("invalid_argument", self.add, "a", secrets={"PW": path})
            self.assertTrue("secret PW: " + path in message and reason in message, message)
        self.add("a", secrets={"PW": str(there)})
        there.unlink()
        self.assertIn("No such file", self.run_job("a")["reason"])
        self.assertEqual(self.client.call("job.modify", id="a", priority=3)["priority"], 3)
        self.refused("invalid_argument", self.client.call, "job.modify", id="a", secrets={"PW": str(there), "KEY": "/missing"})

    def test_what_cannot_be_ended(self):
        self.add("a")
        self.run_job("a")
        self.refused("conflict", self.client.call, "run.kill", run="a/1")
        self.refused("conflict", self.client.call, "run.kill", run="a")
        self.refused("not_found", self.client.call, "run.kill", run="a/2")
        self.refused("not_found", self.client.call, "run.kill", run="b")
        self.refused("not_found", self.client.call, "run.retry", run="a/2")
        once = self.client.call("job.add", command=["true"])["id"]
        self.assertEqual(self.client.call("run.wait", run=once)["state"], "success")
        self.assertIn("not going on", self.refused("conflict", self.client.call, "run.kill", run=f"{once}/1"))
        self.add("b", command=["sleep", "100"])
        self.begin("b")
        self.refused("invalid_argument", self.client.call, "run.kill", run="b", signal="SIGFOO")
        self.refused("invalid_argument", self.client.call, "job.add", id="c", command=["true"], kill_signal="FOO")
        self.client.call("run.wait", run="b/1", **{"for": "running"})
        self.client.call("run.kill", run="b", signal="SIGUSR1")
        self.assertEqual(self.client.call("run.wait", run="b/1")["signal"], 10)

    def test_who_cannot_be_told(self):
        for target in ("/no/such/program x", "no-such-program-at-all", "ftp://example.org/", "mail:", "https://"):
            self.refused("invalid_argument", self.add, "a", notify={"failure": [target]})
        for target in ("exit 3", "cat > /dev/null", "FOO=1 no-such-program", "$HOOK", "/bin/cat", "[ -e /x ]"):
            self.add(f"ok-{abs(hash(target))}", notify={"failure": [target]})

    def test_overlap_is_one_row(self):
        self.add("a", command=["sleep", "100"], trigger={"every": "50ms"})
        row = e2e.wait_until("some are skipped", lambda: [
            r for r in self.client.call("run.list", jobs=["a"], states=["skipped"])["runs"] if r["count"] > 3])[0]
        self.assertEqual(row["reason"], "run a/1 still going")
        self.assertEqual(row["until"] - row["scheduled_at"], (row["count"] - 1) * 50_000)
        self.client.call("job.pause", id="a")
        self.client.call("run.kill", run="a/1")

    def test_a_queued_run_says_what_it_waits_for(self):
        self.add("a", command=["sleep", "100"], overlap="queue")
        self.begin("a")
        self.begin("a")
        code, out, _ = self.server.ctl("history", "a")
        self.assertEqual(code, 0)
        self.assertIn("waits for run a/1 to end", out)
        self.assertEqual(self.client.call("job.get", id="a")["queued"], 1)
        self.client.call("run.kill", run="a")
        self.assertEqual([r["state"] for r in self.client.call("run.list", jobs=["a"])["runs"]][0], "cancelled")


class Events(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()
        self.watcher = self.server.client()
        self.watcher.call("event.subscribe")

    def until(self, name, job=None):
        """The events up to that one."""
        events = []
        while not events or events[-1]["event"] != name or (job and events[-1]["job"] != job):
            events.append(self.watcher.notification()[1])
        return events

    def test_of_a_run_in_order(self):
        self.client.call("job.add", id="once", shell="exit $((1 - SCHEDD_ATTEMPT))", trigger={"at": "now"})
        events = self.until("job_removed")
        self.assertEqual([e["event"] for e in events], ["job_added", "job_submitted", "run_started", "job_executed", "job_removed"])
        for event in events:
            self.assertEqual([key for key in event if key in EVENT], EVENT)
            self.assertEqual((event["job"], event["store"]), ("once", "default"))
            self.assertEqual(event["code"], CODES.get(event["event"], event["code"]))
        self.assertEqual([e["seq"] for e in events], list(range(events[0]["seq"], events[0]["seq"] + 5)))
        self.assertEqual([e["run"] for e in events], [None, "once/1", "once/1", "once/1", None])
        self.assertEqual((events[0]["uid"], events[0]["pid"], events[0]["method"]), (os.getuid(), os.getpid(), "job.add"))
        self.assertEqual((events[3]["exit_code"], events[3]["scheduled_at"]), (0, events[1]["scheduled_at"]))

    def test_of_a_run_that_fails_and_one_that_is_killed(self):
        self.client.call("job.add", id="a", shell="exit 3", retry={"limit": 1, "delay": 0.01}, trigger={"type": "manual"})
        self.client.call("job.run", id="a")
        self.assertEqual([e["event"] for e in self.until("job_error")],
                         ["job_added", "job_submitted", "run_started", "run_retrying", "job_error"])
        self.client.call("job.modify", id="a", command=["sleep", "100"])
        self.client.call("job.run", id="a")
        self.until("run_started")
        self.client.call("run.kill", run="a")
        events = self.until("job_error")
        self.assertEqual([e["event"] for e in events], ["run_killed", "job_error"])
        self.assertEqual((events[1]["signal"], events[1]["exit_code"]), (15, None))
        self.assertIn("killed by uid", events[1]["error"])

    def test_of_everything_else(self):
        self.client.call("job.add", id="busy", command=["sleep", "100"], trigger={"every": "50ms"})
        seen = {e["event"]: e for e in self.until("job_max_instances")}
        self.client.call("scheduler.pause")
        self.client.call("scheduler.resume")
        self.client.call("store.add", name="more", type="memory")
        self.client.call("executor.add", name="few", type="subprocess", max_workers=1)
        self.client.call("job.add", id="x", command=["true"], store="more", trigger={"type": "manual"})
        self.client.call("job.remove", id="x")
        self.client.call("store.remove", name="more")
        self.client.call("executor.remove", name="few")
        events = self.until("executor_removed")
        seen.update((e["event"], e) for e in events)
        names = [e["event"] for e in events if e["event"] in ("job_removed", "all_jobs_removed", "jobstore_removed")]
        self.assertEqual(names, ["job_removed", "all_jobs_removed", "jobstore_removed"])
        self.assertEqual((seen["all_jobs_removed"]["store"], seen["all_jobs_removed"]["method"]), ("more", "job.remove"))
        self.client.call("job.modify", id="busy", misfire_grace_time=0.001, overlap="queue", max_instances=1)
        seen.update((e["event"], e) for e in self.until("job_modified"))
        self.client.call("run.kill", run="busy")
        # In either order: its process takes its time to end.
        for name in ("job_error", "job_missed"):
            if name not in seen:
                seen.update((e["event"], e) for e in self.until(name))
        self.client.call("job.remove", id="busy", kill=True)
        seen.update((e["event"], e) for e in self.until("all_jobs_removed"))
        for name in set(CODES) - {"scheduler_started", "scheduler_shutdown", "job_executed"}:
            self.assertIn(name, seen)
            self.assertEqual(seen[name]["code"], CODES[name])
        for name in ("scheduler_paused", "scheduler_resumed", "executor_added", "executor_removed", "jobstore_added",
                     "jobstore_removed", "all_jobs_removed", "job_added", "job_modified", "job_removed"):
            self.assertEqual((seen[name]["uid"], seen[name]["pid"]), (os.getuid(), os.getpid()), name)
            self.assertTrue(seen[name]["method"], name)
        self.server.stop()
        events = []
        try:
            while True:
                events.append(self.watcher.notification()[1])
        except (EOFError, OSError):
            pass
        self.assertEqual(([e["event"] for e in events] or [None])[-1], "scheduler_shutdown")

    def test_numbers_go_on_after_a_restart(self):
        self.client.call("job.add", id="a", command=["true"], trigger={"type": "manual"})
        last = self.until("job_added")[-1]["seq"]
        for number in (15, 9):
            self.server.stop(number)
            self.server.start()
            watcher = self.server.client()
            watcher.call("event.subscribe", since=last)
            event = watcher.notification()[1]
            self.assertGreater(event["seq"], last)
            last = event["seq"]


if __name__ == "__main__":
    unittest.main()
