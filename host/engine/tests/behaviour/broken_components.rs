//! Files that cannot be used as nodes: each is refused while loading, with a code and a message that
//! say at which stage it failed and what to do.

use crate::support::{component, fixture, load, runtime};
use handoff_engine::node::Limits;
use std::time::Duration;

/// Code and message with which a file is refused.
async fn refusal(bytes: &[u8]) -> String {
    refusal_within(bytes, |_| {}).await
}

async fn refusal_within(bytes: &[u8], edit: impl FnOnce(&mut Limits)) -> String {
    let error = load(&runtime(edit), "nodes/mine.wasm", bytes)
        .await
        .expect_err("the file is refused");
    format!("{}\n{error}", error.code())
}

#[tokio::test]
async fn a_text_file_is_no_node() {
    insta::assert_snapshot!(refusal(b"#!/bin/sh\necho hello\n").await);
}

#[tokio::test]
async fn an_empty_file_is_no_node() {
    insta::assert_snapshot!(refusal(b"").await);
}

#[tokio::test]
async fn a_core_module_is_no_node() {
    insta::assert_snapshot!(refusal(b"\0asm\x01\0\0\0").await);
}

#[tokio::test]
async fn a_file_cut_off_in_its_header_is_damaged() {
    insta::assert_snapshot!(refusal(b"\0asm\x0d").await);
}

#[tokio::test]
async fn a_component_cut_in_half_is_damaged() {
    let whole = component("say");
    let refusal = refusal(&whole[..whole.len() / 2]).await;
    // Where exactly it ends changes with every build of the node.
    let refusal: String = refusal
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect();
    insta::assert_snapshot!(refusal);
}

#[tokio::test]
async fn no_cut_or_flipped_byte_of_a_component_makes_the_host_panic() {
    let whole = component("end");
    let runtime = runtime(|limits| limits.cpu = Duration::from_millis(50));
    for eighth in 0..8 {
        let at = whole.len() * eighth / 8 + 9;
        let mut flipped = whole[..whole.len().min(at + 4096)].to_vec();
        flipped[at] ^= 0xff;
        let error = load(&runtime, "nodes/mine.wasm", &flipped).await;
        let code = error.expect_err("the file is refused").code();
        assert!(code.starts_with("node."), "{code}");
    }
}

#[tokio::test]
async fn a_component_without_the_node_interface_is_no_node() {
    // The shortest component there is: a header and nothing else.
    insta::assert_snapshot!(refusal(b"\0asm\x0d\0\x01\0").await);
}

#[tokio::test]
async fn a_node_of_another_contract_version_has_to_be_rebuilt() {
    insta::assert_snapshot!(refusal(&fixture("old-contract")).await);
}

#[tokio::test]
async fn an_import_nobody_offers_is_refused_by_name() {
    insta::assert_snapshot!(refusal(&fixture("foreign-import")).await);
}

#[tokio::test]
async fn a_descriptor_in_prose_is_refused() {
    insta::assert_snapshot!(refusal(&fixture("bad-descriptor")).await);
}

#[tokio::test]
async fn a_descriptor_that_leaves_things_out_is_refused_by_member() {
    insta::assert_snapshot!(refusal(&fixture("incomplete-descriptor")).await);
}

#[tokio::test]
async fn a_node_that_never_describes_itself_is_stopped() {
    let cpu = |limits: &mut Limits| limits.cpu = Duration::from_millis(30);
    insta::assert_snapshot!(refusal_within(&fixture("spin-describe"), cpu).await);
}
