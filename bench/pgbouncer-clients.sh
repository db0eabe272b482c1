# Many clients on one PgBouncer, each of which repeats a query: none may fail. Run as root on a host that has
# PostgreSQL's server package (pgbench); see docs/benchmarks.md.
# usage: PGPASSFILE=FILE sh pgbouncer-clients.sh ADDRESS DATABASE [CLIENTS] [QUERIES]
set -eu
address=$1
database=$2
clients=${3:-10000}
queries=${4:-5}
export PGSSLMODE=disable
pgbench=$(ls /usr/lib/postgresql/*/bin/pgbench | tail -n 1)
query=$(mktemp)
trap 'rm -f "$query"' EXIT
echo 'SELECT 1;' >"$query"
# A descriptor a client.
ulimit -n $((clients + 1000))
"$pgbench" -n -c "$clients" -j 2 -t "$queries" -f "$query" -h "$address" -p 6432 -U odoo "$database"
# Asked through the pool itself; its own connection is among them.
echo 'server connections of this PgBouncer now:'
psql -XAtqw -h "$address" -p 6432 -U odoo -d "$database" \
  -c 'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND client_addr = (SELECT client_addr FROM pg_stat_activity WHERE pid = pg_backend_pid())'
