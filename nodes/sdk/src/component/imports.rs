//! [`Context`] over the imports of a component.

use serde_json::Value;

use crate::{
    Audience, Availability, Context, HttpError, HttpRequest, HttpResponse, Level, Line, NotTold,
    Refused, SessionEnd, Visit,
    bindings::handoff::node::{
        availability, connectors,
        context::{self, ContextError},
        conversation::{self, SendError},
        external_attributes::{self, AttributeError},
        handoff, log,
        secrets::{self, SecretError},
    },
    component::{convert, fetch::fetch},
};

/// The session, as the host keeps it.
#[derive(Debug)]
pub(crate) struct Imports {
    visit: Visit,
}

impl Imports {
    pub(crate) fn new(visit: Visit) -> Self {
        Self { visit }
    }
}

impl Context for Imports {
    fn visit(&self) -> &Visit {
        &self.visit
    }

    fn get(&self, key: &str) -> Option<Value> {
        context::get(key).map(|json| serde_json::from_str(&json).expect("the host keeps only JSON"))
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        let refused = |error| {
            let key = key.to_owned();
            match error {
                ContextError::TooLarge(limit) => Refused::ContextTooLarge { key, limit },
                ContextError::BadKey => Refused::ContextBadKey { key },
                ContextError::BadJson => Refused::ContextBadJson { key },
            }
        };
        context::set(key, &value.to_string()).map_err(refused)
    }

    fn remove(&mut self, key: &str) {
        context::remove(key);
    }

    fn keys(&self) -> Vec<String> {
        context::keys()
    }

    fn attribute(&self, key: &str) -> Option<String> {
        external_attributes::get(key)
    }

    fn set_attribute(&mut self, key: &str, value: &str) -> Result<(), Refused> {
        let refused = |error| {
            let key = key.to_owned();
            match error {
                AttributeError::BadKey => Refused::AttributeBadKey { key },
                AttributeError::TooLarge(limit) => Refused::AttributeTooLarge { key, limit },
                AttributeError::TooMany(limit) => Refused::TooManyAttributes { key, limit },
            }
        };
        external_attributes::set(key, value).map_err(refused)
    }

    fn remove_attribute(&mut self, key: &str) {
        external_attributes::remove(key);
    }

    fn attribute_keys(&self) -> Vec<String> {
        external_attributes::keys()
    }

    fn send(&mut self, to: Audience, text: &str) -> Result<(), Refused> {
        conversation::send(convert::audience(to), text).map_err(|error| match error {
            SendError::TooLong(limit) => Refused::MessageTooLong { limit },
            SendError::TooMany(limit) => Refused::TooManyMessages { limit },
        })
    }

    fn transcript(&self, limit: u32) -> Vec<Line> {
        conversation::transcript(limit)
    }

    fn last_handoff(&self) -> Option<SessionEnd> {
        handoff::last().map(convert::session_end)
    }

    fn secret(&self, name: &str) -> Result<String, Refused> {
        secrets::placeholder(name).map_err(|error| {
            let name = name.to_owned();
            match error {
                SecretError::Unknown => Refused::SecretUnknown { name },
                SecretError::Denied => Refused::SecretDenied { name },
            }
        })
    }

    fn connector(&self, alias: &str) -> Option<Value> {
        connectors::find(alias)
            .map(|json| serde_json::from_str(&json).expect("the host keeps only JSON"))
    }

    fn fetch(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        fetch(request)
    }

    fn availability(
        &mut self,
        account: Option<&str>,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        match availability::ask(account, queue) {
            Ok(json) => Ok(serde_json::from_str(&json).expect("the host tells only JSON")),
            Err(availability::NotTold { code, message }) => Err(NotTold { code, message }),
        }
    }

    fn log(&mut self, level: Level, text: &str) {
        log::write(level, text);
    }
}
