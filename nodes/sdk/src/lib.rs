//! What every flow node written in Rust shares.
//!
//! A node is a config type, a [`Descriptor`] and a function from a [`Trigger`] to an [`Outcome`].
//! The function sees the world through [`Context`], so the same code runs in a component, over the
//! imports of the contract, and in a native test, over [`testing::TestContext`]. `export!` turns the
//! node into a component; on other targets it only checks types, because a native library can't
//! carry the names of a component's exports.

pub mod agent;
mod availability;
#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod component;
mod config;
mod context;
mod descriptor;
mod end;
mod expression;
mod fault;
mod http;
mod node;
mod outcome;
mod problem;
mod refused;
mod schema;
pub mod testing;
mod transfer;
mod trigger;

pub use availability::{Availability, NotTold};
pub use bindings::handoff::node::{
    conversation::{Line, Speaker},
    log::Level,
};
pub use config::is_template;
pub use context::{Audience, Context, Timestamp, Visit};
pub use descriptor::{Capability, Category, Descriptor, Key, Port, PortKind};
pub use end::{EndDetail, EndReason, SessionEnd};
pub use expression::Expression;
pub use fault::{Fault, FaultKind};
pub use http::{HttpError, HttpRequest, HttpResponse};
pub use node::Node;
pub use outcome::{CloseReason, Outcome};
pub use problem::Problem;
pub use refused::Refused;
pub use transfer::{
    Identity, IdleStep, QueueUpdates, Target, Transcript, TransferMessages, TransferRequest,
};
pub use trigger::{Trigger, UserMessage};

/// Makes a [`Node`] the component's node.
///
/// ```ignore
/// handoff_node::export!(Say);
/// ```
#[macro_export]
macro_rules! export {
    ($node:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            type Component = $crate::component::Component<$node>;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = || {
            let _ = ::core::marker::PhantomData::<$crate::component::Component<$node>>;
        };
    };
}
