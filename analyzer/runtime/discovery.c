/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/runtime/runtime.h"

#include <inttypes.h>
#include <string.h>

#include "analyzer/runtime/discovery.h"

/* A guess is a place and a layout. They are made from the surest to the vaguest,
 * and the first that python_check proves is taken; what contradicted each of the
 * others goes into the message, so that a user sees what was tried. */
#define CANDIDATES_MAX    8
#define TABLES_MAX        64
#define TRIES_TOLD        4 /* in the message */
#define FIRST_WITH_COOKIE 13u

struct discovery {
    const struct memory_image *image;
    struct arena *arena;
    struct python_process found;
    bool is_found, is_out_of_memory;
    struct name_facts facts;
    const struct python_layout *layout; /* of the scan under way */
    struct text tried;
    unsigned tries;
    struct error unsupported; /* the first guess that was right, but is not read */
};

static void note_failure(struct discovery *discovery, const char *how, uint64_t runtime_addr,
                         const char *layout, const struct error *err)
{
    if (err->status == STATUS_UNSUPPORTED && discovery->unsupported.status == STATUS_OK)
        discovery->unsupported = *err;
    discovery->is_out_of_memory |= err->status == STATUS_NO_MEMORY;
    if (discovery->tries++ < TRIES_TOLD)
        text_printf(&discovery->tried, "%s%s 0x%" PRIx64 " as %s: %s",
                    discovery->tries > 1 ? "; " : "", how, runtime_addr, layout, err->message);
}

/* Whether there is nothing more to try. */
static bool is_over(const struct discovery *discovery)
{
    return discovery->is_found || discovery->is_out_of_memory ||
           discovery->unsupported.status != STATUS_OK;
}

static bool try_guess(struct discovery *discovery, const char *how, uint64_t runtime_addr,
                      const struct python_layout *layout, const struct guess *guess)
{
    struct error err = {0};
    struct python_process process = {.image = discovery->image,
                                     .arena = discovery->arena,
                                     .layout = *layout,
                                     .runtime_addr = runtime_addr};
    if (python_check(&process, guess, &err) != STATUS_OK) {
        note_failure(discovery, how, runtime_addr, layout->name, &err);
        return is_over(discovery);
    }
    process.how = arena_printf(discovery->arena, "%s at 0x%" PRIx64 ", layout %s", how,
                               runtime_addr, layout->name);
    discovery->is_out_of_memory = !process.how;
    discovery->is_found = process.how != NULL;
    if (!process.how)
        python_process_deinit(&process);
    discovery->found = process;
    return true;
}

static void try_cookie(struct discovery *discovery, const struct runtime_candidate *candidate)
{
    struct error err = {0};
    struct python_layout layout;
    if (python_layout_from_debug_offsets(discovery->image, candidate->runtime_addr, &layout,
                                         &err) != STATUS_OK) {
        note_failure(discovery, candidate->how, candidate->runtime_addr, "debug offsets", &err);
        return;
    }
    struct guess guess = {.version = layout.version_hex, .place_is_known = true};
    try_guess(discovery, candidate->how, candidate->runtime_addr, &layout, &guess);
}

/* The tables in the order in which they are worth trying: of the versions that
 * the files' names speak of, then of all others, newest first. */
static size_t order_tables(const struct name_facts *facts, const struct python_layout **ret_tables)
{
    size_t count = 0;
    for (size_t guess = 0; guess <= facts->count; guess++) {
        for (size_t i = python_layout_count; i-- > 0;) {
            bool is_named = false;
            for (size_t j = 0; j < facts->count; j++)
                is_named |= facts->minors[j] == layout_minor(python_layouts[i]);
            if (guess < facts->count ? facts->minors[guess] == layout_minor(python_layouts[i])
                                     : !is_named)
                ret_tables[count++] = python_layouts[i];
        }
    }
    return count;
}

static struct guess guess_by_names(const struct name_facts *facts,
                                   const struct python_layout *layout)
{
    struct guess guess = {0};
    if (facts->version_hex >> 16 == layout->version_hex >> 16)
        guess.version = facts->version_hex;
    else if (facts->count > 0 && facts->minors[0] == layout_minor(layout))
        guess.version = layout->version_hex & 0xFFFF0000;
    return guess;
}

static bool accept_scanned(void *context, uint64_t runtime_addr)
{
    struct discovery *discovery = context;
    struct guess guess = guess_by_names(&discovery->facts, discovery->layout);
    return try_guess(discovery, "scan", runtime_addr, discovery->layout, &guess);
}

/* Versions that have a cookie would have been found by it, so only a file's name
 * makes them worth a scan. */
static bool is_worth_scan(const struct name_facts *facts, const struct python_layout *layout)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->minors[i] == layout_minor(layout))
            return true;
    }
    return layout_minor(layout) < FIRST_WITH_COOKIE;
}

static void try_tables(struct discovery *discovery, const struct runtime_candidate *candidates,
                       size_t count)
{
    const struct python_layout *tables[TABLES_MAX];
    size_t table_count =
        python_layout_count <= TABLES_MAX ? order_tables(&discovery->facts, tables) : 0;
    for (size_t c = 0; c < count; c++) {
        for (size_t t = 0; t < table_count && !is_over(discovery); t++) {
            struct guess guess = guess_by_names(&discovery->facts, tables[t]);
            guess.place_is_known = true;
            try_guess(discovery, candidates[c].how, candidates[c].runtime_addr, tables[t], &guess);
        }
    }
    for (size_t t = 0; t < table_count && !is_over(discovery); t++) {
        discovery->layout = tables[t];
        if (is_worth_scan(&discovery->facts, tables[t]))
            runtime_scan(discovery->image, tables[t], accept_scanned, discovery);
    }
}

static enum status say_failure(struct discovery *discovery, struct error *err)
{
    const struct name_facts *facts = &discovery->facts;
    if (discovery->is_out_of_memory)
        return error_set(err, STATUS_NO_MEMORY, "looking for CPython: out of memory");
    if (discovery->unsupported.status != STATUS_OK) {
        if (err)
            *err = discovery->unsupported;
        return discovery->unsupported.status;
    }
    const char *build = facts->free_threaded ? " (its files are a free-threaded build's, which is "
                                               "not read)"
                        : facts->debug_build ? " (its files are a debug build's, which is not read)"
                                             : "";
    if (discovery->tries > TRIES_TOLD)
        text_printf(&discovery->tried, "; and %u more", discovery->tries - TRIES_TOLD);
    return error_set(err, STATUS_UNSUPPORTED,
                     "no CPython found that can be read%s; known are %s%s%s", build,
                     python_layouts_known(), discovery->tries ? "; tried: " : "",
                     text_string(&discovery->tried));
}

enum status python_discover(const struct memory_image *image, struct arena *arena,
                            struct python_process *ret_process, struct error *err)
{
    struct discovery discovery = {.image = image, .arena = arena};
    struct runtime_candidate candidates[CANDIDATES_MAX];
    text_init(&discovery.tried);
    size_t count = runtime_candidates_find(image, candidates, CANDIDATES_MAX);
    bool any_cookie = false;
    for (size_t i = 0; i < count && !discovery.is_found; i++) {
        if (candidates[i].has_cookie)
            try_cookie(&discovery, &candidates[i]);
        any_cookie |= candidates[i].has_cookie;
    }
    /* With a cookie the dump has said its version: no table knows better. */
    if (!is_over(&discovery))
        name_facts_read(image, &discovery.facts);
    if (!is_over(&discovery) && !any_cookie)
        try_tables(&discovery, candidates, count);
    enum status status = STATUS_OK;
    if (discovery.is_found)
        *ret_process = discovery.found;
    else
        status = say_failure(&discovery, err);
    text_deinit(&discovery.tried);
    return status;
}

void python_process_deinit(struct python_process *process)
{
    if (!process)
        return;
    type_table_destroy(process->types);
    process->types = NULL;
}
