// zlib's beginnings are macros, which Swift does not see.
#pragma once
#include <zlib.h>

/// Prepares `stream`, which must be all zeros, to compress in the gzip format (RFC 1952).
/// level: 1 (fast) to 9 (small). Returns Z_OK, Z_MEM_ERROR or Z_VERSION_ERROR.
int souk_gzip_begin(z_stream *stream, int level, int window_bits, int memory_level);

/// Prepares `stream`, which must be all zeros, to decompress gzip. For tests.
int souk_gunzip_begin(z_stream *stream);
