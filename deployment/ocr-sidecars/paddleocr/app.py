"""PaddleOCR 3 as an engine of VisLang. Models are downloaded on first use of a language, so the
Dockerfile fetches those of LANGUAGES while it builds."""
import os
import sys
from importlib.metadata import version

import numpy

# This folder has the package's name: what lies in it must not be found first.
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(os.path.abspath(__file__))]
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from paddleocr import PaddleOCR  # noqa: E402
from sidecar import serve  # noqa: E402

# Tesseract's pack: PaddleOCR's code. One code a reader, so one language a page beside English.
CODES = {"eng": "en", "fra": "fr", "spa": "es", "por": "pt", "swa": "sw", "deu": "german",
         "vie": "vi", "tur": "tr", "ara": "ar", "fas": "fa", "urd": "ur", "hin": "hi", "mar": "mr",
         "nep": "ne", "tam": "ta", "rus": "ru", "ukr": "uk", "Latin": "fr", "Arabic": "ar",
         "Devanagari": "hi", "Cyrillic": "ru"}
READERS_KEPT = 3
readers = {}


def code_of(packs):
    """The one code besides English; None when there are several."""
    codes = {CODES[p] for p in packs} - {"en"}
    return None if len(codes) > 1 else codes.pop() if codes else "en"


def reads(packs):
    return all(p in CODES for p in packs) and code_of(packs) is not None


def reader_for(code):
    if code not in readers:
        while len(readers) >= READERS_KEPT:
            readers.pop(next(iter(readers)))
        readers[code] = PaddleOCR(lang=code, use_doc_orientation_classify=False,
                                  use_doc_unwarping=False, use_textline_orientation=False)
    return readers[code]


def read(picture, packs):
    blue_green_red = numpy.ascontiguousarray(numpy.asarray(picture)[:, :, ::-1])
    found = []
    for page in reader_for(code_of(packs)).predict(blue_green_red):
        found += zip(page["rec_texts"], page["rec_polys"], page["rec_scores"])
    return found


if __name__ == "__main__":
    for code in filter(None, os.environ.get("LANGUAGES", "").split()):
        reader_for(code)
    if sys.argv[1:] != ["--fetch"]:
        serve("paddleocr", version("paddleocr"), reads, read, 8102)
