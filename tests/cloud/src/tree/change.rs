//! Changing the tree: the commands of JFS (protocol facts §2.5, §6).

use rusqlite::params;

use super::news::word;
use super::{Kind, NewContent, Node, TreeError, View};
use crate::names::{self, JfsPath};
use crate::refusal::Refusal;
use crate::switches::{MvDirSlash, OntoLive, UniqueStatus};

/// Mount points of Jotta that are views and take nothing.
pub const VIRTUAL: [&str; 4] = ["Trash", "Links", "Latest", "Shared"];

/// Whether a path lies in a view of Jotta.
pub fn is_virtual(path: &JfsPath) -> bool {
    let segment = |at: usize| path.segments.get(at).map_or("", String::as_str);
    segment(0).eq_ignore_ascii_case("Jotta")
        && VIRTUAL.iter().any(|v| segment(1).eq_ignore_ascii_case(v))
}

fn no_such_file(text: String) -> TreeError {
    Refusal::new(404, "no.jotta.backup.errors.NoSuchFileException", text).into()
}

fn no_such_path(text: String) -> TreeError {
    Refusal::new(404, "no.jotta.backup.errors.NoSuchPathException", text).into()
}

impl View<'_> {
    /// UniqueFileException with the status that the switch says.
    pub fn unique(&self, path: &JfsPath) -> TreeError {
        let status = match self.switches.unique_status {
            UniqueStatus::Conflict => 409,
            UniqueStatus::BadRequest => 400,
            UniqueStatus::Precondition => 412,
        };
        Refusal::new(
            status,
            "no.jotta.backup.errors.UniqueFileException",
            format!("{} already exists", path.absolute()),
        )
        .into()
    }

    pub(super) fn insert(
        &self,
        parent: Option<&Node>,
        kind: Kind,
        name: &str,
    ) -> Result<Node, TreeError> {
        let name = names::stored(name, &self.switches)?;
        let folded = names::folded(&name, &self.switches);
        let uuid = if kind == Kind::File {
            uuid()
        } else {
            String::new()
        };
        let mount = parent.map_or(0, |p| p.mount);
        self.db
            .prepare_cached(
                "INSERT INTO node(parent, mount, kind, name, folded, uuid, made, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            )?
            .execute(params![
                parent.map_or(0, |p| p.id),
                mount,
                kind as i64,
                name,
                folded,
                uuid,
                self.now
            ])?;
        let id = self.db.last_insert_rowid();
        if kind == Kind::MountPoint {
            self.db
                .execute("UPDATE node SET mount = id WHERE id = ?", [id])?;
        }
        let node = Node {
            id,
            parent: parent.map_or(0, |p| p.id),
            mount: if kind == Kind::MountPoint { id } else { mount },
            kind,
            name,
            folded,
            uuid,
            deleted: None,
            link: None,
            current: None,
            latest: None,
            made: self.now,
            changed: self.now,
        };
        // A file is news when it has content.
        match kind {
            Kind::Device => self.tell("CREATE_DEVICE", &node)?,
            Kind::MountPoint | Kind::Folder => self.tell("CREATE_DIR", &node)?,
            Kind::File => {}
        }
        Ok(node)
    }

    /// The device of that name, made if need be.
    pub fn make_device(&self, name: &str, device_type: &str) -> Result<Node, TreeError> {
        if let Some(device) = self.child(0, name)? {
            return Ok(device);
        }
        let device = self.insert(None, Kind::Device, name)?;
        self.db.execute(
            "INSERT INTO device(node, type, sid) VALUES (?, ?, ?)",
            params![device.id, device_type, uuid()],
        )?;
        Ok(device)
    }

    /// The mount point of that name, made or taken out of the trash if need be, and whether it was.
    pub fn make_mount_point(&self, device: &str, name: &str) -> Result<(Node, bool), TreeError> {
        let path = JfsPath {
            segments: vec![device.to_owned(), name.to_owned()],
            slash: false,
        };
        if is_virtual(&path) {
            return Err(Refusal::invalid(format!("{} cannot be made", path.absolute())).into());
        }
        let device = self.find_device(&path)?;
        match self.child(device.id, name)? {
            Some(mut mount) => {
                let trashed = mount.deleted.is_some();
                self.revive(&mut mount)?;
                Ok((mount, trashed))
            }
            None => Ok((self.insert(Some(&device), Kind::MountPoint, name)?, true)),
        }
    }

    /// The folder at a path (mount point at least), with all parents, made or taken out of the trash if need be.
    /// What was trashed inside stays trashed.
    pub fn make_folders(&self, path: &JfsPath) -> Result<Node, TreeError> {
        let [device, mount, folders @ ..] = path.segments.as_slice() else {
            return Err(Refusal::invalid("a mount point must be named").into());
        };
        let (mut at, _) = self.make_mount_point(device, mount)?;
        for name in folders {
            at = match self.child(at.id, name)? {
                Some(mut folder) if folder.kind == Kind::Folder => {
                    self.revive(&mut folder)?;
                    folder
                }
                Some(file) if file.deleted.is_none() => return Err(self.unique(path)),
                _ => self.insert(Some(&at), Kind::Folder, name)?,
            };
        }
        Ok(at)
    }

    /// Parents of a path made, and the name that is left.
    pub fn make_parents(&self, path: &JfsPath) -> Result<(Node, String), TreeError> {
        match path.segments.as_slice() {
            [parents @ .., name] if parents.len() >= 2 => {
                // Before any parent is made, so that a bad name leaves nothing behind.
                let name = names::stored(name, &self.switches)?;
                let parents = JfsPath {
                    segments: parents.to_vec(),
                    slash: false,
                };
                Ok((self.make_folders(&parents)?, name))
            }
            _ => Err(
                Refusal::invalid(format!("{} is not below a mount point", path.absolute())).into(),
            ),
        }
    }

    /// Out of the trash, alone.
    pub(super) fn revive(&self, node: &mut Node) -> Result<(), TreeError> {
        if node.deleted.take().is_some() {
            self.db.execute(
                "UPDATE node SET deleted = NULL, trash_root = 0 WHERE id = ?",
                [node.id],
            )?;
            let words = ["RESTORE", "RESTORE_MP", "RESTORE", "RESTORE"];
            self.tell(word(node, words), node)?;
        }
        Ok(())
    }

    /// Into the trash, with everything below.
    pub fn trash(&self, node: &Node) -> Result<(), TreeError> {
        if node.deleted.is_some() {
            return Ok(());
        }
        self.db.execute(
            "WITH RECURSIVE below(id) AS (
                SELECT ?1 UNION ALL
                SELECT node.id FROM below JOIN node ON node.parent = below.id WHERE node.deleted IS NULL)
             UPDATE node SET deleted = ?2, trash_root = (id = ?1) WHERE id IN below",
            params![node.id, self.now],
        )?;
        let words = ["DELETE_DEVICE", "DELETE_MP", "DELETE_DIR", "DELETE"];
        self.tell(word(node, words), node)
    }

    /// Gone for good, with everything below.
    pub fn remove(&self, node: &Node) -> Result<(), TreeError> {
        let words = [
            "DELETE_DEVICE",
            "DELETE_MP",
            "HARD_DELETE_DIR",
            "HARD_DELETE_FILE",
        ];
        self.tell(word(node, words), node)?;
        self.db
            .execute_batch("CREATE TEMP TABLE IF NOT EXISTS doomed(id INTEGER PRIMARY KEY)")?;
        self.db.execute("DELETE FROM doomed", [])?;
        self.db.execute(
            "WITH RECURSIVE below(id) AS (
                SELECT ?1 UNION ALL SELECT node.id FROM below JOIN node ON node.parent = below.id)
             INSERT INTO doomed SELECT id FROM below",
            [node.id],
        )?;
        for sql in [
            "DELETE FROM upload WHERE node IN (SELECT id FROM doomed)",
            "DELETE FROM revision WHERE node IN (SELECT id FROM doomed)",
            "DELETE FROM device WHERE node IN (SELECT id FROM doomed)",
            "DELETE FROM node WHERE id IN (SELECT id FROM doomed)",
        ] {
            self.db.execute(sql, [])?;
        }
        Ok(())
    }

    fn place(&self, node: &Node, parent: &Node, name: &str) -> Result<Node, TreeError> {
        let name = names::stored(name, &self.switches)?;
        let folded = names::folded(&name, &self.switches);
        self.db.execute(
            "UPDATE node SET parent = ?, name = ?, folded = ?, changed = ? WHERE id = ?",
            params![parent.id, name, folded, self.now, node.id],
        )?;
        if node.mount != parent.mount {
            self.db.execute(
                "WITH RECURSIVE below(id) AS (
                    SELECT ?1 UNION ALL SELECT node.id FROM below JOIN node ON node.parent = below.id)
                 UPDATE node SET mount = ?2 WHERE id IN below",
                params![node.id, parent.mount],
            )?;
        }
        let placed = Node {
            parent: parent.id,
            mount: parent.mount,
            name,
            folded,
            changed: self.now,
            ..node.clone()
        };
        let words = ["MOVE_DIR", "MOVE_DIR", "MOVE_DIR", "MOVE"];
        self.tell_move(word(node, words), node, Some(&placed))?;
        Ok(placed)
    }

    /// Live file at a path.
    fn live_file(&self, path: &JfsPath) -> Result<Node, TreeError> {
        match self.find(path)? {
            Some(node) if node.kind == Kind::File && node.deleted.is_none() => Ok(node),
            _ => Err(no_such_file(format!(
                "Source file {} does not exist",
                path.absolute()
            ))),
        }
    }

    /// `mv`: a file gets another path.
    pub fn move_file(&self, from: &JfsPath, to: &JfsPath) -> Result<Node, TreeError> {
        let file = self.live_file(from)?;
        let (parent, name) = self.make_parents(to)?;
        match self.child(parent.id, &name)? {
            Some(there) if there.deleted.is_none() && there.id != file.id => {
                if there.kind != Kind::File || self.switches.onto_live == OntoLive::Reject {
                    return Err(self.unique(to));
                }
                let revision = self.revision(file.current)?;
                let Some(content) = revision.as_ref().and_then(NewContent::of) else {
                    return Err(self.unique(to));
                };
                let there = self.add_revision(&there, &content)?;
                self.remove(&file)?;
                Ok(there)
            }
            _ => self.place(&file, &parent, &name),
        }
    }

    /// `mvDir`: a folder gets another path.
    pub fn move_folder(&self, from: &JfsPath, to: &JfsPath) -> Result<Node, TreeError> {
        let missing = || {
            no_such_path(format!(
                "Source directory {} does not exist",
                from.absolute()
            ))
        };
        if self.switches.mvdir_slash == MvDirSlash::Required && !from.slash {
            return Err(missing());
        }
        let folder = match self.find(from)? {
            Some(node) if node.kind == Kind::Folder && node.deleted.is_none() => node,
            _ => return Err(missing()),
        };
        let (parent, name) = self.make_parents(to)?;
        let mut above = Some(parent.clone());
        while let Some(node) = above {
            if node.id == folder.id {
                return Err(
                    Refusal::invalid(format!("{} is inside of itself", to.absolute())).into(),
                );
            }
            above = self.node(node.parent)?;
        }
        match self.child(parent.id, &name)? {
            Some(there) if there.deleted.is_none() && there.id != folder.id => {
                if there.kind != Kind::Folder || self.switches.onto_live == OntoLive::Reject {
                    return Err(self.unique(to));
                }
                self.trash(&there)?;
            }
            _ => {}
        }
        self.place(&folder, &parent, &name)
    }

    /// `cp`: a file's content under another path too. Onto a trashed file it gets the content and stays in the trash.
    pub fn copy_file(&self, from: &JfsPath, to: &JfsPath) -> Result<Node, TreeError> {
        let file = self.live_file(from)?;
        let content = self
            .revision(file.current)?
            .as_ref()
            .and_then(NewContent::of);
        let content = content.ok_or_else(|| {
            no_such_file(format!("Source file {} does not exist", from.absolute()))
        })?;
        let (parent, name) = self.make_parents(to)?;
        let there = match self.child(parent.id, &name)? {
            Some(there) if there.deleted.is_none() => {
                if there.kind != Kind::File || self.switches.onto_live == OntoLive::Reject {
                    return Err(self.unique(to));
                }
                there
            }
            Some(there) if there.kind == Kind::File => there,
            _ => self.insert(Some(&parent), Kind::File, &name)?,
        };
        self.add_revision(&there, &content)
    }

    /// `dl` and `dlDir`. A missing or trashed file is no error; a missing folder is.
    pub fn trash_at(&self, path: &JfsPath, folder: bool) -> Result<Option<Node>, TreeError> {
        match self.find(path)? {
            Some(node) if (node.kind == Kind::Folder) == folder && node.kind != Kind::Device => {
                self.trash(&node)?;
                self.node(node.id)
            }
            None if !folder => Ok(None),
            _ if folder => Err(no_such_path(format!(
                "Directory {} does not exist",
                path.absolute()
            ))),
            _ => Err(no_such_file(format!(
                "File {} does not exist",
                path.absolute()
            ))),
        }
    }

    /// `rm` and `rmDir`; works on tombstones too. Answers the parent, `None` for a device.
    pub fn remove_at(&self, path: &JfsPath, folder: bool) -> Result<Option<Node>, TreeError> {
        let node = match self.find(path)? {
            Some(node) if (node.kind == Kind::Folder) == folder => node,
            _ if folder => {
                return Err(no_such_path(format!(
                    "Directory {} does not exist",
                    path.absolute()
                )));
            }
            _ => {
                return Err(no_such_file(format!(
                    "File {} does not exist",
                    path.absolute()
                )));
            }
        };
        let built_in = node.kind == Kind::Device && node.folded.eq_ignore_ascii_case("jotta");
        if built_in {
            return Err(Refusal::invalid("The device Jotta cannot be removed").into());
        }
        self.remove(&node)?;
        self.node(node.parent)
    }

    /// Gives a file or folder a public link, or takes it away.
    pub fn share(&self, path: &JfsPath, shared: bool) -> Result<Node, TreeError> {
        let mut node = match self.find(path)? {
            Some(node) if node.deleted.is_none() && node.kind != Kind::Device => node,
            _ => {
                return Err(no_such_file(format!(
                    "File {} does not exist",
                    path.absolute()
                )));
            }
        };
        node.link = match (shared, node.link.take()) {
            (true, Some(link)) => Some(link),
            (true, None) => Some(uuid().replace('-', "")),
            (false, _) => None,
        };
        self.db.execute(
            "UPDATE node SET link = ? WHERE id = ?",
            params![node.link, node.id],
        )?;
        self.tell(if shared { "SHARE_FILE" } else { "UNSHARE_FILE" }, &node)?;
        Ok(node)
    }

    /// The node behind a public link.
    pub fn linked(&self, link: &str) -> Result<Option<Node>, TreeError> {
        let sql = format!("SELECT {} FROM node WHERE link = ?", Node::COLUMNS);
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query_map([link], Node::of)?;
        Ok(rows.next().transpose()?)
    }
}

/// A random (version 4) UUID.
pub fn uuid() -> String {
    let mut b = [0_u8; 16];
    // Without randomness ids would repeat, and everything that tells files apart with them.
    #[allow(clippy::expect_used)]
    getrandom::fill(&mut b).expect("the system's randomness");
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let hex: String = b.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
