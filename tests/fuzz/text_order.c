/* Lines put into visual and logical order: any numbers in, each of them out once. */
#include <stdlib.h>
#include <string.h>

#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { MAX = 512 };
    uint32_t line[MAX], visual[MAX], back[MAX];
    size_t from[MAX], count = size > 1 ? (size - 1) / 4 : 0;
    if (count > MAX || !size)
        return 0;
    memcpy(line, data + 1, count * sizeof *line);
    for (size_t i = 0; i < count && data[0] & 4; i++)
        line[i] %= 0x11000; /* else nearly all are no characters */
    vl_direction direction = (vl_direction)((data[0] & 3) % 3);
    if (vl_text_to_visual(line, count, direction, visual, from, NULL))
        return 0;
    for (unsigned way = 0; way < 2; way++) {
        uint8_t seen[MAX] = {0};
        for (size_t i = 0; i < count; i++)
            if (from[i] >= count || seen[from[i]]++)
                abort();
        if (vl_text_to_logical(visual, count, direction, back, from, NULL))
            return 0;
    }
    return 0;
}
