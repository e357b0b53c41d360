#!/usr/bin/env python3
"""Writes Markdown from the docstrings of Python modules, without importing them.

    generate_docs.py --source ./src [--output DIR]      (default: $SLUICE_OUTPUT_DIR, else ./docs/api)

Prints {"modules", "documented", "total", "percent", "missing": [first 20], "unreadable"}. A module that does not parse
is named in `unreadable` and left out; the linter has said why.
"""

import argparse
import ast
import json
import os
import sys
import tokenize

SKIPPED = {".git", ".venv", "__pycache__", "node_modules"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def python_files(source):
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def public(node):
    return [one for one in node.body if isinstance(one, DEFINITIONS) and not one.name.startswith("_")]


def signature(node):
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    return f"{node.name}({', '.join(argument.arg for argument in node.args.args)})"


def page(title, tree, note):
    """The Markdown of one module; `note` is told of each public name and its docstring."""
    lines = [f"# {title}", "", ast.get_docstring(tree) or "*No description.*", ""]
    for node in public(tree):
        doc = note(node.name, ast.get_docstring(node))
        lines += [f"## `{signature(node)}`", "", doc or "*No description.*", ""]
        if isinstance(node, ast.ClassDef):
            for method in public(node):
                doc = note(f"{node.name}.{method.name}", ast.get_docstring(method))
                lines += [f"### `{signature(method)}`", "", doc or "*No description.*", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--output", default=os.environ.get("SLUICE_OUTPUT_DIR", "docs/api"))
    args = parser.parse_args()
    if not os.path.isdir(args.source):
        print(f"there is no folder {args.source}", file=sys.stderr)
        return 1
    titles, documented, missing, unreadable = [], 0, [], []
    for path in python_files(args.source):
        rel = os.path.relpath(path, args.source)
        title = rel[: -len(".py")].replace(os.sep, ".")
        try:
            with tokenize.open(path) as file:
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError, RecursionError, OSError):
            unreadable.append(rel)
            continue
        names = []
        text = page(title, tree, lambda name, doc, names=names: names.append((name, doc)) or doc)
        documented += sum(1 for _, doc in names if doc)
        missing += [f"{title}.{name}" for name, doc in names if not doc]
        target = os.path.join(args.output, rel[: -len(".py")] + ".md")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8", errors="replace") as out:
            out.write(text)
        titles.append((title, os.path.relpath(target, args.output)))
    os.makedirs(args.output, exist_ok=True)
    with open(os.path.join(args.output, "index.md"), "w", encoding="utf-8", errors="replace") as out:
        out.write("# Modules\n\n")
        out.writelines(f"- [{title}](<{target}>)\n" for title, target in titles)
    total = documented + len(missing)
    summary = {
        "modules": len(titles),
        "documented": documented,
        "total": total,
        # Nothing to document is not undocumented.
        "percent": 100 if total == 0 else documented * 100 // total,
        "missing": missing[:20],
        "unreadable": unreadable[:20],
    }
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
