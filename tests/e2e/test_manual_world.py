# SPDX-License-Identifier: MIT
"""What the manual says of the environment, of events and of plug-ins is so."""
import os
import pathlib
import re
import subprocess
import unittest

import e2e

BUILD = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"])
SOURCE = pathlib.Path(os.environ["SCHEDD_SOURCE"])


def page(name, folder="cmd"):
    text = (BUILD / folder / "man" / name).read_text()
    for written, meant in (("\\-", "-"), ("\\(aq", "'"), ("\\&", ""), ("\\e", "\\"), ("\\_", "_")):
        text = text.replace(written, meant)
    return text


def names(text):
    return set(re.findall(r"^(?:\.B |\\fB)([A-Z_]+)", text, re.M))


def family(name):
    """The name that the manual has for a variable whose name somebody else chose."""
    if name.startswith("SCHEDD_TAG_"):
        return "SCHEDD_TAG_KEY"
    return "NAME_FILE" if name.endswith("_FILE") else name


class ManualWorld(e2e.TestCase):
    def documented(self, heading, name="schedd-jobs.5", folder="cmd"):
        text = page(name, folder)
        begin = text.index(heading)
        end = re.search(r"^\.S[HS] ", text[begin + len(heading):], re.M)
        found = names(text[begin:begin + len(heading) + end.start()])
        self.assertGreater(len(found), 4)
        return found

    def written(self, path):
        return {line.split("=", 1)[0] for line in e2e.wait_until(path.name, lambda: path.exists() and path.read_text()).splitlines() if "=" in line}

    def test_the_environment_of_a_command(self):
        d = self.daemon(start=False)
        secret = d.dir / "secret"
        secret.write_text("x")
        d.start(TZ="Europe/Berlin", LANG="C.UTF-8")
        code, _, err = d.ctl("add", "--id", "a", "--manual", "-t", "kind=db", "--secret", f"token={secret}", "--", "/usr/bin/env")
        self.assertEqual(code, 0, err)
        self.assertEqual(d.ctl("run", "-w", "a")[0], 0)
        found = {family(line.split("=", 1)[0]) for line in d.ctl("logs", "a", "--raw")[1].splitlines()}
        # There is an epoch where a store is shared: e2e.cluster looks at it.
        self.assertEqual(found | {"SCHEDD_EPOCH"}, self.documented(".SH ENVIRONMENT"))

    def test_the_environment_of_a_notification_and_of_a_listener(self):
        d = self.daemon(start=False)
        d.config.write_text(f"listeners:\n  - name: x\n    events: [job_error]\n    run: env > {d.dir}/l.new; mv {d.dir}/l.new {d.dir}/l\n")
        d.start()
        d.ctl("add", "--id", "a", "--manual", "--notify", f"failure=env > {d.dir}/n.new; mv {d.dir}/n.new {d.dir}/n", "--sh", "exit 3")
        d.ctl("run", "-w", "a")
        command = self.documented(".SH ENVIRONMENT")
        self.assertLessEqual(self.documented(".SS Of a notification"), self.written(d.dir / "n"))
        self.assertLessEqual(self.written(d.dir / "n") - {"PWD", "SHLVL", "_", "OLDPWD"}, command | self.documented(".SS Of a notification"))
        listener = self.written(d.dir / "l")
        self.assertLessEqual(self.documented(".SH LISTENERS", "schedd.yaml.5", "server"), listener)
        # What is not of the job, nor of how schedd was started.
        own = {"SCHEDD_TAG_KEY", "NAME_FILE", "SCHEDD_EPOCH", "LANG", "TZ"}
        self.assertLessEqual(command - own, listener)
        self.assertLessEqual(command - own, self.written(d.dir / "n"))

    def test_the_names_of_events(self):
        text = page("schedd-protocol.7")
        for code in re.findall(r'^\tSCHEDD_EVENT_([A-Z_]+) = 1 <<', (SOURCE / "lib/include/schedd/event.h").read_text(), re.M):
            self.assertIn(f"\\fB{code.lower()}\\fR", text)
        offered = subprocess.run([e2e.SCHEDCTL, "__complete", "3", "--", "schedctl", "events", "--event", ""], capture_output=True, text=True,
                                 timeout=60, check=True).stdout
        self.assertIn("store_recovered\n", offered)

    def test_the_plug_in_of_the_manual(self):
        text = page("schedd-plugins.7")
        source = re.search(r"^\.nf\n\.RS 4\n(#include.*?)^\.RE", text, re.M | re.S).group(1)
        plugins = self.daemon(start=False)
        out = plugins.dir / "sent"
        (plugins.dir / "report.c").write_text(source.replace("/var/tmp/reports", str(out)))
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-Wall", "-Werror", f"-I{SOURCE}/lib/include",
                        "-o", str(plugins.dir / "report.so"), str(plugins.dir / "report.c")], check=True, timeout=120)
        plugins.start(SCHEDD_PLUGIN_DIR=str(plugins.dir))
        command = re.search(r"^schedctl add .*--call.*$", text, re.M).group(0)
        code, job, err = plugins.ctl(*command.split()[1:])
        self.assertEqual(code, 0, err)
        code, _, err = plugins.ctl("run", "-w", job.strip())
        self.assertEqual(code, 0, err)
        self.assertEqual(out.read_text(), f"{job.strip()}/1: null\n")
        self.assertRegex(text, r"(?m)^\.I /.*/plugins$")
        self.assertRegex(text, r"(?m)^\.I /.*/modules$")


if __name__ == "__main__":
    unittest.main()
