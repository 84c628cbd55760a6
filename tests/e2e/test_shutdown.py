# SPDX-License-Identifier: MIT
"""What schedctl shutdown promises when it returns, and what a start tidies up."""
import unittest

import e2e


class Shutdown(e2e.TestCase):
    def test_the_lock_is_free_when_shutdown_returns(self):
        server = self.daemon()
        for _ in range(5):
            old = server.process
            self.assertEqual(server.ctl("-q", "shutdown")[0], 0)
            server.start()
            self.assertEqual(old.wait(20), 0)

    def test_more_rows_than_one_piece_are_deleted(self):
        server = self.daemon()
        client = server.client()
        client.call("job.add", id="many", command=["/bin/true"], trigger={"manual": True}, keep_runs=5,
                    max_instances=1000)
        for msgid in [client.send("job.run", id="many") for _ in range(450)]:
            client.receive(msgid)
        client.call("run.wait", **{"run": "many", "for": "idle"})
        client.close()
        self.assertEqual(server.stop(), 0)
        client = server.start().client()
        self.addCleanup(client.close)
        e2e.wait_until("five runs are left", lambda: len(client.call("run.list", limit=1000)["runs"]) == 5, 60)


if __name__ == "__main__":
    unittest.main()
