//! Versions of the project are deployed while people talk.

use super::support::{Desk, NoSecrets, SITE, renamed, with_account};
use crate::VersionState;
use handoff_engine::account::Account;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::name::AccountName;

/// Digests begin differently enough.
async fn versions(desk: &Desk) -> Vec<(String, bool, bool, u64)> {
    let states = desk.host.versions().await.expect("reads");
    let short = |state: VersionState| {
        let digest = state.digest[..8].to_owned();
        (digest, state.current, state.loaded, state.open_sessions)
    };
    states.into_iter().map(short).collect()
}

async fn version_of(desk: &Desk, session: &str) -> String {
    let session = desk.host.session(&session.into()).await.expect("reads");
    session.expect("is there").project
}

#[tokio::test]
async fn open_sessions_stay_with_their_version_and_new_ones_take_the_new_one() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("before").await;
    let (first, second) = (desk.host.project(), renamed("second").await);
    desk.host
        .deploy(second.clone(), &NoSecrets)
        .expect("is deployed");
    desk.start("after").await;
    assert_eq!(version_of(&desk, "before").await, first.digest());
    assert_eq!(version_of(&desk, "after").await, second.digest());
    desk.agent_says(&handoff, "Hello").await;
    desk.say("before", "a question").await.expect("is taken");
    desk.say("after", "an order").await.expect("is taken");
    assert_eq!(desk.seen("before").await, ["What is it about?", "Hello"]);
    let (first, second) = (&first.digest()[..8], &second.digest()[..8]);
    let both = [
        (second.to_owned(), true, true, 1),
        (first.to_owned(), false, true, 1),
    ];
    assert_eq!(versions(&desk).await, both);
}

#[tokio::test]
async fn who_goes_back_deploys_the_earlier_version_again() {
    let desk = Desk::new().await;
    let first = desk.host.project();
    desk.host
        .deploy(renamed("second").await, &NoSecrets)
        .expect("is deployed");
    desk.host
        .deploy(first.clone(), &NoSecrets)
        .expect("is deployed again");
    desk.start("s").await;
    assert_eq!(version_of(&desk, "s").await, first.digest());
}

#[tokio::test]
async fn a_version_goes_when_no_session_needs_it_any_more() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let first = desk.host.project().digest().to_owned();
    desk.host
        .deploy(renamed("second").await, &NoSecrets)
        .expect("is deployed");
    let retired = async || desk.host.retire_versions().await.expect("reads");
    assert_eq!(retired().await, Vec::<String>::new());
    // The session closes, and its agent is still to be left.
    desk.host
        .user_leaves(&"s".into(), "1")
        .await
        .expect("is taken");
    desk.host
        .user_leaves(&"s".into(), "2")
        .await
        .expect("is taken");
    assert_eq!(
        desk.host.versions().await.expect("reads")[1].open_sessions,
        0
    );
    assert_eq!(retired().await, Vec::<String>::new());
    let end = Signal::Ended(HandoffEnd::user_left());
    desk.report(&handoff, "ended", Some(end), &[]).await;
    assert_eq!(retired().await, [first]);
    assert_eq!(versions(&desk).await.len(), 1);
}

#[tokio::test]
async fn after_a_restart_each_session_goes_on_on_its_own_version() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("before").await;
    let (first, second) = (desk.host.project(), renamed("second").await);
    let desk = desk.restart_as(second, [first]).await;
    assert_eq!(desk.silent.resumed().len(), 1);
    desk.agent_says(&handoff, "Hello").await;
    desk.say("before", "a question").await.expect("is taken");
    assert_eq!(desk.seen("before").await, ["What is it about?", "Hello"]);
}

#[tokio::test]
async fn sessions_of_a_version_the_host_lacks_stand_still_and_lose_nothing() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let first = desk.host.project();
    let second = renamed("second").await;
    let desk = desk.restart_as(second.clone(), []).await;
    assert_eq!(desk.silent.resumed(), []);
    let refused = desk.say("s", "a question").await.expect_err("is refused");
    assert_eq!(refused, "session.other_project");
    let lacking = (first.digest()[..8].to_owned(), false, false, 1);
    assert_eq!(versions(&desk).await[1], lacking);
    let desk = desk.restart_as(second, [first]).await;
    assert_eq!(desk.silent.resumed().len(), 1);
    desk.agent_says(&handoff, "Hello").await;
    assert_eq!(desk.seen("s").await, ["What is it about?", "Hello"]);
}

/// What users saw and what agents were told, of a thousand people who talk through three deployments.
#[tokio::test]
async fn a_thousand_chats_live_through_three_deployments() {
    let desk = Desk::new().await;
    let names: Vec<String> = (0..1000).map(|n| format!("s{n}")).collect();
    let mut handoffs = Vec::new();
    for name in &names {
        handoffs.push(desk.with_agents(name).await);
    }
    for version in ["second", "third", "fourth"] {
        desk.host
            .deploy(renamed(version).await, &NoSecrets)
            .expect("is deployed");
        assert_eq!(
            desk.host.retire_versions().await.expect("reads").len(),
            usize::from(version != "second")
        );
        for (name, handoff) in names.iter().zip(&handoffs) {
            desk.agent_says(handoff, version).await;
            desk.say(name, version).await.expect("is taken");
        }
    }
    let first = version_of(&desk, "s0").await;
    for (name, handoff) in names.iter().zip(&handoffs) {
        assert_eq!(version_of(&desk, name).await, first);
        let seen = ["What is it about?", "second", "third", "fourth"];
        assert_eq!(desk.seen(name).await, seen);
        let told = desk.store.pending(name).await;
        let says: Vec<String> = [5, 7, 9].map(|turn| format!("{name}/{turn}/1")).into();
        assert_eq!(told, says, "{handoff}");
    }
}

#[tokio::test]
async fn a_version_whose_account_will_not_do_is_not_deployed() {
    let desk = Desk::new().await;
    let first = desk.host.project();
    // Accounts of the desk's project are as good as they get; this one has no address.
    let broken = with_account(|project| {
        project.edit_accounts(|_, account| {
            if let Account::EngageChatV2(account) = account {
                "nowhere".clone_into(&mut account.url);
            }
        });
    });
    let error = desk
        .host
        .deploy(broken.await, &NoSecrets)
        .expect_err("is refused");
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert_eq!(desk.host.project().digest(), first.digest());
    let known = AccountName::new(SITE);
    let headers = axum::http::HeaderMap::new();
    assert!(desk.host.webhook(&known, &headers, b"").is_some());
}
