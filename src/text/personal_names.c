/* personal_names.c — names of people, where a title or a label says that one follows, or a
 * telephone number or address stands behind them.
 *
 * Nothing here knows names: "Mrs Amina Yusuf", "Jina: Amina Yusuf" and "Amina Yusuf, 0712 345
 * 678" are found, "Amina Yusuf said" is not. In scripts with capital letters a name is a row of
 * words that begin with one; in others it is one or two words after a title, and after a label
 * what stands up to the end of the line or the next sign, at most four. */
#include "text/personal.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

enum { NAME_WORDS = 5, ROLE_WORDS = 4, TITLE_WORDS = 2, LABEL_WORDS = 4, WORD_MAX = 40 };

static bool has_case(uint32_t c) {
    return u_isupper((UChar32)c) || u_islower((UChar32)c) || u_istitle((UChar32)c);
}

static bool is_inside(const personal_text *t, size_t i) {
    uint32_t c = t->c[i];
    bool sign = c == '\'' || c == 0x2019 || c == 0x2BC || c == '-';
    return personal_is_letter(c) || (sign && personal_is_letter(t->c[i + 1]));
}

/* The end of the word at `i`; `i` itself: no word begins there. */
static size_t word_end(const personal_text *t, size_t i) {
    size_t end = i;
    if (!personal_is_letter(t->c[i]))
        return i;
    while (end < t->count && is_inside(t, end))
        end++;
    return personal_is_digit(t->c[end]) ? i : end;
}

static bool is_initial(const personal_text *t, size_t i, size_t end) {
    return end == i + 1 && u_isupper((UChar32)t->c[i]) && t->c[end] == '.';
}

/* A label of the next field: "Amina Yusuf  Date: 3 May". */
static bool is_label(const personal_text *t, size_t end) {
    size_t i = personal_skip_spaces(t, end);
    return t->c[i] == ':' || t->c[i] == 0x1366;
}

/* Particles at `i` that a word with a capital letter follows; where that word begins. */
static size_t skip_particles(const personal_text *t, size_t i) {
    size_t at = i;
    for (int n = 0; n < 3; n++) {
        size_t particle = personal_word_at(t, at, PERSONAL_WORD_PARTICLE);
        if (!particle || u_isupper((UChar32)t->c[at]))
            break;
        at = at + particle + (t->c[at + particle] == '-');
        at = personal_skip_spaces(t, at);
    }
    return u_isupper((UChar32)t->c[at]) ? at : i;
}

/* A row of words with capital letters; its end, or 0. */
static size_t cased_name(const personal_text *t, size_t i) {
    size_t end = 0, at = i;
    for (int words = 0; words < NAME_WORDS; words++) {
        size_t start = skip_particles(t, at), stop = word_end(t, start);
        if (stop == start || !u_isupper((UChar32)t->c[start]) || stop - start > WORD_MAX ||
            is_label(t, stop) || personal_word_at(t, start, PERSONAL_WORD_NOBODY))
            break;
        bool initial = is_initial(t, start, stop);
        if (stop == start + 1 && !initial && words == 0)
            break;
        end = stop + initial;
        if (t->c[end] == ',' && words == 0 && t->c[end + 1] == ' ' &&
            u_isupper((UChar32)t->c[start + 1]))
            end++; /* "YUSUF, Amina" */
        at = personal_skip_spaces(t, end);
        if (at == end && !initial)
            break;
    }
    while (end && t->c[end - 1] == ',')
        end--;
    return end;
}

static bool is_article(const personal_text *t, size_t i) {
    return t->c[i] == 0x627 && t->c[i + 1] == 0x644; /* "ال": "the", as in "the minister" */
}

static size_t caseless_name(const personal_text *t, size_t i, int most, bool titled) {
    size_t end = 0, at = i;
    for (int words = 0; words < most; words++) {
        size_t stop = word_end(t, at);
        if (stop == at || stop - at > WORD_MAX || is_label(t, stop) || has_case(t->c[at]) ||
            personal_word_at(t, at, PERSONAL_WORD_NOBODY) ||
            (words && (personal_word_at(t, at, PERSONAL_WORD_PHONE) ||
                       personal_word_at(t, at, PERSONAL_WORD_MAIL))))
            break;
        if (titled && words == 0 && is_article(t, at))
            break;
        end = stop;
        at = personal_skip_spaces(t, stop);
        if (at == stop)
            break;
    }
    return end;
}

static size_t name_at(const personal_text *t, size_t i, bool titled) {
    size_t start = skip_particles(t, i);
    if (has_case(t->c[start]))
        return cased_name(t, i);
    return caseless_name(t, i, titled ? TITLE_WORDS : LABEL_WORDS, titled);
}

/* ---- after a title ------------------------------------------------------------------------
 */

/* Titles that are common words without a capital letter ("bi", "va", "sig"). */
static bool is_written_as_title(const personal_text *t, size_t i) {
    return !has_case(t->c[i]) || u_isupper((UChar32)t->c[i]);
}

static size_t find_titled(personal_text *t, size_t i) {
    size_t title = personal_word_at(t, i, PERSONAL_WORD_TITLE);
    if (!title || !is_written_as_title(t, i))
        return 0;
    size_t begin = i + title;
    begin += t->c[begin] == '.' || t->c[begin] == 0x589;
    size_t after = personal_skip_spaces(t, begin);
    if (t->c[after] == '\n' && t->c[after + 1] != '\n') /* the line ends between the two */
        after = personal_skip_spaces(t, after + 1);
    if (after == begin && t->c[begin - 1] != '.')
        return 0;
    size_t another = personal_word_at(t, after, PERSONAL_WORD_TITLE);
    if (another && is_written_as_title(t, after)) /* "Mrs Dr Yusuf": found at the second */
        return 0;
    size_t end = name_at(t, after, true);
    if (!end)
        return 0;
    personal_add(t, after, end, VL_PERSONAL_NAME, VL_PERSONAL_LABELLED, "title");
    return end;
}

/* "د. علي صالح", "د/ علي صالح": one letter, so it needs its sign; after a figure it is a unit,
 * and "أ." before a line numbers it. */
static size_t find_initial_title(personal_text *t, size_t i) {
    size_t title = personal_word_at(t, i, PERSONAL_WORD_INITIAL), before = i;
    if (!title || (t->c[i + title] != '.' && t->c[i + title] != '/'))
        return 0;
    while (before && t->c[before - 1] == ' ')
        before--;
    bool first = before == 0 || t->c[before - 1] == '\n';
    if ((before && personal_is_digit(t->c[before - 1])) ||
        (first && t->c[i] == 0x623 && title == 1))
        return 0;
    size_t begin = personal_skip_spaces(t, i + title + 1), end = name_at(t, begin, true);
    if (end)
        personal_add(t, begin, end, VL_PERSONAL_NAME, VL_PERSONAL_LABELLED, "title");
    return end;
}

/* "M. Diallo": one letter, so it needs its point, and no sentence that ends before it. */
static size_t find_monsieur(personal_text *t, size_t i) {
    if (t->c[i] != 'M' || (t->c[i + 1] != '.' && !(t->c[i + 1] == 'M' && t->c[i + 2] == '.')))
        return 0;
    size_t point = i + 1 + (t->c[i + 1] == 'M'), begin = personal_skip_spaces(t, point + 1);
    if (begin == point + 1 || !u_isupper((UChar32)t->c[begin]) ||
        is_initial(t, begin, begin + 1))
        return 0;
    size_t end = cased_name(t, begin);
    if (end)
        personal_add(t, begin, end, VL_PERSONAL_NAME, VL_PERSONAL_LABELLED, "title");
    return end;
}

/* ---- after a label ------------------------------------------------------------------------
 */

static bool begins_line(const personal_text *t, size_t i) {
    while (i && (t->c[i - 1] == ' ' || personal_is_digit(t->c[i - 1]) || t->c[i - 1] == '.' ||
                 t->c[i - 1] == ')'))
        i--;
    return i == 0 || t->c[i - 1] == '\n';
}

/* Signs that end a label: a colon of any script, leaders, a line to write on. */
static size_t skip_colon(const personal_text *t, size_t i) {
    size_t at = personal_skip_spaces(t, i);
    if (t->c[at] == '(') /* "Name (in capitals):" */
        for (size_t n = 0; n < 40 && t->c[at] != '\n' && t->c[at - 1] != ')'; n++)
            at++;
    at = personal_skip_spaces(t, at);
    size_t begin = at;
    while (t->c[at] == ':' || t->c[at] == 0x1366 || t->c[at] == 0x1361 || t->c[at] == 0x17D6 ||
           t->c[at] == '=' || t->c[at] == '_' || t->c[at] == 0x2026 ||
           (t->c[at] == '.' && (t->c[at + 1] == '.' || t->c[at - 1] == '.')))
        at++;
    return at == begin ? i : personal_skip_spaces(t, at);
}

static size_t find_labelled(personal_text *t, size_t i) {
    size_t label = personal_word_at(t, i, PERSONAL_WORD_NAME);
    if (!label)
        return 0;
    size_t begin = skip_colon(t, i + label);
    bool colon = begin != i + label;
    if (!colon && (!begins_line(t, i) || has_case(t->c[i]) != u_isupper((UChar32)t->c[i])))
        return 0;
    if (colon && t->c[begin] == '\n' && t->c[begin + 1] != '\n')
        begin = personal_skip_spaces(t, begin + 1);
    if (!colon)
        begin = personal_skip_spaces(t, begin);
    size_t title = personal_word_at(t, begin, PERSONAL_WORD_TITLE);
    if (title && t->c[begin + title] != '\n') {
        begin += title + (t->c[begin + title] == '.');
        begin = personal_skip_spaces(t, begin);
    }
    size_t end = name_at(t, begin, false);
    /* Without a colon the name is all that stands on the line. */
    if (!end || (!colon && t->c[personal_skip_spaces(t, end)] != '\n'))
        return 0;
    personal_add(t, begin, end, VL_PERSONAL_NAME, VL_PERSONAL_LABELLED, "label");
    return end;
}

/* ---- after the label of a role, or a credit -----------------------------------------------
 */

/* How many words; 0: one of them says that it is an office, an agency, a place. */
static size_t count_words(const personal_text *t, size_t begin, size_t end) {
    size_t words = 0;
    for (size_t i = begin; i < end; i++)
        if (personal_begins(t, i)) {
            if (personal_word_at(t, i, PERSONAL_WORD_BODY))
                return 0;
            words++;
        }
    return words;
}

/* "© UNHCR/Juma Otieno": over the sign and whom it was taken for. */
static size_t skip_owner(const personal_text *t, size_t i) {
    if (t->c[i] == 0xA9)
        i = personal_skip_spaces(t, i + 1);
    for (;;) {
        size_t end = i;
        while (personal_is_word(t->c[end]))
            end++;
        size_t stroke = personal_skip_spaces(t, end);
        if (end == i || t->c[stroke] != '/')
            return i;
        i = personal_skip_spaces(t, stroke + 1);
    }
}

/* Nothing tells a name without capital letters from other words: so it is all that stands up
 * to the next sign, number or label. */
static bool is_all(const personal_text *t, size_t begin, size_t end) {
    size_t after = personal_skip_spaces(t, end);
    return !is_article(t, begin) && (!personal_is_letter(t->c[after]) ||
                                     personal_word_at(t, after, PERSONAL_WORD_PHONE) ||
                                     personal_word_at(t, after, PERSONAL_WORD_MAIL));
}

/* "Photo: Juma Otieno", "للتواصل: علي صالح". */
static size_t find_role(personal_text *t, size_t i) {
    size_t label = personal_word_at(t, i, PERSONAL_WORD_ROLE);
    size_t begin = label ? skip_colon(t, i + label) : 0;
    if (!label || begin == i + label)
        return 0;
    begin = skip_owner(t, begin);
    bool cased = has_case(t->c[skip_particles(t, begin)]);
    size_t end = name_at(t, begin, false), words = end ? count_words(t, begin, end) : 0;
    if (words < 2 || words > ROLE_WORDS || (!cased && !is_all(t, begin, end)))
        return 0;
    personal_add(t, begin, end, VL_PERSONAL_NAME, VL_PERSONAL_LABELLED, "role");
    return end;
}

/* ---- before a telephone number or an address ----------------------------------------------
 */

/* The character that stands at byte `byte`. */
static size_t character_at(const personal_text *t, size_t byte) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->at[middle] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the word begins that ends before `end`; `end`: none does. An initial has its point. */
static size_t word_start(const personal_text *t, size_t end) {
    size_t i = end;
    if (end >= 2 && t->c[end - 1] == '.' && u_isupper((UChar32)t->c[end - 2]) &&
        personal_begins(t, end - 2))
        return end - 2;
    while (i && (personal_is_letter(t->c[i - 1]) ||
                 (i < end && i >= 2 && is_inside(t, i - 1) && personal_is_letter(t->c[i - 2]))))
        i--;
    return i && personal_is_digit(t->c[i - 1]) ? end : i;
}

/* A point that ends no sentence: one of a row of them. */
static bool is_leader(const personal_text *t, size_t i) {
    return t->c[i] == '.' && (t->c[i + 1] == '.' || (i && t->c[i - 1] == '.'));
}

static size_t skip_signs_back(const personal_text *t, size_t i) {
    for (; i; i--) {
        uint32_t c = t->c[i - 1];
        bool joins = c == 0x60C || c == 0x2022 || c == 0x2026 || c == 0x1361 ||
                     (c >= 0x1363 && c <= 0x1366) ||
                     (c < 128 && strchr(" ,:;-(|/<=[_", (int)c));
        if (!joins && !is_leader(t, i - 1))
            break;
    }
    return i;
}

/* Over "Tel. no.", "E-mail" and the like that end before `end`. */
static size_t skip_label_back(const personal_text *t, size_t end) {
    enum { WORDS = 4 };
    static const personal_word_kind kinds[] = {PERSONAL_WORD_PHONE, PERSONAL_WORD_MAIL,
                                               PERSONAL_WORD_FILLER};
    size_t stop = end - (end && t->c[end - 1] == '.'), label = end, i = stop;
    for (int words = 0; words < WORDS; words++) {
        size_t start = word_start(t, i);
        if (start == i)
            break;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (personal_word_at(t, start, kinds[k]) == stop - start)
                label = start;
        i = start;
        while (i && (t->c[i - 1] == ' ' || t->c[i - 1] == '-' || t->c[i - 1] == '.'))
            i--;
    }
    return label;
}

static bool is_whole(const personal_text *t, size_t start, size_t end,
                     personal_word_kind kind) {
    return personal_word_at(t, start, kind) == end - start;
}

/* Words that stand before a name and are none of it. */
static bool is_before_name(const personal_text *t, size_t start, size_t end) {
    return is_whole(t, start, end, PERSONAL_WORD_NOBODY) ||
           is_whole(t, start, end, PERSONAL_WORD_PHONE) ||
           is_whole(t, start, end, PERSONAL_WORD_MAIL) ||
           is_whole(t, start, end, PERSONAL_WORD_ROLE) ||
           is_whole(t, start, end, PERSONAL_WORD_NAME) ||
           is_whole(t, start, end, PERSONAL_WORD_TITLE) ||
           is_whole(t, start, end, PERSONAL_WORD_ID);
}

/* Where a row of words begins that ends at `end` and may be a name; `end`: none does. Without
 * capital letters it is all that stands before in its line. */
static size_t name_start(const personal_text *t, size_t end) {
    enum { MOST = 4, MOST_CASELESS = 3, APART = 2 };
    size_t at = end, begin = end, words = 0, apart = 1;
    bool cased = has_case(t->c[word_start(t, end)]);
    while (words <= MOST && apart && apart <= APART) {
        size_t start = word_start(t, at);
        bool capital = u_isupper((UChar32)t->c[start]);
        bool particle = cased && words && start != at && !capital &&
                        is_whole(t, start, at, PERSONAL_WORD_PARTICLE);
        if (start == at || at - start > WORD_MAX ||
            (!particle && is_before_name(t, start, at)) ||
            (cased ? !capital && !particle : has_case(t->c[start])))
            break;
        if (!particle && personal_word_at(t, start, PERSONAL_WORD_BODY))
            return end;
        words += !particle;
        begin = particle ? begin : start;
        for (at = start; at && start - at <= APART && t->c[at - 1] == ' ';)
            at--;
        apart = start - at;
    }
    bool fits = words >= 2 && words <= (cased ? MOST : MOST_CASELESS);
    bool free = cased || (begins_line(t, begin) && !is_article(t, begin));
    return fits && free && personal_begins(t, begin) ? begin : end;
}

/* "Fatuma Ali, tel. +254 712 345 678" */
static void find_beside(personal_text *t, const vl_personal *find) {
    size_t end = skip_signs_back(t, character_at(t, find->start));
    for (size_t label = skip_label_back(t, end); label != end; label = skip_label_back(t, end))
        end = skip_signs_back(t, label);
    size_t begin = name_start(t, end);
    if (begin < end)
        personal_add(t, begin, end, VL_PERSONAL_NAME, VL_PERSONAL_SHAPED, "near");
}

void personal_find_names(personal_text *t) {
    for (size_t i = 0, count = t->found_count; i < count; i++) {
        const vl_personal find = t->found[i]; /* the list may move */
        if (find.kind == VL_PERSONAL_PHONE || find.kind == VL_PERSONAL_EMAIL)
            find_beside(t, &find);
    }
    for (size_t i = 0; i < t->count; i++) {
        if (!personal_begins(t, i) || !personal_is_letter(t->c[i]))
            continue;
        size_t end = find_labelled(t, i);
        if (!end)
            end = find_titled(t, i);
        if (!end)
            end = find_initial_title(t, i);
        if (!end)
            end = find_monsieur(t, i);
        if (!end)
            end = find_role(t, i);
        if (end)
            i = end - 1;
    }
}
