//! Operators' tokens: who has which, with which roles, until when.
//!
//! One may be given when the host starts, which has every role. Others are in a file, which is read
//! again while the host runs: whoever is taken out of it is out. Only digests of tokens are held.

use super::roles::Role;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handoff_engine::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;

/// The name of the token that the host was started with.
const FIRST: &str = "admin";

/// The longest file, bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// Opens everything. Make it of at least 16 random characters.
#[derive(Clone)]
pub struct AdminToken(String);

/// A token that could be guessed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the admin token is shorter than {} characters, so it could be guessed; make one with \
     'openssl rand -base64 24'",
    AdminToken::SHORTEST
)]
pub struct WeakToken;

impl AdminToken {
    /// The shortest that is taken, characters.
    pub const SHORTEST: usize = 16;

    /// A token of the operator's.
    ///
    /// # Errors
    ///
    /// If it is so short that it could be guessed.
    pub fn new(token: impl Into<String>) -> Result<Self, WeakToken> {
        let token = token.into().trim().to_owned();
        if token.chars().count() < Self::SHORTEST {
            return Err(WeakToken);
        }
        Ok(Self(token))
    }

    /// A token for as long as the process lives; none if the system has no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 24];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The token as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// A file of tokens that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdminTokensError {
    /// It cannot be read.
    #[error(
        "the admin tokens '{path}' cannot be read: {error}. Name a file that the host's user can read"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// Others can change it, or read tokens in it.
    #[error(
        "other users can {may} the admin tokens '{path}'; run 'chmod go-rwx' on it, or write \
         sha256 instead of token if it has to be readable"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// What they can do.
        may: &'static str,
    },
    /// Something in it is wrong.
    #[error("the admin tokens '{path}' are invalid: {why}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What, without any token.
        why: String,
    },
}

impl AdminTokensError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "admin_tokens.unreadable",
            Self::OpenToOthers { .. } => "admin_tokens.open_to_others",
            Self::Invalid { .. } => "admin_tokens.invalid",
        }
    }
}

/// The operators' tokens of a host. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct AdminTokens(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    first: Option<Entry>,
    path: Option<PathBuf>,
    of_file: RwLock<Vec<Entry>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    name: Arc<str>,
    roles: BTreeSet<Role>,
    digest: [u8; 32],
    expires: Option<Timestamp>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl Entry {
    /// A token with every role.
    fn of_all(token: &AdminToken) -> Self {
        Self {
            name: FIRST.into(),
            roles: Role::ALL.into(),
            digest: Sha256::digest(&token.0).into(),
            expires: None,
        }
    }
}

/// An operator who is known by a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    /// What the token is called.
    pub(super) name: Arc<str>,
    pub(super) roles: BTreeSet<Role>,
    /// The time of the token is over; it opens nothing.
    pub(super) expired: bool,
}

impl AdminTokens {
    /// The token that a host is started with, and those of a file. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be used.
    pub fn new(first: Option<&AdminToken>, file: Option<&Path>) -> Result<Self, AdminTokensError> {
        let of_file = file.map(read).transpose()?.unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            first: first.map(Entry::of_all),
            path: file.map(Path::to_owned),
            of_file: RwLock::new(of_file),
        })))
    }

    /// The token that a host is started with, or none.
    #[must_use]
    pub fn only(first: Option<&AdminToken>) -> Self {
        Self(Arc::new(Inner {
            first: first.map(Entry::of_all),
            ..Inner::default()
        }))
    }

    /// Reads the file again. True if something in it has changed. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be used. Then the tokens stay as they were.
    pub fn reload(&self) -> Result<bool, AdminTokensError> {
        let Some(path) = &self.0.path else {
            return Ok(false);
        };
        let read = read(path)?;
        let of_file = self.0.of_file.write();
        let mut of_file = of_file.unwrap_or_else(PoisonError::into_inner);
        let changed = *of_file != read;
        *of_file = read;
        Ok(changed)
    }

    /// Whether there is any, so that the host can be operated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let of_file = self.0.of_file.read();
        self.0.first.is_none() && of_file.unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whose token this is. Every one is looked at, so that the time taken tells nothing.
    pub(super) fn find(&self, given: &str, now: Timestamp) -> Option<Operator> {
        let digest: [u8; 32] = Sha256::digest(given.trim()).into();
        let of_file = self.0.of_file.read();
        let of_file = of_file.unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for entry in self.0.first.iter().chain(of_file.iter()) {
            if bool::from(entry.digest.ct_eq(&digest)) {
                found = Some(entry);
            }
        }
        found.map(|entry| Operator {
            name: Arc::clone(&entry.name),
            roles: entry.roles.clone(),
            expired: entry.expires.is_some_and(|expires| now >= expires),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOfTokens {
    #[serde(default)]
    token: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    role: Option<Role>,
    #[serde(default)]
    roles: Vec<Role>,
    token: Option<String>,
    sha256: Option<String>,
    expires: Option<Date>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Date {
    Toml(toml::value::Datetime),
    Text(String),
}

fn read(path: &Path) -> Result<Vec<Entry>, AdminTokensError> {
    let unreadable = |error| AdminTokensError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let invalid = |why: String| AdminTokensError::Invalid {
        path: path.to_owned(),
        why,
    };
    // Of a pipe opening would never end.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(invalid("it is not a regular file".to_owned()));
    }
    if metadata.len() > LONGEST_FILE {
        return Err(invalid(format!("it is longer than {LONGEST_FILE} bytes")));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(LONGEST_FILE).read_to_string(&mut text);
    read.map_err(unreadable)?;
    let rows = toml::from_str::<FileOfTokens>(&text);
    // The parser's own words quote the line, which may hold a token.
    let rows = rows.map_err(|error| {
        let line = error
            .span()
            .map_or(1, |at| text[..at.start].matches('\n').count() + 1);
        invalid(format!(
            "line {line}: {}",
            error.message().lines().next().unwrap_or_default()
        ))
    })?;
    let plain = rows.token.iter().any(|row| row.token.is_some());
    let may = others_may(&metadata, plain);
    if let Some(may) = may {
        let path = path.to_owned();
        return Err(AdminTokensError::OpenToOthers { path, may });
    }
    let mut entries = Vec::new();
    for row in rows.token {
        let entry = entry(row).map_err(invalid)?;
        let same = |other: &Entry| other.name == entry.name || other.digest == entry.digest;
        if &*entry.name == FIRST || entries.iter().any(same) {
            let name = &entry.name;
            let why = format!("the name or token of '{name}' is taken; each has one of its own");
            return Err(invalid(why));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(row: Row) -> Result<Entry, String> {
    let Row {
        name,
        role,
        mut roles,
        token,
        sha256,
        expires,
    } = row;
    let printable = name.chars().all(|it| it.is_ascii_graphic());
    if name.is_empty() || name.len() > 64 || !printable {
        return Err("a name has to be 1 to 64 printable characters without blanks".to_owned());
    }
    roles.extend(role);
    if roles.is_empty() {
        return Err(format!(
            "'{name}' has no role; give it one or more of view, operate and deploy"
        ));
    }
    let digest = match (token, sha256) {
        (Some(token), None) => {
            let token = AdminToken::new(token).map_err(|weak| format!("'{name}': {weak}"))?;
            Sha256::digest(&token.0).into()
        }
        (None, Some(digest)) => unhex(&digest).ok_or_else(|| {
            format!(
                "sha256 of '{name}' is not 64 hexadecimal digits; make it with \
                 \"printf %s TOKEN | sha256sum\""
            )
        })?,
        _ => return Err(format!("'{name}' needs either token or sha256")),
    };
    let expires = match expires {
        None => None,
        Some(expires) => {
            let text = match expires {
                Date::Toml(date) => date.to_string(),
                Date::Text(text) => text,
            };
            let day = format!("{text}T00:00:00Z");
            let read = Timestamp::from_iso(&text).or_else(|| Timestamp::from_iso(&day));
            Some(read.ok_or_else(|| {
                format!("expires of '{name}' is not a time; write one such as 2027-01-31T00:00:00Z")
            })?)
        }
    };
    Ok(Entry {
        name: name.into(),
        roles: roles.into_iter().collect(),
        digest,
        expires,
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    // `from_str_radix` takes a sign.
    text.bytes()
        .all(|it| it.is_ascii_hexdigit())
        .then_some(bytes)
}

/// What other users may do with the file that they must not.
#[cfg(unix)]
fn others_may(metadata: &std::fs::Metadata, holds_tokens: bool) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode();
    if mode & 0o002 != 0 {
        Some("write")
    } else if holds_tokens && mode & 0o004 != 0 {
        Some("read")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn others_may(_: &std::fs::Metadata, _: bool) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);
    const TOKEN: &str = "a-token-of-sixteen-or-more";

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens.toml");
        std::fs::write(&path, text).expect("is written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let own = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, own).expect("is ours");
        }
        (folder, path)
    }

    #[test]
    fn a_file_names_tokens_or_their_digests_with_roles_and_an_end() {
        let digest = Sha256::digest("another-token-of-the-file");
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let (_folder, path) = file(&format!(
            "[[token]]\nname = 'ci'\nrole = 'deploy'\ntoken = '{TOKEN}'\n\
             [[token]]\nname = 'kim'\nroles = ['view', 'operate']\nsha256 = '{digest}'\n\
             expires = 2026-09-22\n"
        ));
        let first = AdminToken::new("the-first-of-all-tokens").expect("is long enough");
        let tokens = AdminTokens::new(Some(&first), Some(&path)).expect("is valid");
        let ci = tokens.find(TOKEN, NOW).expect("is known");
        assert_eq!((&*ci.name, ci.roles), ("ci", [Role::Deploy].into()));
        let kim = tokens
            .find("another-token-of-the-file", NOW)
            .expect("is known");
        assert_eq!(kim.roles, [Role::View, Role::Operate].into());
        assert!(!kim.expired);
        let later = Timestamp::from_iso("2026-09-22T00:00:00Z").expect("is one");
        let kim = tokens.find("another-token-of-the-file", later);
        assert!(kim.expect("is known").expired);
        let first = tokens.find(first.as_str(), NOW).expect("is known");
        assert_eq!(first.roles, Role::ALL.into());
        for wrong in ["", "a-token-of-sixteen-or-mor", &digest] {
            assert_eq!(tokens.find(wrong, NOW), None);
        }
    }

    #[test]
    fn who_is_taken_out_of_the_file_is_out_and_a_broken_file_changes_nothing() {
        let (_folder, path) = file(&format!(
            "[[token]]\nname = 'ci'\nrole = 'deploy'\ntoken = '{TOKEN}'\n"
        ));
        let tokens = AdminTokens::new(None, Some(&path)).expect("is valid");
        assert!(!tokens.reload().expect("is valid"), "nothing has changed");
        std::fs::write(&path, "[[token]\n").expect("is written");
        tokens.reload().expect_err("is no TOML");
        assert!(tokens.find(TOKEN, NOW).is_some());
        std::fs::write(&path, "").expect("is written");
        assert!(tokens.reload().expect("is valid"));
        assert_eq!(tokens.find(TOKEN, NOW), None);
        assert!(tokens.is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_any_token() {
        for (text, expected) in [
            ("[[token]]\nname = 'a'\nrole = 'view'\n", "token or sha256"),
            ("[[token]]\nname = 'a'\nrole = 'root'\n", "unknown variant"),
            (
                "[[token]]\nname = 'a'\ntoken = 'canary-canary-canary'\n",
                "no role",
            ),
            (
                "[[token]]\nname = 'a'\nrole = 'view'\ntoken = 'canary'\n",
                "shorter than",
            ),
            (
                "[[token]]\nname = 'a'\nrole = 'view'\nsha256 = 'canary'\n",
                "64 hexadecimal",
            ),
            (
                "[[token]]\nname = 'a'\ntokne = 'canary-canary-canary'\n",
                "unknown field",
            ),
            (
                "[[token]]\nname = 'a'\ntoken = canary-canary-canary\n",
                "line 3",
            ),
            (
                "[[token]]\nname = ''\nrole = 'view'\ntoken = 'canary-canary-canary'\n",
                "a name",
            ),
            (
                "[[token]]\nname = 'admin'\nrole = 'view'\ntoken = 'canary-canary-canary'\n",
                "is taken",
            ),
            (
                "[[token]]\nname = 'a'\nrole = 'view'\ntoken = 'canary-canary-canary'\nexpires = 'soon'\n",
                "expires of 'a'",
            ),
        ] {
            let (_folder, path) = file(text);
            let error = AdminTokens::new(None, Some(&path)).expect_err("is invalid");
            assert_eq!(error.code(), "admin_tokens.invalid");
            let told = error.to_string();
            assert!(told.contains(expected), "{expected}: {told}");
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn tokens_that_others_can_read_are_refused_and_digests_are_not() {
        use std::os::unix::fs::PermissionsExt;
        let digest = "0".repeat(64);
        for (row, mode, expected) in [
            (format!("token = '{TOKEN}'"), 0o644, Some("read")),
            (format!("token = '{TOKEN}'"), 0o640, None),
            (format!("sha256 = '{digest}'"), 0o644, None),
            (format!("sha256 = '{digest}'"), 0o646, Some("write")),
        ] {
            let (_folder, path) = file(&format!("[[token]]\nname = 'a'\nrole = 'view'\n{row}\n"));
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).expect("is ours");
            match (AdminTokens::new(None, Some(&path)), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(may)) => assert!(error.to_string().contains(may), "{error}"),
                (other, _) => panic!("{other:?}, expected {expected:?}"),
            }
        }
    }
}
