#!/usr/bin/env python3
"""Reads one log file, packed by gzip or not, and prints what is in it as JSON.

    scan.py --sha256 CHECKSUM PATH NAME

Line by line, so that the size of a file does not matter. A packed file that is cut off counts as far as it can be read;
`damage` says so. The checksum is not used here: it makes the command another one when the content is (see the workflow).
"""

import argparse
import gzip
import json
import re
import sys
import zlib
from collections import Counter

LONGEST_LINE = 1 << 16  # the rest of a longer one is not looked at
MOST_BYTES = 4 << 30  # unpacked: a small file can hold a very large one
KINDS_KEPT = 2000  # different messages that are counted at a time
TOP = 25

LEVELS = {
    "FATAL": "error", "CRITICAL": "error", "CRIT": "error", "EMERG": "error", "ALERT": "error", "PANIC": "error",
    "SEVERE": "error", "ERROR": "error", "ERR": "error", "WARNING": "warning", "WARN": "warning",
    "NOTICE": "info", "INFO": "info", "DEBUG": "debug", "TRACE": "debug",
}  # fmt: skip
LEVEL = re.compile(rb"\b(" + "|".join(sorted(LEVELS, key=len, reverse=True)).encode() + rb")\b")
# `level=error`, `"level":"warn"`: written by machines, in small letters.
FIELD = re.compile(rb"\b(?:level|lvl|severity)\"?\s*[=:]\s*\"?([A-Za-z]+)")
# A line of an access log: the request, and how it was answered.
REQUEST = re.compile(rb'"([A-Z]{3,10}) ([^" ]{0,2000})[^"]{0,20}" ([1-5][0-9][0-9])\b')
DAY = re.compile(rb"\b(20[0-9]{2}-[01][0-9]-[0-3][0-9])")
APACHE_DAY = re.compile(rb"\[([0-3][0-9])/([A-Z][a-z]{2})/(20[0-9]{2}):")
MONTHS = dict(zip("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), range(1, 13)))

# What makes two messages different although they say the same. From the special to the general.
VARIABLE = [
    (re.compile(r"^[\[\"{]?20\d{2}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}[.,\d]*(Z|[+-]\d{2}:?\d{2})?\]?\s*"), ""),
    (re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "<uuid>"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b"), "<ip>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b"), "<hex>"),
    (re.compile(r"\"[^\"]{0,200}\"|'[^']{0,200}'"), "<text>"),
    (re.compile(r"\d+([.,]\d+)*"), "<n>"),
]


def level_of(line):
    found = FIELD.search(line)
    if found:
        return LEVELS.get(found.group(1).upper().decode())
    found = LEVEL.search(line)
    if found:
        return LEVELS[found.group(1).decode()]
    found = REQUEST.search(line)
    if found:
        return {b"5": "error", b"4": "warning"}.get(found.group(3)[:1], "info")
    return None


def day_of(line):
    found = DAY.search(line)
    if found:
        return found.group(1).decode()
    found = APACHE_DAY.search(line)
    if found and found.group(2).decode() in MONTHS:
        day, month, year = (part.decode() for part in found.groups())
        return f"{year}-{MONTHS[month]:02d}-{day}"
    return None


def kind_of(line):
    """The message without what varies: what it is counted as."""
    request = REQUEST.search(line)
    if request:
        method, path, status = (part.decode("utf-8", "replace") for part in request.groups())
        return f"{method} {readable(without_variables(path.partition('?')[0]))} \u2192 {status}"
    text = line.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            record = json.loads(text)
            text = str(record.get("msg") or record.get("message") or text)
        except (ValueError, AttributeError, RecursionError):
            pass
    return readable(without_variables(text))


def without_variables(text):
    for pattern, sign in VARIABLE:
        text = pattern.sub(sign, text)
    return text


def readable(text):
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def lines_of(file):
    """Whole lines up to a bound; what goes beyond is passed over."""
    while True:
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        yield line
        while line and not line.endswith(b"\n") and len(line) == LONGEST_LINE:
            line = file.readline(LONGEST_LINE)


class Scan:
    def __init__(self):
        self.lines, self.bytes = 0, 0
        self.levels, self.days, self.kinds = Counter(), {}, Counter()
        self.examples = {}
        self.damage = None

    def read(self, path):
        with open(path, "rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"  # by its content: names lie
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if is_packed else raw
            try:
                for line in lines_of(file):
                    self.take(line)
                    if self.bytes > MOST_BYTES:
                        self.damage = f"only the first {MOST_BYTES >> 30} GiB were read"
                        return
            except (EOFError, OSError, zlib.error) as error:
                if not is_packed:
                    raise
                self.damage = f"cannot be unpacked beyond line {self.lines}: {error}"

    def take(self, line):
        self.lines += 1
        self.bytes += len(line)
        level = level_of(line)
        if level is None:
            return
        self.levels[level] += 1
        if level not in ("error", "warning"):
            return
        day = day_of(line)
        if day:
            counts = self.days.setdefault(day, {"error": 0, "warning": 0})
            counts[level] += 1
        kind = (level, kind_of(line))
        self.kinds[kind] += 1
        self.examples.setdefault(kind, line[:400].decode("utf-8", "replace").strip())
        if len(self.kinds) > KINDS_KEPT * 2:
            self.forget()

    def forget(self):
        """Log lines that are all different must not fill the memory: the rarest kinds go."""
        self.kinds = Counter(dict(self.kinds.most_common(KINDS_KEPT)))
        self.examples = {kind: self.examples[kind] for kind in self.kinds}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sha256")
    parser.add_argument("path")
    parser.add_argument("name")
    args = parser.parse_args()
    scan = Scan()
    try:
        scan.read(args.path)
    except OSError as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 1
    top = [
        {"level": kind[0], "kind": kind[1], "count": count, "example": scan.examples[kind]}
        for kind, count in scan.kinds.most_common(TOP)
    ]
    found = {
        "file": args.name,
        "lines": scan.lines,
        "bytes": scan.bytes,
        "errors": scan.levels["error"],
        "warnings": scan.levels["warning"],
        "days": scan.days,
        "top": top,
        "damage": scan.damage,
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
