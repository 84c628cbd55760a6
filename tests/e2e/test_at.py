# SPDX-License-Identifier: MIT
"""schedctl at and batch: the script's world, its mail, and looking after what is to come."""
import json
import os
import pwd
import subprocess
import unittest

import e2e


class At(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        out = self.d.dir
        (out / "sendmail").write_text(f'#!/bin/sh\ncat > {out}/mail.$$\nmv {out}/mail.$$ {out}/mail-$$\n')
        (out / "sendmail").chmod(0o755)
        self.d.config.write_text(f"notify:\n  sendmail: {out}/sendmail\n")
        self.d.start()
        self.me = pwd.getpwuid(os.getuid()).pw_name

    def ctl(self, *argv, stdin="", status=0, umask=-1, **env):
        done = subprocess.run([e2e.SCHEDCTL, *argv], env={**self.d.environment(), **env}, input=stdin, text=True,
                              capture_output=True, timeout=60, cwd=self.d.dir, umask=umask)
        self.assertEqual(done.returncode, status, f"schedctl {argv}: {done.stderr}")
        return done.stdout, done.stderr

    def mails(self, count):
        def look():
            found = [path.read_text() for path in self.d.dir.glob("mail-*")]
            return found if len(found) == count else None
        return e2e.wait_until(f"{count} mails", look)

    def test_a_script_runs_in_the_world_it_was_given_in(self):
        job = self.ctl("at", "now", stdin='echo "$PWD $(umask) $MARK $ODD"; echo two\n', umask=0o027, MARK="it's", ODD="a b\nc", DISPLAY=":0")[0].strip()
        [mail] = self.mails(1)
        self.assertIn(f"To: {self.me}\n", mail)
        self.assertTrue(mail.endswith(f"\n\n{self.d.dir} 0027 it's a b\nc\ntwo\n"), mail)
        e2e.wait_until("it is gone", lambda: job not in self.d.ctl("list", "-o", "name")[1])

    def test_mail_only_for_output_unless_told_otherwise(self):
        self.ctl("at", "now", stdin="true\n")
        self.ctl("at", "-M", "now", stdin="echo silent\n")
        self.ctl("at", "-m", "now", stdin="true # always\n")
        [mail] = self.mails(1)
        self.assertIn("always", mail)

    def test_what_is_to_come(self):
        (self.d.dir / "script").write_text("#!/bin/sh\necho \"50%\" '$x'\n")
        one = self.ctl("at", "-f", "script", "10am", "2100-07-31", X="'q'")[0].strip()
        two = self.ctl("at", "noon", "2100-08-01", stdin="two\n")[0].strip()
        self.ctl("add", "--id", "other", "--at", "2100-01-01", "--", "true")
        jobs = json.loads(self.ctl("at", "-l", "--json")[0])
        self.assertEqual([job["id"] for job in jobs], [one, two])
        self.assertEqual(len(self.ctl("at", "-l")[0].splitlines()), 3)
        text = self.ctl("at", "-c", one)[0]
        self.assertIn("\nexport X=", text)
        self.assertTrue(text.endswith(f"cd {self.d.dir} || exit 1\n#!/bin/sh\necho \"50%\" '$x'\n"), text)
        ran = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=True).stdout
        self.assertEqual(ran, "50% $x\n")
        self.ctl("at", "-r", one, two)
        self.assertEqual(json.loads(self.ctl("at", "-l", "--json")[0]), [])
        for option in ("-r", "-c"):
            self.assertIn("not made by at", self.ctl("at", option, "other", status=4)[1])
            self.assertIn("no job 'nosuch'", self.ctl("at", option, "nosuch", status=4)[1])

    def test_batch_waits_for_the_load(self):
        """Whatever the load is: the words before the script are run with one of the test's own."""
        job = self.ctl("batch", stdin="echo the script\n")[0].strip()
        [run] = e2e.wait_until("its run", lambda: json.loads(self.ctl("history", job, "--json")[0]))
        self.assertEqual(run["job"], job)
        text = e2e.wait_until("its definition", lambda: self.d.ctl("show", job, "--field", "shell")[1] or self.d.ctl("logs", job)[1])
        if "/proc/loadavg" not in text:
            return  # the load was low: it has run, and is gone
        for load, starts in (("0.10", True), ("1.49", True), ("1.50", False), ("12.00", False)):
            (self.d.dir / "load").write_text(load + " 0 0 1/1 1\n")
            line = text.replace("/proc/loadavg", str(self.d.dir / "load")).replace("sleep 15", "exit 7")
            done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, "the script\n") if starts else (7, ""), load)
        self.ctl("kill", job)

    def test_what_makes_no_sense(self):
        for args, words, status in ((["at"], "when?", 2), (["at", "someday"], "someday", 2), (["at", "yesterday"], "in the past", 2),
                                    (["at", "now", "-f", "nofile"], "nofile", 7), (["batch", "now"], "takes no time", 2),
                                    (["at", "-r"], "which?", 2)):
            self.assertIn(words, self.ctl(*args, stdin="x\n", status=status)[1], args)
        self.assertIn("empty", self.ctl("at", "now", stdin=" \n", status=2)[1])


if __name__ == "__main__":
    unittest.main()
