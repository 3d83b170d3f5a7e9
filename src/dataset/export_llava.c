/* export_llava.c — conversations as LLaVA's training reads them: a JSON list a split, an entry
 * a base item that has examples, a turn of "human" and one of "gpt" for each of them. */
#include "dataset/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE_TOKEN "<image>"

typedef struct talks {
    vl_file_writer *splits[VL_SPLIT_COUNT];
} talks;

static vl_status talks_open(export *e, vl_error *error) {
    e->state = calloc(1, sizeof(talks));
    return e->state ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
}

static void talks_free(export *e) {
    talks *t = e->state;
    for (size_t i = 0; t && i < VL_SPLIT_COUNT; i++)
        vl_file_writer_abandon(t->splits[i]);
    free(t);
}

static void file_name(vl_split split, char name[32]) {
    snprintf(name, 32, "llava_%s.json", vl_split_name(split));
}

/* A document may say "<image>", which readers would take for a picture. */
static void put_words(vl_buf *out, const char *text) {
    for (const char *at; (at = strstr(text, PICTURE_TOKEN));
         text = at + strlen(PICTURE_TOKEN)) {
        vl_buf_append(out, text, (size_t)(at - text));
        vl_buf_puts(out, "< image>");
    }
    vl_buf_puts(out, text);
}

static void put_turn(vl_buf *out, vl_buf *words, const export_group *group, size_t i) {
    const vl_item *item = &group->examples[i];
    vl_buf_puts(out, i ? ", {\"from\": \"human\", \"value\": "
                       : "{\"from\": \"human\", \"value\": ");
    vl_buf_clear(words);
    vl_buf_puts(words, i || !*group->base->picture ? "" : PICTURE_TOKEN "\n");
    put_words(words, item->instruction);
    export_put_region(words, item, group->base);
    export_put_text(out, words->data ? words->data : "");
    vl_buf_puts(out, "}, {\"from\": \"gpt\", \"value\": ");
    vl_buf_clear(words);
    put_words(words, item->text);
    export_put_text(out, words->data ? words->data : "");
    vl_buf_puts(out, "}");
}

/* The file of a split begins with its first entry. */
static vl_status open_split(export *e, vl_split split, vl_error *error) {
    talks *t = e->state;
    char name[32];
    vl_buf_puts(&e->line, t->splits[split] ? ",\n" : "[\n");
    file_name(split, name);
    return t->splits[split] ? VL_OK : export_open(e, name, &t->splits[split], error);
}

static vl_status put_picture(export *e, const vl_item *base, vl_error *error) {
    char name[64];
    if (!*base->picture) {
        e->report->text_rows++;
        return VL_OK;
    }
    e->report->rows[base->split]++;
    export_picture_name(base, name);
    vl_buf_puts(&e->line, ", \"image\": ");
    export_put_text(&e->line, name);
    return export_place(e, base, name, false, error);
}

static vl_status put_talk(export *e, const export_group *group, vl_error *error) {
    talks *t = e->state;
    const vl_item *base = group->base;
    vl_buf words;
    if (!group->count) { /* nobody says anything */
        e->report->no_place++;
        e->report->items--;
        return VL_OK;
    }
    vl_status status = open_split(e, base->split, error);
    vl_buf_puts(&e->line, "{\"id\": ");
    export_put_text(&e->line, base->id);
    if (!status)
        status = put_picture(e, base, error);
    vl_buf_puts(&e->line, ", \"conversations\": [");
    vl_buf_init(&words, e->line.max);
    for (size_t i = 0; i < group->count; i++)
        put_turn(&e->line, &words, group, i);
    if (!status)
        status = vl_buf_status(&words, "a conversation", error);
    vl_buf_deinit(&words);
    vl_buf_puts(&e->line, "], \"item\": {");
    export_put_columns(&e->line, base, "", EXPORT_BASE);
    vl_buf_puts(&e->line, "}}");
    return status ? status : export_flush(e, t->splits[base->split], error);
}

static vl_status talks_close(export *e, vl_error *error) {
    talks *t = e->state;
    vl_status status = VL_OK;
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++) {
        char name[32];
        vl_file_writer *file = t->splits[i];
        if (!file)
            continue;
        t->splits[i] = NULL;
        file_name(i, name);
        vl_file_writer_put(file, "\n]\n", 3, NULL); /* what fails here fails the commit */
        status = vl_file_writer_commit(file, error);
        if (!status)
            status = export_register(e, name, "application/json", i, false, error);
    }
    return status;
}

static void talks_data_files(const export *e, vl_buf *out) {
    vl_buf_puts(out, "- config_name: default\n  data_files:\n");
    for (size_t i = 0; i < e->file_count; i++)
        vl_buf_printf(out, "  - split: %s\n    path: %s\n", vl_split_name(e->files[i].split),
                      e->files[i].name);
}

/* Base columns are in "item" of each entry. */
static void talks_records(const export *e, cJSON *list) {
    static const char *const fields[][3] = {
        {"id", "$[*].id", "Identifier of the base item"},
        {"document", "$[*].item.document", "SHA-256 of the document it is from"},
        {"url", "$[*].item.url", "Address of the document"},
        {"licence", "$[*].item.licence", "Licence of the document"},
    };
    for (size_t i = 0; i < e->file_count; i++) {
        const char *split = vl_split_name(e->files[i].split);
        cJSON *set = croissant_set(list, split, "The conversations of a split.");
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            croissant_field(set, split, fields[k][0], "sc:Text", fields[k][2], e->files[i].name,
                            "jsonPath", fields[k][1]);
        cJSON *said = croissant_field(set, split, "conversations", "sc:Text",
                                      "What is said, in turns of human and gpt",
                                      e->files[i].name, "jsonPath", "$[*].conversations");
        croissant_change(said, "jsonPath", "value", true);
    }
    croissant_pictures(e, list);
}

const export_layout export_llava = {
    .open = talks_open,
    .put = put_talk,
    .close = talks_close,
    .free = talks_free,
    .data_files = talks_data_files,
    .records = talks_records,
    .use =
        "Each split is `llava_SPLIT.json`, a list of conversations; `image` is a path in this\n"
        "folder (give the folder as `--image_folder`), and `item` says where each is from.\n"
        "Base items without an example are left out. A region that an instruction speaks of\n"
        "stands after it, left, top, right and bottom as parts of the picture's sides. Where "
        "a\n"
        "text itself says `<image>` it says `< image>` here.\n"
        "\n"
        "```python\n"
        "import json\n"
        "talks = json.load(open(\"FOLDER/llava_train.json\"))\n"
        "print(talks[0][\"image\"], talks[0][\"conversations\"][0][\"value\"])\n"
        "```\n",
};
