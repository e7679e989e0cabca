//! What the process itself uses, read from `/proc` as it is asked for; elsewhere than on Linux
//! nothing is told. The names are those that Prometheus' own clients use.

use super::catalogue::Told;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks of processor time per second, as Linux tells them to programs on every architecture.
const TICKS: f64 = 100.0;

/// What is told, for the catalogue.
pub(super) const TOLD: [Told; 4] = [
    Told {
        name: "process_resident_memory_bytes",
        help: "Memory of this process that is in RAM",
    },
    Told {
        name: "process_cpu_seconds_total",
        help: "Processor time that this process has used",
    },
    Told {
        name: "process_open_fds",
        help: "Files and sockets that this process has open",
    },
    Told {
        name: "process_threads",
        help: "Threads of this process",
    },
];

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let [memory, cpu, files, threads] = &TOLD;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kibibytes) = field(&status, "VmRSS:") {
            gauge(&mut encoder, memory, kibibytes * 1024)?;
        }
        if let Some(count) = field(&status, "Threads:") {
            gauge(&mut encoder, threads, count)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let name = cpu.name.trim_end_matches("_total");
            let kind = counter.metric_type();
            let metric = encoder.encode_descriptor(name, cpu.help, None, kind)?;
            counter.encode(metric)?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            gauge(&mut encoder, files, open.count() as u64)?;
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    told: &Told,
    value: u64,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    let kind = gauge.metric_type();
    gauge.encode(encoder.encode_descriptor(told.name, told.help, None, kind)?)
}

/// The number of a line such as `VmRSS:     1234 kB`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time: fields 14 and 15, counted from the end of the name, which may hold blanks.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    let ticks: u32 = fields.filter_map(|field| field.parse::<u32>().ok()).sum();
    Some(f64::from(ticks) / TICKS)
}
