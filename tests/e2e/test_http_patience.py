# SPDX-License-Identifier: MIT
"""Whoever waits for something over HTTP may be silent longer than any time-out between requests, which is a minute."""
import http.client
import json
import os
import socket
import subprocess
import time
import unittest

import e2e
from test_http import HttpCase

SILENCE = 66  # seconds


class Patience(HttpCase):
    def test_those_who_wait_are_not_cut_off(self):
        server = self.serve()
        gate = server.dir / "gate"
        os.mkfifo(gate)
        server.client().call("job.add", id="g", shell=f"echo first; read x <{gate}; echo $x", trigger={"manual": True})
        server.client().call("job.run", id="g")
        token = server.dir / "token"
        token.write_text(self.admin)

        def begin(method, path, body=None):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            self.addCleanup(connection.close)
            connection.request(method, path, body=body, headers={"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json"})
            return connection

        log = begin("GET", "/api/v1/runs/g/1/log?follow=1").getresponse()
        self.assertEqual(log.readline(), b"first\n")
        events = begin("GET", "/api/v1/events").getresponse()
        wait = begin("POST", "/api/v1/rpc/run.wait", json.dumps({"run": "g/1"}))
        ctl = subprocess.Popen([e2e.SCHEDCTL, "--url", f"http://127.0.0.1:{self.port}", "--token-file", str(token), "wait", "g/1"], env={**server.environment(), "NO_PROXY": "*"},
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(ctl.stderr.close)
        self.addCleanup(ctl.wait)
        self.addCleanup(ctl.kill)
        idle = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(idle.close)
        began = time.monotonic()
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        idle.settimeout(SILENCE)
        got = b""
        while piece := idle.recv(65536):  # it ends by itself: whoever asks nothing more is let go
            got += piece
        self.assertIn(b"200 OK", got)
        self.assertGreater(time.monotonic() - began, 50)
        e2e.wait_until("the others were silent for longer", lambda: time.monotonic() - began > SILENCE, 30)
        with open(gate, "w", encoding="ascii") as feed:
            feed.write("second\n")
        self.assertEqual(log.read(), b"second\n")
        self.assertEqual(json.loads(wait.getresponse().read())["state"], "success")
        self.assertEqual(ctl.wait(30), 0, ctl.stderr.read())
        seen = b""
        while b"job_executed" not in seen:
            line = events.readline()
            self.assertTrue(line, "the events ended before the run")
            seen += line


if __name__ == "__main__":
    unittest.main()
