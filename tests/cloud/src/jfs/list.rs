//! `mode=list` and `mode=liststream`: everything below a folder, streamed (protocol facts §3.3, §3.4).

use std::io::{self, Write};
use std::sync::Arc;

use super::get::found;
use super::render::Render;
use super::xml::Xml;
use crate::body::{Body, Reply, reply};
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{ListstreamFolders, ListstreamOrder, ListstreamRoot};
use crate::times;
use crate::tree::{Kind, Node, TreeError, View, walk};

fn listable(node: Node, path: &JfsPath) -> Result<Node, TreeError> {
    match node.kind {
        Kind::MountPoint | Kind::Folder => Ok(node),
        Kind::Device | Kind::File => Err(Refusal::new(
            404,
            "no.jotta.backup.errors.NoSuchPathException",
            format!("Directory {} does not exist", path.absolute()),
        )
        .into()),
    }
}

/// `mode=liststream`: live COMPLETED files only, and exact `stats` at the end.
pub async fn liststream(state: &Arc<State>, path: JfsPath) -> Result<Reply, Refusal> {
    let asked = path.clone();
    let root = state
        .on_tree(move |tree| {
            tree.read(|view| match listable(found(view, &asked)?, &asked)? {
                node if node.deleted.is_none() => Ok(node),
                _ => Err(Refusal::new(
                    404,
                    "no.jotta.backup.errors.NoSuchPathException",
                    format!("Directory {} does not exist", asked.absolute()),
                )
                .into()),
            })
        })
        .await?;
    let state = state.clone();
    let body = Body::produced(None, move |outlet| {
        state
            .tree
            .read(|view| write_stream(view, &root, outlet))
            .map_err(io::Error::other)
    });
    Ok(reply(200, "text/xml;charset=UTF-8", body))
}

fn write_stream(view: &View<'_>, root: &Node, to: &mut dyn Write) -> Result<(), TreeError> {
    let element = match view.switches.liststream_root {
        ListstreamRoot::FileDirList => "filedirlist",
        ListstreamRoot::Root => "root",
        ListstreamRoot::ListStream => "liststream",
    };
    let all = view.switches.liststream_folders == ListstreamFolders::All;
    let children_first = view.switches.liststream_order == ListstreamOrder::ChildrenFirst;
    // Paths begin with the mount point: neither user nor device.
    let above = view.names_of(root)?.split_off(1).join("/");
    let (mut folders, mut files) = (0_u64, 0_u64);
    let mut out = Xml::fragment();
    out.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        .open(element, &[]);
    walk::<TreeError>(view, root, false, children_first, |step| {
        let path = format!("/{above}{}", step.path);
        folders += 1;
        if all || !view.has_listed(step.folder)? {
            out.open("folder", &[]).leaf("path", &path).close("folder");
        }
        files += view.each_listed::<TreeError>(step.folder, |file| {
            out.open("file", &[])
                .leaf("path", &path)
                .leaf("filename", &file.name);
            out.leaf("md5", &file.md5)
                .leaf("size", &file.size.to_string())
                .leaf("modified", &times::rfc3339_millis(file.modified))
                .leaf("created", &times::rfc3339_millis(file.created))
                .close("file");
            Ok(out.drain_to(to)?)
        })?;
        Ok(out.drain_to(to)?)
    })?;
    out.open("stats", &[])
        .leaf("folders", &folders.to_string())
        .leaf("files", &files.to_string())
        .close("stats")
        .close(element);
    to.write_all(out.take().as_bytes())?;
    Ok(())
}

/// `mode=list`: trashed, incomplete and corrupt files too, pretty-printed.
pub async fn list(state: &Arc<State>, path: JfsPath) -> Result<Reply, Refusal> {
    let root = state
        .on_tree(move |tree| tree.read(|view| listable(found(view, &path)?, &path)))
        .await?;
    let state = state.clone();
    let body = Body::produced(None, move |outlet| {
        state
            .tree
            .read(|view| {
                let render = Render {
                    view,
                    user: &state.user,
                };
                write_list(&render, &root, outlet)
            })
            .map_err(io::Error::other)
    });
    Ok(reply(200, "text/xml;charset=UTF-8", body))
}

fn write_list(render: &Render<'_>, root: &Node, to: &mut dyn Write) -> Result<(), TreeError> {
    let [time, host] = render.root_attributes();
    let mut out = Xml::document();
    out.open("filedirlist", &[(time.0, &time.1), (host.0, &host.1)])
        .raw("\n  ")
        .open("folders", &[]);
    let parent = render.parent_path(root)?;
    walk::<TreeError>(render.view, root, true, false, |step| {
        let whole = format!("{parent}/{}{}", root.name, step.path);
        let above = whole.rsplit_once('/').map_or("", |(above, _)| above);
        let deleted = step.folder.deleted.map(times::jfs);
        let mut attributes = vec![("name", step.folder.name.as_str())];
        if let Some(deleted) = &deleted {
            attributes.push(("deleted", deleted));
        }
        out.raw("\n    ")
            .open("folder", &attributes)
            .raw("\n      ")
            .kept("path", above)
            .raw("\n      ")
            .kept("abspath", above);
        let mut any = false;
        render
            .view
            .each_child::<TreeError>(step.folder.id, Kind::File, true, |file| {
                if !std::mem::replace(&mut any, true) {
                    out.raw("\n      ").open("files", &[]);
                }
                out.raw("\n        ");
                render.listed_file(&mut out, file)?;
                Ok(out.drain_to(to)?)
            })?;
        if any {
            out.raw("\n      ").close("files");
        }
        out.raw("\n    ").close("folder");
        Ok(out.drain_to(to)?)
    })?;
    out.raw("\n  ")
        .close("folders")
        .raw("\n")
        .close("filedirlist");
    to.write_all(out.take().as_bytes())?;
    Ok(())
}
