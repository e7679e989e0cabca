//! The JSON that goes in and out. These are words of their own, so that the engine can change without
//! every client having to.

mod content;
mod event;
mod inputs;
mod session;

pub(super) use content::AttachmentJson;
pub(super) use event::{EventJson, EventList, read_position, write_position};
pub(super) use inputs::{
    Accepted, AttachmentIn, CreateSession, CreatedSession, Leave, MessageIn, ReceiptIn, TokenJson,
    TypingIn, check_id,
};
pub(super) use session::SessionJson;
