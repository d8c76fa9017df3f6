/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/objects/float.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Python writes an exponent from 1e16 on and below 1e-4. */
#define POINT_MAX 16
#define POINT_MIN (-3)

struct decimal_form {
    char digits[32]; /* without the point and trailing zeros */
    int count;
    int point; /* the value is 0.DIGITS * 10**point */
};

/* "1.25e+03" to digits and point, whatever the locale's decimal point. */
static void parse_form(const char *printed, struct decimal_form *form)
{
    const char *exponent = strchr(printed, 'e');
    form->count = 0;
    for (const char *p = printed; p < exponent; p++)
        if (*p >= '0' && *p <= '9')
            form->digits[form->count++] = *p;
    while (form->count > 1 && form->digits[form->count - 1] == '0')
        form->count--;
    form->point = atoi(exponent + 1) + 1;
}

/* Below a power of two doubles lie twice as dense, so that the nearest decimal
 * may be too far below while the next one up still reads back. */
static bool next_up_reads_back(char *printed, double value)
{
    char *last = strchr(printed, 'e') - 1;
    while (last > printed && *last == '9')
        *last-- = '0';
    if (*last < '0' || *last > '8')
        return false;
    ++*last;
    return strtod(printed, NULL) == value;
}

/* 15 digits survive a round trip through a normal double, so a value that has
 * 15 or fewer shows them at 15; a subnormal one has to be tried from 1 on. */
static void shortest_form(double value, struct decimal_form *form)
{
    char printed[40];
    int exponent;
    for (int precision = value < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
        snprintf(printed, sizeof printed, "%.*e", precision - 1, value);
        if (strtod(printed, NULL) == value ||
            (frexp(value, &exponent) == 0.5 && next_up_reads_back(printed, value)))
            break;
    }
    parse_form(printed, form);
}

static void append_with_exponent(struct text *text, const struct decimal_form *form)
{
    int exponent = form->point - 1;
    text_append_n(text, form->digits, 1);
    if (form->count > 1) {
        text_append_char(text, '.');
        text_append_n(text, form->digits + 1, (size_t)form->count - 1);
    }
    text_printf(text, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void append_plain(struct text *text, const struct decimal_form *form, bool with_point)
{
    if (form->point <= 0) {
        text_append(text, "0.");
        text_append_n(text, "000", (size_t)-form->point);
        text_append_n(text, form->digits, (size_t)form->count);
    } else if (form->count > form->point) {
        text_append_n(text, form->digits, (size_t)form->point);
        text_append_char(text, '.');
        text_append_n(text, form->digits + form->point, (size_t)(form->count - form->point));
    } else {
        text_append_n(text, form->digits, (size_t)form->count);
        text_append_n(text, "0000000000000000", (size_t)(form->point - form->count));
        if (with_point)
            text_append(text, ".0");
    }
}

void double_append(struct text *text, double value, bool with_point, bool with_plus)
{
    if (isnan(value)) {
        text_append(text, with_plus ? "+nan" : "nan");
        return;
    }
    if (signbit(value))
        text_append_char(text, '-');
    else if (with_plus)
        text_append_char(text, '+');
    if (isinf(value)) {
        text_append(text, "inf");
        return;
    }
    struct decimal_form form = {.digits = "0", .count = 1, .point = 1};
    if (value != 0)
        shortest_form(fabs(value), &form);
    if (form.point > POINT_MAX || form.point < POINT_MIN)
        append_with_exponent(text, &form);
    else
        append_plain(text, &form, with_point);
}
