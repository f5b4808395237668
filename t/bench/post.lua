-- post.lua - one upload over and over, for wrk. BENCH_BODY: file with the body; BENCH_AUTH: value of
-- Authorization, or empty. Prints one line of JSON.
local body = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = body:read("*a")
wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE")
wrk.headers["User-Agent"] = "bench/1.0"
if os.getenv("BENCH_AUTH") ~= "" then
    wrk.headers["Authorization"] = os.getenv("BENCH_AUTH")
end
body:close()

function done(summary, latency, requests)
    io.write(string.format(
        '{"requests": %d, "seconds": %.6f, "bad": %d, "broken": %d, "p50": %.1f, "p99": %.1f, "max": %.1f}\n',
        summary.requests, summary.duration / 1e6, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
