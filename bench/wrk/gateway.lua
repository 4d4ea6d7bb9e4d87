-- One request again and again: BENCH_METHOD on BENCH_PATH with a body of BENCH_BODY_BYTES. With BENCH_TOKENS, a file with a token in each line, each
-- request is that of the next of them.

dofile(os.getenv("BENCH_SCRIPTS") .. "/report.lua")

wrk.method = os.getenv("BENCH_METHOD")
wrk.path = os.getenv("BENCH_PATH")

local bodyBytes = tonumber(os.getenv("BENCH_BODY_BYTES"))
if bodyBytes > 0 then
    wrk.headers["Content-Type"] = "application/octet-stream"
    wrk.body = string.rep("0123456789abcdef", math.ceil(bodyBytes / 16)):sub(1, bodyBytes)
end

local tokens = os.getenv("BENCH_TOKENS")
if tokens then
    local requests = {}
    local sent = 0

    function init()
        for token in io.lines(tokens) do
            wrk.headers["Authorization"] = "Bearer " .. token
            requests[#requests + 1] = wrk.format()
        end
    end

    function request()
        sent = sent % #requests + 1
        return requests[sent]
    end
end
