# SPDX-License-Identifier: MIT
"""The daemon stands still for a while: runs that ended meanwhile have ended, in time."""
import signal
import time
import unittest

import e2e


class Standstill(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()

    def rows(self, name):
        return list(reversed(self.client.call("run.list", jobs=[name])["runs"]))

    def stand_still(self, seconds):
        self.server.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.server.process.send_signal(signal.SIGCONT)

    def test_what_ended_meanwhile_is_not_still_going(self):
        count = 40  # more than the loop hears of in one turn
        for i in range(count):
            # It ends behind the next due time, but before anybody looks.
            self.client.call("job.add", id=f"j{i}", command=["sleep", "4"], trigger={"every": "3s"})
        e2e.wait_until("all run", lambda: all(self.client.call("job.get", id=f"j{i}")["running"] for i in range(count)))
        self.stand_still(5.5)
        for i in range(count):
            e2e.wait_until("the next one", lambda: len(self.rows(f"j{i}")) >= 2)
            self.assertEqual([run["state"] for run in self.rows(f"j{i}")[:2]], ["success", "running"])

    def test_what_ended_in_time_was_not_too_long(self):
        self.client.call("job.add", id="a", command=["sleep", "1"], timeout=2, trigger={"type": "manual"})
        self.client.call("job.run", id="a")
        e2e.wait_until("it runs", lambda: self.rows("a")[0]["state"] == "running")
        self.stand_still(4)
        e2e.wait_until("it has ended", lambda: self.rows("a")[0]["state"] != "running")
        self.assertEqual(self.rows("a")[0]["state"], "success")


if __name__ == "__main__":
    unittest.main()
