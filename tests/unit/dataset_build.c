/* Records with several documents: captions of language versions, tables of counterparts, what
 * stood there before, what a record says of its crisis, and pictures that stand elsewhere. */
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

#include <vislang/dataset.h>

static char folder[] = "/tmp/vislang-build-XXXXXX";

static const char *put(const char *name, const char *text) {
    static char path[4096];
    vl_error error = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (vl_file_write(path, text, strlen(text), &error))
        fail_msg("%s", error.message);
    return path;
}

/* Bars of a size of their own, so that no two pictures are alike. */
static void put_picture(const char *name, unsigned seed) {
    vl_error error = {0};
    vl_image *image = NULL;
    vl_buf png;
    char path[4096];
    assert_int_equal(vl_image_new(160, 120, 3, &image, &error), VL_OK);
    for (uint32_t y = 0; y < 120; y++)
        for (uint32_t x = 0; x < 160; x++) {
            unsigned tall = (seed * 37 + x / 20 * 29) % 100 + 10;
            uint8_t *at = image->pixels + y * image->stride + 3 * (size_t)x;
            at[0] = 120 - y < tall ? (uint8_t)(40 + x / 20 * 20) : 255;
            at[1] = at[2] = 120 - y < tall ? 60 : 255;
        }
    vl_buf_init(&png, 1 << 20);
    assert_int_equal(vl_image_encode_png(image, &png, &error), VL_OK);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(vl_file_write(path, png.data, png.len, &error), VL_OK);
    vl_buf_deinit(&png);
    vl_image_free(image);
}

/* ---- what the collection would give --------------------------------------------------------
 */

typedef struct given {
    const char *record, *file, *disaster;
    bool current;
    const char *of; /* the file that it is a content of; NULL: its own */
} given;

static const given *documents;
static size_t document_count;

static vl_status give_documents(const vl_build_query *query, vl_build_document_fn give,
                                void *to, void *user, vl_error *error) {
    vl_status status = VL_OK;
    (void)user;
    assert_non_null(strstr(query->collection, "collection"));
    for (size_t i = 0; !status && i < document_count; i++) {
        char path[4096], sha256[VL_SHA256_HEX_SIZE], provenance[512];
        vl_buf bytes;
        snprintf(path, sizeof path, "%s/%s", folder, documents[i].file);
        vl_buf_init(&bytes, 1 << 20);
        assert_int_equal(vl_file_read(path, 1 << 20, &bytes, error), VL_OK);
        vl_sha256_hex(bytes.data, bytes.len, sha256);
        vl_buf_deinit(&bytes);
        snprintf(provenance, sizeof provenance,
                 "{\"url\":\"https://example.org/%s\",\"asked_url\":\"https://example.org/%s\","
                 "\"licence\":\"CC BY 4.0\"}",
                 documents[i].file, documents[i].record);
        status = give(
            &(vl_build_document){.record = documents[i].record,
                                 .file = documents[i].of ? documents[i].of : documents[i].file,
                                 .sha256 = sha256,
                                 .path = path,
                                 .type = "text/html",
                                 .language = "",
                                 .disaster = documents[i].disaster,
                                 .provenance = provenance,
                                 .current = documents[i].current},
            to, error);
    }
    return status;
}

static vl_status give_picture(const vl_build_document *document, const char *collection,
                              const char *url, char *path, size_t size, void *user,
                              vl_error *error) {
    (void)document;
    (void)collection;
    (void)user;
    (void)error;
    snprintf(path, size, "%s/%s", folder, strrchr(url, '/') ? strrchr(url, '/') + 1 : url);
    if (access(path, F_OK) != 0)
        *path = '\0';
    return VL_OK;
}

/* ---- what comes out ------------------------------------------------------------------------
 */

typedef struct found {
    vl_arena *arena;
    vl_item items[256];
    size_t count;
} found;

static const char *keep(found *f, const char *text) {
    return vl_arena_strdup(f->arena, text);
}

static vl_status take(const vl_item *item, void *to, vl_error *error) {
    found *f = to;
    (void)error;
    assert_true(f->count < 256);
    vl_item *copy = &f->items[f->count++];
    *copy = *item;
    copy->text = keep(f, item->text);
    copy->instruction = keep(f, item->instruction);
    copy->origin = keep(f, item->origin);
    copy->picture = keep(f, item->picture);
    copy->phrase = keep(f, item->phrase);
    copy->source.licence = keep(f, item->source.licence);
    return VL_OK;
}

static void build(const char *name, const char *more, const given *given_documents,
                  size_t count, found *out) {
    char recipe[4096], target[4096], text[2048];
    vl_build_options options = vl_build_options_default();
    vl_build_report report;
    vl_dataset *dataset = NULL;
    vl_error error = {0};
    documents = given_documents;
    document_count = count;
    snprintf(text, sizeof text,
             "name: %s\ncollections: [collection]\npicture_model: false\nmin_quality_score: 0\n"
             "splits: {train: 1}\nexamples_per_item: 16\n%s",
             name, more);
    snprintf(recipe, sizeof recipe, "%s", put("recipe.yaml", text));
    snprintf(target, sizeof target, "%s/%s", folder, name);
    options.recipe = recipe;
    options.folder = target;
    options.jobs = 1;
    options.documents = give_documents;
    options.picture = give_picture;
    if (vl_dataset_build(&options, &report, &error) ||
        vl_dataset_open(target, &dataset, &error))
        fail_msg("%s", error.message);
    *out = (found){.arena = vl_arena_new(16 << 20)};
    assert_int_equal(vl_dataset_items(dataset, take, out, &error), VL_OK);
    vl_dataset_close(dataset);
}

static const vl_item *find(const found *f, vl_item_kind kind, const char *language,
                           const char *text) {
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].kind == kind &&
            (!language || !strcmp(f->items[i].language, language)) &&
            strstr(f->items[i].text, text))
            return &f->items[i];
    return NULL;
}

#define PAGE(lang, body)                                                                       \
    "<!DOCTYPE html><html lang=" lang "><meta charset=utf-8><title>t</title><main>" body       \
    "</main></html>"
#define ENGLISH                                                                                \
    "<p>The rains of last week flooded the wells of seven villages along the river, and the "  \
    "clinic has asked for more water tablets before the end of the month.</p>"
#define FRENCH                                                                                 \
    "<p>Les pluies de la semaine dernière ont inondé les puits de sept villages le long du " \
    "fleuve, et le centre de santé demande des comprimés avant la fin du mois.</p>"

static void versions_share_their_captions(void **state) {
    static const given record[] = {{"site/1", "en.html", "", true, NULL},
                                   {"site/1", "fr.html", "", true, NULL}};
    found f;
    (void)state;
    put_picture("a.png", 1);
    put("en.html", PAGE("en", ENGLISH "<figure><img src=a.png><figcaption>Figure 1. Households "
                                      "that fetch water from the river, by village"
                                      "</figcaption></figure>" ENGLISH));
    put("fr.html",
        PAGE("fr", FRENCH "<figure><img src=a.png><figcaption>Graphique 1. Ménages qui "
                          "puisent leur eau dans le fleuve, par village"
                          "</figcaption></figure>" FRENCH));
    build("versions", "target_languages: [fra]\nkinds: [pair, describe]\n", record, 2, &f);
    assert_non_null(find(&f, VL_ITEM_PAIR, "eng", "Households"));
    assert_non_null(find(&f, VL_ITEM_PAIR, "fra", "Ménages")); /* one picture, two languages */
    const vl_item *pair = find(&f, VL_ITEM_PAIR, "eng", "Households"), *french = NULL;
    assert_string_equal(pair->source.licence, "CC BY 4.0");
    assert_int_equal(strlen(pair->picture), strlen("pictures/00/.png") + 64);
    for (size_t i = 0; i < f.count; i++)
        if (f.items[i].kind == VL_ITEM_DESCRIBE && !strcmp(f.items[i].base, pair->id) &&
            !strcmp(f.items[i].language, "fra"))
            french = &f.items[i];
    assert_non_null(french);
    assert_string_equal(french->origin, "aligned:version");
    assert_non_null(strstr(french->text, "Ménages"));
    vl_arena_free(f.arena);
}

#define FIGURE(picture, caption)                                                               \
    "<figure><img src=" picture "><figcaption>" caption "</figcaption></figure>"

/* Captions without numbers, in another order, one of them without a counterpart. */
static void captions_are_paired_by_what_they_say(void **state) {
    static const given record[] = {{"site/1", "en.html", "", true, NULL},
                                   {"site/1", "fr.html", "", true, NULL}};
    static const char *const pairs[][2] = {
        {"Children wait for vaccination against measles at the hospital of Goma",
         "Des enfants attendent la vaccination contre la rougeole à l'hôpital de Goma"},
        {"A bridge that was destroyed by the flood near the village of Kibati",
         "Un pont détruit par l'inondation près du village de Kibati"},
        {"Refugees receive food and blankets from the Red Cross in the camp",
         "Des réfugiés reçoivent de la nourriture et des couvertures de la Croix-Rouge dans le "
         "camp"},
    };
    found f;
    size_t right = 0, paired = 0;
    (void)state;
    put_picture("c1.png", 11);
    put_picture("c2.png", 12);
    put_picture("c3.png", 13);
    put_picture("c4.png", 14);
    put("en.html",
        PAGE("en", ENGLISH FIGURE("c1.png", "Children wait for vaccination against measles at "
                                            "the hospital of Goma")
                       ENGLISH FIGURE("c2.png", "A bridge that was destroyed by the flood near "
                                                "the village of Kibati")
                           ENGLISH FIGURE("c3.png", "Refugees receive food and blankets from "
                                                    "the Red Cross in the camp")
                               ENGLISH FIGURE("c4.png", "The minister of finance opens the new "
                                                        "stock exchange") ENGLISH));
    put("fr.html",
        PAGE("fr", FRENCH FIGURE("c3.png", "Des réfugiés reçoivent de la nourriture et des "
                                           "couvertures de la Croix-Rouge dans le camp")
                       FRENCH FIGURE("c1.png", "Des enfants attendent la vaccination contre la "
                                               "rougeole à l'hôpital de Goma")
                           FRENCH FIGURE("c2.png", "Un pont détruit par l'inondation près du "
                                                   "village de Kibati") FRENCH));
    for (int least = 0; least < 2; least++) {
        build(least ? "unpaired" : "paired",
              least ? "target_languages: [fra]\nkinds: [pair, describe]\n"
                      "min_alignment_confidence: 1\n"
                    : "target_languages: [fra]\nkinds: [pair, describe]\n"
                      "min_alignment_confidence: 0.5\n",
              record, 2, &f);
        for (size_t i = 0; i < f.count; i++) {
            const vl_item *item = &f.items[i];
            if (strncmp(item->origin, "alignment:", 10) != 0)
                continue;
            double confidence = atof(item->origin + 10);
            assert_true(confidence >= 0.5 && confidence <= 1);
            assert_string_equal(item->language, "fra");
            paired++;
            for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
                const vl_item *base = find(&f, VL_ITEM_PAIR, "eng", pairs[k][0]);
                right += base && !strcmp(base->id, item->base) &&
                         strstr(item->text, pairs[k][1]) != NULL;
            }
        }
        vl_arena_free(f.arena);
        if (!least)
            assert_true(paired >= 2);
    }
    assert_int_equal(right, paired); /* and none more where confidence cannot be reached */
}

static void tables_of_counterparts(void **state) {
    static const given record[] = {{"site/1", "en.html", "", true, NULL}};
    found f;
    (void)state;
    put_picture("b.png", 2);
    put("captions.tsv", "7\tHOUSEHOLDS that fetch  water\tKaya zinazochota maji\n");
    put("en.html",
        PAGE("en", ENGLISH "<figure><img src=b.png><figcaption>Households that fetch "
                           "water</figcaption></figure>" ENGLISH));
    build("tables",
          "target_languages: [sw]\nkinds: [pair, describe]\n"
          "aligned: [{path: captions.tsv, languages: [en, sw]}]\n",
          record, 1, &f);
    const vl_item *item = find(&f, VL_ITEM_DESCRIBE, "swa", "Kaya zinazochota maji");
    assert_non_null(item);
    assert_string_equal(item->origin, "aligned:captions.tsv");
    vl_arena_free(f.arena);
}

#define TABLE(value)                                                                           \
    "<table><caption>Patients by week</caption><tr><th>Place</th><th>May</th><th>June</th>"    \
    "</tr><tr><th>North</th><td>310</td><td>" value "</td></tr><tr><th>South</th><td>95</td>"  \
    "<td>88</td></tr></table>"

static void what_stood_there_before(void **state) {
    static const given record[] = {{"site/1", "old.html", "", false, "a"},
                                   {"site/1", "new.html", "", true, "a"}};
    found f;
    (void)state;
    put("old.html", PAGE("en", "<h1>Cholera</h1>" ENGLISH TABLE("120") ENGLISH));
    put("new.html", PAGE("en", "<h1>Cholera</h1>" ENGLISH TABLE("185") ENGLISH));
    build("before", "kinds: [text, question, change]\n", record, 2, &f);
    const vl_item *table = find(&f, VL_ITEM_TEXT, NULL, "185");
    assert_non_null(table);
    assert_null(find(&f, VL_ITEM_TEXT, NULL, "120")); /* only what is there now */
    const vl_item *item = find(&f, VL_ITEM_CHANGE, NULL, "185");
    assert_non_null(item);
    assert_string_equal(item->base, table->id);
    assert_non_null(strstr(item->instruction, "120"));
    assert_non_null(find(&f, VL_ITEM_QUESTION, NULL, ""));
    vl_arena_free(f.arena);
}

/* Of a file that was replaced every day the last state counts, and the first ones are no reason
 * to lose what is there now. */
static void hundreds_of_states(void **state) {
    enum { STATES = 300 };
    static given record[STATES];
    static char names[STATES][32];
    found f;
    (void)state;
    for (int i = 0; i < STATES; i++) {
        char page[2048], value[16];
        snprintf(names[i], sizeof names[i], "state-%d.html", i);
        snprintf(value, sizeof value, "%d", 1000 + i);
        snprintf(page, sizeof page, PAGE("en", "<h1>Cholera</h1>" ENGLISH TABLE("%s") ENGLISH),
                 value);
        put(names[i], page);
        record[i] = (given){"site/1", names[i], "", i == STATES - 1, "a"};
    }
    build("states", "kinds: [text, change]\n", record, STATES, &f);
    assert_non_null(find(&f, VL_ITEM_TEXT, NULL, "1299"));
    const vl_item *item = find(&f, VL_ITEM_CHANGE, NULL, "1299");
    assert_non_null(item);
    assert_non_null(strstr(item->instruction, "1298"));
    vl_arena_free(f.arena);
}

static void crises_of_records(void **state) {
    static const given record[] = {{"reliefweb/1", "en.html", "FL-2024-000123-KEN", true, NULL},
                                   {"reliefweb/2", "other.html", "", true, NULL}};
    found f;
    (void)state;
    put("en.html", PAGE("en", ENGLISH));
    put("other.html", PAGE("en", "<p>The ministry opened two schools in the capital on Monday, "
                                 "and the market will move to the eastern road.</p>"));
    build("crises", "kinds: [text, crisis]\n", record, 2, &f);
    size_t count = 0;
    for (size_t i = 0; i < f.count; i++)
        count += f.items[i].kind == VL_ITEM_CRISIS;
    const vl_item *item = find(&f, VL_ITEM_CRISIS, NULL, "lood");
    assert_non_null(item);
    assert_string_equal(item->origin, "label");
    assert_int_equal(count, 1);
    vl_arena_free(f.arena);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_share_their_captions),
        cmocka_unit_test(captions_are_paired_by_what_they_say),
        cmocka_unit_test(tables_of_counterparts),
        cmocka_unit_test(what_stood_there_before),
        cmocka_unit_test(hundreds_of_states),
        cmocka_unit_test(crises_of_records),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
