//! The flow behind an address: there is one, and it is published.

use super::finding::Finding;
use crate::platform::{Flow, NamedReference, Platform, PlatformError};

/// The flow that answers an address.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) to: NamedReference,
    /// None if this client does not see it.
    pub(super) flow: Result<Option<Flow>, PlatformError>,
}

impl Bound {
    pub(super) async fn look(platform: &Platform, to: &NamedReference) -> Self {
        Self {
            to: to.clone(),
            flow: platform.flow(to).await,
        }
    }

    /// `address` is what customers write to, as a noun.
    pub(super) fn judge(&self, address: &str) -> Vec<Finding> {
        let name = &self.to.name;
        let published = match &self.flow {
            Ok(Some(flow)) if flow.published_version.is_none() => {
                return vec![
                    Finding::error(
                        "org.flow_not_published",
                        format!("{address} is routed to the flow '{name}', which was never published: it answers no message."),
                    )
                    .help("in Architect, open the flow, choose Validate and then Publish"),
                ];
            }
            Ok(Some(_)) => Finding::ok(
                "org.flow_published",
                format!("{address} is routed to the flow '{name}', which is published."),
            ),
            Ok(None) => Finding::hint(
                "org.flow_not_visible",
                format!("{address} is routed to the flow '{name}', which this OAuth client does not see: it may be in another division, or deleted."),
            )
            .help("look it up in Architect, and see that it is published"),
            Err(error) => Finding::hint(
                "org.flow_not_visible",
                format!("{address} is routed to the flow '{name}'. Whether it is published was not seen: {error}"),
            )
            .help("look it up in Architect, and see that it is published"),
        };
        vec![published, content_not_shown(name)]
    }

    pub(super) fn division(&self) -> Option<&str> {
        let flow = self.flow.as_ref().ok()?.as_ref()?;
        flow.division.as_ref()?.id.as_deref()
    }
}

fn content_not_shown(name: &str) -> Finding {
    Finding::hint(
        "org.flow_not_shown",
        format!("What the flow '{name}' does is not shown by Genesys' API: whether it transfers to a queue or only disconnects was not checked."),
    )
    .help(
        "in Architect, see that the flow has no default Disconnect but a Transfer to ACD to the queue, and \
         publish it; for queues that bots choose, Transfer to ACD takes FindQueue() of the account's \
         queue-attribute",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Correlation;

    fn codes(flow: Result<Option<Flow>, PlatformError>) -> Vec<&'static str> {
        let to = NamedReference {
            id: "f".to_owned(),
            name: "Inbound".to_owned(),
        };
        let found = Bound { to, flow }.judge("Integration 'bridge'");
        found.into_iter().map(|it| it.code).collect()
    }

    #[test]
    fn only_a_published_flow_answers() {
        let saved = Flow::default();
        assert_eq!(codes(Ok(Some(saved.clone()))), ["org.flow_not_published"]);
        let published = Flow {
            published_version: Some(crate::platform::conversations::Reference::default()),
            ..saved
        };
        assert_eq!(codes(Ok(Some(published)))[0], "org.flow_published");
    }

    #[test]
    fn a_flow_that_is_not_seen_is_left_to_people() {
        assert_eq!(codes(Ok(None))[0], "org.flow_not_visible");
        let refused = PlatformError::Unavailable {
            status: 503,
            correlation: Correlation::default(),
        };
        assert_eq!(codes(Err(refused))[0], "org.flow_not_visible");
    }
}
