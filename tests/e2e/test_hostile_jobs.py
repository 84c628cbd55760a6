# SPDX-License-Identifier: MIT
"""Jobs whose account, files or file systems are hostile: schedd answers, and other jobs run."""
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import e2e

ROOT = os.geteuid() == 0
# An account of nobody's, so that what is sent to all of it hits these tests alone.
UID = 61000 + os.getpid() % 4000
USER = f"{UID}:{UID}"
# A start that does not get on is given up after 10 s.
LIMIT = 60


class Hostile(e2e.TestCase):
    def setUp(self):
        if not ROOT:
            self.skipTest("needs root, whose daemon starts jobs of others")
        self.server = self.daemon()
        os.chmod(self.server.dir, 0o755)
        self.client = self.server.client(timeout=5)
        self.helpers = []
        self.add("fine", command=["/bin/true"])
        self.addCleanup(self.end_helpers)

    def end_helpers(self):
        for helper in self.helpers:
            helper.kill()
            helper.wait()
            helper.stdout.close()

    def add(self, name, **fields):
        self.client.call("job.add", id=name, trigger={"every": "1h"}, max_instances=100, **fields)

    def helper(self, program, *arguments):
        """A Python program that runs beside the daemon; waits until it prints a line."""
        helper = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE)
        self.helpers.append(helper)
        return helper.stdout.readline().decode().strip()

    def begin(self, name):
        return self.client.call("job.run", id=name)["run"]

    def state(self, run):
        return self.client.call("run.get", run=run)

    def ended(self, run, seconds=LIMIT):
        return e2e.wait_until(f"{run} has ended", lambda: self.state(run)["ended_at"] and self.state(run), seconds)

    def check_it_goes_on(self, seconds=3):
        """Each answer within the client's 5 s, each other job at its usual speed."""
        slowest, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            self.client.call("server.ping")
            slowest = max(slowest, time.monotonic() - begun)
            self.assertEqual(self.ended(self.begin("fine"), 5)["state"], "success")
        self.assertLess(slowest, 2)

    def check_given_up(self, run, *words):
        row = self.ended(run)
        self.assertEqual(row["state"], "failed", row)
        for word in words:
            self.assertIn(word, row["reason"])


class Signals(Hostile):
    def test_an_account_that_stops_all_its_processes_over_and_over(self):
        self.add("evil", user=USER, cwd="/", command=[
            sys.executable, "-c",
            "import os, signal\nwhile True:\n try: os.kill(-1, signal.SIGSTOP)\n except OSError: pass"])
        self.add("victim", user=USER, cwd="/", command=["/bin/true"])
        evil = self.begin("evil")
        e2e.wait_until("it runs", lambda: self.state(evil).get("pid"))
        victims = [self.begin("victim") for _ in range(20)]
        self.check_it_goes_on()
        self.client.call("run.kill", run=evil, signal="KILL")
        self.ended(evil)
        for victim in victims:
            if not self.state(victim)["ended_at"]:
                self.client.call("run.kill", run=victim, signal="KILL")
        for victim in victims:
            self.ended(victim)

    def test_an_account_that_kills_all_its_processes_over_and_over(self):
        self.add("evil", user=USER, cwd="/", command=[
            sys.executable, "-c",
            "import os, signal\nwhile True:\n try: os.kill(-1, signal.SIGKILL)\n except OSError: pass"])
        self.add("victim", user=USER, cwd="/", command=["/bin/sleep", "20"])
        evil = self.begin("evil")
        e2e.wait_until("it runs", lambda: self.state(evil).get("pid"))
        victims = [self.begin("victim") for _ in range(20)]
        for victim in victims:
            self.assertEqual(self.ended(victim)["signal"], signal.SIGKILL)
        self.check_it_goes_on(1)
        self.client.call("run.kill", run=evil, signal="KILL")
        self.ended(evil)


class Helpers(Hostile):
    def spawners(self):
        path = f"/proc/{self.server.process.pid}/task/{self.server.process.pid}/children"
        pids = [int(pid) for pid in pathlib.Path(path).read_text().split()]
        return [pid for pid in pids if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "schedd-spawn"]

    def test_programs_that_start_jobs_are_replaced(self):
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
            self.assertEqual(self.ended(self.begin("fine"))["state"], "success")
            for pid in self.spawners():
                os.kill(pid, number)
            runs = [self.begin("fine") for _ in range(20)]
            for run in runs:
                self.assertEqual(self.ended(run)["state"], "success")

    def test_a_run_shows_its_own_size(self):
        self.assertLess(self.ended(self.begin("fine"))["max_rss"], 3_000_000)


HOLDER = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("held", flush=True)
except OSError as error:
    print(error, flush=True)
time.sleep(1000)
"""


class Leases(Hostile):
    def test_a_lease_on_the_accounts_own_script(self):
        script = self.server.dir / "script"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o700)
        os.chown(script, UID, UID)
        said = self.helper(HOLDER, str(script), str(UID))
        if said != "held":
            self.skipTest(f"no lease on {script}: {said}")
        self.add("leased", user=USER, cwd="/", command=[str(script)])
        run = self.begin("leased")
        self.check_it_goes_on()
        self.check_given_up(run, str(script), "no answer within 10 s")

    def test_a_start_that_hangs_can_be_killed(self):
        script = self.server.dir / "script"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o700)
        os.chown(script, UID, UID)
        said = self.helper(HOLDER, str(script), str(UID))
        if said != "held":
            self.skipTest(f"no lease on {script}: {said}")
        self.add("leased", user=USER, cwd="/", command=[str(script)])
        run = self.begin("leased")
        self.client.call("server.ping")
        self.client.call("run.kill", run=run, signal="KILL")
        self.assertEqual(self.ended(run, 5)["state"], "killed")


class HangingFileSystem(Hostile):
    """A FUSE mount whose server never says a word."""

    def setUp(self):
        super().setUp()
        self.mount = self.server.dir / "mount"
        self.mount.mkdir()
        try:
            self.fuse = os.open("/dev/fuse", os.O_RDWR)
        except OSError as error:
            self.skipTest(f"/dev/fuse: {error}")
        self.libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if self.libc.mount(b"test", str(self.mount).encode(), b"fuse", 0, options) != 0:
            os.close(self.fuse)
            self.skipTest(f"mount: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(self.unmount)

    def unmount(self):
        os.close(self.fuse)
        self.libc.umount2(str(self.mount).encode(), 2)

    def check(self, word, **fields):
        self.add("hangs", **fields)
        runs = [self.begin("hangs") for _ in range(3)]
        self.check_it_goes_on()
        for run in runs:
            self.check_given_up(run, word, str(self.mount), "no answer within 10 s")

    def test_as_the_directory_of_a_job(self):
        self.check("cwd", cwd=str(self.mount / "x"), command=["/bin/true"])

    def test_as_the_place_of_its_command(self):
        self.check("command", command=[str(self.mount / "x")])

    def test_as_the_place_of_its_stdin(self):
        self.check("stdin", stdin={"path": str(self.mount / "x")}, command=["/bin/cat"])

    def test_as_the_place_of_a_secret(self):
        self.check("secret S", secrets={"S": str(self.mount / "x")}, command=["/bin/true"])

    def test_of_another_account(self):
        self.check("cwd", user=USER, cwd=str(self.mount / "x"), command=["/bin/true"])

    def test_as_the_place_of_a_worker(self):
        """A process is started for the call, and for the next one, and none begins: nobody waits for them meanwhile."""
        self.server.config.write_text(f"executors:\n  w: {{type: worker, processes: 4, cwd: {self.mount / 'x'}}}\n")
        self.server.stop()
        self.client = self.server.start().client(timeout=5)
        self.add("calls", call="os:getpid", executor="w")
        runs = [self.begin("calls") for _ in range(4)]
        self.check_it_goes_on()
        slowest = 0
        for _ in range(200):
            begun = time.monotonic()
            self.client.call("server.ping")
            slowest = max(slowest, time.monotonic() - begun)
        self.assertLess(slowest, 1)
        workers = {row["name"]: row for row in self.client.call("executor.list")}["w"]
        self.assertEqual(workers["pids"], [])
        for run in runs:
            self.client.call("run.kill", run=run, signal="KILL")
            self.ended(run)

    def test_a_stop_does_not_wait_for_it(self):
        self.add("hangs", cwd=str(self.mount / "x"), command=["/bin/true"])
        self.begin("hangs")
        self.server.process.send_signal(signal.SIGTERM)
        self.server.process.send_signal(signal.SIGTERM)
        e2e.wait_until("schedd has ended", lambda: self.server.process.poll() is not None, 40)
        self.assertEqual(self.server.process.returncode, 0)

    def test_another_program_takes_over_when_it_is_given_up(self):
        self.add("hangs", cwd=str(self.mount / "x"), command=["/bin/true"])
        run = self.begin("hangs")
        begun = self.client.call("server.status")["started_at"]
        self.server.process.send_signal(signal.SIGUSR2)

        def taken_over():
            try:
                self.client = self.server.client(timeout=5)
                return self.client.call("server.status")["started_at"] != begun
            except (OSError, EOFError, e2e.RpcError):
                return False
        e2e.wait_until("the next program answers", taken_over, LIMIT)
        self.check_given_up(run, "no answer within 10 s")
        self.assertEqual(self.ended(self.begin("fine"))["state"], "success")


if __name__ == "__main__":
    unittest.main()
