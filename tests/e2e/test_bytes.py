# SPDX-License-Identifier: MIT
"""A job whose texts are no UTF-8 is the same job in every written form, and after a restart."""
import os
import subprocess
import unittest

import e2e

ODD = b"b\xffy \x80\xc3"


class Bytes(e2e.TestCase):
    def setUp(self):
        self.world = self.daemon()
        self.cwd = bytes(self.world.dir) + b"/d\xffr"
        os.mkdir(self.cwd)
        os.symlink(b"/bin/sh", bytes(self.world.dir) + b"/sh\xff")

    def ctl(self, *args, stdin=b"", status=0, **env):
        done = subprocess.run([e2e.SCHEDCTL, *args], input=stdin, capture_output=True, timeout=60,
                              env={**self.world.environment(), **env})
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def add(self):
        self.ctl("add", "--id", "argv", "--manual", "--", "printf", "%s.", ODD, "plain")
        self.ctl("add", "--id", "line", "--manual", "--sh", b"printf '" + ODD + b"'")
        self.ctl("add", "--id", "env", "--manual", "-e", b"V=" + ODD, "--", "printenv", "V")
        self.ctl("add", "--id", "cwd", "--manual", "-C", self.cwd, "--", "pwd")
        self.ctl("add", "--id", "stdin", "--manual", "--stdin", "-", "--", "cat", stdin=ODD + b"\nz\n")
        self.ctl("add", "--id", "shell", "--manual", "--shell", bytes(self.world.dir) + b"/sh\xff", "--sh", "echo $0")

    def outputs(self):
        found = {}
        for job in ("argv", "line", "env", "cwd", "stdin", "shell"):
            self.ctl("run", "-w", job)
            found[job] = self.ctl("logs", "--raw", job)
        return found

    def wanted(self):
        return {"argv": ODD + b".plain.", "line": ODD, "env": ODD + b"\n", "cwd": self.cwd + b"\n",
                "stdin": ODD + b"\nz\n", "shell": bytes(self.world.dir) + b"/sh\xff\n"}

    def test_a_restart(self):
        self.add()
        self.assertEqual(self.outputs(), self.wanted())
        self.world.stop()
        self.world.start()
        self.assertEqual(self.outputs(), self.wanted())
        self.ctl("reload", "--exec")
        self.ctl("ping", "--wait-ready", "10s")
        self.assertEqual(self.outputs(), self.wanted())

    def test_job_files(self):
        self.add()
        for form in ("yaml", "json"):
            with self.subTest(form):
                text = self.ctl("export", "--as", form)
                text.decode()
                self.assertIn(b"!!binary", text)
                self.assertEqual(self.ctl("apply", "-f", "-", stdin=text), b"")
                self.assertEqual(self.ctl("diff", "-f", "-", stdin=text), b"")
                self.ctl("rm", "-y", "--all")
                self.ctl("apply", "-f", "-", stdin=text)
                self.assertEqual(self.outputs(), self.wanted())

    def test_edit_and_copy(self):
        self.add()
        for job in ("argv", "line", "env", "cwd", "stdin", "shell"):
            self.ctl("edit", job, EDITOR=r"sed -i '$a \    description: edited'", VISUAL="")
            self.assertEqual(self.ctl("show", job, "--field", "description"), b"edited\n")
        self.assertEqual(self.outputs(), self.wanted())
        self.ctl("copy", "argv", "twin")
        self.ctl("run", "-w", "twin")
        self.assertEqual(self.ctl("logs", "--raw", "twin"), self.wanted()["argv"])

    def test_no_base64(self):
        text = b"version: 1\njobs:\n  a:\n    trigger: {at: 2100-01-01}\n    shell: !!binary \"*\"\n"
        done = subprocess.run([e2e.SCHEDCTL, "apply", "-f", "-"], input=text, capture_output=True, timeout=60,
                              env=self.world.environment())
        self.assertEqual(done.returncode, 7)
        self.assertIn(b"standard input:5:12: !!binary: this is no base64", done.stderr)


if __name__ == "__main__":
    unittest.main()
