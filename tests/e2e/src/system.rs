//! What an operating system does with an upload that it was handed.

use lomme::camera::{UploadEnd, UploadPlan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One POST of a file, and no more.
pub async fn run(plan: &UploadPlan) -> UploadEnd {
    let Ok(body) = std::fs::read(&plan.file) else {
        return UploadEnd::NoAnswer;
    };
    let (host, path) = plan
        .url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut request = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in &plan.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let answer = async {
        let mut stream = tokio::net::TcpStream::connect(host).await?;
        stream.write_all(request.as_bytes()).await?;
        stream.write_all(&body).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let status = answer.await.ok().and_then(|answer| {
        let line = String::from_utf8_lossy(&answer[..answer.len().min(20)]).into_owned();
        line.split(' ').nth(1)?.parse().ok()
    });
    status.map_or(UploadEnd::NoAnswer, |status| UploadEnd::Answered { status })
}
