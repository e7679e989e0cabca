//! What must hold of the host's own figures.

use super::Holds;
use std::collections::BTreeMap;

/// The samples of a metric with these labels add up to a value.
pub(super) fn counted(
    metrics: &str,
    name: &str,
    labels: &BTreeMap<String, String>,
    is: f64,
) -> Holds {
    let samples = metrics.lines().filter_map(|line| sample(line, name));
    let meant = samples.filter(|(of, _)| {
        let has = |(label, value): (&String, &String)| of.contains(&format!("{label}=\"{value}\""));
        labels.iter().all(has)
    });
    let sum: f64 = meant.map(|(_, value)| value).sum();
    let of = metrics
        .lines()
        .filter(|line| sample(line, name).is_some())
        .collect::<Vec<_>>()
        .join("; ");
    Holds::soon(
        (sum - is).abs() < f64::EPSILON,
        format!("{name} with {labels:?} to be {is}"),
        format!("{sum}: {of}"),
    )
}

/// Labels and value of a line, if it is a sample of the metric.
fn sample<'l>(line: &'l str, name: &str) -> Option<(&'l str, f64)> {
    let rest = line.strip_prefix(name)?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?,
        None => ("", rest.strip_prefix(' ')?),
    };
    Some((labels, value.trim().parse().ok()?))
}
