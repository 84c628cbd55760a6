# SPDX-License-Identifier: MIT
"""What the config says of nodes and shared stores, and what of it is refused, with the reason."""
import unittest

from e2e import Daemon

URL = "postgresql://nobody@127.0.0.1:1/none"

REFUSED = [
    ("stores: {s: {shared: true}}", "sqlite", "NFS"),
    ("stores: {s: {type: memory, shared: true}}", "memory", "this machine alone"),
    ("stores: {default: {type: sqlite, shared: true}}", "store 'default': shared"),
    ("stores: {s: {type: etcd, url: 'http://127.0.0.1:1', shared: true}}", "'etcd' belongs to one schedd at a time", "postgresql"),
    ("stores: {s: {type: zookeeper, url: '127.0.0.1:1', shared: true}}", "'zookeeper' belongs to one schedd", "postgresql"),
    ("stores: {s: {url: 'mongodb://127.0.0.1:1/ops', shared: true}}", "'mongodb' belongs to one schedd", "postgresql"),
    (f"stores: {{s: {{url: '{URL}', shared: true, lease: 2s}}}}", "lease", "from 3 s"),
    (f"stores: {{s: {{url: '{URL}', shared: true, lease: 2h}}}}", "lease", "to 1 h"),
    (f"stores: {{s: {{url: '{URL}', shared: true, lease: soon}}}}", "lease"),
    (f"stores: {{s: {{url: '{URL}', shared: maybe}}}}", "shared", "true or false"),
    (f"stores: {{s: {{url: '{URL}', shared: true, history: default}}}}", "leave history out"),
    ("node: {name: any}", "node.name", "any node"),
    ("node: {name: all}", "node.name"),
    ("node: {name: 'a b'}", "node.name", "no name of a node"),
    ("node: {name: ''}", "node.name"),
    ("node: {name: 'a,b'}", "node.name"),
    ("node: {name: '-x'}", "node.name"),
    (f"node: {{name: {'a' * 129}}}", "node.name"),
    ("node: {labels: zone}", "node.labels", "as a map"),
    ("node: {labels: {'zo ne': a}}", "node.labels", "no name of a label"),
    ("node: {labels: {zone: 'a,b'}}", "node.labels", "zone"),
    ("node: {labels: {zone: {a: b}}}", "node.labels"),
    ("node: {labels: {weight: 0}}", "node.labels", "from 1 to 16"),
    ("node: {labels: {weight: much}}", "node.labels", "from 1 to 16"),
    ("node: {labels: {weight: 1.5}}", "node.labels", "from 1 to 16"),
    ("node: {nam: web1}", "did you mean 'name'"),
    ("node: web1", "node"),
]


class Config(unittest.TestCase):
    def test_what_is_wrong_is_named(self):
        for text, *words in REFUSED:
            with self.subTest(text):
                daemon = Daemon(text + "\n")
                for argv in (["--check-config"], []):
                    code, err = daemon.run(*argv)
                    self.assertEqual(code, 7, (argv, err))
                    for word in words:
                        self.assertIn(word, err, argv)
                self.assertEqual(daemon.end(), "")

    def test_what_is_right_is_shown(self):
        daemon = Daemon(f"node: {{name: web1, labels: {{zone: a, gpu: 'yes', weight: 3}}}}\nstores: {{s: {{url: '{URL}', shared: true, "
                        "lease: 3s}}\n")
        try:
            daemon.start()
            client = daemon.client()
            settings = {s["key"]: s["value"] for s in client.call("config.get")["settings"]}
            self.assertEqual(settings["node.name"], "web1")
            self.assertEqual(settings["node.labels"], {"zone": "a", "gpu": "yes", "weight": "3"})
            store = next(s for s in client.call("store.list") if s["name"] == "s")
            self.assertIs(store["shared"], True)
            self.assertEqual(store["node"], "web1")
            self.assertEqual(store["lease"], 3)
            self.assertEqual(client.call("node.list"), [])
        finally:
            self.assertEqual(daemon.end(), "")

    def test_without_a_shared_store_there_are_no_nodes(self):
        daemon = Daemon()
        try:
            daemon.start()
            code, out, err = daemon.ctl("nodes", "--json")
            self.assertEqual((code, out.strip()), (0, "[]"), err)
            code, _, err = daemon.ctl("nodes")
            self.assertEqual(code, 0)
            self.assertIn("No store of this schedd is shared: it is alone", err)
            code, _, err = daemon.ctl("nodes", "drain", "web1")
            self.assertEqual(code, 5)
            self.assertIn("no store is shared", err)
            code, _, err = daemon.ctl("status", "--node", "web1")
            self.assertEqual(code, 4)
            self.assertIn("no store is shared", err)
            for wrong in (["nodes", "stop", "x"], ["nodes", "drain"], ["nodes", "--no-wait"], ["nodes", "resume", "x", "--no-wait"]):
                self.assertEqual(daemon.ctl(*wrong)[0], 2, wrong)
        finally:
            self.assertEqual(daemon.end(), "")


if __name__ == "__main__":
    unittest.main()
