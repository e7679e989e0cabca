//! Our own texts, as the platform repeats them.
//!
//! A text whose answer was lost may have arrived. It is then found in what the platform remembers,
//! and not sent again. Texts known to have arrived are expected there and prove nothing.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many texts are kept. Far more than can be outstanding; a bound against platforms that never
/// repeat, or repeat what was never said.
const KEPT: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Echoes {
    /// Known to have arrived, but not yet seen repeated.
    owed: VecDeque<String>,
    /// Seen repeated without our knowing of their arrival.
    unclaimed: VecDeque<String>,
}

impl Echoes {
    /// A text has arrived and will be repeated.
    pub(crate) fn owe(&mut self, text: String) {
        push(&mut self.owed, text);
    }

    /// The platform repeats a text.
    pub(crate) fn seen(&mut self, text: &str) {
        if !take(&mut self.owed, text) {
            push(&mut self.unclaimed, text.to_owned());
        }
    }

    /// Whether a text to be sent has arrived already; each repeated text answers for one.
    pub(crate) fn claim(&mut self, text: &str) -> bool {
        take(&mut self.unclaimed, text)
    }
}

/// Whether there is nothing to say in a text. Genesys refuses such.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn push(texts: &mut VecDeque<String>, text: String) {
    texts.push_back(text);
    if texts.len() > KEPT {
        texts.pop_front();
    }
}

/// Removes the first of `texts` that is `text`; servers trim and change line ends.
fn take(texts: &mut VecDeque<String>, text: &str) -> bool {
    let same = |other: &String| other.split_whitespace().eq(text.split_whitespace());
    let found = texts.iter().position(same);
    found.and_then(|at| texts.remove(at)).is_some()
}
