import Foundation
import LommeCore

extension LommeError: LocalizedError {
    /// A sentence in English for a person, without the developer's `detail`.
    public var errorDescription: String? {
        switch self {
        case .SignInNeeded: "Please sign in again."
        case .LoginRefused: "The login was refused. Get a new login token and try again."
        case .OtherAccount: "Another account's files are on this device. Sign out first."
        case .Offline: "The service can't be reached."
        case .ServerBusy: "The service is busy. Try again later."
        case .NoSuchItem: "This item does not exist any more."
        case .NotKnown: "This item is not known here yet. Refresh its folder."
        case .NotAllowed: "This is not allowed here."
        case .NameTaken: "Something else has this name already."
        case .NameRefused: "The service does not take this name. Choose another."
        case .QuotaExceeded: "The account's space is used up."
        case .AccountLocked: "The account takes no changes for now."
        case .UnsentWork: "There are changes that are not sent yet."
        case .DiskFull: "There is no space left on this device."
        case .DiskFailed: "The files of this app can't be read or written."
        case .ContentMismatch: "The file arrived damaged."
        case .VersionGone: "This version is gone."
        case .VersionNotReadable: "The service does not have this version any more."
        case .LargerThanAllowed: "This takes more space than was allowed."
        case .ManyGone: "Many files have disappeared from the service. Is that right?"
        case .BadAnswer: "The service's answer can't be understood."
        case .Refused: "The service refused."
        case .AnchorExpired, .PageExpired: "The list is out of date."
        case .Cancelled: "Cancelled."
        case .Paused: "Paused."
        case .Closed: "Closed."
        case .StoreBusy: "Busy. Try again."
        case .StoreTooNew: "Please update this app."
        case .StoreDamaged: "The files of this app are damaged."
        case .VaultFailed: "The place for passwords can't be opened."
        case .InvalidArgument, .Bug: "Something went wrong in this app."
        }
    }
}

extension WaitReason: CustomStringConvertible {
    /// A sentence in English: what is waited for, and what would end the wait.
    public var description: String {
        // It fails only where Lomme has a bug.
        (try? text()) ?? ""
    }
}
