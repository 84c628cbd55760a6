# SPDX-License-Identifier: MIT
"""A node that is cut off from its store: what its jobs' processes do, and what is told of their runs."""
import os
import pathlib
import signal
import tempfile
import time
import unittest

from cluster import LEASE, STORE, URL, Cluster, Node
from cut_way import CutProxy
from e2e import wait_until


def alive(path):
    """The process that has written its number there."""
    pid = int(path.read_text())
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Partition(unittest.TestCase):
    def setUp(self):
        target = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        near = tempfile.mkdtemp(prefix="schedd-cut.")
        self.proxy = CutProxy(f"{near}/{os.path.basename(target)}", target)
        self.cluster = Cluster(2)
        self.a = Node("a", url=URL.replace(os.path.dirname(target), near))
        self.b = self.cluster.nodes[1]
        self.cluster.nodes[0] = self.a
        self.a.start()
        self.pids = {job: self.cluster.dir / f"{job}.pid" for job in ("keeps", "killed", "again")}
        self.begin("keeps")
        self.begin("killed", "--on-partition", "kill")
        self.b.start()

    def tearDown(self):
        self.proxy.whole.set()
        self.cluster.end(self)
        self.proxy.close()

    def begin(self, job, *options):
        path = self.pids[job]
        self.cluster.add(self.a, job, "--manual", *options, command=["sh", "-c", f"echo $$ > {path}; exec sleep 1000"])
        self.a.ok("run", job)
        wait_until("it runs", lambda: path.exists() and path.read_text().endswith("\n"))

    def test_what_follows_a_run_that_ended_in_the_cut_follows_once(self):
        """The run is lost for all: what follows that follows where its jobs are then, what follows success does not."""
        gate = self.cluster.dir / "gate"
        self.cluster.add(self.a, "ends", "--manual", command=[
            "sh", "-c", f"echo $$ > {self.cluster.dir}/ends.pid; while ! [ -e {gate} ]; do sleep 0.1; done"])
        for job, state in (("well", "ok"), ("ill", "fail"), ("always", "any")):
            self.cluster.add(self.a, job, "--after", f"ends:{state}")
        self.a.ok("run", "ends")
        wait_until("it runs", lambda: (self.cluster.dir / "ends.pid").exists())
        wait_until("b knows", lambda: self.b.ctl("show", "always")[0] == 0)
        self.proxy.whole.clear()
        gate.touch()
        wait_until("b has taken it over", lambda: self.b.json("show", "ends/1")["state"] == "lost", 30)
        wait_until("what follows has run", lambda: len(self.cluster.lines()) == 2, 30)
        self.proxy.whole.set()
        wait_until("its end is told late", lambda: "told late: success" in (self.b.json("show", "ends/1")["reason"] or ""), 40)
        self.assertEqual(self.b.json("show", "ends/1")["state"], "lost")
        self.assertEqual(STORE.texts("after."), [])
        # Nor does the next life find something that is to follow.
        for node in (self.b, self.a):
            node.ok("shutdown", "--now")
            self.assertEqual(node.process.wait(60), 0)
        self.a.start()
        wait_until("it has all", lambda: self.a.slots() == 256)
        self.cluster.add(self.a, "done", "--manual")
        self.a.ok("run", "done")
        wait_until("it goes on", lambda: any(line.startswith("done/1 ") for line in self.cluster.lines()))
        self.assertEqual(sorted(line.split()[0] for line in self.cluster.lines()), ["always/1", "done/1", "ill/1"])

    def test_what_a_node_cut_off_does_with_its_processes(self):
        self.assertEqual(self.b.json("show", "killed")["on_partition"], "kill")
        self.assertEqual(self.b.json("show", "keeps")["on_partition"], "keep")
        self.proxy.whole.clear()
        wait_until("its process is ended", lambda: not alive(self.pids["killed"]), 30)
        wait_until("b has taken them over", lambda: self.b.nodes()["a"]["state"] == "dead", 30)
        for job in ("keeps", "killed"):
            wait_until("it is lost", lambda job=job: self.b.json("show", f"{job}/1")["state"] == "lost")
        self.assertTrue(alive(self.pids["keeps"]))
        self.assertIn("cut off from store shared: killed (on_partition)", self.a.log.read_text())
        self.proxy.whole.set()
        # Its real end is noted, the run stays lost.
        wait_until("it is told late", lambda: "on_partition: kill" in (self.b.json("show", "killed/1")["reason"] or ""), 40)
        self.assertEqual(self.b.json("show", "killed/1")["state"], "lost")
        self.assertTrue(alive(self.pids["keeps"]))
        os.kill(int(self.pids["keeps"].read_text()), signal.SIGTERM)
        wait_until("so is the other's", lambda: "told late" in (self.b.json("show", "keeps/1")["reason"] or ""), 40)

    def test_a_short_cut_ends_nothing(self):
        self.proxy.whole.clear()
        time.sleep(LEASE / 4)
        self.proxy.whole.set()
        self.begin("again", "--on-partition", "kill")
        time.sleep(LEASE)
        for job in self.pids:
            self.assertTrue(alive(self.pids[job]), job)


if __name__ == "__main__":
    unittest.main()
