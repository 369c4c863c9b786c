//! Nodes as XML.

use super::xml::{HOST, Xml};
use crate::switches::FolderTimes;
use crate::times;
use crate::tree::{Kind, Node, Revision, TreeError, View};

/// Writes nodes into a document.
pub struct Render<'a> {
    /// The tree.
    pub view: &'a View<'a>,
    /// First segment of every path.
    pub user: &'a str,
}

impl Render<'_> {
    /// `/user/Jotta/...` of the folder that a node is in.
    pub fn parent_path(&self, node: &Node) -> Result<String, TreeError> {
        let mut path = format!("/{}", self.user);
        if let Some(parent) = self.view.node(node.parent)? {
            for name in self.view.names_of(&parent)? {
                path.push('/');
                path.push_str(&name);
            }
        }
        Ok(path)
    }

    /// A revision under the name that says what it is to the file.
    pub fn revision(&self, out: &mut Xml, element: &str, name: &str, revision: &Revision) {
        out.open(element, &[])
            .leaf("number", &revision.number.to_string())
            .leaf("state", revision.state.text())
            .leaf("created", &times::jfs(revision.created))
            .leaf("modified", &times::jfs(revision.modified))
            .leaf("mime", mime(name));
        if let Some(size) = revision.size {
            out.leaf("size", &size.to_string());
        }
        out.leaf("md5", &revision.md5)
            .leaf("updated", &times::jfs(revision.updated))
            .close(element);
    }

    /// The attributes of a root element.
    pub fn root_attributes(&self) -> [(&'static str, String); 2] {
        [
            ("time", times::jfs(self.view.now)),
            ("host", HOST.to_owned()),
        ]
    }

    /// A file that is the answer itself.
    pub fn file(&self, out: &mut Xml, node: &Node) -> Result<(), TreeError> {
        self.file_element(out, node, true)
    }

    /// A file in a listing: no old revisions.
    pub fn listed_file(&self, out: &mut Xml, node: &Node) -> Result<(), TreeError> {
        self.file_element(out, node, false)
    }

    fn file_element(&self, out: &mut Xml, node: &Node, whole: bool) -> Result<(), TreeError> {
        let deleted = node.deleted.map(times::jfs);
        let [time, host] = self.root_attributes();
        let mut attributes = vec![("name", node.name.as_str()), ("uuid", node.uuid.as_str())];
        if let Some(deleted) = &deleted {
            attributes.push(("deleted", deleted));
        }
        if whole {
            attributes.push((time.0, &time.1));
            attributes.push((host.0, &host.1));
        }
        out.open("file", &attributes);
        if whole || deleted.is_some() {
            let parent = self.parent_path(node)?;
            if whole {
                out.kept("path", &parent);
            }
            out.kept("abspath", &parent);
        }
        self.inside_file(out, node, whole)?;
        out.close("file");
        Ok(())
    }

    /// Link and revisions of a file.
    pub fn inside_file(&self, out: &mut Xml, node: &Node, whole: bool) -> Result<(), TreeError> {
        if let Some(link) = &node.link {
            out.leaf("publicURI", link)
                .leaf("publicSharePath", &format!("s/{link}"));
        }
        if let Some(revision) = self.view.revision(node.current)? {
            self.revision(out, "currentRevision", &node.name, &revision);
        }
        if let Some(mut revision) = self.view.revision(node.latest)? {
            // Listings do not say how far an upload has come.
            revision.size = revision.size.filter(|_| whole);
            self.revision(out, "latestRevision", &node.name, &revision);
        }
        if whole {
            let old = self.view.old_revisions(node)?;
            if !old.is_empty() {
                out.open("revisions", &[]);
                for revision in &old {
                    self.revision(out, "revision", &node.name, revision);
                }
                out.close("revisions");
            }
        }
        Ok(())
    }

    /// A folder in a listing.
    pub fn listed_folder(&self, out: &mut Xml, node: &Node) -> Result<(), TreeError> {
        let times = self.view.switches.folder_times == FolderTimes::Present;
        let Some(deleted) = node.deleted.map(times::jfs) else {
            if times {
                out.open("folder", &[("name", &node.name)]);
                self.folder_times(out, node);
                out.close("folder");
            } else {
                out.empty("folder", &[("name", &node.name)]);
            }
            return Ok(());
        };
        out.open("folder", &[("name", &node.name), ("deleted", &deleted)]);
        out.kept("abspath", &self.parent_path(node)?);
        self.folder_times(out, node);
        out.close("folder");
        Ok(())
    }

    /// Times of a folder, if the switch shows them.
    pub fn folder_times(&self, out: &mut Xml, node: &Node) {
        if self.view.switches.folder_times == FolderTimes::Present {
            out.leaf("created", &times::jfs(node.made))
                .leaf("modified", &times::jfs(node.changed))
                .leaf("updated", &times::jfs(node.changed));
        }
    }

    /// The opening of a folder or mount point that is the answer itself, up to its children.
    pub fn open_folder(&self, out: &mut Xml, node: &Node) -> Result<(), TreeError> {
        let [time, host] = self.root_attributes();
        let parent = self.parent_path(node)?;
        let deleted = node.deleted.map(times::jfs);
        if node.kind == Kind::MountPoint {
            out.open("mountPoint", &[(time.0, &time.1), (host.0, &host.1)])
                .kept("name", &node.name)
                .kept("path", &parent)
                .kept("abspath", &parent)
                .leaf("size", &self.view.size_of_mount(node.id)?.to_string())
                .leaf("modified", &times::jfs(node.changed))
                .leaf("device", parent.rsplit('/').next().unwrap_or_default())
                .leaf("user", self.user);
            if let Some(deleted) = &deleted {
                out.leaf("deleted", deleted);
            }
            return Ok(());
        }
        let mut attributes = vec![("name", node.name.as_str())];
        if let Some(deleted) = &deleted {
            attributes.push(("deleted", deleted));
        }
        attributes.push((time.0, &time.1));
        attributes.push((host.0, &host.1));
        out.open("folder", &attributes)
            .kept("path", &parent)
            .kept("abspath", &parent);
        if let Some(link) = &node.link {
            out.leaf("publicURI", link)
                .leaf("publicSharePath", &format!("s/{link}"));
        }
        self.folder_times(out, node);
        Ok(())
    }

    /// The element name that closes what `open_folder` opened.
    pub fn folder_element(node: &Node) -> &'static str {
        if node.kind == Kind::MountPoint {
            "mountPoint"
        } else {
            "folder"
        }
    }
}

/// What the service says a name is; clients have no say.
pub fn mime(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "json" => "application/json",
        "xml" => "text/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "flac" => "audio/flac",
        "wav" => "audio/x-wav",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        _ => "application/octet-stream",
    }
}
