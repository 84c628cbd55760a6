# SPDX-License-Identifier: MIT
"""What a machine may do to schedd: files of others, no descriptors, nobody who reads the log, a second daemon."""
import os
import pathlib
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import e2e
import msgpack

ROOT = os.geteuid() == 0
# Memory is measured here: AddressSanitizer would keep 256 MiB of what was freed.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"


class Case(e2e.TestCase):
    def start_refused(self, server, *words):
        status, err = server.run()
        self.assertNotEqual(status, 0)
        for word in words:
            self.assertIn(word, err)


class TwoDaemons(Case):
    def test_the_state_directory_is_held_without_its_lock_file(self):
        first = self.daemon()
        (first.state / "schedd.lock").unlink()
        status, err = first.run("--socket", str(first.dir / "other.sock"))
        self.assertEqual(status, 1, err)
        self.assertIn(f"held by another schedd with pid {first.process.pid}", err)
        self.assertTrue(first.client().call("server.ping")["ready"])

    def test_a_database_is_one_daemons_whatever_their_state_directories_are(self):
        first = self.daemon(config="")
        shared = first.dir / "shared.db"
        first.client().call("store.add", name="x", type="sqlite", path=str(shared))
        second = self.daemon(start=False, config=f"stores: {{y: {{type: sqlite, path: {shared}}}}}\n")
        self.start_refused(second, "store 'y'", "is open in another schedd")
        named = second.config.read_text()
        (second.dir / "link.db").symlink_to(shared)
        (second.dir / "folder").symlink_to(first.dir)
        for other in (second.dir / "link.db", second.dir / "folder/shared.db"):
            second.config.write_text(f"stores: {{y: {{type: sqlite, path: {other}}}}}\n")
            self.start_refused(second, "store 'y'", "is open in another schedd")
        second.config.write_text(named)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        second.start()
        self.assertTrue(second.client().call("server.ping")["ready"])

    def test_it_is_free_after_a_kill(self):
        server = self.daemon()
        for _ in range(3):
            server.client().call("job.add", id="j", shell="sleep 100", trigger={"manual": True}, replace=True)
            server.stop(signal.SIGKILL)
            server.start()


class Files(Case):
    """Root acts on what is in files, so nobody else may write them."""

    def test_a_state_directory_that_others_may_write(self):
        server = self.daemon(start=False)
        server.state.mkdir(mode=0o700)
        server.state.chmod(0o777)
        self.start_refused(server, str(server.state), "may be written by others", "chmod")

    def test_a_database_that_others_may_write(self):
        server = self.daemon()
        server.stop()
        (server.state / "default.db").chmod(0o666)
        self.start_refused(server, "default.db", "may be written by others")
        (server.state / "default.db").chmod(0o600)
        server.start()

    def test_a_database_in_a_directory_that_others_may_write(self):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        server = self.daemon(start=False, config=f"stores: {{x: {{type: sqlite, path: {folder}/x.db}}}}\n")
        folder.chmod(0o777)
        self.start_refused(server, "store 'x'", f"{folder} may be written by others (mode 777): chmod o-w it")
        folder.chmod(0o1777)  # as /tmp: each has what is his own there
        server.start()
        client = server.client()
        client.call("job.add", id="j", command=["x"], trigger={"manual": True}, store="x")
        folder.chmod(0o777)
        self.assertIn("may be written by others", self.refused("permission_denied", client.call, "store.add", name="y", type="sqlite", path=f"{folder}/y.db"))
        server.stop()
        folder.chmod(0o755)
        for suffix in ("-wal", "-journal", "-shm"):
            other = folder / f"x.db{suffix}"
            other.unlink(missing_ok=True)
            other.symlink_to("/nonexistent")
            self.start_refused(server, "store 'x'", f"{other} is a link")
            other.unlink()
            other.write_bytes(b"")
            other.chmod(0o646)
            self.start_refused(server, "store 'x'", f"{other} may be written by others")
            if ROOT:
                other.chmod(0o600)
                os.chown(other, 12345, -1)
                self.start_refused(server, f"{other} belongs to uid 12345")
            other.unlink()
        self.assertEqual(server.start().client().call("job.get", id="j")["id"], "j")

    def test_a_config_that_others_may_write(self):
        server = self.daemon(start=False)
        server.config.chmod(0o646)
        self.start_refused(server, str(server.config), "may be written by others")

    def job_file(self, server):
        folder = server.dir / "jobs.d"
        folder.mkdir()
        server.config.write_text(f"jobs: [{folder}]\n")
        file = folder / "a.yaml"
        file.write_text("version: 1\njobs:\n  one: {command: [/bin/true], trigger: {every: 1h}}\n")
        return file

    def test_a_job_file_that_others_may_write(self):
        server = self.daemon(start=False)
        file = self.job_file(server)
        file.chmod(0o666)
        self.start_refused(server, str(file), "may be written by others")
        file.chmod(0o644)
        client = server.start().client()
        self.assertEqual(client.call("job.get", id="one")["id"], "one")
        file.chmod(0o606)
        status, _, err = server.ctl("reload")
        self.assertEqual(status, 7, err)
        self.assertIn("may be written by others", err)

    def test_directories_that_others_may_write(self):
        server = self.daemon(start=False)
        folder = self.job_file(server).parent
        folder.chmod(0o777)
        self.start_refused(server, f"{folder} may be written by others (mode 777): chmod o-w it")
        folder.chmod(0o755)
        parts = server.config.parent / "conf.d"
        parts.mkdir()
        parts.chmod(0o757)
        self.start_refused(server, f"the config: {parts} may be written by others (mode 757): chmod o-w it")
        parts.chmod(0o755)
        server.start()
        folder.chmod(0o777)
        status, _, err = server.ctl("reload")
        self.assertEqual(status, 7, err)
        self.assertIn("may be written by others", err)

    @unittest.skipUnless(ROOT, "needs another uid")
    def test_files_that_belong_to_others(self):
        server = self.daemon(start=False)
        file = self.job_file(server)
        os.chown(file, 12345, -1)
        self.start_refused(server, str(file), "belongs to uid 12345")
        os.chown(file, 0, 0)
        os.chown(server.config, 12345, -1)
        self.start_refused(server, str(server.config), "belongs to uid 12345")
        os.chown(server.config, 0, 0)
        server.start()
        server.stop()
        os.chown(server.state / "default.db", 12345, -1)
        self.start_refused(server, "default.db", "belongs to uid 12345")
        os.chown(server.state / "default.db", 0, 0)
        os.chown(server.state, 12345, -1)
        self.start_refused(server, str(server.state), "belongs to uid 12345")

    def test_a_pipe_among_the_job_files_holds_nobody(self):
        server = self.daemon(start=False)
        file = self.job_file(server)
        os.mkfifo(file.parent / "b.yaml")
        self.start_refused(server, "b.yaml", "no regular file")
        (file.parent / "b.yaml").unlink()
        server.start()
        os.mkfifo(file.parent / "b.yaml")
        status, _, err = server.ctl("reload")
        self.assertEqual(status, 7, err)
        self.assertIn("b.yaml", err)
        self.assertEqual(server.stop(), 0)


class Descriptors(Case):
    def test_started_without_standard_descriptors(self):
        server = self.daemon(start=False)
        server.state.mkdir(mode=0o700)
        server.process = subprocess.Popen(["/bin/sh", "-c", f"exec {e2e.SCHEDD} 0<&- 1>&- 2>&-"],
                                          env=server.environment())
        e2e.wait_until("schedd answers", server._answers)
        server.client().call("job.add", id="j", command=["/bin/true"], trigger={"manual": True})
        for fd in ("0", "1", "2"):
            self.assertEqual(os.readlink(f"/proc/{server.process.pid}/fd/{fd}"), "/dev/null")
        self.assertEqual((server.state / "schedd.lock").read_text(), f"{server.process.pid}\n")
        self.assertEqual(server.stop(), 0)

    def test_no_descriptor_left_costs_little(self):
        server = self.daemon(start=False)
        server.start(wait=False)
        e2e.wait_until("it listens", lambda: server.socket.exists())
        e2e.wait_until("schedd answers", server._answers)
        pid = server.process.pid
        used = len(os.listdir(f"/proc/{pid}/fd"))
        client = server.client()
        client.call("server.ping")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, used + 1))
        waiting = []
        for _ in range(50):
            sock = socket.socket(socket.AF_UNIX)
            self.addCleanup(sock.close)
            sock.setblocking(False)
            sock.connect(str(server.socket))
            waiting.append(sock)
        before = self.ticks(pid)
        for _ in range(20):
            client.call("server.ping")
            e2e.time.sleep(0.05)
        self.assertLess(self.ticks(pid) - before, 50, "half a second of CPU in a second")
        self.assertLess(len(server.log.read_text()), 4000)
        self.assertIn("no file descriptor left", server.log.read_text())

    def test_no_more_of_inotify_is_said(self):
        server = self.daemon(start=False, config="cron:\n  tables: true\n" if ROOT else "")
        server.process = subprocess.Popen(
            ["unshare", "-Ur", "/bin/sh", "-c", f"echo 0 >/proc/sys/user/max_inotify_instances && exec {e2e.SCHEDD} >{server.log} 2>&1"],
            env=server.environment())
        e2e.wait_until("schedd answers", server._answers)
        server.client().call("job.add", id="j", command=["/bin/true"], trigger={"manual": True})
        self.assertIn("changes of the time zones will not be noticed", server.log.read_text())
        self.assertEqual(server.stop(), 0)

    @staticmethod
    def ticks(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def test_shutdowns_that_are_asked_for_leak_nothing(self):
        server = self.daemon(config="stop:\n  limit: 1h\n")
        keeper = server.client()
        keeper.call("job.add", id="long", shell="sleep 1000", trigger={"manual": True})
        keeper.call("run.wait", run=keeper.call("job.run", id="long")["run"], **{"for": "running"})
        folder = f"/proc/{server.process.pid}/fd"
        for _ in range(3):
            keeper.call("server.shutdown")
        before = len(os.listdir(folder))
        for _ in range(20):
            client = server.client()
            client.call("server.shutdown", wait=True)
            client.close()
            keeper.call("server.shutdown")
        e2e.wait_until("they are closed", lambda: len(os.listdir(folder)) <= before)
        keeper.call("server.shutdown", now=True)
        self.assertEqual(server.process.wait(20), 0)


class Vanished(Case):
    """The database goes away under the daemon: nothing more is promised, and what was can be saved."""
    WAYS = {
        "the database": lambda state: (state / "default.db").unlink(),
        "its log": lambda state: (state / "default.db-wal").unlink(),
        "all of it": lambda state: [file.unlink() for file in state.glob("default.db*")],
        "emptied": lambda state: os.truncate(state / "default.db", 0),
        "replaced": lambda state: (shutil.copy(state / "default.db", state / "other"),
                                   (state / "other").rename(state / "default.db")),
        "the directory": lambda state: state.rename(state.parent / "away"),
        "another directory": lambda state: (state.rename(state.parent / "away"), state.mkdir(mode=0o700)),
        "the directory removed": shutil.rmtree,
    }

    def check(self, way):
        server = self.daemon()
        client = server.client()
        client.call("event.subscribe", events=["store_error"])
        client.call("job.add", id="j0", command=["true"], trigger={"every": "1h"})
        client.call("run.wait", run=client.call("job.run", id="j0")["run"])
        for i in range(1, 20):
            client.call("job.add", id=f"j{i}", command=["true"], trigger={"every": "1h"})
        self.WAYS[way](server.state)
        for _ in range(2):
            message = self.refused("failed", client.call, "job.add", id="new", command=["true"], trigger={"every": "1h"})
            self.assertIn("was removed or replaced while it was in use", message)
            self.assertIn("a backup", message)
        self.assertEqual(client.notification()[1]["store"], "default")
        store = client.call("store.list")[0]
        self.assertEqual(store["state"], "failing")
        self.assertIn("was removed or replaced", store["why"])
        self.assertIn("failing", server.ctl("stores")[1])
        self.assertEqual(client.call("job.get", id="j0")["id"], "j0")
        copy = server.dir / "copy.db"
        status, text, err = server.ctl("backup", str(copy))
        self.assertEqual(status, 0, err)
        self.assertIn("put it in the place", text + err)
        self.assertEqual(server.stop(), 0)
        shutil.rmtree(server.state, ignore_errors=True)
        server.state.mkdir(mode=0o700)
        copy.rename(server.state / "default.db")
        client = server.start().client()
        self.assertEqual(len(client.call("job.list")["jobs"]), 20)
        self.assertEqual(client.call("run.get", run="j0/1")["state"], "success")

    def test_its_log_is_emptied_in_its_place(self):
        """What stood there alone is gone: this is said, nothing more is promised, and what there is can be started with."""
        server = self.daemon()
        client = server.client()
        for i in range(5):
            client.call("job.add", id=f"j{i}", command=["true"], trigger={"every": "1h"})
        os.truncate(server.state / "default.db-wal", 0)
        for _ in range(2):
            message = self.refused("failed", client.call, "job.add", id="new", command=["true"], trigger={"every": "1h"})
            self.assertIn("default.db-wal was removed or replaced while it was in use", message)
            self.assertIn("is gone", message)
        self.assertEqual(client.call("store.list")[0]["state"], "failing")
        self.assertTrue(client.call("server.ping")["ready"])
        self.assertEqual(server.stop(), 0)
        client = server.start().client()
        self.assertLessEqual(len(client.call("job.list")["jobs"]), 5)
        client.call("job.add", id="new", command=["true"], trigger={"every": "1h"})
        self.assertEqual(client.call("store.list")[0]["state"], "ok")

    def test_what_has_its_name_now_is_not_read(self):
        """The first question comes when it was replaced: it would read the other, and empty what the two share."""
        server = self.daemon()
        client = server.client()
        for i in range(20):
            client.call("job.add", id=f"j{i}", command=["true"], trigger={"every": "1h"})
        self.WAYS["replaced"](server.state)
        self.assertIn("was removed or replaced", self.refused("failed", client.call, "run.list"))
        copy = server.dir / "copy.db"
        self.assertEqual(server.ctl("backup", str(copy))[0], 0)
        self.assertEqual(server.stop(), 0)
        database = sqlite3.connect(copy)
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertEqual(database.execute("SELECT count(*) FROM jobs").fetchone(), (20,))

    def test_each_way_it_may_go(self):
        for way in self.WAYS:
            with self.subTest(way):
                self.check(way)


class Rows(Case):
    """What somebody else wrote into the database."""

    def test_runs_that_nobody_could_name_are_not_told(self):
        server = self.daemon()
        client = server.client()
        for job in ("a", "b"):
            client.call("job.add", id=job, command=["/bin/true"], trigger={"manual": True})
            client.call("run.wait", run=client.call("job.run", id=job)["run"])
        for change, runs in (("UPDATE ids SET id = '../x' WHERE id = 'b'", ["a/1"]), ("UPDATE runs SET number = 0 WHERE job = 1", []), ("DELETE FROM ids", [])):
            server.stop()
            database = sqlite3.connect(server.state / "default.db")
            database.execute(change)
            database.commit()
            database.close()
            client = server.start().client()
            self.assertEqual([run["id"] for run in client.call("run.list")["runs"]], runs, change)
        run = client.call("job.run", id="a")["run"]
        self.assertEqual((run, client.call("run.wait", run=run)["state"]), ("a/2", "success"))

    def test_a_number_behind_which_there_is_none(self):
        server = self.daemon()
        server.client().call("job.add", id="a", command=["/bin/true"], trigger={"manual": True})
        server.stop()
        database = sqlite3.connect(server.state / "default.db")
        database.execute("UPDATE jobs SET last_run = 4294967295")
        database.commit()
        database.close()
        client = server.start().client()
        self.assertEqual(client.call("job.get", id="a")["state"], "invalid")
        self.assertIn("last_run: 4294967295 is out of", self.refused("conflict", client.call, "job.run", id="a"))


class FileSizes(Case):
    """What a write over the limit for files says is enough: the signal that goes with it ends nobody."""

    def limit(self, size):
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()

    def test_an_output_beyond_it_is_not_kept(self):
        self.client.call("job.add", id="j", shell="head -c 600000 /dev/zero; echo done", output_max="1M", trigger={"manual": True})
        self.limit((self.server.state / "default.db-wal").stat().st_size + 200000)
        run = self.client.call("job.run", id="j")["run"]
        done = self.client.call("run.wait", run=run)
        self.assertEqual(done["state"], "success")
        self.assertIn("output is not kept", self.server.log.read_text())
        self.assertTrue(self.client.call("server.ping")["ready"])
        self.assertEqual(self.server.stop(), 0)

    def test_a_start_without_any_room_says_so(self):
        server = self.daemon(start=False)
        done = subprocess.run([e2e.SCHEDD], env=server.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
        self.assertGreater(done.returncode, 0, done.stdout)
        self.assertIn("File too large", done.stdout)

    def test_a_database_beyond_it_fails_until_there_is_room(self):
        self.limit((self.server.state / "default.db-wal").stat().st_size)
        with self.assertRaises(e2e.RpcError):
            for i in range(100):
                self.client.call("job.add", id=f"j{i}", command=["true"], trigger={"every": "1h"})
        self.assertTrue(self.client.call("server.ping")["ready"])
        self.limit(resource.RLIM_INFINITY)

        def added():
            try:
                return self.client.call("job.add", id="last", command=["true"], trigger={"every": "1h"})
            except e2e.RpcError:
                return None
        e2e.wait_until("it can be written again", added, 60)
        self.assertEqual(self.server.stop(), 0)

    def test_a_job_is_ended_by_its_own(self):
        self.client.call("job.add", id="j", shell="exec head -c 600000 /dev/zero > big", cwd=str(self.server.dir),
                         rlimits={"fsize": 100000}, trigger={"manual": True})
        done = self.client.call("run.wait", run=self.client.call("job.run", id="j")["run"])
        self.assertEqual((done["state"], done["signal"]), ("failed", signal.SIGXFSZ))


class Log(Case):
    def start_with_log(self, server, log, **env):
        server.process = subprocess.Popen([e2e.SCHEDD, *server.options], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, env={**server.environment(), **env})
        e2e.wait_until("schedd answers", server._answers)

    def test_a_pipe_that_nobody_reads_holds_nobody(self):
        server = self.daemon(start=False)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.start_with_log(server, writer)
        os.close(writer)
        client = server.client()
        for _ in range(1500):
            client.call("server.reload")
        os.set_blocking(reader, False)
        lost = b""
        while b"lines of this log were lost" not in lost:
            client.call("server.reload")
            try:
                lost = lost[-200:] + os.read(reader, 65536)
            except BlockingIOError:
                pass
        self.assertEqual(server.stop(), 0)

    def test_nothing_in_a_line_is_an_order_to_a_terminal(self):
        for form in ("text", "json"):
            server = self.daemon(options=["--log-level", "debug", "--log-format", form])
            server.client().call("server.hello", client="a\u009bb\x7fc\u202ed\x1b[2Je\nf")
            log = e2e.wait_until("it is there", lambda: "hello" in server.log.read_text() and server.log.read_text())
            for char in "\u009b\x7f\u202e\x1b":
                self.assertNotIn(char, log)
            self.assertIn("hello from a", log)

    @unittest.skipUnless(ROOT, "needs another uid")
    def test_refused_clients_are_no_flood(self):
        server = self.daemon()
        server.dir.chmod(0o755)
        server.socket.chmod(0o666)
        script = ("import socket,sys\nfor _ in range(300):\n s=socket.socket(socket.AF_UNIX)\n s.connect(sys.argv[1])\n"
                  " assert s.recv(1)\n s.close()\n")
        subprocess.run(["/usr/bin/python3", "-c", script, str(server.socket)], check=True, user=12345, group=12345,
                       extra_groups=[], timeout=60)
        lines = [line for line in server.log.read_text().splitlines() if "refused a client of uid 12345" in line]
        self.assertLessEqual(len(lines), 3)
        # Of the first there were no others before.
        self.assertTrue(lines[0].endswith("uid 12345"), lines[0])
        self.assertEqual(server.client().call("server.status")["clients_refused"], 300)


class Stop(Case):
    def test_what_comes_with_the_shutdown_is_answered_or_refused(self):
        for _ in range(8):
            server = self.daemon()
            sock = socket.socket(socket.AF_UNIX)
            self.addCleanup(sock.close)
            sock.settimeout(20)
            sock.connect(str(server.socket))
            packets = [[0, 1, "server.shutdown", [{"now": True}]]]
            packets += [[0, 2 + i, "job.add", [{"id": f"j{i}", "command": ["/bin/true"], "trigger": {"every": "1h"}}]]
                        for i in range(40)]
            packets += [[0, 50, "server.backup", [{"path": str(server.dir / "copy.db")}]], [0, 51, "server.stats", []]]
            sock.sendall(b"".join(msgpack.packb(packet) for packet in packets))
            self.assertEqual(server.process.wait(20), 0, server.log.read_text())
            unpacker, answers = msgpack.Unpacker(), {}
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                unpacker.feed(data)
                answers.update((message[1], message) for message in unpacker)
            self.assertIsNone(answers[1][2])
            added = {msgid - 2 for msgid, message in answers.items() if 2 <= msgid < 50 and message[2] is None}
            there = {job["id"] for job in server.start().client().call("job.list")["jobs"]}
            self.assertLessEqual({f"j{i}" for i in added}, there, "what was answered is durable")

    def test_more_patience_takes_the_place_of_the_limit(self):
        server = self.daemon(config="stop:\n  limit: 1s\n")
        client = server.client()
        client.call("job.add", id="long", shell="sleep 3; echo done >> ended", cwd=str(server.dir), trigger={"manual": True})
        client.call("run.wait", run=client.call("job.run", id="long")["run"], **{"for": "running"})
        server.process.terminate()
        e2e.wait_until("it stops", lambda: client.call("server.status")["state"] == "stopping")
        self.assertEqual(client.call("server.shutdown", wait=True)["mode"], "wait")
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual((server.dir / "ended").read_text(), "done\n")


class Clients(Case):
    def test_one_that_leaves_with_calls_outstanding_is_gone(self):
        server = self.daemon()
        client = server.client()
        client.call("job.add", id="j", shell="sleep 1000", trigger={"manual": True})
        run = client.call("job.run", id="j")["run"]
        for half_closed in (False, True):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(server.socket))
            sock.sendall(b"".join(msgpack.packb([0, i, "run.wait", [{"run": run, "for": "done"}]]) for i in range(1500)))
            e2e.wait_until("they are taken up", lambda: client.call("server.status")["requests"] > 1000)
            if half_closed:
                sock.shutdown(socket.SHUT_WR)
                client.call("server.ping")
            sock.close()
            e2e.wait_until("it is gone", lambda: client.call("server.status")["clients"] == 1)
        client.call("run.kill", run=run)

    def test_parts_of_nothing_take_no_memory(self):
        server = self.daemon()
        client = server.client()
        before = server.memory()
        with self.assertRaises(e2e.RpcError) as caught:
            client.call("job.apply", apply="x", jobs=[1] * 500000, last=False)
        self.assertIn("job 1 is an integer", caught.exception.message)
        for empty in ({}, {"id": "a"}):
            piece = [empty] * 100000
            with self.assertRaises(e2e.RpcError) as caught:
                for _ in range(1000):
                    client.call("job.apply", apply="y", jobs=piece, last=False)
            self.assertIn("limits.apply", caught.exception.message)
        self.assertLess(server.memory() - before, 700 << 20)
        e2e.wait_until("it is given back", lambda: server.memory() - before < 100 << 20)


if __name__ == "__main__":
    unittest.main()
