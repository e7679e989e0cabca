//! The trace of a handoff has an id that anybody can work out from the handoff's: whoever has one
//! line of a log finds the trace, and hosts that take a handoff up go on with it.
//!
//! Trace id: the first 16 bytes of SHA-256 of `handoff/` and the handoff's id; the id of its first
//! span: the 8 bytes after them.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use sha2::{Digest, Sha256};
use std::cell::Cell;

/// The ids under which a handoff is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) trace: TraceId,
    pub(super) first: SpanId,
}

impl Ids {
    pub(super) fn of(handoff: &str) -> Self {
        let digest = Sha256::new()
            .chain_update("handoff/")
            .chain_update(handoff)
            .finalize();
        let mut trace = [0; 16];
        trace.copy_from_slice(&digest[..16]);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[16..24]);
        Self {
            trace: TraceId::from_bytes(trace),
            first: SpanId::from_bytes(first),
        }
    }

    /// The first span, as the parent of others.
    pub(super) fn as_parent(self) -> SpanContext {
        let state = TraceState::default();
        SpanContext::new(self.trace, self.first, TraceFlags::SAMPLED, true, state)
    }

    /// A span that `start` starts gets these ids.
    pub(super) fn given_in<T>(self, start: impl FnOnce() -> T) -> T {
        GIVEN.set(Some(self));
        let started = start();
        GIVEN.set(None);
        started
    }
}

thread_local! {
    static GIVEN: Cell<Option<Ids>> = const { Cell::new(None) };
}

/// Random ids, unless some are given.
#[derive(Debug, Default)]
pub(super) struct Generator(RandomIdGenerator);

impl IdGenerator for Generator {
    fn new_trace_id(&self) -> TraceId {
        match GIVEN.get() {
            Some(ids) => ids.trace,
            None => self.0.new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        match GIVEN.get() {
            Some(ids) => ids.first,
            None => self.0.new_span_id(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_handoff_are_always_the_same_and_those_of_another_differ() {
        let ids = Ids::of("s/2/1");
        assert_eq!(ids, Ids::of("s/2/1"));
        assert_ne!(ids.trace, Ids::of("s/2/2").trace);
        assert_eq!(ids.trace.to_string(), "d456cdbe2115fe114876cc7ea0b96a52");
        assert!(ids.as_parent().is_valid());
    }

    #[test]
    fn ids_are_random_but_for_the_span_that_was_given_some() {
        let generator = Generator::default();
        let ids = Ids::of("s/2/1");
        let given = ids.given_in(|| (generator.new_trace_id(), generator.new_span_id()));
        assert_eq!(given, (ids.trace, ids.first));
        assert_ne!(generator.new_trace_id(), ids.trace);
        assert_ne!(generator.new_span_id(), ids.first);
    }
}
