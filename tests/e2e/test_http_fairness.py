# SPDX-License-Identifier: MIT
"""Large bodies and long answers over HTTP: others are answered beside them, and nothing of them is lost."""
import base64
import crypt
import http.client
import io
import json
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import unittest

import msgpack

import e2e
from test_http import Answer, HttpCase

SMALL = bool(os.environ.get("SCHEDD_SANITIZE"))
MANUAL = {"manual": True}
# Each of these is text of one or two bytes a value, the most work that a body can be.
NUMBERS = "1," * (50_000 if SMALL else 500_000) + "1"


class Beside(HttpCase):
    """One request goes on; pings on the socket say how long the loop was at one thing."""
    JOBS = 2000

    def worked(self):
        """CPU time of the loop's thread, and of all threads: what others do on this machine does not count."""
        pid = self.server.process.pid
        own = int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()[0])
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return own / 1e9, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def beside(self, method, path, raw=None, **headers):
        """The answers of a request, asked again until it took so much that it can be judged, and the longest wait beside them."""
        answers, waits, ended = [], [], threading.Event()
        _, begun = self.worked()

        def go():
            try:
                for _ in range(40):
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=240)
                    try:
                        connection.request(method, path, body=raw, headers={"Authorization": f"Bearer {self.admin}", **headers})
                        answers.append(Answer(connection.getresponse()))
                    finally:
                        connection.close()
                    if self.worked()[1] - begun > 0.5:
                        break
            finally:
                ended.set()

        asker = threading.Thread(target=go)
        client = self.server.client(timeout=240)
        asker.start()
        while not ended.is_set():
            before, _ = self.worked()
            client.call("server.ping")
            waits.append(self.worked()[0] - before)
        asker.join()
        _, after = self.worked()
        for answer in answers:
            # At once it is two thirds of all that there is to do for a request and more.
            self.assertLess(max(waits), 0.4 * (after - begun) / len(answers) + 0.02, f"{method} {path}: {max(waits)} of {after - begun} in {len(answers)}")
        return answers[0]

    def test_large_bodies(self):
        self.serve()
        for body, said in ((f'{{"jobs":[[{NUMBERS}]]}}', "job 1 is a list"), (f'{{"jobs":[{NUMBERS}]}}', "job 1 is an integer"),
                           (f'{{"jobs":[{NUMBERS},]}}', "no JSON"), (f'{{"nothing":[{NUMBERS}]}}', "nothing")):
            answer = self.beside("POST", "/api/v1/rpc/job.apply", body, **{"Content-Type": "application/json"})
            self.assertEqual(answer.status, 400)
            self.assertIn(said, answer.json["detail"])
        packed = msgpack.packb([0, 1, "job.apply", [{"jobs": [[1] * (50_000 if SMALL else 500_000)]}]])
        answer = self.beside("POST", "/api/v1/rpc", packed, **{"Content-Type": "application/msgpack"})
        self.assertIn("job 1 is", msgpack.unpackb(answer.body)[2]["message"])

    def test_long_answers(self):
        server = self.serve()
        client = server.client(timeout=240)
        client.call("job.apply", jobs=[{"id": f"j{i}", "command": ["/bin/true"], "store": "memory", "trigger": {"every": "100h"}} for i in range(self.JOBS)])
        listed = client.call("job.list", limit=10000)["jobs"]
        self.assertEqual(self.beside("POST", "/api/v1/rpc/job.list", '{"limit": 10000}', **{"Content-Type": "application/json"}).json["jobs"], listed)
        jobs = self.beside("GET", "/api/v1/jobs?limit=10000").json["jobs"]
        self.assertEqual([job["id"] for job in jobs], [job["id"] for job in listed])
        self.assertEqual(jobs[-1], self.ask("GET", f"/api/v1/jobs/{jobs[-1]['id']}").json)
        forms = self.beside("GET", "/scheduler/jobs").json
        self.assertEqual(len(forms), self.JOBS)
        self.assertEqual(forms[0], self.ask("GET", f"/scheduler/jobs/{forms[0]['id']}").json)

    def test_long_output(self):
        lines = 1_500_000 if SMALL else 4_000_000
        server = self.serve()
        client = server.client(timeout=240)
        client.call("job.add", id="big", shell=f"seq -w 0 {lines - 1}", trigger=MANUAL, output_max=64 << 20)
        run = client.call("job.run", id="big")["run"]
        client.call("run.wait", run=run)
        tail = self.beside("POST", "/api/v1/rpc/run.log", json.dumps({"run": run, "tail": 3}), **{"Content-Type": "application/json"}).json
        self.assertEqual("".join(piece["data"] for piece in tail["pieces"]), "".join(f"{i}\n" for i in range(lines - 3, lines)))
        late = self.beside("POST", "/api/v1/rpc/run.log", json.dumps({"run": run, "offset": 8 * lines - 80, "limit": 8}), **{"Content-Type": "application/json"}).json
        self.assertEqual((late["pieces"][0]["data"], late["next"]), (f"{lines - 10}\n", 8 * lines - 72))
        body = self.beside("GET", "/api/v1/runs/big/1/log").body
        self.assertEqual(len(body), 8 * lines)
        self.assertEqual(body, b"".join(b"%07d\n" % i for i in range(lines)))


class Whole(HttpCase):
    """What goes beside the loop is what went at once."""

    def test_a_body_of_any_length(self):
        self.serve()
        for length in (10, 30_000, 33_000, 60_000):
            job = {"shell": "#" + "x," * (length // 2), "trigger": MANUAL, "env": {"A": "ü\"\\\n" * 9}}
            made = self.ask("PUT", "/api/v1/jobs/a", job)
            self.assertIn(made.status, (200, 201), made.body)
            self.assertEqual({key: self.ask("GET", "/api/v1/jobs/a").json[key] for key in ("shell", "env")}, {key: job[key] for key in ("shell", "env")})
            etag = made.headers["ETag"]
            self.assertEqual(self.ask("PATCH", "/api/v1/jobs/a", {"description": "d" * length}, If_Match=etag).status, 200)
            self.assertEqual(self.ask("PATCH", "/api/v1/jobs/a", {"shell": "y" * length}, If_Match='"999"').status, 412)

    def test_what_no_body_may_be(self):
        self.serve()
        for body, said in (("[" * 70 + "]" * 70, "nested deeper than 64"), ("[" * 100_000, "nested deeper than 64"), ('{"a":' * 3000 + "1", "nested deeper than 64"),
                           ("{" + ",".join(f'"k{i}":1' for i in range(1025)) + "}", "an object of 1025 members"),
                           ('{"env":{' + ",".join(f'"k{i}":"v"' for i in range(9000)) + "}}", "an object of 9000 members"),
                           ("[" + "1," * 1_100_000 + "1]", "more than 1048576 elements"), ('"' + "x" * 40_000, "no JSON"), ("{}" + " " * 40_000 + "{}", "no JSON")):
            answer = self.ask("POST", "/api/v1/rpc/job.add", raw=body, Content_Type="application/json")
            self.assertEqual(answer.status, 400, body[:40])
            self.assertIn(said, answer.json["detail"])
        # Commas and brackets in a text are none.
        answer = self.ask("POST", "/api/v1/rpc/job.add", {"id": "a", "shell": "[{,:\\" * 20_000, "trigger": MANUAL})
        self.assertEqual(answer.status, 200, answer.body)

    def test_lists_of_any_length(self):
        server = self.serve("limits:\n  apply: 64M\n")
        for count in (0, 1, 20, 600):
            jobs = [{"id": f"j{i}", "command": ["/bin/true"], "trigger": MANUAL} for i in range(count)]
            done = self.ask("POST", "/api/v1/rpc/job.apply", {"jobs": jobs}).json
            self.assertEqual([row["id"] for row in done], [job["id"] for job in jobs])
            ids = sorted(job["id"] for job in jobs)
            listed = server.client().call("job.list", limit=10000)
            self.assertEqual(self.ask("POST", "/api/v1/rpc/job.list", {"limit": 10000}).json, listed)
            self.assertEqual(sorted(job["id"] for job in self.ask("GET", "/api/v1/jobs?limit=10000").json["jobs"]), ids)
            self.assertEqual(sorted(form["id"] for form in self.ask("GET", "/scheduler/jobs").json), ids)
            head = self.ask("HEAD", "/api/v1/jobs?limit=10000")
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(int(head.headers["Content-Length"]), len(self.ask("GET", "/api/v1/jobs?limit=10000").body))

    def test_many_long_answers_of_one_body(self):
        """No more of them are made than the client takes, and each comes."""
        count, calls = (200 if SMALL else 1000), 120
        server = self.serve()
        client = server.client(timeout=240)
        client.call("job.apply", jobs=[{"id": f"j{i}", "command": ["/bin/true"], "store": "memory", "trigger": MANUAL} for i in range(count)])
        body = b"".join(msgpack.packb([0, i, "job.list" if i % 10 else "server.ping", [{"limit": 10000}] if i % 10 else []]) for i in range(calls))
        client.call("job.list", limit=10000)
        before = server.memory()
        with socket.create_connection(("127.0.0.1", self.port), timeout=240) as peer:
            peer.sendall(b"POST /api/v1/rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/msgpack\r\n"
                         b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (self.admin.encode(), len(body)) + body)
            peer.recv(1, socket.MSG_PEEK)
            for _ in range(1000):
                client.call("server.ping")
            self.assertLess(server.memory() - before, 64 << 20)
            response = http.client.HTTPResponse(peer)
            response.begin()
            answers = list(msgpack.Unpacker(io.BytesIO(response.read()), raw=False))
        answers = {answer[1]: answer for answer in answers if answer}
        self.assertEqual(len(answers), calls)
        self.assertEqual({len(answers[i][3]["jobs"]) for i in range(calls) if i % 10}, {count})


class Leaving(HttpCase):
    def test_clients_that_leave_meanwhile(self):
        """What was begun for them is forgotten, and nobody waits behind it."""
        server = self.serve()
        server.client().call("job.apply", jobs=[{"id": f"j{i}", "command": ["/bin/true"], "store": "memory", "trigger": MANUAL} for i in range(600)])
        body = f'{{"jobs":[[{NUMBERS}]]}}'.encode()
        head = f"Host: localhost\r\nAuthorization: Bearer {self.admin}\r\nContent-Type: application/json\r\n"
        requests = [f"POST /api/v1/rpc/job.apply HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body,
                    f"GET /api/v1/jobs?limit=10000 HTTP/1.1\r\n{head}\r\n".encode(), f"GET /scheduler/jobs HTTP/1.1\r\n{head}\r\n".encode()]
        before = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        for i in range(30):
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as peer:
                peer.sendall(requests[i % 3])
                if i % 2:
                    peer.shutdown(socket.SHUT_WR)
        self.assertEqual(len(self.ask("GET", "/api/v1/jobs?limit=10000").json["jobs"]), 600)
        self.assertEqual(self.ask("POST", "/api/v1/rpc/job.apply", raw=body.decode(), Content_Type="application/json").status, 400)
        e2e.wait_until("all are gone", lambda: server.client().call("server.status")["http"]["connections"] == 0)
        # The clients above count, one a look: they are few.
        self.assertLess(len(os.listdir(f"/proc/{server.process.pid}/fd")), before + 30 + len(server.clients))

    def test_a_token_that_is_taken_away_meanwhile(self):
        server = self.serve()
        client = server.client(timeout=60)
        body = f'{{"jobs":[[{NUMBERS}]]}}'
        for turn in range(6):
            token = client.add_token(name="t", role="admin")
            statuses = []
            askers = [threading.Thread(target=lambda t=token: statuses.append(self.ask("POST", "/api/v1/rpc/job.apply", raw=body, token=t, Content_Type="application/json").status))
                      for _ in range(4)]
            for asker in askers:
                asker.start()
            if turn % 2:
                client.call("server.ping")
            client.call("token.remove", name="t")
            for asker in askers:
                asker.join()
            self.assertLessEqual(set(statuses), {400, 401, 429})
            self.assertEqual(len(statuses), 4)

    def test_a_password_that_is_changed_while_it_is_computed(self):
        passwords = pathlib.Path(tempfile.mkdtemp()) / "passwords"
        self.addCleanup(shutil.rmtree, passwords.parent)
        lines = [f"ann:{crypt.crypt('secret', f'$6$rounds=100000$salt{i}')}:admin\n" for i in range(2)] + ["bob:" + crypt.crypt("x", "$6$rounds=1000$s") + ":admin\n"]
        passwords.write_text(lines[0])
        passwords.chmod(0o600)
        self.serve(extra=f"  basic: {passwords}\n")
        pair = "Basic " + base64.b64encode(b"ann:secret").decode()
        for turn in range(6):
            statuses = []
            askers = [threading.Thread(target=lambda: statuses.append(self.ask("GET", "/api/v1/whoami", Authorization=pair).status)) for _ in range(3)]
            for asker in askers:
                asker.start()
            passwords.write_text(lines[(turn + 1) % 3])
            self.assertEqual(self.ask("GET", "/api/v1/whoami").json["name"], "root")  # who asks has the file read again
            for asker in askers:
                asker.join()
            self.assertLessEqual(set(statuses), {200, 401, 429})
            self.assertEqual(len(statuses), 3)
        self.assertEqual(self.ask("GET", "/api/v1/whoami").status, 200)

    def test_it_ends_while_work_is_under_way(self):
        for number in (0, 1):
            server = self.serve()
            body = f'{{"jobs":[[{NUMBERS}]]}}'.encode()
            head = f"POST /api/v1/rpc/job.apply HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.admin}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            peers = [socket.create_connection(("127.0.0.1", self.port), timeout=60) for _ in range(4)]
            for peer in peers:
                self.addCleanup(peer.close)
                peer.sendall(head.encode() + body)
            if number:
                server.client().call("server.shutdown", now=True)
                self.assertEqual(server.process.wait(60), 0)
            else:
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
