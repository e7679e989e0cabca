//! The HTTP surface, as clients meet it.

mod access;
mod catalogue;
mod client;
mod creating;
mod files;
mod limits;
mod roles;
mod socket;
mod streams;
mod talking;
mod timeline;
mod tokens;
