/* stats.c — goes through a dataset and counts (stats.h). */
#include "dataset/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

enum {
    RUNS_MEMORY = 8 << 20,
    BUDGET = 1 << 22, /* slots of all vocabularies: 32 MB */
    TEXT_MEMORY = 256 << 20,
    TEXT_MOST = 4 << 20,
    KINDS_IN_KEY = 16
};

typedef struct gathering {
    vl_stats *stats;
    UBreakIterator *words;
    vl_arena *arena;
    runs *documents, *pictures;
    uint64_t random;
} gathering;

vl_stats_options vl_stats_options_default(void) {
    return (vl_stats_options){.samples = 3, .folder = ""};
}

const char *stats_quality_name(size_t i) {
    return i < VL_QUALITY_PART_COUNT ? vl_quality_part_name((vl_quality_part)i) : "score";
}

static uint64_t hash_of(const char *text, size_t bytes) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return vl_random_next(&hash);
}

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory to count a dataset");
}

/* ---- languages --------------------------------------------------------------------------- */

/* "swa" of "swa", "sw" and "sw-KE"; "und" of "". Past STATS_LANGUAGES all others are one. */
static stats_language *language_of(vl_stats *s, const char *code) {
    char tag[16];
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(code, "-_"), code);
    const char *name = *tag ? vl_lang_code(tag) : "und";
    if (strlen(name) >= VL_LANG_SIZE)
        name = "und";
    for (size_t i = 0; i < s->language_count; i++)
        if (!strcmp(s->languages[i]->code, name))
            return s->languages[i];
    if (s->language_count == STATS_LANGUAGES)
        return s->languages[STATS_LANGUAGES - 1];
    stats_language *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    snprintf(made->code, sizeof made->code, "%s",
             s->language_count == STATS_LANGUAGES - 1 ? "(others)" : name);
    return s->languages[s->language_count++] = made;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool add_word(stats_language *l, const char *word, size_t bytes, size_t *budget) {
    return vocabulary_add(&l->words, hash_of(word, bytes), budget);
}

/* Words of UAX #29, with ICU's dictionaries where a script has no spaces; numbers are words,
 * and none of the vocabulary. */
static vl_status count_words(gathering *g, stats_language *l, const char *text,
                             vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    uint64_t words = 0;
    bool whole = true;
    utext_openUTF8(&wrapped, text, (int64_t)strlen(text), &code);
    ubrk_setUText(g->words, &wrapped, &code);
    for (int32_t from = 0, to; whole && U_SUCCESS(code); from = to) {
        to = ubrk_next(g->words);
        if (to == UBRK_DONE)
            break;
        int32_t kind = ubrk_getRuleStatus(g->words);
        words += kind >= UBRK_WORD_NONE_LIMIT;
        if (kind >= UBRK_WORD_NUMBER_LIMIT)
            whole = add_word(l, text + from, (size_t)(to - from), &g->stats->budget);
    }
    utext_close(&wrapped);
    lengths_add(&l->by_words, words);
    return whole && U_SUCCESS(code) ? VL_OK : no_memory(error);
}

static size_t characters_of(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static vl_status take_text(gathering *g, const check_row *row, const check_text *text,
                           vl_error *error) {
    const char *script = text->script;
    if (strlen(text->text) > TEXT_MOST)
        return VL_OK;
    vl_arena_reset(g->arena);
    const char *folded = vl_text_nfc(g->arena, text->text);
    folded = folded ? vl_text_casefold(g->arena, folded) : NULL;
    stats_language *l = language_of(g->stats, text->language);
    if (!folded || !l)
        return no_memory(error);
    if (!*script)
        script = vl_text_script(text->text, NULL);
    if (!row->item && !stats_tally_add(&g->stats->scripts, script, 1, NULL))
        return no_memory(error);
    lengths_add(&l->by_characters, characters_of(text->text));
    return count_words(g, l, folded, error);
}

/* ---- samples ----------------------------------------------------------------------------- */

static void sample_deinit(sample *s) {
    free(s->place);
    free(s->text);
    free(s->instruction);
    free(s->picture);
    free(s->url);
    free(s->kind);
    *s = (sample){0};
}

/* Its beginning, whole characters. */
static char *begin_of(const char *text) {
    size_t length = strnlen(text, SAMPLE_TEXT);
    bool cut = text[length] != '\0';
    length = vl_utf8_valid_prefix(text, length);
    char *out = malloc(length + 4);
    if (!out)
        return NULL;
    memcpy(out, text, length);
    memcpy(out + length, cut ? "…" : "", cut ? 4 : 1);
    return out;
}

static const char *text_of(const check_row *row, bool own) {
    for (size_t i = 0; i < row->text_count; i++)
        if (row->texts[i].is_own == own && *row->texts[i].text)
            return row->texts[i].text;
    return "";
}

/* Reservoir sampling (Vitter 1985, algorithm R) with a seed of its own: the same rows whenever
 * the same dataset is counted. */
static vl_status keep_sample(gathering *g, stats_language *l, const check_row *row,
                             vl_error *error) {
    size_t most = g->stats->options.samples < SAMPLES_MAX ? g->stats->options.samples
                                                          : SAMPLES_MAX,
           at = (size_t)l->seen;
    if (!most || !*text_of(row, true))
        return VL_OK;
    if (l->seen++ >= most)
        at = vl_random_below(&g->random, (size_t)l->seen);
    if (at >= most)
        return VL_OK;
    sample *s = &l->samples[at];
    sample_deinit(s);
    *s = (sample){strdup(row->place),
                  begin_of(text_of(row, true)),
                  begin_of(text_of(row, false)),
                  strdup(row->picture),
                  strdup(row->url),
                  strdup(row->kind)};
    return s->place && s->text && s->instruction && s->picture && s->url && s->kind
               ? VL_OK
               : no_memory(error);
}

/* ---- a row ------------------------------------------------------------------------------- */

static vl_status take_source(vl_stats *s, const check_row *row, vl_error *error) {
    char name[800], source[256];
    size_t length = row->item ? strcspn(row->source, "/") : strlen(row->source);
    snprintf(source, sizeof source, "%.*s", (int)(length < 250 ? length : 250), row->source);
    snprintf(name, sizeof name, "%s\t%.250s\t%.250s", source, row->publisher, row->licence);
    return stats_tally_add(&s->sources, name, 1, NULL) ? VL_OK : no_memory(error);
}

/* Without the confidence of "alignment:0.93", so that there are few. */
static const char *kind_of_origin(const char *origin) {
    return strncmp(origin, "alignment:", strlen("alignment:")) != 0 ? origin : "alignment";
}

static vl_status take_names(vl_stats *s, const check_row *row, vl_error *error) {
    bool whole = true;
    s->splits[row->split]++;
    if (*row->kind)
        whole = stats_tally_add(&s->kinds, row->kind, 1, NULL);
    if (whole && *row->origin)
        whole = stats_tally_add(&s->origins, kind_of_origin(row->origin), 1, NULL);
    if (whole && *row->phrase)
        whole = stats_tally_add(&s->phrases, row->phrase, 1, NULL);
    if (whole && row->item)
        whole = stats_tally_add(&s->scripts, *row->script ? row->script : "Zyyy", 1, NULL);
    if (whole && row->item && *row->item->review)
        whole = stats_tally_add(&s->reviews, row->item->review, 1, NULL);
    return whole ? take_source(s, row, error) : no_memory(error);
}

static void take_quality(vl_stats *s, const vl_item *item) {
    s->has_quality = true;
    for (size_t i = 0; i < QUALITIES; i++) {
        double value = i < VL_QUALITY_PART_COUNT ? item->quality[i] : item->score;
        value = value >= 0 ? fmin(value, 1) : 0;
        size_t bin = (size_t)(value * QUALITY_BINS);
        s->quality[i][bin < QUALITY_BINS ? bin : QUALITY_BINS - 1]++;
        s->quality_sum[i] += value;
    }
    double share = item->quality[VL_QUALITY_DUPLICATES];
    uint64_t size = share > 1e-9 && share <= 1 ? (uint64_t)llround(1 / share) : 1;
    if (size > 1) {
        lengths_add(&s->clusters, size);
        s->removed += size - 1;
    }
    bool any = false;
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++) {
        s->personal[i] += item->personal[i];
        any = any || item->personal[i];
    }
    s->personal_rows += any;
}

static uint32_t side(double value) {
    return value > 0 && value < 65535 ? (uint32_t)value : value > 0 ? 65535 : 0;
}

/* Distinct ones are counted in the end; with a picture's hash goes which kind it is. */
static vl_status take_places(gathering *g, const check_row *row, vl_error *error) {
    vl_stats *s = g->stats;
    size_t kind = 0;
    vl_status status = VL_OK;
    if (*row->document)
        status =
            runs_add(g->documents, hash_of(row->document, strlen(row->document)), 0, error);
    if (status || !*row->picture)
        return status;
    if (!stats_tally_add(&s->picture_kinds,
                         *row->picture_kind ? row->picture_kind : "(not said)", 0, &kind))
        return no_memory(error);
    kind = kind < KINDS_IN_KEY ? kind : KINDS_IN_KEY - 1;
    uint64_t key = hash_of(row->picture, strlen(row->picture));
    return runs_add(g->pictures, (key & ~(uint64_t)(KINDS_IN_KEY - 1)) | kind,
                    side(row->width) << 16 | side(row->height), error);
}

static vl_status take_row(check *c, const check_row *row, void *to, vl_error *error) {
    gathering *g = to;
    vl_stats *s = g->stats;
    bool is_base = row->item && vl_item_is_base(row->item->kind);
    const char *code = row->language;
    (void)c;
    for (size_t i = 0; i < row->text_count && !*code; i++)
        if (row->texts[i].is_own)
            code = row->texts[i].language;
    stats_language *l = language_of(s, code);
    if (!l)
        return no_memory(error);
    l->rows++;
    s->rows++;
    s->bases += is_base;
    vl_status status = take_names(s, row, error);
    if (!status)
        status = take_places(g, row, error);
    if (is_base)
        take_quality(s, row->item);
    for (size_t i = 0; i < row->text_count && !status; i++)
        if (row->texts[i].is_own && *row->texts[i].text && (is_base || !row->item))
            status = take_text(g, row, &row->texts[i], error);
    return status ? status : keep_sample(g, l, row, error);
}

/* ---- the end ----------------------------------------------------------------------------- */

static vl_status count_documents(gathering *g, vl_error *error) {
    runs_record record;
    bool more = true;
    uint64_t key = 0, rows = 0;
    vl_status status = runs_merge(g->documents, error);
    while (!status) {
        status = runs_next(g->documents, &record, &more, error);
        if (status)
            break;
        if (rows && (!more || record.key != key)) {
            lengths_add(&g->stats->rows_per_document, rows);
            rows = 0;
        }
        if (!more)
            break;
        key = record.key;
        rows++;
    }
    g->stats->documents = g->stats->rows_per_document.count;
    return status;
}

static vl_status count_pictures(gathering *g, vl_error *error) {
    runs_record record;
    bool more = true, any = false;
    uint64_t key = 0;
    vl_stats *s = g->stats;
    vl_status status = runs_merge(g->pictures, error);
    while (!status) {
        status = runs_next(g->pictures, &record, &more, error);
        if (status || !more)
            break;
        uint64_t picture = record.key & ~(uint64_t)(KINDS_IN_KEY - 1);
        if (any && picture == key)
            continue;
        any = true;
        key = picture;
        s->pictures++;
        size_t kind = (size_t)(record.key & (KINDS_IN_KEY - 1));
        s->picture_kinds.entries[kind].count++;
        uint32_t width = record.item >> 16, height = record.item & 0xFFFF;
        if (width && height)
            lengths_add(&s->picture_sides, width > height ? width : height);
    }
    return status;
}

static int by_rows(const void *x, const void *y) {
    const stats_language *a = *(stats_language *const *)x, *b = *(stats_language *const *)y;
    return a->rows != b->rows ? (a->rows < b->rows ? 1 : -1) : strcmp(a->code, b->code);
}

static void end_curves(vl_stats *s) {
    for (size_t i = 0; i < s->language_count; i++) {
        vocabulary *v = &s->languages[i]->words;
        if (v->tokens && (!v->points || v->curve[v->points - 1].tokens < v->tokens))
            v->curve[v->points++] = (curve_point){v->tokens, vocabulary_types(v)};
    }
}

static vl_status finish(gathering *g, vl_error *error) {
    vl_stats *s = g->stats;
    vl_status status = count_documents(g, error);
    if (!status)
        status = count_pictures(g, error);
    if (s->language_count)
        qsort(s->languages, s->language_count, sizeof *s->languages, by_rows);
    end_curves(s);
    stats_tally *all[] = {&s->kinds,   &s->scripts,       &s->sources, &s->origins,
                          &s->phrases, &s->picture_kinds, &s->reviews};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        stats_tally_sort(all[i]);
    return status;
}

static vl_status begin(gathering *g, const char *path, const vl_stats_options *options,
                       vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    vl_stats *s = g->stats;
    if (!s)
        return no_memory(error);
    s->options = *options;
    s->budget = BUDGET;
    s->path = strdup(path);
    s->languages = calloc(STATS_LANGUAGES, sizeof *s->languages);
    g->arena = vl_arena_new(TEXT_MEMORY);
    g->words = ubrk_open(UBRK_WORD, "", NULL, 0, &code);
    if (!s->path || !s->languages || !g->arena || U_FAILURE(code))
        return no_memory(error);
    vl_status status = runs_new(options->folder, RUNS_MEMORY, &g->documents, error);
    return status ? status : runs_new(options->folder, RUNS_MEMORY, &g->pictures, error);
}

vl_status vl_dataset_stats(const char *path, const vl_stats_options *options, vl_stats **stats,
                           vl_error *error) {
    gathering g = {.stats = calloc(1, sizeof(vl_stats)), .random = 1};
    vl_check_options how = vl_check_options_default();
    check *c = calloc(1, sizeof *c);
    *stats = NULL;
    how.layout = options->layout;
    how.folder = options->folder;
    vl_status status = c ? begin(&g, path, options, error) : no_memory(error);
    if (!status) {
        c->options = &how;
        c->give = take_row;
        c->to = &g;
        status = check_walk(c, path, error);
        g.stats->layout = c->layout;
        g.stats->unreadable = c->unreadable;
    }
    if (!status)
        status = finish(&g, error);
    if (c)
        check_deinit(c);
    free(c);
    runs_free(g.documents);
    runs_free(g.pictures);
    vl_arena_free(g.arena);
    if (g.words)
        ubrk_close(g.words);
    if (status)
        vl_stats_free(g.stats);
    else
        *stats = g.stats;
    return status;
}

void vl_stats_free(vl_stats *stats) {
    if (!stats)
        return;
    stats_tally *all[] = {&stats->kinds,   &stats->scripts, &stats->sources,
                          &stats->origins, &stats->phrases, &stats->picture_kinds,
                          &stats->reviews};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        stats_tally_deinit(all[i]);
    for (size_t i = 0; i < stats->language_count; i++) {
        vocabulary_deinit(&stats->languages[i]->words);
        for (size_t k = 0; k < SAMPLES_MAX; k++)
            sample_deinit(&stats->languages[i]->samples[k]);
        free(stats->languages[i]);
    }
    free(stats->languages);
    free(stats->path);
    free(stats);
}

void stats_source_parts(const char *name, char parts[3][256]) {
    for (int i = 0; i < 3; i++) {
        size_t length = strcspn(name, "\t");
        snprintf(parts[i], 256, "%.*s", (int)length, name);
        name += length + (name[length] != '\0');
    }
}
