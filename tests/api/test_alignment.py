"""POST /research/alignment: what is found, what is said not to be known, the banks and the cache, with a service that
has a space of a few words; and what the bundled space finds in the bundled bank.

usage: test_alignment.py PROGRAM MAKE_TINY_SPACE [unittest options]"""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Server, clean_environment, request_bytes, wait_until

PROGRAM = SPACE = None
ROOT = Path(__file__).resolve().parents[2]
CRISIS = ROOT / "models/bank/crisis"
ENGLISH = ["The bridge is closed.", "", "Wash your hands with soap.", "The child drinks water.",
           "  The   teacher is at the school.  ", "The market has food."]
PLACES = {"Daraja limefungwa, daraja imefungwa.": 1, "Osha mikono kwa sabuni.": 3, "Mtoto kunywa maji.": 4,
          "Mwalimu shule.": 5, "Soko lina chakula.": 6}


def counter(server, name):
    for line in server.get("/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(name)


def write_bank(folder, name="notes", **files):
    for language, lines in files.items():
        path = Path(folder, name, f"{language}.txt")
        path.parent.mkdir(exist_ok=True)
        text = lines if isinstance(lines, bytes) else "\n".join(lines).encode() + b"\n"
        new = path.with_suffix(".new")
        new.write_bytes(text)
        os.replace(new, path)


class Case(unittest.TestCase):
    server = None

    def ask(self, text="Mtoto kunywa maji.", source="sw", target="en", status=200, **more):
        r = self.server.call("POST", "/research/alignment",
                             {"source_text": text, "source_lang": source, "target_lang": target, **more})
        self.assertEqual(r.status, status, r)
        if status != 200:
            self.assertEqual(r.headers["content-type"], "application/problem+json")
        return r.json()

    def body(self, data, status, *words):
        r = self.server.send(request_bytes("POST", "/research/alignment", self.server.identified((
            "Content-Type: application/json", f"Content-Length: {len(data)}")), data))
        self.assertEqual(r.status, status, r)
        for word in words:
            self.assertIn(word, r.json()["detail"])


class WithBank(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        write_bank(cls.folder.name, en=ENGLISH)
        Path(cls.folder.name, "README.md").write_text("What lies beside the banks is left alone.\n")
        cls.server = Server(PROGRAM, alignment_space=SPACE, alignment_bank_path=cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0
        cls.folder.cleanup()

    def test_a_sentence_is_found(self):
        for text, line in PLACES.items():
            found = self.ask(text, bank="notes", min_confidence=0)
            first = found["matches"][0]
            self.assertEqual(first["place"], {"bank": "notes", "line": line}, found)
            self.assertEqual(first["text"], " ".join(ENGLISH[line - 1].split()))
            self.assertEqual(found["sentences"], 5)
            order = [m["confidence"] for m in found["matches"]]
            self.assertEqual(order, sorted(order, reverse=True))
            self.assertEqual(found["known"], True)
            self.assertIsNone(found["reason"])
            self.assertEqual((found["source"]["language"], found["target"]["name"]), ("sw", "English"))

    def test_candidates_are_the_bank(self):
        found = self.ask("Soko lina chakula.", candidates=["", "rain", "food of the market"], min_confidence=0)
        self.assertEqual(found["matches"][0]["text"], "food of the market")
        self.assertEqual(found["matches"][0]["place"], {"bank": "candidates", "line": 3})
        self.assertEqual(found["sentences"], 3)

    def test_limit_and_confidence(self):
        self.assertEqual(len(self.ask(bank="crisis", limit=2, min_confidence=0)["matches"]), 2)
        low = self.ask(min_confidence=0)
        best = low["matches"][0]["confidence"]
        none = self.ask(min_confidence=min(1, best + 0.01))
        self.assertEqual((none["known"], none["reason"], none["matches"]), (False, "low_confidence", []))
        self.assertIn(f"{best:.2f}", none["detail"])

    def test_all_banks_together(self):
        alone = {bank: self.ask(bank=bank, min_confidence=0, limit=50) for bank in ("notes", "crisis", "phrases")}
        together = self.ask(min_confidence=0, limit=50)
        self.assertEqual(together["sentences"], sum(a["sentences"] for a in alone.values()))
        best = max((m for a in alone.values() for m in a["matches"]), key=lambda m: m["confidence"])
        self.assertEqual(together["matches"][0], best)

    def test_gloss(self):
        text = "Mtoto – “maji” 1,500 xyz!"
        gloss = self.ask(text)["gloss"]
        self.assertEqual([text.encode()[w["from"]:w["to"]].decode() for w in gloss], ["Mtoto", "maji", "1,500", "xyz"])
        self.assertEqual([w["word"] for w in gloss], ["Mtoto", "maji", "1,500", "xyz"])
        self.assertEqual([[m["word"] for m in w["meanings"]] for w in gloss], [["child"], ["water"], ["1500"], []])
        self.assertEqual([w["known"] for w in gloss], [True, True, True, False])
        self.assertEqual([round(w["confidence"], 1) for w in gloss], [0.9, 0.9, 1, 0])
        for target, word, code in (("fr", "eau", "fr"), ("am", "ውሃ", "am"), ("sw", "maji", "sw"), ("so", "water", "en")):
            meaning = self.ask("maji", target=target)["gloss"][0]["meanings"][0]
            self.assertEqual((meaning["word"], meaning["language"]), (word, code))
        self.assertEqual(self.ask("ውሃ", "am", "fr")["gloss"][0]["meanings"][0]["word"], "eau")

    def test_names_of_languages(self):
        wanted = self.ask(min_confidence=0)
        for source, target in (("swa", "eng"), ("swh", "EN"), ("sw-KE", "en_GB"), ("Swahili", "english")):
            found = self.ask(source=source, target=target, min_confidence=0)
            for what in ("matches", "gloss", "source", "target"):
                self.assertEqual(found[what], wanted[what], (source, target))

    def test_what_is_not_known(self):
        english = "The government has declared a state of emergency in the whole country."
        for reason, text, source, target, more in (
                ("no_words", "!!! …", "sw", "en", {}),
                ("no_words", " \t\n", "sw", "en", {}),
                ("language_not_served", "Carruurtu waxay cabbaan biyo", "so", "en", {}),
                ("language_not_served", "Mtoto kunywa maji", "sw", "de", {"candidates": ["Wasser"]}),
                ("wrong_language", english, "sw", "fr", {}),
                ("wrong_language", english, "am", "fr", {}),
                ("no_bank", "maji", "sw", "fr", {"bank": "notes"}),
                ("no_known_word", "zzz qqq", "sw", "en", {"bank": "notes"}),
                ("low_confidence", "mvua", "sw", "en", {"bank": "notes"})):
            found = self.ask(text, source, target, **more)
            self.assertEqual((found["known"], found["reason"]), (False, reason), found)
            self.assertTrue(found["detail"])
        self.assertEqual(self.ask(english, "sw", "fr")["source"]["detected"]["language"], "en")
        # What is too short to tell is not told.
        self.assertIsNone(self.ask("maji", "sw", "en")["source"]["detected"])

    def test_bad_input(self):
        ask = {"source_text": "maji", "source_lang": "sw", "target_lang": "en"}
        for change, status, words in (
                ({"source_text": ""}, 400, "source_text"), ({"source_text": None}, 400, "source_text"),
                ({"source_text": 7}, 400, "source_text"), ({"source_text": ["maji"]}, 400, "source_text"),
                ({"source_text": "maji " * 200000}, 413, "1000000 bytes"),
                ({"source_text": "x" * (1 << 20)}, 413, "1048576 bytes"),
                ({"source_lang": "xqx"}, 422, "source_lang"), ({"source_lang": ""}, 400, "source_lang"),
                ({"target_lang": "no such language"}, 422, "target_lang"), ({"target_lang": "s"}, 422, "target_lang"),
                ({"target_lang": "../etc"}, 422, "target_lang"), ({"target_lang": "x" * 4000}, 413, "target_lang"),
                ({"bank": "note"}, 422, "'notes'"), ({"bank": "../notes"}, 422, "no bank"), ({"bank": ""}, 400, "bank"),
                ({"limit": 0}, 400, "limit"), ({"limit": 51}, 400, "limit"), ({"limit": 1.5}, 400, "limit"),
                ({"limit": "5"}, 400, "limit"), ({"min_confidence": -0.1}, 400, "min_confidence"),
                ({"min_confidence": 1.1}, 400, "min_confidence"), ({"candidates": []}, 400, "candidates"),
                ({"candidates": "water"}, 400, "candidates"), ({"candidates": ["water", 1]}, 400, "candidate 1"),
                ({"candidates": ["water"] * 2001}, 413, "2001"), ({"candidates": ["w" * 600000] * 2}, 413, "together"),
                ({"candidates": ["water"], "bank": "notes"}, 400, "exclude"),
                ({"sourcetext": "maji"}, 400, '"source_text"')):
            self.body(json.dumps({**ask, **change}).encode(), status, words)
        for missing in ask:
            self.body(json.dumps({k: v for k, v in ask.items() if k != missing}).encode(), 400, missing)
        good = json.dumps(ask).encode()
        for data, status, words in (
                (b"", 400, "empty"), (b"[]", 400, "object"), (b"{", 400, "object"), (b"null", 400, "object"),
                (good.replace(b"maji", b"ma\xff\xfeji"), 422, "UTF-8"), (good.replace(b"maji", b"ma\0ji"), 422, "NUL"),
                (good.replace(b"maji", b"ma\\u0000ji"), 422, "NUL"), (good.replace(b"maji", b"\xed\xa0\x80"), 422, "UTF-8"),
                (good[:-1] + b', "source_text": "x"}', 400, "twice")):
            self.body(data, status, words)
        self.body(good[:-1] + b" " * (5 << 20) + b"}", 413)
        form = self.server.post("/research/alignment", [("source_text", "maji")])
        self.assertEqual(form.status, 415)
        self.assertEqual(self.ask()["sentences"], 124)  # and it answers as before

    def test_any_text_is_answered(self):
        for text in ("ﷺ" * 2000, "a\u0301" * 3000, "\u202e\u200f\u200b", "ሀ" * 5000, "1 " * 8000, "😀" * 4000,
                     "maji\tmaji\r\nmaji", "ᄀ" * 5000, "\ufdfa" * 5000, "\\" * 16000, "๛กขฃ" * 1000):
            found = self.ask(text)
            self.assertEqual(found["words"], len(found["gloss"]))

    def test_long_candidates(self):
        found = self.ask(candidates=["water " * 10000] * 10 + ["The child drinks water."], min_confidence=0, limit=50)
        self.assertEqual(found["matches"][0]["place"]["line"], 11)

    def test_answered_before(self):
        ask = {"source_text": "Mtoto kunywa maji tena.", "source_lang": "sw", "target_lang": "en"}
        first, second = (self.server.call("POST", "/research/alignment", ask) for _ in range(2))
        self.assertEqual((first.headers["x-cache"], second.headers["x-cache"]), ("miss", "hit"))
        self.assertEqual(first.body, second.body)
        for other in ({"target_lang": "fr"}, {"limit": 4}, {"source_text": "Mtoto kunywa maji  tena."}):
            r = self.server.call("POST", "/research/alignment", {**ask, **other})
            self.assertEqual(r.headers["x-cache"], "miss", other)

    def test_many_at_once(self):
        wrong = []

        def ask(first):
            for n in range(first, 400, 8):
                found = self.ask(f"Mtoto {n} kunywa maji.", candidates=[f"The child {k} drinks water." for k in range(n, n + 5)],
                                 min_confidence=0)
                if found["matches"][0]["place"]["line"] != 1:
                    wrong.append((n, found["matches"][0]))
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_counted(self):
        names = [f"vislang_alignment_{what}_total" for what in ("requests", "unknown", "failures", "seconds")]
        before = [counter(self.server, name) for name in names]
        self.ask("Mtoto kunywa maji, counted.", bank="notes", min_confidence=0)
        self.ask("!?! counted".replace("counted", ""))
        self.ask(limit=0, status=400)
        after = [counter(self.server, name) for name in names]
        self.assertEqual([b - a for a, b in zip(before[:3], after)], [3, 1, 1])
        self.assertGreater(after[3], before[3])

    def test_who_may(self):
        server = Server(PROGRAM, admin=True, alignment_space=SPACE)
        try:
            ask = {"source_text": "maji", "source_lang": "sw", "target_lang": "en"}
            viewer = f"X-API-Key: {server.admin('apikey', 'create', 'root', 'v', role='viewer')}"
            self.assertEqual(server.call("POST", "/research/alignment", ask, viewer).status, 200)
            for wrong in ("X-API-Key: vl_wrong", "Authorization: Bearer x"):
                self.assertEqual(server.call("POST", "/research/alignment", ask, wrong).status, 401)
        finally:
            self.assertEqual(server.stop(), 0)


class Banks(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def serve(self, **settings):
        self.server = Server(PROGRAM, alignment_space=SPACE, alignment_bank_path=self.folder, **settings)
        self.addCleanup(self.server.stop)

    def first(self, **more):
        found = self.ask(bank="notes", min_confidence=0, **more)["matches"]
        return found[0]["text"] if found else None

    def test_read_again_when_changed(self):
        write_bank(self.folder, en=["The child drinks water."], fr=["L'enfant boit de l'eau."])
        self.serve()
        self.assertEqual(self.first(), "The child drinks water.")
        write_bank(self.folder, en=["Water for a child"])
        self.assertTrue(wait_until(lambda: self.first() == "Water for a child", 20))
        self.assertEqual(self.first(target="fr"), "L'enfant boit de l'eau.")
        for broken in (b"no \xff text\n", b"\n\n", b"x" * 4097 + b"\n"):
            lines = len(self.server.lines)
            write_bank(self.folder, en=broken)
            self.assertTrue(wait_until(lambda: any("cannot be used" in line and "notes/en.txt" in line
                                                   for line in self.server.lines[lines:]), 20))
            self.assertEqual(self.first(), "Water for a child")
        self.assertEqual(sum("cannot be used" in line for line in self.server.lines), 3, "said once each")
        os.unlink(Path(self.folder, "notes/en.txt"))
        with gzip.open(Path(self.folder, "notes/swh.txt.gz"), "wb") as file:
            file.write("\ufeffmaji ya mtoto\n".encode())
        self.assertTrue(wait_until(lambda: self.ask(bank="notes")["reason"] == "no_bank", 20))
        self.assertEqual(self.first(target="sw"), "maji ya mtoto")
        shutil.rmtree(self.folder)
        self.assertTrue(wait_until(lambda: any("the folder of banks" in line for line in self.server.lines), 20))
        self.assertEqual(self.first(target="sw"), "maji ya mtoto")
        os.mkdir(self.folder)

    def test_replaced_while_it_is_searched(self):
        texts = [["The child drinks water."] * 500, ["Water for a child"] * 700]
        write_bank(self.folder, en=texts[0])
        self.serve(cache_size_mb=0)
        stop, seen, wrong = threading.Event(), set(), []

        def ask():
            while not stop.is_set():
                found = self.ask(bank="notes", min_confidence=0)
                pair = (found["matches"][0]["text"], found["sentences"])
                seen.add(pair)
                if pair not in ((texts[0][0], 500), (texts[1][0], 700)):
                    wrong.append(pair)
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for t in threads:
            t.start()
        try:
            for turn in range(1, 4):
                write_bank(self.folder, en=texts[turn % 2])
                want = len(texts[turn % 2])
                self.assertTrue(wait_until(lambda: self.ask(bank="notes")["sentences"] == want, 20))
        finally:
            stop.set()
            for t in threads:
                t.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(seen), 2)

    def test_refused_at_the_start(self):
        def start(**settings):
            flags = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
            return subprocess.run([PROGRAM, "serve", "--port", "0", "--set", f"database_url=sqlite://{self.folder}/db", *flags],
                                  capture_output=True, text=True, timeout=60, env=clean_environment())
        good = ["The child drinks water."]
        for files, words in (({"en": b"a\nb \xff\n"}, ("notes/en.txt", "line 2", "UTF-8")),
                             ({"en": b"a\nb\0c\n"}, ("notes/en.txt", "line 2")),
                             ({"en": b"\n \n"}, ("notes/en.txt", "no sentence")),
                             ({"en": b"a\n" + b"b" * 4097}, ("notes/en.txt", "line 2", "4097")),
                             ({"en": b"a\n" * 100001}, ("notes/en.txt", "100000")),
                             ({"sw": good, "swh": good}, ("notes/sw", "same language")),
                             ({"english": good}, ("notes/english.txt", "no language"))):
            shutil.rmtree(Path(self.folder, "notes"), ignore_errors=True)
            write_bank(self.folder, **files)
            r = start(alignment_space=SPACE, alignment_bank_path=self.folder)
            self.assertEqual(r.returncode, 3, (files, r.stderr))
            for word in words:
                self.assertIn(word, r.stderr)
        shutil.rmtree(Path(self.folder, "notes"))
        write_bank(self.folder, name="crisis", en=good)
        self.assertIn("bundled", start(alignment_space=SPACE, alignment_bank_path=self.folder).stderr)
        shutil.rmtree(Path(self.folder, "crisis"))
        write_bank(self.folder, name="a b", en=good)
        self.assertIn("is named by", start(alignment_space=SPACE, alignment_bank_path=self.folder).stderr)
        for space in ("/nonexistent/align.bin", str(ROOT / "README.md")):
            r = start(alignment_space=space)
            self.assertIn(r.returncode, (3, 4), r.stderr)
            self.assertIn(space, r.stderr)
        r = start(alignment_space=SPACE, alignment_bank_path="/nonexistent")
        self.assertEqual(r.returncode, 4, r.stderr)


class BundledBanks(unittest.TestCase):
    def test_line_by_line_in_each_language(self):
        files = sorted(CRISIS.glob("*.txt"))
        self.assertGreaterEqual(len(files), 6)
        lines = {file.stem: file.read_text("utf-8").splitlines() for file in files}
        self.assertEqual({len(sentences) for sentences in lines.values()}, {len(lines["en"])})
        for language, sentences in lines.items():
            self.assertEqual(len(set(sentences)), len(sentences), language)
            for line in sentences:
                self.assertEqual(line, " ".join(line.split()))
                self.assertIn(line[-1], ".?؟", (language, line))


@unittest.skipUnless((ROOT / "models/align.bin").exists(), "models/align.bin is not there")
class Bundled(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def test_the_bank_is_found_across_languages(self):
        """Nothing is read but models/: each sentence of one language is looked for among those of another."""
        lines = {file.stem: file.read_text("utf-8").splitlines() for file in CRISIS.glob("*.txt")}
        for source, target in (("fr", "en"), ("sw", "en"), ("ar", "en"), ("en", "sw"), ("en", "fr"), ("sw", "fr")):
            first = [self.ask(text, source, target, bank="crisis", min_confidence=0, limit=1)["matches"] for text in lines[source]]
            right = sum(bool(found) and found[0]["place"]["line"] == i + 1 for i, found in enumerate(first))
            print(f"{source} → {target}: {right} of {len(first)} found", file=sys.stderr)
            self.assertGreater(right, len(first) / 4, (source, target))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    maker = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as made:
        SPACE = os.path.join(made, "tiny.bin")
        subprocess.run([maker, SPACE], check=True)
        result = unittest.main(exit=False).result
    print(f"alignment tests: {result.testsRun} run, {len(result.failures) + len(result.errors)} failed, "
          f"{len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
