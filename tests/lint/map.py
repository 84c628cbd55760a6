#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lib/README.md speaks of files and functions that are there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("", "lib", "lib/core", *(f"lib/core/{room}" for room in ("top", "ask", "share", "changes", "keep", "runs", "jobs", "frame")),
           "lib/trigger", "tests/lint")


def main():
    text = (ROOT / "lib" / "README.md").read_text()
    sources = "".join(path.read_text(errors="replace") for top in ("lib", "server", "cmd", "proto", "tests/support")
                      for path in sorted((ROOT / top).rglob("*")) if path.suffix in (".c", ".h", ".txt"))
    faults = []
    for name in re.findall(r"`([^`\s]+)`", text):
        if re.search(r"[*{<→…]|NAME|^JOB/", name):
            continue
        if "/" in name or re.search(r"\.(c|h|py)$", name):
            if not any((ROOT / folder / name).exists() for folder in FOLDERS):
                faults.append(f"no file {name}")
        elif re.fullmatch(r"[a-z]+(_[a-z]+)+(\(\))?", name) and name.rstrip("()") not in sources:
            faults.append(f"nothing is called {name}")
    for fault in faults:
        print(f"lib/README.md: {fault}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
