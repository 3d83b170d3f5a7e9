"""`vislang harvest` of folders and archives on this machine, and what a collection holds of them."""

import gzip
import hashlib
import io
import json
import os
import random
import sqlite3
import stat
import subprocess
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
PDF = b"%PDF-1.4\nno more than a head\n"
HTML = b"<!DOCTYPE html><title>x</title><p>Habari\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
TEXT = "Maji safi kwa wote.\n".encode()


def docx(word=b"<w:document/>"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", word)
    return out.getvalue()


def odt():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<x/>")
    return out.getvalue()


class Harvest(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.place = self.home / "place"
        self.place.mkdir()
        self.out = self.home / "collection"

    def run_it(self, *args, code=0, input=None):
        result = subprocess.run([PROGRAM, "harvest", *map(str, args)], capture_output=True, text=True, timeout=120,
                                env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(self.home)})
        self.assertEqual(result.returncode, code, (args, result.stdout, result.stderr))
        self.said = result.stderr
        return result.stdout if code == 0 else result.stderr

    def harvest(self, *args, place=None, code=0):
        said = self.run_it(place or self.place, "--out", self.out, "--json", *args, code=code)
        return json.loads(said) if code == 0 else said

    def write(self, path, content):
        path = self.place / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def rows(self, sql):
        with sqlite3.connect(self.out / "collection.db") as db:
            return db.execute(sql).fetchall()

    def kept(self):
        """Key → content, as the collection has it; every object is what its name says."""
        found = {}
        for key, sha256, size in self.rows("SELECT r.key, d.sha256, d.bytes FROM records r JOIN files f "
                                           "ON f.record_id = r.id JOIN documents d ON d.id = f.document_id"):
            content = (self.out / "objects" / sha256[:2] / sha256).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), sha256)
            self.assertEqual(len(content), size)
            found[key] = content
        self.assertEqual(list((self.out / "tmp").iterdir()), [])
        return found

    def objects(self):
        return [path for path in (self.out / "objects").rglob("*") if path.is_file()]

    def test_folder_kinds_and_second_runs(self):
        contents = {"a.pdf": PDF, "b/c.html": HTML, "b/d.docx": docx(), "b/e.odt": odt(), "f.png": PNG,
                    "g.txt": TEXT, "h/again.txt": TEXT}
        for name, content in contents.items():
            self.write(name, content)
        for name, content in {"x.bin": b"\0\1\2\3", "y.zip": b"PK\5\6" + b"\0" * 18, ".hidden.txt": TEXT,
                              "z.json": b'{"a": 1}'}.items():
            self.write(name, content)
        report = self.harvest()
        self.assertEqual((report["records_new"], report["files_fetched"], report["complete"]), (7, 7, True))
        self.assertEqual(self.kept(), {"place/" + name: content for name, content in contents.items()})
        self.assertEqual(len(self.objects()), 6, "the same content is one object")
        report = self.harvest()
        self.assertEqual((report["records_new"], report["records_same"], report["files_fetched"], report["bytes"]),
                         (0, 7, 0, 0))
        self.write("g.txt", b"Maji safi, toleo la pili.\n")
        self.write("new.txt", b"mpya\n")
        report = self.harvest()
        self.assertEqual((report["records_new"], report["records_changed"], report["files_fetched"]), (1, 1, 2))
        self.assertEqual(self.kept()["place/g.txt"], b"Maji safi, toleo la pili.\n")
        self.assertEqual(len(self.rows("SELECT 1 FROM documents d JOIN files f ON f.id = d.file_id "
                                       "WHERE f.name = 'g.txt'")), 2, "what it was before is kept, too")

    def test_notes(self):
        for name in ("a.txt", "b.txt", "sub/c.txt", "sub/d.txt", "somali/e.txt", "fr/f.txt", "g.h.txt"):
            self.write(name, name.encode())
        self.write("metadata.jsonl", b'{"file_name": "a.txt", "language": "sw", "license": "CC-BY-4.0", "title": "Maji", '
                   b'"url": "https://example.org/a", "extra": [1]}\nno json\n\n'
                   b'{"file_name": "sub/c.txt", "language": "am"}\n{"file_name": "sub/d.txt", "language": "am"}\n'
                   b'{"file_name": "../out.txt", "language": "xx"}\n{"file_name": "b.txt", "language": "not one"}')
        self.write("sub/metadata.jsonl", b'{"file_name": "./c.txt", "lang": "ti"}')
        self.write("somali.lang", b"so\n")
        self.write("g.h.txt.lang", b"pt-BR")
        self.write("b.lang", b"no language at all")
        self.harvest()
        found = dict(self.rows("SELECT key, language FROM records"))
        self.assertEqual(found, {"place/a.txt": "sw", "place/b.txt": None, "place/sub/c.txt": "ti",
                                 "place/sub/d.txt": "am", "place/somali/e.txt": "so", "place/fr/f.txt": None,
                                 "place/g.h.txt": "pt-BR"})
        title, url, licence, raw = self.rows("SELECT title, url, licence, raw FROM records "
                                             "WHERE key = 'place/a.txt'")[0]
        self.assertEqual((title, url, licence, json.loads(raw)["extra"]),
                         ("Maji", "https://example.org/a", "CC-BY-4.0", [1]))
        self.assertIn('"lines":2', self.said)
        self.out = self.home / "some"
        self.harvest("--lang", "swa,amh")
        self.assertEqual([row[0] for row in self.rows("SELECT key FROM records ORDER BY 1")],
                         ["place/a.txt", "place/sub/d.txt"])

    def test_options(self):
        for number in range(12):
            path = self.write(f"{number:02}.txt", str(number).encode())
            os.utime(path, (1700000000 + 86400 * number,) * 2)
        self.write("a.pdf", PDF)
        report = self.harvest("--limit", "5")
        self.assertEqual((report["records_new"], report["complete"]), (5, False))
        self.assertEqual(self.harvest("--limit", "5")["records_same"], 5)
        report = self.harvest("--formats", "pdf")
        self.assertEqual((report["files_fetched"], report["files_left"]), (1, 7))
        self.assertEqual(self.harvest("--formats", "txt", code=2).count("is no format"), 1)
        report = self.harvest("--since", "2023-11-16", "--until", "2023-11-18")
        self.assertEqual(report["records_new"] + report["records_same"], 3)
        self.assertIn("is no date", self.harvest("--since", "yesterday", code=2))
        self.assertIn("no --country", self.harvest("--country", "ken", code=2))
        self.assertIn("there is no", self.harvest(place=self.home / "nothing", code=3))
        self.assertIn("--out", self.run_it(self.place, code=2))
        self.assertIn("name a source", self.run_it("--out", self.out, code=2))
        self.assertIn("did you mean 'dir'", self.run_it("--source", "dit", "--out", self.out, code=2))
        self.assertIn("is no collection", self.run_it("--status", "--out", self.home / "x", code=3))
        self.assertIn("a collection itself", self.harvest(place=self.out, code=3))
        self.assertIn("dir", self.run_it("--list-sources"))
        self.assertIn("dir", [row["name"] for row in json.loads(self.run_it("--list-sources", "--json"))])

    def test_status(self):
        self.write("a.pdf", PDF)
        self.write("b.txt", TEXT)
        self.write("c.txt", TEXT)
        self.write("b.lang", b"swa")
        self.harvest()
        status = json.loads(self.run_it("--status", "--out", self.out, "--json"))
        self.assertEqual((status["documents"], status["contents"], status["bytes"]), (3, 2, len(PDF) + len(TEXT)))
        self.assertEqual(status["languages"][0]["documents"], 2)
        self.assertEqual({row["type"]: row["documents"] for row in status["types"]},
                         {"application/pdf": 1, "text/plain": 2})
        self.assertEqual(status["harvests"][0]["state"], "complete")
        self.assertIn("application/pdf", self.run_it("--status", "--out", self.out))

    def test_hostile_folder(self):
        secret = self.home / "secret.txt"
        secret.write_text("not to be harvested")
        self.write("a.txt", TEXT)
        (self.place / "link.txt").symlink_to(secret)
        (self.place / "loop").symlink_to(self.place)
        (self.place / "up").symlink_to("..")
        os.mkfifo(self.place / "pipe.txt")
        (self.place / "b.txt.lang").symlink_to(secret)
        self.write("b.txt", b"b")
        odd = os.path.join(os.fsencode(self.place), b"caf\xe9\n%41.txt")
        with open(odd, "wb") as file:
            file.write(b"latin-1")
        self.write("/".join(["d"] * 120) + "/deep.txt", b"deep")
        inner = self.write("inner/collection.db", b"")
        self.write("inner/objects/ab/x.txt", b"of another collection")
        self.harvest()
        self.assertEqual(sorted(self.kept()), sorted(["place/a.txt", "place/b.txt", "place/caf%E9%0A%41.txt",
                                                      "place/" + "/".join(["d"] * 120) + "/deep.txt"]))
        self.assertTrue(inner.exists())

    def archive(self, name, members, mode="w:gz"):
        path = self.home / name
        with tarfile.open(path, mode) as archive:
            for member, content in members:
                info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
                info.mtime = info.mtime or 1700000000
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return path

    def test_archives(self):
        big = os.urandom(300000).hex().encode()
        members = [("x/b.txt", b"b"), ("x/\u00e9\u4e2d.txt", b"named"), ("big.txt", big), ("a.pdf", PDF),
                   ("metadata.jsonl", b'{"file_name": "x/b.txt", "language": "ha", "licence": "CC0-1.0"}'),
                   ("x.lang", b"yo"), ("n.bin", b"\0\1\2")]
        wanted = {"x/b.txt": b"b", "x/\u00e9\u4e2d.txt": b"named", "big.txt": big, "a.pdf": PDF}
        zipped = self.home / "a.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        for place in (self.archive("a.tar.gz", members), self.archive("b.tar", members, "w"), zipped):
            self.out = self.home / (place.name + ".collection")
            report = self.harvest(place=place)
            self.assertEqual(report["files_fetched"], 4, place)
            self.assertEqual(self.kept(), {place.name + "/" + name: content for name, content in wanted.items()})
            self.assertEqual(dict(self.rows("SELECT key, language FROM records"))[place.name + "/x/b.txt"], "ha")
            self.assertEqual(dict(self.rows("SELECT key, language FROM records"))[place.name + "/x/\u00e9\u4e2d.txt"],
                             "yo")
            report = self.harvest(place=place)
            self.assertEqual((report["records_same"], report["files_fetched"], report["files_unchanged"]), (4, 0, 0))
            os.utime(place, (1, 1))
            report = self.harvest(place=place)
            self.assertEqual((report["records_changed"], report["files_fetched"], report["files_unchanged"]), (4, 0, 4))

    def test_hostile_archives(self):
        def link(name, target, kind):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            return info

        place = self.archive("evil.tar", [
            ("../up.txt", b"x"), ("/etc/absolute.txt", b"x"), ("a/../../up.txt", b"x"), ("C:\\x.txt", b"x"),
            (link("s.txt", "/etc/passwd", tarfile.SYMTYPE), b""), (link("h.txt", "good.txt", tarfile.LNKTYPE), b""),
            (link("s", "..", tarfile.SYMTYPE), b""), ("s/through.txt", b"t"), ("good.txt", b"good")], "w")
        self.harvest(place=place)
        kept = self.kept()
        self.assertEqual(kept["evil.tar/good.txt"], b"good")
        self.assertFalse([key for key in kept if ".." in key or "passwd" in key or "/etc" in key or ":" in key], kept)
        self.assertFalse((self.home / "up.txt").exists())

        bomb = self.home / "bomb.tar.gz"
        with open(bomb, "wb") as file:
            packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9)
            packed.write(self.header("first.txt", 5))
            packed.write(b"first" + b"\0" * 507)
            packed.write(self.header("bomb.txt", 2 << 30))
            for _ in range(600):
                packed.write(b"a" * (1 << 20))
            packed.close()
        self.out = self.home / "bombed"
        said = self.harvest(place=bomb, code=3)
        self.assertIn("200 times its size", said)
        self.assertEqual(self.kept(), {"bomb.tar.gz/first.txt": b"first"}, "what came before it is kept")

    @staticmethod
    def header(name, size):
        info = tarfile.TarInfo(name)
        info.size = size
        return info.tobuf()

    def test_damaged_archives(self):
        members = [(f"{number:04}.txt", os.urandom(2000).hex().encode()) for number in range(900)]
        place = self.archive("cut.tar.gz", members)
        whole = place.read_bytes()
        place.write_bytes(whole[: len(whole) // 2])
        self.assertIn("cut.tar.gz", self.harvest(place=place, code=3))
        some = len(self.kept())
        self.assertTrue(300 < some < 600, some)
        place.write_bytes(whole)
        self.harvest(place=place)
        self.assertEqual(self.kept(), {"cut.tar.gz/" + name: content for name, content in members})
        for content in (b"", b"no archive", PDF, b"\x1f\x8b\x08", b"PK\3\4", os.urandom(5000)):
            other = self.home / "other.bin"
            other.write_bytes(content)
            self.out = self.home / "others"
            self.assertIn(self.harvest_code(other), (0, 3), content)

    def harvest_code(self, place):
        return subprocess.run([PROGRAM, "harvest", str(place), "--out", str(self.out)], capture_output=True,
                              timeout=60).returncode

    def test_too_large_and_a_full_disk(self):
        self.write("a.txt", b"x" * 5000)
        self.write("b.txt", b"y")
        report = self.harvest("--set", "harvest_max_file=2KB")
        self.assertEqual((report["files_fetched"], report["files_failed"]), (1, 1))
        self.assertEqual(report["failures"][0]["reason"], "limit")
        self.assertEqual(self.harvest()["files_fetched"], 1, "it is tried again")
        self.write("c.txt", b"z")
        said = self.harvest("--set", "harvest_min_free=1000GB", code=1)
        self.assertIn("are to stay free", said)
        self.assertEqual(sorted(self.kept()), ["place/a.txt", "place/b.txt"])
        self.harvest()
        self.assertEqual(len(self.kept()), 3)

    def test_killed(self):
        chance = random.Random(4)
        members = [(f"{number % 3}/{number:04}.txt", bytes(chance.randrange(65, 90) for _ in range(number % 90 + 1)))
                   for number in range(600)]
        for name, content in members:
            self.write(name, content)
        kills = 0
        for place in (self.place, self.archive("many.tar.gz", members)):
            self.out = self.home / (place.name + ".collection")
            for attempt in range(200):
                process = subprocess.Popen([PROGRAM, "harvest", str(place), "--out", str(self.out), "--json"],
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                try:
                    process.wait(timeout=0.02 + chance.random() * 0.05 * attempt)
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
                output = process.communicate()[0]
                if process.returncode == 0:
                    break
            report = json.loads(output)
            # One that was killed between its last commit and its end had done it all.
            self.assertIn((report["records_new"], report["files_fetched"], report["pages"]), ((600, 600, 2), (0, 0, 2)), place)
            self.assertEqual(self.kept(), {place.name + "/" + name: content for name, content in members})
            self.assertEqual(len(self.rows("SELECT 1 FROM documents")), 600)
            self.assertEqual(len(self.objects()), len({content for _, content in members}))
        self.assertGreater(kills, 5)

    def test_two_at_once_and_modes(self):
        self.write("a.txt", TEXT)
        self.harvest()
        import fcntl
        with open(self.out / ".dir.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("another process", self.harvest(code=1))
        self.harvest()
        self.assertEqual(stat.S_IMODE((self.out / "collection.db").stat().st_mode), 0o600)

    def test_many(self):
        for number in range(700):
            self.write(f"{number % 7}/{number:05}.txt", str(number).encode())
        self.assertEqual(self.harvest()["pages"], 2)
        self.assertEqual(len(self.kept()), 700)
        self.assertEqual(self.harvest()["records_same"], 700)


if __name__ == "__main__":
    unittest.main()
