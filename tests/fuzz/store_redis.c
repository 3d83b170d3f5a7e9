/* store_redis.c — any bytes as answers of Redis: each answer that hiredis makes of them is
 * taken for that of every command. */
#include "store/redis_replies.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_all_ways(const redisReply *reply) {
    char cursor[REDIS_CURSOR_SIZE] = "", version[REDIS_VERSION_SIZE] = "";
    int64_t numbers[NUMBERS] = {0};
    redis_node master = {0};
    redis_redirect to = {0};
    if (redis_reply_master(reply, &master) &&
        (!*master.host || master.port < 1 || master.port > 65535))
        abort();
    if (redis_reply_redirect(reply, &to) &&
        (to.slot >= REDIS_SLOTS || to.node.port < 1 || to.node.port > 65535 ||
         strlen(to.node.host) >= REDIS_HOST_SIZE))
        abort();
    const redisReply *keys = redis_reply_page(reply, cursor);
    if (keys && !*cursor)
        abort();
    for (size_t i = 0; keys && i < keys->elements; i++)
        if (strlen(keys->element[i]->str) > keys->element[i]->len)
            abort();
    redis_reply_numbers(reply, numbers, NUMBERS);
    redis_reply_version(reply, version);
}

/* hiredis 0.14 makes room for as many elements as an array says it has. */
static bool is_of_some_size(const uint8_t *data, size_t size) {
    size_t digits = 0;
    bool counts = false;
    for (size_t i = 0; i < size; i++) {
        if (data[i] < '0' || data[i] > '9') {
            counts = data[i] == '*' || (counts && data[i] == '+');
            digits = 0;
        } else if (counts && ++digits > 6) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    if (!reader)
        return 0;
    if (is_of_some_size(data, size) &&
        redisReaderFeed(reader, (const char *)data, size) == REDIS_OK)
        while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
            take_all_ways(reply);
            freeReplyObject(reply);
            reply = NULL;
        }
    redisReaderFree(reader);
    return 0;
}
