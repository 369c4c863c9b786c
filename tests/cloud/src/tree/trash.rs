//! The views that are queries: Trash, Links, Latest (protocol facts §3.5, §6.6).

use rusqlite::params;

use super::news::word;
use super::{Kind, Node, TreeError, View};

/// Deleted itself or alone, not along with the folder it is in.
const TOP: &str = "node.deleted IS NOT NULL AND (node.trash_root
    OR NOT EXISTS (SELECT 1 FROM node AS above WHERE above.id = node.parent AND above.deleted IS NOT NULL))";

impl View<'_> {
    /// Top-level deleted items, of one device or of all.
    pub fn trashed(&self, device: Option<&Node>) -> Result<Vec<Node>, TreeError> {
        let columns = prefixed();
        let sql = format!(
            "SELECT {columns} FROM node LEFT JOIN node AS mounted ON mounted.id = node.mount
             WHERE {TOP} AND (?1 IS NULL OR mounted.parent = ?1) ORDER BY node.folded, node.id"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![device.map(|d| d.id)], Node::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Everything in the trash is gone for good; how many files and folders.
    pub fn purge_trash(&self) -> Result<(u64, u64), TreeError> {
        let count = |files: bool| -> Result<i64, TreeError> {
            Ok(self.db.query_row(
                "SELECT count(*) FROM node WHERE deleted IS NOT NULL AND (kind = 3) = ?",
                [files],
                |row| row.get(0),
            )?)
        };
        let (files, folders) = (count(true)?, count(false)?);
        if self.news.is_some() {
            let words = [
                "DELETE_DEVICE",
                "DELETE_MP",
                "HARD_DELETE_DIR",
                "HARD_DELETE_FILE",
            ];
            for node in self.trashed(None)? {
                self.tell(word(&node, words), &node)?;
            }
        }
        for sql in [
            "DELETE FROM upload WHERE node IN (SELECT id FROM node WHERE deleted IS NOT NULL)",
            "DELETE FROM revision WHERE node IN (SELECT id FROM node WHERE deleted IS NOT NULL)",
            "DELETE FROM node WHERE deleted IS NOT NULL",
        ] {
            self.db.execute(sql, [])?;
        }
        Ok((files as u64, folders as u64))
    }

    /// Files and folders with a public link, trashed ones too.
    pub fn links(&self) -> Result<Vec<Node>, TreeError> {
        let sql = format!(
            "SELECT {} FROM node WHERE link IS NOT NULL ORDER BY folded, id",
            Node::COLUMNS
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([], Node::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The live files whose current revision came last, newest first, and how many live files there are.
    pub fn latest(&self, max: u32) -> Result<(Vec<Node>, u64), TreeError> {
        let columns = prefixed();
        let sql = format!(
            "SELECT {columns} FROM revision JOIN node ON node.current = revision.id AND node.id = revision.node
             WHERE node.deleted IS NULL ORDER BY revision.updated DESC, revision.id DESC LIMIT ?"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([max], Node::of)?;
        let files = rows.collect::<Result<_, _>>()?;
        let total: i64 = self.db.query_row(
            "SELECT count(*) FROM node WHERE kind = ? AND deleted IS NULL AND current IS NOT NULL",
            [Kind::File as i64],
            |row| row.get(0),
        )?;
        Ok((files, total as u64))
    }
}

fn prefixed() -> String {
    Node::COLUMNS
        .split(", ")
        .map(|column| format!("node.{column}"))
        .collect::<Vec<_>>()
        .join(", ")
}
