//! E-mail by SES, with somebody else's AWS: moto, which knows its keys and checks every signature.
//!
//! moto is installed from PyPI into a virtual environment under the target directory, so that nothing is
//! installed into the tree or the system. The first run needs PyPI, and every run Python 3.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

mod moto;

use handoff_engine::Engine;
use handoff_engine::account::SecretRef;
use handoff_engine::egress::Allowed;
use handoff_engine::name::SessionId;
use handoff_engine::project::ProjectFiles;
use handoff_engine::session::Sender;
use handoff_genesys::{SecretError, Secrets};
use handoff_server::{EgressOptions, Host, Position, UserEventKind};
use moto::Moto;
use std::collections::BTreeMap;
use std::sync::Arc;

const PROJECT: &str = r#"
name = "Mail"
start = "Mail"

[bots.Mail]
flow = "mail"

[aws]
region = "eu-west-1"

[egress]
allow = ["https://email.eu-west-1.amazonaws.com"]

[secrets]
"srn:vault::ACME:cross-account-role:ses" = { env = "SES", to = ["https://email.eu-west-1.amazonaws.com"] }
"#;

const FLOW: &str = r#"{
  "handoff": "flow@1", "id": "mail", "start": "who",
  "nodes": {
    "who": { "type": "setContext", "config": { "values": { "email": "ana+chat@example.org" } }, "to": { "next": "send" } },
    "send": { "type": "executeApi", "config": { "alias": "sendEmail" }, "to": { "next": "sent", "error": "failed" } },
    "sent": { "type": "say", "config": { "text": "sent {{ context.messageId }}" } },
    "failed": { "type": "say", "config": { "text": "{{ error.code }}: {{ error.message }}" } }
  }
}"#;

const CONNECTOR: &str = r#"{
  "Alias": "sendEmail", "Type": "aws-sdk", "Endpoint": "SES", "Method": "sendEmail",
  "Credentials": "srn:vault::ACME:cross-account-role:ses",
  "Body": {
    "Source": "care@example.com",
    "Message": { "Subject": { "Data": "Grüße & more" }, "Body": { "Text": { "Data": "a=b&c d\n100 % ~ok" } } }
  },
  "RequestMapping": {
    "Email": { "type": "requestBody", "inputPath": "$.email", "requestBodyPath": "$.Destination.ToAddresses[0]" }
  },
  "ResponseMapping": {
    "Id": { "type": "responseBody", "responseBodyPath": "$.MessageId", "outputPath": "$.messageId" }
  }
}"#;

/// One key pair, as the secret that the connector names.
struct Keys(String);

impl Secrets for Keys {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        assert_eq!(*secret, SecretRef::Env("SES".to_owned()));
        Ok(self.0.clone())
    }
}

/// What the bot says when it sends an e-mail with these keys.
async fn mail(moto: &Moto, id: &str, secret: &str) -> String {
    let nodes = ["set-context", "execute-api", "say"].map(|name| handoff_engine::Component {
        name: name.to_owned(),
        bytes: built_nodes::component(name),
    });
    let engine = Engine::builder()
        .cache(built_nodes::compiled())
        .cache_key(built_nodes::cache_key())
        .allow_egress(Allowed::everything())
        .components(nodes)
        .build()
        .await
        .unwrap();
    let files = [
        ("project.toml", PROJECT),
        ("flows/mail.json", FLOW),
        ("connectors/send-email.json", CONNECTOR),
    ];
    let files: BTreeMap<_, _> = files
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
    let project = Arc::new(engine.load(&ProjectFiles(files)).await.unwrap());
    let keys = serde_json::json!({ "accessKeyId": id, "secretAccessKey": secret });
    let host = Host::builder(project)
        .egress(EgressOptions {
            stand_in: Some(moto.url().clone()),
            ..EgressOptions::default()
        })
        .start(&Keys(keys.to_string()))
        .await
        .unwrap();
    let session = SessionId::new("mail");
    host.start_session(session.clone(), None, None)
        .await
        .unwrap();
    let events = host
        .user_events(&session, Position::default(), usize::MAX)
        .await
        .unwrap();
    let said = events.into_iter().find_map(|event| match event.kind {
        UserEventKind::Message {
            from: Sender::Bot(_),
            text,
            ..
        } => Some(text),
        _ => None,
    });
    host.stop();
    said.unwrap()
}

#[tokio::test]
async fn an_email_is_sent_by_ses_and_its_signature_holds() {
    let Some(moto) = Moto::start() else {
        return;
    };
    let (id, secret) = moto.make_user().await;

    let said = mail(&moto, &id, &secret).await;
    assert!(said.starts_with("sent "), "{said}");

    // moto counts what it took, and says no to anybody else.
    let said = mail(&moto, &id, "not-the-secret-of-that-key").await;
    assert!(
        said.starts_with(
            "execute_api.unauthorized: The API 'sendEmail' answered 403: SignatureDoesNotMatch"
        ),
        "{said}"
    );
    let said = mail(&moto, "AKIANOBODY", &secret).await;
    assert!(said.starts_with("execute_api.unauthorized: "), "{said}");

    let mails = moto.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let text = mails[0].to_string();
    for part in [
        "care@example.com",
        "ana+chat@example.org",
        "Grüße & more",
        "a=b&c d\\n100 % ~ok",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
