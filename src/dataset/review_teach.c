/* review_teach.c — reviewed texts, read again and given to the engines' record line by line.
 *
 *   collect        which texts hold, by the rule of review_apply.h
 *   review_lay     the words of a text along the lines that were read
 *   teach_item     picture, region, reading, lines, record */
#include "dataset/review_teach.h"
#include "dataset/degrade.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 600, MARGIN = 6, REPORT_MAX = 1 << 20, PICTURE_BYTES = 64 << 20 };
static const size_t ARENA_BYTES = (size_t)512 << 20;

/* ---- which texts ----------------------------------------------------------------------------
 */

typedef struct truth { /* an item's verdicts together */
    char item[VL_ITEM_ID_SIZE], reviewer[REVIEW_NAME_SIZE];
    int64_t revision;
    bool rejected, has_box;
    char *text; /* NULL: as it was built */
    vl_box box;
} truth;
typedef struct truths {
    truth *list;
    size_t count, room;
} truths;

static void truths_free(truths *t) {
    for (size_t i = 0; i < t->count; i++)
        free(t->list[i].text);
    free(t->list);
}

static truth *truth_of(truths *t, const char *item) {
    if (t->count && !strcmp(t->list[t->count - 1].item, item))
        return &t->list[t->count - 1];
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        truth *more = realloc(t->list, room * sizeof *more);
        if (!more)
            return NULL;
        t->list = more;
        t->room = room;
    }
    truth *made = &t->list[t->count++];
    *made = (truth){.revision = 0};
    memcpy(made->item, item, strlen(item) + 1);
    return made;
}

/* Rows come by item, those of an item by time. */
static vl_status collect(const review_row *row, void *to, vl_error *error) {
    const review_decision *d = &row->decision;
    truth *t = truth_of(to, d->item);
    if (!t)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for verdicts");
    t->rejected = t->rejected || d->verdict == REVIEW_REJECTED;
    if (d->text || !t->revision) {
        strncpy(t->reviewer, row->reviewer, sizeof t->reviewer - 1);
        t->revision = d->revision;
    }
    if (d->text) {
        free(t->text);
        t->text = strdup(d->text);
        if (!t->text)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for verdicts");
    }
    if (d->has_box) {
        t->has_box = true;
        t->box = d->box;
    }
    return VL_OK;
}

/* ---- a text along lines ---------------------------------------------------------------------
 */

/* 0 for the same word; 2, as much as leaving both out, for one that has nothing of it. */
static double word_cost(const char *a, const char *b) {
    double distance = 1;
    if (!strcmp(a, b))
        return 0;
    if (review_distance(a, b, &distance, NULL))
        return 2;
    return distance > 0.5 ? 2 : 2 * distance;
}

/* Levenshtein distance of words, every cell; [word_count + 1][text_count + 1]. */
static void fill(double *cost, const char *const *words, size_t word_count,
                 const char *const *text, size_t text_count) {
    size_t row = text_count + 1;
    for (size_t i = 0; i <= word_count; i++)
        for (size_t j = 0; j <= text_count; j++) {
            double *at = &cost[i * row + j];
            if (!i || !j) {
                *at = (double)(i + j);
                continue;
            }
            double best = at[-(ptrdiff_t)row - 1] + word_cost(words[i - 1], text[j - 1]);
            if (at[-(ptrdiff_t)row] + 1 < best)
                best = at[-(ptrdiff_t)row] + 1;
            if (at[-1] + 1 < best)
                best = at[-1] + 1;
            *at = best;
        }
}

bool review_lay(const char *const *words, const size_t *lines, size_t word_count,
                const char *const *text, size_t text_count, vl_arena *arena, size_t *line_of) {
    size_t row = text_count + 1, i = word_count, j = text_count;
    if (!word_count || !text_count || word_count > WORDS_MAX || text_count > WORDS_MAX)
        return false;
    double *cost = vl_arena_array(arena, (word_count + 1) * row, sizeof *cost);
    if (!cost)
        return false;
    fill(cost, words, word_count, text, text_count);
    if (cost[word_count * row + text_count] > 0.5 * (double)(word_count + text_count))
        return false;
    while (j) {
        double now = cost[i * row + j];
        /* A word that nothing was read of stands in the line of the one before. */
        if (i && now == cost[(i - 1) * row + j] + 1) {
            i--;
        } else if (i &&
                   now == cost[(i - 1) * row + j - 1] + word_cost(words[i - 1], text[j - 1])) {
            i--;
            j--;
            line_of[j] = lines[i];
        } else {
            j--;
            line_of[j] = lines[i ? i - 1 : 0];
        }
    }
    return true;
}

/* ---- a reading
 * --------------------------------------------------------------------------------
 */

typedef struct reading {
    vl_arena *arena;
    cJSON *document;         /* as the JSON writer makes it */
    cJSON *lines[WORDS_MAX]; /* of it */
    size_t line_count;
    const char *words[WORDS_MAX];
    size_t word_lines[WORDS_MAX], word_count;
} reading;

/* False: there are too many. */
static bool add_words(reading *r, const char *text, size_t line) {
    char *copy = vl_arena_strdup(r->arena, text), *rest = copy;
    for (char *word; copy && (word = strtok_r(rest, " \n\t", &rest));) {
        if (r->word_count == WORDS_MAX)
            return false;
        r->words[r->word_count] = word;
        r->word_lines[r->word_count++] = line;
    }
    return copy != NULL;
}

static bool take_lines(reading *r, const cJSON *page) {
    const cJSON *block;
    cJSON_ArrayForEach(block, cJSON_GetObjectItemCaseSensitive(page, "blocks")) {
        cJSON *lines = cJSON_GetObjectItemCaseSensitive(block, "lines");
        for (cJSON *line = lines ? lines->child : NULL; line; line = line->next) {
            const char *text =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "text"));
            if (!text)
                continue;
            if (r->line_count == WORDS_MAX || !add_words(r, text, r->line_count))
                return false;
            r->lines[r->line_count++] = line;
        }
    }
    return true;
}

/* "[phone]" stands where something else stood. */
static bool has_gap(const char *line) {
    return strchr(line, '[') || strchr(line, ']');
}

/* Every line that has words of `text` becomes corrected to them, unless personal data was taken
 * out of it. Returns how many. */
static size_t correct_lines(reading *r, const char *text) {
    const char *words[WORDS_MAX];
    size_t line_of[WORDS_MAX], count = 0, corrected = 0;
    char *copy = vl_arena_strdup(r->arena, text), *rest = copy;
    for (char *word; copy && (word = strtok_r(rest, " \n\t", &rest));) {
        if (count == WORDS_MAX)
            return 0;
        words[count++] = word;
    }
    if (!review_lay(r->words, r->word_lines, r->word_count, words, count, r->arena, line_of))
        return 0;
    for (size_t i = 0, next; i < count; i = next) {
        vl_buf line;
        vl_buf_init(&line, REPORT_MAX);
        for (next = i; next < count && line_of[next] == line_of[i]; next++)
            vl_buf_printf(&line, "%s%s", next > i ? " " : "", words[next]);
        cJSON *of = r->lines[line_of[i]];
        if (!line.failed && !has_gap(line.data) && !cJSON_HasObjectItem(of, "corrected")) {
            cJSON_AddStringToObject(of, "corrected", line.data);
            corrected++;
        }
        vl_buf_deinit(&line);
    }
    return corrected;
}

/* In grey; NULL: nothing of it is within the page, or no memory. */
static vl_image *cut_out(const vl_image *page, vl_box box) {
    int64_t left = box.x - MARGIN, top = box.y - MARGIN,
            right = (int64_t)box.x + box.width + MARGIN,
            bottom = (int64_t)box.y + box.height + MARGIN;
    left = left < 0 ? 0 : left;
    top = top < 0 ? 0 : top;
    right = right > page->width ? page->width : right;
    bottom = bottom > page->height ? page->height : bottom;
    if (right <= left || bottom <= top)
        return NULL;
    vl_image *grey = vl_image_to_grey(page);
    vl_image *region = grey ? degrade_crop(grey, (int)left, (int)top, (uint32_t)(right - left),
                                           (uint32_t)(bottom - top), UINT8_MAX)
                            : NULL;
    vl_image_free(grey);
    return region;
}

/* ---- an item ------------------------------------------------------------------------------
 */

typedef struct teaching {
    vl_review *review;
    vl_ocr *ocr;
    vl_ocr_record *record;
    review_lesson *lesson;
} teaching;

/* Its text stands in its region, and was read there. */
static bool is_reading(const vl_item *item) {
    bool is_text = item->kind == VL_ITEM_TEXT ||
                   (item->kind == VL_ITEM_READ && !strcmp(item->origin, "document"));
    return is_text && item->source.ocr && *item->picture && item->has_region;
}

static vl_status read_region(const teaching *t, const vl_item *item, vl_box box, reading *r,
                             vl_error *error) {
    const vl_media_limits limits = vl_media_limits_default();
    const char *language = strcmp(item->language, "und") ? item->language : NULL;
    vl_image *page = NULL, *region = NULL;
    vl_page *read = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, PICTURE_BYTES);
    vl_status status = review_picture(t->review, item, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, &page, error);
    if (!status && !(region = cut_out(page, box)))
        status = vl_fail(error, VL_ERR_INPUT, "the region is not within the picture");
    if (!status)
        status = vl_ocr_read(t->ocr, region, language, r->arena, &read, NULL, error);
    if (status == VL_ERR_MISSING || status == VL_ERR_USAGE || status == VL_ERR_UNSUPPORTED)
        status = vl_ocr_read(t->ocr, region, NULL, r->arena, &read, NULL, error);
    cJSON *json = status ? NULL : vl_page_to_json(read), *pages = NULL;
    if (json && (r->document = cJSON_CreateObject()))
        pages = cJSON_AddArrayToObject(r->document, "pages");
    if (!status && !pages) {
        cJSON_Delete(json);
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a reading");
    }
    if (!status)
        cJSON_AddItemToArray(pages, json);
    vl_image_free(page);
    vl_image_free(region);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status give_to_record(const teaching *t, const reading *r, vl_error *error) {
    vl_buf report;
    vl_buf_init(&report, REPORT_MAX);
    char *json = cJSON_PrintUnformatted(r->document);
    vl_status status =
        json ? vl_ocr_record_correct(t->record, json, strlen(json), &report, error)
             : vl_fail(error, VL_ERR_MEMORY, "no memory for a reading");
    cJSON_free(json);
    vl_buf_deinit(&report);
    return status;
}

static vl_status teach_item(const teaching *t, const truth *said, const vl_item *item,
                            vl_arena *arena, vl_error *error) {
    reading *r = vl_arena_alloc(arena, sizeof *r);
    const char *text = said->text ? said->text : item->text;
    vl_error why;
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a reading");
    r->arena = arena;
    vl_status status = read_region(t, item, said->has_box ? said->box : item->region, r, &why);
    if (status == VL_ERR_MEMORY || status == VL_ERR_CANCELLED) {
        if (error)
            *error = why;
        return status;
    }
    size_t lines = 0;
    if (status)
        t->lesson->broken++;
    else if (!take_lines(r, r->document
                                ? cJSON_GetArrayItem(
                                      cJSON_GetObjectItemCaseSensitive(r->document, "pages"), 0)
                                : NULL) ||
             !(lines = correct_lines(r, text)))
        t->lesson->unfit++;
    status = lines ? give_to_record(t, r, error) : VL_OK;
    if (status == VL_ERR_INPUT) { /* one engine alone read a line of it: nobody voted */
        t->lesson->unfit++;
        lines = 0;
        status = VL_OK;
    }
    cJSON_Delete(r->document);
    if (!status && lines) {
        t->lesson->items++;
        t->lesson->lines += lines;
        status = review_note_taught(review_db(t->review), said->item, said->reviewer,
                                    said->revision, error);
    }
    return status;
}

static vl_status teach_one(const teaching *t, const truth *said, vl_error *error) {
    review_given given;
    bool was = false;
    if (said->rejected)
        return VL_OK;
    vl_status status = review_was_taught(review_db(t->review), said->item, said->reviewer,
                                         said->revision, &was, error);
    if (status)
        return status;
    if (was) {
        t->lesson->known++;
        return VL_OK;
    }
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    if (!arena)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a reading");
    status = review_find(t->review, said->item, arena, &given, error);
    if (status == VL_ERR_MISSING)
        status = VL_OK; /* built anew, without it */
    else if (!status && is_reading(&given.item))
        status = teach_item(t, said, &given.item, arena, error);
    vl_arena_free(arena);
    return status;
}

vl_status review_teach(vl_review *review, const vl_ocr_options *ocr, vl_ocr_record *record,
                       review_lesson *lesson, vl_error *error) {
    truths all = {0};
    teaching t = {.review = review, .record = record, .lesson = lesson};
    vl_ocr_options options = *ocr;
    *lesson = (review_lesson){0};
    options.record = NULL; /* the readings teach it by what the reviewer says, not by votes */
    options.threshold = 1; /* every line is put to every engine */
    options.explain = true;
    vl_status status =
        options.engines && strchr(options.engines, ',')
            ? VL_OK
            : vl_fail(error, VL_ERR_USAGE,
                      "one engine alone has no rival to be weighed against: name two or more "
                      "(--set ocr_engines=tesseract,reader)");
    if (!status)
        status = vl_ocr_new(&options, &t.ocr, error);
    if (!status)
        status = review_verdicts(review_db(review), NULL, NULL, collect, &all, error);
    for (size_t i = 0; i < all.count && !status; i++)
        status = teach_one(&t, &all.list[i], error);
    truths_free(&all);
    vl_ocr_free(t.ocr);
    return status;
}
