//! Templates at run time: what they read, and how they fail.

use crate::support::{Sample, told};
use handoff_engine::session::InputKind;
use serde_json::json;

#[tokio::test]
async fn an_undefined_variable_is_told_with_its_place_and_its_mend() {
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": {"name": "Ana"}}, "to": {"next": "say"}},
        "say": {"type": "ask", "config": {"text": "Hello {{ context.nmae }}"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }} {{ error.message }}"}},
    });
    let mut talk = Sample::main("set", nodes).talk().await;
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
}

#[tokio::test]
async fn a_condition_on_an_undefined_variable_is_told_the_same_way() {
    let nodes = json!({
        "if": {"type": "branch", "config": {"when": "context.age > 17"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }} {{ error.message }}"}},
    });
    let mut talk = Sample::main("if", nodes).talk().await;
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
}

#[tokio::test]
async fn a_condition_that_is_no_truth_value_is_told_with_its_node() {
    let nodes = json!({
        "if": {"type": "branch", "config": {"when": "'yes'"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }} at {{ error.node }}"}},
    });
    let mut talk = Sample::main("if", nodes).talk().await;
    let turn = talk.start().await;
    insta::assert_snapshot!(told(&turn).join("\n"));
}

#[tokio::test]
async fn every_root_can_be_read() {
    let nodes = json!({
        "attributes": {"type": "setExternalSessionAttributes", "config": {"attributes": {"Plan": "gold"}}, "to": {"next": "ask"}},
        "ask": {"type": "ask", "config": {"saveTo": "n", "pattern": "number"}, "to": {"next": "say"}},
        "say": {"type": "ask", "config": {"text": "{{ context.n * 2 }} {{ attributes.Plan }} {{ message.text }} {{ session.channel }} {{ session.id }}"}},
    });
    let mut talk = Sample::main("attributes", nodes).talk().await;
    let channel = Some("web".to_owned());
    talk.input(InputKind::Started { bot: None, channel }).await;
    assert_eq!(told(&talk.user("21").await), ["main: 42 gold 21 web s"]);
}

#[tokio::test]
async fn what_the_user_writes_is_never_a_template() {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"saveTo": "text"}, "to": {"next": "say"}},
        "say": {"type": "ask", "config": {"text": "You said: {{ context.text }}"}},
    });
    let mut talk = Sample::main("ask", nodes).talk().await;
    talk.start().await;
    let turn = talk.user("{{ session.id }}{% for x in y %}").await;
    assert_eq!(
        told(&turn),
        ["main: You said: {{ session.id }}{% for x in y %}"]
    );
}

#[tokio::test]
async fn values_keep_their_type_where_no_text_is_wanted() {
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": {"n": 1, "list": [1, 2]}}, "to": {"next": "copy"}},
        "copy": {"type": "setContext", "config": {"values": {"m": "{{ context.n + 1 }}", "last": "{{ context.list | last }}", "text": "n={{ context.n }}"}}, "to": {"next": "wait"}},
        "wait": {"type": "ask"},
    });
    let mut talk = Sample::main("set", nodes).talk().await;
    talk.start().await;
    assert_eq!(talk.context("m"), json!(2));
    assert_eq!(talk.context("last"), json!(2));
    assert_eq!(talk.context("text"), json!("n=1"));
}

#[tokio::test]
async fn an_endless_template_is_stopped() {
    let nodes = json!({
        "say": {"type": "say", "config": {"text": "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}"}},
    });
    let mut talk = Sample::main("say", nodes).talk().await;
    talk.start().await;
    assert_eq!(talk.error().0, "template.failed");
    insta::assert_snapshot!(talk.error().1);
}
