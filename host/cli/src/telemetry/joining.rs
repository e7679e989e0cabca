//! Which trace a span belongs to.
//!
//! A handoff lasts for hours and outlives hosts, so it cannot be one span. Instead a span that names a
//! handoff belongs to the trace of that handoff, wherever it was opened; the effect that asks for the
//! handoff is the first one in it. Everything else is in the trace of the turn it is part of.
//!
//! Spans that stand for something lasting (a handoff's task, an account's socket) give log lines their
//! context. They are not exported: a trace would get them hours late, or never. What is below them is
//! as if it were right below the first span of the handoff.

use super::ids::Ids;
use super::labels::Labels;
use opentelemetry::Context as Around;
use opentelemetry::trace::TraceContextExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Spans that last.
const LASTING: [&str; 2] = ["handoff", "feed"];

/// Puts the spans that another layer exports into the right traces.
#[derive(Debug)]
pub(super) struct Joining<L>(pub(super) L);

/// In a span that lasts: what those right below it are part of.
struct Lasting(Around);

/// In the first span of a handoff: its ids.
struct First(Ids);

/// Whether a span is the effect that asks for a handoff.
#[derive(Default)]
struct Asks(bool);

impl Visit for Asks {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= field.name() == "kind" && value == "open-handoff";
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

/// What a span that is about to be opened is part of.
fn around<S>(span: &Attributes<'_>, ctx: &Context<'_, S>) -> Around
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if span.is_root() {
        return Around::new();
    }
    let parent = match span.parent() {
        Some(parent) => ctx.span(parent),
        None => ctx.lookup_current(),
    };
    let lasting = parent.and_then(|parent| {
        let extensions = parent.extensions();
        extensions.get::<Lasting>().map(|it| it.0.clone())
    });
    lasting.unwrap_or_else(Around::current)
}

impl<L> Joining<L> {
    fn is_exported<S>(id: &Id, ctx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        ctx.span(id)
            .is_some_and(|span| span.extensions().get::<Lasting>().is_none())
    }
}

impl<S, L> Layer<S> for Joining<L>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    L: Layer<S>,
{
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let around = around(attrs, &ctx);
        let mut own = Labels::default();
        attrs.record(&mut own);
        let ids = own.handoff().map(Ids::of);
        let labels = own.within(around.get::<Labels>());
        let Some(span) = ctx.span(id) else { return };
        let mut asks = Asks::default();
        attrs.record(&mut asks);
        let joined = match ids {
            Some(ids) if asks.0 => {
                span.extensions_mut().insert(First(ids));
                Around::new()
            }
            Some(ids) if around.span().span_context().trace_id() != ids.trace => {
                Around::new().with_remote_span_context(ids.as_parent())
            }
            _ => around,
        };
        let joined = joined.with_value(labels);
        if LASTING.contains(&attrs.metadata().name()) {
            span.extensions_mut().insert(Lasting(joined));
            return;
        }
        drop(span);
        let _part_of = joined.attach();
        self.0.on_new_span(attrs, id, ctx);
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        if !Self::is_exported(id, &ctx) {
            return;
        }
        let first = ctx.span(id).and_then(|span| {
            let extensions = span.extensions();
            extensions.get::<First>().map(|it| it.0)
        });
        match first {
            // It is started when it is entered for the first time, and then asks for its ids.
            Some(ids) => ids.given_in(|| self.0.on_enter(id, ctx)),
            None => self.0.on_enter(id, ctx),
        }
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        if Self::is_exported(id, &ctx) {
            self.0.on_exit(id, ctx);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if Self::is_exported(id, &ctx) {
            self.0.on_record(id, values, ctx);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.0.on_event(event, ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        if Self::is_exported(&id, &ctx) {
            self.0.on_close(id, ctx);
        }
    }
}
