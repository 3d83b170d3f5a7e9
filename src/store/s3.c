/* s3.c — requests to an S3-compatible server over libcurl.
 *
 *   request             signed, sent, tried again
 *   s3_put_file         at once, or in parts (CreateMultipartUpload … CompleteMultipartUpload)
 *   s3_get_file, s3_delete, s3_list */
#include "store/s3.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    REPLY_MAX = 4 << 20,
    URL_MAX_BYTES = 8192,
    TRIES = 3,
    CONNECT_SECONDS = 10,
    STALLED_SECONDS = 60,
    PARTS_MAX = 10000,
    HEADERS_MAX = 6,
    ID_MAX = 1024,
};

struct s3_client {
    const vl_s3_options *options;
    char host[256];
    CURL *curl;
};

/* ---- places -------------------------------------------------------------------------------
 */

bool vl_s3_is_url(const char *text) {
    return !strncmp(text, "s3://", 5);
}

vl_status s3_place_parse(const char *url, s3_place *place, vl_error *error) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    const char *bucket = vl_s3_is_url(url) ? url + 5 : "";
    size_t length = strcspn(bucket, "/");
    const char *key = bucket + length + (bucket[length] == '/');
    if (length < 3 || length >= sizeof place->bucket || strspn(bucket, allowed) < length)
        return vl_fail(error, VL_ERR_USAGE, "%s: not s3://bucket/key", url);
    if (strlen(key) >= sizeof place->key)
        return vl_fail(error, VL_ERR_USAGE, "%s: too long a key", url);
    snprintf(place->bucket, sizeof place->bucket, "%.*s", (int)length, bucket);
    snprintf(place->key, sizeof place->key, "%s", key);
    return VL_OK;
}

vl_s3_options vl_s3_options_from_config(const vl_config *config) {
    return (vl_s3_options){.endpoint = vl_config_string(config, "s3_endpoint"),
                           .region = vl_config_string(config, "aws_region"),
                           .access_key = vl_config_string(config, "aws_access_key_id"),
                           .secret_key = vl_config_string(config, "aws_secret_access_key"),
                           .token = vl_config_string(config, "aws_session_token")};
}

/* ---- a client -----------------------------------------------------------------------------
 */

static void start_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* "https://s3.example.org" or with a port; no path. */
static vl_status read_endpoint(s3_client *client, vl_error *error) {
    const char *endpoint = client->options->endpoint;
    if (!*endpoint) {
        snprintf(client->host, sizeof client->host, "s3.%s.amazonaws.com",
                 client->options->region);
        return VL_OK;
    }
    const char *host = strstr(endpoint, "://");
    size_t length = host ? strcspn(host + 3, "/") : 0;
    bool known = !strncmp(endpoint, "https://", 8) || !strncmp(endpoint, "http://", 7);
    if (!known || !length || length >= sizeof client->host || strlen(host + 3 + length) > 1)
        return vl_fail(error, VL_ERR_USAGE, "s3_endpoint is http(s)://host[:port], not '%s'",
                       endpoint);
    snprintf(client->host, sizeof client->host, "%.*s", (int)length, host + 3);
    return VL_OK;
}

vl_status s3_open(const vl_s3_options *options, s3_client **opened, vl_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *opened = NULL;
    if (!*options->access_key || !*options->secret_key)
        return vl_fail(error, VL_ERR_USAGE,
                       "s3:// needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    pthread_once(&once, start_curl);
    s3_client *client = calloc(1, sizeof *client);
    if (!client || !(client->curl = curl_easy_init())) {
        free(client);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a connection");
    }
    client->options = options;
    vl_status status = read_endpoint(client, error);
    if (status)
        s3_close(client);
    else
        *opened = client;
    return status;
}

void s3_close(s3_client *client) {
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

/* ---- one request --------------------------------------------------------------------------
 */

typedef struct call {
    const char *method;
    const s3_place *place;
    bool of_bucket;    /* the key is not in the path */
    const char *query; /* URI-encoded and in order; "" none */
    const void *body;
    size_t body_bytes;
    vl_file_writer *file; /* for what comes; NULL: into `reply` */
    vl_buf *reply;        /* also what an error says */
    char etag[256];       /* of the reply */
} call;

typedef struct transfer {
    s3_client *client;
    call *what;
    vl_error file_error;
} transfer;

static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    transfer *t = user;
    long status = 0;
    curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (t->what->file && status == 200)
        return vl_file_writer_put(t->what->file, bytes, size * count, &t->file_error)
                   ? 0
                   : size * count;
    vl_buf_append(t->what->reply, bytes, size * count);
    return t->what->reply->failed ? 0 : size * count;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *user) {
    transfer *t = user;
    size_t length = size * count;
    if (length > 5 && !strncasecmp(bytes, "etag:", 5)) {
        size_t from = 5;
        while (from < length && bytes[from] == ' ')
            from++;
        while (length > from && strchr("\r\n ", bytes[length - 1]))
            length--;
        snprintf(t->what->etag, sizeof t->what->etag, "%.*s", (int)(length - from),
                 bytes + from);
    }
    return size * count;
}

static vl_status add_line(struct curl_slist **list, const char *name, const char *value,
                          vl_error *error) {
    vl_buf line;
    vl_buf_init(&line, URL_MAX_BYTES);
    vl_buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *longer = line.failed ? NULL : curl_slist_append(*list, line.data);
    vl_buf_deinit(&line);
    if (!longer)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a request");
    *list = longer;
    return VL_OK;
}

/* What is signed, and the signature. */
static vl_status build_headers(const s3_client *client, const call *c, const char *path,
                               struct curl_slist **list, vl_error *error) {
    char digest[VL_SHA256_HEX_SIZE], stamp[20];
    time_t now = time(NULL);
    struct tm parts;
    const vl_s3_options *o = client->options;
    vl_buf signature;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    vl_sha256_hex(c->body ? c->body : "", c->body_bytes, digest);
    s3_header headers[HEADERS_MAX] = {
        {"host", client->host}, {"x-amz-content-sha256", digest}, {"x-amz-date", stamp}};
    size_t count = 3;
    if (o->token && *o->token)
        headers[count++] = (s3_header){"x-amz-security-token", o->token};
    s3_signing signing = {o->access_key, o->secret_key, o->region, c->method, path,
                          c->query,      headers,       count,     digest,    stamp};
    vl_buf_init(&signature, URL_MAX_BYTES);
    vl_status status = s3_sign(&signing, &signature, error);
    for (size_t i = 0; i < count && !status; i++)
        status = add_line(list, headers[i].name, headers[i].value, error);
    if (!status)
        status = add_line(list, "Authorization", signature.data, error);
    if (!status && c->body)
        status = add_line(list, "Content-Type", "application/octet-stream", error);
    vl_buf_deinit(&signature);
    return status;
}

static void build_path(const call *c, vl_buf *path) {
    vl_buf_printf(path, "/%s", c->place->bucket);
    if (c->of_bucket)
        return;
    vl_buf_puts(path, "/");
    s3_encode(c->place->key, true, path);
}

/* What the server says went wrong, in its words. */
static vl_status say(const s3_client *client, const call *c, long http, vl_error *error) {
    char code[128] = "", message[256] = "";
    const char *at = c->reply->data ? c->reply->data : "", *again = at;
    s3_xml_text(&at, "Code", code, sizeof code);
    s3_xml_text(&again, "Message", message, sizeof message);
    vl_status status = http == 401 || http == 403 ? VL_ERR_DENIED
                       : http == 404              ? VL_ERR_INPUT
                                                  : VL_ERR_IO;
    return vl_fail(error, status, "s3://%s/%s at %s: %ld %s %s", c->place->bucket,
                   c->of_bucket ? "" : c->place->key, client->host, http, code, message);
}

static vl_status send_once(s3_client *client, call *c, const char *path, bool *again,
                           vl_error *error) {
    char url[URL_MAX_BYTES], detail[CURL_ERROR_SIZE] = "";
    transfer t = {client, c, {0}};
    struct curl_slist *headers = NULL;
    CURL *curl = client->curl;
    bool plain = !strncmp(client->options->endpoint, "http://", 7);
    long http = 0;
    *again = false;
    vl_buf_clear(c->reply);
    if (snprintf(url, sizeof url, "%s://%s%s%s%s", plain ? "http" : "https", client->host, path,
                 *c->query ? "?" : "", c->query) >= (int)sizeof url)
        return vl_fail(error, VL_ERR_USAGE, "too long a key");
    vl_status status = build_headers(client, c, path, &headers, error);
    if (status)
        goto out;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "vislang/" VL_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &t);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    if (c->body || !strcmp(c->method, "POST") || !strcmp(c->method, "PUT")) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body ? c->body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_bytes);
        struct curl_slist *more = curl_slist_append(headers, "Expect:");
        headers = more ? more : headers;
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (t.file_error.status) {
        status = vl_fail(error, t.file_error.status, "%s", t.file_error.message);
    } else if (code) {
        *again = true;
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", client->host,
                         *detail ? detail : curl_easy_strerror(code));
    } else if (http < 200 || http > 299) {
        *again = http >= 500 || http == 429;
        status = say(client, c, http, error);
    }
out:
    curl_slist_free_all(headers);
    return status;
}

/* A body that went to a file cannot be begun again. */
static vl_status request(s3_client *client, call *c, vl_error *error) {
    vl_buf path;
    bool again = false;
    vl_buf_init(&path, URL_MAX_BYTES);
    build_path(c, &path);
    vl_status status = vl_buf_status(&path, "a key", error);
    for (int i = 0; i < TRIES && (i == 0 || (status && again && !c->file)); i++) {
        if (i)
            nanosleep(&(struct timespec){.tv_nsec = 200000000L << i}, NULL);
        if (path.failed)
            break;
        status = send_once(client, c, path.data, &again, error);
    }
    vl_buf_deinit(&path);
    return status;
}

/* ---- XML ----------------------------------------------------------------------------------
 */

static size_t entity(const char *at, char *out) {
    static const struct {
        const char *name;
        char c;
    } known[] = {{"&amp;", '&'},   {"&lt;", '<'},  {"&gt;", '>'},   {"&quot;", '"'},
                 {"&apos;", '\''}, {"&#34;", '"'}, {"&#39;", '\''}, {"&#38;", '&'}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(at, known[i].name, strlen(known[i].name))) {
            *out = known[i].c;
            return strlen(known[i].name);
        }
    *out = *at;
    return 1;
}

bool s3_xml_text(const char **at, const char *tag, char *out, size_t size) {
    char open[64], close[64];
    snprintf(open, sizeof open, "<%s>", tag);
    snprintf(close, sizeof close, "</%s>", tag);
    const char *from = strstr(*at, open), *end = from ? strstr(from, close) : NULL;
    size_t n = 0;
    if (!end)
        return false;
    for (from += strlen(open); from < end && n + 1 < size; n++)
        from += entity(from, &out[n]);
    out[n] = '\0';
    *at = end + strlen(close);
    return from >= end;
}

/* ---- putting ------------------------------------------------------------------------------
 */

static vl_status put_part(s3_client *client, const s3_place *place, const char *query,
                          const void *body, size_t bytes, char etag[256], vl_error *error) {
    vl_buf reply;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"PUT", place, false, query, body, bytes, NULL, &reply, ""};
    vl_status status = request(client, &c, error);
    snprintf(etag, 256, "%s", c.etag);
    vl_buf_deinit(&reply);
    return status;
}

static vl_status begin_parts(s3_client *client, const s3_place *place, char id[ID_MAX],
                             vl_error *error) {
    vl_buf reply;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"POST", place, false, "uploads=", NULL, 0, NULL, &reply, ""};
    vl_status status = request(client, &c, error);
    const char *at = reply.data ? reply.data : "";
    if (!status && !s3_xml_text(&at, "UploadId", id, ID_MAX))
        status = vl_fail(error, VL_ERR_IO, "%s: began no upload", client->host);
    vl_buf_deinit(&reply);
    return status;
}

/* With 200 a server may still say that it failed (CompleteMultipartUpload, "Error"). */
static vl_status end_parts(s3_client *client, const s3_place *place, const char *query,
                           const vl_buf *list, vl_error *error) {
    vl_buf reply;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"POST", place, false, query, list->data, list->len, NULL, &reply, ""};
    vl_status status = request(client, &c, error);
    if (!status && (!reply.data || !strstr(reply.data, "CompleteMultipartUploadResult")))
        status = say(client, &c, 200, error);
    vl_buf_deinit(&reply);
    return status;
}

static void drop_parts(s3_client *client, const s3_place *place, const char *query) {
    vl_buf reply;
    vl_error unused;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"DELETE", place, false, query, NULL, 0, NULL, &reply, ""};
    request(client, &c, &unused);
    vl_buf_deinit(&reply);
}

static vl_status put_parts(s3_client *client, const s3_place *place, FILE *file, uint8_t *part,
                           size_t part_bytes, vl_error *error) {
    char id[ID_MAX], etag[256];
    vl_buf of_upload, query, list;
    vl_status status = begin_parts(client, place, id, error);
    if (status)
        return status;
    vl_buf_init(&of_upload, 4 * ID_MAX);
    vl_buf_init(&query, 4 * ID_MAX);
    vl_buf_init(&list, REPLY_MAX);
    vl_buf_puts(&of_upload, "uploadId=");
    s3_encode(id, false, &of_upload);
    vl_buf_puts(&list, "<CompleteMultipartUpload>");
    size_t got;
    for (int number = 1; !status && (got = fread(part, 1, part_bytes, file)) > 0; number++) {
        if (number > PARTS_MAX)
            status = vl_fail(error, VL_ERR_LIMIT, "a copy of more than %d parts", PARTS_MAX);
        vl_buf_clear(&query);
        vl_buf_printf(&query, "partNumber=%d&%s", number, of_upload.data);
        if (!status)
            status = put_part(client, place, query.data, part, got, etag, error);
        vl_buf_printf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number,
                      etag);
    }
    if (!status && ferror(file))
        status = vl_fail(error, VL_ERR_IO, "%s", strerror(errno));
    vl_buf_puts(&list, "</CompleteMultipartUpload>");
    if (!status)
        status = vl_buf_status(&list, "the list of parts", error);
    if (!status)
        status = end_parts(client, place, of_upload.data, &list, error);
    if (status)
        drop_parts(client, place, of_upload.data);
    vl_buf_deinit(&of_upload);
    vl_buf_deinit(&query);
    vl_buf_deinit(&list);
    return status;
}

vl_status s3_put_file(s3_client *client, const s3_place *place, const char *path,
                      vl_error *error) {
    enum { PART_BYTES = 16 << 20 };
    size_t part_bytes = client->options->part_bytes ? client->options->part_bytes : PART_BYTES;
    char etag[256];
    struct stat facts;
    vl_status status = VL_OK;
    uint8_t *part = malloc(part_bytes);
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &facts))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    else if (!part)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a part of a copy");
    else if (facts.st_size > (off_t)part_bytes)
        status = put_parts(client, place, file, part, part_bytes, error);
    else
        status =
            put_part(client, place, "", part, fread(part, 1, part_bytes, file), etag, error);
    if (file)
        fclose(file);
    free(part);
    return status;
}

/* ---- getting, removing, listing -----------------------------------------------------------
 */

vl_status s3_get_file(s3_client *client, const s3_place *place, const char *path,
                      vl_error *error) {
    vl_buf reply;
    vl_file_writer *file = NULL;
    vl_status status = vl_file_writer_open(path, &file, error);
    if (status)
        return status;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"GET", place, false, "", NULL, 0, file, &reply, ""};
    status = request(client, &c, error);
    if (status)
        vl_file_writer_abandon(file);
    else
        status = vl_file_writer_commit(file, error);
    vl_buf_deinit(&reply);
    return status;
}

vl_status s3_delete(s3_client *client, const s3_place *place, vl_error *error) {
    vl_buf reply;
    vl_buf_init(&reply, REPLY_MAX);
    call c = {"DELETE", place, false, "", NULL, 0, NULL, &reply, ""};
    vl_status status = request(client, &c, error);
    vl_buf_deinit(&reply);
    return status;
}

static vl_status list_page(s3_client *client, const s3_place *place, char next[ID_MAX],
                           s3_key_fn give, void *to, vl_error *error) {
    char key[1024], truncated[8] = "";
    vl_buf reply, query;
    vl_buf_init(&reply, REPLY_MAX);
    vl_buf_init(&query, URL_MAX_BYTES);
    if (*next) {
        vl_buf_puts(&query, "continuation-token=");
        s3_encode(next, false, &query);
        vl_buf_puts(&query, "&");
    }
    vl_buf_puts(&query, "list-type=2&prefix=");
    s3_encode(place->key, false, &query);
    call c = {"GET", place, true, query.data, NULL, 0, NULL, &reply, ""};
    vl_status status = vl_buf_status(&query, "a query", error);
    if (!status)
        status = request(client, &c, error);
    *next = '\0';
    const char *start = reply.data ? reply.data : "", *at = start, *more = start;
    while (!status && s3_xml_text(&at, "Key", key, sizeof key))
        status = give(key, to, error);
    at = start;
    if (!status && s3_xml_text(&at, "IsTruncated", truncated, sizeof truncated) &&
        !strcmp(truncated, "true"))
        s3_xml_text(&more, "NextContinuationToken", next, ID_MAX);
    vl_buf_deinit(&reply);
    vl_buf_deinit(&query);
    return status;
}

vl_status s3_list(s3_client *client, const s3_place *place, s3_key_fn give, void *to,
                  vl_error *error) {
    char next[ID_MAX] = "";
    vl_status status;
    do
        status = list_page(client, place, next, give, to, error);
    while (!status && *next);
    return status;
}
