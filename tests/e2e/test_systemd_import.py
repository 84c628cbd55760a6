# SPDX-License-Identifier: MIT
"""Timers of systemd from the files that a machine has: drop-ins, templates, links, masks."""
import json
import os
import pathlib
import subprocess
import unittest

import e2e


class SystemdImport(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()
        self.etc, self.lib = self.d.dir / "etc", self.d.dir / "lib"
        self.etc.mkdir()
        self.lib.mkdir()

    def unit(self, path, text):
        path = self.d.dir / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def take(self, *paths, status=0):
        """The import's words, and the jobs there are."""
        done = subprocess.run([e2e.SCHEDCTL, "import", "systemd", "--replace", *map(str, paths)], capture_output=True,
                              text=True, timeout=60,
                              env={**self.d.environment(), "SYSTEMD_UNIT_PATH": f"{self.etc}:{self.lib}"})
        self.assertEqual(done.returncode, status, done.stderr)
        jobs = json.loads(self.d.ctl("list", "--json")[1])
        return done.stderr, {job["id"]: job for job in jobs}

    def test_what_is_dropped_in(self):
        timer = self.unit("lib/backup.timer", "[Timer]\nOnCalendar=daily\nPersistent=yes\n")
        self.unit("lib/backup.service", "[Service]\nExecStart=/bin/echo lib\nEnvironment=A=1 B=1\nNice=1\n")
        self.unit("lib/backup.service.d/50-x.conf", "[Service]\nEnvironment=A=hidden\n")
        self.unit("etc/backup.service.d/50-x.conf", "[Service]\nEnvironment=B=2\nNice=2\n")
        self.unit("etc/backup.service.d/60-y.conf", "[Service]\nExecStart=\nExecStart=/bin/echo etc\n")
        self.unit("etc/backup.service.d/not-read.txt", "nonsense")
        self.unit("lib/service.d/10-all.conf", "[Service]\nEnvironment=ALL=1\nNice=9\n")
        self.unit("etc/backup.timer.d/at.conf", "[Timer]\nOnCalendar=\nOnCalendar=Mon 05:00\n")
        self.unit("lib/backup.service.d/70-masked.conf", "[Service]\nNice=7\n")
        os.symlink("/dev/null", self.etc / "backup.service.d/70-masked.conf")
        _, jobs = self.take(timer)
        job = jobs["backup"]
        self.assertEqual(job["command"], ["/bin/echo", "etc"])
        self.assertEqual((job["env"]["A"], job["env"]["B"], job["env"]["ALL"], job["nice"]), ("1", "2", "1", 2))
        self.assertEqual(job["trigger"]["on_calendar"], "Mon 05:00")
        self.assertEqual(job["cwd"], "/")

    def test_templates_and_links(self):
        self.unit("lib/sync@.timer", "[Timer]\nOnCalendar=daily\n")
        self.unit("lib/sync@.service", "[Service]\nExecStart=/bin/echo %i %n\nWorkingDirectory=/srv/%I\n")
        self.unit("etc/sync@.service.d/x.conf", "[Service]\nNice=3\n")
        self.unit("etc/sync@two.service.d/y.conf", "[Service]\nNice=4\n")
        wants = self.etc / "timers.target.wants"
        wants.mkdir()
        os.symlink(self.lib / "sync@.timer", wants / "sync@one.timer")
        _, jobs = self.take(wants / "sync@one.timer", "sync@two.timer", self.lib / "sync@a-b.timer")
        self.assertEqual({job: jobs[job]["command"] for job in jobs},
                         {f"sync-{n}": ["/bin/echo", n, f"sync@{n}.service"] for n in ("one", "two", "a-b")})
        self.assertEqual([jobs[f"sync-{n}"]["nice"] for n in ("one", "two", "a-b")], [3, 4, 3])
        self.assertEqual(jobs["sync-a-b"]["cwd"], "/srv/a/b")
        err, _ = self.take(self.lib / "sync@.timer", status=7)
        self.assertIn("is a template: name an instance, as in sync@NAME.timer", err)

    def test_names_that_make_one_id(self):
        for name in ("foo-bar", "foo@"):
            self.unit(f"lib/{name}.timer", "[Timer]\nOnCalendar=daily\n")
            self.unit(f"lib/{name}.service", "[Service]\nExecStart=/bin/echo %n\n")
        for _ in range(2):  # one by one, and again
            for name in ("foo-bar", "foo@bar"):
                _, jobs = self.take(f"{name}.timer")
        self.assertEqual(len(jobs), 2, jobs.keys())
        self.assertEqual(jobs["foo-bar"]["command"], ["/bin/echo", "foo-bar.service"])
        second = jobs.keys() - {"foo-bar"}
        self.assertEqual(jobs[second.pop()]["command"], ["/bin/echo", "foo@bar.service"])
        # In a set they are distinct, too, and are the jobs that they were.
        _, again = self.take("foo@bar.timer", "foo-bar.timer")
        self.assertEqual({job: again[job]["command"] for job in again}, {job: jobs[job]["command"] for job in jobs})
        # One that was made by hand, or whose unit was not noted, is as it was: replaced by who says so, else in the way.
        self.d.ctl("add", "--id", "made", "--every", "1h", "--", "/bin/true")
        self.unit("lib/made.timer", "[Timer]\nOnCalendar=daily\n")
        self.unit("lib/made.service", "[Service]\nExecStart=/bin/echo %n\n")
        environment = {**self.d.environment(), "SYSTEMD_UNIT_PATH": f"{self.etc}:{self.lib}"}
        refused = subprocess.run([e2e.SCHEDCTL, "import", "systemd", "made.timer"], capture_output=True, text=True, timeout=60, env=environment, check=False)
        self.assertEqual(refused.returncode, 5, refused.stderr)
        _, jobs = self.take("made.timer")
        self.assertEqual(jobs["made"]["command"], ["/bin/echo", "made.service"])

    def test_aliases_and_masks(self):
        self.unit("lib/real.timer", "[Timer]\nOnCalendar=daily\n")
        self.unit("lib/real.service", "[Service]\nExecStart=/bin/echo %n\n")
        os.symlink("real.timer", self.lib / "alias.timer")
        os.symlink("/dev/null", self.etc / "masked.timer")
        (self.etc / "empty.timer").touch()
        _, jobs = self.take(self.lib / "alias.timer")
        self.assertEqual({job: jobs[job]["command"] for job in jobs}, {"real": ["/bin/echo", "real.service"]})
        for name in ("masked", "empty"):
            err, _ = self.take(self.etc / f"{name}.timer", status=7)
            self.assertIn(f"{name}.timer is masked", err)

    def test_a_fault_names_its_file(self):
        self.unit("lib/a.timer", "[Timer]\nOnCalendar=daily\n")
        self.unit("lib/a.service", "[Service]\nExecStart=/bin/x\n")
        self.unit("etc/a.service.d/bad.conf", "[Service]\n\nNice=much\n")
        err, _ = self.take(self.lib / "a.timer", status=7)
        self.assertIn("etc/a.service.d/bad.conf", err)
        self.assertIn("line 3: Nice: 'much' is not a number", err)
        self.unit("etc/a.service.d/bad.conf", "[Service]\nnonsense\n")
        err, _ = self.take(self.lib / "a.timer", status=7)
        self.assertIn("etc/a.service.d/bad.conf", err)
        self.assertIn("line 2: 'nonsense' is neither", err)
        self.unit("lib/a.service", "[Service]\nExecStart=/bin/x %b\n")
        self.unit("etc/a.service.d/bad.conf", "")
        err, _ = self.take(self.lib / "a.timer", status=7)
        self.assertIn("lib/a.service", err)
        self.assertIn("the specifier '%b' is not known here", err)

    def test_what_would_run_otherwise_is_paused(self):
        self.unit("lib/a.timer", "[Timer]\nOnCalendar=daily\n")
        self.unit("lib/a.service", "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/x $OPTIONS\n"
                                   "EnvironmentFile=/etc/default/x\nProtectSystem=full\n")
        err, jobs = self.take(self.lib / "a.timer")
        self.assertEqual(jobs["a"]["state"], "paused")
        self.assertEqual(jobs["a"]["paused_reason"],
                         "imported without ConditionPathExists=/nowhere, EnvironmentFile=/etc/default/x")
        for line, key in ((2, "ConditionPathExists"), (5, "EnvironmentFile"), (6, "ProtectSystem")):
            self.assertIn(f"a.service:{line}: a.service: {key}=", err)

    def test_an_exact_timer_runs(self):
        self.unit("lib/a.timer", "[Timer]\nOnCalendar=*:*:*\nAccuracySec=1us\n")
        self.unit("lib/a.service", f"[Service]\nExecStart=/bin/sh -c 'pwd; echo $$PATH' ; /bin/echo done\n")
        self.take(self.lib / "a.timer")
        e2e.wait_until("a run", lambda: json.loads(self.d.ctl("history", "a", "--state", "success", "--json")[1]))
        self.assertEqual(self.d.ctl("logs", "a")[1].splitlines()[:3],
                         ["/", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "done"])


if __name__ == "__main__":
    unittest.main()
