/* oauth.c — access tokens for a program's own credentials (oauth.h). */
#include "harvest/oauth.h"
#include "harvest/ask.h"
#include "harvest/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PART_BYTES = 2048, /* of id, secret and scope, escaped */
    ANSWER_BYTES = 64 << 10,
};
static const char bearer[] = "Authorization: Bearer ";

struct vl_oauth {
    char header[sizeof bearer + VL_TOKEN_SIZE]; /* "": there is no token */
    int64_t until;                              /* vl_clock_ns; 0: it does not say */
};

bool vl_oauth_is_safe(const char *url) {
    static const char *const starts[] = {
        "https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (!strncasecmp(url, starts[i], strlen(starts[i])))
            return true;
    return false;
}

vl_oauth *vl_oauth_new(void) {
    return calloc(1, sizeof(vl_oauth));
}

void vl_oauth_drop(vl_oauth *oauth) {
    explicit_bzero(oauth, sizeof *oauth);
}

void vl_oauth_free(vl_oauth *oauth) {
    if (oauth)
        vl_oauth_drop(oauth);
    free(oauth);
}

/* ---- an answer -----------------------------------------------------------------------------
 */

/* b64token of RFC 6750, section 2.1. */
static bool is_token(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isascii((unsigned char)text[i]) ||
            (!isalnum((unsigned char)text[i]) && !strchr("-._~+/=", text[i])))
            return false;
    return length && length < VL_TOKEN_SIZE;
}

vl_status vl_oauth_read(const char *answer, size_t bytes, char token[VL_TOKEN_SIZE],
                        double *seconds, vl_error *error) {
    cJSON *root = NULL;
    vl_error why; /* may quote what came */
    token[0] = '\0';
    if (vl_json_parse(answer, bytes, &root, &why))
        return vl_fail(error, VL_ERR_INPUT, "the answer of the token's address is no JSON");
    char *text = cJSON_GetStringValue(vl_json_at(root, "access_token"));
    const char *type = cJSON_GetStringValue(vl_json_at(root, "token_type"));
    bool good = text && is_token(text) && (!type || !strcasecmp(type, "bearer"));
    if (good)
        strcpy(token, text);
    if (!vl_json_number(root, "expires_in", seconds))
        *seconds = -1;
    else if (*seconds < 0)
        *seconds = 0;
    if (text)
        explicit_bzero(text, strlen(text));
    cJSON_Delete(root);
    if (!good)
        return vl_fail(error, VL_ERR_INPUT, "the answer of the token's address has no token");
    return VL_OK;
}

/* ---- a question ----------------------------------------------------------------------------
 */

/* A buffer that holds a secret and has grown elsewhere before has left copies there: so its
 * room is taken at once. */
static void open_secret(vl_buf *buf, size_t max) {
    vl_buf_init(buf, max);
    buf->data = malloc(max + 1);
    buf->cap = buf->data ? max + 1 : 0;
    buf->failed = !buf->data;
    if (buf->data)
        buf->data[0] = '\0';
}

static void close_secret(vl_buf *buf) {
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    vl_buf_deinit(buf);
}

/* "Authorization: Basic …" of escaped id and secret (RFC 6749, section 2.3.1). */
static vl_status put_basic(const vl_oauth_client *client, vl_buf *header, vl_error *error) {
    char coded[VL_BASE64_SIZE(2 * PART_BYTES + 2)];
    vl_buf pair;
    open_secret(&pair, 2 * PART_BYTES + 1);
    vl_ask_put_escaped(&pair, client->id);
    vl_buf_puts(&pair, ":");
    vl_ask_put_escaped(&pair, client->secret);
    vl_status status = vl_buf_status(&pair, "the client's id and secret", error);
    if (!status) {
        vl_base64_encode(pair.data, pair.len, false, coded);
        vl_buf_puts(header, "Authorization: Basic ");
        vl_buf_puts(header, coded);
        status = vl_buf_status(header, "the client's id and secret", error);
    }
    explicit_bzero(coded, sizeof coded);
    close_secret(&pair);
    return status;
}

static vl_status take_bytes(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf_append(to, bytes, count);
    return vl_buf_status(to, "the answer of a token's address", error);
}

static void drop_bytes(void *to) {
    vl_buf_clear(to);
}

static vl_status ask(const vl_oauth_client *client, vl_polite *net, vl_buf *answer,
                     vl_error *error) {
    vl_buf form, basic;
    vl_fetch_reply reply;
    vl_fetch_reply_init(&reply);
    vl_buf_init(&form, PART_BYTES);
    open_secret(&basic, 6 * PART_BYTES);
    vl_buf_puts(&form, "grant_type=client_credentials");
    if (*client->scope) {
        vl_buf_puts(&form, "&scope=");
        vl_ask_put_escaped(&form, client->scope);
    }
    vl_status status = vl_buf_status(&form, "the scope", error);
    if (!status)
        status = put_basic(client, &basic, error);
    const char *const headers[] = {basic.data,
                                   "Content-Type: application/x-www-form-urlencoded",
                                   "Accept: application/json", NULL};
    const vl_polite_request request = {.url = client->url,
                                       .headers = headers,
                                       .body = form.data,
                                       .body_bytes = form.len,
                                       .api = true,
                                       .sink = take_bytes,
                                       .again = drop_bytes,
                                       .to = answer};
    if (!status)
        status = vl_polite_fetch(net, &request, &reply, error);
    if (!status && (reply.status == 400 || reply.status == 401 || reply.status == 403))
        status =
            vl_fail(error, VL_ERR_DENIED,
                    "%s gives no token (HTTP %u): are its client id, secret and scope right?",
                    client->who, reply.status);
    else if (!status && (reply.status < 200 || reply.status > 299))
        status = vl_fail(error, VL_ERR_INPUT, "%s answers HTTP %u when asked for a token",
                         client->who, reply.status);
    close_secret(&basic);
    vl_buf_deinit(&form);
    vl_fetch_reply_deinit(&reply);
    return status;
}

/* A token is used until shortly before its end, so that it does not end on its way. */
static int64_t end_of(double seconds) {
    enum { MARGIN = 60 };
    double lasts = seconds > 2 * MARGIN ? seconds - MARGIN : seconds / 2;
    if (lasts > 1e8)
        lasts = 1e8;
    return vl_clock_ns() + (int64_t)(lasts * 1e9);
}

static vl_status renew(vl_oauth *oauth, const vl_oauth_client *client, vl_polite *net,
                       vl_error *error) {
    char token[VL_TOKEN_SIZE];
    double seconds = -1;
    vl_buf answer;
    open_secret(&answer, ANSWER_BYTES);
    vl_oauth_drop(oauth);
    vl_status status = ask(client, net, &answer, error);
    if (!status)
        status = vl_oauth_read(answer.data, answer.len, token, &seconds, error);
    if (!status) {
        memcpy(oauth->header, bearer, sizeof bearer);
        strcpy(oauth->header + sizeof bearer - 1, token);
        oauth->until = seconds < 0 ? 0 : end_of(seconds);
    }
    explicit_bzero(token, sizeof token);
    close_secret(&answer);
    return status;
}

vl_status vl_oauth_header(vl_oauth *oauth, const vl_oauth_client *client, vl_polite *net,
                          const char **header, vl_error *error) {
    bool good = *oauth->header && (!oauth->until || vl_clock_ns() < oauth->until);
    vl_status status = good ? VL_OK : renew(oauth, client, net, error);
    *header = oauth->header;
    return status;
}
