#!/bin/sh
# alarm.sh ERRORS THRESHOLD RUN_FOLDER: leaves a note, and a line in alarms.log that outlives the run.
set -eu
printf '%s errors (alarm from %s)\n' "$1" "$2"
printf '%s\t%s errors\t%s\n' "$(date -u +%FT%TZ)" "$1" "$3/report.html" >> alarms.log
