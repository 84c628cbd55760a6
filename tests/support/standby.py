# SPDX-License-Identifier: MIT
"""A second server that follows the first and takes its place, with as much of a lag as a test wants."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import cluster_store
from cut_way import CutProxy
from e2e import wait_until
from server_store import SERVERS, admin, running, server_processes, server_restart, server_signal


class Standby:
    """near: the directory of the socket that nodes connect to: the way to the first server, then to this one."""

    def __init__(self):
        self.dir = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "standby")
        self.first = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        self.name = os.path.basename(self.first)
        self.user = ["setpriv", f"--reuid={self.account}", f"--regid={self.account}", "--clear-groups"] if os.geteuid() == 0 and self.account else []
        self.sql = os.environ["SCHEDD_TEST_SQL"]
        self.near = tempfile.mkdtemp(prefix="schedd-near.")
        os.chmod(self.near, 0o755)
        self.proxy = CutProxy(f"{self.near}/{self.name}", self.first)
        self.server = None
        subprocess.run([*self.user, "mkdir", self.dir], check=True)
        # What it is told of the first's writes comes this way.
        self.stream = self.follow()

    def follow(self):
        """To a port: TCP on the standby's side alone."""
        return CutProxy(None, self.first)

    def run(self, *words):
        return subprocess.run([*self.user, *map(str, words)], check=True, capture_output=True, text=True).stdout

    def begin(self, *words):
        with open(self.dir.parent / "standby.log", "wb") as log:
            self.server = subprocess.Popen([*self.user, *map(str, words)], stdout=log, stderr=log)

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
        self.promote()
        self.look_at(self.dir / self.name)
        self.proxy.target = str(self.dir / self.name)

    def look_at(self, path):
        """Where what a test asks the server goes."""
        os.environ["SCHEDD_TEST_SQL"] = self.sql.replace(self.first, str(path))

    def close(self):
        self.look_at(self.first)
        for each in (self.proxy, self.stream):
            each.whole.set()
            each.close()
        if self.server:
            self.server.send_signal(signal.SIGQUIT if self.account == "postgres" else signal.SIGKILL)
            self.server.wait()
        shutil.rmtree(self.dir)
        if not any(map(running, server_processes())):
            server_restart()
            wait_until("the first is there again", self.answers, 60)

    def answers(self):
        return subprocess.run([*self.sql.split(), "SELECT 1"], check=False, capture_output=True).returncode == 0


class Postgresql(Standby):
    account = "postgres"

    def follow(self):
        self.bin = os.path.dirname(os.environ["SCHEDD_TEST_SQL"].split()[0])
        self.run("mkdir", self.dir / "from")
        stream = CutProxy(str(self.dir / "from" / self.name), self.first)
        os.chmod(self.dir / "from" / self.name, 0o777)
        return stream

    def start(self):
        self.run(f"{self.bin}/pg_basebackup", "-h", self.dir / "from", "-U", "postgres", "-D", self.dir / "data", "-R", "-X", "stream",
                 "--checkpoint=fast", "--no-sync")
        self.begin(f"{self.bin}/postgres", "-D", self.dir / "data", "-k", self.dir, "-c", "listen_addresses=", "-c", "max_connections=60")
        self.await_same()

    def await_same(self):
        """It has all that was written until now."""
        now = admin("SELECT pg_current_wal_lsn()")
        wait_until("the standby has come so far", lambda: admin(
            f"SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '{now}'") == "1", 60)

    def promote(self):
        self.run(f"{self.bin}/pg_ctl", "promote", "-w", "-D", self.dir / "data")

    def tell(self, text):
        return self.run(f"{self.bin}/psql", "-h", self.dir, "-U", "postgres", "-Atc", text).strip()

    def read_only(self, now):
        """It takes no writes, also over connections that are there; or does again."""
        self.tell(f"ALTER SYSTEM SET default_transaction_read_only = {now}")
        self.tell("SELECT pg_reload_conf()")
        wait_until("it holds for all", lambda: self.tell("SHOW default_transaction_read_only") == now)

    def look_at(self, path):
        os.environ["SCHEDD_TEST_SQL"] = self.sql.replace(os.path.dirname(self.first), os.path.dirname(path))


class Redis(Standby):
    account = None

    def start(self):
        self.begin("redis-server", "--port", "0", "--unixsocket", self.dir / self.name, "--dir", self.dir, "--save", "", "--appendonly",
                   "yes", "--appendfsync", "always", "--replicaof", "127.0.0.1", self.stream.port)
        self.store, self.first_store = cluster_store.Redis(), cluster_store.Redis()
        self.store.path = str(self.dir / self.name)
        wait_until("it is there", (self.dir / self.name).exists)
        self.await_same()

    @staticmethod
    def replication(store):
        return dict(line.split(":", 1) for line in store.tell("INFO", "replication").splitlines() if ":" in line)

    def await_same(self):
        now = int(self.replication(self.first_store)["master_repl_offset"])
        wait_until("the standby has come so far", lambda: self.is_at(now), 60)

    def is_at(self, offset):
        state = self.replication(self.store)
        return state.get("master_link_status") == "up" and int(state["slave_repl_offset"]) >= offset

    def promote(self):
        self.store.tell("REPLICAOF", "NO", "ONE")

    def look_at(self, path):
        super().look_at(path)
        self.asked.path = str(path)

    def answers(self):
        try:
            return self.first_store.tell("PING") == "PONG"
        except OSError:
            return False


class Mysql(Standby):
    """Only where the first writes a binary log."""
    account = "mysql"

    def start(self):
        options = ["--no-defaults", f"--datadir={self.dir}/data", f"--tmpdir={self.dir}", "--innodb-log-file-size=8M",
                   "--innodb-buffer-pool-size=32M", "--innodb-data-file-path=ibdata1:12M:autoextend:max:48M"]
        self.run("mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db")
        self.begin("mariadbd", *options, f"--socket={self.dir}/{self.name}", "--skip-networking", f"--pid-file={self.dir}/pid",
                   "--server-id=2", "--log-bin=log", "--binlog-format=ROW", "--default-time-zone=+05:30")
        wait_until("it is there", lambda: self.ask("SELECT 1"), 60)
        admin("GRANT REPLICATION SLAVE ON *.* TO schedd")
        self.ask(f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.stream.port}, MASTER_USER='schedd', "
                 "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE")
        self.await_same()

    def ask(self, text):
        return subprocess.run(["mariadb", "--no-defaults", "-S", self.dir / self.name, "-u", "root", "-BNe", text], check=False,
                              capture_output=True, text=True).stdout.strip()

    def await_same(self):
        now = admin("SELECT @@gtid_binlog_pos")
        wait_until("the standby has come so far", lambda: self.is_at(now), 60)

    def is_at(self, position):
        sequence = self.ask("SELECT @@gtid_slave_pos").rpartition("-")[2]
        return sequence and int(sequence) >= int(position.rpartition("-")[2])

    def promote(self):
        self.ask("STOP SLAVE; RESET SLAVE ALL")


def standby(asked):
    """asked: the STORE by which a test looks at the server."""
    one = {"postgresql": Postgresql, "redis": Redis, "mysql": Mysql}[os.environ["SCHEDD_TEST_STORE_TYPE"]]
    one.asked = asked
    return one()
