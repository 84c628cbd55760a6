# SPDX-License-Identifier: MIT
"""Jobs kept on a PostgreSQL server: what a user sees of it when all is well, when it is away,
and when schedd or the server die. The server is started for the test alone."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

if "SCHEDD_TEST_STORE_URL" not in os.environ:
    os.execvp("sh", ["sh", os.environ["SCHEDD_SOURCE"] + "/tests/support/with_server.sh", "postgresql",
                     sys.executable, *sys.argv])

from e2e import Daemon, wait_until  # noqa: E402

URL = os.environ["SCHEDD_TEST_STORE_URL"]
PID = int(os.environ["SCHEDD_TEST_SERVER_PID"])
RUN_AS = "      run_as: root\n" if os.geteuid() == 0 else ""
CONFIG = f"""stores:
  shared:
    url: '{URL}'
    timeout: 2s
    connect_timeout: 2s
{RUN_AS.replace('      ', '    ')}"""


def sql(text):
    return subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(), text], check=True, capture_output=True,
                          text=True).stdout.strip()


def server_signal(number):
    """To all of its processes."""
    children = pathlib.Path(f"/proc/{PID}/task/{PID}/children").read_text().split()
    for pid in [PID, *map(int, children)]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Postgresql(unittest.TestCase):
    def setUp(self):
        subprocess.run(os.environ["SCHEDD_TEST_STORE_RESET"], shell=True, check=True)
        self.daemon = Daemon(CONFIG)
        self.daemon.start()

    def tearDown(self):
        server_signal(signal.SIGCONT)
        self.assertEqual(self.daemon.end(), "")

    def store(self, name="shared"):
        code, out, err = self.daemon.ctl("stores", "--json")
        self.assertEqual(code, 0, err)
        return next(store for store in json.loads(out) if store["name"] == name)

    def await_state(self, *states):
        return wait_until(f"the store is {states}", lambda: self.store()["state"] in states and self.store(), 60)

    def ok(self, *argv):
        code, out, err = self.daemon.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def test_jobs_come_back_with_their_history(self):
        store = self.await_state("ok")
        self.assertIn("survives a crash", store["durability"])
        self.assertIn("postgresql://schedd@", store["address"])
        self.ok("add", "--id", "a", "--store", "shared", "--every", "1s", "--", "true")
        self.ok("add", "--id", "m", "--store", "shared", "--manual", "--", "echo", "it's \"so\" \\ 😀")
        wait_until("it ran", lambda: sql("SELECT count(*) FROM schedd_run_list WHERE state = 'success'") >= "2")
        self.ok("pause", "a")
        self.assertEqual(self.daemon.stop(), 0)
        runs = int(sql("SELECT max(number) FROM schedd_runs"))
        self.daemon.start()
        self.await_state("ok")
        shown = json.loads(self.ok("show", "a", "--json"))
        self.assertEqual(shown["last_run"], runs)
        self.assertEqual(shown["state"], "paused")
        self.assertIn("😀", json.loads(self.ok("show", "m", "--json"))["command"][1])
        self.assertEqual(len(json.loads(self.ok("history", "a", "--json", "-n", "1000"))), runs)

    def test_nothing_is_lost_or_done_twice_when_schedd_is_killed(self):
        self.await_state("ok")
        ran = self.daemon.dir / "ran"
        for i in range(10):
            self.ok("add", "--id", f"j{i}", "--store", "shared", "--every", "1s", "--",
                    "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        for _ in range(int(os.environ.get("KILLS", "8"))):
            time.sleep(0.4)
            self.daemon.stop(signal.SIGKILL)
            self.daemon.start()
            self.await_state("ok")
        wait_until("more ran", lambda: ran.exists() and len(ran.read_text().split()) > 20, 60)
        self.daemon.stop()
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)), "a run was executed twice")
        rows = set(sql("SELECT j.id || '/' || r.number FROM schedd_runs r JOIN schedd_jobs j ON j.key = r.job").split())
        self.assertFalse(set(lines) - rows, "a run has no row")

    def test_a_server_that_is_away_holds_up_its_own_jobs_alone(self):
        self.await_state("ok")
        self.ok("add", "--id", "far", "--store", "shared", "--every", "1s", "--", "true")
        self.ok("add", "--id", "near", "--every", "1s", "--", "true")
        wait_until("both ran", lambda: len(json.loads(self.ok("history", "far", "--json"))) > 0)
        server_signal(signal.SIGSTOP)
        self.await_state("away")
        before = len(json.loads(self.ok("history", "near", "--json", "-n", "1000")))
        began = time.monotonic()
        code, _, err = self.daemon.ctl("pause", "far")
        self.assertEqual(code, 1, err)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("shared", err)
        wait_until("the other store's job goes on", lambda: len(json.loads(
            self.ok("history", "near", "--json", "-n", "1000"))) >= before + 3)
        self.assertIn("away", self.ok("stores"))
        server_signal(signal.SIGCONT)
        self.await_state("ok")
        count = int(sql("SELECT count(*) FROM schedd_runs"))
        wait_until("it goes on", lambda: int(sql("SELECT count(*) FROM schedd_runs")) > count, 60)
        self.ok("pause", "far")

    def test_schedd_starts_without_its_server(self):
        self.await_state("ok")
        self.ok("add", "--id", "far", "--store", "shared", "--manual", "--", "true")
        self.daemon.stop()
        server_signal(signal.SIGSTOP)
        self.daemon.start()
        self.assertIn(self.store()["state"], ("connecting", "away"))
        self.ok("add", "--id", "near", "--manual", "--", "true")
        code, _, err = self.daemon.ctl("add", "--id", "far", "--store", "shared", "--manual", "--", "false")
        self.assertEqual(code, 1, err)
        self.assertIn("has not been read yet", err)
        server_signal(signal.SIGCONT)
        self.await_state("ok")
        wait_until("its jobs are there", lambda: self.daemon.ctl("show", "far")[0] == 0)

    def test_an_owner_at_a_time(self):
        self.await_state("ok")
        self.ok("add", "--id", "far", "--store", "shared", "--every", "1s", "--", "true")
        other = Daemon(CONFIG)
        try:
            other.start()
            wait_until("the second is told who has it", lambda: "it belongs to schedd on " in other.ctl("stores")[1])
            self.daemon.stop(signal.SIGKILL)
            wait_until("the second takes over", lambda: other.ctl("show", "far")[0] == 0, 60)
            wait_until("it runs there", lambda: json.loads(other.ctl("history", "far", "--json")[1])[0:1])
        finally:
            other.end()

    def test_stores_add_and_remove(self):
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        secret = "s3cret-of-the-test"
        more = ["--option", "run_as=root"] if os.geteuid() == 0 else []
        self.ok("stores", "add", "pg", URL.replace("schedd@", f"schedd:{secret}@"), "--option", "timeout=2s", *more)
        wait_until("it is there", lambda: self.store("pg")["state"] == "ok")
        self.ok("add", "--id", "x", "--store", "pg", "--manual", "--", "true")
        code, _, err = self.daemon.ctl("stores", "remove", "pg")
        self.assertEqual(code, 5, err)
        everything = self.ok("stores", "--json") + self.ok("config", "show") + self.daemon.log.read_text()
        self.assertNotIn(secret, everything)
        self.ok("rm", "-y", "x")
        self.ok("stores", "remove", "pg")
        self.assertNotIn("postgresql", self.ok("stores"))

    def test_bad_input_is_named(self):
        for url, options, code, words in (
                ("pgsql://h/x", [], 2, "does not tell its type"),
                ("postgresql://h:99999/x", [], 2, "'99999' is no port"),
                ("postgresql://h/x?sslmoode=require", [], 2, "'sslmoode' is not known"),
                (URL, ["--option", "tiemout=2s"], 2, "'tiemout' is not known"),
                (URL, ["--option", "timeout=2 parsecs"], 2, "timeout"),
                (URL, ["--option", "password_file=/nonexistent"], 2, "/nonexistent"),
                (URL, ["--option", "lease=1s"], 2, "lease"),
                ("redis://h", ["--type", "postgresql"], 2, "'redis' is no scheme"),
        ):
            got, _, err = self.daemon.ctl("stores", "add", "bad", url, *options)
            self.assertEqual(got, code, f"{url} {options}: {err}")
            self.assertIn(words, err)
        self.ok("stores", "add", "nobody", URL.replace("schedd@", "nobody@"))
        store = wait_until("it is refused", lambda: self.store("nobody")["state"] == "refused" and self.store("nobody"))
        self.assertIn('role "nobody" does not exist', store["why"])


if __name__ == "__main__":
    unittest.main()
