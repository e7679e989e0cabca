//! What must hold of the requests that APIs got.

use super::Holds;
use super::pattern::matches;
use crate::apis::ApiCall;
use serde_json::{Map, Value};

/// A request that an API is to have got.
pub(super) struct Wanted<'s> {
    /// Method and address, or `nothing`.
    pub(super) what: &'s str,
    pub(super) with: Option<&'s Value>,
    pub(super) headers: &'s Map<String, Value>,
}

impl Wanted<'_> {
    /// Whether it is the first request that was not looked at yet.
    pub(super) fn is_next(&self, calls: &[ApiCall], seen: &mut usize) -> Holds {
        let next = calls.get(*seen);
        if self.what == "nothing" {
            let got = next.map_or_else(String::new, describe);
            return Holds::now(next.is_none(), "no further request to an API", got);
        }
        let mut expected = format!("a request {}", self.what);
        if let Some(with) = self.with {
            expected.push_str(&format!(" with {with}"));
        }
        if !self.headers.is_empty() {
            expected.push_str(&format!(" and the headers {:?}", self.headers));
        }
        let Some(call) = next else {
            return Holds::NotYet {
                expected,
                got: "no further request".to_owned(),
            };
        };
        if self.fits(call) {
            *seen += 1;
            return Holds::Yes;
        }
        let mut got = describe(call);
        if !self.headers.is_empty() {
            got.push_str(&format!(" and the headers {:?}", call.headers));
        }
        Holds::Never { expected, got }
    }

    fn fits(&self, call: &ApiCall) -> bool {
        matches(self.what, &call.what)
            && self.with.is_none_or(|with| holds(with, &call.body))
            && self
                .headers
                .iter()
                .all(|(name, wanted)| call.headers.get(name).is_some_and(|got| holds(wanted, got)))
    }
}

/// Whether a value has everything that is wanted of it. Texts are patterns.
fn holds(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => wanted
            .iter()
            .all(|(key, wanted)| got.get(key).is_some_and(|got| holds(wanted, got))),
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len()
                && wanted
                    .iter()
                    .zip(got)
                    .all(|(wanted, got)| holds(wanted, got))
        }
        (Value::String(wanted), Value::String(got)) => matches(wanted, got),
        (wanted, got) => wanted == got,
    }
}

fn describe(call: &ApiCall) -> String {
    format!("{} with {}", call.what, call.body)
}
