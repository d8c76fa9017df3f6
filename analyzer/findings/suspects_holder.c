/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of thing holds a suspect, in the words of who wrote the program. */
#include <stdio.h>
#include <string.h>

#include "analyzer/findings/suspects_path.h"

struct naming {
    struct finder *finder;
    struct suspect *suspect;
    struct way way;
    struct text words; /* the holder */
    size_t from;       /* the step that the fingerprint begins behind; 0: all */
};

static const struct python_type *type_of_step(const struct naming *naming, size_t step)
{
    return heap_type(naming->finder->heap, naming->way.steps[step].object);
}

static bool derives(const struct naming *naming, size_t step, const char *name)
{
    const struct python_type *type = type_of_step(naming, step);
    return type->kind == KIND_UNKNOWN &&
           (strcmp(type->name, name) == 0 ||
            type_derives_from(naming->finder->heap->process, type, name));
}

static bool has_before(const struct naming *naming, size_t step, enum object_kind kind)
{
    while (step-- > 0)
        if (type_of_step(naming, step)->kind == kind)
            return true;
    return false;
}

/* ---- One function for each; `step` is on the way to the suspect, and may be it. True:
 * it is the holder, and the words are written. */

static bool is_lru_cache(struct naming *naming, size_t step)
{
    if (strcmp(type_of_step(naming, step)->name, "functools._lru_cache_wrapper") != 0)
        return false;
    text_append(&naming->words, "lru_cache");
    return true;
}

static bool is_logging_handler(struct naming *naming, size_t step)
{
    if (!derives(naming, step, "logging.Handler"))
        return false;
    text_append(&naming->words, "logging handler");
    naming->from = step + 1; /* which of the loggers is nearest to a root differs */
    return true;
}

static bool is_event_loop(struct naming *naming, size_t step)
{
    if (!derives(naming, step, "asyncio.base_events.BaseEventLoop") &&
        !derives(naming, step, "asyncio.events.AbstractEventLoop"))
        return false;
    text_append(&naming->words, "event loop queue");
    return true;
}

static bool is_thread_local(struct naming *naming, size_t step)
{
    if (!derives(naming, step, "_thread._local") && !derives(naming, step, "_thread._localdummy"))
        return false;
    text_append(&naming->words, "thread local");
    naming->from = step + 1;
    return true;
}

/* A context keeps its variables in a tree of C objects. */
static bool is_context(struct naming *naming, size_t step)
{
    const char *name = type_of_step(naming, step)->name, *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    if (strncmp(name, "hamt", 4) != 0 && strcmp(last, "ContextVar") != 0 &&
        (strcmp(last, "Context") != 0 || (dot && !strstr(name, "contextvars"))))
        return false;
    text_append(&naming->words, "context variable");
    naming->from = step + 1;
    return true;
}

static bool is_traceback(struct naming *naming, size_t step)
{
    enum object_kind kind = type_of_step(naming, step)->kind;
    if (kind != KIND_TRACEBACK && !(kind == KIND_FRAME && has_before(naming, step, KIND_TRACEBACK)))
        return false;
    for (size_t i = step; i-- > 0;)
        if (type_of_step(naming, i)->kind == KIND_EXCEPTION) {
            text_printf(&naming->words, "traceback of an exception, %s",
                        type_of_step(naming, i)->name);
            return true;
        }
    text_append(&naming->words, "traceback of an exception");
    return true;
}

static bool is_c_held(struct naming *naming, size_t step)
{
    const struct c_holder *holder =
        c_holder_of(&naming->finder->c_holders, naming->way.steps[step].object);
    if (!holder || type_of_step(naming, step)->kind == KIND_MODULE)
        return false;
    if (holder->kind == C_HOLDER_SIGNAL)
        text_printf(&naming->words, "signal handler, of signal %u", holder->number);
    else
        text_append(&naming->words, "atexit callback");
    naming->from = step + 1;
    return true;
}

static bool is_suspended(struct naming *naming, size_t step)
{
    switch (type_of_step(naming, step)->kind) {
    case KIND_GENERATOR: text_append(&naming->words, "variable of a suspended generator"); break;
    case KIND_COROUTINE: text_append(&naming->words, "variable of a suspended coroutine"); break;
    case KIND_ASYNC_GENERATOR:
        text_append(&naming->words, "variable of a suspended async generator");
        break;
    default: return false;
    }
    return step + 1 < naming->way.count;
}

static bool is_closure(struct naming *naming, size_t step)
{
    if (type_of_step(naming, step)->kind != KIND_CELL)
        return false;
    text_append(&naming->words, "closure cell");
    return true;
}

/* Nearest to the suspect first, each step asked all of these. */
static bool (*const step_holders[])(struct naming *naming, size_t step) = {
    is_lru_cache, is_logging_handler, is_event_loop, is_thread_local, is_context,
    is_traceback, is_suspended,       is_closure,    is_c_held,
};

/* ---- What the last steps say where none of these is on the way. */

static const char *kind_word(const struct python_type *type)
{
    return type->kind == KIND_UNKNOWN || strchr(type->name, ' ') ? "object" : type->name;
}

static bool is_in_garbage_list(const struct naming *naming)
{
    for (size_t step = 0; step < naming->way.count; step++)
        if (naming->way.steps[step].object == naming->finder->garbage_list)
            return true;
    return false;
}

static void name_by_owner(struct naming *naming, const struct python_type *type)
{
    const struct way *way = &naming->way;
    const struct way_step *last = &way->steps[way->count - 1];
    size_t owner = way->count - 2;
    if (owner && last->in_namespace && strcmp(way->steps[owner].label, ".__dict__") == 0)
        owner--;
    const struct python_type *owner_type = type_of_step(naming, owner);
    if (owner_type->kind == KIND_TYPE)
        text_append(&naming->words, "class attribute");
    else if (last->in_namespace &&
             (owner_type->kind == KIND_MODULE ||
              graph_bit(naming->finder->namespaces, way->steps[owner].object)))
        text_printf(&naming->words, "module-level %s", kind_word(type));
    else if (owner_type->kind == KIND_FRAME && owner == 0)
        text_append(&naming->words, "variable of a running frame");
    else if (owner_type->kind == KIND_FUNCTION)
        text_append(&naming->words, "attribute of a function");
    else if (is_container(owner_type))
        text_printf(&naming->words, "item of a %s", owner_type->name);
    else
        text_printf(&naming->words, "attribute of %s", owner_type->name);
}

static void name_root(struct naming *naming)
{
    switch (naming->way.root ? naming->way.root->kind : ROOT_KIND_COUNT) {
    case ROOT_MODULE:
    case ROOT_BUILTINS: text_append(&naming->words, "module"); break;
    case ROOT_FRAME: text_append(&naming->words, "variable of a running frame"); break;
    case ROOT_THREAD: text_append(&naming->words, "thread state"); break;
    case ROOT_TYPE: text_append(&naming->words, "class"); break;
    case ROOT_INTERPRETER: text_append(&naming->words, "interpreter state"); break;
    case ROOT_STATIC: text_append(&naming->words, "C variable"); break;
    case ROOT_INTERNED: text_append(&naming->words, "interned strings"); break;
    case ROOT_EXTENSION: text_append(&naming->words, "extension"); break;
    default: text_append(&naming->words, "far from any root"); break;
    }
}

static void find_words(struct naming *naming)
{
    const struct way *way = &naming->way;
    if (is_in_garbage_list(naming)) {
        text_append(&naming->words, "gc.garbage");
        return;
    }
    for (size_t step = way->count; step-- > 0;)
        for (size_t i = 0; i < sizeof step_holders / sizeof *step_holders; i++) {
            text_clear(&naming->words);
            if (step_holders[i](naming, step))
                return;
        }
    text_clear(&naming->words);
    if (way->count > 1)
        name_by_owner(naming, heap_type(naming->finder->heap, naming->suspect->object));
    else
        name_root(naming);
}

static const char *kept(struct naming *naming, const struct text *text)
{
    return arena_strdup(&naming->finder->out->arena, text_string(text));
}

static enum status write_names(struct naming *naming)
{
    struct suspect *suspect = naming->suspect;
    const struct findings *findings = naming->finder->findings;
    struct text text = {0};
    suspect->holder = kept(naming, &naming->words);
    findings_path(finder_paths(naming->finder, suspect->object), suspect->object, &text);
    suspect->path = kept(naming, &text);
    text_clear(&text);
    findings_path(finder_paths(naming->finder, suspect->accumulation), suspect->accumulation,
                  &text);
    suspect->accumulation_path = kept(naming, &text);
    text_clear(&text);
    if (naming->from)
        text_append(&text, text_string(&naming->words));
    if (naming->from && naming->from < naming->way.count)
        way_mask(naming->finder, &naming->way, naming->from, &text);
    else if (!naming->from)
        way_mask_all(naming->finder, &naming->way, &text);
    text_printf(&text, "|single|%s", heap_type(findings->heap, suspect->object)->name);
    fingerprint_of(text_string(&text), suspect->fingerprint);
    bool ready = text_ok(&text) && suspect->holder && suspect->path && suspect->accumulation_path;
    text_deinit(&text);
    return ready ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status name_holder(struct finder *finder, struct suspect *suspect)
{
    struct naming naming = {.finder = finder, .suspect = suspect};
    enum status status = way_find(finder, suspect->object, &naming.way);
    if (status == STATUS_OK) {
        find_words(&naming);
        status = write_names(&naming);
    }
    text_deinit(&naming.words);
    return status;
}
