# SPDX-License-Identifier: MIT
"""HTTP: who may ask, jobs and runs as resources, events and output that go on, and refusals."""
import base64
import crypt
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import e2e


def free_port():
    """Below the range from which the kernel gives out ports."""
    for port in range(20000 + os.getpid() % 8000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class HttpCase(e2e.TestCase):
    def serve(self, extra="", **options):
        self.port = free_port()
        server = self.daemon(start=False, **options)
        server.tokens = server.dir / "tokens"
        server.config.write_text(f"http:\n  listen: ['127.0.0.1:{self.port}', 'unix:{server.dir}/http.sock']\n"
                                 f"  tokens: {server.tokens}\n{extra}")
        server.start()
        self.server = server
        self.admin = server.client().add_token(name="root", role="admin")
        return server

    def ask(self, method, path, body=None, token=None, raw=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is None:
            token = self.admin
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            raw = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=raw, headers=headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def raw(self, text, seconds=20):
        """Sends bytes as they are and answers all that comes until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as peer:
            peer.sendall(text)
            got = b""
            while piece := peer.recv(65536):
                got += piece
            return got


class Resources(HttpCase):
    def test_a_job_from_its_beginning_to_its_end(self):
        self.serve()
        job = {"command": ["/bin/sh", "-c", "echo out; echo err >&2"], "trigger": {"manual": True}}
        made = self.ask("PUT", "/api/v1/jobs/a", job)
        self.assertEqual((made.status, made.headers["ETag"]), (201, '"1"'))
        self.assertRegex(made.json["created_at"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a").json, made.json)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a", If_None_Match='"1"').status, 304)
        head = self.ask("HEAD", "/api/v1/jobs/a")
        self.assertEqual((head.status, int(head.headers["Content-Length"]), head.body),
                         (200, len(made.body), b""))

        self.assertEqual(self.ask("PUT", "/api/v1/jobs/a", job, If_None_Match="*").status, 412)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/a", job, If_Match='"7"').status, 412)
        self.assertEqual(self.ask("PATCH", "/api/v1/jobs/a", {"name": "x"}, If_Match='"7"').status, 412)
        changed = self.ask("PATCH", "/api/v1/jobs/a", {"name": "x"}, If_Match='"1"')
        self.assertEqual((changed.status, changed.json["name"], changed.headers["ETag"]), (200, "x", '"2"'))
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/a", job, If_Match='"2"').status, 200)
        self.assertIsNone(self.ask("GET", "/api/v1/jobs/a").json["name"])

        ran = self.ask("POST", "/api/v1/jobs/a/run")
        self.assertEqual((ran.status, ran.json, ran.headers["Location"]), (202, {"run": "a/1"}, "/api/v1/runs/a/1"))
        e2e.wait_until("the run ends", lambda: self.ask("GET", "/api/v1/runs/a/1").json["state"] == "success")
        self.assertEqual(self.ask("GET", "/api/v1/runs/a/1/log").body, b"out\nerr\n")
        self.assertEqual([run["id"] for run in self.ask("GET", "/api/v1/runs/a?limit=5").json["runs"]], ["a/1"])
        self.assertEqual(self.ask("POST", "/api/v1/runs/a/1/retry").json, {"run": "a/2"})

        self.assertTrue(self.ask("POST", "/api/v1/jobs/a/pause", {"reason": "r"}).json["paused"])
        self.assertEqual([job["id"] for job in self.ask("GET", "/api/v1/jobs?states=paused,running").json["jobs"]], ["a"])
        self.assertFalse(self.ask("POST", "/api/v1/jobs/a/resume").json["paused"])
        self.assertEqual(self.ask("DELETE", "/api/v1/jobs/a").status, 204)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a").status, 404)

    def test_methods_of_the_protocol(self):
        self.serve()
        self.assertIs(self.ask("POST", "/api/v1/rpc/server.ping").json["ready"], True)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.get", {"id": "no"}).json["error"], "not_found")
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.gte", {}).status, 404)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.list", {"limt": 1}).status, 400)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.list", [1]).status, 400)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/event.subscribe", {}).status, 404)

    def test_output_that_goes_on(self):
        server = self.serve()
        gate = server.dir / "gate"
        os.mkfifo(gate)
        self.ask("PUT", "/api/v1/jobs/f", {"shell": f"echo first; read x <{gate}; echo $x", "trigger": {"manual": True}})
        self.ask("POST", "/api/v1/jobs/f/run")
        got = []
        reader = threading.Thread(target=lambda: got.append(self.ask("GET", "/api/v1/runs/f/1/log?follow=1").body))
        reader.start()
        e2e.wait_until("output is followed",
                       lambda: server.client().call("server.status")["http"]["streams"] == 1)
        gate.write_text("second\n")
        reader.join(20)
        self.assertEqual(got, [b"first\nsecond\n"])

    def test_events_go_on_behind_what_was_seen(self):
        server = self.serve()
        client = server.client()

        def listen(**headers):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v1/events?events=job_added",
                               headers={"Authorization": f"Bearer {self.admin}", **headers})
            return connection.getresponse()

        def event(stream):
            lines = {}
            while (line := stream.readline().decode().rstrip("\n")) or "data" not in lines:
                if ": " in line and not line.startswith(":"):
                    lines.update([line.split(": ", 1)])
            return lines

        stream = listen()
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
        client.call("job.add", id="one", command=["true"], trigger={"manual": True})
        first = event(stream)
        self.assertEqual((first["event"], json.loads(first["data"])["job"]), ("job_added", "one"))
        stream.close()
        client.call("job.add", id="two", command=["true"], trigger={"manual": True})
        again = event(listen(**{"Last-Event-ID": first["id"]}))
        self.assertEqual(json.loads(again["data"])["job"], "two")
        self.assertEqual(self.ask("GET", "/api/v1/events", Last_Event_ID="x").status, 400)

    def test_triggers_are_previewed(self):
        self.serve()
        seen = self.ask("GET", "/api/v1/next?cron=30+2+*+*+*&timezone=Europe/Berlin&n=2&from=2026-03-28T12:00:00Z").json
        self.assertEqual(seen["fire_times"], ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"])
        self.assertEqual(self.ask("GET", "/api/v1/next?cron=61+*+*+*+*").status, 400)

    def test_the_openapi_document_has_every_method(self):
        self.serve()
        document = self.ask("GET", "/api/v1/openapi.json").json
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertIn("put", document["paths"]["/api/v1/jobs/{id}"])
        source = pathlib.Path(os.environ["SCHEDD_SOURCE"], "proto/PROTOCOL.md").read_text()
        for method in ("job.add", "run.list", "token.add"):
            self.assertIn(f"`{method}`", source)
            self.assertIn(f"/api/v1/rpc/{method}", document["paths"])
        for path, item in document["paths"].items():
            for verb, operation in item.items():
                with self.subTest(path=path, verb=verb):
                    if operation.get("security") == []:
                        self.assertIn(path, ("/healthz", "/readyz", "/hooks/{job}"))
                    else:
                        self.assertIn(operation["x-schedd-role"], ("user", "operator", "admin"))
        # Who has the document alone can write a job from it, and follow its output.
        schemas = document["components"]["schemas"]
        self.assertEqual(document["paths"]["/api/v1/jobs/{id}"]["put"]["requestBody"]["content"]["application/json"]["schema"], {"$ref": "#/components/schemas/job"})
        self.assertLessEqual({"shell", "command", "trigger", "timeout", "hook", "tags"}, set(schemas["job"]["properties"]))
        self.assertIn("cron", schemas["trigger"]["properties"])
        for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
            part = document
            for name in ref.removeprefix("#/").split("/"):
                part = part[name]
        log = document["paths"]["/api/v1/runs/{job}/{number}/log"]["get"]["parameters"]
        self.assertEqual([item["name"] for item in log if item["in"] == "query"], ["follow", "stream"])
        reason = document["paths"]["/api/v1/jobs/{id}/pause"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        self.assertEqual((sorted(reason["properties"]), reason.get("required")), (["for", "reason", "until"], None))
        self.assertEqual(document["paths"]["/api/v1/rpc/token.add"]["post"]["x-schedd-role"], "admin")
        self.assertEqual(document["paths"]["/metrics"]["get"]["x-schedd-role"], "operator")


class Metrics(HttpCase):
    LINE = re.compile(r'^(schedd_[a-z_]+)(\{[a-z_]+="(?:[^"\\\\\n]|\\\\.)*"\})? (-?[0-9.e+-]+|\+Inf|NaN)$')

    def parsed(self, text, total):
        """{sample: value}; the grammar of the format, and that each sample belongs to the head above it."""
        samples, family, kind, heads = {}, None, None, set()
        for line in text.splitlines():
            if line.startswith("# HELP "):
                self.assertNotIn(line.split(" ")[2], heads, "a family stands once")
                heads.add(line.split(" ")[2])
            elif line.startswith("# TYPE "):
                family, kind = line.split(" ")[2:4]
                self.assertIn(family, heads)
            elif line != "# EOF":
                match = self.LINE.match(line)
                self.assertIsNotNone(match, line)
                suffixes = {"counter": ("_total",) if total else ("",), "gauge": ("",),
                            "histogram": ("_bucket", "_sum", "_count")}[kind]
                self.assertIn(match[1], [family + suffix for suffix in suffixes])
                self.assertNotIn((match[1], match[2]), samples)
                samples[match[1], match[2]] = float(match[3])
        return samples

    def test_both_formats(self):
        server = self.serve()
        client = server.client()
        client.call("job.add", id="good", command=["true"], trigger={"manual": True})
        client.call("job.add", id="bad", command=["false"], trigger={"manual": True})
        for job in ("good", "bad", "good"):
            client.call("run.wait", run=client.call("job.run", id=job)["run"])
        plain = self.ask("GET", "/metrics")
        self.assertEqual(plain.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        samples = self.parsed(plain.body.decode(), False)
        self.assertEqual(samples["schedd_runs_total", '{state="success"}'], 2)
        self.assertEqual(samples["schedd_runs_total", '{state="failed"}'], 1)
        self.assertEqual(samples["schedd_run_duration_seconds_count", None], 3)
        self.assertEqual(samples["schedd_run_duration_seconds_bucket", '{le="+Inf"}'], 3)
        self.assertEqual(samples["schedd_job_last_run_success", '{job="bad"}'], 0)
        self.assertGreater(samples["schedd_resident_memory_bytes", None], 1e6)
        self.assertNotIn("good/1", plain.body.decode())
        open_ = self.ask("GET", "/metrics", Accept="application/openmetrics-text; version=1.0.0")
        self.assertIn("application/openmetrics-text", open_.headers["Content-Type"])
        self.assertTrue(open_.body.endswith(b"# EOF\n"))
        self.assertEqual(self.parsed(open_.body.decode(), True)["schedd_runs_total", '{state="success"}'], 2)
        self.assertEqual(self.ask("GET", "/metrics", token="").status, 401)


class Access(HttpCase):
    def test_without_a_token_nothing_is_shown(self):
        self.serve()
        for path in ("/api/v1/jobs", "/api/v1/openapi.json", "/api/v1/rpc/server.ping"):
            answer = self.ask("POST" if "rpc" in path else "GET", path, token="")
            self.assertEqual((answer.status, answer.json["error"]), (401, "permission_denied"), path)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(self.ask("GET", f"/api/v1/jobs?token={self.admin}", token="").status, 401)
        self.assertEqual((self.ask("GET", "/healthz", token="").body, self.ask("GET", "/readyz", token="").body),
                         (b"ok\n", b"ok\n"))

    def test_a_token_works_at_once_and_ends_at_once(self):
        server = self.serve()
        client = server.client()
        token = client.add_token(name="t", role="admin")
        self.assertEqual(self.ask("GET", "/api/v1/jobs", token=token).status, 200)
        self.assertNotIn(token, server.tokens.read_text())
        self.assertEqual(server.tokens.stat().st_mode & 0o777, 0o600)
        self.refused("conflict", client.call, "token.add", name="t", role="admin")
        self.refused("invalid_argument", client.call, "token.add", name="u", role="user")
        self.refused("invalid_argument", client.call, "token.add", name="u", role="king")
        self.assertEqual([row["name"] for row in client.call("token.list")], ["root", "t"])
        client.call("token.remove", name="t")
        self.refused("not_found", client.call, "token.remove", name="t")
        self.assertEqual(self.ask("GET", "/api/v1/jobs", token=token).status, 401)
        self.assertEqual(self.ask("GET", "/api/v1/jobs").status, 200)
        for path in (server.log, server.tokens):
            self.assertNotIn(token, path.read_text())

    def test_whoever_guesses_has_to_wait(self):
        self.serve()
        statuses = [self.ask("GET", "/api/v1/jobs", token=f"guess{n}").status for n in range(12)]
        self.assertEqual(statuses[:10], [401] * 10)
        self.assertIn(429, statuses[10:])

    def test_a_password_is_as_good(self):
        made = crypt.crypt("sec:ret", "$6$saltsalt")
        server = self.serve(extra="  basic: PASSWORDS\n".replace("PASSWORDS", "/nonexistent/none"))
        passwords = server.dir / "htpasswd"
        passwords.write_text(f"ann:{made}:admin\n")
        passwords.chmod(0o600)
        server.config.write_text(server.config.read_text().replace("/nonexistent/none", str(passwords)))
        server.client().call("server.reload")
        def basic(pair):
            return self.ask("GET", "/api/v1/jobs", token="",
                            Authorization="Basic " + base64.b64encode(pair.encode()).decode()).status
        self.assertEqual([basic("ann:sec:ret"), basic("ann:wrong"), basic("bob:sec:ret"), basic("ann:sec:ret")],
                         [200, 401, 401, 200])

    def test_a_line_without_a_role_is_refused(self):
        server = self.serve()
        server.tokens.write_text("x " + "0" * 64 + "\n")
        message = self.refused("invalid_file", server.client().call, "server.reload")
        self.assertIn(f"{server.tokens}:1", message)

    def test_pages_of_other_sites_change_nothing(self):
        self.serve()
        put = {"command": ["true"], "trigger": {"manual": True}}
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", put, Origin="http://evil.example").status, 403)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", put, Sec_Fetch_Site="cross-site").status, 403)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", put,
                                  Origin=f"http://127.0.0.1:{self.port}").status, 201)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw=json.dumps(put), Content_Type="text/plain").status, 415)
        self.assertEqual(self.ask("GET", "/healthz", Host="evil.example").status, 421)

    def test_a_bearer_token_needs_no_type_of_the_body(self):
        self.serve()
        put = json.dumps({"command": ["true"], "trigger": {"manual": True}})
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw=put).status, 201)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw=put, Content_Type="application/x-www-form-urlencoded").status, 200)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw=put, token="").status, 401)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw="a=b").status, 400)

    def test_refusals_have_their_status(self):
        server = self.serve()
        answer = self.ask("DELETE", "/api/v1/runs")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(self.ask("OPTIONS", "/api/v1/jobs/x").headers["Allow"],
                         "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
        self.assertEqual(self.ask("GET", "/nothing").status, 404)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/%00").status, 400)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/%zz").status, 400)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/%2e%2e%2f").status, 404)
        self.assertEqual(self.ask("GET", "/api/v1/jobs?limit=x").status, 400)
        self.assertEqual(self.ask("GET", "/api/v1/jobs?nope=1").status, 400)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/x", raw="{", Content_Type="application/json").status, 400)
        self.assertIn(b" 501 ", self.raw(b"BREW / HTTP/1.0\r\nHost: localhost\r\n\r\n"))
        for size in ((4 << 20) + 1, 9 << 20):
            big = self.ask("POST", "/api/v1/rpc/server.ping", raw="x" * size, Content_Type="application/json")
            self.assertEqual((big.status, size > 8 << 20 or big.json["error"]), (413, size > 8 << 20 or "invalid_argument"))
        for path in ("/healthz", "/api/v1/jobs"):
            self.assertIn(b" 431 ", self.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX: ".encode() + b"y" * 20000 + b"\r\n\r\n"))
        self.assertIn(b" 431 ", self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 500 + b"\r\n"))
        self.assertIn(b" 431 ", self.raw(b"GET /healthz?" + b"y" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assertIn(b" 200 ", self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"y" * 16000 + b"\r\n\r\n"))
        self.assertNotIn(b" 200 ", self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200000 + b"\r\n\r\n"))
        self.assertEqual(self.ask("GET", "/healthz").status, 200)
        self.assertIsNone(server.process.poll())

    def test_what_is_asked_for_over_and_over_is_always_true(self):
        """Answers are kept until something happens: each change, by whom and by what ever, shows at once."""
        server = self.serve()
        client = server.client()
        gate = server.dir / "gate"
        os.mkfifo(gate)
        client.call("job.add", id="a", shell=f"read x <{gate}", trigger={"manual": True})

        def look():
            answers = [self.ask("GET", "/api/v1/jobs/a") for _ in range(2)]
            self.assertEqual(answers[0].body, answers[1].body)
            direct = client.call("job.get", id="a")
            self.assertEqual(answers[0].json["revision"], direct["revision"])
            self.assertEqual({k: direct[k] for k in ("name", "paused", "running", "state", "last_run") if k in direct},
                             {k: answers[0].json[k] for k in ("name", "paused", "running", "state", "last_run") if k in direct})
            return answers[0].json
        look()
        for method, params in (("job.modify", {"name": "x"}), ("job.pause", {}), ("job.resume", {}), ("job.modify", {"name": None}), ("job.reschedule", {"trigger": {"every": "1h"}})):
            with self.subTest(method):
                client.call(method, id="a", **params)
                look()
        client.call("job.run", id="a")
        e2e.wait_until("it runs", lambda: client.call("run.get", run="a/1")["state"] == "running")
        self.assertEqual(look()["running"], 1)
        with open(gate, "w", encoding="ascii") as feed:
            feed.write("go\n")
        client.call("run.wait", run="a/1")
        self.assertEqual(look()["running"], 0)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a", If_None_Match=f'"{look()["revision"]}"').status, 304)
        token = client.add_token(name="x", role="operator")
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a", token=token).status, 200)
        client.call("token.remove", name="x")
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a", token=token).status, 401)
        client.call("job.remove", id="a")
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a").status, 404)

    def test_each_of_many_followers_gets_each_event_once(self):
        server = self.serve()
        followers = [server.client() for _ in range(50)]
        worker = server.client()
        for number, follower in enumerate(followers):
            follower.call("event.subscribe", **({"events": ["job_executed"]} if number % 2 else {}))
        worker.call("job.add", id="a", command=["/bin/true"], trigger={"manual": True}, max_instances=100)
        for _ in range(10):
            worker.call("job.run", id="a")
        worker.call("run.wait", run="a", **{"for": "idle"})
        late = server.client()
        late.call("event.subscribe", since=0)
        last = worker.call("server.status")["scheduler"]["event_seq"]
        def all_of(follower, wanted):
            seen = []
            while len(seen) < wanted:
                method, params = follower.notification()
                self.assertEqual(method, "event")
                seen.append(params)
            return seen
        whole = all_of(followers[0], 31)
        self.assertEqual(len({event["seq"] for event in whole}), 31)
        self.assertEqual([event["seq"] for event in whole], list(range(whole[0]["seq"], last + 1)))
        for number, follower in enumerate(followers[1:], 1):
            events = all_of(follower, 10 if number % 2 else 31)
            self.assertEqual([event["seq"] for event in events], [event["seq"] for event in whole if number % 2 == 0 or event["event"] == "job_executed"])
        self.assertEqual([event["seq"] for event in all_of(late, last)], list(range(1, last + 1)))

    def test_what_a_client_does_not_take_is_not_sent(self):
        self.serve()
        self.ask("PUT", "/api/v1/jobs/a", {"shell": "true", "trigger": {"manual": True}})
        for accept, taken in (("*/*", True), ("application/json", True), ("Application/*", True), ("text/html, application/json;q=0.1", True), ("", True),
                              ("text/html, */*;q=0.5", True), (" , ,application/json", True), ("application/json; charset=utf-8", True), ("application/json;q=0.001", True),
                              ("text/html", False), ("application/json;q=0", False), ("*/*, application/json;q=0.000", False), ("application/*;q=0, */*", False),
                              ("application/jso", False), ("application/jsonx", False), ("*/json", False), ("garbage", False)):
            with self.subTest(accept=accept):
                answer = self.ask("GET", "/api/v1/jobs/a", Accept=accept)
                self.assertEqual(answer.status, 200 if taken else 406)
                if not taken:
                    self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        ran = self.ask("POST", "/api/v1/jobs/a/run", Accept="text/html")
        self.assertEqual(ran.status, 406)
        self.assertEqual(self.ask("GET", "/api/v1/runs/a").json["runs"], [], "nothing is done whose answer is not taken")
        for path, accept, status in (("/metrics", "text/plain", 200), ("/metrics", "application/openmetrics-text", 200), ("/metrics", "image/png", 406),
                                     ("/healthz", "image/png", 200), ("/", "text/html", 200), ("/scheduler/jobs", "text/html", 200), ("/api/v1/events", "application/json", 406)):
            with self.subTest(path=path, accept=accept):
                self.assertEqual(self.ask("GET", path, Accept=accept).status, status)
        self.assertEqual(self.ask("GET", "/api/v1/jobs", token="wrong", Accept="text/html").status, 401)

    def test_conditions_hold_for_every_change(self):
        self.serve()
        job = {"shell": "true", "trigger": {"manual": True}}
        self.ask("PUT", "/api/v1/jobs/a", job)
        for method, path, body in (("PUT", "", job), ("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/run", None), ("POST", "/pause", None), ("POST", "/resume", None),
                                   ("POST", "/reschedule", {"trigger": {"every": "1h"}})):
            for tag in ('"7"', "7", 'W/"1"', '"1', '"7", "8"', "garbage"):
                with self.subTest(method=method, path=path, tag=tag):
                    self.assertEqual(self.ask(method, f"/api/v1/jobs/a{path}", body, If_Match=tag).status, 412)
            self.assertEqual(self.ask(method, f"/api/v1/jobs/b{path}", body, If_Match="*").status, 412)
        self.assertEqual(self.ask("GET", "/api/v1/jobs/a").json["revision"], 1)
        self.assertEqual(self.ask("PATCH", "/api/v1/jobs/a", {"name": "x"}, If_Match='"9", "1"').json["revision"], 2)
        self.assertEqual(self.ask("POST", "/api/v1/jobs/a/run", If_Match="*").status, 202)
        self.assertEqual(self.ask("DELETE", "/api/v1/jobs/a", If_Match='"2"').status, 204)

    def test_conditions_may_be_demanded(self):
        self.serve(extra="  if_match: true\n")
        job = {"shell": "true", "trigger": {"manual": True}}
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/a", job).status, 428)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/a", job, If_None_Match="*").status, 201)
        for method, body in (("PUT", job), ("PATCH", {"name": "x"}), ("DELETE", None)):
            with self.subTest(method):
                answer = self.ask(method, "/api/v1/jobs/a", body)
                self.assertEqual((answer.status, answer.json["error"]), (428, "conflict"))
        self.assertEqual(self.ask("POST", "/api/v1/jobs/a/run").status, 202)
        self.assertEqual(self.ask("DELETE", "/api/v1/jobs/a", If_Match='"1"').status, 204)

    def test_connections_beyond_the_limit_are_told(self):
        self.serve(extra="  connections: 2\n")
        held = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(2)]
        e2e.wait_until("both are counted",
                       lambda: self.server.client().call("server.status")["http"]["connections"] == 2)
        self.assertEqual(self.ask("GET", "/healthz").status, 503)
        for peer in held:
            peer.close()
        e2e.wait_until("there is room again", lambda: self.ask("GET", "/healthz").status == 200)


@unittest.skipUnless(os.geteuid() == 0, "only root's daemon serves accounts")
class Roles(HttpCase):
    def test_each_role_does_its_own(self):
        server = self.serve(extra="users: {allow: [nobody], limits: {every: 0s}}\n")
        client = server.client()
        user = client.add_token(name="u", role="user", account="nobody")
        operator = client.add_token(name="o", role="operator", account="nobody")
        put = {"shell": "id -un", "trigger": {"manual": True}}
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/mine", put).status, 201)
        self.assertEqual(self.ask("PUT", "/api/v1/jobs/his", put, token=user).status, 201)
        self.assertEqual([job["id"] for job in self.ask("GET", "/api/v1/jobs", token=user).json["jobs"]], ["his"])
        self.assertEqual(self.ask("GET", "/api/v1/jobs/mine", token=user).status, 404)
        self.assertEqual({job["id"] for job in self.ask("GET", "/api/v1/jobs", token=operator).json["jobs"]}, {"mine", "nobody:his"})
        self.assertEqual(self.ask("POST", "/api/v1/jobs/his/run", token=user).json, {"run": "his/1"})
        e2e.wait_until("it ran", lambda: self.ask("GET", "/api/v1/runs/his/1", token=user).json["state"] == "success")
        self.assertEqual(self.ask("GET", "/api/v1/runs/his/1/log", token=user).body, b"nobody\n")
        self.assertEqual(self.ask("POST", "/api/v1/jobs/mine/run", token=operator).status, 202)
        # What an operator sees and may not change is forbidden, not hidden.
        for method, path, body in (("DELETE", "/api/v1/jobs/mine", None), ("PATCH", "/api/v1/jobs/mine", {"name": "x"}), ("POST", "/api/v1/jobs/mine/reschedule", {"trigger": {"every": "1h"}}),
                                   ("POST", "/api/v1/rpc/run.purge", {"run": "mine/1"}), ("POST", "/api/v1/rpc/job.rename", {"id": "mine", "to": "x"})):
            with self.subTest(path=path):
                self.assertEqual(self.ask(method, path, body, token=operator).status, 403)
        self.assertEqual(self.ask("DELETE", "/api/v1/jobs/nosuch", token=operator).status, 404)
        # One without an account has no jobs of its own, least of all root's.
        bare = client.add_token(name="b", role="operator")
        self.assertEqual(self.ask("POST", "/api/v1/jobs/mine/run", {"force": True}, token=bare).status, 202)
        for method, path, body in (("PUT", "/api/v1/jobs/evil", put), ("POST", "/api/v1/rpc/job.add", put), ("DELETE", "/api/v1/jobs/mine", None), ("PATCH", "/api/v1/jobs/mine", {"shell": "id"}),
                                   ("POST", "/scheduler/jobs", {"id": "evil", "func": "os:getpid"}), ("POST", "/api/v1/rpc/job.apply", {"jobs": [{"id": "e", **put}]}),
                                   ("POST", "/api/v1/rpc/job.import", {"jobs": [{"id": "e", **put}]})):
            with self.subTest(path=path):
                self.assertEqual(self.ask(method, path, body, token=bare).status, 403)
        # Nor a table of cron, which would be root's.
        for method, body in (("get", {}), ("get", {"account": "root"}), ("set", {"text": ""}), ("remove", {})):
            answer = self.ask("POST", f"/api/v1/rpc/cron.table_{method}", body, token=bare)
            self.assertEqual((answer.status, "has no account" in answer.json["detail"]), (403, True))
        self.assertEqual({job["id"] for job in self.ask("GET", "/api/v1/jobs").json["jobs"]}, {"mine", "nobody:his"})
        self.assertEqual([self.ask("GET", "/metrics", token=token).status for token in (user, operator)], [403, 200])
        self.assertEqual(self.ask("POST", "/api/v1/rpc/token.list", token=operator).status, 403)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/server.shutdown", {"now": True}, token=user).status, 403)
        self.assertEqual(self.ask("GET", "/api/v1/whoami", token=user).json["account"], "nobody")

    def test_who_is_denied_is_so_on_connections_that_are_open(self):
        server = self.serve(extra="users: {allow: [nobody, mail], limits: {every: 0s}}\n")
        client = server.client()
        tokens = {name: client.add_token(name=name, role="user", account=name) for name in ("nobody", "mail")}

        def connect(path, token):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self.addCleanup(connection.close)

            def ask(path):
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                return connection.getresponse()
            return ask, ask(path)
        ask, answer = connect("/api/v1/jobs", tokens["nobody"])
        self.assertEqual((answer.status, answer.read() != b""), (200, True))
        _, stream = connect("/api/v1/events?events=job_added", tokens["nobody"])
        _, other = connect("/api/v1/events?events=job_added", tokens["mail"])
        server.config.write_text(server.config.read_text().replace("allow: [nobody, mail]", "allow: [mail]"))
        self.assertEqual(server.ctl("reload")[0], 0)
        for account in ("nobody", "mail"):
            client.call("job.add", id=f"{account}:x", shell="true", trigger={"manual": True})
        refused = ask("/api/v1/jobs")
        self.assertEqual(refused.status, 403)
        self.assertIn("an administrator decides", refused.read().decode())
        self.assertNotIn(b"job_added", stream.read())
        while b"job_added" not in (line := other.readline()):
            self.assertNotEqual(line, b"", "his goes on")


class Tls(HttpCase):
    def test_it_is_spoken_and_its_files_are_read_again(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="schedd-tls."))
        self.addCleanup(shutil.rmtree, folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], cwd=folder, check=True, capture_output=True)
        server = self.serve(extra=f"  tls: {{certificate: {folder}/cert.pem, key: {folder}/key.pem}}\n")
        context = ssl.create_default_context(cafile=folder / "cert.pem")

        def ask():
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
            try:
                connection.request("GET", "/api/v1/jobs", headers={"Authorization": f"Bearer {self.admin}"})
                return connection.getresponse().status
            finally:
                connection.close()
        self.assertEqual(ask(), 200)
        self.assertNotIn(b"200", self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        good = (folder / "cert.pem").read_text()
        (folder / "cert.pem").write_text("no certificate")
        self.assertIn("cert.pem", self.refused("invalid_file", server.client().call, "server.reload"))
        self.assertEqual(ask(), 200)
        (folder / "cert.pem").write_text(good)
        (folder / "key.pem").chmod(0o622)
        message = self.refused("invalid_file", server.client().call, "server.reload")
        self.assertIn(f"http.tls.key: {folder}/key.pem may be written by others", message)
        (folder / "key.pem").rename(folder / "key")
        os.mkfifo(folder / "key.pem")  # nobody writes to it: it would never end
        message = self.refused("invalid_file", server.client().call, "server.reload")
        self.assertIn("key.pem: it is no regular file", message)
        self.assertEqual(ask(), 200)
        (folder / "key").chmod(0o600)
        (folder / "key").rename(folder / "key.pem")
        server.client().call("server.reload")
        self.assertEqual(ask(), 200)


class Config(HttpCase):
    def test_what_is_wrong_is_named(self):
        server = self.daemon(start=False)
        for listen, words in (("'0.0.0.0:18631'", "http.tls"), ("'nonsense'", "ADDRESS:PORT"),
                              ("'unix:relative'", "absolute")):
            server.config.write_text(f"http: {{listen: [{listen}]}}\n")
            status, message = server.run()
            self.assertEqual(status, 7, message)
            self.assertIn(words, message)

    def test_without_http_no_token_is_made(self):
        server = self.daemon()
        self.assertIn("http.listen", self.refused("conflict", server.client().call, "token.list"))


if __name__ == "__main__":
    unittest.main()
