/* readers.h — the parts of adapters that make records of what came, for their tests.
 *
 * Each gives the records of one answer, and says in *more whether another page follows, at
 * *place or *rows further. VL_ERR_INPUT: the answer makes no sense. Errors of call->give come
 * through. */
#ifndef VL_HARVEST_READERS_H
#define VL_HARVEST_READERS_H

#include "harvest/ask.h"
#include "harvest/json.h"

/* `limit`: how many records were asked for. */
vl_status vl_reliefweb_read(const vl_source_call *call, const cJSON *root, size_t limit,
                            vl_ask_place *place, bool *more, vl_error *error);
vl_status vl_who_read(const vl_source_call *call, const cJSON *root, size_t limit,
                      vl_ask_place *place, bool *more, vl_error *error);
vl_status vl_hdx_read(const vl_source_call *call, const cJSON *root, size_t limit,
                      vl_ask_place *place, bool *more, vl_error *error);

/* A part of HAPI: of one of its tables, of one country ("": all), from a row on. */
enum { VL_HAPI_NAME_SIZE = 96 };
typedef struct vl_hapi_place {
    char table[VL_HAPI_NAME_SIZE], country[8];
    uint64_t offset;
} vl_hapi_place;
/* *rows: how many came. None gives no record. */
vl_status vl_hapi_read(const vl_source_call *call, const cJSON *root,
                       const vl_hapi_place *place, size_t *rows, vl_error *error);

#endif
