//! POST commands (protocol facts §2.5, §5.3, §6).

use std::sync::Arc;

use hyper::Request;

use super::get::{bare_device, user};
use super::render::Render;
use super::xml::Xml;
use crate::account::Account;
use crate::body::{Reply, xml};
use crate::files::{md5_of, usage_before, within_quota, writable};
use crate::names::{JfsPath, query_value};
use crate::refusal::Refusal;
use crate::state::State;
use crate::times;
use crate::tree::{Kind, Node, Sent, TreeError, View, is_virtual};

/// One command.
pub async fn command<B>(
    state: &Arc<State>,
    path: JfsPath,
    verb: &'static str,
    request: &Request<B>,
) -> Result<Reply, Refusal> {
    let account = state.account();
    writable(state, &account)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let sent = match verb {
        "cphash" => Some(sent(request)?),
        _ => None,
    };
    let user_name = state.user.clone();
    let (status, document) = state
        .on_tree(move |tree| {
            tree.write(|view| {
                let work = Work {
                    view,
                    path: &path,
                    query: &query,
                    account: &account,
                    render: Render {
                        view,
                        user: &user_name,
                    },
                };
                let before = usage_before(view, &account)?;
                let done = work.run(verb, sent)?;
                within_quota(view, &account, before, 0)?;
                Ok(done)
            })
        })
        .await?;
    Ok(xml(status, document))
}

fn sent<B>(request: &Request<B>) -> Result<Sent, Refusal> {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let now = times::now();
    // Times that cannot be read are silently now.
    let time = |name: &str| header(name).and_then(times::parse).unwrap_or(now);
    Ok(Sent {
        md5: md5_of(header("JMd5").unwrap_or_default())?,
        size: header("JSize")
            .and_then(|v| v.parse().ok())
            .ok_or_else(|| Refusal::invalid("JSize is missing"))?,
        created: time("JCreated"),
        modified: time("JModified"),
    })
}

struct Work<'a> {
    view: &'a View<'a>,
    path: &'a JfsPath,
    query: &'a str,
    account: &'a Account,
    render: Render<'a>,
}

impl Work<'_> {
    fn run(&self, verb: &str, sent: Option<Sent>) -> Result<(u16, String), TreeError> {
        let view = self.view;
        let path = self.path;
        let ok = |document| Ok((200, document));
        match (verb, sent) {
            ("cphash", Some(sent)) => ok(self.shown(&view.cphash(path, &sent)?)?),
            ("mkDir", _) => ok(self.shown(&view.make_folders(path)?)?),
            ("mv", _) => ok(self.shown(&view.move_file(path, &self.target("mv")?)?)?),
            ("mvDir", _) => ok(self.shown(&view.move_folder(path, &self.target("mvDir")?)?)?),
            ("cp", _) => ok(self.shown(&view.copy_file(path, &self.target("cp")?)?)?),
            ("dl", _) => match view.trash_at(path, false)? {
                Some(node) => ok(self.shown(&node)?),
                None => ok(self.never_there()),
            },
            ("dlDir", _) => match view.trash_at(path, true)? {
                Some(node) => ok(self.shown(&node)?),
                None => ok(self.never_there()),
            },
            ("rm" | "rmDir", _) => match view.remove_at(path, verb == "rmDir")? {
                Some(parent) => ok(self.shown(&parent)?),
                None => ok(user(&self.render, self.account)?),
            },
            _ => self.make(),
        }
    }

    /// POST without a known verb: makes a device or a mount point; anything else is not understood.
    fn make(&self) -> Result<(u16, String), TreeError> {
        let not_understood = || {
            Refusal::new(
                500,
                "java.lang.IllegalStateException",
                "POST Request is missing multipart content or don't dont have any command parameters",
            )
        };
        match (
            self.path.segments.as_slice(),
            query_value(self.query, "type"),
        ) {
            ([device], Some(device_type)) => {
                let node = self.view.make_device(device, &device_type)?;
                Ok((201, super::get::device(&self.render, &node)?))
            }
            ([device, mount], _) if self.query.is_empty() => {
                let (node, new) = self.view.make_mount_point(device, mount)?;
                Ok((if new { 201 } else { 200 }, self.shown(&node)?))
            }
            _ => Err(not_understood().into()),
        }
    }

    /// A node as commands answer it: no children, no metadata.
    fn shown(&self, node: &Node) -> Result<String, TreeError> {
        let mut out = Xml::document();
        match node.kind {
            Kind::Device => return bare_device(&self.render, node),
            Kind::File => self.render.file(&mut out, node)?,
            Kind::MountPoint | Kind::Folder => {
                self.render.open_folder(&mut out, node)?;
                out.close(Render::folder_element(node));
            }
        }
        Ok(out.into_string())
    }

    /// The answer to trashing a file that was never there, which is no error.
    fn never_there(&self) -> String {
        let name = self.path.segments.last().map_or("", String::as_str);
        let mut out = Xml::document();
        out.empty(
            "file",
            &[("name", name), ("deleted", &times::jfs(self.view.now))],
        );
        out.into_string()
    }

    /// Where `mv`, `mvDir` or `cp` shall go: a path with the user.
    fn target(&self, verb: &str) -> Result<JfsPath, TreeError> {
        let value = query_value(self.query, verb).unwrap_or_default();
        let mut path = JfsPath::plain(&value);
        if path.segments.first().map(String::as_str) != Some(self.render.user) {
            return Err(Refusal::invalid(format!("{value} is not a path of this account")).into());
        }
        path.segments.remove(0);
        if is_virtual(&path) {
            return Err(Refusal::invalid(format!("{value} takes nothing")).into());
        }
        Ok(path)
    }
}
