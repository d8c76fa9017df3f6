/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_WASTE_H
#define INQUEST_ANALYZER_FINDINGS_WASTE_H

#include "analyzer/findings/findings.h"

/* Memory that the program could do without (table waste). Of objects that a root leads
 * to, and of the builtin types themselves, not of classes derived from them. */
enum status waste_write(const struct findings *findings, struct error *err) MUST_CHECK;

#endif
