# SPDX-License-Identifier: MIT
"""What is no server that a store can use, for each type: nothing is there, something else is, one that is too old,
one that says nothing, a server of names that does not answer. Words, exit status, and no store more than before."""
import concurrent.futures
import json
import os
import pathlib
import random
import socket
import struct
import tempfile
import time
import unittest

import server_store
from e2e import Daemon, patience

# What a store says of it; ZooKeeper's library tells nothing of what it sees.
SILENT_ZOO = "no ZooKeeper answers there within"
ANSWERS = {
    "what speaks HTTP": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", {
        "postgresql": "is it PostgreSQL that listens there?", "mysql": "another kind of server",
        "redis": "no Redis server", "etcd": "no etcd: HTTP status 400", "zookeeper": SILENT_ZOO,
        "mongodb": "no MongoDB server"}),
    "what greets in a line": (b"SSH-2.0-OpenSSH_9.2\r\n", {
        "postgresql": "is it PostgreSQL that listens there?", "mysql": "another kind of server",
        "redis": "no Redis server", "etcd": "is it etcd that listens there", "zookeeper": SILENT_ZOO,
        "mongodb": "no MongoDB server"}),
    "what answers as Redis": (b"-ERR unknown command\r\n" * 4, {
        "postgresql": "is it PostgreSQL that listens there?", "mysql": "another kind of server",
        "redis": "it must be Redis 7 or later", "etcd": "is it etcd that listens there", "zookeeper": SILENT_ZOO,
        "mongodb": "no MongoDB server"}),
    "what hangs up": (b"", {
        "postgresql": "is it PostgreSQL that listens there?", "mysql": "another kind of server",
        "redis": "is it a Redis server", "etcd": "is it etcd that listens there", "zookeeper": SILENT_ZOO,
        "mongodb": "is it MongoDB that listens there"}),
    "what says nothing": (None, {
        "postgresql": "is it PostgreSQL that listens there?", "mysql": "says nothing: it stands still, or is no MariaDB",
        "redis": "is it Redis that listens there?", "etcd": "is it etcd that listens there", "zookeeper": SILENT_ZOO,
        "mongodb": "is it MongoDB that listens there?"}),
}
REFUSED = {
    "postgresql": "Connection refused", "mysql": "Connection refused", "redis": "Connection refused",
    "etcd": "Failed to connect to 127.0.0.1", "zookeeper": SILENT_ZOO, "mongodb": "Connection refused",
}


class Says(server_store.Listener):
    """Answers that to whatever comes, and hangs up; None: says nothing for ever."""

    def __init__(self, says):
        self.says, self.kept = says, []
        super().__init__()

    def serve(self, connection):
        if self.says is None:
            self.kept.append(connection)
            return
        with connection:
            connection.settimeout(0.5)
            try:
                connection.recv(4096)
            except TimeoutError:
                pass
            connection.sendall(self.says)
            # A connection that is closed with something unread in it takes the answer away again.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10 * patience())
            while connection.recv(4096):
                pass

    def close(self):
        super().close()
        for each in self.kept:
            each.close()


def whole(connection, length):
    return connection.recv(length, socket.MSG_WAITALL)


class Old(server_store.Listener):
    """A server of a version that is not supported any more."""

    def serve(self, connection):
        with connection:
            self.talk(connection)


class OldPostgresql(Old):
    words = "is PostgreSQL 11, it must be 12"

    def talk(self, connection):
        for _ in range(2):
            length, code = struct.unpack(">II", whole(connection, 8))
            whole(connection, length - 8)
            if code == 80877103:  # would it speak TLS?
                connection.sendall(b"N")
                continue
            break

        def message(kind, body):
            return kind + struct.pack(">I", len(body) + 4) + body
        connection.sendall(message(b"R", bytes(4)) + message(b"S", b"server_version\x0011.22\0")
                           + message(b"S", b"client_encoding\0UTF8\0") + message(b"K", bytes(8)) + message(b"Z", b"I"))
        connection.recv(4096)


class OldMysql(Old):
    words = "is MySQL 5.7.44, it must be"

    def talk(self, connection):
        greeting = b"\x0a5.7.44\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack(
            "<HBHHB", 0xf7ff, 33, 2, 0x000f, 21) + bytes(10) + b"123456789012\0mysql_native_password\0"
        connection.sendall(struct.pack("<I", len(greeting))[:3] + b"\0" + greeting)
        connection.recv(4096)
        connection.sendall(b"\x07\0\0\x02\0\0\0\x02\0\0\0")
        connection.recv(4096)


class OldRedis(Old):
    words = "is Redis 6.2.14, it must be 7"

    def talk(self, connection):
        connection.recv(4096)
        connection.sendall(b"+OK\r\n$20\r\nredis_version:6.2.14\r\n-ERR\r\n-ERR\r\n")
        connection.recv(4096)


class OldEtcd(Old):
    words = "its version is 3.3.25: etcd 3.4 or later is needed"

    def talk(self, connection):
        connection.recv(4096)
        text = b'{"etcdserver":"3.3.25","etcdcluster":"3.3.0"}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


class OldZookeeper(Old):
    """Knows no /zookeeper/config, as those before 3.5."""
    words = "the server is too old, it must be ZooKeeper 3.5 or later"

    def talk(self, connection):
        whole(connection, struct.unpack(">I", whole(connection, 4))[0])
        connection.sendall(struct.pack(">IIIQI", 37, 0, 10000, 1, 16) + bytes(17))
        while head := whole(connection, 4):
            xid, = struct.unpack(">i", whole(connection, struct.unpack(">I", head)[0])[:4])
            connection.sendall(struct.pack(">IiQi", 16, xid, 1, 0 if xid == -2 else -101))


class OldMongodb(Old):
    words = "the server is too old, it must be MongoDB 4.4 or later"

    def talk(self, connection):
        """OP_QUERY alone, as a server that knows no more than wire version 8 is asked first."""
        fields = b"\x08ismaster\0\1" + b"".join(
            b"\x10" + name + b"\0" + struct.pack("<i", number)
            for name, number in ((b"maxWireVersion", 8), (b"minWireVersion", 0), (b"ok", 1),
                                 (b"maxBsonObjectSize", 1 << 24), (b"maxMessageSizeBytes", 48000000)))
        document = struct.pack("<i", len(fields) + 5) + fields + b"\0"
        while head := whole(connection, 16):
            length, number, _, code = struct.unpack("<iiii", head)
            whole(connection, length - 16)
            if code == 2013:
                body, kind = struct.pack("<i", 0) + b"\0" + document, 2013
            else:
                body, kind = struct.pack("<iqii", 8, 0, 0, 1) + document, 1
            connection.sendall(struct.pack("<iiii", len(body) + 16, 1, number, kind) + body)


class Strange(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.daemon.start()
        self.before = self.stores()

    def tearDown(self):
        self.assertEqual(self.daemon.end(), "")

    def stores(self):
        return [store["name"] for store in json.loads(self.daemon.ctl("stores", "--json")[1])]

    def told(self, cases):
        """(type, host and port, words) each; all at once, as some only tell when their time is over."""
        def ask(case):
            kind, host, _ = case
            return self.daemon.ctl("stores", "check", server_store.URLS[kind].format(host), "--option", "connect_timeout=2s",
                                   "--option", "timeout=2s")
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(ask, cases))
        for (kind, host, words), (code, out, err) in zip(cases, answers):
            with self.subTest(type=kind, host=host):
                self.assertEqual((code, out), (1, ""), err)
                self.assertIn("store 'check': ", err)
                self.assertIn(words, err)
        self.assertEqual(self.stores(), self.before)

    def listen(self, server):
        self.addCleanup(server.close)
        return f"127.0.0.1:{server.port}"

    def test_another_kind_of_server(self):
        for name, (says, words) in ANSWERS.items():
            with self.subTest(name):
                host = self.listen(Says(says))
                self.told([(kind, host, words[kind]) for kind in server_store.URLS])

    def test_nobody_is_there(self):
        closed = socket.create_server(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        self.told([(kind, host, REFUSED[kind]) for kind in server_store.URLS])
        self.told([(kind, "no-such-host.invalid", "no-such-host.invalid") for kind in server_store.URLS])

    def test_a_server_that_is_too_old(self):
        olds = {"postgresql": OldPostgresql, "mysql": OldMysql, "redis": OldRedis, "etcd": OldEtcd,
                "zookeeper": OldZookeeper, "mongodb": OldMongodb}
        self.told([(kind, self.listen(old()), old.words) for kind, old in olds.items()])

    def test_a_url_that_cannot_be_meant(self):
        for kind, url in server_store.URLS.items():
            for address, options, words in (
                    (url.format("h:99999"), [], "'99999' is no port"),
                    (url.format("h") + "?no_such_parameter=1", [], "'no_such_parameter' is not known"),
                    (url.format("h"), ["--option", "tiemout=2s"], "'tiemout' is not known"),
                    (url.format("h"), ["--option", "timeout=never"], "timeout"),
                    (url.format("h"), ["--option", "password_file=/nonexistent"], "/nonexistent"),
                    (url.format("h"), ["--option", "history=nowhere"], "nowhere"),
                    ("gopher" + url.format("h")[len(kind):], ["--type", kind], f"is no scheme of type '{kind}'"),
                    ("gopher" + url.format("h")[len(kind):], [], "scheme 'gopher' does not tell its type"),
            ):
                with self.subTest(address=address, options=options):
                    code, out, err = self.daemon.ctl("stores", "add", "bad", address, *options)
                    self.assertEqual((code, out), (2, ""), err)
                    self.assertIn(words, err)
        self.assertEqual(self.stores(), self.before)

    @unittest.skipUnless(os.geteuid() == 0, "another server of names can only be given by root")
    def test_a_server_of_names_that_does_not_answer(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        address = "127." + ".".join(str(random.randrange(1, 255)) for _ in range(3))
        silent.bind((address, 53))
        made = tempfile.NamedTemporaryFile("w", prefix="schedd-resolv.")
        self.addCleanup(made.close)
        made.write(f"nameserver {address}\noptions timeout:30 attempts:3\n")
        made.flush()
        pathlib.Path(made.name).chmod(0o644)
        self.daemon.stop()
        self.daemon.program = ("unshare", "-m", "sh", "-c",
                               f'mount --bind {made.name} /etc/resolv.conf && exec "$SCHEDD_PROGRAM"')
        self.daemon.start(SCHEDD_PROGRAM=os.environ["SCHEDD"])
        began = time.monotonic()
        self.told([(kind, "some.host.example", "some.host.example" if kind != "etcd" else "timed out")
                   for kind in server_store.URLS])
        self.assertLess(time.monotonic() - began, 25 * patience())
        began = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 20 * patience())


if __name__ == "__main__":
    unittest.main()
