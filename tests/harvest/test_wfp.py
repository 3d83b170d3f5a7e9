"""WFP's market prices: the adapter against a server that gives tokens and answers as DataBridges."""

import base64
import datetime
import unittest
import urllib.parse

import statistics_case
from statistics_case import Answer, Case

THIS_YEAR = datetime.datetime.now(datetime.timezone.utc).year
SECRET = "s3cret/with:odd=chars+%"
# A token of the kind that has parts and padding.
TOKEN = "eyJ4NXQiOiJ.%s-_~.abc+/=="


def price(country, name, year, month, commodity):
    return {"adm0Code": 23, "commodityDateMonth": month, "commodityDateWeek": None,
            "commodityDateYear": year, "commodityID": 58, "commodityName": commodity,
            "commodityPrice": 39.0 + month / 4, "commodityPriceDate": f"{year}-{month:02d}-15T00:00:00",
            "commodityPriceFlag": "actual", "commodityPriceObservations": 1,
            "commodityPriceSourceName": "", "commodityUnitID": 5, "commodityUnitName": "KG",
            "countryISO3": country, "countryName": name, "currencyID": 25, "currencyName": "BDT",
            "marketID": 112, "marketName": 'Barisal, "Division"', "originalFrequency": "Monthly",
            "priceTypeID": 15, "priceTypeName": "Retail"}


TABLE = {("BGD", year): [price("BGD", "Bangladesh", year, m, "Wheat flour") for m in range(1, 6)]
         for year in (2023, 2024)}
TABLE[("SSD", 2024)] = [price("SSD", "South Sudan", 2024, 7, "Sorghum")]


class Wfp(Case):
    source = "wfp"
    settings = {"harvest_wfp_url": "BASE/vam-data-bridges/2.0.0/",
                "harvest_wfp_token_url": "BASE/token",
                "harvest_wfp_client_id": "a client", "harvest_wfp_client_secret": SECRET}
    query = ("--countries", "ssd,BGD", "--since", "2023-05-01", "--until", "2024-12-31")
    size, lasts = 2, {"expires_in": 3600}

    def setUp(self):
        super().setUp()
        self.given, self.good_for, self.used = 0, 10**9, 0
        self.token_answers = []

    def is_data(self, asked):
        return asked.path.startswith("/vam")

    def token(self, asked):
        self.assertEqual(asked.method, "POST")
        kind, _, coded = asked.headers["Authorization"].partition(" ")
        name, _, secret = base64.b64decode(coded).decode().partition(":")
        self.assertEqual((kind, urllib.parse.unquote(name)), ("Basic", "a client"))
        form = dict(urllib.parse.parse_qsl(asked.body))
        self.assertEqual(form.pop("grant_type"), "client_credentials")
        self.scope = form.pop("scope", None)
        self.assertEqual(form, {})
        if self.token_answers:
            return self.token_answers.pop(0)
        if urllib.parse.unquote(secret) != SECRET:
            return Answer({"error": "invalid_client", "secret": secret}, 401)
        self.given, self.used = self.given + 1, 0
        return Answer({"access_token": TOKEN % self.given, "token_type": "Bearer", **self.lasts})

    def answer(self, asked):
        if asked.path == "/token":
            return self.token(asked)
        self.used += 1
        sent = asked.headers["Authorization"]
        if sent != "Bearer " + TOKEN % self.given or self.used > self.good_for:
            return Answer({"code": 900901, "description": f"Invalid Credentials: {sent}"}, 401)
        self.assertEqual(asked.path, "/vam-data-bridges/2.0.0/MarketPrices/PriceMonthly")
        year, page = int(asked.query["startDate"][:4]), int(asked.query["page"])
        self.assertEqual(asked.query["endDate"], f"{year}-12-31")
        rows = TABLE.get((asked.query["CountryCode"], year), [])
        return Answer({"items": rows[(page - 1) * self.size:page * self.size]})

    def run_pages(self, *options, **settings):
        done = super().run_pages(*options, **settings)
        for hidden in (SECRET, urllib.parse.quote(SECRET), "eyJ4NXQi"):
            self.assertNotIn(hidden, self.printed)
            self.assertNotIn(hidden, self.log)
        return done

    def test_prices_of_two_countries(self):
        records = self.resumed_is_the_same(*self.query)
        self.assertEqual([r["key"] for r in records],
                         [f"PriceMonthly/BGD/{y}/{p}" for y in (2024, 2023) for p in (1, 2, 3)]
                         + ["PriceMonthly/SSD/2024/1"])
        self.assertEqual([r["title"] for r in (records[0], records[2], records[6])], [
            "Prices of food in markets: Bangladesh, 2024-01 to 2024-02",
            "Prices of food in markets: Bangladesh, 2024-05 to 2024-05 (part 3)",
            "Prices of food in markets: South Sudan, 2024-07 to 2024-07"])
        self.assertEqual((records[0]["licence"], records[0]["publisher"], records[0]["countries"],
                          records[0]["changed"]),
                         ("CC-BY-3.0-IGO", "WFP", "BGD", "2024-01-01T00:00:00Z"))
        row = self.rows(records[0])[0]
        self.assertEqual(list(row), list(price("", "", 1, 1, "")))
        self.assertEqual((row["commodityPrice"], row["commodityDateWeek"], row["marketName"]),
                         ("39.25", "", 'Barisal, "Division"'))
        self.assertEqual(self.asked[0].query, {
            "CountryCode": "BGD", "startDate": "2024-01-01", "endDate": "2024-12-31", "page": "1",
            "format": "json"})

    def test_one_token_lasts_for_many_pages(self):
        self.good(*self.query)
        self.assertEqual((self.given, self.scope),
                         (1, "vamdatabridges_marketprices-pricemonthly_get"))
        self.good(*self.query, harvest_wfp_scope="")
        self.assertIsNone(self.scope)

    def test_a_token_that_ends_is_renewed(self):
        whole = self.good(*self.query)
        requests = len(self.asked)
        self.good_for = 3  # requests; the server says an hour
        self.assertEqual(self.good(*self.query), whole)
        self.assertEqual(self.given, 1 + -(-requests // 3))
        self.good_for, self.lasts, self.given = 10**9, {"expires_in": "0"}, 0
        self.assertEqual(self.good(*self.query), whole)
        self.assertEqual(self.given, requests)
        self.lasts, self.given = {}, 0
        self.assertEqual(self.good(*self.query), whole)
        self.assertEqual(self.given, 1)

    def test_a_token_that_is_never_accepted(self):
        self.good_for = 0
        self.bad("denied", *self.query, says="HTTP 401")
        self.assertEqual(self.given, 2)

    def test_credentials_that_are_wrong(self):
        self.bad("denied", *self.query, harvest_wfp_client_secret="other", says="no token")
        self.assertEqual(self.asked, [])

    def test_answers_that_are_no_token(self):
        rows = {"no token": [{"access_token": ""}, {}, {"access_token": 5}, [1],
                             {"access_token": "a b"}, {"access_token": "a\r\nX: y"},
                             {"access_token": "a" * 9000}, {"access_token": "a", "token_type": "mac"}],
                "no JSON": ["access_token=eyJ4NXQi", ""]}
        for says, bodies in rows.items():
            for body in bodies:
                with self.subTest(body):
                    self.token_answers = [Answer(body)]
                    self.bad("bad_input", *self.query, says=says)
        for answer, status, says in (
                (Answer("no", 404, "text/plain"), "bad_input", "HTTP 404"),
                (Answer("", 302, headers=[("Location", "/token")]), "denied", "redirect"),
                (Answer("", 503, headers=[("Retry-After", "7200")]), "busy", ""),
                (Answer("<html><script>x()</script></html>", 403, "text/html"), "denied", "blocked")):
            with self.subTest(answer.status):
                self.token_answers = [answer]
                self.bad(status, *self.query, says=says)
        self.assertEqual(self.asked, [])
        self.token_answers = [Answer("", 503), Answer("", 429)]
        self.assertTrue(self.good(*self.query))

    def test_a_redirect_elsewhere_gets_no_token(self):
        other = self.base.replace("127.0.0.1", "localhost")
        self.troubles = [Answer("", 302, headers=[("Location", other + "/vam-data-bridges/x")]),
                         Answer({"items": []})]
        self.good("--countries", "SSD", "--since", "2024-01-01", "--until", "2024-12-31")
        self.assertEqual(self.asked[1].path, "/vam-data-bridges/x")
        self.assertIsNone(self.asked[1].headers["Authorization"])

    def test_trouble(self):
        self.holds_in_trouble("--countries", "SSD", "--since", "2024-01-01", "--until", "2024-12-31")

    def test_years_begin_with_the_first_there_can_be(self):
        self.good("--countries", "KEN")
        self.assertEqual([int(a.query["startDate"][:4]) for a in self.asked],
                         list(range(THIS_YEAR, 1989, -1)))

    def test_what_it_cannot_be_asked(self):
        self.refuses([
            ((), "which countries"),
            (("--countries", "KEN", "--themes", "maize"), "themes"),
            (("--countries", "KEN", "--languages", "en"), "languages"),
            (("--countries", "KEN", "--words", "maize"), "words"),
            (("--countries", "KEN", "--formats", "html"), "data"),
        ])
        ken = ("--countries", "KEN")
        self.bad("missing", *ken, harvest_wfp_client_id="", says="harvest_wfp_client_id")
        self.bad("missing", *ken, harvest_wfp_client_secret="", says="harvest_wfp_client_secret")
        self.bad("usage", *ken, harvest_wfp_token_url="http://example.org/token", says="https://")
        self.bad("usage", *ken, harvest_wfp_url="http://example.org/", says="https://")
        for place in ("SSD 2024 1", "KEN 1900 1", "KEN"):
            self.bad("bad_input", *ken, "--cursor", place, says="no place")
        self.assertEqual(self.server.asked, [])


if __name__ == "__main__":
    statistics_case.main()
