//! What agents and routing get to see beside the conversation.

use handoff_engine::handoff::{IdentityField, Target, TransferRequest};
use std::collections::BTreeMap;

/// The attributes of a request, completed with what the transport has no field of its own for.
/// An attribute the flow set itself is never overwritten, but for the queue's: a queue named as
/// target is what the designer asked for.
pub(crate) fn attributes(
    request: &TransferRequest,
    queue_attribute: &str,
    fields: &[IdentityField],
) -> BTreeMap<String, String> {
    let options = &request.options;
    let mut all = options.attributes.clone();
    let mut complete = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.entry(name.to_owned()).or_insert(value);
        }
    };
    for field in fields {
        complete(
            field.as_str(),
            options.identity.get(*field).map(str::to_owned),
        );
    }
    complete("priority", options.priority.map(|value| value.to_string()));
    complete("skills", Some(options.skills.join(",")));
    complete("language", options.language.clone());
    if let Target::Queue(queue) = &request.target {
        all.insert(queue_attribute.to_owned(), queue.clone());
    }
    all
}
