#!/usr/bin/env bash
# Installs what is missing, builds, starts the service on 127.0.0.1:8000, sends it the bundled
# sample pages and photographs and prints each answer; then makes a dataset of the sample pages (build/demo-dataset);
# then stays up until Ctrl-C (with --once it stops).
#   PORT=8080 scripts/demo.sh --once
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-8000}
once=
case "${1-}" in
--once) once=1 ;;
'') ;;
*) echo "usage: scripts/demo.sh [--once]" >&2; exit 2 ;;
esac

scripts/deps.sh
scripts/build.sh build

log=build/demo.log
address=http://127.0.0.1:$port
build/vislang serve --port "$port" 2>"$log" &
server=$!
stop() {
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || { echo "demo: the service did not start:" >&2; cat "$log" >&2; exit 1; }
    curl -fsS "$address/ready" >/dev/null 2>&1 && break
    sleep 0.1
done

failed=0
ask() { # FILE [INSTRUCTION]
    local answer seconds
    answer=$(mktemp)
    seconds=$(curl -sS -o "$answer" -w '%{time_total}' -F "file=@$1" -F "instruction=${2-}" \
        "$address/predict" || echo failed)
    echo "── $1  (${seconds} s)${2:+  “$2”}"
    if ! jq -er '"   \(.response)\n   confidence \(.confidence)"' "$answer" 2>/dev/null; then
        echo "   no answer: $(cat "$answer")"
        failed=$((failed + 1))
    fi
    rm -f "$answer"
}
asked=0
for sample in samples/*.jpg samples/*.png samples/*.webp samples/*.tif samples/*.pdf; do
    [ -e "$sample" ] || continue
    ask "$sample"
    asked=$((asked + 1))
done
ask samples/notice-swh.jpg "which phone number?"
ask samples/notice-amh.jpg "what is the date?"
for photo in samples/photos/*.jpg; do
    ask "$photo"
    asked=$((asked + 1))
done
ask samples/photos/astronaut.jpg "what color is the suit?"
ask samples/photos/cat.jpg "is there a dog?"
echo "$asked samples, $failed not answered"
[ "$asked" -gt 0 ] && [ "$failed" = 0 ] || exit 1

# From the folder to rows that the HuggingFace library `datasets` loads, each with the page it is from.
data=build/demo-dataset
run() {
    echo "── vislang $*"
    build/vislang "$@"
}
rm -rf "$data"
mkdir -p "$data"
printf 'name: samples\ncollections: [collection]\n' >"$data/recipe.yaml"
run harvest samples --formats pdf,picture --out "$data/collection"
run dataset build --recipe "$data/recipe.yaml" --out "$data/dataset"
run dataset stats "$data/dataset" --html "$data/report.html" >"$data/stats.txt"
sed '/^Scripts/,$d' "$data/stats.txt"
run dataset check "$data/dataset"
run dataset export "$data/dataset" --format imagefolder --out "$data/imagefolder"
echo "── the first row of $data/imagefolder/train/metadata.jsonl, in short"
head -1 "$data/imagefolder/train/metadata.jsonl" | jq -r \
    '"   \(.examples[0].instruction)\n   \(.examples[0].text | .[:72])\n   \(.record), page \(.page), box \(.box)"'
[ -n "$once" ] && exit 0

echo "Open $address in a browser (Ctrl-C stops the service)"
wait "$server"
