# SPDX-License-Identifier: MIT
"""Jobs kept on ZooKeeper, their runs in the default store."""
import json
import os
import subprocess
import time
import unittest

import server_store
from e2e import patience, wait_until

server_store.serve("zookeeper")


def zoo(*words):
    return subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(), *words], check=True, capture_output=True,
                          text=True).stdout


class Zookeeper(server_store.Case):
    more = {"type": "zookeeper", "lease": "3s"}

    def add_store(self, name, address):
        options = ["--option=run_as=root"] if os.geteuid() == 0 else []
        return self.daemon.ctl("stores", "add", name, address, "--type", "zookeeper", "--option=timeout=2s", *options)

    def test_a_server_that_is_far_away(self):
        """300 ms each way."""
        proxy = server_store.SlowProxy(int(os.environ["SCHEDD_TEST_PROXY_SOCKET"]),
                                       int(os.environ["SCHEDD_TEST_SERVER_SOCKET"]))
        self.addCleanup(proxy.close)
        self.daemon.stop()
        self.daemon.config.write_text(server_store.config(
            address=os.environ["SCHEDD_TEST_PROXY_URL"], timeout="10s", connect_timeout="5s"))
        self.daemon.start()
        self.await_state("ok")
        began = time.monotonic()
        self.add("far", "--every", "1s", "--", "true")
        self.assertLess(time.monotonic() - began, 6 * patience())
        wait_until("it runs all the same", lambda: len(self.runs("far")) >= 4, 60)
        self.daemon.stop()

    def test_it_is_added_and_removed_and_no_secret_is_shown(self):
        """What an account makes there is its own."""
        secret = "s3cret-of-the-test"
        address = "zookeeper://schedd:%s@" + server_store.url().replace("/schedd", f"/of{time.monotonic_ns()}")
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        self.assertEqual(self.add_store("pg", address % secret)[0], 0)
        wait_until("it is there", lambda: self.store("pg")["state"] == "ok")
        self.ok("add", "--id", "x", "--store", "pg", "--manual", "--", "true")
        self.ok("run", "x", "--wait")
        everything = self.ok("stores", "--json") + self.ok("config", "show") + self.daemon.log.read_text()
        self.assertNotIn(secret, everything)
        self.ok("rm", "-y", "x")
        self.ok("stores", "remove", "pg")
        self.assertEqual(self.add_store("pg", address % "wrong")[0], 0)
        wait_until("it is refused", lambda: self.store("pg")["state"] == "refused", 30)
        self.assertIn("denied", self.store("pg")["why"])
        self.ok("stores", "remove", "pg")

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "a sanitizer's memory is its own")
    def test_a_core_file_has_no_password(self):
        path = f"/of{time.monotonic_ns()}"
        self.check_core("zookeeper://keeper@" + server_store.url().replace("/schedd", path), "keeper",
                        "Zq7-vErY.seCret~Token4711")

    def test_bad_input_is_named(self):
        self.check_bad_input((
            ("zookeeper://h:99999", [], 2, "'99999' is no port"),
            ("zookeeper://u@h", [], 2, "a user and a password go together"),
            ("zookeeper://h?x=1", [], 2, "'x' is not known"),
            ("zookeeper://h/a//b", [], 2, "must be a path"),
            ("zookeeper://h/zookeeper", [], 2, "the server's own"),
            ("zookeeper://h", ["--option", "prefix=x"], 2, "give a path in the url"),
            ("redis://h", ["--type", "zookeeper"], 2, "'redis' is no scheme"),
            ("zookeeper://h", ["--option", "history=bad"], 2, "keeps jobs alone"),
        ))

    def test_what_does_not_answer_is_said(self):
        class Other(server_store.Listener):
            def serve(self, connection):
                with connection:
                    connection.recv(4096)

        other = Other()
        self.addCleanup(other.close)
        self.assertEqual(self.add_store("bad", f"127.0.0.1:{other.port}")[0], 0)
        wait_until("it is said", lambda: "no ZooKeeper answers there" in (self.store("bad")["why"] or ""), 30)
        self.ok("stores", "remove", "bad")

    def test_runs_are_in_the_default_store_and_people_can_read_the_nodes(self):
        self.assertIn("session of", self.await_state("ok")["durability"])
        self.assertEqual(self.store()["history"], "default")
        self.add("a", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: len(self.runs("a")) >= 2)
        self.ok("pause", "a")
        self.assertEqual(json.loads(zoo("get", "/schedd/job/a"))["command"], ["true"])
        self.assertEqual(json.loads(zoo("get", "/schedd/state/a"))["last_run"], self.runs("a")[0])
        self.assertIn("schedd on ", zoo("get", "/schedd/owner"))
        wait_until("nothing is left of its runs", lambda: zoo("ls", "/schedd/run").strip() == "")

    def test_more_jobs_than_are_for_it(self):
        self.await_state("ok")
        lines = "".join(f"  j{number:05}: {{command: ['true'], trigger: {{every: 1h}}, store: shared}}\n"
                        for number in range(10001))
        path = self.daemon.dir / "jobs.yaml"
        path.write_text("version: 1\njobs:\n" + lines)
        code, out, err = self.daemon.ctl("apply", str(path))
        self.assertNotEqual(code, 0, out)
        self.assertIn("more than 10000 are not for this type", out + err)


if __name__ == "__main__":
    unittest.main()
