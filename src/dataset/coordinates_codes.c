/* coordinates_codes.c — places written as something else than two angles: geo: URIs, links to
 * maps, grid references, plus codes, words (coordinates_text.h). */
#include "dataset/coordinates_text.h"

#include <math.h>
#include <string.h>

static const double metres_a_degree = 111195;
/* what3words has squares of three metres. */
static const double words_metres = 3;

double coordinates_degrees(double metres) {
    return metres / metres_a_degree;
}

static coordinate_number number_of(const coordinates_text *t, const coordinates_figure *f) {
    return (coordinate_number){.start = t->at[f->start],
                               .end = t->end[f->end - 1],
                               .value = f->value,
                               .step = pow(10, -(double)f->places)};
}

static void add_whole(coordinates_text *t, size_t start, size_t end, coordinate_form form,
                      double step) {
    coordinate c = {.start = t->at[start], .end = t->end[end - 1], .form = form, .step = step};
    coordinates_add(t, &c);
}

/* ---- geo: URIs (RFC 5870, section 3.3) ----------------------------------------------------
 */

/* A number of "coord-a"; its end, or 0. */
static size_t geo_number(const coordinates_text *t, size_t i, coordinates_figure *figure) {
    i += t->c[i] == '-';
    return coordinates_read_figure(t, i, figure) && figure->whole <= 3 ? figure->end : 0;
}

size_t coordinates_find_geo(coordinates_text *t, size_t i) {
    coordinates_figure first, second;
    if (!coordinates_has(t, i, "geo:"))
        return 0;
    size_t at = geo_number(t, i + 4, &first);
    if (!at || t->c[at] != ',')
        return 0;
    at = geo_number(t, at + 1, &second);
    if (!at)
        return 0;
    while (t->c[at] > ' ' && t->c[at] < 128 && !strchr("<>\"'()[]", (int)t->c[at]))
        at++;
    while (strchr(".,;:?!", (int)t->c[at - 1]))
        at--;
    coordinate c = {.start = t->at[i],
                    .end = t->end[at - 1],
                    .form = COORDINATE_GEO,
                    .numbers = {number_of(t, &first), number_of(t, &second)},
                    .number_count = 2};
    c.step = fmin(c.numbers[0].step, c.numbers[1].step);
    coordinates_add(t, &c);
    return at;
}

/* ---- links to maps ------------------------------------------------------------------------
 */

/* With where they begin to be about maps; a host may stand behind "www." and the like. */
static const char *const maps[] = {"maps.google.",
                                   "google.",
                                   "maps.app.goo.gl",
                                   "goo.gl/maps",
                                   "openstreetmap.org",
                                   "osm.org",
                                   "bing.com/maps",
                                   "maps.apple.com",
                                   "waze.com",
                                   "ul.waze.com",
                                   "wego.here.com",
                                   "share.here.com",
                                   "yandex.",
                                   "mapcarta.com",
                                   "maps.me",
                                   "omaps.app",
                                   "earth.google.com",
                                   "what3words.com",
                                   "w3w.co",
                                   "plus.codes",
                                   "gps-coordinates.net",
                                   "geohack.toolforge",
                                   "mapy.cz",
                                   "osmand.net",
                                   "opentopomap.org",
                                   "zoom.earth",
                                   "wikimapia.org",
                                   "mapillary.com"};

static size_t link_end(const coordinates_text *t, size_t i) {
    size_t at = i;
    while (t->c[at] > ' ' && !(t->c[at] < 128 && strchr("<>\"`|", (int)t->c[at])))
        at++;
    while (at > i && t->c[at - 1] < 128 && strchr(".,;:!?)]}'", (int)t->c[at - 1]))
        at--;
    return at;
}

static bool holds(const coordinates_text *t, size_t i, size_t end, const char *part) {
    size_t bytes = strlen(part);
    for (; i + bytes <= end; i++)
        if (coordinates_has(t, i, part))
            return true;
    return false;
}

static bool is_to_map(const coordinates_text *t, size_t host, size_t end) {
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
        for (size_t at = host; at < end && t->c[at] != '?' && t->c[at] != '#'; at++) {
            bool begins = at == host || t->c[at - 1] == '.';
            if (t->c[at] == '/')
                break;
            if (!begins || !coordinates_has(t, at, maps[m]))
                continue;
            bool general = !strcmp(maps[m], "google.") || !strcmp(maps[m], "yandex.");
            return !general || holds(t, host, end, "/maps");
        }
    return false;
}

/* Its decimal numbers; "17z" and "75y" are of the view. False: there are more than fit. */
static bool link_numbers(const coordinates_text *t, size_t i, size_t end, coordinate *c) {
    c->step = 1;
    while (i < end) {
        coordinates_figure figure;
        bool code = t->c[i] == '%' && i + 2 < end; /* percent-encoded */
        bool begins = !i || (!coordinates_is_digit(t->c[i - 1]) && t->c[i - 1] != '.');
        if (code || !begins || !coordinates_is_digit(t->c[i]) ||
            !coordinates_read_figure(t, i, &figure)) {
            i += code ? 3 : 1;
            continue;
        }
        bool view = coordinates_is_letter(t->c[figure.end]) && t->c[figure.end] != 'N' &&
                    t->c[figure.end] != 'E' && t->c[figure.end] != 'S' &&
                    t->c[figure.end] != 'W';
        bool comma = t->c[figure.start + figure.whole] == ',';
        if (figure.places && figure.whole <= 3 && figure.end <= end && !view && !comma) {
            if (c->number_count == COORDINATE_NUMBERS)
                return false;
            c->numbers[c->number_count++] = number_of(t, &figure);
            c->step = fmin(c->step, c->numbers[c->number_count - 1].step);
        }
        i = comma ? figure.start + figure.whole : figure.end;
    }
    return true;
}

size_t coordinates_find_link(coordinates_text *t, size_t i) {
    size_t host = i;
    if (coordinates_has(t, i, "http://"))
        host = i + 7;
    else if (coordinates_has(t, i, "https://"))
        host = i + 8;
    else if (!strchr("mgowp", (int)t->folded[i]))
        return 0;
    size_t end = link_end(t, host);
    if (end < host + 6 || !holds(t, host, end, ".") || !is_to_map(t, host, end))
        return 0;
    coordinate c = {.start = t->at[i], .end = t->end[end - 1], .form = COORDINATE_LINK};
    bool exact = holds(t, host, end, ":0x") || holds(t, host, end, "cid=") ||
                 holds(t, host, end, "place_id") || holds(t, host, end, "%c2%b0");
    if (!link_numbers(t, host, end, &c) || !c.number_count || exact) {
        bool says_place = exact || c.number_count || holds(t, host, end, "goo.gl/") ||
                          holds(t, host, end, "/go/") || holds(t, host, end, "what3words") ||
                          holds(t, host, end, "w3w.co") || holds(t, host, end, "plus.codes");
        if (!says_place)
            return 0; /* of a map as such */
        add_whole(t, i, end, COORDINATE_WORDS, coordinates_degrees(words_metres));
        return end;
    }
    coordinates_add(t, &c);
    return end;
}

/* ---- grids (NGA.STND.0037_2.0.0_GRIDS, section 3) ------------------------------------------
 */

static bool is_band(uint32_t c) {
    return c >= 'C' && c <= 'X' && c != 'I' && c != 'O';
}

/* Whether the characters are letters and figures of ASCII in the text, too. */
static bool is_ascii(const coordinates_text *t, size_t first, size_t end) {
    return t->end[end - 1] - t->at[first] == end - first;
}

/* A zone 1 … 60 and its band; where they end, or 0. */
static size_t read_zone(const coordinates_text *t, size_t i, unsigned *zone) {
    size_t at = i;
    for (*zone = 0; coordinates_is_digit(t->c[at]) && at - i < 2; at++)
        *zone = *zone * 10 + (t->c[at] - '0');
    if (!*zone || *zone > 60)
        return 0;
    at += t->c[at] == ' ';
    return is_band(t->c[at]) && is_ascii(t, at, at + 1) ? at + 1 : 0;
}

/* Columns of the square go round by the zone (section 3.4). */
static bool is_square(unsigned zone, uint32_t column, uint32_t row) {
    static const char columns[3][9] = {"STUVWXYZ", "ABCDEFGH", "JKLMNPQR"};
    return column < 128 && column && strchr(columns[zone % 3], (int)column) && row >= 'A' &&
           row <= 'V' && row != 'I' && row != 'O';
}

static size_t count_digits(const coordinates_text *t, size_t i) {
    size_t n = 0;
    while (coordinates_is_digit(t->c[i + n]))
        n++;
    return n;
}

size_t coordinates_find_mgrs(coordinates_text *t, size_t i, bool said) {
    unsigned zone;
    size_t at = read_zone(t, i, &zone);
    if (!at)
        return 0;
    at += t->c[at] == ' ';
    if (!is_square(zone, t->c[at], t->c[at + 1]) || !is_ascii(t, at, at + 2))
        return 0;
    at += 2;
    size_t space = t->c[at] == ' ', first = count_digits(t, at + space), end = at, each = 0;
    if (first && first <= 5 && t->c[at + space + first] == ' ' &&
        count_digits(t, at + space + first + 1) == first) {
        each = first;
        end = at + space + 2 * first + 1;
    } else if (first && first % 2 == 0 && first <= 10) {
        each = first / 2;
        end = at + space + first;
    }
    if (each < (said ? 1U : 3U) || coordinates_is_word(t->c[end]) ||
        ((t->c[end] == '.' || t->c[end] == ',') && coordinates_is_digit(t->c[end + 1])))
        return 0;
    add_whole(t, i, end, COORDINATE_MGRS, coordinates_degrees(pow(10, 5 - (double)each)));
    return end;
}

/* "472214", "472214mE", "E 472214"; *marked: something says what it is. */
static size_t read_metres(const coordinates_text *t, size_t i, const char *letters,
                          coordinates_figure *figure, bool *marked) {
    size_t at = coordinates_skip_spaces(t, i);
    at += t->c[at] == ',' || t->c[at] == ';';
    at = coordinates_skip_spaces(t, at);
    if (t->c[at] && t->c[at] < 128 && strchr(letters, (int)t->c[at])) {
        *marked = true;
        at++;
        at += t->c[at] == ':' || t->c[at] == '=';
        at = coordinates_skip_spaces(t, at);
    }
    if (!coordinates_read_figure(t, at, figure))
        return 0;
    size_t end = figure->end, unit = coordinates_skip_spaces(t, end);
    unit += t->c[unit] == 'm';
    if (t->c[unit] && t->c[unit] < 128 && strchr(letters, (int)t->c[unit]) &&
        !coordinates_is_word(t->c[unit + 1])) {
        *marked = true;
        end = unit + 1;
    } else if (unit > end && t->c[unit - 1] == 'm' && !coordinates_is_word(t->c[unit])) {
        end = unit;
    }
    return coordinates_is_word(t->c[end]) ? 0 : end;
}

size_t coordinates_find_utm(coordinates_text *t, size_t i, bool said) {
    unsigned zone;
    coordinates_figure east, north;
    bool marked = false;
    size_t at = read_zone(t, i, &zone);
    at = at ? read_metres(t, at, "EX", &east, &marked) : 0;
    bool padded = at && east.whole == 7 && t->c[east.start] == '0'; /* as GPS devices have it */
    if (!at || (east.whole != 6 && !padded))
        return 0;
    at = read_metres(t, at, "NY", &north, &marked);
    marked |= padded && north.whole == 7;
    if (!at || north.whole < 5 || north.whole > 7 || north.value > 1e7 || (!said && !marked))
        return 0;
    coordinate c = {.start = t->at[i],
                    .end = t->end[at - 1],
                    .form = COORDINATE_UTM,
                    .numbers = {number_of(t, &east), number_of(t, &north)},
                    .number_count = 2};
    c.step = coordinates_degrees(fmin(c.numbers[0].step, c.numbers[1].step));
    coordinates_add(t, &c);
    return at;
}

/* ---- plus codes (Open Location Code, "Specification") --------------------------------------
 */

static bool is_code(uint32_t c) {
    return c && c < 128 && strchr("23456789CFGHJMPQRVWX", (int)c);
}

double coordinates_plus_step(size_t digits) {
    if (digits <= 10) /* pairs: 20, 1, 1/20, … degrees */
        return 20 / pow(20, (double)(digits / 2) - 1);
    return 1.0 / 8000 /
           pow(5, (double)digits - 10); /* five rows each; there are four columns */
}

/* A whole one has eight characters before its sign (some may be 0, for nothing); a short one
 * four or six, letters and figures. */
size_t coordinates_find_plus(coordinates_text *t, size_t i) {
    size_t before = 0, zeros = 0, figures = 0, after = 0;
    for (; before < 9; before++) {
        uint32_t c = t->c[i + before];
        zeros += c == '0';
        figures += coordinates_is_digit(c) && c != '0';
        if (!is_code(c) && (c != '0' || before < 2))
            break;
        if (zeros && c != '0')
            return 0;
    }
    if (t->c[i + before] != '+' || (before != 8 && before != 6 && before != 4) || zeros % 2)
        return 0;
    while (is_code(t->c[i + before + 1 + after]) && after < 8)
        after++;
    size_t end = i + before + 1 + after;
    bool whole = before == 8;
    /* A latitude is below 180 of 9 times 20 degrees, a longitude below 360. */
    if (whole &&
        (!strchr("23456789C", (int)t->c[i]) || !strchr("23456789CFGHJMPQRV", (int)t->c[i + 1])))
        return 0;
    if (coordinates_is_word(t->c[end]) || t->c[end] == '+' || after == 1 || after > 7 ||
        (zeros && after) || (!whole && (zeros || after < 2 || after > 3)) || !figures ||
        figures == before || !is_ascii(t, i, end))
        return 0;
    add_whole(t, i, end, COORDINATE_PLUS, coordinates_plus_step(8 - zeros + after));
    return end;
}

/* ---- words ---------------------------------------------------------------------------------
 */

size_t coordinates_find_words(coordinates_text *t, size_t i) {
    size_t at = i + 3;
    if (t->c[i + 1] != '/' || t->c[i + 2] != '/' ||
        (i && (t->c[i - 1] == ':' || t->c[i - 1] == '/' || coordinates_is_word(t->c[i - 1]))))
        return 0;
    for (int word = 0; word < 3; word++) {
        size_t begin = at;
        while (coordinates_is_letter(t->c[at]))
            at++;
        if (at < begin + 2 || (word < 2 && t->c[at++] != '.'))
            return 0;
    }
    if (coordinates_is_word(t->c[at]) || t->c[at] == '/' ||
        (t->c[at] == '.' && coordinates_is_word(t->c[at + 1])))
        return 0;
    add_whole(t, i, at, COORDINATE_WORDS, coordinates_degrees(words_metres));
    return at;
}
