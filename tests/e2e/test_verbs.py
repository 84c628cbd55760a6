# SPDX-License-Identifier: MIT
"""The verbs of schedctl on a real daemon: job files, scripts, exit statuses, another machine."""
import json
import os
import subprocess
import unittest

import e2e

JOBS = """version: 1
owner: ops
defaults:
  timeout: 1h
jobs:
  backup:
    command: [/bin/echo, saved]
    trigger: {cron: '30 2 * * *', timezone: Europe/Berlin}
    tags: {kind: db}
  mail:
    shell: exit 3
    trigger: {every: 15m}
"""


class Verbs(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon()
        self.file = self.d.dir / "jobs.yaml"
        self.file.write_text(JOBS)

    def ctl(self, *argv, status=0):
        """What came on standard output; the status has to be this one."""
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {err}")
        self.assertNotIn("runtime error", err)
        return out

    def sh(self, script, **env):
        """A script with schedctl in its PATH."""
        folder = self.d.dir / "bin"
        folder.mkdir(exist_ok=True)
        if not (folder / "schedctl").exists():
            os.symlink(e2e.SCHEDCTL, folder / "schedctl")
        done = subprocess.run(["/bin/bash", "-c", script], env={**self.d.environment(), "PATH": f"{folder}:/usr/bin:/bin", **env},
                              cwd=self.d.dir, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def actions(self, out):
        return {row["id"]: row["action"] for row in json.loads(out)}

    def test_files_are_applied_once(self):
        self.assertEqual(self.actions(self.ctl("apply", "-f", str(self.file), "--json")), {"backup": "added", "mail": "added"})
        self.assertEqual(self.actions(self.ctl("apply", "-f", str(self.file), "--json")), {"backup": "unchanged", "mail": "unchanged"})
        self.assertEqual(self.ctl("diff", "-f", str(self.file)), "")
        self.file.write_text(JOBS.replace("1h", "2h"))
        self.assertIn("- timeout: 1h\n  + timeout: 2h", self.ctl("diff", str(self.file), status=1))
        self.assertEqual(self.actions(self.ctl("apply", str(self.file), "--dry-run", "--json"))["mail"], "changed")
        self.assertEqual(self.ctl("show", "mail", "--field", "timeout"), "3600\n")

    def test_what_is_exported_and_applied_changes_nothing(self):
        self.ctl("apply", "-f", str(self.file))
        before = self.ctl("list", "--json")
        for form in ("yaml", "json"):
            code, out, err = self.sh(f"schedctl export --as {form} | schedctl apply -f - --json")
            self.assertEqual((code, self.actions(out)), (0, {"backup": "unchanged", "mail": "unchanged"}), err)
            self.assertEqual(self.sh(f"schedctl diff -f <(schedctl export --as {form})")[0], 0)
        self.assertEqual(self.ctl("list", "--json"), before)

    def test_prune_takes_only_what_the_owner_applied(self):
        self.ctl("apply", "-f", str(self.file))
        self.ctl("add", "--id", "other", "--manual", "--", "true")
        self.file.write_text(JOBS[:JOBS.index("  mail:")])
        self.ctl("apply", "-f", str(self.file), "--prune")
        self.assertEqual(self.ctl("ls", "-o", "name").split(), ["backup", "other"])
        self.file.write_text("version: 1\njobs: {}\n")
        self.ctl("apply", "-f", str(self.file), "--prune", status=2)  # whose?
        self.ctl("apply", "-f", str(self.file), "--prune", "--owner", "ops", status=2)  # nobody to ask
        self.ctl("apply", "-f", str(self.file), "--prune", "--owner", "ops", "-y")
        self.assertEqual(self.ctl("ls", "-o", "name").split(), ["other"])

    def test_one_fault_and_no_job_is_changed(self):
        self.file.write_text(JOBS.replace("every: 15m", "every: 15 parsecs"))
        self.assertEqual(self.ctl("apply", "-f", str(self.file), status=7), "")
        self.assertEqual(self.ctl("check", str(self.file), status=7), "")
        self.assertEqual(self.ctl("ls", "-o", "name"), "")

    def test_a_large_file_goes_in_parts(self):
        jobs = {f"job-{i}": {"command": ["true", "x" * 400], "trigger": {"cron": "0 0 1 1 *"}} for i in range(5000)}
        self.file = self.d.dir / "large.json"
        self.file.write_text(json.dumps({"version": 1, "jobs": jobs}))
        self.assertEqual(set(self.actions(self.ctl("apply", "-f", str(self.file), "--json")).values()), {"added"})
        self.assertEqual(len(self.ctl("ls", "-o", "name").split()), 5000)

    def test_show_copy_and_edit(self):
        self.ctl("apply", "-f", str(self.file))
        shown = json.loads(self.ctl("show", "backup", "--json"))
        self.assertEqual((len(shown["fire_times"]), shown["latest_runs"], shown["owner"]), (3, [], "ops"))
        self.assertEqual(len(json.loads(self.ctl("show", "backup", "mail", "--json"))), 2)
        self.assertIn("\nNext\n", self.ctl("show", "mail"))
        self.ctl("pause", "mail")
        self.assertIn("\nNext, were it not paused\n", self.ctl("show", "mail"))
        self.ctl("resume", "mail")
        self.ctl("show", "bakcup", status=4)
        self.assertEqual(self.ctl("copy", "backup", "again", "--timeout", "5m"), "again\n")
        self.assertEqual(self.ctl("show", "again", "--field", "timeout"), "300\n")
        self.assertEqual(self.sh("schedctl edit again", EDITOR="sed -i s/5m/6m/", VISUAL="")[0], 0)
        self.assertEqual(self.ctl("show", "again", "--field", "timeout"), "360\n")
        code, _, err = self.sh("schedctl edit again", EDITOR="sed -i s/6m/6x/", VISUAL="", TMPDIR=str(self.d.dir))
        self.assertEqual(code, 7, err)
        self.assertEqual(self.sh("schedctl edit again", EDITOR="schedctl set again --timeout 7m -q; sed -i s/6m/8m/", VISUAL="", TMPDIR=str(self.d.dir))[0], 5)
        self.assertEqual(self.ctl("show", "again", "--field", "timeout"), "420\n")

    def test_crontabs_come_in_and_go_out(self):
        tab = self.d.dir / "tab"
        tab.write_text("30 2 * * * /usr/bin/backup --all\n61 * * * * /bin/false\n")
        self.ctl("import", "crontab", str(tab), status=1)
        self.assertEqual(self.ctl("ls", "-o", "name"), "backup\n")
        self.ctl("import", "crontab", str(tab), status=5)
        self.ctl("import", "crontab", str(tab), "--replace", status=1)
        self.assertIn("30 2 * * * /usr/bin/backup --all\n", self.ctl("export", "--as", "crontab"))

    def test_why_stats_and_config(self):
        self.ctl("apply", "-f", str(self.file))
        self.ctl("run", "mail", "-w", status=10)
        self.ctl("run", "mail", "--exit-status", "-w", status=3)
        self.ctl("pause", "mail", "--reason", "upgrade")
        self.assertIn("upgrade", self.ctl("why", "mail"))
        self.assertEqual(json.loads(self.ctl("stats", "--json"))["jobs"][0]["failures"], 2)
        self.assertIn('schedd_job_runs{job="mail",state="failed"} 2\n', self.ctl("stats", "-o", "prometheus"))
        self.assertTrue(json.loads(self.ctl("config", "show", "--json"))["settings"])
        self.ctl("config", "check", str(self.d.config))
        self.d.config.write_text("nosuch: 1\n")
        self.ctl("config", "check", str(self.d.config), status=7)
        self.assertEqual(json.loads(self.ctl("simulate", "--from", "2026-12-01", "--json"))["jobs"][0]["runs"], 1)

    def test_a_run_is_waited_for_from_its_first_moment(self):
        client = self.d.client()
        for i in range(30):
            job = client.call("job.add", shell="true", keep=True)["id"]
            self.assertEqual(client.call("run.wait", run=job)["state"], "success", i)

    def test_scripts(self):
        script = "schedctl ping --wait-ready 10s && schedctl apply -qf jobs.yaml >/dev/null && id=$(schedctl add -q --in 0s --keep -- true) && schedctl wait -q $id && schedctl show $id --field last_state"
        self.assertEqual(self.sh(script)[:2], (0, "success\n"))
        self.assertEqual(self.sh("schedctl ls -o name -t kind=db | schedctl rm -q -y -")[0], 0)
        self.ctl("show", "backup", status=4)
        self.assertEqual(self.sh("set -o pipefail; schedctl list -o name | true")[0] in (0, 141), True)

    def test_another_machine(self):
        self.ctl("apply", "-f", str(self.file))
        ssh = self.d.dir / "ssh"
        ssh.write_text('#!/bin/sh\n[ "$1 $2 $3" = "-T -- me@there" ] || exit 99\nexec sh -c "$4"\n')
        ssh.chmod(0o755)
        socket = f"--socket '{self.d.socket}'"
        code, out, err = self.sh(f"schedctl --host me@there {socket} ls -o name", SCHEDD_SSH=str(ssh), SCHEDD_SOCKET="")
        self.assertEqual((code, sorted(out.split())), (0, ["backup", "mail"]), err)
        self.assertEqual(self.sh("schedctl --host elsewhere ls", SCHEDD_SSH=str(ssh))[0], 3)
        self.assertEqual(self.sh("schedctl --host -oProxyCommand=x ls", SCHEDD_SSH=str(ssh))[0], 2)


if __name__ == "__main__":
    unittest.main()
