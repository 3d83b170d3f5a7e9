"""The adapter of HAPI: rows by table and country, 10,000 a call, one call a second."""
import base64
import csv
import hashlib
import io
import unittest

from source_server import Answer, Harvest, Source, SourceTest

TABLES = ["affected-people/humanitarian-needs", "food-security-nutrition-poverty/food-prices-market-monitor",
          "coordination-context/funding", "coordination-context/conflict-events",
          "coordination-context/operational-presence", "climate/rainfall"]


class Tables:
    """`rows` by (table, country); "" is every country."""

    def __init__(self, rows):
        self.rows, self.change = rows, None

    def __call__(self, question):
        ask = dict(question.parameters)
        table = question.path.removeprefix("/api/v2/")
        if table not in TABLES or ask.pop("output_format") != "json":
            raise AssertionError(question.target)
        limit, offset = int(ask.pop("limit")), int(ask.pop("offset"))
        count = self.rows.get((table, ask.pop("location_code", "")), 0)
        if base64.b64decode(ask.pop("app_identifier"), validate=True) != b"tests:me@example.org" or ask:
            raise AssertionError(question.target)
        if limit > 10000:
            raise AssertionError("more than 10,000 rows")
        code = question.parameters.get("location_code", "AFG")
        return Answer({"data": [{"location_code": code, "row": i, "admin1_name": self.change}
                                for i in range(offset, min(count, offset + limit))]})


class TestHapi(SourceTest):
    def harvest(self, answer, who="tests:me@example.org", **options):
        with Source(answer) as source:
            harvest = Harvest("hapi", {"harvest_hapi_url": source.url, "harvest_hapi_app_identifier": who},
                              **options)
            self.questions, self.url = source.questions, source.url
        return harvest

    def test_pages(self):
        api = Tables({("climate/rainfall", "SDN"): 25000, ("climate/rainfall", "KEN"): 10000,
                      ("coordination-context/funding", "KEN"): 3})
        harvest = self.harvest(api, countries="sdn,KEN,ssd", themes="rainfall,Funding", interval=0)
        self.assertEnds(harvest, "ok")
        self.assertEqual(harvest.keys, ["coordination-context/funding KEN 0", "climate/rainfall SDN 0",
                                        "climate/rainfall SDN 10000", "climate/rainfall SDN 20000",
                                        "climate/rainfall KEN 0"])
        rows = [list(csv.DictReader(io.StringIO(r["files"][0]["body"]))) for r in harvest.records]
        self.assertEqual([len(r) for r in rows], [3, 10000, 10000, 5000, 10000])
        self.assertEqual([int(r["row"]) for r in rows[1] + rows[2] + rows[3]], list(range(25000)))
        self.assertEqual([r["countries"] for r in harvest.records], ["KEN", "SDN", "SDN", "SDN", "KEN"])
        # 3 countries of funding, 3 pages of SDN, 2 of KEN (the second is empty), 1 of SSD
        self.assertEqual(len(self.questions), 9)
        self.assertEqual(harvest.waited, 8)
        for i, cursor in enumerate(harvest.cursors[:-1]):
            rest = self.harvest(api, countries="sdn,KEN,ssd", themes="rainfall,Funding", cursor=cursor)
            self.assertEqual(rest.cursors, harvest.cursors[i + 1:])
            self.assertEqual(rest.keys, harvest.keys[len(harvest.keys) - len(rest.keys):])

    def test_a_record(self):
        harvest = self.harvest(Tables({("coordination-context/funding", ""): 2}))
        self.assertEnds(harvest, "ok")
        self.assertEqual(len(harvest.cursors), len(TABLES))
        (record,) = harvest.records
        self.assertEqual(record.pop("url"), self.url + "/api/v2/coordination-context/funding"
                                                       "?output_format=json&limit=10000&offset=0")
        self.assertIn("licence of each data set", record.pop("terms"))
        version = record["files"][0].pop("version")
        self.assertEqual(version, hashlib.sha256(record["files"][0]["body"].encode()).hexdigest())
        self.assertEqual(record, {
            "key": "coordination-context/funding all 0", "title": "funding, all, rows 1 to 2",
            "publisher": "OCHA Centre for Humanitarian Data", "themes": "coordination-context/funding",
            "countries": "AFG",
            "files": [{"type": "text/csv", "name": "funding-all-0.csv",
                       "body": "location_code,row,admin1_name\r\nAFG,0,\r\nAFG,1,\r\n"}]})

    def test_identifier(self):
        """As HAPI wrote it, too."""
        coded = base64.b64encode(b"tests:me@example.org").decode()
        self.assertEnds(self.harvest(Tables({}), coded, themes="rainfall"), "ok")
        self.assertEqual(len(self.questions), 1)

    def test_themes(self):
        for themes, tables in (("coordination-context", TABLES[2:5]), ("CLIMATE/rainfall", TABLES[5:]),
                               ("funding,climate", [TABLES[2], TABLES[5]])):
            self.assertEnds(self.harvest(Tables({}), themes=themes), "ok")
            self.assertEqual([q.path.removeprefix("/api/v2/") for q in self.questions], tables)

    def test_refusals(self):
        for reply, status, words in (
                (Answer({"error": "Invalid app_identifier in the request"}, 400), "bad_input", "app_identifier"),
                (Answer({"detail": "Not allowed"}, 403), "denied", "Not allowed"),
                (Answer({"rows": []}), "bad_input", "no data"),
                (Answer({"data": {"a": 1}}), "bad_input", "no data"),
                (Answer("a,b\n1,2\n", kind="text/csv"), "bad_input", "no JSON"),
                (Answer("", 429, headers={"Retry-After": "90000"}), "busy", "")):
            harvest = self.harvest(lambda q, reply=reply: reply)
            self.assertEnds(harvest, status, words)
            self.assertEqual((harvest.records, len(self.questions)), ([], 1))
        page = "<!DOCTYPE html><title>Maintenance</title>"
        harvest = self.harvest(lambda q: Answer(page, kind="text/html"))
        self.assertEnds(harvest, "denied", "Maintenance")

    def test_trouble_that_passes(self):
        api = Tables({("climate/rainfall", ""): 2})

        def moved(question):
            if not question.path.startswith("/here"):
                return Answer("", 307, headers={"Location": "/here" + question.target})
            question.path = question.path.removeprefix("/here")
            return api(question)

        self.assertEqual(len(self.harvest(moved, themes="rainfall").keys), 1)
        for first in (Answer("{}", 429, headers={"Retry-After": "3"}), Answer("", 500),
                      Answer('{"data":[{"row":0}]}', cut=9)):
            queue = [first]
            harvest = self.harvest(lambda q: queue.pop() if queue else api(q), themes="rainfall")
            self.assertEnds(harvest, "ok")
            self.assertEqual(len(harvest.keys), 1)

    def test_what_it_cannot(self):
        for options, status, words in (
                ({"who": ""}, "missing", "harvest_hapi_app_identifier"),
                ({"themes": "rainfal"}, "usage", "did you mean 'rainfall'"),
                ({"countries": "Kenya"}, "usage", "no country"), ({"languages": "sw"}, "usage", "languages"),
                ({"words": "x"}, "usage", "words"), ({"since": "2025-01-01"}, "usage", "dates"),
                ({"formats": "pdf"}, "usage", "data only"), ({"cursor": "x"}, "bad_input", "no place"),
                ({"cursor": "climate/rain - 0"}, "bad_input", "no place"),
                ({"cursor": "climate/rainfall KEN 0", "countries": "SDN"}, "bad_input", "no place")):
            harvest = self.harvest(Tables({}), **options)
            self.assertEnds(harvest, status, words)
            self.assertEqual(self.questions, [])


if __name__ == "__main__":
    unittest.main()
