/* serve.c — `vislang serve`: runs the service until SIGTERM or SIGINT, then drains it. */
#include "cli/cli.h"

#include <vislang/serve.h>

#include <signal.h>

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

    /* Blocked before any thread starts, so that only sigwait below sees them. */
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);

    if (vl_server_start(config, &server, &error)) {
        vl_config_free(config);
        return cli_fail(args, &error);
    }
    vl_log(VL_LOG_INFO, "listening", VL_F_STR("address", vl_config_string(config, "host")),
           VL_F_INT("port", vl_server_port(server)));
    int signal_number = 0;
    sigwait(&stop, &signal_number);
    vl_log(VL_LOG_INFO, "draining", VL_F_INT("signal", signal_number));
    vl_server_drain(server, vl_config_number(config, "drain_timeout"));
    vl_log(VL_LOG_INFO, "stopped", VL_F_INT("signal", signal_number));
    vl_config_free(config);
    return 0;
}
