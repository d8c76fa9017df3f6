/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_CONTENTS_H
#define INQUEST_ANALYZER_FINDINGS_CONTENTS_H

#include "analyzer/findings/findings.h"

/* The table content: a number for each object, made of what stays the same in it while it
 * lives, so that two dumps of a process can tell it from another object that got its memory
 * afterwards. Of a value its bytes; of anything else its first few references, with the
 * values that they lead to. Nothing is written under --redact: it could be guessed back. */
enum status contents_write(const struct findings *findings, struct error *err) MUST_CHECK;

#endif
