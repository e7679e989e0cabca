//! What a handoff goes through, what ends it and what it leaves behind.

use crate::support::{Sample, Talk, agent, told};
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::name::InputId;
use handoff_engine::session::{DeadlineKind, EffectKind, Entry, Exchanges, InputKind, Phase};
use handoff_engine::time::{Millis, Timestamp};
use serde_json::{Value, json};

/// A bot that hands over at once, and says afterwards how it went.
async fn with(config: Value) -> Talk {
    let mut redirect = json!({"queue": "Support", "resumeBot": true});
    for (key, value) in config.as_object().expect("an object") {
        redirect[key] = value.clone();
    }
    let after =
        |text: &str| json!({"type": "ask", "config": {"text": text}, "to": {"next": "agent"}});
    let nodes = json!({
        "agent": {
            "type": "redirect",
            "config": redirect,
            "to": {"completed": "completed", "userLeft": "userLeft", "noAgent": "noAgent", "error": "error"},
        },
        "completed": after("By completed."),
        "userLeft": after("By userLeft."),
        "noAgent": after("By noAgent."),
        "error": after("By error."),
    });
    let mut talk = Sample::main("agent", nodes).talk().await;
    let turn = talk.start().await;
    assert!(told(&turn).contains(&"open queue 'Support' at cloud".to_owned()));
    talk
}

#[tokio::test]
async fn neither_a_decline_nor_a_requeue_nor_a_transfer_ends_anything() {
    let mut talk = with(json!({})).await;
    let handoff = talk.handoff();
    for signal in [
        Signal::Opened {
            conversation: Some("c".to_owned()),
        },
        Signal::Queued {
            queue: Some("Support".to_owned()),
        },
        Signal::QueuePosition {
            position: Some(2),
            estimated_wait: Some(Millis(1000)),
        },
        Signal::AgentAlerting {
            agent: Some(agent("Kim")),
        },
        Signal::AgentDeclined {
            agent: Some(agent("Kim")),
        },
        Signal::Queued {
            queue: Some("Support".to_owned()),
        },
        Signal::AgentAlerting { agent: None },
        Signal::AgentJoined {
            agent: agent("Lee"),
        },
        Signal::AgentLeft {
            agent: agent("Lee"),
        },
        Signal::Queued {
            queue: Some("Billing".to_owned()),
        },
        Signal::AgentJoined { agent: agent("Mo") },
        Signal::Notice {
            code: "genesys.gap".to_owned(),
            message: "A gap.".to_owned(),
        },
    ] {
        let turn = talk.signal(signal).await;
        assert_eq!(told(&turn), Vec::<String>::new());
        assert_eq!(talk.handoff(), handoff);
    }
    assert_eq!(talk.context("SessionEndReason"), json!(null));
    assert_eq!(talk.stack(), ["main", "agent Mo"]);
    assert_eq!(told(&talk.user("hi").await), ["to agent: hi"]);
}

#[tokio::test]
async fn the_last_agent_is_known_and_not_the_first() {
    let mut talk = with(json!({})).await;
    talk.joined("Kim").await;
    talk.signal(Signal::AgentLeft {
        agent: agent("Kim"),
    })
    .await;
    talk.joined("Lee").await;
    talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(talk.context("LastKnownAgent"), json!({"AgentName": "Lee"}));
}

#[tokio::test]
async fn the_platforms_id_of_the_last_conversation_is_known_for_support() {
    let mut talk = with(json!({})).await;
    for conversation in [None, Some("c-1".to_owned()), None] {
        talk.signal(Signal::Opened { conversation }).await;
    }
    assert_eq!(talk.context("LastConversationId"), json!(null));
    talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(talk.context("LastConversationId"), json!("c-1"));
}

#[tokio::test]
async fn an_agent_who_only_rang_is_not_known() {
    let mut talk = with(json!({})).await;
    talk.signal(Signal::AgentAlerting {
        agent: Some(agent("Kim")),
    })
    .await;
    talk.signal(Signal::AgentDeclined {
        agent: Some(agent("Kim")),
    })
    .await;
    talk.end(HandoffEnd::user_left()).await;
    assert_eq!(talk.context("LastKnownAgent"), json!(null));
}

#[tokio::test]
async fn each_end_has_its_reason_its_detail_and_its_port() {
    for (end, reason, detail, port) in [
        (
            HandoffEnd::agent_left(),
            "AgentLeft",
            json!(null),
            "By completed.",
        ),
        (
            HandoffEnd::user_left(),
            "UserLeft",
            json!(null),
            "By userLeft.",
        ),
        (
            HandoffEnd::error("transfer.no_agent", "Nobody is on queue."),
            "Error",
            json!({"code": "transfer.no_agent", "message": "Nobody is on queue."}),
            "By noAgent.",
        ),
        (
            HandoffEnd::error("genesys.queue_not_visible", "No such queue."),
            "Error",
            json!({"code": "genesys.queue_not_visible", "message": "No such queue."}),
            "By error.",
        ),
    ] {
        let mut talk = with(json!({})).await;
        let turn = talk.end(end).await;
        assert_eq!(talk.context("SessionEndReason"), json!(reason));
        assert_eq!(talk.context("SessionEndDetail"), detail);
        assert_eq!(told(&turn), [format!("main: {port}")]);
    }
}

#[tokio::test]
async fn a_handoff_ends_once_however_often_the_end_is_reported() {
    let mut talk = with(json!({})).await;
    let handoff = talk.handoff();
    talk.joined("Kim").await;
    talk.end(HandoffEnd::agent_left()).await;
    let before = serde_json::to_value(&talk.session).expect("is JSON");
    for late in [
        Signal::Ended(HandoffEnd::agent_left()),
        Signal::Ended(HandoffEnd::error("x.y", "z")),
        Signal::AgentJoined {
            agent: agent("Lee"),
        },
        words(None, "You are number 1", talk.now),
        words(Some("Kim"), "/email", talk.now),
        Signal::Typing { on: true },
    ] {
        let turn = talk.signal_of(handoff.clone(), late).await;
        assert_eq!(
            turn.journal,
            [Entry::Late {
                handoff: handoff.clone(),
                told: false,
            }]
        );
        assert_eq!(told(&turn), Vec::<String>::new());
    }
    let mut after = serde_json::to_value(&talk.session).expect("is JSON");
    after["revision"] = before["revision"].clone();
    assert_eq!(after, before);
}

fn words(by: Option<&str>, text: &str, at: Timestamp) -> Signal {
    Signal::Message {
        message_id: format!("late/{text}"),
        from: by.map(agent),
        text: text.to_owned(),
        content: Vec::new(),
        at,
    }
}

#[tokio::test]
async fn what_an_agent_writes_after_the_end_reaches_the_user_in_every_state_of_the_session() {
    let mut talk = with(json!({})).await;
    let handoff = talk.handoff();
    talk.joined("Kim").await;
    talk.end(HandoffEnd::agent_left()).await;
    let turn = talk
        .signal_of(
            handoff.clone(),
            words(Some("Kim"), "One more thing", talk.now),
        )
        .await;
    assert_eq!(told(&turn), ["agent Kim: One more thing"]);
    assert!(matches!(turn.journal[0], Entry::Late { told: true, .. }));
    assert!(talk.session.handoff().is_none(), "the bot stays in charge");

    talk.leave().await;
    assert!(!talk.session.is_open());
    let turn = talk
        .signal_of(handoff, words(Some("Kim"), "And good-bye", talk.now))
        .await;
    assert_eq!(told(&turn), ["agent Kim: And good-bye"]);
    assert!(!talk.session.is_open(), "nothing opens it again");
}

#[tokio::test]
async fn a_user_owes_an_answer_only_to_an_agent_who_is_there() {
    let steps = json!([{"after": 60, "text": "Still there?"}, {"after": 120, "leave": true}]);
    let owing = async || {
        let mut talk = with(json!({"userIdle": steps})).await;
        talk.queued().await;
        talk.joined("Kim").await;
        talk.agent_says("Kim", "Which order?").await;
        talk
    };
    let is_due = |talk: &Talk| {
        let deadlines = talk.session.deadlines();
        deadlines.iter().any(|it| it.kind == DeadlineKind::UserIdle)
    };
    let mut talk = owing().await;
    assert!(is_due(&talk));
    talk.user("4711").await;
    assert!(!is_due(&talk), "the user answered");

    // Transferred to a queue: the user waits, nobody waits for the user.
    let mut talk = owing().await;
    let kim = agent("Kim");
    talk.signal(Signal::AgentLeft { agent: kim }).await;
    assert!(!is_due(&talk));

    // Transferred to a colleague, who has not written yet.
    let mut talk = owing().await;
    talk.joined("Lee").await;
    assert!(!is_due(&talk));
    talk.agent_says("Lee", "Lee here").await;
    assert!(is_due(&talk));
}

#[tokio::test]
async fn the_end_of_an_earlier_handoff_does_not_end_the_next_one() {
    let mut talk = with(json!({})).await;
    let first = talk.handoff();
    talk.end(HandoffEnd::agent_left()).await;
    talk.user("once more").await;
    let second = talk.handoff();
    assert_ne!(first, second);
    talk.signal_of(first, Signal::Ended(HandoffEnd::agent_left()))
        .await;
    assert_eq!(talk.handoff(), second);
}

#[tokio::test]
async fn the_users_end_command_leaves_the_agent_and_is_not_sent() {
    let mut talk =
        with(json!({"userEndCommand": "/end", "messages": {"userLeft": "You left."}})).await;
    talk.joined("Kim").await;
    assert_eq!(
        told(&talk.user("/end of the month?").await),
        ["to agent: /end of the month?"]
    );
    let turn = talk.user(" /end ").await;
    assert_eq!(
        told(&turn),
        ["leave handoff", "system: You left.", "main: By userLeft."]
    );
    assert_eq!(talk.context("SessionEndReason"), json!("UserLeft"));
    assert_eq!(talk.context("LastKnownAgent"), json!({"AgentName": "Kim"}));
}

#[tokio::test]
async fn a_user_who_leaves_an_agent_leaves_the_agent_first() {
    let mut talk = with(json!({})).await;
    let turn = talk.leave().await;
    assert_eq!(told(&turn), ["leave handoff", "main: By userLeft."]);
    assert_eq!(told(&talk.leave().await), ["close UserLeft"]);
}

#[tokio::test]
async fn no_agent_in_time_ends_the_handoff() {
    let mut talk =
        with(json!({"noAgentTimeout": 60, "messages": {"noAgent": "Nobody is there."}})).await;
    talk.queued().await;
    assert!(talk.pass(Millis(59_999)).await.is_empty());
    let turns = talk.pass(Millis(1)).await;
    assert_eq!(
        told(&turns[0]),
        [
            "leave handoff",
            "system: Nobody is there.",
            "main: By noAgent."
        ]
    );
    assert_eq!(talk.context("SessionEndReason"), json!("Error"));
    assert_eq!(
        talk.context("SessionEndDetail")["code"],
        "transfer.no_agent"
    );
}

#[tokio::test]
async fn an_agent_who_came_in_time_is_given_all_the_time() {
    let mut talk = with(json!({"noAgentTimeout": 60})).await;
    talk.pass(Millis::from_secs(59)).await;
    talk.joined("Kim").await;
    talk.signal(Signal::AgentLeft {
        agent: agent("Kim"),
    })
    .await;
    assert!(talk.pass(Millis::from_mins(600)).await.is_empty());
    assert!(talk.session.handoff().is_some());
}

#[tokio::test]
async fn the_user_is_told_what_the_flow_wants_told() {
    let messages =
        json!({"requested": "One moment.", "assigned": "Here we go.", "agentLeft": "That was it."});
    let mut talk = with(json!({"messages": messages})).await;
    assert_eq!(talk.transcript()[0].text, "One moment.");
    assert_eq!(told(&talk.joined("Kim").await), ["system: Here we go."]);
    talk.signal(Signal::AgentLeft {
        agent: agent("Kim"),
    })
    .await;
    assert_eq!(told(&talk.joined("Lee").await), Vec::<String>::new());
    assert_eq!(
        told(&talk.agent_says("Lee", "Hello").await),
        ["agent Lee: Hello"]
    );
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(told(&turn), ["system: That was it.", "main: By completed."]);
}

#[tokio::test]
async fn the_handoff_tells_how_far_it_is() {
    let mut talk = with(json!({})).await;
    let phase = |talk: &Talk| talk.session.handoff().expect("open").phase.clone();
    assert_eq!(phase(&talk), Phase::Opening);
    talk.queued().await;
    assert_eq!(phase(&talk), Phase::Queued);
    talk.joined("Kim").await;
    assert_eq!(phase(&talk), Phase::Connected(agent("Kim")));
    talk.signal(Signal::AgentLeft {
        agent: agent("Kim"),
    })
    .await;
    assert_eq!(phase(&talk), Phase::Queued);
}

/// Over sockets that repeat and reorder, the agent who left need not be the one who is there.
#[tokio::test]
async fn an_agent_who_leaves_after_the_next_one_joined_does_not_take_them_along() {
    let mut talk = with(json!({})).await;
    talk.joined("Kim").await;
    talk.joined("Lee").await;
    talk.signal(Signal::AgentLeft {
        agent: agent("Kim"),
    })
    .await;
    assert_eq!(talk.stack(), ["main", "agent Lee"]);
}

#[tokio::test]
async fn templates_and_nodes_after_the_handoff_know_how_it_ended() {
    let nodes = json!({
        "agent": {"type": "redirect", "config": {"resumeBot": true}, "to": {"completed": "how"}},
        "how": {"type": "resumeAfterAgent", "to": {"agentLeft": "say"}},
        "say": {"type": "ask", "config": {"text": "{{ handoff.reason }}: {{ handoff.agent }}, {{ context.LastKnownAgent.AgentName }}"}},
    });
    let mut talk = Sample::main("agent", nodes).talk().await;
    talk.start().await;
    talk.joined("Kim").await;
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(told(&turn), ["main: AgentLeft: Kim, Kim"]);
}

#[tokio::test]
async fn a_handoff_that_fails_is_not_completed_because_nobody_wired_its_ports() {
    for code in ["transfer.no_agent", "genesys.queue_not_visible"] {
        let redirect = json!({
            "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true}},
        });
        let mut talk = Sample::main("agent", redirect).talk().await;
        talk.start().await;
        let turn = talk.end(HandoffEnd::error(code, "Why.")).await;
        assert_eq!(told(&turn), ["close Error"]);
        assert_eq!(talk.error(), (code, "Why."));
    }
}

#[tokio::test]
async fn a_failure_port_that_is_not_wired_leads_to_the_error_port() {
    let nodes = json!({
        "agent": {"type": "redirect", "config": {"queue": "Support"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "Sorry: {{ error.code }}"}},
    });
    let mut talk = Sample::main("agent", nodes).talk().await;
    talk.start().await;
    let end = HandoffEnd::error("transfer.no_agent", "Nobody came.");
    let turn = talk.end(end).await;
    assert_eq!(told(&turn), ["main: Sorry: transfer.no_agent"]);
}

#[tokio::test]
async fn files_choices_and_receipts_go_through_unchanged() {
    use handoff_engine::content::{
        Attachment, Choice, ChoiceKind, Content, QuickReply, Receipt, UserMessage,
    };
    let mut talk = with(json!({})).await;
    talk.joined("Kim").await;
    let file = Attachment {
        name: "bill.png".to_owned(),
        mime: "image/png".to_owned(),
        url: "https://x.example/bill".to_owned(),
        size: Some(3),
    };
    let said = UserMessage {
        text: "Here".to_owned(),
        attachments: vec![file.clone()],
        choice: Some(Choice {
            kind: ChoiceKind::QuickReply,
            payload: "YES".to_owned(),
            message: "m-1".to_owned(),
        }),
    };
    let turn = talk.input(InputKind::UserMessage(said.clone())).await;
    let [effect] = turn.effects.as_slice() else {
        panic!("one effect: {:?}", turn.effects);
    };
    let handoff = talk.handoff();
    assert_eq!(
        effect.kind,
        EffectKind::SendToAgent {
            handoff: handoff.clone(),
            message: said,
            input: Some(turn.input.id.clone()),
        }
    );

    let replies = vec![QuickReply {
        text: "Yes".to_owned(),
        payload: "YES".to_owned(),
    }];
    let content = vec![Content::Attachment(file), Content::QuickReplies { replies }];
    let shown = talk
        .signal(Signal::Message {
            message_id: "m-2".to_owned(),
            from: Some(agent("Kim")),
            text: String::new(),
            content: content.clone(),
            at: talk.now,
        })
        .await;
    let [effect] = shown.effects.as_slice() else {
        panic!("one effect: {:?}", shown.effects);
    };
    assert!(
        matches!(&effect.kind, EffectKind::SendToUser { content: to_user, message: Some(id), .. }
            if *to_user == content && id == "m-2")
    );
    let line = talk.transcript().pop().map(|line| line.text);
    assert_eq!(
        line.as_deref(),
        Some("bill.png: https://x.example/bill\n- Yes")
    );

    let turn = talk
        .input(InputKind::UserReceipt {
            message: "m-2".to_owned(),
            receipt: Receipt::Read,
        })
        .await;
    assert_eq!(told(&turn), ["receipt to agent: m-2 Read"]);
    let message = InputId::new("in-1");
    let receipt = Receipt::Delivered;
    let turn = talk.signal(Signal::Receipt { message, receipt }).await;
    assert_eq!(told(&turn), ["receipt to user: in-1 Delivered"]);
}

#[tokio::test]
async fn how_well_the_platform_kept_order_is_counted_over_all_handoffs_of_a_session() {
    use handoff_engine::handoff::Tally;
    let mut talk = with(json!({})).await;
    let handoff = talk.handoff();
    let tally = Tally {
        gaps: 1,
        repeats: 2,
        reorders: 3,
    };
    let told = |handoff, signal| InputKind::Signal {
        handoff,
        signal,
        handle: json!({}),
        tally,
        exchanges: Exchanges::default(),
    };
    talk.input(told(handoff.clone(), None)).await;
    assert_eq!(talk.session.tally(), tally);
    let end = Signal::Ended(HandoffEnd::error("genesys.x", "It broke."));
    talk.input(told(handoff, Some(end))).await;
    assert_eq!(talk.session.tally(), tally);
}
