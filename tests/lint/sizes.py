#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files of at most 600 lines, functions of at most 60, an SPDX line in each, no word of unfinished work."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("lib", "proto", "server", "cmd", "tests", "completions")
SUFFIXES = {".c", ".h", ".py", ".sh", ".bash", ".fish"}
FILE_MAX, FUNCTION_MAX = 600, 60
# These are promised as one file each, to be copied beside a program.
ONE_FILE = {"lib/executor/python/schedd.py": 1350, "lib/executor/python/schedd_worker.py": 720}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def files():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.suffix in SUFFIXES and path.is_file() and parts[:2] != ("tests", "data") and "corpus" not in parts:
                yield path


def check_file(path):
    name = path.relative_to(ROOT)
    text = path.read_text(errors="replace")
    lines = text.count("\n")
    most = ONE_FILE.get(name.as_posix(), FILE_MAX)
    if lines > most:
        yield f"{name}: {lines} lines, at most {most}: split it by noun"
    if "SPDX-License-Identifier: MIT" not in "\n".join(text.splitlines()[:3]):
        yield f"{name}: no SPDX line at the top"
    if name.as_posix() != "tests/lint/sizes.py" and UNFINISHED.search(text):
        yield f"{name}: says it is unfinished ({UNFINISHED.search(text).group(0)})"


def check_functions():
    sources = [str(path) for path in files() if path.suffix == ".c"]
    tags = subprocess.run(
        ["ctags", "-L", "-", "--languages=C", "--kinds-C=f", "--fields=+ne", "-f", "-"],
        input="\n".join(sources), capture_output=True, text=True, check=True).stdout
    for tag in tags.splitlines():
        line = re.search(r"\tline:(\d+)", tag)
        end = re.search(r"\tend:(\d+)", tag)
        if line and end and int(end.group(1)) - int(line.group(1)) + 1 > FUNCTION_MAX:
            name, path = tag.split("\t")[:2]
            length = int(end.group(1)) - int(line.group(1)) + 1
            yield f"{pathlib.Path(path).relative_to(ROOT)}:{line.group(1)}: {name} has {length} lines, at most {FUNCTION_MAX}"


def main():
    found = [message for path in files() for message in check_file(path)]
    found += check_functions()
    print("\n".join(found) or "sizes: all files and functions are small enough")
    return bool(found)


sys.exit(main())
