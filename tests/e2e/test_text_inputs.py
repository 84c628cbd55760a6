# SPDX-License-Identifier: MIT
"""Every text that is read, as other machines' editors leave it: with a byte order
mark, CR LF, without a last line break; and what is no text is named."""
import json
import subprocess
import unittest

import e2e


class TextInputs(e2e.TestCase):
    def setUp(self):
        self.world = self.daemon()

    def ctl(self, *args, stdin=b"", status=0):
        done = subprocess.run([e2e.SCHEDCTL, *args], input=stdin, capture_output=True, timeout=60,
                              env=self.world.environment())
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def job(self, job):
        return json.loads(self.ctl("export", job, "--as", "json")[0])["jobs"][job]

    def file(self, name, data):
        path = self.world.dir / name
        path.write_bytes(data)
        return str(path)

    def test_windows_files(self):
        mark = b"\xef\xbb\xbf"
        self.ctl("import", "crontab", self.file("tab", mark + b"A=b\r\n0 0 * * * /bin/one\r\n5 5 * * * two x"))
        self.assertEqual(self.job("one")["shell"], "/bin/one")
        self.assertEqual(self.job("one")["env"], {"A": "b"})
        self.assertEqual(self.job("two")["shell"], "two x")
        self.file("u.service", mark + b"[Service]\r\nExecStart=/bin/echo a \\\r\n  b\r\n")
        self.ctl("import", "systemd", self.file("u.timer", mark + b"[Timer]\r\nOnCalendar=daily"))
        self.assertEqual(self.job("u")["command"], ["/bin/echo", "a", "b"])
        jobs = b'{"version": 1, "jobs": {"j": {"trigger":{"at": "2100-01-01"}, "shell": "x"}}}'
        self.ctl("apply", "-f", self.file("j.json", mark + jobs.replace(b" ", b"\r\n")))
        self.ctl("apply", "-f", self.file("y.yaml", mark + b"version: 1\r\njobs:\r\n  y: {trigger: {at: 2100-01-01}, shell: x}"))
        self.assertEqual(self.job("y")["shell"], "x")
        self.ctl("import", "json", self.file("a.json", mark + b'[{"id":"a","func":"os:system",\r\n"args":["x"],'
                                             b'"trigger":"interval","hours":1}]'))
        env = self.file("env", mark + b"# c\r\nA=1\r\nB='x y'\r\nC=\"p\r\nq\"")
        self.ctl("add", "--id", "e", "--manual", "--env-file", env, "--", "true")
        self.assertEqual(self.job("e")["env"], {"A": "1", "B": "x y", "C": "p\nq"})
        self.ctl("rm", "-y", "-", stdin=mark + b"one\r\ntwo\r\n\r\nu")
        self.assertEqual(self.ctl("list", "-o", "name")[0].split(), [b"a", b"j", b"y", b"e"])
        line = b'{"trigger":{"at":"2100-01-01T00:00:00Z"},"n":1}'
        out, _ = self.ctl("next", "--batch", "-", stdin=mark + line + b"\r\n" + line)
        self.assertEqual([len(json.loads(answer)["fire_times"]) for answer in out.splitlines()], [1, 1])

    def test_binary_files(self):
        binary = self.file("binary", b"a\nb\0\n")
        for args in (["import", "crontab"], ["import", "json"], ["apply", "-f"], ["check"]):
            with self.subTest(args):
                _, err = self.ctl(*args, binary, status=7)
                self.assertIn(b"a NUL byte: it is binary, not text", err)
        _, err = self.ctl("import", "systemd", self.file("binary.timer", b"a\nb\0\n"), status=7)
        self.assertIn(b"binary, not text", err)
        _, err = self.ctl("add", "--manual", "--env-file", binary, "--", "true", status=7)
        self.assertIn(b"binary, not text", err)
        _, err = self.ctl("rm", "-y", "-", stdin=b"a\0b\n", status=7)
        self.assertIn(b"standard input:", err)

    def test_later_variables_win(self):
        one, two = self.file("1", b"A=1\nA=2\nB=1\nC=1\n"), self.file("2", b"B=2\n")
        self.ctl("add", "--id", "e", "--manual", "--env-file", one, "--env-file", two, "-e", "C=3", "--", "true")
        self.assertEqual(self.job("e")["env"], {"A": "2", "B": "2", "C": "3"})

    def test_bytes_of_a_crontab(self):
        self.ctl("import", "crontab", "-", stdin=b"0 0 1 1 * echo caf\xe9 \xff\n")
        out, _ = self.ctl("export", "--as", "crontab")
        self.assertIn(b"0 0 1 1 * echo caf\xe9 \xff\n", out)


if __name__ == "__main__":
    unittest.main()
