"""Documents that the tests make datasets of, written by the project: web pages with pictures, tables and captions in
several languages, plain texts, and what cannot be read."""

import base64
import random
import struct
import textwrap
import zlib

WORDS = {
    "swa": "maji watu kijiji mvua mto shule wagonjwa chakula kituo afya mafuriko wakimbizi familia watoto barabara msaada "
           "serikali nyumba soko usiku asubuhi wiki mwezi mwaka mkoa wilaya dawa chanjo kipindupindu visima".split(),
    "fra": "eau village pluie fleuve école malades nourriture centre santé inondation réfugiés familles enfants route aide "
           "gouvernement maison marché nuit matin semaine mois année région district médicaments vaccin choléra".split(),
    "eng": "water village rain river school patients food centre health flood refugees families children road aid government "
           "house market night morning week month year region district medicine vaccine cholera wells shelter".split(),
}
GLUE = {"swa": ("ya", "na", "katika", "kwa", "wa", "ni", "za"), "fra": ("de", "et", "dans", "pour", "sur", "est", "les"),
        "eng": ("of", "and", "in", "for", "on", "is", "the")}
FIGURE = {"swa": "Kielelezo", "fra": "Figure", "eng": "Figure"}
TABLE = {"swa": "Jedwali", "fra": "Tableau", "eng": "Table"}


def sentence(rng, lang, words=12):
    out = []
    for i in range(words):
        out.append(rng.choice(WORDS[lang]))
        if i % 2 == 0 and i < words - 1:
            out.append(rng.choice(GLUE[lang]))
    return " ".join(out).capitalize() + "."


def paragraph(rng, lang, sentences=3):
    return " ".join(sentence(rng, lang) for _ in range(sentences))


def png(rng, width=160, height=120):
    """A chart of bars in colours: no two are alike."""
    rows, bars = [], [(rng.randrange(10, height), [rng.randrange(256) for _ in range(3)]) for _ in range(8)]
    for y in range(height):
        row = bytearray([0])
        for x in range(width):
            tall, colour = bars[x * 8 // width]
            row += bytes(colour if height - y < tall else (255, 255, 255))
        rows.append(bytes(row))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))


def page(rng, lang, title, paragraphs=4, figure=True, table=True, extra=""):
    picture = base64.b64encode(png(rng)).decode()
    body = "".join(f"<p>{paragraph(rng, lang)}</p>" for _ in range(paragraphs))
    shown = (f'<figure><img src="data:image/png;base64,{picture}" alt="{sentence(rng, lang, 5)}">'
             f"<figcaption>{FIGURE[lang]} 1. {sentence(rng, lang, 8)}</figcaption></figure>"
             f"<p>{FIGURE[lang]} 1: {sentence(rng, lang)}</p>") if figure else ""
    names = rng.sample(WORDS[lang], 4)
    rows = "".join(f"<tr><th>{name.capitalize()}</th><td>{rng.randrange(10, 9999)}</td><td>{rng.randrange(10, 9999)}</td></tr>"
                   for name in names)
    grid = (f"<table><caption>{TABLE[lang]} 1. {sentence(rng, lang, 6)}</caption><tr><th></th><th>2023</th><th>2024</th></tr>"
            f"{rows}</table>") if table else ""
    return (f'<!DOCTYPE html><html lang="{lang[:2]}"><head><meta charset="utf-8"><title>{title}</title></head><body><main>'
            f"<h1>{title}</h1>{body}{shown}{grid}{extra}</main></body></html>").encode()


def text(rng, lang, paragraphs=3):
    return "\n\n".join(paragraph(rng, lang) for _ in range(paragraphs)).encode() + b"\n"


def report(rng, lang, pages=3):
    """A PDF whose pages have a heading, paragraphs and a chart of bars over its caption."""
    wrapped = lambda said: textwrap.wrap(said, 88)
    def show(size, x, y, said):
        return f"BT /F {size} Tf {x} {y} Td ({said.encode('cp1252').decode('latin-1')}) Tj ET"
    def content(number):
        out, y = [show(16, 60, 780, sentence(rng, lang, 4))], 750
        for _ in range(3):
            for line in wrapped(paragraph(rng, lang)):
                out.append(show(10, 60, y, line))
                y -= 13
            y -= 13
        base = y - 170
        for bar in range(6):
            colour = " ".join(f"{rng.uniform(0, 0.7):.2f}" for _ in range(3))
            out.append(f"{colour} rg {100 + 60 * bar} {base} 60 {rng.randrange(40, 160)} re f")
        out.append(f"0 g 0 G 90 {base} m 500 {base} l S 90 {base} m 90 {base + 165} l S")
        out.append(show(9, 100, base - 22, f"{FIGURE[lang]} {number}. {sentence(rng, lang, 7)}"))
        return "\n".join(out).encode("latin-1")
    bodies = [content(number + 1) for number in range(pages)]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" %
               (pages, b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(pages))),
               b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    for i, body in enumerate(bodies):
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>" % (5 + 2 * i))
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(body), body))
    out, places = b"%PDF-1.4\n", []
    for number, thing in enumerate(objects):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number + 1, thing)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" %
                  (len(objects) + 1, table, len(objects) + 1, len(out)))


def write(folder, seed=1, pages=12, texts=30, languages=("swa", "fra", "eng")):
    """Files in `folder`, the same for a seed."""
    rng = random.Random(seed)
    for i in range(pages):
        lang = languages[i % len(languages)]
        (folder / f"page-{i:04}.html").write_bytes(page(rng, lang, sentence(rng, lang, 4)))
    for i in range(texts):
        (folder / f"text-{i:05}.txt").write_bytes(text(rng, languages[i % len(languages)]))
