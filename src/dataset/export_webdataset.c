/* export_webdataset.c — tar shards: KEY.png, KEY.json and KEY.txt a base item, with the keys in
 * the JSON that `vislang train` reads (docs/train.md) beside our columns. Samples without a
 * picture are in shards of a folder of their own, since programs that read shards of pictures,
 * ours too, take a sample without one for damaged. */
#include "dataset/export.h"
#include "dataset/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t MAX_PICTURE = (size_t)256 << 20;
enum { BLOCK = 512, NAME = 64 };

typedef struct shard {
    tar *t; /* NULL: none is open */
    unsigned number;
    uint64_t bytes, items;
    char name[NAME];
} shard;
typedef struct shards {
    shard pictures[VL_SPLIT_COUNT], texts[VL_SPLIT_COUNT];
    vl_buf picture;
} shards;

/* ---- what training reads -------------------------------------------------------------------
 */

static bool is_template(const vl_item *item) {
    return !strcmp(item->origin, "template");
}

/* A caption is what the document, or its version in another language, says of the picture. */
static bool is_caption(const export_group *g, size_t i) {
    if (i == 0)
        return g->base_asked && g->base->kind == VL_ITEM_PAIR;
    return g->examples[i - 1].kind == VL_ITEM_DESCRIBE && !is_template(&g->examples[i - 1]);
}

static const vl_item *member(const export_group *g, size_t i) {
    return i ? &g->examples[i - 1] : g->base;
}

static const char *code_of(const vl_item *item) {
    return vl_lang_short(item->language);
}

/* Whether a caption before the i-th has its language and, if it is asked for, its text. */
static bool came_before(const export_group *g, size_t i, bool text) {
    const vl_item *item = member(g, i);
    for (size_t k = 0; k < i; k++)
        if (is_caption(g, k) && !strcmp(code_of(member(g, k)), code_of(item)) &&
            (!text || !strcmp(member(g, k)->text, item->text)))
            return true;
    return false;
}

static void put_captions(vl_buf *out, const export_group *g) {
    bool first = true;
    vl_buf_puts(out, "\"captions\": {");
    for (size_t i = 0; i <= g->count; i++) {
        if (!is_caption(g, i) || came_before(g, i, false))
            continue;
        vl_buf_puts(out, first ? "" : ", ");
        export_put_text(out, code_of(member(g, i)));
        vl_buf_puts(out, ": [");
        export_put_text(out, member(g, i)->text);
        for (size_t k = i + 1; k <= g->count; k++)
            if (is_caption(g, k) && !strcmp(code_of(member(g, k)), code_of(member(g, i))) &&
                !came_before(g, k, true)) {
                vl_buf_puts(out, ", ");
                export_put_text(out, member(g, k)->text);
            }
        vl_buf_puts(out, "]");
        first = false;
    }
    vl_buf_puts(out, "}");
}

/* Instructions that speak of a region of the picture say nothing without it, and the format has
 * no place for one. */
static void put_qa(vl_buf *out, const export_group *g, const char *key, bool templates) {
    bool first = true;
    vl_buf_printf(out, "\"%s\": [", key);
    for (size_t i = 1; i <= g->count; i++) {
        const vl_item *item = member(g, i);
        if (is_caption(g, i) || item->has_region || is_template(item) != templates)
            continue;
        vl_buf_puts(out, first ? "{\"question\": " : ", {\"question\": ");
        export_put_text(out, item->instruction);
        vl_buf_puts(out, ", \"answer\": [");
        export_put_text(out, item->text);
        vl_buf_puts(out, "]}");
        first = false;
    }
    vl_buf_puts(out, "]");
}

static void put_json(vl_buf *out, const export_group *g) {
    vl_buf_puts(out, "{");
    export_put_columns(out, g->base, "", EXPORT_BASE);
    vl_buf_puts(out, ", ");
    put_captions(out, g);
    vl_buf_puts(out, ", ");
    put_qa(out, g, "qa", false);
    vl_buf_puts(out, ", ");
    put_qa(out, g, "derived_qa", true);
    vl_buf_puts(out, ", \"labels\": {\"picture_kind\": ");
    export_put_text(out, g->base->picture_kind);
    vl_buf_puts(out, "}, ");
    export_put_examples(out, g);
    vl_buf_puts(out, "}\n");
}

/* ---- shards --------------------------------------------------------------------------------
 */

static vl_status shards_open(export *e, vl_error *error) {
    shards *s = calloc(1, sizeof *s);
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    vl_buf_init(&s->picture, MAX_PICTURE + 1);
    e->state = s;
    return VL_OK;
}

static void shards_free(export *e) {
    shards *s = e->state;
    for (size_t i = 0; s && i < VL_SPLIT_COUNT; i++) {
        tar_abandon(s->pictures[i].t);
        tar_abandon(s->texts[i].t);
    }
    if (s)
        vl_buf_deinit(&s->picture);
    free(s);
}

static vl_status end_shard(export *e, shard *s, vl_split split, bool texts, vl_error *error) {
    tar *t = s->t;
    if (!t)
        return VL_OK;
    s->t = NULL;
    vl_status status = tar_finish(t, error);
    return status ? status
                  : export_register(e, s->name, "application/x-tar", split, texts, error);
}

static vl_status next_shard(export *e, shard *s, vl_split split, bool texts, vl_error *error) {
    char path[EXPORT_PATH];
    vl_file_writer *none = NULL;
    const char *name = vl_split_name(split);
    snprintf(s->name, sizeof s->name, "%s/%s-%06u.tar", texts ? "text" : name, name,
             s->number++);
    s->bytes = s->items = 0;
    /* The writer makes the folder; the shard has one of its own. */
    vl_status status = export_open(e, s->name, &none, error);
    vl_file_writer_abandon(none);
    if (!status)
        status = export_path(e, s->name, path, error);
    return status ? status : tar_create(path, &s->t, error);
}

static uint64_t in_tar(size_t bytes) {
    return BLOCK + ((uint64_t)bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static vl_status add(shard *s, const vl_item *base, const char *ending, const char *data,
                     size_t bytes, vl_error *error) {
    char name[NAME];
    snprintf(name, sizeof name, "%s%s", base->id, ending);
    s->bytes += in_tar(bytes);
    return tar_add(s->t, name, data, bytes, error);
}

static vl_status read_picture(export *e, const vl_item *base, vl_buf *out, vl_error *error) {
    int fd;
    vl_buf_clear(out);
    if (!*base->picture)
        return VL_OK;
    vl_status status = export_picture_open(e, base, &fd, error);
    if (status)
        return status;
    status = folder_picture_read(fd, base->picture, out, error);
    close(fd);
    e->report->pictures++;
    return status ? vl_error_prefix(error, "item %s", base->id) : VL_OK;
}

static vl_status put_sample(export *e, const export_group *group, vl_error *error) {
    shards *all = e->state;
    const vl_item *base = group->base;
    bool texts = !*base->picture;
    shard *s = texts ? &all->texts[base->split] : &all->pictures[base->split];
    vl_status status = read_picture(e, base, &all->picture, error);
    put_json(&e->line, group);
    if (!status)
        status = vl_buf_status(&e->line, "a sample of the export", error);
    size_t said = strlen(base->text);
    uint64_t bytes = in_tar(all->picture.len) + in_tar(e->line.len) + in_tar(said);
    if (!status && s->t &&
        (s->bytes + bytes > e->options->shard_bytes || s->items >= e->options->shard_items))
        status = end_shard(e, s, base->split, texts, error);
    if (!status && !s->t)
        status = next_shard(e, s, base->split, texts, error);
    if (!status && !texts)
        status =
            add(s, base, export_extension(base), all->picture.data, all->picture.len, error);
    if (!status)
        status = add(s, base, ".json", e->line.data, e->line.len, error);
    if (!status)
        status = add(s, base, ".txt", base->text, said, error);
    vl_buf_clear(&e->line);
    s->items++;
    if (texts)
        e->report->text_rows++;
    else
        e->report->rows[base->split]++;
    return status;
}

static vl_status shards_close(export *e, vl_error *error) {
    shards *s = e->state;
    vl_status status = VL_OK;
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++)
        status = end_shard(e, &s->pictures[i], i, false, error);
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++)
        status = end_shard(e, &s->texts[i], i, true, error);
    return status;
}

static void shards_data_files(const export *e, vl_buf *out) {
    (void)e; /* `captions` has a key a language: no table that `datasets` could make of it */
    (void)out;
}

/* ---- for Croissant -------------------------------------------------------------------------
 */

/* Croissant reads no columns out of JSON that is in a tar: keys, and each JSON as it is. */
static void shards_records(const export *e, cJSON *list) {
    const char *name = "samples";
    cJSON *set = croissant_set(list, name, "What is known of each sample, a base item.");
    cJSON *key = croissant_field(set, name, "key", "sc:Text", "Key of the sample, its id",
                                 CROISSANT_JSON, "fileProperty", "filename");
    croissant_change(key, "regex", "^([0-9a-f]{16})\\.json$", false);
    croissant_field(set, name, "json", "sc:Text", "JSON of the sample", CROISSANT_JSON,
                    "fileProperty", "content");
    croissant_pictures(e, list);
}

const export_layout export_webdataset = {
    .open = shards_open,
    .put = put_sample,
    .close = shards_close,
    .free = shards_free,
    .data_files = shards_data_files,
    .records = shards_records,
    .use =
        "Each split is a folder of tar shards; a sample is `KEY.png` (or `.jpg`), `KEY.json`\n"
        "and `KEY.txt`. Samples without a picture are in shards of the folder `text`. The\n"
        "folder of a split can be the `path` of a source of `vislang train`.\n"
        "\n"
        "```python\n"
        "import glob, webdataset\n"
        "shards = sorted(glob.glob(\"FOLDER/train/*.tar\"))\n"
        "samples = webdataset.WebDataset(shards, shardshuffle=False).decode(\"pil\")\n"
        "for key, picture, about in samples.to_tuple(\"__key__\", \"png;jpg\", \"json\"):\n"
        "    print(key, picture.size, about[\"captions\"])\n"
        "```\n",
};
