#!/bin/sh
set -eu
if [ "$#" -ne 1 ]; then
  echo "usage: restore.sh ARCHIVE" >&2
  exit 2
# the `fi` is missing: this is what the report is there to find
tar -xzf "$1"
