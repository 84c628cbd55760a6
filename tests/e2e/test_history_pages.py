# SPDX-License-Identifier: MIT
"""Pages of history while runs begin and end: each run stands in one of them."""
import time
import unittest

import e2e


class Pages(e2e.TestCase):
    def pages(self, call, **query):
        rows, after = [], None
        while True:
            answer = call("run.list", limit=7, **query, **({"after": after} if after else {}))
            rows += [row["id"] for row in answer["runs"]]
            after = answer["next"]
            if after is None:
                return rows

    def test_each_run_once(self):
        call = self.daemon().client().call
        for i in range(12):
            call("job.add", id=f"j{i}", shell=f"sleep 0.{3 + i % 6}", trigger={"every": "1s"}, max_instances=3)
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            before = [row["id"] for row in call("run.list", limit=10000)["runs"]]
            self.assertEqual(len(before), len(set(before)), "twice in one answer")
            rows = self.pages(call)
            self.assertEqual(len(rows), len(set(rows)), "a run stands in two pages")
            self.assertFalse(set(before) - set(rows), "a run stands in no page")
            one = self.pages(call, jobs=["j3"])
            self.assertEqual(len(one), len(set(one)))

    def test_what_goes_on_is_shown_as_it_is(self):
        call = self.daemon().client().call
        call("job.add", id="a", shell="echo x; sleep 60", trigger={"type": "manual"})
        run = call("job.run", id="a")["run"]
        e2e.wait_until("it runs", lambda: call("run.list")["runs"][0]["state"] == "running")
        self.assertEqual([row["id"] for row in call("run.list", states=["running"])["runs"]], [run])
        self.assertEqual(call("run.list", states=["success"])["runs"], [])
        e2e.wait_until("its output counts", lambda: call("run.list")["runs"][0]["output_bytes"] == 2)
        call("job.remove", id="a", kill=True)


if __name__ == "__main__":
    unittest.main()
