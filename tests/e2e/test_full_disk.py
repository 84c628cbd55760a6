# SPDX-License-Identifier: MIT
"""Nothing more can be written: no hot loop, answers go on, a stop ends, and all is made up for afterwards.

The limit of the size of files, set on the running daemon, fails its writes as a full disk does.
"""
import os
import resource
import signal
import subprocess
import time
import unittest

import e2e


class FullDisk(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()
        self.go = self.server.dir / "go"

    def limit(self, size):
        _, hard = resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def fill(self):
        self.limit(1)
        with self.assertRaises(e2e.RpcError):
            self.client.call("job.add", id="refused", command=["true"], trigger={"type": "manual"})

    def errors(self):
        return self.server.log.read_text().count("error: store default")

    def cpu(self):
        fields = (self.server.process.pid, "stat")
        text = open("/proc/{}/{}".format(*fields)).read().rsplit(")", 1)[1].split()
        return int(text[11]) + int(text[12])

    def calm(self):
        """The daemon is not busy with failing, and answers."""
        before = self.cpu()
        time.sleep(2)
        self.assertLess(self.cpu() - before, 60, "busy with failing")
        self.assertLess(self.errors(), 5, self.server.log.read_text())
        self.client.call("server.ping")

    def states(self, name):
        return [run["state"] for run in self.client.call("run.list", jobs=[name])["runs"]]

    def once(self):
        self.client.call("job.add", id="once", shell=f"until [ -e {self.go} ]; do sleep 0.05; done")
        e2e.wait_until("it runs", lambda: self.states("once") == ["running"])

    def test_a_job_that_ran_for_the_last_time(self):
        self.once()
        self.client.call("job.add", id="next", after=["once"], shell=f"echo x >> {self.server.dir}/followed")
        self.fill()
        self.go.touch()
        e2e.wait_until("it ends", lambda: self.states("once") == [] or self.client.call("job.get", id="once")["runs"] == [])
        self.calm()
        self.limit(resource.RLIM_INFINITY)
        e2e.wait_until("it is gone", lambda: [job["id"] for job in self.client.call("job.list")["jobs"]] == ["next"], 60)
        e2e.wait_until("what follows has run", lambda: self.states("next") == ["success"], 60)
        self.assertEqual(self.states("once"), ["success"])
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.client = self.server.client()
        self.assertEqual(self.states("next"), ["success"])

    def test_a_pause_that_ends(self):
        self.client.call("job.add", id="a", command=["true"], trigger={"every": "1h"})
        self.client.call("job.pause", id="a", until=int((time.time() + 1.5) * 1e6))
        self.fill()
        time.sleep(1.5)
        self.calm()
        self.limit(resource.RLIM_INFINITY)
        e2e.wait_until("it goes on", lambda: self.client.call("job.get", id="a")["state"] == "waiting", 60)

    def test_a_stop_ends(self):
        self.once()
        self.fill()
        self.go.touch()
        time.sleep(0.3)
        self.assertEqual(self.server.stop(seconds=30), 0)


class SmallDisk(e2e.TestCase):
    """A disk of its own, which is filled to the last byte."""

    def setUp(self):
        self.server = self.daemon(start=False)
        self.server.state.mkdir(mode=0o700)
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(self.server.state)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            self.skipTest("no disk can be mounted here")
        # Behind the daemon's own end, for clean-ups run from the last to the first.
        self._cleanups.insert(0, (subprocess.run, [["umount", "-l", str(self.server.state)]], {"check": False}))
        self.server.start()
        self.client = self.server.client()

    def fill(self):
        with open(self.server.state / "filler", "wb", buffering=0) as filler:
            for size in (1 << 16, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    continue

    def test_ends_have_room(self):
        go = self.server.dir / "go"
        wait = f"until [ -e {go} ]; do sleep 0.05; done"
        for i in range(20):
            self.client.call("job.add", id=f"once-{i}", shell=wait)
        self.client.call("job.add", id="next", after=["once-0"], shell=f"echo x >> {self.server.dir}/followed")
        e2e.wait_until("all run", lambda: all(self.client.call("job.get", id=f"once-{i}")["running"] for i in range(20)))
        self.fill()
        with self.assertRaises(e2e.RpcError):
            for i in range(10000):
                self.client.call("job.add", id=f"more-{i}", command=["true"], trigger={"type": "manual"})
        go.touch()
        e2e.wait_until("all are removed", lambda: not any(
            job["id"].startswith("once-") for job in self.client.call("job.list", limit=10000)["jobs"]), 60)
        e2e.wait_until("what follows has run", (self.server.dir / "followed").exists)
        e2e.wait_until("that is recorded", lambda: [
            run["state"] for run in self.client.call("run.list", jobs=["next"])["runs"]] == ["success"])
        self.server.stop(signal.SIGKILL)
        (self.server.state / "filler").unlink()
        self.server.start()
        self.client = self.server.client()
        for i in range(20):
            self.assertEqual([run["state"] for run in self.client.call("run.list", jobs=[f"once-{i}"])["runs"]], ["success"])
        self.client.call("job.add", id="again", command=["true"], trigger={"type": "manual"})


if __name__ == "__main__":
    unittest.main()
