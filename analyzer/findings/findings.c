/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/findings.h"

#include "analyzer/findings/contents.h"
#include "analyzer/findings/cycles.h"
#include "analyzer/findings/suspects.h"
#include "analyzer/findings/waste.h"

/* Each writes the rows of its own tables. To add one: its function, declared in a
 * header of its own, and a row here. */
static const struct finding {
    const char *name; /* for messages */
    enum status (*write)(const struct findings *findings, struct error *err);
} table[] = {
    {"contents", contents_write},
    {"cycles", cycles_write},
    {"waste", waste_write},
    {"suspects", suspects_write},
    {NULL, NULL},
};

enum status findings_write(const struct findings *findings, struct error *err)
{
    for (const struct finding *finding = table; finding->name; finding++) {
        enum status status = finding->write(findings, err);
        if (status != STATUS_OK && err && !err->message[0])
            return error_set(err, status, "%s: %s", finding->name, status_name(status));
        if (status != STATUS_OK)
            return error_prefix(err, "%s", finding->name);
    }
    return STATUS_OK;
}
