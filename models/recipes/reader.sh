#!/usr/bin/env bash
# The whole training of models/reader.gguf and models/voices.json, stage after stage; run again, it goes on
# where it was stopped.
#   models/recipes/reader.sh TEXT SCANS OUT    TEXT: gzipped text (docs/reader-data.md); SCANS: scans with
#                                              transcripts (docs/eval.md); OUT: a folder for data and runs
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
vislang=${VISLANG:-$root/build/vislang}
text=$(realpath "$1") scans=$(realpath "$2")
mkdir -p "$3"
cd "$3"
cp "$root/models/reader-alphabet.txt" .
synth() { # NAME OPTIONS…: whole or not at all, so that a stopped run begins it again
    [ -e "$1" ] && return
    rm -rf part
    "$vislang" dataset synth-lines --text "$text" --out part "${@:2}"
    mv part "$1"
}
synth lines-dev --count 2000 --seed 2 --fonts held
synth lines-short --count 70000 --seed 1 --longest 420
synth lines --count 160000 --seed 3
synth lines-more --count 190000 --seed 9
if [ ! -e real-hold.tar ]; then
    "$vislang" dataset scan-lines "$scans" --half adapt --out real.tar
    "$root/tools/split_lines.py" real.tar real-train.tar real-hold.tar
fi
"$vislang" train reader --recipe "$root/models/recipes/reader-1.yaml" --data . --out run-1
"$vislang" train reader --recipe "$root/models/recipes/reader-2.yaml" --data . --out run-2
"$vislang" train reader --recipe "$root/models/recipes/reader-3.yaml" --data . --out run-3
"$vislang" train reader --recipe "$root/models/recipes/reader-4.yaml" --data . --out run-4
"$vislang" export run-4 --facts "$root/models/recipes/reader-facts.json" --out reader.gguf
# Fitted on the lines that no stage was trained on.
mkdir -p voices
cp real-hold.tar voices/lines.tar
cp reader.gguf "$root/models/reader.gguf"
"$vislang" train voices --recipe "$root/models/recipes/voices.yaml" --data voices --out "$root/models/voices.json"
