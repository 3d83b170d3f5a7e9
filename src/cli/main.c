/* main.c — `vislang COMMAND …`. */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const cli_args *args, const vl_error *error) {
    fflush(stdout);
    fprintf(stderr, "vislang %s: %s\n", args->command->name, error->message);
    return vl_status_exit_code(error->status);
}

int cli_finish_stdout(const cli_args *args, int exit_code) {
    if (!fflush(stdout) && !ferror(stdout))
        return exit_code;
    vl_error error;
    vl_fail(&error, VL_ERR_IO, "standard output could not be written: %s", strerror(errno));
    return cli_fail(args, &error);
}

/* Flags that are settings under another roof: --max-pages is max_pages. */
static const struct {
    const char *flag, *setting;
} setting_flags[] = {
    {"host", "host"},
    {"port", "port"},
    {"workers", "workers"},
    {"max-pages", "max_pages"},
    {"log-level", "log_level"},
    {"model", "model_path"},
    {"contact", "harvest_contact"},
};

static const char *setting_of_flag(const char *flag) {
    for (size_t i = 0; i < sizeof setting_flags / sizeof *setting_flags; i++)
        if (!strcmp(setting_flags[i].flag, flag))
            return setting_flags[i].setting;
    return NULL;
}

vl_status cli_config(const cli_args *args, vl_config **config, vl_error *error) {
    vl_setting settings[CLI_MAX_FLAGS];
    char names[CLI_MAX_FLAGS][64];
    size_t count = 0;
    for (size_t i = 0; i < args->given_count; i++) {
        const char *flag = args->given[i].flag->name, *value = args->given[i].value;
        const char *setting = setting_of_flag(flag);
        if (setting) {
            settings[count++] = (vl_setting){setting, value};
        } else if (!strcmp(flag, "set")) {
            const char *equals = strchr(value, '=');
            if (!equals || equals == value || equals - value >= (long)sizeof names[0])
                return vl_fail(error, VL_ERR_USAGE, "--set takes NAME=VALUE, not '%s'", value);
            snprintf(names[count], sizeof names[0], "%.*s", (int)(equals - value), value);
            settings[count] = (vl_setting){names[count], equals + 1};
            count++;
        }
    }
    vl_status status =
        vl_config_load(cli_value(args, "config"), settings, count, config, error);
    if (status)
        return status;
    vl_log_level level;
    status = vl_log_level_parse(vl_config_string(*config, "log_level"), &level, error);
    if (status) {
        vl_config_free(*config);
        *config = NULL;
        return status;
    }
    bool quiet_default = strcmp(args->command->name, "serve") && !cli_has(args, "log-level") &&
                         level == VL_LOG_INFO;
    vl_log_set_level(quiet_default ? VL_LOG_WARN : level);
    return VL_OK;
}

static int print_buf(const cli_args *args, vl_buf *out) {
    vl_error error;
    vl_status status = vl_buf_status(out, "help", &error);
    if (!status)
        fwrite(out->data, 1, out->len, stdout);
    vl_buf_deinit(out);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}

int cli_help(const cli_args *args) {
    vl_error error;
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    const char *shell = cli_value(args, "completion");
    if (cli_has(args, "man")) {
        cli_print_man(&out);
    } else if (shell) {
        if (cli_print_completion(shell, &out, &error)) {
            vl_buf_deinit(&out);
            return cli_fail(args, &error);
        }
    } else if (args->operand_count) {
        const cli_command *command = cli_command_find(args->operands[0], &error);
        if (!command)
            return cli_fail(args, &error);
        cli_print_help(command, &out);
    } else {
        cli_print_overview(&out);
    }
    return print_buf(args, &out);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_args args;
    vl_error error;
    int exit_code;
    if (cli_parse(command, argc, argv, &args, &error)) {
        exit_code = cli_fail(&args, &error);
    } else if (cli_has(&args, "help")) {
        vl_buf out;
        vl_buf_init(&out, 1 << 20);
        cli_print_help(command, &out);
        exit_code = print_buf(&args, &out);
    } else {
        exit_code = command->run(&args);
    }
    cli_args_deinit(&args);
    return exit_code;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit is EFBIG, an error like others */
    static char help_name[] = "help";
    char *overview[] = {help_name, NULL};
    if (argc < 2) {
        run(cli_command_find("help", NULL), 1, overview);
        return 2;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("vislang %s (tesseract %s)\n", VL_VERSION, vl_ocr_engine_version());
        return 0;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return run(cli_command_find("help", NULL), 1, overview);
    vl_error error;
    const cli_command *command = cli_command_find(argv[1], &error);
    if (!command) {
        fprintf(stderr, "vislang: %s\n", error.message);
        return 2;
    }
    return run(command, argc - 1, argv + 1);
}
