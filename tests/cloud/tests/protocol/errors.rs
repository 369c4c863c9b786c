//! §10: how the service says no.

use reqwest::Method;

use crate::client::{Client, xml};

#[tokio::test]
async fn a_missing_path_is_named_by_its_depth() {
    let client = Client::new().await;
    for (path, class) in [
        ("/PC", "NoSuchDeviceException"),
        ("/PC/C/a", "NoSuchDeviceException"),
        ("/Jotta/Nope", "NoSuchMountPointException"),
        (
            "/Jotta/Sync/a",
            "NoSuchFileException: File /USER/Jotta/Sync/",
        ),
        (
            "/Jotta/Sync/F/G/a",
            "NoSuchFileException: File /USER/Jotta/Sync/",
        ),
    ] {
        let (status, error) = client.xml(path).await;
        assert_eq!((status, error.name.as_str()), (404, "error"), "{path}");
        assert_eq!(error.at("code").text, "404");
        assert_eq!(error.at("reason").text, "Not Found");
        assert!(
            error
                .at("message")
                .text
                .contains(&class.replace("USER", &client.user())),
            "{path}: {error:?}"
        );
        for field in ["cause", "hostname", "x-id"] {
            error.at(field);
        }
    }
}

#[tokio::test]
async fn an_empty_user_segment_is_400_and_another_user_403() {
    let client = Client::new().await;
    let ask = |path: &str| client.request(Method::GET, &format!("{}{path}", client.cloud().url()));
    let (status, error) = xml(ask("/jfs//Jotta").send().await.unwrap()).await;
    assert_eq!(status, 400);
    assert!(
        error
            .at("message")
            .text
            .contains("UsernameNotFoundException: Username not found in url!")
    );
    assert_eq!(
        ask("/jfs/somebody/Jotta").send().await.unwrap().status(),
        403
    );
    let (status, error) = xml(ask("/jfs/kari+x@example.com/Jotta").send().await.unwrap()).await;
    assert_eq!(status, 400);
    assert!(
        error
            .at("message")
            .text
            .contains("IllegalArgumentException: Unable to validate decoded path")
    );
}

#[tokio::test]
async fn an_octet_stream_command_is_taken_for_an_upload() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"x").unwrap();
    let request = client
        .request(Method::POST, &client.jfs("/Jotta/Sync/a?dl=true"))
        .header("Content-Type", "application/octet-stream")
        .header("Content-Length", 0);
    let (status, error) = xml(request.send().await.unwrap()).await;
    assert_eq!((status, error.name.as_str()), (404, "error"));
    assert!(
        client
            .ok("/Jotta/Sync/a")
            .await
            .attribute("deleted")
            .is_none()
    );
}

#[tokio::test]
async fn api_errors_are_json_with_a_class_as_their_id() {
    let client = Client::new().await;
    let (status, error) = client
        .call("/files/v1/allocate", &serde_json::json!({"path": 1}))
        .await;
    assert_eq!(status, 400);
    assert_eq!(error["code"], 400);
    assert_eq!(error["error_id"], "InvalidArgumentException");
    let url = format!("{}/files/v1/allocate", client.cloud().url());
    let answer = client
        .http()
        .post(url)
        .bearer_auth("dead")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let error: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(error["error_id"], "BadCredentialsException");
}

#[tokio::test]
async fn an_upload_that_was_never_allocated_is_404() {
    let client = Client::new().await;
    let url = format!("{}/files/v1/upload/..%2F..%2Ftree.db", client.cloud().url());
    let (status, _) = client.send(&url.into(), 0, b"x").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_read_locked_account_shows_nothing() {
    let client = Client::new().await;
    client
        .cloud()
        .set_account(|account| account.read_locked = true);
    assert_eq!(client.status("/Jotta/Sync").await, 403);
}
