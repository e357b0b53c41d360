#!/bin/sh
# Lints one shell script: shellcheck when it is installed, else the syntax alone by bash (or sh, where there is no bash).
# The path is absolute, so that no name is taken for an option.
set -u
file=$1

if command -v shellcheck > /dev/null 2>&1; then
  # From warnings upwards; what a script without a first line is written for is not known: bash is the likeliest.
  first=$(head -n 1 "$file" | tr -d '\000')
  case $first in
    '#!'*) set -- ;;
    *) set -- --shell=bash ;;
  esac
  # gcc's format is one finding per line; the path before each is known already.
  found=$(shellcheck --format=gcc --severity=warning "$@" "$file" 2>&1 | sed 's/^.*:\([0-9]*\):[0-9]*: /line \1: /')
  if [ -z "$found" ]; then
    echo 'shellcheck finds nothing'
    exit 0
  fi
  # All of them as output; one line for those who only want to know what it is about.
  printf '%s\n' "$found"
  count=$(printf '%s\n' "$found" | wc -l)
  printf '%s\n' "$(printf '%s\n' "$found" | head -n 1) ($((count)) in all)" >&2
  exit 1
fi

shell=sh
command -v bash > /dev/null 2>&1 && shell=bash
if ! problem=$("$shell" -n "$file" 2>&1); then
  printf '%s\n' "$problem" | sed 's/^.*: line \([0-9]*\): /line \1: /' >&2
  exit 1
fi
echo "$shell -n finds nothing (shellcheck is not installed: only the syntax was looked at)"
