//! A host as a server that platforms run: a door, the routes behind it, and an orderly end.
//!
//! Whoever starts one brings the host, with the store and transports it is to have. The door opens before
//! that, since opening a store and compiling nodes may take minutes, in which health checks are answered.
//! The end goes from the outside in: the host says that it will stop, then takes no new sessions and no
//! new connections, finishes what is under way, and stops; what it began stays in the store for the next
//! one.

mod admit;
mod data;
mod door;

pub use data::{DataDirectory, DataError};
pub use door::{Door, DoorError, ListenOptions, TlsFiles};

use crate::host::Host;
use crate::http::{Api, ApiOptions, while_starting};
use axum::Router;
use axum::extract::Request;
use axum_server::Handle;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// A server whose host does not work yet: health checks are answered, and everything else is asked to
/// come again.
#[derive(Debug)]
pub struct Starting {
    url: String,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<io::Result<()>>,
    routes: Arc<OnceLock<Router>>,
}

impl Starting {
    /// Opens a door before there is a host behind it. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the system does not let the door be listened at.
    pub fn open(door: Door) -> io::Result<Self> {
        let handle = Handle::new();
        let url = door.url().to_owned();
        let routes: Arc<OnceLock<Router>> = Arc::default();
        let (loaded, starting) = (Arc::clone(&routes), while_starting());
        let router = Router::new().fallback(move |request: Request| {
            let routes = loaded.get().unwrap_or(&starting).clone();
            routes.oneshot(request)
        });
        let serving = door.serve(router, handle.clone())?;
        Ok(Self {
            url,
            handle,
            serving,
            routes,
        })
    }

    /// Where it is reached on this machine.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves a host's routes from now on.
    #[must_use]
    pub fn serve(self, host: &Host, options: ApiOptions) -> Server {
        let api = Api::new(host, options);
        // Nobody else has it to set.
        let _ = self.routes.set(api.router());
        Server {
            host: host.clone(),
            api,
            url: self.url,
            handle: self.handle,
            serving: self.serving,
        }
    }
}

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
        Ok(Starting::open(door)?.serve(host, options))
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

    /// Says at `/readyz` that the host will stop, and does everything else as before. Whoever spreads the
    /// load should have noticed when [`Self::shut_down`] is called.
    pub fn announce_end(&self) {
        self.api.announce_end();
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
