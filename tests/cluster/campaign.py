# SPDX-License-Identifier: MIT
"""Faults at random over three daemons on one server, with jobs each second and changes from all
nodes; then what the commands themselves wrote is compared with the history.

  campaign.py [SECONDS [SEED [JOBS]]]     120 seconds and 60 jobs if not said; ctest runs it shortly, an evening for hours

SCHEDD_CLUSTER_STORE names the type of the store, SCHEDD_NETNS puts each node into a network namespace (root),
SCHEDD_OLD is the build directory of an older version, from which all are upgraded one after the other;
SCHEDD_CAMPAIGN_KEEP is a directory for what the nodes, the server, the commands and the history say at the end;
SCHEDD_CAMPAIGN_FAULTS are the faults that are tried, if not all.

Never: a fire time that was executed twice, a run or a fire time without a row, an acknowledged change that is
lost, a run that is still open when all is quiet, a take-over later than 1.1 leases. Where a standby that lagged took
the server's place: whatever it lacks is named, and no number and no fire time is used again.
"""
import collections
import json
import os
import random
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest

from cluster import LEASE, STORE, Cluster, Node, server_restart, server_signal
from e2e import patience, wait_until
from heir import Heir
import links
from server_store import move

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 120
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
JOBS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
START = time.time()
MINUTE = 60 * 10**6


def say(*words):
    print(f"{time.time() - START:7.2f}", *words, flush=True)


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", os.environ["SCHEDD"]], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ["CLOCK_PRELOAD"]])


class Far(Node):
    """A node with a way to the server, and a clock, that a test has in its hands."""

    def __init__(self, name, number):
        self.link = links.link(number)
        super().__init__(name, url=self.link.url)
        self.clock = self.dir / "clock"
        self.set_clock(0)

    def start(self, wait=True, **env):
        return super().start(wait, LD_PRELOAD=preload(), CLOCK_OFFSET=str(self.clock), **env)

    def set_clock(self, offset):
        if self.clock.exists():
            with open(self.clock, "r+b") as file:
                file.write(struct.pack("=q", offset))
        else:
            self.clock.write_bytes(struct.pack("=q", offset))

    def build(self, directory):
        """Of which build it is when it starts again, its modules too."""
        self.program = self.link.command([f"{directory}/server/schedd"])

    def end(self):
        told = super().end()
        self.link.close()
        return told


class Far3(Cluster):
    def __init__(self):
        super().__init__(0)
        self.nodes = [Far("abc"[i], i + 1) for i in range(3)]


class Campaign(unittest.TestCase):
    def setUp(self):
        say("seed", SEED)
        self.random = random.Random(SEED)
        self.cluster = Far3()
        self.old = os.environ.get("SCHEDD_OLD")
        for node in self.cluster.nodes:
            node.build(self.old or os.environ["SCHEDD_BINARY_DIR"])
        self.cluster.start()
        self.lock = threading.Lock()
        self.over = False
        self.kept = {}      # id of a job that a change was acknowledged of: its description
        self.removed = set()
        self.removed_late = set()  # while a standby lagged: it may lack that there ever was such a job
        self.lagging = False
        self.doubtful = set()
        self.paused = set()
        self.counts = {}
        self.takeovers = []
        self.asked = None   # the node, as long as it has not answered
        self.dying = None   # it will take with it what it knows
        self.clock = links.clock_of_server()

    def tearDown(self):
        keep = os.environ.get("SCHEDD_CAMPAIGN_KEEP")
        if keep:
            for node in self.cluster.nodes:
                shutil.copy(node.log, pathlib.Path(keep, f"log.{node.name}"))
            shutil.copy(pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "log"), pathlib.Path(keep, "log.server"))
            pathlib.Path(keep, "ran").write_text("\n".join(self.cluster.lines()))
            pathlib.Path(keep, "runs").write_text("\n".join(map(str, STORE.runs())))
        self.cluster.end(self)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def some(self):
        return self.random.choice(self.cluster.nodes)

    # ---- Changes, from all nodes ----

    def ctl(self, node, *words):
        self.asked = node
        try:
            return node.ctl("--rpc-timeout", "8s", *words)[0]
        finally:
            self.asked = None

    def add(self, node, name):
        code = self.ctl(node, "add", "--id", name, "--store", "shared", "--every", "1s", "--max-instances", "4", "--description",
                        "new", "--", *self.cluster.writes())
        with self.lock:
            if code == 0:
                self.kept[name] = "new"
            else:
                self.doubtful.add(name)
        self.count("added" if code == 0 else "not added")

    def change(self, chance, number):
        node = chance.choice([each for each in self.cluster.nodes if each is not self.dying])
        with self.lock:
            names = [name for name in self.kept if name not in self.doubtful]
        if not names:
            return
        name = chance.choice(names)
        what = chance.choice(["add", "modify", "modify", "modify", "remove", "run", "pause", "kill"])
        if what == "add":
            self.add(node, f"late{number}")
        elif what == "modify":
            code = self.ctl(node, "modify", name, "--description", f"change {number}")
            with self.lock:
                if code == 0:
                    self.kept[name] = f"change {number}"
                elif code != 5:
                    self.doubtful.add(name)
        elif what == "remove" and name.startswith("late"):
            code = self.ctl(node, "remove", name)
            with self.lock:
                if code == 0:
                    if self.lagging:
                        self.removed_late.add(name)
                    self.removed.add(name)
                    self.kept.pop(name)
                else:
                    self.doubtful.add(name)
        elif what == "pause" and name[-1] in "02468":
            self.paused.add(name)
            self.ctl(node, "pause", name)
            self.ctl(node, "resume", name)
        elif what in ("run", "kill"):
            self.ctl(node, what, name)
        else:
            return
        self.count(what)

    def changes(self):
        chance, number = random.Random(SEED + 1), 0
        while not self.over:
            number += 1
            self.change(chance, number)
            time.sleep(0.05)

    # ---- Faults of a node ----

    def fault_kill(self):
        node = self.some()
        died = time.time()
        node.stop(signal.SIGKILL)
        dead = wait_until("it is taken over", lambda: STORE.seats()[node.name].dead_since, 30)
        self.takeovers.append(dead - died)
        node.start()

    def fault_kill_and_come_back(self):
        node = self.some()
        node.stop(signal.SIGKILL)
        node.start()

    def fault_freeze(self):
        node = self.some()
        node.freeze()
        time.sleep(self.random.choice([0.5, LEASE * 0.7, LEASE * 2]))
        node.thaw()

    def fault_freeze_in_a_transaction(self):
        """What it sent waits at the server, and is done while it stands still."""
        node = self.some()
        thread = threading.Thread(target=STORE.hold_up)
        thread.start()
        time.sleep(0.8)
        node.freeze()
        thread.join()
        time.sleep(self.random.choice([0.1, LEASE * 2]))
        node.thaw()

    def fault_stop(self):
        node = self.some()
        node.stop(signal.SIGTERM)
        node.start()

    def fault_flap(self):
        node = self.some()
        for _ in range(4):
            node.stop(self.random.choice([signal.SIGKILL, signal.SIGTERM]))
            time.sleep(self.random.random() * LEASE * 0.5)
            node.start()
            time.sleep(self.random.random() * LEASE * 0.5)

    def fault_drain(self):
        node, other = self.random.sample(self.cluster.nodes, 2)
        other.ctl("nodes", "drain", node.name, "--no-wait")
        time.sleep(LEASE)
        other.ctl("nodes", "resume", node.name)

    def fault_clock_of_a_node(self):
        node = self.some()
        node.set_clock(self.random.choice([-10 * MINUTE, 10 * MINUTE]))
        time.sleep(LEASE)
        node.set_clock(0)

    def fault_same_name(self):
        other = self.some()
        twin = Node(other.name)
        twin.program = [other.program[-1]]  # of its build: a newer one would bring the tables up to date
        try:
            twin.start()
            time.sleep(1)
        finally:
            self.assertEqual(twin.end(), "")

    def fault_upgrade(self):
        """One after the other becomes the new build, and the first that is brings the tables up to date."""
        if not self.old:
            return
        self.old = None
        for node in self.cluster.nodes:
            # One whose store is newer than it waits for its runs' ends as long as it may.
            node.stop(signal.SIGTERM, 60)
            node.build(os.environ["SCHEDD_BINARY_DIR"])
            node.start()
            time.sleep(LEASE * self.random.random() * 2)

    # ---- Faults of the way ----

    def fault_cut(self):
        self.some().link.cut()

    def fault_answers_are_lost(self):
        link = self.some().link
        link.lose_answers()
        time.sleep(self.random.choice([0.2, LEASE * 0.5]))
        link.heal()

    def fault_black_hole(self):
        link = self.some().link
        link.black_hole(self.random.choice([("to",), ("from",), ("to", "from")]))
        time.sleep(self.random.choice([0.5, LEASE, LEASE * 2]))
        link.heal()

    # ---- Faults of the server ----

    def fault_server_freezes(self):
        server_signal(signal.SIGSTOP)
        time.sleep(self.random.choice([0.3, LEASE, LEASE * 1.5]))
        server_signal(signal.SIGCONT)

    def fault_server_dies(self):
        server_restart(self.random.choice([signal.SIGKILL, signal.SIGTERM]))
        wait_until("it is back", self.server_answers, 60)

    @staticmethod
    def server_answers():
        try:
            return STORE.seats()
        except (AssertionError, OSError, subprocess.CalledProcessError):
            return None

    def fault_sessions_end(self):
        for _ in range(10):
            STORE.end_sessions(self.random.random())
            time.sleep(self.random.random() / 5)

    def fault_hold_up(self):
        STORE.hold_up()

    def fault_read_only(self):
        move("read-only")
        time.sleep(LEASE * self.random.random() * 2)
        move("writable")

    def fault_two_at_once(self):
        """The way to a node and the server."""
        way = self.random.choice([self.fault_black_hole, self.fault_answers_are_lost, self.fault_clock_of_a_node])
        server = self.random.choice([self.fault_server_freezes, self.fault_server_dies, self.fault_sessions_end, self.fault_read_only])
        thread = threading.Thread(target=way)
        thread.start()
        try:
            server()
        finally:
            thread.join()

    def fault_fail_over(self):
        """A standby that lags takes the server's place; one of the nodes may die with the server, and come back, or not soon."""
        # What an older build knows of it is not what is tried here.
        if os.environ["SCHEDD_TEST_STORE_TYPE"] != "postgresql" or self.old:
            return
        heir = Heir().start()
        dies = self.random.choice([None, "comes back", "is taken over"])
        self.dying = self.some() if dies else None
        wait_until("what it was asked before is answered", lambda: self.asked is not self.dying or not dies)
        time.sleep(1)  # the others know of that
        heir.lag()
        self.lagging = True
        time.sleep(0.5 + self.random.random() * 2)
        if dies:
            self.dying.stop(signal.SIGKILL)
        heir.take_over()
        wait_until("the heir answers", self.server_answers, 60)
        wait_until("what it was asked before is answered", lambda: not self.asked)
        self.lagging = False
        if dies == "is taken over":
            wait_until("it is taken over", lambda: STORE.seats()[self.dying.name].dead_since, 60)
        if dies:
            self.dying.start()
        self.await_nodes()
        self.dying = None
        wait_until("what is held goes on", self.resume_what_is_held, 60)
        self.count(f"fail-over, a node {dies}" if dies else "fail-over, all nodes live")

    def resume_what_is_held(self):
        node = self.cluster.nodes[0]
        code, out, _ = node.ctl("list", "--store", "shared", "--json")
        if code:
            return False
        held = [job["id"] for job in json.loads(out) if "held, as node" in (job.get("paused_reason") or "")]
        return not held or node.ctl("resume", *held)[0] == 0

    def fault_clock_of_the_server(self):
        if not self.clock:
            return
        self.step(self.random.choice([-60 * MINUTE, 60 * MINUTE]))
        time.sleep(LEASE)
        self.step(0)

    def step(self, offset):
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("=q", offset))

    # ---- The whole ----

    def test_nothing_is_lost_or_doubled(self):
        for i in range(JOBS):
            self.add(self.cluster.nodes[i % 3], f"j{i}")
        names = os.environ.get("SCHEDD_CAMPAIGN_FAULTS", "").split()
        if not names:
            # A new standby takes its time: the short form leaves it to e2e.cluster_failover.
            names = [name[6:] for name in sorted(dir(self)) if name.startswith("fault_") and (SECONDS > 60 or name != "fault_fail_over")]
        faults = [getattr(self, f"fault_{name}") for name in names]
        thread = threading.Thread(target=self.changes)
        thread.start()
        try:
            end, bag = time.monotonic() + SECONDS, []
            while time.monotonic() < end:
                # Each once, in another order each time.
                bag = bag or self.random.sample(faults, len(faults))
                fault = bag.pop()
                say(fault.__name__)
                fault()
                self.count(fault.__name__)
                time.sleep(self.random.random() * 3)
        finally:
            self.over = True
            server_signal(signal.SIGCONT)
            for node in self.cluster.nodes:
                node.link.heal()
                node.thaw()
            thread.join()
        self.settle()
        self.judge()

    def settle(self):
        """All nodes are there, and then nothing more begins."""
        self.await_nodes()
        self.cluster.await_balance(self.cluster.nodes, 60)
        node = self.cluster.nodes[0]
        for job in node.json("list", "--store", "shared"):
            node.ok("pause", job["id"])
        wait_until("nothing runs any more", self.nothing_runs, 60)

    def nothing_runs(self):
        """What was taken up and waits for its turn is held with its job: it has it once that goes on for a moment."""
        node = self.cluster.nodes[0]
        runs = STORE.open_runs()
        for job in {run.job for run in runs if run.state == "queued"}:
            node.ctl("resume", job)
            node.ctl("pause", job)
        return not runs

    def await_nodes(self):
        for node in self.cluster.nodes:
            wait_until("the store is there", lambda node=node: node.ctl("nodes", "resume", node.name)[0] == 0 and {
                each["state"] for each in node.nodes().values()} == {"live"}, 60)

    def read_what_is_named(self):
        """What a server that took the other's place lacks."""
        self.gone = collections.defaultdict(set)  # by job: numbers of runs
        self.gone_jobs, self.held = set(), set()
        for node in self.cluster.nodes:
            text = node.log.read_text()
            for job, first, last in re.findall(r"job (\S+): its runs from (\d+) to (\d+) were stored and are gone", text):
                self.gone[job].update(range(int(first), int(last) + 1))
            self.gone_jobs.update(re.findall(r"job (\S+)(?: was|: its removal was) stored and is gone with the server", text))
            self.held.update(re.findall(r"job (\S+): held, as node", text))

    def is_named(self, run):
        job, number = run.split("/")
        return int(number) in self.gone[job] or job in self.held | self.gone_jobs | self.removed_late

    def judge(self):
        self.read_what_is_named()
        self.cluster.check(self, self.is_named)
        jobs = {job["id"]: job.get("description") for job in self.cluster.nodes[1].json("list", "--store", "shared")}
        for name, description in self.kept.items():
            if name not in self.doubtful | self.gone_jobs:
                self.assertEqual(jobs.get(name), description, f"{name}: an acknowledged change is lost")
        for name in self.removed - self.doubtful:
            self.assertNotIn(name, jobs, "an acknowledged removal is lost")
        for node in self.cluster.nodes:
            seen = {job["id"]: job.get("description") for job in node.json("list", "--store", "shared")}
            self.assertEqual(seen, jobs, f"{node.name} knows other jobs")
        runs = STORE.runs()
        self.judge_runs(runs, jobs)
        late = [each for each in self.takeovers if each > 1.1 * LEASE * patience()]
        say(json.dumps(self.counts))
        say(json.dumps({"seconds": SECONDS, "jobs": len(jobs), "executed": len(self.cluster.lines()), "rows": len(runs),
                        "states": collections.Counter(run.state for run in runs), "doubled": 0, "lost changes": 0,
                        "fire times without a row": 0, "stuck": 0,
                        "named as gone": sum(map(len, self.gone.values())), "held": len(self.held),
                        "take-overs in leases": [round(each / LEASE, 2) for each in self.takeovers]}))
        self.assertFalse(late, "a take-over was late")

    def judge_runs(self, runs, jobs):
        numbers = collections.Counter((run.job, run.number) for run in runs)
        self.assertEqual([each for each, count in numbers.items() if count > 1], [], "a number was given twice")
        planned = [run for run in runs if run.trigger in ("schedule", "catchup")]
        fires = collections.Counter((run.job, run.scheduled_at) for run in planned if run.state not in ("missed", "skipped"))
        self.assertEqual([each for each, count in fires.items() if count > 1], [], "a fire time has two runs")
        last = collections.defaultdict(int)
        for run in runs:
            last[run.job] = max(last[run.job], run.number)
        for job, number in STORE.last_runs().items():
            if job not in self.held and job not in self.gone:
                self.assertEqual(number, last[job], f"{job}: what it says of its last run")
            self.assertGreaterEqual(number, max(last[job], *self.gone[job], 0), f"{job}: what it says of its last run")
        self.judge_fires(planned, jobs)

    def judge_fires(self, planned, jobs):
        """Of a job that was never paused each second from the first to the last is in a row."""
        by_job = collections.defaultdict(list)
        for run in planned:
            by_job[run.job].append(run)
        for job, rows in by_job.items():
            if job in self.paused or job not in jobs or job in self.doubtful | self.held:
                continue
            rows.sort(key=lambda run: run.scheduled_at)
            if self.gone[job]:
                self.judge_gap(job, rows)
                continue
            told = sum(run.count + run.coalesced for run in rows)
            due = round(rows[-1].scheduled_at - rows[0].scheduled_at) + 1
            first = rows[0].coalesced
            over = rows[-1].count - 1
            self.assertEqual(told, due + first + over, f"{job}: fire times without a row")

    def judge_gap(self, job, rows):
        """Fire times that are in no row are those of runs that are named as gone."""
        for before, after in zip(rows, rows[1:]):
            told = round(before.scheduled_at) + before.count + after.coalesced
            if told != round(after.scheduled_at):
                self.assertTrue(self.gone[job] & set(range(before.number + 1, after.number)), f"{job}: between {before} and {after}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
