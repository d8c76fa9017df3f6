# SPDX-License-Identifier: Apache-2.0
"""Pages of recordings, comparisons and trends as a reader sees them.

usage: test_pages.py INQUEST TESTDATA
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import chromium

INQUEST, DATA = "", pathlib.Path()
HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'&"
FRAME = "Array.from(document.querySelectorAll('.f')).find((f) => f.querySelector('title')" \
        ".textContent.startsWith(%r))"
CONTRAST = r"""(() => {
  const light = (c) => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const parts = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
  const behind = (element) => { for (; element; element = element.parentElement) {
    const colour = parts(getComputedStyle(element).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour; } return [255, 255, 255]; };
  const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05); };
  const worst = [];
  for (const element of document.querySelectorAll('main h1, main h2, main p, main td, main th, main dd, main dt, main li'))
    if (element.textContent.trim() && element.checkVisibility())
      worst.push([ratio(parts(getComputedStyle(element).color), behind(element)), element.outerHTML.slice(0, 80)]);
  for (const text of document.querySelectorAll('.fg .f text, .fg .t text')) {
    const rect = text.closest('.f, .t').querySelector('rect');
    if (text.textContent) worst.push([ratio(parts(getComputedStyle(text).fill), parts(getComputedStyle(rect).fill)),
      rect.getAttribute('class') + ' ' + text.textContent]);
  }
  return worst.sort((a, b) => a[0] - b[0])[0];
})()"""

# Labels of cells that are inside their cell; 0 where one is not.
LABELS_FIT = r"""(() => {
  const labels = Array.from(document.querySelectorAll('.t text'));
  return labels.every((text) => {
    const inner = text.getBoundingClientRect(), outer = text.closest('.t').querySelector('rect').getBoundingClientRect();
    return inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.bottom <= outer.bottom + 2;
  }) ? labels.length : 0;
})()"""


def folded(leak, saw, once):
    return (f"main (app.py:1);leak (app.py:5);deep{HOSTILE} (app.py:7) {leak}\nmain (app.py:1);saw (app.py:9) {saw}\n"
            f"main (app.py:1);once (app.py:12) {once}\nmain (app.py:1);same (app.py:20) 50\n")


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="inquest-pages-")
        folder = pathlib.Path(cls.holder.name)
        profiles, cores = DATA / "profiles", DATA / "cores"
        inputs = []
        for hour, numbers in enumerate(((100, 50, 10), (110, 90, 10), (121, 50, 200), (133, 90, 200))):
            path = folder / f"hour{hour}.txt"
            path.write_text(folded(*numbers))
            inputs.append(path)
        commands = {
            "pstats": ("report", profiles / "pstats-3.12-cprofile.prof"),
            "memory": ("report", profiles / "tracemalloc-3.12.pickle"),
            "samples": ("report", profiles / "pyspy" / "speedscope-0.4.2.json"),
            "hostile": ("report", inputs[0]),
            "diff": ("diff", inputs[0], inputs[3]),
            "diff-memory": ("diff", profiles / "tracemalloc-3.12-limit1.pickle", profiles / "tracemalloc-3.12.pickle"),
            "diff-pstats": ("diff", profiles / "pstats-3.12-cprofile.prof", profiles / "pstats-3.12-profile.prof"),
            "diff-cores": ("diff", cores / "zoo-3.12.core.zst", cores / "cpython-3.12.core.lz4"),
            "trend": ("trend", *inputs, "--times", "0,3600,7200,10800"),
            "postmortem": ("postmortem", cores / "zoo-3.12.core.zst"),
        }
        cls.pages = {}
        for name, words in commands.items():
            path = folder / (name + ".html")
            subprocess.run([INQUEST, *map(str, words), "-q", "--no-cache", "-o", path], check=True, stdout=subprocess.DEVNULL)
            cls.pages[name] = path
        cls.browser = chromium.Chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.holder.cleanup()

    def page(self, name, **options):
        page = chromium.Page(self.browser, **options)
        self.addCleanup(page.close)
        page.open(self.pages[name])
        return page

    def problems(self, page):
        """A picture inside the page is asked for nowhere."""
        return [problem for problem in page.problems() if not problem.startswith("request: data:")]

    def test_nothing_is_asked_for_and_nothing_fails(self):
        for name in self.pages:
            with self.subTest(name):
                page = self.page(name)
                self.assertEqual(self.problems(page), [])
                self.assertGreater(page.run("document.querySelectorAll('main section').length"), 0)
                self.assertEqual(page.run("typeof window.pwned"), "undefined")
                self.assertEqual(page.run("document.querySelectorAll('main img:not([src^=\"data:\"]), main script').length"), 0)
                self.assertLess(self.pages[name].stat().st_size, 2 << 20)

    def test_without_scripts(self):
        for name in self.pages:
            with self.subTest(name):
                page = self.page(name, scripts=False)
                self.assertEqual(page.run("Array.from(document.querySelectorAll('.script')).filter((e) => e.checkVisibility()).length"), 0)
                self.assertGreater(page.run("document.querySelector('main').innerText.length"), 300)
                self.assertGreater(page.run("document.querySelectorAll('main tbody tr').length"), 0)
                self.assertEqual(page.run("document.querySelectorAll('main section:not(:has(:not(h2)))').length"), 0)

    def test_widths(self):
        for name in self.pages:
            with self.subTest(name):
                page = self.page(name)
                for width in (360, 700, 1280, 1900):
                    page.size(width, 900)
                    self.assertLessEqual(page.run("document.documentElement.scrollWidth - innerWidth"), 0, width)

    def test_contrast(self):
        for scheme in ("light", "dark"):
            for name in self.pages:
                with self.subTest(name + " " + scheme):
                    ratio, where = self.page(name, scheme=scheme).run(CONTRAST)
                    self.assertGreater(ratio, 4.5, where)

    def test_search(self):
        for name, word in (("diff", "saw"), ("trend", "saw"), ("pstats", "factorial"), ("memory", "orders")):
            with self.subTest(name):
                page = self.page(name)
                shown = "Array.from(document.querySelectorAll('.grid tbody tr')).filter((r) => r.checkVisibility()).length"
                before = page.run(shown)
                page.run(f"(() => {{ const s = document.getElementById('search'); s.value = '{word}';"
                         " s.dispatchEvent(new Event('input', {bubbles: true})); })()")
                page.run("new Promise((done) => setTimeout(done, 300))")
                after = page.run(shown)
                self.assertGreater(after, 0)
                self.assertLess(after, before)
                self.assertTrue(page.run("document.getElementById('found').textContent"))
                self.assertEqual(self.problems(page), [])

    def test_sort(self):
        page = self.page("diff")
        first = "document.querySelector('#rows tbody tr').textContent"
        column = "Array.from(document.querySelectorAll('#rows tbody tr')).map((r) => +r.cells[0].dataset.value)"
        self.assertIn("once", page.run(first))
        for _ in range(2):
            page.run("(document.querySelector('#rows th button') || document.querySelector('#rows th')).click()")
        values = page.run(column)
        self.assertIn(values, (sorted(values), sorted(values, reverse=True)))
        page.run("(document.querySelector('#rows th button') || document.querySelector('#rows th')).click()")
        self.assertEqual(page.run(column), values[::-1])
        self.assertEqual(self.problems(page), [])

    def test_sandwich(self):
        """A function's name leads to who calls it and whom it calls, which opens."""
        for name in ("pstats", "samples"):
            page = self.page(name)
            target = page.run("document.querySelector('.grid a[href^=\"#f\"]').hash.slice(1)")
            self.assertFalse(page.run(f"document.getElementById('{target}').open"))
            page.run("document.querySelector('.grid a[href^=\"#f\"]').click()")
            page.run("new Promise((done) => setTimeout(done, 200))")
            self.assertTrue(page.run(f"document.getElementById('{target}').open"))
            self.assertIn("all", page.run(f"document.getElementById('{target}').textContent").lower())
            broken = page.run("Array.from(document.querySelectorAll('a[href^=\"#\"]')).filter((a) => a.hash.length > 1 &&"
                              " !document.getElementById(decodeURIComponent(a.hash.slice(1)))).map((a) => a.hash)")
            self.assertEqual(broken, [], name)

    def test_zoom(self):
        page = self.page("diff")
        width = "+" + FRAME + ".querySelector('rect').getAttribute('width')"
        whole = page.run(width % "all")
        before = page.run(width % "once")
        page.run(FRAME % "once" + ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        self.assertAlmostEqual(page.run(width % "once"), whole, delta=.5)
        page.key("Escape")
        self.assertAlmostEqual(page.run(width % "once"), before, delta=.5)
        self.assertEqual(self.problems(page), [])

    def test_treemap(self):
        """Of memory: drawn without scripts, each cell with its own title, and left alone by the flame graph's script."""
        cells = "Array.from(document.querySelectorAll('#treemap svg.map .t'))"
        for scripts in (True, False):
            page = self.page("memory", scripts=scripts)
            self.assertGreater(page.run(cells + ".length"), 1)
            self.assertTrue(page.run(cells + ".every((cell) => cell.querySelector('title').textContent.includes('%'))"))
            self.assertEqual(page.run("document.querySelectorAll('#treemap input, #treemap .tool').length"), 0)
            self.assertIn("profile_truth.py", page.run("document.querySelector('#treemap').textContent"))
        page = self.page("memory")
        page.run("document.querySelector('a[href=\"#treemap\"]').click()")
        self.assertEqual(page.run("location.hash"), "#treemap")
        page.size(500, 900)  # it keeps a size at which it can be read, and scrolls in its panel
        self.assertGreaterEqual(page.run("document.querySelector('svg.map').getBoundingClientRect().width"), 900)
        self.assertEqual(self.problems(page), [])
        self.assertEqual(self.page("pstats").run("document.querySelectorAll('svg.map').length"), 0)

    def test_treemap_alone(self):
        picture = pathlib.Path(self.holder.name) / "treemap.svg"
        words = ["flamegraph", DATA / "profiles" / "tracemalloc-3.12.pickle", "--treemap", "--by", "count", "-o", picture]
        subprocess.run([INQUEST, *map(str, words)], check=True)
        fills = set()
        for scheme in ("light", "dark"):
            page = chromium.Page(self.browser, scheme=scheme)
            self.addCleanup(page.close)
            page.open(picture)
            self.assertEqual(page.problems(), [])
            fills.add(page.run("getComputedStyle(document.querySelector('.page')).fill"))
            self.assertGreater(page.run(LABELS_FIT), 20)
        self.assertEqual(len(fills), 2)
        holder = pathlib.Path(self.holder.name) / "img.html"
        holder.write_text("<img src='treemap.svg'>")
        page = chromium.Page(self.browser)
        self.addCleanup(page.close)
        page.open(holder)
        self.assertEqual(page.run("document.images[0].naturalWidth"), 1200)

    def test_colours_say_the_direction(self):
        for scheme in ("light", "dark"):
            page = self.page("diff", scheme=scheme)
            colour = "getComputedStyle(" + FRAME + ".querySelector('rect')).fill.match(/\\d+/g).map(Number)"
            red, blue = page.run(colour % "once"), page.run("getComputedStyle(document.querySelector('.fg .s6')).fill.match(/\\d+/g).map(Number)")
            self.assertGreater(red[0], red[2])
            self.assertGreater(blue[2], blue[0])
            words = page.run(FRAME % "once" + ".querySelector('title').textContent")
            self.assertIn("10 samples → 200 samples", words)
            self.assertIn("NEW compared to OLD", page.run("document.querySelector('#flame').textContent"))

    def test_chart(self):
        page = self.page("trend")
        self.assertGreater(page.run("document.querySelector('#chart img')?.naturalWidth || 0"), 500)


if __name__ == "__main__":
    INQUEST, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
    try:
        chromium.find()
    except chromium.Missing as missing:
        sys.exit(f"browser: {missing}")
    unittest.main(argv=[sys.argv[0], *(f"Pages.{name}" for name in sys.argv[3:])], verbosity=1)
