/* Tests of language identification: the bundled weights on sentences written for these tests,
 * and a model file that is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vislang/text.h>

static vl_langid *langid;

static int open_model(void **state) {
    vl_error error;
    (void)state;
    if (!vl_langid_open(TEST_SOURCE_DIR "/models/langid.bin", &langid, &error))
        return 0;
    print_error("%s\n", error.message);
    return -1;
}

static int close_model(void **state) {
    (void)state;
    vl_langid_free(langid);
    return 0;
}

static const char *const sentences[][2] = {
    {"swh", "Watoto wote watapata chanjo bure katika kituo cha afya kesho asubuhi."},
    {"hau", "Za a raba abinci da ruwan sha ga mutanen da ambaliyar ruwa ta shafa."},
    {"som", "Qoysaska ay abaartu saamaysay waxay heli doonaan biyo nadiif ah iyo raashin."},
    {"amh", "ነዋሪዎች በሙሉ ንፁህ የመጠጥ ውሃ እንዲያገኙ ይደረጋል።"},
    {"orm", "Barattoonni hundi mana barumsaa keessatti walgahanii jiru."},
    {"yor", "Gbogbo àwọn ọmọ ni wọn yóò gba abẹ́rẹ́ àjẹsára lọ́fẹ̀ẹ́."},
    {"kin", "Abaturage bose barasabwa kugera ku kigo nderabuzima bitwaje ibyangombwa."},
    {"ara", "سيتم توزيع المياه الصالحة للشرب على جميع الأسر يوم الأحد."},
    {"fas",
     "توزیع آب آشامیدنی برای همه خانواده‌ها از فردا "
     "آغاز "
     "می‌شود."},
    {"urd", "تمام خاندانوں کو پینے کا صاف پانی مفت دیا جائے گا۔"},
    {"pus", "ټولو کورنیو ته به د څښاک پاکې اوبه وړیا ورکړل شي."},
    {"fra",
     "Les familles déplacées recevront de l'eau potable et des couvertures demain matin."},
    {"spa", "Las familias afectadas recibirán agua potable y mantas en el albergue municipal."},
    {"por", "As famílias deslocadas vão receber água potável e cobertores no centro de saúde."},
    {"eng", "Families who lost their homes will receive clean water and blankets tomorrow."},
    {"ukr", "Мешканці міста отримають питну воду та ковдри завтра вранці."},
    {"rus", "Жители города получат питьевую воду и одеяла завтра утром."},
    {"mya", "ရွာသူရွာသားအားလုံး သောက်ရေသန့် အခမဲ့ ရရှိပါမည်။"},
    {"hin", "सभी परिवारों को कल सुबह पीने का साफ पानी और कंबल मिलेंगे।"},
    {"ben", "সব পরিবারকে আগামীকাল সকালে বিশুদ্ধ খাবার পানি দেওয়া হবে।"},
    {"tam", "அனைத்து குடும்பங்களுக்கும் நாளை காலை குடிநீர் வழங்கப்படும்."},
    {"tur", "Evlerini kaybeden ailelere yarın sabah temiz su ve battaniye dağıtılacak."},
    {"deu",
     "Familien, die ihr Haus verloren haben, erhalten morgen sauberes Wasser und Decken."},
    {"tir", "ኩሎም ነበርቲ ጽሩይ ዝስተ ማይ ክወሃቦም እዩ።"},
    {"lin", "Mabota nyonso ekozwa mai ya peto mpe bilei na lopitalo lobi na ntongo."},
    {"ibo", "Ezinụlọ niile ga-enweta mmiri ọcha na nri n'ụlọ ọgwụ echi ụtụtụ."},
    {"zul", "Yonke imindeni izothola amanzi ahlanzekile nokudla emtholampilo kusasa ekuseni."},
    {"mar", "सर्व कुटुंबांना उद्या सकाळी पिण्याचे स्वच्छ पाणी आणि चादरी मिळतील."},
    {"nep", "सबै परिवारलाई भोलि बिहान सफा खानेपानी र कम्बल दिइनेछ।"},
    {"hye", "Բոլոր ընտանիքները վաղը առավոտյան կստանան մաքուր ջուր։"},
    {"kat", "ყველა ოჯახი ხვალ დილით მიიღებს სუფთა წყალს."},
    {"ell", "Όλες οι οικογένειες θα λάβουν καθαρό νερό αύριο το πρωί."},
    {"vie", "Các gia đình mất nhà cửa sẽ được phát nước sạch và chăn vào sáng mai."},
};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

static void test_sentences(void **state) {
    (void)state;
    for (size_t i = 0; i < SENTENCES; i++) {
        vl_lang_guess guesses[3];
        size_t count = vl_langid_guess(langid, sentences[i][1], 3, guesses);
        assert_in_range(count, 1, 3);
        if (strcmp(guesses[0].code, sentences[i][0]))
            print_error("%s taken for %s: %s\n", sentences[i][0], guesses[0].code,
                        sentences[i][1]);
        assert_string_equal(guesses[0].code, sentences[i][0]);
        assert_true(guesses[0].probability > 0.5 && guesses[0].probability <= 1.0001);
    }
}

/* What an engine does to a text: one character in twelve is lost or becomes a dot. */
static void test_engine_mistakes(void **state) {
    size_t right = 0;
    (void)state;
    for (size_t i = 0; i < SENTENCES; i++) {
        char noisy[512];
        size_t used = 0, number = 0;
        for (const char *c = sentences[i][1]; *c;) {
            size_t bytes = 1;
            while (((unsigned char)c[bytes] & 0xC0) == 0x80)
                bytes++;
            number++;
            if (number % 24 == 0)
                noisy[used++] = '.';
            else if (number % 12 != 0) {
                memcpy(noisy + used, c, bytes);
                used += bytes;
            }
            c += bytes;
        }
        noisy[used] = '\0';
        vl_lang_guess guess;
        vl_langid_guess(langid, noisy, 1, &guess);
        right += !strcmp(guess.code, sentences[i][0]);
    }
    assert_in_range(right, SENTENCES - 2, SENTENCES);
}

static void test_nothing_to_tell_by(void **state) {
    static const char *const texts[] = {"",    "   ",     "12 345 / 67", "+254 711 555 014",
                                        "…!?", "\xFF\xFE"};
    vl_lang_guess guess;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(vl_langid_guess(langid, texts[i], 1, &guess), 1);
        assert_string_equal(guess.code, "und");
    }
    assert_int_equal(vl_langid_guess(langid, "text", 0, &guess), 0);
}

/* A script that only some languages are written in leaves only those and "und". */
static void test_scripts_decide(void **state) {
    static const struct {
        const char *text, *may_be;
    } rows[] = {
        {"ማይ ጽሩይ", "amh tir und"}, {"ውሃ", "amh tir und"},          {"ջուր", "hye und"},
        {"წყალი", "kat und"},      {"נייַע וואַסער", "heb yid und"}, {"水", "zho jpn und"},
        {"ދިވެހި ބަސް", "und"},         {"ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "und"},          {"ⵜⴰⵎⴰⵣⵉⵖⵜ", "und"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_lang_guess guesses[VL_LANG_SIZE];
        size_t count = vl_langid_guess(langid, rows[i].text, VL_LANG_SIZE, guesses);
        for (size_t g = 0; g < count; g++) {
            if (!strstr(rows[i].may_be, guesses[g].code))
                print_error("%s taken for %s\n", rows[i].text, guesses[g].code);
            assert_non_null(strstr(rows[i].may_be, guesses[g].code));
        }
    }
}

/* Decomposed letters are the same letters. */
static void test_normal_forms_agree(void **state) {
    vl_lang_guess composed, decomposed;
    (void)state;
    vl_langid_guess(langid,
                    "Les r\xC3\xA9"
                    "fugi\xC3\xA9s arrivent",
                    1, &composed);
    vl_langid_guess(langid,
                    "Les re\xCC\x81"
                    "fugie\xCC\x81s arrivent",
                    1, &decomposed);
    assert_string_equal(composed.code, decomposed.code);
    assert_float_equal(composed.probability, decomposed.probability, 1e-6);
}

static void test_probabilities(void **state) {
    vl_lang_guess guesses[8];
    double sum = 0;
    (void)state;
    size_t count = vl_langid_guess(langid, "the", 8, guesses);
    for (size_t i = 0; i < count; i++) {
        sum += guesses[i].probability;
        assert_true(i == 0 || guesses[i].probability <= guesses[i - 1].probability);
    }
    assert_true(sum <= 1.0001);
}

static void test_names(void **state) {
    static const char *const rows[][3] = {{"swh", "Swahili", "sw"}, {"amh", "Amharic", "am"},
                                          {"hau", "Hausa", "ha"},   {"ukr", "Ukrainian", "uk"},
                                          {"mya", "Burmese", "my"}, {"eng", "English", "en"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(vl_lang_name(rows[i][0]), rows[i][1]);
        assert_string_equal(vl_lang_short(rows[i][0]), rows[i][2]);
    }
    assert_string_equal(vl_lang_name("und"), "unknown language");
}

static void test_codes(void **state) {
    static const char *const rows[][2] = {
        {"sw", "swa"},  {"swh", "swa"}, {"swa", "swa"},     {"ar", "ara"}, {"arb", "ara"},
        {"fa", "fas"},  {"prs", "fas"}, {"pes", "fas"},     {"fr", "fra"}, {"zh", "cmn"},
        {"no", "nor"},  {"nb", "nor"},  {"ps", "pus"},      {"ku", "kmr"}, {"ti", "tir"},
        {"eng", "eng"}, {"und", "und"}, {"Latin", "Latin"}, {"xx", "xx"},  {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_lang_code(rows[i][0]), rows[i][1]);
    assert_string_equal(vl_lang_short("npi"), "ne"); /* by its macrolanguage */
    assert_string_equal(vl_lang_short("cmn"), "zh");
    assert_string_equal(vl_lang_short("hbs"), "sh");
    assert_string_equal(vl_lang_short("kpv"), "kpv");
}

static void test_what_it_knows(void **state) {
    (void)state;
    assert_true(vl_langid_knows(langid, "swa"));
    assert_true(vl_langid_knows(langid, "tir"));
    assert_false(vl_langid_knows(langid, "qaa"));
    assert_false(vl_langid_knows(langid, ""));
}

static void expect_refused(const void *bytes, size_t count) {
    char path[] = "/tmp/vislang-langid-XXXXXX";
    vl_langid *opened = NULL;
    vl_error error;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), (ssize_t)count);
    close(fd);
    assert_int_not_equal(vl_langid_open(path, &opened, &error), VL_OK);
    assert_null(opened);
    assert_non_null(strstr(error.message, path));
    unlink(path);
}

static void test_broken_models(void **state) {
    vl_buf file;
    (void)state;
    vl_buf_init(&file, 8 << 20);
    assert_int_equal(vl_file_read(TEST_SOURCE_DIR "/models/langid.bin", 8 << 20, &file, NULL),
                     0);
    expect_refused("", 0);
    expect_refused("not a model", 11);
    expect_refused(file.data, file.len - 1);
    expect_refused(file.data, 40);
    static const size_t fields[] = {0, 8, 12, 16, 20}; /* magic … languages, buckets, width */
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        file.data[fields[i]] = (char)(file.data[fields[i]] ^ 0x55);
        expect_refused(file.data, file.len);
        file.data[fields[i]] = (char)(file.data[fields[i]] ^ 0x55);
    }
    vl_buf_deinit(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_engine_mistakes),
        cmocka_unit_test(test_nothing_to_tell_by),
        cmocka_unit_test(test_what_it_knows),
        cmocka_unit_test(test_scripts_decide),
        cmocka_unit_test(test_normal_forms_agree),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_broken_models),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
