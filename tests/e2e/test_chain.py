# SPDX-License-Identifier: MIT
"""Jobs that run after others: once each, whatever schedd goes through in between.
SCHEDD_KILLS and SCHEDD_SEED set how often it is killed, and when."""
import collections
import os
import random
import signal
import sqlite3
import time
import unittest

import e2e

KILLS = int(os.environ.get("SCHEDD_KILLS", "30"))
SEED = int(os.environ.get("SCHEDD_SEED", str(random.randrange(1 << 30))))
ENDS = ("success", "failed", "timeout", "killed", "lost")


class Chain(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(start=False)

    def begin(self, config=""):
        self.server.config.write_text(config)
        self.server.start()
        self.client = self.server.client()

    def again(self, number=signal.SIGKILL):
        self.server.stop(number)
        self.server.start()
        self.client = self.server.client()

    def rows(self, question, database="default.db"):
        with sqlite3.connect(f"file:{self.server.state / database}?mode=ro", uri=True) as connection:
            return connection.execute(question).fetchall()

    def notes(self, database="default.db"):
        return self.rows("SELECT key FROM meta WHERE key LIKE 'after.%'", database)

    def states(self, name):
        return [run["state"] for run in self.client.call("run.list", jobs=[name])["runs"]]

    def test_a_chain_outlives_any_crash(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        rng = random.Random(SEED)
        self.begin()
        for name, after in (("ok", "first"), ("any", "first:any"), ("last", "ok")):
            self.client.call("job.add", id=name, command=["true"], after=[after], overlap="queue")
        self.client.call("job.add", id="first", command=["true"], trigger={"every": "20ms"}, overlap="queue")
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.02, 0.25))
            self.again()
        self.client.call("job.pause", id="first")
        e2e.wait_until("all have followed", lambda: all(
            self.client.call("job.get", id=name)["state"] in ("waiting", "paused") for name in ("first", "ok", "any", "last")), 60)
        # One look at both: an end and its notes, a claim and the note it takes, are one commit each.
        e2e.wait_until("no note and no run is left", lambda: self.rows(
            "SELECT (SELECT COUNT(*) FROM meta WHERE key LIKE 'after.%') + (SELECT COUNT(*) FROM runs"
            " JOIN ids ON ids.key = runs.job WHERE done_at IS NULL AND NOT (ids.id = 'first' AND state = 'queued'))") == [(0,)], 30)
        self.client.call("run.list", jobs=["first"])  # all rows are written
        ran = self.rows("SELECT ids.id, number, state, actor FROM runs JOIN ids ON ids.key = runs.job")
        self.assertGreater(len(ran), KILLS)
        followed = collections.Counter((job, actor) for job, _, _, actor in ran)
        for job, number, state, _ in ran:
            expect = {"first": {"ok": state == "success", "any": state in ENDS}, "ok": {"last": state == "success"}}
            for follower, wanted in expect.get(job, {}).items():
                self.assertEqual(followed[follower, f"{job}/{number}"], int(wanted), (job, number, state, follower))

    def test_a_stop_in_between(self):
        self.begin()
        out = self.server.dir
        self.client.call("job.add", id="a", shell=f"touch {out}/runs; while [ ! -e {out}/go ]; do sleep 0.05; done",
                         trigger={"every": "1h"})
        self.client.call("job.add", id="b", command=["true"], after=["a"])
        self.client.call("job.run", id="a")
        e2e.wait_until("it runs", (out / "runs").exists)
        self.server.process.terminate()
        e2e.wait_until("it stops", lambda: "stopping" in self.server.log.read_text())
        (out / "go").touch()
        self.assertEqual(self.server.process.wait(30), 0)
        self.assertEqual(self.notes(), [("after.b/a/1",)])
        self.server.start()
        self.client = self.server.client()
        self.client.call("run.wait", run="b")
        self.assertEqual((self.states("a"), self.states("b")), (["success"], ["success"]))
        self.again()
        self.assertEqual((self.states("b"), self.notes()), (["success"], []))

    def test_across_stores(self):
        self.begin("stores:\n  other: {type: sqlite}\n")
        self.client.call("job.add", id="a", command=["true"], trigger={"every": "1h"})
        self.client.call("job.add", id="b", command=["true"], after=["a"], store="other")
        self.client.call("job.run", id="a")
        self.client.call("run.wait", run="b")
        e2e.wait_until("the note is gone", lambda: not self.notes())
        e2e.wait_until("its end is written", lambda: self.rows(
            "SELECT COUNT(*) FROM runs JOIN ids ON ids.key = runs.job WHERE ids.id = 'b' AND done_at IS NOT NULL", "other.db") == [(1,)])
        # As if it had died when b had its claim, but a's note was still there, and one of a run b did not follow.
        self.server.stop(signal.SIGKILL)
        with sqlite3.connect(self.server.state / "default.db") as connection:
            for note in ("after.b/a/1", "after.b/a/7", "after.gone/a/1", "after.b/c/1"):
                connection.execute("INSERT INTO meta (key, value) VALUES (?, 'success')", (note,))
        connection.close()
        self.server.start()
        self.client = self.server.client()
        e2e.wait_until("the notes are gone", lambda: not self.notes())
        self.client.call("run.wait", run="b", **{"for": "idle"})
        self.assertEqual(self.states("b"), ["success", "success"])

    def test_a_lost_run_is_an_end(self):
        self.begin()
        out = self.server.dir
        self.client.call("job.add", id="a", shell=f"echo $$ > {out}/pid.new; mv {out}/pid.new {out}/pid; exec sleep 100",
                         notify={"failure": [f"cat > {out}/told.new; mv {out}/told.new {out}/told"]}, trigger={"every": "1h"})
        self.client.call("job.add", id="bad", command=["true"], after=["a:fail"])
        self.client.call("job.add", id="good", command=["true"], after=["a:ok"])
        self.client.call("job.run", id="a")
        e2e.wait_until("it runs", (out / "pid").exists)
        self.server.stop(signal.SIGKILL)
        os.kill(int((out / "pid").read_text()), signal.SIGKILL)
        self.server.start()
        self.client = self.server.client()
        self.client.call("run.wait", run="bad")
        self.assertEqual((self.states("a"), self.states("bad"), self.states("good")), (["lost"], ["success"], []))
        e2e.wait_until("it is told", (out / "told").exists)
        self.assertIn('"state":"lost"', (out / "told").read_text())
        self.again()
        self.assertEqual(self.states("bad"), ["success"])


if __name__ == "__main__":
    unittest.main()
