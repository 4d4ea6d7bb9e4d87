-- Reads BENCH_PATH. With BENCH_UNIQUE=1 every request has a query of its own, so that no response kept from before can answer it.

dofile(os.getenv("BENCH_SCRIPTS") .. "/report.lua")

wrk.path = os.getenv("BENCH_PATH")

if os.getenv("BENCH_UNIQUE") == "1" then
    local before, after
    local sent = 0
    function init()
        wrk.path = wrk.path .. "?visit=@@"
        local template = wrk.format()
        local from, to = template:find("@@", 1, true)
        before, after = template:sub(1, from - 1), template:sub(to + 1)
        -- Far from where an earlier run of this script began.
        sent = os.time() * 100000
    end

    function request()
        sent = sent + 1
        return before .. string.format("%.0f", sent) .. after
    end
end
