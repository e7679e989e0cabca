//! `context`: JSON values by key.

use super::is_good_key;
use crate::node::bindings::handoff::node::context::{ContextError, Host};
use crate::node::state::StepState;
use std::collections::BTreeSet;

impl Host for StepState {
    fn get(&mut self, key: String) -> Option<String> {
        match self.host.context_writes.get(&key) {
            Some(written) => written.as_ref().map(ToString::to_string),
            None => self.host.context.get(&key).map(ToString::to_string),
        }
    }

    fn set(&mut self, key: String, value: String) -> wasmtime::Result<Result<(), ContextError>> {
        if !is_good_key(&key) {
            return Ok(Err(ContextError::BadKey));
        }
        let limit = self.limits.context_value;
        if value.len() > limit {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            return Ok(Err(ContextError::TooLarge(limit)));
        }
        let Ok(value) = serde_json::from_str(&value) else {
            return Ok(Err(ContextError::BadJson));
        };
        self.host.context_writes.insert(key, Some(value));
        self.within_writes().map(Ok)
    }

    fn remove(&mut self, key: String) -> wasmtime::Result<()> {
        if is_good_key(&key) {
            self.host.context_writes.insert(key, None);
        }
        self.within_writes()
    }

    fn keys(&mut self) -> Vec<String> {
        let mut keys: BTreeSet<String> = self.host.context.keys().cloned().collect();
        for (key, written) in &self.host.context_writes {
            if written.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        keys.into_iter().collect()
    }
}
