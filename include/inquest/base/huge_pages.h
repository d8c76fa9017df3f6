/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_BASE_HUGE_PAGES_H
#define INQUEST_BASE_HUGE_PAGES_H

#include <stddef.h>

/* Memory for a table that is hit at random, not zeroed; free() frees it. NULL: out of memory. A
 * large one is on huge pages where the system has them: most hits then need no walk through the
 * page tables. */
void *huge_pages_alloc(size_t size);

#endif
