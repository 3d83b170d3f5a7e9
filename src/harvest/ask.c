/* ask.c — what is asked for, in a source's own words (ask.h).
 *
 *   vl_ask_list, _time        lists and times
 *   vl_ask_kind               kinds of files
 *   vl_ask_put_escaped        addresses
 *   vl_ask_place_…            pages that go by time */
#include "harvest/ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <vislang/text.h>

/* ---- lists ------------------------------------------------------------------------------- */

const char *vl_ask_next(const char **list, size_t *length) {
    for (;;) {
        const char *item = *list + strspn(*list, ", \t\r\n");
        if (!*item)
            return NULL;
        size_t bytes = strcspn(item, ",");
        *list = item + bytes;
        while (bytes && isspace((unsigned char)item[bytes - 1]))
            bytes--;
        *length = bytes;
        return item;
    }
}

char **vl_ask_list(vl_arena *arena, const char *list, size_t *count) {
    size_t length, used = 0, room = 1;
    const char *at = list ? list : "", *item;
    for (const char *c = at; *c; c++)
        room += *c == ',';
    char **items = vl_arena_array(arena, room + 1, sizeof *items);
    while (items && (item = vl_ask_next(&at, &length)))
        if (!(items[used++] = vl_arena_strndup(arena, item, length)))
            return NULL;
    if (count)
        *count = used;
    return items;
}

bool vl_ask_listed(const char *list, const char *item) {
    size_t length, bytes = strlen(item);
    const char *at = list ? list : "", *one;
    while ((one = vl_ask_next(&at, &length)))
        if (length == bytes && !strncasecmp(one, item, bytes))
            return true;
    return false;
}

bool vl_ask_language(const char *list, const char *language) {
    size_t length;
    const char *at = list ? list : "", *one;
    char code[VL_LANG_SIZE];
    bool any = false;
    while ((one = vl_ask_next(&at, &length))) {
        any = true;
        if (length >= sizeof code)
            continue;
        for (size_t i = 0; i < length; i++)
            code[i] = (char)tolower((unsigned char)one[i]);
        code[length] = '\0';
        if (!strcmp(vl_lang_code(code), vl_lang_code(language)))
            return true;
    }
    return !any;
}

vl_status vl_ask_refuse(const char *source, const vl_harvest_query *query, unsigned what,
                        vl_error *error) {
    bool times = (query->since && *query->since) || (query->until && *query->until);
    const struct {
        unsigned bit;
        bool asked;
        const char *name;
    } rows[] = {
        {VL_ASK_LANGUAGES, query->languages && *query->languages, "languages"},
        {VL_ASK_COUNTRIES, query->countries && *query->countries, "countries"},
        {VL_ASK_THEMES, query->themes && *query->themes, "themes"},
        {VL_ASK_WORDS, query->words && *query->words, "words"},
        {VL_ASK_TIMES, times, "dates"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((what & rows[i].bit) && rows[i].asked)
            return vl_fail(error, VL_ERR_USAGE, "%s cannot be asked by %s; leave them out",
                           source, rows[i].name);
    return VL_OK;
}

/* ---- times ------------------------------------------------------------------------------- */

/* `count` digits at *at as a number, *at after them and after one of `after`; -1: not so. */
static int digits(const char **at, int count, const char *after) {
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + *(*at)++ - '0';
    }
    if (*after && (!**at || !strchr(after, **at)))
        return -1;
    *at += *after != '\0';
    return value;
}

static bool read_clock(const char **at, struct tm *parts) {
    parts->tm_hour = digits(at, 2, ":");
    parts->tm_min = parts->tm_hour < 0 ? -1 : digits(at, 2, "");
    if (parts->tm_min < 0 || parts->tm_hour > 23 || parts->tm_min > 59)
        return false;
    if (**at == ':') {
        ++*at;
        parts->tm_sec = digits(at, 2, "");
        if (parts->tm_sec < 0 || parts->tm_sec > 60)
            return false;
    }
    if (**at == '.' || **at == ',')
        do
            ++*at;
        while (isdigit((unsigned char)**at));
    return true;
}

/* Seconds east of Greenwich; 100000: it is no zone. */
static int read_zone(const char *at) {
    enum { NONE = 100000 };
    int sign = *at == '-' ? -1 : 1;
    if (!*at || !strcasecmp(at, "z"))
        return 0;
    if (*at != '+' && *at != '-')
        return NONE;
    at++;
    int hours = digits(&at, 2, "");
    at += *at == ':';
    int minutes = *at ? digits(&at, 2, "") : 0;
    return hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || *at
               ? NONE
               : sign * (hours * 3600 + minutes * 60);
}

/* Days that are there: timegm would make 1 March of 30 February. */
static bool is_day(const struct tm *parts) {
    struct tm copy = *parts;
    time_t at = timegm(&copy);
    return at != (time_t)-1 && copy.tm_mday == parts->tm_mday && copy.tm_mon == parts->tm_mon;
}

bool vl_ask_time(const char *text, bool end, char out[VL_ASK_TIME_SIZE]) {
    struct tm parts = {0};
    int zone = 0;
    text += strspn(text, " \t\r\n");
    int year = digits(&text, 4, "-");
    int month = year < 0 ? -1 : digits(&text, 2, "-");
    int day = month < 0 ? -1 : digits(&text, 2, "");
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    if (day < 1 || year < 1 || !is_day(&parts))
        return false;
    if (*text == 'T' || *text == 't' || (*text == ' ' && isdigit((unsigned char)text[1]))) {
        text++;
        if (!read_clock(&text, &parts) || (zone = read_zone(text)) == 100000)
            return false;
    } else if (text[strspn(text, " \t\r\n")]) {
        return false;
    } else if (end) {
        parts.tm_hour = 23;
        parts.tm_min = parts.tm_sec = 59;
    }
    time_t at = timegm(&parts) - zone;
    if (!gmtime_r(&at, &parts) || parts.tm_year < 1000 - 1900 || parts.tm_year > 8099)
        return false;
    snprintf(out, VL_ASK_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", /* %Y has no zeros */
             (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
             (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100,
             (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100);
    return true;
}

vl_status vl_ask_check_times(const vl_harvest_query *query, vl_error *error) {
    char since[VL_ASK_TIME_SIZE] = "", until[VL_ASK_TIME_SIZE] = "";
    if (query->since && *query->since && !vl_ask_time(query->since, false, since))
        return vl_fail(error, VL_ERR_USAGE, "'%.60s' is no date; write 2025-01-31",
                       query->since);
    if (query->until && *query->until && !vl_ask_time(query->until, true, until))
        return vl_fail(error, VL_ERR_USAGE, "'%.60s' is no date; write 2025-01-31",
                       query->until);
    if (*since && *until && strcmp(since, until) > 0)
        return vl_fail(error, VL_ERR_USAGE, "nothing is since %.60s and until %.60s",
                       query->since, query->until);
    return VL_OK;
}

/* ---- kinds of files ---------------------------------------------------------------------- */

static const struct {
    const char *kind;
    const char *words; /* media types, endings and short names, a space around each */
} kinds[] = {
    {"pdf", " application/pdf pdf "},
    {"html", " text/html application/xhtml+xml html htm xhtml "},
    {"text", " text/plain text/markdown txt md "},
    {"docx", " application/vnd.openxmlformats-officedocument.wordprocessingml.document "
             "application/msword docx doc "},
    {"odt", " application/vnd.oasis.opendocument.text odt "},
    {"data", " text/csv text/tab-separated-values application/json application/geo+json "
             "application/xml text/xml application/zip application/gzip "
             "application/vnd.ms-excel application/vnd.oasis.opendocument.spreadsheet "
             "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
             "csv tsv json geojson xml zip gz 7z xls xlsx xlsm ods shp shapefile kml kmz gpkg "
             "geopackage geodatabase gdb geotiff parquet dbf sdmx topojson "},
    {"picture", " image/jpeg image/png image/webp image/tiff image/gif image/bmp image/svg+xml "
                "jpg jpeg png webp tif tiff gif bmp svg "},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const char *kind_of_word(const char *word, size_t length) {
    char padded[128] = " ";
    if (!length || length + 3 > sizeof padded)
        return "";
    for (size_t i = 0; i < length; i++)
        padded[i + 1] = (char)tolower((unsigned char)word[i]);
    if (memchr(padded + 1, ' ', length))
        return "";
    strcpy(padded + length + 1, " ");
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strstr(kinds[i].words, padded))
            return kinds[i].kind;
    return "";
}

const char *vl_ask_kind(const char *type, const char *name) {
    const char *kind = type ? kind_of_word(type, strcspn(type, "; ")) : "";
    if (*kind || !name)
        return kind;
    size_t length = strcspn(name, "?#");
    const char *ending = name + length;
    while (ending > name && ending[-1] != '.' && ending[-1] != '/')
        ending--;
    return kind_of_word(ending, (size_t)(name + length - ending));
}

bool vl_ask_wants(const vl_harvest_query *query, const char *kind) {
    const char *formats = query->formats ? query->formats : "";
    return !formats[strspn(formats, ", \t")] || vl_ask_listed(formats, kind);
}

/* ---- addresses --------------------------------------------------------------------------- */

void vl_ask_put_escaped(vl_buf *out, const char *text) {
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            vl_buf_append(out, text, 1);
        else
            vl_buf_printf(out, "%%%02X", (unsigned char)*text);
}

void vl_ask_put_base(vl_buf *out, const vl_config *config, const char *setting) {
    const char *base = vl_config_string(config, setting);
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    vl_buf_append(out, base, length);
}

size_t vl_ask_page_size(const vl_harvest_query *query, size_t least, size_t most) {
    uint64_t asked = query->limit ? query->limit : most;
    return asked < least ? least : asked > most ? most : (size_t)asked;
}

/* ---- pages that go by time --------------------------------------------------------------- */

/* "oldest" or "newest", the time to go on from ("-": none), the offset. */
static bool read_cursor(const char *cursor, vl_ask_place *place) {
    char order[8], bound[VL_ASK_TIME_SIZE], normal[VL_ASK_TIME_SIZE], offset[20], end;
    if (sscanf(cursor, "%7s %23s %19[0-9]%c", order, bound, offset, &end) != 3)
        return false;
    place->newest_first = !strcmp(order, "newest");
    place->offset = strtoull(offset, NULL, 10);
    if (!place->newest_first && strcmp(order, "oldest"))
        return false;
    if (!strcmp(bound, "-"))
        return true;
    strcpy(place->newest_first ? place->to : place->from, bound);
    return vl_ask_time(bound, false, normal) && !strcmp(bound, normal);
}

vl_status vl_ask_place_read(const char *cursor, const vl_harvest_query *query,
                            vl_ask_place *place, vl_error *error) {
    vl_status status = vl_ask_check_times(query, error);
    *place = (vl_ask_place){.newest_first = query->limit > 0};
    if (status)
        return status;
    if (query->since && *query->since)
        vl_ask_time(query->since, false, place->from);
    if (query->until && *query->until)
        vl_ask_time(query->until, true, place->to);
    return !*cursor || read_cursor(cursor, place)
               ? VL_OK
               : vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place to go on from", cursor);
}

void vl_ask_place_advance(vl_ask_place *place, const char *last, uint64_t count) {
    char *bound = place->newest_first ? place->to : place->from;
    bool further =
        last && strlen(last) < VL_ASK_TIME_SIZE &&
        (!*bound || (place->newest_first ? strcmp(last, bound) < 0 : strcmp(last, bound) > 0));
    if (further)
        strcpy(bound, last);
    place->offset = further ? 0 : place->offset + count;
}

void vl_ask_place_write(const vl_ask_place *place, vl_buf *cursor) {
    const char *bound = place->newest_first ? place->to : place->from;
    vl_buf_printf(cursor, "%s %s %llu", place->newest_first ? "newest" : "oldest",
                  *bound ? bound : "-", (unsigned long long)place->offset);
}
