"""`vislang` as a person meets it: help, wrong usage, exit codes, reading many files, and what
survives bad files, full disks and kills."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
SAMPLES = ROOT / "samples"
SWAHILI = SAMPLES / "notice-swh.jpg"
COMMANDS = ["predict", "caption", "ask", "scene", "search", "ocr", "serve", "train", "dataset", "align",
            "eval", "export", "quantize", "doctor", "help"]


def vislang(*args, **options):
    options.setdefault("timeout", 300)
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, **options)


class Usage(unittest.TestCase):
    def test_every_command_has_help_with_examples_first(self):
        for command in COMMANDS:
            for argv in (["help", command], [command, "--help"]):
                result = vislang(*argv)
                self.assertEqual(result.returncode, 0, argv)
                self.assertTrue(result.stdout.startswith(b"  $ vislang " + command.encode()), argv)

    def test_overview_names_every_command(self):
        result = vislang("help")
        for command in COMMANDS:
            self.assertRegex(result.stdout.decode(), rf"(?m)^  {command} ")
        self.assertEqual(vislang().returncode, 2)

    def test_wrong_usage_is_2_and_names_the_nearest(self):
        cases = [
            (["predct", "x"], "did you mean 'predict'"),
            (["ocr", "--formt", "text", "x"], "did you mean --format"),
            (["ocr", "--format", "jsn", "x"], "json"),
            (["ocr", "--format"], "--format needs LIST"),
            (["ocr", "--resume=yes", "x"], "takes no value"),
            (["ocr", "--jobs", "0", "x"], "from 1 to"),
            (["ocr", "--jobs", "two", "x"], "whole number"),
            (["ocr"], "which files?"),
            (["ocr", "--resume", SWAHILI], "--resume needs --output"),
            (["ocr", "--format", "text,json", SWAHILI], "cannot share standard output"),
            (["ocr", "--format", "text,text", SWAHILI], "stands twice"),
            (["ocr", SWAHILI, SWAHILI, "-o", "/nowhere.txt"], "cannot go to the one file"),
            (["eval", "ocr"], "on which scans?"),
            (["eval", "ocr", SAMPLES, "--half", "third"], "--half is adapt, score or all"),
            (["eval", "ocr", SAMPLES, "--task", "vqa"], "belongs to 'vislang eval seer'"),
            (["eval", "seer", SAMPLES, "--half", "score"], "belongs to 'vislang eval ocr'"),
            (["dataset"], "what to make?"),
            (["dataset", "synth-line"], "did you mean 'synth-lines'?"),
            (["dataset", "parts", "x.html", "--seed", "2"], "belongs to 'vislang dataset synth-lines'"),
            (["dataset", "synth-lines"], "--text DIR is needed"),
            (["dataset", "synth-lines", "--text", "x"], "--out is needed"),
            (["dataset", "synth-lines", "--half", "adapt"], "scan-lines"),
            (["dataset", "scan-lines", "-o", "x.tar"], "MANIFEST.tsv"),
            (["dataset", "scan-lines", "x"], "--out is needed"),
            (["dataset", "scan-lines", "x", "-o", "y.tar", "--half", "some"], "adapt"),
            (["dataset", "scan-lines", "x", "-o", "y.tar", "--seed", "2"], "synth-lines"),
            (["dataset", "synth-lines", "--text", "x", "-o", "y", "--scripts", "latn"], "latin"),
            (["dataset", "synth-lines", "--text", "x", "-o", "y", "--fonts", "some"], "held"),
            (["predict"], "which file?"),
            (["predict", "--set", "max_page=3", SWAHILI], "max_pages"),
            (["predict", "--set", "max_pages", SWAHILI], "NAME=VALUE"),
            (["serve", "--port", "70000"], "port"),
            (["serve", "file.png"], "takes no files"),
            (["help", "--completion", "tcsh"], "bash and zsh"),
        ]
        for argv, words in cases:
            result = vislang(*argv)
            self.assertEqual(result.returncode, 2, argv)
            self.assertIn(words, result.stderr.decode(), argv)

    def test_version(self):
        self.assertRegex(vislang("--version").stdout.decode(), r"^vislang \d+\.\d+\.\d+ \(tesseract 5")

    def test_completion_and_man_page_are_well_formed(self):
        script = vislang("help", "--completion", "bash").stdout
        self.assertEqual(subprocess.run(["bash", "-n"], input=script).returncode, 0)
        offered = subprocess.run(
            ["bash", "-c", script.decode() + "\nCOMP_WORDS=(vislang ocr --f) COMP_CWORD=2\n"
             "_vislang; echo ${COMPREPLY[@]}"], capture_output=True, text=True).stdout
        self.assertIn("--format", offered)
        page = vislang("help", "--man").stdout.decode()
        for command in COMMANDS:
            self.assertIn(f".SS vislang {command}", page)


class Doctor(unittest.TestCase):
    def test_says_what_is_there(self):
        result = vislang("doctor", "--json")
        self.assertEqual(result.returncode, 0, result.stdout)
        found = {item["name"]: item for item in json.loads(result.stdout)}
        self.assertTrue(found["tesseract"]["ok"])
        self.assertRegex(found["tesseract"]["detail"], r"^version [0-9.]+; reads$")
        for engine in ("tesseract-binarised", "ocrad", "gocr"):
            self.assertRegex(found[engine]["detail"], "not in ocr_engines$")
            self.assertFalse(found[engine]["required"])
        self.assertTrue(found["pdftoppm"]["ok"], found["pdftoppm"])

    def test_an_engine_that_is_set_must_be_there(self):
        with tempfile.TemporaryDirectory() as empty:
            result = vislang("doctor", "--json", "--set", "ocr_engines=tesseract,ocrad,mine=http://127.0.0.1:9",
                             env={**os.environ, "PATH": empty})
        found = {item["name"]: item for item in json.loads(result.stdout)}
        self.assertEqual(result.returncode, 4)
        self.assertTrue(found["ocrad"]["required"])
        self.assertFalse(found["ocrad"]["ok"])
        self.assertEqual(found["ocrad"]["fix"], "apt-get install ocrad")
        self.assertFalse(found["gocr"]["required"])
        self.assertTrue(found["mine"]["ok"], "a service is asked when it is needed")

    def test_says_what_is_missing_and_the_line_that_fixes_it(self):
        with tempfile.TemporaryDirectory() as empty:
            result = vislang("doctor", env={**os.environ, "TESSDATA_PREFIX": empty})
        self.assertEqual(result.returncode, 4)
        self.assertIn("apt-get install tesseract-ocr", result.stdout.decode())

    def test_settings_say_where_they_came_from(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("max_pages: 7\n")
            file.flush()
            env = {**os.environ, "MAX_UPLOAD_SIZE": "5MB"}
            text = vislang("doctor", "--settings", "--config", file.name, "--set", "port=9",
                           env=env).stdout.decode()
        for pattern in (r"max_pages\b.*\b7\b.*yaml", r"max_upload_size\b.*MAX_UPLOAD_SIZE|"
                        r"max_upload_size\b.*environment", r"\bport\b.*\b9\b.*flag"):
            self.assertRegex(text, "(?i)" + pattern)


class Predict(unittest.TestCase):
    def test_describes_and_answers(self):
        result = vislang("predict", SWAHILI, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads(result.stdout)
        self.assertIn("Swahili", answer["response"])
        self.assertGreater(answer["confidence"], 0.5)
        self.assertEqual(answer["languages"][0]["code"], "swh")
        result = vislang("predict", SWAHILI, "-i", "which phone number?")
        self.assertRegex(result.stdout.decode(), r"\d{3}")
        self.assertIn("evidence: page 1", result.stdout.decode())

    def test_translation_is_refused_honestly(self):
        answer = json.loads(vislang("predict", SWAHILI, "-i", "translate to English", "-j").stdout)
        self.assertTrue(answer["refused"])

    def test_standard_input(self):
        with open(SWAHILI, "rb") as file:
            result = vislang("predict", "-", "-j", stdin=file)
        self.assertEqual(json.loads(result.stdout)["languages"][0]["code"], "swh")

    def test_exit_codes(self):
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "picture.png")
            text.write_text("not a picture")
            empty = Path(folder, "empty.jpg")
            empty.touch()
            for path, code in ((text, 3), (empty, 3), (Path(folder, "none.png"), 3)):
                result = vislang("predict", path)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(path.name, result.stderr.decode())
        result = vislang("predict", SWAHILI, "-l", "tel")
        self.assertEqual(result.returncode, 4)
        self.assertIn("apt-get install", result.stderr.decode())


class Ocr(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_text_goes_to_standard_output(self):
        result = vislang("ocr", SWAHILI, "-l", "swa")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(len(result.stdout.decode().split()), 20)

    def test_standard_output_keeps_the_order_given(self):
        names = [SAMPLES / name for name in ("notice-fra.jpg", "notice-swh.jpg", "notice-eng.jpg")]
        names = [name for name in names if name.exists()]
        result = vislang("ocr", *names, "-n", "2")
        headings = re.findall(r"==> (.*) <==", result.stdout.decode())
        self.assertEqual(headings, list(map(str, names)))

    def test_one_bad_file_does_not_lose_the_good_ones(self):
        bad = self.folder / "bad.png"
        bad.write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 10)
        result = vislang("ocr", bad, SWAHILI, "-l", "swa", "-o", self.folder / "out", "-f",
                         "text,json")
        self.assertEqual(result.returncode, 3)
        self.assertIn("bad.png", result.stderr.decode())
        self.assertTrue((self.folder / "out" / "notice-swh.txt").stat().st_size > 100)
        json.loads((self.folder / "out" / "notice-swh.json").read_text())
        self.assertFalse((self.folder / "out" / "bad.txt").exists())

    def test_same_output_name_is_refused(self):
        for name in ("a.jpg", "a.png"):
            shutil.copy(SWAHILI, self.folder / name)
        result = vislang("ocr", self.folder / "a.jpg", self.folder / "a.png", "-o",
                         self.folder / "out")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--full-names", result.stderr.decode())

    def test_an_input_is_never_overwritten(self):
        pdf = self.folder / "scan.pdf"
        self.assertEqual(vislang("ocr", SWAHILI, "-l", "swa", "-f", "pdf", "-o", pdf).returncode, 0)
        before = pdf.read_bytes()
        result = vislang("ocr", pdf, "-f", "pdf", "-o", self.folder)
        self.assertEqual(result.returncode, 2)
        self.assertIn("overwritten", result.stderr.decode())
        self.assertEqual(pdf.read_bytes(), before)

    def test_full_disk_is_said(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, "ocr", SWAHILI, "-l", "swa"], stdout=full,
                                    stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not be written", result.stderr.decode())

    def make_scans(self, count):
        scans = self.folder / "scans"
        scans.mkdir()
        for number in range(count):
            shutil.copy(SWAHILI, scans / f"{number:02}.jpg")
        (scans / "readme.txt").write_text("no picture")
        return scans

    def finished(self, out):
        return sorted(path.name for path in out.glob("[0-9]*.txt"))

    def test_killed_run_loses_nothing_and_resumes(self):
        scans, out = self.make_scans(6), self.folder / "out"
        command = [PROGRAM, "ocr", scans, "-l", "swa", "-o", out, "-n", "1"]
        for kill in (signal.SIGKILL, signal.SIGTERM):
            before = len(self.finished(out))
            process = subprocess.Popen(command + ["--resume"], stderr=subprocess.PIPE)
            deadline = time.monotonic() + 120
            while len(self.finished(out)) < before + 1 and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(kill)
            process.communicate()
            self.assertNotEqual(process.returncode, 0)
            whole = [(out / name).read_text() for name in self.finished(out)]
            self.assertGreater(len(whole), before)
            self.assertEqual(len(set(whole)), 1, "an output is not whole")
        written = {name: (out / name).stat().st_mtime_ns for name in self.finished(out)}
        result = vislang(*command[1:], "--resume", "--json")
        summary = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(summary["skipped"], 1)
        self.assertEqual(summary["read"] + summary["skipped"], 6)
        self.assertEqual(summary["left_out"], 1)
        self.assertEqual(len(self.finished(out)), 6)
        kept = [name for name, stamp in written.items() if (out / name).stat().st_mtime_ns == stamp]
        self.assertGreaterEqual(len(kept), summary["skipped"])
        self.assertEqual(list(out.glob(".*.part")), [])

    def test_resume_reads_again_what_changed(self):
        scans, out = self.make_scans(2), self.folder / "out"
        vislang("ocr", scans, "-l", "swa", "-o", out)
        shutil.copy(SAMPLES / "notice-eng.jpg", scans / "01.jpg")
        summary = json.loads(vislang("ocr", scans, "-l", "swa", "-o", out, "--resume",
                                     "--json").stdout)
        self.assertEqual((summary["read"], summary["skipped"]), (1, 1))
        summary = json.loads(vislang("ocr", scans, "-l", "eng", "-o", out, "--resume",
                                     "--json").stdout)
        self.assertEqual((summary["read"], summary["skipped"]), (2, 0))

    def test_multi_page_document(self):
        pages = next(SAMPLES.glob("*.tif"))
        document = json.loads(vislang("ocr", pages, "-f", "json").stdout)
        self.assertGreaterEqual(len(document["pages"]), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
