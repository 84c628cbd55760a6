# SPDX-License-Identifier: MIT
"""schedd is killed with SIGKILL at random moments, hundreds of times, under a
load of interval jobs and of clients that add and remove jobs. Then: every
answered change holds, nothing half is there, and no scheduled run was executed
twice. SCHEDD_KILLS and SCHEDD_SEED set how often and how."""
import collections
import os
import pathlib
import random
import signal
import threading
import unittest

import e2e

KILLS = int(os.environ.get("SCHEDD_KILLS", "200"))
SEED = int(os.environ.get("SCHEDD_SEED", str(random.randrange(1 << 30))))
TICKERS = 8


class Load:
    """What was asked for, what was answered."""

    def __init__(self, rng, directory):
        self.rng = rng
        self.present = {}  # id: command; the answer said so
        self.unsure = set()  # asked for when the daemon died
        self.count = 0
        self.directory = directory

    def command(self, name):
        return ["/bin/echo", name, "x" * self.rng.randrange(200)]

    def round(self, client, requests):
        """Sends changes one behind the other and reads answers until the daemon is gone."""
        waiting = {}
        try:
            for _ in range(requests):
                if self.present and self.rng.random() < 0.4:
                    name = self.rng.choice(sorted(self.present))
                    command = self.present.pop(name)
                    self.unsure.add(name)
                    waiting[client.send("job.remove", id=name)] = ("remove", name, command)
                else:
                    self.count += 1
                    name, command = f"load-{self.count}", self.command(f"load-{self.count}")
                    self.unsure.add(name)
                    msgid = client.send("job.add", id=name, command=command, trigger={"every": "1h"})
                    waiting[msgid] = ("add", name, command)
                while len(waiting) > 4:
                    self.answered(client, waiting)
            while waiting:
                self.answered(client, waiting)
        except (OSError, EOFError):
            pass

    def answered(self, client, waiting):
        msgid = next(iter(waiting))
        client.receive(msgid)
        kind, name, command = waiting.pop(msgid)
        self.unsure.discard(name)
        if kind == "add":
            self.present[name] = command


class Crash(e2e.TestCase):
    def test_nothing_is_lost_doubled_or_half_done(self):
        print(f"seed {SEED}, {KILLS} kills", flush=True)
        rng = random.Random(SEED)
        daemon = self.daemon()
        runs = daemon.dir / "runs"
        client = daemon.client()
        for i in range(TICKERS):
            client.call("job.add", id=f"tick-{i}", trigger={"every": f"{rng.randrange(50, 400)}ms"}, max_instances=5,
                        shell=f'echo "$SCHEDD_JOB_ID $SCHEDD_SCHEDULED_AT" >> {runs}')
        client.close()
        load = Load(rng, daemon.dir)
        for _ in range(KILLS):
            self.one_life(daemon, load, rng)
        daemon.start()
        self.check_jobs(daemon, load)
        self.check_runs(runs)

    def one_life(self, daemon, load, rng):
        if daemon.process.poll() is not None:
            daemon.start()
        client = daemon.client(timeout=30)
        killer = threading.Timer(rng.uniform(0.0, 0.12), daemon.process.kill)
        killer.start()
        load.round(client, 1000)
        killer.join()
        client.close()
        self.assertEqual(daemon.process.wait(30), -signal.SIGKILL, daemon.log.read_text()[-2000:])

    def check_jobs(self, daemon, load):
        client = daemon.client()
        found, after = {}, None
        while True:
            page = client.call("job.list", limit=1000, after=after)
            found.update((job["id"], job) for job in page["jobs"])
            after = page["next"]
            if after is None:
                break
        client.close()
        for name, command in load.present.items():
            self.assertIn(name, found, "an acknowledged job is gone")
            self.assertEqual(found[name]["command"], command)
        for i in range(TICKERS):
            self.assertIn(f"tick-{i}", found)
        for name, job in found.items():
            if name.startswith("load-"):
                self.assertTrue(name in load.present or name in load.unsure, f"{name} was removed, and is there")
                self.assertEqual(job["trigger"]["type"], "interval")
                self.assertEqual(job["command"][0], "/bin/echo")
                self.assertNotEqual(job["state"], "invalid")
        self.assertGreater(load.count, KILLS, "the load was no load")

    def check_runs(self, runs):
        seen = collections.Counter(pathlib.Path(runs).read_text().splitlines())
        self.assertGreater(len(seen), KILLS, "hardly anything ran")
        self.assertEqual([line for line, count in seen.items() if count > 1], [], "executed twice")


if __name__ == "__main__":
    unittest.main()
