//! Drives sessions: receives, commits, acts.
//!
//! The path of a message can be read down the modules. [`Host`] receives an input and queues it
//! (`queues`); `sessions` works a session's queue, one turn at a time: load, advance, append;
//! `outbox` carries out the turn's effects after the append; a transport drives. What transports
//! report comes back as inputs (`reports`), and so does time (`timers`). Nothing calls back up. What
//! operators count of all that is in `metrics`.
//!
//! [`Api`] is what all this looks like over HTTP.

mod audit;
mod changes;
mod components;
mod directory;
mod disk_media;
mod egress;
mod history;
mod host;
mod http;
mod key;
mod media;
mod metrics;
mod outbox;
mod queues;
pub mod releases;
mod reports;
mod retention;
mod revocations;
mod rotation;
mod sealing;
mod secrets;
mod serve;
mod sessions;
mod spans;
mod steps;
#[cfg(test)]
mod tests;
pub mod timeline;
mod timers;
mod user;
mod versions;
mod webhooks;

pub use audit::Audit;
pub use changes::Changes;
pub use components::{ComponentsError, read_component, read_components};
pub use directory::{DirectoryError, FileProblem, ProjectDirectory, read_text_file};
pub use disk_media::DiskMedia;
pub use egress::EgressOptions;
pub use host::{Host, HostBuilder, StartError, TIMELINE_TURNS};
pub use http::{
    AdminToken, AdminTokens, AdminTokensError, Api, ApiError, ApiOptions, Limits, Rate, Role,
    SessionToken, WeakToken,
};
pub use key::{HostKey, KeyError};
pub use media::{MAX_FILE, MemoryMedia};
pub use metrics::METRICS_FORMAT;
pub use revocations::{Revocations, RevocationsError};
pub use secrets::{ProjectSecrets, SecretScope};
pub use serve::{
    DataDirectory, DataError, Door, DoorError, ListenOptions, Server, Starting, TlsFiles,
};
pub use sessions::InputError;
pub use user::{Position, UserEvent, UserEventKind};
pub use versions::VersionState;
