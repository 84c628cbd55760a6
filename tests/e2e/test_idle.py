# SPDX-License-Identifier: MIT
"""With nothing due the daemon does not wake at all, over all its threads, and is small."""
import pathlib
import os
import time
import unittest

import e2e

# The one place where a fixed while must pass: that nothing happens takes time to see.
QUIET = 2
# What wakes by itself does so in each of them; somebody else may touch /etc or the zones in one.
WINDOWS = 4
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

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "sanitizers have memory of their own")
    def test_is_small(self):
        server = self.daemon()
        self.settled(server)
        self.assertLessEqual(server.memory(), 6 << 20)


if __name__ == "__main__":
    unittest.main()
