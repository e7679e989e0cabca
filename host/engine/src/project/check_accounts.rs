//! What must hold between the accounts of a project: how many there are, and what they are called.

use super::{MANIFEST, Manifest};
use crate::diagnostic::{Diagnostic, Place};
use crate::name::AccountName;
use crate::source::{Document, Part, pointer};
use std::collections::BTreeMap;

/// Checks the accounts as a whole. It comes before any of them is replaced.
pub(super) fn check_accounts(
    manifest: &Manifest,
    document: &Document,
    found: &mut Vec<Diagnostic>,
) {
    let most = manifest.limits.accounts;
    let have = manifest.accounts.len();
    if have > most {
        let mut in_order: Vec<(Place, &AccountName)> = manifest
            .accounts
            .keys()
            .map(|name| (key_of(name, document), name))
            .collect();
        // What lies over the manifest comes after it.
        in_order.sort_by_key(|(place, _)| (place.file != MANIFEST, place.span.start));
        let (place, name) = in_order.swap_remove(most);
        let message = format!(
            "'{name}' is one account too many: there are {have}, and the limit is {most} accounts"
        );
        found.push(
            Diagnostic::error("project.too_many_accounts", place, message)
                .help("remove accounts that nothing uses, or raise 'accounts' under [limits]"),
        );
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for name in manifest.accounts.keys() {
        let Some(first) = seen.insert(name.as_str().to_lowercase(), name.as_str()) else {
            continue;
        };
        let place = key_of(name, document);
        let message = format!(
            "'{name}' and '{first}' differ in capital letters only, and would be taken for each other"
        );
        found.push(
            Diagnostic::error("account.alike", place, message)
                .help("name each by what it is for, such as 'refunds' and 'orders'"),
        );
    }
    for (name, account) in &manifest.accounts {
        let at = pointer("/accounts", name.as_str());
        let (code, member, message, help) = if !account.enabled() {
            (
                "account.disabled",
                "enabled",
                format!("the account '{name}' is switched off: every transfer to it is refused"),
                "leave 'enabled' out to switch it on",
            )
        } else if !account.events() {
            (
                "account.events_off",
                "events",
                format!(
                    "the events of the account '{name}' are switched off: users see nothing of what its \
                     agents do, only that the handoff is over"
                ),
                "leave 'events' out to switch them on",
            )
        } else {
            continue;
        };
        let place = document.place(&format!("{at}/{member}"));
        found.push(Diagnostic::warning(code, place, message).help(help));
    }
}

fn key_of(name: &AccountName, document: &Document) -> Place {
    document.place_of(&pointer("/accounts", name.as_str()), Part::Key)
}
