//! A session made of maps.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Audience, Availability, Capability, Context, HttpError, HttpRequest, HttpResponse, Level, Line,
    NotTold, Refused, SessionEnd, Timestamp, Visit,
};

const KEY_BYTES: usize = 128;
const VALUE_BYTES: u32 = 10_000;
const MESSAGE_BYTES: u32 = 16_384;

/// A session made of maps, with the limits a host has unless it says otherwise. Everything is
/// public, to be set up before a step and looked at after it.
#[derive(Debug)]
pub struct TestContext {
    /// Where and when.
    pub visit: Visit,
    /// The flow context.
    pub context: BTreeMap<String, Value>,
    /// What agents will see.
    pub attributes: BTreeMap<String, String>,
    /// What was sent, in order.
    pub messages: Vec<Message>,
    /// What was said before.
    pub transcript: Vec<Line>,
    /// How the last handoff ended.
    pub last_handoff: Option<SessionEnd>,
    /// The secrets the node may use.
    pub secrets: BTreeSet<String>,
    /// Documents of API connectors, by alias.
    pub connectors: BTreeMap<String, Value>,
    /// What the next requests are answered, in order. One more is denied.
    pub answers: VecDeque<Result<HttpResponse, HttpError>>,
    /// The requests that were sent, in order.
    pub requests: Vec<HttpRequest>,
    /// What the platform tells of every queue.
    pub availability: Result<Availability, NotTold>,
    /// The lines written.
    pub log: Vec<(Level, String)>,
    used: RefCell<BTreeSet<Capability>>,
}

/// A message a node sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who gets it.
    #[serde(default)]
    pub to: Audience,
    /// Plain text.
    pub text: String,
}

impl TestContext {
    /// An empty session.
    #[must_use]
    pub fn new() -> Self {
        Self {
            visit: Visit {
                node_id: "node".into(),
                session_id: "session".into(),
                now: Timestamp(1_767_225_600_000),
            },
            context: BTreeMap::new(),
            attributes: BTreeMap::new(),
            messages: Vec::new(),
            transcript: Vec::new(),
            last_handoff: None,
            secrets: BTreeSet::new(),
            connectors: BTreeMap::new(),
            answers: VecDeque::new(),
            requests: Vec::new(),
            availability: Err(NotTold {
                code: "availability.not_supported".into(),
                message: "nobody is there to be asked".into(),
            }),
            log: Vec::new(),
            used: RefCell::default(),
        }
    }

    /// The texts of the messages sent, in order.
    #[must_use]
    pub fn said(&self) -> Vec<&str> {
        self.messages
            .iter()
            .map(|message| message.text.as_str())
            .collect()
    }

    /// The interfaces the node has called.
    #[must_use]
    pub fn used(&self) -> BTreeSet<Capability> {
        self.used.borrow().clone()
    }

    fn uses(&self, capability: Capability) {
        self.used.borrow_mut().insert(capability);
    }
}

impl Default for TestContext {
    fn default() -> Self {
        Self::new()
    }
}

impl Context for TestContext {
    fn visit(&self) -> &Visit {
        &self.visit
    }

    fn get(&self, key: &str) -> Option<Value> {
        self.uses(Capability::Context);
        self.context.get(key).cloned()
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        self.uses(Capability::Context);
        let key = key.to_owned();
        if !fits_as_key(&key) {
            return Err(Refused::ContextBadKey { key });
        }
        if value.to_string().len() > VALUE_BYTES as usize {
            return Err(Refused::ContextTooLarge {
                key,
                limit: VALUE_BYTES,
            });
        }
        self.context.insert(key, value.clone());
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        self.uses(Capability::Context);
        self.context.remove(key);
    }

    fn keys(&self) -> Vec<String> {
        self.uses(Capability::Context);
        self.context.keys().cloned().collect()
    }

    fn attribute(&self, key: &str) -> Option<String> {
        self.uses(Capability::ExternalAttributes);
        self.attributes.get(key).cloned()
    }

    fn set_attribute(&mut self, key: &str, value: &str) -> Result<(), Refused> {
        self.uses(Capability::ExternalAttributes);
        let key = key.to_owned();
        if !fits_as_key(&key) {
            return Err(Refused::AttributeBadKey { key });
        }
        if value.len() > VALUE_BYTES as usize {
            return Err(Refused::AttributeTooLarge {
                key,
                limit: VALUE_BYTES,
            });
        }
        self.attributes.insert(key, value.to_owned());
        Ok(())
    }

    fn remove_attribute(&mut self, key: &str) {
        self.uses(Capability::ExternalAttributes);
        self.attributes.remove(key);
    }

    fn attribute_keys(&self) -> Vec<String> {
        self.uses(Capability::ExternalAttributes);
        self.attributes.keys().cloned().collect()
    }

    fn send(&mut self, to: Audience, text: &str) -> Result<(), Refused> {
        self.uses(Capability::Conversation);
        if text.len() > MESSAGE_BYTES as usize {
            return Err(Refused::MessageTooLong {
                limit: MESSAGE_BYTES,
            });
        }
        self.messages.push(Message {
            to,
            text: text.to_owned(),
        });
        Ok(())
    }

    fn transcript(&self, limit: u32) -> Vec<Line> {
        self.uses(Capability::Conversation);
        let skipped = self.transcript.len().saturating_sub(limit as usize);
        self.transcript[skipped..].to_vec()
    }

    fn last_handoff(&self) -> Option<SessionEnd> {
        self.uses(Capability::Handoff);
        self.last_handoff.clone()
    }

    fn secret(&self, name: &str) -> Result<String, Refused> {
        self.uses(Capability::Secrets);
        if self.secrets.contains(name) {
            Ok(format!("secret:{name}"))
        } else {
            Err(Refused::SecretUnknown {
                name: name.to_owned(),
            })
        }
    }

    fn connector(&self, alias: &str) -> Option<Value> {
        self.uses(Capability::Connectors);
        self.connectors.get(alias).cloned()
    }

    fn fetch(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.uses(Capability::Http);
        self.requests.push(request.clone());
        self.answers.pop_front().unwrap_or(Err(HttpError::Denied))
    }

    fn availability(
        &mut self,
        _account: Option<&str>,
        _queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        self.uses(Capability::Availability);
        self.availability.clone()
    }

    fn log(&mut self, level: Level, text: &str) {
        self.uses(Capability::Log);
        self.log.push((level, text.to_owned()));
    }
}

fn fits_as_key(key: &str) -> bool {
    (1..=KEY_BYTES).contains(&key.len())
}
