/* sources.c — the table of sources (source.h), in the order that the help lists them. */
#include "harvest/source.h"

#include <string.h>

const vl_source *const vl_sources[] = {
    /* clang-format off */
    &vl_source_dir,
    &vl_source_reliefweb,
    &vl_source_hdx,
    &vl_source_hapi,
    &vl_source_who,
    &vl_source_unhcr,
    &vl_source_unhcr_portal,
    &vl_source_unicef,
    &vl_source_wfp,
    &vl_source_site,
    NULL,
    /* clang-format on */
};

vl_status vl_source_find(const char *name, const vl_source **source, vl_error *error) {
    enum { MAX = sizeof vl_sources / sizeof *vl_sources };
    const char *names[MAX] = {NULL};
    size_t count = 0;
    for (; vl_sources[count]; count++) {
        names[count] = vl_sources[count]->name;
        if (!strcmp(names[count], name)) {
            *source = vl_sources[count];
            return VL_OK;
        }
    }
    const char *nearest = vl_nearest_name(name, names, count);
    return vl_fail(error, VL_ERR_USAGE, "there is no source '%.60s'%s%s%s", name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "");
}
