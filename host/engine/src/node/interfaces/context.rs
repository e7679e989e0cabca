//! `context`: JSON values by key.

use super::is_good_key;
use crate::node::bindings::handoff::node::context::{ContextError, Host};
use crate::node::state::{ContextFull, StepState};
use serde_json::Value;
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
        let Ok(value) = serde_json::from_str::<Value>(&value) else {
            return Ok(Err(ContextError::BadJson));
        };
        self.within_context(&key, &value)?;
        self.host.context_writes.insert(key, Some(value));
        self.within_writes().map(Ok)
    }

    fn remove(&mut self, key: String) -> wasmtime::Result<()> {
        if is_good_key(&key) {
            let freed = self.size_of_entry(&key);
            let size = self.context_size();
            self.context_size = Some(size.saturating_sub(freed));
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

impl StepState {
    /// Ends the step if the context would hold too much with this value.
    fn within_context(&mut self, key: &str, value: &Value) -> wasmtime::Result<()> {
        let freed = self.size_of_entry(key);
        let bytes = self.context_size().saturating_sub(freed) + entry_size(key, value);
        // What was there before the limit was lowered may stay, and may shrink.
        if bytes > self.limits.context && entry_size(key, value) > freed {
            let key = key.to_owned();
            return Err(ContextFull { key, bytes }.into());
        }
        self.context_size = Some(bytes);
        Ok(())
    }

    /// Bytes of the context with the writes of this step. Counted once: few steps write.
    fn context_size(&mut self) -> usize {
        let context = &self.host.context;
        *self.context_size.get_or_insert_with(|| {
            let entries = context.iter();
            entries.map(|(key, value)| entry_size(key, value)).sum()
        })
    }

    fn size_of_entry(&self, key: &str) -> usize {
        let value = match self.host.context_writes.get(key) {
            Some(written) => written.as_ref(),
            None => self.host.context.get(key),
        };
        value.map_or(0, |value| entry_size(key, value))
    }
}

/// Bytes of a key and of its value's JSON text.
fn entry_size(key: &str, value: &Value) -> usize {
    key.len() + crate::size::json_size(value)
}
