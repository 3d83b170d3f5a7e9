/* Which addresses are of the public internet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/address.h"

#include <string.h>

static void test_public(void **state) {
    static const struct {
        const char *text;
        bool is_public;
    } rows[] = {
        {"8.8.8.8", true},
        {"93.184.216.34", true},
        {"172.15.255.255", true},
        {"172.32.0.1", true},
        {"100.63.255.255", true},
        {"100.128.0.1", true},
        {"198.20.0.1", true},
        {"223.255.255.255", true},
        {"2a00:1450:4001::1", true},
        {"2606:4700::1111", true},
        {"0.0.0.0", false},
        {"10.1.2.3", false},
        {"100.64.0.1", false},
        {"127.0.0.1", false},
        {"127.255.255.254", false},
        {"169.254.169.254", false},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"192.0.0.1", false},
        {"192.0.2.1", false},
        {"192.88.99.1", false},
        {"192.168.1.1", false},
        {"198.18.0.1", false},
        {"198.19.255.255", false},
        {"198.51.100.1", false},
        {"203.0.113.1", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:8.8.8.8", true}, /* the same address as 8.8.8.8 */
        {"::8.8.8.8", false},
        {"fe80::1", false},
        {"fec0::1", false},
        {"fc00::1", false},
        {"fd12:3456::1", false},
        {"ff02::1", false},
        {"100::1", false},
        {"2001:db8::1", false},
        {"2001::1", false}, /* Teredo */
        {"2001:10::1", false},
        {"3fff::1", false},
        {"4000::1", false},
        {"2002:7f00:1::1", false}, /* 6to4 of 127.0.0.1 */
        {"2002:808:808::1", true},
        {"64:ff9b::a00:1", false}, /* NAT64 of 10.0.0.1 */
        {"64:ff9b::808:808", true},
        {"64:ff9b:1::808:808", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_address address;
        assert_true(vl_address_parse(rows[i].text, strlen(rows[i].text), &address));
        if (vl_address_is_public(&address) != rows[i].is_public)
            fail_msg("%s is %spublic", rows[i].text, rows[i].is_public ? "" : "not ");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
