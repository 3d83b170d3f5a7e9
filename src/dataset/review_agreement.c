/* review_agreement.c — alpha of verdicts and of corrected texts, overall and by language. */
#include "dataset/review.h"
#include "dataset/review_alpha.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 1 };

typedef struct rated {
    char item[VL_ITEM_ID_SIZE], language[VL_LANG_SIZE];
    double verdict, distance; /* negative: none */
    bool random;
} rated;
typedef struct ratings {
    rated *list;
    size_t count, room;
} ratings;

static vl_status take_rating(const review_row *row, void *to, vl_error *error) {
    ratings *r = to;
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 256;
        rated *more = realloc(r->list, room * sizeof *more);
        if (!more)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu verdicts", room);
        r->list = more;
        r->room = room;
    }
    rated *one = &r->list[r->count++];
    *one = (rated){.verdict = row->decision.verdict,
                   .distance = row->facts.distance,
                   .random = row->facts.random};
    memcpy(one->item, row->decision.item, sizeof one->item);
    strncpy(one->language,
            row->facts.language && *row->facts.language ? row->facts.language : "und",
            sizeof one->language - 1);
    return VL_OK;
}

static void add_number(cJSON *to, const char *name, bool there, double value) {
    cJSON_AddItemToObject(
        to, name, there ? cJSON_CreateNumber(round(value * 1e4) / 1e4) : cJSON_CreateNull());
}

static cJSON *alpha_json(const alpha_result *a) {
    cJSON *json = cJSON_CreateObject();
    add_number(json, "alpha", a->defined, a->alpha);
    add_number(json, "low", a->has_interval, a->low);
    add_number(json, "high", a->has_interval, a->high);
    cJSON_AddNumberToObject(json, "units", (double)a->units);
    cJSON_AddNumberToObject(json, "values", (double)a->values);
    return json;
}

/* Wilson 1927: the score interval of a share. */
static void wilson(double share, double count, double *low, double *high) {
    const double z = 1.959964, z2 = z * z / count;
    double middle = (share + z2 / 2) / (1 + z2);
    double half = z * sqrt(share * (1 - share) / count + z2 / (4 * count)) / (1 + z2);
    *low = fmax(0, middle - half);
    *high = fmin(1, middle + half);
}

/* Ratings come by item; the strictest verdict on an item is its own, as the later ones of the
 * enum are stricter. */
static void add_estimate(cJSON *to, const ratings *all, const char *language) {
    double counts[REVIEW_REJECTED + 1] = {0}, items = 0, low = 0, high = 0;
    for (size_t i = 0, next; i < all->count; i = next) {
        const rated *r = &all->list[i];
        double verdict = r->verdict;
        bool random = r->random;
        for (next = i + 1; next < all->count && !strcmp(all->list[next].item, r->item);
             next++) {
            verdict = fmax(verdict, all->list[next].verdict);
            random = random || all->list[next].random;
        }
        if (!random || (language && strcmp(language, r->language) != 0))
            continue;
        counts[(size_t)verdict]++;
        items++;
    }
    cJSON *json = cJSON_AddObjectToObject(to, "estimate");
    double divisor = items > 0 ? items : 1;
    wilson(counts[REVIEW_ACCEPTED] / divisor, divisor, &low, &high);
    cJSON_AddNumberToObject(json, "items", items);
    for (int v = 0; v <= REVIEW_REJECTED; v++)
        add_number(json, review_verdict_name((review_verdict)v), items > 0,
                   counts[v] / divisor);
    add_number(json, "low", items > 0, low);
    add_number(json, "high", items > 0, high);
}

/* Of one language, or (NULL) of all. */
static vl_status add_alphas(cJSON *to, const ratings *all, const char *language,
                            vl_error *error) {
    static const char *const names[] = {"verdicts", "texts"};
    alpha_rating *values = calloc(all->count + 1, sizeof *values);
    vl_status status = values ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (int which = 0; which < 2 && !status; which++) {
        alpha_result result;
        size_t count = 0;
        for (size_t i = 0; i < all->count; i++) {
            const rated *r = &all->list[i];
            double value = which ? r->distance : r->verdict;
            if (value >= 0 && (!language || !strcmp(language, r->language)))
                values[count++] = (alpha_rating){strtoull(r->item, NULL, 16), value};
        }
        status = alpha_of(which ? ALPHA_INTERVAL : ALPHA_NOMINAL, values, count, SEED, &result,
                          error);
        if (!status)
            cJSON_AddItemToObject(to, names[which], alpha_json(&result));
    }
    free(values);
    if (!status)
        add_estimate(to, all, language);
    return status;
}

static vl_status add_languages(cJSON *to, const ratings *all, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < all->count && !status; i++) {
        const char *language = all->list[i].language;
        if (cJSON_GetObjectItemCaseSensitive(to, language))
            continue;
        cJSON *one = cJSON_AddObjectToObject(to, language);
        status = one ? add_alphas(one, all, language, error)
                     : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    return status;
}

vl_status review_agreement(vl_db *db, vl_buf *json, vl_error *error) {
    ratings all = {0};
    cJSON *root = cJSON_CreateObject(), *overall = cJSON_AddObjectToObject(root, "overall"),
          *languages = cJSON_AddObjectToObject(root, "languages");
    vl_status status = overall && languages
                           ? review_verdicts(db, NULL, NULL, take_rating, &all, error)
                           : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = add_alphas(overall, &all, NULL, error);
    if (!status)
        status = add_languages(languages, &all, error);
    char *text = status ? NULL : cJSON_PrintUnformatted(root);
    if (text)
        vl_buf_puts(json, text);
    if (!status)
        status = text ? vl_buf_status(json, "the agreement", error)
                      : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    cJSON_free(text);
    cJSON_Delete(root);
    free(all.list);
    return status;
}
