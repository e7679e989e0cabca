//! One call into a node: a fresh store and instance, deadlines, and what went wrong in words.

use super::bindings::exports::handoff::node::node::StepInput;
use super::bindings::handoff::node::types::{Outcome, Problem};
use super::bindings::{FlowNode, FlowNodePre};
use super::budget::{Budget, WaitedTooLong};
use super::deterministic;
use super::failure::StepFailure;
use super::http::Outgoing;
use super::limits::{MAX_HANDLES, MAX_HEADERS, MAX_PROBLEMS};
use super::load::{Node, first_line};
use super::node_text;
use super::outline::Parts;
use super::runtime::{Inner, is_out_of_space};
use super::state::{ContextFull, MemorySum, StepHost, StepState, TooManyWrites};
use crate::availability::{AskAgents, NobodyToAsk};
use crate::diagnostic::name_list;
use crate::egress::{Access, Placeholders};
use crate::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::ResourceTable;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi_http::WasiHttpCtx;

const STDERR: usize = 4096;

/// How often a place in the pool is asked for that another instance is about to leave.
const TRIES: u32 = 5_000;

/// Tries after which it is waited for.
const PATIENT_AFTER: u32 = 10;

/// A node that is linked and not instantiated.
type Pre = FlowNodePre<StepState>;

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
            .call(
                &self.pre,
                self.parts,
                host,
                now,
                seed,
                async |node, store| node.handoff_node_node().call_step(store, &input).await,
            )
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
        let now = Timestamp::default();
        let (_, result) = self
            .runtime
            .call(
                &self.pre,
                self.parts,
                host,
                now,
                "validate",
                async |node, store| node.handoff_node_node().call_validate(store, &config).await,
            )
            .await;
        let problems = result?.into_iter().take(MAX_PROBLEMS);
        Ok(problems.map(tidy).collect())
    }

    fn check(&self, outcome: Outcome) -> Result<Outcome, StepFailure> {
        let bad = |message: String| Err(StepFailure::BadOutput { message });
        if let Outcome::Leave(port) = &outcome
            && !self.descriptor.has_port(port)
        {
            let ports = self.descriptor.ports.iter().map(|port| port.name.as_str());
            return bad(node_text::sentence(format!(
                "the node left by the port '{}', which its descriptor does not declare; it declares {}",
                node_text::name(port.clone()),
                name_list(ports)
            )));
        }
        if let Some((what, bytes)) = too_long(&outcome) {
            return bad(format!(
                "the node gave {what} of {bytes} bytes; {} are allowed",
                node_text::SENTENCE
            ));
        }
        if let Outcome::Transfer(transfer) = &outcome
            && transfer.options.len() > self.runtime.limits.state
        {
            return bad(format!(
                "the options of the node's transfer are {} bytes long; {} are allowed",
                transfer.options.len(),
                self.runtime.limits.state
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

/// A problem as it is shown.
fn tidy(problem: Problem) -> Problem {
    Problem {
        path: node_text::sentence(problem.path),
        code: node_text::name(problem.code),
        message: node_text::sentence(problem.message),
    }
}

/// A name in an outcome that nobody can have meant. It would be kept, and cut it would mean another.
fn too_long(outcome: &Outcome) -> Option<(&'static str, usize)> {
    use super::bindings::handoff::node::types::Target;
    let names = match outcome {
        Outcome::PushBot(push) => vec![("the name of a bot", push.bot.len())],
        Outcome::Transfer(transfer) => {
            let account = transfer.account.as_ref().map_or(0, String::len);
            let queue = match &transfer.target {
                Target::Queue(queue) => queue.len(),
                Target::AnyAgent => 0,
            };
            vec![
                ("the name of an account", account),
                ("the name of a queue", queue),
            ]
        }
        Outcome::Leave(_) | Outcome::Wait(_) | Outcome::Close(_) => Vec::new(),
    };
    names
        .into_iter()
        .find(|(_, bytes)| *bytes > node_text::SENTENCE)
}

/// What a step's store is made of, should it have to be made again.
struct Surroundings<'a> {
    access: Access,
    placeholders: Placeholders,
    agents: Arc<dyn AskAgents>,
    now: Timestamp,
    seed: &'a str,
}

impl Inner {
    /// Runs `call` on a fresh instance, within the limits.
    pub(super) async fn call<T>(
        &self,
        pre: &Pre,
        parts: Parts,
        mut host: StepHost,
        now: Timestamp,
        seed: &str,
        call: impl AsyncFnOnce(&FlowNode, &mut Store<StepState>) -> wasmtime::Result<T>,
    ) -> (StepHost, Result<T, StepFailure>) {
        let access = std::mem::take(&mut host.access);
        // Every step passes here, and few have a secret to name.
        let placeholders = if access.grants.0.is_empty() {
            Placeholders::default()
        } else {
            Placeholders::new(&self.key, seed)
        };
        let around = Surroundings {
            access,
            placeholders,
            agents: host.agents.take().unwrap_or_else(|| Arc::new(NobodyToAsk)),
            now,
            seed,
        };
        // Held until the instance is gone, so that there is a place for whoever comes next. No clock
        // runs meanwhile: waiting in line is not the node's doing.
        let _places = self.permits.acquire_many(self.places(parts)).await;
        let budget = Arc::new(Budget::default());
        let mut tries = 0;
        let (mut store, stderr, instantiated) = loop {
            tries += 1;
            let stderr = MemoryOutputPipe::new(STDERR);
            let mut store = self.store(host, &around, stderr.clone());
            budget.watch(&mut store, self.limits.cpu);
            let instantiating = pre.instantiate_async(&mut store);
            let instantiated = budget.run(self.limits.wall, instantiating).await;
            if tries == TRIES || !is_pool_full(&instantiated) {
                break (store, stderr, instantiated);
            }
            // Places come free a moment after their permits. What little the node did does not count.
            host = store.into_data().host;
            host.forget_writes();
            if tries < PATIENT_AFTER {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let result = match instantiated {
            Ok(Ok(node)) => {
                let calling = call(&node, &mut store);
                budget.run(self.limits.wall, calling).await
            }
            Ok(Err(error)) => Ok(Err(error)),
            Err(WaitedTooLong) => Err(WaitedTooLong),
        };
        let result = match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failure(&error, &store.data().memory, &stderr)),
            Err(WaitedTooLong) => Err(StepFailure::WallDeadline {
                limit: self.limits.wall,
            }),
        };
        let StepState {
            mut host, outgoing, ..
        } = store.into_data();
        host.calls = outgoing.into_calls();
        self.keep_within(&mut host);
        (host, result)
    }

    fn store(
        &self,
        host: StepHost,
        around: &Surroundings<'_>,
        stderr: MemoryOutputPipe,
    ) -> Store<StepState> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_HEADERS);
        let outgoing = Outgoing::new(
            around.access.clone(),
            around.placeholders.clone(),
            Arc::clone(&self.limits),
        );
        let state = StepState {
            wasi: deterministic::wasi(around.now, around.seed, self.limits.random, stderr),
            table,
            memory: MemorySum::new(self.limits.memory),
            limits: Arc::clone(&self.limits),
            http,
            outgoing,
            agents: Arc::clone(&around.agents),
            host,
            context_size: None,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(self.limits.at_once);
        store
    }

    fn failure(
        &self,
        error: &wasmtime::Error,
        memory: &MemorySum,
        stderr: &MemoryOutputPipe,
    ) -> StepFailure {
        if memory.exceeded {
            return StepFailure::OutOfMemory {
                limit: self.limits.memory,
            };
        }
        if memory.out_of_space || is_out_of_space(error) {
            return StepFailure::NoSpace;
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return StepFailure::PoolFull;
        }
        if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
            return StepFailure::CpuDeadline {
                limit: self.limits.cpu,
            };
        }
        if error.is::<TooManyWrites>() {
            return StepFailure::TooManyWrites {
                limit: self.limits.writes,
            };
        }
        if let Some(ContextFull { key, bytes }) = error.downcast_ref() {
            return StepFailure::ContextFull {
                key: key.clone(),
                bytes: *bytes,
                limit: self.limits.context,
            };
        }
        if is_too_much_at_once(error) {
            return StepFailure::TooMuchAtOnce {
                limit: self.limits.at_once,
            };
        }
        let trap = || {
            error
                .downcast_ref::<Trap>()
                .map_or_else(|| first_line(error), ToString::to_string)
        };
        StepFailure::Trapped {
            reason: node_text::sentence(said_last(stderr).unwrap_or_else(trap)),
        }
    }

    /// Cuts what a step asked for by its own words, and drops requests beyond the limit but one.
    fn keep_within(&self, host: &mut StepHost) {
        host.calls.truncate(self.limits.http_calls + 1);
        for call in &mut host.calls {
            call.method = node_text::name(std::mem::take(&mut call.method));
            call.url = node_text::sentence(std::mem::take(&mut call.url));
        }
    }
}

fn is_pool_full<T>(instantiated: &Result<wasmtime::Result<T>, WaitedTooLong>) -> bool {
    matches!(instantiated, Ok(Err(error)) if error.is::<PoolConcurrencyLimitError>())
}

/// Wasmtime has a sentence for it and no type.
fn is_too_much_at_once(error: &wasmtime::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| cause.to_string().contains("fuel allocated for hostcalls"))
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
