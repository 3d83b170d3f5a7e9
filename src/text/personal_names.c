/* personal_names.c — names of people, where a title or a label says that one follows.
 *
 * Nothing here knows names: "Mrs Amina Yusuf" and "Jina: Amina Yusuf" are found, "Amina Yusuf
 * said" is not. In scripts with capital letters a name is a row of words that begin with one;
 * in others it is one or two words after a title, and after a label what stands up to the end
 * of the line or the next sign, at most four. */
#include "text/personal.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

enum { NAME_WORDS = 5, TITLE_WORDS = 2, LABEL_WORDS = 4, WORD_MAX = 40 };

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
            personal_word_at(t, at, PERSONAL_WORD_NOBODY))
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

void personal_find_names(personal_text *t) {
    for (size_t i = 0; i < t->count; i++) {
        if (!personal_begins(t, i) || !personal_is_letter(t->c[i]))
            continue;
        size_t end = find_labelled(t, i);
        if (!end)
            end = find_titled(t, i);
        if (!end)
            end = find_monsieur(t, i);
        if (end)
            i = end - 1;
    }
}
