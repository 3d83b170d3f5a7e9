/* process.c — what the kernel says of this process (proc(5)). */
#include "serve/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void read_status(vl_process *process) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        unsigned long long value = 0;
        if (sscanf(line, "VmRSS: %llu kB", &value) == 1)
            process->resident_bytes = value << 10;
        else if (sscanf(line, "VmSize: %llu kB", &value) == 1)
            process->virtual_bytes = value << 10;
        else if (sscanf(line, "Threads: %llu", &value) == 1)
            process->threads = value;
    }
    if (file)
        fclose(file);
}

/* "." and ".." and the folder's own descriptor are not counted. */
static uint64_t count_files(void) {
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 3 ? count - 3 : 0;
}

void vl_process_read(double uptime_seconds, vl_process *process) {
    struct timespec cpu = {0}, now = {0};
    struct rlimit limit = {0};
    *process = (vl_process){0};
    read_status(process);
    process->open_files = count_files();
    if (!getrlimit(RLIMIT_NOFILE, &limit))
        process->most_files = limit.rlim_cur;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    clock_gettime(CLOCK_REALTIME, &now);
    process->cpu_seconds = (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9;
    process->start_seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9 - uptime_seconds;
}
