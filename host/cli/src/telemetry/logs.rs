//! Log lines: which there are, and how they are written.
//!
//! The filter chooses lines, never spans: a line of any level says which session and handoff it is
//! about. What other people's code says below the level `INFO` is left out whatever the filter says,
//! because sockets and HTTP clients log what goes over them, and that is what people say.

use crate::output::LogLines;
use anyhow::Context;
use std::io::IsTerminal;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

/// The environment variable that says what is logged.
const VARIABLE: &str = "HANDOFF_LOG";

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Writes the lines that the environment asks for, or else these.
pub(super) fn layer<S>(format: Format, unless_asked: &str) -> anyhow::Result<impl Layer<S>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let wanted = std::env::var(VARIABLE).unwrap_or_else(|_| unless_asked.to_owned());
    let wanted = EnvFilter::try_new(&wanted).with_context(|| {
        format!(
            "{VARIABLE}='{wanted}' does not say what to log; write a level, or targets with levels \
             such as handoff_server=debug,handoff_genesys=info"
        )
    })?;
    let context = filter_fn(|metadata| metadata.is_span() && is_ours(metadata));
    let discreet = filter_fn(|metadata| is_ours(metadata) || *metadata.level() <= Level::INFO);
    let lines = tracing_subscriber::fmt::layer();
    let lines: Box<dyn Layer<S> + Send + Sync> = match format {
        Format::Text => Box::new(
            lines
                .with_writer(|| LogLines)
                .with_ansi(std::io::stderr().is_terminal()),
        ),
        Format::Json => Box::new(
            lines
                .with_writer(|| LogLines)
                .json()
                .flatten_event(true)
                .with_current_span(false),
        ),
    };
    Ok(lines.with_filter(wanted.or(context).and(discreet)))
}

/// Whether something comes from this project's code.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("handoff")
}
