# SPDX-License-Identifier: MIT
"""Jobs moved to stores on servers and back: with kills at any moment, with servers that go away, take no writes,
or may not hold a job. Over each type that is named here, one after the other."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

TYPES = ("postgresql", "redis", "mysql")

if "SCHEDD_TEST_STORE_URL" not in os.environ:
    done = [subprocess.run(["sh", os.environ["SCHEDD_SOURCE"] + "/tests/support/with_server.sh", kind, sys.executable, *sys.argv],
                           check=False).returncode for kind in TYPES]
    sys.exit(max(done))

from e2e import Daemon, patience, wait_until  # noqa: E402

URL, TYPE = os.environ["SCHEDD_TEST_STORE_URL"], os.environ["SCHEDD_TEST_STORE_TYPE"]
PID = int(os.environ["SCHEDD_TEST_SERVER_PID"])
CONFIG = f"""stores:
  shared: {{type: {TYPE}, url: '{URL}', timeout: 2s, connect_timeout: 2s, run_as: [root]}}
"""


def server_signal(number):
    """To all of its processes."""
    children = pathlib.Path(f"/proc/{PID}/task/{PID}/children").read_text().split()
    for pid in [PID, *map(int, children)]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


@unittest.skipIf(os.geteuid() != 0, "run_as names root")
class Moving(unittest.TestCase):
    def setUp(self):
        subprocess.run(os.environ["SCHEDD_TEST_STORE_RESET"], shell=True, check=True)
        self.d = Daemon(CONFIG)
        self.d.start()
        self.there()

    def tearDown(self):
        server_signal(signal.SIGCONT)
        self.assertEqual(self.d.end(), "")

    def there(self):
        return wait_until("the store is there", lambda: any(
            store["name"] == "shared" and store["state"] == "ok" for store in json.loads(self.d.ctl("stores", "--json")[1])), 60)

    def ok(self, *argv):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def json(self, *argv):
        return json.loads(self.ok(*argv, "--json"))

    def refused(self, code, words, *argv):
        got, _, err = self.d.ctl(*argv)
        self.assertEqual(got, code, f"{argv}: {err}")
        self.assertIn(words, err)
        return err

    def jobs(self):
        return {job["id"]: job for job in self.json("list")}

    def runs(self, job):
        return [row["run"] for row in self.json("history", job, "-n", "1000")]

    @unittest.skipIf(TYPE == "mysql", "it cannot be shared")
    def test_a_shared_store_names_the_way_and_the_way_works(self):
        self.d.stop()
        self.d.config.write_text(CONFIG.replace("run_as", "shared: true, run_as"))
        self.d.start()
        self.there()
        self.ok("add", "--id", "a", "--every", "1h", "--", "true")
        self.ok("run", "a", "-w")
        for argv in (("move", "a", "--to", "shared"), ("copy", "--from", "default", "--to", "shared")):
            code, _, err = self.d.ctl("stores", *argv)
            self.assertNotEqual(code, 0)
            self.assertIn("make a logical backup of store default, remove the jobs there, and restore it into shared", err)
        file = str(self.d.dir / "jobs.jsonl")
        self.ok("backup", file, "--logical", "--store", "default")
        self.ok("rm", "a")
        self.ok("restore", file, "--store", "shared")
        self.assertEqual(self.jobs()["a"]["store"], "shared")
        self.assertEqual(self.runs("a"), [1])
        self.refused(5, "logical backup of store shared", "stores", "move", "a", "--to", "default")

    def test_there_and_back(self):
        self.ok("add", "--id", "a", "--cron", "0~59 3 * * *", "--", "true")
        for _ in range(3):
            self.ok("run", "a", "-w")
        before = self.json("show", "a")
        self.ok("stores", "move", "a", "--to", "shared")
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/4")
        self.assertEqual(self.runs("a"), [4, 3, 2, 1])
        self.d.stop()
        self.d.start()
        self.there()
        after = self.json("show", "a")
        self.assertEqual((after["trigger"], after["run_count"], after["last_run"]),
                         (before["trigger"], before["run_count"], 4))
        self.assertEqual(self.runs("a"), [4, 3, 2, 1])
        self.ok("stores", "move", "a", "--to", "default", "--history")
        self.assertEqual(self.runs("a"), [4, 3, 2, 1])
        self.ok("stores", "move", "a", "--to", "shared", "--history")
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/5")
        self.assertEqual(self.runs("a"), [5, 4, 3, 2, 1])

    def test_a_newcomer_moves_house_by_the_manual(self):
        self.d.stop()
        self.d.config.write_text("")
        self.d.start()
        self.ok("add", "--id", "a", "--every", "1h", "--", "echo", "hi")
        self.ok("run", "a", "-w")
        self.ok("stores", "check", URL)
        self.d.config.write_text(CONFIG)
        self.ok("reload", "--exec")
        self.there()
        self.ok("stores", "copy", "--from", "default", "--to", "shared", "--history")
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/2")
        self.assertEqual((self.runs("a"), self.ok("logs", "a/1").strip()), ([2, 1], "hi"))
        # And has a backup, of which the job comes back.
        file = str(self.d.dir / "backup")
        self.assertIn("1 job and 2 runs", self.d.ctl("backup", file, "--store", "shared")[2])
        self.ok("rm", "-y", "a", "--purge")
        self.ok("restore", file, "--store", "shared")
        self.assertEqual(self.runs("a"), [2, 1])
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/3")

    def test_runs_that_stayed_in_a_store_that_is_away(self):
        self.ok("add", "--id", "a", "--store", "shared", "--manual", "--", "true")
        self.ok("run", "a", "-w")
        self.ok("stores", "move", "a", "--to", "default")
        self.ok("run", "a", "-w")
        self.assertEqual(self.runs("a"), [2, 1])
        server_signal(signal.SIGSTOP)
        wait_until("it is away", lambda: "away" in self.ok("stores"), 60)
        # People read since when; programs have a field of its own for it.
        self.assertRegex(self.ok("stores"), r"away since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
        self.assertRegex(self.ok("stores", "-o", "tsv", "--columns", "name,state"), r"shared\taway(\n|$)")
        code, out, err = self.d.ctl("history", "a", "--json")
        self.assertEqual((code, [row["run"] for row in json.loads(out)]), (0, [2]), err)
        self.assertIn("Runs in store shared are left out: it cannot be asked now.", err)
        server_signal(signal.SIGCONT)
        self.there()
        wait_until("it can be asked again", lambda: self.runs("a") == [2, 1])

    def test_kills_lose_and_double_nothing(self):
        client = self.d.client()
        client.call("job.import", jobs=[{"id": f"j{i:03}", "trigger": {"every": "1h"}, "command": ["true"], "paused": i % 7 == 0}
                                        for i in range(320)])
        for i in range(0, 320, 16):
            client.call("run.wait", run=client.call("job.run", id=f"j{i:03}")["run"])
        client.call("scheduler.pause")
        for i in range(0, 320, 40):
            client.call("job.run", id=f"j{i:03}")
        before = self.jobs()
        runs = sorted(row["id"] for row in self.json("history", "-n", "10000"))
        random.seed(int(os.environ.get("SEED", time.time_ns())))
        way, killed = ("default", "shared"), 0
        for _ in range(int(os.environ.get("KILLS", "12"))):
            asked = self.d.client()
            asked.send("store.copy", **{"from": way[0]}, to=way[1], history=random.random() < 0.5)
            time.sleep(random.random() * 0.12)
            self.d.stop(signal.SIGKILL)
            killed += 1
            self.d.start()
            self.there()
            wait_until("all are there", lambda: len(self.jobs()) == 320, 60)
            self.ok("stores", "copy", "--from", way[0], "--to", way[1])
            way = way[::-1]
            after = self.jobs()
            self.assertEqual({name: (job["last_run"], job["run_count"], job["paused"], job["store"]) for name, job in after.items()},
                             {name: (job["last_run"], job["run_count"], job["paused"], way[0]) for name, job in before.items()})
            wait_until("each run is there once", lambda: sorted(
                row["id"] for row in self.json("history", "-n", "10000")) == runs, 20)
        self.ok("resume", "--scheduler")
        for i in range(0, 320, 40):
            self.ok("wait", f"j{i:03}", "--for", "idle")
            self.assertEqual(self.json("history", f"j{i:03}")[0]["state"], "success")

    def test_a_server_that_is_away(self):
        self.ok("add", "--id", "a", "--every", "1s", "--", "true")
        self.ok("add", "--id", "b", "--manual", "--", "true")
        server_signal(signal.SIGSTOP)
        began = time.monotonic()
        code, _, err = self.d.ctl("stores", "move", "a", "--to", "shared", "--wait")
        self.assertEqual(code, 1, err)
        self.assertLess(time.monotonic() - began, 20 * patience())
        code, _, err = self.d.ctl("stores", "copy", "--from", "default", "--to", "shared")
        self.assertEqual(code, 1, err)
        server_signal(signal.SIGCONT)
        self.there()
        count = len(self.runs("a"))
        wait_until("it goes on", lambda: len(self.runs("a")) > count + 1)
        wait_until("both can be moved", lambda: self.d.ctl("stores", "move", "a", "b", "--to", "shared", "--wait")[0] == 0)
        self.assertEqual({job["store"] for job in self.jobs().values()}, {"shared"})
        # And from a server that is away.
        server_signal(signal.SIGSTOP)
        wait_until("it is away", lambda: "away" in self.ok("stores"), 60)
        self.refused(1, "store shared is away", "stores", "move", "b", "--to", "default")
        server_signal(signal.SIGCONT)
        self.there()
        wait_until("it can be moved", lambda: self.d.ctl("stores", "move", "b", "--to", "default")[0] == 0)

    def test_held_until_both_are_read(self):
        self.ok("add", "--id", "a", "--every", "1s", "--", "true")
        self.ok("add", "--id", "near", "--manual", "--", "true")
        wait_until("it ran", lambda: len(self.runs("a")) > 0)
        server_signal(signal.SIGSTOP)
        asked = self.d.client()
        asked.send("store.move", jobs=["a"], to="shared", wait=True)
        time.sleep(1)
        self.d.stop(signal.SIGKILL)
        self.d.start()
        self.assertEqual(set(self.jobs()), {"a", "near"})
        if "is not there: it waits for that" in self.d.ctl("modify", "a", "--description", "x")[2]:
            last = self.json("show", "a")["last_run"]
            self.refused(5, "is not there", "run", "a")
            time.sleep(2.5)
            self.assertEqual(self.json("show", "a")["last_run"], last)
        self.ok("run", "near", "-w")
        server_signal(signal.SIGCONT)
        self.there()
        last = self.json("show", "a")["last_run"]
        wait_until("it goes on, here or there", lambda: self.json("show", "a")["last_run"] > last + 1, 60)
        wait_until("it can be moved", lambda: self.d.ctl("stores", "move", "a", "--to", "shared", "--wait")[0] == 0)
        runs = self.runs("a")
        self.assertEqual(len(runs), len(set(runs)))

    def test_accounts_that_it_may_not_hold(self):
        self.ok("add", "--id", "mine", "--manual", "--", "true")
        self.ok("add", "--id", "theirs", "--manual", "-u", "nobody", "--", "true")
        self.refused(6, "may not hold jobs of the account 'nobody'", "stores", "move", "theirs", "--to", "shared")
        self.refused(1, "may not hold jobs of the account 'nobody'", "stores", "copy", "--from", "default", "--to", "shared")
        jobs = self.jobs()
        self.assertEqual((jobs["mine"]["store"], jobs["theirs"]["store"]), ("shared", "default"))
        self.d.stop()
        self.d.start()
        self.there()
        self.ok("run", "theirs", "-w")
        self.assertEqual(self.jobs()["theirs"]["store"], "default")
        # Nor does a backup bring one there: all of it or nothing.
        file = str(self.d.dir / "backup")
        self.ok("add", "--id", "ours", "--manual", "--", "true")
        self.ok("backup", file, "--logical")
        self.ok("rm", "-y", "ours", "theirs")
        self.refused(6, "may not hold jobs of the account 'nobody'", "restore", file, "--store", "shared")
        self.assertEqual(set(self.jobs()), {"mine"})
        self.ok("restore", file)
        self.assertEqual(set(self.jobs()), {"mine", "ours", "theirs"})

    @unittest.skipIf(TYPE != "postgresql", "made with its SQL")
    def test_a_server_that_takes_no_writes(self):
        admin = os.environ["SCHEDD_TEST_ADMIN"].split()
        self.ok("add", "--id", "a", "--manual", "--", "true")
        subprocess.run([*admin, "ALTER DATABASE ops SET default_transaction_read_only = on"], check=True)
        subprocess.run([*admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'schedd'"], check=True,
                       stdout=subprocess.DEVNULL)
        try:
            wait_until("it is known", lambda: "read-only" in self.ok("stores"), 60)
            self.refused(1, "store shared is read-only", "stores", "move", "a", "--to", "shared")
        finally:
            subprocess.run([*admin, "ALTER DATABASE ops RESET default_transaction_read_only"], check=True,
                           env={**os.environ, "PGOPTIONS": "-c default_transaction_read_only=off"})
        self.there()
        self.ok("stores", "move", "a", "--to", "shared")

    @unittest.skipIf(TYPE != "postgresql", "made with its SQL")
    def test_what_the_server_refuses(self):
        """As a full disk does, in the middle of a piece."""
        admin = os.environ["SCHEDD_TEST_ADMIN"].split()
        subprocess.run([*admin, "CREATE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS "
                        "'BEGIN IF NEW.id = ''b'' THEN RAISE EXCEPTION ''no space left on device'' USING ERRCODE = ''53100''; "
                        "END IF; RETURN NEW; END'; CREATE TRIGGER full_up BEFORE INSERT ON schedd_jobs FOR EACH ROW "
                        "EXECUTE FUNCTION full_up()"], check=True)
        for name in "abc":
            self.ok("add", "--id", name, "--manual", "--", "true")
        code, _, err = self.d.ctl("stores", "copy", "--from", "default", "--to", "shared")
        self.assertEqual(code, 1, err)
        self.assertIn("no space left on device", err)
        self.assertEqual(self.jobs()["b"]["store"], "default")
        self.d.stop(signal.SIGKILL)
        self.d.start()
        self.there()
        self.assertEqual(set(self.jobs()), {"a", "b", "c"})
        self.assertEqual(self.jobs()["b"]["store"], "default")
        subprocess.run([*admin, "DROP TRIGGER full_up ON schedd_jobs"], check=True)
        wait_until("all are moved", lambda: self.d.ctl("stores", "copy", "--from", "default", "--to", "shared")[0] == 0)
        self.assertEqual({job["store"] for job in self.jobs().values()}, {"shared"})


if __name__ == "__main__":
    unittest.main()
