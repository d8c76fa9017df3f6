/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a postmortem: which program, and what became of it. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "reports/commands/postmortem_model.h"
#include "reports/commands/stacks_words.h"

#define MAX_SENTENCE_BYTES 2000

/* ---- Which program: a command is words with spaces between; a redacted one,
 * "<str 12 #3>", is one word. */
struct word {
    const char *start;
    size_t size;
};

static bool next_word(const char **command, struct word *ret_word)
{
    const char *start = *command + strspn(*command, " ");
    *ret_word = (struct word){start, strcspn(start, " ")};
    if (*start == '<' && strchr(start, '>'))
        ret_word->size = strcspn(start, ">") + 1;
    *command = start + ret_word->size;
    return ret_word->size > 0;
}

static struct word base_name(struct word word)
{
    for (size_t i = word.size; i-- > 0;)
        if (word.start[i] == '/')
            return (struct word){word.start + i + 1, word.size - i - 1};
    return word;
}

static bool word_starts(struct word word, const char *prefix)
{
    size_t size = strlen(prefix);
    return word.size >= size && memcmp(word.start, prefix, size) == 0;
}

static bool word_is(struct word word, const char *string)
{
    return word.size == strlen(string) && word_starts(word, string);
}

/* The script, `-m MODULE` or `-c …` among the arguments of a python. */
static char *python_program(struct arena *arena, const char *arguments)
{
    struct word word;
    while (next_word(&arguments, &word)) {
        if (word_is(word, "-m") && next_word(&arguments, &word))
            return arena_printf(arena, "python -m %.*s", (int)word.size, word.start);
        if (word_is(word, "-c"))
            return arena_strdup(arena, "python -c …");
        if (word_is(word, "-W") || word_is(word, "-X"))
            next_word(&arguments, &word); /* their value */
        else if (word.start[0] != '-')
            return arena_strndup(arena, word.start, word.size);
    }
    return NULL;
}

const char *verdict_program(struct arena *arena, const char *command, const char *executable)
{
    const char *rest = command ? command : "";
    struct word first;
    char *program = NULL;
    if (next_word(&rest, &first)) {
        struct word name = base_name(first);
        program = word_starts(name, "python") ? python_program(arena, rest)
                                              : arena_strndup(arena, name.start, name.size);
        if (!program)
            program = arena_strndup(arena, name.start, name.size);
    } else if (executable && *executable) {
        struct word name = base_name((struct word){executable, strlen(executable)});
        program = arena_strndup(arena, name.start, name.size);
    }
    return program ? program : "an unknown program";
}

/* ---- What became of it. */
static const char *meta(const struct postmortem *postmortem, const char *key)
{
    const char *value = postmortem_meta(postmortem, key);
    return value && *value ? value : NULL;
}

static bool is_any(const char *string, const char *const *names)
{
    for (; string && *names; names++)
        if (strcmp(string, *names) == 0)
            return true;
    return false;
}

static enum verdict_kind decide_kind(const struct postmortem *postmortem)
{
    static const char *const faults[] = {"SIGSEGV", "SIGBUS",  "SIGILL", "SIGFPE",
                                         "SIGSYS",  "SIGTRAP", NULL};
    const char *made_by = meta(postmortem, "made_by"), *signal = meta(postmortem, "signal");
    const char *number = meta(postmortem, "signal_number");
    if ((made_by && strcmp(made_by, "gcore") == 0) || (number && strcmp(number, "0") == 0) ||
        !signal)
        return VERDICT_ALIVE;
    if (strcmp(signal, "SIGABRT") == 0 || meta(postmortem, "abort_message"))
        return VERDICT_ABORTED;
    return is_any(signal, faults) ? VERDICT_CRASHED : VERDICT_KILLED;
}

/* "read of address 0x10" of "SIGSEGV: read of address 0x10". */
static const char *signal_details(const char *sentence, const char *signal)
{
    size_t size = signal ? strlen(signal) : 0;
    if (sentence && signal && strncmp(sentence, signal, size) == 0 && sentence[size] == ':')
        return sentence + size + 1 + strspn(sentence + size + 1, " ");
    return NULL;
}

static void append_death(const struct postmortem *postmortem, struct text *text)
{
    const char *signal = meta(postmortem, "signal"), *sentence = meta(postmortem, "signal_text");
    const char *abort_message = meta(postmortem, "abort_message");
    const char *details = signal_details(sentence, signal);
    switch (postmortem->kind) {
    case VERDICT_ALIVE:
        text_printf(text, "was alive: the core was taken %s",
                    meta(postmortem, "made_by") ? "by " : "while it ran");
        if (meta(postmortem, "made_by"))
            text_append(text, meta(postmortem, "made_by"));
        break;
    case VERDICT_ABORTED:
        text_append(text, "was aborted: ");
        if (abort_message) /* the first line; the rest is among the facts */
            text_append_n(text, abort_message, strcspn(abort_message, "\n"));
        else
            text_append(text, sentence ? sentence : "SIGABRT");
        break;
    case VERDICT_CRASHED:
    case VERDICT_KILLED:
        text_printf(text, "%s %s",
                    postmortem->kind == VERDICT_CRASHED ? "died of" : "was killed by", signal);
        if (details)
            text_printf(text, ": %s", details);
        else if (sentence && strcmp(sentence, signal) != 0)
            text_printf(text, " (%s)", sentence);
        break;
    }
}

static void append_process(const struct postmortem *postmortem, struct text *text)
{
    const char *version = meta(postmortem, "python_version"), *pid = meta(postmortem, "pid");
    text_append(text, " (");
    if (version)
        text_printf(text, "Python %s", version);
    else
        text_append(text, "no Python that can be read");
    if (pid)
        text_printf(text, ", pid %s", pid);
    text_append(text, ") ");
}

/* ---- Where: the innermost Python frame of the crashed thread. */
static void append_where(const struct postmortem *postmortem, struct text *text)
{
    const struct stacks *stacks = &postmortem->stacks;
    const struct stack_thread *thread = group_first(stacks, postmortem->crashed);
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct stack_frame *frame = &stacks->frames.items[thread->first_frame + i];
        if (frame->is_native)
            continue;
        text_printf(text, "in %s, %s", frame->function ? frame->function : "?",
                    frame->file ? frame->file : "?");
        if (frame->line)
            text_printf(text, " line %" PRId32, frame->line);
        text_append(text, ", ");
        break;
    }
    text_append(text, "on ");
    size_t heading = text->size;
    thread_heading(thread, text);
    if (thread->is_python && text->size > heading) /* "Thread" in the middle of a sentence */
        text->data[heading] = (char)tolower((unsigned char)text->data[heading]);
    if (thread->collecting)
        text_append(text, ", while it collected garbage");
}

static const char *keep(struct postmortem *postmortem, const struct text *text)
{
    return text_ok(text) ? arena_strdup(&postmortem->arena, text_string(text)) : NULL;
}

bool verdict_decide(struct postmortem *postmortem)
{
    struct text text = {.limit = MAX_SENTENCE_BYTES};
    postmortem->kind = decide_kind(postmortem);
    postmortem->death = postmortem->kind == VERDICT_ALIVE ? NULL : meta(postmortem, "signal_text");
    if (!postmortem->death && postmortem->kind != VERDICT_ALIVE)
        postmortem->death = meta(postmortem, "signal");
    text_append(&text, postmortem->program);
    append_process(postmortem, &text);
    append_death(postmortem, &text);
    postmortem->verdict = keep(postmortem, &text);
    text_clear(&text);
    if (postmortem->crashed) {
        append_where(postmortem, &text);
        postmortem->where = keep(postmortem, &text);
    }
    bool ok = postmortem->verdict && (!postmortem->crashed || postmortem->where);
    text_deinit(&text);
    return ok;
}
