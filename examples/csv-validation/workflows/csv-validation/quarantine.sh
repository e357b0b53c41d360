#!/bin/sh
# quarantine.sh FILE REL REASON: a copy of a bad file to quarantine/REL with the reason beside it, and a marker FILE.rejected.
# The file that came in stays where it is: who sent it finds the reason beside it, in words.
set -eu
file=$1 rel=$2 reason=$3

target=quarantine/$rel
mkdir -p -- "$(dirname -- "$target")"
cp -- "$file" "$target"
printf '%s\n' "$reason" > "$target.reason.txt"

# An earlier version may have been good.
rm -f -- "clean/$rel" "$file.done" "$file.error"
printf '%s\n' "$reason" > "$file.rejected"
printf '%s\n' "$target"
