#!/usr/bin/env python3
"""The offline writer: takes the notes out of the fence in its prompt and puts them in order. No model, no network."""

import json
import os
import re
import sys


def notes_of(prompt):
    fenced = re.search(r"```json\n(.*)\n```", prompt, re.DOTALL)
    if not fenced:
        sys.exit("there are no notes in the prompt")
    for item in json.loads(fenced.group(1)):
        # A document that could not be read has no notes.
        if item.get("outputs", {}).get("title"):
            yield item["outputs"]


def section(heading, key, notes):
    lines = [f"- {text} *({one['title']})*" for one in notes for text in one[key]]
    return [f"**{heading}**", "", *(lines or ["- nothing"]), ""]


def main():
    with open(os.environ["SLUICE_PROMPT_FILE"], encoding="utf-8") as file:
        notes = list(notes_of(file.read()))
    lines = [f"{len(notes)} documents: {', '.join(one['title'] for one in notes)}.", ""]
    lines += section("Decided", "decisions", notes)
    lines += section("Amounts", "amounts", notes)
    lines += section("Open", "open", notes)
    print("\n".join(lines).strip())


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
