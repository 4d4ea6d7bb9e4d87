import Testing

@testable import HTTPProxy

@Suite("Path normalization")
struct PathNormalizerTests {
    static func normalize(_ path: String) -> String? {
        Array(path.utf8).withUnsafeBytes { bytes in
            switch PathNormalizer.normalize(bytes) {
            case .unchanged: path
            case .rewritten(let rewritten): String(decoding: rewritten, as: UTF8.self)
            case .refused: nil
            }
        }
    }

    @Test(
        "a path has one spelling",
        arguments: [
            ("/", "/"), ("/api/users/7", "/api/users/7"), ("//internal", "/internal"), ("/%69nternal", "/internal"), ("/a%2fb", nil),
            ("/a%2Fb", nil), ("/a%5cb", nil), ("/a\\b", nil), ("/a%00", nil), ("/a%0a", nil), ("/api/../internal", nil),
            ("/api/%2e%2E/x", nil),
            ("/api/..;x/internal", nil), ("/./a", nil), ("/a/.", nil), ("/a/..", nil), ("/a/...", "/a/..."),
            ("/.well-known/jwks.json", "/.well-known/jwks.json"),
            ("/caf%c3%a9", "/caf%C3%A9"), ("/a%zz", nil), ("/a%2", nil), ("a", nil), ("*", nil), ("", nil), ("/a;v=1/b", "/a;v=1/b"),
            ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="), ("/a//b///c/", "/a/b/c/"), ("/a|b", nil), ("/a%25%32%66", "/a%252f"),
        ] as [(String, String?)])
    func oneSpelling(path: String, expected: String?) {
        #expect(Self.normalize(path) == expected)
    }
}
