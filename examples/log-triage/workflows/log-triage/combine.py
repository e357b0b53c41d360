#!/usr/bin/env python3
"""Adds up what the scans found, and keeps the totals in the state of the session.

    combine.py FOLDER       (the results of the step `scan`: FOLDER/0/result.md, FOLDER/1/result.md …)

A file per item rather than an argument with everything: a list of arguments has an end, a folder has not.
"""

import json
import os
import subprocess
import sys
from collections import Counter

TOP = 15
MOST_FILES = 200  # that are listed; all of them are counted


def results(folder):
    # No folder: there was no log at all.
    names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in sorted((name for name in names if name.isdigit()), key=int):
        path = os.path.join(folder, name, "result.md")
        try:
            with open(path, encoding="utf-8") as file:
                yield json.load(file)
        except (OSError, ValueError):
            continue  # its scan failed; the report of the run says why


def main():
    totals = Counter(files=0, lines=0, bytes=0, errors=0, warnings=0, damaged=0)
    days, kinds, examples, files = {}, Counter(), {}, []
    for one in results(sys.argv[1]):
        totals.update({key: one[key] for key in ("lines", "bytes", "errors", "warnings")})
        totals["files"] += 1
        totals["damaged"] += one["damage"] is not None
        for day, counts in one["days"].items():
            sums = days.setdefault(day, Counter())
            sums.update(counts)
        for top in one["top"]:
            key = (top["level"], top["kind"])
            kinds[key] += top["count"]
            examples.setdefault(key, (top["example"], one["file"]))
        files.append({key: one[key] for key in ("file", "lines", "bytes", "errors", "warnings", "damage")})
    # All or nothing, in one transaction. `sluice` is on the PATH of every step and speaks for its own session only.
    changes = [
        {"op": "set", "key": "errors", "value": totals["errors"]},
        {"op": "set", "key": "totals", "value": dict(totals)},
    ]
    subprocess.run(["sluice", "state", "transaction"], input=json.dumps(changes), text=True, check=True, stdout=subprocess.DEVNULL)
    files.sort(key=lambda one: (-one["errors"], -one["warnings"], one["file"]))
    most = max((counts["error"] + counts["warning"] for counts in days.values()), default=0)
    found = {
        "files": files[:MOST_FILES],
        # Errors first, however many warnings there are.
        "top": [
            {"level": level, "kind": kind, "count": count, "example": examples[level, kind][0], "file": examples[level, kind][1]}
            for (level, kind), count in sorted(kinds.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))[:TOP]
        ],
        "days": [
            {"day": day, "errors": counts["error"], "warnings": counts["warning"],
             "percent": round((counts["error"] + counts["warning"]) * 100 / most)}
            for day, counts in sorted(days.items())[-31:]
        ],
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
