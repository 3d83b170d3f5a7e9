#!/usr/bin/env bash
# Holds the house to its floors (docs/architecture.md): a room includes only rooms below it, and
# a public header only public headers of rooms below.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A floor=(
    [base]=0 [tensor]=1 [kernel]=2 [media]=2 [nn]=3 [text]=3
    [model]=4 [align]=4 [store]=4
    [ocr]=5 [harvest]=5 [runtime]=5 [train]=6 [dataset]=6 [answer]=6 [serve]=7 [rollout]=7 [cli]=8
)
failed=0
complain() {
    echo "floors: $*" >&2
    failed=1
}

check_file() { # FILE ROOM
    local file=$1 room=$2 other included
    [ -n "${floor[$room]-}" ] || { complain "$file: room '$room' has no floor"; return; }
    while read -r included; do
        case $included in
        \<vislang/*) other=${included#<vislang/}; other=${other%%.h*} ;;
        \"*/*) other=${included#\"}; other=${other%%/*} ;;
        *) continue ;;
        esac
        [ "$other" = "$room" ] && continue
        if [ -z "${floor[$other]-}" ]; then
            complain "$file includes $included: no such room"
        elif [ "${floor[$other]}" -ge "${floor[$room]}" ]; then
            complain "$file (floor ${floor[$room]}) includes $included (floor ${floor[$other]})"
        fi
    done < <(sed -nE 's/^ *# *include +([<"][^>"]+[>"]).*/\1/p' "$file")
}

while read -r file; do
    room=${file#src/}
    check_file "$file" "${room%%/*}"
done < <(find src -name '*.[ch]')
while read -r file; do
    room=$(basename "$file" .h)
    check_file "$file" "$room"
done < <(find include/vislang -name '*.h')
exit $failed
