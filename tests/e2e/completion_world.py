# SPDX-License-Identifier: MIT
"""What completion is tried on: canned answers of a daemon, files and programs."""
import json
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CANNED = HERE.parent / "golden" / "canned_schedd.py"
ANSWERS = {
    "job.list": {"jobs": [{"id": "backup", "tags": {"two words": "", "it's": "", 'say "hi"': "", "$HOME": "", "täg": "", "new\nline": "", "back\\slash": ""}},
                          {"id": "mail", "tags": {"plain": ""}}], "next": None},
    "job.list paused": {"jobs": [{"id": "paused-one"}, {"id": "paused-two"}], "next": None},
    "job.list running,queued": {"jobs": [{"id": "busy"}], "next": None},
    "job.list waiting,running,queued": {"jobs": [{"id": "active"}], "next": None},
    "run.list": {"runs": [{"id": "backup/12", "state": "running"}, {"id": "backup/11", "state": "failed"}, {"id": "backup/9", "state": "success"}], "next": None},
    "group.list": [{"name": "io-heavy"}, {"name": "$(touch pwned)"}, {"name": "`touch pwned`"}],
    "store.list": [{"name": "default", "type": "sqlite"}],
    "executor.list": [{"name": "plugins", "type": "function"}],
}

def check(failures, name, got, wanted):
    if got != wanted:
        failures.append(f"{name}\n  wanted {wanted!r}\n  got    {got!r}")


def prepare(folder):
    os.chdir(folder)
    for name in ("some-file.yaml", "odd name.yaml"):
        pathlib.Path(name).touch()
    pathlib.Path("some-dir").mkdir()
    pathlib.Path("bin").mkdir()
    for name in ("schedule-this-command", "own-completion"):
        pathlib.Path("bin", name).write_text("#!/bin/sh\n")
        pathlib.Path("bin", name).chmod(0o755)
    pathlib.Path("answers.json").write_text(json.dumps(ANSWERS))
