# SPDX-License-Identifier: MIT
"""A real, interactive bash on a terminal of its own, to press TAB in."""
import os
import pty
import re
import select
import subprocess
import time


class BashLine:
    """Types a line, presses a key, and reads back what bash made of the line."""

    def __init__(self, completion, environment, package=False, preamble=""):
        self.spawn("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], {**environment, "PS1": "$ ", "TERM": "dumb", "INPUTRC": "/dev/null"})
        # The line after the key, told by a key of our own, between marks that no line holds.
        self.run(r"""bind 'set enable-bracketed-paste off'; bind 'set page-completions off'; bind 'set completion-query-items -1'""")
        self.run(r"""tell() { printf '\n<%q>%s\n' "$READLINE_LINE" END; }; bind -x '"\C-xt": tell'; bind '"\C-x*": insert-completions'""")
        if package:
            self.run("source /usr/share/bash-completion/bash_completion")
        self.run(f"source {completion}; {preamble}")

    def spawn(self, program, argv, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(program, argv, environment)
        self.buffer = ""

    def send(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, pattern, patience=20):
        limit = time.monotonic() + patience
        while not (found := re.search(pattern, self.buffer, re.S)):
            ready, _, _ = select.select([self.fd], [], [], max(0, limit - time.monotonic()))
            if not ready:
                raise AssertionError(f"bash did not say {pattern!r} but {self.buffer!r}")
            self.buffer += os.read(self.fd, 65536).decode(errors="replace")
        self.buffer = self.buffer[found.end():]
        return found

    def run(self, command):
        self.send(command + "; echo DO''NE\n")
        self.read_until(r"DONE\r\n")

    def press(self, line, key):
        """The line as bash has it after the key, unquoted from %q by bash itself."""
        self.send(line + key + "\x18t")
        told = self.read_until(r"<(.*)>END\r\n").group(1)
        self.clear()
        quoted = told.replace("\r\n", "\n")
        done = subprocess.run(["/bin/bash", "-c", "printf %s " + quoted], stdout=subprocess.PIPE, text=True, check=True) if quoted else None
        return done.stdout if done else ""

    def clear(self):
        self.send("\x15")

    def tab(self, line):
        return self.press(line, "\t")

    def all(self, line):
        """Every candidate, put into the line."""
        return self.press(line, "\x18*")

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)
