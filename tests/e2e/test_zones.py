# SPDX-License-Identifier: MIT
"""The time zone database under a running daemon, and the daemon's own zone."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import e2e

DATABASE = pathlib.Path(os.environ.get("TZDIR", "/usr/share/zoneinfo"))


class Database(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.zones = self.d.dir / "zoneinfo"
        self.replace("Europe/Berlin", "Europe/Berlin")
        self.replace("UTC", "UTC")
        self.d.start(TZDIR=str(self.zones), TZ="UTC")

    def replace(self, name, content):
        """As a package manager does it."""
        target = self.zones / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DATABASE / content, f"{target}.new")
        os.rename(f"{target}.new", target)

    def next_of(self, job):
        code, out, err = self.d.ctl("show", job, "--field", "next_run_time", "--utc")
        self.assertEqual(code, 0, err)
        return out.strip()[11:16]

    def add(self, job, *argv):
        code, _, err = self.d.ctl("add", "--id", job, *argv, "--", "/bin/true")
        self.assertEqual(code, 0, err)

    def test_an_update_moves_what_the_trigger_planned_and_nothing_else(self):
        self.add("noon", "--cron", "0 12 1 1 *", "--tz", "Europe/Berlin")
        self.add("often", "--cron", "17 * * * *", "--tz", "Europe/Berlin")
        self.add("asked", "--cron", "0 12 1 1 *", "--tz", "Europe/Berlin", "--next", "2090-01-01T07:07:00Z")
        self.add("steady", "--every", "1h", "--start", "2090-01-01T05:05:00Z")
        self.assertEqual([self.next_of(job) for job in ("noon", "asked", "steady")], ["11:00", "07:07", "05:05"])
        self.replace("Europe/Berlin", "Asia/Tokyo")
        e2e.wait_until("noon is that of Tokyo", lambda: self.next_of("noon") == "03:00")
        self.assertEqual([self.next_of(job) for job in ("asked", "steady")], ["07:07", "05:05"])
        # An earlier time may be new although the planned one still is a fire time: of a time zone half an hour off.
        self.replace("Europe/Berlin", "Asia/Kolkata")
        e2e.wait_until("noon is that of Kolkata", lambda: self.next_of("noon") == "06:30")
        self.assertEqual(self.next_of("often")[3:], "47")
        self.assertEqual(self.d.log.read_text().count("next run times were computed anew"), 2)

    def test_what_was_read_stays_in_force_while_a_file_is_damaged(self):
        self.add("noon", "--cron", "0 12 1 1 *", "--tz", "Europe/Berlin")
        (self.zones / "Europe/Berlin").write_bytes(b"TZif2 and nothing more")
        self.replace("UTC", "UTC")
        self.add("later", "--cron", "0 12 1 1 *", "--tz", "Europe/Berlin")
        self.replace("Europe/Berlin", "Asia/Tokyo")
        e2e.wait_until("both are those of Tokyo", lambda: {self.next_of("noon"), self.next_of("later")} == {"03:00"})

    def test_a_job_whose_zone_is_gone_is_kept_and_comes_back_with_it(self):
        for job in ("back", "anew", "filed", "gone"):
            self.add(job, "--cron", "0 12 1 1 *", "--tz", "Europe/Berlin", "--tag", "k=v")
        before = json.loads(self.d.ctl("export", "back", "--as", "json")[1])
        self.d.stop()
        (self.zones / "Europe/Berlin").unlink()
        self.d.start(TZDIR=str(self.zones), TZ="UTC")
        shown = json.loads(self.d.ctl("show", "back", "--json")[1])
        self.assertEqual(shown["state"], "invalid")
        self.assertIn("Europe/Berlin", shown["invalid"])
        self.assertEqual((shown["command"], shown["tags"]), (["/bin/true"], {"k": "v"}))
        self.assertEqual((shown["trigger"]["expr"], shown["trigger"]["timezone"]), ("0 12 1 1 *", "Europe/Berlin"))
        self.assertIn("/bin/true", self.d.ctl("show", "back")[1])
        self.assertEqual(json.loads(self.d.ctl("export", "back", "--as", "json")[1]), before)
        self.assertIn("Europe/Berlin", self.d.ctl("export", "back")[1])
        code, _, err = self.d.ctl("next", "back")
        self.assertEqual(code, 5, err)
        self.assertIn("job back could not be read", err)
        code, _, err = self.d.ctl("run", "back")
        self.assertEqual(code, 5, err)
        self.assertIn("job back could not be read", err)
        self.assertNotIn("--force", err)
        code, _, err = self.d.ctl("modify", "anew", "--name", "x")
        self.assertEqual(code, 5, err)
        self.assertIn("Europe/Berlin", err)
        self.assertEqual(self.d.ctl("reschedule", "anew", "--cron", "0 12 1 1 *", "--tz", "UTC")[0], 0)
        self.assertEqual(self.next_of("anew"), "12:00")
        self.assertEqual(json.loads(self.d.ctl("show", "anew", "--json")[1])["tags"], {"k": "v"})
        file = self.d.dir / "jobs.yaml"
        file.write_text("version: 1\njobs:\n  filed: {command: [/bin/true], trigger: {cron: '0 12 1 1 *', timezone: UTC}}\n")
        code, _, err = self.d.ctl("apply", str(file))
        self.assertEqual(code, 0, err)
        self.assertEqual(self.next_of("filed"), "12:00")
        self.assertEqual(self.d.ctl("rm", "-y", "gone")[0], 0)
        self.replace("Europe/Berlin", "Europe/Berlin")
        e2e.wait_until("it can be read again", lambda: json.loads(self.d.ctl("show", "back", "--json")[1])["state"] == "waiting")
        self.assertEqual(self.next_of("back"), "11:00")



@unittest.skipUnless(os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0,
                     "needs a mount namespace")
class OwnZone(e2e.TestCase):
    """A daemon that sees an /etc of its own."""

    def start(self, localtime, timezone, config="", **env):
        d = self.daemon(start=False, config=config)
        etc = d.dir / "etc"
        etc.mkdir()
        for name in ("passwd", "group", "nsswitch.conf"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copyfile(f"/etc/{name}", etc / name)
        if localtime:
            os.symlink(DATABASE / localtime, etc / "localtime")
        if timezone:
            (etc / "timezone").write_text(timezone + "\n")
        wrapper = d.dir / "schedd"
        wrapper.write_text(f'#!/bin/sh\nexec unshare -m sh -c \'mount --bind "{etc}" /etc && exec "{e2e.SCHEDD}" "$@"\' sh "$@"\n')
        wrapper.chmod(0o755)
        self.addCleanup(setattr, e2e, "SCHEDD", e2e.SCHEDD)
        e2e.SCHEDD = str(wrapper)
        kept = os.environ.pop("TZ", None)
        if kept is not None:
            self.addCleanup(os.environ.__setitem__, "TZ", kept)
        d.start(**env)
        return d

    def zone(self, d):
        zone = d.client().call("server.status")["zone"]
        return zone["name"], zone["origin"], zone["conflict"]

    def test_localtime_goes_before_timezone_and_says_so_once(self):
        d = self.start("Asia/Shanghai", "Etc/UTC")
        self.assertEqual(self.zone(d), ("Asia/Shanghai", "/etc/localtime", "/etc/timezone says Etc/UTC"))
        self.assertEqual(d.log.read_text().count("/etc/timezone says Etc/UTC"), 1)
        self.assertIn("Asia/Shanghai", d.ctl("status")[1])
        (d.dir / "etc/timezone").write_text("Europe/Paris\n")
        e2e.wait_until("the new contradiction is told", lambda: "/etc/timezone says Europe/Paris" in d.log.read_text())
        (d.dir / "etc/timezone").write_text("Asia/Shanghai\n")
        e2e.wait_until("they agree", lambda: self.zone(d)[2] is None)

    def test_the_environment_goes_before_files(self):
        self.assertEqual(self.zone(self.start("Asia/Shanghai", "Etc/UTC", TZ=":Europe/Berlin")), ("Europe/Berlin", "TZ", None))

    def test_the_configuration_goes_before_the_environment(self):
        d = self.start("Asia/Shanghai", "Etc/UTC", config="timezone: America/Lima\n", TZ="Europe/Berlin")
        self.assertEqual(self.zone(d), ("America/Lima", "config", None))

    def test_timezone_is_the_last_resort(self):
        self.assertEqual(self.zone(self.start(None, "Europe/Paris"))[:2], ("Europe/Paris", "/etc/timezone"))

    def test_a_job_takes_the_zone_that_holds_when_it_is_added(self):
        d = self.start("Asia/Shanghai", None)
        d.ctl("add", "--id", "a", "--cron", "0 12 * * *", "--", "/bin/true")
        (d.dir / "etc/localtime").unlink()
        os.symlink(DATABASE / "America/Lima", d.dir / "etc/localtime")
        e2e.wait_until("the daemon is in Lima", lambda: self.zone(d)[0] == "America/Lima")
        d.ctl("add", "--id", "b", "--cron", "0 12 * * *", "--", "/bin/true")
        zones = [json.loads(d.ctl("show", job, "--json")[1])["trigger"]["timezone"] for job in "ab"]
        self.assertEqual(zones, ["Asia/Shanghai", "America/Lima"])


if __name__ == "__main__":
    unittest.main()
