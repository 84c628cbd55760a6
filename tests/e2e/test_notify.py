# SPDX-License-Identifier: MIT
"""Who is told of what: notifications of jobs, chains, groups, events and listeners."""
import http.server
import json
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import time
import unittest

import e2e

PLUGINS = os.environ["SCHEDD_BINARY_DIR"] + "/tests/plugins"


class Notify(e2e.TestCase):
    def start(self, config="", **env):
        self.server = self.daemon(start=False)
        self.server.config.write_text(config)
        self.server.start(**env)
        self.client = self.server.client()

    def run_job(self, name, **params):
        run = self.client.call("job.run", id=name, **params)["run"]
        self.client.call("run.wait", run=run)
        return self.client.call("run.get", run=run)

    def lines(self, name, count):
        path = self.server.dir / name

        def look():
            found = path.read_text().splitlines() if path.exists() else []
            return found if len(found) >= count else None
        return e2e.wait_until(f"{count} lines of {name}", look)

    def test_commands_get_json_and_variables(self):
        self.start()
        out = self.server.dir
        words = ("failure", "recovery", "change", "success")
        rules = {word: [f'cat > {out}/json-$SCHEDD_NOTIFY.$$; mv {out}/json-$SCHEDD_NOTIFY.$$ {out}/json-$SCHEDD_NOTIFY; '
                        f'echo "$SCHEDD_NOTIFY $SCHEDD_STATE $SCHEDD_RUN $SCHEDD_JOB_ID $SCHEDD_EXIT_CODE $SCHEDD_REASON" '
                        f'>> {out}/said'] for word in words}
        self.client.call("job.add", id="a", shell=f"exit $(cat {out}/code)", notify=rules, trigger={"every": "1h"})
        for code, lines in ((0, 1), (3, 3), (3, 4), (0, 7)):
            (out / "code").write_text(str(code))
            self.run_job("a")
            self.lines("said", lines)
        said = sorted(" ".join(line.split()[:2]) for line in self.lines("said", 7))
        self.assertEqual(said, sorted(["success success", "failure failed", "change failed", "failure failed",
                                       "success success", "change success", "recovery success"]))
        failed = [line for line in self.lines("said", 7) if line.startswith("failure")]
        self.assertEqual(sorted(failed), [f"failure failed a/{n} a 3 exit code 3" for n in (2, 3)])
        payload = json.loads((out / "json-recovery").read_text())
        self.assertEqual((payload["notify"], payload["id"], payload["state"]), ("recovery", "a/4", "success"))

    def test_mail_goes_through_sendmail(self):
        self.start()
        out = self.server.dir
        (out / "sendmail").write_text(f'#!/bin/sh\necho "$@" > {out}/arguments\ncat > {out}/mail.new\nmv {out}/mail.new {out}/mail\n')
        (out / "sendmail").chmod(0o755)
        self.server.config.write_text(f"notify:\n  sendmail: {out}/sendmail\n")
        self.assertEqual(self.client.call("server.reload")["changed"], ["notify.sendmail"])
        self.client.call("job.add", id="a", name="Größe\nSubject: x", shell="seq 40; printf 'gr\\303\\266\\337er\\033[1m'; exit 1",
                         notify={"failure": ["mail:root@example.org"]}, trigger={"cron": "30 2 * * *", "timezone": "Europe/Berlin"})
        self.run_job("a")
        e2e.wait_until("the mail", (out / "mail").exists)
        self.assertEqual((out / "arguments").read_text(), "-t -oi\n")
        head, body = (out / "mail").read_text().split("\n\n", 1)
        host = socket.gethostname()
        self.assertTrue(head.startswith(f"To: root@example.org\nSubject: schedd: job a failed on {host}: exit code 1\n"), head)
        for line in (f"Host:     {host}", "Schedule: At 02:30 every day, Europe/Berlin", "Reason:   exit code 1", "Run:      a/1, attempt 1",
                     "    40", "    22", r"    grö\xdfer\x1b[1m", "    schedctl logs a/1    all it wrote", r"Name:     Größe\x0aSubject: x"):
            self.assertIn(line, body.splitlines())
        self.assertNotIn("    21\n", body, "the last twenty lines")
        self.assertRegex(body, r"(?m)^Ended:    \d{4}-\d\d-\d\d \d\d:\d\d:\d\d Europe/Berlin$")
        self.assertRegex(body, r"(?m)^Command:  seq 40; ")
        self.assertNotIn("{", body, "no JSON for people")

    def web(self, got):
        """The URL of a server that keeps what is posted to it."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append((self.headers["Content-Type"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/hook"

    def test_requests_are_posted(self):
        self.start()
        got = []
        url = self.web(got)
        self.client.call("job.add", id="a", shell="exit 4", notify={"failure": [url]}, trigger={"every": "1h"})
        self.run_job("a")
        e2e.wait_until("the request", lambda: got)
        self.assertEqual(got[0][0], "application/json")
        self.assertEqual((got[0][1]["id"], got[0][1]["exit_code"]), ("a/1", 4))

    def test_late_and_missed(self):
        self.start()
        out = self.server.dir
        rules = {word: [f'cat > {out}/{word}.new; mv {out}/{word}.new {out}/{word}; echo $SCHEDD_NOTIFY $SCHEDD_STATE >> {out}/said']
                 for word in ("late", "missed", "failure")}
        past = int((time.time() - 120) * 1e6)
        for name, grace in (("slow", None), ("gone", 1)):
            self.client.call("job.add", id=name, shell="true", notify=rules, trigger={"every": "1h"}, misfire_grace_time=grace,
                             next_run_time=past)
        self.assertEqual(sorted(self.lines("said", 2)), ["late success", "missed missed"])
        late, missed = (json.loads((out / word).read_text()) for word in ("late", "missed"))
        self.assertEqual((late["id"], late["state"], late["notify"]), ("slow/1", "success", "late"))
        self.assertEqual((missed["id"], missed["state"], missed["notify"]), ("gone/1", "missed", "missed"))
        self.assertIn("misfire_grace_time", missed["reason"])

    def test_a_target_that_fails_is_recorded(self):
        self.start()
        self.client.call("job.add", id="a", shell="exit 1", notify={"failure": ["exit 9"]}, trigger={"every": "1h"})
        self.run_job("a")
        status = e2e.wait_until("it is counted", lambda: [
            s for s in [self.client.call("server.status")["scheduler"]] if s["notify_failed"]])[0]
        self.assertIn("run a/1", status["notify_error"])
        for target in ("mail:", "http://", ""):
            self.refused("invalid_argument", self.client.call, "job.modify", id="a", notify={"failure": [target]})

    def test_chains(self):
        self.start()
        out = self.server.dir
        self.client.call("job.add", id="a", shell=f"exit $(cat {out}/code)", trigger={"every": "1h"})
        for word in ("ok", "fail", "any"):
            self.client.call("job.add", id=f"after-{word}", shell=f"echo {word} >> {out}/ran", after=[f"a:{word}"])
        self.client.call("job.add", id="last", shell=f"echo last >> {out}/ran", after=["after-ok"])
        (out / "code").write_text("0")
        self.run_job("a")
        self.assertEqual(sorted(self.lines("ran", 3)), ["any", "last", "ok"])
        (out / "code").write_text("1")
        self.run_job("a")
        self.assertEqual(sorted(self.lines("ran", 5)), ["any", "any", "fail", "last", "ok"])
        for chain in (["last"], ["after-ok:any"]):
            self.assertIn("circle", self.refused("invalid_argument", self.client.call, "job.modify", id="a", after=chain))
        self.assertIn("itself", self.refused("invalid_argument", self.client.call, "job.modify", id="a", after=["a"]))
        run = self.client.call("run.list", jobs=["last"])["runs"][0]
        self.assertEqual(run["trigger"], "after")

    def test_groups_and_priorities(self):
        self.start()
        out = self.server.dir
        os.mkfifo(out / "go")
        self.refused("invalid_argument", self.client.call, "group.set", name="io", parallel=0)
        self.client.call("group.set", name="io", parallel=1)
        for name, priority in (("first", 0), ("low", -5), ("high", 5), ("mid", 0)):
            self.client.call("job.add", id=name, group="io", priority=priority, cwd=str(out), trigger={"every": "1h"},
                             shell=f"read x < go; echo {name} >> ran")
        first = self.client.call("job.run", id="first")["run"]
        self.client.call("run.wait", run=first, **{"for": "running"})
        for name in ("low", "mid", "high"):
            self.client.call("job.run", id=name)
        facts = self.client.call("job.why", id="low")["facts"]
        self.assertIn("run low/1 waits for a place in group io (1 of 1 taken)", facts)
        for count in range(1, 5):
            with open(out / "go", "w") as go:
                go.write("x\n")
            self.lines("ran", count)
        self.assertEqual(self.lines("ran", 4), ["first", "high", "mid", "low"])
        self.client.call("group.set", name="io", parallel=2)
        self.server.stop()
        self.server.start()
        self.client = self.server.client()
        group = [g for g in self.client.call("group.list") if g["name"] == "io"]
        self.assertEqual([g["parallel"] for g in group], [2])

    def test_events_resume_and_tell_of_holes(self):
        self.start("events:\n  ring: 20\n")
        self.client.call("job.add", id="a", shell="true", trigger={"every": "1h"})
        seq = self.client.call("server.status")["scheduler"]["event_seq"]
        self.run_job("a")
        code, out, _ = self.server.ctl("events", "--since", str(seq), "--json")
        events = [json.loads(line) for line in out.splitlines()] if not out.startswith("[") else json.loads(out)
        self.assertEqual(code, 0)
        self.assertEqual([e["event"] for e in events], ["job_submitted", "run_started", "job_executed"])
        self.assertEqual([e["seq"] for e in events], [seq + 1, seq + 2, seq + 3])
        for _ in range(10):
            self.run_job("a")
        other = self.server.client()
        answer = other.call("event.subscribe", since=seq)
        self.assertGreater(answer["first"], seq + 1)
        code, out, err = self.server.ctl("events", "--since", str(seq), "--json")
        self.assertIn(str(answer["first"]), out + err)
        self.assertRegex(err, r"(?i)lost|no longer|missing|gone|hole")

    def test_listeners_of_every_kind(self):
        out = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, out)
        got = []
        config = f"""
listeners:
  - {{name: runs, run: 'cat >> {out}/run; env >> {out}/env', events: [job_error]}}
  - {{name: calls, call: "report:keep", events: [job_executed]}}
  - {{name: asks, http: "POST {self.web(got)}", events: [job_error], jobs: ["b*"]}}
  - {{name: absent, call: "report:nothing", events: [job_executed]}}
"""
        self.start(config, SCHEDD_PLUGIN_DIR=PLUGINS, REPORT_FILE=str(out / "kept"))
        for name, shell in (("a", "true"), ("b", "exit 3")):
            self.client.call("job.add", id=name, shell=shell, trigger={"type": "manual"})
            self.run_job(name)
        rows = e2e.wait_until("all were told", lambda: [
            rows for rows in [{row["name"]: row for row in self.client.call("server.status")["listeners"]}]
            if all(row["delivered"] + row["failed"] == 1 for row in rows.values())])[0]
        self.assertEqual({name: row["delivered"] for name, row in rows.items()}, {"runs": 1, "calls": 1, "asks": 1, "absent": 0})
        self.assertIn("nothing", rows["absent"]["last_error"])
        called, ran, asked = json.loads((out / "kept").read_text()), json.loads((out / "run").read_text()), got[0][1]
        self.assertEqual((called["event"], called["run"]), ("job_executed", "a/1"))
        self.assertEqual((ran["event"], ran["run"], ran["exit_code"], ran["code"]), ("job_error", "b/1", 3, 8192))
        self.assertEqual(ran, asked)
        env = dict(line.split("=", 1) for line in (out / "env").read_text().splitlines() if line.startswith("SCHEDD_"))
        self.assertEqual((env["SCHEDD_EVENT"], env["SCHEDD_EVENT_CODE"], env["SCHEDD_JOB_ID"], env["SCHEDD_EVENT_RUN"],
                          env["SCHEDD_EXIT_CODE"], env["SCHEDD_EVENT_SEQ"]), ("job_error", "8192", "b", "b/1", "3", str(ran["seq"])))

    def test_listeners_delay_nothing(self):
        out = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, out)
        self.start(f"""
listeners:
  - {{name: hangs, run: sleep 100, timeout: 100}}
  - {{name: fails, run: exit 1}}
  - {{name: floods, run: "yes"}}
  - {{name: good, jobs: ["a*"], tags: [k], events: [job_executed], run: echo "$SCHEDD_JOB_ID" >> {out}/told}}
""")
        for name, tags in (("a1", {"k": "v"}), ("a2", {}), ("b1", {"k": "v"})):
            self.client.call("job.add", id=name, shell="true", tags=tags, trigger={"every": "1h"})
        begin = time.monotonic()
        for _ in range(20):
            for name in ("a1", "a2", "b1"):
                self.run_job(name)
        self.assertLess(time.monotonic() - begin, 60, "jobs wait for listeners")
        told = pathlib.Path(out, "told")
        e2e.wait_until("the good one is told", lambda: told.exists() and len(told.read_text().split()) == 20)
        self.assertEqual(set(told.read_text().split()), {"a1"})
        rows = {row["name"]: row for row in self.client.call("server.status")["listeners"]}
        self.assertGreater(rows["fails"]["failed"], 0)
        self.assertEqual(rows["hangs"]["delivered"], 0)


if __name__ == "__main__":
    unittest.main()
