/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_FORMATS_CORE_INSTRUCTION_H
#define INQUEST_FORMATS_CORE_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "inquest/formats/core_dump.h"

/* What an instruction does with its one memory operand. */
enum access { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE, ACCESS_UPDATE };

struct memory_operand {
    enum access access;
    uint64_t address; /* as the registers have it */
};

/* Decodes the x86-64 instruction at registers->ip from its bytes. False where it
 * is none of those known here, or has no memory operand: then nothing is said. */
bool instruction_operand(const uint8_t *code, size_t size, const struct core_registers *registers,
                         struct memory_operand *ret_operand);

#endif
