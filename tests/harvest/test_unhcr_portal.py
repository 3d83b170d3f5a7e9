"""UNHCR's Operational Data Portal: the adapter against a server that answers as its charts get."""

import unittest

import statistics_case
from statistics_case import Answer, Case

SERIES = [{"data_date": f"2015-{m:02d}-{d}", "unix_timestamp": 1425081600 + 2592000 * m,
           "individuals": n} for m, d, n in
          ((9, 30, 275), (10, 31, "1,204".replace(",", "")), (11, 30, "-"), (12, 31, 0))]
PLACES = [{"geomaster_name": name, "name": name, "individuals": "35018", "date": "2026-08-31",
           "centroid_lon": "92.15", "centroid_lat": "21.2"} for name in ("Camp 1E", "Camp 20, Extension")]
CHALLENGE = ("<!DOCTYPE html><html><head><script>" + "const _0x4b9492=_0x4c06;" * 580
             + "</script></head><body></body></html>")


class Portal(Case):
    source = "unhcr-portal"
    settings = {"harvest_unhcr_portal_url": "BASE", "harvest_unhcr_portal_widgets":
                "widget_id=690058&geo_id=656&sv_id=100&population_group=4797,4798&frequency=month"
                "&title=Arrivals+by+sea+in+Italy%2C+monthly "
                "sublocation?widget_id=691150&geo_id=591&population_group=5556&forcesublocation=true "
                "population?widget_id=7&geo_id=1&year=latest"}
    robots = Answer("", 404, "text/plain")

    def answer(self, asked):
        if asked.path == "/robots.txt":
            return self.robots
        if asked.path == "/population/get/timeseries":
            rows = [r for r in SERIES if r["data_date"] >= asked.query["fromDate"]]
            return Answer({"data": {"timeseries": rows}})
        if asked.path in ("/population/get/sublocation/root", "/population/"):
            return Answer({"data": PLACES})
        return Answer(CHALLENGE, 404, "text/html; charset=UTF-8")

    def test_charts_one_after_another(self):
        records = self.resumed_is_the_same()
        self.assertEqual([r["key"] for r in records], [
            "timeseries/690058/656/100/4797,4798/month", "sublocation/691150/591/5556",
            "population/7/1/latest"])
        self.assertEqual([r["title"] for r in records], [
            "Arrivals by sea in Italy, monthly, 2015-09-30 to 2015-12-31",
            "People by place (UNHCR operational data, widget 691150), 2026-08-31",
            "People (UNHCR operational data, widget 7), 2026-08-31"])
        self.assertEqual([(r["data_date"], r["individuals"]) for r in self.rows(records[0])],
                         [("2015-09-30", "275"), ("2015-10-31", "1204"), ("2015-11-30", ""),
                          ("2015-12-31", "0")])
        self.assertEqual(self.rows(records[1])[1]["name"], "Camp 20, Extension")
        self.assertNotIn("licence", records[0])
        self.assertIn("no licence", records[0]["terms"])
        self.assertEqual([a.target for a in self.asked[:3]], [
            "/population/get/timeseries?widget_id=690058&geo_id=656&sv_id=100&population_group="
            "4797,4798&frequency=month&fromDate=1900-01-01",
            "/population/get/sublocation/root?widget_id=691150&geo_id=591&population_group=5556"
            "&forcesublocation=true&fromDate=1900-01-01",
            "/population/?widget_id=7&geo_id=1&year=latest&fromDate=1900-01-01"])

    def test_a_period(self):
        record = self.good("--since", "2015-10-01", "--until", "2015-11-30")[0]
        self.assertEqual(self.asked[0].query["fromDate"], "2015-10-01")
        self.assertEqual([r["data_date"] for r in self.rows(record)], ["2015-10-31", "2015-11-30"])
        self.assertEqual(record["key"],
                         "timeseries/690058/656/100/4797,4798/month/2015-10-01..2015-11-30")

    def test_a_page_that_proves_browsers_is_left_alone(self):
        for status in (404, 403, 200):
            with self.subTest(status):
                self.server.asked.clear()
                self.troubles = [Answer(CHALLENGE, status, "text/html; charset=UTF-8")]
                self.assertEqual(self.bad("denied", says="blocked"), [])
                self.assertEqual(len(self.asked), 1)

    def test_robots_txt_is_obeyed(self):
        self.robots = Answer("User-agent: *\nDisallow: /population/get/\n", kind="text/plain")
        self.bad("denied", says="robots.txt")
        self.assertEqual(self.asked, [])

    def test_trouble(self):
        self.holds_in_trouble(harvest_unhcr_portal_widgets="widget_id=1")

    def test_the_same_chart_twice_ends(self):
        records = self.good(harvest_unhcr_portal_widgets="widget_id=1 widget_id=1")
        self.assertEqual(len(records), 2)

    def test_places_of_other_settings(self):
        for place in ("timeseries/690058/656/100/4797,4798/month 0 2", "x 0 1", "x 0 9",
                      "timeseries/690058 1"):
            with self.subTest(place):
                self.bad("bad_input", "--cursor", place)

    def test_what_it_cannot_be_asked(self):
        self.refuses([
            (("--countries", "KEN"), "countries"),
            (("--themes", "population"), "themes"),
            (("--languages", "fr"), "languages"),
            (("--words", "sea"), "words"),
        ])
        for setting, says in (("geo_id=1", "without widget_id"), ("widget_id=1&geo=2", "'geo'"),
                              ("widget_id=1&geo_id=a", "geo_id=a"), ("map?widget_id=1", "'map'"),
                              ("widget_id=" + "1" * 200, "cannot be so"),
                              ("widget_id=1&title=%ff", "UTF-8")):
            with self.subTest(setting):
                self.bad("usage", says=says, harvest_unhcr_portal_widgets=setting)
        self.bad("missing", says="harvest_unhcr_portal_widgets", harvest_unhcr_portal_widgets="")
        self.assertEqual(self.asked, [])


if __name__ == "__main__":
    statistics_case.main()
