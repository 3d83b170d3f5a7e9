/* reading.c — puts readings together for engines that say what they read as text. */
#include "ocr/reading.h"

#include <string.h>

enum { WORD_BYTES_MAX = 1024, SYMBOLS_PER_LINE_MAX = 4 * VL_READING_WORDS_MAX };

void vl_reading_init(vl_reading_builder *b, vl_arena *arena, bool keep_symbols,
                     vl_engine_reading *reading) {
    memset(reading, 0, sizeof *reading);
    *b = (vl_reading_builder){.arena = arena,
                              .reading = reading,
                              .keep_symbols = keep_symbols,
                              .block = 1,
                              .paragraph = 1};
}

static vl_engine_line *line_of(vl_reading_builder *b) {
    return &b->reading->lines[b->reading->line_count - 1];
}

/* Room for one more item of `size` after `count`. */
static bool reserve(vl_reading_builder *b, void **items, size_t *cap, size_t count, size_t size,
                    size_t max) {
    if (count < *cap)
        return true;
    size_t grown = *cap ? *cap * 2 : 8;
    void *more =
        count < max ? vl_arena_grow(b->arena, *items, *cap * size, grown * size) : NULL;
    if (!more) {
        b->failed = true;
        return false;
    }
    *items = more;
    *cap = grown;
    return true;
}

static double within(double confidence) {
    return confidence > 1 ? 1 : confidence > 0 ? confidence : 0; /* 0 for what is no number */
}

static vl_box united(vl_box a, vl_box b) {
    int32_t right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    int32_t bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    int32_t x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    return (vl_box){x, y, right - x, bottom - y};
}

static size_t code_points(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* A word after those that the line has. `text` is ours and NFC. */
static void word_put(vl_reading_builder *b, const char *text, vl_box box, double confidence) {
    vl_engine_line *line = line_of(b);
    if (!reserve(b, (void **)&line->words, &b->word_cap, line->word_count, sizeof *line->words,
                 VL_READING_WORDS_MAX))
        return;
    line->box = line->word_count ? united(line->box, box) : box;
    line->words[line->word_count++] =
        (vl_word){.text = text, .box = box, .confidence = within(confidence)};
}

/* Symbols since the last gap become a word. */
static void word_end(vl_reading_builder *b) {
    vl_engine_line *line = line_of(b);
    char text[WORD_BYTES_MAX];
    size_t used = 0, count = line->symbol_count - b->word_start;
    double sum = 0;
    vl_box box = {0};
    if (!count)
        return;
    for (size_t i = b->word_start; i < line->symbol_count; i++) {
        vl_engine_symbol *symbol = &line->symbols[i];
        size_t bytes = strlen(symbol->text);
        if (used + bytes < sizeof text) {
            memcpy(text + used, symbol->text, bytes);
            used += bytes;
        }
        sum += symbol->confidence;
        box = i == b->word_start ? symbol->box : united(box, symbol->box);
    }
    text[used] = '\0';
    const char *nfc = vl_text_nfc(b->arena, text);
    b->failed = b->failed || !nfc;
    if (nfc)
        word_put(b, nfc, box, sum / (double)count);
    b->word_start = line->symbol_count;
}

static void line_end(vl_reading_builder *b) {
    if (!b->in_line)
        return;
    word_end(b);
    vl_engine_line *line = line_of(b);
    b->in_line = false;
    if (!line->word_count) {
        b->reading->line_count--;
        return;
    }
    double sum = 0;
    size_t characters = 0;
    for (size_t i = 0; i < line->word_count; i++) {
        size_t n = code_points(line->words[i].text);
        sum += line->words[i].confidence * (double)n;
        characters += n;
    }
    line->confidence = characters ? sum / (double)characters : 0;
    line->baseline_y0 = line->baseline_y1 = line->box.y + line->box.height;
    if (!b->keep_symbols)
        line->symbol_count = 0;
    b->page_sum += sum;
    b->page_characters += characters;
}

void vl_reading_block(vl_reading_builder *b) {
    line_end(b);
    b->block++;
    b->paragraph++;
}

void vl_reading_paragraph(vl_reading_builder *b) {
    line_end(b);
    b->paragraph++;
}

void vl_reading_line(vl_reading_builder *b) {
    vl_engine_reading *r = b->reading;
    line_end(b);
    if (b->failed || !reserve(b, (void **)&r->lines, &b->line_cap, r->line_count,
                              sizeof *r->lines, VL_READING_LINES_MAX))
        return;
    r->lines[r->line_count++] = (vl_engine_line){.block = b->block, .paragraph = b->paragraph};
    b->word_cap = b->symbol_cap = b->word_start = 0;
    b->in_line = true;
}

static bool choices_put(vl_reading_builder *b, const vl_engine_choice *choices, size_t count,
                        vl_engine_symbol *symbol) {
    if (!b->keep_symbols || !count)
        return true;
    if (count > VL_READING_CHOICES_MAX)
        count = VL_READING_CHOICES_MAX;
    symbol->choices = vl_arena_array(b->arena, count, sizeof *symbol->choices);
    for (size_t i = 0; symbol->choices && i < count; i++) {
        const char *text = vl_text_nfc(b->arena, choices[i].text);
        if (!text)
            return false;
        symbol->choices[i] = (vl_engine_choice){text, within(choices[i].confidence)};
    }
    symbol->choice_count = count;
    return symbol->choices;
}

void vl_reading_symbol(vl_reading_builder *b, const char *text, vl_box box, double confidence,
                       const vl_engine_choice *choices, size_t count) {
    if (b->failed || !b->in_line || !*text)
        return;
    vl_engine_line *line = line_of(b);
    if (!reserve(b, (void **)&line->symbols, &b->symbol_cap, line->symbol_count,
                 sizeof *line->symbols, SYMBOLS_PER_LINE_MAX))
        return;
    vl_engine_symbol symbol = {.text = vl_text_nfc(b->arena, text),
                               .box = box,
                               .confidence = within(confidence),
                               .word = line->word_count};
    if (!symbol.text || !choices_put(b, choices, count, &symbol))
        b->failed = true;
    else
        line->symbols[line->symbol_count++] = symbol;
}

void vl_reading_gap(vl_reading_builder *b) {
    if (!b->failed && b->in_line)
        word_end(b);
}

void vl_reading_word(vl_reading_builder *b, const char *text, vl_box box, double confidence) {
    if (b->failed || !b->in_line)
        return;
    word_end(b);
    const char *nfc = vl_text_squeeze(b->arena, text);
    b->failed = b->failed || !nfc;
    if (nfc && *nfc)
        word_put(b, nfc, box, confidence);
}

vl_status vl_reading_finish(vl_reading_builder *b, vl_error *error) {
    if (!b->failed)
        line_end(b);
    if (b->failed)
        return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    b->reading->characters = b->page_characters;
    if (b->page_characters)
        b->reading->confidence = b->page_sum / (double)b->page_characters;
    return VL_OK;
}
