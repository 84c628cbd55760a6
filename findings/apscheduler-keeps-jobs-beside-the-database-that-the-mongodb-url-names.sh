#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  APScheduler 3.11.0 with PyMongo 4.10.1 (PyPI); no server is needed to see it.
# Expected:  a job store made with mongodb://HOST/reports keeps its jobs in the database reports, as PyMongo's own
#            get_default_database() has it.
# Behaviour: the address only says which server. The jobs are in the database apscheduler, unless the argument
#            database= says otherwise: whoever reads reports.jobs finds none, and two programs with databases of
#            their own in their addresses share one set of jobs.
# Seen:      the url names reports; the jobs are in apscheduler.jobs
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" -q install APScheduler==3.11.0 pymongo==4.10.1 tzlocal==5.2 tzdata==2025.2
"$dir/v/bin/python" - <<'P'
import sys
from apscheduler.jobstores.mongodb import MongoDBJobStore

store = MongoDBJobStore(host="mongodb://127.0.0.1:9/reports", connect=False)
named = store.client.get_default_database().name
print(f"the url names {named}; the jobs are in {store.collection.full_name}")
sys.exit((named, store.collection.full_name) != ("reports", "apscheduler.jobs"))
P
