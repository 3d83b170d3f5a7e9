"""Documents that the tests make datasets of, written by the project: web pages with pictures, tables and captions in
several languages, plain texts, and what cannot be read."""

import base64
import random
import struct
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


def write(folder, seed=1, pages=12, texts=30, languages=("swa", "fra", "eng")):
    """Files in `folder`, the same for a seed."""
    rng = random.Random(seed)
    for i in range(pages):
        lang = languages[i % len(languages)]
        (folder / f"page-{i:04}.html").write_bytes(page(rng, lang, sentence(rng, lang, 4)))
    for i in range(texts):
        (folder / f"text-{i:05}.txt").write_bytes(text(rng, languages[i % len(languages)]))
