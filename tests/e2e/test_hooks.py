# SPDX-License-Identifier: MIT
"""Webhooks: who can sign the body runs the job, once a delivery, also after a restart; nobody else learns anything."""
import concurrent.futures
import hashlib
import hmac
import json
import os
import pwd
import signal
import socket
import time
import unittest

import e2e
from test_http import HttpCase

SECRET = b"It's a Secret to Everybody"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


class HookCase(HttpCase):
    def hooked(self, **options):
        server = self.serve(**options)
        self.secret = server.dir / "secret"
        self.secret.write_bytes(SECRET + b"\n")
        self.put("deploy")
        return server

    def put(self, job, **fields):
        fields = {"trigger": {"manual": True}, "shell": "echo $TRACEPARENT", "max_instances": 100, "hook": str(self.secret), **fields}
        self.assertIn(self.ask("PUT", f"/api/v1/jobs/{job}", fields).status, (200, 201))

    def send(self, job="deploy", body=b'{"ref":"main"}', sign=None, **headers):
        headers.setdefault("X_Hub_Signature_256", signature(body) if sign is None else sign)
        headers = {name: value for name, value in headers.items() if value}
        return self.ask("POST", f"/hooks/{job}", raw=body, token=False, **headers)

    def ctl(self, *argv):
        status, out, err = self.server.ctl(*argv)
        self.assertEqual(status, 0, err)
        return out

    def shown(self, *argv):
        return json.loads(self.ctl(*argv, "--json"))

    def runs(self, job="deploy"):
        return len(self.ask("GET", f"/api/v1/runs/{job}").json["runs"])


class Hooks(HookCase):
    def test_a_signed_body_runs_the_job(self):
        self.hooked()
        answer = self.send()
        self.assertEqual((answer.status, answer.json, answer.headers["Location"]), (202, {"run": "deploy/1"}, "/api/v1/runs/deploy/1"))
        self.assertEqual(self.send(sign=signature(b'{"ref":"main"}').upper().replace("SHA256", "sha256")).json, {"run": "deploy/2"})
        self.assertEqual(self.send(body=b"").json, {"run": "deploy/3"})
        self.assertEqual(self.send(body=b"\0\xff" * 1000000, Content_Type="text/plain", Origin="http://evil.example").json, {"run": "deploy/4"})
        # The example of GitHub's documentation.
        self.assertEqual(signature(b"Hello, World!"), "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
        self.assertEqual(self.send(body=b"Hello, World!", traceparent=TRACE).json, {"run": "deploy/5"})
        self.ctl("wait", "deploy/5")
        self.assertEqual(self.ask("GET", "/api/v1/runs/deploy/5/log").body.decode(), TRACE + "\n")
        self.assertEqual(self.shown("show", "deploy")["hook"], {"secret_file": str(self.secret)})

    def test_a_delivery_runs_it_once_also_after_a_restart(self):
        server = self.hooked()
        first = self.send(X_GitHub_Delivery="72d3162e")
        self.assertEqual(first.json, {"run": "deploy/1"})
        again = self.send(X_GitHub_Delivery="72d3162e", body=b"other")
        self.assertEqual((again.status, again.json, again.headers["Idempotency-Replayed"]), (202, first.json, "true"))
        self.assertEqual(self.send(Idempotency_Key="72d3162e").json, first.json)
        self.assertEqual(self.send(Idempotency_Key="72d3162f").json, {"run": "deploy/2"})
        self.put("other")
        self.assertEqual(self.send("other", X_GitHub_Delivery="72d3162e").json, {"run": "other/1"})
        # Repeated while the first one is begun.
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = [pool.submit(self.send, X_GitHub_Delivery="at once").result for _ in range(16)]
            self.assertEqual({answer().json["run"] for answer in answers}, {"deploy/3"})
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        with (server.state / "hooks.seen").open("ab") as seen:
            seen.write(b"1764 9")  # a line that a crash cut off
        server.start()
        self.assertEqual(self.send(X_GitHub_Delivery="72d3162e").json, first.json)
        self.assertEqual(self.send(X_GitHub_Delivery="new").json, {"run": "deploy/4"})
        server.stop()
        server.start()
        self.assertEqual(self.send(X_GitHub_Delivery="new").json, {"run": "deploy/4"})
        self.assertEqual(self.runs(), 4)

    def test_a_delivery_is_remembered_for_a_day(self):
        server = self.hooked()
        self.send(Idempotency_Key="k")
        seen = server.state / "hooks.seen"
        line = seen.read_text().split()
        self.assertNotIn("k", line)
        for age, run in ((86300, 1), (86500, 2), (86300, 2), (2 * 86400 + 10, 3)):
            server.stop()
            seen.write_text(f"{int(time.time()) - age} {run if age == 86300 else run - 1} {line[2]}\nnonsense\n{'9' * 70}\n-1 1 zz\n")
            server.start()
            with self.subTest(age=age):
                self.assertEqual(self.send(Idempotency_Key="k").json, {"run": f"deploy/{run}"})
        self.assertEqual(seen.stat().st_mode & 0o777, 0o600)

    def test_whoever_cannot_sign_runs_nothing(self):
        server = self.hooked()
        self.ctl("add", "--id", "plain", "--manual", "--", "true")
        known = self.send("plain")
        self.assertEqual((known.status, known.body), (404, self.send("nosuch").body))
        self.assertEqual(self.send("../../etc/passwd").status, 404)
        self.assertEqual(self.ask("GET", "/hooks/deploy").status, 405)
        body = b'{"ref":"main"}'
        for wrong in (signature(body, b"guess"), signature(body, SECRET + b"\n"), signature(body, b""), signature(body + b" "), "sha256=", "sha256=" + "0" * 64,
                      "sha1=" + hmac.new(SECRET, body, hashlib.sha1).hexdigest(), signature(body)[:-1], signature(body) + "0"):
            with self.subTest(signature=wrong):
                answer = self.send(sign=wrong)
                self.assertEqual((answer.status, answer.json["error"]), (401, "permission_denied"))
                self.assertTrue(answer.headers["WWW-Authenticate"])
        self.assertEqual(self.send(sign="").status, 401)
        # A token says nothing here, and a signature nothing elsewhere.
        self.assertEqual(self.ask("POST", "/hooks/deploy", raw=body).status, 401)
        self.assertEqual(self.ask("POST", "/api/v1/jobs/deploy/run", raw=body, token=False, X_Hub_Signature_256=signature(body)).status, 401)
        self.send(sign="sha256=" + "1" * 64)
        slow = self.send()
        self.assertEqual(slow.status, 429)
        self.assertGreaterEqual(int(slow.headers["Retry-After"]), 1)
        self.assertEqual(self.shown("history", "deploy"), [])

    def test_secrets_and_wrong_signatures_are_told_of_without_their_letters(self):
        server = self.hooked()
        for turn in range(5):
            self.send(sign=signature(b"x", b"%d" % turn))
        events = [event for event in self.shown("events") if event["event"] == "access_denied"]
        self.assertEqual(len(events), 1, "one stands for all of a minute")
        self.assertIn("wrong signatures from 127.0.0.1", events[0]["error"])
        seen = server.log.read_text() + json.dumps(self.shown("events")) + json.dumps(self.shown("show", "deploy")) + self.ctl("export")
        self.assertNotIn(SECRET.decode(), seen)
        self.assertNotIn(signature(b'{"ref":"main"}')[7:], seen)

    def test_a_delivery_id_has_a_form(self):
        self.hooked()
        self.assertEqual(self.send(Idempotency_Key="x" * 256).status, 400)
        self.assertEqual(self.send(Idempotency_Key="x" * 255).status, 202)

    def test_a_secret_that_cannot_be_read_runs_nothing(self):
        server = self.hooked()
        fifo = server.dir / "fifo"
        os.mkfifo(fifo)
        for name, change in (("empty", lambda: self.secret.write_bytes(b"\n")), ("huge", lambda: self.secret.write_bytes(b"x" * 70000)),
                             ("writable", lambda: (self.secret.write_bytes(SECRET), self.secret.chmod(0o666))), ("gone", lambda: self.secret.unlink()),
                             ("fifo", lambda: fifo.rename(self.secret))):
            with self.subTest(name):
                change()
                answer = self.send()
                self.assertEqual(answer.status, 500)
                self.assertNotIn(str(self.secret), answer.body.decode())
        self.assertIn(f"the secret of the hook of job deploy: {self.secret}: it can be written by others", server.log.read_text())
        self.assertEqual(self.runs(), 0)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to have jobs of others")
    def test_an_account_lends_no_file_of_root(self):
        server = self.hooked(extra="users: {allow: [games]}\n")
        server.dir.chmod(0o755)
        token = server.client().add_token(name="g", role="user", account="games")
        job = {"trigger": {"manual": True}, "command": ["/usr/bin/id", "-un"], "hook": {"secret_file": str(self.secret)}}
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/g", job, token=token).status, 201)
        self.assertEqual(self.send("games:g").status, 500)
        self.assertIn("it is not the account's own", server.log.read_text())
        link = server.dir / "link"
        link.symlink_to(self.secret)
        self.ask("PATCH", "/api/v1/jobs/g", {"hook": str(link)}, token=token)
        self.assertEqual(self.send("games%3Ag").status, 500)
        os.chown(self.secret, pwd.getpwnam("games").pw_uid, 0)
        self.assertEqual(self.send("games:g").json, {"run": "games:g/1"})
        self.ctl("wait", "games:g/1")
        self.assertEqual(self.ctl("logs", "games:g/1"), "games\n")
        self.assertEqual(self.send("deploy").status, 500, "the daemon's own job takes no file of others")

    def test_bodies_of_four_mebibytes(self):
        self.hooked()
        self.assertEqual(self.send(body=b"x" * (4 << 20)).status, 202)
        self.assertEqual(self.send(body=b"x" * ((4 << 20) + 1)).status, 413)

    def test_who_leaves_has_begun_a_run_once(self):
        """A sender without patience: the delivery that it repeats is the one that it began."""
        self.hooked()
        body = b"{}"
        request = (f"POST /hooks/deploy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nX-GitHub-Delivery: gone\r\n"
                   f"X-Hub-Signature-256: {signature(body)}\r\n\r\n").encode() + body
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", self.port)) as peer:
                peer.sendall(request)
        e2e.wait_until("the run is there", lambda: self.runs() or self.send(body=body, X_GitHub_Delivery="gone").status == 202)
        self.assertEqual(self.send(body=body, X_GitHub_Delivery="gone").json, {"run": "deploy/1"})
        self.assertEqual(self.runs(), 1)


class Traces(HookCase):
    def test_a_trace_goes_on_in_the_run(self):
        server = self.hooked()
        for path, body in (("/api/v1/jobs/deploy/run", None), ("/api/v1/runs/deploy/1/retry", None), ("/api/v1/rpc/job.run", {"id": "deploy", "traceparent": TRACE})):
            run = self.ask("POST", path, body, traceparent=TRACE).json["run"]
            self.ctl("wait", run)
            self.assertEqual(self.ctl("logs", run), TRACE + "\n")
        for wrong in ("", "x", TRACE[:-1], TRACE.upper(), "ff" + TRACE[2:], TRACE + "-x", TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), "$(id)" + TRACE):
            with self.subTest(trace=wrong):
                run = self.ask("POST", "/api/v1/jobs/deploy/run", traceparent=wrong).json["run"]
                self.ctl("wait", run)
                self.assertEqual(self.ctl("logs", run), "\n")
                self.assertEqual(self.ask("POST", "/api/v1/rpc/job.run", {"id": "deploy", "traceparent": wrong}).status, 400)
        later = "01" + TRACE[2:] + "-more"
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.run", {"id": "deploy", "traceparent": later, "env": {"A": "b"}}).status, 200)


if __name__ == "__main__":
    unittest.main()
