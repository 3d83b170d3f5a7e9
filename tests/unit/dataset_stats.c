/* What a small dataset holds, counted by hand; the estimate of distinct words; and that reports
 * stay whole whatever a dataset says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cJSON.h>
#include <libxml/HTMLparser.h>

#include "dataset/stats.h"

static char folder[64];

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/vislang-stats-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(vl_file_write(path, text, strlen(text), NULL), VL_OK);
}

static vl_stats *count(void) {
    vl_stats_options options = vl_stats_options_default();
    vl_error error = {0};
    vl_stats *stats;
    if (vl_dataset_stats(folder, &options, &stats, &error))
        fail_msg("%s", error.message);
    return stats;
}

/* ---- a dataset of ours ------------------------------------------------------------------- */

static vl_item an_item(const char *id, vl_item_kind kind, const char *language,
                       const char *text, const char *document) {
    vl_item item = {.kind = kind,
                    .split = VL_SPLIT_TRAIN,
                    .picture = "",
                    .picture_kind = "",
                    .instruction = "",
                    .text = text,
                    .script = "Latn",
                    .origin = "document",
                    .phrase = "",
                    .review = ""};
    snprintf(item.id, sizeof item.id, "%s", id);
    snprintf(item.language, sizeof item.language, "%s", language);
    item.source.document = document;
    item.source.record = "who/don-1";
    item.source.publisher = "WHO";
    item.source.licence = "CC BY";
    item.source.url = item.source.title = "";
    item.source.published = item.source.fetched = "";
    return item;
}

static void put_ours(void) {
    vl_item items[4] = {
        an_item("1", VL_ITEM_PAIR, "swa", "Maji na maji 12", "a"),
        an_item("2", VL_ITEM_DESCRIBE, "swa", "Maji na maji 12", "a"),
        an_item("3", VL_ITEM_TEXT, "swa", "NA dawa", "b"),
        an_item("4", VL_ITEM_TEXT, "khm", "ទឹកស្អាត", "b"),
    };
    vl_buf lines;
    vl_buf_init(&lines, 1 << 16);
    items[0].picture = items[1].picture = "pictures/aa/aa.png";
    items[0].picture_kind = items[1].picture_kind = "map";
    items[0].width = items[1].width = 640;
    items[0].height = items[1].height = 480;
    items[0].quality[VL_QUALITY_DUPLICATES] = 0.3333;
    items[0].quality[VL_QUALITY_OCR] = 1;
    items[0].score = 0.51;
    items[0].personal[VL_PERSONAL_PHONE] = 2;
    items[0].personal[VL_ITEM_COORDINATES] = 1;
    items[1].phrase = "swa.describe.natural.1";
    items[1].instruction = "Nini?";
    items[2].split = VL_SPLIT_TEST;
    items[2].quality[VL_QUALITY_DUPLICATES] = 1;
    memcpy(items[3].script, "Khmr", 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(vl_item_write(&items[i], &lines, NULL), VL_OK);
    put("items-00000.jsonl", lines.data);
    put("documents.jsonl", "{\"document\":\"a\"}\n{\"document\":\"b\"}\n");
    put("dataset.json", "{}");
    vl_buf_deinit(&lines);
}

static uint64_t named(const stats_tally *t, const char *name) {
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->entries[i].name, name))
            return t->entries[i].count;
    return 0;
}

static void ours(void **state) {
    (void)state;
    put_ours();
    vl_stats *s = count();
    assert_int_equal(s->rows, 4);
    assert_int_equal(s->bases, 3);
    assert_int_equal(s->documents, 2);
    assert_int_equal(s->pictures, 1);
    assert_int_equal(s->rows_per_document.sum, 4);
    assert_int_equal(s->splits[VL_SPLIT_TRAIN], 3);
    assert_int_equal(s->splits[VL_SPLIT_TEST], 1);
    assert_int_equal(named(&s->kinds, "text"), 2);
    assert_int_equal(named(&s->scripts, "Latn"), 3);
    assert_int_equal(named(&s->sources, "who\tWHO\tCC BY"), 4);
    assert_int_equal(named(&s->picture_kinds, "map"), 1);
    assert_int_equal(s->picture_sides.most, 640);
    assert_int_equal(s->clusters.count, 1);
    assert_int_equal(s->clusters.most, 3);
    assert_int_equal(s->removed, 2);
    assert_int_equal(s->personal[VL_PERSONAL_PHONE], 2);
    assert_int_equal(s->personal_rows, 1);
    assert_int_equal(s->quality[VL_QUALITY_PART_COUNT][10], 1);
    assert_int_equal(s->quality[VL_QUALITY_OCR][QUALITY_BINS - 1], 1);
    assert_int_equal(s->language_count, 2);
    const stats_language *swahili = s->languages[0], *khmer = s->languages[1];
    assert_string_equal(swahili->code, "swa");
    assert_int_equal(swahili->rows, 3);
    assert_int_equal(swahili->by_words.sum, 6);
    assert_int_equal(swahili->words.tokens, 5);          /* 12 is none */
    assert_true(vocabulary_types(&swahili->words) == 3); /* maji, na, dawa */
    assert_string_equal(khmer->code, "khm");
    assert_int_equal(khmer->by_words.sum, 2); /* water, clean: by ICU's dictionary */
    assert_int_equal(khmer->by_characters.sum, 8);
    vl_stats_free(s);
}

static void json_has_its_keys(void **state) {
    static const char *const keys[] = {
        "path",      "layout",     "rows",          "base_items",    "unreadable",
        "documents", "pictures",   "splits",        "kinds",         "scripts",
        "languages", "sources",    "picture_kinds", "picture_sides", "rows_per_document",
        "quality",   "duplicates", "personal",      "origins",       "phrasings",
        "reviews"};
    vl_buf out;
    (void)state;
    put_ours();
    vl_stats *s = count();
    vl_buf_init(&out, 1 << 20);
    assert_int_equal(vl_stats_json(s, &out, NULL), VL_OK);
    cJSON *root = cJSON_ParseWithLength(out.data, out.len);
    assert_non_null(root);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(root, keys[i]));
    assert_int_equal(cJSON_GetArraySize(root), sizeof keys / sizeof *keys);
    const cJSON *swahili = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "languages"), 0),
                *curve =
                    cJSON_GetObjectItem(cJSON_GetObjectItem(swahili, "vocabulary"), "curve");
    assert_int_equal(cJSON_GetArraySize(curve), 1);
    cJSON_Delete(root);
    vl_buf_deinit(&out);
    vl_stats_free(s);
}

/* ---- datasets of others ------------------------------------------------------------------ */

static void others(void **state) {
    (void)state;
    put("train.jsonl",
        "{\"text\":\"clean water\",\"lang\":\"en\",\"license\":\"MIT\"}\nbroken\n"
        "{\"captions\":[\"a\",\"b\",\"b\"],\"language\":\"sw-KE\",\"document\":\"d\"}\n");
    vl_stats *s = count();
    assert_int_equal(s->rows, 2);
    assert_int_equal(s->unreadable, 1);
    assert_int_equal(s->documents, 1);
    assert_int_equal(s->splits[VL_SPLIT_TRAIN], 2);
    assert_int_equal(named(&s->sources, "\t\tMIT"), 1);
    assert_string_equal(s->languages[0]->code, "eng");
    assert_string_equal(s->languages[1]->code, "swa");
    assert_int_equal(s->languages[1]->by_words.count, 2);
    assert_false(s->has_quality);
    vl_stats_free(s);
}

/* Markup, addresses that run, and letters from right to left. */
#define HOSTILE                                                                                \
    "{\"text\":\"</p><script>alert(1)</script>\",\"language\":\"ar\",\"url\":"                 \
    "\"javascript:alert(1)\",\"publisher\":\"\\u0627\\u0644\\u0623\\u0645\\u0645\\u001b[31m"   \
    "\\u202e\",\"image\":\"a\\\" onload=b.png\",\"kind\":\"<b>&\"}\n"                          \
    "{\"text\":\"x\",\"language\":\"ar\",\"url\":\"https://example.org/?a=\\\"><script>\","    \
    "\"publisher\":\"p\",\"image\":\"javascript:alert(1)\",\"kind\":\"k\"}\n"

static void reports_are_safe(void **state) {
    vl_buf html, text;
    (void)state;
    put("rows.jsonl", HOSTILE);
    vl_stats *s = count();
    vl_buf_init(&html, 1 << 20);
    vl_buf_init(&text, 1 << 20);
    assert_int_equal(vl_stats_html(s, "a folder/<x>", &html, NULL), VL_OK);
    assert_int_equal(vl_stats_text(s, &text, NULL), VL_OK);
    assert_null(strstr(html.data, "<script"));
    assert_null(strstr(html.data, "\"javascript:"));
    assert_non_null(strstr(html.data, "&lt;script&gt;"));
    assert_non_null(strstr(html.data, "a%20folder/%3Cx%3E/a%22%20onload%3Db.png"));
    assert_null(strchr(text.data, '\x1b'));
    assert_null(strstr(text.data, "\xE2\x80\xAE"));
    assert_non_null(strstr(text.data, "\xE2\x81\xA8\xD8\xA7\xD9\x84\xD8\xA3\xD9\x85\xD9\x85"));
    vl_buf_deinit(&html);
    vl_buf_deinit(&text);
    vl_stats_free(s);
}

/* Every picture of a chart says what it shows, every table has heads, every element is closed.
 */
static void walk(const xmlNode *node, size_t *charts) {
    for (; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, "svg")) {
            xmlChar *label = xmlGetProp(node, (const xmlChar *)"aria-label");
            assert_non_null(label);
            assert_true(*label);
            xmlFree(label);
            assert_string_equal((const char *)node->children->name, "title");
            ++*charts;
        }
        assert_true(node->type != XML_ELEMENT_NODE ||
                    strcmp((const char *)node->name, "script") != 0);
        walk(node->children, charts);
    }
}

static void report_is_whole(void **state) {
    size_t charts = 0;
    vl_buf html;
    (void)state;
    put_ours();
    vl_stats *s = count();
    vl_buf_init(&html, 1 << 20);
    assert_int_equal(vl_stats_html(s, "", &html, NULL), VL_OK);
    assert_non_null(strstr(html.data, "href=\"./pictures/aa/aa.png\""));
    htmlDocPtr page =
        htmlReadMemory(html.data, (int)html.len, NULL, "UTF-8",
                       HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    assert_non_null(page);
    walk(xmlDocGetRootElement(page), &charts);
    assert_true(charts >= 15);
    xmlFreeDoc(page);
    vl_buf_deinit(&html);
    vl_stats_free(s);
}

/* ---- distinct words ---------------------------------------------------------------------- */

/* Over 4 standard errors is one in 16,000; the numbers are fixed by the seed. */
static void estimates(void **state) {
    static const size_t counts[] = {1, 100, 20000, 131072, 400000, 2000000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        vocabulary v = {0};
        size_t budget = i % 2 ? SIZE_MAX / 2 : 0; /* 0: estimated from the first word on */
        for (uint64_t k = 0; k < counts[i]; k++) {
            uint64_t hash = k;
            hash = vl_random_next(&hash);
            assert_true(vocabulary_add(&v, hash, &budget));
            if (!(k % 3))
                assert_true(vocabulary_add(&v, hash, &budget));
        }
        double types = vocabulary_types(&v), off = types / (double)counts[i] - 1;
        if (!v.registers)
            assert_true(types == (double)counts[i]);
        assert_true(off < 4 * VOCABULARY_ERROR && off > -4 * VOCABULARY_ERROR);
        assert_true(v.registers || counts[i] <= VOCABULARY_EXACT);
        assert_true(v.points <= CURVE_MAX);
        vocabulary_deinit(&v);
    }
}

static void names_have_a_maximum(void **state) {
    stats_tally t = {0};
    char name[32];
    size_t index;
    (void)state;
    for (int i = 0; i < TALLY_MAX + 50; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_true(stats_tally_add(&t, name, 1, &index));
        assert_int_equal(index, i < TALLY_MAX ? i : TALLY_MAX);
    }
    assert_true(stats_tally_add(&t, "n7", 1, &index));
    assert_int_equal(index, 7);
    assert_int_equal(t.count, TALLY_MAX);
    assert_int_equal(t.others, 50);
    assert_int_equal(stats_tally_total(&t), TALLY_MAX + 51);
    stats_tally_sort(&t);
    assert_string_equal(t.entries[0].name, "n7");
    stats_tally_deinit(&t);
}

static void bins(void **state) {
    static const struct {
        uint64_t value;
        size_t bin;
        const char *name;
    } cases[] = {{0, 0, "0"},   {1, 1, "1"},   {2, 2, "2–3"},
                 {3, 2, "2–3"}, {4, 3, "4–7"}, {1024, 11, "1024–2047"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lengths l = {0};
        char name[32];
        lengths_add(&l, cases[i].value);
        assert_int_equal(lengths_last_bin(&l), cases[i].bin);
        lengths_bin_name(cases[i].bin, name);
        assert_string_equal(name, cases[i].name);
    }
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(ours),
        IN_FOLDER(json_has_its_keys),
        IN_FOLDER(others),
        IN_FOLDER(reports_are_safe),
        IN_FOLDER(report_is_whole),
        cmocka_unit_test(estimates),
        cmocka_unit_test(names_have_a_maximum),
        cmocka_unit_test(bins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
