#!/usr/bin/env python3
"""Writes the hostile corpus: files made to break a decoder, and sound ones of rare kinds.

  make_corpus.py SEEDS_PROGRAM DIRECTORY

SEEDS_PROGRAM (make_seeds.c) writes the sound files that need a codec; PNG and PDF are made here.
DIRECTORY/expected.tsv says of every file what must come of it (run.c reads it). The same bytes
on every run; the standard library alone."""

import hashlib
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

OK, FAIL, LIMIT, ANY = "ok", "fail bad_input", "fail limit", "any"
UNSUPPORTED = "fail unsupported"


class Corpus:
    def __init__(self, folder):
        self.folder, self.expected = folder, []

    def add(self, name, data, expected=ANY):
        (self.folder / name).write_bytes(data)
        self.expected.append(f"{name}\t{expected}\n")

    def finish(self):
        (self.folder / "expected.tsv").write_text("".join(self.expected))


def size(width, height, pages=1):
    return f"ok {width} {height} {pages}"


# ---- PNG ------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def ihdr(width, height, depth=8, colour=2, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def channels_of(colour):
    return {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]


def rows(width, height, depth, colour):
    """Filter byte and samples of every row, a gradient."""
    row_bytes = (width * channels_of(colour) * depth + 7) // 8
    return b"".join(b"\0" + bytes((x * 3 + y * 5) % 251 for x in range(row_bytes))
                    for y in range(height))


def adam7(width, height, depth, colour):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2)]
    out = b""
    for x0, y0, dx, dy in passes:
        w, h = (width - x0 + dx - 1) // dx, (height - y0 + dy - 1) // dy
        out += rows(w, h, depth, colour) if w > 0 and h > 0 else b""
    return out


def png(width=40, height=30, depth=8, colour=2, interlace=0, before=b"", pixels=None):
    if pixels is None:
        pixels = (adam7 if interlace else rows)(width, height, depth, colour)
    palette = chunk(b"PLTE", bytes(range(3 * (1 << depth)) if depth < 8 else
                                   [i % 256 for i in range(768)])) if colour == 3 else b""
    return (SIGNATURE + ihdr(width, height, depth, colour, interlace) + palette + before +
            chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))


def zeros(count):
    """A zlib stream of so many zero bytes, made piecewise."""
    packer, out, step = zlib.compressobj(9), [], 1 << 20
    for at in range(0, count, step):
        out.append(packer.compress(bytes(min(step, count - at))))
    return b"".join(out) + packer.flush()


def raw_png(width, height, depth, colour, idat, before=b""):
    return (SIGNATURE + ihdr(width, height, depth, colour) + before + chunk(b"IDAT", idat) +
            chunk(b"IEND", b""))


def make_pngs(c):
    for depth, colour in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3),
                          (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)]:
        for interlace in (0, 1):
            c.add(f"png-{depth}bit-type{colour}-{'interlaced' if interlace else 'plain'}.png",
                  png(33, 21, depth, colour, interlace), size(33, 21))
    c.add("png-palette-trns.png", png(colour=3, before=chunk(b"tRNS", bytes(range(200)))),
          size(40, 30))
    c.add("png-grey-trns.png", png(colour=0, before=chunk(b"tRNS", b"\0\x03")), size(40, 30))
    c.add("png-rgb-trns.png", png(before=chunk(b"tRNS", b"\0\1\0\2\0\3")), size(40, 30))
    c.add("png-1x1.png", png(1, 1), size(1, 1))
    c.add("png-gamma.png", png(before=chunk(b"gAMA", struct.pack(">I", 45455))), size(40, 30))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 40, 30, 0, 0, 1, 10, 0, 0))
    c.add("apng.png", png(before=chunk(b"acTL", struct.pack(">II", 1, 0)) + frame), size(40, 30))
    # Sizes that lie, and sizes that are true.
    for name, w, h, what in [("20000x20000", 20000, 20000, LIMIT), ("65535x65535", 65535, 65535,
                             LIMIT), ("2e31", 0x7FFFFFFF, 0x7FFFFFFF, LIMIT), ("0x0", 0, 0, FAIL),
                             ("1x0", 1, 0, FAIL), ("2e32", 0xFFFFFFFF, 1, "fail"),
                             ("100000x1", 100000, 1, LIMIT), ("1x100000", 1, 100000, LIMIT)]:
        c.add(f"png-claims-{name}.png", raw_png(w, h, 8, 2, zlib.compress(b"\0" * 100)), what)
    c.add("png-20000x1.png", raw_png(20000, 1, 8, 0, zeros(20001)), size(20000, 1))
    c.add("png-1x20000.png", raw_png(1, 20000, 8, 0, zeros(40000)), size(1, 20000))
    c.add("png-claims-7000x7000-and-ends.png", raw_png(7000, 7000, 8, 2, zlib.compress(b"\0" * 9)),
          FAIL)
    c.add("png-bomb-20000x20000.png", raw_png(20000, 20000, 1, 0, zeros(20000 * 2501)), LIMIT)
    c.add("png-7000x7000-1bit.png", raw_png(7000, 7000, 1, 0, zeros(7000 * 876)), size(7000, 7000))
    c.add("png-7000x7000-rgba16.png", raw_png(7000, 7000, 16, 6, zeros(7000 * 56001)),
          size(7000, 7000))
    c.add("png-more-pixels-than-size.png", raw_png(10, 10, 8, 0, zeros(50 << 20)), ANY)
    # Chunks that unpack to much.
    bomb = zeros(64 << 20)
    text = chunk(b"zTXt", b"Comment\0\0" + bomb)
    c.add("png-ztxt-bomb.png", png(before=text), size(40, 30))
    c.add("png-ztxt-bombs-many.png", png(before=text * 300), size(40, 30))
    c.add("png-itxt-bomb.png", png(before=chunk(b"iTXt", b"C\0\1\0\0\0" + bomb)), size(40, 30))
    c.add("png-icc-bomb.png", png(before=chunk(b"iCCP", b"x\0\0" + bomb)), size(40, 30))
    c.add("png-text-many.png", png(before=chunk(b"tEXt", b"a\0b") * 50000), size(40, 30))
    c.add("png-splt-many.png", png(before=chunk(b"sPLT", b"a\0\x08" + b"\1" * 6) * 5000),
          size(40, 30))
    c.add("png-unknown-critical.png", png(before=chunk(b"ABCD", b"x")), FAIL)
    c.add("png-chunk-length-2e31.png", SIGNATURE + ihdr(9, 9) + b"\x7f\xff\xff\xffIDATxxxx", FAIL)
    c.add("png-chunk-length-2e32.png", SIGNATURE + ihdr(9, 9) + b"\xff\xff\xff\xffIDATxxxx", FAIL)
    c.add("png-bad-ihdr-crc.png", png().replace(ihdr(40, 30)[-4:], b"\1\2\3\4", 1), FAIL)
    data = png()
    at = data.index(b"IDAT")
    c.add("png-bad-zlib.png", data[:at + 4] + b"\0\0" + data[at + 6:], FAIL)
    c.add("png-bad-idat-crc.png", data[:-16] + b"\0\0\0\0" + data[-12:], FAIL)
    c.add("png-two-ihdr.png", png(before=ihdr(9000, 9000)), "any")
    c.add("png-palette-missing.png", SIGNATURE + ihdr(9, 9, 8, 3) +
          chunk(b"IDAT", zlib.compress(rows(9, 9, 8, 3))) + chunk(b"IEND", b""), FAIL)
    c.add("png-no-idat.png", SIGNATURE + ihdr(9, 9) + chunk(b"IEND", b""), FAIL)
    c.add("png-bad-depth.png", raw_png(9, 9, 7, 2, zlib.compress(b"\0" * 300)), FAIL)
    c.add("png-index-outside-palette.png", SIGNATURE + ihdr(9, 9, 8, 3) + chunk(b"PLTE", b"abc") +
          chunk(b"IDAT", zlib.compress((b"\0" + b"\xfe" * 9) * 9)) + chunk(b"IEND", b""))


# ---- JPEG -----------------------------------------------------------------------------------


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def exif(entries, big=False, first=8):
    order = ">" if big else "<"
    out = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "I", first)
    out += struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(order + "HHI", tag, kind, count) + struct.pack(order + "HH", value, 0)
    return out + struct.pack(order + "I", 0)


def with_exif(jpeg, tiff):
    return jpeg[:2] + segment(0xE1, b"Exif\0\0" + tiff) + jpeg[2:]


def scans_of(jpeg):
    """Header, list of (tables and scan), end of a JPEG without restart markers."""
    starts, at = [], 2
    while True:
        marker = jpeg[at + 1]
        if marker == 0xD9:
            return starts, at
        start = at
        at += 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if marker == 0xDA:
            while not (jpeg[at] == 0xFF and jpeg[at + 1] != 0):
                at += 1
            starts.append((start, at))


def patch_size(jpeg, width, height):
    at = next(i for i in range(len(jpeg)) if jpeg[i] == 0xFF and jpeg[i + 1] in
              (0xC0, 0xC1, 0xC2, 0xC9, 0xCA))
    return jpeg[:at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9:]


def make_jpegs(c, seeds):
    jpeg, progressive = seeds["rgb.jpg"], seeds["progressive.jpg"]
    for value in range(0, 10):
        turned = 5 <= value <= 8
        c.add(f"jpeg-exif-{value}.jpg", with_exif(jpeg, exif([(274, 3, 1, value)])),
              size(64, 96) if turned else size(96, 64))
    lies = {
        "loop": exif([(274, 3, 1, 1)]) [:-4] + struct.pack("<I", 8),
        "first-outside": exif([(274, 3, 1, 6)], first=0xFFFFFFF0),
        "first-at-end": exif([(274, 3, 1, 6)], first=20),
        "first-itself": exif([(274, 3, 1, 6)], first=0),
        "entries-65535": b"II*\0\x08\0\0\0\xff\xff",
        "huge-count": exif([(274, 3, 0xFFFFFFFF, 1)]),
        "wrong-type": exif([(274, 12, 1, 6)]),
        "cut": exif([(274, 3, 1, 6)])[:12],
        "empty": b"",
        "many": exif([(274, 3, 1, 1)] * 3000),
        "value-65535": exif([(274, 3, 1, 65535)]),
    }
    for name, tiff in lies.items():
        c.add(f"jpeg-exif-{name}.jpg", with_exif(jpeg, tiff), size(96, 64))
    c.add("jpeg-app1-longer-than-file.jpg", jpeg[:2] + b"\xff\xe1\xff\xffExif\0\0", FAIL)
    c.add("jpeg-icc-many.jpg", jpeg[:2] + segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60000)) * 60
          + jpeg[2:], size(96, 64))
    c.add("jpeg-comments-many.jpg", jpeg[:2] + segment(0xFE, b"x") * 100000 + jpeg[2:],
          size(96, 64))
    c.add("jpeg-fill-bytes.jpg", jpeg[:2] + b"\xff" * 100000 + jpeg[2:], ANY)
    for w, h, what in [(65500, 65500, LIMIT), (65535, 65535, "fail"), (20001, 1, LIMIT), (0, 64,
                       FAIL), (96, 0, FAIL), (7000, 7000, "fail"), (96, 20000, FAIL)]:
        c.add(f"jpeg-claims-{w}x{h}.jpg", patch_size(jpeg, w, h), what)
        c.add(f"jpeg-progressive-claims-{w}x{h}.jpg", patch_size(progressive, w, h),
              "any" if what == FAIL and h > 64 else "fail" if what == FAIL else what)
    scans, end = scans_of(progressive)
    last = progressive[scans[-1][0]:scans[-1][1]]
    c.add("jpeg-5000-scans.jpg", progressive[:end] + last * 5000 + b"\xff\xd9")
    head = patch_size(progressive, 6000, 6000)
    c.add("jpeg-3000-scans-of-36-megapixels.jpg", head[:end] + last * 3000 + b"\xff\xd9", "fail")
    # The same scan as a first one, which may be repeated without a complaint.
    start = last.index(b"\xff\xda")
    past = start + 2 + struct.unpack(">H", last[start + 2:start + 4])[0]
    first = last[:past - 1] + b"\0" + last[past:]
    c.add("jpeg-900-first-scans-of-36-megapixels.jpg", head[:end] + first * 900 + b"\xff\xd9",
          "fail")
    arithmetic = seeds["arithmetic.jpg"]
    c.add("jpeg-arithmetic-claims-7000x7000.jpg", patch_size(arithmetic, 7000, 7000), ANY)
    for depth in (1, 7, 12, 16):
        at = jpeg.index(b"\xff\xc0")
        c.add(f"jpeg-{depth}-bit.jpg", jpeg[:at + 4] + bytes([depth]) + jpeg[at + 5:], "fail")
    for sof in (0xC3, 0xC5, 0xC7, 0xCB, 0xCF):
        c.add(f"jpeg-sof-{sof:x}.jpg", jpeg.replace(b"\xff\xc0", bytes([255, sof]), 1),
              UNSUPPORTED)
    at = jpeg.index(b"\xff\xc0")
    for factor in (0x00, 0x55, 0xFF, 0x41):
        c.add(f"jpeg-sampling-{factor:02x}.jpg", jpeg[:at + 11] + bytes([factor]) + jpeg[at + 12:])
    c.add("jpeg-255-components.jpg", jpeg[:at + 9] + b"\xff" + jpeg[at + 10:], "fail")
    dqt = jpeg.index(b"\xff\xdb")
    c.add("jpeg-no-quantisation.jpg", jpeg[:dqt] + jpeg[jpeg.index(b"\xff\xc0"):], FAIL)
    dht = jpeg.index(b"\xff\xc4")
    c.add("jpeg-no-huffman.jpg", jpeg[:dht] + jpeg[jpeg.index(b"\xff\xda"):], ANY)
    c.add("jpeg-bad-huffman.jpg", jpeg[:dht + 5] + b"\xff" * 16 + jpeg[dht + 21:], "fail")
    c.add("jpeg-two-pictures.jpg", jpeg + jpeg, size(96, 64))
    c.add("jpeg-then-zip.jpg", jpeg + b"PK\3\4" + bytes(1000), size(96, 64))
    c.add("jpeg-soi-only.jpg", b"\xff\xd8\xff", FAIL)
    c.add("jpeg-soi-eoi.jpg", b"\xff\xd8\xff\xd9", FAIL)
    c.add("jpeg-noise.jpg", jpeg[:scans_of(jpeg)[0][0][0] + 14] +
          bytes(random.Random(1).choices(range(255), k=200000)))
    c.add("jpeg-called.png", jpeg, size(96, 64))


# ---- WebP -----------------------------------------------------------------------------------


def riff(chunks):
    body = b"WEBP" + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def u24(value):
    return struct.pack("<I", value)[:3]


def vp8x(flags, width, height):
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + u24(width - 1) + u24(height - 1))


def animation(picture, canvas, at, frames=2):
    frame = riff_chunk(b"ANMF", u24(at[0] // 2) + u24(at[1] // 2) + u24(95) + u24(63) + u24(100) +
                       b"\0" + picture)
    return riff(vp8x(2, *canvas) + riff_chunk(b"ANIM", bytes(6)) + frame * frames)


def make_webps(c, seeds):
    lossy, lossless = seeds["lossy.webp"], seeds["lossless.webp"]
    still = lossy[12:]
    c.add("webp-animated.webp", animation(still, (96, 64), (0, 0)), size(96, 64))
    c.add("webp-animated-inset.webp", animation(lossless[12:], (200, 150), (20, 30)),
          size(200, 150))
    c.add("webp-animated-outside.webp", animation(still, (96, 64), (50, 50)), FAIL)
    c.add("webp-animated-huge-canvas.webp", animation(still, (16000, 16000), (0, 0)), LIMIT)
    c.add("webp-animated-2e24-canvas.webp", animation(still, (1 << 24, 1 << 24), (0, 0)), "fail")
    c.add("webp-animated-5000-frames.webp", animation(still, (96, 64), (0, 0), 5000), size(96, 64))
    c.add("webp-animated-no-frame.webp", animation(still, (96, 64), (0, 0), 0), FAIL)
    for value in (1, 3, 6, 8):
        whole = riff(vp8x(8, 96, 64) + still + riff_chunk(b"EXIF", exif([(274, 3, 1, value)])))
        c.add(f"webp-exif-{value}.webp", whole, size(64, 96) if value > 4 else size(96, 64))
    c.add("webp-canvas-disagrees.webp", riff(vp8x(0, 500, 500) + still), FAIL)
    c.add("webp-riff-length-wrong.webp", lossy[:4] + b"\xff\xff\xff\x7f" + lossy[8:])
    c.add("webp-chunk-length-wrong.webp", lossy[:16] + b"\xff\xff\xff\x7f" + lossy[20:], FAIL)
    big = bytearray(lossy)
    at = lossy.index(b"\x9d\x01\x2a")
    big[at + 3:at + 7] = struct.pack("<HH", 16383, 16383)
    c.add("webp-claims-16383.webp", bytes(big), LIMIT)
    big[at + 3:at + 7] = struct.pack("<HH", 7000, 7000)
    c.add("webp-claims-7000.webp", bytes(big), ANY)
    bits = struct.pack("<I", (16383 | 16383 << 14))
    c.add("webp-lossless-claims-16384.webp", riff(riff_chunk(b"VP8L", b"\x2f" + bits + bytes(50))),
          LIMIT)
    c.add("webp-header-only.webp", b"RIFF\x04\0\0\0WEBP", FAIL)


# ---- TIFF -----------------------------------------------------------------------------------


def ifd(entries, following, order="<"):
    out = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(order + "HHII", tag, kind, count, value)
    return out + struct.pack(order + "I", following)


def grey_page(width=8, height=8, compression=1, offset=0, length=64, strips=1, rows_in_strip=8,
              photometric=1, bits=8, samples=1):
    return [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, compression),
            (262, 3, 1, photometric), (273, 4, strips, offset), (277, 3, 1, samples),
            (278, 4, 1, rows_in_strip), (279, 4, strips, length)]


def tiff(entries, following=0, tail=bytes(64)):
    directory = ifd(entries, following)
    return b"II*\0\x08\0\0\0" + directory + tail


def make_tiffs(c, seeds):
    at = 8 + 2 + 9 * 12 + 4  # where the pixels of a page of nine entries lie
    c.add("tiff-plain.tif", tiff(grey_page(offset=at)), size(8, 8))
    c.add("tiff-loop-itself.tif", tiff(grey_page(offset=at), following=8), size(8, 8))
    second = at + 64
    pair = tiff(grey_page(offset=at), following=second) + ifd(grey_page(offset=at), 8)
    c.add("tiff-loop-of-two.tif", pair, size(8, 8, 2))
    pages = b"".join(ifd(grey_page(offset=8), 72 + 114 * (i + 1) if i < 65534 else 0)
                     for i in range(65535))
    c.add("tiff-65535-pages.tif", b"II*\0\x48\0\0\0" + bytes(64) + pages, LIMIT)
    pages = b"".join(ifd(grey_page(offset=8), 72 + 114 * (i + 1) if i < 1999 else 0)
                     for i in range(2000))
    c.add("tiff-2000-pages.tif", b"II*\0\x48\0\0\0" + bytes(64) + pages, size(8, 8, 2000))
    c.add("tiff-first-outside.tif", b"II*\0\xff\xff\xff\x7f", FAIL)
    c.add("tiff-first-zero.tif", b"II*\0\0\0\0\0" + bytes(100), FAIL)
    c.add("tiff-entries-65535.tif", b"II*\0\x08\0\0\0\xff\xff" + bytes(100), FAIL)
    c.add("tiff-no-entries.tif", tiff([]), FAIL)
    for name, w, h in [("100000x1", 100000, 1), ("1x100000", 1, 100000), ("20000x20000", 20000,
                       20000), ("2e31", 0x7FFFFFFF, 0x7FFFFFFF), ("2e32", 0xFFFFFFFF, 0xFFFFFFFF)]:
        c.add(f"tiff-claims-{name}.tif", tiff(grey_page(w, h, offset=at)), "fail")
    c.add("tiff-claims-7000x7000.tif", tiff(grey_page(7000, 7000, offset=at)), FAIL)
    for name, compression in [("lzw", 5), ("fax3", 3), ("fax4", 4), ("jpeg", 7), ("old-jpeg", 6),
                              ("deflate", 8), ("packbits", 32773), ("thunder", 32809),
                              ("next", 32766), ("sgilog", 34676), ("pixarlog", 32909), ("lzma",
                              34925), ("zstd", 50000), ("webp", 50001), ("lerc", 34887),
                              ("unknown", 31337)]:
        c.add(f"tiff-{name}-of-zeros-7000x7000.tif",
              tiff(grey_page(7000, 7000, compression, at, 64, 1, 7000,
                             bits=1 if compression in (3, 4) else 8)))
    c.add("tiff-deflate-bomb.tif", tiff(grey_page(7000, 7000, 8, at, 200000, 1, 7000),
                                        tail=zeros(200 << 20)), ANY)
    c.add("tiff-strips-2e31.tif", tiff(grey_page(8, 8, offset=at, strips=0x7FFFFFFF)), ANY)
    c.add("tiff-strip-outside.tif", tiff(grey_page(offset=0x7FFFFFF0)), FAIL)
    c.add("tiff-strip-2e31-long.tif", tiff(grey_page(offset=at, length=0x7FFFFFFF)), ANY)
    c.add("tiff-one-row-strips-missing.tif", tiff(grey_page(8, 8, offset=at, rows_in_strip=1)))
    for bits, samples in [(0, 1), (3, 1), (32, 1), (64, 1), (65535, 1), (8, 0), (8, 65535)]:
        c.add(f"tiff-{bits}-bits-{samples}-samples.tif",
              tiff(grey_page(offset=at, bits=bits, samples=samples)))
    for photometric in (3, 4, 5, 6, 8, 32803, 32844, 65535):
        c.add(f"tiff-photometric-{photometric}.tif",
              tiff(grey_page(offset=at, photometric=photometric)))
    tiles = [(256, 4, 1, 6000), (257, 4, 1, 6000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
             (277, 3, 1, 1), (322, 4, 1, 0x7FFFFFF0), (323, 4, 1, 0x7FFFFFF0), (324, 4, 1, at),
             (325, 4, 1, 64)]
    c.add("tiff-tile-2e31.tif", tiff(tiles), "fail")
    tiles[6], tiles[7] = (322, 4, 1, 0), (323, 4, 1, 0)
    c.add("tiff-tile-0.tif", tiff(tiles), "fail")
    c.add("tiff-turned-99.tif", tiff(grey_page(offset=at)[:5] + [(273, 4, 1, at + 12),
          (274, 3, 1, 99)] + grey_page(offset=at)[6:]), size(8, 8))


# ---- PDF ------------------------------------------------------------------------------------


class Pdf:
    """Objects by number, with a cross-reference table that is right unless told otherwise."""

    def __init__(self):
        self.objects = {}

    def put(self, number, body):
        self.objects[number] = body if isinstance(body, bytes) else body.encode("latin-1")

    def stream(self, number, data, extra=""):
        self.put(number, f"<< /Length {len(data)} {extra} >>\nstream\n".encode() + data +
                 b"\nendstream")

    def bytes(self, trailer="", startxref=None, previous=None):
        out, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
        for number, body in sorted(self.objects.items()):
            offsets[number] = len(out)
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        xref, last = len(out), max(self.objects) + 1
        out += f"xref\n0 {last}\n0000000000 65535 f \n".encode()
        for number in range(1, last):
            kind = "n" if number in offsets else "f"
            out += f"{offsets.get(number, 0):010d} 00000 {kind} \n".encode()
        if previous:
            trailer += f" /Prev {xref if previous == 'itself' else previous}"
        out += f"trailer\n<< /Size {last} /Root 1 0 R {trailer} >>\n".encode()
        out += f"startxref\n{xref if startxref is None else startxref}\n%%EOF\n".encode()
        return bytes(out)


def simple_pdf(content=b"BT /F1 24 Tf 40 100 Td (Water point closed) Tj ET", box="0 0 360 180",
               page="", resources="/Font << /F1 5 0 R >>", kids="3 0 R", count=1):
    pdf = Pdf()
    pdf.put(1, "<< /Type /Catalog /Pages 2 0 R >>")
    pdf.put(2, f"<< /Type /Pages /Kids [{kids}] /Count {count} >>")
    pdf.put(3, f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R "
               f"/Resources << {resources} >> {page} >>")
    pdf.stream(4, content)
    pdf.put(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    return pdf


def rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def encrypted_pdf(user, owner):
    """40-bit RC4, ISO 32000-1 7.6.3, revision 2."""
    pad = lambda password: (password + PAD)[:32]
    name = bytes(range(16))
    o = rc4(hashlib.md5(pad(owner)).digest()[:5], pad(user))
    key = hashlib.md5(pad(user) + o + struct.pack("<i", -4) + name).digest()[:5]
    u = rc4(key, PAD)
    content = b"BT /F1 24 Tf 40 100 Td (secret) Tj ET"
    object_key = hashlib.md5(key + struct.pack("<I", 4)[:3] + b"\0\0").digest()[:10]
    pdf = simple_pdf()
    pdf.stream(4, rc4(object_key, content))
    pdf.put(6, f"<< /Filter /Standard /V 1 /R 2 /O <{o.hex()}> /U <{u.hex()}> /P -4 >>")
    return pdf.bytes(f"/Encrypt 6 0 R /ID [<{name.hex()}> <{name.hex()}>]")


def with_stream(data, extra, name="/Im1 Do", box="0 0 360 180"):
    pdf = simple_pdf(b"360 0 0 180 0 0 cm " + name.encode(), box,
                     resources="/XObject << /Im1 6 0 R >>")
    pdf.stream(6, data, extra)
    return pdf.bytes()


def make_pdfs(c):
    whole = simple_pdf().bytes()
    c.add("pdf-plain.pdf", whole, size(1000, 500))
    c.add("pdf-after-junk.pdf", b"\0junk\n" * 50 + whole, size(1000, 500))
    c.add("pdf-header-too-late.pdf", b" " * 2000 + whole, UNSUPPORTED)
    c.add("pdf-turned.pdf", simple_pdf(page="/Rotate 90").bytes(), size(500, 1000))
    c.add("pdf-cropped.pdf", simple_pdf(box="0 0 1000000 1000000", page="/CropBox [0 0 360 180]").bytes(),
          size(1000, 500))
    # Page trees.
    c.add("pdf-kids-itself.pdf", simple_pdf(kids="2 0 R").bytes(), "fail")
    loop = simple_pdf(kids="6 0 R")
    loop.put(6, "<< /Type /Pages /Kids [7 0 R] /Count 1 /Parent 2 0 R >>")
    loop.put(7, "<< /Type /Pages /Kids [6 0 R] /Count 1 /Parent 6 0 R >>")
    c.add("pdf-kids-loop.pdf", loop.bytes(), "fail")
    deep = simple_pdf(kids="10 0 R")
    for i in range(10, 5000):
        deep.put(i, f"<< /Type /Pages /Kids [{i + 1} 0 R] /Count 1 >>")
    deep.put(5000, "<< /Type /Page /MediaBox [0 0 9 9] >>")
    c.add("pdf-kids-5000-deep.pdf", deep.bytes())
    c.add("pdf-count-negative.pdf", simple_pdf(count=-5).bytes())
    c.add("pdf-count-2e31.pdf", simple_pdf(count=2147483647).bytes())
    c.add("pdf-count-huge-kids-one.pdf", simple_pdf(count=1900).bytes())
    c.add("pdf-no-pages.pdf", simple_pdf(kids="", count=0).bytes(), "fail")
    for count, what in ((2000, size(13, 13, 2000)), (2001, LIMIT), (100000, LIMIT)):
        many = simple_pdf(kids="".join(f"{10 + i} 0 R " for i in range(count)), count=count)
        for i in range(count):
            many.put(10 + i, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 4.5 4.5]>>")
        c.add(f"pdf-{count}-pages.pdf", many.bytes(), what)
    c.add("pdf-root-missing.pdf", whole.replace(b"/Root 1 0 R", b"/Root 9 0 R"))
    c.add("pdf-root-is-font.pdf", whole.replace(b"/Root 1 0 R", b"/Root 5 0 R"))
    c.add("pdf-page-is-number.pdf", simple_pdf(kids="42").bytes(), "fail")
    c.add("pdf-parent-loop.pdf", simple_pdf(page="/Resources 3 0 R").bytes())
    # Cross references.
    c.add("pdf-xref-loop.pdf", simple_pdf().bytes(previous="itself"))
    c.add("pdf-xref-start-outside.pdf", simple_pdf().bytes(startxref=99999999), size(1000, 500))
    c.add("pdf-xref-start-zero.pdf", simple_pdf().bytes(startxref=0))
    c.add("pdf-xref-start-negative.pdf", simple_pdf().bytes(startxref=-1))
    c.add("pdf-no-xref.pdf", whole[:whole.index(b"xref\n")])
    c.add("pdf-size-2e31.pdf", whole.replace(b"/Size 6", b"/Size 2147483647"))
    c.add("pdf-object-is-itself.pdf", whole.replace(b"4 0 obj\n<<", b"4 0 obj\n4 0 R <<"))
    length = simple_pdf()
    length.put(4, b"<< /Length 4 0 R >>\nstream\n0 0 m\nendstream")
    c.add("pdf-length-is-itself.pdf", length.bytes())
    bad = simple_pdf()
    bad.put(4, b"<< /Length 99999999999 >>\nstream\n0 0 m\nendstream")
    c.add("pdf-length-lies.pdf", bad.bytes())
    # Encryption.
    c.add("pdf-encrypted-user-password.pdf", encrypted_pdf(b"open sesame", b"owner"), FAIL)
    c.add("pdf-encrypted-owner-password.pdf", encrypted_pdf(b"", b"owner"), size(1000, 500))
    c.add("pdf-encrypted-badly.pdf", simple_pdf().bytes("/Encrypt << /Filter /Standard >>"))
    c.add("pdf-encrypted-unknown.pdf", simple_pdf().bytes("/Encrypt << /Filter /Mine /V 9 >>"))
    # Boxes.
    for name, box, what in [("1e9", "0 0 1000000000 1000000000", LIMIT), ("1e6", "0 0 1e6 1e6",
                            ANY), ("million", "0 0 1000000 1000000", LIMIT), ("200-inches", "0 0 14400 14400", OK), ("negative",
                            "360 180 0 0", OK), ("zero", "0 0 0 0", ANY), ("nan", "0 0 nan inf",
                            ANY), ("thin", "0 0 14400 1", OK), ("tall", "0 0 1 14400", OK),
                            ("missing", "", ANY), ("1e38", "-1e38 -1e38 1e38 1e38", ANY)]:
        c.add(f"pdf-box-{name}.pdf", simple_pdf(box=box).bytes(),
              "ok 0 0 1" if what == OK else what)
    c.add("pdf-user-unit.pdf", simple_pdf(page="/UserUnit 75000").bytes())
    # Content.
    flate = "/Filter /FlateDecode"
    bomb = simple_pdf()
    bomb.stream(4, zeros(500 << 20), flate)
    c.add("pdf-flate-bomb.pdf", bomb.bytes())
    twice = simple_pdf()
    twice.stream(4, zlib.compress(zeros(1 << 30), 9), "/Filter [/FlateDecode /FlateDecode]")
    c.add("pdf-flate-bomb-twice.pdf", twice.bytes())
    many = simple_pdf()
    many.stream(4, zlib.compress(zlib.compress(b"0 0 m 9 9 l S ")), "/Filter [" + "/FlateDecode " *
                2000 + "]")
    c.add("pdf-2000-filters.pdf", many.bytes())
    lines = simple_pdf()
    lines.stream(4, zlib.compress(b"0 0 m 360 180 l S\n" * 2000000, 9), flate)
    c.add("pdf-two-million-lines.pdf", lines.bytes(), ANY)
    c.add("pdf-deep-q.pdf", simple_pdf(b"q " * 200000).bytes())
    c.add("pdf-deep-array.pdf", simple_pdf(b"[" * 200000).bytes())
    deep = simple_pdf()
    deep.put(6, "[" * 100000 + "]" * 100000)
    c.add("pdf-deep-object.pdf", deep.bytes("/Info 6 0 R"))
    c.add("pdf-deep-dictionary.pdf", simple_pdf(page="/A " + "<< /A " * 50000).bytes())
    form = simple_pdf(b"/Fm Do", resources="/XObject << /Fm 6 0 R >>")
    form.stream(6, b"/Fm Do /Fm Do", "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources "
                "<< /XObject << /Fm 6 0 R >> >>")
    c.add("pdf-form-draws-itself.pdf", form.bytes())
    laughs = simple_pdf(b"/F0 Do", resources="/XObject << /F0 10 0 R >>")
    for i in range(12):
        laughs.stream(10 + i, b"/F%d Do " % (i + 1) * 10 if i < 11 else b"0 0 9 9 re f",
                      f"/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject "
                      f"<< /F{i + 1} {11 + i} 0 R >> >>")
    c.add("pdf-form-billion-laughs.pdf", laughs.bytes(), "any")
    tile = simple_pdf(b"/Pattern cs /P scn 0 0 360 180 re f", resources="/Pattern << /P 6 0 R >>")
    tile.stream(6, b"0 0 1 1 re f", "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 "
                "/BBox [0 0 1 1] /XStep 0.0001 /YStep 0.0001 /Resources << >>")
    c.add("pdf-pattern-tiny-steps.pdf", tile.bytes())
    shade = simple_pdf(b"/S sh", resources="/Shading << /S << /ShadingType 1 /ColorSpace "
                       "/DeviceRGB /Domain [0 1e9 0 1e9] /Function 6 0 R >> >>")
    shade.put(6, "<< /FunctionType 2 /Domain [0 1] /N 1e9 >>")
    c.add("pdf-shading-odd.pdf", shade.bytes())
    c.add("pdf-dash-tiny.pdf", simple_pdf(b"[0.00001] 0 d 0 0 m 360 180 l S").bytes())
    c.add("pdf-javascript.pdf", simple_pdf(page="/AA << /O << /S /JavaScript /JS "
          "(while(true){}) >> >>").bytes(), size(1000, 500))
    c.add("pdf-launch.pdf", simple_pdf(page="/AA << /O << /S /Launch /F (/bin/sh) >> >>").bytes(),
          size(1000, 500))
    external = simple_pdf()
    external.put(4, b"<< /Length 0 /F (/etc/passwd) >>\nstream\n\nendstream")
    c.add("pdf-external-stream.pdf", external.bytes(), size(1000, 500))
    # Pictures inside.
    image = "/Type /XObject /Subtype /Image /Width {} /Height {} /BitsPerComponent {} " \
            "/ColorSpace /{} "
    huge = image.format(60000, 60000, 8, "DeviceRGB")
    c.add("pdf-image-60000.pdf", with_stream(bytes(100), huge))
    c.add("pdf-image-60000-flate.pdf", with_stream(zeros(64 << 20), huge + flate))
    c.add("pdf-image-2e31.pdf", with_stream(b"x", image.format(2147483647, 2147483647, 8,
                                                              "DeviceRGB")))
    noise = random.Random(2).randbytes(5000)
    for name in ("JBIG2Decode", "JPXDecode", "DCTDecode", "CCITTFaxDecode", "LZWDecode",
                 "RunLengthDecode", "ASCII85Decode", "ASCIIHexDecode", "Crypt"):
        c.add(f"pdf-noise-{name}.pdf", with_stream(noise, image.format(500, 500, 8, "DeviceGray") +
                                                   f"/Filter /{name}"))
    jbig2 = struct.pack(">IBBBI", 0, 0x30, 0, 1, 19) + struct.pack(">IIIIBH", 0x7FFFFFF, 0x7FFFFFF,
                                                                  0, 0, 0, 0)
    c.add("pdf-jbig2-huge-page.pdf", with_stream(jbig2, image.format(500, 500, 1, "DeviceGray") +
                                                 "/Filter /JBIG2Decode"))
    jpx = (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 \0\0\0\x2djp2h\0\0\0\x16ihdr" +
           struct.pack(">IIHBBBB", 0x7FFFFFF, 0x7FFFFFF, 3, 7, 7, 0, 0))
    c.add("pdf-jpx-huge.pdf", with_stream(jpx, image.format(500, 500, 8, "DeviceRGB") +
                                          "/Filter /JPXDecode"))
    predictor = flate + " /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 65535 >>"
    c.add("pdf-predictor-huge.pdf", with_stream(zlib.compress(noise), image.format(
        50, 50, 8, "DeviceRGB") + predictor))
    # Fonts.
    for kind in ("FontFile", "FontFile2", "FontFile3"):
        font = simple_pdf()
        font.put(5, "<< /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 6 0 R >>")
        font.put(6, f"<< /Type /FontDescriptor /FontName /X /Flags 4 /{kind} 7 0 R >>")
        font.stream(7, noise, "/Subtype /Type1C" if kind == "FontFile3" else "/Length1 5000")
        c.add(f"pdf-font-noise-{kind}.pdf", font.bytes(), "ok 1000 500 1")
    type3 = simple_pdf(b"BT /F1 24 Tf (aaaa) Tj ET")
    type3.put(5, "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] "
                 "/CharProcs << /a 6 0 R >> /Encoding << /Differences [97 /a] >> /FirstChar 97 "
                 "/LastChar 97 /Widths [1] /Resources << /Font << /F1 5 0 R >> >> >>")
    type3.stream(6, b"1 0 d0 BT /F1 1 Tf (aa) Tj ET")
    c.add("pdf-type3-draws-itself.pdf", type3.bytes())
    # Object streams.
    objects = simple_pdf()
    objects.stream(6, zeros(300 << 20), "/Type /ObjStm /N 100000000 /First 100000000 " + flate)
    c.add("pdf-object-stream-bomb.pdf", objects.bytes("/Info 7 0 R"))
    header = b"".join(b"%d 0 " % (i + 10) for i in range(20000))
    objects = simple_pdf()
    objects.stream(6, zlib.compress(header + b"<< >>"), f"/Type /ObjStm /N 20000 /First "
                   f"{len(header)} /Extends 6 0 R " + flate)
    c.add("pdf-object-stream-extends-itself.pdf", objects.bytes())
    c.add("pdf-header-only.pdf", b"%PDF-1.7\n", FAIL)
    c.add("pdf-noise.pdf", b"%PDF-1.7\n" + random.Random(3).randbytes(100000), FAIL)
    c.add("pdf-brackets.pdf", b"%PDF-1.7\n1 0 obj\n" + b"<" * 2000000)
    return whole


# ---- other kinds, and broken copies of sound ones -------------------------------------------


def make_others(c, seeds, pdf):
    c.add("empty.jpg", b"", FAIL)
    c.add("one-byte.png", b"\x89", UNSUPPORTED)
    c.add("zeros.pdf", bytes(10000), UNSUPPORTED)
    c.add("text.png", b"Dear Sir or Madam,\nthe water point is closed.\n", UNSUPPORTED)
    c.add("page.pdf", b"\n<!DOCTYPE html><html><body>moved</body></html>", UNSUPPORTED)
    c.add("drawing.png", b'<?xml version="1.0"?><svg xmlns="x"/>', UNSUPPORTED)
    c.add("letter.jpg", b"PK\3\4" + bytes(26) + b"word/document.xml", UNSUPPORTED)
    c.add("old-letter.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), UNSUPPORTED)
    c.add("moving.gif", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;" +
          b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;", UNSUPPORTED)
    c.add("gif-called.jpg", b"GIF89a" + bytes(100), UNSUPPORTED)
    c.add("bitmap.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0" + bytes(60), UNSUPPORTED)
    c.add("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", UNSUPPORTED)
    c.add("program.png", b"\x7fELF" + bytes(500), UNSUPPORTED)
    c.add("noise.bin", random.Random(4).randbytes(50000), "fail")
    c.add("polyglot-pdf-jpeg.pdf", seeds["rgb.jpg"][:2] + segment(0xFE, pdf[:60000]) +
          seeds["rgb.jpg"][2:], size(96, 64))
    c.add("polyglot-gif-pdf.pdf", b"GIF89a" + pdf, UNSUPPORTED)
    c.add("polyglot-zip-pdf.pdf", b"PK\3\4" + pdf, UNSUPPORTED)
    c.add("polyglot-png-html.png", png(before=chunk(b"tEXt", b"a\0<script>alert(1)</script>")),
          size(40, 30))


def break_copies(c, sound):
    """Truncations at many lengths and flipped bits, of every sound file."""
    for name, data in sound.items():
        stem, ending = name.rsplit(".", 1)
        for part in (2, 10, 25, 50, 75, 90, 99):
            c.add(f"cut-{part}-{stem}.{ending}", data[:len(data) * part // 100])
        for seed in range(6):
            chance = random.Random(f"{name}{seed}")
            broken = bytearray(data)
            for _ in range(1 + seed * 4):
                broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            c.add(f"flip-{seed}-{stem}.{ending}", bytes(broken))


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    subprocess.run([program, str(folder / "seeds")], check=True)
    c, seeds = Corpus(folder), {}
    for line in (folder / "seeds" / "seeds.tsv").read_text().splitlines():
        name, width, height, pages = line.split("\t")
        seeds[name] = (folder / "seeds" / name).read_bytes()
        c.add(f"sound-{name}", seeds[name], size(width, height, pages))
    make_pngs(c)
    make_jpegs(c, seeds)
    make_webps(c, seeds)
    make_tiffs(c, seeds)
    pdf = make_pdfs(c)
    make_others(c, seeds, pdf)
    break_copies(c, {**seeds, "plain.png": png(), "interlaced.png": png(interlace=1),
                     "palette.png": png(colour=3), "page.pdf": pdf})
    c.finish()
    print(f"{len(c.expected)} files in {folder}")


if __name__ == "__main__":
    main()
