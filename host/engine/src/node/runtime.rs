//! The wasmtime engine behind all nodes of a host.
//!
//! Instances come from a pool, because a step makes a fresh one and a pool makes that cheap; an
//! exhausted pool is an error, so a semaphore of the same size stands before it, in which a node that
//! takes more of the pool counts as several. Whoever waits is served in order. Where the pool's address
//! space cannot be had, instances are made on demand, only slower. Ticks for deadlines on the processor
//! are epochs, which cost a node a few percent; fuel would cost twice that.

use super::bindings::FlowNode;
use super::cache::{Cache, CacheLocation};
use super::compiling::Workers;
use super::limits::{Limits, MAX_PARTS, PARTS_OF_A_PLACE};
use super::outline::Parts;
use super::state::StepState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often the epoch moves on.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Bytes by which a memory made on demand grows at least.
const GROWTH: u64 = 1 << 20;

/// Bytes of unused address space behind a memory made on demand.
const GUARD: u64 = 64 << 10;

/// Compiles nodes and runs their steps. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) engine: wasmtime::Engine,
    pub(super) linker: Linker<StepState>,
    pub(super) limits: Arc<Limits>,
    /// Places in the pool.
    pub(super) permits: Semaphore,
    pub(super) workers: Workers,
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

    /// A runtime that keeps what it compiles, and finds it again.
    pub fn with_cache(limits: Limits, cache: Option<&CacheLocation>) -> Result<Self, RuntimeError> {
        let engine = match wasmtime::Engine::new(&pooled(&limits)) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "no address space for a pool of instances; steps work, only slower. Raise the limit on \
                     virtual memory ('ulimit -v', or LimitAS of a service)"
                );
                wasmtime::Engine::new(&on_demand()).map_err(RuntimeError)?
            }
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(RuntimeError)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(RuntimeError)?;
        FlowNode::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(RuntimeError)?;
        tick(&engine)?;
        Ok(Self(Arc::new(Inner {
            engine,
            linker,
            permits: Semaphore::new(limits.instances.max(1) as usize),
            workers: Workers::new(),
            limits: Arc::new(limits),
            key: uuid::Uuid::new_v4().into_bytes(),
            cache: cache.and_then(Cache::open),
        })))
    }
}

impl Runtime {
    /// Whether what it compiles is found again by the next one. Not if the cache cannot be used, which the
    /// log tells the reason of.
    #[must_use]
    pub fn keeps_compiled(&self) -> bool {
        self.0.cache.is_some()
    }
}

impl Inner {
    /// Compiles a component with this digest, unless it was compiled before. Takes long.
    pub(super) fn compile(&self, digest: &[u8; 32], bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.cache {
            Some(cache) => cache.compile(&self.engine, digest, bytes),
            None => Component::new(&self.engine, bytes),
        }
    }

    /// How many places of the pool an instance takes. The largest takes the whole of a small pool.
    pub(super) fn places(&self, parts: Parts) -> u32 {
        let Parts {
            core_instances,
            memories,
            tables,
        } = PARTS_OF_A_PLACE;
        let places = (parts.core_instances.div_ceil(core_instances))
            .max(parts.memories.div_ceil(memories))
            .max(parts.tables.div_ceil(tables))
            .max(1);
        let all = u64::from(self.limits.instances.max(1));
        u32::try_from(places.min(all)).unwrap_or(u32::MAX)
    }
}

fn base() -> Config {
    let mut config = Config::new();
    // No node runs component-model async; its bookkeeping would double the price of a call.
    config.epoch_interruption(true).concurrency_support(false);
    config
}

/// A pool in which as many instances fit as there are places, and at least the largest one.
fn pooled(limits: &Limits) -> Config {
    let n = limits.instances.max(1);
    let largest = |parts: u64| u32::try_from(parts).unwrap_or(u32::MAX);
    let total =
        |of_a_place: u64, most: u64| largest(of_a_place).saturating_mul(n).max(largest(most));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(n)
        .total_core_instances(total(
            PARTS_OF_A_PLACE.core_instances,
            MAX_PARTS.core_instances,
        ))
        .total_memories(total(PARTS_OF_A_PLACE.memories, MAX_PARTS.memories))
        .total_tables(total(PARTS_OF_A_PLACE.tables, MAX_PARTS.tables))
        .total_stacks(n)
        .max_core_instances_per_component(largest(MAX_PARTS.core_instances))
        .max_memories_per_component(largest(MAX_PARTS.memories))
        .max_tables_per_component(largest(MAX_PARTS.tables))
        // How a component spreads them over its modules is its own affair.
        .max_memories_per_module(largest(MAX_PARTS.memories))
        .max_tables_per_module(largest(MAX_PARTS.tables))
        .max_memory_size(limits.memory)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10)
        .decommit_batch_size(16);
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Instances that reserve no more address space than they use.
fn on_demand() -> Config {
    let mut config = base();
    config
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .memory_reservation(0)
        .memory_reservation_for_growth(GROWTH)
        .memory_guard_size(GUARD)
        .guard_before_linear_memory(false);
    config
}

/// Whether an error says that the machine has no memory or no address space left: no node's doing.
pub(super) fn is_out_of_space(error: &wasmtime::Error) -> bool {
    #[cfg(unix)]
    let no_memory = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM)
    };
    #[cfg(not(unix))]
    let no_memory = |_: &(dyn std::error::Error + 'static)| false;
    error.chain().any(|cause| {
        no_memory(cause)
            || cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
    })
}

/// Moves the epoch on until the engine is gone.
fn tick(engine: &wasmtime::Engine) -> Result<(), RuntimeError> {
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
        .map(drop)
        .map_err(|error| RuntimeError(error.into()))
}
