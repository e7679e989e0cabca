//! Traces to a collector, by OTLP over HTTP.
//!
//! Whatever is not said on the command line is taken from the environment variables that
//! OpenTelemetry defines: headers, time limits, the service's name, the sampler.

use super::carrier::Carrier;
use super::ids::Generator;
use super::joining::Joining;
use super::labels::Labelling;
use super::logs::is_ours;
use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Where a collector takes traces.
const PATH: &str = "/v1/traces";

/// What exports traces; none if no collector is named.
pub(super) fn provider(
    endpoint: Option<&str>,
    runtime: &Handle,
) -> anyhow::Result<Option<SdkTracerProvider>> {
    let own = std::env::var(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT).ok();
    let endpoint = match (own, endpoint) {
        (Some(own), _) if !own.is_empty() => own,
        (_, Some(base)) if !base.is_empty() => address(base),
        _ => return Ok(None),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Carrier::new(runtime))
        .with_endpoint(&endpoint)
        .build()
        .with_context(|| format!("no traces can be sent to '{endpoint}'"))?;
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Labelling(BatchSpanProcessor::builder(exporter).build()))
        .with_id_generator(Generator::default())
        .with_resource(resource())
        .build();
    Ok(Some(provider))
}

/// Hands this project's spans to the exporter.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let tracer = provider.tracer("handoff");
    let exported = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    // Polls for news are spans of the level DEBUG: there are thousands of them in a handoff.
    Joining(exported).with_filter(filter_fn(|metadata| {
        is_ours(metadata) && *metadata.level() <= Level::INFO
    }))
}

fn address(base: &str) -> String {
    let base = base.trim_end_matches('/');
    if base.ends_with(PATH) {
        base.to_owned()
    } else {
        format!("{base}{PATH}")
    }
}

/// Who tells all this.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    if std::env::var_os("OTEL_SERVICE_NAME").is_some() {
        return resource.build();
    }
    resource.with_service_name("handoff").build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_with_or_without_the_path_for_traces() {
        for named in [
            "http://localhost:4318",
            "http://localhost:4318/",
            "http://localhost:4318/v1/traces",
        ] {
            assert_eq!(address(named), "http://localhost:4318/v1/traces");
        }
    }
}
