/* export_lines.c — layouts of JSON Lines: imagefolder, a row for a base item with its examples
 * in it, pictures beside; and jsonl, a row for every item. Both load with the `datasets`
 * library of Hugging Face by their names. */
#include "dataset/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_TYPE "application/jsonlines"

typedef struct lines {
    vl_file_writer *splits[VL_SPLIT_COUNT], *texts; /* NULL: no row so far */
} lines;

static vl_status lines_open(export *e, vl_error *error) {
    e->state = calloc(1, sizeof(lines));
    return e->state ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
}

static void lines_free(export *e) {
    lines *l = e->state;
    for (size_t i = 0; l && i < VL_SPLIT_COUNT; i++)
        vl_file_writer_abandon(l->splits[i]);
    if (l)
        vl_file_writer_abandon(l->texts);
    free(l);
}

static vl_status commit(export *e, vl_file_writer **file, const char *name, vl_split split,
                        bool texts, vl_error *error) {
    vl_file_writer *whole = *file;
    if (!whole)
        return VL_OK;
    *file = NULL;
    vl_status status = vl_file_writer_commit(whole, error);
    return status ? status : export_register(e, name, ROWS_TYPE, split, texts, error);
}

/* ---- imagefolder ---------------------------------------------------------------------------
 */

#define TEXTS "text.jsonl"

static void folder_name(vl_split split, char name[64]) {
    snprintf(name, 64, "%s/metadata.jsonl", vl_split_name(split));
}

/* "file_name" is from the split's folder. */
static vl_status put_picture_row(export *e, const export_group *group, vl_error *error) {
    lines *l = e->state;
    char name[64], file[64];
    vl_split split = group->base->split;
    vl_status status = VL_OK;
    folder_name(split, name);
    export_picture_name(group->base, file);
    if (!l->splits[split])
        status = export_open(e, name, &l->splits[split], error);
    if (!status)
        status = export_place(e, group->base, file, false, error);
    vl_buf_puts(&e->line, "{\"file_name\": ");
    export_put_text(&e->line, strchr(file, '/') + 1);
    vl_buf_puts(&e->line, ", ");
    export_put_columns(&e->line, group->base, "", EXPORT_BASE);
    vl_buf_puts(&e->line, ", ");
    export_put_examples(&e->line, group);
    vl_buf_puts(&e->line, "}\n");
    e->report->rows[split]++;
    return status ? status : export_flush(e, l->splits[split], error);
}

static vl_status put_folder(export *e, const export_group *group, vl_error *error) {
    lines *l = e->state;
    if (*group->base->picture)
        return put_picture_row(e, group, error);
    vl_status status = l->texts ? VL_OK : export_open(e, TEXTS, &l->texts, error);
    vl_buf_puts(&e->line, "{");
    export_put_columns(&e->line, group->base, "", EXPORT_BASE);
    vl_buf_puts(&e->line, ", ");
    export_put_examples(&e->line, group);
    vl_buf_puts(&e->line, "}\n");
    e->report->text_rows++;
    return status ? status : export_flush(e, l->texts, error);
}

static vl_status close_folder(export *e, vl_error *error) {
    lines *l = e->state;
    vl_status status = VL_OK;
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++) {
        char name[64];
        folder_name(i, name);
        status = commit(e, &l->splits[i], name, i, false, error);
    }
    return status ? status : commit(e, &l->texts, TEXTS, VL_SPLIT_COUNT, true, error);
}

/* `datasets` has one builder for all configurations of a card, which for pictures reads no
 * text.jsonl: that has a place here only where there is nothing else. */
static void folder_data_files(const export *e, vl_buf *out) {
    bool pictures = false;
    for (vl_split i = 0; i < VL_SPLIT_COUNT; i++)
        pictures = pictures || e->report->rows[i];
    vl_buf_puts(out, "- config_name: default\n  data_files:\n");
    if (!pictures)
        vl_buf_puts(out, "  - split: train\n    path: " TEXTS "\n");
    for (vl_split i = 0; i < VL_SPLIT_COUNT; i++)
        if (e->report->rows[i])
            vl_buf_printf(out, "  - split: %s\n    path: \"%s/**\"\n", vl_split_name(i),
                          vl_split_name(i));
}

static void folder_records(const export *e, cJSON *list) {
    croissant_rows(e, list, EXPORT_BASE);
    croissant_pictures(e, list);
}

const export_layout export_imagefolder = {
    .open = lines_open,
    .put = put_folder,
    .close = close_folder,
    .free = lines_free,
    .data_files = folder_data_files,
    .records = folder_records,
    .use =
        "Each split is a folder with `metadata.jsonl` and pictures. A row is a base item; its\n"
        "instructions and responses are in `examples`, the first `example_count` of them (a\n"
        "row without any has one whose strings are empty, so that every file has the same\n"
        "types). What has no picture is in `text.jsonl`, with its split in `split`; for the\n"
        "hub, too, that is `load_dataset(NAME, data_files=\"text.jsonl\")`.\n"
        "\n"
        "```python\n"
        "from datasets import load_dataset\n"
        "pictures = load_dataset(\"imagefolder\", data_dir=\"FOLDER\")\n"
        "texts = load_dataset(\"json\", data_files=\"FOLDER/text.jsonl\")  # where it is "
        "there\n"
        "row = pictures[\"train\"][0]\n"
        "for example in row[\"examples\"][:row[\"example_count\"]]:\n"
        "    print(row[\"image\"].size, example[\"instruction\"], example[\"text\"])\n"
        "```\n",
};

/* ---- jsonl ---------------------------------------------------------------------------------
 */

static vl_status put_item(export *e, const vl_item *item, vl_error *error) {
    lines *l = e->state;
    char name[32];
    vl_status status = VL_OK;
    snprintf(name, sizeof name, "%s.jsonl", vl_split_name(item->split));
    if (!l->splits[item->split])
        status = export_open(e, name, &l->splits[item->split], error);
    vl_buf_puts(&e->line, "{");
    export_put_columns(&e->line, item, item->picture, EXPORT_ALL);
    vl_buf_puts(&e->line, "}\n");
    if (*item->picture)
        e->report->rows[item->split]++;
    else
        e->report->text_rows++;
    return status ? status : export_flush(e, l->splits[item->split], error);
}

static vl_status put_items(export *e, const export_group *group, vl_error *error) {
    vl_status status = group->base_asked ? put_item(e, group->base, error) : VL_OK;
    bool pictured = group->base_asked && *group->base->picture;
    for (size_t i = 0; i < group->count && !status; i++) {
        pictured = pictured || *group->examples[i].picture;
        status = put_item(e, &group->examples[i], error);
    }
    return status || !pictured
               ? status
               : export_place(e, group->base, group->base->picture, true, error);
}

static vl_status close_items(export *e, vl_error *error) {
    lines *l = e->state;
    vl_status status = VL_OK;
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.jsonl", vl_split_name(i));
        status = commit(e, &l->splits[i], name, i, false, error);
    }
    return status;
}

static void items_data_files(const export *e, vl_buf *out) {
    vl_buf_puts(out, "- config_name: default\n  data_files:\n");
    for (size_t i = 0; i < e->file_count; i++)
        vl_buf_printf(out, "  - split: %s\n    path: %s\n", vl_split_name(e->files[i].split),
                      e->files[i].name);
}

static void items_records(const export *e, cJSON *list) {
    croissant_rows(e, list, EXPORT_ALL);
    croissant_pictures(e, list);
}

const export_layout export_jsonl = {
    .open = lines_open,
    .put = put_items,
    .close = close_items,
    .free = lines_free,
    .data_files = items_data_files,
    .records = items_records,
    .use =
        "Each split is a file; a row is an item, and all rows have the same columns. Examples\n"
        "name their base item in `base`. `picture` is a path in this folder, or empty.\n"
        "\n"
        "```python\n"
        "from datasets import load_dataset\n"
        "rows = load_dataset(\"json\", data_files={\"train\": \"FOLDER/train.jsonl\"})\n"
        "pairs = rows[\"train\"].filter(lambda row: row[\"kind\"] == \"pair\")\n"
        "```\n",
};
