/* address.h — where a request comes from: addresses, networks, and the client behind proxies.
 *
 * An IPv4 address is kept as the IPv6 address that stands for it (::ffff:a.b.c.d, RFC 4291,
 * section 2.5.5.2), so that the two ways of writing one are one address. Pure functions. */
#ifndef VL_BASE_ADDRESS_H
#define VL_BASE_ADDRESS_H

#include <vislang/base.h>

struct sockaddr;

enum { VL_ADDRESS_TEXT_SIZE = 46, VL_NETWORKS_MAX = 256 };
typedef struct vl_address {
    uint8_t bytes[16]; /* all zero: not known */
} vl_address;
typedef struct vl_network {
    vl_address address;
    unsigned bits; /* 0 … 128 that must agree */
} vl_network;
typedef struct vl_networks {
    vl_network list[VL_NETWORKS_MAX];
    size_t count;
} vl_networks;

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", either with ":port" behind an IPv4 address or a
 * bracket; no names, no zones. */
bool vl_address_parse(const char *text, size_t length, vl_address *address);
void vl_address_from_socket(const struct sockaddr *from, vl_address *address);
/* "192.0.2.1", "2001:db8::1", "-" when it is not known. */
void vl_address_format(const vl_address *address, char text[VL_ADDRESS_TEXT_SIZE]);
bool vl_address_is_loopback(const vl_address *address);
/* Whether it is of the public internet: global unicast, and none of IANA's special-purpose
 * registries (RFC 6890: private, link-local, loopback, shared, documentation, benchmarking,
 * multicast, …). An address that carries an IPv4 one (6to4, NAT64) is as public as that. */
bool vl_address_is_public(const vl_address *address);
/* Who is taken for one: an IPv4 address, or the first `bits` of an IPv6 one. A customer has a
 * /64 to himself at least, a site a /48 (RFC 6177 and RFC 7421). */
enum { VL_CUSTOMER_BITS = 64, VL_SITE_BITS = 48 };
void vl_address_owner(const vl_address *address, unsigned bits, vl_address *owner);

/* "10.0.0.0/8, 2001:db8::/32, 192.0.2.7"; empty: none. VL_ERR_USAGE names what is no network,
 * also one with bits set behind its length. */
vl_status vl_networks_parse(const char *list, vl_networks *networks, vl_error *error);
bool vl_networks_hold(const vl_networks *networks, const vl_address *address);

/* The client, from the address that connected and the values of X-Forwarded-For in the order
 * they came. Every proxy appends whom it was called by, so the list is true from its right end
 * as far as the hops are trusted, and no further: the client is the first that is not. What a
 * trusted proxy did not write as an address makes that proxy the client. */
void vl_address_client(const vl_address *peer, const vl_networks *trusted,
                       const char *const *forwarded, size_t count, vl_address *client);

#endif
