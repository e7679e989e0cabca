//! What a step and a turn cost, beside bare wasmtime.
//!
//! `cargo bench -p handoff-engine --bench step`, after `cargo xtask build-nodes`. The numbers to look at
//! are ratios, since they hold on every machine: `host::step` over `bare::step` is the price of the host
//! (deadlines, memory cap, repeatable clocks, writes kept apart), and `turn::conversation` over
//! `host::step` times its four steps is the price of the flow around them.

#[path = "../../tests/behaviour/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

mod bare;
mod host;
mod templates;
mod turn;

#[allow(clippy::print_stdout)]
fn main() {
    println!(
        "The ratio to look at: host::step (say) / bare::step. Both make a fresh instance and step once.\n"
    );
    divan::main();
}

/// A runtime of one thread, so that nothing but the step is measured.
fn block_on() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}
