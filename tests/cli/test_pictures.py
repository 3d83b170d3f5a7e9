"""`vislang caption`, `ask`, `scene` and `predict` on photographs, as a person meets them. The
model has random weights: what is held is the form, never the words."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
MAKER = os.environ.pop("MAKE_TINY_SEER", str(ROOT / "build" / "make_tiny_seer"))
PHOTO = ROOT / "samples" / "photos" / "cat.jpg"
OTHER = ROOT / "samples" / "photos" / "rocket.jpg"
PAGE = ROOT / "samples" / "notice-swh.jpg"
PAGES = ROOT / "samples" / "letter-fra.tif"


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.model = cls.folder.name + "/tiny.gguf"
        cls.unsure = cls.folder.name + "/unsure.gguf"
        subprocess.run([MAKER, cls.model], check=True)
        subprocess.run([MAKER, cls.unsure, "2"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_it(self, *args, code=0, model=None, **options):
        argv = [PROGRAM, args[0], "--model", model or self.model, *map(str, args[1:])]
        result = subprocess.run(argv, capture_output=True, timeout=120, **options)
        self.assertEqual(result.returncode, code, (args, result.stderr))
        return result.stdout.decode() if code == 0 else result.stderr.decode()

    def test_one_file_is_a_line_and_several_are_named(self):
        for args in (["caption"], ["ask"]):
            question = ["what is it?"] if args[0] == "ask" else []
            alone = self.run_it(*args, PHOTO, *question)
            self.assertEqual(alone.count("\n"), 1)
            self.assertNotIn("cat.jpg", alone)
            both = self.run_it(*args, PHOTO, OTHER, *question).splitlines()
            self.assertEqual(both[0], f"{PHOTO}: {alone.rstrip()}")
            self.assertTrue(both[1].startswith(f"{OTHER}: "))
        lines = self.run_it("scene", PHOTO, OTHER).splitlines()
        self.assertEqual([l for l in lines if l.endswith(":")], [f"{PHOTO}:", f"{OTHER}:"])

    def test_json_is_one_object_a_line(self):
        for args, names in (
                (["caption", PHOTO, OTHER], "caption language confidence sure"),
                (["ask", PHOTO, OTHER, "what is it?"], "question answer confidence sure"),
                (["ask", PHOTO, OTHER, "--statement", "There is a cat."],
                 "statement answer probability confidence sure"),
                (["scene", PHOTO, OTHER], "set labels"), (["scene", PHOTO, "--labels", "kind"], "set labels")):
            lines = [json.loads(l) for l in self.run_it(*args, "--json").splitlines()]
            self.assertEqual([l["file"] for l in lines], [str(a) for a in args if isinstance(a, Path)])
            for line in lines:
                self.assertLessEqual({*names.split(), "processing_time_ms"}, set(line))
                self.assertEqual(line["model_info"], {"name": "seer", "version": "tiny-1"})

    def test_a_statement_is_true_or_false(self):
        self.assertRegex(self.run_it("ask", PHOTO, "--statement", "There is a cat."),
                         r"^(true|false) \(\d+ %\)\n$")

    def test_not_sure_is_said(self):
        for args in (["caption", PHOTO], ["ask", PHOTO, "what is it?"], ["scene", PHOTO],
                     ["ask", PHOTO, "--statement", "There is a cat."]):
            self.assertEqual(self.run_it(*args).count("(not sure)"), 0)
            self.assertEqual(self.run_it(*args, model=self.unsure).count("(not sure)"), 1)

    def test_sampling_repeats_with_its_seed(self):
        texts = [self.run_it("caption", PHOTO, "--sample", "--seed", s, "--temperature", "2")
                 for s in ("1", "1", "2", "3")]
        self.assertEqual(texts[0], texts[1])
        self.assertGreater(len(set(texts)), 1)
        self.assertEqual(self.run_it("caption", PHOTO), self.run_it("caption", PHOTO, "--beams", "12"))

    def test_pages_and_standard_input(self):
        first, second = (self.run_it("scene", PAGES, "-j", *page) for page in ([], ["--page", "2"]))
        labels = [json.loads(text)["labels"] for text in (first, second)]
        self.assertNotEqual(*labels)
        self.assertIn("no page 3; it has 2 pages", self.run_it("scene", PAGES, "-p", "3", code=3))
        with open(PHOTO, "rb") as file:
            self.assertEqual(self.run_it("caption", "-", stdin=file), self.run_it("caption", PHOTO))

    def test_wrong_usage_is_2(self):
        for args, words in (
                (["caption"], "which file?"), (["scene"], "which file?"),
                (["ask"], "which question?"), (["ask", PHOTO], "which question?"),
                (["ask", PHOTO, OTHER], "which question?"), (["ask", "what is it?"], "which file?"),
                (["ask", "--statement", "x"], "which file?"), (["ask", PHOTO, "  "], "empty"),
                (["ask", PHOTO, "--statement", ""], "empty"),
                (["caption", PHOTO, "--language", "xx"], "it writes: en, fr"),
                (["scene", PHOTO, "--labels", "mood"], "it has: scene, kind"),
                (["scene", PHOTO, "--labels", "untaught"], "it has: scene, kind"),
                (["caption", PHOTO, "--beams", "17"], "from 1 to 16"),
                (["caption", PHOTO, "--beams", "2", "--sample"], "one of them"),
                (["caption", PHOTO, "--seed", "2"], "needs --sample"),
                (["caption", PHOTO, "--sample", "--top-p", "1.5"], "from 0.01 to 1"),
                (["caption", PHOTO, "--page", "0"], "from 1 to"),
                (["caption", PHOTO, "--langage", "fr"], "did you mean --language")):
            self.assertIn(words, self.run_it(*args, code=2), args)

    def test_bad_files_do_not_lose_the_good_ones(self):
        with tempfile.TemporaryDirectory() as folder:
            text, cut = Path(folder, "text.jpg"), Path(folder, "cut.jpg")
            text.write_text("no picture at all")
            cut.write_bytes(PHOTO.read_bytes()[:300])
            argv = [PROGRAM, "caption", "-m", self.model, text, cut, folder + "/none.jpg", PHOTO]
            result = subprocess.run(argv, capture_output=True, timeout=120)
        self.assertEqual(result.returncode, 3)
        for name in ("text.jpg", "cut.jpg", "none.jpg"):
            self.assertIn(name, result.stderr.decode())
        self.assertEqual(result.stdout.decode().count("\n"), 1)
        self.assertTrue(result.stdout.decode().startswith(f"{PHOTO}: "))

    def test_no_model_is_4_and_a_broken_one_3(self):
        self.assertIn("is not there", self.run_it("caption", PHOTO, code=4, model="/none.gguf"))
        self.assertIn("not a GGUF", self.run_it("caption", PHOTO, code=3, model=ROOT / "README.md"))
        with tempfile.TemporaryDirectory() as folder:
            cut = Path(folder, "cut.gguf")
            cut.write_bytes(Path(self.model).read_bytes()[:100000])
            self.assertIn("cut.gguf", self.run_it("caption", PHOTO, code=3, model=cut))

    def test_predict_of_a_photograph(self):
        answer = json.loads(self.run_it("predict", PHOTO, "-j"))
        self.assertTrue(answer["response"].startswith("A photograph. It shows: "), answer["response"])
        self.assertEqual(answer["model_info"]["name"], "seer")
        answer = json.loads(self.run_it("predict", PHOTO, "-j", "-i", "what is the cat doing?"))
        self.assertEqual(answer["response"], answer["evidence"]["picture"]["answer"])

    def test_predict_without_a_model_reads_pages(self):
        argv = [PROGRAM, "predict", "-m", "/none.gguf", PAGE, PHOTO]
        result = subprocess.run(argv, capture_output=True, timeout=120, text=True)
        self.assertEqual(result.returncode, 0)
        self.assertIn("Swahili", result.stdout)
        self.assertIn("No picture model is loaded", result.stdout)
        self.assertIn("/none.gguf", result.stderr)

    def test_doctor_shows_the_model(self):
        def found(*args):
            result = subprocess.run([PROGRAM, "doctor", "--json", *args], capture_output=True)
            self.assertEqual(result.returncode, 0)
            return {item["name"]: item for item in json.loads(result.stdout)}["picture model"]
        item = found("--set", f"model_path={self.model}")
        self.assertRegex(item["detail"], r"tiny\.gguf: seer tiny-1, q8_0, \d+\.\d MB$")
        self.assertTrue(item["ok"])
        item = found("--set", "model_path=/none.gguf")
        self.assertFalse(item["ok"])
        self.assertIn("cannot be described", item["detail"])
        self.assertIn("model_path", item["fix"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
