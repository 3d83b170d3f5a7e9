/* look.h — what `caption`, `ask` and `scene` share: files in, one reply of the picture model
 * each. */
#ifndef VISLANG_CLI_LOOK_H
#define VISLANG_CLI_LOOK_H

#include "cli/cli.h"

/* Prints a reply for people; `path` NULL: the only file, its name is left out. */
typedef void (*look_print)(const char *path, const vl_picture_reply *reply);
/* Opens the model and asks it the same of every file; --page and --json are understood here. A
 * file that fails is reported and the rest goes on. Returns the exit code, of the last failure.
 */
int look_at_files(const cli_args *args, vl_picture_request request, const char *const *files,
                  size_t count, look_print print);
/* A text with its doubt: "two dogs (not sure)". */
void look_print_text(const char *path, const vl_picture_reply *reply);
/* A number of `low` to `high` from a flag; the value stays as it is when it is not given. */
vl_status look_value_number(const cli_args *args, const char *flag, double low, double high,
                            double *value, vl_error *error);

#endif
