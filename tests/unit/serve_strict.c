/* Tests of what is said about secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/strict.h"

#include <stdio.h>
#include <string.h>

static void test_weak(void **state) {
    static const struct {
        const char *secret, *words; /* NULL: nothing is wrong with it */
    } rows[] = {
        {"", "not set"},
        {"short", "shorter"},
        {"Zr8!kQv2xWm4#Lp9sTy6&Hn1cBd3@Fg", "shorter"},
        {"Zr8!kQv2xWm4#Lp9sTy6&Hn1cBd3@Fg7", NULL},
        {"kfsgGzCDlVLLsPjN9MTCdZIKKaq4wkG1NL+yXmbzELE=", NULL},
        {"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "few different"},
        {"abababababababababababababababababababab", "few different"},
        {"YWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWI=", "few different"},
        {"a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5", "again"},
        {"a1b2c3d4e5f6g7h8i9a1b2c3d4e5f6g7h8i9", "again"},
        {"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRS", "counts"},
        {"zyxwvutsrqponmlkjihgfedcba9876543210", "counts"},
        {"my-Super-SECRET-key-for-production-42", "holds a word"},
        {"ChangeMeChangeYouChangeThem-xyz-8642", "holds a word"},
        {"hunter-of-passw0rds-in-the-deep-woods", "holds a word"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *weakness = vl_secret_weakness(rows[i].secret);
        if ((weakness == NULL) != (rows[i].words == NULL) ||
            (weakness && !strstr(weakness, rows[i].words)))
            fail_msg("'%s': %s", rows[i].secret, weakness ? weakness : "good");
    }
}

/* What openssl rand makes is never called weak. */
static void test_random(void **state) {
    uint8_t bytes[32];
    char text[65];
    (void)state;
    for (int i = 0; i < 2000; i++) {
        vl_random_bytes(bytes, sizeof bytes);
        vl_base64_encode(bytes, sizeof bytes, false, text);
        if (vl_secret_weakness(text))
            fail_msg("%s: %s", text, vl_secret_weakness(text));
        for (int k = 0; k < 32; k++)
            snprintf(text + k * 2, 3, "%02x", bytes[k]);
        if (vl_secret_weakness(text) && !strstr(text, "abcdef") && !strstr(text, "deadbeef") &&
            !strstr(text, "12345678"))
            fail_msg("%s: %s", text, vl_secret_weakness(text));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_weak),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
