//! One call into a node: a fresh store and instance, deadlines, and what went wrong in words.

use super::bindings::exports::handoff::node::node::StepInput;
use super::bindings::handoff::node::types::{Outcome, Problem};
use super::bindings::{FlowNode, FlowNodePre};
use super::deterministic;
use super::failure::StepFailure;
use super::http::Outgoing;
use super::load::{Node, first_line};
use super::runtime::{Inner, TICK};
use super::state::{MemoryCap, StepHost, StepState, TooManyWrites};
use crate::availability::NobodyToAsk;
use crate::diagnostic::name_list;
use crate::egress::Placeholders;
use crate::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi_http::WasiHttpCtx;

const STDERR: usize = 4096;

impl Node {
    /// One step. `seed` decides the random numbers the node sees: the same seed, the same numbers.
    /// The host comes back with the step's writes, to be used only if the step came to an outcome.
    pub async fn step(
        &self,
        host: StepHost,
        input: StepInput,
        seed: &str,
    ) -> (StepHost, Result<Outcome, StepFailure>) {
        let now = Timestamp(input.now);
        let (host, result) = self
            .runtime
            .call(&self.pre, host, now, seed, async |node, store| {
                node.handoff_node_node().call_step(store, &input).await
            })
            .await;
        let outcome = match result {
            Ok(Ok(outcome)) => self.check(outcome),
            Ok(Err(fault)) => Err(fault.into()),
            Err(failure) => Err(failure),
        };
        (host, outcome)
    }

    /// The placeholders of a step, by its seed.
    pub(crate) fn placeholders(&self, seed: &str) -> Placeholders {
        Placeholders::new(&self.runtime.key, seed)
    }

    /// Mistakes in a config that its schema cannot express.
    pub async fn validate(&self, config: &Value) -> Result<Vec<Problem>, StepFailure> {
        let config = config.to_string();
        let host = StepHost::default();
        let (_, result) = self
            .runtime
            .call(
                &self.pre,
                host,
                Timestamp::default(),
                "validate",
                async |node, store| node.handoff_node_node().call_validate(store, &config).await,
            )
            .await;
        result
    }

    fn check(&self, outcome: Outcome) -> Result<Outcome, StepFailure> {
        let bad = |message: String| Err(StepFailure::BadOutput { message });
        if let Outcome::Leave(port) = &outcome
            && !self.descriptor.has_port(port)
        {
            let ports = self.descriptor.ports.iter().map(|port| port.name.as_str());
            return bad(format!(
                "the node left by the port '{port}', which its descriptor does not declare; it \
                 declares {}",
                name_list(ports)
            ));
        }
        let state = match &outcome {
            Outcome::Wait(wait) => &wait.state,
            Outcome::PushBot(push) => &push.state,
            Outcome::Transfer(transfer) => &transfer.state,
            Outcome::Leave(_) | Outcome::Close(_) => return Ok(outcome),
        };
        let limit = self.runtime.limits.state;
        if state.len() > limit {
            return bad(format!(
                "the node's state is {} bytes long; {limit} are allowed",
                state.len()
            ));
        }
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(state) {
            return bad(format!("the node's state is not JSON: {error}"));
        }
        Ok(outcome)
    }
}

impl Inner {
    /// Runs `call` on a fresh instance, within the limits.
    pub(super) async fn call<T>(
        &self,
        pre: &FlowNodePre<StepState>,
        mut host: StepHost,
        now: Timestamp,
        seed: &str,
        call: impl AsyncFnOnce(&FlowNode, &mut Store<StepState>) -> wasmtime::Result<T>,
    ) -> (StepHost, Result<T, StepFailure>) {
        let stderr = MemoryOutputPipe::new(STDERR);
        let access = std::mem::take(&mut host.access);
        // Every step passes here, and few have a secret to name.
        let placeholders = if access.grants.0.is_empty() {
            Placeholders::default()
        } else {
            Placeholders::new(&self.key, seed)
        };
        let outgoing = Outgoing::new(access, placeholders, Arc::clone(&self.limits));
        let state = StepState {
            wasi: deterministic::wasi(now, seed, stderr.clone()),
            table: ResourceTable::new(),
            memory: MemoryCap {
                limit: self.limits.memory,
                exceeded: false,
            },
            limits: Arc::clone(&self.limits),
            http: WasiHttpCtx::new(),
            outgoing,
            agents: host.agents.take().unwrap_or_else(|| Arc::new(NobodyToAsk)),
            host,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.memory);

        // The clocks start once there is an instance to run: waiting in line is not the node's doing.
        let permit = self.permits.acquire().await;
        self.count_ticks(&mut store);
        let run = async {
            let node = pre.instantiate_async(&mut store).await?;
            call(&node, &mut store).await
        };
        let result = tokio::time::timeout(self.limits.wall, run).await;
        drop(permit);

        let memory_exceeded = store.data().memory.exceeded;
        let result = match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) if memory_exceeded => Err(StepFailure::OutOfMemory {
                limit: self.limits.memory,
            }),
            Ok(Err(error)) if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) => {
                Err(StepFailure::CpuDeadline {
                    limit: self.limits.cpu,
                })
            }
            Ok(Err(error)) if error.is::<TooManyWrites>() => Err(StepFailure::TooManyWrites {
                limit: self.limits.writes,
            }),
            Ok(Err(error)) => Err(StepFailure::Trapped {
                reason: said_last(&stderr).unwrap_or_else(|| {
                    error
                        .downcast_ref::<Trap>()
                        .map_or_else(|| first_line(&error), ToString::to_string)
                }),
            }),
            Err(_) => Err(StepFailure::WallDeadline {
                limit: self.limits.wall,
            }),
        };
        let StepState {
            mut host, outgoing, ..
        } = store.into_data();
        host.calls = outgoing.into_calls();
        (host, result)
    }

    /// Stops a node that computes for longer than it may. A tick counts only if the node computes when
    /// it comes, so time spent waiting is free; and at each tick the node lets others run, so that an
    /// endless loop holds up no other session of its thread.
    fn count_ticks(&self, store: &mut Store<StepState>) {
        let allowed = self.limits.cpu.as_millis().div_ceil(TICK.as_millis());
        let mut ticks = 0;
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            ticks += 1;
            Ok(if ticks > allowed {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
            })
        });
    }
}

/// The message of a panic, which Rust writes to standard error before it traps.
fn said_last(stderr: &MemoryOutputPipe) -> Option<String> {
    let bytes = stderr.contents();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("note: "))
        .collect();
    let said = lines.join(" ");
    // A node has one thread, and its name tells nobody anything.
    let said = match said.find("panicked at ") {
        Some(at) if said.starts_with("thread '") => &said[at..],
        _ => &said,
    };
    (!said.is_empty()).then(|| said.to_owned())
}
