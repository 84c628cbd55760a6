# SPDX-License-Identifier: MIT
"""The protocol, spoken by a client made of Debian's msgpack module."""
import os
import unittest

import e2e


class Protocol(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        self.call = self.client.call

    def test_says_hello(self):
        hello = self.call("server.hello", client="test 1", protocol=1)
        self.assertEqual(hello["server"], "schedd")
        self.assertEqual(hello["protocol"], 1)
        self.assertEqual(hello["pid"], self.server.process.pid)
        self.assertEqual(self.call("server.ping")["ready"], True)

    def test_job_from_add_to_remove(self):
        job = self.call("job.add", id="backup", command=["/bin/echo", "hi"], tags={"env": "prod"},
                        trigger={"cron": "30 2 * * *", "timezone": "Europe/Berlin"})
        self.assertEqual(job["id"], "backup")
        self.assertEqual(job["trigger"]["expr"], "30 2 * * *")
        self.assertEqual(job["state"], "waiting")
        self.assertEqual(job["revision"], 1)
        self.assertEqual(job["created_by"], os.geteuid())
        self.assertIsInstance(job["next_run_time"], int)
        self.assertEqual(self.call("job.get", id="backup")["id"], "backup")
        changed = self.call("job.modify", id="backup", timeout="5m", revision=1)
        self.assertEqual((changed["timeout"], changed["revision"]), (300, 2))
        self.refused("conflict", self.call, "job.modify", id="backup", timeout=1, revision=1)
        self.assertEqual(self.call("job.reschedule", id="backup", trigger={"every": "1h"})["trigger"]["seconds"], 3600)
        self.assertEqual(self.call("job.pause", id="backup", reason="upgrade")["paused_reason"], "upgrade")
        self.assertEqual(self.call("job.resume", id="backup")["paused"], False)
        self.assertEqual(self.call("job.rename", id="backup", to="copy")["id"], "copy")
        self.refused("not_found", self.call, "job.get", id="backup")
        self.call("job.remove", id="copy")
        self.assertEqual(self.call("job.list"), {"jobs": [], "next": None})

    def test_refusals_name_the_reason(self):
        self.call("job.add", id="backup", command=["/bin/true"], trigger={"every": "1h"})
        self.refused("conflict", self.call, "job.add", id="backup", command=["/bin/true"], trigger={"every": "1h"})
        self.assertIn("did you mean 'backup'", self.refused("not_found", self.call, "job.get", id="bakup"))
        self.assertIn("did you mean 'job.list'", self.refused("unknown_method", self.call, "job.lst"))
        self.assertIn("did you mean 'id'", self.refused("invalid_argument", self.call, "job.get", idd="x"))
        self.assertIn("minute", self.refused("invalid_argument", self.call, "job.add", id="x",
                                             command=["/bin/true"], trigger={"cron": "61 * * * *"}))
        self.refused("invalid_argument", self.call, "job.list", limit=0)
        self.assertIn("not -1", self.refused("invalid_argument", self.call, "run.list", limit=-1))
        self.assertIn("id: an integer is not a text", self.refused("invalid_argument", self.call, "job.add", id=5, shell="true"))
        self.refused("not_found", self.call, "job.modify", id="none", timeout=1)
        self.refused("not_found", self.call, "job.reschedule", id="none", trigger={"every": "1h"}, revision=1)
        self.refused("invalid_argument", self.call, "job.modify", id="backup", timeout=1, revision=0)
        self.refused("invalid_argument", self.call, "job.import", jobs=[], replace=True, if_absent=True)
        self.refused("invalid_argument", self.call, "executor.add", name="x", type="subprocess", max_workers=1 << 32)
        self.refused("not_found", self.call, "event.unsubscribe", subscription=0)
        self.refused("invalid_argument", self.call, "job.apply", jobs=[], last=True)
        self.refused("invalid_argument", self.call, "group.set", name="a b", parallel=1)
        self.refused("invalid_argument", self.call, "job.pause", id="backup", until="yesterday")
        self.refused("invalid_argument", self.call, "job.pause", id="backup", **{"for": 0})
        answer = self.call("event.subscribe", since=(1 << 63) - 1)
        self.assertEqual(answer["first"], answer["seq"] + 1)

    def test_strings_may_be_sent_as_bin(self):
        import msgpack
        self.client.socket.sendall(msgpack.packb([0, 900, b"job.add", [{b"id": b"bin", b"shell": b"true", b"trigger": {
            b"every": b"1h"}}]], use_bin_type=True))
        self.assertEqual(self.client.receive(900)["id"], "bin")
        raw = b"\x94\x00\xcd\x03\x85\xa8job.list\x91\x81\xa2\xff\xff\x01"  # a key that is no UTF-8
        self.client.socket.sendall(raw)
        self.assertIn("UTF-8", self.refused("invalid_argument", self.client.receive, 901))

    def test_a_conflict_is_no_failure_of_the_store(self):
        for job in ("a", "b"):
            self.call("job.add", id=job, shell="true", trigger={"every": "1h"})
            self.call("run.wait", **self.call("job.run", id=job))
        self.call("job.remove", id="a")
        self.assertIn("purge", self.refused("conflict", self.call, "job.rename", id="b", to="a"))
        self.assertIsNone(self.call("server.status")["scheduler"]["store_error"])
        self.assertEqual(self.call("job.get", id="b")["id"], "b")

    def test_an_id_of_nil_is_left_out(self):
        made = self.call("job.add", id=None, shell="true", trigger={"every": "1h"})["id"]
        self.assertEqual(self.call("job.get", id=made)["id"], made)

    def test_a_refusal_can_always_be_decoded(self):
        self.assertIn("'?'", self.refused("not_found", self.call, "job.get", id=b"\xff"))
        self.assertIn("no job", self.refused("not_found", self.call, "job.get", id="x" * 127 + "é"))

    def test_list_goes_page_by_page(self):
        ids = [f"j{i:02}" for i in range(25)]
        for job in ids:
            self.call("job.add", id=job, shell="true", trigger={"every": "1h"}, store="memory")
        seen, after = [], None
        while True:
            page = self.call("job.list", limit=10, after=after, fields=["id"])
            seen += [job["id"] for job in page["jobs"]]
            self.assertTrue(all(list(job) == ["id"] for job in page["jobs"]))
            after = page["next"]
            if after is None:
                break
        self.assertEqual(seen, ids)
        self.assertEqual(len(self.call("job.list", patterns="j1*")["jobs"]), 10)
        self.assertEqual(self.call("job.list", states=["paused"])["jobs"], [])

    def test_a_list_shows_each_job_as_get_does(self):
        wide = {"timeout": 5, "tags": {"a": "1"}, "owner": "ops", "max_instances": 3}
        for i in range(6):
            self.call("job.add", id=f"j{i}", shell=f"true {i % 2}", trigger={"every": "1h"},
                      **(wide if i % 3 else {}), **({"group": "g"} if i == 5 else {}))
        jobs = self.call("job.list")["jobs"]
        self.assertEqual([job["id"] for job in jobs], [f"j{i}" for i in range(6)])
        for job in jobs:
            self.assertEqual(job, self.call("job.get", id=job["id"]))

    def test_run_output_and_wait(self):
        self.call("job.add", id="say", command=["/bin/sh", "-c", "echo out; echo err >&2; printf '\\377'; exit 3"],
                  capture="split", trigger={"every": "1h"})
        run = self.call("job.run", id="say")
        done = self.call("run.wait", run=run["run"], timeout=20)
        self.assertEqual((done["state"], done["exit_code"], done["id"]), ("failed", 3, run["run"]))
        log = self.call("run.log", **run)
        text = b"".join(p["data"] if isinstance(p["data"], bytes) else p["data"].encode()
                        for p in log["pieces"] if p["stream"] == "stdout")
        self.assertEqual(text, b"out\n\xff")
        self.assertIsNone(log["follow"])
        err = self.call("run.log", run="say", stream="stderr")
        self.assertEqual([p["data"] for p in err["pieces"]], ["err\n"])
        self.assertEqual(self.call("run.list", jobs="say")["runs"][0]["run"], 1)
        again = self.call("run.retry", **run)
        self.assertEqual(self.call("run.wait", **again)["trigger"], "retry")
        self.call("run.purge", run="say")
        self.assertEqual(self.call("run.list", jobs="say")["runs"], [])

    def test_follows_a_run(self):
        fifo = self.server.dir / "fifo"
        os.mkfifo(fifo)
        self.call("job.add", id="talk", shell=f"echo one; read x < {fifo}; echo two", trigger={"every": "1h"})
        run = self.call("job.run", id="talk")["run"]
        self.call("run.wait", run=run, **{"for": "running"})
        text = ""
        log = self.call("run.log", run=run, follow=True)
        text += "".join(p["data"] for p in log["pieces"])
        self.assertIsInstance(log["follow"], int)
        with open(fifo, "w") as pipe:
            pipe.write("go\n")
        while True:
            method, params = self.client.notification()
            self.assertEqual(params["follow"], log["follow"])
            if method == "run.end":
                break
            text += params["data"]
        self.assertEqual(text, "one\ntwo\n")
        self.assertEqual(params["result"]["state"], "success")

    def test_wait_times_out_and_is_pushed(self):
        self.call("job.add", id="slow", shell="sleep 60", trigger={"every": "1h"})
        run = self.call("job.run", id="slow")["run"]
        self.refused("timeout", self.call, "run.wait", run=run, timeout=0.05)
        waiting = self.client.send("run.wait", run=run)
        idle = self.client.send("run.wait", run="slow", **{"for": "idle"})
        self.assertEqual(self.call("run.kill", run=run), {"runs": [run]})
        self.assertEqual(self.client.receive(waiting)["state"], "killed")
        self.assertEqual(self.client.receive(idle)["id"], "slow")
        self.refused("conflict", self.call, "run.kill", run=run)

    def test_events_are_pushed_and_replayed(self):
        seq = self.call("event.subscribe", jobs=["a*"])["seq"]
        self.call("job.add", id="b", shell="true", trigger={"every": "1h"})
        self.call("job.add", id="a", shell="true", trigger={"every": "1h"})
        method, event = self.client.notification()
        self.assertEqual((method, event["event"], event["job"]), ("event", "job_added", "a"))
        self.assertEqual((event["uid"], event["method"]), (os.geteuid(), "job.add"))
        other = self.server.client()
        self.addCleanup(other.close)
        answer = other.call("event.subscribe", since=seq, events="job_added")
        self.assertEqual(answer["first"], seq + 1)
        self.assertEqual([other.notification()[1]["job"] for _ in range(2)], ["b", "a"])
        self.assertEqual(self.call("event.unsubscribe"), {"ended": 1})

    def test_apply_in_parts(self):
        def job(i):
            return {"id": f"p{i}", "shell": "true", "trigger": {"every": "1h"}}
        self.assertEqual(self.call("job.apply", apply="t", jobs=[job(1), job(2)]), {"apply": "t", "received": 2})
        self.refused("not_found", self.call, "job.get", id="p1")
        done = self.call("job.apply", apply="t", jobs=[job(3)], last=True, owner="me")
        self.assertEqual([(row["id"], row["action"]) for row in done],
                         [("p1", "added"), ("p2", "added"), ("p3", "added")])
        done = self.call("job.apply", jobs=[job(1)], owner="me", prune=True)
        self.assertEqual({row["id"]: row["action"] for row in done},
                         {"p1": "unchanged", "p2": "removed", "p3": "removed"})
        exported = self.call("job.export")["jobs"]
        self.assertEqual([row["id"] for row in exported], ["p1"])
        self.refused("conflict", self.call, "job.import", jobs=exported)
        self.assertEqual([row["action"] for row in self.call("job.import", jobs=exported, replace=True)], ["unchanged"])

    def test_import_in_parts(self):
        def job(i):
            return {"id": f"i{i}", "shell": "true", "trigger": {"every": "1h"}}
        self.assertEqual(self.call("job.import", **{"import": "t", "jobs": [job(1), job(2)]}), {"import": "t", "received": 2})
        # The same token of the other method is another file.
        self.assertEqual(self.call("job.apply", apply="t", jobs=[job(7)]), {"apply": "t", "received": 1})
        self.refused("not_found", self.call, "job.get", id="i1")
        done = self.call("job.import", **{"import": "t", "jobs": [job(3)], "last": True})
        self.assertEqual([(row["id"], row["action"]) for row in done], [("i1", "added"), ("i2", "added"), ("i3", "added")])
        self.call("job.import", **{"import": "t", "jobs": [job(4)]})
        self.refused("conflict", self.call, "job.import", **{"import": "t", "jobs": [job(1)], "last": True})
        self.refused("not_found", self.call, "job.get", id="i4")
        self.call("job.import", **{"import": "t", "jobs": [job(5)]})
        done = self.call("job.import", **{"import": "t", "jobs": [job(1)], "last": True, "if_absent": True})
        self.assertEqual([row["id"] for row in done], ["i5"])

    def test_parts_of_the_daemon(self):
        self.assertEqual({row["name"] for row in self.call("store.list")}, {"default", "memory"})
        self.refused("conflict", self.call, "store.add", name="default", type="sqlite")
        self.assertIn("default", {row["name"] for row in self.call("executor.list")})
        self.assertEqual(self.call("executor.add", name="few", type="subprocess", max_workers=2)["max_workers"], 2)
        self.call("executor.remove", name="few")
        self.refused("invalid_argument", self.call, "group.set", name="io", parallel=0)
        self.assertEqual(self.call("group.set", name="io", parallel=2)["parallel"], 2)
        self.assertEqual(self.call("group.list")[0]["name"], "io")
        status = self.call("server.status")
        self.assertEqual(status["socket"], str(self.server.socket))
        self.assertEqual(status["state"], "running")
        self.call("scheduler.pause")
        self.assertEqual(self.call("server.status")["state"], "paused")
        self.call("scheduler.resume")
        config = self.call("config.get", key="limits.clients")
        self.assertEqual(config["settings"][0]["value"], 1024)
        self.assertIsInstance(self.call("server.stats")["jobs"], list)
        copy = self.server.dir / "copy.db"
        self.assertGreater(self.call("server.backup", path=str(copy))["bytes"], 0)
        self.refused("conflict", self.call, "server.backup", path=str(copy))
        self.refused("invalid_argument", self.call, "server.backup", path="copy.db")

    def test_trigger_next(self):
        answer = self.call("trigger.next", trigger={"cron": "30 2 * * *", "timezone": "Europe/Berlin"},
                           n=3, **{"from": 1774738800000000})
        self.assertEqual(answer["timezone"], "Europe/Berlin")
        self.assertEqual(len(answer["fire_times"]), 3)
        self.assertEqual(answer["fire_times"][0], 1774747800000000)  # 2026-03-29T03:30+02:00
        self.call("job.add", id="n", shell="true", trigger={"every": "1h"})
        self.assertEqual(len(self.call("trigger.next", id="n")["fire_times"]), 5)

    def test_pipelined_requests_are_all_answered(self):
        ids = [self.client.send("job.add", id=f"q{i}", shell="true", trigger={"every": "1h"}, store="memory")
               for i in range(300)]
        for msgid in ids:
            self.client.receive(msgid)
        self.assertEqual(len(self.call("job.list", limit=1000, fields=["id"])["jobs"]), 300)

    def test_notifications_are_carried_out_without_an_answer(self):
        import msgpack
        self.client.socket.sendall(msgpack.packb([2, "job.add", [{"id": "silent", "shell": "true",
                                                                  "trigger": {"every": "1h"}}]]))
        e2e.wait_until("the job is there",
                       lambda: self.call("job.list", patterns="silent")["jobs"])

    def test_shutdown(self):
        self.assertEqual(self.call("server.shutdown")["mode"], "limit")
        self.assertEqual(self.server.process.wait(20), 0)
        self.assertFalse(self.server.socket.exists())


if __name__ == "__main__":
    unittest.main()
