/* Tests of labels: what pictures and tables are called, and where a text speaks of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/labels.h"

#include <stdio.h>
#include <string.h>

static void append(const label *found, void *user) {
    char *out = user;
    size_t used = strlen(out);
    snprintf(out + used, 256 - used, "%s%s %s", used ? ", " : "",
             vl_part_kind_name(found->kind), found->number);
}

static void test_find(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"Nothing of 3 figures, 4 maps.", ""},
        {"Figure 3 shows that Table 2.1 and Chart 4b differ", "figure 3, table 2.1, chart 4b"},
        {"see fig. 12.", "figure 12"},
        {"Tables 2, 3 and 5–7 say", "table 2, table 3, table 5, table 6, table 7"},
        {"Figure 3 and 4 people", "figure 3"},
        {"Figures 3 and 40% of", "figure 3"},
        {"Table IV, Table A1, Figure A.2", "table 4, table a1, figure a2"},
        {"Le tableau 2-1 et la carte n° 5", "table 2.1, map 5"},
        {"los gráficos 1 y 2; el cuadro 3", "chart 1, chart 2, table 3"},
        {"na Tabela 3 e no mapa 4", "table 3, map 4"},
        {"Kama Jedwali 3 na Kielelezo 2 vinavyoonyesha", "table 3, figure 2"},
        {"Hoto na 3 ya nuna; Shaxda 2", "photograph 3, table 2"},
        {"كما في الشكل ٣ والجدول ٤ وبالخريطة 5", "figure 3, table 4, map 5"},
        {"در شکل ۳ و نمودار ۲", "figure 3, chart 2"},
        {"на рисунке 3 и в таблицах 1–3, рис. 4а",
         "figure 3, table 1, table 2, table 3, figure 4a"},
        {"картина 3", ""},
        {"चित्र ३ और तालिका २", "figure 3, table 2"},
        {"চিত্র ৩ এবং সারণি ২", "figure 3, table 2"},
        {"በሥዕል 3 እና በሠንጠረዥ 2", "figure 3, table 2"},
        {"படம் 3", "figure 3"},
        {"រូបភាពទី៣ និង តារាងទី ២", "figure 3, table 2"},
        {"ပုံ ၃", "figure 3"},
        {"如图3所示,表 2", "figure 3, table 2"},
        {"Configure 3 and vegetable 4", ""},
        {"Figure, 3 of which", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[256] = "";
        labels_find(rows[i][0], append, out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void test_begins(void **state) {
    static const struct {
        const char *text, *label;
    } rows[] = {
        {"Figure 3. Rainfall", "Figure 3"},
        {"(Tableau 2 : Effectifs)", "Tableau 2"},
        {"الشكل ٣: عدد اللاجئين", "الشكل ٣"},
        {"चित्र ३: जल", "चित्र ३"},
        {"In Figure 3 we see", NULL},
        {"Rainfall", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        label found;
        assert_int_equal(label_begins(rows[i].text, &found), rows[i].label != NULL);
        if (rows[i].label) {
            assert_int_equal(found.end - found.start, strlen(rows[i].label));
            assert_memory_equal(rows[i].text + found.start, rows[i].label,
                                strlen(rows[i].label));
        }
    }
}

static void test_kind(void **state) {
    (void)state;
    assert_int_equal(label_picture_kind("Map of the affected districts"), VL_PART_MAP);
    assert_int_equal(label_picture_kind("Figure 2: graphique des ventes"), VL_PART_CHART);
    assert_int_equal(label_picture_kind("Picha: UNICEF"), VL_PART_PHOTOGRAPH);
    assert_int_equal(label_picture_kind("A family at a well"), VL_PART_FIGURE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
