# SPDX-License-Identifier: MIT
"""schedctl top on a terminal of its own: what it shows, what its keys do, and how it leaves the terminal."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
import unittest

import e2e

try:
    import pyte
except ImportError:
    raise SystemExit("python3-pyte is not installed: sh server/install-packages.sh test")


HOME, END, UP = "\x1bOH", "\x1bOF", "\x1bOA"  # as an xterm sends them to a program that asks for them


class Terminal:
    """A program on a pseudo-terminal, and the screen that it draws."""

    def __init__(self, argv, env, columns=100, lines=20):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The first size has to be there before the program looks.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execve(argv[0], argv, env)
        self.modes = termios.tcgetattr(self.fd)
        self.status = None

    def read(self, seconds):
        """Takes what comes within that time; false: the program has ended."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def wait(self, what, holds, seconds=60):
        deadline = time.monotonic() + seconds
        while not holds(self.screen.display):
            if time.monotonic() > deadline or not self.read(0.2):
                raise AssertionError(f"not seen: {what}\n" + "\n".join(self.screen.display))

    def row(self, job):
        return next((line for line in self.screen.display if line.startswith(job + " ")), "")

    def key(self, text):
        os.write(self.fd, text.encode())

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def end(self, seconds=60):
        """The exit status once it has ended."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise AssertionError("it does not end\n" + "\n".join(self.screen.display))
        while self.read(0.1) and select.select([self.fd], [], [], 0)[0]:
            pass
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Top(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(config="stop: {limit: 0s}\n")
        self.client = self.d.client(timeout=60)
        self.add("busy", ["sleep", "300"])
        self.add("idle", ["echo", "said by idle"])
        self.add("broken", ["false"])
        self.client.call("job.add", id="soon", command=["true"], trigger={"every": "1h"})
        self.client.call("run.wait", run=self.client.call("job.run", id="broken")["run"], timeout=60)
        self.client.call("run.wait", run=self.client.call("job.run", id="busy")["run"], timeout=60, **{"for": "running"})

    def add(self, name, command):
        self.client.call("job.add", id=name, command=command, trigger={"type": "manual"})

    def open(self, **size):
        env = {**self.d.environment(), "TERM": "xterm", "PAGER": "cat", "PATH": os.path.dirname(e2e.SCHEDCTL) + ":/usr/bin:/bin", "LANG": "C.UTF-8"}
        terminal = Terminal([e2e.SCHEDCTL, "top"], env, **size)
        self.addCleanup(terminal.close)
        # It comes in pieces, the line at the bottom last.
        terminal.wait("the jobs", lambda screen: any(line.startswith("soon ") for line in screen) and screen[-1].strip())
        return terminal

    def choose(self, terminal, job):
        """Moves to the job, whichever row it has by now."""
        terminal.key(HOME)
        rows = [line.split(" ")[0] for line in terminal.screen.display[2:]]
        for _ in range(rows.index(job)):
            terminal.key("j")
        terminal.wait(f"{job} is chosen", lambda screen: self.chosen(terminal) == job)

    @staticmethod
    def chosen(terminal):
        """The job whose row is shown in reverse."""
        for number, line in enumerate(terminal.screen.display):
            if number >= 2 and terminal.screen.buffer[number][0].reverse:
                return line.split(" ")[0]
        return None

    def test_what_it_shows(self):
        terminal = self.open()
        self.assertEqual(terminal.screen.display[0].strip(), "4 jobs: 1 running, 0 queued, 1 failed last")
        self.assertEqual([line.split(" ")[0] for line in terminal.screen.display[2:6]], ["busy", "broken", "soon", "idle"])
        self.assertIn("running", terminal.row("busy"))
        self.assertIn("failed", terminal.row("broken"))
        self.assertIn("Every hour", terminal.row("soon"))
        self.assertIn("q quit", terminal.screen.display[-1])
        self.add("late-comer", ["true"])
        terminal.wait("a new job", lambda screen: terminal.row("late-comer"))

    def test_its_keys(self):
        terminal = self.open()
        self.choose(terminal, "soon")
        terminal.key("p")
        terminal.wait("it is paused", lambda screen: "paused" in terminal.row("soon") and "Paused soon" in screen[-1])
        self.assertTrue(self.client.call("job.get", id="soon")["paused"])
        self.choose(terminal, "soon")
        terminal.key("r")
        terminal.wait("it is resumed", lambda screen: "waiting" in terminal.row("soon") and "Resumed soon" in screen[-1])
        self.choose(terminal, "idle")
        terminal.key("s")
        terminal.wait("it has run", lambda screen: "success" in terminal.row("idle"))
        self.choose(terminal, "busy")
        terminal.key("k")
        terminal.wait("it is killed", lambda screen: "killed" in terminal.row("busy"))
        self.assertEqual(self.client.call("run.get", run="busy")["state"], "killed")
        self.choose(terminal, "busy")
        terminal.key("k")
        terminal.wait("there is nothing to kill", lambda screen: screen[-1].strip() and "quit" not in screen[-1] and "Killed" not in screen[-1])

    def test_keys_that_move(self):
        terminal = self.open()
        for key, job in ((END, "idle"), (UP, "soon"), (HOME, "busy"), (UP, "busy"), ("j", "broken"), ("\x1b", "broken"), (" ", "idle")):
            terminal.key(key)
            terminal.wait(f"{job} is chosen", lambda screen, job=job: self.chosen(terminal) == job)
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)

    def test_the_output_of_a_job(self):
        self.client.call("run.wait", run=self.client.call("job.run", id="idle")["run"], timeout=60)
        terminal = self.open()
        self.choose(terminal, "idle")
        terminal.raw = b""
        terminal.key("l")
        terminal.wait("its output, and the screen again", lambda screen: b"said by idle" in terminal.raw and terminal.row("idle"))
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)

    def test_it_leaves_the_terminal_as_it_was(self):
        terminal = self.open()
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(termios.tcgetattr(terminal.fd), terminal.modes)
        self.assertTrue(b"\x1b[?1049l" in terminal.raw, "the screen from before is shown again")
        self.assertTrue(terminal.raw.rfind(b"\x1b[?25h") < 0 or b"\x1b[?12l\x1b[?25h" in terminal.raw, "there is a cursor again")

    def test_other_sizes(self):
        terminal = self.open()
        terminal.resize(60, 6)
        terminal.wait("the last line moves up", lambda screen: "q quit" in screen[5])
        terminal.resize(120, 30)
        terminal.wait("the last line moves down", lambda screen: "q quit" in screen[29] and "Every hour" in terminal.row("soon"))
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)

    def test_a_daemon_that_ends(self):
        terminal = self.open()
        self.d.stop()
        self.assertEqual(terminal.end(), 3)
        self.assertEqual(termios.tcgetattr(terminal.fd), terminal.modes)

    def test_names_cannot_reach_the_terminal(self):
        self.client.call("job.add", id="wild", name="\x1b]0;pwned\x07", command=["true"], trigger={"type": "manual"}, description="\x1b[2J")
        terminal = self.open()
        terminal.wait("the job", lambda screen: terminal.row("wild"))
        self.assertNotIn(b"pwned\x07", terminal.raw)

    def test_without_a_terminal(self):
        status, out, err = self.d.ctl("top")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("top needs a terminal", err)


if __name__ == "__main__":
    unittest.main()
