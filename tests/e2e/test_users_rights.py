# SPDX-License-Identifier: MIT
"""Whatever an account's job asks for is done by processes of that account, with its rights."""
import http.server
import pathlib
import shutil
import tempfile
import threading
import unittest

import e2e
from users_case import ALICE, MANUAL, Case, uid


def uid_of_peer(address):
    """Whose socket that is, by the kernel's word."""
    host, port = address
    local = "".join(f"{int(part):02X}" for part in reversed(host.split("."))) + f":{port:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1] == local:
            return int(words[7])
    return None


class Requests(Case):
    def setUp(self):
        super().setUp()
        self.alice = self.user(ALICE)
        self.got, self.go = got, go = [], threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                got.append((self.command, self.path, body.decode(), uid_of_peer(self.client_address)))
                moved = {"/file": "file:///etc/hostname", "/moved": "/here"}.get(self.path)
                if self.path == "/wait":
                    go.wait(60)
                self.send_response(302 if moved else 503 if self.path in ("/busy", "/wait") else 200)
                if moved:
                    self.send_header("Location", moved)
                self.end_headers()
                self.wfile.write(b"the answer\n")

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        self.addCleanup(lambda: (go.set(), web.shutdown(), thread.join(), web.server_close()))
        self.url = f"http://127.0.0.1:{web.server_address[1]}"

    def request(self, path, **fields):
        self.alice.call("job.add", id="ask", http={"url": self.url + path, **fields}, trigger=MANUAL, replace=True)
        return self.ended(self.alice, "ask")

    def test_an_account_s_request_is_its_own_process_s(self):
        run = self.request("/x", method="POST", body="words")
        self.assertEqual((run["state"], run["exit_code"]), ("success", 0), run)
        self.assertGreater(run["pid"], 0)
        self.assertEqual(self.output(self.alice, run["id"]), "the answer\n")
        self.assertEqual(self.got, [("POST", "/x", "words", uid(ALICE))])
        run = self.request("/busy", method="GET")
        self.assertEqual((run["state"], run["exit_code"]), ("failed", 5))
        self.assertIn("/busy: the answer was 503", run["reason"])
        self.assertEqual(self.request("/moved", method="GET")["state"], "success")
        run = self.request("/file", method="GET")
        self.assertEqual((run["state"], run["exit_code"]), ("failed", None))
        self.assertIn('Protocol "file" not supported', run["reason"])
        self.assertEqual({who for *_, who in self.got}, {uid(ALICE)})
        self.refused("invalid_argument", self.request, "x", method="GET", url="file:///etc/passwd")
        message = self.refused("permission_denied", self.alice.call, "job.add", id="inside", trigger=MANUAL,
                               http="GET http://localhost/", executor="http")
        self.assertIn("executor", message)

    def test_root_s_requests_are_the_daemon_s(self):
        self.root.call("job.add", id="ask", http=f"GET {self.url}/root", trigger=MANUAL)
        run = self.ended(self.root, "ask")
        self.assertEqual((run["state"], run["pid"]), ("success", None))
        self.assertEqual(self.got[-1], ("GET", "/root", "", 0))

    def test_people_are_told_with_the_account_s_rights(self):
        out = pathlib.Path(tempfile.mkdtemp(prefix="schedd-mail-"))
        self.addCleanup(shutil.rmtree, out)
        out.chmod(0o777)
        (out / "sendmail").write_text(f"#!/bin/sh\nid -u > {out}/new; cat >> {out}/new; mv {out}/new {out}/mail\n")
        (out / "sendmail").chmod(0o755)
        self.server.config.write_text(self.config + f"notify:\n  sendmail: {out}/sendmail\n")
        self.root.call("server.reload")
        self.add(self.alice, "tell", ["/bin/false"], notify={"failure": [self.url + "/told", "mail:somebody@example.org"]})
        self.ended(self.alice, "tell")
        e2e.wait_until("both were told", lambda: self.got and (out / "mail").exists())
        method, path, body, who = self.got[0]
        self.assertEqual((method, path, who), ("POST", "/told", uid(ALICE)))
        self.assertIn('"notify":"failure"', body.replace(" ", ""))
        words = (out / "mail").read_text()
        self.assertTrue(words.startswith(f"{uid(ALICE)}\nTo: somebody@example.org\n"), words)

    def test_a_request_outlives_the_program(self):
        self.alice.call("job.add", id="long", http=f"GET {self.url}/wait", trigger=MANUAL)
        run = self.alice.call("job.run", id="long")["run"]
        e2e.wait_until("it was asked", lambda: self.got)
        before = self.root.call("server.status")["started_at"]
        self.root.call("server.reload", exec=True)

        def anew():
            try:
                self.root = self.server.client()
                return self.root.call("server.status")["started_at"] != before
            except (OSError, EOFError):
                return False
        e2e.wait_until("the new program answers", anew)
        self.go.set()
        run = self.root.call("run.wait", run=f"{ALICE}:{run}" if ":" not in run else run)
        self.assertEqual((run["state"], run["exit_code"]), ("failed", 5), run)
        self.assertIn("/wait: the answer was 503", run["reason"])
        self.assertEqual(len(self.got), 1)


if __name__ == "__main__":
    unittest.main()
