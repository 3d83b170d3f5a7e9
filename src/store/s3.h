/* s3.h — objects in a bucket of an S3-compatible server: put, get, list, delete.
 *
 * Requests are signed with AWS Signature Version 4 (AWS General Reference, "Signature Version 4
 * signing process"), path-style (endpoint/bucket/key), with the payload's digest in the
 * signature, so that what arrives is what was sent. Large files go in parts. A request that
 * fails on the way, or with 5xx, is tried again twice.
 *
 * Errors: VL_ERR_DENIED: 401, 403; VL_ERR_INPUT: there is no such object or bucket;
 * VL_ERR_MISSING: the server cannot be reached; VL_ERR_IO: anything else it says. */
#ifndef VL_STORE_S3_H
#define VL_STORE_S3_H

#include <vislang/store.h>

/* ---- signing: s3_sign.c -------------------------------------------------------------------
 */

typedef struct s3_header {
    const char *name, *value; /* name in lower case, value without spaces around it */
} s3_header;
typedef struct s3_signing {
    const char *access_key, *secret_key, *region;
    const char *method, *path, *query; /* path and query URI-encoded, the query in order */
    const s3_header *headers; /* in order of their names; host and x-amz-* among them */
    size_t header_count;
    const char *payload_sha256; /* hexadecimal */
    const char *time;           /* "20130524T000000Z" */
} s3_signing;
/* Appends the value of Authorization. */
vl_status s3_sign(const s3_signing *signing, vl_buf *out, vl_error *error);
/* URI encoding as signatures want it: all but A–Z a–z 0–9 - . _ ~, and '/' where `path`. */
void s3_encode(const char *text, bool path, vl_buf *out);

/* ---- buckets: s3.c ------------------------------------------------------------------------
 */

/* "s3://bucket/key" */
typedef struct s3_place {
    char bucket[64];
    char key[1024]; /* "" the bucket itself */
} s3_place;
vl_status s3_place_parse(const char *url, s3_place *place, vl_error *error);

typedef struct s3_client s3_client;
/* One thread at a time. `options` must outlive it. */
vl_status s3_open(const vl_s3_options *options, s3_client **client, vl_error *error);
void s3_close(s3_client *client);
vl_status s3_put_file(s3_client *client, const s3_place *place, const char *path,
                      vl_error *error);
vl_status s3_get_file(s3_client *client, const s3_place *place, const char *path,
                      vl_error *error);
vl_status s3_delete(s3_client *client, const s3_place *place, vl_error *error);
/* Keys that begin with place->key, in their order. */
typedef vl_status (*s3_key_fn)(const char *key, void *to, vl_error *error);
vl_status s3_list(s3_client *client, const s3_place *place, s3_key_fn give, void *to,
                  vl_error *error);
/* The text of the first <tag> in XML from `*at` on, entities resolved; *at moves behind it.
 * False: there is none that fits. */
bool s3_xml_text(const char **at, const char *tag, char *out, size_t size);

#endif
