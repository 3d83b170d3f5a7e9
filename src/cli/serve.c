/* serve.c — `vislang serve`: runs the service until SIGTERM or SIGINT, then drains it. SIGHUP
 * has it read its TLS certificate again; without one it means the terminal has gone. */
#include "cli/cli.h"

#include <vislang/serve.h>

#include <signal.h>

/* Until the service is to stop; the signal that says so. */
static int wait_for_stop(vl_server *server, const sigset_t *signals) {
    vl_error error;
    for (;;) {
        int number = 0;
        sigwait(signals, &number);
        if (number != SIGHUP || !vl_server_can_reload(server))
            return number;
        if (vl_server_reload(server, &error))
            vl_log(VL_LOG_ERROR, "not reloaded; the certificate before stays in use",
                   VL_F_STR("reason", error.message));
        else
            vl_log(VL_LOG_INFO, "reloaded", VL_F_INT("signal", number));
    }
}

int cli_serve(const cli_args *args) {
    vl_error error;
    vl_config *config;
    vl_server *server;
    if (args->operand_count) {
        vl_fail(&error, VL_ERR_USAGE, "takes no files (got '%s')", args->operands[0]);
        return cli_fail(args, &error);
    }
    if (cli_config(args, &config, &error))
        return cli_fail(args, &error);

    sigset_t stop;
    cli_hold_signals(&stop);

    if (vl_server_start(config, &server, &error)) {
        vl_config_free(config);
        return cli_fail(args, &error);
    }
    vl_log(VL_LOG_INFO, "listening", VL_F_STR("address", vl_config_string(config, "host")),
           VL_F_INT("port", vl_server_port(server)),
           VL_F_BOOL("tls", *vl_config_string(config, "tls_certificate")));
    int signal_number = wait_for_stop(server, &stop);
    vl_log(VL_LOG_INFO, "draining", VL_F_INT("signal", signal_number));
    vl_server_drain(server, vl_config_number(config, "drain_timeout"));
    vl_log(VL_LOG_INFO, "stopped", VL_F_INT("signal", signal_number));
    vl_config_free(config);
    return 0;
}
