# SPDX-License-Identifier: MIT
"""What one client waits for a ping while another one is served with as much as the limits allow.

  bench_fairness.py [PART…]    SCHEDD and SCHEDCTL are the programs; JOBS (100000) is how many there are

One line of JSON for each part: milliseconds of a ping, and of them what the loop's thread computed for others.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import e2e  # noqa: E402
import msgpack  # noqa: E402

JOBS = int(os.environ.get("JOBS", "100000"))
BIG = "limits:\n  apply: 256M\n"
GOAL_MS = 20


def loop_ms(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def ping_for_ever(path, pid):
    """A process of its own: what its parent computes does not count."""
    client = e2e.Client(path, timeout=600)
    os.set_blocking(0, False)
    waits, worked = [], []
    while True:
        used, begun = loop_ms(pid), time.monotonic()
        client.call("server.ping")
        waits.append((time.monotonic() - begun) * 1e3)
        worked.append(loop_ms(pid) - used)
        try:
            if sys.stdin.buffer.read(1) == b"":
                break
        except BlockingIOError:
            pass
        time.sleep(0.0005)
    json.dump([waits, worked], sys.stdout)


class Beside:
    """Pings for as long as a part goes on, and a line about them."""

    def __init__(self, daemon, name, **more):
        self.daemon, self.name, self.more = daemon, name, more

    def __enter__(self):
        pid = self.daemon.process.pid
        self.child = subprocess.Popen([sys.executable, __file__, "--ping", str(self.daemon.socket), str(pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(0.3)
        self.begun = time.monotonic()
        return self

    def __exit__(self, kind, value, trace):
        self.more["seconds"] = round(time.monotonic() - self.begun, 3)
        time.sleep(0.3)
        waits, worked = (sorted(column) for column in json.loads(self.child.communicate()[0]))

        def at(column, part):
            return round(column[min(len(column) - 1, int(len(column) * part))], 2)
        print(json.dumps({"bench": f"fair_{self.name}", "pings": len(waits), "p50_ms": at(waits, 0.5), "p99_ms": at(waits, 0.99), "max_ms": at(waits, 1),
                          "worked_p99_ms": at(worked, 0.99), "worked_max_ms": at(worked, 1), "goal_max_ms": GOAL_MS, **self.more}), flush=True)


def job(i, **more):
    return {"id": f"job-{i:06}", "name": f"nightly report {i}", "shell": f"report {i}", "trigger": {"every": 36000 + i % 6000}, **more}


def write_file(path, count=JOBS, more=()):
    with open(path, "w", encoding="ascii") as file:
        json.dump({"version": 1, "jobs": {fields.pop("id"): fields for fields in [*(job(i) for i in range(count)), *more]}}, file)


def ctl(daemon, *argv):
    """The exit status; what was said is told if it is not 0."""
    ended = subprocess.run([e2e.SCHEDCTL, *argv], env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, check=False)
    if ended.returncode:
        sys.stderr.buffer.write(ended.stderr[-300:])
    return ended.returncode


def done(daemon, *argv):
    assert ctl(daemon, *argv) == 0, argv


def messages(count, size, method="job.apply", key="apply", **last):
    """Parts of a file as packed requests."""
    for first in range(0, count, size):
        part = {key: "x", "jobs": [job(i) for i in range(first, min(first + size, count))]}
        if first + size >= count:
            part.update(last=True, **last)
        yield msgpack.packb([0, 1 + first // size, method, [part]])


def send_all(daemon, parts):
    """What the answers say, in order."""
    client = e2e.Client(daemon.socket, timeout=600)
    answers = []
    for msgid, part in enumerate(parts, 1):
        client.socket.sendall(part)
        try:
            answers.append(client.receive(msgid))
        except e2e.RpcError as error:
            answers.append(error)
    client.close()
    return answers


def part_apply(daemon):
    path = daemon.dir / "jobs.json"
    write_file(path)
    with Beside(daemon, "apply_added", jobs=JOBS):
        done(daemon, "apply", "-f", str(path))
    with Beside(daemon, "apply_unchanged", jobs=JOBS):
        done(daemon, "apply", "-f", str(path))
    with Beside(daemon, "apply_dry_run", jobs=JOBS):
        done(daemon, "apply", "--dry-run", "-f", str(path))
    other = daemon.dir / "other.json"
    other.write_text(path.read_text(encoding="ascii").replace("nightly", "weekly"), encoding="ascii")
    with Beside(daemon, "apply_changed", jobs=JOBS):
        done(daemon, "apply", "-f", str(other), "--owner", "web")
    write_file(path, 1)
    with Beside(daemon, "apply_pruned", jobs=JOBS):
        done(daemon, "apply", "-f", str(path), "--prune", "--owner", "web")
    write_file(path)
    done(daemon, "apply", "-f", str(path))
    with Beside(daemon, "export", jobs=JOBS):
        done(daemon, "export", "--as", "json")
    with Beside(daemon, "list", jobs=JOBS):
        done(daemon, "list", "--json")
    with Beside(daemon, "pause", jobs=JOBS):
        done(daemon, "pause", "--all")
    with Beside(daemon, "resume", jobs=JOBS):
        done(daemon, "resume", "--all")
    with Beside(daemon, "remove", jobs=JOBS):
        done(daemon, "rm", "--all", "-y")


def part_refused(daemon):
    path = daemon.dir / "bad.json"
    write_file(path, more=[{"id": "zzz", "shell": "true", "trigger": {"every": "1h"}, "executor": "nosuch"}])
    with Beside(daemon, "apply_refused", jobs=JOBS):
        assert ctl(daemon, "apply", "-f", str(path)) != 0
    path.unlink()
    write_file(path)
    with Beside(daemon, "import", jobs=JOBS):
        assert len(send_all(daemon, messages(JOBS, 20_000, "job.import", "import"))[-1]) == JOBS
    with Beside(daemon, "import_refused", jobs=JOBS):
        assert isinstance(send_all(daemon, messages(JOBS, 20_000, "job.import", "import"))[-1], e2e.RpcError)


def part_left(daemon):
    """Clients that go: in the middle of a message, between two parts, and before the answer."""
    parts = list(messages(JOBS, 20_000))
    for name, begun, last in (("in_a_part", parts[:-1], parts[-1][:-1000]), ("between_parts", parts[:-1], b""), ("before_the_answer", parts[:-1], parts[-1])):
        with Beside(daemon, f"left_{name}", jobs=JOBS):
            client = e2e.Client(daemon.socket, timeout=600)
            for msgid, part in enumerate(begun, 1):
                client.socket.sendall(part)
                client.receive(msgid)
            client.socket.sendall(last)
            client.close()
            time.sleep(2)
    look = daemon.client(timeout=600)
    e2e.wait_until("all of it is there", lambda: look.call("server.status")["scheduler"]["jobs"] == JOBS, 120)


def part_one_message(daemon):
    """As large as one may be, on the socket and over HTTP."""
    count = 40_000
    jobs = [{"id": f"j{i}", "shell": "true", "trigger": {"manual": True}} for i in range(count)]
    with Beside(daemon, "one_message", jobs=count):
        send_all(daemon, [msgpack.packb([0, 1, "job.apply", [{"jobs": jobs}]])])
    body = json.dumps({"jobs": jobs, "dry_run": True}).encode()
    token = daemon.client().call("token.add", name="bench", role="admin")["token"]
    with Beside(daemon, "one_body", jobs=count):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(daemon.dir / "http.sock"))
            peer.sendall(b"POST /api/v1/rpc/job.apply HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                         b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (token.encode(), len(body)) + body)
            answer = b""
            while True:
                piece = peer.recv(1 << 20)
                if not piece:
                    break
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200"), answer[:300]


def part_move(daemon):
    path = daemon.dir / "jobs.json"
    write_file(path)
    done(daemon, "apply", "-f", str(path))
    done(daemon, "stores", "add", "other", str(daemon.dir / "other.db"))
    with Beside(daemon, "store_copy", jobs=JOBS):
        done(daemon, "stores", "copy", "--from", "default", "--to", "other")
    with Beside(daemon, "store_move", jobs=JOBS // 2):
        done(daemon, "stores", "move", "job-0[0-4]*" if JOBS == 100_000 else "job-*", "--to", "default")
    dump = daemon.dir / "dump"
    with Beside(daemon, "backup", jobs=JOBS):
        done(daemon, "backup", "--logical", str(dump), "--store", "other")
    with Beside(daemon, "restore_refused", jobs=JOBS):
        assert ctl(daemon, "restore", str(dump), "--store", "other") != 0
    with Beside(daemon, "restore_replaced", jobs=JOBS):
        done(daemon, "restore", str(dump), "--store", "other", "--replace")


def part_runs(daemon):
    count = JOBS // 2
    client = daemon.client(timeout=600)
    send_all(daemon, messages(1000, 1000))
    waiting = []
    for i in range(count):
        waiting.append(client.send("job.run", id=f"job-{i % 1000:06}"))
        if len(waiting) == 500:
            for msgid in waiting:
                try:
                    client.receive(msgid)
                except e2e.RpcError:
                    pass
            waiting.clear()
    with Beside(daemon, "history", runs=count):
        done(daemon, "history", "-n", str(count), "--json")
    with Beside(daemon, "purge", runs=count):
        client.call("run.purge", all=True)


PARTS = {"apply": part_apply, "refused": part_refused, "left": part_left, "one_message": part_one_message, "move": part_move, "runs": part_runs}


def main():
    if sys.argv[1:2] == ["--ping"]:
        ping_for_ever(sys.argv[2], int(sys.argv[3]))
        return
    for name in sys.argv[1:] or PARTS:
        daemon = e2e.Daemon()
        daemon.config.write_text(f"{BIG}http:\n  listen: ['unix:{daemon.dir}/http.sock']\n  tokens: {daemon.dir}/tokens\n" if name == "one_message" else BIG)
        try:
            preload = os.environ.get("PRELOAD")
            daemon.start(**({"LD_PRELOAD": preload} if preload else {}))
            PARTS[name](daemon)
        finally:
            daemon.end()


main()
