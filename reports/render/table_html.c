/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "reports/render/escape.h"
#include "reports/render/table.h"

/* Paths and code stand in a fixed pitch, and so do addresses. */
static const char *cell_class(const struct cell *cell, enum column_kind kind)
{
    if (kind == COLUMN_ADDRESS)
        return " class=\"hex\"";
    return cell->kind == CELL_TEXT && kind == COLUMN_CODE ? " class=\"path\"" : "";
}

static void append_cell(struct text *text, const struct cell *cell, enum column_kind kind)
{
    if (cell->kind == CELL_TEXT || cell->kind == CELL_NULL) {
        text_printf(text, "<td%s>", cell_class(cell, kind));
        escape_markup(text, cell->kind == CELL_TEXT ? cell->text : "", ESCAPE_ONE_LINE);
    } else {
        double value = cell->kind == CELL_REAL ? cell->real : (double)cell->integer;
        text_printf(text, "<td class=\"%s\" data-value=\"%.17g\">",
                    kind == COLUMN_ADDRESS ? "hex" : "number", value);
        table_append_number(text, cell, kind);
    }
    text_append(text, "</td>");
}

static bool is_number_column(const struct table *table, size_t column)
{
    enum column_kind kind = table->columns[column].kind;
    if (kind == COLUMN_ADDRESS || kind == COLUMN_CODE)
        return false;
    for (size_t row = 0; row < table_row_count(table); row++) {
        enum cell_kind cell = table->cells.items[row * table->column_count + column].kind;
        if (cell != CELL_NULL)
            return cell != CELL_TEXT;
    }
    return false;
}

size_t table_render_html(const struct table *table, size_t limit, struct text *text)
{
    size_t start = text->size, shown = 0;
    text->failed |= table->failed;
    text_append(text, "<div class=\"scroll\"><table class=\"grid sortable\"><thead><tr>");
    for (size_t column = 0; column < table->column_count; column++) {
        const struct column *head = &table->columns[column];
        text_printf(text, "<th scope=\"col\"%s>",
                    is_number_column(table, column) ? " class=\"number\"" : "");
        escape_markup(text, head->title ? head->title : head->name, ESCAPE_ONE_LINE);
        text_append(text, "</th>");
    }
    text_append(text, "</tr></thead><tbody>\n");
    for (; shown < table_row_count(table); shown++) {
        size_t before = text->size;
        text_append(text, "<tr>");
        for (size_t column = 0; column < table->column_count; column++)
            append_cell(text, &table->cells.items[shown * table->column_count + column],
                        table->columns[column].kind);
        text_append(text, "</tr>\n");
        if (text->size - start > limit && text->data) {
            text->size = before;
            text->data[before] = '\0';
            break;
        }
    }
    text_append(text, "</tbody></table></div>\n");
    return shown;
}
