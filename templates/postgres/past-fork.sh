#!/bin/sh
# Written by odoo-prov: past-fork DATA HISTORY. Ends with 0 where the WAL in a standby's data goes on past the point where the
# timeline of this history file left its own, and marks the data with that one: it stays so until it is other data.
# A standby that lost its power may have WAL that the one promoted meanwhile never had. Where PostgreSQL 15 to 17 knows of the new
# timeline as it starts, it replays that WAL all the same, up to its end, and then streams on: with rows that the primary does not
# have. Where it hears of it later, it sees by itself that it cannot follow.
set -u
data=$1 history=$2
own=$(ls "$data/pg_wal" | sed -n 's/^\([0-9A-F]\{8\}\)[0-9A-F]\{16\}$/\1/p' | sort | tail -n 1)
if [ -z "$own" ]; then exit 1; fi
own=$((0x$own))
fork=$(awk -v own="$own" '$1 == own { print $2; exit }' "$history")
if [ -z "$fork" ]; then exit 1; fi
# It reads the page from its beginning, so what an earlier file of that name has left is no record to it.
if [ -z "$("/usr/lib/postgresql/$(cat "$data/PG_VERSION")/bin/pg_waldump" -p "$data/pg_wal" -t "$own" -s "$fork" -n 1 2>/dev/null)" ]; then exit 1; fi
echo "$own" >"$data/odoo-prov-past-fork"
chown --reference="$data/PG_VERSION" "$data/odoo-prov-past-fork"
# It is past the fork also where it cannot be marked, on a disk that is full.
exit 0
