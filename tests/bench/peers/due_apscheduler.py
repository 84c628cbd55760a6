# SPDX-License-Identifier: MIT
"""How many due jobs a second APScheduler 3 makes durable, on the server that with_server.sh has started:
for each one its next run time is written, as its scheduler does when it is due."""
import datetime
import json
import os
import time

from apscheduler.schedulers.background import BackgroundScheduler

COUNT = 500


def tick():
    """What the jobs would do."""


def job_store():
    if os.environ["SCHEDD_TEST_STORE_TYPE"] == "redis":
        from apscheduler.jobstores.redis import RedisJobStore
        return RedisJobStore(db=7, unix_socket_path=os.environ["SCHEDD_TEST_SERVER_SOCKET"])
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    return SQLAlchemyJobStore(os.environ["SCHEDD_TEST_STORE_URL"].replace("postgresql:", "postgresql+psycopg2:"))


def main():
    scheduler = BackgroundScheduler(jobstores={"default": job_store()})
    scheduler.start(paused=True)
    for i in range(COUNT):
        scheduler.add_job("due_apscheduler:tick", "interval", hours=1, id=f"job-{i:06d}")
    store = scheduler._jobstores["default"]
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
    begin = time.monotonic()
    for job in store.get_due_jobs(later):
        job._modify(next_run_time=later)
        store.update_job(job)
    seconds = time.monotonic() - begin
    print(json.dumps({"bench": f"store_{os.environ['SCHEDD_TEST_STORE_TYPE']}_due_apscheduler",
                      "per_second": round(COUNT / seconds)}))
    scheduler.shutdown()


if __name__ == "__main__":
    main()
