"""`vislang db` and `vislang admin`, as an operator meets them, in a SQLite database of their own."""

import json
import os
import sqlite3
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("VISLANG_PROGRAM", str(ROOT / "build" / "vislang"))
SECRET = "a secret of more than thirty-two bytes"
PASSWORD = "correct horse battery"
KEYS = ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "202122232425262728292a2b2c2d2e2f" * 2]


class Database(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.file = Path(self.home.name) / "vislang" / "vislang.db"

    def run_it(self, *args, code=0, input="", **variables):
        environment = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": self.home.name, **variables}
        result = subprocess.run([PROGRAM, *args], input=input, capture_output=True, text=True, timeout=60,
                                env=environment)
        self.assertEqual(result.returncode, code, (args, result.stdout, result.stderr))
        return result.stdout if code == 0 else result.stderr

    def test_schema_up_down_and_status(self):
        self.assertIn("applied: ", self.run_it("db", "migrate"))
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        rows = json.loads(self.run_it("db", "status", "--json"))["migrations"]
        self.assertTrue(rows and all(row["applied"] for row in rows))
        self.assertIn("--to", self.run_it("db", "rollback", code=2))
        self.run_it("db", "rollback", "--to", "2")
        rows = json.loads(self.run_it("db", "status", "--json"))["migrations"]
        self.assertEqual([bool(row["applied"]) for row in rows], [row["number"] <= 2 for row in rows])
        self.assertIn("did you mean 'status'", self.run_it("db", "statu", code=2))
        self.assertIn("takes no --to", self.run_it("db", "status", "--to", "1", code=2))
        self.assertIn("begins with sqlite: or postgresql://",
                      self.run_it("db", "status", "--set", "database_url=mysql://x", code=2))
        self.assertIn("cannot be reached",
                      self.run_it("db", "status", "--set", "database_url=postgresql://127.0.0.1:1/x", code=4))

    def test_copies(self):
        self.run_it("admin", "user", "create", "amina", "--role", "admin", input=PASSWORD)
        copy = self.home.name + "/copy.vldb"
        made = json.loads(self.run_it("db", "backup", copy, "--json"))
        self.assertEqual(json.loads(self.run_it("db", "verify", copy, "--json"))["sha256"], made["sha256"])
        self.run_it("admin", "user", "create", "bashir", input=PASSWORD)
        self.assertIn("--replace", self.run_it("db", "restore", copy, code=2))
        self.run_it("db", "restore", copy, "--replace")
        self.assertEqual(self.run_it("admin", "user", "list").split()[0], "amina")
        self.assertNotIn("bashir", self.run_it("admin", "user", "list"))
        with open(copy, "r+b") as file:
            file.truncate(os.path.getsize(copy) - 9)
        self.assertIn("copy", self.run_it("db", "verify", copy, code=3))
        self.assertIn("copy", self.run_it("db", "restore", copy, "--replace", code=3))
        self.assertIn("amina", self.run_it("admin", "user", "list"))
        dated = json.loads(self.run_it("db", "backup", self.home.name + "/copies/", "--json"))
        self.assertTrue(os.path.exists(dated["file"]))
        self.assertEqual(os.listdir(self.home.name + "/copies"), [os.path.basename(dated["file"])])

    def test_users_keys_and_the_trail(self):
        def admin(*args, **options):
            return self.run_it("admin", *args, SECRET_KEY=SECRET, **options)

        password = Path(self.home.name) / "password"
        password.write_text(PASSWORD + "\n")
        admin("user", "create", "amina", "--role", "admin", "--password-file", str(password))
        self.assertIn("10 to 256 bytes", admin("user", "create", "x", input="short\n", code=3))
        self.assertIn("is no role", admin("user", "role", "amina", "king", code=3))
        self.assertIn("last admin", admin("user", "disable", "amina", code=2))
        self.assertIn("no user 'nobody'", admin("apikey", "create", "nobody", "ci", code=3))
        key = admin("apikey", "create", "amina", "laptop", "--role", "operator", "--days", "90").strip()
        listed = json.loads(admin("apikey", "list", "amina", "--json"))
        self.assertTrue(key.startswith(listed["prefix"] + "_"))
        self.assertNotIn(key.encode(), self.file.read_bytes())
        self.assertNotIn(PASSWORD.encode(), self.file.read_bytes())
        admin("apikey", "revoke", str(listed["id"]))
        self.assertIsNotNone(json.loads(admin("apikey", "list", "amina", "--json"))["revoked"])
        trail = [json.loads(line) for line in admin("audit", "list").splitlines()]
        self.assertEqual([entry["action"] for entry in trail],
                         ["user.create", "apikey.create", "apikey.revoke"])
        self.assertIn("3 entries", admin("audit", "verify"))
        with sqlite3.connect(self.file) as db:
            db.execute("DELETE FROM audit WHERE number = 3")
        self.assertIn("entry 3", admin("audit", "verify", code=3))
        self.assertIn("32 bytes", self.run_it("admin", "audit", "verify", code=2, SECRET_KEY="short"))

    def test_master_keys(self):
        self.assertIn("ENCRYPTION_KEY", self.run_it("admin", "key", "rotate", code=4))
        self.assertIn("0 objects", self.run_it("admin", "key", "rotate", ENCRYPTION_KEY=",".join(KEYS)))
        self.assertIn("32 bytes", self.run_it("admin", "key", "rotate", code=2, ENCRYPTION_KEY="password"))


if __name__ == "__main__":
    unittest.main()
