//! Entry points of the fuzz targets (`cargo xtask fuzz`), and the replay of their seeds.
//!
//! A target feeds more than a parser: behind each stands the state machine that acts on what was
//! read, and a [`witness`] that knows what must hold whatever comes. A breach is a panic. None of
//! this exists in a normal build.

mod platform;
mod play;
mod reply;
mod script;
mod webhooks;
mod witness;

pub(crate) use play::{Subject, handoff, play, resume};
pub(crate) use script::Reply;

use crate::{cloud_open_messaging, cloud_web_messaging, cloud_webchat, engage_chat_v2};

/// A handoff over Engage Chat API version 2: a script of answers, commands and time.
pub fn engage_chat(script: &[u8]) {
    engage_chat_v2::fuzzing::play(script);
}

/// A handoff over Open Messaging: a script of webhooks, events, answers, commands and time.
pub fn open_messaging(script: &[u8]) {
    cloud_open_messaging::fuzzing::play(script);
}

/// A handoff over WebChat: a script of frames, answers, commands and time.
pub fn web_chat(script: &[u8]) {
    cloud_webchat::fuzzing::play(script);
}

/// A handoff over Web Messaging: a script of frames, answers, commands and time.
pub fn web_messaging(script: &[u8]) {
    cloud_web_messaging::fuzzing::play(script);
}

/// A handle to resume from: a line with the transport's name, a line with the handle's contents, and
/// a script of what happens then.
pub fn handles(input: &[u8]) {
    let (transport, rest) = webhooks::halves(input);
    let (handle, script) = webhooks::halves(rest);
    let Ok(handle) = std::str::from_utf8(handle) else {
        return;
    };
    match transport {
        b"engage-chat-v2" => engage_chat_v2::fuzzing::resume(handle, script),
        b"cloud-open-messaging" => cloud_open_messaging::fuzzing::resume(handle, script),
        b"cloud-web-messaging" => cloud_web_messaging::fuzzing::resume(handle, script),
        b"cloud-webchat" => cloud_webchat::fuzzing::resume(handle, script),
        _ => {}
    }
}

/// A webhook or trigger call: a line with the header that proves the caller, and a body.
pub fn webhooks(input: &[u8]) {
    webhooks::call(input);
}

/// An answer of the Platform API: a line with its status, and a body.
pub fn platform_answers(input: &[u8]) {
    platform::answer(input);
}

/// A frame of the notification socket.
pub fn notifications(frame: &[u8]) {
    platform::frame(frame);
}

#[cfg(test)]
mod tests {
    use fuzz_replay::replay;

    #[test]
    fn seeds_of_engage_chat_hold() {
        replay("engage_chat", super::engage_chat);
    }

    #[test]
    fn seeds_of_open_messaging_hold() {
        replay("open_messaging", super::open_messaging);
    }

    #[test]
    fn seeds_of_web_chat_hold() {
        replay("web_chat", super::web_chat);
    }

    #[test]
    fn seeds_of_web_messaging_hold() {
        replay("web_messaging", super::web_messaging);
    }

    #[test]
    fn seeds_of_handles_hold() {
        replay("handles", super::handles);
    }

    #[test]
    fn seeds_of_webhooks_hold() {
        replay("webhooks", super::webhooks);
    }

    #[test]
    fn seeds_of_platform_answers_hold() {
        replay("platform_answers", super::platform_answers);
    }

    #[test]
    fn seeds_of_notifications_hold() {
        replay("notifications", super::notifications);
    }
}
