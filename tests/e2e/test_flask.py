# SPDX-License-Identifier: MIT
"""Flask-APScheduler's routes: the real package and ours are asked the same, and answer the same."""
import datetime
import http.client
import json
import os
import pathlib
import subprocess
import sys
import unittest

import e2e
from test_http import HttpCase, free_port

PACKAGES = ["Flask-APScheduler==1.13.1", "Flask==3.0.3", "Werkzeug==3.0.6", "APScheduler==3.11.0", "tzlocal==5.2"]
REAL = """
import logging, sys
from flask import Flask
from flask_apscheduler import APScheduler
app = Flask(__name__)
app.config.update(SCHEDULER_API_ENABLED=True, SCHEDULER_TIMEZONE="Europe/Berlin")
scheduler = APScheduler()
scheduler.init_app(app)
scheduler.start()
logging.getLogger("werkzeug").setLevel(logging.ERROR)
app.run(port=int(sys.argv[1]), threaded=True)
"""


def installed():
    """A virtual environment with the package, made once a build folder."""
    folder = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"], "pypi", "flask-apscheduler-1.13.1")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "-q", "install", "--disable-pip-version-check", *PACKAGES], check=True,
                       stdout=subprocess.DEVNULL)
        (folder / "ready").touch()
    return python


class Flask(HttpCase):
    def both(self):
        server = self.serve(extra="timezone: Europe/Berlin\n")
        (server.dir / "work.py").write_text("def ping(*args, **kwargs):\n    pass\n")
        self.real_port = free_port()
        while self.real_port == self.port:
            self.real_port += 1
        real = subprocess.Popen([installed(), "-c", REAL, str(self.real_port)], cwd=server.dir,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.addCleanup(real.wait)
        self.addCleanup(real.kill)
        e2e.wait_until("the real one answers", lambda: self._answers(self.real_port), 60)
        return server

    def _answers(self, port):
        try:
            return self.send(port, "GET", "")[0] == 200
        except OSError:
            return False

    def send(self, port, method, path, body=None, raw=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {"Authorization": f"Bearer {self.admin}"}
        if body is not None:
            raw = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, "/scheduler" + path, body=raw, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, None

    def close(self, real, ours, what):
        """The same instant, but for what passes between the two requests."""
        self.assertEqual(real is None, ours is None, what)
        if real:
            apart = datetime.datetime.fromisoformat(real) - datetime.datetime.fromisoformat(ours)
            self.assertLess(abs(apart.total_seconds()), 10, what)

    def same(self, method, path, body=None, values=True):
        """Same status, same members; of a job the same values but for what the clock gives."""
        real, ours = (self.send(port, method, path, body) for port in (self.real_port, self.port))
        self.assertEqual(ours[0], real[0], (method, path, body, real, ours))
        if not isinstance(real[1], dict):
            return ours
        self.assertEqual(sorted(ours[1]), sorted(real[1]), (method, path, body))
        if values and "error_message" not in real[1]:
            for name in set(real[1]) - {"misfire_grace_time", "current_host"}:
                if name.endswith(("_time", "_date")):
                    self.close(real[1][name], ours[1][name], (body, name))
                else:
                    self.assertEqual(ours[1][name], real[1][name], (method, path, body, name))
        return ours

    def test_the_same_as_the_package(self):
        self.both()
        ping = {"func": "work:ping"}
        self.same("GET", "")
        self.same("GET", "/jobs")
        for body in (
                {"id": "i", "trigger": "interval", "hours": 2, "seconds": 90, "args": [1, "x"], "kwargs": {"ä": 2}},
                {"id": "d", "trigger": "date", "run_date": "2030-07-01 12:00:00"},
                {"id": "e", "trigger": "date", "run_date": "2030-07-01T12:00:00+05:30"},
                {"id": "c", "trigger": "cron", "day_of_week": "mon-fri", "hour": 4, "minute": "30"},
                {"id": "b", "trigger": "cron", "minute": "*/15", "start_date": "2027-01-01", "end_date": "2028-01-01"},
                {"id": "o", "trigger": {"type": "interval", "minutes": 120}},
                {"id": "p", "trigger": "interval", "hours": 1, "next_run_time": None},
                {"id": "n", "trigger": "interval", "days": 1, "name": "a name", "max_instances": 3},
                {"id": "i", "trigger": "interval", "hours": 3, "replace_existing": True}):
            self.same("POST", "/jobs", {**ping, **body})
        for body in ({"id": "i", "trigger": "interval", "seconds": 5}, {"id": "x", "trigger": "bogus"},
                     {"trigger": "interval", "seconds": 5}, {"id": "x", "trigger": "interval", "seconds": "a"},
                     {"id": "x", "trigger": "cron", "hour": 99}, {"id": "x", "trigger": "interval", "seconds": 5, "y": 1},
                     {"id": "x", "trigger": "interval", "seconds": 5, "max_instances": 0},
                     {"id": "x", "func": "nocolon", "trigger": "interval", "seconds": 5},
                     {"id": "x", "func": None, "trigger": "interval", "seconds": 5}):
            self.same("POST", "/jobs", {**ping, **body})
        for id_ in "idcbopn":
            self.same("GET", f"/jobs/{id_}")
        self.same("GET", "/jobs/none")
        ids = [[job["id"] for job in self.send(port, "GET", "/jobs")[1]] for port in (self.real_port, self.port)]
        self.assertEqual(ids[1], ids[0])
        for body in ({"name": "new", "max_instances": 5, "misfire_grace_time": 33}, {}, {"trigger": "interval", "hours": 5},
                     {"seconds": 5}, {"bogus": 1}, {"func": "work:ping", "args": [3]}, {"args": [4]},
                     {"next_run_time": None}):
            self.same("PATCH", "/jobs/i", body)
        self.same("PATCH", "/jobs/none", {"name": "x"})
        for path in ("/jobs/i/pause", "/jobs/i/pause", "/jobs/i/resume", "/jobs/none/pause", "/jobs/none/run", "/pause",
                     "/resume", "/start"):
            self.same("POST", path)
        self.same("DELETE", "/jobs/i")
        self.same("DELETE", "/jobs/i")
        self.assertEqual(self.send(self.port, "POST", "/shutdown")[0], 409)

    def test_what_would_do_harm_later_is_refused(self):
        self.serve()
        for wrong in ({"seconds": -5}, {"seconds": 5, "executor": "nope"}, {"seconds": 5, "jobstore": "nope"}):
            status, answer = self.send(self.port, "POST", "/jobs", {"id": "a", "func": "m:f", "trigger": "interval", **wrong})
            self.assertIn(status, (400, 500), answer)
            self.assertNotIn("Job", answer["error_message"])
        self.assertEqual(self.send(self.port, "GET", "/jobs")[1], [])

    def test_without_a_date_it_runs_now(self):
        server = self.serve()
        for name, body in (("a", {}), ("b", {"trigger": "date"}), ("c", {"trigger": None})):
            self.assertEqual(self.send(self.port, "POST", "/jobs", {"id": name, "func": "m:f", **body})[0], 200)
            e2e.wait_until("it ran", lambda job=name: server.client().call("run.list", jobs=[job])["runs"])

    def test_a_patch_happens_wholly_or_not_at_all(self):
        self.serve()
        self.send(self.port, "POST", "/jobs", {"id": "a", "func": "m:f", "trigger": "interval", "hours": 1})
        status, _ = self.send(self.port, "PATCH", "/jobs/a", {"trigger": "interval", "hours": 2, "max_instances": 0})
        self.assertEqual(status, 500)
        self.assertEqual(self.send(self.port, "GET", "/jobs/a")[1]["hours"], 1)

    def test_run_answers_when_it_has_run(self):
        server = self.serve()
        client = server.client()
        client.call("job.add", id="good", shell="true", trigger={"manual": True})
        client.call("job.add", id="bad", shell="exit 3", trigger={"manual": True})
        self.assertEqual(self.send(self.port, "POST", "/jobs/good/run")[1]["id"], "good")
        self.assertEqual(client.call("run.get", run="good/1")["state"], "success")
        self.assertEqual(self.send(self.port, "POST", "/jobs/bad/run"), (500, {"error_message": "exit code 3"}))

    def test_without_credentials(self):
        self.serve()
        answer = self.ask("GET", "/scheduler/jobs", token="")
        self.assertEqual((answer.status, answer.body), (401, b"Access Denied"))
        self.assertIn("Basic", answer.headers["WWW-Authenticate"])


if __name__ == "__main__":
    unittest.main()
