//! The contract in `wit/`, as Rust. Host functions are plain: none of them waits. Only the calls
//! into a node are async, because a node may wait for WASI.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "flow-node",
    exports: { default: async },
    additional_derives: [PartialEq],
});
