//! What provisioning an account, as `handoff provision` does, has to do; and what administrators do to it
//! in between.

use crate::play::Failure;
use crate::stage::Stage;
use crate::step::{AdminAct, Provision as Wanted};
use handoff_genesys::provision::{Deed, Provisioned, State};

/// Provisions, and compares.
pub(crate) async fn holds(stage: &mut Stage, line: usize, wanted: &Wanted) -> Result<(), Failure> {
    let fail = |expected: String, got: String| {
        Err(Failure {
            line,
            expected,
            got,
        })
    };
    let done = match stage.provision(&wanted.account, wanted.mend).await {
        Some(Ok(done)) => done,
        Some(Err(error)) => return fail("to provision".to_owned(), error.to_string()),
        None => {
            let expected = format!("an Open Messaging account '{}'", wanted.account);
            return fail(expected, "the project has none of that name".to_owned());
        }
    };
    let made = |deed: &Deed| matches!(deed, Deed::Create | Deed::Recreate);
    let steps = || done.steps.iter();
    let is_done = |state: &State| *state == State::Done;
    let created: Vec<&str> = steps()
        .filter(|it| is_done(&it.state) && made(&it.deed))
        .map(|it| it.integration.as_str())
        .collect();
    let codes = |fits: &dyn Fn(&State) -> bool| -> Vec<&str> {
        let fitting =
            steps().filter(|it| fits(&it.state) && !(is_done(&it.state) && made(&it.deed)));
        fitting.map(|it| it.deed.code()).collect()
    };
    for (what, expected, got) in [
        ("creates", &wanted.creates, created),
        ("does", &wanted.does, codes(&is_done)),
        ("drift", &wanted.drift, codes(&|it| *it == State::Drift)),
        (
            "by-hand",
            &wanted.by_hand,
            codes(&|it| matches!(it, State::ByHand { .. })),
        ),
        (
            "failures",
            &Vec::new(),
            codes(&|it| matches!(it, State::Failed { .. })),
        ),
    ] {
        if *expected != got {
            return fail(format!("{what} {expected:?}"), told(&done));
        }
    }
    let text = told(&done);
    match wanted.mentions.iter().find(|words| !text.contains(*words)) {
        Some(words) => fail(format!("to read {words:?}"), text),
        None => Ok(()),
    }
}

/// An administrator acts.
pub(crate) fn admin(stage: &Stage, line: usize, act: &AdminAct) -> Result<(), Failure> {
    let control = &stage.control;
    let done = match act {
        AdminAct::Rename { integration, to } => control.rename_integration(integration, to),
        AdminAct::Delete { integration } => control.delete_integration(integration),
        AdminAct::Point { integration, to } => control.set_webhook(integration, to),
    };
    done.map_err(|error| Failure {
        line,
        expected: format!("an administrator to be able to: {act:?}"),
        got: error.to_string(),
    })
}

fn told(done: &Provisioned) -> String {
    let lines: Vec<String> = done
        .steps
        .iter()
        .map(|it| format!("{} {:?}: {}", it.deed.code(), it.state, it.found))
        .collect();
    lines.join("\n")
}
