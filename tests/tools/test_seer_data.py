"""The rules that derive questions and statements from captions, the splits that keep neighbours
together, and the data set that tools/make_seer_data.py and make_pages write."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

import numpy
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import caption_consensus as C  # noqa: E402
import caption_parse as P  # noqa: E402
import caption_questions as Q  # noqa: E402
import caption_statements as S  # noqa: E402
import make_seer_data as M  # noqa: E402

BLACK_DOG = [
    "A black dog runs on the beach .",
    "A black dog is running in the sand .",
    "The dog runs along the beach with a ball .",
    "A dog running on a beach .",
    "A wet dog is playing with a ball .",
]
MAN_ON_BIKE = [
    "A man in a red helmet rides a bike on the street .",
    "A man rides his bicycle down a street .",
    "A man is riding a bike .",
    "A cyclist with a red helmet in the street .",
    "Man on a bike .",
]
TWO_GIRLS = [
    "Two girls are sitting on a bench .",
    "Two young girls sit on a bench in the park .",
    "Two little girls on a green bench .",
    "Two children are sitting outside .",
    "Girls on a bench .",
]


def asked(captions):
    parses = [P.parse(caption) for caption in captions]
    return {q["question"]: q["answer"][0] for q in Q.questions(parses)}


class Parsing(unittest.TestCase):
    def test_noun_groups(self):
        table = [  # caption, [(head, many, count, colours)]
            ("A black and white dog", [("dog", False, 1, ("black", "white"))]),
            ("Two small puppies", [("dog", True, 2, ())]),
            ("A soccer ball", [("ball", False, 1, ())]),
            ("A black dog and a white dog",
             [("dog", False, 1, ("black",)), ("dog", False, 1, ("white",))]),
            ("A group of three men", [("man", True, 3, ())]),
            ("A couple of dogs", [("dog", True, 2, ())]),
            ("A couple", [("couple", True, 2, ())]),
            ("A pair of blue jeans", [("jeans", False, 1, ("blue",))]),
            ("A group of people", [("person", True, None, ())]),
            ("Some children", [("child", True, None, ())]),
            ("A dark blue bicycle", [("bike", False, 1, ("blue",))]),
            ("A very shaggy dog", [("dog", False, 1, ())]),
            ("", []),
            ("...", []),
        ]  # fmt: skip
        for caption, expected in table:
            nouns = [(n.head, n.many, n.count, n.colours) for n in P.parse(caption).nouns]
            self.assertEqual(nouns, expected, caption)

    def test_subject_and_verb(self):
        table = [  # caption, subject's head, verb
            ("A dog runs .", "dog", "run"),
            ("A man in a red shirt and a hat is sitting .", "man", "sit"),
            ("Two boys play soccer .", "boy", "play"),
            ("There is a dog swimming .", "dog", "swim"),
            ("A man and a woman are walking .", "man", None),  # not he alone
            ("Running dog .", None, None),
            ("A dog run .", "dog", None),  # no agreement
        ]
        for caption, subject, verb in table:
            parsed = P.parse(caption)
            self.assertEqual(parsed.subject.head if parsed.subject else None, subject, caption)
            self.assertEqual(parsed.verb[0] if parsed.verb else None, verb, caption)

    def test_people(self):
        table = [
            ("A man and a woman", 2),
            ("Two boys with a girl", 3),
            ("A dog", 0),
            ("A group of people", None),
            ("A boy looks at the man", None),  # may be the same one
            ("Another man", None),
        ]
        for caption, count in table:
            self.assertEqual(P.people_in(P.parse(caption)), count, caption)

    def test_places(self):
        table = [
            ("A dog on the beach", ["beach"]),
            ("A dog in a grassy field", ["field", "grass"]),
            ("A man in clear shallow water", ["water"]),
            ("A beach and a dog", []),
        ]
        for caption, places in table:
            self.assertEqual(P.places_of(P.parse(caption)), places, caption)


class Questions(unittest.TestCase):
    def test_answers(self):
        table = [  # captions, question, answer (None: must not be asked)
            (BLACK_DOG, "what color is the dog?", "black"),
            (BLACK_DOG, "how many dogs are there?", "1"),
            (BLACK_DOG, "what is the dog doing?", "running"),
            (BLACK_DOG, "where is the dog?", "beach"),
            (BLACK_DOG, "who is in the picture?", None),
            (MAN_ON_BIKE, "who is in the picture?", "man"),
            (MAN_ON_BIKE, "what is the man doing?", "riding bike"),
            (MAN_ON_BIKE, "what is the man riding?", "bike"),
            (MAN_ON_BIKE, "what color is the helmet?", "red"),
            (MAN_ON_BIKE, "where was this picture taken?", "street"),
            (TWO_GIRLS, "how many girls are there?", None),  # the fifth leaves it open
            (TWO_GIRLS[:4], "how many people are there?", "2"),
            (TWO_GIRLS, "where was this picture taken?", "bench"),
        ]
        for captions, question, answer in table:
            self.assertEqual(asked(captions).get(question), answer, (question, captions))

    def test_a_contradiction_takes_the_question_back(self):
        table = [  # captions, one more, the question that must go
            (BLACK_DOG, "A brown dog on the beach .", "what color is the dog?"),
            (BLACK_DOG, "Two dogs on the beach .", "what color is the dog?"),
            (BLACK_DOG, "Two dogs on the beach .", "how many dogs are there?"),
            (BLACK_DOG, "A dog sits on a couch .", "where is the dog?"),
            (BLACK_DOG, "A dog sits on a couch .", "what is the dog doing?"),
            (MAN_ON_BIKE, "A woman on a bike .", "who is in the picture?"),
            (MAN_ON_BIKE, "A man in a blue helmet .", "what color is the helmet?"),
            (MAN_ON_BIKE, "A crowd in the street .", "how many people are there?"),
        ]
        for captions, more, question in table:
            self.assertIn(question, asked(captions), question)
            self.assertNotIn(question, asked([*captions, more]), (question, more))

    def test_one_caption_is_not_enough(self):
        captions = [BLACK_DOG[0], "An animal .", "Something outside .", "Nice .", "."]
        for question in (
            "what color is the dog?",
            "what is the dog doing?",
            "where is the dog?",
        ):
            self.assertNotIn(question, asked(captions))

    def test_presence_is_balanced_and_never_of_a_relative(self):
        rows = [
            [P.parse(c) for c in captions]
            for captions in [BLACK_DOG, MAN_ON_BIKE, TWO_GIRLS] * 4
        ]
        found = Q.presence_questions(rows, 1)
        answers = {}
        for i, questions in enumerate(found):
            for q in questions:
                answers.setdefault(q["question"], []).append((i % 3, q["answer"][0]))
        for question, given in answers.items():
            yes = sum(answer == "yes" for _, answer in given)
            self.assertLessEqual(len(given) - yes, yes, question)
        self.assertIn((2, "no"), answers["is there a dog?"])
        self.assertNotIn((0, "no"), answers["is there a ball?"])
        self.assertNotIn((1, "no"), answers.get("is there a motorcycle?", []))

    def test_surely_absent(self):
        table = [
            (BLACK_DOG, "cat", True),
            (["A large animal ."], "dog", False),
            (["A man in a canoe ."], "boat", False),
            (["A boy by a lake ."], "pool", True),
            (["A dog in its owner 's hand ."], "man", False),
        ]
        for captions, head, absent in table:
            parses = [P.parse(caption) for caption in captions]
            self.assertEqual(Q.surely_absent(parses, head), absent, (captions, head))


class Statements(unittest.TestCase):
    def test_swaps_change_one_word_and_contradict_every_caption(self):
        for captions in (BLACK_DOG, MAN_ON_BIKE, TWO_GIRLS):
            found = S.swaps(captions)
            self.assertTrue(found)
            said = set().union(*(P.parse(c).said for c in captions))
            for kind, new, text in found:
                self.assertNotIn(new, said, (kind, text))
                old = [c for c in captions if len(c.split()) == len(text.split())]
                changed = [sum(a != b for a, b in zip(c.split(), text.split())) for c in old]
                self.assertIn(min(changed), (1, 2), text)  # 2: "a" became "an"

    def test_swaps_exclude_what_they_replace(self):
        table = [  # captions, kind, must be offered, must not be
            (BLACK_DOG, "colour", "white", "grey"),
            (BLACK_DOG, "action", "sitting", "jumping"),
            (BLACK_DOG, "animal", "cat", "dog"),
            (BLACK_DOG, "place", "couch", "sand"),
            (TWO_GIRLS[:4], "number", "three", "two"),
            (MAN_ON_BIKE[2:3] * 2, "person", "woman", "girl"),
        ]
        for captions, kind, offered, never in table:
            new = {word for k, word, _ in S.swaps(captions) if k == kind}
            self.assertIn(offered, new, kind)
            self.assertNotIn(never, new, kind)

    def test_a_gendered_caption_is_not_swapped(self):
        captions = ["A bearded man sits .", "A man with his hat ."] * 2
        self.assertFalse([s for s in S.swaps(captions) if s[0] == "person"])

    def test_a_and_an_agree(self):
        parsed = P.parse("A red car .")
        self.assertEqual(S._replace_word("A red car .", parsed, 1, "orange"), "An orange car .")
        parsed = P.parse("an orange car")
        self.assertEqual(S._replace_word("an orange car", parsed, 1, "red"), "a red car")

    def test_facts(self):
        table = [
            ("what color is the dog?", "black", "The dog is black ."),
            ("what color are the shorts?", "red", "The shorts are red ."),
            ("what is the man doing?", "running", "The man is running ."),
            ("what is the man doing?", "riding bike", None),
            ("where is the dog?", "beach", "The dog is on the beach ."),
            ("how many dogs are there?", "2", "There are two dogs ."),
            ("how many dogs are there?", "1", None),
        ]
        for question, answer, statement in table:
            self.assertEqual(S.fact(question, answer), statement)

    def test_the_caption_most_agreed_with_comes_first(self):
        odd = "Somebody painted stripes across an elephant ."
        close = ["A dog runs on the beach .", "A black dog runs on the beach ."]
        rows = [[odd] + close, TWO_GIRLS, MAN_ON_BIKE, ["One .", "Another ."], ["Alone ."]]
        ranked = C.ranked(rows)
        self.assertEqual(ranked[0][2], odd)
        self.assertEqual([sorted(row) for row in ranked], [sorted(row) for row in rows])
        self.assertEqual(ranked[3:], rows[3:])  # no agreement: as they stood
        self.assertEqual(ranked, C.ranked(rows))

    def test_derive_is_deterministic_and_strangers_share_nothing(self):
        rows = [BLACK_DOG, MAN_ON_BIKE, TWO_GIRLS]
        self.assertEqual(S.derive(rows, 7), S.derive(rows, 7))
        self.assertNotEqual(S.derive(rows, 7), S.derive(rows, 8))
        for captions, (_, told) in zip(rows, S.derive(rows, 7)):
            own = set().union(*(S.content_words(P.parse(c)) for c in captions))
            for one in told:
                if one["kind"] == "stranger":
                    self.assertFalse(own & S.content_words(P.parse(one["statement"])))
                if one["kind"] == "caption":
                    self.assertIn(one["statement"], captions)


def noise(seed, width=64, height=48):
    """Clouds whose detail fades with its size, as in photographs."""
    rng, total = numpy.random.RandomState(seed), numpy.zeros((height, width, 3))
    for octave in range(4):
        shape = (3 << octave, 4 << octave, 3)
        layer = Image.fromarray(rng.randint(0, 256, shape).astype(numpy.uint8))
        total += numpy.asarray(layer.resize((width, height), Image.BICUBIC)) / 2.0 ** (
            octave + 1
        )
    return Image.fromarray(total.astype(numpy.uint8))


class Splits(unittest.TestCase):
    def test_hash_knows_the_same_picture(self):
        picture = noise(1)
        small = picture.resize((40, 30))
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=60)
        code = M.perceptual_hash(picture)
        for other in (small, Image.open(jpeg)):
            distance = M.hamming(numpy.array([code]), numpy.array([M.perceptual_hash(other)]))
            self.assertLessEqual(distance[0, 0], M.NEAR_DUPLICATE)
        other = numpy.array([M.perceptual_hash(noise(2))])
        self.assertGreater(M.hamming(numpy.array([code]), other)[0, 0], M.SAME_SCENE)

    def test_hash_of_a_mirror_image(self):
        picture = noise(3)
        flipped = M.perceptual_hash(picture.transpose(Image.FLIP_LEFT_RIGHT))
        codes = numpy.array([M.perceptual_hash(picture), flipped])
        self.assertGreater(M.hamming(codes[:1], codes[1:])[0, 0], M.SAME_SCENE)
        self.assertEqual(M.near_pairs(codes, M.NEAR_DUPLICATE), [(0, 1)])

    def test_clusters(self):
        self.assertEqual(M.clusters(5, [(0, 3), (3, 4)]), [[0, 3, 4], [1], [2]])
        self.assertEqual(M.clusters(0, []), [])

    def test_whole_groups_are_held_out(self):
        groups = [[0, 1, 2], [3], [4, 5], [6], [7, 8, 9]]
        for seed in range(20):
            held = M.hold_out(groups, 4, seed, "test")
            for group in groups:
                self.assertIn(len(held & set(group)), (0, len(group)))
            self.assertLessEqual(len(held), 4)

    def test_no_training_tile_touches_a_band_of_dev(self):
        rng = numpy.random.RandomState(1)
        rows = [
            {"label": ("a", "b")[i % 2], "original": f"x/{-95 + d:.6f}_29.5.jpeg"}
            for i, d in enumerate(rng.uniform(0, 0.5, 600))
        ]
        split = M.split_by_longitude(rows, 0.15, 1)
        where = {
            k: [M.longitude(rows[i]) for i, s in split.items() if s == k]
            for k in ("train", "dev")
        }
        self.assertGreater(len(where["dev"]), 40)
        gap = min(abs(a - b) for a in where["train"] for b in where["dev"])
        self.assertGreaterEqual(gap, M.BAND_MARGIN * 0.999)
        with self.assertRaises(ValueError):
            M.longitude({"original": "x/unknown.jpeg"})


def write_rows(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


def small_photos(folder):
    """Sets in the layout of the real ones, a few pictures each."""
    for split, seeds in (("train", range(12)), ("dev", range(11, 15))):  # 11 is in both
        rows = []
        for s in seeds:
            rows.append(
                {"file_name": f"{s}.jpg", "captions": {"en": BLACK_DOG, "fr": ["Un chien ."]}}
            )
            (folder / "flickr8k" / split).mkdir(parents=True, exist_ok=True)
            noise(s).save(folder / "flickr8k" / split / f"{s}.jpg", quality=95)
        write_rows(folder / "flickr8k" / split, rows)
    told = [{"statement": "A dog .", "true": True}]
    lines = [{"file_name": f"{s}.jpg", "split": p, "statements": told}
             for s, p in ((0, "train"), (11, "train"), (12, "dev"), (12, "train"))]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "flickr8k" / "statements.jsonl").write_text(text)
    rows = []
    for s in range(20):
        (folder / "daquar" / "train").mkdir(parents=True, exist_ok=True)
        noise(100 + s // 4).save(folder / "daquar" / "train" / f"image{s}.jpg")  # rooms of four
        rows.append(
            {"file_name": f"image{s}.jpg", "qa": [{"question": "what?", "answer": ["x"]}]}
        )
    write_rows(folder / "daquar" / "train", rows)
    rows = []
    for k, label in enumerate(M.CRISIS_LABELS):
        for s in range(20):
            name = f"{label}/{s}.jpg"
            (folder / "crisis" / label).mkdir(parents=True, exist_ok=True)
            noise(1000 + 100 * k + s).save(folder / "crisis" / name)
            rows.append({"file_name": name, "label": label, "source": "s",
                         "original": f"x/{-95 + s * 0.013:.4f}_29.5.jpeg"})  # fmt: skip
    write_rows(folder / "crisis", rows)
    sheets = folder / "tiny-imagenet-32"
    sheets.mkdir()
    for label in ("n01", "n02"):
        noise(5, 512, 512).save(sheets / f"{label}_0_40.jpg", quality=95)


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.photos, cls.out = Path(cls.folder.name, "photos"), Path(cls.folder.name, "out")
        small_photos(cls.photos)
        held, M.FLICKR_HELD_OUT = M.FLICKR_HELD_OUT, 2
        argv, sys.argv = sys.argv, ["", "--photos", str(cls.photos), "--out", str(cls.out)]
        stdout, sys.stdout = sys.stdout, io.StringIO()
        try:
            M.main()
            cls.printed = sys.stdout.getvalue()
        finally:
            sys.argv, sys.stdout, M.FLICKR_HELD_OUT = argv, stdout, held

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def rows(self, name):
        found = M.read_jsonl(self.out / name / "metadata.jsonl")
        for row in found:
            self.assertTrue((self.out / name / row["file_name"]).is_file())
            self.assertNotIn("_source", row)
        return found

    def test_flickr(self):
        parts = {
            k: {r["file_name"] for r in self.rows(f"flickr-{k}")}
            for k in ("train", "hold", "dev")
        }
        self.assertEqual(len(parts["hold"]), 2)
        self.assertEqual(len(parts["train"]), 9)  # of 12, one was also in dev
        self.assertNotIn("11.jpg", parts["train"] | parts["hold"])
        self.assertEqual(parts["dev"], {"11.jpg", "12.jpg", "13.jpg", "14.jpg"})
        told = {r["file_name"]: len(r.get("statements", [])) for r in self.rows("flickr-dev")}
        self.assertEqual(told, {"11.jpg": 0, "12.jpg": 1, "13.jpg": 0, "14.jpg": 0})
        for row in self.rows("flickr-train"):
            self.assertEqual(row["labels"], {"scene": "ordinary"})
            self.assertTrue(row["derived_qa"] and row["derived_statements"])

    def test_daquar_rooms_stay_whole(self):
        number = lambda row: int(row["file_name"][5:-4]) // 4
        train = {number(row) for row in self.rows("daquar-train")}
        dev = {number(row) for row in self.rows("daquar-dev")}
        self.assertFalse(train & dev)
        self.assertEqual(len(self.rows("daquar-train")) + len(self.rows("daquar-dev")), 20)

    def test_crisis(self):
        rows = self.rows("crisis-train") + self.rows("crisis-dev")
        for row in rows:
            self.assertEqual(
                (row["labels"]["scene"], row["aerial"]), M.CRISIS_LABELS[row["origin_label"]]
            )
            self.assertEqual(row["source"], "s")
        self.assertEqual({r["labels"]["scene"] for r in self.rows("crisis-dev")},
                         {"fire", "ordinary", "flood", "storm_damage"})  # fmt: skip

    def test_thumbnails(self):
        keys = set()
        for split in ("train", "dev"):
            with tarfile.open(self.out / f"thumbs-{split}.tar") as tar:
                names = tar.getnames()
                self.assertEqual([n[:-4] for n in names[0::2]], [n[:-5] for n in names[1::2]])
                for name in names[0::2]:
                    with Image.open(tar.extractfile(name)) as picture:
                        self.assertEqual(picture.size, (32, 32))
                    label = json.load(tar.extractfile(name[:-4] + ".json"))["labels"]["tiny"]
                    self.assertTrue(name.startswith(label))
                    keys.add(name)
        self.assertEqual(len(keys), 80)
        with Image.open(self.photos / "tiny-imagenet-32" / "n01_0_40.jpg") as sheet:
            want = numpy.asarray(sheet.convert("RGB").crop((32, 64, 64, 96)))  # tile 33
        for split in ("train", "dev"):
            with tarfile.open(self.out / f"thumbs-{split}.tar") as tar:
                if "n01_0_40_033.png" in tar.getnames():
                    got = numpy.asarray(Image.open(tar.extractfile("n01_0_40_033.png")))
        numpy.testing.assert_array_equal(got, want)

    def test_the_table_names_every_set(self):
        for name in (
            "thumbs-train.tar",
            "flickr-train",
            "flickr-hold",
            "daquar-dev",
            "crisis-dev",
        ):
            self.assertIn(name, self.printed)

    def test_a_folder_with_data_is_refused(self):
        run = subprocess.run(
            [sys.executable, "-B", str(ROOT / "tools/make_seer_data.py"), "--photos",
             str(self.photos), "--out", str(self.out)], capture_output=True)  # fmt: skip
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"exists", run.stderr)


PROGRAM = os.environ.get("MAKE_PAGES_PROGRAM", "")


@unittest.skipUnless(os.path.exists(PROGRAM), "make_pages is not built")
class Pages(unittest.TestCase):
    TEXT = {
        "latin": "The water point near the school is open again from eight to noon.",
        "cyrillic": "Пункт выдачи воды возле школы снова открыт с восьми до полудня.",
    }

    def render(self, folder, out, seed=1):
        return subprocess.run(
            [PROGRAM, "--text", str(folder), "--out", str(out), "--count", "40", "--seed", str(seed)],
            capture_output=True, timeout=100)  # fmt: skip

    def test_pages(self):
        with tempfile.TemporaryDirectory() as name:
            text = Path(name, "text")
            text.mkdir()
            for script, line in self.TEXT.items():
                for k in range(3):
                    with gzip.open(text / f"{script}{k}.txt.gz", "wt", encoding="utf-8") as out:
                        out.writelines(f"{line} {i + k}\n" for i in range(30))
            first, second = Path(name, "a"), Path(name, "b")
            for out in (first, second):
                run = self.render(text, out)
                self.assertEqual(run.returncode, 0, run.stderr)
            files, labels = {}, set()
            for split in ("train", "dev"):
                rows = M.read_jsonl(first / split / "metadata.jsonl")
                files[split] = {row["text"] for row in rows}
                for row in rows:
                    labels |= set(row["labels"].items())
                    page = first / split / row["file_name"]
                    self.assertIn(row["labels"]["script"], row["text"])
                    self.assertEqual(
                        page.read_bytes(), (second / split / row["file_name"]).read_bytes()
                    )
                    with Image.open(page) as picture:
                        self.assertLessEqual(max(picture.size), 320)
                        self.assertGreaterEqual(max(picture.size), 192)
            self.assertFalse(files["train"] & files["dev"])
            for group, label in (("scene", "document"), ("scene", "map_or_chart"), ("kind", "form"),
                                 ("script", "cyrillic"), ("orientation", "270")):  # fmt: skip
                self.assertIn((group, label), labels)

    def test_refusals(self):
        with tempfile.TemporaryDirectory() as name:
            run = self.render(Path(name, "nowhere"), Path(name, "out"))
            self.assertEqual(run.returncode, 1)
            self.assertIn(b"nowhere", run.stderr)
            self.assertEqual(
                self.render(name, Path(name, "out")).returncode, 1
            )  # no text there
        for argv in (
            [],
            ["--text"],
            ["--text", "x", "--out", "y", "--count", "0"],
            ["--what", "1"],
        ):
            run = subprocess.run([PROGRAM, *argv], capture_output=True)
            self.assertEqual(run.returncode, 2, argv)


if __name__ == "__main__":
    unittest.main()
