# SPDX-License-Identifier: MIT
"""schedctl --url: every verb over HTTP says and answers what it does over the socket; what is wrong with the way there is named."""
import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time
import unittest

import e2e
from test_http import HttpCase, free_port

JOBS = """version: 1
jobs:
  nightly: {trigger: {cron: '30 2 * * *'}, command: [/bin/echo, "ünïcode"], tags: {team: ops}}
  chain: {after: [nightly], shell: 'exit 3'}
"""
# Each as it would be typed; {dir}: a directory of the test's own. What differs by nature is made alike by plain().
SCRIPT = """
version
ping
add --id a --cron '*/5 * * * *' --tz Europe/Berlin -t team=ops -- /bin/echo one two
add --id b --every 1h --paused --description 'späte Läufe' --sh 'echo out; echo err >&2; exit 3'
add --id a --manual -- true
add --id c --cron '61 * * * *' -- true
add --id c --at 2001-01-01 -- true
add --id s --manual --capture split -- sh -c 'printf "\\377\\001raw\\n"; echo err >&2'
add --id long --manual -- sleep 100
add --json --id j --manual -- true
list
ls -o json
ls -o jsonl --columns id,state
ls -t team=ops -o name
ls 'b*' --sort -id -o tsv
ls nosuch
show a
show a b --json
show nosuch
show nosuch --json
show a --field command
run s -w
run s --exit-status
run b -w
run b --exit-status
run b -f
run nosuch
logs s
logs s --raw
logs s --stderr
logs s/2 --json
logs s/9
logs b -f
history
history b --json
history --state failed -o name
wait s
wait s/1 --for success
wait b --for success
run long
wait long --timeout 0.2s
wait long/1 --for running
kill long/1
wait long/1
kill long/1
kill nosuch
retry b/1
wait b --timeout 20s
retry b/99
pause a --reason because
pause 'a' 'b' nosuch
pause --all
pause --all -y
resume a b
resume --all -y
pause --scheduler
status --columns state,paused
resume --scheduler
modify a --description x --timeout 5s
modify a --unset description
modify a
set nosuch --timeout 1s
reschedule a --every 10m
rename a z
copy z y
rename z y
next z -n 2 --from 2027-01-01
next --cron '0 9 * * 1-5' -n 3 --from 2027-01-01
why b
why nosuch
stats
executors
stores
groups
events --since 0 -o json --columns event,job
apply -f {dir}/jobs.yaml --dry-run
apply -f {dir}/jobs.yaml --owner me
apply -f {dir}/jobs.yaml --owner me --json
diff -f {dir}/jobs.yaml
check {dir}/jobs.yaml
apply -f {dir}/bad.yaml
apply -f {dir}/many.yaml
list -o name
list --limit 5 -o name
export --as yaml chain nightly
export --as json nightly
export --as crontab nightly
import crontab {dir}/crontab
simulate --from 2027-01-01 --until 2027-01-02 --json nightly
config show limits.clients
config show --json http.connections
token list
token list --json
token remove nosuch
reload
-U root list -o name
-U nosuch list
rm y z
rm nosuch
rm 'big*' -y
remove --all -y
list
nosuchverb
run
list --rpc-timeout 0
backup {dir}/backup
shutdown
"""


def plain(text, server):
    for name in (str(server.dir), str(server.dir.resolve())):
        text = text.replace(name, "DIR")
    text = re.sub(r"http://127\.0\.0\.1:\d+", "DIR/s.sock", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "LISTEN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "TIME", text)
    text = re.sub(r'"(pid|seq|time|memory|max_rss|cpu_seconds|duration|rss|uptime|started_at|.*_p\d+|longest_piece)":[^,}]*', r'"\1":N', text)
    text = re.sub(r"^(pid|memory|since|uptime):.*$", r"\1: N", text, flags=re.M)
    text = re.sub(r"\(\d+\.\d+[KM]\)", "(N)", text)
    text = re.sub(r"\b\d+m\d+s\b", "LEFT", text)
    return re.sub(r"\b\d+(\.\d+)?(ms|s|M|K|%)?(?=[ :;,]|\.(?!\d)|$|\n)|\bin \w+", "N", re.sub(r" +", " ", text))


class UrlCase(HttpCase):
    def serve(self, extra="", **options):
        server = super().serve(extra, **options)
        server.token = server.dir / "token"
        server.token.write_text(self.admin + "\n")
        server.url = f"http://127.0.0.1:{self.port}"
        return server

    def schedctl(self, *argv, env=None, server=None):
        server = server or self.server
        base = {k: v for k, v in server.environment().items() if k != "SCHEDD_SOCKET"}
        base.update({"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"})
        done = subprocess.run([e2e.SCHEDCTL, *argv], env={**base, **(env or {})}, timeout=120, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")

    def over(self, *argv, **options):
        return self.schedctl("--url", self.server.url, "--token-file", str(self.server.token), *argv, **options)


class Verbs(UrlCase):
    def files(self, server):
        (server.dir / "jobs.yaml").write_text(JOBS)
        (server.dir / "bad.yaml").write_text("version: 1\njobs:\n  x: {trigger: {cron: 'x'}, shell: 'true'}\n")
        big = ",\n".join(f'"big{i}": {{"trigger": {{"manual": true}}, "shell": "true", "description": "{"d" * 700}"}}' for i in range(9000))
        (server.dir / "many.yaml").write_text(f'{{"version": 1, "jobs": {{{big}}}}}')
        (server.dir / "crontab").write_text("0 5 * * * /bin/true\nnonsense\n")

    def test_every_verb_over_both(self):
        """Two daemons live the same life, one by its socket and one by HTTP."""
        one, port = self.serve(), self.port
        two = self.serve()
        self.assertNotEqual(port, self.port)
        self.files(one)
        self.files(two)
        seen = set()
        for line in SCRIPT.strip().splitlines():
            sides = []
            for server, url in ((one, False), (two, True)):
                argv = shlex.split(line.replace("{dir}", str(server.dir)).replace("\\377", "\\\\377").replace("\\001", "\\\\001").replace("raw\\n", "raw\\\\n"))
                where = ["--url", server.url, "--token-file", str(server.token)] if url else ["--socket", str(server.socket)]
                status, out, err = self.schedctl(*argv, *where, server=server) if "--" not in argv else self.schedctl(*where, *argv, server=server)
                sides.append((status, plain(out, server), plain(err, server)))
            with self.subTest(line):
                self.assertEqual(sides[0][:2], sides[1][:2], sides)
                self.assertEqual(sides[0][2], sides[1][2])
            seen.add(sides[0][0])
        self.assertLessEqual({0, 1, 2, 4, 5, 7, 8, 10}, seen)
        self.assertEqual((one.process.wait(20), two.process.wait(20)), (0, 0))

    def test_bytes_that_are_no_text_come_as_they_are(self):
        self.serve()
        self.over("add", "--id", "raw", "--manual", "--", "printf", r"\377\000\001\n")
        self.assertEqual(self.over("run", "raw", "-w")[0], 0)
        self.assertEqual(self.over("logs", "raw", "--raw")[1], "\udcff\0\x01\n")


class Streams(UrlCase):
    def popen(self, *argv):
        env = {**self.server.environment(), "SCHEDD_URL": self.server.url, "SCHEDD_TOKEN_FILE": str(self.server.token), "NO_PROXY": "*"}
        del env["SCHEDD_SOCKET"]
        child = subprocess.Popen([e2e.SCHEDCTL, *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def test_output_and_events_as_they_come(self):
        server = self.serve()
        gate = server.dir / "gate"
        os.mkfifo(gate)
        self.over("add", "--id", "g", "--manual", "--sh", f"echo first; read x <{gate}; echo $x; exit 7")
        events = self.popen("events", "-f", "-o", "jsonl", "--columns", "event,run")
        run = self.popen("run", "g", "-f", "--exit-status")
        self.assertEqual([run.stdout.readline() for _ in range(1)], ["g/1\n"])
        self.assertEqual(run.stdout.readline(), "first\n")
        logs = self.popen("logs", "g", "-f")
        self.assertEqual(logs.stdout.readline(), "first\n")
        wait = self.popen("wait", "g/1", "--for", "success")
        # Other calls are answered while those wait.
        self.assertEqual(self.over("ls", "-o", "name")[1], "g\n")
        with open(gate, "w", encoding="ascii") as feed:
            feed.write("second\n")
        self.assertEqual((run.stdout.read(), run.wait(20)), ("second\n", 7))
        self.assertEqual((logs.stdout.read(), logs.wait(20)), ("second\n", 0))
        self.assertEqual(wait.wait(20), 10)
        while "job_error" not in (line := events.stdout.readline()):
            self.assertTrue(line, "the events end before the run's")
        self.assertIn('"run":"g/1"', line.replace(" ", ""))
        self.assertIsNone(events.poll())

    def test_the_end_of_the_daemon_is_seen(self):
        server = self.serve()
        self.over("add", "--id", "s", "--manual", "--", "sleep", "1000")
        self.over("run", "s")
        children = {name: self.popen(*argv) for name, argv in
                    {"events": ("events", "-f"), "wait": ("wait", "s"), "logs": ("logs", "s", "-f")}.items()}
        status = server.client()
        e2e.wait_until("all three wait", lambda: status.call("server.status")["http"]["streams"] >= 3)
        server.process.send_signal(signal.SIGKILL)
        for name, child in children.items():
            with self.subTest(name):
                said = child.stderr.read()
                self.assertEqual(child.wait(20), 3, said)
                self.assertIn("closed the connection", said)

    def test_nothing_is_left_behind(self):
        """A follower that is killed takes its helper with it, and its connection."""
        server = self.serve()
        child = self.popen("events", "-f")
        status = server.client()
        e2e.wait_until("it follows", lambda: status.call("server.status")["http"]["streams"] == 1)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(20), 130)
        e2e.wait_until("the connection is gone", lambda: status.call("server.status")["http"]["connections"] == 0)
        helper = subprocess.run(["pgrep", "-f", f"schedctl-url {server.url}"], capture_output=True, text=True, check=False)
        self.assertEqual(helper.stdout, "")


class Ways(UrlCase):
    def test_options_and_the_environment(self):
        server = self.serve()
        env = {"SCHEDD_URL": server.url, "SCHEDD_TOKEN_FILE": str(server.token)}
        self.assertEqual(self.schedctl("add", "--id", "x", "--manual", "--", "true", env=env)[:2], (0, "x\n"))
        self.assertEqual(self.schedctl("ls", "-o", "name", "--socket", str(server.socket), env={"SCHEDD_URL": "http://127.0.0.1:1"})[:2], (0, "x\n"))
        self.assertEqual(self.schedctl("ls", "-o", "name", env={**env, "SCHEDD_SOCKET": "/nosuch"})[:2], (0, "x\n"))
        self.assertEqual(self.schedctl("ls", "-o", "name", "--url", server.url + "/", env={**env, "SCHEDD_URL": "http://127.0.0.1:1"})[:2], (0, "x\n"))
        self.assertEqual(self.schedctl("ls", "-o", "name", "--url", server.url.replace("127.0.0.1", "LOCALHOST").replace("http", "HTTP"), env=env)[:2], (0, "x\n"))
        for argv, words in ((["--url", server.url], "--token-file"), (["--url", server.url, "--socket", "/x"], "--socket contradict"),
                            (["--url", server.url, "--host", "x"], "--host contradict"), (["--url", ""], "no https://"), (["--url", "ftp://h"], "no https://"),
                            (["--url", "http://"], "must be"), (["--url", "http://:1"], "must be"), (["--url", "http://h/?x=1"], "must be"), (["--url", "127.0.0.1:8630"], "no https://"),
                            (["--url", "http://me:pw@127.0.0.1"], "takes no password")):
            with self.subTest(argv=argv):
                extra = [] if "token" in words else ["--token-file", str(server.token)]
                status, out, err = self.schedctl("list", *argv, *extra)
                self.assertEqual((status, out), (2, ""), err)
                self.assertIn(words, err)
        # Help and what needs no daemon is not held up by them.
        self.assertEqual(self.schedctl("next", "--cron", "0 9 * * *", "-n", "1", env={"SCHEDD_URL": "http://192.0.2.1:1"})[0], 0)

    def test_files_of_tokens(self):
        server = self.serve()
        for text, good in ((self.admin, True), (self.admin + "\r\n", True), (self.admin + "\nsecond\n", True), ("", False), ("\n", False), ("two words\n", False), ("\x01\n", False)):
            server.token.write_text(text)
            with self.subTest(text=text):
                status, _, err = self.over("list")
                self.assertEqual(status, 0 if good else 7, err)
        server.token.unlink()
        status, _, err = self.over("list", "--json")
        self.assertEqual((status, json.loads(err)["error"]["code"]), (7, "invalid_file"))
        server.token.write_text("0" * 64)
        status, _, err = self.over("list")
        self.assertEqual(status, 6)
        self.assertIn("is not valid there", err)
        self.assertNotIn("0" * 64, err)

    def test_each_role_may_what_it_may(self):
        server = self.serve()
        token = server.client().add_token(name="o", role="operator")
        self.over("add", "--id", "x", "--manual", "--", "true")
        server.token.write_text(token)
        self.assertEqual(self.over("run", "x", "-w")[0], 0)
        for argv in (("rm", "x"), ("modify", "x", "--timeout", "1s"), ("add", "--manual", "--", "id"), ("token", "list"), ("shutdown",)):
            with self.subTest(argv=argv):
                status, _, err = self.over(*argv)
                self.assertEqual(status, 6, err)

    def test_an_account_narrows_each_call_and_no_other(self):
        if os.geteuid():
            self.skipTest("needs root to have jobs of others")
        server = self.serve(extra="users: {allow: [games]}\n")
        root = server.client()
        token = root.add_token(name="g", role="user", account="games")
        self.over("add", "--id", "r", "--manual", "--", "true")
        self.ask("PUT", "/api/v1/jobs/mine", {"shell": "true", "trigger": {"manual": True}}, token=token)
        self.assertEqual(self.over("list", "-o", "name")[1].split(), ["games:mine", "r"])
        self.assertEqual(self.over("-U", "games", "list", "-o", "name")[1], "mine\n")
        self.assertEqual(self.over("-U", "games", "run", "mine", "-w")[:2], (0, "mine/1\n"))
        # On one connection, as a browser would: the next call is not narrowed.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(connection.close)
        for path, body, ids in (("/api/v1/rpc/server.hello", '{"account": "games"}', None), ("/api/v1/rpc/job.list", "{}", ["games:mine", "r"])):
            connection.request("POST", path, body=body, headers={"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            if ids:
                self.assertEqual(sorted(job["id"] for job in answer["jobs"]), ids)

    def test_nobody_or_another_answers(self):
        server = self.serve()
        nobody = free_port()
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        said = {"silent": b"", "not http": b"220 smtp ready\r\n", "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello",
                "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "a proxy": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
                "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                "garbage": b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: 9\r\n\r\n\xc1garbage!", "half": b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: 9\r\n\r\n\x94\x01"}
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for name, answer in said.items():
            def one(answer=answer):
                peer, _ = listening.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(answer)
            thread = threading.Thread(target=one)
            thread.start()
            with self.subTest(name):
                status, out, err = self.schedctl("--url", url, "--token-file", str(server.token), "list")
                self.assertEqual((status, out), (3, ""), err)
                self.assertTrue(err.startswith("schedctl: ") and url in err, err)
            thread.join()
        status, _, err = self.schedctl("--url", f"http://127.0.0.1:{nobody}", "--token-file", str(server.token), "ping")
        self.assertEqual(status, 3, err)
        begin = time.monotonic()
        self.assertEqual(self.schedctl("--url", f"http://127.0.0.1:{nobody}", "--token-file", str(server.token), "ping", "--wait-ready", "300ms")[0], 3)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)

    def test_who_does_not_answer_in_time(self):
        server = self.serve()
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        status, _, err = self.schedctl("--url", f"http://127.0.0.1:{silent.getsockname()[1]}", "--token-file", str(server.token), "--rpc-timeout", "300ms", "list")
        self.assertEqual(status, 8, err)
        server.process.send_signal(signal.SIGSTOP)
        try:
            self.assertEqual(self.over("--rpc-timeout", "300ms", "list")[0], 8)
        finally:
            server.process.send_signal(signal.SIGCONT)

    def test_schedctl_alone_has_no_library_for_it(self):
        libraries = subprocess.run(["ldd", e2e.SCHEDCTL], capture_output=True, text=True, check=True).stdout
        for name in ("libcurl", "libssl", "libcrypto"):
            self.assertNotIn(name, libraries)


class Tls(UrlCase):
    def test_certificates_are_looked_at(self):
        folder = e2e.pathlib.Path(e2e.tempfile.mkdtemp(prefix="schedd-tls."))
        self.addCleanup(e2e.shutil.rmtree, folder)
        for name, subject in (("good", "/CN=127.0.0.1"), ("other", "/CN=other")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", subject, "-addext",
                            "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
        server = self.serve(extra=f"  tls: {{certificate: {folder}/good.pem, key: {folder}/good.key}}\n")
        server.url = f"https://127.0.0.1:{self.port}"
        self.assertEqual(self.over("add", "--id", "x", "--manual", "--ca-file", f"{folder}/good.pem", "--", "echo", "safe")[:2], (0, "x\n"))
        for turn in range(20):  # pieces of an answer that come one soon after the other
            self.assertEqual(self.over("run", "x", "-f", env={"SCHEDD_CA_FILE": f"{folder}/good.pem"})[:2], (0, f"x/{turn + 1}\nsafe\n"))
        for argv, status, words in (((), 3, "certificate is not trusted"), (("--ca-file", f"{folder}/other.pem"), 3, "certificate is not trusted"),
                                    (("--ca-file", "/nosuch"), 7, "--ca-file"), (("--ca-file", f"{folder}/good.key"), 7, "--ca-file")):
            with self.subTest(argv=argv):
                got, out, err = self.over("list", *argv)
                self.assertEqual((got, out), (status, ""), err)
                self.assertIn(words, err)
        server.url = f"http://127.0.0.1:{self.port}"
        self.assertEqual(self.over("list")[0], 3)
        server.url = f"https://127.0.0.1:{self.port}"
        self.assertEqual(self.over("shutdown", "--ca-file", f"{folder}/good.pem")[0], 0)
        self.assertEqual(server.process.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
