"""The adapter of ReliefWeb against its API's shapes (envelope, ids, dates, files, errors)."""
import os
import tempfile
import unittest

from source_server import Answer, Harvest, Source, SourceTest


def stamp(second):
    return f"2025-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00:00"


def report(number, changed, **more):
    """data[].id is a string, fields.id a number; file[] has ids and sizes as strings."""
    fields = {
        "id": number,
        "url": f"https://reliefweb.int/node/{number}",
        "title": f"Report {number}",
        "status": "published",
        "date": {"created": stamp(0), "changed": changed, "original": "2025-02-27T00:00:00+00:00"},
        "source": [{"id": 1503, "name": "An Office", "shortname": "AO"}],
        "language": [{"id": 267, "name": "English", "code": "en"}],
    }
    fields.update(more)
    return {"id": str(number), "score": 1, "href": f"https://api.reliefweb.int/v2/reports/{number}",
            "fields": {k: v for k, v in fields.items() if v is not None}}


class Reports:
    """The API: reports sorted by date.changed, filtered by it, by offset and limit."""

    def __init__(self, reports, first=()):
        self.reports, self.first, self.after = reports, list(first), lambda: None

    def __call__(self, question):
        if self.first:
            return self.first.pop(0)
        if question.method != "POST" or question.headers["Content-Type"] != "application/json":
            raise AssertionError("no POST of JSON")
        ask = question.json
        field, order = ask["sort"][0].split(":")
        if field != "date.changed" or len(ask["sort"]) != 1 or not 1 <= ask["limit"] <= 1000:
            raise AssertionError(f"sort or limit: {ask}")
        low, high = "", "9"
        for condition in ask.get("filter", {}).get("conditions", []):
            if condition["field"] == "date.changed":
                low, high = condition["value"].get("from", low), condition["value"].get("to", high)
        found = [r for r in sorted(self.reports, key=lambda r: r["fields"]["date"]["changed"],
                                   reverse={"asc": False, "desc": True}[order])
                 if low <= r["fields"]["date"]["changed"] <= high]
        data = found[ask["offset"]:ask["offset"] + ask["limit"]]
        self.after()
        return Answer({"time": 11, "href": "https://api.reliefweb.int/v2/reports", "links": {}, "took": 4,
                       "totalCount": len(found), "count": len(data), "data": data})


class TestReliefWeb(SourceTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.calls = os.path.join(folder.name, "state", "calls")

    def settings(self, source, **more):
        return {"harvest_reliefweb_url": source.url + "/v2/", "harvest_reliefweb_appname": "tests & more",
                "harvest_reliefweb_calls": self.calls, **more}

    def harvest(self, answer, settings=None, **options):
        with Source(answer) as source:
            harvest = Harvest("reliefweb", self.settings(source, **(settings or {})), **options)
            self.questions = source.questions
        return harvest

    def test_a_report(self):
        full = report(
            3670541, "2025-03-01T10:20:30+00:00",
            url_alias="https://reliefweb.int/report/sudan/floods", origin="https://example.org/floods",
            body="## Floods\n\nمياه — \u0645\u0627\u0621",
            primary_country={"id": 220, "name": "Sudan", "iso3": "sdn"},
            country=[{"id": 220, "name": "Sudan", "iso3": "sdn", "primary": True},
                     {"id": 8657, "name": "South Sudan", "iso3": "ssd"}],
            source=[{"id": 1503, "name": "An Office", "disclaimer": "Not an endorsement."},
                    {"id": 2, "name": "Another, Ltd", "disclaimer": "All rights reserved."}],
            theme=[{"id": 4595, "name": "Health"}, {"id": 4604, "name": "Water Sanitation Hygiene"}],
            format=[{"id": 10, "name": "Situation Report"}],
            disaster=[{"id": 5, "name": "Floods", "glide": "FL-2025-000027-SDN"}, {"id": 6, "name": "None"}],
            file=[{"id": "1535625", "description": "Arabic version",
                   "url": "https://reliefweb.int/attachments/aa/a.pdf", "filename": "a.pdf",
                   "filehash": "d41d8cd9", "filesize": "1684789", "mimetype": "application/pdf"},
                  {"id": 1535626, "url": "https://reliefweb.int/attachments/bb/b.docx",
                   "filename": "b.docx", "filesize": 12,
                   "mimetype": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
                  {"id": "3", "description": "a file without a URL"}])
        harvest = self.harvest(Reports([full]))
        self.assertEnds(harvest, "ok")
        self.assertEqual(harvest.cursors, [""])
        record = harvest.records[0]
        raw = record.pop("raw")
        self.assertIn('"glide":"FL-2025-000027-SDN"', raw)
        self.assertEqual(record, {
            "key": "3670541", "title": "Report 3670541", "url": "https://reliefweb.int/report/sudan/floods",
            "language": "en", "published": "2025-02-27T00:00:00Z", "changed": "2025-03-01T10:20:30Z",
            "licence": "https://reliefweb.int/terms-conditions",
            "terms": "An Office: Not an endorsement.\nAnother, Ltd: All rights reserved.",
            "publisher": "An Office,Another; Ltd", "countries": "sdn,ssd",
            "themes": "Health,Water Sanitation Hygiene", "disasters": "FL-2025-000027-SDN",
            "files": [
                {"type": "text/markdown", "name": "body.md", "version": "2025-03-01T10:20:30Z",
                 "body": "## Floods\n\nمياه — ماء"},
                {"url": "https://reliefweb.int/attachments/aa/a.pdf", "type": "application/pdf",
                 "name": "Arabic version", "language": "ar", "version": "d41d8cd9", "bytes": 1684789},
                {"url": "https://reliefweb.int/attachments/bb/b.docx",
                 "type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                 "name": "b.docx", "bytes": 12}]})

    def test_what_is_missing(self):
        bare = report(7, "2025-03-01T00:00:00+00:00", language=None, source=None)
        del bare["fields"]["date"]["original"], bare["fields"]["title"]
        number = report(8, "2025-03-01T00:00:01+00:00", language=[{"id": 1, "name": "Other", "code": "ot"}])
        number["id"] = 8
        inner = report(9, "2025-03-01T00:00:02+00:00")
        del inner["id"]
        lost = report(10, "2025-03-01T00:00:03+00:00", id=None)
        del lost["id"]
        no_fields = {"id": "11", "fields": None}
        data = [bare, number, inner, lost, no_fields, None, 5]
        harvest = self.harvest(lambda q: Answer({"totalCount": 7, "count": 7, "data": data}))
        self.assertEnds(harvest, "ok")
        self.assertEqual(harvest.keys, ["7", "8", "9"])
        self.assertEqual(harvest.records[0]["published"], stamp(0)[:19] + "Z")
        self.assertNotIn("language", harvest.records[0])
        self.assertNotIn("language", harvest.records[1])
        self.assertEqual(harvest.log.count("record left out"), 4)

    def test_the_question(self):
        harvest = self.harvest(Reports([]), {"harvest_reliefweb_formats": "Situation Report, Assessment"},
                               languages="sw,fra", countries="SDN, ssd",
                               themes="Health,Water Sanitation Hygiene", formats="pdf",
                               words="flood", since="2025-01-01", until="2025-01-31", limit=2000)
        self.assertEnds(harvest, "ok")
        question = self.questions[0]
        self.assertEqual((question.path, question.parameters), ("/v2/reports", {"appname": "tests & more"}))
        ask = question.json
        included = ask.pop("fields")["include"]
        self.assertLessEqual({"title", "body", "file", "date", "source", "language"}, set(included))
        self.assertEqual(ask, {
            "query": {"value": "flood", "operator": "AND"},
            "filter": {"operator": "AND", "conditions": [
                {"field": "language.code", "value": ["sw", "fr"], "operator": "OR"},
                {"field": "country.iso3", "value": ["sdn", "ssd"], "operator": "OR"},
                {"field": "theme.name", "value": ["Health", "Water Sanitation Hygiene"], "operator": "OR"},
                {"field": "format.name", "value": ["Situation Report", "Assessment"], "operator": "OR"},
                {"field": "date.changed", "value": {"from": "2025-01-01T00:00:00+00:00",
                                                    "to": "2025-01-31T23:59:59+00:00"}}]},
            "sort": ["date.changed:desc"], "limit": 1000, "offset": 0})

    def test_formats(self):
        one = report(1, stamp(1), body="text", file=[
            {"url": "https://reliefweb.int/a.pdf", "mimetype": "application/pdf", "filename": "a.pdf"},
            {"url": "https://reliefweb.int/a.png", "mimetype": "image/png", "filename": "a.png"}])
        two = report(2, stamp(2), body="text")
        for formats, files in (("pdf", ["https://reliefweb.int/a.pdf"]), ("text", [None, None]),
                               ("picture,text", [None, "https://reliefweb.int/a.png", None]), ("odt", [])):
            harvest = self.harvest(Reports([one, two]), formats=formats)
            self.assertEqual([f.get("url") for r in harvest.records for f in r["files"]], files, formats)

    def test_pages(self):
        # 1,300 changed in one second among 2,600: no page may stand still, none may be lost.
        reports = [report(i, stamp(600 if 600 < i < 1900 else i)) for i in range(2600)]
        harvest = self.harvest(Reports(reports))
        self.assertEnds(harvest, "ok")
        self.assertEqual(set(harvest.keys), {str(i) for i in range(2600)})
        self.assertEqual(len(harvest.keys), 2600 + 400)  # those of the second that was cut
        # From each cursor alone it goes on to the same end.
        for i, cursor in enumerate(harvest.cursors[:-1]):
            rest = self.harvest(Reports(reports), cursor=cursor)
            self.assertEqual(rest.cursors, harvest.cursors[i + 1:])
            self.assertEqual(rest.keys, harvest.keys[-len(rest.keys):])

    def test_the_newest(self):
        """A limit means the newest; the caller counts."""
        api = Reports([report(i, stamp(i)) for i in range(130)])
        harvest = self.harvest(api, limit=60, pages=2)
        self.assertEqual([q.json["limit"] for q in self.questions], [60, 60])
        self.assertEqual(harvest.keys, [str(i) for i in (*range(129, 69, -1), *range(70, 10, -1))])
        rest = self.harvest(api, cursor=harvest.cursors[0])  # and on, from the newest, without a limit
        self.assertEqual(rest.keys, [str(i) for i in range(70, -1, -1)])

    def test_changed_meanwhile(self):
        """A report of the first page is changed before the second: offsets alone would lose one."""
        api = Reports([report(i, stamp(i)) for i in range(1500)])

        def change():
            api.after = lambda: None
            api.reports[10]["fields"]["date"]["changed"] = stamp(5000)

        api.after = change
        harvest = self.harvest(api)
        self.assertEnds(harvest, "ok")
        self.assertEqual(set(harvest.keys), {str(i) for i in range(1500)})
        self.assertEqual(harvest.keys[-1], "10")

    def test_refusals(self):
        page = '<!DOCTYPE html><html><head><title>Slow down</title></head><body>…</body></html>'
        error = '{"status":%d,"error":{"type":"%s","message":"%s"}}'
        for reply, status, words in (
                (Answer(error % (400, "BadRequest", "Missing appname parameter"), 400), "bad_input",
                 "Missing appname parameter"),
                (Answer(error % (403, "AccessDeniedHttpException", "You are not using an approved appname"),
                        403), "denied", "not using an approved appname"),
                (Answer(error % (410, "Gone", "The API version 'v1' has been decommissioned."), 410),
                 "bad_input", "decommissioned"),
                (Answer('{"data":[{"id":"1"', 200), "bad_input", "no JSON"),
                (Answer({"status": 200}), "bad_input", "no data"),
                (Answer({"data": {"id": "1"}}), "bad_input", "no data")):
            harvest = self.harvest(lambda q, reply=reply: reply)
            self.assertEnds(harvest, status, words)
            self.assertEqual((harvest.records, len(self.questions)), ([], 1))
        # A page instead of an answer does not end the run for good, as one that makes no sense does.
        self.assertEnds(self.harvest(lambda q: Answer(page, 200, "text/html")), "denied", "Slow down")
        self.assertEnds(self.harvest(lambda q: Answer(page, 200)), "denied", "Slow down")
        harvest = self.harvest(lambda q: Answer(page, 429, "text/html", {"Retry-After": "86400"}))
        self.assertEnds(harvest, "busy")

    def test_trouble_that_passes(self):
        good = report(1, stamp(1))
        whole = Answer({"totalCount": 1, "count": 1, "data": [good]})
        for first in (Answer("{}", 429, headers={"Retry-After": "7"}), Answer("down", 503, "text/plain"),
                      Answer(whole.body, cut=40)):
            harvest = self.harvest(Reports([good], [first]))
            self.assertEnds(harvest, "ok")
            self.assertEqual(harvest.keys, ["1"])
            self.assertGreater(harvest.waited, 0)

    def test_texts_too_long_for_one_answer(self):
        """1,000 of them are over 64 MB: it asks for fewer."""
        reports = [report(i, stamp(i), body="maji safi " * 7000) for i in range(1000)]
        harvest = self.harvest(Reports(reports), pages=1)
        self.assertEnds(harvest, "ok")
        self.assertEqual([q.json["limit"] for q in self.questions], [1000, 125])
        self.assertEqual(harvest.keys, [str(i) for i in range(125)])
        self.assertEqual(harvest.cursors, [f"oldest {stamp(124)[:19]}Z 0"])

    def test_redirect_of_a_question(self):
        harvest = self.harvest(lambda q: Answer("", 302, headers={"Location": "/v3/reports"}))
        self.assertEnds(harvest, "denied", "redirect")

    def test_quota(self):
        reports = [report(i, stamp(i)) for i in range(5000)]
        small = {"harvest_reliefweb_quota": 2}
        first = self.harvest(Reports(reports), small)
        self.assertEnds(first, "busy", "all 2 calls", "come back after", "T00:00:00Z")
        self.assertEqual((len(first.cursors), len(self.questions)), (2, 2))
        # Another process knows, and one that harvests under another name has its own.
        again = self.harvest(Reports(reports), small, cursor=first.cursors[-1])
        self.assertEnds(again, "busy")
        self.assertEqual(self.questions, [])
        other = self.harvest(Reports(reports), {**small, "harvest_reliefweb_appname": "other"}, pages=1)
        self.assertEnds(other, "ok")
        with open(self.calls, encoding="ascii") as file:
            lines = file.read().splitlines()
        self.assertEqual(len(lines), 3)
        self.assertNotIn("other", "".join(lines))
        with open(self.calls, "w", encoding="ascii") as file:
            file.write("2001-01-01 of another day\n" * 5)
        self.assertEnds(self.harvest(Reports(reports), small, pages=1), "ok")
        uncounted = self.harvest(Reports(reports), {**small, "harvest_reliefweb_calls": "none"})
        self.assertEnds(uncounted, "ok")

    def test_what_it_needs(self):
        for settings, options, status, words in (
                ({"harvest_reliefweb_appname": ""}, {}, "missing", "harvest_reliefweb_appname"),
                ({}, {"since": "soon"}, "usage", "no date"),
                ({}, {"since": "2025-02-02", "until": "2025-02-01"}, "usage", "since"),
                ({}, {"cursor": "page 3"}, "bad_input", "no place")):
            harvest = self.harvest(Reports([]), settings, **options)
            self.assertEnds(harvest, status, words)
            self.assertEqual(self.questions, [])


if __name__ == "__main__":
    unittest.main()
