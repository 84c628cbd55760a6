# SPDX-License-Identifier: MIT
"""Logical backups: what is in them, what restoring does, and every way in which a file can be wrong."""
import json
import pathlib
import random
import re
import signal
import sqlite3
import time
import unittest

import msgpack

from e2e import RpcError, TestCase, wait_until

CONFIG = "stores:\n  other: {type: sqlite}\n"


class Restore(TestCase):
    def setUp(self):
        self.d = self.daemon(config=CONFIG)
        self.file = self.d.dir / "backup.jsonl"

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

    def jobs(self):
        return {job["id"]: job for job in self.json("list")}

    def fill(self):
        self.ok("add", "--id", "a", "--cron", "0~59 3 * * *", "--max-runs", "9", "-t", "kind=night", "-e", "ÄÖ=😀", "--", "true")
        self.ok("add", "--id", "p", "--every", "1h", "--retry", "2", "--", "false")
        self.ok("add", "--id", "q", "--manual", "--sh", "echo 'quoted \"text\"'; exit 3")
        for name in ("a", "q", "a", "q", "a"):
            self.d.ctl("run", name, "-w")
        self.ok("pause", "p", "--reason", "because \"so\"")

    def kept(self):
        """All that is shown, but for what is another by its nature."""
        def plain(value):
            if isinstance(value, list):
                return [plain(one) for one in value]
            if isinstance(value, dict):
                return {key: plain(one) for key, one in value.items() if key not in ("pid", "revision", "updated_at", "store")}
            return value

        return plain([{name: self.json("show", name) for name in self.jobs()}, self.json("history", "-n", "1000")])

    def test_what_a_kill_left_is_told_once(self):
        """The store knows of a restore from before its jobs are there until its last run is."""
        self.fill()
        self.ok("backup", str(self.file), "--logical")
        self.ok("restore", str(self.file), "--replace")
        database = self.d.state / "default.db"

        def noted():
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
                return connection.execute("SELECT count(*) FROM meta WHERE key = 'restoring'").fetchone()[0]

        wait_until("it is over", lambda: noted() == 0)
        self.d.stop(signal.SIGKILL)
        with sqlite3.connect(database) as connection:
            connection.execute("INSERT INTO meta (key, value) VALUES ('restoring', ?)", (str(self.file),))
        self.d.start()
        words = f"schedd ended while {self.file} was restored"
        wait_until("it is told", lambda: words in self.d.log.read_text())
        wait_until("once", lambda: noted() == 0)
        self.ok("restore", str(self.file), "--replace")

    def test_there_and_back(self):
        self.fill()
        before = self.kept()
        self.ok("backup", str(self.file), "--logical")
        self.refused(5, "exists already", "backup", str(self.file), "--logical")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        self.assertEqual(lines[0]["schedd_backup"]["version"], 1)
        self.assertEqual(lines[-1], {"end": {"jobs": 3, "runs": 5}})
        # Into another store of an empty schedd.
        new = self.daemon(config=CONFIG)
        old, self.d = self.d, new
        self.assertIn("3 jobs and 5 runs", self.d.ctl("restore", str(self.file), "--store", "other")[2])
        for _ in range(2):
            self.assertEqual({job["store"] for job in self.jobs().values()}, {"other"})
            wait_until("how they ended last is known", lambda: self.jobs()["a"]["last_state"])
            self.assertEqual(self.kept(), before)
            self.assertIn("because", self.ok("why", "p"))
            self.d.stop()
            self.d.start()
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/4")
        # What is there is not changed unless that is wanted; numbers go on.
        self.ok("modify", "a", "--description", "newer")
        self.refused(5, "job a exists already", "restore", str(self.file), "--store", "other")
        self.refused(5, "job a is in store other", "restore", str(self.file))
        self.ok("rm", "-y", "q")
        self.refused(5, "exists already", "restore", str(self.file), "--store", "other")
        self.assertNotIn("q", self.jobs())
        self.ok("restore", str(self.file), "--store", "other", "--replace")
        self.assertEqual(set(self.jobs()), {"a", "p", "q"})
        self.assertFalse(self.json("show", "a")["description"])
        self.assertEqual(self.ok("run", "a", "-w").strip(), "a/5")
        self.d = old

    def test_what_goes_on_is_lost_and_what_is_due_runs(self):
        self.ok("add", "--id", "long", "--manual", "--", "sleep", "300")
        self.ok("add", "--id", "often", "--every", "1s", "--", "true")
        self.ok("run", "long")
        wait_until("it ran", lambda: self.json("history", "often"))
        self.ok("backup", str(self.file), "--logical")
        self.d.stop(signal.SIGKILL)
        self.d = self.daemon(config=CONFIG)
        self.ok("restore", str(self.file))
        self.assertEqual(self.json("history", "long")[0]["state"], "lost")
        self.assertIn("when the backup was made", self.json("history", "long")[0]["reason"])
        last = self.json("show", "often")["last_run"]
        wait_until("it goes on", lambda: self.json("show", "often")["last_run"] > last)
        numbers = [run["run"] for run in self.json("history", "often", "-n", "1000")]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_a_job_that_runs_is_not_replaced(self):
        self.ok("add", "--id", "a", "--manual", "--", "sleep", "300")
        self.ok("backup", str(self.file), "--logical")
        self.ok("run", "a")
        self.refused(5, "has a run going on", "restore", str(self.file), "--replace")

    def test_every_wrong_file(self):
        self.fill()
        self.ok("backup", str(self.file), "--logical")
        whole = self.file.read_bytes()
        lines = whole.splitlines(True)
        bad = self.d.dir / "bad.jsonl"
        fresh = self.daemon(config=CONFIG)
        client = fresh.client()

        def refuse(text, words, code="invalid_file"):
            bad.write_bytes(text)
            with self.assertRaises(RpcError) as caught:
                client.call("server.restore", path=str(bad))
            self.assertEqual(caught.exception.name, code, caught.exception.message)
            self.assertIn(words, caught.exception.message)
            self.assertEqual(client.call("job.list")["jobs"], [])
            self.assertEqual(client.call("run.list")["runs"], [])

        # Cut off after each line, and at many bytes.
        at = 0
        for number, line in enumerate(lines[:-1]):
            at += len(line)
            refuse(whole[:at], f"bad.jsonl:{number + 2} (byte {at}): it has no end, it was cut off")
        random.seed(7)
        for cut in random.sample(range(1, len(whole)), 60):
            if whole[cut - 1:cut] != b"\n":
                refuse(whole[:cut], "the line is cut off")
        refuse(b"", "it has no end")
        refuse(b"\n", "bad.jsonl:1 (byte 0)")
        refuse(whole + lines[1], f"bad.jsonl:{len(lines) + 1} (byte {len(whole)}): there is more behind its end")
        refuse(b"".join(lines[1:]), "it is no backup of schedd's")
        refuse(b"".join(lines[:1] + lines[2:]), "it says 3 jobs and 5 runs, and has 3 and 4")
        refuse(b"".join(lines[:2] + lines[1:]), "has 3 and 6")
        refuse(b"".join(lines[:-2] + lines[-1:]), "has 2 and 5")
        refuse(b"".join(lines[:-1] + lines[-2:]), "is there twice")
        refuse(lines[0] + whole, "it begins twice")
        refuse(whole.replace(b'"version":1', b'"version":2', 1), "a newer schedd wrote it")
        refuse(whole.replace(b'{"run":', b'{"rune":', 1), "bad.jsonl:2 (byte")
        refuse(whole.replace(b'"state":"success"', b'"state":"splendid"', 1), "'state' makes no sense")
        refuse(whole.replace(b'"number":', b'"numero":', 1), "'numero' is not known")
        refuse(whole.replace(b'"retry"', b'"retri"', 1), "retri")
        refuse(whole.replace(b'"3 * * *"', b'"3 * * *"', 1).replace(b"0~59 3", b"0~99 3", 1), "job a:")
        refuse(whole.replace(b'"last_run":3', b'"last_run":-3', 1), "no counts")
        refuse(b"[" + whole, "bad.jsonl:1 (byte 0)")
        refuse(b'{"schedd_backup":{"version":1}}\n{"a":1,"b":2}\n', "a map of one member")
        refuse(b"\xff\xfe" + whole, "bad.jsonl:1")
        refuse(b"\0" * 100 + b"\n", "bad.jsonl:1")
        refuse(b"SQLite format 3\0" + b"\0" * 200, "a copy of a store of type sqlite")
        for path, name in (("relative", "invalid_argument"), (str(self.d.dir / "nosuch"), "not_found"), (str(self.d.dir), "invalid_file")):
            with self.assertRaises(RpcError) as caught:
                client.call("server.restore", path=path)
            self.assertEqual(caught.exception.name, name, path)
        self.d = fresh
        self.refused(7, "a copy of a store of type sqlite", "restore", str(bad))
        self.refused(4, "no such store", "restore", str(self.file), "--store", "nosuch")
        with open(bad, "wb") as disk:  # a whole one by mistake
            disk.truncate(2 << 30)
        self.refused(7, "bad.jsonl:1 (byte 0): the line is too long", "restore", str(bad))
        most = re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path(f"/proc/{fresh.process.pid}/status").read_text())
        self.assertLess(int(most[1]) << 10, 1 << 30)
        # And the right one is taken.
        self.ok("restore", str(self.file))
        self.assertEqual(len(self.jobs()), 3)

    def test_its_store_stays_until_it_is_done(self):
        client = self.d.client()
        client.call("job.import", jobs=[{"id": f"j{i:04}", "trigger": {"every": "1h"}, "command": ["true"]} for i in range(1000)])
        self.ok("backup", str(self.file), "--logical")
        self.ok("remove", "--all", "-y")
        # Both are there before the first piece is read.
        client.socket.sendall(msgpack.packb([0, 1001, "server.restore", [{"path": str(self.file), "store": "other"}]])
                              + msgpack.packb([0, 1002, "store.remove", [{"name": "other"}]]))
        with self.assertRaises(RpcError) as caught:
            client.receive(1002)
        self.assertIn("jobs are on their way to or from it", str(caught.exception))
        self.assertEqual(client.receive(1001)["jobs"], 1000)
        self.assertEqual({job["store"] for job in self.jobs().values()}, {"other"})

    def test_killed_in_between_it_is_done_again(self):
        client = self.d.client()
        client.call("job.import", jobs=[{"id": f"j{i:04}", "trigger": {"every": "1h"}, "command": ["true"]} for i in range(2000)])
        for i in range(0, 2000, 100):
            client.call("run.wait", run=client.call("job.run", id=f"j{i:04}")["run"])
        self.ok("backup", str(self.file), "--logical")
        random.seed(3)
        for _ in range(4):
            new = self.daemon(config=CONFIG)
            new.client().send("server.restore", path=str(self.file))
            time.sleep(random.random() * 0.25)
            new.stop(signal.SIGKILL)
            new.start()
            count = new.client().call("server.status")["scheduler"]["jobs"]
            self.assertIn(count, (0, 2000))
            code, _, err = new.ctl("restore", str(self.file), "--replace")
            self.assertEqual(code, 0, err)
            self.assertEqual(new.client().call("server.status")["scheduler"]["jobs"], 2000)
            self.assertEqual(len(json.loads(new.ctl("history", "-n", "1000", "--json")[1])), 20)


if __name__ == "__main__":
    unittest.main()
