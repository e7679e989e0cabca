//! What users do, and what they are shown for it.

use super::client::{ADMIN, Client, code, request};
use crate::tests::support::{START, Trick};
use axum::http::{StatusCode, header};
use handoff_engine::handoff::{Agent, Signal};
use serde_json::{Value, json};

#[tokio::test]
async fn a_message_is_answered_when_it_cannot_be_lost_and_counts_once() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let body = json!({"id": "m-1", "text": "an order"});
    for _ in 0..2 {
        let answer = client.act(&ana, "messages", body.clone()).await;
        assert_eq!(answer, (StatusCode::OK, json!({"id": "m-1"})));
    }
    assert_eq!(client.desk.inputs(&ana.id).await, ["started", "user:m-1"]);
}

#[tokio::test]
async fn what_the_store_does_not_take_is_to_be_sent_again() {
    let client = Client::new().await;
    let ana = client.guest().await;
    client.desk.store.play(&ana.id, Trick::Lose);
    let body = json!({"id": "1", "text": "an order"});
    let sends = request("POST", &ana.path("messages"), Some(&ana.token), Some(body));
    let response = client.send(sends).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    client.say(&ana, "an order").await;
}

#[tokio::test]
async fn a_message_that_cannot_be_one_is_told_and_changes_nothing() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let long = "x".repeat(129);
    for (body, status, expected) in [
        (json!({"id": "1"}), 422, "message.empty"),
        (json!({"id": "1", "text": " \n"}), 422, "message.empty"),
        (json!({"id": "", "text": "x"}), 422, "request.bad_id"),
        (json!({"id": long, "text": "x"}), 422, "request.bad_id"),
        (json!({"text": "x"}), 400, "request.malformed"),
        (json!({"id": "1", "txt": "x"}), 400, "request.malformed"),
        (
            json!({"id": "1", "text": "x".repeat(16_385)}),
            413,
            "message.too_long",
        ),
        (
            json!({"id": "1", "text": "x".repeat(200_000)}),
            413,
            "request.too_large",
        ),
    ] {
        let (answered, problem) = client.act(&ana, "messages", body).await;
        assert_eq!((answered.as_u16(), code(&problem)), (status, expected));
    }
    assert_eq!(client.desk.inputs(&ana.id).await, ["started"]);
}

#[tokio::test]
async fn a_session_tells_who_is_in_charge_until_it_is_over() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let path = format!("/v1/sessions/{}", ana.id);
    client.say(&ana, "an order").await;
    let (_, session) = client.get(&path, &ana.token).await;
    assert_eq!(
        session["owner"],
        json!({"kind": "agent", "phase": "opening"})
    );
    let stored = client.desk.host.session(&ana.id.as_str().into()).await;
    let stored = stored.expect("reads").expect("is there");
    let handoff = stored.handoff().expect("is handed off").id.clone();
    let kim = Agent {
        id: None,
        name: "Kim".to_owned(),
    };
    let joined = Signal::AgentJoined { agent: kim };
    client
        .desk
        .report(&handoff, "joined", Some(joined), &[])
        .await;
    let (_, session) = client.get(&path, &ana.token).await;
    assert_eq!(
        session["owner"],
        json!({"kind": "agent", "phase": "connected", "name": "Kim"})
    );
    for body in [
        json!({"id": "typing-1", "on": true}),
        json!({"id": "typing-2", "on": false}),
    ] {
        assert_eq!(client.act(&ana, "typing", body).await.0, StatusCode::OK);
    }
    client.desk.agent_says(&handoff, "Hello").await;
    let body = json!({"id": "seen-1", "message": "Hello", "receipt": "read"});
    assert_eq!(client.act(&ana, "receipts", body).await.0, StatusCode::OK);
    // The first time the agent is left, the second time the bot.
    for id in ["leave-1", "leave-2"] {
        let answer = client.act(&ana, "leave", json!({"id": id})).await;
        assert_eq!(answer, (StatusCode::OK, json!({"id": id})));
    }
    let (_, session) = client.get(&path, &ana.token).await;
    assert_eq!(session["open"], false);
    assert_eq!(session["closed"], json!({"reason": "UserLeft"}));
    assert_eq!(session["closedAt"], START.to_iso());
    assert_eq!(session.get("owner"), None);
    let (status, problem) = client
        .act(&ana, "messages", json!({"id": "2", "text": "x"}))
        .await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "session.closed")
    );
    let answer = client.act(&ana, "leave", json!({"id": "leave-2"})).await;
    assert_eq!(answer.0, StatusCode::OK, "what was taken stays taken");
}

#[tokio::test]
async fn events_are_listed_in_order_from_any_position_on() {
    let client = Client::new().await;
    let ana = client.guest().await;
    client.say(&ana, "an order").await;
    client.act(&ana, "leave", json!({"id": "leave-1"})).await;
    client.act(&ana, "leave", json!({"id": "leave-2"})).await;
    let (_, all) = client.get(&ana.path("events"), &ana.token).await;
    let events = all["events"].as_array().expect("is a list");
    assert_eq!(all["more"], false);
    let asked = json!({
        "position": "1.1",
        "at": START.to_iso(),
        "type": "message",
        "from": {"kind": "bot", "name": "main"},
        "text": "What is it about?",
    });
    assert_eq!(events[0], asked);
    let last = events.last().expect("is not empty");
    assert_eq!(last["type"], "closed");
    assert_eq!(last["reason"], "UserLeft");
    assert_eq!(all["next"], last["position"]);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("{}?limit=1{after}", ana.path("events"));
        let (_, page) = client.get(&path, &ana.token).await;
        seen.extend(page["events"].as_array().expect("is a list").clone());
        after = format!("&after={}", page["next"].as_str().expect("a position"));
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(&seen, events);
    let (_, rest) = client
        .get(
            &format!("{}?limit=5{after}", ana.path("events")),
            &ana.token,
        )
        .await;
    assert_eq!(
        rest,
        json!({"events": [], "next": all["next"], "more": false})
    );
}

#[tokio::test]
async fn a_position_that_is_none_is_told() {
    let client = Client::new().await;
    let ana = client.guest().await;
    for after in ["x", "1", "-1.1", "1.1.1", "99999999999999999999.1"] {
        let path = format!("{}?after={after}", ana.path("events"));
        let (status, problem) = client.get(&path, &ana.token).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(code(&problem), "events.bad_position");
    }
    let (status, _) = client
        .get(&format!("{}?limit=x", ana.path("events")), ADMIN)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_became_of_a_message_is_told_by_the_clients_own_id_of_it() {
    let client = Client::new().await;
    let handoff = client.desk.with_agents("s").await;
    client
        .say(
            &super::client::Guest {
                id: "s".to_owned(),
                token: ADMIN.to_owned(),
            },
            "m-7",
        )
        .await;
    let receipt = Signal::Receipt {
        message: handoff_engine::name::InputId::new("user:m-7"),
        receipt: handoff_engine::content::Receipt::Delivered,
    };
    client
        .desk
        .report(&handoff, "receipt", Some(receipt), &[])
        .await;
    let (_, list) = client.get("/v1/sessions/s/events", ADMIN).await;
    let events = list["events"].as_array().expect("is a list");
    let receipts: Vec<&Value> = events.iter().filter(|it| it["type"] == "receipt").collect();
    assert_eq!(receipts.len(), 1, "{list}");
    assert_eq!(receipts[0]["message"], "m-7");
    assert_eq!(receipts[0]["receipt"], "delivered");
}
