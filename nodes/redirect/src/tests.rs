use handoff_node::{
    TransferRequest,
    testing::{self, TestContext},
};
use serde_json::{Value, json};

use super::*;

fn request(config: Value) -> TransferRequest {
    let outcome = testing::step::<Redirect>(&mut TestContext::new(), config, Trigger::Entered);
    match outcome {
        Ok(Outcome::Transfer { request, .. }) => *request,
        other => panic!("a transfer expected, not {other:?}"),
    }
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<Redirect>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<Redirect>()["config"]);
    });
}

#[test]
fn the_name_of_a_queue_is_never_changed() {
    for name in [
        "Billing",
        " Billing ",
        "a_b",
        "BILLING",
        "Kündigung / Rückgabe",
    ] {
        let request = request(json!({ "queue": name }));
        assert_eq!(request.target, handoff_node::Target::Queue(name.to_owned()));
    }
}

#[test]
fn no_queue_means_any_agent_but_an_empty_one_is_a_fault() {
    assert_eq!(request(json!({})).target, handoff_node::Target::AnyAgent);
    let config = json!({ "queue": "" });
    let fault = testing::step::<Redirect>(&mut TestContext::new(), config, Trigger::Entered)
        .expect_err("an empty name is no queue");
    assert_eq!(fault.code, "redirect.empty_queue");
}

#[test]
fn blank_identity_fields_are_left_out_of_the_request() {
    let config = json!({ "identity": { "nickname": "Ada", "lastName": "", "mobile": "  " } });
    let options: Value = serde_json::from_str(&request(config).options()).expect("is JSON");
    assert_eq!(options, json!({ "identity": { "nickname": "Ada" } }));
}

#[test]
fn a_bare_redirect_asks_for_nothing() {
    assert_eq!(request(json!({})).options(), "{}");
}

#[test]
fn problems_are_found_before_the_flow_runs() {
    let codes = |config| -> Vec<_> {
        testing::validate::<Redirect>(config)
            .into_iter()
            .map(|found| found.code)
            .collect()
    };
    assert_eq!(
        codes(json!({ "queue": "Billing " })),
        ["redirect.queue_spaces"]
    );
    assert_eq!(codes(json!({ "queue": "" })), ["redirect.empty_queue"]);
    assert_eq!(
        codes(json!({ "userEndCommand": " " })),
        ["redirect.empty_end_command"]
    );
    assert_eq!(
        codes(json!({ "identity": { "emailAddress": "ada" } })),
        ["redirect.bad_email_address"]
    );
    let fine = json!({ "queue": "{{ context.queue }}", "identity": { "emailAddress": "{{ context.email }}" } });
    assert_eq!(codes(fine), [""; 0]);
}

#[test]
fn a_wait_of_no_time_does_not_fit() {
    let config = json!({ "noAgentTimeout": 0 });
    let fault = testing::step::<Redirect>(&mut TestContext::new(), config, Trigger::Entered)
        .expect_err("is no time");
    assert_eq!(fault.details, Some(json!({ "pointer": "/noAgentTimeout" })));
}
