-- What a shop with a past is asked, by BENCH_WHAT: `orders` of one piece of any product, each with its own Idempotency-Key; a `product`;
-- the `history` of any customer; a `search` for a word that as many products have in a large shop as in a small one.
--
-- Everything is drawn evenly from all that there is. Each request is unlike any other, so that no kept response answers it.

dofile(os.getenv("BENCH_SCRIPTS") .. "/report.lua")

local what = os.getenv("BENCH_WHAT")
local firstProduct, products = tonumber(os.getenv("BENCH_FIRST_PRODUCT")), tonumber(os.getenv("BENCH_PRODUCTS"))
local firstCustomer, customers = tonumber(os.getenv("BENCH_FIRST_CUSTOMER")), tonumber(os.getenv("BENCH_CUSTOMERS"))
local allSeries = tonumber(os.getenv("BENCH_SERIES"))
local run = os.getenv("BENCH_RUN")
local sent = 0

wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")

function init()
    math.randomseed(os.time())
end

local requests = {}

function requests.orders()
    return wrk.format("POST", "/api/orders", {
        ["Content-Type"] = "application/json", ["Authorization"] = wrk.headers["Authorization"],
        ["Idempotency-Key"] = run .. "-" .. sent,
    }, string.format('{"productId":%d,"quantity":1}', firstProduct + math.random(products) - 1))
end

function requests.product()
    return wrk.format("GET", string.format("/api/products/%d?visit=%s-%d", firstProduct + math.random(products) - 1, run, sent))
end

function requests.history()
    return wrk.format("GET", string.format("/api/orders/user/%d?limit=20", firstCustomer + math.random(customers) - 1))
end

function requests.search()
    return wrk.format("GET", string.format("/api/products?search=s%07d&visit=%s-%d", math.random(allSeries) - 1, run, sent))
end

function request()
    sent = sent + 1
    return requests[what]()
end
