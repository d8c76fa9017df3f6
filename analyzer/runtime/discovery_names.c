/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/discovery.h"

#include <string.h>

#include "analyzer/runtime/runtime.h"

static void add_minor(struct name_facts *facts, unsigned minor)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->minors[i] == minor)
            return;
    }
    if (facts->count < sizeof(facts->minors) / sizeof(facts->minors[0]))
        facts->minors[facts->count++] = minor;
}

/* Reads a number of at most 2 digits; 0 where there is none. */
static unsigned number_at(const char **text)
{
    unsigned number = 0;
    for (unsigned digits = 0; digits < 2 && **text >= '0' && **text <= '9'; digits++)
        number = number * 10 + (unsigned)(*(*text)++ - '0');
    return number;
}

/* Takes "311", "3.11", "3.11d", "313t" after `marker` wherever it stands in `path`. */
static void read_marker(const char *path, const char *marker, struct name_facts *facts)
{
    for (const char *at = strstr(path, marker); at; at = strstr(at, marker)) {
        at += strlen(marker);
        if (*at != '3')
            continue;
        at += at[1] == '.' ? 2 : 1;
        unsigned minor = number_at(&at);
        if (minor == 0)
            continue;
        add_minor(facts, minor);
        facts->free_threaded |= *at == 't';
        facts->debug_build |= *at == 'd' || (at[0] == 't' && at[1] == 'd');
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The variable of 3.11 and later says it best, where the file is at hand. */
static void read_version_constant(const struct memory_image *image, struct name_facts *facts)
{
    static const char *const prefixes[] = {"libpython", "python"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        uint64_t address = 0, size = 0, version = 0;
        if (memory_find_symbol(image, prefixes[i], "Py_Version", &address, &size) == STATUS_OK &&
            memory_read_u64(image, address, &version) == STATUS_OK && version >> 24 == 3) {
            add_minor(facts, (unsigned)(version >> 16 & 0xFF));
            facts->version_hex = (uint32_t)version;
            return;
        }
    }
}

void name_facts_read(const struct memory_image *image, struct name_facts *ret_facts)
{
    static const char *const markers[] = {"libpython", "python", "cpython-"};
    const struct core_dump *core = memory_image_core(image);
    struct name_facts facts = {0};
    read_version_constant(image, &facts);
    for (size_t m = 0; m < sizeof(markers) / sizeof(markers[0]); m++) {
        for (size_t i = 0; i < core->files.count; i++) {
            const char *base = base_name(core->files.items[i].path);
            read_marker(base, markers[m], &facts);
            facts.names_python |= strstr(base, "python") != NULL;
        }
    }
    /* "/usr/lib/python3.11/lib-dynload/…" is the last resort. */
    for (size_t i = 0; i < core->files.count; i++)
        read_marker(core->files.items[i].path, "/python", &facts);
    *ret_facts = facts;
}

static void append_version_hex(uint32_t version, struct text *text)
{
    static const char *const levels[16] = {[0xA] = "a", [0xB] = "b", [0xC] = "rc"};
    text_printf(text, "%u.%u", (unsigned)(version >> 24), (unsigned)(version >> 16 & 0xFF));
    if ((version & 0xFFFF) == 0)
        return; /* the patch release is not known */
    text_printf(text, ".%u", (unsigned)(version >> 8 & 0xFF));
    const char *level = levels[version >> 4 & 0xF];
    if (level)
        text_printf(text, "%s%u", level, (unsigned)(version & 0xF));
}

/* sys.version is "3.11.7 (main, …"; the first word may say more than hexversion
 * does ("3.12.1+"). Anything that is no version is not shown. */
void python_version_string(struct python_process *process, struct text *text)
{
    struct text version;
    text_init(&version);
    uint64_t sysdict = 0, string = 0;
    size_t length = 0;
    if (object_pointer(process, process->interp_addr, PY_interp_sysdict, &sysdict) == STATUS_OK &&
        dict_get(process, sysdict, "version", &string) == STATUS_OK &&
        str_read(process, string, 32, &version) == STATUS_OK && text_ok(&version))
        length = strspn(text_string(&version), "0123456789.abcr+");
    if (length >= 3 && text_string(&version)[length] == ' ')
        text_append_n(text, text_string(&version), length);
    else
        append_version_hex(process->layout.version_hex, text);
    text_deinit(&version);
}

const char *python_build(const struct python_process *process)
{
    const struct core_dump *core = memory_image_core(process->image);
    const struct core_file *holder = NULL;
    for (size_t i = 0; i < core->files.count; i++) {
        const struct core_file *file = &core->files.items[i];
        if (file->start <= process->runtime_addr && (!holder || file->start > holder->start))
            holder = file;
    }
    if (!holder)
        return "unknown";
    if (strncmp(base_name(holder->path), "libpython", 9) == 0)
        return "shared libpython";
    if (core->executable && strcmp(holder->path, core->executable) == 0)
        return "static in the main program";
    return strncmp(base_name(holder->path), "python", 6) == 0 ? "static in the main program"
                                                              : "embedded in a shared object";
}
