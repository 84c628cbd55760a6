# SPDX-License-Identifier: MIT
"""A server that takes connections and says nothing: whatever is asked about its store, nobody else waits."""
import signal
import socket
import threading
import time
import unittest

import e2e
from e2e import RpcError, wait_until

URLS = {"redis": "redis://u:p@127.0.0.1:%d/0", "postgresql": "postgresql://u:p@127.0.0.1:%d/d",
        "mysql": "mysql://u:p@127.0.0.1:%d/d", "mongodb": "mongodb://u:p@127.0.0.1:%d/d",
        "etcd": "etcd://127.0.0.1:%d", "zookeeper": "zookeeper://127.0.0.1:%d/x"}
# How long each is tried to be reached, in seconds.
CONNECT = 3


def busy():
    """What the loop may need for anything here and now, in seconds."""
    return 2.5 * e2e.patience()


class Silent:
    """Each connection is one that a store waits on."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                self.taken.append(self.listener.accept()[0])
        except OSError:
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.taken:
            connection.close()


class Pings:
    """Somebody else, all the while: .longest is how long he waited, in seconds."""

    def __init__(self, daemon):
        self.client, self.longest, self.over = daemon.client(timeout=120), 0, False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over:
            begun = time.monotonic()
            try:
                self.client.call("server.ping")
            except OSError:
                return
            self.longest = max(self.longest, time.monotonic() - begun)
            time.sleep(0.005)

    def end(self):
        self.over = True
        self.thread.join()
        return self.longest


class Leave(e2e.TestCase):
    def setUp(self):
        self.silent = Silent()
        self.addCleanup(self.silent.end)
        self.schedd = self.daemon()
        self.client = self.schedd.client(timeout=120)

    def add(self):
        for kind, url in URLS.items():
            count = len(self.silent.taken)
            self.client.call("store.add", name=kind, type=kind, url=url % self.silent.port,
                             options={"connect_timeout": f"{CONNECT}s"})
            wait_until(f"{kind} waits for its server", lambda: len(self.silent.taken) > count)

    def test_a_store_is_removed_while_all_else_goes_on(self):
        self.add()
        pings = Pings(self.schedd)
        begun = time.monotonic()
        asked = [(kind, self.client.send("store.remove", name=kind)) for kind in URLS]
        for kind, message in asked:
            self.assertEqual(self.client.receive(message), {"name": kind})
        took = time.monotonic() - begun
        self.assertLess(pings.end(), busy())
        self.assertEqual({store["name"] for store in self.client.call("store.list")} & set(URLS), set())
        # They went side by side.
        self.assertLess(took, 4 * CONNECT * e2e.patience())

    def test_a_store_is_tried_out_while_all_else_goes_on(self):
        pings = Pings(self.schedd)
        asked = [self.client.send("store.check", type=kind, url=url % self.silent.port,
                                  options={"connect_timeout": f"{CONNECT}s"}) for kind, url in URLS.items()]
        for message in asked:
            with self.assertRaises(RpcError):
                self.client.receive(message)
        # Those of which one is tried once more as it is told are on their way out.
        time.sleep(1)
        self.assertLess(pings.end(), busy())

    def test_the_daemon_stops_in_time(self):
        self.add()
        for kind in ("redis", "postgresql"):
            self.client.send("store.remove", name=kind)
        begun = time.monotonic()
        self.assertEqual(self.schedd.stop(signal.SIGTERM, 60), 0)
        self.assertLess(time.monotonic() - begun, 5 * CONNECT * e2e.patience())


if __name__ == "__main__":
    unittest.main()
