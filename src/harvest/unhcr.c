/* unhcr.c — the refugee statistics of UNHCR
 * (https://api.unhcr.org/docs/refugee-statistics.html).
 *
 * A request is for one data set, one year, and people who came to the countries asked for (as
 * countries of asylum, `coa`) or who left them (as countries of origin, `coo`). A page of its
 * answer is a record with one table. Years go down from the newest: so a record keeps its key
 * when a year is added, and the next harvest begins at the year that the last one ended with.
 *
 * Traps: the path ends with a slash; a number is a number, a string or "-" in one and the same
 * row; `columns` would be ignored. */
#include "harvest/ask.h"
#include "harvest/statistics.h"
#include "harvest/table_json.h"

#include <string.h>

enum {
    FIRST_YEAR = 1951,
    ROWS_A_PAGE = 5000,
    URL_BYTES = 2000,
    NAMES_IN_TITLE = 4,
    THEMES_BYTES = 64 << 10,
};

typedef struct data_set {
    const char *name, *title;
    bool yearly; /* false: what is known now, of no year */
} data_set;
static const data_set data_sets[] = {
    {"population", "Refugees, asylum-seekers, displaced and stateless people", true},
    {"demographics", "Displaced and stateless people by age and sex", true},
    {"asylum-applications", "Applications for asylum", true},
    {"asylum-decisions", "Decisions on asylum", true},
    {"solutions", "Returns, resettlement and naturalisation of refugees", true},
    {"nowcasting", "Estimates of refugees and asylum-seekers now", false},
};
enum { DATA_SETS = sizeof data_sets / sizeof *data_sets };

/* Which side of a way the countries are on. */
typedef struct side {
    const char *name, *parameters, *words, *names; /* names: column with names of countries */
} side;
static const side asylum = {"coa", "coo_all=true&coa=", "of asylum", "coa_name"};
static const side origin = {"coo", "coa_all=true&coo=", "of origin", "coo_name"};
static const side world = {"all", "coo_all=true&coa_all=true", "", ""};

/* What a cursor stands for. */
typedef struct request {
    const data_set *set;
    const side *side;
    int year; /* 0: of none */
    unsigned page;
    int first, last; /* years that are asked for */
    vl_country_list countries;
} request;

/* ---- what is asked for ---------------------------------------------------------------------
 */

static const data_set *find_set(const char *name) {
    for (size_t i = 0; i < DATA_SETS; i++)
        if (!strcmp(data_sets[i].name, name))
            return &data_sets[i];
    return NULL;
}

static vl_status check_themes(const char *list, vl_error *error) {
    const char *names[DATA_SETS];
    vl_status status = VL_OK;
    vl_arena *arena = vl_arena_new(THEMES_BYTES);
    char **themes = arena ? vl_ask_list(arena, list, NULL) : NULL;
    for (size_t i = 0; i < DATA_SETS; i++)
        names[i] = data_sets[i].name;
    while (themes && *themes && find_set(*themes))
        themes++;
    if (!themes) {
        status = vl_fail(error, VL_ERR_LIMIT, "unhcr: too many themes");
    } else if (*themes) {
        const char *nearest = vl_nearest_name(*themes, names, DATA_SETS);
        status = vl_fail(error, VL_ERR_USAGE,
                         "unhcr has no theme '%.60s'; its themes are population, demographics, "
                         "asylum-applications, asylum-decisions, solutions, nowcasting%s%s%s",
                         *themes, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                         nearest ? "'?" : "");
    }
    vl_arena_free(arena);
    return status;
}

static vl_status check(const vl_source_call *call, vl_error *error) {
    vl_status status = vl_statistics_check(call->query, "unhcr", 0, error);
    return status ? status : check_themes(call->query->themes, error);
}

/* Whether a data set is among the themes, and what it is of lies in the period. */
static bool is_wanted(const request *r, const vl_source_call *call, const data_set *set) {
    const char *themes = call->query->themes;
    if (themes && *themes && !vl_ask_listed(themes, set->name))
        return false;
    return set->yearly ? r->first <= r->last : r->last >= vl_statistics_this_year();
}

static void begin(request *r, const data_set *set, const side *of) {
    r->set = set;
    r->side = of;
    r->year = set->yearly ? r->last : 0;
    r->page = 1;
}

/* Figures of a year come out in that year and the next, so those that are new since a date are
 * of the year before on. */
static void read_period(request *r, const vl_harvest_query *query) {
    int this_year = vl_statistics_this_year();
    r->first = vl_statistics_year(query->since, FIRST_YEAR + 1) - 1;
    r->last = vl_statistics_year(query->until, this_year);
    if (r->first < FIRST_YEAR)
        r->first = FIRST_YEAR;
    if (r->last > this_year)
        r->last = this_year;
}

static bool begin_after(request *r, const vl_source_call *call, const data_set *set) {
    for (; set < data_sets + DATA_SETS; set++)
        if (is_wanted(r, call, set)) {
            begin(r, set, r->countries.count ? &asylum : &world);
            return true;
        }
    return false;
}

/* The request after this one; false: there is none. */
static bool advance(request *r, const vl_source_call *call, bool more_pages) {
    if (more_pages) {
        r->page++;
    } else if (r->set->yearly && r->year > r->first) {
        r->year--;
        r->page = 1;
    } else if (r->side == &asylum) {
        begin(r, r->set, &origin);
    } else {
        return begin_after(r, call, r->set + 1);
    }
    return true;
}

/* ---- cursors -------------------------------------------------------------------------------
 */

static vl_status read_cursor(const char *cursor, request *r, vl_error *error) {
    vl_statistics_place place;
    vl_status status = vl_statistics_place_read(cursor, &place, error);
    char *colon = status ? NULL : strchr(place.item, ':');
    if (colon) {
        const side *sides[] = {&asylum, &origin, &world};
        *colon = '\0';
        r->set = find_set(place.item);
        for (size_t i = 0; i < 3; i++)
            if (!strcmp(sides[i]->name, colon + 1))
                r->side = sides[i];
    }
    if (!status && (!r->set || !r->side || (r->side == &world) != !r->countries.count ||
                    r->set->yearly != (place.year > 0)))
        status = vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place in this query", cursor);
    r->year = place.year;
    r->page = place.page;
    return status;
}

static void write_cursor(const request *r, vl_buf *next) {
    vl_statistics_place place = {.year = r->year, .page = r->page};
    strcpy(place.item, r->set->name);
    strcat(strcat(place.item, ":"), r->side->name);
    vl_statistics_place_write(&place, next);
}

/* ---- a page --------------------------------------------------------------------------------
 */

static void put_url(const request *r, const vl_config *config, vl_buf *url) {
    vl_ask_put_base(url, config, "harvest_unhcr_url");
    vl_buf_printf(url, "/%s/?cf_type=ISO&limit=%d&page=%u&", r->set->name, ROWS_A_PAGE,
                  r->page);
    if (r->year)
        vl_buf_printf(url, "year=%d&", r->year);
    vl_buf_puts(url, r->side->parameters);
    vl_country_list_put(&r->countries, ",", url);
}

static const char *title_of(const request *r, const vl_table *table, uint64_t pages,
                            vl_arena *arena) {
    const char *names = vl_table_names(table, r->side->names, ", ", NAMES_IN_TITLE);
    const char *year = r->year ? vl_arena_printf(arena, ", %d", r->year) : "";
    const char *part = pages > 1 ? vl_arena_printf(arena, " (part %u of %llu)", r->page,
                                                   (unsigned long long)pages)
                                 : "";
    if (!names || !year || !part)
        return NULL;
    if (r->side == &world)
        return vl_arena_printf(arena, "%s%s: all countries%s", r->set->title, year, part);
    return vl_arena_printf(arena, "%s%s: %s (%s %s)%s", r->set->title, year, names,
                           r->countries.count > 1 ? "countries" : "country", r->side->words,
                           part);
}

static const char *key_of(const request *r, vl_arena *arena) {
    vl_buf countries;
    vl_buf_init(&countries, VL_COUNTRIES_MAX * VL_COUNTRY_SIZE);
    vl_buf_puts(&countries, r->countries.count ? "/" : "");
    vl_country_list_put(&r->countries, ",", &countries);
    const char *key = vl_arena_printf(arena, "%s/%s%s/%d/%u", r->set->name, r->side->name,
                                      countries.data, r->year, r->page);
    vl_buf_deinit(&countries);
    return key;
}

static vl_status give(const vl_source_call *call, const request *r, const char *url,
                      cJSON *answer, const vl_table *table, vl_error *error) {
    vl_arena *arena = call->arena;
    const char *csv;
    size_t bytes;
    uint64_t pages = vl_json_count(answer, "maxPages");
    vl_status status = vl_table_csv(table, &csv, &bytes, error);
    if (status)
        return status;
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "items");
    vl_record record = {
        .key = key_of(r, arena),
        .title = title_of(r, table, pages, arena),
        .url = vl_arena_strdup(arena, url),
        .language = "en",
        .changed = r->year ? vl_arena_printf(arena, "%04d-01-01T00:00:00Z", r->year) : NULL,
        .licence = "CC-BY-4.0",
        .publisher = "UNHCR",
        .countries = vl_table_names(table, r->side == &origin ? "coo_iso" : "coa_iso", ",",
                                    VL_TABLE_NAMES),
        .themes = r->set->name,
        .raw = vl_json_raw(arena, answer)};
    return vl_statistics_give(call, "unhcr", &record, csv, bytes, error);
}

static vl_status take_answer(const vl_source_call *call, const request *r, const char *url,
                             cJSON *answer, bool *more, vl_error *error) {
    const cJSON *items = vl_json_at(answer, "items");
    if (!cJSON_IsArray(items))
        return vl_fail(error, VL_ERR_INPUT, "unhcr: an answer without items: %.200s", url);
    vl_table *table = vl_table_of_json(call->arena, items, "unhcr");
    if (!table)
        return vl_fail(error, VL_ERR_LIMIT, "no memory for a page of unhcr");
    size_t rows = vl_table_rows(table);
    *more = rows && vl_json_count(answer, "maxPages") > r->page;
    return rows ? give(call, r, url, answer, table, error) : VL_OK;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    request r = {.set = NULL};
    cJSON *answer = NULL;
    bool more = false;
    vl_buf url;
    vl_buf_init(&url, URL_BYTES);
    vl_status status = vl_country_list_read(call->query->countries, &r.countries, error);
    if (status)
        goto out;
    read_period(&r, call->query);
    if (*cursor)
        status = read_cursor(cursor, &r, error);
    else if (!begin_after(&r, call, data_sets))
        goto out;
    if (status)
        goto out;
    put_url(&r, call->config, &url);
    status = vl_buf_status(&url, "the address with all these countries", error);
    if (!status)
        status = vl_json_get(call, &(vl_polite_request){.url = url.data}, &answer, error);
    if (!status)
        status = take_answer(call, &r, url.data, answer, &more, error);
    if (!status && advance(&r, call, more))
        write_cursor(&r, next);
out:
    cJSON_Delete(answer);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_unhcr = {
    .name = "unhcr",
    .title = "Refugee statistics (UNHCR)",
    .summary = "tables by year and country of asylum or origin: population, demographics, "
               "asylum-applications, asylum-decisions, solutions, nowcasting; needs no key",
    .check = check,
    .page = page,
};
