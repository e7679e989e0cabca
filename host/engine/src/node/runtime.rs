//! The wasmtime engine behind all nodes of a host.
//!
//! Instances come from a pool, because a step makes a fresh one and a pool makes that cheap; an
//! exhausted pool is an error, so a semaphore of the same size stands before it. Where the pool's
//! address space cannot be had, instances are made on demand, only slower. Deadlines on the
//! processor are epochs, which cost a node a few percent; fuel would cost twice that.

use super::bindings::FlowNode;
use super::cache::Cache;
use super::limits::Limits;
use super::state::StepState;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often the epoch moves on.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Rust's standard library takes three core instances for one component instance.
const CORE_INSTANCES: u32 = 4;

/// Compiles nodes and runs their steps. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) engine: wasmtime::Engine,
    pub(super) linker: Linker<StepState>,
    pub(super) limits: Arc<Limits>,
    pub(super) permits: Semaphore,
    /// Known to this process only; placeholders of secrets are made with it.
    pub(super) key: [u8; 16],
    cache: Option<Cache>,
}

/// The WebAssembly runtime cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly runtime cannot start here: {0}")]
pub struct RuntimeError(#[source] wasmtime::Error);

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// A runtime with these limits.
    pub fn new(limits: Limits) -> Result<Self, RuntimeError> {
        Self::with_cache(limits, None)
    }

    /// A runtime that keeps what it compiles in a directory, and finds it there again.
    pub fn with_cache(limits: Limits, cache: Option<PathBuf>) -> Result<Self, RuntimeError> {
        let engine = match wasmtime::Engine::new(&pooled(&limits)) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(%error, "no instance pool on this machine; instances are made on demand");
                wasmtime::Engine::new(&base()).map_err(RuntimeError)?
            }
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(RuntimeError)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(RuntimeError)?;
        FlowNode::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(RuntimeError)?;
        tick(&engine);
        Ok(Self(Arc::new(Inner {
            engine,
            linker,
            permits: Semaphore::new(limits.instances as usize),
            limits: Arc::new(limits),
            key: uuid::Uuid::new_v4().into_bytes(),
            cache: cache.map(Cache::new),
        })))
    }
}

impl Inner {
    /// Compiles a component, unless it was compiled before.
    pub(super) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.cache {
            Some(cache) => cache.compile(&self.engine, bytes),
            None => Component::new(&self.engine, bytes),
        }
    }
}

fn base() -> Config {
    let mut config = Config::new();
    // No node runs component-model async; its bookkeeping would double the price of a call.
    config.epoch_interruption(true).concurrency_support(false);
    config
}

fn pooled(limits: &Limits) -> Config {
    let n = limits.instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(n)
        .total_core_instances(CORE_INSTANCES * n)
        .total_memories(n)
        .total_tables(2 * n)
        .total_stacks(n)
        .max_memory_size(limits.memory)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10)
        .decommit_batch_size(16);
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Moves the epoch on until the engine is gone.
fn tick(engine: &wasmtime::Engine) {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("node-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .expect("a thread can be started");
}
