#!/usr/bin/env bash
# The whole training of models/seer.gguf, stage after stage; run again, it goes on where it was stopped.
#   models/recipes/seer.sh DATA OUT       DATA: what tools/make_seer_data.py laid out; OUT: a folder for the runs
# Each recipe begins from the one before (its `init` names the run), so the runs lie beside each other.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
vislang=${VISLANG:-$root/build/vislang}
data=$(realpath "$1")
mkdir -p "$2"
cd "$2"
for stage in 1 1-labels 1-more 2-eyes 2-words 2-sharp; do
    "$vislang" train seer --recipe "$root/models/recipes/seer-$stage.yaml" --data "$data" --out "run-$stage"
done
"$vislang" export run-2-sharp --without tiny --facts "$root/models/recipes/seer-facts.json" --out seer.gguf
