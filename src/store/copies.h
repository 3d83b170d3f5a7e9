/* copies.h — names of dated copies: "vislang-20261121T093000Z.vldb". */
#ifndef VL_STORE_COPIES_H
#define VL_STORE_COPIES_H

#include <stdbool.h>
#include <time.h>

enum { COPY_NAME_SIZE = 64 };
void copy_name(time_t made, char name[COPY_NAME_SIZE]);
/* When the copy of that name was made. False: no copy's name. */
bool copy_time(const char *name, time_t *made);

#endif
