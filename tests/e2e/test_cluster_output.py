# SPDX-License-Identifier: MIT
"""What runs wrote is read on any node of a cluster, and the end of it when their node is gone."""
import json
import os
import signal
import subprocess
import unittest

from cluster import STORE, Cluster
from e2e import wait_until
from test_http import free_port

KEPT = 65536
# Bytes that are no text, and one of each; quotes and backslashes are a store's business.
BYTES = bytes(range(256)) + b"'\"\\\n"


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(2)
        cls.a, cls.b = cls.cluster.nodes
        cls.port = free_port()
        cls.b.config.write_text(cls.b.config.read_text() +
                                f"http:\n  listen: ['127.0.0.1:{cls.port}']\n  tokens: {cls.b.dir}/tokens\n")
        cls.a.start()
        bytes_file = cls.cluster.dir / "bytes"
        bytes_file.write_bytes(BYTES)
        cls.run_job("small", "sh", "-c", "echo hello; echo world >&2; exit 3")
        cls.run_job("bytes", "cat", str(bytes_file))
        cls.run_job("large", "sh", "-c", "seq 100000 150000")
        cls.run_job("little", "sh", "-c", "seq 100000 110000", options=["--output-max", "1000"])
        cls.run_job("cut", "sh", "-c", "seq 100000 200000", options=["--output-max", "200000"])
        cls.run_job("none", "sh", "-c", "echo unseen", options=["--capture", "none"])
        cls.run_job("silent", "true")
        cls.cluster.add(cls.a, "lost", "--manual", command=["sh", "-c", "echo it began; sleep 600"])
        cls.a.ok("run", "lost")
        wait_until("it has written", lambda: "it began" in cls.a.ok("logs", "lost/1"))
        cls.all = {job: cls.raw(cls.a, job) for job in ("small", "bytes", "large", "little", "cut", "none", "silent")}
        cls.b.start()
        # Asked of the node that has it.
        cls.there = {job: cls.raw(cls.b, job) for job in cls.all}
        cls.a.stop(signal.SIGKILL)
        cls.at_once = cls.b.ctl("logs", "small/1")
        wait_until("it is known to be dead", lambda: cls.b.nodes()["a"]["state"] == "dead", 30)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.end(cls("test_what_is_small_is_there_whole"))

    @classmethod
    def run_job(cls, job, *command, options=()):
        cls.cluster.add(cls.a, job, "--manual", *options, command=list(command))
        cls.a.ok("run", job)
        wait_until("it has ended", lambda: cls.a.json("show", f"{job}/1")["ended_at"])

    @staticmethod
    def raw(node, job):
        return subprocess.run([os.environ["SCHEDCTL"], "logs", "--raw", f"{job}/1"], capture_output=True, check=False,
                              env=node.environment(), timeout=60).stdout

    def assert_same(self, got, expected):
        """Of long texts a difference is told by its place: to look for all of them takes minutes."""
        at = next((i for i, (x, y) in enumerate(zip(got, expected)) if x != y), min(len(got), len(expected)))
        self.assertTrue(got == expected, f"{len(got)} and {len(expected)} bytes differ from {at} on: "
                        f"{got[at:at + 40]!r} and {expected[at:at + 40]!r}")

    def test_all_of_it_is_read_elsewhere_while_its_node_lives(self):
        self.assert_same(self.all["bytes"], BYTES)
        for job, wrote in self.all.items():
            self.assert_same(self.there[job], wrote)

    def test_what_is_small_is_there_whole(self):
        self.assertEqual(self.at_once[:2], (0, "hello\nworld\n"), self.at_once)
        for job in ("small", "bytes", "none", "silent"):
            self.assert_same(self.raw(self.b, job), self.all[job])
        code, out, err = self.b.ctl("logs", "small")
        self.assertEqual((code, out, err), (0, "hello\nworld\n", ""))
        self.assertEqual(self.b.ok("logs", "-n", "1", "small/1"), "world\n")

    def test_of_what_is_large_the_end_is_there(self):
        whole = self.all["large"]
        self.assertGreater(len(whole), KEPT)
        self.assert_same(self.raw(self.b, "large"), whole[-KEPT:])
        code, out, err = self.b.ctl("logs", "large/1")
        self.assertEqual(code, 0, err)
        self.assertIn(f"{len(whole) - KEPT} bytes were not kept here", err)
        self.assertIn("the rest is on node a, which is dead since", err)
        self.assertEqual(self.b.ok("logs", "-n", "2", "large/1"), "149999\n150000\n")
        self.assertLess(max(STORE.outputs().values()), KEPT + 1000)

    def test_its_limits_hold(self):
        self.assert_same(self.raw(self.b, "little"), self.all["little"])
        self.assertEqual(len(self.all["little"]), 1000)
        # What was dropped in the middle is before its last bytes.
        self.assert_same(self.raw(self.b, "cut"), self.all["cut"][-KEPT:])
        self.assertIsNone(self.b.json("show", "none/1").get("output") or None)
        self.assertNotIn("none/1", STORE.outputs())

    def test_why_and_show_tell_its_last_lines(self):
        for words in (("why", "small"), ("show", "small/1")):
            out = self.b.ok(*words)
            self.assertIn("Last lines of small/1", out)
            self.assertIn("  world\n", out)
        self.assertEqual(self.b.json("show", "small/1")["node"], "a")
        self.assertRegex(self.b.ok("show", "small/1"), r"(?m)^node: +a$")

    def test_over_http_too(self):
        token = self.b.client().add_token(name="root", role="admin")

        def get(job):
            return subprocess.run(["curl", "-sS", "-H", f"Authorization: Bearer {token}",
                                   f"http://127.0.0.1:{self.port}/api/v1/runs/{job}/1/log"],
                                  capture_output=True, check=True, timeout=60).stdout
        self.assert_same(get("bytes"), BYTES)
        self.assertTrue(get("large").endswith(self.all["large"][-KEPT:]))
        self.assertIn(b"which is dead since", get("large"))
        self.assertIn("node a alone", json.loads(get("lost"))["detail"])

    def test_what_is_on_the_dead_node_alone_is_said(self):
        wait_until("it is lost", lambda: self.b.json("show", "lost/1")["state"] == "lost")
        code, out, err = self.b.ctl("logs", "lost/1")
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn("run lost/1: what it wrote is on node a alone, which is dead since", err)
        self.assertIn("output/lost/1 in its state directory", err)
        code, _, err = self.b.ctl("show", "lost/1")
        self.assertEqual(code, 0)
        self.assertIn("on node a alone", err)


class Gone(unittest.TestCase):
    def test_it_goes_with_the_row_and_with_the_name(self):
        cluster = Cluster(1)
        cluster.start(balanced=False)
        self.addCleanup(lambda: cluster.end(self))
        node, = cluster.nodes
        cluster.add(node, "old", "--manual", command=["echo", "some words"])
        for number in (1, 2):
            node.ok("run", "old")
            wait_until("it has ended", lambda number=number: node.json("show", f"old/{number}")["ended_at"])
        self.assertEqual(len(STORE.outputs()), 2)
        node.client().call("run.purge", run="old/1")
        self.assertEqual(len(STORE.outputs()), 1)
        node.ok("rename", "old", "new")
        node.stop()
        for path in node.state.glob("output/*/*"):
            path.unlink()
        node.start()
        self.assertEqual(node.ok("logs", "new/2"), "some words\n")


if __name__ == "__main__":
    unittest.main()
