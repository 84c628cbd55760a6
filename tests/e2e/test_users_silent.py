# SPDX-License-Identifier: MIT
"""System databases that do not answer for one account: nobody else waits, and that account is served when they do."""
import os
import re
import subprocess
import time
import unittest

import e2e
from users_case import ALICE, BOB, Case, uid

CONFIG = f"users: {{allow: [{ALICE}, '@{BOB}', {BOB}], deny: ['@news']}}\n"
# What the loop may need for anything on a busy machine, in seconds; the databases are silent for longer.
BUSY = 2.5


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", e2e.SCHEDD], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ["NSS_PRELOAD"]])


class Silent(Case):
    def setUp(self):
        self.server = self.daemon(start=False, config=CONFIG)
        self.server.dir.chmod(0o755)
        self.hangs = self.server.dir / "hangs"
        self.server.start(LD_PRELOAD=preload(), NSS_UID=str(uid(ALICE)), NSS_HANGS=str(self.hangs))
        self.addCleanup(self.hangs.unlink, missing_ok=True)
        self.root = self.server.client()

    def longest(self, seconds, *clients):
        """How long somebody else waits at most, in that time."""
        longest, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for client in clients:
                begun = time.monotonic()
                client.call("server.ping")
                longest = max(longest, time.monotonic() - begun)
            time.sleep(0.01)
        return longest

    def test_others_go_on_while_one_waits_at_the_door(self):
        bob = self.user(BOB)
        self.assertEqual(bob.call("server.hello")["role"], "user")
        self.hangs.touch()
        alices = [self.user(ALICE) for _ in range(3)]
        asked = [alice.send("server.hello") for alice in alices]
        self.assertLess(self.longest(BUSY + 1, self.root, bob), BUSY)
        self.assertEqual(self.user(BOB).call("server.hello")["account"], BOB)
        self.hangs.unlink()
        for alice, message in zip(alices, asked):
            self.assertEqual(alice.receive(message)["account"], ALICE)
        self.add(alices[0], "mine")
        self.assertEqual(self.ids(alices[1]), ["mine"])

    def test_who_was_let_in_is_not_judged_by_silence(self):
        alice = self.user(ALICE)
        self.assertEqual(alice.call("server.hello")["account"], ALICE)
        self.hangs.touch()
        self.assertEqual(self.server.ctl("reload")[0], 0)
        begun = time.monotonic()
        message = self.refused("failed", alice.call, "job.list")
        self.assertIn("have not said yet who", message)
        self.assertLess(time.monotonic() - begun, BUSY)
        self.assertLess(self.longest(1, self.root), BUSY)
        self.hangs.unlink()
        e2e.wait_until("they answer again", lambda: self.user(ALICE).call("server.hello")["account"] == ALICE)

    def test_a_guest_is_told_in_the_end_and_the_daemon_stops(self):
        self.hangs.touch()
        waits = self.user(ALICE)
        waits.socket.settimeout(60)
        with self.assertRaises(EOFError):
            waits.notification()
        self.assertIn(f"who uid {uid(ALICE)} is", waits.answers[0][0]["message"])
        self.user(ALICE)
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
