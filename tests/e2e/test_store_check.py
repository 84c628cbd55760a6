# SPDX-License-Identifier: MIT
"""schedctl stores check: a store that is there, a server that is not configured, and every way in which
one cannot be used: words, exit code, and nothing changed on the server."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import unittest

if "SCHEDD_TEST_STORE_URL" not in os.environ:
    os.execvp("sh", ["sh", os.environ["SCHEDD_SOURCE"] + "/tests/support/with_server.sh", "postgresql",
                     sys.executable, *sys.argv])

from e2e import Daemon, RpcError, wait_until  # noqa: E402

URL = os.environ["SCHEDD_TEST_STORE_URL"]
MODULES = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"]) / "modules"
PID = int(os.environ["SCHEDD_TEST_SERVER_PID"])
CONFIG = f"stores:\n  shared: {{url: '{URL}', timeout: 2s, connect_timeout: 2s, run_as: [root]}}\n"


def admin(text):
    return subprocess.run([*os.environ["SCHEDD_TEST_ADMIN"].split(), text], check=True, capture_output=True,
                          text=True).stdout.strip()


def tables(database):
    base = [word if word != "ops" else database for word in os.environ["SCHEDD_TEST_ADMIN"].split()]
    return subprocess.run([*base, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'schedd%'"], check=True,
                          capture_output=True, text=True).stdout.strip()


class Check(unittest.TestCase):
    def setUp(self):
        subprocess.run(os.environ["SCHEDD_TEST_STORE_RESET"], shell=True, check=True)
        self.daemon = Daemon(CONFIG)
        self.daemon.start()
        wait_until("the store is there", lambda: self.daemon.ctl("stores", "check", "shared")[0] == 0, 60)

    def tearDown(self):
        os.kill(PID, signal.SIGCONT)
        self.assertEqual(self.daemon.end(), "")

    def check(self, *words):
        code, out, err = self.daemon.ctl("stores", "check", *words, "--json")
        self.assertEqual(code, 0, f"{words}: {err}")
        return json.loads(out)

    def refused(self, code, words, *argv):
        got, out, err = self.daemon.ctl("stores", "check", *argv)
        self.assertEqual((got, out), (code, ""), f"{argv}: {err}")
        self.assertIn(words, err, argv)

    def test_checks_at_one_time_take_turns(self):
        said = []

        def check(client):
            for _ in range(5):
                for name in ("shared", "default", "memory"):
                    try:
                        said.append(client.call("store.check", name=name)["name"])
                    except RpcError as error:
                        said.append(str(error))
        threads = [threading.Thread(target=check, args=(self.daemon.client(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({name: said.count(name) for name in said}, {"shared": 20, "default": 20, "memory": 20})

    def test_each_store_says_what_it_promises(self):
        shared = self.check("shared")
        self.assertIn("survives a crash", shared["durability"])
        self.assertEqual((shared["name"], shared["type"], shared["durable"], shared["connect"]),
                         ("shared", "postgresql", True, None))
        for step in ("write", "read", "remove"):
            self.assertGreater(shared[step], 0)
        self.assertEqual(self.check("default")["type"], "sqlite")
        self.assertFalse(self.check("memory")["durable"])
        self.assertEqual(admin("SELECT count(*) FROM schedd_run_list"), "0")
        self.assertEqual(admin("SELECT count(*) FROM schedd_job_list"), "0")
        out = self.daemon.ctl("stores", "check", "shared")[1]
        self.assertIn("promises: PostgreSQL", out)
        self.assertNotIn("path:", out)

    def test_a_server_that_is_not_configured(self):
        admin("DROP DATABASE IF EXISTS fresh")
        admin("CREATE DATABASE fresh OWNER schedd")
        url = URL.replace("/ops", "/fresh")
        for _ in range(3):
            answer = self.check(url, "--option", "timeout=5s")
            self.assertIsNone(answer["name"])
            self.assertGreater(answer["connect"], 0)
        self.assertNotIn("fresh", self.daemon.ctl("stores")[1])
        # The lock is let go: the database can be dropped, and used by another.
        wait_until("the session has ended", lambda: admin(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'fresh'") == "0")

    def test_who_owns_it_keeps_it(self):
        epoch = next(s for s in json.loads(self.daemon.ctl("stores", "--json")[1]) if s["name"] == "shared")["epoch"]
        self.refused(1, "it belongs to schedd on ", URL)
        self.check("shared")
        after = next(s for s in json.loads(self.daemon.ctl("stores", "--json")[1]) if s["name"] == "shared")["epoch"]
        self.assertEqual(epoch, after)

    def test_what_is_wrong_is_named(self):
        closed = socket.socket()
        closed.bind(("127.0.0.1", 0))
        free = closed.getsockname()[1]
        closed.close()
        for code, words, *argv in (
                (4, "store nosuch: no such store", "nosuch"),
                (2, "scheme 'pgsql' does not tell its type: begin it with postgresql://, ", "pgsql://h/x"),
                (2, "'99999' is no port", "postgresql://h:99999/x"),
                (2, "'sslmoode' is not known", "postgresql://h/x?sslmoode=require"),
                (2, "'tiemout' is not known", URL, "--option", "tiemout=2s"),
                (2, "timeout", URL, "--option", "timeout=2 parsecs"),
                (2, "/nonexistent", URL, "--option", "password_file=/nonexistent"),
                (2, "is not NAME=TEXT", URL, "--option", "timeout"),
                (2, "timeout is there twice", URL, "--option", "timeout=1s", "--option", "timeout=2s"),
                (2, "lease", URL, "--option", "lease=1s"),
                (2, "'redis' is no scheme of type 'postgresql'", "redis://h", "--type", "postgresql"),
                (2, "type 'nosuch' is not known", "postgresql://h/x", "--type", "nosuch"),
                (2, "type and options are for a url", "shared", "--type", "postgresql"),
                (2, "is a file", "/tmp/x.db"),
                (2, "usage: schedctl stores check NAME|URL",),
                (1, "refused", f"postgresql://schedd@127.0.0.1:{free}/ops"),
                (1, "the host 'nosuchhost.invalid' is not found", "postgresql://schedd@nosuchhost.invalid/x"),
                (1, 'database "nosuch" does not exist', URL.replace("/ops", "/nosuch")),
                (1, 'role "nobody" does not exist', URL.replace("schedd@", "nobody@")),
        ):
            self.refused(code, words, *argv)

    def test_another_kind_of_server_and_one_that_says_nothing(self):
        for says in (b"-ERR unknown command\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", None):
            server = socket.create_server(("127.0.0.1", 0))
            port = server.getsockname()[1]

            def serve():
                try:
                    while True:
                        peer = server.accept()[0]
                        if says:
                            peer.sendall(says)
                            peer.close()
                        else:
                            kept.append(peer)
                except OSError:
                    pass

            kept = []
            thread = threading.Thread(target=serve)
            thread.start()
            code, _, err = self.daemon.ctl("stores", "check", f"postgresql://schedd@127.0.0.1:{port}/ops",
                                           "--option", "connect_timeout=1s", "--option", "timeout=1s")
            self.assertEqual(code, 1, err)
            self.assertIn("store 'check': ", err)
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            for peer in kept:
                peer.close()
            thread.join()

    def test_missing_rights_change_nothing(self):
        admin("DROP DATABASE IF EXISTS closed")
        admin("CREATE DATABASE closed")
        self.refused(1, "schema", URL.replace("/ops", "/closed"))
        self.assertEqual(tables("closed"), "0")

    def test_a_module_that_is_not_installed(self):
        self.daemon.stop()
        empty = self.daemon.dir / "modules"
        empty.mkdir()
        self.daemon.config.write_text("")
        self.daemon.start(SCHEDD_MODULE_DIR=str(empty))
        types = [path.stem.replace("schedd_store_", "") for path in MODULES.glob("schedd_store_*.so")]
        self.assertIn("postgresql", types)
        for kind in types:
            for act in (["check"], ["add", "new"]):
                code, _, err = self.daemon.ctl("stores", *act, f"{kind}://127.0.0.1:1/x", "--type", kind)
                self.assertEqual(code, 2, err)
                self.assertIn(f"install schedd-store-{kind}", err)
        self.assertNotIn("new", self.daemon.ctl("stores")[1])

    def test_secrets_stay_secret(self):
        admin("ALTER ROLE schedd PASSWORD 'geheim-of-the-test'")
        secret = "wr0ng-of-the-test"
        got, out, err = self.daemon.ctl("stores", "check", URL.replace("schedd@", f"nobody:{secret}@"), "-v")
        self.assertEqual(got, 1)
        self.assertNotIn(secret, out + err + self.daemon.log.read_text())

    def test_a_server_that_stops_is_said_in_time(self):
        os.kill(PID, signal.SIGSTOP)
        for pid in open(f"/proc/{PID}/task/{PID}/children").read().split():
            os.kill(int(pid), signal.SIGSTOP)
        try:
            code, _, err = self.daemon.ctl("stores", "check", "shared")
            self.assertEqual(code, 1, err)
            self.assertIn("shared", err)
            code, _, err = self.daemon.ctl("stores", "check", URL, "--option", "connect_timeout=1s")
            self.assertEqual(code, 1, err)
        finally:
            for pid in open(f"/proc/{PID}/task/{PID}/children").read().split():
                os.kill(int(pid), signal.SIGCONT)
            os.kill(PID, signal.SIGCONT)

    def test_the_method(self):
        client = self.daemon.client()
        for params, name in (({}, "invalid_argument"), ({"name": "a", "url": "b"}, "invalid_argument"),
                             ({"name": "nosuch"}, "not_found"), ({"url": "postgresql://h/x", "options": {"timeout": 3}},
                                                                 "invalid_argument")):
            with self.assertRaises(RpcError) as caught:
                client.call("store.check", **params)
            self.assertEqual(caught.exception.name, name, params)
        # A client that goes away meanwhile, and a stop.
        client.send("store.check", url="postgresql://schedd@127.0.0.1:1/x")
        client.close()
        self.daemon.clients.remove(client)
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
