/* batch.h — the files of one request that asks for many, and what is to be done with each.
 *
 * The files lie behind one another in one upload: a batch holds where each begins, what it is
 * called and what is asked of it alone. */
#ifndef VISLANG_SERVE_BATCH_H
#define VISLANG_SERVE_BATCH_H

#include "serve/upload.h"

struct cJSON;
typedef struct vl_route vl_route;
typedef struct vl_form vl_form;

typedef struct vl_batch_item {
    size_t begin, size;    /* in the upload */
    char *name;            /* of the file; "" none */
    struct cJSON *options; /* of this item alone; NULL: none */
} vl_batch_item;
typedef struct vl_batch {
    vl_batch_item *items;
    size_t count, room, max;
    struct cJSON *options; /* of the item that is being read */
} vl_batch;

vl_batch *vl_batch_new(size_t max);  /* NULL: no memory */
void vl_batch_free(vl_batch *batch); /* NULL allowed */
/* The file that has just arrived. VL_ERR_LIMIT: there are as many as allowed. */
vl_status vl_batch_add(vl_batch *batch, const vl_upload *upload, const char *name,
                       vl_error *error);
/* A member of the item that is being read. VL_ERR_INPUT: it is none that the route takes, or
 * holds what it may not. */
vl_status vl_batch_item_option(vl_batch *batch, const vl_route *route,
                               const struct cJSON *member, vl_error *error);

/* The route that does alone what a batch does often: "ocr", "caption", "predict", "scene" or
 * "vqa". NULL: no such task. */
const vl_route *vl_batch_task(const char *task);
/* What was asked of all items, as a JSON object. NULL: no memory. */
struct cJSON *vl_batch_options(const vl_form *form);
/* Whether the task takes this. */
vl_status vl_batch_check(const vl_route *task, const struct cJSON *options, vl_error *error);
/* A form as a client would send it for one item; what is asked of it alone goes before what is
 * asked of all. Options may be NULL. */
vl_status vl_batch_form(const vl_route *task, const struct cJSON *all,
                        const struct cJSON *alone, const char *name, const void *bytes,
                        size_t count, vl_form **form, vl_error *error);

#endif
