/* Tests of facts and answers over pages put together from text: dates, numbers and places in
 * many languages, and what is said to an instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "answer/reading.h"

static vl_arena *arena;
static place_names *places;

static int set_up(void **state) {
    (void)state;
    setenv("VISLANG_DATA", TEST_SOURCE_DIR, 1);
    arena = vl_arena_new(256 << 20);
    places = place_names_new(NULL);
    return arena && places ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    place_names_free(places);
    vl_arena_free(arena);
    return 0;
}

/* Lines apart by \n; an empty one ends a block; a first line that begins with "# " is a title.
 */
static vl_page *page_of(const char *text) {
    vl_page *page = vl_arena_alloc(arena, sizeof *page);
    *page = (vl_page){.width = 1000, .height = 1400, .confidence = 0.95};
    page->blocks = vl_arena_array(arena, 64, sizeof *page->blocks);
    int32_t y = 40;
    bool new_block = true;
    for (const char *at = text; *at && page->block_count < 64;) {
        size_t length = strcspn(at, "\n");
        bool title = !strncmp(at, "# ", 2);
        char *line_text =
            vl_arena_strndup(arena, at + (title ? 2 : 0), length - (title ? 2 : 0));
        at += length + (at[length] == '\n');
        if (!length) {
            new_block = true;
            continue;
        }
        if (new_block || title) {
            vl_block *block = &page->blocks[page->block_count++];
            *block = (vl_block){.kind = title ? VL_BLOCK_TITLE : VL_BLOCK_PARAGRAPH,
                                .confidence = 0.95,
                                .box = {50, y, 900, 30}};
            block->lines = vl_arena_array(arena, 64, sizeof *block->lines);
        }
        new_block = title;
        vl_block *block = &page->blocks[page->block_count - 1];
        vl_line *line = &block->lines[block->line_count++];
        *line = (vl_line){.confidence = 0.95};
        line->words = vl_arena_array(arena, 256, sizeof *line->words);
        int32_t x = 50;
        char *save = NULL;
        for (char *word = strtok_r(line_text, " ", &save); word && line->word_count < 256;
             word = strtok_r(NULL, " ", &save)) {
            int32_t width = 8 * (int32_t)strlen(word);
            line->words[line->word_count++] =
                (vl_word){.text = word, .box = {x, y, width, 24}, .confidence = 0.95};
            x += width + 10;
        }
        line->box = (vl_box){50, y, x - 60, 24};
        y += 40;
    }
    return page;
}

static reading read_text(const char *text) {
    reading r;
    vl_page **pages = vl_arena_array(arena, 1, sizeof *pages);
    pages[0] = page_of(text);
    reading_make(&r, pages, 1, arena);
    r.places = places;
    find_titles(&r);
    find_dates(&r);
    find_contacts(&r);
    find_amounts(&r);
    find_fields(&r);
    find_places(&r);
    assert_false(r.full);
    return r;
}

/* The first fact of a kind, or NULL; its box must lie on the page. */
static const vl_fact *first_fact(const reading *r, vl_fact_kind kind) {
    for (size_t i = 0; i < r->fact_count; i++)
        if (r->facts[i].kind == kind) {
            assert_true(r->facts[i].box.width > 0 && r->facts[i].box.x >= 50);
            assert_true(r->facts[i].confidence > 0 && r->facts[i].confidence <= 1);
            return &r->facts[i];
        }
    return NULL;
}

static void test_dates(void **state) {
    static const struct {
        const char *text, *found, *value; /* found NULL: no date */
    } rows[] = {
        {"2026-03-14", "2026-03-14", "2026-03-14"},
        {"on 14/03/2026 at noon", "14/03/2026", "2026-03-14"},
        {"03/14/2026", "03/14/2026", "2026-03-14"},
        {"03/04/2026", "03/04/2026", NULL},
        {"04/04/2026", "04/04/2026", "2026-04-04"},
        {"31.12.2025", "31.12.2025", "2025-12-31"},
        {"5-6-2024", "5-6-2024", NULL},
        {"14 March 2026", "14 March 2026", "2026-03-14"},
        {"14th March 2026.", "14th March 2026", "2026-03-14"},
        {"the 3rd of May 2026", "3rd of May 2026", "2026-05-03"},
        {"March 14, 2026", "March 14, 2026", "2026-03-14"},
        {"Aug 30 2026", "Aug 30 2026", "2026-08-30"},
        {"21 February", "21 February", NULL},
        {"Tarehe: 14 Machi 2026", "14 Machi 2026", "2026-03-14"},
        {"7 Agosti 2025", "7 Agosti 2025", "2025-08-07"},
        {"3 ga Yuni 2026", "3 ga Yuni 2026", "2026-06-03"},
        {"20 ga Disamba 2025", "20 ga Disamba 2025", "2025-12-20"},
        {"27 Abriil 2026", "27 Abriil 2026", "2026-04-27"},
        {"1 Luulyo 2026", "1 Luulyo 2026", "2026-07-01"},
        {"le 21 février 2026", "21 février 2026", "2026-02-21"},
        {"1er août 2026", "1er août 2026", "2026-08-01"},
        {"15 décembre 2025", "15 décembre 2025", "2025-12-15"},
        {"9 de mayo de 2026", "9 de mayo de 2026", "2026-05-09"},
        {"30 de septiembre de 2024", "30 de septiembre de 2024", "2024-09-30"},
        {"12 de março de 2026", "12 de março de 2026", "2026-03-12"},
        {"5 أبريل 2026", "5 أبريل 2026", "2026-04-05"},
        {"٥ أبريل ٢٠٢٦", "٥ أبريل ٢٠٢٦", "2026-04-05"},
        {"12 شباط 2026", "12 شباط 2026", "2026-02-12"},
        {"3 كانون الثاني 2026", "3 كانون الثاني 2026", "2026-01-03"},
        {"8 تشرين الأول 2025", "8 تشرين الأول 2025", "2025-10-08"},
        {"11 лютого 2026 року", "11 лютого 2026", "2026-02-11"},
        {"24 серпня 2025", "24 серпня 2025", "2025-08-24"},
        {"9 мая 2025", "9 мая 2025", "2025-05-09"},
        {"၂၀၂၆ ခုနှစ် ဇူလိုင်လ ၈ ရက်", "၂၀၂၆ ခုနှစ် ဇူလိုင်လ ၈ ရက်", "2026-07-08"},
        {"12/07/2018 ዓ.ም", "12/07/2018 ዓ.ም", "2026-03-21"},
        {"መስከረም 1 ቀን 2018 ዓ.ም", "መስከረም 1 ቀን 2018 ዓ.ም", "2025-09-11"},
        {"12 መጋቢት 2018 ዓ.ም", "12 መጋቢት 2018 ዓ.ም", "2026-03-21"},
        {"ጥር 10 ቀን 2016 ዓ.ም", "ጥር 10 ቀን 2016 ዓ.ም", "2024-01-19"},
        {"30/02/2026", "30/02/2026", NULL},
        {"29 February 2024", "29 February 2024", "2024-02-29"},
        {"29 February 2023", "29 February 2023", NULL},
        {"19/06/2026 14:35", "19/06/2026", "2026-06-19"},
        {"version 1.2.3", NULL, NULL},
        {"192.168.10.20", NULL, NULL},
        {"call 0711/555/014", NULL, NULL},
        {"may 2026 be good", NULL, NULL},
        {"14 people", NULL, NULL},
        {"45/13/2026", NULL, NULL},
        {"no date here", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i].text);
        const vl_fact *date = first_fact(&r, VL_FACT_DATE);
        if (!rows[i].found != !date)
            print_error("%s: %s\n", rows[i].text, date ? date->text : "no date");
        assert_int_equal(!rows[i].found, !date);
        if (!date)
            continue;
        assert_string_equal(date->text, rows[i].found);
        if (!rows[i].value != !date->value)
            print_error("%s: value %s\n", rows[i].text, date->value ? date->value : "none");
        assert_int_equal(!rows[i].value, !date->value);
        if (date->value)
            assert_string_equal(date->value, rows[i].value);
    }
}

static void test_phones(void **state) {
    static const char *const rows[][2] = {
        {"Call +254 711 555 014", "+254711555014"},
        {"+251911555023", "+251911555023"},
        {"simu:+254711555014.", "+254711555014"},
        {"piga simu 0711 555 014", "0711555014"},
        {"هاتف 00963944555017", "+963944555017"},
        {"الهاتف: ٠٠٩٦٣٩٤٤٥٥٥٠١٧", "+963944555017"},
        {"ስልክ፦ +251 911 555 023", "+251911555023"},
        {"ဖုန်း +95 9 455 550 182 သို့", "+959455550182"},
        {"ဖုန်း ၀၉ ၄၅၅ ၅၅၀ ၁၈၂", "09455550182"},
        {"tel. (022) 555-0171", "0225550171"},
        {"телефон 050 555 01 71", "0505550171"},
        {"teléfono +504 9955 5031", "+50499555031"},
        {"+243 810 555 029,", "+243810555029"},
        {"Date: 2026-03-14", NULL},
        {"19/06/2026 14:35", NULL},
        {"KAK-2026-00417", NULL},
        {"Receipt No. 20931", NULL},
        {"86,000 people and 19,500 others", NULL},
        {"1 200 savons et 600 bidons", NULL},
        {"no number", NULL},
        {"3500", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i][0]);
        const vl_fact *phone = first_fact(&r, VL_FACT_PHONE);
        if (!rows[i][1] != !phone)
            print_error("%s: %s\n", rows[i][0], phone ? phone->text : "no phone");
        assert_int_equal(!rows[i][1], !phone);
        if (phone)
            assert_string_equal(phone->value, rows[i][1]);
    }
}

static void test_amounts(void **state) {
    static const char *const rows[][2] = {
        {"Total: USD 33.75", "33.75 USD"},
        {"a fine of $1,200", "1200 USD"},
        {"450 euros", "450 EUR"},
        {"€45", "45 EUR"},
        {"6.4 million dollars", "6400000 USD"},
        {"ብር 500", "500 ETB"},
        {"500 ብር", "500 ETB"},
        {"200 гривень", "200 UAH"},
        {"1 200 savons", "1200"},
        {"lita 40 za maji", "40"},
        {"86,000 people", "86000"},
        {"3500 ሕፃናት", "3500"},
        {"620 місць", "620"},
        {"800 qoys", "800"},
        {"38 per cent", "38"},
        {"25% of it", "25"},
        {"25 kg of rice", "25"},
        {"200 شخص", "200"},
        {"page 7", NULL},
        {"room 12", NULL},
        {"2026-03-14", NULL},
        {"many people", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i][0]);
        const vl_fact *amount = first_fact(&r, VL_FACT_AMOUNT);
        if (!rows[i][1] != !amount)
            print_error("%s: %s\n", rows[i][0], amount ? amount->text : "no amount");
        assert_int_equal(!rows[i][1], !amount);
        if (amount)
            assert_string_equal(amount->value, rows[i][1]);
    }
}

static void test_places_and_addresses(void **state) {
    static const struct {
        const char *text;
        vl_fact_kind kind;
        const char *found;
    } rows[] = {
        {"rain in Mozambique and Malawi", VL_FACT_PLACE, "Mozambique"},
        {"to South Sudan.", VL_FACT_PLACE, "South Sudan"},
        {"في سوريا اليوم", VL_FACT_PLACE, "سوريا"},
        {"مدينة حلب", VL_FACT_PLACE, "حلب"},
        {"місто Запоріжжя", VL_FACT_PLACE, "Запоріжжя"},
        {"ወደ ባሕር ዳር ሄዱ", VL_FACT_PLACE, "ባሕር ዳር"},
        {"Mahali: Shule ya Msingi Kibera", VL_FACT_PLACE, "Shule ya Msingi Kibera"},
        {"Lieu : quartier Bukasa", VL_FACT_PLACE, "quartier Bukasa"},
        {"the people of chad", VL_FACT_PLACE, NULL},
        {"nothing named here", VL_FACT_PLACE, NULL},
        {"write to shelter@beira-relief.example today", VL_FACT_EMAIL,
         "shelter@beira-relief.example"},
        {"not@host", VL_FACT_EMAIL, NULL},
        {"see https://response.example/floods now", VL_FACT_URL,
         "https://response.example/floods"},
        {"www.unhcr.org", VL_FACT_URL, "www.unhcr.org"},
        {"from 9:00 to 16:30", VL_FACT_TIME, "9:00"},
        {"at 25:90", VL_FACT_TIME, NULL},
        {"# A TITLE\nand text", VL_FACT_TITLE, "A TITLE"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i].text);
        const vl_fact *fact = first_fact(&r, rows[i].kind);
        if (!rows[i].found != !fact)
            print_error("%s: %s\n", rows[i].text, fact ? fact->text : "nothing");
        assert_int_equal(!rows[i].found, !fact);
        if (fact)
            assert_string_equal(fact->text, rows[i].found);
    }
}

static const char swahili[] =
    "# TANGAZO LA USAMBAZAJI WA MAJI\n"
    "Tarehe: 14 Machi 2026\nMahali: Shule ya Msingi Kibera, Nairobi\n\n"
    "Kila kaya itapata lita 40 za maji kwa siku tatu.\n"
    "Kwa maelezo zaidi piga simu: +254 711 555 014\n";
static const char form[] =
    "# HOUSEHOLD REGISTRATION FORM\nRegistration number: KAK-2026-00417\n"
    "Date of registration: 2 March 2026\nCamp: Kakuma, Block 4\n"
    "Head of household: Achol Deng Majok\nDate of birth: 15 August 1988\n"
    "Telephone: +254 722 555 036\nRegistered by: Grace Wanjiru\n";
static const char arabic[] =
    "# إعلان عن توزيع المساعدات الغذائية\nالتاريخ: 5 أبريل 2026\n"
    "المكان: مدرسة النور في مدينة حلب\n\nللاستفسار الاتصال على الرقم: 00963944555017\n";
static const char contacts[] = "Emergency contacts\nHospital: +243 810 555 029\n"
                               "Police: +243 810 555 030\nWater office: +243 810 555 031\n";
static const char report[] =
    "# FLOOD RESPONSE: SITUATION REPORT 7\nIssued on 30 August 2026 in Sylhet, Bangladesh\n\n"
    "About 86,000 people have left their homes since the rivers rose.\n"
    "The appeal of 6.4 million dollars is funded at 38 per cent.\n"
    "The next report will be issued on 6 September.\n";

static void test_answers(void **state) {
    static const struct {
        const char *text, *instruction, *expected;
        bool refused;
        double most; /* confidence at most, 0: at least 0.4 */
    } rows[] = {
        {swahili, "what is the date?", "14 Machi 2026", false, 0},
        {swahili, "When is it?", "2026-03-14", false, 0},
        {swahili, "which phone number?", "+254 711 555 014", false, 0},
        {swahili, "whom should I call", "+254 711 555 014", false, 0},
        {swahili, "where?", "Kibera", false, 0},
        {swahili, "Tarehe ni lini?", "14 Machi 2026", false, 0},
        {swahili, "Namba ya simu ni gani?", "711 555 014", false, 0},
        {swahili, "quelle est la date ?", "14 Machi 2026", false, 0},
        {swahili, "¿cuál es el teléfono?", "711 555 014", false, 0},
        {swahili, "ما هو التاريخ؟", "14 Machi 2026", false, 0},
        {swahili, "what does it say?", "Kila kaya itapata lita 40", false, 0},
        {swahili, "read the text", "TANGAZO LA USAMBAZAJI", false, 0},
        {swahili, "what is the title?", "TANGAZO LA USAMBAZAJI WA MAJI", false, 0},
        {swahili, "what is it about?", "TANGAZO", false, 0},
        {swahili, "how much water?", "lita 40", false, 0},
        {swahili, "what is the e-mail address?", "no address was found", false, 0.2},
        {swahili, "translate to English", "can't translate", true, 0.01},
        {swahili, "Traduire en français", "can't translate", true, 0.01},
        {swahili, "tafsiri kwa Kiingereza", "can't translate", true, 0.01},
        {swahili, "is there a dog in the photo?", "can't tell", false, 0.2},
        {swahili, "zxqv wvut?", "can't tell", false, 0.2},
        {swahili, "summarise", "TANGAZO", false, 0.6},
        {swahili, "", "A notice", false, 0},
        {swahili, "describe this", "A notice", false, 0},
        {form, "what is the date of birth?", "15 August 1988", false, 0},
        {form, "what is the date of registration?", "2 March 2026", false, 0},
        {form, "registration number", "KAK-2026-00417", false, 0},
        {form, "who is the head of household?", "Achol Deng Majok", false, 0},
        {form, "who registered it?", "Grace Wanjiru", false, 0},
        {form, "telephone?", "+254 722 555 036", false, 0},
        {form, "which camp?", "Kakuma", false, 0},
        {form, "what is the registraton nunber?", "KAK-2026-00417", false, 0},
        {arabic, "what is the date?", "5 أبريل 2026", false, 0},
        {arabic, "which phone number?", "00963944555017", false, 0},
        {arabic, "أين المكان؟", "مدرسة النور", false, 0},
        {arabic, "رقم الهاتف", "00963944555017", false, 0},
        {contacts, "what is the phone number of the police?", "555 030", false, 0},
        {contacts, "hospital number", "555 029", false, 0},
        {contacts, "call the water office", "555 031", false, 0},
        {report, "what is the date?", "30 August 2026", false, 0},
        {report, "when is the next report?", "6 September", false, 0},
        {report, "how many people left their homes?", "86,000 people", false, 0},
        {report, "how much is the appeal?", "6.4 million dollars", false, 0},
        {report, "where was it issued?", "Sylhet", false, 0},
        {report, "who attacked the village?", "can't tell", false, 0.3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i].text);
        vl_answer answer = {.document_kind = "notice", .document_pages = 1};
        respond(&r, rows[i].instruction, &answer);
        if (!strstr(answer.response, rows[i].expected))
            print_error("%s → %s\n", rows[i].instruction, answer.response);
        assert_non_null(strstr(answer.response, rows[i].expected));
        assert_int_equal(answer.refused, rows[i].refused);
        if (rows[i].most > 0 ? answer.confidence > rows[i].most : answer.confidence < 0.4)
            print_error("%s → confidence %g\n", rows[i].instruction, answer.confidence);
        assert_true(rows[i].most > 0 ? answer.confidence <= rows[i].most
                                     : answer.confidence >= 0.4);
        /* Every quote stands in the text. */
        for (size_t e = 0; e < answer.evidence_count; e++)
            assert_true(answer.evidence[e].box.width > 0);
    }
}

static void test_document_kinds(void **state) {
    static const char *const rows[][2] = {
        {swahili, "notice"},
        {form, "form"},
        {arabic, "notice"},
        {report, "report"},
        {"HOPE PHARMACY\nReceipt No. 20931\nWater tablets 1 12.25\nTotal: USD 33.75\nPaid in "
         "cash. Thank you.",
         "receipt"},
        {"Dear Madam,\nwe write on behalf of the village of Damara to ask for help with our "
         "pump.\n"
         "Yours sincerely,\nJean",
         "letter"},
        {"DANGER\nMINES", "sign"},
        {"# ማስታወቂያ\nቀን፦ 12/07/2018 ዓ.ም\nሕፃናት ሁሉ የኩፍኝ ክትባት ያገኛሉ።", "notice"},
    };
    vl_picture_look look = {.kind = VL_PICTURE_PAGE, .page_probability = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reading r = read_text(rows[i][0]);
        kind_guess guess = guess_document_kind(&r, &look);
        assert_string_equal(guess.name, rows[i][1]);
        assert_true(guess.confidence > 0.3 && guess.confidence <= 1);
    }
    reading nothing = read_text("");
    look.kind = VL_PICTURE_BLANK;
    assert_string_equal(guess_document_kind(&nothing, &look).name, "blank page");
    look.kind = VL_PICTURE_PHOTO;
    assert_string_equal(guess_document_kind(&nothing, &look).name, "photograph");
}

static void test_photograph_is_not_guessed_at(void **state) {
    reading r = read_text("");
    vl_answer answer = {.document_kind = "photograph"};
    (void)state;
    answer.look.colour_count = 1;
    strcpy(answer.look.colours[0].name, "green");
    respond(&r, "how many people are in it?", &answer);
    assert_non_null(strstr(answer.response, "No picture model is loaded"));
    assert_non_null(strstr(answer.response, "green"));
    assert_true(answer.confidence < 0.2);
}

static void test_numbers(void **state) {
    static const struct {
        const char *text;
        double value;
        size_t bytes;
    } rows[] = {{"12", 12, 2},
                {"1,200", 1200, 5},
                {"33.75", 33.75, 5},
                {"6.4 m", 6.4, 3},
                {"1.234.567", 1234567, 9},
                {"x", 0, 0},
                {"", 0, 0},
                {"12,", 12, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t bytes;
        assert_float_equal(parse_number(rows[i].text, &bytes), rows[i].value, 1e-9);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_phones),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_places_and_addresses),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_document_kinds),
        cmocka_unit_test(test_photograph_is_not_guessed_at),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
