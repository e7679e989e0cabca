//! Attributes on their way to Architect and the agents: they ride on messages.
//!
//! Genesys refuses a message whose attributes are too large as a whole, so what is over the limit is
//! left out here, the largest first, and named. The attributes by which the conversation is routed and
//! found go last of all.

use super::protocol::{HANDOFF_ATTRIBUTE, Protocol};
use crate::report::News;
use std::collections::BTreeMap;

/// Leaves out whole attributes until what is left is at most `limit` bytes, keys and values in UTF-8;
/// returns the names left out.
fn fit(riding: &mut BTreeMap<String, String>, limit: usize, last: &[&str]) -> Vec<String> {
    let mut left_out = Vec::new();
    while size(riding) > limit {
        let largest = riding
            .iter()
            .max_by_key(|(name, value)| {
                let kept = last.contains(&name.as_str());
                (!kept, name.len() + value.len())
            })
            .map(|(name, _)| name.clone());
        let Some(name) = largest else { break };
        riding.remove(&name);
        left_out.push(name);
    }
    left_out
}

fn size(riding: &BTreeMap<String, String>) -> usize {
    let sizes = riding.iter().map(|(name, value)| name.len() + value.len());
    sizes.sum()
}

impl Protocol {
    /// Leaves out what is over the session's limit.
    pub(super) fn fit_attributes(&mut self, news: &mut News) {
        let limit = self.state.talk().and_then(|talk| talk.limits.custom_data);
        if let Some(limit) = limit {
            self.leave_out(limit, news);
        }
    }

    /// Genesys found the attributes too large, whatever it said the limit is.
    pub(super) fn leave_out_largest(&mut self, news: &mut News) {
        let limit = size(&self.state.riding).saturating_sub(1);
        self.leave_out(limit, news);
    }

    fn leave_out(&mut self, limit: usize, news: &mut News) {
        let last = [self.site.queue_attribute.as_str(), HANDOFF_ATTRIBUTE];
        let left_out = fit(&mut self.state.riding, limit, &last);
        for name in left_out {
            news.notice(
                format!("attributes/{name}/left_out"),
                "genesys.attributes_too_large",
                format!(
                    "The attribute '{name}' did not reach the agent: with it there is more than the {limit} bytes Genesys takes. Shorten it, or set fewer attributes."
                ),
            );
            news.changed = true;
        }
    }

    /// These have arrived.
    pub(super) fn rode(&mut self, arrived: &BTreeMap<String, String>) {
        self.state
            .riding
            .retain(|name, value| arrived.get(name) != Some(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_go_first_and_those_that_route_last() {
        let mut riding = BTreeMap::from([
            ("QueueName".to_owned(), "x".repeat(50)),
            ("a".to_owned(), "1234567890".to_owned()),
            ("b".to_owned(), "1".to_owned()),
        ]);
        assert_eq!(fit(&mut riding, 65, &["QueueName"]), ["a"]);
        assert_eq!(fit(&mut riding, 60, &["QueueName"]), ["b"]);
        assert_eq!(fit(&mut riding, 10, &["QueueName"]), ["QueueName"]);
        assert!(riding.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_left_fits_and_nothing_is_left_out_in_silence(
            all in prop::collection::btree_map("[a-z]{1,4}", ".{0,12}", 0..8), limit in 0_usize..64,
        ) {
            let mut riding = all.clone();
            let left_out = fit(&mut riding, limit, &["a"]);
            prop_assert!(size(&riding) <= limit);
            prop_assert_eq!(riding.len() + left_out.len(), all.len());
            if size(&all) <= limit {
                prop_assert!(left_out.is_empty());
            }
        }
    }
}
