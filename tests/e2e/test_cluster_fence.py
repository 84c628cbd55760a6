# SPDX-License-Identifier: MIT
"""What a node has under way when it loses its jobs: each guard of lib/core/share/README.md by itself, in the one
order of things in which it is what holds. Where it is not the node's own clock that is tried no test waits for a
lease: the store is told that it is over, and who comes then looks for such at once."""
import os
import tempfile
import threading
import time
import unittest

from cluster import STORE, URL, Cluster, Node
from cut_way import CutProxy
from e2e import wait_until

SQL = os.environ["SCHEDD_TEST_STORE_TYPE"] != "redis"


class Case(unittest.TestCase):
    """a has all jobs, over a way that the test has in its hands; b comes to take them."""

    lease = 120

    def setUp(self):
        target = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        near = tempfile.mkdtemp(prefix="schedd-cut.")
        self.way = CutProxy(f"{near}/{os.path.basename(target)}", target)
        self.cluster = Cluster(0)
        self.a = Node("a", lease=self.lease, timeout="60s", url=URL.replace(os.path.dirname(target), near))
        self.b = Node("b", lease=self.lease, timeout="60s")
        self.cluster.nodes = [self.a, self.b]
        self.a.start()
        wait_until("it has all", lambda: self.a.slots() == 256)
        self.cluster.add(self.a, "late", "--manual")
        self.asked = []
        self.thread = None

    def tearDown(self):
        self.way.whole.set()
        self.way.back.set()
        self.a.thaw()
        if self.thread:
            self.thread.join()
        self.cluster.end(self)
        self.way.close()

    def ask(self, *words):
        """Its answer may be long in coming."""
        self.thread = threading.Thread(target=lambda: self.asked.append(self.a.ctl(*words)))
        self.thread.start()

    def rows(self):
        return [run for run in STORE.runs() if run.job == "late"]

    def take_over(self):
        self.a.freeze()
        STORE.end_lease("a")
        self.b.start()

    def is_dead(self):
        return STORE.seats()["a"].dead_since

    def begun(self):
        return [line.split()[0] for line in self.cluster.lines()]

    def settle(self):
        """All are there again, and what there is has ended."""
        self.a.thaw()
        wait_until("a is back", lambda: self.a.nodes()["a"]["state"] == "live" and not STORE.seats()["a"].dead_since, 60)
        wait_until("nothing is open", lambda: not STORE.open_runs(), 60)
        self.a.ok("run", "late", "--wait")
        self.cluster.check(self)


class Fence(Case):
    def test_what_arrives_behind_a_take_over_is_refused(self):
        """A claim is sent, and arrives when another has the job."""
        self.way.watch("late", self.way.whole)
        self.ask("run", "late")
        wait_until("it is sent", lambda: not self.way.whole.is_set())
        self.take_over()
        wait_until("b has its jobs", self.is_dead, 30)
        before = self.way.answered
        self.way.whole.set()
        wait_until("it is answered", lambda: self.way.answered > before)
        self.assertEqual((self.rows(), STORE.last_runs()["late"]), ([], 0), "what came too late is stored")
        self.settle()

    @unittest.skipUnless(SQL, "one function after the other is done whole")
    def test_a_take_over_waits_for_what_was_let_in(self):
        """A commit that has passed the guard, and waits for a row: whoever ends the epoch waits for it, and has its run."""
        other = STORE.lock_job("late")
        self.addCleanup(other.stdin.close)  # else what comes next would wait for it
        self.ask("run", "late")
        wait_until("it waits in the server", lambda: STORE.waiting() == 1)
        self.take_over()
        wait_until("so does the take-over", lambda: STORE.waiting() == 2 or self.is_dead(), 30)
        self.assertFalse(self.is_dead(), "it is taken over while a commit of its is under way")
        other.communicate("COMMIT;\n")
        wait_until("b has its jobs", self.is_dead, 30)
        self.assertEqual([(run.number, run.node) for run in STORE.runs() if run.job == "late"][0][0], 1)
        self.assertEqual([run for run in STORE.open_runs() if run.node == "a"], [], "a run stays with who is dead")
        self.settle()

    def test_a_session_of_before_ends_before_anything_is_asked_anew(self):
        """What was sent over a connection that ended arrives when it has been sent again, and something else behind it."""
        self.way.strand("group.limits")
        self.a.ok("groups", "set", "limits", "--parallel", "7")
        self.assertTrue(self.way.stranded)
        self.a.ok("groups", "set", "limits", "--parallel", "9")
        self.way.land()
        self.b.start()
        self.assertEqual([group["parallel"] for group in self.b.json("groups") if group["name"] == "limits"], [9])


class Clock(Case):
    lease = 3

    def test_what_was_answered_too_late_does_not_begin(self):
        """A claim is stored, and its answer comes when the lease is over, by the node's own clock, too."""
        self.way.watch("late", self.way.back)
        self.ask("run", "late")
        wait_until("it is stored", self.rows)
        self.a.freeze()
        time.sleep(self.lease)
        self.b.start()
        wait_until("b has its jobs", self.is_dead, 30)
        self.way.back.set()
        self.a.thaw()
        wait_until("its run is over", lambda: self.rows() and not STORE.open_runs(), 30)
        wait_until("a is back", lambda: self.a.nodes()["a"]["state"] == "live" and not STORE.seats()["a"].dead_since, 60)
        row = self.rows()[0]
        # It waits, and goes on there, or it may have begun, and is lost.
        self.assertEqual(self.begun().count("late/1"), 0 if row.state == "lost" else 1, row)
        self.settle()


class OlderFiles(unittest.TestCase):
    """A server that counts as the same, and lacks the end of what nodes tell each other."""

    LINES = 10

    def setUp(self):
        self.cluster = Cluster(2, lease=120)
        self.a, self.b = self.cluster.nodes
        self.cluster.start(balanced=False)
        wait_until("a is there", lambda: self.a.slots() == 256, 60)
        self.cluster.add(self.a, "gone", "--manual")
        self.cluster.add(self.a, "late", "--manual")
        wait_until("b has heard it all", lambda: self.b.ctl("show", "late")[0] == 0, 60)

    def tearDown(self):
        self.b.thaw()
        self.cluster.end(self)

    def test_no_line_of_the_feed_is_given_twice(self):
        """b comes when so much has been written anew that the server seems to lack nothing that b knew."""
        self.b.freeze()
        STORE.rewind_feed(self.LINES)
        STORE.end_sessions(1)
        wait_until("a finds it out", lambda: "lacks what the one before had answered" in self.a.log.read_text(), 60)
        wait_until("a goes on", lambda: self.a.ctl("rm", "-y", "gone")[0] == 0, 60)
        for i in range(self.LINES + 5):
            self.a.ok("modify", "late", "--description", f"change {i}")
        self.b.thaw()
        wait_until("b knows the last", lambda: self.b.json("show", "late").get("description") == f"change {i}", 60)
        self.assertEqual(self.b.ctl("show", "gone")[0], 4, "b has missed what was written first")


if __name__ == "__main__":
    unittest.main()
