/* Datasets with one thing wrong each: what is found, where, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <vislang/dataset.h>

#include "dataset/check.h"
#include "dataset/tar.h"

static char folder[64];
static vl_langid *langid;
static vl_buf picture; /* a PNG of 64 by 48 */

/* ---- files ------------------------------------------------------------------------------- */

static void put(const char *name, const void *bytes, size_t count) {
    char path[512], above[512];
    vl_error error = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(above, sizeof above, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(vl_dir_make(above, &error), VL_OK);
    assert_int_equal(vl_file_write(path, bytes, count, &error), VL_OK);
}

static void put_text(const char *name, const char *text) {
    put(name, text, strlen(text));
}

static void make_png(unsigned seed, uint32_t width, uint32_t height, vl_buf *out) {
    vl_image *image;
    assert_int_equal(vl_image_new(width, height, 1, &image, NULL), VL_OK);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            image->pixels[y * image->stride + x] =
                (uint8_t)((x * (7 + seed) + y * y * (3 + seed) + (x / 9) * (y / 7) * seed) %
                          251);
    assert_int_equal(vl_image_encode_png(image, out, NULL), VL_OK);
    vl_image_free(image);
}

static void put_png(const char *name, unsigned seed) {
    vl_buf png;
    vl_buf_init(&png, 1 << 20);
    make_png(seed, 64, 48, &png);
    put(name, png.data, png.len);
    vl_buf_deinit(&png);
}

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/vislang-check-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- asking ------------------------------------------------------------------------------ */

static vl_check_report ask(vl_check_layout layout) {
    vl_check_options options = vl_check_options_default();
    vl_check_report report;
    vl_error error = {0};
    options.layout = layout;
    options.langid = langid;
    options.jobs = 2;
    if (vl_dataset_check(folder, &options, &report, &error))
        fail_msg("%s", error.message);
    return report;
}

/* Exactly the kinds `expected` ("a b") have findings; `place`, if any, is that of one. */
static void expect(vl_check_layout layout, const char *expected, const char *place) {
    vl_check_report report = ask(layout);
    char found[512] = "";
    bool is_there = !place;
    for (size_t i = 0; i < report.count_count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "",
                 report.counts[i].kind);
    for (size_t i = 0; i < report.finding_count; i++)
        is_there = is_there || !strcmp(report.findings[i].place, place);
    for (size_t i = 0; !is_there && i < report.finding_count; i++)
        print_message("%s: %s\n", report.findings[i].place, report.findings[i].message);
    assert_string_equal(found, expected);
    assert_true(is_there);
    vl_check_report_deinit(&report);
}

/* The same of lines without text. */
static void expect_but_empty(const char *expected, const char *place) {
    char all[512];
    snprintf(all, sizeof all, "%s%stext_empty", expected, *expected ? " " : "");
    expect(VL_LAYOUT_JSONL, all, place);
}

/* ---- lines of JSON ----------------------------------------------------------------------- */

#define SWAHILI                                                                                \
    "Watu waliohamishwa na mafuriko katika kaunti ya Tana River wanahitaji maji safi na dawa"
#define ENGLISH                                                                                \
    "People who were displaced by the floods in the Tana River county need clean water and "   \
    "drugs"

static void rows(void **state) {
    static const struct {
        const char *name, *lines, *kinds, *place;
    } cases[] = {
        {"good", "{\"id\":\"1\",\"text\":\"a\"}\n{\"id\":\"2\",\"text\":\"b\"}\n", "", NULL},
        {"no end of the last line", "{\"text\":\"a\"}", "", NULL},
        {"empty lines", "\n{\"text\":\"a\"}\r\n\n", "", NULL},
        {"no JSON", "{\"text\":\"a\"}\nbroken\n", "json", "rows.jsonl:2"},
        {"cut off", "{\"text\":\"a\"}\n{\"text\":\"b", "json", "rows.jsonl:2"},
        {"what follows", "{\"text\":\"a\"}{\"text\":\"b\"}\n", "json no_rows", "rows.jsonl:1"},
        {"NaN", "{\"text\":\"a\",\"x\":NaN}\n", "json no_rows", NULL},
        {"leading zero", "{\"text\":\"a\",\"x\":01}\n", "json no_rows", NULL},
        {"half a pair", "{\"text\":\"\\ud800\"}\n", "json no_rows", NULL},
        {"raw control", "{\"text\":\"a\tb\"}\n", "json no_rows", NULL},
        {"no UTF-8", "{\"text\":\"a\xFF\"}\n{\"text\":\"a\"}\n", "utf8", "rows.jsonl:1"},
        {"BOM", "\xEF\xBB\xBF{\"text\":\"a\"}\n", "byte_order_mark", "rows.jsonl:1"},
        {"no object", "[1]\n{\"text\":\"a\"}\n", "row_no_object", "rows.jsonl:1"},
        {"key twice", "{\"text\":\"a\",\"text\":\"b\"}\n", "key_twice", "rows.jsonl:1"},
        {"id twice", "{\"id\":7,\"text\":\"a\"}\n{\"id\":7,\"text\":\"b\"}\n", "id_twice",
         "rows.jsonl:2"},
        {"drift", "{\"text\":\"a\",\"n\":1}\n{\"text\":\"b\",\"n\":\"1\"}\n", "schema_drift",
         "rows.jsonl:2"},
        {"drift inside",
         "{\"text\":\"a\",\"m\":{\"n\":[1]}}\n{\"text\":\"b\",\"m\":{\"n\":[{}]}}\n",
         "schema_drift", "rows.jsonl:2"},
        {"null drifts not", "{\"text\":\"a\",\"n\":null}\n{\"text\":\"b\",\"n\":\"1\"}\n", "",
         NULL},
        {"empty text", "{\"text\":\" \"}\n", "text_empty", "rows.jsonl:1"},
        {"nothing in it", "{\"n\":1}\n", "text_empty", NULL},
        {"control", "{\"text\":\"a\\u0007b\"}\n", "control_character", NULL},
        {"replacement", "{\"text\":\"a\\ufffdb\"}\n", "control_character", NULL},
        {"NUL", "{\"text\":\"a\\u0000b\"}\n", "control_character", NULL},
        {"name of a language", "{\"text\":\"a\",\"language\":\"Swahili\"}\n",
         "language_unknown", NULL},
        {"code of none", "{\"text\":\"a\",\"language\":\"xx\"}\n", "language_unknown", NULL},
        {"tags",
         "{\"text\":\"a\",\"language\":\"sw-KE\"}\n{\"text\":\"a\",\"language\":\"und\"}\n"
         "{\"text\":\"a\",\"language\":\"zh-Hant-TW\"}\n{\"text\":\"a\",\"language\":\"swh\"}"
         "\n",
         "", NULL},
        {"right language", "{\"text\":\"" SWAHILI "\",\"language\":\"sw\"}\n", "", NULL},
        {"other language", "{\"text\":\"" ENGLISH "\",\"language\":\"swa\"}\n",
         "language_differs", "rows.jsonl:1"},
        {"too short to say", "{\"text\":\"clean water\",\"language\":\"swa\"}\n", "", NULL},
        {"other script", "{\"text\":\"maji safi\",\"script\":\"Arab\"}\n", "script_differs",
         NULL},
        {"box outside", "{\"text\":\"a\",\"width\":10,\"height\":10,\"bbox\":[5,5,6,1]}\n",
         "box_outside", NULL},
        {"box below 0", "{\"text\":\"a\",\"objects\":{\"bbox\":[[-1,0,1,1]]}}\n", "box_outside",
         NULL},
        {"picture gone", "{\"image\":\"a/b.png\",\"text\":\"a\"}\n", "picture_missing",
         "rows.jsonl:1"},
        {"picture elsewhere", "{\"image\":\"https://example.org/b.png\",\"text\":\"a\"}\n",
         "picture_remote", NULL},
        {"picture outside", "{\"image\":\"../b.png\",\"text\":\"a\"}\n", "path_outside", NULL},
        {"absolute", "{\"image\":\"/etc/b.png\",\"text\":\"a\"}\n", "path_outside", NULL},
        {"leaking document",
         "{\"text\":\"a\",\"split\":\"train\",\"document\":\"d\"}\n"
         "{\"text\":\"b\",\"split\":\"test\",\"document\":\"d\"}\n",
         "leak_document", "rows.jsonl:2"},
        {"leaking text",
         "{\"text\":\"" SWAHILI "\",\"split\":\"train\"}\n"
         "{\"text\":\"" SWAHILI ".\",\"split\":\"dev\"}\n",
         "leak_near_text", "rows.jsonl:2"},
        {"same split",
         "{\"text\":\"" SWAHILI "\",\"split\":\"train\"}\n"
         "{\"text\":\"" SWAHILI ".\",\"split\":\"train\"}\n",
         "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].name);
        begin(state);
        put_text("rows.jsonl", cases[i].lines);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

/* What train has of a column is what the others are held against. */
static void files_of_lines(void **state) {
    static const struct {
        const char *train, *test, *kinds, *place;
    } cases[] = {
        {"{\"a\":\"x\"}", "{\"a\":\"x\",\"more\":1}", "column_new", "test.jsonl:1"},
        {"{\"a\":\"x\",\"more\":1}", "{\"a\":\"x\"}", "column_missing", "test.jsonl:1"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1}}", "column_new column_missing", "test.jsonl:1"},
        {"{\"a\":{\"b\":1}}", "{\"a\":null}", "", NULL},
        {"{\"a\":null}", "{\"a\":{\"b\":1}}", "schema_drift", "test.jsonl:1"},
        {"{\"a\":null}\n{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", "", NULL},
        {"{\"a\":[]}", "{\"a\":[1]}", "schema_drift", "test.jsonl:1"},
        {"{\"a\":[1]}", "{\"a\":[]}", "", NULL},
        {"{\"a\":\"2025-01-31\"}", "{\"a\":\"x\"}", "schema_drift", "test.jsonl:1"},
        {"{\"a\":\"2025-01-31T10:00:00+03:00\"}", "{\"a\":\"2025-02-30 \"}", "schema_drift",
         "test.jsonl:1"},
        {"{\"a\":\"2025-01-31\"}", "{\"a\":\"2025-02-01T10:00Z\"}", "", NULL},
        {"{\"a\":\"2025-01-31\"}\n{\"a\":\"x\"}", "{\"a\":\"y\"}", "", NULL},
        {"{\"a\":\"x\"}", "{\"a\":\"2025-01-31\"}", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char train[256], test[256];
        print_message("files %zu\n", i);
        begin(state);
        snprintf(train, sizeof train, "%s\n", cases[i].train);
        snprintf(test, sizeof test, "%s\n", cases[i].test);
        put_text("train.jsonl", train);
        put_text("test.jsonl", test);
        expect_but_empty(cases[i].kinds, cases[i].place);
        end(state);
    }
}

/* The reader of JSON lines takes 10 MB at once. */
static void pieces_of_a_file(void **state) {
    vl_buf lines;
    (void)state;
    vl_buf_init(&lines, 32 << 20);
    for (int i = 0; i < 11000; i++)
        vl_buf_printf(&lines, "{\"text\":\"%01000d\",\"n\":null}\n", i);
    vl_buf_puts(&lines, "{\"text\":\"a\",\"n\":1}\n");
    put("rows.jsonl", lines.data, lines.len);
    expect(VL_LAYOUT_JSONL, "schema_drift", "rows.jsonl:11001");
    vl_buf_deinit(&lines);
}

static void hostile_lines(void **state) {
    vl_buf text;
    (void)state;
    vl_buf_init(&text, 64 << 20);
    for (int i = 0; i < 5000; i++)
        vl_buf_puts(&text, "[");
    vl_buf_puts(&text, "\n{\"text\":\"");
    char *many = malloc(17 << 20);
    memset(many, 'a', 17 << 20);
    vl_buf_append(&text, many, 17 << 20);
    free(many);
    vl_buf_puts(&text, "\"}\n{\"text\":\"a\"}\n");
    put("rows.jsonl", text.data, text.len);
    vl_buf_deinit(&text);
    expect(VL_LAYOUT_JSONL, "json_deep line_long", "rows.jsonl:2");
}

/* ---- imagefolder ------------------------------------------------------------------------- */

static void imagefolder(void **state) {
    static const struct {
        const char *train, *test, *kinds, *place;
    } cases[] = {
        {"{\"file_name\":\"a.png\",\"text\":\"a\",\"width\":64,\"height\":48}\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\",\"width\":64,\"height\":48}\n", "", NULL},
        {"{\"file_name\":\"a.png\",\"text\":\"a\",\"width\":48,\"height\":64}\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\",\"width\":64,\"height\":48}\n",
         "picture_size", "train/metadata.jsonl:1"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\",\"box\":[60,1,5,5]}\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\"}\n", "column_missing box_outside",
         "train/metadata.jsonl:1"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\"}\n", "{\"text\":\"b\"}\n",
         "file_name_missing column_missing picture_untold", "test/metadata.jsonl:1"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\"}\n{\"file_name\":\"a.png\",\"text\":\"b\"}\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\"}\n", "file_name_twice",
         "train/metadata.jsonl:2"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\"}\n{\"file_name\":\"bad.png\",\"text\":\"b\"}"
         "\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\"}\n", "picture_unreadable",
         "train/metadata.jsonl:2"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\"}\n{\"file_name\":\"out.png\",\"text\":\"b\"}"
         "\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\"}\n", "path_outside",
         "train/metadata.jsonl:2"},
        {"{\"file_name\":\"a.png\",\"text\":\"a\"}\n",
         "{\"file_name\":\"b.png\",\"text\":\"b\"}\n{\"file_name\":\"copy.png\",\"text\":\"c\"}"
         "\n",
         "leak_picture leak_near_picture", "test/metadata.jsonl:2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        print_message("imagefolder %zu\n", i);
        begin(state);
        put_text("test/metadata.jsonl", cases[i].test);
        put_text("train/metadata.jsonl", cases[i].train);
        put_png("train/a.png", 1);
        put_png("test/b.png", 5);
        if (strstr(cases[i].train, "bad.png"))
            put("train/bad.png", picture.data, picture.len / 2);
        if (strstr(cases[i].test, "copy.png"))
            put_png("test/copy.png", 1);
        snprintf(path, sizeof path, "%s/train/out.png", folder);
        if (strstr(cases[i].train, "out.png"))
            assert_int_equal(symlink("/etc/hostname", path), 0);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

/* One file of metadata for all: the split is that of the picture's folder. */
static void one_metadata(void **state) {
    (void)state;
    put_text("metadata.jsonl", "{\"file_name\":\"train/a.png\",\"document\":\"d\"}\n"
                               "{\"file_name\":\"test/a.png\",\"document\":\"d\"}\n");
    put_text("text.jsonl", "{\"text\":\"a\"}\n");
    put_png("train/a.png", 1);
    put_png("test/a.png", 1);
    expect(VL_LAYOUT_AUTO, "leak_document leak_picture leak_near_picture", "metadata.jsonl:2");
}

static void links_in_circles(void **state) {
    char path[128];
    (void)state;
    put_text("metadata.jsonl", "{\"file_name\":\"a.png\"}\n{\"file_name\":\"round.png\"}\n"
                               "{\"file_name\":\"pipe.png\"}\n");
    put_png("a.png", 1);
    snprintf(path, sizeof path, "%s/again", folder);
    assert_int_equal(symlink(folder, path), 0);
    snprintf(path, sizeof path, "%s/round.png", folder);
    assert_int_equal(symlink("round.png", path), 0);
    snprintf(path, sizeof path, "%s/pipe.png", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(VL_LAYOUT_AUTO, "picture_unreadable", "metadata.jsonl:3");
    snprintf(path, sizeof path, "%s/metadata.jsonl", folder);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(VL_LAYOUT_AUTO, "file_unreadable no_rows picture_untold", "metadata.jsonl");
    expect(VL_LAYOUT_JSONL, "file_unreadable no_rows", "metadata.jsonl");
}

static void folders_as_labels(void **state) {
    (void)state;
    put_png("train/flood/a.png", 1);
    put("train/fire/b.png", picture.data, 40);
    expect(VL_LAYOUT_AUTO, "picture_unreadable", "train/fire/b.png");
    put_text("train/metadata.csv", "file_name,text\na.png,a\n");
    expect(VL_LAYOUT_AUTO, "picture_unreadable file_not_read", "train/metadata.csv");
}

/* ---- ours -------------------------------------------------------------------------------- */

typedef void (*damage_fn)(vl_item *base, vl_item *example);

static vl_item an_item(const char *id, const char *name) {
    vl_item item = {.kind = VL_ITEM_PAIR,
                    .split = VL_SPLIT_TRAIN,
                    .picture = name,
                    .width = 64,
                    .height = 48,
                    .picture_kind = "photograph",
                    .instruction = "",
                    .text = SWAHILI,
                    .language = "swa",
                    .script = "Latn",
                    .origin = "document",
                    .phrase = "",
                    .review = ""};
    snprintf(item.id, sizeof item.id, "%s", id);
    item.source.document = "d1";
    item.source.record = "dir/a.html";
    item.source.url = item.source.title = item.source.licence = "";
    item.source.publisher = item.source.published = item.source.fetched = "";
    return item;
}

static void put_items(const char *name, const vl_item *items, size_t count) {
    vl_buf lines;
    vl_buf_init(&lines, 1 << 20);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(vl_item_write(&items[i], &lines, NULL), VL_OK);
    put(name, lines.data, lines.len);
    vl_buf_deinit(&lines);
}

static void id_gone(vl_item *base, vl_item *example) {
    *base->id = *example->base = '\0';
}
static void id_again(vl_item *base, vl_item *example) {
    memcpy(example->id, base->id, sizeof base->id);
}
static void base_gone(vl_item *base, vl_item *example) {
    (void)base;
    example->base[0] = '9';
}
static void document_gone(vl_item *base, vl_item *example) {
    base->source.document = "";
    (void)example;
}
static void record_gone(vl_item *base, vl_item *example) {
    base->source.record = "";
    (void)example;
}
static void document_unknown(vl_item *base, vl_item *example) {
    (void)base;
    example->source.document = "d2";
}
static void region_outside(vl_item *base, vl_item *example) {
    (void)base;
    example->has_region = true;
    example->region = (vl_box){.x = 60, .y = 0, .width = 10, .height = 10};
}
static void size_wrong(vl_item *base, vl_item *example) {
    base->width = 65;
    (void)example;
}
static void picture_gone(vl_item *base, vl_item *example) {
    base->picture = "pictures/00/0.png";
    (void)example;
}
static void split_other(vl_item *base, vl_item *example) {
    (void)base;
    example->split = VL_SPLIT_TEST;
}
static void language_wrong(vl_item *base, vl_item *example) {
    base->text = ENGLISH;
    (void)example;
}
static void nothing(vl_item *base, vl_item *example) {
    (void)base;
    (void)example;
}

static void put_ours(damage_fn damage) {
    char sha[VL_SHA256_HEX_SIZE], name[128];
    vl_sha256_hex(picture.data, picture.len, sha);
    snprintf(name, sizeof name, "pictures/%.2s/%s.png", sha, sha);
    put(name, picture.data, picture.len);
    vl_item items[2] = {an_item("0000000000000001", name), an_item("0000000000000002", name)};
    items[1].kind = VL_ITEM_DESCRIBE;
    memcpy(items[1].base, items[0].id, sizeof items[0].id);
    items[1].instruction = "Picha inaonyesha nini?";
    snprintf(items[1].instruction_language, VL_LANG_SIZE, "swa");
    damage(&items[0], &items[1]);
    put_items("items-00000.jsonl", items, 2);
    put_text("documents.jsonl", "{\"document\":\"d1\",\"record\":\"dir/a.html\"}\n");
    put_text("dataset.json", "{}");
}

static void ours(void **state) {
    static const struct {
        damage_fn damage;
        const char *kinds, *place;
    } cases[] = {
        {nothing, "", NULL},
        {id_gone, "id_missing base_missing", "items-00000.jsonl:1"},
        {id_again, "id_twice", "items-00000.jsonl:2"},
        {base_gone, "base_missing", "items-00000.jsonl:2"},
        {document_gone, "provenance_missing", "items-00000.jsonl:1"},
        {record_gone, "provenance_missing", "items-00000.jsonl:1"},
        {document_unknown, "provenance_unknown", "items-00000.jsonl:2"},
        {region_outside, "box_outside", "items-00000.jsonl:2"},
        {size_wrong, "picture_size", "items-00000.jsonl:1"},
        {picture_gone, "picture_missing", "items-00000.jsonl:1"},
        {split_other, "leak_document leak_picture leak_near_picture", "items-00000.jsonl:2"},
        {language_wrong, "language_differs", "items-00000.jsonl:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("ours %zu\n", i);
        begin(state);
        put_ours(cases[i].damage);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

/* One content of two records has two lines; a line twice is one too many. */
static void documents(void **state) {
    (void)state;
    put_ours(nothing);
    put_text("documents.jsonl", "{\"document\":\"d1\",\"record\":\"dir/a.html\"}\n"
                                "{\"document\":\"d1\",\"record\":\"dir/b.html\"}\n");
    expect(VL_LAYOUT_AUTO, "", NULL);
    put_text("documents.jsonl", "{\"document\":\"d1\",\"record\":\"dir/a.html\"}\n"
                                "{\"document\":\"d1\",\"record\":\"dir/a.html\"}\n{}\n");
    expect(VL_LAYOUT_AUTO, "id_missing document_twice", "documents.jsonl:2");
    put_text("documents.jsonl",
             "{\"document\":\"d1\",\"record\":\"dir/a.html\",\"provenance\":{\"url\":\"\"}}\n");
    expect(VL_LAYOUT_AUTO, "", NULL);
    put_text("documents.jsonl", "{\"document\":\"d1\",\"record\":\"dir/a.html\","
                                "\"provenance\":{\"url\":\"\",\"licence\":\"CC BY\"}}\n");
    expect(VL_LAYOUT_AUTO, "provenance_differs", "items-00000.jsonl:1");
}

static void ours_in_files(void **state) {
    char path[256];
    (void)state;
    put_ours(nothing);
    snprintf(path, sizeof path, "%s/dataset.json", folder);
    unlink(path);
    put_text("items-00001.jsonl",
             "{\"kind\":\"pear\",\"split\":\"train\"}\n{\"kind\":\"pair\"");
    put_png("pictures/00/00.png", 3);
    expect(VL_LAYOUT_AUTO, "json line_cut not_finished item picture_unused",
           "items-00001.jsonl:2");
}

/* Two items of one document; what dataset.json does not say is not wrong. */
static void about(void **state) {
    static const struct {
        const char *about, *kinds;
    } cases[] = {
        {"{}", ""},
        {"{\"format\":\"vislang dataset 1\",\"items\":2,\"documents\":1,"
         "\"splits\":{\"train\":2,\"test\":0},\"kinds\":{\"pair\":1,\"describe\":1}}",
         ""},
        {"{\"format\":\"vislang dataset 9\"}", "format_unknown"},
        {"{\"format\":1}", "format_unknown"},
        {"{\"items\":5}", "about_differs"},
        {"{\"items\":\"2\"}", "about_differs"},
        {"{\"documents\":0}", "about_differs"},
        {"{\"splits\":{\"train\":1}}", "about_differs"},
        {"{\"kinds\":{\"question\":1}}", "about_differs"},
        {"[]", "row_no_object"},
        {"{", "json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("about %zu\n", i);
        begin(state);
        put_ours(nothing);
        put_text("dataset.json", cases[i].about);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, *cases[i].kinds ? "dataset.json" : NULL);
        end(state);
    }
}

static void reviews(void **state) {
    (void)state;
    put_ours(nothing);
    put_text("reviews.db", "This is no database, though it has the name of one.");
    expect(VL_LAYOUT_AUTO, "reviews_unreadable", "reviews.db");
}

static void not_finished(void **state) {
    (void)state;
    put_text(".vislang-build/plan.jsonl", "{\"document\":\"d1\"}\n");
    expect(VL_LAYOUT_AUTO, "not_finished no_rows", NULL);
}

/* ---- WebDataset -------------------------------------------------------------------------- */

typedef struct member {
    const char *name, *text; /* NULL: a picture */
} member;

static void put_tar(const char *name, const member *members, size_t count) {
    char path[256];
    tar *t;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(tar_create(path, &t, NULL), VL_OK);
    for (size_t i = 0; i < count; i++) {
        const char *text = members[i].text;
        assert_int_equal(tar_add(t, members[i].name, text ? text : picture.data,
                                 text ? strlen(text) : picture.len, NULL),
                         VL_OK);
    }
    assert_int_equal(tar_finish(t, NULL), VL_OK);
}

#define GOOD_JSON "{\"text\":\"a\",\"width\":64,\"height\":48}"

static void webdataset(void **state) {
    static const struct {
        member members[6];
        const char *kinds, *place;
    } cases[] = {
        {{{"a.png", NULL}, {"a.json", GOOD_JSON}, {"b.png", NULL}, {"b.json", GOOD_JSON}},
         "",
         NULL},
        {{{"a.png", NULL}, {"b.png", NULL}, {"a.json", GOOD_JSON}, {"b.json", GOOD_JSON}},
         "members_apart sample_incomplete",
         "s-0.tar:a"},
        {{{"a.png", NULL}, {"a.json", "{\"text\":"}}, "json", "s-0.tar:a.json"},
        {{{"a.png", "no picture"}, {"a.json", GOOD_JSON}},
         "picture_unreadable",
         "s-0.tar:a.png"},
        {{{"a.png", NULL}, {"a.json", "{\"text\":\"a\",\"width\":7,\"height\":48}"}},
         "picture_size",
         "s-0.tar:a.png"},
        {{{"a.png", NULL}, {"a.json", GOOD_JSON}, {"a.json", GOOD_JSON}},
         "member_twice",
         "s-0.tar:a.json"},
        {{{"a.png", NULL}, {"a.json", GOOD_JSON}, {"b.json", GOOD_JSON}},
         "sample_incomplete",
         "s-0.tar:b"},
        {{{"a.png", NULL}, {"a.json", GOOD_JSON}, {"README", "x"}},
         "member_odd",
         "s-0.tar:README"},
        {{{"a.png", NULL}, {"a.json", GOOD_JSON}, {"../b.json", GOOD_JSON}},
         "path_outside",
         "s-0.tar:../b.json"},
        {{{"a.png", NULL}, {"a.txt", "\xFFx"}}, "utf8", "s-0.tar:a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 0;
        print_message("webdataset %zu\n", i);
        while (count < 6 && cases[i].members[count].name)
            count++;
        begin(state);
        put_tar("s-0.tar", cases[i].members, count);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

static void keys_in_two_shards(void **state) {
    static const member members[] = {{"a.png", NULL}, {"a.json", GOOD_JSON}};
    (void)state;
    put_tar("train-0.tar", members, 2);
    put_tar("test-0.tar", members, 2);
    expect(VL_LAYOUT_AUTO, "key_recurs leak_picture leak_near_picture", "train-0.tar:a");
}

static void cut_tar(void **state) {
    static const member members[] = {{"a.png", NULL}, {"a.json", GOOD_JSON}, {"b.png", NULL}};
    char path[256];
    (void)state;
    put_tar("s-0.tar", members, 3);
    snprintf(path, sizeof path, "%s/s-0.tar", folder);
    assert_int_equal(
        truncate(path, (off_t)(512 + (picture.len + 511) / 512 * 512 + 1024 + 700)), 0);
    vl_check_report report = ask(VL_LAYOUT_AUTO);
    assert_string_equal(report.counts[0].kind, "archive_broken");
    vl_check_report_deinit(&report);
    put_text("s-0.tar", "no tar at all, and longer than nothing");
    expect(VL_LAYOUT_AUTO, "archive_broken no_rows", "s-0.tar");
}

/* `names` of pax or GNU are longer than ustar's. */
static void put_long_tar(const char *name, bool gnu, bool gzip) {
    char path[256], name_of[400], key[320];
    struct archive *a = archive_write_new();
    struct archive_entry *e;
    memset(key, 'k', sizeof key);
    key[300] = '\0';
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(gnu ? archive_write_set_format_gnutar(a) : archive_write_set_format_pax(a),
                     ARCHIVE_OK);
    if (gzip)
        archive_write_add_filter_gzip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (int i = 0; i < 2; i++) {
        const char *content = i ? GOOD_JSON : picture.data;
        size_t bytes = i ? strlen(GOOD_JSON) : picture.len;
        snprintf(name_of, sizeof name_of, "folder/%s.%s", key, i ? "json" : "png");
        e = archive_entry_new();
        archive_entry_set_pathname(e, name_of);
        archive_entry_set_size(e, (la_int64_t)bytes);
        archive_entry_set_filetype(e, AE_IFREG);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, content, bytes), (la_ssize_t)bytes);
        archive_entry_free(e);
    }
    archive_write_free(a);
}

static void long_names(void **state) {
    (void)state;
    put_long_tar("gnu.tar", true, false);
    vl_check_report report = ask(VL_LAYOUT_AUTO);
    assert_int_equal(report.errors + report.warnings, 0);
    assert_int_equal(report.rows, 1);
    assert_int_equal(report.pictures, 1);
    vl_check_report_deinit(&report);
    put_long_tar("pax.tar.gz", false, true);
    expect(VL_LAYOUT_AUTO, "key_recurs", NULL);
}

/* 300 MB of zeros in 300 KB. */
static void bomb(void **state) {
    char path[256];
    char *zeros = calloc(1, 1 << 20);
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    (void)state;
    snprintf(path, sizeof path, "%s/bomb.tar.gz", folder);
    archive_write_set_format_pax(a);
    archive_write_add_filter_gzip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    archive_entry_set_pathname(e, "a.png");
    archive_entry_set_size(e, (la_int64_t)300 << 20);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_write_header(a, e);
    for (int i = 0; i < 300; i++)
        archive_write_data(a, zeros, 1 << 20);
    archive_entry_free(e);
    archive_write_free(a);
    free(zeros);
    vl_check_report report = ask(VL_LAYOUT_AUTO);
    assert_string_equal(report.counts[0].kind, "archive_bomb");
    vl_check_report_deinit(&report);
}

/* ---- COCO and VQA ------------------------------------------------------------------------ */

static void coco(void **state) {
    static const struct {
        const char *json, *kinds, *place;
    } cases[] = {
        {"{\"info\":{},\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":64,\"height\":"
         "48}],"
         "\"annotations\":[{\"id\":1,\"image_id\":1,\"caption\":\"a\"},"
         "{\"id\":2,\"image_id\":1,\"category_id\":3,\"bbox\":[0,0,64,48]}],"
         "\"categories\":[{\"id\":3,\"name\":\"house\"}]}",
         "", NULL},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":64,\"height\":48}],"
         "\"annotations\":[{\"id\":1,\"image_id\":2,\"caption\":\"a\"}]}",
         "annotation_orphan", "train.json:annotations[0]"},
        {"{\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":9,\"bbox\":[60,0,5,1]}],"
         "\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":64,\"height\":48}]}",
         "box_outside category_missing", "train.json:annotations[0]"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a.png\",\"width\":63,\"height\":48},"
         "{\"id\":1,\"file_name\":\"b.png\"}],\"annotations\":[]}",
         "id_twice picture_missing picture_size", "train.json:images[1]"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":[{\"id\":1,", "json",
         "train.json"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a.png\"} {}],\"annotations\":[]}", "json",
         "train.json"},
        {"{\"images\":[{\"id\":1,\"file_name\":\"a.png\"}],\"annotations\":["
         "{\"id\":1,\"image_id\":1,\"caption\":\" \"},{\"id\":01},7]}",
         "json row_no_object text_empty", "train.json:annotations[0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("coco %zu\n", i);
        begin(state);
        put_text("train.json", cases[i].json);
        put("images/a.png", picture.data, picture.len);
        expect(VL_LAYOUT_COCO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

static void vqa(void **state) {
    static const struct {
        const char *questions, *annotations, *kinds, *place;
    } cases[] = {
        {"{\"data_subtype\":\"train2014\",\"questions\":[{\"image_id\":7,\"question_id\":70,"
         "\"question\":\"Ngapi?\"}]}",
         "{\"annotations\":[{\"question_id\":70,\"image_id\":7,\"answers\":[{\"answer\":\"2\"}]"
         "}]}",
         "", NULL},
        {"{\"questions\":[{\"image_id\":7,\"question_id\":70,\"question\":\"Ngapi?\"},"
         "{\"image_id\":7,\"question_id\":71,\"question\":\"Nani?\"}]}",
         "{\"annotations\":[{\"question_id\":70,\"image_id\":7,\"answers\":[{\"answer\":\"2\"}]"
         "}]}",
         "question_unanswered picture_unused", "q_train2014.json:questions[1]"},
        {"{\"questions\":[{\"image_id\":7,\"question_id\":70,\"question\":\"\"}]}",
         "{\"annotations\":[{\"question_id\":70,\"image_id\":7,\"answers\":[]},"
         "{\"question_id\":72,\"answers\":[{\"answer\":\"2\"}]}]}",
         "annotation_orphan text_empty picture_unused", "a_train2014.json:annotations[1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("vqa %zu\n", i);
        begin(state);
        put_text("q_train2014.json", cases[i].questions);
        put_text("a_train2014.json", cases[i].annotations);
        put("images/COCO_train2014_000000000007.jpg", picture.data, picture.len);
        expect(VL_LAYOUT_AUTO, cases[i].kinds, cases[i].place);
        end(state);
    }
}

/* ---- conversations ----------------------------------------------------------------------- */

#define TURN(who, words) "{\"from\":\"" who "\",\"value\":\"" words "\"}"

static void llava(void **state) {
    static const struct {
        const char *turns, *image, *kinds;
    } cases[] = {
        {TURN("human", "<image>\\nNini?") "," TURN("gpt", "Mafuriko"), "a.png", ""},
        {TURN("human", "Nini?") "," TURN("gpt", "Mafuriko"), "a.png", "image_token"},
        {TURN("human", "<image>\\nNini?") "," TURN("gpt", "Mafuriko"), NULL,
         "image_token picture_unused"},
        {TURN("human", "Nini?") "," TURN("gpt", "Mafuriko"), NULL, "picture_unused"},
        {TURN("gpt", "Mafuriko") "," TURN("human", "<image>"), "a.png", "conversation"},
        {TURN("human", "<image>"), "a.png", "conversation"},
        {TURN("human", "<image>a") "," TURN("human", "b"), "a.png", "conversation"},
        {TURN("human", "<image>a") "," TURN("gpt", ""), "a.png", "text_empty"},
        {"{\"from\":\"human\"}", "a.png", "conversation image_token"},
        {TURN("human", "<image>a") "," TURN("gpt", "b"), "gone.png",
         "picture_missing picture_unused"},
        {"", "a.png", "conversation image_token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], image[64] = "";
        print_message("llava %zu\n", i);
        begin(state);
        if (cases[i].image)
            snprintf(image, sizeof image, "\"image\":\"%s\",", cases[i].image);
        snprintf(text, sizeof text, "[{\"id\":\"1\",%s\"conversations\":[%s]}]", image,
                 cases[i].turns);
        put_text("train.json", text);
        put("images/a.png", picture.data, picture.len);
        expect(VL_LAYOUT_AUTO, cases[i].kinds,
               *cases[i].kinds && !strstr(cases[i].kinds, "unused") ? "train.json:[0]" : NULL);
        end(state);
    }
}

/* ---- the report -------------------------------------------------------------------------- */

static void limits_and_counts(void **state) {
    vl_buf lines;
    vl_check_options options = vl_check_options_default();
    vl_check_report report;
    (void)state;
    vl_buf_init(&lines, 1 << 20);
    for (int i = 0; i < 100; i++)
        vl_buf_puts(&lines, "{\"text\":\"\"}\n");
    put("rows.jsonl", lines.data, lines.len);
    options.limit = 3;
    assert_int_equal(vl_dataset_check(folder, &options, &report, NULL), VL_OK);
    assert_int_equal(report.rows, 100);
    assert_int_equal(report.warnings, 100);
    assert_int_equal(report.finding_count, 3);
    assert_string_equal(report.findings[2].place, "rows.jsonl:3");
    vl_buf_clear(&lines);
    vl_check_report_text(&report, &lines);
    assert_non_null(strstr(lines.data, "… and 97 more"));
    vl_buf_clear(&lines);
    assert_int_equal(vl_check_report_json(&report, &lines, NULL), VL_OK);
    assert_non_null(strstr(lines.data, "\"text_empty\""));
    vl_check_report_deinit(&report);
    vl_buf_deinit(&lines);
}

static void what_is_no_dataset(void **state) {
    vl_check_options options = vl_check_options_default();
    vl_check_report report;
    vl_check_layout layout;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_dataset_check(folder, &options, &report, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "looks like a dataset"));
    assert_int_equal(vl_dataset_check("/nowhere/at/all", &options, &report, &error),
                     VL_ERR_INPUT);
    assert_int_equal(vl_layout_parse("cocoo", &layout, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "coco"));
}

/* Bytes that a terminal obeys do not come out. */
static void messages_are_safe(void **state) {
    vl_check_report report;
    (void)state;
    put_text("rows.jsonl", "{\"text\":\"a\",\"language\":\"\\u001b[31m\\u009b\"}\n");
    report = ask(VL_LAYOUT_AUTO);
    assert_non_null(strstr(report.findings[0].message, "\\x1B[31m\\xC2\\x9B"));
    vl_check_report_deinit(&report);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(files_of_lines),
        IN_FOLDER(pieces_of_a_file),
        IN_FOLDER(hostile_lines),
        cmocka_unit_test(imagefolder),
        IN_FOLDER(links_in_circles),
        IN_FOLDER(one_metadata),
        IN_FOLDER(folders_as_labels),
        cmocka_unit_test(ours),
        IN_FOLDER(ours_in_files),
        cmocka_unit_test(about),
        IN_FOLDER(reviews),
        IN_FOLDER(not_finished),
        IN_FOLDER(documents),
        cmocka_unit_test(webdataset),
        IN_FOLDER(keys_in_two_shards),
        IN_FOLDER(cut_tar),
        IN_FOLDER(long_names),
        IN_FOLDER(bomb),
        cmocka_unit_test(coco),
        cmocka_unit_test(vqa),
        cmocka_unit_test(llava),
        IN_FOLDER(limits_and_counts),
        IN_FOLDER(what_is_no_dataset),
        IN_FOLDER(messages_are_safe),
    };
    vl_buf_init(&picture, 1 << 20);
    make_png(2, 64, 48, &picture);
    if (vl_langid_open(NULL, &langid, NULL))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vl_langid_free(langid);
    vl_buf_deinit(&picture);
    return failed;
}
