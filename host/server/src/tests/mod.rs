//! The host with real nodes on a simulated clock: once with a transport that is silent, and where
//! the platform matters with a simulated contact centre.

mod deadlines;
mod genesys;
mod health;
mod hostile;
mod http;
mod inputs;
mod long_sessions;
mod metrics;
mod releases;
mod reports;
mod restart;
mod retention;
mod stopping;
mod support;
mod tls;
mod versions;
