#!/bin/sh
# find_tool.sh WANTED: which program can make thumbnails here, as JSON. WANTED is `auto` or one of them.
set -eu
wanted=$1

found() {
  printf '{"tool": "%s", "name": "%s"}\n' "$1" "$2"
  exit 0
}
try() {
  [ "$wanted" = auto ] || [ "$wanted" = "$1" ]
}

# Asked for its version, not only for its name: other programs are called `convert` as well.
for tool in magick convert; do
  if try "$tool" && "$tool" -version 2> /dev/null | head -n 1 | grep -q ImageMagick; then found "$tool" ImageMagick; fi
done
if try ffmpeg && ffmpeg -version > /dev/null 2>&1; then found ffmpeg ffmpeg; fi
case $wanted in
  auto | none) found none 'no program for pictures' ;;
  *)
    echo "$wanted is not installed, or is another program of that name" >&2
    exit 1
    ;;
esac
