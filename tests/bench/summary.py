# SPDX-License-Identifier: MIT
"""Lines of the benchmarks as a table: summary.py FILE. A goal_X beside X is told as reached or missed."""
import json
import sys

# Figures of which more is better; of all others less is.
MORE = ("per_s", "per_second", "ratio_to")


def verdict(name, value, goal):
    reached = value >= goal if name.startswith(MORE) or name.endswith(MORE) else value <= goal
    return f"{'reached' if reached else 'MISSED'}, goal {goal:g}"


def main():
    for line in open(sys.argv[1], encoding="utf-8"):
        row = json.loads(line)
        goals = {k[5:]: v for k, v in row.items() if k.startswith("goal_")}
        label = " ".join(str(row.pop(k)) for k in ("bench", "name", "kind", "jobs") if k in row)
        cells = []
        for key, value in row.items():
            if key.startswith("goal_"):
                continue
            # goal_first_ms belongs to first_start_ms.
            goal = next((g for k, g in goals.items() if k == key or (k.split("_")[0] == key.split("_")[0] and k.split("_")[-1] == key.split("_")[-1])),
                        None)
            told = f" ({verdict(key, value, goal)})" if goal is not None and isinstance(value, (int, float)) else ""
            cells.append(f"{key} {value}{told}")
        print(f"{label:32} {', '.join(cells)}")


main()
