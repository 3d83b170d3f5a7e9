"""The adapter of HDX against CKAN's package_search as HDX answers it."""
import re
import unittest

from source_server import Answer, Harvest, Source, SourceTest


def stamp(second):
    return f"2025-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.520687"


def resource(name, kind, **more):
    return {"id": f"r-{name}", "name": name, "description": "", "format": kind, "mimetype": None,
            "size": None, "url": f"https://data.humdata.org/dataset/d/resource/r/download/{name}",
            "download_url": f"https://data.humdata.org/dataset/d/resource/r/download/{name}",
            "url_type": "upload", "resource_type": "file.upload", "created": stamp(0),
            "last_modified": stamp(1), "position": 0, "hash": "", "microdata": False, "pii": "false",
            "pii_report_flag": "FINDINGS", "pii_predict_score": 0.253, **more}


def data_set(number, second, **more):
    return {"id": f"id-{number}", "name": f"set-{number}", "title": f"Set {number}", "notes": "",
            "dataset_date": "[2019-10-22T00:00:00 TO *]", "license_id": "cc-by-igo",
            "license_title": "Creative Commons Attribution for Intergovernmental Organisations",
            "license_url": "http://creativecommons.org/licenses/by/3.0/igo/legalcode",
            "metadata_created": stamp(0), "metadata_modified": stamp(second), "private": False,
            "archived": False, "groups": [], "tags": [], "resources": [], **more}


class Exchange:
    """package_search: sorted by change, filtered by a Solr range, in pages."""

    def __init__(self, sets):
        self.sets = sets

    def __call__(self, question):
        ask = question.parameters
        field, order = ask["sort"].split(" ")
        if question.path != "/api/3/action/package_search" or field != "metadata_modified":
            raise AssertionError(question.target)
        if not question.headers["User-Agent"].startswith("vislang/"):
            raise AssertionError("HDX wants a User-Agent")
        found = sorted(self.sets, key=lambda s: s[field], reverse={"asc": False, "desc": True}[order])
        span = re.search(r"metadata_modified:\[(\S+) TO (\S+)\]", ask.get("fq", ""))
        if span and span[1] != "*":
            found = [s for s in found if s[field] >= span[1].rstrip("Z")]
        if span and span[2] != "*":
            found = [s for s in found if s[field] <= span[2].rstrip("Z")]
        start = int(ask["start"])
        return Answer({"help": "…", "success": True, "result": {
            "count": len(found), "sort": ask["sort"], "facets": {}, "search_facets": {}, "expanded": {},
            "results": found[start:start + int(ask["rows"])]}})


class TestHdx(SourceTest):
    def harvest(self, answer, **options):
        with Source(answer) as source:
            harvest = Harvest("hdx", {"harvest_hdx_url": source.url}, **options)
            self.questions, self.url = source.questions, source.url
        return harvest

    def test_a_data_set(self):
        one = data_set(
            1, 5, notes="Areas of *Afghanistan*", organization={"id": "o", "name": "fiss", "title": "OCHA FISS"},
            groups=[{"id": "afg", "name": "afg", "title": "Afghanistan"}],
            tags=[{"name": "geodata", "vocabulary_id": "b89"}, {"name": "gazetteer", "vocabulary_id": "b89"}],
            resources=[resource("areas.xlsx", "XLSX", size=142757, hash="3f5a", mimetype="application/vnd.ms-excel"),
                       resource("areas.pdf", "PDF", size="77", pii=False)])
        harvest = self.harvest(Exchange([one]))
        self.assertEnds(harvest, "ok")
        record = harvest.records[0]
        self.assertIn('"dataset_date":"[2019-10-22T00:00:00 TO *]"', record.pop("raw"))
        place = "https://data.humdata.org/dataset/d/resource/r/download/"
        self.assertEqual(record, {
            "key": "id-1", "title": "Set 1", "url": self.url + "/dataset/set-1",
            "published": "2025-03-01T00:00:00Z", "changed": "2025-03-01T00:00:05Z",
            "licence": "CC-BY-3.0-IGO", "terms": "http://creativecommons.org/licenses/by/3.0/igo/legalcode",
            "publisher": "OCHA FISS", "countries": "afg", "themes": "geodata,gazetteer",
            "files": [
                {"type": "text/markdown", "name": "notes.md", "version": "2025-03-01T00:00:05Z",
                 "body": "Areas of *Afghanistan*"},
                {"url": place + "areas.xlsx", "type": "application/vnd.ms-excel", "name": "areas.xlsx",
                 "version": "3f5a", "bytes": 142757},
                {"url": place + "areas.pdf", "name": "areas.pdf", "version": stamp(1), "bytes": 77}]})

    def test_licences(self):
        for more, licence, terms in (
                ({"license_id": "hdx-odc-by"}, "ODC-By-1.0", "u"),
                ({"license_id": "hdx-odc-odbl"}, "ODbL-1.0", "u"),
                ({"license_id": "cc-by", "license_title": "Creative Commons Attribution International"},
                 "Creative Commons Attribution International", "u"),
                ({"license_id": "hdx-other", "license_title": "Other", "license_other": "Ask us."}, "Other",
                 "Ask us."),
                ({"license_id": "hdx-multi", "license_title": None}, "u", "u"),
                ({"license_id": "xyz", "license_title": None, "license_url": None}, "xyz", None),
                ({"license_id": None, "license_title": None, "license_url": ""}, None, None)):
            one = data_set(1, 1, **{"license_url": "u", **more})
            record = self.harvest(Exchange([one])).records[0]
            self.assertEqual((record.get("licence"), record.get("terms")), (licence, terms), more)

    def test_what_is_left_out(self):
        resources = [
            resource("people.csv", "CSV", pii="true"), resource("persons.csv", "CSV", pii=True),
            resource("households.dta", "DTA", microdata=True), resource("fine.csv", "CSV", pii="False"),
            resource("map", "Geoservice", url="https://x.org/arcgis/rest/services/A/FeatureServer/0",
                     download_url="https://x.org/arcgis/rest/services/A/MapServer"),
            resource("tiles", "Geoservice", url="https://x.org/ows?SERVICE=WMS", download_url=None),
            resource("both.geojson", "GeoJSON", download_url="https://x.org/wfs?service=WFS&request=GetFeature"),
            resource("made.zip", "SHP",
                     download_url="https://x.org/geoserver/ows?service=WFS&outputFormat=SHAPE-ZIP"),
            resource("nowhere", "CSV", url="", download_url="ftp://x.org/a.csv")]
        sets = [data_set(1, 1, resources=resources), data_set(2, 2, private=True, resources=resources),
                data_set(3, 3, private="true"), data_set(4, 4, id=None), data_set(5, 5, resources="none")]
        harvest = self.harvest(Exchange(sets))
        self.assertEnds(harvest, "ok")
        self.assertEqual(harvest.keys, ["id-1", "id-5"])
        self.assertEqual([f["name"] for f in harvest.records[0]["files"]],
                         ["fine.csv", "both.geojson", "made.zip"])
        self.assertEqual(harvest.records[0]["files"][1]["url"],
                         "https://data.humdata.org/dataset/d/resource/r/download/both.geojson")
        self.assertEqual(harvest.log.count("left out"), 1)

    def test_dates_of_data(self):
        """What data are about is no date of theirs, in whichever form it comes."""
        for text in ("[2019-10-22T00:00:00 TO *]", "[2019-01-01T00:00:00 TO 2020-01-01T23:59:59]",
                     "01/01/1997-12/31/2015", "06/30/2015", None):
            record = self.harvest(Exchange([data_set(1, 1, dataset_date=text)])).records[0]
            self.assertEqual((record["published"], record["changed"]),
                             ("2025-03-01T00:00:00Z", "2025-03-01T00:00:01Z"))

    def test_formats(self):
        sets = [data_set(1, 1, notes="text", resources=[
                    resource("a.pdf", "PDF"), resource("b", "XLSX"), resource("c.docx", "DOCX"),
                    resource("d", "", mimetype="image/png"), resource("e", "Unheard of")]),
                data_set(2, 2, notes="text")]
        for formats, names in (("pdf", ["a.pdf", "e"]), ("data,docx", ["b", "c.docx", "e"]),
                               ("picture", ["d", "e"]),
                               ("text", ["notes.md", "e", "notes.md"]), ("odt", ["e"])):
            harvest = self.harvest(Exchange(sets), formats=formats)
            self.assertEqual([f["name"] for r in harvest.records for f in r["files"]], names)

    def test_the_question(self):
        harvest = self.harvest(Exchange([]), countries="KEN,ssd", themes='Health,a "b" \\', words="cholera & co",
                               since="2025-01-01", until="2025-01-31", limit=5)
        self.assertEnds(harvest, "ok")
        self.assertEqual(self.questions[0].parameters, {
            "sort": "metadata_modified desc", "rows": "20", "start": "0", "q": "cholera & co",
            "fq": 'groups:("ken" OR "ssd") AND tags:("health" OR "a \\"b\\" \\\\") AND '
                  'metadata_modified:[2025-01-01T00:00:00Z TO 2025-01-31T23:59:59.999Z]'})
        self.harvest(Exchange([]), until="2025-01-31")
        self.assertEqual(self.questions[0].parameters["fq"], "metadata_modified:[* TO 2025-01-31T23:59:59.999Z]")

    def test_pages(self):
        sets = [data_set(i, 100 if 100 < i < 230 else i) for i in range(350)]
        harvest = self.harvest(Exchange(sets))
        self.assertEnds(harvest, "ok")
        self.assertEqual(set(harvest.keys), {f"id-{i}" for i in range(350)})
        self.assertTrue(all(q.parameters["rows"] == "100" for q in self.questions))
        for i, cursor in enumerate(harvest.cursors[:-1]):
            rest = self.harvest(Exchange(sets), cursor=cursor)
            self.assertEqual((rest.cursors, rest.keys),
                             (harvest.cursors[i + 1:], harvest.keys[-len(rest.keys):]))

    def test_the_newest(self):
        sets = [data_set(i, 7 if 7 < i < 30 else i) for i in range(50)]
        harvest = self.harvest(Exchange(sets), limit=1)
        self.assertEqual([q.parameters["rows"] for q in self.questions], ["20"] * len(self.questions))
        self.assertEqual(harvest.keys[:20], [f"id-{i}" for i in range(49, 29, -1)])
        self.assertEqual(set(harvest.keys), {f"id-{i}" for i in range(50)})

    def test_refusals(self):
        for reply, status, words in (
                (Answer({"help": "", "success": False, "error": {"__type": "Search Query Error",
                                                                 "message": "Search Query is invalid"}}),
                 "bad_input", "Search Query is invalid"),
                (Answer({"success": False, "error": {"message": "Access denied"}}, 403), "denied", "Access denied"),
                (Answer({"success": True, "result": {}}), "bad_input", "no result"),
                (Answer({"success": True, "result": {"results": []}}, 404), "bad_input", "404"),
                (Answer("Bad request - Action name not known", 400, "text/plain"), "bad_input", "not known"),
                (Answer('{"success": true, "result": {"results": [{', 200), "bad_input", "no JSON")):
            harvest = self.harvest(lambda q, reply=reply: reply)
            self.assertEnds(harvest, status, words)
            self.assertEqual(len(self.questions), 1)
        page = "<!doctype html><title>Checking your browser</title>"
        harvest = self.harvest(lambda q: Answer(page, kind="text/html"))
        self.assertEnds(harvest, "denied", "Checking your browser")

    def test_trouble_that_passes(self):
        exchange = Exchange([data_set(1, 1)])

        def moved(question):
            if question.path.startswith("/api"):
                return Answer("", 301, headers={"Location": "/eu" + question.target})
            question.path = question.path[3:]
            return exchange(question)

        self.assertEqual(self.harvest(moved).keys, ["id-1"])
        for first in (Answer("", 429, headers={"Retry-After": "9"}), Answer("", 500), Answer("{}", 504),
                      Answer('{"success": true, "result"', cut=5)):
            queue = [first]
            harvest = self.harvest(lambda q: queue.pop() if queue else exchange(q))
            self.assertEnds(harvest, "ok")
            self.assertEqual(harvest.keys, ["id-1"])
        self.assertEnds(self.harvest(lambda q: Answer("", 503)), "missing")

    def test_what_it_cannot(self):
        self.assertEnds(self.harvest(Exchange([]), languages="sw"), "usage", "languages")
        self.assertEnds(self.harvest(Exchange([]), since="2025"), "usage", "no date")
        many = ",".join(f"theme {i}" for i in range(500))
        self.assertEnds(self.harvest(Exchange([]), themes=many), "usage", "too long")


if __name__ == "__main__":
    unittest.main()
