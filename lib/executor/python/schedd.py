# SPDX-License-Identifier: MIT
"""A client of schedd with APScheduler's names: a program moves over by changing its imports.

    from schedd import BackgroundScheduler          # was: from apscheduler.schedulers.background import …
    scheduler = BackgroundScheduler()
    scheduler.add_job(report, "cron", hour=5, id="report", args=["q3"])
    scheduler.start()

schedd keeps the jobs and runs them in its workers (an executor of type worker; one is made where
there is none), so functions must be found by name: those of a module or of the program's own file,
no lambdas, no bound methods; arguments must be JSON. Client is the same without a scheduler's life:

    Client().add_job("reports.daily:send", "cron", hour=5, id="report")

AsyncClient has its methods as coroutines. Standard library and msgpack alone; Python 3.9 or later.
"""
import ast
import asyncio
import atexit
import datetime
import functools
import importlib.util
import inspect
import json
import logging
import os
import re
import site
import socket
import sys
import sysconfig
import threading
import uuid
import warnings
import zoneinfo

import msgpack

EVENTS = {name: 1 << bit for bit, name in enumerate((
    "SCHEDULER_STARTED", "SCHEDULER_SHUTDOWN", "SCHEDULER_PAUSED", "SCHEDULER_RESUMED", "EXECUTOR_ADDED",
    "EXECUTOR_REMOVED", "JOBSTORE_ADDED", "JOBSTORE_REMOVED", "ALL_JOBS_REMOVED", "JOB_ADDED", "JOB_REMOVED",
    "JOB_MODIFIED", "JOB_EXECUTED", "JOB_ERROR", "JOB_MISSED", "JOB_SUBMITTED", "JOB_MAX_INSTANCES"))}
globals().update({f"EVENT_{name}": code for name, code in EVENTS.items()})
EVENT_SCHEDULER_START = EVENTS["SCHEDULER_STARTED"]
EVENT_ALL = sum(EVENTS.values())
STATE_STOPPED, STATE_RUNNING, STATE_PAUSED = 0, 1, 2
PAUSED_WITH_SCHEDULER = "its scheduler was paused"
log = logging.getLogger("apscheduler.scheduler")
undefined = type("Undefined", (), {"__bool__": lambda self: False, "__repr__": lambda self: "<undefined>"})()


class ScheddError(Exception):
    """What schedd answered; name is "not_found", "conflict", "invalid_argument", …"""

    def __init__(self, error):
        super().__init__(error.get("message", ""))
        self.name, self.code = error.get("name", "failed"), error.get("code", 1)


class JobLookupError(KeyError):
    def __init__(self, job_id):
        super().__init__(f"No job by the id of {job_id} was found")


class ConflictingIdError(KeyError):
    def __init__(self, job_id):
        super().__init__(f"Job identifier ({job_id}) conflicts with an existing job")


class SchedulerAlreadyRunningError(Exception):
    def __str__(self):
        return "Scheduler is already running"


class SchedulerNotRunningError(Exception):
    def __str__(self):
        return "Scheduler is not running"


class RemoteError(Exception):
    """An exception of a function, of a type that this program has not."""


# ---- The wire ----

def _sockets():
    told = os.environ.get("SCHEDD_SOCKET")
    if told:
        return [told]
    own = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return [f"{own}/schedd/schedd.sock", "/run/schedd/schedd.sock"]


class _Connection:
    """One call after the other; made anew when schedd was away."""

    def __init__(self, path=None, timeout=60):
        self.paths = [path] if path else _sockets()
        self.timeout = timeout
        self.lock = threading.Lock()
        self.socket, self.msgid, self.pid = None, 0, 0

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def open(self):
        failed = None
        for path in self.paths:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(self.timeout)
            try:
                self.socket.connect(path)
                self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
                self.pid = os.getpid()
                return
            except OSError as exc:
                failed = exc
                self.close()
        raise ConnectionError(f"schedd is not reachable at {' or '.join(self.paths)}: {failed}")

    def next(self):
        """The next message, an answer or a notification."""
        while True:
            for message in self.unpacker:
                return message
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionResetError("schedd closed the connection")
            self.unpacker.feed(data)

    def call(self, method, **params):
        with self.lock:
            if self.socket is None or self.pid != os.getpid():
                self.socket = None  # a forked child has a connection of its own
                self.open()
            self.msgid += 1
            try:
                self.socket.sendall(msgpack.packb([0, self.msgid, method, [params]]))
                while True:
                    message = self.next()
                    if message[0] == 1 and message[1] == self.msgid:
                        break
            except (OSError, EOFError):
                self.close()
                raise
        if message[2] is not None:
            raise ScheddError(message[2])
        return message[3]


# ---- Times and triggers ----

def _zone_name(zone):
    if zone is None or isinstance(zone, str):
        return zone
    return getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)


def _time(value, zone=None):
    """A datetime, a date, or a text as APScheduler takes it, for a trigger; None stays."""
    if isinstance(value, str):
        found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?"
                             r"(Z|[+-]\d\d:\d\d)?", value.strip())
        if not found:
            raise ValueError(f"Invalid date string: {value}")
        parts = [int(part or 0) for part in found.groups()[:6]]
        value = datetime.datetime(*parts, int((found.group(7) or "0").ljust(6, "0")))
        offset = found.group(8)
        return value.isoformat() + (offset or (f" {zone}" if zone else ""))
    if isinstance(value, datetime.datetime):
        text = value.isoformat()
        return text if value.tzinfo is not None else text + (f" {zone}" if zone else "")
    if isinstance(value, datetime.date):
        return f"{value.isoformat()}T00:00:00" + (f" {zone}" if zone else "")
    return value


def _moment(microseconds, zone=None):
    """In that zone, else in the machine's own."""
    at = datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.timezone.utc)
    try:
        return at.astimezone(zoneinfo.ZoneInfo(zone) if zone else None)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return at.astimezone()


def _shown(at, zone):
    try:
        at = at if isinstance(at, int) else datetime.datetime.fromisoformat(at).timestamp() * 1e6
    except ValueError:
        return at
    return f"{_moment(at, zone):%Y-%m-%d %H:%M:%S %Z}"


class _Trigger:
    """A trigger as the map that schedd takes."""

    def __init__(self, **members):
        self.map = {key: value for key, value in members.items() if value is not None}

    def __repr__(self):
        return f"<{type(self).__name__} {self.map}>"

    def __str__(self):
        """As APScheduler's, where it has one."""
        kind, words = self.map["type"], [f"{k}: {v}" for k, v in self.map.items() if k != "type"]
        if kind == "date" and "run_at" in self.map:
            words = [_shown(self.map["run_at"], self.map.get("timezone"))]
        elif kind == "interval" and isinstance(self.map.get("seconds"), (int, float)):
            words = [str(datetime.timedelta(seconds=self.map["seconds"]))]
        elif kind == "cron" and "fields" in self.map:
            words = [f"{name}='{self.map['fields'][name]}'" for name in CronTrigger.FIELDS if name in self.map["fields"]]
        elif "triggers" in self.map:
            words = [str(_Trigger(**each)) for each in self.map["triggers"]]
        return f"{kind}[{', '.join(words)}]"


class DateTrigger(_Trigger):
    def __init__(self, run_date=None, timezone=None):
        zone = _zone_name(timezone)
        super().__init__(type="date", run_at=_time(run_date, zone) or "now", timezone=zone)


class IntervalTrigger(_Trigger):
    def __init__(self, weeks=0, days=0, hours=0, minutes=0, seconds=0, start_date=None, end_date=None, timezone=None,
                 jitter=None):
        length = datetime.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        zone = _zone_name(timezone)
        super().__init__(type="interval", seconds=length.total_seconds() or 1, start=_time(start_date, zone),
                         end=_time(end_date, zone), timezone=zone, jitter=jitter)


class CronTrigger(_Trigger):
    FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")

    def __init__(self, year=None, month=None, day=None, week=None, day_of_week=None, hour=None, minute=None, second=None,
                 start_date=None, end_date=None, timezone=None, jitter=None):
        values = (year, month, day, week, day_of_week, hour, minute, second)
        fields = {name: str(value) for name, value in zip(self.FIELDS, values) if value is not None}
        zone = _zone_name(timezone)
        super().__init__(type="cron", fields=fields or {"second": "*"}, start=_time(start_date, zone),
                         end=_time(end_date, zone), timezone=zone, jitter=jitter)

    @classmethod
    def from_crontab(cls, expr, timezone=None):
        """With APScheduler's rules: weekday 0 is Monday, all five fields must match."""
        values = expr.split()
        if len(values) != 5:
            raise ValueError(f"Wrong number of fields; got {len(values)}, expected 5")
        return cls(timezone=timezone, **dict(zip(("minute", "hour", "day", "month", "day_of_week"), values)))


class CalendarIntervalTrigger(_Trigger):
    def __init__(self, *, years=0, months=0, weeks=0, days=0, hour=0, minute=0, second=0, start_date=None, end_date=None,
                 timezone=None, jitter=None):
        def day(value):
            return _time(value)[:10] if value is not None else None
        super().__init__(type="calendar", years=years, months=months, weeks=weeks, days=days,
                         time=f"{hour:02}:{minute:02}:{second:02}", start=day(start_date), end=day(end_date),
                         timezone=_zone_name(timezone), jitter=jitter)


class _Several(_Trigger):
    def __init__(self, triggers, jitter=None):
        super().__init__(type=self.TYPE, triggers=[trigger.map for trigger in triggers], jitter=jitter)


class AndTrigger(_Several):
    TYPE = "and"


class OrTrigger(_Several):
    TYPE = "or"


TRIGGERS = {"date": DateTrigger, "interval": IntervalTrigger, "cron": CronTrigger,
            "calendarinterval": CalendarIntervalTrigger, "and": AndTrigger, "or": OrTrigger}


def _trigger(trigger, args, zone=None):
    if isinstance(trigger, _Trigger):
        return trigger.map
    if isinstance(trigger, dict):
        return trigger
    if trigger is not None and trigger not in TRIGGERS:
        raise LookupError(f'No trigger by the name "{trigger}" was found')
    if zone and trigger not in ("and", "or"):
        args = {"timezone": zone, **args}
    return TRIGGERS[trigger or "date"](**args).map


# ---- Functions by name ----

def _installed(path):
    roots = [sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots += site.getsitepackages() + ["/usr/lib/python3/dist-packages"]
    return any(path.startswith(root + os.sep) for root in roots)


def _place(module):
    """The folder that must be searched for a module of the program's own; "" for one that is installed."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    origin = found and found.origin
    if not origin or not os.path.isfile(origin) or _installed(os.path.abspath(origin)):
        return ""
    folder = os.path.dirname(os.path.abspath(origin))
    up = module.count(".") + (os.path.basename(origin) == "__init__.py")
    for _ in range(up):
        folder = os.path.dirname(folder)
    return folder.rstrip("/") + "/"


def function_name(func, placed=True):
    """What a worker finds it by: "module:name", with the folder of a module that is not installed."""
    if isinstance(func, str):
        module, colon, name = func.partition(":")
        if not colon:
            raise ValueError(f"Invalid reference: {func}")
        return f"{_place(module)}{func}" if placed and "/" not in module else func
    if isinstance(func, functools.partial):
        raise ValueError("a partial cannot be called in another process: give its function, and args")
    func = inspect.unwrap(func) if not inspect.ismethod(func) else func
    name = getattr(func, "__qualname__", None)
    if not name or "<lambda>" in name:
        raise ValueError(f"{func!r} has no name that a worker could find it by (a lambda?)")
    if "<locals>" in name:
        raise ValueError(f"{name} is a function inside a function: a worker cannot find it")
    if inspect.ismethod(func) and not inspect.isclass(func.__self__):
        raise ValueError(f"{name} is a method of an object, which is not there in a worker")
    if inspect.ismethod(func):
        name = f"{func.__self__.__qualname__}.{func.__name__}"
    if func.__module__ != "__main__":
        return f"{_place(func.__module__)}{func.__module__}:{name}"
    path = getattr(sys.modules["__main__"], "__file__", None)
    if not path:
        raise ValueError(f"{name} was typed in: put it into a file, so that a worker can load it")
    return f"{os.path.abspath(path)}:{name}"


def _reference(function):
    """As APScheduler's: "module:name"."""
    place, colon, name = function.partition(":")
    if not place.endswith(".py"):
        return f"{os.path.basename(place)}{colon}{name}"
    own = getattr(sys.modules["__main__"], "__file__", None)
    return f"__main__:{name}" if own and os.path.abspath(own) == place else f"{os.path.basename(place)[:-3]}:{name}"


def _loading():
    """Is this program being loaded by a worker, to call one of its functions?"""
    worker = sys.modules.get("schedd_worker")
    return worker is not None and worker.loading()


def _in_worker():
    return "schedd_worker" in sys.modules and "SCHEDD_WORKER_EXECUTOR" in os.environ


# ---- Jobs ----

class Job:
    """A job as schedd has it; changes go through its client."""

    def __init__(self, client, data, pending=False):
        self._client, self.pending = client, pending
        self._set(data)

    def _set(self, data):
        call = data.get("call") or {}
        self.data, self.id = data, data["id"]
        self.func_ref = _reference(call.get("function", ""))
        self.name = data.get("name") or self.id
        self.args, self.kwargs = tuple(call.get("args") or ()), dict(call.get("kwargs") or {})
        self.trigger = _Trigger(**data["trigger"]) if data.get("trigger") else None
        if self.trigger and self.trigger.map["type"] == "date" and self._client._timezone:
            self.trigger.map.setdefault("timezone", self._client._timezone)
        self.executor = data.get("executor", "default")
        self.misfire_grace_time = data.get("misfire_grace_time")
        self.coalesce = data.get("coalesce") != "all"
        self.max_instances = data.get("max_instances", 1)
        at, zone = data.get("next_run_time"), (data.get("trigger") or {}).get("timezone")
        self.next_run_time = at and _moment(at, zone or self._client._timezone)

    def __repr__(self):
        return f"<Job (id={self.id} name={self.name})>"

    def __str__(self):
        at = f"next run at: {self.next_run_time:%Y-%m-%d %H:%M:%S %Z}" if self.next_run_time else "paused"
        return f"{self.name} (trigger: {self.trigger}, {'pending' if self.pending else at})"

    def modify(self, **changes):
        self._set(self._client.modify_job(self.id, **changes).data)
        return self

    def reschedule(self, trigger, **trigger_args):
        self._set(self._client.reschedule_job(self.id, trigger=trigger, **trigger_args).data)
        return self

    def pause(self):
        self._set(self._client.pause_job(self.id).data)
        return self

    def resume(self):
        self._set(self._client.resume_job(self.id).data)
        return self

    def remove(self):
        self._client.remove_job(self.id)


class SchedulerEvent:
    def __init__(self, code, alias=None):
        self.code, self.alias = code, alias

    def __repr__(self):
        return f"<{type(self).__name__} (code={self.code})>"


class JobEvent(SchedulerEvent):
    def __init__(self, code, job_id, jobstore):
        super().__init__(code)
        self.job_id, self.jobstore = job_id, jobstore


class JobSubmissionEvent(JobEvent):
    def __init__(self, code, job_id, jobstore, scheduled_run_times):
        super().__init__(code, job_id, jobstore)
        self.scheduled_run_times = scheduled_run_times


class JobExecutionEvent(JobEvent):
    def __init__(self, code, job_id, jobstore, scheduled_run_time, retval=None, exception=None, traceback=None):
        super().__init__(code, job_id, jobstore)
        self.scheduled_run_time, self.retval = scheduled_run_time, retval
        self.exception, self.traceback = exception, traceback


def _kind(name):
    """The class of exceptions that is called so: Python's own, or of a module that this program has loaded."""
    module, dot, own = name.rpartition(".")
    main = sys.modules["__main__"]
    if dot and module == os.path.basename(getattr(main, "__file__", None) or "").partition(".")[0]:
        module = "__main__"  # a worker knows the program by its file
    kind = getattr(sys.modules.get(module if dot else "builtins"), own, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _exception(reason):
    """The exception that a reason tells of."""
    name, _, text = (reason or "").partition(": ")
    kind = _kind(name)
    if kind is None:
        return RemoteError(reason)
    try:
        # A KeyError's text is the repr of its key. Of other classes __init__ may want anything.
        return kind(ast.literal_eval(text)) if kind is KeyError else \
            kind(text) if kind.__module__ == "builtins" else kind.__new__(kind, text)
    except Exception:  # pylint: disable=broad-except
        return RemoteError(reason)


class Client:
    """schedd by APScheduler's names; every method is one call, and may be called from any thread."""

    placed = False  # texts that name a function are taken as they are

    def __init__(self, path=None, timeout=60, timezone=None):
        self._connection = _Connection(path, timeout)
        self._timezone = _zone_name(timezone)
        self._listeners, self._thread, self._ended, self._workers = [], None, False, None

    def call(self, method, **params):
        """Any method of schedd's protocol."""
        return self._connection.call(method, **params)

    def close(self):
        self._ended = True
        self._connection.close()

    # -- what a client of one kind does its own way --

    def _store(self, alias):
        return alias

    def _executor(self, alias):
        """The executor that an alias leads to: "default" is one of type worker, whatever it is called."""
        if alias != "default":
            return alias
        return self._worker("default")

    def _workers_wanted(self):
        return {}

    def _worker(self, alias):
        if self._workers is None:
            self._workers = [e["name"] for e in self.call("executor.list") if e["type"] == "worker"]
        if alias in self._workers:
            return alias
        if not self._workers:
            try:
                self.call("executor.add", name="python", type="worker", **self._workers_wanted())
            except ScheddError as exc:
                if exc.name != "conflict":  # another program was quicker
                    raise
            self._workers.append("python")
        return "python" if "python" in self._workers else self._workers[0]

    def _defaults(self):
        return {}

    # -- jobs --

    def _fields(self, changes):
        """A job's fields from APScheduler's arguments."""
        fields = {}
        for key, value in changes.items():
            if value is undefined or key in ("func", "args", "kwargs", "trigger", "version"):
                continue
            if key == "coalesce":
                value = "latest" if value else "all"
            elif key == "executor":
                value = self._executor(value)
            elif key == "next_run_time":
                value = _time(value, self._timezone)
            fields[key] = value
        return fields

    def _call(self, func, args, kwargs):
        call = {"function": function_name(func, self.placed), "args": list(args or ()), "kwargs": dict(kwargs or {})}
        for name, value in [*enumerate(call["args"]), *call["kwargs"].items()]:
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as exc:
                raise TypeError(f"argument {name!r} of the job cannot be kept, arguments are JSON: {exc}; pass a text or a number "
                                "(of a datetime: isoformat()) and let the function make it what it needs") from None
        return call

    def _definition(self, func, trigger, args, kwargs, fields, trigger_args):
        if callable(func) and not isinstance(func, functools.partial):
            try:
                inspect.signature(func).bind(*(args or ()), **(kwargs or {}))
            except TypeError as exc:
                raise ValueError(f"The arguments do not suit the function: {exc}") from None
        made = self._fields({**self._defaults(), **{k: v for k, v in fields.items() if v is not undefined}})
        made["call"] = self._call(func, args, kwargs)
        made["trigger"] = _trigger(trigger, trigger_args, self._timezone)
        if made.get("name") is None:
            made["name"] = func.rpartition(":")[2] if isinstance(func, str) else func.__qualname__
        made["id"] = made.get("id") or uuid.uuid4().hex
        return made

    def _submit(self, definition, jobstore, replace):
        store = self._store(jobstore)
        executor = {"executor": definition.get("executor") or self._executor("default")}
        try:
            return self.call("job.add", **{**definition, **executor}, replace=replace, allow_past=True,
                             **({"store": store} if store else {}))
        except ScheddError as exc:
            if exc.name == "conflict":
                raise ConflictingIdError(definition["id"]) from None
            raise

    def add_job(self, func, trigger=None, args=None, kwargs=None, id=None, name=None, misfire_grace_time=undefined,
                coalesce=undefined, max_instances=undefined, next_run_time=undefined, jobstore="default",
                executor="default", replace_existing=False, **trigger_args):
        """As APScheduler's; what is not given is schedd's default for a Client, APScheduler's for a scheduler."""
        definition = self._definition(func, trigger, args, kwargs, {
            "id": id, "name": name, "misfire_grace_time": misfire_grace_time, "coalesce": coalesce,
            "max_instances": max_instances, "next_run_time": next_run_time, "executor": executor}, trigger_args)
        return self._add(definition, jobstore, replace_existing)

    def _add(self, definition, jobstore, replace):
        return Job(self, self._submit(definition, jobstore, replace))

    def scheduled_job(self, trigger, args=None, kwargs=None, id=None, name=None, **options):
        """The same as a decorator."""
        def inner(func):
            self.add_job(func, trigger, args, kwargs, id, name, replace_existing=True, **options)
            return func
        return inner

    def _of_job(self, method, job_id, **params):
        try:
            return self.call(method, id=job_id, **params)
        except ScheddError as exc:
            if exc.name == "not_found":
                raise JobLookupError(job_id) from None
            raise

    def modify_job(self, job_id, jobstore=None, **changes):
        fields = self._fields(changes)
        if {"func", "args", "kwargs"} & set(changes):
            old = self._of_job("job.get", job_id).get("call") or {}
            fields["call"] = self._call(changes.get("func", old.get("function")), changes.get("args", old.get("args")),
                                        changes.get("kwargs", old.get("kwargs")))
        if "trigger" in changes:
            fields["trigger"] = _trigger(changes["trigger"], {}, self._timezone)
        return Job(self, self._of_job("job.modify", job_id, **fields))

    def reschedule_job(self, job_id, jobstore=None, trigger=None, **trigger_args):
        return Job(self, self._of_job("job.reschedule", job_id, trigger=_trigger(trigger, trigger_args, self._timezone)))

    def pause_job(self, job_id, jobstore=None):
        return Job(self, self._of_job("job.pause", job_id))

    def resume_job(self, job_id, jobstore=None):
        return Job(self, self._of_job("job.resume", job_id))

    def run_job(self, job_id, jobstore=None):
        """Now, besides its schedule; answers "JOB/N"."""
        return self._of_job("job.run", job_id)["run"]

    def remove_job(self, job_id, jobstore=None):
        self._of_job("job.remove", job_id)

    def get_job(self, job_id, jobstore=None):
        try:
            return Job(self, self.call("job.get", id=job_id))
        except ScheddError as exc:
            if exc.name == "not_found":
                return None
            raise

    def _listed(self):
        """Calls of workers, all pages."""
        after = None
        while True:
            page = self.call("job.list", **({"after": after} if after else {}))
            yield from (job for job in page["jobs"] if job.get("call"))
            after = page.get("next")
            if not after:
                return

    def get_jobs(self, jobstore=None, pending=None):
        store = self._store(jobstore) if jobstore else None
        jobs = [Job(self, data) for data in self._listed() if not store or data.get("store") == store]
        return sorted(jobs, key=lambda job: (job.next_run_time is None, job.next_run_time and job.next_run_time.timestamp()))

    def remove_all_jobs(self, jobstore=None):
        for job in self.get_jobs(jobstore):
            self.remove_job(job.id)

    def print_jobs(self, jobstore=None, out=None):
        jobs = [((job.data.get("tags") or {}).get("apscheduler") or job.data.get("store"), job) for job in self.get_jobs(jobstore)]
        for alias in sorted({alias for alias, _ in jobs}) or [jobstore or "default"]:
            print(f"Jobstore {alias}:" if alias else "Pending jobs:", file=out)
            for job in [job for its, job in jobs if its == alias] or ["No scheduled jobs"]:
                print(f"    {job}", file=out)

    # -- listeners --

    def add_listener(self, callback, mask=EVENT_ALL):
        """callback(event) for the events of the mask, on a thread of the client's own."""
        self._listeners.append((callback, mask))
        self._listen()

    def remove_listener(self, callback):
        self._listeners = [entry for entry in self._listeners if entry[0] != callback]

    def _listen(self):
        if self._thread is None and not _loading():
            ready = threading.Event()
            self._thread = threading.Thread(target=self._follow, args=(ready,), name="schedd-events", daemon=True)
            self._thread.start()
            ready.wait(10)

    def _follow(self, ready):
        """Reads events until the client ends; after schedd was away, from where it was."""
        seq, pause = None, threading.Event()
        while not self._ended:
            events = _Connection(self._connection.paths[0] if len(self._connection.paths) == 1 else None, None)
            try:
                answer = events.call("event.subscribe", **({} if seq is None else {"since": seq}))
                seq = answer["seq"] if seq is None else seq
                ready.set()
                while not self._ended:
                    message = events.next()
                    if message[0] == 2 and message[1] == "event":
                        seq = message[2][0]["seq"]
                        self._on_event(message[2][0])
            except (OSError, EOFError, ScheddError):
                ready.set()
                pause.wait(0.2)
            finally:
                events.close()

    def _concerns(self, event):
        """Is it of a job that its listeners are to hear of?"""
        return True

    def _alias(self, event):
        return event.get("store")

    def _on_event(self, event):
        if event["code"] <= EVENT_ALL and event.get("job"):
            wanted = [callback for callback, mask in self._listeners if mask & event["code"]]
            if wanted and self._concerns(event):
                made = self._event(event)
                for callback in wanted:
                    self._tell(callback, made)

    def _tell(self, callback, event):
        try:
            callback(event)
        except Exception:  # pylint: disable=broad-except
            log.exception("Error notifying listener")

    def _event(self, event):
        code, job, store = event["code"], event["job"], self._alias(event)
        at = event.get("scheduled_at")
        at = at and datetime.datetime.fromtimestamp(at / 1e6, datetime.timezone.utc).astimezone()
        if code & (EVENTS["JOB_SUBMITTED"] | EVENTS["JOB_MAX_INSTANCES"]):
            return JobSubmissionEvent(code, job, store, [at])
        if not code & (EVENTS["JOB_EXECUTED"] | EVENTS["JOB_ERROR"] | EVENTS["JOB_MISSED"]):
            return JobEvent(code, job, store)
        made = JobExecutionEvent(code, job, store, at)
        if code == EVENTS["JOB_MISSED"] or not event.get("run"):
            return made
        try:
            run = self.call("run.get", run=event["run"])
            made.retval = run.get("result")
            if code == EVENTS["JOB_ERROR"]:
                pieces = self.call("run.log", run=event["run"]).get("pieces", [])
                texts = [p.get("data", p.get("text", "")) for p in pieces]
                made.traceback = "".join(t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in texts if t)
        except (OSError, ScheddError):
            pass  # its history is gone already
        if code == EVENTS["JOB_ERROR"]:
            made.exception = _exception(event.get("error"))
        return made


class AsyncClient:
    """The methods of Client as coroutines."""

    def __init__(self, *args, **options):
        self.client = Client(*args, **options)

    def __getattr__(self, name):
        method = getattr(self.client, name)
        if not callable(method):
            return method

        async def call(*args, **options):
            return await asyncio.get_running_loop().run_in_executor(
                None, functools.partial(method, *args, **options))
        return call

    async def add_listener(self, callback, mask=EVENT_ALL):
        """The callback, or coroutine, runs on the loop."""
        loop = asyncio.get_running_loop()

        def on_loop(event):
            outcome = callback(event)
            if inspect.isawaitable(outcome):
                asyncio.ensure_future(outcome)
        await loop.run_in_executor(
            None, self.client.add_listener, lambda event: loop.call_soon_threadsafe(on_loop, event), mask)


# ---- Schedulers ----

class _Part:
    """A job store or an executor of a program: what remains of it is its name. schedd has its own."""

    def __init__(self, *args, **options):
        self.args, self.options = args, options


class MemoryJobStore(_Part):
    pass


class SQLAlchemyJobStore(_Part):
    pass


class RedisJobStore(_Part):
    pass


class MongoDBJobStore(_Part):
    pass


class ZooKeeperJobStore(_Part):
    pass


class ThreadPoolExecutor(_Part):
    pass


class ProcessPoolExecutor(_Part):
    pass


class AsyncIOExecutor(_Part):
    pass


GeventExecutor = TornadoExecutor = TwistedExecutor = DebugExecutor = ThreadPoolExecutor


def _caller():
    """The file that makes a scheduler: the same one in all processes of its program, and in workers."""
    frame = sys._getframe(1)  # pylint: disable=protected-access
    while frame.f_back and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return os.path.realpath(frame.f_code.co_filename)


class BackgroundScheduler(Client):
    """APScheduler's life around a Client: jobs added before start() are sent by it.

    Aliases of stores and executors lead to those of schedd that are called so; otherwise to its store
    "memory" where the program kept jobs in memory (they go with the program, as they did), to "default"
    where it kept them; and to the executor of type worker.
    """

    placed = True

    def __init__(self, gconfig=None, prefix="apscheduler.", socket=None, **options):
        super().__init__(socket)
        self.state, self._pending, self._own = STATE_STOPPED, [], set()
        self._source, self._seen, self._keeps, self._pid = _caller(), {}, False, None
        self._jobstores, self._aliases, self._known = {}, {}, None
        self._job_defaults = {"misfire_grace_time": 1, "coalesce": True, "max_instances": 1}
        self.configure(gconfig or {}, prefix, **options)

    def configure(self, gconfig=None, prefix="apscheduler.", **options):
        flat = {key[len(prefix):]: value for key, value in (gconfig or {}).items() if key.startswith(prefix)}
        settings = {"job_defaults": {}, "jobstores": {}, "executors": {}}
        for key, value in {**flat, **options}.items():
            group, dot, rest = key.partition(".")
            if dot and group in settings:
                settings[group][rest] = value
            else:
                settings[key] = value
        self._timezone = _zone_name(settings.get("timezone")) or self._timezone
        for key, value in settings["job_defaults"].items():
            self._job_defaults[key] = int(value) if isinstance(value, str) and value.isdigit() else \
                value in ("true", "True") if isinstance(value, str) else value
        for alias, store in settings["jobstores"].items():
            if "." not in alias:
                self.add_jobstore(store, alias)
        for alias, executor in settings["executors"].items():
            if "." not in alias:
                self.add_executor(executor, alias)

    # -- stores and executors --

    def add_jobstore(self, jobstore, alias="default", **_options):
        kind = jobstore if isinstance(jobstore, str) else jobstore.get("type", "memory") if isinstance(jobstore, dict) \
            else type(jobstore).__name__
        self._jobstores[alias] = "memory" if kind in ("memory", "MemoryJobStore") else "kept"
        self._keeps = self._keeps or self._jobstores[alias] == "kept"

    def remove_jobstore(self, alias, shutdown=True):
        del self._jobstores[alias]

    def add_executor(self, executor, alias="default", **_options):
        self._aliases[alias] = executor

    def remove_executor(self, alias, shutdown=True):
        self._aliases.pop(alias, None)

    def _store(self, alias):
        if self._known is None:
            self._known = {store["name"] for store in self.call("store.list")}
        if alias in ("default", None):
            return "memory" if self._jobstores.get("default", "memory") == "memory" else "default"
        if alias not in self._jobstores and alias not in self._known:
            raise KeyError(f"No such job store: {alias}")
        if alias in self._known:
            self._keeps = self._keeps or alias != "memory"
            return alias
        return "memory" if self._jobstores[alias] == "memory" else "default"

    def _executor(self, alias):
        return self._worker(alias)

    def _workers_wanted(self):
        """As many as its pools have together; they are started when they are needed."""
        wanted = 0
        for pool in self._aliases.values() or [{}]:
            args, options = (pool.args, pool.options) if isinstance(pool, _Part) else ((), pool if isinstance(pool, dict) else {})
            wanted += int(args[0] if args and isinstance(args[0], int) else options.get("max_workers", 10))
        return {"max_workers": max(1, min(wanted, 64))}

    def _defaults(self):
        return dict(self._job_defaults)

    # -- life --

    @property
    def running(self):
        return self.state != STATE_STOPPED

    def _is_live(self):
        """Inside a call the scheduler of the program that is being called for is a client."""
        return self.running or _in_worker() and not _loading()

    def start(self, paused=False):
        if _loading():
            sys.modules["schedd_worker"].loaded()
            return
        if self.running:
            raise SchedulerAlreadyRunningError
        self.call("server.hello", client="schedd.py")
        self._forget_dead()
        self.state, self._pid = STATE_RUNNING, os.getpid()
        for definition, jobstore, replace in self._pending:
            self._add(definition, jobstore, replace)
        self._pending = []
        atexit.register(self._leave)
        log.info("Scheduler started")
        self._say("SCHEDULER_STARTED")
        if paused:
            self.pause()

    def shutdown(self, wait=True):
        if not self.running:
            raise SchedulerNotRunningError
        self._leave()
        atexit.unregister(self._leave)
        log.info("Scheduler has been shut down")
        self._say("SCHEDULER_SHUTDOWN")
        self.close()

    def _leave(self):
        """Jobs that were kept in memory end with the program."""
        if self._pid != os.getpid():
            return  # a forked child's end is not the program's
        try:
            mark = self._mark()
            self._own.update(job["id"] for job in super()._listed() if (job.get("tags") or {}).get("program") == mark)
        except (ScheddError, OSError):
            pass
        self.state = STATE_STOPPED
        for job in sorted(self._own):
            try:
                self.remove_job(job)
            except (JobLookupError, ScheddError, OSError):
                pass
        self._own.clear()

    def _mark(self):
        """The process whose jobs in memory these are; in a call, that of the job which is called."""
        if not self.running:
            run = sys.modules["schedd_worker"].current_run()
            job = run and self.get_job(run.job)
            return job and (job.data.get("tags") or {}).get("program")
        with open(f"/proc/{os.getpid()}/stat", encoding="ascii", errors="replace") as stat:
            start = stat.read().rpartition(")")[2].split()[19]
        return f"{os.getpid()}:{start}"

    def _forget_dead(self):
        """A program that was killed could not take its jobs along."""
        for job in super()._listed():
            pid, _, start = str((job.get("tags") or {}).get("program", "")).partition(":")
            if not start:
                continue
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    lives = stat.read().rpartition(")")[2].split()[19] == start
            except OSError:
                lives = False
            if not lives:
                super().remove_job(job["id"])  # not one that waits for start() under the same id

    def pause(self):
        """Its own jobs: schedd has others, too."""
        for job in self.get_jobs():
            if not job.data.get("paused"):
                self.call("job.pause", id=job.id, reason=PAUSED_WITH_SCHEDULER)
        self.state = STATE_PAUSED
        self._say("SCHEDULER_PAUSED")

    def resume(self):
        for job in self.get_jobs():
            if job.data.get("paused_reason") == PAUSED_WITH_SCHEDULER:
                self.resume_job(job.id)
        self.state = STATE_RUNNING
        self._say("SCHEDULER_RESUMED")

    def wakeup(self):
        """schedd needs no waking."""

    def _say(self, name):
        for callback, mask in list(self._listeners):
            if mask & EVENTS[name]:
                self._tell(callback, SchedulerEvent(EVENTS[name]))

    # -- jobs --

    def _is_mine(self, job):
        """What is kept in memory is seen by the scheduler of that program alone, as it was; what is kept otherwise by
        all that keep jobs: they share a store."""
        tags = job.get("tags") or {}
        if "apscheduler" not in tags:
            return False
        return tags.get("source") == self._source if "program" in tags else self._keeps

    def _listed(self):
        return (job for job in super()._listed() if self._is_mine(job))

    def _add(self, definition, jobstore, replace):
        if _loading():
            return Job(self, {**definition, "trigger": None}, pending=True)
        if not self._is_live():
            self._pending.append((definition, jobstore, replace))
            log.info("Adding job tentatively -- it will be properly scheduled when the scheduler starts")
            return Job(self, {**definition, "next_run_time": None}, pending=True)
        if self._too_late(definition):
            return Job(self, {**definition, "trigger": None})
        tags = {"apscheduler": jobstore or "default"}
        mark = self._mark() if self._store(jobstore) == "memory" else None
        if mark:
            tags.update(program=mark, source=self._source)
            self._own.add(definition["id"])
        self._note(definition["id"], tags["apscheduler"])
        try:
            job = super()._add({**definition, "tags": tags}, jobstore, replace)
        except (ConflictingIdError, ScheddError):
            self._seen.pop(definition["id"], None)
            self._own.discard(definition["id"])
            raise
        log.info('Added job "%s" to job store "%s"', job.name, jobstore)
        return job

    def _too_late(self, definition):
        """A date that lies further back than its grace time is missed at once, as APScheduler's is."""
        grace = definition.get("misfire_grace_time")
        if definition["trigger"].get("run_at", "now") == "now" or grace is None or definition.get("next_run_time"):
            return False
        at = self.call("trigger.next", trigger=definition["trigger"], **{"from": "1970-01-02"}, n=1)["fire_times"]
        late = datetime.datetime.now().timestamp() - at[0] / 1e6 if at else 0
        if late <= grace:
            return False
        log.warning('Run time of job "%s" was missed by %s', definition["name"], datetime.timedelta(seconds=int(late)))
        event = JobExecutionEvent(EVENTS["JOB_MISSED"], definition["id"], "default",
                                  datetime.datetime.fromtimestamp(at[0] / 1e6, datetime.timezone.utc))
        for callback, mask in list(self._listeners):
            if mask & EVENTS["JOB_MISSED"]:
                self._tell(callback, event)
        return True

    def _definition(self, func, trigger, args, kwargs, fields, trigger_args):
        if _loading():
            return {"id": fields.get("id") or uuid.uuid4().hex}
        return super()._definition(func, trigger, args, kwargs, fields, trigger_args)

    def get_jobs(self, jobstore=None, pending=None):
        if not self._is_live():
            return [Job(self, {**d, "next_run_time": None}, pending=True) for d, _, _ in self._pending]
        jobs = super().get_jobs()
        return [job for job in jobs if jobstore in (None, job.data["tags"]["apscheduler"])]

    def reschedule_job(self, job_id, jobstore=None, trigger=None, **trigger_args):
        """A paused job goes on, as APScheduler's does."""
        job = super().reschedule_job(job_id, jobstore, trigger, **trigger_args)
        return self.resume_job(job_id) if job.data.get("paused") and self.state != STATE_PAUSED else job

    def remove_all_jobs(self, jobstore=None):
        if self._is_live():
            super().remove_all_jobs(jobstore)
        self._pending = []

    def remove_job(self, job_id, jobstore=None):
        for entry in self._pending:
            if entry[0]["id"] == job_id:
                self._pending.remove(entry)
                return
        super().remove_job(job_id)
        self._own.discard(job_id)
        log.info("Removed job %s", job_id)

    def get_job(self, job_id, jobstore=None):
        if not self._is_live():
            return next((job for job in self.get_jobs() if job.id == job_id), None)
        return super().get_job(job_id)

    def _listen(self):
        if self.state == STATE_RUNNING or self._thread is None:
            super()._listen()

    def _note(self, job, alias):
        """Remembered, for a job that has run for the last time is told of, too. alias None: another's."""
        self._seen.pop(job, None)
        if len(self._seen) >= 10000:
            self._seen.pop(next(iter(self._seen)))
        self._seen[job] = alias

    def _concerns(self, event):
        job = event["job"]
        if job not in self._seen or event["code"] == EVENTS["JOB_ADDED"]:
            found = self.get_job(job)
            if found or job not in self._seen:
                self._note(job, found.data["tags"]["apscheduler"] if found and self._is_mine(found.data) else None)
        return self._seen[job] is not None

    def _alias(self, event):
        return self._seen.get(event["job"]) or event.get("store")


class BlockingScheduler(BackgroundScheduler):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._over = threading.Event()

    def start(self, paused=False):
        super().start(paused)
        if _loading():
            return
        try:
            while not self._over.wait(3600):
                pass
        except BaseException:
            self._leave()
            raise

    def shutdown(self, wait=True):
        super().shutdown(wait)
        self._over.set()


class AsyncIOScheduler(BackgroundScheduler):
    """Its listeners are called on the loop, as APScheduler's are."""

    _event_loop = _loop = None

    def start(self, paused=False):
        self._loop = self._event_loop or self._loop_here()
        super().start(paused)

    def configure(self, gconfig=None, prefix="apscheduler.", **options):
        for name in ("event_loop", "io_loop"):
            given = options.pop(name, None)
            self._event_loop = getattr(given, "asyncio_loop", given) or self._event_loop  # of Tornado's
        super().configure(gconfig, prefix, **options)

    @staticmethod
    def _loop_here():
        """The one that runs, else the one that the program will run."""
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            pass
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                return asyncio.get_event_loop()
        except RuntimeError:
            return None

    def _tell(self, callback, event):
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if self._loop is None or self._loop is here:
            super()._tell(callback, event)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(super()._tell, callback, event)


TornadoScheduler = AsyncIOScheduler
TwistedScheduler = QtScheduler = BackgroundScheduler


class GeventScheduler(BackgroundScheduler):
    def start(self, paused=False):
        """A greenlet that may be joined: it ends with the scheduler."""
        super().start(paused)
        import gevent  # pylint: disable=import-outside-toplevel

        def rest():
            while self.running:
                gevent.sleep(0.2)
        return gevent.spawn(rest)


# ---- Flask-APScheduler ----

class HTTPBasicAuth:
    def get_authorization(self):
        import flask  # pylint: disable=import-outside-toplevel
        given = flask.request.authorization
        return given if given and given.type == "basic" else None

    def get_authenticate_header(self):
        return 'Basic realm="Authentication Required"'


class APScheduler:
    """Its config, its decorators, its REST interface."""

    def __init__(self, scheduler=None, app=None):
        self.scheduler, self.app = scheduler or BackgroundScheduler(), None
        self.api_enabled, self.api_prefix, self.endpoint_prefix = False, "/scheduler", "scheduler."
        self.allowed_hosts, self.auth, self._authenticates = ["*"], None, None
        self.host_name = socket.gethostname().lower()
        if app is not None:
            self.init_app(app)

    def __getattr__(self, name):
        return getattr(self.__dict__["scheduler"], name)

    def init_app(self, app):
        self.app, config = app, app.config
        app.apscheduler = self
        options = {name: config[key] for name, key in (
            ("timezone", "SCHEDULER_TIMEZONE"), ("jobstores", "SCHEDULER_JOBSTORES"),
            ("executors", "SCHEDULER_EXECUTORS"), ("job_defaults", "SCHEDULER_JOB_DEFAULTS")) if config.get(key)}
        self.scheduler.configure(**options)
        for name, key in (("auth", "AUTH"), ("api_enabled", "VIEWS_ENABLED"), ("api_enabled", "API_ENABLED"),
                          ("api_prefix", "API_PREFIX"), ("endpoint_prefix", "ENDPOINT_PREFIX"),
                          ("allowed_hosts", "ALLOWED_HOSTS")):
            setattr(self, name, config.get(f"SCHEDULER_{key}", getattr(self, name)))
        for job in config.get("SCHEDULER_JOBS") or config.get("JOBS") or []:
            job = dict(job)
            self.add_job(job.pop("id"), job.pop("func"), **{"replace_existing": True, **job})
        if self.api_enabled and not _loading():
            self._routes(app)

    def start(self, paused=False):
        if not _loading():
            import flask  # pylint: disable=import-outside-toplevel
            if flask.helpers.get_debug_flag() and os.environ.get("WERKZEUG_RUN_MAIN") != "true":
                return  # the reloader's parent: its child does
            if self.host_name not in self.allowed_hosts and "*" not in self.allowed_hosts:
                log.debug("Host name %s is not allowed to start the APScheduler", self.host_name)
                return
        self.scheduler.start(paused)

    def add_job(self, id, func, **options):
        trigger = options.get("trigger")
        if isinstance(trigger, dict):
            trigger = dict(trigger)
            options["trigger"] = trigger.pop("type", "date")
            options.update(trigger)
        return self.scheduler.add_job(func, id=id, **{**options, "name": options.get("name") or id})

    def modify_job(self, id, jobstore=None, **changes):
        trigger = changes.pop("trigger", None)
        if isinstance(trigger, dict):
            changes.update(trigger)
            trigger = changes.pop("type", "date")
        if isinstance(trigger, str):
            names = {*CronTrigger.FIELDS, "weeks", "days", "hours", "minutes", "seconds", "start_date", "end_date", "run_date",
                     "timezone", "jitter"}
            trigger_args = {name: changes.pop(name) for name in names & set(changes)}
            job = self.scheduler.reschedule_job(id, jobstore, trigger, **trigger_args)
        return self.scheduler.modify_job(id, jobstore, **changes) if changes or not trigger else job

    def task(self, trigger=None, id=None, args=None, kwargs=None, **options):
        def inner(func):
            self.scheduler.add_job(func, trigger, args, kwargs, id or func.__name__, replace_existing=True,
                                   **{"name": id or func.__name__, **options})
            return func
        return inner

    def authenticate(self, func):
        """A decorator: func(authorization) says whether a request may pass."""
        self._authenticates = func
        return func

    @staticmethod
    def _view_of_trigger(job):
        ours = job.trigger.map
        at = {f"{name}_date": ours[name] for name in ("start", "end") if ours.get(name)}
        if ours["type"] == "date":
            return {"trigger": "date", "run_date": ours.get("run_at")}
        if ours["type"] == "interval":
            rest, units = int(ours["seconds"]), {}
            for name, size in (("weeks", 604800), ("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
                units[name], rest = divmod(rest, size)
            return {"trigger": "interval", **at, **{name: n for name, n in units.items() if n}}
        if ours["type"] == "cron" and "fields" in ours:
            return {"trigger": "cron", **at, **ours["fields"]}
        return {"trigger": str(job.trigger)}

    @classmethod
    def _view(cls, job):
        view = {"id": job.id, "name": job.name, "func": job.func_ref, "args": list(job.args), "kwargs": job.kwargs,
                **(cls._view_of_trigger(job) if job.trigger else {})}
        if not job.pending:
            at = job.next_run_time
            view.update(misfire_grace_time=job.misfire_grace_time, max_instances=job.max_instances,
                        next_run_time=at and at.isoformat())
        return view

    def _may(self):
        given = self.auth.get_authorization()
        return given is not None and self._authenticates is not None and self._authenticates(given)

    def _answer(self, call, job_id=None):
        """What a route answers; a refusal is told in its JSON."""
        import flask  # pylint: disable=import-outside-toplevel
        if self.auth and not self._may():
            return "Access Denied", 401, {"WWW-Authenticate": self.auth.get_authenticate_header() or ""}
        try:
            answer = call(job_id) if job_id is not None else call()
        except JobLookupError:
            return flask.jsonify(error_message=f"Job {job_id} not found"), 404
        except ConflictingIdError:
            return flask.jsonify(error_message=f"Job {flask.request.get_json(force=True).get('id')} already exists."), 409
        except Exception as exc:  # pylint: disable=broad-except
            lives = isinstance(exc, (SchedulerAlreadyRunningError, SchedulerNotRunningError))
            return flask.jsonify(error_message=str(exc)), 400 if lives else 500
        return ("", 204) if answer is None else flask.jsonify(self._view(answer) if isinstance(answer, Job) else answer)

    def _known(self, job_id):
        job = self.get_job(job_id)
        if job is None:
            raise JobLookupError(job_id)
        return job

    def _routes(self, app):
        import flask  # pylint: disable=import-outside-toplevel

        def body():
            return flask.request.get_json(force=True)

        def then(call):
            return lambda job_id: call(job_id) and None or self._known(job_id)
        rows = (
            ("get_scheduler_info", "", "GET", lambda: {"current_host": self.host_name, "allowed_hosts": self.allowed_hosts,
                                                       "running": self.running}),
            ("pause_scheduler", "/pause", "POST", self.scheduler.pause),
            ("resume_scheduler", "/resume", "POST", self.scheduler.resume),
            ("start_scheduler", "/start", "POST", self.start),
            ("shutdown_scheduler", "/shutdown", "POST", self.scheduler.shutdown),
            ("get_jobs", "/jobs", "GET", lambda: [self._view(job) for job in self.get_jobs()]),
            ("add_job", "/jobs", "POST", lambda: self.add_job(**body())),
            ("get_job", "/jobs/<job_id>", "GET", self._known),
            ("delete_job", "/jobs/<job_id>", "DELETE", self.scheduler.remove_job),
            ("update_job", "/jobs/<job_id>", "PATCH", then(lambda job_id: self.modify_job(job_id, **body()))),
            ("pause_job", "/jobs/<job_id>/pause", "POST", then(self.scheduler.pause_job)),
            ("resume_job", "/jobs/<job_id>/resume", "POST", then(self.scheduler.resume_job)),
            ("run_job", "/jobs/<job_id>/run", "POST", then(self.scheduler.run_job)))
        for name, path, method, call in rows:
            app.add_url_rule(self.api_prefix + path, self.endpoint_prefix + name, methods=[method],
                             view_func=functools.partial(self._answer, call))
