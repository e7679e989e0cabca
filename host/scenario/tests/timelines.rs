//! Timelines of sessions that were really played.
//!
//! The snapshots are of Engage, where one request follows the other; on the other transports sockets
//! and requests of one moment come in either order.

mod support;

use handoff_engine::handoff::TransportKind;
use handoff_engine::name::{Revision, SessionId};
use handoff_engine::session::{InputKind, Turn};
use handoff_scenario::{Outcome, Scenario, play_in};
use handoff_server::timeline::{Kind, Redaction, Timeline};
use handoff_store::{MemoryStore, Store};
use std::path::Path;
use std::sync::Arc;

/// The turns of a session that is handed over and comes back.
async fn turns(transport: TransportKind) -> Vec<Arc<Turn>> {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/projects/servisbot/scenarios/handed-over-and-back.toml");
    let scenario = Scenario::read(&scenario).expect("the scenario is right");
    let store = Arc::new(MemoryStore::new());
    let kept: Arc<MemoryStore> = Arc::clone(&store);
    let engine = support::engine().await;
    let report = play_in(kept, engine, &scenario, transport, &mut |_| ()).await;
    assert!(
        matches!(report.outcome, Outcome::Passed),
        "{:?}",
        report.outcome
    );
    let session = SessionId::new("session-1");
    let turns = store
        .journal(&session, Revision::default(), usize::MAX)
        .await;
    turns.expect("memory works")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handoff_is_told_as_text_json_and_a_page() {
    let turns = turns(TransportKind::EngageChatV2).await;
    let timeline = Timeline::of(&turns, Redaction::Private).with_pending(&[]);
    // The digest changes with every node, and says nothing here.
    let digest = timeline.project.clone();
    let plain = |text: String| text.replace(&digest, "[digest]");
    insta::assert_snapshot!("private_text", plain(timeline.to_text()));
    insta::assert_snapshot!("private_page", plain(timeline.to_html()));
    let json = serde_json::to_string_pretty(&timeline).expect("is plain data");
    insta::assert_snapshot!("private_json", plain(json));
    let revealed = Timeline::of(&turns, Redaction::Revealed).with_pending(&[]);
    insta::assert_snapshot!("revealed_text", plain(revealed.to_text()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_tells_what_passed_over_its_wire() {
    let seen = [
        (
            TransportKind::EngageChatV2,
            &[
                "POST /genesys/2/chat/customer-support → 200",
                "/{id}/refresh → 200",
                "/{id}/send → 200",
            ][..],
        ),
        (
            TransportKind::CloudWebchat,
            &[
                "POST /api/v2/webchat/guest/conversations → 200",
                "event stream → open",
                "frame message",
                "frame member-change",
            ],
        ),
        (
            TransportKind::CloudWebMessaging,
            &[
                "guest socket → open",
                "frame configureSession",
                "frame SessionResponse",
                "frame onMessage Text",
                "frame StructuredMessage Text",
            ],
        ),
        (
            TransportKind::CloudOpenMessaging,
            &[
                "POST /oauth/token → 200",
                "/inbound/open/message → 200",
                "webhook Text",
                "notifications followed",
            ],
        ),
    ];
    for (transport, expected) in seen {
        let turns = turns(transport).await;
        let timeline = Timeline::of(&turns, Redaction::Private);
        let frames: Vec<_> = timeline
            .rows
            .iter()
            .filter(|row| row.kind == Kind::Frame)
            .collect();
        for what in expected {
            assert!(
                frames.iter().any(|row| row.what.contains(what)),
                "{what} over {transport}:\n{}",
                timeline.to_text()
            );
        }
        assert!(
            frames.iter().any(|row| row.correlation.is_some()),
            "correlation ids over {transport}:\n{}",
            timeline.to_text()
        );
        for text in ["Ana", "Lima", "4711", "Kim", "warehouse"] {
            let told = timeline.to_text();
            assert!(!told.contains(text), "{text} over {transport}:\n{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exchanges_cost_the_journal_little() {
    for transport in TransportKind::ALL {
        let turns = turns(transport).await;
        let (mut with, mut reports) = (0, 0);
        for turn in &turns {
            if let InputKind::Signal { exchanges, .. } = &turn.input.kind {
                let written = serde_json::to_vec(exchanges).expect("is plain data");
                with += written.len();
                reports += 1;
            }
        }
        assert!(
            with / reports < 1500,
            "{transport}: {} bytes",
            with / reports
        );
    }
}
