# SPDX-License-Identifier: MIT
"""schedd is killed just before and just after each time that it makes something durable while a run ends: no end stands
there without what it brings about, and nothing is done twice."""
import os
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import msgpack

from e2e import SCHEDCTL, SCHEDD, RpcError, TestCase, wait_until

# A sanitizer's own library must come first.
PRELOAD = " ".join(re.findall(r"=> (\S*lib[at]san\S*)", subprocess.run(
    ["ldd", SCHEDD], capture_output=True, text=True, check=True).stdout) + [os.environ["SYNC_KILL"]])


class Ends(TestCase):
    def rows(self, daemon):
        """(states of first, states of second, jobs) as they stand in the file."""
        db = sqlite3.connect(daemon.state / "default.db")
        try:
            def states(job):
                return [s for (s,) in db.execute("SELECT state FROM runs JOIN ids ON ids.key = runs.job WHERE ids.id = ? ORDER BY number",
                                                 (job,))]
            return states("first"), states("second"), {j for (j,) in db.execute("SELECT id FROM jobs")}
        finally:
            db.close()

    def killed_at(self, at):
        """False: it came to its end before."""
        daemon = self.daemon(start=False)
        arm, go = daemon.dir / "arm", daemon.dir / "go"
        daemon.start(LD_PRELOAD=PRELOAD, SYNC_KILL_ARM=str(arm), SYNC_KILL_AT=str(at))
        client = daemon.client()
        client.call("job.add", id="second", after=["first"], command=["/bin/true"])
        client.call("job.add", id="first", shell=f"while ! test -e {go}; do sleep 0.01; done", trigger={"at": "now"})
        wait_until("it runs", lambda: client.call("job.get", id="first")["running"])
        wait_until("it is written down", lambda: self.rows(daemon)[0] == ["running"])
        waiter = daemon.client()
        awaited = waiter.send("run.wait", run="first/1")
        arm.touch()
        go.touch()

        def over():
            return daemon.process.poll() is not None or client.call("run.list", jobs=["second"], states=["success"])["runs"]
        try:
            wait_until("it is over", over)
        except (OSError, EOFError, RpcError):
            pass
        killed = not arm.exists() or daemon.process.poll() is not None or not self.answers(client)
        if killed:
            self.assertEqual(daemon.process.wait(20), -signal.SIGKILL)
            first, second, jobs = self.rows(daemon)
            # At no moment is there one without the other.
            self.assertEqual((first == ["success"], "first" not in jobs), (bool(second),) * 2, (at, first, second, jobs))
        else:
            daemon.stop()
        arm.unlink(missing_ok=True)
        told = self.told(waiter, awaited)
        client = daemon.start().client()
        first = client.call("run.list", jobs=["first"])["runs"]
        self.assertEqual(len(first), 1)
        # What was told is not forgotten.
        if told:
            self.assertEqual((told["state"], first[0]["state"]), ("success", "success"), at)
        if first[0]["state"] == "success":
            # Lost: killed behind its claim, it may have begun, and is not begun twice.
            wait_until("the second is over", lambda: client.call("run.list", jobs=["second"], states=["success", "lost"])["runs"])
        self.assertEqual(len(client.call("run.list", jobs=["second"])["runs"]), first[0]["state"] == "success")
        daemon.stop()
        return killed

    @staticmethod
    def told(waiter, msgid):
        """The answer, as far as it has come by now; None: it has not."""
        waiter.socket.setblocking(False)
        try:
            while msgid not in waiter.answers:
                waiter._read()
        except (OSError, EOFError):
            pass
        waiter.socket.settimeout(20)
        return waiter.answers.get(msgid, (None, None))[1]

    @staticmethod
    def answers(client):
        try:
            return client.call("server.ping") is not None
        except (OSError, EOFError):
            return False

    def test_an_end_is_whole(self):
        kills = 0
        for at in (1, -1, 2, -2, 3, -3):
            kills += self.killed_at(at)
        self.assertGreaterEqual(kills, 3)

    def ended_with_a_silent_disk(self):
        """A daemon with a run that has ended, which its disk does not take yet; who waits for it."""
        daemon = self.daemon(start=False)
        go, hang = daemon.dir / "go", daemon.dir / "hang"
        daemon.start(LD_PRELOAD=PRELOAD, SYNC_HANG=str(hang))
        client, waiter = daemon.client(), daemon.client()
        client.call("job.add", id="first", shell=f"while ! test -e {go}; do sleep 0.01; done", trigger={"manual": True})
        client.call("job.run", id="first")
        wait_until("it is written down", lambda: self.rows(daemon)[0] == ["running"])
        waits = {"run": waiter.send("run.wait", run="first/1")}
        follower = daemon.client()
        follower.call("run.log", run="first/1", follow=True)
        self.assertIsNotNone(waiter.call("server.ping"))
        hang.touch()
        go.touch()
        wait_until("it is over", lambda: not client.call("job.get", id="first")["running"])
        waits["idle"] = waiter.send("run.wait", run="first", **{"for": "idle"})
        self.assertIsNotNone(waiter.call("server.ping"))
        for what, msgid in waits.items():
            told = self.told(waiter, msgid)
            # After five seconds, say on a machine that stands still, it is said that it is not stored.
            self.assertTrue(told is None or (what == "run" and told.get("stored") is False), (what, told))
        self.told(follower, 0)
        self.assertTrue(all(n[1]["result"].get("stored") is False for n in follower.notifications if n[0] == "run.end"))
        return daemon, hang, waiter, waits, follower

    def said_by_the_client(self, run, env):
        """schedctl, at a server that gives this answer."""
        with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{directory}/socket")
            server.listen()
            server.settimeout(60)
            with subprocess.Popen([SCHEDCTL, "--socket", f"{directory}/socket", "wait", run["id"]], env=env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
                connection, _ = server.accept()
                unpacker = msgpack.Unpacker(raw=False)
                with connection:
                    while data := connection.recv(4096):
                        unpacker.feed(data)
                        for _, number, method, *_ in unpacker:
                            connection.sendall(msgpack.packb([1, number, None, run if method == "run.wait" else {}]))
                out, err = client.communicate(timeout=60)
        self.assertEqual((client.returncode, out, err), (0, "", f"{run['id']} has ended, which its store has not taken yet\n"))

    def test_what_is_not_on_disk_is_not_told(self):
        daemon, hang, waiter, waits, _ = self.ended_with_a_silent_disk()
        # Nobody is kept for good: it is said that it is not stored.
        run = waiter.receive(waits["run"])
        self.assertIs(run["stored"], False)
        self.said_by_the_client(run, daemon.environment())
        daemon.process.kill()
        daemon.process.wait()
        hang.unlink()
        run, = daemon.start().client().call("run.list", jobs=["first"])["runs"]
        # A machine that fails loses what was not synced, a process what was not written.
        self.assertIn(run["state"], ("lost", "success"))

    def test_what_was_told_is_there_after_a_kill(self):
        daemon, hang, waiter, waits, follower = self.ended_with_a_silent_disk()
        hang.unlink()
        run = waiter.receive(waits["run"])
        daemon.process.kill()
        daemon.process.wait()
        self.assertEqual(run["state"], "success")
        kept, = daemon.start().client().call("run.list", jobs=["first"])["runs"]
        self.assertEqual(kept["state"], "success" if run.get("stored", True) else kept["state"])


if __name__ == "__main__":
    unittest.main()
