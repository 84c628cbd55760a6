# SPDX-License-Identifier: MIT
"""Output and events of other nodes are followed from any node, and what is missing is said."""
import json
import os
import signal
import subprocess
import unittest

import msgpack

from cluster import Cluster
from e2e import RpcError, wait_until


class Streams(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(2)
        self.a, self.b = self.cluster.nodes
        self.a.start()
        self.followers = []

    def tearDown(self):
        for follower in self.followers:
            follower.kill()
            follower.communicate()
        self.cluster.end(self)

    def begin(self, job, *command, options=()):
        """A run on a, which b sees."""
        self.cluster.add(self.a, job, "--manual", *options, command=list(command))
        self.a.ok("run", job)
        wait_until("it runs", lambda: self.a.json("show", f"{job}/1")["state"] == "running")
        if self.b.process is None:
            self.b.start()
        wait_until("b knows", lambda: self.b.ctl("show", f"{job}/1")[0] == 0)

    def follow(self, *words):
        follower = subprocess.Popen([os.environ["SCHEDCTL"], *words], env=self.b.environment(), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.followers.append(follower)
        return follower

    def gate(self):
        """What a command waits for."""
        return self.cluster.dir / "gate"

    def test_output_is_followed_to_its_end(self):
        gate = self.gate()
        self.begin("slow", "sh", "-c", f"echo before; while ! [ -e {gate} ]; do sleep 0.05; done; "
                   "seq 1 20000; printf 'no text: \\377\\n' >&2; exit 3")
        follower = self.follow("logs", "-f", "--raw", "slow/1")
        self.assertEqual(follower.stdout.readline(), b"before\n")
        gate.touch()
        out, err = follower.communicate(timeout=60)
        expected = b"".join(b"%d\n" % i for i in range(1, 20001))
        self.assertTrue(out.replace(b"no text: \xff\n", b"") == expected, f"{len(out)} bytes")
        self.assertIn(b"no text: \xff\n", out)
        self.assertEqual((follower.returncode, err), (0, b""))
        # How it ended is known elsewhere, too, without any time to wait.
        for node in self.a, self.b:
            self.assertEqual(node.ctl("wait", "slow/1")[0], 10)
            self.assertEqual(node.ctl("wait", "slow/1", "--timeout", "0s")[0], 10)

    def test_nothing_of_much_output_is_missing_unsaid(self):
        gate = self.gate()
        self.begin("much", "sh", "-c", f"echo before; while ! [ -e {gate} ]; do sleep 0.05; done; seq 1000000 1300000",
                   options=["--output-max", "4M"])
        follower = self.follow("logs", "-f", "--raw", "much/1")
        self.assertEqual(follower.stdout.readline(), b"before\n")
        gate.touch()
        out, err = follower.communicate(timeout=120)
        missing = sum(int(line.split()[1]) for line in err.decode().splitlines() if "were not kept here" in line)
        self.assertEqual(follower.returncode, 0, err)
        self.assertEqual(len(out) + missing, 8 * 300001, err)

    def test_a_node_that_dies_is_told_to_who_follows(self):
        self.begin("cut", "sh", "-c", "echo its last words; sleep 600")
        follower = self.follow("logs", "-f", "cut/1")
        self.assertEqual(follower.stdout.readline(), b"its last words\n")
        self.a.stop(signal.SIGKILL)
        out, err = follower.communicate(timeout=120)
        self.assertEqual((follower.returncode, out), (0, b""), err)
        self.assertIn(b"cut/1 was lost with its node", err)
        self.assertIn(b"what it wrote after this is not known here", err)
        waiter = self.b.ctl("wait", "cut/1")
        self.assertNotEqual(waiter[0], 0)

    def test_who_waits_is_told_the_end_though_the_node_dies(self):
        self.begin("waited", "sleep", "600")
        waiter = self.follow("wait", "waited/1", "--json")
        wait_until("it waits", lambda: self.b.client().call("server.status")["clients"] >= 2)
        self.a.stop(signal.SIGKILL)
        out, err = waiter.communicate(timeout=120)
        self.assertEqual(json.loads(out)["state"], "lost", err)

    def events(self, follower, wanted):
        """Reads events until wanted says so of one; answers all."""
        seen = []
        while not (seen and wanted(seen[-1])):
            line = follower.stdout.readline()
            if not line:
                self.fail(follower.stderr.read())
            seen.append(json.loads(line))
        return seen

    def test_subscriptions_that_are_ended_before_they_began(self):
        self.b.start()
        wait_until("they see each other", lambda: len(self.b.nodes()) == 2)
        client = self.b.client(timeout=60)
        # In one piece: the events of before have not come from the other node yet.
        client.socket.sendall(b"".join(msgpack.packb([0, i, method, [params]]) for i, method, params in (
            (1, "event.subscribe", {}), (2, "event.subscribe", {"since": 0}), (3, "event.subscribe", {"since": 0}), (4, "event.unsubscribe", {}))))
        client.receive(1)
        for msgid in 2, 3:
            try:
                client.receive(msgid)
            except RpcError as error:
                self.assertIn("ended before it had begun", str(error))
        self.assertEqual(client.receive(4), {"ended": 3})
        client.msgid = 4
        client.call("server.ping")

    def test_events_of_all_nodes_come_in_one_stream(self):
        self.begin("first", "sleep", "600")
        follower = self.follow("events", "-f", "--json", "--since", "0", "--event", "run_started,run_killed")
        seen = self.events(follower, lambda event: event["run"] == "first/1")
        self.assertEqual(seen[-1]["node"], "a")
        self.b.ok("kill", "first/1")
        seen = self.events(follower, lambda event: event["event"] == "run_killed")
        self.assertEqual((seen[-1]["node"], seen[-1]["run"]), ("a", "first/1"))
        self.cluster.await_balance([self.a, self.b])
        for i in range(8):
            self.cluster.add(self.a, f"j{i}", "--manual", command=["true"])
            wait_until("b knows", lambda i=i: self.b.ctl("show", f"j{i}")[0] == 0)
            self.b.ok("run", f"j{i}")
        seen = []
        while {event["run"] for event in seen} < {f"j{i}/1" for i in range(8)}:
            seen += self.events(follower, lambda event: event["event"] == "run_started")
        self.assertEqual(len(seen), 8, "each once")
        kept = self.b.json("events", "--event", "run_started")
        self.assertEqual({(event["node"], event["run"]) for event in kept if event["run"] != "first/1"},
                         {(event["node"], event["run"]) for event in seen})
        self.assertEqual([event["time"] for event in kept], sorted(event["time"] for event in kept))
        latest = self.b.json("events", "-n", "3", "--event", "run_started")
        self.assertEqual(latest, kept[-3:])
        self.assertEqual({event["node"] for event in kept if event.get("relayed")}, {"a"})
        for node in ("a", "b"):
            of_one = self.b.json("events", "--node", node, "--event", "run_started")
            self.assertEqual(of_one, [event for event in kept if event["node"] == node])
        self.assertIn("  on a", self.b.ok("events", "--node", "a"))
        code, _, err = self.b.ctl("events", "--node", "nobody")
        self.assertEqual(code, 4, err)
        self.assertIn("node nobody: no such node", err)
        self.a.stop(signal.SIGKILL)
        code, _, err = self.b.ctl("events", "--node", "a")
        wait_until("it is dead", lambda: self.b.nodes()["a"]["state"] == "dead", 30)
        code, _, err = self.b.ctl("events", "--node", "a")
        self.assertEqual(code, 1, err)
        self.assertIn("node a is dead since", err)
        self.assertIn("node a is dead since", follower.stderr.readline().decode())
        self.a.start()
        wait_until("it is back", lambda: self.b.nodes()["a"]["state"] == "live", 30)
        self.cluster.add(self.a, "after", "--manual", command=["true"])
        wait_until("b knows", lambda: self.b.ctl("show", "after")[0] == 0)
        self.b.ok("run", "after")
        self.assertEqual(self.events(follower, lambda event: event["run"] == "after/1")[-1]["event"], "run_started")
        behind = self.follow("events", "-f", "--since", "5")
        self.assertIn("node a is followed from here on", behind.stderr.readline().decode())


if __name__ == "__main__":
    unittest.main()
