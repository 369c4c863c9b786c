//! What no fact settles (protocol facts §13), each with its plausible answers.
//!
//! A switch is one question. Its first answer is the default: what the facts make likeliest, or what is kindest to a
//! client when they say nothing. Tests that a switch can touch run under each answer: [`Switches::each_alternative`].

/// One switch and what it may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchInfo {
    /// As [`Switches::set`] takes it.
    pub name: &'static str,
    /// The question.
    pub about: &'static str,
    /// The answers, the default first, each with its meaning.
    pub answers: &'static [(&'static str, &'static str)],
}

/// No such switch, or no such answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no switch {name:?} with the answer {answer:?}")]
pub struct UnknownSwitch {
    /// The name asked for.
    pub name: String,
    /// The answer asked for.
    pub answer: String,
}

macro_rules! switches {
    ($(
        $(#[doc = $about:literal])+
        $field:ident: $type:ident {
            $(#[doc = $first_means:literal])+
            $first:ident = $first_text:literal,
            $( $(#[doc = $means:literal])+ $variant:ident = $text:literal, )+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub enum $type {
                $(#[doc = $first_means])+
                #[default]
                $first,
                $( $(#[doc = $means])+ $variant, )+
            }

            impl $type {
                fn parse(text: &str) -> Option<Self> {
                    match text {
                        $first_text => Some(Self::$first),
                        $( $text => Some(Self::$variant), )+
                        _ => None,
                    }
                }

                fn text(self) -> &'static str {
                    match self {
                        Self::$first => $first_text,
                        $( Self::$variant => $text, )+
                    }
                }
            }
        )+

        /// The answers in force.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Switches {
            $( $(#[doc = $about])+ pub $field: $type, )+
        }

        const ALL: &[SwitchInfo] = &[
            $( SwitchInfo {
                name: stringify!($field),
                about: concat!($($about),+),
                answers: &[
                    ($first_text, concat!($($first_means),+)),
                    $( ($text, concat!($($means),+)), )+
                ],
            }, )+
        ];

        impl Switches {
            /// Sets one by its name.
            pub fn set(&mut self, name: &str, answer: &str) -> Result<(), UnknownSwitch> {
                let unknown = || UnknownSwitch {
                    name: name.to_owned(),
                    answer: answer.to_owned(),
                };
                match name {
                    $( stringify!($field) => {
                        self.$field = $type::parse(answer).ok_or_else(unknown)?;
                    } )+
                    _ => return Err(unknown()),
                }
                Ok(())
            }

            /// Reads one by its name.
            pub fn get(&self, name: &str) -> Option<&'static str> {
                match name {
                    $( stringify!($field) => Some(self.$field.text()), )+
                    _ => None,
                }
            }
        }
    };
}

switches! {
    /// What do mv, mvDir and cp do when a live item is at the destination? (§13.6)
    onto_live: OntoLive {
        /// Refuse with UniqueFileException.
        Reject = "reject",
        /// A file becomes a new revision of what is there; a folder goes to the trash for the one that comes.
        Overwrite = "overwrite",
    }
    /// Which status carries UniqueFileException? (§13.7)
    unique_status: UniqueStatus {
        /// 409 Conflict.
        Conflict = "409",
        /// 400 Bad Request.
        BadRequest = "400",
        /// 412 Precondition Failed.
        Precondition = "412",
    }
    /// Which status carries CorruptUploadOpenApiException, for a hash that differs? (§13.7)
    corrupt_status: CorruptStatus {
        /// 421, as the vendor's client shows.
        Misdirected = "421",
        /// 400 Bad Request.
        BadRequest = "400",
        /// 422 Unprocessable Content.
        Unprocessable = "422",
    }
    /// May one upload_url take several chunks? (§13.8)
    upload_url: UploadUrl {
        /// Until the upload is complete.
        Reusable = "reusable",
        /// Once; then a new allocate is needed, and the old address is 404.
        Once = "once",
    }
    /// Are the bytes of a broken-off upload kept until the next allocate? (§13.8)
    partial_upload: PartialUpload {
        /// Kept: allocate answers a resume_pos above 0.
        Kept = "kept",
        /// Gone: allocate always answers resume_pos 0.
        Gone = "gone",
    }
    /// In what is a name's length of 255 measured? (§13.9)
    name_length: NameLength {
        /// Unicode characters.
        Characters = "characters",
        /// UTF-16 units.
        Utf16 = "utf16",
        /// Bytes of UTF-8.
        Bytes = "bytes",
    }
    /// Are names that differ only in Unicode normalisation the same? (§13.9)
    normalisation: Normalisation {
        /// No: they are two names.
        Exact = "exact",
        /// Yes, and the first spelling is kept.
        Insensitive = "insensitive",
        /// Yes, and names are stored and shown in NFC whatever was sent.
        StoredNfc = "nfc",
    }
    /// Which letters are the same in both cases? (§13.9)
    case_folding: CaseFolding {
        /// All of Unicode's.
        Unicode = "unicode",
        /// Only a to z.
        Ascii = "ascii",
    }
    /// Where may a name hold a `%`? (§11: a plain 400 in paths, yet phones do store such names)
    percent: Percent {
        /// Nowhere: a plain 400.
        Refused = "refused",
        /// In allocate, but such a file cannot be reached by its path.
        AllocateOnly = "allocate-only",
        /// Everywhere.
        Accepted = "accepted",
    }
    /// Does cphash with new times make a revision? (§13.10)
    touch: Touch {
        /// No: the current revision gets the times.
        InPlace = "in-place",
        /// Yes: the same content again under the next number.
        NewRevision = "new-revision",
    }
    /// How is a full quota said? (§13.11)
    quota: QuotaAnswer {
        /// 402 Payment Required.
        Payment = "402",
        /// 403 Forbidden.
        Forbidden = "403",
        /// 507 Insufficient Storage.
        Insufficient = "507",
    }
    /// How is a change in a write-locked account refused? (§13.11)
    write_locked: WriteLocked {
        /// 403 Forbidden.
        Forbidden = "403",
        /// 423 Locked.
        Locked = "423",
        /// 500 Internal Server Error.
        Internal = "500",
    }
    /// What is liststream's root element called? (§13.12)
    liststream_root: ListstreamRoot {
        /// `filedirlist`, as mode=list has.
        FileDirList = "filedirlist",
        /// `root`.
        Root = "root",
        /// `liststream`.
        ListStream = "liststream",
    }
    /// Which folders does liststream name in an element of their own? (§13.12)
    liststream_folders: ListstreamFolders {
        /// Those without files of their own.
        WithoutFiles = "without-files",
        /// All, each before its files.
        All = "all",
    }
    /// In what order does liststream come? (§13.12)
    liststream_order: ListstreamOrder {
        /// A folder, then what is in it.
        ParentsFirst = "parents-first",
        /// What is in a folder's folders, then the folder and its files.
        ChildrenFirst = "children-first",
    }
    /// From which content do allocate and cphash build a file without bytes? (§13.13)
    known_content: KnownContent {
        /// From anything that anyone ever sent.
        Anyones = "anyones",
        /// From what this account holds, old revisions and trash included.
        Own = "own",
        /// From what current revisions of this account hold, trash included; old revisions do not count.
        OwnCurrent = "own-current",
    }
    /// Is an upload onto a trashed file a new revision of it, or another file? (§13)
    upload_onto_trashed: UploadOntoTrashed {
        /// The trashed file lives again, with its uuid and its revisions.
        Revives = "revives",
        /// A new file; the old one stays in the trash.
        Anew = "anew",
    }
    /// Of two uploads to one path at the same time, which is the current revision in the end? (§13)
    upload_order: UploadOrder {
        /// The one that was allocated last: a revision's number is given at allocate and stays.
        AllocatedLast = "allocated-last",
        /// The one whose bytes were complete last: it gets the next number then.
        CompletedLast = "completed-last",
    }
    /// Do downloads carry an ETag? (§13.16)
    etag: Etag {
        /// No.
        None = "none",
        /// Yes, the md5 in quotes.
        Md5 = "md5",
    }
    /// Is HEAD served? (§13.16)
    head: Head {
        /// As GET without its body.
        Served = "served",
        /// 405.
        Refused = "refused",
    }
    /// Is there a Trash on other devices than Jotta? (§13.17)
    device_trash: DeviceTrash {
        /// Only on Jotta, for all devices.
        JottaOnly = "jotta-only",
        /// On each device, with its own items; Jotta's shows all.
        Each = "each",
    }
    /// Is Trash listed among Jotta's mount points? (§2.4: 2017 no, 2026 yes)
    trash_listed: TrashListed {
        /// Yes.
        Yes = "yes",
        /// No.
        No = "no",
    }
    /// Do folders show times? (§13.18)
    folder_times: FolderTimes {
        /// No.
        Absent = "absent",
        /// Yes, as children `created`, `modified`, `updated`.
        Present = "present",
    }
    /// Does a mount point in a device's listing show its size? (§2.3: empty in 2026 captures)
    mount_size: MountSize {
        /// Yes.
        Number = "number",
        /// The element is there and empty.
        Empty = "empty",
    }
    /// Does mvDir need a slash at the end of its source? (§13.19)
    mvdir_slash: MvDirSlash {
        /// No.
        Optional = "optional",
        /// Yes; 404 without.
        Required = "required",
    }
    /// What does GET of a trashed path answer? (§3.1 says 200, §12.10 allows both)
    trashed_get: TrashedGet {
        /// 200 with `deleted` on the root.
        Shown = "200",
        /// 404.
        Missing = "404",
    }
    /// What is a refused refresh token told? (§1.5)
    stale_refresh_text: StaleRefreshText {
        /// "Session doesn't have required client", as of late.
        Client = "client",
        /// "Stale token", as earlier.
        Stale = "stale",
    }
    /// Does reuse of a refresh token end the family's access tokens at once, too? (§1.2)
    reuse_kills_access_tokens: ReuseKillsAccessTokens {
        /// No: they live to their end.
        No = "no",
        /// Yes.
        Yes = "yes",
    }
    /// Does a second browser sign-in of one client end the earlier one? (§1.3: eventually)
    one_browser_session: OneBrowserSession {
        /// Yes, when its access token ends.
        Yes = "yes",
        /// No.
        No = "no",
    }
    /// Are there change events? (§13.2: last known working in 2022)
    events: Events {
        /// Yes.
        On = "on",
        /// No: 404.
        Absent = "absent",
        /// One can connect, but nothing ever comes.
        Silent = "silent",
    }
    /// In which format are thumbnails? (§13.15)
    thumb_format: ThumbFormat {
        /// JPEG.
        Jpeg = "jpeg",
        /// PNG.
        Png = "png",
    }
    /// How is the thumbnail of a file that is no picture refused? (§13.15)
    thumb_missing: ThumbMissing {
        /// 404, as if there were no file.
        NotFound = "404",
        /// 400.
        BadRequest = "400",
    }
    /// Does allocate name an upload_url when nothing is to be uploaded? (§5.1)
    completed_url: CompletedUrl {
        /// Yes.
        Present = "present",
        /// No.
        Absent = "absent",
    }
}

impl Switches {
    /// All switches.
    pub fn all() -> &'static [SwitchInfo] {
        ALL
    }

    /// The defaults, then every switch at each of its other answers, one at a time; each with its `name=answer`.
    pub fn each_alternative() -> Vec<(String, Self)> {
        let others = ALL.iter().flat_map(|switch| {
            switch.answers.iter().skip(1).filter_map(|(answer, _)| {
                let mut switches = Self::default();
                switches.set(switch.name, answer).ok()?;
                Some((format!("{}={answer}", switch.name), switches))
            })
        });
        std::iter::once(("defaults".to_owned(), Self::default()))
            .chain(others)
            .collect()
    }
}
