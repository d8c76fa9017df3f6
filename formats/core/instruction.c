/* SPDX-License-Identifier: Apache-2.0 */
/* As much of x86-64's encoding (Intel SDM, volume 2, chapter 2 and appendix A) as
 * tells a read from a write for the usual moves and arithmetic:
 *
 *   prefixes (66 F2 F3 F0 64 65 ...), REX (40 to 4F), opcode (one byte, or 0F and
 *   one), ModRM, SIB, displacement, immediate */
#include "formats/core/instruction.h"

#include <string.h>

#include "inquest/base/bytes_reader.h"

struct decoder {
    struct bytes_reader code;
    const struct core_registers *registers;
    uint8_t rex, modrm;
    bool segment_fs, segment_gs, two_bytes;
    uint8_t opcode;
    unsigned immediate; /* bytes after the operand */
};

static uint64_t register_value(const struct core_registers *registers, unsigned number)
{
    switch (number) {
    case 0: return registers->ax;
    case 1: return registers->cx;
    case 2: return registers->dx;
    case 3: return registers->bx;
    case 4: return registers->sp;
    case 5: return registers->bp;
    case 6: return registers->si;
    case 7: return registers->di;
    default: return registers->r[number & 7];
    }
}

static bool read_prefixes(struct decoder *decoder)
{
    uint8_t byte;
    for (;;) {
        if (bytes_read_u8(&decoder->code, &byte) != STATUS_OK)
            return false;
        if (byte == 0x64)
            decoder->segment_fs = true;
        else if (byte == 0x65)
            decoder->segment_gs = true;
        else if (byte != 0x66 && byte != 0xF2 && byte != 0xF3 && byte != 0xF0 && byte != 0x2E &&
                 byte != 0x36 && byte != 0x3E && byte != 0x26)
            break;
    }
    if ((byte & 0xF0) == 0x40) {
        decoder->rex = byte;
        if (bytes_read_u8(&decoder->code, &byte) != STATUS_OK)
            return false;
    }
    decoder->two_bytes = byte == 0x0F;
    if (decoder->two_bytes && bytes_read_u8(&decoder->code, &byte) != STATUS_OK)
        return false;
    decoder->opcode = byte;
    return true;
}

/* Opcodes 0F xx whose memory operand is only read, only written, or both; those
 * that a prefix turns round (0F 7E) are left out. */
static const uint8_t two_byte_reads[] = {
    0x10, 0x12, 0x16, 0x28, 0x2A, 0x2C, 0x2D, 0x2E, 0x2F, 0x51, 0x54, 0x57, 0x58, 0x59, 0x5C,
    0x5E, 0x6C, 0x6E, 0x6F, 0x74, 0xAF, 0xB6, 0xB7, 0xBE, 0xBF, 0xD4, 0xDB, 0xEB, 0xEF, 0xFE,
};
static const uint8_t two_byte_writes[] = {0x11, 0x13, 0x17, 0x29, 0x2B, 0x7F, 0xC3, 0xD6, 0xE7};
static const uint8_t two_byte_updates[] = {0xB0, 0xB1, 0xC0, 0xC1};

static enum access access_of_two_bytes(uint8_t opcode)
{
    bool cmov = opcode >= 0x40 && opcode <= 0x4F, setcc = opcode >= 0x90 && opcode <= 0x9F;
    if (cmov || memchr(two_byte_reads, opcode, sizeof two_byte_reads))
        return ACCESS_READ;
    if (setcc || memchr(two_byte_writes, opcode, sizeof two_byte_writes))
        return ACCESS_WRITE;
    return memchr(two_byte_updates, opcode, sizeof two_byte_updates) ? ACCESS_UPDATE
                                                                     : ACCESS_UNKNOWN;
}

/* add or adc sbb and sub xor cmp: 00 to 3B, in rows of eight */
static enum access access_of_arithmetic(uint8_t opcode)
{
    unsigned column = opcode & 7, row = opcode >> 3;
    if (column > 3)
        return ACCESS_UNKNOWN;
    return column >= 2 || row == 7 ? ACCESS_READ : ACCESS_UPDATE;
}

/* Opcodes whose ModRM holds more of the opcode. */
static enum access access_of_group(struct decoder *decoder)
{
    unsigned extension = decoder->modrm >> 3 & 7;
    switch (decoder->opcode) {
    case 0x80:
    case 0x83: decoder->immediate = 1; return extension == 7 ? ACCESS_READ : ACCESS_UPDATE;
    case 0x81: decoder->immediate = 4; return extension == 7 ? ACCESS_READ : ACCESS_UPDATE;
    case 0xC0:
    case 0xC1: decoder->immediate = 1; return ACCESS_UPDATE;
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: return ACCESS_UPDATE;
    case 0xC6: decoder->immediate = 1; return extension ? ACCESS_UNKNOWN : ACCESS_WRITE;
    case 0xC7: decoder->immediate = 4; return extension ? ACCESS_UNKNOWN : ACCESS_WRITE;
    case 0xF6:
    case 0xF7:
        if (extension <= 1)
            decoder->immediate = decoder->opcode == 0xF6 ? 1 : 4;
        return extension == 2 || extension == 3 ? ACCESS_UPDATE : ACCESS_READ;
    case 0xFE: return extension <= 1 ? ACCESS_UPDATE : ACCESS_UNKNOWN;
    case 0xFF:
        if (extension <= 1)
            return ACCESS_UPDATE;
        return extension == 2 || extension == 4 || extension == 6 ? ACCESS_READ : ACCESS_UNKNOWN;
    }
    return ACCESS_UNKNOWN;
}

static enum access access_of(struct decoder *decoder)
{
    if (decoder->two_bytes)
        return access_of_two_bytes(decoder->opcode);
    switch (decoder->opcode) {
    case 0x63:
    case 0x84:
    case 0x85:
    case 0x8A:
    case 0x8B: return ACCESS_READ;
    case 0x69: decoder->immediate = 4; return ACCESS_READ;
    case 0x6B: decoder->immediate = 1; return ACCESS_READ;
    case 0x86:
    case 0x87: return ACCESS_UPDATE;
    case 0x88:
    case 0x89: return ACCESS_WRITE;
    }
    if (decoder->opcode < 0x40)
        return access_of_arithmetic(decoder->opcode);
    return access_of_group(decoder);
}

static bool read_displacement(struct decoder *decoder, unsigned size, uint64_t *ret)
{
    uint8_t byte;
    uint32_t word;
    if (size == 1) {
        if (bytes_read_u8(&decoder->code, &byte) != STATUS_OK)
            return false;
        *ret = (uint64_t)(int8_t)byte;
    } else if (size == 4) {
        if (bytes_read_u32(&decoder->code, &word) != STATUS_OK)
            return false;
        *ret = (uint64_t)(int32_t)word;
    } else {
        *ret = 0;
    }
    return true;
}

/* Base and index of a SIB byte; *displacement grows to 4 where there is no base. */
static bool read_sib(struct decoder *decoder, unsigned mode, uint64_t *ret_sum,
                     unsigned *displacement)
{
    uint8_t sib;
    if (bytes_read_u8(&decoder->code, &sib) != STATUS_OK)
        return false;
    unsigned base = (sib & 7u) | (decoder->rex & 1u) << 3;
    unsigned index = (sib >> 3 & 7u) | (decoder->rex & 2u) << 2;
    uint64_t sum = 0;
    if ((sib & 7) == 5 && mode == 0)
        *displacement = 4;
    else
        sum = register_value(decoder->registers, base);
    if (index != 4)
        sum += register_value(decoder->registers, index) << (sib >> 6);
    *ret_sum = sum;
    return true;
}

static bool operand_address(struct decoder *decoder, uint64_t *ret_address)
{
    unsigned mode = decoder->modrm >> 6, low = decoder->modrm & 7;
    unsigned displacement_size = mode == 1 ? 1 : mode == 2 ? 4 : 0;
    bool relative = mode == 0 && low == 5;
    uint64_t address = 0, displacement;
    if (mode == 3 || decoder->segment_gs)
        return false;
    if (relative)
        displacement_size = 4;
    else if (low == 4) {
        if (!read_sib(decoder, mode, &address, &displacement_size))
            return false;
    } else {
        address = register_value(decoder->registers, low | (decoder->rex & 1u) << 3);
    }
    if (!read_displacement(decoder, displacement_size, &displacement))
        return false;
    if (relative)
        address = decoder->registers->ip + decoder->code.position + decoder->immediate;
    if (decoder->segment_fs)
        address += decoder->registers->thread_pointer;
    *ret_address = address + displacement;
    return true;
}

/* push and call write below the stack pointer: what a stack overflow dies of. */
static bool writes_stack(const struct decoder *decoder)
{
    uint8_t opcode = decoder->opcode;
    return !decoder->two_bytes && ((opcode >= 0x50 && opcode <= 0x57) || opcode == 0x68 ||
                                   opcode == 0x6A || opcode == 0xE8);
}

bool instruction_operand(const uint8_t *code, size_t size, const struct core_registers *registers,
                         struct memory_operand *ret_operand)
{
    struct decoder decoder = {.code = bytes_reader_make(code, size < 15 ? size : 15),
                              .registers = registers};
    struct memory_operand operand;
    if (!read_prefixes(&decoder))
        return false;
    if (writes_stack(&decoder)) {
        *ret_operand = (struct memory_operand){ACCESS_WRITE, registers->sp - 8};
        return true;
    }
    if (bytes_read_u8(&decoder.code, &decoder.modrm) != STATUS_OK)
        return false;
    operand.access = access_of(&decoder);
    if (operand.access == ACCESS_UNKNOWN || !operand_address(&decoder, &operand.address))
        return false;
    *ret_operand = operand;
    return true;
}
