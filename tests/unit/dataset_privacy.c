/* Tests of taking personal data out of the parts of a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/privacy.h"

#include <string.h>

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static const char *clean(const char *text, privacy_action action, int decimals) {
    privacy_options options = {action, decimals};
    privacy_found found = {.changed = false};
    const char *out;
    vl_error error;
    assert_int_equal(
        privacy_clean_text(text, "eng", &options, NULL, arena, &out, &found, &error), VL_OK);
    assert_int_equal(found.changed, strcmp(text, out) != 0);
    return out;
}

static void test_replaced(void **state) {
    assert_int_equal(privacy_options_default().action, PRIVACY_REPLACE);
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"Nothing of the kind.", "Nothing of the kind."},
        {"", ""},
        {"Call Mrs Amina Yusuf on +254 712 345 678.", "Call Mrs [name] on [phone]."},
        {"Write to info@example.org, or text 0712 345 678",
         "Write to [email], or text [phone]"},
        {"Jina: Amina Yusuf\nSimu: 0712 345 678", "Jina: [name]\nSimu: [phone]"},
        {"الاسم: أمينة يوسف، هاتف ٠٧١٢٣٤٥٦٧٨", "الاسم: [name]، هاتف [phone]"},
        {"UNHCR file 123-45C67890", "UNHCR file [case]"},
        {"The shelter is at 9.03012, 38.74695.", "The shelter is at 9.03, 38.75."},
        {"See https://maps.app.goo.gl/AbCdEf123 for it.", "See [coordinates] for it."},
        {"///filled.count.soap", "[coordinates]"},
        {"GPS 9.03, 38.75", "GPS 9.03, 38.75"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(clean(rows[i].text, PRIVACY_REPLACE, 2), rows[i].expected);
    assert_string_equal(clean("at 9.03012, 38.74695.", PRIVACY_REPLACE, -1),
                        "at [coordinates].");
    assert_string_equal(clean("9° N, 38° E", PRIVACY_REPLACE, -1), "[coordinates]");
    assert_string_equal(clean("9° N, 38° E", PRIVACY_REPLACE, 0), "9° N, 38° E");
}

static void test_removed(void **state) {
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"The camp is large. Call Mrs Amina Yusuf. Water is short.",
         "The camp is large. Water is short."},
        {"Call +254 712 345 678.", ""},
        {"First line\nTel: 0712 345 678\nThird line", "First line\nThird line"},
        {"ውሃ የለም። ስልክ 0912345678 ይደውሉ። ምግብ አለ።", "ውሃ የለም። ምግብ አለ።"},
        {"पानी नहीं है। फोन 0712 345 678 पर करें। भोजन है।", "पानी नहीं है। भोजन है।"},
        {"It is at 9.03012, 38.74695. Go there.", "It is at 9.03, 38.75. Go there."},
        {"Here. See https://maps.app.goo.gl/AbC1. There.", "Here. There."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(clean(rows[i].text, PRIVACY_REMOVE, 2), rows[i].expected);
    assert_string_equal(clean("Yes. It is at 9.03012, 38.74695. No.", PRIVACY_REMOVE, -1),
                        "Yes. No.");
    assert_string_equal(clean("Call +254 712 345 678.", PRIVACY_KEEP, -1),
                        "Call +254 712 345 678.");
}

/* ---- tables ---------------------------------------------------------------------------------
 */

enum { CELLS_MAX = 32 };

/* Rows by '/', cells by '|', heads with '*' in front. */
static vl_part table_of(const char *text, vl_part_cell *cells) {
    vl_part part = {.kind = VL_PART_TABLE, .text = "", .language = "eng"};
    uint32_t row = 0, column = 0;
    for (const char *at = text;; at++) {
        size_t bytes = strcspn(at, "|/");
        bool heading = *at == '*';
        assert_true(part.cell_count < CELLS_MAX);
        cells[part.cell_count++] = (vl_part_cell){
            row, column, 1, 1, heading, vl_arena_strndup(arena, at + heading, bytes - heading)};
        column++;
        part.column_count = column > part.column_count ? column : part.column_count;
        at += bytes;
        if (*at == '/') {
            row++;
            column = 0;
        }
        if (!*at)
            break;
    }
    part.row_count = row + 1;
    part.cells = cells;
    return part;
}

static const char *cleaned_table(const char *text, privacy_action action, int decimals) {
    vl_part_cell cells[CELLS_MAX];
    vl_part part = table_of(text, cells);
    vl_parts parts = {.title = "", .parts = &part, .part_count = 1};
    privacy_options options = {action, decimals};
    privacy_found *found;
    vl_error error;
    vl_buf out;
    assert_int_equal(privacy_clean_parts(&parts, &options, NULL, arena, &found, &error), VL_OK);
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < part.cell_count; i++)
        vl_buf_printf(&out, "%s%s", !i ? "" : cells[i].column ? "|" : "/", cells[i].text);
    const char *all = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    if (found[0].changed)
        for (const char *at = part.text, *of = all; *at && *of; at++, of++)
            assert_int_equal(*of == '|' ? '\t' : *of == '/' ? '\n' : *of, *at);
    return all;
}

static void test_tables(void **state) {
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"Name|Age|Phone/Amina Yusuf|34|0712345678/Omar|-|-",
         "Name|Age|Phone/[name]|34|[phone]/[name]|-|-"},
        {"*Jina|*Umri/Amina|34", "Jina|Umri/[name]|34"},
        {"Name:|Amina Yusuf/Age:|34/Phone:|712345678", "Name:|[name]/Age:|34/Phone:|[phone]"},
        {"*Name|Amina Yusuf/*Age|34", "Name|[name]/Age|34"},
        {"Name|Amina Yusuf/Age|34", "Name|[name]/[name]|34"},
        {"Name|Age|Sex", "Name|Age|Sex"},
        {"Item|Cost/Telephone|50,000", "Item|Cost/Telephone|50,000"},
        {"District|People/Kilifi|12,345", "District|People/Kilifi|12,345"},
        {"Contact person|Amina Yusuf|Tel|711223344", "Contact person|[name]|Tel|[phone]"},
        {"Site|Note/North|Mrs Amina Yusuf, 0712 345 678",
         "Site|Note/North|Mrs [name], [phone]"},
        {"Site|Lat|Long/North|9.03012|38.74695", "Site|Lat|Long/North|9.03|38.75"},
        {"Site|X|Y/North|38.74695|9.03012", "Site|X|Y/North|38.75|9.03"},
        {"Site|GPS/North|9.03012 38.74695", "Site|GPS/North|9.03 38.75"},
        {"Latitude|9.03012/Longitude|38.74695", "Latitude|9.03/Longitude|38.75"},
        {"Site|Easting|Northing/North|472214|998230",
         "Site|Easting|Northing/North|470000|1000000"},
        {"Year|Rate/2020|9.03012/2021|38.74695", "Year|Rate/2020|9.03012/2021|38.74695"},
        {"ስም|ስልክ/አሚና ዩሱፍ|0911223344", "ስም|ስልክ/[name]|[phone]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(cleaned_table(rows[i].text, PRIVACY_REPLACE, 2), rows[i].expected);
    assert_string_equal(cleaned_table("Name|Age/Amina Yusuf|34", PRIVACY_REMOVE, 2),
                        "Name|Age/|34");
    assert_string_equal(
        cleaned_table("Site|Note/North|Good. Call 0712 345 678.", PRIVACY_REMOVE, 2),
        "Site|Note/North|");
    assert_string_equal(cleaned_table("Site|GPS/North|9.03012 38.74695", PRIVACY_REMOVE, -1),
                        "Site|GPS/North|");
    assert_string_equal(cleaned_table("Name|Age/Amina Yusuf|34", PRIVACY_KEEP, 2),
                        "Name|Age/Amina Yusuf|34");
}

/* ---- lines of forms
 * -------------------------------------------------------------------------- */

static void test_lines(void **state) {
    static const struct {
        const char *label, *value, *expected;
    } rows[] = {
        {"Name:", "Amina Yusuf", "[name]"},
        {"Jina:", "Amina wa Yusuf", "Amina wa Yusuf"}, /* no row of names */
        {"Tel.:", "712 345 678", "[phone]"},
        {"Name", "Amina Yusuf", "Amina Yusuf"},
        {"Name:", "The form was filled in by hand and is kept.",
         "The form was filled in by hand and is kept."},
        {"Name:", "Age:", "Age:"},
        {"رقم الهاتف:", "712345678", "[phone]"},
        {"Latitude:", "9.03012", "9.03"},
        {"Note:", "Amina Yusuf", "Amina Yusuf"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_part list[2] = {
            {.kind = VL_PART_PARAGRAPH, .text = rows[i].label, .language = "eng"},
            {.kind = VL_PART_PARAGRAPH, .text = rows[i].value, .language = "eng"}};
        vl_parts parts = {.title = "", .parts = list, .part_count = 2};
        privacy_options options = {PRIVACY_REPLACE, 2};
        privacy_found *found;
        vl_error error;
        assert_int_equal(privacy_clean_parts(&parts, &options, NULL, arena, &found, &error),
                         VL_OK);
        assert_string_equal(list[0].text, rows[i].label);
        assert_string_equal(list[1].text, rows[i].expected);
        list[0].page = 1;
        list[1].text = rows[i].value;
        assert_int_equal(privacy_clean_parts(&parts, &options, NULL, arena, &found, &error),
                         VL_OK);
        assert_string_equal(list[1].text, rows[i].value); /* of another page */
    }
}

/* ---- documents, the report ------------------------------------------------------------------
 */

static void test_parts_and_tally(void **state) {
    vl_part list[3] = {{.kind = VL_PART_PARAGRAPH,
                        .text = "Call Mrs Amina Yusuf on +254 712 345 678.",
                        .language = "swa"},
                       {.kind = VL_PART_PHOTOGRAPH,
                        .text = "The well at 9.03012, 38.74695",
                        .language = "eng"},
                       {.kind = VL_PART_CAPTION, .text = "Nothing", .language = "eng"}};
    vl_parts parts = {.title = "Ask info@example.org", .parts = list, .part_count = 3};
    privacy_options options = {PRIVACY_REPLACE, 2};
    privacy_tally *tally = privacy_tally_new(), *again = privacy_tally_new();
    privacy_found *found;
    vl_error error;
    vl_buf json, twice;
    (void)state;
    vl_buf_init(&json, 1 << 16);
    vl_buf_init(&twice, 1 << 16);
    assert_non_null(tally);
    assert_non_null(again);
    assert_int_equal(privacy_clean_parts(&parts, &options, tally, arena, &found, &error),
                     VL_OK);
    assert_string_equal(parts.title, "Ask [email]");
    assert_string_equal(list[0].text, "Call Mrs [name] on [phone].");
    assert_string_equal(list[1].text, "The well at 9.03, 38.75");
    assert_int_equal(found[0].counts[VL_PERSONAL_NAME], 1);
    assert_int_equal(found[0].counts[VL_PERSONAL_PHONE], 1);
    assert_int_equal(found[1].counts[VL_ITEM_COORDINATES], 1);
    assert_true(found[0].changed && found[1].changed && !found[2].changed);
    privacy_tally_json(tally, &json);
    assert_string_equal(
        json.data,
        "{\"finds\":4,\"kinds\":{"
        "\"name\":{\"replace\":1,\"rules\":{\"title\":1},\"languages\":{\"swa\":1},"
        "\"examples\":[\"Xx Xx\"]},"
        "\"phone\":{\"replace\":1,\"rules\":{\"e164\":1},\"languages\":{\"swa\":1},"
        "\"examples\":[\"+999 999 999 999\"]},"
        "\"email\":{\"replace\":1,\"rules\":{\"address\":1},\"languages\":{\"und\":1},"
        "\"examples\":[\"x@x.x\"]},"
        "\"coordinates\":{\"replace\":1,\"rules\":{\"decimal\":1},\"languages\":{\"eng\":1},"
        "\"examples\":[\"9.99999, 99.99999\"]}}}");
    /* Read back and added to itself: twice the sums, the same examples, in either way. */
    assert_int_equal(privacy_tally_read(again, json.data, json.len, &error), VL_OK);
    assert_int_equal(privacy_tally_read(again, json.data, json.len, &error), VL_OK);
    assert_int_equal(privacy_tally_add(tally, tally, &error), VL_OK);
    vl_buf_clear(&json);
    privacy_tally_json(tally, &json);
    privacy_tally_json(again, &twice);
    assert_string_equal(json.data, twice.data);
    assert_non_null(strstr(json.data, "\"finds\":8"));
    assert_int_equal(privacy_tally_read(again, "{}", 2, &error), VL_ERR_INPUT);
    assert_int_equal(privacy_tally_read(again, "{\"kinds\":{\"x\":{}}}", 18, &error),
                     VL_ERR_INPUT);
    privacy_tally_free(tally);
    privacy_tally_free(again);
    vl_buf_deinit(&json);
    vl_buf_deinit(&twice);
}

/* ---- pictures
 * -------------------------------------------------------------------------------- */

static size_t dark(const vl_image *image) {
    size_t count = 0;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++)
            count += image->pixels[y * image->stride + (size_t)x * image->channels] == 0;
    return count;
}

static void test_cover(void **state) {
    vl_part list[3] = {
        {.kind = VL_PART_PARAGRAPH, .page = 1, .has_box = true, .box = {10, 20, 100, 10}},
        {.kind = VL_PART_PARAGRAPH, .page = 1, .has_box = true, .box = {10, 120, 100, 10}},
        {.kind = VL_PART_PARAGRAPH, .page = 0, .has_box = true, .box = {10, 60, 100, 10}}};
    vl_parts parts = {.parts = list, .part_count = 3};
    privacy_found found[3] = {{.changed = true}, {.changed = false}, {.changed = true}};
    vl_image *image;
    vl_error error;
    (void)state;
    assert_int_equal(vl_image_new(100, 100, 3, &image, &error), VL_OK);
    memset(image->pixels, 255, image->stride * image->height);
    double share = privacy_cover(&parts, found, 1, (vl_box){0, 0, 200, 200}, image);
    assert_int_equal((int)(share * 10000 + 0.5), 55 * 10);
    /* half the size: the box with four pixels around it, and the border's pixel */
    assert_int_equal(dark(image), 55 * 10);
    memset(image->pixels, 255, image->stride * image->height);
    privacy_cover(&parts, found, 1, (vl_box){0, 100, 200, 100}, image);
    assert_int_equal(dark(image), 0);
    share = privacy_cover(&parts, found, 1, (vl_box){20, 22, 4, 4}, image);
    assert_true(share == 1);
    assert_int_equal(dark(image), 100 * 100);
    vl_image_free(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_tables),          cmocka_unit_test(test_lines),
        cmocka_unit_test(test_parts_and_tally), cmocka_unit_test(test_cover)};
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
