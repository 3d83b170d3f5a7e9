/* train.h — the models that `vislang train` makes, one function each. */
#ifndef VL_CLI_TRAIN_H
#define VL_CLI_TRAIN_H

#include "cli/cli.h"

/* --data is given; `recipe` and `out` are the flags' values, or the bundled files. */
vl_status cli_train_tokenizer(const cli_args *args, const char *recipe, const char *out,
                              vl_error *error);
vl_status cli_train_chars(const cli_args *args, const char *recipe, const char *out,
                          vl_error *error);
vl_status cli_train_voices(const cli_args *args, const char *recipe, const char *out,
                           vl_error *error);

#endif
