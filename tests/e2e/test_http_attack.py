# SPDX-License-Identifier: MIT
"""Hostile bytes on the HTTP socket: whatever comes, the daemon lives, answers others, and runs nothing."""
import io
import json
import os
import random
import socket
import string
import unittest

import msgpack

import e2e
from test_http import HttpCase

LINES = (b"GET / HTTP/1.1", b"POST /api/v1/rpc/job.add HTTP/1.1", b"PUT /api/v1/jobs/x HTTP/1.1", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1",
         b"GET //healthz HTTP/1.1", b"GET http://127.0.0.1/healthz HTTP/1.1", b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
         b"TRACE / HTTP/1.1", b"GET /healthz HTTP/9.9", b"GET /healthz", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET /\xff\xfe HTTP/1.1",
         b"PATCH /scheduler/jobs/%00 HTTP/1.1", b"GET /api/v1/jobs?%zz=%zz HTTP/1.1", b"GET /api/v1/runs/%2f%2f/1/log HTTP/1.1", b"")
HEADERS = (b"Host: localhost", b"Host: localhost\r\nHost: evil.example", b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999",
           b"Content-Length: 3\r\nContent-Length: 7", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 4",
           b"Transfer-Encoding: chunked, identity", b"Connection: close", b"Connection: keep-alive, upgrade\r\nUpgrade: h2c", b"Expect: 100-continue",
           b"Authorization: Bearer", b"Authorization: Bearer " + b"A" * 9000, b"Authorization: Basic " + b"=" * 40, b"Authorization: Basic AAAA",
           b"Content-Type: application/json", b"X: " + b"\x00\x01", b" folded: yes", b"NoColon", b": empty", b"Range: bytes=0-", b"If-Match: \"", b"Last-Event-ID: -1",
           b"Accept: " + b"a/b," * 900)
BODIES = (b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\nx", b"-1\r\n", b"{" * 5000, b"[" * 100000, b'{"id":"x","id":"y"}', b"\xff\xfe", b'{"a":' + b"9" * 4000 + b"}",
          b"0\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b'"' + b"\\u0000" * 1000 + b'"')


class Attack(HttpCase):
    def throw(self, data, half=False):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as peer:
            try:
                peer.sendall(data)
                if half:
                    return
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
            except OSError:
                pass  # it was cut off, which is an answer too

    def unharmed(self):
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.ask("GET", "/healthz").status, 200)
        self.assertEqual(self.ask("GET", "/api/v1/jobs").json, {"jobs": [], "next": None})

    def test_mixed_bytes(self):
        self.serve()
        dice = random.Random(20261129)
        for turn in range(400):
            request = dice.choice(LINES) + b"\r\n" + b"\r\n".join(dice.sample(HEADERS, dice.randrange(5))) + b"\r\n\r\n" + dice.choice(BODIES)
            if turn % 3 == 0:
                request += dice.choice(LINES) + b"\r\nHost: localhost\r\n\r\n"
            if turn % 5 == 0:
                cut = dice.randrange(len(request))
                request = request[:cut]
            self.throw(request, half=turn % 7 == 0)
        self.unharmed()

    def test_every_route_with_wrong_values(self):
        """From the document: each operation with members of every wrong type, with and without a token."""
        self.serve()
        dice = random.Random(7)
        document = self.ask("GET", "/api/v1/openapi.json").json
        values = (None, True, 0, -1, 2 ** 63, 1e308, "", "\x01", "ü" * 200, [], [[]], [None, 1, "a"], {}, {"a": {"b": []}}, "x" * 5000)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if "shutdown" in path or path.endswith(("events", "reload", "run.wait")):
                    continue
                schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
                names = list(schema.get("properties", {})) or ["id", "trigger", "command", "env", "retry"]
                for _ in range(6):
                    url = path
                    for part in ("{id}", "{job}", "{number}", "{method}"):
                        url = url.replace(part, dice.choice(("x", "%00", "0", "-1", "a%2Fb", "99999999999999999999", "%C3%BC", ".." ,"*")))
                    query = "&".join(f"{p['name']}={dice.choice(('', '1', 'x', '%ff', '-5', 'true', '%00'))}"
                                     for p in operation.get("parameters", []) if p["in"] == "query" and dice.random() < 0.4)
                    body = {name: dice.choice(values) for name in dice.sample(names, min(len(names), dice.randrange(4)))} if method != "get" else None
                    answer = self.ask(method.upper(), url + ("?" + query if query else ""), body)
                    self.assertIn(answer.status, (200, 201, 202, 204, 304, 400, 404, 405, 409, 412, 415), (method, url, query, body, answer.body))
                    self.assertEqual(self.ask(method.upper(), url, body, token="").status in (400, 401, 404, 200), True, url)
        for job in self.ask("GET", "/api/v1/jobs").json["jobs"]:
            self.ask("DELETE", f"/api/v1/jobs/{job['id']}")
        self.unharmed()

    def test_packed_messages_that_were_changed(self):
        """What a client of the socket could send, and then bytes of it turned over, cut, doubled."""
        self.serve()
        dice = random.Random(20261130)
        calls = [[0, 1, "server.ping", []], [0, 2, "job.list", [{"limit": 3}]], [0, 3, "job.get", [{"id": "x"}]], [0, 4, "nosuch", [{}]], [0, 5, "run.log", [{"run": "x/1", "follow": True}]],
                 [0, 6, "server.hello", [{"account": "nosuch"}]], [0, 7, "job.run", [7]], [1, 8, None, {}], [2, "event", [{}]], [0, 2**32, "server.ping", []], [0, -1, "server.ping", []],
                 [0, 1, "server.ping"], [], 7, None, {"a": []}, [0, 9, "job.add", [{"id": b"\xff", "command": [b"\xfe"], "trigger": {"manual": True}, "dry_run": True}]]]
        deep = b"\x91" * 40 + b"\xc0"
        bodies = [msgpack.packb(call) for call in calls] + [deep, b"\x94\x00\x01" + msgpack.packb("job.list") + b"\xdd\xff\xff\xff\xff", b"\xdf\x7f\xff\xff\xff", b"\xc1", b"", b"\xc0" * 100]
        seen = {}
        for turn in range(600):
            body = b"".join(dice.choice(bodies) for _ in range(dice.choice((1, 1, 2, 5))))
            for _ in range(dice.randrange(3)):
                if body:
                    at = dice.randrange(len(body))
                    body = {0: body[:at], 1: body[:at] + bytes([dice.randrange(256)]) + body[at + 1:], 2: body[:at] + body[at:] * 2}[dice.randrange(3)]
            if b"event.subscribe" in body or b"server.shutdown" in body:
                continue
            answer = self.ask("POST", "/api/v1/rpc", raw=body, Content_Type="application/msgpack")
            seen[answer.status] = seen.get(answer.status, 0) + 1
            self.assertIn(answer.status, (200, 400))
            if answer.status == 200:
                for message in msgpack.Unpacker(io.BytesIO(answer.body), raw=True, strict_map_key=False):
                    self.assertIn(message[0], (1, 2))
        self.assertGreater(seen[200], 30)
        many = b"".join(msgpack.packb([0, n, "server.ping", []]) for n in range(256))
        answers = list(msgpack.Unpacker(io.BytesIO(self.ask("POST", "/api/v1/rpc", raw=many, Content_Type="application/msgpack").body)))
        self.assertEqual([answer[1] for answer in answers], list(range(256)))
        self.assertEqual(self.ask("POST", "/api/v1/rpc", raw=many + msgpack.packb([0, 1, "server.ping", []]), Content_Type="application/msgpack").status, 400)
        for wrong, status in (({"Content_Type": "application/json"}, 415), ({"Content_Type": "text/plain"}, 415), ({}, 415), ({"Content_Type": "application/msgpack", "Accept": "application/json"}, 406),
                              ({"Content_Type": "application/msgpack", "token": "wrong"}, 401), ({"Content_Type": "application/msgpack", "Origin": "http://evil.example"}, 403),
                              ({"Content_Type": "application/msgpack", "X_Schedd_Account": "x" * 300}, 200)):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.ask("POST", "/api/v1/rpc", raw=msgpack.packb([0, 1, "server.ping", []]), **wrong).status, status)
        self.unharmed()

    def test_the_compatible_routes_with_wrong_values(self):
        self.serve()
        dice = random.Random(9)
        names = ("id", "func", "args", "kwargs", "trigger", "name", "seconds", "hours", "run_date", "start_date", "timezone", "jitter", "day_of_week", "minute",
                 "coalesce", "max_instances", "misfire_grace_time", "next_run_time", "executor", "jobstore", "replace_existing", "junk")
        values = (None, True, 0, -1, 2 ** 70, 1.5, "", "a:b", "x", [], {}, [1], {"type": "cron"}, "2030-01-01", "date", "interval", "cron", "ü")
        for _ in range(300):
            body = {name: dice.choice(values) for name in dice.sample(names, dice.randrange(8))}
            method, path = dice.choice((("POST", "/jobs"), ("PATCH", "/jobs/a"), ("POST", "/jobs/a/pause"), ("POST", "/jobs/a/resume"), ("DELETE", "/jobs/a")))
            answer = self.ask(method, "/scheduler" + path, body)
            self.assertIn(answer.status, (200, 204, 400, 404, 409, 500), (method, path, body, answer.body))
        for job in self.ask("GET", "/api/v1/jobs").json["jobs"]:
            self.ask("DELETE", f"/api/v1/jobs/{job['id']}")
        self.unharmed()

    def test_a_thousand_silent_connections(self):
        self.serve(extra="  connections: 1000\n")
        held = []
        try:
            for _ in range(900):
                held.append(socket.create_connection(("127.0.0.1", self.port)))
            for peer in held[::9]:
                peer.sendall(b"GET /api/v1/jobs HTTP/1.1\r\nHost: local")
            self.assertEqual(self.ask("GET", "/healthz").status, 200)
        finally:
            for peer in held:
                peer.close()
        e2e.wait_until("all are gone", lambda: self.server.client().call("server.status")["http"]["connections"] <= 1, 60)
        self.unharmed()

    def test_a_reader_that_does_not_read(self):
        server = self.serve()
        with socket.create_connection(("127.0.0.1", self.port)) as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.admin}\r\n\r\n".encode())
            client = server.client()
            e2e.wait_until("it follows", lambda: client.call("server.status")["http"]["streams"] == 1)
            before = server.memory()
            client.call("job.add", id="many", command=["true"], trigger={"manual": True}, tags={"t": "x" * 200})
            for _ in range(40):
                ids = [client.send("job.modify", id="many", description="d" * 100 + str(n)) for n in range(250)]
                for msgid in ids:
                    client.receive(msgid)
            if not os.environ.get("SCHEDD_SANITIZE"):  # which keeps what was freed
                self.assertLess(server.memory() - before, 64 << 20)
        client.call("job.remove", id="many")
        self.unharmed()

    def test_letters_of_tokens_stand_nowhere(self):
        server = self.serve()
        secret = "".join(random.choices(string.ascii_letters, k=40))
        self.ask("GET", "/api/v1/jobs", token=secret)
        self.ask("POST", "/api/v1/rpc/job.get", {"id": secret}, token=secret)
        self.assertNotIn(secret, server.log.read_text())
        self.assertNotIn(self.admin, server.log.read_text())
        self.assertNotIn(self.admin, json.dumps(server.client().call("config.get")))


if __name__ == "__main__":
    unittest.main()
