/* strict.h — security_strict_mode: a service that could be put on the internet starts, another
 * one says what is missing. */
#ifndef VISLANG_SERVE_STRICT_H
#define VISLANG_SERVE_STRICT_H

#include <vislang/base.h>

/* Why a secret is weak, NULL when nothing speaks against it: shorter than 32 bytes, few
 * different ones, one piece again and again, a count up or down, a word that defaults hold. It
 * does not measure entropy; it finds what people put where a secret should be. */
const char *vl_secret_weakness(const char *secret);
/* `is_local`: it listens on loopback alone. VL_ERR_USAGE names everything that is wrong; VL_OK
 * also when the mode is off. */
vl_status vl_strict_check(const vl_config *config, bool is_local, vl_error *error);

#endif
