#!/usr/bin/env bash
# Runs a command beside Redis servers of its own: with-redis.sh COMMAND…
#   $VISLANG_TEST_REDIS           the URL of one that wants a password
#   $VISLANG_TEST_REDIS_SENTINEL  … of a sentinel that watches it
#   $VISLANG_TEST_REDIS_CLUSTER   … of a cluster of three
#   $VISLANG_TEST_REDIS_CTL       stops and starts the one: … stop|start
set -euo pipefail
command -v redis-server >/dev/null || { echo "with-redis: install the package redis-server" >&2; exit 1; }
folder=$(mktemp -d /tmp/vislang-redis-XXXXXX)
finish() {
    for pid in "$folder"/*.pid; do
        [ -e "$pid" ] && kill -9 "$(cat "$pid")" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT
free_ports() { # N ports that nobody listens on, nor on 10000 above (the cluster's bus)
    python3 - "$1" <<'PY'
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    port = random.randint(20000, 32000)
    try:
        for p in (port, port + 10000):
            with socket.socket() as s:
                s.bind(("127.0.0.1", p))
    except OSError:
        continue
    found.append(str(port))
print(*found)
PY
}
wait_for() { # PORT ARGUMENTS…: until it answers
    for _ in $(seq 200); do
        [ "$(redis-cli -p "$@" ping 2>/dev/null)" = PONG ] && return
        sleep 0.05
    done
    echo "with-redis: no server on port $1" >&2
    cat "$folder"/*.log >&2
    exit 1
}
read -r one sentinel a b c <<<"$(free_ports 5)"
cat > "$folder/ctl" <<CTL
#!/usr/bin/env bash
if [ "\$1" = stop ]; then
    kill -9 \$(cat "$folder/one.pid")
    rm -f "$folder/one.pid"
else
    redis-server --port $one --bind 127.0.0.1 --daemonize yes --dir "$folder" --pidfile "$folder/one.pid" --save "" \
        --logfile "$folder/one.log" --requirepass 'se:cr@et' --masterauth 'se:cr@et' >/dev/null
    until [ "\$(redis-cli -p $one -a 'se:cr@et' --no-auth-warning ping 2>/dev/null)" = PONG ]; do sleep 0.05; done
fi
CTL
chmod +x "$folder/ctl"
"$folder/ctl" start
cat > "$folder/sentinel.conf" <<CONF
port $sentinel
bind 127.0.0.1
daemonize yes
dir $folder
pidfile $folder/sentinel.pid
logfile $folder/sentinel.log
sentinel monitor vislang 127.0.0.1 $one 1
sentinel auth-pass vislang se:cr@et
CONF
redis-server "$folder/sentinel.conf" --sentinel >/dev/null
for port in $a $b $c; do
    mkdir "$folder/$port"
    redis-server --port "$port" --bind 127.0.0.1 --daemonize yes --dir "$folder/$port" --pidfile "$folder/$port.pid" \
        --save "" --logfile "$folder/$port.log" --cluster-enabled yes --cluster-node-timeout 2000 >/dev/null
done
for port in $a $b $c $sentinel; do wait_for "$port"; done
redis-cli --cluster create 127.0.0.1:"$a" 127.0.0.1:"$b" 127.0.0.1:"$c" --cluster-yes >"$folder/cluster.log"
for _ in $(seq 200); do
    [ "$(for p in $a $b $c; do redis-cli -p "$p" cluster info; done | grep -c cluster_state:ok)" = 3 ] && break
    sleep 0.05
done
export VISLANG_TEST_REDIS="redis://:se%3Acr%40et@127.0.0.1:$one/3" VISLANG_TEST_REDIS_CTL="$folder/ctl" \
    VISLANG_TEST_REDIS_SENTINEL="redis+sentinel://:se%3Acr%40et@127.0.0.1:1,127.0.0.1:$sentinel/vislang" \
    VISLANG_TEST_REDIS_CLUSTER="redis+cluster://127.0.0.1:$a"
"$@"
