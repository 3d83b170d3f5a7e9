/* reading.h — an engine's reading, put together character by character or word by word.
 *
 * For engines that say what they read as text: begin a line, add symbols and gaps (or whole
 * words), end the line. Words are what lies between gaps; lines without a word leave no trace.
 * The first call that finds no room makes every later one do nothing, and vl_reading_finish
 * reports it. Everything lives in the arena. */
#ifndef VL_OCR_READING_H
#define VL_OCR_READING_H

#include "ocr/engine.h"

enum { VL_READING_LINES_MAX = 20000, VL_READING_WORDS_MAX = 4000, VL_READING_CHOICES_MAX = 16 };

typedef struct vl_reading_builder {
    vl_arena *arena;
    vl_engine_reading *reading;
    bool keep_symbols;
    bool failed;
    bool in_line;
    size_t line_cap, word_cap, symbol_cap;
    size_t word_start; /* first symbol of the word in work */
    size_t block, paragraph;
    double page_sum;
    size_t page_characters;
} vl_reading_builder;

/* Empties `reading`. */
void vl_reading_init(vl_reading_builder *builder, vl_arena *arena, bool keep_symbols,
                     vl_engine_reading *reading);
void vl_reading_block(vl_reading_builder *builder);     /* what follows is another block */
void vl_reading_paragraph(vl_reading_builder *builder); /* … another paragraph */
void vl_reading_line(vl_reading_builder *builder);      /* ends the line before, if any */
/* A character of the word in work. `text` is any UTF-8; `choices` are copied. */
void vl_reading_symbol(vl_reading_builder *builder, const char *text, vl_box box,
                       double confidence, const vl_engine_choice *choices, size_t count);
void vl_reading_gap(vl_reading_builder *builder); /* ends the word */
/* A word of which nothing is known character by character. */
void vl_reading_word(vl_reading_builder *builder, const char *text, vl_box box,
                     double confidence);
vl_status vl_reading_finish(vl_reading_builder *builder, vl_error *error);

#endif
