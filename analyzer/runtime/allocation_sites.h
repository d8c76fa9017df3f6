/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_ALLOCATION_SITES_H
#define INQUEST_ANALYZER_RUNTIME_ALLOCATION_SITES_H

#include "analyzer/objects/object.h"
#include "inquest/analyzer/index.h"
#include "inquest/base/array.h"

/* What tracemalloc knew when the process died: which line allocated which block. A
 * site is the line of the newest frame of a traceback. */
struct allocation_site {
    const char *file;      /* in the process's arena; "?" where it can't be read */
    uint32_t line;         /* 0: unknown */
    uint64_t bytes, count; /* of the blocks that are alive */
    uint64_t file_addr;
};

struct allocation_block {
    uint64_t addr, size;
    uint32_t site; /* in sites */
};

struct allocation_sites {
    ARRAY(struct allocation_site) sites;
    ARRAY(struct allocation_block) blocks; /* ascending by addr; empty unless asked for */
    uint64_t bytes, count;                 /* of all of them */
    bool is_tracing;                       /* tables were found */
    const char *note;                      /* what can't be read of them, or NULL */
};

/* Empty where the process did not trace. Only running out of memory is an error. */
enum status allocation_sites_read(struct python_process *process, bool with_blocks,
                                  struct allocation_sites *ret_sites) MUST_CHECK;
void allocation_sites_deinit(struct allocation_sites *sites);

/* The block that holds an address, wherever in it that is: an object's block begins
 * with what stands before the object. NULL where none was traced. Needs blocks. */
const struct allocation_block *allocation_site_of(const struct allocation_sites *sites,
                                                  uint64_t addr);

/* Rows of the table allocation_site, the largest first; what is past the first few
 * thousand goes into one row without a file. suspect_rank 0: of the whole process. */
enum status allocation_sites_rows(const struct allocation_site *sites, size_t count,
                                  int64_t suspect_rank, struct index_writer *writer) MUST_CHECK;
/* Reads them and writes the rows of the whole process. */
enum status allocation_sites_collect(struct python_process *process,
                                     struct index_writer *writer) MUST_CHECK;

/* ---- allocation_sites_tables.c: where tracemalloc's tables are. */
struct trace_tables {
    uint64_t traces_addr, domains_addr; /* _Py_hashtable_t; 0: none */
    bool is_tracing;                    /* it says so itself, whether found or not */
};
void trace_tables_find(struct python_process *process, struct trace_tables *ret_tables);

/* A hash table whose numbers agree with each other. */
struct hash_table {
    uint64_t count, bucket_count, buckets_addr;
};
bool hash_table_read(const struct python_process *process, uint64_t addr,
                     struct hash_table *ret_table);
/* Calls `visit` for each entry until it returns false. CORRUPT where there are more,
 * or less, than the table says; NOT_IN_DUMP where one is missing. */
typedef bool (*hash_entry_visitor)(void *context, uint64_t key, uint64_t value);
enum status hash_table_visit(const struct python_process *process, const struct hash_table *table,
                             hash_entry_visitor visit, void *context) MUST_CHECK;
/* A trace: how large the block is and its traceback. False: not readable. */
bool trace_read(const struct python_process *process, uint64_t trace_addr, uint64_t *ret_size,
                uint64_t *ret_traceback_addr);
/* The newest frame of a traceback: its file's name (an object, a C string in 3.15). */
bool traceback_newest(const struct python_process *process, uint64_t traceback_addr,
                      uint64_t *ret_file_addr, uint32_t *ret_line);

#endif
