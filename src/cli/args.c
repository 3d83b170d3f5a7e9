/* args.c — command lines by table: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, --, and an
 * unknown name refused with the nearest valid one. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cli_flag *flag_in(const cli_flag *flags, const char *name, size_t length) {
    for (const cli_flag *flag = flags; flag->name; flag++)
        if (strlen(flag->name) == length && !strncmp(flag->name, name, length))
            return flag;
    return NULL;
}

static const cli_flag *flag_by_name(const cli_command *command, const char *name,
                                    size_t length) {
    const cli_flag *flag = flag_in(command->flags, name, length);
    return flag ? flag : flag_in(cli_common_flags, name, length);
}

static const cli_flag *letter_in(const cli_flag *flags, char letter) {
    for (const cli_flag *flag = flags; flag->name; flag++)
        if (flag->letter == letter)
            return flag;
    return NULL;
}

static const cli_flag *flag_by_letter(const cli_command *command, char letter) {
    const cli_flag *flag = letter_in(command->flags, letter);
    return flag ? flag : letter_in(cli_common_flags, letter);
}

static vl_status unknown_flag(const cli_command *command, const char *given, const char *name,
                              vl_error *error) {
    const char *names[CLI_MAX_FLAGS];
    size_t count = 0;
    for (const cli_flag *flag = command->flags; flag->name && count < CLI_MAX_FLAGS; flag++)
        names[count++] = flag->name;
    for (const cli_flag *flag = cli_common_flags; flag->name && count < CLI_MAX_FLAGS; flag++)
        names[count++] = flag->name;
    const char *nearest = vl_nearest_name(name, names, count);
    if (nearest)
        return vl_fail(error, VL_ERR_USAGE, "unknown option %s; did you mean --%s?", given,
                       nearest);
    return vl_fail(error, VL_ERR_USAGE, "unknown option %s; see 'vislang help %s'", given,
                   command->name);
}

static vl_status give(cli_args *args, const cli_flag *flag, const char *value,
                      vl_error *error) {
    if (args->given_count == CLI_MAX_FLAGS)
        return vl_fail(error, VL_ERR_USAGE, "more than %d options", CLI_MAX_FLAGS);
    args->given[args->given_count].flag = flag;
    args->given[args->given_count++].value = value;
    return VL_OK;
}

/* Takes the flag at argv[*at], moving *at past a value that stands apart. */
static vl_status take_flag(const cli_command *command, int argc, char **argv, int *at,
                           cli_args *args, vl_error *error) {
    char *text = argv[*at];
    const cli_flag *flag;
    const char *value;
    if (text[1] == '-') {
        char *equals = strchr(text, '=');
        size_t length = equals ? (size_t)(equals - text - 2) : strlen(text + 2);
        flag = flag_by_name(command, text + 2, length);
        value = equals ? equals + 1 : NULL;
    } else {
        flag = flag_by_letter(command, text[1]);
        value = text[2] ? text + 2 : NULL;
    }
    if (!flag)
        return unknown_flag(command, text, text[1] == '-' ? text + 2 : text + 1, error);
    if (!flag->argument) {
        if (value)
            return vl_fail(error, VL_ERR_USAGE, "--%s takes no value (got '%s')", flag->name,
                           value);
        return give(args, flag, "", error);
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value)
        return vl_fail(error, VL_ERR_USAGE, "--%s needs %s", flag->name, flag->argument);
    return give(args, flag, value, error);
}

vl_status cli_parse(const cli_command *command, int argc, char **argv, cli_args *args,
                    vl_error *error) {
    *args = (cli_args){.command = command};
    args->operands = calloc((size_t)argc + 1, sizeof *args->operands);
    if (!args->operands)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    bool flags_ended = false;
    for (int i = 1; i < argc; i++) {
        bool is_flag = !flags_ended && argv[i][0] == '-' && argv[i][1];
        if (!is_flag) {
            args->operands[args->operand_count++] = argv[i];
        } else if (!strcmp(argv[i], "--")) {
            flags_ended = true;
        } else {
            vl_status status = take_flag(command, argc, argv, &i, args, error);
            if (status)
                return status;
        }
    }
    return VL_OK;
}

void cli_args_deinit(cli_args *args) {
    free(args->operands);
    args->operands = NULL;
}

const char *cli_value(const cli_args *args, const char *flag) {
    for (size_t i = args->given_count; i-- > 0;)
        if (!strcmp(args->given[i].flag->name, flag))
            return args->given[i].value;
    return NULL;
}

bool cli_has(const cli_args *args, const char *flag) {
    return cli_value(args, flag) != NULL;
}

vl_status cli_value_int(const cli_args *args, const char *flag, long low, long high,
                        long *value, vl_error *error) {
    const char *text = cli_value(args, flag);
    if (!text)
        return VL_OK;
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < low || number > high)
        return vl_fail(error, VL_ERR_USAGE,
                       "--%s is '%s'; it must be a whole number from %ld to %ld", flag, text,
                       low, high);
    *value = number;
    return VL_OK;
}
