//! Walking a folder and everything below it, holding one page of each level.

use super::node::PAGE;
use super::{Kind, Node, TreeError, View};

/// One folder of a walk.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The folder (or mount point, or device).
    pub folder: &'a Node,
    /// Names from the walk's root, each after a slash; empty for the root.
    pub path: &'a str,
}

struct Level {
    folder: Node,
    length: usize,
    page: std::vec::IntoIter<Node>,
    full: bool,
    last: Option<Node>,
}

/// Calls `visit` for `root` and every folder below it; after its children when `children_first`.
pub fn walk<E: From<TreeError>>(
    view: &View<'_>,
    root: &Node,
    deleted_too: bool,
    children_first: bool,
    mut visit: impl FnMut(Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut path = String::new();
    let mut levels = vec![Level::new(root.clone(), 0)];
    if !children_first {
        visit(Step {
            folder: root,
            path: &path,
        })?;
    }
    while let Some(level) = levels.last_mut() {
        match level.next(view, deleted_too)? {
            Some(folder) => {
                let length = path.len();
                path.push('/');
                path.push_str(&folder.name);
                if !children_first {
                    visit(Step {
                        folder: &folder,
                        path: &path,
                    })?;
                }
                levels.push(Level::new(folder, length));
            }
            None => {
                if children_first {
                    visit(Step {
                        folder: &level.folder,
                        path: &path,
                    })?;
                }
                path.truncate(level.length);
                levels.pop();
            }
        }
    }
    Ok(())
}

impl Level {
    fn new(folder: Node, length: usize) -> Self {
        Self {
            folder,
            length,
            page: Vec::new().into_iter(),
            full: true,
            last: None,
        }
    }

    fn next(&mut self, view: &View<'_>, deleted_too: bool) -> Result<Option<Node>, TreeError> {
        if let Some(node) = self.page.next() {
            return Ok(Some(node));
        }
        if !self.full {
            return Ok(None);
        }
        let kind = match self.folder.kind {
            Kind::Device => Kind::MountPoint,
            _ => Kind::Folder,
        };
        let page = view.children(self.folder.id, kind, self.last.as_ref(), deleted_too)?;
        self.full = page.len() == PAGE;
        self.last = page.last().cloned();
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

/// A live file with whole content, as liststream shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it is shown.
    pub name: String,
    /// As the client spelled it.
    pub md5: String,
    /// Bytes.
    pub size: i64,
    /// Said by the client.
    pub created: i64,
    /// Said by the client.
    pub modified: i64,
}

impl View<'_> {
    /// Calls `each` for every live file in a folder that has whole content, in the order of names.
    pub fn each_listed<E: From<TreeError>>(
        &self,
        folder: &Node,
        mut each: impl FnMut(&Listed) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT node.name, revision.md5, revision.size, revision.created, revision.modified
                 FROM node JOIN revision ON revision.id = node.current
                 WHERE node.parent = ? AND node.kind = 3 AND node.deleted IS NULL ORDER BY node.folded",
            )
            .map_err(TreeError::from)?;
        let mut rows = statement.query([folder.id]).map_err(TreeError::from)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(TreeError::from)? {
            let file = Listed::of(row).map_err(TreeError::from)?;
            each(&file)?;
            count += 1;
        }
        Ok(count)
    }

    /// Whether a folder has live files with whole content.
    pub fn has_listed(&self, folder: &Node) -> Result<bool, TreeError> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM node WHERE parent = ? AND kind = 3
                 AND deleted IS NULL AND current IS NOT NULL)",
            )?
            .query_row([folder.id], |row| row.get(0))?)
    }
}

impl Listed {
    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            md5: row.get(1)?,
            size: row.get(2)?,
            created: row.get(3)?,
            modified: row.get(4)?,
        })
    }
}
