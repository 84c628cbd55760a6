# SPDX-License-Identifier: MIT
"""A standby of PostgreSQL that takes the server's place at the server's own address, so that whatever a test does to the
server it does to the heir from then on, and the next heir may follow."""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess

from cut_way import CutProxy
from e2e import wait_until
from server_store import SERVERS, admin, running, server_processes, server_signal


class Heir:
    numbers = itertools.count(1)

    def __init__(self):
        self.home = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"])
        self.socket = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_SOCKET"])
        self.bin = os.path.dirname(os.environ["SCHEDD_TEST_SQL"].split()[0])
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        self.dir = self.home / f"heir{next(self.numbers)}"
        self.server = None
        self.run("mkdir", self.dir, self.dir / "from")
        self.way = CutProxy(str(self.dir / "from" / self.socket.name), str(self.socket))
        os.chmod(self.dir / "from" / self.socket.name, 0o777)

    def run(self, *words):
        return subprocess.run([*self.user, *map(str, words)], check=True, capture_output=True, text=True).stdout

    def start(self):
        """It follows the server, with the server's own command line; answers when it has all that was written."""
        self.run(f"{self.bin}/pg_basebackup", "-h", self.dir / "from", "-U", "postgres", "-D", self.dir / "data", "-R", "-X", "stream",
                 "--checkpoint=fast", "--no-sync")
        launch = (self.home / "launch").read_text().split("'-D' ")
        rest = launch[1].split(" ", 3)  # data, -k, directory of the socket, what else there is
        begin = f"{launch[0]}'-D' '{self.dir}/data' '-k' "
        self.launch = f"{begin}'{self.home}' {rest[3]}"
        with open(self.home / "log", "ab") as log:
            self.server = subprocess.Popen(["sh", "-c", f"{begin}'{self.dir}' {rest[3]}"], stdout=log, stderr=log)
        now = admin("SELECT pg_current_wal_lsn()")
        wait_until("the standby has come so far", lambda: admin(
            f"SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '{now}'") == "1", 60)
        return self

    def lag(self):
        """What is written from here on does not come to it any more."""
        self.way.whole.clear()

    def take_over(self):
        """The server is gone for good, and whoever comes to its address finds this one."""
        gone = server_processes()
        server_signal(signal.SIGKILL)
        for server in SERVERS:
            server.poll()
        wait_until("the server is gone", lambda: not any(map(running, gone)), 60)
        old = pathlib.Path((self.home / "launch").read_text().split("'-D' '")[1].split("'")[0])
        self.socket.unlink()
        self.run(f"{self.bin}/pg_ctl", "promote", "-w", "-D", self.dir / "data")
        (self.home / "launch").write_text(self.launch)
        (self.home / "server.pid").write_text(f"{self.server.pid}\n")
        SERVERS.append(self.server)
        # Whoever starts it again makes this socket anew.
        pathlib.Path(f"{self.socket}.lock").unlink(missing_ok=True)
        (self.dir / self.socket.name).rename(self.socket)
        self.way.whole.set()
        self.way.close()
        shutil.rmtree(old)
