# SPDX-License-Identifier: MIT
"""Lines of the benchmarks as a table: summary.py FILE.

A goal_X beside X is told as reached or missed. Lines of two builds (side "now" and "against") are joined: the median of
each figure, the other build's behind it, and their ratio.
"""
import json
import statistics
import sys

# Figures of which more is better; of all others less is.
MORE = ("per_s", "per_second", "ratio_to")
# What tells one line of a benchmark from another.
LABEL = ("bench", "name", "kind", "trigger", "what", "jobs", "batch", "in_flight")


def verdict(name, value, goal):
    reached = value >= goal if name.startswith(MORE) or name.endswith(MORE) else value <= goal
    return f"{'reached' if reached else 'MISSED'}, goal {goal:g}"


def joined(lines):
    """Rows of the file in their order, those of one label and several rounds as one: {key: (now, against or None)}."""
    sides = {}
    for line in lines:
        row = json.loads(line)
        side = row.pop("side", "now")
        label = " ".join(str(row.pop(k)) for k in LABEL if k in row)
        figures = sides.setdefault(label, {})
        for key, value in row.items():
            figures.setdefault(key, {"now": [], "against": []})[side].append(value)
    for label, figures in sides.items():
        yield label, {key: (middle(both["now"]), middle(both["against"])) for key, both in figures.items()}


def middle(values):
    if not values:
        return None
    return statistics.median(values) if all(isinstance(v, (int, float)) for v in values) else values[0]


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        for label, row in joined(lines):
            goals = {k[5:]: now for k, (now, _) in row.items() if k.startswith("goal_") and now is not None}
            cells = []
            for key, (now, against) in row.items():
                if key.startswith("goal_"):
                    continue
                # goal_first_ms belongs to first_start_ms.
                goal = next((g for k, g in goals.items() if k == key or (k.split("_")[0] == key.split("_")[0] and k.split("_")[-1] == key.split("_")[-1])),
                            None)
                numbers = isinstance(now, (int, float))
                told = f" ({verdict(key, now, goal)})" if goal is not None and numbers else ""
                if against is not None:
                    ratio = f", {now / against:.2f} ×" if numbers and isinstance(against, (int, float)) and against else ""
                    told += f" [against {against}{ratio}]"
                cells.append(f"{key} {now}{told}")
            print(f"{label:32} {', '.join(cells)}")


main()
