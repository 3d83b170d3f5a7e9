/* Tests of coordinates in texts: what is found, what is left alone, and how it is rounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/coordinates.h"

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

typedef struct row {
    const char *text, *expected;
} row;

typedef const char *(*say_fn)(const char *text);

static void check(const row *rows, size_t count, say_fn say) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = say(rows[i].text);
        if (strcmp(got, rows[i].expected)) {
            print_error("\"%s\"\n  expected %s\n  found    %s\n", rows[i].text,
                        rows[i].expected, got);
            wrong++;
        }
        vl_arena_reset(arena);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK(rows, say) check(rows, sizeof(rows) / sizeof *(rows), say)

static const char *keep(vl_buf *out) {
    const char *text = vl_arena_strdup(arena, out->data ? out->data : "");
    vl_buf_deinit(out);
    return text;
}

/* "form=what" for each, by " | ". */
static const char *finds(const char *text) {
    coordinate *found;
    size_t count;
    vl_buf out;
    vl_error error;
    assert_int_equal(coordinates_find(arena, text, &found, &count, &error), VL_OK);
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < count; i++)
        vl_buf_printf(&out, "%s%s=%.*s", i ? " | " : "", coordinate_form_name(found[i].form),
                      (int)(found[i].end - found[i].start), text + found[i].start);
    return keep(&out);
}

static int decimals;

/* The text with its coordinates rounded, "#" for those that cannot be. */
static const char *rounded(const char *text) {
    coordinate *found;
    size_t count, at = 0;
    vl_buf out;
    vl_error error;
    assert_int_equal(coordinates_find(arena, text, &found, &count, &error), VL_OK);
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        vl_buf_append(&out, text + at, found[i].start - at);
        if (!coordinate_reduce(&found[i], text, decimals, &out))
            vl_buf_puts(&out, "#");
        at = found[i].end;
    }
    vl_buf_puts(&out, text + at);
    return keep(&out);
}

static void test_decimal(void **state) {
    static const row rows[] = {
        {"The site (9.0301, 38.7469) was visited.", "decimal=9.0301, 38.7469"},
        {"9.0301,38.7469", "decimal=9.0301,38.7469"},
        {"-1.2921, 36.8219", "decimal=-1.2921, 36.8219"},
        {"−1.2921, 36.8219", "decimal=−1.2921, 36.8219"},
        {"-1.2920659 36.8219462 1795.0 4.9", "decimal=-1.2920659 36.8219462"},
        {"9.0301; 38.7469", "decimal=9.0301; 38.7469"},
        {"9,0301; 38,7469", "decimal=9,0301; 38,7469"},
        {"9,03012 / 38,74695", "decimal=9,03012 / 38,74695"},
        {"GPS: 9.03, 38.75", "decimal=9.03, 38.75"},
        {"GPS coordinates of the clinic: 9.03 38.75", "decimal=9.03 38.75"},
        {"Coordonnées GPS : 12,37 ; -1,52", "decimal=12,37 ; -1,52"},
        {"Coordenadas: 4.711, -74.0721", "decimal=4.711, -74.0721"},
        {"الإحداثيات: ٣٦٫٢٠٢١، ٣٧٫١٣٤٣", "decimal=٣٦٫٢٠٢١، ٣٧٫١٣٤٣"},
        {"निर्देशांक: २७.७१७२, ८५.३२४०", "decimal=२७.७१७२, ८५.३२४०"},
        {"POINT (38.7469 9.0301)", "decimal=38.7469 9.0301"},
        {"\"coordinates\":[38.7469,9.0301]", "decimal=38.7469,9.0301"},
        {"POLYGON((38.71 9.01, 38.72 9.02, 38.73 9.03))",
         "decimal=38.71 9.01 | decimal=38.72 9.02 | decimal=38.73 9.03"},
        {"N 9.0301 E 38.7469", "decimal=N 9.0301 E 38.7469"},
        {"N9.0301E38.7469", "decimal=N9.0301E38.7469"},
        {"9.0301N, 38.7469E", "decimal=9.0301N, 38.7469E"},
        {"9.0301° N, 38.7469° E", "decimal=9.0301° N, 38.7469° E"},
        {"9.03º S y 38.75º O", "decimal=9.03º S y 38.75º O"},
        {"12,3714° de latitude nord et 1,5197° de longitude ouest",
         "decimal=12,3714° de latitude nord et 1,5197° de longitude ouest"},
        {"9.0301 degrees north and 38.7469 degrees east",
         "decimal=9.0301 degrees north and 38.7469 degrees east"},
        {"36.2021 درجة شمالاً و 37.1343 درجة شرقاً",
         "decimal=36.2021 درجة شمالاً و 37.1343 درجة شرقاً"},
        {"lat: 9.0301, lon: 38.7469", "decimal=9.0301 | decimal=38.7469"},
        {"Latitude 9.03 Longitude 38.75", "decimal=9.03 | decimal=38.75"},
        {"Latitud: 4.711 Longitud: -74.0721", "decimal=4.711 | decimal=-74.0721"},
        {"خط العرض: 36.2021 خط الطول: 37.1343", "decimal=36.2021 | decimal=37.1343"},
        {"Lat/Long: 9.0301/38.7469", "decimal=9.0301/38.7469"},
        {"على خط عرض 15.5527 وخط طول 32.5322", "decimal=15.5527 | decimal=32.5322"},
        {"9.0301 ሰሜን 38.7469 ምስራቅ", "decimal=9.0301 ሰሜን 38.7469 ምስራቅ"},
        {"6.7924 Kusini, 39.2083 Mashariki", "decimal=6.7924 Kusini, 39.2083 Mashariki"},
        {"latitud 4,6097 N; longitud 74,0817 O", "decimal=4,6097 N | decimal=74,0817 O"},
        {"9.03012 38.74695 2355.0 4.0", "decimal=9.03012 38.74695"},
        {"lat=9.0301&long=38.7469", "decimal=9.0301 | decimal=38.7469"},
        {"{\"lat\": 9.0301, \"lng\": 38.7469}", "decimal=9.0301 | decimal=38.7469"},
        {"a latitude of 9.0301", "decimal=9.0301"},
    };
    (void)state;
    CHECK(rows, finds);
}

static void test_sexagesimal(void **state) {
    static const row rows[] = {
        {"N 9° 1.806' E 38° 44.8'", "sexagesimal=N 9° 1.806' E 38° 44.8'"},
        {"9°01'48\"N 38°44'49\"E", "sexagesimal=9°01'48\"N 38°44'49\"E"},
        {"9° 1′ 48″ N, 38° 44′ 49″ E", "sexagesimal=9° 1′ 48″ N, 38° 44′ 49″ E"},
        {"9° 1’ 48.25’’ N; 38° 44’ 49’’ E", "sexagesimal=9° 1’ 48.25’’ N; 38° 44’ 49’’ E"},
        {"9º1´48´´ S, 38º44´49´´ W", "sexagesimal=9º1´48´´ S, 38º44´49´´ W"},
        {"9 deg 1 min 48 sec N, 38 deg 44 min 49 sec E",
         "sexagesimal=9 deg 1 min 48 sec N, 38 deg 44 min 49 sec E"},
        {"09 01 48 N, 038 44 49 E", "sexagesimal=09 01 48 N, 038 44 49 E"},
        {"09-01-48N 038-44-49E", "sexagesimal=09-01-48N 038-44-49E"},
        {"N 12 22.283 W 001 31.183", "sexagesimal=N 12 22.283 W 001 31.183"},
        {"Lat. : 12°22'N; Long. : 1°31'W", "sexagesimal=12°22'N | sexagesimal=1°31'W"},
        {"9:01:48 N 38:44:49 E", "sexagesimal=9:01:48 N 38:44:49 E"},
        {"9°01'48\" Nord", "sexagesimal=9°01'48\" Nord"},
        {"٩° ١′ ٤٨″ شمالاً، ٣٨° ٤٤′ ٤٩″ شرقاً", "sexagesimal=٩° ١′ ٤٨″ شمالاً، ٣٨° ٤٤′ ٤٩″ شرقاً"},
        {"9°01'48\", 38°44'49\"", "sexagesimal=9°01'48\", 38°44'49\""},
        {"55°45′ с.ш. 37°37′ в.д.", "sexagesimal=55°45′ с.ш. 37°37′ в.д."},
    };
    (void)state;
    CHECK(rows, finds);
}

static void test_codes(void **state) {
    static const row rows[] = {
        {"geo:9.0301,38.7469", "geo=geo:9.0301,38.7469"},
        {"(geo:-1.2921,36.8219,1795;u=35)", "geo=geo:-1.2921,36.8219,1795;u=35"},
        {"see https://www.google.com/maps/@9.0301,38.7469,17z.",
         "link=https://www.google.com/maps/@9.0301,38.7469,17z"},
        {"https://maps.google.com/?q=9.0301%2C38.7469",
         "link=https://maps.google.com/?q=9.0301%2C38.7469"},
        {"https://www.openstreetmap.org/#map=17/9.0301/38.7469",
         "link=https://www.openstreetmap.org/#map=17/9.0301/38.7469"},
        {"https://www.openstreetmap.org/?mlat=9.0301&mlon=38.7469#map=17/9.0301/38.7469",
         "link=https://www.openstreetmap.org/?mlat=9.0301&mlon=38.7469#map=17/9.0301/38.7469"},
        {"https://maps.app.goo.gl/AbCdEf123", "words=https://maps.app.goo.gl/AbCdEf123"},
        {"www.google.com/maps/@9.0301,38.7469,17z",
         "link=www.google.com/maps/@9.0301,38.7469,17z"},
        {"goo.gl/maps/AbCdEf123", "words=goo.gl/maps/AbCdEf123"},
        {"https://osm.org/go/xV0Bq~9", "words=https://osm.org/go/xV0Bq~9"},
        {"https://www.google.com/search?q=9.0301", ""},
        {"https://www.openstreetmap.org/copyright", ""},
        {"https://example.org/report-3.25.pdf", ""},
        {"37PDK 72214 98230", "mgrs=37PDK 72214 98230"},
        {"37PDK7221498230", "mgrs=37PDK7221498230"},
        {"37P DK 722 982", "mgrs=37P DK 722 982"},
        {"MGRS: 37P DK 7 9", "mgrs=37P DK 7 9"},
        {"10 CFR 1910", ""},
        {"12ABC345678", ""},
        {"UTM 37N 472214 998230", "utm=37N 472214 998230"},
        {"Zone 37 P 472214 mE, 998230 mN", "utm=37 P 472214 mE, 998230 mN"},
        {"37N 472214 998230 people", ""},
        {"37N 0472214 0998230", "utm=37N 0472214 0998230"},
        {"https://www.google.com/maps/place/9%C2%B001'48.4%22N+38%C2%B044'48.8%22E/"
         "@9.0301,38.7469,17z",
         "words=https://www.google.com/maps/place/9%C2%B001'48.4%22N+38%C2%B044'48.8%22E/"
         "@9.0301,38.7469,17z"},
        {"https://waze.com/ul?ll=9.0301,38.7469&navigate=yes",
         "link=https://waze.com/ul?ll=9.0301,38.7469&navigate=yes"},
        {"6GXQ2PJW+2Q", "plus=6GXQ2PJW+2Q"},
        {"6GXQ0000+", "plus=6GXQ0000+"},
        {"at 2PJW+2QF Addis Ababa", "plus=2PJW+2QF"},
        {"22+33 and 2345+67", ""},
        {"3G+4G, CXVW+QR", ""},
        {"///filled.count.soap", "words=///filled.count.soap"},
        {"file:///home.user.notes", ""},
        {"http:///a.b.c", ""},
        {"///маршрут.слово.дом", "words=///маршрут.слово.дом"},
    };
    (void)state;
    CHECK(rows, finds);
}

static void test_left_alone(void **state) {
    static const row rows[] = {
        {"", ""},
        {"Nothing of that kind.", ""},
        {"3.25, 12.75", ""},
        {"version 1.2.3, 4.5.6", ""},
        {"on 12.05.2021, 13.05.2021", ""},
        {"US$ 9.0301, 38.7469%", ""},
        {"(N2,355,000,000)", ""},
        {"OR 1.2345 (95% CI 1.1034, 3.5678)", ""},
        {"0.1234, 0.2345", ""},
        {"0.12345 10.23456 20.34567 30.45678", ""},
        {"5.1234, 6.1234, 7.1234, 8.1234", ""},
        {"12,345, 38,746 and 1,234,567 people", ""},
        {"between 36.5 and 38.7 degrees", ""},
        {"36.55°C, 38.75°C", ""},
        {"an angle of 45°30'", ""},
        {"turn 90° N", ""},
        {"how long 12.5 km", ""},
        {"3.25 long, 12.75 wide", ""},
        {"latitude for 25% of them", ""},
        {"Article 5 N, 12 E", ""},
        {"12:30:15 and 14:45:10", ""},
        {"from 2019-01-02 to 2021-03-04", ""},
        {"scores of 91.2345, 92.3456", ""},
        {"191.2345, 38.7469", ""},
        {"1.2345 / 5.6789", ""},
        {"faster for both 2.0N and 2.0W", ""},
        {"12.3456 ± 3.4567 and 12.3456 (3.4567)", ""},
        {"Altitude: 2355.75 m, temperature 36.55, 38.75", ""},
        {"tel 0712 345 678, 0733 123 456", ""},
        {"IP 10.0301.38.7469", ""},
    };
    (void)state;
    CHECK(rows, finds);
}

static void test_rounding(void **state) {
    static const row two[] = {
        {"(9.0301, 38.7469)", "(9.03, 38.75)"},
        {"GPS 9.03, 38.7", "GPS 9.03, 38.7"},
        {"-1.2921 36.8299999", "-1.2921 36.8299999"},
        {"-1.29219 36.82999", "-1.29 36.83"},
        {"9,0301; 38,7469", "9,03; 38,75"},
        {"الإحداثيات: ٣٦٫٢٠٢١، ٣٧٫١٣٤٣", "الإحداثيات: ٣٦٫٢٠، ٣٧٫١٣"},
        {"निर्देशांक: २७.७१७२, ८५.३२४०", "निर्देशांक: २७.७२, ८५.३२"},
        {"N 9° 1.806' E 38° 44.8'", "N 9.03° E 38.75°"},
        {"9° 1′ 48″ N, 38° 44′ 49″ E", "9.03° N, 38.75° E"},
        {"9° 2′ N, 38° 45′ E", "9° 2′ N, 38° 45′ E"},
        {"٩° ١′ ٤٨″ شمالاً، ٣٨° ٤٤′ ٤٩″ شرقاً", "٩٫٠٣° شمالاً، ٣٨٫٧٥° شرقاً"},
        {"lat: 9.0301, lon: 38.7469", "lat: 9.03, lon: 38.75"},
        {"geo:9.0301,38.7469;u=35", "geo:9.03,38.75;u=35"},
        {"https://www.google.com/maps/@9.0301,38.7469,17z",
         "https://www.google.com/maps/@9.03,38.75,17z"},
        {"https://maps.google.com/?q=9.0301%2C38.7469",
         "https://maps.google.com/?q=9.03%2C38.75"},
        {"https://maps.app.goo.gl/AbCdEf123", "#"},
        {"37PDK 72214 98230", "37PDK 7 9"},
        {"37PDK7221498230", "37PDK79"},
        {"UTM 37N 472214 998230", "UTM 37N 470000 1000000"},
        {"6GXQ2PJW+2Q", "6GXQ2P00+"},
        {"at 2PJW+2QF Addis Ababa", "at # Addis Ababa"},
        {"///filled.count.soap", "#"},
    };
    static const row none[] = {
        {"(9.5301, 38.7469)", "(10, 39)"},
        {"9° 1′ 48″ N, 38° 44′ 49″ E", "9° N, 39° E"},
        {"37PDK 72214 98230", "37P"},
        {"6GXQ2PJW+2Q", "6GXQ0000+"},
    };
    static const row three[] = {
        {"9° 2′ N, 38° 45′ E", "9° 2′ N, 38° 45′ E"},
        {"9.0301, 38.7469", "9.030, 38.747"},
        {"37PDK 72214 98230", "37PDK 72 98"},
        {"6GXQ2PJW+2Q", "6GXQ2PJW+"},
        {"at 2PJW+2QF Addis Ababa", "at 2PJW+ Addis Ababa"},
    };
    static const row one[] = {
        {"37PDK 72214 98230", "37PDK"},
        {"9° 2′ N, 38° 45′ E", "9.0° N, 38.8° E"},
        {"6GXQ2PJW+2Q", "6GXQ0000+"},
    };
    (void)state;
    decimals = 2;
    CHECK(two, rounded);
    decimals = 0;
    CHECK(none, rounded);
    decimals = 3;
    CHECK(three, rounded);
    decimals = 1;
    CHECK(one, rounded);
}

/* What was rounded is found again with no finer step, or not at all. */
static void test_rounded_is_no_finer(void **state) {
    static const char *const texts[] = {
        "GPS 9.0301, 38.7469",
        "N 9° 1.806' E 38° 44.8'",
        "geo:9.0301,38.7469",
        "MGRS 37PDK 72214 98230",
        "UTM 37N 472214 998230",
        "6GXQ2PJW+2Q",
        "https://www.openstreetmap.org/#map=17/9.03012/38.74695"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (decimals = 0; decimals <= COORDINATE_DECIMALS_MAX; decimals++) {
            coordinate *found;
            size_t count;
            const char *less = rounded(texts[i]);
            assert_int_equal(coordinates_find(arena, less, &found, &count, NULL), VL_OK);
            for (size_t k = 0; k < count; k++) {
                bool tens = found[k].form == COORDINATE_UTM; /* its zeros are said too */
                if (!tens && found[k].step < coordinate_step(decimals) * 0.999999)
                    fail_msg("%s at %d: %s", texts[i], decimals, less);
            }
            vl_arena_reset(arena);
        }
}

static void test_labels(void **state) {
    static const struct {
        const char *text;
        coordinate_axis axis;
    } rows[] = {{"Lat", COORDINATE_LATITUDE},
                {"Latitude (N)", COORDINATE_LATITUDE},
                {"_gps_latitude", COORDINATE_LATITUDE},
                {"LONGITUDE", COORDINATE_LONGITUDE},
                {"Long.", COORDINATE_LONGITUDE},
                {"lng", COORDINATE_LONGITUDE},
                {"Lat/Long", COORDINATE_BOTH},
                {"GPS", COORDINATE_BOTH},
                {"GPS coordinates", COORDINATE_BOTH},
                {"Coordonnées géographiques", COORDINATE_BOTH},
                {"خط العرض", COORDINATE_LATITUDE},
                {"خط الطول", COORDINATE_LONGITUDE},
                {"الإحداثيات", COORDINATE_BOTH},
                {"अक्षांश", COORDINATE_LATITUDE},
                {"ኬንትሮስ", COORDINATE_LONGITUDE},
                {"Easting", COORDINATE_METRES},
                {"UTM Y", COORDINATE_METRES},
                {"How long", COORDINATE_NONE},
                {"Water point", COORDINATE_NONE},
                {"Point of contact", COORDINATE_NONE},
                {"Population", COORDINATE_NONE},
                {"", COORDINATE_NONE},
                {"The latitude of all of the sites that we saw", COORDINATE_NONE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (coordinates_label(arena, rows[i].text) != rows[i].axis)
            fail_msg("%s: %d", rows[i].text, (int)coordinates_label(arena, rows[i].text));
}

static void test_fields(void **state) {
    static const struct {
        coordinate_axis axis;
        const char *text;
        size_t count;
    } rows[] = {{COORDINATE_LATITUDE, "9.0301", 1},   {COORDINATE_LATITUDE, " 9,03 ", 1},
                {COORDINATE_LATITUDE, "99.0301", 0},  {COORDINATE_LONGITUDE, "99.0301", 1},
                {COORDINATE_BOTH, "9.0, 38.7", 1},    {COORDINATE_BOTH, "9 38", 0},
                {COORDINATE_LATITUDE, "9", 0},        {COORDINATE_LATITUDE, "about 9.03", 0},
                {COORDINATE_METRES, "472214", 1},     {COORDINATE_METRES, "998230.55", 1},
                {COORDINATE_LATITUDE, "472214", 0},   {COORDINATE_NONE, "9.0301", 0},
                {COORDINATE_LATITUDE, "٩٫٠٣٠١", 1},   {COORDINATE_LATITUDE, "9.03°", 1},
                {COORDINATE_LATITUDE, "9°01'48\"", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        coordinate *found;
        size_t count;
        assert_int_equal(
            coordinates_find_in_field(arena, rows[i].text, rows[i].axis, &found, &count, NULL),
            VL_OK);
        if (count != rows[i].count)
            fail_msg("%s: %zu", rows[i].text, count);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal),  cmocka_unit_test(test_sexagesimal),
        cmocka_unit_test(test_codes),    cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_rounding), cmocka_unit_test(test_rounded_is_no_finer),
        cmocka_unit_test(test_labels),   cmocka_unit_test(test_fields)};
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
