//! What went wrong in a template, in words.

use super::TemplateError;
use super::language::{FUNCTIONS, Trouble};
use super::strings::Found;
use crate::diagnostic::{did_you_mean, name_list};
use serde_json::Value;
use std::collections::BTreeSet;

/// Why a template does not compile.
pub(super) fn not_compiled(trouble: &Trouble, found: Found<'_>, at: &str) -> TemplateError {
    let what = match found {
        Found::Expression(_) => "expression",
        Found::Text(_) => "template",
    };
    let (code, message) = match trouble {
        Trouble::Unknown { .. } => {
            let message = format!("this template cannot work: {}", reason(trouble));
            ("template.unknown_filter", message)
        }
        _ => {
            let message = format!("this {what} does not parse: {}", reason(trouble));
            ("template.syntax", message)
        }
    };
    TemplateError {
        pointer: at.to_owned(),
        code,
        message,
        help: None,
    }
}

/// Why a template failed that did compile. `names` are the variables it reads.
pub(super) fn failed(
    trouble: &Trouble,
    names: BTreeSet<String>,
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
    match trouble {
        Trouble::Undefined => {}
        Trouble::Exhausted | Trouble::TooLarge(_) => {
            let message = match trouble {
                Trouble::TooLarge(what) => format!("this template was stopped: {what}"),
                _ => "this template takes too long or makes too much, and was stopped".to_owned(),
            };
            let help = "look for a loop over too many things, or for a text that grows".to_owned();
            return wrong("template.failed", message, Some(help));
        }
        _ => {
            let message = format!("this template failed: {}", reason(trouble));
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
        let message = "something in this template is not defined".to_owned();
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

fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Syntax(why) | Trouble::Failed(why) => why.clone(),
        Trouble::TooLarge(why) => (*why).to_owned(),
        Trouble::Unknown {
            kind: "function",
            name,
        } => {
            let all = name_list(FUNCTIONS);
            format!("unknown function: '{name}'; there are {all}")
        }
        Trouble::Unknown { kind, name } => format!("there is no {kind} '{name}'"),
        Trouble::Undefined => "something is not defined".to_owned(),
        Trouble::Exhausted => "it takes too long".to_owned(),
    }
}
