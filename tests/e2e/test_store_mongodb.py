# SPDX-License-Identifier: MIT
"""Jobs kept on a server that speaks as MongoDB does; mongodb/Server.java says what it cannot show."""
import os
import signal
import time
import unittest

import server_store
from e2e import Daemon, patience, wait_until

server_store.serve("mongodb")


class Mongodb(server_store.Plain):
    more = {"lease": "3s"}

    def test_jobs_come_back_with_their_history(self):
        store = self.await_state("ok")
        self.assertIn("survives a crash", store["durability"])
        self.add("a", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: len(self.runs("a")) >= 2)
        self.ok("pause", "a")
        self.ok("wait", "a", "--for", "idle")
        self.ok("rename", "a", "b")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.await_state("ok")
        runs = self.runs("b")
        self.assertEqual(runs, list(range(len(runs), 0, -1)))
        self.ok("rm", "-y", "b")

    def test_nothing_is_lost_or_done_twice_when_schedd_is_killed(self):
        self.await_state("ok")
        ran = self.daemon.dir / "ran"
        jobs = [f"j{i}" for i in range(5)]
        for job in jobs:
            self.add(job, "--every", "1s", "--", "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        for kill in range(int(os.environ.get("KILLS", "6"))):
            time.sleep(0.4)
            if kill % 3 == 2:
                server_store.server_restart()
            else:
                self.daemon.stop(signal.SIGKILL)
                self.daemon.start()
            self.await_state("ok")
        wait_until("more ran", lambda: ran.exists() and len(ran.read_text().split()) > 10, 60)
        for job in jobs:
            self.ok("pause", job)
        rows = {f"{job}/{number}" for job in jobs for number in self.runs(job)}
        self.daemon.stop()
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)), "a run was executed twice")
        self.assertFalse(set(lines) - rows, "a run has no row")

    def test_a_server_that_stands_still(self):
        self.await_state("ok")
        self.add("far", "--every", "1s", "--", "true")
        self.ok("add", "--id", "near", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: self.runs("far"))
        server_store.server_signal(signal.SIGSTOP)
        self.await_state("away")
        before = len(self.runs("near"))
        began = time.monotonic()
        code, _, err = self.daemon.ctl("pause", "far")
        self.assertEqual(code, 1, err)
        self.assertLess(time.monotonic() - began, 10 * patience())
        wait_until("the other store's job goes on", lambda: len(self.runs("near")) >= before + 2)
        server_store.server_signal(signal.SIGCONT)
        self.await_state("ok")
        self.ok("pause", "far")

    def test_an_owner_at_a_time(self):
        self.await_state("ok")
        self.add("far", "--every", "1s", "--", "true")
        other = Daemon(self.config)
        try:
            other.start()
            wait_until("the second is told who has it", lambda: "it belongs to schedd on " in other.ctl("stores")[1])
            # As long as the first is there it stays so.
            time.sleep(4)
            self.assertEqual(self.store(daemon=other)["state"], "held")
            self.daemon.stop(signal.SIGKILL)
            wait_until("the second takes over", lambda: other.ctl("show", "far")[0] == 0, 60)
            wait_until("it runs there", lambda: self.runs("far", other))
        finally:
            self.assertEqual(other.end(), "")

    def test_tls_is_verified(self):
        self.check_tls("mongodb://{}/ops?tls=true", "mongodb://{}/ops", {"tls_cert": "both.pem"}, "does the server speak TLS there?")

    def test_bad_input_is_named(self):
        for address, options, words in (
                ("mongodb://h", [], "is no name of a database"),
                ("mongodb://h/a.b", [], "'a.b' is no name of a database"),
                ("mongodb://h/x?w=0", [], "'w' is not known"),
                ("mongodb://h/x?tls=perhaps", [], "must be true or false"),
                ("mongodb+srv://h/x", [], "does not tell its type"),
                ("mongodb://h/x", ["--option", "prefix=a"], "'prefix' is not for type 'mongodb'"),
                ("mongodb://h/x", ["--option", "tls_key=/etc/passwd"], "tls_cert is a file with both"),
        ):
            code, _, err = self.daemon.ctl("stores", "add", "bad", address, *options)
            self.assertEqual(code, 2, f"{address}: {err}")
            self.assertIn(words, err)
        self.ok("stores", "add", "nowhere", "mongodb://127.0.0.1:1/ops", "--option=connect_timeout=1s")
        wait_until("it is said", lambda: self.store("nowhere")["why"])
        self.assertEqual(self.store("nowhere")["state"], "connecting")


if __name__ == "__main__":
    unittest.main()
