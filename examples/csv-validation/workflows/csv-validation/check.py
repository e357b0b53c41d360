#!/usr/bin/env python3
"""Checks a CSV file against a schema and writes it anew in one uniform form. Standard library only, Python 3.8 or newer.

    check.py --schema schema.json FILE

Takes what real exports bring: commas, semicolons, tabs or bars; UTF-8 with or without a mark, UTF-16, old Windows files;
1.234,50 and 1234.5; 2026-03-01 and 01.03.2026. Reads row by row, so that the size of a file does not matter.

Prints {"valid", "rows", "summary", "reason"}: one line about what is wrong, and the first problems, a line each. The uniform copy
of a good file is $SLUICE_OUTPUT_DIR/clean.csv. Exits with 1 when nothing can be said: the schema or the file cannot be read.
"""

import argparse
import codecs
import csv
import json
import os
import re
import sys
from datetime import date
from decimal import Decimal, InvalidOperation

MOST_PROBLEMS = 50  # that are listed; the others are counted
LONGEST_FIELD = 1 << 20
DELIMITERS = ",;\t|"


class Unusable(Exception):
    """Nothing further can be said about the file."""


class Problems:
    def __init__(self):
        self.listed, self.count = [], 0

    def add(self, line, column, message):
        self.count += 1
        if len(self.listed) < MOST_PROBLEMS:
            self.listed.append(f"line {line}: " + (f"{shown(column)}: " if column else "") + message)


# ---- values: each of these gives the uniform text, or raises ValueError with what is wrong -----------------------------


def text(value, rule, _delimiter):
    if len(value) > rule.get("max_length", LONGEST_FIELD):
        raise ValueError(f"has {len(value)} characters, at most {rule['max_length']} are allowed")
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        raise ValueError(f"{shown(value)} does not look as it should")
    return value


def integer(value, rule, _delimiter):
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        raise ValueError(f"{shown(value)} is no whole number")
    return str(within(int(value), rule))


def decimal(value, rule, delimiter):
    plain = value
    # Where commas do not separate fields they are likely to separate decimals: 1.234,50
    if delimiter != "," and re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{3})*,[0-9]+|[+-]?[0-9]+,[0-9]+", value):
        plain = value.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", plain):
        raise ValueError(f"{shown(value)} is no number")
    try:
        return format(within(Decimal(plain), rule), "f")
    except InvalidOperation:
        raise ValueError(f"{shown(value)} is no number") from None


def day(value, _rule, _delimiter):
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", value)
    german = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", value)
    if not iso and not german:
        raise ValueError(f"{shown(value)} is no date (2026-03-01 or 01.03.2026)")
    year, month, of_month = iso.groups() if iso else reversed(german.groups())
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        raise ValueError(f"{shown(value)} is no day of the calendar") from None


def choice(value, rule, _delimiter):
    if value not in rule["options"]:
        raise ValueError(f"{shown(value)} is not one of {', '.join(rule['options'])}")
    return value


TYPES = {"text": text, "integer": integer, "decimal": decimal, "date": day, "choice": choice}


def within(number, rule):
    for key, is_wrong in (("min", number < rule.get("min", number)), ("max", number > rule.get("max", number))):
        if is_wrong:
            raise ValueError(f"{number} is {'less' if key == 'min' else 'more'} than {rule[key]}")
    return number


def shown(value):
    short = value if len(value) <= 60 else value[:59] + "…"
    return '"' + "".join(c if c.isprintable() else "?" for c in short) + '"'


# ---- the file ----------------------------------------------------------------------------------------------------------


def encoding_of(path):
    """Looked at as a whole: one wrong byte at the end of a long file is enough not to be UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_nul, start = True, False, b""
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            start = start or chunk[:4]
            has_nul = has_nul or b"\0" in chunk
            if is_utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    is_utf8 = False
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if has_nul:
        raise Unusable("is no text: it holds NUL bytes")
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8-sig" if is_utf8 else "windows-1252"


def delimiter_of(first_line, names):
    """The one that cuts the first line into the most names of columns that the schema knows."""

    def hits(delimiter):
        try:
            header = next(csv.reader([first_line], delimiter=delimiter))
        except (csv.Error, StopIteration):
            return 0
        return sum(1 for name in header if name.strip().casefold() in names)

    return max(DELIMITERS, key=hits)


def read_schema(path):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    for column in schema["columns"]:
        if column["type"] not in TYPES:
            raise KeyError(f"column {column['name']!r} has the unknown type {column['type']!r}: use {', '.join(TYPES)}")
        re.compile(column.get("pattern", ""))
    return schema


def order_of(header, schema, problems):
    """Which field of a row belongs to which column of the schema."""
    names = [name.strip().casefold() for name in header]
    places = {}
    for at, name in enumerate(names):
        if name in places:
            problems.add(1, header[at].strip(), "there are two columns of this name")
        places.setdefault(name, at)
    known = {column["name"].casefold() for column in schema["columns"]}
    for column in schema["columns"]:
        if column["name"].casefold() not in places:
            problems.add(1, column["name"], "the column is missing")
    if not schema.get("extra_columns", False):
        for at, name in enumerate(names):
            if name not in known:
                problems.add(1, header[at].strip(), "the schema has no such column")
    return [(places.get(column["name"].casefold()), column) for column in schema["columns"]]


def check_row(row, line, order, delimiter, seen, problems):
    clean = []
    for at, column in order:
        value = row[at].strip() if at is not None and at < len(row) else ""
        name = column["name"]
        if value == "":
            if column.get("required", False):
                problems.add(line, name, "a value is required")
            clean.append("")
            continue
        try:
            value = TYPES[column["type"]](value, column, delimiter)
        except ValueError as wrong:
            problems.add(line, name, str(wrong))
        if column.get("unique", False):
            first = seen.setdefault(name, {}).setdefault(value, line)
            if first != line:
                problems.add(line, name, f"{shown(value)} stands in line {first} already")
        clean.append(value)
    return clean


def check(path, schema, copy):
    problems, notes, rows, seen = Problems(), [], 0, {}
    if os.path.getsize(path) == 0:
        raise Unusable("is empty")
    encoding = encoding_of(path)
    if encoding == "windows-1252":
        notes.append("not UTF-8: read as Windows-1252")
    names = {column["name"].casefold() for column in schema["columns"]}
    # Old Windows files hold bytes that mean nothing; they become a sign that a pattern or a choice refuses.
    with open(path, encoding=encoding, errors="replace", newline="") as file:
        first_line = file.readline(LONGEST_FIELD)
        if first_line.strip() == "":
            raise Unusable("begins with an empty line, where the names of the columns should stand")
        delimiter = delimiter_of(first_line, names)
        if delimiter != ",":
            notes.append(f"fields are separated by {'a tab' if delimiter == chr(9) else delimiter}")
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        writer = csv.writer(copy, lineterminator="\n")
        try:
            header = next(reader)
            order = order_of(header, schema, problems)
            if problems.count > 0:  # every row would be wrong
                return verdict(problems, 0, notes)
            writer.writerow([column["name"] for _, column in order])
            for row in reader:
                if not any(field.strip() for field in row):
                    continue
                rows += 1
                if len(row) != len(header):
                    problems.add(reader.line_num, None, f"has {len(row)} fields, the header has {len(header)}")
                    continue
                writer.writerow(check_row(row, reader.line_num, order, delimiter, seen, problems))
        except csv.Error as error:
            problems.add(reader.line_num, None, f"cannot be read as CSV: {error}")
    if rows == 0 and problems.count == 0 and not schema.get("empty", False):
        problems.add(1, None, "there are no rows below the header")
    return verdict(problems, rows, notes)


def verdict(problems, rows, notes):
    more = [f"\u2026 and {problems.count - len(problems.listed)} more"] if problems.count > len(problems.listed) else []
    reason = [*problems.listed, *more, *(f"(note: {note})" for note in notes)]
    summary = problems.listed[0] + (f" (and {problems.count - 1} more)" if problems.count > 1 else "") if problems.listed else ""
    return {"valid": problems.count == 0, "rows": rows, "summary": summary, "reason": "\n".join(reason)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--schema", required=True)
    parser.add_argument("file")
    args = parser.parse_args()
    csv.field_size_limit(LONGEST_FIELD)
    copy = os.path.join(os.environ.get("SLUICE_OUTPUT_DIR", "."), "clean.csv")
    try:
        schema = read_schema(args.schema)
        with open(copy, "w", encoding="utf-8", newline="") as file:
            try:
                found = check(args.file, schema, file)
            except (Unusable, UnicodeError) as error:
                found = {"valid": False, "rows": 0, "summary": f"the file {error}", "reason": f"the file {error}"}
    except (OSError, KeyError, TypeError, ValueError, re.error) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 1
    if not found["valid"]:
        os.remove(copy)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
