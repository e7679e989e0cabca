//! A host as a server that platforms run: a door, the routes behind it, and an orderly end.
//!
//! Whoever starts one brings the host, with the store and transports it is to have. The end goes from
//! the outside in: no new sessions, no new connections, what is under way is finished, then the host
//! stops; what it began stays in the store for the next one.

mod admit;
mod data;
mod door;

pub use data::{DataDirectory, DataError};
pub use door::{Door, DoorError, ListenOptions, TlsFiles};

use crate::host::Host;
use crate::http::{Api, ApiOptions};
use axum_server::Handle;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A host that is served.
#[derive(Debug)]
pub struct Server {
    host: Host,
    api: Api,
    url: String,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves a host's routes at a door. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the system does not let the door be listened at.
    pub fn start(door: Door, host: &Host, options: ApiOptions) -> io::Result<Self> {
        let api = Api::new(host, options);
        let handle = Handle::new();
        let url = door.url().to_owned();
        let serving = door.serve(api.router(), handle.clone())?;
        Ok(Self {
            host: host.clone(),
            api,
            url,
            handle,
            serving,
        })
    }

    /// Where it is reached on this machine.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The routes.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.handle.connection_count()
    }

    /// Takes no new sessions, sends those who watch one elsewhere, finishes what is under way, and stops
    /// the host. Whatever takes longer than `limit` is broken off, and found again by the next host.
    pub async fn shut_down(self, limit: Duration) {
        self.api.drain();
        self.handle.graceful_shutdown(Some(limit));
        match self.serving.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the server broke off"),
            Err(error) => tracing::error!(%error, "the server broke off"),
        }
        self.host.stop();
        if tokio::time::timeout(limit, self.host.stopped())
            .await
            .is_err()
        {
            tracing::error!("work of the host is broken off");
        }
    }
}
