//! Trouble on demand.

use std::time::Duration;

use hyper::Method;

/// What goes wrong with one request. Chosen before the request is worked on; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Wait before working on the request.
    pub delay: Option<Duration>,
    /// Send the answer's body no faster than this.
    pub bytes_per_second: Option<u64>,
    /// Answer this status instead, with no work done.
    pub status: Option<u16>,
    /// Break the connection after this many bytes of the answer's body.
    pub cut_after: Option<u64>,
    /// Do the work, then break the connection without an answer.
    pub lose_answer: bool,
    /// Add this to the `Content-Length` of the answer.
    pub wrong_length: Option<i64>,
    /// Name a hash that is not the content's.
    pub wrong_hash: bool,
    /// Answer 200 and this many bytes that mean nothing.
    pub garbage: Option<u64>,
}

/// The plans in force.
#[derive(Debug, Default)]
pub struct Trouble {}

impl Trouble {
    /// The plan for one request; `kind` as in `Counts::requests`, `path` decoded and without `/jfs/<user>`.
    pub fn plan_for(&self, _method: &Method, _kind: &str, _path: &str) -> Plan {
        Plan::default()
    }
}
