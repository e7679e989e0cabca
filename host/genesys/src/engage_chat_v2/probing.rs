//! Whether the site answers and knows the service, without opening a chat.
//!
//! A chat that does not exist is asked for news. A site that knows the service refuses that in the
//! protocol's own words; one that does not refuses the address.

use super::calls::{Call, Operation};
use super::driver::{Chat, EngageChat};
use super::trouble::{Failure, Trouble};
use crate::preflight::Obstacle;
use crate::traffic::Traffic;

impl EngageChat {
    /// Asks the site. An error is what a handoff would meet.
    pub(crate) async fn probe(&self) -> Result<(), Obstacle> {
        let nobody = uuid::Uuid::new_v4().simple().to_string();
        let call = Call {
            operation: Operation::Refresh,
            path: format!("/{nobody}/refresh"),
            form: ["userId", "secureKey", "alias"]
                .map(|name| (name.to_owned(), nobody.clone()))
                .into(),
            upload: None,
            name: String::new(),
        };
        let asked = Chat::new(self, &Traffic::default()).carry_out(&call).await;
        match asked {
            Ok(_) | Err(Failure::Transient { .. }) => Ok(()),
            Err(failure) => {
                let trouble = self.at_the_door(&failure);
                Err(Obstacle::new(trouble.code(), &trouble))
            }
        }
    }

    fn at_the_door(&self, failure: &Failure) -> Trouble {
        let site = &self.site;
        let account = site.account.clone();
        match failure {
            Failure::Status {
                status: status @ (401 | 403),
                ..
            } => Trouble::AccessRefused {
                account,
                status: *status,
            },
            Failure::Status {
                status: status @ 400..=499,
                ..
            } if !failure.is_passing() => Trouble::ServiceUnknown {
                account,
                service: site.service.clone(),
                url: site.url.clone(),
                status: *status,
            },
            other => Trouble::Unreachable {
                account,
                why: other.to_string(),
            },
        }
    }
}
