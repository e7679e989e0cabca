//! What a step sees of its session, and what it wants changed.

use super::bindings::handoff::node::log::Level;
use super::bindings::handoff::node::types::{Audience, SessionEnd};
use super::http::Outgoing;
use super::limits::{Limits, MAX_PARTS};
use super::runtime::is_out_of_space;
use crate::availability::{AskAgents, Asked};
use crate::egress::{Access, Call};
use crate::name::{AccountName, SessionId};
use crate::session::{History, HistoryError, TranscriptLine};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::ResourceLimiter;
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The session as one step sees it. Writes are kept apart from what was there, so that a step that
/// fails leaves no trace.
#[derive(Debug, Default)]
pub struct StepHost {
    /// The flow context before the step.
    pub context: BTreeMap<String, Value>,
    /// What agents will see, before the step.
    pub attributes: BTreeMap<String, String>,
    /// Lines of the transcript in all, those of the present turn included.
    pub lines: u64,
    /// What the present turn said so far.
    pub said: Vec<TranscriptLine>,
    /// Reads what earlier turns of a session said; none if nothing was kept.
    pub history: Option<(SessionId, Arc<dyn History>)>,
    /// Why earlier lines could not be read. The turn comes to nothing then.
    pub history_error: Option<HistoryError>,
    /// How the last handoff ended.
    pub last_handoff: Option<SessionEnd>,
    /// Documents of the project's API connectors, by alias.
    pub connectors: Arc<BTreeMap<String, Value>>,
    /// Whom it may ask for agents.
    pub(crate) accounts: Accounts,
    /// Who asks. Taken by the step.
    pub(crate) agents: Option<Arc<dyn AskAgents>>,
    /// What it may call. Taken by the step.
    pub(crate) access: Access,
    /// Context keys set, or removed where the value is none.
    pub context_writes: BTreeMap<String, Option<Value>>,
    /// Attributes set, or removed where the value is none.
    pub attribute_writes: BTreeMap<String, Option<String>>,
    /// Messages to send, in order.
    pub messages: Vec<OutgoingMessage>,
    /// Questions for agents and their answers; they stay even if the step fails.
    pub asked: Vec<Asked>,
    /// Requests sent over HTTP and their answers; they stay even if the step fails.
    pub calls: Vec<Call>,
    /// Log lines written; they stay even if the step fails.
    pub log: Vec<LogLine>,
    /// Log lines dropped because there were too many.
    pub log_dropped: usize,
}

impl StepHost {
    /// Forgets what a step wrote, sent and asked for.
    pub(super) fn forget_writes(&mut self) {
        self.context_writes.clear();
        self.attribute_writes.clear();
        self.messages.clear();
        self.asked.clear();
        self.calls.clear();
        self.log.clear();
        self.log_dropped = 0;
    }
}

/// The accounts of the session's project.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    /// Takes the place of every other one.
    pub(crate) overriding: Option<AccountName>,
    /// That of a question that names none.
    pub(crate) by_default: Option<AccountName>,
    pub(crate) known: Arc<[AccountName]>,
    /// Those that others have taken the place of.
    pub(crate) mapped: Arc<BTreeMap<AccountName, AccountName>>,
}

/// A message a step sends.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingMessage {
    /// Where it goes.
    pub to: Audience,
    /// Plain text.
    pub text: String,
}

/// A line a step logs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// Everything behind a store.
pub(super) struct StepState {
    pub(super) wasi: WasiCtx,
    pub(super) table: ResourceTable,
    pub(super) memory: MemorySum,
    pub(super) limits: Arc<Limits>,
    pub(super) http: WasiHttpCtx,
    pub(super) outgoing: Outgoing,
    pub(super) agents: Arc<dyn AskAgents>,
    pub(super) host: StepHost,
    /// Bytes of the context with the step's writes; counted once the step writes.
    pub(super) context_size: Option<usize>,
}

/// A step wrote more keys than it may.
#[derive(Debug, thiserror::Error)]
#[error("too many writes")]
pub(super) struct TooManyWrites;

/// A step would have the session's context hold more than it may.
#[derive(Debug, thiserror::Error)]
#[error("the context is full")]
pub(super) struct ContextFull {
    pub(super) key: String,
    /// What the context would hold, in bytes.
    pub(super) bytes: usize,
}

impl StepState {
    /// Ends the step if it has written more keys than it may.
    pub(super) fn within_writes(&self) -> wasmtime::Result<()> {
        let writes = self.host.context_writes.len() + self.host.attribute_writes.len();
        if writes > self.limits.writes {
            return Err(TooManyWrites.into());
        }
        Ok(())
    }
}

impl WasiView for StepState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for StepState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Bytes of an element of a table.
const ELEMENT: usize = size_of::<usize>();

/// Stops a step whose memories and tables together want too much, and remembers that it did.
pub(super) struct MemorySum {
    limit: usize,
    /// Bytes of all memories and tables of the store.
    used: usize,
    /// What was granted last. It is given back if the machine cannot provide it.
    granted: usize,
    pub(super) exceeded: bool,
    /// The machine had nothing to give.
    pub(super) out_of_space: bool,
}

impl MemorySum {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            granted: 0,
            exceeded: false,
            out_of_space: false,
        }
    }

    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let used = self.used.saturating_add(more);
        if used <= self.limit {
            self.used = used;
            self.granted = more;
            return Ok(true);
        }
        self.exceeded = true;
        Err(wasmtime::format_err!(
            "memory limit of {} bytes",
            self.limit
        ))
    }

    fn give_back(&mut self, error: &wasmtime::Error) {
        self.used = self.used.saturating_sub(std::mem::take(&mut self.granted));
        self.out_of_space |= is_out_of_space(error);
    }
}

impl ResourceLimiter for MemorySum {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(current, desired)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back(&error);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = |elements: usize| elements.saturating_mul(ELEMENT);
        self.grow(bytes(current), bytes(desired))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back(&error);
        Ok(())
    }

    fn instances(&self) -> usize {
        usize::try_from(MAX_PARTS.core_instances).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        usize::try_from(MAX_PARTS.memories).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        usize::try_from(MAX_PARTS.tables).unwrap_or(usize::MAX)
    }
}
