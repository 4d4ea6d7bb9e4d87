-- Places orders: POST /api/orders with BENCH_BODY and BENCH_TOKEN.
--
-- With BENCH_KEY every request has its own Idempotency-Key, which begins with that text. Without it all requests are the same bytes,
-- made once.

dofile(os.getenv("BENCH_SCRIPTS") .. "/report.lua")

wrk.method = "POST"
wrk.path = "/api/orders"
wrk.body = os.getenv("BENCH_BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")

local key = os.getenv("BENCH_KEY")

if key then
    local threads = 0
    function setup(thread)
        thread:set("number", threads)
        threads = threads + 1
    end

    -- The request with a mark where its key goes, cut there once: formatting each anew would cost the machine more than sending it.
    local before, after
    local sent = 0
    function init()
        wrk.headers["Idempotency-Key"] = key .. "-" .. number .. "-@@"
        local template = wrk.format()
        local from, to = template:find("@@", 1, true)
        before, after = template:sub(1, from - 1), template:sub(to + 1)
    end

    function request()
        sent = sent + 1
        return before .. sent .. after
    end
end
