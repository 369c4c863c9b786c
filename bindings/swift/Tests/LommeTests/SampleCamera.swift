// The sample of the camera in bindings/swift/README.md, compiled and run: a test fails when the two differ.

import Foundation
import Lomme

// README
func backUp(_ drive: LommeDrive, photo: URL) async throws {
    let camera = try drive.camera()
    try await camera.createDevice("Anna's iPhone")            // NameTaken: claimDevice, if the person says so
    let library = try camera.addLibrary("photos")             // a mount point of this name
    let scan = try camera.beginScan(of: library)              // a delta, if there is a cursor
    let file = AssetFile(key: "", role: .photo, name: "boat.jpg", stamp: 1, path: photo.path)
    try camera.add([CameraAsset(key: "id 1", files: [file], album: "Camera")], to: scan)
    try camera.commit(scan, cursor: "token 7", trust: .complete)
    let batch = try await camera.runBatch(within: .seconds(60)) // a task's slice; a kill loses nothing
    print("\(batch.done) sent, \(batch.remaining) left, next \(batch.next)")
    for try await receipt in camera.allReceipts() { print("\(receipt.name) is \(receipt.path)") }
}
