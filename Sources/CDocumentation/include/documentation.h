#pragma once

// The API's documents and the page that shows them, as they stand in the repository: compiled into the executable, so that it needs no file
// to run and there is no second copy to forget.

#include <stddef.h>

#pragma clang assume_nonnull begin

typedef struct {
    /// Where it stands: `openapi/order-service.json`, `page/main.js`.
    const char *path;
    /// Lives as long as the process.
    const unsigned char *bytes;
    size_t count;
} souk_document;

size_t souk_document_count(void);

/// The index must be below the count.
souk_document souk_document_at(size_t index);

#pragma clang assume_nonnull end
