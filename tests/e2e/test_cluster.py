# SPDX-License-Identifier: MIT
"""Three daemons on one server: each run once whatever dies, stops or comes back, and
any of them answers for all."""
import json
import signal
import threading
import time
import unittest

from cluster import LEASE, STORE, Cluster, Node, server_signal
from e2e import patience, wait_until


class Together(unittest.TestCase):
    """What all do while all is well."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.end(cls("test_each_sees_and_changes_all_jobs"))

    def setUp(self):
        self.a, self.b, self.c = self.cluster.nodes

    def owner(self, job):
        """The node that has the job, and one that has not."""
        spread = {node.name: node for node in self.cluster.nodes}
        owner = spread.pop(STORE.owner(job))
        return owner, next(iter(spread.values()))

    def test_each_sees_and_changes_all_jobs(self):
        for i, node in enumerate(self.cluster.nodes):
            self.cluster.add(node, f"seen{i}", "--manual")
            self.assertEqual(node.json("show", f"seen{i}")["id"], f"seen{i}")
        for node in self.cluster.nodes:
            wait_until("all are seen", lambda node=node: {f"seen{i}" for i in range(3)} <= {
                job["id"] for job in node.json("list")})
        for i in range(3):
            owner, other = self.owner(f"seen{i}")
            revision = owner.json("show", f"seen{i}")["revision"]
            other.ok("modify", f"seen{i}", "--description", "changed elsewhere")
            self.assertEqual(other.json("show", f"seen{i}")["description"], "changed elsewhere")
            wait_until("its node has it so", lambda i=i, owner=owner: owner.json(
                "show", f"seen{i}").get("description") == "changed elsewhere")
            code, _, err = owner.ctl("modify", f"seen{i}", "--revision", str(revision), "--description", "x")
            self.assertEqual(code, 5, err)
            other.ok("pause", f"seen{i}", "--reason", "for a test")
            wait_until("it is paused there", lambda i=i, owner=owner: owner.json("show", f"seen{i}")["state"] == "paused")
            owner.ok("resume", f"seen{i}")
            wait_until("it is resumed here", lambda i=i, other=other: other.json("show", f"seen{i}")["state"] != "paused")
            other.ok("remove", f"seen{i}")
            for node in self.cluster.nodes:
                wait_until("it is gone", lambda i=i, node=node: node.ctl("show", f"seen{i}")[0] == 4)

    def test_an_id_is_given_once(self):
        self.cluster.add(self.a, "once", "--manual")
        wait_until("it is seen", lambda: self.b.ctl("show", "once")[0] == 0)
        code, _, err = self.b.ctl("add", "--id", "once", "--store", "shared", "--manual", "--", "false")
        self.assertEqual(code, 5, err)
        self.assertIn("exists already", err)

    def test_what_another_has_just_added_is_known(self):
        """Also where nothing tells a node that another has written, and it looks once a second."""
        options = ("--store", "shared", "--manual")
        for i in range(3):
            self.cluster.add(self.a, f"new{i}", "--manual", command=["true"])
            node = (self.b, self.c)[i % 2]
            self.assertEqual(node.ok("run", f"new{i}", "--wait").split()[0], f"new{i}/1")
            self.assertEqual(node.ok("retry", f"new{i}/1").strip(), f"new{i}/2")
            self.cluster.add(self.b, f"behind{i}", "--after", f"new{i}")
            self.c.ok("add", "--id", f"behind{i}", "--if-absent", *options, "--", "true")
            self.a.ok("pause", f"behind{i}")
            self.b.ok("set", f"behind{i}", "--description", "just added")
            self.cluster.add(self.c, f"last{i}", "--manual")
            self.a.ok("remove", f"last{i}")
        self.a.ok("groups", "set", "one", "--parallel", "1")
        self.a.ok("add", "--id", "mate", "--group", "one", "--on", "a", *options, "--", "true")
        code, _, err = self.b.ctl("add", "--id", "other", "--group", "one", "--on", "b", *options, "--", "true")
        self.assertEqual(code, 5, err)
        self.assertIn("say the same nodes as its job mate", err)
        file = self.cluster.dir / "jobs.yaml"
        file.write_text("version: 1\njobs:\n  applied: {store: shared, trigger: {every: 1h}, command: ['true']}\n")
        self.a.ok("apply", "-f", str(file))
        self.assertIn("unchanged", self.c.ok("apply", "-f", str(file), "--json"))
        self.a.ok("remove", "applied", "mate", *(f"{word}{i}" for i in range(3) for word in ("new", "behind")))
        code, _, err = self.b.ctl("run", "nowhere")
        self.assertEqual(code, 4, err)

    def test_changes_at_the_same_time_are_all_kept(self):
        self.cluster.add(self.a, "busy", "--every", "1s")
        for node in self.cluster.nodes:
            wait_until("it is seen", lambda node=node: node.ctl("show", "busy")[0] == 0)
        fields = {"a": "--priority", "b": "--nice", "c": "--kill-after"}

        def change(node):
            for round_ in range(1, 6):
                node.ok("modify", "busy", fields[node.name], f"{round_}{'s' if node.name == 'c' else ''}")

        threads = [threading.Thread(target=change, args=(node,)) for node in self.cluster.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for node in self.cluster.nodes:
            wait_until("all changes are there", lambda node=node: [node.json("show", "busy")[field] for field in (
                "priority", "nice", "kill_after")] == [5, 5, 5])
        runs = self.a.json("show", "busy")["last_run"]
        wait_until("it goes on", lambda: STORE.last_runs()["busy"] > runs + 1)
        self.a.ok("remove", "busy")

    def test_runs_are_made_and_ended_from_anywhere(self):
        self.cluster.add(self.a, "long", "--manual", command=["sh", "-c", "echo hello from it; sleep 60"])
        owner, other = self.owner("long")
        wait_until("it is seen", lambda: other.ctl("show", "long")[0] == 0)
        self.assertIn("long/1", other.ok("run", "long"))
        wait_until("it runs on its node", lambda: owner.json("show", "long")["running"] == 1)
        wait_until("what it writes is seen elsewhere", lambda: "hello from it" in other.ok("logs", "long/1"))
        history = wait_until("so is its row", lambda: other.json("history", "long"))
        self.assertEqual(history[0]["state"], "running")
        other.ok("kill", "long/1")
        code, out, _ = other.ctl("wait", "long/1", "--json")
        self.assertNotEqual(code, 0)
        self.assertEqual(json.loads(out)["state"], "killed")
        self.assertIn("long/2", other.ok("retry", "long/1"))
        owner.ok("kill", "long/2")

    def test_what_runs_elsewhere_is_shown_everywhere(self):
        self.cluster.add(self.a, "often", "--every", "1s")
        self.cluster.add(self.a, "lasting", "--manual", command=["sleep", "60"])
        owner, other = self.owner("often")
        wait_until("it ran twice", lambda: other.json("show", "often")["last_run"] >= 2)
        owner.ok("pause", "often")
        wait_until("it is paused", lambda: other.json("show", "often")["state"] == "paused")
        wait_until("nothing of it runs", lambda: owner.json("show", "often")["running"] == 0)
        there, here = owner.json("show", "often"), other.json("show", "often")
        for field in ("last_run", "run_count", "last_state", "revision", "next_run_time"):
            self.assertEqual(here[field], there[field], field)
        self.assertEqual(here["last_state"], "success")
        owner.ok("remove", "often")
        owner, other = self.owner("lasting")
        other.ok("run", "lasting")
        for node in self.cluster.nodes:
            job = wait_until("it runs", lambda node=node: next(
                job for job in node.json("list") if job["id"] == "lasting" and job["running"] == 1))
            self.assertEqual(job["state"], "running")
        other.ok("kill", "lasting")
        wait_until("it has ended", lambda: other.json("show", "lasting")["running"] == 0)

    def test_commands_know_their_epoch_and_events_their_node(self):
        said = self.cluster.dir / "epoch"
        self.cluster.add(self.a, "epoch", "--manual", command=["sh", "-c", f"echo $SCHEDD_EPOCH > {said}"])
        owner, _ = self.owner("epoch")
        client = owner.client()
        client.call("event.subscribe", jobs=["epoch"])
        self.a.ok("run", "epoch")
        wait_until("it has said so", lambda: said.exists() and said.read_text())
        self.assertEqual(int(said.read_text()), owner.nodes()[owner.name]["epoch"])
        self.assertEqual(client.notification()[1]["node"], owner.name)

    def test_each_tells_of_the_others(self):
        for node in self.cluster.nodes:
            status = self.a.json("status", "--node", node.name)
            self.assertEqual((status["node"], status["pid"]), (node.name, node.process.pid))
            self.assertIn("counters", self.a.json("stats", "--node", node.name))
        code, _, err = self.a.ctl("status", "--node", "nobody")
        self.assertEqual(code, 4, err)

    def test_nodes_says_who_is_there(self):
        for node in self.cluster.nodes:
            nodes = node.nodes()
            self.assertEqual(set(nodes), {"a", "b", "c"})
            self.assertTrue(all(each["state"] == "live" for each in nodes.values()), nodes)
            self.assertEqual([each["name"] for each in nodes.values() if each["self"]], [node.name])
        code, _, err = self.a.ctl("nodes", "forget", "b")
        self.assertEqual(code, 5, err)
        self.assertIn("lives", err)
        code, _, err = self.a.ctl("nodes", "drain", "nobody")
        self.assertEqual(code, 4, err)

    def test_what_follows_starts_on_its_own_node(self):
        self.cluster.add(self.a, "first", "--manual")
        for i in range(6):
            self.cluster.add(self.a, f"then{i}", "--after", "first")
        self.a.ok("run", "first")
        wait_until("all followed", lambda: all(f"then{i}/1" in {line.split()[0] for line in self.cluster.lines()}
                                               for i in range(6)))
        time.sleep(1)
        self.assertEqual(len([run for run in STORE.runs() if run.job.startswith("then")]), 6)
        self.assertEqual(STORE.texts("after."), [])


class Apart(unittest.TestCase):
    """What becomes of it when some of them go."""

    def setUp(self):
        self.cluster = Cluster(3)
        self.cluster.start()
        self.a, self.b, self.c = self.cluster.nodes
        for i in range(30):
            self.cluster.add(self.a, f"j{i}", "--every", "1s")
        self.await_runs(60)

    def tearDown(self):
        self.cluster.end(self)
        self.cluster.check(self)

    def await_runs(self, more):
        count = len(self.cluster.lines())
        wait_until("more runs", lambda: len(self.cluster.lines()) >= count + more, 30)

    def holder(self, job):
        """The node where it runs."""
        name = next(run.node for run in STORE.open_runs() if run.job == job)
        return next(node for node in self.cluster.nodes if node.name == name)

    def await_all(self, since):
        """Each job ran again since then."""
        def ran():
            return len({run.job for run in STORE.runs() if (run.started_at or 0) > since and run.ended_at}) >= 30
        wait_until("each job runs again", ran, 30)

    def test_a_dead_node_is_taken_over_within_its_lease(self):
        self.cluster.add(self.a, "gone", "--every", "1h", "--recover", command=["sleep", "100"])
        self.cluster.add(self.a, "gone2", "--every", "1h", command=["sleep", "100"])
        for job in ("gone", "gone2"):
            self.a.ok("run", job)
        victim = self.holder("gone")
        others = [node for node in self.cluster.nodes if node is not victim]
        died = time.time()
        victim.stop(signal.SIGKILL)
        wait_until("it is known to be dead", lambda: others[0].nodes()[victim.name]["state"] == "dead", 30)
        since = STORE.seats()[victim.name].dead_since
        self.assertLess(since - died, 1.1 * LEASE)
        self.assertEqual(sum(seat.slots > 0 for seat in STORE.seats().values()), 2)
        wait_until("its run is lost", lambda: others[0].json("history", "gone/1")[0]["state"] == "lost")
        self.assertIn(f"node {victim.name}", others[0].json("history", "gone/1")[0]["reason"])
        wait_until("and runs again elsewhere", lambda: others[0].ctl("history", "gone/2")[0] == 0 and
                   others[0].json("history", "gone/2")[0]["state"] == "running")
        self.await_all(since)
        time.sleep(1)
        self.assertEqual(len([run for run in STORE.runs() if run.job == "gone"]), 2)
        for node in others:
            node.ctl("kill", "gone")
            node.ctl("kill", "gone2")
        victim.start()
        self.cluster.await_balance(self.cluster.nodes)

    def test_a_node_that_stood_still_finds_out_before_it_does_anything(self):
        self.cluster.add(self.a, "slow", "--manual", command=["sh", "-c", "sleep 8; exit 3"])
        self.a.ok("run", "slow")
        wait_until("it runs", lambda: self.a.json("history", "slow/1")[0]["state"] == "running")
        victim = self.holder("slow")
        others = [node for node in self.cluster.nodes if node is not victim]
        victim.freeze()
        frozen = time.time()
        wait_until("others have its jobs", lambda: others[0].nodes()[victim.name]["state"] == "dead", 30)
        self.await_all(frozen + LEASE)
        epoch = STORE.seats()[victim.name].epoch
        victim.thaw()
        wait_until("it is back, under another epoch", lambda: STORE.seats()[victim.name].epoch > epoch and not STORE.seats()[
            victim.name].dead_since, 30)
        wait_until("how its run ended is told late", lambda: "told late: failed" in (
            others[0].json("history", "slow/1")[0]["reason"] or ""), 30)
        self.assertEqual(others[0].json("history", "slow/1")[0]["state"], "lost")
        self.assertEqual(others[0].json("history", "slow/1")[0]["exit_code"], 3)
        self.cluster.await_balance(self.cluster.nodes)
        self.await_all(time.time())

    def test_a_node_that_missed_what_others_wrote_reads_all_anew(self):
        epoch = self.b.nodes()["b"]["epoch"]
        self.b.freeze()
        self.cluster.add(self.a, "unseen", "--manual")
        STORE.forget_feed()
        self.cluster.add(self.a, "seen", "--manual")
        self.b.thaw()
        wait_until("it knows both", lambda: {"unseen", "seen"} <= {job["id"] for job in self.b.json("list")})
        wait_until("it has a new epoch", lambda: self.b.nodes()["b"]["epoch"] > epoch)
        self.cluster.await_balance(self.cluster.nodes)
        self.await_all(time.time())

    def test_a_stop_hands_over_at_once(self):
        stopped = time.time()
        self.assertEqual(self.b.stop(), 0)
        took = time.time() - stopped
        self.assertLess(took, LEASE * patience())
        # Whose turn it was on a machine that is busy, the other takes what nobody has at its next beat.
        wait_until("the others have all", lambda: sum(STORE.seats()[name].slots for name in "ac") == 256)
        self.await_all(time.time())
        for job in {run.job for run in STORE.runs()}:
            fires = sorted(run.scheduled_at for run in STORE.runs() if run.job == job)
            gaps = [later - earlier for earlier, later in zip(fires, fires[1:])]
            self.assertLess(max(gaps, default=0), 2.5 * patience(), "a job waited for a lease")

    def test_nothing_stays_with_a_node_that_left(self):
        """Another gave it slots in the instant in which it went, as it does where nodes come and go at one time."""
        self.assertEqual(self.b.stop(), 0)
        for slot in range(0, 256, 16):
            STORE.give(slot, "b")
        wait_until("the others have all", lambda: sum(STORE.seats()[name].slots for name in "ac") == 256)
        self.await_all(time.time())

    def test_a_drained_node_starts_nothing(self):
        for i in range(12):
            self.cluster.add(self.a, f"long{i}", "--manual", command=["sleep", "1000"])
        job = wait_until("b has one", lambda: next((job["id"] for job in self.a.json("list", "long*", "--node", "b")), None))
        self.a.ok("run", job)
        wait_until("it runs", lambda: STORE.open_runs() and self.b.json("show", f"{job}/1")["state"] == "running")
        self.a.ok("nodes", "drain", "b", "--no-wait")
        wait_until("why says what is going on", lambda: "node b, which has it, is drained: it hands it over when no run of it goes on"
                   in self.a.ok("why", job))
        # On a machine that is busy its lease may be over for a moment.
        wait_until("it is killed", lambda: self.a.ctl("kill", job)[0] == 0)
        self.a.ok("nodes", "drain", "b")
        # "late" on a machine that is busy, "live" never: the answer says what holds by now.
        self.assertIn(self.a.nodes()["b"]["state"], ("draining", "late"))
        self.assertEqual(self.a.nodes()["b"]["slots"], 0)
        self.await_all(time.time())
        now = time.time()
        self.await_runs(60)
        self.assertEqual([run for run in STORE.runs() if run.ran == "b" and (run.started_at or 0) > now], [])
        self.c.ok("nodes", "resume", "b")
        self.cluster.await_balance(self.cluster.nodes)

    def test_a_drained_node_stays_so_when_it_has_lost_its_lease(self):
        """Nor does who waits for one wait for ever that somebody resumes."""
        self.cluster.add(self.a, "long", "--manual", "--on", "c", command=["sleep", "1000"])
        wait_until("it runs", lambda: self.c.ctl("run", "long")[0] == 0)
        told = []
        waits = threading.Thread(target=lambda: told.append(self.a.ctl("nodes", "drain", "c")))
        waits.start()
        wait_until("it is drained", lambda: self.b.nodes()["c"]["state"] == "draining")
        self.a.ok("nodes", "resume", "c")
        self.a.ok("nodes", "drain", "b", "--no-wait")
        epoch = STORE.seats()["b"].epoch
        self.b.freeze()
        wait_until("others have its jobs", lambda: STORE.seats()["b"].dead_since, 60)
        self.b.thaw()
        wait_until("it is back", lambda: not STORE.seats()["b"].dead_since, 60)
        self.assertGreater(STORE.seats()["b"].epoch, epoch)
        wait_until("it says what it is", lambda: self.b.nodes()["b"]["state"] in ("draining", "live"), 60)
        self.assertEqual(self.b.nodes()["b"]["state"], "draining")
        self.assertEqual(self.a.ctl("nodes", "drain", "b")[0], 0)
        self.assertEqual(STORE.seats()["b"].slots, 0)
        self.assertEqual(self.b.stop(), 0)
        self.b.start()
        wait_until("started anew it takes jobs", lambda: self.a.nodes()["b"]["state"] == "live", 60)
        waits.join()
        self.assertEqual(told[0][0], 5, told)
        self.assertIn("node c takes jobs again: it was resumed or started anew", told[0][2])
        self.c.ok("kill", "long")

    def test_a_name_is_given_once(self):
        other = Node("b")
        try:
            other.start()
            why = wait_until("it is refused", lambda: other.json("stores")[-1].get("why") or next(
                (store["why"] for store in other.json("stores") if store["name"] == "shared"), None))
            self.assertIn("node 'b' is schedd on", why)
            self.assertIn("started at 20", why)
            self.await_all(time.time())
        finally:
            self.assertEqual(other.end(), "")

    def test_its_own_lease_is_taken_back_at_once(self):
        self.b.stop(signal.SIGKILL)
        began = time.time()
        self.b.start()
        wait_until("it has them again", lambda: self.b.slots() > 20)
        self.assertLess(time.time() - began, LEASE * patience())
        self.await_all(time.time())

    def test_a_server_that_is_away_for_two_leases(self):
        server_signal(signal.SIGSTOP)
        time.sleep(2 * LEASE)
        count = len(self.cluster.lines())
        time.sleep(1)
        self.assertEqual(len(self.cluster.lines()), count, "something was begun without the server")
        # What is known here is told, though the server says nothing; and that it does not.
        self.assertIn("its runs, cannot be read now", self.a.ok("why", "j0"))
        wait_until("nodes says so", lambda: "this is how it was when it was reached last" in self.a.ctl("nodes")[2])
        server_signal(signal.SIGCONT)
        self.await_all(time.time())


if __name__ == "__main__":
    unittest.main()
