# SPDX-License-Identifier: MIT
"""The way from a node to its server, that can be cut: a proxy on a socket of its own, or, for root and where
SCHEDD_NETNS is set, a network namespace for each node and a pair of devices between."""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading

SERVER = os.environ["SCHEDD_TEST_SERVER_SOCKET"]
KIND = os.environ["SCHEDD_TEST_STORE_TYPE"]
TCP = {"postgresql": "postgresql://schedd@{host}:{port}/ops", "redis": "redis://{host}:{port}/2",
       "mysql": "mysql://schedd@{host}:{port}/ops"}


class Link:
    """All that goes over it may be ended, lost in one direction or both, or ended in the place of an answer."""

    def __init__(self, number):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="schedd-link."))
        self.pairs = set()
        self.open = {"to": threading.Event(), "from": threading.Event()}
        self.answers = True
        self.lock = threading.Lock()
        self.listener, self.url = self.listen(number)
        self.heal()
        threading.Thread(target=self.accept, daemon=True).start()

    def listen(self, _number):
        path = self.dir / os.path.basename(os.environ["SCHEDD_TEST_PROXY_SOCKET"])
        one = socket.socket(socket.AF_UNIX)
        one.bind(str(path))
        os.chmod(self.dir, 0o755)
        os.chmod(path, 0o777)
        one.listen(64)
        return one, os.environ["SCHEDD_TEST_PROXY_URL"].replace(os.path.dirname(os.environ["SCHEDD_TEST_PROXY_SOCKET"]),
                                                                 str(self.dir))

    def command(self, words):
        return words

    def accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            try:
                there.connect(SERVER)
            except OSError:
                here.close()
                there.close()
                continue
            pair = (here, there)
            with self.lock:
                self.pairs.add(pair)
            for source, target, way in ((here, there, "to"), (there, here, "from")):
                threading.Thread(target=self.carry, args=(pair, source, target, way), daemon=True).start()

    def carry(self, pair, source, target, way):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.open[way].wait()
                if way == "from" and not self.answers:
                    break
                target.sendall(data)
        self.end(pair)

    def end(self, pair):
        with self.lock:
            if pair not in self.pairs:
                return
            self.pairs.discard(pair)
        for one in pair:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    # ---- What may become of it ----

    def cut(self):
        for pair in list(self.pairs):
            self.end(pair)

    def lose_answers(self):
        """What is sent arrives, and its answer does not: the connection ends in its place."""
        self.answers = False

    def black_hole(self, ways=("to", "from")):
        for way in ways:
            self.open[way].clear()

    def heal(self):
        self.answers = True
        for way in self.open.values():
            way.set()

    def close(self):
        self.heal()
        self.listener.close()
        self.cut()


class Namespace(Link):
    """The kernel's own: what is lost is lost on its way, and sent again by TCP."""

    def listen(self, number):
        self.name, self.device = f"schedd-{os.getpid()}-{number}", f"sch{os.getpid() % 100000}n{number}"
        # Of this run's own: another may be under way.
        net = f"10.{128 + os.getpid() % 100}.{os.getpid() // 100 % 60 * 4 + number}"
        here, there = f"{net}.1", f"{net}.2"
        self.here, self.there = here, there
        for words in (f"netns add {self.name}", f"link add {self.device} type veth peer name eth0 netns {self.name}",
                      f"addr add {here}/30 dev {self.device}", f"link set {self.device} up",
                      f"-n {self.name} addr add {there}/30 dev eth0", f"-n {self.name} link set eth0 up",
                      f"-n {self.name} link set lo up"):
            self.ip(words)
        one = socket.create_server((here, 0))
        return one, TCP[KIND].format(host=here, port=one.getsockname()[1])

    @staticmethod
    def ip(words):
        subprocess.run(["ip", *words.split()], check=True, capture_output=True)

    def command(self, words):
        return ["ip", "netns", "exec", self.name, *words]

    def black_hole(self, ways=("to", "from")):
        """To a neighbour that is not there."""
        if "to" in ways:
            self.ip(f"-n {self.name} neigh replace {self.here} lladdr 02:00:00:00:00:99 dev eth0 nud permanent")
        if "from" in ways:
            self.ip(f"neigh replace {self.there} lladdr 02:00:00:00:00:99 dev {self.device} nud permanent")

    def heal(self):
        super().heal()
        for words in (f"-n {self.name} neigh del {self.here} dev eth0", f"neigh del {self.there} dev {self.device}"):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.ip(words)

    def close(self):
        super().close()
        with contextlib.suppress(subprocess.CalledProcessError):
            self.ip(f"netns del {self.name}")


def link(number):
    return (Namespace if os.environ.get("SCHEDD_NETNS") else Link)(number)


def clock_of_server():
    """The file that its clock is off by, and so may be set; None: it is not started so."""
    path = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "clock")
    return path if re.search("CLOCK_OFFSET", (path.parent / "launch").read_text()) else None
