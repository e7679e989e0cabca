//! What the deployment allows and whether its socket opens, without beginning a session.

use super::account::WebMessaging;
use super::deployment::Deployment;
use super::socket::Socket;
use super::trouble::Trouble;
use crate::preflight::Obstacle;
use std::sync::Arc;

/// A deployment that lets us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probed {
    /// Guests are told that a conversation ended.
    pub(crate) tells_end: bool,
    /// Guests may send files.
    pub(crate) attachments: bool,
}

impl WebMessaging {
    /// Reads the configuration, and opens and closes the socket. An error is what a handoff would meet.
    pub(crate) async fn probe(&self) -> Result<Probed, Obstacle> {
        let tried = self.try_the_door().await;
        tried.map_err(|trouble| Obstacle::new(trouble.code(), &trouble))
    }

    async fn try_the_door(&self) -> Result<Probed, Trouble> {
        let account = &self.0;
        let (guest, deployment) = (&account.guest, &account.site.deployment);
        let configuration = guest.configuration(deployment).await?;
        let allowed = Deployment::of(&configuration);
        let socket = Socket::open(
            &guest.hosts.webmessaging,
            deployment,
            guest.origin.as_deref(),
            Arc::clone(&account.clock),
        );
        socket.await?.close().await;
        Ok(Probed {
            tells_end: allowed.tells_end,
            attachments: allowed.attachments,
        })
    }
}
