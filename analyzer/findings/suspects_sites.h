/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_FINDINGS_SUSPECTS_SITES_H
#define INQUEST_ANALYZER_FINDINGS_SUSPECTS_SITES_H

#include "analyzer/findings/suspects.h"

/* Where the process was running tracemalloc: the lines that allocated what would go
 * with each suspect, as rows of allocation_site with its rank, and the first of them
 * as parts of the suspect ('allocated at'). */
enum status suspect_sites_write(const struct suspects *suspects) MUST_CHECK;

#endif
