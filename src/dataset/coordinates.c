/* coordinates.c — coordinates in a text (coordinates.h).
 *
 *   prepare            UTF-8 to a row of plain characters
 *   read_angle         one latitude or longitude, however it is written
 *   is_pair            whether two of them are a place
 *   find_at            everything that may begin at a character
 *   coordinates_label  heads of columns, labels of fields */
#include "dataset/coordinates_text.h"
#include "text/phrases.h"

#include <vislang/text.h>

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { TEXT_MAX = 16 << 20, NEAR = 60 /* characters before it that a word may say it in */ };

const char *coordinate_form_name(coordinate_form form) {
    static const char *const names[COORDINATE_FORM_COUNT] = {
        "decimal", "sexagesimal", "geo", "link", "mgrs", "utm", "plus", "words"};
    return names[form];
}

double coordinate_step(int decimals) {
    return pow(10, -decimals);
}

/* ---- characters ---------------------------------------------------------------------------
 */

bool coordinates_is_letter(uint32_t c) {
    if (c < 128)
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    return u_isalpha((UChar32)c) || (U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK);
}

bool coordinates_is_word(uint32_t c) {
    return coordinates_is_digit(c) || coordinates_is_letter(c);
}

size_t coordinates_skip_spaces(const coordinates_text *t, size_t i) {
    while (t->c[i] == ' ')
        i++;
    return i;
}

static uint32_t fold(uint32_t c) {
    if (c < 128)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

bool coordinates_has(const coordinates_text *t, size_t i, const char *ascii) {
    for (; *ascii; ascii++, i++)
        if (i >= t->count || t->folded[i] != (unsigned char)*ascii)
            return false;
    return true;
}

static uint32_t plain(UChar32 c) {
    static const struct {
        UChar32 from;
        uint32_t to;
    } signs[] = {{0xBA, COORDINATES_DEGREE},
                 {0x2DA, COORDINATES_DEGREE},
                 {0x2070, COORDINATES_DEGREE},
                 {0x1D52, COORDINATES_DEGREE},
                 {0x2032, '\''},
                 {0x2018, '\''},
                 {0x2019, '\''},
                 {0x201B, '\''},
                 {0x2B9, '\''},
                 {0x2BC, '\''},
                 {0x2C8, '\''},
                 {0xB4, '\''},
                 {0x60, '\''},
                 {0x2033, '"'},
                 {0x201C, '"'},
                 {0x201D, '"'},
                 {0x201F, '"'},
                 {0x2BA, '"'},
                 {0x2DD, '"'},
                 {0x2212, '-'},
                 {0xFE63, '-'},
                 {0x66B, '.'},
                 {0x60C, ','},
                 {0x61B, ';'},
                 {0x3001, ','},
                 {0x3002, '.'}};
    if (c >= ' ' && c < 0x7F && c != 0x60)
        return (uint32_t)c;
    if (c >= 0xFF01 && c <= 0xFF5E)
        return (uint32_t)(c - 0xFEE0);
    if (c >= 0x2010 && c <= 0x2015)
        return '-';
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].from == c)
            return signs[i].to;
    if (c == '\n' || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029)
        return '\n';
    if (c < 0x20)
        return ' ';
    int32_t digit = u_charType(c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue(c) : -1;
    return digit >= 0 ? (uint32_t)('0' + digit) : u_isUWhiteSpace(c) ? ' ' : (uint32_t)c;
}

/* Most texts have none, and nothing is made of them. */
static bool may_hold(const char *text) {
    bool beyond = false;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at >= '0' && *at <= '9')
            return true;
        if (*at == '/' && at[1] == '/' && at[2] == '/')
            return true;
        beyond |= *at >= 0xD9; /* the first digits beyond ASCII are U+0660 */
    }
    return beyond || strstr(text, "://");
}

static vl_status prepare(coordinates_text *t, const char *text, vl_error *error) {
    size_t bytes = strlen(text), room = bytes + COORDINATES_MARGIN;
    if (bytes > TEXT_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "coordinates are looked for in at most %d MB",
                       TEXT_MAX >> 20);
    t->c = vl_arena_array(t->arena, room, sizeof *t->c);
    t->folded = vl_arena_array(t->arena, room, sizeof *t->folded);
    t->at = vl_arena_array(t->arena, room, sizeof *t->at);
    t->end = vl_arena_array(t->arena, room, sizeof *t->end);
    if (!t->c || !t->folded || !t->at || !t->end)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to look through a text");
    for (int32_t at = 0; at < (int32_t)bytes;) {
        UChar32 c;
        t->at[t->count] = (uint32_t)at;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)bytes, c);
        if (c >= 128 && vl_text_steers((uint32_t)c))
            continue;
        t->end[t->count] = (uint32_t)at;
        t->c[t->count] = plain(c);
        t->folded[t->count] = fold(t->c[t->count]);
        t->count++;
    }
    return VL_OK;
}

void coordinates_add(coordinates_text *t, const coordinate *c) {
    if (t->found_count == t->found_capacity) {
        size_t capacity = t->found_capacity ? t->found_capacity * 2 : 8;
        coordinate *grown = vl_arena_grow(t->arena, t->found, t->found_count * sizeof *grown,
                                          capacity * sizeof *grown);
        t->full |= !grown;
        if (!grown)
            return;
        t->found = grown;
        t->found_capacity = capacity;
    }
    t->found[t->found_count++] = *c;
}

/* ---- words ---------------------------------------------------------------------------------
 */

typedef enum word_kind {
    WORD_LATITUDE,
    WORD_LONGITUDE,
    WORD_PLACE,  /* coordinates follow */
    WORD_METRES, /* eastings and northings follow */
    WORD_NORTH,
    WORD_SOUTH,
    WORD_EAST,
    WORD_WEST,
    WORD_DEGREES,
    WORD_MINUTES,
    WORD_SECONDS,
    WORD_AND,
    WORD_OF,    /* between "latitude" and its number, or the number and "latitude" */
    WORD_SHARE, /* what follows is no place */
    WORD_KINDS
} word_kind;

static const phrase_list lists[] = {
    {WORD_LATITUDE, "lat|latitude|latitud|latitudes|latitudine|breite|breitengrad|latitudo|"
                    "enlem|lintang|خط العرض|خط عرض|دائرة عرض|دائرة العرض|عرض جغرافیایی|"
                    "العرض|ኬክሮስ|широта|अक्षांश|অক্ষাংশ|vĩ độ|纬度|緯度"},
    {WORD_LONGITUDE, "lon|lng|long|longitude|longitud|longitudes|longitudine|länge|"
                     "längengrad|longitudo|boylam|bujur|خط الطول|خط طول|طول جغرافیایی|الطول|"
                     "ኬንትሮስ|долгота|довгота|देशांतर|দ্রাঘিমাংশ|kinh độ|经度|經度"},
    {WORD_PLACE,
     "gps|coordinates|coordinate|coords|coord|latlong|latlon|latlng|geolocation|geopoint|"
     "geo point|geocode|geotag|lat long|lat lon|lat/long|lat/lon|wgs84|wgs 84|"
     "coordonnées|coordonnée|coordonnées gps|coordenadas|coordenada|coordinate gps|"
     "koordinaten|koordinat|koordinatlar|viwianishi|إحداثيات|الإحداثيات|احداثيات|"
     "الاحداثيات|بإحداثيات|مختصات|محل وقوع|መጋጠሚያ|координаты|координати|निर्देशांक|"
     "স্থানাঙ্ক|point|multipoint|linestring|polygon|multipolygon|坐标|座標"},
    {WORD_METRES, "easting|northing|eastings|northings|utm x|utm y|utm e|utm n|utm east|"
                  "utm north|mgrs|utm|grid|grid reference|grid ref"},
    {WORD_NORTH, "n|north|northern|nord|norte|norteen|kaskazini|шир|с.ш|с. ш|пн.ш|lu|kuzey|"
                 "شمال|شمالا|شمالاً|شمالًا|شمالی|الشمالي|ሰሜን|उत्तर|উত্তর|北纬|北"},
    {WORD_SOUTH, "s|south|southern|sud|sur|sul|süd|kusini|ю.ш|ю. ш|пд.ш|ls|güney|جنوب|جنوبا|"
                 "جنوباً|جنوبًا|جنوبی|الجنوبي|ደቡብ|दक्षिण|দক্ষিণ|南纬|南"},
    {WORD_EAST, "e|l|east|eastern|est|este|leste|ost|mashariki|в.д|в. д|сх.д|bt|doğu|شرق|"
                "شرقا|شرقاً|شرقًا|شرقی|الشرقي|ምሥራቅ|ምስራቅ|पूर्व|পূর্ব|东经|東"},
    {WORD_WEST, "w|o|west|western|ouest|oeste|magharibi|з.д|з. д|зх.д|bb|batı|غرب|غربا|"
                "غرباً|غربًا|غربی|الغربي|ምዕራብ|पश्चिम|পশ্চিম|西经|西"},
    {WORD_DEGREES, "deg|degs|degree|degrees|degré|degrés|grado|grados|grau|graus|grad|gradi|"
                   "nyuzi|derajat|derece|درجة|درجات|درجه|ዲግሪ|град|градус|градуса|градусов|"
                   "डिग्री|ডিগ্রি|度"},
    {WORD_MINUTES, "min|mins|minute|minutes|minuto|minutos|dakika|menit|دقيقة|دقائق|دقیقه|"
                   "мин|минут|минуты|मिनट|মিনিট|分"},
    {WORD_SECONDS, "sec|secs|second|seconds|seconde|secondes|segundo|segundos|sekunde|"
                   "sekunden|sekunda|detik|saniye|ثانية|ثواني|ثوان|ثانیه|сек|секунд|सेकंड|"
                   "সেকেন্ড|秒"},
    {WORD_AND, "and|et|y|e|und|na|dan|ve|и|و|እና|और|ও|by|x"},
    {WORD_OF, "of|is|de|di|da|at|est|es|é|de la|=|:"},
    {WORD_SHARE, "ci|iqr|p|or|aor|rr|hr|sd|se|mean|median|range|odds|ratio|interval|version|"
                 "v|usd|eur|fcfa|cfa"},
};

static phrase_table table;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static uint32_t plain_folded(uint32_t c) {
    return fold(plain((UChar32)c));
}

static void make_table(void) {
    phrases_add(&table, lists, sizeof lists / sizeof *lists, plain_folded);
}

/* The longest word of the kind that begins at `i` and ends where one does; 0: none. Single
 * letters for hemispheres are capitals. Figures may follow at once ("N9.03"). */
static size_t word_at(const coordinates_text *t, size_t i, word_kind kind) {
    pthread_once(&table_once, make_table);
    size_t n = phrases_at(&table, t->folded, t->count, i, kind, coordinates_is_letter);
    bool letter = n == 1 && t->c[i] < 128 && kind >= WORD_NORTH && kind <= WORD_WEST;
    return letter && !coordinates_is_capital(t->c[i]) ? 0 : n;
}

/* "و" ("and") is written together with the word behind it. */
static bool begins_word(const coordinates_text *t, size_t i) {
    bool joined = i && t->c[i - 1] == 0x648 && (i == 1 || !coordinates_is_letter(t->c[i - 2]));
    return i == 0 || joined || !coordinates_is_letter(t->c[i - 1]);
}

/* Whether one of the `near` characters before `i` begins such a word. */
static bool is_said_before(const coordinates_text *t, size_t i, word_kind kind, size_t near) {
    size_t first = i > near ? i - near : 0;
    for (size_t at = first; at < i; at++) {
        if (!begins_word(t, at) || !t->c[at] || t->c[at] == ' ')
            continue;
        size_t n = word_at(t, at, kind);
        if (n && at + n <= i)
            return true;
    }
    return false;
}

static bool is_place_said(const coordinates_text *t, size_t i) {
    return is_said_before(t, i, WORD_PLACE, NEAR) ||
           (is_said_before(t, i, WORD_LATITUDE, NEAR) &&
            is_said_before(t, i, WORD_LONGITUDE, NEAR));
}

/* ---- numbers -------------------------------------------------------------------------------
 */

static bool follows_number(const coordinates_text *t, size_t i) {
    if (!i)
        return false;
    uint32_t before = t->c[i - 1];
    bool joined = (before == '.' || before == ',' || before == '/' || before == ':') && i > 1 &&
                  coordinates_is_digit(t->c[i - 2]);
    return coordinates_is_digit(before) || joined;
}

bool coordinates_read_figure(const coordinates_text *t, size_t i, coordinates_figure *figure) {
    enum { WHOLE_MAX = 7, PLACES_MAX = 17 };
    double value = 0, place = 1;
    size_t at = i, whole = 0, places = 0;
    for (; coordinates_is_digit(t->c[at]); at++, whole++)
        value = value * 10 + (double)(t->c[at] - '0');
    if (!whole || whole > WHOLE_MAX)
        return false;
    if ((t->c[at] == '.' || t->c[at] == ',') && coordinates_is_digit(t->c[at + 1])) {
        for (at++; coordinates_is_digit(t->c[at]); at++, places++) {
            place /= 10;
            value += (double)(t->c[at] - '0') * place;
        }
    }
    /* "1.2.3" and "1,234,567", but not "9.0301,38.7469" */
    bool thousands = places == 3 && t->c[at - 4] == ',';
    bool goes_on = (t->c[at] == '.' || (t->c[at] == ',' && (!places || thousands))) &&
                   coordinates_is_digit(t->c[at + 1]);
    *figure = (coordinates_figure){i, at, value, whole, places};
    return places <= PLACES_MAX && !goes_on;
}

/* ---- angles --------------------------------------------------------------------------------
 */

typedef struct angle {
    size_t start, end;        /* characters, sign and hemisphere too */
    coordinates_figure first; /* the degrees */
    size_t numbers_end;       /* behind minutes and seconds */
    double value, step;
    coordinate_axis axis; /* said by a hemisphere */
    bool degree;          /* a sign or word says degrees */
    bool parted;          /* minutes */
    bool comma;           /* for a point */
} angle;

static coordinate_axis axis_at(const coordinates_text *t, size_t i, size_t *end) {
    static const struct {
        word_kind word;
        coordinate_axis axis;
    } ways[] = {{WORD_NORTH, COORDINATE_LATITUDE},
                {WORD_SOUTH, COORDINATE_LATITUDE},
                {WORD_EAST, COORDINATE_LONGITUDE},
                {WORD_WEST, COORDINATE_LONGITUDE}};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        size_t n = word_at(t, i, ways[w].word);
        if (n) {
            *end = i + n + (t->c[i + n] == '.' && t->c[i + n - 1] > 128);
            return ways[w].axis;
        }
    }
    return COORDINATE_NONE;
}

/* "N", "de latitude nord", "latitude": behind a number. */
static coordinate_axis axis_behind(const coordinates_text *t, size_t i, size_t *end) {
    size_t at = coordinates_skip_spaces(t, i);
    coordinate_axis axis = axis_at(t, at, end);
    if (axis)
        return axis;
    size_t of = word_at(t, at, WORD_OF);
    at = of ? coordinates_skip_spaces(t, at + of) : at;
    size_t n = word_at(t, at, WORD_LATITUDE);
    axis = n ? COORDINATE_LATITUDE : COORDINATE_NONE;
    if (!n && (n = word_at(t, at, WORD_LONGITUDE)))
        axis = COORDINATE_LONGITUDE;
    if (!axis)
        return axis;
    at = at + n + (t->c[at + n] == '.');
    size_t more = at, next;
    if (axis_at(t, coordinates_skip_spaces(t, at), &more) != axis)
        more = at;
    next = coordinates_skip_spaces(t, more);
    if (t->c[next] == ':' || t->c[next] == '=' || t->c[next] == '-' ||
        coordinates_is_digit(t->c[next])) /* a label of the next number */
        return COORDINATE_NONE;
    *end = more;
    return axis;
}

/* A sign, or one of the words after spaces; 0: neither. */
static size_t mark_at(const coordinates_text *t, size_t i, uint32_t sign, word_kind word) {
    size_t at = coordinates_skip_spaces(t, i);
    if (t->c[at] == sign)
        return at + 1;
    if (sign == '"' && t->c[at] == '\'' && t->c[at + 1] == '\'')
        return at + 2;
    size_t n = word_at(t, at, word);
    return n ? at + n + (t->c[at + n] == '.') : 0;
}

/* Minutes, then seconds, behind the degrees' sign. */
static void read_parts(const coordinates_text *t, angle *a) {
    coordinates_figure minutes, seconds;
    size_t at = coordinates_skip_spaces(t, a->numbers_end), end;
    if (!coordinates_read_figure(t, at, &minutes) || minutes.value >= 60 || minutes.whole > 2)
        return;
    size_t mark = mark_at(t, minutes.end, '\'', WORD_MINUTES);
    if (!mark && !axis_at(t, coordinates_skip_spaces(t, minutes.end), &end))
        return;
    a->parted = true;
    a->value += minutes.value / 60;
    a->step = pow(10, -(double)minutes.places) / 60;
    a->numbers_end = mark ? mark : minutes.end;
    at = mark ? coordinates_skip_spaces(t, mark) : 0;
    if (!mark || minutes.places || !coordinates_read_figure(t, at, &seconds) ||
        seconds.value >= 60 || seconds.whole > 2)
        return;
    mark = mark_at(t, seconds.end, '"', WORD_SECONDS);
    if (!mark && !axis_at(t, coordinates_skip_spaces(t, seconds.end), &end))
        return;
    a->value += seconds.value / 3600;
    a->step = pow(10, -(double)seconds.places) / 3600;
    a->numbers_end = mark ? mark : seconds.end;
}

/* "09 01 48 N", "9-01-48N", "9:01:48 N": a hemisphere must follow. */
static void read_bare_parts(const coordinates_text *t, angle *a) {
    coordinates_figure minutes, seconds = {0};
    uint32_t joint = t->c[a->first.end];
    if ((joint != ' ' && joint != '-' && joint != ':') || a->first.places ||
        !coordinates_read_figure(t, a->first.end + 1, &minutes) || minutes.value >= 60 ||
        minutes.whole != 2)
        return;
    size_t end = minutes.end, behind;
    bool has_seconds = !minutes.places && t->c[end] == joint &&
                       coordinates_read_figure(t, end + 1, &seconds) && seconds.value < 60 &&
                       seconds.whole == 2;
    end = has_seconds ? seconds.end : end;
    bool after = axis_at(t, coordinates_skip_spaces(t, end), &behind) != COORDINATE_NONE;
    if (!after && !a->axis)
        return;
    a->parted = true;
    a->numbers_end = end;
    a->value += minutes.value / 60 + seconds.value / 3600;
    a->step = has_seconds ? pow(10, -(double)seconds.places) / 3600
                          : pow(10, -(double)minutes.places) / 60;
}

static bool is_in_range(const angle *a) {
    return a->value <= (a->axis == COORDINATE_LATITUDE ? 90 : 180);
}

static bool is_hemisphere(uint32_t c) {
    return c && c < 128 && strchr("NSEWOL", (int)c);
}

/* A latitude or longitude at `i`, or what may be one. */
static bool read_angle(const coordinates_text *t, size_t i, angle *a) {
    size_t at = i, end;
    *a = (angle){.start = i};
    if (i && coordinates_is_word(t->c[i - 1]) && !is_hemisphere(t->c[i - 1]) &&
        !is_hemisphere(t->c[i]))
        return false;
    if (!coordinates_is_digit(t->c[at]) && t->c[at] != '-' && t->c[at] != '+') {
        a->axis = axis_at(t, at, &end);
        if (!a->axis)
            return false;
        at = coordinates_skip_spaces(t, end);
        at = t->c[at] == ':' || t->c[at] == '.' ? coordinates_skip_spaces(t, at + 1) : at;
    }
    at += t->c[at] == '-' || t->c[at] == '+';
    if (!coordinates_read_figure(t, at, &a->first) || a->first.whole > 3)
        return false;
    a->value = a->first.value;
    a->step = pow(10, -(double)a->first.places);
    a->numbers_end = a->end = a->first.end;
    for (size_t k = a->first.start; k < a->first.end; k++)
        a->comma |= t->c[k] == ',';
    size_t mark = mark_at(t, a->first.end, COORDINATES_DEGREE, WORD_DEGREES);
    a->degree = mark != 0;
    a->numbers_end = mark ? mark : a->numbers_end;
    if (mark && !a->first.places)
        read_parts(t, a);
    else if (!mark)
        read_bare_parts(t, a);
    a->end = a->numbers_end;
    coordinate_axis behind = a->axis ? COORDINATE_NONE : axis_behind(t, a->end, &end);
    if (behind) {
        a->axis = behind;
        a->end = end;
    }
    return is_in_range(a) && (!coordinates_is_letter(t->c[a->end]) || a->end > a->numbers_end ||
                              is_hemisphere(t->c[a->end]));
}

/* ---- pairs ---------------------------------------------------------------------------------
 */

typedef struct joint {
    size_t end;
    bool sign;  /* more than spaces */
    bool comma; /* or a semicolon, and nothing that stands between other numbers, too */
} joint;

/* What stands between two of a pair; false: something else. */
static bool read_joint(const coordinates_text *t, size_t i, joint *j) {
    size_t at = coordinates_skip_spaces(t, i);
    *j = (joint){.end = at};
    if (t->c[at] && t->c[at] < 128 && strchr(",;/|&", (int)t->c[at])) {
        j->sign = true;
        j->comma = t->c[at] == ',' || t->c[at] == ';';
        at++;
    } else {
        size_t n = word_at(t, at, WORD_AND);
        j->sign = n && !coordinates_is_digit(t->c[at + n]);
        at += j->sign ? n : 0;
    }
    at = coordinates_skip_spaces(t, at);
    if (t->c[at] == '\n' && j->sign)
        at = coordinates_skip_spaces(t, at + 1);
    j->end = at;
    return at > i;
}

static bool may_be_place(const angle *a, const angle *b) {
    if (a->axis && a->axis == b->axis)
        return false;
    bool first = a->axis != COORDINATE_LONGITUDE && b->axis != COORDINATE_LATITUDE;
    bool second = a->axis != COORDINATE_LATITUDE && b->axis != COORDINATE_LONGITUDE;
    return (first && a->value <= 90) || (second && b->value <= 90);
}

/* In the Gulf of Guinea, where nobody lives: two small numbers are shares or odds. */
static bool is_at_sea(const angle *a, const angle *b) {
    return (a->value < 2 && b->value < 4) || (b->value < 2 && a->value < 4);
}

static size_t fewer_places(const angle *a, const angle *b) {
    return a->first.places < b->first.places ? a->first.places : b->first.places;
}

/* A number with several decimals stands before it. */
static bool follows_decimals(const coordinates_text *t, size_t i) {
    size_t places = 0;
    while (i && (t->c[i - 1] == ' ' || t->c[i - 1] == ',' || t->c[i - 1] == ';'))
        i--;
    if (i && t->c[i - 1] == '%')
        return true;
    while (i > places && coordinates_is_digit(t->c[i - 1 - places]))
        places++;
    i -= places;
    return places >= 3 && i > 1 && (t->c[i - 1] == '.' || t->c[i - 1] == ',') &&
           coordinates_is_digit(t->c[i - 2]);
}

/* Another number stands before or behind, so it is a row of a table. One or two behind, with
 * fewer places, are altitude and accuracy, as GPS devices have them. */
static bool is_in_row(const coordinates_text *t, const angle *a, const angle *b) {
    size_t places = fewer_places(a, b), more = 0;
    coordinates_figure figure;
    joint j;
    if (follows_decimals(t, a->start))
        return true;
    for (size_t at = b->end; read_joint(t, at, &j); at = figure.end, more++) {
        if (!coordinates_read_figure(t, j.end, &figure))
            break;
        if (more == 2 || figure.places * 2 > places)
            return true;
    }
    return false;
}

static bool has_unit(const coordinates_text *t, size_t end) {
    uint32_t c = t->c[end] == ' ' ? t->c[end + 1] : t->c[end];
    return c == '%' || c == '$' || c == 0x20AC || c == 0xA3 || c == 0x2030;
}

/* Two decimal numbers without degree signs or hemispheres. */
static bool is_plain_pair(const coordinates_text *t, const angle *a, const angle *b,
                          const joint *j) {
    size_t places = fewer_places(a, b);
    if (places < 2 || a->parted || b->parted || has_unit(t, a->end) || has_unit(t, b->end))
        return false;
    bool follows = t->found_count && t->at[a->start] - t->found[t->found_count - 1].end <= 4 &&
                   a->start > 0;
    if (follows || is_place_said(t, a->start))
        return true;
    return places >= (j->comma ? 4U : 5U) && !is_at_sea(a, b) && !is_in_row(t, a, b) &&
           !is_said_before(t, a->start, WORD_SHARE, 12);
}

static bool is_pair(const coordinates_text *t, const angle *a, const angle *b, const joint *j) {
    if (!may_be_place(a, b))
        return false;
    size_t places = fewer_places(a, b);
    bool parted = a->parted && b->parted, degrees = a->degree && b->degree;
    if (a->axis && b->axis)
        return parted || degrees || places >= 2 || is_place_said(t, a->start);
    if (a->axis || b->axis)
        return (parted && degrees) || (degrees && places >= 1) || places >= 3;
    if (degrees)
        return parted || places >= 3 || (places >= 1 && is_place_said(t, a->start));
    return !a->degree && !b->degree && is_plain_pair(t, a, b, j);
}

/* ---- what is found -------------------------------------------------------------------------
 */

static coordinate_number number_of(const coordinates_text *t, const angle *a) {
    return (coordinate_number){.start = t->at[a->first.start],
                               .end = t->end[(a->parted ? a->numbers_end : a->first.end) - 1],
                               .value = a->value,
                               .step = a->step,
                               .parted = a->parted};
}

static void add_angles(coordinates_text *t, const angle *a, const angle *b) {
    const angle *last = b ? b : a;
    coordinate c = {.start = t->at[a->start],
                    .end = t->end[last->end - 1],
                    .form = a->parted ? COORDINATE_SEXAGESIMAL : COORDINATE_DECIMAL,
                    .step = b && b->step < a->step ? b->step : a->step,
                    .numbers = {number_of(t, a)},
                    .number_count = b ? 2 : 1};
    if (b)
        c.numbers[1] = number_of(t, b);
    coordinates_add(t, &c);
}

/* Over what stands between a label and its number, backwards: ": ", "=", " (N): ", "\":". */
static size_t skip_back(const coordinates_text *t, size_t i) {
    enum { MOST = 10 };
    size_t at = i;
    while (at && i - at < MOST) {
        uint32_t c = t->c[at - 1];
        bool letter = c == 'N' || c == 'S' || c == 'E' || c == 'W' || c == 'Y' || c == 'X';
        bool in_brackets = letter && at > 1 && t->c[at - 2] == '(';
        if (!(c && c < 128 && strchr(" :=.\"'()[]_-", (int)c)) && c != COORDINATES_DEGREE &&
            !in_brackets)
            break;
        at--;
    }
    return at;
}

/* The word of the kind that ends at `end`; where it begins, or SIZE_MAX. */
static size_t word_ending(const coordinates_text *t, size_t end, word_kind kind) {
    enum { LONGEST = 24 };
    for (size_t at = end; at && end - at < LONGEST; at--)
        if (begins_word(t, at - 1) && word_at(t, at - 1, kind) == end - (at - 1))
            return at - 1;
    return SIZE_MAX;
}

/* "Latitude: ", "lat=", "latitude of " before `i`. */
static coordinate_axis label_before(const coordinates_text *t, size_t i) {
    size_t end = skip_back(t, i);
    bool colon = false;
    for (size_t at = end; at < i; at++)
        colon |= t->c[at] == ':' || t->c[at] == '=';
    size_t of = word_ending(t, end, WORD_OF);
    if (of != SIZE_MAX && of)
        end = skip_back(t, of);
    if (word_ending(t, end, WORD_LATITUDE) != SIZE_MAX)
        return COORDINATE_LATITUDE;
    size_t at = word_ending(t, end, WORD_LONGITUDE);
    if (at == SIZE_MAX)
        return COORDINATE_NONE;
    /* "12 km long 3.5 wide" */
    bool common = end - at == 4 && coordinates_has(t, at, "long");
    return !common || colon || is_said_before(t, at, WORD_LATITUDE, NEAR) ? COORDINATE_LONGITUDE
                                                                          : COORDINATE_NONE;
}

static bool is_labelled(const coordinates_text *t, const angle *a) {
    coordinate_axis axis = label_before(t, a->start);
    return axis && (a->first.places || a->parted) && !has_unit(t, a->end) &&
           (!a->axis || a->axis == axis) && (axis != COORDINATE_LATITUDE || a->value <= 90);
}

/* Degrees and minutes of a hemisphere stand for themselves. */
static bool is_alone(const angle *a) {
    return a->axis && a->degree && (a->parted || a->first.places >= 2);
}

static size_t find_angles(coordinates_text *t, size_t i) {
    angle a, b;
    joint j = {0};
    if (follows_number(t, i) || !read_angle(t, i, &a))
        return 0;
    if (read_joint(t, a.end, &j) && read_angle(t, j.end, &b) && is_pair(t, &a, &b, &j)) {
        add_angles(t, &a, &b);
        return b.end;
    }
    /* "N9.0301E38.7469" */
    if (a.axis && read_angle(t, a.end, &b) && b.axis && is_pair(t, &a, &b, &j)) {
        add_angles(t, &a, &b);
        return b.end;
    }
    if (!is_labelled(t, &a) && !is_alone(&a))
        return 0;
    add_angles(t, &a, NULL);
    return a.end;
}

static bool may_begin_angle(const coordinates_text *t, size_t i) {
    uint32_t c = t->c[i];
    if (coordinates_is_digit(c))
        return true;
    if (c == '-' || c == '+')
        return coordinates_is_digit(t->c[i + 1]);
    if (!is_hemisphere(c) || !begins_word(t, i))
        return false;
    size_t at = coordinates_skip_spaces(t, i + 1);
    at += t->c[at] == ':' || t->c[at] == '.' || t->c[at] == '-' || t->c[at] == '+';
    return coordinates_is_digit(t->c[coordinates_skip_spaces(t, at)]);
}

static size_t find_at(coordinates_text *t, size_t i) {
    uint32_t c = t->c[i];
    bool begins = i == 0 || !coordinates_is_word(t->c[i - 1]);
    size_t end = 0;
    if (c == '/')
        return coordinates_find_words(t, i);
    if (c >= 128)
        return 0;
    if (begins && (c | 32) >= 'a' && (c | 32) <= 'z')
        end = coordinates_find_link(t, i);
    if (!end && begins && (c | 32) == 'g')
        end = coordinates_find_geo(t, i);
    if (!end && begins && (coordinates_is_digit(c) || coordinates_is_capital(c)))
        end = coordinates_find_plus(t, i);
    if (!end && begins && coordinates_is_digit(c) && !follows_number(t, i)) {
        /* The word is looked for only where there is a zone and its letter. */
        end = coordinates_find_utm(t, i, false);
        end = end ? end : coordinates_find_mgrs(t, i, false);
        if (!end &&
            (coordinates_is_capital(t->c[i + 1]) || coordinates_is_capital(t->c[i + 2]) ||
             coordinates_is_capital(t->c[i + 3])) &&
            is_said_before(t, i, WORD_METRES, NEAR)) {
            end = coordinates_find_utm(t, i, true);
            end = end ? end : coordinates_find_mgrs(t, i, true);
        }
    }
    if (!end && may_begin_angle(t, i))
        end = find_angles(t, i);
    return end;
}

static vl_status finish(const coordinates_text *t, coordinate **found, size_t *count,
                        vl_error *error) {
    *found = t->found;
    *count = t->found_count;
    return t->full ? vl_fail(error, VL_ERR_MEMORY, "no memory for what was found") : VL_OK;
}

static void find_all(coordinates_text *t) {
    for (size_t i = 0; i < t->count;) {
        size_t end = find_at(t, i);
        i = end > i ? end : i + 1;
    }
}

vl_status coordinates_find(vl_arena *arena, const char *text, coordinate **found, size_t *count,
                           vl_error *error) {
    coordinates_text t = {.arena = arena};
    *found = NULL;
    *count = 0;
    if (!may_hold(text))
        return VL_OK;
    vl_status status = prepare(&t, text, error);
    if (status)
        return status;
    find_all(&t);
    return finish(&t, found, count, error);
}

/* ---- fields --------------------------------------------------------------------------------
 */

enum { LABEL_BYTES = 80, LABEL_WORDS = 5 };

static coordinate_axis axis_of_word(const coordinates_text *t, size_t i, size_t n) {
    static const struct {
        word_kind word;
        coordinate_axis axis;
    } kinds[] = {{WORD_LATITUDE, COORDINATE_LATITUDE},
                 {WORD_LONGITUDE, COORDINATE_LONGITUDE},
                 {WORD_PLACE, COORDINATE_BOTH},
                 {WORD_METRES, COORDINATE_METRES}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (word_at(t, i, kinds[k].word) >= n)
            return kinds[k].axis;
    return COORDINATE_NONE;
}

/* Of its words the first that says an axis; "long" and "point" only where nothing else is
 * said: "How long", "Water point". */
coordinate_axis coordinates_label(vl_arena *arena, const char *text) {
    coordinates_text t = {.arena = arena};
    coordinate_axis axis = COORDINATE_NONE, common = COORDINATE_NONE;
    size_t count = 0, others = 0;
    if (strlen(text) > LABEL_BYTES || prepare(&t, text, NULL))
        return COORDINATE_NONE;
    for (size_t i = 0, end; i<t.count; i = end> i ? end : i + 1) {
        for (end = i; coordinates_is_letter(t.c[end]);)
            end++;
        if (end == i)
            continue;
        coordinate_axis said = axis_of_word(&t, i, end - i);
        bool is_common = said &&
                         (coordinates_has(&t, i, "long") || coordinates_has(&t, i, "point") ||
                          coordinates_has(&t, i, "grid")) &&
                         end - i <= 5;
        count++;
        others += !said && end - i > 1;
        if (is_common)
            common = said;
        else if (said && (!axis || axis == COORDINATE_BOTH))
            axis = said;
        else if (said && said != axis && said < COORDINATE_BOTH && axis < COORDINATE_BOTH)
            axis = COORDINATE_BOTH; /* "Lat/Long" */
    }
    if (count > LABEL_WORDS)
        return COORDINATE_NONE;
    if (!axis && !others)
        axis = common;
    else if (axis == COORDINATE_LATITUDE && common == COORDINATE_LONGITUDE)
        axis = COORDINATE_BOTH;
    return axis;
}

static bool ends_field(const coordinates_text *t, size_t i) {
    while (t->c[i] == ' ' || t->c[i] == '\n' || t->c[i] == ';' || t->c[i] == ',')
        i++;
    return i >= t->count;
}

/* Eastings and northings: six or seven figures, metres. */
static void find_metres(coordinates_text *t, size_t i) {
    coordinates_figure figure;
    if (!coordinates_read_figure(t, i, &figure) || figure.whole < 5 ||
        !ends_field(t, figure.end))
        return;
    double step = pow(10, -(double)figure.places);
    coordinate c = {.start = t->at[i],
                    .end = t->end[figure.end - 1],
                    .form = COORDINATE_UTM,
                    .step = coordinates_degrees(step),
                    .numbers = {{.start = t->at[i],
                                 .end = t->end[figure.end - 1],
                                 .value = figure.value,
                                 .step = step}},
                    .number_count = 1};
    coordinates_add(t, &c);
}

static void find_field(coordinates_text *t, coordinate_axis axis) {
    angle a, b;
    joint j = {0};
    size_t i = 0;
    while (t->c[i] == ' ' || t->c[i] == '\n' || t->c[i] == '(' || t->c[i] == '[')
        i++;
    if (axis == COORDINATE_METRES)
        find_metres(t, i);
    if (axis == COORDINATE_METRES || !read_angle(t, i, &a))
        return;
    if (read_joint(t, a.end, &j) && read_angle(t, j.end, &b) && may_be_place(&a, &b) &&
        (a.first.places || a.parted || a.degree))
        add_angles(t, &a, &b);
    else if (ends_field(t, a.end) && (a.first.places || a.parted || a.degree) &&
             (axis != COORDINATE_LATITUDE || a.value <= 90))
        add_angles(t, &a, NULL);
}

vl_status coordinates_find_in_field(vl_arena *arena, const char *text, coordinate_axis axis,
                                    coordinate **found, size_t *count, vl_error *error) {
    coordinates_text t = {.arena = arena};
    *found = NULL;
    *count = 0;
    if (!may_hold(text))
        return VL_OK;
    vl_status status = prepare(&t, text, error);
    if (status)
        return status;
    find_all(&t);
    if (!t.found_count && axis != COORDINATE_NONE)
        find_field(&t, axis);
    return finish(&t, found, count, error);
}
