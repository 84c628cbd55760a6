# SPDX-License-Identifier: MIT
"""A store whose runs another one keeps: what a user sees of it, over kill -9 and while the
history is not there, and what may not be configured."""
import json
import os
import signal
import sqlite3
import subprocess
import time
import unittest

from e2e import Daemon, wait_until

CONFIG = """stores:
  jobs: {type: sqlite, history: past}
  past: {type: sqlite}
"""


class History(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(CONFIG)
        self.daemon.start()

    def tearDown(self):
        self.assertEqual(self.daemon.end(), "")

    def ok(self, *argv):
        code, out, err = self.daemon.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def store(self, name):
        return next(s for s in json.loads(self.ok("stores", "--json")) if s["name"] == name)

    def sql(self, file, text):
        path = next(self.daemon.dir.rglob(file))
        with sqlite3.connect(path, timeout=10) as base:
            return base.execute(text).fetchall()

    def history(self, job):
        return json.loads(self.ok("history", job, "--json", "-n", "1000"))

    def test_runs_are_in_the_other_store_and_shown_once(self):
        self.ok("add", "--id", "a", "--store", "jobs", "--every", "1s", "--", "true")
        self.ok("add", "--id", "long", "--store", "jobs", "--manual", "--", "sleep", "60")
        self.ok("run", "long")
        wait_until("it ran", lambda: len(self.history("a")) >= 2)
        self.ok("pause", "a")
        wait_until("nothing waits", lambda: self.store("jobs")["history_waiting"] == 0)
        self.assertEqual(self.store("jobs")["history"], "past")
        self.assertIn("past", self.ok("stores", "-o", "wide"))
        runs = self.history("a")
        everything = json.loads(self.ok("history", "--json", "-n", "1000"))
        ids = [run["id"] for run in everything]
        self.assertEqual(len(ids), len(set(ids)), "a run is shown twice")
        self.assertIn("long/1", ids)
        self.assertTrue({run["id"] for run in runs} <= set(ids))
        stats = json.loads(self.ok("stats", "--json"))["jobs"]
        self.assertEqual([s["job"] for s in stats if s["job"] == "a"], ["a"])
        self.assertEqual(self.sql("past.db", "select count(*) from run_list where run like 'long/%'"), [(0,)],
                         "a run that goes on is the job store's")
        wait_until("the job store forgot them",
                   lambda: self.sql("jobs.db", "select count(*) from run_list where run like 'a/%'") == [(0,)])
        self.ok("rename", "a", "b")
        self.assertEqual(len(self.history("b")), len(runs))
        self.ok("kill", "long")

    def test_nothing_is_lost_or_done_twice_when_schedd_is_killed(self):
        ran = self.daemon.dir / "ran"
        for i in range(10):
            self.ok("add", "--id", f"j{i}", "--store", "jobs", "--every", "1s", "--",
                    "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        for _ in range(int(os.environ.get("KILLS", "6"))):
            time.sleep(0.4)
            self.daemon.stop(signal.SIGKILL)
            self.daemon.start()
        wait_until("more ran", lambda: ran.exists() and len(ran.read_text().split()) > 20, 60)
        for i in range(10):
            self.ok("pause", f"j{i}")
        wait_until("all are over", lambda: self.store("jobs")["runs"] == 0)
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)), "a run was executed twice")
        wait_until("each has its row", lambda: not set(lines) - {
            run for run, in self.sql("past.db", "select run from run_list")})
        numbers = self.sql("past.db", "select run from run_list")
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_a_store_that_others_need_is_not_removed(self):
        code, _, err = self.daemon.ctl("stores", "remove", "past")
        self.assertEqual(code, 5, err)
        self.assertIn("store past keeps the runs of store jobs: remove that one first", err)
        self.ok("stores", "add", "more", str(self.daemon.dir / "more.db"), "--option", "history=past")
        self.assertEqual(self.store("more")["history"], "past")
        self.ok("stores", "remove", "more")
        for option, words in (("history=nowhere", "store 'x': history: no store 'nowhere'"),
                              ("history=x", "it is the store itself"),
                              ("history=jobs", "keeps its own runs in store 'past', name that one")):
            code, _, err = self.daemon.ctl("stores", "add", "x", str(self.daemon.dir / "x.db"), "--option", option)
            self.assertNotEqual(code, 0)
            self.assertIn(words, err)
        code, _, err = self.daemon.ctl("stores", "check", "redis://127.0.0.1:1", "--option", "history=past")
        self.assertEqual(code, 2, err)
        self.assertIn("no history", err)
        self.ok("stores", "remove", "jobs")
        self.ok("stores", "remove", "past")

    def test_a_config_that_goes_nowhere_is_refused(self):
        for stores, words in (
                ("a: {history: b}", "store 'a': history: no store 'b' is configured"),
                ("a: {history: a}", "it is the store itself"),
                ("a: {history: b}\n  b: {history: a}", "keeps its own runs elsewhere"),
                ("a: {history: b}\n  b: {history: default}", "keeps its own runs elsewhere")):
            config = self.daemon.dir / "bad.yaml"
            config.write_text(f"stores:\n  {stores}\n")
            done = subprocess.run([os.environ["SCHEDD"], "--config", str(config), "--state-dir",
                                   str(self.daemon.dir / "other")], capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
