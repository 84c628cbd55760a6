# SPDX-License-Identifier: MIT
"""A schedd whose n-th allocation fails, for every n that a request needs."""
import mmap
import os
import struct

import e2e

# What is known of a request: done, not done, or (the connection was closed) one of the two.
DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"
# Enough for any request here; each stops where it needs no more.
MOST = 2000


def shape(answer):
    """Which members an answer has, at any depth; of a list the first element's stand for all."""
    if isinstance(answer, dict):
        return frozenset((key, shape(value)) for key, value in answer.items())
    return shape(answer[0]) if isinstance(answer, list) and answer else None


class AllocCase(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.d.program = (os.environ["SCHEDD_FAULT"],)
        path = self.d.dir / "alloc"
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 16)
        self.env = {"SCHEDD_TEST_ALLOC": str(path)}

    def arm(self, nth):
        self.shared[:] = struct.pack("qq", nth, 0)

    def fired(self):
        return struct.unpack("qq", self.shared[:])[1] > 0

    def disarm(self):
        """Did it fail?"""
        fired = self.fired()
        self.shared[:] = bytes(16)
        return fired

    def client(self):
        client = e2e.Client(self.d.socket)
        client.socket.settimeout(60)
        self.d.clients.append(client)
        return client

    def once(self, nth, method, params):
        """(failed, answer or None where an error or the end of the connection came)"""
        client = self.client()
        client.call("server.ping")
        self.arm(nth)
        try:
            answer, self.outcome = client.call(method, **params), DONE
        except e2e.RpcError as error:
            answer, self.outcome = None, REFUSED
            # What may fall away silently is the name that was meant instead; and one killed before may be ending still.
            if self.fired() and not (params.get("id") == "b" and "no job 'b'" in error.message) and \
                    not (method == "run.kill" and "nothing left to signal" in error.message):
                self.assertIn("memory", error.message, f"{method}: allocation {nth}")
        except (EOFError, ConnectionError):
            answer, self.outcome = None, UNKNOWN
        fired = self.disarm()
        client.close()
        self.d.clients.remove(client)
        self.assertIsNone(self.d.process.poll(), f"{method}: schedd ended with allocation {nth}")
        if self.outcome == DONE:
            self.assertIsNotNone(answer, f"{method}: an answer without its result, with allocation {nth}")
        return fired, answer

    def each(self, method, before=None, after=None, **params):
        """The method with each of its allocations failing, until none does."""
        members = {}
        for nth in range(1, MOST):
            if before:
                before()
            fired, answer = self.once(nth, method, params)
            if isinstance(answer, dict) and not answer.get("failed"):
                last = shape(answer)
                members.setdefault(last, nth)
            if after:
                with self.subTest(method=method, nth=nth, outcome=self.outcome):
                    after(self.outcome)
            self.assertTrue(fired or nth > 1, "no allocation fails here at all")
            if not fired:
                self.assertIsNotNone(answer, f"{method} fails without reason: {self.outcome}")
                for found, at in members.items():
                    self.assertEqual(found, last, f"{method}: not what is promised is answered, with allocation {at}")
                return
        self.fail(f"{method} needs more than {MOST} allocations")

    def each_start(self, works, before=None, step=None):
        """A start with each allocation failing (step: with ever fewer of them): it works, or ends and says why."""
        nth, fired = 1, True
        while fired and nth < 20000:
            with self.subTest(nth=nth):
                if before:
                    before()
                self.arm(nth)
                self.d.start(wait=False, **self.env)
                e2e.wait_until("it answers or has ended", self.up)
                fired = self.disarm()
                if self.d.process.poll() is None:
                    client = self.client()
                    works(client)
                    client.close()
                    self.d.stop()
                self.assertGreaterEqual(self.d.process.returncode, 0, self.d.log.read_text()[-2000:])
            nth += max(1, nth // step) if step else 1

    def exists(self, job):
        try:
            return self.plain.call("job.get", id=job)
        except e2e.RpcError as error:
            self.assertEqual(error.name, "not_found")
            return None

    def clear(self, *jobs):
        for job in jobs:
            if self.exists(job):
                self.plain.call("job.remove", id=job, kill=True)

    def up(self):
        if self.d.process.poll() is not None:
            return True
        try:
            client = e2e.Client(self.d.socket)
        except OSError:
            return False
        try:
            client.socket.settimeout(10)
            client.call("server.ping")
            return True
        except (OSError, EOFError, e2e.RpcError):
            return False
        finally:
            client.close()
