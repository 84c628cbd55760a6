# SPDX-License-Identifier: MIT
"""Memory that runs out in requests to nodes that share a store and to workers, and that no method is left out of these tests.
See test_alloc.py."""
import json
import os
import pathlib
import re
import signal
import unittest

from cluster import Node
from alloc_case import DONE, REFUSED, UNKNOWN, AllocCase
import e2e

APP = pathlib.Path(__file__).with_name("worker_app")
ROWS = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "server/rpc/rpc_rows.h"
# What needs no memory, and what has a loop of its own (test_a_stop_is_one_or_is_refused).
OTHERWISE = {"server.ping", "server.shutdown"}


class Methods(unittest.TestCase):
    def test_each_is_tried(self):
        methods = set(re.findall(r'ROW\("([a-z_.]+)"', ROWS.read_text()))
        self.assertGreater(len(methods), 50)
        texts = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_alloc*.py"))
        # An argument of each(), or at the head of a row of those that are given to it.
        tried = set(re.findall(r'(?:self\.each\(|(?<!\w)\()"([a-z]+\.[a-z_]+)"', texts))
        for verb in re.findall(r'self\.each\(f"\{part\}\.([a-z]+)"', texts):
            tried |= {f"{part}.{verb}" for part in ("store", "executor")}
        self.assertEqual(sorted(methods - tried - OTHERWISE), [])


class More(AllocCase):
    subscribes = False

    def begin(self, config):
        self.d.config.write_text(config)
        self.d.start(**self.env)
        self.plain = self.client()

    def client(self):
        client = super().client()
        if self.subscribes:
            client.call("event.subscribe")
        return client

    def agrees(self, outcome, done):
        self.assertIn(outcome, (DONE if done else REFUSED, UNKNOWN), "the answer is not what was done")

    def test_a_run_by_hand_begins_or_does_not(self):
        self.begin("")
        self.plain.call("job.add", id="r", shell="true", trigger={"type": "manual"}, max_instances=1000)
        count = [0]

        def one_more(outcome):
            now = self.exists("r")["last_run"] or 0
            self.agrees(outcome, now == count[0] + 1)
            count[0] = now
        self.each("job.run", after=one_more, id="r")

    def test_a_subscription_ends_or_goes_on(self):
        self.begin("")
        self.subscribes = True
        self.each("event.unsubscribe")

    def test_workers_are_replaced(self):
        self.begin(json.dumps({"executors": {"python": {"type": "worker", "cwd": str(APP), "processes": 1}}}))
        self.plain.call("job.add", id="c", executor="python", trigger={"type": "manual"}, call={"function": "calls:add", "args": [1, 2]})

        def works(_=None):
            run = self.plain.call("job.run", id="c")["run"]
            self.assertEqual(self.plain.call("run.wait", run=run, timeout=60)["state"], "success")
        works()
        self.each("executor.restart", name="python")
        works()

    def test_requests_about_nodes(self):
        other = Node("b")
        self.addCleanup(other.stop)
        self.begin(Node("a").config.read_text())

        def states():
            return {node["name"]: node["state"] for node in self.plain.call("node.list")}
        e2e.wait_until("it is a node", lambda: "a" in states())
        self.each("node.list")
        self.each("node.drain", name="a", before=lambda: self.plain.call("node.resume", name="a"),
                  after=lambda outcome: self.agrees(outcome, states()["a"] == "draining"))
        self.each("node.resume", name="a", before=lambda: self.plain.call("node.drain", name="a"),
                  after=lambda outcome: self.agrees(outcome, states()["a"] == "live"))

        def dies():
            if "b" in states():
                return
            other.start()
            e2e.wait_until("b is a node", lambda: "b" in states())
            other.stop(signal.SIGKILL)
            e2e.wait_until("b is dead", lambda: states()["b"] == "dead")
        self.each("node.forget", before=dies, after=lambda outcome: self.agrees(outcome, "b" not in states()), name="b")


if __name__ == "__main__":
    unittest.main()
