# SPDX-License-Identifier: MIT
"""Functions for the tests of workers, good and bad."""
import asyncio
import ctypes
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from schedd_worker import current_run


def nothing():
    pass


def add(a, b=0, *rest, factor=1):
    return (a + b + sum(rest)) * factor


def echo(value):
    return value


def takes_all(*args, **kwargs):
    return [args, kwargs]


def says(name="nobody"):
    print("to stdout", name)
    sys.stderr.write("to stderr\n")
    logging.getLogger("calls").warning("to the log")
    sys.stdout.buffer.write(b"as bytes \xff\n")
    sys.stdout.write("half a line")


def past_python():
    os.write(1, b"written past Python\n")
    subprocess.run(["echo", "from a child"], check=True)


def told():
    run = current_run()
    return {"job": run.job, "run": run.run, "attempt": run.attempt, "name": run.name, "env": run.env,
            "scheduled": run.scheduled_at.isoformat(), "deadline": run.deadline and run.deadline.isoformat(),
            "pid": os.getpid(), "cwd": os.getcwd(), "variable": os.environ.get("APP")}


def pid():
    return os.getpid()


def world():
    mask = os.umask(0)
    os.umask(mask)
    return {"uid": os.getuid(), "umask": mask, "nice": os.nice(0), "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "env": dict(os.environ), "path": sys.path}


def fails(text="it is broken"):
    raise ValueError(text)


def leaves(code):
    sys.exit(code)


def sleeps(seconds, mark=None):
    if mark:
        with open(mark, "a", encoding="utf-8") as out:
            out.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return "slept"


def cleans_up(path):
    try:
        time.sleep(60)
    except BaseException as exc:
        with open(path, "w", encoding="utf-8") as out:
            out.write(type(exc).__mro__[1].__name__)
        raise


def stubborn(mark=None):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    if mark:
        with open(mark, "w", encoding="utf-8") as out:
            out.write("begun")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            time.sleep(1)
        except BaseException:  # pylint: disable=broad-except
            pass


def counts_in_c(mark):
    """Holds the interpreter: no thread, no signal handler of Python's runs meanwhile."""
    with open(mark, "a", encoding="utf-8") as out:
        out.write(f"{os.getpid()}\n")
    sum(range(10**15))


def waits_for_cancel():
    return current_run().cancelled.wait(60)


async def rests(seconds):
    await asyncio.sleep(seconds)
    return "rested"


async def rests_and_says(seconds, text):
    for i in range(3):
        print(f"{text} {i}, ", end="")
        await asyncio.sleep(seconds)
        print("done")


def says_slowly(seconds, text):
    for i in range(3):
        print(f"{text} {i}, ", end="")
        time.sleep(seconds)
        print("done")


# ---- What must not take the pool with it ----

def crashes():
    ctypes.string_at(0)


def kills_itself(number):
    os.kill(os.getpid(), number)
    time.sleep(10)


def ends(code):
    os._exit(code)  # pylint: disable=protected-access


def dies_later(seconds):
    threading.Timer(seconds, os._exit, (3,)).start()


def garbage():
    os.write(3, b"\xc1\xc1\xc1 this is not MessagePack")
    time.sleep(60)


def closes():
    socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_RDWR)
    os.close(3)
    time.sleep(60)


def floods(lines):
    for i in range(lines):
        print("x" * 100, i)


def floods_past_python(kilobytes):
    for _ in range(kilobytes):
        os.write(1, b"y" * 1023 + b"\n")


def forks():
    child = os.fork()
    if child == 0:
        return "the child says"
    os.waitpid(child, 0)
    return "the parent says"


def leaves_a_child():
    subprocess.Popen(["sleep", "30"])  # pylint: disable=consider-using-with
    return "left"


def huge(size):
    return "z" * size


def huge_list(size):
    return list(range(size))


def an_object():
    return object()


def not_a_number():
    return float("nan")


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def raises_unprintable():
    raise Unprintable()


def returns_unprintable():
    return Unprintable()


class Hostile(Exception):
    """Whoever looks at it ends."""
    @property
    def __class__(self):
        raise RuntimeError("no class")

    def __str__(self):
        sys.exit(3)

    __repr__ = __str__


def raises_hostile():
    raise Hostile()


def returns_hostile():
    return Hostile()


def grows(megabytes):
    grows.kept = getattr(grows, "kept", [])
    grows.kept.append(bytearray(os.urandom(1024)) * (megabytes * 1024))
    return len(grows.kept)


def stops_everything():
    os.kill(os.getpid(), signal.SIGSTOP)


class Bound:
    """One whose method needs its object."""

    def method(self):
        pass
