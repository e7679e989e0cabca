//! What went wrong in a template, in words.

use super::TemplateError;
use crate::diagnostic::{did_you_mean, name_list};
use minijinja::ErrorKind;
use serde_json::Value;
use std::collections::HashSet;

/// Why a template failed that did compile. `names` are the variables it reads.
pub(super) fn failed(
    error: &minijinja::Error,
    names: HashSet<String>,
    expression: bool,
    scope: &Value,
    at: &str,
) -> TemplateError {
    let wrong = |code, message, help| TemplateError {
        pointer: at.to_owned(),
        code,
        message,
        help,
    };
    match error.kind() {
        ErrorKind::UndefinedError => {}
        ErrorKind::OutOfFuel => {
            let message = "this template takes too long and was stopped".to_owned();
            let help = "look for a loop over too many things".to_owned();
            return wrong("template.failed", message, Some(help));
        }
        _ => {
            let message = format!("this template failed: {}", reason(error));
            return wrong("template.failed", message, None);
        }
    }
    let mut missing: Vec<String> = names
        .into_iter()
        .filter(|name| {
            let pointer = format!("/{}", name.replace('.', "/"));
            scope.pointer(&pointer).is_none()
        })
        .collect();
    missing.sort_unstable();
    let Some(name) = missing.first() else {
        let message = format!(
            "something in this template is not defined: {}",
            reason(error)
        );
        return wrong("template.undefined", message, None);
    };
    let help = name
        .strip_prefix("context.")
        .map(|key| mend(name, key, expression, scope));
    let message = format!("'{name}' is not defined here");
    wrong("template.undefined", message, help)
}

/// What to do about a context key that is not there.
fn mend(name: &str, key: &str, expression: bool, scope: &Value) -> String {
    let keys: Vec<&str> = scope["context"]
        .as_object()
        .map(|keys| keys.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let near = did_you_mean(key, keys.iter().copied());
    let instead = if expression {
        format!("{name} | default('')")
    } else {
        format!("{{{{ {name} | default('') }}}}")
    };
    let set = format!("set it in an earlier node, or write '{instead}'");
    match near {
        Some(near) => format!("{near} If not, {set}"),
        None if keys.is_empty() => format!("the context is empty; {set}"),
        None => format!("the context holds {}; {set}", name_list(keys)),
    }
}

pub(super) fn reason(error: &minijinja::Error) -> String {
    let kind = error.kind();
    error
        .detail()
        .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))
}
