//! What every export must keep to, read from the sources themselves: see the head of `src/lib.rs`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// Exports that cannot fail and cannot panic: an atomic flag, and a match.
const INFALLIBLE: [&str; 4] = ["new", "cancel", "is_cancelled", "retry_advice"];

/// Names of Swift, Foundation, UIKit, Kotlin, the Java language and Android that an app's file may well see
/// without importing anything by name.
const TAKEN: &str = "
    Any Array Bool Character Collection Data Date Dictionary Double Duration Error Float Identifiable Int
    Iterator Never Optional Range Result Sendable Sequence Set String Task Void
    Bundle Calendar Decimal Dimension Formatter Host IndexPath IndexSet InputStream JSONDecoder JSONEncoder
    Locale Lock Measurement Morphology Notification Operation OutputStream Pipe Port Predicate Process Progress
    Scanner SortDescriptor SortOrder Stream Thread TimeZone Timer URL URLError URLRequest URLSession UUID Unit
    Logger Network Observable Published View Text Image Button List Label Link Menu Picker Section Space Table
    Byte CharSequence Comparable Continuation Exception Flow Function IllegalStateException Job KClass Lazy Long
    Map MutableList Nothing Number Pair Regex Short Throwable Triple UByte UInt ULong
    Class Cloneable Integer Math Module Object Package Record Runnable Runtime StackTraceElement StringBuilder
    System ThreadLocal
    Account AccountManager Action Activity Application BroadcastReceiver CancellationSignal ContentResolver Context
    Cursor Document DocumentsContract Environment File FileObserver Handler Intent Kind Looper Message
    OnErrorListener Page PendingIntent Process Profile Service Settings State Status Storage Subscription Uri
    Vault Listener Options Changes Order Purpose
    BufferedReader ByteBuffer Channel FileChannel FileDescriptor FileHandle FileInputStream FileManager FileReader
    InputStreamReader RandomAccessFile Reader SeekableByteChannel Writer
    BatteryManager Cache ConnectivityManager Evicted Fetched Found Hint LruCache MediaStore NetworkInfo NWPath Pin
    PowerManager Query Rule Rules Search SearchManager SearchView Situation StorageManager Thumbnail ThumbnailUtils
    UIImage Usage Waiting Weight Why
    AtomicFile Base Conflict Discarded Draft Emptied FileProvider FileVisitor FileWriter FileWrapper Hold Outbox Outcome Park
    Pending Resolution Settled Version Wish
    Adopted Amount Asset Batch Budget Camera CameraDevice Device FreeUp MediaMetadata Next PHAsset PHAssetResource Preview
    Proof Provided Receipt Resource Role Scan ScanResult Schedule Skip Source Trust
";

struct Export {
    name: String,
    signature: String,
}

/// All sources, by the path below `src`.
fn files() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&src).unwrap().display().to_string();
                files.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

fn sources() -> Vec<String> {
    files().into_iter().map(|(_, source)| source).collect()
}

/// The text without comments.
fn code(source: &str) -> String {
    let lines = source.lines().map(|line| line.trim());
    let code: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    code.join("\n")
}

/// From the first `{` on, up to the one that closes it.
fn block(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return &text[..=at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Every exported function and method, the platform's own included.
fn exports() -> Vec<Export> {
    let mut exports = Vec::new();
    for source in sources() {
        let code = code(&source);
        for part in code.split("#[uniffi::export").skip(1) {
            for after in block(part).split("fn ").skip(1) {
                let name = after.split(['(', '<']).next().unwrap();
                let is_signature =
                    after.starts_with(char::is_lowercase) && after[name.len()..].starts_with('(');
                if is_signature {
                    let end = after.find(['{', ';']).unwrap();
                    exports.push(Export {
                        name: name.to_owned(),
                        signature: after[..end].replace('\n', " "),
                    });
                }
            }
        }
    }
    exports
}

/// The names of all exported types.
fn types() -> Vec<String> {
    let mut types = Vec::new();
    for source in sources() {
        let code = code(&source);
        let lines: Vec<&str> = code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let words: Vec<&str> = line.split([' ', '(', ':']).collect();
            let exported = lines[at.saturating_sub(6)..at]
                .iter()
                .any(|before| before.contains("uniffi::"));
            match words[..] {
                ["pub", "struct" | "enum" | "trait", name, ..]
                    if exported && !name.starts_with('$') =>
                {
                    types.push(name.to_owned());
                }
                // twin! { Name = core type {
                [name, "=", "lomme", ..] => types.push(name.to_owned()),
                _ => {}
            }
        }
    }
    types
}

#[test]
fn the_lint_sees_the_exports() {
    let names: Vec<String> = exports().into_iter().map(|export| export.name).collect();
    for name in [
        "open",
        "fetch_to_file",
        "read_at",
        "search",
        "keep_pins",
        "watch",
        "text",
        "cloud_services",
        "on_progress",
        "cancel",
        "finish",
        "push",
        "commit",
        "run_batch",
        "plan_uploads",
    ] {
        assert!(names.iter().any(|seen| seen == name), "{name} in {names:?}");
    }
    let types = types();
    for name in [
        "LommeDrive",
        "LommeReader",
        "DriveSpace",
        "ThumbnailSize",
        "WaitReason",
        "SearchQuery",
        "Item",
        "LommeError",
        "SecretVault",
        "Consequence",
        "LommeWriter",
        "EditWish",
        "LommeCamera",
        "CameraAsset",
        "UploadPlan",
        "AssetRole",
    ] {
        assert!(types.iter().any(|seen| seen == name), "{name} in {types:?}");
    }
}

#[test]
fn every_export_that_can_fail_returns_a_result() {
    for export in exports() {
        let fails = export.signature.contains("-> Result<");
        let trivial = INFALLIBLE.contains(&export.name.as_str());
        assert!(fails || trivial, "{}", export.signature);
    }
}

#[test]
fn every_async_export_takes_a_cancel_token_and_runs_on_the_core_s_threads() {
    let mut seen = 0;
    for source in sources() {
        for after in code(&source).split("pub async fn ").skip(1) {
            seen += 1;
            let body = block(after);
            assert!(body.contains("cancel: Arc<CancelToken>"), "{body}");
            assert!(body.contains("on_runtime(&cancel, "), "{body}");
        }
    }
    assert!(seen >= 20, "only {seen}");
}

#[test]
fn only_readers_and_writers_carry_raw_bytes_and_no_platform_trait_is_async() {
    for (name, source) in files() {
        let code = code(&source);
        assert!(
            name == "reader.rs" || name == "writer.rs" || !code.contains("Vec<u8>"),
            "{name}"
        );
        for after in code.split("#[uniffi::export(foreign)]").skip(1) {
            assert!(!block(after).contains("async fn"));
        }
    }
}

#[test]
fn no_type_is_named_like_one_of_the_platforms() {
    let taken: Vec<&str> = TAKEN.split_whitespace().collect();
    for name in types() {
        assert!(!taken.contains(&name.as_str()), "{name} is taken");
    }
}

#[test]
fn no_doc_comment_can_end_a_comment_on_the_other_side() {
    for source in sources() {
        for line in source.lines().filter(|line| line.trim().starts_with("///")) {
            assert!(!line.contains("*/") && !line.contains("/*"), "{line}");
        }
    }
}
