#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python worker of schedd: calls functions as jobs, in a process that stays.

schedd starts it as `python3 -m schedd_worker` with a socket as descriptor 3 and
speaks the protocol of proto/WORKER.md there. A function that is called may ask
for its run:

    from schedd_worker import current_run
    run = current_run()    # run.job, run.run, run.attempt, run.scheduled_at, run.deadline, run.cancelled

With a concurrency of 1 everything happens on the main thread: between calls it
waits for the socket, during a call a signal says that something has come (a
cancel, a ping, the end of schedd). With more, coroutines share one asyncio loop
and plain functions have a pool of threads.
"""
import ast
import asyncio
import concurrent.futures
import contextvars
import ctypes
import datetime
import fcntl
import importlib
import inspect
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
import types

import msgpack

__all__ = ["Run", "current_run", "loaded", "loading"]

PROTOCOL = 1
RESULT_MAX = 65536     # bytes of JSON that schedd keeps of a result
PIECE = 32768          # bytes of output in one message
MESSAGE_MAX = 1 << 20  # of what schedd sends, grown where arguments are longer

_current = contextvars.ContextVar("schedd_run", default=None)


class Run:
    """The run that a function was called for. Most never ask: what costs is made when it is asked for."""

    __slots__ = ("id", "params", "stopped", "event", "__weakref__")

    def __init__(self, params):
        self.id = params["run"]                 # "backup/42"
        self.params = params
        self.stopped = False
        self.event = None

    @property
    def job(self):
        return self.id.rpartition("/")[0]

    @property
    def run(self):
        return int(self.id.rpartition("/")[2])

    @property
    def name(self):
        return self.params.get("name")

    @property
    def attempt(self):
        return self.params.get("attempt", 1)

    @property
    def env(self):
        """Variables given for this run alone."""
        return self.params.get("env") or {}

    @property
    def scheduled_at(self):
        return _time(self.params.get("scheduled_at"))

    @property
    def deadline(self):
        return _time(self.params.get("deadline"))

    @property
    def cancelled(self):
        """A threading.Event, set when schedd wants the run to end."""
        if self.event is None:
            self.event = threading.Event()
            if self.stopped:
                self.event.set()
        return self.event

    def stop(self):
        self.stopped = True
        if self.event is not None:
            self.event.set()

    def __repr__(self):
        return f"<Run {self.id} attempt {self.attempt}>"


def current_run():
    """The run this is called for; None outside of one."""
    call = _current.get() or _worker_call()
    return call.run if call else None


def _time(microseconds):
    if microseconds is None:
        return None
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return epoch + datetime.timedelta(microseconds=microseconds)


def _worker_call():
    """Without a context (a thread that the function started) it can only be the one call there is."""
    return _worker.only_call() if _worker else None


class _Cancelled(KeyboardInterrupt):
    """What a cancel raises in the function."""


class _Call:
    """One call under way. Most functions neither write nor ask: what that needs is made then."""

    __slots__ = ("worker", "msgid", "params", "run", "lines", "task", "thread", "failure")

    def __init__(self, worker, msgid, params):
        self.worker = worker
        self.msgid = msgid
        self.params = params
        self.run = Run(params)
        self.lines = None      # of each stream, what has no end of line yet
        self.task = None       # asyncio's, of a coroutine
        self.thread = None     # where a plain function runs
        self.failure = None    # why its function was not found

    def write(self, stream, data):
        if self.lines is None:
            self.lines = {"stdout": b"", "stderr": b""}
        data = self.lines[stream] + data
        end = len(data) if len(data) >= PIECE else data.rfind(b"\n") + 1
        self.lines[stream] = data[end:]
        for at in range(0, end, PIECE):
            self._send(stream, data[at:min(at + PIECE, end)])

    def flush(self, stream):
        data, self.lines[stream] = self.lines[stream], b""
        if data:
            self._send(stream, data)

    def _send(self, stream, data):
        self.worker.send([2, "output", [{"run": self.run.id, "stream": stream, "data": data}]])

    def answer(self, result):
        self._end([1, self.msgid, None, result])

    def fail(self, error):
        self._end([1, self.msgid, error, None])

    def _end(self, message):
        if self.lines is not None:
            self.flush("stdout")
            self.flush("stderr")
        self.worker.send(message)


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: what is written belongs to the run that writes it."""

    def __init__(self, name, raw):
        super().__init__()
        self.name_of_stream = name
        self.raw_stream = raw          # for what belongs to no run
        self.buffer = _Bytes(self)

    encoding = "utf-8"
    errors = "backslashreplace"

    def writable(self):
        return True

    def fileno(self):
        return self.raw_stream.fileno()

    def isatty(self):
        return False

    def write(self, text):
        self.write_bytes(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def write_bytes(self, data):
        call = _current.get() or _worker_call()
        if call is None:
            self.raw_stream.buffer.write(data)
            self.raw_stream.flush()
        else:
            call.write(self.name_of_stream, data)

    def flush(self):
        """Lines go at once; half ones wait for their end, or for that of the call."""


class _Bytes(io.RawIOBase):
    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self.stream.write_bytes(data)
        return len(data)


# ---- Functions and what becomes of them ----

class _Loaded(BaseException):
    """Ends the loading of a program where it would begin its own work."""


_load = threading.local()   # depth: of loading; program: it is a program's own file


def loading():
    """Is a module being loaded on this thread, to find a function? Then a scheduler in it is not to begin."""
    return getattr(_load, "depth", 0) > 0


def loaded():
    """Called where a program would start its scheduler."""
    if getattr(_load, "program", False):
        raise _Loaded


class _Functions:
    """Functions by their names, looked up once."""

    def __init__(self):
        self.known = {}
        self.programs = {}
        self.lock = threading.RLock()

    def find(self, name):
        function = self.known.get(name)
        if function is None:
            with self.lock:
                function = self.known[name] = self._find(name)
        return function

    def _find(self, name):
        module, colon, path = name.partition(":")
        if not colon or not module or not path:
            raise ValueError(f"'{name}' is not of the form module:function")
        function = self.load(module)
        for part in path.split("."):
            function = getattr(function, part)
        if not callable(function):
            raise TypeError(f"{name} is not a function")
        return function

    def load(self, name):
        """A module by its name, with the folder to look in before it, or a program by its path."""
        folder, slash, module = name.rpartition("/")
        if slash and folder not in sys.path:
            sys.path.insert(0, folder)
        _load.depth = getattr(_load, "depth", 0) + 1
        try:
            if slash and name.endswith(".py"):
                return self.program(name)
            return importlib.import_module(module)
        finally:
            _load.depth -= 1

    def program(self, path):
        """Runs a program's file up to where it starts its scheduler; of what follows, definitions alone."""
        if path in self.programs:
            return self.programs[path]
        module = types.ModuleType(os.path.basename(path)[:-3])
        module.__file__ = path
        sys.modules.setdefault(module.__name__, module)
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
        begun, before = False, getattr(_load, "program", False)
        _load.program = True
        try:
            for statement in tree.body:
                if begun and not _defines(statement):
                    continue
                try:
                    code = compile(ast.Module([statement], []), path, "exec")
                    exec(code, module.__dict__)  # pylint: disable=exec-used
                except _Loaded:
                    begun = True
        except BaseException:
            sys.modules.pop(module.__name__, None)
            raise
        finally:
            _load.program = before
        self.programs[path] = module
        return module


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign,
                ast.AnnAssign, ast.AugAssign, ast.Pass, getattr(ast, "TypeAlias", ast.Pass))


def _defines(statement):
    """Names alone, and what chooses among them: `try: import ujson as json …`."""
    if isinstance(statement, (ast.If, ast.Try)):
        parts = [statement.body, statement.orelse, getattr(statement, "finalbody", [])]
        parts += [handler.body for handler in getattr(statement, "handlers", [])]
        return all(_defines(each) for part in parts for each in part)
    return isinstance(statement, _DEFINITIONS)


def _safely(make, value, otherwise):
    """repr() and str() of foreign objects may do anything, sys.exit() too."""
    try:
        return make(value)
    except BaseException:  # pylint: disable=broad-except
        return otherwise % type(value).__name__


def _cut(text):
    data = text.encode("utf-8", "backslashreplace")
    return data[:RESULT_MAX].decode("utf-8", "ignore"), len(data) > RESULT_MAX


def _is(value, *kinds):
    """isinstance() would ask the object, too, which may do anything."""
    return issubclass(type(value), kinds)


def _represent(value):
    if _is(value, bytes, bytearray):
        value = value[:RESULT_MAX + 1]
    text, cut = _cut(_safely(repr, value, "<a %s that cannot be shown>"))
    return {"repr": text, "cut": cut}


def _result(value):
    """What schedd keeps of a return value: its JSON, or else its repr."""
    if value is None:
        return None
    if _is(value, str) and len(value) > RESULT_MAX:
        return _represent(value[:RESULT_MAX + 1])
    pieces, size = [], 0
    try:
        if _is(value, bool, int, str):
            pieces.append(json.dumps(value, ensure_ascii=False))
            size = len(pieces[0])
        else:
            for piece in json.JSONEncoder(allow_nan=False, ensure_ascii=False).iterencode(value):
                pieces.append(piece[:RESULT_MAX + 1])
                size += len(piece)
                if size > RESULT_MAX:
                    break
        text = "".join(pieces)
        size = max(size, len(text.encode()))
    except BaseException:  # pylint: disable=broad-except
        return _represent(value)
    if size > RESULT_MAX:
        return {"repr": _cut(text)[0], "cut": True}
    return {"json": text}


def _error(exc, cancelled):
    kind = type(exc)
    name = kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    error = {"type": name, "message": _cut(_safely(str, exc, "(a %s that cannot be printed)"))[0][:4096]}
    if cancelled:
        error["cancelled"] = True
    if _is(exc, SystemExit) and _is(exc.code, int):
        error["exit_code"] = exc.code & 255
    return error


def _print_exception(exc):
    try:
        # Not the worker's own frames.
        trace = exc.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        traceback.print_exception(type(exc), exc, trace, file=sys.stderr)
    except BaseException:  # pylint: disable=broad-except
        print(f"{type(exc).__name__}: its traceback cannot be printed", file=sys.stderr)


def _settle(call, outcome, exc):
    """Sends what became of a call."""
    leaves = _is(exc, SystemExit)
    if leaves and exc.code in (None, 0):
        exc, outcome = None, None
    if exc is None:
        call.answer(_result(outcome))
        return
    if not leaves or _is(exc.code, str):
        _print_exception(exc)
    call.fail(_error(exc, call.run.stopped))


# ---- The two ways to work ----

class _Worker:
    """What both have in common: the socket."""

    def __init__(self, sock, concurrency):
        self.socket = sock
        self.concurrency = concurrency
        self.functions = _Functions()
        self.packer = msgpack.Packer(autoreset=True)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=64 << 20, strict_map_key=False)
        self.lock = threading.RLock()
        self.calls = {}     # by run
        self.pid = os.getpid()

    def only_call(self):
        if len(self.calls) == 1 and self.concurrency == 1:
            return next(iter(self.calls.values()), None)
        return None

    def send(self, message):
        if os.getpid() != self.pid:
            return  # a child that the function forked is not the worker
        with self.lock:
            data = self.packer.pack(message)
            try:
                self.socket.sendall(data)
            except OSError:
                self.gone()

    def gone(self):
        """schedd is no longer there: nobody waits for what is still going on."""
        os._exit(0 if not self.calls else 1)  # pylint: disable=protected-access

    def feed(self, data):
        """The messages that are whole now; of those that need no call, what is to be done is done."""
        self.unpacker.feed(data)
        for message in self.unpacker:
            if message[0] == 0 and message[2] == "call":
                call = _Call(self, message[1], message[3][0])
                self.calls[call.run.id] = call  # from here on it can be cancelled
                yield call
            elif message[0] == 0 and message[2] == "ping":
                self.send([1, message[1], None, {}])
            elif message[0] == 0:
                self.send([1, message[1], {"type": "unknown_method", "message": str(message[2])}, None])
            elif message[0] == 2 and message[1] == "cancel":
                call = self.calls.get(message[2][0]["run"])
                if call:
                    call.run.stop()
                    self.cancel(call)

    def cancel(self, call):
        raise NotImplementedError


def _call_function(call):
    params = call.params
    function = call.worker.functions.find(params["function"])
    return function(*(params.get("args") or ()), **(params.get("kwargs") or {}))


class _OneByOne(_Worker):
    """Concurrency 1: calls on the main thread, which is also where signals are."""

    def __init__(self, sock):
        super().__init__(sock, 1)
        self.waiting = []       # calls that came during another
        self.loop = None        # asyncio's, once a coroutine came
        self.inside = False     # a function is being called: it may be interrupted
        self.reading = False
        self.in_call = False    # the signal's handler is to read, not the main loop
        self.coming = select.poll()
        self.coming.register(sock, select.POLLIN)
        signal.signal(signal.SIGIO, self._on_signal)
        fcntl.fcntl(sock, fcntl.F_SETOWN, os.getpid())
        self.flags = fcntl.fcntl(sock, fcntl.F_GETFL) & ~os.O_ASYNC

    def _async(self, on):
        fcntl.fcntl(self.socket, fcntl.F_SETFL, self.flags | os.O_ASYNC if on else self.flags)

    def _on_signal(self, _number, _frame):
        """During a call: something is there to be read, or schedd is gone."""
        if self.in_call and not self.reading and os.getpid() == self.pid:
            self._read_during_call()

    def _read_during_call(self):
        self.reading = True
        try:
            while True:
                try:
                    data = self.socket.recv(65536, socket.MSG_DONTWAIT)
                except (BlockingIOError, InterruptedError):
                    return
                except OSError:
                    data = b""
                if not data:
                    self.gone()
                self.waiting.extend(self.feed(data))
        finally:
            self.reading = False

    def cancel(self, call):
        if call.task is not None:
            self.loop.call_soon_threadsafe(call.task.cancel)
        elif self.inside:
            self.inside = False
            raise _Cancelled("cancelled by schedd")

    def _coroutine(self, call, coroutine):
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        call.task = self.loop.create_task(coroutine)
        if call.run.stopped:
            call.task.cancel()
        try:
            return self.loop.run_until_complete(call.task)
        finally:
            call.task = None

    def _call(self, call):
        outcome, failure = None, None
        token = _current.set(call)
        try:
            try:
                self.inside = True
                if call.run.stopped:
                    raise _Cancelled("cancelled by schedd")
                outcome = _call_function(call)
                if outcome is not None and _is(outcome, types.CoroutineType):
                    self.inside = False
                    outcome = self._coroutine(call, outcome)
            finally:
                self.inside = False
        except BaseException as exc:  # pylint: disable=broad-except
            failure = exc
        if os.getpid() != self.pid:
            os._exit(1 if failure else 0)  # pylint: disable=protected-access
        try:
            _settle(call, outcome, failure)
        finally:
            del self.calls[call.run.id]
            _current.reset(token)

    def run(self):
        while True:
            if self.waiting:
                self._async(True)
                while self.waiting:
                    call = self.waiting.pop(0)
                    self.in_call = True
                    if self.coming.poll(0):  # before the signal was on
                        self._read_during_call()
                    self._call(call)
                    self.in_call = False
                self._async(False)
            try:
                data = self.socket.recv(65536)
            except InterruptedError:
                continue
            except OSError:
                data = b""
            if not data:
                return
            self.waiting.extend(self.feed(data))


class _Together(_Worker):
    """Concurrency above 1: coroutines on one loop, plain functions on threads."""

    def __init__(self, sock, concurrency):
        super().__init__(sock, concurrency)
        self.threads = concurrent.futures.ThreadPoolExecutor(concurrency, "schedd")
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)

    def cancel(self, call):
        if call.task is not None:
            call.task.cancel()
        thread = call.thread
        if thread is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(_Cancelled))

    def _on_thread(self, call):
        _current.set(call)
        call.thread = threading.get_ident()
        try:
            try:
                if call.run.stopped:
                    raise _Cancelled("cancelled by schedd")
                return _call_function(call), None
            finally:
                call.thread = None
        except BaseException as exc:  # pylint: disable=broad-except
            return None, exc
        finally:
            if os.getpid() != self.pid:
                os._exit(0)  # pylint: disable=protected-access

    def _find(self, call):
        """On the loop's thread, which is the main one, but as if no loop ran: a program may have one of its own."""
        _current.set(call)
        asyncio._set_running_loop(None)  # pylint: disable=protected-access
        try:
            self.functions.find(call.params["function"])
        except BaseException as exc:  # pylint: disable=broad-except
            call.failure = exc
        finally:
            asyncio.set_event_loop(self.loop)
            asyncio._set_running_loop(self.loop)  # pylint: disable=protected-access

    def _is_coroutine(self, call):
        """Looked up on the loop, so that a coroutine costs no thread."""
        if call.failure is not None:
            raise call.failure
        return inspect.iscoroutinefunction(self.functions.find(call.params["function"]))

    async def _call(self, call):
        outcome, failure = None, None
        _current.set(call)  # of this task alone
        try:
            if self._is_coroutine(call):
                outcome = await _call_function(call)
            else:
                context = contextvars.copy_context()
                call.task = None
                outcome, failure = await self.loop.run_in_executor(
                    self.threads, context.run, self._on_thread, call)
                if _is(outcome, types.CoroutineType):
                    call.task = asyncio.current_task()
                    outcome = await outcome
        except BaseException as exc:  # pylint: disable=broad-except
            failure = exc
        call.task = None
        self.calls.pop(call.run.id, None)
        _settle(call, outcome, failure)

    def _start(self, call):
        if call.params["function"] not in self.functions.known:
            contextvars.copy_context().run(self._find, call)
        call.task = self.loop.create_task(self._call(call))

    def _ready(self):
        try:
            data = self.socket.recv(1 << 18, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            if self.calls:
                self.gone()
            self.loop.stop()
            return
        for call in self.feed(data):
            self._start(call)

    def run(self):
        self.loop.add_reader(self.socket.fileno(), self._ready)
        self.loop.run_forever()
        self.threads.shutdown(wait=False)


_worker = None


def _in_child():
    """A child that a function forks is no worker: schedd must not hear two."""
    worker = _worker
    if worker is not None:
        worker.socket.close()


def main():
    global _worker  # pylint: disable=global-statement
    fd = int(os.environ.get("SCHEDD_WORKER_FD", "3"))
    concurrency = int(os.environ.get("SCHEDD_WORKER_CONCURRENCY", "1"))
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        sys.exit("schedd_worker is started by schedd, which gives it a socket as descriptor 3")
    os.set_inheritable(fd, False)
    sock.setblocking(True)
    sys.stdout = _Stream("stdout", sys.__stdout__)
    sys.stderr = _Stream("stderr", sys.__stderr__)
    worker = _OneByOne(sock) if concurrency == 1 else _Together(sock, concurrency)
    _worker = worker
    os.register_at_fork(after_in_child=_in_child)
    try:
        for name in filter(None, os.environ.get("SCHEDD_WORKER_PRELOAD", "").split(":")):
            worker.functions.load(name)
    except BaseException as exc:  # pylint: disable=broad-except
        _print_exception(exc)
        error = _error(exc, False)
        worker.send([2, "worker.failed", [{"message": f"preload: {error['type']}: {error['message']}"}]])
        sys.exit(1)
    worker.send([2, "worker.ready", [{"protocol": PROTOCOL, "language": "python",
                                      "version": ".".join(map(str, sys.version_info[:3])), "pid": os.getpid()}]])
    worker.run()


if __name__ == "__main__":
    # The module that functions import must be this one, not a second copy.
    sys.modules["schedd_worker"] = sys.modules["__main__"]
    main()
