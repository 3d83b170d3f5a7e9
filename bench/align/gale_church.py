#!/usr/bin/env python3
"""Beads of two texts (a sentence a line) by another program's Gale-Church: galechurch or NLTK, of
the environment that VISLANG_PEERS names (scripts/deps.sh --peers). Exit status 77: it is not there.

usage: bench/align/gale_church.py galechurch|nltk A B > BEADS"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import peers  # noqa: E402


def by_nltk(src, tgt):
    """NLTK says which sentences go together; those that hang together are a bead."""
    from nltk.translate.gale_church import align_blocks
    partners, beads = {}, []
    for i, k in align_blocks([len(s) for s in src], [len(s) for s in tgt]):
        partners.setdefault(i, []).append(k)
    for i in range(len(src)):
        mine = partners.get(i, [])
        if beads and mine and set(mine) & set(beads[-1][1]):
            beads[-1][0].append(i)
            beads[-1][1].extend(k for k in mine if k not in beads[-1][1])
        else:
            beads.append(([i], mine))
    taken = {k for _, tgts in beads for k in tgts}
    return beads + [([], [k]) for k in range(len(tgt)) if k not in taken]


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("galechurch", "nltk"):
        sys.exit(__doc__)
    try:
        __import__(sys.argv[1])
    except ImportError:
        peers.become(sys.argv[1])
    src, tgt = (Path(path).read_text(encoding="utf-8").splitlines() for path in sys.argv[2:])
    print(f"# {sys.argv[1]} {version(sys.argv[1])}")
    if sys.argv[1] == "nltk":
        beads = by_nltk(src, tgt)
    else:
        import galechurch
        return print(*galechurch.align(src, tgt).to_pharaoh_lines(), sep="\n")
    print(*(f"{a}:{sorted(b)}" for a, b in beads), sep="\n")


main()
