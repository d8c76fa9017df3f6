/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_CYCLES_H
#define INQUEST_ANALYZER_FINDINGS_CYCLES_H

#include "analyzer/findings/findings.h"

/* Reference cycles by shape (tables cycle, cycle_member, cycle_edge), and the garbage
 * collector's state with why garbage is still there (collector, collector_state). */
enum status cycles_write(const struct findings *findings, struct error *err) MUST_CHECK;

#endif
