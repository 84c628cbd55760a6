# SPDX-License-Identifier: MIT
"""The page in a real browser: jobs seen, filtered, added, run, followed, mended; by keyboard, narrow, dark."""
import os
import pathlib
import unittest

import e2e
from browser import Browser
from test_http import HttpCase

TAB, ENTER = "\ue004", "\ue007"


class Page(HttpCase):
    def open(self, **options):
        browser = Browser(**options)
        self.addCleanup(browser.end)
        browser.go(f"http://127.0.0.1:{self.port}/")
        browser.until("the login is there", "return !!document.querySelector('#token')")
        browser.type("#token", self.admin)
        browser.click("#login button")
        browser.until("it is signed in", "return !!document.querySelector('.list')")
        browser.until("it is live", "return document.querySelector('#live .word').textContent === 'live'")
        return browser

    def quiet(self, browser):
        """No error in the console, no violation of the policy, no request to anywhere else."""
        found = [entry["message"] for entry in browser.log() if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual([text for text in found if "404" not in text and "412" not in text and "400" not in text], [])
        elsewhere = browser.run("return performance.getEntriesByType('resource').map(e => e.name)"
                                ".filter(n => new URL(n).origin !== location.origin)")
        self.assertEqual(elsewhere, [])

    def test_from_a_failure_to_its_repetition(self):
        server = self.serve()
        client = server.client()
        fixed = server.dir / "fixed"
        client.call("job.add", id="backup", name="Nightly backup", trigger={"cron": "30 2 * * *"},
                    shell=f"echo copying; test -e {fixed} && echo done || {{ echo 'disk is full' >&2; exit 2; }}")
        client.call("job.add", id="other", command=["true"], trigger={"every": "1h"})
        run = client.call("job.run", id="backup")["run"]
        client.call("run.wait", run=run)
        browser = self.open()
        browser.until("both are listed", "return document.querySelectorAll('.row').length === 2")
        browser.type("input[type=search]", "nightly")
        browser.until("one is left", "return document.querySelectorAll('.row').length === 1")
        browser.run("document.querySelector('.row a').click()")  # rows are drawn anew at any time
        browser.until("the last lines are shown", "return document.body.innerText.includes('disk is full')")
        browser.until("it says why", "return document.body.innerText.includes('exit code 2')")
        fixed.touch()
        browser.run("[...document.querySelectorAll('td button')].find(b => b.textContent === 'Repeat').click()")
        browser.until("it succeeds before one's eyes",
                      "return document.querySelector('.log').innerText.includes('done')"
                      " && !!document.querySelector('h2 + span .state.success')")
        self.quiet(browser)

    def test_what_runs_and_what_failed_is_seen_at_once(self):
        server = self.serve()
        client = server.client()
        for number in range(40):
            client.call("job.add", id=f"good{number:02}", command=["true"], trigger={"cron": "0 0 1 1 *"})
        for job, command in (("bad", ["false"]), ("long", ["sleep", "600"]), ("still", ["true"])):
            client.call("job.add", id=job, command=command, trigger={"manual": True})
        client.call("job.pause", id="still")
        client.call("run.wait", run=client.call("job.run", id="bad")["run"])
        client.call("run.wait", run=client.call("job.run", id="good00")["run"])
        client.call("job.run", id="long")
        browser = self.open()
        says = "return [...document.querySelectorAll('button[aria-pressed]')].filter(b => !b.hidden).map(b => b.textContent).join()"
        browser.until("it is counted", f"return (() => {{ {says} }})() === '1 running,1 failed last,1 paused'")
        for word, job in (("running", "long"), ("failed", "bad"), ("paused", "still")):
            press = f"[...document.querySelectorAll('button[aria-pressed]')].find(b => b.textContent.includes('{word}')).click()"
            browser.run(press)
            browser.until(f"what is {word} is shown alone", f"return [...document.querySelectorAll('.row a')].map(a => a.textContent).join() === '{job}'")
            browser.run(press)
            browser.until("all are shown", "return document.querySelectorAll('.row').length > 1")
        client.call("job.remove", id="long", kill=True)
        browser.until("it is counted anew", f"return (() => {{ {says} }})() === '1 failed last,1 paused'")
        browser.run("location.hash = '#/day'")
        browser.until("the day tells of both that ran", "return document.body.innerText.includes('ran, 1 of them failed.')")
        self.assertEqual(browser.run("return document.querySelectorAll('.lane .hit.past.bad').length"), 1)
        self.assertEqual(browser.run("return document.querySelector('.lane .hit.past.bad').getAttribute('href')"), "#/jobs/bad")
        browser.run("location.hash = '#/what'")
        browser.until("what is nowhere leads to the jobs", "return document.querySelector('nav a[aria-current]').textContent === 'Jobs'")
        self.quiet(browser)

    def test_adding_pausing_editing_killing(self):
        server = self.serve()
        gate = server.dir / "gate"
        os.mkfifo(gate)
        browser = self.open()
        browser.until("it says that there is nothing", "return document.body.innerText.includes('no jobs yet')")
        browser.run("location.hash = '#/add'")
        browser.type("#f-when", "61 * * * *")
        browser.until("the fault is told while typing", "return !!document.querySelector('.note.bad:not([hidden])')")
        browser.type("#f-when", "30 2 * * *")
        browser.type("#f-zone", "Europe/Berlin")
        browser.until("the rule is said in words", "return document.body.innerText.includes('At 02:30 every day')")
        browser.until("the month is drawn", "return document.querySelectorAll('td.hit').length === 10")
        browser.type("#f-id", "made")
        browser.type("#f-line", f"echo here; cat {gate}")
        browser.click("form .main")
        browser.until("the job is shown", "return location.hash === '#/jobs/made'")
        self.assertEqual(server.client().call("job.get", id="made")["shell"], f"echo here; cat {gate}")
        browser.until("its buttons are there", "return !!document.querySelector('main button.main')")
        browser.click("main button.main")
        browser.until("output arrives", "return document.querySelector('.log') && document.querySelector('.log').innerText.includes('here')")
        browser.until("it can be killed", "return [...document.querySelectorAll('button')].some(b => b.textContent === 'Kill made/1')")
        browser.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Kill made/1').click()")
        e2e.wait_until("it is killed", lambda: server.client().call("run.get", run="made/1")["state"] == "killed")
        browser.run("[...document.querySelectorAll('button')].find(b => b.textContent === 'Pause').click()")
        browser.until("it is paused", "return [...document.querySelectorAll('button')].some(b => b.textContent === 'Resume')")
        browser.run("location.hash = '#/edit/made'")
        browser.until("the form is filled", "return document.querySelector('#f-when') && document.querySelector('#f-when').value === '30 2 * * *'")
        browser.type("#f-when", "45 3 * * *")
        browser.click("form .main")
        browser.until("it is changed", "return location.hash === '#/jobs/made' && document.body.innerText.includes('03:45')")
        self.quiet(browser)

    def test_it_comes_back_when_the_daemon_does(self):
        server = self.serve()
        browser = self.open()
        server.stop()
        browser.until("it notices", "return document.querySelector('#live .word').textContent === 'reconnecting'")
        server.start()
        browser.until("it is live again", "return document.querySelector('#live .word').textContent === 'live'", 60)
        server.client().call("job.add", id="after", command=["true"], trigger={"manual": True})
        browser.until("new jobs appear by themselves", "return document.body.innerText.includes('after')")

    def test_without_a_mouse_at_360_pixels_in_the_dark(self):
        server = self.serve()
        server.client().call("job.add", id="only", command=["true"], trigger={"manual": True})
        browser = self.open(width=520, dark=True)
        browser.do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride",
                                                 "params": {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}})
        browser.until("the job is listed", "return !!document.querySelector('.row a')")
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), 360)
        self.assertTrue(browser.run("return matchMedia('(prefers-color-scheme: dark)').matches"))
        browser.run("document.querySelector('header a').focus()")
        for _ in range(30):
            browser.keys([TAB])
            if browser.run("return document.activeElement.textContent") == "only":
                break
        browser.keys([ENTER])
        browser.until("the job is shown", "return location.hash === '#/jobs/only'")
        browser.until("it has its buttons", "return !!document.querySelector('main button.main')")
        for _ in range(30):
            browser.keys([TAB])
            if browser.run("return document.activeElement.textContent") == "Run now":
                break
        browser.keys([ENTER])
        e2e.wait_until("it ran", lambda: server.client().call("run.list")["runs"])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), 360)
        self.quiet(browser)

    def test_ten_thousand_jobs_scroll(self):
        server = self.serve()
        jobs = [{"id": f"job{n:05}", "command": ["true"], "trigger": {"cron": f"{n % 60} {n % 24} * * *"}} for n in range(10000)]
        server.client(timeout=120).call("job.apply", jobs=jobs)
        browser = self.open()
        browser.until("all are counted", "return document.body.innerText.includes('10000 jobs')", 60)
        self.assertLess(browser.run("return document.querySelectorAll('.row').length"), 60)
        browser.run("window.long = []; new PerformanceObserver(l => window.long.push(...l.getEntries().map(e => e.duration))).observe({entryTypes: ['longtask']});"
                    "const box = document.querySelector('.list'); window.over = false; let n = 0;"
                    "(function step() { box.scrollTop = box.scrollHeight * n / 60; n++ < 60 ? requestAnimationFrame(step) : window.over = true; })()")
        browser.until("the end is reached", "return window.over")
        self.assertGreater(browser.run("return document.querySelectorAll('.row').length"), 5)
        self.assertTrue(browser.run("return [...document.querySelectorAll('.row')].every(r => r.offsetHeight > 0)"))

    def test_the_policy_names_what_is_inside(self):
        self.serve()
        page = self.ask("GET", "/", token="")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        source = pathlib.Path(os.environ["SCHEDD_SOURCE"], "server/http/page.html").read_bytes()
        self.assertEqual(page.body, source)


if __name__ == "__main__":
    unittest.main()
