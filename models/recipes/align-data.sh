#!/usr/bin/env bash
# The text and the seed dictionaries that models/align.bin is trained from (docs/align-data.md); run again, it goes on
# where it was stopped.
#   models/recipes/align-data.sh DATA OUT    DATA: a folder with text/ and photos/flickr8k/; OUT: a folder for what is
#                                            made and for the Debian packages it is made from (about 5 GB)
# Packages are downloaded with apt-get and unpacked in OUT/packages/NAME; nothing is installed.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
make="$root/tools/make_align_data.py"
[ $# -eq 2 ] || { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
data=$(realpath "$1")
mkdir -p "$2/packages"
cd "$2"
out=$PWD
for name in $(python3 -B "$make" packages); do
    [ -d "packages/$name" ] && continue
    rm -rf part
    mkdir part
    (cd part && apt-get -q download "$name" >/dev/null 2>log) ||
        { echo "align-data.sh: apt-get download $name failed:" >&2; cat part/log >&2; exit 1; }
    dpkg-deb -f part/*.deb Package Version | sed 's/.*: //' | paste - - >>packages/versions.tsv
    dpkg-deb -x part/*.deb part/x
    mv part/x "packages/$name"
    rm -rf part
done
for kind in lexicon text; do
    python3 -B "$make" $kind --data "$data" --packages packages --out "$out"
done
python3 -B "$make" sources --packages packages --out "$out"
