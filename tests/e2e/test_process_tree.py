# SPDX-License-Identifier: MIT
"""What commands start: everything of it can be ended, nothing of it can hold a run or schedd up."""
import os
import pathlib
import random
import unittest

import e2e


def alive(mark):
    """Pids of processes with that argument."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, IndexError):
            continue
        if mark.encode() in arguments and state != "Z":
            found.append(int(entry.name))
    return found


class ProcessTree(e2e.TestCase):
    def setUp(self):
        self.server = self.daemon()
        self.client = self.server.client(timeout=120)
        # sleep sums its arguments: this one is like no other process'.
        self.mark = f"1000.{random.randrange(10**8):08d}"
        self.addCleanup(self.end_marked)

    def end_marked(self):
        for pid in alive(self.mark):
            os.kill(pid, 9)

    def begin(self, shell, count, **fields):
        self.client.call("job.add", id="a", shell=shell.replace("MARK", self.mark), trigger={"every": "1h"}, **fields)
        run = self.client.call("job.run", id="a")["run"]
        e2e.wait_until(f"{count} processes", lambda: len(alive(self.mark)) == count)
        return run

    def ended(self, run):
        self.client.call("run.wait", run=run)
        return self.client.call("run.get", run=run)

    def check_all_die(self, shell, count, **fields):
        run = self.begin(shell, count, **fields)
        self.client.call("run.kill", run=run)
        self.assertEqual(self.ended(run)["state"], "killed")
        e2e.wait_until("all of it is gone", lambda: not alive(self.mark))

    def test_the_process_group_dies(self):
        self.check_all_die("sleep MARK & sleep MARK & sleep MARK; wait", 3)

    def test_children_that_left_the_session_die(self):
        self.check_all_die("setsid sleep MARK & setsid -f sleep MARK; sleep MARK", 3)

    def test_grandchildren_without_a_parent_die(self):
        self.check_all_die("(setsid sh -c 'sleep MARK & sleep MARK &' &) ; sleep MARK", 3)

    def test_those_that_ignore_the_polite_signal_die(self):
        self.check_all_die("trap '' TERM; setsid -f sh -c \"trap '' TERM; sleep MARK & wait\"; sleep MARK & wait; wait", 2,
                           kill_after=0.3)

    def test_a_timeout_ends_all_of_it(self):
        run = self.begin("setsid -f sleep MARK; sleep MARK", 2, timeout=1)
        got = self.ended(run)
        self.assertEqual((got["state"], got["reason"]), ("timeout", "timeout after 1s"))
        e2e.wait_until("all of it is gone", lambda: not alive(self.mark))

    def test_a_pipe_kept_open_holds_nobody(self):
        run = self.begin("sleep MARK & echo said", 1)
        got = self.ended(run)
        self.assertEqual((got["state"], got["exit_code"]), ("success", 0))
        self.assertIn("kept its output open", got["reason"])
        self.assertEqual(self.client.call("run.log", run=run)["pieces"][0]["data"], "said\n")

    def test_a_flood_costs_no_memory(self):
        before = self.server.memory()
        self.client.call("job.add", id="a", shell="head -c 1G /dev/zero; echo end", trigger={"every": "1h"})
        run = self.client.call("job.run", id="a")["run"]
        peak = [0]

        def over():
            peak[0] = max(peak[0], self.server.memory())
            return self.client.call("run.get", run=run)["state"] != "running"
        e2e.wait_until("it has written all", over, seconds=120)
        got = self.ended(run)
        self.assertEqual((got["state"], got["output_bytes"]), ("success", (1 << 30) + 4))
        self.assertLess(peak[0] - before, 64 << 20)  # of 1 GiB; a sanitizer keeps much of what is freed
        self.assertGreaterEqual(got["output_dropped"], (1 << 30) + 4 - (1 << 20))
        kept = sum(path.stat().st_size for path in self.server.state.glob("output/*/*"))
        self.assertLess(kept, 2 << 20)

    def test_five_hundred_at_once(self):
        """All write at one time, all end, nothing of any is missing."""
        count = 500
        os.mkfifo(self.server.dir / "go")
        self.client.call("job.add", id="a", cwd=str(self.server.dir), max_instances=count, trigger={"every": "1h"},
                         shell="echo begin; read x < go; seq 1 2000; echo end")
        runs = [self.client.receive(msgid)["run"]
                for msgid in [self.client.send("job.run", id="a") for _ in range(count)]]
        e2e.wait_until("all run", lambda: self.client.call("server.status")["scheduler"]["running"] == count, 60)
        with open(self.server.dir / "go", "w") as go:
            go.write("x\n" * count)
            go.flush()

            def over():
                status = self.client.call("server.status")["scheduler"]
                return status["running"] == 0 and status
            status = e2e.wait_until("all have ended", over, seconds=120)
        self.assertEqual(status["ended"]["success"], count)
        for run in runs[::50]:
            text = "".join(piece["data"] for piece in self.client.call("run.log", run=run)["pieces"])
            self.assertEqual(text, "begin\n" + "".join(f"{n}\n" for n in range(1, 2001)) + "end\n")

    def test_many_are_ended_at_once(self):
        """Each is looked for among its own kin, not among all processes there are."""
        count = 200
        self.client.call("job.add", id="a", command=["sleep", self.mark], max_instances=count, trigger={"type": "manual"})
        for _ in range(count):
            self.client.call("job.run", id="a")
        e2e.wait_until("all run", lambda: self.client.call("server.status")["scheduler"]["running"] == count, 60)

        def spent():
            fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return sum(int(x) for x in fields[11:13]) / os.sysconf("SC_CLK_TCK")
        before = spent()
        self.assertEqual(len(self.client.call("run.kill", run="a", signal="KILL")["runs"]), count)
        self.client.call("run.wait", run="a", **{"for": "idle"})
        self.assertLess(spent() - before, 4)
        self.assertEqual(alive(self.mark), [])


if __name__ == "__main__":
    unittest.main()
