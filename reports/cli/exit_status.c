/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/cli/exit_status.h"

const struct exit_status_row exit_status_table[] = {
    {EXIT_STATUS_OK, "answered; what could not be read is said on standard error"},
    {EXIT_STATUS_TRIPPED, "a --fail-if gate tripped"},
    {EXIT_STATUS_USAGE, "the command line is wrong"},
    {EXIT_STATUS_INPUT, "an input is not readable, not a known format, or damaged past use"},
    {EXIT_STATUS_OUTPUT, "the answer could not be written; no partial file is left"},
};
const unsigned exit_status_count = sizeof exit_status_table / sizeof *exit_status_table;

enum exit_status exit_status_for(enum status status)
{
    switch (status) {
    case STATUS_OK: return EXIT_STATUS_OK;
    case STATUS_USAGE: return EXIT_STATUS_USAGE;
    case STATUS_OUTPUT: return EXIT_STATUS_OUTPUT;
    default: return EXIT_STATUS_INPUT;
    }
}
