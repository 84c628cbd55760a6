# SPDX-License-Identifier: MIT
"""schedd is killed just before and just after each time that it makes something durable while a run ends: no end stands
there without what it brings about, and nothing is done twice."""
import os
import re
import signal
import sqlite3
import subprocess
import unittest

from e2e import SCHEDD, RpcError, TestCase, wait_until

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
        client = daemon.start().client()
        first = client.call("run.list", jobs=["first"])["runs"]
        self.assertEqual(len(first), 1)
        if first[0]["state"] == "success":
            # Lost: killed behind its claim, it may have begun, and is not begun twice.
            wait_until("the second is over", lambda: client.call("run.list", jobs=["second"], states=["success", "lost"])["runs"])
        self.assertEqual(len(client.call("run.list", jobs=["second"])["runs"]), first[0]["state"] == "success")
        daemon.stop()
        return killed

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


if __name__ == "__main__":
    unittest.main()
