# SPDX-License-Identifier: MIT
"""schedd of root in cron's place, on a tree of its own: what is taken, what is not and why,
how changes are noticed, and what the commands find and who gets mail."""
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

import e2e


@unittest.skipUnless(os.geteuid() == 0, "cron's tables are root's")
class CronTables(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.root = self.d.dir / "root"
        self.spool = self.root / "var/spool/cron/crontabs"
        self.drops = self.root / "etc/cron.d"
        for folder in (self.spool, self.drops, self.root / "run"):
            folder.mkdir(parents=True)
        out = self.d.dir
        (out / "sendmail").write_text(f'#!/bin/sh\n{{ echo "ARGS $*"; id -un; cat; }} > {out}/mail.$$\nmv {out}/mail.$$ {out}/mail-$$\n')
        (out / "sendmail").chmod(0o755)
        out.chmod(0o777)
        self.config()

    def config(self, **more):
        lines = "".join(f"  {key}: {value}\n" for key, value in {"tables": "true", "root": self.root, **more}.items())
        self.d.config.write_text(f"notify:\n  sendmail: {self.d.dir}/sendmail\ncron:\n{lines}")

    def write(self, path, text, mode=0o644, owner=0):
        """As an editor does: whole, by renaming."""
        new = path.parent / ".new"
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.chmod(mode)
        os.chown(new, owner, 0)
        new.rename(path)

    def jobs(self):
        return {job["shell"]: job for job in json.loads(self.d.ctl("list", "--json")[1])}

    def until(self, *shells):
        def look():
            jobs = self.jobs()
            return (jobs,) if set(jobs) == set(shells) else None
        return e2e.wait_until(f"the jobs {shells}", look)[0]

    def status(self):
        return json.loads(self.d.ctl("status", "--json")[1])["cron"]

    def faults(self, count):
        """{file: (line, message)} once there are so many."""
        def look():
            faults = self.status()["faults"]
            return faults if len(faults) == count else None
        return {fault["file"]: (fault["line"], fault["message"])
                for fault in e2e.wait_until(f"{count} faults", look)}

    def test_tables_of_all_places_are_jobs(self):
        self.write(self.root / "etc/crontab", "SHELL=/bin/bash\n0 1 * * * root main\n")
        self.write(self.drops / "pkg", "#schedd: timeout=1h\n@daily nobody drop\n")
        self.write(self.spool / "nobody", "30 2 * * * own\n", 0o600, 65534)
        self.write(self.drops / "pkg.dpkg-new", "0 0 * * * root never\n")
        self.write(self.drops / ".hidden", "0 0 * * * root never\n")
        self.d.start()
        jobs = self.until("main", "drop", "own")
        self.assertEqual(jobs["main"]["owner"], "cron:/etc/crontab")
        self.assertEqual((jobs["drop"]["owner"], jobs["drop"]["user"]), ("cron:/etc/cron.d/pkg", "nobody"))
        self.assertEqual((jobs["own"]["owner"], jobs["own"]["user"]), ("cron:/var/spool/cron/crontabs/nobody", "nobody"))
        self.assertEqual(float(jobs["drop"]["timeout"]), 3600)
        self.assertEqual({k: self.status()[k] for k in ("tables", "files", "jobs", "faults", "beside")},
                         {"tables": True, "files": 3, "jobs": 3, "faults": [], "beside": None})
        self.assertIn("3 jobs of 3 tables", self.d.ctl("status")[1])

    def test_changes_are_noticed_and_the_rest_stays(self):
        self.write(self.drops / "a", "0 1 * * * root one\n0 2 * * * root two\n")
        self.write(self.drops / "b", "0 3 * * * root three\n")
        self.d.start()
        before = self.until("one", "two", "three")
        self.write(self.drops / "a", "0 9 * * * root new\n0 2 * * * root two\n")
        after = self.until("new", "two", "three")
        for shell in ("two", "three"):
            self.assertEqual((after[shell]["id"], after[shell]["revision"]), (before[shell]["id"], before[shell]["revision"]))
        (self.drops / "b").unlink()
        self.until("new", "two")
        with open(self.drops / "a", "a") as file:  # in place
            file.write("0 5 * * * root appended\n")
        self.until("new", "two", "appended")
        self.write(self.root / "etc/crontab", "0 1 * * * root main\n")
        self.write(self.spool / "root", "0 1 * * * own\n", 0o600)
        self.until("new", "two", "appended", "main", "own")
        # What was paused stays so, and a restart finds all as it was.
        held = self.jobs()["two"]["id"]
        self.assertEqual(self.d.ctl("pause", held)[0], 0)
        ids = {shell: job["id"] for shell, job in self.jobs().items()}
        self.d.stop()
        (self.root / "etc/crontab").unlink()
        self.d.start()
        self.until("new", "two", "appended", "own")
        self.assertEqual({shell: job["id"] for shell, job in self.jobs().items()}, {k: v for k, v in ids.items() if k != "main"})
        self.assertEqual(self.jobs()["two"]["state"], "paused")

    def test_directories_that_come_later(self):
        for folder in (self.spool, self.spool.parent, self.drops):
            folder.rmdir()
        self.d.start()
        self.drops.mkdir()
        self.write(self.drops / "a", "0 1 * * * root one\n")
        self.until("one")

    def test_what_cannot_be_taken_is_told(self):
        passwd = self.root / "etc/passwd"
        events = None
        self.write(self.drops / "good", "0 1 * * * root good\n61 * * * * root bad\n0 2 * * * root better\n0 3 * * * nosuchuser x\n")
        self.write(self.drops / "writable", "0 1 * * * root no\n", 0o666)
        self.write(self.drops / "foreign", "0 1 * * * root no\n", 0o644, 65534)
        self.write(self.drops / "cut", "0 1 * * * root no\n0 2 * * * root no")
        self.write(self.drops / "binary", b"0 1 * * * root no\0\n")
        self.write(self.drops / "huge", b"# " + b"x" * (9 << 20) + b"\n")
        self.write(self.drops / "fifty", b"# x\n" * (50 << 18))
        self.write(self.drops / "long", "0 1 * * * root " + "x" * 100000 + "\n0 4 * * * root fine\n")
        (self.d.dir / "theirs").write_text("0 1 * * * root no\n")
        os.chown(self.d.dir / "theirs", 65534, -1)
        os.symlink(self.d.dir / "theirs", self.drops / "link")
        (self.drops / "folder").mkdir()
        os.mkfifo(self.drops / "fifo")
        os.symlink("/nowhere", self.drops / "dangling")
        os.link(self.drops / "good", self.d.dir / "second-name")
        self.write(self.spool / "nosuchuser", "0 1 * * * no\n", 0o600)
        self.write(self.spool / "root", "0 1 * * * no\n", 0o644)
        os.symlink(self.drops / "good", self.spool / "nobody")
        self.d.start()
        e2e.wait_until("faults", lambda: len(self.status()["faults"]) >= 15)
        faults = {pathlib.Path(f["file"]).name: f["message"] for f in self.status()["faults"]}
        for name, words in {"good": "further names", "writable": "0666", "foreign": "belongs to user 65534", "cut": "no newline at its end",
                            "fifty": "larger than 8 MiB", "long": "command too long", "link": "belongs to user 65534",
                            "binary": "NUL", "huge": "larger than 8 MiB", "folder": "no regular file", "fifo": "no regular file",
                            "dangling": "No such file", "nosuchuser": "no account of that name", "root": "0644, not 0600",
                            "nobody": "it is a link"}.items():
            self.assertIn(words, faults[name], name)
        self.assertEqual([fault["line"] for fault in self.status()["faults"] if fault["file"].endswith("long")], [1])
        self.assertEqual(list(self.jobs()), ["fine"])
        events = self.d.client()
        events.call("event.subscribe", events=["cron_table_error"])
        (self.d.dir / "second-name").unlink()
        self.write(self.drops / "good", (self.drops / "good").read_text())
        self.until("good", "better", "fine")
        found = sorted(events.notification()[1]["error"] for _ in range(2))
        self.assertTrue(found[0].startswith("/etc/cron.d/good:2: ") and "minute 61" in found[0], found)
        self.assertTrue(found[1].startswith("/etc/cron.d/good:4: ") and "nosuchuser" in found[1], found)
        self.assertIn("/etc/cron.d/good:2: ", self.d.log.read_text())
        lines = [line for line in self.d.ctl("status")[1].splitlines() if line.startswith("cron_fault:")]
        self.assertEqual(len(lines), len(self.status()["faults"]))
        self.assertEqual(sum("/etc/cron.d/good:2: " in line for line in lines), 1, lines)
        for name in ("writable", "foreign", "cut", "binary", "huge", "fifo", "dangling", "fifty", "long", "link"):
            (self.drops / name).unlink()
        e2e.wait_until("fewer faults", lambda: len(self.status()["faults"]) == 6)
        passwd.write_text("")

    def test_only_the_table_changes_its_jobs(self):
        self.write(self.drops / "a", "0 1 1 1 * root echo one\n")
        self.d.start()
        job = self.until("echo one")["echo one"]["id"]
        for verb in (["set", job, "--timeout", "5"], ["reschedule", job, "--every", "5s"], ["rm", "-y", job],
                     ["rename", job, "other"], ["add", "--replace", "--id", job, "--manual", "--", "true"]):
            code, _, err = self.d.ctl(*verb)
            self.assertEqual(code, 5, (verb, err))
            self.assertIn("/etc/cron.d/a", err)
        for verb in (["pause", job], ["resume", job], ["run", "-w", job]):
            self.assertEqual(self.d.ctl(*verb)[0], 0, verb)
        self.assertEqual(self.d.ctl("logs", job)[1], "one\n")
        client = self.d.client()
        self.refused("invalid_argument", client.call, "job.add", id="x", shell="x", owner="cron:/etc/x")
        client.call("job.add", id="own", shell="x", trigger={"type": "manual"})
        self.refused("invalid_argument", client.call, "job.modify", id="own", owner="cron:/etc/cron.d/a")
        client.call("job.remove", id="own")
        self.refused("invalid_argument", client.call, "job.apply", owner="cron:/etc/cron.d/a", prune=True, jobs=[])
        self.refused("conflict", client.call, "job.apply", jobs=[{"id": job, "shell": "x"}])
        self.assertEqual(list(self.jobs()), ["echo one"])

    def test_the_world_and_the_mail_are_cron_s(self):
        self.write(self.drops / "a", "MAILTO=ops@x\nA = 'b c'\nMAILFROM=me@x\nUSER2=x\n"
                                     "0 1 1 1 * nobody env | grep -v ^SCHEDD_ | sort; pwd; umask; id -u; cat%in%put\n"
                                     "0 1 1 1 * root true\n0 1 1 1 * root echo oops; exit 3\nMAILTO=\"\"\n0 1 1 1 * root echo quiet\n")
        self.d.start(LANG="de_DE.UTF-8", TZ="UTC", EXTRA="x")
        e2e.wait_until("four jobs", lambda: len(self.jobs()) == 4)
        for job in self.jobs().values():
            self.d.ctl("run", "-w", job["id"])
        shells = {shell.split()[0] + shell.split()[-1]: job["id"] for shell, job in self.jobs().items()}
        seen = self.d.ctl("logs", "--raw", shells["envcat"])[1].splitlines()
        for line in ("A=b c", "HOME=/nonexistent", "LOGNAME=nobody", "MAILTO=ops@x", "PATH=/usr/bin:/bin", "SHELL=/bin/sh",
                     "0022", "65534", "in", "put"):
            self.assertIn(line, seen)
        for name in ("LANG=", "USER=", "EXTRA="):
            self.assertFalse([line for line in seen if line.startswith(name)], seen)
        mails = e2e.wait_until("two mails", lambda: (lambda found: found if len(found) == 2 else None)(sorted(
            path.read_text() for path in self.d.dir.glob("mail-*"))))
        text = next(mail for mail in mails if "nobody" in mail.splitlines()[1])
        head, body = text.split("\n\n", 1)
        lines = head.splitlines()
        self.assertEqual(lines[:5], ["ARGS -FCronDaemon -i -B8BITMIME -oem ops@x", "nobody", "From: me@x", "To: ops@x",
                                     f"Subject: Cron <nobody@{os.uname().nodename.split('.')[0]}> env | grep -v ^SCHEDD_ | sort; pwd; umask; id -u; cat"])
        for line in ("MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit",
                     "X-Cron-Env: <A=b c>", "X-Cron-Env: <SHELL=/bin/sh>", "X-Cron-Env: <LOGNAME=nobody>"):
            self.assertIn(line, lines)
        self.assertEqual(body.splitlines(), seen)
        other = next(mail for mail in mails if mail is not text)
        self.assertIn("> echo oops; exit 3 (failed)\n", other)
        self.assertTrue(other.endswith("\n\noops\n"), other)

    def test_another_cron(self):
        self.write(self.drops / "a", "0 1 * * * root one\n")
        (self.root / "run/crond.pid").write_text("1\n")
        with open(self.root / "run/crond.pid") as held:
            import fcntl
            fcntl.flock(held, fcntl.LOCK_EX)
            self.d.start()
            self.assertEqual((self.status()["tables"], self.jobs()), (False, {}))
            self.assertIn("a cron runs as process 1", self.d.ctl("status")[1])
            self.assertIn("no table of cron is taken", self.d.log.read_text())
            self.config(beside="true")
            self.assertEqual(self.d.ctl("reload")[0], 0)
            self.until("one")
        self.config()
        self.d.ctl("reload")
        self.until("one")
        self.config(tables="false")
        self.d.ctl("reload")
        self.until()

    def test_directories_of_scripts(self):
        daily, hourly = self.root / "etc/cron.daily", self.root / "etc/cron.hourly"
        daily.mkdir()
        for name, text in (("one", "echo one of $PATH"), ("two.sh", "echo never"), ("three", "true")):
            (daily / name).write_text(f"#!/bin/sh\n{text}\n")
            (daily / name).chmod(0o755)
        self.write(self.root / "etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"
                                              "30 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }\n"
                                              "0 1 * * * root main\n")
        self.write(self.drops / "anacron", "SHELL=/bin/sh\n30 7-23 * * * root [ -x /etc/init.d/anacron ] && invoke-rc.d anacron start\n")
        self.d.start()
        e2e.wait_until("the lines as they are", lambda: len(self.jobs()) == 4)
        self.config(dirs="true")
        self.d.ctl("reload")
        line = f"cd / && run-parts --report '{daily}'"
        job = self.until("main", line)[line]
        self.assertEqual((job["id"], job["trigger"]["expr"], job["misfire_grace_time"]), ("cron.daily", "30 6 * * *", None))
        self.assertEqual(sorted((row["file"], row["line"]) for row in self.status()["taken_over"]),
                         [("/etc/cron.d/anacron", 2), ("/etc/crontab", 1), ("/etc/crontab", 2)])
        self.assertIn("/etc/crontab:2", self.d.ctl("status")[1])
        self.d.ctl("run", "-w", "cron.daily")
        output = self.d.ctl("logs", "--raw", "cron.daily")[1]
        self.assertTrue(output.startswith(f"{daily}/one:\none of /usr/local/sbin:"), output)
        self.assertNotIn("never", output)
        # One that comes later, and one that others may write.
        hourly.mkdir()
        e2e.wait_until("cron.hourly", lambda: "cron.hourly" in self.d.ctl("list", "-o", "name")[1])
        hourly.chmod(0o777)
        e2e.wait_until("its fault", lambda: [f for f in self.status()["faults"] if f["file"] == "/etc/cron.hourly"])
        self.until("main", line)
        # Late rather than never.
        self.d.stop()
        self.d.start()
        self.until("main", line)
        self.config()
        self.d.ctl("reload")
        e2e.wait_until("the lines again", lambda: len(self.jobs()) == 4 and "cron.daily" not in self.d.ctl("list", "-o", "name")[1].split())

    def test_a_large_table_is_read_at_once(self):
        lines = "".join(f"{i % 60} {i % 24} * * * /usr/local/bin/task{i} --with some arguments >/dev/null 2>&1\n" for i in range(10000))
        self.write(self.spool / "root", lines, 0o600)
        begin = time.monotonic()
        self.d.start()
        e2e.wait_until("all lines", lambda: self.status()["jobs"] == 10000, 60)
        print(f"10,000 lines: {time.monotonic() - begin:.2f} s from the start")
        events = self.d.client()
        events.call("event.subscribe", events=["job_added", "job_removed", "job_modified"])
        begin = time.monotonic()
        self.write(self.drops / "one", "0 1 * * * root one\n")
        self.assertEqual(events.notification()[1]["event"], "job_added")
        self.assertLess(time.monotonic() - begin, 2 * e2e.patience())


APART = """set -e
mount -t proc proc /proc
mount -t tmpfs t /etc/cron.d
mount -t tmpfs t /var/spool
mkdir -p /var/spool/cron/crontabs
mount -t tmpfs t /run
printf '0 1 * * * root task\\n' >/etc/cron.d/pkg
exec "$0"
"""


@unittest.skipUnless(os.geteuid() == 0 and subprocess.run(["unshare", "-mpf", "true"], capture_output=True, check=False).returncode == 0,
                     "needs root and namespaces")
class Beside(e2e.TestCase):
    """Another cron is a program of root's, whatever others call their processes."""

    def test_what_counts_as_one(self):
        self.d = self.daemon(start=False, config="cron: {tables: true}\n")
        self.d.dir.chmod(0o755)
        self.d.state.mkdir(mode=0o700)
        for folder in ("program", "link"):
            (self.d.dir / folder).mkdir()
        shutil.copy(shutil.which("sleep"), self.d.dir / "program/cron")
        os.symlink(shutil.which("sleep"), self.d.dir / "link/cron")
        with open(self.d.log, "ab") as log:
            self.d.process = subprocess.Popen(["unshare", "-mpf", "--kill-child", "sh", "-c", APART, e2e.SCHEDD], stderr=log,
                                              env=self.d.environment(), stdin=subprocess.DEVNULL)
        e2e.wait_until("schedd answers", self.d._answers)
        root = self.d.client()

        def reloaded():
            root.call("server.reload")
            cron = root.call("server.status")["cron"]
            return cron["tables"], cron["beside"]

        def start(name, program, **fields):
            root.call("job.add", id=name, command=[str(self.d.dir / program), "600"], trigger={"manual": True}, **fields)
            run = root.call("job.run", id=name)["run"]
            e2e.wait_until("it runs", lambda: root.call("run.get", run=run)["state"] == "running")
            return run
        self.assertEqual(reloaded(), (True, None))
        start("theirs", "program/cron", user="nobody")
        start("called-so", "link/cron")
        self.assertEqual(reloaded(), (True, None), "what others call so keeps nothing from running")
        run = start("real", "program/cron")
        tables, words = e2e.wait_until("it is seen", lambda: (lambda found: found if not found[0] else None)(reloaded()))
        self.assertRegex(words, "^cron runs as process [0-9]+$")
        root.call("run.kill", run=run, signal="KILL")
        root.call("run.wait", run=run)
        e2e.wait_until("it is gone", lambda: reloaded() == (True, None))
        self.d.ctl("shutdown", "--now")
        self.d.process.wait(60)


if __name__ == "__main__":
    unittest.main()
