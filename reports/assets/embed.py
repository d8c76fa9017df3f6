#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the page's inline parts as C: each file's bytes, and the hash by which the
page's Content-Security-Policy allows it. Usage: embed.py OUTPUT FILE…"""
import base64
import hashlib
import pathlib
import sys


def main():
    output, *names = sys.argv[1:]
    lines = ["/* Made by reports/assets/embed.py */", '#include "reports/render/assets.h"', ""]
    for name in sorted(names, key=lambda name: pathlib.Path(name).name):
        data = pathlib.Path(name).read_bytes()
        if name.endswith(".css") and b"</" in data:
            sys.exit(f"{name}: '</' could end the style element")
        if b"</script" in data.lower() or b"<!--" in data:
            sys.exit(f"{name}: '</script' or '<!--' could end the script element")
        symbol = "asset_" + pathlib.Path(name).name.replace(".", "_")
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
