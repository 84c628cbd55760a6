# SPDX-License-Identifier: MIT
"""The HTTP side beside a bare evhttp that answers the same bytes, and beside Flask-APScheduler. One line of JSON for each figure.

  bench_http.py BARE [PART…]    BARE: bench_http; parts: get flask events memory; SCHEDD and SCHEDCTL are the programs
"""
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "e2e")]
import e2e  # noqa: E402
from test_http import free_port  # noqa: E402

BARE = sys.argv[1]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = os.environ.get("BENCH_SECONDS", "4")
READERS = 1000
PACKAGES = ("Flask-APScheduler==1.13.1", "Flask==3.0.3", "APScheduler==3.11.0", "gunicorn==23.0.0", "setuptools<81")
REAL = """
from flask import Flask
from flask_apscheduler import APScheduler
class Config:
    SCHEDULER_API_ENABLED = True
    SCHEDULER_TIMEZONE = "UTC"
    JOBS = [{"id": "a", "func": "os:getpid", "trigger": "interval", "seconds": 3600}]
app = Flask(__name__)
app.config.from_object(Config())
scheduler = APScheduler()
scheduler.init_app(app)
scheduler.start()
"""


def show(bench, **figures):
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


class Server:
    def __init__(self, web=True, config=""):
        self.port = free_port()
        self.daemon = e2e.Daemon()
        text = "stores: {default: {type: memory}}\n" + config
        if web:
            text += f"http: {{listen: ['127.0.0.1:{self.port}'], tokens: {self.daemon.dir}/tokens, connections: 4096}}\n"
        self.daemon.config.write_text(text)
        self.daemon.start()
        self.client = self.daemon.client()
        self.token = self.client.call("token.add", name="b", role="admin")["token"] if web else None

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return body

    def end(self):
        self.daemon.end()


def wrk(url, *headers, connections=64):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", *(part for header in headers for part in ("-H", header)), url]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text, text
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])


def cpu(pid):
    """Seconds that the process has computed."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def loaded(pid, url, *headers):
    """Requests a second, and microseconds of the process for each: that does not depend on who else computes."""
    before = cpu(pid)
    rate = wrk(url, *headers)
    return rate, (cpu(pid) - before) * 1e6 / (rate * float(SECONDS))


def await_port(port):
    def up():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False
    e2e.wait_until("it listens", up, 60)


def part_get():
    server = Server()
    server.client.call("job.add", id="a", command=["/bin/true"], trigger={"every": 3600})
    path = server.daemon.dir / "body"
    path.write_bytes(server.get("/api/v1/jobs/a"))
    port = free_port() + 1
    with subprocess.Popen([BARE, str(port), str(path)]) as bare:
        await_port(port)
        rounds = [(loaded(server.daemon.process.pid, f"http://127.0.0.1:{server.port}/api/v1/jobs/a", f"Authorization: Bearer {server.token}"),
                   loaded(bare.pid, f"http://127.0.0.1:{port}/api/v1/jobs/a", f"Authorization: Bearer {server.token}")) for _ in range(ROUNDS)]
        bare.kill()
    show("http_get", per_s=statistics.median(a[0] for a, _ in rounds), bare_per_s=statistics.median(b[0] for _, b in rounds), bytes=path.stat().st_size,
         ratio_to_bare=statistics.median(a[0] / b[0] for a, b in rounds), goal_ratio_to_bare=0.8,
         cpu_us=statistics.median(a[1] for a, _ in rounds), bare_cpu_us=statistics.median(b[1] for _, b in rounds),
         cpu_ratio=statistics.median(b[1] / a[1] for a, b in rounds))
    server.end()


def part_flask():
    folder = pathlib.Path(BARE).resolve().parent / "pypi-flask"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "-q", "install", "--disable-pip-version-check", *PACKAGES], check=True)
        (folder / "ready").touch()
    server = Server()
    server.client.call("job.add", id="a", command=["/bin/true"], trigger={"every": 3600})
    (server.daemon.dir / "real.py").write_text(REAL)
    port = free_port() + 1
    with subprocess.Popen([folder / "bin/gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "--log-level", "error", "real:app"], cwd=server.daemon.dir) as flask:
        await_port(port)
        time.sleep(1)
        rounds = [(wrk(f"http://127.0.0.1:{server.port}/api/v1/jobs/a", f"Authorization: Bearer {server.token}"),
                   wrk(f"http://127.0.0.1:{server.port}/scheduler/jobs/a", f"Authorization: Bearer {server.token}"),
                   wrk(f"http://127.0.0.1:{port}/scheduler/jobs/a")) for _ in range(ROUNDS)]
        flask.terminate()
    show("http_flask", per_s=statistics.median(r[0] for r in rounds), compatible_per_s=statistics.median(r[1] for r in rounds), flask_per_s=statistics.median(r[2] for r in rounds),
         ratio_to_flask=statistics.median(r[0] / r[2] for r in rounds), goal_ratio_to_flask=12, compatible_times=statistics.median(r[1] / r[2] for r in rounds))
    server.end()


def lateness(server, seconds):
    """p99 in ms of runs that begin meanwhile."""
    begin = time.time()
    time.sleep(seconds)
    delays = []
    for number in range(10):
        runs = server.client.call("run.list", jobs=f"t{number}", limit=seconds * 4)["runs"]
        delays += [run["started_at"] - run["scheduled_at"] for run in runs if run["started_at"] and run["scheduled_at"] > begin * 1e6]
    delays.sort()
    return delays[int(len(delays) * 0.99) - 1] / 1000, len(delays)


def follow(server):
    """So many readers of events, and the program that reads for them."""
    readers = []
    for _ in range(READERS):
        peer = socket.create_connection(("127.0.0.1", server.port))
        peer.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode())
        readers.append(peer)
    e2e.wait_until("all follow", lambda: server.client.call("server.status")["http"]["streams"] == READERS)
    after = server.daemon.memory()
    drain = subprocess.Popen([sys.executable, "-c", DRAIN, *(str(peer.fileno()) for peer in readers)], pass_fds=[peer.fileno() for peer in readers])
    return readers, drain, after


def unfollow(server, readers, drain):
    drain.kill()
    drain.wait()
    for peer in readers:
        peer.close()
    e2e.wait_until("nobody follows", lambda: server.client.call("server.status")["http"]["streams"] == 0)


def part_events():
    server = Server(config="defaults: {keep_runs: 1000}\n")
    for number in range(10):
        server.client.call("job.add", id=f"t{number}", command=["/bin/true"], trigger={"every": 1})
    seconds = int(os.environ.get("BENCH_EVENTS", "12"))
    pause = lateness(server, 2)
    before = server.daemon.memory()
    alone, followed, sizes = [], [], []
    for _ in range(ROUNDS):
        alone.append(lateness(server, seconds))
        readers, drain, after = follow(server)
        followed.append(lateness(server, seconds))
        sizes.append((after, server.daemon.memory()))
        unfollow(server, readers, drain)
    show("http_events", readers=READERS, bytes_each=(sizes[0][0] - before) / READERS, bytes_each_used=(sizes[0][1] - before) / READERS,
         goal_bytes_each_used=8192, lateness_p99_ms=statistics.median(p99 for p99, _ in followed), alone_p99_ms=statistics.median(p99 for p99, _ in alone),
         runs=sum(count for _, count in followed), settled=pause[1])
    server.end()


DRAIN = """
import os, select, sys
poll = select.epoll()
for fd in map(int, sys.argv[1:]):
    poll.register(fd, select.EPOLLIN)
while True:
    for fd, _ in poll.poll():
        os.read(fd, 65536)
"""


def part_memory():
    figures = {}
    for web in (False, True):
        sizes = []
        for _ in range(ROUNDS):
            server = Server(web)
            server.client.call("job.add", id="a", command=["/bin/true"], trigger={"every": 3600})
            if web:
                server.get("/api/v1/jobs/a")
            time.sleep(0.5)
            sizes.append(server.daemon.memory())
            libraries = pathlib.Path(f"/proc/{server.daemon.process.pid}/maps").read_text()
            server.end()
        figures["with" if web else "without"] = statistics.median(sizes)
        figures["with_libraries" if web else "without_libraries"] = [name for name in ("libevent_extra", "libssl", "libmd") if name in libraries]
    show("http_memory", without_bytes=figures["without"], with_bytes=figures["with"], more_bytes=figures["with"] - figures["without"], goal_more_bytes=2500000,
         without_libraries=figures["without_libraries"], with_libraries=figures["with_libraries"])


for part in sys.argv[2:] or ["get", "flask", "events", "memory"]:
    globals()[f"part_{part}"]()
