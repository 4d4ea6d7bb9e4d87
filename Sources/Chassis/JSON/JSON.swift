/// JSON as Souk writes and reads it, for any `Codable` type.
///
/// Written: members in the order in which a type encodes them, those of a dictionary by their names, no white space, slashes as they are. So
/// the same value is always the same text. Read: strictly, see ``JSONError``.
public enum JSON {}
