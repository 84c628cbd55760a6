# SPDX-License-Identifier: MIT
"""The page of one of several daemons that share a store: its nodes, drained, resumed and forgotten."""
import signal
import unittest

from cluster import LEASE, Node, reset
import e2e
from browser import Browser
from test_http import free_port


class Nodes(e2e.TestCase):
    def node(self, name, **options):
        node = Node(name, **options)
        self.addCleanup(lambda: self.assertEqual(node.end(), ""))
        return node.start()

    def press(self, browser, verb, name):
        browser.until(f"{verb} can be pressed", f"return !!document.querySelector('[aria-label=\"{verb} {name}\"]')")
        browser.run(f"document.querySelector('[aria-label=\"{verb} {name}\"]').click()")

    def test_nodes_are_shown_and_steered(self):
        reset()
        port = free_port()
        first = Node("first", labels={"zone": "a"})
        first.config.write_text(first.config.read_text() + f"http:\n  listen: ['127.0.0.1:{port}']\n  tokens: {first.dir}/tokens\n")
        self.addCleanup(lambda: self.assertEqual(first.end(), ""))
        first.start()
        second = self.node("second")
        token = first.client().add_token(name="root", role="admin")
        browser = Browser()
        self.addCleanup(browser.end)
        browser.go(f"http://127.0.0.1:{port}/")
        browser.until("the login is there", "return !!document.querySelector('#token')")
        browser.type("#token", token)
        browser.click("#login button")
        browser.until("there is a way to the nodes", "const a = document.querySelector('nav a[href=\"#/nodes\"]'); return a && !a.hidden")
        browser.run("location.hash = '#/nodes'")
        browser.until("both live", "return document.querySelectorAll('td .state.live').length === 2")
        self.assertIn("zone=a", browser.text())
        self.assertIn("this one", browser.text())
        self.assertEqual(browser.run("return [...document.querySelectorAll('td.broad')].filter(td => /^[0-9:]{8}$|^[0-9]{4}-[0-9-]{5} /.test(td.innerText)).length"), 2, browser.text())
        self.press(browser, "Drain", "second")
        browser.until("it is draining", "return !!document.querySelector('td .state.draining')")
        self.assertEqual(first.nodes()["second"]["state"], "draining")
        self.press(browser, "Resume", "second")
        browser.until("it lives", "return document.querySelectorAll('td .state.live').length === 2")
        second.process.send_signal(signal.SIGKILL)
        browser.until("it is dead within its lease", "return !!document.querySelector('td .state.dead')", 10 * LEASE)
        browser.run("window.confirm = () => true")
        self.press(browser, "Forget", "second")
        browser.until("one is left", "return document.querySelectorAll('td .state').length === 1")
        self.assertEqual([entry["message"] for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")], [])


if __name__ == "__main__":
    unittest.main()
