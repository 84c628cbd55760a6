# SPDX-License-Identifier: MIT
"""Jobs of APScheduler on a daemon that has some of the executors and stores they name."""
import json
import subprocess
import unittest

import e2e


class ApschedulerImport(e2e.TestCase):
    def test_aliases_and_next_runs(self):
        d = self.daemon(config="executors:\n  fast: {type: subprocess, max_workers: 2}\n")
        job = {"func": "os:system", "args": ["true"], "trigger": "interval", "hours": 1}
        jobs = [{**job, "id": "here", "executor": "fast", "jobstore": "memory", "next_run_time": "2100-4-24 00:00:01"},
                {**job, "id": "elsewhere", "executor": "processpool", "jobstore": "mongo"},
                {"id": "once", "func": "os:system", "args": ["true"], "next_run_time": "2100-01-01T00:00:00+00:00"},
                {**job, "id": "held", "next_run_time": None}]
        done = subprocess.run([e2e.SCHEDCTL, "import", "json", "-"], input=json.dumps(jobs), env=d.environment(),
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("elsewhere: there is no executor 'processpool' here, the default serves", done.stderr)
        self.assertIn("elsewhere: there is no store 'mongo' here, the default serves", done.stderr)
        self.assertNotIn("here: there is no executor 'fast'", done.stderr)
        found = {row["id"]: row for row in json.loads(d.ctl("list", "--json", "--utc")[1])}
        self.assertEqual((found["here"]["executor"], found["here"]["store"]), ("fast", "memory"))
        self.assertEqual((found["elsewhere"]["executor"], found["elsewhere"]["store"]), ("default", "default"))
        self.assertTrue(d.ctl("show", "here", "--field", "next_run_time", "--time", "iso")[1].startswith("2100-04-24T00:00:01"))
        self.assertTrue(found["once"]["next_run_time"].startswith("2100-01-01T0"), found["once"])
        self.assertEqual(found["held"]["state"], "paused")


if __name__ == "__main__":
    unittest.main()
