//! Versions of a project on disk, each whole: texts, and the node components they were loaded with.
//!
//! A version is one file, written beside its place and moved there, so that it is there as a whole or
//! not at all. Components lie beside them under the digest of their bytes, since most versions have
//! most of them in common.

use handoff_engine::Component;
use handoff_engine::project::ProjectFiles;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A directory of versions.
#[derive(Clone, Debug)]
pub struct Archive {
    directory: PathBuf,
}

/// A version that cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is not there.
    #[error(
        "version {digest} is not in the archive '{}'; put it back there from a copy, or from the host \
         that has it", directory.display()
    )]
    Unknown {
        /// Its digest.
        digest: String,
        /// The archive.
        directory: PathBuf,
    },
    /// It is there and cannot be used.
    #[error("'{}' is damaged ({why}); put it back from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Its name is not one that an archive gives.
    #[error(
        "there is no version {digest:?}; a version is named by its digest, as the list of versions \
         shows it"
    )]
    Name {
        /// The name, cut.
        digest: String,
    },
    /// The disk does not let itself be read or written.
    #[error("'{}': {error}", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

impl ArchiveError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::Name { .. } => "version.unknown",
            Self::Damaged { .. } => "version.damaged",
            Self::Disk { .. } => "version.disk",
        }
    }
}

/// A version as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    files: BTreeMap<String, String>,
    components: Vec<KeptComponent>,
}

#[derive(Serialize, Deserialize)]
struct KeptComponent {
    name: String,
    sha256: String,
}

/// That somebody went back to an earlier version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// Fingerprint of the project's directory at that time. Once another one is there, it counts.
    pub(super) instead_of: String,
    /// The version that new sessions take.
    pub(super) chosen: String,
}

const COMPONENTS: &str = "components";
const CHOICE: &str = "choice.json";

impl Archive {
    /// An archive in a directory, which is made if it is not there.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, ArchiveError> {
        let directory = directory.into();
        let components = directory.join(COMPONENTS);
        fs::create_dir_all(&components).map_err(at(&components))?;
        Ok(Self { directory })
    }

    /// Keeps a version. One that is there already is left as it is.
    pub fn keep(
        &self,
        digest: &str,
        files: &ProjectFiles,
        components: &[Component],
    ) -> Result<(), ArchiveError> {
        let place = self.version(digest)?;
        if place.exists() {
            return Ok(());
        }
        let mut kept = Kept {
            files: files.0.clone(),
            components: Vec::new(),
        };
        for component in components {
            let sha256 = hexadecimal(&Sha256::digest(&component.bytes));
            let place = self.component(&sha256);
            if !place.exists() {
                put(&place, &component.bytes)?;
            }
            let name = component.name.clone();
            kept.components.push(KeptComponent { name, sha256 });
        }
        put(&place, &json(&kept))
    }

    /// A version's texts and components.
    pub fn read(&self, digest: &str) -> Result<(ProjectFiles, Vec<Component>), ArchiveError> {
        let kept: Option<Kept> = read(&self.version(digest)?)?;
        let kept = kept.ok_or_else(|| ArchiveError::Unknown {
            digest: digest.to_owned(),
            directory: self.directory.clone(),
        })?;
        let mut components = Vec::new();
        for KeptComponent { name, sha256 } in kept.components {
            if !is_name(&sha256) {
                let path = self.version(digest)?;
                let why = "it names a component by something other than a digest".to_owned();
                return Err(ArchiveError::Damaged { path, why });
            }
            let place = self.component(&sha256);
            let bytes = fs::read(&place).map_err(at(&place))?;
            if hexadecimal(&Sha256::digest(&bytes)) != sha256 {
                let why = "its bytes do not have the digest it is named by".to_owned();
                return Err(ArchiveError::Damaged { path: place, why });
            }
            components.push(Component { name, bytes });
        }
        Ok((ProjectFiles(kept.files), components))
    }

    /// Drops every version but these, and the components that only the others used.
    pub fn keep_only(&self, digests: &BTreeSet<String>) -> Result<(), ArchiveError> {
        let mut used = BTreeSet::new();
        for digest in self.versions()? {
            let place = self.version(&digest)?;
            if digests.contains(&digest) {
                let kept: Option<Kept> = read(&place)?;
                let components = kept.into_iter().flat_map(|kept| kept.components);
                used.extend(components.map(|component| component.sha256));
            } else {
                fs::remove_file(&place).map_err(at(&place))?;
            }
        }
        for sha256 in stems(&self.directory.join(COMPONENTS), "wasm")? {
            let place = self.component(&sha256);
            if !used.contains(&sha256) {
                fs::remove_file(&place).map_err(at(&place))?;
            }
        }
        Ok(())
    }

    /// The digests of the versions that are kept.
    pub fn versions(&self) -> Result<BTreeSet<String>, ArchiveError> {
        let mut found = stems(&self.directory, "json")?;
        found.remove(CHOICE.trim_end_matches(".json"));
        Ok(found)
    }

    pub(super) fn choice(&self) -> Result<Option<Choice>, ArchiveError> {
        read(&self.directory.join(CHOICE))
    }

    pub(super) fn choose(&self, choice: &Choice) -> Result<(), ArchiveError> {
        put(&self.directory.join(CHOICE), &json(choice))
    }

    /// Says whether a version that was read is the one it is kept as. What its texts and nodes come
    /// to is known once they are loaded.
    pub(super) fn verify(&self, digest: &str, loaded: &str) -> Result<(), ArchiveError> {
        if digest == loaded {
            return Ok(());
        }
        let path = self.version(digest)?;
        let why = format!("what it holds is version {loaded}");
        Err(ArchiveError::Damaged { path, why })
    }

    /// The place of a version. A name comes from clients, so it is never a path.
    fn version(&self, digest: &str) -> Result<PathBuf, ArchiveError> {
        if !is_name(digest) || CHOICE.strip_suffix(".json") == Some(digest) {
            let digest = digest.chars().take(80).collect();
            return Err(ArchiveError::Name { digest });
        }
        Ok(self.directory.join(format!("{digest}.json")))
    }

    fn component(&self, sha256: &str) -> PathBuf {
        let name = format!("{sha256}.wasm");
        self.directory.join(COMPONENTS).join(name)
    }
}

/// Whether a text is what digests are spelled with: letters and digits, so neither a path nor a part
/// of one, however it is encoded.
fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    |error| ArchiveError::Disk { path, error }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("plain data with texts for keys")
}

/// Reads a file of JSON; none if it is not there.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ArchiveError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let value = serde_json::from_slice(&text);
    value.map(Some).map_err(|why| ArchiveError::Damaged {
        path: path.to_owned(),
        why: why.to_string(),
    })
}

/// Puts a file in its place as a whole, whenever the power fails.
fn put(place: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let draft = place.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, place)
    };
    write().map_err(at(place))
}

/// The names of the files with an extension, without it.
fn stems(directory: &Path, extension: &str) -> Result<BTreeSet<String>, ArchiveError> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.extension().is_some_and(|it| it == extension)
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            && is_name(stem)
        {
            found.insert(stem.to_owned());
        }
    }
    Ok(found)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> ProjectFiles {
        ProjectFiles([("project.toml".to_owned(), format!("name = '{name}'"))].into())
    }

    fn component(name: &str, bytes: &[u8]) -> Component {
        Component {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    fn archive() -> (tempfile::TempDir, Archive) {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(folder.path().join("versions")).expect("is made");
        (folder, archive)
    }

    #[test]
    fn a_version_is_read_back_as_it_was_kept() {
        let (_folder, archive) = archive();
        let both = [component("say", b"one"), component("ask", b"two")];
        archive.keep("d1", &files("first"), &both).expect("is kept");
        archive.keep("d1", &files("other"), &[]).expect("is there");
        let (texts, components) = archive.read("d1").expect("is read");
        assert_eq!(texts.0, files("first").0);
        let read: Vec<_> = components
            .iter()
            .map(|it| (&*it.name, &*it.bytes))
            .collect();
        assert_eq!(read, [("say", b"one".as_slice()), ("ask", b"two")]);
    }

    #[test]
    fn what_is_not_needed_goes_and_what_is_shared_stays() {
        let (folder, archive) = archive();
        let shared = component("say", b"one");
        let both = [shared.clone(), component("ask", b"two")];
        archive.keep("d1", &files("a"), &both).expect("is kept");
        archive.keep("d2", &files("b"), &[shared]).expect("is kept");
        let choice = Choice {
            instead_of: "d1".to_owned(),
            chosen: "d2".to_owned(),
        };
        archive.choose(&choice).expect("is noted");
        archive.keep_only(&["d2".to_owned()].into()).expect("drops");
        assert_eq!(archive.versions().expect("reads"), ["d2".to_owned()].into());
        assert_eq!(archive.read("d2").expect("is whole").1.len(), 1);
        assert_eq!(archive.choice().expect("reads"), Some(choice));
        let error = archive.read("d1").expect_err("is gone");
        assert_eq!(error.code(), "version.unknown");
        let left = fs::read_dir(folder.path().join("versions/components"));
        assert_eq!(left.expect("is there").count(), 1);
    }

    #[test]
    fn a_name_is_never_a_path() {
        let (folder, archive) = archive();
        let evil = folder.path().join("evil");
        fs::create_dir_all(&evil).expect("is made");
        fs::write(evil.join("x.json"), r#"{"files": {}, "components": []}"#).expect("writes");
        let absolute = evil.join("x").display().to_string();
        let names = [
            "../evil/x",
            "..\\evil\\x",
            "..%2Fevil%2Fx",
            "%2e%2e%2fevil%2fx",
            "./../evil/x",
            &absolute,
            "components/../../evil/x",
            "",
            ".",
            "..",
            "x.json",
            "x\0",
            "choice",
            "ｅvil",
        ];
        for name in names {
            let error = archive.read(name).expect_err("is refused");
            assert_eq!(error.code(), "version.unknown", "{name}");
            archive
                .keep(name, &files("a"), &[])
                .expect_err("is refused");
        }
    }

    #[test]
    fn a_component_is_never_a_path() {
        let (folder, archive) = archive();
        let kept = r#"{"files": {}, "components": [{"name": "x", "sha256": "../../evil"}]}"#;
        fs::write(folder.path().join("versions/d1.json"), kept).expect("writes");
        assert_eq!(
            archive.read("d1").expect_err("is refused").code(),
            "version.damaged"
        );
    }

    #[test]
    fn damage_is_told_with_the_file() {
        let (folder, archive) = archive();
        let one = [component("say", b"one")];
        archive.keep("d1", &files("a"), &one).expect("is kept");
        let components = folder.path().join("versions/components");
        let file = fs::read_dir(components).expect("reads").next();
        let file = file.expect("is one").expect("reads").path();
        fs::write(&file, b"else").expect("writes");
        let error = archive.read("d1").expect_err("is noticed");
        assert_eq!(error.code(), "version.damaged");
        assert!(error.to_string().contains(&file.display().to_string()));
        fs::write(folder.path().join("versions/d1.json"), b"{").expect("writes");
        let error = archive.read("d1").expect_err("is noticed");
        assert_eq!(error.code(), "version.damaged");
    }
}
