#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The arrows between files, by symbols: no circle, and no arrow against the order of the rooms.

A file needs another when its object refers to a function or variable that the other's object
defines: includes may lie, nm does not. Two files that need each other, over whatever others, are
one file in two places, and nothing in that circle can be understood or tested alone.

usage: circles.py BUILD-DIRECTORY
"""
import collections
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Rooms of a folder, from the top: each may need itself and what stands below it.
ROOMS = {"lib/core": ("top", "ask", "share", "changes", "keep", "runs", "jobs", "frame")}
TOPS = ("lib", "proto", "server", "cmd")


def objects(build):
    """Each object file with its source's name, as cmake's Ninja and Make both place them."""
    for top in TOPS:
        for path in sorted((build / top).rglob("*.c.o")):
            parts = path.relative_to(build).parts
            at = parts.index("CMakeFiles")
            source = "/".join(parts[:at] + parts[at + 2:]).removesuffix(".o")
            # An older build's object stays behind where a file was moved.
            if (ROOT / source).exists():
                yield path, source


def symbols(paths):
    """Of each object, the names that it defines for others, and those it wants of others."""
    lines = subprocess.run(["nm", "--extern-only", "--format=posix", "--print-file-name", *map(str, paths)],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    found = {path: (set(), set()) for path in paths}
    for line in lines:
        path, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        found[pathlib.Path(path)][kind in "Uw"].add(name)
    return found


def arrows(build):
    """needs[file][other] = names of other's that file uses."""
    wants, home, named = {}, {}, dict(objects(build))
    for path, (defined, wanted) in symbols(named).items():
        wants.setdefault(named[path], set()).update(wanted)
        for name in defined:
            home.setdefault(name, named[path])
    needs = {source: collections.defaultdict(list) for source in wants}
    for source, names in wants.items():
        for name in sorted(names):
            if name in home and home[name] != source:
                needs[source][home[name]].append(name)
    return needs


def circles(needs):
    """Groups of more than one file that reach each other (Tarjan's components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in needs[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for node in needs:
        if node not in index:
            visit(node)
    return found


def check_circles(needs):
    for group in circles(needs):
        yield f"a circle of {len(group)} files: {' '.join(group)}"
        for source in group:
            for other in sorted(set(needs[source]) & set(group)):
                yield f"    {source} -> {other}: {' '.join(needs[source][other])}"


def room(source, folder, order):
    """Its place in the order; a file beside the rooms has none."""
    parts = source.removeprefix(folder + "/").split("/")
    return order.index(parts[0]) if source.startswith(folder + "/") and parts[0] in order else None


def check_rooms(needs):
    for folder, order in ROOMS.items():
        for source in needs:
            own = room(source, folder, order)
            if own is None:
                continue
            for other, names in needs[source].items():
                place = room(other, folder, order)
                if place is not None and place < own:
                    yield f"{source} -> {other}: {' '.join(names)}: {order[own]} stands below {order[place]}"


def main():
    build = pathlib.Path(sys.argv[1])
    needs = arrows(build)
    if not needs:
        print(f"circles: {build} holds no objects")
        return 1
    found = [*check_rooms(needs), *check_circles(needs)]
    print("\n".join(found) or f"circles: {len(needs)} files, none in a circle, no arrow upwards")
    return bool(found)


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    sys.exit(main())
