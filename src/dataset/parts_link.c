/* parts_link.c — what a document's parts are to each other: captions to their pictures and
 * tables, labels, the text that speaks of them. */
#include "dataset/labels.h"
#include "dataset/parts.h"

#include <stdlib.h>
#include <string.h>

enum { CAPTION_BYTES_MAX = 1200 };

/* ---- captions ---------------------------------------------------------------------------- */

static bool takes_caption(const vl_part *part) {
    return part->kind == VL_PART_TABLE || vl_part_is_picture(part->kind);
}

/* Whether `text` may be the caption of `part`: it is one already, or begins with a label of
 * that sort. */
static bool may_caption(const vl_part *part, const vl_part *text) {
    label found;
    if (text->page != part->page || strlen(text->text) > CAPTION_BYTES_MAX)
        return false;
    if (text->kind == VL_PART_CAPTION)
        return !label_begins(text->text, &found) ||
               (found.kind == VL_PART_TABLE) == (part->kind == VL_PART_TABLE);
    return (text->kind == VL_PART_PARAGRAPH || text->kind == VL_PART_HEADING) &&
           label_begins(text->text, &found) && !label_is_spoken(text->text, &found) &&
           (found.kind == VL_PART_TABLE) == (part->kind == VL_PART_TABLE);
}

/* Whether more pictures have a text that may be their caption above them than below: then all
 * have, and what is below belongs to the next. */
static bool captions_above(const vl_parts *all, const bool *taken) {
    size_t above = 0, below = 0;
    for (size_t i = 0; i < all->part_count; i++) {
        const vl_part *part = &all->parts[i];
        if (!vl_part_is_picture(part->kind) || part->caption != VL_PART_NONE)
            continue;
        above += i > 0 && !taken[i - 1] && may_caption(part, part - 1);
        below += i + 1 < all->part_count && !taken[i + 1] && may_caption(part, part + 1);
    }
    return above > below;
}

/* Tables have theirs above more often, pictures below. */
static void find_caption(vl_parts *all, size_t index, bool pictures_above, bool *taken) {
    vl_part *part = &all->parts[index];
    size_t above = index - 1, below = index + 1;
    size_t order[2] = {below, above};
    if (part->kind == VL_PART_TABLE || pictures_above) {
        order[0] = above;
        order[1] = below;
    }
    for (size_t i = 0; i < 2 && part->caption == VL_PART_NONE; i++) {
        size_t at = order[i];
        if (at < all->part_count && !taken[at] && may_caption(part, &all->parts[at])) {
            part->caption = at;
            taken[at] = true;
            all->parts[at].kind = VL_PART_CAPTION;
            all->parts[at].level = 0;
        }
    }
}

static vl_status find_captions(parts_builder *b) {
    vl_parts *all = b->out;
    bool *taken = calloc(all->part_count + 1, sizeof *taken);
    if (!taken)
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < all->part_count; i++)
        if (all->parts[i].caption < all->part_count)
            taken[all->parts[i].caption] = true;
    bool pictures_above = captions_above(all, taken);
    for (size_t i = 0; i < all->part_count; i++)
        if (takes_caption(&all->parts[i]) && all->parts[i].caption == VL_PART_NONE)
            find_caption(all, i, pictures_above, taken);
    free(taken);
    return VL_OK;
}

/* ---- labels and mentions ----------------------------------------------------------------- */

typedef struct named {
    label label;
    size_t part;
} named;

typedef struct labels {
    parts_builder *builder;
    named *items; /* sorted: kind, number, part */
    size_t count;
    size_t speaker; /* the part whose text is searched */
} labels;

static int compare_labels(const label *a, const label *b) {
    int by_kind = (a->kind > b->kind) - (a->kind < b->kind);
    return by_kind ? by_kind : strcmp(a->number, b->number);
}

static int by_label(const void *x, const void *y) {
    const named *a = x, *b = y;
    int order = compare_labels(&a->label, &b->label);
    return order ? order : (a->part > b->part) - (a->part < b->part);
}

/* What its label says, else the words of its caption, else those of its description, counts
 * more than what it looks like. */
static void refine_kind(vl_part *part, const label *found, const char *caption) {
    if (!vl_part_is_picture(part->kind))
        return;
    vl_part_kind kind = VL_PART_FIGURE;
    if (found && found->kind != VL_PART_TABLE)
        kind = found->kind;
    if (kind == VL_PART_FIGURE)
        kind = label_picture_kind(caption);
    if (kind == VL_PART_FIGURE)
        kind = label_picture_kind(part->text);
    part->kind = kind == VL_PART_FIGURE ? part->kind : kind;
}

/* The part's label from its caption; false: it has none. */
static bool name_part(parts_builder *b, vl_part *part, label *found) {
    const char *caption =
        part->caption == VL_PART_NONE ? "" : b->out->parts[part->caption].text;
    bool has = label_begins(caption, found);
    refine_kind(part, has ? found : NULL, caption);
    if (has)
        part->label =
            vl_arena_strndup(b->arena, caption + found->start, found->end - found->start);
    return has && part->label;
}

static void add_mention(labels *in, size_t item) {
    vl_part *part = &in->builder->out->parts[in->items[item].part];
    size_t count = part->mention_count;
    if (count && part->mentions[count - 1] == in->speaker)
        return;
    if (!(count & (count - 1))) { /* a power of two, or nothing yet: full */
        size_t bytes = count * sizeof *part->mentions;
        size_t *more = vl_arena_grow(in->builder->arena, part->mentions, bytes,
                                     bytes ? 2 * bytes : sizeof *more);
        if (!more) {
            in->builder->status = vl_fail(in->builder->error, VL_ERR_MEMORY, "out of memory");
            return;
        }
        part->mentions = more;
    }
    part->mentions[part->mention_count++] = in->speaker;
}

/* Of several parts with that label (numbering begins anew in annexes) the nearest. */
static void take_mention(const label *found, void *user) {
    labels *in = user;
    size_t low = 0, high = in->count;
    named key = {*found, in->speaker};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_label(&in->items[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool after = low < in->count && label_same(&in->items[low].label, found);
    bool before = low > 0 && label_same(&in->items[low - 1].label, found);
    if (!after && !before)
        return;
    if (after && before)
        after = in->items[low].part - in->speaker <= in->speaker - in->items[low - 1].part;
    add_mention(in, after ? low : low - 1);
}

static vl_status link_labels(parts_builder *b) {
    vl_parts *all = b->out;
    labels in = {.builder = b, .items = calloc(all->part_count + 1, sizeof *in.items)};
    if (!in.items)
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < all->part_count; i++)
        if (takes_caption(&all->parts[i]) &&
            name_part(b, &all->parts[i], &in.items[in.count].label))
            in.items[in.count++].part = i;
    qsort(in.items, in.count, sizeof *in.items, by_label);
    for (size_t i = 0; in.count && i < all->part_count && !b->status; i++) {
        in.speaker = i;
        if (all->parts[i].kind == VL_PART_PARAGRAPH || all->parts[i].kind == VL_PART_LIST)
            labels_find(all->parts[i].text, take_mention, &in);
    }
    free(in.items);
    return b->status;
}

vl_status parts_finish(parts_builder *b) {
    if (!b->status && !parts_languages(b) && !find_captions(b))
        link_labels(b);
    return b->status;
}
