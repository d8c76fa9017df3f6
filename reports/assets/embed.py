#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the page's inline parts as C: each file's bytes, and the hash by which the
page's Content-Security-Policy allows it. Usage: embed.py OUTPUT COLORS.H FILE…

flame_page.css is made here: a picture's style for pages, whose readers choose between dark and
light, with all the colours of COLORS.H."""
import base64
import hashlib
import pathlib
import re
import sys


def palette(header):
    """The rules of one theme each: .c0a{fill:#ffc3c2} and so on."""
    light, dark = [], []
    rows = re.findall(r"\{\{([^}]*)\}, \{([^}]*)\}\}", header)
    for hue, row in enumerate(rows):
        for rules, values in zip((light, dark), row):
            rules += [f".fg .c{hue}{'abc'[tint]} {{fill:#{value}}}" for tint, value in
                      enumerate(re.findall(r"0x([0-9a-f]{6})", values))]
    assert len(light) == len(dark) == 72, "flame_colors.h has another form"
    return "\n".join(light) + "\n", "\n".join(dark) + "\n"


def within(prefix, css):
    """Every rule of a flat style sheet, for what is below `prefix` alone."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", css)
    return "".join(", ".join(f"{prefix} {selector.strip()}" for selector in selectors.split(","))
                   + "{" + " ".join(body.split()) + "}\n" for selectors, body in rules)


def page_style(files, header):
    light, dark = palette(header)
    dark = files["flame_dark.css"] + dark
    return (files["flame.css"] + light + "@media (prefers-color-scheme: dark) {\n"
            + within(':root:not([data-theme="light"])', dark) + "}\n"
            + within(':root[data-theme="dark"]', dark))


def main():
    output, colors, *names = sys.argv[1:]
    files = {pathlib.Path(name).name: pathlib.Path(name).read_text() for name in names}
    files["flame_page.css"] = page_style(files, pathlib.Path(colors).read_text())
    lines = ["/* Made by reports/assets/embed.py */", '#include "reports/render/assets.h"', ""]
    for name, content in sorted(files.items()):
        data = content.encode()
        if name.endswith(".css") and b"</" in data:
            sys.exit(f"{name}: '</' could end the style element")
        if b"</script" in data.lower() or b"<!--" in data:
            sys.exit(f"{name}: '</script' or '<!--' could end the script element")
        symbol = "asset_" + name.replace(".", "_")
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        lines.append(f"static const char {symbol}_bytes[] = {{")
        for start in range(0, len(data), 20):
            row = data[start:start + 20]
            lines.append("    " + " ".join(f"{byte if byte < 128 else byte - 256}," for byte in row))
        lines += ["};", f"const struct asset {symbol} = {{", f"    .bytes = {symbol}_bytes,",
                  f"    .size = {len(data)},", f'    .hash = "sha256-{digest}",', "};", ""]
    pathlib.Path(output).write_text("\n".join(lines))


if __name__ == "__main__":
    main()
