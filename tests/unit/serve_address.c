/* Tests of addresses, networks, the client behind proxies, and the router. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/service.h"

#include <stdio.h>
#include <string.h>

static void test_addresses(void **state) {
    static const struct {
        const char *text, *is; /* NULL: none */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"::1", "::1"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:80x", NULL},
        {"192.0.2.1:123456", NULL},
        {" 192.0.2.1", NULL},
        {"192.0.2.1 ", NULL},
        {"[192.0.2.1]", NULL},
        {"[2001:db8::1", NULL},
        {"[2001:db8::1]x", NULL},
        {"fe80::1%eth0", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"localhost", NULL},
        {"0x7f.1", NULL},
        {"010.0.0.1", NULL},
        {"1111:2222:3333:4444:5555:6666:123.123.123.123:99999999", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_address address;
        char text[VL_ADDRESS_TEXT_SIZE];
        bool ok = vl_address_parse(rows[i].text, strlen(rows[i].text), &address);
        if (ok != (rows[i].is != NULL))
            fail_msg("'%s' %s", rows[i].text, ok ? "was taken" : "was refused");
        if (!ok)
            continue;
        vl_address_format(&address, text);
        assert_string_equal(text, rows[i].is);
    }
}

static void test_loopback_and_owner(void **state) {
    static const struct {
        const char *text, *owner;
        bool is_loopback;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.255.0.9", "127.255.0.9", true},
        {"::1", "::", true},
        {"::ffff:127.0.0.1", "127.0.0.1", true},
        {"128.0.0.1", "128.0.0.1", false},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", false},
        {"10.127.0.1", "10.127.0.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_address address, owner, expected;
        assert_true(vl_address_parse(rows[i].text, strlen(rows[i].text), &address));
        assert_true(vl_address_parse(rows[i].owner, strlen(rows[i].owner), &expected));
        assert_int_equal(vl_address_is_loopback(&address), rows[i].is_loopback);
        vl_address_owner(&address, VL_CUSTOMER_BITS, &owner);
        assert_memory_equal(&owner, &expected, sizeof owner);
    }
    char text[VL_ADDRESS_TEXT_SIZE];
    vl_address site;
    assert_true(vl_address_parse("2001:db8:1:2::3", 15, &site));
    vl_address_owner(&site, VL_SITE_BITS, &site);
    vl_address_format(&site, text);
    assert_string_equal(text, "2001:db8:1::");
    vl_address_format(&(vl_address){0}, text);
    assert_string_equal(text, "-");
}

static void test_networks(void **state) {
    static const struct {
        const char *list, *address;
        int held; /* -1: the list is none */
    } rows[] = {
        {"", "192.0.2.1", 0},
        {"192.0.2.1", "192.0.2.1", 1},
        {"192.0.2.1", "192.0.2.2", 0},
        {"192.0.2.0/24", "192.0.2.255", 1},
        {"192.0.2.0/24", "192.0.3.0", 0},
        {"192.0.2.128/25", "192.0.2.127", 0},
        {"192.0.2.128/25", "192.0.2.128", 1},
        {"10.0.0.0/8,192.0.2.0/24", "192.0.2.9", 1},
        {"10.0.0.0/8 , 192.0.2.0/24", "10.9.9.9", 1},
        {"0.0.0.0/0", "203.0.113.9", 1},
        {"0.0.0.0/0", "2001:db8::1", 0},
        {"::/0", "2001:db8::1", 1},
        {"::/0", "203.0.113.9", 1},
        {"2001:db8::/33", "2001:db8:7fff::1", 1},
        {"2001:db8::/33", "2001:db8:8000::1", 0},
        {"::ffff:10.0.0.0/104", "10.1.2.3", 1},
        {"192.0.2.1/24", "192.0.2.1", -1},
        {"192.0.2.0/33", "192.0.2.1", -1},
        {"2001:db8::/129", "2001:db8::", -1},
        {"192.0.2.0/", "192.0.2.0", -1},
        {"192.0.2.0/2x", "192.0.2.0", -1},
        {"192.0.2.0/-1", "192.0.2.0", -1},
        {"example.org", "192.0.2.0", -1},
        {"10.0.0.0/8;192.0.2.0/24", "192.0.2.0", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_networks networks;
        vl_address address;
        vl_error error;
        assert_true(vl_address_parse(rows[i].address, strlen(rows[i].address), &address));
        vl_status status = vl_networks_parse(rows[i].list, &networks, &error);
        int held = status ? -1 : vl_networks_hold(&networks, &address);
        if (held != rows[i].held)
            fail_msg("%s in '%s': %d", rows[i].address, rows[i].list, held);
        if (status)
            assert_int_equal(status, VL_ERR_USAGE);
    }
    char many[16 * (VL_NETWORKS_MAX + 1)] = "";
    for (int i = 0; i <= VL_NETWORKS_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "10.0.%d.%d,", i / 256,
                 i % 256);
    vl_networks networks;
    assert_int_equal(vl_networks_parse(many, &networks, NULL), VL_ERR_USAGE);
}

/* Proxies are 10.0.0.0/8 and 2001:db8:aaaa::/48; whatever a client writes himself stands left
 * of what they append. */
static void test_client(void **state) {
    static const struct {
        const char *peer, *forwarded[3], *client;
    } rows[] = {
        {"203.0.113.9", {NULL}, "203.0.113.9"},
        {"203.0.113.9", {"192.0.2.1"}, "203.0.113.9"},
        {"10.0.0.1", {NULL}, "10.0.0.1"},
        {"10.0.0.1", {"192.0.2.1"}, "192.0.2.1"},
        {"10.0.0.1", {"192.0.2.1:5555"}, "192.0.2.1"},
        {"10.0.0.1", {"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
        {"10.0.0.1", {"127.0.0.1, 10.0.0.9, 192.0.2.1"}, "192.0.2.1"},
        {"10.0.0.1", {"198.51.100.7,192.0.2.1 , 10.2.3.4"}, "192.0.2.1"},
        {"10.0.0.1", {"198.51.100.7", "192.0.2.1"}, "192.0.2.1"},
        {"10.0.0.1", {"198.51.100.7, 192.0.2.1", "10.2.3.4", "10.2.3.5"}, "192.0.2.1"},
        {"10.0.0.1", {"10.2.3.4, 10.2.3.5"}, "10.2.3.4"},
        {"10.0.0.1", {""}, "10.0.0.1"},
        {"10.0.0.1", {"unknown"}, "10.0.0.1"},
        {"10.0.0.1", {"192.0.2.1, unknown"}, "10.0.0.1"},
        {"10.0.0.1", {"192.0.2.1, unknown, 10.2.3.4"}, "10.2.3.4"},
        {"10.0.0.1", {"192.0.2.1,"}, "10.0.0.1"},
        {"10.0.0.1", {"garbage, 192.0.2.1"}, "192.0.2.1"},
        {"10.0.0.1", {",,,,192.0.2.1"}, "192.0.2.1"},
        {"2001:db8:aaaa::1", {"[2001:db8:bbbb::7]:443"}, "2001:db8:bbbb::7"},
        {"2001:db8:aaaa::1", {"::ffff:192.0.2.1"}, "192.0.2.1"},
        {"::ffff:10.0.0.1", {"192.0.2.1"}, "192.0.2.1"},
        {"2001:db8:bbbb::7", {"192.0.2.1"}, "2001:db8:bbbb::7"},
    };
    vl_networks trusted;
    (void)state;
    assert_int_equal(vl_networks_parse("10.0.0.0/8,2001:db8:aaaa::/48", &trusted, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_address peer, client;
        char text[VL_ADDRESS_TEXT_SIZE];
        size_t count = 0;
        while (count < 3 && rows[i].forwarded[count])
            count++;
        assert_true(vl_address_parse(rows[i].peer, strlen(rows[i].peer), &peer));
        vl_address_client(&peer, &trusted, rows[i].forwarded, count, &client);
        vl_address_format(&client, text);
        if (strcmp(text, rows[i].client) != 0)
            fail_msg("row %zu: %s, not %s", i, text, rows[i].client);
    }
}

static void test_routes(void **state) {
    static const struct {
        const char *method, *path, *id, *allow; /* id NULL: none */
    } rows[] = {
        {"GET", "/health", "health", ""},
        {"HEAD", "/health", "health", ""},
        {"POST", "/health", NULL, "GET, HEAD, OPTIONS"},
        {"GET", "/healthx", NULL, ""},
        {"GET", "/health/", NULL, ""},
        {"GET", "/healt", NULL, ""},
        {"GET", "/", "page", ""},
        {"GET", "", NULL, ""},
        {"GET", "/static/a.js", "static", ""},
        {"GET", "/static/", NULL, ""},
        {"GET", "/static", NULL, ""},
        {"DELETE", "/predict", NULL, "POST, OPTIONS"},
        {"", "/predict", NULL, "POST, OPTIONS"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char allow[64];
        const vl_route *route = vl_route_find(rows[i].method, rows[i].path, allow);
        if ((route == NULL) != (rows[i].id == NULL) ||
            (route && strcmp(route->id, rows[i].id) != 0) || strcmp(allow, rows[i].allow) != 0)
            fail_msg("%s %s: %s, '%s'", rows[i].method, rows[i].path, route ? route->id : "-",
                     allow);
    }
}

static void test_segments(void **state) {
    static const struct {
        const char *pattern, *path, *name, *is; /* NULL: none */
        int64_t id;                             /* 0: none */
    } rows[] = {
        {"/admin/users/{id}", "/admin/users/7", "id", "7", 7},
        {"/admin/users/{id}/keys", "/admin/users/12/keys", "id", "12", 12},
        {"/a/{x}/b/{id}", "/a/1/b/2", "x", "1", 1},
        {"/a/{x}/b/{id}", "/a/1/b/2", "id", "2", 2},
        {"/a/{x}/b/{id}", "/a/1/b/2", "y", NULL, 0},
        {"/a/{id}", "/a/-1", "id", "-1", 0},
        {"/a/{id}", "/a/0", "id", "0", 0},
        {"/a/{id}", "/a/7x", "id", "7x", 0},
        {"/a/{id}", "/a/9223372036854775808", "id", "9223372036854775808", 0},
        {"/a/{id}", "/a/999999999999999999", "id", "999999999999999999", 999999999999999999},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_route route = {.path = rows[i].pattern};
        static vl_request request;
        char text[64] = "";
        int64_t id = 0;
        request.route = &route;
        snprintf(request.path, sizeof request.path, "%s", rows[i].path);
        bool found = vl_route_segment(&request, rows[i].name, text, sizeof text);
        bool has_id = vl_route_id(&request, rows[i].name, &id);
        if (found != (rows[i].is != NULL) || (found && strcmp(text, rows[i].is) != 0) ||
            has_id != (rows[i].id != 0) || (has_id && id != rows[i].id))
            fail_msg("%s in %s: '%s', %lld", rows[i].name, rows[i].path, text, (long long)id);
        assert_false(vl_route_segment(&request, rows[i].name, text, 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_loopback_and_owner),
        cmocka_unit_test(test_networks),  cmocka_unit_test(test_client),
        cmocka_unit_test(test_routes),    cmocka_unit_test(test_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
