#include "czlib.h"

int souk_gzip_begin(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits + 16, memory_level, Z_DEFAULT_STRATEGY);
}

int souk_gunzip_begin(z_stream *stream) {
    return inflateInit2(stream, MAX_WBITS + 16);
}
