# SPDX-License-Identifier: MIT
"""Jobs kept on MariaDB, with a server whose own settings are as nobody wants them."""
import json
import os
import pathlib
import struct
import time
import unittest

import pymysql
import server_store
from e2e import wait_until

server_store.serve("mysql")

DIRECTORY = os.environ["SCHEDD_TEST_SERVER_DIR"]
PORT = os.environ["SCHEDD_TEST_SERVER_PORT"]


class Other(server_store.Listener):
    """Another kind of server: greets so, and then says nothing."""

    def __init__(self, greeting):
        self.greeting, self.held = greeting, []
        super().__init__()

    def serve(self, connection):
        connection.sendall(self.greeting)
        self.held.append(connection)


class Pretender(server_store.Listener):
    """Lets anybody in as a MySQL server of that version, and asks for a file of the client's."""

    def __init__(self, version, file=""):
        self.version, self.file, self.got = version, file, []
        super().__init__()

    def packet(self, connection):
        head = connection.recv(4, 256)  # MSG_WAITALL
        return connection.recv(int.from_bytes(head[:3], "little"), 256)

    def serve(self, connection):
        greeting = b"\x0a" + self.version.encode() + b"\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack(
            "<HBHHB", 0xf7ff, 33, 2, 0x000f, 21) + bytes(10) + b"123456789012\0mysql_native_password\0"
        connection.sendall(struct.pack("<I", len(greeting))[:3] + b"\0" + greeting)
        self.packet(connection)
        connection.sendall(b"\x07\0\0\x02\0\0\0\x02\0\0\0")
        self.packet(connection)
        ask = b"\xfb" + self.file.encode()
        connection.sendall(struct.pack("<I", len(ask))[:3] + b"\1" + ask)
        self.got.append(connection.recv(4096))


class Mysql(server_store.Case):
    def socket_of_server(self):
        return DIRECTORY, DIRECTORY + "/sock"

    def account(self, name, password, rights="ALL"):
        server_store.admin(f"CREATE OR REPLACE USER {name} IDENTIFIED BY '{password}'; GRANT {rights} ON ops.* TO {name}")
        self.addCleanup(server_store.admin, f"DROP USER {name}")
        return server_store.url().replace("schedd@", f"{name}:{password}@")

    def with_password(self, secret):
        return self.account("keeper", secret)

    def test_bad_input_is_named(self):
        self.check_bad_input((
            ("mysql://h/x/y", [], 2, "'x/y' is no name of a database"),
            ("mysql://h", [], 2, "names no database"),
            ("mysql://h:99999/x", [], 2, "'99999' is no port"),
            ("mysql://h/x?charset=utf8", [], 2, "'charset' is not known"),
            ("mysql://h/x?ssl_mode=perhaps", [], 2, "'perhaps' is not known"),
            ("mysql://h/x?unix_socket=sock", [], 2, "is no absolute path"),
            ("mysql://h/x?default_file=/nonexistent", [], 2, "/nonexistent"),
            ("mysql://h/x?default_group=schedd", [], 2, "needs default_file"),
            (server_store.url(), ["--option", "prefix=a"], 2, "'prefix' is not for type 'mysql'"),
            (server_store.url(), ["--option", "tiemout=2s"], 2, "'tiemout' is not known"),
            (server_store.url(), ["--option", "password_file=/nonexistent"], 2, "/nonexistent"),
            ("redis://h", ["--type", "mysql"], 2, "'redis' is no scheme"),
        ))
        url = server_store.url()
        self.refused(url.replace("schedd@", "nobody@"), "Access denied for user 'nobody'")
        self.refused(url.replace("schedd@", "schedd:wrong@"), "Access denied for user 'schedd'")
        self.refused(url.replace("/ops", "/opps"), "database 'opps'")

    def test_other_servers_behind_the_port_are_named(self):
        silent, ssh, odd = Other(b""), Other(b"SSH-2.0-OpenSSH_9.2\r\n"), Other(b"\x05\0\0\0\x095.0\0")
        old, maria = Pretender("5.7.44"), Pretender("5.5.5-10.5.9-MariaDB")
        try:
            self.refused(f"mysql://x@127.0.0.1:{odd.port}/ops", "neither MariaDB nor MySQL")
            self.refused(f"mysql://x@127.0.0.1:{old.port}/ops", "is MySQL 5.7.44, it must be")
            self.refused(f"mysql://x@127.0.0.1:{maria.port}/ops", "is MariaDB 10.5.9, it must be")
            for name, server, words in (("silent", silent, "says nothing: it stands still, or is no MariaDB"),
                                        ("ssh", ssh, "does not greet as MariaDB and MySQL do")):
                self.ok("stores", "add", name, f"mysql://x@127.0.0.1:{server.port}/ops",
                        "--option=connect_timeout=1s")
                wait_until("it is said", lambda n=name: self.store(n)["why"])
                self.assertIn(words, self.store(name)["why"])
                self.assertEqual(self.store(name)["state"], "connecting")
        finally:
            for each in (silent, ssh, odd, old, maria):
                each.close()

    def test_no_server_gets_a_file_that_it_asks_for(self):
        pretender = Pretender("8.0.36", str(self.daemon.config))
        try:
            self.ok("stores", "add", "asks", f"mysql://x@127.0.0.1:{pretender.port}/ops", "--option=timeout=1s")
            wait_until("it has asked", lambda: pretender.got)
            self.assertNotIn(b"stores:", b"".join(pretender.got))
        finally:
            pretender.close()

    def test_by_tcp_and_tls(self):
        local = f"mysql://schedd@localhost:{PORT}/ops"
        for address, options in ((f"mysql://schedd@127.0.0.1:{PORT}/ops", {}),
                                 (local + "?ssl_mode=REQUIRED", {}),
                                 (local, {"tls_ca": f"{DIRECTORY}/tls/ca.crt"}),
                                 (f"mysql://schedd@127.0.0.1:1,localhost:{PORT}/ops", {})):
            self.begin(address=address, **options)
            self.await_state("ok")
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        self.refused(local, "certificate", tls_ca=f"{DIRECTORY}/tls/other.crt")
        # What the certificate says is localhost is not 127.0.0.1.
        self.refused(f"mysql://schedd@127.0.0.1:{PORT}/ops", "certificate", tls_ca=f"{DIRECTORY}/tls/ca.crt")
        server_store.admin("CREATE OR REPLACE USER closed REQUIRE SSL; GRANT ALL ON ops.* TO closed")
        self.addCleanup(server_store.admin, "DROP USER closed")
        self.refused(local.replace("schedd@", "closed@"), "Access denied")
        self.begin(address=local.replace("schedd@", "closed@") + "?ssl_mode=required")
        self.await_state("ok")

    def test_what_the_library_reads_from_files(self):
        address = self.account("keeper", "s3cret of the file")
        file = self.daemon.dir / "my.cnf"
        file.write_text("[client]\npassword = wrong\n[schedd]\npassword = 's3cret of the file'\nlocal-infile = 1\n")
        plain = address.replace(":s3cret of the file@", "@") + f"&default_file={file}&default_group=schedd"
        file.chmod(0o644)
        self.check_bad_input(((plain, [], 6, "chmod 600"),))
        file.chmod(0o600)
        self.begin(address=plain)
        self.await_state("ok")

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "a sanitizer's memory is its own")
    def test_a_core_file_has_no_password(self):
        secret = "Zq7-vErY.seCret~Token4711"
        self.account("keeper", secret)
        self.check_core(server_store.url().replace("schedd@", "keeper@"), "keeper", secret)

    def test_a_password_that_is_changed(self):
        self.begin(address=self.account("keeper", "before"))
        self.await_state("ok")
        self.add("a", "--manual", "--", "true")
        server_store.admin("ALTER USER keeper IDENTIFIED BY 'after'; KILL USER keeper")
        self.assertIn("Access denied", self.await_state("refused")["why"])
        self.assertEqual(self.daemon.ctl("pause", "a")[0], 1)
        server_store.admin("ALTER USER keeper IDENTIFIED BY 'before'")
        self.await_state("ok")
        self.ok("pause", "a")

    def test_a_table_that_is_dropped(self):
        self.await_state("ok")
        self.add("a", "--manual", "--", "true")
        server_store.admin("DROP TABLE schedd_jobs")
        code, _, err = self.daemon.ctl("pause", "a")
        self.assertEqual(code, 1)
        self.assertIn("doesn't exist", err)
        wait_until("it is said what is missing", lambda: "not all there (4 of 5)" in (self.store()["why"] or ""), 60)
        self.assertEqual(self.store()["state"], "refused")

    def test_a_server_that_is_full(self):
        """The tables are in one file here, which may not grow beyond 48 MiB."""
        self.daemon.stop()
        server_store.admin("SET GLOBAL innodb_file_per_table = 0; DROP DATABASE ops; CREATE DATABASE ops")
        try:
            self.daemon.start()
            self.await_state("ok")
            self.add("a", "--manual", "--", "true")
            connection = pymysql.connect(unix_socket=f"{DIRECTORY}/sock", user="schedd", database="ops", autocommit=True)
            with connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE filler (x longblob) ENGINE = InnoDB")
                with self.assertRaisesRegex(pymysql.err.MySQLError, "is full"):
                    for _ in range(100):
                        cursor.execute("INSERT INTO filler VALUES (repeat('x', 1048576))")
            big = self.daemon.dir / "big.json"
            big.write_text(json.dumps({"version": 1, "jobs": {f"b{i}": {
                "command": ["echo", "x" * 60000], "trigger": {"every": "1h"}, "store": "shared"} for i in range(60)}}))
            code, _, err = self.daemon.ctl("apply", "-f", str(big))
            self.assertEqual(code, 1, err)
            self.assertIn("is full", err)
            self.assertEqual(len(json.loads(self.ok("list", "--json"))), 1, "some of it was taken")
            # A full server cannot even drop a table: it gets more room.
            launch = pathlib.Path(DIRECTORY, "launch")
            launch.write_text(launch.read_text().replace("max:48M", "max:96M"))
            server_store.server_restart()
            self.await_state("ok")
            self.ok("apply", "-f", str(big))
            server_store.admin("DROP TABLE filler")
        finally:
            server_store.admin("SET GLOBAL innodb_file_per_table = 1")

    def test_a_server_with_no_room_for_another_connection(self):
        self.daemon.stop()
        server_store.admin("SET GLOBAL max_connections = 10")
        held = []
        try:
            with self.assertRaisesRegex(pymysql.err.MySQLError, "Too many connections"):
                for _ in range(12):
                    held.append(pymysql.connect(unix_socket=f"{DIRECTORY}/sock", user="schedd", database="ops"))
            self.daemon.start()
            wait_until("it is said", lambda: "Too many connections" in (self.store()["why"] or ""))
            self.assertEqual(self.store()["state"], "connecting")
        finally:
            for each in held:
                each.close()
            server_store.admin("SET GLOBAL max_connections = 100")
        self.await_state("ok")

    def test_the_rights_that_the_manual_names_make_the_tables(self):
        text = pathlib.Path(os.environ["SCHEDD_SOURCE"], "server/man/schedd-stores.7").read_text()
        rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE VIEW"
        self.assertIn(f"GRANT {rights} ON ops.* TO schedd;", text)
        self.daemon.stop()
        server_store.admin("DROP DATABASE ops; CREATE DATABASE ops")
        self.begin(address=self.account("keeper", "narrow", rights))
        self.await_state("ok")
        self.add("a", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: self.runs("a"))
        self.ok("rm", "-y", "a")

    def test_people_can_read_it(self):
        self.await_state("ok")
        self.add("a", "--at", "2199-12-31 23:59:59 UTC", "--", "true")
        self.ok("run", "a")
        wait_until("it ran", lambda: self.runs("a"))
        time.sleep(0.1)
        self.assertEqual(server_store.sql("SELECT run, state, exit_code FROM schedd_run_list"), "a/1\tsuccess\t0")
        # Beyond 2038, and in UTC whatever the server's zone is.
        self.assertEqual(server_store.sql("SELECT id, next_run_time FROM schedd_job_list"),
                         "a\t2199-12-31 23:59:59.000000")


if __name__ == "__main__":
    unittest.main()
