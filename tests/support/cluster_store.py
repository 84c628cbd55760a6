# SPDX-License-Identifier: MIT
"""What a test looks at behind schedd's back in a store that several daemons share: runs, nodes, slots."""
import collections
import json
import os
import re
import socket
import subprocess

# node: who has to end it, as long as it is open; times in seconds
# count: fire times that the row stands for, coalesced: more of them that it took up
Run = collections.namedtuple("Run", "job number state trigger scheduled_at started_at ended_at node ran count coalesced")
# dead_since: None, or in seconds
Seat = collections.namedtuple("Seat", "name epoch dead_since slots")


def seconds(text):
    return None if text in (None, "", "NULL", "-") else int(text) / 1e6


class Sql:
    """A server that speaks SQL."""
    quote = '"'
    separator = "|"
    null = ""

    def tell(self, text):
        return subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(), text], check=True, capture_output=True,
                              text=True).stdout.rstrip("\n")

    def rows(self, text):
        out = self.tell(text)
        return [[None if cell == self.null else cell for cell in line.split(self.separator)] for line in out.splitlines()]

    def runs(self, where="true"):
        q = self.quote
        text = (f"SELECT j.id, r.number, r.state, r.{q}trigger{q}, r.scheduled_at, r.started_at, r.ended_at, "
                f"CASE WHEN r.done_at IS NULL THEN n.name END, m.name, coalesce(r.count, 1), coalesce(r.coalesced, 0) FROM schedd_runs r JOIN schedd_jobs j ON j.{q}key{q} = r.job "
                "LEFT JOIN schedd_nodes n ON n.node = r.node LEFT JOIN schedd_nodes m ON m.node = r.ran "
                f"WHERE {where} ORDER BY r.serial")
        return [Run(row[0], int(row[1]), row[2], row[3], *map(seconds, row[4:7]), *row[7:9], *map(int, row[9:])) for row in self.rows(text)]

    def open_runs(self):
        return self.runs("r.done_at IS NULL")

    def seats(self):
        return {row[0]: Seat(row[0], int(row[1]), seconds(row[2]), int(row[3])) for row in self.rows(
            "SELECT n.name, n.epoch, n.dead_since, count(s.slot) FROM schedd_nodes n LEFT JOIN schedd_slots s ON s.node = n.node "
            "GROUP BY n.node, n.name, n.epoch, n.dead_since")}

    def owner(self, job):
        """The name of the node that has it."""
        return self.rows("SELECT n.name FROM schedd_nodes n JOIN schedd_slots s ON s.node = n.node JOIN schedd_jobs j ON "
                         f"j.slot = s.slot WHERE j.id = '{job}'")[0][0]

    def give(self, slot, name):
        """As if it had been given to that node, whatever became of it."""
        self.tell(f"UPDATE schedd_slots SET node = (SELECT node FROM schedd_nodes WHERE name = '{name}') WHERE slot = {slot}")

    def texts(self, begin):
        q = self.quote
        return [row[0] for row in self.rows(f"SELECT {q}key{q} FROM schedd_meta WHERE {q}key{q} LIKE '{begin}%'")]

    def outputs(self):
        """By run: how many bytes are kept of what it wrote."""
        q = self.quote
        return {row[0]: int(row[1]) for row in self.rows(
            f"SELECT concat(j.id, '/', r.number), octet_length(r.output) FROM schedd_runs r JOIN schedd_jobs j ON j.{q}key{q} = r.job "
            "WHERE r.output IS NOT NULL")}

    def last_runs(self):
        """By job: as its row says."""
        return {row[0]: int(row[1]) for row in self.rows("SELECT id, last_run FROM schedd_jobs WHERE definition IS NOT NULL")}

    def forget_feed(self):
        self.tell("DELETE FROM schedd_feed")

    def rewind_feed(self, lines):
        """As a server that is started from older files knows nothing of the last of it."""
        q = self.quote
        self.tell(f"UPDATE schedd_meta SET number = number - {lines} WHERE {q}key{q} = 'feed.seq'")
        self.tell(f"DELETE FROM schedd_feed WHERE seq > (SELECT number FROM schedd_meta WHERE {q}key{q} = 'feed.seq')")

    def lock_job(self, job):
        """Nobody else writes to it, until stdin of what is answered ends."""
        session = subprocess.Popen(os.environ["SCHEDD_TEST_SQL"].split()[:-1] + self.unbuffered, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        session.stdin.write(f"BEGIN; SELECT 'locked', last_run FROM schedd_jobs WHERE id = '{job}' FOR UPDATE;\n")
        session.stdin.flush()
        for line in session.stdout:
            if "locked" in line and "SELECT" not in line:
                return session
        raise AssertionError("it cannot be locked")


class Postgresql(Sql):
    unbuffered = []
    take = "alive:"  # stands in what takes over a node, and in nothing else

    def end_lease(self, name):
        """As if it were over."""
        self.tell(f"UPDATE schedd_nodes SET expires_at = 0 WHERE name = '{name}'")

    def keep_lease(self, name):
        """Long beyond the test."""
        self.tell(f"UPDATE schedd_nodes SET expires_at = expires_at + 600000000 WHERE name = '{name}'")

    def waiting(self):
        """How many of schedd's sessions wait for a lock."""
        return int(self.tell("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'schedd' AND wait_event_type = 'Lock'"))

    def end_sessions(self, part):
        self.tell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'schedd' AND "
                  f"random() < {part}")

    def hold_up(self):
        # A node that stands still while it reads all jobs is in the way of that for as long.
        self.tell("BEGIN; SET LOCAL lock_timeout = '5s'; DO $$ BEGIN LOCK TABLE schedd_jobs IN ACCESS EXCLUSIVE MODE; PERFORM "
                  "pg_sleep(1.5); EXCEPTION WHEN lock_not_available THEN NULL; END $$; COMMIT")


class Mysql(Sql):
    quote = "`"
    separator = "\t"
    null = "NULL"

    unbuffered = ["-n"]
    take = "@schedd_dead"

    def end_lease(self, name):
        self.tell(f"UPDATE schedd_beats b JOIN schedd_nodes n ON n.node = b.node SET b.expires_at = 0 WHERE n.name = '{name}'")

    def keep_lease(self, name):
        self.tell(f"UPDATE schedd_beats b JOIN schedd_nodes n ON n.node = b.node SET b.expires_at = b.expires_at + 600000000 WHERE n.name = '{name}'")

    def waiting(self):
        return int(self.admin("SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")[0])

    @staticmethod
    def admin(text):
        return subprocess.run([*os.environ["SCHEDD_TEST_ADMIN"].split(), text], check=False, capture_output=True,
                              text=True).stdout.split()

    def end_sessions(self, part):
        for number in self.admin("SELECT id FROM information_schema.processlist WHERE user = 'schedd' AND "
                                 f"command <> 'Killed' AND rand() < {part}"):
            self.admin(f"KILL {number}")

    def hold_up(self):
        subprocess.run([*os.environ["SCHEDD_TEST_SQL"].split(),
                        "SET lock_wait_timeout = 5; LOCK TABLES schedd_jobs WRITE; DO SLEEP(1.5); UNLOCK TABLES"], check=False,
                       capture_output=True)


class Redis:
    """Over its own protocol: its command line's output is for people."""
    take = "schedd_v2_take"

    def __init__(self):
        path, database = re.match(r"unix://(.*)\?db=(\d+)", os.environ["SCHEDD_TEST_STORE_URL"]).groups()
        self.path, self.database = path, database

    def tell(self, *words):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(30)
            one.connect(self.path)
            for command in (["SELECT", self.database], words):
                one.sendall(b"*%d\r\n" % len(command) + b"".join(
                    b"$%d\r\n%s\r\n" % (len(word), word) for word in (str(word).encode() for word in command)))
            with one.makefile("rb") as lines:
                self.read(lines)
                return self.read(lines)

    def read(self, lines):
        line = lines.readline()
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"*":
            return [self.read(lines) for _ in range(int(rest))]
        if kind == b"$":
            if int(rest) < 0:
                return None
            text = lines.read(int(rest) + 2)[:-2]
            return text.decode("utf-8", "replace")
        if kind == b"-":
            raise AssertionError(rest)
        return rest

    def hash(self, name):
        flat = self.tell("HGETALL", "{schedd:}" + name)
        return dict(zip(flat[::2], flat[1::2]))

    def runs(self):
        ids, at = self.hash("ids"), self.hash("at")
        names = {number: name for name, number in self.hash("nodes").items()}
        runs = []
        for field, text in sorted(self.hash("runs").items(), key=lambda pair: int(pair[1].split(" ", 1)[0])):
            key, number = field.split("/")
            row = json.loads(text.split(" ", 2)[2])
            node = names.get(at[field].split()[0]) if field in at else None
            runs.append(Run(ids[key], int(number), row["state"], row["trigger"], seconds(row.get("scheduled_at")),
                            seconds(row.get("started_at")), seconds(row.get("ended_at")), node, row.get("node", node), row.get("count", 1), row.get("coalesced", 0)))
        return runs

    def open_runs(self):
        return [run for run in self.runs() if run.node is not None]

    def seats(self):
        slots = collections.Counter(self.hash("slots").values())
        seats = {}
        for name, number in self.hash("nodes").items():
            node = self.hash(f"node:{number}")
            seats[name] = Seat(name, int(node["epoch"]), seconds(node.get("dead")), slots[number])
        return seats

    def owner(self, job):
        for slot, number in self.hash("slots").items():
            if self.tell("SISMEMBER", f"{{schedd:}}in:{slot}", job) == "1":
                return next(name for name, each in self.hash("nodes").items() if each == number)
        return None

    def give(self, slot, name):
        self.tell("HSET", "{schedd:}slots", slot, self.hash("nodes")[name])

    def texts(self, begin):
        return [key for key in self.hash("values") if key.startswith(begin)]

    def outputs(self):
        ids = self.hash("ids")
        fields = self.tell("HKEYS", "{schedd:}outputs")
        return {f"{ids[field.split('/')[0]]}/{field.split('/')[1]}": int(self.tell("HSTRLEN", "{schedd:}outputs", field))
                for field in fields}

    def last_runs(self):
        return {job: int(text.split()[3]) for job, text in self.hash("state").items() if " " in text}

    def end_lease(self, name):
        self.tell("HSET", f"{{schedd:}}node:{self.hash('nodes')[name]}", "expires", "0")

    def keep_lease(self, name):
        self.tell("HINCRBY", f"{{schedd:}}node:{self.hash('nodes')[name]}", "expires", "600000000")

    def forget_feed(self):
        self.tell("XTRIM", "{schedd:}feed", "MAXLEN", "0")

    def rewind_feed(self, lines):
        self.tell("HINCRBY", "{schedd:}meta", "feed", -lines)
        self.tell("DEL", "{schedd:}feed")

    def end_sessions(self, part):
        for line in self.tell("CLIENT", "LIST").splitlines():
            if hash(line) % 100 < part * 100:
                self.tell("CLIENT", "KILL", "ID", line.split()[0].split("=")[1])

    def hold_up(self):
        self.tell("CLIENT", "PAUSE", "1500", "ALL")


def store():
    return {"postgresql": Postgresql, "mysql": Mysql, "redis": Redis}[os.environ["SCHEDD_TEST_STORE_TYPE"]]()
