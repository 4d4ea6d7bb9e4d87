-- The end of every wrk script here: one JSON object in a line of its own. Latencies are in microseconds.

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\nSUMMARY {"requests":%d,"durationMicroseconds":%d,"bytes":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
            '"p50":%d,"p90":%d,"p99":%d,"p999":%d,"max":%d}\n',
        summary.requests, summary.duration, summary.bytes, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max))
end
