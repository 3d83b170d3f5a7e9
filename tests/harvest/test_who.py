"""The adapter of WHO's disease outbreak news against its OData shapes."""
import unittest

from source_server import Answer, Harvest, Source, SourceTest


def notice(number, published, **more):
    return {"Id": f"guid-{number}", "DonId": f"2026-DON{number}", "Title": f"Outbreak {number}",
            "OverrideTitle": None, "UseOverrideTitle": False, "Summary": f"<p>Summary {number}</p>",
            "PublicationDate": published, "PublicationDateAndTime": published,
            "UrlName": f"2026-DON{number}", "ItemDefaultUrl": f"/2026-DON{number}", **more}


def stamp(second):
    return f"2026-09-25T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


class News:
    """OData: $filter by PublicationDate, $orderby, $skip, $top; without $orderby the site's own."""

    def __init__(self, notices):
        self.notices = notices

    def __call__(self, question):
        if (question.method, question.path) != ("GET", "/api/news/diseaseoutbreaknews"):
            raise AssertionError(question.target)
        ask = dict(question.parameters)
        found = list(reversed(self.notices))
        for term in filter(None, ask.pop("$filter", "").split(" and ")):
            field, relation, value = term.split(" ")
            keep = {"ge": str.__ge__, "le": str.__le__}[relation]
            found = [n for n in found if keep(n[field], value)]
        if "$orderby" in ask:
            field, order = ask.pop("$orderby").split(" ")
            found.sort(key=lambda n: n[field], reverse={"asc": False, "desc": True}[order])
        skip, top = int(ask.pop("$skip", 0)), int(ask.pop("$top"))
        if ask:
            raise AssertionError(f"unknown parameters {ask}")
        return Answer({"@odata.context": "…", "value": found[skip:skip + top]})


class TestWho(SourceTest):
    def harvest(self, answer, **options):
        with Source(answer) as source:
            harvest = Harvest("who", {"harvest_who_url": source.url}, **options)
            self.questions, self.url = source.questions, source.url
        return harvest

    def test_notices(self):
        old = notice(2, "1996-01-22T00:00:00Z", DonId="", UrlName="1996_01_22-en",
                     ItemDefaultUrl="/1996_01_22-en", Summary="  ")
        renamed = notice(3, stamp(3), OverrideTitle=" Another <title> & more ", UseOverrideTitle=True)
        not_renamed = notice(4, stamp(4), OverrideTitle="Another title", UseOverrideTitle=False)
        nowhere = notice(5, stamp(5), UrlName="", ItemDefaultUrl="/a b/c", Summary=None)
        none = notice(6, stamp(6), Id=None)
        harvest = self.harvest(News([old, renamed, not_renamed, nowhere, none]))
        self.assertEnds(harvest, "ok")
        self.assertEqual(harvest.keys, ["guid-2", "guid-3", "guid-4", "guid-5"])
        self.assertEqual([r["title"] for r in harvest.records],
                         ["Outbreak 2", "Another <title> & more", "Outbreak 4", "Outbreak 5"])
        item = self.url + "/emergencies/disease-outbreak-news/item/"
        self.assertEqual([[f.get("url") for f in r["files"]] for r in harvest.records],
                         [[item + "1996_01_22-en"], [None, item + "2026-DON3"],
                          [None, item + "2026-DON4"], [item + "a%20b%2Fc"]])
        self.assertIn("left out", harvest.log)
        record = harvest.records[1]
        self.assertIn('"DonId":"2026-DON3"', record.pop("raw"))
        self.assertEqual(record, {
            "key": "guid-3", "title": "Another <title> & more", "url": item + "2026-DON3", "language": "en",
            "published": stamp(3), "changed": stamp(3), "publisher": "World Health Organization",
            "licence": "https://www.who.int/about/policies/publishing/copyright",
            "files": [{"type": "text/html", "name": "summary.html", "body":
                       '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
                       '<title>Another &lt;title> &amp; more</title></head>\n<body>\n<p>Summary 3</p>\n'
                       '</body>\n</html>\n'},
                      {"type": "text/html", "url": item + "2026-DON3"}]})

    def test_pages(self):
        # 70 at one midnight among 180: more than a page of 50
        news = News([notice(i, stamp(50 if 50 < i < 120 else i)) for i in range(180)])
        harvest = self.harvest(news)
        self.assertEnds(harvest, "ok")
        self.assertEqual(set(harvest.keys), {f"guid-{i}" for i in range(180)})
        self.assertTrue(all(q.parameters["$top"] == "50" for q in self.questions))
        for i, cursor in enumerate(harvest.cursors[:-1]):
            rest = self.harvest(news, cursor=cursor)
            self.assertEqual((rest.cursors, rest.keys),
                             (harvest.cursors[i + 1:], harvest.keys[-len(rest.keys):]))

    def test_the_newest(self):
        harvest = self.harvest(News([notice(i, stamp(i)) for i in range(80)]), limit=3)
        self.assertEqual(harvest.keys, [f"guid-{i}" for i in (*range(79, 29, -1), *range(30, -1, -1))])

    def test_dates(self):
        news = News([notice(i, f"2026-09-{i:02}T12:00:00Z") for i in range(1, 31)])
        harvest = self.harvest(news, since="2026-09-10", until="2026-09-12", languages="sw,eng",
                               formats="html,pdf")
        self.assertEqual(harvest.keys, ["guid-10", "guid-11", "guid-12"])
        self.assertEqual(self.questions[0].parameters["$filter"],
                         "PublicationDate ge 2026-09-10T00:00:00Z and "
                         "PublicationDate le 2026-09-12T23:59:59Z")
        self.assertEqual(self.harvest(news, until="2026-09-02").keys, ["guid-1", "guid-2"])
        # The newest of the last harvest comes again, and what is new.
        self.assertEqual(self.harvest(news, since=harvest.records[-1]["changed"], until="2026-09-13").keys,
                         ["guid-12", "guid-13"])

    def test_refusals(self):
        page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
        for reply, words in ((Answer({"error": {"code": "", "message": "The query is not valid."}}, 400),
                              "The query is not valid."),
                             (Answer({"error": {"message": "x"}}), "no value"),
                             (Answer('{"value":[', 200), "no JSON"),
                             (Answer("", 404), "404")):
            harvest = self.harvest(lambda q, reply=reply: reply)
            self.assertEnds(harvest, "bad_input", words)
            self.assertEqual(len(self.questions), 1)
        harvest = self.harvest(lambda q: Answer(page, kind="text/html"))
        self.assertEnds(harvest, "denied", "Sign in")

    def test_trouble_that_passes(self):
        news = News([notice(1, stamp(1))])
        whole = news.__call__

        def moved(question):
            if question.path == "/api/news/diseaseoutbreaknews":
                return Answer("", 302, headers={"Location": question.target.replace("/api", "/new/api")})
            question.path = "/api/news/diseaseoutbreaknews"
            return whole(question)

        self.assertEqual(self.harvest(moved).keys, ["guid-1"])
        for first in (Answer("busy", 429, headers={"Retry-After": "5"}), Answer("down", 502),
                      Answer('{"value":[{"Id":"a"}]}', cut=12)):
            queue = [first]
            harvest = self.harvest(lambda q: queue.pop() if queue else whole(q))
            self.assertEnds(harvest, "ok")
            self.assertEqual(harvest.keys, ["guid-1"])

    def test_what_it_cannot(self):
        for options, words in (({"languages": "sw"}, "English only"), ({"countries": "ken"}, "countries"),
                               ({"themes": "Health"}, "themes"), ({"words": "cholera"}, "words"),
                               ({"formats": "pdf"}, "html only"), ({"until": "2026-02-30"}, "no date")):
            harvest = self.harvest(News([]), **options)
            self.assertEnds(harvest, "usage", words)
            self.assertEqual(self.questions, [])


if __name__ == "__main__":
    unittest.main()
