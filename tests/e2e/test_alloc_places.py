# SPDX-License-Identifier: MIT
"""Memory that runs out beyond the plain requests: tokens and HTTP, tables of cron, retries, a stop, and the start behind a
crash. See test_alloc.py."""
import http.client
import json
import os
import shutil
import signal
import socket
import unittest

import e2e
from alloc_case import DONE, MOST, REFUSED, UNKNOWN, AllocCase


class Places(AllocCase):
    def agrees(self, outcome, done):
        self.assertIn(outcome, (DONE if done else REFUSED, UNKNOWN), "the answer is not what was done")

    def test_a_retry_begins_a_run_or_not(self):
        self.d.start(**self.env)
        self.plain = self.client()
        self.plain.call("job.add", id="r", shell="exit 1", trigger={"type": "manual"}, max_instances=1000)
        run = self.plain.call("job.run", id="r")["run"]
        self.plain.call("run.wait", run=run)

        def begun():
            return len(self.plain.call("run.list", jobs=["r"], limit=1000)["runs"])
        count = [begun()]

        def one_more(outcome):
            now = begun()
            self.agrees(outcome, now == count[0] + 1)
            self.assertIn(now - count[0], (0, 1))
            count[0] = now
        self.each("run.retry", after=one_more, run=run)

    def test_a_stop_is_one_or_is_refused(self):
        nth, fired = 1, True
        while fired and nth < MOST:
            with self.subTest(nth=nth):
                self.d.start(**self.env)
                client = self.client()
                client.call("job.add", id="a", shell="true", trigger={"every": "1h"}, if_absent=True)
                self.arm(nth)
                refused = False
                try:
                    client.call("server.shutdown")
                except (EOFError, ConnectionError):
                    refused = None
                except e2e.RpcError as error:
                    self.assertIn("memory", error.message)
                    refused = True
                fired = self.disarm()
                client.close()
                if refused is None:
                    try:
                        self.client().call("server.shutdown")
                    except (OSError, EOFError, e2e.RpcError):
                        pass  # it stops already
                if refused:
                    self.d.process.send_signal(signal.SIGTERM)
                self.assertEqual(self.d.process.wait(600), 0, self.d.log.read_text()[-2000:])
            nth += max(1, nth // 5)
        self.d.start(**self.env)
        self.assertEqual(self.client().call("job.get", id="a")["id"], "a")

    def over(self, client, job, state):
        """The job's one run ends so, or (for it could not begin) says that there was no memory."""
        def ended():
            runs = client.call("run.list", jobs=[job])["runs"]
            self.assertEqual(len(runs), 1)
            return runs[0] if runs[0]["state"] not in ("queued", "running") else None
        run = e2e.wait_until(f"{job} goes on", ended)
        if run["state"] == "failed" != state:
            self.assertIn("memory", run["reason"])
        else:
            self.assertEqual(run["state"], state, run)

    def test_a_start_behind_a_crash_takes_up_what_was(self):
        self.d.start(**self.env)
        client = self.client()
        client.call("group.set", name="g", parallel=1)
        client.call("job.add", id="lost", shell="sleep 1000", trigger={"type": "manual"}, group="g")
        client.call("job.add", id="waits", shell="true", trigger={"type": "manual"}, group="g", priority=-3)
        client.call("job.add", id="held", shell="true", trigger={"every": "1h"})
        client.call("job.add", id="follows", shell="true", trigger={"type": "manual"}, after=["lost:any"], paused=True)
        client.call("job.pause", id="held", reason="because")
        client.call("job.run", id="lost")
        client.call("job.run", id="waits")
        running = e2e.wait_until("it runs", lambda: [r for r in client.call("run.list", jobs=["lost"])["runs"] if r.get("pid")])
        self.d.stop(signal.SIGKILL)
        os.killpg(running[0]["pid"], signal.SIGKILL)
        shutil.copytree(self.d.state, self.d.dir / "was", symlinks=True)

        def crashed():
            shutil.rmtree(self.d.state)
            shutil.copytree(self.d.dir / "was", self.d.state, symlinks=True)

        def taken_up(client):
            self.assertEqual(client.call("job.get", id="held")["paused_reason"], "because")
            # One that found no memory to be taken up, or lost, is so a moment later.
            self.over(client, "lost", "lost")
            self.over(client, "waits", "success")
        self.each_start(taken_up, before=crashed)

    @unittest.skipUnless(os.geteuid() == 0, "tables of accounts are root's to run")
    def test_a_table_of_cron_is_there_or_is_not(self):
        root = self.d.dir / "root"
        (root / "var/spool/cron/crontabs").mkdir(parents=True)
        (root / "etc/cron.d").mkdir(parents=True)
        self.d.config.write_text(f"cron: {{tables: true, root: {root}}}\n")
        self.d.start(**self.env)
        self.plain = self.client()
        text = "A=b\n5 1 * * * one\n@daily two %in\n"

        def there():
            """The table as it stands, and its jobs."""
            try:
                table = self.plain.call("cron.table_get")["text"]
            except e2e.RpcError as error:
                self.assertEqual(error.name, "not_found")
                table = None
            return table, len(self.plain.call("job.list")["jobs"])

        def both(outcome):
            table = there()[0]
            self.assertIn(table, (None, text))
            # What there was no memory for is read once more.
            e2e.wait_until("its jobs are there", lambda: there()[1] == (0 if table is None else 2))
            return table

        def clear():
            if there()[0] is not None:
                self.plain.call("cron.table_remove")

        def fill():
            if there()[0] is None:
                self.plain.call("cron.table_set", text=text)
        self.each("cron.table_set", text=text, before=clear, after=lambda outcome: self.agrees(outcome, both(outcome) == text))
        fill()
        self.each("cron.table_get")
        self.each("cron.table_remove", before=fill, after=lambda outcome: self.agrees(outcome, both(outcome) is None))

    # ---- HTTP: its module once more, with the same seam ----

    def serve(self):
        self.sock = self.d.dir / "http.sock"
        self.env["SCHEDD_MODULE_DIR"] = os.environ["SCHEDD_BINARY_DIR"] + "/modules_fault"
        self.d.config.write_text(f"http:\n  listen: ['unix:{self.sock}']\n  tokens: {self.d.dir}/tokens\n")
        self.d.start(**self.env)
        self.plain = self.client()
        self.token = self.plain.add_token(name="root", role="admin")

    def test_a_token_is_made_or_is_not(self):
        self.serve()

        def names():
            return [token["name"] for token in self.plain.call("token.list")]

        def remove():
            if "t" in names():
                self.plain.call("token.remove", name="t")

        def make():
            if "t" not in names():
                self.plain.call("token.add", name="t", role="operator")
        self.each("token.add", before=remove, after=lambda outcome: self.agrees(outcome, "t" in names()), name="t", role="operator")
        make()
        self.each("token.list")
        self.each("token.remove", before=make, after=lambda outcome: self.agrees(outcome, "t" not in names()), name="t")

    def ask(self, method, path, body, headers):
        """(status, text), or (None, '') where the connection ended."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        try:
            connection.sock.connect(str(self.sock))
            connection.request(method, path, body=json.dumps(body) if body is not None else None,
                               headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None, ""
        finally:
            connection.close()

    def each_http(self, method, path, good, body=None, before=None, after=None, **headers):
        for nth in range(1, MOST):
            if before:
                before()
            self.arm(nth)
            status, text = self.ask(method, path, body, headers)
            fired = self.disarm()
            self.assertTrue(fired or nth > 1, "no allocation fails here at all")
            self.assertIsNone(self.d.process.poll(), f"{method} {path}: schedd ended with allocation {nth}")
            with self.subTest(path=path, nth=nth, status=status):
                # Of what was done, what it has become may not be known.
                self.assertIn(status, (good, {201: 200}.get(good), None, 500, 503) if fired else (good,), text)
                if after:
                    after(status, text)
            if not fired:
                return
        self.fail(f"{method} {path} needs more than {MOST} allocations")

    def test_requests_over_http(self):
        self.serve()
        job = {"shell": "echo out; exit 3", "trigger": {"every": "1h"}, "tags": {"k": "v"}}
        self.plain.call("job.add", id="a", max_instances=1000, **job)
        run = self.plain.call("job.run", id="a")["run"]
        self.plain.call("run.wait", run=run)
        for path in ("/api/v1/jobs", "/api/v1/jobs/a", "/api/v1/runs?jobs=a", f"/api/v1/runs/{run}", f"/api/v1/runs/{run}/log",
                     "/api/v1/next?cron=0%203%20*%20*%20*", "/api/v1/openapi.json", "/metrics", "/healthz", "/"):
            self.each_http("GET", path, 200)
        self.each_http("GET", "/api/v1/jobs/none", 404)
        self.each_http("POST", "/api/v1/rpc/server.status", 200, body={})

        def there():
            return any(job["id"] == "n" for job in self.plain.call("job.list")["jobs"])

        def clear():
            if there():
                self.plain.call("job.remove", id="n")

        def make():
            if not there():
                self.plain.call("job.add", id="n", **job)

        def known(status, done, text):
            if "not known" in text:
                return
            if status is not None and status < 300:
                self.assertTrue(done, "it was said to be done")
            elif status in (500, 503):
                self.assertFalse(done, "it was said to have failed")
        self.each_http("PUT", "/api/v1/jobs/n", 201, body=job, before=clear, after=lambda status, text: known(status, there(), text))
        make()
        self.each_http("PATCH", "/api/v1/jobs/n", 200, body={"name": "x"})
        self.each_http("DELETE", "/api/v1/jobs/n", 204, before=make, after=lambda status, text: known(status, not there(), text))
        self.each_http("POST", "/api/v1/jobs/a/pause", 200, body={})
        self.each_http("POST", f"/api/v1/runs/{run}/retry", 200, body={})
        self.assertEqual(self.d.stop(), 0)


if __name__ == "__main__":
    unittest.main()
