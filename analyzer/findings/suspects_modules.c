/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/suspects_modules.h"

#include <string.h>

/* The file that a module's dictionary names; false: none. */
static bool module_file(struct python_process *process, uint64_t dict_addr, struct text *file)
{
    uint64_t value;
    text_clear(file);
    return dict_get(process, dict_addr, "__file__", &value) == STATUS_OK &&
           str_read(process, value, 4096, file) == STATUS_OK && file->size;
}

static enum module_origin origin_of(struct python_process *process, uint64_t dict_addr,
                                    const char *name, const struct text *library, struct text *file)
{
    uint64_t value;
    if (!module_file(process, dict_addr, file)) {
        bool is_package = dict_get(process, dict_addr, "__path__", &value) == STATUS_OK;
        bool is_missing = dict_count(process, dict_addr, &value) != STATUS_OK;
        return is_package || is_missing || strcmp(name, "__main__") == 0 ? MODULE_PROGRAM
                                                                         : MODULE_STANDARD;
    }
    if (strstr(text_string(file), "-packages/"))
        return MODULE_THIRD_PARTY;
    bool is_standard =
        library->size && strncmp(text_string(file), text_string(library), library->size) == 0;
    return is_standard ? MODULE_STANDARD : MODULE_PROGRAM;
}

static bool is_module_dict(const struct findings *findings, const struct heap_root *root)
{
    return root->kind == ROOT_MODULE && heap_type(findings->heap, root->object)->kind == KIND_DICT;
}

/* The folder of os.py, with its last slash. */
static void find_library(const struct findings *findings, struct text *library)
{
    for (size_t i = 0; i < findings->roots->roots.count; i++) {
        const struct heap_root *root = &findings->roots->roots.items[i];
        if (!is_module_dict(findings, root) || strcmp(root->label, "os") != 0)
            continue;
        if (!module_file(findings->heap->process, heap_address(findings->heap, root->object),
                         library))
            continue;
        const char *slash = strrchr(text_string(library), '/');
        struct text folder = {0};
        if (slash)
            text_append_n(&folder, text_string(library),
                          (size_t)(slash + 1 - text_string(library)));
        text_deinit(library);
        *library = folder;
        return;
    }
}

static int compare_rows(const void *left, const void *right)
{
    const struct module_row *a = left, *b = right;
    return strcmp(a->name, b->name);
}

enum status module_table_load(const struct findings *findings, struct module_table *ret_table)
{
    struct module_table table = {0};
    struct text library = {0}, file = {0};
    enum status status = STATUS_OK;
    find_library(findings, &library);
    for (size_t i = 0; i < findings->roots->roots.count && status == STATUS_OK; i++) {
        const struct heap_root *root = &findings->roots->roots.items[i];
        if (!is_module_dict(findings, root))
            continue;
        const struct module_row row = {root->label,
                                       origin_of(findings->heap->process,
                                                 heap_address(findings->heap, root->object),
                                                 root->label, &library, &file)};
        if (!array_push(&table.items, row))
            status = STATUS_NO_MEMORY;
    }
    text_deinit(&library);
    text_deinit(&file);
    if (status != STATUS_OK) {
        module_table_deinit(&table);
        return status;
    }
    if (table.items.count)
        qsort(table.items.items, table.items.count, sizeof *table.items.items, compare_rows);
    *ret_table = table;
    return STATUS_OK;
}

void module_table_deinit(struct module_table *table)
{
    if (table)
        array_deinit(&table->items);
}

/* NULL: not there. */
static const struct module_row *find_row(const struct module_table *table, const char *name,
                                         size_t size)
{
    size_t low = 0, high = table->items.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct module_row *row = &table->items.items[middle];
        int order = strncmp(row->name, name, size);
        if (!order)
            order = row->name[size] ? 1 : 0;
        if (!order)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

enum module_origin module_origin(const struct module_table *table, const char *name)
{
    if (!name || strcmp(name, "builtins") == 0)
        return MODULE_STANDARD;
    for (size_t size = strlen(name); size;) {
        const struct module_row *row = find_row(table, name, size);
        if (row)
            return row->origin;
        while (size && name[--size] != '.')
            ;
    }
    return MODULE_PROGRAM;
}
