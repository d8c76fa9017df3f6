#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at the HTML report as a reader does, in a headless Chromium.
Usage: test_report.py INQUEST [TEST…]"""
import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import chromium
import sample_index

HERE = pathlib.Path(__file__).resolve().parent
PAGE_LIMIT = 2 << 20
INQUEST = None
SHOWN = "document.querySelectorAll('.thread:not([hidden])').length"
NAMES = "Array.from(document.querySelectorAll('#threads .thread'), (t) => t.dataset.name)"


def make_report(kind, folder):
    index, page = folder / f"{kind}.index", folder / f"{kind}.html"
    subprocess.run([sys.executable, HERE / "sample_index.py", kind, index], check=True)
    subprocess.run([INQUEST, "postmortem", index, "-q", "-o", page], check=True,
                   stdout=subprocess.DEVNULL)
    index.unlink()
    return page


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="inquest-reports-")
        cls.pages = {}
        cls.browser = chromium.Chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.folder.cleanup()

    def report(self, kind):
        if kind not in self.pages:
            self.pages[kind] = make_report(kind, pathlib.Path(self.folder.name))
        return self.pages[kind]

    def page(self, kind, **options):
        page = chromium.Page(self.browser, **options)
        self.addCleanup(page.close)
        page.open(self.report(kind))
        return page

    # ---- the checker itself

    def test_a_broken_page_is_noticed(self):
        text = self.report("shop").read_text()
        broken = pathlib.Path(self.folder.name) / "broken.html"
        broken.write_text(text.replace(
            "</main>", "<img src=x onerror=\"document.title='owned'\"><p style='color:red'>"
            "<script>document.title='owned'</script>"
            "<img src='http://127.0.0.1:9/x.png'></main>"))
        page = chromium.Page(self.browser)
        self.addCleanup(page.close)
        page.open(broken)
        problems = "\n".join(page.problems())
        for directive in ("script-src-attr", "style-src-attr", "script-src-elem", "img-src"):
            self.assertIn(directive, problems)
        self.assertNotEqual(page.run("document.title"), "owned")

    # ---- the page

    def test_no_errors_and_no_requests(self):
        for kind in ("shop", "hostile", "bare", "wide", "huge"):
            with self.subTest(kind):
                self.assertEqual(self.page(kind).problems(), [])

    def test_verdict(self):
        page = self.page("shop")
        verdict = ("shop/worker.py (Python 3.11.7, pid 4242) died of SIGSEGV: read of address "
                   "0x10, not mapped")
        self.assertEqual(page.run("document.title"), verdict)
        self.assertEqual(page.run("document.querySelector('h1').textContent"), verdict)
        crashed = page.run("document.querySelector('.thread.crashed').innerText")
        self.assertIn("Checksum.update", crashed)
        self.assertIn("/srv/shop/native.py:33", crashed)
        self.assertIn("algorithm='crc32c'", crashed)
        self.assertIn("the same 3 frames 3,331 more times",
                      page.run("document.getElementById('thread-2').textContent"))

    def test_search(self):
        page = self.page("shop")
        total = page.run(SHOWN)
        page.type("/catalog")
        self.assertEqual(page.run("document.activeElement.id"), "search")
        self.assertEqual(page.run("document.activeElement.value"), "catalog")
        time.sleep(.3)
        self.assertEqual(page.run(SHOWN), 1)
        self.assertEqual(page.run("document.getElementById('found').textContent"), f"1 of {total}")
        self.assertTrue(page.run("document.getElementById('thread-2').open"))
        self.assertGreater(page.run("CSS.highlights.get('found').size"), 3)
        page.key("Escape")
        self.assertEqual(page.run(SHOWN), total)
        self.assertEqual(page.run("document.getElementById('found').textContent"), "")
        page.type("/nothing-like-this")
        time.sleep(.3)
        self.assertEqual(page.run(SHOWN), 0)
        self.assertEqual(page.problems(), [])

    def test_sort(self):
        page = self.page("shop")
        choose = ("(() => { const s = document.getElementById('sort'); s.value = '%s';"
                  " s.dispatchEvent(new Event('change')); })()")
        importance = page.run(NAMES)
        page.run(choose % "name")
        by_name = page.run(NAMES)
        self.assertEqual(by_name, sorted(importance, key=str.lower))
        self.assertNotEqual(by_name, importance)
        page.run(choose % "frames")
        self.assertEqual(page.run(NAMES)[0], "catalog")
        page.run(choose % "importance")
        self.assertEqual(page.run(NAMES), importance)
        column = ("Array.from(document.querySelectorAll('#memory tbody td:nth-child(%d)'),"
                  " (cell) => cell.textContent)")
        sizes = page.run(column % 2)
        page.run("document.querySelectorAll('#memory th button')[1].click()")
        self.assertEqual(page.run(column % 2), sizes[::-1])
        page.run("document.querySelectorAll('#memory th button')[0].click()")
        regions = page.run(column % 1)
        self.assertEqual(regions, sorted(regions))
        self.assertEqual(page.problems(), [])

    def test_keys(self):
        page = self.page("shop")
        focus = "document.activeElement.closest('details').id"
        opened = "document.querySelectorAll('#threads .thread[open]').length"
        page.key("c", "c")
        self.assertEqual(page.run(opened), 0)
        page.key("j", "j")
        self.assertEqual(page.run(focus), "thread-1")
        page.key("j", "j")
        self.assertEqual(page.run(focus), "thread-2")
        page.key("k", "k")
        self.assertEqual(page.run(focus), "thread-1")
        page.key("e", "e")
        self.assertEqual(page.run(opened), page.run(
            "document.querySelectorAll('#threads .thread').length"))
        top = "document.querySelector('.frames').firstElementChild.getBoundingClientRect().top"
        before = page.run(top)
        page.key("o", "o")
        self.assertGreater(page.run(top), before)
        page.key("?", "?")
        self.assertTrue(page.run("document.getElementById('help').open"))
        page.key("Escape")
        page.run("document.getElementById('help').close()")
        self.assertFalse(page.run("document.getElementById('help').open"))
        self.assertEqual(page.problems(), [])

    def test_theme(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        page = self.page("shop", scheme="light")
        light = page.run(colour)
        page.media(scheme="dark")
        dark = page.run(colour)
        self.assertNotEqual(light, dark)
        page.key("t", "t")  # auto, then light
        self.assertEqual(page.run(colour), light)
        page.key("t", "t")
        page.media(scheme="light")
        self.assertEqual(page.run(colour), dark)
        page.key("t", "t")
        self.assertEqual(page.run(colour), light)
        self.assertEqual(page.problems(), [])

    # ---- how it looks

    CONTRAST = r"""(() => {
      const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
      const light = (c) => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
      const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
      const background = (element) => {
        for (; element; element = element.parentElement) {
          const colour = rgb(getComputedStyle(element).backgroundColor);
          if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
      };
      const bad = [];
      for (const element of document.querySelectorAll("body *")) {
        if (!Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.data.trim())) continue;
        if (!element.checkVisibility() || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
        const style = getComputedStyle(element);
        const pair = [luminance(rgb(style.color)), luminance(background(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + .05) / (pair[1] + .05);
        if (ratio < 4.5) bad.push(element.tagName + "." + element.className + " " + ratio.toFixed(2));
      }
      return Array.from(new Set(bad));
    })()"""

    def test_contrast(self):
        for scheme in ("light", "dark"):
            for kind in ("shop", "bare", "hostile"):
                with self.subTest(scheme=scheme, kind=kind):
                    page = self.page(kind, scheme=scheme)
                    page.key("e", "e")
                    self.assertEqual(page.run(self.CONTRAST), [])

    def test_widths(self):
        for kind in ("shop", "hostile", "huge"):
            page = self.page(kind)
            page.key("e", "e")
            for width in (320, 375, 768, 1280, 2560):
                with self.subTest(kind=kind, width=width):
                    page.size(width, 900)
                    self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)

    def test_print(self):
        page = self.page("shop", scheme="dark")
        page.media(scheme="dark", media="print")
        self.assertEqual(page.run("getComputedStyle(document.querySelector('.bar')).display"),
                         "none")
        page.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(page.run("document.querySelectorAll('details:not([open])').length"), 0)
        page.run("dispatchEvent(new Event('afterprint'))")
        self.assertGreater(page.run("document.querySelectorAll('details:not([open])').length"), 0)

    # ---- without scripts

    def test_scripts_off(self):
        page = self.page("shop", scripts=False)
        visible = page.run("document.body.innerText")
        for text in ("died of SIGSEGV", "Checksum.update", "algorithm='crc32c'",
                     "ThreadPoolExecutor-0_11", "malloc heap", "can't be read"):
            self.assertIn(text, visible)
        whole = page.run("document.getElementById('main').textContent")
        for text in ("/srv/shop/catalog.py", "TimeoutError", "libssl.so.3", "https://stock.example"):
            self.assertIn(text, whole)
        self.assertEqual(page.run("getComputedStyle(document.querySelector('.tools')).display"),
                         "none")
        self.assertTrue(page.run("(() => { const t = document.getElementById('thread-2');"
                                 " t.querySelector('summary').click(); return t.open; })()"))

    # ---- hostile text

    ALLOWED = set(
        "html head meta link title style body header div span h1 h2 p nav a dl dt dd main section "
        "details summary ol ul li table thead tbody tr th td pre code b small svg rect input output "
        "select option button dialog kbd script footer".split())

    def test_hostile_text_is_shown(self):
        page = self.page("hostile")
        self.assertEqual(page.problems(), [])
        tags = set(page.run("Array.from(document.querySelectorAll('*'), (e) => e.localName)"))
        self.assertLessEqual(tags, self.ALLOWED)
        self.assertEqual(page.run("document.scripts.length"), 2)
        self.assertEqual(page.run("document.querySelectorAll('style').length"), 1)
        names = set(page.run("Array.from(document.querySelectorAll('*'), (e) => e.localName === "
                             "'svg' ? [] : e.getAttributeNames()).flat()"))
        self.assertFalse({name for name in names if name.startswith("on")} | (names & {"style"}))
        self.assertEqual(
            set(page.run("Array.from(document.querySelectorAll('[href]'), (e) => e.getAttribute("
                         "'href'))")) - {"data:,"},
            {"#crashed", "#others", "#memory", "#files", "#warnings", "#next"})
        text = page.run("document.body.textContent.replace("
                        "document.scripts[0].textContent, '')")
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e"
                            "\u2060-\u206f\ufeff\ufffe\uffff]")
        # every column that a report shows, some of them more than once
        self.assertGreaterEqual(text.count("onerror="), 35)
        self.assertGreaterEqual(text.count("\\u202eright-to-left\\u2066"), 35)
        self.assertGreaterEqual(text.count("\\x1b[31mred"), 35)
        self.assertIn("\u0421\u043b\u043e\u0432\u043e \u6f22\u5b57 \U0001f40d", text)
        page.type("/<img")
        time.sleep(.3)
        self.assertGreater(page.run(SHOWN), 0)
        self.assertEqual(page.problems(), [])

    # ---- bounds

    def test_size(self):
        for kind in ("huge", "wide", "deep"):
            with self.subTest(kind):
                self.assertLessEqual(self.report(kind).stat().st_size, PAGE_LIMIT)
        page = self.page("huge")
        text = page.run("document.body.textContent")
        self.assertIn("Cut to keep this page below 2 MiB", text)
        shown = page.run("document.querySelectorAll('.thread').length")
        cut = int(re.search(r"(\d+) more threads? cut from this page", text)[1])
        self.assertEqual(shown + cut, 80)
        shown = page.run("document.querySelectorAll('#files tbody tr').length")
        cut = int(re.search(r"([\d,]+) more files cut from this page", text)[1].replace(",", ""))
        self.assertEqual(shown + cut, 3000)
        crashed = page.run("document.querySelector('.thread.crashed').textContent")
        frames = page.run("document.querySelectorAll('.thread.crashed .frame').length")
        omitted = sum(int(number.replace(",", "")) for number in
                      re.findall(r"([\d,]+) (?:older )?frames (?:not shown|cut)", crashed))
        self.assertEqual(frames + omitted, 400)

    def test_a_thousand_threads_are_searched_quickly(self):
        page = self.page("wide")
        start = time.monotonic()
        page.type("/handle_300")
        time.sleep(.2)
        self.assertEqual(page.run(SHOWN), 1)
        self.assertLess(time.monotonic() - start, 5)

    # ---- the markup, by another parser

    def test_markup_is_balanced(self):
        for kind in ("shop", "hostile", "huge", "bare", "wide"):
            with self.subTest(kind):
                Balance(self).feed(self.report(kind).read_text(encoding="utf-8"))


class Balance(html.parser.HTMLParser):
    VOID = {"meta", "link", "input"}

    def __init__(self, test):
        super().__init__()
        self.test, self.stack, self.ids = test, [], set()

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.stack.append(tag)
        for name, value in attrs:
            if name == "id":
                self.test.assertNotIn(value, self.ids)
                self.ids.add(value)

    def handle_startendtag(self, tag, attrs):
        self.test.assertEqual(tag, "rect")

    def handle_endtag(self, tag):
        self.test.assertEqual(self.stack.pop(), tag)

    def close(self):
        super().close()
        self.test.assertEqual(self.stack, [])


if __name__ == "__main__":
    INQUEST = sys.argv.pop(1)
    try:
        chromium.find()
    except chromium.Missing as missing:
        sys.exit(f"browser: {missing}")
    unittest.main(argv=[sys.argv[0], *(f"Reports.{name}" for name in sys.argv[1:])], verbosity=1)
