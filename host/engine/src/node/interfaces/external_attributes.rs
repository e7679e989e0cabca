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

    fn set(&mut self, key: String, value: String) -> Result<(), AttributeError> {
        if !is_good_key(&key) {
            return Err(AttributeError::BadKey);
        }
        let limit = self.limits.attribute_value;
        if value.len() > limit {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            return Err(AttributeError::TooLarge(limit));
        }
        let keys = self.attribute_keys();
        if !keys.contains(&key) && keys.len() >= self.limits.attributes {
            let limit = u32::try_from(self.limits.attributes).unwrap_or(u32::MAX);
            return Err(AttributeError::TooMany(limit));
        }
        self.host.attribute_writes.insert(key, Some(value));
        Ok(())
    }

    fn remove(&mut self, key: String) {
        self.host.attribute_writes.insert(key, None);
    }

    fn keys(&mut self) -> Vec<String> {
        self.attribute_keys().into_iter().collect()
    }
}
