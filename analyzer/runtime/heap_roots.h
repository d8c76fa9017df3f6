/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_ANALYZER_RUNTIME_HEAP_ROOTS_H
#define INQUEST_ANALYZER_RUNTIME_HEAP_ROOTS_H

#include "analyzer/runtime/heap_graph.h"

/* What keeps objects alive from outside of the heap. Each is a root of its own:
 * one root at sys.modules would make it the only suspect. In order of how well
 * they explain: of two shortest paths the one from the better root is told. */
enum root_kind {
    ROOT_MODULE, /* a module, or its dictionary */
    ROOT_BUILTINS,
    ROOT_FRAME,  /* a variable or the evaluation stack of a running frame */
    ROOT_THREAD, /* a thread's own state */
    ROOT_TYPE,
    ROOT_INTERPRETER, /* interpreter state, runtime state */
    ROOT_STATIC,      /* a C variable of the program or of a library */
    ROOT_INTERNED,    /* the table of interned strings, which holds none of them */
    ROOT_EXTENSION,   /* counted more often than references were found: held by C code */
    ROOT_KIND_COUNT
};
extern const char *const root_kind_names[ROOT_KIND_COUNT];

struct heap_root {
    uint32_t object; /* id */
    uint8_t kind;    /* root_kind */
    const char *label;
};

struct heap_roots {
    ARRAY(struct heap_root) roots; /* by kind, then in order of discovery */
    uint64_t *reached;             /* bitmap: what they lead to; NULL: not known yet */
};

/* What a reference from outside says. */
enum outside_certainty {
    OUTSIDE_NAMED,   /* a root whatever is counted; the count knows nothing of it */
    OUTSIDE_COUNTED, /* a root whatever is counted; the count includes it */
    OUTSIDE_WORD,    /* a word of C memory: owned, borrowed, or left over. A root where the
                        object is counted more often than is otherwise explained, or where
                        nothing else leads to it */
};

/* An object that something outside of the heap refers to. */
struct outside_reference {
    uint64_t addr;
    uint64_t from;     /* the word that refers, 0 where it is not known */
    const char *label; /* in the process's arena */
    uint8_t kind;      /* root_kind */
    uint8_t certainty; /* outside_certainty */
};

struct outside_references {
    ARRAY(struct outside_reference) items;
    uint64_t interned_addr; /* the dict of interned strings, 0: not found */
};

/* Everything outside of the heap that refers to objects: modules, thread states,
 * frames, interpreter state, C variables. Before heap_build, which they seed. */
enum status outside_references_collect(const struct core_dump *core, struct python_process *process,
                                       struct outside_references *ret_references) MUST_CHECK;
void outside_references_deinit(struct outside_references *references);

/* The roots of a built heap: `outside`, every type but classes that are garbage, and
 * what is counted more often than the references found. */
enum status heap_roots_find(const struct heap *heap, const struct outside_references *outside,
                            struct heap_roots *ret_roots) MUST_CHECK;
void heap_roots_deinit(struct heap_roots *roots);

#endif
