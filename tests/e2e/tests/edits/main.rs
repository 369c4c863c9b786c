//! Changes made on a phone, sent to the local cloud, while another client of the account changes things too.
#![allow(clippy::unwrap_used)]

mod basics;
mod conflicts;
mod found;
mod identity;
mod together;
mod wire;

use local_cloud::{Cloud, CloudOptions, Switches, Writer};
use lomme::catalog::{Item, Space};
use lomme::clock::{Clock, ManualClock, SystemClock};
use lomme::edits::{NewContent, PushRun};
use lomme::{CancelToken, Drive};
use lomme_e2e::Pocket;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A phone that is signed in, and the cloud.
struct Phone {
    cloud: Cloud,
    pocket: Pocket,
    clock: ManualClock,
}

impl Phone {
    async fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, Switches::default()).await
    }

    async fn with(files: &[(&str, &str)], switches: Switches) -> Self {
        let cloud = Cloud::start(CloudOptions::default()).unwrap();
        cloud.set_switches(switches).unwrap();
        for (path, content) in files {
            cloud
                .writer()
                .put(&format!("/Jotta/{path}"), content.as_bytes())
                .unwrap();
        }
        let clock = ManualClock::at(SystemClock.now_ms());
        let pocket = Pocket::with(|options| options.clock = Arc::new(clock.clone())).unwrap();
        let token = cloud.login_token().unwrap();
        pocket.sign_in(&token).await.unwrap();
        let phone = Self {
            cloud,
            pocket,
            clock,
        };
        phone.look().await;
        phone
    }

    fn drive(&self) -> &Drive {
        &self.pocket.drive
    }

    fn writer(&self) -> Writer {
        self.cloud.writer()
    }

    /// Asks the service for everything.
    async fn look(&self) {
        for space in [Space::Sync, Space::Archive] {
            self.pocket.index(space).await.unwrap();
        }
        let trash = Space::Trash.root();
        let cancel = CancelToken::new();
        self.drive()
            .catalog()
            .refresh(&trash, &cancel)
            .await
            .unwrap();
        for space in [Space::Sync, Space::Archive] {
            self.refresh_all(space).await;
        }
    }

    async fn refresh_all(&self, space: Space) {
        let cancel = CancelToken::new();
        let mut folders = vec![space.root()];
        while let Some(folder) = folders.pop() {
            self.drive()
                .catalog()
                .refresh(&folder, &cancel)
                .await
                .unwrap();
            let page = self
                .drive()
                .catalog()
                .children(&folder, Default::default(), None, 1_000)
                .unwrap();
            folders.extend(
                page.items
                    .into_iter()
                    .filter(|item| item.size.is_none())
                    .map(|item| item.id),
            );
        }
    }

    fn item(&self, path: &str) -> Item {
        self.pocket.item(path).unwrap()
    }

    /// A file of this content on the phone.
    fn local(&self, content: &str) -> PathBuf {
        let path = self
            .pocket
            .outer
            .path()
            .join(format!("local {}", fastrand::u32(..)));
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Makes a new file.
    fn create(&self, parent: &str, name: &str, content: &str) -> Item {
        let parent = self.item(parent).id;
        let local = self.local(content);
        self.drive()
            .edits()
            .create_file(&parent, name, NewContent::of(&local), None)
            .unwrap()
    }

    /// Puts new content into a file.
    fn edit(&self, path: &str, content: &str) -> Item {
        let item = self.item(path);
        let local = self.local(content);
        self.drive()
            .edits()
            .replace_content(
                &item.id,
                item.content_version.as_deref(),
                NewContent::of(&local),
                None,
            )
            .unwrap()
    }

    fn rename(&self, path: &str, name: &str) -> Item {
        let item = self.item(path);
        self.drive()
            .edits()
            .move_to(&item.id, &item.parent, Some(name), None)
            .unwrap()
    }

    fn trash(&self, path: &str) {
        let item = self.item(path);
        self.drive()
            .edits()
            .trash(&item.id, item.content_version.as_deref(), true, None)
            .unwrap();
    }

    async fn push(&self) -> PushRun {
        self.drive()
            .edits()
            .push(None, &CancelToken::new())
            .await
            .unwrap()
    }

    /// Lets the time come at which a run wants to be called again.
    fn wait(&self, run: &PushRun) {
        if let Some(next_ms) = run.next_ms {
            self.clock.advance((next_ms - self.clock.now_ms()).max(0));
        }
    }

    /// Pushes until nothing is left.
    async fn push_all(&self) {
        let run = self.push().await;
        assert_eq!(run.left, 0, "{:?}", self.drive().edits().outbox().unwrap());
    }

    /// The living files of a space on the service, with their contents.
    fn server(&self, space: &str) -> BTreeMap<String, String> {
        let prefix = format!("/Jotta/{space}");
        let all = self.writer().paths(&prefix).unwrap();
        all.into_iter()
            .filter(|entry| entry.deleted.is_none() && entry.is_file)
            .map(|entry| {
                let content = self.writer().read(&entry.path).unwrap();
                let path = entry
                    .path
                    .trim_start_matches(&prefix)
                    .trim_start_matches('/');
                (path.to_owned(), String::from_utf8(content).unwrap())
            })
            .collect()
    }

    /// The same as the phone shows it: paths and sizes, nothing pending.
    fn shown(&self, space: Space) -> BTreeMap<String, u64> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(String::new(), space.root())];
        while let Some((path, id)) = folders.pop() {
            let page = self
                .drive()
                .catalog()
                .children(&id, Default::default(), None, 1_000)
                .unwrap();
            for item in page.items {
                assert!(!item.pending, "{item:?}");
                let path = format!("{path}/{}", item.name);
                match item.size {
                    Some(size) => drop(found.insert(path.trim_start_matches('/').to_owned(), size)),
                    None => folders.push((path, item.id)),
                }
            }
        }
        found
    }

    /// What the phone shows is what the service has, before and after it asks.
    async fn agrees(&self) {
        let sizes = |space: &str| -> BTreeMap<String, u64> {
            let server = self.server(space).into_iter();
            server
                .map(|(path, content)| (path, content.len() as u64))
                .collect()
        };
        assert_eq!(self.shown(Space::Sync), sizes("Sync"));
        self.look().await;
        assert_eq!(self.shown(Space::Sync), sizes("Sync"));
        assert_eq!(self.shown(Space::Archive), sizes("Archive"));
        let strays = std::fs::read_dir(self.pocket.outer.path().join("drive/unsent")).unwrap();
        let strays: Vec<_> = strays
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "push.lock" && name != "push.next")
            .collect();
        assert!(strays.is_empty(), "{strays:?}");
    }
}

/// Files and contents, as [`Phone::server`] gives them.
fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, content)| ((*path).to_owned(), (*content).to_owned()))
        .collect()
}
