//! Projects with mistakes in them: each is told with its place and what to write instead. One folder
//! per mistake under `tests/projects`: the files as a designer would have them, and `expected.txt`.
//!
//! `UPDATE_EXPECTED=1` writes what is found now; read the difference before it is committed.

use crate::support::library;
use handoff_engine::egress::{Allowed, Origin};
use handoff_engine::project::{Project, ProjectFiles};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXPECTED: &str = "expected.txt";

#[tokio::test]
async fn every_broken_project_is_told_what_is_wrong_with_it() {
    let library = library(&[]).await;
    let mut wrong = Vec::new();
    for folder in folders(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/projects"
    ))) {
        let mut files = BTreeMap::new();
        read(&folder, "", &mut files);
        let expected = files.remove(EXPECTED).unwrap_or_default();
        let found = match Project::load(
            &ProjectFiles(files),
            &library,
            &Allowed::from_iter(operator()),
            None,
        )
        .await
        {
            Ok(project) => format!("{}it loads\n", lines(project.warnings())),
            Err(found) => lines(&found),
        };
        if found == expected {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(folder.join(EXPECTED), &found).expect("can be written");
            continue;
        }
        wrong.push(format!(
            "{}\nexpected:\n{expected}found:\n{found}",
            folder.display()
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What requests are let out by whoever runs the host of these projects.
fn operator() -> Option<Origin> {
    "https://*.example.com".parse().ok()
}

fn lines(found: &[handoff_engine::diagnostic::Diagnostic]) -> String {
    found
        .iter()
        .map(|diagnostic| format!("{diagnostic}\n"))
        .collect()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the folder is there")
        .map(|entry| entry.expect("can be read").path())
        .collect();
    folders.sort();
    folders
}

fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("can be read").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else {
            let text = std::fs::read_to_string(&path).expect("is text");
            files.insert(name, text);
        }
    }
}
