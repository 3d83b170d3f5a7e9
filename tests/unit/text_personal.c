/* Tests of finding personal data: what is found, as what, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <vislang/text.h>

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

/* "kind=what" for each find, a '!' after a checked one, by " | ". */
static const char *finds(const char *text) {
    vl_personal *found;
    size_t count;
    vl_buf out;
    vl_error error;
    assert_int_equal(vl_personal_find(arena, text, &found, &count, &error), VL_OK);
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < count; i++)
        vl_buf_printf(&out, "%s%s=%.*s%s", i ? " | " : "", vl_personal_kind_name(found[i].kind),
                      (int)(found[i].end - found[i].start), text + found[i].start,
                      found[i].ground == VL_PERSONAL_CHECKED ? "!" : "");
    const char *all = vl_arena_strdup(arena, out.len ? out.data : "");
    vl_buf_deinit(&out);
    return all;
}

typedef struct row {
    const char *text, *expected;
} row;

static void check(const row *rows, size_t count) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = finds(rows[i].text);
        if (strcmp(got, rows[i].expected)) {
            print_error("\"%s\"\n  expected %s\n  found    %s\n", rows[i].text,
                        rows[i].expected, got);
            wrong++;
        }
        vl_arena_reset(arena);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void test_emails(void **state) {
    static const row rows[] = {
        {"", ""},
        {"write to amina.yusuf+aid@example.org.", "email=amina.yusuf+aid@example.org"},
        {"<a@b.co>, <c-d@e-f.example.ke>", "email=a@b.co | email=c-d@e-f.example.ke"},
        {"почта: анна@пример.рф", "email=анна@пример.рф"},
        {"بريد amina@example.org هنا", "email=amina@example.org"},
        {"at 5 @ 10 shillings, @handle, a@b, x@1.2", ""},
    };
    (void)state;
    CHECK(rows);
}

static void test_phones(void **state) {
    static const row rows[] = {
        {"+254 712 345 678", "phone=+254 712 345 678"},
        {"call +254712345678, now", "phone=+254712345678"},
        {"00254 712 345678", "phone=00254 712 345678"},
        {"+44 (0)20 7946 0958", "phone=+44 (0)20 7946 0958"},
        {"+1-202-555-0143 or", "phone=+1-202-555-0143"},
        {"٠٠٩٦٤ ٧٧٠ ١٢٣ ٤٥٦٧", "phone=٠٠٩٦٤ ٧٧٠ ١٢٣ ٤٥٦٧"},
        {"+९१ ९८७६५ ४३२१०", "phone=+९१ ९८७६५ ४३२१०"},
        {"0712 345 678", "phone=0712 345 678"},
        {"(021) 555-1234", "phone=(021) 555-1234"},
        {"01 23 45 67 89.", "phone=01 23 45 67 89"},
        {"202-555-0143", "phone=202-555-0143"},
        {"98765 43210", "phone=98765 43210"},
        {"Tel: 445566", "phone=445566"},
        {"Simu: 0712 345 678 / 0733 123 456", "phone=0712 345 678 | phone=0733 123 456"},
        {"هاتف: ٤٤٥٥٦٦٧", "phone=٤٤٥٥٦٦٧"},
        {"फोन नंबर 2345678", "phone=2345678"},
        {"ስልክ ቁጥር፦ 115 51 72 00", "phone=115 51 72 00"},
        {"тел. 22-33-44", "phone=22-33-44"},
        /* the sign after the plus was misread */
        {"+ቱ251 911 555 023", "phone=+ቱ251 911 555 023"},
        {"+|251 911 555 023", "phone=+|251 911 555 023"},
        {"a+b12345678, +x999 12", ""},
        /* what is none */
        {"on 01.02.2020 and 2019-2020", ""},
        {"12 345 678 people, 1,234,567.89 dollars", ""},
        {"0.123456789", ""},
        {"ISBN 0415053110, ISSN: 0263-8754", ""},
        {"explosion-rocks-the-capital-052856325.html", ""},
        {"ushayele ku-02036151866.", "phone=02036151866"},
        {"7 035 767 701 FCFA, 17 035 767 701", ""},
        {"call 035 767 701", "phone=035 767 701"},
        {"+5 percent and +12", ""},
        {"page 10, 2 of 3", ""},
        {"2018 2019 2020 2021", ""},
        {"ISBN 978-0-306-40615-7", ""},
    };
    (void)state;
    CHECK(rows);
}

static void test_ids(void **state) {
    static const row rows[] = {
        {"NIR 2 55 08 14 168 025 38", "id=2 55 08 14 168 025 38!"},
        {"255081416802538", "id=255081416802538!"},
        {"12345678Z y 12.345.678-Z", "id=12345678Z! | id=12.345.678-Z!"},
        {"12345678A", ""},
        {"X1234567L", "id=X1234567L!"},
        {"Aadhaar 2341 2341 2346", "id=2341 2341 2346!"},
        {"आधार २३४१ २३४१ २३४६", "id=२३४१ २३४१ २३४६!"},
        {"SSN 219-09-9999", "id=219-09-9999"},
        {"000-12-3456 and 666-12-3456", ""},
        {"8001015009087", "id=8001015009087!"},
        {"800101 5009 08 7", "id=800101 5009 08 7!"},
        {"8001015009088", ""},
        {"CPF 111.444.777-35", "id=111.444.777-35!"},
        {"111.444.777-36 x", ""},
        {"10000000146", "id=10000000146!"},
        {"44051401359", "id=44051401359!"},
        {"1630615123457", "id=1630615123457!"},
        {"HEGG560427MVZRRL04", "id=HEGG560427MVZRRL04!"},
        {"RSSMRA85T10A562S", "id=RSSMRA85T10A562S!"},
        {"29001011234567", "id=29001011234567"},
        {"11010519491231002X", "id=11010519491231002X!"},
        {"35202-1234567-1", "id=35202-1234567-1"},
        {"Passport No: A12345678, issued", "id=A12345678"},
        {"Kitambulisho: 12345678", "id=12345678"},
        {"رقم الهوية: ٩٠١٢٣٤٥٦٧", "id=٩٠١٢٣٤٥٦٧"},
        /* words between label and number */
        {"رقم الهوية الوطنية 11922334455", "id=11922334455"},
        {"رقم الهوية الوطنية للمنسق هو ١١٩٢٢٣٣٤٤٥٥.", "id=١١٩٢٢٣٣٤٤٥٥"},
        {"Namba ya kitambulisho ya mratibu ni 23456789", "id=23456789"},
        {"Nambari ya kitambulisho cha taifa: 23456789", "id=23456789"},
        {"Kitambulisho chake cha kupiga kura ni namba 23456789.", "id=23456789"},
        {"her passport (issued in Kampala) No. B1234567", "id=B1234567"},
        {"la carte d'identité de l'intéressé est 199012345", "id=199012345"},
        {"He lost his passport last year. 123456 others", ""},
        {"passport, 123456 others", ""},
        {"passport holders numbered 120 000 in 2019-2020", ""},
        {"passport issued on 12.03.2021", ""},
        {"a passport for each of the many families 123456", ""},
        {"File 123-45C67890 and 987-65-43210", "case=123-45C67890 | case=987-65-43210"},
        {"IBAN GB82 WEST 1234 5698 7654 32 of", "account=GB82 WEST 1234 5698 7654 32!"},
        {"FR1420041010050500013M02606", "account=FR1420041010050500013M02606!"},
        {"GB82WEST12345698765433", ""},
        {"4111 1111 1111 1111 12/26", "card=4111 1111 1111 1111!"},
        {"378282246310005", "card=378282246310005!"},
        {"4111 1111 1111 1112", ""},
        {"0000000000000000", ""},
        {"2019 2020 2021 2022 2023", ""},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
         "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
         "passport=P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<< | "
         "passport=L898902C36UTO7408122F1204159ZE184226B<<<<<10!"},
        {"I<UTOD231458907<<<<<<<<<<<<<<<", "passport=I<UTOD231458907<<<<<<<<<<<<<<<!"},
        {"P<UTO ERIKSSON << ANNA < MARIA <<<<<<<<<<<<<",
         "passport=P<UTO ERIKSSON << ANNA < MARIA <<<<<<<<<<<<<"},
        {"TOTAL AMOUNT DUE THIS MONTH IS", ""},
    };
    (void)state;
    CHECK(rows);
}

static void test_names(void **state) {
    static const row rows[] = {
        {"Mr Smith said", "name=Smith"},
        {"Mrs. Amina Yusuf-Ali and others", "name=Amina Yusuf-Ali"},
        {"Dr J. M. Coetzee,", "name=J. M. Coetzee"},
        {"Mme Awa Diop, M. Moussa Sow", "name=Awa Diop | name=Moussa Sow"},
        {"la Sra. María de la Cruz López vino", "name=María de la Cruz López"},
        {"Bw. Juma Omari", "name=Juma Omari"},
        {"Mr\nJohn Smith", "name=John Smith"},
        {"السيد محمد حسن قال", "name=محمد حسن"},
        {"السيد الوزير", ""},
        {"አቶ ተስፋዬ ገብረ", "name=ተስፋዬ ገብረ"},
        {"श्री राम कुमार", "name=राम कुमार"},
        {"Name: Amina Yusuf", "name=Amina Yusuf"},
        {"Name: amina yusuf", ""},
        {"Full name ........ AMINA YUSUF", "name=AMINA YUSUF"},
        {"Name: YUSUF, Amina   Date: 3 May", "name=YUSUF, Amina"},
        {"Jina: Amina Yusuf Jinsia: ke", "name=Amina Yusuf"},
        {"Nom et prénom : Traoré Awa", "name=Traoré Awa"},
        {"الاسم: فاطمة علي حسن\nالعمر: 30", "name=فاطمة علي حسن"},
        {"ስም፦ አበበ ከበደ", "name=አበበ ከበደ"},
        {"नाम: सीता देवी", "name=सीता देवी"},
        {"姓名：张伟", "name=张伟"},
        {"Прізвище: Шевченко", "name=Шевченко"},
        {"Name\nAmina Yusuf", ""},
        {"Name Amina Yusuf\nAge 30", "name=Amina Yusuf"},
        {"1. Name Amina Yusuf", "name=Amina Yusuf"},
        {"Name of the village", ""},
        {"Mr President, the name is unknown", ""},
        {"Amina Yusuf said", ""},
        {"Mr ë\xCC\x81"
         "x",
         ""},
    };
    (void)state;
    CHECK(rows);
}

static void test_names_by_role(void **state) {
    static const row rows[] = {
        {"Mratibu: Dkt. Neema Mushi", "name=Neema Mushi"},
        {"Dkt. Neema Mushi alisema, Bi. Asha Juma", "name=Neema Mushi | name=Asha Juma"},
        {"للتواصل: علي صالح", "name=علي صالح"},
        {"للتواصل: علي صالح هاتف 0912345678", "name=علي صالح | phone=0912345678"},
        {"المنسق: د. علي صالح", "name=علي صالح"},
        {"قال أ. محمد عثمان اليوم", "name=محمد عثمان"},
        {"د/ علي صالح", "name=علي صالح"},
        {"Picha: Juma Otieno", "name=Juma Otieno"},
        {"Kielelezo 1: kambi. Picha: Juma Otieno/UNHCR", "name=Juma Otieno"},
        {"Photo: © UNHCR/Juma Otieno", "name=Juma Otieno"},
        {"Crédit photo : Awa Diop", "name=Awa Diop"},
        {"تصوير: محمد عثمان", "name=محمد عثمان"},
        /* what is none */
        {"Photo: Getty Images", ""},
        {"Photo: Reuters", ""},
        {"Photo Gallery", ""},
        {"Contact: Ministry of Health", ""},
        {"للتواصل: يرجى الاتصال على الرقم التالي", ""},
        {"للتواصل: المكتب الرئيسي", ""},
        {"أ. مقدمة الكتاب", ""},
        {"بلغ 100 د. في اليوم", ""},
        {"قال علي صالح", ""},
    };
    (void)state;
    CHECK(rows);
}

static void test_names_beside(void **state) {
    static const row rows[] = {
        {"Fatuma Ali 0712 345 678", "name=Fatuma Ali | phone=0712 345 678"},
        {"John Kamau, Tel. no.: +254 712 345 678", "name=John Kamau | phone=+254 712 345 678"},
        {"Please call John Kamau on +254712345678", "name=John Kamau | phone=+254712345678"},
        {"Contact John W. Kamau (0712 345 678)", "name=John W. Kamau | phone=(0712 345 678"},
        {"JOHN KAMAU - simu 0712345678", "name=JOHN KAMAU | phone=0712345678"},
        {"Neema Mushi <neema@example.org>", "name=Neema Mushi | email=neema@example.org"},
        {"Awa de la Cruz, e-mail: a@example.org", "name=Awa de la Cruz | email=a@example.org"},
        {"1. Fatuma Ali ..... 0712 345 678", "name=Fatuma Ali | phone=0712 345 678"},
        {"Fatuma A. Tel. 0712 345 678", "name=Fatuma A. | phone=0712 345 678"},
        {"علي صالح ٠٩١٢٣٤٥٦٧٨", "name=علي صالح | phone=٠٩١٢٣٤٥٦٧٨"},
        {"አበበ ከበደ፣ ስልክ ቁጥር 0911 555 023", "name=አበበ ከበደ | phone=0911 555 023"},
        /* what is none */
        {"Red Cross 0712 345 678", "phone=0712 345 678"},
        {"UNHCR Kenya: +254 712 345 678", "phone=+254 712 345 678"},
        {"Head Office, Tel: 0712 345 678", "phone=0712 345 678"},
        {"Email Address: info@example.org", "email=info@example.org"},
        {"Kampala 0712 345 678", "phone=0712 345 678"},
        {"Wasiliana nasi kwa simu 0712 345 678", "phone=0712 345 678"},
        {"للاتصال على الرقم 0912345678", "phone=0912345678"},
        {"رأيت علي صالح أمس في السوق 0912345678", "phone=0912345678"},
        {"Amina Yusuf\n0712 345 678", "phone=0712 345 678"},
        {"ውሃ የለም። ስልክ 0912345678", "phone=0912345678"},
        {"لا ماء. هاتف 0912345678", "phone=0912345678"},
        {"We met in New York. Tel. 0712 345 678", "phone=0712 345 678"},
        {"A Very Long Row Of Words 0712 345 678", "phone=0712 345 678"},
    };
    (void)state;
    CHECK(rows);
}

static void test_spans(void **state) {
    vl_personal *found;
    size_t count;
    vl_error error;
    (void)state;
    /* A modifier belongs to the letter before it, and marks that steer direction stay inside.
     */
    const char *marked = "Name: Amina Yusuf\xF0\x9F\x8F\xBB x";
    assert_int_equal(vl_personal_find(arena, marked, &found, &count, &error), VL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].end, strlen(marked) - 2);
    assert_string_equal(finds("+\xE2\x80\x8E"
                              "254 712 345 678"),
                        "phone=+\xE2\x80\x8E"
                        "254 712 345 678");
    /* A label's find and a form's find of the same thing are one. */
    assert_int_equal(
        vl_personal_find(arena, "ID number: 8001015009087", &found, &count, &error), VL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].ground, VL_PERSONAL_CHECKED);
    assert_string_equal(found[0].rule, "za-id");
}

/* ---- how much is found: figures of docs/privacy.md ----------------------------------------
 */

/* Every kind written 400 times in the ways that forms and letters write it, inside of lines
 * with other words; then the same with one character in fifty misread, as a poor scan has them.
 */

static uint64_t seed = 20;

static size_t pick(size_t n) {
    return vl_random_below(&seed, n);
}
#define PICK(list) list[pick(sizeof(list) / sizeof *(list))]

/* '#' a figure, '9' one from 2 on; the rest as it is. */
static void fill(const char *pattern, char *out) {
    for (; *pattern; pattern++)
        *out++ = *pattern == '#'   ? (char)('0' + pick(10))
                 : *pattern == '9' ? (char)('2' + pick(8))
                                   : *pattern;
    *out = '\0';
}

static void make_phone(char *out) {
    static const char *const forms[] = {
        "+254 79# ### ###", "+25479#######",   "+33 9 ## ## ## ##", "+1 (99#) 99#-####",
        "+91 99### #####",  "+93 79# ### ###", "00963 99# ### ###", "+49 (0)30 9######",
        "079# ### ###",     "079#######",      "09 ## ## ## ##",    "(99#) 99#-####",
        "Tel: 9#####",      "simu 9## ####",   "Tél. : 9# ## ##",   "phone no. 9##-####"};
    fill(PICK(forms), out);
}

static void make_email(char *out) {
    static const char *const forms[] = {"amina.y##@example.org", "j_omar@mail.example.co.ke",
                                        "info@ngo-##.example", "m.diallo##@example.sn"};
    fill(PICK(forms), out);
}

static char luhn_digit(const char *digits) {
    int sum = 0, n = (int)strlen(digits);
    for (int i = 0; i < n; i++) {
        int d = digits[n - 1 - i] - '0';
        sum += i % 2 ? d : d < 5 ? 2 * d : 2 * d - 9;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

static void make_id(char *out) {
    long long number;
    switch (pick(5)) {
    case 0: /* France */
        number = 1000000000000LL * (1 + (long long)pick(2)) +
                 10000000000LL * (long long)pick(100) +
                 100000000LL * (1 + (long long)pick(12)) + (long long)pick(100000000);
        sprintf(out, "%lld%02lld", number, 97 - number % 97);
        break;
    case 1: /* Spain */
        number = (long long)pick(100000000);
        sprintf(out, "%08lld%s%c", number, pick(2) ? "-" : "",
                "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]);
        break;
    case 2: /* South Africa */
        sprintf(out, "%02zu%02zu%02zu%04zu08", pick(100), 1 + pick(12), 1 + pick(28),
                pick(10000));
        sprintf(out + strlen(out), "%c", luhn_digit(out));
        break;
    case 3:
        fill("Passport No: A9######", out);
        break;
    default:
        fill("National ID 9# ### ###", out);
    }
}

static void make_card(char *out) {
    char digits[20];
    fill("49#############", digits);
    sprintf(digits + 15, "%c", luhn_digit(digits));
    if (pick(2))
        sprintf(out, "%.4s %.4s %.4s %.4s", digits, digits + 4, digits + 8, digits + 12);
    else
        strcpy(out, digits);
}

static void make_case(char *out) {
    static const char *const forms[] = {"9##-##C#####", "9##-##-#####"};
    fill(PICK(forms), out);
}

static void make_name(char *out) {
    static const char *const before[] = {
        "Name: ", "Mrs ",   "Dr. ", "Mme ",       "Jina: ",    "Nombre: ", "Suna: ",
        "Sra. ",  "Nom : ", "Bw. ", "Full name ", "Surname: ", "Alhaji ",  "Obbo "};
    static const char *const first[] = {"Amina",  "Juma",   "María", "Awa",  "Chidi",
                                        "Bukola", "Nguyễn", "Olena", "JOHN", "Zeynep"};
    static const char *const last[] = {"Yusuf",  "Omari",   "López García", "Diop",
                                       "Okafor", "Adébáyò", "de la Cruz",   "Bin Salim",
                                       "SMITH",  "O'Neil"};
    sprintf(out, "\n%s%s %s\n", PICK(before), PICK(first), PICK(last));
}

static void misread(char *text) {
    for (; *text; text++)
        if (((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z')) && !pick(50))
            *text = *text <= '9' ? "O1Z8A5G78g"[*text - '0'] : (char)('a' + pick(26));
}

static bool is_found(const char *text, vl_personal_kind kind) {
    vl_personal *found;
    size_t count;
    vl_error error;
    bool yes = false;
    assert_int_equal(vl_personal_find(arena, text, &found, &count, &error), VL_OK);
    for (size_t i = 0; i < count; i++)
        yes |= found[i].kind == kind;
    vl_arena_reset(arena);
    return yes;
}

static void test_recall(void **state) {
    enum { TRIALS = 400 };
    static const struct {
        vl_personal_kind kind;
        void (*make)(char *out);
    } kinds[] = {{VL_PERSONAL_NAME, make_name},   {VL_PERSONAL_PHONE, make_phone},
                 {VL_PERSONAL_EMAIL, make_email}, {VL_PERSONAL_ID, make_id},
                 {VL_PERSONAL_CARD, make_card},   {VL_PERSONAL_CASE, make_case}};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t clean = 0, noisy = 0;
        for (size_t i = 0; i < TRIALS; i++) {
            char item[128], line[256];
            kinds[k].make(item);
            snprintf(line, sizeof line, "the family of %s was seen on Monday", item);
            clean += is_found(line, kinds[k].kind);
            misread(line);
            noisy += is_found(line, kinds[k].kind);
        }
        print_message("%-6s found %5.1f %%, with one character in fifty misread %5.1f %%\n",
                      vl_personal_kind_name(kinds[k].kind), 100.0 * (double)clean / TRIALS,
                      100.0 * (double)noisy / TRIALS);
        assert_true(clean > TRIALS * 98 / 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emails),        cmocka_unit_test(test_phones),
        cmocka_unit_test(test_ids),           cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_by_role), cmocka_unit_test(test_names_beside),
        cmocka_unit_test(test_spans),         cmocka_unit_test(test_recall),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
