/* A ring buffer for the bytes of the bar code scanner. One writer, one reader. */
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE 256 /* a power of two */

struct ring {
    uint8_t data[RING_SIZE];
    size_t head, tail;
};

static size_t ring_used(const struct ring *r)
{
    return (r->head - r->tail) & (RING_SIZE - 1);
}

int ring_put(struct ring *r, uint8_t byte)
{
    if (ring_used(r) == RING_SIZE - 1)
        return -1; /* full: the scanner repeats what we do not take */
    r->data[r->head] = byte;
    r->head = (r->head + 1) & (RING_SIZE - 1);
    return 0;
}

/* Copies one line without its end. XXX: a line that is longer than the buffer never comes out. */
int ring_line(struct ring *r, char *out, size_t max)
{
    size_t at = r->tail, n = 0;
    while (at != r->head) {
        uint8_t c = r->data[at];
        at = (at + 1) & (RING_SIZE - 1);
        if (c == '\r' || c == '\n') {
            if (n == 0)
                continue;
            out[n] = '\0';
            r->tail = at;
            return (int)n;
        }
        if (n + 1 < max)
            out[n++] = (char)c;
    }
    return 0;
}
