//! `external-attributes`: what agents will see.

use super::is_good_key;
use crate::node::bindings::handoff::node::external_attributes::{AttributeError, Host};
use crate::node::state::StepState;
use std::collections::BTreeSet;

impl StepState {
    fn attribute_keys(&self) -> BTreeSet<String> {
        let mut keys: BTreeSet<String> = self.host.attributes.keys().cloned().collect();
        for (key, written) in &self.host.attribute_writes {
            if written.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        keys
    }
}

impl Host for StepState {
    fn get(&mut self, key: String) -> Option<String> {
        match self.host.attribute_writes.get(&key) {
            Some(written) => written.clone(),
            None => self.host.attributes.get(&key).cloned(),
        }
    }

    fn set(&mut self, key: String, value: String) -> wasmtime::Result<Result<(), AttributeError>> {
        if !is_good_key(&key) {
            return Ok(Err(AttributeError::BadKey));
        }
        let limit = self.limits.attribute_value;
        if value.len() > limit {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            return Ok(Err(AttributeError::TooLarge(limit)));
        }
        let keys = self.attribute_keys();
        if !keys.contains(&key) && keys.len() >= self.limits.attributes {
            let limit = u32::try_from(self.limits.attributes).unwrap_or(u32::MAX);
            return Ok(Err(AttributeError::TooMany(limit)));
        }
        self.host.attribute_writes.insert(key, Some(value));
        self.within_writes().map(Ok)
    }

    fn remove(&mut self, key: String) -> wasmtime::Result<()> {
        if is_good_key(&key) {
            self.host.attribute_writes.insert(key, None);
        }
        self.within_writes()
    }

    fn keys(&mut self) -> Vec<String> {
        self.attribute_keys().into_iter().collect()
    }
}
