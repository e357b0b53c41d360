#!/usr/bin/env python3
"""The offline reader: looks for sentences by their words. No model, no network; the same document gives the same notes.

An agent of kind `command` gets the document as $SLUICE_FILE and the prompt as a file, $SLUICE_PROMPT_FILE. What it prints is
its result. This one knows only one question; the prompt is for the model that takes its place.
"""

import json
import os
import re
import sys

MOST_BYTES = 1 << 20
LISTED = 8
DECIDED = re.compile(r"\b(decided|agreed|approved|we will|resolved|beschlossen|genehmigt|vereinbart)\b", re.IGNORECASE)
OPEN = re.compile(r"\b(open|unclear|to be clarified|todo|tbd|pending|offen|unklar)\b|\?\s*$", re.IGNORECASE)
AMOUNT = re.compile(r"(?:€|\$|£|EUR|USD|CHF)\s?\d[\d.,]*|\d[\d.,]*\s?(?:€|EUR|USD|CHF)\b")


def sentences_of(text):
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*[-*#>])", text):
        plain = re.sub(r"\s+", " ", re.sub(r"^[\s#>*-]+", "", paragraph)).strip()
        # A dot after a digit or a single letter ends no sentence: 3.500, z. B.
        yield from (one.strip() for one in re.split(r"(?<=[^\W\d_]{2}[.!?])\s+|(?<=\?)\s+", plain) if len(one.strip()) > 2)


def main():
    path = os.environ["SLUICE_FILE"]
    with open(path, "rb") as file:
        raw = file.read(MOST_BYTES)
    if b"\0" in raw:
        print("this is no text", file=sys.stderr)
        return 1
    text = raw.decode("utf-8-sig", "replace").strip()
    if not text:
        print("the document is empty", file=sys.stderr)
        return 1
    heading = re.search(r"^#+\s*(.+)$", text, re.MULTILINE)
    title = heading.group(1).strip() if heading else os.path.splitext(os.path.basename(path))[0]
    body = [one for one in sentences_of(text) if one != title]
    notes = {
        "title": title[:200].encode("utf-8", "replace").decode(),
        "summary": body[:3],
        "decisions": [one for one in body if DECIDED.search(one)][:LISTED],
        "amounts": [one for one in body if AMOUNT.search(one)][:LISTED],
        "open": [one for one in body if OPEN.search(one)][:LISTED],
    }
    print(json.dumps(notes, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
