# SPDX-License-Identifier: MIT
"""What programs mean to each other and to their own processes, loops and calls: as it was with APScheduler."""
import json
import signal
import unittest

import e2e
from test_client import ClientCase

MEMORY = """
import sys, time
from schedd import BackgroundScheduler

def work():
    pass

scheduler = BackgroundScheduler()
"""


class Several(ClientCase):
    def ids(self):
        return {job["id"] for job in self.rpc.call("job.list")["jobs"]}

    def ready(self, process):
        self.assertEqual(process.stdout.readline(), "ready\n")

    def test_what_is_in_memory_is_the_program_s_own(self):
        first = self.begin(MEMORY + """
scheduler.start()
scheduler.add_job(work, "interval", hours=1, id="first")
print("ready")
time.sleep(60)
""", "first.py")
        self.ready(first)
        self.run_program(MEMORY.replace("BackgroundScheduler()", "BackgroundScheduler(jobstores={'default': {'type': 'redis'}})") + """
scheduler.start()
scheduler.add_job(work, "interval", hours=1, id="kept")
print([job.id for job in scheduler.get_jobs()])
""")
        out = self.run_program(MEMORY + """
scheduler.start()
scheduler.add_job(work, "interval", hours=1, id="second")
print([job.id for job in scheduler.get_jobs()])
scheduler.pause()
scheduler.remove_all_jobs()
""")
        self.assertEqual(out, "['second']\n")
        self.assertEqual(self.ids(), {"first", "kept"})
        self.assertFalse(self.job("first")["paused"])
        self.finish(first, signal.SIGINT)
        self.assertEqual(self.ids(), {"kept"})

    def test_jobs_that_were_imported_are_those_of_the_program(self):
        path = self.schedd.dir / "jobs.json"
        (self.app / "beside.py").write_text("def work(what):\n    return what * 2\n")
        program = self.write(MEMORY.replace("BackgroundScheduler()", "BackgroundScheduler(jobstores={'default': {'type': 'mongodb'}})") + """
scheduler.start()
print(sorted(job.id for job in scheduler.get_jobs()))
""")
        path.write_text(json.dumps({"version": 1, "jobs": [
            {"id": name, "func": func, "args": args, "executor": "default", "trigger": {"type": "interval", "hours": 1}}
            for name, func, args in (("own", "__main__:work", []), ("beside", "beside:work", ["tea"]),
                                     ("elsewhere", "json:dumps", [1]))]}))
        self.rpc.call("executor.add", name="python", type="worker")
        code, _, err = self.schedd.ctl("import", "apscheduler", str(path), "--program", str(program))
        self.assertEqual(code, 0, err)
        self.assertEqual(self.run_program(program.read_text()), "['beside', 'elsewhere', 'own']\n")
        self.assertEqual(self.schedd.ctl("run", "--result", "beside")[1], '"teatea"\n')
        self.assertEqual(self.job("elsewhere")["call"]["function"], "json:dumps")

    def test_the_next_start_takes_the_id_of_a_killed_program_s_job(self):
        program = MEMORY + """
scheduler.add_job(work, "interval", hours=1, id="tick")
scheduler.start()
print("ready")
time.sleep(60)
"""
        for _ in range(2):
            process = self.begin(program)
            self.ready(process)
            mark = self.job("tick")["tags"]["program"]
            self.assertTrue(mark.startswith(f"{process.pid}:"), mark)
            process.kill()
            process.communicate()

    def test_the_end_of_a_forked_child_is_not_the_program_s(self):
        process = self.begin(MEMORY + """
import os
scheduler.start()
scheduler.add_job(work, "interval", hours=1, id="stays")
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
print("ready")
time.sleep(60)
""")
        self.ready(process)
        self.assertEqual(self.ids(), {"stays"})

    def test_a_call_s_jobs_in_memory_go_with_the_program(self):
        process = self.begin(MEMORY + """
def chain():
    scheduler.add_job(work, "interval", hours=1, id="added")
    return sorted(job.id for job in scheduler.get_jobs())

scheduler.start()
scheduler.add_job(chain, "interval", hours=1, id="chain")
print("ready")
time.sleep(60)
""")
        self.ready(process)
        self.assertEqual(self.schedd.ctl("run", "--result", "chain")[1], '["added","chain"]\n')
        self.finish(process, signal.SIGINT)
        self.assertEqual(self.ids(), set())


class Loops(ClientCase):
    def test_listeners_of_an_asyncio_scheduler_run_on_its_loop(self):
        # Calls share a loop there, too, while the program that they are in wants to run one.
        self.schedd.stop()
        self.schedd.config.write_text("executors: {python: {type: worker, concurrency: 3}}\n")
        self.schedd.start()
        out = self.run_program("""
            import asyncio, threading
            from schedd import AsyncIOScheduler, EVENT_JOB_EXECUTED, EVENT_SCHEDULER_STARTED

            async def work():
                return "done"

            async def main():
                over = asyncio.Event()
                scheduler = AsyncIOScheduler()

                def listen(event):
                    asyncio.get_running_loop().call_soon(over.set)
                    print(event.retval, threading.current_thread() is threading.main_thread())
                scheduler.add_listener(lambda event: print("started"), EVENT_SCHEDULER_STARTED)
                scheduler.add_listener(listen, EVENT_JOB_EXECUTED)
                scheduler.start()
                scheduler.add_job(work, id="work", misfire_grace_time=None)
                await asyncio.wait_for(over.wait(), 60)
                scheduler.shutdown()

            asyncio.run(main())
            """)
        self.assertEqual(out, "started\ndone True\n")

    def test_the_loop_may_begin_after_the_scheduler(self):
        out = self.run_program("""
            import asyncio
            from schedd import AsyncIOScheduler, EVENT_JOB_EXECUTED

            def work():
                return "done"

            loop = asyncio.new_event_loop()
            scheduler = AsyncIOScheduler(event_loop=loop)
            scheduler.add_listener(lambda event: (print(event.retval), asyncio.get_running_loop().stop()), EVENT_JOB_EXECUTED)
            scheduler.add_job(work, id="work", misfire_grace_time=None)
            scheduler.start()
            loop.run_forever()
            """)
        self.assertEqual(out, "done\n")

    def test_what_a_gevent_scheduler_starts_may_be_joined(self):
        (self.app / "gevent.py").write_text("import threading\nfrom time import sleep\n\ndef spawn(work):\n"
                                            "    thread = threading.Thread(target=work)\n    thread.start()\n    return thread\n")
        out = self.run_program("""
            import threading
            from schedd import GeventScheduler

            scheduler = GeventScheduler()
            greenlet = scheduler.start()
            threading.Timer(0.3, scheduler.shutdown).start()
            greenlet.join()
            print("over")
            """)
        self.assertEqual(out, "over\n")


class Told(ClientCase):
    def test_events_name_aliases_times_and_exceptions(self):
        out = self.run_program("""
            import time
            from schedd import (BackgroundScheduler, EVENT_JOB_ADDED, EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES,
                                MemoryJobStore, SQLAlchemyJobStore)

            class Mine(Exception):
                def __init__(self, code, more):
                    super().__init__(f"{code} and {more}")

            class Jobs:
                @staticmethod
                def raises(kind):
                    raise KeyError("the key") if kind == "key" else Mine(1, 2)

            def long():
                time.sleep(60)

            skipped, errors, added = [], {}, {}
            scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore("sqlite:///x"), "quick": MemoryJobStore()})
            scheduler.add_listener(lambda event: skipped.extend(event.scheduled_run_times), EVENT_JOB_MAX_INSTANCES)
            scheduler.add_listener(lambda event: errors.update({event.job_id: event.exception}), EVENT_JOB_ERROR)
            scheduler.add_listener(lambda event: added.update({event.job_id: event.jobstore}), EVENT_JOB_ADDED)
            scheduler.start()
            job = scheduler.add_job(Jobs.raises, args=["key"], id="key", misfire_grace_time=None)
            scheduler.add_job(Jobs.raises, args=["mine"], id="mine", jobstore="quick", misfire_grace_time=None)
            scheduler.add_job(long, "interval", seconds=0.2, id="long", jobstore="quick", misfire_grace_time=None)
            while len(skipped) < 3 or len(errors) < 2:
                time.sleep(0.05)
            print(job.name, added, len(set(skipped)) == len(skipped), sorted(skipped) == skipped)
            print(repr(errors["key"]), type(errors["mine"]) is Mine, errors["mine"])
            scheduler.call("run.kill", job="long", run=1)
            """)
        self.assertEqual(out, "Jobs.raises {'key': 'default', 'mine': 'quick', 'long': 'quick'} True True\n"
                              "KeyError('the key') True 1 and 2\n")

    def test_what_a_program_defines_behind_its_start_is_there_in_a_call(self):
        process = self.begin(MEMORY + """
def total():
    return [LIMIT, COUNT, KIND, dumps(HELPER)]

scheduler.add_job(total, "interval", hours=1, id="total")
scheduler.start()
LIMIT: int = 5
COUNT = 1
COUNT += 1
if len(sys.argv) > 5:
    KIND = "many"
else:
    KIND = "few"
try:
    from there_is_none import dumps
except ImportError:
    from json import dumps
HELPER = "x"
print("ready")
time.sleep(60)
""")
        self.assertEqual(process.stdout.readline(), "ready\n")
        self.assertEqual(self.schedd.ctl("run", "--result", "total")[1], '[5,2,"few","\\"x\\""]\n')

    def test_a_paused_job_that_is_rescheduled_goes_on(self):
        out = self.run_program(MEMORY + """
scheduler.start()
job = scheduler.add_job(work, "interval", hours=1, id="work")
job.pause()
print(job.next_run_time)
job.reschedule("interval", hours=2)
print(job.next_run_time is None)
held = scheduler.add_job(work, "interval", hours=1, id="held", next_run_time=None)
print(held.next_run_time)
print(held.modify(next_run_time=job.next_run_time).next_run_time == job.next_run_time)
print(held.modify(next_run_time=None).next_run_time)
""")
        self.assertEqual(out.split(), ["None", "False", "None", "True", "None"])

    def test_flask_apscheduler_s_routes_and_who_may_use_them(self):
        out = self.run_program("""
            import json
            from flask import Flask
            from schedd import APScheduler, HTTPBasicAuth

            def work(what="x"):
                return what

            class Config:
                SCHEDULER_API_ENABLED = True
                SCHEDULER_API_PREFIX = "/s"
                SCHEDULER_ENDPOINT_PREFIX = "jobs_"
                SCHEDULER_AUTH = HTTPBasicAuth()
                SCHEDULER_TIMEZONE = "Asia/Tokyo"
                JOBS = [{"id": "one", "func": work, "trigger": {"type": "cron", "minute": "*/5", "hour": 3}}]

            app = Flask(__name__)
            app.config.from_object(Config())
            scheduler = APScheduler()
            scheduler.init_app(app)

            @scheduler.authenticate
            def authenticate(given):
                return (given["username"], given["password"]) == ("ann", "secret")

            scheduler.start()
            client = app.test_client()

            def ask(method, path, body=None, auth=("ann", "secret")):
                got = client.open(f"/s{path}", method=method, json=body, auth=auth)
                data = got.get_json(silent=True)
                if isinstance(data, dict):
                    data = {k: v for k, v in data.items() if k in ("trigger", "minute", "hour", "hours", "seconds", "weeks", "func",
                                                                  "error_message", "running", "allowed_hosts", "name")}
                print(got.status_code, json.dumps(data if isinstance(data, dict) else None, sort_keys=True))

            ask("GET", "/jobs/one")
            ask("GET", "/jobs/one", auth=None)
            ask("DELETE", "/jobs/one", auth=("ann", "wrong"))
            ask("PATCH", "/jobs/one", {"trigger": "interval", "weeks": 1, "hours": 25, "name": "new"})
            ask("PATCH", "/jobs/one", {"trigger": {"type": "interval", "seconds": 90}})
            ask("POST", "/jobs", {"id": "one", "func": "json:dumps", "args": [1]})
            ask("POST", "/jobs/none/pause")
            ask("POST", "/start")
            ask("POST", "/pause")
            ask("POST", "/resume")
            ask("GET", "")
            ask("POST", "/shutdown")
            ask("POST", "/shutdown")
            """)
        self.assertEqual([line.split(" ", 1) for line in out.splitlines()], [
            ["200", '{"func": "__main__:work", "hour": "3", "minute": "*/5", "name": "one", "trigger": "cron"}'],
            ["401", "null"], ["401", "null"],
            ["200", '{"func": "__main__:work", "hours": 1, "name": "new", "trigger": "interval", "weeks": 1}'],
            ["200", '{"func": "__main__:work", "name": "new", "seconds": 30, "trigger": "interval"}'],
            ["409", '{"error_message": "Job one already exists."}'],
            ["404", '{"error_message": "Job none not found"}'],
            ["400", '{"error_message": "Scheduler is already running"}'],
            ["204", "null"], ["204", "null"],
            ["200", '{"allowed_hosts": ["*"], "running": true}'],
            ["204", "null"],
            ["400", '{"error_message": "Scheduler is not running"}']])

    def test_flask_s_reloader_starts_one_scheduler(self):
        program = """
            import flask
            from schedd import APScheduler

            def work():
                pass

            app = flask.Flask(__name__)
            app.config.update(SCHEDULER_ALLOWED_HOSTS={hosts!r}, JOBS=[{{"id": "one", "func": work, "trigger": "interval", "hours": 1}}])
            scheduler = APScheduler(app=app)
            scheduler.start()
            print(scheduler.running)
            """
        self.assertEqual(self.run_program(program.format(hosts=["*"]), FLASK_DEBUG="1"), "False\n")
        self.assertEqual(self.run_program(program.format(hosts=["*"]), FLASK_DEBUG="1", WERKZEUG_RUN_MAIN="true"), "True\n")
        self.assertEqual(self.run_program(program.format(hosts=["elsewhere"])), "False\n")


if __name__ == "__main__":
    unittest.main()
