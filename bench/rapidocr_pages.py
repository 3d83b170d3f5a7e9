"""Reads pictures with rapidocr-onnxruntime as it comes; for bench/pages.

usage: python rapidocr_pages.py THREADS FILE…

Prints {"seconds", "cpu", "peak_mb"}: the time of all files, after the models were loaded and the first
file was read once."""

import json
import resource
import sys
import time

from rapidocr_onnxruntime import RapidOCR

threads, files = int(sys.argv[1]), sys.argv[2:]
reader = RapidOCR(intra_op_num_threads=threads, inter_op_num_threads=1)
reader(files[0])
start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
for file in files:
    reader(file)
seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": seconds,
                  "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                  "peak_mb": after.ru_maxrss / 1024}))
