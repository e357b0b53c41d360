#!/usr/bin/env python3
"""Parses one JSON or YAML file. YAML needs PyYAML; without it the file passes, and the result says that nobody looked."""

import json
import sys


def no_duplicates(pairs):
    """A key that stands twice is legal JSON, and nearly always a mistake: one of the two values is lost."""
    seen = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f'the key "{key}" stands twice')
        seen[key] = value
    return seen


def main():
    path = sys.argv[1]
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        if path.lower().endswith(".json"):
            json.loads(text, object_pairs_hook=no_duplicates)
            print("valid JSON")
            return 0
        try:
            import yaml
        except ImportError:
            print("not looked at: PyYAML is not installed")
            return 0
        # Only read, not built: tags of programs (`!include`, `!Ref`) are fine, and nothing is made of them.
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
        print("valid YAML")
        return 0
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        print(error, file=sys.stderr)
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            raise
        print(f"line {mark.line + 1} column {mark.column + 1}: {getattr(error, 'problem', error)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
