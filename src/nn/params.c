/* params.c — the store of parameters: declared by name, then one flat array. */
#include <vislang/nn.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct vl_params {
    vl_param *items;
    size_t count, capacity, total;
    vl_real *values;
};

vl_params *vl_params_new(void) {
    return calloc(1, sizeof(vl_params));
}

static size_t bytes_of(const vl_params *params) {
    return (params->total + 1) * sizeof(vl_real); /* never none */
}

void vl_params_free(vl_params *params) {
    if (!params)
        return;
    if (params->values)
        munmap(params->values, bytes_of(params));
    free(params->items);
    free(params);
}

size_t vl_params_add(vl_params *params, const char *name, vl_param_init init, double spread,
                     size_t rank, const size_t *dims) {
    if (vl_params_find(params, name) || strlen(name) >= VL_PARAM_NAME_SIZE)
        return SIZE_MAX;
    if (params->count == params->capacity) {
        size_t capacity = params->capacity ? params->capacity * 2 : 64;
        vl_param *items = realloc(params->items, capacity * sizeof *items);
        if (!items)
            return SIZE_MAX;
        params->items = items;
        params->capacity = capacity;
    }
    vl_param *item = &params->items[params->count];
    *item = (vl_param){.rank = rank,
                       .init = init,
                       .spread = spread,
                       .decay = rank >= 2,
                       .offset = params->total,
                       .count = 1};
    strcpy(item->name, name);
    for (size_t i = 0; i < rank; i++) {
        item->dims[i] = dims[i];
        item->count *= dims[i];
    }
    params->total += (item->count + 15) / 16 * 16; /* each begins on 64 bytes */
    return params->count++;
}

static void fill(const vl_param *item, vl_real *values, uint64_t seed) {
    uint64_t state = seed;
    for (const char *c = item->name; *c; c++)
        state = (state ^ (unsigned char)*c) * UINT64_C(1099511628211);
    for (size_t i = 0; i < item->count; i++)
        switch (item->init) {
        case VL_INIT_ZERO:
            values[i] = 0;
            break;
        case VL_INIT_ONE:
            values[i] = 1;
            break;
        case VL_INIT_CONSTANT:
            values[i] = (vl_real)item->spread;
            break;
        case VL_INIT_NORMAL: { /* Box and Muller 1958, cut at two deviations */
            double z;
            do { /* the length's draw comes first; it is in (0,1], so that it has a logarithm */
                double length = sqrt(-2 * log(vl_random_uniform(&state) + 0x1p-53));
                double turn = vl_random_uniform(&state) + 0x1p-53;
                z = length * cos(6.283185307179586 * turn);
            } while (fabs(z) > 2);
            values[i] = (vl_real)(z * item->spread);
        }
        }
}

vl_status vl_params_reserve(vl_params *params, vl_error *error) {
    void *memory = mmap(NULL, bytes_of(params), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (params->values || memory == MAP_FAILED)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu parameters", params->total);
    params->values = memory;
    return VL_OK;
}

vl_status vl_params_allocate(vl_params *params, uint64_t seed, vl_error *error) {
    vl_status status = vl_params_reserve(params, error);
    for (size_t i = 0; i < params->count && !status; i++)
        fill(&params->items[i], params->values + params->items[i].offset, seed);
    return status;
}

size_t vl_params_count(const vl_params *params) {
    return params->count;
}

size_t vl_params_total(const vl_params *params) {
    return params->total;
}

const vl_param *vl_params_at(const vl_params *params, size_t index) {
    return &params->items[index];
}

const vl_param *vl_params_find(const vl_params *params, const char *name) {
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0)
            return &params->items[i];
    return NULL;
}

vl_real *vl_params_values(const vl_params *params) {
    return params->values;
}
