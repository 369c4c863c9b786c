//! A plain client: HTTP, an XML reader that is not the server's own writer, and MD5.
#![allow(dead_code)]

use local_cloud::{Cloud, CloudOptions, Switches, Writer};
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::{Client as Http, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::common::Site;

/// All but unreserved characters and the slash.
const SEGMENTS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// An element.
#[derive(Clone, Debug, Default)]
pub struct El {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<El>,
    pub text: String,
}

impl El {
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        let mut stack = vec![Self::default()];
        let of = |start: &quick_xml::events::BytesStart<'_>| Self {
            name: String::from_utf8(start.name().as_ref().to_vec()).unwrap(),
            attributes: start
                .attributes()
                .map(|a| {
                    let a = a.unwrap();
                    (
                        String::from_utf8(a.key.as_ref().to_vec()).unwrap(),
                        a.unescape_value().unwrap().into_owned(),
                    )
                })
                .collect(),
            ..Self::default()
        };
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => stack.push(of(&start)),
                Event::Empty(start) => {
                    let el = of(&start);
                    stack.last_mut().unwrap().children.push(el);
                }
                Event::End(_) => {
                    let el = stack.pop().unwrap();
                    stack.last_mut().unwrap().children.push(el);
                }
                Event::Text(text) => stack
                    .last_mut()
                    .unwrap()
                    .text
                    .push_str(&text.decode().unwrap()),
                Event::GeneralRef(name) => {
                    let text = match name.resolve_char_ref().unwrap() {
                        Some(c) => c.to_string(),
                        None => quick_xml::escape::resolve_xml_entity(&name.decode().unwrap())
                            .unwrap()
                            .to_owned(),
                    };
                    stack.last_mut().unwrap().text.push_str(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(stack.len(), 1, "unclosed element in {text}");
        stack.pop().unwrap().children.pop().unwrap()
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The element at a path of names; panics when it is not there.
    pub fn at(&self, path: &str) -> &Self {
        self.find(path)
            .unwrap_or_else(|| panic!("no {path} in {self:?}"))
    }

    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |el, name| {
            el.children.iter().find(|child| child.name == name)
        })
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The `name` attributes of the children of the child `group`.
    pub fn names_in(&self, group: &str) -> Vec<String> {
        self.find(group).map_or_else(Vec::new, |group| {
            group
                .children
                .iter()
                .map(|c| c.attribute("name").unwrap().to_owned())
                .collect()
        })
    }

    /// The child of `group` with that name.
    pub fn named(&self, group: &str, name: &str) -> &Self {
        self.at(group)
            .children
            .iter()
            .find(|c| c.attribute("name") == Some(name))
            .unwrap_or_else(|| panic!("no {name} in {group} of {self:?}"))
    }
}

/// Lower case hex MD5.
pub fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

pub fn encoded(path: &str) -> String {
    utf8_percent_encode(path, SEGMENTS).to_string()
}

pub struct Client {
    site: Site,
    token: String,
}

impl Client {
    pub async fn new() -> Self {
        Self::under(Switches::default()).await
    }

    pub async fn under(switches: Switches) -> Self {
        Self::of(CloudOptions {
            switches,
            ..CloudOptions::default()
        })
        .await
    }

    pub async fn with(name: &str, answer: &str) -> Self {
        let mut switches = Switches::default();
        switches.set(name, answer).unwrap();
        Self::under(switches).await
    }

    pub async fn of(options: CloudOptions) -> Self {
        let site = Site::with(options);
        let token = site.sign_in().await;
        Self { site, token }
    }

    pub fn cloud(&self) -> &Cloud {
        &self.site.cloud
    }

    pub fn writer(&self) -> Writer {
        self.site.cloud.writer()
    }

    pub fn user(&self) -> String {
        self.site.cloud.user().to_owned()
    }

    pub fn http(&self) -> &Http {
        &self.site.http
    }

    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.site.http.request(method, url).bearer_auth(&self.token)
    }

    /// The URL of a JFS path like `/Jotta/Sync/a?mode=bin`, already encoded.
    pub fn jfs(&self, raw: &str) -> String {
        format!("{}/jfs/{}{raw}", self.site.cloud.url(), self.user())
    }

    pub async fn get(&self, raw: &str) -> Response {
        let request = self.request(Method::GET, &self.jfs(raw));
        request.send().await.unwrap()
    }

    pub async fn range(&self, raw: &str, range: &str) -> Response {
        let request = self.request(Method::GET, &self.jfs(raw));
        request.header("Range", range).send().await.unwrap()
    }

    /// Status and XML of a GET.
    pub async fn xml(&self, raw: &str) -> (u16, El) {
        xml(self.get(raw).await).await
    }

    /// XML of a GET that must succeed.
    pub async fn ok(&self, raw: &str) -> El {
        let (status, el) = self.xml(raw).await;
        assert_eq!(status, 200, "{raw}: {el:?}");
        el
    }

    pub async fn status(&self, raw: &str) -> u16 {
        self.get(raw).await.status().as_u16()
    }

    /// Status and XML of a command.
    pub async fn post(&self, raw: &str) -> (u16, El) {
        let request = self.request(Method::POST, &self.jfs(raw));
        xml(request.header("Content-Length", 0).send().await.unwrap()).await
    }

    /// XML of a command that must succeed.
    pub async fn done(&self, raw: &str) -> El {
        let (status, el) = self.post(raw).await;
        assert!((200..300).contains(&status), "{raw}: {status} {el:?}");
        el
    }

    /// A command with a path of the account as its value, form-encoded.
    pub async fn to(&self, raw: &str, verb: &str, target: &str) -> (u16, El) {
        let target = encoded(&format!("/{}{target}", self.user())).replace("%20", "+");
        self.post(&format!("{raw}?{verb}={target}")).await
    }

    pub async fn cphash(&self, raw: &str, content: &[u8], time: &str) -> (u16, El) {
        let request = self
            .request(Method::POST, &self.jfs(&format!("{raw}?cphash=true")))
            .header("Content-Length", 0)
            .header("JMd5", md5(content))
            .header("JSize", content.len())
            .header("JCreated", time)
            .header("JModified", time);
        xml(request.send().await.unwrap()).await
    }

    /// Status and JSON of a call of the API host.
    pub async fn call(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.site.cloud.url());
        let request = self.request(Method::POST, &url).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Allocates `content` at a path like `/Jotta/Sync/a`.
    pub async fn allocate(&self, path: &str, content: &[u8]) -> (u16, Value) {
        self.allocate_as(path, content.len() as i64, &md5(content))
            .await
    }

    pub async fn allocate_as(&self, path: &str, bytes: i64, md5: &str) -> (u16, Value) {
        let ask = json!({
            "path": format!("/jfs{path}"), "bytes": bytes, "md5": md5,
            "created": "2020-01-02T03:04:05Z", "modified": "2021-02-03T04:05:06Z",
        });
        self.call("/files/v1/allocate", &ask).await
    }

    /// Sends bytes to an upload URL, from an offset.
    pub async fn send(&self, url: &Value, from: u64, bytes: &[u8]) -> (u16, Value) {
        let mut request = self
            .request(Method::POST, url.as_str().unwrap())
            .header("Content-Type", "application/octet-stream")
            .body(bytes.to_vec());
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Uploads content as rclone does.
    pub async fn put(&self, path: &str, content: &[u8]) -> Value {
        let (status, allocated) = self.allocate(path, content).await;
        assert_eq!(status, 200, "{path}: {allocated}");
        if allocated["state"] == "COMPLETED" {
            return allocated;
        }
        let from = allocated["resume_pos"].as_u64().unwrap();
        let rest = &content[from as usize..];
        let (status, sent) = self.send(&allocated["upload_url"], from, rest).await;
        assert_eq!(status, 200, "{path}: {sent}");
        sent
    }

    pub async fn read(&self, raw: &str) -> Vec<u8> {
        let answer = self.get(&format!("{raw}?mode=bin")).await;
        assert_eq!(answer.status(), 200, "{raw}");
        answer.bytes().await.unwrap().to_vec()
    }
}

pub async fn xml(answer: Response) -> (u16, El) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, El::parse(&text))
}
