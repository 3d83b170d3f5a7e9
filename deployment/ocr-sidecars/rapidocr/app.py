"""RapidOCR (PaddleOCR's PP-OCRv4 models for ONNX Runtime) as an engine of VisLang.

The models that come with the package read Chinese and English print: plain Latin letters,
digits, punctuation."""
import os
import sys
from importlib.metadata import version

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from rapidocr_onnxruntime import RapidOCR  # noqa: E402
from sidecar import serve  # noqa: E402

READS = {"eng", "chi_sim", "swa", "Latin"}  # Swahili is written in plain letters
# As many threads as the processors it may use: more would wait for each other.
engine = RapidOCR(intra_op_num_threads=len(os.sched_getaffinity(0)), inter_op_num_threads=1)


def reads(packs):
    return set(packs) <= READS


def read(picture, packs):
    blue_green_red = numpy.ascontiguousarray(numpy.asarray(picture)[:, :, ::-1])
    found, _ = engine(blue_green_red)
    return [(text, points, score) for points, text, score in found or []]


if __name__ == "__main__":
    serve("rapidocr", version("rapidocr-onnxruntime"), reads, read, 8103)
