#!/usr/bin/env bash
# Several with-redis.sh and with-postgres.sh at once keep apart, and a start that fails says why:
# together.sh SCRIPT (one of the two).
set -euo pipefail
script=$1
runs=4
meeting=$(mktemp -d /tmp/vislang-together-XXXXXX)
trap 'rm -rf "$meeting"' EXIT
export meeting runs

# Each notes whom it would talk to, and stays until all have.
note() {
    for variable in VISLANG_TEST_POSTGRES VISLANG_TEST_REDIS VISLANG_TEST_REDIS_SENTINEL VISLANG_TEST_REDIS_CLUSTER; do
        [ -z "${!variable:-}" ] || sed 's/127.0.0.1:1,//; s,.*@,,; s,^redis+cluster://,,' <<<"${!variable}"
    done >"$meeting/noting.$1"
    mv "$meeting/noting.$1" "$meeting/at.$1"
    for _ in $(seq 300); do
        [ "$(find "$meeting" -name 'at.*' | wc -l)" = "$runs" ] && return
        sleep 0.1
    done
    echo "together: only $(find "$meeting" -name 'at.*' | wc -l) of $runs came up" >&2
    return 1
}
export -f note
pids=()
for i in $(seq "$runs"); do
    bash "$script" bash -c "note $i" >"$meeting/said.$i" 2>&1 &
    pids+=($!)
done
bad=0
for i in $(seq "$runs"); do
    wait "${pids[i - 1]}" || {
        echo "together: run $i ended with $?, having said:" >&2
        cat "$meeting/said.$i" >&2
        bad=1
    }
done
shared=$(for i in $(seq "$runs"); do sed "s,:[0-9].*,," "$meeting/at.$i" 2>/dev/null | sort -u; done | sort | uniq -d) || true
[ -z "$shared" ] || { echo "together: two runs share $shared" >&2; bad=1; }

# Servers that do not start.
mkdir "$meeting/bin"
printf '#!/bin/sh\nexit 1\n' | tee "$meeting/bin/redis-server" "$meeting/bin/initdb" >/dev/null
printf '#!/bin/sh\necho %s\n' "$meeting/bin" >"$meeting/bin/pg_config"
chmod -R a+rx "$meeting"
status=0
said=$(PATH="$meeting/bin:$PATH" timeout 60 bash "$script" true 2>&1) || status=$?
[ "$status" = 1 ] && [ -n "$said" ] ||
    { echo "together: a start that fails ends with $status and says '$said'" >&2; bad=1; }
exit $bad
