"""EasyOCR as an engine of VisLang. Models are downloaded on first use of a language
(~/.EasyOCR), so the Dockerfile fetches those of LANGUAGES while it builds."""
import os
import sys

import numpy

# This folder has the package's name: what lies in it must not be found first.
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(os.path.abspath(__file__))]
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import easyocr  # noqa: E402
from sidecar import serve  # noqa: E402

# Tesseract's pack: EasyOCR's code. A model of a script reads its languages together with
# English, and no other script beside it.
CODES = {"eng": "en", "fra": "fr", "spa": "es", "por": "pt", "swa": "sw", "deu": "de", "vie": "vi",
         "tur": "tr", "ara": "ar", "fas": "fa", "urd": "ur", "hin": "hi", "mar": "mr", "nep": "ne",
         "ben": "bn", "tam": "ta", "rus": "ru", "ukr": "uk", "Latin": "en", "Arabic": "ar",
         "Devanagari": "hi", "Cyrillic": "ru"}
SCRIPTS = [{"ar", "fa", "ur"}, {"hi", "mr", "ne"}, {"bn"}, {"ta"}, {"ru", "uk"},
           {"fr", "es", "pt", "sw", "de", "vi", "tr"}]
READERS_KEPT = 3
readers = {}


def codes_of(packs):
    return {CODES[p] for p in packs} | {"en"}


def reads(packs):
    return all(p in CODES for p in packs) and any(codes_of(packs) <= s | {"en"} for s in SCRIPTS)


def reader_for(codes):
    if codes not in readers:
        while len(readers) >= READERS_KEPT:
            readers.pop(next(iter(readers)))
        readers[codes] = easyocr.Reader(list(codes), gpu=False, verbose=False)
    return readers[codes]


def read(picture, packs):
    found = reader_for(tuple(sorted(codes_of(packs)))).readtext(numpy.asarray(picture))
    return [(text, points, confidence) for points, text, confidence in found]


if __name__ == "__main__":
    for codes in filter(None, os.environ.get("LANGUAGES", "").split()):
        reader_for(tuple(sorted(set(codes.split("+")) | {"en"})))
    if sys.argv[1:] != ["--fetch"]:
        serve("easyocr", easyocr.__version__, reads, read, 8101)
