# SPDX-License-Identifier: MIT
"""History page by page, merged from several stores: nothing twice, nothing left out, newest first."""
import unittest

import e2e


class HistoryPages(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        for store in ("default", "memory"):
            self.client.call("job.add", id=store, store=store, command=["/bin/true"], trigger={"manual": True})
        self.expected = []
        for i in range(24):
            run = self.client.call("job.run", id="memory" if i % 3 else "default")["run"]
            self.client.call("run.wait", run=run)
            self.expected.insert(0, run)

    def pages(self, limit, **query):
        """Every run, in the order of the pages; new ones between pages must not disturb them."""
        found, after = [], None
        while True:
            page = self.client.call("run.list", limit=limit, after=after, **query)
            self.assertLessEqual(len(page["runs"]), limit)
            found += [run["id"] for run in page["runs"]]
            after = page["next"]
            if after is None:
                return found
            self.client.call("run.wait", **self.client.call("job.run", id="default"))

    def test_all_runs_come_once_newest_first(self):
        self.assertEqual(self.pages(5), self.expected)

    def test_globs_and_single_jobs_page_too(self):
        memory = [run for run in self.expected if run.startswith("memory/")]
        self.assertEqual(self.pages(4, jobs=["memory"]), memory)
        self.assertEqual(self.pages(3, jobs=["mem*"]), memory)

    def test_a_cursor_of_nowhere_is_refused(self):
        for cursor in ("x", "s1", "s1,s1,s1", "-,x"):
            self.refused("invalid_argument", self.client.call, "run.list", after=cursor)


if __name__ == "__main__":
    unittest.main()
