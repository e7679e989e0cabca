use handoff_node::{
    Identity, Target, TransferRequest,
    testing::{self, TestContext},
};
use serde_json::{Value, json};

use super::*;

fn request(context: Value, config: Value) -> TransferRequest {
    let mut session = TestContext::new();
    session.context = serde_json::from_value(context).expect("an object");
    match testing::step::<Escalate>(&mut session, config, Trigger::Entered) {
        Ok(Outcome::Transfer { request, .. }) => *request,
        other => panic!("a transfer expected, not {other:?}"),
    }
}

fn identity(context: Value) -> Identity {
    let variables = json!({ "email": "mail", "lastName": "nom", "firstName": "prenom" });
    request(context, json!({ "identity": variables })).identity
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<Escalate>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<Escalate>()["config"]);
    });
}

#[test]
fn the_queue_is_the_competencys_or_else_that_of_everybody_else() {
    let target = |competency: Value, without: &str| {
        let config = json!({
            "competency": competency,
            "competencies": [
                { "competency": "Marketing", "queue": "Marketing_FR" },
                { "competency": "Support" },
            ],
            "withoutCompetency": without,
        });
        request(json!({}), config).target
    };
    let queue = |name: &str| Target::Queue(name.to_owned());
    assert_eq!(target(json!("Marketing"), "Accueil"), queue("Marketing_FR"));
    assert_eq!(target(json!("Marketing"), ""), queue("Marketing_FR"));
    for elsewhere in ["Support", "marketing", "Billing", " ", ""] {
        assert_eq!(target(json!(elsewhere), "Accueil"), queue("Accueil"));
        assert_eq!(target(json!(elsewhere), ""), Target::AnyAgent);
    }
    assert_eq!(target(Value::Null, "Accueil"), queue("Accueil"));
}

#[test]
fn a_competency_is_handed_over_even_if_no_queue_is_its_own() {
    let config = |name: &str| json!({ "competency": name });
    let competency = |name| request(json!({}), config(name)).competency;
    assert_eq!(competency("Billing").as_deref(), Some("Billing"));
    assert_eq!(competency(" "), None);
}

#[test]
fn what_is_unset_or_blank_is_left_out_of_the_identity() {
    let known = identity(json!({ "mail": "zoe@example.org", "nom": " ", "prenom": null }));
    let expected = Identity {
        email_address: Some("zoe@example.org".to_owned()),
        ..Identity::default()
    };
    assert_eq!(known, expected);
}

#[test]
fn names_make_the_nickname() {
    let nickname = |context| identity(context).nickname;
    let both = json!({ "prenom": "Zoé", "nom": "Petit" });
    assert_eq!(nickname(both).as_deref(), Some("Zoé Petit"));
    assert_eq!(
        nickname(json!({ "nom": "Petit" })).as_deref(),
        Some("Petit")
    );
    assert_eq!(nickname(json!({ "nom": 7 })).as_deref(), Some("7"));
}

#[test]
fn a_user_of_whom_nothing_is_known_is_a_guest() {
    let guest = Identity {
        nickname: Some("Guest".to_owned()),
        ..Identity::default()
    };
    assert_eq!(identity(json!({})), guest);
    let unmapped = request(json!({ "mail": "zoe@example.org" }), json!({}));
    assert_eq!(unmapped.identity, guest);
}

#[test]
fn problems_are_found_before_the_flow_runs() {
    let problems = |config| -> Vec<_> {
        testing::validate::<Escalate>(config)
            .into_iter()
            .map(|found| format!("{} {}", found.path, found.code))
            .collect()
    };
    let rows = json!([
        { "competency": "Marketing", "queue": "Marketing FR " },
        { "competency": "Marketing", "queue": "" },
        { "competency": " " },
    ]);
    assert_eq!(
        problems(json!({ "competencies": rows, "withoutCompetency": " Accueil" })),
        [
            "/competencies/0/queue escalate.queue_spaces",
            "/competencies/1/competency escalate.second_row",
            "/competencies/2/competency escalate.blank_competency",
            "/withoutCompetency escalate.queue_spaces",
        ]
    );
    assert_eq!(
        problems(json!({ "identity": { "email": "" }, "userEndCommand": "" })),
        [
            "/identity/email escalate.bad_variable",
            "/userEndCommand escalate.empty_end_command",
        ]
    );
}
