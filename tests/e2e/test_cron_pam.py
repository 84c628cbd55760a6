# SPDX-License-Identifier: MIT
"""Lines of cron's tables in the world that PAM gives cron: environment, limits, and whom it refuses."""
import json
import os
import pathlib
import subprocess
import time
import unittest

import e2e
from test_users_limits import own_etc

SERVICE = """
account required pam_unix.so
account requisite pam_succeed_if.so quiet user != yan
session required pam_env.so
session optional pam_exec.so quiet {dir}/session.sh
session required pam_limits.so
"""
MODULES = [pathlib.Path(place) / f"pam_{name}.so" for name in ("unix", "succeed_if", "env", "exec", "limits")
           for place in ("/lib/x86_64-linux-gnu/security", "/usr/lib/security", "/lib/aarch64-linux-gnu/security")]


def can_ask():
    helper = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"], "modules/schedd-pam")
    return own_etc() and helper.exists() and sum(path.exists() for path in MODULES) == 5


def audited():
    """Can a process here be given an audit id? Asked of one that is not needed any more."""
    return can_ask() and subprocess.run(["sh", "-c", "echo 23456 >/proc/self/loginuid && grep -qx 23456 /proc/self/loginuid"],
                                        check=False, capture_output=True).returncode == 0


@unittest.skipUnless(can_ask(), "needs a mount namespace, and a build with PAM")
class CronPam(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.d.dir.chmod(0o777)
        self.root = self.d.dir / "root"
        for folder in ("etc/cron.d", "var/spool/cron/crontabs", "run"):
            (self.root / folder).mkdir(parents=True)
        self.d.config.write_text(f"cron: {{tables: true, root: {self.root}}}\n")
        self.etc = self.d.dir / "etc"
        subprocess.run(["cp", "-a", "/etc", str(self.etc)], check=True)
        for name, uid in (("zoe", 23456), ("yan", 23457)):
            with open(self.etc / "passwd", "a") as file:
                file.write(f"{name}:x:{uid}:{uid}::/tmp:/bin/sh\n")
            with open(self.etc / "shadow", "a") as file:
                file.write(f"{name}:*:19000:0:99999:7:::\n")
        (self.etc / "pam.d/cron").write_text(SERVICE.format(dir=self.d.dir))
        (self.etc / "environment").write_text("FROM_PAM=yes\nPATH=/pam/path\nSHELL=/pam/shell\n")
        (self.etc / "security/limits.conf").write_text("zoe soft nofile 222\nzoe hard nofile 333\n")
        (self.d.dir / "session.sh").write_text(f"#!/bin/sh\necho \"$PAM_TYPE $PAM_USER\" >>{self.d.dir}/sessions\n")
        (self.d.dir / "session.sh").chmod(0o755)

    def start(self):
        self.d.state.mkdir(mode=0o700, exist_ok=True)
        wrapper = self.d.dir / "inside.sh"
        wrapper.write_text(f"mount --bind {self.etc} /etc && exec {e2e.SCHEDD}\n")
        with open(self.d.log, "ab") as log:
            self.d.process = subprocess.Popen(["unshare", "-m", "sh", str(wrapper)], stderr=log, env=self.d.environment(),
                                              stdin=subprocess.DEVNULL)
        e2e.wait_until("schedd answers", self.d._answers)
        self.rpc = self.d.client()

    def rewrite(self, name, text):
        """As the tools do it, so that it is noticed as one change."""
        copy = (self.etc / name).with_name("copy+")
        copy.write_text(text)
        copy.chmod(0o644)
        copy.rename(self.etc / name)

    def table(self, text):
        path = self.root / "etc/cron.d/t"
        path.write_text(text)
        path.chmod(0o644)

    def jobs(self, count):
        def look():
            found = json.loads(self.d.ctl("list", "--json")[1])
            return {job["user"]: job["id"] for job in found} if len(found) == count else None
        return e2e.wait_until("the jobs", look)

    def run_of(self, job):
        return self.rpc.call("run.wait", run=self.rpc.call("job.run", id=job)["run"])

    def test_the_world_of_a_line(self):
        dump = f"env >{self.d.dir}/env.$LOGNAME; ulimit -Sn >>{self.d.dir}/env.$LOGNAME; ulimit -Hn >>{self.d.dir}/env.$LOGNAME"
        self.table(f"MINE=table\n0 1 * * * zoe {dump}\n0 1 * * * root {dump}\n")
        self.start()
        for user, job in self.jobs(2).items():
            self.assertEqual(self.run_of(job)["state"], "success")
            lines = (self.d.dir / f"env.{user}").read_text().splitlines()
            self.assertIn("FROM_PAM=yes", lines)
            # What the table says, and cron itself, is stronger.
            self.assertIn("MINE=table", lines)
            self.assertIn("SHELL=/bin/sh", lines)
            self.assertNotIn("PATH=/pam/path", lines)
            if user == "zoe":
                self.assertEqual(lines[-2:], ["222", "333"])
            else:
                self.assertNotEqual(lines[-2:], ["222", "333"])
        seen = (self.d.dir / "sessions").read_text().splitlines()
        self.assertEqual(sorted(seen), ["close_session root", "close_session zoe", "open_session root", "open_session zoe"])
        # It is remembered for a minute: a second run asks nobody.
        self.assertEqual(self.run_of(self.jobs(2)["zoe"])["state"], "success")
        self.assertEqual(len((self.d.dir / "sessions").read_text().splitlines()), 4)

    def test_whom_it_refuses(self):
        self.table(f"0 1 * * * yan touch {self.d.dir}/ran\n0 1 * * * root true\n")
        self.start()
        jobs = self.jobs(2)
        run = self.rpc.call("job.run", id=jobs["yan"])["run"]
        e2e.wait_until("it is held", lambda: self.rpc.call("job.get", id=jobs["yan"]).get("held"))
        for words in (self.rpc.call("job.get", id=jobs["yan"]).get("held"), self.d.ctl("status")[1],
                      self.d.ctl("why", jobs["yan"])[1], self.d.log.read_text()):
            self.assertIn("PAM refuses", words)
            self.assertIn("an administrator decides", words)
        self.assertIn("jobs of yan: ", self.d.ctl("status")[1])
        row = self.rpc.call("run.get", run=run)
        self.assertEqual((row["state"], row["started_at"], row["attempt"]), ("queued", None, 1))
        self.assertIn("PAM refuses", " ".join(self.rpc.call("job.why", id=jobs["yan"])["facts"]))
        self.assertEqual(self.run_of(jobs["root"])["state"], "success")
        # A second start waits, too, and asks nobody.
        second = self.rpc.call("job.run", id=jobs["yan"])["run"]
        self.assertEqual(self.rpc.call("run.get", run=second)["state"], "queued")
        self.assertFalse((self.d.dir / "ran").exists())
        # Somebody looks after the account: it is asked about again.
        self.rewrite("pam.d/cron", SERVICE.format(dir=self.d.dir).replace("!= yan", "!= nobody"))
        self.rewrite("passwd", (self.etc / "passwd").read_text())
        self.assertEqual(self.rpc.call("run.wait", run=run)["state"], "success")
        self.assertEqual(self.rpc.call("run.wait", run=second)["state"], "success")
        self.assertTrue((self.d.dir / "ran").exists())
        self.assertEqual(self.rpc.call("job.get", id=jobs["yan"]).get("held"), None)
        self.assertNotIn("PAM", self.d.ctl("status")[1])

    def test_a_held_account_outlives_a_restart(self):
        self.table(f"0 1 * * * yan touch {self.d.dir}/ran\n")
        self.start()
        job = self.jobs(1)["yan"]
        run = self.rpc.call("job.run", id=job)["run"]
        e2e.wait_until("it is held", lambda: self.rpc.call("job.get", id=job).get("held"))
        self.d.stop()
        self.start()
        e2e.wait_until("it is held again", lambda: self.rpc.call("job.get", id=job).get("held"))
        self.assertEqual(self.rpc.call("run.get", run=run)["state"], "queued")
        # Without the service there is nobody who refuses.
        (self.etc / "pam.d/cron").unlink()
        self.rewrite("passwd", (self.etc / "passwd").read_text())
        self.assertEqual(self.rpc.call("run.wait", run=run)["state"], "success")

    def test_a_run_that_waits_can_be_ended_and_other_jobs_run(self):
        self.table(f"0 1 * * * yan touch {self.d.dir}/ran\n")
        self.start()
        jobs = self.jobs(1)
        run = self.rpc.call("job.run", id=jobs["yan"])["run"]
        e2e.wait_until("it is held", lambda: self.rpc.call("job.get", id=jobs["yan"]).get("held"))
        self.rpc.call("run.kill", run=run)
        self.assertEqual(self.rpc.call("run.wait", run=run)["state"], "cancelled")
        # Jobs that are no lines of a table are none of cron's.
        self.rpc.call("job.add", id="plain", command=["/bin/sh", "-c", "test -z \"$FROM_PAM\""], user="yan", trigger={"manual": True})
        self.assertEqual(self.run_of("plain")["state"], "success")

    @unittest.skipUnless(audited(), "needs a kernel that keeps audit ids, and the right to set them")
    def test_the_audit_id_is_the_account_s(self):
        self.rewrite("pam.d/cron", SERVICE.format(dir=self.d.dir) + "session required pam_loginuid.so\n")
        words = f"cat /proc/self/loginuid >{self.d.dir}/id.$LOGNAME; echo >>{self.d.dir}/id.$LOGNAME"
        self.table(f"0 1 * * * zoe {words}\n0 1 * * * root {words}\n")
        self.start()
        for user, job in self.jobs(2).items():
            self.assertEqual(self.run_of(job)["state"], "success")
            self.assertEqual((self.d.dir / f"id.{user}").read_text(), "23456\n" if user == "zoe" else "0\n")
        # It is cron's alone, as is all that PAM gives.
        self.rpc.call("job.add", id="plain", shell=words, user="zoe", trigger={"manual": True})
        self.assertEqual(self.run_of("plain")["state"], "success")
        self.assertNotEqual((self.d.dir / "id.zoe").read_text(), "23456\n")

    def test_a_module_that_hangs_holds_nobody(self):
        (self.d.dir / "session.sh").write_text("#!/bin/sh\n[ \"$PAM_USER\" = root ] || exec /bin/sleep 20\n")
        self.table("0 1 * * * zoe true\n0 1 * * * root true\n")
        self.start()
        jobs = self.jobs(2)
        hanging = self.rpc.call("job.run", id=jobs["zoe"])["run"]
        begun = time.monotonic()
        self.assertEqual(self.run_of(jobs["root"])["state"], "success")
        self.assertTrue(self.rpc.call("server.ping")["ready"])
        self.assertLess(time.monotonic() - begun, 5 * e2e.patience())
        self.assertEqual(self.rpc.call("run.wait", run=hanging)["state"], "failed")
        self.assertRegex(self.rpc.call("run.get", run=hanging)["reason"], "PAM did not answer|have not answered")

    def test_without_the_service_nobody_is_asked(self):
        (self.etc / "pam.d/cron").unlink()
        self.table("0 1 * * * zoe true\n")
        self.start()
        self.assertEqual(self.run_of(self.jobs(1)["zoe"])["state"], "success")
        self.assertFalse((self.d.dir / "sessions").exists())


if __name__ == "__main__":
    unittest.main()
