# SPDX-License-Identifier: MIT
"""A store of several that is away: the others are told of, and that something is missing. And ids on standard input."""
import json
import socket
import subprocess
import unittest

import e2e


class Away(e2e.TestCase):
    def setUp(self):
        # Nobody listens there, and nobody will.
        self.d = self.daemon(config="stores:\n  far: {url: 'redis://127.0.0.1:1/0'}\n")

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {out}{err}")
        return out, err

    def test_what_the_others_know_is_told(self):
        # Nothing at all would look as if there had been nothing.
        for argv in (("history",), ("stats",)):
            self.assertIn("far", self.ctl(*argv, status=1)[1])
        for job in ("a", "b"):
            self.ctl("add", "--id", job, "--manual", "--", "true")
            self.ctl("run", "-w", job)
        left_out = "Runs in store far are left out: it cannot be asked now."
        for argv in (("history",), ("history", "*"), ("history", "a", "b"), ("stats",), ("stats", "a")):
            out, err = self.ctl(*argv, "--no-headers")
            self.assertEqual(sorted({line[0] for line in out.splitlines()}), ["a"] if argv == ("stats", "a") else ["a", "b"], argv)
            self.assertEqual(err.count(left_out), 1, argv)
        self.assertNotIn("left out", self.ctl("history", "a")[1])
        client = self.d.client()
        self.assertEqual(client.call("run.list")["missing"], ["far"])
        self.assertEqual(client.call("server.stats")["missing"], ["far"])
        page = client.call("run.list", limit=1)
        self.assertEqual((len(page["runs"]), page["missing"]), (1, ["far"]))
        self.assertEqual(len(client.call("run.list", limit=1, after=page["next"])["runs"]), 1)


class Ids(e2e.TestCase):
    def test_ids_come_on_standard_input(self):
        d = self.daemon()
        for job in ("a", "b", "c"):
            d.ctl("add", "--id", job, "--every", "1h", "--", "true")
            d.ctl("run", "-w", job)

        def ctl(given, *argv):
            done = subprocess.run([e2e.SCHEDCTL, *argv], env=d.environment(), input=given, timeout=60, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{argv}: {done.stderr}")
            return done.stdout, done.stderr

        def ids(text, key="id"):
            return sorted(row[key] for row in json.loads(text))

        for given in ("a\nc\n", "a\r\nc", "\na\n\nc\na\n"):
            self.assertEqual(ids(ctl(given, "list", "-", "--json")[0]), ["a", "c"])
        self.assertEqual(ids(ctl("a\nc\n", "history", "-", "--json")[0]), ["a/1", "c/1"])
        self.assertEqual(ids(ctl("a/1\n", "history", "-", "b", "--json")[0]), ["a/1", "b/1"])
        self.assertEqual(sorted(row["job"] for row in json.loads(ctl("a\nc\n", "stats", "-", "--json")[0])["jobs"]), ["a", "c"])
        self.assertEqual(sorted(json.loads(ctl("a\nc\n", "export", "-", "--as", "json")[0])["jobs"]), ["a", "c"])
        self.assertEqual(d.ctl("stats", "nosuch")[2], "schedctl: no job 'nosuch'\n")
        for verb in ("list", "stats", "history", "next", "kill", "logs"):
            out, err = ctl("", verb, "-")
            self.assertEqual((out, err), ("", "No id came on standard input.\n"), verb)


class Reload(e2e.TestCase):
    """Stores of the config that changed: what is in force goes on, and a reload takes nothing that a start would refuse."""

    def config(self, *stores):
        self.d.config.write_text("stores:\n" + "".join(f"  {store}\n" for store in stores))

    def reload(self, status=0):
        code, out, err = self.d.ctl("reload", "--json")
        self.assertEqual(code, status, out + err)
        return json.loads(out)["restart"] if not status else err

    def test_a_change_takes_effect_with_a_restart(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            far = f"far: {{url: 'postgresql://u:secret@127.0.0.1:{silent.getsockname()[1]}/x', connect_timeout: 1s}}"
            self.d = self.daemon(start=False)
            two = f"two: {{type: sqlite, path: {self.d.dir}/two.db}}"
            self.config(far, two)
            self.d.start()
            client = self.d.client()
            client.call("job.add", id="x", store="two", command=["/bin/true"], trigger={"manual": True})
            self.assertEqual(self.reload(), [])
            for others in ((far, two.replace("two.db", "three.db")), (two, far.replace("x'", "y'")), (far,), (two,), ("new: {type: sqlite}",)):
                self.config(*others)
                self.assertEqual(self.reload(), ["stores"], others)
                self.assertEqual(client.call("run.wait", run=client.call("job.run", id="x")["run"])["state"], "success")
                self.assertEqual([store["name"] for store in client.call("store.list")], ["default", "memory", "far", "two"])
            for bad, why in (("bad: {type: redis, url: 'postgresql://u:secret@h/x'}", "url: 'postgresql' is no scheme of type 'redis'"),
                             ("bad: {url: 'redis://:secret@h:99999'}", "'99999' is no port"),
                             ("bad: {type: nosuch}", "type 'nosuch' is not known")):
                self.config(far, two, bad)
                said = self.reload(status=7)
                self.assertIn(why, said)
                self.assertNotIn("secret", said)
                self.assertEqual(self.d.run("--check-config")[0], 7)
            self.config(far, two)
            self.assertEqual(self.reload(), [])
            self.config(two)
            self.assertEqual(self.reload(), ["stores"])
            self.assertEqual(self.reload(), ["stores"], "it needs one still")
            self.d.process.kill()
            self.d.process.wait()
        client = self.d.start().client()
        self.assertEqual([store["name"] for store in client.call("store.list")], ["default", "memory", "two"])
        self.assertEqual(client.call("job.get", id="x")["store"], "two")
        self.assertEqual(self.reload(), [])


if __name__ == "__main__":
    unittest.main()
