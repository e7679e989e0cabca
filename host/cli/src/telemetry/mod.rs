//! Logs on standard error, and traces to a collector if one is named.
//!
//! Both come from the same spans, which the libraries open without knowing who listens. Nothing is
//! exported unless somebody asks for it.

mod carrier;
mod ids;
mod joining;
mod labels;
mod logs;
mod traces;

use anyhow::Context;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How long the last traces may take on their way out.
const LAST_EXPORT: Duration = Duration::from_secs(5);

/// What is logged and where traces go.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TelemetryArguments {
    /// How log lines on standard error are written. HANDOFF_LOG says which there are, for example
    /// info or handoff_genesys=debug.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "HANDOFF_LOG_FORMAT"
    )]
    log_format: logs::Format,
    /// Send traces to this OpenTelemetry collector, by OTLP over HTTP: http://localhost:4318.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT"
    )]
    otlp_endpoint: Option<String>,
}

/// What is to be finished before the program ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins to listen. Traces are carried by the runtime, and until [`Self::finish`]. `log` is what is logged
    /// if nobody says it.
    pub(crate) fn start(
        arguments: &TelemetryArguments,
        log: &str,
        runtime: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let logs = logs::layer(arguments.log_format, log)?;
        let traces = traces::provider(arguments.otlp_endpoint.as_deref(), runtime)?;
        tracing_subscriber::registry()
            .with(logs)
            .with(traces.as_ref().map(traces::layer))
            .try_init()
            .context("logs cannot be written")?;
        Ok(Self { traces })
    }

    /// Sends what has not been sent yet. An error says what was lost.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let Some(traces) = self.traces else {
            return Ok(());
        };
        traces
            .shutdown_with_timeout(LAST_EXPORT)
            .context("the last traces did not reach the collector")
    }
}
