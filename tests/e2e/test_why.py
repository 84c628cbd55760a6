# SPDX-License-Identifier: MIT
"""Why a job did or did not run: now, and at a time that is past."""
import json
import os
import time
import unittest

import e2e


class Why(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()

    def add(self, name, **fields):
        fields = {"shell": "true", "trigger": {"every": "1h"}, **fields}
        return self.client.call("job.add", id=name, **fields)

    def why(self, name, *arguments):
        code, out, err = self.server.ctl("why", name, *arguments)
        self.assertEqual(code, 0, err)
        self.assertLess(len(out.splitlines()), 45, "more than a screen")
        return out

    def test_paused(self):
        self.add("a")
        self.assertEqual(self.server.ctl("pause", "a", "--reason", "upgrade")[0], 0)
        self.assertIn(f"paused by uid {os.getuid()}: upgrade", self.why("a"))
        self.assertIn("job.pause", self.why("a"))

    def test_scheduler_paused(self):
        self.add("a")
        self.client.call("scheduler.pause")
        self.assertIn(f"scheduler paused by uid {os.getuid()}", self.why("a"))
        self.assertEqual(self.client.call("server.status")["state"], "paused")

    def test_missed_while_down(self):
        self.add("a", trigger={"every": "200ms"}, misfire_grace_time=0.1)
        self.server.stop(9)
        time.sleep(1)
        self.server.start()
        self.client = self.server.client()
        e2e.wait_until("the miss", lambda: self.client.call("run.list", jobs=["a"], states=["missed"])["runs"])
        self.client.call("job.pause", id="a")
        text = json.dumps(self.client.call("run.list", jobs=["a"], states=["missed"]), ensure_ascii=False)
        self.assertIn("daemon down ", text)
        self.assertIn("last downtime", self.why("a"))

    def test_skipped_by_overlap(self):
        self.add("a", shell="sleep 100", trigger={"every": "100ms"})
        e2e.wait_until("a skip", lambda: self.client.call("run.list", jobs=["a"], states=["skipped"])["runs"])
        text = self.why("a")
        self.assertIn("run a/1 still going", text)
        self.assertIn("run a/1 is running", text)
        self.client.call("job.pause", id="a")
        self.client.call("run.kill", run="a")

    def test_failed(self):
        self.add("a", shell="exit 7")
        self.client.call("run.wait", run=self.client.call("job.run", id="a")["run"])
        self.assertIn("exit code 7", self.why("a"))

    def test_never_due(self):
        self.add("a", trigger={"type": "manual"})
        self.assertIn("does not fire by the clock", self.why("a"))
        self.add("b")
        self.assertIn("next fire", self.why("b"))

    def test_removed(self):
        self.add("a")
        self.client.call("run.wait", run=self.client.call("job.run", id="a")["run"])
        self.client.call("job.remove", id="a")
        text = self.why("a")
        self.assertIn("job_removed", text)
        self.assertIn("a/1", text)

    def at(self, name, seconds):
        """The answer for a time that is past, as a map."""
        return self.client.call("job.why", id=name, at=int(seconds * 1e6))

    def moment(self):
        """A time that whatever follows is later than."""
        now = time.time()
        e2e.wait_until("the clock goes on", lambda: time.time() > now + 0.002)
        return now + 0.001

    def test_looks_back_at_pauses(self):
        self.add("a")
        self.add("b", store="memory")
        for name in ("a", "b"):
            free = self.moment()
            self.client.call("job.pause", id=name, reason="upgrade")
            held = self.moment()
            self.client.call("job.resume", id=name)
            again = self.moment()
            self.client.call("job.modify", id=name, paused=True, paused_reason="by a change")
            changed = self.moment()
            self.client.call("job.modify", id=name, paused=False)
            text = f"paused by uid {os.getuid()}: upgrade"
            self.assertIn(text, self.at(name, held)["facts"])
            self.assertEqual(self.at(name, held)["state"], "paused")
            self.assertIn(f"paused by uid {os.getuid()}: by a change", self.at(name, changed)["facts"])
            for moment in (free, again):
                self.assertEqual([f for f in self.at(name, moment)["facts"] if "paused" in f], [])
                self.assertEqual(self.at(name, moment)["state"], "waiting")
            self.assertEqual([c["method"] for c in self.at(name, held)["changes"]], ["job.pause", "job.add"])
        self.server.stop(9)
        self.server.start()
        self.client = self.server.client()
        self.client.call("job.pause", id="a", reason="later")
        self.client.call("job.remove", id="a")
        self.assertEqual([f for f in self.at("a", again)["facts"] if "later" in f], [])

    def test_looks_back_at_the_scheduler(self):
        self.add("a", group="io")
        free = self.moment()
        self.client.call("scheduler.pause")
        held = self.moment()
        self.client.call("scheduler.resume")
        self.client.call("group.set", name="io", parallel=2)
        limited = self.moment()
        self.client.call("group.set", name="io", parallel=7)
        text = f"scheduler paused by uid {os.getuid()}"
        self.assertIn(text, self.at("a", held)["facts"])
        for moment in (free, limited):
            self.assertNotIn(text, self.at("a", moment)["facts"])
        self.assertIn("group io had a limit of 2 at a time", self.at("a", limited)["facts"])
        self.assertFalse([f for f in self.at("a", held)["facts"] if "limit" in f])
        up = self.moment()
        self.server.stop()
        down = self.moment()
        self.server.start()
        self.client = self.server.client()
        self.client.call("scheduler.pause")
        self.assertFalse([f for f in self.at("a", up)["facts"] if "down" in f or "paused" in f])
        facts = self.at("a", down)["facts"]
        self.assertTrue([f for f in facts if f.startswith("daemon down ")], facts)
        self.assertIn(text, self.at("a", self.moment())["facts"])

    def test_looks_back_at_the_definition(self):
        before = self.moment()
        self.add("a", trigger={"cron": "0 3 * * *", "timezone": "UTC"})
        nightly = self.moment()
        self.client.call("job.modify", id="a", trigger={"every": "1m", "start": "2026-01-01T00:00:00Z"}, max_instances=3)
        minutely = self.moment()
        self.client.call("job.modify", id="a", trigger={"type": "manual"})
        self.assertIn("03:00", self.at("a", nightly)["trigger_words"])
        answer = self.at("a", minutely)
        self.assertEqual(answer["next_fire"] - answer["previous_fire"], 60_000_000)
        self.assertEqual([c.get("fields") for c in answer["changes"]], [["trigger", "max_instances"], None])
        # Maps as of events: what they have none of is null, though no store keeps that.
        self.assertEqual([(c["run"], c["exit_code"], c["error"]) for c in answer["changes"]], [(None, None, None)] * 2)
        self.assertTrue([f for f in self.at("a", before)["facts"] if f.startswith("there was no such job then: it was added")])
        self.assertEqual(self.at("a", before)["state"], "not there")

    def test_looks_back_at_runs(self):
        self.client.call("group.set", name="io", parallel=1)
        self.add("a", group="io", shell="read x < go", cwd=str(self.server.dir), overlap="queue")
        self.add("b", group="io")
        os.mkfifo(self.server.dir / "go")
        first = self.client.call("job.run", id="a")["run"]
        self.client.call("run.wait", run=first, **{"for": "running"})
        self.client.call("job.run", id="b")
        moment = self.moment()
        for text in (self.at("b", moment)["facts"],):
            self.assertTrue([f for f in text if f.startswith("run a/1 was running") and "group io" in f], text)
        (self.server.dir / "go").write_text("x\n")
        self.client.call("run.wait", run="b/1")
        facts = self.at("b", moment)["facts"]
        self.assertTrue([f for f in facts if f.startswith("run a/1 was running") and "group io" in f], facts)
        self.assertTrue([f for f in facts if f.startswith("run b/1 was waiting for its turn")], facts)
        facts = self.at("a", moment)["facts"]
        self.assertTrue([f for f in facts if f.startswith("run a/1 was running") and "max_instances 1" in f], facts)

    def test_looks_back_at_misses(self):
        self.add("a", trigger={"every": "100ms"}, misfire_grace_time=0.01)
        self.add("c", trigger={"every": "100ms"}, max_instances=100, misfire_grace_time=600)  # however long the start takes
        e2e.wait_until("a run", lambda: self.client.call("run.list", jobs=["c"])["runs"])
        self.server.stop(9)
        time.sleep(0.5)
        moment = self.moment()
        time.sleep(0.3)
        self.server.start()
        self.client = self.server.client()
        e2e.wait_until("the miss", lambda: self.client.call("run.list", jobs=["a"], states=["missed"])["runs"])
        facts = self.at("a", moment)["facts"]
        self.assertTrue([f for f in facts if f.startswith("its fire time ") and "missed (daemon down" in f], facts)
        facts = e2e.wait_until("the run that made up for it", lambda: [
            f for f in self.at("c", moment)["facts"] if "was made up for by c/" in f])
        self.assertEqual(len(facts), 1)

    def test_looks_back_at_what_came_late(self):
        """What makes up for a fire time may come long after that which held it was over."""
        self.add("c", trigger={"every": "100ms"}, max_instances=100, misfire_grace_time=600)
        e2e.wait_until("a run", lambda: self.client.call("run.list", jobs=["c"])["runs"])
        self.client.call("scheduler.pause")
        self.client.call("job.pause", id="c")
        time.sleep(0.3)
        moment = self.moment()
        time.sleep(0.3)
        self.client.call("scheduler.resume")
        time.sleep(0.3)
        self.client.call("job.resume", id="c", run_missed=True)
        facts = e2e.wait_until("the run that made up for it", lambda: [
            f for f in self.at("c", moment)["facts"] if "was made up for by c/" in f])
        self.assertEqual(len(facts), 1, facts)
        self.assertIn(facts[0].split("by ")[1].split(":")[0], [run["id"] for run in self.at("c", moment)["runs"]])
        # Nor is every run that stands for others one that stands for this.
        self.client.call("job.pause", id="c")
        e2e.wait_until("its last", lambda: self.client.call("job.get", id="c")["state"] == "paused")
        time.sleep(0.3)
        moment = self.moment()
        time.sleep(0.3)
        self.client.call("job.resume", id="c")
        first = self.client.call("run.list", jobs=["c"])["runs"][0]["run"]
        e2e.wait_until("a run again", lambda: self.client.call("run.list", jobs=["c"])["runs"][0]["run"] > first)
        self.client.call("scheduler.pause")
        time.sleep(0.5)
        self.client.call("scheduler.resume")
        e2e.wait_until("one for some", lambda: [r for r in self.client.call("run.list", jobs=["c"])["runs"] if r["run"] > first and r["coalesced"] > 1])
        self.assertEqual([f for f in self.at("c", moment)["facts"] if "made up for" in f], [])


if __name__ == "__main__":
    unittest.main()
