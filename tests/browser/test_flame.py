# SPDX-License-Identifier: Apache-2.0
"""The flame graph as a reader sees it: zoom, search, keys, dark and light, inside <img> and
with scripts off.

usage: test_flame.py INQUEST CORE
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import chromium

INQUEST = CORE = ""
FRAME = "Array.from(document.querySelectorAll('.f')).find((f) => f.querySelector('title')" \
        ".textContent.startsWith(%r))"
WIDTH = "+" + FRAME + ".querySelector('rect').getAttribute('width')"
CLICK = FRAME + ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
SHOWN = "Array.from(document.querySelectorAll('.f')).filter((f) => f.style.display !== 'none').length"
CONTRAST = r"""(() => {
  const light = (c) => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const luminance = (text) => { const [r, g, b] = text.match(/[\d.]+/g).map(Number);
    return .2126 * light(r) + .7152 * light(g) + .0722 * light(b); };
  const page = getComputedStyle(document.querySelector('.page')).fill, worst = [];
  for (const text of document.querySelectorAll('text')) {
    const rect = text.previousElementSibling;
    const behind = rect && rect.localName === 'rect' && text.closest('.f') ? getComputedStyle(rect).fill : page;
    const [a, b] = [luminance(getComputedStyle(text).fill), luminance(behind)].sort((x, y) => y - x);
    worst.push((a + .05) / (b + .05));
  }
  return Math.min(...worst);
})()"""


class Flame(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="inquest-flame-")
        cls.pictures = {}
        for name, options in (("flame", ()), ("icicle", ("--icicle",))):
            path = pathlib.Path(cls.folder.name) / (name + ".svg")
            subprocess.run([INQUEST, "flamegraph", CORE, "-q", "--no-cache", "-o", path, *options], check=True)
            cls.pictures[name] = path
        cls.browser = chromium.Chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.folder.cleanup()

    def page(self, path, **options):
        page = chromium.Page(self.browser, **options)
        self.addCleanup(page.close)
        page.open(path)
        return page

    def test_no_errors_and_no_requests(self):
        for path in self.pictures.values():
            self.assertEqual(self.page(path).problems(), [])

    def test_fits_the_window(self):
        page = self.page(self.pictures["icicle"])
        for width in (700, 1280, 2000):
            page.size(width, 900)
            page.run("dispatchEvent(new Event('resize'))")
            self.assertAlmostEqual(page.run(WIDTH % "all objects"), width - 24, delta=1)

    def test_zoom(self):
        page = self.page(self.pictures["icicle"])
        all_shown, before = page.run(SHOWN), page.run(WIDTH % "types")
        page.run(CLICK % "types")
        self.assertAlmostEqual(page.run(WIDTH % "types"), page.run(WIDTH % "all objects"), delta=.1)
        self.assertLess(page.run(SHOWN), all_shown)
        self.assertIn("types", page.run("document.querySelector('.info').textContent"))
        page.key("Escape")
        self.assertAlmostEqual(page.run(WIDTH % "types"), before, delta=.1)
        self.assertEqual(page.run(SHOWN), all_shown)
        self.assertEqual(page.problems(), [])

    def test_search(self):
        page = self.page(self.pictures["flame"])
        page.type("/type")
        self.assertEqual(page.run("document.activeElement.value"), "type")
        hits = page.run("document.querySelectorAll('.f.hit').length")
        self.assertGreater(hits, 3)
        self.assertRegex(page.run("document.querySelector('.info').textContent"),
                         r"^%d frames, [\d.]+ %% of all$" % hits)
        page.key("Escape")
        self.assertEqual(page.run("document.querySelectorAll('.f.hit').length"), 0)
        self.assertEqual(page.problems(), [])

    def test_keys(self):
        for name, outward, inward in (("icicle", "ArrowDown", "ArrowUp"), ("flame", "ArrowUp", "ArrowDown")):
            page = self.page(self.pictures[name])
            current = "document.querySelector('.f.on title').textContent"
            page.key(outward)
            self.assertTrue(page.run(current).startswith("all objects"))
            page.key(outward)
            first = page.run(current)
            page.key("ArrowRight")
            self.assertNotEqual(page.run(current), first)
            page.key("ArrowLeft")
            self.assertEqual(page.run(current), first)
            page.key("Enter")
            self.assertAlmostEqual(page.run("+document.querySelector('.f.on rect').getAttribute('width')"),
                                   page.run(WIDTH % "all objects"), delta=.1)
            page.key(inward)
            self.assertTrue(page.run(current).startswith("all objects"))
            self.assertEqual(page.problems(), [])

    def test_dark_and_light_can_be_read(self):
        colour = "getComputedStyle(document.querySelector('.page')).fill"
        pages = [self.page(self.pictures["flame"], scheme=scheme) for scheme in ("light", "dark")]
        self.assertNotEqual(*(page.run(colour) for page in pages))
        for page in pages:
            self.assertGreater(page.run(CONTRAST), 4.5)

    def test_scripts_off(self):
        page = self.page(self.pictures["flame"], scripts=False)
        self.assertEqual(page.run("document.querySelectorAll('.tool, input').length"), 0)
        self.assertGreater(page.run(SHOWN), 20)
        self.assertIn("all objects", page.run("document.querySelector('.frames').textContent"))

    def test_inside_img(self):
        page_path = pathlib.Path(self.folder.name) / "page.html"
        page_path.write_text("<img src='flame.svg'>")
        page = self.page(page_path)
        self.assertEqual(page.run("document.images[0].naturalWidth"), 1200)


if __name__ == "__main__":
    INQUEST, CORE = sys.argv[1:3]
    try:
        chromium.find()
    except chromium.Missing as missing:
        sys.exit(f"browser: {missing}")
    unittest.main(argv=[sys.argv[0], *(f"Flame.{name}" for name in sys.argv[3:])], verbosity=1)
