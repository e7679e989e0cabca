//! The HTTP surface, as clients meet it.

mod access;
mod catalogue;
mod client;
mod creating;
mod files;
mod limits;
mod socket;
mod streams;
mod talking;
mod timeline;
