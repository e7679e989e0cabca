//! Commands that agents type: what they do, and that users see nothing of it.

use crate::support::{Outside, Sample, Talk, told};
use handoff_engine::egress::Egress;
use serde_json::{Value, json};
use std::sync::Arc;

const LINES: &str = "[egress]\nallow = ['https://email.eu-west-1.amazonaws.com']\n\
    [aws]\nregion = 'eu-west-1'\n\
    [secrets]\n'srn:ses' = { env = 'SES', to = ['https://email.eu-west-1.amazonaws.com'] }\n\
    [slash-commands.'/email']\ndescription = 'Send an email to the customer'\n\
    actions = [{ type = 'executeApi', value = 'sendEmail' }]\n\
    [slash-commands.'/wrong']\nactions = [{ type = 'executeApi', value = 'nobody' }]\n\
    [slash-commands.'/bye']\ndescription = 'Say goodbye'\n\
    actions = [{ type = 'message', value = 'Thank you for writing to us.' }]";

const DONE: &str = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendEmailResult>\
    <MessageId>0100-1</MessageId></SendEmailResult></SendEmailResponse>";

fn connector() -> Value {
    json!({
        "Alias": "sendEmail",
        "Type": "aws-sdk",
        "Endpoint": "SES",
        "Method": "sendEmail",
        "Credentials": "srn:ses",
        "Body": {"Message": {"Subject": {"Data": "Your chat"}}},
        "RequestMapping": {
            "Email": {"type": "requestBody", "inputPath": "$.email", "requestBodyPath": "$.Destination.ToAddresses[0]"},
            "Note": {"type": "requestBody", "inputPath": "$.arguments", "requestBodyPath": "$.Message.Body.Text.Data"}
        },
        "ResponseMapping": {
            "Id": {"type": "responseBody", "responseBodyPath": "$.MessageId", "outputPath": "$.mail"}
        }
    })
}

/// With an agent, in a session whose context holds these values.
async fn with_agent(values: Value, egress: Arc<dyn Egress>) -> Talk {
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": values}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true}, "to": {"completed": "after"}},
        "after": {"type": "ask", "config": {"text": "?", "saveTo": "x"}},
    });
    let project = Sample::main("set", nodes)
        .top(LINES)
        .and_nodes(&["executeApi"])
        .file("connectors/send-email.json", &connector());
    let mut talk = project.talk().await;
    talk.egress = egress;
    talk.start().await;
    talk.joined("Kim").await;
    talk
}

#[tokio::test]
async fn a_command_calls_its_api_once_and_the_user_sees_nothing() {
    let outside = Outside::answering(200, DONE);
    let mut talk = with_agent(
        json!({"email": "ana@example.org"}),
        Arc::clone(&outside) as _,
    )
    .await;
    let turn = talk.agent_says("Kim", "/email  See you & bye").await;
    assert_eq!(
        told(&turn),
        ["to agent: [/email: done. The customer did not see it.]"]
    );
    let requests = outside.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        String::from_utf8_lossy(&requests[0].body),
        "Action=SendEmail&Version=2010-12-01&Destination.ToAddresses.member.1=ana%40example.org\
         &Message.Body.Text.Data=See+you+%26+bye&Message.Subject.Data=Your+chat"
    );
    assert_eq!(talk.context("mail"), json!("0100-1"));
    let said = talk.transcript();
    assert!(
        said.iter().all(|line| !line.text.contains("/email")),
        "{said:?}"
    );
}

#[tokio::test]
async fn without_the_value_it_needs_a_command_is_refused_and_says_which() {
    let outside = Outside::answering(200, DONE);
    let mut talk = with_agent(json!({"name": "Ana"}), Arc::clone(&outside) as _).await;
    let turn = talk.agent_says("Kim", "/email").await;
    assert_eq!(
        told(&turn),
        [
            "to agent: [/email was not done: The API 'sendEmail' needs $.email, and there is no such value in \
          the context. Set it before. The customer did not see it.]"
        ]
    );
    assert!(outside.requests().is_empty());
}

#[tokio::test]
async fn a_command_that_calls_nobody_tells_its_agent() {
    let mut talk = with_agent(json!({"name": "Ana"}), Outside::answering(200, DONE)).await;
    let turn = talk.agent_says("Kim", "/wrong").await;
    assert_eq!(
        told(&turn),
        [
            "to agent: [/wrong was not done: the bot has no API connector 'nobody'. The customer did not see it.]"
        ]
    );
}

#[tokio::test]
async fn what_the_api_refuses_is_told_to_the_agent() {
    let refused = "<ErrorResponse><Error><Code>MessageRejected</Code><Message>Email address is not \
                   verified.</Message></Error></ErrorResponse>";
    let mut talk = with_agent(
        json!({"email": "ana@example.org"}),
        Outside::answering(400, refused),
    )
    .await;
    let turn = talk.agent_says("Kim", "/email hello").await;
    assert_eq!(
        told(&turn),
        [
            "to agent: [/email was not done: The API 'sendEmail' answered 400: MessageRejected: Email address \
          is not verified. The customer did not see it.]"
        ]
    );
}

#[tokio::test]
async fn a_text_behind_a_command_is_sent_as_the_agents() {
    let mut talk = with_agent(json!({"name": "Ana"}), Outside::answering(200, DONE)).await;
    let turn = talk.agent_says("Kim", "/bye").await;
    assert_eq!(
        told(&turn),
        [
            "agent Kim: Thank you for writing to us.",
            "to agent: [/bye: done. The customer did not see it.]"
        ]
    );
}

#[tokio::test]
async fn help_lists_the_commands_and_a_slip_is_kept_from_the_user() {
    let mut talk = with_agent(json!({"name": "Ana"}), Outside::answering(200, DONE)).await;
    let turn = talk.agent_says("Kim", "/help").await;
    assert_eq!(
        told(&turn),
        [
            "to agent: [Commands, which the customer does not see:\n/bye: Say goodbye\n\
          /email: Send an email to the customer\n/wrong]"
        ]
    );
    let turn = talk.agent_says("Kim", "/emial hello").await;
    assert_eq!(
        told(&turn),
        [
            "to agent: [There is no command /emial; did you mean /email? The customer did not see it.]"
        ]
    );
    let turn = talk.agent_says("Kim", "/var/log is full").await;
    assert_eq!(told(&turn), ["agent Kim: /var/log is full"]);
}
