# SPDX-License-Identifier: Apache-2.0
"""Writes schema.sql as C: its text, and each table's columns as SQLite sees them.

usage: embed_schema.py schema.sql output.h
"""
import sqlite3
import sys


def c_bytes(text):
    """A string past what a C compiler must take as one literal: its bytes, NUL last."""
    data = text.encode() + b"\0"
    lines = [", ".join(str(byte) for byte in data[start:start + 20])
             for start in range(0, len(data), 20)]
    return "{\n    " + ",\n    ".join(lines) + "}"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def main(source, target):
    with open(source, encoding="utf-8") as file:
        schema = file.read()
    database = sqlite3.connect(":memory:")
    database.executescript(schema)
    tables = [row[0] for row in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    out = ["/* Generated from schema.sql by embed_schema.py. */",
           "static const char index_schema[] =", c_bytes(schema) + ";", "",
           "static const struct index_table_columns index_tables[INDEX_TABLE_COUNT] = {"]
    for table in tables:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({quoted(table)})")]
        names = ", ".join(quoted(column) for column in columns).replace('"', '\\"')
        parameters = ", ".join("?" for _ in columns)
        out.append(f'    [INDEX_{table.upper()}] = {{"{table}", {len(columns)},\n'
                   f'        "{names}",\n        "{parameters}"}},')
    out += ["};", ""]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(out))


main(*sys.argv[1:])
