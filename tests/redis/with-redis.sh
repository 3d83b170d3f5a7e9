#!/usr/bin/env bash
# Runs a command beside Redis servers of its own: with-redis.sh COMMAND…
#   $VISLANG_TEST_REDIS           the URL of one that wants a password
#   $VISLANG_TEST_REDIS_SENTINEL  … of a sentinel that watches it
#   $VISLANG_TEST_REDIS_CLUSTER   … of a cluster of three
#   $VISLANG_TEST_REDIS_CTL       stops and starts the one: … stop|start
#
# Several of these run at once. Each has a loopback address to itself, made of its process id, so
# that no two can want one port, also while a server is stopped and its port is free.
set -Eeuo pipefail
readonly one=16379 sentinel=16380 cluster=(16381 16382 16383) # and the cluster's bus 10 above
at=127.$((128 + ($$ >> 16))).$((($$ >> 8) & 255)).$(($$ & 255))
folder=$(mktemp -d /tmp/vislang-redis-XXXXXX)
finish() {
    for pid in "$folder"/*.pid; do
        [ -e "$pid" ] && kill -9 "$(cat "$pid")" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT
fail() { # WHAT: says it, and what the servers wrote
    echo "with-redis: $1" >&2
    for log in "$folder"/*.log; do
        [ ! -e "$log" ] || { echo "--- ${log##*/}" && tail -n 20 "$log"; } >&2
    done
    exit 1
}
trap 'fail "line $LINENO: \"$BASH_COMMAND\" failed"' ERR
command -v redis-server >/dev/null || fail "install the package redis-server"
cat > "$folder/ctl" <<CTL
#!/usr/bin/env bash
pid="$folder/one.pid"
if [ "\$1" = stop ]; then
    kill -9 "\$(cat "\$pid")"
    rm "\$pid"
    exit
fi
redis-server --port $one --bind $at --dir "$folder" --save "" --requirepass 'se:cr@et' --masterauth 'se:cr@et' \
    </dev/null >>"$folder/one.log" 2>&1 &
echo \$! >"\$pid"
for _ in \$(seq 400); do
    [ "\$(redis-cli -h $at -p $one -a 'se:cr@et' --no-auth-warning ping 2>/dev/null)" = PONG ] && exit
    kill -0 \$! 2>/dev/null || break
    sleep 0.05
done
echo "with-redis: the server on $at:$one does not start" >&2
tail -n 5 "$folder/one.log" >&2
exit 1
CTL
chmod +x "$folder/ctl"
launch() { # NAME ARGUMENTS…: a server in the background
    local name=$1
    shift
    redis-server "$@" --bind "$at" </dev/null >"$folder/$name.log" 2>&1 &
    echo $! >"$folder/$name.pid"
    disown
}
wait_for() { # NAME PORT: until it answers
    for _ in $(seq 400); do
        [ "$(redis-cli -h "$at" -p "$2" ping 2>/dev/null)" = PONG ] && return
        kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null || fail "the server on $at:$2 ended"
        sleep 0.05
    done
    fail "the server on $at:$2 does not answer"
}
"$folder/ctl" start
cat > "$folder/sentinel.conf" <<CONF
port $sentinel
dir $folder
sentinel monitor vislang $at $one 1
sentinel auth-pass vislang se:cr@et
CONF
launch sentinel "$folder/sentinel.conf" --sentinel
for port in "${cluster[@]}"; do
    mkdir "$folder/$port"
    launch "node-$port" --port "$port" --cluster-port $((port + 10)) --dir "$folder/$port" --save "" \
        --cluster-enabled yes --cluster-node-timeout 2000 --cluster-announce-ip "$at"
done
wait_for sentinel $sentinel
for port in "${cluster[@]}"; do wait_for "node-$port" "$port"; done
node() { redis-cli -e -h "$at" -p "$@" 2>&1; }
first=0
for i in 0 1 2; do # a third of the 16384 slots each
    last=$((16384 * (i + 1) / 3 - 1))
    node "${cluster[i]}" cluster addslotsrange $first $last >>"$folder/cluster.log"
    node "${cluster[i]}" cluster set-config-epoch $((i + 1)) >>"$folder/cluster.log"
    [ $i = 0 ] || node "${cluster[0]}" cluster meet "$at" "${cluster[i]}" $((cluster[i] + 10)) >>"$folder/cluster.log"
    first=$((last + 1))
done
for port in "${cluster[@]}"; do
    for turn in $(seq 400); do
        grep -q cluster_state:ok <<<"$(node "$port" cluster info)" && break
        [ "$turn" -lt 400 ] || fail "the cluster does not come together at $at:$port"
        sleep 0.05
    done
done
export VISLANG_TEST_REDIS="redis://:se%3Acr%40et@$at:$one/3" VISLANG_TEST_REDIS_CTL="$folder/ctl" \
    VISLANG_TEST_REDIS_SENTINEL="redis+sentinel://:se%3Acr%40et@127.0.0.1:1,$at:$sentinel/vislang" \
    VISLANG_TEST_REDIS_CLUSTER="redis+cluster://$at:${cluster[0]}"
trap - ERR # how the command ends is its own business
"$@"
