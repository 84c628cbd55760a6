# SPDX-License-Identifier: MIT
"""Several daemons on one server, as nodes of a cluster. Which server: SCHEDD_CLUSTER_STORE, else PostgreSQL."""
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

if "SCHEDD_TEST_STORE_URL" not in os.environ:
    os.execvp("sh", ["sh", os.environ["SCHEDD_SOURCE"] + "/tests/support/with_server.sh",
                     os.environ.get("SCHEDD_CLUSTER_STORE", "postgresql"), sys.executable, *sys.argv])

import cluster_store  # noqa: E402
from server_store import server_restart, server_signal  # noqa: E402,F401
from e2e import Daemon, wait_until  # noqa: E402

URL = os.environ["SCHEDD_TEST_STORE_URL"]
LEASE = 3
STORE = cluster_store.store()


def reset():
    subprocess.run(os.environ["SCHEDD_TEST_STORE_RESET"], shell=True, check=True)


class Node(Daemon):
    """A daemon with a shared store "shared"."""

    def __init__(self, name, labels=None, lease=LEASE, store="shared", more="", url=URL, timeout="4s"):
        self.name = name
        node = f"node:\n  name: {name}\n" if name else ""
        if labels:
            node += f"  labels: {json.dumps(labels)}\n"
        run_as = "    run_as: root\n" if os.geteuid() == 0 else ""
        super().__init__(f"""{node}stores:
  {store}:
    url: '{url}'
    shared: true
    lease: {lease}s
    timeout: {timeout}
    connect_timeout: 2s
{run_as}{more}""")

    def ok(self, *argv):
        code, out, err = self.ctl(*argv)
        if code:
            raise AssertionError(f"{self.name}: {argv}: {code}: {err}")
        return out

    def json(self, *argv):
        return json.loads(self.ok(*argv, "--json"))

    def nodes(self):
        """As it sees them; none before it has joined, for which a slow server makes it wait."""
        code, out, err = self.ctl("nodes", "--json")
        if code and "has not been joined yet" in err:
            return {}
        if code:
            raise AssertionError(f"{self.name}: nodes: {code}: {err}")
        return {node["name"]: node for node in json.loads(out)}

    def slots(self):
        return self.nodes().get(self.name, {}).get("slots", 0)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Cluster:
    """Nodes a, b, … with a file that commands write what they did into."""

    def __init__(self, count=3, **options):
        reset()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="schedd-cluster."))
        self.ran = self.dir / "ran"
        self.nodes = [Node("abcdefgh"[i], **options) for i in range(count)]

    def start(self, balanced=True):
        for node in self.nodes:
            node.start()
        if balanced:
            self.await_balance(self.nodes)

    def await_balance(self, nodes, seconds=30):
        wait_until("each node has its share", lambda: all(node.slots() > 20 for node in nodes) and
                   sum(node.slots() for node in nodes) == 256, seconds)

    def writes(self):
        """The command of a job that says that it ran, and where."""
        return ["sh", "-c", f"echo $SCHEDD_RUN $SCHEDD_SCHEDULED_AT $PPID >> {self.ran}"]

    def lines(self):
        return self.ran.read_text().splitlines() if self.ran.exists() else []

    def add(self, node, name, *options, command=None):
        return node.ok("add", "--id", name, "--store", "shared", *options, "--", *(command or self.writes()))

    def check(self, case, is_gone=lambda run: False):
        """Nothing ran twice, and nothing ran that has no row and is not said to be gone."""
        runs = [line.split()[0] for line in self.lines()]
        case.assertEqual([run for run, count in collections.Counter(runs).items() if count > 1], [], "a run was executed twice")
        fires = collections.Counter((line.split()[0].rsplit("/", 1)[0], line.split()[1]) for line in self.lines())
        case.assertEqual([fire for fire, count in fires.items() if count > 1], [], "a fire time was executed twice")
        rows = {f"{run.job}/{run.number}" for run in STORE.runs()}
        case.assertEqual([run for run in set(runs) - rows if not is_gone(run)], [], "a run has no row")

    def end(self, case):
        server_signal(signal.SIGCONT)
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.thaw()
            report = node.end()
            case.assertFalse(report, f"{node.name}: {report}")  # whole, not cut as a difference
