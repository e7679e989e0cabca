//! Guest tokens: who the guest is, derived so that every host derives the same.
//!
//! Genesys takes any UUID for a guest's token and hands the session to whoever has it. Derived from
//! what the handoff is about, it needs no place to be kept: a handoff that is opened again, because a
//! host stopped before it could report anything, finds its own session. With a secret mixed in, who
//! knows the ids still cannot derive it.

use handoff_engine::account::SecondHandoff;
use handoff_engine::name::{AccountName, HandoffId};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use uuid::Uuid;

/// A handoff's guest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guest {
    /// What every token of this guest derives from.
    seed: String,
    /// Sessions that were found expired, so that their token is of no use any more.
    generation: u32,
    #[serde(with = "crate::marking")]
    token: Uuid,
}

/// What tokens of an account derive from.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) account: AccountName,
    pub(super) deployment: String,
    pub(super) second_handoff: SecondHandoff,
    pub(super) secret: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl Guest {
    pub(super) fn token(&self) -> Uuid {
        self.token
    }
}

impl Tokens {
    /// The guest of a handoff. A user's earlier sessions are only reached with a secret: an external
    /// id alone is too easy to guess.
    pub(super) fn guest(&self, handoff: &HandoffId, external_id: Option<&str>) -> Guest {
        let external_id = external_id.filter(|id| !id.is_empty() && self.secret.is_some());
        let of = match (self.second_handoff, external_id) {
            (SecondHandoff::StartNew, _) => format!("handoff/{handoff}"),
            (SecondHandoff::Resume, Some(id)) => format!("user/{id}"),
            (SecondHandoff::Resume, None) => format!("session/{}", handoff.session()),
        };
        let seed = format!("{}\n{}\n{of}", self.account, self.deployment);
        Guest {
            token: self.derive(&seed, 0),
            seed,
            generation: 0,
        }
    }

    /// The same guest with the next token.
    pub(super) fn renew(&self, guest: &Guest) -> Guest {
        let generation = guest.generation + 1;
        Guest {
            seed: guest.seed.clone(),
            generation,
            token: self.derive(&guest.seed, generation),
        }
    }

    fn derive(&self, seed: &str, generation: u32) -> Uuid {
        let seed = format!("{seed}\n{generation}");
        let Some(secret) = &self.secret else {
            return Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes());
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(seed.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(second_handoff: SecondHandoff, secret: Option<&str>) -> Tokens {
        Tokens {
            account: "acme".into(),
            deployment: "d-1".to_owned(),
            second_handoff,
            secret: secret.map(str::to_owned),
        }
    }

    fn token(of: &Tokens, handoff: &str, user: Option<&str>) -> Uuid {
        of.guest(&HandoffId::new(handoff), user).token()
    }

    #[test]
    fn a_handoff_opened_again_finds_its_own_session_and_another_does_not() {
        let fresh = tokens(SecondHandoff::StartNew, None);
        assert_eq!(token(&fresh, "s/1/0", None), token(&fresh, "s/1/0", None));
        assert_ne!(token(&fresh, "s/1/0", None), token(&fresh, "s/9/0", None));
    }

    #[test]
    fn resumed_is_the_session_or_with_a_secret_the_user() {
        let plain = tokens(SecondHandoff::Resume, None);
        assert_eq!(
            token(&plain, "s/1/0", Some("u")),
            token(&plain, "s/9/0", Some("u"))
        );
        assert_ne!(
            token(&plain, "s/1/0", Some("u")),
            token(&plain, "t/1/0", Some("u"))
        );
        let secret = tokens(SecondHandoff::Resume, Some("pepper"));
        assert_eq!(
            token(&secret, "s/1/0", Some("u")),
            token(&secret, "t/1/0", Some("u"))
        );
        assert_ne!(
            token(&secret, "s/1/0", Some("u")),
            token(&secret, "s/1/0", Some("v"))
        );
        let other = tokens(SecondHandoff::Resume, Some("salt"));
        assert_ne!(
            token(&secret, "s/1/0", Some("u")),
            token(&other, "s/1/0", Some("u"))
        );
    }

    #[test]
    fn a_renewed_token_is_another_and_the_same_everywhere() {
        let tokens = tokens(SecondHandoff::Resume, Some("pepper"));
        let guest = tokens.guest(&HandoffId::new("s/1/0"), None);
        let renewed = tokens.renew(&guest);
        assert_ne!(renewed.token(), guest.token());
        assert_eq!(renewed, tokens.renew(&guest));
    }
}
