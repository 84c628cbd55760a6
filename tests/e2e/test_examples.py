# SPDX-License-Identifier: MIT
"""Every example of the README and of the manual pages is run as it is printed; those that cannot be are named with the reason."""
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import e2e

SOURCE = pathlib.Path(os.environ["SCHEDD_SOURCE"])
BINARY = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"])
DATA = SOURCE / "tests/data"
PAGES = ["cmd/man/schedctl.1", "cmd/man/schedd-jobs.5", "cmd/man/schedd-protocol.7", "cmd/man/schedd-time.7", "server/man/schedd.8", "server/man/schedd.yaml.5"]
COMMAND = r"(?:schedctl|schedd|generate-jobs|crontab -|id=\$\(|cc |sudo |export |sh |cmake |systemctl |echo )"

# What is not run, and why.
NOT_RUN = {
    "#schedd: timeout=1h retry=2": "a line of a table", "30 2 * * *  root  /usr/local/sbin/backup": "a line of a table",
    'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8630/api/v1/jobs': "test_http asks the same",
    "schedctl top": "full screen: test_top",
    "schedctl top --node web2": "full screen: test_cluster_views",
    "schedctl --url https://backup.example.org:8630 --token-file ~/.schedd-token list": "test_url speaks to one that is there",
    "sh server/quickstart.sh": "a test of its own",
    "sh tests/run.sh": "it runs all tests, this one too",
    "sh server/install-packages.sh build": "it installs packages",
    "cmake --preset release": "it configures this very build",
    "cmake --build --preset release": "it makes this very build",
    "sudo cmake --install build/release": "test_install does it elsewhere",
    "cmake --preset package && cmake --build --preset package && cpack --preset package": "it makes packages of a build of its own",
    "sudo apt install ./build/package/schedd_*.deb": "it installs packages",
    "sudo systemctl enable --now schedd": "needs systemd as the system's init",
    "systemctl --user enable --now schedd": "needs a user's systemd",
}
# Exit statuses that are no failure of the example.
STATUS = {
    "schedctl diff -f jobs.yaml": 1,
    "schedctl diff -f jobs.yaml && echo nothing to do": 1,
    "schedctl import systemd /etc/systemd/system/*.timer": 1,  # some of these timers start no service
    "schedctl import json jobs.json": 1,  # one of these jobs is pickled
    "schedctl import apscheduler redis://localhost/2 --jobs-key app.jobs --paused": 1,  # there is no such server here
    "schedctl stores check postgresql://schedd@db1/ops --option password_file=/etc/schedd/pw": 2,  # nor such a file
    "schedctl stores add shared postgresql://schedd@db1/ops --option password_file=/etc/schedd/pw": 2,  # nor such a file
    # No store is shared here: test_cluster has nodes.
    **{f"schedctl nodes {act}": 5 for act in ("drain web2", "resume web2", "forget web3", "drain web1")},
}
# The machine's places, as the test has them.
PLACES = {"/var/lib/node_exporter/": "./", "/var/backups/": "{dir}/", "/etc/schedd/schedd.yaml": "schedd.yaml", "/etc/cron.d/*": "cron.d/* --system",
          "/etc/systemd/system/": "timers/", "--in 10m --wait": "--in 0s --wait", "/usr/local/bin/": "{dir}/bin/"}
JOBS = """version: 1
owner: web
jobs:
  backup: {shell: '[ ! -e {dir}/long ] || exec sleep 300; echo saved', trigger: {cron: '30 2 * * *'}, tags: {kind: report}, timeout: 1h, max_instances: 100}
  db-main: {command: ['true'], trigger: {every: 1h}, tags: [db, old]}
  tmp-1: {command: ['true'], trigger: {type: manual}, group: io}
  check-db: {command: ['true'], trigger: {type: manual}}
  import: {command: [sleep, '0.1'], trigger: {type: manual}}
"""
# What has to be done before the examples of a verb.
BEFORE = {
    "add": "schedctl rm -qy backup",
    "restore": "schedctl backup -q schedd.jsonl --store memory --logical",
    "rename": "schedctl rename backup bakcup -q",
    "resume": "schedctl pause --all -q",
    "kill": "schedctl set import -q -- sleep 300; schedctl run import -q >/dev/null; schedctl wait -q import --for running >/dev/null",
}
# Those that speak of backup/42.
WITH_RUNS = ("show", "retry", "logs", "history", "kill", "wait", "events")


def plain(text):
    """A line of a page as it is shown."""
    for roff, shown in (("\\-", "-"), ("\\(aq", "'"), ("\\(ti", "~"), ("\\(ha", "^"), ("\\&", ""), ("\\e", "\\"), ("\\(->", "->")):
        text = text.replace(roff, shown)
    return text


def blocks(page):
    """The lines between .nf and .fi."""
    for block in re.findall(r"^\.nf\n(.*?)^\.fi$", page.read_text(), re.M | re.S):
        yield [plain(line) for line in block.splitlines() if not line.startswith(".")]


def page_commands():
    """(verb, command) of all pages."""
    for name in PAGES:
        for block in blocks(BINARY / name):
            for line in block:
                if re.match(COMMAND, line):
                    verb = re.search(r"schedctl ([a-z]+)", line)
                    yield verb.group(1) if verb else "", line


def readme(heading=None):
    """The blocks of the README, or of one section."""
    text = (SOURCE / "README.md").read_text()
    if heading:
        text = text[text.index(f"## {heading}\n"):]
        text = text[:text.index("\n## ", 3)]
    return re.findall(r"^```\n(.*?)^```", text, re.M | re.S)


def readme_configs():
    """The README's sections of the config."""
    return [block for block in readme() if re.match(r"[a-z]+:", block)]


class Examples(e2e.TestCase):
    def world(self):
        """A daemon with the jobs that the examples speak of."""
        daemon = self.daemon(start=False)
        daemon.config.write_text("stop: {limit: 0s}\nexecutors: {python: {type: worker}}\n"
                                 f"http: {{listen: ['unix:{daemon.dir}/http.sock'], tokens: {daemon.dir}/tokens}}\n")
        daemon.start()
        bin_ = daemon.dir / "bin"
        bin_.mkdir()
        for name, path in (("schedctl", e2e.SCHEDCTL), ("schedd", e2e.SCHEDD)):
            (bin_ / name).symlink_to(path)
        for name in ("notify-send", "backup", "sync-mail"):
            (bin_ / name).symlink_to("/bin/true")
        self.script(bin_ / "generate-jobs", "cat jobs.yaml")
        self.script(bin_ / "jq", "cat")
        self.script(bin_ / "crontab", 'case $1 in -l) cat "$HOME/tab";; -r) rm "$HOME/tab";; -) cat >"$HOME/tab";; esac')
        (daemon.dir / "tab").write_text("MAILTO=root\n30 2 * * * /usr/bin/pg_dump shop >/backup/shop.sql\n*/5 * * * * /usr/bin/check-mail\n")
        for folder in (".zfunc", ".config/fish/completions", "jobs.d"):
            (daemon.dir / folder).mkdir(parents=True)
        (daemon.dir / "jobs.yaml").write_text(JOBS.replace("{dir}", str(daemon.dir)))
        (daemon.dir / "Makefile").write_text("test:\n\ttouch tested\n")
        (daemon.dir / "report.sh").write_text("echo report\n")
        store = sqlite3.connect(daemon.dir / "jobs.sqlite")
        store.execute("create table apscheduler_jobs (id varchar(191) primary key, next_run_time float, job_state blob not null)")
        store.close()
        (daemon.dir / "jobs.d/more.yaml").write_text("version: 1\njobs: {more: {command: ['true'], trigger: {every: 1h}}}\n")
        (daemon.dir / "jobs.json").write_bytes((DATA / "apscheduler/export.json").read_bytes())
        (daemon.dir / "timers").symlink_to(DATA / "systemd")
        (daemon.dir / "cron.d").mkdir()
        for path in DATA.glob("crontab/[a-z]*"):
            (daemon.dir / "cron.d" / path.name).symlink_to(path)
        self.assertEqual(daemon.ctl("apply", "-qf", str(daemon.dir / "jobs.yaml"))[0], 0)
        return daemon

    @staticmethod
    def script(path, line):
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def sh(self, daemon, command, seconds=60):
        """(exit status, output); what follows is interrupted once it has had its say."""
        env = {**daemon.environment(), "PATH": f"{daemon.dir}/bin:/usr/bin:/bin", "EDITOR": "true", "VISUAL": "", "HOME": str(daemon.dir)}
        process = subprocess.Popen(["/bin/bash", "-c", command], env=env, cwd=daemon.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        follows = re.search(r"events -f|logs -f --forever", command)
        try:
            out, _ = process.communicate(timeout=1 if follows else seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            out, _ = process.communicate(timeout=seconds)
            self.assertTrue(follows, f"{command} does not end: {out}")
            self.assertIn(process.returncode, (130, -signal.SIGINT), out)
            return 0, out
        return process.returncode, out

    def run_example(self, daemon, command):
        line = command
        for theirs, ours in PLACES.items():
            line = line.replace(theirs, ours.replace("{dir}", str(daemon.dir)))
        if command == "schedctl diff -f jobs.yaml" or command.startswith("schedctl diff -f jobs.yaml &&"):
            self.sh(daemon, "schedctl set db-main --timeout 9m -q")
        status, out = self.sh(daemon, line)
        self.assertEqual(status, STATUS.get(command, 0), f"{command}\n{out}")
        self.assertNotIn("runtime error", out)

    def prepare(self, daemon, verb):
        status, out = self.sh(daemon, BEFORE.get(verb, "true"))
        self.assertEqual(status, 0, out)
        if verb not in WITH_RUNS:
            return
        if verb == "kill":
            (daemon.dir / "long").touch()
        client = daemon.client()
        runs = [client.call("job.run", id="backup", force=True)["run"] for _ in range(42)]
        client.call("run.wait", run=runs[-1], **{"for": "running" if verb == "kill" else "done"}, timeout=60)
        client.close()

    def test_the_pages_have_their_examples(self):
        found = list(page_commands())
        overview = subprocess.run([e2e.SCHEDCTL, "help"], capture_output=True, text=True, check=True).stdout
        verbs = set(re.findall(r"^  ([a-z]+)(?:, [a-z]+)?  ", overview, re.M))
        self.assertGreaterEqual(len(verbs), 40)
        self.assertEqual(verbs - {verb for verb, _ in found}, set())

    def test_commands_of_the_pages(self):
        by_verb = {}
        for verb, command in page_commands():
            by_verb.setdefault({"runs": "history", "ls": "list", "set": "modify", "rm": "remove"}.get(verb, verb), []).append(command)
        for verb, commands in by_verb.items():
            with self.subTest(verb):
                daemon = None
                for command in commands:
                    if command in NOT_RUN:
                        continue
                    # Some leave nothing to work on for the next.
                    if daemon is None or verb in ("shutdown", "remove", "modify", "reschedule", "diff", "copy", "import", "reload"):
                        daemon = self.world()
                        self.prepare(daemon, verb)
                    self.run_example(daemon, command)

    def test_job_files_of_the_pages(self):
        daemon = self.daemon(start=False)
        whole = triggers = 0
        for block in blocks(BINARY / "cmd/man/schedd-jobs.5"):
            text = "\n".join(block)
            if text.startswith("version: 1"):
                (daemon.dir / "page.yaml").write_text(text)
                code, _, err = daemon.ctl("check", str(daemon.dir / "page.yaml"))
                self.assertEqual(code, 0, err)
                whole += 1
                continue
            for trigger in re.findall(r"\{(?:[^{}]|\{[^{}]*\})*\}", text):
                (daemon.dir / "page.yaml").write_text(f"version: 1\njobs: {{a: {{shell: x, trigger: {trigger.replace('...', '{every: 1h}')}}}}}\n")
                code, _, err = daemon.ctl("check", str(daemon.dir / "page.yaml"))
                self.assertEqual(code, 0, f"{trigger}: {err}")
                triggers += 1
        self.assertEqual(whole, 1)
        self.assertGreaterEqual(triggers, 12)

    def test_the_config_of_its_page(self):
        daemon = self.daemon(start=False)
        (daemon.dir / "jobs.d").mkdir()
        texts = ["\n".join(block) for block in blocks(BINARY / "server/man/schedd.yaml.5")]
        self.assertEqual(len(texts), 2)
        for text in texts:
            daemon.config.write_text(text)
            self.assertEqual(daemon.run("--check-config"), (0, "schedd: the config is valid (1 file read)\n"))
        daemon.start()

    def test_the_configs_of_the_readme(self):
        texts = readme_configs()
        self.assertEqual([text.split(":")[0] for text in texts], ["users", "node", "http"])
        daemon = self.daemon(start=False)
        for name in ("jobs.password", "tokens"):
            (daemon.dir / name).touch(mode=0o600)
        for text in texts:
            daemon.config.write_text(text.replace("/etc/schedd/", f"{daemon.dir}/"))
            self.assertEqual(daemon.run("--check-config"), (0, "schedd: the config is valid (1 file read)\n"), text)

    def test_the_call_of_the_protocol_s_page(self):
        daemon = self.world()
        client = daemon.client()
        text = (BINARY / "cmd/man/schedd-protocol.7").read_text()
        self.assertIn('"job.run", [{"id": "backup"}]', text)
        self.assertEqual(client.call("job.run", id="backup"), {"run": "backup/1"})
        ended = client.call("run.wait", run="backup/1", timeout=3600)
        self.assertEqual((ended["job"], ended["run"], ended["state"]), ("backup", 1, "success"))

    def test_commands_at_the_top_of_the_readme(self):
        daemon = self.world()
        for line in readme()[0].splitlines():
            self.assertTrue(line.startswith("$ schedctl "), line)
            self.run_example(daemon, line[2:].replace("add --id backup", "add --replace --id backup"))

    def test_a_crontab_is_moved_over_as_the_readme_says(self):
        daemon = self.world()
        self.sh(daemon, "schedctl rm --all -y -q")
        block = "".join(readme("Moving a crontab over"))
        status, out = self.sh(daemon, "set -e\n" + block)
        self.assertEqual(status, 0, out)
        self.assertFalse((daemon.dir / "tab").exists())
        self.assertEqual(self.sh(daemon, "schedctl ls -o name")[1].split(), ["check-mail", "pg_dump"])
        status, out = self.sh(daemon, "set -e -o pipefail; schedctl pause check-mail --for 1h; schedctl why check-mail; schedctl export --as crontab | crontab -")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"Paused check-mail until \d{4}-")
        self.assertRegex(out, r"paused until: +\d{4}-")
        self.assertIn("30 2 * * * /usr/bin/pg_dump shop >/backup/shop.sql\n", (daemon.dir / "tab").read_text())
        status, out = self.sh(daemon, "set -e; crontab - <old.crontab; schedctl rm --all -y")
        self.assertEqual(status, 0, out)
        self.assertEqual((daemon.dir / "tab").read_text(), (daemon.dir / "old.crontab").read_text())

    def test_every_other_command_of_the_readme_is_known(self):
        """Nothing in the README is run by nobody."""
        run = "\n".join([readme()[0], *readme("A tour in five minutes"), *readme("Moving a crontab over"), *readme("From C"), *readme_configs()])
        for block in readme():
            for line in block.splitlines():
                command = line.split(" #")[0].strip()
                self.assertTrue(not command or line in run or command in NOT_RUN, line)

    def test_a_program_is_built_as_the_readme_says(self):
        [block] = readme("From C")
        with tempfile.TemporaryDirectory(prefix="schedd-e2e.") as place:
            prefix = pathlib.Path(place, "prefix")
            subprocess.run(["cmake", "--install", str(BINARY), "--prefix", str(prefix)], check=True, stdout=subprocess.DEVNULL)
            pathlib.Path(place, "program.c").write_bytes((SOURCE / "tests/examples/blocking.c").read_bytes())
            [config] = prefix.rglob("schedd.pc")
            env = {**os.environ, "PKG_CONFIG_PATH": str(config.parent), "LSAN_OPTIONS": "detect_leaks=0"}
            # The installed tree was moved, and a library with sanitizers asks for them.
            sanitize = os.environ.get("SCHEDD_SANITIZE")
            extra = f" -fsanitize={sanitize}" if sanitize else ""
            line = block.strip().replace("pkg-config", f"pkg-config --define-variable=prefix={prefix}") + extra
            done = subprocess.run(line, shell=True, cwd=place, env=env, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{line}\n{done.stderr}")
            [library] = [path.parent for path in prefix.rglob("libschedd.so")] or [prefix]
            done = subprocess.run(["./a.out"], cwd=place, env={**env, "LD_LIBRARY_PATH": str(library)}, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
