# SPDX-License-Identifier: MIT
"""schedd is killed and started again: what becomes of the runs that were going on."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import unittest

import e2e


class Restart(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(config="stop:\n  limit: 0.5\n")
        self.client = self.server.client()
        self.strangers = []

    def begin(self, name="a", shell="sleep 1000", **fields):
        self.client.call("job.add", id=name, shell=f"echo $$ > {self.server.dir}/{name}.pid; exec {shell}",
                         trigger={"every": "1h"}, **fields)
        run = self.client.call("job.run", id=name)["run"]
        self.client.call("run.wait", run=run, **{"for": "running"})
        path = self.server.dir / f"{name}.pid"
        e2e.wait_until("its pid", lambda: path.exists() and path.read_text().strip())
        pid = int(path.read_text())
        self.addCleanup(self.end, pid)
        return run, pid

    @staticmethod
    def end(pid):
        if "sleep" in Restart.name(pid):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def name(pid):
        try:
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        return "" if text.rsplit(")", 1)[1].split()[0] == "Z" else text

    @staticmethod
    def start_ticks(pid):
        return Restart.name(pid).rsplit(")", 1)[1].split()[19]

    def stranger(self):
        """The pid of a process that schedd knows nothing of."""
        self.strangers.append(subprocess.Popen(["sleep", "1000"]))
        self.addCleanup(self.strangers[-1].wait)
        self.addCleanup(self.strangers[-1].kill)
        return self.strangers[-1].pid

    def crash(self, between=lambda: None):
        self.server.stop(signal.SIGKILL)
        between()
        self.server.start()
        self.client = self.server.client()

    def get(self, run):
        return self.client.call("run.get", run=run)

    def test_a_run_whose_process_lives_on(self):
        run, pid = self.begin()
        self.crash()
        got = self.get(run)
        self.assertEqual((got["state"], got["ended_at"]), ("lost", None))
        self.assertRegex(got["reason"], r"^daemon down \d\d:\d\d–\d\d:\d\d$")
        # It counts: one more does not start.
        second = None
        try:
            second = self.client.call("job.run", id="a")["run"]
        except e2e.RpcError as error:
            self.assertEqual(error.name, "conflict")
            self.assertIn(run, error.message)
        if second:
            self.assertEqual(self.get(second)["state"], "skipped")
        self.client.call("run.kill", run=run)
        e2e.wait_until("its process is gone", lambda: not self.name(pid))
        got = e2e.wait_until("its end is known", lambda: self.get(run)["ended_at"] and self.get(run))
        self.assertEqual(got["state"], "lost")
        third = self.client.call("job.run", id="a")["run"]
        self.client.call("run.wait", run=third, **{"for": "running"})
        self.client.call("run.kill", run=third)

    def test_it_keeps_its_place_in_its_group(self):
        self.client.call("group.set", name="g", parallel=1)
        run, pid = self.begin(group="g")
        self.client.call("job.add", id="b", shell="true", group="g", trigger={"manual": True})
        self.crash()
        self.assertEqual(self.get(run)["state"], "lost")
        second = self.client.call("job.run", id="b")["run"]
        self.assertEqual(self.get(second)["waits_for"], "a place in group g (1 of 1 taken)")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.client.call("run.wait", run=second)["state"], "success")
        e2e.wait_until("both places are free", lambda: self.client.call("group.list")[0]["running"] == 0)

    def test_its_end_is_added(self):
        run, pid = self.begin()
        self.crash()
        self.assertIsNone(self.get(run)["ended_at"])
        os.kill(pid, signal.SIGKILL)
        e2e.wait_until("its end is known", lambda: self.get(run)["ended_at"])

    def test_twice(self):
        run, pid = self.begin()
        self.crash()
        self.crash()
        self.assertEqual(self.get(run)["state"], "lost")
        self.assertIsNone(self.get(run)["ended_at"])
        self.client.call("run.kill", run=run)
        e2e.wait_until("its process is gone", lambda: not self.name(pid))
        self.assertEqual(len(self.client.call("run.list", jobs=["a"])["runs"]), 1)

    def written(self, pid):
        with sqlite3.connect(f"file:{self.server.state / 'default.db'}?mode=ro", uri=True) as database:
            return database.execute("SELECT COUNT(*) FROM runs WHERE pid = ?", [pid]).fetchone()[0]

    def test_one_whose_process_was_not_written_down(self):
        for state in ("running", "queued"):
            with self.subTest(state):
                run, pid = self.begin(state)
                e2e.wait_until("its process is written down", lambda: self.written(pid))

                def forget():
                    with sqlite3.connect(self.server.state / "default.db") as database:
                        changed = database.execute(
                            "UPDATE runs SET pid = 0, pid_start = 0, state = ? WHERE pid = ?", [state, pid]).rowcount
                    database.close()
                    self.assertEqual(changed, 1)
                self.crash(forget)
                got = self.get(run)
                self.assertEqual((got["state"], got["ended_at"], got["pid"]), ("lost", None, pid))
                self.client.call("run.kill", run=run)
                e2e.wait_until("its process is gone", lambda: not self.name(pid))
                rows = self.client.call("run.list", jobs=[state])["runs"]
                self.assertEqual(len(rows), 1, "it did not run again")

    def test_a_name_alone_makes_nobody_part_of_a_run(self):
        run, pid = self.begin()
        environment = dict(SCHEDD_RUN=run, SCHEDD_SOCKET=str(self.server.socket), SCHEDD_JOB_ID="a")
        other = subprocess.Popen(["sleep", "1000"], env=environment)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.crash()
        self.client.call("run.kill", run=run)
        e2e.wait_until("its process is gone", lambda: not self.name(pid))
        self.assertIsNone(other.poll())

    def secrets(self):
        """Directories with copies of secrets that this run of the tests made."""
        return {path for place in ("/dev/shm", "/tmp") for path in pathlib.Path(place).glob("schedd-secrets-*")
                if (path / "MARK").exists() and (path / "MARK").read_text() == str(self.server.dir)}

    def begin_with_secret(self):
        (self.server.dir / "secret").write_text(str(self.server.dir))
        run, pid = self.begin(secrets={"MARK": str(self.server.dir / "secret")})
        self.assertEqual(len(self.secrets()), 1)
        return run, pid

    def test_secrets_of_one_that_ended_meanwhile_are_removed(self):
        _run, pid = self.begin_with_secret()
        self.crash(lambda: (os.kill(pid, signal.SIGKILL), e2e.wait_until("it is gone", lambda: not self.name(pid))))
        self.assertEqual(self.secrets(), set())

    def test_secrets_of_one_that_lives_on_stay_until_its_end(self):
        _run, pid = self.begin_with_secret()
        self.crash()
        self.assertEqual(len(self.secrets()), 1)
        os.kill(pid, signal.SIGKILL)
        e2e.wait_until("they are removed", lambda: not self.secrets())

    def test_recover_runs_it_again(self):
        run, pid = self.begin(recover=True)
        other, other_pid = self.begin("b")

        def die():
            for number in (pid, other_pid):
                os.kill(number, signal.SIGKILL)
                e2e.wait_until("it is gone", lambda number=number: not self.name(number))
            # As when the crash came before anything of it was written but that it may begin.
            with sqlite3.connect(self.server.state / "default.db") as database:
                database.execute("UPDATE runs SET pid = 0, pid_start = 0, started_at = NULL")
            database.close()
        self.crash(die)
        self.assertEqual(self.get(run)["state"], "lost")
        again = e2e.wait_until("it runs again", lambda: [
            r for r in self.client.call("run.list", jobs=["a"])["runs"] if r["state"] == "running"])
        self.assertEqual(again[0]["trigger"], "catchup")
        self.client.call("run.kill", run=again[0]["id"])
        # Without recover: at most once.
        self.assertEqual([r["state"] for r in self.client.call("run.list", jobs=["b"])["runs"]], ["lost"])

    def test_a_recycled_pid_is_not_confused(self):
        run, pid = self.begin()
        # Start times have the resolution of a clock tick: the stranger's is to be another.
        ticks = self.start_ticks(pid)
        e2e.wait_until("another tick", lambda: self.start_ticks(self.stranger()) != ticks)
        stranger = self.strangers[-1]
        e2e.wait_until("its process is written down", lambda: self.written(pid))

        def recycle():
            """The run's row names a process that is another's by now."""
            os.kill(pid, signal.SIGKILL)
            e2e.wait_until("it is gone", lambda: not self.name(pid))
            with sqlite3.connect(self.server.state / "default.db") as db:
                changed = db.execute("UPDATE runs SET pid = ? WHERE pid = ?", (stranger.pid, pid)).rowcount
            db.close()
            self.assertEqual(changed, 1)
        self.crash(recycle)
        got = self.get(run)
        self.assertEqual(got["state"], "lost")
        self.assertIsNotNone(got["ended_at"])
        self.refused("conflict", self.client.call, "run.kill", run=run)
        self.assertIsNone(stranger.poll())
        again = self.client.call("job.run", id="a")["run"]
        self.client.call("run.wait", run=again, **{"for": "running"})
        self.client.call("run.kill", run=again)

    def test_numbers_of_events_and_runs_go_on(self):
        run, _ = self.begin()
        seq = self.client.call("server.status")["scheduler"]["event_seq"]
        self.crash()
        self.assertGreater(self.client.call("server.status")["scheduler"]["event_seq"], seq)
        self.client.call("run.kill", run=run)
        e2e.wait_until("its end is known", lambda: self.get(run)["ended_at"])
        self.assertEqual(self.client.call("job.run", id="a")["run"], "a/2")

    def test_history_outlives_the_job(self):
        self.client.call("job.add", id="x", shell="echo kept", trigger={"every": "1h"})
        run = self.client.call("job.run", id="x")["run"]
        self.client.call("run.wait", run=run)
        self.client.call("job.remove", id="x")
        self.crash()
        self.assertEqual(self.get(run)["state"], "success")
        self.assertEqual(self.client.call("run.log", run=run)["pieces"][0]["data"], "kept\n")
        self.client.call("job.add", id="x", shell="true", trigger={"every": "1h"})
        self.assertEqual(self.client.call("job.run", id="x")["run"], "x/2")
        self.client.call("run.wait", run="x/2")
        self.client.call("job.remove", id="x", purge=True)
        self.refused("not_found", self.client.call, "run.get", run=run)


if __name__ == "__main__":
    unittest.main()
