# SPDX-License-Identifier: MIT
"""The world of a command: limits, signals and niceness as schedd found them, whatever schedd did to itself."""
import os
import pathlib
import resource
import signal
import subprocess
import unittest

import e2e

# Not the shell's own words: dash unblocks all signals.
SCRIPT = """import os, resource
for line in open("/proc/self/status"):
    if line.startswith(("SigBlk", "SigIgn")):
        print(line, end="")
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
print(os.nice(0))
"""

# Ignored by every Python program from its start.
PYTHONS = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)


def output(client, run):
    client.call("run.wait", run=run)
    return "".join(piece["data"] for piece in client.call("run.log", run=run)["pieces"])


class World(e2e.TestCase):
    def start_strangely(self, server):
        """schedd under a low limit, with SIGUSR1 blocked and SIGALRM ignored."""
        def strange():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            os.nice(3)
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen([e2e.SCHEDD], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                              env=server.environment(), preexec_fn=strange)
        e2e.wait_until("schedd answers", server._answers)
        return server.client()

    def expected(self):
        return [f"SigBlk:\t{1 << (signal.SIGUSR1 - 1):016x}", f"SigIgn:\t{1 << (signal.SIGALRM - 1) | PYTHONS:016x}", "200",
                str(os.nice(0) + 3)]

    def raised(self, server):
        text = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
        return int(text.split("Max open files")[1].split()[0]) > 200

    def test_jobs_find_what_schedd_found(self):
        server = self.daemon(start=False)
        client = self.start_strangely(server)
        self.assertTrue(self.raised(server), "schedd raises its own limit")
        client.call("job.add", id="a", command=["/usr/bin/python3", "-c", SCRIPT], trigger={"every": "1h"})
        self.assertEqual(output(client, client.call("job.run", id="a")["run"]).splitlines(), self.expected())

    def test_executors_that_come_later_too(self):
        server = self.daemon(start=False)
        client = self.start_strangely(server)
        client.call("executor.add", name="late", type="subprocess")
        client.call("job.add", id="a", command=["/usr/bin/python3", "-c", SCRIPT], executor="late", trigger={"every": "1h"})
        self.assertEqual(output(client, client.call("job.run", id="a")["run"]).splitlines(), self.expected())

    def test_notifications_and_listeners_too(self):
        server = self.daemon(start=False)
        (server.dir / "script").write_text(SCRIPT)
        command = f"exec /usr/bin/python3 {server.dir}/script > {server.dir}"
        server.config.write_text(f"listeners:\n  - name: a\n    events: [job_error]\n    run: {command}/listened\n")
        client = self.start_strangely(server)
        client.call("job.add", id="a", shell="exit 1", notify={"failure": [f"{command}/notified"]},
                    trigger={"every": "1h"})
        client.call("run.wait", run=client.call("job.run", id="a")["run"])
        for name in ("listened", "notified"):
            path = server.dir / name
            e2e.wait_until(name, lambda path=path: path.exists() and len(path.read_text().splitlines()) == 4)
            self.assertEqual(path.read_text().splitlines(), self.expected(), name)


if __name__ == "__main__":
    unittest.main()
