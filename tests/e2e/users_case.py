# SPDX-License-Identifier: MIT
"""For tests of many accounts on one daemon of root.

Accounts that every Debian has play the parts; each client is really of that uid, by the kernel's word.
"""
import os
import pwd
import subprocess
import unittest

import e2e

ROOT = os.geteuid() == 0
ALICE, BOB, OLGA, ADAM, EVE = "games", "mail", "news", "backup", "nobody"
CONFIG = f"""
users:
  allow: [{ALICE}, {BOB}]
  deny: [{EVE}]
  operators: [{OLGA}]
  admins: [{ADAM}]
stores:
  closed: {{type: memory}}
  open: {{type: memory, users: true}}
executors:
  heavy: {{type: subprocess}}
  free: {{type: subprocess, users: true}}
groups:
  shared: {{users: true}}
"""
MANUAL = {"manual": True}


def uid(name):
    return pwd.getpwnam(name).pw_uid


@unittest.skipUnless(ROOT, "needs root to become others")
class Case(e2e.TestCase):
    config = CONFIG

    def setUp(self):
        self.server = self.daemon(config=self.config)
        self.server.dir.chmod(0o755)
        self.root = self.server.client()

    def user(self, name):
        """A client whose peer the kernel calls so."""
        entry = pwd.getpwnam(name)
        os.setegid(entry.pw_gid)
        os.seteuid(entry.pw_uid)
        try:
            return self.server.client()
        finally:
            os.seteuid(0)
            os.setegid(0)

    def ctl(self, name, *argv):
        """schedctl of that account: (status, stdout, stderr)."""
        entry = pwd.getpwnam(name)
        done = subprocess.run([e2e.SCHEDCTL, *argv], env=self.server.environment(), timeout=60, user=entry.pw_uid,
                              group=entry.pw_gid, extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, cwd="/")
        return done.returncode, done.stdout, done.stderr

    def add(self, client, job, command=("/bin/true",), **fields):
        return client.call("job.add", **{"id": job, "command": list(command), "trigger": MANUAL, **fields})

    def ids(self, client, **params):
        return [job["id"] for job in client.call("job.list", **params)["jobs"]]

    def ended(self, client, job, **params):
        run = client.call("job.run", id=job, **params)["run"]
        return client.call("run.wait", run=run)

    def output(self, client, run):
        return "".join(piece["data"] for piece in client.call("run.log", run=run)["pieces"])
