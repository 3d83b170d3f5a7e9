/* privacy.c — personal data out of texts, tables and pictures (privacy.h).
 *
 *   find_all              what the two finders find in one text, in order
 *   write_replaced        "[phone]" in the place of each
 *   write_removed         without the sentences that hold any
 *   privacy_clean_text
 *   clean_table           cells by their text, by the head above and by the label beside
 *   privacy_clean_parts
 *   privacy_cover         boxes in pictures */
#include "dataset/parts.h"
#include "dataset/privacy_tally.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

enum { TEXT_MAX = 2 * VL_PERSONAL_MAX };

const char *privacy_action_name(privacy_action action) {
    static const char *const names[PRIVACY_ACTION_COUNT] = {"replace", "remove", "keep"};
    return names[action];
}

privacy_options privacy_options_default(void) {
    return (privacy_options){.action = PRIVACY_REPLACE, .coordinate_decimals = 1};
}

/* ---- what a text holds --------------------------------------------------------------------
 */

typedef struct find {
    size_t start, end;
    size_t kind; /* vl_personal_kind, or VL_ITEM_COORDINATES */
    const char *rule;
    const coordinate *place; /* a coordinate that may be said less exactly; NULL: goes */
} find;

typedef struct work {
    const char *text, *language;
    const privacy_options *options;
    privacy_tally *tally;      /* or NULL */
    vl_arena *arena, *scratch; /* new texts; what is needed for one text */
    find *finds;
    size_t count;
    privacy_found *found;
} work;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory to look for personal data");
}

static bool is_coarse(const coordinate *c, int decimals) {
    return decimals >= 0 && c->step >= coordinate_step(decimals) * (1 - 1e-6);
}

static void add_find(work *w, find f) {
    w->finds[w->count++] = f;
}

/* Both lists in order; where they overlap personal data counts, and covers both. */
static void merge(work *w, const vl_personal *personal, size_t personal_count,
                  const coordinate *places, size_t place_count) {
    int decimals = w->options->coordinate_decimals;
    for (size_t p = 0, c = 0; p < personal_count || c < place_count;) {
        bool place =
            p == personal_count || (c < place_count && places[c].start < personal[p].start);
        find f = place ? (find){places[c].start, places[c].end, VL_ITEM_COORDINATES,
                                coordinate_form_name(places[c].form), &places[c]}
                       : (find){personal[p].start, personal[p].end, personal[p].kind,
                                personal[p].rule, NULL};
        bool leave = place && is_coarse(&places[c], decimals);
        c += place;
        p += !place;
        if (leave)
            continue;
        find *last = w->count ? &w->finds[w->count - 1] : NULL;
        if (!last || f.start >= last->end) {
            add_find(w, f);
            continue;
        }
        size_t end = last->end > f.end ? last->end : f.end, start = last->start;
        /* A number in a coordinate is not a telephone. */
        if (last->kind != VL_ITEM_COORDINATES && f.kind == VL_ITEM_COORDINATES &&
            f.end >= last->end && f.start <= last->start)
            *last = f;
        last->start = start;
        last->end = end;
        if (last->place && (end != last->place->end || start != last->place->start))
            last->place = NULL;
    }
}

static vl_status find_all(work *w, coordinate_axis axis, vl_error *error) {
    vl_personal *personal;
    coordinate *places;
    size_t personal_count, place_count;
    vl_status status = vl_personal_find(w->scratch, w->text, &personal, &personal_count, error);
    if (!status)
        status =
            coordinates_find_in_field(w->scratch, w->text, axis, &places, &place_count, error);
    if (status || personal_count + place_count == 0)
        return status;
    w->finds = vl_arena_array(w->scratch, personal_count + place_count, sizeof *w->finds);
    if (!w->finds)
        return no_memory(error);
    merge(w, personal, personal_count, places, place_count);
    return VL_OK;
}

static void count_finds(const work *w) {
    for (size_t i = 0; i < w->count; i++) {
        const find *f = &w->finds[i];
        w->found->counts[f->kind]++;
        if (w->tally)
            privacy_tally_find(w->tally,
                               &(privacy_tally_entry){.kind = f->kind,
                                                      .action = w->options->action,
                                                      .rule = f->rule,
                                                      .language = w->language},
                               w->text + f->start, f->end - f->start);
    }
}

/* ---- the text without it ------------------------------------------------------------------
 */

static bool is_rounded(const work *w, const find *f) {
    return f->place && w->options->coordinate_decimals >= 0;
}

static void write_find(const work *w, const find *f, vl_buf *out) {
    if (is_rounded(w, f) &&
        coordinate_reduce(f->place, w->text, w->options->coordinate_decimals, out))
        return;
    vl_buf_printf(out, "[%s]", vl_item_personal_name(f->kind));
}

static void write_replaced(const work *w, size_t start, size_t end, vl_buf *out) {
    size_t at = start;
    for (size_t i = 0; i < w->count; i++) {
        const find *f = &w->finds[i];
        if (f->start < start && f->end > at)
            at = f->end;
        if (f->start < start || f->start >= end)
            continue;
        vl_buf_append(out, w->text + at, f->start - at);
        write_find(w, f, out);
        at = f->end;
    }
    vl_buf_append(out, w->text + at, end > at ? end - at : 0);
}

/* Whether something in [start, end) is to go: what can be rounded need not. */
static bool holds_any(const work *w, size_t start, size_t end) {
    vl_buf rounded;
    bool any = false;
    for (size_t i = 0; i < w->count && !any; i++) {
        const find *f = &w->finds[i];
        if (f->end <= start || f->start >= end)
            continue;
        vl_buf_init(&rounded, 4096);
        any = !is_rounded(w, f) ||
              !coordinate_reduce(f->place, w->text, w->options->coordinate_decimals, &rounded);
        vl_buf_deinit(&rounded);
    }
    return any;
}

/* Sentences as ICU breaks them (UAX #29) in the text's language; a line's end ends one. */
static vl_status write_removed(const work *w, vl_buf *out, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    utext_openUTF8(&wrapped, w->text, -1, &code);
    UBreakIterator *breaks =
        ubrk_open(UBRK_SENTENCE, vl_lang_short(w->language), NULL, 0, &code);
    ubrk_setUText(breaks, &wrapped, &code);
    int32_t start = U_SUCCESS(code) ? ubrk_first(breaks) : UBRK_DONE;
    for (int32_t end; start != UBRK_DONE && (end = ubrk_next(breaks)) != UBRK_DONE;
         start = end) {
        /* A find that a break cuts ("No. 5") takes both sentences. */
        if (!holds_any(w, (size_t)start, (size_t)end))
            write_replaced(w, (size_t)start, (size_t)end, out);
    }
    ubrk_close(breaks);
    utext_close(&wrapped);
    while (out->len && strchr(" \n\t", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    return U_SUCCESS(code) ? VL_OK : no_memory(error);
}

/* `whole`: it is a cell, which goes as one where it is to be removed. */
static vl_status write_text(const work *w, bool whole, const char **out, vl_error *error) {
    vl_buf text;
    vl_status status = VL_OK;
    vl_buf_init(&text, TEXT_MAX);
    if (w->options->action == PRIVACY_REPLACE)
        write_replaced(w, 0, strlen(w->text), &text);
    else if (!whole)
        status = write_removed(w, &text, error);
    else if (!holds_any(w, 0, strlen(w->text)))
        write_replaced(w, 0, strlen(w->text), &text);
    if (!status)
        status = vl_buf_status(&text, "a text", error);
    if (!status && !(*out = vl_arena_strdup(w->arena, text.data ? text.data : "")))
        status = no_memory(error);
    vl_buf_deinit(&text);
    return status;
}

static vl_status clean(work *w, bool whole, const char **out, vl_error *error) {
    *out = w->text;
    if (!w->count)
        return VL_OK;
    count_finds(w);
    if (w->options->action == PRIVACY_KEEP)
        return VL_OK;
    w->found->changed = true;
    return write_text(w, whole, out, error);
}

static vl_status clean_text(const char *text, work *w, const char **out, vl_error *error) {
    w->text = *out = text;
    w->finds = NULL;
    w->count = 0;
    vl_arena_reset(w->scratch);
    vl_status status = *text ? find_all(w, COORDINATE_NONE, error) : VL_OK;
    return status ? status : clean(w, false, out, error);
}

/* Twice what a text of the largest size needs to be looked through. */
static vl_status make_scratch(work *w, vl_error *error) {
    enum { SCRATCH_MAX = 1 << 30 };
    w->scratch = vl_arena_new(SCRATCH_MAX);
    return w->scratch ? VL_OK : no_memory(error);
}

static vl_status finish(work *w, vl_status status, vl_error *error) {
    vl_arena_free(w->scratch);
    return !status && w->tally && privacy_tally_failed(w->tally) ? no_memory(error) : status;
}

vl_status privacy_clean_text(const char *text, const char *language,
                             const privacy_options *options, privacy_tally *tally,
                             vl_arena *arena, const char **out, privacy_found *found,
                             vl_error *error) {
    work w = {.language = language,
              .options = options,
              .tally = tally,
              .arena = arena,
              .found = found};
    vl_status status = make_scratch(&w, error);
    if (!status)
        status = clean_text(text, &w, out, error);
    return finish(&w, status, error);
}

/* ---- tables --------------------------------------------------------------------------------
 */

typedef struct label { /* of a cell */
    bool personal;
    vl_personal_kind kind;
    coordinate_axis axis;
} label;

/* What a cell is by the head above it or the label before it. */
typedef struct field {
    bool personal;
    vl_personal_kind kind;
    coordinate_axis axis;
    const char *rule;
} field;

typedef struct table {
    vl_part *part;
    label *labels;                         /* [cell_count] */
    field *fields;                         /* [cell_count] */
    uint32_t in_column[PARTS_COLUMNS_MAX]; /* labels */
} table;

static bool is_label(const label *l) {
    return l->personal || l->axis;
}

/* "X" and "Y" beside each other in the first row are a map's. */
static bool set_map_heads(table *t) {
    static const struct {
        const char *text;
        coordinate_axis axis;
    } heads[] = {{"X", COORDINATE_LONGITUDE}, {"Y", COORDINATE_LATITUDE}};
    const vl_part_cell *cells = t->part->cells;
    size_t at[2] = {SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < t->part->cell_count && cells[i].row == 0; i++)
        for (size_t h = 0; h < 2; h++)
            if (!strcasecmp(cells[i].text, heads[h].text))
                at[h] = i;
    if (at[0] == SIZE_MAX || at[1] == SIZE_MAX)
        return false;
    for (size_t h = 0; h < 2; h++)
        t->labels[at[h]].axis = heads[h].axis;
    return true;
}

static bool read_labels(table *t, vl_arena *arena) {
    bool any = set_map_heads(t);
    for (size_t i = 0; i < t->part->cell_count; i++) {
        label *l = &t->labels[i];
        if (l->axis)
            continue;
        vl_arena_reset(arena);
        l->personal = vl_personal_label(arena, t->part->cells[i].text, &l->kind);
        l->axis =
            l->personal ? COORDINATE_NONE : coordinates_label(arena, t->part->cells[i].text);
        if (is_label(l) && t->part->cells[i].column < PARTS_COLUMNS_MAX)
            t->in_column[t->part->cells[i].column]++;
        any |= is_label(l);
    }
    return any;
}

/* The cell right of `i` in its row, or SIZE_MAX; cells lie row by row. */
static size_t next_in_row(const table *t, size_t i) {
    const vl_part_cell *cells = t->part->cells;
    for (size_t k = i + 1; k < t->part->cell_count && cells[k].row == cells[i].row; k++)
        if (cells[k].column == cells[i].column + cells[i].column_span)
            return k;
    return SIZE_MAX;
}

static size_t count_of(const char *text, bool letters, size_t *words) {
    size_t count = 0;
    bool inside = false;
    *words = 0;
    for (int32_t at = 0, bytes = (int32_t)strlen(text); at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        bool letter = u_isalpha(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
        count += letters ? letter : u_charType(c) == U_DECIMAL_DIGIT_NUMBER;
        *words += letter && !inside;
        inside = letter || (inside && (c == '\'' || c == '-' || c == 0x2019));
    }
    return count;
}

/* Whether a cell can be what its label says: names have letters, numbers figures. "-" and
 * "n/a" are neither. */
static bool may_be(const char *text, vl_personal_kind kind) {
    enum { LEAST_FIGURES = 4, PHONE_FIGURES = 6, LEAST_LETTERS = 2 };
    size_t words;
    if (kind == VL_PERSONAL_NAME)
        return count_of(text, true, &words) >= LEAST_LETTERS;
    return count_of(text, false, &words) >=
           (kind == VL_PERSONAL_PHONE ? PHONE_FIGURES : LEAST_FIGURES);
}

/* Two to five words, each with a capital letter where the script has them. */
static bool looks_like_name(const char *text) {
    size_t words;
    bool first = true;
    count_of(text, true, &words);
    if (words < 2 || words > 5)
        return false;
    for (int32_t at = 0, bytes = (int32_t)strlen(text); at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (first && u_islower(c))
            return false;
        if (u_charType(c) == U_DECIMAL_DIGIT_NUMBER)
            return false;
        first = c == ' ' || c == '-';
    }
    return true;
}

static void set_field(const table *t, size_t i, const label *l, const char *rule) {
    const char *text = t->part->cells[i].text;
    field *f = &t->fields[i];
    if (is_label(&t->labels[i]) || !*text)
        return;
    if (l->personal && may_be(text, l->kind)) {
        f->personal = true;
        f->kind = l->kind;
        f->rule = rule;
    }
    f->axis = l->axis ? l->axis : f->axis;
}

static void set_column(const table *t, size_t head) {
    const vl_part_cell *cells = t->part->cells;
    for (size_t i = 0; i < t->part->cell_count; i++)
        if (cells[i].row > cells[head].row && cells[i].column >= cells[head].column &&
            cells[i].column < cells[head].column + cells[head].column_span && !cells[i].heading)
            set_field(t, i, &t->labels[head], "column");
}

/* A label in the first row is the head of its column, unless its column has more labels, as
 * forms have them. Where it may be either, a value beside it that looks like one goes too. */
static void set_from_label(const table *t, size_t i) {
    const vl_part_cell *cell = &t->part->cells[i];
    const label *l = &t->labels[i];
    size_t beside = next_in_row(t, i);
    bool alone = beside == SIZE_MAX || t->part->cells[beside].heading;
    bool more = cell->column < PARTS_COLUMNS_MAX && t->in_column[cell->column] > 1;
    bool form = more || (cell->row > 0 && !cell->heading) || (cell->heading && !alone);
    if (!form && (cell->row == 0 || cell->heading))
        set_column(t, i);
    if (alone)
        return;
    const char *value = t->part->cells[beside].text;
    bool narrow = t->part->column_count == 2 || t->part->row_count < 2;
    bool likely = l->personal && l->kind == VL_PERSONAL_NAME
                      ? narrow && looks_like_name(value)
                      : l->axis || may_be(value, l->kind);
    if (form || likely)
        set_field(t, beside, l, "beside");
}

static vl_status clean_field(vl_part_cell *cell, const field *f, work *w, vl_error *error) {
    w->text = cell->text;
    w->finds = NULL;
    w->count = 0;
    vl_arena_reset(w->scratch);
    vl_status status = *cell->text ? find_all(w, f->axis, error) : VL_OK;
    if (status)
        return status;
    /* Its label counts more than what is found in it: all of it goes. */
    if (f->personal) {
        w->finds = vl_arena_array(w->scratch, 1, sizeof *w->finds);
        if (!w->finds)
            return no_memory(error);
        w->count = 0;
        add_find(w, (find){0, strlen(cell->text), f->kind, f->rule, NULL});
    }
    return clean(w, true, &cell->text, error);
}

/* A row a line, cells apart by tabs, as parts_table_finish has it. */
static vl_status say_table(vl_part *part, vl_arena *arena, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < part->cell_count; i++) {
        const vl_part_cell *cell = &part->cells[i];
        bool begins = i && cell->row != part->cells[i - 1].row;
        vl_buf_puts(&text, !i ? "" : begins ? "\n" : "\t");
        vl_buf_puts(&text, cell->text);
    }
    vl_status status = vl_buf_status(&text, "a table", error);
    if (!status && !(part->text = vl_arena_strdup(arena, text.data ? text.data : "")))
        status = no_memory(error);
    vl_buf_deinit(&text);
    return status;
}

static vl_status clean_table(vl_part *part, work *w, vl_error *error) {
    table *t = vl_arena_alloc(w->arena, sizeof *t);
    if (!t)
        return no_memory(error);
    t->part = part;
    t->labels = vl_arena_array(w->arena, part->cell_count, sizeof *t->labels);
    t->fields = vl_arena_array(w->arena, part->cell_count, sizeof *t->fields);
    vl_status status = t->labels && t->fields ? VL_OK : no_memory(error);
    if (!status && read_labels(t, w->scratch))
        for (size_t i = 0; i < part->cell_count; i++)
            if (is_label(&t->labels[i]))
                set_from_label(t, i);
    for (size_t i = 0; i < part->cell_count && !status; i++)
        status = clean_field(&part->cells[i], &t->fields[i], w, error);
    return !status && w->found->changed ? say_table(part, w->arena, error) : status;
}

/* ---- documents -----------------------------------------------------------------------------
 */

/* Forms, too, come as lines: "Name:" is a part, and what was filled in is the next one. */
static void read_line_label(const vl_part *before, const vl_part *part, vl_arena *scratch,
                            field *f) {
    enum { LONGEST = 120 };
    size_t bytes = strlen(before->text), length = strlen(part->text);
    bool colon = bytes && (before->text[bytes - 1] == ':' ||
                           (bytes > 3 && !strcmp(before->text + bytes - 3, "\xef\xbc\x9a")));
    if (!colon || before->cell_count || part->cell_count || before->page != part->page ||
        !length || length > LONGEST || part->text[length - 1] == ':')
        return;
    vl_arena_reset(scratch);
    bool is_personal = vl_personal_label(scratch, before->text, &f->kind);
    f->rule = "beside";
    f->personal = is_personal && (f->kind == VL_PERSONAL_NAME ? looks_like_name(part->text)
                                                              : may_be(part->text, f->kind));
    f->axis = is_personal ? COORDINATE_NONE : coordinates_label(scratch, before->text);
}

static vl_status clean_line(const char *text, const field *f, work *w, const char **out,
                            vl_error *error) {
    if (!f->personal && !f->axis)
        return clean_text(text, w, out, error);
    vl_part_cell cell = {.text = text};
    vl_status status = clean_field(&cell, f, w, error);
    *out = cell.text;
    return status;
}

vl_status privacy_clean_parts(vl_parts *parts, const privacy_options *options,
                              privacy_tally *tally, vl_arena *arena, privacy_found **found,
                              vl_error *error) {
    privacy_found title = {.changed = false};
    work w = {.language = parts->declared,
              .options = options,
              .tally = tally,
              .arena = arena,
              .found = &title};
    *found = vl_arena_array(arena, parts->part_count + 1, sizeof **found);
    vl_status status = *found ? make_scratch(&w, error) : no_memory(error);
    if (!status)
        status = clean_text(parts->title, &w, &parts->title, error);
    for (size_t i = 0; i < parts->part_count && !status; i++) {
        vl_part *part = &parts->parts[i];
        field before = {.personal = false};
        if (i)
            read_line_label(&parts->parts[i - 1], part, w.scratch, &before);
        w.language = part->language;
        w.found = &(*found)[i];
        status = part->cell_count ? clean_table(part, &w, error)
                                  : clean_line(part->text, &before, &w, &part->text, error);
    }
    return finish(&w, status, error);
}

/* ---- pictures ------------------------------------------------------------------------------
 */

/* A fifth of its height more, and two pixels: boxes end at the ink that was seen. */
/* Returns how many pixels it painted. */
static double paint(vl_image *image, vl_box cut, vl_box box, double across, double down) {
    double grow = box.height / 5.0 + 2;
    double x0 = (box.x - grow - cut.x) * across,
           x1 = (box.x + box.width + grow - cut.x) * across;
    double y0 = (box.y - grow - cut.y) * down, y1 = (box.y + box.height + grow - cut.y) * down;
    size_t left = x0 < 0 ? 0 : (size_t)x0, top = y0 < 0 ? 0 : (size_t)y0;
    size_t right = x1 < 0 ? 0 : (size_t)x1 + 1, bottom = y1 < 0 ? 0 : (size_t)y1 + 1;
    right = right < image->width ? right : image->width;
    bottom = bottom < image->height ? bottom : image->height;
    for (size_t y = top; y < bottom && left < right; y++)
        memset(image->pixels + y * image->stride + left * image->channels, 0,
               (right - left) * image->channels);
    return top < bottom && left < right ? (double)(bottom - top) * (double)(right - left) : 0;
}

/* ---- words that are gone ------------------------------------------------------------------
 */

enum { WORDS_MOST = 1500 };

/* Words of the cleaned text, apart by white space; NULL: no memory. */
static const char **split_words(char *text, size_t *count) {
    const char **words = malloc((strlen(text) / 2 + 1) * sizeof *words);
    char *rest = NULL;
    *count = 0;
    for (char *word = words ? strtok_r(text, " \t\n", &rest) : NULL; word;
         word = strtok_r(NULL, " \t\n", &rest))
        words[(*count)++] = word;
    return words;
}

/* Marks the words of the page that a longest common subsequence with the cleaned text leaves
 * out (Wagner and Fischer 1974); where several are as long, one that keeps later words. */
static void mark_gone(const vl_part_word *words, size_t count, const char *const *kept,
                      size_t kept_count, bool *gone) {
    size_t head = 0, tail = 0;
    while (head < count && head < kept_count && !strcmp(words[head].text, kept[head]))
        head++;
    while (tail < count - head && tail < kept_count - head &&
           !strcmp(words[count - 1 - tail].text, kept[kept_count - 1 - tail]))
        tail++;
    const size_t n = count - head - tail, m = kept_count - head - tail;
    uint16_t *longest =
        n <= WORDS_MOST && m <= WORDS_MOST ? calloc((n + 1) * (m + 1), sizeof *longest) : NULL;
    for (size_t i = head; i < head + n; i++)
        gone[i] = true;
    if (!longest)
        return;
    for (size_t i = 1; i <= n; i++)
        for (size_t k = 1; k <= m; k++) {
            uint16_t *at = &longest[i * (m + 1) + k], up = at[-(ptrdiff_t)(m + 1)],
                     left = at[-1];
            bool same = !strcmp(words[head + i - 1].text, kept[head + k - 1]);
            *at = same ? (uint16_t)(at[-(ptrdiff_t)(m + 2)] + 1) : up > left ? up : left;
        }
    for (size_t i = n, k = m; i && k;) {
        const uint16_t *at = &longest[i * (m + 1) + k];
        if (!strcmp(words[head + i - 1].text, kept[head + k - 1]) &&
            *at == at[-(ptrdiff_t)(m + 2)] + 1) {
            gone[head + i - 1] = false;
            i--;
            k--;
        } else if (at[-(ptrdiff_t)(m + 1)] >= at[-1])
            i--;
        else
            k--;
    }
    free(longest);
}

/* The part's words that its text does not have any more; false: it is not known which. */
static bool find_gone(const vl_part *part, bool **gone) {
    char *text = part->word_count ? strdup(part->text) : NULL;
    size_t count = 0;
    const char **kept = text ? split_words(text, &count) : NULL;
    *gone = kept ? calloc(part->word_count, sizeof **gone) : NULL;
    if (*gone)
        mark_gone(part->words, part->word_count, kept, count, *gone);
    free(kept);
    free(text);
    return *gone != NULL;
}

static double cover_part(const vl_part *part, vl_box cut, vl_image *image, double across,
                         double down) {
    bool *gone;
    double painted = 0;
    if (!find_gone(part, &gone))
        return paint(image, cut, part->box, across, down);
    for (size_t i = 0; i < part->word_count; i++)
        if (gone[i])
            painted += paint(image, cut, part->words[i].box, across, down);
    free(gone);
    return painted;
}

double privacy_cover(const vl_parts *parts, const privacy_found *found, uint32_t page,
                     vl_box cut, vl_image *image) {
    double painted = 0;
    if (cut.width <= 0 || cut.height <= 0 || !image->width || !image->height)
        return 0;
    double across = (double)image->width / cut.width, down = (double)image->height / cut.height;
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        if (found[i].changed && part->has_box && part->page == page &&
            !vl_part_is_picture(part->kind))
            painted += cover_part(part, cut, image, across, down);
    }
    painted /= (double)image->width * image->height;
    return painted < 1 ? painted : 1;
}
