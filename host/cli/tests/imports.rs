//! What `handoff import` makes of other systems' files: each folder of `imports/` has what goes in, and what
//! comes out as files and as words. What comes out is also played.
//!
//! `UPDATE_EXPECTED=1` writes what came out into the folders; read it before you commit it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imports")
}

fn handoff(arguments: &[&str], directory: &Path) -> Output {
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(arguments)
        .current_dir(directory)
        .env("HANDOFF_NODES", nodes)
        .output()
        .expect("the command starts")
}

/// All that the command said, without the temporary directory's name.
fn said(output: &Output, to: &Path) -> String {
    let text = format!(
        "{}---\n{}---\nexit code {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().expect("it ended by itself")
    );
    text.replace(&to.display().to_string(), "OUT")
}

/// Every file below a directory, by its path there.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("the entry is there").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let inside = path.strip_prefix(root).expect("below").to_owned();
                files.insert(inside, std::fs::read(&path).expect("read"));
            }
        }
    }
    files
}

fn update(case: &Path, files: &BTreeMap<PathBuf, Vec<u8>>, words: &str) {
    let made = case.join("made");
    if made.exists() {
        std::fs::remove_dir_all(&made).expect("removed");
    }
    for (path, bytes) in files {
        let path = made.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, bytes).expect("written");
    }
    std::fs::write(case.join("expected.txt"), words).expect("written");
}

#[test]
fn every_import_makes_the_project_that_was_reviewed_and_its_scenario_holds() {
    let update_expected = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut seen = 0;
    for entry in std::fs::read_dir(cases()).expect("there are cases") {
        let case = entry.expect("the entry is there").path();
        let name = case.file_name().expect("a name").display().to_string();
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let to = temporary.path().join("out");
        let arguments = std::fs::read_to_string(case.join("arguments.txt")).expect("arguments");
        let place = to.display().to_string();
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        arguments.insert(0, "import");
        arguments.extend(["--to", &place]);
        let output = handoff(&arguments, &case);
        let words = said(&output, &to);
        let files = tree(&to);
        if update_expected {
            update(&case, &files, &words);
        }
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        assert_eq!(words, expected, "{name} says something else");
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            tree(&case.join("made")).keys().collect::<Vec<_>>(),
            "{name}"
        );
        for (path, bytes) in tree(&case.join("made")) {
            let made = String::from_utf8_lossy(&files[&path]).into_owned();
            let reviewed = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(made, reviewed, "{name}: {}", path.display());
        }
        if output.status.success() {
            let played = handoff(&["test", &place], &case);
            assert!(played.status.success(), "{name}:\n{}", said(&played, &to));
        } else {
            assert!(files.is_empty(), "{name} failed and left files");
        }
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} cases were found");
}

#[test]
fn documents_of_servisbot_are_carried_over_byte_for_byte() {
    let case = cases().join("servisbot");
    for (from, to) in [
        (
            "in/genesys-livechat.json",
            "made/workers/GenesysLivechatAlpha.json",
        ),
        ("in/send-email.json", "made/connectors/sendEmail.json"),
    ] {
        let read = |path| std::fs::read(case.join(path)).expect("read");
        assert!(read(from) == read(to), "{from} was changed");
    }
}

#[test]
fn a_secret_that_stands_in_the_settings_is_neither_written_nor_shown() {
    let case = cases().join("dydu");
    let settings = std::fs::read_to_string(case.join("in/connector.toml")).expect("read");
    assert!(settings.contains("never-to-be-copied"));
    let mut files = tree(&case.join("made"));
    let words = std::fs::read(case.join("expected.txt")).expect("read");
    files.insert(PathBuf::from("expected.txt"), words);
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("never-to-be-copied"), "{}", path.display());
    }
}

#[test]
fn a_directory_that_holds_something_is_left_alone() {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let mine = temporary.path().join("mine.txt");
    std::fs::write(&mine, "mine").expect("written");
    let to = temporary.path().display().to_string();
    let output = handoff(
        &["import", "dydu", "in/connector.toml", "--to", &to],
        &cases().join("dydu"),
    );
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("nothing is overwritten"), "{text}");
    assert_eq!(tree(temporary.path()).len(), 1);
}
