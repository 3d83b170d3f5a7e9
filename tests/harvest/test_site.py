#!/usr/bin/env python3
"""The source `site` against a web site on this machine that also misbehaves: test_site.py PAGES;
and whole harvests by $HARVEST_PROGRAM.

What the site answers is a table of this file; requests are noted in the order they come."""
import gzip
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGES = sys.argv[1]
PROGRAM = os.environ.get("HARVEST_PROGRAM", "build/vislang")
MAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def page(title="A page", body="", head="", lang=""):
    mark = f' lang="{lang}"' if lang else ""
    return f"<!DOCTYPE html><html{mark}><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def urlset(*urls):
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {MAP}>' + "".join(urls) + "</urlset>"


def url(loc, lastmod="", more=""):
    changed = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    return f"<url><loc>{loc}</loc>{changed}{more}</url>"


def index(*maps):
    items = "".join(
        f"<sitemap><loc>{loc}</loc>{f'<lastmod>{changed}</lastmod>' if changed else ''}</sitemap>"
        for loc, changed in maps)
    return f"<sitemapindex {MAP}>{items}</sitemapindex>"


class Site:
    """Answers: path -> text (HTML or XML by its beginning), bytes, or (status, headers, body)."""

    def __init__(self, answers):
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked.append(self.path)
                site.headers.append((self.path, dict(self.headers)))
                answer = site.answers.get(self.path, (404, {}, "nothing here"))
                if callable(answer):
                    answer = answer(self.headers)
                if not isinstance(answer, tuple):
                    answer = (200, {}, answer)
                status, headers, body = answer
                body = body.encode() if isinstance(body, str) else body
                start = body.lstrip()[:5].lower()
                kind = ("text/html; charset=utf-8" if start in (b"<!doc", b"<html") else
                        "application/xml" if start.startswith(b"<") else "text/plain")
                headers = {"Content-Type": kind, "Content-Length": str(len(body)),
                           "Connection": "close", **headers}
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *args):
                pass

        self.asked, self.headers = [], []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.answers = {path: self.here(answer) for path, answer in answers.items()}
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def here(self, answer):
        """BASE in a text is the address of the site, AWAY that of a host by another name."""
        away = f"http://localhost:{self.server.server_port}"
        if isinstance(answer, str):
            return answer.replace("BASE", self.base).replace("AWAY", away)
        if isinstance(answer, tuple):
            headers = {name: self.here(value) for name, value in answer[1].items()}
            return (answer[0], headers, self.here(answer[2]))
        return answer

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Result:
    def __init__(self, output, errors):
        lines = [json.loads(line) for line in output.splitlines()]
        self.records = [line["record"] for line in lines if "record" in line]
        self.cursors = [line["next"] for line in lines if "next" in line]
        failed = [line for line in lines if "error" in line]
        self.error = failed[0]["error"] if failed else None
        self.message = failed[0]["message"] if failed else ""
        self.log = errors
        self.keys = [r["key"] for r in self.records]


class SiteTest(unittest.TestCase):
    def site(self, answers):
        site = Site(answers)
        self.addCleanup(site.close)
        return site

    def harvest(self, site, path="/", *options):
        done = subprocess.run(
            [PAGES, "site", "--set", f"harvest_site_url={site.base}{path}", *options],
            capture_output=True, text=True, timeout=120)
        self.assertIn(done.returncode, (0, 1, 2, 3, 4), done.stderr)
        return Result(done.stdout, done.stderr)

    def paths(self, site, result):
        return [key.removeprefix(site.base) for key in result.keys]

    # ---- where pages are named ----------------------------------------------------------------

    def test_map(self):
        site = self.site({
            "/sitemap.xml": urlset(
                url("BASE/a", "2025-03-01"),
                url("BASE/b", "2025-03-02T10:00:00+02:00", '<changefreq>daily</changefreq>'),
                url("BASE/c?x=1&amp;y=2#part")),
            "/a": page("Page A", lang="sw-KE"),
            "/b": page("Page B"),
            "/c?x=1&y=2": (200, {"Last-Modified": "Wed, 05 Mar 2025 08:00:00 GMT"}, page("C")),
        })
        got = self.harvest(site, "/sitemap.xml")
        self.assertIsNone(got.error, got.message)
        self.assertEqual(self.paths(site, got), ["/a", "/b", "/c?x=1&y=2"])
        a, b, c = got.records
        self.assertEqual((a["title"], a["language"], a["changed"]),
                         ("Page A", "sw", "2025-03-01T00:00:00Z"))
        self.assertEqual(b["changed"], "2025-03-02T08:00:00Z")
        self.assertEqual(c["changed"], "2025-03-05T08:00:00Z")
        text = page("Page A", lang="sw-KE")
        self.assertEqual(a["files"], [{
            "url": a["url"], "type": "text/html; charset=utf-8", "status": 200, "body": text,
            "version": hashlib.sha256(text.encode()).hexdigest()}])
        self.assertEqual(json.loads(a["raw"]), {
            "list": site.base + "/sitemap.xml", "kind": "urlset", "url": a["url"],
            "changed": "2025-03-01T00:00:00Z"})
        self.assertEqual(site.asked.count("/a"), 1)
        self.assertEqual(got.cursors[-1], "")

    def test_home_page(self):
        site = self.site({
            "/robots.txt": "User-agent: *\nDisallow: /no\nSitemap: BASE/maps/one.xml\n",
            "/": page(head='<link rel="alternate" type="application/rss+xml" href="feed">'
                           '<link rel="alternate" type="application/rss+xml" href="AWAY/feed">'),
            "/maps/one.xml": urlset(url("BASE/a"), url("BASE/no/b")),
            "/feed": '<rss version="2.0"><channel><title>News</title><language>am</language>'
                     '<copyright>CC BY 4.0</copyright><item><link>BASE/n</link><title>N</title>'
                     '<pubDate>Wed, 02 Oct 2002 15:00:00 +0200</pubDate></item></channel></rss>',
            "/a": page(), "/n": page(), "/no/b": page(),
        })
        got = self.harvest(site)
        self.assertIsNone(got.error, got.message)
        self.assertEqual(self.paths(site, got), ["/a", "/no/b", "/n"])
        self.assertEqual(got.records[1]["files"], [{"url": site.base + "/no/b"}])
        self.assertNotIn("/no/b", site.asked)  # whoever fetches it will be told so too
        n = got.records[2]
        self.assertEqual((n["language"], n["licence"], n["publisher"], n["published"]),
                         ("am", "CC BY 4.0", "News", "2002-10-02T13:00:00Z"))

    def test_default_map(self):
        site = self.site({"/": page(), "/sitemap.xml": urlset(url("BASE/a")), "/a": page()})
        self.assertEqual(self.paths(site, self.harvest(site)), ["/a"])

    def test_home_page_in_xml(self):
        home = ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 '
                'Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
                '<html xmlns="http://www.w3.org/1999/xhtml"><head>'
                '<link rel="sitemap" href="map"/></head><body/></html>')
        site = self.site({"/": home, "/map": urlset(url("BASE/a")), "/a": page()})
        self.assertEqual(self.paths(site, self.harvest(site)), ["/a"])

    def test_forbidden(self):
        """robots.txt is for site maps too."""
        site = self.site({"/robots.txt": "User-agent: vislang\nDisallow: /m\n",
                          "/m.xml": urlset(url("BASE/a"))})
        got = self.harvest(site, "/m.xml")
        self.assertEqual(got.error, "denied")
        self.assertIn("robots.txt of 127.0.0.1 does not allow it", got.message)
        self.assertEqual(site.asked, ["/robots.txt"])

    def test_nothing(self):
        site = self.site({"/": page()})
        got = self.harvest(site)
        self.assertEqual(got.error, "bad_input")
        self.assertIn("/sitemap.xml", got.message)
        self.assertIn("404", got.message)

    def test_index(self):
        site = self.site({
            "/index.xml": index(("BASE/1.xml.gz", ""), ("BASE/gone.xml", ""), ("BASE/html", ""),
                                ("BASE/index.xml", ""), ("BASE/in.xml", ""),
                                ("BASE/old.xml", "2020-01-01")),
            "/1.xml.gz": None,
            "/html": page(),
            "/in.xml": index(("BASE/index.xml", ""), ("BASE/2.xml", "")),
            "/2.xml": urlset(url("BASE/b", "2025-01-01")),
            "/old.xml": urlset(url("BASE/old", "2019-01-01")),
            "/a": page(), "/b": page(), "/old": page(),
        })
        site.answers["/1.xml.gz"] = gzip.compress(urlset(url(f"{site.base}/a")).encode())
        got = self.harvest(site, "/index.xml", "--since", "2024-01-01")
        self.assertIsNone(got.error, got.message)
        self.assertEqual(self.paths(site, got), ["/a", "/b"])
        self.assertEqual(got.log.count("listed within itself"), 2)
        self.assertNotIn("/old.xml", site.asked)
        self.assertIn("404", got.log)
        # Any page can be the last one before a kill.
        for cursor, after in zip(got.cursors, range(len(got.cursors))):
            if not cursor:
                continue
            again = self.harvest(site, "/index.xml", "--since", "2024-01-01", "--cursor", cursor)
            self.assertIsNone(again.error, again.message)
            self.assertEqual(again.cursors, got.cursors[after + 1:])

    def test_deep(self):
        answers = {f"/{n}.xml": index((f"BASE/{n + 1}.xml", "")) for n in range(20)}
        got = self.harvest(self.site(answers), "/0.xml")
        self.assertIsNone(got.error, got.message)
        self.assertIn("deeper than site maps go", got.log)
        self.assertLess(len(got.cursors), 12)

    def test_many(self):
        site = self.site({"/m.xml": urlset(*(url(f"BASE/{n}.pdf") for n in range(1000)))})
        got = self.harvest(site, "/m.xml")
        self.assertEqual(len(got.records), 1000)
        self.assertEqual(len(got.cursors), 50)  # 20 pages a call
        # What the address is, and the list; documents are not fetched here.
        self.assertEqual(site.asked, ["/robots.txt", "/m.xml", "/m.xml"])

    def test_atom(self):
        site = self.site({
            "/feed": '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title>F</title>'
                     '<rights>All of it</rights><link rel="next" href="feed2"/>'
                     '<link rel="self" href="/feed"/>'
                     '<entry xml:lang="ha"><id>urn:1</id><title>One</title>'
                     '<link href="/one"/><link rel="enclosure" type="application/pdf" '
                     'href="/one.pdf" length="77"/><updated>2025-05-05T05:05:05Z</updated>'
                     '<published>2025-05-01T00:00:00Z</published></entry></feed>',
            "/feed2": '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="feed"/>'
                      '<entry><link rel="alternate" href="BASE/two"/>'
                      '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/"/>'
                      '</entry><entry><title>No page</title></entry></feed>',
            "/one": page(), "/two": page(),
        })
        got = self.harvest(site, "/feed")
        self.assertIsNone(got.error, got.message)
        self.assertEqual(self.paths(site, got), ["/one", "/two"])
        self.assertIn("it was there before", got.log)
        one, two = got.records
        self.assertEqual((one["language"], one["licence"], one["changed"], one["published"]),
                         ("ha", "All of it", "2025-05-05T05:05:05Z", "2025-05-01T00:00:00Z"))
        self.assertEqual(one["files"][1], {"url": site.base + "/one.pdf",
                                           "type": "application/pdf", "bytes": 77})
        self.assertEqual(two["licence"], "https://creativecommons.org/licenses/by/4.0/")

    def test_feed_in_circles(self):
        """Pages of a feed that lead back to the third of them, and one that leads to itself."""
        def feed(here, then):
            return ('<feed xmlns="http://www.w3.org/2005/Atom"><entry>'
                    f'<link href="/{here}.pdf"/></entry><link rel="next" href="{then}"/></feed>')
        pages = {f"/f{n}": feed(n, f"f{n + 1}") for n in range(9)}
        site = self.site({**pages, "/f9": feed(9, "f2"), "/self": feed("s", "self")})
        got = self.harvest(site, "/f0")
        self.assertIsNone(got.error, got.message)
        self.assertEqual(set(self.paths(site, got)), {f"/{n}.pdf" for n in range(10)})
        self.assertLess(len(got.records), 40)
        for cursor, after in zip(got.cursors[:-1], range(len(got.cursors))):
            again = self.harvest(site, "/f0", "--cursor", cursor)
            self.assertEqual(again.cursors, got.cursors[after + 1:])
        self.assertEqual(self.paths(site, self.harvest(site, "/self")), ["/s.pdf"])

    # ---- what is asked for --------------------------------------------------------------------

    def test_times(self):
        answers = {
            "/m.xml": urlset(url("BASE/old", "2024-12-31"), url("BASE/in", "2025-01-15"),
                             url("BASE/new", "2025-02-01"), url("BASE/same"), url("BASE/fresh"),
                             url("BASE/stale")),
            "/fresh": (200, {"Last-Modified": "Thu, 16 Jan 2025 00:00:00 GMT"}, page()),
            "/stale": (200, {"Last-Modified": "Tue, 16 Jan 2024 00:00:00 GMT"}, page()),
            **{f"/{name}": page() for name in ("old", "in", "new")},
        }
        site = self.site(answers)
        site.answers["/same"] = lambda headers: (
            (304, {}, "") if headers["If-Modified-Since"] == "Wed, 01 Jan 2025 00:00:00 GMT"
            else (200, {}, page()))
        got = self.harvest(site, "/m.xml", "--since", "2025-01-01", "--until", "2025-01-31")
        self.assertEqual(self.paths(site, got), ["/in", "/fresh"])
        self.assertNotIn("/old", site.asked)
        self.assertNotIn("/new", site.asked)

    def test_languages(self):
        link = '<xhtml:link xmlns:xhtml="http://www.w3.org/1999/xhtml" rel="alternate" ' \
               'hreflang="{}" href="{}"/>'
        both = link.format("en", "BASE/en") + link.format("sw-TZ", "BASE/sw") + \
            link.format("x-default", "BASE/en")
        site = self.site({
            "/m.xml": urlset(url("BASE/en", "", both), url("BASE/sw", "", both),
                             url("BASE/says-sw"), url("BASE/says-fr"), url("BASE/says-nothing")),
            "/en": page(), "/sw": page(), "/says-sw": page(lang="sw"),
            "/says-fr": page(lang="fr"), "/says-nothing": page(),
        })
        got = self.harvest(site, "/m.xml", "--languages", "swa")
        self.assertEqual(self.paths(site, got), ["/sw", "/says-sw", "/says-nothing"])
        self.assertNotIn("/en", site.asked)

    def test_documents(self):
        body = ('<base href="/docs/"><a href="a.pdf">A</a> <a href="a.pdf#page=2">A</a>'
                '<a href="b%20c.DOCX?v=1">B</a><a href=" d e.odt ">D</a><a href="x.png">x</a>'
                '<a href="AWAY/far.pdf">far</a><a href="javascript:go()">j</a>'
                '<a href="file:///etc/x.pdf">f</a><a href="http://[bad/x.pdf">bad</a>'
                '<a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/">L</a>')
        site = self.site({"/m.xml": urlset(url("BASE/a"), url("BASE/report.pdf", "2025-01-01"),
                                           url("AWAY/other")),
                          "/a": page(body=body)})
        near = [f"{site.base}/docs/{name}" for name in ("a.pdf", "b%20c.DOCX?v=1", "d%20e.odt")]
        far = f"http://localhost:{site.server.server_port}"
        got = self.harvest(site, "/m.xml")
        self.assertEqual(self.paths(site, got), ["/a", "/report.pdf"])
        self.assertEqual([f["url"] for f in got.records[0]["files"]], [site.base + "/a"] + near)
        self.assertEqual(got.records[0]["licence"],
                         "https://creativecommons.org/licenses/by-sa/4.0/")
        self.assertEqual(got.records[1]["files"],
                         [{"url": site.base + "/report.pdf", "version": "2025-01-01T00:00:00Z"}])
        got = self.harvest(site, "/m.xml", "--set", "harvest_site_any_host=true")
        self.assertEqual([f["url"] for f in got.records[0]["files"]],
                         [site.base + "/a"] + near + [far + "/far.pdf"])
        self.assertEqual(got.keys[2], far + "/other")
        got = self.harvest(site, "/m.xml", "--formats", "pdf")
        self.assertEqual([[f["url"] for f in r["files"]] for r in got.records],
                         [near[:1], [site.base + "/report.pdf"]])
        got = self.harvest(site, "/m.xml", "--formats", "html")
        self.assertEqual([len(r["files"]) for r in got.records], [1])

    def test_refused(self):
        site = self.site({"/m.xml": urlset(url("BASE/a"))})
        for option in ("--countries", "--themes", "--words"):
            self.assertEqual(self.harvest(site, "/m.xml", option, "x").error, "usage")
        done = subprocess.run([PAGES, "site"], capture_output=True, text=True, timeout=60)
        self.assertIn("harvest_site_url=", done.stdout)
        self.assertEqual(self.harvest(site, "/m.xml", "--cursor", "nonsense").error, "bad_input")
        done = subprocess.run([PAGES, "site", "--set", "harvest_site_url=ftp://x/"],
                              capture_output=True, text=True, timeout=60)
        self.assertIn("no http or https URL", done.stdout)
        self.assertEqual(site.asked, [])

    # ---- sites that misbehave -----------------------------------------------------------------

    def test_wishes(self):
        site = self.site({
            "/m.xml": (200, {"X-Robots-Tag": "noindex"},  # of the map itself: it is no page
                       urlset(url("BASE/meta"), url("BASE/ours"), url("BASE/header"),
                              url("BASE/theirs"))),
            "/meta": page(head='<meta name="ROBOTS" content="nofollow, NOAI">'),
            "/ours": page(head='<meta name="vislang" content="noindex">'),
            "/theirs": page(head='<meta name="googlebot" content="noindex">'),
            "/header": (200, {"X-Robots-Tag": "noai"}, page()),
        })
        got = self.harvest(site, "/m.xml")
        self.assertEqual(self.paths(site, got), ["/header", "/theirs"])
        self.assertNotIn("body", got.records[0]["files"][0])
        self.assertIn("body", got.records[1]["files"][0])

    def test_pages_that_are_none(self):
        def length(count):
            return {"Content-Length": str(count)}
        site = self.site({
            "/m.xml": urlset(*(url(f"BASE/{name}") for name in (
                "gone", "pdf", "cut", "moved", "away", "loop", "huge", "empty", "utf16",
                "latin", "broken"))),
            "/pdf": (200, {"Content-Type": "application/pdf"}, "%PDF-1.7"),
            "/cut": (200, length(9999), page("cut")),
            "/moved": (301, {"Location": "/there"}, ""),
            "/there": page("There"),
            "/away": (302, {"Location": "AWAY/far"}, ""),
            "/far": page("Far"),
            "/loop": (302, {"Location": "/loop"}, ""),
            "/huge": page(body="x" * (5 << 20)),
            "/empty": "",
            "/utf16": (200, {"Content-Type": "text/html"},
                       "\ufeff<html><title>Habari ƙ".encode("utf-16-le")),
            "/latin": (200, {"Content-Type": "text/html; charset=windows-1256"},
                       page("سلام").encode("windows-1256")),
            "/broken": (200, {"Content-Type": "text/html; charset=no-such"}, b"<title>\xff\xfe"),
        })
        got = self.harvest(site, "/m.xml")
        self.assertIsNone(got.error, got.message)
        read = {path: record["files"][0].get("body")
                for path, record in zip(self.paths(site, got), got.records)}
        for path in ("/pdf", "/cut", "/loop", "/huge"):
            self.assertIsNone(read[path], path)  # left to whoever fetches files
        files = {path: record["files"] for path, record in
                 zip(self.paths(site, got), got.records)}
        self.assertEqual(files["/gone"], [{"url": site.base + "/gone", "status": 404}])
        for path in ("/utf16", "/latin", "/broken"):
            self.assertEqual(files[path][0]["body_bytes"], len(site.answers[path][2]))  # as it came
        self.assertEqual(read["/moved"], page("There"))
        self.assertEqual(read["/away"], page("Far"))
        titles = {record["key"].rsplit("/", 1)[1]: record.get("title") for record in got.records}
        self.assertEqual(titles["utf16"], "Habari ƙ")
        self.assertEqual(titles["latin"], "سلام")
        self.assertEqual(titles["moved"], "There")

    def test_lists_that_are_none(self):
        bomb = gzip.compress(b"<urlset>" + b" " * (60 << 20))
        entities = ('<?xml version="1.0"?><!DOCTYPE u [<!ENTITY a "aaaaaaaaaa">'
                    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + urlset(url("BASE/&b;"))[38:])
        outside = ('<?xml version="1.0"?><!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">'
                   '<!ENTITY y SYSTEM "BASE/never">]>' + urlset(url("BASE/&x;&y;"))[38:])
        whole = urlset(url("BASE/a"))
        for body, why in (
                (whole[:-9], "well-formed"), (entities, "document type"),
                (outside, "document type"), (bomb, "larger than"),
                (gzip.compress(whole.encode())[:-20], "broken or cut off"),
                ('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "<svg>"),
                ("<urlset><url><loc>BASE/\x01</loc></url></urlset>", "well-formed"),
                ('<feed><entry/></feed>', "<feed>"),
                ((500, {}, "no"), "500"), ((403, {}, "no"), "403"),
                ((200, {"Content-Length": "99999"}, whole), "cannot be fetched")):
            site = self.site({"/m.xml": body})
            got = self.harvest(site, "/m.xml")
            self.assertIn(got.error, ("bad_input", "limit", "denied", "missing", "unsupported"))
            self.assertIn(why, got.message)
            self.assertEqual(got.records, [])
            self.assertNotIn("/never", site.asked)

    def test_busy(self):
        site = self.site({"/m.xml": urlset(url("BASE/a"), url("BASE/b")), "/a": page(),
                          "/b": (429, {"Retry-After": "86400"}, "")})
        got = self.harvest(site, "/m.xml")
        self.assertEqual(got.error, "busy")
        self.assertIn("86400 s", got.message)
        self.assertEqual(self.paths(site, got), ["/a"])

    def test_down(self):
        """A map that cannot be had for now ends a harvest where it can go on."""
        site = self.site({"/i.xml": index(("BASE/1.xml", ""), ("BASE/2.xml", "")),
                          "/1.xml": (503, {}, ""), "/2.xml": urlset(url("BASE/a")),
                          "/a": page()})
        got = self.harvest(site, "/i.xml")
        self.assertEqual(got.error, "missing")
        site.answers["/1.xml"] = urlset(url(site.base + "/b"))
        site.answers["/b"] = page()
        got = self.harvest(site, "/i.xml", "--cursor", got.cursors[-1])
        self.assertEqual(self.paths(site, got), ["/b", "/a"])

    def test_not_public(self):
        """Site maps may not lead inside: these names are refused where they are connected to."""
        site = self.site({"/m.xml": urlset(url("http://169.254.169.254/latest/meta-data"))})
        got = self.harvest(site, "/m.xml", "--set", "harvest_site_any_host=true")
        self.assertEqual([r["files"][0].get("body") for r in got.records], [None])

    # ---- whole harvests -----------------------------------------------------------------------

    def collect(self, site, out, *options):
        done = subprocess.run(
            [PROGRAM, "harvest", "--source", "site", "--out", out, "--json", "--quiet",
             "--contact", "mailto:data@example.org", "--set", "harvest_networks=127.0.0.0/8,::1",
             "--set", "harvest_interval=0", "--set", f"harvest_site_url={site.base}/m.xml",
             *options], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_collection(self):
        names = [f"p{n}" for n in range(30)]
        site = self.site({
            "/m.xml": urlset(*(url(f"BASE/{name}", "2025-01-01") for name in names),
                             url("BASE/gone")),
            **{f"/{name}": page(name, f'<a href="{name}.pdf">PDF</a>') for name in names},
            **{f"/{name}.pdf": (200, {"Content-Type": "application/pdf", "ETag": '"1"'},
                                f"%PDF-1.4 {name}\n") for name in names}})
        with tempfile.TemporaryDirectory() as folder:
            out = folder + "/c"
            self.collect(site, out)
            for name in names:  # each of them once
                self.assertEqual(site.asked.count(f"/{name}"), 1)
                self.assertEqual(site.asked.count(f"/{name}.pdf"), 1)
            agents = {headers["User-Agent"] for _, headers in site.headers}
            self.assertEqual(len(agents), 1)
            self.assertRegex(agents.pop(), r"^vislang/\S+ \(\+mailto:data@example\.org\)$")
            with sqlite3.connect(out + "/collection.db") as db:
                rows = db.execute(
                    "SELECT f.place, d.sha256, d.http, d.final_url FROM files f JOIN documents d "
                    "ON d.id = f.document_id WHERE f.place LIKE '%/p7'").fetchall()
                failed = db.execute("SELECT place, reason FROM files WHERE state = 'failed'")
                self.assertEqual(failed.fetchall(), [(site.base + "/gone", "http 404")])
            text = site.answers["/p7"].encode()
            self.assertEqual(rows, [(site.base + "/p7", hashlib.sha256(text).hexdigest(), 200,
                                     site.base + "/p7")])
            # Again: two pages have changed, one is new.
            site.answers["/m.xml"] = urlset(
                *(url(f"{site.base}/{name}", "2025-02-02" if name in ("p1", "p2") else "2025-01-01")
                  for name in names), url(f"{site.base}/new", "2025-02-03"))
            site.answers["/p1"] = page("p1, again")
            site.answers["/new"] = page("new")
            site.asked.clear()
            self.collect(site, out, "--since", "2025-01-15")
            self.assertEqual(sorted(p for p in site.asked if p.startswith(("/p", "/new"))),
                             ["/new", "/p1", "/p2", "/p2.pdf"])
            asked = [headers for path, headers in site.headers if path == "/p2.pdf"]
            self.assertEqual(asked[-1].get("If-None-Match"), '"1"')

    def test_pictures(self):
        """What a page shows is harvested with it, under the rules of the host; and found again when the page is."""
        picture = (200, {"Content-Type": "image/jpeg", "ETag": '"1"'}, b"\xff\xd8\xff\xe0 a picture")
        words = "<p>Enough words of an article for it to be what the page is about.</p>"
        site = self.site({
            "/robots.txt": "User-agent: *\nDisallow: /private/\n",
            "/m.xml": urlset(url("BASE/p1", "2025-01-01"), url("BASE/p2", "2025-01-01")),
            "/p1": page("One", f"<nav><img src=/menu.jpg></nav>{words}<img src=small.jpg srcset='/large.jpg 900w'>"
                               "<img src=/private/a.jpg><img src=/gone.jpg>"),
            "/p2": page("Two", f"<meta name=robots content=noimageindex>{words}<img src=/unwanted.jpg>"),
            "/large.jpg": picture, "/menu.jpg": picture, "/private/a.jpg": picture, "/unwanted.jpg": picture})
        with tempfile.TemporaryDirectory() as folder:
            self.collect(site, folder + "/c", "--formats", "html,picture")
            self.assertEqual([path for path in site.asked if path.endswith(".jpg")], ["/large.jpg", "/gone.jpg"])
            with sqlite3.connect(folder + "/c/collection.db") as db:
                rows = db.execute("SELECT f.place, f.state, f.reason FROM files f WHERE f.page_id IS NOT NULL "
                                  "ORDER BY f.place").fetchall()
                shown = db.execute("SELECT address FROM shown s JOIN files f ON f.id = s.file_id "
                                   "WHERE f.state = 'kept' ORDER BY address").fetchall()
            self.assertEqual(rows, [(site.base + "/gone.jpg", "failed", "http 404"),
                                    (site.base + "/large.jpg", "kept", None),
                                    (site.base + "/private/a.jpg", "failed", "denied")])
            self.assertEqual(shown, [("/large.jpg",), (site.base + "/large.jpg",), ("small.jpg",)])
            site.asked.clear()
            self.collect(site, folder + "/c", "--formats", "html,picture", "--since", "2025-01-01")
            self.assertEqual([path for path in site.asked if path.endswith(".jpg")], ["/gone.jpg"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
