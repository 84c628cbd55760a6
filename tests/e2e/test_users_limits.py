# SPDX-License-Identifier: MIT
"""What an account may have at one time, in which turns, and whether its jobs run at all."""
import os
import subprocess
import unittest

import e2e
from users_case import ALICE, BOB, MANUAL, ROOT, Case


class Limits(Case):
    config = f"""
users:
  allow: [{ALICE}, {BOB}]
  limits: {{jobs: 3, running: 2, queued: 4, every: 2s}}
  accounts: {{{BOB}: {{jobs: 5}}}}
executors:
  default: {{type: subprocess, max_workers: 4}}
"""

    def test_jobs(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        for i in range(3):
            self.add(alice, f"j{i}")
        message = self.refused("conflict", self.add, alice, "one-more")
        self.assertIn("users.limits.jobs", message)
        self.assertIn("administrator", message)
        self.add(alice, "j0", replace=True, name="again")
        job = {"command": ["/bin/true"], "trigger": MANUAL}
        self.refused("conflict", bob.call, "job.apply", jobs=[{"id": f"b{i}", **job} for i in range(6)])
        self.assertEqual(self.ids(bob), [])
        bob.call("job.apply", jobs=[{"id": f"b{i}", **job} for i in range(5)])
        self.refused("conflict", self.add, bob, "b6")
        alice.call("job.remove", id="j0")
        self.add(alice, "one-more")
        for i in range(10):
            self.add(self.root, f"r{i}")
        self.root.call("job.add", id=f"{ALICE}:roots-gift", command=["/bin/true"], trigger=MANUAL)

    def test_every(self):
        alice = self.user(ALICE)
        for trigger in ({"every": "1s"}, {"cron": "* * * * * *"}, {"any": [{"every": "1h"}, {"every": "0.1s"}]}):
            message = self.refused("conflict", alice.call, "job.add", command=["/bin/true"], trigger=trigger)
            self.assertIn("users.limits.every", message)
            self.assertIn("administrator", message)
        alice.call("job.add", id="fine", command=["/bin/true"], trigger={"every": "2s"})
        self.refused("conflict", alice.call, "job.reschedule", id="fine", trigger={"every": "1s"})

    def test_running_and_queued(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "long", ["/bin/sleep", "1000"], max_instances=100)
        self.add(bob, "short")
        runs = [alice.call("job.run", id="long")["run"] for _ in range(6)]
        for run in runs[:2]:
            alice.call("run.wait", run=run, **{"for": "running"})
        self.assertEqual([alice.call("run.get", run=run)["state"] for run in runs], ["running"] * 2 + ["queued"] * 4)
        facts = " ".join(alice.call("job.why", id="long")["facts"])
        self.assertIn("users.limits.running", facts)
        self.assertIn("administrator", facts)
        message = self.refused("conflict", alice.call, "job.run", id="long")
        self.assertIn("users.limits.queued", message)
        self.assertIn("administrator", message)
        self.assertEqual(self.ended(bob, "short")["state"], "success")
        alice.call("run.kill", run=runs[0], signal="KILL")
        e2e.wait_until("the next one runs", lambda: alice.call("run.get", run=runs[2])["state"] == "running")
        for run in reversed(runs):
            try:
                alice.call("run.kill", run=run, signal="KILL")
            except e2e.RpcError:
                pass


class Kept(Case):
    """The history and the output of an account stay within its limits, by the oldest; others' are left alone."""

    config = f"""
users:
  allow: [{ALICE}, {BOB}]
  limits: {{history: 6, output: 20K}}
  accounts: {{{BOB}: {{history: 1000, output: 1M}}}}
stores:
  second: {{type: memory, users: true}}
"""

    def runs(self, client, **params):
        return [run["id"] for run in client.call("run.list", limit=100, **params)["runs"]]

    def test_history(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        for client in (alice, bob, self.root):
            self.add(client, "one")
            self.add(client, "two")
        for _ in range(5):
            for client in (bob, self.root):
                self.ended(client, "one")
        for job in ("one", "two", "one", "one", "two", "one", "one", "one"):
            self.ended(alice, job)
        e2e.wait_until("the oldest are gone", lambda: len(self.runs(alice)) == 6)
        self.assertEqual(self.runs(alice), ["one/6", "one/5", "one/4", "two/2", "one/3", "one/2"])
        # What a job that is no more has left counts, too, and so does another store's.
        alice.call("job.remove", id="two")
        self.add(alice, "three", store="second")
        for _ in range(6):
            self.ended(alice, "three")
        e2e.wait_until("each store gives its share", lambda: len(self.runs(alice)) == 6)
        self.assertTrue({"three/6", "three/5", "three/4", "one/6"} <= set(self.runs(alice)), self.runs(alice))
        for client in (bob, self.root):
            self.assertEqual(len([run for run in self.runs(client) if run.startswith("one/")]), 5)
        # A limit that a reload makes smaller holds at once.
        self.server.config.write_text(self.config.replace("history: 6", "history: 2"))
        self.assertEqual(self.server.ctl("reload")[0], 0)
        e2e.wait_until("fewer are kept", lambda: len(self.runs(alice)) == 2)

    def kept(self, account):
        places = (self.server.state / "output").glob(f"{account}:*/*")
        return sum(path.stat().st_size for path in places)

    def test_output(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        for client in (alice, bob):
            self.add(client, "loud", ["/bin/sh", "-c", "head -c 6000 /dev/zero | tr '\\0' x"])
            for _ in range(8):
                last = self.ended(client, "loud")["id"]
        e2e.wait_until("the oldest output is gone", lambda: self.kept(ALICE) <= 20 << 10)
        self.assertGreater(self.kept(ALICE), 12 << 10)
        self.assertEqual(len(self.output(alice, last)), 6000)
        self.assertGreaterEqual(self.kept(BOB), 48000)
        message = self.refused("conflict", self.add, alice, "huge", output_max=1 << 20)
        self.assertIn("users.limits.output", message)
        self.assertIn("administrator", message)
        # One run alone cannot have more either.
        self.add(alice, "flood", ["/bin/sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x"])
        self.ended(alice, "flood")
        e2e.wait_until("it is cut", lambda: self.kept(ALICE) <= 20 << 10)


class Fairness(Case):
    config = f"""
users: {{allow: [{ALICE}, {BOB}], limits: {{running: 1000, queued: 5000}}}}
executors:
  default: {{type: subprocess, max_workers: 2}}
"""

    def test_a_storm_of_one_delays_another_by_its_share_alone(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "storm", ["/bin/sleep", "0.2"], max_instances=1000)
        self.add(bob, "one", ["/bin/true"])
        self.add(self.root, "own", ["/bin/true"])
        for msgid in [alice.send("job.run", id="storm") for _ in range(300)]:
            alice.receive(msgid)
        for client, job in ((bob, "one"), (self.root, "own")):
            run = self.ended(client, job)
            self.assertEqual(run["state"], "success")
            done = alice.call("run.list", states=["success"], limit=1000)["runs"]
            self.assertLess(len(done), 150, "it did not wait for the storm to pass")
        self.root.call("job.remove", id=f"{ALICE}:storm", kill=True)


def own_etc():
    """Can a process have an /etc of its own here?"""
    return ROOT and subprocess.run(["unshare", "-m", "mount", "--bind", "/etc", "/etc"], check=False,
                                   capture_output=True).returncode == 0


@unittest.skipUnless(own_etc(), "needs a mount namespace")
class Held(e2e.TestCase):
    """Accounts that go, expire and come back, on a machine whose /etc is a copy."""

    def setUp(self):
        self.server = self.daemon(start=False, config="users: {allow: [zoe, '@friends']}\n")
        self.etc = self.server.dir / "etc"
        subprocess.run(["cp", "-a", "/etc", str(self.etc)], check=True)
        self.line("passwd", "zoe:x:23456:23456::/:/bin/sh")
        self.line("passwd", "yan:x:23457:23457::/:/bin/sh")
        self.line("group", "friends:x:23460:yan")
        self.server.state.mkdir(mode=0o700)
        wrapper = self.server.dir / "inside.sh"
        wrapper.write_text(f"mount --bind {self.etc} /etc && exec {e2e.SCHEDD}\n")
        with open(self.server.log, "ab") as log:
            self.server.process = subprocess.Popen(["unshare", "-m", "sh", str(wrapper)], stderr=log,
                                                   env=self.server.environment(), stdin=subprocess.DEVNULL)
        e2e.wait_until("schedd answers", self.server._answers)
        self.root = self.server.client()

    def line(self, file, text=None, without=None):
        path = self.etc / file
        lines = [line for line in path.read_text().splitlines() if not without or not line.startswith(without)]
        copy = path.with_name(file + "+")
        copy.write_text("\n".join(lines + ([text] if text else [])) + "\n")
        copy.chmod(0o644)
        copy.rename(path)

    def held(self, job, word):
        def is_held():
            return word in (self.root.call("job.get", id=job).get("held") or "")
        e2e.wait_until(f"it is held: {word}", is_held)
        self.assertIn("held: ", " ".join(self.root.call("job.why", id=job)["facts"]))

    def test_gone_expired_forbidden_and_back(self):
        for name in ("zoe", "yan"):
            self.root.call("job.add", id=f"{name}:tick", command=["/bin/true"], trigger={"every": "1s"})
            e2e.wait_until("it runs", lambda job=f"{name}:tick": self.root.call("job.get", id=job)["last_run"] > 0)
        self.line("passwd", without="zoe:")
        self.held("zoe:tick", "no account")
        at = self.root.call("job.get", id="zoe:tick")["last_run"]
        run = self.root.call("job.run", id="zoe:tick")["run"]
        self.assertEqual(self.root.call("run.get", run=run)["state"], "queued")
        ticks = self.root.call("job.get", id="yan:tick")["last_run"]
        e2e.wait_until("others go on", lambda: self.root.call("job.get", id="yan:tick")["last_run"] > ticks + 1)
        self.assertEqual(self.root.call("job.get", id="zoe:tick")["last_run"], at + 1)
        self.line("passwd", "zoe:x:23456:23456::/:/bin/sh")
        self.assertEqual(self.root.call("run.wait", run=run)["state"], "success")
        e2e.wait_until("it goes on", lambda: self.root.call("job.get", id="zoe:tick")["last_run"] > at + 1)
        self.line("shadow", "zoe:!:10000:::::10000:", without="zoe:")
        self.held("zoe:tick", "expired")
        [line] = [line for line in self.server.ctl("list", "--columns", "id,next,left")[1].splitlines() if "zoe:tick" in line]
        self.assertEqual(line.split(), ["zoe:tick", "held", "-"])
        self.line("shadow", without="zoe:")
        e2e.wait_until("it is back", lambda: not self.root.call("job.get", id="zoe:tick").get("held"))
        self.server.config.write_text("users: {allow: ['*'], deny: ['@friends']}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.held("yan:tick", "users.allow")
        self.server.config.write_text("users: {allow: ['*']}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        e2e.wait_until("it is back", lambda: not self.root.call("job.get", id="yan:tick").get("held"))

    def test_the_files_of_cron_decide_where_they_are_told_to(self):
        """Whole lines of cron.allow, or else of cron.deny, as for crontab(1); users.deny is stronger."""
        self.server.dir.chmod(0o755)
        for file in ("cron.allow", "cron.deny"):
            (self.etc / file).unlink(missing_ok=True)
        self.server.config.write_text("users: {cron_files: true}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)

        def who():
            found = []
            for name, uid in (("zoe", 23456), ("yan", 23457)):
                os.seteuid(uid)
                try:
                    client = self.server.client()
                finally:
                    os.seteuid(0)
                try:
                    client.call("server.ping")
                    found.append(name)
                except (e2e.RpcError, EOFError, ConnectionError):
                    pass
                client.close()
            return found
        self.assertEqual(who(), ["zoe", "yan"], "without either file everybody may")
        for file, text, allowed in (("cron.deny", "yan\n", ["zoe"]), ("cron.deny", " yan\nyan \nyan", ["zoe", "yan"]), ("cron.allow", "yan\n", ["yan"]),
                                    ("cron.allow", "yan\n zoe\nzoe", ["yan"]), ("cron.allow", "", [])):
            (self.etc / file).write_text(text)
            self.assertEqual(who(), allowed, (file, text))
        # A job is held when its account is taken out of the file.
        (self.etc / "cron.allow").write_text("yan\n")
        self.root.call("job.add", id="yan:x", command=["/bin/true"], trigger={"every": "1h"})
        (self.etc / "cron.allow").write_text("zoe\n")
        self.held("yan:x", "may not use schedd")
        (self.etc / "cron.allow").write_text("zoe\nyan\n")
        e2e.wait_until("it is back", lambda: not self.root.call("job.get", id="yan:x").get("held"))
        self.server.config.write_text("users: {cron_files: true, deny: [yan]}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.assertEqual(who(), ["zoe"])

    def test_the_table_of_one_who_is_no_longer_allowed_goes_on_alone(self):
        """As under cron; what else it has is held, waits, and goes on when it is allowed again."""
        tree = self.server.dir / "tree"
        for folder in ("etc/cron.d", "var/spool/cron/crontabs", "run"):
            (tree / folder).mkdir(parents=True)
        config = f"cron: {{tables: true, root: {tree}}}\nusers: {{allow: [%s]}}\n"
        self.line("shadow", "yan:*:19000:0:99999:7:::")
        self.server.config.write_text(config % "zoe, yan")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.root.call("cron.table_set", account="yan", text="0 1 1 1 * echo table\n")
        [table] = [job["id"] for job in self.root.call("job.list")["jobs"]]
        self.root.call("job.add", id="yan:own", command=["/bin/true"], trigger={"every": "1h"})
        self.server.config.write_text(config % "zoe")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.held("yan:own", "users.allow")
        self.assertIsNone(self.root.call("job.get", id=table).get("held"))
        self.assertEqual([held["account"] for held in self.root.call("server.status")["scheduler"]["held"]], ["yan"])
        run = self.root.call("job.run", id="yan:own")["run"]
        self.assertEqual(self.root.call("run.wait", run=self.root.call("job.run", id=table)["run"])["state"], "success")
        self.assertEqual(self.root.call("run.get", run=run)["state"], "queued")
        self.assertIn("its account: held", str(self.root.call("job.why", id="yan:own")))
        self.server.config.write_text(config % "zoe, yan")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.assertEqual(self.root.call("run.wait", run=run)["state"], "success")
        self.assertIsNone(self.root.call("job.get", id="yan:own").get("held"))
        # With its table alone there is nothing to be told of.
        self.root.call("job.remove", id="yan:own")
        self.server.config.write_text(config % "zoe")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.assertEqual(self.root.call("server.status")["scheduler"]["held"], [])

    def test_an_account_that_is_called_by_a_number_is_nobody_else(self):
        """Names come before numbers, and an account's jobs never run as the number that it is called by."""
        names = {"0": 24005, "1": 24006, "24008": 24007, "a.b": 24010, "_x": 24011, "x" * 32: 24012}
        self.server.dir.chmod(0o755)
        self.server.config.write_text("users: {allow: ['*']}\n")
        for name, uid in names.items():
            self.line("passwd", f"{name}:x:{uid}:{uid}::/tmp:/bin/sh")
        self.line("passwd", "victim:x:24008:24008::/tmp:/bin/sh")
        self.assertEqual(self.server.ctl("reload")[0], 0)

        def ids(job, client=self.root):
            run = client.call("run.wait", run=client.call("job.run", id=job)["run"])
            return "".join(piece["data"] for piece in client.call("run.log", run=job)["pieces"]), run["state"]
        for name, uid in names.items():
            os.seteuid(uid)
            try:
                client = self.server.client()
            finally:
                os.seteuid(0)
            client.call("job.add", id="who", shell="id -u; id -g", trigger=MANUAL)
            self.assertEqual(ids("who", client), (f"{uid}\n{uid}\n", "success"), name)
        self.root.call("job.add", id="by-name", shell="id -u; id -g", user="24008:1", trigger=MANUAL)
        self.root.call("job.add", id="by-number", shell="id -u; id -g", user="23456", trigger=MANUAL)
        self.assertEqual([ids(job)[0] for job in ("by-name", "by-number")], ["24007\n1\n", "23456\n23456\n"])
        # Nor when the account is gone, and the number is somebody's.
        self.line("passwd", without="24008:")
        self.held("24008:who", "no account")

    def test_who_leaves_a_group_is_no_operator_any_more(self):
        """Also where it is connected already."""
        self.server.config.write_text("users: {allow: [zoe], operators: ['@friends']}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.root.call("job.add", id="zoe:tick", command=["/bin/true"], trigger={"manual": True})
        self.server.dir.chmod(0o755)
        os.seteuid(23457)
        try:
            yan = self.server.client()
        finally:
            os.seteuid(0)
        self.assertEqual([job["id"] for job in yan.call("job.list")["jobs"]], ["zoe:tick"])
        self.line("group", "friends:x:23460:", without="friends:")

        def refused():
            try:
                yan.call("job.list")
            except e2e.RpcError as refusal:
                return refusal
            return None
        self.assertIn("does not serve 'yan'", str(e2e.wait_until("yan is refused", refused)))


if __name__ == "__main__":
    unittest.main()
