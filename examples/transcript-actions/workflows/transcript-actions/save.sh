#!/bin/sh
# save.sh REL JSON MARKDOWN: puts both beside each other, as minutes/REL.json and minutes/REL.md.
# Quotes around every variable and `--` before names: a name may hold spaces, and begin with a dash.
set -eu
rel=$1 json=$2 markdown=$3

target=minutes/$rel
mkdir -p -- "$(dirname -- "$target")"
# By rename: whoever watches minutes/ sees a whole file or none.
for part in "$json:json" "$markdown:md"; do
  cp -- "${part%:*}" "$target.${part##*:}.part"
  mv -f -- "$target.${part##*:}.part" "$target.${part##*:}"
done
printf '%s.md\n' "$target"
