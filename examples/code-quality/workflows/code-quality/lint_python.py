#!/usr/bin/env python3
"""Lints one Python file: pyflakes when it is installed (unused names, undefined names), else the compiler alone.

Nothing is executed and nothing is written: `py_compile` would leave __pycache__ beside the sources.
"""

import sys
import tokenize
import warnings


def main():
    path = sys.argv[1]
    try:
        # As Python itself would decode it: UTF-8, or what the first lines say.
        with tokenize.open(path) as file:
            source = file.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        print(f"cannot be decoded: {error}", file=sys.stderr)
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        place = "" if error.lineno is None else f"line {error.lineno}: "
        print(f"{place}{error.msg}", file=sys.stderr)
        return 1
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; code that nests too deep to be looked at
        print(f"cannot be compiled: {error}", file=sys.stderr)
        return 1
    try:
        from pyflakes import checker
    except ImportError:
        print("compiles (pyflakes is not installed: names were not looked at)")
        return 0
    import ast

    found = checker.Checker(ast.parse(source, path), path).messages
    found.sort(key=lambda message: message.lineno)
    lines = [f"line {message.lineno}: {message.message % message.message_args}" for message in found]
    if lines:
        # All of them as output; one line for those who only want to know what it is about.
        print("\n".join(lines))
        print(lines[0] + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""), file=sys.stderr)
        return 1
    print("pyflakes finds nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
