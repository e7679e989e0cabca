//! What must hold on an agent's desk.

use super::Holds;
use crate::stage::Stage;
use crate::step::Occupation;
use genesys_sim::{DeskView, Speaker};
use serde_json::{Map, Value};

/// Whether a file of the user's lies before an agent: its name, or what stands for it in words.
pub(super) fn agent_receives(stage: &Stage, agent: &str, file: &str) -> Holds {
    let expected = format!("{agent} to receive the file {file}");
    let desk = match stage.control.desk(agent) {
        Ok(desk) => desk,
        Err(error) => {
            return Holds::Never {
                expected,
                got: error.to_string(),
            };
        }
    };
    let items = desk.connected.iter().chain(&desk.after_call_work);
    let lines = items.flat_map(|item| &item.lines);
    let files: Vec<&str> = lines
        .filter(|line| line.who == Speaker::Customer)
        .flat_map(|line| &line.attachments)
        .map(|attachment| attachment.name.as_str())
        .collect();
    Holds::soon(files.contains(&file), expected, format!("{files:?}"))
}

pub(super) fn agent_sees(stage: &Stage, agent: &str, wanted: &Map<String, Value>) -> Holds {
    let expected = format!("{agent} to see {}", Value::from(wanted.clone()));
    let desk = match stage.control.desk(agent) {
        Ok(desk) => desk,
        Err(error) => {
            return Holds::Never {
                expected,
                got: error.to_string(),
            };
        }
    };
    let attributes = desk
        .alerting
        .iter()
        .chain(&desk.connected)
        .chain(&desk.after_call_work)
        .map(|item| &item.attributes)
        .next_back();
    let Some(attributes) = attributes else {
        return Holds::NotYet {
            expected,
            got: "they have no conversation".to_owned(),
        };
    };
    let fits = wanted
        .iter()
        .all(|(key, value)| attributes.get(key).map(String::as_str) == value.as_str());
    Holds::soon(fits, expected, format!("{attributes:?}"))
}

pub(super) fn agent_is(stage: &Stage, agent: &str, wanted: Occupation) -> Holds {
    let expected = format!("{agent} to be: {wanted:?}");
    let desk = match stage.control.desk(agent) {
        Ok(desk) => desk,
        Err(error) => {
            return Holds::Never {
                expected,
                got: error.to_string(),
            };
        }
    };
    let is = occupations(&desk);
    let fits = match wanted {
        Occupation::Idle => is.is_empty(),
        other => is.contains(&other),
    };
    Holds::soon(fits, expected, format!("{is:?}"))
}

fn occupations(desk: &DeskView) -> Vec<Occupation> {
    [
        (Occupation::Alerting, &desk.alerting),
        (Occupation::Connected, &desk.connected),
        (Occupation::AfterCallWork, &desk.after_call_work),
    ]
    .into_iter()
    .filter(|(_, items)| !items.is_empty())
    .map(|(occupation, _)| occupation)
    .collect()
}
