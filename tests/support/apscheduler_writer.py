# SPDX-License-Identifier: MIT
"""Fills a job store with the APScheduler at hand, whichever version, with triggers of all kinds.

usage: apscheduler_writer.py MODULE-FOLDER STORE URL [PLACE]     STORE: sqlalchemy, redis, mongodb or zookeeper
PLACE: jobs_key of Redis, DATABASE.COLLECTION of MongoDB, path of ZooKeeper
Prints JSON: {"version": …, "jobs": {id: next run time in µs or null}}.
"""
import json
import sys
from datetime import date, datetime, timedelta, timezone

folder, kind, url = sys.argv[1:4]
sys.path.insert(0, folder)

import apscheduler  # noqa: E402  pylint: disable=wrong-import-position
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402
from apscheduler.triggers.combining import AndTrigger, OrTrigger  # noqa: E402
from apscheduler.triggers.cron import CronTrigger  # noqa: E402
from apscheduler.triggers.interval import IntervalTrigger  # noqa: E402
import calls  # noqa: E402

try:
    from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
except ImportError:
    CalendarIntervalTrigger = None


def store():
    if kind == "redis":
        import redis  # pylint: disable=import-outside-toplevel
        from apscheduler.jobstores.redis import RedisJobStore  # pylint: disable=import-outside-toplevel
        made = RedisJobStore(jobs_key=sys.argv[4], run_times_key=sys.argv[4] + ".times")
        made.redis = redis.Redis.from_url(url)
        return made
    if kind == "mongodb":
        from apscheduler.jobstores.mongodb import MongoDBJobStore  # pylint: disable=import-outside-toplevel
        database, collection = sys.argv[4].split(".")
        return MongoDBJobStore(database, collection, host=url)
    if kind == "zookeeper":
        from apscheduler.jobstores.zookeeper import ZooKeeperJobStore  # pylint: disable=import-outside-toplevel
        return ZooKeeperJobStore(sys.argv[4], hosts=url, close_connection_on_exit=True)
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # pylint: disable=import-outside-toplevel
    return SQLAlchemyJobStore(url=url)


def main():
    scheduler = BackgroundScheduler(jobstores={"default": store()}, timezone="Europe/Berlin")
    scheduler.add_executor("threadpool", "special")
    scheduler.start(paused=True)
    scheduler.remove_all_jobs()
    add = scheduler.add_job
    add("calls:add", "interval", hours=3, minutes=7, seconds=0.5, args=[1, 2], kwargs={"factor": 3}, id="interval",
        start_date="2031-02-03 04:05:06", end_date="2032-02-03 04:05:06", jitter=30, max_instances=4, coalesce=False,
        misfire_grace_time=77, name="An interval")
    add("calls:nothing", "date", run_date=datetime(2031, 5, 6, 7, 8, 9, 123456), id="date", executor="special")
    add("calls:nothing", "date", run_date=date(2031, 5, 6), id="day", misfire_grace_time=None)
    add("calls:nothing", "cron", year="2031-2040", month="*/3", day="last", week="*", day_of_week="mon-fri,sun", hour="5,7",
        minute="*/15", second=30, id="cron", start_date="2031-01-01", end_date="2039-01-01 00:00:00")
    add("calls:nothing", "cron", day="2nd fri,last mon,10-20/5", hour="0-23/6", id="positions", timezone="America/New_York")
    add("calls:nothing", CronTrigger.from_crontab("0 3 * * 1-5", timezone="UTC"), id="crontab")
    add("calls:nothing", OrTrigger([CronTrigger(hour=5, timezone="UTC"), IntervalTrigger(days=2, start_date="2031-01-01",
                                                                                      timezone="UTC")]), id="or")
    add("calls:nothing", AndTrigger([CronTrigger(day="*/2", hour=4, timezone="UTC"),
                                     CronTrigger(day_of_week="mon", hour=4, timezone="UTC")]), id="and")
    add("calls:nothing", "interval", days=1, id="paused")
    scheduler.pause_job("paused")
    add("calls:nothing", "interval", days=1, start_date=datetime(2031, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        timezone="Asia/Kolkata", id="offset")
    add("calls:takes_all", "interval", days=1, start_date="2031-01-01", id="deep",
        args=[[1, -2, 2.5, None, True, "grün", {"a": [1, [2, [3]]]}], 2 ** 40, -1], kwargs={"text": "x" * 5000})
    if CalendarIntervalTrigger:
        add("calls:nothing", CalendarIntervalTrigger(months=1, hour=8, minute=30, start_date=date(2031, 1, 15),
                                                     timezone="Europe/Berlin"), id="calendar")
    # What cannot come:
    add("calls:echo", "interval", days=1, start_date="2031-01-01", args=[{1, 2}], id="bad-set")
    add("calls:echo", "interval", days=1, start_date="2031-01-01", args=[b"bytes"], id="bad-bytes")
    add("calls:echo", "interval", days=1, start_date="2031-01-01", args=[datetime(2031, 1, 1)], id="bad-datetime")
    add("calls:echo", "interval", days=1, start_date="2031-01-01", args=[2 ** 80], id="bad-number")
    add(calls.Bound().method, "interval", days=1, start_date="2031-01-01", id="bad-method")
    jobs = {job.id: job.next_run_time and round(job.next_run_time.timestamp() * 1e6) for job in scheduler.get_jobs()}
    scheduler.shutdown()
    print(json.dumps({"version": apscheduler.version, "jobs": jobs}))


main()
