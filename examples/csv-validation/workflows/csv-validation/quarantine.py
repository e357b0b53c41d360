#!/usr/bin/env python3
"""quarantine.py FILE REL VERDICT: a copy of a bad file to quarantine/REL with the reason beside it, and FILE.rejected.

The file that came in stays where it is; who sent it finds the reason beside it, in words.
"""

import json
import os
import shutil
import sys


def lines_of(verdict):
    for problem in verdict["problems"]:
        line = "" if problem["line"] is None else f"line {problem['line']}: "
        column = "" if problem["column"] is None else f"{problem['column']}: "
        yield f"{line}{column}{problem['message']}"
    if verdict["more"] > 0:
        yield f"… and {verdict['more']} more"
    yield from (f"(note: {note})" for note in verdict["notes"])


def main():
    file, rel, verdict = sys.argv[1:]
    reason = "\n".join(lines_of(json.loads(verdict))) + "\n"
    target = os.path.join("quarantine", rel)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(file, target)
    for path in (f"{target}.reason.txt", f"{file}.rejected"):
        with open(path, "w", encoding="utf-8", errors="replace") as out:
            out.write(reason)
    # An earlier version may have been good.
    for path in (f"{file}.done", os.path.join("clean", rel)):
        if os.path.exists(path):
            os.remove(path)
    print(reason, end="")


if __name__ == "__main__":
    main()
