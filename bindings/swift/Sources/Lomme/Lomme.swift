// Lomme for Swift: what UniFFI generates (LommeCore), with Swift's own ways laid over it.
//
// The generated calls take a `CancelToken`, because a Swift task's cancellation does not reach Rust by itself.
// The calls here have the same names without it: cancelling the task trips a token of the call's own.
// Callbacks become `AsyncStream`s and sequences. Nothing else is added: no state, no logic.

// An app imports `Lomme` alone and gets the records, enums and local reads of the generated module with it.
@_exported import LommeCore
