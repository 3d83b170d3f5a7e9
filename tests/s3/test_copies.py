"""Copies of the database in a bucket, against a real S3 server (moto[server], which checks every
signature itself), in .venv or the environment that VISLANG_PEERS names (scripts/deps.sh --peers);
without it the test is skipped, loudly.

usage: test_copies.py PROGRAM [unittest options]"""
import base64
import json
import os
import pathlib
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import peers  # noqa: E402

PROGRAM = None

USER = """
import boto3, json, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="x", aws_secret_access_key="y")
iam.create_user(UserName="copies")
iam.put_user_policy(UserName="copies", PolicyName="all", PolicyDocument=json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
print(json.dumps(iam.create_access_key(UserName="copies")["AccessKey"], default=str))
"""
BUCKET = """
import boto3, sys
endpoint, key, secret, action, *words = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  aws_access_key_id=key, aws_secret_access_key=secret)
if action == "make":
    s3.create_bucket(Bucket="copies")
elif action == "put":
    s3.put_object(Bucket="copies", Key=words[0], Body=open(words[1], "rb").read())
elif action == "get":
    open(words[1], "wb").write(s3.get_object(Bucket="copies", Key=words[0])["Body"].read())
elif action == "list":
    for o in s3.list_objects_v2(Bucket="copies").get("Contents", []):
        print(o["Key"], o["ETag"])
elif action == "uploads":
    print(len(s3.list_multipart_uploads(Bucket="copies").get("Uploads", [])))
"""


def python(code, *words):
    return subprocess.run([peers.PYTHON, "-c", code, *words], check=True, capture_output=True,
                          text=True).stdout


class Copies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        cls.endpoint = f"http://127.0.0.1:{port}"
        cls.server = subprocess.Popen([peers.PYTHON, "-m", "moto.server", "-p", str(port)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        for _ in range(600):
            try:
                urllib.request.urlopen(cls.endpoint + "/moto-api/data.json", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        user = json.loads(python(USER, cls.endpoint))
        cls.key, cls.secret = user["AccessKeyId"], user["SecretAccessKey"]
        # From here on a request without a good signature is refused.
        urllib.request.urlopen(urllib.request.Request(
            cls.endpoint + "/moto-api/reset-auth", data=b"0", method="POST",
            headers={"Content-Type": "text/plain"})).close()
        cls.bucket("make")

    @classmethod
    def bucket(cls, *words):
        return python(BUCKET, cls.endpoint, cls.key, cls.secret, *words)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.database = self.folder.name + "/vislang.db"
        self.db("migrate")

    def db(self, *words, ok=True, secret=None, database=None, endpoint=None):
        env = {**os.environ, "AWS_ACCESS_KEY_ID": self.key, "AWS_REGION": "us-east-1",
               "AWS_SECRET_ACCESS_KEY": secret or self.secret,
               "STATE_DIRECTORY": self.folder.name + "/state"}
        done = subprocess.run(
            [PROGRAM, "db", *words, "--json", "--set", f"s3_endpoint={endpoint or self.endpoint}",
             "--set", f"database_url=sqlite://{database or self.database}"],
            env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode == 0, ok, done.stderr)
        return json.loads(done.stdout) if ok else done

    def fill(self, rows, size):
        source = random.Random(7)
        with sqlite3.connect(self.database) as db:
            for i in range(rows):
                text = base64.b64encode(source.randbytes(size)).decode()
                db.execute("INSERT INTO documents (source, sha256, provenance, fetched_ms, created_ms)"
                           " VALUES ('test', ?, ?, 1, 1)", (f"{i:064x}", json.dumps(text)))

    def count(self, database):
        with sqlite3.connect(database) as db:
            return db.execute("SELECT count(*), sum(length(provenance)) FROM documents").fetchone()

    def keys(self):
        return [line.split()[0] for line in self.bucket("list").splitlines()]

    def test_there_and_back(self):
        self.fill(20, 500)
        made = self.db("backup", "s3://copies/back/a name&more/")
        self.assertRegex(made["file"], r"^s3://copies/back/a name&more/vislang-\d{8}T\d{6}Z\.vldb$")
        for url in (made["file"], "s3://copies/back/a name&more"):
            self.assertEqual(self.db("verify", url)["sha256"], made["sha256"])
        other = self.folder.name + "/other.db"
        restored = self.db("restore", "s3://copies/back/a name&more/", database=other)
        self.assertEqual((restored["file"], restored["sha256"]), (made["file"], made["sha256"]))
        self.assertEqual(self.count(other), self.count(self.database))
        self.assertEqual(os.listdir(self.folder.name + "/state"), [])

    def test_in_parts(self):
        self.fill(130, 150000)
        made = self.db("backup", "s3://copies/large/one.vldb")
        self.assertGreater(made["bytes"], 16 << 20)
        etag = [line.split()[1] for line in self.bucket("list").splitlines()
                if line.startswith("large/")]
        self.assertEqual(len(etag), 1)
        self.assertIn("-2", etag[0])  # of two parts
        self.assertEqual(self.bucket("uploads").strip(), "0")
        other = self.folder.name + "/other.db"
        self.db("restore", "s3://copies/large/one.vldb", database=other)
        self.assertEqual(self.count(other), self.count(self.database))

    def test_old_ones_go(self):
        path = self.folder.name + "/x"
        open(path, "w").close()
        for name in ("old/vislang-20200101T000000Z.vldb", "old/notes.txt",
                     "old/deeper/vislang-20200101T000000Z.vldb"):
            self.bucket("put", name, path)
        made = self.db("backup", "s3://copies/old/")
        self.assertEqual(made["removed"], 1)
        left = [key for key in self.keys() if key.startswith("old/")]
        self.assertEqual(len(left), 3)
        self.assertNotIn("old/vislang-20200101T000000Z.vldb", left)

    def test_damaged(self):
        self.fill(20, 500)
        self.db("backup", "s3://copies/damaged/a.vldb")
        path = self.folder.name + "/a.vldb"
        self.bucket("get", "damaged/a.vldb", path)
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) - 20)
        self.bucket("put", "damaged/a.vldb", path)
        self.assertIn("s3://copies/damaged/a.vldb",
                      self.db("verify", "s3://copies/damaged/a.vldb", ok=False).stderr)
        before = self.count(self.database)
        self.db("restore", "s3://copies/damaged/a.vldb", "--replace", ok=False)
        self.assertEqual(self.count(self.database), before)

    def test_refusals(self):
        for words, status, said in (
                (dict(secret="wrong"), 1, "403"),
                (dict(endpoint="http://127.0.0.1:1"), 4, "127.0.0.1:1")):
            done = self.db("backup", "s3://copies/no/", ok=False, **words)
            self.assertIn(said, done.stderr)
            self.assertNotIn(self.secret, done.stderr)
        self.assertIn("NoSuchBucket", self.db("backup", "s3://nowhere/x/", ok=False).stderr)
        self.assertIn("404", self.db("verify", "s3://copies/no/such.vldb", ok=False).stderr)
        self.assertIn("there is no copy", self.db("verify", "s3://copies/nothing/", ok=False).stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    missing = peers.lacking("moto", "flask", "boto3")
    if missing:
        print(f"S3 COPIES NOT TESTED: {missing}", file=sys.stderr)
        sys.exit(77)
    unittest.main()
