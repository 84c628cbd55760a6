# SPDX-License-Identifier: MIT
"""A local account that uses what root's daemon does for it: paths, environment, tables, connections."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import e2e
from test_users_limits import own_etc
from users_case import ALICE, BOB, EVE, MANUAL, ROOT, Case, uid

TREASURE = "0 1 * * * echo treasure\n"


class Paths(Case):
    """Files of root's that a job of Alice's names in every field that is a path."""

    def setUp(self):
        super().setUp()
        self.alice = self.user(ALICE)
        self.vault = pathlib.Path(tempfile.mkdtemp(prefix="schedd-vault-"))
        self.addCleanup(shutil.rmtree, self.vault)
        for name in ("script", "secret"):
            (self.vault / name).write_text("#!/bin/sh\necho treasure\n")
            (self.vault / name).chmod(0o700)
        self.mine = pathlib.Path(tempfile.mkdtemp(prefix="schedd-mine-"))
        self.addCleanup(shutil.rmtree, self.mine)
        os.chown(self.mine, uid(ALICE), -1)

    def test_no_path_is_opened_for_her(self):
        link = self.mine / "link"
        link.symlink_to(self.vault)
        tries = {"command": {"command": [str(self.vault / "script")]}, "by-link": {"command": [str(link / "script")]},
                 "shell": {"shell": f". {self.vault}/script"}, "cwd": {"shell": "ls", "cwd": str(self.vault)},
                 "cwd-link": {"shell": "ls; cat secret", "cwd": str(link)},
                 "shell_path": {"shell": "true", "shell_path": str(self.vault / "script")},
                 "stdin": {"command": ["/bin/cat"], "stdin": {"path": str(link / "secret")}},
                 "secret": {"shell": "cat $S_FILE", "secrets": {"S": str(link / "secret")}},
                 "state": {"shell": f"cat {self.server.state}/*"}}
        for name, fields in tries.items():
            self.alice.call("job.add", id=name, trigger=MANUAL, **fields)
            run = self.ended(self.alice, name)
            self.assertEqual(run["state"], "failed", (name, run))
            self.assertNotIn("treasure", self.output(self.alice, run["id"]) + (run["reason"] or ""), name)

    def test_a_path_that_changes_while_it_is_opened(self):
        """A file of hers becomes a link to root's, and back, all the time."""
        place, own, stop = self.mine / "place", self.mine / "own", threading.Event()
        own.write_text("own\n")
        own.chmod(0o644)

        def swap():
            for n in range(10 ** 9):
                if stop.is_set():
                    return
                new = self.mine / "new"
                new.symlink_to(self.vault / "secret" if n % 2 else own)
                new.rename(place)
        thread = threading.Thread(target=swap)
        thread.start()
        try:
            e2e.wait_until("it changes", place.exists)
            self.alice.call("job.add", id="stdin", command=["/bin/cat"], stdin={"path": str(place)}, trigger=MANUAL)
            self.alice.call("job.add", id="secret", shell="cat $S_FILE", secrets={"S": str(place)}, trigger=MANUAL)
            for _ in range(15):
                for job in ("stdin", "secret"):
                    self.assertNotIn("treasure", self.output(self.alice, self.ended(self.alice, job)["id"]))
        finally:
            stop.set()
            thread.join()

    def test_her_environment_steers_her_own_processes_alone(self):
        proof = self.mine / "proof"
        proof.touch()
        proof.chmod(0o666)
        for name in ("sendmail", "schedd-http", "schedd-spawn", "schedd-pam", "sh", "cat", "id"):
            (self.mine / name).write_text(f"#!/bin/sh\n/usr/bin/id -u >>{proof}\n")
            (self.mine / name).chmod(0o755)
        env = {"PATH": str(self.mine), "SCHEDD_MODULE_DIR": str(self.mine), "BASH_ENV": str(self.mine / "sh"), "ENV": str(self.mine / "sh"),
               "LD_LIBRARY_PATH": str(self.mine), "LD_PRELOAD": str(self.mine / "none.so"), "IFS": "/", "SCHEDD_SOCKET": str(self.mine)}
        self.alice.call("job.add", id="shell", shell="sh; exit 1", env=env, trigger=MANUAL,
                        notify={"failure": ["mail:x@example.org", "http://127.0.0.1:1/", "cat"]})
        self.alice.call("job.add", id="http", http="GET http://127.0.0.1:1/", env=env, trigger=MANUAL)
        for job in ("shell", "http"):
            self.assertEqual(self.ended(self.alice, job)["state"], "failed")
        e2e.wait_until("nothing is told any more", lambda: self.root.call("server.status")["scheduler"]["notify_failed"] >= 1)
        self.assertEqual(set(proof.read_text().split()), {str(uid(ALICE))})
        self.refused("invalid_argument", self.add, self.alice, "x", notify={"output": [f"mail:-oX{self.mine}/log"]})
        self.refused("invalid_argument", self.add, self.alice, "x", notify={"failure": [f"mail:-C{self.mine}/cf"]})

    def test_control_bytes_reach_no_terminal(self):
        for field, text in (("name", "\x1b]0;owned\x07"), ("description", "a\u202eb\x1b[2J")):
            try:
                self.add(self.alice, "bytes", replace=True, **{field: text})
            except e2e.RpcError as error:
                self.assertEqual(error.name, "invalid_argument")
        self.alice.call("job.add", id="bytes", replace=True, trigger=MANUAL, shell="printf '\\033]0;owned\\007'; echo '\x1b[2J' >&2; exit 1")
        run = self.ended(self.alice, "bytes")
        for words in (("show", f"{ALICE}:bytes"), ("list", "-a"), ("history",), ("show", f"{ALICE}:{run['id']}"), ("why", f"{ALICE}:bytes")):
            status, out, err = self.server.ctl(*words)
            self.assertNotIn("\x1b", out + err, (words, status))


class Crowd(Case):
    config = f"users: {{allow: [{ALICE}, {BOB}], deny: [{EVE}]}}\n"

    def others_go_on(self):
        begun = time.monotonic()
        bob = self.user(BOB)
        self.add(bob, "mine", replace=True)
        self.assertEqual(self.ended(bob, "mine")["state"], "success")
        bob.close()
        return time.monotonic() - begun

    def test_a_thousand_connections_of_one_who_may_not(self):
        alone = self.others_go_on()
        entry, taken = pwd.getpwnam(EVE), []
        os.seteuid(entry.pw_uid)
        try:
            for _ in range(1000):
                one = socket.socket(socket.AF_UNIX)
                one.setblocking(False)
                try:
                    one.connect(str(self.server.socket))
                except BlockingIOError:
                    pass
                taken.append(one)
        finally:
            os.seteuid(0)
        self.assertLess(self.others_go_on(), max(30.0, 20 * alone))
        for one in taken:
            one.close()
        self.assertEqual(self.root.call("server.ping")["ready"], True)

    def test_requests_that_are_too_large(self):
        alice = [self.user(ALICE) for _ in range(20)]
        alone = self.others_go_on()
        for n, client in enumerate(alice):
            client.socket.settimeout(5)
            try:
                # An array of four thousand million, a text of 4 GiB, one of 16 MiB that is there, and half of one.
                client.socket.sendall((b"\xdd\xff\xff\xff\xff", b"\x94\x00\x01\xdb\xff\xff\xff\xff",
                                       b"\x94\x00\x01\xdb\x01\x00\x00\x00" + b"x" * (16 << 20), b"\x94\x00\x01\xdb\x00\x3f\xff\xff" + b"x" * 1000)[n % 4])
            except OSError:
                pass
        self.assertLess(self.others_go_on(), max(30.0, 20 * alone))
        self.assertLess(self.root.call("server.status")["rss"], 256 << 20)


@unittest.skipUnless(ROOT, "needs root to take cron's place")
class Spool(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.d.dir.chmod(0o755)
        self.root = self.d.dir / "root"
        for folder in ("etc/cron.d", "var/spool/cron/crontabs", "run"):
            (self.root / folder).mkdir(parents=True)
        self.spool = self.root / "var/spool/cron/crontabs"
        self.d.config.write_text(f"cron: {{tables: true, root: {self.root}}}\n")

    def put(self, path, text, owner=ALICE, mode=0o600):
        path.write_text(text)
        os.chown(path, uid(owner), -1)
        path.chmod(mode)

    def test_a_table_that_is_swapped_while_it_is_read(self):
        """With a link to root's, another name of root's, and one that is written in its place."""
        secret, own, table = self.d.dir / "secret", self.d.dir / "own", self.spool / ALICE
        self.put(secret, TREASURE, "root")
        self.put(own, "0 1 * * * echo own\n")
        halves = ["".join(f"0 1 * * * echo {word} {n}\n" for n in range(500)) for word in ("left", "rite")]
        self.put(table, halves[0])
        rpc = self.d.start().client()
        end = time.monotonic() + 3
        n = 0
        while time.monotonic() < end:
            n += 1
            new = self.spool / ".new"
            if n % 4 == 0:
                new.symlink_to(secret)
            elif n % 4 == 1:
                os.link(secret, new)
            elif n % 4 == 2:
                os.rename(own, new)
                self.put(own, "0 1 * * * echo own\n")
            else:
                self.put(new, halves[n % 8 > 4])
            new.rename(table)
            if n % 4 == 3:
                with open(table, "r+") as file:
                    file.write(halves[n % 8 <= 4])
            for job in rpc.call("job.list", fields=["shell"], limit=2000)["jobs"]:
                self.assertNotIn("treasure", job["shell"])
        self.put(self.spool / ".new", "0 1 * * * echo last\n")
        (self.spool / ".new").rename(table)
        e2e.wait_until("the last one is taken", lambda: [job["shell"] for job in rpc.call("job.list", fields=["shell"])["jobs"]] == ["echo last"])
        self.assertNotIn("treasure", self.d.log.read_text() + repr(rpc.call("server.status")))

    def test_who_is_told_is_no_option_of_a_program(self):
        mail = self.d.dir / "mail"
        mail.mkdir(mode=0o777)
        mail.chmod(0o777)
        (self.d.dir / "sendmail").write_text(f'#!/bin/sh\nprintf "%s\\n" "$(id -u)" "$@" >>{mail}/words\ncat >/dev/null\n')
        (self.d.dir / "sendmail").chmod(0o755)
        self.d.config.write_text(self.d.config.read_text() + f"notify: {{sendmail: {self.d.dir}/sendmail}}\n")
        self.put(self.spool / ALICE, "MAILTO=-oX/tmp/x\n0 1 * * * echo one\nMAILTO=\"a@b -C/tmp/cf `id`\"\n0 1 * * * echo two\n"
                                     "MAILTO=fine\nPATH=/tmp\nSHELL=/bin/sh\n0 1 * * * echo three\n")
        rpc = self.d.start().client()
        jobs = e2e.wait_until("the lines", lambda: (lambda found: found if len(found) == 3 else None)(rpc.call("job.list", fields=["id", "shell"])["jobs"]))
        for job in jobs:
            self.assertEqual(rpc.call("run.wait", run=rpc.call("job.run", id=job["id"])["run"])["state"], "success")
        e2e.wait_until("they are told", lambda: (mail / "words").exists() and (mail / "words").read_text().count("-oem") >= 2)
        words = (mail / "words").read_text().splitlines()
        self.assertLess({"a@b", "fine", str(uid(ALICE))}, set(words))
        self.assertEqual([word for word in words if word.startswith(("-oX", "-C", "`"))], [])
        self.assertNotIn("0", words)
        faults = " ".join(fault["message"] for fault in rpc.call("server.status")["cron"]["faults"])
        self.assertIn("-oX/tmp/x", faults)

    def test_a_storm_of_lines(self):
        """A table of the largest size takes its room, and nothing of others."""
        self.put(self.spool / ALICE, "0 1 1 1 * true\n" * 20000)
        self.put(self.spool / BOB, "0 1 * * * echo mine\n", BOB)
        rpc = self.d.start().client()
        fault = e2e.wait_until("it is refused", lambda: next(iter(rpc.call("server.status")["cron"]["faults"]), None))
        self.assertIn("more than 10000 lines", fault["message"])
        self.put(self.spool / ".new", "0 1 1 1 * true\n" * 5000)
        (self.spool / ".new").rename(self.spool / ALICE)
        run = e2e.wait_until("Bob's line", lambda: next(iter(rpc.call("job.list", patterns=[f"{BOB}:*"])["jobs"]), None))["id"]
        self.assertEqual(rpc.call("run.wait", run=rpc.call("job.run", id=run)["run"])["state"], "success")
        e2e.wait_until("all lines are jobs", lambda: rpc.call("server.status")["cron"]["jobs"] == 5001)


@unittest.skipUnless(own_etc(), "needs a mount namespace")
class Home(e2e.TestCase):
    def test_a_home_that_is_a_link_to_etc(self):
        d = self.daemon(start=False, config="users: {allow: ['*']}\n")
        d.dir.chmod(0o755)
        etc = d.dir / "etc"
        subprocess.run(["cp", "-a", "/etc", str(etc)], check=True)
        (d.dir / "home").symlink_to("/etc")
        with open(etc / "passwd", "a") as file:
            file.write(f"zoe:x:23456:23456::{d.dir}/home:/bin/sh\n")
        before = (etc / "passwd").read_bytes()
        d.state.mkdir(mode=0o700)
        wrapper = d.dir / "inside.sh"
        wrapper.write_text(f"mount --bind {etc} /etc && exec {e2e.SCHEDD}\n")
        with open(d.log, "ab") as log:
            d.process = subprocess.Popen(["unshare", "-m", "sh", str(wrapper)], stderr=log, env=d.environment(), stdin=subprocess.DEVNULL)
        e2e.wait_until("schedd answers", d._answers)
        rpc = d.client()
        names = sorted(os.listdir(etc))
        rpc.call("job.add", id="zoe:home", trigger=MANUAL, shell="pwd -P; echo x >passwd; echo x >schedd.yaml; mkdir cron.d/x; rm -f shadow; id -u",
                 notify={"success": [f"echo x >$HOME/told; id -u >{d.dir}/nothing"]}, secrets={"S": "/etc/shadow"})
        rpc.call("job.add", id="zoe:cat", trigger=MANUAL, shell="cat shadow; id -u")
        run = rpc.call("run.wait", run=rpc.call("job.run", id="zoe:home")["run"])
        self.assertEqual(run["state"], "failed", run)
        run = rpc.call("run.wait", run=rpc.call("job.run", id="zoe:cat")["run"])
        text = "".join(piece["data"] for piece in rpc.call("run.log", run=run["id"])["pieces"])
        self.assertEqual(text.splitlines()[-1], "23456")
        self.assertIn("shadow: Permission denied", text)
        self.assertEqual((etc / "passwd").read_bytes(), before)
        self.assertEqual(sorted(os.listdir(etc)), names)


if __name__ == "__main__":
    unittest.main()
