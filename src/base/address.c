/* address.c — addresses, networks, what of them is public, and the walk through
 * X-Forwarded-For. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const vl_address *address) {
    return !memcmp(address->bytes, mapped, sizeof mapped);
}

static bool is_known(const vl_address *address) {
    static const vl_address none;
    return memcmp(address, &none, sizeof none) != 0;
}

/* ---- one address --------------------------------------------------------------------- */

static bool parse_bare(const char *text, size_t length, vl_address *address) {
    char copy[VL_ADDRESS_TEXT_SIZE];
    if (!length || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET6, copy, address->bytes) == 1)
        return true;
    memcpy(address->bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, copy, address->bytes + sizeof mapped) == 1;
}

static bool is_port(const char *text, size_t length) {
    if (length < 2 || length > 6 || *text != ':')
        return false;
    for (size_t i = 1; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

bool vl_address_parse(const char *text, size_t length, vl_address *address) {
    const char *end = text + length;
    if (length && *text == '[') {
        const char *bracket = memchr(text, ']', length);
        if (!bracket || !memchr(text, ':', (size_t)(bracket - text)))
            return false;
        size_t rest = (size_t)(end - bracket) - 1;
        return (!rest || is_port(bracket + 1, rest)) &&
               parse_bare(text + 1, (size_t)(bracket - text) - 1, address);
    }
    const char *colon = length ? memchr(text, ':', length) : NULL;
    bool has_port = colon && memchr(text, '.', (size_t)(colon - text));
    if (!has_port)
        return parse_bare(text, length, address);
    return is_port(colon, (size_t)(end - colon)) &&
           parse_bare(text, (size_t)(colon - text), address);
}

void vl_address_from_socket(const struct sockaddr *from, vl_address *address) {
    *address = (vl_address){0};
    if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from;
        memcpy(address->bytes, &in6->sin6_addr, sizeof address->bytes);
    } else if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;
        memcpy(address->bytes, mapped, sizeof mapped);
        memcpy(address->bytes + sizeof mapped, &in->sin_addr, 4);
    }
}

void vl_address_format(const vl_address *address, char text[VL_ADDRESS_TEXT_SIZE]) {
    if (!is_known(address))
        snprintf(text, VL_ADDRESS_TEXT_SIZE, "-");
    else if (is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + sizeof mapped, text, VL_ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address->bytes, text, VL_ADDRESS_TEXT_SIZE);
}

bool vl_address_is_loopback(const vl_address *address) {
    static const uint8_t one[16] = {[15] = 1};
    return is_ipv4(address) ? address->bytes[12] == 127
                            : !memcmp(address->bytes, one, sizeof one);
}

void vl_address_owner(const vl_address *address, unsigned bits, vl_address *owner) {
    *owner = *address;
    if (!is_ipv4(address))
        memset(owner->bytes + bits / 8, 0, sizeof owner->bytes - bits / 8);
}

/* ---- networks ------------------------------------------------------------------------ */

/* Whether the first `bits` agree. */
static bool agree(const vl_address *a, const vl_address *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return !memcmp(a->bytes, b->bytes, whole) &&
           (!rest || !((a->bytes[whole] ^ b->bytes[whole]) & mask));
}

static bool has_bits_behind(const vl_network *network) {
    vl_address cut = network->address;
    for (unsigned bit = network->bits; bit < 128; bit++)
        cut.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return memcmp(&cut, &network->address, sizeof cut) != 0;
}

static bool parse_network(const char *text, size_t length, vl_network *network) {
    const char *slash = memchr(text, '/', length);
    size_t bare = slash ? (size_t)(slash - text) : length;
    if (!parse_bare(text, bare, &network->address))
        return false;
    /* An IPv4 network's length is counted behind the 96 bits that stand for it. */
    unsigned before = is_ipv4(&network->address) && !memchr(text, ':', bare) ? 96 : 0;
    network->bits = 128;
    if (!slash)
        return true;
    size_t digits = length - bare - 1;
    if (!digits || digits > 3 || strspn(slash + 1, "0123456789") < digits)
        return false;
    network->bits = before + (unsigned)strtoul(slash + 1, NULL, 10);
    return network->bits <= 128 && !has_bits_behind(network);
}

vl_status vl_networks_parse(const char *list, vl_networks *networks, vl_error *error) {
    networks->count = 0;
    for (const char *p = list; *(p += strspn(p, ", \t"));) {
        size_t length = strcspn(p, ", \t");
        if (networks->count == VL_NETWORKS_MAX)
            return vl_fail(error, VL_ERR_USAGE, "there are more than %d networks",
                           VL_NETWORKS_MAX);
        if (!parse_network(p, length, &networks->list[networks->count]))
            return vl_fail(error, VL_ERR_USAGE,
                           "'%.*s' is no network (192.0.2.7, 10.0.0.0/8, 2001:db8::/32)",
                           (int)(length > 60 ? 60 : length), p);
        networks->count++;
        p += length;
    }
    return VL_OK;
}

bool vl_networks_hold(const vl_networks *networks, const vl_address *address) {
    for (size_t i = 0; i < networks->count; i++)
        if (agree(&networks->list[i].address, address, networks->list[i].bits))
            return true;
    return false;
}

/* ---- public -------------------------------------------------------------------------- */

/* IANA's registries of special-purpose addresses, IPv4 and IPv6, and multicast: what of them is
 * not globally reachable, and 2001::/23 whole. */
static const char special[] =
    "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, "
    "192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, "
    "198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4, "
    "2001::/23, 2001:db8::/32, 3fff::/20";
static const char global_unicast[] = "2000::/3";

/* The IPv4 address that another carries: 6to4 (RFC 3056) and NAT64 (RFC 6052) reach it. */
static bool carried(const vl_address *address, vl_address *ipv4) {
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const uint8_t *from = !memcmp(address->bytes, six_to_four, sizeof six_to_four)
                              ? address->bytes + 2
                          : !memcmp(address->bytes, nat64, sizeof nat64) ? address->bytes + 12
                                                                         : NULL;
    if (!from)
        return false;
    memcpy(ipv4->bytes, mapped, sizeof mapped);
    memcpy(ipv4->bytes + sizeof mapped, from, 4);
    return true;
}

bool vl_address_is_public(const vl_address *address) {
    vl_networks not_public, unicast;
    vl_address inner;
    if (carried(address, &inner))
        return vl_address_is_public(&inner);
    if (vl_networks_parse(special, &not_public, NULL) ||
        vl_networks_parse(global_unicast, &unicast, NULL))
        return false;
    return !vl_networks_hold(&not_public, address) &&
           (is_ipv4(address) || vl_networks_hold(&unicast, address));
}

/* ---- the client ---------------------------------------------------------------------- */

/* The last item of text[0..*length), without white space; what is before it stays. */
static const char *last_item(const char *text, size_t *length, size_t *item_length) {
    size_t end = *length, start;
    while (end && strchr(" \t", text[end - 1]))
        end--;
    for (start = end; start && text[start - 1] != ','; start--)
        ;
    *length = start ? start - 1 : 0;
    while (start < end && strchr(" \t", text[start]))
        start++;
    *item_length = end - start;
    return text + start;
}

void vl_address_client(const vl_address *peer, const vl_networks *trusted,
                       const char *const *forwarded, size_t count, vl_address *client) {
    *client = *peer;
    while (count--) {
        size_t left = strlen(forwarded[count]), length;
        do {
            vl_address hop;
            if (!vl_networks_hold(trusted, client))
                return;
            const char *item = last_item(forwarded[count], &left, &length);
            if (!vl_address_parse(item, length, &hop))
                return;
            *client = hop;
        } while (left);
    }
}
