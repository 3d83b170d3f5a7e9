/* align_made_space.h — a space of three languages with codes that tests know, in a file. */
#ifndef VL_TEST_ALIGN_MADE_SPACE_H
#define VL_TEST_ALIGN_MADE_SPACE_H

#include "align/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WATER, DRINK, HOUSE, BIG, CHILD, SCHOOL, BOOK, RAIN, MADE_UNITS, MADE_DIM = 4 };

static const space_unit made_units[MADE_UNITS] = {
    {"water", 8},  {"drink", 16},  {"house", 24}, {"big", 24},
    {"child", 32}, {"school", 40}, {"book", 48},  {"rain", UINT8_MAX}};
/* Greatest number 127 × a power of two, so that int8 keeps them whole. */
static const float made_rows[MADE_UNITS][MADE_DIM] = {
    {127, 0, 0, 0}, {127, -64, 0, 0}, {0, 127, 0, 0}, {0, 0, 127, 0},
    {0, 0, 0, 127}, {0, 1, 0, 127},   {0, 0, 0, 0},   {-254, 0, 2, 0}};

#define ONE(name, unit, frequency)                                                             \
    { name, {{unit}, {255}}, frequency }
static space_word made_english[] = {ONE("big", BIG, 24),       ONE("book", BOOK, 48),
                                    ONE("books", BOOK, 56),    ONE("child", CHILD, 32),
                                    ONE("drink", DRINK, 16),   ONE("house", HOUSE, 24),
                                    ONE("houses", HOUSE, 30),  ONE("rain", RAIN, 255),
                                    ONE("school", SCHOOL, 40), ONE("water", WATER, 8)};
static space_word made_swahili[] = {
    ONE("kitabu", BOOK, 40),
    ONE("kubwa", BIG, 30),
    {"kunywa", {{DRINK, WATER}, {200, 55}}, 20},
    ONE("maji", WATER, 10),
    ONE("mtoto", CHILD, 12),
    {"mwanafunzi", {{SCHOOL, CHILD}, {102, 102}}, 33},
    ONE("nyumba", HOUSE, 25),
    ONE("shule", SCHOOL, 41),
};
static space_word made_amharic[] = {ONE("ልጅ", CHILD, 12), ONE("መጽሐፍ", BOOK, 14),
                                    ONE("ቤት", HOUSE, 16), ONE("ትምህርት", SCHOOL, 20),
                                    ONE("ውሃ", WATER, 8)};
#undef ONE

static const space_draft_language made_languages[] = {
    {"eng", made_english, sizeof made_english / sizeof *made_english},
    {"swa", made_swahili, sizeof made_swahili / sizeof *made_swahili},
    {"amh", made_amharic, sizeof made_amharic / sizeof *made_amharic}};

static inline space_draft made_draft(void) {
    return (space_draft){.hub = "eng",
                         .card = "{\"made\":true}",
                         .units = made_units,
                         .rows = made_rows[0],
                         .unit_count = MADE_UNITS,
                         .dim = MADE_DIM,
                         .languages = made_languages,
                         .language_count = 3};
}

static inline vl_space *made_space(void) {
    char path[] = "/tmp/vislang-space-XXXXXX";
    space_draft draft = made_draft();
    vl_space *space = NULL;
    close(mkstemp(path));
    if (align_space_write(&draft, path, NULL) || vl_space_open(path, &space, NULL))
        abort();
    unlink(path);
    return space;
}

#endif
