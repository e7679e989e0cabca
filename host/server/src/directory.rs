//! A project as a directory on disk, read as untrusted input.
//!
//! Only the files that docs/projects.md lists are opened, and only regular files that lie under the
//! directory: a link may point elsewhere within it, as in a Kubernetes ConfigMap, and nowhere else.
//! What cannot be used is a warning, so that a stray file does not refuse a project; what is too much
//! is an error. Nothing of a file that is not read is ever shown.

use handoff_engine::diagnostic::{Diagnostic, Place, Severity};
use handoff_engine::project::{MANIFEST, Project, ProjectFiles};
use handoff_engine::{Component, Engine};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files larger than this are no part of a project.
const MAX_FILE: u64 = 4 << 20;
/// All files of a project together.
const MAX_ALL: u64 = 32 << 20;
/// What a sign between values counts beside its byte. What files are parsed into is many times larger
/// than they are if there is little between the signs.
const SIGN: u64 = 15;
/// A node component.
const MAX_COMPONENT: u64 = 64 << 20;
/// All node components of a project together.
const MAX_COMPONENTS: u64 = 256 << 20;
/// Files and directories that are looked at.
const MAX_ENTRIES: usize = 10_000;
/// Directories deeper than this are no part of a project.
const MAX_DEPTH: usize = 8;
/// How long reading may take, for disks that do not answer.
const MAX_TIME: Duration = Duration::from_secs(30);

/// The folders of a project that hold JSON.
const FOLDERS: [&str; 3] = ["flows", "workers", "connectors"];

/// A project's directory and the texts in it.
#[derive(Clone, Debug)]
pub struct ProjectDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Its texts.
    pub files: ProjectFiles,
    /// Files that stand where the project's files stand and are not read, with the reason.
    pub warnings: Vec<Diagnostic>,
}

/// A directory that cannot be read as a project.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is none.
    #[error("'{path}' is not a project: it holds no '{MANIFEST}'. Name the directory that does")]
    NotAProject {
        /// The path.
        path: String,
    },
    /// It cannot be read.
    #[error("'{path}' cannot be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The manifest or a node of the project cannot be used.
    #[error("'{path}' cannot be used: {reason}")]
    Unusable {
        /// The path.
        path: String,
        /// Why.
        reason: FileProblem,
    },
    /// There is more than any project has.
    #[error("'{path}' is too much for a project: {limit}. Keep other files outside of it")]
    TooMuch {
        /// The directory.
        path: String,
        /// The limit that it exceeds.
        limit: &'static str,
    },
}

/// Why a file is not read as text.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The file cannot be opened, or its link leads nowhere.
    #[error("it cannot be opened ({0})")]
    Unreadable(io::ErrorKind),
    /// The file is a pipe, a device or a socket.
    #[error("it is not a regular file; put the file itself there")]
    NotRegular,
    /// The file is a link that leads out of the project.
    #[error("it is a link that leads out of the project; copy the file into the project")]
    Outside,
    /// The file is none of TOML.
    #[error("it is not a '.toml' file")]
    NotToml,
    /// The file is larger than any file of a project.
    #[error("it is larger than {} MiB, which no such file may be", .0 >> 20)]
    TooLarge(u64),
    /// The file is text in another encoding.
    #[error("it is written in {0}; save it as UTF-8")]
    Encoding(&'static str),
}

impl FileProblem {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "file.unreadable",
            Self::NotRegular => "file.not_regular",
            Self::Outside => "file.outside_project",
            Self::NotToml => "file.not_toml",
            Self::TooLarge(_) => "file.too_large",
            Self::Encoding(_) => "file.encoding",
        }
    }
}

impl ProjectDirectory {
    /// Reads a project's directory, or that of a `project.toml`.
    ///
    /// # Errors
    ///
    /// If there is no usable manifest, or more than a project may have.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let path = match path.file_name() {
            Some(name) if name == MANIFEST => path.parent().unwrap_or(Path::new(".")),
            _ => path,
        };
        // The current directory is the parent of a bare 'project.toml'.
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        if path.join(MANIFEST).symlink_metadata().is_err() {
            let path = path.display().to_string();
            return Err(DirectoryError::NotAProject { path });
        }
        let mut reading = Reading::new(path)?;
        reading.top()?;
        for folder in FOLDERS {
            let directory = reading.root.join(folder);
            reading.folder(&directory, folder, 1)?;
        }
        Ok(Self {
            path: path.to_owned(),
            files: reading.files,
            warnings: reading.warnings,
        })
    }

    /// The project's own node components, `nodes/*.wasm`, in order of their names.
    ///
    /// # Errors
    ///
    /// If one of them is not a regular file of the project, or they are too much.
    pub fn components(&self) -> Result<Vec<Component>, DirectoryError> {
        let folder = self.path.join("nodes");
        let mut reading = Reading::new(&self.path)?;
        if !reading
            .inside(&folder)
            .is_ok_and(|metadata| metadata.is_dir())
        {
            return Ok(Vec::new());
        }
        let mut components = Vec::new();
        for (name, path) in reading.entries_of(&folder)? {
            if !name.ends_with(".wasm") {
                continue;
            }
            let read = reading
                .inside(&path)
                .and_then(|_| bytes(&path, MAX_COMPONENT));
            let bytes = read.map_err(|reason| DirectoryError::Unusable {
                path: path.display().to_string(),
                reason,
            })?;
            reading.bytes += bytes.len() as u64;
            if reading.bytes > MAX_COMPONENTS {
                return Err(reading.too_much("its nodes are larger than 256 MiB in all"));
            }
            let name = path.display().to_string();
            components.push(Component { name, bytes });
        }
        Ok(components)
    }

    /// Loads the project. Warnings about its files come with those about what is in them.
    ///
    /// # Errors
    ///
    /// Every mistake of the project, warnings included.
    pub async fn load(&self, engine: &Engine) -> Result<Project, Vec<Diagnostic>> {
        let with_ours = |mut found: Vec<Diagnostic>| {
            found.extend(self.warnings.iter().cloned());
            found
        };
        let mut project = engine.load(&self.files).await.map_err(with_ours)?;
        project.add_warnings(&self.warnings);
        Ok(project)
    }
}

/// Reads a regular file of at most 4 MiB as UTF-8, without its byte order mark. For files that a
/// person names; those of a project are read by [`ProjectDirectory::read`].
///
/// # Errors
///
/// If it is not such a file.
pub fn read_text_file(path: &Path) -> Result<String, FileProblem> {
    text(&bytes(path, MAX_FILE)?)
}

/// The bytes of a regular file. Nothing is opened that is not one: opening a pipe waits for its writer.
fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, FileProblem> {
    let unreadable = |error: io::Error| FileProblem::Unreadable(error.kind());
    let check = |metadata: std::fs::Metadata| match metadata.is_file() {
        true if metadata.len() > most => Err(FileProblem::TooLarge(most)),
        true => Ok(()),
        false => Err(FileProblem::NotRegular),
    };
    check(path.metadata().map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    // It may have been replaced in between.
    check(file.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 > most {
        true => Err(FileProblem::TooLarge(most)),
        false => Ok(bytes),
    }
}

fn text(bytes: &[u8]) -> Result<String, FileProblem> {
    let zeros = |from: usize| {
        bytes
            .iter()
            .skip(from)
            .step_by(2)
            .take(64)
            .filter(|b| **b == 0)
            .count()
    };
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(FileProblem::Encoding("UTF-32"));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(FileProblem::Encoding("UTF-16")),
        _ => {}
    }
    if bytes.len() >= 4
        && (zeros(0) > bytes.len().min(128) / 4 || zeros(1) > bytes.len().min(128) / 4)
    {
        return Err(FileProblem::Encoding("UTF-16"));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| FileProblem::Encoding("Latin-1 or another encoding that is not UTF-8"))
}

/// What a text counts: its bytes, and more for each sign that may part values.
fn weight(text: &str) -> u64 {
    let signs = text.bytes().filter(|it| b",[{.=|+-*/%~(:<>".contains(it));
    text.len() as u64 + SIGN * signs.count() as u64
}

/// A directory while it is read.
struct Reading {
    /// The directory as it was named.
    shown: String,
    root: PathBuf,
    until: Instant,
    entries: usize,
    bytes: u64,
    files: ProjectFiles,
    warnings: Vec<Diagnostic>,
}

impl Reading {
    fn new(path: &Path) -> Result<Self, DirectoryError> {
        let shown = path.display().to_string();
        let root = path.canonicalize();
        let root = root.map_err(|error| DirectoryError::Unreadable {
            path: shown.clone(),
            error,
        })?;
        Ok(Self {
            shown,
            root,
            until: Instant::now() + MAX_TIME,
            entries: 0,
            bytes: 0,
            files: ProjectFiles::default(),
            warnings: Vec::new(),
        })
    }

    /// The manifests.
    fn top(&mut self) -> Result<(), DirectoryError> {
        let root = self.root.clone();
        for (name, path) in self.entries_of(&root)? {
            let environment = name
                .strip_prefix("project.")
                .and_then(|it| it.strip_suffix(".toml"));
            if name == MANIFEST || environment.is_some_and(|it| !it.is_empty()) {
                self.file(&name, &path)?;
            }
        }
        Ok(())
    }

    /// A folder of JSON files, with those in it.
    fn folder(&mut self, directory: &Path, name: &str, depth: usize) -> Result<(), DirectoryError> {
        match self.inside(directory) {
            Err(FileProblem::Unreadable(io::ErrorKind::NotFound))
                if depth == 1 && directory.symlink_metadata().is_err() =>
            {
                return Ok(());
            }
            Err(problem) => {
                self.warn(name, &problem);
                return Ok(());
            }
            Ok(metadata) if !metadata.is_dir() => return Ok(()),
            Ok(_) => {}
        }
        for (entry, path) in self.entries_of(directory)? {
            let name = format!("{name}/{entry}");
            let metadata = match self.inside(&path) {
                Ok(metadata) => metadata,
                Err(problem) => {
                    self.warn(&name, &problem);
                    continue;
                }
            };
            if metadata.is_dir() {
                if depth < MAX_DEPTH {
                    self.folder(&path, &name, depth + 1)?;
                } else {
                    return Err(self.too_much("its folders are nested more than 8 deep"));
                }
            } else if entry.ends_with(".json") {
                self.file(&name, &path)?;
            }
        }
        Ok(())
    }

    /// Names and paths in a directory, hidden ones left out, in order.
    fn entries_of(&mut self, directory: &Path) -> Result<Vec<(String, PathBuf)>, DirectoryError> {
        let unreadable = |error| DirectoryError::Unreadable {
            path: directory.display().to_string(),
            error,
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(self.too_much("it holds more than 10000 files"));
            }
            if Instant::now() > self.until {
                return Err(self.too_much("reading it takes more than 30 seconds"));
            }
            let entry = entry.map_err(unreadable)?;
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with('.')
            {
                found.push((name, entry.path()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// What a path leads to, if that lies under the directory.
    fn inside(&self, path: &Path) -> Result<std::fs::Metadata, FileProblem> {
        let unreadable = |error: io::Error| FileProblem::Unreadable(error.kind());
        let real = path.canonicalize().map_err(unreadable)?;
        if !real.starts_with(&self.root) {
            return Err(FileProblem::Outside);
        }
        real.metadata().map_err(unreadable)
    }

    fn file(&mut self, name: &str, path: &Path) -> Result<(), DirectoryError> {
        let text = self
            .inside(path)
            .and_then(|_| bytes(path, MAX_FILE))
            .and_then(|bytes| text(&bytes));
        match text {
            Ok(text) => {
                self.bytes += weight(&text);
                if self.bytes > MAX_ALL {
                    return Err(self.too_much(
                        "its files are larger than 32 MiB in all, where a sign such as ',' counts \
                         as 16 bytes",
                    ));
                }
                self.files.0.insert(name.to_owned(), text);
                Ok(())
            }
            Err(reason) if name == MANIFEST => Err(DirectoryError::Unusable {
                path: format!("{}/{MANIFEST}", self.shown),
                reason,
            }),
            Err(problem) => {
                self.warn(name, &problem);
                Ok(())
            }
        }
    }

    fn warn(&mut self, name: &str, problem: &FileProblem) {
        let message = format!("this file is not read: {problem}");
        let mut warning = Diagnostic::error(problem.code(), Place::file(name), message);
        warning.severity = Severity::Warning;
        self.warnings.push(warning);
    }

    fn too_much(&self, limit: &'static str) -> DirectoryError {
        let path = self.shown.clone();
        DirectoryError::TooMuch { path, limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, bytes) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            std::fs::write(path, bytes).expect("written");
        }
        directory
    }

    fn names(project: &ProjectDirectory) -> Vec<&str> {
        project.files.0.keys().map(String::as_str).collect()
    }

    fn warnings(project: &ProjectDirectory) -> Vec<(&str, &str)> {
        let warnings = project.warnings.iter();
        warnings
            .map(|it| (it.place.file.as_str(), it.code))
            .collect()
    }

    #[test]
    fn a_directory_without_a_manifest_is_not_a_project() {
        let directory = project(&[]);
        let error = ProjectDirectory::read(directory.path()).expect_err("refused");
        assert!(
            error.to_string().contains("holds no 'project.toml'"),
            "{error}"
        );
    }

    #[test]
    fn only_the_documented_files_are_read() {
        let latin_1 = b"\xe4".as_slice();
        let directory = project(&[
            ("project.toml", b"{}"),
            ("project.live.toml", b"{}"),
            ("flows/main.json", b"{}"),
            ("flows/notes.txt", latin_1),
            ("workers/live/w.json", b"{}"),
            ("connectors/c.json", b"{}"),
            ("data/customers.json", latin_1),
            ("package.json", latin_1),
            ("org.toml", latin_1),
            (".git/x.json", latin_1),
            ("flows/._main.json", latin_1),
            ("nodes/n.json", latin_1),
        ]);
        let read = ProjectDirectory::read(&directory.path().join("project.toml")).expect("reads");
        assert_eq!(
            names(&read),
            [
                "connectors/c.json",
                "flows/main.json",
                "project.live.toml",
                "project.toml",
                "workers/live/w.json"
            ]
        );
        assert_eq!(warnings(&read), []);
    }

    #[test]
    fn encodings_are_named_and_a_byte_order_mark_is_dropped() {
        let utf_16: Vec<u8> = "{\"a\": 1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let with_mark = [b"\xff\xfe".as_slice(), &utf_16].concat();
        let directory = project(&[
            ("project.toml", b"\xef\xbb\xbfname = 'x'"),
            ("flows/latin-1.json", b"{\"text\": \"gr\xfc\xdfe\"}"),
            ("flows/utf-16.json", &utf_16),
            ("flows/utf-16-with-mark.json", &with_mark),
        ]);
        let read = ProjectDirectory::read(directory.path()).expect("reads");
        assert_eq!(read.files.0["project.toml"], "name = 'x'");
        let all: Vec<&str> = read.warnings.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            all,
            [
                "this file is not read: it is written in Latin-1 or another encoding that is not UTF-8; save it as UTF-8",
                "this file is not read: it is written in UTF-16; save it as UTF-8",
                "this file is not read: it is written in UTF-16; save it as UTF-8",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn nothing_but_regular_files_within_the_directory_is_read() {
        use std::os::unix::fs::symlink;
        let outside = project(&[("secret.json", b"secret"), ("folder/x.json", b"secret")]);
        // In any documented place.
        for folder in FOLDERS {
            let directory = project(&[
                ("project.toml", b""),
                (&format!("{folder}/..2026/good.json"), b"{}"),
            ]);
            let at = |name: &str| directory.path().join(folder).join(name);
            symlink("..2026/good.json", at("inside.json")).expect("linked");
            symlink(outside.path().join("secret.json"), at("outside.json")).expect("linked");
            symlink(outside.path().join("folder"), at("tree")).expect("linked");
            symlink("/etc/passwd", at("passwd.json")).expect("linked");
            symlink("/dev/zero", at("zero.json")).expect("linked");
            symlink("nowhere.json", at("dangling.json")).expect("linked");
            symlink("circle.json", at("circle.json")).expect("linked");
            let made = std::process::Command::new("mkfifo")
                .arg(at("pipe.json"))
                .status();
            assert!(made.expect("mkfifo runs").success());
            std::os::unix::net::UnixListener::bind(at("socket.json")).expect("bound");
            let read = ProjectDirectory::read(directory.path()).expect("reads");
            assert!(read.components().expect("has none").is_empty());
            let inside = format!("{folder}/inside.json");
            let mut expected = [inside.as_str(), "project.toml"];
            expected.sort_unstable();
            assert_eq!(names(&read), expected);
            let found = warnings(&read);
            let codes = |name: &str| {
                let name = format!("{folder}/{name}");
                found
                    .iter()
                    .find(|(file, _)| *file == name)
                    .map(|(_, code)| *code)
            };
            assert_eq!(codes("outside.json"), Some("file.outside_project"));
            assert_eq!(codes("tree"), Some("file.outside_project"));
            assert_eq!(codes("passwd.json"), Some("file.outside_project"));
            assert_eq!(codes("zero.json"), Some("file.outside_project"));
            assert_eq!(codes("dangling.json"), Some("file.unreadable"));
            assert_eq!(codes("circle.json"), Some("file.unreadable"));
            assert_eq!(codes("pipe.json"), Some("file.not_regular"));
            assert_eq!(codes("socket.json"), Some("file.not_regular"));
            assert_eq!(found.len(), 8);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_manifest_that_is_no_file_of_the_project_is_refused_unread() {
        use std::os::unix::fs::symlink;
        for target in ["/dev/zero", "/etc/passwd", "nowhere"] {
            let directory = project(&[]);
            symlink(target, directory.path().join(MANIFEST)).expect("linked");
            let error = ProjectDirectory::read(directory.path()).expect_err("refused");
            assert!(matches!(error, DirectoryError::Unusable { .. }), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nodes_are_regular_files_of_the_project_too() {
        use std::os::unix::fs::symlink;
        let outside = project(&[("x.wasm", b"\0asm")]);
        let outside = outside.path().join("x.wasm");
        for target in [
            "/dev/zero",
            "/etc/passwd",
            "nowhere",
            &outside.display().to_string(),
        ] {
            let directory = project(&[("project.toml", b""), ("nodes/own.wasm", b"\0asm")]);
            let read = ProjectDirectory::read(directory.path()).expect("reads");
            assert_eq!(read.components().expect("reads").len(), 1);
            symlink(target, directory.path().join("nodes/x.wasm")).expect("linked");
            let error = read.components().expect_err("refused");
            assert!(matches!(error, DirectoryError::Unusable { .. }), "{error}");
        }
        let directory = project(&[("project.toml", b""), ("nodes/own.wasm", b"\0asm")]);
        let pipe = directory.path().join("nodes/x.wasm");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.expect("mkfifo runs").success());
        let read = ProjectDirectory::read(directory.path()).expect("reads");
        read.components().expect_err("refused");
    }

    #[test]
    fn a_project_has_a_budget() {
        let large = vec![b' '; (MAX_FILE + 1) as usize];
        let directory = project(&[("project.toml", b""), ("flows/large.json", &large)]);
        let read = ProjectDirectory::read(directory.path()).expect("reads");
        assert_eq!(warnings(&read), [("flows/large.json", "file.too_large")]);
        for file in 0..9 {
            let path = directory.path().join(format!("flows/{file}.json"));
            std::fs::write(path, &large[1..]).expect("written");
        }
        let error = ProjectDirectory::read(directory.path()).expect_err("refused");
        assert!(matches!(error, DirectoryError::TooMuch { .. }), "{error}");
        let dense = "1,".repeat(MAX_FILE as usize / 2);
        let directory = project(&[("project.toml", b""), ("flows/x.json", dense.as_bytes())]);
        let error = ProjectDirectory::read(directory.path()).expect_err("refused");
        assert!(matches!(error, DirectoryError::TooMuch { .. }), "{error}");
        let deep = format!("flows/{}x.json", "d/".repeat(9));
        let directory = project(&[("project.toml", b""), (&deep, b"{}")]);
        let error = ProjectDirectory::read(directory.path()).expect_err("refused");
        assert!(matches!(error, DirectoryError::TooMuch { .. }), "{error}");
    }
}
