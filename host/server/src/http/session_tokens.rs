//! Tokens of sessions: what they say, and whether one still opens its session.
//!
//! A token is `s1.KEY.ISSUED.EXPIRES.MAC`: which of the host's keys signed it, two times in milliseconds
//! of Unix time, and an HMAC-SHA256 over these and the session's id. Nothing is kept for a token that
//! was given out, and any host with the key takes it. What is kept is which sessions had theirs revoked,
//! and when: a token issued by then opens nothing any more.

use crate::key::{HostKey, mac};
use crate::revocations::Revocations;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handoff_engine::name::SessionId;
use handoff_engine::time::{Millis, Timestamp};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What a token begins with, and the tokens of another format do not.
const FORMAT: &str = "s1";

/// The derived keys: one that signs, and one of which a few characters name the key.
const LABELS: [&str; 2] = ["session tokens, expiring", "session tokens, key id"];

/// Longer than any token, bytes.
const LONGEST: usize = 160;

/// Opens one session, for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    text: String,
    expires: Timestamp,
}

impl SessionToken {
    /// The token as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When it stops opening the session.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

/// What a token of a session is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It opens the session until then.
    Valid(Period),
    /// It was this session's, and its time is over.
    Expired,
    /// It was this session's, and was revoked.
    Revoked,
    /// It is not a token of this session's.
    Foreign,
}

/// From when to when a token opens its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    issued: Timestamp,
    pub(super) expires: Timestamp,
}

/// Issues tokens of sessions and reads them.
#[derive(Debug)]
pub(super) struct SessionTokens {
    key: HostKey,
    lifetime: Millis,
    revocations: Revocations,
}

impl SessionTokens {
    pub(super) fn new(key: &HostKey, lifetime: Duration, revocations: Revocations) -> Self {
        Self {
            key: key.clone(),
            lifetime: lifetime.min(Revocations::KEPT_FOR).into(),
            revocations,
        }
    }

    pub(super) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// A new token of a session.
    pub(super) fn issue(&self, session: &SessionId, now: Timestamp) -> SessionToken {
        // One that is issued within the millisecond of a revocation comes after it.
        let revoked = self.revocations.revoked(session);
        let issued = revoked.map_or(now, |at| now.max(at + Millis(1)));
        let period = Period {
            issued,
            expires: issued + self.lifetime,
        };
        let (signing, id) = self.keys().next().unwrap_or_default();
        let said = period.says(&id);
        let mac = URL_SAFE_NO_PAD.encode(sign(&signing, &said, session));
        SessionToken {
            text: format!("{said}.{mac}"),
            expires: period.expires,
        }
    }

    /// What a token is worth. Takes as long for a wrong MAC as for a right one.
    pub(super) fn read(&self, session: &SessionId, given: &str, now: Timestamp) -> Standing {
        let Some(period) = self.signed(session, given) else {
            return Standing::Foreign;
        };
        if now >= period.expires {
            Standing::Expired
        } else if self.is_revoked(session, period) {
            Standing::Revoked
        } else {
            Standing::Valid(period)
        }
    }

    /// Whether the tokens of a period were revoked since.
    pub(super) fn is_revoked(&self, session: &SessionId, period: Period) -> bool {
        let revoked = self.revocations.revoked(session);
        revoked.is_some_and(|at| period.issued <= at)
    }

    fn signed(&self, session: &SessionId, given: &str) -> Option<Period> {
        if given.len() > LONGEST {
            return None;
        }
        let (said, mac) = given.rsplit_once('.')?;
        let mut parts = said.split('.');
        let (format, named) = (parts.next()?, parts.next()?);
        let mut time = || parts.next()?.parse().ok().map(Timestamp);
        let period = Period {
            issued: time()?,
            expires: time()?,
        };
        if format != FORMAT || parts.next().is_some() {
            return None;
        }
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let (signing, _) = self.keys().find(|(_, id)| id == named)?;
        // What was read is what was signed, in one spelling only.
        let same = said == period.says(named);
        let signed = bool::from(sign(&signing, said, session).ct_eq(&mac));
        (same && signed).then_some(period)
    }

    /// The signing keys with their names, the newest first.
    fn keys(&self) -> impl Iterator<Item = ([u8; 32], String)> {
        let keys = self.key.derive_each(LABELS);
        keys.map(|[signing, id]| (signing, URL_SAFE_NO_PAD.encode(&id[..6])))
    }
}

impl Period {
    fn says(self, key: &str) -> String {
        let Self { issued, expires } = self;
        format!("{FORMAT}.{key}.{}.{}", issued.0, expires.0)
    }
}

fn sign(key: &[u8; 32], said: &str, session: &SessionId) -> [u8; 32] {
    mac(key, format!("{said}.{session}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn tokens(key: &HostKey) -> SessionTokens {
        SessionTokens::new(key, HOUR, Revocations::in_memory())
    }

    fn ana() -> SessionId {
        SessionId::new("ana")
    }

    #[test]
    fn a_token_opens_its_session_until_it_expires() {
        let tokens = tokens(&HostKey::random().expect("random"));
        let token = tokens.issue(&ana(), NOW);
        let read = |session: &SessionId, now| tokens.read(session, token.as_str(), now);
        assert!(matches!(read(&ana(), NOW), Standing::Valid(_)));
        let last = token.expires() - Millis(1);
        assert!(matches!(read(&ana(), last), Standing::Valid(_)));
        assert_eq!(read(&ana(), token.expires()), Standing::Expired);
        assert_eq!(read(&SessionId::new("rui"), NOW), Standing::Foreign);
    }

    #[test]
    fn a_revocation_ends_the_tokens_before_it_and_no_later_one() {
        let tokens = tokens(&HostKey::random().expect("random"));
        let before = tokens.issue(&ana(), NOW);
        let other = tokens.issue(&SessionId::new("rui"), NOW);
        tokens.revocations().revoke(&ana(), NOW).expect("is kept");
        assert_eq!(tokens.read(&ana(), before.as_str(), NOW), Standing::Revoked);
        let after = tokens.issue(&ana(), NOW);
        let read = tokens.read(&ana(), after.as_str(), NOW);
        assert!(matches!(read, Standing::Valid(_)));
        let read = tokens.read(&SessionId::new("rui"), other.as_str(), NOW);
        assert!(matches!(read, Standing::Valid(_)));
    }

    #[test]
    fn a_token_outlives_a_rotation_of_the_key_and_not_another_key() {
        let key = HostKey::random().expect("random");
        let tokens = tokens(&key);
        let before = tokens.issue(&ana(), NOW);
        key.rotate().expect("random");
        let after = tokens.issue(&ana(), NOW);
        assert_ne!(before.as_str(), after.as_str());
        for token in [&before, &after] {
            let read = tokens.read(&ana(), token.as_str(), NOW);
            assert!(matches!(read, Standing::Valid(_)));
        }
        let stranger = SessionTokens::new(
            &HostKey::random().expect("random"),
            HOUR,
            Revocations::in_memory(),
        );
        let read = stranger.read(&ana(), before.as_str(), NOW);
        assert_eq!(read, Standing::Foreign);
    }

    proptest! {
        #[test]
        fn a_token_with_anything_changed_opens_nothing(
            at in 0usize..120, with in "[ -~]", cut in 0usize..120,
        ) {
            let tokens = tokens(&HostKey::random().expect("random"));
            let token = tokens.issue(&ana(), NOW);
            let text = token.as_str();
            let at = at % text.len();
            let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
            if changed != text {
                prop_assert_eq!(tokens.read(&ana(), &changed, NOW), Standing::Foreign);
            }
            let cut = cut % text.len();
            prop_assert_eq!(tokens.read(&ana(), &text[..cut], NOW), Standing::Foreign);
            let longer = format!("{text}{with}");
            prop_assert_eq!(tokens.read(&ana(), &longer, NOW), Standing::Foreign);
        }
    }
}
