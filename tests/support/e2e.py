# SPDX-License-Identifier: MIT
"""For tests of the real binaries in Python: a daemon of one's own, and a client
made of Debian's msgpack module, which nobody of this project wrote."""
import fcntl
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

try:
    import msgpack
except ImportError:
    sys.exit("python3-msgpack is not installed: sh server/install-packages.sh test")

SCHEDD = os.environ["SCHEDD"]
SCHEDCTL = os.environ["SCHEDCTL"]


def patience():
    """How many times as long everything takes here: the programs that want a CPU, for each CPU."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_until(what, holds, seconds=20):
    """Polls until holds() is true, and answers that; fails after the deadline, which is of a quiet machine."""
    begun = time.monotonic()
    while True:
        answer = holds()
        if answer:
            return answer
        if time.monotonic() > begun + seconds * patience():
            raise AssertionError(f"not within {time.monotonic() - begun:.1f} s: {what}")
        time.sleep(0.02)


class RpcError(Exception):
    """The error map of an answer."""

    def __init__(self, error):
        super().__init__(f"{error['name']}: {error['message']}")
        self.code, self.name, self.message = error["code"], error["name"], error["message"]


class Client:
    """A MessagePack-RPC client over a Unix socket."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        self.msgid = 0
        self.answers = {}
        self.notifications = []

    def close(self):
        self.socket.close()

    def send(self, method, **params):
        self.msgid += 1
        message = [0, self.msgid, method, [params] if params else []]
        self.socket.sendall(msgpack.packb(message))
        return self.msgid

    def _read(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("the server closed the connection")
        self.unpacker.feed(data)
        for message in self.unpacker:
            if message[0] == 1:
                self.answers[message[1]] = message[2:]
            else:
                assert message[0] == 2, message
                self.notifications.append((message[1], message[2][0]))

    def receive(self, msgid):
        while msgid not in self.answers:
            self._read()
        error, result = self.answers.pop(msgid)
        if error is not None:
            raise RpcError(error)
        return result

    def call(self, method, **params):
        return self.receive(self.send(method, **params))

    def add_token(self, **params):
        """Its secret. A disk that takes its time is not waited for: then it is not known, and made again."""
        def added():
            try:
                return self.call("token.add", **params)["token"]
            except RpcError as error:
                if error.name not in ("failed", "conflict"):
                    raise
            try:
                self.call("token.remove", name=params["name"])
            except RpcError:
                pass
            return None
        return wait_until("the token is written", added)

    def notification(self):
        while not self.notifications:
            self._read()
        return self.notifications.pop(0)


class Daemon:
    """schedd in a directory of its own."""
    program = None  # what is started; None: e2e.SCHEDD, as it is then

    def __init__(self, config="", options=()):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="schedd-e2e."))
        self.socket = self.dir / "s.sock"
        self.state = self.dir / "state"
        self.log = self.dir / "log"
        self.config = self.dir / "schedd.yaml"
        self.config.write_text(config)
        self.options = list(options)
        self.process = None
        self.clients = []
        (self.dir / "reports").mkdir()

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SCHEDD_", "NOTIFY_"))}
        env.update(HOME=str(self.dir), SCHEDD_SOCKET=str(self.socket), SCHEDD_STATE_DIR=str(self.state),
                   SCHEDD_CONFIG=str(self.config))
        for tool in ("ASAN", "UBSAN", "TSAN"):
            given = env.get(f"{tool}_OPTIONS", "")
            env[f"{tool}_OPTIONS"] = f"{given}:log_path={self.dir}/reports/{tool.lower()}".lstrip(":")
        others = pathlib.Path(__file__).with_name("leaks_of_others")
        env["LSAN_OPTIONS"] = f"{env.get('LSAN_OPTIONS', '')}:suppressions={others}:print_suppressions=0".lstrip(":")
        return env

    def start(self, wait=True, **env):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*(self.program or (SCHEDD,)), *self.options], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env={**self.environment(), **env})
        if wait:
            wait_until("schedd answers", self._answers)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"schedd ended with {self.process.returncode}: {self.log.read_text()}")
        try:
            client = Client(self.socket)
        except OSError:
            return False
        try:
            client.call("server.ping")
            return True
        except (OSError, EOFError):
            return False  # it died after it had listened: the next look tells
        finally:
            client.close()

    def client(self, **options):
        """A client that is closed when the daemon ends."""
        self.clients.append(Client(self.socket, **options))
        return self.clients[-1]

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Answers the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds * patience())

    def run(self, *argv, **env):
        """Runs schedd to its end: (exit status, stderr)."""
        done = subprocess.run([SCHEDD, *argv], env={**self.environment(), **env}, timeout=30 * patience(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def ctl(self, *argv, cwd=None):
        """Runs schedctl: (exit status, stdout, stderr)."""
        done = subprocess.run([SCHEDCTL, *argv], env=self.environment(), timeout=240, cwd=cwd,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def terminal(self, *argv, columns=80):
        """What schedctl shows on a terminal of that width, without its colours."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        try:
            with subprocess.Popen([SCHEDCTL, *argv], env={**self.environment(), "TERM": "xterm"}, stdin=subprocess.DEVNULL, stdout=slave,
                                  stderr=subprocess.DEVNULL) as child:
                os.close(slave)
                text = b""
                while True:
                    try:
                        piece = os.read(master, 65536)
                    except OSError:
                        break
                    if not piece:
                        break
                    text += piece
                child.wait(60)
        finally:
            os.close(master)
        return re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).replace("\r\n", "\n")

    def memory(self):
        """Resident bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGESIZE")

    def end(self):
        """Stops it, answers what sanitizers reported, removes the directory."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20 * patience())
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for client in self.clients:
            client.close()
        # LeakSanitizer says so of a thread that ends while it looks; what it finds it says besides.
        reports = "".join(line for p in (self.dir / "reports").iterdir() for line in p.read_text(errors="replace").splitlines(True)
                          if "Unable to get registers from thread" not in line)
        shutil.rmtree(self.dir, ignore_errors=True)
        return reports


class TestCase(unittest.TestCase):
    """A test with daemons that end with it."""

    def daemon(self, start=True, **options):
        daemon = Daemon(**options)
        self.addCleanup(self._end, daemon)
        return daemon.start() if start else daemon

    def _end(self, daemon):
        reports = daemon.end()
        if reports:
            self.fail(reports)

    def refused(self, name, call, /, *args, **params):
        """The message of the error of that name."""
        with self.assertRaises(RpcError) as caught:
            call(*args, **params)
        self.assertEqual(caught.exception.name, name, caught.exception)
        return caught.exception.message
