# SPDX-License-Identifier: MIT
"""Jobs kept on PostgreSQL."""
import os
import unittest

import server_store

server_store.serve("postgresql")


class Postgresql(server_store.Guarded):
    def socket_of_server(self):
        directory = os.environ["SCHEDD_TEST_SERVER_DIR"]
        return directory, directory + "/.s.PGSQL.5432"

    def test_bad_input_is_named(self):
        self.check_bad_input((
            ("pgsql://h/x", [], 2, "does not tell its type"),
            ("postgresql://h:99999/x", [], 2, "'99999' is no port"),
            ("postgresql://h/x?sslmoode=require", [], 2, "'sslmoode' is not known"),
            (server_store.url(), ["--option", "tiemout=2s"], 2, "'tiemout' is not known"),
            (server_store.url(), ["--option", "timeout=2 parsecs"], 2, "timeout"),
            (server_store.url(), ["--option", "password_file=/nonexistent"], 2, "/nonexistent"),
            (server_store.url(), ["--option", "lease=1s"], 2, "lease"),
            ("redis://h", ["--type", "postgresql"], 2, "'redis' is no scheme"),
        ))
        self.refused(server_store.url().replace("schedd@", "nobody@"), 'role "nobody" does not exist')


if __name__ == "__main__":
    unittest.main()
