use handoff_node::{
    Timestamp,
    testing::{self, TestContext},
};
use jiff::Zoned;
use serde_json::{Value, json};

use super::*;

fn at(moment: &str) -> TestContext {
    let moment: Zoned = moment.parse().expect("a moment");
    let mut context = TestContext::new();
    let millis = moment.timestamp().as_millisecond();
    context.visit.now = Timestamp(u64::try_from(millis).expect("after 1970"));
    context.availability = Ok(Availability {
        on_queue: Some(1),
        ..Availability::default()
    });
    context
}

/// The reason of being unavailable, and when it opens.
fn check(context: &mut TestContext, config: Value) -> (Option<String>, Option<String>) {
    let outcome = testing::step::<CheckAvailability>(context, config, Trigger::Entered);
    let found = &context.context["availability"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let reason = text(&found["reason"]);
    let port = if found["available"] == true {
        AVAILABLE
    } else {
        UNAVAILABLE
    };
    assert_eq!(outcome, Ok(Outcome::Leave(port)));
    (reason, text(&found["opens"]["at"]))
}

fn office() -> Value {
    json!({
        "businessHours": {
            "timeZone": "Europe/Berlin",
            "open": {
                "monday": ["09:00-12:30", "13:30-18:00"],
                "friday": ["22:00-02:00"],
                "sunday": ["00:00-24:00"],
            },
            "holidays": [{ "date": "2026-03-30" }, { "date": "12-25", "open": ["10:00-12:00"] }],
        }
    })
}

fn closed(at: &str) -> (Option<String>, Option<String>) {
    (Some("closed".to_owned()), Some(at.to_owned()))
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<CheckAvailability>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<CheckAvailability>()["config"]);
    });
}

#[test]
fn spans_begin_and_end_on_the_minute() {
    for (moment, expected) in [
        (
            "2026-03-02T08:59:59[Europe/Berlin]",
            closed("2026-03-02T09:00+01:00"),
        ),
        ("2026-03-02T09:00:00[Europe/Berlin]", (None, None)),
        ("2026-03-02T12:29:59[Europe/Berlin]", (None, None)),
        (
            "2026-03-02T12:30:00[Europe/Berlin]",
            closed("2026-03-02T13:30+01:00"),
        ),
        (
            "2026-03-02T18:00:00[Europe/Berlin]",
            closed("2026-03-06T22:00+01:00"),
        ),
    ] {
        assert_eq!(check(&mut at(moment), office()), expected, "{moment}");
    }
}

#[test]
fn a_span_may_end_after_midnight() {
    for (moment, expected) in [
        (
            "2026-03-06T21:59:00[Europe/Berlin]",
            closed("2026-03-06T22:00+01:00"),
        ),
        ("2026-03-06T23:30:00[Europe/Berlin]", (None, None)),
        ("2026-03-07T01:59:00[Europe/Berlin]", (None, None)),
        (
            "2026-03-07T02:00:00[Europe/Berlin]",
            closed("2026-03-08T00:00+01:00"),
        ),
        ("2026-03-08T23:59:00[Europe/Berlin]", (None, None)),
    ] {
        assert_eq!(check(&mut at(moment), office()), expected, "{moment}");
    }
}

#[test]
fn hours_are_those_on_the_wall_whatever_the_season_and_wherever_the_server_is() {
    // Summer time begins on 29 March; nine o'clock is seven in UTC then.
    assert_eq!(
        check(&mut at("2026-04-06T07:00:00[UTC]"), office()),
        (None, None)
    );
    assert_eq!(
        check(&mut at("2026-04-06T06:59:00[UTC]"), office()),
        closed("2026-04-06T09:00+02:00")
    );
}

#[test]
fn a_holiday_is_closed_or_has_hours_of_its_own() {
    let holiday = |at: &str| (Some("holiday".to_owned()), Some(at.to_owned()));
    for (moment, expected) in [
        (
            "2026-03-30T10:00:00[Europe/Berlin]",
            holiday("2026-04-03T22:00+02:00"),
        ),
        ("2026-12-25T11:00:00[Europe/Berlin]", (None, None)),
        (
            "2026-12-25T23:00:00[Europe/Berlin]",
            holiday("2026-12-27T00:00+01:00"),
        ),
        (
            "2031-12-25T09:00:00[Europe/Berlin]",
            holiday("2031-12-25T10:00+01:00"),
        ),
    ] {
        assert_eq!(check(&mut at(moment), office()), expected, "{moment}");
    }
}

#[test]
fn reasons_say_what_the_platform_told() {
    let limits = json!({ "maxWaiting": 3, "maxWaitMinutes": 5, "idleAgentsOnly": true });
    let agents = |on_queue, idle, waiting, wait| Availability {
        on_queue: Some(on_queue),
        idle: Some(idle),
        waiting: Some(waiting),
        estimated_wait_seconds: Some(wait),
    };
    for (told, reason) in [
        (agents(0, 0, 0, 0), Some("no_agents_on_queue")),
        (agents(2, 0, 0, 0), Some("all_agents_busy")),
        (agents(2, 1, 4, 0), Some("too_many_waiting")),
        (agents(2, 1, 3, 301), Some("wait_too_long")),
        (agents(2, 1, 3, 300), None),
        (Availability::default(), None),
    ] {
        let mut context = at("2026-03-02T10:00:00[Europe/Berlin]");
        context.availability = Ok(told);
        let found = check(&mut context, limits.clone());
        assert_eq!(found.0.as_deref(), reason, "{told:?}");
    }
}

#[test]
fn a_queue_that_is_not_visible_is_a_mistake_and_no_absence() {
    let mut context = at("2026-03-02T10:00:00[Europe/Berlin]");
    context.availability = Err(NotTold {
        code: "genesys.queue_not_visible".to_owned(),
        message: "Queue 'Suport' is not visible.".to_owned(),
    });
    let config = json!({ "queue": "Suport", "whenUnknown": "unavailable" });
    let fault = testing::step::<CheckAvailability>(&mut context, config, Trigger::Entered);
    assert_eq!(
        fault.expect_err("a mistake").code,
        "genesys.queue_not_visible"
    );
}

#[test]
fn an_account_that_is_switched_off_has_nobody() {
    let mut context = at("2026-03-02T10:00:00[Europe/Berlin]");
    context.availability = Err(NotTold {
        code: "availability.account_off".to_owned(),
        message: "the account 'later' is switched off".to_owned(),
    });
    let found = check(&mut context, json!({}));
    assert_eq!(found.0.as_deref(), Some("account_off"));
}

#[test]
fn what_is_not_known_can_be_taken_for_nobody() {
    let mut context = TestContext::new();
    let found = check(&mut context, json!({ "whenUnknown": "unavailable" }));
    assert_eq!(found.0.as_deref(), Some("unknown"));
    assert_eq!(context.log.len(), 1);
}

#[test]
fn mistakes_are_found_before_the_flow_runs() {
    let found: Vec<_> = testing::validate::<CheckAvailability>(json!({
        "businessHours": {
            "timeZone": "Berlin",
            "open": { "monday": ["9-5", "25:00-26:00", "{{ context.hours }}"] },
            "holidays": [{ "date": "24.12." }, { "date": "02-29" }],
        }
    }))
    .into_iter()
    .map(|found| format!("{}: {}", found.path, found.message))
    .collect();
    insta::assert_debug_snapshot!(found);
    let never = testing::validate::<CheckAvailability>(json!({
        "businessHours": { "timeZone": "UTC", "open": { "monday": [] } }
    }));
    assert_eq!(never[0].code, "check_availability.never_open");
}
