//! wasmtime and the contract alone: no limits, no deadlines, host functions that do nothing.

mod bindings {
    #![allow(missing_debug_implementations, unreachable_pub)]
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "flow-node",
        exports: { default: async },
    });
}

use crate::{block_on, support};
use bindings::exports::handoff::node::node::StepInput;
use bindings::handoff::node as wit;
use bindings::{FlowNode, FlowNodePre};
use divan::Bencher;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

struct Bare {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl wit::types::Host for Bare {}

impl wit::context::Host for Bare {
    fn get(&mut self, _key: String) -> Option<String> {
        None
    }

    fn set(&mut self, _key: String, _value: String) -> Result<(), wit::context::ContextError> {
        Ok(())
    }

    fn remove(&mut self, _key: String) {}

    fn keys(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl wit::external_attributes::Host for Bare {
    fn get(&mut self, _key: String) -> Option<String> {
        None
    }

    fn set(
        &mut self,
        _key: String,
        _value: String,
    ) -> Result<(), wit::external_attributes::AttributeError> {
        Ok(())
    }

    fn remove(&mut self, _key: String) {}

    fn keys(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl wit::conversation::Host for Bare {
    fn send(
        &mut self,
        _to: wit::types::Audience,
        _text: String,
    ) -> Result<(), wit::conversation::SendError> {
        Ok(())
    }

    fn transcript(&mut self, _limit: u32) -> Vec<wit::conversation::Line> {
        Vec::new()
    }
}

impl wit::handoff::Host for Bare {
    fn last(&mut self) -> Option<wit::types::SessionEnd> {
        None
    }
}

impl wit::secrets::Host for Bare {
    fn placeholder(&mut self, _name: String) -> Result<String, wit::secrets::SecretError> {
        Err(wit::secrets::SecretError::Unknown)
    }
}

impl wit::connectors::Host for Bare {
    fn find(&mut self, _alias: String) -> Option<String> {
        None
    }
}

impl wit::availability::Host for Bare {
    fn ask(
        &mut self,
        _account: Option<String>,
        _queue: Option<String>,
    ) -> Result<String, wit::availability::NotTold> {
        Ok("{}".to_owned())
    }
}

impl wit::log::Host for Bare {
    fn write(&mut self, _level: wit::log::Level, _text: String) {}
}

/// The same pool as the host's, and no epochs.
fn engine() -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(8)
        .total_core_instances(32)
        .total_memories(8)
        .total_tables(16)
        .total_stacks(8)
        .max_memory_size(64 << 20)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10)
        .decommit_batch_size(16);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).expect("wasmtime starts")
}

fn prepare(engine: &Engine) -> FlowNodePre<Bare> {
    let component = Component::new(engine, support::component("say")).expect("compiles");
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("links");
    FlowNode::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).expect("links");
    FlowNodePre::new(linker.instantiate_pre(&component).expect("links")).expect("is a node")
}

fn store(engine: &Engine) -> Store<Bare> {
    let state = Bare {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
    };
    Store::new(engine, state)
}

/// From the bytes of a component to machine code: once per node, when a host starts.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>) {
    let (engine, bytes) = (engine(), support::component("say"));
    bencher.bench_local(|| Component::new(&engine, &bytes).expect("compiles"));
}

#[divan::bench]
fn instantiate(bencher: Bencher<'_, '_>) {
    let (engine, runtime) = (engine(), block_on());
    let pre = prepare(&engine);
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut store = store(&engine);
            pre.instantiate_async(&mut store).await.expect("a node");
        });
    });
}

#[divan::bench]
fn step(bencher: Bencher<'_, '_>) {
    let (engine, runtime) = (engine(), block_on());
    let pre = prepare(&engine);
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut store = store(&engine);
            let node = pre.instantiate_async(&mut store).await.expect("a node");
            let input = StepInput {
                trigger: wit::types::Trigger::Entered,
                config: r#"{"text":"Hello!"}"#.to_owned(),
                state: None,
                node_id: "n".to_owned(),
                session_id: "s".to_owned(),
                now: 0,
            };
            let outcome = node.handoff_node_node().call_step(&mut store, &input).await;
            outcome.expect("no trap").expect("no fault")
        })
    });
}
