#!/bin/sh
# accept.sh FILE REL COPY ROWS: the uniform copy to clean/REL, a marker FILE.done beside the file that came in.
# Quotes around every variable and `--` before names: a name may hold spaces, and begin with a dash.
set -eu
file=$1 rel=$2 copy=$3 rows=$4

target=clean/$rel
mkdir -p -- "$(dirname -- "$target")"
# By rename: whoever watches clean/ sees a whole file or none.
cp -- "$copy" "$target.part"
mv -f -- "$target.part" "$target"

# An earlier version may have been bad.
rm -f -- "quarantine/$rel" "quarantine/$rel.reason.txt" "$file.rejected" "$file.error"
# The marker is written last: where it stands, everything else does.
printf '%s rows\n' "$rows" > "$file.done"
printf '%s rows in %s\n' "$rows" "$target"
