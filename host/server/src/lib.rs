//! Drives sessions: receives, commits, acts.
//!
//! The path of a message can be read down the modules. [`Host`] receives an input and queues it
//! (`queues`); `sessions` works a session's queue, one turn at a time: load, advance, append;
//! `outbox` carries out the turn's effects after the append; a transport drives. What transports
//! report comes back as inputs (`reports`), and so does time (`timers`). Nothing calls back up. What
//! operators count of all that is in `metrics`.
//!
//! [`Api`] is what all this looks like over HTTP.

mod changes;
mod components;
mod directory;
mod disk_media;
mod egress;
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

pub use changes::Changes;
pub use components::{ComponentsError, read_components};
pub use directory::{DirectoryError, FileProblem, ProjectDirectory, read_text_file};
pub use disk_media::DiskMedia;
pub use egress::EgressOptions;
pub use host::{Host, HostBuilder, StartError};
pub use http::{AdminToken, Api, ApiError, ApiOptions, Limits, Rate, SessionToken};
pub use key::{HostKey, KeyError};
pub use media::{MAX_FILE, MemoryMedia};
pub use metrics::METRICS_FORMAT;
pub use secrets::ProjectSecrets;
pub use serve::{DataDirectory, DataError, Door, DoorError, ListenOptions, Server, TlsFiles};
pub use sessions::InputError;
pub use user::{Position, UserEvent, UserEventKind};
pub use versions::VersionState;
