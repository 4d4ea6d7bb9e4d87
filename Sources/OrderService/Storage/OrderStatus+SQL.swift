public import ChassisStorage
public import Contracts

/// Stored as its name.
extension OrderStatus: SQLValueConvertible {}
