/// A table for people: columns as wide as their widest cell, numbers to the right.
struct TextTable {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) {
        self.header = header
    }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            zip(row, widths).map { cell, width in
                let padding = String(repeating: " ", count: width - cell.count)
                return Int(cell) == nil ? cell + padding : padding + cell
            }
            .joined(separator: "  ").trimmingSpacesAtEnd
        }
        .joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingSpacesAtEnd: String {
        String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)])
    }
}
