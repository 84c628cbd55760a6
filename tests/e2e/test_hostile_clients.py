# SPDX-License-Identifier: MIT
"""Clients that send nonsense, too much, or never read: each costs little, and the others notice nothing."""
import os
import signal
import socket
import unittest

import e2e
import msgpack

# Memory is measured here: AddressSanitizer would keep 256 MiB of what was freed.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"


def read_all(sock):
    data = b""
    while True:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece


class Case(e2e.TestCase):
    config = ""

    def setUp(self):
        self.server = self.daemon(config=self.config)
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def raw(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(str(self.server.socket))
        self.addCleanup(sock.close)
        return sock

    def told_and_closed(self, data):
        """Sends bytes; the answer's error, after which the connection must end."""
        sock = self.raw()
        sock.sendall(data)
        kind, msgid, error, result = msgpack.unpackb(read_all(sock))
        self.assertEqual((kind, msgid, result), (1, 0, None))
        self.assertEqual(self.client.call("server.ping")["ready"], True)
        return error


class Hostile(Case):
    def test_garbage_is_told_and_closed(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xc1", b"\x00" * 100, b"\x93\xc1", os.urandom(0) + b"\xff" * 64):
            self.assertEqual(self.told_and_closed(data)["name"], "invalid_argument")

    def test_headers_that_promise_too_much(self):
        before = self.server.memory()
        for data in (b"\xdd\xff\xff\xff\xff", b"\x94\x00\x01\xdb\xff\xff\xff\xff", b"\x94\x00\x01\xa1x\xdf\xff\xff\xff\xff",
                     b"\x94\x00\x01\xa1x\xc6\xff\xff\xff\xff"):
            self.assertIn("limit", self.told_and_closed(data)["message"])
        self.assertLess(self.server.memory() - before, 4 << 20)

    def test_a_client_in_the_middle_of_sending_can_read_the_reason(self):
        error = self.told_and_closed(msgpack.packb([0, 1, "server.hello", [{"client": "x" * (16 << 20)}]]))
        self.assertIn("limit", error["message"])
        sock = self.raw()
        sock.sendall(b"\xc1")
        self.assertEqual(msgpack.unpackb(read_all(sock))[1], 0)
        e2e.wait_until("it is closed although it stays", lambda: self.client.call("server.status")["clients"] == 1)

    def test_nesting_that_is_too_deep(self):
        self.assertIn("nested", self.told_and_closed(b"\x94\x00\x01\xa1x" + b"\x91" * 100)["message"])

    def test_wrong_requests_leave_the_connection_open(self):
        for message in ([0, 1, "job.get", [1]], [0, 2, "job.get", [{}, {}]], [0, 3, 5, []], [0, 4, "x"]):
            sock = self.raw()
            sock.sendall(msgpack.packb(message) + msgpack.packb([0, 77, "server.ping", []]))
            unpacker = msgpack.Unpacker()
            answers = []
            while len(answers) < 2:
                unpacker.feed(sock.recv(65536))
                answers += list(unpacker)
            self.assertEqual(answers[0][2]["name"], "invalid_argument")
            self.assertEqual(answers[1][1:3], [77, None])

    def test_half_a_message_costs_nothing(self):
        half = msgpack.packb([0, 1, "server.ping", []])[:-3]
        sock = self.raw()
        sock.sendall(half)
        self.client.call("server.ping")
        sock.close()
        self.client.call("server.ping")

    def test_a_message_byte_by_byte(self):
        sock = self.raw()
        for byte in msgpack.packb([0, 9, "server.hello", [{"client": "slow"}]]):
            sock.sendall(bytes([byte]))
        self.assertEqual(msgpack.unpackb(sock.recv(65536))[1], 9)

    def test_half_close_still_gets_answers(self):
        sock = self.raw()
        sock.sendall(b"".join(msgpack.packb([0, i, "server.ping", []]) for i in range(50)))
        sock.shutdown(socket.SHUT_WR)
        unpacker = msgpack.Unpacker()
        unpacker.feed(read_all(sock))
        self.assertEqual([m[1] for m in unpacker], list(range(50)))

    def test_a_client_that_never_reads(self):
        sock = self.raw()
        sock.settimeout(1)
        before = self.server.memory()
        request = msgpack.packb([0, 1, "server.status", []]) * 1000
        sent = 0
        try:
            while sent < 64 << 20:
                sent += sock.send(request)
        except socket.timeout:
            pass
        self.assertLess(sent, 64 << 20, "reading from it stops")
        self.assertLess(self.server.memory() - before, 24 << 20)
        self.assertEqual(self.client.call("server.ping")["ready"], True)

    def test_a_flood_of_requests_leaves_others_their_turn(self):
        for first in range(0, 2000, 200):
            for msgid in [self.client.send("job.add", id=f"j{first + i}", shell="true", store="memory",
                                           trigger={"every": "1h"}) for i in range(200)]:
                self.client.receive(msgid)
        before = self.client.call("server.status")["requests"]
        sock = self.raw()
        sock.sendall(msgpack.packb([0, 0, "server.ping", []]))
        sock.recv(65536)
        self.server.process.send_signal(signal.SIGSTOP)
        sock.sendall(b"".join(msgpack.packb([0, i, "job.list", [{"patterns": "none*"}]]) for i in range(1000)))
        sent = self.client.send("server.status")
        self.server.process.send_signal(signal.SIGCONT)
        self.assertLess(self.client.receive(sent)["requests"] - before, 900)
        unpacker, answers = msgpack.Unpacker(), []
        while len(answers) < 1000:
            unpacker.feed(sock.recv(65536))
            answers += [message[1] for message in unpacker]
        self.assertEqual(answers, list(range(1000)))

    def test_a_file_of_many_jobs_leaves_others_their_turn(self):
        big = self.server.client(timeout=240)
        for first in range(0, 20000, 5000):
            big.call("job.apply", apply="x", jobs=[{"id": f"j{first + i}", "command": ["/bin/true"], "store": "memory",
                                                    "trigger": {"every": "1h"}} for i in range(5000)])
        sent = big.send("job.apply", apply="x", jobs=[], last=True)
        big.socket.setblocking(False)
        pings = 0
        while sent not in big.answers:
            self.client.call("server.ping")
            pings += 1
            try:
                big._read()
            except BlockingIOError:
                pass
        self.assertGreater(pings, 5, "others wait for a piece of it, not for all")
        self.assertEqual(len(big.answers[sent][1]), 20000)
        self.assertEqual(self.client.call("job.get", id="j19999")["id"], "j19999")

    def test_clients_come_and_go(self):
        for _ in range(300):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.server.socket))
            sock.send(msgpack.packb([0, 1, "job.list", []]))
            sock.close()
        e2e.wait_until("all are gone", lambda: self.client.call("server.status")["clients"] == 1)


class Limited(Case):
    config = "limits:\n  clients: 4\n  events: 64K\n  request: 4K\n"

    def test_clients_beyond_the_limit_are_told(self):
        others = [self.server.client() for _ in range(3)]
        for other in others:
            other.call("server.ping")
        error = msgpack.unpackb(read_all(self.raw()))[2]
        self.assertEqual(error["name"], "failed")
        self.assertIn("limits.clients", error["message"])
        for _ in range(5):  # it may be told before it has sent anything
            status, _, text = self.server.ctl("list")
            self.assertEqual(status, 1, text)
            self.assertIn("limits.clients", text)
        for other in others:
            other.close()

    def test_a_request_beyond_the_limit(self):
        data = msgpack.packb([0, 1, "server.hello", [{"client": "x" * 5000}]])
        self.assertIn("4096", self.told_and_closed(data)["message"])

    def test_events_for_a_slow_reader_are_dropped_and_told(self):
        slow = self.server.client()
        self.addCleanup(slow.close)
        slow.call("event.subscribe")
        for i in range(2000):
            self.client.call("job.add", id=f"j{i}", shell="true", trigger={"every": "1h"}, store="memory")
        self.assertGreater(self.client.call("server.status")["events_dropped"], 0)
        got, dropped = 0, None
        while dropped is None:
            method, params = slow.notification()
            if method == "event":
                got += 1
            else:
                self.assertEqual(method, "event.dropped")
                dropped = params
        self.assertEqual(dropped["to"] - dropped["from"] + 1, dropped["count"])
        self.assertEqual(got + dropped["count"], 2000)
        self.client.call("job.add", id="last", shell="true", trigger={"every": "1h"}, store="memory")
        self.assertEqual(slow.notification()[1]["job"], "last")


if __name__ == "__main__":
    unittest.main()
