//! The contract in `wit/`, as Rust. Host functions are plain, but for the one question that only a
//! platform can answer. Calls into a node are async, because a node may wait for that and for WASI. Those that keep something for the step
//! can end it, because a node must not fill the host's memory with what its own may not hold.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "flow-node",
    imports: {
        "handoff:node/availability.ask": async,
        "handoff:node/conversation.transcript": async,
        "handoff:node/context.set": trappable,
        "handoff:node/context.remove": trappable,
        "handoff:node/external-attributes.set": trappable,
        "handoff:node/external-attributes.remove": trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq],
});
