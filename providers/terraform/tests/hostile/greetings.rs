//! Handshakes that are none.

use formwork_contract::provider::Provider;
use formwork_terraform::Timeouts;

use crate::stage::*;

async fn refused(mode: &str, start: std::time::Duration) -> String {
    let provider = provider(mode, Timeouts { start, ..patient() });
    let said = bounded(provider.schema()).await.expect_err(mode).to_string();
    assert!(said.starts_with("provider `hostile` (6.6.6) cannot be started: "), "{mode}: {said}");
    assert!(said.contains("hostile: this is not how to say hello"), "{mode}: {said}");
    said
}

#[tokio::test]
async fn a_line_that_is_no_handshake_is_shown_without_what_a_terminal_obeys() {
    let said = refused("greet-garbage", PATIENCE).await;
    assert!(said.contains("hello | world"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
}

#[tokio::test]
async fn who_comes_to_no_end_is_waited_for_no_longer_than_the_limit() {
    for mode in ["greet-silence", "greet-endless"] {
        let said = refused(mode, LIMIT).await;
        assert!(said.contains("within 2 seconds"), "{mode}: {said}");
    }
}

#[tokio::test]
async fn who_leaves_at_once_is_said_to_have_left() {
    let said = refused("greet-goodbye", PATIENCE).await;
    assert!(said.contains("exit status 7"), "{said}");
}

#[tokio::test]
async fn a_version_of_the_protocol_that_is_none_is_named() {
    let said = refused("greet-version", PATIENCE).await;
    assert!(said.contains("version 9"), "{said}");
}

#[tokio::test]
async fn a_socket_that_nobody_listens_at_is_told() {
    let said = refused("greet-nowhere", PATIENCE).await;
    assert!(said.contains("cannot be reached where it said"), "{said}");
}
