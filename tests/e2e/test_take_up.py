# SPDX-License-Identifier: MIT
"""Runs that have not begun: taken up by the next life, gone with their job, held by a pause."""
import collections
import signal
import unittest

import e2e


class TakeUp(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(config="executors: {default: {type: subprocess, max_workers: 2}}\n")
        self.client = self.server.client()
        self.out = self.server.dir / "out"
        self.go = self.server.dir / "go"

    def again(self, number):
        self.server.stop(number)
        self.server.start()
        self.client = self.server.client()

    def states(self, name):
        return [run["state"] for run in reversed(self.client.call("run.list", jobs=[name])["runs"])]

    def lines(self):
        return collections.Counter(self.out.read_text().splitlines()) if self.out.exists() else {}

    def add(self, name, **fields):
        """A job that says its run and ends when the file go is there."""
        self.client.call("job.add", id=name, trigger={"type": "manual"},
                         shell=f'echo "$SCHEDD_RUN" >> {self.out}; until [ -e {self.go} ]; do sleep 0.05; done', **fields)

    def waiting(self):
        """Runs that wait for an instance, a group, a worker, and a retry."""
        self.client.call("job.add", id="retries", trigger={"type": "manual"}, retry={"limit": 1, "delay": 2},
                         shell=f'echo "$SCHEDD_RUN $SCHEDD_ATTEMPT" >> {self.out}; [ $SCHEDD_ATTEMPT = 2 ]')
        self.client.call("job.run", id="retries")
        e2e.wait_until("it retries", lambda: self.states("retries") == ["retrying"])
        self.client.call("group.set", name="io", parallel=1)
        self.add("group", group="io")
        self.add("instance", overlap="queue")
        self.add("worker")
        self.add("mate", group="io")
        self.client.call("job.run", id="group")
        self.client.call("job.run", id="instance")
        e2e.wait_until("two go on", lambda: len(self.lines()) == 3)
        for name in ("instance", "worker", "mate"):
            self.client.call("job.run", id=name)
        self.assertEqual(self.states("instance"), ["running", "queued"])
        self.assertEqual(self.states("worker"), ["queued"])
        self.assertEqual(self.states("mate"), ["queued"])

    def check_taken_up(self, begun):
        self.go.touch()
        for name, expect in (("instance", [begun, "success"]), ("worker", ["success"]), ("mate", ["success"]),
                             ("retries", ["success"]), ("group", [begun])):
            e2e.wait_until(f"{name} has run", lambda: self.states(name) == expect, 60)
        lines = self.lines()
        self.assertEqual({line for line, count in lines.items() if count > 1}, set(), "begun twice")
        self.assertEqual(set(lines), {"retries/1 1", "retries/1 2", "group/1", "instance/1", "instance/2", "worker/1",
                                      "mate/1"})

    def test_a_crash_loses_nothing_that_had_not_begun(self):
        self.waiting()
        self.again(signal.SIGKILL)
        self.check_taken_up("lost")

    def test_a_stop_keeps_what_had_not_begun(self):
        self.waiting()
        self.server.process.terminate()
        e2e.wait_until("it stops", lambda: "stopping" in self.server.log.read_text())
        self.go.touch()
        self.assertEqual(self.server.process.wait(30), 0)
        self.go.unlink()
        self.server.start()
        self.client = self.server.client()
        self.check_taken_up("success")

    def test_a_job_that_runs_once_stays_until_it_has_run(self):
        for name in ("a", "b", "once"):
            self.client.call("job.add", id=name,
                             shell=f'echo $SCHEDD_RUN >> {self.out}; until [ -e {self.go} ]; do sleep 0.05; done')
        e2e.wait_until("two go on", lambda: len(self.lines()) == 2)
        self.again(signal.SIGKILL)
        e2e.wait_until("it runs", lambda: self.lines().get("once/1") == 1)
        self.go.touch()
        e2e.wait_until("it is gone", lambda: self.client.call("job.list")["jobs"] == [])
        self.assertEqual(self.states("once"), ["success"])

    def test_a_job_that_is_removed_runs_no_more(self):
        self.waiting()
        self.client.call("scheduler.pause")
        self.add("z")
        self.client.call("job.run", id="z")
        for name in ("z", "worker", "mate", "retries"):
            self.assertEqual(self.server.ctl("rm", "-y", name), (0, "", f"Removed {name}.\n"))
        code, _, said = self.server.ctl("rm", "-y", "instance")
        self.assertEqual(code, 0)
        self.assertIn("1 run goes on", said)
        self.client.call("scheduler.resume")
        self.go.touch()
        for name in ("group", "instance"):
            e2e.wait_until("what goes on ends", lambda: self.states(name)[0] == "success")
        self.assertEqual(self.states("z"), ["cancelled"])
        self.assertEqual(self.states("worker"), ["cancelled"])
        self.assertEqual(self.states("mate"), ["cancelled"])
        self.assertEqual(self.states("instance"), ["success", "cancelled"])
        self.assertEqual(self.states("retries"), ["failed"])
        reason = self.client.call("run.list", jobs=["z"])["runs"][0]["reason"]
        self.assertIn("its job was removed", reason)
        self.again(signal.SIGTERM)
        self.assertEqual(set(self.lines()), {"retries/1 1", "group/1", "instance/1"})

    def test_a_pause_holds_what_has_not_begun(self):
        self.waiting()
        for name in ("worker", "retries"):
            self.client.call("job.pause", id=name)
        code, out, _ = self.server.ctl("why", "worker")
        self.assertEqual(code, 0)
        self.assertIn("held: paused", out)
        self.go.touch()
        e2e.wait_until("the others have run", lambda: self.states("instance") == ["success", "success"])
        e2e.wait_until("its delay is over", lambda: "held: paused" in self.server.ctl("why", "retries")[1])
        self.assertEqual(self.states("worker"), ["queued"])
        for name in ("worker", "retries"):
            self.client.call("job.resume", id=name)
            e2e.wait_until("it goes on", lambda: self.states(name) == ["success"])


if __name__ == "__main__":
    unittest.main()
