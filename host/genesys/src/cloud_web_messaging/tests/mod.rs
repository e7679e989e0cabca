//! The protocol against a contact centre in a few lines: frames lost, doubled and out of order,
//! sockets lost, answers lost, hosts restarted, and every story agents can make up.

mod any_order;
mod bench;
mod centre;
mod interleavings;
mod leaving;
mod platform;
mod story;
