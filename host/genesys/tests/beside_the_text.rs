//! Typing and attributes from the user's side reach the agent's.

mod support;

use genesys_sim::Activity;
use genesys_sim::AgentAction::Accept;
use handoff_genesys::Command;
use std::collections::BTreeMap;
use support::{Over, Stage, request};

#[tokio::test]
async fn the_agent_sees_the_user_type() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        let mut desk = stage.control.events();
        stage.command(Command::Typing { on: true }).await;
        let mut typed = false;
        while let Ok(event) = desk.try_recv() {
            typed |= event.activity == Activity::CustomerTyping { on: true };
        }
        assert!(typed, "{over:?}");
    }
}

#[tokio::test]
async fn attributes_set_later_are_added_to_those_already_there() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        let mut first = request();
        let case = ("case".to_owned(), "42".to_owned());
        first.options.attributes.extend([case]);
        stage.open(first).await;
        let more = BTreeMap::from([("mood".to_owned(), "fine".to_owned())]);
        stage.command(Command::SetAttributes(more)).await;
        stage.breathe().await;
        assert_eq!(stage.attribute("mood").as_deref(), Some("fine"), "{over:?}");
        assert_eq!(stage.attribute("case").as_deref(), Some("42"), "{over:?}");
        assert_eq!(stage.notices(), [], "{over:?}");
    }
}
