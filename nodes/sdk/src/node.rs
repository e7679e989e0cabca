//! The trait a node implements.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Context, Descriptor, Fault, Outcome, Problem, Trigger};

/// A flow node.
///
/// A value of the type is never made: the host uses a fresh instance of the component for every
/// step, so there is nothing a node could keep but its [`State`](Node::State).
pub trait Node {
    /// What a designer sets. Its JSON Schema, made from the type, becomes part of the descriptor:
    /// doc comments are the descriptions, field names the titles.
    type Config: DeserializeOwned + JsonSchema;

    /// What the node has to know again when it is called back; `()` if nothing. At most 65,536
    /// bytes as JSON.
    type State: Serialize + DeserializeOwned;

    /// What a builder needs to draw the node, and a checker to check it.
    fn descriptor() -> Descriptor;

    /// Mistakes the schema of the config can't express. Strings may still hold templates, see
    /// [`is_template`](crate::is_template). Not called for a config that is not one yet, because a
    /// template stands where no string can.
    fn validate(_config: &Self::Config) -> Vec<Problem> {
        Vec::new()
    }

    /// One step.
    ///
    /// Generic over the context, not `dyn`, so that a component imports only the interfaces the node
    /// really calls: its import list is its permission list.
    ///
    /// # Errors
    /// A [`Fault`] undoes everything the step wrote or sent; the flow goes on by the port `error`.
    fn step(
        context: &mut impl Context,
        config: Self::Config,
        trigger: Trigger<Self::State>,
    ) -> Result<Outcome<Self::State>, Fault>;
}
