# SPDX-License-Identifier: MIT
"""Who gets what a dead node had: who has less to do gets more of it, and then it stays."""
import signal
import time
import unittest

from cluster import LEASE, Cluster
from e2e import wait_until

JOBS = 30


class Load(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(3)
        self.cluster.start()
        self.a, self.b, self.c = self.cluster.nodes
        self.document = "version: 1\njobs:\n" + "".join(f"  any{i}: {{command: ['true'], trigger: every 1h, store: shared}}\n" for i in range(JOBS)) + \
            "".join(f"  own{i}: {{command: ['true'], trigger: every 1h, store: shared, nodes: [b]}}\n" for i in range(2 * JOBS))

    def tearDown(self):
        self.cluster.end(self)
        self.cluster.check(self)

    def spread(self):
        """The jobs of any node, by the node that has them."""
        return {node.name: {job["id"] for job in self.a.json("list", "any*", "--node", node.name)} for node in self.cluster.nodes}

    def whole(self):
        return sum(len(jobs) for jobs in self.spread().values()) == JOBS

    def gone(self, before):
        """c has none any more. b has twice as many jobs already as there are to be given, and so gets none: but for a
        moment, where it is who has taken over."""
        after = {"a": before["a"] | before["c"], "b": before["b"], "c": set()}
        wait_until("a has all that c had", lambda: self.spread() == after, 30)
        return after

    def test_a_loaded_node_gets_fewer_of_the_jobs_of_one_that_goes(self):
        path = self.cluster.dir / "jobs.yaml"
        path.write_text(self.document)
        self.a.ok("apply", str(path), "--owner", "load")
        wait_until("each job is somebody's", self.whole)
        for node in self.cluster.nodes:  # any of them may be who gives
            wait_until("b has its own", lambda node=node: len(node.json("list", "own*", "--node", "b")) == 2 * JOBS)
        before = self.spread()
        self.assertTrue(before["c"])
        self.a.ok("nodes", "drain", "c")
        after = self.gone(before)
        nodes = self.a.nodes()
        self.assertEqual([nodes[name]["jobs"] for name in "abc"], [len(after["a"]), len(after["b"]) + 2 * JOBS, 0])

        # It gets its share of what any node may run when it is back, and nobody anything of another's but it.
        self.a.ok("nodes", "resume", "c")
        wait_until("it has its share again", lambda: self.b.nodes()["c"]["slots"] >= 80, 30)
        wait_until("each job is somebody's", self.whole)
        back = self.spread()
        self.assertTrue(back["c"])
        self.assertTrue(back["a"] <= after["a"] and back["b"] <= after["b"], back)

        self.c.stop(signal.SIGKILL)
        wait_until("it is dead", lambda: self.a.nodes()["c"]["state"] == "dead", 30)
        after = self.gone(back)
        # And so it stays, though by the hash a part of them would be b's.
        until = time.monotonic() + LEASE
        while time.monotonic() < until:
            self.assertEqual(self.spread(), after)
            time.sleep(0.2)


if __name__ == "__main__":
    unittest.main()
