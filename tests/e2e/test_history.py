# SPDX-License-Identifier: MIT
"""What is remembered is bounded, and a full disk stops neither schedd nor silently anything else."""
import contextlib
import os
import pathlib
import sqlite3
import subprocess
import time
import unittest

import e2e


class History(e2e.TestCase):
    def start(self, config="", **fields):
        self.server = self.daemon(config=config)
        self.client = self.server.client(timeout=60)
        self.client.call("job.add", id="a", **{"shell": "seq 1 2000", "trigger": {"every": "1h"}, **fields})

    def run_job(self, name="a"):
        run = self.client.call("job.run", id=name)["run"]
        self.client.call("run.wait", run=run)
        return self.client.call("run.get", run=run)

    def numbers(self, name="a"):
        return sorted(run["run"] for run in self.client.call("run.list", jobs=[name], limit=1000)["runs"])

    def files(self):
        return sorted(int(path.name) for path in self.server.state.glob("output/a/*"))

    def restart(self):
        """Every start tidies up; in between it may take minutes."""
        self.server.stop()
        self.server.start()
        self.client = self.server.client(timeout=60)

    def long_history(self, count):
        """Rows that nobody has the time to make by running."""
        self.run_job()
        self.server.stop()
        with contextlib.closing(sqlite3.connect(self.server.state / "default.db")) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            columns = [row[1] for row in db.execute("PRAGMA table_info(runs)") if row[1] not in ("id", "number")]
            names = ", ".join(f'"{name}"' for name in columns)
            db.execute(f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
                       f"INSERT INTO runs (number, {names}) SELECT i, {names} FROM n, runs WHERE runs.number = 1")
            db.execute("UPDATE jobs SET last_run = ?", (count,))
            db.execute("UPDATE meta SET value = ? WHERE key = 'store.runs'", (count,))
            db.commit()
        self.server.start()
        self.client = self.server.client(timeout=60)

    def served_beside(self, method, **params):
        """How many changes others made while it was answered."""
        other = self.server.client(timeout=60)
        self.client.call("job.add", id="other", command=["true"], trigger={"manual": True}, if_absent=True)
        sent, served = self.client.send(method, **params), 0
        self.client.socket.setblocking(False)
        while sent not in self.client.answers:
            other.call("job.modify", id="other", description=str(served))
            served += 1
            try:
                self.client._read()
            except BlockingIOError:
                pass
        self.client.socket.settimeout(60)
        self.assertIsNone(self.client.answers.pop(sent)[0])
        return served

    def test_a_long_one_is_purged_in_pieces(self):
        self.start()
        self.long_history(20000)
        self.assertGreater(self.served_beside("run.purge", run="a"), 10)
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.run_job()["run"], 20001)

    def test_a_long_one_goes_with_its_job_in_pieces(self):
        self.start()
        self.long_history(20000)
        self.assertGreater(self.served_beside("job.remove", id="a", purge=True), 10)
        self.assertEqual(self.numbers(), [])
        self.client.call("job.add", id="a", command=["true"], trigger={"manual": True})
        self.assertEqual(self.run_job()["run"], 20001, "numbers go on")
        self.assertEqual(self.numbers(), [20001])

    def test_by_count(self):
        self.start(keep_runs=3)
        for _ in range(10):
            self.run_job()
        self.restart()
        e2e.wait_until("old runs are gone", lambda: self.numbers() == [8, 9, 10], 60)
        e2e.wait_until("their output too", lambda: self.files() == [8, 9, 10], 60)
        self.assertEqual(self.run_job()["run"], 11)

    def test_by_age(self):
        self.start(keep_for=1)
        for _ in range(3):
            self.run_job()
        time.sleep(1.1)  # they are to be older than a second
        self.restart()
        e2e.wait_until("old runs are gone", lambda: not {1, 2, 3} & set(self.numbers()), 60)

    def test_a_limit_on_all_output(self):
        self.start("history:\n  output_total: 30000\n")
        for _ in range(12):
            self.run_job()

        def total():
            size = 0
            for path in self.server.state.glob("output/*/*"):
                try:
                    size += path.stat().st_size
                except FileNotFoundError:
                    pass  # it went meanwhile, which is what is waited for
            return size

        def look():
            self.run_job()
            self.client.call("server.reload")
            return total() <= 30000 + 9000
        e2e.wait_until("output is within its limit", look, 60)
        self.assertNotIn(1, self.files())
        self.assertIn(1, self.numbers())

    def test_a_limit_on_all_history(self):
        self.start("history:\n  max_bytes: 10K\n  max_changes: 5\n")
        for number in range(300):
            self.client.call("job.modify", id="a", name=str(number))
        self.run_job()
        self.client.call("server.reload")
        e2e.wait_until("the record of changes is within its limit",
                       lambda: len(self.client.call("job.why", id="a")["changes"]) == 5, 60)
        e2e.wait_until("the database is not, so runs go", lambda: self.numbers() == [], 60)
        self.assertEqual(self.run_job()["run"], 2)

    def test_a_low_disk_cuts_output_first(self):
        self.start("history:\n  low_disk: 1000000T\n")
        got = self.run_job()
        self.assertEqual(got["state"], "success")
        self.assertGreater(got["output_dropped"], 0)
        self.assertEqual(self.files(), [])

    def test_an_output_directory_that_cannot_be_written(self):
        self.start()
        (self.server.state / "output").write_text("in the way")
        got = self.run_job()
        self.assertEqual((got["state"], got["exit_code"]), ("success", 0))
        self.assertGreater(got["output_dropped"], 0)
        self.assertIn("output", self.server.log.read_text())
        (self.server.state / "output").unlink()
        self.assertEqual(self.run_job()["output_dropped"], 0)


class FullDisk(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(start=False, config="scheduler:\n  claim_backoff_max: 0.3\n")
        self.server.state.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(self.server.state)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            self.skipTest(f"no tmpfs can be mounted here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.server.state)], check=True)
        self.server.start()
        self.client = self.server.client()

    def fill(self):
        path = self.server.state / "ballast"
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        return path

    def status(self):
        return self.client.call("server.status")["scheduler"]

    def test_nothing_runs_unclaimed_and_all_goes_on_after(self):
        out = self.server.dir / "ran"
        seq = self.status()["event_seq"]
        self.client.call("job.add", id="tick", shell=f"echo $SCHEDD_SCHEDULED_AT >> {out}", trigger={"every": "200ms"},
                         max_instances=5)
        e2e.wait_until("it runs", lambda: out.exists() and len(out.read_text().splitlines()) > 2)
        ballast = self.fill()
        e2e.wait_until("the failure shows", lambda: self.status()["store_error"])
        message = self.refused("failed", self.client.call, "job.add", id="big", shell="x" * 50000, trigger={"every": "1h"})
        self.assertRegex(message, "full|No space")
        self.refused("not_found", self.client.call, "job.get", id="big")
        e2e.wait_until("what was claimed is done", lambda: not self.status()["running"])
        before = out.read_text()
        errors = self.status()["store_errors"]
        e2e.wait_until("it is tried again", lambda: self.status()["store_errors"] > errors)
        self.assertEqual(out.read_text(), before, "a run without a claim")
        why = self.client.call("job.why", id="tick")
        self.assertTrue(any("cannot be written" in fact for fact in why["facts"]), why["facts"])
        ballast.unlink()
        e2e.wait_until("it runs again", lambda: len(out.read_text()) > len(before))
        self.assertIsNone(self.status()["store_error"])
        lines = out.read_text().splitlines()
        self.assertEqual(len(lines), len(set(lines)), "run twice")
        events = self.server.client()
        events.call("event.subscribe", since=seq, events=["store_error", "store_recovered"])
        self.assertEqual(events.notification()[1]["event"], "store_error")
        e2e.wait_until("the recovery is told", lambda: events.notification()[1]["event"] == "store_recovered")
        self.client.call("job.add", id="big", shell="true", trigger={"every": "1h"})


if __name__ == "__main__":
    unittest.main()
