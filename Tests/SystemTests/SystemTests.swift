import Testing

// Everything here starts the real executables with `souk up` and speaks to them from outside, through the gateway. Each suite has one shop
// for itself: fresh databases in a directory of its own, free ports, started once and stopped at the end (`ShopTrait`). Suites run one
// after another, because each shop is seven processes.

/// The whole shop, as its users meet it.
@Suite(.serialized) enum SystemTests {}
