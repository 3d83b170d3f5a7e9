/* langid_groups.c — sorts the languages behind "und" into groups of relatives, each of which
 * becomes one label: one set of linear weights cannot stand for 400 languages, a dozen can
 * stand for a dozen families.
 *
 * Spherical k-means (Dhillon and Modha 2001) over hashed n-gram frequencies, begun from files
 * far from one another, so that nothing depends on chance. */
#include "text/langid_model.h"
#include "train/langid_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSIONS = 1024, ROUNDS = 20, MAX_GROUPS = 256 };

typedef float profile[DIMENSIONS];

static void to_unit(profile p) {
    float length = 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        length += p[i] * p[i];
    length = length > 0 ? 1 / sqrtf(length) : 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        p[i] *= length;
}

static float cosine(const profile a, const profile b) {
    float sum = 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Square roots of the frequencies, so that the few commonest n-grams are not everything. */
static void describe(const langid_lines *file, profile p) {
    uint32_t features[VL_LANGID_MAX_FEATURES];
    memset(p, 0, sizeof(profile));
    for (size_t i = 0; i < file->count; i++) {
        size_t count = vl_langid_features(file->items[i], DIMENSIONS, features, NULL);
        for (size_t f = 0; f < count; f++)
            p[features[f]]++;
    }
    for (size_t i = 0; i < DIMENSIONS; i++)
        p[i] = sqrtf(p[i]);
    to_unit(p);
}

/* Each centre after the first is the profile least like every centre before it. */
static void choose_centres(profile *profiles, size_t count, profile *centres, size_t groups) {
    memcpy(centres[0], profiles[0], sizeof(profile));
    for (size_t g = 1; g < groups; g++) {
        size_t farthest = 0;
        float least = 2;
        for (size_t i = 0; i < count; i++) {
            float nearest = -1;
            for (size_t c = 0; c < g; c++)
                nearest = fmaxf(nearest, cosine(profiles[i], centres[c]));
            if (nearest < least) {
                least = nearest;
                farthest = i;
            }
        }
        memcpy(centres[g], profiles[farthest], sizeof(profile));
    }
}

static void assign(profile *profiles, size_t count, profile *centres, size_t groups,
                   uint32_t *group) {
    for (size_t i = 0; i < count; i++) {
        float best = -2;
        for (size_t g = 0; g < groups; g++) {
            float likeness = cosine(profiles[i], centres[g]);
            if (likeness > best) {
                best = likeness;
                group[i] = (uint32_t)g;
            }
        }
    }
}

static void move_centres(profile *profiles, size_t count, profile *centres, size_t groups,
                         const uint32_t *group) {
    memset(centres, 0, groups * sizeof(profile));
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < DIMENSIONS; d++)
            centres[group[i]][d] += profiles[i][d];
    for (size_t g = 0; g < groups; g++)
        to_unit(centres[g]);
}

vl_status langid_group(const langid_lines *files, size_t count, uint32_t groups,
                       uint32_t *group, vl_error *error) {
    if (!groups || groups > MAX_GROUPS || groups > count)
        return vl_fail(error, VL_ERR_INPUT, "%zu unknown languages make no %u groups", count,
                       groups);
    profile *profiles = malloc((count + groups) * sizeof *profiles);
    if (!profiles)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu languages", count);
    profile *centres = profiles + count;
    for (size_t i = 0; i < count; i++)
        describe(&files[i], profiles[i]);
    choose_centres(profiles, count, centres, groups);
    for (int round = 0; round < ROUNDS; round++) {
        assign(profiles, count, centres, groups, group);
        move_centres(profiles, count, centres, groups, group);
    }
    free(profiles);
    return VL_OK;
}
