//! Playing several scenarios at once, and telling them in their order.

use super::Arguments;
use crate::paint;
use crate::store::STORE_FILE;
use anyhow::{Context, bail};
use handoff_engine::Engine;
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Outcome, Report, Scenario, Told, play_in};
use handoff_store::{MemoryStore, RedbStore, Store};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A scenario as it went on one transport.
pub(super) struct Played {
    pub(super) report: Report,
    /// The conversation, for people.
    pub(super) lines: Vec<String>,
    /// In real time.
    pub(super) took: Duration,
}

impl Played {
    pub(super) fn held(&self) -> bool {
        matches!(self.report.outcome, Outcome::Passed)
    }
}

/// Plays scenarios on the transports they are for, and tells each as soon as all before it are told.
pub(super) async fn play_all(
    arguments: &Arguments,
    engine: &Engine,
    scenarios: &[Scenario],
    tell: impl Fn(&Played),
) -> anyhow::Result<Vec<Played>> {
    let jobs = arguments.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        NonZeroUsize::get,
    );
    let places = Arc::new(Semaphore::new(jobs));
    let mut playing = JoinSet::new();
    for scenario in scenarios {
        for transport in scenario.plays_on() {
            if arguments.transport.is_some_and(|only| only != transport) {
                continue;
            }
            let number = playing.len();
            let store = store_for(arguments.keep.as_deref(), &scenario.path, transport)?;
            let (engine, scenario) = (engine.clone(), scenario.clone());
            let places = Arc::clone(&places);
            playing.spawn(async move {
                let place = places.acquire_owned().await;
                let played = play_one(store, &engine, &scenario, transport).await;
                drop(place);
                (number, played)
            });
        }
    }
    let bar = progress(playing.len());
    let mut waiting = BTreeMap::new();
    let mut all: Vec<Played> = Vec::new();
    while let Some(played) = playing.join_next().await {
        let (number, played) = played?;
        waiting.insert(number, played);
        bar.inc(1);
        while let Some(next) = waiting.remove(&all.len()) {
            bar.suspend(|| tell(&next));
            all.push(next);
        }
    }
    bar.finish_and_clear();
    Ok(all)
}

async fn play_one(
    store: Arc<dyn Store>,
    engine: &Engine,
    scenario: &Scenario,
    transport: TransportKind,
) -> Played {
    let begun = Instant::now();
    let mut lines = Vec::new();
    let mut tell = |told: &Told| lines.extend(paint::told(told, true));
    let report = play_in(store, engine, scenario, transport, &mut tell).await;
    Played {
        report,
        lines,
        took: begun.elapsed(),
    }
}

/// Shown on terminals only.
fn progress(all: usize) -> ProgressBar {
    let bar = ProgressBar::new(all as u64);
    let style = ProgressStyle::with_template("{spinner} {pos} of {len} scenarios  {wide_bar}");
    bar.set_style(style.expect("the template is one"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Where the sessions of a scenario are kept: in a new file of their own, or in memory.
fn store_for(
    keep: Option<&Path>,
    scenario: &Path,
    transport: TransportKind,
) -> anyhow::Result<Arc<dyn Store>> {
    let Some(keep) = keep else {
        return Ok(Arc::new(MemoryStore::new()));
    };
    let name = scenario.file_stem().unwrap_or_default();
    let directory = keep.join(name).join(transport.as_str());
    let file = directory.join(STORE_FILE);
    if file.exists() {
        bail!(
            "'{}' holds sessions of an earlier run; remove it, or keep these elsewhere",
            file.display()
        );
    }
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("'{}' cannot be made", directory.display()))?;
    Ok(Arc::new(RedbStore::open(file)?))
}
