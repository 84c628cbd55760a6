#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang finds nothing to warn about in what gcc compiles: clang_warnings.py COMPILE_COMMANDS"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

KEEP = ("-I", "-D", "-W", "-std=")


def kept(words):
    """What says how to read the file; -isystem stands before its folder as a word of its own."""
    for i, word in enumerate(words):
        if word == "-isystem":
            yield from words[i:i + 2]
        elif word.startswith(KEEP):
            yield word


def check(entry):
    command = ["clang", "-fsyntax-only", "-Werror", "-Wno-unknown-warning-option",
               *kept(shlex.split(entry["command"])), entry["file"]]
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
