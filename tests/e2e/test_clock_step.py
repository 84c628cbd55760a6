# SPDX-License-Identifier: MIT
"""The wall clock is set while schedd runs: forward is caught up by the rules of
misfires, back repeats nothing. A preloaded library moves the clock and tells
timers of it, as the kernel would."""
import mmap
import os
import re
import struct
import subprocess
import time
import unittest

import e2e

SECOND, MINUTE, HOUR, DAY, YEAR = 10**6, 60 * 10**6, 3600 * 10**6, 86400 * 10**6, 365 * 86400 * 10**6
PRELOAD = os.environ["CLOCK_PRELOAD"]


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", e2e.SCHEDD], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [PRELOAD])


class ClockStep(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon(start=False)
        path = self.server.dir / "offset"
        path.write_bytes(struct.pack("=q", 0))
        with open(path, "r+b") as file:
            self.offset = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.offset.close)
        self.shift = 0
        self.server.start(LD_PRELOAD=preload(), CLOCK_OFFSET=str(path))
        self.client = self.server.client()

    def step(self, span):
        self.shift += span
        self.offset[:] = struct.pack("=q", self.shift)

    def now(self):
        return time.time_ns() // 1000 + self.shift

    def add(self, name, trigger, **fields):
        return self.client.call("job.add", id=name, shell="true", trigger=trigger, **fields)

    def runs(self, name):
        runs, after = [], None
        while True:
            page = self.client.call("run.list", jobs=[name], limit=1000, after=after)
            runs += page["runs"]
            after = page["next"]
            if after is None:
                return runs[::-1]

    def ended(self, name, count):
        """The runs of the job as soon as that many have ended."""
        def look():
            runs = [run for run in self.runs(name) if run["ended_at"] is not None or run["state"] == "missed"]
            return runs if len(runs) >= count else None
        return e2e.wait_until(f"{count} runs of {name}", look)

    def check_once(self, name, begin, step):
        """Each fire time ended in exactly one outcome."""
        times = [run["scheduled_at"] for run in self.runs(name) if run["trigger"] != "manual"]
        self.assertEqual(len(times), len(set(times)), "a fire time was run twice")
        self.assertEqual(times, sorted(times))
        for when in times:
            self.assertEqual((when - begin) % step, 0, "off the grid")
        return times

    def test_the_preload_moves_the_clock(self):
        before = self.client.call("server.status")["scheduler"]["next_run_time"]
        self.assertIsNone(before)
        self.step(HOUR)
        job = self.add("a", {"every": "1h"})
        self.assertAlmostEqual(job["next_run_time"] / SECOND, (self.now() + HOUR) / SECOND, delta=30)

    def test_an_hour_forward_is_noticed_at_once_and_coalesced(self):
        begin = self.add("a", {"every": "10m"})["next_run_time"]
        self.step(HOUR)
        run, = self.ended("a", 1)
        self.assertEqual((run["state"], run["coalesced"]), ("success", 5))
        self.assertEqual((self.check_once("a", begin, 10 * MINUTE) or [0])[0], run["scheduled_at"])
        job = self.client.call("job.get", id="a")
        self.assertEqual(job["next_run_time"], begin + HOUR)

    def test_forward_with_a_grace_time_misses(self):
        begin = self.add("a", {"every": "10m"}, misfire_grace_time=1)["next_run_time"]
        self.step(HOUR + 5 * MINUTE)
        run, = self.ended("a", 1)
        self.assertEqual((run["state"], run["count"], run["scheduled_at"]), ("missed", 6, begin))
        self.assertEqual(run["until"], begin + 50 * MINUTE)

    def test_forward_with_coalesce_all(self):
        begin = self.add("a", {"every": "10m"}, coalesce="all", max_instances=10)["next_run_time"]
        self.step(HOUR)
        self.ended("a", 6)
        self.assertEqual(self.check_once("a", begin, 10 * MINUTE), [begin + n * 10 * MINUTE for n in range(6)])

    def test_a_year_forward_costs_nothing(self):
        begin = self.add("a", {"every": "1s"})["next_run_time"]
        self.add("daily", {"cron": "0 12 * * *", "timezone": "UTC"})
        self.step(YEAR)
        daily, = self.ended("daily", 1)
        self.assertIn(daily["coalesced"], (363, 364, 365))
        runs = self.ended("a", 2)
        self.assertGreater(sum(run["coalesced"] for run in runs), 31_000_000)
        self.check_once("a", begin, SECOND)

    def test_back_repeats_nothing(self):
        for span in (SECOND, HOUR, YEAR):
            with self.subTest(span=span):
                name = f"back-{span}"
                begin = self.add(name, {"every": "200ms"})["next_run_time"]
                count = len(self.ended(name, 3))
                planned = self.client.call("job.get", id=name)["next_run_time"]
                self.step(-span)
                # A step back is in effect when what is asked for is answered by the new clock.
                self.client.call("job.run", id=name)
                if span > SECOND:
                    job = self.client.call("job.get", id=name)
                    self.assertGreaterEqual(job["next_run_time"], planned)
                    self.assertLessEqual(len(self.runs(name)), count + 3)
                self.step(span)
                self.ended(name, count + 4)
                self.check_once(name, begin, 200 * 1000)
                self.client.call("job.remove", id=name)

    def test_a_second_to_and_fro(self):
        begin = self.add("a", {"every": "1s"})["next_run_time"]
        for span in (SECOND, -SECOND, -SECOND, SECOND):
            count = len(self.ended("a", 1))
            self.step(span)
            self.ended("a", count + 1)
        times = self.check_once("a", begin, SECOND)
        told = sum(1 + run["coalesced"] for run in self.runs("a") if run["trigger"] != "manual")
        self.assertEqual(told, (times[-1] - begin) // SECOND + 1, "each fire time has one outcome")

    def test_a_date_waits_for_its_time(self):
        when = self.now() + 2 * HOUR
        self.add("a", {"type": "date", "run_at": when}, keep=True)
        self.step(-YEAR)
        self.step(YEAR)
        self.step(HOUR)
        self.assertEqual(self.runs("a"), [])
        self.step(HOUR + MINUTE)
        run, = self.ended("a", 1)
        self.assertEqual((run["scheduled_at"], run["state"]), (when, "success"))

    def test_delays_are_not_the_wall_clocks(self):
        """A time-out neither fires early nor is put off."""
        self.client.call("job.add", id="a", shell="sleep 100", timeout=3, trigger={"every": "1d"})
        run = self.client.call("job.run", id="a")["run"]
        self.client.call("run.wait", run=run, **{"for": "running"})
        self.step(HOUR)
        self.assertEqual(self.client.call("run.get", run=run)["state"], "running")
        self.step(-YEAR)
        self.client.call("run.wait", run=run)
        got = self.client.call("run.get", run=run)
        self.assertEqual(got["state"], "timeout")
        self.assertGreaterEqual(got["ended_at"], got["started_at"])


if __name__ == "__main__":
    unittest.main()
