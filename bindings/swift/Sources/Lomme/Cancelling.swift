import LommeCore

/// Makes a call that stops when the current task is cancelled, also when it was cancelled before the call.
///
/// What Rust has finished by then is returned all the same: a result beats a cancel. A call that stopped because
/// of the task throws Swift's `CancellationError`.
func cancelling<Output: Sendable>(
    _ call: (CancelToken) async throws -> Output
) async throws -> Output {
    let token = CancelToken()
    return try await withTaskCancellationHandler {
        do {
            return try await call(token)
        } catch LommeError.Cancelled where Task.isCancelled {
            throw CancellationError()
        }
    } onCancel: {
        token.cancel()
    }
}
