# SPDX-License-Identifier: MIT
"""Job files on the real binaries: what is refused and how it is told, what comes back unchanged, and what an editor's schema says."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest

import e2e

try:
    import jsonschema
    import yaml
except ImportError:
    raise SystemExit("python3-jsonschema or python3-yaml is not installed: sh server/install-packages.sh test")

SOURCE = pathlib.Path(os.environ["SCHEDD_SOURCE"])
EVERY_FIELD = SOURCE / "tests/data/jobfile/every_field.yaml"
MODULES = os.environ["SCHEDD_BINARY_DIR"] + "/modules"
SCHEMA = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"]) / "cmd/schedd-jobs.schema.json"
JOB = "jobs:\n  a:\n    command: [/bin/true]\n    trigger: {every: 1h}\n"
# What is wrong, and how the complaint begins.
REFUSED = {
    "anchor": ("version: 1\njobs:\n  a: &x\n    shell: x\n", "3:6: anchors"),
    "alias": ("version: 1\njobs:\n  a: *x\n", "3:6: '*' begins an alias"),
    "merge": ("version: 1\njobs:\n  a:\n    <<: {shell: x}\n", "4:5: merge keys"),
    "tag": ("version: 1\njobs:\n  a: {shell: !!str x}\n", "3:14: tags"),
    "doubled id": ("version: 1\n" + JOB + "  a: {shell: x}\n", "6:3: 'a' is here twice, first in line 3"),
    "doubled field": ("version: 1\n" + JOB + "    command: [x]\n", "6:5: 'command' is here twice, first in line 4"),
    "tab": ("version: 1\njobs:\n\ta:\n\t\tshell: x\n", "3:1: a tab cannot indent"),
    "no version": (JOB, " version is missing"),
    "version 2": ("version: 2\n" + JOB, "1:10: version: this program reads version 1"),
    "two documents": ("version: 1\n" + JOB + "---\nversion: 1\n", "6:1: a second document"),
    "nested lists": ("version: 1\njobs: " + "[" * 100000, "2:38: maps and lists are nested too deep"),
    "nested maps": ("version: 1\njobs: " + "{a: " * 100000, "2:131: maps and lists are nested too deep"),
    "NUL": (b"version: 1\njobs: {\0}\n", "2:8: a NUL byte: it is binary, not text"),
    "escaped NUL": ('version: 1\njobs:\n  a: {command: ["a\\0b"]}\n', "3:16: jobs.a.command: item 1: a NUL cannot stand in it"),
    "not UTF-8": (b"version: 1\njobs:\n  a: {name: caf\xe9, shell: x}\n", "3:17: not UTF-8"),
    "UTF-16": (("version: 1\n" + JOB).encode("utf-16"), "1:1: it is in UTF-16"),
    "a program": (pathlib.Path("/bin/true").read_bytes(), "1:8: a NUL byte: it is binary, not text"),
    "nothing": ("", " the file is empty"),
    "a comment": ("# only\n", " the file is empty"),
    "a list": ("- a\n", "1:1: a list is no job file"),
    "a list of jobs": ("version: 1\njobs:\n- id: a\n", "3:1: jobs: a list is not a map from id"),
    "unknown field": ("version: 1\njobs:\n  a:\n    comand: [x]\n", "4:5: jobs.a: 'comand' is no field of a job, did you mean 'command'?"),
    "yes is no truth": ("version: 1\njobs:\n  a: {shell: x, keep: yes}\n", "3:23: jobs.a.keep: 'yes' is neither true nor false"),
    "doubled in JSON": ('{"version": 1,\n "jobs": {"a": {"shell": "x",\n "shell": "y"}}}', "3:8: invalid JSON: duplicate object key"),
    "no JSON": ('{"version": 1,\n "jobs": {"a": }}', "2:16: invalid JSON"),
    "nested JSON": ('{"version": 1, "jobs": ' + "[" * 100000, "1:87: invalid JSON: nested deeper than 64"),
}
# What the schema refuses without knowing more than shapes and types.
BAD_SHAPES = [
    {"jobs": {}}, {"version": 2, "jobs": {}}, {"version": 1}, {"version": 1, "jobs": []}, {"version": 1, "jobs": {}, "more": 1},
    {"version": 1, "jobs": {"a b": {"shell": "x"}}},
    *({"version": 1, "jobs": {"a": {"shell": "x", **fields}}} for fields in (
        {"comand": ["x"]}, {"timeout": []}, {"keep": "yes"}, {"overlap": "skipp"}, {"max_instances": 0}, {"nice": 20}, {"command": "x"},
        {"retry": {"limt": 3}}, {"trigger": {"evry": "1h"}}, {"trigger": {"any": {"every": "1h"}}}, {"after": 5}, {"revision": 3})),
]


class JobFiles(e2e.TestCase):
    def setUp(self):
        self.d = self.daemon(start=False)
        self.file = self.d.dir / "jobs.yaml"

    def ctl(self, *argv, status=0, stdin=None):
        """Standard output and error; the status has to be this one."""
        done = subprocess.run([e2e.SCHEDCTL, *argv], env=self.d.environment(), cwd=self.d.dir, input=stdin, timeout=120, capture_output=True,
                              text=True, check=False, **({"stdin": subprocess.DEVNULL} if stdin is None else {}))
        self.assertEqual(done.returncode, status, f"schedctl {argv}: {done.stderr}")
        return done.stdout, done.stderr

    def actions(self, *argv, **options):
        return {row["id"]: row["action"] for row in json.loads(self.ctl(*argv, "--json", **options)[0])}

    def test_a_reason_alone_takes_the_place_of_the_old_one(self):
        call = self.d.start().client().call
        job = {"id": "held", "command": ["/bin/true"], "trigger": {"manual": True}}
        call("job.add", paused=True, paused_reason="old", **job)
        self.assertEqual(call("job.apply", jobs=[{**job, "paused_reason": "new"}])[0]["fields"], ["paused_reason"])
        got = call("job.get", id="held")
        self.assertEqual((got["paused"], got["paused_reason"]), (True, "new"))
        self.assertEqual(call("job.apply", jobs=[{**job, "paused_reason": "new"}])[0]["action"], "unchanged")
        self.assertEqual(call("job.apply", jobs=[job])[0]["action"], "unchanged")
        self.assertEqual(call("job.get", id="held")["paused_reason"], "new")

    def test_quiet_says_nothing_that_nobody_asked_for(self):
        self.d.start()
        self.file.write_text("version: 1\n" + JOB)
        timer = self.d.dir / "b.crontab"
        timer.write_text("5 4 * * * /bin/true\n")
        for verb in (["apply", "-f", "jobs.yaml"], ["import", "crontab", str(timer)]):
            self.assertNotEqual(self.ctl(*verb, "--dry-run"), ("", ""))
            self.assertEqual(self.ctl(*verb, "--dry-run", "-q"), ("", ""))
            # A form that was asked for is shown.
            for form in (["--json"], ["-o", "name"], ["-o", "tsv"], ["--columns", "id"]):
                out, err = self.ctl(*verb, "--dry-run", "-q", *form)
                self.assertTrue(out and not err, (verb, form, out, err))
        # What a verb is asked for is no report of it.
        self.ctl("apply", "-q", "-f", "jobs.yaml")
        for verb in (["list", "-q"], ["show", "a", "-q"], ["export", "-q"], ["run", "a", "-q"]):
            out, err = self.ctl(*verb)
            self.assertTrue(out and not err, (verb, out, err))
        for verb in (["pause", "a"], ["resume", "a"], ["modify", "a", "--name", "n"], ["rm", "-y", "a"]):
            self.assertEqual(self.ctl(*verb, "-q"), ("", ""), verb)

    def test_a_pause_that_is_said_is_applied_alone_too(self):
        call = self.d.start().client().call
        job = {"id": "held", "command": ["/bin/true"], "trigger": {"every": "1h"}}
        for said, before, fields, after in (
                ({"paused": True}, False, ["paused"], True), ({"paused": True}, True, [], True), ({"paused": False}, True, ["paused"], False),
                ({"next_run_time": None}, False, ["next_run_time"], True), ({}, True, [], True), ({}, False, [], False),
                ({"paused_until": "2099-01-01"}, False, ["paused_until"], True), ({"paused_until": "2020-01-01"}, False, [], False),
                ({"next_run_time": "2099-01-01"}, False, [], False)):
            with self.subTest(said=said, before=before):
                call("job.add", replace=True, paused=before, **job)
                for expect in (fields, []):
                    row = call("job.apply", jobs=[{**job, **said}])[0]
                    self.assertEqual((row["action"], row["fields"]), ("changed" if expect else "unchanged", expect))
                self.assertEqual(call("job.get", id="held")["paused"], after)
        self.file.write_text("version: 1\njobs:\n  held: {command: [/bin/true], trigger: {every: 1h}, paused: true}\n")
        self.assertIn("- paused: no\n  + paused: yes", self.ctl("diff", "-f", "jobs.yaml", status=1)[0])

    def test_every_fault_has_its_place(self):
        for name, (text, complaint) in REFUSED.items():
            with self.subTest(name):
                self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
                out, err = self.ctl("check", "jobs.yaml", status=7)
                self.assertEqual(out, "")
                self.assertTrue(err.startswith(f"jobs.yaml:{complaint}"), err)
                error = json.loads(self.ctl("check", "jobs.yaml", "--json", status=7)[1])["error"]
                self.assertEqual((error["code"], error["exit"]), ("invalid_file", 7))

    def test_every_field_is_taken(self):
        self.assertIn("6 jobs in 1 file", self.ctl("check", str(EVERY_FIELD))[1])

    def test_what_editors_leave_is_taken(self):
        plain = "version: 1\n" + JOB
        for text in (plain, "\ufeff" + plain, plain.replace("\n", "\r\n"), plain.rstrip("\n"), f"---\n{plain}...\n"):
            self.file.write_text(text, newline="")
            self.assertIn("1 job in 1 file", self.ctl("check", "jobs.yaml")[1])

    def test_files_of_all_kinds(self):
        self.assertIn("nosuch.yaml: No such file", self.ctl("check", "nosuch.yaml", status=7)[1])
        self.assertIn("is empty", self.ctl("check", "/dev/null", status=7)[1])
        self.assertIn("larger than 64 MiB", self.ctl("check", "/dev/zero", status=7)[1])
        with open(self.file, "wb") as file:
            file.truncate(100 << 20)
        self.assertIn("larger than 64 MiB", self.ctl("check", "jobs.yaml", status=7)[1])
        self.file.write_text("version: 1\n" + JOB)
        self.assertIn("1 job in 1 file", self.ctl("check", "-", stdin=self.file.read_text())[1])
        folder = self.d.dir / "jobs.d"
        folder.mkdir()
        self.assertIn("no job file in there", self.ctl("check", "jobs.d")[1])
        for name in ("a.yaml", "b.yml", "c.json", ".hidden.yaml", "d.yaml~", "readme.txt"):
            (folder / name).write_text(json.dumps({"version": 1, "jobs": {name[0]: {"shell": "x"}}}) if name[1] == "." else "junk")
        self.assertIn("3 jobs in 3 files", self.ctl("check", "jobs.d")[1])
        (folder / "link.yaml").symlink_to("gone")
        self.assertIn("link.yaml: No such file", self.ctl("check", "jobs.d", status=7)[1])
        os.mkfifo(self.d.dir / "pipe")
        writer = threading.Thread(target=lambda: (self.d.dir / "pipe").write_text("version: 1\n" + JOB))
        writer.start()
        self.assertIn("1 job in 1 file", self.ctl("check", "pipe")[1])
        writer.join()

    def test_a_silent_pipe_hangs_nobody_else(self):
        self.d.start()
        waiting = subprocess.Popen([e2e.SCHEDCTL, "apply", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.d.environment())
        try:
            self.file.write_text("version: 1\n" + JOB)
            self.assertEqual(self.actions("apply", "-f", "jobs.yaml"), {"a": "added"})
            self.assertIsNone(waiting.poll())
            out, _ = waiting.communicate(b"version: 1\njobs: {b: {shell: x, trigger: {every: 1h}}}\n", timeout=60)
            self.assertEqual((waiting.returncode, out), (0, b"added  b  \n"))
        finally:
            waiting.kill()
            waiting.wait()
            waiting.stdout.close()

    def test_a_million_errors_stop_at_twenty(self):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("version: 1\njobs:\n")
            file.writelines(f"  j{i}: {{comand: x}}\n" for i in range(1000000))
        err = self.ctl("check", "jobs.yaml", status=7)[1]
        self.assertEqual(len(err.splitlines()), 20)
        self.assertTrue(err.splitlines()[19].startswith("jobs.yaml:22:9: jobs.j19: "))

    def test_every_field_comes_back_unchanged(self):
        self.d.start(SCHEDD_MODULE_DIR=MODULES)
        # There is no plug-in to call.
        lines = [line for line in EVERY_FIELD.read_text().splitlines() if "call:" not in line]
        self.file.write_text("\n".join(lines))
        first = self.actions("apply", "-f", "jobs.yaml")
        self.assertEqual(set(first.values()), {"added"})
        before = self.ctl("list", "--json")[0]
        self.assertEqual(set(self.actions("apply", "-f", "jobs.yaml").values()), {"unchanged"})
        for form in ("yaml", "json"):
            text = self.ctl("export", "--as", form)[0]
            self.ctl("diff", "-f", "-", stdin=text)
            self.assertEqual(self.actions("apply", "-f", "-", stdin=text), {job: "unchanged" for job in first})
            # Another daemon makes the same of it.
            other = self.daemon(start=False).start(SCHEDD_MODULE_DIR=MODULES)
            (other.dir / "in").write_text(text)
            self.assertEqual(other.ctl("apply", "-f", str(other.dir / "in"))[0], 0)
            self.assertEqual(other.ctl("export", "--as", form)[1], text)
        self.assertEqual(self.ctl("list", "--json")[0], before)

    def test_finished_jobs_that_are_kept_stay_finished(self):
        self.d.start()
        self.ctl("add", "--id", "once", "--in", "0s", "--keep", "--", "true")
        self.ctl("wait", "once", "--for", "success")
        e2e.wait_until("it is finished", lambda: self.ctl("show", "once", "--field", "state")[0] == "finished\n")
        text = self.ctl("export")[0]
        self.assertEqual(self.actions("apply", "-f", "-", stdin=text), {"once": "unchanged"})
        self.assertEqual(self.actions("apply", "-f", "-", stdin=text.replace("keep: true", "keep: true\n    nice: 1")), {"once": "changed"})
        self.ctl("set", "once", "--name", "done")
        self.assertEqual(self.ctl("show", "once", "--field", "state")[0], "finished\n")
        self.assertEqual(self.ctl("show", "once", "--field", "run_count")[0], "1\n")
        self.ctl("apply", "-f", "-", stdin=text.replace("    keep: true\n", ""))
        e2e.wait_until("what is not kept goes", lambda: self.ctl("ls", "-o", "name")[0] == "")

    def test_what_only_the_daemon_can_refuse_has_its_place_too(self):
        self.d.start()
        self.file.write_text("version: 1\n" + JOB + "  never: {shell: x, trigger: {cron: '0 0 30 2 *'}}\n")
        self.ctl("check", "jobs.yaml")
        self.assertIn("jobs.yaml:6: job never: ", self.ctl("apply", "-f", "jobs.yaml", status=7)[1])
        self.file.write_text("version: 1\n" + JOB + "    store: nosuch\n")
        self.assertIn("jobs.yaml:3: job a: store 'nosuch': no such store", self.ctl("apply", "-f", "jobs.yaml", status=4)[1])
        self.assertEqual(self.ctl("ls", "-o", "name")[0], "")

    def test_running_jobs_go_on_and_unchanged_ones_keep_their_time(self):
        self.d.start()
        self.file.write_text("version: 1\njobs:\n  busy: {command: [sleep, '60'], trigger: {type: manual}}\n  calm: {shell: x, trigger: {every: 1h}}\n")
        self.ctl("apply", "-f", "jobs.yaml")
        self.ctl("run", "busy")
        self.ctl("wait", "busy", "--for", "running")
        due = self.ctl("show", "calm", "--field", "next_run_time")[0]
        self.file.write_text(self.file.read_text().replace("'60'", "'61'"))
        self.assertEqual(self.actions("apply", "-f", "jobs.yaml"), {"busy": "changed", "calm": "unchanged"})
        self.assertEqual(self.ctl("show", "busy", "--field", "running")[0], "1\n")
        self.assertEqual(self.ctl("show", "calm", "--field", "next_run_time")[0], due)
        self.ctl("kill", "busy")

    def test_diff_of_many_jobs(self):
        self.d.start()
        jobs = {f"j{i}": {"command": ["true", str(i)], "trigger": {"cron": "0 0 1 1 *"}} for i in range(5000)}
        self.file.write_text(json.dumps({"version": 1, "jobs": jobs}))
        self.ctl("apply", "-qf", "jobs.yaml")
        self.file.write_text(self.file.read_text().replace('"true"', '"false"'))
        out, _ = self.ctl("diff", "-f", "jobs.yaml", status=1)
        self.assertEqual(len(out.splitlines()), 3 * 5000)
        self.assertEqual(out.splitlines()[:3], ["changed j0", "  - command: true 0", "  + command: false 0"])


class ConfigJobs(e2e.TestCase):
    """Jobs that the config names."""

    def setUp(self):
        self.d = self.daemon(start=False, config="jobs: [jobs.d, one.yaml]\n")
        (self.d.dir / "jobs.d").mkdir()
        self.write("jobs.d/a.yaml", a={"every": "1h"}, b={"every": "1h"})
        self.write("one.yaml", c={"type": "manual"})

    def write(self, name, **triggers):
        (self.d.dir / name).write_text(json.dumps({"version": 1, "owner": "else", "jobs": {
            job: {"command": ["true"], "trigger": trigger} for job, trigger in triggers.items()}}))

    def jobs(self):
        return {job["id"]: job["owner"] for job in json.loads(self.d.ctl("list", "--json")[1])}

    def test_they_are_there_when_the_first_client_is(self):
        self.d.start(wait=False)
        self.assertEqual(self.d.ctl("ping", "--wait-ready", "30s")[0], 0)
        self.assertEqual(self.jobs(), {job: "schedd.yaml" for job in "abc"})
        self.assertIn("3 added, 0 changed, 0 removed", self.d.log.read_text())

    def test_a_reload_and_a_start_apply_what_has_changed(self):
        client = self.d.start().client()
        client.call("job.add", id="mine", shell="true", trigger={"every": "1h"})
        due = client.call("job.get", id="a")["next_run_time"]
        self.assertEqual(client.call("server.reload"), {"changed": [], "restart": [], "exec": False})
        self.write("jobs.d/a.yaml", a={"every": "1h"}, d={"every": "1h"})
        self.assertEqual(client.call("server.reload")["changed"], ["jobs"])
        self.assertEqual(sorted(self.jobs()), ["a", "c", "d", "mine"])
        self.assertEqual(client.call("job.get", id="a")["next_run_time"], due)
        (self.d.dir / "one.yaml").write_text("version: 1\njobs: {c: {shell: x, keep: yes}}\n")
        self.assertIn("one.yaml:2:", self.refused("invalid_file", client.call, "server.reload"))
        self.assertEqual(sorted(self.jobs()), ["a", "c", "d", "mine"])
        self.d.stop()
        status, text = self.d.run()
        self.assertEqual(status, 7, text)
        self.assertIn("one.yaml:2:", text)
        self.assertEqual(self.d.run("--check-config")[0], 7)
        self.d.config.write_text("jobs: jobs.d\n")
        self.assertIn("2 files read", self.d.run("--check-config")[1])
        self.d.start()
        self.assertEqual(sorted(self.jobs()), ["a", "d", "mine"])
        self.d.config.write_text("")
        self.d.process.send_signal(signal.SIGHUP)
        e2e.wait_until("the config's jobs are gone", lambda: sorted(self.jobs()) == ["mine"])

    def test_those_of_conf_d_add_up(self):
        (self.d.dir / "conf.d").mkdir()
        self.write("more.yaml", more={"every": "1h"})
        (self.d.dir / "conf.d/more.yaml").write_text("jobs: [../more.yaml]\n")
        self.d.start()
        self.assertEqual(sorted(self.jobs()), ["a", "b", "c", "more"])

    def test_a_time_that_is_over_does_not_keep_schedd_from_starting(self):
        self.write("one.yaml", c={"at": "2020-01-01"}, d={"every": "1h"})
        self.d.start()
        self.assertEqual(sorted(self.jobs()), ["a", "b", "d"])
        self.assertIn("job c of the config is left out: ", self.d.log.read_text())

    def test_a_file_that_is_missing(self):
        (self.d.dir / "one.yaml").unlink()
        status, text = self.d.run()
        self.assertEqual(status, 7)
        self.assertIn("one.yaml: No such file", text)


class PlainTexts(yaml.SafeLoader):
    """'on' is a key like others: YAML 1.1 takes it for a truth."""


PlainTexts.yaml_implicit_resolvers = {letter: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:bool" or letter in "tf"]
                                      for letter, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Schema(unittest.TestCase):
    def setUp(self):
        self.validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.validator.schema)

    def test_it_takes_what_is_right(self):
        document = yaml.load(EVERY_FIELD.read_text(), PlainTexts)
        self.assertEqual([e.message for e in self.validator.iter_errors(document)], [])

    def test_it_refuses_what_is_wrong(self):
        for document in BAD_SHAPES:
            self.assertFalse(self.validator.is_valid(document), document)


if __name__ == "__main__":
    unittest.main()
