#pragma once

// libcurl sets options through variadic functions, which Swift cannot call. These are the few that Souk needs, each with its type.

#include <curl/curl.h>

typedef size_t (*souk_curl_reader)(char *buffer, size_t size, size_t count, void *context);

CURLcode souk_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode souk_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode souk_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode souk_curl_set_reader(CURL *handle, souk_curl_reader reader, void *context);
CURLcode souk_curl_set_error_buffer(CURL *handle, char *buffer);
CURLcode souk_curl_response_code(CURL *handle, long *code);
