# SPDX-License-Identifier: MIT
"""What a program of APScheduler's prints of its jobs, it prints with the client."""
import unittest

from test_client import ClientCase


class Printing(ClientCase):
    def test_jobs_read_as_apscheduler_prints_them(self):
        out = self.run_program("""
            import io
            from datetime import datetime
            from schedd import AndTrigger, BackgroundScheduler, CronTrigger, IntervalTrigger, OrTrigger

            def tick(at=None):
                pass

            scheduler = BackgroundScheduler(timezone="Europe/Berlin", jobstores={"default": {"type": "sqlalchemy"}, "mem": {"type": "memory"}})
            scheduler.add_job(tick, "interval", minutes=5, id="a", name="five", next_run_time="2041-03-04 05:06:07")
            scheduler.print_jobs()
            scheduler.start()
            scheduler.add_job(tick, "cron", day_of_week="mon-fri", hour="*/2", id="b", name="cron", jobstore="mem")
            scheduler.add_job(tick, "date", run_date="2041-05-06 07:08:09", id="c", name="date", jobstore="mem")
            scheduler.add_job(tick, OrTrigger([CronTrigger(hour=3), IntervalTrigger(days=2, seconds=7)]), id="d", name="or", jobstore="mem")
            scheduler.print_jobs()
            scheduler.pause_job("a")
            print(scheduler.get_job("a"), "|", scheduler.get_job("a").trigger)
            for value in (datetime.now(), {1}, float("nan")):
                try:
                    scheduler.add_job(tick, "interval", days=1, kwargs={"at": value})
                except TypeError as exc:
                    print("refused:", exc)
            scheduler.remove_all_jobs()
            scheduler.shutdown()
            """)
        for line in ("Pending jobs:\n    five (trigger: interval[0:05:00], pending)\n",
                     "Jobstore default:\n    five (trigger: interval[0:05:00], next run at: 2041-03-04 05:06:07 CET)\nJobstore mem:\n",
                     "    cron (trigger: cron[day_of_week='mon-fri', hour='*/2'], next run at: ",
                     "    date (trigger: date[2041-05-06 07:08:09 CEST], next run at: 2041-05-06 07:08:09 CEST)\n",
                     "    or (trigger: or[cron[hour='3'], interval[2 days, 0:00:07]], next run at: ",
                     "five (trigger: interval[0:05:00], paused) | interval[0:05:00]\n",
                     "refused: argument 'at' of the job cannot be kept, arguments are JSON: Object of type datetime "):
            self.assertIn(line, out)
        self.assertEqual(out.count("refused:"), 3, out)


if __name__ == "__main__":
    unittest.main()
