/* A dataset for tests of what reads datasets: pairs, passages and examples of every kind in
 * every split, in several languages, with pictures cut out of the samples.
 *
 * usage: write_dataset SAMPLES FOLDER whole|hostile|texts|unsplit|empty
 *        write_dataset SAMPLES FOLDER COUNT     so many pairs with an example each
 *   whole    all kinds and splits; one pair is rejected, one validation row has no example
 *   hostile  texts that break careless writers
 *   texts    no picture at all
 *   unsplit  nothing in validation and test
 *   empty    no item */
#include "dataset/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 160, MAX_FILE = 16 << 20 };

static void stop_if(vl_status status, const vl_error *error) {
    if (!status)
        return;
    fprintf(stderr, "write_dataset: %s\n", error->message);
    exit(1);
}

typedef struct writing {
    const char *samples, *folder;
    vl_buf items, documents;
    size_t number; /* of items so far */
    bool hostile;
    vl_item base;
    char picture[128];
} writing;

/* ---- pictures ------------------------------------------------------------------------------
 */

static vl_image *sample(const writing *w, const char *name) {
    vl_media_limits limits = vl_media_limits_default();
    char path[FOLDER_PATH_SIZE];
    vl_error error = {0};
    vl_image *image = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, MAX_FILE);
    stop_if(folder_path(w->samples, name, path, &error), &error);
    stop_if(vl_file_read(path, MAX_FILE, &bytes, &error), &error);
    stop_if(vl_document_first(bytes.data, bytes.len, &limits, &image, &error), &error);
    vl_buf_deinit(&bytes);
    return image;
}

/* A part of a sample, wide by high pixels from (x, y), as a file named by its hash. */
static void put_picture(writing *w, const char *from, uint32_t x, uint32_t y, uint32_t wide,
                        uint32_t high) {
    vl_error error = {0};
    vl_image *whole = sample(w, from), *part = NULL;
    char hash[VL_SHA256_HEX_SIZE], path[FOLDER_PATH_SIZE];
    vl_buf bytes;
    stop_if(vl_image_new(wide, high, whole->channels, &part, &error), &error);
    for (uint32_t row = 0; row < high; row++)
        memcpy(part->pixels + row * part->stride,
               whole->pixels + (y + row) % whole->height * whole->stride +
                   (size_t)(x % (whole->width - wide)) * whole->channels,
               (size_t)wide * whole->channels);
    vl_buf_init(&bytes, MAX_FILE);
    bool jpeg = wide % 2;
    stop_if(jpeg ? vl_image_encode_jpeg(part, 80, &bytes, &error)
                 : vl_image_encode_png(part, &bytes, &error),
            &error);
    vl_sha256_hex(bytes.data, bytes.len, hash);
    snprintf(w->picture, sizeof w->picture, "pictures/%.2s", hash);
    stop_if(folder_path(w->folder, w->picture, path, &error), &error);
    stop_if(vl_dir_make(path, &error), &error);
    snprintf(w->picture, sizeof w->picture, "pictures/%.2s/%s.%s", hash, hash,
             jpeg ? "jpg" : "png");
    stop_if(folder_path(w->folder, w->picture, path, &error), &error);
    stop_if(vl_file_write(path, bytes.data, bytes.len, &error), &error);
    w->base.picture = w->picture;
    w->base.width = wide;
    w->base.height = high;
    vl_buf_deinit(&bytes);
    vl_image_free(part);
    vl_image_free(whole);
}

/* ---- items ---------------------------------------------------------------------------------
 */

static void put(writing *w, const vl_item *item) {
    vl_error error = {0};
    stop_if(vl_item_write(item, &w->items, &error), &error);
    w->number++;
}

static vl_item blank(void) {
    vl_item item = {.picture = "",
                    .picture_kind = "",
                    .instruction = "",
                    .text = "",
                    .origin = "document",
                    .phrase = "",
                    .review = ""};
    item.source.document = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    item.source.record = "dir/notice";
    item.source.url = "https://example.org/notice.pdf?a=1&b=2";
    item.source.title = "A notice";
    item.source.licence = "https://creativecommons.org/licenses/by/4.0/";
    item.source.publisher = "An organisation";
    item.source.published = "2025-01-31T00:00:00Z";
    item.source.fetched = "2025-02-03T04:05:06Z";
    return item;
}

/* A base item; the picture, if any, is to be put before. */
static void put_base(writing *w, vl_item_kind kind, vl_split split, const char *language,
                     const char *script, const char *text) {
    vl_item item = blank();
    bool pictured = w->base.picture && *w->base.picture;
    snprintf(item.id, sizeof item.id, "%016llx",
             (unsigned long long)(w->number + 1) * 0x9E3779B97F4A7C15ull);
    item.kind = kind;
    item.split = split;
    item.text = text;
    if (w->hostile) {
        item.source.publisher = "";
        item.source.licence = w->number % 3 ? "" : "All | rights \"reserved\" <b>\nby us";
    }
    snprintf(item.language, sizeof item.language, "%s", language);
    snprintf(item.script, sizeof item.script, "%s", script);
    item.picture = pictured ? w->base.picture : "";
    item.width = pictured ? w->base.width : 0;
    item.height = pictured ? w->base.height : 0;
    item.picture_kind = !pictured ? "" : kind == VL_ITEM_TEXT ? "page" : "chart";
    item.has_phash = pictured;
    item.phash = 0x0123456789abcdefull + w->number;
    item.source.page = (uint32_t)(w->number % 7);
    item.source.part = 3;
    item.source.text_part = 4;
    item.source.has_box = pictured;
    item.source.box = (vl_box){10, 20, 300, 200};
    item.source.dpi = pictured ? 150 : 0;
    item.source.ocr = kind == VL_ITEM_TEXT && pictured;
    for (int i = 0; i < VL_QUALITY_PART_COUNT; i++)
        item.quality[i] = 1;
    item.quality[VL_QUALITY_LANGUAGE] = 0.9731;
    item.score = 0.2 + 0.15 * (double)(w->number % 5);
    item.personal[VL_PERSONAL_PHONE] = w->number % 2;
    w->base = item;
    put(w, &item);
}

static void put_example(writing *w, vl_item_kind kind, const char *asked_in,
                        const char *instruction, const char *language, const char *text,
                        const char *origin) {
    vl_item item = w->base;
    snprintf(item.base, sizeof item.base, "%s", w->base.id);
    snprintf(item.id, sizeof item.id, "%016llx",
             (unsigned long long)(w->number + 1) * 0xD1B54A32D192ED03ull);
    item.kind = kind;
    item.instruction = instruction;
    item.text = text;
    item.origin = origin;
    item.phrase = "swa.natural.1";
    snprintf(item.instruction_language, sizeof item.instruction_language, "%s", asked_in);
    snprintf(item.language, sizeof item.language, "%s", language);
    item.has_region = kind == VL_ITEM_READ && *item.picture;
    item.region = (vl_box){16, 8, 80, 40};
    put(w, &item);
}

static void no_picture(writing *w) {
    w->base.picture = "";
}

/* ---- the datasets --------------------------------------------------------------------------
 */

static void write_train(writing *w) {
    put_picture(w, "notice-swh.jpg", 40, 60, SIDE, SIDE);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_TRAIN, "swa", "Latn",
             "Mchoro 1: Watu waliohamishwa na mafuriko, Januari 2025");
    put_example(w, VL_ITEM_DESCRIBE, "swa", "Grafu hii inaonyesha nini?", "swa",
                "Grafu hii inaonyesha watu waliohamishwa na mafuriko.", "template");
    put_example(w, VL_ITEM_DESCRIBE, "eng", "What does the chart show?", "eng",
                "People displaced by floods, January 2025", "aligned:versions");
    put_example(w, VL_ITEM_QUESTION, "swa", "Watu wangapi walihamishwa?", "swa", "12,450",
                "document");
    put_example(w, VL_ITEM_READ, "swa", "Eneo hili limeandikwa nini?", "swa", "TANGAZO",
                "document");
    put_example(w, VL_ITEM_LANGUAGE, "swa", "Hii ni lugha gani?", "swa", "Kiswahili", "label");
    put_example(w, VL_ITEM_CRISIS, "swa", "Ni janga gani?", "swa", "Mafuriko", "label");
    put_picture(w, "notice-ara.jpg", 30, 40, SIDE + 41, SIDE);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_TRAIN, "ara", "Arab",
             "الشكل ٢: عدد النازحين حسب المحافظة");
    put_example(w, VL_ITEM_DESCRIBE, "ara", "ماذا يظهر في الرسم؟", "ara",
                "عدد النازحين حسب المحافظة", "document");
    put_picture(w, "notice-amh.jpg", 0, 0, 2 * SIDE, 2 * SIDE);
    put_base(w, VL_ITEM_TEXT, VL_SPLIT_TRAIN, "amh", "Ethi",
             "የጎርፍ ማስጠንቀቂያ።\nሁሉም ነዋሪዎች ወደ ከፍተኛ ቦታ ይሂዱ።");
    put_example(w, VL_ITEM_READ, "amh", "በዚህ ክፍል ምን ተጽፏል?", "amh", "የጎርፍ ማስጠንቀቂያ።", "document");
    no_picture(w);
    put_base(w, VL_ITEM_TEXT, VL_SPLIT_TRAIN, "swa", "Latn",
             "Vituo vya afya vitafunguliwa saa mbili asubuhi.");
    put_example(w, VL_ITEM_QUESTION, "swa", "Vituo vitafunguliwa saa ngapi?", "swa",
                "saa mbili asubuhi", "document");
    put_example(w, VL_ITEM_CHANGE, "eng", "What changed?", "swa", "saa tatu → saa mbili",
                "document");
    put_picture(w, "notice-fra.jpg", 20, 20, SIDE, SIDE);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_TRAIN, "fra", "Latn", "Rejeté");
}

static void write_others(writing *w) {
    put_picture(w, "notice-eng.jpg", 20, 20, SIDE, SIDE);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_VALIDATION, "eng", "Latn", "Map 3: affected districts");
    put_picture(w, "notice-som.jpg", 20, 20, SIDE, SIDE + 32);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_TEST, "som", "Latn", "Sawirka 1: Xerada");
    put_example(w, VL_ITEM_DESCRIBE, "som", "Maxaa sawirka ka muuqda?", "som", "Xerada",
                "document");
    no_picture(w);
    put_base(w, VL_ITEM_TEXT, VL_SPLIT_TEST, "som", "Latn", "Biyaha ha la kariyo.");
}

static void write_whole(writing *w) {
    write_train(w);
    w->base.review = "rejected";
    char *line = w->items.data + w->items.len; /* its line again, with the verdict */
    while (line[-2] != '\n')
        line--;
    w->items.len = (size_t)(line - 1 - w->items.data);
    w->number--;
    put(w, &w->base);
    put_example(w, VL_ITEM_DESCRIBE, "fra", "Que montre l'image ?", "fra", "Rejeté",
                "document");
    write_others(w);
}

static void write_hostile(writing *w) {
    static const char *const texts[] = {
        "\"quoted\" 'twice' \\ back\\\\slash \\n not a line end",
        "line\nends\r\nand\ttabs\vand\fmore",
        "U+2028\xE2\x80\xA8U+2029\xE2\x80\xA9U+0085\xC2\x85 end",
        "\xF0\x9F\x8C\x8A\xF0\x9F\x8F\xB4\xE2\x80\x8D\xE2\x98\xA0\xEF\xB8\x8F emoji",
        "\xE2\x80\xAEreversed\xE2\x80\xAC \xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A (1)",
        "\x01\x02\x1F\x7F controls",
        "2025-01-31",
        "2025-01-31T10:00:00Z",
        "<image>\nlooks like a token </s> <|endoftext|>",
        "{\"json\": [1, 2]} --- yaml: | <b>html</b> &amp; ```",
        "",
        " ",
        "null",
        "NaN",
        "1e400",
    };
    w->hostile = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (i % 2)
            put_picture(w, "notice-ukr.webp", (uint32_t)(10 * i), 40, SIDE, SIDE);
        else
            no_picture(w);
        put_base(w, i % 2 ? VL_ITEM_PAIR : VL_ITEM_TEXT, VL_SPLIT_TRAIN, "und", "Zyyy",
                 texts[i]);
        put_example(w, VL_ITEM_QUESTION, "eng", texts[i], "eng", texts[i], "document");
    }
    put_picture(w, "notice-ukr.webp", 99, 40, SIDE, SIDE);
    put_base(w, VL_ITEM_PAIR, VL_SPLIT_TEST, "ukr", "Cyrl", "2025-01-31");
    w->base.source.title = "2025-01-31";
}

static void write_many(writing *w, unsigned long count) {
    char text[128];
    for (unsigned long i = 0; i < count; i++) {
        if (i < 50)
            put_picture(w, "notice-eng.jpg", (uint32_t)(3 * i), (uint32_t)i, 64, 64);
        snprintf(text, sizeof text, "Figure %lu: what is seen in place %lu", i,
                 i * 7919 % 1000);
        put_base(w, VL_ITEM_PAIR, i % 10 ? VL_SPLIT_TRAIN : VL_SPLIT_TEST, "eng", "Latn", text);
        put_example(w, VL_ITEM_DESCRIBE, "eng", "What is seen?", "eng", text, "document");
    }
}

/* ---- the folder ----------------------------------------------------------------------------
 */

/* Shards of as many items as a dataset has them. */
static void write_items(const writing *w) {
    vl_error error = {0};
    const char *at = w->items.len ? w->items.data : "", *end = at + w->items.len;
    for (size_t shard = 0; at < end || !shard; shard++) {
        char name[32], path[FOLDER_PATH_SIZE];
        const char *from = at;
        for (size_t i = 0; i < FOLDER_SHARD && at < end; i++)
            at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        snprintf(name, sizeof name, FOLDER_ITEMS, shard);
        stop_if(folder_path(w->folder, name, path, &error), &error);
        stop_if(vl_file_write(path, from, (size_t)(at - from), &error), &error);
    }
}

static void write_file(const writing *w, const char *name, const char *text) {
    vl_error error = {0};
    char path[FOLDER_PATH_SIZE];
    stop_if(folder_path(w->folder, name, path, &error), &error);
    stop_if(vl_file_write(path, text, strlen(text), &error), &error);
}

int main(int argc, char **argv) {
    vl_error error = {0};
    writing w = {.base = blank()};
    if (argc != 4)
        return fprintf(stderr, "usage: write_dataset SAMPLES FOLDER WHAT\n"), 2;
    w.samples = argv[1];
    w.folder = argv[2];
    vl_buf_init(&w.items, (size_t)1 << 30);
    stop_if(vl_dir_make(w.folder, &error), &error);
    if (!strcmp(argv[3], "whole")) {
        write_whole(&w);
    } else if (!strcmp(argv[3], "hostile")) {
        write_hostile(&w);
    } else if (!strcmp(argv[3], "texts")) {
        put_base(&w, VL_ITEM_TEXT, VL_SPLIT_TRAIN, "swa", "Latn", "Maji safi yanapatikana.");
        put_example(&w, VL_ITEM_QUESTION, "swa", "Nini kinapatikana?", "swa", "Maji safi",
                    "document");
    } else if (!strcmp(argv[3], "unsplit")) {
        write_train(&w);
    } else if (strcmp(argv[3], "empty") != 0) {
        write_many(&w, strtoul(argv[3], NULL, 10));
    }
    write_items(&w);
    write_file(&w, FOLDER_DOCUMENTS,
               "{\"document\": \"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327a"
               "a4\", \"record\": \"dir/notice\"}\n");
    write_file(&w, FOLDER_ABOUT,
               w.hostile ? "{\"name\": \"h\", \"title\": \"A \\\"title\\\": # {\\u0628}\", "
                           "\"description\": \"Two\\nlines\", \"licence\": \"ours: ask\"}\n"
                         : "{\"name\": \"Notices\", \"recipe\": \"name: Notices # ```\\nseed: "
                           "1\\n\"}\n");
    vl_buf_deinit(&w.items);
    return 0;
}
