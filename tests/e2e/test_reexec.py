# SPDX-License-Identifier: MIT
"""schedd runs its program anew in place: same pid, and the jobs notice nothing."""
import os
import signal
import unittest

import e2e


def text(client, run, stream=None):
    return "".join(piece["data"] for piece in client.call("run.log", run=run)["pieces"]
                   if piece.get("data") and (stream is None or piece["stream"] == stream))


class Reexec(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client()

    def add(self, name, shell, **fields):
        self.client.call("job.add", id=name, shell=shell, cwd=str(self.server.dir), trigger={"every": "1h"}, **fields)

    def begin(self, name, wait="running", **params):
        run = self.client.call("job.run", id=name, **params)["run"]
        if wait:
            self.client.call("run.wait", run=run, **{"for": wait})
        return run

    def fifo(self, name):
        os.mkfifo(self.server.dir / name)
        return lambda: open(self.server.dir / name, "w").close()

    def reexec(self, by_signal=False):
        """Runs the program anew, by either way."""
        before = self.client.call("server.status")["started_at"]
        pid = self.server.process.pid
        if by_signal:
            self.server.process.send_signal(signal.SIGUSR2)
        else:
            status, _, err = self.server.ctl("reload", "--exec")
            self.assertEqual(status, 0, err)

        def anew():
            try:
                self.client = self.server.client()
                status = self.client.call("server.status")
            except (OSError, EOFError):
                return False
            return status["started_at"] != before and status["pid"] == pid
        e2e.wait_until("the new program answers", anew)

    def state(self, run):
        return self.client.call("run.get", run=run)["state"]

    def ended(self, run):
        self.client.call("run.wait", run=run)
        return self.client.call("run.get", run=run)

    def test_a_run_whose_executor_is_gone_waits_for_no_reader(self):
        self.server.config.write_text("executors:\n  other: {type: subprocess}\n")
        self.assertEqual(self.server.stop(), 0)
        self.client = self.server.start().client()
        go = self.fifo("go")
        self.add("loud", "trap '' PIPE; read x < go; head -c 1000000 /dev/zero; echo done > ended", executor="other")
        self.begin("loud")
        self.server.config.write_text("")
        self.reexec()
        go()
        e2e.wait_until("it ended", (self.server.dir / "ended").exists)

    def test_a_run_goes_on_with_its_pipe_and_its_exit_code(self):
        go = self.fifo("go")
        self.add("a", "echo before; read x < go; echo after; exit 7")
        run = self.begin("a")
        e2e.wait_until("the first line", lambda: "before" in text(self.client, run))
        self.reexec()
        self.assertEqual(self.state(run), "running")
        go()
        got = self.ended(run)
        self.assertEqual((got["state"], got["exit_code"], got["reason"]), ("failed", 7, "exit code 7"))
        self.assertEqual(text(self.client, run), "before\nafter\n")
        self.assertEqual(len(self.client.call("run.list", jobs=["a"])["runs"]), 1)

    def test_a_stop_asked_for_meanwhile_is_heeded(self):
        """By this program or by the next one, and what ran is ended by a stop, not lost."""
        for shell in ("sleep 1000", "true"):
            with self.subTest(shell=shell):
                self.add(shell.split()[0], shell)
                run = self.begin(shell.split()[0], wait="running" if shell != "true" else "done")
                before = self.state(run)
                self.server.process.send_signal(signal.SIGUSR2)
                while self.server.process.poll() is None:
                    self.server.process.send_signal(signal.SIGTERM)
                self.assertEqual(self.server.process.returncode, 0, self.server.log.read_text()[-2000:])
                self.server.start()
                self.client = self.server.client()
                self.assertEqual(self.state(run), "killed" if before == "running" else before)

    def test_one_that_comes_too_late_is_the_next_program_s(self):
        """What runs is in its hands already; listeners are still told of the end."""
        told = self.server.dir / "told"
        self.server.config.write_text("stop: {limit: 0.1}\nlisteners:\n  - {name: slow, events: [scheduler_shutdown], timeout: 1, "
                                      f"run: 'echo >> {told}; exec sleep 100'" + "}\n")
        self.client.call("server.reload")
        self.add("a", "sleep 1000")
        run = self.begin("a")
        self.server.process.send_signal(signal.SIGUSR2)
        e2e.wait_until("the listener is told", lambda: told.exists() and told.read_text())
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.client = self.server.client()
        self.assertEqual(self.state(run), "killed")

    def test_twice_by_signal_and_on_two_pipes(self):
        go, more = self.fifo("go"), self.fifo("more")
        self.add("a", "echo out1; echo err1 >&2; read x < go; echo out2; read x < more; echo err2 >&2", capture="split")
        run = self.begin("a")
        self.reexec(by_signal=True)
        go()
        e2e.wait_until("the second line", lambda: "out2" in text(self.client, run))
        self.reexec(by_signal=True)
        more()
        self.assertEqual(self.ended(run)["state"], "success")
        self.assertEqual(text(self.client, run, "stdout"), "out1\nout2\n")
        self.assertEqual(text(self.client, run, "stderr"), "err1\nerr2\n")

    def test_it_ends_while_nobody_is_there(self):
        """It ends between the programs, or so near to it that it makes no difference."""
        self.add("a", "sleep 0.3; echo done; exit 3")
        runs = [self.begin("a", force=True) for _ in range(20)]
        self.reexec()
        for run in runs:
            self.assertEqual(self.ended(run)["exit_code"], 3)
            self.assertEqual(text(self.client, run), "done\n")

    def test_head_and_tail_of_long_output(self):
        go = self.fifo("go")
        self.add("a", "seq 100000; echo half; read x < go; seq 100001 200000", output_max=4096)
        run = self.begin("a")
        e2e.wait_until("half of it", lambda: "half" in text(self.client, run))
        self.reexec()
        go()
        got = self.ended(run)
        whole = sum(len(str(n)) + 1 for n in range(1, 200001)) + len("half\n")
        self.assertEqual(got["output_bytes"], whole)
        kept = text(self.client, run)
        self.assertEqual(got["output_dropped"], whole - len(kept))
        self.assertTrue(kept.startswith("1\n2\n3\n"), kept[:20])
        self.assertTrue(kept.endswith("199999\n200000\n"), kept[-20:])

    def test_limits_and_queues_hold(self):
        self.add("a", "sleep 100", overlap="queue")
        first, second = self.begin("a"), self.begin("a", wait=None)
        self.assertEqual(self.state(second), "queued")
        self.reexec()
        self.assertEqual((self.state(first), self.state(second)), ("running", "queued"))
        self.client.call("run.kill", run=first)
        self.assertEqual(self.ended(first)["state"], "killed")
        self.client.call("run.wait", run=second, **{"for": "running"})
        self.client.call("run.kill", run=second, signal="KILL")
        self.assertEqual(self.ended(second)["signal"], 9)

    def test_timeout_and_retry_go_on(self):
        self.add("slow", "sleep 100", timeout=2)
        self.add("again", "exit 1", retry={"limit": 1, "delay": 2})
        self.add("env", 'read x < go; echo "$K"; exit 1', retry={"limit": 1, "delay": 0})
        go = self.fifo("go")
        slow, again, env = self.begin("slow"), self.begin("again", wait=None), self.begin("env", env={"K": "v"})
        e2e.wait_until("it waits", lambda: self.state(again) == "retrying")
        self.reexec()
        self.assertEqual(self.state(again), "retrying")
        go()
        e2e.wait_until("the second attempt", lambda: self.client.call("run.get", run=env)["attempt"] == 2)
        go()
        self.assertEqual(self.ended(env)["state"], "failed")
        self.assertEqual(text(self.client, env), "v\nv\n")
        self.assertEqual(self.ended(slow)["state"], "timeout")
        got = self.ended(again)
        self.assertEqual((got["state"], got["attempt"]), ("failed", 2))

    def test_secrets_stay_until_the_end(self):
        go = self.fifo("go")
        (self.server.dir / "pw").write_text("hush\n")
        self.add("a", 'echo "$PW_FILE"; read x < go; cat "$PW_FILE"', secrets={"PW": str(self.server.dir / "pw")})
        run = self.begin("a")
        e2e.wait_until("the first line", lambda: text(self.client, run))
        path = text(self.client, run).strip()
        self.reexec()
        go()
        self.assertEqual(self.ended(run)["state"], "success")
        self.assertIn("hush", text(self.client, run))
        self.assertFalse(os.path.exists(path))

    def test_jobs_see_the_first_limits(self):
        self.add("a", "ulimit -Sn; ls /proc/self/fd | wc -l; env | grep -c REEXEC")
        before = text(self.client, self.ended(self.begin("a", wait=None))["id"])
        self.reexec()
        self.assertEqual(text(self.client, self.ended(self.begin("a", wait=None))["id"]), before)

    def test_it_is_no_start(self):
        self.client.call("job.add", id="s", shell="true", trigger={"type": "on_start"})
        self.reexec()
        self.assertEqual(self.client.call("run.list", jobs=["s"])["runs"], [])

    def test_a_bad_config_is_found_before(self):
        self.server.config.write_text("limts: 5\n")
        status, _, err = self.server.ctl("reload", "--exec")
        self.assertEqual(status, 7, err)
        self.assertIn("limts", err)
        self.assertEqual(self.client.call("server.status")["state"], "running")

    def test_events_go_on(self):
        seq = self.client.call("server.status")["scheduler"]["event_seq"]
        self.reexec()
        self.assertGreater(self.client.call("server.status")["scheduler"]["event_seq"], seq)


if __name__ == "__main__":
    unittest.main()
