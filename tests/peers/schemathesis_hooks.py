"""What schemathesis is told beside /openapi.json (SCHEMATHESIS_HOOKS): a schema cannot say what a
picture is, so where a text was made up for one, a real picture goes in its place. In a form that
is a TIFF all of whose bytes are ASCII, as schemathesis takes other bytes for a wrong value.

A form that is meant to be wrong stays as it is: every value there is text, and what is wrong with
it may be its file."""
import base64
import os
import struct
import sys

import schemathesis

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
from server import png  # noqa: E402


def ascii_tiff(width=96, height=64):
    """Grey, not compressed (TIFF 6.0, section 4); every byte is below 128."""
    entries = ((256, 3, width), (257, 3, height), (258, 3, 8), (259, 3, 1), (262, 3, 1),
               (273, 4, 126), (277, 3, 1), (278, 3, height), (279, 4, width * height))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for tag, kind, value in entries:
        head += struct.pack("<HHI", tag, kind, 1) + struct.pack("<HH" if kind == 3 else "<I",
                                                                *((value, 0) if kind == 3 else (value,)))
    pixels = bytes(16 if 20 < y < 40 and x % 8 < 4 else 127 for y in range(height) for x in range(width))
    return (head + b"\0\0\0\0").ljust(126, b"\0") + pixels


PICTURE = base64.b64encode(png(96, 64, seed=5)).decode()
FORM_PICTURE = ascii_tiff().decode("ascii")


def spare_ourselves(case):
    """The user and the key that schemathesis calls with (both the first) are not taken away:
    everything after that would be refused."""
    if case.method.upper() in ("DELETE", "PATCH") and case.path.startswith("/admin/"):
        parameters = case.path_parameters or {}
        if str(parameters.get("id")).lstrip("0") == "1":
            parameters["id"] = "999999"


@schemathesis.hook
def before_call(context, case, kwargs):
    spare_ourselves(case)
    body = case.body
    if not isinstance(body, dict):
        return
    if body.get("file") and case.meta.generation.mode.is_positive:
        body["file"] = [FORM_PICTURE] if isinstance(body["file"], list) else FORM_PICTURE
    items = body.get("items")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("image_base64"), str) and item["image_base64"]:
            item["image_base64"] = PICTURE
    if body.get("image_base64") and isinstance(body["image_base64"], str):
        body["image_base64"] = PICTURE
