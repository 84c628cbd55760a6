# SPDX-License-Identifier: MIT
"""Nodes over HTTP: seen by who may see them, drained, resumed and forgotten by admins alone."""
import signal
import unittest

from cluster import LEASE, Node, reset
import e2e
from test_http import HttpCase, free_port


class Nodes(HttpCase):
    def setUp(self):
        reset()
        self.port = free_port()
        self.first, self.second = self.node("first", labels={"zone": "a", "weight": 3}, http=True), self.node("second")
        client = self.first.client()
        self.admin = client.add_token(name="root", role="admin")
        self.operator = client.add_token(name="watch", role="operator")
        e2e.wait_until("both are known", lambda: len(self.ask("GET", "/api/v1/nodes").json) == 2)

    def node(self, name, http=False, **options):
        node = Node(name, **options)
        if http:
            node.config.write_text(node.config.read_text() + f"http:\n  listen: ['127.0.0.1:{self.port}']\n  tokens: {node.dir}/tokens\n")
        self.addCleanup(lambda: self.assertEqual(node.end(), ""))
        return node.start()

    def state(self, name):
        return self.ask("GET", f"/api/v1/nodes/{name}").json["state"]

    def test_they_are_seen_and_steered(self):
        nodes = {node["name"]: node for node in self.ask("GET", "/api/v1/nodes").json}
        self.assertEqual(nodes["first"]["labels"], {"zone": "a", "weight": "3"})
        for node in nodes.values():
            for when in ("started_at", "last_seen"):
                self.assertRegex(node[when], r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T")
        one = self.ask("GET", "/api/v1/nodes/first")
        self.assertEqual((one.status, one.json["name"], one.json["self"], one.json["state"]), (200, "first", True, "live"))
        self.assertEqual(self.ask("HEAD", "/api/v1/nodes/first").status, 200)
        self.first.ok("add", "--id", "stays", "--store", "shared", "--on", "second", "--every", "1h", "--", "true")
        e2e.wait_until("it has the job", lambda: [job["id"] for job in self.ask(
            "GET", "/api/v1/jobs?node=second").json["jobs"]] == ["stays"])

        def spread():
            nodes = {node["name"]: node["slots"] for node in self.ask("GET", "/api/v1/nodes").json}
            return 140 < nodes["first"] < 230 and sum(nodes.values()) == 256
        e2e.wait_until("who weighs three times as much has as much more", spread, 60)
        drained = self.ask("POST", "/api/v1/nodes/second/drain")
        self.assertEqual((drained.status, drained.json), (200, {"name": "second"}))
        for node in (self.first, self.second):
            e2e.wait_until("it is draining", lambda node=node: node.nodes()["second"]["state"] == "draining")
        self.assertEqual(self.ask("POST", "/api/v1/nodes/second/resume", {"name": "second"}).status, 200)
        e2e.wait_until("it takes jobs again", lambda: self.state("second") == "live")

        lives = self.ask("DELETE", "/api/v1/nodes/second")
        self.assertEqual((lives.status, lives.json["error"]), (409, "conflict"))
        self.assertIn("node 'second' lives", lives.json["detail"])
        self.second.process.send_signal(signal.SIGKILL)
        self.second.process.wait()
        e2e.wait_until("it is dead", lambda: self.state("second") == "dead", 20 * LEASE)
        gone = self.ask("DELETE", "/api/v1/nodes/second")
        self.assertEqual((gone.status, gone.body), (204, b""))
        self.assertEqual(self.ask("GET", "/api/v1/nodes/second").status, 404)
        self.assertEqual([node["name"] for node in self.ask("GET", "/api/v1/nodes").json], ["first"])

    def test_what_is_refused(self):
        acts = (("POST", "/api/v1/nodes/second/drain"), ("POST", "/api/v1/nodes/second/resume"), ("DELETE", "/api/v1/nodes/second"))
        for method, path in acts:
            for token, status in (("", 401), ("wrong", 401), (self.operator, 403)):
                self.assertEqual(self.ask(method, path, token=token).status, status, (method, path))
            answer = self.ask(method, path.replace("second", "nobody"))
            self.assertEqual((answer.status, answer.json["error"]), (404, "not_found"))
            self.assertIn("there is no node 'nobody'", answer.json["detail"])
        self.assertEqual(self.state("second"), "live", "nothing was done")
        self.assertEqual(self.ask("GET", "/api/v1/nodes", token=self.operator).status, 200)
        self.assertEqual(self.ask("GET", "/api/v1/nodes", token="").status, 401)
        for path, status in (("/api/v1/nodes/nobody", 404), ("/api/v1/jobs?node=nobody", 404), ("/api/v1/nodes?state=live", 400),
                             ("/api/v1/nodes/first?x=1", 400), ("/api/v1/nodes/second/drain", 405), ("/api/v1/nodes/first/x", 404)):
            self.assertEqual(self.ask("GET", path).status, status, path)
        self.assertEqual(self.ask("PUT", "/api/v1/nodes/first", {}).headers["Allow"], "GET, HEAD, DELETE, OPTIONS")
        for body in ([], "second", {"name": "first"}, {"how": "now"}):
            self.assertEqual(self.ask("POST", "/api/v1/nodes/second/drain", body).status, 400, body)
        self.assertEqual(self.ask("DELETE", "/api/v1/nodes/second?now=1").status, 400)
        foreign = self.ask("POST", "/api/v1/nodes/second/drain", Origin="https://evil.example")
        self.assertEqual(foreign.status, 403)
        self.assertEqual(self.state("second"), "live", "nothing was done")
        paths = self.ask("GET", "/api/v1/openapi.json").json["paths"]
        self.assertEqual(paths["/api/v1/nodes/{name}/drain"]["post"]["x-schedd-role"], "admin")
        self.assertEqual(paths["/api/v1/nodes/{name}"]["delete"]["x-schedd-role"], "admin")
        self.assertEqual([item["name"] for item in paths["/api/v1/nodes/{name}"]["delete"]["parameters"]], ["name"])


class Alone(HttpCase):
    def test_a_daemon_alone_has_none(self):
        self.serve()
        self.assertEqual(self.ask("GET", "/api/v1/nodes").json, [])
        self.assertEqual(self.ask("GET", "/api/v1/nodes/a").status, 404)
        for method, path in (("POST", "/api/v1/nodes/a/drain"), ("DELETE", "/api/v1/nodes/a")):
            answer = self.ask(method, path)
            self.assertEqual((answer.status, answer.json["error"]), (409, "conflict"))
            self.assertIn("no store is shared", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
