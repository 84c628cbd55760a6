# SPDX-License-Identifier: MIT
"""Crontabs on a real daemon: large ones, broken ones, and what is told of them."""
import json
import os
import pathlib
import unittest

import e2e


DATA = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "tests/data/crontab"


class Crontab(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()
        self.tab = self.d.dir / "tab"

    def ctl(self, *argv, status=0):
        """Standard output and error; the status has to be this one."""
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {err}")
        return out, err

    def test_a_crontab_larger_than_a_message_comes_in_whole_or_not_at_all(self):
        lines = [f"{i % 60} {i % 24} * * * /usr/local/bin/task{i} --with some arguments >/dev/null 2>&1" for i in range(50000)]
        lines[40000] = "61 * * * * /bin/false"
        self.tab.write_text("\n".join(lines))
        self.ctl("add", "--id", "task49999", "--manual", "--", "true")
        # The time-out is of one request, and the sanitizers take theirs.
        out, err = self.ctl("import", "crontab", str(self.tab), "--rpc-timeout", "4m", status=5)
        self.assertIn("task49999", err)
        self.assertEqual(self.ctl("ls", "-o", "name")[0], "task49999\n")
        out, err = self.ctl("import", "crontab", str(self.tab), "--json", "--replace", "--rpc-timeout", "4m", status=1)
        self.assertEqual(len(json.loads(out)), 49999)
        self.assertIn("40001", err)
        self.assertEqual(len(self.ctl("ls", "-o", "name")[0].split()), 49999)

    def test_every_line_that_is_skipped_is_told(self):
        self.tab.write_text("0 0 * * * good\n" + "61 * * * * bad\n" * 500)
        _, err = self.ctl("import", "crontab", str(self.tab), status=1)
        for line in (2, 100, 501):
            self.assertIn(f"{self.tab}:{line}: ", err)
        _, err = self.ctl("import", "crontab", str(self.tab), "--json", "--replace", status=1)
        error = json.loads(err.splitlines()[0])["error"]
        self.assertEqual((error["exit"], error["code"], len(error["faults"]), error["more"]), (1, "failed", 500, 0))

    def test_what_the_daemon_refuses_is_a_line_too(self):
        self.tab.write_text("0 0 * * * good\n# a comment\n0 0 30 2 * never\n")
        out, err = self.ctl("import", "crontab", str(self.tab), "--json", status=1)
        self.assertEqual([(row["id"], row["action"]) for row in json.loads(out)], [("good", "added")])
        fault = json.loads(err.splitlines()[0])["error"]["faults"][0]
        self.assertEqual((fault["file"], fault["line"]), (str(self.tab), 3))
        self.assertIn("never: ", fault["message"])
        self.assertIn("no run times", fault["message"])
        self.ctl("import", "crontab", str(self.tab), "--replace", "--dry-run", status=1)

    def test_an_account_that_is_not_here_is_told_of(self):
        self.tab.write_text("0 0 * * * root true\n0 0 * * * nosuchuser false\n")
        out, err = self.ctl("import", "crontab", "--system", str(self.tab), "-o", "name")
        self.assertEqual(sorted(out.split()), ["false", "true"])
        self.assertIn(f"{self.tab}:2: false: user 'nosuchuser': no such user", err)
        rows = json.loads(self.ctl("import", "crontab", "--system", "--replace", "--json", str(self.tab))[0])
        self.assertEqual({row["action"] for row in rows}, {"unchanged"})

    def test_what_is_exported_is_read_back_as_the_same(self):
        for path in sorted(DATA.glob("[a-z]*")):
            with self.subTest(path.name):
                self.ctl("import", "crontab", "--system", str(path))
                out, _ = self.ctl("export", "--as", "crontab", "--system")
                self.tab.write_text(out)
                rows = json.loads(self.ctl("import", "crontab", "--system", "--replace", "--json", str(self.tab))[0])
                self.assertEqual({row["action"] for row in rows} - {"unchanged"}, set(), out)
                self.ctl("rm", "--all", "-y")

    def test_variables_that_all_have_alike_stand_at_the_top(self):
        self.tab.write_text("PATH=/bin:/opt/bin\nGREETING=' hello '\nHOME=/srv\n0 0 * * * one\nMORE=x\n0 1 * * * two\n")
        self.ctl("import", "crontab", str(self.tab))
        out, _ = self.ctl("export", "--as", "crontab")
        self.assertIn('PATH=/bin:/opt/bin\nGREETING=" hello "\nHOME=/srv\n', out)
        self.assertIn("\n0 0 * * * one\n", out)
        self.assertIn("\n0 1 * * * export MORE=x; two\n", out)

    def test_what_is_no_crontab_is_invalid(self):
        self.tab.write_bytes(b"\x7fELF\0\1\2\xff\n\0\0\n")
        out, err = self.ctl("import", "crontab", str(self.tab), "--json", status=7)
        self.assertEqual((json.loads(out), json.loads(err.splitlines()[0])["error"]["exit"]), ([], 7))
        self.tab.write_text("# nothing but a comment\n\nPATH=/bin\n")
        self.assertEqual(self.ctl("import", "crontab", str(self.tab))[0], "")


if __name__ == "__main__":
    unittest.main()
