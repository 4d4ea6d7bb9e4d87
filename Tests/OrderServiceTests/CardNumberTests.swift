import Testing

@testable import OrderService

@Suite struct CardNumberTests {
    @Test(
        "a card number is found, however long and however it is written into a token",
        arguments: [
            // The numbers that card schemes and providers publish for tests, of 13 to 19 digits.
            "4222222222222", "36227206271667", "378282246310005", "4111111111111111", "5555555555554444", "6304000000000000018",
            "tok_4111111111111111", "4111_1111_1111_1111", "card4111111111111111x", "_4111111111111111_", "1_a_4111111111111111",
        ])
    func found(text: String) {
        #expect(CardNumber.stands(in: text))
    }

    @Test(
        "what is no card number is none",
        arguments: [
            "tok_visa", "tok_flaky", "", "4111111111111112", "411111111111", "41111111111111111111", "pm_1mqlow2ezvkylo2cy5xfs8mb",
            "4111a1111b1111c1111", "1234567890123",
        ])
    func notFound(text: String) {
        #expect(!CardNumber.stands(in: text))
    }
}
