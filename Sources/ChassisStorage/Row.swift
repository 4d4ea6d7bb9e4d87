/// One row of a result, read by column name.
///
/// ```swift
/// let id: OrderID = try row["id"]
/// let note: String? = try row["note"]
/// ```
///
/// A row is a view of the driver's current row: it is valid only inside the closure that received it. Reading it later throws.
public struct Row {
    private let cursor: any SQLCursor
    private let position: Int

    init(of cursor: any SQLCursor) {
        self.cursor = cursor
        self.position = cursor.position
    }

    /// The value of a column.
    ///
    /// - Throws: ``StorageError`` (conversion) when there is no such column, when it holds NULL and `T` is not optional, or when
    ///   its value is not a `T`.
    public subscript<T: SQLValueConvertible>(_ column: String) -> T {
        get throws {
            guard let index = cursor.columns.firstIndex(of: column) else {
                throw StorageError.conversion("the result has no column \(column)")
            }
            return try read(index, name: column)
        }
    }

    /// The first column, whatever its name: what `SELECT count(*)` gives.
    func first<T: SQLValueConvertible>() throws -> T {
        guard let name = cursor.columns.first else { throw StorageError.misuse("the statement gives no columns") }
        return try read(0, name: name)
    }

    private func read<T: SQLValueConvertible>(_ index: Int, name: String) throws -> T {
        guard cursor.position == position else {
            throw StorageError.misuse("a row was used outside the closure that received it")
        }
        do {
            return try T(sqlValue: cursor.value(at: index))
        } catch let error as StorageError where error.isConversionError {
            throw StorageError.conversion("column \(name): \(error.message)")
        }
    }
}

@available(*, unavailable)
extension Row: Sendable {}
