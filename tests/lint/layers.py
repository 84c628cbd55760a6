#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The arrows of the architecture: which folder may include which.

cmd -> proto, lib/{base,trigger,model,jobfile};  server -> proto, lib;  proto -> lib/{base,model}
inside lib: core > executor, store > loop > jobfile > model > trigger > base.
Only lib/loop/loop_libevent.c and server/ may include <event2/...>.
inside lib/core, from room to room: top > ask > share > changes > keep > runs > jobs > frame; what a room
keeps in the scheduler, and the structs it hides, its own files alone touch.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIB = {
    "base": set(),
    "trigger": {"base"},
    "model": {"base", "trigger"},
    "jobfile": {"base", "trigger", "model"},
    "loop": {"base", "trigger", "model", "jobfile"},
    "store": {"base", "trigger", "model", "jobfile", "loop"},
    "executor": {"base", "trigger", "model", "jobfile", "loop"},
    "core": {"base", "trigger", "model", "jobfile", "loop", "store", "executor"},
}
TOP = {
    "cmd": {"proto", "base", "trigger", "model", "jobfile"},
    "proto": {"base", "model"},
    "server": {"proto", *LIB},
}
ROOMS = ("top", "ask", "share", "changes", "keep", "runs", "jobs", "frame")
# Headers of structs that are opaque outside their room.
HIDDEN = {"core/changes/change.h": "changes", "core/changes/claim.h": "changes",
          "core/runs/run_live_state.h": "runs", "core/share/share_state.h": "share"}
# What a room keeps: by its member in the scheduler, or by the name of its struct.
KEPT = re.compile(r"\bscheduler->(" + "|".join(ROOMS) + r")\b(?! *\()|\bstruct (" + "|".join(ROOMS) + r")_room\b")
KEPT_HERE = "lib/core/frame/scheduler_state.h"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def allowed(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "lib" and parts[1] == "include":
        return set()
    if parts[0] == "lib":
        return LIB[parts[1]] | {parts[1]}
    return TOP[parts[0]] | {parts[0]}


def upwards(name, target):
    """Does a file of a room of lib/core include what stands above it?"""
    own, other = name.parts[2:3], target.split("/")
    if name.parts[:2] != ("lib", "core") or own[0] not in ROOMS or len(other) < 3 or other[0] != "core":
        return False
    return other[1] not in ROOMS or ROOMS.index(other[1]) < ROOMS.index(own[0])


def check_rooms(name, text):
    """What a room keeps for itself is touched by no other."""
    own = name.parts[2] if name.parts[:2] == ("lib", "core") else ""
    for target in INCLUDE.findall(text):
        if HIDDEN.get(target[1], own) != own:
            yield f'{name}: "{target[1]}": what it declares is hidden from other rooms'
    for number, line in enumerate(text.split("\n"), 1):
        for member, struct in KEPT.findall(line) if name.as_posix() != KEPT_HERE else ():
            if (member or struct) != own:
                yield f"{name}:{number}: what the scheduler keeps for the room {member or struct} is that room's alone"


def check(path):
    name = path.relative_to(ROOT)
    yield from check_rooms(name, path.read_text())
    for kind, target in INCLUDE.findall(path.read_text()):
        folder = target.split("/")[0]
        if target.startswith("event2/"):
            if name.parts[0] != "server" and path.name != "loop_libevent.c":
                yield f"{name}: <{target}>: only the libevent loop and the server may know libevent"
        elif kind == '"' and "/" not in target:
            yield f'{name}: "{target}": write the folder too'
        elif kind == '"' and folder not in allowed(path):
            yield f'{name}: "{target}": the arrows do not point that way'
        elif upwards(name, target):
            yield f'{name}: "{target}": {name.parts[2]} stands below that room'


def main():
    found = []
    for top in ("lib", "proto", "server", "cmd"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            found += check(path)
    print("\n".join(found) or "layers: all includes follow the arrows")
    return bool(found)


sys.exit(main())
