"""UNICEF's indicators: the adapter against a server that answers SDMX 2.1, compact XML or CSV."""

import json
import unittest
from xml.sax.saxutils import quoteattr

import statistics_case
from statistics_case import Answer, Case

FLOW = "/rest/data/UNICEF,GLOBAL_DATAFLOW,1.0/"
# REF_AREA, INDICATOR, SEX, TIME_PERIOD, OBS_VALUE, DATA_SOURCE
VALUES = [(area, indicator, sex, str(year), f"{2.5 + i / 8}", 'UN IGME, "2024" & others')
          for i, (area, indicator, sex, year) in enumerate(
              (a, n, s, y) for a in ("CZE", "DZA", "KEN") for n in ("CME_MRM0", "CME_MRY0T4")
              for s in ("_T", "F") for y in (2019, 2020, 2021))]
NAMES = ["REF_AREA", "INDICATOR", "SEX", "TIME_PERIOD", "OBS_VALUE", "DATA_SOURCE"]


def as_csv(rows):
    def field(text):
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
    lines = [["DATAFLOW", *NAMES], *(["UNICEF:GLOBAL_DATAFLOW(1.0)", *r] for r in rows)]
    return "".join(",".join(map(field, line)) + "\n" for line in lines)


def as_xml(rows):
    series = {}
    for area, indicator, sex, *rest in rows:
        series.setdefault((area, indicator, sex), []).append(rest)
    body = ""
    for (area, indicator, sex), observations in series.items():
        body += f'<Series REF_AREA="{area}" INDICATOR="{indicator}" SEX="{sex}" UNIT_MEASURE="D_PER_1000_B">'
        for year, value, source in observations:
            body += f'<Obs TIME_PERIOD="{year}" OBS_VALUE="{value}" DATA_SOURCE={quoteattr(source)}/>'
        body += "</Series>"
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<mes:StructureSpecificData '
            'xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message" '
            'xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific" '
            'xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ns1="urn:sdmx:org.sdmx.'
            'infomodel.datastructure.Dataflow=UNICEF:GLOBAL_DATAFLOW(1.0):ObsLevelDim:TIME_PERIOD">'
            "<mes:Header><mes:ID>IREF1</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2026-01-29"
            'T15:02:31</mes:Prepared><mes:Sender id="UNICEF"/><mes:Structure structureID="UNICEF_'
            'GLOBAL_DATAFLOW_1_0" dimensionAtObservation="TIME_PERIOD"><com:StructureUsage><Ref '
            'agencyID="UNICEF" id="GLOBAL_DATAFLOW" version="1.0"/></com:StructureUsage>'
            '</mes:Structure></mes:Header><mes:DataSet ss:dataScope="DataStructure" '
            f'xsi:type="ns1:DataSetType" action="Append">{body}</mes:DataSet>'
            "</mes:StructureSpecificData>")


class Unicef(Case):
    source = "unicef"
    settings = {"harvest_unicef_url": "BASE/rest/"}

    def answer(self, asked):
        if not asked.path.startswith(FLOW):
            return Answer("no such resource", 404, "text/plain")
        areas, indicators, sex = asked.path[len(FLOW):].split(".")
        self.assertEqual(sex, "")
        first = asked.query.get("startPeriod", "0000")
        last = asked.query.get("endPeriod", "9999")
        rows = [v for v in VALUES if (not areas or v[0] in areas.split("+"))
                and (not indicators or v[1] == indicators) and first <= v[3] <= last]
        if not rows:
            return Answer("No Results Found", 404, "text/plain")
        if asked.query["format"] == "csv":
            return Answer(as_csv(rows), kind="application/vnd.sdmx.data+csv;version=1.0.0")
        return Answer(as_xml(rows), kind="application/vnd.sdmx.structurespecificdata+xml;version=2.1")

    def test_an_indicator_of_some_countries(self):
        record = self.good("--themes", "cme_mrm0", "--countries", "dza,cze")[0]
        self.assertEqual(self.asked[0].target, FLOW + "CZE+DZA.CME_MRM0.?format=csv")
        self.assertEqual(record["key"], "CME_MRM0/CZE+DZA")
        self.assertEqual(record["title"],
                         "UNICEF indicator CME_MRM0: Czechia, Algeria, 2019 to 2021")
        self.assertEqual((record["publisher"], record["countries"], record["themes"]),
                         ("UNICEF", "CZE,DZA", "CME_MRM0"))
        self.assertNotIn("changed", record)
        rows = self.rows(record)
        self.assertEqual(record["files"][0]["body"],
                         as_csv([v for v in VALUES if v[0] != "KEN" and v[1] == "CME_MRM0"]))
        self.assertEqual(rows[0]["DATA_SOURCE"], 'UN IGME, "2024" & others')
        self.assertEqual(json.loads(record["raw"]), {"url": self.base + self.asked[0].target,
                                                     "rows": 12})

    def test_xml_says_the_same(self):
        query = ("--themes", "CME_MRM0", "--countries", "CZE")
        as_csv_rows = self.rows(self.good(*query)[0])
        record = self.good(*query, harvest_unicef_format="sdmx-compact-2.1")[0]
        rows = self.rows(record)
        self.assertEqual(self.asked[-1].query["format"], "sdmx-compact-2.1")
        self.assertEqual(list(rows[0]), ["REF_AREA", "INDICATOR", "SEX", "UNIT_MEASURE",
                                         "TIME_PERIOD", "OBS_VALUE", "DATA_SOURCE"])
        self.assertEqual([[r[n] for n in NAMES] for r in rows],
                         [[r[n] for n in NAMES] for r in as_csv_rows])
        self.troubles = [Answer(as_xml(VALUES[:6]), kind="application/xml")]
        self.assertEqual(len(self.rows(self.good(*query)[0])), 6)  # XML although CSV was asked for

    def test_one_after_another(self):
        records = self.resumed_is_the_same("--themes", "CME_MRM0,NONE,CME_MRY0T4")
        self.assertEqual([r["key"] for r in records], ["CME_MRM0/all", "CME_MRY0T4/all"])
        records = self.resumed_is_the_same("--countries", "KEN,AFG,CZE", "--since", "2020-05-01",
                                           "--until", "2020-12-31")
        self.assertEqual([r["key"] for r in records], ["all/CZE/2020-2020", "all/KEN/2020-2020"])
        self.assertEqual(self.asked[-1].target,
                         FLOW + "KEN..?format=csv&startPeriod=2020&endPeriod=2020")
        self.assertEqual(records[1]["themes"], "CME_MRM0,CME_MRY0T4")
        self.assertEqual(records[1]["title"],
                         "UNICEF indicators of children and women: Kenya, 2020")

    def test_nothing_there(self):
        self.assertEqual(self.good("--countries", "AFG"), [])
        self.troubles = [Answer(as_csv([]), kind="text/csv")]
        self.assertEqual(self.good("--countries", "KEN"), [])
        self.troubles = [Answer(as_xml([]), kind="text/xml")]
        self.assertEqual(self.good("--countries", "KEN"), [])

    def test_trouble(self):
        self.holds_in_trouble("--countries", "KEN")

    def test_xml_that_means_harm(self):
        whole = as_xml(VALUES[:3])
        inside = whole.partition("?>\n")[2]
        bombs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
        harm = {
            "document type": f'<!DOCTYPE x [<!ENTITY a0 "ha">{bombs}]>' + inside.replace(
                "IREF1", "&a11;"),
            "document type ": f'<!DOCTYPE x SYSTEM "{self.base}/x.dtd">' + inside,
            "document type  ": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
                               + inside.replace("IREF1", "&f;"),
            "deeper": "<StructureSpecificData>" + "<a>" * 40000 + "</a>" * 40000
                      + "</StructureSpecificData>",
            "broken": whole[:-40],
            "broken ": whole.replace("IREF1", "&nothing;"),
            "no StructureSpecificData": "<feed><entry/></feed>",
            "SDMX error: Semantic error": '<m:Error xmlns:m="m" xmlns:c="c"><m:ErrorMessage '
            'code="150"><c:Text>Semantic error</c:Text></m:ErrorMessage></m:Error>',
        }
        for says, body in harm.items():
            with self.subTest(says):
                self.troubles = [Answer(body, kind="application/xml")]
                self.bad("bad_input", "--countries", "KEN", says=says.strip())
        self.assertEqual({a.path for a in self.asked}, {FLOW + "KEN.."})

    def test_csv_that_is_none(self):
        head = as_csv([])
        for says, body in {"first line": "a,b\n1,2\n", "row 1": head + 'a,"b\n1,2\n',
                           "row 2": head + "a,b\n" + "x," * 9 + "\n",
                           "UTF-8": head.encode() + b"caf\xe9\n",
                           "first line ": "[]"}.items():
            with self.subTest(says):
                self.troubles = [Answer(body, kind="text/csv")]
                self.bad("bad_input", "--countries", "KEN", says=says.strip())

    def test_a_page_that_proves_browsers(self):
        self.troubles = [Answer("<html><script>var _0x=1</script></html>", 404, "text/html")]
        self.bad("denied", "--countries", "KEN", says="blocked")

    def test_what_it_cannot_be_asked(self):
        self.refuses([
            ((), "which indicators"),
            (("--countries", "KEN", "--languages", "en"), "languages"),
            (("--countries", "KEN", "--words", "child"), "words"),
            (("--themes", "CME_MRM0/../x"), "no indicator"),
            (("--countries", "KEN", "--formats", "pdf"), "data"),
        ])
        self.bad("usage", "--countries", "KEN", harvest_unicef_format="json", says="sdmx-compact")
        self.bad("bad_input", "--countries", "KEN", "--cursor", "CZE 0 1", says="no place")
        self.assertEqual(self.asked, [])


if __name__ == "__main__":
    statistics_case.main()
