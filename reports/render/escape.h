/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_ESCAPE_H
#define INQUEST_REPORTS_RENDER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/base/text.h"

/* One function for each place that text from a dump can go to; nothing else
 * writes such text. Every one of them
 *   - gives valid UTF-8, whatever comes in: a stray byte is shown as \x80 (but see
 *     escape_collapsed);
 *   - shows what would steer a terminal, a parser or the reader's eye, and never
 *     passes it on: C0 and C1 controls and DEL as \x1b (newline, return and tab
 *     as \n \r \t), bidirectional controls, invisible characters, line and
 *     paragraph separators and noncharacters as \u202e or \U000e0001;
 *   - takes NULL as "". */

enum escape_lines {
    ESCAPE_ONE_LINE,  /* a newline is shown as \n */
    ESCAPE_KEEP_LINES /* newlines pass: the place is several lines long */
};

/* A terminal, a .txt file. */
void escape_terminal(struct text *text, const char *string, enum escape_lines lines);

/* The inside of a JSON string, without its quotes. Lossless: controls become
 * JSON's own \u001b, only invalid bytes are shown. */
void escape_json(struct text *text, const char *string);

/* A whole CSV field (RFC 4180), in quotes where it needs them. A field that
 * begins with = + - @ or a tab or return, and is no number, would be run as a
 * formula by spreadsheets: it gets an apostrophe in front, which they take as
 * "this is text". Controls but newline are shown. */
void escape_csv(struct text *text, const char *string);

/* Markdown outside of code: a sentence, a heading, a cell of a table. */
void escape_markdown(struct text *text, const char *string);

/* A whole Markdown code span, `like this`, with as many backquotes as its text
 * needs; its pipes are escaped where it stands in a table. */
void escape_markdown_code(struct text *text, const char *string, bool in_table);

/* A whole fenced block; the fence is longer than any run of backquotes within.
 * `string` is many lines and was already written by escape_terminal. */
void markdown_fence(struct text *text, const char *string, const char *language);

/* A frame in a file of collapsed stacks, or several with semicolons between them. Such a
 * file is for programs and has no way to quote: stray bytes pass as they are, so that it
 * is read back as what it was; a semicolon within a frame becomes a colon. */
void escape_collapsed(struct text *text, const char *string, bool is_one_frame);

/* HTML and XML (SVG), as text or as the value of an attribute in quotes. */
void escape_markup(struct text *text, const char *string, enum escape_lines lines);

#endif
