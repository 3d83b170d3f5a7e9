#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which only a socket in a new folder
# reaches: with-postgres.sh COMMAND…
#   $VISLANG_TEST_POSTGRES   the server's URL
#   $VISLANG_TEST_PG_CTL     stops and starts it: … stop|start
# Given $VISLANG_TEST_PG_FSYNC=on it syncs at every commit, as a server does that is not there for a test.
set -Eeuo pipefail
trap 'echo "with-postgres: line $LINENO: \"$BASH_COMMAND\" failed" >&2' ERR
bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "with-postgres: install the package postgresql" >&2; exit 1; }
folder=$(mktemp -d /tmp/vislang-postgres-XXXXXX)
as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    chown postgres "$folder"
    as_server() { runuser -u postgres -- "$@"; }
fi
cat > "$folder/ctl" <<CTL
#!/usr/bin/env bash
cd /
exec $([ "$(id -u)" = 0 ] && echo "runuser -u postgres --") "$bin/pg_ctl" -D "$folder/data" -s -w -m immediate \
    -l "$folder/log" -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=${VISLANG_TEST_PG_FSYNC:-off} -c max_connections=40" "\$@"
CTL
chmod +x "$folder/ctl"
finish() {
    "$folder/ctl" stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT
(cd / && as_server "$bin/initdb" -D "$folder/data" -U vislang -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1) ||
    { echo "with-postgres: $bin/initdb failed"; cat "$folder/initdb.log"; exit 1; } >&2
"$folder/ctl" start || { echo "with-postgres: the server does not start"; cat "$folder/log"; exit 1; } >&2
export VISLANG_TEST_POSTGRES="postgresql://vislang@/postgres?host=$folder" VISLANG_TEST_PG_CTL="$folder/ctl"
trap - ERR # how the command ends is its own business
"$@"
