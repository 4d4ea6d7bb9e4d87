import Foundation
import Testing

@testable import UserService

@Suite("A stored password")
struct PasswordHashTests {
    private let hash = PasswordHash(cost: .standard, salt: Array(0..<16), digest: Array(repeating: 7, count: 32))

    @Test("is written in the PHC string format, with its parameters and without padding")
    func format() {
        #expect(hash.text == "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")
    }

    @Test("reads as what was written")
    func roundTrip() {
        #expect(PasswordHash(hash.text) == hash)
    }

    @Test(
        "is refused when it is of another kind or damaged",
        arguments: [
            "", "password", "$", "$scrypt$", "$bcrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$scrypt$ln=15,r=8$AAECAwQFBgcICQoLDA0ODw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$scrypt$ln=99,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BwcH", "$scrypt$ln=15,r=8,p=3$%%%%$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc$more",
        ])
    func damaged(_ text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test("shows itself neither when printed nor when reflected")
    func redacted() {
        #expect("\(hash) \(Password("correct horse"))" == "[redacted] [redacted]")
        var dumped = ""
        dump(Password("correct horse"), to: &dumped)
        dump(hash, to: &dumped)
        #expect(!dumped.contains("horse") && !dumped.contains("99") && !dumped.contains("salt"))
    }

    @Test("is made by scrypt as RFC 7914 section 12 has it")
    func vector() throws {
        let cost = try #require(ScryptCost(logN: 10, blockSize: 8, parallelism: 16))
        let digest = try KeyDerivation.scrypt.derive(Password("password"), Array("NaCl".utf8), cost)
        #expect(digest.map { String(format: "%02x", $0) }.joined() == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    }

    @Test("is the same however an accented letter was typed")
    func normalised() {
        #expect(Password("caf\u{E9}teria").bytes == Password("cafe\u{301}teria").bytes)
    }
}
