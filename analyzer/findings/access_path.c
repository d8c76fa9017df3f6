/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/findings/access_path.h"

#include <string.h>

void access_path_begin(struct access_path *path, const char *root_kind, const char *root_label,
                       bool root_is_dict, struct text *text)
{
    *path = (struct access_path){.text = text};
    bool named = strcmp(root_kind, "module") == 0 || strcmp(root_kind, "builtins") == 0;
    path->in_namespace = named && root_is_dict;
    if (named || strcmp(root_kind, "type") == 0 || strcmp(root_kind, "frame") == 0)
        text_append(text, root_label);
    else if (strcmp(root_kind, "thread") == 0)
        text_append(text, root_label);
    else if (strcmp(root_kind, "extension") == 0)
        text_append(text, "<held by C code>");
    else
        text_printf(text, "<%s>", root_label);
}

/* "['name']" with a name that could be written as an attribute: its length. */
static size_t identifier_in(const char *label)
{
    if (strncmp(label, "['", 2) != 0)
        return 0;
    size_t length = 0;
    for (const unsigned char *c = (const unsigned char *)label + 2; *c != '\'' && *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                      *c >= 0x80 || (length && *c >= '0' && *c <= '9');
        if (!letter)
            return 0;
        length++;
    }
    return strcmp(label + 2 + length, "']") == 0 ? length : 0;
}

void access_path_step(struct access_path *path, const char *label)
{
    size_t length;
    path->at_dict = label && strcmp(label, ".__dict__") == 0;
    if (!label || !*label) {
        text_append(path->text, ".<?>");
        path->in_namespace = false;
    } else if (strcmp(label, ".__dict__") == 0) {
        /* its entry follows: x.__dict__['y'] is x.y */
        path->in_namespace = true;
    } else if (path->in_namespace && (length = identifier_in(label))) {
        text_append_char(path->text, '.');
        text_append_n(path->text, label + 2, length);
        path->in_namespace = false;
    } else {
        if (path->in_namespace)
            text_append(path->text, ".__dict__");
        path->in_namespace = false;
        if (*label == '.' || *label == '[')
            text_append(path->text, label);
        else
            text_printf(path->text, ".<%s>", label);
    }
}

void access_path_end(struct access_path *path)
{
    if (path->at_dict || path->in_namespace)
        text_append(path->text, ".__dict__");
    path->at_dict = path->in_namespace = false;
}
