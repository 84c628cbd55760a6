# SPDX-License-Identifier: MIT
"""System databases that do not answer for one account: nobody else waits, and that account is served when they do."""
import http.client
import os
import re
import socket
import subprocess
import threading
import time
import unittest

import e2e
from users_case import ALICE, BOB, MANUAL, Case, uid

CONFIG = f"users: {{allow: [{ALICE}, '@{BOB}', {BOB}], deny: ['@news']}}\n"
# For how long it is looked at what others wait; the databases are silent for as long as a test wants.
QUIET = 3.5


def busy():
    """What the loop may need for anything here and now, in seconds."""
    return 2.5 * e2e.patience()


def preload(what="NSS_PRELOAD"):
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", e2e.SCHEDD], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ[what]])


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
        self.assertLess(self.longest(QUIET, self.root, bob), busy())
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
        self.assertLess(time.monotonic() - begun, busy())
        self.assertLess(self.longest(1, self.root), busy())
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


class Paths(Case):
    """Whatever asks for an account by its name, on the loop."""

    def setUp(self):
        self.server = self.daemon(start=False)
        directory = self.server.dir
        directory.chmod(0o755)
        self.etc = directory / "root"
        self.spool = self.etc / "var/spool/cron/crontabs"
        self.spool.mkdir(parents=True)
        (self.etc / "etc").mkdir()
        self.mail = directory / "mail"
        sendmail = directory / "sendmail"
        sendmail.write_text(f"#!/bin/sh\ncat > {self.mail}.new\nmv {self.mail}.new {self.mail}\n")
        sendmail.chmod(0o755)
        self.config_text = (f"users: {{allow: [{ALICE}, {BOB}]}}\ncron: {{tables: true, root: {self.etc}}}\n"
                            f"http: {{listen: ['unix:{directory}/http.sock'], tokens: {directory}/tokens}}\n"
                            f"notify: {{sendmail: {sendmail}}}\n")
        self.server.config.write_text(self.config_text)
        self.hangs = directory / "hangs"
        self.world = {"LD_PRELOAD": preload(), "NSS_UID": str(uid(ALICE)), "NSS_NAME": ALICE, "NSS_HANGS": str(self.hangs)}
        self.server.start(**self.world)
        self.addCleanup(self.hangs.unlink, missing_ok=True)
        self.root = self.server.client()
        self.longest = 0
        self.enough = threading.Event()

    def pings(self):
        client = e2e.Client(self.server.socket)
        while not self.enough.wait(0.01):
            begun = time.monotonic()
            client.call("server.ping")
            self.longest = max(self.longest, time.monotonic() - begun)
        client.close()

    def during(self, *acts):
        """The acts one after the other, beside somebody who pings."""
        thread = threading.Thread(target=self.pings)
        thread.start()
        try:
            for act in acts:
                act()
        finally:
            self.enough.set()
            thread.join()
        self.assertLess(self.longest, busy())

    def ask(self, token):
        """GET of all jobs: (status, body)."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(f"{self.server.dir}/http.sock")
        connection.request("GET", "/api/v1/jobs", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def table(self, text):
        new = self.spool / f".{ALICE}"
        new.write_text(text)
        new.chmod(0o600)
        os.chown(new, uid(ALICE), -1)
        new.rename(self.spool / ALICE)

    def commands(self):
        return sorted(job["shell"] for job in self.root.call("job.list")["jobs"] if job["owner"])

    def test_no_path_waits_for_it(self):
        token = self.root.add_token(name="alice", role="user", account=ALICE)
        # Who has not answered at once has done so by the next time.
        e2e.wait_until("HTTP serves her", lambda: self.ask(token)[0] == 200)
        alice = self.user(ALICE)
        self.add(alice, "mine")
        self.table("0 1 * * * first\n")
        e2e.wait_until("the table is read", lambda: self.commands() == ["first"])
        go = self.server.dir / "go"
        self.root.call("job.add", id="mails", user=ALICE, shell=f"while ! test -e {go}; do sleep 0.01; done; echo told",
                       env={"MAILTO": "root"}, notify={"output": ["mail:root"]}, trigger=MANUAL)
        run = self.root.call("job.run", id="mails")["run"]
        e2e.wait_until("it runs", lambda: self.root.call("job.get", id="mails")["running"])

        # What was said last is known for some seconds.
        def by_http():
            status, body = e2e.wait_until("it is not known any more", lambda: (answer := self.ask(token))[0] != 200 and answer)
            self.assertEqual(status, 504, body)
            self.assertIn("have not said yet who", body)

        def known():
            try:
                return self.root.call("cron.table_get", account=ALICE)
            except e2e.RpcError:
                return None

        def by_an_admin():
            other = self.server.client()
            other.call("server.hello", account=ALICE)
            self.assertIn("mine", self.ids(other))

        def by_crontab():
            e2e.wait_until("it is not known any more", lambda: not known())
            for method, params in (("cron.table_get", {}), ("cron.table_set", {"text": "0 1 * * * no\n"}), ("cron.table_remove", {})):
                message = self.refused("failed", self.root.call, method, account=ALICE, **params)
                self.assertIn("have not said yet who", message)

        def by_the_spool():
            self.table("0 1 * * * second\n")
            self.assertEqual(self.commands(), ["first"])

        def by_a_job():
            message = self.refused("failed", self.root.call, "job.add", id="after", after=[f"{ALICE}:mine"], command=["/bin/true"])
            self.assertIn("have not said yet who", message)

        def by_a_reload():
            self.server.config.write_text(self.config_text + f"executors: {{others: {{type: worker, user: '{uid(ALICE)}'}}}}\n")
            self.server.ctl("reload")
            self.server.config.write_text(self.config_text)
            self.assertEqual(self.server.ctl("reload")[0], 0)
            # What its jobs were they are until somebody says otherwise.
            self.assertEqual(self.root.call("job.get", id=f"{ALICE}:mine")["state"], "waiting")

        def by_mail():
            go.touch()
            self.root.call("run.wait", run=run)
            e2e.wait_until("mail has come", self.mail.exists)
            self.assertIn(f"LOGNAME={ALICE}", self.mail.read_text())

        self.hangs.touch()
        self.during(by_http, by_an_admin, by_crontab, by_the_spool, by_a_job, by_a_reload, by_mail)
        self.hangs.unlink()
        e2e.wait_until("the table is read", lambda: self.commands() == ["second"])
        e2e.wait_until("HTTP serves her", lambda: self.ask(token)[0] == 200)
        self.assertEqual(self.root.call("cron.table_get", account=ALICE)["text"], "0 1 * * * second\n")

    def test_of_whom_nothing_is_known_waits(self):
        alice = self.user(ALICE)
        self.add(alice, "mine")
        self.assertEqual(self.ended(alice, "mine")["state"], "success")
        self.server.stop()
        self.hangs.touch()
        self.server.start(**self.world)
        self.root = self.server.client()
        self.during(lambda: self.assertIn("have not said yet who", self.server.ctl("why", f"{ALICE}:mine")[1]))
        self.hangs.unlink()
        alice = e2e.wait_until("they answer again", lambda: self.user(ALICE))
        e2e.wait_until("her jobs go on", lambda: "have not said" not in self.server.ctl("why", f"{ALICE}:mine")[1])
        self.assertEqual(self.ended(alice, "mine")["state"], "success")


class Disk(Case):
    """A disk that takes nothing while a new account and a new token are written down."""

    def test_no_file_of_accounts_is_waited_for(self):
        self.server = self.daemon(start=False)
        self.server.dir.chmod(0o755)
        hang = self.server.dir / "hang"
        self.server.config.write_text(f"users: {{allow: [{ALICE}, {BOB}]}}\nhttp: {{listen: ['unix:{self.server.dir}/http.sock'], "
                                      f"tokens: {self.server.dir}/tokens}}\nstores: {{default: {{type: memory}}}}\n")
        self.server.start(LD_PRELOAD=preload("SYNC_KILL"), SYNC_HANG=str(hang))
        self.addCleanup(hang.unlink, missing_ok=True)
        self.root = self.server.client()
        accounts, tokens = self.server.state / "accounts", self.server.dir / "tokens"
        hang.touch()
        begun = time.monotonic()
        alice = self.user(ALICE)
        self.assertEqual(alice.call("server.hello")["account"], ALICE)
        self.assertIn("the disk does not answer", self.refused("failed", self.root.call, "token.add", name="t", role="admin"))
        self.assertIn("the disk has not taken", self.refused("failed", self.root.call, "token.add", name="u", role="admin"))
        self.assertLess(time.monotonic() - begun, busy())
        hang.unlink()
        e2e.wait_until("both are written", lambda: ALICE in accounts.read_text() and tokens.exists() and tokens.read_text().startswith("t "))
        e2e.wait_until("the next is taken", lambda: self.added("u"))
        self.assertEqual([token["name"] for token in self.root.call("token.list")], ["t", "u"])

    def added(self, name):
        try:
            return self.root.call("token.add", name=name, role="admin")
        except e2e.RpcError:
            return None


if __name__ == "__main__":
    unittest.main()
