#!/usr/bin/env bash
# models/align.bin: vectors and meanings of the words of 24 languages in one hub (docs/align.md,
# models/align.md). Run again, it goes on where it was stopped.
#   models/recipes/align.sh DATA OUT    DATA: a folder with text/ and photos/flickr8k/; OUT: a folder for all that is
#                                       made on the way (about 9 GB)
# Takes about half an hour on one core.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
vislang=${VISLANG:-$root/build/vislang}
[ $# -eq 2 ] || { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
languages="fr ar am so ti om ha sw ps fa ln es pt yo ig rw zu ur hi bn my uk"
relatives=ps=fa,ps=ar,ps=ur,so=ar,ha=ar,sw=ar,am=ti,ti=am,fa=ar,ur=fa,ur=ar,rw=rn,rw=lg,zu=xh,ln=fr,pt=es,om=so

"$root/models/recipes/align-data.sh" "$1" "$2"
cd "$2"
mkdir -p vectors
for language in en $languages; do
    text=text/$language.txt.gz
    epochs=15
    [ "$(stat -c %s "$text")" -gt 3500000 ] && epochs=5
    [ -f "vectors/$language.bin" ] || "$vislang" align embed "$text" --out "vectors/$language.bin" --dim 96 \
        --epochs $epochs --min-count 2 --buckets 200000 --threads 1 --seed 1
done
# shellcheck disable=SC2086
"$vislang" align build $languages --vectors vectors --lexicons lexicon --relatives $relatives \
    --words 13500 --hub-words 25000 --out align.bin
cp align.bin "$root/models/align.bin"
