#include "documentation.h"

// `#embed` is C23, and what an older mode of the compiler calls an extension; the package has no other use for C23.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi_api_gateway[] = {
#embed "../../openapi/api-gateway.json"
};
static const unsigned char openapi_notification_service[] = {
#embed "../../openapi/notification-service.json"
};
static const unsigned char openapi_order_service[] = {
#embed "../../openapi/order-service.json"
};
static const unsigned char openapi_payment_service[] = {
#embed "../../openapi/payment-service.json"
};
static const unsigned char openapi_product_service[] = {
#embed "../../openapi/product-service.json"
};
static const unsigned char openapi_user_service[] = {
#embed "../../openapi/user-service.json"
};
static const unsigned char page_api_js[] = {
#embed "page/api.js"
};
static const unsigned char page_badges_js[] = {
#embed "page/badges.js"
};
static const unsigned char page_contents_js[] = {
#embed "page/contents.js"
};
static const unsigned char page_curl_js[] = {
#embed "page/curl.js"
};
static const unsigned char page_dom_js[] = {
#embed "page/dom.js"
};
static const unsigned char page_icon_svg[] = {
#embed "page/icon.svg"
};
static const unsigned char page_index_html[] = {
#embed "page/index.html"
};
static const unsigned char page_json_js[] = {
#embed "page/json.js"
};
static const unsigned char page_main_js[] = {
#embed "page/main.js"
};
static const unsigned char page_operation_js[] = {
#embed "page/operation.js"
};
static const unsigned char page_sample_js[] = {
#embed "page/sample.js"
};
static const unsigned char page_schema_js[] = {
#embed "page/schema.js"
};
static const unsigned char page_session_js[] = {
#embed "page/session.js"
};
static const unsigned char page_style_css[] = {
#embed "page/style.css"
};
static const unsigned char page_trial_js[] = {
#embed "page/trial.js"
};

static const souk_document documents[] = {
    {"openapi/api-gateway.json", openapi_api_gateway, sizeof openapi_api_gateway},
    {"openapi/notification-service.json", openapi_notification_service, sizeof openapi_notification_service},
    {"openapi/order-service.json", openapi_order_service, sizeof openapi_order_service},
    {"openapi/payment-service.json", openapi_payment_service, sizeof openapi_payment_service},
    {"openapi/product-service.json", openapi_product_service, sizeof openapi_product_service},
    {"openapi/user-service.json", openapi_user_service, sizeof openapi_user_service},
    {"page/api.js", page_api_js, sizeof page_api_js},
    {"page/badges.js", page_badges_js, sizeof page_badges_js},
    {"page/contents.js", page_contents_js, sizeof page_contents_js},
    {"page/curl.js", page_curl_js, sizeof page_curl_js},
    {"page/dom.js", page_dom_js, sizeof page_dom_js},
    {"page/icon.svg", page_icon_svg, sizeof page_icon_svg},
    {"page/index.html", page_index_html, sizeof page_index_html},
    {"page/json.js", page_json_js, sizeof page_json_js},
    {"page/main.js", page_main_js, sizeof page_main_js},
    {"page/operation.js", page_operation_js, sizeof page_operation_js},
    {"page/sample.js", page_sample_js, sizeof page_sample_js},
    {"page/schema.js", page_schema_js, sizeof page_schema_js},
    {"page/session.js", page_session_js, sizeof page_session_js},
    {"page/style.css", page_style_css, sizeof page_style_css},
    {"page/trial.js", page_trial_js, sizeof page_trial_js},
};

size_t souk_document_count(void) {
    return sizeof documents / sizeof documents[0];
}

souk_document souk_document_at(size_t index) {
    return documents[index];
}
