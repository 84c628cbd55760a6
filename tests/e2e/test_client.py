# SPDX-License-Identifier: MIT
"""Programs as they are written for APScheduler, with their imports changed: each against a real schedd."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import time
import unittest
import urllib.error
import urllib.request

import e2e

LIBRARY = pathlib.Path(os.environ["SCHEDD_SOURCE"]) / "lib/executor/python"


class ClientCase(e2e.TestCase):
    """A daemon, and programs that run beside it."""

    def setUp(self):
        # No executor is configured: the first program makes one.
        self.schedd = self.daemon()
        self.rpc = self.schedd.client()
        self.app = self.schedd.dir / "app"
        self.app.mkdir()

    def write(self, text, name="program.py"):
        path = self.app / name
        path.write_text(textwrap.dedent(text))
        return path

    def begin(self, text, name="program.py", **env):
        process = subprocess.Popen(
            [sys.executable, str(self.write(text, name))], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={**self.schedd.environment(), "PYTHONPATH": str(LIBRARY), "PYTHONUNBUFFERED": "1",
                 "PYTHONDONTWRITEBYTECODE": "1", **env})
        self.addCleanup(self.finish, process, signal.SIGKILL)
        return process

    def finish(self, process, number=signal.SIGTERM):
        """Its output."""
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.communicate(timeout=30)[0]
        except ValueError:
            return ""  # it was read before

    def run_program(self, text, **env):
        """Runs it to its end: its output."""
        process = self.begin(text, **env)
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0, out)
        return out

    def runs(self, job, *states):
        runs = self.rpc.call("run.list", jobs=[job], limit=100)["runs"]
        return [r for r in runs if not states or r["state"] in states]

    def job(self, job):
        return self.rpc.call("job.get", id=job)

    def logs(self, run):
        return self.schedd.ctl("logs", run)[1]

    def said(self, job):
        """What its first run that succeeded wrote: one before it may have come too late on a slow machine."""
        return self.logs(f"{job}/{self.runs(job, 'success')[-1]['run']}")


class Programs(ClientCase):
    def test_a_blocking_scheduler_prints_the_time(self):
        process = self.begin("""
            from datetime import datetime
            from schedd import BlockingScheduler

            def tick():
                print("The time is", datetime.now())

            scheduler = BlockingScheduler()
            scheduler.add_job(tick, "interval", seconds=0.5, id="tick")
            scheduler.start()
            """)
        e2e.wait_until("it ticks", lambda: len(self.runs("tick", "success")) >= 3)
        self.assertRegex(self.said("tick"), r"^The time is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
        self.finish(process, signal.SIGINT)
        e2e.wait_until("the job goes with the program that kept it in memory",
                       lambda: not self.rpc.call("job.list")["jobs"])

    def test_listeners_hear_of_results_and_exceptions(self):
        out = self.run_program("""
            import logging, time
            from schedd import BackgroundScheduler
            from schedd import EVENT_JOB_EXECUTED, EVENT_JOB_ERROR

            logging.basicConfig(level=logging.DEBUG)
            log = logging.getLogger("apscheduler")
            log.setLevel(logging.DEBUG)

            def good(name):
                return f"hello {name}"

            def bad():
                return 1 / 0

            def listener(event):
                if event.exception:
                    print("crashed:", event.job_id, type(event.exception).__name__, event.exception,
                          "ZeroDivisionError" in event.traceback)
                else:
                    print("worked:", event.job_id, event.retval, event.scheduled_run_time is not None)

            scheduler = BackgroundScheduler()
            scheduler.add_job(func=good, args=("world",), id="good", name="a good job", max_instances=10,
                              jobstore="default", executor="default", trigger="interval", seconds=0.3)
            scheduler.add_job(bad, "interval", seconds=0.3, id="bad")
            scheduler.add_listener(listener, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
            scheduler.start()
            time.sleep(2.5)
            scheduler.shutdown()
            """)
        self.assertIn("worked: good hello world True", out)
        self.assertIn("crashed: bad ZeroDivisionError division by zero True", out)
        self.assertIn('Added job "a good job" to job store "default"', out)

    def test_intervals_between_dates_and_from_the_first_on(self):
        self.run_program("""
            from schedd import BackgroundScheduler
            from schedd import MemoryJobStore, SQLAlchemyJobStore

            def work():
                pass

            scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url="sqlite:///jobs.sqlite")},
                                            timezone="UTC")
            scheduler.add_job(work, "interval", hours=2, start_date="2030-10-10 09:30:00",
                              end_date="2030-10-20 11:00:00", id="dates")
            scheduler.add_job(work, "interval", days=3, hours=17, minutes=19, seconds=7, id="odd")
            scheduler.add_job(work, "interval", minutes=19, seconds=7, id="minutes")
            scheduler.add_job(work, "interval", seconds=0.5, id="half")
            scheduler.start()
            """)
        dates = self.job("dates")
        self.assertEqual(dates["next_run_time"], 1917855000000000)
        fires = self.rpc.call("trigger.next", id="dates", n=1000)["fire_times"]
        self.assertEqual((len(fires), fires[-1]), (121, 1917855000000000 + 120 * 7200 * 10**6))
        self.assertEqual(self.job("odd")["trigger"]["seconds"], 3 * 86400 + 17 * 3600 + 19 * 60 + 7)
        self.assertEqual(self.job("minutes")["trigger"]["seconds"], 19 * 60 + 7)
        e2e.wait_until("jobs of a store that keeps go on without the program",
                       lambda: len(self.runs("half", "success")) >= 2)

    def test_dates(self):
        out = self.run_program("""
            import time
            from datetime import date, datetime, timedelta
            from schedd import BackgroundScheduler, SQLAlchemyJobStore, EVENT_JOB_MISSED

            def say(text):
                print(text)

            def remove(job_id):
                scheduler.remove_job(job_id)

            scheduler = BackgroundScheduler(timezone="UTC")
            scheduler.add_jobstore(SQLAlchemyJobStore(url="sqlite:///x"))
            if __name__ == "__main__":
                now = datetime.utcnow()
                scheduler.add_listener(lambda event: print("missed", event.job_id), EVENT_JOB_MISSED)
                scheduler.start()
                scheduler.add_job(say, "date", run_date=now + timedelta(seconds=4), args=["later"], id="later")
                scheduler.add_job(say, args=["at once"], id="once")
                scheduler.add_job(say, "date", run_date="2019-4-24 00:00:01", args=["long ago"], id="past")
                scheduler.add_job(say, "date", run_date=date(2031, 1, 2), args=["far"], id="far")
                scheduler.add_job(say, args=["soon"], next_run_time=now + timedelta(seconds=4.5), id="soon")
                scheduler.add_job(say, "interval", hours=1, args=["doomed"], id="doomed")
                scheduler.add_job(remove, args=["doomed"], id="remover",
                                  next_run_time=(now + timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S"))
                while {job.id for job in scheduler.get_jobs()} - {"far"}:
                    time.sleep(0.1)
                print(sorted(job.id for job in scheduler.get_jobs()))
            """)
        self.assertIn("missed past", out)
        self.assertIn("['far']", out)
        self.assertEqual(self.job("far")["next_run_time"], 1925078400000000)
        for job, text in (("later", "later\n"), ("once", "at once\n"), ("soon", "soon\n")):
            run = self.runs(job)[0]
            self.assertEqual((run["state"], self.logs(run["id"])), ("success", text), job)
        self.assertEqual(self.runs("remover")[0]["state"], "success", self.logs("remover/1"))

    def test_cron(self):
        self.run_program("""
            from schedd import BackgroundScheduler, CronTrigger, SQLAlchemyJobStore

            def work():
                pass

            sched = BackgroundScheduler(timezone="Asia/Shanghai",
                                        jobstores={"default": {"type": "sqlalchemy", "url": "sqlite:///x"}})
            sched.add_job(work, "cron", day_of_week="mon-fri", hour=5, minute=30, end_date="2034-05-30", id="weekdays")
            sched.add_job(work, "cron", hour="*/2", minute=1, id="hours")
            sched.add_job(work, "cron", second="*/5", id="seconds")
            sched.add_job(work, "cron", year=2031, month=3, day=22, hour=17, minute=19, second=7, id="instant")
            sched.add_job(work, "cron", week="*", day_of_week="sun", id="sundays")
            sched.add_job(work, "cron", day="3rd fri", id="third")
            sched.add_job(work, "cron", day="last sun", month="6-8,11-12", hour="0-3", id="last")
            sched.add_job(work, CronTrigger.from_crontab("0 0 1-15 may-aug *"), id="crontab")
            sched.add_job(work, "cron", hour="*", jitter=120, id="jitter")
            sched.start()
            """)
        wanted = {
            "weekdays": {"day_of_week": "mon-fri", "hour": "5", "minute": "30"},
            "hours": {"hour": "*/2", "minute": "1"}, "seconds": {"second": "*/5"},
            "instant": {"year": "2031", "month": "3", "day": "22", "hour": "17", "minute": "19", "second": "7"},
            "sundays": {"week": "*", "day_of_week": "sun"}, "third": {"day": "3rd fri"},
            "last": {"month": "6-8,11-12", "day": "last sun", "hour": "0-3"},
            "crontab": {"month": "may-aug", "day": "1-15", "hour": "0", "minute": "0", "day_of_week": "*"},
            "jitter": {"hour": "*"}}
        for job, fields in wanted.items():
            trigger = self.job(job)["trigger"]
            self.assertEqual(trigger["fields"], fields, job)
            if job != "crontab":  # a trigger of one's own has the zone of the machine
                self.assertEqual(trigger["timezone"], "Asia/Shanghai", job)
        self.assertEqual(self.job("jitter")["trigger"]["jitter"], 120)
        self.assertEqual(self.job("instant")["next_run_time"], 1931937547000000)
        self.assertIn("end", self.job("weekdays")["trigger"])

    def test_stores_and_executors_by_alias_and_job_defaults(self):
        self.rpc.call("store.add", name="mongo", type="sqlite")
        out = self.run_program("""
            from schedd import BackgroundScheduler
            from schedd import MongoDBJobStore, SQLAlchemyJobStore
            from schedd import ThreadPoolExecutor, ProcessPoolExecutor
            utc = "UTC"

            def work():
                pass

            jobstores = {"mongo": MongoDBJobStore(), "default": SQLAlchemyJobStore(url="sqlite:///jobs.sqlite")}
            executors = {"default": ThreadPoolExecutor(20), "processpool": ProcessPoolExecutor(5)}
            job_defaults = {"coalesce": False, "max_instances": 3}
            scheduler = BackgroundScheduler(jobstores=jobstores, executors=executors, job_defaults=job_defaults,
                                            timezone=utc)
            scheduler.add_job(work, "interval", minutes=1, id="one", jobstore="mongo", executor="processpool")
            scheduler.add_job(work, "interval", minutes=1, id="two", misfire_grace_time=30)
            scheduler.start()
            print([job.id for job in scheduler.get_jobs(jobstore="mongo")], [job.id for job in scheduler.get_jobs()])
            try:
                scheduler.add_job(work, "interval", minutes=1, id="one")
            except Exception as exc:
                print(type(exc).__name__, exc)
            try:
                scheduler.add_job(work, "interval", minutes=1, jobstore="nowhere")
            except KeyError as exc:
                print(exc)
            """)
        self.assertIn("['one'] ['one', 'two']", out)
        self.assertIn("ConflictingIdError 'Job identifier (one) conflicts with an existing job'", out)
        self.assertIn("No such job store: nowhere", out)
        # The one that was made has room for as many as the program's pools together.
        self.assertEqual([e["max_workers"] for e in self.rpc.call("executor.list") if e["name"] == "python"], [25])
        one, two = self.job("one"), self.job("two")
        self.assertEqual((one["store"], one["coalesce"], one["max_instances"], one["executor"]),
                         ("mongo", "all", 3, "python"))
        self.assertEqual((two["store"], two["misfire_grace_time"], two["trigger"]["timezone"]), ("default", 30, "UTC"))

    def test_a_configuration_of_flat_texts(self):
        self.run_program("""
            from schedd import BackgroundScheduler

            def work():
                pass

            scheduler = BackgroundScheduler({
                "apscheduler.jobstores.default": {"type": "sqlalchemy", "url": "sqlite:///jobs.sqlite"},
                "apscheduler.executors.default": {"class": "apscheduler.executors.pool:ThreadPoolExecutor",
                                                  "max_workers": "20"},
                "apscheduler.job_defaults.coalesce": "false",
                "apscheduler.job_defaults.max_instances": "3",
                "apscheduler.timezone": "UTC",
            })
            scheduler.add_job(work, "interval", minutes=1, id="flat")
            scheduler.start()
            """)
        flat = self.job("flat")
        self.assertEqual((flat["coalesce"], flat["max_instances"], flat["store"]), ("all", 3, "default"))

    def test_changes_of_jobs(self):
        out = self.run_program("""
            from schedd import BackgroundScheduler, JobLookupError

            def work():
                pass

            scheduler = BackgroundScheduler()
            job = scheduler.add_job(work, "interval", minutes=2, id="my_job_id")
            print("pending", job.pending, [j.id for j in scheduler.get_jobs()])
            scheduler.start()
            job = scheduler.get_job("my_job_id")
            job.modify(max_instances=6, name="Alternate name")
            print(job.max_instances, job.name, job.func_ref.endswith(":work"))
            scheduler.reschedule_job("my_job_id", trigger="cron", minute="*/5")
            print(scheduler.get_job("my_job_id").trigger)
            scheduler.pause_job("my_job_id")
            print("paused", scheduler.get_job("my_job_id").next_run_time)
            job.resume()
            print("resumed", job.next_run_time is not None)
            scheduler.pause(); print("all", scheduler.get_job("my_job_id").next_run_time, scheduler.state)
            scheduler.resume(); print("all", scheduler.get_job("my_job_id").next_run_time is not None, scheduler.running)
            scheduler.modify_job("my_job_id", args=(), coalesce=False)
            job.remove()
            print(scheduler.get_job("my_job_id"), scheduler.get_jobs())
            try:
                scheduler.remove_job("my_job_id")
            except JobLookupError as exc:
                print(exc)
            scheduler.print_jobs()
            scheduler.shutdown()
            """)
        for line in ("pending True ['my_job_id']", "6 Alternate name True", "paused None", "resumed True", "all None 2",
                     "all True True", "None []", "No job by the id of my_job_id was found", "Jobstore default:", "No scheduled jobs"):
            self.assertIn(line, out)
        self.assertIn("*/5", out)

    def test_decorators_and_what_cannot_be_named(self):
        out = self.run_program("""
            import functools, time
            from schedd import BackgroundScheduler

            scheduler = BackgroundScheduler()

            @scheduler.scheduled_job("interval", seconds=0.3, id="decorated", args=["x"])
            def decorated(value):
                print("called with", value)

            class Thing:
                def method(self): pass
                @classmethod
                def of_class(cls): print("of", cls.__name__)
                @staticmethod
                def static(): print("static")

            scheduler.add_job(Thing.of_class, "interval", seconds=0.3, id="of_class")
            scheduler.add_job(Thing.static, "interval", seconds=0.3, id="static")
            for bad in (lambda: 1, functools.partial(print, 1), Thing().method):
                try:
                    scheduler.add_job(bad, "interval", seconds=1)
                except ValueError as exc:
                    print("refused:", exc)
            try:
                scheduler.add_job(decorated, "interval", seconds=1, args=[object()])
            except TypeError as exc:
                print("refused:", exc)
            try:
                scheduler.add_job(decorated, "interval", seconds=1)
            except ValueError as exc:
                print("refused:", exc)
            scheduler.start()
            while not all(scheduler.call("run.list", jobs=[j.id], states=["success"])["runs"] for j in scheduler.get_jobs()):
                time.sleep(0.1)
            """)
        self.assertEqual(out.count("refused:"), 5, out)
        self.assertIn("a lambda?", out)
        self.assertEqual(self.said("decorated"), "called with x\n")
        self.assertEqual(self.said("of_class"), "of Thing\n")

    def test_modules_beside_the_program_are_found(self):
        (self.app / "pkg").mkdir()
        (self.app / "pkg" / "__init__.py").write_text("")
        (self.app / "pkg" / "tasks.py").write_text("def daily(what, times=1):\n    print(what * times)\n")
        self.run_program("""
            import time
            from pkg import tasks
            from schedd import BackgroundScheduler

            scheduler = BackgroundScheduler()
            scheduler.start()
            scheduler.add_job("pkg.tasks:daily", args=["text"], id="text")
            scheduler.add_job(tasks.daily, args=["function"], kwargs={"times": 2}, id="function")
            while not all(scheduler.call("run.list", jobs=[i], states=["success"])["runs"] for i in ("text", "function")):
                time.sleep(0.1)
            """)
        self.assertEqual(self.logs("text/1"), "text\n")
        self.assertEqual(self.logs("function/1"), "functionfunction\n")

    def test_jobs_of_a_killed_program_go_with_its_next_start(self):
        program = """
            import time
            from schedd import BackgroundScheduler

            def work():
                pass

            scheduler = BackgroundScheduler()
            scheduler.add_job(work, "interval", hours=1)
            scheduler.start()
            print("ready")
            time.sleep(60)
            """
        for _ in range(2):
            process = self.begin(program)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.kill()
            process.communicate()
        self.assertEqual(len(self.rpc.call("job.list")["jobs"]), 1)

    def test_several_processes_start_one_scheduler(self):
        self.run_program("""
            import os
            from schedd import BackgroundScheduler, SQLAlchemyJobStore

            def work():
                pass

            scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url="sqlite:///x")})
            children = [os.fork() for _ in range(3)]
            scheduler.start()
            scheduler.add_job(work, "interval", seconds=0.5, id="once", replace_existing=True)
            """)
        e2e.wait_until("it runs", lambda: len(self.runs("once", "success")) >= 3)
        jobs = self.rpc.call("job.list")["jobs"]
        self.assertEqual([job["id"] for job in jobs], ["once"])
        times = [run["scheduled_at"] for run in self.runs("once")]
        self.assertEqual(len(times), len(set(times)), "no time was run twice")


class Flask(ClientCase):
    def get(self, url, method="GET", body=None):
        request = urllib.request.Request(url, method=method, data=body and json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def serve(self, text):
        self.begin(text.replace("port=0", f"port={self.port}"))

        def answers():
            try:
                return self.get(f"http://127.0.0.1:{self.port}/isjob") or True
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
        e2e.wait_until("Flask answers", answers)

    def setUp(self):
        super().setUp()
        try:
            import flask  # pylint: disable=import-outside-toplevel,unused-import
        except ImportError:
            self.fail("python3-flask is not installed: sh server/install-packages.sh test")
        import socket  # pylint: disable=import-outside-toplevel
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def test_an_application_with_routes_that_add_and_remove(self):
        self.serve("""
import flask
from flask import Flask
from schedd import BackgroundScheduler
from schedd import RedisJobStore
from schedd import ThreadPoolExecutor

app = Flask(__name__)
scheduler = BackgroundScheduler(
    jobstores={"default": RedisJobStore(db=2, host="127.0.0.1", port=6379, jobs_key="j", run_times_key="r")},
    executors={"default": ThreadPoolExecutor(5)})

def tick():
    print("tick")

@app.route("/isjob")
def isjob():
    return "YES" if scheduler.get_job("tick") else "NO"

@app.route("/start")
def start():
    if not scheduler.get_job("tick"):
        scheduler.add_job(tick, "interval", seconds=0.5, id="tick")
    return "started"

@app.route("/remove")
def remove():
    if scheduler.get_job("tick"):
        scheduler.remove_job("tick")
    return "removed"

scheduler.start()
app.run(host="127.0.0.1", port=0)
""")
        url = f"http://127.0.0.1:{self.port}"
        self.assertEqual(self.get(url + "/isjob"), "NO")
        self.get(url + "/start")
        self.get(url + "/start")
        self.assertEqual(self.get(url + "/isjob"), "YES")
        e2e.wait_until("it ticks", lambda: self.runs("tick", "success"))
        self.get(url + "/remove")
        self.assertEqual(self.get(url + "/isjob"), "NO")

    def test_flask_apscheduler(self):
        self.serve("""
import flask
from flask import Flask
from schedd import APScheduler

class Config:
    JOBS = [{"id": "job1", "func": "program:job1", "args": (1, 2), "trigger": "interval", "seconds": 0.5}]
    SCHEDULER_JOBSTORES = {"default": {"type": "sqlalchemy", "url": "sqlite:///x"}}
    SCHEDULER_EXECUTORS = {"default": {"type": "threadpool", "max_workers": 20}}
    SCHEDULER_JOB_DEFAULTS = {"coalesce": False, "max_instances": 3}
    SCHEDULER_API_ENABLED = True
    SCHEDULER_TIMEZONE = "UTC"
    GREETING = "hello from the application"

def job1(a, b):
    print(a + b)

app = Flask(__name__)
app.config.from_object(Config())
scheduler = APScheduler()
scheduler.init_app(app)

@scheduler.task("interval", id="do_job_1", seconds=30, misfire_grace_time=900)
def first():
    print("one")

@scheduler.task("cron", id="do_job_2", minute="*")
def second():
    with scheduler.app.app_context():
        print(flask.current_app.config["GREETING"])

scheduler.start()
if __name__ == "__main__":
    app.run(host="127.0.0.1", port=0)
""")
        url = f"http://127.0.0.1:{self.port}/scheduler"
        e2e.wait_until("job1 runs", lambda: self.runs("job1", "success"))
        self.assertEqual(self.said("job1"), "3\n")
        self.assertEqual(self.job("do_job_1")["misfire_grace_time"], 900)
        self.assertEqual({j["id"] for j in json.loads(self.get(url + "/jobs"))}, {"job1", "do_job_1", "do_job_2"})
        self.get(url + "/jobs/do_job_2/run", "POST")
        e2e.wait_until("it ran", lambda: self.runs("do_job_2", "success", "failed"))
        self.assertEqual(self.logs("do_job_2/1"), "hello from the application\n")
        self.get(url + "/jobs/do_job_2/pause", "POST")
        self.assertIsNone(json.loads(self.get(url + "/jobs/do_job_2"))["next_run_time"])
        self.get(url + "/jobs/do_job_1", "DELETE")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(url + "/jobs/do_job_1")
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()


class Plain(ClientCase):
    def test_client_and_async_client(self):
        (self.app / "reports.py").write_text("def send(what):\n    return what.upper()\n")
        out = self.run_program("""
            import asyncio, sys
            from schedd import Client, AsyncClient, EVENT_JOB_EXECUTED

            client = Client()
            job = client.add_job(f"{sys.path[0]}/reports:send", "cron", hour=5, id="report", args=["q3"])
            print(job.id, job.func_ref, job.next_run_time is not None)

            async def main():
                client, heard = AsyncClient(), asyncio.Event()

                def listener(event):
                    print("heard", event.job_id, event.retval)
                    heard.set()
                await client.add_listener(listener, EVENT_JOB_EXECUTED)
                print(await client.run_job("report"))
                await asyncio.wait_for(heard.wait(), 20)
                print([job.id for job in await client.get_jobs()])
                await client.reschedule_job("report", trigger="interval", minutes=5)
                await client.remove_job("report")
                print(await client.get_job("report"))
            asyncio.run(main())
            """)
        for line in ("report reports:send True", "report/1", "heard report Q3", "['report']", "None"):
            self.assertIn(line, out)

    def test_no_daemon_is_told_plainly(self):
        out = self.run_program("""
            from schedd import Client
            try:
                Client(path="/nonexistent/schedd.sock").get_jobs()
            except ConnectionError as exc:
                print(exc)
            """)
        self.assertIn("schedd is not reachable at /nonexistent/schedd.sock", out)


if __name__ == "__main__":
    unittest.main()
