import Chassis
import Commerce

extension CatalogQuery {
    /// Reads the query of `GET /api/products`. A parameter without a value is as good as absent.
    ///
    /// - Throws: the 400 that lists every parameter that cannot be understood.
    init(_ call: Call) throws(Problem) {
        var reader = ParameterReader(call: call)
        let query = Self.read(&reader)
        try reader.finish()
        self = query
    }

    private static func read(_ reader: inout ParameterReader) -> CatalogQuery {
        let query = CatalogQuery(
            search: reader.value("search", "must have at most 200 characters", search) ?? .everything,
            category: reader.value("category", "must be the name of a category", category),
            minimumPrice: reader.value("minPrice", priceRule) { ComparablePrice($0) },
            maximumPrice: reader.value("maxPrice", priceRule) { ComparablePrice($0) },
            inStock: reader.value("inStock", "must be true or false") { Bool($0) },
            sort: reader.value("sort", sortRule) { CatalogSort(rawValue: $0) },
            limit: reader.value("limit", limitRule, limit) ?? PageRequest.defaultLimit,
            position: reader.value("cursor", "must be the cursor of a next page") { CatalogPosition(cursor: $0) })
        if let position = query.position, position.order != query.order { reader.mistake("cursor", "belongs to a list in another order") }
        return query
    }

    private static let priceRule = "must be an amount such as 19.99"
    private static let sortRule = "must be one of " + CatalogSort.allCases.map(\.rawValue).joined(separator: ", ")
    private static let limitRule = "must be between \(PageRequest.limits.lowerBound) and \(PageRequest.limits.upperBound)"

    private static func search(_ text: String) -> Search? {
        text.unicodeScalars.count <= 200 ? Search(text) : nil
    }

    private static func category(_ text: String) -> String? {
        text.unicodeScalars.count <= ProductDetails.categoryLength.upperBound && !text.utf8.contains(0) ? text : nil
    }

    private static func limit(_ text: String) -> Int? {
        Int(text).flatMap { PageRequest.limits.contains($0) ? $0 : nil }
    }
}

/// Reads query parameters and keeps every mistake until all are known.
private struct ParameterReader {
    let call: Call
    private var mistakes: [Problem.Mistake] = []

    init(call: Call) {
        self.call = call
    }

    /// Nil when the parameter is absent or empty, or when `read` fails, which is a mistake.
    mutating func value<Value>(_ name: String, _ rule: String, _ read: (String) -> Value?) -> Value? {
        guard let text = call.query(name), !text.isEmpty else { return nil }
        if let value = read(text) { return value }
        mistake(name, rule)
        return nil
    }

    mutating func mistake(_ name: String, _ detail: String) {
        mistakes.append(Problem.Mistake(pointer: "?\(name)", detail: detail))
    }

    func finish() throws(Problem) {
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
    }
}
