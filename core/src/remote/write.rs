//! Commands: what changes the tree without sending content (protocol facts §5.3, §6).
//!
//! - A command is sent once. Only if the token was refused, or if there was no connection, it goes out again; whoever
//!   got no answer looks at what is there now and decides. Making a folder is no more twice than once, so it is sent until
//!   there is an answer.
//! - There is no precondition on any command: whoever moves or copies onto something has looked before.
//! - A file's verb is never tried on a folder, nor the other way round: it has removed folders for good.
//! - Which statuses say that the space is used up, or that the account is locked, no client has told. So when a refusal
//!   can mean either, the account is asked.

use super::transport::{Again, Answer, NoAnswer};
use super::{
    ContentFacts, FileHistory, ListReader, Listing, MAX_JSON, Presence, Remote, RemoteFile,
    RemotePath, names, success, times,
};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;

const MAKE_FOLDER: &str = "?mkDir=true";

/// What a refused change would have added to the account.
#[derive(Clone, Copy)]
pub(super) enum Adds<'a> {
    Nothing,
    Bytes(u64),
    /// As many bytes as this file has.
    CopyOf(&'a RemotePath),
}

impl Remote {
    /// What is at a path now. One GET; a folder's children are not read.
    pub async fn look(&self, path: &RemotePath, cancel: &CancelToken) -> Result<Presence> {
        let list = match self.list(path, cancel).await {
            Err(Error::NoSuchItem { .. }) => return Ok(Presence::Absent),
            list => list?,
        };
        let ListReader { listing, older, .. } = list;
        Ok(match listing {
            Listing::File(file) if file.current.is_none() => Presence::Absent,
            Listing::File(file) => match file.deleted_ms {
                Some(deleted_ms) => Presence::Tombstone {
                    file: Some(file),
                    deleted_ms,
                },
                None => Presence::File(Box::new(FileHistory { file: *file, older })),
            },
            Listing::Folder {
                deleted_ms: Some(deleted_ms),
            } => Presence::Tombstone {
                file: None,
                deleted_ms,
            },
            Listing::Folder { deleted_ms: None } => Presence::Folder,
        })
    }

    /// Makes a folder and all that is missing above it. No error if it is there. `NameTaken` if a file is.
    pub async fn make_folder(&self, path: &RemotePath, cancel: &CancelToken) -> Result<()> {
        self.run(path, MAKE_FOLDER, Adds::Nothing, cancel)
            .await
            .map(drop)
    }

    /// Makes a device of Backup. The answer is the same if there is one of this name, so list them first.
    pub async fn make_device(&self, name: &str, kind: &str, cancel: &CancelToken) -> Result<()> {
        let path = RemotePath::new(vec![name.to_owned()]);
        let query = format!("?type={kind}");
        self.run(&path, &query, Adds::Nothing, cancel)
            .await
            .map(drop)
    }

    /// Gives a file another path and makes the folders above that are missing. Onto a live file: `NameTaken`, or it
    /// becomes a new version of that file; nobody knows.
    pub async fn move_file(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<RemoteFile> {
        let query = format!("?mv={}", self.target(to)?);
        file(self.run(from, &query, Adds::Nothing, cancel).await?)
    }

    /// Gives a folder another path. Onto a live folder: `NameTaken`, or that one goes to the trash; nobody knows.
    pub async fn move_folder(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<()> {
        // Without the slash some have got a 404 (protocol facts §13.19).
        let query = format!("/?mvDir={}", self.target(to)?);
        self.run(from, &query, Adds::Nothing, cancel)
            .await
            .map(drop)
    }

    /// Gives a file's content another path too. A copy onto a trashed file stays in the trash, which its `deleted_ms`
    /// tells; [`Remote::build`] takes it out.
    pub async fn copy_file(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<RemoteFile> {
        let query = format!("?cp={}", self.target(to)?);
        file(self.run(from, &query, Adds::CopyOf(from), cancel).await?)
    }

    /// Moves a file to the trash. One that is not there, or is in the trash, is no error. When it was deleted, if the
    /// answer tells.
    pub async fn trash_file(&self, path: &RemotePath, cancel: &CancelToken) -> Result<Option<i64>> {
        let trashed = self.run(path, "?dl=true", Adds::Nothing, cancel).await?;
        Ok(trashed.deleted_ms())
    }

    /// Moves a folder and all in it to the trash; as for a file.
    pub async fn trash_folder(
        &self,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Option<i64>> {
        let trashed = self.run(path, "?dlDir=true", Adds::Nothing, cancel).await?;
        Ok(trashed.deleted_ms())
    }

    /// Removes a file for good, live or trashed. `NoSuchItem` when there is none.
    pub async fn remove_file(&self, path: &RemotePath, cancel: &CancelToken) -> Result<()> {
        self.run(path, "?rm=true", Adds::Nothing, cancel)
            .await
            .map(drop)
    }

    /// Removes a folder and all in it for good, live or trashed. `NoSuchItem` when there is none.
    pub async fn remove_folder(&self, path: &RemotePath, cancel: &CancelToken) -> Result<()> {
        self.run(path, "?rmDir=true", Adds::Nothing, cancel)
            .await
            .map(drop)
    }

    /// Removes for good what is in the trash: how many files and folders that were.
    pub async fn empty_trash(&self, cancel: &CancelToken) -> Result<(u64, u64)> {
        #[derive(Deserialize)]
        struct Purged {
            files: u64,
            folders: u64,
        }
        let url = format!("{}files/v1/purge_trash", self.tokens.endpoints()?.api);
        let answer = self
            .post(&url, &[], &Bytes::new(), Again::Unsent, cancel)
            .await?;
        let mut answer = match answer.status {
            200 => answer,
            _ => return Err(self.refused(answer, Adds::Nothing, cancel).await),
        };
        let body = answer.read(MAX_JSON, cancel).await?;
        let purged: Purged = serde_json::from_slice(&body)
            .map_err(|_| Error::bad_answer("an emptied trash that is not JSON"))?;
        Ok((purged.files, purged.folders))
    }

    /// Makes a file of content that the service has already, gives a file that has this content other times, or takes
    /// it out of the trash. `None` when the service does not know the content.
    pub async fn build(
        &self,
        path: &RemotePath,
        facts: &ContentFacts,
        cancel: &CancelToken,
    ) -> Result<Option<RemoteFile>> {
        let mut headers = vec![
            header("jsize", &facts.size.to_string())?,
            header("jmd5", &facts.md5_hex())?,
        ];
        for (name, ms) in [
            ("jcreated", facts.created_ms),
            ("jmodified", facts.modified_ms),
        ] {
            if let Some(time) = ms.and_then(times::jfs) {
                headers.push(header(name, &time)?);
            }
        }
        let adds = Adds::Bytes(facts.size);
        let built = self
            .run_with(path, "?cphash=true", &headers, adds, cancel)
            .await;
        let built = match built {
            Err(Error::NoSuchItem { .. }) => return Ok(None),
            built => file(built?)?,
        };
        let same = |now: &super::Revision| (now.size, now.md5) == (facts.size, facts.md5);
        if built.current.as_ref().is_some_and(same) {
            Ok(Some(built))
        } else {
            Err(Error::ContentMismatch {
                detail: "the service built another file than the one asked for".into(),
            })
        }
    }

    async fn run(
        &self,
        path: &RemotePath,
        query: &str,
        adds: Adds<'_>,
        cancel: &CancelToken,
    ) -> Result<Listing> {
        self.run_with(path, query, &[], adds, cancel).await
    }

    /// A command, and what the service shows of its result.
    async fn run_with(
        &self,
        path: &RemotePath,
        query: &str,
        headers: &[(HeaderName, HeaderValue)],
        adds: Adds<'_>,
        cancel: &CancelToken,
    ) -> Result<Listing> {
        let url = self.jfs_url(&self.tokens.username()?, path, query)?;
        let again = match query {
            MAKE_FOLDER => Again::Unanswered,
            _ => Again::Unsent,
        };
        let answer = self
            .post(&url, headers, &Bytes::new(), again, cancel)
            .await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(self.refused(answer, adds, cancel).await);
        }
        let list = ListReader::new(answer, false, cancel).await?;
        let listing = list.listing.clone();
        // Only a whole answer is one.
        list.finish(cancel).await?;
        Ok(listing)
    }

    /// A path as the value of a command: with the user.
    fn target(&self, path: &RemotePath) -> Result<String> {
        let user = self.tokens.username()?;
        let mut value = String::new();
        for name in std::iter::once(&user).chain(path.segments()) {
            names::check(name).map_err(|_| Error::invalid("a path with an impossible name"))?;
            value.push_str("%2F");
            names::push_segment(&mut value, name);
        }
        Ok(value)
    }

    /// A POST with a token. A refused token is renewed once: who is not let in has done nothing.
    pub(super) async fn post(
        &self,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        text: &Bytes,
        again: Again,
        cancel: &CancelToken,
    ) -> Result<Answer> {
        let told = |failed: NoAnswer| failed.error;
        let token = self.tokens.access_token(None, cancel).await?;
        let sent = self
            .transport
            .post(url, &token, headers, text, again, cancel);
        let answer = sent.await.map_err(told)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.tokens.access_token(Some(&token), cancel).await?;
        let sent = self
            .transport
            .post(url, &token, headers, text, again, cancel);
        sent.await.map_err(told)
    }

    /// The error that the refusal of a change means. Where the status may mean a full or a locked account, the account
    /// is asked once.
    pub(super) async fn refused(
        &self,
        answer: Answer,
        adds: Adds<'_>,
        cancel: &CancelToken,
    ) -> Error {
        let status = answer.status;
        let told = answer.name_refusal(cancel).await;
        self.explained(told, status, adds, cancel).await
    }

    /// A refusal, or what the account says of it.
    pub(super) async fn explained(
        &self,
        told: Error,
        status: u16,
        adds: Adds<'_>,
        cancel: &CancelToken,
    ) -> Error {
        let unclear = matches!(told, Error::Refused { .. } | Error::ServerBusy { .. })
            && matches!(status, 402 | 403 | 423 | 500 | 507);
        if !unclear {
            return told;
        }
        match self.account_says(adds, cancel).await {
            Ok(Some(better)) => better,
            Ok(None) => told,
            Err(Error::Cancelled) => Error::Cancelled,
            Err(_) => told,
        }
    }

    async fn account_says(&self, adds: Adds<'_>, cancel: &CancelToken) -> Result<Option<Error>> {
        let account = self.customer(cancel).await?;
        if account.write_locked {
            return Ok(Some(Error::AccountLocked));
        }
        let Some(quota) = account.quota else {
            return Ok(None);
        };
        let added = match adds {
            Adds::Nothing => 0,
            Adds::Bytes(bytes) => bytes,
            Adds::CopyOf(path) => {
                let current = self.stat(path, cancel).await?.current;
                current.map_or(0, |revision| revision.size)
            }
        };
        let full = account.usage.saturating_add(added) > quota;
        Ok(full.then_some(Error::QuotaExceeded))
    }

    /// Gives a file, folder or mount point a public link, or takes it away. A GET that changes something; doing it
    /// twice is as good as once, so it is sent again like any GET.
    pub async fn share(
        &self,
        path: &RemotePath,
        on: bool,
        cancel: &CancelToken,
    ) -> Result<Option<super::SharedLink>> {
        let mode = if on { "enableShare" } else { "disableShare" };
        let query = format!("?mode={mode}");
        let url = self.jfs_url(&self.tokens.username()?, path, &query)?;
        let answer = self.get(&url, None, cancel).await?;
        if answer.status != 200 {
            return Err(self.refused(answer, Adds::Nothing, cancel).await);
        }
        let list = ListReader::new(answer, false, cancel).await?;
        let link = list.into_link(cancel).await?;
        if link.is_some() == on {
            Ok(link)
        } else {
            Err(Error::bad_answer("sharing that had no effect"))
        }
    }

    /// The public link of a file, folder or mount point, if it has one.
    pub async fn shared_link(
        &self,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Option<super::SharedLink>> {
        self.list(path, cancel).await?.into_link(cancel).await
    }

    /// The address of a public link, to give to people: its page, or its file where the service has told of no page.
    pub fn link_url(&self, link: &super::SharedLink) -> Result<String> {
        let mut url = self.tokens.endpoints()?.www;
        if let Some(page) = &link.page {
            url.push_str(page);
            return Ok(url);
        }
        url.push_str("opin/io/downloadPublic/");
        names::push_segment(&mut url, &self.tokens.username()?);
        url.push('/');
        names::push_segment(&mut url, &link.uri);
        Ok(url)
    }

    /// All public links of the account, of files in the trash none. The service tells those of files only.
    pub async fn links(
        &self,
        cancel: &CancelToken,
    ) -> Result<Vec<(RemotePath, super::SharedLink)>> {
        let path = RemotePath::new(vec!["Jotta".into(), "Links".into()]);
        let url = self.jfs_url(&self.tokens.username()?, &path, "")?;
        let answer = success(self.get(&url, None, cancel).await?, cancel).await?;
        super::links::read(answer, cancel).await
    }
}

/// The live or trashed file that a command made.
fn file(listing: Listing) -> Result<RemoteFile> {
    match listing {
        Listing::File(file) if file.current.is_some() => Ok(*file),
        _ => Err(Error::bad_answer("no file where one was made")),
    }
}

fn header(name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(value).map_err(|_| Error::bug("a header"))?;
    Ok((HeaderName::from_static(name), value))
}
