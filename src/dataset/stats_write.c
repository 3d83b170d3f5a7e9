/* stats_write.c — what was counted, as aligned text and as JSON (docs/dataset.md has its keys).
 *
 * Text may go to a terminal: names of any script are padded by the columns they take (UAX #11),
 * names from right to left are isolated (U+2068 … U+2069, UAX #9) so that the columns after
 * them stay in their places, and nothing that a terminal obeys comes out. */
#include "dataset/stats.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { LISTED = 20, LANGUAGES_LISTED = 40 };

/* ---- columns ----------------------------------------------------------------------------- */

static int columns_of(UChar32 c) {
    int8_t kind = u_charType(c);
    if (kind == U_NON_SPACING_MARK || kind == U_ENCLOSING_MARK || kind == U_FORMAT_CHAR)
        return 0;
    int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

static void put_spaces(vl_buf *out, int count) {
    for (int i = 0; i < count; i++)
        vl_buf_puts(out, " ");
}

/* Exactly `columns` wide, cut with "…" where it is longer. */
static void put_name(vl_buf *out, const char *text, int columns) {
    int32_t bytes = (int32_t)strlen(text), at = 0, end = 0;
    int used = 0;
    bool rtl = vl_text_is_rtl(text), cut = false;
    char clean[1024];
    size_t length = 0;
    while (at < bytes && length + 8 < sizeof clean) {
        UChar32 c;
        end = at;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        bool steers = c < 0x20 || (c >= 0x7F && c < 0xA0) || vl_text_steers((uint32_t)c);
        int width = steers ? 0 : columns_of(c);
        int left = columns - used - (at < bytes ? 1 : 0);
        if (width > left) {
            cut = true;
            break;
        }
        if (!steers) {
            memcpy(clean + length, text + end, (size_t)(at - end));
            length += (size_t)(at - end);
        }
        used += width;
    }
    if (rtl)
        vl_buf_puts(out, "\xE2\x81\xA8");
    vl_buf_append(out, clean, length);
    if (cut)
        vl_buf_puts(out, "…");
    if (rtl)
        vl_buf_puts(out, "\xE2\x81\xA9");
    put_spaces(out, columns - used - cut);
}

static void put_head(vl_buf *out, const char *title) {
    vl_buf_printf(out, "\n%s\n", title);
}

static void put_count(vl_buf *out, uint64_t count, uint64_t total) {
    vl_buf_printf(out, "%12llu", (unsigned long long)count);
    if (total)
        vl_buf_printf(out, "  %5.1f %%", 100.0 * (double)count / (double)total);
    vl_buf_puts(out, "\n");
}

static void put_tally(vl_buf *out, const char *title, const stats_tally *t) {
    uint64_t total = stats_tally_total(t), rest = t->others;
    if (!t->count)
        return;
    put_head(out, title);
    for (size_t i = 0; i < t->count; i++) {
        if (i >= LISTED) {
            rest += t->entries[i].count;
            continue;
        }
        vl_buf_puts(out, "  ");
        put_name(out, t->entries[i].name, 40);
        put_count(out, t->entries[i].count, total);
    }
    if (rest) {
        vl_buf_puts(out, "  ");
        put_name(out, "(others)", 40);
        put_count(out, rest, total);
    }
}

/* ---- text -------------------------------------------------------------------------------- */

static void put_languages(vl_buf *out, const vl_stats *s) {
    put_head(out, "Languages (of texts of base items, or of all where it is not ours)");
    vl_buf_printf(out, "  %-20s%9s%9s%10s%10s%11s%9s\n", "", "rows", "texts", "words/t",
                  "chars/t", "words", "distinct");
    for (size_t i = 0; i < s->language_count && i < LANGUAGES_LISTED; i++) {
        const stats_language *l = s->languages[i];
        char name[128];
        snprintf(name, sizeof name, "%s %s", l->code, vl_lang_name(l->code));
        vl_buf_puts(out, "  ");
        put_name(out, name, 20);
        vl_buf_printf(out, "%9llu%9llu%10.1f%10.1f%11llu%s%8.0f\n", (unsigned long long)l->rows,
                      (unsigned long long)l->by_words.count, lengths_mean(&l->by_words),
                      lengths_mean(&l->by_characters), (unsigned long long)l->by_words.sum,
                      l->words.registers ? "~" : " ", vocabulary_types(&l->words));
    }
    if (s->language_count > LANGUAGES_LISTED)
        vl_buf_printf(out, "  and %zu more languages (--json has them)\n",
                      s->language_count - LANGUAGES_LISTED);
    for (size_t i = 0; i < s->language_count; i++)
        if (s->languages[i]->words.registers) {
            vl_buf_puts(out, "  ~ estimated by HyperLogLog, standard error 0.81 %\n");
            break;
        }
}

static void put_sources(vl_buf *out, const vl_stats *s) {
    uint64_t total = stats_tally_total(&s->sources);
    put_head(out, "Sources");
    vl_buf_puts(out, "  source            publisher                 licence                   "
                     "       rows\n");
    for (size_t i = 0; i < s->sources.count && i < LISTED; i++) {
        char parts[3][256];
        stats_source_parts(s->sources.entries[i].name, parts);
        vl_buf_puts(out, "  ");
        put_name(out, *parts[0] ? parts[0] : "–", 17);
        vl_buf_puts(out, " ");
        put_name(out, *parts[1] ? parts[1] : "–", 25);
        vl_buf_puts(out, " ");
        put_name(out, *parts[2] ? parts[2] : "–", 25);
        vl_buf_printf(out, "%12llu  %5.1f %%\n",
                      (unsigned long long)s->sources.entries[i].count,
                      100.0 * (double)s->sources.entries[i].count / (double)total);
    }
    if (s->sources.count > LISTED)
        vl_buf_printf(out, "  and %zu more\n", s->sources.count - LISTED);
}

static void put_lengths(vl_buf *out, const char *title, const lengths *l) {
    uint64_t most = 1;
    if (!l->count)
        return;
    put_head(out, title);
    vl_buf_printf(out, "  from %llu to %llu, on average %.1f\n", (unsigned long long)l->least,
                  (unsigned long long)l->most, lengths_mean(l));
    for (size_t i = 0; i <= lengths_last_bin(l); i++)
        most = l->bins[i] > most ? l->bins[i] : most;
    for (size_t i = 0; i <= lengths_last_bin(l); i++) {
        char name[32];
        if (!l->bins[i])
            continue;
        lengths_bin_name(i, name);
        vl_buf_puts(out, "  ");
        put_name(out, name, 18);
        vl_buf_printf(out, "%10llu  ", (unsigned long long)l->bins[i]);
        for (uint64_t k = 0; k < (l->bins[i] * 40 + most - 1) / most; k++)
            vl_buf_puts(out, "#");
        vl_buf_puts(out, "\n");
    }
}

static void put_quality(vl_buf *out, const vl_stats *s) {
    if (!s->has_quality)
        return;
    put_head(out,
             "Quality of base items (each mark a twentieth from 0 to 1; 9 is the fullest)");
    for (size_t i = 0; i < QUALITIES; i++) {
        uint64_t most = 1;
        for (size_t k = 0; k < QUALITY_BINS; k++)
            most = s->quality[i][k] > most ? s->quality[i][k] : most;
        vl_buf_printf(out, "  %-13s mean %.3f  |", stats_quality_name(i),
                      s->bases ? s->quality_sum[i] / (double)s->bases : 0);
        for (size_t k = 0; k < QUALITY_BINS; k++) {
            uint64_t mark = (s->quality[i][k] * 9 + most - 1) / most;
            vl_buf_printf(out, "%c", mark ? (char)('0' + mark) : '.');
        }
        vl_buf_puts(out, "|\n");
    }
}

static void put_personal(vl_buf *out, const vl_stats *s) {
    if (!s->has_quality)
        return;
    put_head(out, "Personal data that was replaced");
    vl_buf_printf(out, "  in %llu base items\n", (unsigned long long)s->personal_rows);
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        if (s->personal[i])
            vl_buf_printf(out, "  %-40s%12llu\n", vl_item_personal_name(i),
                          (unsigned long long)s->personal[i]);
}

static void put_splits(vl_buf *out, const vl_stats *s) {
    put_head(out, "Splits");
    for (size_t i = 0; i <= VL_SPLIT_COUNT; i++) {
        if (!s->splits[i])
            continue;
        vl_buf_printf(out, "  %-40s",
                      i < VL_SPLIT_COUNT ? vl_split_name((vl_split)i) : "(not said)");
        put_count(out, s->splits[i], s->rows);
    }
}

vl_status vl_stats_text(const vl_stats *s, vl_buf *out, vl_error *error) {
    put_name(out, s->path, 80);
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    vl_buf_printf(out, "\nlayout %s: %llu rows", vl_layout_name(s->layout),
                  (unsigned long long)s->rows);
    if (s->has_quality)
        vl_buf_printf(out, " (%llu base items, %llu examples)", (unsigned long long)s->bases,
                      (unsigned long long)(s->rows - s->bases));
    vl_buf_printf(out, ", %llu documents, %llu pictures\n", (unsigned long long)s->documents,
                  (unsigned long long)s->pictures);
    if (s->unreadable)
        vl_buf_printf(out, "%llu rows cannot be read: vislang dataset check says why\n",
                      (unsigned long long)s->unreadable);
    put_languages(out, s);
    put_tally(out, "Scripts", &s->scripts);
    put_splits(out, s);
    put_tally(out, "Kinds of rows", &s->kinds);
    put_sources(out, s);
    put_tally(out, "Kinds of pictures (each picture once)", &s->picture_kinds);
    put_lengths(out, "Longer sides of pictures, pixels", &s->picture_sides);
    put_lengths(out, "Rows of a document", &s->rows_per_document);
    put_lengths(out, "Near-duplicates: sizes of clusters (one of each is kept)", &s->clusters);
    if (s->clusters.count)
        vl_buf_printf(out, "  %llu clusters, %llu left out\n",
                      (unsigned long long)s->clusters.count, (unsigned long long)s->removed);
    put_quality(out, s);
    put_personal(out, s);
    put_tally(out, "Where responses are from", &s->origins);
    put_tally(out, "Phrasings", &s->phrases);
    put_tally(out, "Reviewed", &s->reviews);
    return vl_buf_status(out, "statistics", error);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void add_tally(cJSON *root, const char *key, const stats_tally *t) {
    cJSON *object = cJSON_AddObjectToObject(root, key);
    for (size_t i = 0; i < t->count; i++)
        cJSON_AddNumberToObject(object, t->entries[i].name, (double)t->entries[i].count);
    if (t->others)
        cJSON_AddNumberToObject(object, "(others)", (double)t->others);
}

static void add_sources(cJSON *root, const stats_tally *t) {
    cJSON *list = cJSON_AddArrayToObject(root, "sources");
    for (size_t i = 0; i < t->count; i++) {
        char parts[3][256];
        cJSON *one = cJSON_CreateObject();
        stats_source_parts(t->entries[i].name, parts);
        cJSON_AddStringToObject(one, "source", parts[0]);
        cJSON_AddStringToObject(one, "publisher", parts[1]);
        cJSON_AddStringToObject(one, "licence", parts[2]);
        cJSON_AddNumberToObject(one, "rows", (double)t->entries[i].count);
        cJSON_AddItemToArray(list, one);
    }
}

static void add_lengths(cJSON *root, const char *key, const lengths *l) {
    cJSON *object = cJSON_AddObjectToObject(root, key);
    cJSON_AddNumberToObject(object, "count", (double)l->count);
    cJSON_AddNumberToObject(object, "sum", (double)l->sum);
    cJSON_AddNumberToObject(object, "least", (double)l->least);
    cJSON_AddNumberToObject(object, "most", (double)l->most);
    cJSON_AddNumberToObject(object, "mean", lengths_mean(l));
    cJSON *bins = cJSON_AddArrayToObject(object, "histogram");
    for (size_t i = 0; l->count && i <= lengths_last_bin(l); i++) {
        cJSON *bin = cJSON_CreateObject();
        uint64_t low = i ? UINT64_C(1) << (i - 1) : 0;
        cJSON_AddNumberToObject(bin, "from", (double)low);
        cJSON_AddNumberToObject(bin, "to", (double)(i ? low * 2 - 1 : 0));
        cJSON_AddNumberToObject(bin, "count", (double)l->bins[i]);
        cJSON_AddItemToArray(bins, bin);
    }
}

static void add_language(cJSON *list, const stats_language *l) {
    cJSON *one = cJSON_CreateObject(), *words = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "language", l->code);
    cJSON_AddStringToObject(one, "name", vl_lang_name(l->code));
    cJSON_AddNumberToObject(one, "rows", (double)l->rows);
    add_lengths(one, "words", &l->by_words);
    add_lengths(one, "characters", &l->by_characters);
    cJSON_AddNumberToObject(words, "tokens", (double)l->words.tokens);
    cJSON_AddNumberToObject(words, "types", vocabulary_types(&l->words));
    cJSON_AddBoolToObject(words, "estimated", l->words.registers != NULL);
    cJSON_AddNumberToObject(words, "standard_error", l->words.registers ? VOCABULARY_ERROR : 0);
    cJSON *curve = cJSON_AddArrayToObject(words, "curve");
    for (size_t i = 0; i < l->words.points; i++) {
        const double point[] = {(double)l->words.curve[i].tokens, l->words.curve[i].types};
        cJSON_AddItemToArray(curve, cJSON_CreateDoubleArray(point, 2));
    }
    cJSON_AddItemToObject(one, "vocabulary", words);
    cJSON_AddItemToArray(list, one);
}

static void add_quality(cJSON *root, const vl_stats *s) {
    cJSON *object = cJSON_AddObjectToObject(root, "quality");
    for (size_t i = 0; s->has_quality && i < QUALITIES; i++) {
        cJSON *one = cJSON_AddObjectToObject(object, stats_quality_name(i));
        cJSON_AddNumberToObject(one, "mean",
                                s->bases ? s->quality_sum[i] / (double)s->bases : 0);
        cJSON *bins = cJSON_AddArrayToObject(one, "histogram");
        for (size_t k = 0; k < QUALITY_BINS; k++)
            cJSON_AddItemToArray(bins, cJSON_CreateNumber((double)s->quality[i][k]));
    }
    cJSON *clusters = cJSON_AddObjectToObject(root, "duplicates");
    cJSON_AddNumberToObject(clusters, "clusters", (double)s->clusters.count);
    cJSON_AddNumberToObject(clusters, "left_out", (double)s->removed);
    add_lengths(clusters, "sizes", &s->clusters);
    cJSON *personal = cJSON_AddObjectToObject(root, "personal");
    cJSON_AddNumberToObject(personal, "items", (double)s->personal_rows);
    cJSON *kinds = cJSON_AddObjectToObject(personal, "kinds");
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        cJSON_AddNumberToObject(kinds, vl_item_personal_name(i), (double)s->personal[i]);
}

vl_status vl_stats_json(const vl_stats *s, vl_buf *out, vl_error *error) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "path", s->path);
    cJSON_AddStringToObject(root, "layout", vl_layout_name(s->layout));
    cJSON_AddNumberToObject(root, "rows", (double)s->rows);
    cJSON_AddNumberToObject(root, "base_items", (double)s->bases);
    cJSON_AddNumberToObject(root, "unreadable", (double)s->unreadable);
    cJSON_AddNumberToObject(root, "documents", (double)s->documents);
    cJSON_AddNumberToObject(root, "pictures", (double)s->pictures);
    cJSON *splits = cJSON_AddObjectToObject(root, "splits");
    for (size_t i = 0; i <= VL_SPLIT_COUNT; i++)
        cJSON_AddNumberToObject(splits,
                                i < VL_SPLIT_COUNT ? vl_split_name((vl_split)i) : "none",
                                (double)s->splits[i]);
    add_tally(root, "kinds", &s->kinds);
    add_tally(root, "scripts", &s->scripts);
    cJSON *languages = cJSON_AddArrayToObject(root, "languages");
    for (size_t i = 0; i < s->language_count; i++)
        add_language(languages, s->languages[i]);
    add_sources(root, &s->sources);
    add_tally(root, "picture_kinds", &s->picture_kinds);
    add_lengths(root, "picture_sides", &s->picture_sides);
    add_lengths(root, "rows_per_document", &s->rows_per_document);
    add_quality(root, s);
    add_tally(root, "origins", &s->origins);
    add_tally(root, "phrasings", &s->phrases);
    add_tally(root, "reviews", &s->reviews);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for statistics");
    vl_buf_puts(out, text);
    vl_buf_puts(out, "\n");
    cJSON_free(text);
    return vl_buf_status(out, "statistics", error);
}
