# SPDX-License-Identifier: MIT
"""Memory that runs out: for every allocation that a request needs, the request with that one failing. The daemon lives,
answers (with the error, or by closing the connection), and the change was made whole or not at all."""
import unittest

import e2e
from alloc_case import DONE, MOST, REFUSED, UNKNOWN, AllocCase


class Exhausted(AllocCase):
    def test_requests_that_ask(self):
        self.d.start(**self.env)
        self.plain = self.client()
        self.plain.call("job.add", id="a", shell="echo x; exit 1", trigger={"every": "1h"}, tags={"k": "v"})
        run = self.plain.call("job.run", id="a")["run"]
        self.plain.call("run.wait", run=run)
        for method, params in (
                ("server.hello", {"client": "t", "protocol": 1}), ("server.status", {}), ("server.stats", {}),
                ("job.get", {"id": "a"}), ("job.get", {"id": "b"}), ("job.list", {}), ("job.list", {"fields": ["id", "trigger"]}),
                ("job.export", {}), ("job.why", {"id": "a"}), ("run.list", {}), ("run.list", {"jobs": ["a"], "limit": 1}),
                ("run.get", {"run": run}), ("run.log", {"run": run}), ("run.wait", {"run": run}), ("group.list", {}),
                ("trigger.next", {"id": "a"}), ("trigger.next", {"trigger": {"any": [{"cron": "0 0 * * *"}, {"every": "2h"}]}, "n": 20}),
                ("event.subscribe", {"since": 0}), ("store.list", {}), ("store.check", {"name": "default"}), ("store.move", {"jobs": ["a"], "to": "default"}), ("executor.list", {}), ("config.get", {}),
                ("job.lst", {}), ("job.add", {"id": "../x"})):
            with self.subTest(method=method):
                if method in ("job.lst",) or params.get("id") in ("b", "../x"):
                    for nth in range(1, 60):
                        if not self.once(nth, method, params)[0]:
                            break
                else:
                    self.each(method, **params)

    def test_requests_that_change(self):
        self.d.start(**self.env)
        self.plain = self.client()
        # More than one growth of the list of fields: none may be lost on the way.
        job = {"shell": "true", "trigger": {"cron": "0 3 * * mon-fri", "timezone": "UTC"}, "env": {"A": "b"}, "timeout": 60,
               "kill_after": 3, "umask": "022", "max_instances": 2, "coalesce": "all", "success_codes": [0, 3], "overlap": "queue",
               "notify": {"failure": ["/bin/true"]}, "keep": True, "keep_runs": 7, "name": "x", "priority": 3, "group": "g",
               "tags": {"k": "v"}, "retry": {"limit": 2}}

        def agrees(outcome, done):
            self.assertIn(outcome, (DONE if done else REFUSED, UNKNOWN), "the answer is not what was done")

        def whole(outcome):
            found = self.exists("n")
            agrees(outcome, found is not None)
            if found:
                self.assertEqual((found["shell"], found["tags"], found["retry"]["limit"]), ("true", {"k": "v"}, 2))
                for field in ("env", "timeout", "kill_after", "umask", "max_instances", "coalesce", "overlap", "keep", "keep_runs",
                              "name", "priority", "group"):
                    self.assertEqual(found[field], job[field], field)

        self.each("job.add", before=lambda: self.clear("n"), after=whole, id="n", **job)
        self.clear("n")
        self.plain.call("job.add", id="m", **job)
        self.each("job.modify", before=lambda: self.plain.call("job.modify", id="m", name=None),
                  after=lambda outcome: agrees(outcome, self.exists("m")["name"] == "new"), id="m", name="new")
        self.each("job.pause", before=lambda: self.plain.call("job.resume", id="m"),
                  after=lambda outcome: agrees(outcome, self.exists("m")["paused"]), id="m", reason="why")
        self.each("job.resume", before=lambda: self.plain.call("job.pause", id="m"),
                  after=lambda outcome: agrees(outcome, not self.exists("m")["paused"]), id="m")

        def moved(outcome):
            self.assertNotEqual(self.exists("m") is None, self.exists("q") is None)
            agrees(outcome, self.exists("q") is not None)
            if self.exists("q"):
                self.plain.call("job.rename", id="q", to="m")

        self.each("job.rename", after=moved, id="m", to="q")

        def add():
            if not self.exists("n"):
                self.plain.call("job.add", id="n", **job)

        self.each("job.remove", before=add, after=lambda outcome: agrees(outcome, self.exists("n") is None), id="n")
        both = [dict(job, id="x"), dict(job, id="y")]

        def applied(outcome):
            self.assertEqual(self.exists("x") is None, self.exists("y") is None, "half of it was done")
            agrees(outcome, self.exists("x") is not None)

        self.each("job.apply", before=lambda: self.clear("x", "y"), after=applied, jobs=both)
        self.each("job.reschedule", id="m", trigger={"any": [{"every": "2h"}, {"cron": "0 0 * * *"}], "timezone": "UTC"})
        self.each("group.set", name="g", parallel=3)
        self.each("job.import", jobs=both, if_absent=True, dry_run=True)
        self.each("server.backup", path=str(self.d.dir / "copy"), before=lambda: (self.d.dir / "copy").unlink(missing_ok=True))
        logical = self.d.dir / "logical"
        self.each("server.backup", path=str(logical), logical=True, before=lambda: logical.unlink(missing_ok=True))
        logical.unlink(missing_ok=True)
        self.plain.call("server.backup", path=str(logical), logical=True)
        self.each("server.restore", path=str(logical), replace=True,
                  after=lambda outcome: self.assertEqual(self.exists("m")["group"], "g"))
        self.each("server.reload")
        for part, params in (("store", {"type": "memory"}), ("executor", {"type": "subprocess"})):
            def there(part=part):
                return any(one["name"] == "more" for one in self.plain.call(f"{part}.list"))

            def remove(part=part, there=there):
                if there():
                    self.plain.call(f"{part}.remove", name="more")

            def make(part=part, there=there, params=params):
                if not there():
                    self.plain.call(f"{part}.add", name="more", **params)

            self.each(f"{part}.add", before=remove, after=lambda outcome, there=there: agrees(outcome, there()), name="more", **params)
            self.each(f"{part}.remove", before=make, after=lambda outcome, there=there: agrees(outcome, not there()), name="more")
        def whole(outcome):
            self.assertIn(self.exists("m")["store"], ("default", "memory"))
            self.assertEqual(self.exists("m")["group"], "g")

        self.each("store.move", before=lambda: self.plain.call("store.move", jobs=["m"], to="default"), after=whole, jobs=["m"],
                  to="memory")
        self.plain.call("store.move", jobs=["m"], to="default")
        self.each("store.copy", before=lambda: self.plain.call("store.copy", **{"from": "memory"}, to="default"), to="memory",
                  **{"from": "default"})
        self.plain.call("store.copy", **{"from": "memory"}, to="default")
        self.plain.call("job.add", id="long", shell="sleep 600", trigger={"type": "manual"}, max_instances=1000)
        begun = []

        def begin():
            """Its start is over when allocations fail: what they are of is the end."""
            begun.append(self.plain.call("job.run", id="long")["run"])
            self.plain.call("run.wait", run=begun[-1], **{"for": "running"})

        self.each("run.kill", before=begin, run="long")

        def ended():
            """Those whose kill was refused are still to be killed."""
            for run in begun:
                try:
                    self.plain.call("run.kill", run=run, signal="KILL")
                except e2e.RpcError:
                    pass
            return not self.exists("long")["running"]
        e2e.wait_until("nothing goes on", ended)
        self.each("run.purge", run="long")
        self.assertEqual(self.plain.call("run.list", jobs=["long"])["runs"], [])
        self.each("scheduler.pause")
        self.each("scheduler.resume")
        self.assertIsNotNone(self.exists("m"))

    def test_requests_of_further_kinds(self):
        self.d.start(**self.env)
        self.plain = self.client()
        plain = self.plain.call
        plain("job.add", id="a", shell="exit 1", trigger={"every": "1h"}, tags={"k": "v"}, group="g", max_instances=1000)
        run = plain("job.run", id="a")["run"]
        plain("run.wait", run=run)

        def without(what, remove, name):
            if any(row["name"] == name for row in plain(what)):
                plain(remove, name=name)

        one, two = {"id": "p", "shell": "true", "trigger": {"every": "1h"}}, {"id": "q", "command": ["x"], "trigger": {"cron": "0 0 * * *"}}
        for method, before, params in (
                ("job.apply", lambda: self.clear("p", "q"), {"jobs": [one, two], "owner": "o", "prune": True}),
                ("job.apply", lambda: self.clear("p"), {"apply": "t", "jobs": [one], "last": True}),
                ("job.import", None, {"jobs": [one], "replace": True}), ("job.reschedule", None, {"id": "a", "trigger": {"every": "2h"}}),
                ("group.set", None, {"name": "g", "parallel": 500}), ("run.retry", None, {"run": run}), ("run.purge", None, {"run": run}),
                ("executor.add", lambda: without("executor.list", "executor.remove", "e"), {"name": "e", "type": "threadpool"}),
                ("store.add", lambda: without("store.list", "store.remove", "s"), {"name": "s", "type": "memory"}),
                ("server.reload", None, {}), ("run.list", None, {"limit": 10000, "jobs": ["a*"], "states": ["failed"]}),
                ("event.subscribe", None, {"events": ["job_added"], "jobs": ["a*"], "tags": ["k=v"]}),
                ("job.list", None, {"order": "next", "patterns": ["a*", "k"], "tags": ["k"]})):
            with self.subTest(method=method):
                self.each(method, before=before, **params)

    def test_runs_end_and_are_recorded(self):
        self.d.start(**self.env)
        self.plain = self.client()
        self.plain.call("job.add", id="r", shell="echo out", trigger={"type": "manual"}, max_instances=1000)
        self.plain.call("job.add", id="after", shell="true", trigger={"type": "manual"}, after=["r:any"])
        begun = 0
        for nth in range(1, MOST):
            client = self.client()
            client.call("server.ping")
            self.arm(nth)
            try:
                run = client.call("job.run", id="r")["run"]
                ended = client.call("run.wait", run=run)["state"]
            except (e2e.RpcError, EOFError, ConnectionError):
                run = None
            fired = self.disarm()
            client.close()
            self.assertIsNone(self.d.process.poll(), f"schedd ended with allocation {nth}")
            if run:
                begun += 1
                with self.subTest(nth=nth):
                    self.assertIn(ended, ("success", "failed"))
            if not fired:
                self.assertEqual(ended, "success")
                break
        self.plain.call("run.list", jobs=["r"], limit=1000)
        e2e.wait_until("no run goes on", lambda: not any(job["running"] for job in self.plain.call("job.list")["jobs"]))
        runs = self.plain.call("run.list", jobs=["r"], limit=2000)["runs"]
        self.assertGreaterEqual(len(runs), begun)
        self.assertTrue(all(run["ended_at"] for run in runs), "a run has no end")
        self.assertEqual(self.d.stop(), 0)

    def test_a_start_works_or_says_why_not(self):
        self.d.start(**self.env)
        client = self.client()
        for i in range(5):
            client.call("job.add", id=f"j{i}", shell="true", trigger={"cron": "0 3 * * *"}, tags={"n": str(i)})
        self.d.stop()
        self.each_start(lambda client: self.assertEqual(len(client.call("job.list")["jobs"]), 5), step=6)


if __name__ == "__main__":
    unittest.main()
