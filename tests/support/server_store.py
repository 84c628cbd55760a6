# SPDX-License-Identifier: MIT
"""Jobs kept on a server: what a user sees of it when all is well, when it is away, and when schedd or
the server die. The same for all types, with a server that with_server.sh starts for the test alone:

    import server_store
    server_store.serve("mysql")
    class Mysql(server_store.Case): …
"""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import warnings

from e2e import Daemon, wait_until
from server_proxy import FlappingProxy, Listener, SlowProxy, TlsProxy, certificates, dial  # noqa: F401 (of those who import us)


def serve(kind):
    """Begins again under with_server.sh, unless a server is there."""
    if os.environ.get("SCHEDD_TEST_STORE_TYPE") != kind:
        script = os.environ["SCHEDD_SOURCE"] + "/tests/support/with_server.sh"
        os.execvp("sh", ["sh", script, kind, sys.executable, *sys.argv])


URLS = {  # of a host and a port
    "postgresql": "postgresql://u@{}/ops",
    "mysql": "mysql://u@{}/ops",
    "redis": "redis://{}",
    "etcd": "etcd://{}",
    "zookeeper": "zookeeper://{}/s",
    "mongodb": "mongodb://{}/ops",
}


def url():
    return os.environ["SCHEDD_TEST_STORE_URL"]


def sql(text, how="SCHEDD_TEST_SQL"):
    return subprocess.run([*os.environ[how].split(), text], check=True, capture_output=True,
                          text=True).stdout.strip()


def admin(text):
    return sql(text, "SCHEDD_TEST_ADMIN")


def move(*words):
    """What server_moves.sh does to it."""
    subprocess.run([*os.environ["SCHEDD_TEST_MOVE"].split(), *words], check=True, stdout=subprocess.DEVNULL)


def server_pid():
    return int(pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "server.pid").read_text())


def config(name="shared", address=None, **options):
    if os.geteuid() == 0:
        options.setdefault("run_as", "root")
    options = {"timeout": "2s", "connect_timeout": "2s", **options}
    return f"stores:\n  {name}:\n    url: '{address or url()}'\n" + "".join(
        f"    {key}: {text}\n" for key, text in options.items())


def server_processes():
    """None of one that has ended."""
    pid = server_pid()
    try:
        return [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    except FileNotFoundError:
        return []


def server_signal(number):
    """To all of its processes."""
    for each in server_processes():
        try:
            os.kill(each, number)
        except ProcessLookupError:
            pass


def running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def server_restart(number=signal.SIGTERM):
    directory = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"])
    old = server_processes()
    server_signal(number)
    wait_until("the server has ended", lambda: not any(map(running, old)), 60)
    # One that nobody has asked after is still there for some.
    for server in SERVERS:
        server.poll()
    for _ in range(20):
        with open(directory / "log", "ab") as log:
            server = subprocess.Popen(["sh", str(directory / "launch")], stdout=log, stderr=log)
        try:
            # It may find something of the one before and give up.
            server.wait(1)
        except subprocess.TimeoutExpired:
            break
    SERVERS.append(server)
    (directory / "server.pid").write_text(f"{server.pid}\n")


SERVERS = []  # that tests have started: kept, so that nobody misses them
# They outlive the tests, and connections are whose thread it is: a thread that complains of one while the interpreter
# ends would abort it. unittest leaves filters alone where there are options.
sys.warnoptions.append("ignore::ResourceWarning")
warnings.simplefilter("ignore", ResourceWarning)


class Plain(unittest.TestCase):
    """A schedd with an empty store on the server."""
    more = {}  # options of the store

    def setUp(self):
        subprocess.run(os.environ["SCHEDD_TEST_STORE_RESET"], shell=True, check=True)
        self.config = config(**self.more)
        self.daemon = Daemon(self.config)
        self.daemon.start()

    def tearDown(self):
        server_signal(signal.SIGCONT)
        self.assertEqual(self.daemon.end(), "")

    def store(self, name="shared", daemon=None):
        code, out, err = (daemon or self.daemon).ctl("stores", "--json")
        self.assertEqual(code, 0, err)
        return next(store for store in json.loads(out) if store["name"] == name)

    def await_state(self, *states, name="shared"):
        return wait_until(f"the store is {states}",
                          lambda: self.store(name)["state"] in states and self.store(name), 60)

    def ok(self, *argv):
        code, out, err = self.daemon.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def add(self, job, *argv):
        return self.ok("add", "--id", job, "--store", "shared", *argv)

    def runs(self, job, daemon=None):
        """Its run numbers, newest first."""
        code, out, err = (daemon or self.daemon).ctl("history", job, "--json", "-n", "100000")
        self.assertEqual(code, 0, err)
        return [run["run"] for run in json.loads(out)]

    def refused(self, address, words, **options):
        """A store at that address comes to be refused, and says why."""
        name = f"bad{time.monotonic_ns()}"
        given = [f"--option={key}={text}" for key, text in options.items()]
        self.ok("stores", "add", name, address, *given)
        wait_until("it is refused", lambda: self.store(name)["state"] == "refused" or self.store(name)["why"], 30)
        store = self.store(name)
        self.assertIn(words, store["why"])
        self.assertEqual(store["state"], "refused")
        self.ok("stores", "remove", name)

    def begin(self, address=None, **options):
        """Starts schedd anew with that config."""
        self.daemon.stop()
        self.daemon.config.write_text(config(address=address, **options))
        self.daemon.start()

    def everything_said(self):
        process = pathlib.Path(f"/proc/{self.daemon.process.pid}")
        return (self.ok("stores", "--json") + self.ok("stores", "-o", "wide") + self.ok("config", "show")
                + self.daemon.log.read_text() + (process / "cmdline").read_text() + (process / "environ").read_text())

    def password_file(self, secret):
        file = self.daemon.dir / "password"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        return file

    def core(self):
        """What a core file of schedd holds."""
        path, pid = self.daemon.dir / "core", self.daemon.process.pid
        made = subprocess.run(["gcore", "-o", path, str(pid)], capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        file = pathlib.Path(f"{path}.{pid}")
        data = file.read_bytes()
        file.unlink()
        return data

    def search_core(self, secret, user="guarded"):
        self.await_state("ok")
        self.add("x", "--manual", "--", "true")
        self.ok("run", "x", "--wait")
        self.ok("history", "x")
        core = self.core()
        self.assertIn(user.encode(), core, "that is no core file of it")
        self.assertNotIn(secret.encode(), core)
        self.assertNotIn(secret, self.everything_said())
        self.ok("rm", "-y", "x")

    def check_core(self, address, user, secret):
        """With the password in the config, and in a file."""
        self.begin(address=address.replace(f"{user}@", f"{user}:{secret}@"), **self.more)
        self.search_core(secret, user)
        self.begin(address=address, password_file=self.password_file(secret), **self.more)
        self.search_core(secret, user)

    def told(self, address, words, **options):
        """A store at that address cannot be used now, whatever state it has, and says why."""
        name = f"bad{time.monotonic_ns()}"
        options = {"connect_timeout": "1s", "timeout": "1s", **options}
        self.ok("stores", "add", name, address, *(f"--option={key}={text}" for key, text in options.items()))
        why = wait_until("it is said", lambda: self.store(name)["why"], 30)
        self.assertIn(words, why)
        self.ok("stores", "remove", name)

    def check_tls(self, secure, plain, client, cleartext):
        """secure, plain: urls of a host and a port; client: what shows who we are; cleartext: words of who does not speak TLS."""
        made = certificates(self)
        target = int(os.environ["SCHEDD_TEST_SERVER_SOCKET"])
        proxy = TlsProxy(made, target)
        self.addCleanup(proxy.close)
        (made / "both.pem").write_bytes((made / "s.pem").read_bytes() + (made / "s.key").read_bytes())
        client = {key: made / name for key, name in client.items()}
        self.daemon.stop()
        more = {**self.more, "tls_ca": made / "ca.pem", **client}
        for host in ("localhost", "127.0.0.1"):
            self.daemon.config.write_text(config(address=secure.format(f"{host}:{proxy.port}"), **more))
            self.daemon.start()
            self.await_state("ok")
            self.add(host, "--manual", "--", "true")
            self.ok("run", host, "--wait")
            self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        local = f"localhost:{proxy.port}"
        self.refused(secure.format(local), "certificate", **{**client, "tls_ca": made / "other.pem"})
        named = TlsProxy(made, target, "127.0.0.2")
        self.addCleanup(named.close)
        self.refused(secure.format(f"127.0.0.2:{named.port}"), "certificate", **{**client, "tls_ca": made / "ca.pem"})
        self.refused(secure.format(local), "certificate", **client)
        self.told(plain.format(local), "TLS")
        self.told(secure.format(f"localhost:{target}"), cleartext, **{**client, "tls_ca": made / "ca.pem"})

    def test_urls_of_all_other_types(self):
        """As when a Redis url leads to PostgreSQL."""
        self.await_state("ok")
        self.add("mine", "--manual", "--", "true")
        target = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
        proxy = SlowProxy(None, int(target) if target.isdigit() else target, delay=0)
        self.addCleanup(proxy.close)

        def check(kind):
            return kind, self.daemon.ctl("stores", "check", URLS[kind].format(f"127.0.0.1:{proxy.port}"),
                                         "--option", "connect_timeout=2s", "--option", "timeout=2s")
        others = [kind for kind in URLS if kind != os.environ["SCHEDD_TEST_STORE_TYPE"]]
        with concurrent.futures.ThreadPoolExecutor(len(others)) as pool:
            for kind, (code, out, err) in pool.map(check, others):
                with self.subTest(kind):
                    self.assertEqual((code, out), (1, ""), err)
                    self.assertRegex(err, "listens there|another kind of server|answers there|is no MariaDB|is it a Redis "
                                          "server|it must be Redis")
        self.await_state("ok")
        self.ok("run", "mine", "--wait")


class Case(Plain):
    def test_jobs_come_back_with_their_history(self):
        store = self.await_state("ok")
        self.assertIn("survives a crash", store["durability"])
        self.assertNotIn("secret", store["address"])
        self.add("a", "--every", "1s", "--", "true")
        self.add("m", "--manual", "--", "echo", "it's \"so\" \\ 😀")
        wait_until("it ran", lambda: len(self.runs("a")) >= 2)
        self.ok("pause", "a")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.await_state("ok")
        shown = json.loads(self.ok("show", "a", "--json"))
        self.assertEqual(shown["state"], "paused")
        self.assertIn("😀", json.loads(self.ok("show", "m", "--json"))["command"][1])
        self.assertEqual(self.runs("a"), list(range(shown["last_run"], 0, -1)))

    def test_nothing_is_lost_or_done_twice_when_schedd_or_the_server_is_killed(self):
        self.await_state("ok")
        ran = self.daemon.dir / "ran"
        jobs = [f"j{i}" for i in range(10)]
        for job in jobs:
            self.add(job, "--every", "1s", "--", "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        for kill in range(int(os.environ.get("KILLS", "8"))):
            time.sleep(0.4)
            if kill % 4 in (2, 3):
                server_restart(signal.SIGKILL)
            if kill % 4 != 3:
                self.daemon.stop(signal.SIGKILL)
                self.daemon.start()
            self.await_state("ok")
        wait_until("more ran", lambda: ran.exists() and len(ran.read_text().split()) > 20, 60)
        for job in jobs:  # one is tried once more where a busy server did not answer in time
            wait_until("it is paused", lambda job=job: self.daemon.ctl("pause", job)[0] == 0, 60)
        rows = {f"{job}/{number}" for job in jobs for number in self.runs(job)}
        self.daemon.stop()
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)), "a run was executed twice")
        self.assertFalse(set(lines) - rows, "a run has no row")

    def test_a_server_that_is_away_holds_up_its_own_jobs_alone(self):
        self.await_state("ok")
        self.add("far", "--every", "1s", "--", "true")
        self.ok("add", "--id", "near", "--every", "1s", "--", "true")
        wait_until("it ran", lambda: self.runs("far"))
        server_signal(signal.SIGSTOP)
        self.await_state("away")
        before = len(self.runs("near"))
        began = time.monotonic()
        code, _, err = self.daemon.ctl("pause", "far")
        self.assertEqual(code, 1, err)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("shared", err)
        wait_until("the other store's job goes on", lambda: len(self.runs("near")) >= before + 3)
        self.assertIn("away", self.ok("stores"))
        server_signal(signal.SIGCONT)
        self.await_state("ok")
        count = len(self.runs("far"))
        wait_until("it goes on", lambda: len(self.runs("far")) > count, 60)
        self.ok("pause", "far")

    def test_the_outbox_has_a_limit(self):
        self.daemon.stop()
        self.daemon.config.write_text(config(**{**self.more, "outbox": 5}))
        self.daemon.start()
        self.await_state("ok")
        go = self.daemon.dir / "go"
        self.add("o", "--manual", "--max-instances", "20", "--", "sh", "-c",
                 f"echo said; until test -e {go}; do sleep 0.05; done")
        for _ in range(12):
            self.ok("run", "o")
        for number in range(1, 13):
            self.ok("wait", f"o/{number}", "--for", "running")
        server_signal(signal.SIGSTOP)
        self.await_state("away")
        go.touch()
        wait_until("all have ended", lambda: self.store()["kept"] == 12, 60)
        self.assertEqual(self.store()["dropped"], 7)
        self.assertEqual(self.daemon.log.read_text().count("more than 5 runs that ended wait for it"), 1)
        self.assertIn("more than 5 runs", self.ok("events", "--since", "0"))
        server_signal(signal.SIGCONT)
        self.await_state("ok")
        wait_until("all are written", lambda: [run["state"] for run in json.loads(
            self.ok("history", "o", "--json"))] == ["success"] * 12, 60)
        self.assertEqual(self.store()["kept"], 0)
        self.assertIn("7 runs that ended meanwhile have lost their output", self.daemon.log.read_text())
        said = [self.daemon.ctl("logs", f"o/{number}")[1].count("said") for number in range(1, 13)]
        self.assertEqual(sum(said), 5, said)

    def test_schedd_starts_without_its_server(self):
        self.await_state("ok")
        self.add("far", "--manual", "--", "true")
        self.daemon.stop()
        server_signal(signal.SIGSTOP)
        self.daemon.start()
        self.assertIn(self.store()["state"], ("connecting", "away"))
        self.ok("add", "--id", "near", "--manual", "--", "true")
        code, _, err = self.daemon.ctl("add", "--id", "far", "--store", "shared", "--manual", "--", "false")
        self.assertEqual(code, 1, err)
        self.assertIn("has not been read yet", err)
        server_signal(signal.SIGCONT)
        self.await_state("ok")
        wait_until("its jobs are there", lambda: self.daemon.ctl("show", "far")[0] == 0)

    def test_an_owner_at_a_time(self):
        self.await_state("ok")
        self.add("far", "--every", "1s", "--", "true")
        other = Daemon(self.config)
        try:
            other.start()
            wait_until("the second is told who has it", lambda: "it belongs to schedd on " in other.ctl("stores")[1])
            self.daemon.stop(signal.SIGKILL)
            wait_until("the second takes over", lambda: other.ctl("show", "far")[0] == 0, 60)
            wait_until("it runs there", lambda: self.runs("far", other))
        finally:
            self.assertEqual(other.end(), "")

    def test_a_server_that_takes_no_writes(self):
        self.await_state("ok")
        self.add("far", "--manual", "--", "true")
        move("read-only")
        try:
            wait_until("it is known", lambda: self.daemon.ctl("pause", "far")[0] == 1)
            self.await_state("read-only")
        finally:
            move("writable")
        self.await_state("ok")
        self.ok("pause", "far")

    def test_it_is_added_and_removed_and_no_secret_is_shown(self):
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        secret = "s3cret-of-the-test"
        more = ["--option", "run_as=root"] if os.geteuid() == 0 else []
        self.ok("stores", "add", "pg", self.with_password(secret), "--option", "timeout=2s", *more)
        wait_until("it is there", lambda: self.store("pg")["state"] == "ok")
        self.ok("add", "--id", "x", "--store", "pg", "--manual", "--", "true")
        code, _, err = self.daemon.ctl("stores", "remove", "pg")
        self.assertEqual(code, 5, err)
        everything = self.ok("stores", "--json") + self.ok("config", "show") + self.daemon.log.read_text()
        self.assertNotIn(secret, everything)
        self.ok("rm", "-y", "x")
        self.ok("stores", "remove", "pg")
        self.assertNotIn(url().split(":")[0] + ":", self.ok("stores"))

    def test_a_server_that_is_far_away(self):
        """300 ms each way, with the time-outs as they are when nobody says any."""
        self.daemon.stop()
        near, path = self.socket_of_server()
        with tempfile.TemporaryDirectory() as directory:
            far = url().replace(str(near), directory)
            proxy = SlowProxy(path.replace(str(near), directory), path)
            try:
                self.daemon.config.write_text(config(address=far, timeout="10s", connect_timeout="5s"))
                self.daemon.start()
                self.await_state("ok")
                began = time.monotonic()
                self.add("far", "--every", "1s", "--", "true")
                self.assertLess(time.monotonic() - began, 5)
                wait_until("it runs each second all the same", lambda: len(self.runs("far")) >= 4, 30)
                self.daemon.stop()
            finally:
                proxy.close()

    def socket_of_server(self):
        """(directory that the url names, path of the server's socket)"""
        raise NotImplementedError

    def with_password(self, secret):
        """A url that the server takes, whatever the password."""
        return url().replace("schedd@", f"schedd:{secret}@")

    def check_bad_input(self, cases):
        """(url, options, exit status, words) each."""
        for address, options, code, words in cases:
            got, _, err = self.daemon.ctl("stores", "add", "bad", address, *options)
            self.assertEqual(got, code, f"{address} {options}: {err}")
            self.assertIn(words, err)



def with_login(user, password=None):
    """The url of that account."""
    secret = f":{urllib.parse.quote(password, safe='')}" if password else ""
    return re.sub("//(schedd@)?", f"//{user}{secret}@", url(), count=1)


class Guarded(Case):
    """Also for types of which server_moves.sh knows the password of the account "guarded"."""

    def test_a_password_that_is_wrong_and_changes(self):
        good, bad, later = "p@ss:w/rd%-of-one", "not-the-good-one", "another-of-later"
        file = self.password_file(bad)
        move("password", good)
        self.begin(with_login("guarded"), password_file=file)
        self.assertIn("password", self.await_state("refused")["why"])
        self.password_file(good)
        self.await_state("ok")
        self.add("x", "--manual", "--", "true")
        move("password", later)
        move("cut")
        self.await_state("refused")
        self.password_file(later)
        self.await_state("ok")
        said = self.everything_said()
        for secret in (good, bad, later):
            self.assertNotIn(secret, said)

    @unittest.skipIf(os.environ.get("SCHEDD_SANITIZE"), "a sanitizer's memory is its own")
    def test_a_core_file_has_no_password(self):
        secret = "Zq7-vErY.seCret~Token4711"
        move("password", secret)
        self.begin(with_login("guarded"), password_file=self.password_file(secret))
        self.search_core(secret)
        self.begin(with_login("guarded", secret))
        self.search_core(secret)
        self.daemon.stop()
        self.daemon.config.write_text("")
        self.daemon.start()
        self.daemon.client().call("store.add", name="shared", url=with_login("guarded", secret),
                                  options={"run_as": "root"} if os.geteuid() == 0 else {})
        self.search_core(secret)

    def test_a_server_that_flaps(self):
        proxy = FlappingProxy(os.environ["SCHEDD_TEST_PROXY_SOCKET"], os.environ["SCHEDD_TEST_SERVER_SOCKET"])
        self.addCleanup(proxy.close)
        self.begin(os.environ["SCHEDD_TEST_PROXY_URL"])
        self.await_state("ok")
        ran = self.daemon.dir / "ran"
        jobs = [f"j{i}" for i in range(5)]
        for job in jobs:
            self.add(job, "--every", "1s", "--", "sh", "-c", f"echo $SCHEDD_RUN >> {ran}")
        for _ in range(30):
            time.sleep(0.1)
            proxy.cut()
        self.await_state("ok")
        count = len(ran.read_text().split()) if ran.exists() else 0
        wait_until("it goes on", lambda: ran.exists() and len(ran.read_text().split()) > count + 5, 60)
        for job in jobs:  # one is tried once more where a busy server did not answer in time
            wait_until("it is paused", lambda job=job: self.daemon.ctl("pause", job)[0] == 0, 60)
        rows = {f"{job}/{number}" for job in jobs for number in self.runs(job)}
        lines = ran.read_text().split()
        self.assertEqual(len(lines), len(set(lines)), "a run was executed twice")
        self.assertFalse(set(lines) - rows, "a run has no row")
