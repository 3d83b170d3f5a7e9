"""UNHCR's refugee statistics: the adapter against a server that answers in their shape."""

import datetime
import json
import unittest

import statistics_case
from statistics_case import Answer, Case

THIS_YEAR = datetime.datetime.now(datetime.timezone.utc).year
SETS = ["population", "demographics", "asylum-applications", "asylum-decisions", "solutions"]
NAMES = {"KEN": "Kenya", "SSD": "South Sudan", "TUR": "Türkiye", "SYR": "Syrian Arab Rep.",
         "COD": 'Congo, "Dem. Rep."'}


def row(year, coo, coa, number):
    """Numbers are numbers, strings or "-" in one row."""
    return {"year": year, "coo_id": 7 if coo else "-", "coo_name": NAMES.get(coo, "-"),
            "coo": coo or "-", "coo_iso": coo or "-", "coa_id": 196 if coa else "-",
            "coa_name": NAMES.get(coa, "-"), "coa": coa or "-", "coa_iso": coa or "-",
            "refugees": number, "asylum_seekers": 154083, "idps": "0", "stateless": "420",
            "ooc": "0", "oip": "-", "hst": None}


class Unhcr(Case):
    source, settings = "unhcr", {"harvest_unhcr_url": "BASE/population/v1/"}
    size = 2  # rows a page, whatever limit was asked for

    def table(self, name, query):
        year = int(query["year"]) if "year" in query else None
        if name == "nowcasting":
            return [row(THIS_YEAR, "SYR", "TUR", "2800000")]
        if year not in (2022, 2023, 2024):
            return []
        if "coa" in query:
            return [row(year, coo, coa, n) for coa in query["coa"].split(",")
                    for n, coo in ((2940735, "SYR"), ("17", "COD"))]
        if "coo" in query:
            return [row(year, coo, "TUR", "12") for coo in query["coo"].split(",")]
        return [row(year, "SYR", "TUR", 1)]

    def answer(self, asked):
        head, name, tail = asked.path.rpartition("/")[0].partition("/population/v1/")
        if not asked.path.endswith("/"):
            return Answer("", 301, headers=[("Location", asked.path + "/")])
        if head or tail not in [*SETS, "nowcasting"]:
            return Answer({"error": "Not found"}, 404)
        rows = self.table(tail, asked.query)
        page = int(asked.query["page"])
        return Answer({"page": page, "short-url": "aBc", "total": [],
                       "maxPages": -(-len(rows) // self.size),
                       "items": rows[(page - 1) * self.size:page * self.size]})

    def test_a_table_of_a_country(self):
        records = self.good("--countries", "ken", "--themes", "population", "--since",
                            "2024-03-01", "--until", "2024-12-31")
        self.assertEqual([r["key"] for r in records], [
            "population/coa/KEN/2024/1", "population/coa/KEN/2023/1",
            "population/coo/KEN/2024/1", "population/coo/KEN/2023/1"])
        first = records[0]
        self.assertEqual(first["title"], "Refugees, asylum-seekers, displaced and stateless "
                                         "people, 2024: Kenya (country of asylum)")
        self.assertEqual(first["licence"], "CC-BY-4.0")
        self.assertEqual(first["changed"], "2024-01-01T00:00:00Z")
        self.assertEqual((first["publisher"], first["countries"], first["themes"]),
                         ("UNHCR", "KEN", "population"))
        self.assertEqual(json.loads(first["raw"]), {"page": 1, "short-url": "aBc", "total": [],
                                                    "maxPages": 1})
        rows = self.rows(first)
        self.assertEqual(list(rows[0]), list(row(1, "", "", 1)))
        self.assertEqual([r["refugees"] for r in rows], ["2940735", "17"])
        self.assertEqual(rows[0]["coo_name"], "Syrian Arab Rep.")
        self.assertEqual(rows[1]["coo_name"], 'Congo, "Dem. Rep."')
        self.assertEqual((rows[0]["idps"], rows[0]["oip"], rows[0]["hst"]), ("0", "", ""))
        self.assertEqual(first["files"][0]["name"], "unhcr-population-coa-KEN-2024-1.csv")
        asked = self.asked[0]
        self.assertEqual(asked.path, "/population/v1/population/")
        self.assertEqual(asked.query, {"cf_type": "ISO", "limit": "5000", "page": "1",
                                       "year": "2024", "coo_all": "true", "coa": "KEN"})
        self.assertEqual(self.asked[2].query["coo"], "KEN")
        self.assertEqual(self.asked[2].query["coa_all"], "true")
        self.assertTrue(asked.headers["User-Agent"].startswith("vislang/"))

    def test_all_pages_of_all_years_of_all_sets(self):
        records = self.resumed_is_the_same("--countries", "ssd,KEN,ken", "--since", "2022-01-01")
        years = range(2024, 2021, -1)
        want = [f"{s}/{side}/KEN,SSD/{y}/{p}" for s in SETS for side in ("coa", "coo")
                for y in years for p in ((1, 2) if side == "coa" else (1,))]
        want += [f"nowcasting/{side}/KEN,SSD/0/1" for side in ("coa", "coo")]
        self.assertEqual([r["key"] for r in records], want)
        self.assertIn("(part 2 of 2)", records[1]["title"])
        self.assertNotIn("changed", records[-1])
        self.assertEqual(sum(len(self.rows(r)) for r in records if "/coa/" in r["key"]),
                         5 * 3 * 4 + 1)

    def test_the_world(self):
        records = self.good("--themes", "solutions", "--since", "2025-01-01")
        self.assertEqual([r["key"] for r in records], ["solutions/all/2024/1"])
        self.assertEqual(self.asked[-1].query["coo_all"], "true")
        self.assertEqual(self.asked[-1].query["coa_all"], "true")
        self.assertEqual(records[0]["title"],
                         "Returns, resettlement and naturalisation of refugees, 2024: all countries")
        self.assertEqual([int(a.query["year"]) for a in self.asked],
                         list(range(THIS_YEAR, 2023, -1)))

    def test_years_begin_with_the_first_there_is(self):
        self.good("--themes", "population", "--until", "1955-01-01")
        self.assertEqual([a.query["year"] for a in self.asked],
                         ["1955", "1954", "1953", "1952", "1951"])

    def test_what_is_estimated_now_is_of_no_past(self):
        self.assertEqual(self.good("--themes", "nowcasting", "--until", "2024-12-31"), [])
        self.assertEqual(self.asked, [])
        self.assertEqual([r["key"] for r in self.good("--themes", "nowcasting")],
                         ["nowcasting/all/0/1"])
        self.assertNotIn("year", self.asked[0].query)

    def test_trouble(self):
        self.holds_in_trouble("--themes", "population", "--countries", "tur", "--since",
                              "2025-01-01", "--until", "2025-06-01")

    def test_rows_that_are_none_are_left_out(self):
        self.troubles = [Answer({"page": 1, "maxPages": "1", "items": [7, row(2024, "SYR", "TUR", 3)]})]
        record = self.good("--themes", "population", "--since", "2025-01-01", "--until",
                           "2025-01-01")[0]
        self.assertEqual([r["refugees"] for r in self.rows(record)], ["3"])
        self.assertIn("left out", self.log)

    def test_a_page_that_proves_browsers(self):
        page = "<html><head><title>Wait</title><script>" + "var _0x=1;" * 1400 + "</script></head></html>"
        self.troubles = [Answer(page, 404, "text/html")]
        self.bad("denied", "--themes", "population", "--since", "2025-01-01", says="blocked")

    def test_no_place_of_this_query(self):
        for place in ("x", "population 2024 1", "population:all 2024 0", "people:coa 2024 1",
                      "population:all 2024 1", "population:coa 0 1", "nowcasting:coa 2024 1",
                      "population:coa 2024 1 1"):
            with self.subTest(place):
                self.bad("bad_input", "--countries", "KEN", "--cursor", place, says="no place")
        self.assertEqual(self.asked, [])

    def test_what_it_cannot_be_asked(self):
        self.refuses([
            (("--languages", "en"), "languages"),
            (("--words", "camp"), "words"),
            (("--countries", "kenya"), "KEN,SSD"),
            (("--themes", "populaton"), "did you mean 'population'"),
            (("--formats", "pdf,html"), "data"),
            (("--since", "yesterday"), "2025-01-31"),
        ])


if __name__ == "__main__":
    statistics_case.main()
