//! GET of a path: the user, a device, a mount point, a folder, a file, or one of Jotta's views.

use std::io::{self, Write};
use std::sync::Arc;

use super::render::Render;
use super::xml::Xml;
use crate::account::Account;
use crate::body::{Body, Reply, reply, xml};
use crate::names::{JfsPath, query_value};
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{DeviceTrash, MountSize, TrashListed, TrashedGet};
use crate::times;
use crate::tree::{Kind, Node, TreeError, View};

fn missing(path: &JfsPath) -> Refusal {
    Refusal::new(
        404,
        "no.jotta.backup.errors.NoSuchFileException",
        format!("File {} does not exist", path.absolute()),
    )
}

/// The node at a path, or the 404 that fits how deep the path is.
pub fn found(view: &View<'_>, path: &JfsPath) -> Result<Node, TreeError> {
    if path.segments.len() >= 2 {
        view.find_device(path)?;
    }
    if let Some(node) = view.find(path)? {
        let hidden = view.switches.trashed_get == TrashedGet::Missing && node.deleted.is_some();
        if !hidden {
            return Ok(node);
        }
    }
    Err(match path.segments.len() {
        0 | 1 => view
            .find_device(path)
            .err()
            .unwrap_or_else(|| missing(path).into()),
        2 => Refusal::new(
            404,
            "no.jotta.backup.errors.NoSuchMountPointException",
            format!("Mount point {} does not exist", path.absolute()),
        )
        .into(),
        _ => missing(path).into(),
    })
}

enum Found {
    Small(String),
    Folder(Node),
}

/// GET without a mode.
pub async fn get(state: &Arc<State>, path: JfsPath, query: String) -> Result<Reply, Refusal> {
    let account = state.account();
    let user = state.user.clone();
    let found = state
        .on_tree(move |tree| {
            tree.read(|view| {
                let render = Render { view, user: &user };
                small_or_folder(&render, &path, &query, &account)
            })
        })
        .await?;
    match found {
        Found::Small(document) => Ok(xml(200, document)),
        Found::Folder(node) => Ok(folder(state.clone(), node)),
    }
}

fn small_or_folder(
    render: &Render<'_>,
    path: &JfsPath,
    query: &str,
    account: &Account,
) -> Result<Found, TreeError> {
    let view = render.view;
    if path.segments.is_empty() {
        return user(render, account).map(Found::Small);
    }
    let segments: Vec<String> = path.segments.iter().map(|s| s.to_lowercase()).collect();
    match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["jotta", "trash"] => return trash(render, None).map(Found::Small),
        [_, "trash"] if view.switches.device_trash == DeviceTrash::Each => {
            let device = view.find_device(path)?;
            return trash(render, Some(&device)).map(Found::Small);
        }
        ["jotta", "links"] => {
            let links = view.links()?;
            let total = links.len() as u64;
            return results(render, &links, total).map(Found::Small);
        }
        ["jotta", "latest"] => {
            let max = query_value(query, "max").and_then(|m| m.parse().ok());
            let (files, total) = view.latest(max.unwrap_or(10).clamp(10, 1000))?;
            return results(render, &files, total).map(Found::Small);
        }
        ["jotta", "shared"] => return view_root(render, "Shared", &[]).map(Found::Small),
        _ => {}
    }
    let node = found(view, path)?;
    match node.kind {
        Kind::Device => device(render, &node).map(Found::Small),
        Kind::MountPoint | Kind::Folder => Ok(Found::Folder(node)),
        Kind::File => {
            let mut out = Xml::document();
            render.file(&mut out, &node)?;
            Ok(Found::Small(out.into_string()))
        }
    }
}

/// `<user>`.
pub fn user(render: &Render<'_>, account: &Account) -> Result<String, TreeError> {
    let yes = |b: bool| if b { "true" } else { "false" };
    let mut out = Xml::document();
    let [time, host] = render.root_attributes();
    out.open("user", &[(time.0, &time.1), (host.0, &host.1)])
        .leaf("username", render.user)
        .leaf("account-type", &account.account_type)
        .leaf("locked", yes(account.write_locked && account.read_locked))
        .leaf("capacity", &account.capacity.to_string())
        .leaf("max-devices", "-1")
        .leaf("max-mobile-devices", "-1")
        .leaf("usage", &render.view.usage()?.to_string())
        .leaf("read-locked", yes(account.read_locked))
        .leaf("write-locked", yes(account.write_locked))
        .leaf("quota-write-locked", "false")
        .leaf("enable-sync", "true")
        .leaf("enable-foldershare", "true")
        .open("devices", &[]);
    render
        .view
        .each_child::<TreeError>(0, Kind::Device, false, |device| {
            out.open("device", &[]);
            device_fields(&mut out, render, device)?;
            out.close("device");
            Ok(())
        })?;
    out.close("devices").close("user");
    Ok(out.into_string())
}

fn device_fields(out: &mut Xml, render: &Render<'_>, device: &Node) -> Result<(), TreeError> {
    let (device_type, sid) = render.view.device(device)?;
    let mut size = 0;
    let mut modified = device.changed;
    render
        .view
        .each_child::<TreeError>(device.id, Kind::MountPoint, false, |mount| {
            size += render.view.size_of_mount(mount.id)?;
            modified = modified.max(mount.changed);
            Ok(())
        })?;
    out.kept("name", &device.name)
        .kept("display_name", &device.name)
        .leaf("type", &device_type)
        .leaf("sid", &sid)
        .leaf("size", &size.to_string())
        .leaf("modified", &times::jfs(modified));
    Ok(())
}

/// `<device>` without its mount points, as a removal answers it.
pub fn bare_device(render: &Render<'_>, node: &Node) -> Result<String, TreeError> {
    let mut out = Xml::document();
    open_device(&mut out, render, node)?;
    out.close("device");
    Ok(out.into_string())
}

fn open_device(out: &mut Xml, render: &Render<'_>, node: &Node) -> Result<(), TreeError> {
    let [time, host] = render.root_attributes();
    out.open("device", &[(time.0, &time.1), (host.0, &host.1)]);
    device_fields(out, render, node)?;
    out.leaf("user", render.user);
    Ok(())
}

/// `<device>`.
pub fn device(render: &Render<'_>, node: &Node) -> Result<String, TreeError> {
    let view = render.view;
    let mut out = Xml::document();
    open_device(&mut out, render, node)?;
    let mut mounts = Xml::fragment();
    let mut count = view.each_child::<TreeError>(node.id, Kind::MountPoint, true, |mount| {
        mounts.open("mountPoint", &[]).kept("name", &mount.name);
        match view.switches.mount_size {
            MountSize::Number => {
                mounts.leaf("size", &view.size_of_mount(mount.id)?.to_string());
            }
            MountSize::Empty => {
                mounts.leaf("size", "");
            }
        }
        mounts.leaf("modified", &times::jfs(mount.changed));
        if let Some(deleted) = mount.deleted {
            mounts
                .leaf("deleted", &times::jfs(deleted))
                .kept("abspath", &render.parent_path(mount)?);
        }
        mounts.close("mountPoint");
        Ok(())
    })?;
    if node.folded == "jotta" {
        let mut views = vec!["Latest", "Shared"];
        if view.switches.trash_listed == TrashListed::Yes {
            views.push("Trash");
        }
        for name in &views {
            mounts
                .open("mountPoint", &[])
                .kept("name", name)
                .leaf("size", "")
                .leaf("modified", "")
                .close("mountPoint");
        }
        count += views.len() as u64;
    }
    if count > 0 {
        out.open("mountPoints", &[])
            .raw(&mounts.into_string())
            .close("mountPoints");
    }
    let count = count.to_string();
    out.empty(
        "metadata",
        &[
            ("first", ""),
            ("max", ""),
            ("total", &count),
            ("num_mountpoints", &count),
        ],
    )
    .close("device");
    Ok(out.into_string())
}

/// The virtual Trash.
fn trash(render: &Render<'_>, device: Option<&Node>) -> Result<String, TreeError> {
    let nodes = render.view.trashed(device)?;
    view_root(render, "Trash", &nodes)
}

fn view_root(render: &Render<'_>, name: &str, nodes: &[Node]) -> Result<String, TreeError> {
    let [time, host] = render.root_attributes();
    let mut out = Xml::document();
    let parent = format!("/{}/Jotta", render.user);
    out.open("mountPoint", &[(time.0, &time.1), (host.0, &host.1)])
        .kept("name", name)
        .kept("path", &parent)
        .kept("abspath", &parent)
        .leaf("size", "")
        .leaf("modified", "")
        .leaf("device", "Jotta")
        .leaf("user", render.user);
    let (files, folders): (Vec<_>, Vec<_>) = nodes.iter().partition(|n| n.kind == Kind::File);
    for (group, element, nodes) in [("folders", "folder", &folders), ("files", "file", &files)] {
        if nodes.is_empty() {
            continue;
        }
        out.open(group, &[]);
        for node in nodes {
            let deleted = times::jfs(node.deleted.unwrap_or_default());
            let mut attributes = vec![("name", node.name.as_str())];
            if node.kind == Kind::File {
                attributes.push(("uuid", &node.uuid));
            }
            attributes.push(("deleted", &deleted));
            attributes.push(("contextType", "TRASH"));
            out.open(element, &attributes)
                .kept("abspath", &render.parent_path(node)?);
            if node.kind == Kind::File {
                render.inside_file(&mut out, node, false)?;
            }
            out.close(element);
        }
        out.close(group);
    }
    metadata(&mut out, folders.len() as u64, files.len() as u64);
    out.close("mountPoint");
    Ok(out.into_string())
}

fn metadata(out: &mut Xml, folders: u64, files: u64) {
    out.empty(
        "metadata",
        &[
            ("first", ""),
            ("max", ""),
            ("total", &(folders + files).to_string()),
            ("num_folders", &folders.to_string()),
            ("num_files", &files.to_string()),
        ],
    );
}

/// `<searchresult>`. The attribute `num_folders` counts files too; that is the service's.
fn results(render: &Render<'_>, nodes: &[Node], total: u64) -> Result<String, TreeError> {
    let [time, host] = render.root_attributes();
    let mut out = Xml::document();
    out.open("searchresult", &[(time.0, &time.1), (host.0, &host.1)])
        .open("files", &[]);
    for node in nodes.iter().filter(|n| n.kind == Kind::File) {
        let parent = render.parent_path(node)?;
        let deleted = node.deleted.map(times::jfs);
        let mut attributes = vec![("name", node.name.as_str()), ("uuid", node.uuid.as_str())];
        if let Some(deleted) = &deleted {
            attributes.push(("deleted", deleted));
        }
        out.open("file", &attributes)
            .kept("path", &parent)
            .kept("abspath", &parent);
        render.inside_file(&mut out, node, false)?;
        out.close("file");
    }
    let total = total.to_string();
    out.close("files")
        .empty(
            "metadata",
            &[
                ("first", "0"),
                ("max", &nodes.len().to_string()),
                ("total", &total),
                ("num_folders", &total),
            ],
        )
        .close("searchresult");
    Ok(out.into_string())
}

/// A folder or mount point with its children, streamed.
pub fn folder(state: Arc<State>, node: Node) -> Reply {
    let body = Body::produced(None, move |outlet| {
        state
            .tree
            .read(|view| {
                let render = Render {
                    view,
                    user: &state.user,
                };
                write_folder(&render, &node, outlet)
            })
            .map_err(io::Error::other)
    });
    reply(200, "text/xml;charset=UTF-8", body)
}

fn write_folder(render: &Render<'_>, node: &Node, to: &mut dyn Write) -> Result<(), TreeError> {
    let mut out = Xml::document();
    render.open_folder(&mut out, node)?;
    let mut counts = [0, 0];
    for (at, kind, group) in [(0, Kind::Folder, "folders"), (1, Kind::File, "files")] {
        let mut any = false;
        counts[at] = render
            .view
            .each_child::<TreeError>(node.id, kind, true, |child| {
                if !std::mem::replace(&mut any, true) {
                    out.open(group, &[]);
                }
                match kind {
                    Kind::File => render.listed_file(&mut out, child)?,
                    _ => render.listed_folder(&mut out, child)?,
                }
                Ok(out.drain_to(to)?)
            })?;
        if any {
            out.close(group);
        }
    }
    metadata(&mut out, counts[0], counts[1]);
    out.close(Render::folder_element(node));
    to.write_all(out.take().as_bytes())?;
    Ok(())
}

/// `mode=enableShare` and `mode=disableShare`: GETs that change something.
pub async fn share(state: &Arc<State>, path: JfsPath, shared: bool) -> Result<Reply, Refusal> {
    let user = state.user.clone();
    let document = state
        .on_tree(move |tree| {
            tree.write(|view| {
                let node = view.share(&path, shared)?;
                let render = Render { view, user: &user };
                let mut out = Xml::document();
                if node.kind == Kind::File {
                    render.file(&mut out, &node)?;
                } else {
                    render.open_folder(&mut out, &node)?;
                    out.close(Render::folder_element(&node));
                }
                Ok(out.into_string())
            })
        })
        .await?;
    Ok(xml(200, document))
}
