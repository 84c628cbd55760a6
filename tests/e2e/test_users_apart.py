# SPDX-License-Identifier: MIT
"""What accounts of one daemon notice of each other: nothing, by numbers, by time or by room."""
import os
import pwd
import statistics
import subprocess
import time
import unittest

import e2e
from users_case import ALICE, BOB, MANUAL, OLGA, Case
from test_users_limits import own_etc


class Numbers(Case):
    """Events, subscriptions and followers are numbered for each account by itself."""

    def storm(self, client, job, runs):
        for msgid in [client.send("job.run", id=job) for _ in range(runs)]:
            client.receive(msgid)

    def test_events_say_nothing_of_others(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "a", max_instances=100)
        self.add(bob, "b", max_instances=100)
        answer = alice.call("event.subscribe", events=["job_submitted"])
        self.assertEqual(answer["first"], answer["seq"] + 1)
        for _ in range(3):
            alice.call("job.run", id="a")
            self.storm(bob, "b", 20)
        seqs = [alice.notification()[1]["seq"] for _ in range(3)]
        others = self.user(ALICE).call("event.subscribe")["seq"]
        # Between them lie the account's own events alone: that they began, started and ended.
        self.assertLess(others - answer["seq"], 3 * 8)
        self.assertEqual(seqs, sorted(set(seqs)))
        self.assertGreater(self.root.call("event.subscribe")["seq"], 0)
        # Both connections' first subscription; how many others have is nobody's business.
        self.assertEqual(bob.call("event.subscribe")["subscription"], 1)
        self.assertEqual(self.user(BOB).call("event.subscribe")["subscription"], 1)

    def test_replay_goes_on_where_it_stopped(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "a")
        self.add(bob, "b")
        start = alice.call("event.subscribe", events=["job_executed"])["seq"]
        for _ in range(4):
            self.ended(alice, "a")
            self.ended(bob, "b")
        first = [alice.notification()[1] for _ in range(4)]
        self.assertEqual([event["run"] for event in first], [f"a/{n}" for n in range(1, 5)])
        again = self.user(ALICE)
        answer = again.call("event.subscribe", events=["job_executed"], since=first[1]["seq"])
        self.assertEqual(answer["first"], first[1]["seq"] + 1)
        replayed = [again.notification()[1] for _ in range(2)]
        self.assertEqual([event["run"] for event in replayed], ["a/3", "a/4"])
        self.assertEqual([event["seq"] for event in replayed], [event["seq"] for event in first[2:]])
        self.assertLessEqual(start, first[0]["seq"])
        # They go on rising after a restart.
        self.server.stop()
        self.server.start()
        after = self.user(ALICE)
        last = after.call("event.subscribe", events=["job_executed"], since=first[3]["seq"])["seq"]
        self.assertGreater(last, first[3]["seq"])
        self.ended(after, "a")
        self.assertGreater(after.notification()[1]["seq"], last)

    def test_narrowed_to_root(self):
        alice, olga = self.user(ALICE), self.user(OLGA)
        self.add(alice, "backup")
        self.add(self.root, "backup")
        self.add(self.root, "sync", after=["backup"])
        self.ended(self.root, "backup")
        self.ended(alice, "backup")
        for client in (self.root, olga):
            narrow = self.user(OLGA) if client is olga else self.server.client()
            narrow.call("server.hello", client="x", account="root")
            self.assertEqual(self.ids(narrow), ["backup", "sync"])
            self.assertEqual(self.ids(narrow, patterns=["b*"]), ["backup"])
            self.assertEqual(self.ids(narrow, patterns=["root:b*"]), ["backup"])
            self.assertEqual(self.ids(narrow, patterns=[f"{ALICE}:*"]), [])
            self.assertEqual(narrow.call("job.get", id="root:backup")["id"], "backup")
            self.assertEqual({run["job"] for run in narrow.call("run.list")["runs"]}, {"backup", "sync"})
            self.refused("not_found", narrow.call, "job.get", id=f"{ALICE}:backup")
            self.refused("not_found", narrow.call, "run.get", run=f"{ALICE}:backup/1")
            self.assertEqual(narrow.call("server.status")["scheduler"]["jobs"], 2)
            self.assertEqual({row["job"] for row in narrow.call("server.stats")["jobs"]}, {"backup", "sync"})
        narrow = self.server.client()
        narrow.call("server.hello", client="x", account="root")
        self.assertEqual(self.add(narrow, "more")["id"], "more")
        self.assertNotIn(":", narrow.call("job.add", command=["/bin/true"], trigger=MANUAL)["id"])
        status, out, _ = self.server.ctl("-U", "root", "list", "-o", "name")
        self.assertEqual((status, set(out.split()) >= {"backup", "sync", "more"}), (0, True), out)
        self.assertNotIn(ALICE, self.server.ctl("-U", "root", "history")[1])
        status, out, _ = self.server.ctl("-U", "root", "show", "backup")
        self.assertEqual(status, 0, out)


class Time(Case):
    def test_not_found_costs_the_same(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        for i in range(200):
            self.add(bob, f"there{i}")
        self.ended(bob, "there7")
        for method, param, there, nowhere in (("job.get", "id", f"{BOB}:there7", f"{BOB}:where7"),
                                              ("run.get", "run", f"{BOB}:there7/1", f"{BOB}:where7/1"),
                                              ("job.run", "id", f"{BOB}:there7", f"{BOB}:where7")):
            took = {there: [], nowhere: []}
            for turn in range(400):
                for name in (there, nowhere) if turn % 2 else (nowhere, there):
                    begun = time.perf_counter()
                    self.refused("not_found", alice.call, method, **{param: name})
                    took[name].append(time.perf_counter() - begun)
            # The lower quarter: what else the machine does is not part of it.
            a, b = (statistics.quantiles(took[name], n=4)[0] for name in (there, nowhere))
            self.assertLess(max(a, b) / min(a, b), 1.25, (method, a, b))


class Room(Case):
    config = f"""
limits: {{clients: 24}}
users:
  allow: [{ALICE}, {BOB}]
  limits: {{clients: 5, requests: 2}}
  accounts: {{{BOB}: {{clients: 100}}}}
"""

    def test_connections_of_an_account(self):
        several = [self.user(ALICE) for _ in range(5)]
        more = self.user(ALICE)
        with self.assertRaises((EOFError, e2e.RpcError, ConnectionError)):
            more.call("server.ping")
        several.pop().close()

        def comes_in():
            try:
                return self.user(ALICE).call("server.ping")["ready"]
            except (EOFError, e2e.RpcError, ConnectionError):
                return False
        e2e.wait_until("there is room again", comes_in)
        # However many the others have, root has a place.
        taken = []
        for _ in range(30):
            client = self.user(BOB)
            try:
                client.call("server.ping")
            except (EOFError, e2e.RpcError, ConnectionError):
                break
            taken.append(client)
        self.assertLess(len(taken), 24)
        self.assertTrue(self.server.client().call("server.ping")["ready"])
        for client in taken + several:
            client.close()

    def test_words_of_the_limit(self):
        kept = [self.user(ALICE) for _ in range(5)]
        self.assertTrue(all(client.call("server.ping")["ready"] for client in kept))
        status, _, err = self.ctl(ALICE, "list")
        self.assertEqual(status, 5, err)
        self.assertIn("users.limits.clients", err)
        self.assertIn("administrator", err)

    def test_requests_of_an_account(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "a", max_instances=100)
        self.add(bob, "b")
        # Far more than are taken up at one time: all are answered, in time.
        clients = [alice, self.user(ALICE), self.user(ALICE)]
        sent = [(client, client.send("job.run", id="a")) for _ in range(100) for client in clients]
        self.assertEqual(self.ended(bob, "b")["state"], "success")
        for client, msgid in sent:
            try:
                client.receive(msgid)
            except e2e.RpcError as error:
                self.assertEqual(error.name, "conflict")
        # What only waits does not stand in the way.
        self.add(alice, "long", ["/bin/sleep", "1000"], max_instances=8)
        runs = [alice.call("job.run", id="long")["run"] for _ in range(6)]
        for run in runs:
            alice.call("run.wait", run=run, **{"for": "running"}, timeout=60)
        waits = [(client, client.send("run.wait", run=run)) for run in runs for client in clients]
        for run in runs:
            clients[1].call("run.kill", run=run, signal="KILL")
        for client, msgid in waits:
            self.assertEqual(client.receive(msgid)["state"], "killed")


@unittest.skipUnless(own_etc(), "needs a mount namespace")
class Renewed(e2e.TestCase):
    """A name that another person has now."""

    def setUp(self):
        self.server = self.daemon(start=False, config="users: {allow: ['*']}\n")
        self.etc = self.server.dir / "etc"
        subprocess.run(["cp", "-a", "/etc", str(self.etc)], check=True)
        self.passwd(23456)
        self.server.dir.chmod(0o755)
        self.start()

    def start(self):
        self.server.state.mkdir(mode=0o700, exist_ok=True)
        wrapper = self.server.dir / "inside.sh"
        wrapper.write_text(f"mount --bind {self.etc} /etc && exec {e2e.SCHEDD}\n")
        with open(self.server.log, "ab") as log:
            self.server.process = subprocess.Popen(["unshare", "-m", "sh", str(wrapper)], stderr=log,
                                                   env=self.server.environment(), stdin=subprocess.DEVNULL)
        e2e.wait_until("schedd answers", self.server._answers)
        self.root = self.server.client()

    def passwd(self, uid):
        path = self.etc / "passwd"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("zoe:")]
        copy = path.with_name("passwd+")
        copy.write_text("\n".join(lines + [f"zoe:x:{uid}:{uid}::/:/bin/sh"]) + "\n")
        copy.chmod(0o644)
        copy.rename(path)

    def client(self, uid):
        os.seteuid(uid)
        try:
            return self.server.client()
        finally:
            os.seteuid(0)

    def is_refused(self):
        try:
            self.client(23457).call("job.list")
        except (EOFError, e2e.RpcError, ConnectionError):
            return True
        return False

    def test_inherits_nothing(self):
        self.client(23456).call("job.add", id="tick", command=["/bin/true"], trigger={"every": "1s"})
        e2e.wait_until("it runs", lambda: self.root.call("job.get", id="zoe:tick")["last_run"] > 0)
        self.assertEqual((self.server.state / "accounts").read_text(), "zoe 23456\n")
        self.assertEqual(os.stat(self.server.state / "accounts").st_mode & 0o777, 0o600)
        self.passwd(23457)
        e2e.wait_until("its jobs are held", lambda: "23456" in (self.root.call("job.get", id="zoe:tick").get("held") or ""))
        e2e.wait_until("the new one is refused", self.is_refused)
        self.server.stop()
        self.start()
        self.assertIn("23456", self.root.call("job.get", id="zoe:tick").get("held") or "")
        self.assertTrue(self.is_refused())
        # The name back, and all is as it was.
        self.passwd(23456)
        e2e.wait_until("it goes on", lambda: not self.root.call("job.get", id="zoe:tick").get("held"))
        self.passwd(23457)
        e2e.wait_until("its jobs are held", lambda: self.root.call("job.get", id="zoe:tick").get("held"))
        # What an administrator does for the new one.
        self.assertEqual(self.server.ctl("-U", "zoe", "remove", "--purge", "-y", "*")[0], 0)
        (self.server.state / "accounts").write_text("")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        new = self.client(23457)
        self.assertEqual(new.call("job.list")["jobs"], [])
        self.assertEqual(new.call("run.list")["runs"], [])
        self.assertEqual((self.server.state / "accounts").read_text(), "zoe 23457\n")


if __name__ == "__main__":
    unittest.main()
