//! Whether agents could take a conversation: asked by nodes, answered by an embedder's port.
//!
//! The engine asks nobody itself. It says which account is meant, and an [`AskAgents`] of the embedder's knows
//! how to ask it. Answers are journaled, so that a turn can be made again without asking.

use crate::name::AccountName;
use crate::time::Millis;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

/// What a platform tells of a queue. None is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Availability {
    /// Agents who are on queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_queue: Option<u32>,
    /// Of these, those who talk to nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32>,
    /// Conversations that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// How long the next one would wait, as the platform estimates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_wait: Option<Millis>,
}

/// Nothing is known of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct NotTold {
    /// Stable, for example `genesys.queue_not_visible`.
    pub code: String,
    /// One sentence for the person who can fix it.
    pub message: String,
}

impl NotTold {
    /// From a code and a sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// Asks the platforms behind accounts. Supplied by whoever embeds the engine.
#[async_trait]
pub trait AskAgents: Debug + Send + Sync {
    /// How many agents could take a conversation of this account, in a queue or in the account's own.
    async fn ask(
        &self,
        account: &AccountName,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold>;
}

/// Asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyToAsk;

#[async_trait]
impl AskAgents for NobodyToAsk {
    async fn ask(&self, _: &AccountName, _: Option<&str>) -> Result<Availability, NotTold> {
        Err(NotTold::new(
            "availability.nobody_to_ask",
            "this host has no way to ask for agents",
        ))
    }
}

/// The record of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The account, if one was found to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// What was told.
    pub answer: Told,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// How many there are.
    Agents(Availability),
    /// Nothing.
    Nothing(NotTold),
}

/// Answers as the same turn was answered before, and asks nobody.
#[derive(Debug, Default)]
pub struct RecordedAgents(Mutex<VecDeque<Asked>>);

impl RecordedAgents {
    /// From the questions of a turn's journal, in order.
    pub fn new(asked: impl IntoIterator<Item = Asked>) -> Self {
        // A question that had no account was answered without anybody being asked.
        let asked = asked.into_iter().filter(|it| it.account.is_some());
        Self(Mutex::new(asked.collect()))
    }
}

#[async_trait]
impl AskAgents for RecordedAgents {
    async fn ask(
        &self,
        account: &AccountName,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        let next = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let same =
            next.filter(|it| it.account.as_ref() == Some(account) && it.queue.as_deref() == queue);
        match same.map(|it| it.answer) {
            Some(Told::Agents(availability)) => Ok(availability),
            Some(Told::Nothing(reason)) => Err(reason),
            None => Err(NotTold::new(
                "availability.not_recorded",
                "the journal has no answer to this question: the turn takes another course now",
            )),
        }
    }
}
