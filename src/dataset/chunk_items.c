/* chunk_items.c — what a document's parts become: pairs of pictures and texts, passages, and
 * the examples that are made of each. */
#include "dataset/chunk_inside.h"

#include "dataset/dice.h"
#include "dataset/labels.h"
#include "dataset/picture_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- an item -------------------------------------------------------------------------------
 */

/* The first 64 bits of the SHA-256 of what it is made of. */
static vl_status name_item(const chunk_worker *w, vl_item *item, vl_error *error) {
    char place[64], hash[VL_SHA256_HEX_SIZE];
    vl_sha256 *made_of = vl_sha256_new();
    if (!made_of)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    snprintf(place, sizeof place, "%u\n%u", item->source.part, item->source.text_part);
    const char *const names[] = {
        w->now->from->sha256, w->now->from->record, vl_item_kind_name(item->kind), place,
        item->phrase,         item->instruction};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        vl_sha256_update(made_of, names[i], strlen(names[i]) + 1);
    vl_sha256_finish(made_of, hash);
    snprintf(item->id, sizeof item->id, "%.16s", hash);
    return VL_OK;
}

static vl_item blank_item(const chunk_worker *w, vl_item_kind kind) {
    const opened *d = w->now;
    const char *title = chunk_provenance(d, "title");
    vl_item item = {.kind = kind,
                    .picture = "",
                    .picture_kind = "",
                    .instruction = "",
                    .text = "",
                    .origin = "document",
                    .phrase = "",
                    .review = ""};
    item.source.document = d->from->sha256;
    item.source.record = d->from->record;
    item.source.url = chunk_provenance(d, "url");
    /* A folder knows files by their names alone. */
    bool named = *title && strcmp(chunk_provenance(d, "source"), "dir") != 0;
    item.source.title = named || !*d->parts->title ? title : d->parts->title;
    item.source.licence = chunk_provenance(d, "licence");
    item.source.publisher = chunk_provenance(d, "publisher");
    item.source.published = chunk_provenance(d, "published");
    item.source.fetched = chunk_provenance(d, "fetched");
    return item;
}

static void set_language(vl_item *item, const char *language, const char *script) {
    snprintf(item->language, sizeof item->language, "%s", language);
    snprintf(item->script, sizeof item->script, "%s", script);
}

static void set_picture(vl_item *item, const stored *picture) {
    item->picture = picture->path;
    item->width = picture->width;
    item->height = picture->height;
    item->picture_kind = picture->kind;
    item->has_phash = picture->has_phash;
    item->phash = picture->phash;
}

static void set_place(vl_item *item, const vl_parts *parts, size_t part, size_t text_part) {
    const vl_part *p = &parts->parts[part];
    item->source.page = p->page;
    item->source.part = (uint32_t)part;
    item->source.text_part = (uint32_t)text_part;
    item->source.has_box = p->has_box;
    item->source.box = p->box;
    item->source.dpi = p->page < parts->page_count ? parts->pages[p->page].dpi : 0;
    item->source.ocr = p->ocr;
}

static void add_personal(vl_item *item, const privacy_found *found) {
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        item->personal[i] += found->counts[i];
}

static vl_status put_item(chunk_worker *w, const vl_item *item, vl_error *error) {
    vl_buf_clear(&w->line);
    vl_buf_puts(&w->line, vl_item_is_base(item->kind) ? "B " : "E ");
    vl_status status = vl_item_write(item, &w->line, error);
    w->counts->items++;
    return status ? status : vl_file_writer_put(w->out, w->line.data, w->line.len, error);
}

/* ---- the same text in other languages ------------------------------------------------------
 */

typedef struct counterparts {
    const char *texts[ALIGNED_HITS_MAX], *languages[ALIGNED_HITS_MAX],
        *origins[ALIGNED_HITS_MAX];
    size_t count;
} counterparts;

static void add_counterpart(counterparts *c, const char *text, const char *language,
                            const char *origin) {
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->languages[i], language))
            return;
    if (c->count == ALIGNED_HITS_MAX)
        return;
    c->texts[c->count] = text;
    c->languages[c->count] = language;
    c->origins[c->count++] = origin;
}

/* The caption that another version of the document has under the same number: "Figure 3" and
 * "Graphique 3" of one report name one figure. Where several have it (numbered anew in an
 * annex; charts beside maps) the one with the same word counts, and none where that leaves a
 * doubt. */
static const char *caption_of_version(const opened *version, const label *wanted) {
    const char *same = NULL, *like = NULL;
    size_t same_count = 0, like_count = 0;
    label here;
    for (size_t i = 0; i < version->parts->part_count; i++) {
        const vl_part *part = &version->parts->parts[i];
        if (part->kind != VL_PART_CAPTION || !label_begins(part->text, &here) ||
            strcmp(here.number, wanted->number) != 0 ||
            (here.kind == VL_PART_TABLE) != (wanted->kind == VL_PART_TABLE))
            continue;
        like = part->text;
        like_count++;
        if (label_same(&here, wanted)) {
            same = part->text;
            same_count++;
        }
    }
    return same_count == 1 ? same : like_count == 1 ? like : NULL;
}

/* The captions of a version; those whose number says that they are not `wanted` (NULL: it has
 * none) are left out. */
static vl_status captions_of(const chunk_worker *w, const opened *version, const label *wanted,
                             aligned_side *to, vl_error *error) {
    const vl_parts *parts = version->parts;
    const char **texts = vl_arena_array(w->now->arena, parts->part_count + 1, sizeof *texts);
    label here;
    *to = (aligned_side){.texts = texts, .language = version->language};
    if (!texts)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for captions");
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        if (part->kind != VL_PART_CAPTION || !*part->text)
            continue;
        bool other = wanted && label_begins(part->text, &here) &&
                     strcmp(here.number, wanted->number) != 0;
        if (!other)
            texts[to->count++] = part->text;
    }
    return VL_OK;
}

/* The caption of another version that says what this one says, where numbers do not tell. */
static vl_status guess_caption(chunk_worker *w, const opened *version, const char *text,
                               const label *wanted, counterparts *to, vl_error *error) {
    const double least = w->kit->recipe->min_alignment_confidence;
    aligned_side own, other;
    size_t at = 0, found = SIZE_MAX;
    double confidence = 0;
    vl_status status = captions_of(w, w->now, NULL, &own, error);
    if (!status)
        status = captions_of(w, version, wanted, &other, error);
    while (!status && at < own.count && strcmp(own.texts[at], text) != 0)
        at++;
    if (status || at == own.count || !other.count)
        return status;
    status = aligned_guess(w->kit->space, &own, at, &other, least, &found, &confidence, error);
    if (status || found == SIZE_MAX)
        return status;
    const char *origin = vl_arena_printf(w->now->arena, "alignment:%.2f", confidence);
    if (!origin)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for captions");
    add_counterpart(to, other.texts[found], version->language, origin);
    return VL_OK;
}

static vl_status find_in_version(chunk_worker *w, const opened *version, const char *text,
                                 const label *wanted, counterparts *to, vl_error *error) {
    const char *caption = wanted ? caption_of_version(version, wanted) : NULL;
    if (caption) {
        add_counterpart(to, caption, version->language, "aligned:version");
        return VL_OK;
    }
    return w->kit->space && build_list_has(&w->kit->recipe->target_languages, version->language)
               ? guess_caption(w, version, text, wanted, to, error)
               : VL_OK;
}

static vl_status find_counterparts(chunk_worker *w, const char *text, const char *language,
                                   counterparts *to, vl_error *error) {
    aligned_hit hits[ALIGNED_HITS_MAX];
    label wanted;
    bool labelled = label_begins(text, &wanted);
    vl_status status = VL_OK;
    *to = (counterparts){.count = 0};
    for (size_t i = 0; !status && i < w->open; i++) {
        const opened *other = &w->documents[i];
        if (other == w->now || !other->parts || !other->from->current ||
            !strcmp(other->language, w->now->language) || !strcmp(other->language, "und"))
            continue;
        status = find_in_version(w, other, text, labelled ? &wanted : NULL, to, error);
    }
    size_t count = aligned_find(w->kit->aligned, text, language, w->now->arena, hits);
    for (size_t i = 0; i < count; i++)
        add_counterpart(to, hits[i].text, hits[i].language, hits[i].origin);
    return status;
}

/* ---- examples ------------------------------------------------------------------------------
 */

/* The state that the document's file had before: the last one that was replaced. */
static const vl_parts *older_state(const chunk_worker *w) {
    const vl_parts *older = NULL;
    for (size_t i = 0; i < w->open; i++) {
        const opened *d = &w->documents[i];
        if (!d->from->current && d->parts && !strcmp(d->from->file, w->now->from->file))
            older = d->parts;
    }
    return older;
}

/* Without what its own crisis is called, a record has none that is certain. */
static const char *crisis_of(const vl_build_document *from, vl_arena *arena) {
    size_t length = strcspn(from->disaster, ",");
    return length ? vl_arena_strndup(arena, from->disaster, length) : NULL;
}

static vl_status put_example(chunk_worker *w, const vl_item *base, const example *e,
                             vl_error *error) {
    vl_item item = *base;
    memcpy(item.base, base->id, sizeof item.base);
    item.kind = e->kind;
    item.instruction = e->instruction;
    item.text = e->text;
    item.origin = e->origin;
    item.phrase = e->phrase;
    item.has_region = e->has_region;
    item.region = e->region;
    snprintf(item.instruction_language, sizeof item.instruction_language, "%s",
             e->instruction_language);
    set_language(&item, e->language, vl_text_script(e->text, NULL));
    vl_status status = name_item(w, &item, error);
    return status ? status : put_item(w, &item, error);
}

/* Which language it is, is asked of one passage in four: there is little to learn from more. */
static unsigned kinds_for(const build_recipe *recipe, uint64_t name) {
    return name % 4 ? recipe->kinds & ~(1U << VL_ITEM_LANGUAGE) : recipe->kinds;
}

/* A base item, then its examples. */
static vl_status put_base(chunk_worker *w, vl_item *item, instruct_subject *subject,
                          vl_error *error) {
    const build_recipe *recipe = w->kit->recipe;
    counterparts other;
    example *examples = NULL;
    size_t count = 0;
    instruct_options how = {.style = recipe->instruction_style,
                            .target_languages = recipe->target_languages.items,
                            .target_count = recipe->target_languages.count,
                            .most = recipe->examples_per_item,
                            .seed = recipe->seed};
    item->quality[VL_QUALITY_DUPLICATES] = 1;
    item->score = quality_score(&w->kit->quality, item->quality);
    vl_status status = name_item(w, item, error);
    if (!status)
        status = put_item(w, item, error);
    if (status || !how.most)
        return status;
    status = find_counterparts(w, item->text, item->language, &other, error);
    if (status)
        return status;
    uint64_t name = strtoull(item->id, NULL, 16);
    how.seed ^= name;
    how.kinds = kinds_for(recipe, name);
    subject->parts = w->now->parts;
    subject->text = item->text;
    subject->language = item->language;
    subject->script = item->script;
    subject->aligned = other.texts;
    subject->aligned_languages = other.languages;
    subject->aligned_origins = other.origins;
    subject->aligned_count = other.count;
    subject->older = older_state(w);
    subject->crisis = crisis_of(w->now->from, w->now->arena);
    subject->has_picture = *item->picture != '\0';
    status = instruct_examples(w->kit->phrases, subject, &how, w->now->arena, &examples, &count,
                               error);
    for (size_t i = 0; !status && i < count; i++)
        status = put_example(w, item, &examples[i], error);
    return status;
}

/* ---- pairs ---------------------------------------------------------------------------------
 */

/* For pairs_find: each picture is decoded once, looked at, and stored. */
static vl_status give_picture(void *user, size_t part, const vl_image **image,
                              vl_error *error) {
    chunk_worker *w = user;
    vl_image_free(w->image);
    w->image = NULL;
    vl_status status = chunk_part_image(w, w->now, part, &w->image, error);
    const uint32_t least = w->kit->recipe->min_picture_side;
    if (!status && w->image && (w->image->width < least || w->image->height < least)) {
        vl_image_free(w->image);
        w->image = NULL;
    }
    if (!status && w->image) {
        vl_part_kind kind = picture_kind_of(w->image, w->now->parts->parts[part].kind);
        status = chunk_store(w, w->image, vl_part_kind_name(kind), &w->pictures[part], error);
    }
    *image = w->image;
    return status;
}

static vl_status put_pair(chunk_worker *w, const pair *p, vl_error *error) {
    const opened *d = w->now;
    const vl_part *text = &d->parts->parts[p->text_part];
    const stored *file = &w->pictures[p->picture];
    vl_item item = blank_item(w, VL_ITEM_PAIR);
    if (!*file->path || p->score < w->kit->recipe->min_pair_score ||
        !build_list_has(&w->kit->recipe->languages, text->language))
        return VL_OK;
    item.text = p->text;
    set_language(&item, text->language, text->script);
    set_picture(&item, file);
    set_place(&item, d->parts, p->picture, p->text_part);
    item.source.ocr = text->ocr;
    quality_of_text(text, p->text, w->kit->ngram, item.quality);
    item.quality[VL_QUALITY_ALIGNMENT] = p->score;
    add_personal(&item, &d->found[p->text_part]);
    if (p->picture != p->text_part)
        add_personal(&item, &d->found[p->picture]);
    w->paired[p->picture] = true;
    return put_base(w, &item, &(instruct_subject){.part = p->picture, .pair = p}, error);
}

static vl_status put_pairs(chunk_worker *w, vl_error *error) {
    pair *pairs = NULL;
    size_t count = 0;
    pairs_options how = {give_picture, w, w->kit->seer};
    vl_status status = pairs_find(w->now->parts, &how, w->now->arena, &pairs, &count, error);
    vl_image_free(w->image);
    w->image = NULL;
    for (size_t i = 0; !status && i < count; i++)
        status = put_pair(w, &pairs[i], error);
    return status;
}

/* ---- passages ------------------------------------------------------------------------------
 */

/* Paragraphs and lists that follow each other on one page and in one language, up to so many
 * characters; what is longer alone stays whole. */
typedef struct passage {
    size_t first, end; /* parts; those between that are no text are left out */
    vl_part about;     /* what they have in common */
    char *text;
    privacy_found found;
} passage;

/* Where passages have no page to be shown on, a paragraph that goes on over a page is whole. */
static bool is_whole(const chunk_worker *w) {
    return !w->kit->recipe->page_pictures;
}

static bool is_text(const chunk_worker *w, const vl_part *part) {
    return (part->kind == VL_PART_PARAGRAPH || part->kind == VL_PART_LIST) && *part->text &&
           !(is_whole(w) && part->continues);
}

/* NULL: no memory. */
static const char *text_of(const chunk_worker *w, size_t part) {
    const vl_parts *parts = w->now->parts;
    return is_whole(w) && parts->parts[part].goes_on
               ? vl_parts_whole_text(parts, part, w->now->arena)
               : parts->parts[part].text;
}

static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static vl_box box_around(vl_box a, vl_box b) {
    int32_t left = a.x < b.x ? a.x : b.x, top = a.y < b.y ? a.y : b.y,
            right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width,
            bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    return (vl_box){left, top, right - left, bottom - top};
}

static bool goes_on(const vl_part *first, const vl_part *next) {
    return next->page == first->page && !strcmp(next->language, first->language) &&
           next->has_box == first->has_box;
}

/* The texts of parts, a line each; NULL: no memory. */
static char *put_together(const chunk_worker *w, size_t first, size_t end) {
    vl_arena *arena = w->now->arena;
    const char **texts = vl_arena_array(arena, end - first, sizeof *texts);
    size_t bytes = 0;
    for (size_t i = first; texts && i < end; i++) {
        texts[i - first] = text_of(w, i);
        if (!texts[i - first])
            return NULL;
        bytes += strlen(texts[i - first]) + 1;
    }
    char *text = texts ? vl_arena_alloc(arena, bytes + 1) : NULL, *to = text;
    for (size_t i = 0; text && i < end - first; i++)
        to += sprintf(to, "%s%s", i ? "\n" : "", texts[i]);
    return text;
}

/* The passage that begins at part `at`; VL_ERR_MEMORY. */
static vl_status take_passage(const chunk_worker *w, size_t at, passage *out, vl_error *error) {
    const opened *d = w->now;
    const vl_part *parts = d->parts->parts;
    size_t length = characters(parts[at].text), i = at + 1;
    double weight = (double)strlen(parts[at].text), confidence = parts[at].confidence * weight,
           certainty = parts[at].certainty * weight;
    *out = (passage){.first = at, .about = parts[at], .found = d->found[at]};
    for (; i < d->parts->part_count && is_text(w, &parts[i]) && goes_on(&parts[at], &parts[i]);
         i++) {
        const size_t more = characters(parts[i].text);
        const double share = (double)strlen(parts[i].text);
        if (length + 1 + more > w->kit->recipe->passage_characters)
            break;
        length += 1 + more;
        weight += share;
        confidence += parts[i].confidence * share;
        certainty += parts[i].certainty * share;
        out->about.ocr = out->about.ocr || parts[i].ocr;
        if (out->about.has_box)
            out->about.box = box_around(out->about.box, parts[i].box);
        for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
            out->found.counts[k] += d->found[i].counts[k];
    }
    out->end = i;
    out->about.confidence = confidence / fmax(weight, 1);
    out->about.certainty = certainty / fmax(weight, 1);
    out->text = put_together(w, at, i);
    return out->text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a passage");
}

static vl_box scaled(vl_box box, double scale) {
    return (vl_box){(int32_t)(box.x * scale), (int32_t)(box.y * scale),
                    (int32_t)ceil(box.width * scale), (int32_t)ceil(box.height * scale)};
}

/* A table is no text to be read: it is as good as its cells are full. */
static double table_readability(const vl_part *table) {
    size_t full = 0;
    for (size_t i = 0; i < table->cell_count; i++)
        full += *table->cells[i].text != '\0';
    return table->cell_count ? (double)full / (double)table->cell_count : 0;
}

static vl_status put_passage(chunk_worker *w, const passage *p, vl_error *error) {
    const opened *d = w->now;
    instruct_subject subject = {.part = p->first, .end = p->end};
    vl_item item = blank_item(w, VL_ITEM_TEXT);
    const stored *page = NULL;
    vl_status status = VL_OK;
    if (!build_list_has(&w->kit->recipe->languages, p->about.language))
        return VL_OK;
    item.text = p->text;
    set_language(&item, p->about.language, p->about.script);
    set_place(&item, d->parts, p->first, p->first);
    item.source.box = p->about.box;
    item.source.ocr = p->about.ocr;
    quality_of_text(&p->about, p->text, w->kit->ngram, item.quality);
    item.quality[VL_QUALITY_ALIGNMENT] = 1;
    if (p->about.kind == VL_PART_TABLE)
        item.quality[VL_QUALITY_READABILITY] = table_readability(&p->about);
    add_personal(&item, &p->found);
    if (w->kit->recipe->page_pictures && p->about.has_box)
        status = chunk_page(w, p->about.page, &page, error);
    if (!status && page && *page->path) {
        set_picture(&item, page);
        item.has_region = subject.has_region = true;
        item.region = subject.region = scaled(p->about.box, page->scale);
    }
    return status ? status : put_base(w, &item, &subject, error);
}

static vl_status put_passages(chunk_worker *w, vl_error *error) {
    const vl_parts *parts = w->now->parts;
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < parts->part_count;) {
        passage p;
        if (!is_text(w, &parts->parts[i])) {
            i++;
            continue;
        }
        status = take_passage(w, i, &p, error);
        if (!status)
            status = put_passage(w, &p, error);
        i = p.end;
    }
    return status;
}

/* A table that made no pair is a passage of its own, a row a line: so that it can be asked. */
static vl_status put_tables(chunk_worker *w, vl_error *error) {
    const opened *d = w->now;
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < d->parts->part_count; i++) {
        const vl_part *part = &d->parts->parts[i];
        if (part->kind != VL_PART_TABLE || w->paired[i] || part->row_count < 2 ||
            part->column_count < 2)
            continue;
        passage p = {.first = i, .end = i + 1, .about = *part, .found = d->found[i]};
        p.text = vl_arena_strdup(d->arena, part->text);
        status = p.text ? put_passage(w, &p, error)
                        : vl_fail(error, VL_ERR_MEMORY, "no memory for a table");
    }
    return status;
}

vl_status chunk_items(chunk_worker *w, vl_error *error) {
    const vl_parts *parts = w->now->parts;
    vl_status status = VL_OK;
    w->pictures = vl_arena_array(w->now->arena, parts->part_count + 1, sizeof *w->pictures);
    w->pages = vl_arena_array(w->now->arena, parts->page_count + 1, sizeof *w->pages);
    w->paired = vl_arena_array(w->now->arena, parts->part_count + 1, sizeof *w->paired);
    if (!w->pictures || !w->pages || !w->paired)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a document's pictures");
    memset(w->pictures, 0, (parts->part_count + 1) * sizeof *w->pictures);
    memset(w->paired, 0, (parts->part_count + 1) * sizeof *w->paired);
    memset(w->pages, 0, (parts->page_count + 1) * sizeof *w->pages);
    if (build_recipe_wants(w->kit->recipe, VL_ITEM_PAIR))
        status = put_pairs(w, error);
    if (!status && build_recipe_wants(w->kit->recipe, VL_ITEM_TEXT))
        status = put_passages(w, error);
    if (!status && build_recipe_wants(w->kit->recipe, VL_ITEM_TEXT))
        status = put_tables(w, error);
    return status;
}
