# SPDX-License-Identifier: MIT
"""With nothing due the daemon does not wake at all, over all its threads, and is small."""
import pathlib
import os
import re
import time
import unittest

import e2e

# The one place where a fixed while must pass: that nothing happens takes time to see.
QUIET = 2
# What wakes by itself does so in each of them; somebody else may touch /etc or the zones in one.
WINDOWS = 4
OPTIMIZED = os.environ["SCHEDD_BUILD"] not in ("Debug", "")
# Its runtime has a thread of its own, which wakes ten times a second.
TSAN = b"__tsan_func_entry" in pathlib.Path(e2e.SCHEDD).read_bytes()


class Idle(e2e.TestCase):
    def switches(self, server):
        count = 0
        for status in pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if "ctxt_switches" in line:
                    count += int(line.split()[1])
        return count

    def during_quiet(self, server):
        before = self.switches(server)
        time.sleep(QUIET)
        return self.switches(server) - before

    @staticmethod
    def memory(server):
        """KiB that are resident, and those of them that no file has: what it has taken, whatever the kernel does."""
        text = pathlib.Path(f"/proc/{server.process.pid}/smaps_rollup").read_text()
        return [int(re.search(rf"^{name}: +(\d+) kB", text, re.M)[1]) for name in ("Rss", "Anonymous")]

    def settled(self, server):
        """Until what the start set in motion has come to rest."""
        def calm():
            before = self.switches(server)
            time.sleep(0.5)
            return self.switches(server) == before
        e2e.wait_until("the daemon comes to rest", calm, seconds=60)

    @unittest.skipIf(TSAN, "ThreadSanitizer wakes by itself")
    def test_no_wake_up_with_nothing_due(self):
        server = self.daemon()
        client = server.client()
        client.call("job.add", id="later", shell="true", trigger={"every": "1h"})
        client.call("job.add", id="never", shell="true", trigger={"every": "1s"}, paused=True)
        client.call("event.subscribe")
        client.call("run.wait", **client.call("job.run", id="later"))
        self.settled(server)
        self.assertIn(0, [self.during_quiet(server) for _ in range(WINDOWS)])

    @unittest.skipIf(TSAN or os.geteuid() != 0, "ThreadSanitizer wakes by itself; cron's tables are root's")
    def test_nor_with_tables_of_cron_and_accounts(self):
        server = self.daemon(start=False)
        root = server.dir / "root"
        for folder in ("etc/cron.d", "etc/cron.daily", "var/spool/cron/crontabs", "run"):
            (root / folder).mkdir(parents=True)
        server.config.write_text(f"cron: {{tables: true, dirs: true, root: {root}}}\nusers: {{allow: ['*']}}\n")
        hour = (time.localtime().tm_hour + 12) % 24
        (root / "etc/crontab").write_text(f"0 {hour} * * * root one\n6 {hour} * * * root cd / && run-parts --report /etc/cron.daily\n")
        (root / "etc/cron.d/many").write_text("".join(f"{n % 60} {hour} * * * nobody task {n}\n" for n in range(1000)))
        (root / "var/spool/cron/crontabs/nobody").write_text(f"0 {hour} * * * own\n")
        (root / "var/spool/cron/crontabs/nobody").chmod(0o600)
        os.chown(root / "var/spool/cron/crontabs/nobody", 65534, -1)
        server.start()
        client = server.client()
        e2e.wait_until("the tables", lambda: client.call("server.status")["cron"]["jobs"] == 1003)
        self.settled(server)
        self.assertIn(0, [self.during_quiet(server) for _ in range(WINDOWS)])

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "sanitizers have memory of their own")
    def test_is_small(self):
        sizes = []
        # Code that is not optimized is larger by a quarter.
        limit = 6144 if OPTIMIZED else 6600
        # What the kernel has at hand of the libraries' files counts, too: it is another amount with each start.
        while len(sizes) < 8 and min(sizes, default=limit + 1) > limit:
            server = self.daemon()
            self.settled(server)
            all_of_it, own = self.memory(server)
            self.assertLessEqual(own, 1280)
            sizes.append(all_of_it)
            server.stop()
        self.assertLessEqual(min(sizes), limit, sizes)


if __name__ == "__main__":
    unittest.main()
