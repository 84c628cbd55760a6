# SPDX-License-Identifier: MIT
"""Jobs kept on etcd, their runs in the default store."""
import json
import os
import subprocess
import time
import unittest

import server_store
from e2e import patience, wait_until

server_store.serve("etcd")


def etcdctl(*words, stdin=None, check=True, user=None):
    more = [f"--user={user}"] if user else []
    done = subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(), *more, *words], input=stdin, capture_output=True,
                          text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{words}: {done.stderr}")
    return done.stdout


class Guard:
    """Users and passwords are asked for meanwhile; "schedd" may what the manual says."""

    def __init__(self, password):
        self.password = password

    def __enter__(self):
        etcdctl("user", "add", "root:toor")
        etcdctl("user", "grant-role", "root", "root")
        etcdctl("role", "add", "schedd")
        etcdctl("role", "grant-permission", "schedd", "--prefix=true", "readwrite", "/schedd/")
        etcdctl("user", "add", f"schedd:{self.password}")
        etcdctl("user", "grant-role", "schedd", "schedd")
        etcdctl("user", "add", "nobody:none")
        etcdctl("auth", "enable")
        return self

    def __exit__(self, *_):
        etcdctl("auth", "disable", user="root:toor")
        for user in ("root", "schedd", "nobody"):
            etcdctl("user", "delete", user)
        etcdctl("role", "delete", "schedd")


class Etcd(server_store.Case):
    more = {"type": "etcd", "lease": "3s"}

    def add_store(self, name, address, *more):
        options = [f"--option={text}" for text in ("timeout=2s", *more)]
        if os.geteuid() == 0:
            options.append("--option=run_as=root")
        return self.daemon.ctl("stores", "add", name, address, "--type", "etcd", *options)

    def test_the_port_of_its_peers(self):
        """It is healthy and says its version, but keeps no store of ours."""
        address = f"etcd://127.0.0.1:{int(os.environ['SCHEDD_TEST_SERVER_SOCKET']) + 1}"
        code, _, err = self.daemon.ctl("stores", "check", address)
        self.assertNotEqual(code, 0)
        self.assertIn("HTTP status 404): is it the port of its peers", err)

    def test_a_server_that_is_far_away(self):
        """300 ms each way."""
        proxy = server_store.SlowProxy(int(os.environ["SCHEDD_TEST_PROXY_SOCKET"]),
                                       int(os.environ["SCHEDD_TEST_SERVER_SOCKET"]))
        self.addCleanup(proxy.close)
        self.daemon.stop()
        self.daemon.config.write_text(server_store.config(
            address=os.environ["SCHEDD_TEST_PROXY_URL"], **{"type": "etcd", "timeout": "10s", "connect_timeout": "5s"}))
        self.daemon.start()
        self.await_state("ok")
        began = time.monotonic()
        self.add("far", "--every", "1s", "--", "true")
        self.assertLess(time.monotonic() - began, 6 * patience())
        wait_until("it runs all the same", lambda: len(self.runs("far")) >= 4, 60)
        self.daemon.stop()

    def test_it_is_added_and_removed_and_no_secret_is_shown(self):
        secret = "s3cret-of-the-test"
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        with Guard(secret):
            address = server_store.url().replace("http://", f"http://schedd:{secret}@")
            self.assertEqual(self.add_store("pg", address)[0], 0)
            wait_until("it is there", lambda: self.store("pg")["state"] == "ok")
            self.ok("add", "--id", "x", "--store", "pg", "--manual", "--", "true")
            self.ok("run", "x", "--wait")
            everything = self.ok("stores", "--json") + self.ok("config", "show") + self.daemon.log.read_text()
            self.assertNotIn(secret, everything)
            # The token is not known any more then.
            server_store.move("cut")
            wait_until("it is there again", lambda: self.store("pg")["state"] == "ok", 60)
            wait_until("it takes changes", lambda: self.daemon.ctl("pause", "x")[0] == 0, 60)
            self.ok("rm", "-y", "x")
            self.ok("stores", "remove", "pg")
            for user, words in (("schedd:wrong", "authentication failed"), ("nobody:none", "permission denied")):
                self.refused_etcd(server_store.url().replace("http://", f"http://{user}@"), words)
            self.refused_etcd(server_store.url(), "user name is empty")

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "a sanitizer's memory is its own")
    def test_a_core_file_has_no_password(self):
        secret = "Zq7-vErY.seCret~Token4711"
        with Guard(secret):
            self.check_core(server_store.url().replace("http://", "http://schedd@"), "schedd", secret)
            self.daemon.stop()
        self.daemon.start()

    def refused_etcd(self, address, words):
        name = f"bad{time.monotonic_ns()}"
        self.assertEqual(self.add_store(name, address)[0], 0)
        wait_until("it is refused", lambda: self.store(name)["state"] == "refused", 30)
        self.assertIn(words, self.store(name)["why"])
        self.ok("stores", "remove", name)

    def test_bad_input_is_named(self):
        self.check_bad_input((
            ("etcd://h/x", [], 2, "the option prefix"),
            ("etcd://h:99999", [], 2, "'99999' is no port"),
            ("etcd://u@h", [], 2, "has no password"),
            ("etcd://h?x=1", [], 2, "'x' is not known"),
            ("redis://h", ["--type", "etcd"], 2, "'redis' is no scheme"),
            ("etcd://h", ["--option", "compact=maybe"], 2, "must be true or false"),
            ("redis://h", ["--option", "compact=true"], 2, "is not for type 'redis'"),
            ("etcd://h", ["--option", "history=nowhere"], 2, "no store 'nowhere'"),
            ("etcd://h", ["--option", "history=bad"], 2, "keeps jobs alone"),
        ))

    def test_what_is_no_etcd_is_named(self):
        class Other(server_store.Listener):
            def serve(self, connection):
                connection.recv(4096)
                text = b'{"something":"else"}'
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

        other = Other()
        self.addCleanup(other.close)
        self.refused_etcd(f"http://127.0.0.1:{other.port}", "what answers there is no etcd")

    def test_tls_is_verified(self):
        self.check_tls("etcds://{}", "etcd://{}", {"tls_cert": "s.pem", "tls_key": "s.key"}, "write http://")

    def test_runs_are_in_the_default_store_and_people_can_read_the_keys(self):
        self.await_state("ok")
        self.assertEqual(self.store()["history"], "default")
        self.add("a", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: len(self.runs("a")) >= 2)
        self.ok("pause", "a")
        job = json.loads(etcdctl("get", "--print-value-only", "/schedd/job/a"))
        state = json.loads(etcdctl("get", "--print-value-only", "/schedd/state/a"))
        self.assertEqual(job["command"], ["true"])
        self.assertEqual(state["last_run"], self.runs("a")[0])
        self.assertIn("schedd on ", etcdctl("get", "--print-value-only", "/schedd/owner"))
        wait_until("nothing is left of its runs", lambda: etcdctl("get", "--prefix", "--keys-only", "/schedd/run/")
                   .strip() == "")

    def test_what_is_compacted(self):
        self.daemon.stop()
        self.daemon.config.write_text(server_store.config(**{**self.more, "compact": "true"}))
        self.daemon.start()
        self.assertIn("compacted by schedd", self.await_state("ok")["durability"])
        self.add("a", "--every", "1s", "--", "true")

        def compacted():
            return etcdctl("get", "--rev=2", "/schedd/version", check=False) == ""
        self.assertFalse(compacted())
        wait_until("old versions are gone", compacted, 60)

    def test_several_servers(self):
        self.daemon.stop()
        address = f"http://127.0.0.1:1,{server_store.url()}"
        self.daemon.config.write_text(server_store.config(address=address, **self.more))
        self.daemon.start()
        self.await_state("ok")


if __name__ == "__main__":
    unittest.main()
