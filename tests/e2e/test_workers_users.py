# SPDX-License-Identifier: MIT
"""Workers of accounts: each has processes of its own, under its uid, and nothing of another's."""
import json
import os
import pathlib
import shutil
import time

import e2e
from users_case import ALICE, BOB, MANUAL, OLGA, Case, uid

MODULE = '''
import os, time
from schedd_worker import current_run
LOADED_BY = os.getuid(), os.geteuid(), sorted(os.getgroups()), os.getpid()

def who():
    run = current_run()
    return {"uid": os.getuid(), "gid": os.getgid(), "loaded": LOADED_BY[0], "pid": os.getpid(), "run": run.run, "job": run.job,
            "home": os.environ.get("HOME"), "user": os.environ.get("USER"), "env": sorted(os.environ), "groups": LOADED_BY[2]}

def read(path):
    with open(path) as file:
        return file.read()

def wait(seconds):
    for _ in range(int(seconds * 50)):
        time.sleep(0.02)
    return os.getpid()

def until(path):
    while not os.path.exists(path):
        time.sleep(0.02)

def say(text):
    print(text)
'''


class WorkersOfAccounts(Case):
    def setUp(self):
        self.server = self.daemon(start=False)
        self.server.dir.chmod(0o755)
        app = self.server.dir / "app"
        app.mkdir()
        (app / "mine.py").write_text(MODULE)
        # The interpreter keeps nothing there: it is nobody's to write.
        rows = {"type": "worker", "processes": 3, "cwd": str(app), "preload": ["mine"], "env": {"PYTHONDONTWRITEBYTECODE": "1", "APP": "x"}}
        config = {"users": {"allow": [ALICE, BOB], "operators": [OLGA], "limits": {"running": 2}},
                  "executors": {"python": {**rows, "users": True, "min": 1}, "closed": rows,
                                "single": {**rows, "users": True, "processes": 1},
                                "wide": {**rows, "users": True, "processes": 1, "concurrency": 50}}}
        self.server.config.write_text(json.dumps(config))
        self.server.start()
        self.root = self.server.client()

    def call(self, client, job, function, *args, executor="python", **fields):
        client.call("job.add", id=job, executor=executor, trigger=MANUAL, call={"function": f"mine:{function}", "args": list(args)}, **fields)

    def result(self, client, job):
        run = self.ended(client, job)
        self.assertEqual(run["state"], "success", run)
        return client.call("run.get", run=run["id"])["result"]

    def test_each_account_has_its_own(self):
        seen = {}
        for name, client in ((ALICE, self.user(ALICE)), (BOB, self.user(BOB)), ("root", self.root)):
            self.call(client, "who", "who")
            first, second = self.result(client, "who"), self.result(client, "who")
            self.assertEqual((first["uid"], first["loaded"], first["user"]), (uid(name), uid(name), name))
            self.assertEqual((first["run"], first["job"], second["run"]), (1, "who", 2))
            self.assertEqual(first["pid"], second["pid"], "the process stays")
            self.assertEqual(os.stat(f"/proc/{first['pid']}").st_uid, uid(name))
            self.assertNotIn(0 if name != "root" else -1, first["groups"])
            seen[name] = first["pid"]
        self.assertEqual(len(set(seen.values())), 3, seen)
        pool = next(e for e in self.root.call("executor.list") if e["name"] == "python")
        self.assertEqual({one["account"]: one["pids"] for one in pool["accounts"]}, {ALICE: [seen[ALICE]], BOB: [seen[BOB]]})
        for one in self.user(ALICE).call("executor.list"):
            self.assertIn(one["name"], ("default", "python", "single", "wide"))
            self.assertEqual({key for key in one if one[key] is not None}, {"name", "type"})

    def test_what_is_not_open_is_refused_and_says_who_decides(self):
        alice = self.user(ALICE)
        message = self.refused("permission_denied", self.call, alice, "a", "who", executor="closed")
        self.assertIn("executors.closed.users", message)
        message = self.refused("permission_denied", self.root.call, "job.add", id=f"{ALICE}:gift", executor="closed", trigger=MANUAL,
                               call={"function": "mine:who"})
        self.assertIn("executors.closed.users", message)
        message = self.refused("permission_denied", alice.call, "job.add", id="in", executor="function", trigger=MANUAL,
                               call={"function": "plugin:function"})
        self.assertIn("function", message)
        for field, value in (("env", {"LD_PRELOAD": "x"}), ("cwd", "/"), ("umask", "000")):
            self.refused("invalid_argument", self.call, alice, "b", "who", **{field: value})
        self.refused("permission_denied", self.call, alice, "c", "who", user="root")
        self.assertEqual(self.ids(alice), [])

    def test_files_are_opened_with_the_account_s_rights(self):
        secret = self.server.dir / "secret"
        secret.write_text("root's")
        secret.chmod(0o600)
        alice = self.user(ALICE)
        self.call(alice, "read", "read", str(secret))
        run = self.ended(alice, "read")
        self.assertEqual(run["state"], "failed")
        self.assertIn("PermissionError", alice.call("run.get", run=run["id"])["reason"])

    def test_what_waits_for_a_busy_process_has_not_begun(self):
        alice, gate = self.user(ALICE), self.server.dir / "gate"
        for name in ("first", "second"):
            self.call(alice, name, "until", str(gate), executor="single")
        alice.call("job.run", id="first")
        e2e.wait_until("one begins", lambda: alice.call("run.get", run="first/1")["pid"])
        alice.call("job.run", id="second")
        e2e.wait_until("the other waits", lambda: alice.call("run.get", run="second/1")["state"] == "queued")
        self.assertEqual(alice.call("run.get", run="second/1")["waits_for"],
                         "a worker of executor single: all that are there are busy")
        # Its row is written in the background; what is asked for behind it is answered when both are durable.
        alice.call("job.modify", id="second", description="x")
        self.server.process.kill()
        self.server.process.wait()
        self.server.start()
        alice = self.user(ALICE)
        self.assertEqual(alice.call("run.get", run="first/1")["state"], "lost")
        gate.write_text("")
        self.assertEqual(alice.call("run.wait", run="second/1")["state"], "success")
        self.assertEqual([run["id"] for run in alice.call("run.list")["runs"]], ["second/1", "first/1"])

    def test_many_that_wait_for_one_process_come_one_after_the_other(self):
        self.server.config.write_text(self.server.config.read_text().replace('"running": 2', '"running": 20'))
        self.root.call("server.reload")
        alice = self.user(ALICE)
        self.call(alice, "many", "who", executor="single", max_instances=20)
        runs = [alice.call("job.run", id="many")["run"] for _ in range(20)]
        for run in runs:
            self.assertEqual(alice.call("run.wait", run=run)["state"], "success")

    def test_counted_in_the_account_s_limits(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.call(alice, "slow", "wait", 1000, max_instances=10)
        self.call(bob, "who", "who")
        runs = [alice.call("job.run", id="slow")["run"] for _ in range(5)]
        e2e.wait_until("two run", lambda: [alice.call("run.get", run=run)["state"] for run in runs].count("running") == 2)
        self.assertEqual(self.result(bob, "who")["uid"], uid(BOB), "others are not held up")
        states = [alice.call("run.get", run=run)["state"] for run in runs]
        self.assertEqual(states, ["running"] * 2 + ["queued"] * 3)
        pool = next(e for e in self.root.call("executor.list") if e["name"] == "python")
        self.assertEqual(len(next(one for one in pool["accounts"] if one["account"] == ALICE)["pids"]), 2)
        for run in reversed(runs):
            alice.call("run.kill", run=run)
        for run in runs:
            self.assertIn(alice.call("run.wait", run=run)["state"], ("killed", "cancelled"))

    def test_outputs_and_time_outs_find_their_calls(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        for client, name in ((alice, ALICE), (bob, BOB)):
            self.call(client, "say", "say", f"it is {name}", executor="wide")
            self.call(client, "late", "wait", 1000, executor="wide", timeout="0.3s", kill_after="1s")
        for client, name in ((alice, ALICE), (bob, BOB)):
            run = self.ended(client, "say")
            self.assertEqual(self.output(client, run["id"]), f"it is {name}\n")
            self.assertEqual(self.ended(client, "late")["state"], "timeout")

    def test_a_new_program_takes_over_the_calls(self):
        alice = self.user(ALICE)
        self.call(alice, "slow", "wait", 3)
        run = alice.call("job.run", id="slow")["run"]
        alice.call("run.wait", run=run, **{"for": "running"})
        pid = alice.call("run.get", run=run)["pid"]
        self.assertEqual(self.server.ctl("reload", "--exec")[0], 0)
        e2e.wait_until("it answers again", self.server._answers)
        alice = self.user(ALICE)
        self.assertEqual(alice.call("run.wait", run=run)["state"], "success")
        self.assertEqual(alice.call("run.get", run=run)["result"], pid)
        self.call(alice, "who", "who")
        self.assertNotEqual(self.result(alice, "who")["pid"], pid)
        # The end of the daemon is theirs.
        pids = [pid for e in self.server.client().call("executor.list") if e["name"] == "python" for one in e["accounts"] for pid in one["pids"]]
        self.assertTrue(pids)
        self.server.stop()
        for pid in pids:
            e2e.wait_until("it ends", lambda pid=pid: not pathlib.Path(f"/proc/{pid}").exists())

    def test_what_an_account_s_worker_breaks_is_its_own(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.call(alice, "slow", "wait", 1000)
        self.call(bob, "slow", "wait", 1)
        mine, other = alice.call("job.run", id="slow")["run"], bob.call("job.run", id="slow")["run"]
        for client, run in ((alice, mine), (bob, other)):
            client.call("run.wait", run=run, **{"for": "running"})
        os.kill(alice.call("run.get", run=mine)["pid"], 9)
        self.assertEqual(alice.call("run.wait", run=mine)["state"], "failed")
        self.assertEqual(bob.call("run.wait", run=other)["state"], "success")


if __name__ == "__main__":
    import unittest

    unittest.main()
