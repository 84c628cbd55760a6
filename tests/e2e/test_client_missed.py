# SPDX-License-Identifier: MIT
"""Runs that were missed in a row, and a job that takes longer than its interval, as a program with the client has them."""
import os
import signal
import time
import unittest

import e2e
from test_client import ClientCase


class Missed(ClientCase):
    def test_five_missed_in_a_row_are_one_or_five(self):
        self.run_program("""
            from schedd import BackgroundScheduler, ProcessPoolExecutor, SQLAlchemyJobStore, ThreadPoolExecutor

            def work():
                pass

            scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url="sqlite:///jobs.sqlite")},
                                            executors={"default": ThreadPoolExecutor(20), "processpool": ProcessPoolExecutor(5)},
                                            job_defaults={"coalesce": False, "max_instances": 20}, timezone="UTC")
            scheduler.add_job(work, "interval", seconds=1, id="each", misfire_grace_time=300, executor="processpool")
            scheduler.add_job(work, "interval", seconds=1, id="last", misfire_grace_time=300, coalesce=True)
            scheduler.add_job(work, "interval", seconds=1, id="graced", misfire_grace_time=2)
            scheduler.start()
            """)
        e2e.wait_until("all have run", lambda: all(self.runs(job, "success") for job in ("each", "last", "graced")))
        os.kill(self.schedd.process.pid, signal.SIGSTOP)
        stopped = time.time() * 1e6
        time.sleep(6)
        going = time.time() * 1e6
        os.kill(self.schedd.process.pid, signal.SIGCONT)

        def after(job):
            """Its runs of the times that passed meanwhile and of one more, oldest first."""
            runs = [run for run in reversed(self.runs(job)) if run["scheduled_at"] and run["scheduled_at"] > stopped]
            return runs if runs and runs[-1]["scheduled_at"] > going + 1e6 and all(run["ended_at"] or run["state"] == "missed" for run in runs) else None
        each = e2e.wait_until("each is made good", lambda: after("each"))
        gaps = {later["scheduled_at"] - run["scheduled_at"] for run, later in zip(each, each[1:])}
        self.assertEqual(gaps, {1000000}, "a time was left out")
        self.assertEqual({run["state"] for run in each}, {"success"})
        # Of those that passed together one is left, the last of them, and it says for how many it stands.
        last = e2e.wait_until("it went on", lambda: after("last"))
        missed = max(last, key=lambda run: run["coalesced"])
        self.assertGreaterEqual(missed["coalesced"], 4)
        self.assertLessEqual(missed["scheduled_at"], going)
        self.assertLess(going - missed["scheduled_at"], 2e6)
        self.assertEqual(missed["state"], "success")
        # Each by its own grace.
        graced = e2e.wait_until("it went on, too", lambda: after("graced"))
        states = [run["state"] for run in graced if run["scheduled_at"] < going - 3e6]
        self.assertEqual(set(states), {"missed"})
        self.assertGreaterEqual(sum(run["count"] for run in graced if run["state"] == "missed"), 2)

    def test_no_sixth_of_five(self):
        out = self.run_program("""
            import threading
            from time import sleep
            from schedd import BackgroundScheduler, EVENT_JOB_MAX_INSTANCES

            def long():
                sleep(600)

            full = threading.Event()
            scheduler = BackgroundScheduler(timezone="UTC")
            scheduler.add_listener(lambda event: full.set(), EVENT_JOB_MAX_INSTANCES)
            scheduler.add_jobstore("sqlalchemy", "kept")
            scheduler.add_job(long, "interval", seconds=0.3, id="long", max_instances=5, jobstore="kept")
            scheduler.start()
            print("full", full.wait(60))
            """)
        self.assertIn("full True", out)
        def count(*states):
            return len(self.rpc.call("run.list", jobs=["long"], states=list(states))["runs"])
        e2e.wait_until("five run", lambda: count("running") == 5)
        skipped = self.job("long")["next_run_time"]
        e2e.wait_until("more times pass", lambda: self.job("long")["next_run_time"] > skipped + 1e6)
        self.assertEqual((count("running"), count("queued", "success", "failed", "killed", "lost")), (5, 0))
        self.rpc.call("job.remove", id="long", kill=True)


if __name__ == "__main__":
    unittest.main()
