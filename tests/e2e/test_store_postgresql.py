# SPDX-License-Identifier: MIT
"""Jobs kept on PostgreSQL."""
import os
import unittest

import server_store
from e2e import wait_until

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

    def test_an_owner_that_was_deleted(self):
        """No change is taken for stored whose owner's row is gone; schedd puts itself there again."""
        self.await_state("ok")
        self.add("a", "--manual", "--", "true")
        server_store.sql("DELETE FROM schedd_owner")
        code, _, err = self.daemon.ctl("pause", "a")
        if code:  # else its beat was faster
            self.assertRegex(err, "who owns it was deleted there|another schedd has taken it over")
        wait_until("it is there again", lambda: server_store.sql("SELECT count(*) FROM schedd_owner") == "1", 60)
        self.await_state("ok")
        wait_until("it takes changes", lambda: self.daemon.ctl("pause", "a")[0] == 0, 60)


if __name__ == "__main__":
    unittest.main()
