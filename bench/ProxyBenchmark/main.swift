import HTTPProxy
import Logging
import NIOCore
import NIOPosix

// The plain proxying benchmark: a constant upstream and the proxy, each its own process, to be driven by `wrk`.
//
//     proxy-benchmark upstream 9001 1
//     proxy-benchmark proxy 9000 9001 2
//     wrk -t1 -c32 -d10 --latency http://127.0.0.1:9000/
//
// The upstream alone is what `bench/run gateway` puts behind every gateway.

let arguments = CommandLine.arguments
guard arguments.count >= 4, let port = Int(arguments[2]), let last = Int(arguments[3]) else {
    print("usage: proxy-benchmark upstream PORT THREADS | proxy PORT UPSTREAM_PORT [THREADS]")
    throw CancellationError()
}

switch arguments[1] {
case "upstream":
    let group = MultiThreadedEventLoopGroup(numberOfThreads: last)
    let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 1024)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        // A request with its body of 16 KB in one read.
        .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32_768))
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ConstantHandler()) }
        }
        .bind(host: "127.0.0.1", port: port).get()
    print("upstream on \(port)")
    try await channel.closeFuture.get()
default:
    let configuration = ProxyConfiguration(
        clusters: [Cluster(name: "constant", endpoints: [Endpoint(host: "127.0.0.1", port: last)])],
        routes: [Route(name: "all", path: .prefix("/"), target: .cluster("constant"))])
    let threads = arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1
    let proxy = try await ProxyServer(configuration: configuration, threads: threads, logger: Logger(label: "proxy"))
    print("proxy on \(try await proxy.start(host: "127.0.0.1", port: port))")
    // Until the process is told to end.
    try await Task.sleep(for: .seconds(86_400))
}
