# SPDX-License-Identifier: MIT
"""What the log tells of runs, changes and requests: as text, as JSON, and with fields in the journal."""
import fcntl
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

import e2e

MANUAL = {"manual": True}


class Log(e2e.TestCase):
    def lines(self, server):
        return server.log.read_text().splitlines()

    def line(self, server, *words):
        """The line that has all these words, once it is there."""
        return e2e.wait_until(f"the log has {words}", lambda: next(
            (line for line in self.lines(server) if all(word in line for word in words)), None))

    def happen(self, server):
        client = server.client()
        client.call("job.add", id="good", command=["/bin/sleep", "0.2"], trigger=MANUAL)
        client.call("job.add", id="bad", shell="exit 3", trigger=MANUAL)
        client.call("job.add", id="long", shell="sleep 1000", trigger=MANUAL)
        client.call("job.modify", id="good", name="better")
        for job in ("good", "bad"):
            client.call("run.wait", run=client.call("job.run", id=job)["run"])
        run = client.call("job.run", id="long")["run"]
        client.call("run.wait", run=run, **{"for": "running"})
        client.call("run.kill", run=run)
        client.call("run.wait", run=run)
        client.call("job.pause", id="long", reason="upgrade")
        client.call("scheduler.pause")
        client.call("scheduler.resume")
        client.call("job.remove", id="long")
        return client

    def test_runs_and_changes(self):
        server = self.daemon()
        self.happen(server)
        me = f"of uid {os.geteuid()}, pid {os.getpid()}"
        self.line(server, "info: job good added by job.add", me)
        self.line(server, "info: job good changed by job.modify", me)
        self.line(server, "info: job long changed by job.pause", me)
        self.line(server, "info: job long removed by job.remove", me)
        self.line(server, "info: scheduler paused by scheduler.pause", me)
        self.line(server, "info: scheduler resumed", me)
        self.line(server, "info: run good/1 started")
        self.assertRegex(self.line(server, "info: run good/1 ended"), r"exit code 0, after (0\.[2-9]|[1-9])")
        self.assertRegex(self.line(server, "warning: run bad/1 failed"), r"exit code 3, after .*")
        self.line(server, "info: run long/1 killed")
        self.assertFalse([line for line in self.lines(server) if " request " in line])

    def test_missed_skipped_retried(self):
        server = self.daemon()
        client = server.client()
        client.call("job.add", id="again", shell="exit 1", trigger=MANUAL, retry={"limit": 1, "delay": 0.01})
        client.call("run.wait", run=client.call("job.run", id="again")["run"])
        client.call("job.add", id="busy", shell="sleep 1000", trigger={"every": "1s"})
        client.call("job.add", id="late", command=["/bin/true"], misfire_grace_time=0.001,
                    trigger={"at": "2020-01-01T00:00:00Z"}, allow_past=True)
        self.line(server, "warning: run again/1 failed, and is tried again, exit code 1")
        self.line(server, "info: run busy/", "skipped", "still going")
        self.line(server, "warning: run late/1 missed")

    def test_requests_at_debug(self):
        server = self.daemon(options=["--log-level", "debug"])
        server.client().call("job.list")
        self.line(server, "debug: request job.list", f"of uid {os.geteuid()}, pid {os.getpid()}")

    def test_warnings_alone(self):
        server = self.daemon(options=["--log-level", "warning"])
        self.happen(server)
        self.line(server, "warning: run bad/1 failed")
        self.assertFalse([line for line in self.lines(server) if "info:" in line])

    def test_json(self):
        server = self.daemon(options=["--log-format", "json"])
        self.happen(server)
        line = json.loads(self.line(server, "run bad/1 failed"))
        self.assertEqual((line["level"], line["event"], line["job"], line["run"]), ("warning", "job_error", "bad", "bad/1"))


def own_run():
    """Can a process have a journal of its own here?"""
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "sh", "-c", "mkdir -p /run/systemd && mount -t tmpfs none /run/systemd"], check=False,
        capture_output=True).returncode == 0


class JournalStart(e2e.TestCase):
    def test_a_failed_start_is_an_error_of_the_journal(self):
        stream = socket.socketpair()
        for sock in stream:
            self.addCleanup(sock.close)
        st = os.fstat(stream[1].fileno())
        for options in (["--log-level", "loud"], ["--nonsense"]):
            subprocess.run([str(e2e.SCHEDD), *options], stderr=stream[1].fileno(), check=False, timeout=60,
                           env={**os.environ, "JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"})
            self.assertRegex(stream[0].recv(65536).decode(), r"\A<3>schedd: .*" + options[-1])


# As systemd-cat(1) has it: the stream is the journal's, and no variable says so.
UNNAMED = """
import os, socket, sys
near, far = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
far.bind("/run/systemd/journal/stdout")
far.listen()
near.connect("/run/systemd/journal/stdout")
os.dup2(near.fileno(), 2)
far.accept()[0].detach()
os.execv(sys.argv[1], sys.argv[1:])
"""


@unittest.skipUnless(own_run(), "needs a mount namespace")
class Journal(e2e.TestCase):
    def test_systemd_cat_and_a_line_beyond_a_datagram(self):
        server = self.daemon(start=False)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="journal.", dir=server.dir))
        (folder / "journal").mkdir()
        (folder / "unnamed.py").write_text(UNNAMED)
        native = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(native.close)
        native.bind(str(folder / "journal" / "socket"))
        native.settimeout(60)
        script = (f"mkdir -p /run/systemd && mount --bind {folder} /run/systemd && "
                  f"exec {sys.executable} {folder}/unnamed.py {e2e.SCHEDD}")
        environment = server.environment()
        environment.pop("JOURNAL_STREAM", None)
        server.process = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                          env=environment)
        e2e.wait_until("schedd answers", server._answers)
        client = server.client()
        client.call("job.add", id="j", shell="exit 3", trigger=MANUAL)
        # Each byte is four in the log: more than a datagram holds.
        if int(pathlib.Path("/proc/sys/net/core/wmem_default").read_text()) > 250000:
            self.skipTest("datagrams of this machine hold more than the longest line")
        client.call("job.pause", id="j", reason="\x01" * 65000)
        text, fds, _, _ = socket.recv_fds(native, 65536, 1)
        self.assertIn(b"SCHEDD_EVENT=job_added\n", text)
        text, fds, _, _ = socket.recv_fds(native, 65536, 1)
        self.assertEqual((text, len(fds)), (b"", 1))
        with open(fds[0], "rb") as file:
            lines = file.read().decode().splitlines()
            seals = fcntl.fcntl(file.fileno(), fcntl.F_GET_SEALS)
        self.assertEqual(seals, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
        fields = dict(line.split("=", 1) for line in lines)
        self.assertEqual((fields["SCHEDD_JOB"], fields["SCHEDD_EVENT"], fields["PRIORITY"]), ("j", "job_modified", "6"))
        self.assertEqual(fields["MESSAGE"].count("\\x01"), 65000)

    def test_fields(self):
        server = self.daemon(start=False)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="journal.", dir=server.dir))
        (folder / "journal").mkdir()
        native, stream = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socketpair()
        for sock in (native, *stream):
            self.addCleanup(sock.close)
        native.bind(str(folder / "journal" / "socket"))
        native.settimeout(20)
        st = os.fstat(stream[1].fileno())
        script = f"mkdir -p /run/systemd && mount --bind {folder} /run/systemd && exec {e2e.SCHEDD}"
        server.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script], stdin=subprocess.DEVNULL, stderr=stream[1].fileno(),
            env={**server.environment(), "JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"})
        e2e.wait_until("schedd answers", server._answers)
        client = server.client()
        client.call("job.add", id="bad", shell="exit 3", trigger=MANUAL)
        client.call("run.wait", run=client.call("job.run", id="bad")["run"])
        seen = []
        while not seen or seen[-1].get("SCHEDD_EVENT") != "job_error":
            seen.append(dict(line.split("=", 1) for line in native.recv(65536).decode().splitlines()))
        last = seen[-1]
        self.assertEqual((last["SCHEDD_JOB"], last["SCHEDD_RUN"], last["PRIORITY"], last["SYSLOG_IDENTIFIER"]),
                         ("bad", "bad/1", "4", "schedd"))
        self.assertTrue(last["MESSAGE"].startswith("run bad/1 failed, exit code 3, after "), last)
        self.assertIn(b"<6>schedd", stream[0].recv(65536))


if __name__ == "__main__":
    unittest.main()
