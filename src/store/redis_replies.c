/* redis_replies.c — answers of Redis, read with care. */
#include "store/redis_replies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const redisReply *reply) {
    return reply->type == REDIS_REPLY_STRING && reply->str;
}

static bool is_array(const redisReply *reply, size_t elements) {
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

static bool take_port(const char *text, int *port) {
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 5 || text[digits])
        return false;
    *port = atoi(text);
    return *port > 0 && *port < 65536;
}

bool redis_reply_master(const redisReply *reply, redis_node *master) {
    int port;
    if (!is_array(reply, 2) || !is_text(reply->element[0]) || !is_text(reply->element[1]) ||
        !reply->element[0]->len || reply->element[0]->len >= REDIS_HOST_SIZE ||
        !take_port(reply->element[1]->str, &port))
        return false;
    snprintf(master->host, sizeof master->host, "%s", reply->element[0]->str);
    master->port = port;
    return *master->host;
}

bool redis_reply_redirect(const redisReply *reply, redis_redirect *to) {
    char place[REDIS_HOST_SIZE + 8];
    redis_redirect said = {0};
    if (reply->type != REDIS_REPLY_ERROR || !reply->str)
        return false;
    said.moved = !strncmp(reply->str, "MOVED ", 6);
    if (!said.moved && strncmp(reply->str, "ASK ", 4) != 0)
        return false;
    if (sscanf(strchr(reply->str, ' '), " %5u %263s", &said.slot, place) != 2 ||
        said.slot >= REDIS_SLOTS)
        return false;
    char *colon = strrchr(place, ':');
    if (!colon || colon - place >= REDIS_HOST_SIZE || !take_port(colon + 1, &said.node.port))
        return false;
    memcpy(said.node.host, place, (size_t)(colon - place));
    *to = said;
    return true;
}

const redisReply *redis_reply_page(const redisReply *reply, char cursor[REDIS_CURSOR_SIZE]) {
    if (!is_array(reply, 2) || !is_text(reply->element[0]))
        return NULL;
    const redisReply *next = reply->element[0], *keys = reply->element[1];
    if (keys->type != REDIS_REPLY_ARRAY || !next->len || next->len >= REDIS_CURSOR_SIZE ||
        strspn(next->str, "0123456789") != next->len)
        return NULL;
    for (size_t i = 0; i < keys->elements; i++)
        if (!is_text(keys->element[i]))
            return NULL;
    memcpy(cursor, next->str, next->len + 1);
    return keys;
}

static bool take_number(const redisReply *reply, int64_t *number) {
    char *end;
    if (reply->type == REDIS_REPLY_INTEGER) {
        *number = reply->integer;
        return true;
    }
    if (!is_text(reply) || !reply->len)
        return false;
    *number = strtoll(reply->str, &end, 10);
    return !*end;
}

bool redis_reply_numbers(const redisReply *reply, int64_t *numbers, size_t count) {
    int64_t number;
    if (!is_array(reply, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take_number(reply->element[i], &number))
            return false;
    for (size_t i = 0; i < count; i++)
        take_number(reply->element[i], &numbers[i]);
    return true;
}

bool redis_reply_version(const redisReply *reply, char version[REDIS_VERSION_SIZE]) {
    static const char label[] = "redis_version:";
    const char *at = is_text(reply) ? strstr(reply->str, label) : NULL;
    if (!at)
        return false;
    at += sizeof label - 1;
    snprintf(version, REDIS_VERSION_SIZE, "%.*s", (int)strcspn(at, "\r\n"), at);
    return true;
}
