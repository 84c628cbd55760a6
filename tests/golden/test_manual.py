#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Manual pages: formatted without a complaint, every verb and field in them, every `schedctl next` in them runs.

MANUALS is the folder of the pages, SCHEDCTL the program.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys


def plain(text):
    return text.replace("\\-", "-").replace("\\(aq", "'").replace("\\(ti", "~").replace("\\(ha", "^").replace("\\&", "").replace("\\e", "\\")


def complaints(page):
    if not shutil.which("groff"):
        return
    result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=100n", "-k", page], capture_output=True, text=True)
    for line in result.stderr.splitlines():
        if "cannot break" not in line and "cannot adjust" not in line:
            yield f"{page.name}: {line}"


def examples(page, schedctl):
    for line in page.read_text().splitlines():
        command = plain(line)
        if re.match(r"schedctl next --(?!all )", command):
            result = subprocess.run(command.replace("schedctl", schedctl, 1), shell=True, executable="/bin/bash", capture_output=True, text=True)
            if result.returncode != 0 or not result.stdout.strip():
                yield f"{page.name}: {command}: exit {result.returncode}: {result.stderr.strip()}"


def verbs(page, schedctl):
    text = page.read_text()
    overview = subprocess.run([schedctl, "help"], capture_output=True, text=True).stdout
    for verb in re.findall(r"^  ([a-z]+)(?:, [a-z]+)?  ", overview, re.M):
        if f".B schedctl {verb}\n" not in text:
            yield f"{page.name}: no verb {verb}"


def main():
    schedctl = os.environ["SCHEDCTL"]
    pages = sorted(pathlib.Path(os.environ["MANUALS"]).iterdir())
    faults = [fault for page in pages for fault in [*complaints(page), *examples(page, schedctl)]]
    faults += verbs(pathlib.Path(os.environ["MANUALS"], "schedctl.1"), schedctl)
    print("\n".join(faults) or f"manual: {len(pages)} pages are fine")
    return bool(faults) or not pages


sys.exit(main())
