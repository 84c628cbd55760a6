# SPDX-License-Identifier: MIT
"""Fire times as they are typed and shown: zones, times that do not exist or come twice, previews of the past."""
import contextlib
import json
import os
import select
import subprocess
import time
import unittest
from datetime import datetime

import e2e


def seconds(text):
    """An instant as it is told, in whole seconds."""
    return int(datetime.fromisoformat(text).timestamp())


BERLIN = ("--tz", "Europe/Berlin")


class Preview(e2e.TestCase):
    """schedctl next without a daemon."""

    def setUp(self):
        self.d = self.daemon(start=False)

    def next(self, *argv, status=0):
        code, out, err = self.d.ctl("next", *argv)
        self.assertEqual(code, status, f"next {argv}: {err}")
        return out, err

    def times(self, *argv):
        return json.loads(self.next(*argv, "--json")[0])["fire_times"]

    def test_bounds_that_do_not_exist_or_come_twice_are_refused(self):
        for option in ("--from", "--until", "--start", "--end"):
            for text, choices in (("2027-03-28 02:30", ("2027-03-28T03:30:00+02:00", "2027-03-28T01:30:00+01:00")),
                                  ("2027-10-31 02:30", ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"))):
                _, err = self.next("--cron", "0 0 * * *", option, text, *BERLIN, status=2)
                self.assertIn(f"{option}: time '{text}'", err)
                for choice in choices:
                    self.assertIn(choice, err)
        self.assertEqual(self.times("--cron", "0 * * * *", "--from", "2027-10-31T02:30:00+01:00", "-n", "1", *BERLIN),
                         ["2027-10-31T03:00:00+01:00"])

    def test_batches_follow_the_rules_of_daylight_saving(self):
        file = self.d.dir / "batch"
        file.write_text('{"trigger":{"cron":"*/30 * * * *","timezone":"Europe/Berlin"},"from":"2027-03-28 02:30","n":1}\n')
        self.assertEqual(json.loads(self.next("--batch", str(file))[0])["fire_times"], ["2027-03-28T03:30:00+02:00"])

    def test_a_batch_answers_each_line_before_the_next_is_written(self):
        with subprocess.Popen([e2e.SCHEDCTL, "next", "--batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=self.d.environment()) as child:
            for line, part in (('{"trigger": {"cron": "0 5 * * *"}, "from": "2027-01-01", "n": 1}', "2027-01-01T05:00:00"), ("{", "error"), ("", "error")):
                child.stdin.write(line + "\n")
                child.stdin.flush()
                self.assertTrue(select.select([child.stdout], [], [], 20 * e2e.patience())[0], "no answer came")
                self.assertIn(part, child.stdout.readline())
            child.stdin.close()
            self.assertEqual(child.wait(20), 0)

    def test_words_hash_the_same_id_as_the_times(self):
        for job in ("foo", "bar", "backup"):
            time = self.times("--cron", "H H * * *", "--id", job, "--tz", "UTC", "-n", "1")[0]
            self.assertIn(f"At {time[11:16]} every day", self.next("--cron", "H H * * *", "--id", job, "--tz", "UTC")[1])

    def test_what_is_over_can_be_previewed(self):
        self.assertIn("--allow-past", self.next("--at", "2020-01-05Z", status=2)[1])
        self.assertEqual(self.times("--at", "2020-01-05Z", "--from", "2020-01-01Z", "--tz", "UTC"), ["2020-01-05T00:00:00+00:00"])
        self.assertEqual(self.times("--at", "2020-01-05Z", "--from", "2020-01-06Z", "--tz", "UTC"), [])

    def test_no_run_times_leave_standard_output_empty(self):
        out, err = self.next("--cron", "0 0 30 2 *", "--tz", "UTC")
        self.assertEqual(out, "")
        self.assertIn("no run times", err)
        self.assertEqual(self.times("--cron", "0 0 30 2 *"), [])


class OfJobs(e2e.TestCase):
    """schedctl next JOB."""

    def setUp(self):
        self.d = self.daemon()

    def times(self, *argv):
        return json.loads(self.ok("next", *argv, "--json"))["fire_times"]

    def ok(self, *argv):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, 0, f"{argv}: {err}")
        return out

    def test_the_next_run_is_the_one_that_show_tells(self):
        for i in range(20):
            job = f"j{i}"
            self.ok("add", "--id", job, "--cron", "0 0 1 1 *", "--tz", "UTC", "--jitter", "30d",
                      "--end", "2030-01-20T00:00:00Z", "--", "true")
            planned = json.loads(self.ok("show", job, "--json"))["next_run_time"]
            times = self.times(job, "-n", "3")
            self.assertEqual(seconds(times[0]), seconds(planned), "next and show differ")
            year = times[0][:4]
            start = seconds(f"{year}-01-01T00:00:00+00:00")
            self.assertTrue(start <= seconds(times[0]) <= start + 30 * 86400, f"{times[0]} is early, or too late")
            self.assertEqual(times[1][4:], "-01-01T00:00:00+00:00")
        self.ok("add", "--id", "last", "--at", "2030-01-20T00:00:00Z", "--end", "2030-01-20T00:00:00Z",
                  "--jitter", "30d", "--splay", "30d", "--", "true")
        self.assertEqual(seconds(self.times("last")[0]), seconds("2030-01-20T00:00:00+00:00"))

    def test_no_more_times_than_runs_are_left(self):
        self.ok("add", "--id", "twice", "--every", "1h", "--max-runs", "2", "--", "true")
        self.assertEqual(len(self.times("twice", "-n", "5")), 2)

    def test_a_long_search_keeps_nobody_waiting(self):
        pairs = [{"all": [{"cron": f"{i % 60} {i // 60 * 5} * * *"}, {"cron": f"{i % 60} */5 * * {i % 7}"}]} for i in range(200)]
        request = {"trigger": {"any": pairs, "timezone": "UTC"}, "n": 10000}
        asker, other = self.d.client(), self.d.client()
        asked = asker.send("trigger.next", **request)
        longest, turns = 0, 0
        deadline = time.monotonic() + 120
        asker.socket.setblocking(False)
        while asked not in asker.answers:
            self.assertLess(time.monotonic(), deadline, "the search does not end")
            before = time.monotonic()
            other.call("server.ping")
            longest = max(longest, time.monotonic() - before)
            turns += 1
            with contextlib.suppress(BlockingIOError):
                asker._read()
        error, result = asker.answers.pop(asked)
        if error is None:
            self.assertEqual(len(result["fire_times"]), 10000)
        else:
            self.assertIn("ask for fewer", error[1] if isinstance(error, list) else error["message"])
        self.assertGreater(turns, 3, "nobody else was answered meanwhile")
        self.assertLess(longest, 2, "another client had to wait")


class Typed(e2e.TestCase):
    """Every time that is typed."""

    def test_no_verb_takes_a_time_that_comes_twice(self):
        self.addCleanup(os.environ.pop, "TZ", None)
        d = self.daemon(config="timezone: Europe/Berlin\n")
        d.ctl("add", "--id", "a", "--every", "1h", "--", "/bin/true")
        os.environ["TZ"] = "Europe/Berlin"
        twice = "2027-10-31 02:30"
        for argv in (("history", "--since", twice), ("history", "--until", twice), ("stats", "--since", twice), ("why", "a", "--at", twice),
                     ("simulate", "--from", twice, "--until", "2027-11-01"), ("pause", "a", "--until", twice), ("next", "--all", "--from", twice),
                     ("next", "a", "--until", twice), ("modify", "a", "--next", twice), ("reschedule", "a", "--at", twice),
                     ("add", "--every", "1h", "--start", twice, "--", "true"), ("add", "--cron", "* * * * *", "--end", twice, "--", "true")):
            code, _, err = d.ctl(*argv)
            self.assertEqual(code, 2, (argv, err))
            self.assertIn("write 2027-10-31T02:30:00+02:00 or 2027-10-31T02:30:00+01:00", err, argv)


class DaemonsZone(e2e.TestCase):
    """Where no zone is named, times are the daemon's, wherever the caller is."""

    def setUp(self):
        self.addCleanup(os.environ.pop, "TZ", None)
        self.d = self.daemon(config="timezone: Asia/Tokyo\n", start=False).start(TZ="UTC")
        os.environ["TZ"] = "America/New_York"

    def ctl(self, *argv, status=0):
        code, out, err = self.d.ctl(*argv)
        self.assertEqual(code, status, f"schedctl {argv}: {err}")
        return out if status == 0 else err

    def trigger(self, job):
        return json.loads(self.ctl("show", job, "--json"))["trigger"]

    def test_typed_times_are_the_daemons(self):
        self.ctl("add", "--id", "once", "--at", "2090-01-01 9:30", "--", "/bin/true")
        self.assertEqual(self.trigger("once"), {"type": "date", "run_at": "2090-01-01T09:30:00+09:00", "timezone": "Asia/Tokyo"})
        self.ctl("add", "--id", "often", "--every", "1h", "--start", "2090-01-01 9:30", "--end", "2090-01-02", "--", "/bin/true")
        self.assertEqual(self.trigger("often")["start"], "2090-01-01T09:30:00+09:00")
        self.assertEqual(self.trigger("often")["end"], "2090-01-02T00:00:00+09:00")
        self.ctl("reschedule", "once", "--at", "2090-01-01 9:30 Europe/Berlin")
        self.assertEqual(self.trigger("once")["run_at"], "2090-01-01T17:30:00+09:00")
        self.ctl("reschedule", "once", "--at", "2090-01-01 9:30", "--tz", "Europe/Berlin")
        self.assertEqual(self.trigger("once")["run_at"], "2090-01-01T09:30:00+01:00")
        self.ctl("modify", "often", "--next", "2090-03-01 12:00")
        self.assertEqual(json.loads(self.ctl("show", "often", "--json", "--utc"))["next_run_time"], "2090-03-01T03:00:00+00:00")

    def test_bounds_of_a_job_are_in_its_triggers_zone(self):
        self.ctl("add", "--id", "nightly", "--cron", "30 2 * * *", *BERLIN, "--", "/bin/true")
        answer = json.loads(self.ctl("next", "nightly", "--from", "2027-03-27 02:30", "-n", "2", "--json"))
        self.assertEqual(answer["fire_times"], ["2027-03-27T02:30:00+01:00", "2027-03-28T03:30:00+02:00"])
        self.assertEqual(answer["notes"], [{"fire_time": "2027-03-28T03:30:00+02:00", "note": "moved"}])
        self.assertIn("moved to after the gap", self.ctl("next", "nightly", "--from", "2027-03-27 02:30", "-n", "2"))
        self.assertIn("2027-03-28T01:30:00+01:00", self.ctl("next", "nightly", "--from", "2027-03-28 02:30", status=2))
        self.assertIn("--until: time", self.ctl("next", "nightly", "--until", "2027-10-31 02:30", status=2))


class Agenda(e2e.TestCase):
    def test_nothing_may_be_due_until_then(self):
        d = self.daemon()
        d.client().call("job.add", id="later", command=["/bin/true"], trigger={"at": "2099-01-01T00:00:00Z"})
        for form in (("-o", "name"), ("--json",), ()):
            code, out, err = d.ctl("next", "--all", "--until", "in 1 hour", *form)
            self.assertEqual((code, err), (0, "Nothing is planned until then.\n"))
            self.assertNotIn("later", out)

    def test_hashed_times_are_those_of_the_job(self):
        d = self.daemon()
        for job in ("a", "b", "backup"):
            for kind, flags in (("h", ("--cron", "H H * * *")), ("s", ("--cron", "0 0 * * *", "--splay", "12h"))):
                code, _, err = d.ctl("add", "--id", f"{job}-{kind}", *flags, "--tz", "UTC", "--", "/bin/true")
                self.assertEqual(code, 0, err)
        code, out, err = d.ctl("next", "--all", "--until", "in 72 hours", "--utc", "-o", "tsv", "--no-headers")
        self.assertEqual(code, 0, err)
        clocks = {}
        for time, job, _ in (line.split("\t") for line in out.splitlines()):
            clocks.setdefault(job, []).append(time[11:])
        self.assertEqual(len(clocks), 6)
        for job, times in clocks.items():
            self.assertGreaterEqual(len(times), 3)
            self.assertEqual(len(set(times)), 1, f"{job}: {times}")

    def test_a_job_has_no_more_runs_than_max_runs(self):
        d = self.daemon()
        d.ctl("add", "--id", "few", "--every", "1h", "--start", "2090-01-01Z", "--max-runs", "3", "--", "/bin/true")
        for start, count in (("2089-12-31Z", 3), ("2090-01-01T00:30Z", 2), ("2090-01-01T05:00Z", 0)):
            out = d.ctl("next", "--all", "--from", start, "-o", "tsv", "--no-headers")[1]
            self.assertEqual(len(out.splitlines()), count, start)

    def test_a_preview_splays_as_the_daemon(self):
        d = self.daemon()
        flags = ("--cron", "0 0 * * *", "--splay", "12h", "--tz", "UTC")
        d.ctl("add", "--id", "spread", *flags, "--", "/bin/true")
        fires = [json.loads(d.ctl("next", *argv, "-n", "1", "--json")[1])["fire_times"]
                 for argv in (("spread",), ("--id", "spread", *flags))]
        self.assertEqual(*fires)


if __name__ == "__main__":
    unittest.main()
