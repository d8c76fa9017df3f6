/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_CLI_SIGNALS_H
#define INQUEST_REPORTS_CLI_SIGNALS_H

#include <stdbool.h>

/* What ends the program from outside: temporary files go, the terminal is left
 * clean. SIGINT, SIGTERM and SIGHUP end it as they would have; a SIGBUS means
 * that a file shrank under its mapping, and ends it with exit status 3. A closed
 * pipe and a file over its size limit become errors of write. */
void signals_init(void);

/* The input that a SIGBUS is laid to. */
void signals_set_input(const char *name);

/* Tells whether a progress bar stands on the terminal now; returns what it was. */
bool signals_bar_is_drawn(bool drawn);

#endif
