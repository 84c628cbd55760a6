#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang finds nothing to warn about in what gcc compiles: clang_warnings.py COMPILE_COMMANDS"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

KEEP = ("-I", "-D", "-W", "-std=", "-isystem")


def check(entry):
    words = shlex.split(entry["command"])
    command = ["clang", "-fsyntax-only", "-Werror", "-Wno-unknown-warning-option"]
    command += [word for word in words if word.startswith(KEEP)]
    command += [words[i + 1] if word == "-isystem" else "" for i, word in enumerate(words) if word == "-isystem"]
    command = [word for word in command if word] + [entry["file"]]
    done = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        entries = [entry for entry in json.load(file) if entry["file"].endswith(".c")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(check, entries) if text]
    print("\n".join(found) or f"warnings: clang has none in {len(entries)} files")
    return bool(found)


sys.exit(main())
