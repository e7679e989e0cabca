use handoff_node::{
    EndDetail, EndReason, SessionEnd, Target, TransferRequest,
    testing::{self, TestContext},
};
use serde_json::{Value, json};

use super::*;

fn request(config: Value) -> TransferRequest {
    match testing::step::<RaiseTicket>(&mut TestContext::new(), config, Trigger::Entered) {
        Ok(Outcome::Transfer { request, .. }) => *request,
        other => panic!("a transfer expected, not {other:?}"),
    }
}

fn returned(reason: EndReason, agent: Option<&str>, code: &str) -> (Outcome, Value) {
    let end = SessionEnd {
        reason,
        last_agent: agent.map(str::to_owned),
        detail: (!code.is_empty()).then(|| EndDetail {
            code: code.to_owned(),
            message: "Says why.".to_owned(),
        }),
    };
    let mut context = TestContext::new();
    let trigger = Trigger::Returned { end, state: () };
    let config = json!({ "email": "ada@example.org" });
    let outcome = testing::step::<RaiseTicket>(&mut context, config, trigger).expect("leaves");
    (outcome, context.context["ticketResponse"].clone())
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<RaiseTicket>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<RaiseTicket>()["config"]);
    });
}

#[test]
fn a_form_hides_the_advanced_options_until_they_are_enabled() {
    let descriptor = testing::descriptor::<RaiseTicket>();
    let options = &descriptor["config"]["properties"]["advancedOptions"]["properties"];
    let options = options.as_object().expect("an object with properties");
    for (name, option) in options {
        let shown_when = option.get("x-shown-when").and_then(Value::as_str);
        let expected = (name != "enabled").then_some("enabled");
        assert_eq!(shown_when, expected, "{name}");
    }
}

#[test]
fn advanced_options_count_only_while_they_are_enabled() {
    let config = |enabled: bool| {
        json!({
            "email": "ada@example.org",
            "advancedOptions": {
                "enabled": enabled,
                "groupCode": "Refunds_IN",
                "tags": ["vip"],
                "customFields": { "orderId": "A-7" },
            },
        })
    };
    let on = request(config(true));
    assert_eq!(on.target, Target::Queue("Refunds_IN".to_owned()));
    assert_eq!(on.attributes.len(), 2);
    let off = request(config(false));
    assert_eq!(off.target, Target::AnyAgent);
    assert!(off.attributes.is_empty(), "{:?}", off.attributes);
}

#[test]
fn priorities_are_in_order_and_medium_is_the_one_of_genesys() {
    let points = |priority: &str| {
        let config = json!({ "email": "ada@example.org", "priority": priority });
        request(config).priority.expect("always asked for")
    };
    assert_eq!(points("MEDIUM"), 0);
    assert!(points("LOW") < points("MEDIUM") && points("MEDIUM") < points("HIGH"));
    assert_eq!(request(json!({ "email": "a@b.c" })).priority, Some(0));
}

#[test]
fn an_empty_group_code_is_never_taken_for_any_agent() {
    let config = json!({
        "email": "ada@example.org",
        "advancedOptions": { "enabled": true, "groupCode": " " },
    });
    let fault = testing::step::<RaiseTicket>(&mut TestContext::new(), config, Trigger::Entered)
        .expect_err("an empty name is no queue");
    assert_eq!(fault.code, "raise_ticket.empty_group_code");
}

#[test]
fn the_response_says_how_the_ticket_went() {
    let kim = Some("Kim");
    for (reason, agent, code, port, response) in [
        (
            EndReason::AgentLeft,
            kim,
            "",
            TICKET_CLOSED,
            json!({ "status": "CLOSED", "assignedTo": "Kim" }),
        ),
        (
            EndReason::UserLeft,
            kim,
            "",
            USER_LEFT,
            json!({ "status": "ASSIGNED", "assignedTo": "Kim" }),
        ),
        (
            EndReason::UserLeft,
            None,
            "",
            USER_LEFT,
            json!({ "status": "CLOSED" }),
        ),
        (
            EndReason::Error,
            None,
            "transfer.no_agent.closed",
            UNAVAILABLE,
            json!({ "status": "UNAVAILABLE", "reason": "transfer.no_agent.closed" }),
        ),
        (
            EndReason::Error,
            None,
            "genesys.queue_not_visible",
            Port::ERROR,
            json!({ "status": "ERROR", "reason": "genesys.queue_not_visible" }),
        ),
        (
            EndReason::Error,
            kim,
            "genesys.connection_lost",
            Port::ERROR,
            json!({ "status": "ERROR", "assignedTo": "Kim", "reason": "genesys.connection_lost" }),
        ),
    ] {
        let got = returned(reason, agent, code);
        assert_eq!(got, (Outcome::Leave(port), response), "{reason:?} {code}");
    }
}

#[test]
fn fields_take_variables_only() {
    let config = json!({
        "name": "Ada",
        "mobile": "+91",
        "email": "ada@example.org",
        "query": "Refund",
    });
    let problems = testing::validate::<RaiseTicket>(config);
    let found: Vec<_> = problems
        .iter()
        .map(|it| (it.path.as_str(), it.code.as_str()))
        .collect();
    let expected =
        ["/name", "/mobile", "/email", "/query"].map(|path| (path, "raise_ticket.not_a_variable"));
    assert_eq!(found, expected);
}

#[test]
fn problems_are_found_before_the_flow_runs() {
    let codes = |more: Value| -> Vec<_> {
        let mut config = json!({ "email": "{{ context.email }}" });
        let more = more.as_object().expect("an object").clone();
        config.as_object_mut().expect("an object").extend(more);
        testing::validate::<RaiseTicket>(config)
            .into_iter()
            .map(|found| found.code)
            .collect()
    };
    let group = |enabled: bool, code: &str| json!({ "advancedOptions": { "enabled": enabled, "groupCode": code } });
    assert_eq!(codes(group(true, "")), ["raise_ticket.empty_group_code"]);
    assert_eq!(
        codes(group(true, "Refunds ")),
        ["raise_ticket.queue_spaces"]
    );
    assert_eq!(codes(group(false, "")), [""; 0]);
    assert_eq!(
        codes(json!({ "storeResponseIn": "" })),
        ["raise_ticket.bad_key"]
    );
    assert_eq!(
        codes(json!({ "userEndCommand": " " })),
        ["raise_ticket.empty_end_command"]
    );
}
