# SPDX-License-Identifier: MIT
"""PROTOCOL.md says what answers hold: no member less, and none more."""
import os
import pathlib
import re
import unittest

import e2e

TEXT = (pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "proto" / "PROTOCOL.md").read_text()


def members(name):
    """Of the row of that name in the table of maps."""
    return set(re.findall("`([a-z_0-9]+)`", re.search(rf"^\| {re.escape(name)} \| (.*) \|$", TEXT, re.M).group(1)))


def answer(method):
    """The last column of the method's row."""
    return re.search(rf"^\| `{re.escape(method)}` \|.*\| (.*) \|$", TEXT, re.M).group(1)


def answered(method):
    """The members of the map that the method's row shows."""
    flat = re.sub(r": \[\{[^{}]*\}[^\]]*\]", "", answer(method))  # without maps inside
    shown = re.search(r"\{([^{}]*)\}", flat).group(1)
    return set(re.findall(r"([a-z_]+)(?=[,:]|$)", re.sub(r": [^,]*", "", shown)))


class Answers(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(config="listeners:\n  - name: x\n    events: [all_jobs_removed]\n    run: cat\n")
        self.call = self.server.client().call
        self.call("job.add", id="a", shell="exit 1", trigger={"every": "1h"}, retry={"limit": 1, "delay": 0.01})
        self.run_id = self.call("job.run", id="a")["run"]
        self.call("run.wait", run=self.run_id)

    def holds(self, wanted, got):
        self.assertEqual(wanted, set(got))

    def test_runs(self):
        self.holds(members("a run"), self.call("run.list")["runs"][0])
        run = self.call("run.get", run=self.run_id)
        whole = members("a run") | {"attempts", "result", "result_form"}
        self.holds(whole, run)
        self.holds(members("an attempt"), run["attempts"][0])
        self.holds(whole, self.call("run.wait", run=self.run_id))
        self.holds({"runs", "next"}, self.call("run.list"))
        self.holds(answered("run.log"), self.call("run.log", run=self.run_id))

    def test_parts(self):
        stores = {store["name"]: store for store in self.call("store.list")}
        self.holds(members("a store"), stores["default"])
        self.holds(members("a store") - {"transactions", "longest_piece"}, stores["memory"])
        self.holds(members("a store") - {"transactions", "longest_piece"}, self.call("store.add", name="more", type="memory"))
        self.assertEqual(self.call("store.remove", name="more"), {"name": "more"})
        self.holds(members("an executor"), self.call("executor.list")[0])
        self.holds(members("an executor"), self.call("executor.add", name="more", type="subprocess"))
        self.assertEqual(self.call("executor.remove", name="more"), {"name": "more"})
        self.assertEqual(self.call("group.set", name="g", parallel=2), {"name": "g", "parallel": 2})
        self.holds(members("a group"), self.call("group.list")[0])
        self.holds(members("a setting"), self.call("config.get")["settings"][0])
        self.holds(answered("config.get"), self.call("config.get"))

    def test_server(self):
        for method in ("server.hello", "server.ping", "server.stats", "server.reload"):
            self.holds(answered(method), self.call(method))
        self.holds(answered("server.backup"), self.call("server.backup", path=str(self.server.dir / "copy.db")))
        self.holds(members("figures of a job"), self.call("server.stats")["jobs"][0])
        self.assertEqual(self.call("scheduler.pause"), {"paused": True})
        self.assertEqual(self.call("scheduler.resume"), {"paused": False})
        section = TEXT[TEXT.index("## server.status"):]
        section = section[:section.index("##", 5)]
        status = self.call("server.status")
        for name in status:
            self.assertIn(f"`{name}`", section)
        shown = set(re.findall("`([a-z_]+)`", section)) - {"running", "paused", "stopping"}
        self.assertEqual(shown - set(status), {"node", "nodes"})  # where a store is shared

    def test_jobs(self):
        paragraph = TEXT[TEXT.index("**A job** in an answer"):]
        told = set(re.findall("`([a-z_]+)`", paragraph[:paragraph.index("\n\n")]))
        job = self.call("job.get", id="a")
        self.assertEqual(told - {"trigger_remarks", "waits_for", "paused_by", "node"} - set(job), set())
        for name in set(job) - told - {"id"}:
            with self.subTest(field=name):  # the rest are fields: each can be given
                self.call("job.add", dry_run=True, **{"id": "b", "shell": "true", name: job[name]})
        self.holds({"jobs", "next"}, self.call("job.list"))
        self.holds({"jobs", "next"}, self.call("job.export"))
        self.assertEqual(self.call("job.apply", jobs=[])[0:], [])
        self.holds(members("job.why") - {"node"}, self.call("job.why", id="a"))  # where a store is shared
        removed = self.call("job.remove", id="a")
        self.assertEqual((removed["id"], removed["last_run"]), ("a", 1))
        gone = self.call("job.why", id="a")
        self.assertEqual(gone["state"], "removed")
        self.assertLessEqual(set(gone), members("job.why"))
        self.refused("not_found", self.call, "job.why", id="never")

    def test_triggers_and_events(self):
        self.holds(answered("trigger.next"), self.call("trigger.next", id="a"))
        client = self.server.client()
        self.holds(answered("event.subscribe"), client.call("event.subscribe", since=0))
        shown = re.search(r"each with one map: `\{([^}]*)\}`", TEXT.replace("\n", " ")).group(1)
        self.holds(set(shown.split(", ")), client.notification()[1])
        self.holds({"ended"}, client.call("event.unsubscribe"))


if __name__ == "__main__":
    unittest.main()
