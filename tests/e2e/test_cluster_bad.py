# SPDX-License-Identifier: MIT
"""What cannot be a node of a cluster, or be done to one: words, exit codes, and that all others go on."""
import os
import struct
import tempfile
import unittest

from cluster import STORE, URL, Cluster, Node
from e2e import SCHEDCTL, wait_until
from server_store import SlowProxy
from test_clock_step import preload
from test_top import Terminal


class Bad(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(1)
        self.cluster.start(balanced=False)
        self.a, = self.cluster.nodes
        self.others = []

    def tearDown(self):
        for node in self.others:
            self.assertEqual(node.end(), "", node.name)
        self.a.ok("add", "--id", "goes-on", "--store", "shared", "--manual", "--", "true")
        self.a.ok("run", "goes-on", "--wait")
        self.cluster.end(self)

    def node(self, name, env=None, **options):
        node = Node(name, **options)
        self.others.append(node)
        return node.start(**(env or {}))

    def refused(self, node, *words):
        """Its store says why it cannot be had, and status shows that something is wrong."""
        def why():
            store = next(store for store in node.json("stores") if store["name"] == "shared")
            return store["state"] == "refused" and store["last_error"]
        error = wait_until("it is refused", why)
        for word in words:
            self.assertIn(word, error)
        code, _, err = node.ctl("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
        self.assertNotEqual(code, 0, "a job was added")
        self.assertIn("shared", err)
        code, out, err = node.ctl("nodes")
        self.assertEqual(code, 1, out)
        self.assertIn("store shared has not been joined yet (refused): ", err)
        for word in words:
            self.assertIn(word, err)
        self.assertRegex(node.ok("status"), "nodes: +none is known yet: schedctl nodes says why")

    def test_nodes_of_too_different_versions(self):
        for protocol, words in ((9, ("too new", "upgrade this one")), (0, ("too old", "upgrade that one first"))):
            STORE.tell(f"UPDATE schedd_nodes SET protocol = {protocol}, version = '9.{protocol}'")
            self.refused(self.node(f"b{protocol}"), "node 'a' runs schedd 9.", "one step apart", *words)
        STORE.tell("UPDATE schedd_nodes SET protocol = 2 WHERE name = 'a'")
        wait_until("one step is understood", lambda node=self.node("c"): node.nodes()["c"]["state"] == "live")

    def test_a_schema_that_is_newer(self):
        STORE.tell("UPDATE schedd_meta SET number = 4 WHERE key = 'schema.version'")
        wait_until("one step is understood", lambda node=self.node("b"): node.nodes()["b"]["state"] == "live")
        STORE.tell("UPDATE schedd_meta SET number = 4 WHERE key = 'schema.least'")
        self.refused(self.node("c"), "written by a newer schedd (schema 4, known is 3)", "run that version here")
        STORE.tell("UPDATE schedd_meta SET number = CASE key WHEN 'schema.least' THEN 2 ELSE 3 END WHERE key LIKE 'schema.%'")

    def test_a_lease_that_round_trips_use_up(self):
        target = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        near = tempfile.mkdtemp(prefix="schedd-slow.")
        proxy = SlowProxy(f"{near}/{os.path.basename(target)}", target, delay=0.6)
        node = Node("far", url=URL.replace(os.path.dirname(target), near))
        node.config.write_text(node.config.read_text().replace("timeout: 4s", "timeout: 30s").replace(
            "connect_timeout: 2s", "connect_timeout: 30s"))
        self.others.append(node)
        node.start()
        self.refused(node, "lease: it is shorter than 3 round trips", "make it longer")
        proxy.close()

    def test_what_lives_is_not_forgotten(self):
        # A machine that stood still for a lease is told of that first.
        err = wait_until("it lives", lambda: (told := self.a.ctl("nodes", "forget", "a"))[0] == 5 and told[2])
        self.assertIn("node 'a' lives: stop it, or wait until its lease is over", err)
        for verb in ("forget", "drain", "resume"):
            code, _, err = self.a.ctl("nodes", verb, "nobody")
            self.assertEqual(code, 4, err)
            self.assertIn("there is no node 'nobody'", err)

    def test_what_a_person_is_told_of_nodes(self):
        b = self.node("b")
        wait_until("it is there", lambda: "b" in self.a.nodes())
        self.assertRegex(self.a.ok("status"), "nodes: +2 live\n")
        self.a.ok("nodes", "drain", "b")
        self.assertRegex(self.a.ok("status"), "nodes: +1 live, b draining\n")
        terminal = Terminal([SCHEDCTL, "top"], {**self.a.environment(), "TERM": "xterm", "LANG": "C.UTF-8",
                                                "PATH": os.path.dirname(SCHEDCTL) + ":/usr/bin:/bin"})
        self.addCleanup(terminal.close)
        terminal.wait("who is not live", lambda screen: screen[0].rstrip().endswith("; node b draining"))
        terminal.key("q")
        wait_until("it is logged", lambda: "node b has joined" in self.a.log.read_text() and
                   "node b is drained, others take its jobs" in self.a.log.read_text())
        self.a.ok("nodes", "resume", "b")
        self.assertEqual(b.stop(), 0)
        wait_until("it is gone", lambda: self.a.nodes()["b"]["state"] == "dead")
        self.assertRegex(self.a.ok("status"), "nodes: +1 live, b dead\n")
        self.assertEqual([(node["name"], node["state"], node["since"] is not None) for node in self.a.json("status")["nodes"]],
                         [("a", "live", False), ("b", "dead", True)])
        # What is seen of a node that has come back is not what it said before, and none of its events is said to be missing.
        b.start()
        wait_until("it is back", lambda: self.a.nodes()["b"]["state"] == "live")
        code, _, err = self.a.ctl("events", "-n", "1000")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("node b is gone, others have its jobs", self.a.log.read_text())

    def test_what_a_store_may_not_hold_is_no_failure_of_it(self):
        code, _, err = self.a.ctl("add", "--store", "shared", "--user", "daemon", "--manual", "--", "true")
        self.assertNotEqual(code, 0)
        if os.geteuid() == 0:
            self.assertIn("name it in the store's run_as", err)
        self.assertNotIn("store_error", self.a.ok("status"))
        self.assertNotIn("run_as", self.a.log.read_text())

    def test_a_clock_that_is_ten_minutes_off(self):
        offset = self.cluster.dir / "offset"
        offset.write_bytes(struct.pack("q", -600 * 1000000))
        node = self.node("late", env={"LD_PRELOAD": preload(), "CLOCK_OFFSET": str(offset)})
        wait_until("it is seen", lambda: abs(self.a.nodes().get("late", {"clock": 0})["clock"] + 600) < 30)
        wait_until("it says so", lambda: "clock differs from the store's by -" in node.log.read_text())
        self.assertEqual(self.a.nodes()["late"]["state"], "live")


if __name__ == "__main__":
    unittest.main()
