/* child.h — the system calls that a sandboxed child may make (used by child.c alone). */
#ifndef VISLANG_BASE_CHILD_H
#define VISLANG_BASE_CHILD_H

#include <linux/filter.h>

/* The compiled allow-list, or NULL when this machine cannot compile it. Static storage, built
 * once; thread-safe. execve is allowed only with exactly these three pointers. */
const struct sock_fprog *vl_child_filter(const void *path, const void *argv, const void *env);

#endif
