//! Where a server is reached, and under which conditions.
//!
//! Beyond this machine it is TLS, or plain HTTP by explicit wish, as behind a proxy that does the TLS:
//! tokens and what people say go over it.

use super::admit::Admit;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Where.
    pub address: SocketAddr,
    /// Certificate and key, for TLS.
    pub tls: Option<TlsFiles>,
    /// Plain HTTP beyond this machine is meant.
    pub insecure: bool,
    /// How many connections at once; others are turned away.
    pub connections: usize,
    /// How long a connection may take to say what it wants, and may say nothing between two requests.
    pub header_time: Duration,
    /// How long a connection may take nothing of what is sent.
    pub stall: Duration,
}

/// Files in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A door that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Plain HTTP beyond this machine.
    #[error(
        "{address} is reached from other machines, and without TLS everybody between could read \
         tokens and conversations. Name --tls-cert and --tls-key, or listen on 127.0.0.1; behind a \
         proxy that does the TLS, say --insecure"
    )]
    Insecure {
        /// Where.
        address: SocketAddr,
    },
    /// The address cannot be listened at.
    #[error(
        "{address} cannot be listened at: {error}. Name another address, or stop what listens there"
    )]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A file of TLS cannot be read.
    #[error("'{path}' cannot be read as {what} in PEM: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Certificate and key do not go together.
    #[error("the certificate and its key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl DoorError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Insecure { .. } => "listen.insecure",
            Self::Address { .. } => "listen.address",
            Self::File { .. } => "listen.tls_file",
            Self::Tls(_) => "listen.tls",
        }
    }
}

impl ListenOptions {
    /// Listens at an address with the limits that suit most.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            insecure: false,
            connections: 50_000,
            header_time: Duration::from_secs(15),
            stall: Duration::from_secs(30),
        }
    }
}

/// A door that is open: whoever knocks waits until it is served.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    url: String,
    tls: Option<Arc<ServerConfig>>,
    options: ListenOptions,
}

impl Door {
    /// Listens.
    ///
    /// # Errors
    ///
    /// If that is not safe, or not possible.
    pub fn open(options: ListenOptions) -> Result<Self, DoorError> {
        let address = options.address;
        if !(address.ip().is_loopback() || options.tls.is_some() || options.insecure) {
            return Err(DoorError::Insecure { address });
        }
        let tls = options.tls.as_ref().map(config).transpose()?;
        let unusable = |error| DoorError::Address { address, error };
        let listener = TcpListener::bind(address).map_err(unusable)?;
        let bound = listener.local_addr().map_err(unusable)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self {
            listener,
            url: format!("{scheme}://{bound}"),
            tls: tls.map(Arc::new),
            options,
        })
    }

    /// Where it is reached on this machine.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves routes until the handle says otherwise.
    pub(super) fn serve(
        self,
        router: Router,
        handle: Handle<SocketAddr>,
    ) -> io::Result<JoinHandle<io::Result<()>>> {
        let ListenOptions {
            connections,
            header_time,
            stall,
            ..
        } = self.options;
        let mut server = axum_server::from_tcp(self.listener)?
            .handle(handle)
            .first_request_timeout(header_time);
        let builder = server.http_builder();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_time);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(stall)
            .keep_alive_timeout(stall)
            .max_concurrent_streams(STREAMS);
        let admit = Admit::new(connections, stall);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        Ok(match self.tls {
            None => tokio::spawn(server.acceptor(admit).serve(service)),
            Some(config) => {
                let config = RustlsConfig::from_config(config);
                let acceptor = RustlsAcceptor::new(config)
                    .handshake_timeout(header_time)
                    .acceptor(admit);
                tokio::spawn(server.acceptor(acceptor).serve(service))
            }
        })
    }
}

/// Requests of one HTTP/2 connection at once.
const STREAMS: u32 = 64;

fn config(files: &TlsFiles) -> Result<ServerConfig, DoorError> {
    let unreadable = |path: &Path, what, why: String| DoorError::File {
        path: path.to_owned(),
        what,
        why,
    };
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain: Vec<_> =
        chain.map_err(|error| unreadable(certificate, "a certificate", error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|error| unreadable(key, "a private key", error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_beyond_this_machine_has_to_be_meant() {
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut options = ListenOptions::new(address);
        let refused = Door::open(options.clone()).expect_err("is not safe");
        assert_eq!(refused.code(), "listen.insecure");
        assert!(refused.to_string().contains("--insecure"), "{refused}");
        options.insecure = true;
        Door::open(options).expect("is meant");
        let here = ListenOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let door = Door::open(here).expect("is this machine");
        assert!(door.url().starts_with("http://127.0.0.1:"));
    }

    #[test]
    fn an_address_that_is_taken_is_told() {
        let here = ListenOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let door = Door::open(here).expect("is free");
        let taken = door.listener.local_addr().expect("is bound");
        let refused = Door::open(ListenOptions::new(taken)).expect_err("is taken");
        assert_eq!(refused.code(), "listen.address");
    }

    #[test]
    fn a_file_that_is_no_certificate_is_told_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cert.pem");
        std::fs::write(&path, "nonsense").expect("is written");
        let mut options = ListenOptions::new(SocketAddr::from(([0, 0, 0, 0], 0)));
        options.tls = Some(TlsFiles {
            certificate: path.clone(),
            key: path,
        });
        let refused = Door::open(options).expect_err("is none");
        assert!(refused.to_string().contains("cert.pem"), "{refused}");
    }
}
