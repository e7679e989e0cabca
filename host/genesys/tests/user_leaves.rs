//! The user leaves, from the queue and from a chat, and the agent side learns of it.

mod support;

use genesys_sim::AgentAction::Accept;
use handoff_engine::account::{Account, SecretRef};
use handoff_engine::handoff::HandoffEnd;
use handoff_genesys::Command;
use support::{Over, Stage, request};

#[tokio::test]
async fn leaving_the_queue_leaves_no_ghost() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.command(Command::Leave).await;
        stage.breathe().await;
        assert_eq!(stage.end(), Some(HandoffEnd::user_left()), "{over:?}");
        assert_eq!(stage.conversation().state, "ended", "{over:?}");
        assert!(stage.desk("kim").alerting.is_empty());
    }
}

#[tokio::test]
async fn leaving_a_chat_ends_it_for_the_agent_after_the_last_words() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        let id = stage.say("Thank you, bye").await;
        stage.command(Command::Leave).await;
        stage.breathe().await;
        assert_eq!(stage.end(), Some(HandoffEnd::user_left()), "{over:?}");
        assert_eq!(stage.settled(), [id]);
        assert!(stage.desk("kim").connected.is_empty());
    }
}

#[tokio::test]
async fn without_the_permission_to_disconnect_the_agent_is_told_in_words() {
    let deaf = |account: &mut Account| {
        if let Account::CloudOpenMessaging(account) = account {
            account.client_id = "deaf".to_owned();
            account.client_secret = SecretRef::Named("deaf-secret".to_owned());
        }
    };
    let mut stage = Stage::with(Over::OpenMessaging, deaf).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.command(Command::Leave).await;
    stage.breathe().await;
    assert_eq!(stage.end(), Some(HandoffEnd::user_left()));
    let last = stage.customer_said().pop();
    assert_eq!(last.as_deref(), Some("The user has left the conversation."));
    let notices = stage.notices();
    let (_, sentence) = notices
        .iter()
        .find(|(code, _)| code == "genesys.customer_not_disconnected")
        .unwrap_or_else(|| panic!("{notices:#?}"));
    assert!(
        sentence.contains("conversation:communication:disconnect"),
        "{sentence}"
    );
}

#[tokio::test]
async fn the_agent_reads_the_flows_farewell_before_the_conversation_ends() {
    for over in [Over::Engage, Over::WebMessaging, Over::OpenMessaging] {
        let mut stage = Stage::set(over).await;
        let mut request = request();
        request.options.messages.farewell = Some("Ana went back to the bot.".to_owned());
        stage.open(request).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.command(Command::Leave).await;
        stage.breathe().await;
        assert_eq!(stage.end(), Some(HandoffEnd::user_left()), "{over:?}");
        let last = stage.customer_said().pop();
        assert_eq!(
            last.as_deref(),
            Some("Ana went back to the bot."),
            "{over:?}"
        );
        assert!(stage.desk("kim").connected.is_empty(), "{over:?}");
    }
}
