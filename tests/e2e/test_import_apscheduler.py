# SPDX-License-Identifier: MIT
"""Live stores of the real APScheduler, Debian's and PyPI's, come over by `schedctl import apscheduler`."""
import json
import os
import pathlib
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime

import e2e
import pymongo
from apscheduler.triggers.date import DateTrigger

APP = pathlib.Path(__file__).with_name("worker_app")
WRITER = pathlib.Path(e2e.__file__).with_name("apscheduler_writer.py")
BAD = {"bad-set", "bad-bytes", "bad-datetime", "bad-number", "bad-method"}


def latest():
    """A folder with APScheduler 3.11 from PyPI; None where it cannot be had. APSCHEDULER_311 names one that is there."""
    told = os.environ.get("APSCHEDULER_311")
    if told:
        return told
    folder = tempfile.mkdtemp(prefix="schedd-apscheduler.")
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder,
                           "--disable-pip-version-check", "--retries", "0", "--timeout", "10", "apscheduler==3.11.0",
                           "tzlocal"], capture_output=True, check=False, timeout=120)
    if done.returncode == 0:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    return None


LATEST = latest()
VERSIONS = {"3.9.1": "/nonexistent", **({"3.11.0": LATEST} if LATEST else {})}


def tearDownModule():
    if LATEST and "APSCHEDULER_311" not in os.environ:
        shutil.rmtree(LATEST, ignore_errors=True)


class ImportCase(e2e.TestCase):
    def setUp(self):
        self.schedd = self.daemon(config=json.dumps({"executors": {
            "default": {"type": "worker", "cwd": str(APP)}, "special": {"type": "worker", "cwd": str(APP)}}}))
        self.rpc = self.schedd.client()

    def write(self, version, kind, url, *more):
        done = subprocess.run([sys.executable, str(WRITER), VERSIONS[version], kind, url, *more], timeout=120, text=True,
                              capture_output=True, check=False, env={**os.environ, "PYTHONPATH": f"{APP}:{APP.parents[2]}/"
                                                                     "lib/executor/python", "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        written = json.loads(done.stdout)
        self.assertTrue(written["version"].startswith(version[:4]), written["version"])
        return written["jobs"]

    def bring(self, *argv, code=1):
        got, out, err = self.schedd.ctl("import", "apscheduler", *argv, "--json")
        self.assertEqual(got, code, err)
        return out, err

    def compare(self, jobs, err):
        """Everything came, with the next run times that APScheduler knows."""
        mine = {job["id"]: job for job in self.rpc.call("job.list", limit=1000)["jobs"]}
        self.assertEqual(set(mine), set(jobs) - BAD, err)
        for job, at in jobs.items():
            if job not in BAD:
                self.assertEqual(mine[job]["next_run_time"], at, job)
                self.assertEqual(mine[job]["paused"], at is None, job)
        for job, words in (("bad-set", "builtins.set among its arguments"), ("bad-bytes", "bytes among its arguments"),
                           ("bad-datetime", "datetime.datetime among"), ("bad-number", "builtins.int among"),
                           ("bad-method", "is it a method of an object?")):
            self.assertIn(f"{job}: ", err)
            self.assertIn(words, err)
        interval = mine["interval"]
        self.assertEqual(interval["call"], {"function": "calls:add", "args": [1, 2], "kwargs": {"factor": 3}})
        self.assertEqual((interval["max_instances"], interval["coalesce"], interval["misfire_grace_time"],
                          interval["name"], interval["trigger"]["jitter"], interval["trigger"]["seconds"]),
                         (4, "all", 77, "An interval", 30, 3 * 3600 + 7 * 60 + 0.5))
        self.assertEqual((mine["date"]["executor"], interval["executor"]), ("special", "default"))
        self.assertIsNone(mine["day"]["misfire_grace_time"])
        self.assertEqual(mine["deep"]["call"]["args"], [[1, -2, 2.5, None, True, "grün", {"a": [1, [2, [3]]]}], 2 ** 40, -1])
        self.assertEqual(mine["positions"]["trigger"]["fields"],
                         {"day": "2nd fri,last mon,10-20/5", "hour": "0-23/6"})
        self.assertEqual(mine["or"]["trigger"]["type"], "or")
        self.assertEqual(mine["and"]["trigger"]["type"], "and")
        return mine


class Stores(ImportCase):
    def test_sqlite_of_every_version(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                path = self.schedd.dir / f"jobs-{version}.sqlite"
                jobs = self.write(version, "sqlalchemy", f"sqlite:///{path}")
                self.bring(str(path), "--dry-run")
                self.assertEqual(self.rpc.call("job.list")["jobs"], [])
                _, err = self.bring(str(path))
                mine = self.compare(jobs, err)
                if version != "3.9.1":
                    self.assertEqual(mine["calendar"]["trigger"]["type"], "calendar")
                # They can be run, and the store is as it was.
                self.assertEqual(self.schedd.ctl("run", "--result", "interval")[1], "9\n")
                _, err = self.bring(f"sqlite:///{path}", code=5)
                self.bring(f"sqlite:///{path}", "--replace")
                self.assertEqual(self.schedd.ctl("rm", "--all", "-y")[0], 0)

    def test_a_table_of_another_name_and_one_executor_for_all(self):
        path = self.schedd.dir / "jobs.sqlite"
        self.write("3.9.1", "sqlalchemy", f"sqlite:///{path}")
        with sqlite3.connect(path) as database:
            database.execute("ALTER TABLE apscheduler_jobs RENAME TO mine")
        database.close()
        code, _, err = self.schedd.ctl("import", "apscheduler", str(path))
        self.assertEqual((code, "no such table: apscheduler_jobs" in err), (4, True), err)
        self.bring(str(path), "--table", "mine", "--executor", "special")
        self.assertEqual({job["executor"] for job in self.rpc.call("job.list")["jobs"]}, {"special"})
        code, _, err = self.schedd.ctl("import", "apscheduler", str(path), "--table", "mine", "--executor", "function")
        self.assertEqual(code, 4, err)
        code, _, err = self.schedd.ctl("import", "apscheduler", str(path), "--table", "mine; DROP TABLE mine")
        self.assertEqual(code, 2, err)

    def test_redis(self):
        folder = self.schedd.dir
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", f"{folder}/redis.sock", "--requirepass",
                                   "secret", "--dir", str(folder), "--save", ""], stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        e2e.wait_until("Redis listens", (folder / "redis.sock").exists)
        url = f"unix://:secret@{folder}/redis.sock?db=2"
        for version in VERSIONS:
            with self.subTest(version=version):
                jobs = self.write(version, "redis", url, "app.jobs")
                _, err = self.bring(url, "--jobs-key", "app.jobs")
                self.compare(jobs, err)
                self.assertNotIn("secret", err)
                self.assertEqual(self.schedd.ctl("rm", "--all", "-y")[0], 0)
        code, _, err = self.schedd.ctl("import", "apscheduler", url)
        self.assertEqual((code, "which jobs_key has the store?" in err), (4, True), err)
        code, _, err = self.schedd.ctl("import", "apscheduler", f"unix://{folder}/redis.sock")
        self.assertEqual((code, "NOAUTH" in err), (6, True), err)
        code, _, err = self.schedd.ctl("import", "apscheduler", "redis://127.0.0.1:1/0")
        self.assertEqual((code, "Connection refused" in err), (1, True), err)

    def test_postgresql(self):
        programs = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        folder = pathlib.Path(tempfile.mkdtemp(prefix="schedd-pg."))
        self.addCleanup(shutil.rmtree, folder, True)
        user = []
        if os.getuid() == 0:  # it refuses root
            shutil.chown(folder, "postgres")
            user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        subprocess.run([*user, programs / "initdb", "-D", folder / "data", "-U", "app", "-A", "trust"], check=True,
                       capture_output=True, cwd="/")
        server = subprocess.Popen([*user, programs / "postgres", "-D", folder / "data", "-k", folder, "-h", "",
                                   "-c", "fsync=off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def ready():
            return subprocess.run([programs / "pg_isready", "-h", folder], capture_output=True, check=False).returncode == 0
        e2e.wait_until("PostgreSQL answers", ready)
        url = f"postgresql+psycopg2://app@/postgres?host={folder}"
        for version in VERSIONS:
            with self.subTest(version=version):
                jobs = self.write(version, "sqlalchemy", url)
                _, err = self.bring(url)
                self.compare(jobs, err)
                self.assertEqual(self.schedd.ctl("rm", "--all", "-y")[0], 0)
        code, _, err = self.schedd.ctl("import", "apscheduler", url, "--table", "nothing")
        self.assertEqual((code, 'relation "nothing" does not exist' in err), (4, True), err)

    def test_mysql(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="schedd-my."))
        self.addCleanup(shutil.rmtree, folder, True)
        user = [f"--user={'mysql' if os.getuid() == 0 else os.environ.get('USER', 'root')}"]
        if os.getuid() == 0:
            shutil.chown(folder, "mysql")
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}", *user, "--skip-test-db",
                        "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        server = subprocess.Popen(["mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}", f"--socket={folder}/s",
                                   "--skip-networking", f"--pid-file={folder}/pid", *user],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def ready():
            return subprocess.run(["mariadb", "--no-defaults", f"--socket={folder}/s", "-uroot", "-e",
                                   "CREATE DATABASE IF NOT EXISTS app"], capture_output=True, check=False).returncode == 0
        e2e.wait_until("MariaDB answers", ready, 60)
        url = f"mysql+pymysql://root@localhost/app?unix_socket={folder}/s"
        jobs = self.write("3.9.1", "sqlalchemy", url)
        _, err = self.bring(url)
        self.compare(jobs, err)

    def server(self, kind):
        """Where the server of that kind is, that with_server.sh starts for this test."""
        script = pathlib.Path(e2e.__file__).with_name("with_server.sh")
        server = subprocess.Popen(["sh", script, kind, "sh", "-c", 'echo "$SCHEDD_TEST_STORE_URL"; read -r _ || true'],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            server.stdin.close()
            server.wait()
            server.stdout.close()
        self.addCleanup(end)
        url = server.stdout.readline().strip()
        self.assertTrue(url, f"{kind} does not start")
        return url

    def test_mongodb(self):
        place = self.server("mongodb").rsplit("/", 1)[0]
        for version in VERSIONS:
            with self.subTest(version=version):
                jobs = self.write(version, "mongodb", place, "mine.of_" + version[0])
                _, err = self.bring(place + "/mine", "--table", "of_" + version[0])
                self.compare(jobs, err)
                self.assertEqual(self.schedd.ctl("rm", "--all", "-y")[0], 0)
        # The names that nobody has to say.
        self.write("3.9.1", "mongodb", place, "apscheduler.jobs")
        self.bring(place, "--dry-run")
        # What lies there and is no job is named.
        odd = [{"_id": 5}, {"_id": "odd", "job_state": "text", "at": datetime(2031, 1, 1)}, {"_id": "short", "job_state": b"\x80"},
               {"_id": "deep", "more": {"job_state": b"N."}, "job_state": pickle.dumps([1])}]
        with pymongo.MongoClient(place) as client:
            client.odd.jobs.insert_many(odd)
        _, err = self.bring(place + "/odd", code=7)
        for word in ("a document whose _id is no text: ", "odd: ", "short: ", "deep: "):
            self.assertIn("message\":\"" + word, err)
        code, _, err = self.schedd.ctl("import", "apscheduler", place + "/nothing")
        self.assertEqual((code, "nothing in the collection 'nothing.jobs'" in err), (4, True), err)
        code, _, err = self.schedd.ctl("import", "apscheduler", "mongodb://127.0.0.1:1/x")
        self.assertEqual((code, "connection refused" in err.lower()), (1, True), err)
        code, _, err = self.schedd.ctl("import", "apscheduler", "mongodb://127.0.0.1:x")
        self.assertEqual((code, "MongoDB: " in err), (2, True), err)

    def test_zookeeper(self):
        hosts = self.server("zookeeper").split("/")[0]
        for version in VERSIONS:
            with self.subTest(version=version):
                jobs = self.write(version, "zookeeper", hosts, "/of/" + version)
                _, err = self.bring(f"zookeeper://{hosts}/of/{version}/")
                self.compare(jobs, err)
                self.assertEqual(self.schedd.ctl("rm", "--all", "-y")[0], 0)
        self.write("3.9.1", "zookeeper", hosts, "/apscheduler")
        self.bring(f"zookeeper://{hosts},localhost:{hosts.split(':')[1]}", "--dry-run")
        # Also one who logs in; what lies there and is no job is named.
        _, err = self.bring(f"zookeeper://app:secret@{hosts}/of", code=7)
        self.assertIn(f"app:***@{hosts}/of", err)
        self.assertIn("3.9.1: a Python object in it is of no known kind", err)
        self.assertNotIn("secret", err)
        code, _, err = self.schedd.ctl("import", "apscheduler", f"zookeeper://{hosts}/nothing")
        self.assertEqual((code, "there is no node /nothing" in err), (4, True), err)

    def test_a_file_of_export_jobs(self):
        path = self.schedd.dir / "jobs.json"
        path.write_text(json.dumps({"version": 1, "jobs": [{
            "id": "one", "func": "calls:add", "args": [1], "kwargs": {"b": 2}, "executor": "nowhere", "name": "one",
            "trigger": {"type": "interval", "hours": 1}, "coalesce": True, "max_instances": 1, "misfire_grace_time": 1}]}))
        code, _, err = self.schedd.ctl("import", "apscheduler", str(path))
        self.assertEqual((code, "--executor" in err), (2, True), err)
        code, out, err = self.schedd.ctl("import", "apscheduler", str(path), "--executor", "special", "-o", "name")
        self.assertEqual((code, out.strip()), (0, "one"), err)
        self.assertEqual(self.rpc.call("job.get", id="one")["call"]["kwargs"], {"b": 2})

    def test_functions_of_the_program_itself(self):
        """No module has them: a worker loads the program, up to where it would start its scheduler."""
        path, program = self.schedd.dir / "jobs.json", self.schedd.dir / "shop.py"
        program.write_text("from schedd import BlockingScheduler\n\ndef price(item):\n    return item * 2\n\n"
                           "scheduler = BlockingScheduler()\nscheduler.start()\nraise SystemExit('too far')\n")
        path.write_text(json.dumps({"version": 1, "jobs": [
            {"id": name, "func": func, "args": ["tea"], "executor": "default", "trigger": {"type": "interval", "hours": 1}}
            for name, func in (("own", "__main__:price"), ("spawned", "__mp_main__:price"), ("other", "calls:echo"))]}))
        code, out, err = self.schedd.ctl("import", "apscheduler", str(path), "-o", "name")
        self.assertEqual((code, out.split()), (1, ["other"]), err)
        for line in ("own: its function, __main__:price, is in the program that added it: the file of that is to be named (schedctl: --program)",
                     "spawned: its function, __mp_main__:price, is in the program"):
            self.assertIn(line, err)
        code, out, err = self.schedd.ctl("import", "apscheduler", str(path), "--if-absent", "--program", str(program))
        self.assertEqual(code, 0, err)
        for job in ("own", "spawned"):
            self.assertEqual(self.schedd.ctl("run", "--result", job)[1], '"teatea"\n')
        for given, exit_code, words in (("shop", 2, "ends with .py"), ("nothing.py", 4, "No such file"), ("a:b.py", 2, "ends with .py")):
            code, _, err = self.schedd.ctl("import", "apscheduler", str(path), "--program", given)
            self.assertEqual((code, words in err), (exit_code, True), err)
        # No command of python3 could call it either.
        code, _, err = self.schedd.ctl("import", "json", str(path), "--dry-run", "--if-absent")
        self.assertEqual((code, "own: its function, __main__:price, is in the program" in err), (7, True), err)


class Evil:
    def __reduce__(self):
        return (os.system, (f"touch {os.environ['SCHEDD_EVIL']}",))


class Hostile(ImportCase):
    def store(self, states):
        path = self.schedd.dir / "hostile.sqlite"
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE apscheduler_jobs (id TEXT PRIMARY KEY, next_run_time REAL, job_state BLOB)")
            database.executemany("INSERT INTO apscheduler_jobs VALUES (?, ?, ?)",
                                 [(f"job{i}", float(i), state) for i, state in enumerate(states)])
        database.close()
        return str(path)

    def test_pickles_are_read_and_never_run(self):
        mark = self.schedd.dir / "evil"
        os.environ["SCHEDD_EVIL"] = str(mark)
        bomb = b"\x80\x04]\x94" + b"".join(b"]\x94(h" + bytes([i]) + b"h" + bytes([i]) + b"e" for i in range(60)) + b"."
        deep = b"\x80\x04" + b"]" * 10000 + b"a" * 9999 + b"."
        evil = {"id": "x", "func": "calls:nothing", "trigger": Evil(), "args": [], "kwargs": {}}
        argument = {"id": "x", "func": "calls:nothing", "trigger": None, "args": [Evil()], "kwargs": {}}
        states = [pickle.dumps(Evil()), pickle.dumps(evil), pickle.dumps(argument), pickle.dumps(evil, protocol=0), bomb,
                  deep, b"", b".", b"\x80\x04", b"cos\nsystem\n(S'touch /tmp/x'\ntR.", pickle.dumps({"id": 1}),
                  pickle.dumps([1, 2]), os.urandom(4096), b"\x80\x04" + b"X\xff\xff\xff\xff" + b"x" * 100]
        code, out, err = self.schedd.ctl("import", "apscheduler", self.store(states))
        self.assertEqual((code, self.rpc.call("job.list")["jobs"]), (7, []), out + err)
        self.assertEqual(len([line for line in err.splitlines() if "hostile.sqlite: " in line]), len(states), err)
        self.assertFalse(mark.exists(), "a pickle was run")

    def test_arguments_that_contain_themselves_are_named(self):
        round_, list_, shared = {}, [], [1, 2]
        round_["self"] = round_
        list_.append([{"deep": list_}])
        state = {"version": 1, "func": "calls:takes_all", "executor": "default", "name": "x", "misfire_grace_time": 1, "coalesce": True,
                 "max_instances": 1, "trigger": DateTrigger(datetime(2040, 1, 1), "UTC"), "next_run_time": datetime(2040, 1, 1)}
        rows = [{**state, "id": f"job{i}", "args": args, "kwargs": kwargs}
                for i, (args, kwargs) in enumerate((((), round_), ((list_,), {}), ((shared, shared, [shared]), {"a": shared})))]
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            with self.subTest(protocol=protocol):
                _, err = self.bring(self.store([pickle.dumps(row, protocol) for row in rows]), "--replace")
                for job in ("job0", "job1"):
                    self.assertIn(f"{job}: a Python object in it is of no known kind", err)
                self.assertEqual([job["id"] for job in self.rpc.call("job.list")["jobs"]], ["job2"])
                self.assertEqual(self.rpc.call("job.get", id="job2")["call"]["args"], [[1, 2], [1, 2], [[1, 2]]])

    def test_places_that_are_none(self):
        for place, code, words in (
                ("rethinkdb://localhost/db", 2, "export_jobs"), ("zookeeper://localhost:x", 2, "are no hosts and ports"),
                ("/nonexistent.sqlite", 7, "No such file"), ("sqlite:////nonexistent.sqlite", 4, "unable to open"),
                ("sqlite://", 2, "names no file"), ("postgresql://nobody@127.0.0.1:1/x", 1, "PostgreSQL: ")):
            with self.subTest(place=place):
                got, _, err = self.schedd.ctl("import", "apscheduler", place)
                self.assertEqual(got, code, err)
                self.assertIn(words, err)


if __name__ == "__main__":
    unittest.main()
