/* table_number.h — numbers as cells of tables have them: digits of any script, the separators
 * of any country, a sign, a percent sign or a currency sign.
 *
 * What 1,234 and 1.234 mean depends on who wrote them, so a number is read both ways, and
 * whoever compares numbers finds out which way holds (grid.h). Thread-safe. */
#ifndef VL_DATASET_TABLE_NUMBER_H
#define VL_DATASET_TABLE_NUMBER_H

#include <vislang/base.h>

typedef enum decimal_mark {
    DECIMAL_POINT, /* 1,234.5 */
    DECIMAL_COMMA, /* 1.234,5 */
    DECIMAL_MARK_COUNT
} decimal_mark;

typedef struct table_number {
    bool reads[DECIMAL_MARK_COUNT]; /* whether it is a number with this mark */
    double value[DECIMAL_MARK_COUNT];
    bool bare;     /* digits alone */
    int32_t unit;  /* the percent or currency sign; 0: none */
    uint32_t zero; /* the digit 0 of its script */
} table_number;
/* False: `text` is no number, or more than one. */
bool table_number_read(const char *text, table_number *number);
/* The year that `text` is, 1900 to 2100 in any digits; 0: none. */
int table_year(const char *text);
/* Whether it is what stands where there is no value: "-", "n/a", "…". */
bool table_is_missing(const char *text);

#endif
