# SPDX-License-Identifier: MIT
"""A node that stops while somebody waits there for what another node answers."""
import signal
import unittest

from cluster import STORE, Cluster
from e2e import RpcError, wait_until


class Waiting(unittest.TestCase):
    """A run that waits for its turn does not keep a node from leaving in good order: another takes it up at once."""

    def setUp(self):
        self.cluster = Cluster(2, lease=9)
        self.a, self.b = self.cluster.nodes

    def tearDown(self):
        self.cluster.end(self)

    def test_what_waits_goes_on_elsewhere(self):
        self.cluster.start()
        for i in range(12):
            self.a.ok("groups", "set", f"g{i}", "--parallel", "1")
            self.cluster.add(self.a, f"long{i}", "--manual", "--group", f"g{i}", command=["sleep", "1000"])
            self.cluster.add(self.a, f"next{i}", "--manual", "--group", f"g{i}")
        group = wait_until("b has one", lambda: next((job["id"][4:] for job in self.b.json("list", "long*", "--node", "b")), None))
        self.a.ok("run", f"long{group}")
        wait_until("it runs", lambda: self.a.json("show", f"long{group}/1")["state"] == "running")
        self.a.ok("run", f"next{group}")
        wait_until("it waits", lambda: self.a.json("show", f"next{group}/1")["state"] == "queued")
        self.b.ok("shutdown", "--now")
        self.assertEqual(self.b.process.wait(60), 0)
        self.assertIsNotNone(STORE.seats()["b"].dead_since, "its lease goes on")
        run = wait_until("a has taken it up", lambda: next((run for run in self.a.json("history", f"next{group}")
                                                            if run["state"] == "success"), None))
        self.assertEqual((run["run"], run["node"]), (1, "a"))
        wait_until("a has all", lambda: STORE.seats()["a"].slots == 256)
        self.b.start()
        self.assertEqual(len(self.b.json("history", f"next{group}")), 1)


class Stop(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(2)
        self.a, self.b = self.cluster.nodes
        self.a.start()
        self.cluster.add(self.a, "long", "--manual", "--on", "a", command=["sleep", "1000"])
        self.cluster.add(self.a, "never", "--manual", "--on", "a")
        self.a.ok("run", "long")
        wait_until("it runs", lambda: self.a.json("show", "long/1")["state"] == "running")
        self.b.start()
        wait_until("b knows", lambda: self.b.ctl("show", "long/1")[0] == 0)
        self.client = self.b.client()

    def tearDown(self):
        if self.a.process.poll() is None:
            self.a.thaw()
            self.stop_now(self.a)
        self.cluster.end(self)

    def stop_now(self, node):
        """Whatever runs there."""
        node.ok("shutdown", "--now")
        self.assertEqual(node.process.wait(60), 0)

    def begin(self, *calls):
        """Asks all of that, of which nothing is answered; each has come when the last one is."""
        asked = {self.client.send(method, **params): method for method, params in calls}
        self.client.call("server.ping")
        return asked

    def stop(self):
        """While a stands still, which thaws with the end of the test."""
        self.assertEqual(self.b.stop(), 0)
        self.assertNotIn("ERROR", self.b.log.read_text())

    def test_what_another_was_asked_is_answered_at_the_end(self):
        self.a.freeze()
        asked = self.begin(("run.wait", {"run": "long/1"}), ("run.kill", {"run": "long/1"}), ("job.run", {"id": "long"}),
                           ("run.retry", {"run": "long/1"}), ("server.status", {"node": "a"}))
        follower = self.b.client()
        follower.send("run.log", run="long/1", follow=True)
        follower.send("event.subscribe", jobs=["long"])
        self.b.process.send_signal(signal.SIGTERM)
        for msgid, method in asked.items():
            with self.assertRaises(RpcError, msg=method) as refused:
                self.client.receive(msgid)
            self.assertIn("node a is not waited for, as schedd stops: whether it has done what was asked is not known",
                          str(refused.exception), method)
        self.stop()

    def test_who_waits_for_what_nobody_has_is_let_go(self):
        self.a.stop(signal.SIGKILL)
        wait_until("a is dead", lambda: self.b.nodes()["a"]["state"] == "dead")
        # Only a may have them: what has become of their runs is told all the same.
        self.assertEqual(self.client.call("run.wait", run="long/1")["state"], "lost")
        self.assertEqual(self.client.call("run.wait", run="long", **{"for": "idle"})["id"], "long")
        with self.assertRaises(RpcError) as late:
            self.client.call("run.wait", run="never", timeout=1)
        self.assertIn("never is not done yet", str(late.exception))
        self.begin(("run.wait", {"run": "never"}), ("run.wait", {"run": "never", "for": "running", "timeout": 600}))
        self.stop()

    def test_one_that_is_asked_stops(self):
        """How the run ended is told by who was waited at, for only a may have the job."""
        asked = self.begin(("run.wait", {"run": "long/1"}))
        self.stop_now(self.a)

        run = self.client.receive(*asked)
        self.assertEqual(run["id"], "long/1")
        self.assertIn(run["state"], ("killed", "lost"))
        self.stop()


if __name__ == "__main__":
    unittest.main()
