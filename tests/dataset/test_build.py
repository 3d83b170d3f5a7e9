"""`vislang dataset build`: what a dataset is made of can be traced, the same is made however it is built, and what is broken
is said."""

import hashlib
import json
import math
import os
import random
import re
import resource
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import documents

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
RECIPE = "name: test\nseed: 3\ncollections: [collection]\npicture_model: false\nmin_quality_score: 0\n"


def tree(folder):
    """Path → hash of all files: two datasets are one when these are equal."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


class Build(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.shared.cleanup)
        cls.place = Path(cls.shared.name) / "place"
        cls.place.mkdir()
        documents.write(cls.place, pages=12, texts=700)
        rng = random.Random(9)
        (cls.place / "personal.html").write_bytes(documents.page(
            rng, "eng", "Contacts of the clinic: clinic@example.org", extra="<p>For the ambulance of the district call Mr. Peter Okello at +254 722 "
            "123 456 or write to okello@example.org, who keeps the list of all patients of the region.</p>"))
        (cls.place / "shown.png").write_bytes(documents.png(rng))
        (cls.place / "outside.html").write_bytes(documents.page(
            rng, "fra", "Les puits", figure=False, table=False,
            extra='<figure><img src="shown.png"><figcaption>Les puits du village après les pluies de mai</figcaption></figure>'))
        (cls.place / "broken.pdf").write_bytes(b"%PDF-1.4\nno more than a head\n")
        (cls.place / "empty.html").write_bytes(b"<html></html>")
        (cls.place / "same-again.txt").write_bytes((cls.place / "text-00000.txt").read_bytes().replace(b"\n\n", b"\n\n\n"))
        cls.collection = cls.shared.name + "/collection"
        cls.call("harvest", cls.place, "--out", cls.collection)
        cls.whole = Path(cls.shared.name) / "whole"
        cls.recipe = Path(cls.shared.name) / "recipe.yaml"
        cls.recipe.write_text(RECIPE)
        cls.report = json.loads(cls.call("dataset", "build", "--recipe", cls.recipe, "--out", cls.whole, "--json").stdout)
        cls.items = [json.loads(line) for path in sorted(cls.whole.glob("items-*.jsonl"))
                     for line in path.read_text().splitlines()]
        cls.documents = [json.loads(line) for line in (cls.whole / "documents.jsonl").read_text().splitlines()]

    @classmethod
    def call(cls, *args, code=0, **options):
        result = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=280,
                                env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": cls.shared.name}, **options)
        assert result.returncode == code, (args, result.returncode, result.stdout, result.stderr)
        return result

    def setUp(self):
        home = tempfile.TemporaryDirectory(dir=self.shared.name)
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)

    def build(self, out, *args, recipe=None, code=0, **options):
        return self.call("dataset", "build", "--recipe", recipe or self.recipe, "--out", out, *args, code=code, **options)

    def write_recipe(self, text):
        path = self.home / "recipe.yaml"
        path.write_text(text.replace("[collection]", f"[{self.collection}]"))
        return path

    # ---- what it is

    def test_every_item_can_be_traced(self):
        known = {(d["record"], d["document"]) for d in self.documents}
        base = None
        self.assertGreater(len(self.items), 1000)
        ids = [item["id"] for item in self.items]
        self.assertEqual(len(ids), len(set(ids)))
        for item in self.items:
            source = item["source"]
            self.assertIn((source["record"], source["document"]), known)
            self.assertTrue((Path(self.collection) / "objects" / source["document"][:2] / source["document"]).is_file())
            if item["kind"] in ("pair", "text"):
                base = item
                self.assertNotIn("base", item)
                continue
            self.assertEqual(item["base"], base["id"])
            self.assertEqual((item["split"], item["source"], item["quality"]), (base["split"], base["source"], base["quality"]))
            self.assertTrue(item["instruction"] and item["text"])

    def test_passages_are_words_of_their_documents(self):
        seen = 0
        for item in self.items:
            if item["kind"] == "text" and "text-" in item["source"]["record"]:
                raw = (self.place / Path(item["source"]["record"]).name).read_text()
                for part in item["text"].split("\n"):
                    self.assertIn(part, raw)
                seen += 1
        self.assertGreater(seen, 500)

    def test_pictures_are_there_under_the_hash_of_their_bytes(self):
        named = {item["picture"] for item in self.items if "picture" in item}
        self.assertGreaterEqual(len(named), 10)
        there = {str(path.relative_to(self.whole)) for path in (self.whole / "pictures").rglob("*.*")}
        self.assertEqual(named, there)
        for path in named:
            self.assertEqual(hashlib.sha256((self.whole / path).read_bytes()).hexdigest(), Path(path).stem)

    def test_pairs_have_the_captions_of_their_pictures(self):
        pairs = [item for item in self.items if item["kind"] == "pair"]
        self.assertGreaterEqual(len(pairs), 10)
        for item in pairs:
            raw = (self.place / Path(item["source"]["record"]).name).read_text()
            self.assertIn(item["text"], re.findall("<figcaption>(.*?)</figcaption>", raw))
            self.assertEqual((item["width"], item["height"]), (160, 120))

    def test_pictures_beside_a_page_are_found(self):
        pair = [i for i in self.items if i["kind"] == "pair" and i["source"]["record"].endswith("outside.html")]
        self.assertEqual([i["text"] for i in pair], ["Les puits du village après les pluies de mai"])

    def test_languages_are_told(self):
        count = {}
        for item in self.items:
            if item["kind"] == "text":
                count[item["language"]] = count.get(item["language"], 0) + 1
        for lang in ("swa", "fra", "eng"):
            self.assertGreater(count[lang], 150, count)

    def test_personal_data_is_replaced(self):
        everything = "".join(path.read_text() for path in self.whole.glob("*.jsonl"))
        for secret in ("722 123 456", "okello@example.org", "Okello", "clinic@example.org"):
            self.assertFalse(secret in everything, secret)
        mine = [item for item in self.items if item["source"]["record"].endswith("personal.html") and item["personal"]]
        self.assertTrue(mine)
        self.assertEqual(mine[0]["personal"]["phone"], 1)
        self.assertEqual(mine[0]["personal"]["email"], 1)
        report = json.loads((self.whole / "report.json").read_text())
        self.assertEqual(report["personal_data"]["kinds"]["email"]["replace"], 3, "title, heading and paragraph")

    def test_what_cannot_be_read_is_said(self):
        broken = [d for d in self.documents if "problem" in d]
        self.assertEqual({Path(d["record"]).name for d in broken}, {"broken.pdf"})
        self.assertEqual(self.report["unread"], 1)
        self.assertEqual(self.report["reasons"][0]["reason"], broken[0]["problem"])

    def test_near_duplicates_are_left_out(self):
        self.assertGreaterEqual(self.report["duplicates"], 1)
        again = [i for i in self.items if i["source"]["record"].endswith(("same-again.txt", "text-00000.txt"))]
        texts = [item["text"] for item in again if item["kind"] == "text"]
        self.assertEqual(len(texts), len(set(texts)))
        self.assertEqual(len({item["split"] for item in again}), 1)

    def test_reports_count_what_is_there(self):
        about = json.loads((self.whole / "dataset.json").read_text())
        self.assertEqual(about["items"], len(self.items))
        self.assertEqual(about["recipe"], RECIPE)
        self.assertEqual(self.report["kept"], len(self.items))
        for split, count in self.report["splits"].items():
            self.assertEqual(count, sum(item["split"] == split for item in self.items))
        for kind, count in about["kinds"].items():
            self.assertEqual(count, sum(item["kind"] == kind for item in self.items))
        self.assertEqual(about["pictures"], len(list((self.whole / "pictures").rglob("*.*"))))

    # ---- however it is built

    def test_the_same_with_any_number_of_jobs(self):
        self.build(self.home / "one", "--jobs", 1)
        self.build(self.home / "four", "--jobs", 4)
        self.assertEqual(tree(self.home / "one"), tree(self.whole))
        self.assertEqual(tree(self.home / "four"), tree(self.whole))

    def test_the_same_after_any_number_of_kills(self):
        rng, kills, out = random.Random(5), 0, self.home / "killed"
        while True:
            process = subprocess.Popen([PROGRAM, "dataset", "build", "--recipe", self.recipe, "--out", out, "--jobs", "2"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]})
            try:
                _, said = process.communicate(timeout=rng.uniform(0.01, 0.12) * (1 + kills / 4))
                self.assertEqual(process.returncode, 0, said)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                self.assertLess(kills, 200)
        self.assertGreaterEqual(kills, 2)
        self.assertEqual(tree(out), tree(self.whole))

    def test_stopped_it_goes_on(self):
        out = self.home / "stopped"
        process = subprocess.Popen([PROGRAM, "dataset", "build", "--recipe", self.recipe, "--out", out, "--jobs", "1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]})
        until = time.monotonic() + 60
        while not list(out.glob(".vislang-build/chunks/*.jsonl")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 1))
        self.build(out)
        self.assertEqual(tree(out), tree(self.whole))

    def test_a_finished_dataset_stays_as_it_is(self):
        before = tree(self.whole)
        again = json.loads(self.build(self.whole, "--json").stdout)
        self.assertEqual({**again, "seconds": 0}, {**self.report, "seconds": 0})
        self.assertEqual(tree(self.whole), before)

    def test_a_folder_that_holds_something_else_is_left_alone(self):
        for name in ("work/thesis.txt", "report.json", ".hidden"):
            out = self.home / ("other" + name.replace("/", "-"))
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text("precious")
            self.assertIn("holds something already", self.build(out, code=2).stderr)
            self.assertEqual((out / name).read_text(), "precious")
            self.assertEqual(len(list(out.rglob("*"))), len(Path(name).parts))

    def test_a_first_try_that_failed_leaves_nothing(self):
        recipe = self.home / "recipe.yaml"
        for more in ("collections: [nope]\n", f"collections: [{self.collection}]\nsources: [nosuch]\n",
                     f"collections: [{self.collection}]\naligned: [{{path: no.tsv, languages: [en, sw]}}]\n",
                     f"collections: [{self.collection}]\nquality_model: no.json\n",
                     f"collections: [{self.collection}]\ntarget_languages: [tlh]\n"):
            recipe.write_text("name: x\n" + more)
            result = subprocess.run([PROGRAM, "dataset", "build", "--recipe", recipe, "--out", self.home / "first"],
                                    capture_output=True, text=True, timeout=100, env={"PATH": os.environ["PATH"]})
            self.assertIn(result.returncode, (1, 2, 3, 4), result.stderr)
            self.assertFalse((self.home / "first").exists(), more)

    def test_of_two_recipes_at_once_one_is_refused(self):
        for i in range(6):
            out = self.home / f"race{i}"
            recipes = [self.write_recipe(RECIPE.replace("seed: 3", f"seed: {seed}")).rename(self.home / f"r{i}{seed}.yaml")
                       for seed in (3, 4)]
            running = [subprocess.Popen([PROGRAM, "dataset", "build", "--recipe", recipe, "--out", out], text=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]})
                       for recipe in recipes]
            said = [process.communicate(timeout=200)[1] for process in running]
            codes = [process.returncode for process in running]
            self.assertEqual(codes.count(0), 1, (codes, said))
            made = json.loads((out / "dataset.json").read_text())["seed"]
            self.assertEqual(made, 3 + codes.index(0))

    def test_a_collection_that_is_away_is_no_reason_to_finish(self):
        away = self.home / "collection"
        subprocess.run(["cp", "-r", self.collection, away], check=True)
        recipe = self.home / "recipe.yaml"
        recipe.write_text(RECIPE)
        process = subprocess.Popen([PROGRAM, "dataset", "build", "--recipe", recipe, "--out", self.home / "out", "--jobs", "1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
        until = time.monotonic() + 60
        while not (self.home / "out" / ".vislang-build" / "plan.index").exists() and time.monotonic() < until:
            time.sleep(0.001)
        process.kill()
        process.wait()
        self.assertFalse((self.home / "out" / "dataset.json").exists())
        away.rename(self.home / "elsewhere")
        self.assertIn("damaged or away", self.build(self.home / "out", recipe=recipe, code=3).stderr)
        (self.home / "elsewhere").rename(away)
        content = next(path for path in (away / "objects").rglob("*") if path.is_file())
        whole = content.read_bytes()
        content.chmod(0o644)
        content.write_bytes(whole + b" ")
        self.assertIn("not what its name says", self.build(self.home / "new", recipe=recipe, code=3).stderr)
        content.write_bytes(whole)
        self.build(self.home / "out", recipe=recipe)
        self.assertTrue((self.home / "out" / "dataset.json").exists())

    def test_a_full_disk_loses_nothing(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        out = self.home / "full"
        said = self.build(out, code=1, preexec_fn=small_files).stderr
        self.assertIn("File too large", said)
        self.build(out)
        self.assertEqual(tree(out), tree(self.whole))

    def test_another_seed_splits_otherwise(self):
        recipe = self.write_recipe(RECIPE.replace("seed: 3", "seed: 4"))
        self.build(self.home / "other", recipe=recipe)
        other = {json.loads(line)["id"]: json.loads(line)["split"]
                 for path in sorted((self.home / "other").glob("items-*.jsonl")) for line in path.read_text().splitlines()}
        moved = [item for item in self.items if other.get(item["id"], item["split"]) != item["split"]]
        self.assertTrue(moved)

    def test_what_is_not_good_enough_is_left_out(self):
        recipe = self.write_recipe(RECIPE.replace("min_quality_score: 0", "min_quality_score: 0.5"))
        report = json.loads(self.build(self.home / "good", "--json", recipe=recipe).stdout)
        rows = [json.loads(line) for path in (self.home / "good").glob("items-*.jsonl") for line in path.read_text().splitlines()]
        self.assertTrue(rows)
        self.assertTrue(all(row["score"] >= 0.5 for row in rows))
        base = sum(item["kind"] in ("pair", "text") for item in self.items)
        self.assertEqual(report["poor"], base - sum(row["kind"] in ("pair", "text") for row in rows))
        self.assertGreater(report["poor"], 500, "words in no order are no text")

    def test_a_quality_model_of_reviewers_decides(self):
        parts = ("ocr", "alignment", "language", "length", "duplicates", "readability")
        (self.home / "quality.json").write_text(json.dumps(
            {"vislang_quality": 1, "offset": -3, "weights": {part: 6.0 * (part == "length") for part in parts}, "cases": 40}))
        recipe = self.write_recipe(RECIPE.replace("min_quality_score: 0", "min_quality_score: 0.5") + "quality_model: quality.json\n")
        self.build(self.home / "fitted", recipe=recipe)
        rows = [json.loads(line) for path in (self.home / "fitted").glob("items-*.jsonl") for line in path.read_text().splitlines()]
        self.assertGreater(len(rows), 500, "words in no order are long enough")
        for row in rows:
            self.assertAlmostEqual(row["score"], 1 / (1 + math.exp(3 - 6 * row["quality"]["length"])), 3)
        (self.home / "quality.json").write_text("{}")
        self.assertIn("quality.json", self.build(self.home / "none", recipe=recipe, code=3).stderr)

    def test_only_the_kinds_and_languages_asked_for(self):
        recipe = self.write_recipe(RECIPE + "kinds: [text, language]\nlanguages: [sw]\ntarget_languages: [fr]\n")
        self.build(self.home / "some", recipe=recipe)
        rows = [json.loads(line) for line in (self.home / "some" / "items-00000.jsonl").read_text().splitlines()]
        self.assertEqual({row["kind"] for row in rows}, {"text", "language"})
        self.assertEqual({row["language"] for row in rows if row["kind"] == "text"}, {"swa"})

    # ---- what is refused

    def test_recipes_that_cannot_be_followed(self):
        cases = (("", "empty"), ("name: x\n", "collections"), ("collections: [a]\n", "name"),
                 ("name: x\ncollections: [a]\nmin_qualty_score: 1\n", "recipe.yaml:3: unknown key 'min_qualty_score'; did you "
                  "mean 'min_quality_score'?"),
                 ("name: x\ncollections: [a]\nmin_quality_score: 2\n", "recipe.yaml:3"),
                 ("name: x\ncollections: [a]\ninstruction_style: chatty\n", "natural, terse, form"),
                 ("name: x\ncollections: [a, b, a]\n", "named twice"),
                 ("name: x\ncollections: [a]\nkinds: [poem]\n", "pair, text, describe"),
                 ("name: x\ncollections: [a]\nlanguages: [klingon]\n", "ISO 639"),
                 ("name: x\ncollections: [a]\nsince: yesterday\n", "a date is needed"),
                 ("name: x\ncollections: [a]\nsince: 2025-13-45\n", "a date is needed"),
                 ("name: x\ncollections: [a]\nkinds: [describe]\n", "name pair, text or both"),
                 ("name: x\ncollections: [a]\nsplits: {train: 0}\n", "above 0"),
                 ("name: x\ncollections: [a]\nsplits: {train: 1, exam: 1}\n", "exam"),
                 ("name: x\ncollections: [a]\nseed: -1\n", "seed"),
                 ("name: x\nname: y\ncollections: [a]\n", "given twice"),
                 ("name: [x\n", "recipe.yaml:"), ("- a\n", "mapping"), ("name: \xff\n", ""))
        for text, says in cases:
            path = self.home / "recipe.yaml"
            path.write_bytes(text.encode("latin-1"))
            said = self.build(self.home / "none", recipe=path, code=2).stderr
            self.assertIn(says, said, text)
            self.assertFalse((self.home / "none").exists())

    def test_a_collection_that_is_none(self):
        recipe = self.home / "recipe.yaml"
        recipe.write_text("name: x\ncollections: [nowhere]\n")
        self.assertIn("nowhere", self.build(self.home / "none", recipe=recipe, code=3).stderr)

    def test_a_folder_of_another_recipe(self):
        recipe = self.write_recipe(RECIPE.replace("seed: 3", "seed: 4"))
        self.assertIn("another recipe", self.build(self.whole, recipe=recipe, code=2).stderr)
        (self.home / "begun" / ".vislang-build").mkdir(parents=True)
        (self.home / "begun" / ".vislang-build" / "recipe.yaml").write_text(RECIPE)
        (self.home / "begun" / ".vislang-build" / "plan.index").write_text("")
        self.assertIn("another recipe", self.build(self.home / "begun", recipe=recipe, code=2).stderr)

    def test_options_are_needed(self):
        self.assertIn("--recipe", self.call("dataset", "build", code=2).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
