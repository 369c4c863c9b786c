// swift-tools-version: 6.0
//
// Lomme for Swift. `./generate` builds the Rust library and writes what is not committed: the library in
// `build`, the header in Sources/LommeFFI, the generated Swift in Sources/LommeCore.

import PackageDescription

let library = Context.packageDirectory + "/build"

let package = Package(
    name: "Lomme",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Lomme", targets: ["Lomme"])],
    targets: [
        .systemLibrary(name: "LommeFFI"),
        // Generated code is not written for Swift 6's checks.
        .target(
            name: "LommeCore",
            dependencies: ["LommeFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [
                .unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library]),
                .linkedLibrary("lomme_ffi"),
            ]
        ),
        .target(name: "Lomme", dependencies: ["LommeCore"]),
        .testTarget(name: "LommeTests", dependencies: ["Lomme"]),
    ]
)
