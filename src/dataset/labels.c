/* labels.c — "Figure 3" in the languages served: at the head of a caption and within a text.
 *
 * Numbers are rare and words are not, so a text is searched for numbers, and only the word
 * before one is looked up. */
#include "dataset/labels.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { WORD_BYTES = 64, GAP_MAX = 4, TAIL_MAX = 2, RANGE_MAX = 20 };

/* Case-folded. '*' at the end: up to two letters more (cases of Slavic languages).
 * `many`: a list of numbers may follow. */
static const struct word {
    const char *word;
    vl_part_kind kind;
    bool many;
} words[] = {
    /* English */
    {"figure", VL_PART_FIGURE, false},
    {"figures", VL_PART_FIGURE, true},
    {"fig", VL_PART_FIGURE, false},
    {"figs", VL_PART_FIGURE, true},
    {"table", VL_PART_TABLE, false},
    {"tables", VL_PART_TABLE, true},
    {"chart", VL_PART_CHART, false},
    {"charts", VL_PART_CHART, true},
    {"graph", VL_PART_CHART, false},
    {"graphs", VL_PART_CHART, true},
    {"map", VL_PART_MAP, false},
    {"maps", VL_PART_MAP, true},
    {"photo", VL_PART_PHOTOGRAPH, false},
    {"photos", VL_PART_PHOTOGRAPH, true},
    {"photograph", VL_PART_PHOTOGRAPH, false},
    {"image", VL_PART_FIGURE, false},
    {"picture", VL_PART_FIGURE, false},
    {"plate", VL_PART_FIGURE, false},
    {"diagram", VL_PART_CHART, false},
    /* French */
    {"tableau", VL_PART_TABLE, false},
    {"tableaux", VL_PART_TABLE, true},
    {"carte", VL_PART_MAP, false},
    {"cartes", VL_PART_MAP, true},
    {"graphique", VL_PART_CHART, false},
    {"graphiques", VL_PART_CHART, true},
    {"schéma", VL_PART_FIGURE, false},
    {"photographie", VL_PART_PHOTOGRAPH, false},
    /* Spanish, Portuguese, Italian */
    {"figura", VL_PART_FIGURE, false},
    {"figuras", VL_PART_FIGURE, true},
    {"tabla", VL_PART_TABLE, false},
    {"tablas", VL_PART_TABLE, true},
    {"cuadro", VL_PART_TABLE, false},
    {"cuadros", VL_PART_TABLE, true},
    {"tabela", VL_PART_TABLE, false},
    {"tabelas", VL_PART_TABLE, true},
    {"quadro", VL_PART_TABLE, false},
    {"quadros", VL_PART_TABLE, true},
    {"tabella", VL_PART_TABLE, false},
    {"gráfico", VL_PART_CHART, false},
    {"gráficos", VL_PART_CHART, true},
    {"gráfica", VL_PART_CHART, false},
    {"grafico", VL_PART_CHART, false},
    {"mapa", VL_PART_MAP, false},
    {"mapas", VL_PART_MAP, true},
    {"mappa", VL_PART_MAP, false},
    {"foto", VL_PART_PHOTOGRAPH, false},
    {"fotos", VL_PART_PHOTOGRAPH, true},
    {"fotografía", VL_PART_PHOTOGRAPH, false},
    {"fotografia", VL_PART_PHOTOGRAPH, false},
    {"imagen", VL_PART_FIGURE, false},
    {"imagem", VL_PART_FIGURE, false},
    /* German, Turkish, Indonesian */
    {"abbildung", VL_PART_FIGURE, false},
    {"abbildungen", VL_PART_FIGURE, true},
    {"abb", VL_PART_FIGURE, false},
    {"tabelle", VL_PART_TABLE, false},
    {"tabellen", VL_PART_TABLE, true},
    {"karte", VL_PART_MAP, false},
    {"şekil", VL_PART_FIGURE, false},
    {"tablo", VL_PART_TABLE, false},
    {"grafik", VL_PART_CHART, false},
    {"harita", VL_PART_MAP, false},
    {"gambar", VL_PART_FIGURE, false},
    {"tabel", VL_PART_TABLE, false},
    {"peta", VL_PART_MAP, false},
    /* Swahili, Somali, Hausa, Yoruba, Oromo, Kinyarwanda */
    {"kielelezo", VL_PART_FIGURE, false},
    {"vielelezo", VL_PART_FIGURE, true},
    {"mchoro", VL_PART_FIGURE, false},
    {"jedwali", VL_PART_TABLE, false},
    {"majedwali", VL_PART_TABLE, true},
    {"grafu", VL_PART_CHART, false},
    {"ramani", VL_PART_MAP, false},
    {"picha", VL_PART_PHOTOGRAPH, false},
    {"jaantuska", VL_PART_FIGURE, false},
    {"jaantus", VL_PART_FIGURE, false},
    {"sawirka", VL_PART_PHOTOGRAPH, false},
    {"sawir", VL_PART_PHOTOGRAPH, false},
    {"shaxda", VL_PART_TABLE, false},
    {"jadwalka", VL_PART_TABLE, false},
    {"khariidadda", VL_PART_MAP, false},
    {"khariidada", VL_PART_MAP, false},
    {"hoto", VL_PART_PHOTOGRAPH, false},
    {"taswira", VL_PART_FIGURE, false},
    {"tebur", VL_PART_TABLE, false},
    {"jadawali", VL_PART_TABLE, false},
    {"taswirar", VL_PART_FIGURE, false},
    {"àwòrán", VL_PART_FIGURE, false},
    {"aworan", VL_PART_FIGURE, false},
    {"tábìlì", VL_PART_TABLE, false},
    {"fakkii", VL_PART_FIGURE, false},
    {"gabatee", VL_PART_TABLE, false},
    {"kaartaa", VL_PART_MAP, false},
    {"igishushanyo", VL_PART_FIGURE, false},
    {"imbonerahamwe", VL_PART_TABLE, false},
    {"ikarita", VL_PART_MAP, false},
    /* Ukrainian, Russian */
    {"рисунок", VL_PART_FIGURE, false},
    {"рисунк*", VL_PART_FIGURE, true},
    {"рис", VL_PART_FIGURE, true},
    {"малюнок", VL_PART_FIGURE, false},
    {"малюнк*", VL_PART_FIGURE, true},
    {"мал", VL_PART_FIGURE, true},
    {"таблиц*", VL_PART_TABLE, true},
    {"табл", VL_PART_TABLE, true},
    {"график*", VL_PART_CHART, true},
    {"графік*", VL_PART_CHART, true},
    {"диаграмм*", VL_PART_CHART, true},
    {"діаграм*", VL_PART_CHART, true},
    {"карт*", VL_PART_MAP, true},
    {"мап*", VL_PART_MAP, true},
    {"фото", VL_PART_PHOTOGRAPH, true},
    /* Arabic, Persian, Urdu, Pashto, Kurdish */
    {"شكل", VL_PART_FIGURE, false},
    {"رسم", VL_PART_CHART, false},
    {"جدول", VL_PART_TABLE, false},
    {"خريطة", VL_PART_MAP, false},
    {"خارطة", VL_PART_MAP, false},
    {"صورة", VL_PART_PHOTOGRAPH, false},
    {"شکل", VL_PART_FIGURE, false},
    {"نمودار", VL_PART_CHART, false},
    {"نقشه", VL_PART_MAP, false},
    {"نقشہ", VL_PART_MAP, false},
    {"تصویر", VL_PART_FIGURE, false},
    {"عکس", VL_PART_PHOTOGRAPH, false},
    {"گراف", VL_PART_CHART, false},
    {"وێنە", VL_PART_FIGURE, false},
    {"خشتە", VL_PART_TABLE, false},
    /* Amharic, Tigrinya */
    {"ሥዕል", VL_PART_FIGURE, false},
    {"ስዕል", VL_PART_FIGURE, false},
    {"ምስል", VL_PART_FIGURE, false},
    {"ስእሊ", VL_PART_FIGURE, false},
    {"ሠንጠረዥ", VL_PART_TABLE, false},
    {"ሰንጠረዥ", VL_PART_TABLE, false},
    {"ሰንጠረጅ", VL_PART_TABLE, false},
    {"ሰሌዳ", VL_PART_TABLE, false},
    {"ካርታ", VL_PART_MAP, false},
    {"ፎቶ", VL_PART_PHOTOGRAPH, false},
    {"ግራፍ", VL_PART_CHART, false},
    /* Hindi, Nepali, Marathi; Bengali; Tamil */
    {"चित्र", VL_PART_FIGURE, false},
    {"आकृति", VL_PART_FIGURE, false},
    {"तालिका", VL_PART_TABLE, false},
    {"सारणी", VL_PART_TABLE, false},
    {"तक्ता", VL_PART_TABLE, false},
    {"आरेख", VL_PART_CHART, false},
    {"मानचित्र", VL_PART_MAP, false},
    {"नक्शा", VL_PART_MAP, false},
    {"नक्सा", VL_PART_MAP, false},
    {"फोटो", VL_PART_PHOTOGRAPH, false},
    {"চিত্র", VL_PART_FIGURE, false},
    {"সারণি", VL_PART_TABLE, false},
    {"সারণী", VL_PART_TABLE, false},
    {"ছক", VL_PART_TABLE, false},
    {"মানচিত্র", VL_PART_MAP, false},
    {"ছবি", VL_PART_PHOTOGRAPH, false},
    {"படம்", VL_PART_FIGURE, false},
    {"அட்டவணை", VL_PART_TABLE, false},
    {"வரைபடம்", VL_PART_MAP, false},
    /* Burmese, Khmer, Thai */
    {"ပုံ", VL_PART_FIGURE, false},
    {"ဇယား", VL_PART_TABLE, false},
    {"မြေပုံ", VL_PART_MAP, false},
    {"រូបភាព", VL_PART_FIGURE, false},
    {"រូបភាពទី", VL_PART_FIGURE, false},
    {"រូប", VL_PART_FIGURE, false},
    {"តារាង", VL_PART_TABLE, false},
    {"តារាងទី", VL_PART_TABLE, false},
    {"ផែនទី", VL_PART_MAP, false},
    {"ផែនទីទី", VL_PART_MAP, false},
    {"ภาพที่", VL_PART_FIGURE, false},
    {"รูปที่", VL_PART_FIGURE, false},
    {"ตารางที่", VL_PART_TABLE, false},
    /* Chinese, Japanese, Korean */
    {"图", VL_PART_FIGURE, false},
    {"圖", VL_PART_FIGURE, false},
    {"図", VL_PART_FIGURE, false},
    {"表", VL_PART_TABLE, false},
    {"그림", VL_PART_FIGURE, false},
    {"표", VL_PART_TABLE, false},
};

/* What sticks to the front of a word: article, "in", "and". The longest first. */
static const char *const particles[] = {"وبال", "وال", "بال", "فال", "كال", "ولل",
                                        "لل",   "ال",  "و",   "ب",   "ف",   "ل",
                                        "በ",    "የ",   "ከ",   "ለ",   "እና",  "ኣብ"};
/* Between word and number: "Figure no. 3", "Hoto na 3". */
static const char *const fillers[] = {"no", "n",   "nº", "nr",  "num", "number", "na",
                                      "ya", "رقم", "ቁ",  "ቁጥር", "सं",   "संख्या",   "নং"};
/* Between the numbers of a list; those from `to` on say a range. */
static const char *const joiners[] = {"and", "et", "y",  "e",   "und",  "и",  "та",
                                      "і",   "й",  "و",  "na",  "ve",   "ou", "or",
                                      "to",  "à",  "до", "إلى", "hadi", "bis"};
enum { FIRST_RANGE_JOINER = 14 };

typedef struct scan {
    const char *text;
    int32_t length;
} scan;

static UChar32 peek(const scan *s, int32_t at, int32_t *next) {
    UChar32 c;
    int32_t i = at;
    if (at >= s->length) {
        *next = s->length;
        return 0;
    }
    U8_NEXT((const uint8_t *)s->text, i, s->length, c);
    *next = i;
    return c < 0 ? 0xFFFD : c;
}

static bool is_word(UChar32 c) {
    return u_isalpha(c) || (U_MASK(u_charType(c)) & U_GC_M_MASK) || c == 0x200C || c == 0x200D;
}

static int32_t word_end(const scan *s, int32_t at) {
    int32_t next;
    while (at < s->length && is_word(peek(s, at, &next)))
        at = next;
    return at;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool fold(const scan *s, int32_t start, int32_t end, char out[WORD_BYTES]) {
    int32_t used = 0;
    for (int32_t at = start, next; at < end; at = next) {
        uint32_t c = (uint32_t)u_foldCase(peek(s, at, &next), U_FOLD_CASE_DEFAULT);
        if (used > WORD_BYTES - 1 - U8_MAX_LENGTH)
            return false;
        U8_APPEND_UNSAFE((uint8_t *)out, used, c);
    }
    out[used] = '\0';
    return used > 0;
}

static bool within(const char *const *list, size_t count, const char *word, size_t *which) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], word)) {
            *which = i;
            return true;
        }
    return false;
}

static bool is_short_tail(const char *tail) {
    int32_t count = 0;
    for (; *tail; tail++)
        count += ((unsigned char)*tail & 0xC0) != 0x80;
    return count <= TAIL_MAX;
}

static bool entry_fits(const char *entry, const char *word) {
    size_t length = strlen(entry);
    if (entry[length - 1] != '*')
        return !strcmp(entry, word);
    return !strncmp(entry, word, length - 1) && is_short_tail(word + length - 1);
}

static const struct word *look_up_bare(const char *word) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (entry_fits(words[i].word, word))
            return &words[i];
    return NULL;
}

/* Han words are not set apart by spaces: what counts is the last character. */
static const struct word *look_up_han(const char *word) {
    size_t length = strlen(word);
    return length > 3 && (unsigned char)word[length - 3] >= 0xE3 &&
                   (unsigned char)word[length - 3] <= 0xE9
               ? look_up_bare(word + length - 3)
               : NULL;
}

static const struct word *look_up(const scan *s, int32_t start, int32_t end) {
    char word[WORD_BYTES];
    if (end <= start || !fold(s, start, end, word))
        return NULL;
    const struct word *found = look_up_bare(word);
    for (size_t i = 0; !found && i < sizeof particles / sizeof *particles; i++) {
        size_t length = strlen(particles[i]);
        if (!strncmp(word, particles[i], length) && word[length])
            found = look_up_bare(word + length);
    }
    return found ? found : look_up_han(word);
}

/* ---- numbers ----------------------------------------------------------------------------- */

static int roman_digit(UChar32 c) {
    static const char letters[] = "IVXLC";
    static const int values[] = {1, 5, 10, 50, 100};
    const char *at = c && c < 128 ? strchr(letters, (int)c) : NULL;
    return at ? values[at - letters] : 0;
}

static int32_t read_roman(const scan *s, int32_t at, char out[LABEL_NUMBER_SIZE]) {
    int total = 0, before = 0, count = 0;
    int32_t next;
    for (int value; (value = roman_digit(peek(s, at, &next))) && count < 8; at = next) {
        total += value > before && before ? value - 2 * before : value;
        before = value;
        count++;
    }
    if (!count || total <= 0 || is_word(peek(s, at, &next)) || u_isdigit(peek(s, at, &next)))
        return -1;
    snprintf(out, LABEL_NUMBER_SIZE, "%d", total);
    return at;
}

static int32_t read_digits(const scan *s, int32_t at, char *out, size_t *used) {
    int32_t next;
    for (UChar32 c; u_isdigit(c = peek(s, at, &next)); at = next) {
        if (*used + 2 > LABEL_NUMBER_SIZE)
            return -1;
        out[(*used)++] = (char)('0' + u_charDigitValue(c));
    }
    return at;
}

/* "a" of "4a", one letter alone, as ASCII where it has a look-alike there. */
static int32_t read_letter(const scan *s, int32_t at, char *out, size_t *used) {
    static const struct {
        UChar32 from;
        char to;
    } same[] = {{0x430, 'a'}, {0x431, 'b'}, {0x432, 'b'}, {0x441, 'c'}};
    int32_t next, after;
    UChar32 c = u_tolower(peek(s, at, &next));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (same[i].from == c)
            c = (UChar32)same[i].to;
    if (c < 'a' || c > 'z' || *used + 2 > LABEL_NUMBER_SIZE || is_word(peek(s, next, &after)))
        return at;
    out[(*used)++] = (char)c;
    return next;
}

/* "3", "3.2", "4a", "A1", "A.1"; with `hyphens` "2-1" too. -1: no number. */
static int32_t read_arabic(const scan *s, int32_t at, bool hyphens,
                           char out[LABEL_NUMBER_SIZE]) {
    size_t used = 0;
    int32_t next, after;
    UChar32 c = peek(s, at, &next);
    if (c >= 'A' && c <= 'Z') {
        out[used++] = (char)(c - 'A' + 'a');
        at = next;
        c = peek(s, at, &next);
        if (c == '.' || c == '-')
            at = next;
    }
    if (!u_isdigit(peek(s, at, &next)))
        return -1;
    for (;;) {
        at = read_digits(s, at, out, &used);
        if (at < 0)
            return -1;
        c = peek(s, at, &next);
        bool joined = c == '.' || (hyphens && (c == '-' || c == 0x2011));
        if (!joined || !u_isdigit(peek(s, next, &after)) || used + 3 > LABEL_NUMBER_SIZE)
            break;
        out[used++] = '.';
        at = next;
    }
    at = read_letter(s, at, out, &used);
    out[used] = '\0';
    return at;
}

static int32_t read_number(const scan *s, int32_t at, bool hyphens,
                           char out[LABEL_NUMBER_SIZE]) {
    int32_t end = read_arabic(s, at, hyphens, out), next;
    if (end < 0)
        end = read_roman(s, at, out);
    UChar32 after = end < 0 ? 0 : peek(s, end, &next);
    return after == '%' || after == 0x66A ? -1 : end;
}

/* ---- lists of numbers -------------------------------------------------------------------- */

static int32_t skip_spaces(const scan *s, int32_t at) {
    int32_t next;
    while (at < s->length && u_isUWhiteSpace(peek(s, at, &next)))
        at = next;
    return at;
}

/* Behind ", ", " and ", "–": where the next number may begin; -1: the list ends. */
static int32_t skip_joint(const scan *s, int32_t at, bool *range) {
    static const char marks[] = ",;&/";
    char word[WORD_BYTES];
    int32_t begin = at, next;
    size_t which;
    *range = false;
    at = skip_spaces(s, at);
    UChar32 c = peek(s, at, &next);
    if (c == 0x2013 || c == 0x2014 || c == '-') {
        *range = true;
        at = next;
    } else if ((c && c < 128 && strchr(marks, (int)c)) || c == 0x60C || c == 0x3001) {
        at = next;
    }
    at = skip_spaces(s, at);
    int32_t end = word_end(s, at);
    if (end > at && fold(s, at, end, word) &&
        within(joiners, sizeof joiners / sizeof *joiners, word, &which)) {
        *range = *range || which >= FIRST_RANGE_JOINER;
        at = skip_spaces(s, end);
    }
    return at > begin ? at : -1;
}

static bool plain_value(const char *number, int *value) {
    int read = 0;
    return sscanf(number, "%d%n", value, &read) == 1 && number[read] == '\0';
}

static void visit_between(label found, const char *last, label_visit visit, void *user) {
    int from, to;
    if (!plain_value(found.number, &from) || !plain_value(last, &to) || to - from > RANGE_MAX)
        return;
    for (int i = from + 1; i < to; i++) {
        snprintf(found.number, sizeof found.number, "%d", i);
        visit(&found, user);
    }
}

/* The numbers after the first of "Tables 2, 3 and 5–7"; where the list ends. */
static int32_t visit_list(const scan *s, label found, label_visit visit, void *user) {
    char number[LABEL_NUMBER_SIZE];
    int32_t at = (int32_t)found.end;
    for (;;) {
        bool range;
        int32_t begin = skip_joint(s, at, &range);
        int32_t end = begin < 0 ? -1 : read_number(s, begin, false, number);
        if (end < 0)
            return at;
        if (range)
            visit_between(found, number, visit, user);
        memcpy(found.number, number, sizeof number);
        found.end = (size_t)end;
        visit(&found, user);
        at = end;
    }
}

/* ---- the search -------------------------------------------------------------------------- */

typedef struct span {
    int32_t start, end;
} span;

static bool may_begin_number(const scan *s, int32_t at) {
    int32_t next, after;
    UChar32 c = peek(s, at, &next);
    if (u_isdigit(c) || roman_digit(c))
        return true;
    UChar32 d = c >= 'A' && c <= 'Z' ? peek(s, next, &after) : 0;
    return u_isdigit(d) || d == '.' || d == '-';
}

static bool is_gap(UChar32 c) {
    return u_isUWhiteSpace(c) || c == '.' || c == '#' || c == 0x2116 || c == 0xBA || c == 0xB0;
}

/* The word that a number belongs to: the last one, or the one before a filler. */
static const struct word *word_before(const scan *s, const span last[2], size_t *start) {
    char word[WORD_BYTES];
    size_t which;
    span use = last[0];
    if (use.end > use.start && last[1].end > last[1].start &&
        fold(s, use.start, use.end, word) &&
        within(fillers, sizeof fillers / sizeof *fillers, word, &which))
        use = last[1];
    *start = (size_t)use.start;
    return look_up(s, use.start, use.end);
}

/* A number at `at` after a word that names pictures: visits it and its list; where that ends,
 * or -1. */
static int32_t match_at(const scan *s, int32_t at, const span last[2], label_visit visit,
                        void *user) {
    label found;
    const struct word *word = word_before(s, last, &found.start);
    int32_t end = word ? read_number(s, at, !word->many, found.number) : -1;
    if (end < 0)
        return -1;
    found.kind = word->kind;
    found.end = (size_t)end;
    visit(&found, user);
    return word->many ? visit_list(s, found, visit, user) : end;
}

void labels_find(const char *text, label_visit visit, void *user) {
    scan s = {text, (int32_t)strnlen(text, INT32_MAX / 2)};
    span last[2] = {{0, 0}, {0, 0}};
    int32_t gap = 0, next;
    for (int32_t at = 0; at < s.length; at = next) {
        UChar32 c = peek(&s, at, &next);
        if (gap <= GAP_MAX && last[0].end && may_begin_number(&s, at)) {
            int32_t end = match_at(&s, at, last, visit, user);
            if (end > at) {
                memset(last, 0, sizeof last);
                next = end;
                continue;
            }
        }
        if (is_word(c)) {
            next = word_end(&s, at);
            last[1] = gap <= GAP_MAX ? last[0] : (span){0, 0};
            last[0] = (span){at, next};
            gap = 0;
        } else if (is_gap(c)) {
            gap++;
        } else {
            gap = GAP_MAX + 1;
        }
    }
}

typedef struct first {
    label *found;
    bool any;
} first;

static void keep_first(const label *found, void *user) {
    first *f = user;
    if (!f->any)
        *f->found = *found;
    f->any = true;
}

bool label_begins(const char *text, label *found) {
    enum { HEAD = 160 }; /* bytes that a label, and what stands before it, keep to */
    char head[HEAD + 1];
    size_t skip = strspn(text, " \t\n([*"), length = strnlen(text + skip, HEAD);
    length = vl_utf8_valid_prefix(text + skip, length);
    memcpy(head, text + skip, length);
    head[length] = '\0';
    first f = {found, false};
    labels_find(head, keep_first, &f);
    if (!f.any || found->start)
        return false;
    found->start += skip;
    found->end += skip;
    return true;
}

bool label_is_spoken(const char *text, const label *found) {
    UChar32 c = 0;
    int32_t at = (int32_t)found->end, bytes = (int32_t)strnlen(text, 1 << 20);
    while (at < bytes && text[at] == ' ')
        at++;
    if (at == (int32_t)found->end || at >= bytes)
        return false;
    U8_NEXT((const uint8_t *)text, at, bytes, c);
    return c > 0 && u_islower(c);
}

bool label_same(const label *a, const label *b) {
    return a->kind == b->kind && !strcmp(a->number, b->number);
}

vl_part_kind label_picture_kind(const char *text) {
    enum { WORDS = 40 }; /* a caption's head says it */
    scan s = {text, (int32_t)strnlen(text, INT32_MAX / 2)};
    int32_t next, seen = 0;
    for (int32_t at = 0; at < s.length && seen < WORDS; at = next) {
        if (!is_word(peek(&s, at, &next)))
            continue;
        next = word_end(&s, at);
        seen++;
        const struct word *word = look_up(&s, at, next);
        if (word && word->kind != VL_PART_TABLE && word->kind != VL_PART_FIGURE)
            return word->kind;
    }
    return VL_PART_FIGURE;
}
