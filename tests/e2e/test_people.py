# SPDX-License-Identifier: MIT
"""What people meet: numbers that are right, advice that can be followed, and words for what takes long."""
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

import e2e


class People(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out

    def err(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return err

    def add(self, name, line="true", *options):
        self.ctl("add", "--id", name, "--manual", *options, "--sh", line)

    def config(self, text):
        self.d.config.write_text(text)
        self.d.client().call("server.reload")

    # ---- Numbers ----

    def test_figures_count_runs_and_skips_apart(self):
        self.ctl("add", "--id", "a", "--every", "0.3s", "--", "sleep", "30")
        e2e.wait_until("it is skipped", lambda: [run for run in self.d.client().call("run.list")["runs"] if run["count"] > 2])
        self.ctl("pause", "a")
        self.ctl("kill", "a")
        self.ctl("wait", "a", "--for", "idle")
        row = [row for row in json.loads(self.ctl("stats", "--json"))["jobs"] if row["job"] == "a"][0]
        self.assertEqual(row["runs"], 1)
        self.assertGreaterEqual(row["skips"], 3)
        self.assertIn("SKIPS", self.ctl("stats"))

    def test_a_skip_names_the_one_run_that_goes_on(self):
        self.ctl("add", "--id", "a", "--every", "0.3s", "--", "sleep", "30")
        skipped = e2e.wait_until("it is skipped", lambda: [
            run for run in self.d.client().call("run.list")["runs"] if run["state"] == "skipped"])
        self.ctl("rm", "-y", "--kill", "a")
        self.assertIn("run a/1 still going", skipped[0]["reason"])

    def test_settings_in_the_units_of_people(self):
        self.config("stop:\n  limit: 90s\nlimits:\n  request: 2M\n")
        rows = {line.split()[0]: line.split(None, 1)[1].split() for line in self.ctl("config", "show", "-o", "wide").splitlines()}
        self.assertEqual(rows["stop.limit"][0], "1m30s")
        self.assertEqual(rows["limits.request"][0], "2M")
        self.assertEqual(rows["limits.events"][0], "8M")
        self.assertEqual(rows["history.max_runs"][0], "none")
        self.assertEqual(rows["log.file"][0], "stderr")
        self.assertEqual(rows["notify.sendmail"][0], "/usr/sbin/sendmail")
        # Where things are, not what decides it where nobody says.
        self.assertEqual(rows["socket"][:2], [str(self.d.socket), "environment"])
        self.assertEqual(rows["state_dir"][:2], [str(self.d.state), "environment"])
        setting = [s for s in json.loads(self.ctl("config", "show", "--json"))["settings"] if s["key"] == "stop.limit"][0]
        self.assertEqual((setting["value"], setting["text"], setting["default_text"]), (90, "1m30s", "30s"))

    def test_no_limit_is_no_number(self):
        lines = self.ctl("executors").splitlines()
        self.assertRegex(lines[0], "MAX WORKERS")
        self.assertRegex([line for line in lines if line.startswith("default ")][0], r"^default +subprocess +0 +0 +- ")

    def test_what_follows_is_said_once(self):
        self.add("m")
        err = self.err("add", "--id", "after", "--after", "m:any", "--", "true")
        self.assertEqual(err, "No run is planned, the job is waiting. After m ends.\n")
        self.assertRegex(self.ctl("show", "after"), r"(?m)^after: +m:any$")

    def test_diff_without_a_difference_says_so(self):
        file = self.d.dir / "jobs.yaml"
        file.write_text("version: 1\njobs:\n  a:\n    shell: 'true'\n    trigger: {every: 1h}\n")
        self.ctl("apply", "-f", str(file))
        self.assertEqual(self.err("diff", "-f", str(file)), "Nothing differs.\n")
        file.write_text("version: 1\njobs:\n  b:\n    shell: 'true'\n    trigger: {every: 1h}\n")
        code, out, err = self.d.ctl("diff", "-f", str(file))
        self.assertEqual((code, out), (1, "added b\n"))
        self.assertNotIn("matches", err)

    # ---- Advice ----

    def test_a_request_where_its_module_is_missing(self):
        empty = self.d.dir / "modules"
        empty.mkdir()
        server = self.daemon(start=False)
        server.start(SCHEDD_MODULE_DIR=str(empty))
        # Without a directory of modules beside the program, as when installed.
        if (pathlib.Path(e2e.SCHEDD).parent.parent / "modules" / "schedd_http.so").exists() and server.ctl("executors", "-o", "name")[1]:
            code, _, err = server.ctl("add", "--manual", "--http", "GET http://127.0.0.1/")
            self.assertTrue(code == 0 or "schedd_http.so" in err, err)

    def test_a_command_without_its_dashes(self):
        err = self.err("add", "--every", "5s", "true", status=2)
        self.assertIn("write -- before the command: schedctl add … -- true", err)
        for argv in (("rsync", "-a", "x"), ("ls", "-l"), ("echo", "--hi"), ("rsync", "--delete-after", "a", "b"), ("nice", "-n")):
            err = self.err("add", "--every", "5s", *argv, status=2)
            self.assertIn(f"write -- before the command: schedctl add … -- {argv[0]}", err)
        # A slip in an option of the verb itself stays one.
        err = self.err("add", "--evry", "5s", "--", "true", status=2)
        self.assertIn("did you mean '--every'?", err)
        self.assertNotIn("write --", err)

    def test_events_that_there_are_not(self):
        self.assertIn("did you mean 'job_error'?", self.err("events", "--event", "job_eror", status=2))
        self.assertIn("schedd-protocol(7) has them all", self.err("events", "--event", "gestern", status=2))

    def test_retry_0_takes_the_retries_away(self):
        self.add("a", "exit 1", "--retry", "3", "--retry-delay", "1m", "--retry-on", "1")
        self.ctl("modify", "a", "--retry", "0")
        self.assertIsNone(json.loads(self.ctl("show", "a", "--json"))["retry"])
        self.ctl("add", "--id", "b", "--manual", "--retry", "0", "--", "true")
        self.ctl("modify", "b", "--retry", "2")
        self.assertEqual(json.loads(self.ctl("show", "b", "--json"))["retry"]["limit"], 2)

    def edit(self, name, script, status=0):
        editor = self.d.dir / "editor"
        editor.write_text(f"#!/bin/sh\ncp \"$1\" {self.d.dir}/seen\n{script}\n")
        editor.chmod(0o755)
        done = subprocess.run([e2e.SCHEDCTL, "edit", name], env={**self.d.environment(), "EDITOR": str(editor), "VISUAL": "",
                                                                  "TMPDIR": str(self.d.dir)},
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def test_edit_makes_no_job_of_what_is_no_id(self):
        for name in ("../x", "a b", ".x", "x" * 129):
            self.assertIn("none can be made of that: an id begins with a letter, digit or '_'", self.err("edit", name, status=4), name)

    def test_edit_makes_a_new_job_of_a_template(self):
        self.add("backup")
        err = self.edit("backups", "sed -i 's/^    # trigger: {every: 15m}/    trigger: {every: 1h}/; s/^    # command: .*/    command: [echo, hi]/' \"$1\"")
        self.assertIn("did you mean 'backup'?", err)
        self.assertIn("Added backups.", err)
        job = json.loads(self.ctl("show", "backups", "--json"))
        self.assertEqual((job["command"], job["trigger"]["seconds"]), (["echo", "hi"], 3600))
        seen = (self.d.dir / "seen").read_text()
        for words in ("# trigger: {cron:", "# timeout:", "# retry:", "after which a run is stopped"):
            self.assertIn(words, seen)
        self.assertIn("No job was made", self.edit("other", ""))
        self.assertIn("no job 'other'", self.err("show", "other", status=4))
        self.edit("not/an/id", "", status=4)

    # ---- Choosing ----

    def test_events_by_several_names_and_the_latest(self):
        self.add("a")
        self.ctl("run", "-w", "a")
        self.ctl("pause", "a")
        names = [row["event"] for row in json.loads(self.ctl("events", "--event", "run_started,job_executed", "--json"))]
        self.assertEqual(names, ["run_started", "job_executed"])
        self.assertEqual(len(self.ctl("events", "-n", "2").splitlines()), 2)
        self.assertEqual([row["event"] for row in json.loads(self.ctl("events", "-n", "1", "--json"))], ["job_modified"])
        self.assertIn("-n", self.err("events", "-n", "0", status=2))
        self.assertIn("nosuch", self.err("events", "--event", "job_added,nosuch", status=2))

    def test_history_by_tag_and_group_and_failure(self):
        self.add("a", "exit 1", "-t", "kind=db")
        self.add("b", "true", "-t", "kind=db", "-g", "io")
        self.add("c", "exit 2", "-g", "io")
        for job in "abc":
            self.d.ctl("run", "-w", job)
        ids = lambda *argv: sorted(self.ctl("history", *argv, "-o", "name").split())
        self.assertEqual(ids("-t", "kind=db"), ["a/1", "b/1"])
        self.assertEqual(ids("-g", "io"), ["b/1", "c/1"])
        self.assertEqual(ids("-g", "io", "-t", "kind"), ["b/1"])
        self.assertEqual(ids("--failed"), ["a/1", "c/1"])
        self.assertEqual(ids("--failed", "-t", "kind=db"), ["a/1"])
        self.assertEqual(ids("-t", "nosuch"), [])
        self.assertIn("--state", self.err("history", "--failed", "--state", "lost", status=2))
        self.assertIn("a/1", self.err("history", "a/1", "-t", "kind", status=2))

    # ---- Defaults ----

    def test_defaults_of_the_config_for_any_field(self):
        self.config("defaults:\n  timeout: 7m\n  retry: 2\n  tags: {site: home}\n  env: {A: one, B: two}\n  notify: ['failure=mail:root']\n"
                    "  umask: '027'\n")
        self.ctl("add", "--id", "a", "--manual", "-e", "B=own", "--", "true")
        self.ctl("add", "--id", "b", "--manual", "--timeout", "1m", "-t", "x", "--", "true")
        file = self.d.dir / "jobs.yaml"
        file.write_text("version: 1\njobs:\n  c:\n    shell: 'true'\n    trigger: {every: 1h}\n    retry: 5\n")
        self.ctl("apply", "-f", str(file))
        a, b, c = (json.loads(self.ctl("show", job, "--json")) for job in "abc")
        self.assertEqual((a["timeout"], a["retry"]["limit"], a["tags"], a["umask"]), (420, 2, {"site": "home"}, "027"))
        self.assertEqual(a["env"], {"A": "one", "B": "own"})
        self.assertEqual(a["notify"], [{"on": "failure", "target": "mail:root"}])
        self.assertEqual((b["timeout"], c["timeout"], c["retry"]["limit"]), (60, 420, 5))
        self.assertEqual(json.loads(self.ctl("apply", "-f", str(file), "--json"))[0]["action"], "unchanged")
        self.ctl("modify", "a", "--unset", "timeout")
        self.assertIsNone(json.loads(self.ctl("show", "a", "--json"))["timeout"])
        self.assertIn("7m", self.ctl("config", "show", "defaults.timeout"))

    def test_a_default_that_no_job_could_have_is_a_fault_of_the_config(self):
        for line in ("timeout: never", "nosuch: 1", "trigger: {every: 1h}", "retry: {limits: 1}"):
            self.d.config.write_text(f"defaults:\n  {line}\n")
            err = self.err("config", "check", str(self.d.config), status=7)
            self.assertIn(line.split(":")[0], err)

    # ---- What takes long ----

    def says(self, argv, *words, then=None):
        """What it says, line by line; then: done after the first, or a list of what is done after each."""
        acts = then if isinstance(then, list) else [then]
        with subprocess.Popen([e2e.SCHEDCTL, *argv], env=self.d.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as child:
            try:
                for i, word in enumerate(words):
                    line = child.stderr.readline()
                    self.assertIn(word, line)
                    if i < len(acts) and acts[i]:
                        acts[i]()
            finally:
                child.kill()

    def test_a_wait_says_for_what(self):
        self.add("a")
        self.ctl("pause", "--scheduler")
        self.says(("run", "-w", "a"), "a/1 waits for the scheduler to be resumed", then=lambda: self.ctl("resume", "--scheduler"))
        self.ctl("add", "--id", "later", "--in", "1h", "--", "true")
        self.says(("wait", "later"), "job later waits for its time, 20", then=lambda: self.ctl("run", "later"))

    def test_a_wait_says_it_again_when_it_changes(self):
        self.config("")
        self.d.client().call("group.set", name="g", parallel=1)
        self.add("first", "sleep 60", "-g", "g")
        self.add("a", "true", "-g", "g")
        self.ctl("run", "first")
        self.says(("run", "-w", "a"), "a/1 waits for a place in group g", "a/1 waits for the scheduler to be resumed",
                  then=lambda: (self.ctl("pause", "--scheduler"), self.ctl("kill", "first")))

    def test_between_attempts_it_says_so_each_time(self):
        self.add("r", "echo try; exit 1", "--retry", "9", "--retry-delay", "2s")
        again = "r/1 waits for its next attempt in "
        self.says(("run", "-f", "r"), again, "r/1 waits for its job to be resumed", again, again, then=[
            lambda: self.ctl("pause", "r"), lambda: self.ctl("resume", "r")])

    def test_a_job_without_a_run_waits_for_what_it_lacks(self):
        self.add("first", "sleep 60")
        self.ctl("add", "--id", "next", "--after", "first", "--", "true")
        self.says(("wait", "next"), "job next waits for its first run: after first")
        self.ctl("add", "--id", "held", "--in", "1h", "--", "true")
        self.ctl("pause", "held", "--for", "1h")
        self.says(("wait", "held"), "job held waits to be resumed, at the latest 20", "job held waits for its time, 20",
                  "job held waits for its time, 2030-", then=[
                      lambda: self.ctl("resume", "held"), lambda: self.ctl("reschedule", "held", "--at", "2030-01-01")])

    def test_a_worker_that_cannot_be_started_is_named(self):
        self.d = self.daemon(start=False)
        self.d.config.write_text("executors:\n  broken: {type: worker, command: [/nonexistent/worker]}\n")
        self.d.start()
        self.ctl("add", "--id", "call", "--manual", "--executor", "broken", "--call", "m:f")
        words = "call/1 waits for a worker of executor broken: command '/nonexistent/worker': No such file or directory"
        self.says(("run", "-w", "call"), words)
        self.assertIn("run " + words, self.ctl("why", "call"))

    def test_a_quick_wait_says_nothing(self):
        self.add("a")
        self.assertEqual(self.err("run", "-w", "a"), "")

    # ---- Whom to be, whom to believe ----

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can be two users")
    def test_a_user_that_schedd_cannot_become_is_refused_at_once(self):
        home = self.d.dir / "nobody"
        home.mkdir()
        os.chown(home, 65534, 65534)
        self.d.dir.chmod(0o755)
        as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", f"SCHEDD_SOCKET={home}/s.sock"]
        with subprocess.Popen([*as_nobody, e2e.SCHEDD, "--state-dir", str(home / "state"), "--config", "/dev/null"],
                              stderr=subprocess.DEVNULL) as other:
            try:
                ctl = lambda *argv: subprocess.run([*as_nobody, e2e.SCHEDCTL, *argv], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(ctl("ping", "--wait-ready", "20s").returncode, 0)
                refused = ctl("add", "--manual", "-u", "root", "--", "true")
                self.assertEqual(refused.returncode, 6, refused.stderr)
                self.assertIn("user: ", refused.stderr)
                self.assertEqual(ctl("add", "--manual", "-u", "nosuchuser", "--", "true").returncode, 2)
                self.assertEqual(ctl("add", "--manual", "-u", "65534", "--", "true").returncode, 0)
            finally:
                other.terminate()

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can be two users")
    def test_a_socket_of_somebody_else_is_not_believed(self):
        directory = self.d.dir / "theirs"
        directory.mkdir()
        os.chown(directory, 65534, 65534)
        self.d.dir.chmod(0o755)
        code = ("import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n"
                "print('ready', flush=True)\ntime.sleep(60)\n")
        with subprocess.Popen(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", code,
                               str(directory / "s.sock")], stdout=subprocess.PIPE, text=True) as other:
            try:
                self.assertEqual(other.stdout.readline(), "ready\n")
                begin = time.monotonic()
                err = self.err("--socket", str(directory / "s.sock"), "list", status=6)
                self.assertIn("belongs to uid 65534", err)
                self.assertLess(time.monotonic() - begin, 10)
            finally:
                other.kill()


if __name__ == "__main__":
    unittest.main()
