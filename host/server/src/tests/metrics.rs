//! What operators read, after a handoff was played.

use super::support::{Desk, SITE, Trick};
use crate::metrics::Metrics;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::{Agent, HandoffEnd, Signal, Tally};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Millis;
use std::collections::{BTreeMap, BTreeSet};

impl Desk {
    /// Every series that is not 0, as it is scraped.
    async fn counted(&self) -> BTreeMap<String, f64> {
        let text = self.host.metrics().await;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().expect("a number")))
        });
        series.filter(|(_, value)| *value != 0.0).collect()
    }

    /// What a deed adds, but for times that were measured and what the process uses.
    async fn adds(&self, deed: impl Future<Output = ()>) -> Vec<String> {
        let before = self.counted().await;
        deed.await;
        let after = self.counted().await;
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let value = |of: &BTreeMap<String, f64>, name| of.get(name).copied().unwrap_or_default();
        let added = names.into_iter().filter_map(|name| {
            let added = value(&after, name) - value(&before, name);
            let measured = [
                "handoff_step_seconds",
                "handoff_commit_seconds",
                "handoff_turn_seconds",
                "process_",
            ];
            let of_note =
                !measured.iter().any(|start| name.starts_with(start)) && !name.contains("_bucket");
            (added != 0.0 && of_note).then(|| format!("{name} {added:+}"))
        });
        added.collect()
    }

    async fn joins(&self, handoff: &HandoffId) {
        let agent = Agent {
            id: None,
            name: "Kim".to_owned(),
        };
        let joined = Signal::AgentJoined { agent };
        self.report(handoff, "joined", Some(joined), &[]).await;
    }

    async fn ends(&self, handoff: &HandoffId, end: HandoffEnd) {
        let ended = Signal::Ended(end);
        self.report(handoff, "ended", Some(ended), &[]).await;
    }

    /// How many observations a histogram has.
    async fn observed(&self, name: &str) -> f64 {
        let counted = self.counted().await;
        let of_name = |series: &&String| series.starts_with(&format!("{name}_count"));
        counted.keys().filter(of_name).map(|it| counted[it]).sum()
    }
}

fn at_site(name: &str) -> String {
    format!("{name}{{account=\"{SITE}\",transport=\"engage-chat-v2\"}}")
}

#[tokio::test]
async fn a_handoff_from_start_to_end_is_counted_exactly() {
    let desk = Desk::new().await;
    let started = desk.adds(desk.start("s")).await;
    assert_eq!(
        started,
        [
            "handoff_sessions_started_total +1",
            "handoff_sessions{owner=\"bot\"} +1",
        ]
    );
    let asked = desk.adds(async { desk.say("s", "an order").await.expect("is taken") });
    let asked = asked.await;
    assert_eq!(
        asked,
        [
            "handoff_handoffs_driven +1".to_owned(),
            at_site("handoff_handoffs_opened_total") + " +1",
            "handoff_sessions{owner=\"agent\"} +1".to_owned(),
            "handoff_sessions{owner=\"bot\"} -1".to_owned(),
        ]
    );
    let handoff = HandoffId::new("s/2/1");
    desk.pass(Millis::from_secs(42)).await;
    let joined = desk.adds(desk.joins(&handoff)).await;
    assert_eq!(
        joined,
        [
            at_site("handoff_time_to_agent_seconds_count") + " +1",
            at_site("handoff_time_to_agent_seconds_sum") + " +42",
        ]
    );
    let talked = desk.adds(async {
        desk.agent_says(&handoff, "Hello").await;
        desk.agent_says(&handoff, "What is it?").await;
        desk.say("s", "my parcel").await.expect("is taken");
    });
    assert_eq!(
        talked.await,
        [
            "handoff_messages_relayed_total{direction=\"to_agent\"} +1",
            "handoff_messages_relayed_total{direction=\"to_user\"} +2",
        ]
    );
    // The message that is under way when the agent closes reaches nobody.
    let ended = desk.adds(desk.ends(&handoff, HandoffEnd::agent_left()));
    assert_eq!(
        ended.await,
        [
            "handoff_handoffs_driven -1".to_owned(),
            format!(
                "handoff_handoffs_ended_total{{account=\"{SITE}\",transport=\"engage-chat-v2\",\
                 reason=\"AgentLeft\",code=\"none\"}} +1"
            ),
            "handoff_messages_undelivered_total{direction=\"to_agent\"} +1".to_owned(),
            "handoff_sessions{owner=\"agent\"} -1".to_owned(),
            "handoff_sessions{owner=\"bot\"} +1".to_owned(),
        ]
    );
    let closed = desk.adds(desk.pass(Millis::from_mins(10))).await;
    assert_eq!(
        closed,
        [
            "handoff_sessions_closed_total{reason=\"Inactivity\"} +1",
            "handoff_sessions{owner=\"bot\"} -1",
        ]
    );
}

#[tokio::test]
async fn a_user_who_gives_up_waiting_is_counted_with_the_time_waited() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.pass(Millis::from_mins(3)).await;
    let left = desk.adds(async {
        let left = desk.host.user_leaves(&"s".into(), "left").await;
        left.expect("is taken");
        desk.ends(&handoff, HandoffEnd::user_left()).await;
    });
    let labels = format!("account=\"{SITE}\",transport=\"engage-chat-v2\",reason=\"UserLeft\"");
    assert_eq!(
        left.await,
        [
            "handoff_handoffs_driven -1".to_owned(),
            format!("handoff_handoffs_ended_total{{{labels},code=\"none\"}} +1"),
            "handoff_sessions{owner=\"agent\"} -1".to_owned(),
            "handoff_sessions{owner=\"bot\"} +1".to_owned(),
            format!("handoff_wait_abandoned_seconds_count{{{labels}}} +1"),
            format!("handoff_wait_abandoned_seconds_sum{{{labels}}} +180"),
        ]
    );
}

#[tokio::test]
async fn what_comes_twice_counts_once_and_what_is_refused_counts_as_refused() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.joins(&handoff).await;
    desk.agent_says(&handoff, "Hello").await;
    desk.say("s", "one").await.expect("is taken");
    let again = desk.adds(async {
        desk.joins(&handoff).await;
        desk.agent_says(&handoff, "Hello").await;
        desk.say("s", "one").await.expect("was taken");
        desk.start("s").await;
    });
    assert_eq!(again.await, Vec::<String>::new());
    let refused = desk.adds(async {
        let error = desk.say("nobody", "hello").await;
        assert_eq!(error, Err("session.unknown".to_owned()));
    });
    assert_eq!(
        refused.await,
        ["handoff_input_failures_total{code=\"session.unknown\"} +1"]
    );
}

#[tokio::test]
async fn what_a_platform_sends_out_of_order_is_counted_as_it_comes_and_once() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let says = async |key: &str, gaps, repeats, reorders| {
        let tally = Tally {
            gaps,
            repeats,
            reorders,
        };
        desk.report_of(&handoff, key, None, &[], tally).await;
    };
    let first = desk.adds(says("1", 0, 2, 0)).await;
    assert_eq!(first, [at_site("handoff_wire_repeats_total") + " +2"]);
    let more = desk.adds(async {
        says("2", 1, 2, 0).await;
        says("3", 1, 5, 1).await;
        says("3", 1, 5, 1).await;
    });
    assert_eq!(
        more.await,
        [
            at_site("handoff_wire_gaps_total") + " +1",
            at_site("handoff_wire_reorders_total") + " +1",
            at_site("handoff_wire_repeats_total") + " +3",
        ]
    );
    // The next handoff of the session begins at nothing again, and takes nothing away.
    desk.ends(&handoff, HandoffEnd::agent_left()).await;
    desk.say("s", "once more").await.expect("is taken");
    let stored = desk.host.session(&"s".into()).await.expect("reads");
    let stored = stored.expect("is there");
    let next = stored.handoff().expect("is handed off again").id.clone();
    let tally = Tally {
        gaps: 1,
        ..Tally::default()
    };
    let again = desk
        .adds(desk.report_of(&next, "1", None, &[], tally))
        .await;
    assert_eq!(again, [at_site("handoff_wire_gaps_total") + " +1"]);
}

#[tokio::test]
async fn receipts_that_fail_and_notices_are_counted_by_what_they_are_about() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let told = desk.adds(async {
        let failed = Signal::Receipt {
            message: "user:one".into(),
            receipt: Receipt::Failed,
        };
        desk.report(&handoff, "failed", Some(failed), &[]).await;
        let read = Signal::Receipt {
            message: "user:two".into(),
            receipt: Receipt::Read,
        };
        desk.report(&handoff, "read", Some(read), &[]).await;
        let notice = Signal::Notice {
            code: "genesys.file_as_link".to_owned(),
            message: "canary".to_owned(),
        };
        desk.report(&handoff, "notice", Some(notice), &[]).await;
        let session = "s".into();
        let shown = desk.host.user_receipt(&session, "3", "m", Receipt::Failed);
        shown.await.expect("is taken");
    });
    assert_eq!(
        told.await,
        [
            "handoff_messages_undelivered_total{direction=\"to_agent\"} +1".to_owned(),
            "handoff_messages_undelivered_total{direction=\"to_user\"} +1".to_owned(),
            format!(
                "handoff_notices_total{{account=\"{SITE}\",transport=\"engage-chat-v2\",\
                 code=\"genesys.file_as_link\"}} +1"
            ),
        ]
    );
}

#[tokio::test]
async fn only_the_turn_that_is_committed_counts_however_often_it_was_computed() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::BeBeaten);
    desk.store.play("s", Trick::Lose);
    let lost = desk.adds(async {
        let error = desk.say("s", "an order").await;
        assert_eq!(error, Err("store.unavailable".to_owned()));
    });
    let unavailable = "handoff_input_failures_total{code=\"store.unavailable\"} +1";
    assert_eq!(lost.await, [unavailable]);
    let taken = desk.adds(async { desk.say("s", "an order").await.expect("is taken") });
    assert_eq!(
        taken.await,
        [
            "handoff_handoffs_driven +1".to_owned(),
            at_site("handoff_handoffs_opened_total") + " +1",
            "handoff_sessions{owner=\"agent\"} +1".to_owned(),
            "handoff_sessions{owner=\"bot\"} -1".to_owned(),
        ]
    );
    let commits = desk.counted().await;
    let outcomes = ["committed", "beaten", "failed"].map(|outcome| {
        let series = format!("handoff_commit_seconds_count{{outcome=\"{outcome}\"}}");
        commits.get(&series).copied()
    });
    assert_eq!(outcomes, [Some(2.0), Some(1.0), Some(1.0)]);
    assert_eq!(desk.observed("handoff_turn_seconds").await, 2.0);
    // One that asks, and three that ask for an agent.
    assert_eq!(desk.observed("handoff_step_seconds").await, 1.0 + 3.0 * 2.0);
}

#[tokio::test]
async fn a_restart_counts_nothing_of_what_was_before_it_and_goes_on_with_what_is_open() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.agent_says(&handoff, "Hello").await;
    let desk = desk.restart().await;
    let counted: Vec<String> = desk
        .counted()
        .await
        .into_keys()
        .filter(|name| !name.starts_with("process_"))
        .collect();
    assert_eq!(
        counted,
        [
            "handoff_handoffs_driven",
            "handoff_sessions{owner=\"agent\"}",
            "handoff_store_up",
        ],
        "only what there is now"
    );
    desk.pass(Millis::from_secs(5)).await;
    let joined = desk.adds(desk.joins(&handoff)).await;
    assert_eq!(
        joined,
        [
            at_site("handoff_time_to_agent_seconds_count") + " +1",
            at_site("handoff_time_to_agent_seconds_sum") + " +5",
        ]
    );
}

#[tokio::test]
async fn the_text_is_what_prometheus_reads() {
    let desk = Desk::new().await;
    desk.with_agents("s").await;
    let text = desk.host.metrics().await;
    assert!(text.ends_with("# EOF\n"), "{text}");
    let bucket = "handoff_step_seconds_bucket{le=\"+Inf\",node_type=\"ask\"} 2";
    assert!(text.contains(bucket), "{text}");
    assert!(
        text.contains("# TYPE handoff_sessions_started counter"),
        "{text}"
    );
    if cfg!(target_os = "linux") {
        for name in [
            "resident_memory_bytes",
            "cpu_seconds_total",
            "open_fds",
            "threads",
        ] {
            let series = format!("\nprocess_{name} ");
            assert!(text.contains(&series), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn no_label_names_a_session_a_handoff_or_what_was_said() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("canary-session").await;
    desk.joins(&handoff).await;
    desk.agent_says(&handoff, "canary-text").await;
    let end = HandoffEnd::error("canary text, no code", "canary-message");
    desk.ends(&handoff, end).await;
    let text = desk.host.metrics().await;
    assert!(text.contains("code=\"other\""), "{text}");
    for word in ["canary", "Kim"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn the_documentation_tells_every_metric_and_no_other() {
    let (_, told) = Metrics::with_catalogue();
    let mut rows: Vec<String> = told
        .iter()
        .map(|told| format!("`{}` | {}", told.name, told.help))
        .collect();
    rows.sort();
    let manual = include_str!("../../../../docs/observability.md");
    let documented = manual.lines().filter_map(|line| {
        let row = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let (name, cells) = row.split_once("` |")?;
        let (_, help) = cells.rsplit_once(" | ")?;
        let is_metric = ["handoff_", "process_"]
            .iter()
            .any(|it| name.starts_with(it));
        is_metric.then(|| format!("`{name}` | {help}"))
    });
    let mut documented: Vec<String> = documented.collect();
    documented.sort();
    assert_eq!(documented, rows);
}
