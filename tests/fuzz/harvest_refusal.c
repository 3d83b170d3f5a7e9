/* harvest_refusal.c — headers and bodies of any bytes: headers up to an empty line, then the
 * body. What is made of them is for messages and waits. */
#include "harvest/refusal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As libcurl hands lines over: no NUL, no carriage return. */
static void put_headers(vl_buf *out, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (data[i] && data[i] != '\r')
            vl_buf_append(out, &data[i], 1);
    vl_buf_append(out, "\n", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char words[VL_WORDS_SIZE];
    vl_fetch_reply reply;
    const uint8_t *end = memmem(data, size, "\n\n", 2);
    size_t head = end ? (size_t)(end - data) : size;
    const char *body = (const char *)data + (end ? head + 2 : size);
    size_t bytes = end ? size - head - 2 : 0;
    vl_fetch_reply_init(&reply);
    put_headers(&reply.headers, data, head);
    reply.status = size ? 400 + data[0] % 8 : 200;
    double seconds = vl_retry_after(&reply, 1700000000);
    if (!(seconds >= 0) && seconds != -1)
        abort();
    const char *tag = vl_robots_tag(&reply, "vislang", false);
    if (!tag && vl_robots_tag(&reply, "vislang", true))
        abort();
    vl_first_words(body, bytes, words);
    if (strlen(words) >= VL_WORDS_SIZE || strpbrk(words, "\r\n\t") ||
        vl_utf8_valid_prefix(words, strlen(words)) != strlen(words))
        abort();
    if (vl_is_challenge(&reply, false, body, bytes) &&
        !vl_is_challenge(&reply, true, body, bytes))
        abort();
    vl_fetch_reply_deinit(&reply);
    return 0;
}
