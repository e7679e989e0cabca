//! An agent accepts, talks and closes; identity and attributes are there from the first moment.

mod support;

use genesys_sim::AgentAction::{Accept, Close, FinishAfterCallWork, Say};
use handoff_engine::handoff::{HandoffEnd, Signal};
use support::{Over, Stage, no_repeats, request, request_for};

#[tokio::test]
async fn an_agent_accepts_talks_and_closes() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.agent("kim", Say("Hello Ana".to_owned())).await;
        let id = stage.say("Hi Kim").await;
        stage.breathe().await;
        stage.agent("kim", Say("It is on its way".to_owned())).await;
        assert_eq!(stage.end(), None, "{over:?}");
        stage.agent("kim", Close).await;

        assert_eq!(stage.joined(), ["Kim"], "{over:?}");
        assert_eq!(
            stage.heard(),
            ["Kim: Hello Ana", "Kim: It is on its way"],
            "{over:?}"
        );
        assert_eq!(stage.customer_said(), ["Where is my order?", "Hi Kim"]);
        assert_eq!(stage.settled(), [id]);
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
        assert_eq!(stage.notices(), []);
        stage.agent("kim", FinishAfterCallWork).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn the_signals_come_in_the_order_of_a_conversation() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request_for("Billing")).await;
        stage.breathe().await;
        stage.agent("max", Accept).await;
        stage.agent("max", Close).await;
        let kinds: Vec<_> = stage
            .signals()
            .iter()
            .map(|signal| match signal {
                Signal::Opened { conversation } => {
                    // A guest is not told.
                    let told = (over != Over::WebMessaging).then(|| stage.conversation().id);
                    assert_eq!(*conversation, told);
                    "opened"
                }
                Signal::Queued { queue } => {
                    assert_eq!(queue.as_deref(), Some("Billing"));
                    "queued"
                }
                Signal::QueuePosition { estimated_wait, .. } => {
                    assert!(estimated_wait.is_some());
                    "estimate"
                }
                Signal::AgentAlerting { .. } => "alerting",
                Signal::AgentJoined { .. } => "joined",
                Signal::Ended(_) => "ended",
                other => panic!("{other:?}"),
            })
            .collect();
        match over {
            Over::Engage => assert_eq!(kinds, ["opened", "queued", "joined", "ended"]),
            Over::WebChat | Over::WebMessaging | Over::OpenMessaging => {
                let expected = [
                    "opened", "queued", "alerting", "estimate", "joined", "ended",
                ];
                assert_eq!(kinds, expected);
            }
        }
    }
}

#[tokio::test]
async fn the_agent_side_sees_who_the_user_is_and_routes_by_the_queue_named() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        let mut request = request_for("Billing");
        let attributes = &mut request.options.attributes;
        attributes.insert("case".to_owned(), "42".to_owned());
        request.options.identity.mobile = Some("+351 1".to_owned());
        stage.open(request).await;
        let seen = stage.conversation();
        assert_eq!(seen.queue.as_deref(), Some("Billing"), "{over:?}");
        let first_name = match over {
            Over::WebMessaging => &seen.attributes["firstName"],
            Over::Engage | Over::WebChat | Over::OpenMessaging => &seen.identity["firstName"],
        };
        assert_eq!(first_name, "Ana", "{over:?}");
        assert_eq!(stage.attribute("case").as_deref(), Some("42"));
        assert_eq!(stage.attribute("mobile").as_deref(), Some("+351 1"));
        let email = match over {
            Over::Engage => &seen.identity["emailAddress"],
            Over::WebChat => &seen.identity["email"],
            Over::WebMessaging | Over::OpenMessaging => &seen.attributes["emailAddress"],
        };
        assert_eq!(email, "ana@example.org");
    }
}
