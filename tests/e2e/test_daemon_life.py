# SPDX-License-Identifier: MIT
"""The daemon from start to end: paths, locks, sockets, config, signals, what is left after a crash."""
import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import tempfile
import unittest

import e2e


class Start(e2e.TestCase):
    def test_a_second_daemon_names_the_pid(self):
        server = self.daemon()
        status, text = server.run("--socket", str(server.dir / "other.sock"))
        self.assertEqual(status, 1)
        self.assertIn(f"held by another schedd with pid {server.process.pid}", text)
        status, text = server.run("--state-dir", str(server.dir / "other"))
        self.assertEqual(status, 1)
        self.assertIn(f"pid {server.process.pid}", text)
        self.assertTrue(server.client().call("server.ping")["ready"])

    def test_a_stale_socket_is_replaced(self):
        server = self.daemon()
        server.stop(signal.SIGKILL)
        self.assertTrue(server.socket.exists())
        server.start()
        self.assertTrue(server.client().call("server.ping")["ready"])

    def test_a_live_socket_never_is(self):
        server = self.daemon(start=False)
        other = socket.socket(socket.AF_UNIX)
        self.addCleanup(other.close)
        other.bind(str(server.socket))
        other.listen()
        status, text = server.run()
        self.assertEqual(status, 1)
        self.assertIn("alive", text)

    def test_socket_and_state_are_private(self):
        server = self.daemon()
        self.assertEqual(server.socket.stat().st_mode & 0o777, 0o600)
        self.assertEqual(server.state.stat().st_mode & 0o777, 0o700)

    def test_a_umask_keeps_schedd_from_none_of_its_own(self):
        server = self.daemon(start=False)
        server.program = ("/bin/sh", "-c", 'umask 0777; exec "$0" "$@"', e2e.SCHEDD)
        server.start()
        self.assertEqual(server.state.stat().st_mode & 0o777, 0o700)
        self.assertEqual((server.state / "default.db").stat().st_mode & 0o777, 0o600)

    def test_bad_places(self):
        server = self.daemon(start=False)
        status, text = server.run("--socket", "/" + "x" * 120)
        self.assertEqual(status, 2)
        self.assertIn("107", text)
        status, text = server.run("--socket", str(server.dir / "missing" / "s"))
        self.assertEqual(status, 1)
        self.assertIn("schedd makes none", text)
        status, text = server.run("--state-dir", "/proc/none")
        self.assertIn(status, (1, 6))
        self.assertIn("/proc/none", text)
        (server.dir / "file").write_text("")
        status, text = server.run("--socket", str(server.dir / "file"))
        self.assertEqual(status, 1)
        self.assertIn("no socket", text)
        self.assertEqual((server.dir / "file").read_text(), "")

    def test_usage(self):
        server = self.daemon(start=False)
        status, text = server.run("--sockt", "x")
        self.assertEqual(status, 2)
        self.assertIn("did you mean --socket?", text)
        self.assertEqual(server.run("--log-level", "loud")[0], 2)
        self.assertEqual(server.run("--help")[0], 0)
        self.assertEqual(server.run("--help-config")[0], 0)
        self.assertEqual(server.run("--version")[0], 0)

    def test_daemon_detaches_when_it_is_ready(self):
        server = self.daemon(start=False)
        status, text = server.run("--daemon")
        self.assertEqual((status, text), (0, ""))
        client = server.client()
        pid = client.call("server.hello")["pid"]
        self.assertIn("listening", (server.state / "schedd.log").read_text())
        self.assertEqual(os.getsid(pid) != os.getsid(0), True)
        client.call("server.shutdown")
        e2e.wait_until("it ends", lambda: not pathlib.Path(f"/proc/{pid}").exists()
                       or "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3])

    def test_daemon_that_cannot_start_says_so(self):
        server = self.daemon(start=False)
        status, text = server.run("--daemon", "--socket", str(server.dir / "missing" / "s"))
        self.assertEqual(status, 1)
        self.assertIn("missing", text)

    def test_tells_systemd(self):
        server = self.daemon(start=False)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.bind(str(server.dir / "notify"))
        notify.settimeout(20)
        server.start(NOTIFY_SOCKET=str(server.dir / "notify"), WATCHDOG_USEC="200000")
        self.assertTrue(notify.recv(4096).startswith(b"READY=1"))
        self.assertEqual(notify.recv(4096), b"WATCHDOG=1")
        server.process.send_signal(signal.SIGHUP)
        seen = []
        while not seen or seen[-1] != b"READY=1":
            seen.append(notify.recv(4096))
        self.assertTrue(any(m.startswith(b"RELOADING=1\nMONOTONIC_USEC=") for m in seen))
        server.process.send_signal(signal.SIGTERM)
        while not notify.recv(4096).startswith(b"STOPPING=1"):
            pass

    def test_takes_a_socket_from_systemd(self):
        server = self.daemon(start=False)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(server.socket))
        listening.listen()
        # LISTEN_PID must be the daemon's own pid: a shell execs it.
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen(
                ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$SCHEDD" 3<&0', "sh"], stdin=listening.fileno(),
                env={**server.environment(), "SCHEDD": e2e.SCHEDD}, stderr=log)
        listening.close()
        client = server.client()
        client.call("job.add", id="a", command=["/bin/sh", "-c", "echo ${LISTEN_FDS-none}"], trigger={"every": "1h"})
        run = client.call("job.run", id="a")
        client.call("run.wait", **run)
        self.assertEqual(client.call("run.log", **run)["pieces"][0]["data"], "none\n")
        server.stop()
        self.assertTrue(server.socket.exists(), "systemd's socket stays")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_another_user_is_refused(self):
        server = self.daemon()
        nobody = pwd.getpwnam("nobody").pw_uid
        script = ("import os, socket, sys\nos.setuid(int(sys.argv[1]))\ns = socket.socket(socket.AF_UNIX)\n"
                  "try:\n s.connect(sys.argv[2])\nexcept PermissionError:\n print('EACCES'); sys.exit()\n"
                  "import msgpack\nprint(msgpack.unpackb(s.recv(65536)))\nprint(s.recv(1))")

        def as_nobody():
            return subprocess.run(["/usr/bin/python3", "-c", script, str(nobody), str(server.socket)],
                                  capture_output=True, text=True, check=True).stdout
        self.assertEqual(as_nobody(), "EACCES\n")
        # Were the file's mode wrong, the peer's user is still looked at.
        server.dir.chmod(0o755)
        server.socket.chmod(0o666)
        text = as_nobody()
        self.assertIn("permission_denied", text)
        self.assertIn("b''", text)


class Config(e2e.TestCase):
    def refused(self, text, *wanted):
        server = self.daemon(start=False, config=text)
        for arguments in ((), ("--check-config",)):
            status, message = server.run(*arguments)
            self.assertEqual(status, 7, message)
            for part in wanted:
                self.assertIn(part, message)

    def test_faults_have_their_place(self):
        self.refused("limts:\n  clients: 5\n", "schedd.yaml:1:1:", "limts", "did you mean 'limits'")
        self.refused("limits:\n  client: 5\n", ":2:3:", "did you mean 'clients'")
        self.refused("limits:\n  clients: many\n", ":2:12:", "limits.clients", "not an integer")
        self.refused("limits:\n  clients: 0\n", ":2:12:", "out of 1-65536")
        self.refused("log:\n  level: inf\n", "did you mean 'info'")
        self.refused("stop:\n  limit: soon\n", "stop.limit", "duration")
        self.refused("limits: 5\n", "limits", "must be a map")
        self.refused("timezone: a\ntimezone: b\n", ":2:1:", "timezone")
        self.refused("listeners:\n  - events: [job_ad]\n    run: x\n", "job_ad")
        self.refused("listeners:\n  - name: x\n", "exactly one of run, call and http")
        self.refused("stores:\n  a b: {}\n", "no name")
        self.refused("a: [1\n", "schedd.yaml:")
        self.refused("timezone: Europe/Berln\n", ":1:11:", "did you mean 'Europe/Berlin'")
        self.refused("timezone:\n", ":1:10:", "is empty")
        self.refused("log:\n  level: loud\n", ":2:10:", "error, warning, info, debug")
        self.refused("stores:\n  x: {type: memri}\n", ":2:13:", "use sqlite, memory, postgresql")
        self.refused("stores:\n  x: {type: memory, path: y}\n", ":2:3:", "no path")
        self.refused("executors:\n  x: {type: threads}\n", ":2:13:", "threadpool")
        self.refused("- a\n", ":1:1:", "must be a map")
        for text in ("defaults: {user: '54321'}\n", "defaults: {user: 54321}\n", "executors: {w: {type: worker, command: [x], user: 54321}}\n"):
            self.refused(text, "has no account and so no group", "54321:GROUP")

    def test_a_section_may_be_empty(self):
        server = self.daemon(config="limits:\nstores:\n  extra:\nexecutors:\nlisteners:\n")
        self.assertIn("extra", [row["name"] for row in server.client().call("store.list")])

    def test_what_only_the_start_can_find_out_is_the_config_s_fault_too(self):
        server = self.daemon(start=False, config="stores:\n  a: {path: default.db}\n")
        status, text = server.run()
        self.assertEqual(status, 7, text)
        self.assertIn("holds the store default already", text)
        server.config.write_text("listeners:\n  - call: none:f\n")
        self.assertEqual(server.run()[0], 7)
        server.config.write_text("")
        server.start()
        server.config.write_text("listeners:\n  - call: none:f\n")
        super().refused("invalid_file", server.client().call, "server.reload")

    def test_a_named_config_must_be_there(self):
        server = self.daemon(start=False)
        status, text = server.run("--config", "/none.yaml")
        self.assertEqual(status, 7)
        self.assertIn("/none.yaml", text)

    def test_conf_d_comes_later(self):
        server = self.daemon(start=False, config="limits:\n  clients: 5\nlog:\n  level: error\n")
        (server.dir / "conf.d").mkdir()
        (server.dir / "conf.d" / "10.yaml").write_text("limits:\n  clients: 6\nstores:\n  extra: {type: memory}\n")
        server.start()
        client = server.client()
        got = {row["key"]: row for row in client.call("config.get")["settings"]}
        self.assertEqual((got["limits.clients"]["value"], got["limits.clients"]["origin"]), (6, "config"))
        self.assertEqual(got["log.level"]["value"], "error")
        self.assertIn("extra", [row["name"] for row in client.call("store.list")])
        self.assertEqual(len(client.call("config.get")["files"]), 2)

    def test_what_was_said_at_the_start_beats_it(self):
        server = self.daemon(config="log:\n  level: error\n  format: json\n", options=["--log-level", "debug", "--log-format", "text"])
        got = {row["key"]: (row["value"], row["text"], row["origin"]) for row in server.client().call("config.get")["settings"]}
        self.assertEqual(got["log.level"], ("debug", "debug", "--log-level"))
        self.assertEqual(got["log.format"], ("text", "text", "--log-format"))
        self.assertEqual(got["log.file"][2], "default")
        self.assertRegex(server.ctl("config", "show", "log.level")[1], "debug.*--log-level")

    def test_reload_is_all_or_nothing(self):
        server = self.daemon(config="limits:\n  clients: 5\n")
        client = server.client()
        server.config.write_text("limits:\n  clients: 7\n  events: lots\n")
        self.assertIn("limits.events", super().refused("invalid_file", client.call, "server.reload"))
        self.assertEqual(client.call("config.get", key="limits.clients")["settings"][0]["value"], 5)
        server.config.write_text("limits:\n  clients: 7\ntimezone: Asia/Tokyo\n")
        self.assertEqual(client.call("server.reload"),
                         {"changed": ["limits.clients"], "restart": ["timezone"], "exec": False})
        server.config.write_text("limits:\n  clients: 8\n")
        server.process.send_signal(signal.SIGHUP)
        e2e.wait_until("the config is read again", lambda: client.call(
            "config.get", key="limits.clients")["settings"][0]["value"] == 8)

    def test_logs_json(self):
        server = self.daemon(config="log:\n  format: json\n")
        server.stop()
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        self.assertEqual(lines[-1]["message"], "stopped")
        self.assertEqual(lines[-1]["level"], "info")


class Stop(e2e.TestCase):
    def running(self, shell, **options):
        server = self.daemon(**options)
        client = server.client()
        client.call("job.add", id="a", shell=shell, trigger={"every": "1h"})
        run = client.call("job.run", id="a")["run"]
        client.call("run.wait", run=run, **{"for": "running"})
        return server, client, run

    def test_term_waits_for_runs(self):
        server, client, run = self.running("read x < fifo; echo done", options=())
        os.mkfifo(server.dir / "fifo")
        client.call("job.modify", id="a", cwd=str(server.dir))
        run = client.call("job.run", id="a", force=True)["run"]
        client.call("run.wait", run=run, **{"for": "running"})
        server.process.send_signal(signal.SIGTERM)
        e2e.wait_until("it stops", lambda: client.call("server.status")["state"] == "stopping")
        with open(server.dir / "fifo", "w") as fifo:
            fifo.write("go\n")
        self.assertEqual(server.process.wait(20), 0)
        server.start()
        self.assertEqual(server.client().call("run.get", run=run)["state"], "success")

    def test_the_limit_ends_runs_and_says_so(self):
        server, client, run = self.running("sleep 100", config="stop:\n  limit: 0.1\n")
        self.assertEqual(server.stop(), 0)
        server.start()
        got = server.client().call("run.get", run=run)
        self.assertEqual(got["state"], "killed")

    def test_a_second_signal_is_faster(self):
        server, client, run = self.running("sleep 100")
        server.process.send_signal(signal.SIGINT)
        e2e.wait_until("it stops", lambda: client.call("server.status")["state"] == "stopping")
        self.assertEqual(server.stop(signal.SIGINT), 0)

    def test_no_signal_ends_it_before_its_time(self):
        """Of those that come until the very end none keeps it from closing what it has open."""
        for again in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            with self.subTest(again=again):
                server, _, run = self.running("sleep 100")
                server.process.send_signal(signal.SIGTERM)
                server.process.send_signal(signal.SIGINT)
                while server.process.poll() is None:
                    server.process.send_signal(again)
                self.assertEqual(server.process.returncode, 0, server.log.read_text()[-2000:])
                self.assertEqual(list(server.state.glob("*-wal")), [], "the store is closed")
                server.start()
                self.assertEqual(server.client().call("run.get", run=run)["state"], "killed")

    def test_a_second_signal_does_not_wait_for_listeners(self):
        """They have seconds in which nothing else is going on any more."""
        server = self.daemon(config="listeners:\n  - {name: hangs, events: [scheduler_shutdown], run: echo $$ > hung; exec sleep 100}\n",
                             options=())
        client = server.client()
        hung = server.dir / "hung"
        server.config.write_text(server.config.read_text().replace("> hung", f"> {hung}"))
        self.assertEqual(client.call("server.reload")["changed"], ["listeners"])
        server.process.send_signal(signal.SIGTERM)
        e2e.wait_until("the listener hangs", lambda: hung.exists() and hung.read_text())
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("listeners are not done", server.log.read_text())

    def test_shutdown_now(self):
        server, client, run = self.running("sleep 100")
        self.assertEqual(client.call("server.shutdown", now=True), {"mode": "now", "running": 1})
        self.assertEqual(server.process.wait(20), 0)
        self.assertFalse(server.socket.exists())

    def test_after_kill_the_run_is_lost_and_jobs_are_there(self):
        server, client, run = self.running("sleep 3")
        server.stop(signal.SIGKILL)
        server.start()
        client = server.client()
        self.assertEqual(client.call("run.get", run=run)["state"], "lost")
        self.assertEqual(client.call("job.get", id="a")["id"], "a")


class Listeners(e2e.TestCase):
    def test_commands_are_told_of_events(self):
        out = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(lambda: [p.unlink() for p in out.iterdir()] and None or out.rmdir())
        server = self.daemon(config=f"""
listeners:
  - name: all
    run: cat >> {out}/all
  - name: some
    events: [job_executed, job_error]
    jobs: ["b*"]
    tags: [env=prod]
    run: echo "$SCHEDD_EVENT $SCHEDD_JOB_ID $SCHEDD_EVENT_RUN" >> {out}/some
  - name: hangs
    run: sleep 100
    timeout: 0.2
""")
        client = server.client()
        client.call("job.add", id="backup", shell="true", tags={"env": "prod"}, trigger={"every": "1h"})
        client.call("job.add", id="build", shell="true", tags={"env": "test"}, trigger={"every": "1h"})
        for job in ("build", "backup"):
            client.call("run.wait", **client.call("job.run", id=job))
        e2e.wait_until("the command ran", (out / "some").exists)
        e2e.wait_until("the line is there", (out / "some").read_text)
        self.assertEqual((out / "some").read_text(), "job_executed backup backup/1\n")

        def names():
            return [json.loads(line)["event"] for line in (out / "all").read_text().splitlines()]
        e2e.wait_until("all are told", lambda: names().count("job_executed") == 2)
        self.assertIn("job_added", names())

        def hanging():
            rows = {row["name"]: row for row in client.call("server.status")["listeners"]}
            return rows["hangs"]["failed"] > 0 and rows["hangs"]
        self.assertIn("took longer", e2e.wait_until("the time-out is counted", hanging)["last_error"])
        server.config.write_text("")
        self.assertEqual(client.call("server.reload")["changed"], ["listeners"])
        self.assertEqual(client.call("server.status")["listeners"], [])


class Executors(e2e.TestCase):
    def test_those_that_come_and_go_leave_no_descriptor_open(self):
        server = self.daemon()
        client = server.client()

        def descriptors():
            return len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))
        client.call("server.ping")  # our own is one of them from here on
        before = descriptors()
        for kind in ("subprocess", "threadpool", "subprocess") * 10:
            client.call("executor.add", name="guest", type=kind, max_workers=2)
            client.call("executor.remove", name="guest")
        self.assertLessEqual(descriptors(), before)


class Orphans(e2e.TestCase):
    def test_what_a_job_left_behind_is_reaped(self):
        server = self.daemon()
        client = server.client()
        client.call("job.add", id="a", shell="setsid sleep 0.2 >/dev/null 2>&1 </dev/null & true", trigger={"every": "1h"})

        def children():
            path = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
            return pathlib.Path(path).read_text().split()
        for _ in range(2):
            client.call("run.wait", **client.call("job.run", id="a"))
            e2e.wait_until("no child is left", lambda: not children(), seconds=30)


if __name__ == "__main__":
    unittest.main()
