# SPDX-License-Identifier: MIT
"""Each exit status that schedctl promises, and the sentence that comes with it."""
import json
import os
import pathlib
import signal
import subprocess
import unittest

import e2e


class ExitCodes(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()

    def ctl(self, status, *argv):
        """Runs schedctl, which must exit so; answers what it said."""
        got, out, err = self.server.ctl(*argv)
        self.assertEqual(got, status, (argv, out, err))
        return out + err

    def add(self, name, line, *options):
        self.ctl(0, "add", "--id", name, "--manual", *options, "--sh", line)

    def start(self, *argv, **options):
        child = subprocess.Popen([e2e.SCHEDCTL, *argv], env=self.server.environment(), stdin=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def test_0_done(self):
        self.assertEqual(self.ctl(0, "list", "--json").strip(), "[]")

    def test_1_failed_for_some(self):
        self.add("a", "true")
        text = self.ctl(1, "pause", "a", "nosuch")
        self.assertIn("nosuch", text)
        self.assertEqual(json.loads(self.ctl(0, "show", "a", "--json"))["state"], "paused")

    def test_2_usage(self):
        for argv, part in (
                (("lst",), "did you mean 'list'"),
                (("list", "--sokcet", "x"), "--socket"),
                (("add", "--evry", "5m", "--", "true"), "--every"),
                (("add", "--cron", "61 * * * *", "--", "true"), "minute 61 is out of 0-59"),
                (("add", "--cron", "@Reboot", "--", "true"), "--on-boot"),
                (("add", "--cron", "@every 5m", "--", "true"), "--every"),
                (("add", "--every", "5 parsecs", "--", "true"), "parsecs"),
                (("add", "--at", "2026-02-30 10:00", "--", "true"), "2026-02-30"),
                (("add", "--at", "2020-01-01", "--", "true"), "--allow-past"),
                (("add", "--cron", "0 0 30 2 *", "--", "true"), "no run times"),
                (("add", "--every", "1h", "--tz", "Europe/Berln", "--", "true"), "Europe/Berlin"),
                (("add", "--every", "1h", "--id", "a b", "--", "true"), "a b"),
                (("add", "--", "true"), "--every"),
                (("add", "--every", "1h"), "")):
            with self.subTest(argv=argv):
                self.assertIn(part, self.ctl(2, *argv))

    def test_3_not_reachable(self):
        missing = str(self.server.dir / "none.sock")
        self.assertIn("none.sock", self.ctl(3, "--socket", missing, "list"))
        error = json.loads(self.ctl(3, "--socket", missing, "list", "--json"))["error"]
        self.assertEqual(error["exit"], 3)

    def test_4_not_found(self):
        self.add("backup", "true")
        self.assertIn("did you mean 'backup'?", self.ctl(4, "show", "bakcup"))
        self.ctl(4, "logs", "backup/99")
        self.ctl(4, "add", "--every", "1h", "--store", "nowhere", "--", "true")
        self.ctl(4, "add", "--every", "1h", "--executor", "nobody", "--", "true")
        error = json.loads(self.ctl(4, "show", "bakcup", "--json"))["error"]
        self.assertEqual((error["code"], error["exit"]), ("not_found", 4))

    def test_5_conflict(self):
        self.add("a", "true")
        self.assertIn("a", self.ctl(5, "add", "--id", "a", "--every", "1h", "--", "true"))
        self.ctl(0, "add", "--id", "a", "--every", "1h", "--if-absent", "--", "true")
        self.ctl(0, "add", "--id", "a", "--every", "1h", "--replace", "--", "true")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_6_permission_denied(self):
        self.server.dir.chmod(0o755)
        other = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", e2e.SCHEDCTL, "--socket",
                                str(self.server.socket), "list"], env=self.server.environment(), capture_output=True,
                               text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        if "cannot execute" in other.stderr or other.returncode == 127:
            self.skipTest("the build is in a directory that nobody may enter")
        self.assertEqual(other.returncode, 6, other.stderr)

    def test_7_invalid_file(self):
        path = self.server.dir / "jobs.yaml"
        for text in ("", "version: 1\njobs:\n  a:\n    comand: x\n", "a: [1\n"):
            path.write_text(text)
            with self.subTest(text=text):
                self.assertIn("jobs.yaml", self.ctl(7, "apply", "-f", str(path)))
        self.assertEqual(self.server.run("--check-config", "--config", str(path))[0], 7)
        # Options that a start refuses are refused by the check too.
        for options in (("--log-level", "loud"), ("--log-format", "xml")):
            status, err = self.server.run("--check-config", *options)
            self.assertEqual((status, f"'{options[1]}'" in err), (2, True), err)

    def test_8_and_130_while_a_run_goes_on(self):
        self.add("slow", "exec sleep 100")
        run = self.ctl(0, "run", "slow").split()[0]
        self.ctl(8, "wait", run, "--timeout", "0.1s")
        waiting = self.start("wait", run)
        client = self.server.client()
        e2e.wait_until("it waits", lambda: client.call("server.status")["clients"] >= 2)
        waiting.send_signal(signal.SIGINT)
        status = waiting.wait(20)
        self.assertEqual(status, 130)
        self.ctl(0, "kill", run)

    def test_10_the_run_failed(self):
        self.add("bad", "exit 3")
        self.add("good", "true")
        self.ctl(10, "run", "bad", "-w")
        self.ctl(0, "run", "good", "-w")
        run = self.ctl(0, "run", "bad").split()[0]
        self.ctl(10, "wait", run)

    def test_exit_status_is_the_jobs_own(self):
        for name, line, status in (("ok", "true", 0), ("code", "exit 42", 42), ("signal", "kill -9 $$", 137)):
            self.add(name, line)
            with self.subTest(line=line):
                self.ctl(status, "run", name, "--exit-status")
        self.ctl(125, "run", "nosuch", "--exit-status")
        self.ctl(0, "add", "--id", "none", "--manual", "--", "/no/such/program")
        self.ctl(125, "run", "none", "--exit-status")
        for argv in (("nosuch",), ("--foo", "ok"), ("ok", "--color", "blue"), ("ok", "--", "true"), ()):
            with self.subTest(argv=argv):
                error = json.loads(self.ctl(125, "run", "--exit-status", "--json", *argv))["error"]
                self.assertEqual(error["exit"], 125)
        self.ctl(2, "list", "--exit-status")

    def test_with_json_an_error_is_one_line(self):
        self.add("bad", "exit 3")
        files = {"crontab": "* * * x\n", "bad.yaml": "version: 1\njobs: []\n", "conf.yaml": "bogus: 1\n", "empty.json": "{}"}
        for name, text in files.items():
            (self.server.dir / name).write_text(text)
        at = {name: str(self.server.dir / name) for name in files}
        for status, *argv in (
                (2, "add", "--cron", "@reboot", "--", "true"), (5, "add", "--id", "bad", "--manual", "--", "true"),
                (10, "run", "bad", "-w"), (3, "run", "bad", "--exit-status"), (10, "wait", "bad"), (4, "history", "nosuch"),
                (7, "config", "check", at["conf.yaml"]), (7, "config", "check", at["bad.yaml"] + ".not"),
                (7, "check", at["bad.yaml"]), (7, "apply", "-f", at["bad.yaml"]), (7, "import", "json", at["bad.yaml"]),
                (7, "import", "systemd", at["empty.json"]), (2, "list", "-o", "tsv"), (2, "-o", "odd", "list"),
                (2, "nosuchverb"), (2, "edit", "nosuch")):
            with self.subTest(argv=argv):
                got, _, err = self.server.ctl("--json", *argv)
                self.assertEqual((got, err.count("\n")), (status, 1), err)
                error = json.loads(err)["error"]
                self.assertEqual(error["exit"], status)
                self.assertTrue(error["code"] and error["message"])

    def test_141_closed_pipe(self):
        for i in range(40):
            self.add(f"j{i}", "true # " + "x" * 4000)
        read, write = os.pipe()
        child = self.start("list", "-o", "json", stdout=write)
        os.close(write)
        os.close(read)
        status = child.wait(20)
        self.assertEqual(status, 141)


if __name__ == "__main__":
    unittest.main()
