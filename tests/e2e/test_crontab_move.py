# SPDX-License-Identifier: MIT
"""Moving crontabs here, one after the other and again: whose job is whose, what the
commands see, and that none runs before its crontab has let go."""
import json
import os
import pathlib
import subprocess
import unittest

import e2e


class CrontabMove(e2e.TestCase):
    def start(self, config=""):
        self.d = self.daemon(config=config)

    def ctl(self, *argv, status=0, stdin=None):
        done = subprocess.run([e2e.SCHEDCTL, *argv], env=self.d.environment(), input=stdin, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, f"schedctl {argv}: {done.stderr}")
        return done.stdout, done.stderr

    def tab(self, name, text):
        path = self.d.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    def take(self, name, *options, status=0):
        """What became of the lines: {id: action}."""
        out, _ = self.ctl("import", "crontab", name, "--json", *options, status=status)
        return {row["id"]: row["action"] for row in json.loads(out)} if out else None

    def shells(self):
        jobs = json.loads(self.ctl("list", "--json")[0])
        return {job["id"]: job["shell"] for job in jobs}

    def test_a_second_crontab_with_commands_of_the_same_names(self):
        self.start()
        one = self.tab("one", "0 1 * * * /opt/one/backup.sh\n0 2 * * * /opt/one/clean.sh\n")
        two = self.tab("two", "0 1 * * * /opt/two/backup.sh\n0 3 * * * /opt/two/clean.sh\n")
        self.assertEqual(self.take(one), {"backup": "added", "clean": "added"})
        second = self.take(two)
        self.assertEqual(set(second.values()), {"added"})
        self.assertEqual(len(self.shells()), 4)
        before = self.shells()
        for again in ("--replace", "--if-absent"):
            self.assertEqual(set((self.take(one, again) or {}).values()) - {"unchanged"}, set())
            self.assertEqual(set((self.take(two, again) or {}).values()) - {"unchanged"}, set())
        self.assertEqual(self.shells(), before)
        self.take(one, status=5)
        # Both at once are the same jobs.
        self.ctl("import", "crontab", two, one, "--replace")
        self.assertEqual(self.shells(), before)
        self.ctl("rm", "-y", "backup")
        self.assertEqual(set(self.take(two, "--replace").values()), {"unchanged"})

    def test_what_was_edited_stays_the_job_it_was(self):
        self.start()
        tab = self.tab("tab", "0 1 * * * /opt/backup.sh x\n0 2 * * * /opt/clean.sh\n")
        self.assertEqual(self.take(tab), {"backup": "added", "clean": "added"})
        # A line of the same program above it, another time, another argument.
        self.tab("tab", "0 0 * * * /opt/backup.sh y\n5 1 * * * /opt/backup.sh x\n0 2 * * * /opt/clean.sh --all\n")
        actions = self.take(tab, "--replace")
        self.assertEqual((actions.pop("backup"), actions.pop("clean")), ("changed", "changed"))
        self.assertEqual(list(actions.values()), ["added"])
        shells = self.shells()
        self.assertEqual((shells["backup"], shells["clean"]), ("/opt/backup.sh x", "/opt/clean.sh --all"))
        self.assertEqual(set(self.take(tab, "--replace").values()), {"unchanged"})

    def test_crontabs_by_standard_input(self):
        self.start()
        def add(text, *options):
            out, _ = self.ctl("import", "crontab", "-", "--json", *options, stdin=text)
            return {row["id"]: row["action"] for row in json.loads(out)}
        self.assertEqual(add("0 1 * * * /home/a/run\n0 2 * * * x\n"), {"run": "added", "x": "added"})
        bobs = add("0 1 * * * /home/b/run\n")
        self.assertEqual(list(bobs.values()), ["added"])
        self.assertNotIn("run", bobs)
        self.assertEqual(add("0 1 * * * /home/b/run\n", "--replace"), {job: "unchanged" for job in bobs})
        self.assertEqual(add("0 4 * * * /home/a/run\n0 2 * * * x y\n", "--replace"), {"run": "changed", "x": "changed"})
        self.assertEqual(len(self.shells()), 3)

    def test_a_job_made_by_hand_is_in_the_way(self):
        self.start()
        self.ctl("add", "--id", "backup", "--manual", "--", "true")
        tab = self.tab("tab", "0 1 * * * /opt/backup.sh\n")
        _, err = self.ctl("import", "crontab", tab, status=5)
        self.assertIn("backup", err)
        self.assertEqual(self.take(tab, "--replace"), {"backup": "changed"})

    def test_jobs_that_begin_paused(self):
        self.start()
        self.ctl("add", "--id", "old", "--every", "1h", "--", "true")
        tab = self.tab("tab", "0 1 * * * one\n# schedd: old\n0 2 * * * two\n")
        self.ctl("import", "crontab", tab, "--paused", "--replace")
        jobs = {job["id"]: job for job in json.loads(self.ctl("list", "--json")[0])}
        self.assertEqual((jobs["one"]["state"], jobs["one"]["paused_reason"]), ("paused", "imported paused"))
        self.assertEqual(jobs["old"]["state"], "waiting")
        # Importing again does not hold what was resumed.
        self.ctl("resume", "one")
        self.ctl("import", "crontab", tab, "--paused", "--replace")
        self.assertEqual(json.loads(self.ctl("show", "one", "--json")[0])["state"], "waiting")
        jobfile = self.tab("jobs.yaml", "version: 1\njobs:\n  f: {trigger: {every: 1h}, shell: x}\n"
                                        "  g: {trigger: {every: 1h}, shell: x, paused: false}\n")
        self.ctl("apply", "-f", jobfile, "--paused")
        for job in ("f", "g"):
            self.assertEqual(json.loads(self.ctl("show", job, "--json")[0])["state"], "paused", job)
        self.ctl("resume", "f")
        self.ctl("apply", "-f", jobfile, "--paused")
        self.assertEqual(json.loads(self.ctl("show", "f", "--json")[0])["state"], "waiting")

    def test_the_move_of_the_readme_never_has_both(self):
        """Its own lines, with a crontab that is a file: nothing is resumed while that is there."""
        readme = (pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "README.md").read_text()
        walk = readme.split("## Moving a crontab over\n```\n")[1].split("```")[0]
        self.start()
        bin = self.d.dir / "bin"
        bin.mkdir()
        spool = self.d.dir / "spool"
        spool.write_text("0 1 * * * /bin/one\n@daily two\n")
        (bin / "crontab").write_text(f'#!/bin/sh\ncase $1 in -l) cat {spool};; -r) {e2e.SCHEDCTL} list -o tsv --no-headers '
                                     f'--columns state,id > {bin}/at-removal; rm {spool};; esac\n')
        (bin / "crontab").chmod(0o755)
        (bin / "schedctl").symlink_to(e2e.SCHEDCTL)
        done = subprocess.run(["sh", "-ec", walk], cwd=self.d.dir, text=True, capture_output=True, timeout=60,
                              env={**self.d.environment(), "PATH": f"{bin}:/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(spool.exists())
        self.assertEqual(sorted((bin / "at-removal").read_text().splitlines()), ["paused\tone", "paused\ttwo"])
        jobs = json.loads(self.ctl("list", "--json")[0])
        self.assertEqual({job["id"]: job["state"] for job in jobs}, {"one": "waiting", "two": "waiting"})

    def test_what_the_command_sees(self):
        self.start()
        tab = self.tab("tab", "MAILTO=me\nMAILFROM=m\nCONTENT_TYPE='text/html; x=y'\nCRON_TZ=UTC\nRANDOM_DELAY=1\n"
                              "USER=me\nLOGNAME=nobody\nSHELL=/bin/bash\n# schedd: see\n0 0 1 1 * env; echo $0 $((1 == 1)) ${BASH_VERSION:+bash}\n"
                              "SHELL=/bin/sh\n0 0 1 1 * echo $SHELL\n")
        self.ctl("import", "crontab", tab)
        self.ctl("run", "-w", "see")
        seen = self.ctl("logs", "--raw", "see")[0].splitlines()
        for line in ("MAILTO=me", "MAILFROM=m", "CONTENT_TYPE=text/html; x=y", "CRON_TZ=UTC", "RANDOM_DELAY=1", "USER=me",
                     "SHELL=/bin/bash", "/bin/bash 1 bash"):
            self.assertIn(line, seen)
        self.assertNotIn("LOGNAME=nobody", seen)
        self.ctl("run", "-w", "echo")
        self.assertEqual(self.ctl("logs", "--raw", "echo")[0], "/bin/sh\n")

    def test_mail_when_there_was_output(self):
        self.start()
        out = self.d.dir
        (out / "sendmail").write_text(f'#!/bin/sh\ncat > {out}/mail.$$\nmv {out}/mail.$$ {out}/mail-$$\n')
        (out / "sendmail").chmod(0o755)
        self.d.config.write_text(f"notify:\n  sendmail: {out}/sendmail\n")
        self.ctl("reload")
        self.ctl("import", "crontab", self.tab("tab", "MAILTO=ops@x\n0 0 1 1 * false\n0 0 1 1 * echo hi\n"
                                                      "0 0 1 1 * -n echo quiet\n0 0 1 1 * -n echo loud; exit 3\n"))
        shells = {shell: job for job, shell in self.shells().items()}
        for shell in ("false", "echo quiet", "echo hi", "echo loud; exit 3"):
            self.ctl("run", "-w", shells[shell], status=0 if shell.startswith("echo") and "exit" not in shell else 10)

        def mails():
            return sorted(path.read_text() for path in out.glob("mail-*"))
        e2e.wait_until("two mails", lambda: len(mails()) == 2)
        self.assertTrue(all("\nTo: ops@x\n" in "\n" + mail for mail in mails()), mails())
        text = "".join(mails())
        self.assertIn(shells["echo hi"], text)
        self.assertIn(shells["echo loud; exit 3"], text)


if __name__ == "__main__":
    unittest.main()
