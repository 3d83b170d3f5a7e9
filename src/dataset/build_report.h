/* build_report.h — what a build came to, as JSON and back. */
#ifndef VL_DATASET_BUILD_REPORT_H
#define VL_DATASET_BUILD_REPORT_H

#include <vislang/dataset.h>

#include <cJSON.h>

/* All but chunks and seconds, so that it is the same however it was built. NULL: no memory. */
cJSON *build_report_json(const vl_build_report *report);
/* From the report.json of a finished dataset. */
vl_status build_report_read(const char *folder, vl_build_report *report, vl_error *error);
/* Counts a document that was not read, by why. */
void build_report_count(vl_build_report *report, const char *reason);

#endif
