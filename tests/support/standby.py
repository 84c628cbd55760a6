# SPDX-License-Identifier: MIT
"""A second PostgreSQL that follows the first and takes its place, with as much of a lag as a test wants."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from cut_way import CutProxy
from e2e import wait_until
from server_store import SERVERS, admin, running, server_processes, server_restart, server_signal


class Standby:
    """near: the directory of the socket that nodes connect to: the way to the first server, then to this one."""

    def __init__(self):
        self.dir = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "standby")
        self.first = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        self.name = os.path.basename(self.first)
        self.bin = os.path.dirname(os.environ["SCHEDD_TEST_SQL"].split()[0])
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        self.sql = os.environ["SCHEDD_TEST_SQL"]
        self.near = tempfile.mkdtemp(prefix="schedd-near.")
        os.chmod(self.near, 0o755)
        self.proxy = CutProxy(f"{self.near}/{self.name}", self.first)
        self.server = None
        # What it is told of the first's writes comes this way.
        subprocess.run([*self.user, "mkdir", self.dir, self.dir / "from"], check=True)
        self.stream = CutProxy(str(self.dir / "from" / self.name), self.first)
        os.chmod(self.dir / "from" / self.name, 0o777)

    def run(self, *words):
        return subprocess.run([*self.user, *map(str, words)], check=True, capture_output=True, text=True).stdout

    def start(self):
        self.run(f"{self.bin}/pg_basebackup", "-h", self.dir / "from", "-U", "postgres", "-D", self.dir / "data", "-R", "-X", "stream",
                 "--checkpoint=fast", "--no-sync")
        with open(self.dir.parent / "standby.log", "wb") as log:
            self.server = subprocess.Popen([*self.user, f"{self.bin}/postgres", "-D", str(self.dir / "data"), "-k", str(self.dir), "-c",
                                            "listen_addresses=", "-c", "max_connections=60"], stdout=log, stderr=log)
        self.await_same()

    def await_same(self):
        """It has all that was written until now."""
        now = admin("SELECT pg_current_wal_lsn()")
        wait_until("the standby has come so far", lambda: admin(
            f"SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '{now}'") == "1", 60)

    def lag(self):
        """What is written from here on does not come to it any more."""
        self.stream.whole.clear()

    def fail_over(self):
        """The first is gone, this one is where it was."""
        gone = server_processes()
        server_signal(signal.SIGKILL)
        for server in SERVERS:
            server.poll()
        wait_until("the first is gone", lambda: not any(map(running, gone)), 60)
        self.run(f"{self.bin}/pg_ctl", "promote", "-w", "-D", self.dir / "data")
        os.environ["SCHEDD_TEST_SQL"] = self.sql.replace(os.path.dirname(self.first), str(self.dir))
        self.proxy.target = str(self.dir / self.name)

    def close(self):
        os.environ["SCHEDD_TEST_SQL"] = self.sql
        for each in (self.proxy, self.stream):
            each.whole.set()
            each.close()
        if self.server:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()
        shutil.rmtree(self.dir)
        if not any(map(running, server_processes())):
            server_restart()
            wait_until("the first is there again", lambda: subprocess.run([*self.sql.split(), "SELECT 1"], check=False,
                                                                          capture_output=True).returncode == 0, 60)
