# SPDX-License-Identifier: MIT
"""schedctl stores move and copy between files: what is carried, what is a conflict, and that a kill at any moment
loses and doubles nothing."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import unittest

from e2e import SCHEDD, Client, RpcError, TestCase, wait_until

CONFIG = "stores:\n  other: {type: sqlite}\n  third: {type: sqlite}\n"
# A sanitizer's own library must come first.
PRELOAD = " ".join(re.findall(r"=> (\S*lib[at]san\S*)", subprocess.run(
    ["ldd", SCHEDD], capture_output=True, text=True, check=True).stdout) + [os.environ["SYNC_KILL"]])


class Moving(TestCase):
    def setUp(self):
        self.d = self.daemon(config=CONFIG)

    def ok(self, *argv):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def json(self, *argv):
        return json.loads(self.ok(*argv, "--json"))

    def refused(self, code, words, *argv):
        got, _, err = self.d.ctl(*argv)
        self.assertEqual(got, code, f"{argv}: {err}")
        self.assertIn(words, err)

    def rows(self, store, query):
        db = sqlite3.connect(f"file:{self.d.state}/{store}.db?mode=ro", uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def jobs(self):
        return {job["id"]: job for job in self.json("list")}

    def runs(self, job):
        return [row["run"] for row in self.json("history", job, "-n", "10000")]

    def restart(self, number=signal.SIGKILL, **env):
        self.d.stop(number)
        self.d.start(**env)


class Carries(Moving):
    def test_numbers_counts_draws_and_pauses(self):
        self.ok("add", "--id", "a", "--cron", "0~59 3 * * *", "--max-runs", "100", "--", "true")
        self.ok("add", "--id", "p", "--every", "1h", "--", "true")
        for _ in range(3):
            self.ok("run", "a", "-w")
        self.ok("pause", "p", "--reason", "because")
        before = {name: self.json("show", name) for name in ("a", "p")}
        self.assertIn("2 jobs were moved to store other", self.d.ctl("stores", "move", "a", "p", "--to", "other")[2])
        for _ in range(2):
            for name, old in before.items():
                new = self.json("show", name)
                self.assertEqual(new["store"], "other")
                self.assertEqual(new["revision"], old["revision"] + 1)
                for field in ("trigger", "last_run", "run_count", "next_run_time", "paused", "paused_reason", "created_at",
                              "created_by", "state"):
                    self.assertEqual(new[field], old[field], f"{name}.{field}")
            self.assertEqual(self.runs("a"), [3, 2, 1])
            self.assertIn("because", self.ok("why", "p"))
            self.restart(signal.SIGTERM)
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/4")
        self.assertEqual(self.runs("a"), [4, 3, 2, 1])
        self.assertEqual(self.json("show", "a/2")["run"], 2)
        self.assertEqual(self.rows("default", "SELECT count(*) FROM jobs"), [(0,)])

    def test_history_is_taken_along_or_stays(self):
        self.ok("add", "--id", "a", "--manual", "--", "echo", "it said so")
        for _ in range(5):
            self.ok("run", "a", "-w")
        self.ok("stores", "move", "a", "--to", "other")
        self.ok("run", "a", "-w")
        self.assertEqual(self.rows("other", "SELECT count(*) FROM runs"), [(1,)])
        self.ok("stores", "move", "a", "--to", "third", "--history")
        self.assertEqual(self.rows("third", "SELECT count(*) FROM runs"), [(1,)])
        self.assertEqual(self.rows("other", "SELECT count(*) FROM runs"), [(0,)])
        self.assertEqual(self.runs("a"), [6, 5, 4, 3, 2, 1])
        self.restart(signal.SIGTERM)
        self.assertEqual(self.runs("a"), [6, 5, 4, 3, 2, 1])
        for number in (1, 6):
            self.assertEqual(self.ok("logs", f"a/{number}").strip(), "it said so")
            self.assertEqual(self.json("wait", f"a/{number}")["run"], number)
        self.ok("stores", "move", "a", "--to", "default", "--history")
        self.assertEqual(self.rows("default", "SELECT count(*) FROM runs"), [(6,)])
        self.assertEqual(self.runs("a"), [6, 5, 4, 3, 2, 1])
        self.ok("stores", "move", "a", "--to", "other")
        self.ok("rm", "-y", "a", "--purge")
        wait_until("all runs are gone", lambda: self.rows("default", "SELECT count(*) FROM runs") == [(0,)])

    def test_what_waits_is_taken_along_and_runs_once(self):
        ran = self.d.dir / "ran"
        self.ok("groups", "set", "io", "--parallel", "1")
        pid = self.d.dir / "pid"
        self.ok("add", "--id", "first", "--manual", "-g", "io", "--", "sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 300")
        self.ok("add", "--id", "q", "--manual", "-g", "io", "--overlap", "queue", "--max-instances", "9", "--",
                "sh", "-c", f"echo $SCHEDD_RUN $X >> {ran}")
        self.ok("run", "first")
        wait_until("it runs", pid.exists)
        self.ok("run", "q", "-e", "X=one")
        for _ in range(2):
            self.ok("run", "q")
        self.refused(5, "is running (first/1)", "stores", "move", "first", "--to", "other")
        self.ok("stores", "move", "q", "--to", "other")
        self.assertEqual(self.rows("default", "SELECT count(*) FROM runs WHERE state = 'queued'"), [(0,)])
        self.ok("kill", "q/2")
        self.ok("pause", "--scheduler")
        self.assertEqual([row["state"] for row in self.json("history", "q")], ["queued", "cancelled", "queued"])
        self.restart()
        self.assertEqual([row["state"] for row in self.json("history", "q")], ["queued", "cancelled", "queued"])
        self.ok("resume", "--scheduler")
        os.kill(int(pid.read_text()), signal.SIGKILL)  # a lost run whose process lives has its place in the group
        self.ok("wait", "q", "--for", "idle")
        self.assertEqual([line.strip() for line in ran.read_text().splitlines()], ["q/1 one", "q/3"])
        self.restart()
        self.assertEqual(self.jobs()["q"]["state"], "waiting")
        self.assertEqual(len(ran.read_text().splitlines()), 2)

    def test_one_that_will_be_tried_again_goes_on_there(self):
        self.ok("add", "--id", "r", "--manual", "--retry", "1", "--retry-delay", "2s", "--", "sh", "-c",
                f"test -e {self.d.dir}/good")
        self.ok("run", "r")
        wait_until("it waits for its next attempt", lambda: self.json("history", "r")[0]["state"] == "retrying")
        (self.d.dir / "good").touch()
        self.ok("stores", "move", "r", "--to", "other")
        self.restart()
        self.ok("wait", "r/1")
        self.assertEqual((self.json("show", "r/1")["state"], self.json("show", "r/1")["attempt"]), ("success", 2))
        self.assertEqual(self.runs("r"), [1])

    def test_followers_and_the_followed(self):
        self.ok("add", "--id", "head", "--manual", "--", "true")
        self.ok("add", "--id", "tail", "--after", "head:ok", "--", "true")
        for store in ("other", "third"):
            self.ok("stores", "move", "head", "--to", store)
            before = len(self.runs("tail"))
            self.ok("run", "head", "-w")
            wait_until("it followed", lambda: len(self.runs("tail")) == before + 1)
            self.ok("wait", "tail", "--for", "idle")
            self.ok("stores", "move", "tail", "--to", store)
        self.restart()
        self.ok("run", "head", "-w")
        wait_until("it followed", lambda: len(self.runs("tail")) == 3)

    def test_due_times_are_not_lost_on_the_way(self):
        ran = self.d.dir / "ran"
        self.ok("add", "--id", "s", "--every", "100ms", "--", "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        moves, deadline = 0, time.monotonic() + 60
        while moves < 12 or not ran.exists() or len(ran.read_text().split()) < 10:
            self.assertLess(time.monotonic(), deadline, "it does not run between moves")
            self.ok("stores", "move", "s", "--to", ("other", "third", "default")[moves % 3], "--wait",
                    *(["--history"] if moves % 2 else []))
            moves += 1
        self.ok("pause", "s")
        self.ok("wait", "s", "--for", "idle")
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)))
        self.assertEqual(sorted(self.runs("s")), list(range(1, max(self.runs("s")) + 1)))

    def test_exhausted_and_finished_jobs(self):
        self.ok("add", "--id", "kept", "--in", "0s", "--keep", "--", "true")
        wait_until("it is finished", lambda: self.jobs()["kept"]["state"] == "finished")
        self.ok("stores", "move", "kept", "--to", "other")
        self.restart()
        self.assertEqual(self.jobs()["kept"]["state"], "finished")
        self.assertEqual(self.runs("kept"), [1])

    def test_waiting_for_a_run(self):
        self.ok("add", "--id", "w", "--manual", "--", "sh", "-c", f"until test -e {self.d.dir}/go; do sleep 0.05; done")
        self.ok("run", "w")
        client = self.d.client()
        asked = client.send("store.move", jobs=["w"], to="other", wait=True)
        # It may be changed and asked about meanwhile, and who waits may go away.
        gone = Client(self.d.socket)
        gone.call("server.ping")
        clients = client.call("server.status")["clients"]
        gone.send("store.move", jobs=["w"], to="third", wait=True)
        self.ok("modify", "w", "--description", "changed")
        gone.close()
        wait_until("it is gone", lambda: client.call("server.status")["clients"] == clients - 1)
        (self.d.dir / "go").touch()
        answer = client.receive(asked)
        self.assertEqual(answer["moved"], 1, answer)
        job = self.json("show", "w")
        self.assertEqual((job["store"], job["description"]), ("other", "changed"))
        # A stop answers who waits.
        (self.d.dir / "go").unlink()
        self.ok("run", "w")
        asked = client.send("store.move", jobs=["w"], to="third", wait=True)
        self.d.process.terminate()
        with self.assertRaises((RpcError, EOFError, OSError)):
            client.receive(asked)
        (self.d.dir / "go").touch()

    def test_a_store_stays_while_jobs_are_on_their_way_to_it(self):
        self.ok("add", "--id", "w", "--manual", "--", "sh", "-c", f"until test -e {self.d.dir}/go; do sleep 0.05; done")
        self.ok("run", "w")
        client = self.d.client()
        asked = client.send("store.move", jobs=["w"], to="other", wait=True)
        client.call("server.ping")
        self.refused(5, "jobs are on their way to or from it", "stores", "remove", "other")
        (self.d.dir / "go").touch()
        self.assertEqual(client.receive(asked)["moved"], 1)

    def test_a_change_in_between_sees_the_new_revision(self):
        self.ok("add", "--id", "c", "--every", "1h", "--", "true")
        client = self.d.client()
        revision = client.call("job.get", id="c")["revision"]
        moved = client.send("store.move", jobs=["c"], to="other")
        changed = client.send("job.modify", id="c", name="x", revision=revision)
        client.receive(moved)
        try:
            client.receive(changed)
        except RpcError as error:
            self.assertEqual(error.name, "conflict")
        self.assertEqual(self.jobs()["c"]["id"], "c")
        self.assertEqual(self.rows("other", "SELECT id FROM jobs"), [("c",)])

    def test_what_is_refused(self):
        self.ok("add", "--id", "a", "--every", "1h", "--", "true")
        for code, words, *argv in (
                (2, "--to NAME", "move", "a"),
                (2, "which jobs", "move", "--to", "other"),
                (4, "store nosuch: no such store", "move", "a", "--to", "nosuch"),
                (4, "job nosuch: no such job", "move", "nosuch", "--to", "other"),
                (1, "job nosuch: no such job", "move", "nosuch", "a", "--to", "default"),
                (2, "--from NAME and --to NAME", "copy", "--to", "other"),
                (2, "its jobs are there already", "copy", "--from", "other", "--to", "other"),
                (4, "store nosuch: no such store", "copy", "--from", "nosuch", "--to", "other"),
                (2, "--wait is not for", "add", "x", "memory", "--wait"),
                (2, "usage", "copy", "a", "--from", "default", "--to", "other"),
        ):
            self.refused(code, words, "stores", *argv)
        self.assertEqual(self.jobs()["a"]["store"], "default")
        self.refused(5, "move it to store other first", "add", "--id", "a", "--store", "other", "--replace", "--every", "1h",
                     "--", "true")

    def test_an_id_that_is_there(self):
        """Another job of the id, in a file that was put there."""
        self.ok("add", "--id", "a", "--every", "1h", "--", "true")
        self.ok("stores", "copy", "--from", "default", "--to", "other")
        self.d.stop()
        saved = (self.d.state / "other.db").read_bytes()
        self.d.start()
        self.ok("stores", "copy", "--from", "other", "--to", "default")
        self.d.stop()
        for path in self.d.state.glob("other.db*"):
            path.unlink()
        (self.d.state / "other.db").write_bytes(saved)
        self.d.start()
        self.assertIn("is in store default and in store other: the latter is not used", self.d.log.read_text())
        self.refused(5, "has another job a", "stores", "move", "a", "--to", "other")
        self.assertEqual(self.jobs()["a"]["store"], "default")


class Killed(Moving):
    def fill(self, count):
        jobs = [{"id": f"j{i:03}", "trigger": {"every": "1h"}, "command": ["true"], "paused": i % 5 == 0} for i in range(count)]
        client = self.d.client()
        client.call("job.import", jobs=jobs)
        for i in range(0, count, 10):
            client.call("run.wait", run=client.call("job.run", id=f"j{i:03}")["run"])
        client.call("job.add", id="q", shell=f"echo $SCHEDD_RUN >> {self.d.dir}/ran", trigger={"type": "manual"}, overlap="queue",
                    max_instances=9)
        client.call("scheduler.pause")
        for i in range(3):
            client.call("job.run", id="q", env={"N": str(i)})

    def check(self, before, runs):
        after = self.jobs()
        self.assertEqual(set(after), set(before))
        for name, job in after.items():
            for field in ("last_run", "run_count", "paused", "created_at"):
                self.assertEqual(job[field], before[name][field], f"{name}.{field}")
        rows = self.json("history", "-n", "10000")
        listed = [row["id"] for row in rows]
        self.assertEqual([row["state"] for row in rows if row["job"] == "q"], ["queued"] * 3)
        left = {store: self.rows(store, "SELECT key, value FROM meta WHERE key LIKE 'mov%'") for store in ("default", "other")}
        self.assertEqual(sorted(listed), sorted(runs), f"a run is lost or doubled: {left} {self.d.log.read_text()[-2000:]}")

    def each_once(self):
        """In the files themselves, when nothing is left to do."""
        stores = [name for (name,) in self.rows("default", "SELECT id FROM jobs") + self.rows("other", "SELECT id FROM jobs")]
        self.assertEqual(len(stores), len(set(stores)))
        for store in ("default", "other"):
            self.assertEqual([key for (key,) in self.rows(store, "SELECT key FROM meta") if key.startswith("mov")], [])

    def walk(self, *more):
        self.fill(150)
        before = self.jobs()
        runs = [row["id"] for row in self.json("history", "-n", "10000")]
        arm = self.d.dir / "arm"
        kills, way = 0, ("default", "other")
        for at in range(1, 200):
            for sign in (1, -1):
                arm.unlink(missing_ok=True)
                self.restart(LD_PRELOAD=PRELOAD, SYNC_KILL_ARM=str(arm), SYNC_KILL_AT=str(sign * at))
                self.check(before, runs)
                arm.touch()
                code, _, err = self.d.ctl("stores", "copy", "--from", way[0], "--to", way[1], *more)
                arm.unlink()
                # What is tidied up behind the answer counts as well.
                killed = code != 0 or self.d.ctl("stores")[0] != 0
                if killed:
                    self.assertEqual(self.d.process.wait(20), -signal.SIGKILL, err)
                kills += killed
                if not killed:
                    break
                self.restart()
                self.check(before, runs)
                # Done once more it comes to its end.
                self.ok("stores", "copy", "--from", way[0], "--to", way[1], *more)
                self.check(before, runs)
                self.assertEqual({job["store"] for name, job in self.jobs().items()}, {way[1]})
                way = way[::-1]
            if not killed:
                break
        # One that was about to be made durable when it was disarmed may have ended it behind our back.
        self.restart()
        print(f"killed {kills} times")
        self.assertGreater(kills, 8)
        wait_until("the notes are gone", lambda: not [
            key for store in ("default", "other") for (key,) in self.rows(store, "SELECT key FROM meta") if key.startswith("mov")])
        self.each_once()
        self.ok("resume", "--scheduler")
        self.ok("wait", "q", "--for", "idle")
        self.assertEqual(sorted((self.d.dir / "ran").read_text().split()), ["q/1", "q/2", "q/3"])

    def test_between_every_two_commits(self):
        self.walk()

    def test_between_every_two_commits_with_history(self):
        self.walk("--history")


class Many(Moving):
    def test_ten_thousand_hold_up_nobody(self):
        client = self.d.client(timeout=120)
        client.call("job.import", jobs=[{"id": f"m{i}", "trigger": {"every": "1h"}, "command": ["true"]} for i in range(10000)])
        other = self.d.client()
        began = time.monotonic()
        asked = client.send("store.copy", **{"from": "default"}, to="other")
        client.socket.setblocking(False)
        slowest, pings = 0, 0
        while asked not in client.answers:
            start = time.monotonic()
            other.call("server.ping")
            slowest, pings = max(slowest, time.monotonic() - start), pings + 1
            try:
                client._read()
            except BlockingIOError:
                pass
        took = time.monotonic() - began
        self.assertEqual(client.receive(asked)["moved"], 10000)
        print(f"10,000 jobs in {took:.2f} s, slowest of {pings} pings {slowest * 1000:.1f} ms")
        # A busy machine adds its own; the pieces are some milliseconds.
        self.assertLess(slowest, 2)
        self.assertEqual(self.rows("other", "SELECT count(*) FROM jobs"), [(10000,)])
        self.assertEqual(self.rows("default", "SELECT count(*) FROM jobs"), [(0,)])


if __name__ == "__main__":
    unittest.main()
