/* fields.h — what stands in forms, tables and notices and in no running text: numbers in every
 * script's digits, dates, times, telephone numbers, amounts, addresses, form fields.
 *
 * Names of months, days and countries are ICU's (CLDR). Read-only once made. */
#ifndef VL_DATASET_FIELDS_H
#define VL_DATASET_FIELDS_H

#include "dataset/dice.h"
#include "dataset/script.h"

enum { FIELD_MAX_NAMES = 4096 };
typedef struct field_names {
    vl_arena *arena;
    struct {
        const char **months, **days, **places;
        size_t month_count, day_count, place_count;
    } of[VL_SCRIPT_COUNT];
} field_names;
vl_status field_names_open(field_names *names, vl_error *error);
void field_names_deinit(field_names *names);
/* Appends one field in the script, at most about 80 characters. */
void field_draw(const field_names *names, vl_script script, dice *d, vl_buf *out);
/* "• ", "3. ", "(b) " or a dash: what may stand before a line. */
void field_bullet(vl_script script, dice *d, vl_buf *out);

#endif
