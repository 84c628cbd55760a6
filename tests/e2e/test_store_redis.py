# SPDX-License-Identifier: MIT
"""Jobs kept on a Redis server, which is started for the test alone."""
import contextlib
import json
import os
import pathlib
import re
import socket
import shutil
import subprocess
import tempfile
import threading
import unittest

import server_store
from e2e import Daemon, wait_until

server_store.serve("redis")
ROOT = os.geteuid() == 0
MANUAL = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "server/man/schedd-stores.7"


def tell(*words):
    """In the server's own language."""
    return subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(), *words], check=True, capture_output=True,
                          text=True).stdout.strip()


class Own:
    """A server of a test's own, with options of its own, on a port."""

    def __init__(self, *options, port=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="schedd-redis."))
        self.port = next(self.free_ports())
        self.command = ["redis-server", *(["--port", str(self.port)] if port else ["--port", "0"]), "--unixsocket",
                        self.dir / "s", "--dir", self.dir, "--save", "", *options]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until("redis is there", lambda: self.tell("PING") in ("PONG", "") or "NOAUTH" in self.tell("PING"))

    @staticmethod
    def free_ports():
        # A port above is another connection's own end now and then.
        for port in range(20000 + os.getpid() % 5000, 32000):
            with socket.socket() as one:
                try:
                    one.bind(("127.0.0.1", port))
                except OSError:
                    continue
            yield port

    def tell(self, *words):
        done = subprocess.run(["redis-cli", "-s", self.dir / "s", *words], capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip() if done.returncode == 0 else "not yet"

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def end(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.dir)


class Listener:
    """Something else behind a port: answers what it is told to."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer = answer
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            with one, contextlib.suppress(OSError):
                if one.recv(65536) and self.answer:
                    one.sendall(self.answer)
                    one.recv(1)

    def end(self):
        self.listener.close()


class Redis(server_store.Guarded):
    def socket_of_server(self):
        directory = os.environ["SCHEDD_TEST_SERVER_DIR"]
        return directory, directory + "/s"

    def with_password(self, secret):
        # The default user, who needs none, takes any.
        return server_store.url().replace("unix://", f"unix://:{secret}@")

    def setUp(self):
        server_store.move("writable")
        super().setUp()
        self.ended = []

    def tearDown(self):
        super().tearDown()
        for one in self.ended:
            one.end()

    def test_bad_input_is_named(self):
        self.check_bad_input((
            ("redis://h:99999", [], 2, "'99999' is no port"),
            ("redis://h/jobs", [], 2, "'jobs' is no number of a database"),
            ("redis://h/1?db=2", [], 2, "two databases"),
            ("redis://h?timeout=5", [], 2, "'timeout' is not known"),
            ("redis://h1,h2", [], 2, "2 hosts"),
            ("redis://secret@h", [], 2, "redis://:PASSWORD@HOST"),
            ("redis://:a/b@h", [], 2, "%2F"),
            ("redis://h", ["--option", "tls_ca=/etc/passwd"], 2, "rediss://"),
            ("rediss://h", ["--option", "tls_cert=/etc/passwd"], 2, "tls_key is missing"),
            ("redis://h", ["--option", "prefix={a}"], 2, "no braces"),
            ("unix://run/s", [], 2, "three slashes"),
            ("postgresql://h", ["--type", "redis"], 2, "'postgresql' is no scheme"),
        ))

    def own(self, *options, **more):
        self.ended.append(Own(*options, **more))
        return self.ended[-1]

    def add_store(self, name, url, **options):
        """Adds a store while schedd runs; answers it once it has come to that state."""
        state = options.pop("state", "ok")
        options = {"timeout": "2s", **({"run_as": "root"} if ROOT else {}), **options}
        words = [word for key, text in options.items() for word in ("--option", f"{key}={text}")]
        self.ok("stores", "add", name, url, *words)
        return wait_until(f"{name} is {state}", lambda: self.store(name)["state"] == state and self.store(name), 30)

    def told(self, url, words, state="refused", **options):
        self.add_store("bad", url, state=state, **options)
        try:
            wait_until(words, lambda: words in (self.store("bad")["why"] or ""), 10)
        except AssertionError:
            self.fail(f"{url}: not '{words}' but {self.store('bad')}")
        self.ok("stores", "remove", "bad")

    # ---- Logging in ----

    def test_each_form_of_a_login(self):
        server = self.own("--requirepass", "p@ss:w/rd%")
        server.tell("--no-auth-warning", "-a", "p@ss:w/rd%", "ACL", "SETUSER", "one", "on", ">its-own", "~*", "&*", "+@all")
        secret = "p%40ss%3Aw%2Frd%25"
        for i, url in enumerate((f"redis://:{secret}@127.0.0.1:{server.port}",
                                 f"redis://default:{secret}@127.0.0.1:{server.port}/1",
                                 f"redis://one:its-own@localhost:{server.port}/2",
                                 f"redis://:{secret}@[::1]:{server.port}?db=3",
                                 f"unix://:{secret}@{server.dir}/s?db=4")):
            self.add_store(f"s{i}", url)
            self.ok("add", "--id", f"of{i}", "--store", f"s{i}", "--manual", "--", "true")
            found = server.tell("--no-auth-warning", "-a", "p@ss:w/rd%", "-n", str(i), "HKEYS", "{schedd:}jobs")
            self.assertEqual(found, f"of{i}", url)
        self.told(f"redis://127.0.0.1:{server.port}", "wants a password")
        self.told(f"redis://:wrong-one@127.0.0.1:{server.port}", "refuses the user or its password")
        self.told(f"redis://nobody:{secret}@127.0.0.1:{server.port}", "refuses the user or its password")
        self.told(f"redis://:{secret}@127.0.0.1:{server.port}/99", "no such database")
        said = self.everything_said()
        for text in ("p@ss:w/rd%", secret, "wrong-one", "its-own"):
            self.assertNotIn(text, said)

    def test_the_rights_of_the_manual_are_enough_and_needed(self):
        words = re.search(r"ACL SETUSER schedd on >PASSWORD(.*?)\n\.RE", MANUAL.read_text(), re.S).group(1)
        rights = words.replace("\\", "").split()
        for left_out in ("", "+xadd", "+fcall", "~{schedd:}*", "+function|load"):
            tell("FLUSHALL")
            tell("FUNCTION", "FLUSH")
            tell("ACL", "SETUSER", "narrow", "reset", "on", ">n", *[word for word in rights if word != left_out])
            self.begin(server_store.with_login("narrow", "n"))
            if left_out:
                self.assertIn("schedd-stores(7)", self.await_state("refused")["why"], left_out)
            else:
                self.assertIn("survives a crash", self.await_state("ok")["durability"])
                self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
                self.ok("run", "x", "--wait")
                self.ok("rename", "x", "y")
                self.ok("run", "y", "--wait")
                self.assertEqual(self.runs("y"), [2, 1])
                self.ok("why", "y")
                self.ok("stats", "y")
                self.ok("rm", "-y", "y", "--purge")
        # What shows what the server promises may be missing.
        tell("ACL", "SETUSER", "narrow", "reset", "on", ">n",
                    *[word for word in rights if word != "+config|get"])
        self.begin(server_store.with_login("narrow", "n"))
        self.assertIn("appendfsync unknown", self.await_state("ok")["durability"])

    def test_the_rights_of_the_manual_for_several(self):
        alone, more = re.findall(r"ACL SETUSER schedd (.*?)\n\.RE", MANUAL.read_text(), re.S)
        alone, more = alone.replace("\\", "").split()[2:], more.split()
        for left_out in (*more, ""):
            tell("FLUSHALL")
            tell("ACL", "SETUSER", "narrow", "reset", "on", ">n", *alone, *[word for word in more if word != left_out])
            self.begin(server_store.with_login("narrow", "n"), shared="true", lease="3s")
            if left_out:
                self.assertIn("schedd-stores(7)", self.await_state("refused")["why"], left_out)
                continue
            self.await_state("ok")
            self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
            self.ok("run", "x", "--wait")

    def test_tls_is_verified(self):
        made = pathlib.Path(tempfile.mkdtemp(prefix="schedd-tls."))
        self.addCleanup(shutil.rmtree, made)
        for name, subject in (("ca", "/CN=test"), ("other", "/CN=other")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
                            "-keyout", made / f"{name}.key", "-out", made / f"{name}.pem"], check=True, capture_output=True)
        (made / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
                        made / "s.key", "-out", made / "s.csr"], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", made / "s.csr", "-CA", made / "ca.pem", "-CAkey", made / "ca.key",
                        "-CAcreateserial", "-days", "2", "-extfile", made / "ext", "-out", made / "s.pem"],
                       check=True, capture_output=True)
        port = next(Own.free_ports())
        server = self.own("--tls-port", str(port), "--tls-cert-file", made / "s.pem", "--tls-key-file", made / "s.key",
                          "--tls-ca-cert-file", made / "ca.pem", port=False)
        client = {"tls_ca": made / "ca.pem", "tls_cert": made / "s.pem", "tls_key": made / "s.key"}
        self.add_store("by-name", f"rediss://localhost:{port}", **client)
        self.add_store("by-number", f"rediss://127.0.0.1:{port}/1", **client)
        self.ok("add", "--id", "x", "--store", "by-name", "--manual", "--", "true")
        self.assertEqual(server.tell("HKEYS", "{schedd:}jobs"), "x")
        self.told(f"rediss://localhost:{port}", "certificate is not good", **{**client, "tls_ca": made / "other.pem"})
        self.told(f"rediss://localhost:{port}", "certificate is not good")
        self.told(f"rediss://127.0.0.2:{port}", "certificate is not good", **client)
        self.told(f"redis://localhost:{port}", "write rediss://", state="connecting")
        plain = self.own()
        self.told(f"rediss://localhost:{plain.port}", "does it speak TLS there?", state="connecting",
                     connect_timeout="1s", **client)
        talker = Listener(b"-ERR Protocol error\r\n")
        self.ended.append(talker)
        self.told(f"rediss://127.0.0.1:{talker.port}", "does not speak TLS there", **client)
        # The handshake has a deadline as well.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.told(f"rediss://127.0.0.1:{silent.getsockname()[1]}", "does it speak TLS there?", state="connecting",
                         connect_timeout="1s", **client)

    # ---- What is there is something else ----

    def test_what_is_no_redis_server_is_named(self):
        for answer, words, state in (
                (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis server", "refused"),
                (b"SSH-2.0-OpenSSH_9.2\r\n", "no Redis server", "refused"),
                (None, "before it answered anything", "connecting"),  # as PostgreSQL does
                (b"-ERR unknown command 'SELECT'\r\n" * 4, "it must be Redis 7 or later", "refused"),
                (b"+OK\r\n$20\r\nredis_version:6.2.14\r\n-ERR\r\n-ERR\r\n", "is Redis 6.2.14, it must be 7", "refused"),
                (b"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n-ERR\r\n-ERR\r\n", "still reading its files",
                 "connecting"),
                (b"-DENIED Redis is running in protected mode\r\n", "protected mode", "refused"),
        ):
            listener = Listener(answer)
            self.ended.append(listener)
            self.told(f"redis://127.0.0.1:{listener.port}", words, state)
        self.told("redis://no-such-host.invalid", "'no-such-host.invalid' is not found", "connecting")
        self.told("unix:///nonexistent/s", "No such file", "connecting")
        self.told(f"redis://127.0.0.1:{next(Own.free_ports())}", "refused", "connecting")

    def test_a_replica_takes_no_writes(self):
        replica = self.own("--replicaof", "127.0.0.1 1")
        self.told(f"redis://127.0.0.1:{replica.port}", "is a replica of 127.0.0.1:1", "read-only")
        # One that becomes a replica while it is used.
        server = self.own()
        self.add_store("turned", f"redis://127.0.0.1:{server.port}")
        server.tell("REPLICAOF", "127.0.0.1", "1")
        wait_until("it is read-only", lambda: self.store("turned")["state"] == "read-only", 30)
        server.tell("REPLICAOF", "NO", "ONE")
        wait_until("it is back", lambda: self.store("turned")["state"] == "ok", 60)

    def test_a_server_that_forgot(self):
        server = self.own(port=False)
        self.begin(f"unix://{server.dir}/s", shared="true", lease="3s")
        self.assertIn("loses all changes since its last snapshot", self.await_state("ok")["durability"])
        self.assertIn("it is shared, and a crash of the server loses all changes", self.daemon.log.read_text())
        self.ok("add", "--id", "old", "--store", "shared", "--manual", "--", "true")
        self.assertEqual(server.tell("SAVE"), "OK")
        epoch = json.loads(self.ok("nodes", "--json"))[0]["epoch"]
        self.ok("add", "--id", "new", "--store", "shared", "--manual", "--", "true")
        server.kill()
        server.start()
        wait_until("it is said", lambda: "which lacks what the one before had answered" in self.daemon.log.read_text())
        wait_until("it has a new epoch", lambda: json.loads(self.ok("nodes", "--json"))[0]["epoch"] > epoch)
        self.await_state("ok")
        wait_until("only what is kept is there", lambda: [job["id"] for job in json.loads(self.ok("list", "--store", "shared", "--json"))] == ["old"])
        self.assertIn("job new was stored and is gone with the server: add it again", self.daemon.log.read_text())
        self.ok("run", "old", "--wait")

    def test_what_it_promises_is_what_the_server_does(self):
        server = self.own()
        for settings, words in (
                ({}, "loses all changes since its last snapshot (aof_enabled 0"),
                ({"appendonly": "yes"}, "may lose 2 s of changes (aof_enabled 1, appendfsync everysec"),
                ({"appendfsync": "no"}, "may lose changes (aof_enabled 1, appendfsync no"),
                ({"appendfsync": "always"}, "survives a crash of the server (aof_enabled 1"),
                ({"maxmemory-policy": "allkeys-lru"}, "maxmemory_policy allkeys-lru: it may delete jobs"),
        ):
            for name, text in settings.items():
                server.tell("CONFIG", "SET", name, text)
            self.assertIn(words, self.add_store("s", f"redis://127.0.0.1:{server.port}")["durability"])
            self.ok("stores", "remove", "s")

    # ---- Keys that are not as schedd left them ----

    def test_stores_of_several_daemons_in_one_database(self):
        self.await_state("ok")
        self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
        other = Daemon(server_store.config(prefix="'other:'"))
        try:
            other.start()
            wait_until("it has its own", lambda: '"ok"' in other.ctl("stores", "--json")[1]
                       and other.ctl("add", "--id", "x", "--store", "shared", "--manual", "--", "false")[0] == 0)
            self.assertEqual(tell("HLEN", "{other:}jobs"), "1")
        finally:
            other.end()
        taken = Daemon(server_store.config())
        try:
            taken.start()
            wait_until("it is told", lambda: "it belongs to schedd on " in taken.ctl("stores")[1])
        finally:
            taken.end()

    def test_keys_that_are_gone_or_foreign(self):
        self.await_state("ok")
        self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
        # Under its hands, all of them.
        tell("FLUSHDB")
        wait_until("it is refused", lambda: "all of its keys are gone" in (self.store()["why"] or ""), 60)
        self.assertEqual(tell("DBSIZE"), "0")
        self.begin()
        self.await_state("ok")
        self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")
        self.daemon.stop()
        # Evicted, one of them.
        tell("DEL", "{schedd:}jobs")
        self.daemon.start()
        self.assertIn("keys of its 1 jobs are gone", self.await_state("refused")["why"])
        self.daemon.stop()
        tell("FLUSHDB")
        tell("SET", "{schedd:}jobs", "mine")
        self.daemon.start()
        self.assertIn("another program's", self.await_state("refused")["why"])
        self.assertEqual(tell("GET", "{schedd:}jobs"), "mine")
        self.assertEqual(tell("DBSIZE"), "1")

    def test_the_library_is_never_replaced(self):
        self.await_state("ok")
        self.daemon.stop()
        tell("FUNCTION", "FLUSH")
        tell("FUNCTION", "LOAD", "#!lua name=schedd_v2\nredis.register_function('schedd_v2_own', function() return {'ok', '7'} end)")
        self.daemon.start()
        self.assertIn("FUNCTION DELETE schedd_v2", self.await_state("refused")["why"])
        tell("FUNCTION", "DELETE", "schedd_v2")
        self.await_state("ok")
        # Lost while it is used, it is loaded again.
        tell("FUNCTION", "FLUSH")
        wait_until("it is back", lambda: "schedd_v2" in tell("FUNCTION", "LIST") and self.store()["state"] == "ok", 60)
        self.ok("add", "--id", "x", "--store", "shared", "--manual", "--", "true")


if __name__ == "__main__":
    unittest.main()
