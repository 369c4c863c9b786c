//! §7: public links.

use crate::client::Client;

#[tokio::test]
async fn a_link_is_its_own_stable_and_gone_when_disabled() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"hello").unwrap();
    client.writer().put("/Jotta/Sync/b", b"other").unwrap();
    let link = |el: &crate::client::El| el.at("publicURI").text.clone();
    let shared = client.ok("/Jotta/Sync/a?mode=enableShare").await;
    let first = link(&shared);
    assert_eq!(first.len(), 32);
    assert!(shared.at("publicSharePath").text.starts_with("s/"));
    assert_eq!(
        link(&client.ok("/Jotta/Sync/a?mode=enableShare").await),
        first
    );
    assert_eq!(link(&client.ok("/Jotta/Sync/a").await), first);
    assert_ne!(
        link(&client.ok("/Jotta/Sync/b?mode=enableShare").await),
        first
    );
    let links = client.ok("/Jotta/Links").await;
    assert_eq!(
        (links.name.as_str(), links.names_in("files")),
        ("searchresult", vec!["a".into(), "b".into()])
    );
    assert_eq!(link(links.named("files", "a")), first);
    let off = client.ok("/Jotta/Sync/a?mode=disableShare").await;
    assert!(off.find("publicURI").is_none());
    assert_eq!(client.ok("/Jotta/Links").await.names_in("files"), ["b"]);
}

#[tokio::test]
async fn anybody_can_download_by_the_link_and_it_is_counted_as_public() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a.txt", b"hello").unwrap();
    let shared = client.ok("/Jotta/Sync/a.txt?mode=enableShare").await;
    let url = |user: &str| {
        let uri = &shared.at("publicURI").text;
        format!(
            "{}/opin/io/downloadPublic/{user}/{uri}",
            client.cloud().url()
        )
    };
    let user = client.user();
    let answer = client.http().get(url(&user)).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "hello");
    assert_eq!(client.cloud().counts().content_bytes["Sync/public"], 5);
    let other = client.http().get(url("somebody")).send().await.unwrap();
    assert_eq!(other.status(), 404);
    client.done("/Jotta/Sync/a.txt?dl=true").await;
    assert_eq!(
        client.http().get(url(&user)).send().await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn a_folder_can_be_shared_and_a_missing_path_is_404() {
    let client = Client::new().await;
    client.writer().mkdir("/Jotta/Sync/F").unwrap();
    let folder = client.ok("/Jotta/Sync/F?mode=enableShare").await;
    assert_eq!(
        (folder.name.as_str(), folder.at("publicURI").text.len()),
        ("folder", 32)
    );
    assert_eq!(
        client.status("/Jotta/Sync/never?mode=enableShare").await,
        404
    );
}
