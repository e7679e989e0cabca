//! What every span of a session, a handoff or an account is labelled with, however deep it is.
//!
//! The labels travel in the OpenTelemetry context, as baggage does, and become attributes when a span
//! starts. So a request to Genesys names the session though the code that makes it knows of none.

use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;
use tracing::field::{Field, Visit};

/// The fields of a span that those below it get as well.
const NAMES: [&str; 4] = ["session", "handoff", "account", "transport"];

/// Values by the places of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels([Option<String>; NAMES.len()]);

impl Labels {
    /// The handoff.
    pub(super) fn handoff(&self) -> Option<&str> {
        self.0[1].as_deref()
    }

    /// These, and those of what is around where these are silent.
    pub(super) fn within(self, around: Option<&Self>) -> Self {
        let outer = around.cloned().unwrap_or_default();
        let mut outer = outer.0.into_iter();
        Self(self.0.map(|own| own.or(outer.next().flatten())))
    }

    fn attributes(&self) -> impl Iterator<Item = KeyValue> + '_ {
        let known = NAMES.iter().zip(&self.0);
        known.filter_map(|(name, value)| Some(KeyValue::new(*name, value.clone()?)))
    }
}

impl Visit for Labels {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(place) = NAMES.iter().position(|name| *name == field.name()) {
            self.0[place] = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if NAMES.contains(&field.name()) {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

/// Labels spans on their way to another processor.
#[derive(Debug)]
pub(super) struct Labelling<P>(pub(super) P);

impl<P: SpanProcessor> SpanProcessor for Labelling<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if let Some(labels) = cx.get::<Labels>() {
            for attribute in labels.attributes() {
                span.set_attribute(attribute);
            }
        }
        self.0.on_start(span, cx);
    }

    /// A span that named itself what it was labelled with says so once.
    fn on_end(&self, mut span: SpanData) {
        let mut told = HashSet::new();
        span.attributes
            .retain(|attribute| told.insert(attribute.key.clone()));
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
