# SPDX-License-Identifier: MIT
"""Many accounts on one daemon of root: who may do what, and that nobody sees or gets what is another's."""
import os
import pathlib
import pwd
import re
import socket
import stat
import subprocess
import unittest

import e2e
import msgpack
from users_case import ADAM, ALICE, BOB, CONFIG, EVE, MANUAL, OLGA, Case, uid


class Door(Case):
    def mode(self, path):
        return stat.S_IMODE(path.stat().st_mode)

    def refused_at_the_door(self, name):
        sock = self.user(name).socket
        sock.settimeout(20)
        data = b""
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            data += piece
        return msgpack.unpackb(data)[2]

    def test_who_is_not_allowed_is_refused_before_a_byte(self):
        for name in (EVE, "daemon"):
            error = self.refused_at_the_door(name)
            self.assertEqual(error["name"], "permission_denied")
            self.assertIn(name, error["message"])
        self.assertEqual(self.mode(self.server.socket), 0o666)

    def test_with_nobody_allowed_the_socket_is_closed(self):
        server = self.daemon()
        self.assertEqual(self.mode(server.socket), 0o600)
        server.config.write_text(CONFIG)
        self.assertEqual(server.ctl("reload")[0], 0)
        self.assertEqual(self.mode(server.socket), 0o666)
        server.config.write_text("")
        self.assertEqual(server.ctl("reload")[0], 0)
        self.assertEqual(self.mode(server.socket), 0o600)

    def test_a_reload_holds_for_the_next_request_of_open_connections(self):
        alice, bob, olga = self.user(ALICE), self.user(BOB), self.user(OLGA)
        self.add(alice, "mine")
        self.assertEqual(self.ids(olga), [f"{ALICE}:mine"])
        self.server.config.write_text(f"users: {{allow: [{BOB}, {OLGA}], admins: [{BOB}]}}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.refused("permission_denied", alice.call, "job.list")
        with self.assertRaises((EOFError, OSError)):
            alice.call("server.ping")
            alice.call("server.ping")
        self.assertEqual(self.ids(olga), [])
        self.assertEqual(self.ids(bob), [f"{ALICE}:mine"])
        self.assertEqual(self.server.ctl("reload")[0], 0)

    def test_streams_end_with_the_right_to_them(self):
        """Events, output and an answer that is waited for are not told to who may not ask for them any more."""
        alice, olga, adam = self.user(ALICE), self.user(OLGA), self.user(ADAM)
        self.add(self.root, "secret")
        self.add(alice, "mine")
        self.add(self.root, "slow", ["/bin/sh", "-c", "echo one; exec sleep 600"])
        run = self.root.call("job.run", id="slow")["run"]
        alice.call("event.subscribe")
        olga.call("event.subscribe")
        adam.call("run.log", run=run, follow=True)
        waits = self.user(OLGA)
        waits.send("run.wait", run=run)
        keeps = self.user(BOB)
        keeps.call("event.subscribe")
        self.server.config.write_text(f"users: {{allow: [{BOB}, {OLGA}, {ADAM}]}}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.add(self.root, "later")
        self.root.call("run.kill", run=run)
        self.root.call("run.wait", run=run)
        for client in (alice, olga, waits, adam):
            with self.assertRaises((EOFError, ConnectionError)):
                while True:
                    self.assertNotIn("later", str(client.notification()))
        self.add(keeps, "own")
        self.assertEqual(keeps.notification()[1]["event"], "job_added")
        self.assertEqual(self.server.ctl("reload")[0], 0)

    def test_groups_and_everybody(self):
        self.server.config.write_text("users: {allow: ['*'], deny: ['@news'], operators: ['@mail']}\n")
        self.assertEqual(self.server.ctl("reload")[0], 0)
        self.assertEqual(self.user("daemon").call("server.hello")["role"], "user")
        self.assertEqual(self.user(BOB).call("server.hello")["role"], "operator")
        self.assertEqual(self.refused_at_the_door("news")["name"], "permission_denied")

    def test_a_users_own_daemon_serves_nobody_else(self):
        entry = pwd.getpwnam(ALICE)
        server = self.daemon(start=False, config="users: {allow: ['*']}\n")
        os.chown(server.dir, entry.pw_uid, entry.pw_gid)
        os.chown(server.config, entry.pw_uid, entry.pw_gid)
        os.chown(server.dir / "reports", entry.pw_uid, entry.pw_gid)
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen([e2e.SCHEDD], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[],
                                              env=server.environment(), stdin=subprocess.DEVNULL, stderr=log, cwd="/")
        e2e.wait_until("schedd answers", server._answers)
        self.assertEqual(stat.S_IMODE(server.socket.stat().st_mode), 0o600)

    def test_wrong_settings_are_named(self):
        for text, words in (("users: {allow: {a: b}}", "users.allow"), ("users: {limits: {jobs: -1}}", "users.limits.jobs"),
                            ("users: {accounts: {games: 5}}", "games"), ("users: {allowed: [x]}", "allow"),
                            ("users: {accounts: {games: {job: 5}}}", "job"), ("groups: {g: {user: true}}", "users"),
                            ("users: {accounts: {'a b': {jobs: 5}}}", "a b")):
            server = self.daemon(start=False, config=text + "\n")
            status, err = server.run("--check-config")
            self.assertEqual(status, 7, err)
            self.assertIn(words, err)


class Names(Case):
    def test_each_account_has_ids_of_its_own(self):
        clients = {name: self.user(name) for name in (ALICE, BOB)}
        for name, client in clients.items():
            job = self.add(client, "backup")
            self.assertEqual((job["id"], job["account"], job["user"]), ("backup", name, name))
            self.assertEqual(self.ended(client, "backup")["id"], "backup/1")
            self.assertEqual(self.ids(client), ["backup"])
            self.assertEqual(client.call("job.get", id=f"{name}:backup")["id"], "backup")
            self.assertEqual(self.ids(client, patterns=["b*"]), ["backup"])
            self.assertEqual(self.ids(client, patterns=[f"{name}:*"]), ["backup"])
        self.assertEqual(self.add(self.root, "backup")["account"], "root")
        everything = ["backup", f"{ALICE}:backup", f"{BOB}:backup"]
        for client in (self.root, self.user(ADAM), self.user(OLGA)):
            self.assertEqual(sorted(self.ids(client)), sorted(everything))
            self.assertEqual(self.ids(client, patterns=[f"{ALICE}:*"]), [f"{ALICE}:backup"])
            run = client.call("run.get", run=f"{ALICE}:backup/1")
            self.assertEqual((run["id"], run["job"], run["account"]), (f"{ALICE}:backup/1", f"{ALICE}:backup", ALICE))
            self.assertEqual(client.call("job.get", id="root:backup")["id"], "backup")

    def test_an_id_that_is_left_out_is_made_for_the_account(self):
        alice = self.user(ALICE)
        made = alice.call("job.add", command=["/bin/true"], trigger=MANUAL)["id"]
        self.assertRegex(made, r"^j-[0-9a-z]{10}$")
        self.assertEqual(self.ids(self.root), [f"{ALICE}:{made}"])

    def test_a_job_runs_as_its_account_and_sees_its_own_id(self):
        alice = self.user(ALICE)
        self.add(alice, "who", ["/bin/sh", "-c", "id -u; id -G; echo $SCHEDD_JOB_ID $SCHEDD_RUN $USER; umask; pwd"])
        run = self.ended(alice, "who")
        entry = pwd.getpwnam(ALICE)
        lines = self.output(alice, run["id"]).splitlines()
        self.assertEqual(lines[0], str(entry.pw_uid), run)
        self.assertNotIn("0", lines[1].split())
        self.assertEqual(lines[2], f"who who/1 {ALICE}")

    def test_rename_copies_and_after_stay_with_the_account(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        self.add(alice, "first")
        self.add(bob, "first")
        self.add(alice, "second", after="first:ok")
        self.assertEqual(alice.call("job.get", id="second")["after"], [{"job": "first", "on": "ok"}])
        self.assertEqual(self.root.call("job.get", id=f"{ALICE}:second")["after"][0]["job"], f"{ALICE}:first")
        self.ended(bob, "first")
        self.ended(alice, "first")
        self.assertEqual(alice.call("run.wait", run="second")["state"], "success")
        self.add(alice, "third", after=[{"job": "second", "on": "any"}])
        self.assertEqual(alice.call("job.rename", id="third", to="last")["id"], "last")
        self.refused("invalid_argument", alice.call, "job.rename", id="last", to=f"{BOB}:last")
        self.refused("invalid_argument", self.root.call, "job.rename", id=f"{ALICE}:last", to="last")
        self.refused("invalid_argument", self.add, alice, f"{BOB}:new")
        self.refused("invalid_argument", self.add, alice, "x", after=f"{BOB}:first")

    def test_apply_prunes_nothing_of_others(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        job = {"command": ["/bin/true"], "trigger": MANUAL}
        for client in (self.root, alice, bob):
            client.call("job.apply", owner="deploy", jobs=[{"id": "a", **job}, {"id": "b", **job}])
        rows = alice.call("job.apply", owner="deploy", prune=True, jobs=[{"id": "b", **job}])
        self.assertEqual([(row["id"], row["action"]) for row in rows], [("b", "unchanged"), ("a", "removed")])
        self.assertEqual(sorted(self.ids(bob)), ["a", "b"])
        self.root.call("job.apply", owner="deploy", prune=True, jobs=[])
        self.assertEqual(sorted(self.ids(self.root)), sorted([f"{ALICE}:b", f"{BOB}:a", f"{BOB}:b"]))
        exported = bob.call("job.export")["jobs"]
        self.assertEqual([one["id"] for one in exported], ["a", "b"])
        alice.call("job.import", jobs=[{key: value for key, value in one.items() if key != "user"} for one in exported],
                   if_absent=True)
        self.assertEqual(sorted(self.ids(alice)), ["a", "b"])

    def test_earlier_databases_are_roots(self):
        self.add(self.root, "old")
        self.assertEqual(self.ids(self.user(ALICE)), [])

    def test_narrowed_to_an_account(self):
        self.add(self.user(ALICE), "one")
        self.add(self.user(BOB), "two")
        for words in (("-U", ALICE), ("--account", ALICE)):
            status, out, err = self.server.ctl(*words, "list", "-o", "name")
            self.assertEqual((status, out), (0, "one\n"), err)
        self.assertEqual(self.server.ctl("-U", "*", "list", "-o", "name")[1].split(), [f"{ALICE}:one", f"{BOB}:two"])
        status, out, err = self.server.ctl("-U", ALICE, "add", "--id", "made", "--manual", "--", "/bin/true")
        self.assertEqual((status, out), (0, "made\n"), err)
        self.assertEqual(self.ids(self.root, patterns=[f"{ALICE}:made"]), [f"{ALICE}:made"])
        self.assertEqual(self.server.ctl("-U", ALICE, "run", "-w", "made")[0], 0)
        self.assertEqual(self.server.ctl("-U", BOB, "rm", "-y", "made")[0], 4)
        self.assertEqual(self.ctl(ALICE, "-U", BOB, "list")[0], 6)
        self.assertEqual(self.ctl(ALICE, "list", "-o", "name")[1].split(), ["made", "one"])
        self.assertEqual(self.ctl(OLGA, "-U", ALICE, "list", "-o", "name")[1].split(), ["made", "one"])
        self.assertEqual(self.ctl(OLGA, "-U", ALICE, "add", "--manual", "--", "/bin/true")[0], 6)

    def test_events_name_jobs_as_the_account_does(self):
        alice, bob = self.user(ALICE), self.user(BOB)
        alice.call("event.subscribe")
        self.add(bob, "secret")
        self.add(self.root, "rootly")
        self.add(alice, "mine")
        method, event = alice.notification()
        self.assertEqual((method, event["event"], event["job"], event["account"]), ("event", "job_added", "mine", ALICE))
        self.ended(alice, "mine")
        seen = [alice.notification()[1] for _ in range(3)]
        self.assertEqual({event["run"] for event in seen}, {"mine/1"})
        replayed = self.user(ALICE)
        replayed.call("event.subscribe", since=0, jobs=[])
        self.assertEqual(replayed.notification()[1]["job"], "mine")


class Roles(Case):
    METHOD = re.compile(r"^\.SS (\S+)\n.*?For (users|owners|admins)\.", re.M | re.S)
    NEEDED = {"id": "x", "to": "y", "run": "x/1", "jobs": [], "trigger": {"every": "1h"}, "name": "n", "type": "memory",
              "parallel": 1, "path": "/nowhere/at/all"}

    def rows(self):
        page = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"], "cmd/man/schedd-protocol.7").read_text().replace("\\-", "-")
        rows = {}
        for part in page.split("\n.SS ")[1:]:
            name = part.split("\n", 1)[0].strip().replace("\\&", "")
            role = re.search(r"For (users|owners|admins)\.", part)
            if role:
                rows[name] = (role.group(1), re.findall(r"^\.BR? \"?([a-z_]+).*\n.*\(required\)", part, re.M))
        return rows

    def test_every_method_with_every_role(self):
        rows = self.rows()
        self.assertGreaterEqual(len(rows), 40)
        self.assertEqual(rows["server.shutdown"][0], "admins")
        for name, role in ((ALICE, "user"), (OLGA, "operator")):
            for method, (wanted, _) in rows.items():
                client = self.user(name)
                needed = {key: value for key, value in self.NEEDED.items()}
                outcome = None
                for _ in range(len(needed) + 1):  # drop what the method does not know
                    try:
                        client.call(method, **needed)
                        outcome = "done"
                    except e2e.RpcError as error:
                        unknown = re.search(r"unknown parameter '(\w+)'", error.message)
                        if unknown and unknown.group(1) in needed:
                            del needed[unknown.group(1)]
                            continue
                        outcome = error.name
                    break
                client.close()
                if wanted == "admins":
                    self.assertEqual(outcome, "permission_denied", (role, method))
                elif method not in ("run.wait",):
                    self.assertIn(outcome, ("done", "not_found", "invalid_argument", "conflict"), (role, method))
        self.assertTrue(self.root.call("server.ping")["ready"])
        self.assertEqual(self.user(ADAM).call("server.hello")["role"], "admin")

    def test_what_an_operator_may(self):
        alice, olga = self.user(ALICE), self.user(OLGA)
        self.add(alice, "job", ["/bin/sh", "-c", "echo $GIVEN; sleep ${NAP:-0}"])
        job = f"{ALICE}:job"
        run = self.ended(olga, job)
        self.assertEqual(run["id"], f"{job}/1")
        self.assertEqual(olga.call("job.pause", id=job)["paused"], True)
        self.assertEqual(olga.call("job.resume", id=job)["paused"], False)
        self.assertIn("facts", olga.call("job.why", id=job))
        for method, params in (("job.run", {"id": job}), ("run.retry", {"run": f"{job}/1"})):
            self.refused("permission_denied", olga.call, method, env={"GIVEN": "x"}, **params)
            olga.call("run.wait", run=olga.call(method, **params)["run"])
        for method, params in (("job.modify", {"id": job, "name": "x"}), ("job.remove", {"id": job}),
                               ("job.rename", {"id": job, "to": "x"}), ("run.purge", {"run": job}),
                               ("job.reschedule", {"id": job, "trigger": {"every": "1h"}})):
            self.refused("permission_denied", olga.call, method, **params)
        self.assertEqual(self.add(olga, "own")["id"], f"{OLGA}:own")
        self.assertEqual(olga.call("job.get", id="own")["user"], OLGA)
        self.add(self.root, "own")
        self.assertEqual(olga.call("job.get", id="own")["account"], "root")
        self.assertEqual(olga.call("job.modify", id="own", name="mine")["id"], f"{OLGA}:own")
        self.assertEqual(self.ended(alice, "job", env={"GIVEN": "hers"})["state"], "success")

    def test_an_admin_may_what_root_may(self):
        adam = self.user(ADAM)
        self.add(self.user(ALICE), "job")
        self.assertEqual(adam.call("job.modify", id=f"{ALICE}:job", name="changed")["name"], "changed")
        self.assertEqual(self.add(adam, "system")["account"], "root")
        self.assertEqual(adam.call("server.reload")["exec"], False)


class Hostile(Case):
    """A local account that wants what is another's."""

    def setUp(self):
        super().setUp()
        self.alice, self.bob = self.user(ALICE), self.user(BOB)
        self.add(self.bob, "secret", ["/bin/sh", "-c", "echo treasure"], description="treasure", tags={"k": "treasure"})
        self.add(self.root, "rootjob", ["/bin/sh", "-c", "echo treasure"], description="treasure")
        self.ended(self.bob, "secret")
        self.ended(self.root, "rootjob")

    def test_ids_of_others_in_every_verb(self):
        spellings = [f"{BOB}:secret", "secret", "rootjob", "root:rootjob", ":rootjob", f"{ALICE}:{BOB}:secret", "*",
                     f"{BOB}:*", "[a-z]*", f"{BOB}:secret\0", f"{ALICE}:../{BOB}:secret", f"../{BOB}:secret"]
        for job in spellings:
            calls = [("job.get", {"id": job}), ("job.modify", {"id": job, "name": "x"}), ("job.remove", {"id": job}),
                     ("job.remove", {"id": job, "purge": True, "kill": True}), ("job.pause", {"id": job}),
                     ("job.resume", {"id": job}), ("job.run", {"id": job}), ("job.run", {"id": job, "env": {"A": "b"}}),
                     ("job.why", {"id": job}), ("job.reschedule", {"id": job, "trigger": {"every": "1h"}}),
                     ("job.rename", {"id": job, "to": "mine"}), ("trigger.next", {"id": job})]
            for run in (f"{job}/1", job):
                calls += [("run.get", {"run": run}), ("run.log", {"run": run}), ("run.log", {"run": run, "follow": True}),
                          ("run.kill", {"run": run}), ("run.retry", {"run": run}), ("run.purge", {"run": run}),
                          ("run.wait", {"run": run, "timeout": 0.1})]
            calls += [("run.get", {"job": job, "run": 1}), ("run.log", {"job": job, "run": 1})]
            for method, params in calls:
                try:
                    self.alice.call(method, **params)
                    self.assertEqual(method, "run.purge", params)  # of a job of her own that never was: nothing
                except e2e.RpcError as error:
                    self.assertIn(error.name, ("not_found", "invalid_argument"), (method, params))
                    self.assertNotIn("treasure", error.message)
        self.assertEqual(self.bob.call("job.get", id="secret")["revision"], 1)
        self.assertEqual(self.bob.call("run.get", run="secret/1")["state"], "success")
        self.assertEqual(self.root.call("run.get", run="rootjob/1")["state"], "success")

    def everything_of(self, client):
        """All that a client can read, as one text."""
        parts = [client.call(method) for method in ("job.list", "job.export", "run.list", "server.status", "server.stats",
                                                    "store.list", "executor.list", "group.list", "server.hello")]
        parts += [client.call("job.list", patterns=patterns) for patterns in
                  ([], "*", ["*"], [f"{BOB}:*"], ["*:*"], ["?*"], [f"{ALICE}:*", f"{BOB}:secret"])]
        parts += [client.call("run.list", jobs=jobs) for jobs in ([], "*", [f"{BOB}:secret"], ["*:*"])]
        parts += [client.call("job.list", order="next"), client.call("job.list", after=f"{ALICE}:"),
                  client.call("job.list", after="a"), client.call("job.list", fields=["id", "description", "command"])]
        return repr(parts)

    def test_no_list_and_no_count_tells_of_others(self):
        text = self.everything_of(self.alice)
        for word in ("secret", "rootjob", "treasure", BOB + ":"):
            self.assertNotIn(word, text)
        status = self.alice.call("server.status")
        self.assertEqual((status["scheduler"]["jobs"], status["scheduler"]["starts"]), (0, None))
        self.assertEqual(status["requests"], None)
        before = self.alice.call("server.stats")
        self.add(self.bob, "more")
        self.ended(self.bob, "more")
        after = self.alice.call("server.stats")
        for answer in (before, after):
            del answer["since"]
        self.assertEqual(before, after)
        self.assertEqual([store["name"] for store in self.alice.call("store.list")], ["open", "default"]
                         if self.root.call("store.list")[0]["name"] != "default" else
                         [s["name"] for s in self.root.call("store.list") if s["name"] in ("default", "open")])

    def test_suggestions_and_completion_tell_of_nobody(self):
        message = self.refused("not_found", self.alice.call, "job.get", id="secre")
        self.assertNotIn("did you mean", message)
        self.assertNotIn(ALICE + ":", message)
        status, out, _ = self.ctl(ALICE, "__complete", "2", "--", "schedctl", "show", "")
        self.assertNotIn("secret", out)
        for words in (("next", "--all"), ("simulate", "--from", "now", "--until", "+1d"), ("list",), ("history",), ("status",),
                      ("stats",), ("stats", "-o", "prometheus"), ("why", "secret"), ("export", "--as", "yaml"), ("stores",),
                      ("executors",), ("groups",)):
            status, out, err = self.ctl(ALICE, *words)
            self.assertNotIn("treasure", out + err, words)
            if words[0] != "why":
                self.assertNotIn("secret", out + err, words)
            self.assertNotIn("rootjob", out + err, words)

    def test_fields_that_are_roots(self):
        cases = {"user": ["root", "0", 0, f"{ALICE}:root", BOB], "nice": [-1, -20], "executor": ["heavy", "function"],
                 "store": ["closed", "memory"], "group": ["theirs"],
                 "rlimits": [{"nofile": "unlimited"}] if self.hard_nofile() else []}
        for field, values in cases.items():
            for value in values:
                with self.assertRaises(e2e.RpcError, msg=(field, value)) as caught:
                    self.add(self.alice, "try", **{field: value})
                self.assertIn(caught.exception.name, ("permission_denied", "invalid_argument", "not_found"), (field, value))
                self.assertIn(field, caught.exception.message)
                if caught.exception.name == "permission_denied":
                    self.assertIn("administrator", caught.exception.message)
        self.assertIn("administrator", self.refused(
            "permission_denied", self.alice.call, "job.add", id="try", trigger=MANUAL, call="os:system"))
        self.assertEqual(self.ids(self.alice), [])
        self.add(self.alice, "try")
        for change in ({"user": "root"}, {"nice": -5}, {"executor": "heavy"}, {"group": "theirs"}):
            self.refused("permission_denied", self.alice.call, "job.modify", id="try", **change)
        self.assertEqual(self.alice.call("job.modify", id="try", user=None)["user"], ALICE)
        # No job becomes a line of a table, which is judged as cron judges it.
        for call in (lambda given: self.alice.call("job.modify", id="try", **given),
                     lambda given: self.add(self.alice, "other", **given),
                     lambda given: self.alice.call(
                         "job.apply", jobs=[{"id": "try", "command": ["/bin/true"], "trigger": MANUAL, **given}]),
                     lambda given: self.alice.call("job.import", replace=True, jobs=[
                         {"id": "try", "command": ["/bin/true"], "trigger": MANUAL, **given}])):
            self.refused("invalid_argument", call, {"owner": "cron:/etc/crontab", "executor": "heavy", "nice": -5})
        self.assertEqual((self.ids(self.alice), self.alice.call("job.get", id="try")["owner"]), (["try"], None))
        for row in ({"user": "root"}, {"nice": -5}):
            with self.assertRaises(e2e.RpcError):
                self.alice.call("job.apply", jobs=[{"id": "try", "command": ["/bin/true"], "trigger": MANUAL, **row}])
            with self.assertRaises(e2e.RpcError):
                self.alice.call("job.import", replace=True,
                                jobs=[{"id": "try", "command": ["/bin/true"], "trigger": MANUAL, **row}])
        self.add(self.alice, "fine", executor="free", store="open", group="shared", nice=5)
        self.assertEqual(self.ended(self.alice, "fine")["state"], "success")

    @staticmethod
    def hard_nofile():
        import resource
        return resource.getrlimit(resource.RLIMIT_NOFILE)[1] != resource.RLIM_INFINITY

    def test_what_is_done_for_a_job_is_done_with_its_accounts_rights(self):
        private = self.server.dir / "private"
        private.write_text("treasure")
        private.chmod(0o600)
        proof = pathlib.Path("/tmp") / f"proof-{os.getpid()}"
        self.addCleanup(lambda: proof.exists() and proof.unlink())
        self.add(self.alice, "stdin", ["/bin/cat"], stdin={"path": str(private)})
        self.add(self.alice, "secrets", ["/bin/sh", "-c", "cat $S_FILE"], secrets={"S": str(private)})
        self.add(self.alice, "notify", ["/bin/false"],
                 notify=[{"on": "failure", "target": f"id -u > {proof}; chmod 666 {proof}"}])
        link = pathlib.Path("/tmp") / f"link-{os.getpid()}"
        link.symlink_to("/etc/shadow")
        self.addCleanup(link.unlink)
        self.add(self.alice, "link", ["/bin/sh", "-c", "cat $S_FILE"], secrets={"S": str(link)})
        for job in ("stdin", "secrets", "link"):
            run = self.ended(self.alice, job)
            self.assertNotEqual(run["state"], "success", run)
            self.assertNotIn("treasure", self.output(self.alice, run["id"]))
            self.assertNotIn("root:", self.output(self.alice, run["id"]))
        self.ended(self.alice, "notify")
        e2e.wait_until("it was told", lambda: proof.exists() and proof.read_text())
        self.assertEqual(proof.read_text(), f"{uid(ALICE)}\n")

    def test_processes_of_the_same_name_are_told_apart(self):
        for client in (self.alice, self.bob):
            self.add(client, "long", ["/bin/sh", "-c", "sleep 1000 & wait"])
        runs = [client.call("job.run", id="long")["run"] for client in (self.alice, self.bob)]
        for client, run in zip((self.alice, self.bob), runs):
            client.call("run.wait", run=run, **{"for": "running"})
        self.alice.call("run.kill", run="long/1", signal="KILL")
        self.assertEqual(self.alice.call("run.wait", run="long/1")["state"], "killed")
        self.assertEqual(self.bob.call("run.get", run="long/1")["state"], "running")
        self.bob.call("run.kill", run="long/1", signal="KILL")
        self.bob.call("run.wait", run="long/1")

    def test_the_state_directory_is_closed(self):
        for path in [self.server.state, *self.server.state.rglob("*")]:
            self.assertEqual(path.lstat().st_mode & 0o077, 0, path)
            self.assertEqual(path.lstat().st_uid, 0, path)


if __name__ == "__main__":
    unittest.main()
