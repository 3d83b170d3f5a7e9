/* net_file.h — what the files of all networks of this room are written with. */
#ifndef MODEL_NET_FILE_H
#define MODEL_NET_FILE_H

#include <vislang/nn.h>
#include <vislang/tensor.h>

/* Adds a parameter as a tensor of `dtype`; its bytes live in the arena until the file is
 * written. */
vl_status net_file_add(vl_gguf_writer *writer, const vl_param *param, const float *values,
                       vl_dtype dtype, vl_arena *arena, vl_error *error);

#endif
